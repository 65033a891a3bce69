//! Law 8: every second of the season is supplied, interrupted or unobserved; records are only added (D4, D5).
//!
//! * The three accounts of a circuit add up to the seconds that have passed, each second, over restarts too.
//! * The interrupted account is the sum of the outages that were recorded and the one that lasts.
//! * No outage is opened twice, closed without having been opened, or closed with another length than its two ends have.
//! * By the truth: water that stands for the time of confirmation, seen by honest witnesses, is an open outage that counts
//!   from the first standing second to within 10 s. Water that moves and is warm, seen by honest witnesses, opens none,
//!   and ends an open one within 10 s. Water that is as cool as a limiter wants it is warm in this sense.
//!
//! An outage that was not confirmed when the program ended counts from its return: nobody saw the time in between, and it
//! is booked as unobserved.

use std::collections::BTreeSet;
use std::time::Duration;

use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_points::quantity::WATER_DENSITY;

use super::seen::{CircuitSeen, GRACE, Program, Seen};
use super::{Judged, Law, Violation};

/// How far a record may lie from the truth, s: the slowest reading and a cycle.
const RECORD_SLACK: u64 = 10;
/// Warm water is certain this far above the thresholds, K.
const CERTAIN: f64 = 4.0;
/// Closer than this to what a limiter leaves, water is cool by intent, K.
const BY_INTENT: f64 = 3.0;
/// And after this long, s: pockets and pipes.
const CERTAIN_AFTER: u64 = 180;

#[derive(Clone, Debug, Default)]
struct Memory {
    begun: bool,
    /// What the three accounts must add up to.
    expected: Duration,
    /// Length of the outages that ended within this life of the program's memory, ms.
    ended: i128,
    /// What the interrupted account has beyond them: from the part of an outage before this life, ms.
    beyond: i128,
    open: Option<UtcMillis>,
    known: BTreeSet<UtcMillis>,
    standing: u64,
    warm: u64,
}

/// The checker of law 8.
#[derive(Debug)]
pub struct EverySecondBooked {
    circuits: Vec<Memory>,
}

impl EverySecondBooked {
    /// For that many circuits.
    pub fn new(circuits: usize) -> EverySecondBooked {
        EverySecondBooked { circuits: vec![Memory::default(); circuits] }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// If a second is missing or a record tells another story than the truth.
    pub fn check(&mut self, seen: &Seen, judged: &mut Judged) -> Result<(), Violation> {
        for (memory, circuit) in self.circuits.iter_mut().zip(seen.circuits) {
            judged.note(Law::EverySecondBooked);
            let what = memory
                .book(seen, circuit)
                .or_else(|| memory.records_fault(seen, circuit))
                .or_else(|| memory.truth_fault(seen, circuit))
                .or_else(|| memory.accounts_fault(seen, circuit));
            if let Some(what) = what {
                return Err(circuit.violation(Law::EverySecondBooked, seen.second, what));
            }
        }
        Ok(())
    }
}

impl Memory {
    fn book(&mut self, seen: &Seen, circuit: &CircuitSeen) -> Option<String> {
        match seen.program {
            Program::Running if !self.begun => self.begun = true,
            Program::Running => {
                let due = seen.report.in_season || self.open.is_some();
                self.expected += Duration::from_secs(u64::from(due));
            }
            Program::Resumed(gone) => self.expected += Duration::from_secs(gone),
            // The accounts begin anew with the time that nobody saw; the journal holds what was before.
            Program::Forgot(gone) => self.expected = Duration::from_secs(gone),
        }
        let accounts = seen.report.circuits[circuit.index.0].season_time;
        let sum = accounts.supplied + accounts.interrupted + accounts.unobserved;
        let expected = self.expected;
        (sum != expected).then(|| format!("{accounts:?} add up to {sum:?}, {expected:?} have passed"))
    }

