//! The shared vocabulary of a heat-exchange station: quantities, points, readings with quality.
//!
//! Everything that crosses a wall of this house is said in these words. The crate depends on nothing of ours, so that
//! drivers, control and simulator can meet here without knowing each other.
//!
//! * [`quantity`]: a number with its unit as a type. Two temperatures never add.
//! * [`signal`]: the closed list of what a station can say and what can be said to it.
//! * [`point`]: one signal of one place in one station, and its stable text name.
//! * [`reading`]: what is known of a point now: good, uncertain with a reason, or bad with a reason.
//! * [`readings`]: one snapshot of all inputs of a station, by name instead of by number.

pub mod point;
pub mod quantity;
pub mod reading;
pub mod readings;
pub mod signal;

pub use point::{
    AuxiliaryIndex, AuxiliaryPoint, BuildingIndex, Catalogue, CircuitIndex, CircuitNames, Definition, Direction,
    DuplicateName, Point, PumpIndex, RoomIndex,
};
pub use quantity::{
    Amperes, Celsius, CubicMeters, CubicMetersPerSecond, Hertz, Joules, Kelvins, KilogramsPerSecond, Meters,
    MetersPerSecond, Number, Pascals, Quantity, Ratio, Seconds, Switch, Unit, Volts, Watts, WattsPerSquareMeter,
};
pub use reading::{Doubt, Fault, Quality, Reading, Sample, Value};
pub use readings::{BuildingReadings, CircuitReadings, PumpReadings, Readings, RoomReadings, StationReadings};
pub use signal::{
    BuildingOutput, BuildingSignal, CircuitOutput, CircuitSignal, Pace, PumpOutput, PumpSignal, RoomSignal,
    StationSignal,
};
