//! Metrics: one table that turns a snapshot into families, and two writers that turn families into text.
//!
//! ```text
//! Snapshot --[ table ]--> Vec<Family> --[ OpenMetrics 1.0: prometheus-client ]--> a scraper that asks for it
//!                                    `--[ text format 0.0.4: `classic` ]-------> everybody else
//! ```
//!
//! # Why this shape
//! Nothing is counted here. The families are built anew for each scrape from the snapshot of one cycle, so that no scrape
//! shows half of one moment and half of the next, a point that went bad is simply not there, and no global registry keeps
//! a series of a circuit that no longer exists.
//!
//! `prometheus-client` writes OpenMetrics and nothing else. A scraper that does not ask for OpenMetrics by its `Accept`
//! header must get the older text format, and the two differ in more than the last line: the older one names a counter in
//! `# TYPE` with its `_total`, knows neither `# UNIT` nor `info`, and has no `# EOF`. Both writers therefore start from
//! the same `Family` values; rewriting finished OpenMetrics text line by line would parse what we just had as data.
//! The decision and its price are in `docs/adr/0006-metrics-library.md`.
//!
//! # Labels
//! All come from closed sets: the station, its circuits, points and wires as configured, and the enums of the core.
//! `point` is the catalogue's name without its `circuit.<name>.`, which stands in `circuit`: so that one query covers all
//! circuits of all stations.
//!
//! # What is not exported
//! A value of bad quality: its series ends, and `heatstation_point_quality` says why it is missing. Single rooms: they are
//! people's homes, and hundreds of them; their summary is exported, the API has the rest.

mod classic;
mod negotiation;
mod openmetrics;
mod states;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

pub use negotiation::Format;
pub(crate) use states::{mode_name, pump_reason_name, status_name, valve_reason_name};

use crate::opcua_server::counters::Counted;
use crate::snapshot::Snapshot;

/// What the snapshot does not know of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The program's version.
    pub version: &'static str,
    /// How long ago the snapshot arrived. It grows when the cycle hangs, while all else stands still.
    pub age: Duration,
    /// What the OPC UA server counts; none where the station is none.
    pub opcua: Option<Counted>,
}

/// The families of a snapshot as text.
pub fn exposition(snapshot: &Snapshot, about: About, format: Format) -> String {
    let families = table::families(snapshot, about);
    match format {
        Format::Classic => classic::write(&families),
        Format::OpenMetrics => openmetrics::write(families),
    }
}

/// What kind of family it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It only grows, but for restarts and exchanged meters.
    Counter,
    /// It goes both ways.
    Gauge,
    /// Counts by upper bound.
    Histogram,
    /// Always 1; the labels are the information.
    Info,
    /// Neither of these. Used for the quantiles of rooms: they are a summary without sum and count, which
    /// `prometheus-client` cannot write, and a gauge must not carry the label `quantile`.
    Unknown,
}

/// All series of one name.
#[derive(Clone, Debug, PartialEq)]
struct Family {
    /// Without unit and without `_total` or `_info`.
    name: &'static str,
    /// The unit, which is also the end of the name; empty for none.
    unit: &'static str,
    kind: Kind,
    help: &'static str,
    samples: Vec<Sample>,
}

/// One series of a family with its value.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    labels: Labels,
    value: Number,
}

type Labels = Vec<(&'static str, Cow<'static, str>)>;

#[derive(Clone, Debug, PartialEq)]
enum Number {
    Whole(u64),
    Real(f64),
    Histogram(Histogram),
}

#[derive(Clone, Debug, PartialEq)]
struct Histogram {
    sum: f64,
    count: u64,
    /// Upper bound and how many were at most that and above the bound before: not cumulated. The last bound is infinite.
    buckets: Vec<(f64, u64)>,
}

impl Family {
    /// The name with its unit, as both formats spell it.
    fn full_name(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{}_{}", self.name, self.unit) }
    }
}
