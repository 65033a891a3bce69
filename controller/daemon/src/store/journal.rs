//! The journal: records that are only ever added, each bound to the one before it.
//!
//! A record's hash covers all of its fields and the hash of its predecessor, so no byte of the past can change without
//! breaking the chain from there on. The chain makes tampering evident, not impossible: whoever can rewrite all of it
//! is caught only by a [`Head`] that was written down elsewhere (dispatch centre, monthly report, `heatstation.head`).
//!
//! Corrections are new records; the database itself refuses to change or delete one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

/// The longest body of one record, in bytes. A whole configuration fits; a document belongs elsewhere, with its hash
/// in the journal.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// SHA-256.
pub type Hash = [u8; 32];

/// The predecessor of the first record.
pub const GENESIS: Hash = [0; 32];

/// One moment by both clocks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds of a clock that never jumps, since some point before this process started.
    pub monotonic_milliseconds: u64,
    /// Milliseconds since 1970-01-01 UTC, as the wall clock had it, right or wrong.
    pub wall_milliseconds: i64,
}

/// A record on its way into the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    kind: &'static str,
    stamp: Stamp,
    body: String,
}

/// Why something cannot be stored at all. Trying again does not help.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The body cannot be written as JSON.
    #[error("the record cannot be written as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The body is longer than the store takes.
    #[error("the body has {bytes} bytes, the store takes at most {bytes_max}; store a hash of the document instead")]
    TooLong {
        /// Bytes of the body.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
}

impl NewRecord {
    /// A record of `kind` (from the caller's closed set) with `body` as its JSON.
    ///
    /// # Errors
    /// The body is not JSON, or longer than [`BODY_BYTES_MAX`].
    pub fn new(kind: &'static str, stamp: Stamp, body: &impl Serialize) -> Result<NewRecord, RecordError> {
        let body = serde_json::to_string(body)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(RecordError::TooLong { bytes: body.len(), bytes_max: BODY_BYTES_MAX });
        }
        Ok(NewRecord { kind, stamp, body })
    }

    /// When it happened.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// What the record takes in the backlog, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.body.len() + size_of::<NewRecord>()
    }
}

/// A record as it stands in the journal. Its hash was checked when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// From 1, one more for each record, for ever.
    pub sequence: u64,
    /// Which run of the program wrote it.
    pub boot_id: String,
    /// When, by the two clocks of that run.
    pub stamp: Stamp,
    /// What kind of event.
    pub kind: String,
    /// The event as JSON, byte for byte as it was written.
    pub body: String,
    /// The hash of the record before it; [`GENESIS`] for the first.
    pub previous_hash: Hash,
    /// SHA-256 over all of the above.
    pub hash: Hash,
}

impl Record {
    /// The hash that the fields of this record have.
    pub fn digest(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(b"heatstation journal 1");
        let fields: [&[u8]; 7] = [
            &self.sequence.to_be_bytes(),
            self.boot_id.as_bytes(),
            &self.stamp.monotonic_milliseconds.to_be_bytes(),
            &self.stamp.wall_milliseconds.to_be_bytes(),
            self.kind.as_bytes(),
            self.body.as_bytes(),
            &self.previous_hash,
        ];
        // Each field carries its length: without it, ("ab","c") and ("a","bc") would have one hash.
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }

    /// Where the chain stands after this record.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// Reads the columns of [`COLUMNS`]. A value of another type than was written is an error, not a conversion.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Record> {
        let unsigned = |index: usize| -> rusqlite::Result<u64> {
            let number: i64 = row.get(index)?;
            u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
        };
        Ok(Record {
            sequence: unsigned(0)?,
            boot_id: row.get(1)?,
            stamp: Stamp { monotonic_milliseconds: unsigned(2)?, wall_milliseconds: row.get(3)? },
            kind: row.get(4)?,
            body: row.get(5)?,
            previous_hash: row.get(6)?,
            hash: row.get(7)?,
        })
    }
}

/// The columns of a record, in the order that [`Record::from_row`] expects.
pub(super) const COLUMNS: &str =
    "sequence, boot_id, monotonic_milliseconds, wall_milliseconds, kind, body, previous_hash, hash";

/// The end of the chain. Kept elsewhere, it proves later that nothing up to here was cut off or rewritten.
/// Its text is `SEQUENCE:HASH`, the hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last record.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The hash in hexadecimal.
    pub fn hash_hex(&self) -> String {
        hex(&self.hash)
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.sequence, self.hash_hex())
    }
}

