//! The circulation on the physical plant: what each mode saves and what it costs, and how pumps change.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::alarm::Alarm;
use heatstation_core::circulation::{PumpState, SpeedReason};
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::{CircuitReport, PumpReason};
use heatstation_core::sequence::Stage;
use heatstation_core::settings::{
    ChangeOver, CirculationMode, CirculationSettings, Exercise, FarSettings, FlowLaw, LoadLine, StagedFlow,
    TemperatureDifference, TrimRespond, WorstPoint,
};
use heatstation_points::{Celsius, CircuitIndex, CircuitSignal, Kelvins, Pascals, Point, PumpIndex, Ratio};
use heatstation_simulator::{Climate, Fault, PumpKind, PumpPlace, StochasticWeather, Weather};
use heatstation_tests::stations::{self, SEASON_START, Station, ZONE};
use heatstation_tests::steady::Steady;

const LOAD: LoadLine = LoadLine { room: Celsius(18.0), design_outdoor: Celsius(-9.0) };
const STAGES: FlowLaw = FlowLaw::Stages {
    flows: [Ratio(1.0), Ratio(0.8), Ratio(0.6)],
    loads: [Ratio(0.8), Ratio(0.6)],
    hysteresis: Ratio(0.03),
};
/// 45 Hz, what the demonstration's station file has.
const CONSTANT: CirculationMode = CirculationMode::FixedSpeed { speed: Ratio(0.9) };

fn staged(law: FlowLaw) -> CirculationMode {
    let hold = Duration::from_secs(6 * 3600);
    CirculationMode::StagedFlow(StagedFlow {
        full_speed: Ratio(0.9),
        law,
        load: LOAD,
        hold,
        far: FarSettings::default(),
    })
}

fn spread(load_exponent: f64) -> CirculationMode {
    CirculationMode::TemperatureDifference(TemperatureDifference {
        spread: Kelvins(25.0),
        load_exponent,
        load: LOAD,
        gain_per_kelvin: 0.01,
        integral_time: Duration::from_secs(1800),
    })
}

fn worst_point(setpoint: Pascals) -> CirculationMode {
    CirculationMode::WorstPoint(WorstPoint {
        setpoint,
        reset_time: Duration::from_secs(300),
        low: Pascals(25e3),
        high: Pascals(110e3),
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    })
}

fn trim_respond() -> CirculationMode {
    CirculationMode::TrimRespond(TrimRespond {
        low: Pascals(25e3),
        high: Pascals(95e3),
        every: Duration::from_secs(600),
        trim: Pascals(1e3),
        respond: Pascals(3e3),
        respond_max: Pascals(6e3),
        far: FarSettings::default(),
        worst_point: None,
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    })
}

fn difference(setpoint: Pascals) -> CirculationMode {
    let integral_time = Duration::from_secs(20);
    CirculationMode::DifferentialPressure { setpoint, gain_per_pascal: 2e-6, integral_time }
}

/// What a run came to, by the plant's truth.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    pump_kilowatt_hours: f64,
    heat_gigajoules: f64,
    /// Share of area and time at or above 18 °C.
    pass: f64,
    room_mean: f64,
    /// The flat that is coldest on average.
    coldest: f64,
    outdoor: f64,
    primary_return: f64,
}

/// The demonstration's plant in midwinter, from a day of the season on.
fn run(mode: CirculationMode, first_day: i64, settling_days: u64, days: u64) -> Outcome {
    let (mut settings, catalogue, plant) = stations::running(stations::demo(), Celsius(1.0));
    settings.circuits[0].circulation.mode = mode;
    settings.circuits[0].circulation.flow_floor = settings.circuits[0].design_flow.map(|flow| flow * 0.4);
    let start = UtcMillis(SEASON_START.0 + first_day * 86_400_000);
    let weather = Box::new(StochasticWeather::new(1, Climate::SHANDONG));
    let rig = ClosedLoop::new(settings, &catalogue, &plant, weather, start, ZONE, 1);
    judge(rig, settling_days, days)
}

