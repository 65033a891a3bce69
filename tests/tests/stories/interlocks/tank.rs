//! The make-up tank, and water where it should not be.

use heatstation_core::alarm::Alarm;
use heatstation_core::interlock::Trip;
use heatstation_core::request::Wish;
use heatstation_core::settings::FloodPolicy;
use heatstation_points::{CircuitOutput, CircuitSignal, Meters};
use heatstation_simulator::Fault;
use heatstation_tests::story::{LOW, Story, shows};

use super::{NEVER, heating};

/// I9: the tank is low.
#[test]
fn an_empty_tank_stops_the_make_up_pumps_before_they_draw_air() {
    let told = |low: Option<Meters>| {
        let mut story = heating(|circuit| {
            let make_up = circuit.make_up.as_mut().expect("it holds its pressure");
            make_up.tank_low = low.unwrap_or(make_up.tank_low);
            (make_up.run_max, make_up.volume_per_day_max) = (NEVER, 1e9);
        });
        if low.is_some() {
            story.lose(CircuitSignal::TankLowSwitch);
        }
        story.break_down(Fault::TapWaterLost(LOW));
        story.break_down(Fault::Leak(LOW, 6.0 / 3600.0));
        story
    };
    let mut story = told(None);
    assert!(story.until(4 * 3600, |story| story.circuit().trips.contains(&Trip::TankLow)).is_some());
    story.run(3600);
    assert!(story.truth().tank_level.0 > 0.3 && !story.makes_up() && story.alarm(Alarm::TankLow));
    assert_eq!(story.written(CircuitOutput::TankInletOpen), 1.0, "the inlet is told to open");
    story.mend(&Fault::TapWaterLost(LOW));
    assert!(story.until(3600, Story::makes_up).is_some(), "by itself at level and margin");

    let mut without = told(Some(Meters(0.0)));
    without.run(5 * 3600);
    assert!(without.truth().tank_level.0 <= 0.1, "air in the pumps: {:?}", without.truth().tank_level);
}

/// I10: the tank is high.
#[test]
fn a_tank_that_is_about_to_overflow_is_shut_off_although_its_level_reads_low() {
    let told = |switch: bool| {
        let mut story = heating(|_| {});
        if !switch {
            story.lose(CircuitSignal::TankHighSwitch);
        }
        story.break_down(shows(CircuitSignal::TankLevel, 0.9));
        story.run(3600);
        story
    };
    let story = told(true);
    assert!(story.circuit().trips.contains(&Trip::TankHigh) && story.alarm(Alarm::TankHigh));
    assert!(story.truth().tank_level.0 < 1.9 && story.written(CircuitOutput::TankInletOpen) == 0.0);
    let without = told(false);
    assert!(without.truth().tank_level.0 > 1.94, "it overflows: {:?}", without.truth().tank_level);
}

/// I20: water stands in the plant room.
#[test]
fn a_flood_shuts_the_inlet_until_a_person_has_been_there() {
    let told = |policy: FloodPolicy| {
        let mut story = heating(|circuit| circuit.interlock.flood = policy);
        story.break_down(Fault::Flooded);
        // The tank is drawn down meanwhile.
        story.break_down(Fault::Leak(LOW, 3.0 / 3600.0));
        let opened = story.most(2 * 3600, |story| story.written(CircuitOutput::TankInletOpen));
        (story, opened)
    };
    let (mut story, opened) = told(FloodPolicy::CloseInlet);
    assert!(opened == 0.0 && story.alarm(Alarm::Flooded) && story.circuit().trips.contains(&Trip::Flooded));
    story.mend(&Fault::Flooded);
    assert_eq!(story.most(1800, |story| story.written(CircuitOutput::TankInletOpen)), 0.0, "it stays");
    story.ask(Wish::ResetTrips { circuit: LOW });
    assert_eq!(story.most(1800, |story| story.written(CircuitOutput::TankInletOpen)), 1.0);

    let (_, opened) = told(FloodPolicy::Alarm);
    assert_eq!(opened, 1.0, "with the alarm alone water goes on running into the flooded room");
}
