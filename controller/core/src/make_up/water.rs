//! How much was made up, and whether the tank is seen: level → switches → so much an hour and no more.

use std::time::Duration;

use heatstation_points::CircuitReadings;
use serde::{Deserialize, Serialize};

use super::MakeUp;
use crate::moment::Weekday;
use crate::settings::MakeUpSettings;
use crate::timer::seconds;

/// The largest pulse of a make-up meter, m³.
const PULSE_MAX: f64 = 2.0;
/// More than any make-up pump of a station delivers, m³/s (72 m³/h).
const FLOW_MAX: f64 = 0.02;
/// With neither tank nor meter seen, running this long uses up the hour's volume.
const BLIND_RUN: Duration = Duration::from_secs(300);

/// What is known of the tank by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TankSource {
    /// Its level.
    Level,
    /// Its switches.
    Switches,
    /// It has instruments and none answers: the volume of each hour is limited.
    VolumeLimit,
    /// It has none.
    #[default]
    Unwatched,
}

impl TankSource {
    /// All of them, best first.
    pub const ALL: [TankSource; 4] =
        [TankSource::Level, TankSource::Switches, TankSource::VolumeLimit, TankSource::Unwatched];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            TankSource::Level => "level",
            TankSource::Switches => "switches",
            TankSource::VolumeLimit => "volume_limit",
            TankSource::Unwatched => "unwatched",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            TankSource::Level => ("液位", "level"),
            TankSource::Switches => ("液位开关", "switches"),
            TankSource::VolumeLimit => ("未知, 限制每小时补水量", "unseen: volume of each hour limited"),
            TankSource::Unwatched => ("无仪表", "no instruments"),
        }
    }
}

/// What is remembered of the water.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Water {
    day: Option<Weekday>,
    counter: Option<f64>,
    /// How long neither volume nor flow has been read.
    uncounted: Duration,
    /// Made up in the last step, m³; none while nothing counts it.
    grown: Option<f64>,
    tank: TankSource,
    /// Made up in the last hour, as far as the tank is not seen: a bucket that empties with time, m³.
    blind: f64,
    barred: bool,
}

impl Water {
    pub(super) fn exhausted(&self) -> bool {
        self.barred
    }

    pub(super) fn tank(&self) -> TankSource {
        self.tank
    }
}

impl MakeUp {
    /// Counts the day's make-up by the meter's volume, else by its flow.
    pub fn count(&mut self, readings: &CircuitReadings, day: Weekday, dt: Duration) {
        let water = &mut self.water;
        if water.day != Some(day) {
            water.day = Some(day);
            self.today = 0.0;
        }
        let own = &readings.own;
        water.grown = if let Some(volume) = own.make_up_volume.fresh() {
            // A counter that jumps back, or further than any pump here could fill in the time, was replaced or misread:
            // begin anew from there. A pulse may be a whole cubic metre.
            let possible = PULSE_MAX + FLOW_MAX * seconds(water.uncounted.saturating_add(dt));
            let grown = water.counter.map_or(0.0, |before| volume.0 - before);
            water.counter = Some(volume.0);
            water.uncounted = Duration::ZERO;
            Some(if (0.0..=possible).contains(&grown) { grown } else { 0.0 })
        } else if let Some(flow) = own.make_up_flow.fresh() {
            water.counter = None;
            Some(flow.0 * seconds(dt))
        } else {
            water.uncounted = water.uncounted.saturating_add(dt);
            None
        };
        self.today += water.grown.unwrap_or_default();
    }

    /// What was made up in this step, m³; none while nothing counts it.
    pub(crate) fn made_up(&self) -> Option<f64> {
        self.water.grown
    }

    pub(super) fn watch_tank(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, dt: Duration) {
        let own = &readings.own;
        let configured = own.tank_level.is_configured() || own.tank_low_switch.is_configured();
        let water = &mut self.water;
        water.tank = if own.tank_level.fresh().is_some() {
            TankSource::Level
        } else if own.tank_low_switch.usable().is_some() {
            TankSource::Switches
        } else if configured {
            TankSource::VolumeLimit
        } else {
            TankSource::Unwatched
        };
        if water.tank != TankSource::VolumeLimit {
            (water.blind, water.barred) = (0.0, false);
            return;
        }
        // Half of it at once and half over the hour, so that no hour whatever sees more.
        let limit = 0.5 * settings.blind_volume_per_hour_max;
        let by_time = if self.running { limit * seconds(dt) / seconds(BLIND_RUN) } else { 0.0 };
        water.blind += water.grown.unwrap_or(by_time);
        water.blind = (water.blind - limit * seconds(dt) / 3600.0).max(0.0);
        water.barred = if water.barred { water.blind > 0.5 * limit } else { water.blind >= limit };
    }
}
