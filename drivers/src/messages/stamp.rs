//! What the time field of a record says.
//!
//! Three ways are taken: ISO 8601 with its zone (`2026-11-24T06:30:00+08:00`), seconds since 1970 and milliseconds since
//! 1970. A time without a zone is none of them: sensors that mean local time and sensors that mean UTC write the same.

use jiff::Timestamp;
use serde_json::Value as Json;

/// A number from here on is of milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
const MILLISECONDS_FROM: f64 = 1e11;
/// The end of what a time can be, in milliseconds: the year 9999.
const MILLISECONDS_MAX: f64 = 2.5e14;

/// Why a time field says no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// It could be anywhere on earth.
    #[error("its time has no zone; write it as in 2026-11-24T06:30:00+08:00 or …Z, or as seconds since 1970")]
    NoZone,
    /// Nothing that is known.
    #[error("its time is neither ISO 8601 with a zone nor seconds or milliseconds since 1970")]
    Unknown,
}

/// Milliseconds since 1970 in UTC; none for `null`.
///
/// # Errors
/// It says something else than a time.
pub fn read(field: &Json) -> Result<Option<i64>, NoTime> {
    match field {
        Json::Null => Ok(None),
        Json::Number(number) => since_1970(number.as_f64().ok_or(NoTime::Unknown)?).map(Some),
        Json::String(text) => of_text(text.trim()).map(Some),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => Err(NoTime::Unknown),
    }
}

fn since_1970(number: f64) -> Result<i64, NoTime> {
    let milliseconds = if number.abs() < MILLISECONDS_FROM { number * 1000.0 } else { number };
    // 0 is what a sensor says that was never told the time; so are the first days after it.
    if (86_400_000.0..=MILLISECONDS_MAX).contains(&milliseconds) {
        Ok(milliseconds.round() as i64)
    } else {
        Err(NoTime::Unknown)
    }
}

fn of_text(text: &str) -> Result<i64, NoTime> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp.as_millisecond());
    }
    if let Ok(number) = text.parse::<f64>() {
        return since_1970(number);
    }
    Err(if text.parse::<jiff::civil::DateTime>().is_ok() { NoTime::NoZone } else { NoTime::Unknown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<i64>, NoTime> {
        read(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn three_ways_of_writing_one_moment_are_one_moment() {
        let moment = Ok(Some(1_795_501_800_000));
        for text in [
            "\"2026-11-24T14:30:00+08:00\"",
            "\"2026-11-24T06:30:00Z\"",
            "\"2026-11-24 06:30:00.000Z\"",
            "1795501800",
            "1795501800.0",
            "1795501800000",
            "\"1795501800\"",
        ] {
            assert_eq!(of(text), moment, "{text}");
        }
        assert_eq!(of("1795501800.25"), Ok(Some(1_795_501_800_250)));
        assert_eq!(of("null"), Ok(None));
    }

    #[test]
    fn a_time_without_a_zone_is_told_so_and_noise_is_no_time() {
        assert_eq!(of("\"2026-11-24T14:30:00\""), Err(NoTime::NoZone));
        assert_eq!(of("\"2026-11-24\""), Err(NoTime::NoZone));
        for text in
            ["0", "12", "-1795501800", "1e300", "\"\"", "\"soon\"", "\"NaN\"", "true", "[]", "{}", "\"24.11.2026\""]
        {
            assert_eq!(of(text), Err(NoTime::Unknown), "{text}");
        }
    }
}
