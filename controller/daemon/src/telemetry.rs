//! What the history records: every point that is read, every command, and the setpoints.

use std::time::Duration;

use heatstation_core::{Report, Settings};
use heatstation_points::{Catalogue, Direction, Point, Reading, Unit, Value};

use crate::clock::stamp;
use crate::store::{HistoryPoint, HistoryRow, Layout};

/// Where the values of a row come from, in the order of its layout.
#[derive(Clone, Copy, Debug)]
enum Source {
    Slot(usize),
    Command(Point),
    SupplySetpoint(usize),
}

/// Makes one row every interval.
#[derive(Debug)]
pub struct Telemetry {
    layout: Layout,
    sources: Vec<Source>,
    interval: Duration,
    last: Option<Duration>,
}

impl Telemetry {
    /// Telemetry of the points that are read, of all commands and of the setpoints.
    pub fn new(settings: &Settings, catalogue: &Catalogue, read: &[Point], interval: Duration) -> Telemetry {
        let mut points = Vec::new();
        let mut sources = Vec::new();
        for (slot, definition) in catalogue.definitions().iter().enumerate() {
            let source = match definition.direction {
                Direction::Input if read.contains(&definition.point) => Source::Slot(slot),
                Direction::Output if read.contains(&definition.point) => Source::Command(definition.point),
                Direction::Input | Direction::Output => continue,
            };
            points.push(HistoryPoint { name: definition.name.clone(), resolution: resolution(definition.unit) });
            sources.push(source);
        }
        for (number, circuit) in settings.circuits.iter().enumerate() {
            let name = format!("circuit.{}.secondary_supply.temperature_setpoint", circuit.name);
            points.push(HistoryPoint { name, resolution: resolution(Unit::Celsius) });
            sources.push(Source::SupplySetpoint(number));
        }
        Telemetry { layout: Layout::new(points), sources, interval, last: None }
    }

    /// The row of this cycle, if one is due. What is bad is missing, never zero.
    pub fn row(&mut self, report: &Report, by_slot: &[Reading<Value>]) -> Option<HistoryRow> {
        let now = report.moment.monotonic;
        if self.last.is_some_and(|last| now.saturating_sub(last) < self.interval) {
            return None;
        }
        self.last = Some(now);
        let commands: Vec<(Point, f64)> = report
            .circuits
            .iter()
            .filter_map(|circuit| circuit.commands.as_ref().map(|commands| commands.points(circuit.circuit)))
            .flatten()
            .collect();
        let value = |source: &Source| match *source {
            Source::Slot(slot) => by_slot.get(slot).and_then(|reading| reading.usable()).map(Value::number),
            Source::Command(point) => commands.iter().find(|(p, _)| *p == point).map(|(_, number)| *number),
            Source::SupplySetpoint(circuit) => report.circuits.get(circuit).map(|c| c.setpoint.value.0),
        };
        let values = self.sources.iter().map(value).collect();
        Some(HistoryRow {
            layout: self.layout.clone(),
            wall_milliseconds: stamp(&report.moment).wall_milliseconds,
            values,
        })
    }
}

/// The step in which a unit's values are kept: finer than any sensor of a heating station resolves, coarse enough to
/// compress.
const fn resolution(unit: Unit) -> f64 {
    match unit {
        Unit::Celsius | Unit::Amperes | Unit::Volts | Unit::MetersPerSecond => 0.01,
        Unit::Hertz | Unit::Meters | Unit::CubicMeters => 0.001,
        Unit::Pascals | Unit::Watts => 10.0,
        Unit::CubicMetersPerSecond => 1e-6,
        Unit::Ratio => 1e-4,
        Unit::Joules => 1e5,
        Unit::WattsPerSquareMeter | Unit::Seconds | Unit::Switch | Unit::Number => 1.0,
    }
}