fn judge(mut rig: ClosedLoop, settling_days: u64, days: u64) -> Outcome {
    for _ in 0..settling_days * 86_400 {
        rig.second(Vec::new());
    }
    let truth = |rig: &ClosedLoop| {
        let truth = &rig.view().0.truth().circuits[0];
        (truth.pump_energy.0, truth.heat_energy.0)
    };
    let before = truth(&rig);
    let (mut area, mut passing, mut outdoor, mut heat, mut back) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut sums: Vec<f64> = Vec::new();
    let mut areas: Vec<f64> = Vec::new();
    let mut looks = 0.0;
    for second in 0..days * 86_400 {
        rig.second(Vec::new());
        if second % 300 != 0 {
            continue;
        }
        let (plant, settings, _) = rig.view();
        let circuit = &plant.truth().circuits[0];
        sums.resize(circuit.flats.len(), 0.0);
        areas.resize(circuit.flats.len(), 0.0);
        for (flat, (sum, of)) in
            circuit.flats.iter().zip(sums.iter_mut().zip(&mut areas)).filter(|(flat, _)| !flat.shut)
        {
            area += flat.area_m2;
            passing += if flat.temperature >= settings.profile.dwelling_min.value { flat.area_m2 } else { 0.0 };
            *sum += flat.temperature.0;
            *of = flat.area_m2;
        }
        looks += 1.0;
        outdoor += plant.truth().outdoor.0;
        heat += circuit.heat.0;
        back += circuit.heat.0 * circuit.primary_return.0;
    }
    let after = truth(&rig);
    let heated = || sums.iter().zip(&areas).filter(|(_, area)| **area > 0.0);
    Outcome {
        pump_kilowatt_hours: (after.0 - before.0) / 3.6e6,
        heat_gigajoules: (after.1 - before.1) / 1e9,
        pass: passing / area,
        room_mean: heated().map(|(sum, area)| sum * area).sum::<f64>() / area,
        coldest: heated().map(|(sum, _)| sum / looks).fold(f64::INFINITY, f64::min),
        outdoor: outdoor / looks,
        primary_return: back / heat,
    }
}

#[test]
#[ignore = "minutes: what each mode comes to over two weeks, as a table"]
#[allow(clippy::print_stderr, reason = "it is a table")]
fn all_modes_over_two_weeks() {
    let modes: [(&str, CirculationMode); 9] = [
        ("fixed 0.9", CONSTANT),
        ("fixed 0.8", CirculationMode::FixedSpeed { speed: Ratio(0.8) }),
        ("staged 1/0.8/0.6", staged(STAGES)),
        ("cube root", staged(FlowLaw::CubeRoot)),
        ("spread, 2/3", spread(2.0 / 3.0)),
        ("spread, constant", spread(0.0)),
        ("worst point 20 kPa", worst_point(Pascals(20e3))),
        ("trim and respond", trim_respond()),
        ("difference 60 kPa", difference(Pascals(60e3))),
    ];
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (first, days) = (number("HEATSTATION_FIRST_DAY", 55), number("HEATSTATION_DAYS", 14));
    let constant = run(CONSTANT, first as i64, 3, days);
    for (name, mode) in modes {
        let r = run(mode, first as i64, 3, days);
        // What a mode saves is not taken from the rooms, and no mode costs more than pumps that never slow down.
        assert!(r.pass >= constant.pass - 0.01, "{name}: {r:?} against {constant:?}");
        assert!(r.pump_kilowatt_hours <= constant.pump_kilowatt_hours * 1.001, "{name}: {r:?} against {constant:?}");
        eprintln!(
            "{name:20} outdoors {:5.2} °C  pumps {:7.1} kWh  heat {:7.1} GJ  pass {:.4}  rooms {:.2} °C, coldest {:.2} °C  \
             primary return {:.1} °C",
            r.outdoor, r.pump_kilowatt_hours, r.heat_gigajoules, r.pass, r.room_mean, r.coldest, r.primary_return
        );
    }
}

#[test]
fn staged_flow_and_a_held_temperature_difference_save_a_quarter_of_the_pumps_electricity_at_equal_pass() {
    let constant = run(CONSTANT, 55, 1, 2);
    for mode in [staged(STAGES), spread(2.0 / 3.0)] {
        let saving = run(mode, 55, 1, 2);
        assert!(saving.pump_kilowatt_hours <= 0.75 * constant.pump_kilowatt_hours, "{saving:?} against {constant:?}");
        assert!(saving.pass >= constant.pass - 0.002, "{saving:?} against {constant:?}");
        assert!(saving.heat_gigajoules <= 1.01 * constant.heat_gigajoules, "{saving:?} against {constant:?}");
    }
}

/// A station under weather that does not move.
fn steady(station: Station, outdoor: Celsius, change: impl Fn(&mut CirculationSettings)) -> ClosedLoop {
    let (mut settings, catalogue, plant) = stations::running(station, outdoor);
    for circuit in &mut settings.circuits {
        change(&mut circuit.circulation);
    }
    let weather = Box::new(Steady(Weather::still(outdoor)));
    ClosedLoop::new(settings, &catalogue, &plant, weather, SEASON_START, ZONE, 1)
}

fn said(rig: &ClosedLoop, circuit: usize) -> &CircuitReport {
    &rig.view().2.expect("seconds have passed").circuits[circuit]
}

