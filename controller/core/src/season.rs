//! When the station heats: by date, and on the days around the season by weather too.
//!
//! ```text
//!   earliest      heating_from   start                      end    heating_until    latest
//!  ----|---------------|-----------|--------------------------|----------|-------------|----
//!      |     early     |  warm-up  |          season          | extended |    late     |
//!      |  if 5 days    |           |       heat is due        |          |  if 5 days  |
//!      |  are cold     |                                                 |  are cold   |
//! ```
//!
//! # Why this shape
//! The season is a date that a government sets, and inside of it heat is due whatever the thermometer says: the five
//! standards allow neither a late start nor an interruption nor an early end on the station's own decision. Weather may
//! therefore only *add* days. The measure is the one by which the heating period itself is defined (GB 50736-2012): days
//! with a mean at or below 5 °C, here the mean of the last five days, each of 24 h of what was measured.
//!
//! Heat on added days is not due: no outage is counted on them, and the accident rate's season is the legal one. A
//! government that moves the season moves `first_day` and `last_day`, and then it is due.
//!
//! # What this module does not do
//! Whether a circuit pauses on a warm day of those is the [heating limit's](crate::heating_limit) to say.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::moment::UtcMillis;
use crate::outdoor::Outdoor;
use crate::settings::{Season, ShoulderSettings};
use crate::timer::seconds;

/// Days of the mean that decides.
const DAYS: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// Heat that the weather began ends this far above its limit.
const HYSTERESIS: Kelvins = Kelvins(1.0);
/// Longer without a look, and the days before say nothing of now.
const DAYS_KEEP: Duration = DAY;

/// Why the station heats, or that it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeatingTime {
    /// It is not the time to heat.
    #[default]
    Off,
    /// Before the planned beginning, because five days were cold.
    Early,
    /// The days before the first one, so that it begins warm.
    WarmUp,
    /// The legal season: heat is due.
    Season,
    /// The planned days after the last one.
    Extended,
    /// After the planned end, because five days were cold.
    Late,
}

impl HeatingTime {
    /// All of them.
    pub const ALL: [HeatingTime; 6] = [
        HeatingTime::Off,
        HeatingTime::Early,
        HeatingTime::WarmUp,
        HeatingTime::Season,
        HeatingTime::Extended,
        HeatingTime::Late,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            HeatingTime::Off => "off",
            HeatingTime::Early => "early",
            HeatingTime::WarmUp => "warm_up",
            HeatingTime::Season => "season",
            HeatingTime::Extended => "extended",
            HeatingTime::Late => "late",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            HeatingTime::Off => ("非供热期", "not the time to heat"),
            HeatingTime::Early => ("因天气提前供热", "early, for the weather"),
            HeatingTime::WarmUp => ("热态调试", "warming up before the first day"),
            HeatingTime::Season => ("法定供暖季", "the legal season"),
            HeatingTime::Extended => ("延期供热", "extended after the last day"),
            HeatingTime::Late => ("因天气延期供热", "late, for the weather"),
        }
    }

    /// Whether the station heats.
    pub const fn heats(self) -> bool {
        !matches!(self, HeatingTime::Off)
    }
}

/// What the season remembers: the last days, and whether the weather has called for heat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeasonWatch {
    /// Why the station heats now.
    pub time: HeatingTime,
    days: [Option<Celsius>; DAYS],
    /// The day that runs: kelvin-seconds over 0 °C, and how long it has run.
    sum: f64,
    counted: Duration,
    cold: bool,
}

impl SeasonWatch {
    /// Lets time pass in which nobody looked.
    pub fn age(&mut self, gone: Duration) {
        if gone > DAYS_KEEP {
            *self = SeasonWatch { time: self.time, ..SeasonWatch::default() };
        }
    }

    /// One step.
    pub fn advance(
        &mut self,
        season: &Season,
        shoulder: &ShoulderSettings,
        outdoor: &Outdoor,
        wall: UtcMillis,
        dt: Duration,
    ) -> HeatingTime {
        if outdoor.source.knows_the_weather() {
            self.count(outdoor.now, dt);
        }
        if let Some(mean) = self.mean() {
            let limit = if self.cold { shoulder.mean_limit + HYSTERESIS } else { shoulder.mean_limit };
            self.cold = mean <= limit;
        } else {
            self.cold = false;
        }
        let planned_end = shoulder.heating_until.unwrap_or(season.end).max(season.end);
        let may_begin = shoulder.earliest.is_some_and(|earliest| earliest <= wall && wall < season.heating_from);
        let may_go_on = shoulder.latest.is_some_and(|latest| planned_end <= wall && wall < latest);
        self.time = if season.contains(wall) {
            HeatingTime::Season
        } else if season.heats(wall) {
            HeatingTime::WarmUp
        } else if season.end <= wall && wall < planned_end {
            HeatingTime::Extended
        } else if may_begin && self.cold {
            HeatingTime::Early
        } else if may_go_on && self.cold {
            HeatingTime::Late
        } else {
            HeatingTime::Off
        };
        self.time
    }

