//! A plant to test, and a controller crude enough to be trusted: it shares nothing with the real one.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, CircuitOutput, CircuitSignal, Point, PumpIndex, PumpOutput};
use heatstation_simulator::demonstration;
use heatstation_simulator::{Plant, Weather};

pub const C: CircuitIndex = CircuitIndex(0);
/// 2027-01-10 00:00 in China.
pub const JANUARY: i64 = 1_799_510_400;
pub const SECOND: Duration = Duration::from_secs(1);

pub fn plant(outdoor: f64) -> Plant {
    Plant::new(&demonstration(Celsius(outdoor), 1), 1)
}

pub fn input(plant: &Plant, signal: CircuitSignal) -> f64 {
    plant.sample(Point::Circuit(C, signal)).unwrap()
}

pub fn pump(plant: &mut Plant, number: usize, start: f64, speed: f64) {
    plant.command(Point::CirculationPumpOutput(C, PumpIndex(number), PumpOutput::Start), start);
    plant.command(Point::CirculationPumpOutput(C, PumpIndex(number), PumpOutput::Speed), speed);
}

pub fn make_up(plant: &mut Plant, start: f64) {
    plant.command(Point::MakeUpPumpOutput(C, PumpIndex(0), PumpOutput::Start), start);
    plant.command(Point::MakeUpPumpOutput(C, PumpIndex(0), PumpOutput::Speed), 1.0);
}

pub fn valve(plant: &mut Plant, position: f64) {
    plant.command(Point::CircuitOutput(C, CircuitOutput::ValvePosition), position);
}

/// Lets seconds pass under steady weather, at noon for ever.
pub fn wait(plant: &mut Plant, seconds: usize, outdoor: f64) {
    for _ in 0..seconds {
        plant.step(SECOND, JANUARY + 12 * 3600, &Weather::still(Celsius(outdoor)));
    }
}

/// Holds a supply temperature with an integrating valve, and the pressure with a two-point make-up.
pub struct Hold {
    position: f64,
}

impl Hold {
    pub fn new(plant: &Plant) -> Hold {
        Hold { position: plant.sample(Point::CircuitOutput(C, CircuitOutput::ValvePosition)).unwrap() }
    }

    /// To be called every second.
    pub fn supply(&mut self, plant: &mut Plant, setpoint: f64) {
        let error = setpoint - input(plant, CircuitSignal::SupplyTemperature);
        self.position = (self.position + 0.0002 * error).clamp(0.0, 1.0);
        valve(plant, self.position + 0.012 * error);

        let pressure = input(plant, CircuitSignal::ReturnPressure);
        if pressure < 275_000.0 {
            make_up(plant, 1.0);
        } else if pressure > 300_000.0 {
            make_up(plant, 0.0);
        }
        let open = if pressure > 360_000.0 { 1.0 } else { 0.0 };
        plant.command(Point::CircuitOutput(C, CircuitOutput::ReliefOpen), open);
        let filling = if input(plant, CircuitSignal::TankLevel) < 1.2 { 1.0 } else { 0.0 };
        plant.command(Point::CircuitOutput(C, CircuitOutput::TankInletOpen), filling);
    }
}

/// The textbook curve of 75/50 °C radiators at −9 °C, for rooms of 18 °C with gains on top.
pub fn curve(outdoor: f64) -> f64 {
    let load = ((18.0 - outdoor) / 27.0).max(0.05);
    18.0 + 44.5 * load.powf(1.0 / 1.3) + 0.5 * 25.0 * load / 1.15
}
