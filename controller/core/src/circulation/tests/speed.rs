//! Stories of the speed: a network of fixed resistance in one line, and what each mode makes of it.

use heatstation_points::{BuildingReadings, Celsius, CubicMetersPerSecond, Fault, Kelvins, Pascals, Ratio, Reading};

use super::{calm, settings};
use crate::circulation::change::Change;
use crate::circulation::speed::Speed;
use crate::circulation::{Asked, SpeedReason, SpeedReport};
use crate::settings::{
    CirculationMode, CirculationSettings, FarSettings, FlowLaw, LoadLine, StagedFlow, TemperatureDifference,
    TrimRespond, WorstPoint,
};
use heatstation_points::CircuitReadings;
use std::time::Duration;

/// What the pumps give at their nominal speed.
const HEAD: f64 = 160e3;
const FLOW: f64 = 0.05;
/// Share of the station's difference that reaches the worst-placed building.
const WORST_SHARE: f64 = 0.3;

struct Rig {
    settings: CirculationSettings,
    speed: Speed,
    readings: CircuitReadings,
    asked: Asked,
    /// Users' valves: 1 open.
    opening: f64,
}

impl Rig {
    fn new(mode: CirculationMode) -> Rig {
        let settings = CirculationSettings { mode, ..settings() };
        let mut speed = Speed::default();
        speed.take_over(&settings, Ratio(0.8));
        Rig { settings, speed, readings: CircuitReadings::default(), asked: calm(), opening: 1.0 }
    }

    fn measure(&mut self) {
        let speed = self.speed.now.0;
        let own = &mut self.readings.own;
        if own.differential_pressure.quality().name() != "bad" || !own.differential_pressure.is_configured() {
            own.differential_pressure = Reading::good(Pascals(HEAD * speed * speed));
        }
        own.secondary_flow = Reading::good(CubicMetersPerSecond(FLOW * speed * self.opening));
        own.supply_pressure = Reading::good(Pascals(300e3 + HEAD * speed * speed));
    }

    fn run(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.measure();
            self.step();
        }
    }

    fn step(&mut self) {
        self.speed.advance(&self.settings, &self.readings, &self.asked, 1, Change::None, Duration::from_secs(1));
    }

    fn said(&self) -> SpeedReport {
        self.speed.report(&self.settings.mode)
    }

    fn reason(&self) -> SpeedReason {
        self.said().reason
    }
}

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value}, expected {expected}");
}

const CONSTANT: CirculationMode = CirculationMode::DifferentialPressure {
    setpoint: Pascals(90e3),
    gain_per_pascal: 2e-6,
    integral_time: Duration::from_secs(20),
};

#[test]
fn a_constant_difference_is_held() {
    let mut rig = Rig::new(CONSTANT);
    rig.run(600);
    near(rig.speed.now.0, (90e3_f64 / HEAD).sqrt(), 0.005);
    assert_eq!(rig.reason(), SpeedReason::DifferentialPressure);
}

#[test]
fn a_lost_pressure_is_held_then_estimated_then_replaced() {
    let mut rig = Rig::new(CONSTANT);
    rig.run(600);
    let before = rig.speed.now;
    rig.readings.own.differential_pressure = Reading::bad(Fault::Silent);
    let mut story = Vec::new();
    for second in 0..2000 {
        rig.step();
        if story.last().is_none_or(|(_, reason)| *reason != rig.reason()) {
            story.push((second, rig.reason()));
        }
        if second == 1000 {
            near(rig.speed.now.0, before.0, 0.005);
        }
    }
    let expected = [(0, SpeedReason::HoldSensorLost), (60, SpeedReason::Estimate), (1860, SpeedReason::Fallback)];
    assert_eq!(story, expected);
    near(rig.speed.now.0, 0.8, 1e-9);
}

#[test]
fn the_estimate_follows_a_setpoint_by_affinity() {
    let mut rig = Rig::new(CONSTANT);
    rig.run(900);
    rig.readings.own.differential_pressure = Reading::bad(Fault::Silent);
    rig.settings.mode = CirculationMode::DifferentialPressure {
        setpoint: Pascals(60e3),
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    };
    for _ in 0..200 {
        rig.step();
    }
    assert_eq!(rig.reason(), SpeedReason::Estimate);
    near(rig.speed.now.0, (60e3_f64 / HEAD).sqrt(), 0.01);
}

#[test]
fn a_proportional_difference_falls_when_users_close_and_the_square_falls_further() {
    let held = |exponent: f64, opening: f64| {
        let mode = CirculationMode::ProportionalPressure {
            low: Pascals(45e3),
            design: Pascals(90e3),
            design_flow: CubicMetersPerSecond(0.0375),
            exponent,
            gain_per_pascal: 2e-6,
            integral_time: Duration::from_secs(20),
        };
        let mut rig = Rig::new(mode);
        rig.opening = opening;
        rig.run(3600);
        let before = rig.speed.now;
        rig.run(600);
        near(rig.speed.now.0, before.0, 0.003);
        rig.said().differential_pressure_setpoint.unwrap().0
    };
    near(held(1.0, 1.0), 90e3, 3e3);
    let (straight, square) = (held(1.0, 0.5), held(2.0, 0.5));
    assert!(square < straight - 5e3 && straight < 75e3, "{square} {straight}");
}

