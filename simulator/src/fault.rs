//! What can go wrong with a station, to be injected and cleared at will.

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Point, PumpIndex, Ratio};
use serde::{Deserialize, Serialize};

/// Circulation or make-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PumpKind {
    /// Moves the heating water.
    Circulation,
    /// Tops it up.
    MakeUp,
}

/// One pump of the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PumpPlace {
    /// In which circuit.
    pub circuit: CircuitIndex,
    /// Which kind.
    pub kind: PumpKind,
    /// Which of them.
    pub pump: PumpIndex,
}

/// Something that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// The instrument gives nothing (wire broken).
    SensorLost(Point),
    /// It shows for ever what it showed at the moment of injection.
    SensorStuck(Point),
    /// It shows this much too much, in the unit of the point.
    SensorBias(Point, f64),
    /// It shows this, whatever is true, in the unit of the point (a short, a wrong range).
    SensorShows(Point, f64),
    /// The drive has tripped: fault contact closed, fault code 16 (over-current).
    PumpTrip(PumpPlace),
    /// The pump accepts its start command and does not run.
    PumpDead(PumpPlace),
    /// Its selector stands on local: it goes on as it was and obeys nobody.
    PumpLocal(PumpPlace),
    /// The primary supply goes to this temperature.
    PrimaryCold(Celsius),
    /// This share of the primary differential pressure is left.
    PrimaryPressureLost(Ratio),
    /// The control valve's gear is jammed.
    ValveStuck(CircuitIndex),
    /// This much more play in the control valve, of its stroke.
    ValveStiction(CircuitIndex, Ratio),
    /// The control valve's selector stands on local.
    ValveLocal(CircuitIndex),
    /// A hole that loses this at normal pressure: m³/s; 5 to 50 m³/h is a burst.
    Leak(CircuitIndex, f64),
    /// The relief solenoid does not close.
    ReliefStuckOpen(CircuitIndex),
    /// The exchanger has lost this much more, as a share of its clean resistance.
    ExchangerFouled(CircuitIndex, Ratio),
    /// This share of the circuit's flats has shut its emitters.
    FlatsClosed(CircuitIndex, Ratio),
    /// No mains: pumps stop, meters on battery, PLC on its UPS.
    MainsFailure,
    /// The button is pressed: hard-wired, all pumps stop.
    EmergencyStop,
    /// The station's selector stands on local.
    LocalSelected,
    /// Water on the floor.
    Flooded,
    /// The outdoor sensor hangs in the sun: too warm by this at 1000 W/m².
    OutdoorSensorInSun(Kelvins),
}

/// Where a fault sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Station,
    Circuit(CircuitIndex),
    Pump(PumpPlace),
    Instrument(Point),
}

impl Fault {
    /// Whether two faults are of the same kind at the same place: the later one replaces the earlier.
    pub fn is_same_place(&self, other: &Fault) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.place() == other.place()
    }

    fn place(&self) -> Place {
        match *self {
            Fault::SensorLost(p) | Fault::SensorStuck(p) | Fault::SensorBias(p, _) | Fault::SensorShows(p, _) => {
                Place::Instrument(p)
            }
            Fault::PumpTrip(p) | Fault::PumpDead(p) | Fault::PumpLocal(p) => Place::Pump(p),
            Fault::ValveStuck(c)
            | Fault::ValveLocal(c)
            | Fault::ReliefStuckOpen(c)
            | Fault::ValveStiction(c, _)
            | Fault::Leak(c, _)
            | Fault::ExchangerFouled(c, _)
            | Fault::FlatsClosed(c, _) => Place::Circuit(c),
            Fault::PrimaryCold(_)
            | Fault::PrimaryPressureLost(_)
            | Fault::MainsFailure
            | Fault::EmergencyStop
            | Fault::LocalSelected
            | Fault::Flooded
            | Fault::OutdoorSensorInSun(_) => Place::Station,
        }
    }
}

/// What a fault does to one instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SensorTrouble {
    Lost,
    Shows(Option<f64>),
    Bias(f64),
}

/// All active faults, and what they do to instruments.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBoard {
    active: Vec<Fault>,
    sensors: Vec<(Fault, Point, SensorTrouble)>,
}

impl FaultBoard {
    pub fn active(&self) -> &[Fault] {
        &self.active
    }

    /// Adds or replaces a fault; `shown` is what the instrument of a [`Fault::SensorStuck`] shows now.
    pub fn inject(&mut self, fault: Fault, shown: Option<f64>) {
        self.clear(&fault);
        self.active.push(fault);
        let trouble = match fault {
            Fault::SensorLost(point) => (point, SensorTrouble::Lost),
            Fault::SensorStuck(point) => (point, SensorTrouble::Shows(shown)),
            Fault::SensorShows(point, value) => (point, SensorTrouble::Shows(Some(value))),
            Fault::SensorBias(point, bias) => (point, SensorTrouble::Bias(bias)),
            _ => return,
        };
        self.sensors.push((fault, trouble.0, trouble.1));
    }

    pub fn clear(&mut self, fault: &Fault) {
        self.active.retain(|active| !active.is_same_place(fault));
        self.sensors.retain(|(cause, ..)| !cause.is_same_place(fault));
    }

    /// What an instrument shows under its faults.
    pub fn shown(&self, point: Point, value: Option<f64>) -> Option<f64> {
        let mut value = value;
        for (_, _, trouble) in self.sensors.iter().filter(|(_, p, _)| *p == point) {
            value = match trouble {
                SensorTrouble::Lost => return None,
                SensorTrouble::Shows(shown) => *shown,
                SensorTrouble::Bias(bias) => value.map(|v| v + bias),
            };
        }
        value
    }
}
