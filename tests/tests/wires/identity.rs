//! Law 4: every accepted sample is a true value of its own register, taken after its question was asked.
//!
//! Every register of the simulated units holds a number made of its unit, table and address, and one register a clock: a value
//! that belongs to another register, another unit or another time is seen, on its way from the transport to its slot.

use std::time::{Duration, Instant};

use heatstation_drivers::spawn_on;
use heatstation_simulator::wire::fault::WORDS;
use heatstation_tests::wires::{Checked, Field, Line, Tally, law_four, settings_of, word};
use tokio::task::JoinSet;

use crate::naive::Naive;

/// Everything at once that can befall an answer, and all that comes by the clock.
const EVERYTHING: &str = "late 10ms..120ms 1%, silent 0.5%, exception 4 0.5%, busy 1%, illegal 302, other-unit 1%, \
    other-answer 1%, truncate 0.5%, corrupt 1%, noise 1%, flood 0.2%, duplicate 1%, glue 1%, reorder 0.5%, carry-over 0.5%, \
    split 10%, slow-loris 2000B/s 1%, refuse 5%, cut 3s, half-open 4s for 50ms, restart 5s for 100ms";

/// Numbers from the environment, for campaigns.
fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// So many answered reads on a line on which everything goes wrong; several wires side by side, each with a seed of its own.
async fn everything_goes_wrong(line: Line, goal: u64, at_most: Duration) -> String {
    let first_seed = from_environment("HEATSTATION_FIRST_SEED", 1);
    let side_by_side = from_environment("HEATSTATION_WIRES", 4);
    let began = Instant::now();
    let mut wires = JoinSet::new();
    for seed in first_seed..first_seed + side_by_side {
        wires.spawn(async move { law_four(line, EVERYTHING, seed, goal.div_ceil(side_by_side), at_most).await });
    }
    let (mut answered, mut values, mut refused, mut failed, mut played) = (0, 0, 0, 0, 0);
    while let Some(outcome) = wires.join_next().await {
        let outcome = outcome.expect("a law is broken");
        answered += outcome.tally.answered();
        values += outcome.tally.values();
        refused += outcome.tally.refused();
        failed += outcome.tally.failed();
        played += outcome.played.faults.iter().map(|(_, count)| count).sum::<u64>();
    }
    assert!(goal <= answered, "{line:?}: only {answered} of {goal} reads were answered within {at_most:?}");
    assert!(refused > 0 && failed > 0, "{line:?}: nothing went wrong: {refused} refused, {failed} failed");
    format!(
        "{line:?}: {answered} reads answered, {values} values, not one mixed; {refused} refused, {failed} failed, {played} \
         faults played, seeds {first_seed} to {}, {:.0} s",
        first_seed + side_by_side - 1,
        began.elapsed().as_secs_f64()
    )
}

macro_rules! for_each_line {
    ($($name:ident $campaign:ident $each:ident $line:expr, $goal:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            everything_goes_wrong($line, $goal, Duration::from_secs(60)).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $each() {
            each_fault_alone($line).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "campaign: HEATSTATION_READS=1000000 cargo test --release -p heatstation-tests --test wires -- --ignored --nocapture not_one_value_of_a_million"]
        #[allow(clippy::print_stderr, reason = "a campaign says what it came to")]
        async fn $campaign() {
            let goal = from_environment("HEATSTATION_READS", 1_000_000);
            let told = everything_goes_wrong($line, goal, Duration::from_secs(4 * 3600)).await;
            eprintln!("{told}");
        }
    )*};
}

for_each_line! {
    on_modbus_tcp_not_one_value_is_taken_for_another
        on_modbus_tcp_not_one_value_of_a_million_reads_is_mixed
        on_modbus_tcp_no_fault_alone_mixes_values
        Line::Tcp, 3_000;
    on_modbus_tls_not_one_value_is_taken_for_another
        on_modbus_tls_not_one_value_of_a_million_reads_is_mixed
        on_modbus_tls_no_fault_alone_mixes_values
        Line::Tls, 600;
    on_modbus_rtu_over_tcp_not_one_value_is_taken_for_another
        on_modbus_rtu_over_tcp_not_one_value_of_a_million_reads_is_mixed
        on_modbus_rtu_over_tcp_no_fault_alone_mixes_values
        Line::RtuOverTcp, 600;
    on_modbus_rtu_not_one_value_is_taken_for_another
        on_modbus_rtu_not_one_value_of_a_million_reads_is_mixed
        on_modbus_rtu_no_fault_alone_mixes_values
        Line::Serial, 600;
    dialled_in_not_one_value_is_taken_for_another
        dialled_in_not_one_value_of_a_million_reads_is_mixed
        dialled_in_no_fault_alone_mixes_values
        Line::DialIn, 600;
    dialled_in_rtu_not_one_value_is_taken_for_another
        dialled_in_rtu_not_one_value_of_a_million_reads_is_mixed
        dialled_in_rtu_no_fault_alone_mixes_values
        Line::DialInRtu, 600;
}

/// Each fault by itself, at a share at which something still comes through.
async fn each_fault_alone(line: Line) {
    let mut runs = JoinSet::new();
    for (seed, word) in (1..).zip(WORDS) {
        runs.spawn(async move {
            let faults = match word.name {
                "late" => "late 10ms..120ms 10%".to_owned(),
                "slow-loris" => "slow-loris 500B/s 10%".to_owned(),
                "cut" => "cut 300ms".to_owned(),
                "half-open" => "half-open 500ms for 100ms".to_owned(),
                "restart" => "restart 500ms for 200ms".to_owned(),
                "illegal" => "illegal 301".to_owned(),
                "exception" => "exception 4 10%".to_owned(),
                // What is about writes has nothing to do here; see the weaknesses.
                "deny-writes" | "ack-only" | "lost-ack" => return,
                name => format!("{name} 10%"),
            };
            let goal = if line == Line::Tcp { 300 } else { 100 };
            let outcome = law_four(line, &faults, seed, goal, Duration::from_secs(30)).await;
            let played = outcome.played.faults[0].1;
            assert!(goal <= outcome.tally.answered(), "{line:?}, {faults}: {} answers", outcome.tally.answered());
            assert!(
                0 < played || matches!(word.name, "cut" | "half-open" | "restart" | "refuse"),
                "{line:?}, {faults}"
            );
        });
    }
    while let Some(run) = runs.join_next().await {
        run.expect("a law is broken");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_keeps_its_connection_after_a_time_out_is_found_out() {
    for (faults, seed) in
        [("late 60ms..140ms 20%", 1), ("duplicate 10%", 2), ("other-answer 10%", 3), ("other-unit 10%", 4)]
    {
        let field = Field::new(Line::Tcp, faults, seed, 2).await;
        let registers = [10, 200, 400].map(|address| word(address, Duration::from_millis(1)));
        let mut settings = settings_of(&field, vec![heatstation_tests::wires::device(1, registers.into())]);
        settings.reconnect_min = Duration::from_millis(2);
        settings.reconnect_max = Duration::from_millis(10);
        let tally = Tally::new(field.server.units().began());
        let address = field.server.address().unwrap().to_string();
        let naive = Naive { address, timeout: Duration::from_millis(50), stream: None };
        let wire = spawn_on(Checked::new(naive, tally.clone()), settings, Instant::now()).unwrap();
        let began = Instant::now();
        while tally.mixed().0 == 0 && began.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        wire.stop().await;
        assert!(0 < tally.mixed().0, "{faults}: {} answers, and the checker saw nothing wrong", tally.answered());
    }
}
