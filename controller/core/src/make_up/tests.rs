//! Stories of pressure holding on a small bare net.

use heatstation_points::{CubicMeters, CubicMetersPerSecond, Fault, PumpReadings, Reading};

use super::*;
use crate::circulation::PumpFailure;
use crate::moment::Weekday;

pub(crate) fn settings(mode: MakeUpMode) -> MakeUpSettings {
    MakeUpSettings { mode, ..MakeUpSettings::ordinary() }
}

/// A small bare net: a litre is 5 kPa; two pumps of 2 m³/h.
struct Rig {
    settings: MakeUpSettings,
    make_up: MakeUp,
    readings: CircuitReadings,
    pressure: f64,
    /// l/s.
    leak: f64,
    /// A pump that gives no water.
    dry: [bool; 2],
    /// A pump whose feedback stays off.
    unseen: [bool; 2],
    starts: u32,
    low: f64,
    high: f64,
    litres: f64,
}

impl Rig {
    fn new(settings: MakeUpSettings) -> Rig {
        let readings = CircuitReadings { make_up_pumps: vec![PumpReadings::default(); 2], ..Default::default() };
        Rig {
            settings,
            make_up: MakeUp::default(),
            readings,
            pressure: 300e3,
            leak: 0.0,
            dry: [false; 2],
            unseen: [false; 2],
            starts: 0,
            low: 1e9,
            high: 0.0,
            litres: 0.0,
        }
    }

    fn with(mode: MakeUpMode, leak: f64) -> Rig {
        Rig { leak, ..Rig::new(settings(mode)) }
    }

    fn working(&self) -> Vec<usize> {
        let commands = self.make_up.commands(&self.settings).collect::<Vec<_>>();
        (0..commands.len()).filter(|&number| commands[number].start.is_on()).collect()
    }

    fn run(&mut self, seconds: u32) {
        for _ in 0..seconds {
            if self.readings.own.return_pressure.quality().name() != "bad"
                || !self.readings.own.return_pressure.is_configured()
            {
                self.readings.own.return_pressure = Reading::good(Pascals(self.pressure));
            }
            let standing = Turning { pumps: 0, speed: Ratio::ZERO };
            let seen = self.make_up.look(&self.readings, standing, Duration::from_secs(1));
            let was = self.make_up.is_running();
            self.make_up.advance(&self.settings, &self.readings, seen, false, Duration::from_secs(1));
            self.starts += u32::from(!was && self.make_up.is_running());
            self.answer();
            (self.low, self.high) = (self.low.min(self.pressure), self.high.max(self.pressure));
        }
    }

    fn answer(&mut self) {
        let mut litres = 0.0;
        for (number, command) in self.make_up.commands(&self.settings).enumerate() {
            let turns = command.start.is_on() && !self.unseen[number];
            self.readings.make_up_pumps[number].running = Reading::good(Switch::from(turns));
            // Its head falls away below 40 % speed.
            let gives = if self.dry[number] || !command.start.is_on() { 0.0 } else { 1.0 };
            litres += gives * ((command.speed.0 - 0.4).max(0.0) / 0.6) * 0.55;
        }
        let relief = if self.make_up.relief_open { 1.0 } else { 0.0 };
        self.readings.own.make_up_flow = Reading::good(CubicMetersPerSecond(litres / 1000.0));
        self.litres += litres;
        self.pressure += (litres - self.leak - relief) * 5e3;
    }

    fn report(&self) -> MakeUpReport {
        self.make_up.report()
    }
}

#[test]
fn start_stop_holds_the_pressure_between_its_marks() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.01);
    rig.run(7200);
    assert!(rig.low > 275e3 && rig.high < 310e3, "{} {}", rig.low, rig.high);
    assert!((2..40).contains(&rig.starts), "{}", rig.starts);
}

#[test]
fn variable_speed_holds_within_twenty_kilopascals_and_sleeps() {
    let mut rig = Rig::with(MakeUpMode::VariableSpeed, 0.002);
    rig.run(7200);
    assert!(rig.low > 278e3 && rig.high < 320e3, "{} {}", rig.low, rig.high);
    assert!(rig.starts < 20, "{}", rig.starts);
    assert!(rig.make_up.run < Duration::from_secs(1200));
    assert_eq!(rig.report().reason, MakeUpReason::Rest);
}

