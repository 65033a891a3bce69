//! Periods of the week, special days and holidays with another room temperature.

use heatstation_core::moment::{Day, Weekday};
use heatstation_core::schedule::{Holiday, Period, RoomWish, Schedule, SpecialDay};
use heatstation_points::{Celsius, Kelvins};
use jiff::civil::{Date, date};

use crate::check::season;
use crate::desk::{Desk, Otherwise, Section, shown, word};
use crate::raw::{RawCircuit, RawDay, RawHoliday, RawPeriod, RawSpecialDay};
use crate::written::Written;

/// The longest holiday; a circuit that rests for longer is stopped.
const HOLIDAY_DAYS: std::ops::RangeInclusive<i32> = 1..=120;

/// What another room temperature is held against.
#[derive(Clone, Copy)]
pub(crate) struct Rooms {
    /// The room temperature that is aimed at.
    pub target: Celsius,
    /// Rooms colder than this are in danger of frost.
    pub danger: Celsius,
}

/// How far below the mean the coldest flat may be: three times the scatter of a measured stock, 1.25 K (240 flats).
const SCATTER: Kelvins = Kelvins(3.75);

pub(crate) fn check_schedule(desk: &mut Desk, circuit: &Section, raw: &RawCircuit, rooms: Rooms) -> Schedule {
    Schedule {
        periods: check_periods(desk, circuit, rooms, &raw.schedule),
        special_days: check_special_days(desk, circuit, &raw.special_day),
        holidays: check_holidays(desk, circuit, rooms, &raw.holiday),
    }
}

fn check_periods(desk: &mut Desk, circuit: &Section, rooms: Rooms, written: &[Written<RawPeriod>]) -> Vec<Period> {
    let mut periods = Vec::new();
    for (number, written) in written.iter().enumerate() {
        let raw = &written.value;
        let at = Section { key: circuit.key(&format!("schedule.{}", number + 1)), place: circuit.at(&written.span) };
        let all = [RawDay::Mon, RawDay::Tue, RawDay::Wed, RawDay::Thu, RawDay::Fri, RawDay::Sat, RawDay::Sun];
        let listed = raw.days.as_ref().map_or(all.as_slice(), |days| days.value.as_slice());
        let names: Vec<String> = listed.iter().map(word).collect();
        match &raw.days {
            Some(days) => desk.explain_written(&at.key("days"), names.join(", "), &at.at(&days.span)),
            None => desk.explain(
                &at.key("days"),
                names.join(", "),
                crate::explain::From::Default { reason: "every day".into() },
            ),
        }
        if let (true, Some(days)) = (listed.is_empty(), &raw.days) {
            desk.error(
                &at.at(&days.span),
                at.key("days"),
                "names no day",
                "write days as in [\"mon\", \"tue\"], or leave it out for every day",
            );
        }
        let from = minute(desk, &at, "from", raw.from.as_ref(), 0..=1439);
        let to = minute(desk, &at, "to", raw.to.as_ref(), 1..=1440);
        let room = room_wish(desk, &at, rooms, raw.room_shift_kelvins.as_ref(), raw.room_target_celsius.as_ref());
        let days = listed.iter().map(|day| weekday(*day)).collect();
        if let (Some(from_minute), Some(to_minute)) = (from, to) {
            periods.push(Period { days, from_minute, to_minute, room });
        }
    }
    periods
}

/// A shift or a target of the room temperature, one of them.
fn room_wish(
    desk: &mut Desk,
    at: &Section,
    rooms: Rooms,
    shift: Option<&Written<f64>>,
    target: Option<&Written<f64>>,
) -> RoomWish {
    if let (Some(_), Some(target)) = (shift, target) {
        let help = "a room temperature is a shift or a target, not both";
        let key = at.key("room_target_celsius");
        desk.error(&at.at(&target.span), key, "has no meaning beside room_shift_kelvins", help);
    }
    let (field, wished) = if target.is_some() && shift.is_none() {
        let target = desk.number(at, "room_target_celsius", target, 5.0..=28.0, Otherwise::Required("16"));
        let wished = Celsius(target.value);
        (target, RoomWish::Target(wished))
    } else {
        let shift = desk.number(at, "room_shift_kelvins", shift, -10.0..=5.0, Otherwise::Required("-1.5"));
        let wished = Kelvins(shift.value);
        (shift, RoomWish::Shift(wished))
    };
    let wanted = match wished {
        RoomWish::Target(target) => target,
        RoomWish::Shift(shift) => rooms.target + shift,
    };
    let least = rooms.danger + SCATTER;
    if field.sound && wanted < least {
        let help = format!(
            "the coldest flat is some kelvins below the others, and at {} °C it is in danger of frost: {} °C or more",
            shown(rooms.danger.0),
            shown(least.0)
        );
        desk.error(&field.place, field.key.as_str(), format!("{} °C is too cold for rooms", shown(wanted.0)), help);
    }
    wished
}

