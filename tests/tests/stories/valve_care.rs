//! The health of the valve, tuning by experiment, and exercise in standstill, on the physical plant.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::Report;
use heatstation_core::alarm::Alarm;
use heatstation_core::auto_tune::{TuneEnd, TuneOrder, TuneStage};
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::ValveReason;
use heatstation_core::request::{Origin, Refusal, Request, Wish};
use heatstation_core::settings::SupplyLoopSettings;
use heatstation_core::valve_exercise::ValveExerciseSettings;
use heatstation_core::valve_health::{HuntingGuard, Rung};
use heatstation_core::valve_report::ValveReport;
use heatstation_points::{Celsius, CircuitIndex, CircuitSignal, Point, Ratio};
use heatstation_simulator::{Fault, Weather};
use heatstation_tests::stations::{self, SEASON_START, Station, ZONE};
use heatstation_tests::steady::Steady;
use heatstation_tests::tracking::{closed_loop, judge, plain, winter, with_loop, with_primary, with_valve};

const C: CircuitIndex = CircuitIndex(0);
const OF_THE_VALVE: [Alarm; 3] = [Alarm::ValveHunting, Alarm::ValveSticks, Alarm::ValveOversized];

fn report(rig: &ClosedLoop) -> &Report {
    rig.view().2.expect("seconds have passed")
}

fn valve(rig: &ClosedLoop) -> ValveReport {
    report(rig).circuits[0].valve
}

fn alarms(rig: &ClosedLoop) -> Vec<Alarm> {
    let all = report(rig).alarms.iter().map(|active| active.key.alarm);
    all.filter(|alarm| OF_THE_VALVE.contains(alarm)).collect()
}

fn steady(station: Station, outdoor: f64) -> ClosedLoop {
    closed_loop(station, Box::new(Steady(Weather::still(Celsius(outdoor)))), 5, 1)
}

/// Four times too large, with a tenth of the pressure, behind a primary of 110 °C in all weather.
fn oversized(hysteresis: f64) -> Station {
    with_primary(with_valve(stations::demo(), 4.0, 0.1, hysteresis), Celsius(110.0))
}

#[test]
fn of_a_sound_valve_nothing_is_said_through_the_winter() {
    for day in [5, 45, 70] {
        let mut rig = closed_loop(stations::demo(), winter(3), day, 1);
        judge(&mut rig, 48);
        assert_eq!(alarms(&rig), [], "from day {day}: {:?}", valve(&rig));
        assert_eq!(valve(&rig).health.rung, Rung::Sound);
    }
}

#[test]
fn a_worn_valve_is_named_within_a_day_though_it_does_no_harm_yet() {
    let mut rig = closed_loop(stations::demo(), winter(3), 45, 1);
    judge(&mut rig, 24);
    assert!(valve(&rig).health.play.is_none_or(|play| play < Ratio(0.012)), "{:?}", valve(&rig).health);
    rig.plant().inject(Fault::ValveStiction(C, Ratio(0.03)));
    let figures = judge(&mut rig, 24);
    let health = valve(&rig).health;
    assert!(figures.rmse_kelvins < 0.4, "{figures:?}");
    assert_eq!(alarms(&rig), [Alarm::ValveSticks], "{health:?}");
    assert!(health.play.is_some_and(|play| (0.015..=0.045).contains(&play.0)), "{health:?}");
    assert_eq!(health.rung, Rung::Sound, "there is nothing to help the loop with");
}

#[test]
fn a_valve_that_is_too_large_and_worn_says_so_within_a_day() {
    let mut rig = steady(oversized(0.03), 10.0);
    let figures = judge(&mut rig, 24);
    let said = alarms(&rig);
    assert!(figures.rmse_kelvins > 0.8, "nothing holds it: {figures:?}");
    assert!(said.contains(&Alarm::ValveOversized), "{said:?}, {:?}", valve(&rig).health);
    assert!(said.contains(&Alarm::ValveHunting), "{said:?}, {:?}", valve(&rig).health);
}

#[test]
fn a_loop_that_hunts_is_calmed_step_by_step() {
    // A fixed gain, and a valve that is far too steep for it.
    let fixed = |guard| {
        move |supply_loop: &mut SupplyLoopSettings| {
            plain(supply_loop);
            supply_loop.guard = guard;
        }
    };
    let day = |guard| {
        let mut rig = steady(with_loop(oversized(0.005), fixed(guard)), 10.0);
        judge(&mut rig, 12);
        (judge(&mut rig, 12), valve(&rig), alarms(&rig))
    };
    let (left_alone, _, said) = day(HuntingGuard::Watches);
    assert!(left_alone.strokes_per_day > 50.0 && said.contains(&Alarm::ValveHunting), "{left_alone:?} {said:?}");
    let (calmed, health, said) = day(HuntingGuard::Acts);
    assert!(calmed.strokes_per_day < 10.0 && calmed.rmse_kelvins < 0.5 * left_alone.rmse_kelvins, "{calmed:?}");
    assert!(health.gain_factor >= 0.25 && said.contains(&Alarm::ValveHunting), "{health:?} {said:?}");
}

fn ask(rig: &mut ClosedLoop, origin: Origin, order: TuneOrder) -> Vec<Event> {
    let (author, reason) = ("a tester".to_owned(), "another valve".to_owned());
    let request = Request { origin, author, reason, wish: Wish::AutoTune { circuit: C, order } };
    rig.second(vec![request]).events.clone()
}

