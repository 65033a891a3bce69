//! The circulation on the physical plant: what each mode saves and what it costs, and how pumps change.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::moment::UtcMillis;
use heatstation_core::settings::{
    CirculationMode, FarSettings, FlowLaw, LoadLine, Settings, StagedFlow, TemperatureDifference, TrimRespond,
    WorstPoint,
};
use heatstation_points::{Celsius, Kelvins, Pascals, Ratio};
use heatstation_simulator::{Climate, StochasticWeather};
use heatstation_tests::stations::{self, SEASON_START, ZONE};

/// Midwinter: the turn of December.
const FIRST_DAY: i64 = 35;
/// Rooms carry the initial state that long.
const SETTLING_DAYS: u64 = 2;

/// What a run came to, by the plant's truth.
#[derive(Clone, Copy, Debug)]
struct Result {
    pump_kilowatt_hours: f64,
    heat_gigajoules: f64,
    /// Share of area and time at or above 18 °C.
    pass: f64,
    room_mean: f64,
    primary_return: f64,
    flow_mean: f64,
}

const LOAD: LoadLine = LoadLine { room: Celsius(18.0), design_outdoor: Celsius(-9.0) };

fn loop_(mode: CirculationMode) -> CirculationMode {
    mode
}

fn staged(law: FlowLaw) -> CirculationMode {
    CirculationMode::StagedFlow(StagedFlow {
        full_speed: Ratio(0.9),
        law,
        load: LOAD,
        hold: Duration::from_secs(6 * 3600),
        far: FarSettings::default(),
    })
}

const STAGES: FlowLaw = FlowLaw::Stages {
    flows: [Ratio(1.0), Ratio(0.8), Ratio(0.6)],
    loads: [Ratio(0.8), Ratio(0.6)],
    hysteresis: Ratio(0.03),
};

fn spread(load_exponent: f64) -> CirculationMode {
    CirculationMode::TemperatureDifference(TemperatureDifference {
        spread: Kelvins(25.0),
        load_exponent,
        load: LOAD,
        gain_per_kelvin: 0.01,
        integral_time: Duration::from_secs(1800),
    })
}

fn worst_point() -> CirculationMode {
    CirculationMode::WorstPoint(WorstPoint {
        setpoint: Pascals(20e3),
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

fn run(mode: CirculationMode, days: u64) -> Result {
    let (mut settings, catalogue, plant) = stations::running(stations::demo(), Celsius(1.0));
    settings.circuits[0].circulation.mode = mode;
    settings.circuits[0].circulation.flow_floor = settings.circuits[0].design_flow.map(|flow| flow * 0.4);
    let start = UtcMillis(SEASON_START.0 + FIRST_DAY * 86_400_000);
    let weather = Box::new(StochasticWeather::new(1, Climate::SHANDONG));
    let rig = ClosedLoop::new(settings.clone(), &catalogue, &plant, weather, start, ZONE, 1);
    judge(&settings, rig, days)
}

fn judge(settings: &Settings, mut rig: ClosedLoop, days: u64) -> Result {
    let minimum = settings.profile.dwelling_min.value;
    let (mut before, mut area, mut passing, mut rooms, mut back, mut flow) = (None, 0.0, 0.0, 0.0, 0.0, 0.0);
    let mut heat_sum = 0.0;
    for second in 0..days * 86_400 {
        rig.second(Vec::new());
        let truth = &rig.view().0.truth().circuits[0];
        if second < SETTLING_DAYS * 86_400 {
            continue;
        }
        before.get_or_insert((truth.pump_energy.0, truth.heat_energy.0));
        if second % 300 == 0 {
            for flat in truth.flats.iter().filter(|flat| !flat.shut) {
                area += flat.area_m2;
                passing += if flat.temperature >= minimum { flat.area_m2 } else { 0.0 };
                rooms += flat.area_m2 * flat.temperature.0;
            }
            heat_sum += truth.heat.0;
            back += truth.heat.0 * truth.primary_return.0;
            flow += truth.secondary_flow.0;
        }
    }
    let truth = &rig.view().0.truth().circuits[0];
    let (energy, heat) = before.expect("more days than it takes to settle");
    let looks = ((days - SETTLING_DAYS) * 86_400 / 300) as f64;
    Result {
        pump_kilowatt_hours: (truth.pump_energy.0 - energy) / 3.6e6,
        heat_gigajoules: (truth.heat_energy.0 - heat) / 1e9,
        pass: passing / area,
        room_mean: rooms / area,
        primary_return: back / heat_sum,
        flow_mean: flow / looks,
    }
}

#[test]
#[ignore = "minutes: prints what each mode comes to over two weeks"]
#[allow(clippy::print_stderr, reason = "it is a table")]
fn all_modes_over_two_weeks() {
    let modes: [(&str, CirculationMode); 9] = [
        ("fixed 0.9", CirculationMode::FixedSpeed { speed: Ratio(0.9) }),
        ("fixed 0.8", CirculationMode::FixedSpeed { speed: Ratio(0.8) }),
        ("staged 1/0.8/0.6", staged(STAGES)),
        ("cube root", staged(FlowLaw::CubeRoot)),
        ("spread, 2/3", spread(2.0 / 3.0)),
        ("spread, constant", spread(0.0)),
        ("worst point 20 kPa", worst_point()),
        ("trim and respond", trim_respond()),
        (
            "dp 60 kPa",
            loop_(CirculationMode::DifferentialPressure {
                setpoint: Pascals(60e3),
                gain_per_pascal: 2e-6,
                integral_time: Duration::from_secs(20),
            }),
        ),
    ];
    let days = std::env::var("HEATSTATION_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(14);
    for (name, mode) in modes {
        let began = std::time::Instant::now();
        let r = run(mode, days);
        eprintln!(
            "{name:20} pumps {:7.1} kWh  heat {:7.1} GJ  pass {:.4}  rooms {:.2} °C  primary return {:.1} °C  flow {:.1} kg/s  ({:.0} s)",
            r.pump_kilowatt_hours,
            r.heat_gigajoules,
            r.pass,
            r.room_mean,
            r.primary_return,
            r.flow_mean,
            began.elapsed().as_secs_f64()
        );
    }
}