    fn accounts_fault(&mut self, seen: &Seen, circuit: &CircuitSeen) -> Option<String> {
        let report = &seen.report.circuits[circuit.index.0];
        if report.outage.map(|(id, _)| id.since) != self.open {
            return Some(format!("the records say {:?} is open, shown is {:?}", self.open, report.outage));
        }
        let lasting = report.outage.map_or(0, |(_, lasted)| lasted.as_millis() as i128);
        let interrupted = report.season_time.interrupted.as_millis() as i128;
        if matches!(seen.program, Program::Forgot(_)) {
            (self.ended, self.beyond) = (0, interrupted - lasting);
        }
        let told = self.ended + lasting + self.beyond;
        (told != interrupted).then(|| format!("{interrupted} ms are interrupted, the outages tell of {told}"))
    }

    fn records_fault(&mut self, seen: &Seen, circuit: &CircuitSeen) -> Option<String> {
        for event in &seen.report.events {
            match event {
                Event::OutageOpened { outage, lasted, .. } if outage.circuit == circuit.index => {
                    if self.open.is_some() || !self.known.insert(outage.since) {
                        return Some(format!("{outage} is opened again"));
                    }
                    let passed = seen.report.moment.wall.since(outage.since);
                    if passed != *lasted {
                        return Some(format!("{outage} is said to have lasted {lasted:?}, {passed:?} have passed"));
                    }
                    if self.warm > seen.settings.circuits[circuit.index.0].outage.confirm_after.as_secs() {
                        return Some(format!("{outage} is opened, warm water has been moving for {} s", self.warm));
                    }
                    self.open = Some(outage.since);
                }
                Event::OutageClosed { outage, ended, lasted, unobserved, .. } if outage.circuit == circuit.index => {
                    if self.open.take() != Some(outage.since) {
                        return Some(format!("{outage} is closed and was not open"));
                    }
                    let length = ended.since(outage.since);
                    if length != *lasted || unobserved > lasted {
                        return Some(format!(
                            "{outage} lasted {length:?}, recorded are {lasted:?}, {unobserved:?} unseen"
                        ));
                    }
                    self.ended += lasted.as_millis() as i128;
                }
                _ => {}
            }
        }
        None
    }

    fn truth_fault(&mut self, seen: &Seen, circuit: &CircuitSeen) -> Option<String> {
        let settings = &seen.settings.circuits[circuit.index.0];
        let setpoint = &seen.report.circuits[circuit.index.0].setpoint;
        let truth = seen.truth(circuit);
        let flow_min = settings.circulation.flow_min.0 * WATER_DENSITY;
        let witnessed = circuit.honest.circulation && circuit.sees_for > 0 && seen.report.in_season;
        let standing = witnessed && truth.secondary_flow.0 < 0.5 * flow_min;
        self.standing = if standing { self.standing + 1 } else { 0 };

        let (wished, taken) = (setpoint.ledger.wished(), setpoint.ledger.given_way().0);
        let wanted = (setpoint.base + wished).0.max(settings.supply.min.0);
        let moving = truth.secondary_flow.0 > 2.0 * flow_min;
        let due = (wanted - settings.outage.undersupply.0).min(wanted + taken - BY_INTENT);
        let warm = truth.supply.0 > due + CERTAIN && truth.supply.0 > settings.outage.supply_floor.0 + CERTAIN;
        let plain = witnessed && circuit.honest.supply && circuit.sees_for > GRACE && moving && warm;
        self.warm = if plain { self.warm + 1 } else { 0 };

        let confirm = settings.outage.confirm_after.as_secs();
        if self.standing > confirm + RECORD_SLACK {
            let begun = seen.report.moment.wall.0 - self.standing as i64 * 1000;
            match self.open {
                None => return Some(format!("the water has been standing for {} s, no outage is open", self.standing)),
                Some(since) if since.0 > begun + RECORD_SLACK as i64 * 1000 => {
                    let late = (since.0 - begun) / 1000;
                    return Some(format!("the open outage begins {late} s after the water stood still"));
                }
                Some(_) => {}
            }
        }
        if self.warm > CERTAIN_AFTER + RECORD_SLACK && self.open.is_some() {
            return Some(format!("an outage is open, warm water has been moving for {} s", self.warm));
        }
        None
    }
}
