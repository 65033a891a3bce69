//! The plant in real time, or N times as fast, behind its register image.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::image::SharedPlant;
use crate::plant::Plant;
use crate::timetable::Timetable;
use crate::weather::WeatherSource;

/// Timers are not finer than this; faster plants take several seconds at a tick.
const SHORTEST_TICK: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);

/// A plant with its weather, its clock, its timetable and its wire.
pub struct PacedPlant {
    plant: Plant,
    weather: Box<dyn WeatherSource>,
    timetable: Timetable,
    shared: SharedPlant,
    utc_seconds: i64,
}

impl std::fmt::Debug for PacedPlant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacedPlant").field("utc_seconds", &self.utc_seconds).finish_non_exhaustive()
    }
}

impl PacedPlant {
    /// A plant whose clock stands at `utc_seconds`; its registers are filled at once.
    pub fn new(
        plant: Plant,
        weather: Box<dyn WeatherSource>,
        timetable: Timetable,
        shared: SharedPlant,
        utc_seconds: i64,
    ) -> PacedPlant {
        shared.publish(&plant);
        PacedPlant { plant, weather, timetable, shared, utc_seconds }
    }

    /// Takes what was written, lets this many seconds pass one by one, and publishes the outcome.
    pub fn advance(&mut self, seconds: u32) {
        for (point, value) in self.shared.take_commands() {
            self.plant.command(point, value);
        }
        for _ in 0..seconds {
            self.utc_seconds += 1;
            let weather = self.weather.at(self.utc_seconds);
            if let Some(link) = self.timetable.advance(SECOND, &mut self.plant) {
                self.shared.set_link(link);
            }
            self.plant.step(SECOND, self.utc_seconds, &weather);
        }
        self.shared.publish(&self.plant);
    }

    /// Runs `speed` times as fast as the clock on the wall (0.1 to 10 000) until `stopped` is done.
    ///
    /// A machine that cannot keep up falls behind; it does not catch up in a rush.
    pub async fn run(mut self, speed: f64, stopped: impl Future<Output = ()>) -> PacedPlant {
        let (tick, seconds) = rhythm(speed);
        let mut ticks: Interval = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return self,
                _ = ticks.tick() => self.advance(seconds),
            }
        }
    }

    /// The plant, for its truth and for faults.
    pub fn plant(&mut self) -> &mut Plant {
        &mut self.plant
    }

    /// What the plant's clock shows.
    pub fn utc_seconds(&self) -> i64 {
        self.utc_seconds
    }
}

/// How often to tick, and how many seconds to take at each.
fn rhythm(speed: f64) -> (Duration, u32) {
    let speed = if speed.is_finite() { speed.clamp(0.1, 10_000.0) } else { 1.0 };
    let single = SECOND.div_f64(speed);
    if single >= SHORTEST_TICK {
        return (single, 1);
    }
    let seconds = (SHORTEST_TICK.as_secs_f64() * speed).ceil();
    (Duration::from_secs_f64(seconds / speed), seconds as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_speed_keeps_its_pace() {
        for speed in [0.5, 1.0, 10.0, 60.0, 333.0, 3600.0] {
            let (tick, seconds) = rhythm(speed);
            assert!(tick >= SHORTEST_TICK, "{speed}: {tick:?}");
            assert!((f64::from(seconds) / tick.as_secs_f64() / speed - 1.0).abs() < 1e-6, "{speed}");
        }
    }
}
