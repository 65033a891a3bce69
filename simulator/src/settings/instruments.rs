//! How good the station's instruments are.

use heatstation_points::{Celsius, Kelvins, Ratio, Seconds};
use serde::{Deserialize, Serialize};

/// Tolerance classes of platinum thermometers (IEC 60751).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlatinumClass {
    /// 0.15 K and 0.2 % of the reading.
    A,
    /// 0.3 K and 0.5 % of the reading.
    B,
}

impl PlatinumClass {
    /// How far off a thermometer of the class may be at this temperature.
    pub fn limit(self, at: Celsius) -> Kelvins {
        let (fixed, share) = match self {
            PlatinumClass::A => (0.15, 0.002),
            PlatinumClass::B => (0.3, 0.005),
        };
        Kelvins(fixed + share * at.0.abs())
    }
}

/// The instruments of a station. Rooms have settings of their own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstrumentSettings {
    /// Of all wired thermometers.
    pub platinum: PlatinumClass,
    /// How fast a pocket follows the water: 10 to 30 s, 2 to 8 s where the probe stands in the flow.
    pub supply_pocket: Seconds,
    /// The second supply thermometer's, often the thermostat's thicker one.
    pub second_supply_pocket: Seconds,
    /// The returns' and the primary supply's.
    pub return_pocket: Seconds,
    /// Of thermometers strapped on the pipes of buildings: 30 to 60 s.
    pub strap_on: Seconds,
    /// Of the outdoor sensor's housing.
    pub outdoor_housing: Seconds,
    /// What a thermometer's display steps by.
    pub thermometer_step: Kelvins,
    /// Deviation of a thermometer's noise: 0.03 to 0.05 K.
    pub thermometer_noise: Kelvins,
    /// What a pressure transmitter may be off, of its full scale; most are within a fifth of it.
    pub transmitter_error: Ratio,
    /// What a flow meter may be off, of the reading (class 2 of EN 1434); most are within half of it.
    pub flow_error: Ratio,
    /// Below this share of the design flow a flow meter shows nothing and counts nothing.
    pub flow_deaf_below: Ratio,
    /// How often a heat meter sends its telegram: 10 s on a wire, 1 to 60 min on battery or bus.
    pub meter_telegram: Seconds,
    /// Deviation of the noise on the valve's position feedback: 0.002 from a good potentiometer, 0.005 from a usual one.
    pub valve_feedback_noise: Ratio,
}

impl Default for InstrumentSettings {
    fn default() -> InstrumentSettings {
        InstrumentSettings {
            platinum: PlatinumClass::B,
            supply_pocket: Seconds(12.0),
            second_supply_pocket: Seconds(18.0),
            return_pocket: Seconds(20.0),
            strap_on: Seconds(45.0),
            outdoor_housing: Seconds(600.0),
            thermometer_step: Kelvins(0.1),
            thermometer_noise: Kelvins(0.03),
            transmitter_error: Ratio(0.005),
            flow_error: Ratio(0.02),
            flow_deaf_below: Ratio(0.05),
            meter_telegram: Seconds(10.0),
            valve_feedback_noise: Ratio(0.002),
        }
    }
}
