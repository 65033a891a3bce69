//! The circulation pumps: which of them run, how fast, and whether water moves at all.
//!
//! Duty goes to pumps that are able (remote, no fault, not out by hand, not recently failed); a pump that was told to run
//! and is not proven within its time is a failed pump and rests for twenty minutes while the next takes over. Duty changes
//! by running time with an overlap, so that circulation stays proven. Starts are counted: motors and drives bear about
//! six an hour.

use std::time::Duration;

use heatstation_points::{CircuitIndex, CircuitReadings, Pascals, PumpIndex, PumpReadings, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::pi::{Gains, Pi};
use crate::report::PumpCommand;
use crate::settings::{CirculationMode, CirculationSettings};
use crate::timer::{Held, seconds};

mod proof;

pub use proof::proven;
use proof::runs;

/// The most pumps that a circuit has.
pub const PUMPS_MAX: usize = 3;
/// Two motors never start together: the second waits this long.
const STAGGER: Duration = Duration::from_secs(5);
/// A motor and its drive bear six starts an hour. As a bucket: three at once and three more over the hour, so that no hour
/// whatever sees more than six.
const STARTS_AT_ONCE: f64 = 3.0;
const STARTS_REGAINED_PER_HOUR: f64 = 3.0;
/// The pressure difference may be lost this long before the fallback speed is taken.
const HOLD: Duration = Duration::from_secs(60);

/// What one pump is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pump {
    on: bool,
    /// Told to run, not proven.
    unproven: Held,
    /// Out of duty for what is left of its rest.
    rest: Duration,
    /// Running time in its present duty.
    duty: Duration,
    /// Time since it was switched off.
    off: Duration,
    /// Starts that it still bears: a bucket that refills with time.
    starts_used: f64,
}

/// The circulation of one circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circulation {
    pumps: [Pump; PUMPS_MAX],
    since_start: Duration,
    /// The speed that is sent to the running pumps.
    pub speed: Ratio,
    pi: Pi,
    speed_lost: Duration,
}

/// What is asked of the circulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Whether circulation is wanted and allowed.
    pub run: bool,
    /// A speed in hand.
    pub hand_speed: Option<Ratio>,
    /// Pumps that a person keeps out.
    pub out: [bool; PUMPS_MAX],
    /// Whether circulation is proven.
    pub proven: Option<bool>,
}

impl Circulation {
    /// Takes over the pumps as they are found: running pumps stay running, counters and rests are kept.
    pub fn take_over(&mut self, settings: &CirculationSettings, readings: &[PumpReadings]) {
        self.since_start = STAGGER;
        self.speed = settings.speed_min;
        for (pump, reading) in self.pumps.iter_mut().zip(readings) {
            pump.on = reading.running.usable() == Some(Switch::On);
            pump.unproven = Held::default();
            pump.off = settings.off_min;
            if let (true, Some(speed)) = (pump.on, reading.speed_feedback.usable()) {
                self.speed = speed.clamp(settings.speed_min, settings.speed_max);
            }
        }
        self.pi = Pi::default();
        if let CirculationMode::DifferentialPressure { gain_per_pascal, integral_time, .. } = settings.mode {
            let gains = Gains { gain: gain_per_pascal, integral_seconds: seconds(integral_time), low: 0.0, high: 1.0 };
            self.pi.take_over(&gains, 0.0, self.speed.0);
        }
    }

