//! Room feedback: a slow correction of the curve's level from the estimate of the coldest rooms.
//!
//! # Why this shape
//! The estimate ([`room_tail`](crate::room_tail)) says how far the coldest share is above its minimum, its own uncertainty
//! subtracted; the aim is zero. The regulator is a PI on the level of the curve, never on the valve, and hours slow: the
//! mean room answers a sustained +5 K of supply by 0.3 K in 6 h and 1.5 K in 3 days, so that anything faster oscillates with
//! a period of days.
//!
//! ```text
//! e = −estimate (2 h filter)      shift = Kp·e + I (+ 1 K while the coldest are too cold)      I += Kp/TI·e·dt
//! ```
//!
//! It rises by 0.5 K/h and falls by 0.1 K/h: a cold flat is worse than a warm one.
//!
//! What lasts is no disturbance but a curve of the wrong level. So what the integral holds is handed over to a learnt level,
//! a fifth of a kelvin a day, without moving the sum; the trim is free again for what changes.
//!
//! # When it stands still
//! | because | what stands | why |
//! |---|---|---|
//! | not heating, another target, on the way back from it, heat shed, learning | all | what is seen is not what control made of it |
//! | saturated | what would ask for more of it | valve or setpoint is at its end: more integral would only wind up |
//! | sensors missing | all | more than 30 % are not heard |
//! | outdoor step | all | 6 K in 6 h: the rooms have not seen that weather yet |
//! | pass falls | the lowering | the pass rate fell while the trim was lowering |
//!
//! The last three do not hold back a rise while the coldest are more than 0.3 K below their minimum for 2 h: then a
//! kelvin is added on top at once, and taken back when they are warm again.
//!
//! # Without sensors
//! The estimate is given up when too few are heard for six hours; from then on the trim decays to zero within a day, at
//! most by 1 K/h, and the curve stands alone with the level that it has learnt, which is forgotten as slowly as it was learnt.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Switch};
use serde::{Deserialize, Serialize};

use crate::room_tail::RoomStatistic;
use crate::settings::RoomTrimSettings;
use crate::timer::{Held, seconds};

/// The estimate is smoothed before it is used.
const SMOOTHING: Duration = Duration::from_secs(2 * 3600);
/// Without sensors the trim is gone after this.
const DECAY_WITHIN_HOURS: f64 = 24.0;
/// And never falls faster than this in an hour.
const DECAY_PER_HOUR_MAX: Kelvins = Kelvins(1.0);
/// The coldest are too cold when they are this far below their minimum for so long.
const TOO_COLD: Kelvins = Kelvins(-0.3);
const TOO_COLD_FOR: Duration = Duration::from_secs(2 * 3600);
/// What is added at once then.
const HELP: Kelvins = Kelvins(1.0);
/// Rooms have to be looked at for this long before they are followed.
const LEARNING: Duration = Duration::from_secs(24 * 3600);
/// A larger share than this is missing.
const MISSING_PERCENT_MAX: usize = 30;
/// Another room target shows in the rooms for this long after its end.
const TARGET_FORGOTTEN: Duration = Duration::from_secs(4 * 3600);
/// The outdoor temperature has stepped when it moved by this within six hours.
const OUTDOOR_STEP: f64 = 6.0;
const OUTDOOR_HOURS: usize = 6;
/// The pass rate falls when its mean of a day is this far below its mean of a week.
const PASS_FALLS: f64 = 0.05;
const PASS_FAST: Duration = Duration::from_secs(86_400);
const PASS_SLOW: Duration = Duration::from_secs(7 * 86_400);
/// The trim lowers while it is this far below its own mean of two days.
const LOWERING: Kelvins = Kelvins(-0.2);
const LOWERING_MEAN: Duration = Duration::from_secs(2 * 86_400);
/// At its end the trim says so from this closeness on.
const AT_END: Kelvins = Kelvins(0.05);

