//! Time as the core knows it: three readings that the caller takes together, once a cycle.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time on the wall clock: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// That much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> UtcMillis {
        UtcMillis(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// From an earlier time to this one; zero if it is not earlier.
    pub fn since(self, earlier: UtcMillis) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they are the days of the week")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday first.
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// The day before.
    #[must_use]
    pub fn previous(self) -> Weekday {
        Weekday::ALL[(self as usize + 6) % 7]
    }
}

/// A day of the calendar: days since 1970-01-01. Dates are written and read elsewhere; here they are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// That many days later.
    #[must_use]
    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday::ALL[(i64::from(self.0) + 3).rem_euclid(7) as usize]
    }
}

/// The time on the station's wall, for schedules alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// The day of the week.
    pub weekday: Weekday,
    /// Minutes since midnight, 0 to 1439.
    pub minute_of_day: u16,
    /// The day of the calendar.
    pub day: Day,
}

impl LocalTime {
    /// That minute of that day.
    pub fn on(day: Day, minute_of_day: u16) -> LocalTime {
        LocalTime { weekday: day.weekday(), minute_of_day, day }
    }
}

/// One reading of the time.
///
/// Control counts on `monotonic`, records carry `wall`, schedules look at `local`. A step of the wall clock therefore
/// moves no output (but for schedules, which are meant to follow the wall).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since some start; never goes back.
    pub monotonic: Duration,
    /// The wall clock.
    pub wall: UtcMillis,
    /// The same in the station's time zone.
    pub local: LocalTime,
}
