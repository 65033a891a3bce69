//! Values that come by themselves: records in messages become samples of points, whatever carried them.
//!
//! ```text
//!  bytes --json--> records (id, value, time) --intake--> samples in slots --> the same handle as of any wire
//!                                               |
//!                                               `--> counted: accepted, duplicate, late, future, unknown, refused, limited
//! ```
//!
//! # Why this shape
//! A register answers a question of ours: its value is as young as the question. A message comes when it likes, perhaps
//! twice, perhaps hours late from a gateway's memory, perhaps from a sensor that nobody entered. What must not happen is
//! the same for MQTT and for HTTP, so it is decided once, here, without a socket, a clock or a thread: bytes and times go
//! in, samples and verdicts come out.
//!
//! * [`settings`]: what a source is; plain data that the configuration makes.
//! * [`json`]: bytes to records, a pure function. [`stamp`]: what a time field says.
//! * [`intake`]: which record becomes a sample, and why another does not. [`quarantine`]: ids that nobody knows.
//! * [`forecast`]: the hourly list of a meteorological service.
//! * [`push`]: the side of a source that posts to us.
//!
//! # The age of a value
//! It is that of the value's own time, never of its arrival: `taken_at` is the monotonic time of arrival less what the
//! wall clock says has passed since. A clock that is stepped later makes no value younger. A value may be older than this
//! program, so a source's clock begins [`LOOK_BACK`] before the program's.

pub mod forecast;
pub mod intake;
pub mod json;
mod limiter;
pub mod push;
pub mod quarantine;
pub mod settings;
pub mod stamp;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use intake::{Delivery, Intake, MessageCounts, MessageStatistics, Verdict};
pub use settings::{Feed, Path, SourceSettings, Target};

/// How much older than the program a value may be. Nothing that control looks at is of use after a day: room sensors are
/// forgotten after two reporting intervals, forecasts after hours.
pub const LOOK_BACK: Duration = Duration::from_secs(24 * 3600);

/// A value may be ahead of our clock by so much: clocks that are kept by NTP differ by less than a second, those of
/// gateways that are set once a day by some seconds. More is a clock that is wrong, and nobody knows by how much.
pub const AHEAD_MAX: Duration = Duration::from_secs(60);

/// The zero of a source's clock for a program that began at `epoch`.
///
/// On Linux an instant may lie before the start of the machine; where it may not, nothing older than the program is taken.
pub fn epoch_before(epoch: Instant) -> Instant {
    epoch.checked_sub(LOOK_BACK).unwrap_or(epoch)
}

/// When a message arrived, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// On the source's monotonic clock.
    pub monotonic: Duration,
    /// By the wall clock, milliseconds since 1970 in UTC.
    pub wall_milliseconds: i64,
}

impl Arrival {
    /// This moment, on a clock with that zero.
    pub fn now(epoch: Instant) -> Arrival {
        let monotonic = tokio::time::Instant::now().saturating_duration_since(tokio::time::Instant::from_std(epoch));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Arrival { monotonic, wall_milliseconds: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX) }
    }
}
