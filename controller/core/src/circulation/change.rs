//! One pump hands over to the next, and an idle pump is turned.
//!
//! ```text
//!             due, next able                       next seen running
//!   [ None ] ---------------- overlap --> [ Overlap ] ----------------> [ None ]     next failed or 60 s: the old one stays
//!      |
//!      |      due, next able         at its lowest speed         5 s           seen running
//!      |--------- pause --> [ RampDown ] -----------> [ Wait ] --------> [ Prove ] ----> [ None ]  next failed: back
//!      |
//!      |   idle for three days                  turned for 30 s
//!      '------------------------> [ Exercise ] ----------------> [ None ]
//! ```
//!
//! While one of them lasts the speed is not moved by any loop: what is measured meanwhile is the change, not the network.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Two pumps run beside each other no longer than this (Siemens Synco: −60 to 60 s).
const OVERLAP_MAX: Duration = Duration::from_secs(60);

/// Why the duty changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeReason {
    /// The running time is up.
    Hours,
    /// The time of the week has come.
    TimeOfWeek,
}

/// Which pump gives the duty to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub from: usize,
    pub to: usize,
    pub because: ChangeReason,
}

/// A change-over or an exercise under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    #[default]
    None,
    /// Both run.
    Overlap { pair: Pair, since: Duration },
    /// The old pump goes to its lowest speed.
    RampDown { pair: Pair },
    /// Both stand.
    Wait { pair: Pair, since: Duration },
    /// The next has been started and is to be proven.
    Prove { pair: Pair },
    /// An idle pump is turned.
    Exercise { pump: usize, since: Duration },
}

/// What a change looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one arrow's condition in the drawing above")]
pub(crate) struct Sight {
    /// The old pump can still run.
    pub from_able: bool,
    /// The old pump stands at its lowest speed.
    pub from_slow: bool,
    /// The next can run.
    pub to_able: bool,
    /// The next is seen running.
    pub to_proven: bool,
    /// Enough others can carry the circulation while a pump is exercised.
    pub others_suffice: bool,
    /// The pause between two pumps.
    pub wait: Duration,
    /// How long an exercise lasts.
    pub exercise: Duration,
}

/// How a step of a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on, or there is none.
    Open,
    /// The next pump has the duty.
    Changed(Pair),
    /// The old pump keeps the duty, or gets it back.
    Back(Pair),
    /// The exercise is over.
    Exercised,
}

impl Change {
    /// One step.
    pub(crate) fn next(self, seen: Sight, dt: Duration) -> (Change, Outcome) {
        use Change::{Exercise, None, Overlap, Prove, RampDown, Wait};
        match self {
            None => (None, Outcome::Open),
            Overlap { pair, .. } if seen.to_proven && seen.to_able => (None, Outcome::Changed(pair)),
            Overlap { pair, since } if !seen.to_able || since >= OVERLAP_MAX => (None, Outcome::Back(pair)),
            // The old one has failed meanwhile: the next is on already and goes on alone.
            Overlap { .. } if !seen.from_able => (None, Outcome::Open),
            Overlap { pair, since } => (Overlap { pair, since: since.saturating_add(dt) }, Outcome::Open),
            RampDown { pair } if !seen.to_able => (None, Outcome::Back(pair)),
            RampDown { pair } if seen.from_slow || !seen.from_able => {
                (Wait { pair, since: Duration::ZERO }, Outcome::Open)
            }
            Wait { pair, .. } if !seen.to_able => (None, Outcome::Back(pair)),
            Wait { pair, since } if since >= seen.wait => (Prove { pair }, Outcome::Open),
            Wait { pair, since } => (Wait { pair, since: since.saturating_add(dt) }, Outcome::Open),
            Prove { pair } if !seen.to_able => (None, Outcome::Back(pair)),
            Prove { pair } if seen.to_proven => (None, Outcome::Changed(pair)),
            RampDown { .. } | Prove { .. } => (self, Outcome::Open),
            Exercise { since, .. } if since >= seen.exercise || !seen.to_able || !seen.others_suffice => {
                (None, Outcome::Exercised)
            }
            Exercise { pump, since } => (Exercise { pump, since: since.saturating_add(dt) }, Outcome::Open),
        }
    }

