//! Frost protection: what is demanded against freezing, in every mode and in manual too.
//!
//! | stage | when | what is demanded |
//! |---|---|---|
//! | circulate | outdoors below the frost limit | circulation, in every mode |
//! | stir | nobody knows the outdoor temperature, and water is cool | circulation for ten minutes every six hours |
//! | heat | water is cold | circulation and heat, until it has some margin |
//! | danger | a building's return, or a room, is cold | the same, whatever limits and outside wishes say, and the urgent alarm |
//!
//! A lost outdoor temperature counts as frost, because the ladder's last rung lies on the frost side. Where it was put
//! elsewhere, stirring finds out what the water in the buildings has become: standing water tells of the plant room only.
//!
//! # How long until it freezes
//! Water without heat falls towards the outdoor temperature by T(t) = Tₒ + (T₀ − Tₒ) e^(−t/τ). τ is seen in each ten
//! minutes' fall; from it follows when the coldest water that is measured stands at 0 °C. It is an estimate for the person
//! who drives there, and nothing acts on it.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitReadings, Kelvins};
use serde::{Deserialize, Serialize};

use crate::outdoor::{Outdoor, OutdoorSource};
use crate::settings::FrostSettings;
use crate::timer::{Held, seconds};

/// How far frost protection goes, from nothing to danger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrostStage {
    /// No danger.
    #[default]
    None,
    /// Circulation, because it is cold outdoors.
    Circulate,
    /// Circulation for a while, because nobody knows how cold it is outdoors.
    Stir,
    /// Circulation and heat, because water is cold.
    Heat,
    /// The same over limits and wishes, because a building or a room is cold.
    Danger,
}

impl FrostStage {
    /// All of them, from the least to the most urgent.
    pub const ALL: [FrostStage; 5] =
        [FrostStage::None, FrostStage::Circulate, FrostStage::Stir, FrostStage::Heat, FrostStage::Danger];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            FrostStage::None => "none",
            FrostStage::Circulate => "circulate",
            FrostStage::Stir => "stir",
            FrostStage::Heat => "heat",
            FrostStage::Danger => "danger",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            FrostStage::None => ("无需防冻", "no frost protection needed"),
            FrostStage::Circulate => ("室外低温, 保持循环", "cold outdoors: circulating"),
            FrostStage::Stir => ("室外温度未知, 定时循环", "outdoor temperature unknown: stirring"),
            FrostStage::Heat => ("水温低, 防冻加热", "cold water: heating"),
            FrostStage::Danger => ("楼栋或室内冻结危险", "a building or room may freeze"),
        }
    }

    /// Whether circulation is demanded.
    pub const fn circulates(self) -> bool {
        match self {
            FrostStage::None => false,
            FrostStage::Circulate | FrostStage::Stir | FrostStage::Heat | FrostStage::Danger => true,
        }
    }

    /// Whether heat is demanded.
    pub const fn heats(self) -> bool {
        match self {
            FrostStage::None | FrostStage::Circulate | FrostStage::Stir => false,
            FrostStage::Heat | FrostStage::Danger => true,
        }
    }
}

/// What frost protection looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// The outdoor temperature.
    pub outdoor: Outdoor,
    /// The coldest water that is measured.
    pub water: Option<Celsius>,
    /// The coldest water that comes back from a building, or from all of them while it moves.
    pub coming_back: Option<Celsius>,
    /// The coldest room that is freshly measured.
    pub room: Option<Celsius>,
    /// Whether no heat reaches the water.
    pub unheated: bool,
}

impl Sight {
    /// What can be seen in these readings.
    pub fn of(readings: &CircuitReadings, outdoor: Outdoor, room: Option<Celsius>, circulating: Option<bool>) -> Sight {
        let buildings = readings.buildings.iter().filter_map(|building| building.return_temperature.usable());
        let station = readings.own.return_temperature.usable().filter(|_| circulating == Some(true));
        let coming_back = buildings.chain(station).reduce(Celsius::min);
        Sight { outdoor, water: coldest_water(readings), coming_back, room, unheated: false }
    }
}

/// What frost protection remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Frost {
    heating: bool,
    held: Held,
    circulating: bool,
    danger: bool,
    danger_held: Held,
    /// How long the outdoor temperature has been unknown and the water cool, within one round of stirring.
    stirring: Duration,
    cooling: Cooling,
}

