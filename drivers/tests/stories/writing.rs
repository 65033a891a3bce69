//! What becomes of a wish.

use super::prelude::*;

#[tokio::test(start_paused = true)]
async fn a_wish_is_written_once_the_device_was_asked_and_confirmed_by_reading_it_back() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    assert_eq!(stage.state(), OutputState::Idle);
    stage.hold(0.41, 1).await;
    assert_eq!((stage.held(), stage.state()), (4100, OutputState::Confirmed));
    assert!((stage.status().read_back.unwrap().number() - 0.41).abs() < 1e-12);
    assert_eq!(stage.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_device_holds_already_is_not_written_again_before_the_refresh_is_due() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.world.look().words.insert((1, 20), 4100);
    stage.hold(0.41, 9).await;
    assert_eq!((stage.writes().len(), stage.state()), (0, OutputState::Confirmed));
    stage.hold(0.41, 23).await;
    let writes = stage.writes();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert!(gaps(&writes).iter().all(|gap| (10_000..=10_050).contains(gap)), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_changes_all_the_time_is_written_no_oftener_than_the_minimum_interval() {
    let rules = WriteRules { minimum_interval: SECOND * 3, ..WriteRules::default() };
    let stage = Stage::with_valve(rules);
    for step in 0..300 {
        stage.wish(f64::from(step) / 1000.0);
        sleep(Duration::from_millis(100)).await;
    }
    let writes = stage.writes();
    assert!((9..=11).contains(&writes.len()), "{writes:?}");
    assert!(gaps(&writes).iter().all(|&gap| 3000 <= gap), "{writes:?}");
    sleep(SECOND * 4).await;
    assert_eq!(stage.held(), 2990);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_nobody_renews_expires_and_is_never_written_again() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.3, 1).await;
    sleep(SECOND * 60).await;
    let writes = stage.writes();
    assert_eq!(stage.state(), OutputState::Expired);
    assert!(writes.iter().all(|&(at, _)| at <= 10_000), "{writes:?}");
    stage.hold(0.3, 2).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_from_before_a_break_of_the_connection_that_has_grown_old() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().is_reachable = false;
    sleep(SECOND).await;
    stage.wish(0.9);
    sleep(SECOND * 30).await;
    assert_eq!(stage.state(), OutputState::Expired);
    stage.world.look().is_reachable = true;
    sleep(SECOND * 120).await;
    assert_eq!(stage.writes(), []);
    stage.hold(0.2, 2).await;
    assert_eq!((stage.held(), stage.writes().len()), (2000, 1));
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_write_that_was_done_is_found_by_reading_and_not_repeated() {
    let stage = Stage::with_valve(WriteRules { refresh: SECOND * 600, ..WriteRules::default() });
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::TakeInSilence;
    stage.hold(0.5, 1).await;
    assert_eq!(stage.writes().len(), 1);
    stage.hold(0.5, 20).await;
    assert_eq!((stage.writes().len(), stage.state()), (1, OutputState::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn after_an_unanswered_write_the_device_is_asked_and_then_the_newest_wish_is_written() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::Lose;
    stage.hold(0.5, 1).await;
    stage.world.look().on_write = OnWrite::Take;
    stage.hold(0.6, 5).await;
    let words: Vec<u16> = stage.writes().iter().map(|&(_, word)| word).collect();
    assert_eq!((words, stage.state()), (vec![5000, 6000], OutputState::Confirmed));
    let log = stage.world.look().log.clone();
    let place = |needle: &str| log.iter().position(|(_, what)| what.contains(needle)).unwrap();
    let between = &log[place("word: 5000")..place("word: 6000")];
    assert!(between.iter().any(|(_, what)| what == "read 1:20+1"), "{between:?}");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_device_does_not_keep_is_tried_three_times_and_then_at_the_refresh_only() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::Forget;
    stage.hold(0.5, 65).await;
    assert_eq!((stage.state(), stage.status().obstacle), (OutputState::Mismatch, Some(Obstacle::NotKept)));
    let writes = stage.writes();
    let gaps = gaps(&writes);
    assert!(gaps[..2].iter().all(|&gap| gap < 3000) && gaps[2..].iter().all(|&gap| 10_000 <= gap), "{writes:?}");
    stage.world.look().on_write = OnWrite::Take;
    stage.hold(0.51, 3).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_with_its_reason_and_not_hammered() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.world.look().on_write = OnWrite::Refuse(Refusal::Value);
    stage.hold(0.5, 30).await;
    assert_eq!(stage.state(), OutputState::Refused);
    assert_eq!(stage.status().obstacle, Some(Obstacle::Device(Refusal::Value)));
    assert!((2..=4).contains(&stage.writes().len()), "{:?}", stage.writes());
}

#[tokio::test(start_paused = true)]
async fn a_device_on_local_is_not_written_and_is_asked_before_it_is_written_again() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 2).await;
    let point = definition(VALVE).point;
    for _ in 0..30 {
        let wish =
            DesiredOutput { point, value: value(VALVE, 0.7), decided_at: stage.wire.now(), urgency: Urgency::Control };
        stage.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: vec![point] });
        sleep(SECOND).await;
    }
    assert_eq!((stage.held(), stage.state()), (5000, OutputState::Inhibited));
    stage.hold(0.7, 2).await;
    assert_eq!((stage.held(), stage.state()), (7000, OutputState::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn memory_with_a_life_is_written_on_change_only_and_within_its_budget() {
    let memory = Memory::NonVolatile { writes_per_year: 3650 };
    let stage = Stage::with_valve(WriteRules { memory, tolerance: 0.005, ..WriteRules::default() });
    stage.hold(0.5, 300).await;
    stage.hold(0.504, 30).await;
    assert_eq!(stage.writes().len(), 1);
    for step in 0..30 {
        stage.hold(f64::from(step) / 30.0, 3).await;
    }
    assert_eq!(stage.writes().len(), 10);
    assert_eq!(stage.status().obstacle, Some(Obstacle::WearBudgetSpent));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_cannot_be_read_stays_accepted() {
    let stage = Stage::with_valve(WriteRules { read_back: ReadBack::Impossible, ..WriteRules::default() });
    stage.hold(0.5, 25).await;
    assert_eq!((stage.state(), stage.writes().len()), (OutputState::Accepted, 3));
    assert!(!stage.world.look().log.iter().any(|(_, what)| what.starts_with("read")));
}

#[tokio::test(start_paused = true)]
async fn a_bit_of_a_word_is_changed_alone_in_either_way() {
    for (function, expected) in [
        (WriteFunction::Automatic, "MaskRegister { address: 7, and: 65531, or: 4 }"),
        (WriteFunction::ReadModifyWrite, "SingleRegister { address: 7, word: 61445 }"),
    ] {
        let start = Register {
            write: Some(WriteRules { function, ..WriteRules::default() }),
            ..Register::input(
                definition(START),
                Table::HoldingRegister,
                7,
                Encoding::Bit { bit: Some(2), polarity: Polarity::Straight },
            )
        };
        let stage = Stage::of(vec![device("drive", 1, vec![start])]);
        stage.world.look().words.insert((1, 7), 0xF001);
        let point = definition(START).point;
        let wish =
            DesiredOutput { point, value: value(START, 1.0), decided_at: stage.wire.now(), urgency: Urgency::Control };
        stage.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: Vec::new() });
        sleep(SECOND).await;
        assert_eq!(stage.world.look().words[&(1, 7)], 0xF005);
        assert_eq!(stage.wire.output_status(point).unwrap().state, OutputState::Confirmed);
        assert!(stage.world.look().log.iter().any(|(_, what)| what == expected), "{:?}", stage.world.look().log);
    }
}
