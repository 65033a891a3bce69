//! The supply setpoint: its limits, and what outside wishes may do.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::band::Because;

/// Limits of the supply setpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupplySettings {
    /// The lowest setpoint while heating.
    pub min: Celsius,
    /// A higher (or lower) lowest setpoint in warm weather.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmMinimum>,
    /// The highest setpoint.
    pub max: Celsius,
    /// What the emitters and the pipes in the floor bear, whoever sets the highest setpoint.
    pub emitter_max: Celsius,
    /// The fastest rise of the setpoint, K/h. 10 to 30 K/h is usual in a cold season start.
    pub rise_per_hour: Kelvins,
    /// The fastest fall, K/h: contraction draws make-up water, about 46 L per K and 100 m³.
    pub fall_per_hour: Kelvins,
}

/// The lowest setpoint in warm weather.
///
/// In the mildest weather a curve asks for water that hardly differs from the room: radiators feel cold to the hand and
/// people call. Or the other way round: a station whose lowest setpoint is meant for frost may go lower in spring.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmMinimum {
    /// The lowest setpoint.
    pub min: Celsius,
    /// From this outdoor temperature on; it is approached over the [`WarmMinimum::APPROACH`] below.
    pub from: Celsius,
}

impl WarmMinimum {
    /// The two minima are joined by a line, or the setpoint would step with the weather.
    pub const APPROACH: Kelvins = Kelvins(5.0);
}

impl SupplySettings {
    /// The lowest setpoint in that weather, and whether the warm weather made it so.
    pub fn min_at(&self, outdoor: Celsius) -> (Celsius, Because) {
        let Some(warm) = self.warm else { return (self.min, Because::SupplyMin) };
        let share = (1.0 + (outdoor - warm.from) / WarmMinimum::APPROACH).clamp(0.0, 1.0);
        let because = if share > 0.0 { Because::SupplyMinWarm } else { Because::SupplyMin };
        (self.min + (warm.min - self.min) * share, because)
    }
}

/// What outside wishes may do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvelopeSettings {
    /// The most that a wish may lower the supply setpoint.
    pub lower_max: Kelvins,
    /// The most that a wish may raise it.
    pub raise_max: Kelvins,
    /// The fastest effect of a wish, K/min.
    pub rate_per_minute: Kelvins,
    /// The longest life of a wish.
    pub life_max: Duration,
    /// Below this outdoor temperature the heat floor holds.
    pub frost: Celsius,
    /// In frost a wish may lower the setpoint by no more than this.
    pub frost_lower_max: Kelvins,
}

impl Default for EnvelopeSettings {
    fn default() -> Self {
        EnvelopeSettings {
            lower_max: Kelvins(10.0),
            raise_max: Kelvins(6.0),
            rate_per_minute: Kelvins(1.0),
            life_max: Duration::from_secs(24 * 3600),
            frost: Celsius(0.0),
            frost_lower_max: Kelvins(3.0),
        }
    }
}
