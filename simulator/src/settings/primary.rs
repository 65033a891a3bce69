//! The primary network.

use heatstation_points::{Celsius, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use super::DesignTemperatures;

/// The primary network as the station feels it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrimarySettings {
    /// Supply temperature at the design outdoor temperature.
    pub supply_cold: Celsius,
    /// Supply temperature at +5 °C outdoors and above.
    pub supply_mild: Celsius,
    /// The outdoor temperature that belongs to `supply_cold`.
    pub design_outdoor: Celsius,
    /// The source cannot send warmer water than this, whatever its curve asks.
    pub supply_limit: Celsius,
    /// A limiter at the connection lets no more through than this share of the station's design flow; none where there is no
    /// limiter.
    pub flow_limit: Option<Ratio>,
    /// Differential pressure at the station's connection without flow: 50 000 to 300 000 Pa.
    pub differential_pressure: Pascals,
    /// What of it is lost in the shared connection at the station's design flow.
    pub connection_loss: Pascals,
    /// Standard deviation of its noise (10 min), relative: 0.03 to 0.10.
    pub pressure_noise: Ratio,
    /// Half of the daily swing, relative.
    pub pressure_swing: Ratio,
    /// Standard deviation of the supply temperature around its curve.
    pub temperature_noise: Kelvins,
    /// Pressure in the return.
    pub return_pressure: Pascals,
}

impl PrimarySettings {
    /// A network of 80 °C in mild weather to the circuit's design primary temperature, with 180 kPa to spend.
    pub fn typical(design: &DesignTemperatures) -> PrimarySettings {
        PrimarySettings {
            supply_cold: design.primary_supply,
            supply_mild: Celsius(80.0_f64.min(design.primary_supply.0)),
            design_outdoor: design.outdoor,
            supply_limit: design.primary_supply,
            flow_limit: None,
            differential_pressure: Pascals(180_000.0),
            connection_loss: Pascals(30_000.0),
            pressure_noise: Ratio(0.05),
            pressure_swing: Ratio(0.08),
            temperature_noise: Kelvins(1.0),
            return_pressure: Pascals(450_000.0),
        }
    }
}
