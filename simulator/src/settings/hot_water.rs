//! Domestic hot water, which few Chinese stations make and which disturbs the rest where they do.

use heatstation_points::Celsius;
use serde::{Deserialize, Serialize};

/// How the water is heated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HotWaterStages {
    /// One exchanger beside the heating's.
    Parallel,
    /// What comes back from the heating warms the water first.
    Two,
}

/// A hot-water heater on the primary side of a circuit, without storage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotWaterSettings {
    /// One stage or two.
    pub stages: HotWaterStages,
    /// What people draw: litres a day per m² of heated area; 40 l per person on 30 m² are 1.3.
    pub liters_per_m2_day: f64,
    /// As it comes from the mains.
    pub cold: Celsius,
    /// As it leaves the heater.
    pub hot: Celsius,
}

impl HotWaterSettings {
    /// 55 °C in two stages for flats of 30 m² a head.
    pub const fn usual() -> HotWaterSettings {
        HotWaterSettings {
            stages: HotWaterStages::Two,
            liters_per_m2_day: 1.3,
            cold: Celsius(10.0),
            hot: Celsius(55.0),
        }
    }
}
