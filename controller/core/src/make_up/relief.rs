//! The relief valve and the tank's inlet.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Pascals, Switch};
use serde::{Deserialize, Serialize};

use super::MakeUp;
use crate::settings::MakeUpSettings;
use crate::timer::seconds;

/// What is remembered of make-up and relief working against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Relief {
    /// Make-up has run since the valve last opened.
    made_up: bool,
    /// Openings after a make-up, of the last hour: a bucket that empties with time.
    fights: f64,
    /// The bucket has run over and is not half empty yet.
    barred: bool,
}

impl Relief {
    /// Whether make-up has to stop because what it puts in goes down the drain.
    pub(super) fn fights(&self, settings: &MakeUpSettings) -> bool {
        self.barred && settings.relief_fights_max > 0
    }
}

impl MakeUp {
    pub(super) fn move_relief(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Option<Pascals>,
        dt: Duration,
    ) {
        let was_open = self.relief_open;
        // Of the two pressures the one at the holding point has the settings, measured; without it the valve closes, for a
        // relief valve that stays open on a lost sensor, or on an estimate, empties the plant. The safety valve remains.
        match self.measured(pressure) {
            Some(pressure) if pressure > settings.relief_open => self.relief_open = true,
            Some(pressure) if pressure > settings.relief_close => {}
            Some(_) | None => self.relief_open = false,
        }
        if readings.own.over_pressure_switch.usable() == Some(Switch::On) {
            self.relief_open = true;
        } else if readings.own.low_pressure_switch.usable() == Some(Switch::On) {
            // A sensor that reads high does not empty the plant past the switch.
            self.relief_open = false;
        }
        self.count_fights(settings, was_open, dt);
    }

    /// Water that warms up opens the valve again and again, and rightly so; make-up in between does not belong there.
    fn count_fights(&mut self, settings: &MakeUpSettings, was_open: bool, dt: Duration) {
        let limit = f64::from(settings.relief_fights_max);
        let relief = &mut self.relief;
        relief.made_up |= self.running;
        relief.fights = (relief.fights - limit * seconds(dt) / 3600.0).max(0.0);
        if self.relief_open && !was_open {
            relief.fights += if relief.made_up { 1.0 } else { 0.0 };
            relief.made_up = false;
        }
        relief.barred = if relief.barred { relief.fights > 0.5 * limit } else { relief.fights > limit };
    }

    pub(super) fn move_inlet(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if readings.own.tank_high_switch.usable() == Some(Switch::On) {
            self.inlet_open = false;
            return;
        }
        match readings.own.tank_level.fresh() {
            Some(level) if level < settings.tank_refill => self.inlet_open = true,
            Some(level) if level > settings.tank_full => self.inlet_open = false,
            Some(_) => {}
            None => self.inlet_open = readings.own.tank_low_switch.usable() == Some(Switch::On),
        }
    }
}
