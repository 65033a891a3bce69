//! The hourly list of a meteorological service: a pure function of its bytes.
//!
//! ```json
//! { "issued": "2026-11-24T12:00:00+08:00",
//!   "hours": [ { "time": "2026-11-24T12:00:00+08:00", "temperature_celsius": -3.1,
//!                "radiation_watts_per_square_meter": 180, "wind_meters_per_second": 2.4 }, … ] }
//! ```
//!
//! Radiation and wind may be left out, in all hours. The hours stand in order, one after the other. A list may begin
//! before its issue, as those of most services do at midnight: what lies more than an hour before it is left away. It may
//! begin up to an hour after it: the first hour then stands for the time before it, too.

use serde_json::Value as Json;

use super::stamp;

const HOUR_MILLISECONDS: i64 = 3_600_000;
/// The longest list: services foresee ten to fifteen days.
pub const HOURS_MAX: usize = 400;
/// Bytes of the longest message.
pub const BYTES_MAX: usize = 64 * 1024;
/// An hour may stand so far from its place: a time that is written in whole minutes.
const OFF_MAX_MILLISECONDS: i64 = 60_000;

/// A forecast as it was issued.
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyForecast {
    /// When it was issued, milliseconds since 1970 in UTC.
    pub issued: i64,
    /// What time its first hour is for: at most an hour before the issue, never after it.
    pub begins: i64,
    /// °C, hour by hour.
    pub temperature: Vec<f64>,
    /// W/m², global on the level; empty if it is not foreseen.
    pub radiation: Vec<f64>,
    /// m/s; empty if it is not foreseen.
    pub wind: Vec<f64>,
}

/// Why a message is no forecast.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForecast {
    /// Too many bytes.
    #[error("the forecast has {0} bytes; {BYTES_MAX} is the most that is read")]
    TooLong(usize),
    /// Not JSON.
    #[error("the forecast is not JSON: {0}")]
    NotJson(String),
    /// It does not say when it was issued.
    #[error("`issued` is missing or no time; write it as in 2026-11-24T12:00:00+08:00")]
    NoIssue,
    /// It has no list of hours, or a list of none.
    #[error("`hours` is missing, empty or no list")]
    NoHours,
    /// It has too many.
    #[error("it has {0} hours; {HOURS_MAX} is the most")]
    TooManyHours(usize),
    /// An hour is wrong.
    #[error("hour {index}: {what}")]
    Hour {
        /// Which, counted from 0.
        index: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Its hours are of another time than that of its issue.
    #[error("its hours do not reach the time of its issue, or begin more than an hour after it")]
    Elsewhere,
}

/// Reads a forecast.
///
/// # Errors
/// It is none; nothing of it can be used.
pub fn read(bytes: &[u8]) -> Result<HourlyForecast, NoForecast> {
    if bytes.len() > BYTES_MAX {
        return Err(NoForecast::TooLong(bytes.len()));
    }
    let message: Json = serde_json::from_slice(bytes).map_err(|error| NoForecast::NotJson(error.to_string()))?;
    let issued =
        message.get("issued").and_then(|field| stamp::read(field).ok().flatten()).ok_or(NoForecast::NoIssue)?;
    let hours = message.get("hours").and_then(Json::as_array).filter(|hours| !hours.is_empty());
    let hours = hours.ok_or(NoForecast::NoHours)?;
    if hours.len() > HOURS_MAX {
        return Err(NoForecast::TooManyHours(hours.len()));
    }
    let first = times_in_order(hours)?;
    let mut forecast = HourlyForecast {
        issued,
        begins: first,
        temperature: column(hours, "temperature_celsius", -60.0..=60.0)?,
        radiation: column(hours, "radiation_watts_per_square_meter", 0.0..=1500.0)?,
        wind: column(hours, "wind_meters_per_second", 0.0..=75.0)?,
    };
    if forecast.temperature.is_empty() {
        return Err(NoForecast::Hour { index: 0, what: "it has no `temperature_celsius`" });
    }
    if first > issued {
        if first - issued > HOUR_MILLISECONDS {
            return Err(NoForecast::Elsewhere);
        }
        forecast.begins -= HOUR_MILLISECONDS;
        for list in [&mut forecast.temperature, &mut forecast.radiation, &mut forecast.wind] {
            if let Some(&first) = list.first() {
                list.insert(0, first);
            }
        }
    }
    let gone = ((issued - forecast.begins) / HOUR_MILLISECONDS) as usize;
    if gone >= forecast.temperature.len() {
        return Err(NoForecast::Elsewhere);
    }
    forecast.begins += gone as i64 * HOUR_MILLISECONDS;
    for list in [&mut forecast.temperature, &mut forecast.radiation, &mut forecast.wind] {
        list.drain(..gone.min(list.len()));
    }
    Ok(forecast)
}