#[test]
fn a_lift_before_sleep_makes_it_sleep_longer_and_stays_in_the_band() {
    let starts = |raise: f64| {
        let settings = MakeUpSettings { sleep_raise: Pascals(raise), ..settings(MakeUpMode::VariableSpeed) };
        let mut rig = Rig { leak: 0.002, ..Rig::new(settings) };
        rig.run(4 * 3600);
        assert!(rig.low > 278e3 && rig.high < 320e3, "{} {}", rig.low, rig.high);
        rig.starts
    };
    let (plain, lifted) = (starts(0.0), starts(10e3));
    assert!(lifted < plain, "{lifted} starts with a lift, {plain} without");
}

#[test]
fn a_leak_that_eats_the_lift_keeps_no_pump_awake() {
    let settings = MakeUpSettings { sleep_raise: Pascals(35e3), ..settings(MakeUpMode::VariableSpeed) };
    let mut rig = Rig { leak: 0.003, ..Rig::new(settings) };
    let mut lifting = 0;
    for _ in 0..3600 {
        rig.run(1);
        lifting = if rig.report().reason == MakeUpReason::Lifting { lifting + 1 } else { 0 };
        assert!(lifting <= 122, "{lifting} s");
    }
}

#[test]
fn a_leak_that_make_up_cannot_follow_is_seen_by_its_run() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.6);
    rig.run(1000);
    assert!(rig.make_up.run > Duration::from_secs(800), "{:?}", rig.make_up.run);
}

#[test]
fn water_is_never_pumped_blind() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.3);
    rig.pressure = 250e3;
    rig.run(10);
    assert!(rig.make_up.is_running());
    rig.readings.own.return_pressure = Reading::bad(Fault::SensorBroken);
    rig.run(1);
    assert!(!rig.make_up.is_running());
    assert_eq!(rig.report().reason, MakeUpReason::PressureLost);
}

#[test]
fn with_the_low_pressure_switch_alone_a_little_is_pumped_at_a_time() {
    let mut rig = Rig::with(MakeUpMode::VariableSpeed, 0.05);
    rig.readings.own.return_pressure = Reading::bad(Fault::SensorBroken);
    let (mut longest, mut run) = (0, 0);
    for _ in 0..3600 {
        rig.readings.own.low_pressure_switch = Reading::good(Switch::from(rig.pressure < 200e3));
        rig.run(1);
        run = if rig.make_up.is_running() { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    assert!(rig.starts > 3, "{}", rig.starts);
    assert!(rig.pressure > 195e3 && rig.pressure < 230e3, "{}", rig.pressure);
    assert!(longest < 30, "{longest} s");
}

#[test]
fn relief_opens_high_and_closes_lower() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.0);
    let mut open = |pressure: f64| {
        rig.pressure = pressure;
        rig.run(1);
        rig.make_up.relief_open
    };
    assert_eq!([350e3, 361e3, 350e3, 339e3].map(&mut open), [false, true, true, false]);
}

#[test]
fn relief_does_not_follow_an_estimate_nor_empty_the_plant_past_the_switch() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.0);
    rig.readings.own.return_pressure = Reading::bad(Fault::SensorBroken);
    rig.readings.own.supply_pressure = Reading::good(Pascals(500e3));
    rig.run(60);
    assert_eq!((rig.report().pressure_source, rig.make_up.relief_open), (PressureSource::HeadEstimate, false));
    // A sensor that reads high opens it; the switch at the bottom closes it.
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.0);
    rig.pressure = 400e3;
    rig.run(1);
    assert!(rig.make_up.relief_open);
    rig.readings.own.low_pressure_switch = Reading::good(Switch::On);
    rig.run(1);
    assert!(!rig.make_up.relief_open);
}

#[test]
fn make_up_that_fights_the_relief_valve_is_stopped_and_warming_water_is_no_fight() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.0);
    let swing = |rig: &mut Rig, low: f64| {
        for _ in 0..20 {
            rig.pressure = low;
            rig.run(5);
            rig.pressure = 365e3;
            rig.run(5);
            rig.pressure = 330e3;
            rig.run(60);
        }
        rig.pressure = 250e3;
        rig.run(1);
        rig.report().reason
    };
    assert_eq!(swing(&mut rig, 320e3), MakeUpReason::MakingUp);
    assert_eq!(swing(&mut rig, 270e3), MakeUpReason::FightsRelief);
    // It is tried again when half an hour has gone by.
    rig.pressure = 250e3;
    rig.run(2400);
    assert!(rig.pressure > 279e3, "{}", rig.pressure);
}

