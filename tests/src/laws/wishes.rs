//! Law 6: every wish from outside is bounded, rate-limited and expires; it pushes the supply neither above the ceiling
//! nor, in frost, below the heat floor (S22, S23, A5).
//!
//! This checker holds the ledger that is shown against what was asked, each second:
//!
//! * the setpoint is a number, at most `supply.max` and 3 K below the trip;
//! * what wishes add stays inside the envelope and moves no faster than its rate;
//! * once the life of the last granted shift has passed, over restarts too, it goes back to zero at its rate; what is in
//!   hand is let go when all that was asked has expired;
//! * after an hour of frost and three of undisturbed heating the setpoint is no more than `frost_lower_max` below what
//!   it would be without any wish;
//! * only people at the station stop it, take it in hand or reset its trips; nothing is granted that is no number, beyond
//!   the envelope or too long; no origin is granted more than twelve wishes in a minute (six, and six that had been
//!   saved up).
//!
//! That the ledger does not lie is shown by [`super::twins`], on the water.

use std::collections::VecDeque;

use heatstation_core::event::Event;
use heatstation_core::ledger::Part;
use heatstation_core::request::{Hand, Mode, Origin, Request, Wish};
use heatstation_core::sequence::Stage;
use heatstation_core::settings::EnvelopeSettings;
use heatstation_points::{Celsius, CircuitIndex};

use super::seen::{CircuitSeen, Program, Seen};
use super::{Judged, Law, Violation};

/// The setpoint stays this far below the trip, K.
const TRIP_MARGIN: f64 = 3.0;
const ROUNDING: f64 = 1e-9;
/// Wishes that one origin may be granted in a minute.
const GRANTED_A_MINUTE: usize = 12;
/// The heat floor is asked for after this much frost and this much undisturbed heating, s.
const FROST_SETTLED: u64 = 3600;
const HEATING_SETTLED: u64 = 3 * 3600;

/// Until which second a person may have something in hand, by what was asked: an upper bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct HandLedger {
    valve: u64,
    speed: u64,
    anything: u64,
}

impl HandLedger {
    /// Takes note of what is asked in this second.
    pub fn note(&mut self, seen: &Seen, circuit: CircuitIndex) {
        match seen.program {
            // The step after a start has no length: a second of each life is not counted.
            Program::Resumed(_) => {
                for until in [&mut self.valve, &mut self.speed, &mut self.anything] {
                    *until += 1;
                }
            }
            Program::Forgot(_) | Program::Running => {}
        }
        for request in seen.requests.iter().filter(|request| request.origin == Origin::Operator) {
            let Wish::TakeInHand { circuit: of, hand, lasts } = request.wish else { continue };
            if of != circuit || lasts > seen.settings.circuits[circuit.0].envelope.life_max {
                continue;
            }
            let until = seen.second + lasts.as_secs() + 2;
            match hand {
                Hand::Valve(_) => self.valve = self.valve.max(until),
                Hand::CirculationSpeed(_) => self.speed = self.speed.max(until),
                Hand::PumpOut(_) => {}
            }
            self.anything = self.anything.max(until);
        }
    }

    /// Whether the valve may be in hand.
    pub fn holds_valve(&self, second: u64) -> bool {
        second <= self.valve
    }

    /// Whether the speed may be in hand.
    pub fn holds_speed(&self, second: u64) -> bool {
        second <= self.speed
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    remote: Option<f64>,
    /// Until when the shift that was granted last lives.
    shift_until: u64,
    /// What wishes added when it ended.
    remote_at_end: f64,
    /// Seconds in which no program was there to move anything.
    unseen: u64,
    hand: HandLedger,
    frost: u64,
    heating: u64,
}

/// The checker of law 6.
#[derive(Debug)]
pub struct WishesBounded {
    circuits: Vec<Memory>,
    granted: [VecDeque<u64>; 3],
}

impl WishesBounded {
    /// For that many circuits.
    pub fn new(circuits: usize) -> WishesBounded {
        WishesBounded { circuits: vec![Memory::default(); circuits], granted: Default::default() }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If a wish reached further than it may.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        self.check_granted(seen)?;
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            judged.note(Law::WishesBounded);
            if let Some(what) = memory.fault(seen, circuit) {
                return Err(circuit.violation(Law::WishesBounded, seen.second, what));
            }
        }
        Ok(())
    }

    fn check_granted(&mut self, seen: &Seen) -> Result<(), Violation> {
        for event in &seen.report.events {
            let Event::RequestGranted { request } = event else { continue };
            let granted = &mut self.granted[request.origin as usize];
            granted.push_back(seen.second);
            while granted.front().is_some_and(|&second| second + 60 <= seen.second) {
                granted.pop_front();
            }
            let too_often = (granted.len() > GRANTED_A_MINUTE).then(|| format!("{} in a minute", granted.len()));
            if let Some(what) = too_often.or_else(|| not_to_be_granted(request, seen)) {
                let what = format!("granted {request:?}: {what}");
                return Err(Violation { law: Law::WishesBounded, circuit: CircuitIndex(0), second: seen.second, what });
            }
        }
        Ok(())
    }
}

