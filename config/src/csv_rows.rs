//! Register rows from a CSV file: what a table of a manual becomes with little typing.
//!
//! The columns have the names of the keys of a `[[device.point]]` row; empty cells are left out; lines that begin with `#`
//! are remarks.

use serde::Deserialize;

use crate::desk::Desk;
use crate::problem::Place;
use crate::raw::{RawEncoding, RawRow, RawTable, RawWordOrder};

/// No device has more rows; a longer file is something else.
const ROWS_MAX: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    point: Option<String>,
    #[serde(default)]
    address: Option<u32>,
    #[serde(default)]
    table: Option<RawTable>,
    #[serde(default)]
    encoding: Option<RawEncoding>,
    #[serde(default)]
    bit: Option<u8>,
    #[serde(default)]
    inverted: Option<bool>,
    #[serde(default)]
    order: Option<RawWordOrder>,
    #[serde(default)]
    scale: Option<f64>,
    #[serde(default)]
    offset: Option<f64>,
    #[serde(default)]
    unit: Option<String>,
    /// Numbers, decimal or 0x…, separated by blanks.
    #[serde(default)]
    invalid: Option<String>,
    #[serde(default)]
    period_seconds: Option<f64>,
    #[serde(default)]
    read_back_address: Option<u16>,
    #[serde(default)]
    read_back_table: Option<RawTable>,
}

/// The rows of a file of the desk with their places.
pub(crate) fn read(desk: &mut Desk, file: usize) -> Vec<(Place, RawRow)> {
    let text = desk.sources.0[file].text.clone();
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut rows = Vec::new();
    let place = |from: u64| {
        let mut start = skipped + from as usize;
        // The reader gives the place before the remarks that it skips.
        while let Some(line) = text.get(start..).and_then(|rest| rest.split_inclusive('\n').next()) {
            if !line.starts_with('#') && !line.trim().is_empty() {
                break;
            }
            start += line.len();
        }
        let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
        Place { file, span: start..end }
    };
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => {
            desk.error(
                &place(0),
                "",
                format!("its first line cannot be read: {error}"),
                "the first line names the columns",
            );
            return rows;
        }
    };
    for record in reader.records().take(ROWS_MAX) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().map_or(0, csv::Position::byte);
                desk.error(
                    &place(at),
                    "",
                    format!("is not a row: {error}"),
                    "each row has as many cells as the first line",
                );
                continue;
            }
        };
        let place = place(record.position().map_or(0, csv::Position::byte));
        let row = match record.deserialize::<Row>(Some(&headers)) {
            Ok(row) => row,
            Err(error) => {
                let help = "columns: point, address, table, encoding, bit, inverted, order, scale, offset, unit, invalid, period_seconds, read_back_address, read_back_table";
                desk.error(&place, "", format!("cannot be read: {error}"), help);
                continue;
            }
        };
        let invalid = row.invalid.as_deref().map(|text| text.split_whitespace().map(whole_number).collect());
        let invalid: Option<Option<Vec<u64>>> = invalid;
        if invalid == Some(None) {
            let help = "write numbers separated by blanks, as in 0x8000 32767";
            desk.error(&place, "invalid", "is not a list of whole numbers", help);
        }
        let raw = RawRow {
            point: row.point,
            address: row.address,
            table: row.table,
            encoding: row.encoding,
            bit: row.bit,
            inverted: row.inverted,
            order: row.order,
            scale: row.scale,
            offset: row.offset,
            unit: row.unit,
            invalid: invalid.flatten(),
            period_seconds: row.period_seconds,
            read_back_address: row.read_back_address,
            read_back_table: row.read_back_table,
            ..RawRow::default()
        };
        rows.push((place, raw));
    }
    rows
}

fn whole_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok(),
        None => text.parse().ok(),
    }
}
