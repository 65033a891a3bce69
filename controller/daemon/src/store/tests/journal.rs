//! The journal: only added to, in order, in one piece, and readable from every side.

use rusqlite::Connection;

use super::*;
use crate::store::journal::{BODY_BYTES_MAX, GENESIS};

#[test]
fn records_come_back_as_they_were_written_and_chained() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let durable = store.append(vec![event(1), event(2)]).wait().unwrap();
    assert_eq!((durable.first, durable.last, durable.head.sequence), (1, 2, 2));
    fill(&store, 3);

    let reader = store.reader().unwrap();
    let records = reader.records(&Selection::default()).unwrap();
    assert_eq!(records.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(records[0].previous_hash, GENESIS);
    for pair in records.windows(2) {
        assert_eq!(pair[1].previous_hash, pair[0].hash);
    }
    assert_eq!(records[1].body, r#"{"note":"停热 outage","number":2}"#);
    assert_eq!(records[1].boot_id, store.boot_id());
    assert_eq!(records[1].stamp, at(2));
    let head = reader.head().unwrap().unwrap();
    assert_eq!(head, records[4].head());
    assert_eq!(head.to_string().parse(), Ok(head));
    assert_eq!(verify(folder.path(), Some(&durable.head)), Verdict::Sound { records: 5, head: Some(head) });
}

#[test]
fn the_hash_is_the_one_that_the_manual_describes() {
    // Computed apart from this program, with Python's hashlib over the description in `export`.
    let record = Record {
        sequence: 1,
        boot_id: "00ff".to_owned(),
        stamp: Stamp { monotonic_milliseconds: 1500, wall_milliseconds: -1 },
        kind: "outage".to_owned(),
        body: r#"{"a":1}"#.to_owned(),
        previous_hash: GENESIS,
        hash: GENESIS,
    };
    let head = Head { sequence: 1, hash: record.digest() };
    assert_eq!(head.hash_hex(), "f824db3cf38573c10521270e7fcb52ff6c2cf4438351b706ade034ffb314ca04");
}

#[test]
fn records_are_selected_by_sequence_time_and_kind_from_either_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 1..=9 {
        let kind = if number % 3 == 0 { "third" } else { "other" };
        drop(store.append(vec![NewRecord::new(kind, at(number), &number).unwrap()]));
    }
    store.append(vec![event(10)]).wait().unwrap();
    let reader = store.reader().unwrap();
    let read = |selection: Selection| {
        reader.records(&selection).unwrap().iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    let all = Selection::default();
    assert_eq!(read(Selection { kinds: vec!["third".to_owned()], ..all.clone() }), [3, 6, 9]);
    assert_eq!(read(Selection { order: Order::NewestFirst, limit: 2, ..all.clone() }), [10, 9]);
    assert_eq!(read(Selection { from_sequence: 4, to_sequence: 6, ..all.clone() }), [4, 5, 6]);
    let (from, to) = (at(4).wall_milliseconds, at(6).wall_milliseconds);
    assert_eq!(read(Selection { from_wall_milliseconds: from, to_wall_milliseconds: to, ..all }), [4, 5]);
    assert_eq!(reader.last().unwrap().unwrap().sequence, 10);
}

#[test]
fn the_database_itself_refuses_to_change_delete_or_skip() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 3);
    close(&store);
    let connection = Connection::open(folder.path().join("heatstation.db")).unwrap();
    let insert = "(sequence, boot_id, monotonic_milliseconds, wall_milliseconds, kind, body, previous_hash, hash) \
                  SELECT sequence + 5, boot_id, 0, 0, kind, body, previous_hash, hash FROM journal WHERE sequence = 3";
    for (sql, said) in [
        ("UPDATE journal SET body = '{}' WHERE sequence = 2".to_owned(), "write a correction"),
        ("DELETE FROM journal WHERE sequence = 3".to_owned(), "none is deleted"),
        (format!("INSERT INTO journal {insert}"), "without gaps"),
        (format!("INSERT OR REPLACE INTO journal {}", insert.replace("+ 5", "- 1")), "without gaps"),
    ] {
        let refused = connection.execute_batch(&sql).unwrap_err();
        assert!(refused.to_string().contains(said), "{sql}: {refused}");
    }
    assert!(verify(folder.path(), None).is_sound());
}

