//! The plan that is printed is what is sent.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{device, wire, word};
use heatstation_drivers::bus::{Bus, BusError, Span, Write};
use heatstation_drivers::{ReadPlan, spawn_on};

/// Answers zeros and remembers what it was asked, and when.
#[derive(Clone)]
struct Witness {
    asked: Arc<Mutex<Vec<(Duration, Span)>>>,
    epoch: tokio::time::Instant,
}

impl Bus for Witness {
    async fn connect(&mut self) -> Result<(), BusError> {
        Ok(())
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        self.asked.lock().unwrap().push((self.epoch.elapsed(), span));
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(vec![0; usize::from(span.count)])
    }

    async fn write(&mut self, _: u8, write: &Write) -> Result<(), BusError> {
        panic!("{write:?}");
    }

    fn disconnect(&mut self) {}
}

#[tokio::test(start_paused = true)]
async fn the_plan_is_what_is_sent_in_its_order_and_its_rhythm() {
    let every = |seconds, addresses: &[u16]| {
        addresses.iter().map(|&address| word(address, Duration::from_secs(seconds))).collect::<Vec<_>>()
    };
    let meters = device("meters", 7, [every(10, &[0, 2, 4, 300]), every(2, &[600])].concat());
    let cabinet = device("cabinet", 1, [every(60, &[900]), every(1, &[10, 11, 12]), every(2, &[40, 41])].concat());
    let settings = wire("127.0.0.1:502", vec![meters, cabinet]);
    let plan = ReadPlan::of(&settings);
    let epoch = Instant::now();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let witness = Witness { asked: Arc::clone(&asked), epoch: tokio::time::Instant::from_std(epoch) };
    let handle = spawn_on(witness, settings, epoch).unwrap();
    tokio::time::sleep(Duration::from_millis(60_900)).await;
    handle.stop().await;

    let asked = asked.lock().unwrap();
    let spans = |request: &heatstation_drivers::ReadRequest| Span {
        unit: request.modbus_unit,
        table: request.table,
        address: request.address,
        count: request.count,
    };
    let planned: Vec<Span> = plan.in_order().into_iter().map(spans).collect();
    let first: Vec<Span> = asked.iter().take(planned.len()).map(|(_, span)| *span).collect();
    // Devices share the line's time, so their requests interleave; each one's own come as planned, and no slow one before a
    // fast one.
    let of = |spans: &[Span], unit| spans.iter().copied().filter(|span| span.unit == unit).collect::<Vec<_>>();
    for unit in [1, 7] {
        assert_eq!(of(&first, unit), of(&planned, unit));
    }
    let is_slow = |span: &Span| plan.requests().iter().any(|r| spans(r) == *span && r.period > Duration::from_secs(5));
    assert!(first.is_sorted_by_key(is_slow), "{first:?}");
    for request in plan.requests() {
        let span = spans(request);
        let times = asked.iter().filter(|(_, asked)| *asked == span).count() as u64;
        assert_eq!(times, 60 / request.period.as_secs() + 1, "{request:?}");
    }
}