/// Why the trim does not move as the rooms ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// No heat is being delivered.
    NotHeating,
    /// A period with another room temperature is on, or was a few hours ago.
    OtherTarget,
    /// The rooms are on their way back from a set-back.
    Recovering,
    /// Heat is being shed, or has not all come back.
    LoadShed,
    /// The rooms have not been looked at for long enough.
    Learning,
    /// Too few sensors: the trim decays.
    Blind,
    /// More than three sensors in ten are missing.
    SensorsMissing,
    /// The outdoor temperature has moved too fast for the rooms to tell.
    OutdoorStep,
    /// The plant gives all it can, or as little as it can, or a limit holds the setpoint.
    Saturated,
    /// The pass rate fell while the trim was lowering.
    PassFalls,
}

impl Frozen {
    /// All of them.
    pub const ALL: [Frozen; 10] = [
        Frozen::NotHeating,
        Frozen::OtherTarget,
        Frozen::Recovering,
        Frozen::LoadShed,
        Frozen::Learning,
        Frozen::Blind,
        Frozen::SensorsMissing,
        Frozen::OutdoorStep,
        Frozen::Saturated,
        Frozen::PassFalls,
    ];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Frozen::NotHeating => "not_heating",
            Frozen::OtherTarget => "other_target",
            Frozen::Recovering => "recovering",
            Frozen::LoadShed => "load_shed",
            Frozen::Learning => "learning",
            Frozen::Blind => "blind",
            Frozen::SensorsMissing => "sensors_missing",
            Frozen::OutdoorStep => "outdoor_step",
            Frozen::Saturated => "saturated",
            Frozen::PassFalls => "pass_falls",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Frozen::NotHeating => ("未供热", "no heat is given"),
            Frozen::OtherTarget => ("时段调温中", "a period of another room temperature"),
            Frozen::Recovering => ("降温后恢复中", "rooms on their way back from a set-back"),
            Frozen::LoadShed => ("负荷削减中", "heat is being shed"),
            Frozen::Learning => ("正在学习测点", "the rooms have been watched for less than a day"),
            Frozen::Blind => ("测点不足, 修正逐渐归零", "too few sensors: going back to the curve"),
            Frozen::SensorsMissing => ("三成以上测点缺失", "more than three sensors in ten are missing"),
            Frozen::OutdoorStep => ("室外温度骤变", "outdoor temperature changes fast"),
            Frozen::Saturated => ("已达极限", "the plant or a limit is at its end"),
            Frozen::PassFalls => ("合格率下降, 停止下调", "fewer rooms pass since the trim was lowered"),
        }
    }
}

/// Which way nothing more can be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The supply follows its setpoint, and the setpoint its wish.
    #[default]
    None,
    /// More heat cannot be had.
    More,
    /// Less cannot be had.
    Less,
    /// The supply is no longer made by the setpoint at all.
    Both,
}

/// What surrounds the rooms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// Whether the circuit gives heat by its setpoint.
    pub heating: Switch,
    /// What the schedule adds to the room target.
    pub schedule: Kelvins,
    /// What else the clock or a shed lets the trim stand still for.
    pub hours: Option<Frozen>,
    /// Where valve or setpoint are at their end.
    pub stop: Stop,
    /// The outdoor temperature.
    pub outdoor: Celsius,
    /// How long the rooms have been looked at.
    pub looked: Duration,
}

/// What the trim does, and why not more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomTrimReport {
    /// What is added to the room target, the learnt level included.
    pub shift: Kelvins,
    /// What of it the curve has learnt for good.
    pub learnt: Kelvins,
    /// What keeps it from following the rooms.
    pub frozen: Option<Frozen>,
    /// Whether the coldest are too cold, so that a kelvin is added at once.
    pub helping: bool,
    /// Whether it stands at the end of what it may do.
    pub at_end: bool,
}

/// What the trim remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomTrim {
    /// What is added to the room target now, beside the learnt level.
    pub trim: Kelvins,
    /// What has lasted: the curve's own level.
    learnt: Kelvins,
    integral: Kelvins,
    smoothed: Option<Kelvins>,
    /// The best guess without margin, smoothed.
    guess: Option<Kelvins>,
    too_cold: Held,
    warm_again: Held,
    helping: bool,
    since_other_target: Option<Duration>,
    outdoor: OutdoorSteps,
    pass: PassWatch,
}