    /// One step.
    pub fn advance(
        &mut self,
        settings: &CirculationSettings,
        circuit: CircuitIndex,
        readings: &CircuitReadings,
        asked: Asked,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        self.since_start = self.since_start.saturating_add(dt);
        let mut able = [false; PUMPS_MAX];
        for (number, reading) in readings.circulation_pumps.iter().enumerate().take(settings.pumps) {
            let pump = &mut self.pumps[number];
            pump.rest = pump.rest.saturating_sub(dt);
            pump.starts_used = (pump.starts_used - STARTS_REGAINED_PER_HOUR * seconds(dt) / 3600.0).max(0.0);
            if pump.on {
                pump.duty = pump.duty.saturating_add(dt);
            } else {
                pump.off = pump.off.saturating_add(dt);
            }
            let faulty = reading.fault.usable() == Some(Switch::On);
            let unproven =
                pump.unproven.for_at_least(settings.proof_within, pump.on && !runs(reading, asked.proven), dt);
            if pump.rest.is_zero() && (unproven || (faulty && pump.on)) {
                pump.rest = settings.retry_after;
                events.push(Event::PumpFailed { circuit, pump: PumpIndex(number) });
            }
            let local = reading.remote.last() == Some(Switch::Off);
            able[number] = pump.rest.is_zero() && !faulty && !local && !asked.out[number];
        }
        let duty = if asked.run {
            self.choose(settings, able, asked.proven == Some(true), readings)
        } else {
            [false; PUMPS_MAX]
        };
        self.switch(settings, circuit, duty, events);
        self.find_speed(settings, readings, asked, dt);
    }

    /// Who shall run: the running and able first, then the others in turn; one more while duty changes over.
    fn choose(
        &self,
        settings: &CirculationSettings,
        able: [bool; PUMPS_MAX],
        proven: bool,
        readings: &CircuitReadings,
    ) -> [bool; PUMPS_MAX] {
        let mut order: [usize; PUMPS_MAX] = [0, 1, 2];
        // The least worked of the idle comes next; the longest on duty goes first.
        let rank = |number: usize| {
            let pump = &self.pumps[number];
            (!able[number], !pump.on, if pump.on { pump.duty } else { Duration::ZERO }, number)
        };
        order.sort_by_key(|&number| rank(number));
        let due = |number: usize| {
            !settings.rotate_after.is_zero()
                && self.pumps[number].on
                && self.pumps[number].duty >= settings.rotate_after
        };
        let standby_able = order.iter().any(|&n| n < settings.pumps && able[n] && !self.pumps[n].on);
        let rotating = proven && standby_able && order.iter().any(|&n| due(n));
        let wanted = settings.duty + usize::from(rotating);
        let mut duty = [false; PUMPS_MAX];
        for &number in order.iter().filter(|&&n| n < settings.pumps && able[n]).take(wanted) {
            duty[number] = true;
        }
        // The overlap ends when the new pump is seen running: then the one that is due may rest.
        let fresh_running =
            |n: usize| !due(n) && self.pumps[n].on && readings.circulation_pumps[n].running.fresh() == Some(Switch::On);
        let others = (0..settings.pumps).filter(|&n| duty[n] && fresh_running(n)).count();
        if others >= settings.duty {
            for (number, on) in duty.iter_mut().enumerate().take(settings.pumps) {
                *on &= !due(number);
            }
        }
        duty
    }

    fn switch(
        &mut self,
        settings: &CirculationSettings,
        circuit: CircuitIndex,
        duty: [bool; PUMPS_MAX],
        events: &mut Vec<Event>,
    ) {
        for (number, wanted) in duty.into_iter().enumerate() {
            let pump = &mut self.pumps[number];
            if pump.on && !wanted {
                *pump =
                    Pump { on: false, off: Duration::ZERO, duty: Duration::ZERO, unproven: Held::default(), ..*pump };
            } else if !pump.on && wanted {
                let bears_it = pump.starts_used + 1.0 <= STARTS_AT_ONCE;
                if self.since_start >= STAGGER && pump.off >= settings.off_min && bears_it {
                    *pump = Pump { on: true, duty: Duration::ZERO, starts_used: pump.starts_used + 1.0, ..*pump };
                    self.since_start = Duration::ZERO;
                    events.push(Event::PumpStarted { circuit, pump: PumpIndex(number) });
                }
            }
        }
    }

