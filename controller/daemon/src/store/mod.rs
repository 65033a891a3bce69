//! The store: what the station remembers, in one SQLite database per data folder.
//!
//! Three things live in `heatstation.db`, in order of how much their loss would cost:
//! the [`journal`] (events, hash-chained, only added, durable before anybody is told so), the [`checkpoint`] (the
//! latest state of the control and the signs of life, so that a restart knows how long nobody looked), and the
//! [`history`] (telemetry, compressed, bounded, and the first to give way when the disk fills).
//!
//! # Why this shape
//! * SQLite with a write-ahead log and `synchronous=FULL`: of five engines tortured with kills and simulated power
//!   losses it neither lost an acknowledged record nor failed to open. `NORMAL` is consistent but loses what it
//!   acknowledged, so it is not an option.
//! * One thread owns the only writing connection. Callers leave their wishes in a bounded mailbox and go on: no
//!   control cycle waits for a disk. Readers open connections of their own and disturb nobody.
//! * Beside the database lie `heatstation.lock` (two daemons cannot share a folder), `heatstation.reserve` (room that
//!   is given back when the disk is full, so that the journal can still be written) and `heatstation.head` (the last
//!   sequence and hash: a database that lost its tail says so at the next start).
//!
//! # What this module does not do
//! It knows nothing of what a record means: kinds and bodies belong to the caller.

pub mod backup;
pub mod checkpoint;
mod codec;
mod database;
pub mod export;
mod folder;
pub mod history;
pub mod journal;
mod mailbox;
pub mod reader;
mod reserve;
pub mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub use checkpoint::{Checkpoint, CheckpointAtStart, Liveness};
pub use export::{ExportFormat, export};
pub use history::{HistoryPoint, HistoryRow, HistorySettings, Layout};
pub use journal::{Durable, Head, NewRecord, NotKept, Record, RecordError, Stamp, Ticket};
pub use mailbox::{StoreHealth, Trouble};
pub use reader::{Bucket, Order, Range, Reader, Selection, Series};
pub use verify::{Verdict, verify};

use history::LiveSegments;
use mailbox::Mailbox;

/// How the store keeps things. The defaults fit one station on an industrial SD card or eMMC.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreSettings {
    /// Records that may wait in memory while the disk is full or broken. 10 000: what a station writes in about two
    /// weeks of normal operation, or in hours of an alarm storm.
    pub backlog_records_max: usize,
    /// Bytes of record bodies that may wait in memory. 16 MiB, within the 40 MiB that the whole daemon may take.
    pub backlog_bytes_max: usize,
    /// The preallocated file that makes room for records on a full disk. 32 MiB hold 10 000 records of 500 bytes with
    /// index, write-ahead log and a factor of two; 0 turns it off.
    pub reserve_bytes: u64,
    /// A record that took longer than this to become durable counts as late. 200 ms: the time that the control cycle
    /// waits for it.
    pub late_after: Duration,
    /// The time between two written signs of life, by the caller's monotonic clock. 30 s.
    pub liveness_interval: Duration,
    /// A checkpoint is written at most this often, and only along with something else. 10 s.
    pub checkpoint_interval_min: Duration,
    /// A checkpoint is written at the latest after this time. 60 s, which is one group of telemetry.
    pub checkpoint_interval_max: Duration,
    /// How long opening waits for the structural check of the database. 1 s; a check that takes longer goes on beside
    /// the daemon and shows in [`StoreHealth::damage`].
    pub check_wait: Duration,
    /// What telemetry is kept.
    pub history: HistorySettings,
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            backlog_records_max: 10_000,
            backlog_bytes_max: 16 << 20,
            reserve_bytes: 32 << 20,
            late_after: Duration::from_millis(200),
            liveness_interval: Duration::from_secs(30),
            checkpoint_interval_min: Duration::from_secs(10),
            checkpoint_interval_max: Duration::from_secs(60),
            check_wait: Duration::from_secs(1),
            history: HistorySettings::default(),
        }
    }
}

