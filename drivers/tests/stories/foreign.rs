//! Somebody else writes.

use super::prelude::*;

#[tokio::test(start_paused = true)]
async fn a_foreign_master_is_noticed_and_answered_and_a_fight_is_told() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 2).await;
    stage.world.look().words.insert((1, 20), 9900);
    stage.hold(0.5, 3).await;
    assert_eq!((stage.held(), stage.status().disturbances_total), (5000, 1));
    for _ in 0..5 {
        stage.world.look().words.insert((1, 20), 9900);
        stage.hold(0.5, 3).await;
    }
    assert_eq!(stage.status().obstacle, Some(Obstacle::Contested));
}

/// For how long a foreign value stands before it is seen.
async fn seen_after(stage: &Stage, seconds: u32, mut wish: impl FnMut(u32) -> f64) -> Duration {
    let before = stage.status().disturbances_total;
    stage.world.look().words.insert((1, 20), 9900);
    let began = stage.wire.now();
    for second in 0..seconds {
        stage.wish(wish(second));
        sleep(SECOND).await;
        if before < stage.status().disturbances_total {
            return stage.status().disturbed_at.unwrap().saturating_sub(began);
        }
    }
    panic!("not seen in {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_foreign_write_is_seen_within_ten_seconds_however_the_output_is_read() {
    for (read_back, period) in [
        (ReadBack::SameRegister, SECOND * 2),
        (ReadBack::SameRegister, SECOND * 3600),
        (ReadBack::OtherRegister { table: Table::HoldingRegister, address: 20 }, SECOND * 2),
    ] {
        let rules = WriteRules { read_back, refresh: SECOND * 3600, ..WriteRules::default() };
        let register = Register { period, ..valve(20, rules) };
        let stage = Stage::of(vec![device("plc", 1, vec![register])]);
        stage.hold(0.5, 30).await;
        let seen = seen_after(&stage, 12, |_| 0.5).await;
        assert!(seen <= SECOND * 6, "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_changes_each_second_does_not_hide_what_others_write() {
    let read_back = ReadBack::OtherRegister { table: Table::HoldingRegister, address: 20 };
    let stage = Stage::with_valve(WriteRules { read_back, ..WriteRules::default() });
    for second in 0..60 {
        stage.wish(0.3 + f64::from(second) / 1000.0);
        // Somebody overwrites it in the middle of each second.
        sleep(SECOND / 2).await;
        stage.world.look().words.insert((1, 20), 9900);
        sleep(SECOND / 2).await;
    }
    assert_eq!((stage.state(), stage.status().obstacle), (OutputState::Contested, Some(Obstacle::Contested)));
}

#[tokio::test(start_paused = true)]
async fn a_contested_output_is_left_alone_and_tried_again_after_ten_minutes() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 3).await;
    for _ in 0..20 {
        stage.world.look().words.insert((1, 20), 9900);
        stage.hold(0.5, 3).await;
    }
    assert_eq!((stage.state(), stage.status().disturbances_total), (OutputState::Contested, 3));
    let writes = stage.writes().len();
    stage.hold(0.6, 500).await;
    assert_eq!((stage.writes().len(), stage.held()), (writes, 9900));
    stage.hold(0.6, 60).await;
    assert_eq!((stage.state(), stage.held()), (OutputState::Confirmed, 6000));
}

#[tokio::test(start_paused = true)]
async fn a_contested_valve_is_closed_all_the_same_when_an_interlock_asks_for_it() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 3).await;
    for _ in 0..5 {
        stage.world.look().words.insert((1, 20), 9900);
        stage.hold(0.5, 3).await;
    }
    assert_eq!(stage.state(), OutputState::Contested);
    stage.wish_all(&[(VALVE, 0.0)], Urgency::Safety);
    sleep(SECOND / 2).await;
    assert_eq!(stage.held(), 0);
    stage.world.look().words.insert((1, 20), 9900);
    for _ in 0..5 {
        stage.wish_all(&[(VALVE, 0.0)], Urgency::Safety);
        sleep(SECOND).await;
    }
    assert_eq!(stage.held(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_person_at_the_cabinet_ends_a_fight() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 3).await;
    for _ in 0..5 {
        stage.world.look().words.insert((1, 20), 9900);
        stage.hold(0.5, 3).await;
    }
    stage.wire.desire(DesiredOutputs { outputs: Vec::new(), inhibited: vec![Stage::point()] });
    sleep(SECOND).await;
    stage.hold(0.5, 3).await;
    assert_eq!((stage.state(), stage.held()), (OutputState::Confirmed, 5000));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_read_for_a_moment_is_nobodys_write() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 3).await;
    stage.world.look().words.insert((1, 20), 60_000);
    stage.hold(0.5, 3).await;
    assert_eq!(stage.status().disturbances_total, 0);
}
