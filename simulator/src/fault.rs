//! What can go wrong with a station, to be injected and cleared at will.

use heatstation_points::{
    BuildingIndex, Celsius, CircuitIndex, Kelvins, Point, PumpIndex, Ratio, Seconds, StationSignal,
};
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

/// The ten ways in which an instrument fails (eight of PX4's failure injection, and drift, spikes and swapped wires).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SensorFailure {
    /// It gives nothing.
    Off,
    /// It shows for ever what it showed last.
    Stuck,
    /// It shows nonsense, another at each second.
    Garbage,
    /// It shows something plausible that is not so.
    Wrong,
    /// It follows too slowly.
    Slow,
    /// It shows what was so some time ago.
    Delayed,
    /// It comes and goes.
    Intermittent,
    /// It goes wrong little by little.
    Drift,
    /// It jumps for a second now and then.
    Spike,
    /// Its wires and another instrument's are swapped.
    Swap,
}

impl SensorFailure {
    /// All ten.
    pub const ALL: [SensorFailure; 10] = [
        SensorFailure::Off,
        SensorFailure::Stuck,
        SensorFailure::Garbage,
        SensorFailure::Wrong,
        SensorFailure::Slow,
        SensorFailure::Delayed,
        SensorFailure::Intermittent,
        SensorFailure::Drift,
        SensorFailure::Spike,
        SensorFailure::Swap,
    ];
}

/// Something that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// The instrument gives nothing (wire broken).
    SensorLost(Point),
    /// It shows for ever what it showed at the moment of injection.
    SensorStuck(Point),
    /// It shows nonsense, another at each second: what a broken converter or a wrong register gives.
    SensorGarbage(Point),
    /// It shows this much too much, in the unit of the point.
    SensorBias(Point, f64),
    /// It shows this, whatever is true, in the unit of the point (a short, a wrong range).
    SensorShows(Point, f64),
    /// It follows with this time constant on top of its own (a pocket without paste, a clogged impulse line).
    SensorSlow(Point, Seconds),
    /// It shows what was so this long ago, at most an hour (a gateway that queues).
    SensorDelayed(Point, Seconds),
    /// This share of the time it gives nothing, ten seconds at a time (a loose terminal).
    SensorIntermittent(Point, Ratio),
    /// It goes wrong by this much a day, in the unit of the point.
    SensorDrift(Point, f64),
    /// About once a minute it is this much off for a second, up or down, in the unit of the point.
    SensorSpike(Point, f64),
    /// It shows what the other one measures, and the other way round.
    SensorSwapped(Point, Point),
    /// The drive has tripped: fault contact closed, fault code 16 (over-current).
    PumpTrip(PumpPlace),
    /// The pump accepts its start command and does not run.
    PumpDead(PumpPlace),
    /// The drive says that it runs and no water moves: a broken coupling, a shut valve, air.
    PumpWithoutFlow(PumpPlace),
    /// The drive goes no faster than this share of its full speed, whatever is commanded.
    PumpCapped(PumpPlace, Ratio),
    /// Its selector stands on local: it goes on as it was and obeys nobody.
    PumpLocal(PumpPlace),
    /// The primary supply goes to this temperature.
    PrimaryCold(Celsius),
    /// This share of the primary differential pressure is left.
    PrimaryPressureLost(Ratio),
    /// The network's limiter at the connection lets no more through than this share of the station's design flow.
    PrimaryFlowLimited(Ratio),
    /// The control valve's gear is jammed.
    ValveStuck(CircuitIndex),
    /// This much more play in the control valve, of its stroke.
    ValveStiction(CircuitIndex, Ratio),
    /// The control valve's seat is worn: shut, it passes this share of the open valve's flow.
    ValveLeaks(CircuitIndex, Ratio),
    /// The control valve's selector stands on local.
    ValveLocal(CircuitIndex),
    /// A building's valve is jammed.
    BuildingValveStuck(CircuitIndex, BuildingIndex),
    /// A hole that loses this at normal pressure: m³/s; 5 to 50 m³/h is a burst.
    Leak(CircuitIndex, f64),
    /// The relief solenoid does not close.
    ReliefStuckOpen(CircuitIndex),
    /// No tap water comes into the make-up tank.
    TapWaterLost(CircuitIndex),
    /// The exchanger has lost this much more, as a share of its clean resistance.
    ExchangerFouled(CircuitIndex, Ratio),
    /// Strainer and exchanger take this much more pressure than clean, as a share.
    StrainerClogged(CircuitIndex, Ratio),
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
    Building(CircuitIndex, BuildingIndex),
    Pump(PumpPlace),
    Instrument(Point),
}

