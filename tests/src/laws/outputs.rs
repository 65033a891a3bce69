//! S2 and S3: every value that is sent is a number in its range, and moves no faster than it may.
//!
//! S2 looks at what was sent, because the cabinet cuts what is beyond a scale. S3 looks at the terminals: the valve's
//! command opens no faster than the stem moves, seen from where it was told to be or from where the stem is (a take-over);
//! closing is free. A running pump's speed changes no faster than its ramp.

use super::seen::Seen;
use super::{Judged, Law, Violation};

/// Rounding of a register.
const ROUNDING: f64 = 1e-6;
/// The feedback's own noise and the play of the gear.
const FEEDBACK_ERROR: f64 = 0.02;

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    valve: Option<f64>,
    since_valve: f64,
    pumps: [Option<f64>; 3],
}

/// The checker of S2 and S3.
#[derive(Debug)]
pub struct Outputs {
    circuits: Vec<Memory>,
}

impl Outputs {
    /// For that many circuits.
    pub fn new(circuits: usize) -> Outputs {
        Outputs { circuits: vec![Memory::default(); circuits] }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If something was sent that is no number of its range, or that jumps.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            let report = &seen.report.circuits[circuit.index.0];
            if let Some(sent) = &report.commands {
                judged.note(Law::FiniteAndInRange);
                let pumps = || sent.circulation_pumps.iter().chain(&sent.make_up_pumps);
                let positions =
                    std::iter::once(sent.valve_position).chain(sent.building_valves.iter().copied().flatten());
                let bad = positions
                    .map(|position| (position.0, 1.0))
                    .chain(pumps().map(|pump| (pump.speed.0, 1.2)))
                    .find(|(value, high)| !(0.0..=*high).contains(value));
                if let Some((value, high)) = bad {
                    let what = format!("{value} was sent where 0 to {high} is all there is");
                    return Err(circuit.violation(Law::FiniteAndInRange, seen.second, what));
                }
            }
            memory.slew(seen, circuit, judged)?;
        }
        Ok(())
    }
}

impl Memory {
    fn slew(&mut self, seen: &Seen, circuit: &super::seen::CircuitSeen, judged: &mut Judged) -> Result<(), Violation> {
        let settings = &seen.settings.circuits[circuit.index.0];
        let valve = circuit.written.valve;
        // A take-over in between may start from anywhere that the stem is; the time without writing counts as time.
        self.since_valve += 1.0;
        if circuit.valve_ours_for > super::seen::GRACE {
            judged.note(Law::Slew);
            let step = self.since_valve / settings.valve.stroke_time.as_secs_f64();
            let stem = seen.truth(circuit).valve_stem.0;
            let from = self.valve.map_or(stem, |before| before.max(stem + FEEDBACK_ERROR));
            if valve > from + step + ROUNDING {
                let what =
                    format!("the valve's command jumps from {:?} to {valve:.4}, the stem is at {stem:.4}", self.valve);
                return Err(circuit.violation(Law::Slew, seen.second, what));
            }
        }
        if circuit.valve_ours_for > 0 {
            (self.valve, self.since_valve) = (Some(valve), 0.0);
        }
        for (before, pump) in self.pumps.iter_mut().zip(&circuit.written.circulation) {
            let ours = circuit.ours_for > super::seen::GRACE && pump.on && pump.remote;
            if let (Some(speed), true) = (*before, ours)
                && (pump.speed - speed).abs() > settings.circulation.ramp_per_second + ROUNDING
            {
                let what = format!("a running pump's speed command jumps from {speed:.3} to {:.3}", pump.speed);
                return Err(circuit.violation(Law::Slew, seen.second, what));
            }
            *before = ours.then_some(pump.speed);
        }
        Ok(())
    }
}