    fn count(&mut self, outdoor: Celsius, dt: Duration) {
        self.sum += outdoor.0 * seconds(dt);
        self.counted = self.counted.saturating_add(dt);
        if self.counted >= DAY {
            self.days.rotate_left(1);
            self.days[DAYS - 1] = Some(Celsius(self.sum / seconds(self.counted)));
            (self.sum, self.counted) = (0.0, Duration::ZERO);
        }
    }

    /// The mean of the last five whole days, once there are so many.
    pub fn mean(&self) -> Option<Celsius> {
        let sum = self.days.iter().copied().try_fold(0.0, |sum, day| day.map(|day| sum + day.0));
        sum.map(|sum| Celsius(sum / DAYS as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outdoor::OutdoorSource;

    const HOUR: Duration = Duration::from_secs(3600);

    fn day(number: i64) -> UtcMillis {
        UtcMillis(number * 86_400_000)
    }

    /// The season runs from day 30 to day 60, planned heat from 27 on; weather may add days from 20 on and until 70.
    const SEASON: Season = Season {
        heating_from: UtcMillis(27 * 86_400_000),
        start: UtcMillis(30 * 86_400_000),
        end: UtcMillis(60 * 86_400_000),
    };

    fn by_weather() -> ShoulderSettings {
        ShoulderSettings { earliest: Some(day(20)), latest: Some(day(70)), ..ShoulderSettings::default() }
    }

    /// The name of each change and its day, for weather by day.
    fn run(
        shoulder: &ShoulderSettings,
        source: OutdoorSource,
        weather: impl Fn(i64) -> f64,
    ) -> Vec<(i64, &'static str)> {
        let mut watch = SeasonWatch::default();
        let mut seen = vec![(0, "off")];
        for hour in 0..80 * 24 {
            let outdoor = Outdoor { source, ..Outdoor::sensor(Celsius(weather(hour / 24))) };
            let wall = UtcMillis(hour * 3_600_000);
            let time = watch.advance(&SEASON, shoulder, &outdoor, wall, HOUR).name();
            if seen.last().is_some_and(|(_, last)| *last != time) {
                seen.push((hour / 24, time));
            }
        }
        seen
    }

    const PLANNED: [(i64, &str); 4] = [(0, "off"), (27, "warm_up"), (30, "season"), (60, "off")];

    #[test]
    fn without_leave_the_weather_changes_nothing() {
        assert_eq!(run(&ShoulderSettings::default(), OutdoorSource::Sensor, |_| -10.0), PLANNED);
        assert_eq!(run(&ShoulderSettings::default(), OutdoorSource::Sensor, |_| 25.0), PLANNED);
    }

    #[test]
    fn five_cold_days_begin_the_heat_early_and_carry_it_on() {
        let cold = run(&by_weather(), OutdoorSource::Sensor, |day| if day < 15 { 12.0 } else { 3.0 });
        assert_eq!(cold, [(0, "off"), (20, "early"), (27, "warm_up"), (30, "season"), (60, "late"), (70, "off")]);
    }

    #[test]
    fn a_warm_spell_ends_the_added_days_and_never_the_season() {
        let weather = |day: i64| if day < 62 { 3.0 } else { 16.0 };
        assert_eq!(run(&by_weather(), OutdoorSource::Sensor, weather).last(), Some(&(63, "off")));
        assert_eq!(run(&by_weather(), OutdoorSource::Sensor, |_| 25.0), PLANNED);
    }

    #[test]
    fn what_is_not_measured_calls_for_no_heat() {
        assert_eq!(run(&by_weather(), OutdoorSource::Fallback, |_| 0.0), PLANNED);
    }

    #[test]
    fn planned_days_after_the_last_one_need_no_cold() {
        let shoulder = ShoulderSettings { heating_until: Some(day(63)), ..ShoulderSettings::default() };
        assert_eq!(run(&shoulder, OutdoorSource::Sensor, |_| 9.0)[3..], [(60, "extended"), (63, "off")]);
    }

    #[test]
    fn days_before_a_long_silence_are_forgotten() {
        let mut watch = SeasonWatch { days: [Some(Celsius(-3.0)); DAYS], ..SeasonWatch::default() };
        watch.age(HOUR * 20);
        assert_eq!(watch.mean(), Some(Celsius(-3.0)));
        watch.age(HOUR * 30);
        assert_eq!(watch.mean(), None);
    }
}
