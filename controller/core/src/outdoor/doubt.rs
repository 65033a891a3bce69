//! Whether an outdoor sensor can be believed: sun on it, or a value that stands still.
//!
//! ```text
//!               warmer than the service                 for sun_after
//!  [ Agrees ] --------------------------> [ Warmer ] -------------------> [ Sunlit ]
//!    ^    ^________________________________|  less                          |    | for 16 h: the sun does not
//!    |                                                                      |    | shine that long
//!    |_____________________________ near again for an hour _________________|    v
//!    |______________________________________________________________ [ ServiceWrong ]
//! ```
//!
//! A sensor that reads too cold is left in use: it costs heat, not health, and a service must not be able to turn the
//! heating down below what a sensor on the wall asks for.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};
use serde::{Deserialize, Serialize};

use crate::settings::OutdoorSettings;
use crate::timer::Held;

/// Near again: this share of the excess that raised the doubt.
const NEAR_SHARE: f64 = 0.5;
/// Near again for this long ends a doubt.
const NEAR_FOR: Duration = Duration::from_secs(3600);
/// The longest day of a heating season, with the warm wall behind the sensor, is shorter than this.
const SUN_SHINES_MAX: Duration = Duration::from_secs(16 * 3600);

/// Less is no movement: the quantum of the usual transmitter is 0.1 K.
const STILL: Kelvins = Kelvins(0.05);
/// A sensor that stands still while another witness moves by [`MOVED`] is found out after this already.
const STILL_AGAINST_OTHERS: Duration = Duration::from_secs(3 * 3600);
const MOVED: Kelvins = Kelvins(3.0);

/// How sensor and service stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The sensor is believed.
    #[default]
    Agrees,
    /// The sensor is much warmer, for a short time: the colder of both is used.
    Warmer {
        /// How long.
        held: Duration,
    },
    /// The sensor stands in the sun: the service is used.
    Sunlit {
        /// How long.
        held: Duration,
        /// How long it has been near the service again.
        near: Held,
    },
    /// It was warmer for longer than any sun shines: the service is wrong, or of another place. The sensor is used.
    ServiceWrong {
        /// How long it has been near the service again.
        near: Held,
    },
}

impl Agreement {
    /// One step; `excess` is what the sensor shows above the service, none while one of them says nothing.
    pub fn advance(&mut self, settings: &OutdoorSettings, excess: Option<Kelvins>, dt: Duration) {
        use Agreement::{Agrees, ServiceWrong, Sunlit, Warmer};
        let Some(excess) = excess else {
            *self = Agrees;
            return;
        };
        let warm = excess > settings.sun_excess;
        let close = excess.0.abs() < settings.sun_excess.0 * NEAR_SHARE;
        *self = match *self {
            Agrees if warm => Warmer { held: Duration::ZERO },
            Warmer { held } if warm && held + dt >= settings.sun_after => {
                Sunlit { held: held + dt, near: Held::default() }
            }
            Warmer { held } if warm => Warmer { held: held + dt },
            Agrees | Warmer { .. } => Agrees,
            Sunlit { held, .. } if held + dt >= SUN_SHINES_MAX => ServiceWrong { near: Held::default() },
            Sunlit { held, mut near } => {
                if near.for_at_least(NEAR_FOR, close, dt) {
                    Agrees
                } else {
                    Sunlit { held: held + dt, near }
                }
            }
            ServiceWrong { mut near } => {
                if near.for_at_least(NEAR_FOR, close, dt) {
                    Agrees
                } else {
                    ServiceWrong { near }
                }
            }
        };
    }
}

/// How long a sensor has stood still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stillness {
    /// What it showed when it moved last, what another witness showed then, and how long ago that is.
    since: Option<(Celsius, Option<Celsius>, Duration)>,
}

