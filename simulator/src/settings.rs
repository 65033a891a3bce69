//! What a simulated station is made of.
//!
//! [`CircuitPlantSettings::typical`] sizes everything from a handful of numbers by the rules of the trade; every single
//! number can be changed afterwards. All randomness of a plant (which flat is leaky, which sensor is off) comes from the
//! seed given to [`Plant::new`](crate::Plant::new), not from here, except where the room sensors hang.

mod circuit;
mod hot_water;
mod instruments;
mod primary;
mod typical;

use heatstation_points::{Catalogue, Celsius, CircuitNames, DuplicateName};
use serde::{Deserialize, Serialize};

pub use circuit::{
    BuildingClass, BuildingSettings, CircuitPlantSettings, CirculationSettings, DesignTemperatures, Emitter,
    MakeUpSettings, RoomSensorSettings, ValveSettings, WithoutPower,
};
pub use hot_water::{HotWaterSettings, HotWaterStages};
pub use instruments::{InstrumentSettings, PlatinumClass};
pub use primary::PrimarySettings;
pub use typical::Outline;

/// A station: its circuits, and the primary network that they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationPlantSettings {
    /// The circuits (机组), 1 or more.
    pub circuits: Vec<CircuitPlantSettings>,
    /// The network that brings the heat.
    pub primary: PrimarySettings,
    /// How good its instruments are.
    pub instruments: InstrumentSettings,
    /// Local standard time ahead of UTC: hours. People get up and cook by it.
    pub time_zone_hours: f64,
    /// Where the plant stands when it is switched on.
    pub initial: InitialState,
}

impl StationPlantSettings {
    /// A station of these circuits on a network that suits the first of them, in China, at 0 °C with the pumps off.
    ///
    /// # Panics
    /// If there is no circuit.
    pub fn of(circuits: Vec<CircuitPlantSettings>) -> StationPlantSettings {
        let design = circuits.first().expect("a station has at least one circuit").design;
        StationPlantSettings {
            circuits,
            primary: PrimarySettings::typical(&design),
            instruments: InstrumentSettings::default(),
            time_zone_hours: 8.0,
            initial: InitialState { outdoor: Celsius(0.0), room: Celsius(20.0), circulation: Circulation::Stopped },
        }
    }

    /// The points of this station, as the plant numbers them.
    ///
    /// # Errors
    /// If two circuits, buildings or rooms have the same name.
    pub fn catalogue(&self) -> Result<Catalogue, DuplicateName> {
        let circuits = self
            .circuits
            .iter()
            .map(|circuit| CircuitNames {
                name: circuit.name.clone(),
                circulation_pumps: circuit.circulation.pumps,
                make_up_pumps: circuit.make_up.pumps,
                buildings: circuit.buildings.iter().map(|b| b.name.clone()).collect(),
                rooms: circuit.rooms.iter().map(|r| r.name.clone()).collect(),
            })
            .collect();
        Catalogue::new(circuits, Vec::new())
    }
}

/// Where the plant stands at its first second: everything warm and in balance with this outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialState {
    /// The weather of the days before.
    pub outdoor: Celsius,
    /// The rooms, on average. At most a few kelvins above `outdoor` for a season's first day, about 20 °C within it.
    pub room: Celsius,
    /// Whether the first circulation pump runs and the valve stands where it belongs.
    pub circulation: Circulation,
}

/// Whether heating is going on at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Circulation {
    /// Pumps off, valve closed; the water is at room temperature.
    Stopped,
    /// Duty pumps at 45 Hz, valve open as far as the weather asks.
    Running,
}
