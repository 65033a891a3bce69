//! What a source of messages is: plain data that the configuration makes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use heatstation_points::{Definition, Point};
use serde::{Deserialize, Serialize};

/// The longest path into a message.
pub const PATH_PARTS_MAX: usize = 8;

/// Where in a JSON message something stands, as in `data.sensors.0.t`: names of members and numbers of elements, with dots
/// between them. The empty path is the message itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(Vec<String>);

impl Path {
    /// A path as it is written; none if a part of it is empty or there are more than [`PATH_PARTS_MAX`].
    pub fn parse(text: &str) -> Option<Path> {
        if text.is_empty() {
            return Some(Path::default());
        }
        let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        (parts.len() <= PATH_PARTS_MAX && parts.iter().all(|part| !part.is_empty())).then_some(Path(parts))
    }

    /// What stands there in a message.
    pub fn find<'a>(&self, message: &'a serde_json::Value) -> Option<&'a serde_json::Value> {
        self.0.iter().try_fold(message, |here, part| match here {
            serde_json::Value::Array(list) => list.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// Who says whose record it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Id {
    /// Whatever carried it, as a part of an MQTT topic does.
    Carrier,
    /// A field of the record.
    Field(Path),
}

/// A point, and how a record becomes its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// The point, with name and range. The intake needs it to let a number in.
    pub definition: Definition,
    /// `value = number * scale + offset`, in the point's unit. Not zero.
    pub scale: f64,
    /// See [`Target::scale`].
    pub offset: f64,
    /// Numbers by which the sender says that its sensor is broken, as in -999 or 85 (a DS18B20 that was never asked).
    pub invalid: Vec<f64>,
    /// How often a value is expected. It is only a yardstick for age: nothing is asked for.
    pub period: Duration,
}

/// Records of one form, and whose they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feed {
    /// Where the records are: the message itself, or a list in it. A list is one record an element.
    pub records: Path,
    /// Who says whose a record is.
    pub id: Id,
    /// Where in a record the value stands.
    pub value: Path,
    /// Where in a record the time of its value stands; if it is not there, the time of arrival counts.
    pub time: Option<Path>,
    /// The points by the ids of their records.
    pub targets: BTreeMap<String, Target>,
}

impl Feed {
    /// The points, in the order of their ids.
    pub fn points(&self) -> impl Iterator<Item = (Point, Duration)> + '_ {
        self.targets.values().map(|target| (target.definition.point, target.period))
    }
}

/// What is common to all sources of messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceSettings {
    /// Its name.
    pub name: String,
    /// Its records.
    pub feeds: Vec<Feed>,
    /// What one message may be.
    pub bounds: Bounds,
    /// How much it may send.
    pub rate: Rate,
}

impl SourceSettings {
    /// The points in the order of the slots, each with its period.
    pub fn points(&self) -> Vec<(Point, Duration)> {
        self.feeds.iter().flat_map(Feed::points).collect()
    }
}

/// What one message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Bytes.
    pub bytes_max: usize,
    /// Records.
    pub records_max: usize,
}

impl Default for Bounds {
    /// A thousand records of a hundred bytes, and as much again: a day of quarter hours of ten sensors in one message.
    fn default() -> Self {
        Bounds { bytes_max: 256 * 1024, records_max: 1000 }
    }
}

/// A mean rate and what may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// In the long run.
    pub per_second: f64,
    /// At once.
    pub burst: f64,
}
