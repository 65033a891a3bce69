//! Starting before a higher level begins, so that the rooms are warm when it does, and stopping before it ends.
//!
//! # Why this shape
//! How fast rooms recover is measured, morning by morning, as the mean slope from the start to the moment that they are
//! warm again, the idea of LBL's `OptimalStart` and of Samson's self-learning pre-heat:
//!
//! ```text
//! lead = (wanted − within − room + 0.1 K) / slope          at most start_max
//! slope[load] += (measured − slope[load]) / n            n = min(mornings, learning_mornings), 2 if it was slower
//! ```
//!
//! A slower morning counts for more: rooms that are late are cold, rooms that are early cost a little heat.
//!
//! A cold morning leaves less spare capacity, so slopes are kept apart by load; a load not seen yet borrows from the
//! nearest one that was, the colder first, because its slope is the smaller. Without room sensors, or before the first
//! morning, the lead grows in proportion to the load (Danfoss ECL's optimiser on outdoor temperature alone).
//!
//! The stop lets the rooms fall by a little before the level ends, by the free decay of a room that Siemens' quick
//! set-back uses; a room sensor that sees more than that calls the heat back.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::schedule::Look;
use crate::settings::OptimumSettings;
use crate::timer::seconds;

/// Upper ends of the classes of load; the last class has none.
const LOADS: [Ratio; 3] = [Ratio(0.4), Ratio(0.6), Ratio(0.8)];
/// Plausible slopes, K/h: a window closed is no recovery, and a standing room is no reason to start yesterday.
const SLOPES: (f64, f64) = (0.05, 5.0);
/// Room sensors show tenths: what a median may lag behind the rooms that are still cooling.
const QUANTUM: Kelvins = Kelvins(0.1);
/// A recovery shorter or smaller than this is noise of the sensors, which show tenths every quarter of an hour.
const LEARN_FROM: (Duration, Kelvins) = (Duration::from_secs(1800), Kelvins(0.3));
/// A room left alone cools with three times the building constant (Siemens RVL481).
pub const FREE_DECAY: f64 = 3.0;

/// How fast the rooms warmed up in earlier mornings, by load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    slopes: [Option<Slope>; LOADS.len() + 1],
}

/// A mean slope.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// K/h.
    pub kelvins_per_hour: f64,
    /// How many mornings were seen.
    pub mornings: u16,
}

impl Learned {
    /// Takes note of a morning: the rooms gained that much in that time.
    pub fn learn(&mut self, settings: &OptimumSettings, load: Ratio, gained: Kelvins, took: Duration) {
        if took < LEARN_FROM.0 || gained < LEARN_FROM.1 {
            return;
        }
        let measured = (gained.0 / (seconds(took) / 3600.0)).clamp(SLOPES.0, SLOPES.1);
        let slot = &mut self.slopes[class(load)];
        let before = slot.unwrap_or(Slope { kelvins_per_hour: measured, mornings: 0 });
        let mornings = before.mornings.saturating_add(1).min(settings.learning_mornings.max(1));
        let weight = if measured < before.kelvins_per_hour { mornings.min(2) } else { mornings };
        let step = (measured - before.kelvins_per_hour) / f64::from(weight);
        *slot = Some(Slope { kelvins_per_hour: before.kelvins_per_hour + step, mornings });
    }

    /// The slope at a load: its own class, or the nearest one that is known, the colder first.
    pub fn slope(&self, load: Ratio) -> Option<Slope> {
        let own = class(load);
        let colder = self.slopes[own..].iter().flatten().next();
        colder.or_else(|| self.slopes[..own].iter().rev().flatten().next()).copied()
    }

    /// How long before the higher level the circuit has to start. `missing` is what the rooms lack to be warm enough;
    /// none while nobody knows. `lowered_for` is how long the level has been low: the way up is no longer than the night.
    pub fn start_lead(
        &self,
        settings: &OptimumSettings,
        missing: Option<Kelvins>,
        load: Ratio,
        lowered_for: Duration,
    ) -> Duration {
        let lead = match (missing, self.slope(load)) {
            (Some(missing), _) if missing <= Kelvins(0.0) => Duration::ZERO,
            (Some(missing), Some(slope)) => {
                Duration::from_secs_f64((missing + QUANTUM).0 / slope.kelvins_per_hour * 3600.0)
            }
            (_, _) => settings.start_max.mul_f64(load.0.clamp(0.0, 1.0)).min(lowered_for),
        };
        lead.min(settings.start_max)
    }
}

fn class(load: Ratio) -> usize {
    LOADS.iter().take_while(|end| load >= **end).count()
}

/// How long before the lower level the circuit may stop: until rooms that move from `room` towards `towards` have come
/// down to `floor`.
pub fn stop_lead(
    settings: &OptimumSettings,
    building_constant: Duration,
    room: Celsius,
    floor: Celsius,
    towards: Celsius,
) -> Duration {
    if room <= floor {
        return Duration::ZERO;
    }
    if floor <= towards {
        return settings.stop_max;
    }
    let left = (floor - towards) / (room - towards);
    let decay = FREE_DECAY * seconds(building_constant);
    Duration::from_secs_f64((-left.ln() * decay).max(0.0)).min(settings.stop_max)
}

