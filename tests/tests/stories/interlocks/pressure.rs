//! What holds the pressure between its bounds.

use std::time::Duration;

use heatstation_config::check;
use heatstation_core::alarm::Alarm;
use heatstation_core::interlock::Trip;
use heatstation_core::request::Wish;
use heatstation_core::settings::{CircuitSettings, MakeUpSettings};
use heatstation_points::{CircuitOutput, CircuitSignal, Pascals};
use heatstation_simulator::Fault;
use heatstation_tests::stations;
use heatstation_tests::story::{LOW, Story};

use super::{NEVER, heating};

const OUT_OF_REACH: Pascals = Pascals(5.0e6);

fn make_up(circuit: &mut CircuitSettings) -> &mut MakeUpSettings {
    circuit.make_up.as_mut().expect("the demonstration holds its pressure")
}

/// A cold station that warms up fast: its water grows by a cubic metre.
fn expanding(change: impl FnOnce(&mut CircuitSettings)) -> Story {
    Story::of(stations::demo(), -5.0, |circuit| {
        circuit.supply.rise_per_hour = heatstation_points::Kelvins(120.0);
        change(circuit);
    })
}

fn highest_pressure(story: &mut Story, seconds: u64) -> f64 {
    story.most(seconds, |story| story.truth().holding_pressure.0 / 1e3)
}

/// I4: pressure high, stage 1: the relief valve.
#[test]
fn water_that_grows_is_let_out_by_the_relief_valve_before_anything_trips() {
    let mut story = expanding(|_| {});
    let highest = highest_pressure(&mut story, 2 * 3600);
    assert!(highest < 365.0 && story.truth().relief_volume.0 > 0.1, "{highest:.0} kPa");
    assert_eq!(story.written(CircuitOutput::ReliefOpen), 0.0, "closed again by hysteresis");

    let mut without = expanding(|circuit| {
        (make_up(circuit).relief_open, make_up(circuit).relief_close) = (OUT_OF_REACH, OUT_OF_REACH * 0.9);
        circuit.interlock.pressure_trip = OUT_OF_REACH;
    });
    without.lose(CircuitSignal::OverPressureSwitch);
    let highest = highest_pressure(&mut without, 2 * 3600);
    assert!(highest > 450.0, "without it only the safety valve is left: {highest:.0} kPa");
}

/// I5: pressure high, stage 2: make-up, circulation and heat stop and stay stopped.
#[test]
fn too_high_a_pressure_stops_the_plant_until_a_person_has_looked() {
    let told = |trip: Pascals| {
        let mut story = expanding(|circuit| {
            // The relief valve is out of order.
            (make_up(circuit).relief_open, make_up(circuit).relief_close) = (OUT_OF_REACH, OUT_OF_REACH * 0.9);
            circuit.interlock.pressure_trip = trip;
        });
        story.lose(CircuitSignal::OverPressureSwitch);
        story
    };
    let mut story = told(Pascals(470e3));
    assert!(story.until(2 * 3600, |story| story.circuit().trips.contains(&Trip::PressureHigh)).is_some());
    story.run(3);
    assert!(!story.circulates() && !story.makes_up() && story.written(CircuitOutput::ValvePosition) == 0.0);
    let highest = highest_pressure(&mut story, 3600);
    assert!(highest < 440.0, "{highest:.0} kPa");
    assert!(story.circuit().trips.contains(&Trip::PressureHigh) && story.alarm(Alarm::PressureHighHigh), "it stays");

    let highest = highest_pressure(&mut told(OUT_OF_REACH), 2 * 3600);
    assert!(highest > 450.0, "without it {highest:.0} kPa");
}

/// I6: pressure low, stage 1: make-up starts.
#[test]
fn a_small_leak_is_made_up() {
    let told = |start: Option<Pascals>| {
        let mut story = heating(|circuit| {
            if let Some(start) = start {
                make_up(circuit).start = start;
            }
        });
        story.break_down(Fault::Leak(LOW, 1.0 / 3600.0));
        story
    };
    let lowest = |story: &mut Story| -story.most(3600, |story| -story.truth().holding_pressure.0) / 1e3;
    let mut story = told(None);
    let held = lowest(&mut story);
    assert!(held > 255.0 && story.circuit().trips.is_empty(), "{held:.0} kPa");
    let mut without = told(Some(Pascals(-OUT_OF_REACH.0)));
    let fallen = lowest(&mut without);
    assert!(fallen < 195.0 && without.circuit().trips.contains(&Trip::PressureLow), "{fallen:.0} kPa");
}