/// What went wrong with the store, one variant for each thing that somebody should do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file in it cannot be made, read or written. Look at the path, its owner and its disk.
    #[error("{path}: {what}: {source}; check that the folder exists and that this user may write to it")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another daemon uses the folder. Stop it or choose another folder.
    #[error(
        "{folder}: the data folder is in use by {holder}; stop that process, or give this one a data folder of its own"
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Who holds it, as far as it is known.
        holder: String,
    },
    /// The file is no database of ours. Nothing in it was touched.
    #[error("{path}: not a heatstation database ({what}); move the file away, or choose another data folder")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The database was written by a newer program. Nothing in it was touched.
    #[error(
        "{path}: written by a newer heatstation (schema {found}, this program knows up to {known}); install the newer \
         program, or restore a backup that this one made"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema found.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The database is damaged. Its records must not be taken for the truth.
    #[error(
        "{path}: the database is damaged ({what}); keep the file for examination, restore the last backup, and check \
         the disk"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A record does not carry its own hash. It was changed after it was written.
    #[error("{path}: record {sequence} is damaged ({what}); run `heatstation journal verify` and restore a backup")]
    RecordDamaged {
        /// The file.
        path: PathBuf,
        /// The record.
        sequence: u64,
        /// What was found.
        what: String,
    },
    /// SQLite could not do what was asked.
    #[error("{path}: {what}: {source}; check the disk's free space and health")]
    Database {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The store could not write everything in the time given.
    #[error(
        "{folder}: {queued} records were still waiting for the disk after {waited:?}; they are lost with this process"
    )]
    Unfinished {
        /// The data folder.
        folder: PathBuf,
        /// Records not durable.
        queued: usize,
        /// How long closing waited.
        waited: Duration,
    },
    /// What is to be exported cannot be written to its destination.
    #[error("cannot write the export: {0}")]
    Export(#[from] std::io::Error),
}

/// What was found when the store was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// There was no database; this is a new one.
    pub created: bool,
    /// The last record found, if any.
    pub head: Option<Head>,
    /// The latest checkpoint of the process before this one.
    pub checkpoint: CheckpointAtStart,
    /// The last sign of life of the process before this one. Nobody looked from then until the first sample now.
    pub previous_liveness: Option<Liveness>,
    /// Why the journal is known to be shorter than, or other than, what was once acknowledged: a damaged tail, a
    /// restored backup, or tampering. The journal is used on as it is; say so in a record and an alarm.
    pub journal_regressed: Option<String>,
    /// Groups of telemetry that were damaged and left out.
    pub damaged_groups: usize,
}

/// The store of one station. All methods return at once unless they say otherwise.
///
/// Dropping it without [`close`](Store::close) flushes too, and waits at most two seconds.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    boot_id: String,
    opening: Opening,
    settings: StoreSettings,
    mailbox: Arc<Mailbox>,
    live: LiveSegments,
    check: database::RunningCheck,
}

impl Store {
    /// Opens the data folder, makes it if it is missing, and starts the writing thread. Blocks for the structural
    /// check, at most [`StoreSettings::check_wait`], and for SQLite's own recovery.
    ///
    /// # Errors
    /// See [`StoreError`]: the folder cannot be written, is in use, or holds a foreign, newer or damaged database.
    pub fn open(folder: &Path, settings: StoreSettings) -> Result<Store, StoreError> {
        let files = folder::Files::in_folder(folder);
        let lock = folder::lock(&files)?;

        let open = || {
            let opened = database::open_for_writing(&files.database)?;
            Ok((opened, database::RunningCheck::start(&files.database)?))
        };
        let ((connection, created), check) = match open() {
            Err(StoreError::Database { .. }) if reserve::Reserve::release_to_open(&files.reserve) => open()?,
            other => other?,
        };
        if let Some(what) = check.wait(settings.check_wait) {
            return Err(StoreError::Damaged { path: files.database, what });
        }
        let boot_id = database::random_id(&connection, &files.database)?;
        let mailbox = Arc::new(Mailbox::new(&settings));
        let (writer, opening) = writer::Writer::start(writer::Parts {
            files,
            lock,
            connection,
            created,
            boot_id: boot_id.clone(),
            settings: settings.clone(),
            mailbox: Arc::clone(&mailbox),
        })?;
        let live = writer.live_segments();
        let folder = folder.to_path_buf();
        thread::Builder::new().name("heatstation-store".to_owned()).spawn(move || writer.run()).map_err(|source| {
            StoreError::Folder { path: folder.clone(), what: "cannot start the store's thread", source }
        })?;
        Ok(Store { folder, boot_id, opening, settings, mailbox, live, check })
    }

