//! Stories about the store: what it keeps, what it refuses, and what it survives.

mod backup;
mod budget;
mod damage;
mod full;
mod history;
mod journal;
mod measure;
mod opening;
mod torture;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// Settings for tests: no reserve of 32 MiB for each of them.
fn small() -> StoreSettings {
    StoreSettings { reserve_bytes: 1 << 16, check_wait: Duration::from_secs(30), ..StoreSettings::default() }
}

fn open(folder: &Path) -> Store {
    Store::open(folder, small()).expect("the store opens")
}

fn at(seconds: u64) -> Stamp {
    Stamp {
        monotonic_milliseconds: seconds * 1000,
        wall_milliseconds: 1_763_136_000_000 + i64::try_from(seconds).unwrap() * 1000,
    }
}

fn event(number: u64) -> NewRecord {
    NewRecord::new("test", at(number), &json!({ "number": number, "note": "停热 outage" })).expect("small and sound")
}

/// Appends `count` events, one batch each, and waits for all.
fn fill(store: &Store, count: u64) {
    let tickets: Vec<_> = (1..=count).map(|number| store.append(vec![event(number)])).collect();
    for ticket in tickets {
        ticket.wait().expect("kept");
    }
}

fn close(store: &Store) {
    store.close(Duration::from_secs(30)).expect("closed in time");
}

/// Waits until `done`, at most 20 s.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
