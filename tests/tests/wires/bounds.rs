//! What a fault may cost: whom, and for how long.
//!
//! Each bound is made of the settings: periods, time-outs, the longest wait between two attempts. What comes on top is for a
//! busy machine on which tests run side by side.

use std::time::{Duration, Instant};

use heatstation_drivers::WireHandle;
use heatstation_drivers::settings::{DeviceSettings, WireSettings};
use heatstation_points::{Fault, Value};
use heatstation_simulator::wire::signature;
use heatstation_tests::wires::{Field, Line, device, settings_of, word};
use tokio::task::JoinSet;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);
const PERIOD: Duration = Duration::from_millis(200);
/// For tests that run side by side on a machine that has other things to do.
const BUSY_MACHINE: Duration = Duration::from_millis(400);

/// Runs of registers that no request can join, each asked for once in a period. Each is long enough that it can be asked for in
/// many lengths, by which a line without transaction numbers is tried after an answer that did not come.
fn runs(unit: u8, how_many: u16) -> DeviceSettings {
    device(
        unit,
        (0..how_many).flat_map(|run| [run * 100, run * 100 + 1]).map(|address| word(address, PERIOD)).collect(),
    )
}

fn settings(field: &Field, devices: Vec<DeviceSettings>) -> WireSettings {
    let mut settings = settings_of(field, devices);
    settings.timeout = 200 * MS;
    settings
}

/// How old the youngest good sample of any register of each device grew while this time passed.
async fn worst_ages(wire: &WireHandle, settings: &WireSettings, watched: Duration) -> Vec<Duration> {
    let mut last: Vec<Option<Duration>> = settings.devices.iter().flat_map(|d| &d.registers).map(|_| None).collect();
    let mut worst = vec![Duration::ZERO; settings.devices.len()];
    let began = wire.now();
    while wire.now() < began + watched {
        sleep(5 * MS).await;
        let now = wire.now();
        let samples = wire.samples();
        let mut place = 0;
        for (number, device) in settings.devices.iter().enumerate() {
            for _ in &device.registers {
                if samples[place].value.is_ok() {
                    last[place] = Some(samples[place].taken_at);
                }
                let age = now.saturating_sub(last[place].unwrap_or(began));
                worst[number] = worst[number].max(age);
                place += 1;
            }
        }
    }
    worst
}

/// How long a wire may take to notice that a line is gone and to have it back, once it is back.
fn back_again(settings: &WireSettings) -> Duration {
    settings.timeout + settings.reconnect_max + PERIOD * 3 / 2 + BUSY_MACHINE
}

async fn a_silent_unit(line: Line) {
    let field = Field::new(line, "silent unit 3", 1, 10).await;
    let mut settings = settings(&field, (1..=10).map(|unit| runs(unit, if unit == 3 { 8 } else { 1 })).collect());
    // A unit that does not answer is left alone for longer and longer, up to 4 s here.
    settings.reconnect_min = 300 * MS;
    settings.reconnect_max = 4000 * MS;
    let (wire, tally) = field.spawn_checked(&settings);
    sleep(1500 * MS).await;
    let before = field.server.played();
    let worst = worst_ages(&wire, &settings, 4500 * MS).await;
    let after = field.server.played();
    // One question without answer, after it one connection, and the first wait between attempts where that is not made at
    // once. Asked at each period, its eight runs would take eight time-outs.
    let bound =
        PERIOD * 3 / 2 + settings.timeout + line.after_failure(&settings) + settings.reconnect_min + BUSY_MACHINE;
    for (number, worst) in worst.iter().enumerate().filter(|(number, _)| *number != 2) {
        assert!(*worst <= bound, "{line:?}: unit {} waited {worst:?}, more than {bound:?}", number + 1);
        let answers = tally.answers_of(number as u8 + 1);
        assert!(14 <= answers, "{line:?}: unit {} was read {answers} times in 6 s", number + 1);
    }
    let asked = after.faults[0].1 - before.faults[0].1;
    assert!((1..=5).contains(&asked), "{line:?}: the silent unit was asked {asked} times in 4.5 s");
    wire.stop().await;
}

async fn an_illegal_register(line: Line) {
    let field = Field::new(line, "illegal 1007", 1, 1).await;
    let registers = (1000..1020).map(|address| word(address, PERIOD)).collect();
    let settings = settings(&field, vec![device(1, registers)]);
    let (wire, tally) = field.spawn_checked(&settings);
    sleep(1000 * MS + 6 * line.after_failure(&settings)).await;
    let worst = worst_ages(&wire, &settings, 1500 * MS).await;
    for (address, sample) in (1000..).zip(wire.samples()) {
        if address == 1007 {
            assert_eq!(sample.value, Err(Fault::Refused), "{line:?}");
        } else {
            let value = sample.value.map(Value::number);
            assert_eq!(value, Ok(f64::from(signature(1, 3, address))), "{line:?}: register {address}");
            let age = wire.now().saturating_sub(sample.taken_at);
            assert!(age <= PERIOD * 3 / 2 + BUSY_MACHINE, "{line:?}: register {address} is {age:?} old");
        }
    }
    // The device is well: nothing failed, and the one that is refused does not stop the others.
    assert_eq!((tally.failed(), wire.statistics().connections_total), (0, 1), "{line:?}");
    assert!(worst.len() == 1 && tally.refused() <= 12, "{line:?}: {} refusals", tally.refused());
    wire.stop().await;
}

