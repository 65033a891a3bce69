//! Stories of a whole step: a small plant of a few lines, virtual seconds, and what the operator would see.

use std::time::Duration;

use heatstation_points::{
    Catalogue, CircuitNames, CircuitReadings, CubicMetersPerSecond, Meters, Pascals, PumpReadings, Ratio, Reading,
    Watts,
};

use super::*;
use crate::alarm::{Alarm, Place};
use crate::area::Area;
use crate::heating_curve::{Curve, EmitterCurve};
use crate::moment::{LocalTime, UtcMillis, Weekday};
use crate::outage::OutageId;
use crate::profile::{AccidentRateRule, Clause, Profile};
use crate::request::{Hand, Origin, Refusal, Wish};
use crate::schedule::Schedule;
use crate::settings::{
    EnvelopeSettings, FrostSettings, MakeUpMode, OutageSettings, OutdoorSettings, RoomSettings, RoomTrimSettings,
    Season, SupplyLoopSettings, SupplySettings, ValveSettings,
};

/// A radiator circuit of 86 000 m².
pub(crate) fn circuit() -> CircuitSettings {
    CircuitSettings {
        name: "low-zone".to_owned(),
        heated_area: Area::from_square_meters(86_000),
        buildings: Vec::new(),
        rooms: (0..4).map(|n| RoomSettings { name: format!("r{n}"), minimum: Celsius(18.0) }).collect(),
        curve: Curve::Emitter(EmitterCurve {
            design_supply: Celsius(75.0),
            design_return: Celsius(50.0),
            design_room: Celsius(20.0),
            design_outdoor: Celsius(-9.0),
            exponent: 1.3,
        }),
        room_target: Celsius(20.0),
        design_flow: Some(CubicMetersPerSecond(0.032)),
        design_power: Watts(3.4e6),
        room_trim: RoomTrimSettings::default(),
        schedule: Schedule::default(),
        supply: SupplySettings {
            min: Celsius(25.0),
            max: Celsius(80.0),
            rise_per_hour: Kelvins(20.0),
            fall_per_hour: Kelvins(20.0),
        },
        supply_loop: SupplyLoopSettings::default(),
        valve: ValveSettings::default(),
        circulation: circulation::tests::settings(),
        make_up: Some(make_up::tests::settings(MakeUpMode::StartStop)),
        interlock: crate::interlock::tests::settings(),
        frost: FrostSettings::default(),
        outage: OutageSettings::default(),
        envelope: EnvelopeSettings::default(),
    }
}

fn settings() -> Settings {
    Settings {
        station: "k12".to_owned(),
        heated_area: Area::from_square_meters(86_000),
        design_outdoor: Celsius(-9.0),
        season: Season { heating_from: UtcMillis(0), start: UtcMillis(0), end: UtcMillis(121 * 86_400_000) },
        profile: Profile {
            id: "zibo".to_owned(),
            title: String::new(),
            dwelling_min: Clause { value: Celsius(18.0), clause: "5.1".to_owned() },
            room_pass_target: None,
            accident_rate: AccidentRateRule { clause: "3.8".to_owned(), counted: vec![Cause::Unknown], target: None },
            notify_users_after: None,
        },
        outdoor: OutdoorSettings::default(),
        circuits: vec![circuit()],
    }
}

/// A plant that follows its commands simply: enough to tell stories, no physics to trust.
struct Rig {
    settings: Settings,
    state: State,
    readings: Readings,
    report: Option<Report>,
    events: Vec<(u64, Event)>,
    requests: Vec<Request>,
    second: u64,
    supply: f64,
    stem: f64,
    pump_broken: [bool; 2],
    frozen_readings: bool,
}

impl Rig {
    fn cold() -> Rig {
        Rig::with(settings())
    }

    fn with(settings: Settings) -> Rig {
        let names = CircuitNames {
            name: "low-zone".to_owned(),
            circulation_pumps: 2,
            make_up_pumps: 2,
            buildings: vec![],
            rooms: (0..4).map(|n| format!("r{n}")).collect(),
        };
        let catalogue = Catalogue::new(vec![names], vec![]).unwrap();
        let mut readings = Readings::empty(&catalogue);
        readings.station.outdoor_temperature = Reading::good(Celsius(-5.0));
        readings.station.primary_supply_temperature = Reading::good(Celsius(95.0));
        readings.station.mains_healthy = Reading::good(Switch::On);
        let state = State::new(&settings);
        let mut rig = Rig {
            settings,
            state,
            readings,
            report: None,
            events: Vec::new(),
            requests: Vec::new(),
            second: 0,
            supply: 20.0,
            stem: 0.0,
            pump_broken: [false; 2],
            frozen_readings: false,
        };
        rig.instruments(&[PumpReadings::default(), PumpReadings::default()]);
        rig
    }

