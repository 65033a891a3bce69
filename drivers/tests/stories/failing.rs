//! Devices that do not answer, and wires that break.

use super::prelude::*;

#[tokio::test(start_paused = true)]
async fn a_dead_device_costs_its_neighbours_a_time_out_now_and_then_and_no_more() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND)]), device("meter", 2, vec![word(0, SECOND)])]);
    stage.world.look().dead.insert(2);
    let mut oldest = Duration::ZERO;
    for _ in 0..3000 {
        sleep(Duration::from_millis(100)).await;
        let sample = stage.sample(0);
        assert!(sample.value.is_ok() || stage.wire.now() < SECOND);
        oldest = oldest.max(stage.wire.now().saturating_sub(sample.taken_at));
    }
    assert!(oldest <= Duration::from_millis(1600), "{oldest:?}");
    assert_eq!(stage.sample(1).value, Err(Fault::Silent));
    let failures = stage.wire.statistics().failures_total.silent;
    // 1 + 2 + 4 .. 32 s, then every minute or a little less.
    assert!((8..=14).contains(&failures), "{failures}");

    stage.world.look().dead.clear();
    sleep(SECOND * 61).await;
    assert!(stage.sample(1).value.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_wire_is_silent_at_once_and_tried_ever_less_often() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND)])]);
    sleep(SECOND * 3).await;
    assert!(stage.sample(0).value.is_ok() && stage.wire.statistics().is_connected);
    stage.world.look().is_reachable = false;
    sleep(SECOND * 3).await;
    assert_eq!(stage.sample(0).value, Err(Fault::Silent));
    assert!(!stage.wire.statistics().is_connected);
    sleep(SECOND * 597).await;
    let tries = stage.wire.statistics().failures_total.unreachable;
    assert!((14..=20).contains(&tries), "{tries}");
    stage.world.look().is_reachable = true;
    sleep(SECOND * 62).await;
    assert!(stage.sample(0).value.is_ok());
    stage.wire.stop().await;
}

#[tokio::test(start_paused = true)]
async fn unsound_settings_start_no_wire() {
    let devices = vec![device("plc", 250, vec![word(0, Duration::ZERO)])];
    let world = WorldBus { world: Arc::default(), epoch: tokio::time::Instant::now() };
    let problems = spawn_on(world, wire("127.0.0.1:502", devices), Instant::now()).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// A wire of ten devices, one word each second, of which these are dead.
fn ten(dead: impl IntoIterator<Item = u8>) -> Stage {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let devices = names.iter().zip(1..).map(|(name, unit)| device(name, unit, vec![word(0, SECOND)]));
    let stage = Stage::of(devices.collect());
    stage.world.look().dead.extend(dead);
    stage
}

/// The oldest that the values of these devices become within so many seconds.
async fn oldest_of(stage: &Stage, places: &[usize], seconds: u32) -> Duration {
    let mut oldest = Duration::ZERO;
    for _ in 0..seconds * 20 {
        sleep(Duration::from_millis(50)).await;
        for &place in places {
            let sample = stage.sample(place);
            assert!(sample.value.is_ok(), "{place} at {:?}: {:?}", stage.wire.now(), sample.value);
            oldest = oldest.max(stage.wire.now().saturating_sub(sample.taken_at));
        }
    }
    oldest
}

/// Period, one time-out, the reconnection after it, and the requests of all neighbours, read twice for good measure.
const BOUND: Duration = Duration::from_millis(1000 + 500 + 5 + 2 * 10 * 5);

#[tokio::test(start_paused = true)]
async fn of_ten_devices_one_dead_delays_the_nine_by_one_time_out_at_the_most() {
    let stage = ten([7]);
    sleep(SECOND * 3).await;
    let living: Vec<usize> = (0..10).filter(|&place| place != 6).collect();
    let oldest = oldest_of(&stage, &living, 300).await;
    assert!(oldest <= BOUND, "{oldest:?}");
    let devices = stage.wire.statistics().devices;
    let open: Vec<&str> =
        devices.iter().filter(|device| device.breaker == BreakerState::Open).map(|device| &*device.name).collect();
    assert_eq!(open, ["g"]);
}

#[tokio::test(start_paused = true)]
async fn of_ten_devices_nine_dead_delay_the_one_by_one_time_out_at_the_most() {
    let stage = ten(2..=10);
    // Each of them is found dead by a time-out of its own, once.
    sleep(SECOND * 10).await;
    let oldest = oldest_of(&stage, &[0], 300).await;
    assert!(oldest <= BOUND, "{oldest:?}");
    let asked =
        stage.world.look().log.iter().filter(|(at, what)| SECOND * 250 < *at && !what.starts_with("read 1:")).count();
    assert!((6..=14).contains(&asked), "{asked} probes of nine dead devices in the last minute");

    stage.world.look().dead.clear();
    sleep(SECOND * 70).await;
    assert!(stage.wire.samples().iter().all(|sample| sample.value.is_ok()), "all are back within the longest wait");
}

#[tokio::test(start_paused = true)]
async fn when_nine_of_ten_die_at_once_each_costs_one_time_out_and_the_tenth_is_read_between() {
    let stage = ten([]);
    sleep(SECOND * 3).await;
    stage.world.look().dead.extend(2..=10);
    let oldest = oldest_of(&stage, &[0], 60).await;
    assert!(oldest <= SECOND + TIMEOUT * 9 + SECOND / 2, "{oldest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_frame_makes_nobody_silent() {
    let stage = ten([]);
    sleep(SECOND * 3).await;
    stage.world.look().losses.insert(4, 2);
    let all: Vec<usize> = (0..10).collect();
    let oldest = oldest_of(&stage, &[0, 1, 2], 5).await;
    assert!(oldest <= BOUND, "{oldest:?}");
    assert_eq!(stage.wire.statistics().failures_total.silent, 1);
    assert!(oldest_of(&stage, &all, 5).await <= BOUND);
    assert!(stage.wire.statistics().devices.iter().all(|device| device.openings_total == 0));
}
