//! Stories of a whole step: a small plant of a few lines, virtual seconds, and what the operator would see.

mod rig;
mod weather;

use std::time::Duration;

use heatstation_points::{
    BuildingIndex, Celsius, CircuitIndex, Kelvins, Pascals, PumpReadings, Ratio, Reading, Switch,
};

use crate::alarm::{Alarm, Place};
use crate::area::Area;
use crate::authority::Device;
use crate::event::Event;
use crate::interlock::Trip;
use crate::ledger::Part;
use crate::make_up;
use crate::moment::UtcMillis;
use crate::outage::{Cause, OutageId};
use crate::report::{PumpReason, ValveReason};
use crate::request::{Hand, Mode, Origin, Refusal, Wish};
use crate::sequence::Stage;
use crate::settings::{BuildingSettings, BuildingValve, MakeUpMode};
use crate::state::State;
use crate::step::{Health, Inputs, step};
use crate::valve_exercise::ValveExerciseSettings;

pub(crate) use rig::{Rig, circuit, settings};

#[test]
fn a_cold_station_starts_in_order_and_reaches_its_setpoint() {
    let mut rig = Rig::cold();
    rig.run(1);
    assert_eq!(rig.circuit().commands, None, "nothing is written before the plant was looked at");
    rig.run(3 * 3600);
    let stages: Vec<Stage> = rig
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::StageChanged { to, .. } => Some(*to),
            _ => None,
        })
        .collect();
    assert_eq!(stages, [Stage::Filling, Stage::StartingPumps, Stage::Settling, Stage::Heating]);
    let (setpoint, supply) = (rig.circuit().setpoint.value, rig.circuit().supply.unwrap());
    assert!((setpoint - supply).0.abs() < 0.5, "{setpoint:?} {supply:?}");
    assert_eq!(rig.circuit().valve_reason, ValveReason::Control);
    assert!(!rig.alarm(Alarm::NoCirculation));
}

#[test]
fn a_stopped_pump_closes_the_valve_within_five_seconds_and_the_standby_takes_over() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    rig.run(4);
    rig.pump_broken[1] = false;
    assert_eq!(rig.valve(), 0.0);
    assert_eq!(rig.circuit().valve_reason, ValveReason::Interlock(Trip::NoCirculation));
    assert!(rig.alarm(Alarm::NoCirculation) && rig.alarm(Alarm::PumpFailed));
    rig.run(2700);
    assert_eq!(rig.circuit().stage, Stage::Heating);
    assert!(rig.valve() > 0.1);
    assert!(!rig.alarm(Alarm::NoCirculation), "{:?}", rig.report.unwrap().alarms);
}

#[test]
fn an_outage_opens_after_its_confirmation_and_counts_from_its_first_cold_second() {
    let mut rig = Rig::warm();
    let begins = rig.second;
    rig.pump_broken = [true; 2];
    rig.run(700);
    let opened = rig.events.iter().find_map(|(second, event)| match event {
        Event::OutageOpened { outage, suggested, .. } => Some((*second, *outage, *suggested)),
        _ => None,
    });
    let (second, outage, suggested) = opened.expect("an outage");
    assert_eq!(suggested, Cause::EnterpriseAccident);
    // The first cold sample is read one cycle after the pump stopped.
    assert_eq!(outage, OutageId { circuit: CircuitIndex(0), since: UtcMillis((begins as i64 + 1) * 1000) });
    assert_eq!(second, begins + 601);
    rig.pump_broken = [false; 2];
    rig.run(2400);
    let closed = rig.events.iter().find_map(|(_, event)| match event {
        Event::OutageClosed { outage, ended, lasted, .. } => Some((*outage, *ended, *lasted)),
        _ => None,
    });
    let (closed, ended, lasted) = closed.expect("it ended");
    assert_eq!((closed, ended.since(outage.since)), (outage, lasted));
}

#[test]
fn too_hot_a_supply_closes_the_valve_in_hand_too() {
    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    let wish = Wish::TakeInHand { circuit, hand: Hand::Valve(Ratio(1.0)), lasts: Duration::from_secs(3600) };
    rig.ask(Origin::Operator, wish);
    rig.run(60);
    assert_eq!(rig.circuit().valve_reason, ValveReason::Hand);
    let mut seconds_too_hot = 0;
    while rig.valve() > 0.0 && rig.second < 30_000 {
        rig.run(1);
        seconds_too_hot += u32::from(rig.supply > 85.0);
    }
    assert!(seconds_too_hot <= 5, "{seconds_too_hot} s");
    assert_eq!(rig.circuit().valve_reason, ValveReason::Interlock(Trip::OverTemperature));
}

