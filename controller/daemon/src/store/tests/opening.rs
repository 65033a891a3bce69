//! Opening: whose folder, whose file, which version, and what is known of the process before.

use std::fs;

use rusqlite::Connection;

use super::*;

#[test]
fn a_new_folder_gets_a_new_store_and_the_next_process_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("a/b");
    let first = Store::open(&nested, small()).unwrap();
    assert!(first.opening().created);
    assert_eq!(first.opening().checkpoint, CheckpointAtStart::Absent);
    assert_eq!(first.previous_liveness(), None);
    fill(&first, 3);
    first.checkpoint(at(5), b"the state".to_vec()).unwrap();
    first.alive(at(7));
    close(&first);
    let boot_id = first.boot_id().to_owned();
    drop(first);

    let second = Store::open(&nested, small()).unwrap();
    let opening = second.opening();
    assert!(!opening.created);
    assert_eq!(opening.head.unwrap().sequence, 3);
    let checkpoint = Checkpoint { boot_id: boot_id.clone(), stamp: at(5), body: b"the state".to_vec() };
    assert_eq!(opening.checkpoint, CheckpointAtStart::Sound(checkpoint));
    assert_eq!(second.previous_liveness(), Some(&Liveness { boot_id: boot_id.clone(), stamp: at(7) }));
    assert_ne!(second.boot_id(), boot_id);
    assert_eq!(opening.journal_regressed, None);
}

#[test]
fn the_store_is_shared_between_tasks_and_threads() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<Store>();
    moved::<Reader>();
    moved::<Ticket>();
}

#[test]
fn a_record_is_a_sign_of_life_too() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.alive(at(1));
    until("the sign is written", || first.health().last_commit.is_some());
    first.append(vec![event(9)]).wait().unwrap();
    close(&first);
    drop(first);
    assert_eq!(open(folder.path()).previous_liveness().unwrap().stamp, at(9));
}

#[test]
fn two_daemons_cannot_share_a_folder_and_the_second_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let refused = Store::open(folder.path(), small()).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }));
    let text = refused.to_string();
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(text.contains("stop that process"), "{text}");
    close(&first);
    drop(first);
    open(folder.path());
}

#[test]
fn a_foreign_file_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("heatstation.db");
    fs::write(
        &database,
        "this is somebody's shopping list, and longer than a header of one hundred bytes, too".repeat(9),
    )
    .unwrap();
    let before = fs::read(&database).unwrap();
    assert!(matches!(Store::open(folder.path(), small()), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&database).unwrap(), before);

    fs::remove_file(&database).unwrap();
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    let before = fs::read(&database).unwrap();
    let refused = Store::open(folder.path(), small()).unwrap_err();
    assert!(refused.to_string().contains("another program"), "{refused}");
    assert_eq!(fs::read(&database).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused_and_an_empty_file_is_a_new_store() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("heatstation.db");
    fs::write(&database, b"").unwrap();
    close(&open(folder.path()));

    Connection::open(&database).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = Store::open(folder.path(), small()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");

    Connection::open(&database).unwrap().pragma_update(None, "user_version", 0).unwrap();
    assert!(matches!(Store::open(folder.path(), small()), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_journal_without_its_guards_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    close(&open(folder.path()));
    let database = folder.path().join("heatstation.db");
    Connection::open(&database).unwrap().execute_batch("DROP TRIGGER journal_is_never_changed").unwrap();
    let refused = Store::open(folder.path(), small()).unwrap_err();
    assert!(refused.to_string().contains("journal_is_never_changed"), "{refused}");
}

#[test]
fn a_damaged_store_can_be_set_aside_and_the_station_starts_with_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 3);
    assert!(matches!(set_aside(folder.path(), "x"), Err(StoreError::InUse { .. })));
    close(&store);
    drop(store);
    let aside = set_aside(folder.path(), "damaged-20260109").unwrap();
    assert!(matches!(verify(&aside, None), Verdict::Sound { records: 3, .. }));
    let store = open(folder.path());
    assert!(store.opening().created);
    assert_eq!(store.opening().journal_regressed, None);
}

#[test]
fn a_damaged_checkpoint_is_reported_and_never_returned() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.checkpoint(at(5), b"the state".to_vec()).unwrap();
    close(&store);
    drop(store);
    let database = folder.path().join("heatstation.db");
    for change in ["body = x'00'", "wall_milliseconds = 0", "boot_id = 'another'", "crc = 1"] {
        let connection = Connection::open(&database).unwrap();
        let changed = format!("BEGIN; UPDATE checkpoint SET {change}");
        connection.execute_batch(&changed).unwrap();
        assert!(matches!(checkpoint::read(&connection), CheckpointAtStart::Damaged { .. }), "{change}");
    }
}

#[test]
fn a_restored_older_backup_is_visible_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 5);
    let backup = folder.path().join("backup.db");
    store.reader().unwrap().back_up(&backup).unwrap();
    assert!(matches!(verify(&backup, None), Verdict::Sound { records: 5, .. }));
    fill(&store, 2);
    close(&store);
    drop(store);
    fs::copy(&backup, folder.path().join("heatstation.db")).unwrap();
    assert!(!verify(folder.path(), None).is_sound());
    let store = open(folder.path());
    let regressed = store.opening().journal_regressed.as_deref().unwrap();
    assert!(regressed.contains("2 records are gone"), "{regressed}");
    fill(&store, 1);
    assert_eq!(store.health().records_total, 6);
}
