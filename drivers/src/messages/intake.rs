//! Which record becomes a sample, and why another does not.
//!
//! ```text
//!  record --id unknown----------------> quarantined, never used
//!     |---- too many of one sensor ---> limited
//!     |---- time ahead of our clock --> future (a clock is wrong; nobody knows by how much)
//!     |---- same id, same time -------> duplicate
//!     |---- older than what stands ---> late: it never replaces a younger value, and is not kept
//!     |---- kept by the broker, undated, and something was heard already --> undated
//!     |---- no number, out of range --> refused; the slot says why, as with a register
//!     `---- else ---------------------> accepted
//! ```
//!
//! A late value is not written into the history either: the history is what control saw, second by second, and control did
//! not see it.
//!
//! # Which is younger
//! Two values that say their time are compared by these, so that a step of our clock between them means nothing. Where one
//! of them has no time, both are compared by `taken_at` on the monotonic clock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heatstation_points::{Fault, Point, Sample, Value};

use super::json::{Malformed, Record, Said, short};
use super::limiter::Bucket;
use super::quarantine::{Quarantine, Stranger};
use super::settings::{Rate, SourceSettings, Target};
use super::{AHEAD_MAX, Arrival, LOOK_BACK};

/// How many times of a point are remembered, so that a batch that is sent again is known as such and not as late.
const TIMES_REMEMBERED: usize = 16;

/// What one sensor may send over a carrier that it shares with others. Sensors report every ten minutes or so; a day of
/// quarter hours out of a memory is 96 records.
const ONE_SENSOR: Rate = Rate { per_second: 1.0, burst: 120.0 };

/// A value that the broker kept and that does not say its time is taken to be this many periods old: too old to be called
/// fresh (the image does so for three), young enough to be shown and held.
const KEPT_PERIODS: u32 = 4;

/// Whether a message is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Sent just now.
    Live,
    /// Kept by a broker since nobody knows when.
    Kept,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the point's newest value.
    Accepted,
    /// It was there already.
    Duplicate,
    /// There is a younger one, or it is older than a day.
    Late,
    /// Its time is ahead of our clock.
    Future,
    /// Nobody knows the id.
    Unknown,
    /// It is no value of that point.
    Refused(Fault),
    /// Too many of one sensor.
    Limited,
    /// Kept by the broker without a time, when something younger may be there.
    Undated,
}

impl Verdict {
    /// The verdict in a few words, for whoever sent it.
    pub fn in_words(self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "was there already",
            Verdict::Late => "is older than what is there, or than a day",
            Verdict::Future => "its time is more than 60 s ahead of this station's clock",
            Verdict::Unknown => "the station knows no such id",
            Verdict::Refused(Fault::Implausible) => "is outside the range that is believed of this point",
            Verdict::Refused(Fault::SensorBroken) => "says that the sensor is broken",
            Verdict::Refused(_) => "is no finite number",
            Verdict::Limited => "came too often",
            Verdict::Undated => "was kept by the broker and does not say its time",
        }
    }
}

/// Records by what became of them, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// Records that became the newest value of their point.
    pub accepted: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records older than what was there.
    pub late: u64,
    /// Records from a clock that is ahead.
    pub future: u64,
    /// Records of ids that nobody knows.
    pub unknown: u64,
    /// Records without a number, or with one that cannot be.
    pub refused: u64,
    /// Records or messages beyond the rate.
    pub limited: u64,
    /// Records that a broker kept and that say no time.
    pub undated: u64,
    /// Messages of another form.
    pub malformed: u64,
}

impl MessageCounts {
    /// Each outcome by the name that metrics give it.
    pub fn by_outcome(&self) -> [(&'static str, u64); 9] {
        [
            ("accepted", self.accepted),
            ("duplicate", self.duplicates),
            ("late", self.late),
            ("future", self.future),
            ("unknown", self.unknown),
            ("refused", self.refused),
            ("limited", self.limited),
            ("undated", self.undated),
            ("malformed", self.malformed),
        ]
    }

    fn count(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Accepted => &mut self.accepted,
            Verdict::Duplicate => &mut self.duplicates,
            Verdict::Late => &mut self.late,
            Verdict::Future => &mut self.future,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Refused(_) => &mut self.refused,
            Verdict::Limited => &mut self.limited,
            Verdict::Undated => &mut self.undated,
        };
        *counter += 1;
    }
}

/// What a source of messages shows beside its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageStatistics {
    /// What became of its records.
    pub counts: MessageCounts,
    /// Ids that nobody knows.
    pub strangers: Arc<[Stranger]>,
    /// What is wrong with the source now, in words.
    pub trouble: Option<String>,
    /// The last message or record that was not used, and why; unknown ids have their own list.
    pub last_refusal: Option<String>,
}

#[derive(Debug)]
struct Slot {
    target: Target,
    newest: Option<Newest>,
    times: VecDeque<i64>,
    bucket: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    taken_at: Duration,
    time: Option<i64>,
}

/// What is common to all sources: their records on the way into samples.
#[derive(Debug)]
pub struct Intake {
    settings: SourceSettings,
    slots: Vec<Slot>,
    by_id: Vec<HashMap<String, usize>>,
    bucket: Bucket,
    quarantine: Quarantine,
    counts: MessageCounts,
    strangers: Arc<[Stranger]>,
    last_refusal: Option<String>,
}

