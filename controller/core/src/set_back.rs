//! The reduced level: how much of it, and how the circuit gets down to it.
//!
//! # How much
//! All of what the programme asks at +10 °C and above; less and less below where a sliding set-back is configured (Danfoss
//! ECL "auto saving"), so that cold nights keep their heat; nothing at all above a share of the design load, because then
//! there is no spare capacity to come back with, and nothing while frost protection demands heat.
//!
//! # How
//! By the curve of the reduced room temperature, or quickly: the lowest supply until the rooms are within 0.5 K of the
//! reduced level, or, where nobody measures them, for (Siemens RVL481)
//!
//! ```text
//! t = 3 · τ · ln((T_normal − T_outdoor) / (T_reduced − T_outdoor))
//! ```
//!
//! Or not at all while the level lasts (total stop): the valve closes on water that is warmer than the frost setpoint,
//! circulation goes on, and rooms that reach the reduced level are held there. Neither is done in frost.
//!
//! # What this module does not do
//! When the level begins and ends is for [`schedule`](crate::schedule) and [`optimum`](crate::optimum).

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::optimum::FREE_DECAY;
use crate::settings::{Fall, SetBackSettings};
use crate::timer::seconds;

/// A sliding set-back is in full from here on (Danfoss ECL: linear from +10 °C to the setting).
pub const SLIDING_FROM: Celsius = Celsius(10.0);
/// A set-back that was forbidden for the load comes back this much below, or the edge of the weather would toggle it.
const LOAD_HYSTERESIS: Ratio = Ratio(0.05);
/// Quick set-back with room sensors ends this close to the reduced level (Siemens RVL481).
const DOWN_WITHIN: Kelvins = Kelvins(0.5);

/// Why nothing is set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The load is too high.
    Load,
    /// Frost protection demands heat.
    Frost,
    /// The sliding set-back has come to its end.
    Sliding,
}

impl Withheld {
    /// All of them.
    pub const ALL: [Withheld; 3] = [Withheld::Load, Withheld::Frost, Withheld::Sliding];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Withheld::Load => "load",
            Withheld::Frost => "frost",
            Withheld::Sliding => "sliding",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Withheld::Load => ("负荷过高, 不降温", "no set-back: the load is too high"),
            Withheld::Frost => ("防冻, 不降温", "no set-back: frost protection"),
            Withheld::Sliding => ("天气寒冷, 不降温", "no set-back: too cold for a sliding one"),
        }
    }
}

/// What a set-back looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation {
    /// The level that the programme asks, relative to the room target.
    pub level: Kelvins,
    /// The room target.
    pub room_target: Celsius,
    /// The smoothed outdoor temperature.
    pub outdoor: Celsius,
    /// The load at the room target.
    pub load: Ratio,
    /// Whether frost protection demands heat.
    pub frost: bool,
    /// How long the level has been falling: none while it is not.
    pub falling_for: Option<Duration>,
    /// The rooms when it began to fall.
    pub room_before: Option<Celsius>,
    /// The rooms.
    pub room: Option<Celsius>,
}

/// What a set-back remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetBack {
    forbidden_for_load: bool,
    down: bool,
}

/// What becomes of the level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SetBackNow {
    /// What is given back of the level, in kelvins of room temperature.
    pub given_back: Kelvins,
    /// How the supply is held down, if it is.
    pub hold_down: Option<HoldDown>,
    /// Why nothing is set back.
    pub withheld: Option<Withheld>,
}

/// How the supply is held down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldDown {
    /// To the lowest setpoint of the circuit.
    Lowest,
    /// To what frost protection would ask: no heat.
    NoHeat,
}

impl SetBack {
    /// One step.
    pub fn advance(&mut self, settings: &SetBackSettings, building_constant: Duration, at: &Situation) -> SetBackNow {
        let load_max = settings.load_max - if self.forbidden_for_load { LOAD_HYSTERESIS } else { Ratio::ZERO };
        self.forbidden_for_load = at.load > load_max;
        if at.level >= Kelvins(0.0) {
            self.down = false;
            return SetBackNow::default();
        }
        let share = settings.sliding_to.map_or(Ratio::ONE, |none_at| sliding(none_at, at.outdoor));
        let withheld = if at.frost {
            Some(Withheld::Frost)
        } else if self.forbidden_for_load {
            Some(Withheld::Load)
        } else {
            (share == Ratio::ZERO).then_some(Withheld::Sliding)
        };
        if withheld.is_some() {
            return SetBackNow { given_back: -at.level, hold_down: None, withheld };
        }
        let level = at.level * share.0;
        let hold_down = self.hold_down(settings, building_constant, at, level).filter(|_| at.outdoor >= settings.frost);
        SetBackNow { given_back: level - at.level, hold_down, withheld: None }
    }

    fn hold_down(
        &mut self,
        settings: &SetBackSettings,
        building_constant: Duration,
        at: &Situation,
        level: Kelvins,
    ) -> Option<HoldDown> {
        let lasted = at.falling_for?;
        if lasted.is_zero() {
            self.down = false;
        }
        let reduced = at.room_target + level;
        match settings.fall {
            Fall::Curve => return None,
            Fall::Quick => {
                self.down |= at.room.map_or_else(
                    || lasted >= time_to_fall(building_constant, at.room_target, reduced, at.outdoor),
                    |room| room <= at.room_before.unwrap_or(at.room_target) + level + DOWN_WITHIN,
                );
            }
            Fall::Stop => self.down |= at.room.is_some_and(|room| room <= reduced),
        }
        (!self.down).then_some(if settings.fall == Fall::Stop { HoldDown::NoHeat } else { HoldDown::Lowest })
    }
}