fn not_to_be_granted(request: &Request, seen: &Seen) -> Option<String> {
    let remote = request.origin != Origin::Operator;
    let envelope = |circuit: CircuitIndex| seen.settings.circuits.get(circuit.0).map(|circuit| &circuit.envelope);
    match request.wish {
        Wish::SetMode { mode: Mode::Stopped, .. }
        | Wish::TakeInHand { .. }
        | Wish::AutoTune { .. }
        | Wish::ResetTrips { .. }
        | Wish::ConfirmCause { .. }
            if remote =>
        {
            Some("only people at the station may".to_owned())
        }
        Wish::ShiftSupply { circuit, by, lasts } => {
            let Some(envelope) = envelope(circuit) else { return Some("there is no such circuit".to_owned()) };
            let inside = (-envelope.lower_max.0..=envelope.raise_max.0).contains(&by.0) && lasts <= envelope.life_max;
            (!inside).then(|| "beyond the envelope".to_owned())
        }
        Wish::TakeInHand { circuit, hand, lasts } => {
            let Some(envelope) = envelope(circuit) else { return Some("there is no such circuit".to_owned()) };
            let inside = match hand {
                Hand::Valve(ratio) | Hand::CirculationSpeed(ratio) => (0.0..=1.0).contains(&ratio.0),
                Hand::PumpOut(_) => true,
            };
            (!inside || lasts > envelope.life_max).then(|| "beyond the envelope".to_owned())
        }
        Wish::SetMode { .. }
        | Wish::ReturnToAutomatic { .. }
        | Wish::AutoTune { .. }
        | Wish::ResetTrips { .. }
        | Wish::Acknowledge { .. }
        | Wish::ConfirmCause { .. } => None,
    }
}

impl Memory {
    fn fault(&mut self, seen: &Seen, circuit: &CircuitSeen) -> Option<String> {
        let settings = &seen.settings.circuits[circuit.index.0];
        let report = &seen.report.circuits[circuit.index.0];
        let (setpoint, envelope) = (&report.setpoint, &settings.envelope);
        let ceiling = settings.supply.max.0.min(settings.interlock.supply_trip.0 - TRIP_MARGIN);
        if setpoint.value.0.is_nan() || setpoint.value.0 > ceiling + ROUNDING {
            return Some(format!("the setpoint is {:?}, the ceiling {ceiling}", setpoint.value));
        }
        if let Some(what) = self.remote_fault(seen, circuit.index, setpoint.ledger.of(Part::Remote).0, envelope) {
            return Some(what);
        }
        if report.in_hand.is_some() && seen.second > self.hand.anything {
            return Some(format!("{:?} is left in hand, all that was asked has expired", report.in_hand));
        }

        let controlling = report.stage == Stage::Heating && report.trips.is_empty() && circuit.ours_for > 0;
        self.heating = if controlling { self.heating + 1 } else { 0 };
        let frost = seen.report.outdoor.now < envelope.frost;
        self.frost = if frost { self.frost + 1 } else { 0 };
        if self.frost > FROST_SETTLED && self.heating > HEATING_SETTLED {
            let without: Celsius = setpoint.base + setpoint.ledger.before(Part::Remote);
            let floor = (without - envelope.frost_lower_max).0.min(ceiling);
            // The ramp follows the weather within minutes; a tenth of a kelvin is its lag in the fastest cold front.
            if setpoint.value.0 < floor - 0.1 {
                return Some(format!("the setpoint is {:?} in frost, its floor {floor:.2}", setpoint.value));
            }
        }
        None
    }

    fn remote_fault(
        &mut self,
        seen: &Seen,
        circuit: CircuitIndex,
        remote: f64,
        envelope: &EnvelopeSettings,
    ) -> Option<String> {
        self.hand.note(seen, circuit);
        match seen.program {
            Program::Running => {}
            Program::Resumed(gone) => {
                self.remote = None;
                self.unseen += gone;
            }
            Program::Forgot(_) => (self.shift_until, self.remote, self.remote_at_end) = (0, None, 0.0),
        }
        for event in &seen.report.events {
            if let Event::RequestGranted { request } = event
                && let Wish::ShiftSupply { circuit: of, lasts, .. } = request.wish
                && of == circuit
            {
                self.shift_until = seen.second + lasts.as_secs() + 2;
            }
        }
        if !(-envelope.lower_max.0 - ROUNDING..=envelope.raise_max.0 + ROUNDING).contains(&remote) {
            return Some(format!("wishes add {remote} K, the envelope is {envelope:?}"));
        }
        let step = envelope.rate_per_minute.0 / 60.0;
        if self.remote.is_some_and(|before| (remote - before).abs() > step + ROUNDING) {
            return Some(format!("wishes jump from {:?} to {remote} K", self.remote));
        }
        self.remote = Some(remote);
        if seen.second <= self.shift_until {
            (self.remote_at_end, self.unseen) = (remote.abs(), 0);
            return None;
        }
        let way = step * (seen.second - self.shift_until).saturating_sub(self.unseen) as f64;
        let left = (self.remote_at_end - way).max(0.0);
        (remote.abs() > left + ROUNDING)
            .then(|| format!("wishes still add {remote} K, what was asked has expired and {left:.2} K should be left"))
    }
}
