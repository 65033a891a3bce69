//! Balancing the buildings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::Number;
use crate::written::Written;

/// Balancing the secondary network (二网平衡) by the buildings' valves. Left out where they are set by hand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBalance {
    /// What is made equal among the buildings.
    pub by: Option<Written<RawBalanceBy>>,
    /// A valve moves once in this time.
    pub every_hours: Number,
    /// By no more than this share of its stroke.
    pub step_max_ratio: Number,
    /// Share of the stroke per kelvin of difference.
    pub step_ratio_per_kelvin: Number,
    /// Smaller differences are left.
    pub dead_band_kelvins: Number,
    /// No valve is closed further than this.
    pub position_min_ratio: Number,
    /// One valve at least stands as far open as this.
    pub most_open_ratio: Number,
}

/// What is made equal among the buildings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawBalanceBy {
    /// The temperature of the water that comes back.
    Return,
    /// The mean of what enters and what comes back.
    Mean,
}

/// Whether a building's valve is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawBuildingValve {
    /// There is none, or it is set by hand.
    Fixed,
    /// It is moved to balance the buildings.
    Balanced,
}