/// I7: pressure below the system's minimum protection.
#[test]
fn a_burst_stops_the_pumps_before_they_run_dry_and_a_restored_pressure_starts_them() {
    let burst = Fault::Leak(LOW, 40.0 / 3600.0);
    let told = |protect: Option<Pascals>| {
        let mut story = heating(|circuit| {
            if let Some(protect) = protect {
                circuit.interlock.pressure_protect = protect;
            }
            make_up(circuit).run_max = NEVER;
        });
        if protect.is_some() {
            story.lose(CircuitSignal::LowPressureSwitch);
        }
        story.break_down(burst);
        story
    };
    // Seconds in which a pump is told to turn without any suction pressure.
    let dry = |story: &mut Story, seconds: u64| {
        let mut dry = 0;
        for _ in 0..seconds {
            story.run(1);
            dry += u64::from(story.circulates() && story.truth().holding_pressure.0 < 20e3);
        }
        dry
    };
    let mut story = told(None);
    assert_eq!(dry(&mut story, 300), 0);
    assert!(story.circuit().trips.contains(&Trip::PressureLow) && story.alarm(Alarm::PressureLowLow));
    assert!(story.written(CircuitOutput::ValvePosition) == 0.0 && story.makes_up(), "make-up goes on");
    story.mend(&burst);
    assert!(story.until(3 * 3600, Story::circulates).is_some());
    assert!(story.truth().holding_pressure.0 >= 235e3, "from the restart pressure on");

    let dry = dry(&mut told(Some(Pascals(-OUT_OF_REACH.0))), 300);
    assert!(dry > 60, "without it the pumps run dry for {dry} s");
}

/// I8: make-up runs without reaching its pressure.
#[test]
fn make_up_into_a_burst_ends_after_its_time_and_stays_ended() {
    let told = |longest: Option<Duration>| {
        let mut story = heating(|circuit| {
            let make_up = make_up(circuit);
            make_up.run_max = longest.unwrap_or(make_up.run_max);
            make_up.volume_per_day_max = 1e9;
        });
        story.break_down(Fault::Leak(LOW, 40.0 / 3600.0));
        let before = story.truth().make_up_volume.0;
        story.run(3 * 3600);
        let pumped = story.truth().make_up_volume.0 - before;
        (story, pumped)
    };
    let (mut story, pumped) = told(None);
    assert!(story.circuit().trips.contains(&Trip::MakeUpTooLong) && story.alarm(Alarm::MakeUpTooLong));
    story.run(3600);
    assert!(!story.makes_up() && story.circuit().trips.contains(&Trip::MakeUpTooLong), "it stays");
    story.ask(Wish::ResetTrips { circuit: LOW });
    story.run(30);
    assert!(story.makes_up(), "a person has reset it");

    let (_, without) = told(Some(NEVER));
    assert!(without > 2.0 * pumped, "{pumped:.1} m³ with the rule, {without:.1} without");
}

/// I24: the relief valve stands open too long.
#[test]
fn a_relief_valve_that_does_not_close_ends_the_make_up() {
    let told = |longest: Duration| {
        let mut story = heating(|circuit| circuit.interlock.relief_open_max = longest);
        let before = story.truth().make_up_volume.0;
        story.break_down(Fault::ReliefStuckOpen(LOW));
        story.run(1200);
        let pumped = story.truth().make_up_volume.0 - before;
        (story, pumped)
    };
    let (mut story, pumped) = told(Duration::from_secs(60));
    assert!(story.circuit().trips.contains(&Trip::ReliefTooLong) && story.alarm(Alarm::ReliefOpenLong));
    assert!(pumped < 0.3, "{pumped:.2} m³");
    story.mend(&Fault::ReliefStuckOpen(LOW));
    assert!(story.until(60, Story::makes_up).is_some(), "it lets go by itself");

    let (_, without) = told(NEVER);
    assert!(without > 0.8, "without it {without:.2} m³ go down the drain in twenty minutes");
}

/// I25: settings that contradict each other.
#[test]
fn a_relief_pressure_below_the_make_up_pressure_is_refused_before_it_can_do_harm() {
    let (_, example) = heatstation_config::EXAMPLES.into_iter().find(|(name, _)| *name == "demo").expect("an example");
    assert!(check("station.toml", example, None).is_ok());
    let wrong = example
        .replace("relief_close_kilopascals = 330", "relief_close_kilopascals = 255")
        .replace("relief_open_kilopascals = 350", "relief_open_kilopascals = 270");
    let problems = check("station.toml", &wrong, None).expect_err("refused");
    assert!(problems.list().iter().any(|problem| problem.key.contains("relief")), "{problems}");

    // What the check keeps away: make-up and relief work against each other until their fight is noticed, again and again.
    let told = |wrong: bool| {
        let mut story = heating(|circuit| {
            let make_up = make_up(circuit);
            if wrong {
                make_up.mode = heatstation_core::settings::MakeUpMode::StartStop;
                make_up.relief_close = make_up.start - Pascals(10e3);
                make_up.relief_open = make_up.setpoint - Pascals(5e3);
            }
        });
        story.run(4 * 3600);
        story.truth().relief_volume.0
    };
    let (with, without) = (told(false), told(true));
    assert!(without > 5.0 * with, "{with:.2} m³ relieved, {without:.2} with settings that the check refuses");
}
