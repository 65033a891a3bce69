//! A source that posts to us: the handle that the field holds, and the door through which its messages come in.
//!
//! Who may come through the door is for the web server to find out; what is behind it is the same intake as of any source.
//! A source counts as connected while it has been heard within its own time: there is no line that could be looked at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use super::intake::{Delivery, Intake, Verdict};
use super::json::{self, Malformed};
use super::settings::SourceSettings;
use super::{Arrival, epoch_before};
use crate::output::DesiredOutputs;
use crate::wire::{Shown, WireHandle, look};

/// How many of a request's troubles are told.
pub const TOLD_MAX: usize = 10;

/// A source that posts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PushSettings {
    /// Its records; one feed.
    pub source: SourceSettings,
    /// SHA-256 of its token.
    pub token_sha256: [u8; 32],
    /// A source that was not heard for so long is silent.
    pub silent_after: Duration,
    /// Whether it may bring forecasts.
    pub brings_forecasts: bool,
}

/// The door of one source.
#[derive(Clone, Debug)]
pub struct PushDoor {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    settings: PushSettings,
    epoch: Instant,
    intake: Mutex<Intake>,
    heard_at: Mutex<Option<Duration>>,
    shown: Arc<Mutex<Shown>>,
}

/// What became of the records of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Became the newest value of their point.
    pub accepted: usize,
    /// Were there already: sent again, nothing was done.
    pub duplicates: usize,
    /// Older than what is there.
    pub late: usize,
    /// Of ids that the station does not know.
    pub unknown: usize,
    /// No value of their point, of a time ahead of the clock, or too many.
    pub refused: usize,
    /// The first of those that were not used, with their places.
    pub problems: Vec<Trouble>,
}

/// Why one record was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Which record, counted from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// Why.
    pub what: &'static str,
}

/// Why a request was refused whole.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Turned {
    /// It came too soon after others.
    #[error("too many requests of this source; the next is taken in {} s", .0.as_secs() + 1)]
    TooOften(Duration),
    /// It is no request of this form; nothing of it was used.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

/// Starts a source that posts, with the door for its messages. `epoch` is the zero of the field's clock.
///
/// Must be called within a tokio runtime.
///
/// # Panics
/// Never: the door is made with the task, before the handle is returned.
pub fn spawn(settings: PushSettings, epoch: Instant) -> (WireHandle, PushDoor) {
    let epoch = epoch_before(epoch);
    let points = settings.source.points().into_iter().map(|(point, _)| point).collect();
    let name = settings.source.name.clone();
    let mut door = None;
    let handle = WireHandle::start(name, epoch, points, |shown, wishes| {
        let inside = Arc::new(Inside {
            intake: Mutex::new(Intake::new(settings.source.clone())),
            settings,
            epoch,
            heard_at: Mutex::new(None),
            shown,
        });
        door = Some(PushDoor { inside: Arc::clone(&inside) });
        watch_over(inside, wishes)
    });
    (handle, door.expect("the task is made before the handle is returned"))
}

/// Says each second whether the source is heard, until the handle is gone.
async fn watch_over(inside: Arc<Inside>, mut wishes: watch::Receiver<DesiredOutputs>) {
    inside.show();
    loop {
        tokio::select! {
            changed = wishes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        inside.show();
    }
}

impl Inside {
    fn show(&self) {
        let now = Arrival::now(self.epoch).monotonic;
        let heard_at = *lock(&self.heard_at);
        let silent = heard_at.is_none_or(|at| now.saturating_sub(at) > self.settings.silent_after);
        let messages = lock(&self.intake).statistics();
        let mut shown = look(&self.shown);
        let was_silent = !shown.statistics.is_connected;
        shown.statistics.is_connected = !silent;
        shown.statistics.connections_total += u64::from(was_silent && !silent);
        shown.statistics.messages = Some(messages);
    }
}

impl PushDoor {
    /// The source's name.
    pub fn name(&self) -> &str {
        &self.inside.settings.source.name
    }

    /// SHA-256 of its token.
    pub fn token_sha256(&self) -> &[u8; 32] {
        &self.inside.settings.token_sha256
    }

    /// Whether it may bring forecasts.
    pub fn brings_forecasts(&self) -> bool {
        self.inside.settings.brings_forecasts
    }

    /// Whether one more request may come now. Asked before its body is read.
    ///
    /// # Errors
    /// [`Turned::TooOften`].
    pub fn admit(&self) -> Result<(), Turned> {
        let now = Arrival::now(self.inside.epoch).monotonic;
        lock(&self.inside.intake).admit(now).map_err(Turned::TooOften)
    }

    /// Takes the records of a request.
    ///
    /// # Errors
    /// [`Turned::Malformed`]: nothing of it was used.
    pub fn take(&self, body: &[u8]) -> Result<Receipt, Turned> {
        self.take_at(body, Arrival::now(self.inside.epoch))
    }

    fn take_at(&self, body: &[u8], arrival: Arrival) -> Result<Receipt, Turned> {
        let settings = &self.inside.settings.source;
        let records = match json::records(body, &settings.feeds[0], "", settings.bounds) {
            Ok(records) => records,
            Err(malformed) => {
                lock(&self.inside.intake).note_malformed(self.name(), &malformed);
                return Err(malformed.into());
            }
        };
        let mut receipt = Receipt::default();
        {
            let mut intake = lock(&self.inside.intake);
            for (index, record) in records.iter().enumerate() {
                let (verdict, sample) = intake.take(0, record, Delivery::Live, arrival);
                if let Some((place, sample)) = sample {
                    look(&self.inside.shown).samples[place] = sample;
                }
                receipt.note(index, &record.id, verdict);
            }
        }
        self.heard();
        Ok(receipt)
    }

    /// Notes that the source was heard.
    pub fn heard(&self) {
        let mut heard_at = lock(&self.inside.heard_at);
        *heard_at = Some(Arrival::now(self.inside.epoch).monotonic);
        drop(heard_at);
        self.inside.show();
    }
}

impl Receipt {
    fn note(&mut self, index: usize, id: &str, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Accepted => &mut self.accepted,
            Verdict::Duplicate => &mut self.duplicates,
            Verdict::Late => &mut self.late,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Future | Verdict::Refused(_) | Verdict::Limited | Verdict::Undated => &mut self.refused,
        };
        *counter += 1;
        let is_used = matches!(verdict, Verdict::Accepted | Verdict::Duplicate);
        if !is_used && self.problems.len() < TOLD_MAX {
            self.problems.push(Trouble { index, id: id.to_owned(), what: verdict.in_words() });
        }
    }
}

/// Nothing in here can be left half done, so a poisoned lock holds sound data.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