    fn find_speed(&mut self, settings: &CirculationSettings, readings: &CircuitReadings, asked: Asked, dt: Duration) {
        if !self.pumps.iter().any(|pump| pump.on) {
            self.speed = settings.speed_min;
            self.speed_lost = Duration::ZERO;
            return;
        }
        let wish = if let Some(speed) = asked.hand_speed {
            speed
        } else {
            match settings.mode {
                CirculationMode::FixedSpeed { speed } => speed,
                CirculationMode::DifferentialPressure { setpoint, gain_per_pascal, integral_time } => {
                    let gains = Gains {
                        gain: gain_per_pascal,
                        integral_seconds: seconds(integral_time),
                        low: settings.speed_min.0,
                        high: settings.speed_max.0,
                    };
                    self.hold_difference(&gains, setpoint, settings, readings, dt)
                }
            }
        };
        let step = Ratio(settings.ramp_per_second * seconds(dt));
        self.speed += (wish.clamp(settings.speed_min, settings.speed_max) - self.speed).clamp(-step, step);
    }

    fn hold_difference(
        &mut self,
        gains: &Gains,
        setpoint: Pascals,
        settings: &CirculationSettings,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Ratio {
        if let Some(measured) = readings.own.differential_pressure.fresh() {
            self.speed_lost = Duration::ZERO;
            return Ratio(self.pi.advance(gains, (setpoint - measured).0, Some(self.speed.0), seconds(dt)));
        }
        self.speed_lost = self.speed_lost.saturating_add(dt);
        self.pi.take_over(gains, 0.0, self.speed.0);
        if self.speed_lost <= HOLD { self.speed } else { settings.speed_fallback }
    }

    /// The commands to the pumps.
    pub fn commands(&self, settings: &CirculationSettings) -> Vec<PumpCommand> {
        self.pumps[..settings.pumps]
            .iter()
            .map(|pump| if pump.on { PumpCommand { start: Switch::On, speed: self.speed } } else { PumpCommand::STOP })
            .collect()
    }

    /// Whether any pump is told to run.
    pub fn any_on(&self) -> bool {
        self.pumps.iter().any(|pump| pump.on)
    }

    /// Whether a pump rests after a failure.
    pub fn failed(&self, pump: PumpIndex) -> bool {
        !self.pumps[pump.0].rest.is_zero()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use heatstation_points::{CubicMetersPerSecond, Reading};

    pub(crate) fn settings() -> CirculationSettings {
        CirculationSettings {
            pumps: 2,
            duty: 1,
            mode: CirculationMode::FixedSpeed { speed: Ratio(0.8) },
            speed_min: Ratio(0.5),
            speed_max: Ratio(1.0),
            speed_fallback: Ratio(0.8),
            ramp_per_second: 0.01,
            proof_within: Duration::from_secs(15),
            retry_after: Duration::from_secs(1200),
            rotate_after: Duration::from_secs(168 * 3600),
            off_min: Duration::from_secs(60),
            flow_min: CubicMetersPerSecond(0.005),
            differential_pressure_min: Pascals(20_000.0),
        }
    }

    /// Two pumps whose feedback follows the command after two seconds, unless broken.
    struct Rig {
        circulation: Circulation,
        readings: CircuitReadings,
        broken: [bool; 2],
        fault: [bool; 2],
        starts: Vec<(u32, usize)>,
        failures: Vec<(u32, usize)>,
        second: u32,
    }

    impl Rig {
        fn new() -> Rig {
            let mut readings = CircuitReadings::default();
            let pump = PumpReadings {
                running: Reading::good(Switch::Off),
                fault: Reading::good(Switch::Off),
                ..PumpReadings::default()
            };
            readings.circulation_pumps = vec![pump.clone(), pump];
            readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(0.0));
            let mut circulation = Circulation::default();
            circulation.take_over(&settings(), &readings.circulation_pumps);
            let (starts, failures) = (Vec::new(), Vec::new());
            Rig { circulation, readings, broken: [false; 2], fault: [false; 2], starts, failures, second: 0 }
        }

        fn run(&mut self, settings: &CirculationSettings, seconds: u32, run: bool) {
            for _ in 0..seconds {
                let commands = self.circulation.commands(settings);
                for (number, reading) in self.readings.circulation_pumps.iter_mut().enumerate() {
                    let turns = commands[number].start.is_on() && !self.broken[number];
                    reading.running = Reading::good(Switch::from(turns));
                    reading.fault = Reading::good(Switch::from(self.fault[number]));
                }
                let flows = self.readings.circulation_pumps.iter().any(|p| p.running.fresh() == Some(Switch::On));
                self.readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(if flows { 0.04 } else { 0.0 }));
                let asked = Asked {
                    run,
                    hand_speed: None,
                    out: [false; PUMPS_MAX],
                    proven: proven(settings, &self.readings, Switch::Off),
                };
                let mut events = Vec::new();
                let (circuit, dt) = (CircuitIndex(0), Duration::from_secs(1));
                self.circulation.advance(settings, circuit, &self.readings, asked, dt, &mut events);
                for event in events {
                    match event {
                        Event::PumpStarted { pump, .. } => self.starts.push((self.second, pump.0)),
                        Event::PumpFailed { pump, .. } => self.failures.push((self.second, pump.0)),
                        _ => {}
                    }
                }
                self.second += 1;
            }
        }
    }

