//! Our own client in the two jobs that the peers have too, with the words and the JSON of `libmodbus.c` beside it.

use std::io::Read;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heatstation_drivers::bus::{Bus, Span};
use heatstation_drivers::modbus::Modbus;
use heatstation_drivers::settings::{DeviceSettings, Encoding, ReadLimits, Register, Table, WireSettings};
use heatstation_drivers::spawn;
use heatstation_points::{AuxiliaryPoint, Catalogue, Unit};
use serde_json::json;

use crate::say;

#[derive(Default)]
struct Tally {
    requests: u64,
    values: u64,
    wrong: u64,
    stale: u64,
    failed: u64,
}

impl Tally {
    fn judge(&mut self, word: u16, address: usize, unit: usize) {
        let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.wrong += u64::from(usize::from(word >> 8) != (address + 37 * unit) & 0xff);
        self.stale += u64::from((second.wrapping_sub(u64::from(word & 0xff)) & 0xff) > 2);
    }

    /// The result, and then the wait for the end of stdin.
    fn tell(&self, begun: Instant) {
        let Tally { requests, values, wrong, stale, failed } = self;
        let seconds = begun.elapsed().as_secs_f64();
        say(&format!(
            "{}\n",
            json!({ "requests": requests, "values": values, "wrong": wrong, "stale": stale, "failed": failed, "seconds": seconds })
        ));
        let _ = std::io::stdin().read(&mut [0]);
    }
}

/// As the daemon builds it.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn numbers(words: &[&str]) -> Vec<u64> {
    words.iter().map(|word| word.parse().unwrap()).collect()
}

fn wire(port: u64) -> WireSettings {
    WireSettings::modbus_tcp("bench", format!("127.0.0.1:{port}"))
}

/// PORT COUNT SECONDS: one connection, one question after the other.
pub fn flat(words: &[&str]) {
    let [port, count, seconds] = numbers(words)[..] else { panic!("PORT COUNT SECONDS") };
    // In a task of its own, as every wire of the daemon is.
    runtime().block_on(async move { tokio::spawn(flat_out(port, count as u16, seconds)).await.unwrap() });
}

async fn flat_out(port: u64, count: u16, seconds: u64) {
    let mut bus = Modbus::new(&wire(port));
    bus.connect().await.unwrap();
    say("ready\n");
    let (begun, mut tally) = (Instant::now(), Tally::default());
    let span = Span { unit: 1, table: Table::HoldingRegister, address: 0, count };
    while begun.elapsed() < Duration::from_secs(seconds) {
        let words = bus.read(span).await.unwrap();
        tally.requests += 1;
        tally.values += words.len() as u64;
        if tally.requests % 64 == 0 {
            words.iter().enumerate().for_each(|(address, &word)| tally.judge(word, address, 1));
        }
    }
    tally.tell(begun);
}

/// PORT CONNECTIONS POINTS SECONDS: all points of all connections each second, as the wires of a daemon read them.
pub fn load(words: &[&str]) {
    let [port, connections, points, seconds] = numbers(words)[..] else { panic!("PORT CONNECTIONS POINTS SECONDS") };
    runtime().block_on(async move {
        let begun = Instant::now();
        let wires: Vec<_> =
            (1..=connections).map(|unit| spawn(with_points(port, unit, points), begun).unwrap()).collect();
        while !wires.iter().all(|wire| wire.statistics().is_connected) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        say("ready\n");
        let (begun, mut tally, mut samples) = (Instant::now(), Tally::default(), Vec::new());
        // Half a second after the reads: each of them is looked at once, as the cycle does.
        for second in 0..seconds {
            tokio::time::sleep_until((begun + Duration::from_millis(second * 1000 + 500)).into()).await;
            for (wire, unit) in wires.iter().zip(1..) {
                wire.samples_into(&mut samples);
                for (address, sample) in samples.iter().enumerate() {
                    match sample.value {
                        Ok(value) => {
                            tally.values += 1;
                            tally.judge(value.number() as u16, address, unit);
                        }
                        Err(_) => tally.failed += 1,
                    }
                }
            }
        }
        tokio::time::sleep_until((begun + Duration::from_secs(seconds)).into()).await;
        tally.requests = wires.iter().map(|wire| wire.statistics().requests_total).sum();
        tally.tell(begun);
    });
}

fn with_points(port: u64, unit: u64, points: u64) -> WireSettings {
    let auxiliaries = (0..points)
        .map(|point| AuxiliaryPoint { name: format!("p{point}"), unit: Unit::Number, range: (0.0, 65_535.0) })
        .collect();
    let catalogue = Catalogue::new(Vec::new(), auxiliaries).unwrap();
    let register = |address: u64| {
        let definition = catalogue.find(&format!("auxiliary.p{address}")).unwrap().clone();
        let register = Register::input(definition, Table::HoldingRegister, address as u16, Encoding::U16);
        Register { period: Duration::from_secs(1), ..register }
    };
    let registers = (0..points).map(register).collect();
    let limits = ReadLimits::default();
    let device = DeviceSettings { name: "plc".to_owned(), modbus_unit: unit as u8, limits, registers, watchdog: None };
    WireSettings { devices: vec![device], ..wire(port) }
}
