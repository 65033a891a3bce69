//! The writing thread: the only one that changes the database.
//!
//! Its order of business is the order of what would hurt: records first, then the minute's telemetry, then one short
//! slice of housekeeping, and back to the mailbox. So a record waits for one slice at most.
//!
//! # When the disk refuses
//! Nothing is thrown away: the batch stays in hand and is tried again, and what comes after it waits in the mailbox.
//! * Full: the reserve is given back and the batch tried at once; telemetry pauses until there is room again.
//! * Broken: after a failed sync the page cache may call clean what never reached the disk, so the connection is
//!   closed, the database opened anew, its log written back and emptied, and its head compared with ours before
//!   anything is added to it. A commit that failed halfway may turn out to have happened; then it is not repeated.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::checkpoint::{self, Checkpoint};
use super::database;
use super::folder::{Files, FolderLock, HeadFile};
use super::history::{Keeper, LiveSegments, Slice};
use super::journal::{self, Durable, Head, NewRecord, Stamp};
use super::mailbox::{Batch, Letters, Mailbox, Trouble};
use super::reserve::{Reserve, free_bytes, is_disk_full};
use super::{Opening, StoreError, StoreSettings};

/// Records in one transaction. Enough to drain a full backlog in twenty, small enough for little room.
const RECORDS_PER_COMMIT: usize = 512;

/// The waits between tries to write records to a disk that refuses them.
const RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The wait before telemetry is tried again.
const HISTORY_RETRY_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Parts {
    pub files: Files,
    pub lock: FolderLock,
    pub connection: Connection,
    pub created: bool,
    pub boot_id: String,
    pub settings: StoreSettings,
    pub mailbox: Arc<Mailbox>,
}

pub(super) struct Writer {
    files: Files,
    boot_id: String,
    settings: StoreSettings,
    mailbox: Arc<Mailbox>,
    /// `None` after it failed in a way that it must not be trusted any more.
    connection: Option<Connection>,
    head: Option<Head>,
    /// What the chain would be if the commit that failed had happened.
    intended: Option<Head>,
    head_file: HeadFile,
    reserve: Reserve,
    keeper: Keeper,
    in_hand: Vec<Batch>,
    retry: Option<Retry>,
    checkpoint: Option<Checkpoint>,
    checkpoint_written: Option<u64>,
    liveness: Option<Stamp>,
    liveness_written: Option<u64>,
    history_retry_at: Option<Instant>,
    housekeeping: Slice,
    closing_until: Option<Instant>,
    // Last, so that the folder is free only when everything else is closed.
    _lock: FolderLock,
}

#[derive(Clone, Copy)]
struct Retry {
    at: Instant,
    wait: Duration,
}

