//! The history: small, bounded, whole after a restart, and honest about holes.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;

use super::*;

const INTERVAL: i64 = 10_000;
const START: i64 = 1_763_136_000_000;

fn layout(names: &[&str]) -> Layout {
    Layout::new(names.iter().map(|name| HistoryPoint { name: (*name).to_owned(), resolution: 0.1 }))
}

fn row(layout: &Layout, index: i64, values: &[Option<f64>]) -> HistoryRow {
    HistoryRow { layout: layout.clone(), wall_milliseconds: START + index * INTERVAL, values: values.to_vec() }
}

fn wave(index: i64) -> f64 {
    ((index as f64 / 50.0).sin() * 100.0).round() / 10.0
}

/// Hands rows over no faster than they are taken, since the mailbox would drop the oldest.
fn feed(store: &Store, rows: impl Iterator<Item = HistoryRow>) {
    for (count, row) in rows.enumerate() {
        store.record(row);
        if count % 200 == 199 {
            settle(store);
            until("the writer has sealed what is full", || store.live.read().segments.len() < 3);
        }
    }
    settle(store);
}

/// Waits until everything handed over before is absorbed: records come after rows in the writer's order.
fn settle(store: &Store) {
    store.append(vec![event(0)]).wait().unwrap();
}

fn values(store: &Store, name: &str, from: i64, to: i64) -> Vec<(i64, f64)> {
    let range = store.reader().unwrap().range(&[name], START + from * INTERVAL, START + to * INTERVAL, 20_000).unwrap();
    assert_eq!((range.damaged_blocks, range.bucket_milliseconds), (0, None));
    range.series[0].buckets.iter().map(|bucket| ((bucket.wall_milliseconds - START) / INTERVAL, bucket.mean)).collect()
}

fn sealed_segments(folder: &Path) -> i64 {
    let connection = Connection::open(folder.join("heatstation.db")).unwrap();
    connection.query_row("SELECT count(*) FROM history_segment", [], |row| row.get(0)).unwrap()
}

#[test]
fn samples_come_back_from_memory_groups_and_sealed_blocks_alike() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let points = layout(&["a", "b"]);
    // 2.5 hours: two sealed segments, groups on disk, and a few rows that are only in memory.
    let rows = 903;
    feed(&store, (0..rows).map(|index| row(&points, index, &[Some(wave(index)), None])));
    until("the full hours are sealed", || sealed_segments(folder.path()) == 2);
    let expected: Vec<_> = (0..rows).map(|index| (index, wave(index))).collect();
    assert_eq!(values(&store, "a", 0, rows), expected);
    assert_eq!(values(&store, "a", 700, 800), &expected[700..800]);
    assert_eq!(values(&store, "b", 0, rows), []);
    assert_eq!(values(&store, "never heard of", 0, rows), []);
    close(&store);
    drop(store);

    // Another process, without the memory of the first; then the next daemon, which goes on in the same hour.
    let reader = Reader::open(folder.path()).unwrap();
    let range = reader.range(&["a"], START, START + rows * INTERVAL, 20_000).unwrap();
    assert_eq!(range.series[0].buckets.len(), expected.len());
    let store = open(folder.path());
    assert_eq!(values(&store, "a", 0, rows), expected);
    feed(&store, (rows..1090).map(|index| row(&points, index, &[Some(wave(index)), Some(1.0)])));
    until("the third hour is sealed", || sealed_segments(folder.path()) == 3);
    assert_eq!(values(&store, "a", 0, 1090), (0..1090).map(|index| (index, wave(index))).collect::<Vec<_>>());
    assert_eq!(values(&store, "b", 0, 1090).len(), 187);
}

#[test]
fn holes_and_jumping_clocks_are_kept_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let points = layout(&["a"]);
    let times = [0, 1, 2, 500, 501, 3, 4];
    feed(&store, times.iter().map(|index| row(&points, *index, &[(*index != 2).then_some(wave(*index))])));
    let found = values(&store, "a", 0, 1000);
    assert_eq!(found.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 3, 4, 500, 501]);
    let odd = [Some(f64::NAN)];
    feed(&store, std::iter::once(row(&points, 5, &odd)));
    assert_eq!(values(&store, "a", 0, 1000).len(), 6);
}

