//! A station that heats asks for no memory: what runs for a season must not depend on an allocator's mood.

use heatstation_points::Celsius;
use heatstation_simulator::Weather;
use heatstation_tests::{stations, steady};

/// Two circuits and 200 room sensors with all instruments sound. Hours in which something is reported are those in which a
/// record may be made, so they are counted apart.
#[test]
fn a_station_that_just_heats_asks_for_no_memory() {
    let outdoor = Celsius(-3.0);
    let station = stations::running(stations::two_hundred_rooms(), outdoor);
    let mut rig = steady::closed_loop(station, Weather::still(outdoor), 1);
    for _ in 0..2 * 3600 {
        rig.second(Vec::new());
    }
    let (mut quiet, mut with_events) = (0_u32, 0_u32);
    for _ in 0..6 * 3600 {
        let mut events = 0;
        let info = allocation_counter::measure(|| events = rig.second(Vec::new()).events.len());
        if events == 0 {
            quiet += 1;
            let second = with_events + quiet;
            assert_eq!(info.count_total, 0, "{} bytes in second {second} of six hours", info.bytes_total);
        } else {
            with_events += 1;
        }
    }
    assert!(quiet > 6 * 3600 - 60, "{with_events} seconds had something to report");
}
