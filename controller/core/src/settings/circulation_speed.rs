//! The modes of circulation that need more than a setpoint.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

/// The load by the weather: q = (Ti − Te) / (Tid − Ted).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadLine {
    /// The room temperature at which nothing is lost.
    pub room: Celsius,
    /// The outdoor temperature of full load.
    pub design_outdoor: Celsius,
}

impl LoadLine {
    /// The share of the full load at this outdoor temperature, 0 to 1.
    pub fn share(&self, outdoor: Celsius) -> Ratio {
        Ratio((self.room - outdoor) / (self.room - self.design_outdoor)).clamp(Ratio::ZERO, Ratio::ONE)
    }
}

/// What counts as a far building that goes short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FarSettings {
    /// A building asks for more when its return is this far below the median of all; half as much suffices where its valve
    /// stands nearly open.
    pub return_below: Kelvins,
    /// So many that ask are somebody's closed valve and no reason.
    pub ignored: usize,
    /// The rooms ask when the coldest share is estimated this far below its minimum, and are never ignored.
    pub rooms_below: Kelvins,
}

impl Default for FarSettings {
    fn default() -> Self {
        // Trim and respond for radiator networks: 2 K below the median; one or two requests are ignored. Half a kelvin of
        // rooms is the standard error of their estimate with ten sensors.
        FarSettings { return_below: Kelvins(2.0), ignored: 2, rooms_below: Kelvins(0.5) }
    }
}

/// The pressure difference at the worst-placed building is held; several are measured, the lowest counts.
///
/// A remote sensor comes in minutes and may fail: it moves the setpoint of the station's own pressure difference, which
/// answers in seconds (ASHRAE Guideline 36: a remote loop resets the local one).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstPoint {
    /// The difference to hold out there.
    pub setpoint: Pascals,
    /// How fast an error out there moves the setpoint here.
    pub reset_time: Duration,
    /// The lowest setpoint here.
    pub low: Pascals,
    /// The highest setpoint here, taken when the remote sensor is lost for long.
    pub high: Pascals,
    /// Speed per pascal of error here.
    pub gain_per_pascal: f64,
    /// Integral time here.
    pub integral_time: Duration,
}

/// Trim and respond (ASHRAE Guideline 36): less pressure, step by step, until somebody far away asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrimRespond {
    /// The lowest setpoint.
    pub low: Pascals,
    /// The highest setpoint, at which it starts.
    pub high: Pascals,
    /// How often it is moved.
    pub every: Duration,
    /// Down by this when nobody asks.
    pub trim: Pascals,
    /// Up by this for each request beyond those that are ignored.
    pub respond: Pascals,
    /// Up by no more than this at a time.
    pub respond_max: Pascals,
    /// Who asks.
    pub far: FarSettings,
    /// The worst-placed building's difference asks below this, where it is measured.
    pub worst_point: Option<Pascals>,
    /// Speed per pascal of error.
    pub gain_per_pascal: f64,
    /// Integral time.
    pub integral_time: Duration,
}

/// The temperature difference of supply and return is held: with the load the flow falls, and the return with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperatureDifference {
    /// The difference at full load.
    pub spread: Kelvins,
    /// The difference goes with this power of the load: 0 always the same, 2/3 gives a flow of q^(1/3), 1 a constant flow.
    pub load_exponent: f64,
    /// The load.
    pub load: LoadLine,
    /// Speed per kelvin of error.
    pub gain_per_kelvin: f64,
    /// Integral time: no shorter than the water's way around.
    pub integral_time: Duration,
}

/// How the flow goes with the load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowLaw {
    /// In stages (分阶段改变流量的质调节).
    Stages {
        /// The shares of the full flow, falling: 1, 0.8, 0.6.
        flows: [Ratio; 3],
        /// Below these loads the next stage is taken, falling: 0.8, 0.6.
        loads: [Ratio; 2],
        /// The load must be this far past a mark.
        hysteresis: Ratio,
    },
    /// Smoothly, φ = q^(1/3) (质量-流量调节).
    CubeRoot,
}

/// The flow follows the load by the weather; the heating curve, which measures the flow, makes the water warmer for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagedFlow {
    /// The speed of full flow.
    pub full_speed: Ratio,
    /// How the flow goes with the load.
    pub law: FlowLaw,
    /// The load.
    pub load: LoadLine,
    /// A stage stands at least this long before the flow falls further; it rises at once.
    pub hold: Duration,
    /// Who objects: then more flow is given, and none less.
    pub far: FarSettings,
}
