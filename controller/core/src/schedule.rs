//! What the clock asks for: periods of the week, special days and holidays with another room temperature.
//!
//! Chinese dwellings have no set-back or one of 1 to 2 K; offices and schools have more, and cabinets are set with four to
//! six periods a day. A period shifts the room target or names a temperature of its own. It may cross midnight and then
//! belongs to the day on which it starts.
//!
//! ```text
//! holiday of the date  >  periods of the day  >  the room target
//!                         (a special day has the periods of another weekday: a day off like a Sunday,
//!                          a Saturday that is worked, 调休, like a Monday)
//! ```
//!
//! # What this module does not do
//! It says what the clock asks for and when that changes next. Whether the change is made earlier, or less of it, is for
//! [`optimum`](crate::optimum) and [`set_back`](crate::set_back).

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::moment::{Day, LocalTime, Weekday};

/// How far ahead the next change is looked for; the longest start ahead of time is 42 h (Siemens).
const DAYS_AHEAD: i32 = 3;
const MINUTES_A_DAY: i32 = 1440;

/// The programme of a circuit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Periods of the week, in order of precedence: where two overlap the first wins.
    pub periods: Vec<Period>,
    /// Days with the periods of another weekday.
    pub special_days: Vec<SpecialDay>,
    /// Days with one level throughout; where two overlap the first wins.
    pub holidays: Vec<Holiday>,
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
    /// The room temperature in it.
    pub room: RoomWish,
}

/// A date that is like another weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialDay {
    /// The date.
    pub day: Day,
    /// Whose periods it has.
    pub like: Weekday,
}

/// Some days on which nobody is there, from 00:00 of the first to 24:00 of the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holiday {
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
    /// The room temperature in them.
    pub room: RoomWish,
}

/// What a period does to the room temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomWish {
    /// Adds to the room target; negative is a set-back.
    Shift(Kelvins),
    /// Takes the room target's place.
    Target(Celsius),
}

impl RoomWish {
    fn shift(self, room_target: Celsius) -> Kelvins {
        match self {
            RoomWish::Shift(by) => by,
            RoomWish::Target(target) => target - room_target,
        }
    }
}

/// Which part of the programme is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Programme {
    /// None: the room target.
    #[default]
    Normal,
    /// A period of the week.
    Period,
    /// A holiday.
    Holiday,
}

impl Programme {
    /// All of them.
    pub const ALL: [Programme; 3] = [Programme::Normal, Programme::Period, Programme::Holiday];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Programme::Normal => "normal",
            Programme::Period => "period",
            Programme::Holiday => "holiday",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Programme::Normal => ("常规", "normal"),
            Programme::Period => ("时段", "period of the week"),
            Programme::Holiday => ("假日", "holiday"),
        }
    }
}

/// What the clock asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// What is added to the room target now.
    pub shift: Kelvins,
    /// By which part of the programme.
    pub by: Programme,
    /// The next change, if there is one in the next days.
    pub next: Option<Change>,
}

/// A change of the level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// How far ahead, in whole minutes.
    pub after: Duration,
    /// What is added to the room target then.
    pub to: Kelvins,
}

impl Schedule {
    /// What the clock asks for at a time, and what it will ask for next.
    pub fn look(&self, room_target: Celsius, now: LocalTime) -> Look {
        if self.periods.is_empty() && self.holidays.is_empty() {
            return Look::default();
        }
        let (shift, by) = self.level(room_target, now);
        Look { shift, by, next: self.next_change(room_target, now, shift) }
    }

    fn level(&self, room_target: Celsius, now: LocalTime) -> (Kelvins, Programme) {
        if let Some(holiday) = self.holidays.iter().find(|holiday| holiday.covers(now.day)) {
            return (holiday.room.shift(room_target), Programme::Holiday);
        }
        let (today, yesterday) = (self.like(now.day), self.like(now.day.plus(-1)));
        let period = self.periods.iter().find(|period| period.covers(today, yesterday, now.minute_of_day));
        period.map_or((Kelvins(0.0), Programme::Normal), |period| (period.room.shift(room_target), Programme::Period))
    }

    /// The weekday whose periods a date has.
    fn like(&self, day: Day) -> Weekday {
        self.special_days
            .iter()
            .find(|special| special.day == day)
            .map_or_else(|| day.weekday(), |special| special.like)
    }

    /// The level can change where a period begins or ends and at midnight, and nowhere else.
    fn next_change(&self, room_target: Celsius, now: LocalTime, shift: Kelvins) -> Option<Change> {
        let edges = self.periods.iter().flat_map(|period| [period.from_minute, period.to_minute % 1440]);
        let edges = edges.chain([0]);
        let at = |day: i32, minute: u16| {
            let after = day * MINUTES_A_DAY + i32::from(minute) - i32::from(now.minute_of_day);
            let later = LocalTime::on(now.day.plus(day), minute);
            (after > 0).then_some((after, later))
        };
        let ahead = edges.flat_map(|minute| (0..=DAYS_AHEAD).filter_map(move |day| at(day, minute)));
        let changes = ahead.filter_map(|(after, later)| {
            let (to, _) = self.level(room_target, later);
            (to != shift).then_some((after, to))
        });
        let (after, to) = changes.min_by_key(|(after, _)| *after)?;
        Some(Change { after: Duration::from_secs(after as u64 * 60), to })
    }
}

impl Holiday {
    fn covers(&self, day: Day) -> bool {
        self.first <= day && day <= self.last
    }
}

