//! Who goes first.

use super::prelude::*;

#[tokio::test(start_paused = true)]
async fn a_write_goes_before_the_reads_that_wait() {
    let mut registers = vec![valve(20, WriteRules::default())];
    registers.extend((0..40).map(|place| word(100 + place * 50, SECOND)));
    let stage = Stage::of(vec![device("plc", 1, registers)]);
    stage.world.look().latency = Duration::from_millis(100);
    sleep(SECOND * 5).await;
    let asked_at = stage.wire.now();
    stage.wish(0.5);
    sleep(SECOND).await;
    let (written_at, _) = stage.writes()[0];
    // One read under way, one to ask what the valve holds, then the write.
    assert!(written_at - asked_at.as_millis() as u64 <= 300, "{written_at} after {asked_at:?}");
}

const SPEED: &str = "circuit.low-zone.circulation_pump.1.speed";

fn speed(address: u16, rules: WriteRules) -> Register {
    let input = Register::input(definition(SPEED), Table::HoldingRegister, address, Encoding::U16);
    Register { scale: 0.0001, write: Some(rules), ..input }
}

fn start(address: u16, rules: WriteRules) -> Register {
    Register {
        write: Some(rules),
        ..Register::input(definition(START), Table::HoldingRegister, address, Encoding::U16)
    }
}

/// Eight units on 9600 baud, each with more to read than the line can carry, and the valve on the last.
fn loaded_line() -> Stage {
    let devices = (1..=8).map(|unit| {
        let mut registers: Vec<Register> = (0..40).map(|place| word(100 + place * 50, SECOND)).collect();
        if unit == 8 {
            registers.push(Register {
                period: SECOND * 3600,
                ..valve(20, WriteRules { minimum_interval: SECOND * 30, ..rules() })
            });
            registers.push(Register { period: SECOND * 3600, ..speed(40, rules()) });
        }
        device(&format!("unit-{unit}"), unit, registers)
    });
    let stage = Stage::of(devices.collect());
    stage.world.look().latency = Duration::from_millis(50);
    stage.world.look().baud = Some(9600);
    stage
}

fn rules() -> WriteRules {
    WriteRules { refresh: SECOND * 3600, ..WriteRules::default() }
}

/// How long after a wish it stands in the device.
async fn until_held(stage: &Stage, address: u16, word: u16) -> Duration {
    let began = stage.wire.now();
    while stage.world.look().words.get(&(8, address)) != Some(&word) {
        sleep(Duration::from_millis(5)).await;
        assert!(stage.since(began) < SECOND * 60, "never");
    }
    stage.since(began)
}

#[tokio::test(start_paused = true)]
async fn on_a_loaded_serial_line_the_valve_closes_at_once_although_control_moved_it_a_moment_ago() {
    let stage = loaded_line();
    sleep(SECOND * 30).await;
    stage.wish_all(&[(VALVE, 0.5), (SPEED, 0.5)], Urgency::Control);
    until_held(&stage, 20, 5000).await;
    sleep(SECOND).await;
    // The line is still full, and control may write the valve every 30 s only.
    let statistics = stage.wire.statistics();
    assert!(SECOND * 5 < statistics.waiting[2], "the line is not loaded: {:?}", statistics.waiting);
    stage.wish_all(&[(VALVE, 0.0), (SPEED, 0.0)], Urgency::Safety);
    let closed = until_held(&stage, 20, 0).await;
    assert!(closed <= SECOND / 2, "{closed:?}");
    let stopped = until_held(&stage, 40, 0).await;
    assert!(stopped <= SECOND / 2, "{stopped:?}");
}

#[tokio::test(start_paused = true)]
async fn on_a_loaded_serial_line_a_wish_of_control_waits_for_its_interval_where_one_of_safety_does_not() {
    let stage = loaded_line();
    sleep(SECOND * 30).await;
    stage.wish_all(&[(VALVE, 0.5)], Urgency::Control);
    until_held(&stage, 20, 5000).await;
    sleep(SECOND).await;
    let began = stage.wire.now();
    while stage.world.look().words.get(&(8, 20)) != Some(&0) {
        stage.wish_all(&[(VALVE, 0.0)], Urgency::Control);
        sleep(SECOND).await;
    }
    assert!(SECOND * 25 < stage.since(began));
}