    /// A station that has been heating for two hours.
    fn warm() -> Rig {
        let mut rig = Rig::cold();
        rig.run(3 * 3600);
        assert_eq!(rig.circuit().stage, Stage::Heating);
        rig.events.clear();
        rig
    }

    fn own(&mut self) -> &mut CircuitReadings {
        &mut self.readings.circuits[0]
    }

    fn circuit(&self) -> &CircuitReport {
        &self.report.as_ref().unwrap().circuits[0]
    }

    fn valve(&self) -> f64 {
        self.circuit().commands.as_ref().unwrap().valve_position.0
    }

    fn ask(&mut self, origin: Origin, wish: Wish) {
        let (author, reason) = ("li.wei".to_owned(), "test".to_owned());
        self.requests.push(Request { origin, author, reason, wish });
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(|(_, event)| event.kind()).collect()
    }

    fn alarm(&self, alarm: Alarm) -> bool {
        self.report.as_ref().unwrap().alarms.iter().any(|active| active.key.alarm == alarm)
    }

    fn now(&self) -> Moment {
        Moment {
            monotonic: Duration::from_secs(self.second),
            wall: UtcMillis(self.second as i64 * 1000),
            local: LocalTime { weekday: Weekday::Monday, minute_of_day: (self.second / 60 % 1440) as u16 },
        }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let inputs = Inputs {
                now: self.now(),
                readings: self.readings.clone(),
                requests: std::mem::take(&mut self.requests),
                health: Health::default(),
            };
            let (state, report) = step(&self.settings, std::mem::take(&mut self.state), &inputs);
            self.state = state;
            self.events.extend(report.events.iter().map(|event| (self.second, event.clone())));
            self.react(report.circuits[0].commands.as_ref());
            self.report = Some(report);
            self.second += 1;
        }
    }

    fn react(&mut self, commands: Option<&CircuitCommands>) {
        let Some(commands) = commands else { return };
        let wish = commands.valve_position.0;
        self.stem += (wish - self.stem).clamp(-1.0 / 120.0, 1.0 / 120.0);
        let pumps: Vec<PumpReadings> = commands
            .circulation_pumps
            .iter()
            .zip(self.pump_broken)
            .map(|(command, broken)| {
                let turns = command.start.is_on() && !broken;
                PumpReadings {
                    running: Reading::good(Switch::from(turns)),
                    fault: Reading::good(Switch::from(broken)),
                    speed_feedback: Reading::good(if turns { command.speed } else { Ratio::ZERO }),
                    ..PumpReadings::default()
                }
            })
            .collect();
        self.instruments(&pumps);
    }

    fn instruments(&mut self, pumps: &[PumpReadings]) {
        let flows = pumps.iter().any(|pump| pump.running.fresh() == Some(Switch::On));
        if flows {
            self.supply += (45.0 + 50.0 * self.stem - self.supply) / 25.0;
        }
        if self.frozen_readings {
            return;
        }
        let (supply, stem) = (self.supply, self.stem);
        let circuit = self.own();
        circuit.circulation_pumps = pumps.to_vec();
        for pump in &mut circuit.circulation_pumps {
            if !pump.running.is_configured() {
                pump.running = Reading::good(Switch::Off);
            }
        }
        let own = &mut circuit.own;
        own.supply_temperature = Reading::good(Celsius(supply));
        own.return_temperature = Reading::good(Celsius(40.0_f64.min(supply)));
        own.return_pressure = Reading::good(Pascals(300e3));
        own.supply_pressure = Reading::good(Pascals(if flows { 450e3 } else { 300e3 }));
        own.secondary_flow = Reading::good(CubicMetersPerSecond(if flows { 0.032 } else { 0.0 }));
        own.valve_position_feedback = Reading::good(Ratio(stem));
        own.tank_level = Reading::good(Meters(1.5));
        for room in &mut circuit.rooms {
            room.temperature = Reading::good(Celsius(21.0));
        }
    }
}

