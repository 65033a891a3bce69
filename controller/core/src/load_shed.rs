//! Less heat for a while because dispatch asks for it, under a comfort guard.
//!
//! # Why this shape
//! A share of the heat is a share of the curve's load ratio, so the supply that gives it follows from the curve; that is
//! right in any weather and needs no meter. Siemens' locking signals are the same thing: a share times a gain, critical or
//! not.
//!
//! ```text
//!              asked, inside the bounds
//!   [ idle ] --------------------------> [ shedding ]
//!       ^                                     | its time is over · withdrawn · silence
//!       |                                     | the coldest rooms are cold (15 min)
//!       |_____________________________________| frost protection demands heat
//! ```
//!
//! The guard outranks the wish: a shed ends when the coldest rooms are `room_drop` below their minimum; where nobody
//! measures rooms, when a room of the building's constant would have fallen by as much. A critical shed, for a network
//! in need, is not ended for comfort; frost protection ends every one. What the supply gave comes back slowly, so that the
//! rebound is no new peak, and the room trim stands still until it has.
//!
//! # What this module does not do
//! The supply's part in kelvins, its speed and the heat floor in frost are in [`setpoint`](crate::setpoint).

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::moment::Day;
use crate::optimum::FREE_DECAY;
use crate::request::{Origin, Refusal};
use crate::settings::{CircuitSettings, LoadShedSettings};
use crate::timer::{Held, seconds};

/// Rooms are cold when they have been for this long: they report every quarter of an hour, and some reports are lost.
const COLD_FOR: Duration = Duration::from_secs(15 * 60);

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShedBy {
    /// A share of the heat.
    Share(Ratio),
    /// Kelvins of supply.
    Supply(Kelvins),
}

/// How much depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It saves money or carbon: comfort comes first.
    Uncritical,
    /// The network is short of heat: it ends for frost alone.
    Critical,
}

/// Why a shed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShedEnd {
    /// Its time is over.
    Over,
    /// Whoever asked has withdrawn it.
    Withdrawn,
    /// Who asked for it is not heard any more.
    Silence,
    /// The coldest rooms are too cold.
    RoomsCold,
    /// Nobody measures the rooms, and by the model they are too cold.
    ModelCold,
    /// Frost protection demands heat.
    Frost,
}

impl ShedEnd {
    /// All of them.
    pub const ALL: [ShedEnd; 6] =
        [ShedEnd::Over, ShedEnd::Withdrawn, ShedEnd::Silence, ShedEnd::RoomsCold, ShedEnd::ModelCold, ShedEnd::Frost];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            ShedEnd::Over => "over",
            ShedEnd::Withdrawn => "withdrawn",
            ShedEnd::Silence => "silence",
            ShedEnd::RoomsCold => "rooms_cold",
            ShedEnd::ModelCold => "model_cold",
            ShedEnd::Frost => "frost",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            ShedEnd::Over => ("到时", "its time was over"),
            ShedEnd::Withdrawn => ("撤回", "it was withdrawn"),
            ShedEnd::Silence => ("请求方通讯中断", "who asked for it fell silent"),
            ShedEnd::RoomsCold => ("室温过低", "the coldest rooms were too cold"),
            ShedEnd::ModelCold => ("估算室温过低", "by the model the rooms were too cold"),
            ShedEnd::Frost => ("防冻", "frost protection demanded heat"),
        }
    }
}

/// What the guard looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation {
    /// The excess of the coldest rooms over their minimum, where anybody knows.
    pub tail_excess: Option<Kelvins>,
    /// Whether frost protection demands heat.
    pub frost: bool,
    /// The smoothed outdoor temperature.
    pub outdoor: Celsius,
    /// The day of the calendar.
    pub day: Day,
}

/// What load shedding remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadShed {
    running: Option<Running>,
    /// Time of shedding on that day.
    used: (Day, Duration),
    cold: Held,
    withdrawn: bool,
    /// Who asked is not heard any more.
    #[serde(default)]
    silent: bool,
    last_end: Option<ShedEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    by: ShedBy,
    urgency: Urgency,
    #[serde(default)]
    origin: Option<Origin>,
    lasted: Duration,
    left: Duration,
}

/// What is shed now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ShedNow {
    /// What is asked of the supply; none when nothing is.
    pub by: Option<ShedBy>,
    /// How long still.
    pub left: Duration,
    /// Time of shedding today.
    pub today: Duration,
    /// Why the last one ended.
    pub last_end: Option<ShedEnd>,
}