fn worst_point() -> WorstPoint {
    WorstPoint {
        setpoint: Pascals(20e3),
        reset_time: Duration::from_secs(300),
        low: Pascals(30e3),
        high: Pascals(120e3),
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    }
}

#[test]
fn the_worst_placed_building_resets_the_difference_here() {
    let mut rig = Rig::new(CirculationMode::WorstPoint(worst_point()));
    for _ in 0..120 {
        // A remote telegram a minute; of two buildings the lower one counts.
        let here = HEAD * rig.speed.now.0.powi(2);
        let building = |share: f64| BuildingReadings {
            differential_pressure: Reading::good(Pascals(share * here)),
            ..BuildingReadings::default()
        };
        rig.readings.buildings = vec![building(0.6), building(WORST_SHARE)];
        rig.run(60);
    }
    near(HEAD * rig.speed.now.0.powi(2) * WORST_SHARE, 20e3, 1e3);
    assert_eq!(rig.reason(), SpeedReason::WorstPoint);
    rig.readings.buildings.clear();
    rig.run(1800);
    assert_eq!(rig.reason(), SpeedReason::WorstPoint);
    rig.run(600);
    assert_eq!(
        (rig.reason(), rig.said().differential_pressure_setpoint),
        (SpeedReason::WorstPointLost, Some(Pascals(120e3)))
    );
}

#[test]
fn trim_and_respond_creeps_down_until_two_ask_and_answers_the_third() {
    let mode = TrimRespond {
        low: Pascals(40e3),
        high: Pascals(110e3),
        every: Duration::from_secs(600),
        trim: Pascals(1e3),
        respond: Pascals(3e3),
        respond_max: Pascals(6e3),
        far: FarSettings::default(),
        worst_point: None,
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    };
    let mut rig = Rig::new(CirculationMode::TrimRespond(mode));
    let returns = |cold: usize| -> Vec<BuildingReadings> {
        let value = |b: usize| Reading::good(Celsius(if b < cold { 36.0 } else { 40.0 }));
        (0..8).map(|b| BuildingReadings { return_temperature: value(b), ..BuildingReadings::default() }).collect()
    };
    let setpoint = |rig: &Rig| rig.said().differential_pressure_setpoint.unwrap().0;
    rig.readings.buildings = returns(2);
    rig.run(3600);
    near(setpoint(&rig), 104e3, 1.0);
    rig.readings.buildings = returns(3);
    rig.run(600);
    near(setpoint(&rig), 106e3, 1.0);
    rig.readings.buildings = returns(2);
    rig.asked.rooms = Some(Kelvins(-0.8));
    rig.run(600);
    near(setpoint(&rig), 108e3, 1.0);
    // Who hears nobody goes back up.
    (rig.readings.buildings, rig.asked.rooms) = (Vec::new(), None);
    rig.run(600);
    near(setpoint(&rig), 110e3, 1.0);
}

const LOAD: LoadLine = LoadLine { room: Celsius(18.0), design_outdoor: Celsius(-9.0) };

fn outdoor_of(load: f64) -> Celsius {
    Celsius(18.0 - 27.0 * load)
}

#[test]
fn a_temperature_difference_is_held_by_the_flow() {
    let mode = TemperatureDifference {
        spread: Kelvins(25.0),
        load_exponent: 2.0 / 3.0,
        load: LOAD,
        gain_per_kelvin: 0.01,
        integral_time: Duration::from_secs(1200),
    };
    let mut rig = Rig::new(CirculationMode::TemperatureDifference(mode));
    let load = 0.6;
    rig.asked.outdoor = outdoor_of(load);
    // Heat is given: the difference goes with its inverse. At full load and 90 % of the speed it would be 25 K.
    for _ in 0..12 * 60 {
        let spread = 25.0 * load * 0.9 / rig.speed.now.0;
        rig.readings.own.supply_temperature = Reading::good(Celsius(40.0 + spread));
        rig.readings.own.return_temperature = Reading::good(Celsius(40.0));
        rig.run(60);
    }
    near(rig.speed.now.0, 0.9 * load.cbrt(), 0.01);
    rig.readings.own.return_temperature = Reading::bad(Fault::SensorBroken);
    rig.run(100);
    assert_eq!(rig.reason(), SpeedReason::Estimate);
    near(rig.speed.now.0, 0.9 * load.cbrt(), 0.01);
    rig.run(3600);
    assert_eq!((rig.reason(), rig.speed.now), (SpeedReason::Fallback, Ratio(0.8)));
}