#[test]
fn a_cold_station_starts_in_order_and_reaches_its_setpoint() {
    let mut rig = Rig::cold();
    rig.run(1);
    assert_eq!(rig.circuit().commands, None, "nothing is written before the plant was looked at");
    rig.run(3 * 3600);
    let stages: Vec<Stage> = rig
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::StageChanged { to, .. } => Some(*to),
            _ => None,
        })
        .collect();
    assert_eq!(stages, [Stage::Filling, Stage::StartingPumps, Stage::Settling, Stage::Heating]);
    let (setpoint, supply) = (rig.circuit().setpoint.value, rig.circuit().supply.unwrap());
    assert!((setpoint - supply).0.abs() < 0.5, "{setpoint:?} {supply:?}");
    assert_eq!(rig.circuit().valve_reason, ValveReason::Control);
    assert!(!rig.alarm(Alarm::NoCirculation));
}

#[test]
fn a_stopped_pump_closes_the_valve_within_five_seconds_and_the_standby_takes_over() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    rig.run(4);
    rig.pump_broken[1] = false;
    assert_eq!(rig.valve(), 0.0);
    assert_eq!(rig.circuit().valve_reason, ValveReason::Interlock(Trip::NoCirculation));
    assert!(rig.alarm(Alarm::NoCirculation) && rig.alarm(Alarm::PumpFailed));
    rig.run(2700);
    assert_eq!(rig.circuit().stage, Stage::Heating);
    assert!(rig.valve() > 0.1);
    assert!(!rig.alarm(Alarm::NoCirculation), "{:?}", rig.report.unwrap().alarms);
}

#[test]
fn an_outage_opens_after_its_confirmation_and_counts_from_its_first_cold_second() {
    let mut rig = Rig::warm();
    let begins = rig.second;
    rig.pump_broken = [true; 2];
    rig.run(700);
    let opened = rig.events.iter().find_map(|(second, event)| match event {
        Event::OutageOpened { outage, suggested, .. } => Some((*second, *outage, *suggested)),
        _ => None,
    });
    let (second, outage, suggested) = opened.expect("an outage");
    assert_eq!(suggested, Cause::EnterpriseAccident);
    // The first cold sample is read one cycle after the pump stopped.
    assert_eq!(outage, OutageId { circuit: CircuitIndex(0), since: UtcMillis((begins as i64 + 1) * 1000) });
    assert_eq!(second, begins + 601);
    rig.pump_broken = [false; 2];
    rig.run(2400);
    let closed = rig.events.iter().find_map(|(_, event)| match event {
        Event::OutageClosed { outage, ended, lasted, .. } => Some((*outage, *ended, *lasted)),
        _ => None,
    });
    let (closed, ended, lasted) = closed.expect("it ended");
    assert_eq!((closed, ended.since(outage.since)), (outage, lasted));
}

#[test]
fn too_hot_a_supply_closes_the_valve_in_hand_too() {
    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    let wish = Wish::TakeInHand { circuit, hand: Hand::Valve(Ratio(1.0)), lasts: Duration::from_secs(3600) };
    rig.ask(Origin::Operator, wish);
    rig.run(60);
    assert_eq!(rig.circuit().valve_reason, ValveReason::Hand);
    let mut seconds_too_hot = 0;
    while rig.valve() > 0.0 && rig.second < 30_000 {
        rig.run(1);
        seconds_too_hot += u32::from(rig.supply > 85.0);
    }
    assert!(seconds_too_hot <= 5, "{seconds_too_hot} s");
    assert_eq!(rig.circuit().valve_reason, ValveReason::Interlock(Trip::OverTemperature));
}

#[test]
fn what_is_in_hand_returns_by_itself() {
    let mut rig = Rig::warm();
    let hand = Hand::Valve(Ratio(0.2));
    rig.ask(Origin::Operator, Wish::TakeInHand { circuit: CircuitIndex(0), hand, lasts: Duration::from_secs(120) });
    rig.run(60);
    assert!(rig.alarm(Alarm::HandControl));
    rig.run(61);
    assert!(rig.kinds().contains(&"hand_expired"));
    assert_eq!(rig.circuit().valve_reason, ValveReason::Control);
}

