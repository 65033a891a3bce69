//! Bytes to records: a pure function of a message and of how its feed is read.
//!
//! The form of a message is judged whole: one record that is none makes the message malformed, because nobody knows what
//! its sender meant. Whether a record's *content* is of use, its number, its time, its id, is judged one by one by the
//! [`intake`](super::intake).
//!
//! `serde_json` bounds the depth (128), the bounds of the source bound the bytes and the records; so no message costs more
//! than its bytes.

use std::borrow::Cow;

use heatstation_points::{Fault, Unit};
use serde_json::Value as Json;

use super::settings::{Bounds, Feed, Id};
use super::stamp::{self, NoTime};

/// The longest id that is looked at.
pub const ID_BYTES_MAX: usize = 200;

/// One record of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose.
    pub id: String,
    /// What it says.
    pub value: Said,
    /// The time of the value, milliseconds since 1970 in UTC; none if it does not say.
    pub time: Option<i64>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A number. JSON has no NaN and no infinity, but `1e999` becomes one.
    Number(f64),
    /// True or false.
    Switch(bool),
    /// Nothing: the sender knows no value (`null`).
    Nothing,
    /// A text that is no number.
    Text(String),
}

impl Said {
    fn of(field: &Json) -> Option<Said> {
        match field {
            Json::Null => Some(Said::Nothing),
            Json::Bool(on) => Some(Said::Switch(*on)),
            Json::Number(number) => Some(Said::Number(number.as_f64().unwrap_or(f64::NAN))),
            Json::String(text) => {
                let text = text.trim();
                Some(text.parse().map_or_else(|_| Said::Text(short(text, 60).into_owned()), Said::Number))
            }
            Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// The number in a point's unit, before range and scale are looked at.
    ///
    /// # Errors
    /// It says no number.
    pub fn number(&self, unit: Unit) -> Result<f64, Fault> {
        match self {
            Said::Number(number) => Ok(*number),
            Said::Switch(on) if unit == Unit::Switch => Ok(f64::from(u8::from(*on))),
            Said::Nothing => Err(Fault::SensorBroken),
            Said::Switch(_) | Said::Text(_) => Err(Fault::NotFinite),
        }
    }

    /// It in a few characters, for showing.
    pub fn brief(&self) -> String {
        match self {
            Said::Number(number) => number.to_string(),
            Said::Switch(on) => on.to_string(),
            Said::Nothing => "null".to_owned(),
            Said::Text(text) => text.clone(),
        }
    }
}

/// Why a message holds no records.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Too many bytes.
    #[error("the message has {bytes} bytes; {most} is the most that is read")]
    TooLong {
        /// How many.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// Not JSON at all.
    #[error("the message is not JSON: {0}")]
    NotJson(String),
    /// There is nothing where the records should be.
    #[error("the message has no `{0}`, where its records should be")]
    NoRecords(String),
    /// Too many records.
    #[error("the message has {records} records; {most} is the most that is taken")]
    TooMany {
        /// How many.
        records: usize,
        /// The most.
        most: usize,
    },
    /// One record is none.
    #[error("record {index}: {what}")]
    Record {
        /// Which, counted from 0.
        index: usize,
        /// What is wrong with it.
        what: WrongRecord,
    },
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WrongRecord {
    /// A field that has to be there is not, or is no text.
    #[error("it has no `{0}` that says whose it is (a text or a whole number)")]
    NoId(String),
    /// The value is not there, or is a list or an object.
    #[error("it has no value at `{0}`")]
    NoValue(String),
    /// Its time is none.
    #[error("{0}")]
    NoTime(#[from] NoTime),
    /// Its id is too long.
    #[error("its id is longer than {ID_BYTES_MAX} bytes")]
    LongId,
}

/// The records of a message. `carrier` is whose they are where the feed leaves that to whatever carried them.
///
/// # Errors
/// It is not a message of this form.
pub fn records(bytes: &[u8], feed: &Feed, carrier: &str, bounds: Bounds) -> Result<Vec<Record>, Malformed> {
    if bytes.len() > bounds.bytes_max {
        return Err(Malformed::TooLong { bytes: bytes.len(), most: bounds.bytes_max });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let message: Json = serde_json::from_slice(bytes).map_err(|error| Malformed::NotJson(error.to_string()))?;
    let found = feed.records.find(&message).ok_or_else(|| Malformed::NoRecords(feed.records.to_string()))?;
    let list = match found {
        Json::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.len() > bounds.records_max {
        return Err(Malformed::TooMany { records: list.len(), most: bounds.records_max });
    }
    let one = |(index, record)| one(record, feed, carrier).map_err(|what| Malformed::Record { index, what });
    list.iter().enumerate().map(one).collect()
}

fn one(record: &Json, feed: &Feed, carrier: &str) -> Result<Record, WrongRecord> {
    let id = match &feed.id {
        Id::Carrier => carrier.to_owned(),
        Id::Field(path) => match path.find(record) {
            Some(Json::String(id)) => id.clone(),
            Some(Json::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return Err(WrongRecord::NoId(path.to_string())),
        },
    };
    if id.len() > ID_BYTES_MAX {
        return Err(WrongRecord::LongId);
    }
    let said = feed.value.find(record).and_then(Said::of);
    let value = said.ok_or_else(|| WrongRecord::NoValue(feed.value.to_string()))?;
    let time = match feed.time.as_ref().and_then(|path| path.find(record)) {
        Some(field) => stamp::read(field)?,
        None => None,
    };
    Ok(Record { id, value, time })
}

/// The beginning of a text, not cut inside of a character.
pub(crate) fn short(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::messages::Path;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn feed(records: &str, id: Id, value: &str) -> Feed {
        Feed { records: path(records), id, value: path(value), time: Some(path("ts")), targets: BTreeMap::new() }
    }

    fn read(text: &str, feed: &Feed) -> Result<Vec<Record>, Malformed> {
        records(text.as_bytes(), feed, "r1", Bounds::default())
    }

    #[test]
    fn a_bare_number_an_object_and_a_list_are_messages() {
        let bare = feed("", Id::Carrier, "");
        assert_eq!(read("21.5", &bare).unwrap()[0].value, Said::Number(21.5));
        assert_eq!(read("\" 21.5 \"", &bare).unwrap()[0].value, Said::Number(21.5));
        let object = feed("", Id::Carrier, "data.t");
        let record = &read("{\"data\":{\"t\":21.5},\"ts\":1795501800}", &object).unwrap()[0];
        assert_eq!((record.id.as_str(), record.time), ("r1", Some(1_795_501_800_000)));
        let list = feed("rows", Id::Field(path("dev")), "v.1");
        let text = "{\"rows\":[{\"dev\":\"A1\",\"v\":[9,20]},{\"dev\":77,\"v\":[9,null]}]}";
        let rows = read(text, &list).unwrap();
        let rows: Vec<(&str, &Said)> = rows.iter().map(|row| (row.id.as_str(), &row.value)).collect();
        assert_eq!(rows, [("A1", &Said::Number(20.0)), ("77", &Said::Nothing)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let list = feed("", Id::Field(path("id")), "value");
        let wrong = |text: &str| read(text, &list).unwrap_err().to_string();
        assert!(wrong("{\"id\":\"a\"").starts_with("the message is not JSON: EOF"));
        assert_eq!(
            wrong("[{\"id\":\"a\",\"value\":1},{\"value\":1}]"),
            "record 1: it has no `id` that says whose it is (a text or a whole number)"
        );
        assert_eq!(wrong("[{\"id\":\"a\",\"value\":[1]}]"), "record 0: it has no value at `value`");
        assert!(wrong("[{\"id\":\"a\",\"value\":1,\"ts\":\"2026-11-24T06:30:00\"}]").contains("no zone"));
        assert!(wrong(&format!("[{{\"id\":\"{}\",\"value\":1}}]", "x".repeat(201))).contains("longer than 200"));
        let rows = feed("rows", Id::Carrier, "t");
        assert_eq!(
            read("{}", &rows).unwrap_err().to_string(),
            "the message has no `rows`, where its records should be"
        );
    }

    #[test]
    fn bytes_records_and_depth_are_bounded() {
        let list = feed("", Id::Carrier, "");
        let bounds = Bounds { bytes_max: 1000, records_max: 3 };
        assert_eq!(records(&[b' '; 1001], &list, "", bounds), Err(Malformed::TooLong { bytes: 1001, most: 1000 }));
        assert_eq!(records(b"[1,2,3,4]", &list, "", bounds), Err(Malformed::TooMany { records: 4, most: 3 }));
        let deep = "[".repeat(400) + &"]".repeat(400);
        assert!(matches!(records(deep.as_bytes(), &list, "", bounds), Err(Malformed::NotJson(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = records(&bytes, &feed("a", Id::Field(path("id")), "v"), "x", Bounds::default());
            let _ = records(&bytes, &feed("", Id::Carrier, ""), "x", Bounds::default());
        }
    }
}
