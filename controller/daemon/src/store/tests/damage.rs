//! Damage: whatever is done to the file, what is read is what was written, or it is called damaged.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use super::*;

/// xorshift: seeded, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

/// A closed store with records over many pages and a little telemetry.
fn sample(folder: &Path) -> (PathBuf, Vec<Record>) {
    let store = open(folder);
    for batch in 0..40 {
        drop(store.append((0..10).map(|number| event(batch * 10 + number)).collect()));
    }
    let layout = Layout::new([HistoryPoint { name: "outdoor.temperature".to_owned(), resolution: 0.1 }]);
    for second in 0..80 {
        store.record(HistoryRow {
            layout: layout.clone(),
            wall_milliseconds: at(second * 10).wall_milliseconds,
            values: vec![Some(-7.4)],
        });
    }
    fill(&store, 1);
    let records = store.reader().unwrap().records(&Selection::default()).unwrap();
    close(&store);
    (folder.join("heatstation.db"), records)
}

/// The records of a file that was just called sound.
fn read_anyway(path: &Path) -> Vec<(u64, String, Vec<u8>)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT sequence, body, hash FROM journal ORDER BY sequence").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn no_flipped_byte_passes_for_a_sound_journal_with_other_content() {
    let folder = tempfile::tempdir().unwrap();
    let (database, records) = sample(folder.path());
    let truth: Vec<_> =
        records.iter().map(|record| (record.sequence, record.body.clone(), record.hash.to_vec())).collect();
    let clean = fs::read(&database).unwrap();
    let copy = folder.path().join("copy.db");
    let seed = std::env::var("HEATSTATION_TORTURE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_109);
    let rounds = torture::rounds(600);
    let mut dice = Dice(seed);
    let (mut broken, mut sound) = (0, 0);
    for round in 0..rounds {
        let mut bytes = clean.clone();
        // One byte, or a run of them: zeroed sectors and garbage are what dying cards deliver.
        let position = dice.roll(bytes.len());
        match dice.roll(4) {
            0 | 1 => bytes[position] ^= 1 << dice.roll(8),
            2 => bytes[position] = dice.roll(256) as u8,
            _ => bytes[position..].iter_mut().take(512).for_each(|byte| *byte = 0),
        }
        fs::write(&copy, &bytes).unwrap();
        match verify(&copy, None) {
            Verdict::Sound { records, .. } => {
                sound += 1;
                assert_eq!(records, truth.len() as u64, "seed {seed} round {round} at {position}");
                assert_eq!(read_anyway(&copy), truth, "seed {seed} round {round} at {position}");
            }
            Verdict::Broken { .. } | Verdict::Unreadable { .. } => broken += 1,
        }
    }
    // Telemetry and free room take the rest; were the checker blind or blindly afraid, one of these would be empty.
    assert!(broken > rounds / 3 && sound > 0, "{broken} broken, {sound} sound");
}

