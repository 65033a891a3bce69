//! The history: telemetry of all points, bounded in size, and the first to give way.
//!
//! A row holds one value of each point at one moment. Rows gather in memory as a *segment* (an hour); each minute the
//! new rows go to disk in one *group*, so a crash takes a minute at most; a full segment is *sealed* into one
//! compressed block per point, and its groups go. Beyond the bounds the oldest segments go.
//!
//! # Why this shape
//! One row per point and sample takes 40 MB a day for 200 points, sealed blocks 0.7 MB; and a commit every 10 s would
//! write four times what one a minute does, on a card that dies of writing.
//!
//! Age is counted in recorded rows, not by the wall clock: a clock that leaps to 2099 must not erase a winter.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::codec::{self, Segment};

/// Columns compressed in one go before the journal has its turn again: about a millisecond.
const COLUMNS_PER_SLICE: usize = 16;

/// Segments that wait in memory when the disk takes none: six hours, some three megabytes.
const WAITING_SEGMENTS_MAX: usize = 6;

/// Free pages that stay in the file for reuse: 4 MiB. Giving each page back only to ask for it again wears the disk.
const FREE_PAGES_KEPT: i64 = 1024;

/// Pages given back to the disk in one go.
const VACUUM_PAGES_PER_SLICE: i64 = 256;

/// What a stored blob costs beside its bytes, in bytes: record header, keys, checksum, cell pointer (measured with
/// SQLite's `dbstat`: 17 to 19).
const OVERHEAD_BYTES: i64 = 20;

/// What telemetry is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct HistorySettings {
    /// The time between two rows. 10 s. The caller keeps this rhythm; the store sizes groups and segments by it.
    pub interval: Duration,
    /// Bytes of sealed telemetry, overhead included. 512 MiB.
    pub bytes_max: u64,
    /// Days of recorded rows. 90.
    pub days_max: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        HistorySettings { interval: Duration::from_secs(10), bytes_max: 512 << 20, days_max: 90 }
    }
}

impl HistorySettings {
    fn rows_in(&self, time: Duration) -> u64 {
        (time.as_millis() / self.interval.as_millis().max(1)) as u64
    }

    fn rows_per_group(&self) -> usize {
        self.rows_in(Duration::from_secs(60)).clamp(1, 60) as usize
    }

    fn rows_per_segment(&self) -> usize {
        self.rows_in(Duration::from_secs(3600)).clamp(60, 3600) as usize
    }

    fn rows_max(&self) -> i64 {
        self.rows_in(Duration::from_secs(86_400)).saturating_mul(u64::from(self.days_max)) as i64
    }
}

/// A point as the history knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPoint {
    /// Its name. Values stay under it whatever the configuration does around it.
    pub name: String,
    /// The step in which values are kept, in the point's unit: what the sensor or register resolves. 0 keeps all bits.
    pub resolution: f64,
}

/// The points of a row, in the order of its values. Made once per configuration and shared by all rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout(Arc<[HistoryPoint]>);

impl Layout {
    /// A layout of these points. A resolution that is no positive number counts as 0.
    pub fn new(points: impl IntoIterator<Item = HistoryPoint>) -> Layout {
        let sound = |point: HistoryPoint| {
            let resolution =
                if point.resolution.is_finite() && point.resolution > 0.0 { point.resolution } else { 0.0 };
            HistoryPoint { resolution, ..point }
        };
        Layout(points.into_iter().map(sound).collect())
    }

    /// The points.
    pub fn points(&self) -> &[HistoryPoint] {
        &self.0
    }

    fn is_same(&self, other: &Layout) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One value of each point at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// Which points.
    pub layout: Layout,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub wall_milliseconds: i64,
    /// The values, in the points' units; `None` where there was none. Short rows lack the last points.
    pub values: Vec<Option<f64>>,
}

/// The segments in memory, shared with readers. Writers hold the lock to push a row, readers to copy what they need.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveSegments(Arc<RwLock<Live>>);

#[derive(Debug, Default)]
pub(super) struct Live {
    /// Oldest first; the last one grows.
    pub segments: VecDeque<Segment>,
    /// Name and resolution by number; numbers count from 0.
    pub points: Vec<HistoryPoint>,
}