/// Heat is demanded for at least this long (Siemens RVD: 5 min).
const HEAT_MIN: Duration = Duration::from_secs(300);
/// A room or a building has to be cold for so long: a window, a sensor that was carried about.
const DANGER_AFTER: Duration = Duration::from_secs(600);
/// Danger is over this far above its limit.
const DANGER_OVER: Kelvins = Kelvins(2.0);
/// Circulation by the outdoor temperature ends this far above its limit (rwchcd: 1 K), so that no pump chatters at 3 °C.
const OUTDOOR_OVER: Kelvins = Kelvins(1.0);

/// The coldest water that is measured.
pub fn coldest_water(readings: &CircuitReadings) -> Option<Celsius> {
    let colder = |one: Option<Celsius>, other: Option<Celsius>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (known, None) | (None, known) => known,
    };
    let of_circuit = colder(readings.own.supply_temperature.usable(), readings.own.return_temperature.usable());
    let of_buildings = readings.buildings.iter().map(|building| building.return_temperature.usable());
    of_buildings.fold(of_circuit, colder)
}

impl Frost {
    /// One step.
    pub fn advance(&mut self, settings: &FrostSettings, sight: &Sight, dt: Duration) -> FrostStage {
        let below = |limit: Celsius| sight.water.is_some_and(|water| water < limit);
        let restored = sight.water.is_some_and(|water| water >= settings.water_restored);
        if self.heating {
            if self.held.for_at_least(HEAT_MIN, restored, dt) {
                self.heating = false;
            }
        } else if below(settings.water) {
            (self.heating, self.held) = (true, Held::default());
        }
        self.judge_danger(settings, sight, dt);
        let limit = if self.circulating { settings.outdoor + OUTDOOR_OVER } else { settings.outdoor };
        self.circulating = sight.outdoor.now < limit;
        let stirs = self.stirs(settings, sight, dt);
        self.cooling.watch(sight, dt);
        if self.danger {
            FrostStage::Danger
        } else if self.heating {
            FrostStage::Heat
        } else if self.circulating {
            FrostStage::Circulate
        } else if stirs {
            FrostStage::Stir
        } else {
            FrostStage::None
        }
    }

    fn judge_danger(&mut self, settings: &FrostSettings, sight: &Sight, dt: Duration) {
        let coldest = [sight.coming_back, sight.room].into_iter().flatten().reduce(Celsius::min);
        let changes = if self.danger {
            let over = coldest.is_some_and(|coldest| coldest >= settings.danger + DANGER_OVER);
            self.danger_held.for_at_least(HEAT_MIN, over, dt)
        } else {
            let cold = coldest.is_some_and(|coldest| coldest < settings.danger);
            self.danger_held.for_at_least(DANGER_AFTER, cold, dt)
        };
        if changes {
            (self.danger, self.danger_held) = (!self.danger, Held::default());
        }
    }

    fn stirs(&mut self, settings: &FrostSettings, sight: &Sight, dt: Duration) -> bool {
        let unknown = sight.outdoor.source == OutdoorSource::Fallback;
        if !unknown || sight.water.is_none_or(|water| water >= settings.stir_below) {
            self.stirring = Duration::ZERO;
            return false;
        }
        self.stirring = self.stirring.saturating_add(dt);
        if self.stirring > settings.stir_every {
            self.stirring = dt;
        }
        self.stirring <= settings.stir_for
    }

    /// When the coldest water will stand at 0 °C, as it looks now; none while nothing cools.
    pub fn freezes_in(&self) -> Option<Duration> {
        self.cooling.freezes_in
    }
}

/// The fall of the coldest water.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Cooling {
    from: Option<Celsius>,
    since: Duration,
    freezes_in: Option<Duration>,
}

/// A fall is read over so long: tenths of a kelvin need that.
const LOOK: Duration = Duration::from_secs(600);
/// Later than this is no estimate.
const HORIZON: Duration = Duration::from_secs(72 * 3600);
/// A fall of less than this is a thermometer's grain.
const GRAIN: Kelvins = Kelvins(0.15);