impl RoomTrim {
    /// One step.
    pub fn advance(
        &mut self,
        settings: &RoomTrimSettings,
        seen: &RoomStatistic,
        around: &Circumstances,
        dt: Duration,
    ) -> RoomTrimReport {
        let hours = seconds(dt) / 3600.0;
        self.outdoor.note(around.outdoor, dt);
        self.pass.note(seen, self.trim, dt);
        self.watch_target(around.schedule, dt);
        let Some(tail) = seen.tail else {
            self.forget(settings, hours);
            return self.report(settings, Some(Frozen::Blind));
        };
        let share = 1.0 - (-seconds(dt) / seconds(SMOOTHING)).exp();
        let follow = |before: Option<Kelvins>, now: Kelvins| before.map_or(now, |b| b + (now - b) * share);
        let sure = follow(self.smoothed, tail.sure());
        self.smoothed = Some(sure);
        self.guess = Some(follow(self.guess, tail.excess));

        let error = -sure;
        let asks = if error.0 > 0.0 { Stop::More } else { Stop::Less };
        let frozen = self.frozen(seen, around, asks);
        // Help is for a plant that can give it.
        self.watch_cold(frozen, dt);
        if frozen.is_some() {
            return self.report(settings, frozen);
        }
        let integral = self.integral + error * (settings.gain * hours * 3600.0 / seconds(settings.integral_time));
        self.integral = integral.clamp(-settings.lower_max, settings.raise_max);
        let help = if self.helping { HELP } else { Kelvins(0.0) };
        let wish = (error * settings.gain + self.integral + help).clamp(-settings.lower_max, settings.raise_max);
        self.trim += (wish - self.trim).clamp(-settings.lower_rate * hours, settings.raise_rate * hours);
        self.learn(settings, hours);
        self.report(settings, None)
    }

    fn report(&self, settings: &RoomTrimSettings, frozen: Option<Frozen>) -> RoomTrimReport {
        // A trim that may do nothing is at no end.
        let moved = self.trim.0.abs() > AT_END.0;
        let at_end = moved && (self.trim >= settings.raise_max - AT_END || self.trim <= AT_END - settings.lower_max);
        let shift = self.trim + self.learnt;
        RoomTrimReport { shift, learnt: self.learnt, frozen, helping: self.helping, at_end }
    }

    /// Hands over what has lasted; the sum does not move.
    fn learn(&mut self, settings: &RoomTrimSettings, hours: f64) {
        let step = settings.learn_per_day * (hours / 24.0);
        let by = self.integral.clamp(-step, step);
        let learnt = (self.learnt + by).clamp(-settings.learn_max, settings.learn_max);
        let moved = learnt - self.learnt;
        self.learnt = learnt;
        self.integral -= moved;
        self.trim -= moved;
    }

    /// Nobody knows the rooms: the correction is forgotten slowly, without a bump.
    fn forget(&mut self, settings: &RoomTrimSettings, hours: f64) {
        let most = settings.lower_max.max(settings.raise_max);
        let step = (most / DECAY_WITHIN_HOURS).min(DECAY_PER_HOUR_MAX) * hours;
        let toward_zero = |from: Kelvins, by: Kelvins| Kelvins(from.0.signum() * (from.0.abs() - by.0).max(0.0));
        self.trim = toward_zero(self.trim, step);
        self.learnt = toward_zero(self.learnt, settings.learn_per_day * (hours / 24.0));
        *self = RoomTrim {
            trim: self.trim,
            learnt: self.learnt,
            integral: self.trim,
            since_other_target: self.since_other_target,
            outdoor: self.outdoor,
            pass: self.pass,
            ..RoomTrim::default()
        };
    }

    fn watch_target(&mut self, schedule: Kelvins, dt: Duration) {
        self.since_other_target = if schedule.0 == 0.0 {
            self.since_other_target.map(|since| since.saturating_add(dt)).filter(|since| *since < TARGET_FORGOTTEN)
        } else {
            Some(Duration::ZERO)
        };
    }