impl LiveSegments {
    pub fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing thread's side of the history.
#[derive(Debug)]
pub(super) struct Keeper {
    settings: HistorySettings,
    live: LiveSegments,
    numbers: HashMap<(String, u64), u32>,
    /// Points whose names are in the database.
    points_written: usize,
    /// The layout of the last row, with the number of each of its points.
    layout: (Layout, Vec<u32>),
    /// Rows of the growing segment that are in groups on disk.
    rows_written: usize,
    sealing: Vec<(u32, Vec<u8>)>,
    sealed_bytes: i64,
    sealed_rows: i64,
    rows_lost: u64,
    vacuum_wanted: bool,
}

/// What one slice of housekeeping came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slice {
    /// There is more to do.
    More,
    /// Nothing is left to do.
    Nothing,
}

impl Keeper {
    /// Takes over what the database holds. Damaged groups are left out and counted.
    pub fn load(connection: &Connection, settings: HistorySettings) -> rusqlite::Result<(Keeper, usize)> {
        let points = read_points(connection)?;
        let numbers = points
            .iter()
            .enumerate()
            .map(|(number, point)| ((point.name.clone(), point.resolution.to_bits()), number as u32))
            .collect();
        let (mut segments, damaged) = read_groups(connection)?;
        let newest_sealed: i64 =
            connection.query_row("SELECT coalesce(max(id), 0) FROM history_segment", [], |row| row.get(0))?;
        // With a damaged group, rows in memory and rows on disk no longer count alike: what is left is sealed as it is.
        if segments.is_empty() || damaged > 0 {
            let newest = segments.back().map_or(newest_sealed, |last| last.id.max(newest_sealed));
            segments.push_back(Segment { id: newest + 1, ..Segment::default() });
        }
        let (sealed_bytes, sealed_rows) = connection.query_row(
            "SELECT coalesce(sum(bytes), 0), coalesce(sum(row_count), 0) FROM history_segment",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let rows_written = segments.back().map_or(0, |segment| segment.times.len());
        let points_written = points.len();
        let live = LiveSegments(Arc::new(RwLock::new(Live { segments, points })));
        let layout = (Layout::default(), Vec::new());
        let sealing = Vec::new();
        let keeper = Keeper {
            settings,
            live,
            numbers,
            points_written,
            layout,
            rows_written,
            sealing,
            sealed_bytes,
            sealed_rows,
            rows_lost: 0,
            vacuum_wanted: true,
        };
        Ok((keeper, damaged))
    }

    pub fn live(&self) -> LiveSegments {
        self.live.clone()
    }

    /// Bytes of sealed telemetry.
    pub fn sealed_bytes(&self) -> u64 {
        self.sealed_bytes as u64
    }

    /// Rows dropped because the disk took none for too long, since the last call.
    pub fn take_rows_lost(&mut self) -> u64 {
        std::mem::take(&mut self.rows_lost)
    }

    /// Adds rows to the growing segment, and begins the next one when it is full.
    pub fn absorb(&mut self, rows: impl IntoIterator<Item = HistoryRow>) {
        let live = self.live.clone();
        for row in rows {
            let mut live = live.write();
            if !self.layout.0.is_same(&row.layout) || self.layout.1.len() != row.layout.points().len() {
                let numbers = row.layout.points().iter().map(|point| self.number(point, &mut live.points)).collect();
                self.layout = (row.layout.clone(), numbers);
            }
            let full = live.segments.back().is_none_or(|last| last.times.len() >= self.settings.rows_per_segment());
            if full {
                let id = live.segments.back().map_or(1, |last| last.id + 1);
                live.segments.push_back(Segment { id, ..Segment::default() });
                self.rows_written = 0;
                if live.segments.len() > WAITING_SEGMENTS_MAX {
                    // The oldest may be half compressed; its blocks are for nobody any more.
                    self.sealing.clear();
                    let dropped = live.segments.pop_front().map_or(0, |oldest| oldest.times.len());
                    self.rows_lost += dropped as u64;
                }
            }
            let Live { segments, points } = &mut *live;
            if let Some(growing) = segments.back_mut() {
                let values = self.layout.1.iter().zip(&row.values).map(|(number, value)| {
                    let resolution = points.get(*number as usize).map_or(0.0, |point| point.resolution);
                    (*number, value.and_then(|value| codec::quantise(value, resolution)))
                });
                growing.push(row.wall_milliseconds, values);
            }
        }
    }

    fn number(&mut self, point: &HistoryPoint, points: &mut Vec<HistoryPoint>) -> u32 {
        *self.numbers.entry((point.name.clone(), point.resolution.to_bits())).or_insert_with(|| {
            points.push(point.clone());
            points.len() as u32 - 1
        })
    }

    /// Whether a group's worth of rows waits for the disk.
    pub fn is_group_due(&self) -> bool {
        self.rows_waiting() >= self.settings.rows_per_group()
    }

    /// Rows of the growing segment that are not on disk.
    pub fn rows_waiting(&self) -> usize {
        self.live.read().segments.back().map_or(0, |growing| growing.times.len() - self.rows_written)
    }

    /// Writes the rows that wait in the open transaction. Call [`group_written`](Keeper::group_written) once it is
    /// committed, with what this returns.
    pub fn write_group(&self, connection: &Connection) -> rusqlite::Result<GroupWritten> {
        let live = self.live.read();
        self.write_points(connection, &live.points)?;
        let mut written = GroupWritten { points: live.points.len(), rows: self.rows_written };
        if let Some(growing) = live.segments.back()
            && growing.times.len() > self.rows_written
        {
            let data = codec::encode_group(growing, self.rows_written..growing.times.len()).map_err(not_encoded)?;
            let first_row = self.rows_written as i64;
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO history_group (segment, first_row, crc, data) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![growing.id, first_row, codec::checksum([growing.id, first_row], &data), data])?;
            written.rows = growing.times.len();
        }
        Ok(written)
    }

