//! Each interlock of the field's list (I1 to I28) on the physical plant, and what happens without it.
//!
//! Every story is told twice: as the program is, and with the rule switched off; the second time the harm must be seen,
//! or the story proves nothing. I27 (mixing or bypass pump stopped) has no story: an exchange station with one circuit
//! behind each exchanger has no such pump.

mod heat;
mod pressure;
mod pumps;
mod station;
mod tank;

use heatstation_core::settings::CircuitSettings;
use heatstation_points::{Celsius, CircuitSignal};
use heatstation_simulator::Fault;
use heatstation_tests::stations;
use heatstation_tests::story::Story;

/// Out of reach of any plant.
const NEVER: std::time::Duration = std::time::Duration::from_secs(1_000_000_000);

/// The demonstration's station, heating since days at −5 °C.
fn heating(change: impl FnOnce(&mut CircuitSettings)) -> Story {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(-5.0)), -5.0, change);
    // Taken over, and settled.
    story.run(900);
    story
}

/// The same under a hot network, where too much is soon too hot.
fn heating_hot(change: impl FnOnce(&mut CircuitSettings)) -> Story {
    let mut story = heating(change);
    story.break_down(Fault::PrimaryCold(Celsius(145.0)));
    story.run(2400);
    story
}

/// The same without its hard-wired thermostat, which would step in before the rule that a story is about.
fn heating_hot_without_thermostat(change: impl FnOnce(&mut CircuitSettings)) -> Story {
    let mut story = heating_hot(change);
    story.lose(CircuitSignal::OverTemperatureSwitch);
    story
}
