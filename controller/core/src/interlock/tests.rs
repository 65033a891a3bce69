use heatstation_points::Pascals;

use super::rule::{ATMOSPHERE, vapour_pressure};
use super::*;

fn settings() -> InterlockSettings {
    InterlockSettings::ordinary()
}

fn sound() -> Sight {
    Sight {
        mains: Some(true),
        supply: Some(Celsius(60.0)),
        secondary_return: Some(Celsius(45.0)),
        primary_supply: Some(Celsius(95.0)),
        supply_pressure: Some(Pascals(450_000.0)),
        holding_pressure: Some(Pascals(300_000.0)),
        circulating: Some(true),
        tank_restored: true,
        tank_lowered: true,
        ..Sight::default()
    }
}

fn seconds(interlocks: &mut Interlocks, sight: Sight, count: u32) -> Vec<&'static str> {
    let mut events = Vec::new();
    for _ in 0..count {
        interlocks.judge(&settings(), None, CircuitIndex(0), &sight, Duration::from_secs(1), &mut events);
    }
    events.iter().map(Event::kind).collect()
}

#[test]
fn too_hot_a_supply_closes_the_valve_inside_five_seconds_and_lets_go_below() {
    let mut interlocks = Interlocks::default();
    let hot = Sight { supply: Some(Celsius(86.0)), ..sound() };
    assert_eq!(seconds(&mut interlocks, hot, 3), ["tripped"]);
    assert_eq!(interlocks.closes_valve(), Some(Trip::OverTemperature));
    assert_eq!(interlocks.stops_circulation(), None);
    assert_eq!(seconds(&mut interlocks, Sight { supply: Some(Celsius(81.0)), ..sound() }, 60), Vec::<&str>::new());
    assert_eq!(seconds(&mut interlocks, Sight { supply: None, ..sound() }, 60), Vec::<&str>::new());
    assert_eq!(seconds(&mut interlocks, sound(), 10), ["trip_ended"]);
}

#[test]
fn the_fourth_over_temperature_of_an_hour_stays_until_a_person_resets_it() {
    let mut interlocks = Interlocks::default();
    let hot = Sight { supply: Some(Celsius(86.0)), ..sound() };
    for _ in 0..3 {
        seconds(&mut interlocks, hot, 3);
        assert_eq!(seconds(&mut interlocks, sound(), 20), ["trip_ended"]);
    }
    seconds(&mut interlocks, hot, 3);
    assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
    interlocks.ask_reset().unwrap();
    assert_eq!(seconds(&mut interlocks, sound(), 60), ["trip_ended"]);
}

#[test]
fn low_pressure_stops_pumps_and_heat_until_the_restart_pressure() {
    let mut interlocks = Interlocks::default();
    let low = Sight { holding_pressure: Some(Pascals(140_000.0)), ..sound() };
    seconds(&mut interlocks, low, 6);
    assert_eq!(interlocks.stops_circulation(), Some(Trip::PressureLow));
    assert_eq!(interlocks.stops_make_up(), None);
    seconds(&mut interlocks, Sight { holding_pressure: Some(Pascals(180_000.0)), ..sound() }, 60);
    assert!(interlocks.holds(Trip::PressureLow));
    seconds(&mut interlocks, sound(), 10);
    assert!(!interlocks.holds(Trip::PressureLow));
}

#[test]
fn unknown_circulation_counts_as_none() {
    let mut interlocks = Interlocks::default();
    seconds(&mut interlocks, Sight { circulating: None, ..sound() }, 3);
    assert_eq!(interlocks.closes_valve(), Some(Trip::NoCirculation));
    assert_eq!(interlocks.stops_circulation(), None);
}

#[test]
fn an_emergency_stop_stays_after_its_release() {
    let mut interlocks = Interlocks::default();
    seconds(&mut interlocks, Sight { emergency_stop: Contact::Acted, ..sound() }, 1);
    assert!(interlocks.stops_circulation().is_some() && interlocks.stops_make_up().is_some());
    assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
    interlocks.ask_reset().unwrap();
    assert_eq!(seconds(&mut interlocks, sound(), 1), ["trip_ended"]);
}

#[test]
fn a_reset_while_the_button_is_pressed_does_not_let_its_release_start_the_plant() {
    let mut interlocks = Interlocks::default();
    assert_eq!(interlocks.ask_reset(), Err(Refusal::NoSuchThing));
    let pressed = Sight { emergency_stop: Contact::Acted, ..sound() };
    seconds(&mut interlocks, pressed, 5);
    assert_eq!(interlocks.ask_reset(), Err(Refusal::StillTripped));
    assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
    // Pressed again in the second of the reset: the reset is void.
    assert_eq!(interlocks.ask_reset(), Ok(()));
    seconds(&mut interlocks, pressed, 5);
    assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
    assert!(interlocks.holds(Trip::EmergencyStop));
}

