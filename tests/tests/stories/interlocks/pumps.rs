//! Circulation: proven, handed over, spared.

use heatstation_core::alarm::Alarm;
use heatstation_core::event::Event;
use heatstation_core::interlock::Trip;
use heatstation_core::report::PumpCommand;
use heatstation_core::request::{Mode, Wish};
use heatstation_core::settings::CircuitSettings;
use heatstation_points::{CircuitOutput, Ratio, Switch};
use heatstation_simulator::Fault;
use heatstation_tests::story::{LOW, Story, circulation_pump};

use super::{NEVER, heating, heating_hot_without_thermostat};

/// The hottest water in the exchanger while both pumps stand for half an hour.
fn both_stand(fault: fn(usize) -> Fault, change: impl FnOnce(&mut CircuitSettings)) -> (Story, f64) {
    let mut story = heating_hot_without_thermostat(change);
    story.break_down(fault(0));
    story.break_down(fault(1));
    let hottest = story.most(1800, |story| story.truth().supply.0);
    (story, hottest)
}

fn unproven_is_fine(circuit: &mut CircuitSettings) {
    circuit.interlock.circulation_delay = NEVER;
    circuit.interlock.supply_trip = heatstation_points::Celsius(200.0);
}

/// I3: all circulation pumps stand, or no water is proven to move.
#[test]
fn standing_water_closes_the_valve_and_moving_water_opens_it_again() {
    let dead = |pump| Fault::PumpDead(circulation_pump(pump));
    let (mut story, hottest) = both_stand(dead, |_| {});
    assert!(story.circuit().trips.contains(&Trip::NoCirculation) && story.alarm(Alarm::NoCirculation));
    assert!(hottest < 92.0 && story.written(CircuitOutput::ValvePosition) == 0.0, "{hottest:.1} °C");
    (0..2).for_each(|pump| story.mend(&dead(pump)));
    assert!(story.until(3600, |story| story.written(CircuitOutput::ValvePosition) > 0.1).is_some());
    assert!(story.truth().secondary_flow.0 > 1.0, "not before the water moves");

    let (_, without) = both_stand(dead, unproven_is_fine);
    assert!(without > hottest + 5.0, "without it the exchanger cooks at {without:.1} °C instead of {hottest:.1}");
}

/// How long the water stands within half an hour after a fault of the pump on duty.
fn standstill(fault: Fault, alter: bool) -> (Story, u64) {
    let mut story = heating(|_| {});
    assert!(story.pump_on(0) && !story.pump_on(1), "the first is on duty");
    if alter {
        // Nobody starts the second.
        story.alter(|circuit| {
            if let Some(commands) = &mut circuit.commands {
                commands.circulation_pumps[1] = PumpCommand::STOP;
            }
        });
    }
    story.break_down(fault);
    let mut standing = 0;
    for _ in 0..1800 {
        story.run(1);
        standing += u64::from(story.truth().secondary_flow.0 < 1.0);
    }
    (story, standing)
}

/// I12: the drive of the pump on duty reports a fault.
#[test]
fn a_tripped_drive_hands_over_to_the_standby_pump() {
    let fault = Fault::PumpTrip(circulation_pump(0));
    let (story, standing) = standstill(fault, false);
    assert!(story.pump_on(1) && story.alarm(Alarm::PumpFailed) && standing < 60, "{standing} s");
    let (_, without) = standstill(fault, true);
    assert!(without > 1700, "without it the water stands for {without} s");
}

/// I13: a pump is told to run and is not seen to.
#[test]
fn a_pump_that_does_not_answer_its_command_hands_over_after_its_time() {
    let fault = Fault::PumpDead(circulation_pump(0));
    let (story, standing) = standstill(fault, false);
    let no_feedback =
        |event: &Event| matches!(event, Event::AlarmRaised { alarm } if alarm.alarm == Alarm::PumpNoFeedback);
    let told = story.count(no_feedback) == 1;
    assert!(story.pump_on(1) && told && standing < 90, "{standing} s");
    let (_, without) = standstill(fault, true);
    assert!(without > 1700, "without it the water stands for {without} s");
}

/// I14: both pumps have failed.
#[test]
fn two_failed_pumps_close_the_valve_and_are_an_urgent_alarm_each() {
    let tripped = |pump| Fault::PumpTrip(circulation_pump(pump));
    let (story, hottest) = both_stand(tripped, |_| {});
    let failed = story.report().alarms.iter().filter(|active| active.key.alarm == Alarm::PumpFailed).count();
    assert!(failed == 2 && story.alarm(Alarm::NoCirculation) && story.alarm(Alarm::OutageOpen));
    assert!(hottest < 92.0, "{hottest:.1} °C");
    let (_, without) = both_stand(tripped, unproven_is_fine);
    assert!(without > hottest + 5.0, "without it the exchanger cooks at {without:.1} °C instead of {hottest:.1}");
}

/// I28: a motor bears so many starts an hour.
#[test]
fn an_hour_of_starts_and_stops_starts_no_motor_more_than_six_times() {
    // Mild, so that frost protection does not keep the water moving.
    let told = |alter: bool| {
        let station =
            heatstation_tests::stations::running(heatstation_tests::stations::demo(), heatstation_points::Celsius(8.0));
        let mut story = Story::of(station, 8.0, |circuit| {
            circuit.sequence.post_run_min = std::time::Duration::ZERO;
            circuit.sequence.post_run_max = std::time::Duration::ZERO;
        });
        story.run(900);
        if alter {
            // Started whenever it is asked for.
            story.alter(|circuit| {
                let wanted = circuit.mode == Mode::Automatic;
                if let Some(commands) = circuit.commands.as_mut().filter(|_| wanted) {
                    commands.circulation_pumps[0] = PumpCommand { start: Switch::On, speed: Ratio(0.8) };
                }
            });
        }
        let mut starts = 0;
        let mut was_on = story.pump_on(0);
        for second in 0..3600 {
            if second % 120 == 0 {
                let mode = if second % 240 == 0 { Mode::Stopped } else { Mode::Automatic };
                story.ask(Wish::SetMode { circuit: LOW, mode });
            }
            story.run(1);
            starts += usize::from(story.pump_on(0) && !was_on);
            was_on = story.pump_on(0);
        }
        (story, starts)
    };
    let (story, starts) = told(false);
    assert!(starts <= 6, "{starts} starts");
    assert!(story.count(|event| matches!(event, Event::PumpStarted { .. })) > 0);
    let (_, without) = told(true);
    assert!(without > 10, "without it {without} starts");
}
