//! The mailbox between everybody and the writing thread.
//!
//! Its lock is held for as long as it takes to move a pointer, never over I/O, so whoever leaves something here waits
//! for no disk. Everything in it is bounded: records by number and bytes (beyond that they are refused and counted),
//! telemetry by rows (the oldest give way), and of checkpoints and signs of life only the latest counts.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::StoreSettings;
use super::checkpoint::Checkpoint;
use super::history::HistoryRow;
use super::journal::{Durable, NewRecord, NotKept, Stamp, Ticket};

/// Rows of telemetry that wait while the writer is held up: one hour at 10 s. The control cycle hands them over, so
/// they may not grow with the length of a disk's illness.
const ROWS_MAX: usize = 360;

/// How the store is. One snapshot, for metrics and alarms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreHealth {
    /// Records in the journal.
    pub records_total: u64,
    /// Records that wait for the disk.
    pub records_queued: usize,
    /// How long the oldest of them has been waiting.
    pub oldest_queued: Option<Duration>,
    /// Records that took longer than [`StoreSettings::late_after`] to become durable, since start.
    pub records_late_total: u64,
    /// Records refused because the backlog was full, since start. Each is a hole in what is known.
    pub records_lost_total: u64,
    /// How long the last commit took, disk included.
    pub last_commit: Option<Duration>,
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of sealed telemetry in it.
    pub history_bytes: u64,
    /// Rows of telemetry dropped because the disk took none for too long, since start.
    pub history_rows_lost_total: u64,
    /// Bytes that may still be written to the disk.
    pub disk_free_bytes: Option<u64>,
    /// The reserve has been given back: the disk is full and telemetry is not written.
    pub reserve_spent: bool,
    /// What keeps records from the disk right now; `None` when the last commit went well.
    pub trouble: Option<Trouble>,
    /// What keeps telemetry from the disk right now.
    pub history_trouble: Option<Trouble>,
    /// The last trouble, even when it is over.
    pub last_error: Option<String>,
    /// Acknowledged records that a broken disk took back, as far as that was noticed while running.
    pub regressed: Option<String>,
    /// What the structural check found.
    pub damage: Option<String>,
    /// The writing thread has ended: nothing is stored any more.
    pub stopped: bool,
}

/// What keeps the store from writing, one variant for each thing that helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The disk is full. Make room.
    DiskFull,
    /// Another program holds the database's write lock. Close it.
    Busy,
    /// The disk fails. Replace it.
    InputOutput,
    /// The database is damaged. Restore a backup.
    Damaged,
    /// Anything else; the text says what.
    Other,
}

/// Records that go in together or not at all.
#[derive(Debug)]
pub(super) struct Batch {
    pub records: Vec<NewRecord>,
    pub weight: usize,
    pub since: Instant,
    pub answer: oneshot::Sender<Result<Durable, NotKept>>,
}

/// What the writer takes out in one go.
#[derive(Debug, Default)]
pub(super) struct Letters {
    pub batches: Vec<Batch>,
    pub rows: VecDeque<HistoryRow>,
    pub checkpoint: Option<Checkpoint>,
    pub liveness: Option<Stamp>,
    /// Until when to go on trying, once the store is being closed.
    pub closing_until: Option<Instant>,
    #[cfg(test)]
    pub pages_max: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    letters: Condvar,
    emptied: Condvar,
    records_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Inner {
    batches: VecDeque<Batch>,
    /// Records here and in the writer's hands.
    queued_records: usize,
    queued_bytes: usize,
    /// Since when the oldest batch in the writer's hands has been waiting.
    in_hand_since: Option<Instant>,
    rows: VecDeque<HistoryRow>,
    checkpoint: Option<Checkpoint>,
    liveness: Option<Stamp>,
    closing_until: Option<Instant>,
    health: StoreHealth,
    #[cfg(test)]
    pages_max: Option<u32>,
}

impl Mailbox {
    pub fn new(settings: &StoreSettings) -> Mailbox {
        Mailbox {
            inner: Mutex::default(),
            letters: Condvar::new(),
            emptied: Condvar::new(),
            records_max: settings.backlog_records_max,
            bytes_max: settings.backlog_bytes_max,
        }
    }

    /// A panic while the lock was held cannot leave it half-changed in a way that matters more than going on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn append(&self, records: Vec<NewRecord>) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let refusal = self.queue(records, answer);
        if let Err((answer, why)) = refusal {
            // Nobody listening is fine: the loss is counted.
            let _ = answer.send(Err(why));
        }
        ticket
    }