fn seconds(rig: &mut ClosedLoop, count: u32) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.extend(rig.second(Vec::new()).events.iter().cloned());
    }
    events
}

fn pump(number: usize) -> PumpPlace {
    PumpPlace { circuit: CircuitIndex(0), kind: PumpKind::Circulation, pump: PumpIndex(number) }
}

fn has_alarm(rig: &ClosedLoop, alarm: Alarm) -> bool {
    rig.view().2.expect("seconds have passed").alarms.iter().any(|active| active.key.alarm == alarm)
}

#[test]
fn slower_pumps_get_warmer_water_and_the_rooms_the_same_heat() {
    // Load 0.63: the middle stage, four fifths of the flow.
    let outdoor = Celsius(1.0);
    let settle = |mode: CirculationMode| {
        let mut rig = steady(stations::demo(), outdoor, |circulation| circulation.mode = mode);
        seconds(&mut rig, 15 * 3600);
        let truth = &rig.view().0.truth().circuits[0];
        (said(&rig, 0).setpoint.value.0, truth.room_heat.0, truth.secondary_flow.0)
    };
    let (warm, heat, flow) = settle(CONSTANT);
    let (warmer, same, less) = settle(staged(STAGES));
    assert!((less / flow - 0.8).abs() < 0.02, "{less} of {flow} kg/s");
    assert!(warmer > warm + 0.8, "{warmer} °C after {warm} °C");
    assert!((same / heat - 1.0).abs() < 0.01, "{same} W after {heat} W");
}

#[test]
fn the_temperature_difference_and_the_curve_do_not_chase_each_other() {
    let mut rig = steady(stations::demo(), Celsius(-3.0), |circulation| circulation.mode = spread(2.0 / 3.0));
    seconds(&mut rig, 8 * 3600);
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    let (mut coldest, mut hottest) = (f64::INFINITY, 0.0_f64);
    for _ in 0..4 * 60 {
        seconds(&mut rig, 60);
        let circuit = said(&rig, 0);
        (low, high) = (low.min(circuit.circulation.speed.now.0), high.max(circuit.circulation.speed.now.0));
        (coldest, hottest) = (coldest.min(circuit.setpoint.value.0), hottest.max(circuit.setpoint.value.0));
    }
    assert!(high - low < 0.02, "speed between {low} and {high}");
    assert!(hottest - coldest < 0.5, "setpoint between {coldest} and {hottest} °C");
    let speed = &said(&rig, 0).circulation.speed;
    assert_eq!(speed.reason, SpeedReason::TemperatureDifference);
    let truth = &rig.view().0.truth().circuits[0];
    let held = (truth.supply - truth.return_).0;
    assert!((held - speed.spread_setpoint.unwrap_or_default().0).abs() < 1.0, "{held} K held, {speed:?}");
}

#[test]
fn the_worst_point_is_held_when_flats_close_their_valves() {
    let mut rig = steady(stations::demo(), Celsius(-3.0), |circulation| circulation.mode = worst_point(Pascals(20e3)));
    seconds(&mut rig, 2 * 3600);
    let worst = |rig: &ClosedLoop| {
        let buildings = &rig.view().0.truth().circuits[0].buildings;
        buildings.iter().map(|building| building.differential_pressure.0).fold(f64::INFINITY, f64::min)
    };
    assert!((worst(&rig) - 20e3).abs() < 1.5e3, "{}", worst(&rig));
    let before = said(&rig, 0).circulation.speed.now;
    rig.plant().inject(Fault::FlatsClosed(CircuitIndex(0), Ratio(0.3)));
    seconds(&mut rig, 2 * 3600);
    assert!((worst(&rig) - 20e3).abs() < 1.5e3, "{}", worst(&rig));
    assert!(
        said(&rig, 0).circulation.speed.now < before - Ratio(0.03),
        "{before:?} then {:?}",
        said(&rig, 0).circulation
    );
}

#[test]
fn a_lost_pressure_difference_is_held_estimated_and_replaced_on_the_plant() {
    let mut rig = steady(stations::two_zones(), Celsius(-3.0), |_| {});
    seconds(&mut rig, 1800);
    let (before, held) = (said(&rig, 1).circulation.speed.now, rig.view().0.truth().circuits[1].secondary_flow.0);
    assert_eq!(said(&rig, 1).circulation.speed.reason, SpeedReason::DifferentialPressure);
    rig.plant().inject(Fault::SensorLost(Point::Circuit(CircuitIndex(1), CircuitSignal::DifferentialPressure)));
    let mut story = Vec::new();
    for minute in 0..40 {
        seconds(&mut rig, 60);
        let reason = said(&rig, 1).circulation.speed.reason;
        if story.last() != Some(&reason) {
            story.push(reason);
        }
        if minute == 20 {
            let flow = rig.view().0.truth().circuits[1].secondary_flow.0;
            assert!((flow / held - 1.0).abs() < 0.02, "{flow} after {held} kg/s");
            assert!((said(&rig, 1).circulation.speed.now - before).0.abs() < 0.02);
        }
    }
    assert_eq!(story, [SpeedReason::HoldSensorLost, SpeedReason::Estimate, SpeedReason::Fallback]);
    assert_eq!(said(&rig, 1).circulation.speed.now, Ratio(0.8));
}