    /// The pumps that it is about: the old and the next, or the exercised one twice.
    pub(crate) fn pumps(self) -> Option<(usize, usize)> {
        match self {
            Change::None => None,
            Change::Overlap { pair, .. }
            | Change::RampDown { pair }
            | Change::Wait { pair, .. }
            | Change::Prove { pair } => Some((pair.from, pair.to)),
            Change::Exercise { pump, .. } => Some((pump, pump)),
        }
    }

    /// The pump that is only turned.
    pub(crate) fn exercised(self) -> Option<usize> {
        match self {
            Change::Exercise { pump, .. } => Some(pump),
            Change::None
            | Change::Overlap { .. }
            | Change::RampDown { .. }
            | Change::Wait { .. }
            | Change::Prove { .. } => None,
        }
    }

    /// The pump that goes to its lowest speed.
    pub(crate) fn ramps_down(self) -> Option<usize> {
        match self {
            Change::RampDown { pair } => Some(pair.from),
            Change::None
            | Change::Overlap { .. }
            | Change::Wait { .. }
            | Change::Prove { .. }
            | Change::Exercise { .. } => None,
        }
    }

    /// Whether both pumps stand in between.
    pub(crate) fn pauses(self) -> bool {
        match self {
            Change::RampDown { .. } | Change::Wait { .. } | Change::Prove { .. } => true,
            Change::None | Change::Overlap { .. } | Change::Exercise { .. } => false,
        }
    }

    /// Whether the speed waits for the end of it.
    pub(crate) fn freezes_speed(self) -> bool {
        match self {
            // An exercised pump at its lowest speed gives no water beside the others.
            Change::None | Change::Exercise { .. } => false,
            Change::Overlap { .. } | Change::RampDown { .. } | Change::Wait { .. } | Change::Prove { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair { from: 0, to: 1, because: ChangeReason::Hours };
    const WELL: Sight = Sight {
        from_able: true,
        from_slow: false,
        to_able: true,
        to_proven: false,
        others_suffice: true,
        wait: Duration::from_secs(5),
        exercise: Duration::from_secs(30),
    };

    fn after(change: Change, seen: Sight, seconds: u32) -> (Change, Outcome) {
        let mut last = (change, Outcome::Open);
        for _ in 0..seconds {
            if last.1 != Outcome::Open {
                break;
            }
            last = last.0.next(seen, Duration::from_secs(1));
        }
        last
    }

    #[test]
    fn an_overlap_ends_when_the_next_is_proven_and_after_a_minute_at_the_latest() {
        let overlap = Change::Overlap { pair: PAIR, since: Duration::ZERO };
        assert_eq!(after(overlap, Sight { to_proven: true, ..WELL }, 5), (Change::None, Outcome::Changed(PAIR)));
        assert_eq!(after(overlap, Sight { to_able: false, ..WELL }, 5), (Change::None, Outcome::Back(PAIR)));
        assert_eq!(after(overlap, WELL, 60).1, Outcome::Open);
        assert_eq!(after(overlap, WELL, 62), (Change::None, Outcome::Back(PAIR)));
    }

    #[test]
    fn a_pause_ramps_down_waits_and_proves() {
        let (change, _) = after(Change::RampDown { pair: PAIR }, WELL, 100);
        assert_eq!(change, Change::RampDown { pair: PAIR });
        let (change, _) = after(change, Sight { from_slow: true, ..WELL }, 1);
        assert_eq!(change, Change::Wait { pair: PAIR, since: Duration::ZERO });
        let (change, _) = after(change, WELL, 5);
        assert!(matches!(change, Change::Wait { .. }), "{change:?}");
        let (change, _) = after(change, WELL, 1);
        assert_eq!(change, Change::Prove { pair: PAIR });
        assert_eq!(after(change, Sight { to_able: false, ..WELL }, 1).1, Outcome::Back(PAIR));
        assert_eq!(after(change, Sight { to_proven: true, ..WELL }, 1).1, Outcome::Changed(PAIR));
    }
}