#[test]
fn what_is_in_hand_returns_by_itself() {
    let mut rig = Rig::warm();
    let hand = Hand::Valve(Ratio(0.2));
    rig.ask(Origin::Operator, Wish::TakeInHand { circuit: CircuitIndex(0), hand, lasts: Duration::from_secs(120) });
    rig.run(60);
    assert!(rig.alarm(Alarm::HandControl));
    rig.run(61);
    assert!(rig.kinds().contains(&"hand_expired"));
    assert_eq!(rig.circuit().valve_reason, ValveReason::Control);
}

#[test]
fn dispatch_may_neither_stop_a_station_nor_reset_its_trips_nor_shout() {
    use Refusal::{NoSuchThing, NotFromThere, OutOfRange, TooLong, TooOften};

    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    rig.ask(Origin::Dispatch, Wish::SetMode { circuit, mode: Mode::Stopped });
    rig.ask(Origin::Dispatch, Wish::ResetTrips { circuit });
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(f64::NAN), lasts: Duration::from_secs(60) });
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(2.0), lasts: Duration::from_secs(200_000) });
    for _ in 0..3 {
        rig.ask(Origin::Dispatch, Wish::ReturnToAutomatic { circuit: CircuitIndex(7) });
    }
    rig.run(1);
    let refusals: Vec<Refusal> = rig
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::RequestRefused { refusal, .. } => Some(*refusal),
            _ => None,
        })
        .collect();
    assert_eq!(refusals, [NotFromThere, NotFromThere, OutOfRange, TooLong, NoSuchThing, NoSuchThing, TooOften]);
}

#[test]
fn a_restart_takes_the_plant_over_without_moving_the_valve() {
    let mut rig = Rig::warm();
    let before = rig.valve();
    let saved: State = serde_json::from_str(&serde_json::to_string(&rig.state).unwrap()).unwrap();
    rig.state = State::resume(saved, &rig.settings, Duration::from_secs(4)).unwrap();
    rig.run(5);
    assert!((rig.valve() - before).abs() < 0.01, "{before} then {}", rig.valve());
    assert_eq!(rig.circuit().stage, Stage::Heating);
    // The same without any saved state.
    rig.state = State::new(&rig.settings);
    rig.run(5);
    assert!((rig.valve() - before).abs() < 0.02, "{before} then {}", rig.valve());
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn local_at_the_cabinet_means_no_writes() {
    let mut rig = Rig::warm();
    rig.readings.station.remote_selected = Reading::good(Switch::Off);
    rig.run(1);
    assert_eq!(rig.circuit().commands, None);
    rig.run(30);
    assert!(rig.alarm(Alarm::LocalControl));
    rig.readings.station.remote_selected = Reading::good(Switch::On);
    rig.run(5);
    assert!(rig.circuit().commands.is_some());
}

#[test]
fn a_stop_in_frost_keeps_the_water_moving() {
    let mut rig = Rig::warm();
    rig.ask(Origin::Operator, Wish::SetMode { circuit: CircuitIndex(0), mode: Mode::Stopped });
    rig.run(3600);
    assert_eq!(rig.circuit().stage, Stage::Stopped);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Frost);
    assert_eq!(rig.circuit().circulating, Some(true));
    assert_eq!(rig.valve(), 0.0);
}

#[test]
fn the_same_inputs_give_the_same_outputs_whatever_the_wall_clock_says() {
    let trace = |wall_offset: i64| {
        let mut rig = Rig::cold();
        let mut commands = Vec::new();
        for _ in 0..2000 {
            let mut now = rig.now();
            now.wall = UtcMillis(now.wall.0 + wall_offset + 5_000);
            let inputs = Inputs {
                now,
                readings: rig.readings.clone(),
                forecast: None,
                requests: vec![],
                health: Health::default(),
            };
            let (state, report) = step(&rig.settings, std::mem::take(&mut rig.state), &inputs);
            rig.state = state;
            rig.react(report.circuits[0].commands.as_ref());
            commands.push(report.circuits[0].commands.clone());
            rig.second += 1;
        }
        commands
    };
    assert_eq!(trace(0), trace(86_400_000));
}

#[test]
fn silence_of_the_whole_field_is_unobserved_time_and_no_outage() {
    let mut rig = Rig::warm();
    let saved = rig.readings.clone();
    let silent = heatstation_points::Fault::Silent;
    rig.frozen_readings = true;
    rig.own().own.supply_temperature = Reading::bad(silent);
    rig.own().own.return_temperature = Reading::bad(silent);
    rig.own().own.secondary_flow = Reading::bad(silent);
    for pump in &mut rig.own().circulation_pumps {
        *pump = PumpReadings { running: Reading::bad(silent), ..PumpReadings::default() };
    }
    rig.run(3600);
    assert!(!rig.kinds().contains(&"outage_opened"));
    rig.frozen_readings = false;
    rig.readings = saved;
    rig.run(2);
    let unobserved = rig.events.iter().find_map(|(_, event)| match event {
        Event::Unobserved { lasted, .. } => Some(lasted.as_secs()),
        _ => None,
    });
    assert_eq!(unobserved, Some(3600));
    assert!(!rig.alarm(Alarm::OutageOpen));
    assert!(rig.report.unwrap().alarms.iter().all(|active| active.key.place != Place::Station));
}

