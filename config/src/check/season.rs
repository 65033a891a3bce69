//! The heating season: whole days of the station's local time, whatever its clocks do in between.

use heatstation_core::moment::UtcMillis;
use heatstation_core::settings::{Season, ShoulderSettings};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::check::Base;
use crate::desk::{Desk, Section, number, or};
use crate::explain::From;
use crate::problem::Place;
use crate::raw::{self, RawFile};
use crate::standard::{Standard, month_and_day};
use crate::written::Written;

/// The longest heating season anywhere in China is about half a year (Mohe: seven months).
const DAYS: std::ops::RangeInclusive<i32> = 1..=300;
/// Rooms have to be warm on the first day; a building of concrete and brick takes about three days.
const WARM_UP_DAYS: i64 = 3;

/// A day that somebody wrote.
pub(crate) struct Day {
    pub date: Date,
    pub key: String,
    pub place: Place,
}

/// How far around the season the station may heat.
const AROUND_DAYS: i32 = 60;

/// The season; none if it cannot be known.
pub(crate) fn check(desk: &mut Desk, file: &RawFile, base: &Base) -> Option<Season> {
    let Some(written) = &file.season else {
        let help = "write [season] with first_day and last_day, as in `first_day = 2026-11-15`";
        desk.missing(&Place::default(), "season", help);
        return None;
    };
    let at = Section::new("season", 0, &written.span);
    let first = day(desk, &at, "first_day", written.value.first_day.as_ref());
    let last = day(desk, &at, "last_day", written.value.last_day.as_ref());
    let (first, last) = (first?, last?);

    let days = (last.date - first.date).get_days() + 1;
    if last.date < first.date {
        let what = format!("{} is before the first day ({})", last.date, first.date);
        desk.error(&last.place, last.key.as_str(), what, "the season ends in the spring of the next year");
        return None;
    }
    if !DAYS.contains(&days) {
        let help = format!("a season has {} to {} days; is a year wrong?", DAYS.start(), DAYS.end());
        desk.error(&last.place, last.key.as_str(), format!("the season would have {days} days"), help);
        return None;
    }
    if let Some(standard) = &base.standard {
        owed(desk, standard, &first, &last);
    }
    let from = heating_from(desk, &at, written.value.heating_from_day.as_ref(), &first)?;
    let zone = base.zone.as_ref()?;
    let start = midnight(first.date, zone)?;
    let end = midnight(last.date.tomorrow().ok()?, zone)?;
    Some(Season { heating_from: midnight(from, zone)?, start, end })
}

/// The day on which the station begins to heat.
fn heating_from(desk: &mut Desk, at: &Section, raw: Option<&Written<raw::Date>>, first: &Day) -> Option<Date> {
    let key = "heating_from_day";
    if raw.is_none() {
        let date = first.date.checked_sub(jiff::Span::new().days(WARM_UP_DAYS)).ok()?;
        let formula = format!("{WARM_UP_DAYS} days before the first day: cold walls take days to warm");
        desk.explain(&at.key(key), date.to_string(), From::Derived { formula });
        return Some(date);
    }
    let day = day(desk, at, key, raw)?;
    let before = (first.date - day.date).get_days();
    if !(0..=AROUND_DAYS).contains(&before) {
        let what = format!("{} is {before} days before the first day", day.date);
        desk.error(&day.place, day.key.as_str(), what, "write the first day or one of the 60 days before it");
        return None;
    }
    Some(day.date)
}