impl Fault {
    /// Whether two faults are of the same kind at the same place: the later one replaces the earlier.
    pub fn is_same_place(&self, other: &Fault) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.place() == other.place()
    }

    /// In which of the ten ways an instrument fails by it; none if it is no instrument's.
    pub fn sensor_failure(&self) -> Option<SensorFailure> {
        match self {
            Fault::SensorLost(_) => Some(SensorFailure::Off),
            Fault::SensorStuck(_) => Some(SensorFailure::Stuck),
            Fault::SensorGarbage(_) => Some(SensorFailure::Garbage),
            Fault::SensorBias(..) | Fault::SensorShows(..) | Fault::OutdoorSensorInSun(_) => Some(SensorFailure::Wrong),
            Fault::SensorSlow(..) => Some(SensorFailure::Slow),
            Fault::SensorDelayed(..) => Some(SensorFailure::Delayed),
            Fault::SensorIntermittent(..) => Some(SensorFailure::Intermittent),
            Fault::SensorDrift(..) => Some(SensorFailure::Drift),
            Fault::SensorSpike(..) => Some(SensorFailure::Spike),
            Fault::SensorSwapped(..) => Some(SensorFailure::Swap),
            Fault::PumpTrip(_)
            | Fault::PumpDead(_)
            | Fault::PumpWithoutFlow(_)
            | Fault::PumpCapped(..)
            | Fault::PumpLocal(_)
            | Fault::PrimaryCold(_)
            | Fault::PrimaryPressureLost(_)
            | Fault::PrimaryFlowLimited(_)
            | Fault::ValveStuck(_)
            | Fault::ValveStiction(..)
            | Fault::ValveLeaks(..)
            | Fault::ValveLocal(_)
            | Fault::BuildingValveStuck(..)
            | Fault::Leak(..)
            | Fault::ReliefStuckOpen(_)
            | Fault::TapWaterLost(_)
            | Fault::ExchangerFouled(..)
            | Fault::StrainerClogged(..)
            | Fault::FlatsClosed(..)
            | Fault::MainsFailure
            | Fault::EmergencyStop
            | Fault::LocalSelected
            | Fault::Flooded => None,
        }
    }

    /// The instruments that do not say what is so under this fault: at most two.
    pub fn lying(&self) -> [Option<Point>; 2] {
        match *self {
            Fault::SensorSwapped(one, other) => [Some(one), Some(other)],
            Fault::OutdoorSensorInSun(_) => [Some(Point::Station(StationSignal::OutdoorTemperature)), None],
            _ => match self.place() {
                Place::Instrument(point) => [Some(point), None],
                Place::Station | Place::Circuit(_) | Place::Building(..) | Place::Pump(_) => [None, None],
            },
        }
    }

    fn place(&self) -> Place {
        match *self {
            Fault::SensorLost(p)
            | Fault::SensorStuck(p)
            | Fault::SensorGarbage(p)
            | Fault::SensorBias(p, _)
            | Fault::SensorShows(p, _)
            | Fault::SensorSlow(p, _)
            | Fault::SensorDelayed(p, _)
            | Fault::SensorIntermittent(p, _)
            | Fault::SensorDrift(p, _)
            | Fault::SensorSpike(p, _)
            | Fault::SensorSwapped(p, _) => Place::Instrument(p),
            Fault::PumpTrip(p)
            | Fault::PumpDead(p)
            | Fault::PumpWithoutFlow(p)
            | Fault::PumpCapped(p, _)
            | Fault::PumpLocal(p) => Place::Pump(p),
            Fault::BuildingValveStuck(c, b) => Place::Building(c, b),
            Fault::ValveStuck(c)
            | Fault::ValveLocal(c)
            | Fault::ReliefStuckOpen(c)
            | Fault::TapWaterLost(c)
            | Fault::ValveStiction(c, _)
            | Fault::ValveLeaks(c, _)
            | Fault::Leak(c, _)
            | Fault::ExchangerFouled(c, _)
            | Fault::StrainerClogged(c, _)
            | Fault::FlatsClosed(c, _) => Place::Circuit(c),
            Fault::PrimaryCold(_)
            | Fault::PrimaryPressureLost(_)
            | Fault::PrimaryFlowLimited(_)
            | Fault::MainsFailure
            | Fault::EmergencyStop
            | Fault::LocalSelected
            | Fault::Flooded
            | Fault::OutdoorSensorInSun(_) => Place::Station,
        }
    }
}