impl LoadShed {
    /// Takes a wish, bounded; a share, kelvins or time of zero ends what runs.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn ask(
        &mut self,
        settings: &LoadShedSettings,
        lower_max: Kelvins,
        origin: Origin,
        (by, urgency): (ShedBy, Urgency),
        lasts: Duration,
    ) -> Result<(), Refusal> {
        let (asked, most) = match by {
            ShedBy::Share(share) => (share.0, 1.0),
            ShedBy::Supply(kelvins) => (kelvins.0, lower_max.0),
        };
        if !(0.0..=most).contains(&asked) {
            return Err(Refusal::OutOfRange);
        }
        if asked == 0.0 || lasts.is_zero() {
            self.withdrawn = self.running.is_some();
            return Ok(());
        }
        if settings.share_max <= Ratio::ZERO {
            return Err(Refusal::SwitchedOff);
        }
        let lasted = self.running.map_or(Duration::ZERO, |running| running.lasted);
        if lasted.saturating_add(lasts) > settings.lasts_max {
            return Err(Refusal::TooLong);
        }
        if self.used.1.saturating_add(lasts) > settings.per_day_max {
            return Err(Refusal::QuotaUsed);
        }
        if urgency == Urgency::Uncritical && self.cold.0 >= COLD_FOR {
            return Err(Refusal::RoomsCold);
        }
        let by = match by {
            ShedBy::Share(share) => ShedBy::Share((share * settings.gain.0).min(settings.share_max)),
            ShedBy::Supply(kelvins) => ShedBy::Supply(kelvins),
        };
        self.running = Some(Running { by, urgency, origin: Some(origin), lasted, left: lasts });
        (self.withdrawn, self.silent, self.last_end) = (false, false, None);
        Ok(())
    }

    /// Ends what somebody asked who is not heard any more; whether anything was running.
    pub(crate) fn fell_silent(&mut self, origin: Origin) -> bool {
        let runs = self.running.is_some_and(|running| running.origin == Some(origin));
        let ends = runs && !self.silent;
        self.silent |= runs;
        ends
    }

    /// One step: what is shed, and why it has just ended if it has.
    pub fn advance(&mut self, settings: &CircuitSettings, at: &Situation, dt: Duration) -> (ShedNow, Option<ShedEnd>) {
        let shed = &settings.times.load_shed;
        if self.used.0 != at.day {
            self.used = (at.day, Duration::ZERO);
        }
        let tail_is_cold = at.tail_excess.is_some_and(|excess| excess < -shed.room_drop);
        let rooms_are_cold = self.cold.for_at_least(COLD_FOR, tail_is_cold, dt);

        let withdrawn = std::mem::take(&mut self.withdrawn);
        let silent = std::mem::take(&mut self.silent);
        let ended = self.running.as_mut().and_then(|running| {
            running.lasted += dt;
            running.left = running.left.saturating_sub(dt);
            self.used.1 += dt;
            let uncritical = running.urgency == Urgency::Uncritical;
            let model_is_cold = at.tail_excess.is_none() && modelled_drop(settings, at, running) > shed.room_drop;
            if withdrawn {
                Some(ShedEnd::Withdrawn)
            } else if silent {
                Some(ShedEnd::Silence)
            } else if at.frost {
                Some(ShedEnd::Frost)
            } else if uncritical && rooms_are_cold {
                Some(ShedEnd::RoomsCold)
            } else if uncritical && model_is_cold {
                Some(ShedEnd::ModelCold)
            } else {
                running.left.is_zero().then_some(ShedEnd::Over)
            }
        });
        if ended.is_some() {
            (self.running, self.last_end) = (None, ended);
        }
        let now = ShedNow {
            by: self.running.map(|running| running.by),
            left: self.running.map_or(Duration::ZERO, |running| running.left),
            today: self.used.1,
            last_end: self.last_end,
        };
        (now, ended)
    }

    /// Lets time pass in which nobody looked. What has ended by then ends in the next step, which says so.
    pub fn age(&mut self, gone: Duration) {
        if let Some(running) = &mut self.running {
            running.left = running.left.saturating_sub(gone);
            running.lasted = running.lasted.saturating_add(gone);
        }
    }
}

