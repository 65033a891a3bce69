//! The writer after a disk that failed it: nothing twice, nothing lost in silence.

use super::super::{NewRecord, Selection, Ticket, database, folder, reader::Reader};
use super::*;

/// A writer with three records, whose thread does not run, and a batch of one that it holds in hand.
fn interrupted(folder: &std::path::Path) -> (Writer, Ticket) {
    let files = Files::in_folder(folder);
    let lock = folder::lock(&files).unwrap();
    let (connection, created) = database::open_for_writing(&files.database).unwrap();
    let settings = StoreSettings { reserve_bytes: 0, ..StoreSettings::default() };
    let mailbox = Arc::new(Mailbox::new(&settings));
    let parts = Parts { files, lock, connection, created, boot_id: "b".to_owned(), settings, mailbox };
    let (mut writer, _) = Writer::start(parts).unwrap();
    drop(writer.mailbox.append(vec![record(), record(), record()]));
    turn(&mut writer);
    let ticket = writer.mailbox.append(vec![record()]);
    let letters = writer.mailbox.take(None, 1);
    writer.accept(letters);
    (writer, ticket)
}

fn record() -> NewRecord {
    NewRecord::new("test", Stamp { monotonic_milliseconds: 1, wall_milliseconds: 1 }, &1).unwrap()
}

fn turn(writer: &mut Writer) {
    let letters = writer.mailbox.take(Some(Duration::ZERO), 10);
    writer.accept(letters);
    writer.retry = None;
    writer.write_records(Instant::now());
}

fn sequences(folder: &std::path::Path) -> Vec<u64> {
    let records = Reader::open(folder).unwrap().records(&Selection::default()).unwrap();
    records.iter().map(|record| record.sequence).collect()
}

#[test]
fn after_a_failed_commit_that_did_not_happen_it_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, ticket) = interrupted(folder.path());
    writer.connection = None;
    turn(&mut writer);
    assert_eq!(ticket.wait().unwrap().last, 4);
    assert_eq!(sequences(folder.path()), [1, 2, 3, 4]);
}

#[test]
fn after_a_failed_commit_that_did_happen_it_is_acknowledged_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, ticket) = interrupted(folder.path());
    // SQLite wrote the commit and the answer was lost: an error of the sync, say.
    let connection = writer.connection.take().unwrap();
    let batch = &writer.in_hand[0].records;
    writer.intended = journal::insert(&connection, writer.head, "b", batch.iter()).unwrap();
    drop(connection);
    turn(&mut writer);
    assert_eq!(ticket.wait().unwrap().last, 4);
    assert_eq!(sequences(folder.path()), [1, 2, 3, 4]);
    assert_eq!(writer.mailbox.health().records_queued, 0);
}

#[test]
fn acknowledged_records_that_a_disk_took_back_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, ticket) = interrupted(folder.path());
    writer.connection = None;
    // As if a fourth had been acknowledged.
    writer.head = Some(Head { sequence: 4, hash: [9; 32] });
    turn(&mut writer);
    assert_eq!(ticket.wait().unwrap().last, 4);
    let regressed = writer.mailbox.health().regressed.unwrap();
    assert!(regressed.contains("ends at record 3 and not at record 4"), "{regressed}");
}

#[test]
fn a_database_that_vanished_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _ticket) = interrupted(folder.path());
    writer.connection = None;
    fs::rename(&writer.files.database, folder.path().join("elsewhere")).unwrap();
    turn(&mut writer);
    assert!(!writer.files.database.exists());
    let health = writer.mailbox.health();
    assert_eq!((health.trouble, health.records_queued), (Some(Trouble::InputOutput), 1));
    fs::rename(folder.path().join("elsewhere"), &writer.files.database).unwrap();
    turn(&mut writer);
    assert_eq!(sequences(folder.path()), [1, 2, 3, 4]);
}
