//! The checkpoint and the signs of life: what a restart needs to know about the process before it.
//!
//! A checkpoint is the latest state of the control as opaque bytes. It saves a warm start; it is never evidence. So a
//! damaged one is reported and dropped, and the control starts cold. The signs of life are evidence: the time between
//! the last of them and the first sample of the new process was watched by nobody.

use rusqlite::{Connection, OptionalExtension, params};

use super::journal::Stamp;

/// The largest checkpoint, in bytes. A two-circuit station needs some ten kilobytes.
pub const BYTES_MAX: usize = 1 << 20;

/// Runs of the program of which the last sign of life is kept.
const LIVENESS_RUNS_MAX: i64 = 1000;

/// The state of the control at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which run of the program wrote it.
    pub boot_id: String,
    /// When.
    pub stamp: Stamp,
    /// The state, as the caller wrote it.
    pub body: Vec<u8>,
}

/// What was found of the last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointAtStart {
    /// There is none: a new station, or a program that never came that far.
    Absent,
    /// It is whole.
    Sound(Checkpoint),
    /// It is not what was written, and is not shown. Start cold and say so.
    Damaged {
        /// What is wrong with it.
        what: String,
    },
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// Which run of the program it came from.
    pub boot_id: String,
    /// When.
    pub stamp: Stamp,
}

impl Checkpoint {
    fn crc(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&(self.boot_id.len() as u64).to_le_bytes());
        hasher.update(self.boot_id.as_bytes());
        hasher.update(&self.stamp.monotonic_milliseconds.to_le_bytes());
        hasher.update(&self.stamp.wall_milliseconds.to_le_bytes());
        hasher.update(&self.body);
        hasher.finalize()
    }
}

/// Writes the checkpoint in the open transaction.
pub(super) fn write(connection: &Connection, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO checkpoint (id, boot_id, monotonic_milliseconds, wall_milliseconds, crc, body)
             VALUES (1, ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET boot_id = excluded.boot_id,
                 monotonic_milliseconds = excluded.monotonic_milliseconds,
                 wall_milliseconds = excluded.wall_milliseconds, crc = excluded.crc, body = excluded.body",
        )?
        .execute(params![
            checkpoint.boot_id,
            checkpoint.stamp.monotonic_milliseconds as i64,
            checkpoint.stamp.wall_milliseconds,
            checkpoint.crc(),
            checkpoint.body,
        ])?;
    Ok(())
}

/// Reads the checkpoint. Whatever is wrong with it is an answer, not an error: a station starts without it.
pub(super) fn read(connection: &Connection) -> CheckpointAtStart {
    let found = connection
        .query_row(
            "SELECT boot_id, monotonic_milliseconds, wall_milliseconds, crc, body FROM checkpoint WHERE id = 1",
            [],
            |row| {
                let monotonic: i64 = row.get(1)?;
                let stamp = Stamp { monotonic_milliseconds: monotonic as u64, wall_milliseconds: row.get(2)? };
                let checkpoint = Checkpoint { boot_id: row.get(0)?, stamp, body: row.get(4)? };
                Ok((checkpoint, row.get::<_, u32>(3)?))
            },
        )
        .optional();
    match found {
        Ok(None) => CheckpointAtStart::Absent,
        Ok(Some((checkpoint, crc))) if checkpoint.crc() == crc => CheckpointAtStart::Sound(checkpoint),
        Ok(Some(_)) => CheckpointAtStart::Damaged { what: "its checksum does not match its content".to_owned() },
        Err(error) => CheckpointAtStart::Damaged { what: error.to_string() },
    }
}

/// Writes a sign of life in the open transaction: one row for each run of the program.
pub(super) fn write_liveness(connection: &Connection, boot_id: &str, stamp: Stamp) -> rusqlite::Result<()> {
    let changed = connection
        .prepare_cached("UPDATE liveness SET monotonic_milliseconds = ?2, wall_milliseconds = ?3 WHERE boot_id = ?1")?
        .execute(params![boot_id, stamp.monotonic_milliseconds as i64, stamp.wall_milliseconds])?;
    if changed == 0 {
        connection
            .prepare_cached(
                "INSERT INTO liveness (boot_id, monotonic_milliseconds, wall_milliseconds) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![boot_id, stamp.monotonic_milliseconds as i64, stamp.wall_milliseconds])?;
        connection
            .prepare_cached("DELETE FROM liveness WHERE id <= (SELECT max(id) FROM liveness) - ?1")?
            .execute([LIVENESS_RUNS_MAX])?;
    }
    Ok(())
}

/// The last sign of life of the run before this one. A record in the journal is one too, if it came later.
pub(super) fn read_liveness(connection: &Connection) -> rusqlite::Result<Option<Liveness>> {
    let read = |row: &rusqlite::Row<'_>| {
        let monotonic: i64 = row.get(1)?;
        let stamp = Stamp { monotonic_milliseconds: monotonic as u64, wall_milliseconds: row.get(2)? };
        Ok(Liveness { boot_id: row.get(0)?, stamp })
    };
    let sign = connection
        .query_row(
            "SELECT boot_id, monotonic_milliseconds, wall_milliseconds FROM liveness ORDER BY id DESC LIMIT 1",
            [],
            read,
        )
        .optional()?;
    let record = connection
        .query_row(
            "SELECT boot_id, monotonic_milliseconds, wall_milliseconds FROM journal ORDER BY sequence DESC LIMIT 1",
            [],
            read,
        )
        .optional()?;
    // A run that wrote a record has a sign as well (see the writer), so the last sign names the last run.
    Ok(match (sign, record) {
        (Some(sign), Some(record))
            if sign.boot_id == record.boot_id
                && sign.stamp.monotonic_milliseconds < record.stamp.monotonic_milliseconds =>
        {
            Some(record)
        }
        (sign, record) => sign.or(record),
    })
}
