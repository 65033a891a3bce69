//! What a circuit does by the clock and by the day: set-back, the way down and up again, and load shed by dispatch.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

/// Set-back, optimum start and stop, boost, load shed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimesSettings {
    /// The building constant in Siemens' sense: a room left alone cools with three times this time constant.
    pub building_constant: Duration,
    /// The reduced level.
    pub set_back: SetBackSettings,
    /// Starting and stopping ahead of the clock.
    pub optimum: OptimumSettings,
    /// More supply while the rooms warm up again.
    pub boost: BoostSettings,
    /// Less heat because dispatch asks for it.
    pub load_shed: LoadShedSettings,
}

impl Default for TimesSettings {
    fn default() -> Self {
        TimesSettings {
            // Siemens RVL481: 20 h from the factory; light 10, medium 25, heavy 50 h.
            building_constant: Duration::from_secs(20 * 3600),
            set_back: SetBackSettings::default(),
            optimum: OptimumSettings::default(),
            boost: BoostSettings::default(),
            load_shed: LoadShedSettings::default(),
        }
    }
}

/// The reduced level of the programme.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetBackSettings {
    /// Above this share of the design load nothing is set back: there is no spare capacity to come back with.
    pub load_max: Ratio,
    /// How the circuit gets down to it.
    pub fall: Fall,
    /// In full at +10 °C outdoors, less and less below, none at this temperature; none makes no difference.
    pub sliding_to: Option<Celsius>,
    /// Below this outdoor temperature the supply is never taken away for a set-back, only lowered.
    pub frost: Celsius,
}

impl Default for SetBackSettings {
    fn default() -> Self {
        SetBackSettings {
            // Own study of set-back: forbid it when q > 0.8.
            load_max: Ratio(0.8),
            fall: Fall::Curve,
            sliding_to: None,
            // Frost begins at 0 °C, as for the heat floor.
            frost: Celsius(0.0),
        }
    }
}

/// How a circuit gets down to the reduced level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fall {
    /// The curve of the reduced room temperature (Samson, ECL without total stop).
    #[default]
    Curve,
    /// The lowest supply until the rooms are down, then the curve (Siemens quick set-back).
    Quick,
    /// No heat for as long as the reduced level lasts (ECL total stop).
    Stop,
}

/// Starting and stopping ahead of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimumSettings {
    /// The longest start ahead of a higher level; zero switches it off.
    pub start_max: Duration,
    /// The longest stop ahead of a lower level; zero switches it off.
    pub stop_max: Duration,
    /// The rooms are warm again when they are this close to the wish.
    pub reached_within: Kelvins,
    /// How far the rooms may have fallen when the higher level ends.
    pub room_drop: Kelvins,
    /// Over how many mornings the measured slope of recovery is averaged.
    pub learning_mornings: u16,
}

impl Default for OptimumSettings {
    fn default() -> Self {
        OptimumSettings {
            start_max: Duration::ZERO,
            stop_max: Duration::ZERO,
            // rwchcd: the warm-up has ended within 0.5 K with a sensor.
            reached_within: Kelvins(0.5),
            // Siemens RVL481: the room may end 0.5 K low.
            room_drop: Kelvins(0.5),
            // A working week: long enough to forget one odd morning, short enough to follow the weather.
            learning_mornings: 5,
        }
    }
}

/// More supply while the rooms warm up again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoostSettings {
    /// How much; none switches it off.
    pub by: Option<Boost>,
    /// It ends after this time at the latest.
    pub lasts_max: Duration,
    /// How much earlier than the clock this circuit begins to recover, so that not all stations do at once.
    pub stagger: Duration,
}

impl Default for BoostSettings {
    fn default() -> Self {
        // Regin Corrigo: 60 min at most.
        BoostSettings { by: None, lasts_max: Duration::from_secs(3600), stagger: Duration::ZERO }
    }
}

/// How much more supply.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boost {
    /// So many kelvins of supply (rwchcd).
    Supply(Kelvins),
    /// A share of the supply's excess over the room (after Danfoss ECL: 1 to 99 %).
    Excess(Ratio),
}

/// Less heat because dispatch asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadShedSettings {
    /// The largest share of the heat that may be shed; zero takes no part.
    pub share_max: Ratio,
    /// What a share that is asked is multiplied with before it is bounded (Siemens: 0 to 200 %).
    pub gain: Ratio,
    /// The longest shed.
    pub lasts_max: Duration,
    /// The longest time of shedding in a day.
    pub per_day_max: Duration,
    /// A shed ends when the coldest rooms are this far below their minimum, or the model says that rooms fell as much.
    pub room_drop: Kelvins,
    /// How fast the supply comes back, K/h: what was saved must not return as a peak.
    pub recovery_per_hour: Kelvins,
}

impl Default for LoadShedSettings {
    fn default() -> Self {
        LoadShedSettings {
            share_max: Ratio(0.0),
            gain: Ratio(1.0),
            // The target of the study: −15 % for 3 h. An hour of reserve.
            lasts_max: Duration::from_secs(4 * 3600),
            // A morning and an evening peak.
            per_day_max: Duration::from_secs(8 * 3600),
            // The same study: a room drop of 0.5 K at most.
            room_drop: Kelvins(0.5),
            // Own trial on the demonstration plant: a shed of 15 % for 3 h comes back with a peak of 14 % at 6 K/h.
            recovery_per_hour: Kelvins(3.0),
        }
    }
}
