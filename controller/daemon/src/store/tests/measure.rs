//! Measurements, run by hand: `cargo test -p heatstation --release store::tests::measure -- --ignored --nocapture`.

use std::io::Write;

use super::*;

fn say(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout();
    out.write_fmt(text).and_then(|()| out.write_all(b"\n")).unwrap();
}

#[test]
#[ignore = "a measurement"]
fn from_append_to_durable() {
    let folder =
        tempfile::tempdir_in(std::env::var("HEATSTATION_MEASURE_IN").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let store = open(folder.path());
    let mut times: Vec<Duration> = (0..2000)
        .map(|number| {
            let started = Instant::now();
            store.append(vec![event(number)]).wait().unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    say(format_args!("append to durable: median {:?}, 99 % {:?}, worst {:?}", times[1000], times[1980], times[1999]));

    // What a cycle pays that does not wait.
    let started = Instant::now();
    for number in 0..5000 {
        drop(store.append(vec![event(number)]));
    }
    say(format_args!("append without waiting: {:?} each", started.elapsed() / 5000));
    close(&store);
    let health = store.health();
    say(format_args!("late of those: {}", health.records_late_total));
    assert_eq!(health.records_total, 7000, "each record that was taken is there");
}

#[test]
#[ignore = "a measurement"]
fn opening_and_reading_after_ninety_days() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let station = budget::Station::new();
    for index in 0..90 * 8640 {
        store.record(station.row(0, index));
        if index % 180 == 0 {
            until("the writer keeps up", || store.mailbox.is_taken() && store.live.read().segments.len() < 3);
        }
    }
    for season in 0..30 {
        drop(store.append((0..300).map(|number| event(season * 300 + number)).collect()));
    }
    close(&store);
    let health = store.health();
    drop(store);
    say(format_args!(
        "90 days: {} MB, {} rows lost",
        health.database_bytes / 1_000_000,
        health.history_rows_lost_total
    ));
    assert_eq!(health.history_rows_lost_total, 0, "the writer kept up");

    let started = Instant::now();
    let check = StoreSettings { check_wait: Duration::from_secs(1), ..small() };
    let store = Store::open(folder.path(), check).unwrap();
    say(format_args!("open with check: {:?}", started.elapsed()));
    let reader = store.reader().unwrap();
    let name = "circuit.low-zone.some.point.7";
    for days in [1, 7, 90] {
        let started = Instant::now();
        let to = 90 * 86_400_000;
        let range = reader.range(&[name], to - days * 86_400_000, to, 1000).unwrap();
        say(format_args!(
            "{days} days of one point: {} buckets in {:?}",
            range.series[0].buckets.len(),
            started.elapsed()
        ));
    }
    let started = Instant::now();
    say(format_args!("verify: sound {} in {:?}", verify(folder.path(), None).is_sound(), started.elapsed()));
}