    pub fn group_written(&mut self, written: GroupWritten) {
        self.points_written = written.points;
        self.rows_written = written.rows;
    }

    fn write_points(&self, connection: &Connection, points: &[HistoryPoint]) -> rusqlite::Result<()> {
        let mut statement = connection
            .prepare_cached("INSERT OR IGNORE INTO history_point (id, name, resolution) VALUES (?1, ?2, ?3)")?;
        for (number, point) in points.iter().enumerate().skip(self.points_written) {
            statement.execute(params![number as i64, point.name, point.resolution])?;
        }
        Ok(())
    }

    /// One short piece of what is to be done behind the scenes: compressing, sealing, forgetting, giving room back.
    pub fn work(&mut self, connection: &mut Connection) -> rusqlite::Result<Slice> {
        let live = self.live.clone();
        if live.read().segments.len() > 1 {
            self.seal(connection, &live)?;
            return Ok(Slice::More);
        }
        if self.sealed_bytes as u64 > self.settings.bytes_max || self.sealed_rows > self.settings.rows_max() {
            return self.forget_oldest(connection);
        }
        if self.vacuum_wanted {
            return self.give_room_back(connection);
        }
        Ok(Slice::Nothing)
    }

    fn seal(&mut self, connection: &mut Connection, live: &LiveSegments) -> rusqlite::Result<()> {
        let ready = {
            let live = live.read();
            let Some(oldest) = live.segments.front() else { return Ok(()) };
            let done = self.sealing.last().map(|(point, _)| *point);
            let rest = oldest.columns.iter().filter(|(point, _)| done.is_none_or(|done| **point > done));
            let mut slice = 0;
            for (point, column) in rest.take(COLUMNS_PER_SLICE) {
                let resolution = live.points.get(*point as usize).map_or(0.0, |point| point.resolution);
                let data = if column.is_empty() {
                    Vec::new()
                } else {
                    codec::encode_block(column, resolution).map_err(not_encoded)?
                };
                self.sealing.push((*point, data));
                slice += 1;
            }
            slice < COLUMNS_PER_SLICE
        };
        if !ready {
            return Ok(());
        }
        let (bytes, rows) = self.write_segment(connection, live)?;
        self.sealing.clear();
        self.sealed_bytes += bytes;
        self.sealed_rows += rows;
        let mut live = live.write();
        self.points_written = live.points.len();
        live.segments.pop_front();
        self.vacuum_wanted = true;
        Ok(())
    }

