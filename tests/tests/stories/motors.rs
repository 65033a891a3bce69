//! Three-point motors on the physical plant: no position is ever sent, only contacts.

use heatstation::simulation::ClosedLoop;
use heatstation::simulation::tracking::TrackingFigures;
use heatstation_core::actuator::Motor;
use heatstation_core::request::{Mode, Origin, Request, Wish};
use heatstation_points::{Celsius, CircuitIndex, CircuitOutput, CircuitSignal, Point};
use heatstation_simulator::{Fault, Weather};
use heatstation_tests::stations;
use heatstation_tests::steady::Steady;
use heatstation_tests::tracking::{closed_loop, judge, with_three_point_motor, with_valve};

const C: CircuitIndex = CircuitIndex(0);

fn rig(play: f64) -> ClosedLoop {
    let station = with_three_point_motor(with_valve(stations::demo(), 1.15, 0.4, play));
    closed_loop(station, Box::new(Steady(Weather::still(Celsius(-3.0)))), 5, 1)
}

fn is_good(figures: &TrackingFigures) -> bool {
    figures.rmse_kelvins <= 0.3
        && figures.p95_kelvins <= 0.8
        && figures.strokes_per_day <= 5.0
        && figures.hunting_events == 0
        && figures.reversals_per_hour <= 20.0
}

fn contacts(rig: &ClosedLoop) -> (bool, bool) {
    let on = |output| rig.written(Point::CircuitOutput(C, output)) == Some(1.0);
    (on(CircuitOutput::ValveOpening), on(CircuitOutput::ValveClosing))
}

#[test]
fn a_three_point_motor_holds_the_supply_as_a_positioner_does() {
    let mut rig = rig(0.005);
    judge(&mut rig, 3);
    let figures = judge(&mut rig, 24);
    assert!(is_good(&figures), "{figures:?}");
}

#[test]
fn without_a_feedback_its_position_is_reckoned() {
    let mut rig = rig(0.005);
    judge(&mut rig, 1);
    rig.plant().inject(Fault::SensorLost(Point::Circuit(C, CircuitSignal::ValvePositionFeedback)));
    judge(&mut rig, 2);
    let figures = judge(&mut rig, 24);
    assert!(is_good(&figures), "{figures:?}");
}

#[test]
fn the_two_contacts_are_never_closed_together_and_a_motor_rests_between_its_ways() {
    let mut rig = rig(0.005);
    let mut before = Motor::Rest;
    for _ in 0..6 * 3600 {
        rig.second(Vec::new());
        let now = match contacts(&rig) {
            (true, true) => panic!("both contacts are closed"),
            (true, false) => Motor::Opening,
            (false, true) => Motor::Closing,
            (false, false) => Motor::Rest,
        };
        assert!(before == Motor::Rest || now == Motor::Rest || before == now, "{before:?} then {now:?}");
        before = now;
    }
}

#[test]
fn too_hot_a_supply_closes_it_within_its_running_time() {
    let mut rig = rig(0.005);
    judge(&mut rig, 1);
    rig.plant().inject(Fault::SensorShows(Point::Circuit(C, CircuitSignal::SupplyTemperature), 95.0));
    for _ in 0..5 {
        rig.second(Vec::new());
    }
    assert_eq!(contacts(&rig), (false, true), "told to close within five seconds");
    for _ in 0..125 {
        rig.second(Vec::new());
        assert!(!contacts(&rig).0);
    }
    assert_eq!(rig.view().0.truth().circuits[0].valve_stem.0, 0.0);
}

#[test]
fn at_rest_the_pulse_lock_spares_the_motor() {
    let mut rig = rig(0.005);
    judge(&mut rig, 1);
    let wish = Wish::SetMode { circuit: C, mode: Mode::Stopped };
    let (author, reason) = ("a tester".to_owned(), "the season is over".to_owned());
    rig.second(vec![Request { origin: Origin::Operator, author, reason, wish }]);
    let closing = |rig: &mut ClosedLoop, seconds: u64| {
        let count = |rig: &mut ClosedLoop| {
            rig.second(Vec::new());
            u64::from(contacts(rig).1)
        };
        (0..seconds).map(|_| count(rig)).sum::<u64>()
    };
    let first = closing(&mut rig, 1200);
    assert!((500..=680).contains(&first), "five running times of 120 s, then a pulse: {first}");
    let later = closing(&mut rig, 6000);
    assert!((590..=610).contains(&later), "one minute in ten: {later}");
    assert_eq!(rig.view().0.truth().circuits[0].valve_stem.0, 0.0);
}