#[test]
fn a_batch_is_kept_whole_or_not_at_all_and_an_empty_one_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.append(Vec::new()).wait(), Err(NotKept::Empty));
    let durable = store.append((1..=2000).map(event).collect()).wait().unwrap();
    assert_eq!((durable.first, durable.last), (1, 2000));
    let too_long = NewRecord::new("test", at(1), &"x".repeat(BODY_BYTES_MAX));
    assert!(matches!(too_long, Err(RecordError::TooLong { .. })));
    close(&store);
    assert_eq!(store.append(vec![event(1)]).wait(), Err(NotKept::Closed));
    assert_eq!(store.health().records_lost_total, 1);
}

#[test]
fn closing_writes_what_nobody_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..3000 {
        drop(store.append(vec![event(number), event(number)]));
    }
    close(&store);
    assert!(matches!(verify(folder.path(), None), Verdict::Sound { records: 6000, .. }));

    // Against a disk that refuses, closing ends in its time and says what is lost.
    let other = tempfile::tempdir().unwrap();
    let store = open(other.path());
    let stranger = Connection::open(other.path().join("heatstation.db")).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ticket = store.append(vec![event(1), event(2)]);
    let refused = store.close(Duration::from_millis(100)).unwrap_err();
    assert!(refused.to_string().contains("2 records were still waiting"), "{refused}");
    assert_eq!(ticket.wait(), Err(NotKept::Closed));
}

#[test]
fn whoever_cannot_wait_goes_on_and_may_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // A stranger holds the write lock: the disk is "late".
    let stranger = Connection::open(folder.path().join("heatstation.db")).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut ticket = store.append(vec![event(1)]);
    runtime.block_on(async {
        assert_eq!(ticket.within(Duration::from_millis(200)).await, None);
        until("the writer says why", || store.health().trouble == Some(Trouble::Busy));
        assert_eq!(store.health().records_queued, 1);
        assert!(store.health().oldest_queued.unwrap() >= Duration::from_millis(200));
        stranger.execute_batch("COMMIT").unwrap();
        assert_eq!(ticket.await.unwrap().first, 1);
    });
    until("the trouble is over", || store.health().trouble.is_none());
    let health = store.health();
    assert_eq!((health.records_queued, health.records_late_total, health.records_total), (0, 1, 1));
}

#[test]
fn exports_say_the_same_in_both_formats_and_can_be_checked_by_anyone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let odd = NewRecord::new("odd", at(2), &json!({ "text": "a \"quoted\", comma\nand line", "n": 1.5 })).unwrap();
    store.append(vec![event(1), odd]).wait().unwrap();
    let reader = store.reader().unwrap();
    let records = reader.records(&Selection::default()).unwrap();

    let mut lines = Vec::new();
    assert_eq!(export(&reader, &Selection::default(), ExportFormat::JsonLines, &mut lines).unwrap(), 2);
    let lines = String::from_utf8(lines).unwrap();
    for (line, record) in lines.lines().zip(&records) {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(parsed["sequence"], record.sequence);
        assert_eq!(parsed["hash"], record.head().hash_hex());
        let body = line.split_once(r#""body":"#).unwrap().1.rsplit_once(r#","previous_hash":"#).unwrap().0;
        assert_eq!(body, record.body);
    }
    assert!(lines.contains(r#""wall_utc":"2025-11-14T16:00:01.000Z""#), "{lines}");

    let mut table = Vec::new();
    assert_eq!(export(&reader, &Selection::default(), ExportFormat::Csv, &mut table).unwrap(), 2);
    let mut table = csv::Reader::from_reader(table.as_slice());
    for (row, record) in table.records().zip(&records) {
        let row = row.unwrap();
        assert_eq!(&row[6], record.body);
        assert_eq!(row[0].parse::<u64>().unwrap(), record.sequence);
    }
}
