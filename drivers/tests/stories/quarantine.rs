//! Registers that a device does not give.

use super::prelude::*;

#[tokio::test(start_paused = true)]
async fn one_unreadable_register_does_not_take_the_others_down() {
    let registers = (0..30).map(|address| word(address, SECOND)).collect();
    let stage = Stage::of(vec![device("plc", 1, registers)]);
    stage.world.look().bad.insert(17);
    sleep(SECOND / 2).await;
    for (place, sample) in stage.wire.samples().iter().enumerate() {
        assert_eq!(sample.value.err(), (place == 17).then_some(Fault::Refused), "{place}");
    }
    stage.world.look().bad.clear();
    sleep(SECOND * 31).await;
    assert!(stage.sample(17).value.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_falls_due_while_the_wire_is_unplugged_waits_for_the_wire() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND), word(1, SECOND)])]);
    stage.world.look().bad.insert(1);
    sleep(SECOND * 3).await;
    stage.world.look().is_reachable = false;
    sleep(SECOND * 700).await;
    stage.world.look().bad.clear();
    stage.world.look().is_reachable = true;
    sleep(SECOND * 62).await;
    assert!(stage.wire.samples().iter().all(|sample| sample.value.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_listed_with_its_reason_and_tried_again_when_the_configuration_is_loaded() {
    let stage = Stage::of(vec![device("plc", 1, (0..30).map(|address| word(address, SECOND)).collect())]);
    stage.world.look().bad.insert(17);
    sleep(SECOND * 200).await;
    let listed = stage.wire.statistics().devices[0].quarantined.clone();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].address, listed[0].refusal), (17, Refusal::Address));
    assert!(listed[0].since < SECOND, "{listed:?}");

    stage.world.look().bad.clear();
    stage.wire.forgive();
    sleep(SECOND * 2).await;
    assert!(stage.sample(17).value.is_ok());
    assert_eq!(stage.wire.statistics().devices[0].quarantined, []);
}

#[tokio::test(start_paused = true)]
async fn a_bad_register_is_read_around_by_two_requests_a_second() {
    let stage = Stage::of(vec![device("plc", 1, (0..100).map(|address| word(address, SECOND)).collect())]);
    stage.world.look().bad.insert(37);
    sleep(SECOND * 5).await;
    let before = stage.wire.statistics().requests_total;
    sleep(SECOND * 20).await;
    let requests = stage.wire.statistics().requests_total - before;
    assert!((39..=42).contains(&requests), "{requests} requests in 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_does_not_answer_does_not_bring_the_search_back() {
    let registers = (0..100).map(|address| word(address, SECOND)).collect();
    let stage = Stage::of(vec![device("plc", 1, registers), device("meter", 2, vec![word(0, SECOND)])]);
    stage.world.look().bad.insert(37);
    stage.world.look().dead.insert(2);
    sleep(SECOND * 100).await;
    let before = stage.wire.statistics().failures_total;
    sleep(SECOND * 300).await;
    let after = stage.wire.statistics().failures_total;
    assert!(3 <= after.silent - before.silent && after.refused - before.refused <= 2, "{before:?} {after:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_never_halved() {
    let stage = Stage::of(vec![device("plc", 1, (0..100).map(|address| word(address, SECOND)).collect())]);
    stage.world.look().dead.insert(1);
    sleep(SECOND * 300).await;
    let log = stage.world.look().log.clone();
    assert!(log.len() > 5 && log.iter().all(|(_, what)| what == "read 1:0+100"), "{log:?}");
}