/// Tells everybody that the thread has ended, however it ended.
struct StopGuard(Arc<Mailbox>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

impl Writer {
    pub fn start(parts: Parts) -> Result<(Writer, Opening), StoreError> {
        let Parts { files, lock, connection, created, boot_id, settings, mailbox } = parts;
        let failed = database::failed(&files.database, "cannot read the end of the journal");
        let head = sound_head(&connection, &files)?;
        let journal_regressed = regression(&connection, head, &files).map_err(&failed)?;
        let previous_liveness = checkpoint::read_liveness(&connection).map_err(&failed)?;
        let checkpoint = checkpoint::read(&connection);
        let (keeper, damaged_groups) = Keeper::load(&connection, settings.history.clone())
            .map_err(database::failed(&files.database, "cannot read the history"))?;
        let mut reserve = Reserve::new(files.reserve.clone(), settings.reserve_bytes);
        reserve.replenish(Instant::now());

        let opening = Opening { created, head, checkpoint, previous_liveness, journal_regressed, damaged_groups };
        let writer = Writer {
            head_file: HeadFile::new(files.head.clone()),
            files,
            boot_id,
            settings,
            mailbox,
            connection: Some(connection),
            head,
            intended: None,
            reserve,
            keeper,
            in_hand: Vec::new(),
            retry: None,
            checkpoint: None,
            checkpoint_written: None,
            liveness: None,
            liveness_written: None,
            history_retry_at: None,
            housekeeping: Slice::More,
            closing_until: None,
            _lock: lock,
        };
        writer.tell(None);
        Ok((writer, opening))
    }

    pub fn live_segments(&self) -> LiveSegments {
        self.keeper.live()
    }

    pub fn run(self) {
        let _told_last = StopGuard(Arc::clone(&self.mailbox));
        let mut writer = self;
        loop {
            let records_max = if writer.in_hand.is_empty() { RECORDS_PER_COMMIT } else { 0 };
            let letters = writer.mailbox.take(writer.patience(), records_max);
            let is_last = letters.batches.is_empty() && writer.in_hand.is_empty();
            writer.accept(letters);
            let now = Instant::now();
            writer.write_records(now);
            writer.keep_history(now);
            writer.reserve.replenish(now);
            if let Some(until) = writer.closing_until {
                if is_last {
                    writer.write_the_rest();
                    break;
                }
                if until <= now {
                    break;
                }
                if !writer.in_hand.is_empty() {
                    // The mailbox no longer waits for us, so the pace of retries is kept here.
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }

    /// How long to wait for letters before there is something to do anyway.
    fn patience(&self) -> Option<Duration> {
        if self.housekeeping == Slice::More && self.may_keep_history(Instant::now()) {
            return Some(Duration::ZERO);
        }
        let retry = self.retry.filter(|_| self.has_records_business()).map(|retry| retry.at);
        let history = self.history_retry_at.filter(|_| !self.reserve.is_spent());
        [retry, history, self.reserve.look_at()]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self, letters: Letters) {
        self.in_hand.extend(letters.batches);
        self.keeper.absorb(letters.rows);
        self.checkpoint = letters.checkpoint.or(self.checkpoint.take());
        self.liveness = letters.liveness.or(self.liveness.take());
        self.closing_until = letters.closing_until;
        #[cfg(test)]
        if let (Some(pages), Some(connection)) = (letters.pages_max, &self.connection) {
            connection.pragma_update(None, "max_page_count", pages).expect("the pragma takes any number");
        }
    }

    fn is_liveness_due(&self) -> bool {
        self.liveness.is_some_and(|stamp| has_passed(self.settings.liveness_interval, self.liveness_written, stamp))
    }

    fn has_checkpoint_after(&self, interval: Duration) -> bool {
        self.checkpoint
            .as_ref()
            .is_some_and(|checkpoint| has_passed(interval, self.checkpoint_written, checkpoint.stamp))
    }

    fn has_records_business(&self) -> bool {
        !self.in_hand.is_empty()
            || self.is_liveness_due()
            || self.has_checkpoint_after(self.settings.checkpoint_interval_max)
    }

    fn write_records(&mut self, now: Instant) {
        if !self.has_records_business() || self.retry.is_some_and(|retry| now < retry.at) {
            return;
        }
        let started = Instant::now();
        let mut outcome = self.commit_records();
        if let Err(error) = &outcome
            && (trouble_of(error) == Trouble::DiskFull || is_disk_full(&self.files.database))
            && !self.in_hand.is_empty()
            && self.reserve.release()
        {
            tracing::error!(folder = %self.files.folder.display(), "the disk is full: the journal takes the reserve");
            outcome = self.commit_records();
        }
        match outcome {
            Ok(()) => {
                self.retry = None;
                self.tell(Some(started.elapsed()));
            }
            Err(error) => {
                let wait = self.retry.map_or(RETRY_WAITS.0, |retry| (retry.wait * 2).min(RETRY_WAITS.1));
                self.retry = Some(Retry { at: Instant::now() + wait, wait });
                let trouble = self.note(&error);
                let free = free_bytes(&self.files.database);
                let spent = self.reserve.is_spent();
                self.mailbox.report(|health| {
                    health.trouble = Some(trouble);
                    health.last_error = Some(error.to_string());
                    health.disk_free_bytes = free;
                    health.reserve_spent = spent;
                });
            }
        }
    }

    /// Records, and what goes along with them, in one transaction; then everybody who waits for it is told.
    fn commit_records(&mut self) -> Result<(), StoreError> {
        self.trusted_connection()?;
        if self.in_hand.is_empty() && !self.has_records_business() {
            return Ok(());
        }
        // On a full disk the checkpoint waits: the reserve is for records.
        let checkpoint = self
            .checkpoint
            .as_ref()
            .filter(|_| self.has_checkpoint_after(self.settings.checkpoint_interval_min) && !self.reserve.is_spent());
        let first_stamp = self.in_hand.first().and_then(|batch| batch.records.first()).map(NewRecord::stamp);
        // A run that wrote a record has a sign of life as well: the restart after it relies on that.
        let liveness = match (self.is_liveness_due(), self.liveness_written) {
            (true, _) => self.liveness,
            (false, None) => first_stamp,
            (false, Some(_)) => None,
        };
        let checkpoint_stamp = checkpoint.map(|checkpoint| checkpoint.stamp);
        let wanted = database::failed(&self.files.database, "cannot write to the journal");
        let Some(connection) = &mut self.connection else { return Ok(()) };

        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wanted)?;
        let records = self.in_hand.iter().flat_map(|batch| &batch.records);
        let head = if self.in_hand.is_empty() {
            self.head
        } else {
            journal::insert(&transaction, self.head, &self.boot_id, records).map_err(&wanted)?
        };
        if let Some(checkpoint) = checkpoint {
            checkpoint::write(&transaction, checkpoint).map_err(&wanted)?;
        }
        if let Some(stamp) = liveness {
            checkpoint::write_liveness(&transaction, &self.boot_id, stamp).map_err(&wanted)?;
        }
        self.intended = head;
        transaction.commit().map_err(&wanted)?;

        if let Some(stamp) = checkpoint_stamp {
            self.checkpoint_written = Some(stamp.monotonic_milliseconds);
            self.checkpoint = None;
        }
        if let Some(stamp) = liveness {
            self.liveness_written = Some(stamp.monotonic_milliseconds);
            self.liveness = None;
        }
        self.acknowledge(head);
        Ok(())
    }

    /// The batches in hand are durable and the chain ends at `head`.
    fn acknowledge(&mut self, head: Option<Head>) {
        self.intended = None;
        let before = self.head.map_or(0, |head| head.sequence);
        self.head = head;
        let Some(head) = head.filter(|_| !self.in_hand.is_empty()) else { return };
        self.head_file.write(&head);
        let batches = std::mem::take(&mut self.in_hand);
        let (mut records, mut weight, mut late) = (0, 0, 0);
        for batch in &batches {
            records += batch.records.len();
            weight += batch.weight;
            if batch.since.elapsed() > self.settings.late_after {
                late += batch.records.len() as u64;
            }
        }
        // The books first: whoever has the answer finds it in the figures as well.
        self.mailbox.done(records, weight);
        self.mailbox.report(|health| {
            health.records_late_total += late;
            health.records_total = head.sequence;
        });
        let mut first = before + 1;
        for batch in batches {
            let count = batch.records.len() as u64;
            // Whoever asked may have gone on without the answer.
            let _ = batch.answer.send(Ok(Durable { first, last: first + count - 1, head }));
            first += count;
        }
    }

    /// Makes sure of a connection whose head is ours, opening a new one if the last one failed.
    fn trusted_connection(&mut self) -> Result<(), StoreError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let path = &self.files.database;
        // A vanished file (a disk that is no longer mounted) must not be made anew: that would be an empty journal.
        fs::metadata(path).map_err(|source| StoreError::Folder {
            path: path.clone(),
            what: "the database is gone while in use",
            source,
        })?;
        let (connection, _) = database::open_for_writing(path)?;
        let failed = database::failed(path, "cannot write the log back after an error");
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
        let found = sound_head(&connection, &self.files)?;
        self.connection = Some(connection);
        if found == self.head {
            self.intended = None;
        } else if found == self.intended {
            self.acknowledge(found);
        } else {
            let what =
                format!("after a disk error the journal ends at {} and not at {}", text_of(found), text_of(self.head));
            tracing::error!(what, "acknowledged records are gone");
            self.mailbox.report(|health| health.regressed = Some(what));
            self.head = found;
            self.intended = None;
        }
        Ok(())
    }

    fn may_keep_history(&self, now: Instant) -> bool {
        !self.reserve.is_spent() && self.history_retry_at.is_none_or(|at| at <= now)
    }

    fn keep_history(&mut self, now: Instant) {
        let lost = self.keeper.take_rows_lost();
        if lost > 0 {
            self.mailbox.report(|health| health.history_rows_lost_total += lost);
        }
        if !self.may_keep_history(now) {
            return;
        }
        let group_due = self.keeper.is_group_due();
        if !group_due && self.housekeeping == Slice::Nothing && self.history_retry_at.is_none() {
            return;
        }
        let wrote = if group_due { self.commit_group() } else { Ok(()) };
        match wrote.and_then(|()| self.housekeep()) {
            Ok(slice) => {
                self.history_retry_at = None;
                self.housekeeping = if group_due { Slice::More } else { slice };
                if group_due || slice == Slice::Nothing {
                    self.tell(None);
                }
            }
            Err(error) => {
                self.history_retry_at = Some(Instant::now() + HISTORY_RETRY_WAIT);
                let trouble = self.note(&error);
                self.mailbox.report(|health| {
                    health.history_trouble = Some(trouble);
                    health.last_error = Some(error.to_string());
                });
            }
        }
    }

    fn commit_group(&mut self) -> Result<(), StoreError> {
        self.trusted_connection()?;
        let checkpoint =
            self.checkpoint.as_ref().filter(|_| self.has_checkpoint_after(self.settings.checkpoint_interval_min));
        let checkpoint_stamp = checkpoint.map(|checkpoint| checkpoint.stamp);
        let wanted = database::failed(&self.files.database, "cannot write telemetry");
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wanted)?;
        let written = self.keeper.write_group(&transaction).map_err(&wanted)?;
        if let Some(checkpoint) = checkpoint {
            checkpoint::write(&transaction, checkpoint).map_err(&wanted)?;
        }
        transaction.commit().map_err(&wanted)?;
        self.keeper.group_written(written);
        if let Some(stamp) = checkpoint_stamp {
            self.checkpoint_written = Some(stamp.monotonic_milliseconds);
            self.checkpoint = None;
        }
        Ok(())
    }

    fn housekeep(&mut self) -> Result<Slice, StoreError> {
        if self.closing_until.is_some() {
            return Ok(Slice::Nothing);
        }
        self.trusted_connection()?;
        let Some(connection) = &mut self.connection else { return Ok(Slice::Nothing) };
        self.keeper.work(connection).map_err(database::failed(&self.files.database, "cannot seal or clear telemetry"))
    }

    /// At the end: what would otherwise have waited for its minute. What fails here is telemetry, not records.
    fn write_the_rest(&mut self) {
        if self.reserve.is_spent() {
            return;
        }
        self.settings.checkpoint_interval_min = Duration::ZERO;
        self.settings.checkpoint_interval_max = Duration::ZERO;
        self.settings.liveness_interval = Duration::ZERO;
        let outcome = self
            .commit_records()
            .and_then(|()| if self.keeper.rows_waiting() > 0 { self.commit_group() } else { Ok(()) });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the last minute of telemetry was not written");
        }
    }

    /// Logs an error when it is news, gives up the connection if it can no longer be trusted, and sorts the trouble.
    fn note(&mut self, error: &StoreError) -> Trouble {
        let trouble = trouble_of(error);
        match trouble {
            Trouble::DiskFull | Trouble::Busy => {}
            Trouble::InputOutput | Trouble::Damaged | Trouble::Other => self.connection = None,
        }
        tracing::warn!(%error, "the store cannot write; it will try again");
        trouble
    }

    /// Tells how things are after something went well.
    fn tell(&self, commit: Option<Duration>) {
        let records_total = self.head.map_or(0, |head| head.sequence);
        let database_bytes = fs::metadata(&self.files.database).map_or(0, |file| file.len());
        let disk_free_bytes = free_bytes(&self.files.database);
        let history_bytes = self.keeper.sealed_bytes();
        let reserve_spent = self.reserve.is_spent();
        self.mailbox.report(|health| {
            health.records_total = records_total;
            health.database_bytes = database_bytes;
            health.disk_free_bytes = disk_free_bytes;
            health.history_bytes = history_bytes;
            health.reserve_spent = reserve_spent;
            match commit {
                Some(_) => {
                    health.last_commit = commit;
                    health.trouble = None;
                }
                None => health.history_trouble = None,
            }
        });
    }
}

