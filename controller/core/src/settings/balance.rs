//! Balancing the secondary network.

use std::time::Duration;

use heatstation_points::{Kelvins, Ratio};
use serde::{Deserialize, Serialize};

/// What is made equal among the buildings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceBy {
    /// The temperature of the water that comes back.
    Return,
    /// The mean of what enters and what comes back.
    Mean,
}

/// Balancing the buildings by their valves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceSettings {
    /// What is made equal.
    pub by: BalanceBy,
    /// A valve moves once in this time (1 to 4 h).
    pub every: Duration,
    /// By no more than this (3 to 5 %).
    pub step_max: Ratio,
    /// Share of the stroke per kelvin of difference.
    pub step_per_kelvin: Ratio,
    /// Smaller differences are left.
    pub dead_band: Kelvins,
    /// No valve is closed further than this.
    pub position_min: Ratio,
    /// One valve at least stands as far open as this.
    pub most_open: Ratio,
}

impl Default for BalanceSettings {
    fn default() -> Self {
        BalanceSettings {
            by: BalanceBy::Return,
            every: Duration::from_secs(2 * 3600),
            step_max: Ratio(0.04),
            // The return of a building with an open valve moves by half a kelvin per 4 % of its stroke, with one half
            // closed by 1.5 K: a hundredth per kelvin takes half of a difference at most.
            step_per_kelvin: Ratio(0.01),
            // Two thermometers of one kind agree within it; a wider band lets a building whose valve is all open stay behind.
            dead_band: Kelvins(0.2),
            position_min: Ratio(0.2),
            most_open: Ratio(0.9),
        }
    }
}
