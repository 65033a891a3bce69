//! A full disk: nothing acknowledged is lost, what waits is kept in order, and what is lost is counted.

use std::fs;

use super::*;

#[test]
fn on_a_full_disk_records_wait_and_drain_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), StoreSettings { backlog_records_max: 500, ..small() }).unwrap();
    fill(&store, 20);
    store.limit_pages(1);
    let mut tickets = Vec::new();
    until("the disk is full", || {
        tickets.push(store.append(vec![event(1)]));
        store.health().trouble == Some(Trouble::DiskFull)
    });
    let waiting = store.health();
    assert!(waiting.records_queued > 0 && waiting.oldest_queued.is_some());
    assert!(waiting.last_error.unwrap().contains("check the disk's free space"));
    assert!(waiting.reserve_spent, "the reserve went to the journal");
    assert!(!folder.path().join("heatstation.reserve").exists());

    // Beyond the bound records are refused, at once and by name.
    let refused = loop {
        let mut ticket = store.append(vec![event(2)]);
        if store.health().records_lost_total > 0 {
            let waker = std::task::Waker::noop();
            let answer = std::pin::Pin::new(&mut ticket).poll(&mut std::task::Context::from_waker(waker));
            let std::task::Poll::Ready(answer) = answer else { panic!("the refusal must not keep anybody waiting") };
            break answer;
        }
        tickets.push(ticket);
    };
    assert_eq!(refused, Err(NotKept::BacklogFull { waiting: 500 }));
    assert_eq!(store.health().records_lost_total, 1);
    assert!(verify(folder.path(), None).is_sound());

    store.limit_pages(u32::MAX);
    let mut last = 20;
    for ticket in tickets {
        let durable = ticket.wait().expect("whatever was accepted is kept");
        assert_eq!(durable.first, last + 1, "in the order in which it was appended");
        last = durable.last;
    }
    until("the trouble is over", || store.health().trouble.is_none());
    let health = store.health();
    assert_eq!((health.records_queued, health.records_total), (0, last));
    assert!(matches!(verify(folder.path(), None), Verdict::Sound { records, .. } if records == last));
}

#[test]
fn the_reserve_is_made_at_start_and_taken_over_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let reserve = folder.path().join("heatstation.reserve");
    for _ in 0..2 {
        let store = open(folder.path());
        assert_eq!(fs::metadata(&reserve).unwrap().len(), 1 << 16);
        assert!(!store.health().reserve_spent);
        assert!(store.health().disk_free_bytes.unwrap() > 0);
        close(&store);
        drop(store);
    }
}

/// On a small disk of its own, given by `HEATSTATION_SMALL_DISK` (a mounted tmpfs of 128 MiB will do): filled by
/// somebody else to the last byte, it still takes ten thousand records.
#[test]
fn on_a_disk_filled_to_the_last_byte_ten_thousand_records_still_fit() {
    use std::io::Write;
    let Ok(disk) = std::env::var("HEATSTATION_SMALL_DISK") else { return };
    let folder = tempfile::tempdir_in(disk).unwrap();
    let settings = StoreSettings { check_wait: Duration::from_secs(30), ..StoreSettings::default() };
    let store = Store::open(folder.path(), settings).unwrap();
    fill(&store, 10);
    assert!(!store.health().reserve_spent, "the disk is too small for the reserve");
    let mut hog = fs::File::create(folder.path().join("hog")).unwrap();
    while hog.write_all(&[7; 4096]).is_ok() {}

    let note = "x".repeat(400);
    for number in 0..10_000 {
        let record = NewRecord::new("legal", at(number), &json!({ "number": number, "note": note })).unwrap();
        let ticket = store.append(vec![record]);
        until("the record is durable", || {
            let health = store.health();
            assert!(health.oldest_queued.is_none_or(|age| age < Duration::from_secs(15)), "{number}: {health:?}");
            health.records_queued == 0
        });
        ticket.wait().expect("kept");
    }
    assert!(store.health().reserve_spent);
    assert!(store.health().trouble.is_none());
    close(&store);
    drop(store);
    assert!(matches!(verify(folder.path(), None), Verdict::Sound { records: 10_010, .. }));
    drop(hog);
    fs::remove_file(folder.path().join("hog")).unwrap();
    let settings = StoreSettings { check_wait: Duration::from_secs(30), ..StoreSettings::default() };
    let store = Store::open(folder.path(), settings.clone()).unwrap();
    assert!(!store.health().reserve_spent, "there is room again");
    close(&store);
    drop(store);

    // The disk was filled while the station was off. It starts and records all the same.
    let mut hog = fs::File::create(folder.path().join("hog")).unwrap();
    while hog.write_all(&[7; 4096]).is_ok() {}
    let store = Store::open(folder.path(), settings).unwrap();
    fill(&store, 100);
    close(&store);
    assert!(matches!(verify(folder.path(), None), Verdict::Sound { records: 10_110, .. }));
}