/// The days around the season on which the station may heat too.
pub(crate) fn check_shoulder(desk: &mut Desk, file: &RawFile, base: &Base, season: &Season) -> ShoulderSettings {
    let usual = ShoulderSettings::default();
    let (Some(written), Some(zone)) = (&file.season, &base.zone) else { return usual };
    let (raw, at) = (&written.value, Section::new("season", 0, &written.span));
    let limit = number!(
        desk,
        at,
        raw.mean_limit_celsius,
        -10.0..=15.0,
        or(usual.mean_limit.0, "GB 50736-2012: the heating period are the days with a mean steadily at or below 5 °C")
    );
    let begin = around(desk, &at, "earliest_day", raw.earliest_day.as_ref());
    let until = around(desk, &at, "heating_until_day", raw.heating_until_day.as_ref());
    let latest = around(desk, &at, "latest_day", raw.latest_day.as_ref());
    let begins = begin.as_ref().and_then(|day| midnight(day.date, zone));
    let after = |day: &Day| day.date.tomorrow().ok().and_then(|next| midnight(next, zone));
    let (ends, goes_on) = (until.as_ref().and_then(after), latest.as_ref().and_then(after));
    let planned_end = ends.unwrap_or(season.end);

    let far = UtcMillis(i64::from(AROUND_DAYS) * 86_400_000).0;
    let mut keep = |day: &Option<Day>, moment: Option<UtcMillis>, range: std::ops::RangeInclusive<i64>, help: &str| {
        let (Some(day), Some(moment)) = (day, moment) else { return };
        if !range.contains(&moment.0) {
            desk.error(
                &day.place,
                day.key.as_str(),
                format!("{} is not one of the days around the season", day.date),
                help,
            );
        }
    };
    let before = season.start.0 - far..=season.heating_from.0;
    keep(&begin, begins, before, "write a day before `heating_from_day`, at most 60 before the first");
    let help = "write the last day or one of the 60 days after it";
    keep(&until, ends, season.end.0..=season.end.0 + far, help);
    let help = "write a day after the planned end, at most 60 after the last day";
    keep(&latest, goes_on, planned_end.0..=season.end.0 + far, help);
    ShoulderSettings { heating_until: ends, earliest: begins, latest: goes_on, mean_limit: limit.celsius() }
}

/// A day that may be left out; then nothing happens by weather or after the season.
fn around(desk: &mut Desk, at: &Section, key: &str, raw: Option<&Written<raw::Date>>) -> Option<Day> {
    if raw.is_none() {
        desk.explain(
            &at.key(key),
            "none",
            From::Default { reason: "heat begins and ends with the season's days".into() },
        );
        return None;
    }
    day(desk, at, key, raw)
}

/// Takes a day, which must be there.
pub(crate) fn day(desk: &mut Desk, at: &Section, key: &str, raw: Option<&Written<raw::Date>>) -> Option<Day> {
    let Some(raw) = raw else {
        desk.missing(&at.place, &at.key(key), format!("write it without quotes, as in `{key} = 2026-11-15`"));
        return None;
    };
    let (key, place) = (at.key(key), at.at(&raw.span));
    let written = raw.value.0;
    let date = written.date.filter(|_| written.time.is_none() && written.offset.is_none());
    let date = date.and_then(|date| {
        let (year, month, day) =
            (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
        Date::new(year, month, day).ok()
    });
    match date {
        Some(date) if (2000..=2200).contains(&date.year()) => {
            desk.explain_written(&key, date.to_string(), &place);
            Some(Day { date, key, place })
        }
        Some(date) => {
            desk.error(
                &place,
                key,
                format!("the year {} is out of range", date.year()),
                "write a year from 2000 to 2200",
            );
            None
        }
        None => {
            desk.error(&place, key, "is not a day alone", "write a day without a time, as in 2026-11-15");
            None
        }
    }
}

/// The first moment of a day that there is: where clocks jump at midnight, the one after the jump.
fn midnight(date: Date, zone: &TimeZone) -> Option<UtcMillis> {
    let moment = date.to_zoned(zone.clone()).ok()?;
    Some(UtcMillis(moment.timestamp().as_millisecond()))
}

/// Warns when less is due than the standard owes: a government may say so, a slip of the pen may not.
fn owed(desk: &mut Desk, standard: &Standard, first: &Day, last: &Day) {
    let rule = |rule: &Option<crate::standard::Ruled<String>>, year: i16| {
        let rule = rule.as_ref()?;
        let (month, day) = month_and_day(&rule.value.value)?;
        Some((Date::new(year, month, day).ok()?, rule.clause.clone()))
    };
    let help = |clause: &str| format!("{} {clause}; write the day that the government has set", standard.id);
    if let Some((due, clause)) = rule(&standard.season.first_day, first.date.year())
        && due < first.date
    {
        let what = format!("heat is due from {due} on, and the season begins on {}", first.date);
        desk.warn(&first.place, first.key.as_str(), what, help(&clause));
    }
    if let Some((due, clause)) = rule(&standard.season.last_day, last.date.year())
        && last.date < due
    {
        let what = format!("heat is due until {due}, and the season ends on {}", last.date);
        desk.warn(&last.place, last.key.as_str(), what, help(&clause));
    }
}
