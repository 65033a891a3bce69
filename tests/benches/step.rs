//! How long one decision takes: `cargo bench -p heatstation-tests --bench step`.
//!
//! The station has two circuits and 200 room sensors and has been heating for two hours. Inputs are those of one moment, so
//! that only the step is timed: reading the image and writing outputs are not the core's.

use heatstation_core::step::Health;
use heatstation_core::{Inputs, Moment, Settings, State, step};
use heatstation_points::Celsius;
use heatstation_simulator::Weather;
use heatstation_tests::{stations, steady};
use std::time::Duration;

fn main() {
    divan::main();
}

/// Settings, the state after two hours, and what is seen then.
fn warm() -> (Settings, State, Inputs) {
    let outdoor = Celsius(-3.0);
    let station = stations::running(stations::two_hundred_rooms(), outdoor);
    let settings = station.0.clone();
    let mut rig = steady::closed_loop(station, Weather::still(outdoor), 1);
    for _ in 0..2 * 3600 {
        rig.second(Vec::new());
    }
    let now = rig.view().2.expect("two hours have passed").moment;
    let readings = rig.readings().clone();
    let (forecast, requests) = (rig.forecast().copied(), Vec::new());
    (settings, rig.state().clone(), Inputs { now, readings, forecast, requests, health: Health::default() })
}

/// One second later.
fn later(now: Moment) -> Moment {
    Moment { monotonic: now.monotonic + Duration::from_secs(1), wall: now.wall.plus(Duration::from_secs(1)), ..now }
}

/// A step as the daemon makes it each second.
#[divan::bench(sample_size = 100)]
fn two_circuits_200_rooms(bencher: divan::Bencher<'_, '_>) {
    let (settings, state, mut inputs) = warm();
    let mut state = Some(state);
    bencher.bench_local(|| {
        inputs.now = later(inputs.now);
        let (next, report) = step(&settings, state.take().expect("it is put back each time"), &inputs);
        state = Some(next);
        report
    });
}
