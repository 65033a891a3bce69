//! The primary valve and the loop that moves it.

use std::time::Duration;

use heatstation_points::{Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::actuator::ActuatorSettings;
use crate::auto_tune::AutoTuneSettings;
use crate::exchanger::ExchangerSettings;
use crate::feed_forward::FeedForwardSettings;
use crate::gain_schedule::GainScheduleSettings;
use crate::valve_characteristic::ValveCharacteristic;
use crate::valve_exercise::ValveExerciseSettings;
use crate::valve_health::HuntingGuard;

/// The loop from supply temperature to valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupplyLoopSettings {
    /// Valve travel per kelvin where the plant has its nominal gain. 0.0125 (Danfoss ECL, Xp 80 K) held 0.09 to 0.24 K at
    /// 2.6 to 6.9 strokes a day.
    pub gain_per_kelvin: f64,
    /// Integral time.
    pub integral_time: Duration,
    /// Time between two decisions of the loop.
    pub sample_time: Duration,
    /// Wished travel below which the valve is left alone, at most.
    pub dead_band: Ratio,
    /// Where the plant is steep the dead band is no wider than what moves the supply by this much.
    pub dead_band_supply: Kelvins,
    /// How the gain follows the plant's.
    pub schedule: GainScheduleSettings,
    /// What is done ahead of the error.
    pub feed_forward: FeedForwardSettings,
    /// What is done when the loop hunts.
    pub guard: HuntingGuard,
    /// How it is tuned by experiment.
    pub auto_tune: AutoTuneSettings,
    /// The exchanger's design figures; without them there is no feed-forward and the gain goes by the spread.
    pub exchanger: Option<ExchangerSettings>,
}

impl Default for SupplyLoopSettings {
    fn default() -> Self {
        SupplyLoopSettings {
            gain_per_kelvin: 0.0125,
            integral_time: Duration::from_secs(30),
            sample_time: Duration::from_secs(2),
            dead_band: Ratio(0.005),
            dead_band_supply: Kelvins(0.15),
            schedule: GainScheduleSettings::default(),
            feed_forward: FeedForwardSettings::default(),
            guard: HuntingGuard::default(),
            auto_tune: AutoTuneSettings::default(),
            exchanger: None,
        }
    }
}

/// The primary valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveSettings {
    /// The smallest opening while heating.
    pub position_min: Ratio,
    /// The largest opening.
    pub position_max: Ratio,
    /// Time from closed to open; the command never moves faster than the stem can.
    pub stroke_time: Duration,
    /// Difference of command and feedback that counts as not following.
    pub deviation_max: Ratio,
    /// The smallest stroke that it makes for sure: what its positioner or its motor's shortest pulse resolves.
    pub stroke_min: Ratio,
    /// How much it passes at each position.
    pub characteristic: ValveCharacteristic,
    /// What moves it.
    pub actuator: ActuatorSettings,
    /// Play between motor and plug that is known and made up for.
    pub play: Ratio,
    /// When it is moved in standstill; none never.
    pub exercise: Option<ValveExerciseSettings>,
}

impl Default for ValveSettings {
    fn default() -> Self {
        ValveSettings {
            position_min: Ratio(0.0),
            position_max: Ratio(1.0),
            stroke_time: Duration::from_secs(120),
            deviation_max: Ratio(0.05),
            // The dead bands of positioners and drives: 0.25 to 1 %.
            stroke_min: Ratio(0.0025),
            characteristic: ValveCharacteristic::default(),
            actuator: ActuatorSettings::default(),
            // Unknown play is left alone: making up for more than there is would itself be a disturbance.
            play: Ratio(0.0),
            exercise: None,
        }
    }
}
