//! The watchdog of the device.

use super::prelude::*;

/// The valve on a device whose watchdog stands in seconds at address 46 and must be 30 to 60 s.
fn watched_valve() -> Stage {
    let rule = WatchdogRule {
        table: Table::HoldingRegister,
        address: 46,
        seconds_per_count: 1.0,
        least: SECOND * 30,
        most: SECOND * 60,
    };
    let plc = device("plc", 1, vec![valve(20, WriteRules::default())]);
    Stage::of(vec![DeviceSettings { watchdog: Some(rule), ..plc }])
}

#[tokio::test(start_paused = true)]
async fn a_device_whose_watchdog_is_off_or_too_long_is_not_written_before_it_is_set() {
    let stage = watched_valve();
    for (word, found) in [(0, Duration::ZERO), (600, SECOND * 600)] {
        stage.world.look().words.insert((1, 46), word);
        stage.hold(0.5, 90).await;
        let unfit = Unfit { found: Some(found), least: SECOND * 30, most: SECOND * 60 };
        assert_eq!((stage.state(), stage.status().obstacle), (OutputState::Refused, Some(Obstacle::Watchdog(unfit))));
    }
    assert_eq!(stage.writes(), []);
    stage.world.look().words.insert((1, 46), 60);
    stage.hold(0.5, 62).await;
    assert_eq!((stage.held(), stage.state(), stage.status().obstacle), (5000, OutputState::Confirmed, None));
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_that_cannot_be_read_is_none_and_asked_for_once_a_minute() {
    let stage = watched_valve();
    stage.world.look().bad.insert(46);
    stage.hold(0.5, 180).await;
    assert_eq!(stage.writes(), []);
    let asked = stage.world.look().log.iter().filter(|(_, what)| what == "read 1:46+1").count();
    assert!((3..=4).contains(&asked), "{asked} times in three minutes");
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_is_looked_at_anew_on_each_connection_before_anything_is_written() {
    let stage = watched_valve();
    stage.world.look().words.insert((1, 46), 60);
    stage.hold(0.5, 5).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
    // The PLC is exchanged for one out of the box.
    stage.world.look().is_connected = false;
    stage.world.look().words.insert((1, 46), 0);
    let before = stage.writes().len();
    stage.hold(0.7, 60).await;
    assert_eq!((stage.writes().len(), stage.state()), (before, OutputState::Refused));
}
