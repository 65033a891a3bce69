//! What is known of a point: a value and how far to trust it.
//!
//! A number enters this program through [`Definition::accept`](crate::Definition::accept) alone, which refuses what is
//! not finite or outside the point's range. From there on [`Value`] carries the proof.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::point::Point;
use crate::quantity::Quantity;

/// A finite number inside the range of the point that it was accepted for.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Value(f64);

impl Value {
    /// Only [`Definition::accept`](crate::Definition::accept) makes values: it has checked number and range.
    pub(crate) fn checked(number: f64) -> Value {
        Value(number)
    }

    /// The number, in the unit of its point.
    pub fn number(self) -> f64 {
        self.0
    }
}

/// One value of one point as it came from a wire, or the reason why none came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Whose value it is.
    pub point: Point,
    /// The value, or why there is none.
    pub value: Result<Value, Fault>,
    /// When the request that brought it was sent, on the monotonic clock of the reader. A value is never younger than
    /// its question. Of a value that comes by itself: when its sender last said that it stands.
    pub taken_at: Duration,
    /// What whoever sent it says against it; none is usual. Doubt about its age is not said here: the reader judges that.
    pub doubt: Option<Doubt>,
    /// The time that its sender gives it, where there is one. Data alone: no other clock makes a value younger than its arrival;
    /// only messages that may have waited on their way are made older by it, before they come here.
    pub source_time: Option<SystemTime>,
}

impl Sample {
    /// A sample about which its sender says nothing further.
    pub const fn plain(point: Point, value: Result<Value, Fault>, taken_at: Duration) -> Sample {
        Sample { point, value, taken_at, doubt: None, source_time: None }
    }
}

/// Why a value is used with caution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Older than its point's reading rhythm allows, yet not too old to hold on to.
    Stale,
    /// Another sensor or an estimate stands in.
    Substituted,
    /// The device itself reports the value as uncertain.
    DeviceDoubt,
    /// A person entered it.
    Manual,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The station has no such point.
    NotConfigured,
    /// Nothing has arrived since the start.
    NeverRead,
    /// The device does not answer.
    Silent,
    /// The device answers that it has no such register or node.
    Refused,
    /// The device answered with something that is not a finite number.
    NotFinite,
    /// The device answered with a number outside the point's range.
    Implausible,
    /// The last value is too old to be used.
    TooOld,
    /// The device reports its sensor as broken.
    SensorBroken,
    /// The value does not move although it should.
    Frozen,
}

/// Good, uncertain or bad, without the value: for metrics and for the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "quality", content = "reason")]
pub enum Quality {
    /// As read, in time.
    Good,
    /// To be used with caution.
    Uncertain(Doubt),
    /// Not to be used.
    Bad(Fault),
}

impl Quality {
    /// One of the three words.
    pub const fn name(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Uncertain(_) => "uncertain",
            Quality::Bad(_) => "bad",
        }
    }
}

/// What is known of a point now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<T> {
    /// As read, in time.
    Good {
        /// The value.
        value: T,
        /// Since it was asked for.
        age: Duration,
    },
    /// To be used with caution; each use says what it does with doubt.
    Uncertain {
        /// The value.
        value: T,
        /// Since it was asked for.
        age: Duration,
        /// Why caution.
        doubt: Doubt,
    },
    /// Not to be used.
    Bad {
        /// The last value that there was, for showing and for holding, never for deciding anew.
        last: Option<T>,
        /// Why.
        fault: Fault,
    },
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Reading::Bad { last: None, fault: Fault::NotConfigured }
    }
}

impl<T: Copy> Reading<T> {
    /// A good reading taken just now.
    pub const fn good(value: T) -> Self {
        Reading::Good { value, age: Duration::ZERO }
    }

    /// A bad reading without history.
    pub const fn bad(fault: Fault) -> Self {
        Reading::Bad { last: None, fault }
    }

    /// The value if it is good: what a decision may rest on.
    pub fn fresh(self) -> Option<T> {
        match self {
            Reading::Good { value, .. } => Some(value),
            Reading::Uncertain { .. } | Reading::Bad { .. } => None,
        }
    }

    /// The value if it is good or merely in doubt: what a decision may hold on to.
    pub fn usable(self) -> Option<T> {
        match self {
            Reading::Good { value, .. } | Reading::Uncertain { value, .. } => Some(value),
            Reading::Bad { .. } => None,
        }
    }

    /// The last value there ever was, for showing.
    pub fn last(self) -> Option<T> {
        match self {
            Reading::Good { value, .. } | Reading::Uncertain { value, .. } => Some(value),
            Reading::Bad { last, .. } => last,
        }
    }

    /// How far to trust it.
    pub fn quality(self) -> Quality {
        match self {
            Reading::Good { .. } => Quality::Good,
            Reading::Uncertain { doubt, .. } => Quality::Uncertain(doubt),
            Reading::Bad { fault, .. } => Quality::Bad(fault),
        }
    }

    /// Since when, where there is a value.
    pub fn age(self) -> Option<Duration> {
        match self {
            Reading::Good { age, .. } | Reading::Uncertain { age, .. } => Some(age),
            Reading::Bad { .. } => None,
        }
    }

    /// Whether the station has such a point at all.
    pub fn is_configured(self) -> bool {
        !matches!(self, Reading::Bad { fault: Fault::NotConfigured, .. })
    }

    /// The same reading of another type.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Reading<U> {
        match self {
            Reading::Good { value, age } => Reading::Good { value: f(value), age },
            Reading::Uncertain { value, age, doubt } => Reading::Uncertain { value: f(value), age, doubt },
            Reading::Bad { last, fault } => Reading::Bad { last: last.map(f), fault },
        }
    }
}

impl Reading<Value> {
    /// The reading with its unit as its type.
    pub fn typed<Q: Quantity>(self) -> Reading<Q> {
        self.map(|value| Q::from_number(value.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Celsius;

    #[test]
    fn only_good_is_fresh_and_doubt_is_still_usable() {
        let stale = Reading::Uncertain { value: Celsius(5.0), age: Duration::from_secs(90), doubt: Doubt::Stale };
        assert_eq!(stale.fresh(), None);
        assert_eq!(stale.usable(), Some(Celsius(5.0)));

        let lost = Reading::Bad { last: Some(Celsius(5.0)), fault: Fault::Silent };
        assert_eq!(lost.usable(), None);
        assert_eq!(lost.last(), Some(Celsius(5.0)));
    }

    #[test]
    fn a_point_that_nobody_configured_says_so() {
        assert!(!Reading::<Celsius>::default().is_configured());
        assert!(Reading::<Celsius>::bad(Fault::Silent).is_configured());
    }
}
