//! The law itself, over every line: not one value of another register, however the server lies.

use heatstation_drivers::bus::{Bus, BusError, Span};
use heatstation_drivers::settings::Table;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::peer::{Kind, bit_signature, bus, hostile, signature, span};

#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    failed: u64,
    unreachable: u64,
}

/// Reads random runs of registers until so many were accepted, and checks every value.
async fn read_many(kind: Kind, seed: u64, goal: u64) -> Tally {
    let peer = hostile(kind, seed).await;
    let mut bus = bus(peer.transport.clone());
    let mut rng = StdRng::seed_from_u64(seed ^ 0xFFFF);
    let mut tally = Tally::default();
    let mut last = None;
    let tables = [Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister];
    while tally.accepted < goal {
        if bus.connect().await.is_err() {
            tally.unreachable += 1;
            assert!(tally.unreachable < 100 + goal, "{kind:?}, seed {seed}: never reached: {tally:?}");
            continue;
        }
        let table = tables[rng.random_range(0..4)];
        let longest = if table.holds_bits() { 200 } else { 40 };
        let other = span(rng.random_range(1..=3), table, rng.random_range(0..60_000), rng.random_range(1..=longest));
        // More often than not the next question looks like the last and is about another place: what a late answer to
        // the last would fit.
        let asked = match last {
            Some(last) if rng.random_range(0..4) != 0 => Span { address: other.address, ..last },
            _ => other,
        };
        last = Some(asked);
        let table = asked.table;
        match bus.read(asked).await {
            Ok(words) => {
                tally.accepted += 1;
                let function = table.read_function();
                let truth = if table.holds_bits() { bit_signature } else { signature };
                let expected = (0..asked.count).map(|offset| truth(asked.unit, function, asked.address + offset));
                assert_eq!(words, expected.collect::<Vec<_>>(), "{kind:?}, seed {seed}: {asked:?}");
            }
            Err(BusError::Refused(_)) => {
                tally.refused += 1;
                assert!(bus.is_connected(), "{kind:?}, seed {seed}: a refusal keeps the connection");
            }
            Err(_) => {
                tally.failed += 1;
                assert!(!bus.is_connected(), "{kind:?}, seed {seed}: a failure drops the connection");
            }
        }
    }
    tally
}

/// So many readers on such a line, all at once.
async fn read_all(kind: Kind, seeds: std::ops::Range<u64>, goal: u64) -> Tally {
    let mut readers = tokio::task::JoinSet::new();
    for seed in seeds {
        readers.spawn(read_many(kind, seed, goal));
    }
    let mut sum = Tally::default();
    while let Some(tally) = readers.join_next().await {
        let tally = tally.expect("a law was broken");
        sum.accepted += tally.accepted;
        sum.refused += tally.refused;
        sum.failed += tally.failed;
        sum.unreachable += tally.unreachable;
    }
    sum
}

/// 16 readers of one line, as many reads in all as asked for.
async fn holds(kind: Kind, reads: u64) {
    let readers = 16;
    let tally = read_all(kind, 0..readers, reads.div_ceil(readers)).await;
    assert!(
        reads <= tally.accepted && reads / 500 <= tally.refused && reads / 50 <= tally.failed,
        "{kind:?}: {tally:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_of_a_hostile_server_over_tcp_not_one_is_taken_for_another() {
    holds(Kind::Tcp, 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_of_a_hostile_server_over_tls_not_one_is_taken_for_another() {
    holds(Kind::Tls, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_of_a_hostile_server_in_rtu_frames_over_tcp_not_one_is_taken_for_another() {
    holds(Kind::RtuOverTcp, 4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_of_a_hostile_server_on_a_serial_port_not_one_is_taken_for_another() {
    holds(Kind::Serial, 4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "a campaign tells what it did")]
#[ignore = "campaign: HEATSTATION_READS=1000000 cargo nextest run -p heatstation-drivers --run-ignored only a_million"]
async fn of_a_million_answers_over_every_line_not_one_is_taken_for_another() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect("a whole number"))
    };
    let (reads, seed) = (number("HEATSTATION_READS", 1_000_000), number("HEATSTATION_SEED", 1));
    let readers = 64;
    for kind in [Kind::Tcp, Kind::Tls, Kind::RtuOverTcp, Kind::Serial] {
        let first = seed.wrapping_mul(1 << 20);
        let tally = read_all(kind, first..first + readers, (reads / 4).div_ceil(readers)).await;
        println!("{kind:?}, seed {seed}: {tally:?}");
    }
}
