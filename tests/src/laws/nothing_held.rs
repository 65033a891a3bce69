//! Law 3: no output is held for ever on a bad sensor.
//!
//! * Supply temperature: when neither sensor shows anything and return, heat and flow do not stand in either, the valve
//!   may hold for `sensor_hold` and stand in a substitute for `sensor_substitute`, never further open than it was or than
//!   the cold safe position. One stroke later it stands in a safe position: the cold one or closed. A hand on the valve is
//!   no sensor's fault and is left out; it expires by itself (law 6).
//! * Pressure difference, where it is held: when it is lost for a minute, the time of the estimate that stands in, and that
//!   of the longest ramp, the pumps run at their fallback speed; but for half a minute in which an idle one is turned.
//! * Holding pressure: make-up without it is judged by law 2.

use heatstation_core::settings::{CircuitSettings, CirculationMode, CirculationSettings};

use super::seen::{CircuitSeen, GRACE, Seen};
use super::wishes::HandLedger;
use super::{Judged, Law, Violation};

/// The position is written to a thousandth; a dead band of half a percent is allowed.
const NEAR: f64 = 0.006;
/// One step of the ramp.
const SPEED_NEAR: f64 = 0.011;
/// The core's own minute of holding a speed.
const SPEED_HOLD: u64 = 60;
/// Readings of the slowest witness, which is the heat meter.
const SLACK: u64 = 12;

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    supply_lost: u64,
    astray: u64,
    valve_at_loss: f64,
    difference_lost: u64,
    speed_astray: u64,
    hand: HandLedger,
}

/// The checker of law 3.
#[derive(Debug)]
pub struct NothingHeld {
    circuits: Vec<Memory>,
}

impl NothingHeld {
    /// For that many circuits.
    pub fn new(circuits: usize) -> NothingHeld {
        NothingHeld { circuits: vec![Memory::default(); circuits] }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If an output stands where a sensor that is gone has put it.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            let settings = &seen.settings.circuits[circuit.index.0];
            memory.hand.note(seen, circuit.index);
            let what = memory
                .valve_fault(settings, seen.second, circuit, judged)
                .or_else(|| memory.speed_fault(&settings.circulation, seen.second, circuit, judged));
            if let Some(what) = what {
                return Err(circuit.violation(Law::NothingHeld, seen.second, what));
            }
        }
        Ok(())
    }
}

impl Memory {
    fn valve_fault(
        &mut self,
        settings: &CircuitSettings,
        second: u64,
        circuit: &CircuitSeen,
        judged: &mut Judged,
    ) -> Option<String> {
        let lost = circuit.valve_ours_for > 0 && circuit.shown.supply_is_lost() && !self.hand.holds_valve(second);
        count(&mut self.supply_lost, lost);
        let valve = circuit.written.valve;
        if self.supply_lost <= SLACK {
            self.valve_at_loss = valve;
        }
        let interlock = &settings.interlock;
        let safe = interlock.valve_safe_cold.0;
        let in_safety = valve <= NEAR || (valve - safe).abs() <= NEAR;
        let ladder = interlock.sensor_hold.as_secs() + interlock.sensor_substitute.as_secs() + SLACK;
        count(&mut self.astray, self.supply_lost > ladder && !in_safety);
        if self.supply_lost <= interlock.sensor_hold.as_secs().max(GRACE) + SLACK {
            return None;
        }
        judged.note(Law::NothingHeld);
        if valve > self.valve_at_loss.max(safe) + NEAR {
            return Some(format!("the valve is told {valve:.3}, further open than when the supply was lost"));
        }
        let held = self.astray > settings.valve.stroke_time.as_secs() + SLACK;
        held.then(|| format!("the valve is told {valve:.3} with nothing known for {} s", self.supply_lost))
    }

    fn speed_fault(
        &mut self,
        settings: &CirculationSettings,
        second: u64,
        circuit: &CircuitSeen,
        judged: &mut Judged,
    ) -> Option<String> {
        if !holds_difference(settings) {
            return None;
        }
        let pumps = || circuit.written.circulation.iter().filter(|pump| pump.on && pump.remote);
        let lost = circuit.ours_for > GRACE
            && circuit.shown.difference.is_none()
            && !self.hand.holds_speed(second)
            && pumps().next().is_some();
        count(&mut self.difference_lost, lost);
        let range = settings.speed_max - settings.speed_min;
        let ramp = (range.0 / settings.ramp_per_second).ceil() as u64;
        if self.difference_lost <= SPEED_HOLD + settings.estimate_for.as_secs() + ramp + SLACK {
            return None;
        }
        judged.note(Law::NothingHeld);
        let fallback = settings.speed_fallback.0;
        let astray = pumps().find(|pump| (pump.speed - fallback).abs() > SPEED_NEAR);
        count(&mut self.speed_astray, astray.is_some());
        let astray = astray.filter(|_| self.speed_astray > settings.exercise.lasts.as_secs() + ramp)?;
        Some(format!("a pump is told {:.2} with no pressure difference known", astray.speed))
    }
}

fn holds_difference(settings: &CirculationSettings) -> bool {
    match settings.mode {
        CirculationMode::DifferentialPressure { .. }
        | CirculationMode::ProportionalPressure { .. }
        | CirculationMode::TrimRespond(_) => true,
        // These look at other instruments, or at none.
        CirculationMode::FixedSpeed { .. }
        | CirculationMode::WorstPoint(_)
        | CirculationMode::TemperatureDifference(_)
        | CirculationMode::StagedFlow(_)
        | CirculationMode::SupplyPressure { .. } => false,
    }
}

fn count(seconds: &mut u64, holds: bool) {
    *seconds = if holds { *seconds + 1 } else { 0 };
}