async fn good_again(line: Line, faults: &'static str, lasts: Duration) {
    let field = Field::new(line, faults, 1, 2).await;
    let settings = settings(&field, vec![runs(1, 2), runs(2, 1)]);
    let wire = field.spawn(&settings);
    sleep(700 * MS).await;
    let worst = worst_ages(&wire, &settings, 3500 * MS).await;
    let bound = lasts + back_again(&settings) + 2 * line.after_failure(&settings);
    let played = field.server.played();
    assert!(2 <= played.faults[0].1, "{line:?}, {faults}: {played:?}");
    for worst in worst {
        assert!(worst <= bound, "{line:?}, {faults}: values were {worst:?} old, more than {bound:?}");
    }
    wire.stop().await;
}

/// Later than the time-out, or slower than it: neither is waited for.
async fn slow_or_late(line: Line, faults: &'static str) {
    let field = Field::new(line, faults, 1, 3).await;
    let mut settings = settings(&field, vec![runs(1, 1), runs(2, 4), runs(3, 1)]);
    settings.reconnect_min = 1000 * MS;
    settings.reconnect_max = 4000 * MS;
    // A line without numbers has to be silent for longer than its devices are late: time-out and silence cover 300 ms.
    settings.silence_after_failure = 200 * MS;
    let (wire, tally) = field.spawn_checked(&settings);
    sleep(1500 * MS).await;
    let worst = worst_ages(&wire, &settings, 3500 * MS).await;
    let bound = PERIOD * 3 / 2 + settings.timeout + 2 * line.after_failure(&settings) + BUSY_MACHINE;
    for unit in [0, 2] {
        let worst = worst[unit];
        assert!(worst <= bound, "{line:?}, {faults}: unit {} waited {worst:?}, more than {bound:?}", unit + 1);
    }
    let longest = tally.longest();
    let patience = settings.timeout * line.questions_of_a_read() + BUSY_MACHINE;
    assert!(longest <= patience, "{line:?}, {faults}: one read took {longest:?}");
    wire.stop().await;
}

/// Late, but within the time-out: nothing is lost.
async fn late_within_the_time_out(line: Line) {
    let field = Field::new(line, "late 300ms", 1, 1).await;
    let mut settings = settings(&field, vec![device(1, vec![word(7, PERIOD)])]);
    settings.timeout = 1000 * MS;
    let (wire, tally) = field.spawn_checked(&settings);
    sleep(3000 * MS).await;
    let statistics = wire.statistics();
    assert!(5 <= tally.answered() && statistics.connections_total == 1, "{line:?}: {statistics:?}");
    assert_eq!((tally.failed(), tally.mixed().0), (0, 0), "{line:?}");
    wire.stop().await;
}

/// What this process has in memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn memory(line: Line) {
    let faults = "flood 5%, noise 5%, duplicate 10%, glue 10%, truncate 2%, reorder 1%, cut 1s";
    let field = Field::new(line, faults, 1, 2).await;
    let mut settings = settings_of(&field, vec![runs(1, 20), runs(2, 20)]);
    settings.timeout = 25 * MS;
    settings.reconnect_min = 2 * MS;
    settings.reconnect_max = 10 * MS;
    for register in settings.devices.iter_mut().flat_map(|device| &mut device.registers) {
        register.period = MS;
    }
    let (wire, tally) = field.spawn_checked(&settings);
    sleep(1500 * MS).await;
    let (before, answered) = (resident(), tally.answered());
    let began = Instant::now();
    while began.elapsed() < 4000 * MS {
        sleep(100 * MS).await;
    }
    let (after, more) = (resident(), tally.answered() - answered);
    // A frame has 260 bytes: if every read left only that behind, a few thousand would show.
    assert!(after <= before + 4096, "{line:?}: {before} KiB became {after} KiB over {more} reads");
    assert!(0 < more, "{line:?}: nothing was read");
    wire.stop().await;
}

/// The same on lines of every kind, side by side: it is waiting for the most part.
async fn on_every_line<F: Future<Output = ()> + Send + 'static>(told: impl Fn(Line) -> F) {
    let mut lines = JoinSet::new();
    for line in Line::ALL {
        lines.spawn(told(line));
    }
    while let Some(outcome) = lines.join_next().await {
        outcome.expect("a bound is broken");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_unit_of_ten_delays_its_neighbours_by_one_time_out_and_no_more() {
    on_every_line(a_silent_unit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_illegal_register_costs_itself_alone() {
    on_every_line(an_illegal_register).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_good_again_soon_after_a_restart_a_cut_and_a_half_open_connection() {
    let restart = on_every_line(|line| good_again(line, "restart 1200ms for 500ms", 500 * MS));
    let cut = on_every_line(|line| good_again(line, "cut 1s", Duration::ZERO));
    let half_open = on_every_line(|line| good_again(line, "half-open 1200ms for 300ms", 300 * MS));
    tokio::join!(restart, cut, half_open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_late_answers_block_nobody_beyond_the_time_out() {
    let slow = on_every_line(|line| slow_or_late(line, line.slow()));
    let late = on_every_line(|line| slow_or_late(line, "late 300ms unit 2"));
    tokio::join!(slow, late, on_every_line(late_within_the_time_out));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_flood_of_bytes_fills_the_memory() {
    on_every_line(memory).await;
}