#[tokio::test(start_paused = true)]
async fn a_unit_with_much_to_read_does_not_starve_its_neighbour() {
    // 40 blocks of 100 ms each second: four times what the line can carry.
    let busy = (0..40).map(|place| word(100 + place * 50, SECOND)).collect();
    let stage = Stage::of(vec![device("busy", 1, busy), device("small", 2, vec![word(0, SECOND)])]);
    stage.world.look().latency = Duration::from_millis(100);
    sleep(SECOND * 10).await;
    let mut oldest = Duration::ZERO;
    for _ in 0..1000 {
        sleep(Duration::from_millis(50)).await;
        oldest = oldest.max(stage.since(stage.sample(40).taken_at));
    }
    // Its period, one request of the neighbour that is under way, and its own.
    assert!(oldest <= SECOND + Duration::from_millis(250), "{oldest:?}");
    let age = stage.since(stage.sample(0).taken_at);
    assert!(age <= SECOND * 6, "the busy one is read in turn: {age:?}");
}

#[tokio::test(start_paused = true)]
async fn meters_are_read_on_a_line_that_fast_reads_alone_would_fill() {
    let mut registers: Vec<Register> = (0..20).map(|place| word(100 + place * 50, SECOND)).collect();
    registers.push(word(5000, SECOND * 10));
    let stage = Stage::of(vec![device("plc", 1, registers)]);
    stage.world.look().latency = Duration::from_millis(100);
    sleep(SECOND * 20).await;
    let mut oldest = Duration::ZERO;
    for _ in 0..1000 {
        sleep(Duration::from_millis(50)).await;
        oldest = oldest.max(stage.since(stage.sample(20).taken_at));
    }
    // The period, eight requests that may pass it over, one under way and its own.
    assert!(oldest <= SECOND * 10 + SECOND, "{oldest:?}");
    let waiting = stage.wire.statistics().waiting;
    assert!(waiting[2] > Duration::ZERO && waiting[0] == Duration::ZERO, "{waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn neighbours_that_change_together_go_out_in_one_request_where_that_is_allowed() {
    for (merge, expected) in [
        (true, vec!["MultipleRegisters { address: 20, words: [5000, 8000] }"]),
        (false, vec!["SingleRegister { address: 20, word: 5000 }", "SingleRegister { address: 21, word: 8000 }"]),
    ] {
        let rules = || WriteRules { merge, ..WriteRules::default() };
        let stage = Stage::of(vec![device("plc", 1, vec![valve(20, rules()), speed(21, rules())])]);
        sleep(SECOND).await;
        stage.wish_all(&[(VALVE, 0.5), (SPEED, 0.8)], Urgency::Control);
        sleep(SECOND).await;
        assert_eq!(stage.written().into_iter().map(|(_, what)| what).collect::<Vec<_>>(), expected);
        for name in [VALVE, SPEED] {
            assert_eq!(stage.status_of(name).state, OutputState::Confirmed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_refuses_merged_writes_is_written_singly_from_then_on() {
    let rules = || WriteRules { merge: true, ..WriteRules::default() };
    let stage = Stage::of(vec![device("plc", 1, vec![valve(20, rules()), speed(21, rules())])]);
    stage.world.look().takes_single_only = true;
    sleep(SECOND).await;
    for share in [0.5, 0.6] {
        stage.wish_all(&[(VALVE, share), (SPEED, share)], Urgency::Control);
        sleep(SECOND * 3).await;
        for name in [VALVE, SPEED] {
            assert_eq!(stage.status_of(name).state, OutputState::Confirmed, "{name}");
        }
    }
    let merged = stage.written().iter().filter(|(_, what)| what.starts_with("Multiple")).count();
    assert_eq!(merged, 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_across_a_barrier_not_even_in_one_request() {
    let merge = || WriteRules { merge: true, ..WriteRules::default() };
    let barrier = WriteRules { barrier: true, ..merge() };
    let stage = Stage::of(vec![device("drive", 1, vec![speed(20, merge()), start(21, barrier)])]);
    sleep(SECOND).await;
    stage.wish_all(&[(START, 1.0), (SPEED, 0.8)], Urgency::Control);
    sleep(SECOND).await;
    let written: Vec<String> = stage.written().into_iter().map(|(_, what)| what).collect();
    assert_eq!(written, ["SingleRegister { address: 20, word: 8000 }", "SingleRegister { address: 21, word: 1 }"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_a_speed_that_the_device_is_too_busy_to_take_but_not_for_ever() {
    let at = |barrier| async move {
        let second = WriteRules { barrier, ..WriteRules::default() };
        let stage = Stage::of(vec![device("drive", 1, vec![speed(20, WriteRules::default()), start(21, second)])]);
        stage.world.look().busy.insert(20);
        sleep(SECOND).await;
        for _ in 0..8 {
            stage.wish_all(&[(SPEED, 0.8), (START, 1.0)], Urgency::Control);
            sleep(SECOND).await;
        }
        stage.written().into_iter().find(|(_, what)| what.contains("address: 21")).unwrap().0
    };
    assert!(at(false).await < 1500);
    let held = at(true).await;
    assert!((3900..4500).contains(&held), "{held}");
}