    /// What keeps the trim from going where the rooms ask, most certain first.
    fn frozen(&self, seen: &RoomStatistic, around: &Circumstances, asks: Stop) -> Option<Frozen> {
        let rescue = self.helping && asks == Stop::More;
        let stopped = match around.stop {
            Stop::None => false,
            Stop::Both => true,
            Stop::More | Stop::Less => around.stop == asks,
        };
        let missing = seen.expected.saturating_sub(seen.counted + seen.held);
        if !around.heating.is_on() {
            Some(Frozen::NotHeating)
        } else if self.since_other_target.is_some() {
            Some(Frozen::OtherTarget)
        } else if around.hours.is_some() {
            around.hours
        } else if around.looked < LEARNING {
            Some(Frozen::Learning)
        } else if stopped {
            Some(Frozen::Saturated)
        } else if missing * 100 > seen.expected * MISSING_PERCENT_MAX && !rescue {
            Some(Frozen::SensorsMissing)
        } else if self.outdoor.stepped() && !rescue {
            Some(Frozen::OutdoorStep)
        } else if asks == Stop::Less && self.pass.fell() {
            Some(Frozen::PassFalls)
        } else {
            None
        }
    }

    /// Too cold for two hours: help is given until the best guess has been at the minimum for two hours.
    fn watch_cold(&mut self, frozen: Option<Frozen>, dt: Duration) {
        let Some(guess) = self.guess else { return };
        let able = match frozen {
            Some(
                Frozen::NotHeating
                | Frozen::OtherTarget
                | Frozen::Recovering
                | Frozen::LoadShed
                | Frozen::Learning
                | Frozen::Saturated,
            ) => false,
            None | Some(Frozen::Blind | Frozen::SensorsMissing | Frozen::OutdoorStep | Frozen::PassFalls) => true,
        };
        let cold = self.too_cold.for_at_least(TOO_COLD_FOR, guess < TOO_COLD && able, dt);
        let warm = self.warm_again.for_at_least(TOO_COLD_FOR, guess.0 >= 0.0, dt);
        self.helping = (self.helping || cold) && !warm;
    }
}

/// The outdoor temperature of the last hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OutdoorSteps {
    hours: [Option<f32>; OUTDOOR_HOURS],
    next: usize,
    since: Duration,
    now: f32,
}

impl OutdoorSteps {
    fn note(&mut self, outdoor: Celsius, dt: Duration) {
        self.now = outdoor.0 as f32;
        self.since = self.since.saturating_add(dt);
        if self.since >= Duration::from_secs(3600) || self.hours.iter().all(Option::is_none) {
            self.since = Duration::ZERO;
            self.hours[self.next] = Some(self.now);
            self.next = (self.next + 1) % OUTDOOR_HOURS;
        }
    }

    fn stepped(&self) -> bool {
        self.hours.iter().flatten().any(|then| f64::from((self.now - then).abs()) > OUTDOOR_STEP)
    }
}

/// Whether fewer rooms pass since the trim was lowered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PassWatch {
    day: Option<f64>,
    week: Option<f64>,
    mean_trim: Option<Kelvins>,
    trim: Kelvins,
}

impl PassWatch {
    fn note(&mut self, seen: &RoomStatistic, trim: Kelvins, dt: Duration) {
        let share = |time: Duration| 1.0 - (-seconds(dt) / seconds(time)).exp();
        let before = self.mean_trim.unwrap_or(trim);
        self.mean_trim = Some(before + (trim - before) * share(LOWERING_MEAN));
        self.trim = trim;
        let Some(passing) = seen.passing else { return };
        for (mean, time) in [(&mut self.day, PASS_FAST), (&mut self.week, PASS_SLOW)] {
            let before = mean.unwrap_or(passing.0);
            *mean = Some(before + (passing.0 - before) * share(time));
        }
    }

    fn fell(&self) -> bool {
        let lowering = self.mean_trim.is_some_and(|mean| self.trim - mean < LOWERING);
        lowering && self.day.zip(self.week).is_some_and(|(day, week)| day < week - PASS_FALLS)
    }
}

#[cfg(test)]
mod tests;