/// Lets a tuning run until it has ended; how far the supply went from its setpoint.
fn tune(rig: &mut ClosedLoop) -> f64 {
    let mut furthest = 0.0_f64;
    for _ in 0..4 * 3600 {
        rig.second(Vec::new());
        let circuit = &report(rig).circuits[0];
        if circuit.valve.tuning.stage == TuneStage::Idle {
            break;
        }
        furthest = furthest.max((circuit.setpoint.value - rig.view().0.truth().circuits[0].supply).0.abs());
    }
    furthest
}

#[test]
fn a_relay_finds_gains_that_hold_the_supply() {
    let mut rig = steady(stations::demo(), -3.0);
    judge(&mut rig, 3);
    assert_eq!(valve(&rig).tuning.points, 0);
    ask(&mut rig, Origin::Operator, TuneOrder::Start);
    let furthest = tune(&mut rig);
    let tuning = valve(&rig).tuning;
    let found = tuning.proposal.unwrap_or_else(|| panic!("{tuning:?}"));
    assert!(furthest < 3.0, "{furthest}");
    let process = found.process;
    assert!((10.0..=60.0).contains(&process.gain.0) && (5.0..=80.0).contains(&process.lag), "{process:?}");
    assert!((3.0..=40.0).contains(&process.dead_time), "{process:?}");

    assert_eq!(tuning.points, 0, "a proposal is not in force");
    ask(&mut rig, Origin::Operator, TuneOrder::Accept);
    assert_eq!(valve(&rig).tuning.points, 1);
    judge(&mut rig, 1);
    let figures = judge(&mut rig, 24);
    assert!(figures.rmse_kelvins <= 0.3 && figures.p95_kelvins <= 0.8, "{figures:?} with {process:?}");
    assert!(figures.hunting_events == 0 && figures.strokes_per_day <= 10.0, "{figures:?} with {process:?}");
}

#[test]
fn only_people_at_the_station_may_tune() {
    let mut rig = steady(stations::demo(), -3.0);
    judge(&mut rig, 1);
    for origin in [Origin::Dispatch, Origin::Service] {
        let refused = |event: &Event| matches!(event, Event::RequestRefused { refusal: Refusal::NotFromThere, .. });
        assert!(ask(&mut rig, origin, TuneOrder::Start).iter().any(refused));
        assert_eq!(valve(&rig).tuning.stage, TuneStage::Idle);
    }
}

#[test]
fn an_interlock_ends_a_tuning_and_closes_the_valve_as_ever() {
    let mut rig = steady(stations::demo(), -3.0);
    judge(&mut rig, 3);
    ask(&mut rig, Origin::Operator, TuneOrder::Start);
    let swings = (0..4000).any(|_| {
        rig.second(Vec::new());
        valve(&rig).tuning.stage == TuneStage::Relay
    });
    assert!(swings, "{:?}", valve(&rig).tuning);
    rig.plant().inject(Fault::SensorShows(Point::Circuit(C, CircuitSignal::SupplyTemperature), 95.0));
    for _ in 0..5 {
        rig.second(Vec::new());
    }
    let circuit = &report(&rig).circuits[0];
    assert!(matches!(circuit.valve_reason, ValveReason::Interlock(_)), "{:?}", circuit.valve_reason);
    assert_eq!(circuit.commands.as_ref().map(|commands| commands.valve_position), Some(Ratio(0.0)));
    assert!(matches!(circuit.valve.tuning.ended, Some(TuneEnd::Interrupted | TuneEnd::TooFar)), "{circuit:?}");
}

#[test]
fn a_primary_that_turns_cold_ends_a_tuning() {
    let mut rig = steady(stations::demo(), -3.0);
    judge(&mut rig, 3);
    ask(&mut rig, Origin::Operator, TuneOrder::Start);
    let holds = (0..4000).any(|_| {
        rig.second(Vec::new());
        valve(&rig).tuning.stage == TuneStage::Holding
    });
    assert!(holds);
    rig.plant().inject(Fault::PrimaryCold(Celsius(80.0)));
    tune(&mut rig);
    assert!(matches!(valve(&rig).tuning.ended, Some(TuneEnd::Drifted | TuneEnd::TooFar)), "{:?}", valve(&rig).tuning);
}

#[test]
fn in_summer_the_valve_is_moved_with_the_pumps_running_and_no_heat_to_speak_of() {
    let (mut settings, catalogue, plant) = with_primary(stations::demo(), Celsius(90.0));
    settings.circuits[0].valve.exercise =
        Some(ValveExerciseSettings { every: Duration::from_secs(86_400), kick: Duration::from_secs(30) });
    let summer = UtcMillis(SEASON_START.0 - 90 * 86_400_000);
    let weather = Box::new(Steady(Weather::still(Celsius(22.0))));
    let mut rig = ClosedLoop::new(settings, &catalogue, &plant, weather, summer, ZONE, 1);
    let (mut furthest, mut hottest, mut reasons) = (0.0_f64, 0.0_f64, 0);
    for _ in 0..86_400 + 3600 {
        rig.second(Vec::new());
        let flow_min = rig.view().1.circuits[0].circulation.flow_min;
        let truth = &rig.view().0.truth().circuits[0];
        let told = report(&rig).circuits[0].commands.as_ref().map_or(0.0, |commands| commands.valve_position.0);
        if told > 0.0 {
            assert!(truth.secondary_flow.0 > flow_min.0 * 1000.0, "open at {told} and the water stands");
            hottest = hottest.max(truth.supply.0);
        }
        furthest = furthest.max(truth.valve_stem.0);
        reasons += u32::from(report(&rig).circuits[0].valve_reason == ValveReason::Exercise);
    }
    assert!(furthest > 0.15 && reasons > 30, "it was moved by {furthest} for {reasons} s");
    assert!(hottest < 45.0, "{hottest} °C");
    assert_eq!(rig.view().0.truth().circuits[0].valve_stem.0, 0.0, "and it is closed again");
}
