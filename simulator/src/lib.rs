//! The plant: a physical simulator of a district-heating heat-exchange station.
//!
//! A [`Plant`] is stepped second by second under some [`Weather`]. It takes commands as they stand on the wire and says
//! what its instruments say; what is really so stands in its [`Truth`], which is for judges and tests alone. A season of
//! 121 days at one-second steps takes seconds. It shares no code with the controller: a simulator that shares code shares
//! its mistakes.
//!
//! ```
//! use std::time::Duration;
//! use heatstation_points::{Celsius, CircuitIndex, CircuitOutput, CircuitSignal, Point};
//! use heatstation_simulator::demonstration;
//! use heatstation_simulator::{Climate, Fault, Plant, StochasticWeather, WeatherSource};
//!
//! let mut plant = Plant::new(&demonstration(Celsius(0.0), 1), 1);
//! let mut weather = StochasticWeather::new(1, Climate::SHANDONG);
//! let supply = Point::Circuit(CircuitIndex(0), CircuitSignal::SupplyTemperature);
//!
//! let midnight = 1_794_672_000; // 2026-11-15 in China
//! plant.command(Point::CircuitOutput(CircuitIndex(0), CircuitOutput::ValvePosition), 0.7);
//! for now in midnight + 1..=midnight + 600 {
//!     plant.step(Duration::from_secs(1), now, &weather.at(now));
//! }
//! assert!(plant.sample(supply).is_some_and(|celsius| celsius > 45.0));
//! plant.inject(Fault::SensorLost(supply));
//! assert_eq!(plant.sample(supply), None);
//! ```
//!
//! # What is in it
//!
//! * Primary network ([`settings::PrimarySettings`]): supply temperature over the weather of the last hours, pressure with
//!   noise, daily swing and the station's own draw. All circuits share it.
//! * For each circuit its own control valve, plate exchanger, 1 to 3 circulation pumps, near-to-far network with plug flow
//!   and heat loss, buildings of several flats each, make-up with tank and relief, room sensors, hot water as an option.
//! * Instruments with lag, noise, own error and steps, ten ways to fail; meters with telegrams; drives with run-up and
//!   trips; contacts.
//! * [`Fault`]s to inject and clear, a [`timetable`] that does so by the clock.
//! * On the wire: a station PLC ([`modbus_server`]) whose manual is `REGISTERS.md`, and a [`paced`] runner behind it.
//!
//! # What it keeps promised
//!
//! Same settings, seed, weather, commands and faults give the same values bit for bit; sampling changes nothing. `step`
//! does not allocate. Points are numbered as [`StationPlantSettings::catalogue`] numbers them.
//!
//! # What it does not do
//!
//! Water hammer and air in the pipes; gravity circulation with pumps off (spring-loaded check valves hold it back);
//! a storage tank for hot water; a return of heat from secondary to primary through the network's own pipes. Density and heat
//! capacity of water are those of 55 °C everywhere.

mod demonstration;
pub mod family;
pub mod fault;
pub mod image;
pub mod modbus_server;
pub mod paced;
pub mod plant;
pub mod registers;
pub mod settings;
pub mod timetable;
pub mod truth;
pub mod weather;
pub mod wire;

mod building;
mod circuit;
mod exchanger;
mod fault_board;
mod hot_water;
mod hydraulics;
mod instruments;
mod noise;
mod pipe;
mod pressure;
mod primary;
mod pump;
mod rooms;
mod valve;

pub use demonstration::demonstration;
pub use fault::{Fault, PumpKind, PumpPlace, SensorFailure};
pub use plant::Plant;
pub use settings::{
    BuildingClass, CircuitPlantSettings, Circulation, DesignTemperatures, Emitter, HotWaterSettings, HotWaterStages,
    InitialState, InstrumentSettings, Outline, PlatinumClass, PrimarySettings, StationPlantSettings,
};
pub use truth::{BuildingTruth, CircuitTruth, FlatTruth, Truth};
pub use weather::{Climate, EpwError, EpwWeather, StochasticWeather, Weather, WeatherSource};
