//! Law 6: every wish from outside is bounded, rate-limited and expires; it pushes the supply neither above the ceiling
//! nor, in frost, below the heat floor (S22, S23, A5).
//!
//! This checker holds the ledger that is shown against what was asked, each second:
//!
//! * the setpoint is a number, at most `supply.max` and 3 K below the trip;
//! * what an operator's correction, load shedding and remote wishes add stays inside the envelope, each and, as the
//!   setpoint, together, and moves no faster than its rate;
//! * once the life of what was granted last has passed, over restarts too, it goes back to zero at its rate; an operator's
//!   correction may stand until it is taken back, what comes from elsewhere may not; what is in hand is let go when all
//!   that was asked has expired;
//! * after an hour of frost and three of undisturbed heating the setpoint is no more than `frost_lower_max` below what
//!   it would be without any wish, and without what a forecast, or sunshine that the service alone reports, takes;
//! * only people at the station stop it, take it in hand or reset its trips; nothing is granted that is no number, beyond
//!   the envelope or too long; no origin is granted more than twelve wishes in a minute (six, and six that had been
//!   saved up).
//!
//! That the ledger does not lie is shown by [`super::twins`], on the water.

use std::collections::VecDeque;

use heatstation_core::correction::Correction;
use heatstation_core::equivalent_outdoor::Witness;
use heatstation_core::event::Event;
use heatstation_core::frost::FrostStage;
use heatstation_core::ledger::Part;
use heatstation_core::load_shed::ShedBy;
use heatstation_core::report::{CircuitReport, ValveReason};
use heatstation_core::request::{Hand, Origin, Request, Wish};
use heatstation_core::sequence::Stage;
use heatstation_points::{Celsius, CircuitIndex, Kelvins, Ratio};

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
                Hand::PumpOut(_)
                | Hand::MakeUp(_)
                | Hand::MakeUpPumpOut(_)
                | Hand::ReliefValve(_)
                | Hand::TankInlet(_)
                | Hand::BuildingValve(..) => {}
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

/// What one kind of wish adds to the setpoint, over time.
#[derive(Clone, Copy, Debug, Default)]
struct Trace {
    last: Option<f64>,
    /// Until when lives what was granted last.
    until: u64,
    /// The same of a shift of the supply, which has a life of its own.
    shift_until: u64,
    /// What it added when that ended.
    at_end: f64,
    /// Seconds in which no program was there to move anything.
    unseen: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    operator: Trace,
    shed: Trace,
    remote: Trace,
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
        Wish::SetMode { .. }
        | Wish::ReturnToAutomatic { .. }
        | Wish::TakeInHand { .. }
        | Wish::TakeForMaintenance { .. }
        | Wish::StartSeason { .. }
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
        Wish::CorrectCurve { circuit, correction, lasts } => {
            let Some(envelope) = envelope(circuit) else { return Some("there is no such circuit".to_owned()) };
            let (level, slope, room) = (correction.curve.level.0, correction.curve.slope.0, correction.room.0);
            let inside = (-envelope.lower_max.0..=envelope.raise_max.0).contains(&level)
                && (0.4..=1.3).contains(&slope)
                && (-4.5..=4.5).contains(&room);
            if remote && lasts.is_none() {
                return Some("what comes from elsewhere must end".to_owned());
            }
            let too_long = lasts.is_some_and(|lasts| lasts > envelope.life_max);
            (!inside || too_long).then(|| "beyond the envelope".to_owned())
        }
        Wish::ShedLoad { circuit, by, lasts, .. } => {
            let Some(circuit) = seen.settings.circuits.get(circuit.0) else {
                return Some("there is no such circuit".to_owned());
            };
            let inside = match by {
                ShedBy::Share(share) => (0.0..=1.0).contains(&share.0),
                ShedBy::Supply(kelvins) => (0.0..=circuit.envelope.lower_max.0).contains(&kelvins.0),
            };
            let shed = &circuit.times.load_shed;
            let withdraws = lasts.is_zero() || matches!(by, ShedBy::Share(Ratio(0.0)) | ShedBy::Supply(Kelvins(0.0)));
            let granted = withdraws || (shed.share_max > Ratio::ZERO && lasts <= shed.lasts_max);
            (!inside || !granted).then(|| "beyond what the station lets be shed".to_owned())
        }
        Wish::TakeInHand { circuit, hand, lasts } => {
            let Some(envelope) = envelope(circuit) else { return Some("there is no such circuit".to_owned()) };
            let inside = match hand {
                Hand::Valve(ratio) | Hand::CirculationSpeed(ratio) | Hand::BuildingValve(_, ratio) => {
                    (0.0..=1.0).contains(&ratio.0)
                }
                Hand::PumpOut(_)
                | Hand::MakeUp(_)
                | Hand::MakeUpPumpOut(_)
                | Hand::ReliefValve(_)
                | Hand::TankInlet(_) => true,
            };
            (!inside || lasts > envelope.life_max).then(|| "beyond the envelope".to_owned())
        }
        Wish::TakeForMaintenance { circuit, lasts, .. } => {
            let Some(envelope) = envelope(circuit) else { return Some("there is no such circuit".to_owned()) };
            (lasts > envelope.life_max).then(|| "too long".to_owned())
        }
        Wish::SetMode { .. }
        | Wish::StartSeason { .. }
        | Wish::StayConnected
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
        if let Some(what) = self.wishes_fault(seen, circuit.index) {
            return Some(what);
        }
        if report.in_hand.is_some() && seen.second > self.hand.anything {
            return Some(format!("{:?} is left in hand, all that was asked has expired", report.in_hand));
        }

