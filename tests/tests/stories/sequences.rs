//! Each sequence on the physical plant, and what happens without its rule.

use std::time::Duration;

use heatstation::simulation::closed_loop::Wire;
use heatstation_core::State;
use heatstation_core::alarm::Alarm;
use heatstation_core::event::Event;
use heatstation_core::reason::OperationReason;
use heatstation_core::request::{Mode, Wish};
use heatstation_core::sequence::{Restart, Stage};
use heatstation_core::settings::CircuitSettings;
use heatstation_points::{Celsius, CircuitOutput, CircuitSignal, Kelvins, Pascals};
use heatstation_simulator::Fault;
use heatstation_tests::stations;
use heatstation_tests::story::{LOW, Story};

const NEVER: Duration = Duration::from_secs(1_000_000_000);

fn cold(change: impl FnOnce(&mut CircuitSettings)) -> Story {
    Story::of(stations::demo(), -5.0, change)
}

fn heating(outdoor: f64, change: impl FnOnce(&mut CircuitSettings)) -> Story {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(outdoor)), outdoor, change);
    story.run(1800);
    story.events.clear();
    story
}

fn stages(story: &Story) -> Vec<Stage> {
    let to = |event: &Event| if let Event::StageChanged { to, .. } = event { Some(*to) } else { None };
    story.events.iter().filter_map(|(_, event)| to(event)).collect()
}

fn restarts(story: &Story) -> Vec<Restart> {
    let how = |event: &Event| if let Event::Restarting { restart, .. } = event { Some(*restart) } else { None };
    story.events.iter().filter_map(|(_, event)| how(event)).collect()
}

/// Fill, vent, start: the first start of a season.
#[test]
fn a_seasons_start_proves_the_pressure_vents_with_pumps_in_turn_and_then_starts_in_order() {
    use Stage::{Filling, Heating, ProvingPressure, Settling, StartingPumps, Venting};
    let told = |jogs: u8| {
        let mut story = cold(|circuit| circuit.sequence.vent_jogs = jogs);
        story.ask(Wish::StartSeason { circuit: LOW });
        // In which seconds of venting which pump turned.
        let mut jogged = [0_u32; 2];
        while story.second < 1800 && (story.second < 5 || story.circuit().stage != Heating) {
            story.run(1);
            if story.circuit().stage == Venting {
                jogged[0] += u32::from(story.pump_on(0));
                jogged[1] += u32::from(story.pump_on(1));
            }
        }
        (story, jogged)
    };
    let (story, jogged) = told(2);
    assert_eq!(stages(&story), [Filling, ProvingPressure, Venting, StartingPumps, Settling, Heating]);
    assert!(story.second > 600 + 300 + 60, "ten minutes of pressure, two jogs, a minute of mixing: {} s", story.second);
    assert!(jogged.iter().all(|seconds| (20..=31).contains(seconds)), "{jogged:?}");

    let (_, jogged) = told(0);
    assert_eq!(jogged, [0, 0], "without it the air stays where it is");
}

/// Fill: a loop that does not hold its pressure is told before the pumps run, and started all the same.
#[test]
fn a_leaking_loop_is_told_before_its_pumps_start_for_the_season() {
    let told = |patience: Duration| {
        let mut story = cold(|circuit| {
            circuit.sequence.pressure_patience = patience;
            let make_up = circuit.make_up.as_mut().expect("it holds its pressure");
            (make_up.run_max, make_up.volume_per_day_max) = (NEVER, 1e9);
        });
        story.break_down(Fault::Leak(LOW, 5.5 / 3600.0));
        story.ask(Wish::StartSeason { circuit: LOW });
        let mut told_before = false;
        let started = story.until(2 * 3600, |story| {
            told_before |= story.alarm(Alarm::PressureNotHeld);
            story.circuit().stage == Stage::StartingPumps
                || !story.circuit().stage.wants_circulation() && story.second > 7000
        });
        (started, told_before)
    };
    let (started, told_before) = told(Duration::from_secs(3600));
    assert!(told_before && started.is_some_and(|second| second > 3000), "{started:?}");
    let (started, told_before) = told(Duration::ZERO);
    assert!(!told_before && started.is_some_and(|second| second < 600), "without it nobody knows: {started:?}");
}

/// Start: the setpoint rises from the water's own temperature no faster than the network bears.
#[test]
fn a_cold_start_warms_the_network_no_faster_than_it_bears() {
    let steepest = |rise: f64| {
        let mut story = cold(|circuit| circuit.supply.rise_per_hour = Kelvins(rise));
        story.until(1800, |story| story.circuit().stage == Stage::Heating).expect("it starts");
        let (mut steepest, mut before) = (0.0_f64, story.truth().supply.0);
        for _ in 0..8 {
            story.run(900);
            steepest = steepest.max((story.truth().supply.0 - before) * 4.0);
            before = story.truth().supply.0;
        }
        steepest
    };
    let (with, without) = (steepest(20.0), steepest(10_000.0));
    // The first quarter of an hour fills the pipes with water that is as warm as the lowest setpoint.
    assert!(with < 50.0 && without > 2.0 * with, "{with:.0} K/h, {without:.0} without");
}