/// The text is no head of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a journal head is written SEQUENCE:HASH with 64 hexadecimal digits, as `heatstation journal verify` prints it"
)]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Head, NotAHead> {
        let (sequence, digits) = text.split_once(':').ok_or(NotAHead)?;
        let sequence = sequence.parse().map_err(|_| NotAHead)?;
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAHead);
        }
        let mut hash = GENESIS;
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).map_err(|_| NotAHead)?;
        }
        Ok(Head { sequence, hash })
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Records are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durable {
    /// The sequence of the first record of the batch.
    pub first: u64,
    /// The sequence of the last record of the batch.
    pub last: u64,
    /// Where the chain stood after the transaction, which may hold more batches than this one.
    pub head: Head,
}

/// Records will never be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The disk has been full or broken for so long that the backlog is full. The loss is counted.
    #[error("the disk takes no records and {waiting} are waiting already; these were dropped")]
    BacklogFull {
        /// Records in the backlog.
        waiting: usize,
    },
    /// The batch was empty: there is nothing to wait for.
    #[error("an empty batch has no place in the journal")]
    Empty,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// A promise that a batch of records will be on disk. Dropping it does not take the records back.
#[derive(Debug)]
#[must_use = "an output may leave only after the records of its cause are durable, or the time for that is up"]
pub struct Ticket {
    answer: oneshot::Receiver<Result<Durable, NotKept>>,
}

impl Ticket {
    pub(super) fn new() -> (oneshot::Sender<Result<Durable, NotKept>>, Ticket) {
        let (sender, answer) = oneshot::channel();
        (sender, Ticket { answer })
    }

    /// Waits for at most `limit`; `None` when the disk took longer. The ticket stays good for another wait.
    pub async fn within(&mut self, limit: Duration) -> Option<Result<Durable, NotKept>> {
        tokio::time::timeout(limit, self).await.ok()
    }

    /// Waits on this thread until the records are durable or lost. Not for async tasks.
    ///
    /// # Errors
    /// See [`NotKept`].
    pub fn wait(self) -> Result<Durable, NotKept> {
        self.answer.blocking_recv().unwrap_or(Err(NotKept::Closed))
    }
}

impl Future for Ticket {
    type Output = Result<Durable, NotKept>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| answer.unwrap_or(Err(NotKept::Closed)))
    }
}

/// Adds records behind `head` in the open transaction and returns the new head.
pub(super) fn insert<'a>(
    connection: &Connection,
    head: Option<Head>,
    boot_id: &str,
    records: impl Iterator<Item = &'a NewRecord>,
) -> rusqlite::Result<Option<Head>> {
    let mut head = head;
    let mut statement = connection
        .prepare_cached(&format!("INSERT INTO journal ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"))?;
    for new in records {
        let mut record = Record {
            sequence: head.map_or(1, |head| head.sequence + 1),
            boot_id: boot_id.to_owned(),
            stamp: Stamp {
                // What SQLite cannot hold is 292 million years away.
                monotonic_milliseconds: new.stamp.monotonic_milliseconds.min(i64::MAX as u64),
                ..new.stamp
            },
            kind: new.kind.to_owned(),
            body: new.body.clone(),
            previous_hash: head.map_or(GENESIS, |head| head.hash),
            hash: GENESIS,
        };
        record.hash = record.digest();
        statement.execute(params![
            record.sequence as i64,
            record.boot_id,
            record.stamp.monotonic_milliseconds as i64,
            record.stamp.wall_milliseconds,
            record.kind,
            record.body,
            record.previous_hash,
            record.hash,
        ])?;
        head = Some(record.head());
    }
    if let Some(head) = head {
        connection
            .prepare_cached("INSERT INTO journal_head (id, sequence, hash) VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash")?
            .execute(params![head.sequence as i64, head.hash])?;
    }
    Ok(head)
}

/// The last record.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Record>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM journal ORDER BY sequence DESC LIMIT 1"))?
        .query_row([], Record::from_row)
        .optional()
}

/// The hash of one record.
pub(super) fn hash_of(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<Hash>> {
    connection
        .prepare_cached("SELECT hash FROM journal WHERE sequence = ?1")?
        .query_row([sequence as i64], |row| row.get(0))
        .optional()
}

/// The head that the database noted beside the journal, in the same transactions.
pub(super) fn noted_head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT sequence, hash FROM journal_head WHERE id = 1")?
        .query_row([], |row| {
            let sequence: i64 = row.get(0)?;
            let sequence =
                u64::try_from(sequence).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, sequence))?;
            Ok(Head { sequence, hash: row.get(1)? })
        })
        .optional()
}
