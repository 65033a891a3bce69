//! Creep flow: primary flow so small that the heat meter does not count it.
//!
//! A control valve that stands open by a hair lets heat through unmetered, and the network forbids it (Samson: a limit
//! switch or the meter closes the valve, it opens again at −5 K). Closed, the exchanger cools and its sensors measure
//! standing water, so the valve is opened for a while from time to time (SBC's periodic opening):
//!
//! ```text
//!      flow < least for a minute, supply warm            supply < setpoint − reopen_below, or no heat may be missed
//!  [ Free ] ------------------------------> [ Closed ] ------------------------------------------> [ Free ]
//!                                             |    ^
//!                        flush_after closed   v    |  flush_for
//!                                           [ Flushing ]
//! ```
//!
//! The valve that is let go again opens from closed by the loop's own law, so that there is no bump. After it was let go it
//! has five minutes, a stroke and a slow meter's telegram, before it is judged anew, and stays closed as long. Frost demand and a hand on the valve outrank
//! this; without a fresh meter nothing is closed, because a lost meter shows no flow too.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins};
use serde::{Deserialize, Serialize};

use crate::settings::CreepSettings;
use crate::timer::Held;

/// Flow must be too small for this long: a meter's telegram is up to a minute old.
const CONFIRM: Duration = Duration::from_secs(60);
/// It closes only on water that is as warm as it should be: with the step of `reopen_below` that is the hysteresis.
const WARM: Kelvins = Kelvins(1.0);
/// A valve that was let go gets this long, a stroke and a telegram, before its flow is judged; one that was closed stays
/// so as long, or it would come and go with every minute where supply and return are close.
const GRACE: Duration = Duration::from_secs(300);

/// What is done about creep flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreepStage {
    /// The loop has the valve.
    #[default]
    Free,
    /// Closed because the meter would not count.
    Closed,
    /// Opened for a while, so that no standing water is measured.
    Flushing,
}

/// What creep-flow handling remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creep {
    stage: CreepStage,
    lasts: Duration,
    low: Held,
}

/// What it looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreepSight {
    /// The primary flow, if the meter is fresh.
    pub flow: Option<CubicMetersPerSecond>,
    /// The setpoint.
    pub setpoint: Celsius,
    /// The supply temperature, if it is known.
    pub supply: Option<Celsius>,
}

impl Creep {
    /// One step while the loop may have the valve: what becomes of it.
    pub fn advance(&mut self, settings: Option<&CreepSettings>, seen: CreepSight, dt: Duration) -> CreepStage {
        let Some(settings) = settings else {
            *self = Creep::default();
            return CreepStage::Free;
        };
        self.lasts = self.lasts.saturating_add(dt);
        let too_small = seen.flow.is_some_and(|flow| flow < settings.flow_min);
        let low = self.low.for_at_least(CONFIRM, too_small, dt);
        // An unknown supply is no reason to keep the heat away.
        let missing = seen.supply.map(|supply| seen.setpoint - supply);
        let cold = missing.is_none_or(|missing| missing > settings.reopen_below);
        let warm = missing.is_some_and(|missing| missing < WARM);
        let next = match self.stage {
            CreepStage::Free if low && warm && self.lasts >= GRACE => CreepStage::Closed,
            CreepStage::Closed | CreepStage::Flushing if seen.flow.is_none() => CreepStage::Free,
            CreepStage::Closed | CreepStage::Flushing if cold && self.lasts >= GRACE => CreepStage::Free,
            CreepStage::Closed if self.lasts >= settings.flush_after => CreepStage::Flushing,
            CreepStage::Flushing if self.lasts >= settings.flush_for => CreepStage::Closed,
            stage @ (CreepStage::Free | CreepStage::Closed | CreepStage::Flushing) => stage,
        };
        if next != self.stage {
            *self = Creep { stage: next, ..Creep::default() };
        }
        next
    }

    /// Somebody else has the valve.
    pub fn stand_by(&mut self) {
        *self = Creep::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: CreepSettings = CreepSettings {
        flow_min: CubicMetersPerSecond(0.001),
        reopen_below: Kelvins(5.0),
        flush_after: Duration::from_secs(1800),
        flush_for: Duration::from_secs(120),
    };

    /// Minutes of flow (m³/s, none without a meter) and supply under a setpoint of 40 °C.
    fn after(creep: &mut Creep, flow: Option<f64>, supply: f64, minutes: u64) -> CreepStage {
        let seen =
            CreepSight { flow: flow.map(CubicMetersPerSecond), setpoint: Celsius(40.0), supply: Some(Celsius(supply)) };
        (0..minutes * 60).map(|_| creep.advance(Some(&SETTINGS), seen, Duration::from_secs(1))).last().unwrap()
    }

    #[test]
    fn a_valve_that_creeps_closes_is_flushed_and_opens_again_when_the_supply_has_fallen() {
        let mut creep = Creep::default();
        assert_eq!(after(&mut creep, Some(0.0005), 40.5, 4), CreepStage::Free);
        assert_eq!(after(&mut creep, Some(0.0005), 40.5, 2), CreepStage::Closed);
        assert_eq!(after(&mut creep, Some(0.0), 38.0, 30), CreepStage::Flushing);
        assert_eq!(after(&mut creep, Some(0.002), 38.0, 2), CreepStage::Closed);
        assert_eq!(after(&mut creep, Some(0.0), 34.9, 2), CreepStage::Closed);
        assert_eq!(after(&mut creep, Some(0.0), 34.9, 3), CreepStage::Free);
        assert_eq!(after(&mut creep, Some(0.0), 34.9, 60), CreepStage::Free, "while heat is missing nothing closes");
    }

    #[test]
    fn a_lost_meter_closes_nothing_and_opens_what_it_closed() {
        let mut creep = Creep::default();
        assert_eq!(after(&mut creep, None, 40.0, 60), CreepStage::Free);
        assert_eq!(after(&mut creep, Some(0.0), 40.0, 10), CreepStage::Closed);
        assert_eq!(after(&mut creep, None, 40.0, 1), CreepStage::Free);
    }
}