#[test]
fn a_changed_configuration_keeps_the_past_of_every_point() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let before = layout(&["a", "b"]);
    let after = Layout::new([
        HistoryPoint { name: "c".to_owned(), resolution: 0.1 },
        HistoryPoint { name: "a".to_owned(), resolution: 0.01 },
    ]);
    feed(&store, (0..400).map(|index| row(&before, index, &[Some(1.0), Some(2.0)])));
    feed(&store, (400..800).map(|index| row(&after, index, &[Some(3.0), Some(1.25)])));
    until("two hours are sealed", || sealed_segments(folder.path()) == 2);
    let a = values(&store, "a", 0, 800);
    assert_eq!(a.len(), 800);
    assert_eq!((a[399].1, a[400].1), (1.0, 1.25));
    assert_eq!(values(&store, "b", 0, 800).len(), 400);
    assert_eq!(values(&store, "c", 0, 800).len(), 400);
    assert_eq!(store.reader().unwrap().history_points().unwrap(), ["a", "b", "c"]);
}

#[test]
fn long_ranges_come_as_buckets_with_their_extremes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let points = layout(&["a"]);
    feed(&store, (0..1000).map(|index| row(&points, index, &[Some(if index == 777 { 99.0 } else { wave(index) })])));
    let reader = store.reader().unwrap();
    let range = reader.range(&["a"], START, START + 1000 * INTERVAL, 50).unwrap();
    assert_eq!(range.bucket_milliseconds, Some(200_000));
    let buckets = &range.series[0].buckets;
    assert_eq!(buckets.len(), 50);
    assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u32>(), 1000);
    for (index, bucket) in buckets.iter().enumerate() {
        assert_eq!(bucket.wall_milliseconds, START + index as i64 * 200_000);
        let slice: Vec<f64> = (0..20)
            .map(|offset| index as i64 * 20 + offset)
            .map(|index| if index == 777 { 99.0 } else { wave(index) })
            .collect();
        assert_eq!(bucket.max, slice.iter().copied().fold(f64::MIN, f64::max));
        assert_eq!(bucket.min, slice.iter().copied().fold(f64::MAX, f64::min));
        assert!((bucket.mean - slice.iter().sum::<f64>() / 20.0).abs() < 1e-9);
    }
    assert_eq!(reader.range(&["a"], START, START, 50).unwrap().series[0].buckets, []);
    let whole = reader.range(&["a"], i64::MIN, i64::MAX, 3).unwrap();
    assert_eq!(whole.series[0].buckets.iter().map(|bucket| bucket.count).sum::<u32>(), 1000);
}

#[test]
fn damaged_telemetry_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let points = layout(&["a", "b"]);
    feed(&store, (0..380).map(|index| row(&points, index, &[Some(wave(index)), Some(2.0)])));
    until("an hour is sealed", || sealed_segments(folder.path()) == 1);
    // The rest of the next hour is in two groups: one written now, one at closing.
    until("a group is written", || {
        let connection = Connection::open(folder.path().join("heatstation.db")).unwrap();
        connection.query_row("SELECT count(*) = 1 FROM history_group", [], |row| row.get(0)).unwrap()
    });
    feed(&store, (380..383).map(|index| row(&points, index, &[Some(wave(index)), Some(2.0)])));
    close(&store);
    drop(store);
    let connection = Connection::open(folder.path().join("heatstation.db")).unwrap();
    // Whole blobs with true checksums, in the wrong place: what a misdirected write leaves.
    connection
        .execute_batch(
            "UPDATE history_block SET (crc, data) = (SELECT crc, data FROM history_block WHERE point = 1)
             WHERE point = 0;
             UPDATE history_group SET (crc, data) = (SELECT crc, data FROM history_group WHERE first_row > 0)
             WHERE first_row = 0",
        )
        .unwrap();
    drop(connection);

    let store = open(folder.path());
    assert_eq!(store.opening().damaged_groups, 1);
    let range = store.reader().unwrap().range(&["a", "b"], START, START + 383 * INTERVAL, 1000).unwrap();
    assert_eq!(range.damaged_blocks, 1);
    let lengths: Vec<_> = range.series.iter().map(|series| series.buckets.len()).collect();
    assert_eq!(lengths, [3, 363]);
    // What is left of the damaged hour is sealed, and the next one goes on.
    feed(&store, (383..800).map(|index| row(&points, index, &[Some(wave(index)), Some(2.0)])));
    until("two more are sealed", || sealed_segments(folder.path()) == 3);
}

