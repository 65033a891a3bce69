//! Law 1: over-temperature or no proven circulation closes the primary valve within 5 s, and it stays closed until the
//! cause is gone.
//!
//! * A supply sensor shows more than the trip for 5 s: closed from then on, until all sensors show less than trip − reset.
//! * For 5 s no pump says that it runs, or no witness says that water moves: closed, until circulation has been shown for
//!   the reset time (less 3 s, the slowest reading).
//! * Truth: with honest witnesses the water stands for 7 s (5 and the slowest reading): closed.
//! * The emergency stop or the over-temperature switch is closed for 5 s: closed, until the contact is open again and a
//!   person then asks for a reset, or gives the plant back at the cabinet (local, then remote).
//! * Truth: with honest sensors and a valve that obeys, moving water is hotter than the trip by more than the sensors'
//!   error for no longer than one stroke and a minute.

use heatstation_core::request::{Origin, Wish};
use heatstation_points::quantity::WATER_DENSITY;

use super::seen::{CircuitSeen, GRACE, Program, Seen};
use super::{Judged, Law, Violation};

/// The law's own bound.
const WITHIN: u64 = 5;
/// And for the truth, which instruments tell later.
const WITHIN_OF_TRUTH: u64 = 7;
/// A sensor of class B in its pocket is wrong by less than this, K.
const SENSOR_ERROR: f64 = 2.0;

#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one reason for which the valve must be closed")]
struct Memory {
    hot: u64,
    tripped: bool,
    unproven: u64,
    proven: u64,
    locked: bool,
    standing: u64,
    hard_wired: u64,
    latched: bool,
    was_local: bool,
    truly_hot: u64,
}

/// The checker of law 1.
#[derive(Debug)]
pub struct HeatStops {
    circuits: Vec<Memory>,
}

impl HeatStops {
    /// For that many circuits.
    pub fn new(circuits: usize) -> HeatStops {
        HeatStops { circuits: vec![Memory::default(); circuits] }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If a valve is open that should be closed.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            memory.remember(seen, circuit);
            let Some(why) = memory.must_be_closed() else { continue };
            if circuit.valve_ours_for < GRACE {
                continue;
            }
            judged.note(Law::HeatStops);
            if circuit.written.valve > 0.0 {
                let shown = circuit.shown;
                let what = format!("the valve is told {:.3} although {why}; {shown:?}", circuit.written.valve);
                return Err(circuit.violation(Law::HeatStops, seen.second, what));
            }
        }
        self.check_truth(seen)
    }

    fn check_truth(&mut self, seen: &Seen) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            let settings = &seen.settings.circuits[circuit.index.0];
            let truth = seen.truth(circuit);
            let moving = truth.secondary_flow.0 > settings.circulation.flow_min.0 * WATER_DENSITY;
            let too_hot = truth.supply.0 > settings.interlock.supply_trip.0 + SENSOR_ERROR;
            let can_be_held = circuit.honest.supply && circuit.honest.valve_obeys && circuit.valve_ours_for > GRACE;
            memory.truly_hot = if moving && too_hot && can_be_held { memory.truly_hot + 1 } else { 0 };
            if memory.truly_hot > settings.valve.stroke_time.as_secs() + 60 {
                let what = format!("supply is truly {:.1} °C for {} s", truth.supply.0, memory.truly_hot);
                return Err(circuit.violation(Law::HeatStops, seen.second, what));
            }
        }
        Ok(())
    }
}

impl Memory {
    fn remember(&mut self, seen: &Seen, circuit: &CircuitSeen) {
        match seen.program {
            Program::Forgot(_) => *self = Memory::default(),
            // Taken over anew as it is found: a lock of the start is judged anew, trips are remembered.
            Program::Resumed(_) => self.locked = false,
            Program::Running => {}
        }
        if circuit.sees_for == 0 {
            // A reset that comes while nothing is seen is judged by the contact when it is seen again.
            let latched = self.latched && !self.was_local && !reset_asked(seen, circuit);
            *self = Memory { tripped: self.tripped, locked: self.locked, latched, ..Memory::default() };
            return;
        }
        let settings = &seen.settings.circuits[circuit.index.0];
        let shown = &circuit.shown;
        let (trip, restored) =
            (settings.interlock.supply_trip.0, settings.interlock.supply_trip.0 - settings.interlock.supply_reset.0);
        let hottest = shown.hottest();
        count(&mut self.hot, hottest.is_some_and(|supply| supply > trip));
        self.tripped |= self.hot >= WITHIN;
        // While no sensor shows anything the heat balance may say that it has cooled; that is not judged here.
        self.tripped &= hottest.is_some_and(|supply| supply >= restored);

        let circulation = &settings.circulation;
        let circulates = shown.circulates(circulation.flow_min.0, circulation.differential_pressure_min.0);
        count(&mut self.unproven, !circulates);
        count(&mut self.proven, circulates);
        self.locked |= self.unproven >= WITHIN;
        self.locked &= self.proven + 3 < settings.interlock.circulation_reset.as_secs() && circuit.ours_for > 0;

        let truly_standing = seen.truth(circuit).secondary_flow.0 < 0.5 * circulation.flow_min.0 * WATER_DENSITY;
        count(&mut self.standing, truly_standing && circuit.honest.circulation);

        let hard_wired = seen.emergency_stop || shown.over_temperature_switch;
        count(&mut self.hard_wired, hard_wired);
        self.latched |= self.hard_wired >= WITHIN;
        let given_back = self.was_local && circuit.ours_for > 0;
        self.was_local = circuit.ours_for == 0;
        self.latched &= hard_wired || !(given_back || reset_asked(seen, circuit));
    }

    fn must_be_closed(&self) -> Option<&'static str> {
        if self.tripped {
            Some("the supply was shown too hot and has not cooled")
        } else if self.locked {
            Some("circulation is not proven")
        } else if self.standing >= WITHIN_OF_TRUTH {
            Some("the water stands")
        } else if self.latched {
            Some("a hard-wired contact has acted and nobody has reset it")
        } else {
            None
        }
    }
}

fn count(seconds: &mut u64, holds: bool) {
    *seconds = if holds { *seconds + 1 } else { 0 };
}

fn reset_asked(seen: &Seen, circuit: &CircuitSeen) -> bool {
    seen.requests.iter().any(|request| {
        request.origin == Origin::Operator
            && matches!(request.wish, Wish::ResetTrips { circuit: of } if of == circuit.index)
    })
}