/// Run: the circuit says that it has arrived, or that it is late.
#[test]
fn a_circuit_that_has_arrived_says_so_and_one_that_does_not_arrive_is_late() {
    let mut story = cold(|_| {});
    story.run(3 * 3600);
    assert_eq!(story.count(|event| matches!(event, Event::Reached { .. })), 1);
    assert!(story.circuit().reached && !story.alarm(Alarm::SetpointNotReached));

    let blocked = |late: Duration| {
        let mut story = cold(|circuit| circuit.sequence.late_after = late);
        story.break_down(Fault::PrimaryCold(Celsius(30.0)));
        story.run(3 * 3600);
        story
    };
    let late = blocked(Duration::from_secs(1800));
    assert!(late.alarm(Alarm::SetpointNotReached) && !late.circuit().reached);
    assert_eq!(late.circuit().operation, OperationReason::PrimaryLimited);
    assert!(!blocked(NEVER).alarm(Alarm::SetpointNotReached), "without it nobody is told");
}

/// Planned stop: the valve closes over its running time, and the water cools before the pumps rest.
#[test]
fn a_planned_stop_closes_slowly_and_carries_the_heat_out_of_the_exchanger() {
    let told = |least: Duration, most: Duration| {
        let mut story = heating(8.0, |circuit| {
            (circuit.sequence.post_run_min, circuit.sequence.post_run_max) = (least, most);
        });
        story.ask(Wish::SetMode { circuit: LOW, mode: Mode::Stopped });
        let (mut fastest, mut before) = (0.0_f64, story.written(CircuitOutput::ValvePosition));
        let stopped = story.until(3600, |story| {
            let now = story.written(CircuitOutput::ValvePosition);
            fastest = fastest.max(before - now);
            before = now;
            !story.circulates()
        });
        let truth = story.truth();
        (story.circuit().stage, stopped.expect("it stops"), fastest, (truth.supply - truth.return_).0)
    };
    let (stage, stopped, fastest, spread) = told(Duration::from_secs(180), Duration::from_secs(900));
    assert_eq!(stage, Stage::Stopped);
    assert!((180..=901).contains(&stopped) && fastest < 0.012, "{stopped} s, {fastest}");
    let (_, _, _, without) = told(Duration::ZERO, Duration::ZERO);
    assert!(spread < 6.0 && without > spread + 4.0, "{spread:.1} K, {without:.1} without");
}

/// Summer wet lay-up: filled, pressure held, and not stirred by anything but exercise.
#[test]
fn out_of_season_the_loop_lies_filled_and_under_pressure() {
    let told = |start: Option<Pascals>| {
        let station = stations::running(stations::demo(), Celsius(20.0));
        let mut story = Story::of_station(station, 20.0, |settings| {
            settings.season.end = heatstation_core::moment::UtcMillis(settings.season.start.0 + 1000);
            if let (Some(start), Some(make_up)) = (start, &mut settings.circuits[0].make_up) {
                make_up.start = start;
            }
        });
        story.break_down(Fault::Leak(LOW, 0.2 / 3600.0));
        story.run(24 * 3600);
        story
    };
    let story = told(None);
    assert_eq!((story.circuit().stage, story.circuit().operation), (Stage::Stopped, OperationReason::LyingBy));
    assert!(!story.circulates() && story.written(CircuitOutput::ValvePosition) == 0.0);
    assert!(story.truth().holding_pressure.0 > 255e3, "{:?}", story.truth().holding_pressure);
    let without = told(Some(Pascals(-1e6)));
    assert!(without.truth().holding_pressure.0 < 100e3, "air is drawn in: {:?}", without.truth().holding_pressure);
}

/// Power-failure restart: short, and the water is still hot.
#[test]
fn after_a_short_power_failure_the_setpoint_is_taken_up_where_it_was() {
    let mut story = heating(-5.0, |_| {});
    let before = story.circuit().setpoint.value;
    story.break_down(Fault::MainsFailure);
    story.run(180);
    story.mend(&Fault::MainsFailure);
    assert!(story.until(900, |story| story.circuit().stage == Stage::Heating).is_some());
    assert_eq!(restarts(&story), [Restart::Hot]);
    assert!(
        (story.circuit().setpoint.value - before).0.abs() < 1.0,
        "{:?} then {:?}",
        before,
        story.circuit().setpoint.value
    );
    let hottest = story.most(1800, |story| story.truth().supply.0);
    assert!(hottest < before.0 + 5.0, "and no overshoot: {hottest:.1} °C over {before:?}");
    assert!((story.truth().supply - before).0.abs() < 2.0);
}

