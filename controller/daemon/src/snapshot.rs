//! What the daemon shows of itself: one snapshot a cycle, read by metrics, page and API and by nobody's device.
//!
//! The cycle replaces it whole; whoever reads holds an `Arc` of one moment. A reader may lag, fail or be restarted alone.

use std::sync::Arc;
use std::time::Duration;

use heatstation_core::Report;
use heatstation_core::Settings;
use heatstation_core::accident_rate::AccidentRate;
use heatstation_core::outage_book::Outage;
use heatstation_drivers::output::{OutputState, OutputStatus};
use heatstation_drivers::wire::WireStatistics;
use heatstation_points::{Catalogue, Point, Reading, Value};
use tokio::sync::watch;

use crate::store::StoreHealth;

/// What does not change from cycle to cycle; replaced as a whole when a configuration is loaded.
#[derive(Debug)]
pub struct Facts {
    /// The station's name as people call it, as in 康泰园换热站.
    pub name: String,
    /// The settings in force.
    pub settings: Settings,
    /// The points of the station.
    pub catalogue: Catalogue,
    /// SHA-256 of the configuration as loaded, in hexadecimal: which settings a record was made under.
    pub configuration_hash: String,
}

/// One command and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandShown {
    /// Which output.
    pub point: Point,
    /// What it shall be, in the point's unit.
    pub value: f64,
    /// What became of it; `None` where nothing writes it.
    pub status: Option<OutputStatus>,
}

impl CommandShown {
    /// How far it got.
    pub fn state(&self) -> Option<OutputState> {
        self.status.as_ref().map(|status| status.state)
    }
}

/// One wire.
#[derive(Clone, Debug, PartialEq)]
pub struct WireShown {
    /// Its name.
    pub name: String,
    /// Its counters.
    pub statistics: WireStatistics,
    /// The time on its clock, which its times count by.
    pub now: Duration,
    /// The age of its oldest good sample.
    pub oldest_age: Option<Duration>,
}

/// The upper bounds of the buckets of the cycle's duration, in seconds. The last bucket has none.
pub const CYCLE_BUCKETS: [f64; 9] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

/// A cycle that begins by more than this after its time is one that a gateway with many stations should not have.
pub const NOTICEABLY_LATE: Duration = Duration::from_millis(100);

/// How the cycle fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CycleShown {
    /// Cycles since the start.
    pub count: u64,
    /// Cycles that began more than half a period late.
    pub late_total: u64,
    /// Cycles that began more than [`NOTICEABLY_LATE`] after their time.
    pub noticeably_late_total: u64,
    /// The latest that a cycle began after its time.
    pub lateness_max: Duration,
    /// Sum of all durations.
    pub duration_total: Duration,
    /// How many cycles took at most the bound of their bucket (not cumulated); the last one has no bound.
    pub duration_buckets: [u64; CYCLE_BUCKETS.len() + 1],
}

/// All that is to be shown of one cycle.
#[derive(Debug)]
pub struct Snapshot {
    /// What does not change.
    pub facts: Arc<Facts>,
    /// What was decided, and why.
    pub report: Report,
    /// What was read, by the slots of the catalogue. Outputs are never read; their slots say "not configured".
    pub readings: Vec<Reading<Value>>,
    /// What is sent and what became of it.
    pub commands: Vec<CommandShown>,
    /// The accident rate of the season; none for a station without area or season.
    pub accident_rate: Option<AccidentRate>,
    /// The outages of the season, oldest first.
    pub outages: Arc<[Outage]>,
    /// The wires.
    pub wires: Vec<WireShown>,
    /// The store.
    pub store: StoreHealth,
    /// The cycle itself.
    pub cycle: CycleShown,
}

/// Where snapshots are taken from. `None` until the first cycle is over.
pub type Snapshots = watch::Receiver<Option<Arc<Snapshot>>>;