/// How far a room with the building's free decay has fallen under what is shed.
fn modelled_drop(settings: &CircuitSettings, at: &Situation, running: &Running) -> Kelvins {
    let target = settings.room_target;
    let share = match running.by {
        ShedBy::Share(share) => share.0,
        ShedBy::Supply(by) => {
            let excess = settings.curve.supply_setpoint(at.outdoor, target, Ratio::ONE) - target;
            (by.0 / excess.0.max(1.0)).min(1.0)
        }
    };
    let decay = FREE_DECAY * seconds(settings.times.building_constant);
    let settled = (target - at.outdoor).0.max(0.0) * share;
    Kelvins(settled * (1.0 - (-seconds(running.lasted) / decay.max(1.0)).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::tests::circuit;

    const HOUR: Duration = Duration::from_secs(3600);
    const FIFTEEN: ShedBy = ShedBy::Share(Ratio(0.15));

    fn settings() -> CircuitSettings {
        let mut settings = circuit();
        settings.times.load_shed.share_max = Ratio(0.3);
        settings
    }

    fn at(tail_excess: Option<f64>) -> Situation {
        let tail_excess = tail_excess.map(Kelvins);
        Situation { tail_excess, frost: false, outdoor: Celsius(0.0), day: Day(1) }
    }

    fn ask(shed: &mut LoadShed, by: ShedBy, lasts: Duration) -> Result<(), Refusal> {
        shed.ask(&settings().times.load_shed, Kelvins(10.0), Origin::Dispatch, (by, Urgency::Uncritical), lasts)
    }

    fn minutes(shed: &mut LoadShed, count: u64, at: &Situation) -> Option<(u64, ShedEnd)> {
        let mut minute = || shed.advance(&settings(), at, Duration::from_secs(60)).1;
        (1..=count).find_map(|n| minute().map(|end| (n, end)))
    }

    #[test]
    fn a_shed_ends_with_its_time_and_counts_against_the_day() {
        let mut shed = LoadShed::default();
        ask(&mut shed, FIFTEEN, 3 * HOUR).unwrap();
        assert_eq!(minutes(&mut shed, 300, &at(Some(0.5))), Some((180, ShedEnd::Over)));
        assert_eq!(ask(&mut shed, FIFTEEN, 5 * HOUR), Err(Refusal::TooLong));
        ask(&mut shed, FIFTEEN, 4 * HOUR).unwrap();
        minutes(&mut shed, 240, &at(Some(0.5)));
        assert_eq!(ask(&mut shed, FIFTEEN, 2 * HOUR), Err(Refusal::QuotaUsed));
        minutes(&mut shed, 1, &Situation { day: Day(2), ..at(Some(0.5)) });
        assert_eq!(ask(&mut shed, FIFTEEN, 2 * HOUR), Ok(()));
    }

    #[test]
    fn cold_rooms_end_a_shed_and_keep_the_next_one_out() {
        let mut shed = LoadShed::default();
        ask(&mut shed, FIFTEEN, 3 * HOUR).unwrap();
        assert_eq!(minutes(&mut shed, 60, &at(Some(-0.4))), None);
        assert_eq!(minutes(&mut shed, 60, &at(Some(-0.6))), Some((15, ShedEnd::RoomsCold)));
        assert_eq!(ask(&mut shed, FIFTEEN, HOUR), Err(Refusal::RoomsCold));
    }

    #[test]
    fn a_critical_shed_ends_for_frost_alone() {
        let mut shed = LoadShed::default();
        let critical = settings().times.load_shed;
        shed.ask(&critical, Kelvins(10.0), Origin::Dispatch, (FIFTEEN, Urgency::Critical), 3 * HOUR).unwrap();
        assert_eq!(minutes(&mut shed, 60, &at(Some(-2.0))), None);
        assert_eq!(minutes(&mut shed, 1, &Situation { frost: true, ..at(Some(-2.0)) }), Some((1, ShedEnd::Frost)));
    }

    #[test]
    fn without_room_sensors_the_buildings_constant_guards_comfort() {
        let mut shed = LoadShed::default();
        ask(&mut shed, ShedBy::Share(Ratio(0.3)), 4 * HOUR).unwrap();
        // 0.3 · 20 K · (1 − exp(−t / 60 h)) = 0.5 K after 5.2 h: not in 4 h.
        assert_eq!(minutes(&mut shed, 300, &at(None)), Some((240, ShedEnd::Over)));
        ask(&mut shed, ShedBy::Share(Ratio(0.3)), 4 * HOUR).unwrap();
        let cold = Situation { outdoor: Celsius(-10.0), ..at(None) };
        let (minute, why) = minutes(&mut shed, 300, &cold).unwrap();
        assert_eq!(why, ShedEnd::ModelCold);
        assert!((200..=215).contains(&minute), "{minute}");
    }

    #[test]
    fn a_share_is_multiplied_with_the_gain_and_bounded() {
        let given = |gain: f64, share: f64| {
            let (mut shed, mut settings) = (LoadShed::default(), settings().times.load_shed);
            settings.gain = Ratio(gain);
            let by = ShedBy::Share(Ratio(share));
            shed.ask(&settings, Kelvins(10.0), Origin::Dispatch, (by, Urgency::Uncritical), HOUR)
                .map(|()| shed.running.unwrap().by)
        };
        assert_eq!(given(1.5, 0.1), Ok(ShedBy::Share(Ratio(0.1 * 1.5))));
        assert_eq!(given(2.0, 1.0), Ok(ShedBy::Share(Ratio(0.3))));
        assert_eq!(given(1.0, 1.1), Err(Refusal::OutOfRange));
        assert_eq!(given(1.0, f64::NAN), Err(Refusal::OutOfRange));
    }

    #[test]
    fn zero_withdraws_and_a_station_that_takes_no_part_refuses() {
        let mut shed = LoadShed::default();
        ask(&mut shed, FIFTEEN, HOUR).unwrap();
        ask(&mut shed, ShedBy::Share(Ratio(0.0)), HOUR).unwrap();
        assert_eq!(minutes(&mut shed, 1, &at(None)), Some((1, ShedEnd::Withdrawn)));
        let off = LoadShedSettings::default();
        let refused = shed.ask(&off, Kelvins(10.0), Origin::Dispatch, (FIFTEEN, Urgency::Critical), HOUR);
        assert_eq!(refused, Err(Refusal::SwitchedOff));
    }
}