impl Period {
    fn covers(&self, today: Weekday, yesterday: Weekday, minute: u16) -> bool {
        let starts_on = |day: Weekday| self.days.contains(&day);
        if self.from_minute < self.to_minute {
            starts_on(today) && self.from_minute <= minute && minute < self.to_minute
        } else {
            (starts_on(today) && self.from_minute <= minute) || (starts_on(yesterday) && minute < self.to_minute)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Celsius = Celsius(20.0);
    /// Monday, 2026-11-16.
    const MONDAY: Day = Day(20_773);

    fn period(days: &[Weekday], from_hour: u16, to_hour: u16, shift: f64) -> Period {
        Period {
            days: days.to_vec(),
            from_minute: from_hour * 60,
            to_minute: to_hour * 60,
            room: RoomWish::Shift(Kelvins(shift)),
        }
    }

    fn at(schedule: &Schedule, day: i32, hour: u16) -> Look {
        schedule.look(TARGET, LocalTime::on(MONDAY.plus(day), hour * 60))
    }

    fn shift(schedule: &Schedule, day: i32, hour: u16) -> f64 {
        at(schedule, day, hour).shift.0
    }

    #[test]
    fn a_period_over_midnight_belongs_to_the_day_it_starts_on() {
        let schedule = Schedule { periods: vec![period(&[Weekday::Friday], 23, 5, -1.5)], ..Schedule::default() };
        assert_eq!(shift(&schedule, 4, 23), -1.5);
        assert_eq!(shift(&schedule, 5, 4), -1.5);
        assert_eq!(shift(&schedule, 5, 5), 0.0);
        assert_eq!(shift(&schedule, 4, 4), 0.0);
    }

    #[test]
    fn six_periods_of_a_day_each_have_their_own_room_temperature() {
        let edges = [0, 5, 8, 11, 14, 18, 24];
        let rooms = [18.0, 19.5, 19.0, 18.5, 19.0, 20.5];
        let periods = edges.windows(2).zip(rooms).map(|(edge, room)| Period {
            room: RoomWish::Target(Celsius(room)),
            ..period(&Weekday::ALL, edge[0], edge[1], 0.0)
        });
        let schedule = Schedule { periods: periods.collect(), ..Schedule::default() };
        for (hour, room) in [(0, 18.0), (4, 18.0), (5, 19.5), (9, 19.0), (12, 18.5), (17, 19.0), (23, 20.5)] {
            assert_eq!(TARGET + at(&schedule, 2, hour).shift, Celsius(room), "{hour}:00");
        }
        let next = at(&schedule, 2, 23).next.unwrap();
        assert_eq!((next.after, next.to), (Duration::from_secs(3600), Kelvins(-2.0)));
    }

    #[test]
    fn a_holiday_outranks_the_week_and_ends_at_midnight() {
        let work = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        let holiday = Holiday { first: MONDAY.plus(2), last: MONDAY.plus(4), room: RoomWish::Target(Celsius(14.0)) };
        let schedule =
            Schedule { periods: vec![period(&work, 18, 6, -3.0)], holidays: vec![holiday], ..Schedule::default() };
        assert_eq!((shift(&schedule, 1, 12), shift(&schedule, 1, 23)), (0.0, -3.0));
        assert_eq!((shift(&schedule, 2, 0), shift(&schedule, 4, 23)), (-6.0, -6.0));
        // The night of Friday began in the holiday and is what is left of it.
        assert_eq!((shift(&schedule, 5, 0), shift(&schedule, 5, 6)), (-3.0, 0.0));
        assert_eq!(at(&schedule, 3, 12).by, Programme::Holiday);
        let next = at(&schedule, 3, 12).next.unwrap();
        assert_eq!((next.after, next.to), (Duration::from_secs(36 * 3600), Kelvins(-3.0)));
    }

    #[test]
    fn a_special_day_has_the_periods_of_another_weekday() {
        let schedule = Schedule {
            periods: vec![period(&[Weekday::Saturday, Weekday::Sunday], 0, 24, -4.0)],
            special_days: vec![
                SpecialDay { day: MONDAY, like: Weekday::Sunday },
                SpecialDay { day: MONDAY.plus(5), like: Weekday::Monday },
            ],
            ..Schedule::default()
        };
        assert_eq!((shift(&schedule, 0, 9), shift(&schedule, 1, 9)), (-4.0, 0.0));
        assert_eq!((shift(&schedule, 5, 9), shift(&schedule, 6, 9)), (0.0, -4.0));
    }

    #[test]
    fn the_next_change_is_seen_through_periods_that_join_without_a_step() {
        let schedule = Schedule {
            periods: vec![period(&Weekday::ALL, 20, 24, -3.0), period(&Weekday::ALL, 0, 7, -3.0)],
            ..Schedule::default()
        };
        let next = at(&schedule, 0, 21).next.unwrap();
        assert_eq!((next.after, next.to), (Duration::from_secs(10 * 3600), Kelvins(0.0)));
        let next = at(&schedule, 0, 7).next.unwrap();
        assert_eq!((next.after, next.to), (Duration::from_secs(13 * 3600), Kelvins(-3.0)));
    }

    #[test]
    fn without_a_programme_nothing_is_asked_and_nothing_changes() {
        assert_eq!(at(&Schedule::default(), 0, 3), Look::default());
        let always = Schedule { periods: vec![period(&Weekday::ALL, 0, 24, -1.0)], ..Schedule::default() };
        assert_eq!(at(&always, 0, 3), Look { shift: Kelvins(-1.0), by: Programme::Period, next: None });
    }
}