/// The time of the first hour, after all were found one hour apart.
fn times_in_order(hours: &[Json]) -> Result<i64, NoForecast> {
    let time = |index: usize| {
        let field = hours[index].get("time").and_then(|field| stamp::read(field).ok().flatten());
        field.ok_or(NoForecast::Hour { index, what: "its `time` is missing or no time with a zone" })
    };
    let first = time(0)?;
    for index in 1..hours.len() {
        let place = first.saturating_add(index as i64 * HOUR_MILLISECONDS);
        if time(index)?.saturating_sub(place).abs() > OFF_MAX_MILLISECONDS {
            return Err(NoForecast::Hour { index, what: "it is not one hour after the one before it" });
        }
    }
    Ok(first)
}

/// One quantity of all hours; nothing if no hour has it.
fn column(hours: &[Json], key: &str, range: std::ops::RangeInclusive<f64>) -> Result<Vec<f64>, NoForecast> {
    let given = |hour: &Json| hour.get(key).is_some_and(|value| !value.is_null());
    if !hours.iter().any(given) {
        return Ok(Vec::new());
    }
    let one = |(index, hour): (usize, &Json)| {
        let wrong = |what| NoForecast::Hour { index, what };
        let value = hour.get(key).and_then(Json::as_f64);
        let value = value.ok_or_else(|| wrong("a quantity that other hours have is missing, or no number"))?;
        // Not a number is in no range.
        if range.contains(&value) { Ok(value) } else { Err(wrong("a value is outside of what weather can be")) }
    };
    hours.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUED: i64 = 1_795_501_800_000;

    /// Hours from `begin` minutes after the issue, with temperatures, as JSON.
    fn list(begin: i64, temperatures: &[f64]) -> String {
        let hour = |(at, celsius): (usize, &f64)| {
            let time = ISSUED + begin * 60_000 + at as i64 * HOUR_MILLISECONDS;
            format!("{{\"time\":{time},\"temperature_celsius\":{celsius},\"wind_meters_per_second\":{at}}}")
        };
        let hours: Vec<String> = temperatures.iter().enumerate().map(hour).collect();
        format!("{{\"issued\":{ISSUED},\"hours\":[{}]}}", hours.join(","))
    }

    fn of(text: &str) -> Result<HourlyForecast, NoForecast> {
        read(text.as_bytes())
    }

    #[test]
    fn a_list_that_begins_before_its_issue_is_cut_to_the_hour_of_it() {
        let forecast = of(&list(-150, &[1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
        assert_eq!((forecast.temperature, forecast.wind), (vec![3.0, 4.0, 5.0], vec![2.0, 3.0, 4.0]));
        assert_eq!((ISSUED - forecast.begins, forecast.radiation.len()), (30 * 60_000, 0));
    }

    #[test]
    fn a_list_that_begins_within_the_next_hour_stands_for_the_time_until_then() {
        let forecast = of(&list(40, &[1.0, 2.0])).unwrap();
        assert_eq!((forecast.temperature, ISSUED - forecast.begins), (vec![1.0, 1.0, 2.0], 20 * 60_000));
        assert_eq!(of(&list(61, &[1.0, 2.0])), Err(NoForecast::Elsewhere));
        assert_eq!(of(&list(-180, &[1.0, 2.0])), Err(NoForecast::Elsewhere));
    }

    #[test]
    fn hours_out_of_order_gaps_and_impossible_weather_are_named() {
        let swapped = list(0, &[1.0, 2.0, 3.0]).replace(&(ISSUED + HOUR_MILLISECONDS).to_string(), &ISSUED.to_string());
        assert_eq!(of(&swapped).unwrap_err().to_string(), "hour 1: it is not one hour after the one before it");
        assert!(of(&list(0, &[1.0, 75.0])).unwrap_err().to_string().starts_with("hour 1: a value is outside"));
        let gap = list(0, &[1.0, 2.0]).replace(",\"wind_meters_per_second\":1", "");
        assert!(of(&gap).unwrap_err().to_string().starts_with("hour 1: a quantity that other hours have is missing"));
        assert_eq!(of("{\"hours\":[{}]}"), Err(NoForecast::NoIssue));
        assert_eq!(of(&format!("{{\"issued\":{ISSUED},\"hours\":[]}}")), Err(NoForecast::NoHours));
        assert_eq!(of(&list(0, &[1.0; 401])), Err(NoForecast::TooManyHours(401)));
        let local = list(0, &[1.0]).replace(&format!("\"issued\":{ISSUED}"), "\"issued\":\"2026-11-24T14:30:00\"");
        assert_eq!(of(&local), Err(NoForecast::NoIssue));
        assert!(matches!(of("{"), Err(NoForecast::NotJson(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_times_make_it_panic(issued: i64, first: i64, second: i64) {
            let hour = |time: i64| format!("{{\"time\":{time},\"temperature_celsius\":1}}");
            let _ = of(&format!("{{\"issued\":{issued},\"hours\":[{},{}]}}", hour(first), hour(second)));
        }
    }
}
