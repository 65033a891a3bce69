//! The plant: a physical simulator of a district-heating heat-exchange station, with its devices' wire on demand.

pub mod fault;
pub mod plant;
pub mod registers;
pub mod settings;
pub mod truth;
pub mod weather;

mod building;
mod circuit;
mod exchanger;
mod hydraulics;
mod instruments;
mod noise;
mod pipe;
mod pressure;
mod primary;
mod pump;
mod rooms;
mod valve;

pub use fault::{Fault, PumpKind, PumpPlace};
pub use plant::Plant;
pub use settings::{
    BuildingClass, Circulation, CircuitPlantSettings, DesignTemperatures, Emitter, InitialState, Outline,
    PrimarySettings, StationPlantSettings,
};
pub use truth::{BuildingTruth, CircuitTruth, FlatTruth, Truth};
pub use weather::{Climate, EpwError, EpwWeather, StochasticWeather, Weather, WeatherSource};