#[test]
fn a_reset_while_the_emergency_stop_is_pressed_is_refused_and_its_release_starts_nothing() {
    let mut rig = Rig::warm();
    let circuit = CircuitIndex(0);
    rig.readings.station.emergency_stop = Reading::good(Switch::On);
    rig.run(30);
    rig.ask(Origin::Operator, Wish::ResetTrips { circuit });
    rig.run(1);
    let refused = |event: &Event| matches!(event, Event::RequestRefused { refusal: Refusal::StillTripped, .. });
    assert!(rig.events.iter().any(|(_, event)| refused(event)), "{:?}", rig.kinds());
    rig.readings.station.emergency_stop = Reading::good(Switch::Off);
    rig.run(600);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    assert_eq!(rig.valve(), 0.0);
    rig.ask(Origin::Operator, Wish::ResetTrips { circuit });
    rig.run(600);
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn a_valve_feedback_that_lies_does_not_throw_the_valve_open_after_a_trip() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    rig.run(300);
    assert_eq!(rig.valve(), 0.0);
    rig.pump_broken = [false; 2];
    let mut before = rig.valve();
    for _ in 0..3000 {
        rig.own().own.valve_position_feedback = Reading::good(Ratio(0.9));
        rig.run(1);
        assert!(rig.valve() - before <= 1.0 / 120.0 + 1e-9, "{before} then {}", rig.valve());
        before = rig.valve();
    }
    assert!(before > 0.1, "it heats again: {before}");
}

#[test]
fn above_the_relief_pressure_no_make_up_pump_is_told_to_run() {
    let mut settings = settings();
    settings.circuits[0].make_up = Some(make_up::tests::settings(MakeUpMode::VariableSpeed));
    let mut rig = Rig::with(settings);
    let mut at = |kilopascals: f64| {
        rig.own().own.return_pressure = Reading::good(Pascals(kilopascals * 1e3));
        rig.run(1);
        let commands = rig.circuit().commands.as_ref();
        commands.is_some_and(|commands| commands.make_up_pumps.iter().any(|pump| pump.start.is_on()))
    };
    let started = (0..60).any(|_| at(270.0));
    assert!(started && at(290.0));
    assert!(!at(370.0), "the relief valve opens at 360 kPa");
}

#[test]
fn the_alarm_of_standing_water_stays_until_it_moves_again() {
    let mut rig = Rig::warm();
    rig.pump_broken = [true; 2];
    for _ in 0..30 {
        rig.run(60);
        assert!(rig.alarm(Alarm::NoCirculation), "{} s, {:?}", rig.second, rig.circuit().stage);
    }
    rig.pump_broken = [false; 2];
    rig.run(1800);
    assert!(!rig.alarm(Alarm::NoCirculation));
}

#[test]
fn giving_the_plant_back_at_the_cabinet_resets_what_is_mended_and_nothing_else() {
    let mut rig = Rig::warm();
    rig.readings.station.emergency_stop = Reading::good(Switch::On);
    rig.run(30);
    let at_the_cabinet = |rig: &mut Rig| {
        rig.readings.station.remote_selected = Reading::good(Switch::Off);
        rig.run(60);
        rig.readings.station.remote_selected = Reading::good(Switch::On);
        rig.run(600);
    };
    at_the_cabinet(&mut rig);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    rig.readings.station.emergency_stop = Reading::good(Switch::Off);
    rig.run(600);
    assert_eq!(rig.circuit().pump_reason, PumpReason::Interlock(Trip::EmergencyStop));
    at_the_cabinet(&mut rig);
    assert_eq!(rig.circuit().stage, Stage::Heating);
}

#[test]
fn a_wish_does_not_live_longer_because_the_program_was_away() {
    let mut rig = Rig::warm();
    let (circuit, lasts) = (CircuitIndex(0), Duration::from_secs(600));
    rig.ask(Origin::Dispatch, Wish::ShiftSupply { circuit, by: Kelvins(2.0), lasts });
    rig.ask(Origin::Operator, Wish::TakeInHand { circuit, hand: Hand::Valve(Ratio(0.3)), lasts });
    rig.run(200);
    assert!(rig.circuit().in_hand.is_some() && rig.circuit().setpoint.ledger.of(Part::Remote) == Kelvins(2.0));
    rig.state = State::resume(rig.state.clone(), &rig.settings, Duration::from_secs(500)).unwrap();
    rig.run(5);
    assert_eq!(rig.circuit().in_hand, None);
    assert!(rig.kinds().contains(&"hand_expired"));
    rig.run(120);
    assert_eq!(rig.circuit().setpoint.ledger.of(Part::Remote), Kelvins(0.0));
}