impl Intake {
    /// An intake that has heard nothing yet.
    pub fn new(settings: SourceSettings) -> Intake {
        let (mut slots, mut by_id) = (Vec::new(), Vec::new());
        for feed in &settings.feeds {
            let mut ids = HashMap::new();
            for (id, target) in &feed.targets {
                ids.insert(id.clone(), slots.len());
                let bucket = Bucket::new(ONE_SENSOR);
                slots.push(Slot { target: target.clone(), newest: None, times: VecDeque::new(), bucket });
            }
            by_id.push(ids);
        }
        Intake {
            bucket: Bucket::new(settings.rate),
            settings,
            slots,
            by_id,
            quarantine: Quarantine::default(),
            counts: MessageCounts::default(),
            strangers: Arc::from([]),
            last_refusal: None,
        }
    }

    /// What the source is.
    pub fn settings(&self) -> &SourceSettings {
        &self.settings
    }

    /// Whether one more message may come now.
    ///
    /// # Errors
    /// It may not; how long until it may. It is counted.
    pub fn admit(&mut self, now: Duration) -> Result<(), Duration> {
        self.bucket.take(now).inspect_err(|_| {
            self.counts.limited += 1;
            self.last_refusal = Some("messages came faster than the source may send".to_owned());
        })
    }

    /// Notes a message of another form. `whence` is its topic or its sender.
    pub fn note_malformed(&mut self, whence: &str, why: &Malformed) {
        self.counts.malformed += 1;
        self.last_refusal = Some(format!("{}: {why}", short(whence, 120)));
    }

    /// Judges one record of a feed. A sample is left by what is accepted and by what is refused as a value, with the
    /// place of its slot.
    pub fn take(
        &mut self,
        feed: usize,
        record: &Record,
        delivery: Delivery,
        arrival: Arrival,
    ) -> (Verdict, Option<(usize, Sample)>) {
        let place = self.by_id.get(feed).and_then(|ids| ids.get(&record.id)).copied();
        let (verdict, sample) = match place {
            None => (Verdict::Unknown, None),
            Some(place) => {
                let (verdict, sample) = self.slots[place].judge(record, delivery, arrival);
                (verdict, sample.map(|sample| (place, sample)))
            }
        };
        self.counts.count(verdict);
        match verdict {
            Verdict::Accepted | Verdict::Duplicate => {}
            Verdict::Unknown => {
                self.quarantine.note(&record.id, || record.value.brief(), arrival.wall_milliseconds);
                self.strangers = self.quarantine.listed();
            }
            Verdict::Late | Verdict::Future | Verdict::Refused(_) | Verdict::Limited | Verdict::Undated => {
                let value = record.value.brief();
                self.last_refusal = Some(format!("{}: {value} {}", record.id, verdict.in_words()));
            }
        }
        (verdict, sample)
    }

    /// What it shows, without what is wrong with the connection.
    pub fn statistics(&self) -> MessageStatistics {
        MessageStatistics {
            counts: self.counts,
            strangers: Arc::clone(&self.strangers),
            trouble: None,
            last_refusal: self.last_refusal.clone(),
        }
    }
}

impl Slot {
    fn point(&self) -> Point {
        self.target.definition.point
    }

    fn judge(&mut self, record: &Record, delivery: Delivery, arrival: Arrival) -> (Verdict, Option<Sample>) {
        if self.bucket.take(arrival.monotonic).is_err() {
            return (Verdict::Limited, None);
        }
        if record.time.is_none() && delivery == Delivery::Kept && self.newest.is_some() {
            return (Verdict::Undated, None);
        }
        let age = match (record.time, delivery) {
            (Some(time), _) => match age_of(time, arrival.wall_milliseconds) {
                Ok(age) => age,
                Err(verdict) => return (verdict, None),
            },
            (None, Delivery::Live) => Duration::ZERO,
            (None, Delivery::Kept) => self.target.period * KEPT_PERIODS,
        };
        // A source that began with the program has a day before it; older than that nothing is taken.
        let Some(taken_at) = arrival.monotonic.checked_sub(age).filter(|_| age <= LOOK_BACK) else {
            return (Verdict::Late, None);
        };
        if record.time.is_some_and(|time| self.times.contains(&time)) {
            return (Verdict::Duplicate, None);
        }
        let is_late = self.newest.is_some_and(|newest| match (newest.time, record.time) {
            (Some(newest), Some(time)) => time < newest,
            _ => taken_at < newest.taken_at,
        });
        if is_late {
            return (Verdict::Late, None);
        }
        self.newest = Some(Newest { taken_at, time: record.time });
        if let Some(time) = record.time {
            self.times.truncate(TIMES_REMEMBERED - 1);
            self.times.push_front(time);
        }
        let value = self.value(&record.value);
        let verdict = value.map_or_else(Verdict::Refused, |_| Verdict::Accepted);
        let source_time = record.time.and_then(system_time);
        (verdict, Some(Sample { source_time, ..Sample::plain(self.point(), value, taken_at) }))
    }

    fn value(&self, said: &Said) -> Result<Value, Fault> {
        let target = &self.target;
        let number = said.number(target.definition.unit)?;
        if target.invalid.contains(&number) {
            return Err(Fault::SensorBroken);
        }
        target.definition.accept(number * target.scale + target.offset)
    }
}

fn system_time(milliseconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(milliseconds).ok()?))
}

/// How old a value is by its own time, on arrival.
fn age_of(time: i64, wall: i64) -> Result<Duration, Verdict> {
    let milliseconds = i128::from(wall) - i128::from(time);
    if milliseconds < -(AHEAD_MAX.as_millis() as i128) {
        return Err(Verdict::Future);
    }
    u64::try_from(milliseconds.max(0)).map(Duration::from_millis).map_err(|_| Verdict::Late)
}

#[cfg(test)]
mod tests;