#[test]
fn dispatch_may_neither_stop_a_station_nor_reset_its_trips_nor_shout() {
    use Refusal::{NoSuchThing, NotFromThere, OutOfRange, TooLong, TooOften};

    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    rig.ask(Origin::Dispatch, Wish::SetMode { circuit, mode: Mode::Stopped });
    rig.ask(Origin::Dispatch, Wish::ResetTrips { circuit });
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(f64::NAN), lasts: Duration::from_secs(60) });
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(2.0), lasts: Duration::from_secs(200_000) });
    for _ in 0..3 {
        rig.ask(Origin::Dispatch, Wish::ReturnToAutomatic { circuit: CircuitIndex(7) });
    }
    rig.run(1);
    let refusals: Vec<Refusal> = rig
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::RequestRefused { refusal, .. } => Some(*refusal),
            _ => None,
        })
        .collect();
    assert_eq!(refusals, [NotFromThere, NotFromThere, OutOfRange, TooLong, NoSuchThing, NoSuchThing, TooOften]);
}

#[test]
fn a_restart_takes_the_plant_over_without_moving_the_valve() {
    let mut rig = Rig::warm();
    let before = rig.valve();
    let saved: State = serde_json::from_str(&serde_json::to_string(&rig.state).unwrap()).unwrap();
    rig.state = State::resume(saved, &rig.settings, Duration::from_secs(4)).unwrap();
    rig.run(5);
    assert!((rig.valve() - before).abs() < 0.01, "{before} then {}", rig.valve());
    assert_eq!(rig.circuit().stage, Stage::Heating);
    // The same without any saved state.
    rig.state = State::new(&rig.settings);
    rig.run(5);
    assert!((rig.valve() - before).abs() < 0.02, "{before} then {}", rig.valve());
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn local_at_the_cabinet_means_no_writes() {
    let mut rig = Rig::warm();
    rig.readings.station.remote_selected = Reading::good(Switch::Off);
    rig.run(1);
    assert_eq!(rig.circuit().commands, None);
    rig.run(30);
    assert!(rig.alarm(Alarm::LocalControl));
    rig.readings.station.remote_selected = Reading::good(Switch::On);
    rig.run(5);
    assert!(rig.circuit().commands.is_some());
}

#[test]
fn a_stop_in_frost_keeps_the_water_moving() {
    let mut rig = Rig::warm();
    rig.ask(Origin::Operator, Wish::SetMode { circuit: CircuitIndex(0), mode: Mode::Stopped });
    rig.run(3600);
    assert_eq!(rig.circuit().stage, Stage::Stopped);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Frost);
    assert_eq!(rig.circuit().circulating, Some(true));
    assert_eq!(rig.valve(), 0.0);
}

#[test]
fn the_same_inputs_give_the_same_outputs_whatever_the_wall_clock_says() {
    let trace = |wall_offset: i64| {
        let mut rig = Rig::cold();
        let mut commands = Vec::new();
        for _ in 0..2000 {
            let mut now = rig.now();
            now.wall = UtcMillis(now.wall.0 + wall_offset + 5_000);
            let inputs = Inputs { now, readings: rig.readings.clone(), requests: vec![], health: Health::default() };
            let (state, report) = step(&rig.settings, std::mem::take(&mut rig.state), &inputs);
            rig.state = state;
            rig.react(report.circuits[0].commands.as_ref());
            commands.push(report.circuits[0].commands.clone());
            rig.second += 1;
        }
        commands
    };
    assert_eq!(trace(0), trace(86_400_000));
}

#[test]
fn silence_of_the_whole_field_is_unobserved_time_and_no_outage() {
    let mut rig = Rig::warm();
    let saved = rig.readings.clone();
    let silent = heatstation_points::Fault::Silent;
    rig.frozen_readings = true;
    rig.own().own.supply_temperature = Reading::bad(silent);
    rig.own().own.return_temperature = Reading::bad(silent);
    rig.own().own.secondary_flow = Reading::bad(silent);
    for pump in &mut rig.own().circulation_pumps {
        *pump = PumpReadings { running: Reading::bad(silent), ..PumpReadings::default() };
    }
    rig.run(3600);
    assert!(!rig.kinds().contains(&"outage_opened"));
    rig.frozen_readings = false;
    rig.readings = saved;
    rig.run(2);
    let unobserved = rig.events.iter().find_map(|(_, event)| match event {
        Event::Unobserved { lasted, .. } => Some(lasted.as_secs()),
        _ => None,
    });
    assert_eq!(unobserved, Some(3600));
    assert!(!rig.alarm(Alarm::OutageOpen));
    assert!(rig.report.unwrap().alarms.iter().all(|active| active.key.place != Place::Station));
}