#[test]
fn a_tripped_drive_hands_over_within_ten_seconds_and_heating_goes_on() {
    let mut rig = steady(stations::demo(), Celsius(-3.0), |_| {});
    seconds(&mut rig, 1800);
    let duty = |rig: &ClosedLoop| said(rig, 0).circulation.pumps.map(|pump| pump.state == PumpState::Duty);
    let first = duty(&rig).iter().position(|on| *on).expect("a pump on duty");
    rig.plant().inject(Fault::PumpTrip(pump(first)));
    seconds(&mut rig, 10);
    assert!(duty(&rig)[1 - first] && has_alarm(&rig, Alarm::PumpFailed));
    let events = seconds(&mut rig, 590);
    assert_eq!(said(&rig, 0).stage, Stage::Heating);
    assert!(!events.iter().any(|event| matches!(event, Event::StageChanged { .. })), "{events:?}");
    assert!(rig.view().0.truth().circuits[0].secondary_flow.0 > 30.0);
}

#[test]
fn a_change_over_keeps_the_heating_with_an_overlap_and_with_a_pause() {
    for change_over in [ChangeOver::Overlap, ChangeOver::Pause { wait: Duration::from_secs(5) }] {
        let mut rig = steady(stations::demo(), Celsius(-3.0), |circulation| {
            circulation.rotate_after = Duration::from_secs(3600);
            circulation.change_over = change_over;
        });
        let mut standing = 0;
        let mut changed = 0;
        for _ in 0..3 * 3600 {
            let events = seconds(&mut rig, 1);
            changed += events.iter().filter(|event| matches!(event, Event::DutyChanged { .. })).count();
            assert!(!events.iter().any(|event| matches!(event, Event::StageChanged { from: Stage::Heating, .. })));
            standing += u32::from(rig.view().0.truth().circuits[0].secondary_flow.0 < 5.0);
            assert!(!has_alarm(&rig, Alarm::NoCirculation), "{change_over:?}");
        }
        assert_eq!(changed, 2, "{change_over:?}");
        let bearable = match change_over {
            ChangeOver::Overlap => 0,
            ChangeOver::Pause { .. } => 2 * 30,
        };
        assert!(standing <= bearable, "{change_over:?}: {standing} s without flow");
        // The supply has not suffered.
        let (setpoint, supply) = (said(&rig, 0).setpoint.value, rig.view().0.truth().circuits[0].supply);
        assert!((setpoint - supply).0.abs() < 1.5, "{change_over:?}: {setpoint:?} wanted, {supply:?} in the pipe");
    }
}

#[test]
fn in_summer_idle_pumps_are_turned_one_after_another_and_no_heat_is_given() {
    let (mut settings, catalogue, mut plant) = stations::demo();
    settings.circuits[0].circulation.exercise =
        Exercise { every: Duration::from_secs(6 * 3600), lasts: Duration::from_secs(30) };
    plant.initial.outdoor = Celsius(24.0);
    plant.initial.room = Celsius(24.0);
    let start = UtcMillis(SEASON_START.0 - 120 * 86_400_000);
    let weather = Box::new(Steady(Weather::still(Celsius(24.0))));
    let mut rig = ClosedLoop::new(settings, &catalogue, &plant, weather, start, ZONE, 1);
    let mut turned = Vec::new();
    for _ in 0..13 * 3600 {
        for event in seconds(&mut rig, 1) {
            match event {
                Event::PumpStarted { pump, .. } => turned.push(pump.0),
                Event::PumpFailed { .. } | Event::StageChanged { .. } => panic!("{event:?}"),
                _ => {}
            }
        }
        let circuit = said(&rig, 0);
        let states = circuit.circulation.pumps.map(|pump| pump.state);
        let exercised = states.iter().filter(|state| **state == PumpState::Exercise).count();
        assert!(exercised <= 1 && (circuit.pump_reason == PumpReason::Exercise) == (exercised == 1), "{states:?}");
        assert_eq!(circuit.commands.as_ref().map_or(0.0, |commands| commands.valve_position.0), 0.0);
    }
    assert_eq!(turned, [0, 1, 0, 1]);
}