fn staged(law: FlowLaw) -> Rig {
    let mode = StagedFlow {
        full_speed: Ratio(0.9),
        law,
        load: LOAD,
        hold: Duration::from_secs(6 * 3600),
        far: FarSettings::default(),
    };
    Rig::new(CirculationMode::StagedFlow(mode))
}

const STAGES: FlowLaw = FlowLaw::Stages {
    flows: [Ratio(1.0), Ratio(0.8), Ratio(0.6)],
    loads: [Ratio(0.8), Ratio(0.6)],
    hysteresis: Ratio(0.03),
};

#[test]
fn stages_follow_the_load_with_hysteresis_down_slowly_and_up_at_once() {
    let mut rig = staged(STAGES);
    let mut stage = |load: f64, hours: u32| {
        rig.asked.outdoor = outdoor_of(load);
        rig.run(hours * 3600);
        rig.said().flow_setpoint.unwrap().0
    };
    assert_eq!(stage(0.9, 12), 1.0);
    assert_eq!(stage(0.78, 12), 1.0);
    assert_eq!(stage(0.76, 1), 0.8);
    assert_eq!(stage(0.55, 4), 0.8, "a stage stands for six hours before the flow falls further");
    assert_eq!(stage(0.55, 2), 0.6);
    assert_eq!(stage(0.62, 12), 0.6);
    assert_eq!(stage(0.64, 1), 0.8);
    assert_eq!(stage(0.9, 1), 1.0);
}

#[test]
fn cold_rooms_veto_less_flow_and_get_more() {
    let mut rig = staged(STAGES);
    rig.asked.outdoor = outdoor_of(0.5);
    rig.run(13 * 3600);
    assert_eq!(rig.said().flow_setpoint, Some(Ratio(0.6)));
    rig.asked.rooms = Some(Kelvins(-0.7));
    rig.run(1800);
    assert_eq!((rig.said().flow_setpoint, rig.reason()), (Some(Ratio(0.8)), SpeedReason::StagedFlowObjected));
    rig.run(3700);
    assert_eq!(rig.said().flow_setpoint, Some(Ratio(1.0)));
    rig.asked.rooms = Some(Kelvins(0.2));
    rig.run(5 * 3600);
    assert_eq!(rig.said().flow_setpoint, Some(Ratio(1.0)));
}

#[test]
fn the_smooth_law_is_the_cube_root_of_the_load() {
    let mut rig = staged(FlowLaw::CubeRoot);
    rig.asked.outdoor = outdoor_of(0.5);
    rig.run(600);
    near(rig.speed.now.0, 0.9 * 0.5_f64.cbrt(), 1e-6);
    rig.asked.rooms = Some(Kelvins(-0.7));
    rig.run(7200);
    near(rig.said().flow_setpoint.unwrap().0, 0.5_f64.cbrt() + 0.1, 0.002);
}

#[test]
fn no_mode_lowers_the_flow_below_its_floor() {
    let mut rig = staged(STAGES);
    rig.settings.flow_floor = Some(CubicMetersPerSecond(0.4 * FLOW));
    rig.asked.outdoor = outdoor_of(0.4);
    rig.opening = 0.6;
    rig.run(26 * 3600);
    assert_eq!(rig.reason(), SpeedReason::FlowFloor);
    let flow = FLOW * rig.speed.now.0 * rig.opening;
    assert!((0.4 * FLOW..0.45 * FLOW).contains(&flow), "{flow}");
}

#[test]
fn the_supply_pressure_is_held() {
    let mut rig = Rig::new(CirculationMode::SupplyPressure {
        setpoint: Pascals(400e3),
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    });
    rig.run(600);
    near(rig.speed.now.0, (100e3_f64 / HEAD).sqrt(), 0.005);
}

#[test]
fn the_flow_is_known_by_affinity_while_its_meter_is_lost() {
    let mut rig = Rig::new(CirculationMode::FixedSpeed { speed: Ratio(0.9) });
    rig.run(900);
    near(rig.speed.estimated_flow().unwrap().0, FLOW * 0.9, 1e-4);
    rig.readings.own.secondary_flow = Reading::bad(Fault::Silent);
    rig.settings.mode = CirculationMode::FixedSpeed { speed: Ratio(0.6) };
    for _ in 0..60 {
        rig.step();
    }
    near(rig.speed.estimated_flow().unwrap().0, FLOW * 0.6, 1e-3);
}

#[test]
fn no_mode_moves_faster_than_its_ramp_nor_beyond_its_limits() {
    let fixed = |speed: f64| CirculationMode::FixedSpeed { speed: Ratio(speed) };
    let mut rig = Rig::new(fixed(1.2));
    let mut before = rig.speed.now;
    for second in 0..300 {
        if second == 150 {
            rig.settings.mode = fixed(0.1);
        }
        rig.run(1);
        assert!((rig.speed.now - before).0.abs() <= 0.01 + 1e-9);
        before = rig.speed.now;
        assert!(Ratio(0.5) <= before && before <= Ratio(1.0));
    }
    assert_eq!(before, Ratio(0.5));
}
