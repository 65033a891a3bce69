//! The part of the table that comes from the points: one row for each kind of quantity, not for each point.

use std::borrow::Cow;

use heatstation_points::{
    BuildingSignal, Catalogue, CircuitSignal, Definition, Direction, Point, PumpSignal, StationSignal, Unit,
};

use super::super::{Kind, Labels, Number};
use super::{Table, seconds, whole};

type Row = ((&'static str, &'static str), Kind, &'static str);

const TEMPERATURE: Row = (("heatstation_temperature", "celsius"), Kind::Gauge, "Measured temperature.");
const PRESSURE: Row = (("heatstation_pressure", "pascals"), Kind::Gauge, "Measured pressure, gauge.");
const FLOW: Row = (("heatstation_flow", "cubic_meters_per_second"), Kind::Gauge, "Measured volume flow.");
const VOLUME: Row = (("heatstation_volume", "cubic_meters"), Kind::Counter, "Volume that a meter has counted.");
const HEAT_POWER: Row = (("heatstation_heat_power", "watts"), Kind::Gauge, "Measured heat.");
const HEAT_ENERGY: Row = (("heatstation_heat_energy", "joules"), Kind::Counter, "Heat that a meter has counted.");
const ELECTRIC_POWER: Row = (("heatstation_electric_power", "watts"), Kind::Gauge, "Measured electrical power.");
const ELECTRIC_ENERGY: Row =
    (("heatstation_electric_energy", "joules"), Kind::Counter, "Electrical energy that a meter has counted.");
const VALVE: Row = (("heatstation_valve_position", "ratio"), Kind::Gauge, "What a circuit's valve says of itself.");
const BUILDING_VALVE: Row =
    (("heatstation_building_valve_position", "ratio"), Kind::Gauge, "What a building's valve says of itself.");
const PUMP_RUNNING: Row = (("heatstation_pump_running", ""), Kind::Gauge, "1 while a pump runs.");
const PUMP_FAULT: Row = (("heatstation_pump_fault", ""), Kind::Gauge, "1 while a pump or its drive reports a fault.");
const PUMP_SPEED: Row = (("heatstation_pump_speed", "ratio"), Kind::Gauge, "A pump's speed as its drive says.");
const OPERATING_TIME: Row =
    (("heatstation_operating_time", "seconds"), Kind::Counter, "Running time that a device has counted.");
const SHARE: Row = (("heatstation_share", "ratio"), Kind::Gauge, "Other shares from 0 to 1.");
const SWITCH: Row = (("heatstation_switch_on", ""), Kind::Gauge, "Other switches: 1 on, 0 off.");
const FREQUENCY: Row = (("heatstation_frequency", "hertz"), Kind::Gauge, "Measured frequency.");
const CURRENT: Row = (("heatstation_current", "amperes"), Kind::Gauge, "Measured electrical current.");
const VOLTAGE: Row = (("heatstation_voltage", "volts"), Kind::Gauge, "Measured voltage.");
const LEVEL: Row = (("heatstation_level", "meters"), Kind::Gauge, "Measured level.");
const WIND: Row = (("heatstation_wind_speed", "meters_per_second"), Kind::Gauge, "Measured wind speed.");
const SUN: Row =
    (("heatstation_solar_irradiance", "watts_per_square_meter"), Kind::Gauge, "Measured solar irradiance.");
const DURATION: Row = (("heatstation_time", "seconds"), Kind::Gauge, "Other times that a device reports.");
const CODE: Row = (("heatstation_code", ""), Kind::Gauge, "A code or a count, as the device reports it.");

const ROWS: [Row; 24] = [
    TEMPERATURE,
    PRESSURE,
    FLOW,
    VOLUME,
    HEAT_POWER,
    HEAT_ENERGY,
    ELECTRIC_POWER,
    ELECTRIC_ENERGY,
    VALVE,
    BUILDING_VALVE,
    PUMP_RUNNING,
    PUMP_FAULT,
    PUMP_SPEED,
    OPERATING_TIME,
    SHARE,
    SWITCH,
    FREQUENCY,
    CURRENT,
    VOLTAGE,
    LEVEL,
    WIND,
    SUN,
    DURATION,
    CODE,
];

/// The row in which a point's value is exported; none for rooms.
fn row_of(definition: &Definition) -> Option<Row> {
    let row = match definition.point {
        Point::Circuit(_, CircuitSignal::ValvePositionFeedback) => VALVE,
        Point::Circuit(_, CircuitSignal::HeatPower)
        | Point::Station(StationSignal::PrimaryHeatPower)
        | Point::Building(_, _, BuildingSignal::HeatPower) => HEAT_POWER,
        Point::Circuit(_, CircuitSignal::HeatEnergy) | Point::Station(StationSignal::PrimaryHeatEnergy) => HEAT_ENERGY,
        Point::Station(StationSignal::ElectricityEnergy) => ELECTRIC_ENERGY,
        Point::Building(_, _, BuildingSignal::ValvePositionFeedback) => BUILDING_VALVE,
        Point::CirculationPump(_, _, signal) | Point::MakeUpPump(_, _, signal) => match signal {
            PumpSignal::Running => PUMP_RUNNING,
            PumpSignal::Fault => PUMP_FAULT,
            PumpSignal::SpeedFeedback => PUMP_SPEED,
            PumpSignal::OperatingTime => OPERATING_TIME,
            PumpSignal::Remote
            | PumpSignal::Current
            | PumpSignal::Power
            | PumpSignal::Temperature
            | PumpSignal::FaultCode => by_unit(definition.unit),
        },
        Point::Station(StationSignal::PrimaryMeterOperatingTime) => OPERATING_TIME,
        Point::Station(_) | Point::Circuit(..) | Point::Building(..) | Point::Auxiliary(_) => by_unit(definition.unit),
        Point::Room(..)
        | Point::CircuitOutput(..)
        | Point::CirculationPumpOutput(..)
        | Point::MakeUpPumpOutput(..)
        | Point::BuildingOutput(..) => return None,
    };
    Some(row)
}

const fn by_unit(unit: Unit) -> Row {
    match unit {
        Unit::Celsius => TEMPERATURE,
        Unit::Pascals => PRESSURE,
        Unit::CubicMetersPerSecond => FLOW,
        Unit::Watts => ELECTRIC_POWER,
        // Heat and electricity have rows of their own above; what is left is a site's own meter.
        Unit::Joules => HEAT_ENERGY,
        Unit::CubicMeters => VOLUME,
        Unit::Ratio => SHARE,
        Unit::Hertz => FREQUENCY,
        Unit::Amperes => CURRENT,
        Unit::Volts => VOLTAGE,
        Unit::Meters => LEVEL,
        Unit::MetersPerSecond => WIND,
        Unit::WattsPerSquareMeter => SUN,
        Unit::Seconds => DURATION,
        Unit::Switch => SWITCH,
        Unit::Number => CODE,
    }
}

/// The labels of a point beyond the station's: its circuit, its pump, and its name within them.
pub(super) fn labels_of(catalogue: &Catalogue, definition: &Definition) -> Labels {
    let circuit = match definition.point {
        Point::Station(_) | Point::Auxiliary(_) => None,
        Point::Circuit(circuit, _)
        | Point::CirculationPump(circuit, ..)
        | Point::MakeUpPump(circuit, ..)
        | Point::Building(circuit, ..)
        | Point::Room(circuit, ..)
        | Point::CircuitOutput(circuit, _)
        | Point::CirculationPumpOutput(circuit, ..)
        | Point::MakeUpPumpOutput(circuit, ..)
        | Point::BuildingOutput(circuit, ..) => catalogue.circuits().get(circuit.0),
    };
    let mut labels = Labels::new();
    let mut name = definition.name.as_str();
    if let Some(circuit) = circuit {
        labels.push(("circuit", Cow::Owned(circuit.name.clone())));
        let inside = name.strip_prefix("circuit.").and_then(|rest| rest.strip_prefix(circuit.name.as_str()));
        name = inside.and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    }
    let pump = match definition.point {
        Point::CirculationPump(_, pump, _) => Some(format!("circulation_pump.{}", pump.0 + 1)),
        Point::MakeUpPump(_, pump, _) => Some(format!("make_up_pump.{}", pump.0 + 1)),
        _ => None,
    };
    labels.extend(pump.map(|pump| ("pump", Cow::Owned(pump))));
    labels.push(("point", Cow::Owned(name.to_owned())));
    labels
}

/// Adds the families of all points that the station has.
pub(super) fn rows(table: &mut Table) {
    let mut values: Vec<Vec<(Labels, Number)>> = vec![Vec::new(); ROWS.len()];
    let (mut qualities, mut ages) = (Vec::new(), Vec::new());
    let catalogue = &table.snapshot.facts.catalogue;
    for (definition, reading) in catalogue.definitions().iter().zip(&table.snapshot.readings) {
        if definition.direction == Direction::Output || !reading.is_configured() {
            continue;
        }
        let Some(row) = row_of(definition).and_then(|row| ROWS.iter().position(|other| *other == row)) else {
            continue;
        };
        let labels = table.with(labels_of(catalogue, definition));
        if let Some(value) = reading.usable() {
            values[row].push((labels.clone(), Number::Real(value.number())));
        }
        if let Some(age) = reading.age() {
            ages.push((labels.clone(), seconds(age)));
        }
        for quality in ["good", "uncertain", "bad"] {
            let mut labels = labels.clone();
            labels.push(("quality", Cow::Borrowed(quality)));
            qualities.push((labels, whole(reading.quality().name() == quality)));
        }
    }
    for (&(name, kind, help), samples) in ROWS.iter().zip(values) {
        table.add(name, kind, help, samples);
    }
    let help = "1 for the quality of each point. A value of bad quality has no series of its own.";
    table.gauge(("heatstation_point_quality", ""), help, qualities);
    table.gauge(("heatstation_sample_age", "seconds"), "Since each value was asked for.", ages);
}
