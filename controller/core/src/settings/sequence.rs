//! Starting and stopping in order.

use std::time::Duration;

use heatstation_points::{Kelvins, Pascals};
use serde::{Deserialize, Serialize};

/// Starting and stopping in order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequenceSettings {
    /// After lying by for so long a start is a season's start: the pressure is held and the loop vented first.
    pub season_start_after: Duration,
    /// How long the pressure must be held before the pumps start for a season.
    pub pressure_hold: Duration,
    /// How far from its setpoint it may be meanwhile.
    pub pressure_band: Pascals,
    /// After this the season starts although the pressure would not stay: cold homes are worse than a leak that is known.
    pub pressure_patience: Duration,
    /// How often a pump jogs to move the air to the vents; 0 leaves venting out.
    pub vent_jogs: u8,
    /// How long a jog is.
    pub vent_on: Duration,
    /// How long the air may rise between two jogs.
    pub vent_off: Duration,
    /// Circulation after the valve closed lasts at least this long.
    pub post_run_min: Duration,
    /// And at most this long.
    pub post_run_max: Duration,
    /// In between it ends when supply and return differ by less than this.
    pub post_run_difference: Kelvins,
    /// The circuit is declared running when the supply is this near to its setpoint.
    pub reached_within: Kelvins,
    /// For so long.
    pub reached_for: Duration,
    /// After so long with an open valve a setpoint that has not been reached is late.
    pub late_after: Duration,
    /// Restarts after power failures that may fail in a row before a person is called.
    pub restarts_max: u8,
}

impl Default for SequenceSettings {
    fn default() -> Self {
        SequenceSettings {
            // No source: long enough for no repair in winter, short enough for every summer.
            season_start_after: Duration::from_secs(7 * 86_400),
            // 10 min inside ±0.02 MPa: the band that Chinese specifications ask of pressure holding.
            pressure_hold: Duration::from_secs(600),
            pressure_band: Pascals(20_000.0),
            pressure_patience: Duration::from_secs(3600),
            // Two jogs and the start are three starts at once, which a motor bears.
            vent_jogs: 2,
            vent_on: Duration::from_secs(30),
            vent_off: Duration::from_secs(120),
            // Danfoss ECL: 3 min.
            post_run_min: Duration::from_secs(180),
            post_run_max: Duration::from_secs(900),
            post_run_difference: Kelvins(5.0),
            reached_within: Kelvins(2.0),
            reached_for: Duration::from_secs(600),
            // Samson TROVIS: 30 min; the SBC macro already after 600 s, which a cold network never makes.
            late_after: Duration::from_secs(1800),
            restarts_max: 3,
        }
    }
}
