//! What the members of the family are like: a month of winter under the textbook's curve.
//!
//! `cargo run --release -p heatstation-simulator --example family -- [seed] [days]`
#![allow(clippy::print_stdout, reason = "an example that measures has to say what it measured")]

use std::time::Duration;

use heatstation_points::{CircuitIndex, CircuitOutput, Point, PumpIndex, PumpOutput};
use heatstation_simulator::family::{FamilyEmitter, Member};
use heatstation_simulator::{Plant, StochasticWeather, WeatherSource};

const C: CircuitIndex = CircuitIndex(0);
/// 2026-12-26 00:00 in China.
const BEGIN: i64 = 1_798_214_400;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a whole number"));
    let (seed, days) = (arguments.next().unwrap_or(1), arguments.next().unwrap_or(30));
    println!(
        "{:30} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}",
        "member", "out", "room", "sd", "range", "hourly", "W/m2", "supply", "return", "us"
    );
    for member in Member::all(seed) {
        month(member, days);
    }
}

/// The supply by the book, for rooms of 20 °C with 5 W/m² of gains.
fn curve(member: Member, outdoor: f64, load: f64) -> f64 {
    let design = member.climate.design_outdoor().0;
    let q = (load * (20.0 - outdoor - 4.0) / (18.0 - design)).max(0.05);
    match member.emitter {
        FamilyEmitter::Radiator => 20.0 + 44.5 * q.powf(1.0 / 1.3) + 8.0 * q,
        FamilyEmitter::Floor => 20.0 + 22.0 * q + 3.0 * q,
    }
}

fn month(member: Member, days: u64) {
    let mut weather = StochasticWeather::new(member.seed, member.weather_climate());
    let settings = member.plant(weather.at(BEGIN).outdoor);
    // The book does not know how much larger the emitters are; whoever set the curve has found it out.
    let load = 1.0 / settings.circuits[0].emitter_oversize;
    let mut plant = Plant::new(&settings, member.seed);
    let pump = |output| Point::CirculationPumpOutput(C, PumpIndex(0), output);
    plant.command(pump(PumpOutput::Start), 1.0);
    plant.command(pump(PumpOutput::Speed), 0.9);
    let mut smooth = weather.at(BEGIN).outdoor.0;
    let mut position = plant.truth().circuits[0].valve_stem.0;
    let mut flats: Vec<Vec<f64>> = vec![Vec::new(); plant.truth().circuits[0].flats.len()];
    let (mut outdoor_sum, mut supply_sum, mut return_sum) = (0.0, 0.0, 0.0);
    let began = std::time::Instant::now();
    let seconds = days * 86_400;
    for second in 1..=seconds {
        let now = BEGIN + second as i64;
        let weather = weather.at(now);
        smooth += (weather.outdoor.0 - smooth) / 7200.0;
        let truth = &plant.truth().circuits[0];
        let error = curve(member, smooth, load) - truth.supply.0;
        position = (position + 4e-5 * error).clamp(0.0, 1.0);
        let command = position + 0.004 * error;
        outdoor_sum += weather.outdoor.0;
        (supply_sum, return_sum) = (supply_sum + truth.supply.0, return_sum + truth.return_.0);
        plant.command(Point::CircuitOutput(C, CircuitOutput::ValvePosition), command);
        hold_pressure(&mut plant, settings.circuits[0].make_up.filled_to.0);
        plant.step(Duration::from_secs(1), now, &weather);
        if second % 3600 == 0 {
            for (flat, history) in plant.truth().circuits[0].flats.iter().zip(&mut flats) {
                if !flat.shut {
                    history.push(flat.temperature.0);
                }
            }
        }
    }
    let micros = began.elapsed().as_secs_f64() * 1e6 / seconds as f64;
    flats.retain(|history| !history.is_empty());
    let means: Vec<f64> = flats.iter().map(|history| statistics(history).0).collect();
    let (mean, between) = statistics(&means);
    let within = flats.iter().map(|history| statistics(history).1).sum::<f64>() / flats.len() as f64;
    let (low, high) = means.iter().fold((f64::MAX, f64::MIN), |(low, high), &mean| (low.min(mean), high.max(mean)));
    let heat = plant.truth().circuits[0].heat_energy.0 / settings.circuits[0].heated_area_m2 / seconds as f64;
    let over = |sum: f64| sum / seconds as f64;
    println!(
        "{:30} {:6.1} {mean:6.2} {between:6.2} {:6.2} {within:6.2} {heat:6.1} {:6.1} {:6.1} {micros:6.2}",
        member.name(),
        over(outdoor_sum),
        high - low,
        over(supply_sum),
        over(return_sum),
    );
}

/// Two points and a relief valve, or the loop would run dry within the month.
fn hold_pressure(plant: &mut Plant, wanted: f64) {
    let pressure = plant.truth().circuits[0].holding_pressure.0;
    let make_up = |output| Point::MakeUpPumpOutput(C, PumpIndex(0), output);
    if pressure < wanted - 20_000.0 {
        plant.command(make_up(PumpOutput::Start), 1.0);
        plant.command(make_up(PumpOutput::Speed), 1.0);
    } else if pressure > wanted {
        plant.command(make_up(PumpOutput::Start), 0.0);
    }
    let above = f64::from(u8::from(pressure > wanted + 60_000.0));
    plant.command(Point::CircuitOutput(C, CircuitOutput::ReliefOpen), above);
    let low = f64::from(u8::from(plant.truth().circuits[0].tank_level.0 < 1.2));
    plant.command(Point::CircuitOutput(C, CircuitOutput::TankInletOpen), low);
}

fn statistics(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64).sqrt())
}