impl Cooling {
    fn watch(&mut self, sight: &Sight, dt: Duration) {
        let Some(water) = sight.water.filter(|water| sight.unheated && sight.outdoor.now.0 < 0.0 && water.0 > 0.0)
        else {
            *self = Cooling::default();
            return;
        };
        let Some(from) = self.from else {
            *self = Cooling { from: Some(water), ..Cooling::default() };
            return;
        };
        self.since = self.since.saturating_add(dt);
        if let Some(left) = &mut self.freezes_in {
            *left = left.saturating_sub(dt);
        }
        if self.since < LOOK {
            return;
        }
        let outdoor = sight.outdoor.now;
        let fall = from - water;
        self.freezes_in = (fall > GRAIN).then(|| {
            let rate = ((from - outdoor).0 / (water - outdoor).0).ln() / seconds(self.since);
            let left = ((water - outdoor).0 / -outdoor.0).ln() / rate;
            Duration::from_secs_f64(left.clamp(0.0, seconds(HORIZON)))
        });
        (self.from, self.since) = (Some(water), Duration::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FrostStage::{Circulate, Danger, Heat, None as Nothing, Stir};

    const MINUTE: Duration = Duration::from_secs(60);

    fn outdoor(now: f64, source: OutdoorSource) -> Outdoor {
        Outdoor { source, ..Outdoor::sensor(Celsius(now)) }
    }

    fn sight(now: f64, water: f64) -> Sight {
        let outdoor = outdoor(now, OutdoorSource::Sensor);
        Sight { outdoor, water: Some(Celsius(water)), coming_back: None, room: None, unheated: false }
    }

    fn minutes(frost: &mut Frost, sight: Sight, count: u64) -> FrostStage {
        let settings = FrostSettings::default();
        (0..count).map(|_| frost.advance(&settings, &sight, MINUTE)).last().unwrap()
    }

    #[test]
    fn cold_outside_circulates_and_cold_water_heats_until_it_has_a_margin() {
        let mut frost = Frost::default();
        let mut demand = |outdoor: f64, water: f64, count: u64| minutes(&mut frost, sight(outdoor, water), count);
        assert_eq!(demand(8.0, 20.0, 1), Nothing);
        assert_eq!(demand(2.0, 20.0, 1), Circulate);
        assert_eq!(demand(3.5, 20.0, 1), Circulate, "it ends a kelvin above");
        assert_eq!(demand(4.1, 20.0, 1), Nothing);
        assert_eq!(demand(8.0, 4.0, 1), Heat);
        assert_eq!(demand(8.0, 9.0, 10), Heat);
        assert_eq!(demand(8.0, 11.0, 6), Nothing);
    }

    #[test]
    fn without_any_outdoor_temperature_cool_water_is_stirred_for_ten_minutes_every_six_hours() {
        let mut frost = Frost::default();
        let unknown = Sight { outdoor: outdoor(8.0, OutdoorSource::Fallback), ..sight(8.0, 9.0) };
        let stirred = (0..24 * 60).filter(|_| minutes(&mut frost, unknown, 1) == Stir).count();
        assert_eq!(stirred, 40);
        let warm = Sight { water: Some(Celsius(15.0)), ..unknown };
        assert_eq!(minutes(&mut frost, warm, 400), Nothing);
        let frosty = Sight { outdoor: outdoor(0.0, OutdoorSource::Fallback), ..unknown };
        assert_eq!(minutes(&mut frost, frosty, 400), Circulate, "the usual fallback counts as frost");
    }

    #[test]
    fn a_cold_building_or_room_is_danger_after_ten_minutes_and_until_it_has_two_kelvins_more() {
        for cold in [
            Sight { coming_back: Some(Celsius(7.5)), ..sight(5.0, 30.0) },
            Sight { room: Some(Celsius(7.5)), ..sight(5.0, 30.0) },
        ] {
            let warmer = |to: f64| Sight {
                coming_back: cold.coming_back.map(|_| Celsius(to)),
                room: cold.room.map(|_| Celsius(to)),
                ..cold
            };
            let mut frost = Frost::default();
            assert_eq!(minutes(&mut frost, cold, 9), Nothing);
            assert_eq!(minutes(&mut frost, warmer(9.0), 1), Nothing, "a window was open");
            assert_eq!(minutes(&mut frost, cold, 10), Danger);
            assert_eq!(minutes(&mut frost, warmer(9.0), 60), Danger);
            assert_eq!(minutes(&mut frost, warmer(10.0), 4), Danger);
            assert_eq!(minutes(&mut frost, warmer(10.0), 1), Nothing);
        }
    }

    #[test]
    fn the_time_to_freezing_is_that_of_the_exponential_fall() {
        // τ 20 h at −10 °C from 30 °C: at 0 °C after 20 h · ln 4 = 27.7 h.
        let mut frost = Frost::default();
        let water = |minute: f64| -10.0 + 40.0 * (-minute / 1200.0).exp();
        for minute in 0..=120 {
            let unheated = Sight { unheated: true, ..sight(-10.0, (water(f64::from(minute)) * 10.0).round() / 10.0) };
            minutes(&mut frost, unheated, 1);
        }
        let hours = frost.freezes_in().unwrap().as_secs_f64() / 3600.0;
        assert!((hours - (27.7 - 2.0)).abs() < 2.5, "{hours} h");
        minutes(&mut frost, sight(-10.0, 26.0), 1);
        assert_eq!(frost.freezes_in(), None, "heat is back");
    }
}