/// Whether the circuit is ahead of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ahead {
    /// It follows the clock.
    #[default]
    No,
    /// The higher level has begun early.
    Started,
    /// The lower level has begun early.
    Stopped,
    /// It had, and the rooms fell too far: the higher level is back until the clock ends it.
    Recalled,
}

impl Ahead {
    /// All of them.
    pub const ALL: [Ahead; 4] = [Ahead::No, Ahead::Started, Ahead::Stopped, Ahead::Recalled];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Ahead::No => "no",
            Ahead::Started => "started",
            Ahead::Stopped => "stopped",
            Ahead::Recalled => "recalled",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Ahead::No => ("按时", "by the clock"),
            Ahead::Started => ("提前启动", "started early"),
            Ahead::Stopped => ("提前停止", "stopped early"),
            Ahead::Recalled => ("室温下降, 恢复供热", "early stop recalled: rooms fell"),
        }
    }

    /// The level in force.
    pub fn level(self, look: &Look) -> Kelvins {
        match self {
            Ahead::Started | Ahead::Stopped => look.next.map_or(look.shift, |next| next.to),
            Ahead::No | Ahead::Recalled => look.shift,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn settings() -> OptimumSettings {
        OptimumSettings { start_max: 8 * HOUR, stop_max: 6 * HOUR, ..OptimumSettings::default() }
    }

    #[test]
    fn the_first_night_starts_in_proportion_to_the_load_and_later_nights_by_what_was_measured() {
        let mut learned = Learned::default();
        let lead = |learned: &Learned, missing: f64, load: f64| {
            learned.start_lead(&settings(), Some(Kelvins(missing)), Ratio(load), 10 * HOUR)
        };
        assert_eq!(lead(&learned, 2.0, 0.5), 4 * HOUR);
        assert_eq!(lead(&learned, -0.1, 0.5), Duration::ZERO);
        learned.learn(&settings(), Ratio(0.5), Kelvins(2.0), 2 * HOUR);
        assert!((seconds(lead(&learned, 2.9, 0.5)) - 3.0 * 3600.0).abs() < 1e-3);
        assert_eq!(lead(&learned, 20.0, 0.5), 8 * HOUR);
        // Nobody knows the rooms: by the load again, and no longer than the night was.
        assert_eq!(learned.start_lead(&settings(), None, Ratio(0.5), HOUR), HOUR);
    }

    #[test]
    fn slopes_are_averaged_over_some_mornings_and_a_slow_one_counts_for_more() {
        let mut learned = Learned::default();
        let mut morning = |hours: u32| {
            learned.learn(&settings(), Ratio(0.5), Kelvins(2.0), hours * HOUR);
            learned.slope(Ratio(0.5)).unwrap().kelvins_per_hour
        };
        assert_eq!((morning(2), morning(4)), (1.0, 0.75));
        assert!((0..30).map(|_| morning(4)).last().unwrap() < 0.501);
        let after_a_quick_one = morning(2);
        assert!((after_a_quick_one - 0.6).abs() < 0.001, "a fifth of the way: {after_a_quick_one}");
        assert!((morning(4) - 0.55).abs() < 0.001, "and half of the way back");
    }

    #[test]
    fn a_load_that_was_never_seen_borrows_from_the_colder_neighbour_first() {
        let mut learned = Learned::default();
        learned.learn(&settings(), Ratio(0.3), Kelvins(2.0), HOUR);
        assert_eq!(learned.slope(Ratio(0.7)).unwrap().kelvins_per_hour, 2.0);
        learned.learn(&settings(), Ratio(0.9), Kelvins(1.0), 2 * HOUR);
        assert_eq!(learned.slope(Ratio(0.7)).unwrap().kelvins_per_hour, 0.5);
        assert_eq!(learned.slope(Ratio(0.2)).unwrap().kelvins_per_hour, 2.0);
    }

    #[test]
    fn a_jump_of_the_sensors_teaches_nothing() {
        let mut learned = Learned::default();
        learned.learn(&settings(), Ratio(0.5), Kelvins(2.0), HOUR / 4);
        learned.learn(&settings(), Ratio(0.5), Kelvins(0.1), 3 * HOUR);
        assert_eq!(learned, Learned::default());
    }

    #[test]
    fn the_stop_ends_when_the_room_is_half_a_kelvin_low() {
        let from =
            |room: f64, towards: f64| stop_lead(&settings(), 20 * HOUR, Celsius(room), Celsius(19.5), Celsius(towards));
        let lead = |towards: f64| from(20.0, towards);
        // No heat at −5 °C: 60 h · ln(25 / 24.5).
        assert!((seconds(lead(-5.0)) / 3600.0 - 60.0 * (25.0_f64 / 24.5).ln()).abs() < 1e-6);
        assert_eq!((lead(18.0), lead(19.8)), (6 * HOUR, 6 * HOUR));
        assert_eq!(from(19.4, -5.0), Duration::ZERO);
    }
}