#[test]
fn a_valve_that_leaves_the_water_hot_long_after_it_was_told_to_close_isolates_the_primary_side() {
    let isolation = Isolation { told_to_close: true, closes_within: Duration::from_secs(180), closed: Some(false) };
    let hot = Sight { supply: Some(Celsius(90.0)), isolation: Some(isolation), ..sound() };
    let mut interlocks = Interlocks::default();
    assert_eq!(seconds(&mut interlocks, hot, 179), ["tripped"], "over-temperature alone");
    assert_eq!(interlocks.isolates(&settings()), None);
    assert_eq!(seconds(&mut interlocks, hot, 1), ["tripped"]);
    assert_eq!(interlocks.isolates(&settings()), Some(Trip::ValveStuckOpen));
    let cooled = Sight { isolation: Some(isolation), ..sound() };
    seconds(&mut interlocks, cooled, 600);
    assert!(interlocks.holds(Trip::ValveStuckOpen), "the valve still says that it is open");
    let mended = Isolation { closed: Some(true), ..isolation };
    seconds(&mut interlocks, Sight { isolation: Some(mended), ..sound() }, 60);
    assert_eq!(interlocks.isolates(&settings()), None);
    let without = Sight { isolation: None, ..hot };
    assert_eq!(seconds(&mut Interlocks::default(), without, 600), ["tripped"]);
}

#[test]
fn primary_water_that_would_boil_closes_the_valve_where_an_order_is_given() {
    // Steam tables: 110 °C boils at 143.3 kPa absolute, 130 °C at 270.3 kPa.
    assert!((vapour_pressure(Celsius(110.0)).0 + ATMOSPHERE - 143_300.0).abs() < 700.0);
    assert!((vapour_pressure(Celsius(130.0)).0 + ATMOSPHERE - 270_300.0).abs() < 2700.0);
    let ordered = InterlockSettings { primary_pressure_min: Some(Pascals(150_000.0)), ..settings() };
    let judge = |settings: &InterlockSettings, pressure: f64, primary: f64| {
        let (mut interlocks, mut events) = (Interlocks::default(), Vec::new());
        let (pressure, primary) = (Some(Pascals(pressure)), Some(Celsius(primary)));
        let sight = Sight { primary_pressure: pressure, primary_supply: primary, ..sound() };
        for _ in 0..10 {
            interlocks.judge(settings, None, CircuitIndex(0), &sight, Duration::from_secs(1), &mut events);
        }
        interlocks.closes_valve()
    };
    assert_eq!(judge(&ordered, 140_000.0, 95.0), Some(Trip::PrimaryPressureLow));
    assert_eq!(judge(&ordered, 160_000.0, 95.0), None);
    assert_eq!(judge(&ordered, 200_000.0, 130.0), Some(Trip::PrimaryPressureLow), "169 kPa and a margin of 50");
    assert_eq!(judge(&settings(), 0.0, 130.0), None, "no order, no trip");
}

#[test]
fn a_flood_closes_the_inlet_until_a_person_resets_it_and_only_by_policy() {
    let wet = Sight { flooded: Contact::Acted, ..sound() };
    let mut interlocks = Interlocks::default();
    seconds(&mut interlocks, wet, 5);
    assert_eq!((interlocks.closes_inlet(), interlocks.isolates(&settings())), (Some(Trip::Flooded), None));
    let isolating = InterlockSettings { flood: FloodPolicy::CloseInletAndIsolate, ..settings() };
    assert_eq!(interlocks.isolates(&isolating), Some(Trip::Flooded));
    assert_eq!(seconds(&mut interlocks, sound(), 3600), Vec::<&str>::new());
    interlocks.ask_reset().unwrap();
    assert_eq!(seconds(&mut interlocks, sound(), 10), ["trip_ended"]);
}

#[test]
fn a_state_of_the_first_edition_keeps_its_latches() {
    let latch = |active| format!(r#"{{"active":{active},"held":{{"secs":0,"nanos":0}},"reset_asked":false}}"#);
    let latches: Vec<String> = (0..11).map(|n| latch(n == 0 || n == 9)).collect();
    let saved = format!(r#"{{"latches":[{}],"recent_over_temperatures":1.5}}"#, latches.join(","));
    let interlocks: Interlocks = serde_json::from_str(&saved).unwrap();
    assert_eq!(interlocks.active().collect::<Vec<_>>(), [Trip::EmergencyStop, Trip::MakeUpVolume]);
    let again: Interlocks = serde_json::from_str(&serde_json::to_string(&interlocks).unwrap()).unwrap();
    assert_eq!(again, interlocks);
}
