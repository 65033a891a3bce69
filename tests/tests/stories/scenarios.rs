//! Scenarios from their files: the laws hold in each of them, and the same file does the same in virtual time and paced.

use std::time::Duration;

use heatstation::commands::{demo_station, plant};
use heatstation::scenario::{self, Asked, Requests};
use heatstation_config::scenario::{Scenario, What};
use heatstation_config::{Station, scenario as files};
use heatstation_points::Celsius;
use heatstation_simulator::timetable::Link;
use heatstation_simulator::{Fault, Plant};
use heatstation_tests::laws::faults::{Action, Schedule};
use heatstation_tests::laws::trial::Trial;

/// Longer scenarios are cut: what they do in their first hours breaks or keeps the laws like what they do on the fifth day.
const HOURS_MAX: u64 = 10;

fn scenario_of(name: &str) -> (Station, Scenario) {
    let station = demo_station().expect("the demonstration's file is sound");
    let scenario = files::find(name, None, &station).unwrap_or_else(|problems| panic!("{problems}"));
    (station, scenario)
}

/// The scenario as a schedule for the laws' trial.
fn schedule(scenario: &Scenario) -> Schedule {
    Schedule::of(scenario.happenings.iter().map(|happening| {
        let action = match &happening.what {
            What::Break(breakage) => Action::Break(scenario::fault_of(breakage)),
            What::Mend(breakage) => Action::Mend(scenario::fault_of(breakage)),
            What::LineDown => Action::WireDown,
            What::LineUp => Action::WireUp,
            What::Ask(request) => Action::Ask(request.clone()),
        };
        (happening.at.as_secs(), action)
    }))
}

fn trial(name: &str) -> (Trial, u64) {
    let (station, scenario) = scenario_of(name);
    let begin = station.settings.season.start;
    let weather = scenario::weather(&scenario, &station, &Asked::default(), begin);
    let mut weather = weather.unwrap_or_else(|error| panic!("{name}: {error}"));
    let outdoor = weather.at(begin.0 / 1000).outdoor;
    let plant = scenario::plant(&scenario, &station, &Asked::default(), outdoor);
    let seconds = scenario.lasts.as_secs().min(HOURS_MAX * 3600);
    (Trial::new((station.settings, station.catalogue, plant), weather, 1, schedule(&scenario)), seconds)
}

/// The laws hold in these scenarios.
fn lawful(names: &[&str]) {
    for name in names {
        let (mut trial, seconds) = trial(name);
        trial.run_until(seconds).unwrap_or_else(|violation| panic!("scenario {name}: {violation}"));
    }
}

fn part(of: usize, parts: usize) -> Vec<&'static str> {
    files::names().skip(of).step_by(parts).collect()
}

#[test]
fn the_laws_hold_in_the_first_third_of_the_scenarios() {
    lawful(&part(0, 3));
}

#[test]
fn the_laws_hold_in_the_second_third_of_the_scenarios() {
    lawful(&part(1, 3));
}

#[test]
fn the_laws_hold_in_the_last_third_of_the_scenarios() {
    lawful(&part(2, 3));
}

/// What is broken at each minute, and whether the line is up.
type Log = Vec<(Vec<Fault>, Link)>;

#[test]
fn the_same_file_breaks_the_same_things_at_the_same_time_in_virtual_time_and_paced() {
    for name in ["sensor-ten-ways", "power-flicker", "communication-loss"] {
        let (station, scenario) = scenario_of(name);
        let begin = scenario::begin(&scenario, &station);
        let minutes = scenario.lasts.as_secs() / 60;

        let (shared, mut paced) =
            plant::set_up(&station, &scenario, &Asked::default(), begin).expect("no file is needed");
        let mut on_the_wire: Log = Vec::new();
        for _ in 0..minutes {
            paced.advance(60);
            on_the_wire.push((paced.plant().faults().to_vec(), shared.link()));
        }

        let mut timetable = scenario::timetable(&scenario);
        let settings = scenario::plant(&scenario, &station, &Asked::default(), Celsius(0.0));
        let mut plant = Plant::new(&settings, 1);
        let (mut in_virtual_time, mut line): (Log, Link) = (Vec::new(), Link::Up);
        for _ in 0..minutes {
            for _ in 0..60 {
                line = timetable.advance(Duration::from_secs(1), &mut plant).unwrap_or(line);
            }
            in_virtual_time.push((plant.faults().to_vec(), line));
        }
        assert_eq!(on_the_wire, in_virtual_time, "{name}");
        let eventful =
            in_virtual_time.iter().filter(|(faults, line)| !faults.is_empty() || *line == Link::Silent).count();
        assert!(eventful > 4, "{name}: something happens in {eventful} minutes");
    }
}

#[test]
fn requests_come_at_their_time_and_once() {
    let (_, scenario) = scenario_of("wish-storm");
    let mut requests = Requests::of(&scenario);
    assert_eq!(requests.len(), 3060);
    let mut taken = 0;
    for second in 0..7200 {
        let due = requests.take(Duration::from_secs(second)).len();
        assert!(due <= 11, "{due} in one second");
        assert!(due == 0 || (600..=900).contains(&second), "{due} at {second} s");
        taken += due;
    }
    assert_eq!(taken, 3060);
}

#[test]
fn a_storm_of_wishes_is_answered_wish_by_wish_and_moves_nothing_out_of_its_band() {
    let (mut trial, _) = trial("wish-storm");
    trial.run_until(1200).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(trial.tally.wishes > 3000, "{:?}", trial.tally);
    assert!(trial.tally.events > 3000, "each has its answer: {:?}", trial.tally);
}

#[test]
fn a_scenario_that_begins_with_the_heating_starts_a_cold_station() {
    let (station, scenario) = scenario_of("season-start");
    let begin = scenario::begin(&scenario, &station);
    assert_eq!(begin, station.settings.season.heating_from);
    let (_, mut paced) = plant::set_up(&station, &scenario, &Asked::default(), begin).expect("no file is needed");
    paced.advance(60);
    let truth = &paced.plant().truth().circuits[0];
    assert!(truth.secondary_flow.0 < 0.1 && truth.supply.0 < 20.0, "{:?} {:?}", truth.secondary_flow, truth.supply);
}

#[test]
fn a_seed_on_the_command_line_goes_before_the_one_of_the_file() {
    let (station, mut scenario) = scenario_of("hot-water");
    scenario.plant.seed = Some(5);
    assert_eq!(scenario::plant_seed(&scenario, &Asked::default()), 5);
    assert_eq!(scenario::plant_seed(&scenario, &Asked { seed: Some(7), ..Asked::default() }), 7);
    let plant = scenario::plant(&scenario, &station, &Asked::default(), Celsius(0.0));
    assert!(plant.circuits[0].hot_water.is_some() && plant.primary.flow_limit.is_some());
    assert!((plant.instruments.meter_telegram.0 - 300.0).abs() < 1e-9);
}
