//! How fast a season runs, and what it looks like: 121 days of one-second steps under a plain weather curve.
//!
//! `cargo run --release -p heatstation-simulator --example season_speed -- [rooms] [file.epw]`
#![allow(clippy::print_stdout, reason = "an example that measures has to say what it measured")]

use std::path::Path;
use std::time::{Duration, Instant};

use heatstation_points::{
    Celsius, CircuitIndex, CircuitOutput, CircuitSignal, Point, PumpIndex, PumpOutput, StationSignal,
};
use heatstation_simulator::{
    BuildingClass, CircuitPlantSettings, Circulation, Climate, DesignTemperatures, Emitter, EpwWeather, InitialState,
    Outline, Plant, StationPlantSettings, StochasticWeather, WeatherSource,
};

/// 2026-11-15 00:00 in China.
const SEASON: i64 = 1_794_672_000;
const DAYS: i64 = 121;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rooms: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(24);
    let mut weather: Box<dyn WeatherSource> = match arguments.next() {
        Some(path) => Box::new(EpwWeather::read(Path::new(&path)).expect("the file is a sound EPW")),
        None => Box::new(StochasticWeather::new(1, Climate::SHANDONG)),
    };

    let design = DesignTemperatures::radiators(Celsius(-9.0));
    let names = |prefix: &str, count: usize| (1..=count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let outline = Outline {
        name: "low-zone",
        heated_area_m2: 86_000.0,
        emitter: Emitter::Radiator { exponent: 1.3 },
        design,
        building_loss: BuildingClass::Half.loss(design.outdoor),
        buildings: &names("b", 6),
        rooms: &names("r", rooms),
        circulation_pumps: 2,
        make_up_pumps: 1,
    };
    let circuit = CircuitPlantSettings::typical(&outline, 1);
    let mut settings = StationPlantSettings::of(vec![circuit]);
    settings.initial =
        InitialState { outdoor: weather.at(SEASON).outdoor, room: Celsius(20.0), circulation: Circulation::Running };
    let mut plant = Plant::new(&settings, 1);
    let mut season = Season::new(plant.truth().circuits[0].flats.len());

    let began = Instant::now();
    let mut in_plant = Duration::ZERO;
    for hour in 0..DAYS * 24 {
        let hour_began = Instant::now();
        for second in 1..=3600 {
            let now = SEASON + hour * 3600 + second;
            plant.step(Duration::from_secs(1), now, &weather.at(now));
            if second % 5 == 0 {
                season.control(&mut plant);
            }
        }
        in_plant += hour_began.elapsed();
        season.note(&plant);
    }
    println!("{} flats, {rooms} room sensors", plant.truth().circuits[0].flats.len());
    println!("{} s for {DAYS} days, {:.0} ns a step", began.elapsed().as_secs_f32(), {
        in_plant.as_secs_f64() * 1e9 / (DAYS * 86_400) as f64
    });
    season.report(&plant);
}

/// A crude controller, so that the plant has one: the textbook curve, an integrating valve, constant speed, a two-point
/// make-up.
struct Season {
    integral: f64,
    flats: Vec<Vec<f64>>,
    outdoor: Vec<f64>,
    errors: Vec<f64>,
}

impl Season {
    fn new(flats: usize) -> Season {
        Season { integral: 0.3, flats: vec![Vec::new(); flats], outdoor: Vec::new(), errors: Vec::new() }
    }

    fn control(&mut self, plant: &mut Plant) {
        let c = CircuitIndex(0);
        let read = |plant: &Plant, signal| plant.sample(Point::Circuit(c, signal)).unwrap_or(0.0);
        let outdoor = plant.sample(Point::Station(StationSignal::OutdoorTemperature)).unwrap_or(0.0);
        let load = ((18.0 - outdoor) / 27.0).max(0.05);
        let setpoint = 18.0 + 44.5 * load.powf(1.0 / 1.3) + 0.5 * 25.0 * load / 1.15 + LEVEL;
        let error = setpoint - read(plant, CircuitSignal::SupplyTemperature);
        self.integral = (self.integral + 0.012 / 60.0 * 5.0 * error).clamp(0.0, 1.0);
        self.errors.push(error);
        let pump = |output| Point::CirculationPumpOutput(c, PumpIndex(0), output);
        plant.command(pump(PumpOutput::Start), 1.0);
        plant.command(pump(PumpOutput::Speed), 0.9);
        plant.command(Point::CircuitOutput(c, CircuitOutput::ValvePosition), self.integral + 0.012 * error);

        let pressure = read(plant, CircuitSignal::ReturnPressure);
        let make_up = |output| Point::MakeUpPumpOutput(c, PumpIndex(0), output);
        if pressure < 275_000.0 {
            plant.command(make_up(PumpOutput::Start), 1.0);
            plant.command(make_up(PumpOutput::Speed), 1.0);
        } else if pressure > 300_000.0 {
            plant.command(make_up(PumpOutput::Start), 0.0);
        }
        plant.command(Point::CircuitOutput(c, CircuitOutput::ReliefOpen), if pressure > 360_000.0 { 1.0 } else { 0.0 });
        let level = read(plant, CircuitSignal::TankLevel);
        plant.command(Point::CircuitOutput(c, CircuitOutput::TankInletOpen), if level < 1.2 { 1.0 } else { 0.0 });
    }

    fn note(&mut self, plant: &Plant) {
        for (history, flat) in self.flats.iter_mut().zip(&plant.truth().circuits[0].flats) {
            history.push(flat.temperature.0);
        }
        self.outdoor.push(plant.truth().outdoor.0);
    }

    fn report(&self, plant: &Plant) {
        let truth = &plant.truth().circuits[0];
        let area: f64 = truth.flats.iter().map(|f| f.area_m2).sum();
        let means: Vec<f64> = self.flats.iter().map(|f| statistics(f).0).collect();
        let (mean, between) = statistics(&means);
        let within = self.flats.iter().map(|f| statistics(f).1).sum::<f64>() / self.flats.len() as f64;
        let (low, high) = means.iter().fold((f64::MAX, f64::MIN), |(l, h), &m| (l.min(m), h.max(m)));
        println!("outdoor mean {:.2} °C, coldest {:.1} °C", statistics(&self.outdoor).0, {
            self.outdoor.iter().copied().fold(f64::MAX, f64::min)
        });
        println!("rooms {mean:.2} °C; flat means: sd {between:.2} K, range {:.2} K ({low:.1}..{high:.1})", high - low);
        println!("within a flat, hourly: sd {within:.2} K");
        let heat = truth.heat_energy.0 / area;
        let seconds = (DAYS * 86_400) as f64;
        println!("heat {:.3} GJ/m², mean {:.1} W/m²", heat * 1e-9, heat / seconds);
        println!("pipes lost {:.1} %", 100.0 * truth.pipe_loss_energy.0 / truth.heat_energy.0);
        println!("pumps {:.2} kWh/m²", truth.pump_energy.0 / area / 3.6e6);
        println!(
            "make-up {:.1} kg/m², leak {:.1}, relief {:.1}",
            truth.make_up_volume.0 * 1000.0 / area,
            truth.leak_volume.0 * 1000.0 / area,
            truth.relief_volume.0 * 1000.0 / area
        );
        println!("valve {:.1} strokes a day", truth.valve_travel / DAYS as f64);
        println!("supply loop: sd {:.2} K", statistics(&self.errors).1);
    }
}

/// Shift of the textbook curve that brings the rooms to about 21 °C.
const LEVEL: f64 = 0.0;

fn statistics(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64).sqrt())
}
