//! Reading the store: records by sequence, time and kind; telemetry by point and time.
//!
//! A reader has a read-only connection of its own, so it never holds up the writer, and what it shows was checked: a
//! record must carry its own hash, a block of telemetry its checksum. It blocks on the disk: use it in a blocking task.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params, params_from_iter, types::Value};

use super::StoreError;
use super::codec::{self, Column};
use super::database::{self, failed, understood};
use super::folder::Files;
use super::history::{self, HistoryPoint, LiveSegments};
use super::journal::{self, COLUMNS, Head, Record};

/// The most buckets that one query returns for one point, whatever is asked for.
pub const BUCKETS_MAX: usize = 20_000;

/// A read-only view of the store.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
    live: Option<LiveSegments>,
}

/// Which records to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The first sequence.
    pub from_sequence: u64,
    /// The last sequence, included.
    pub to_sequence: u64,
    /// The first moment, in milliseconds since 1970-01-01 UTC, by the wall clock of the record.
    pub from_wall_milliseconds: i64,
    /// The first moment after the range.
    pub to_wall_milliseconds: i64,
    /// The kinds; empty for all.
    pub kinds: Vec<String>,
    /// From which end.
    pub order: Order,
    /// At most so many.
    pub limit: usize,
}

impl Default for Selection {
    /// Everything, oldest first.
    fn default() -> Self {
        Selection {
            from_sequence: 1,
            to_sequence: u64::MAX,
            from_wall_milliseconds: i64::MIN,
            to_wall_milliseconds: i64::MAX,
            kinds: Vec::new(),
            order: Order::OldestFirst,
            limit: usize::MAX,
        }
    }
}

/// From which end of the journal records come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By rising sequence.
    OldestFirst,
    /// By falling sequence.
    NewestFirst,
}

/// Telemetry of some points over some time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range {
    /// One series for each point asked for, in the order asked for. A point that was never recorded has no buckets.
    pub series: Vec<Series>,
    /// The width of a bucket in milliseconds; `None` when each bucket is one sample.
    pub bucket_milliseconds: Option<u64>,
    /// Blocks that were damaged and left out. What they held looks like a gap.
    pub damaged_blocks: usize,
}

/// Telemetry of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The point's name.
    pub point: String,
    /// By rising time. Where there was no value there is no bucket.
    pub buckets: Vec<Bucket>,
}

/// One sample, or the samples of one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The sample's time, or the start of the stretch, in milliseconds since 1970-01-01 UTC.
    pub wall_milliseconds: i64,
    /// The smallest value, in the point's unit.
    pub min: f64,
    /// The mean value.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
    /// How many samples.
    pub count: u32,
}

impl Bucket {
    fn of(wall_milliseconds: i64, value: f64) -> Bucket {
        Bucket { wall_milliseconds, min: value, mean: value, max: value, count: 1 }
    }

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.mean += (value - self.mean) / f64::from(self.count);
    }
}

impl Reader {
    /// Opens a data folder to read it, whether or not a daemon uses it.
    ///
    /// # Errors
    /// There is no database, or it is foreign, newer or damaged.
    pub fn open(folder: &Path) -> Result<Reader, StoreError> {
        let path = Files::in_folder(folder).database;
        let connection = database::open_for_reading(&path)?;
        Ok(Reader { path, connection, live: None })
    }

    pub(super) fn beside(folder: &Path, live: LiveSegments) -> Result<Reader, StoreError> {
        let reader = Reader::open(folder)?;
        Ok(Reader { live: Some(live), ..reader })
    }

    fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        failed(&self.path, what)
    }

    /// Where the chain stands. `None` for an empty journal.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn head(&self) -> Result<Option<Head>, StoreError> {
        Ok(self.last()?.map(|record| record.head()))
    }

    /// The last record.
    ///
    /// # Errors
    /// The database cannot be read, or the record is damaged.
    pub fn last(&self) -> Result<Option<Record>, StoreError> {
        let last = journal::last(&self.connection).map_err(self.failed("cannot read the end of the journal"))?;
        last.map(|record| self.checked(record)).transpose()
    }

    /// The records selected, in memory. For what may be long, use [`each_record`](Reader::each_record).
    ///
    /// # Errors
    /// The database cannot be read, or a record is damaged.
    pub fn records(&self, selection: &Selection) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        self.each_record(selection, |record| {
            records.push(record);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    /// Hands over the records selected, one by one, from one moment of the database.
    ///
    /// # Errors
    /// The database cannot be read, a record is damaged, or what `take` returns.
    pub fn each_record(
        &self,
        selection: &Selection,
        mut take: impl FnMut(Record) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let (sql, values) = selection.query();
        let failed = self.failed("cannot read the journal");
        let mut statement = self.connection.prepare_cached(&sql).map_err(&failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let record = Record::from_row(row).map_err(&failed)?;
            if take(self.checked(record)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn checked(&self, record: Record) -> Result<Record, StoreError> {
        if record.digest() == record.hash {
            Ok(record)
        } else {
            Err(StoreError::RecordDamaged {
                path: self.path.clone(),
                sequence: record.sequence,
                what: "its content does not match its hash".to_owned(),
            })
        }
    }

    /// Telemetry of `points` from one moment up to another, the later one excluded. Where that is more than
    /// `buckets_max` samples a point, each stretch of equal width becomes one bucket of smallest, mean and largest
    /// value.
    ///
    /// # Errors
    /// The database cannot be read. Damaged blocks are no error: they are left out and counted.
    pub fn range(
        &self,
        points: &[&str],
        from_wall_milliseconds: i64,
        to_wall_milliseconds: i64,
        buckets_max: usize,
    ) -> Result<Range, StoreError> {
        let failed = self.failed("cannot read the history");
        let buckets_max = buckets_max.clamp(1, BUCKETS_MAX);
        let window = Window { from: from_wall_milliseconds, to: to_wall_milliseconds };
        if window.is_empty() {
            let series = points.iter().map(|point| Series { point: (*point).to_owned(), buckets: Vec::new() });
            return Ok(Range { series: series.collect(), ..Range::default() });
        }
        // Memory first, disk second: a segment that is sealed in between is then seen twice, not missed.
        let mut damaged_blocks = 0;
        let (known, unsealed) = self.unsealed(points, window, &mut damaged_blocks).map_err(&failed)?;
        let sealed = self.sealed(window, &unsealed).map_err(&failed)?;

        let rows: usize = unsealed.parts.iter().map(|part| part.times.len()).sum::<usize>()
            + sealed.iter().map(|s| s.rows).sum::<usize>();
        let width = (rows > buckets_max).then(|| window.width(buckets_max));
        let mut gathered: Vec<Gathered> = points.iter().map(|_| Gathered::new(window, width)).collect();
        let numbers = numbers_of(points, &known);

        for segment in &sealed {
            damaged_blocks += self.add_sealed(segment, &known, &numbers, &mut gathered).map_err(&failed)?;
        }
        for part in &unsealed.parts {
            for (number, column) in &part.columns {
                let Some(slot) = numbers.get(number) else { continue };
                gathered[*slot].add(&part.times, column, known[*number as usize].resolution);
            }
        }
        let series = points.iter().zip(gathered);
        Ok(Range {
            series: series
                .map(|(point, gathered)| Series { point: (*point).to_owned(), buckets: gathered.finish() })
                .collect(),
            bucket_milliseconds: width,
            damaged_blocks,
        })
    }

    /// Names of all points of which there is telemetry, in the order in which they first appeared.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn history_points(&self) -> Result<Vec<String>, StoreError> {
        let known = match &self.live {
            Some(live) => live.read().points.clone(),
            None => history::read_points(&self.connection).map_err(self.failed("cannot read the history"))?,
        };
        let mut seen = BTreeSet::new();
        Ok(known.into_iter().map(|point| point.name).filter(|name| seen.insert(name.clone())).collect())
    }

    fn unsealed(
        &self,
        points: &[&str],
        window: Window,
        damaged: &mut usize,
    ) -> rusqlite::Result<(Vec<HistoryPoint>, Unsealed)> {
        let (known, segments);
        let live;
        let groups;
        if let Some(shared) = &self.live {
            live = shared.read();
            known = live.points.clone();
            segments = &live.segments;
        } else {
            known = history::read_points(&self.connection)?;
            let (read, damaged_groups) = history::read_groups(&self.connection)?;
            *damaged += damaged_groups;
            groups = read;
            segments = &groups;
        }
        let numbers = numbers_of(points, &known);
        let mut unsealed = Unsealed { ids: segments.iter().map(|segment| segment.id).collect(), parts: Vec::new() };
        for segment in segments.iter().filter(|segment| segment.times.iter().any(|time| window.contains(*time))) {
            let columns = segment.columns.iter().filter(|(number, _)| numbers.contains_key(number));
            let columns = columns.map(|(number, column)| (*number, column.clone())).collect();
            unsealed.parts.push(Part { times: segment.times.clone(), columns });
        }
        Ok((known, unsealed))
    }

    fn sealed(&self, window: Window, unsealed: &Unsealed) -> rusqlite::Result<Vec<Sealed>> {
        self.connection
            .prepare_cached(
                "SELECT id, row_count FROM history_segment WHERE wall_last >= ?1 AND wall_first < ?2 ORDER BY id",
            )?
            .query_map(params![window.from, window.to], |row| {
                let rows: i64 = row.get(1)?;
                Ok(Sealed { id: row.get(0)?, rows: rows.max(0) as usize })
            })?
            .filter(|segment| !matches!(segment, Ok(segment) if unsealed.ids.contains(&segment.id)))
            .collect()
    }

    /// Adds what one sealed segment holds. Returns how many of its blocks are damaged.
    fn add_sealed(
        &self,
        segment: &Sealed,
        known: &[HistoryPoint],
        numbers: &HashMap<u32, usize>,
        gathered: &mut [Gathered],
    ) -> rusqlite::Result<usize> {
        // Retention may have taken the segment since it was listed; then it is simply not there.
        let mut statement = self
            .connection
            .prepare_cached("SELECT crc, times FROM history_segment WHERE id = ?1 AND row_count = ?2")?;
        let mut found = statement.query(params![segment.id, segment.rows as i64])?;
        let Some(row) = found.next()? else { return Ok(0) };
        let (crc, data): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let times = (codec::checksum([segment.id, segment.rows as i64], &data) == crc)
            .then(|| codec::decode_times(&data, segment.rows))
            .flatten();
        let Some(times) = times else { return Ok(1) };

        let mut blocks =
            self.connection.prepare_cached("SELECT crc, data FROM history_block WHERE segment = ?1 AND point = ?2")?;
        let mut damaged = 0;
        for (number, slot) in numbers {
            let mut found = blocks.query(params![segment.id, number])?;
            let Some(row) = found.next()? else { continue };
            let (crc, data): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let resolution = known[*number as usize].resolution;
            let column = (codec::checksum([segment.id, i64::from(*number)], &data) == crc)
                .then(|| codec::decode_block(&data, segment.rows, resolution))
                .flatten();
            match column {
                Some(column) => gathered[*slot].add(&times, &column, resolution),
                None => damaged += 1,
            }
        }
        Ok(damaged)
    }

    /// Writes a consistent copy of the database, without holes and without the log, to a file that does not exist yet.
    /// The daemon may go on writing meanwhile; the copy has the state of one moment.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the database cannot be read.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        let name = to.to_string_lossy();
        let run = || -> rusqlite::Result<()> {
            // Nothing of ours changes; but the statement counts as writing, to the other file.
            self.connection.pragma_update(None, "query_only", false)?;
            let outcome = self.connection.execute("VACUUM INTO ?1", [&name]);
            self.connection.pragma_update(None, "query_only", true)?;
            outcome.map(|_| ())
        };
        run().map_err(|error| understood(to, "cannot write the backup", error))
    }
}

impl Selection {
    fn query(&self) -> (String, Vec<Value>) {
        let whole = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let mut values = vec![
            whole(self.from_sequence),
            whole(self.to_sequence),
            Value::Integer(self.from_wall_milliseconds),
            Value::Integer(self.to_wall_milliseconds),
            whole(self.limit as u64),
        ];
        let kinds = if self.kinds.is_empty() {
            String::new()
        } else {
            values.extend(self.kinds.iter().cloned().map(Value::Text));
            let marks: Vec<String> = (0..self.kinds.len()).map(|index| format!("?{}", index + 6)).collect();
            format!("AND kind IN ({})", marks.join(", "))
        };
        let order = match self.order {
            Order::OldestFirst => "ASC",
            Order::NewestFirst => "DESC",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM journal WHERE sequence BETWEEN ?1 AND ?2 \
             AND wall_milliseconds >= ?3 AND wall_milliseconds < ?4 {kinds} ORDER BY sequence {order} LIMIT ?5"
        );
        (sql, values)
    }
}

#[derive(Clone, Copy)]
struct Window {
    from: i64,
    to: i64,
}

impl Window {
    fn is_empty(self) -> bool {
        self.to <= self.from
    }

    fn contains(self, time: i64) -> bool {
        self.from <= time && time < self.to
    }

    fn width(self, buckets: usize) -> u64 {
        self.to.abs_diff(self.from).div_ceil(buckets as u64)
    }
}

struct Sealed {
    id: i64,
    rows: usize,
}

struct Unsealed {
    ids: BTreeSet<i64>,
    parts: Vec<Part>,
}

struct Part {
    times: Vec<i64>,
    columns: Vec<(u32, Column)>,
}

/// Which number belongs to which of the points asked for. A name has several when its resolution was changed.
fn numbers_of(points: &[&str], known: &[HistoryPoint]) -> HashMap<u32, usize> {
    known
        .iter()
        .enumerate()
        .filter_map(|(number, point)| {
            let slot = points.iter().position(|name| *name == point.name)?;
            Some((number as u32, slot))
        })
        .collect()
}

/// The buckets of one point while they are gathered.
struct Gathered {
    window: Window,
    width: Option<u64>,
    buckets: Vec<Bucket>,
}

impl Gathered {
    fn new(window: Window, width: Option<u64>) -> Gathered {
        Gathered { window, width, buckets: Vec::new() }
    }

    fn add(&mut self, times: &[i64], column: &Column, resolution: f64) {
        let samples = times.iter().zip(column.rows()).filter(|(time, _)| self.window.contains(**time));
        for (time, quanta) in samples {
            let Some(quanta) = quanta else { continue };
            let value = codec::restore(quanta, resolution);
            let Some(width) = self.width else {
                self.buckets.push(Bucket::of(*time, value));
                continue;
            };
            let index = time.abs_diff(self.window.from) / width;
            let start = self.window.from.saturating_add_unsigned(index * width);
            // Rows come nearly in the order of time, so the bucket is nearly always the last one.
            match self.buckets.iter().rposition(|bucket| bucket.wall_milliseconds <= start) {
                Some(at) if self.buckets[at].wall_milliseconds == start => self.buckets[at].add(value),
                Some(at) => self.buckets.insert(at + 1, Bucket::of(start, value)),
                None => self.buckets.insert(0, Bucket::of(start, value)),
            }
        }
    }

    fn finish(mut self) -> Vec<Bucket> {
        // A wall clock that was put back leaves rows out of order.
        self.buckets.sort_by_key(|bucket| bucket.wall_milliseconds);
        self.buckets
    }
}
