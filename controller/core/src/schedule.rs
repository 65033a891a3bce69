//! Periods of the week with another room temperature.
//!
//! Chinese dwellings have no set-back or one of 1 to 2 K; offices and schools have more. A period may cross midnight and
//! then belongs to the day on which it starts.

use heatstation_points::Kelvins;
use serde::{Deserialize, Serialize};

use crate::moment::{LocalTime, Weekday};

/// The periods; where two overlap the first wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    /// In order of precedence.
    pub periods: Vec<Period>,
}

/// A part of some days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// On which days it starts.
    pub days: Vec<Weekday>,
    /// When it starts, minutes since midnight, 0 to 1439.
    pub from_minute: u16,
    /// When it ends, 1 to 1440; not after its start means on the next day.
    pub to_minute: u16,
    /// What it adds to the room target; negative is a set-back.
    pub room_shift: Kelvins,
}

impl Schedule {
    /// What is added to the room target now.
    pub fn room_shift(&self, now: LocalTime) -> Kelvins {
        self.periods.iter().find(|period| period.covers(now)).map_or(Kelvins(0.0), |period| period.room_shift)
    }
}

impl Period {
    fn covers(&self, now: LocalTime) -> bool {
        let minute = now.minute_of_day;
        let starts_on = |day: Weekday| self.days.contains(&day);
        if self.from_minute < self.to_minute {
            starts_on(now.weekday) && self.from_minute <= minute && minute < self.to_minute
        } else {
            (starts_on(now.weekday) && self.from_minute <= minute)
                || (starts_on(now.weekday.previous()) && minute < self.to_minute)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(weekday: Weekday, hour: u16) -> LocalTime {
        LocalTime { weekday, minute_of_day: hour * 60 }
    }

    #[test]
    fn a_period_over_midnight_belongs_to_the_day_it_starts_on() {
        let schedule = Schedule {
            periods: vec![Period {
                days: vec![Weekday::Friday],
                from_minute: 23 * 60,
                to_minute: 5 * 60,
                room_shift: Kelvins(-1.5),
            }],
        };
        assert_eq!(schedule.room_shift(at(Weekday::Friday, 23)), Kelvins(-1.5));
        assert_eq!(schedule.room_shift(at(Weekday::Saturday, 4)), Kelvins(-1.5));
        assert_eq!(schedule.room_shift(at(Weekday::Saturday, 5)), Kelvins(0.0));
        assert_eq!(schedule.room_shift(at(Weekday::Friday, 4)), Kelvins(0.0));
    }
}