        // The way back from a person's hand is by the ramp, as from a trip.
        let by_people = match report.valve_reason {
            ValveReason::Hand | ValveReason::Maintenance | ValveReason::Local => true,
            ValveReason::Control
            | ValveReason::Test
            | ValveReason::AutoTune
            | ValveReason::Exercise
            | ValveReason::CreepFlow
            | ValveReason::Flushing
            | ValveReason::HoldSensorLost
            | ValveReason::SafePosition
            | ValveReason::NoDemand
            | ValveReason::Starting
            | ValveReason::Interlock(_)
            | ValveReason::ShuttingDown
            | ValveReason::GivenUp => false,
        };
        let controlling =
            report.stage == Stage::Heating && report.trips.is_empty() && circuit.ours_for > 0 && !by_people;
        self.heating = if controlling { self.heating + 1 } else { 0 };
        let frost = seen.report.outdoor.now < envelope.frost;
        self.frost = if frost { self.frost + 1 } else { 0 };
        if self.frost > FROST_SETTLED && self.heating > HEATING_SETTLED {
            let told = told_from_outside(report);
            let without: Celsius = setpoint.base + setpoint.ledger.before(Part::Operator) - told;
            let floor = (without - envelope.frost_lower_max).0.min(ceiling);
            // The ramp follows the weather within minutes; a tenth of a kelvin is its lag in the fastest cold front.
            if setpoint.value.0 < floor - 0.1 {
                return Some(format!("the setpoint is {:?} in frost, its floor {floor:.2}", setpoint.value));
            }
        }
        None
    }

    /// What each kind of wish adds, and whether it ends.
    fn wishes_fault(&mut self, seen: &Seen, circuit: CircuitIndex) -> Option<String> {
        let (settings, ledger) = (&seen.settings.circuits[circuit.0], &seen.report.circuits[circuit.0].setpoint.ledger);
        self.hand.note(seen, circuit);
        for trace in [&mut self.operator, &mut self.shed, &mut self.remote] {
            match seen.program {
                Program::Running => {}
                Program::Resumed(gone) => {
                    trace.last = None;
                    trace.unseen += gone;
                }
                Program::Forgot(_) => *trace = Trace::default(),
            }
        }
        for event in &seen.report.events {
            if let Event::RequestGranted { request } = event {
                self.note_granted(request, circuit, seen.second);
            }
        }
        let envelope = &settings.envelope;
        let rate = envelope.rate_per_minute.0 / 60.0;
        let danger = seen.report.circuits[circuit.0].frost == FrostStage::Danger;
        let slowly = (settings.times.load_shed.recovery_per_hour.0 / 3600.0).min(rate);
        let back = if danger { rate } else { slowly };
        let both = (-envelope.lower_max.0, envelope.raise_max.0);
        [
            (&mut self.operator, Part::Operator, both, rate),
            (&mut self.shed, Part::LoadShed, (both.0, 0.0), back),
            (&mut self.remote, Part::Remote, both, rate),
        ]
        .into_iter()
        .find_map(|(trace, part, bounds, back)| {
            let what = trace.fault(seen.second, ledger.of(part).0, bounds, (rate, back))?;
            Some(format!("{}: {what}", part.name()))
        })
    }

    fn note_granted(&mut self, request: &Request, circuit: CircuitIndex, second: u64) {
        let ends = |lasts: std::time::Duration| second + lasts.as_secs() + 2;
        match request.wish {
            Wish::ShiftSupply { circuit: of, lasts, .. } if of == circuit => self.remote.shift_until = ends(lasts),
            Wish::CorrectCurve { circuit: of, lasts, correction } if of == circuit => {
                let trace = if request.origin == Origin::Operator { &mut self.operator } else { &mut self.remote };
                let nothing = correction == Correction::default();
                trace.until = if nothing { second + 2 } else { lasts.map_or(u64::MAX, ends) };
            }
            Wish::ShedLoad { circuit: of, lasts, .. } if of == circuit => self.shed.until = ends(lasts),
            _ => {}
        }
    }
}

impl Trace {
    /// `away` and `back` are the fastest ways from zero and to it, K/s.
    fn fault(&mut self, second: u64, now: f64, (low, high): (f64, f64), (away, back): (f64, f64)) -> Option<String> {
        if !(low - ROUNDING..=high + ROUNDING).contains(&now) {
            return Some(format!("{now} K, from {low} to {high} K are allowed"));
        }
        if self.last.is_some_and(|before| (now - before).abs() > away + ROUNDING) {
            return Some(format!("from {:?} to {now} K at once", self.last));
        }
        self.last = Some(now);
        let until = self.until.max(self.shift_until);
        if second <= until {
            (self.at_end, self.unseen) = (now.abs(), 0);
            return None;
        }
        let way = back * (second - until).saturating_sub(self.unseen) as f64;
        let left = (self.at_end - way).max(0.0);
        (now.abs() > left + ROUNDING)
            .then(|| format!("still {now} K, what was asked has expired and {left:.2} K should be left"))
    }
}

/// What word from outside about the weather takes from the supply.
fn told_from_outside(report: &CircuitReport) -> Kelvins {
    let taken = |part: Part| report.setpoint.ledger.of(part).min(Kelvins(0.0));
    let sun_is_told = report.equivalent.solar_from == Some(Witness::Service);
    taken(Part::Forecast) + if sun_is_told { taken(Part::Solar) } else { Kelvins(0.0) }
}
