//! The journal for other eyes: one record a line, as JSON or CSV.
//!
//! The body stands in a JSON line byte for byte as it was hashed, between `"body":` and `,"previous_hash":`, so that
//! anybody can check the chain with a hash function and no program of ours: SHA-256 over the text
//! `heatstation journal 1`, then for each of sequence, boot id, monotonic milliseconds, wall milliseconds, kind, body
//! and previous hash its length and its content; numbers and lengths are 8 bytes, big-endian.

use std::io::Write;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::StoreError;
use super::journal::{Record, hex};
use super::reader::{Reader, Selection};

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a heading, quoted as RFC 4180 has it.
    Csv,
}

/// Writes the selected records and returns how many. Records are streamed: memory does not grow with the journal.
///
/// # Errors
/// The journal cannot be read, a record is damaged, or the destination takes no more.
pub fn export(
    reader: &Reader,
    selection: &Selection,
    format: ExportFormat,
    to: &mut impl Write,
) -> Result<u64, StoreError> {
    let mut count = 0;
    match format {
        ExportFormat::JsonLines => reader.each_record(selection, |record| {
            write_json(&record, to)?;
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?,
        ExportFormat::Csv => {
            let mut table = csv::Writer::from_writer(&mut *to);
            table.write_record(HEADING).map_err(as_io)?;
            reader.each_record(selection, |record| {
                table.write_record(columns(&record)).map_err(as_io)?;
                count += 1;
                Ok(ControlFlow::Continue(()))
            })?;
            table.flush()?;
        }
    }
    to.flush()?;
    Ok(count)
}

const HEADING: [&str; 9] = [
    "sequence",
    "wall_utc",
    "wall_milliseconds",
    "boot_id",
    "monotonic_milliseconds",
    "kind",
    "body",
    "previous_hash",
    "hash",
];

fn columns(record: &Record) -> [String; 9] {
    [
        record.sequence.to_string(),
        wall_utc(record).unwrap_or_default(),
        record.stamp.wall_milliseconds.to_string(),
        record.boot_id.clone(),
        record.stamp.monotonic_milliseconds.to_string(),
        record.kind.clone(),
        record.body.clone(),
        hex(&record.previous_hash),
        hex(&record.hash),
    ]
}

fn write_json(record: &Record, to: &mut impl Write) -> std::io::Result<()> {
    // By hand, because the body must stay as it is; the other texts are escaped by serde_json.
    writeln!(
        to,
        r#"{{"sequence":{},"wall_utc":{},"wall_milliseconds":{},"boot_id":{},"monotonic_milliseconds":{},"kind":{},"body":{},"previous_hash":"{}","hash":"{}"}}"#,
        record.sequence,
        serde_json::to_string(&wall_utc(record))?,
        record.stamp.wall_milliseconds,
        serde_json::to_string(&record.boot_id)?,
        record.stamp.monotonic_milliseconds,
        serde_json::to_string(&record.kind)?,
        record.body,
        hex(&record.previous_hash),
        hex(&record.hash),
    )
}

/// The wall time as people write it; `None` for a clock that was beyond any calendar.
fn wall_utc(record: &Record) -> Option<String> {
    let moment = Timestamp::from_millisecond(record.stamp.wall_milliseconds).ok()?;
    Some(format!("{moment:.3}"))
}

fn as_io(error: csv::Error) -> StoreError {
    StoreError::Export(std::io::Error::other(error))
}
