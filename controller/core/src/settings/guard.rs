//! Interlocks, frost protection, detection of outages.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

/// Interlocks of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterlockSettings {
    /// Above this supply temperature the valve closes.
    pub supply_trip: Celsius,
    /// It may open again this far below.
    pub supply_reset: Kelvins,
    /// How long the supply must be too hot. Together with reading and writing it stays inside 5 s.
    pub supply_trip_delay: Duration,
    /// How long circulation may be unproven before the valve closes.
    pub circulation_delay: Duration,
    /// How long circulation must be proven before the valve may open again.
    pub circulation_reset: Duration,
    /// Below this pressure at the holding point the circulation pumps stop: vapour and cavitation.
    pub pressure_protect: Pascals,
    /// From this pressure on they may start again.
    pub pressure_restart: Pascals,
    /// How long the pressure must be too low.
    pub pressure_delay: Duration,
    /// How long mains power must be back before anything starts; this station's own wait comes on top.
    pub mains_return: Duration,
    /// Above this supply pressure make-up stops and, latched, circulation and heat with it.
    pub pressure_trip: Pascals,
    /// How long a bad supply sensor is bridged by holding the valve.
    pub sensor_hold: Duration,
    /// How long it may be bridged by a substitute after that.
    pub sensor_substitute: Duration,
    /// Where the valve goes when the supply is unknown and it is cold outside. Samson: 0.3; Siemens: 0.
    pub valve_safe_cold: Ratio,
    /// The outdoor temperature below which that position is taken; above it the valve closes.
    pub valve_safe_below: Celsius,
    /// Automatic resets an hour after which an over-temperature trip stays until a person resets it.
    pub trips_per_hour_max: u8,
    /// This station's own wait after power is back, so that the stations of a district do not start together.
    pub mains_stagger: Duration,
    /// The lowest primary supply pressure that the network orders; none leaves the primary pressure to others. Where it is
    /// given, water that would boil closes the valve too.
    pub primary_pressure_min: Option<Pascals>,
    /// The relief valve may stand open for so long before make-up stops.
    pub relief_open_max: Duration,
    /// What water on the plant room's floor does.
    pub flood: FloodPolicy,
    /// Above this the plant room is too hot for the drives: they run no faster than their fallback speed.
    pub plant_room_max: Celsius,
}

/// What water on the plant room's floor does, beside its alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloodPolicy {
    /// Nothing.
    Alarm,
    /// The make-up tank's inlet closes until a person resets it.
    CloseInlet,
    /// And the primary side is isolated, where there is a valve for that.
    CloseInletAndIsolate,
}

/// A fast-closing isolation valve (紧急切断阀) in the primary side, beside the control valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationSettings {
    /// The time from open to closed. Spring-return actuators close within 5 to 20 s.
    pub close_time: Duration,
}

/// Frost protection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrostSettings {
    /// Below this outdoor temperature circulation stays on in every mode.
    pub outdoor: Celsius,
    /// While no outdoor temperature is known: water colder than this is moved from time to time.
    pub stir_below: Celsius,
    /// For how long.
    pub stir_for: Duration,
    /// How often.
    pub stir_every: Duration,
    /// A building's return or a room colder than this is danger: heat whatever limits say, and the urgent alarm.
    pub danger: Celsius,
    /// Below this return temperature circulation and heat are demanded.
    pub water: Celsius,
    /// Heat is demanded until the water is this warm.
    pub water_restored: Celsius,
    /// The supply setpoint under frost demand.
    pub supply: Celsius,
}

impl Default for FrostSettings {
    fn default() -> Self {
        FrostSettings {
            outdoor: Celsius(3.0),
            // Siemens RVD without an outdoor sensor: flow below 10 °C, ten minutes every six hours.
            stir_below: Celsius(10.0),
            stir_for: Duration::from_secs(600),
            stir_every: Duration::from_secs(6 * 3600),
            // Siemens RVD: building frost setpoint 8 °C.
            danger: Celsius(8.0),
            // Siemens RVD: continuous pump and heat below 5 °C flow until above 7 °C.
            water: Celsius(5.0),
            water_restored: Celsius(10.0),
            // Samson TROVIS 5476: 20 °C flow under frost protection.
            supply: Celsius(20.0),
        }
    }
}

/// Detection of outages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutageSettings {
    /// How long no heat must arrive before it is an outage; it then counts from its first cold moment.
    pub confirm_after: Duration,
    /// Supply below this is no heating.
    pub supply_floor: Celsius,
    /// Supply this far below its setpoint, with no heat taken from the primary side, is no heating either.
    pub undersupply: Kelvins,
    /// Heat below this share of the design load counts as none.
    pub power_floor: Ratio,
}

impl Default for OutageSettings {
    fn default() -> Self {
        OutageSettings {
            // The standards are silent; ten minutes is the documents' default detector.
            confirm_after: Duration::from_secs(600),
            supply_floor: Celsius(25.0),
            undersupply: Kelvins(10.0),
            power_floor: Ratio(0.02),
        }
    }
}
