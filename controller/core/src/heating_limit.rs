//! The heating limit (ECO, 停暖温度): no heat while three outdoor temperatures say that none is needed.
//!
//! ```text
//!               all three above the limit for ten minutes
//!  [ Heating ] -------------------------------------------> [ Paused ]
//!       ^_____________________________________________________|
//!          any of them below the limit by the hysteresis, or heat is owed, or the weather is not known
//! ```
//!
//! # Why three
//! The temperature of the moment alone would stop the heat on each sunny noon of a cold week, the smoothed one alone would
//! keep the heat off through the first cold evening. So to stop needs *all* of them (the rule of Siemens RVL and rwchcd):
//!
//! ```text
//! actual       T                           the sensor
//! composite    (T + LP(T; building)) / 2   what windows and walls feel together
//! attenuated   LP(LP(T; building); building)   what a heavy house remembers
//! ```
//!
//! and any one of them brings it back.
//!
//! # What it may close, and what not
//! Heat is *due* on each day of the legal season: all five standards forbid the station to interrupt it of its own accord
//! (standards: season, no early stop), and their accident rate counts the hours. So in the season, and on the day before
//! it, which warms the walls up, the limit closes nothing where people live. It works on the days around the season, which
//! are the station's own to give. A circuit without dwellings (offices, schools) may be told to obey it always, if its
//! contract says so; then nothing is wanted while it pauses, so nothing is missing: the time is booked as supplied, and
//! no outage is opened, until the water has had an hour to warm up again. A pump that does not run or an interlock that
//! holds in that hour is an outage nevertheless.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::equivalent_outdoor::Equivalent;
use crate::moment::UtcMillis;
use crate::outdoor::Outdoor;
use crate::settings::{HeatingLimitScope, HeatingLimitSettings, Season};
use crate::timer::Held;

/// A gust of warm air is no summer (rwchcd decides every ten minutes).
const WARM_FOR: Duration = Duration::from_secs(600);
/// Cold walls take a day: the last one before the first day of the season is not paused.
const BEFORE_FIRST_DAY: Duration = Duration::from_secs(86_400);
/// After a pause the water is warm again within this; its setpoint rises by 20 K an hour.
const WARM_UP: Duration = Duration::from_secs(3600);
/// Pumps start and prove themselves within this.
const START: Duration = Duration::from_secs(300);

/// Whether heat is owed to the people behind a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// It is: the legal season, or the day before it.
    Heat,
    /// It is the station's to give.
    Nothing,
}

impl Owed {
    /// By the calendar.
    pub fn at(season: &Season, wall: UtcMillis) -> Owed {
        let soon = season.start <= wall.plus(BEFORE_FIRST_DAY);
        if soon && wall < season.end { Owed::Heat } else { Owed::Nothing }
    }
}

/// What the heating limit says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eco {
    /// There is none, or it may close nothing now.
    #[default]
    Unlimited,
    /// It is cold enough to heat.
    Heating,
    /// No heat is needed.
    Paused,
}

impl Eco {
    /// All of them.
    pub const ALL: [Eco; 3] = [Eco::Unlimited, Eco::Heating, Eco::Paused];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Eco::Unlimited => "unlimited",
            Eco::Heating => "heating",
            Eco::Paused => "paused",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Eco::Unlimited => ("不限", "no limit"),
            Eco::Heating => ("需要供热", "cold enough to heat"),
            Eco::Paused => ("室外温度高, 暂停供热", "warm outside: heat paused"),
        }
    }
}

/// What the limit remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeatingLimit {
    warm: Held,
    paused: bool,
    /// How long ago the last pause ended; none while there was none of late.
    resumed: Option<Duration>,
}

impl HeatingLimit {
    /// One step.
    pub fn advance(
        &mut self,
        settings: Option<&HeatingLimitSettings>,
        outdoor: &Outdoor,
        equivalent: &Equivalent,
        owed: Owed,
        dt: Duration,
    ) -> Eco {
        let settings = settings.filter(|settings| match settings.scope {
            HeatingLimitScope::Always => true,
            HeatingLimitScope::OutsideSeason => owed == Owed::Nothing,
        });
        let was_paused = self.paused;
        let eco = settings.map_or(Eco::Unlimited, |settings| self.judge(settings, outdoor, equivalent, dt));
        self.paused = eco == Eco::Paused;
        self.resumed = match self.resumed {
            _ if self.paused => None,
            None if was_paused => Some(Duration::ZERO),
            Some(gone) if gone + dt < WARM_UP => Some(gone + dt),
            Some(_) | None => None,
        };
        eco
    }

