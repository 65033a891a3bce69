//! What a pump has done: hours, starts and electricity, counted here because few cabinets count them.

use std::time::Duration;

use heatstation_points::{Joules, PumpReadings};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

/// What a pump has done since it was first seen. It is saved with the state and goes on over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PumpCount {
    /// How long it was told to run.
    pub run: Duration,
    /// How often it was started.
    pub starts: u64,
    /// What it drew, where its power is measured.
    pub energy: Joules,
}

impl PumpCount {
    /// Counts one step.
    pub(crate) fn pass(&mut self, reading: &PumpReadings, runs: Runs, dt: Duration) {
        if runs == Runs::Yes {
            self.run = self.run.saturating_add(dt);
        }
        // A drive draws something while it stands, too.
        if let Some(power) = reading.power.usable() {
            self.energy += Joules(power.0.max(0.0) * seconds(dt));
        }
    }
}

/// Whether a pump is told to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// It is.
    Yes,
    /// It is not.
    No,
}