/// The last record, whose own hash and whose note in the database must agree.
fn sound_head(connection: &Connection, files: &Files) -> Result<Option<Head>, StoreError> {
    let failed = database::failed(&files.database, "cannot read the end of the journal");
    let last = journal::last(connection).map_err(&failed)?;
    if let Some(record) = last.as_ref().filter(|record| record.digest() != record.hash) {
        return Err(StoreError::RecordDamaged {
            path: files.database.clone(),
            sequence: record.sequence,
            what: "its content does not match its hash".to_owned(),
        });
    }
    let head = last.map(|record| record.head());
    let noted = journal::noted_head(connection).map_err(&failed)?;
    if head != noted {
        return Err(StoreError::Damaged {
            path: files.database.clone(),
            what: format!("the journal ends at {}, and the database notes {}", text_of(head), text_of(noted)),
        });
    }
    Ok(head)
}

/// Why the journal is not the one that was acknowledged, judged by the head kept beside it.
fn regression(connection: &Connection, head: Option<Head>, files: &Files) -> rusqlite::Result<Option<String>> {
    let Some(kept) = HeadFile::read(&files.head) else { return Ok(None) };
    let reached = head.map_or(0, |head| head.sequence);
    if reached < kept.sequence {
        let gone = kept.sequence - reached;
        return Ok(Some(format!(
            "the journal ends at record {reached}, and record {} was acknowledged: {gone} records are gone",
            kept.sequence
        )));
    }
    let same = journal::hash_of(connection, kept.sequence)? == Some(kept.hash);
    Ok((!same).then(|| format!("record {} is not the one that was acknowledged", kept.sequence)))
}

fn text_of(head: Option<Head>) -> String {
    head.map_or_else(|| "nothing".to_owned(), |head| format!("record {}", head.sequence))
}

fn has_passed(interval: Duration, last: Option<u64>, now: Stamp) -> bool {
    last.is_none_or(|last| u128::from(now.monotonic_milliseconds.saturating_sub(last)) >= interval.as_millis())
}

fn trouble_of(error: &StoreError) -> Trouble {
    match error {
        StoreError::Database { source, .. } => match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Trouble::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Busy,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => Trouble::InputOutput,
            _ => Trouble::Other,
        },
        StoreError::Damaged { .. } | StoreError::RecordDamaged { .. } | StoreError::Foreign { .. } => Trouble::Damaged,
        StoreError::Folder { .. } => Trouble::InputOutput,
        StoreError::InUse { .. } | StoreError::Newer { .. } | StoreError::Unfinished { .. } | StoreError::Export(_) => {
            Trouble::Other
        }
    }
}

#[cfg(test)]
mod tests;