#[test]
fn the_oldest_telemetry_goes_when_the_bounds_are_reached_and_the_file_shrinks() {
    let folder = tempfile::tempdir().unwrap();
    let points = layout(&["a", "b", "c"]);
    let bytes_max = 64 * 1024;
    // Sixteen bits of noise, which no codec makes smaller than two bytes.
    let noisy = |index: i64| {
        let hash = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Some((hash >> 48) as f64 / 10.0)
    };
    let settings = StoreSettings { history: HistorySettings { bytes_max, ..HistorySettings::default() }, ..small() };
    let store = Store::open(folder.path(), settings).unwrap();
    let rows = 19_000;
    feed(&store, (0..rows).map(|index| row(&points, index, &[noisy(index), noisy(index + 1), noisy(index + 2)])));
    until("the bound holds", || {
        settle(&store);
        store.health().history_bytes <= bytes_max && store.health().history_bytes > 0
    });
    assert_eq!(store.health().history_rows_lost_total, 0);
    let kept = values(&store, "a", 0, rows);
    assert_eq!(kept.last().unwrap().0, rows - 1, "the newest stays");
    assert!(kept[0].0 > rows / 3, "the oldest went: {:?}", kept[0]);
    close(&store);
    let telemetry = fs::metadata(folder.path().join("heatstation.db")).unwrap().len();
    assert!(telemetry < bytes_max + (2 << 20), "{telemetry}");

    drop(store);
    let days = HistorySettings { days_max: 0, ..HistorySettings::default() };
    let store = Store::open(folder.path(), StoreSettings { history: days, ..small() }).unwrap();
    until("nothing sealed is left", || store.health().history_bytes == 0);
}

/// One day of a station of 150 points as its devices would deliver it: registers with the resolution of their
/// sensors, noise of one or two counts, slow daily waves, drifting valves, counters, and switches.
#[test]
fn a_day_of_telemetry_takes_at_most_two_bytes_a_sample() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let station = budget::Station::new();
    let rows = 8640;
    feed(&store, (0..rows).map(|index| station.row(START, index)));
    until("the hours are sealed", || sealed_segments(folder.path()) == 23);
    close(&store);
    drop(store);

    let connection = Connection::open(folder.path().join("heatstation.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT name, sum(pgsize) FROM dbstat WHERE name LIKE 'history%' OR name LIKE 'sqlite_auto%' GROUP BY name",
        )
        .unwrap();
    let sizes: BTreeMap<String, i64> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let file: i64 = connection
        .query_row("SELECT page_size * (page_count - freelist_count) FROM pragma_page_size, pragma_page_count, pragma_freelist_count", [], |row| row.get(0))
        .unwrap();
    let samples = rows * station.points() as i64;
    let per_sample = file as f64 / samples as f64;
    let mut out = std::io::stdout();
    std::io::Write::write_fmt(
        &mut out,
        format_args!("telemetry: {per_sample:.3} bytes a sample over {samples} samples, pages by table {sizes:?}\n"),
    )
    .unwrap();
    assert!(per_sample <= 2.0, "{per_sample}");
    assert!(per_sample > 0.05, "{per_sample}: nothing was stored");
}