fn check_holidays(desk: &mut Desk, circuit: &Section, rooms: Rooms, written: &[Written<RawHoliday>]) -> Vec<Holiday> {
    let mut holidays = Vec::new();
    for (number, written) in written.iter().enumerate() {
        let raw = &written.value;
        let at = Section { key: circuit.key(&format!("holiday.{}", number + 1)), place: circuit.at(&written.span) };
        let first = season::day(desk, &at, "first_day", raw.first_day.as_ref());
        let last = season::day(desk, &at, "last_day", raw.last_day.as_ref());
        let room = room_wish(desk, &at, rooms, raw.room_shift_kelvins.as_ref(), raw.room_target_celsius.as_ref());
        let (Some(first), Some(last)) = (first, last) else { continue };
        let days = (last.date - first.date).get_days() + 1;
        if !HOLIDAY_DAYS.contains(&days) {
            let what = format!("{} is {days} days from the first day ({})", last.date, first.date);
            let help = format!("a holiday has {} to {} days", HOLIDAY_DAYS.start(), HOLIDAY_DAYS.end());
            desk.error(&last.place, last.key.as_str(), what, help);
            continue;
        }
        holidays.push(Holiday { first: calendar_day(first.date), last: calendar_day(last.date), room });
    }
    holidays
}

fn check_special_days(desk: &mut Desk, circuit: &Section, written: &[Written<RawSpecialDay>]) -> Vec<SpecialDay> {
    let mut special_days: Vec<SpecialDay> = Vec::new();
    for (number, written) in written.iter().enumerate() {
        let raw = &written.value;
        let at = Section { key: circuit.key(&format!("special_day.{}", number + 1)), place: circuit.at(&written.span) };
        let day = season::day(desk, &at, "day", raw.day.as_ref());
        let like = desk.choice(&at, "like", raw.like.as_ref(), Otherwise::Required("\"sun\""), RawDay::Sun);
        let Some(written_day) = day else { continue };
        let day = calendar_day(written_day.date);
        if special_days.iter().any(|other| other.day == day) {
            let what = format!("{} is a special day already", written_day.date);
            desk.error(&written_day.place, written_day.key.as_str(), what, "a day is like one other day");
            continue;
        }
        special_days.push(SpecialDay { day, like: weekday(like.value) });
    }
    special_days
}

fn calendar_day(day: Date) -> Day {
    Day((day - date(1970, 1, 1)).get_days())
}

pub(crate) fn weekday(day: RawDay) -> Weekday {
    match day {
        RawDay::Mon => Weekday::Monday,
        RawDay::Tue => Weekday::Tuesday,
        RawDay::Wed => Weekday::Wednesday,
        RawDay::Thu => Weekday::Thursday,
        RawDay::Fri => Weekday::Friday,
        RawDay::Sat => Weekday::Saturday,
        RawDay::Sun => Weekday::Sunday,
    }
}

/// The minute of the day of a text such as `22:30`; `00:00` as an end is the end of the day.
pub(crate) fn minute(
    desk: &mut Desk,
    at: &Section,
    key: &'static str,
    raw: Option<&Written<String>>,
    range: std::ops::RangeInclusive<u16>,
) -> Option<u16> {
    let field = desk.text(at, key, raw, Otherwise::Required("\"22:30\""));
    if !field.sound {
        return None;
    }
    let digits = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
    };
    let parsed = field.value.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (digits(hour)?, digits(minute)?);
        (minute < 60).then_some(hour * 60 + minute)
    });
    let parsed = parsed.map(|minute| if minute == 0 && *range.start() == 1 { 1440 } else { minute });
    if parsed.is_none_or(|minute| !range.contains(&minute)) {
        let help = "write hours and minutes, as in \"05:00\" or \"22:30\"";
        desk.error(&field.place, field.key.as_str(), format!("{:?} is not a time of day", field.value), help);
        return None;
    }
    parsed
}
