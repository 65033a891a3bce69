//! Law 2: low holding-point pressure stops the circulation pumps; make-up stays within its limits (S6, S7, S8).
//!
//! * The holding point shows less than the protection pressure, or its switch is closed, for the configured delay and 3 s:
//!   no circulation pump in remote is told to run, until the restart pressure is shown.
//! * Make-up does not run longer than `run_max` without the setpoint being shown in between; not with the tank low; not
//!   without any pressure (neither of the holding point nor of the supply, and the low-pressure switch open for longer than
//!   the run-on); not above the relief pressure; not beyond the day's volume, by the plant's truth, as long as
//!   its meter is honest.
//!
//! A run and a volume are counted within one life of the program and with the wire up: what a deaf cabinet pumps is its
//! own doing.

use heatstation_core::settings::MakeUpSettings;

use super::seen::{CircuitSeen, GRACE, Program, Seen};
use super::{Judged, Law, Violation};

/// Reading and writing.
const SLACK: u64 = 3;
/// The same for points that are read every other second and judged with a delay of 2 s.
const SLOW_SLACK: u64 = 6;
/// Where the switch alone decides, make-up may run on this long after it has opened.
const SWITCH_RUN_ON: u64 = 10;
/// What is pumped before the meter's next telegram and its next pulse, m³.
const VOLUME_SLACK: f64 = 0.2;

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    low: u64,
    barred: bool,
    run: u64,
    tank_low: u64,
    blind: u64,
    switch_open: u64,
    above_relief: u64,
    day: Option<i64>,
    volume_today: f64,
    volume_before: f64,
    unmetered: bool,
}

/// The checker of law 2.
#[derive(Debug)]
pub struct PressureGuards {
    circuits: Vec<Memory>,
}

impl PressureGuards {
    /// For that many circuits.
    pub fn new(circuits: usize) -> PressureGuards {
        PressureGuards { circuits: vec![Memory::default(); circuits] }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If a pump is told to run that should stand.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            memory.remember(seen, circuit);
            if circuit.ours_for < GRACE {
                continue;
            }
            let what = memory.circulation_fault(circuit, judged).or_else(|| {
                memory.make_up_fault(seen.settings.circuits[circuit.index.0].make_up.as_ref(), circuit, judged)
            });
            if let Some(what) = what {
                return Err(circuit.violation(Law::PressureGuards, seen.second, what));
            }
        }
        Ok(())
    }
}

impl Memory {
    fn remember(&mut self, seen: &Seen, circuit: &CircuitSeen) {
        if matches!(seen.program, Program::Forgot(_)) {
            *self = Memory::default();
        }
        self.count_volume(seen, circuit);
        if circuit.ours_for == 0 {
            (self.low, self.run, self.tank_low, self.blind, self.above_relief) = (0, 0, 0, 0, 0);
            return;
        }
        let settings = &seen.settings.circuits[circuit.index.0];
        let shown = &circuit.shown;
        let pressure = shown.pressure();
        let interlock = &settings.interlock;
        count(&mut self.low, shown.low_pressure_switch || pressure.is_some_and(|p| p < interlock.pressure_protect.0));
        self.barred |= self.low >= interlock.pressure_delay.as_secs() + SLACK;
        // Without any pressure the switch alone decides.
        self.barred &= shown.low_pressure_switch || pressure.is_some_and(|p| p < interlock.pressure_restart.0);

        let Some(make_up) = &settings.make_up else { return };
        let running = circuit.written.make_up.iter().any(|pump| pump.on && pump.remote);
        let reached = pressure.is_some_and(|p| p >= make_up.setpoint.0);
        count(&mut self.run, running && !reached);
        let empty = shown.tank_low_switch || shown.tank_level.is_some_and(|level| level < make_up.tank_low.0);
        count(&mut self.tank_low, empty);
        count(&mut self.switch_open, !shown.low_pressure_switch);
        let switch = self.switch_open <= SWITCH_RUN_ON;
        count(&mut self.blind, pressure.is_none() && shown.supply_pressure.is_none() && !switch);
        count(&mut self.above_relief, pressure.is_some_and(|p| p > make_up.relief_open.0));
    }

    fn count_volume(&mut self, seen: &Seen, circuit: &CircuitSeen) {
        let volume = seen.truth(circuit).make_up_volume.0;
        let grown = volume - self.volume_before;
        self.volume_before = volume;
        let wall = seen.report.moment.wall.0 + crate::stations::ZONE.as_millis() as i64;
        let day = wall.div_euclid(86_400_000);
        if self.day != Some(day) {
            // The first day is counted from where the trial, or the program's memory, begins.
            (self.day, self.volume_today, self.unmetered) = (Some(day), 0.0, !circuit.honest.make_up_meter);
            return;
        }
        self.unmetered |= !circuit.honest.make_up_meter;
        if circuit.ours_for > 0 {
            self.volume_today += grown;
        }
    }

    fn circulation_fault(&self, circuit: &CircuitSeen, judged: &mut Judged) -> Option<String> {
        if !self.barred {
            return None;
        }
        judged.note(Law::PressureGuards);
        let disobeys = circuit.written.circulation.iter().position(|pump| pump.on && pump.remote);
        let shown = circuit.shown;
        disobeys
            .map(|p| format!("circulation pump {} is told to run in low pressure for {} s; {shown:?}", p + 1, self.low))
    }

    fn make_up_fault(
        &self,
        settings: Option<&MakeUpSettings>,
        circuit: &CircuitSeen,
        judged: &mut Judged,
    ) -> Option<String> {
        let settings = settings?;
        if !circuit.written.make_up.iter().any(|pump| pump.on && pump.remote) {
            return None;
        }
        judged.note(Law::PressureGuards);
        let shown = circuit.shown;
        if self.run > settings.run_max.as_secs() + SLACK {
            return Some(format!("make-up has run for {} s without reaching its pressure; {shown:?}", self.run));
        }
        if self.tank_low > SLOW_SLACK {
            return Some(format!("make-up runs with the tank low for {} s; {shown:?}", self.tank_low));
        }
        if self.blind > SLACK {
            return Some(format!("make-up runs without any pressure for {} s; {shown:?}", self.blind));
        }
        if self.above_relief > SLACK {
            return Some(format!("make-up runs above the relief pressure for {} s; {shown:?}", self.above_relief));
        }
        if self.volume_today > settings.volume_per_day_max + VOLUME_SLACK && !self.unmetered {
            return Some(format!("make-up runs after {:.2} m³ of today", self.volume_today));
        }
        None
    }
}

fn count(seconds: &mut u64, holds: bool) {
    *seconds = if holds { *seconds + 1 } else { 0 };
}