    #[test]
    fn a_pump_that_does_not_run_is_replaced_and_tried_again_later() {
        let mut rig = Rig::new();
        rig.broken[0] = true;
        rig.run(&settings(), 40, true);
        assert_eq!(rig.starts, [(0, 0), (15, 1)]);
        assert_eq!(rig.failures, [(15, 0)]);
        rig.broken[0] = false;
        rig.run(&settings(), 1300, true);
        assert_eq!(rig.starts.len(), 2, "a healthy duty pump is not exchanged for the repaired one");
    }

    #[test]
    fn a_fault_of_the_drive_is_answered_at_once() {
        let mut rig = Rig::new();
        rig.run(&settings(), 100, true);
        rig.fault[0] = true;
        rig.broken[0] = true;
        rig.run(&settings(), 2, true);
        assert_eq!(rig.starts, [(0, 0), (100, 1)]);
    }

    #[test]
    fn duty_changes_over_with_an_overlap() {
        let settings = CirculationSettings { rotate_after: Duration::from_secs(600), ..settings() };
        let mut rig = Rig::new();
        for _ in 0..1000 {
            rig.run(&settings, 1, true);
            assert!(
                rig.second < 3 || proven(&settings, &rig.readings, Switch::Off) == Some(true),
                "second {}",
                rig.second
            );
        }
        assert_eq!(rig.starts, [(0, 0), (600, 1)]);
        assert_eq!(rig.circulation.commands(&settings)[0], PumpCommand::STOP);
    }

    #[test]
    fn starts_are_bounded_whatever_is_asked() {
        let mut rig = Rig::new();
        for minute in 0..60 {
            rig.run(&settings(), 30, minute % 2 == 0);
            rig.run(&settings(), 30, false);
        }
        let first = rig.starts.iter().filter(|(_, pump)| *pump == 0).count();
        assert!(first <= 6, "{first} starts of pump 1 in an hour: {:?}", rig.starts);
    }

    #[test]
    fn silence_of_the_device_is_not_a_failed_pump() {
        let mut rig = Rig::new();
        rig.run(&settings(), 60, true);
        let silent = Reading::bad(heatstation_points::Fault::Silent);
        for pump in &mut rig.readings.circulation_pumps {
            pump.running = silent;
        }
        let asked = Asked { run: true, hand_speed: None, out: [false; 3], proven: None };
        let mut events = Vec::new();
        for _ in 0..600 {
            let (circuit, dt) = (CircuitIndex(0), Duration::from_secs(1));
            rig.circulation.advance(&settings(), circuit, &rig.readings, asked, dt, &mut events);
        }
        assert_eq!(events, []);
        assert_eq!(proven(&settings(), &rig.readings, Switch::On), None);
    }
}