    fn judge(
        &mut self,
        settings: &HeatingLimitSettings,
        outdoor: &Outdoor,
        equivalent: &Equivalent,
        dt: Duration,
    ) -> Eco {
        let three = [outdoor.now, equivalent.composite, equivalent.attenuated];
        let all_above = |limit: Celsius| three.iter().all(|temperature| *temperature > limit);
        // Where nobody knows the weather, heat is the safe side.
        let known = outdoor.source.knows_the_weather();
        let hysteresis = if self.paused { settings.hysteresis } else { Kelvins(0.0) };
        let warm = known && all_above(settings.limit - hysteresis);
        let for_long = self.warm.for_at_least(WARM_FOR, warm, dt);
        if warm && (self.paused || for_long) { Eco::Paused } else { Eco::Heating }
    }

    /// Whether it pauses now.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether it paused so shortly ago that water which circulates, or pumps which start, have not become warm yet.
    pub fn is_warming_up(&self, circulating: Option<bool>) -> bool {
        self.resumed.is_some_and(|gone| gone < START || circulating == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outdoor::OutdoorSource;

    const MINUTE: Duration = Duration::from_secs(60);
    const SETTINGS: HeatingLimitSettings = HeatingLimitSettings {
        limit: Celsius(16.0),
        hysteresis: Kelvins(1.0),
        scope: HeatingLimitScope::OutsideSeason,
    };

    /// What it says after so many minutes of these three temperatures.
    fn after(limit: &mut HeatingLimit, minutes: u32, owed: Owed, [actual, composite, attenuated]: [f64; 3]) -> Eco {
        let outdoor = Outdoor::sensor(Celsius(actual));
        let equivalent =
            Equivalent { composite: Celsius(composite), attenuated: Celsius(attenuated), ..Equivalent::default() };
        (0..minutes).map(|_| limit.advance(Some(&SETTINGS), &outdoor, &equivalent, owed, MINUTE)).last().unwrap()
    }

    #[test]
    fn to_pause_needs_all_three_and_any_of_them_brings_the_heat_back() {
        let mut limit = HeatingLimit::default();
        for two_of_three in [[20.0, 17.0, 12.0], [20.0, 12.0, 17.0], [12.0, 17.0, 17.0]] {
            assert_eq!(after(&mut limit, 60, Owed::Nothing, two_of_three), Eco::Heating);
        }
        assert_eq!(after(&mut limit, 9, Owed::Nothing, [20.0, 18.0, 17.0]), Eco::Heating);
        assert_eq!(after(&mut limit, 1, Owed::Nothing, [20.0, 18.0, 17.0]), Eco::Paused);
        assert_eq!(after(&mut limit, 600, Owed::Nothing, [15.5, 15.5, 15.5]), Eco::Paused, "inside the hysteresis");
        for one_of_three in [[14.9, 18.0, 18.0], [18.0, 14.9, 18.0], [18.0, 18.0, 14.9]] {
            let mut limit = limit;
            assert_eq!(after(&mut limit, 1, Owed::Nothing, one_of_three), Eco::Heating);
        }
    }

    #[test]
    fn where_heat_is_owed_it_closes_nothing() {
        let mut limit = HeatingLimit::default();
        assert_eq!(after(&mut limit, 600, Owed::Heat, [25.0, 25.0, 25.0]), Eco::Unlimited);
        let season =
            Season { heating_from: UtcMillis(0), start: UtcMillis(10 * 86_400_000), end: UtcMillis(20 * 86_400_000) };
        let owed = |hours: i64| Owed::at(&season, UtcMillis(hours * 3_600_000));
        assert_eq!(
            [owed(8 * 24), owed(9 * 24), owed(20 * 24 - 1), owed(20 * 24)],
            [Owed::Nothing, Owed::Heat, Owed::Heat, Owed::Nothing]
        );
    }

    #[test]
    fn an_unknown_weather_pauses_nothing() {
        let mut limit = HeatingLimit::default();
        let outdoor = Outdoor { source: OutdoorSource::LastGood, ..Outdoor::sensor(Celsius(25.0)) };
        let warm = Celsius(25.0);
        let equivalent = Equivalent { composite: warm, attenuated: warm, ..Equivalent::default() };
        for _ in 0..60 {
            let eco = limit.advance(Some(&SETTINGS), &outdoor, &equivalent, Owed::Nothing, MINUTE);
            assert_eq!(eco, Eco::Heating);
        }
    }

    #[test]
    fn the_hour_after_a_pause_excuses_cool_water_and_no_standing_pump() {
        let mut limit = HeatingLimit::default();
        assert!(!limit.is_warming_up(Some(true)));
        after(&mut limit, 20, Owed::Nothing, [20.0, 20.0, 20.0]);
        assert!(limit.is_paused());
        after(&mut limit, 2, Owed::Nothing, [10.0, 18.0, 18.0]);
        assert!(!limit.is_paused() && limit.is_warming_up(Some(false)), "pumps start");
        after(&mut limit, 10, Owed::Nothing, [10.0, 18.0, 18.0]);
        assert!(limit.is_warming_up(Some(true)));
        assert!(!limit.is_warming_up(Some(false)), "pumps have had their time");
        after(&mut limit, 60, Owed::Nothing, [10.0, 18.0, 18.0]);
        assert!(!limit.is_warming_up(Some(true)));
    }
}