#[test]
fn every_planted_change_is_named_with_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = sample(folder.path());
    let clean = fs::read(&database).unwrap();
    let copy = folder.path().join("copy.db");
    let guards = "DROP TRIGGER journal_is_never_changed; DROP TRIGGER journal_is_never_shortened;
                  DROP TRIGGER journal_has_no_gaps;";
    for (sql, sequence) in [
        ("UPDATE journal SET body = replace(body, '7', '8') WHERE sequence = 18", 18),
        ("UPDATE journal SET kind = 'tesT' WHERE sequence = 5", 5),
        ("UPDATE journal SET wall_milliseconds = wall_milliseconds + 1 WHERE sequence = 200", 200),
        ("UPDATE journal SET monotonic_milliseconds = 0 WHERE sequence = 300", 300),
        ("UPDATE journal SET boot_id = 'x' WHERE sequence = 7", 7),
        ("UPDATE journal SET hash = randomblob(32) WHERE sequence = 7", 7),
        ("DELETE FROM journal WHERE sequence = 100", 100),
        ("DELETE FROM journal WHERE sequence > 390", 390),
        ("DELETE FROM journal WHERE sequence < 3", 1),
        (
            "UPDATE journal SET sequence = -1 WHERE sequence = 50; UPDATE journal SET sequence = 50 WHERE sequence = 51;
             UPDATE journal SET sequence = 51 WHERE sequence = -1",
            50,
        ),
        (
            "INSERT INTO journal SELECT 402, boot_id, 0, 0, kind, body, hash, hash FROM journal WHERE sequence = 401",
            402,
        ),
    ] {
        fs::write(&copy, &clean).unwrap();
        let connection = Connection::open(&copy).unwrap();
        let triggers: Vec<String> = {
            let mut statement =
                connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        connection.execute_batch(guards).unwrap();
        connection.execute_batch(sql).unwrap();
        for trigger in triggers {
            connection.execute_batch(&trigger).unwrap();
        }
        drop(connection);
        match verify(&copy, None) {
            Verdict::Broken { sequence: Some(found), .. } => assert_eq!(found, sequence, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_forger_has_to_rewrite_all_that_follows_and_is_caught_by_a_head_kept_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (database, records) = sample(folder.path());
    let kept = records.last().unwrap().head();
    let unguarded = Connection::open(&database).unwrap();
    let write = |record: &Record| {
        let sql = "UPDATE journal SET body = ?2, previous_hash = ?3, hash = ?4 WHERE sequence = ?1";
        let sequence = i64::try_from(record.sequence).unwrap();
        unguarded.execute(sql, rusqlite::params![sequence, record.body, record.previous_hash, record.hash]).unwrap();
    };
    let guard: String = unguarded
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'journal_is_never_changed'", [], |row| row.get(0))
        .unwrap();
    unguarded.execute_batch("DROP TRIGGER journal_is_never_changed").unwrap();

    let mut forged = records[17].clone();
    forged.body = r#"{"note":"nothing happened"}"#.to_owned();
    forged.hash = forged.digest();
    write(&forged);
    unguarded.execute_batch(&guard).unwrap();
    assert!(matches!(verify(&database, None), Verdict::Broken { sequence: Some(19), .. }));

    unguarded.execute_batch("DROP TRIGGER journal_is_never_changed").unwrap();
    for record in &records[18..] {
        let next = Record { previous_hash: forged.hash, ..record.clone() };
        forged = Record { hash: next.digest(), ..next };
        write(&forged);
    }
    unguarded.execute("UPDATE journal_head SET hash = ?1", [forged.hash]).unwrap();
    unguarded.execute_batch(&guard).unwrap();
    assert!(verify(&database, None).is_sound(), "a chain alone cannot see this");
    assert!(matches!(verify(&database, Some(&kept)), Verdict::Broken { sequence: Some(401), .. }));
    assert!(!verify(folder.path(), None).is_sound(), "the head beside the database can");

    // A number left out shows even where the hashes follow from each other.
    let guard: String = unguarded
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'journal_has_no_gaps'", [], |row| row.get(0))
        .unwrap();
    unguarded.execute_batch("DROP TRIGGER journal_has_no_gaps").unwrap();
    let mut later = Record { sequence: 403, previous_hash: forged.hash, ..forged };
    later.hash = later.digest();
    let copied =
        "INSERT INTO journal SELECT 403, boot_id, monotonic_milliseconds, wall_milliseconds, kind, body, ?1, ?2
                  FROM journal WHERE sequence = 401";
    unguarded.execute(copied, [later.previous_hash, later.hash]).unwrap();
    unguarded.execute("UPDATE journal_head SET sequence = 403, hash = ?1", [later.hash]).unwrap();
    unguarded.execute_batch(&guard).unwrap();
    assert!(matches!(verify(&database, None), Verdict::Broken { sequence: Some(402), .. }));
}

#[test]
fn a_head_kept_elsewhere_shows_a_cut_end_and_a_rewritten_past() {
    let folder = tempfile::tempdir().unwrap();
    let (database, records) = sample(folder.path());
    let head = records.last().unwrap().head();
    assert!(verify(&database, Some(&head)).is_sound());
    assert!(!folder.path().join("heatstation.db-wal").exists(), "verifying leaves nothing behind");
    assert!(verify(&database, Some(&records[10].head())).is_sound());

    let further = Head { sequence: head.sequence + 3, hash: head.hash };
    let Verdict::Broken { what, .. } = verify(&database, Some(&further)) else { panic!("not seen") };
    assert!(what.contains("3 records are missing"), "{what}");
    let other = Head { sequence: 11, hash: head.hash };
    assert!(matches!(verify(&database, Some(&other)), Verdict::Broken { sequence: Some(11), .. }));
}

#[test]
fn a_damaged_log_that_loses_acknowledged_records_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 10);
    close(&store);
    drop(store);
    let store = open(folder.path());
    fill(&store, 40);
    // As after a power failure: the files as they lie there, the log not written back.
    for name in ["heatstation.db", "heatstation.db-wal", "heatstation.head"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    assert!(matches!(verify(copy.path(), None), Verdict::Sound { records: 50, .. }));

    let log = copy.path().join("heatstation.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&log, bytes).unwrap();
    let Verdict::Broken { what, .. } = verify(copy.path(), None) else { panic!("not seen") };
    assert!(what.contains("records are missing"), "{what}");
    let reopened = open(copy.path());
    assert!(reopened.opening().journal_regressed.is_some());
    fill(&reopened, 1);
}

#[test]
fn a_store_with_a_damaged_page_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = sample(folder.path());
    let mut bytes = fs::read(&database).unwrap();
    let page = bytes.windows(11).position(|window| window == b"\"number\":17").unwrap() / 4096 * 4096;
    bytes[page..page + 64].fill(0xff);
    fs::write(&database, bytes).unwrap();
    assert!(matches!(Store::open(folder.path(), small()), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_reader_shows_no_changed_record() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = sample(folder.path());
    let mut bytes = fs::read(&database).unwrap();
    // Pages that were split keep dead copies, so each place is changed, living or dead.
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"\"number\":17}")).collect();
    for at in places {
        bytes[at + 10] = b'8';
    }
    fs::write(&database, bytes).unwrap();
    let reader = Reader::open(folder.path()).unwrap();
    let refused = reader.records(&Selection::default()).unwrap_err();
    assert!(matches!(refused, StoreError::RecordDamaged { sequence: 18, .. }), "{refused}");
}

#[test]
fn verifying_a_live_store_neither_disturbs_nor_is_disturbed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 10);
    thread::scope(|scope| {
        let writing = scope.spawn(|| fill(&store, 300));
        while !writing.is_finished() {
            assert!(verify(folder.path(), None).is_sound());
        }
    });
    assert!(matches!(verify(folder.path(), None), Verdict::Sound { records: 310, .. }));
    assert_eq!(store.health().last_error, None);
}

#[test]
fn what_is_no_database_is_unreadable_and_never_sound() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(verify(folder.path(), None), Verdict::Unreadable { .. }));
    let path = folder.path().join("some.db");
    for content in [&b""[..], b"SQLite format 3\0", b"nonsense"] {
        fs::write(&path, content).unwrap();
        assert!(!verify(&path, None).is_sound());
    }
}