/// The share of the set-back that is made.
fn sliding(none_at: Celsius, outdoor: Celsius) -> Ratio {
    Ratio(((outdoor - none_at) / (SLIDING_FROM - none_at)).clamp(0.0, 1.0))
}

/// How long rooms without heat take to fall from one temperature to another. For ever, where it is too mild for that.
fn time_to_fall(building_constant: Duration, from: Celsius, to: Celsius, outdoor: Celsius) -> Duration {
    let (before, after) = ((from - outdoor).0, (to - outdoor).0);
    if after <= 0.0 || before <= after {
        return Duration::MAX;
    }
    Duration::from_secs_f64(FREE_DECAY * seconds(building_constant) * (before / after).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const CONSTANT: Duration = Duration::from_secs(20 * 3600);

    fn night(outdoor: f64) -> Situation {
        Situation {
            level: Kelvins(-4.0),
            room_target: Celsius(20.0),
            outdoor: Celsius(outdoor),
            load: Ratio(0.5),
            frost: false,
            falling_for: Some(Duration::ZERO),
            room_before: None,
            room: None,
        }
    }

    fn once(settings: &SetBackSettings, at: &Situation) -> SetBackNow {
        SetBack::default().advance(settings, CONSTANT, at)
    }

    #[test]
    fn by_default_the_level_is_what_the_programme_says() {
        assert_eq!(once(&SetBackSettings::default(), &night(3.0)), SetBackNow::default());
    }

    #[test]
    fn nothing_is_set_back_on_a_day_near_the_design_and_while_frost_protection_heats() {
        let settings = SetBackSettings { fall: Fall::Stop, ..SetBackSettings::default() };
        let cold = Situation { load: Ratio(0.85), ..night(3.0) };
        let frost = Situation { frost: true, ..night(3.0) };
        for (at, why) in [(cold, Withheld::Load), (frost, Withheld::Frost)] {
            let now = once(&settings, &at);
            assert_eq!(now, SetBackNow { given_back: Kelvins(4.0), hold_down: None, withheld: Some(why) });
        }
    }

    #[test]
    fn weather_at_the_edge_of_the_load_does_not_toggle_the_set_back() {
        let mut set_back = SetBack::default();
        let mut withheld = |load: f64| {
            let at = Situation { load: Ratio(load), ..night(3.0) };
            set_back.advance(&SetBackSettings::default(), CONSTANT, &at).withheld
        };
        assert_eq!(withheld(0.79), None);
        assert_eq!(withheld(0.81), Some(Withheld::Load));
        assert_eq!(withheld(0.79), Some(Withheld::Load));
        assert_eq!(withheld(0.74), None);
    }

    #[test]
    fn a_sliding_set_back_is_in_full_at_ten_degrees_and_nothing_at_its_setting() {
        let settings = SetBackSettings { sliding_to: Some(Celsius(-15.0)), ..SetBackSettings::default() };
        let left = |outdoor: f64| {
            let now = once(&settings, &night(outdoor));
            -4.0 + now.given_back.0
        };
        assert_eq!((left(12.0), left(10.0), left(-2.5), left(-15.0), left(-20.0)), (-4.0, -4.0, -2.0, 0.0, 0.0));
        assert_eq!(once(&settings, &night(-15.0)).withheld, Some(Withheld::Sliding));
    }

    #[test]
    fn a_quick_set_back_without_sensors_lasts_as_long_as_the_building_constant_says() {
        let settings = SetBackSettings { fall: Fall::Quick, ..SetBackSettings::default() };
        let mut set_back = SetBack::default();
        let mut hold = |hours: f64| {
            let at = Situation { falling_for: Some(Duration::from_secs_f64(hours * 3600.0)), ..night(2.0) };
            set_back.advance(&settings, CONSTANT, &at).hold_down
        };
        let whole = 60.0 * (18.0_f64 / 14.0).ln();
        assert_eq!(hold(0.0), Some(HoldDown::Lowest));
        assert_eq!(hold(whole - 0.1), Some(HoldDown::Lowest));
        assert_eq!(hold(whole + 0.1), None);
    }

    #[test]
    fn a_quick_set_back_with_sensors_ends_half_a_kelvin_above_the_reduced_level_and_does_not_come_back() {
        let settings = SetBackSettings { fall: Fall::Quick, ..SetBackSettings::default() };
        let mut set_back = SetBack::default();
        let mut hold = |room: f64| {
            let (room, room_before) = (Some(Celsius(room)), Some(Celsius(21.2)));
            let at = Situation { falling_for: Some(HOUR), room, room_before, ..night(2.0) };
            set_back.advance(&settings, CONSTANT, &at).hold_down
        };
        assert_eq!(hold(18.0), Some(HoldDown::Lowest));
        assert_eq!(hold(17.7), None);
        assert_eq!(hold(18.0), None);
    }

    #[test]
    fn a_total_stop_holds_rooms_that_have_come_down_and_is_not_made_in_frost() {
        let settings = SetBackSettings { fall: Fall::Stop, ..SetBackSettings::default() };
        let hold = |outdoor: f64, room: f64| {
            once(&settings, &Situation { room: Some(Celsius(room)), ..night(outdoor) }).hold_down
        };
        assert_eq!(hold(2.0, 18.0), Some(HoldDown::NoHeat));
        assert_eq!(hold(2.0, 16.0), None);
        assert_eq!(hold(-0.1, 18.0), None);
    }
}