    fn write_segment(&self, connection: &mut Connection, live: &LiveSegments) -> rusqlite::Result<(i64, i64)> {
        let live = live.read();
        let Some(oldest) = live.segments.front() else { return Ok((0, 0)) };
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        self.write_points(&transaction, &live.points)?;
        // "OR REPLACE" here and for groups: a commit that seemed to fail may have happened, and comes again.
        let times = codec::encode_times(&oldest.times).map_err(not_encoded)?;
        let blocks = || self.sealing.iter().filter(|(_, data)| !data.is_empty());
        let blobs = blocks().map(|(_, data)| data.len() as i64 + OVERHEAD_BYTES).sum::<i64>();
        let bytes = blobs + times.len() as i64 + OVERHEAD_BYTES;
        let rows = oldest.times.len() as i64;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO history_segment (id, row_count, wall_first, wall_last, bytes, crc, times)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                oldest.id,
                rows,
                oldest.times.iter().min(),
                oldest.times.iter().max(),
                bytes,
                codec::checksum([oldest.id, rows], &times),
                times,
            ])?;
        {
            let mut statement = transaction
                .prepare_cached("INSERT INTO history_block (segment, point, crc, data) VALUES (?1, ?2, ?3, ?4)")?;
            for (point, data) in blocks() {
                let crc = codec::checksum([oldest.id, i64::from(*point)], data);
                statement.execute(params![oldest.id, point, crc, data])?;
            }
        }
        transaction.execute("DELETE FROM history_group WHERE segment = ?1", [oldest.id])?;
        transaction.commit()?;
        Ok((bytes, rows))
    }

    fn forget_oldest(&mut self, connection: &Connection) -> rusqlite::Result<Slice> {
        let mut statement = connection.prepare_cached(
            "DELETE FROM history_segment WHERE id = (SELECT min(id) FROM history_segment) RETURNING bytes, row_count",
        )?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            // The sums say that there is something and the table says no: believe the table.
            (self.sealed_bytes, self.sealed_rows) = (0, 0);
            return Ok(Slice::More);
        };
        let (bytes, row_count): (i64, i64) = (row.get(0)?, row.get(1)?);
        // The deletion is complete, and committed, only when the statement has run to its end.
        while rows.next()?.is_some() {}
        self.sealed_bytes -= bytes;
        self.sealed_rows -= row_count;
        self.vacuum_wanted = true;
        Ok(Slice::More)
    }

    fn give_room_back(&mut self, connection: &Connection) -> rusqlite::Result<Slice> {
        let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if free <= FREE_PAGES_KEPT {
            self.vacuum_wanted = false;
            return Ok(Slice::Nothing);
        }
        let pages = (free - FREE_PAGES_KEPT).min(VACUUM_PAGES_PER_SLICE);
        // One step of this statement frees one page.
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut steps = statement.query([])?;
        while steps.next()?.is_some() {}
        Ok(Slice::More)
    }
}

/// How far a group brought things, for when its transaction is committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupWritten {
    points: usize,
    rows: usize,
}

/// Name and resolution of each number.
pub(super) fn read_points(connection: &Connection) -> rusqlite::Result<Vec<HistoryPoint>> {
    let mut statement = connection.prepare("SELECT id, name, resolution FROM history_point ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut points = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if id != points.len() as i64 {
            return Err(rusqlite::Error::IntegralValueOutOfRange(0, id));
        }
        points.push(HistoryPoint { name: row.get(1)?, resolution: row.get(2)? });
    }
    Ok(points)
}

/// The segments that are not sealed, put together from their groups; and how many groups were damaged.
pub(super) fn read_groups(connection: &Connection) -> rusqlite::Result<(VecDeque<Segment>, usize)> {
    let mut statement =
        connection.prepare("SELECT segment, first_row, crc, data FROM history_group ORDER BY segment, first_row")?;
    let mut rows = statement.query([])?;
    let mut segments: VecDeque<Segment> = VecDeque::new();
    let mut damaged = 0;
    while let Some(row) = rows.next()? {
        let (id, first_row, crc): (i64, i64, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let data: Vec<u8> = row.get(3)?;
        let group = (codec::checksum([id, first_row], &data) == crc).then(|| codec::decode_group(&data)).flatten();
        if segments.back().is_none_or(|last| last.id != id) {
            segments.push_back(Segment { id, ..Segment::default() });
        }
        match (group, segments.back_mut()) {
            (Some(group), Some(segment)) => segment.append(&group),
            _ => damaged += 1,
        }
    }
    Ok((segments, damaged))
}

/// Compression fails only on an invalid configuration of pco, which ours is not; but it is not ours to panic.
fn not_encoded(error: pco::errors::PcoError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