impl Stillness {
    /// Whether the sensor is frozen. `other` is what another witness shows.
    pub fn frozen(
        &mut self,
        frozen_after: Duration,
        shown: Option<Celsius>,
        other: Option<Celsius>,
        dt: Duration,
    ) -> bool {
        let Some(shown) = shown.filter(|_| !frozen_after.is_zero()) else {
            self.since = None;
            return false;
        };
        let Some((value, other_then, held)) = self.since.filter(|(value, ..)| (shown - *value).0.abs() < STILL.0)
        else {
            self.since = Some((shown, other, Duration::ZERO));
            return false;
        };
        let (held, other_then) = (held.saturating_add(dt), other_then.or(other));
        self.since = Some((value, other_then, held));
        let others_moved = other_then.zip(other).is_some_and(|(then, now)| (now - then).0.abs() > MOVED.0);
        held >= frozen_after || (others_moved && held >= STILL_AGAINST_OTHERS.min(frozen_after))
    }

    /// Nobody looked: nothing can be said of the time between.
    pub fn forget(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One letter an hour: near the service, 4 K warmer, 9 K warmer, colder by 9 K, ? for no service.
    fn agreement(hours: &str) -> Agreement {
        let settings = OutdoorSettings::default();
        let mut agreement = Agreement::default();
        for letter in hours.chars() {
            let excess = match letter {
                'n' => Some(Kelvins(0.5)),
                'w' => Some(Kelvins(4.0)),
                'h' => Some(Kelvins(9.0)),
                'c' => Some(Kelvins(-9.0)),
                _ => None,
            };
            for _ in 0..60 {
                agreement.advance(&settings, excess, MINUTE);
            }
        }
        agreement
    }

    #[test]
    fn two_warm_hours_are_the_sun_and_an_hour_near_the_service_ends_it() {
        assert!(matches!(agreement("nh"), Agreement::Warmer { .. }));
        assert!(matches!(agreement("nhw"), Agreement::Agrees));
        assert!(matches!(agreement("nhhh"), Agreement::Sunlit { .. }));
        assert!(matches!(agreement("nhhhww"), Agreement::Sunlit { .. }), "half of the excess is not near");
        assert!(matches!(agreement("nhhhnn"), Agreement::Agrees));
        assert!(
            matches!(agreement("nhhh?"), Agreement::Agrees),
            "without a service there is nobody to doubt the sensor"
        );
    }

    #[test]
    fn what_shines_through_the_night_is_no_sun() {
        assert!(matches!(agreement("hhhhhhhhhhhhhhh"), Agreement::Sunlit { .. }));
        let night = agreement("hhhhhhhhhhhhhhhhhhh");
        assert!(matches!(night, Agreement::ServiceWrong { .. }), "{night:?}");
    }

    #[test]
    fn a_sensor_that_reads_too_cold_stays_in_use() {
        assert_eq!(agreement("ncccccccc"), Agreement::Agrees);
    }

    fn frozen_after(shown: impl Fn(u64) -> f64, other: impl Fn(u64) -> Option<f64>) -> Option<u64> {
        let mut stillness = Stillness::default();
        (0..48 * 60).find(|&minute| {
            let (shown, other) = (Some(Celsius(shown(minute))), other(minute).map(Celsius));
            stillness.frozen(OutdoorSettings::default().frozen_after, shown, other, MINUTE)
        })
    }

    #[test]
    fn a_sensor_that_stands_still_is_found_out_in_a_day_and_by_another_witness_in_hours() {
        assert_eq!(frozen_after(|_| -3.0, |_| None), Some(24 * 60));
        assert_eq!(frozen_after(|_| -3.0, |minute| Some(-3.0 + minute as f64 / 60.0)), Some(181));
        assert_eq!(frozen_after(|_| -3.0, |_| Some(-3.5)), Some(24 * 60), "a still day is possible for both");
        let quantum = |minute: u64| if (minute / 300).is_multiple_of(2) { -3.0 } else { -3.1 };
        assert_eq!(frozen_after(quantum, |_| None), None, "one quantum in five hours is life");
    }
}
