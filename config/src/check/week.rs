//! Periods of the week with another room temperature.

use heatstation_core::moment::Weekday;
use heatstation_core::schedule::{Period, Schedule};

use crate::desk::{Desk, Otherwise, Section, number, word};
use crate::raw::{RawDay, RawPeriod};
use crate::written::Written;

pub(crate) fn check_schedule(desk: &mut Desk, circuit: &Section, written: &[Written<RawPeriod>]) -> Schedule {
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
        let shift = number!(desk, at, raw.room_shift_kelvins, -10.0..=5.0, Otherwise::Required("-1.5"));
        let days = listed.iter().map(|day| weekday(*day)).collect();
        if let (Some(from_minute), Some(to_minute)) = (from, to) {
            periods.push(Period { days, from_minute, to_minute, room_shift: shift.kelvins() });
        }
    }
    Schedule { periods }
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