#[test]
fn a_reset_while_the_emergency_stop_is_pressed_is_refused_and_its_release_starts_nothing() {
    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    rig.readings.station.emergency_stop = Reading::good(Switch::On);
    rig.run(30);
    rig.ask(Origin::Operator, Wish::ResetTrips { circuit });
    rig.run(1);
    let refused = |event: &Event| matches!(event, Event::RequestRefused { refusal: Refusal::StillTripped, .. });
    assert!(rig.events.iter().any(|(_, event)| refused(event)), "{:?}", rig.kinds());
    rig.readings.station.emergency_stop = Reading::good(Switch::Off);
    rig.run(600);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    assert_eq!(rig.valve(), 0.0);
    rig.ask(Origin::Operator, Wish::ResetTrips { circuit });
    rig.run(600);
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn a_valve_feedback_that_lies_does_not_throw_the_valve_open_after_a_trip() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    rig.run(300);
    assert_eq!(rig.valve(), 0.0);
    rig.pump_broken = [false; 2];
    let mut before = rig.valve();
    for _ in 0..3000 {
        rig.own().own.valve_position_feedback = Reading::good(Ratio(0.9));
        rig.run(1);
        assert!(rig.valve() - before <= 1.0 / 120.0 + 1e-9, "{before} then {}", rig.valve());
        before = rig.valve();
    }
    assert!(before > 0.1, "it heats again: {before}");
}

#[test]
fn above_the_relief_pressure_no_make_up_pump_is_told_to_run() {
    let mut settings = settings();
    settings.circuits[0].make_up = Some(make_up::tests::settings(MakeUpMode::VariableSpeed));
    let mut rig = Rig::with(settings);
    let mut at = |kilopascals: f64| {
        rig.own().own.return_pressure = Reading::good(Pascals(kilopascals * 1e3));
        rig.run(1);
        let commands = rig.circuit().commands.as_ref();
        commands.is_some_and(|commands| commands.make_up_pumps.iter().any(|pump| pump.start.is_on()))
    };
    let started = (0..60).any(|_| at(270.0));
    assert!(started && at(290.0));
    assert!(!at(370.0), "the relief valve opens at 360 kPa");
}

#[test]
fn the_alarm_of_standing_water_stays_until_it_moves_again() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    for _ in 0..30 {
        rig.run(60);
        assert!(rig.alarm(Alarm::NoCirculation), "{} s, {:?}", rig.second, rig.circuit().stage);
    }
    rig.pump_broken = [false; 2];
    rig.run(1800);
    assert!(!rig.alarm(Alarm::NoCirculation));
}

#[test]
fn giving_the_plant_back_at_the_cabinet_resets_what_is_mended_and_nothing_else() {
    let mut rig = Rig::warm();
    rig.readings.station.emergency_stop = Reading::good(Switch::On);
    rig.run(30);
    let at_the_cabinet = |rig: &mut Rig| {
        rig.readings.station.remote_selected = Reading::good(Switch::Off);
        rig.run(60);
        rig.readings.station.remote_selected = Reading::good(Switch::On);
        rig.run(600);
    };
    at_the_cabinet(&mut rig);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    rig.readings.station.emergency_stop = Reading::good(Switch::Off);
    rig.run(600);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    at_the_cabinet(&mut rig);
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn a_wish_does_not_live_longer_because_the_program_was_away() {
    let mut rig = Rig::warm();
    let (circuit, lasts) = (CircuitIndex(0), Duration::from_secs(600));
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(2.0), lasts });
    rig.ask(Origin::Operator, Wish::TakeInHand { circuit, hand: Hand::Valve(Ratio(0.3)), lasts });
    rig.run(200);
    assert!(rig.circuit().in_hand.is_some() && rig.circuit().setpoint.ledger.of(Part::Remote) == Kelvins(2.0));
    rig.state = State::resume(rig.state.clone(), &rig.settings, Duration::from_secs(500)).unwrap();
    rig.run(5);
    assert_eq!(rig.circuit().in_hand, None);
    assert!(rig.kinds().contains(&"hand_expired"));
    rig.run(120);
    assert_eq!(rig.circuit().setpoint.ledger.of(Part::Remote), Kelvins(0.0));
}
