//! Is the journal what was written? Answered from the file alone, without trusting the program that wrote it.
//!
//! Every record is read and its hash computed; sequences must run from 1 without a gap and each record must name its
//! predecessor's hash. What a chain alone cannot show, that its end was cut off, is judged by heads: the one that the
//! database notes beside the journal, the one in `heatstation.head`, and the one that the caller kept elsewhere.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;

use super::StoreError;
use super::database;
use super::folder::{Files, HeadFile};
use super::journal::{self, COLUMNS, GENESIS, Head, Record};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every record is as it was written, and none is missing as far as the heads can tell.
    Sound {
        /// How many records there are.
        records: u64,
        /// Where the chain ends. Keep it elsewhere, and no later loss or rewriting up to here can hide.
        head: Option<Head>,
    },
    /// Something was changed, lost or inserted.
    Broken {
        /// The record at which it shows; `None` when it is not one record's matter.
        sequence: Option<u64>,
        /// What is wrong.
        what: String,
    },
    /// The file cannot be read as a database of ours, so nothing can be said about its records.
    Unreadable {
        /// Why.
        what: String,
    },
}

impl Verdict {
    /// Whether all is as it was written.
    pub fn is_sound(&self) -> bool {
        matches!(self, Verdict::Sound { .. })
    }

    fn broken(sequence: impl Into<Option<u64>>, what: impl Into<String>) -> Verdict {
        Verdict::Broken { sequence: sequence.into(), what: what.into() }
    }
}

/// Verifies the journal in a data folder or in a copy of the database file. The daemon may be running: the journal is
/// judged as it was at one moment, and nothing is written or held up. `expected` is a head that was kept elsewhere.
pub fn verify(path: &Path, expected: Option<&Head>) -> Verdict {
    let (file, kept) = if path.is_dir() {
        let files = Files::in_folder(path);
        // Before the database is read, since the daemon may be adding to both.
        (files.database, HeadFile::read(&files.head))
    } else {
        (path.to_path_buf(), None)
    };
    if !file.exists() {
        return Verdict::Unreadable { what: format!("{}: there is no such file", file.display()) };
    }
    let heads = [kept.map(|head| ("heatstation.head", head)), expected.map(|head| ("the expected head", *head))];
    let heads: Vec<_> = heads.into_iter().flatten().collect();
    // A closed database is read as it lies, so that a copy kept as evidence stays as it is, without new files beside
    // it. If somebody began to write meanwhile, what was read means nothing, and it is read again the other way.
    if let Some(before) = Stillness::of(&file) {
        let verdict = judge(database::open_as_it_lies(&file), heads.clone());
        if Stillness::of(&file).is_some_and(|after| after == before) {
            return verdict;
        }
    }
    judge(database::open_for_reading(&file), heads)
}

/// What stays the same while nobody writes.
#[derive(PartialEq)]
struct Stillness {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stillness {
    /// `None` while a log says that the database is in use, or was not closed.
    fn of(file: &Path) -> Option<Stillness> {
        let facts = fs::metadata(file).ok()?;
        let closed = !database::log_of(file).exists();
        closed.then(|| Stillness { bytes: facts.len(), modified: facts.modified().ok() })
    }
}

fn judge(opened: Result<Connection, StoreError>, heads: Vec<(&'static str, Head)>) -> Verdict {
    let connection = match opened {
        Ok(connection) => connection,
        Err(StoreError::Damaged { what, .. }) => return Verdict::broken(None, what),
        Err(error) => return Verdict::Unreadable { what: error.to_string() },
    };
    match walk(&connection, heads) {
        Ok(verdict) => verdict,
        Err(error) if database::is_damage(&error) => Verdict::broken(None, error.to_string()),
        Err(error) => Verdict::Unreadable { what: error.to_string() },
    }
}

fn walk(connection: &Connection, mut heads: Vec<(&'static str, Head)>) -> rusqlite::Result<Verdict> {
    // One transaction: the journal of one moment, however long the walk takes.
    let transaction = connection.unchecked_transaction()?;
    for table in ["journal", "journal_head"] {
        // The full check, not the quick one: it also compares the index with the table.
        let check = format!("PRAGMA integrity_check('{table}')");
        if let Some(what) = database::structural_damage(&transaction, &check)? {
            return Ok(Verdict::broken(None, what));
        }
    }
    let mut statement = transaction.prepare(&format!("SELECT {COLUMNS} FROM journal ORDER BY sequence"))?;
    let mut rows = statement.query([])?;
    let mut head: Option<Head> = None;
    while let Some(row) = rows.next()? {
        let due = head.map_or(1, |head| head.sequence + 1);
        let record = match Record::from_row(row) {
            Ok(record) => record,
            Err(error) => return Ok(Verdict::broken(due, error.to_string())),
        };
        if let Some(what) = fault_of(&record, due, head) {
            return Ok(Verdict::broken(due, what));
        }
        if let Some((who, _)) = heads.iter().find(|(_, kept)| kept.sequence == due && kept.hash != record.hash) {
            return Ok(Verdict::broken(due, format!("{who} names another hash for this record")));
        }
        heads.retain(|(_, kept)| kept.sequence != due);
        head = Some(record.head());
    }
    let end = head.map_or(0, |head| head.sequence);
    if let Some((who, kept)) = heads.iter().find(|(_, kept)| kept.sequence > 0) {
        let missing = kept.sequence.saturating_sub(end);
        let what = format!(
            "{who} names record {}, and the journal ends at {end}: {missing} records are missing",
            kept.sequence
        );
        return Ok(Verdict::broken(end + 1, what));
    }
    let noted = journal::noted_head(&transaction)?;
    if noted != head {
        let noted = noted.map_or(0, |head| head.sequence);
        let what = format!("the journal ends at record {end}, and the database notes record {noted} as the last");
        return Ok(Verdict::broken(end.max(1), what));
    }
    Ok(Verdict::Sound { records: end, head })
}

fn fault_of(record: &Record, due: u64, head: Option<Head>) -> Option<String> {
    if record.sequence != due {
        return Some(format!("the next record is number {}: records are missing or out of order", record.sequence));
    }
    if record.previous_hash != head.map_or(GENESIS, |head| head.hash) {
        return Some("it does not follow from the record before it".to_owned());
    }
    (record.digest() != record.hash).then(|| "its content does not match its hash".to_owned())
}
