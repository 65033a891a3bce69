//! Power, the emergency stop, frost, the plant room, and the cabinet when the computer is gone.

use std::time::Duration;

use heatstation_core::alarm::Alarm;
use heatstation_core::frost::FrostStage;
use heatstation_core::request::{Hand, Mode, Wish};
use heatstation_core::settings::{CirculationMode, FrostSettings};
use heatstation_points::{Celsius, CircuitOutput, Point, PumpIndex, PumpOutput, Ratio, StationSignal};
use heatstation_simulator::image::{OnSilence, SharedPlant, Watchdog};
use heatstation_simulator::{Circulation, Fault, InitialState, Plant, Weather};
use heatstation_tests::stations;
use heatstation_tests::story::{LOW, Story};

use super::heating;

/// I11: mains or phase failure.
#[test]
fn a_power_failure_drops_the_pumps_and_its_return_waits_for_the_stations_turn() {
    let told = |seen: bool| {
        let mut story = heating(|_| {});
        if !seen {
            story.lose_of_station(StationSignal::MainsHealthy);
        }
        story.break_down(Fault::MainsFailure);
        story.run(120);
        let dropped = !story.circulates();
        story.mend(&Fault::MainsFailure);
        let waited = story.until(1800, |story| story.truth().secondary_flow.0 > 1.0);
        (story, dropped, waited.expect("it runs again"))
    };
    let (story, dropped, waited) = told(true);
    assert!(dropped && story.count(|event| matches!(event, heatstation_core::event::Event::Restarting { .. })) == 1);
    // 45 s until the voltage is stable, 20 s of this station's own.
    assert!((65..=120).contains(&waited), "{waited} s");
    let (_, _, waited) = told(false);
    assert!(waited > 600, "without it the drives are blamed for the dark and rest; heat after {waited} s");
}

/// I21: the plant room is too hot for the drives.
#[test]
fn a_hot_plant_room_slows_the_drives() {
    let told = |bears: f64| {
        let mut story = heating(|circuit| {
            circuit.circulation.mode = CirculationMode::FixedSpeed { speed: Ratio(0.95) };
            circuit.interlock.plant_room_max = Celsius(bears);
        });
        story.break_down(Fault::SensorShows(Point::Station(StationSignal::PlantRoomTemperature), 52.0));
        story.run(600);
        let speed = Point::CirculationPumpOutput(LOW, PumpIndex(0), PumpOutput::Speed);
        let speed = story.closed_loop().written(speed).expect("a speed");
        (story, speed)
    };
    let (story, slow) = told(45.0);
    assert!((slow - 0.8).abs() < 0.01 && story.alarm(Alarm::PlantRoomHot) && story.circulates(), "{slow}");
    let (without, fast) = told(200.0);
    assert!(fast > 0.94 && without.truth().pump_power.0 > 1.4 * story.truth().pump_power.0, "{fast}");
}

/// I22: the emergency stop.
#[test]
fn an_emergency_stop_stops_everything_and_its_release_starts_nothing() {
    let told = |wired: bool| {
        let mut story = heating(|_| {});
        if !wired {
            story.lose_of_station(StationSignal::EmergencyStop);
        }
        story.break_down(Fault::EmergencyStop);
        story.run(30);
        story
    };
    let mut story = told(true);
    assert!(!story.circulates() && !story.makes_up() && story.written(CircuitOutput::ValvePosition) == 0.0);
    assert!(story.alarm(Alarm::EmergencyStop));
    story.mend(&Fault::EmergencyStop);
    assert_eq!(story.until(3600, |story| story.truth().secondary_flow.0 > 1.0), None, "somebody may be at the machine");
    story.ask(Wish::ResetTrips { circuit: LOW });
    assert!(story.until(1800, |story| story.written(CircuitOutput::ValvePosition) > 0.1).is_some(), "in order");

    let mut without = told(false);
    without.mend(&Fault::EmergencyStop);
    let started = without.until(3600, |story| story.truth().secondary_flow.0 > 1.0);
    assert!(started.is_some(), "without it the release starts the pumps after {started:?} s");
}

/// I23: frost danger.
#[test]
fn a_station_that_was_stopped_in_frost_keeps_its_water_from_freezing() {
    let told = |frost: FrostSettings| {
        // A house that was never heated, the first cold night, and nobody wants heat yet.
        let (settings, catalogue, mut plant) = stations::demo();
        plant.initial = InitialState { outdoor: Celsius(3.0), room: Celsius(8.0), circulation: Circulation::Stopped };
        let mut story = Story::of((settings, catalogue, plant), -12.0, |circuit| circuit.frost = frost);
        story.ask(Wish::SetMode { circuit: LOW, mode: Mode::Stopped });
        let mut coldest = f64::INFINITY;
        for _ in 0..12 {
            story.run(3600);
            let water = story.truth().buildings.iter().map(|building| building.return_.0);
            coldest = water.fold(coldest, f64::min);
        }
        (story, coldest)
    };
    let (mut story, with) = told(FrostSettings::default());
    assert!(
        story.truth().secondary_flow.0 > 1.0 && story.circuit().frost == FrostStage::Danger,
        "{:?}",
        story.circuit().frost
    );
    assert!(story.alarm(Alarm::Freezing) && with > 4.0, "{with:.1} °C");
    // In hand too: nobody closes the valve against it.
    let lasts = Duration::from_secs(3600);
    story.ask(Wish::TakeInHand { circuit: LOW, hand: Hand::Valve(Ratio(0.0)), lasts });
    story.run(300);
    assert!(story.written(CircuitOutput::ValvePosition) > 0.05);

    let cold = Celsius(-273.0);
    let off = FrostSettings { outdoor: cold, stir_below: cold, danger: cold, water: cold, ..FrostSettings::default() };
    let (story, without) = told(off);
    assert!(without < with - 3.0 && story.truth().secondary_flow.0 < 0.1, "{with:.1} °C with it, {without:.1} without");
}

/// I26: the computer is gone: the cabinet's own watchdog. (That a device whose watchdog is off is not written at all is told
/// on the wire, in the stories of the drivers.)
#[test]
fn a_cabinet_that_hears_nothing_closes_the_valve_if_its_watchdog_was_set_so() {
    let told = |then: OnSilence| {
        let (_, catalogue, plant) = stations::running(stations::demo(), Celsius(-5.0));
        let shared = SharedPlant::new(&catalogue, Watchdog { after: Duration::from_millis(20), then });
        let mut plant = Plant::new(&plant, 1);
        let weather = Weather::still(Celsius(-5.0));
        std::thread::sleep(Duration::from_millis(40));
        for second in 0..300 {
            for (point, value) in shared.take_commands() {
                plant.command(point, value);
            }
            plant.step(Duration::from_secs(1), second, &weather);
        }
        plant.truth().circuits[0].valve_stem.0
    };
    assert_eq!(told(OnSilence::CloseValves), 0.0);
    let without = told(OnSilence::KeepOutputs);
    assert!(without > 0.2, "without it the valve stands at {without:.2} for ever");
}
