//! Who has which output, on the physical plant.

use std::time::Duration;

use heatstation_core::alarm::Alarm;
use heatstation_core::authority::{Authority, Device};
use heatstation_core::event::Event;
use heatstation_core::ledger::Part;
use heatstation_core::request::{Hand, Origin, Refusal, Wish};
use heatstation_points::{Celsius, CircuitOutput, CircuitSignal, Kelvins, PumpIndex, Ratio, Switch};
use heatstation_simulator::Fault;
use heatstation_tests::stations;
use heatstation_tests::story::{LOW, Story, circulation_pump, shows};

const HOUR: Duration = Duration::from_secs(3600);

fn heating(change: impl FnOnce(&mut heatstation_core::settings::CircuitSettings)) -> Story {
    let mut story = Story::of(stations::running(stations::demo(), Celsius(-5.0)), -5.0, change);
    story.run(900);
    story
}

fn shift(by: f64) -> Wish {
    Wish::ShiftSupply { circuit: LOW, by: Kelvins(by), lasts: 6 * HOUR }
}

#[test]
fn a_dispatch_centre_that_falls_silent_for_half_an_hour_has_no_say_any_more() {
    let told = |silence: Duration| {
        let mut story = heating(|circuit| circuit.envelope.silence_max = silence);
        story.ask_from(Origin::Dispatch, shift(-3.0));
        story.run(20 * 60);
        story
    };
    let remote = |story: &Story| story.circuit().setpoint.ledger.of(Part::Remote).0;
    let mut story = told(HOUR / 2);
    assert_eq!(remote(&story), -3.0);
    let held = &story.circuit().held[0];
    assert_eq!((held.device, held.authority, held.origin), (Device::Valve, Authority::Remote, Some(Origin::Dispatch)));
    // A sign of life is enough.
    story.ask_from(Origin::Dispatch, Wish::StayConnected);
    story.run(25 * 60);
    assert_eq!(remote(&story), -3.0);
    story.run(10 * 60);
    assert_eq!(remote(&story), 0.0);
    assert!(story.alarm(Alarm::DispatchSilent) && story.circuit().held.is_empty());
    assert_eq!(story.count(|event| matches!(event, Event::RemoteFellSilent { .. })), 1);

    let mut without = told(100 * HOUR);
    without.run(2 * 3600);
    assert_eq!(remote(&without), -3.0, "without it a dead centre cools the homes on");
}

#[test]
fn a_pump_that_somebody_works_on_is_not_started_even_against_frost() {
    let told = |wish: Wish| {
        let mut story = heating(|_| {});
        story.ask(wish);
        story.run(120);
        story.break_down(Fault::PumpTrip(circulation_pump(1)));
        let started = story.until(1800, |story| story.pump_on(0));
        (story, started)
    };
    let device = Device::CirculationPump(PumpIndex(0));
    let (mut story, started) = told(Wish::TakeForMaintenance { circuit: LOW, device, lasts: HOUR });
    assert_eq!(started, None, "frost outside, the other pump tripped, and hands in this one");
    assert!(story.alarm(Alarm::Maintenance) && story.alarm(Alarm::NoCirculation));
    let held = story.circuit().held[0].clone();
    assert_eq!((held.device, held.authority, held.author.as_deref()), (device, Authority::Maintenance, Some("li.wei")));
    story.ask(Wish::TakeInHand { circuit: LOW, hand: Hand::PumpOut(PumpIndex(0)), lasts: HOUR });
    story.run(1);
    assert_eq!(story.count(|event| matches!(event, Event::RequestRefused { refusal: Refusal::InMaintenance, .. })), 1);
    assert!(story.until(3600, |story| story.pump_on(0)).is_some(), "it ends by itself");

    let (_, started) = told(Wish::TakeInHand { circuit: LOW, hand: Hand::PumpOut(PumpIndex(0)), lasts: HOUR });
    assert!(started.is_some(), "a mere hand gives way to frost protection");
}

#[test]
fn hands_on_relief_inlet_make_up_and_valve_reach_as_far_as_interlocks_let_them() {
    let mut story = heating(|_| {});
    for hand in [
        Hand::ReliefValve(Switch::On),
        Hand::TankInlet(Switch::On),
        Hand::BuildingValve(heatstation_points::BuildingIndex(2), Ratio(0.6)),
        Hand::Valve(Ratio(0.5)),
    ] {
        story.ask(Wish::TakeInHand { circuit: LOW, hand, lasts: HOUR });
    }
    story.run(30);
    assert_eq!(story.circuit().held.iter().filter(|held| held.authority == Authority::Manual).count(), 4);
    assert_eq!((story.written(CircuitOutput::TankInletOpen), story.alarm(Alarm::HandControl)), (1.0, true));
    // The relief valve stands open no further down than to the setpoint; the loop is not emptied by a forgotten hand.
    let lowest = -story.most(900, |story| -story.truth().holding_pressure.0);
    assert!(lowest > 255e3, "{lowest}");
    // The inlet closes when the tank is about to overflow.
    story.break_down(shows(CircuitSignal::TankHighSwitch, 1.0));
    story.run(10);
    assert_eq!(story.written(CircuitOutput::TankInletOpen), 0.0);
    story.ask(Wish::ReturnToAutomatic { circuit: LOW });
    story.run(5);
    assert!(story.circuit().held.is_empty());
}

#[test]
fn make_up_in_hand_tops_up_or_rests_and_returns_by_itself() {
    let mut story = heating(|_| {});
    let take = |story: &mut Story, on| {
        story.ask(Wish::TakeInHand { circuit: LOW, hand: Hand::MakeUp(on), lasts: Duration::from_secs(1200) });
    };
    story.break_down(Fault::Leak(LOW, 0.5 / 3600.0));
    take(&mut story, Switch::Off);
    story.run(900);
    let fallen = story.truth().holding_pressure.0;
    assert!(fallen < 262e3, "{fallen}");
    take(&mut story, Switch::On);
    story.run(120);
    assert!(story.truth().holding_pressure.0 > 280e3, "{:?}", story.truth().holding_pressure);
    story.run(1200);
    assert!(story.circuit().held.is_empty());
}