    /// What this process calls itself in its records: 128 random bits in hexadecimal, new at each start.
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// What was found when the store was opened.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The last sign of life of the process before this one.
    pub fn previous_liveness(&self) -> Option<&Liveness> {
        self.opening.previous_liveness.as_ref()
    }

    /// Appends records to the journal, all or none, in one transaction. The ticket resolves when they are on disk;
    /// when the backlog is full it resolves at once, to [`NotKept::BacklogFull`], and the loss is counted.
    pub fn append(&self, records: Vec<NewRecord>) -> Ticket {
        self.mailbox.append(records)
    }

    /// Leaves the latest state to be written along with the next commit. A newer one replaces one that is waiting.
    ///
    /// # Errors
    /// [`RecordError::TooLong`] beyond [`checkpoint::BYTES_MAX`]; the checkpoint before it stays.
    pub fn checkpoint(&self, stamp: Stamp, body: Vec<u8>) -> Result<(), RecordError> {
        if body.len() > checkpoint::BYTES_MAX {
            return Err(RecordError::TooLong { bytes: body.len(), bytes_max: checkpoint::BYTES_MAX });
        }
        self.mailbox.checkpoint(Checkpoint { boot_id: self.boot_id.clone(), stamp, body });
        Ok(())
    }

    /// A sign of life of the control cycle. Call it every cycle; it is written every
    /// [`StoreSettings::liveness_interval`]. The store does not make these itself: a hung cycle must not look alive.
    pub fn alive(&self, stamp: Stamp) {
        self.mailbox.alive(stamp);
    }

    /// Adds one row of telemetry. Its values are in the order of the layout's points.
    pub fn record(&self, row: HistoryRow) {
        self.mailbox.record(row);
    }

    /// A reader with a connection of its own, which also sees the telemetry that is not on disk yet. It blocks on the
    /// disk: use it off the control cycle.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::beside(&self.folder, self.live.clone())
    }

    /// How the store is, for metrics and alarms.
    pub fn health(&self) -> StoreHealth {
        let mut health = self.mailbox.health();
        health.damage = self.check.damage();
        health
    }

    /// The settings in force.
    pub fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// Writes everything that waits and closes the database. Blocks for at most `limit`. Later appends are refused.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] when records were still waiting. They are lost.
    pub fn close(&self, limit: Duration) -> Result<(), StoreError> {
        self.check.stop();
        let queued = self.mailbox.close(limit);
        if queued == 0 {
            Ok(())
        } else {
            Err(StoreError::Unfinished { folder: self.folder.clone(), queued, waited: limit })
        }
    }

    /// Sets how many pages the database may have, to play a full disk.
    #[cfg(test)]
    fn limit_pages(&self, pages: u32) {
        self.mailbox.limit_pages(pages);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.check.stop();
        self.mailbox.close(Duration::from_secs(2));
    }
}

/// Moves a damaged or foreign database out of the way, with the files that belong to it, so that the station can start
/// with a new one and keep the old for examination. Returns the new name of the database. `suffix` tells when or why.
///
/// # Errors
/// The folder is in use, or a file cannot be renamed.
pub fn set_aside(folder: &Path, suffix: &str) -> Result<PathBuf, StoreError> {
    let files = folder::Files::in_folder(folder);
    let _lock = folder::lock(&files)?;
    folder::set_aside(&files, suffix)
}