    fn queue(
        &self,
        records: Vec<NewRecord>,
        answer: oneshot::Sender<Result<Durable, NotKept>>,
    ) -> Result<(), (oneshot::Sender<Result<Durable, NotKept>>, NotKept)> {
        let weight = records.iter().map(NewRecord::weight).sum::<usize>();
        let mut inner = self.lock();
        if records.is_empty() {
            return Err((answer, NotKept::Empty));
        }
        if inner.closing_until.is_some() || inner.health.stopped {
            inner.health.records_lost_total += records.len() as u64;
            return Err((answer, NotKept::Closed));
        }
        if inner.queued_records + records.len() > self.records_max || inner.queued_bytes + weight > self.bytes_max {
            inner.health.records_lost_total += records.len() as u64;
            return Err((answer, NotKept::BacklogFull { waiting: inner.queued_records }));
        }
        inner.queued_records += records.len();
        inner.queued_bytes += weight;
        inner.batches.push_back(Batch { records, weight, since: Instant::now(), answer });
        self.letters.notify_one();
        Ok(())
    }

    pub fn checkpoint(&self, checkpoint: Checkpoint) {
        self.lock().checkpoint = Some(checkpoint);
        self.letters.notify_one();
    }

    pub fn alive(&self, stamp: Stamp) {
        self.lock().liveness = Some(stamp);
        self.letters.notify_one();
    }

    pub fn record(&self, row: HistoryRow) {
        let mut inner = self.lock();
        if inner.rows.len() >= ROWS_MAX {
            inner.rows.pop_front();
            inner.health.history_rows_lost_total += 1;
        }
        inner.rows.push_back(row);
        self.letters.notify_one();
    }

    pub fn health(&self) -> StoreHealth {
        let inner = self.lock();
        let oldest = inner.in_hand_since.or_else(|| inner.batches.front().map(|batch| batch.since));
        StoreHealth {
            records_queued: inner.queued_records,
            oldest_queued: oldest.map(|since| since.elapsed()),
            ..inner.health.clone()
        }
    }

    /// Asks the writer to finish and waits for it. Returns the records that were not written.
    pub fn close(&self, limit: Duration) -> usize {
        let until = Instant::now() + limit;
        let mut inner = self.lock();
        inner.closing_until = Some(until);
        self.letters.notify_one();
        while !inner.health.stopped {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            inner = self.emptied.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.queued_records
    }

    #[cfg(test)]
    pub fn limit_pages(&self, pages: u32) {
        self.lock().pages_max = Some(pages);
        self.letters.notify_one();
    }

    /// Whether the writer has taken everything.
    #[cfg(test)]
    pub fn is_taken(&self) -> bool {
        let inner = self.lock();
        inner.is_empty(1)
    }

    /// For the writer: waits for letters, at most `limit` (for ever if there is none), and takes them. Batches are
    /// taken whole, up to `records_max` records unless the first alone has more; with 0 they stay where they are.
    /// Once the store is closing it does not wait.
    pub fn take(&self, limit: Option<Duration>, records_max: usize) -> Letters {
        let until = limit.map(|limit| Instant::now() + limit);
        let mut inner = self.lock();
        while inner.is_empty(records_max) && inner.closing_until.is_none() {
            let Some(until) = until else {
                inner = self.letters.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            inner = self.letters.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut letters = Letters {
            batches: Vec::new(),
            rows: std::mem::take(&mut inner.rows),
            checkpoint: inner.checkpoint.take(),
            liveness: inner.liveness.take(),
            closing_until: inner.closing_until,
            #[cfg(test)]
            pages_max: inner.pages_max.take(),
        };
        let mut records = 0;
        while let Some(batch) = inner.batches.front() {
            let fits = records + batch.records.len() <= records_max || (records == 0 && records_max > 0);
            if !fits {
                break;
            }
            records += batch.records.len();
            letters.batches.extend(inner.batches.pop_front());
        }
        if let Some(batch) = letters.batches.first() {
            inner.in_hand_since = Some(batch.since);
        }
        letters
    }

    /// For the writer: batches are done with, one way or the other.
    pub fn done(&self, records: usize, weight: usize) {
        let mut inner = self.lock();
        inner.queued_records -= records;
        inner.queued_bytes -= weight;
        inner.in_hand_since = None;
    }

    /// For the writer: says how it went.
    pub fn report(&self, tell: impl FnOnce(&mut StoreHealth)) {
        tell(&mut self.lock().health);
    }

    /// For the writer: it has ended, in order or not. Waiting tickets resolve to [`NotKept::Closed`].
    pub fn stopped(&self) {
        let mut inner = self.lock();
        inner.health.stopped = true;
        inner.batches.clear();
        self.emptied.notify_all();
    }
}

impl Inner {
    fn is_empty(&self, records_max: usize) -> bool {
        #[cfg(test)]
        if self.pages_max.is_some() {
            return false;
        }
        let no_batches = self.batches.is_empty() || records_max == 0;
        no_batches && self.rows.is_empty() && self.checkpoint.is_none() && self.liveness.is_none()
    }
}