/// Power-failure restart: hours in frost, and a loop that lost its pressure.
#[test]
fn after_a_long_power_failure_in_frost_the_start_is_a_cold_one_and_after_a_leak_make_up_comes_first() {
    let told = |hours: u64, leak: Option<f64>| {
        let mut story = heating(-5.0, |_| {});
        // The valve leaks a little, and what stands in the exchanger grows hot: the thermostat would want a person first.
        story.lose(CircuitSignal::OverTemperatureSwitch);
        story.break_down(Fault::MainsFailure);
        let hole = leak.map(|leak| Fault::Leak(LOW, leak / 3600.0));
        if let Some(hole) = hole {
            story.break_down(hole);
        }
        story.run(hours * 3600);
        if let Some(hole) = hole {
            story.mend(&hole);
        }
        story.mend(&Fault::MainsFailure);
        story
    };
    let mut story = told(3, None);
    story.until(2 * 3600, |story| story.circuit().stage == Stage::Heating).expect("it starts");
    story.run(60);
    assert_eq!(restarts(&story).last(), Some(&Restart::Cold));
    // The setpoint does not jump to where it was; it rises from the water.
    assert!(story.circuit().setpoint.value.0 < 62.0, "{:?}", story.circuit().setpoint.value);

    let mut story = told(1, Some(2.0));
    assert!(story.until(3600, |story| !restarts(story).is_empty()).is_some());
    assert_eq!(restarts(&story), [Restart::LowPressure]);
    let mut early = 0;
    let heats = story.until(6 * 3600, |story| {
        early += u32::from(story.circulates() && story.truth().holding_pressure.0 < 235e3);
        story.circuit().stage == Stage::Heating
    });
    assert!(heats.is_some() && early == 0, "{heats:?}, {early} s of pumps before the pressure");
}

/// Power-failure restart: power that fails again and again.
#[test]
fn three_restarts_that_fail_call_a_person_and_spare_the_motors() {
    let told = |most: u8| {
        let mut story = heating(8.0, |circuit| circuit.sequence.restarts_max = most);
        for _ in 0..6 {
            story.break_down(Fault::MainsFailure);
            story.run(30);
            story.mend(&Fault::MainsFailure);
            story.run(300);
        }
        let starts = story.count(|event| matches!(event, Event::PumpStarted { .. }));
        (story, starts)
    };
    let (mut story, starts) = told(3);
    assert_eq!((story.circuit().stage, story.circuit().operation), (Stage::GivenUp, OperationReason::GivenUp));
    assert!(story.alarm(Alarm::RestartsFailed) && !story.circulates());
    story.ask(Wish::ResetTrips { circuit: LOW });
    assert!(story.until(1800, |story| story.circuit().stage == Stage::Heating).is_some(), "a person has looked");
    let (_, without) = told(20);
    assert!(without > starts, "{starts} starts, {without} without");
}

/// Power-failure restart: the computer was without power too, and finds the pumps standing.
#[test]
fn a_computer_that_comes_back_with_the_power_waits_for_its_turn_and_forgets_old_integrators() {
    let told = |gone: u64, remembers: bool| {
        let mut story = heating(8.0, |_| {});
        story.break_down(Fault::MainsFailure);
        story.run(1);
        // The computer goes dark with the rest; power and computer come back together.
        let state: Option<State> = remembers.then(|| story.closed_loop().state().clone());
        story.closed_loop().set_wire(Wire::Up);
        story.mend(&Fault::MainsFailure);
        for pump in 0..2 {
            let point = heatstation_points::Point::CirculationPumpOutput(
                LOW,
                heatstation_points::PumpIndex(pump),
                heatstation_points::PumpOutput::Start,
            );
            story.closed_loop().plant().command(point, 0.0);
        }
        story.closed_loop().restart(state, Duration::from_secs(gone));
        story.until(600, Story::circulates).expect("it starts")
    };
    let waited = told(120, true);
    assert!((60..=120).contains(&waited), "45 s and 20 s of its own: {waited} s");
    let without = told(120, false);
    assert!(without < 40, "a program that remembers nothing cannot know: {without} s");
}

/// Emergency: after the reset everything starts in order.
#[test]
fn after_an_emergency_stop_and_its_reset_the_plant_starts_in_order() {
    use Stage::{Filling, Heating, Settling, StartingPumps};
    let mut story = heating(-5.0, |_| {});
    story.break_down(Fault::EmergencyStop);
    story.run(300);
    story.mend(&Fault::EmergencyStop);
    story.run(5);
    story.ask(Wish::ResetTrips { circuit: LOW });
    let opened = story.until(3600, |story| story.written(CircuitOutput::ValvePosition) > 0.01);
    assert!(opened.is_some_and(|second| second > 60), "{opened:?}");
    assert_eq!(stages(&story), [Filling, StartingPumps, Settling, Heating]);
}
