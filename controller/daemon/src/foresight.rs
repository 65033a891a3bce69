//! What a meteorological service foresees, on its way into the cycle.
//!
//! Whoever asks a service leaves what it said in a slot of one place: the newest counts, nothing queues, and the cycle
//! never waits for it. The age is taken from the wall clock once, when it is picked up, and counted from there: a clock that
//! steps afterwards makes no forecast younger.

use std::time::Duration;

use heatstation_core::moment::UtcMillis;
use heatstation_core::{Forecast, Moment};
use tokio::sync::watch;

/// A forecast and the time of its issue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Issued {
    /// When the service issued it; its first value is for that time.
    pub at: UtcMillis,
    /// What it foresees.
    pub forecast: Forecast,
}

/// Where forecasts are left; none was left yet when it holds nothing.
pub type Slot = watch::Receiver<Option<Issued>>;

/// The forecast in force.
#[derive(Debug, Default)]
pub struct Foresight {
    slot: Option<Slot>,
    /// With its age when it was picked up, and when that was.
    taken: Option<(Forecast, Duration)>,
}

impl Foresight {
    /// What is left in that slot; nothing ever without one.
    pub fn from(slot: Option<Slot>) -> Foresight {
        Foresight { slot, taken: None }
    }

    /// The newest forecast with its age now.
    pub fn look(&mut self, now: &Moment) -> Option<Forecast> {
        let slot = self.slot.as_mut()?;
        // A slot whose writer has gone still holds what was left in it, and that goes on ageing.
        if slot.has_changed().unwrap_or(self.taken.is_none()) {
            self.taken = slot.borrow_and_update().map(|issued| {
                let age = now.wall.since(issued.at);
                (issued.forecast.at_age(age), now.monotonic)
            });
        }
        let (forecast, taken_at) = self.taken.as_ref()?;
        let age = forecast.age.saturating_add(now.monotonic.saturating_sub(*taken_at));
        Some(forecast.at_age(age))
    }
}

#[cfg(test)]
mod tests {
    use heatstation_core::moment::{Day, LocalTime};
    use heatstation_points::Celsius;

    use super::*;

    fn at(monotonic: u64, wall: i64) -> Moment {
        let local = LocalTime::on(Day(4), 0);
        Moment { monotonic: Duration::from_secs(monotonic), wall: UtcMillis(wall * 1000), local }
    }

    #[test]
    fn the_newest_forecast_is_in_force_and_ages_by_the_clock_that_never_steps() {
        let (leave, slot) = watch::channel(None);
        let mut foresight = Foresight::from(Some(slot));
        assert_eq!(foresight.look(&at(0, 5000)), None);
        let forecast = Forecast::new(Duration::ZERO, &[Celsius(-3.0); 24], &[], &[]).unwrap();
        leave.send_replace(Some(Issued { at: UtcMillis(4_000_000), forecast }));
        let age = |seen: Option<Forecast>| seen.map(|forecast| forecast.age.as_secs());
        assert_eq!(age(foresight.look(&at(10, 5010))), Some(1010));
        assert_eq!(age(foresight.look(&at(70, 900))), Some(1070), "the wall clock went back");
        leave.send_replace(Some(Issued { at: UtcMillis(900_000), forecast }));
        assert_eq!(age(foresight.look(&at(80, 910))), Some(10));
        drop(leave);
        assert_eq!(age(foresight.look(&at(90, 920))), Some(20), "what was left goes on ageing");
    }
}