#[test]
fn the_day_counts_the_meter_and_survives_its_replacement() {
    let mut make_up = MakeUp::default();
    let mut readings = CircuitReadings::default();
    let mut count = |volume: f64, day| {
        readings.own.make_up_volume = Reading::good(CubicMeters(volume));
        make_up.count(&readings, day, Duration::from_secs(10));
        make_up.today
    };
    assert_eq!(count(100.0, Weekday::Monday), 0.0);
    assert_eq!(count(100.5, Weekday::Monday), 0.5);
    assert_eq!(count(3.0, Weekday::Monday), 0.5);
    assert_eq!(count(3.25, Weekday::Monday), 0.75);
    assert_eq!(count(3.5, Weekday::Tuesday), 0.25);
    // A meter with pulses of a cubic metre counts too; a leap that no pump could make does not.
    assert_eq!(count(4.5, Weekday::Tuesday), 1.25);
    assert_eq!(count(900.0, Weekday::Tuesday), 1.25);
}

#[test]
fn a_pump_that_fails_while_it_runs_hands_over_and_the_run_goes_on() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.6);
    rig.pressure = 250e3;
    rig.run(60);
    let first = rig.working()[0];
    rig.readings.make_up_pumps[first].fault = Reading::good(Switch::On);
    rig.run(60);
    let second = rig.working()[0];
    assert_ne!(first, second);
    assert!(rig.make_up.run >= Duration::from_secs(115), "{:?}", rig.make_up.run);
    rig.readings.make_up_pumps[second].fault = Reading::good(Switch::On);
    rig.run(1);
    assert_eq!((rig.working(), rig.report().reason), (vec![], MakeUpReason::NoPump));
}

#[test]
fn two_pumps_take_turns() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.01);
    rig.run(4 * 3600);
    let starts = rig.report().pumps.map(|pump| pump.count.starts);
    assert!(starts[0].abs_diff(starts[1]) <= 1 && starts[0] > 2, "{starts:?}");
}

#[test]
fn the_second_pump_helps_when_the_first_does_not_suffice_and_leaves_at_the_setpoint() {
    let settings =
        MakeUpSettings { assist_after: Some(Duration::from_secs(120)), ..settings(MakeUpMode::VariableSpeed) };
    let mut rig = Rig { leak: 0.7, pressure: 270e3, ..Rig::new(settings) };
    rig.run(60);
    assert_eq!(rig.working().len(), 1);
    rig.run(120);
    assert_eq!(rig.working().len(), 2);
    rig.leak = 0.1;
    rig.run(300);
    assert!(rig.pressure > 290e3 && rig.working().len() <= 1, "{} {:?}", rig.pressure, rig.working());
}

#[test]
fn a_pump_that_runs_dry_stops_even_if_it_is_the_last() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.002);
    (rig.dry, rig.pressure) = ([true; 2], 270e3);
    rig.run(61);
    assert_eq!(rig.working().len(), 1);
    rig.run(70);
    assert_eq!((rig.working(), rig.report().reason), (vec![], MakeUpReason::NoPump));
    let failed = MakeUpPumpState::Failed(PumpFailure::NoWater);
    assert_eq!(rig.report().pumps.map(|pump| pump.state), [failed; 2]);
    rig.dry = [false; 2];
    rig.run(1400);
    assert!(rig.pressure > 295e3, "{}", rig.pressure);
}

#[test]
fn a_pump_without_feedback_hands_over_and_the_last_one_runs_on() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.55);
    rig.pressure = 250e3;
    rig.run(5);
    let first = rig.working()[0];
    rig.unseen[first] = true;
    rig.run(20);
    assert_ne!(rig.working()[0], first);
    rig.unseen = [true; 2];
    rig.run(600);
    assert_eq!(rig.working(), [1 - first]);
    let states = rig.report().pumps.map(|pump| pump.state);
    assert_eq!(states, [MakeUpPumpState::Failed(PumpFailure::NoFeedback); 2]);
}

#[test]
fn an_unseen_tank_gives_no_more_than_its_hours_volume() {
    let mut rig = Rig::with(MakeUpMode::StartStop, 0.55);
    rig.readings.own.tank_level = Reading::bad(Fault::Silent);
    let mut hour = Vec::new();
    for second in 0..4 * 3600_u32 {
        if second.is_multiple_of(3600) {
            hour.push(rig.litres);
        }
        rig.pressure = 250e3;
        rig.make_up.count(&rig.readings, Weekday::Monday, Duration::from_secs(1));
        rig.run(1);
    }
    assert_eq!(rig.report().tank_source, TankSource::VolumeLimit);
    for pair in hour.windows(2) {
        assert!((200.0..=1010.0).contains(&(pair[1] - pair[0])), "{hour:?}");
    }
    // The switches speak again: so does the pump.
    rig.readings.own.tank_low_switch = Reading::good(Switch::Off);
    rig.run(2);
    assert_eq!((rig.report().tank_source, rig.working().len()), (TankSource::Switches, 1));
}