#[test]
fn a_valve_that_somebody_works_on_teaches_the_rooms_nothing_and_its_supply_comes_back_by_the_ramp() {
    let mut rig = Rig::warm();
    let (circuit, device) = (CircuitIndex(0), Device::Valve);
    rig.ask(Origin::Operator, Wish::TakeForMaintenance { circuit, device, lasts: Duration::from_secs(4 * 3600) });
    rig.run(1);
    let before = rig.circuit().room_trim.shift;
    for _ in 0..4 * 3600 - 10 {
        for room in &mut rig.own().rooms {
            room.temperature = Reading::good(Celsius(15.0));
        }
        rig.run(1);
    }
    assert_eq!(rig.circuit().valve_reason, ValveReason::Maintenance);
    assert!(rig.circuit().room_trim.shift <= before, "{:?}", rig.circuit().room_trim);
    rig.supply = 28.0;
    while rig.circuit().valve_reason == ValveReason::Maintenance {
        rig.run(1);
    }
    let water = rig.circuit().supply.unwrap();
    rig.run(60);
    let setpoint = rig.circuit().setpoint.value;
    assert!(setpoint - water < Kelvins(0.5), "{setpoint:?}: twenty kelvins an hour, from {water:?}");
}

#[test]
fn a_selector_on_local_ends_an_exercise_of_the_valve_and_of_its_pumps() {
    let mut settings = settings();
    settings.season.end = settings.season.start;
    settings.circuits[0].frost.outdoor = Celsius(-30.0);
    let exercise = ValveExerciseSettings { every: Duration::from_secs(3600), kick: Duration::from_secs(30) };
    settings.circuits[0].valve.exercise = Some(exercise);
    let mut rig = Rig::with(settings);
    rig.readings.station.outdoor_temperature = Reading::good(Celsius(20.0));
    rig.own().own.valve_remote = Reading::good(Switch::On);
    rig.run(1);
    while rig.circuit().circulating != Some(true) {
        rig.run(1);
        assert!(rig.second < 2 * 3600, "the exercise begins");
    }
    rig.own().own.valve_remote = Reading::good(Switch::Off);
    rig.ask(Origin::Operator, Wish::SetMode { circuit: CircuitIndex(0), mode: Mode::Stopped });
    rig.run(120);
    assert_eq!(rig.circuit().circulating, Some(false), "{:?}", rig.circuit().pump_reason);
}

#[test]
fn a_building_valve_that_somebody_works_on_is_not_written() {
    let mut settings = settings();
    settings.circuits[0].buildings = vec![BuildingSettings {
        name: "b1".to_owned(),
        heated_area: Area::from_square_meters(86_000),
        valve: BuildingValve::Balanced,
        offset: Kelvins(0.0),
    }];
    let mut rig = Rig::warm_with(settings);
    let (circuit, building, lasts) = (CircuitIndex(0), BuildingIndex(0), Duration::from_secs(3600));
    let hand = Hand::BuildingValve(building, Ratio(0.5));
    rig.ask(Origin::Operator, Wish::TakeInHand { circuit, hand, lasts });
    rig.run(1);
    let sent = |rig: &Rig| rig.circuit().commands.as_ref().unwrap().building_valves[0];
    assert_eq!(sent(&rig), Some(Ratio(0.5)));
    rig.ask(Origin::Operator, Wish::TakeForMaintenance { circuit, device: Device::BuildingValve(building), lasts });
    rig.run(1);
    assert_eq!(sent(&rig), None);
    // A speed is nothing that anybody works on.
    rig.ask(Origin::Operator, Wish::TakeForMaintenance { circuit, device: Device::CirculationSpeed, lasts });
    rig.run(1);
    let refused =
        |(_, event): &(u64, Event)| matches!(event, Event::RequestRefused { refusal: Refusal::NoSuchThing, .. });
    assert!(rig.events.iter().any(refused));
}

#[test]
fn a_supply_far_from_its_setpoint_is_told_either_way() {
    for (position, alarm) in [(0.7, Alarm::SupplyAboveSetpoint), (0.0, Alarm::SupplyBelowSetpoint)] {
        let mut rig = Rig::warm();
        let (circuit, hand) = (CircuitIndex(0), Hand::Valve(Ratio(position)));
        rig.ask(Origin::Operator, Wish::TakeInHand { circuit, hand, lasts: Duration::from_secs(7200) });
        rig.run(1700);
        assert!(!rig.alarm(alarm));
        rig.run(300);
        assert!(rig.alarm(alarm), "{:?} of {:?}", rig.circuit().supply, rig.circuit().setpoint.value);
    }
}
