//! One limiter: something is measured, it shall not pass a limit, and the supply setpoint gives way.
//!
//! # Why this shape
//! Danfoss' limiter: the error is limit − measured, the correction of the supply setpoint is error × influence plus an
//! integral with a time of its own, and the integral is bounded. Here the two together are a PI whose output lies between
//! −(what it may lower) and 0:
//!
//! ```text
//! e = limit − measured        [K], or 100 · (limit − measured) / limit  [%] for flows and powers
//! asks = clamp(gain · e + I, −may_lower, 0)              dI/dt = (gain · e + given − asks) / integral time
//! ```
//!
//! `given` is what the setpoint really got. While something outranks the limiter, or the ramp has not come down yet, the
//! integral follows what is in force (back-calculation, [`Pi`]): it cannot wind up, neither down nor, while the limit is
//! kept, up. A limiter only lowers. A return that is colder than its limit is welcome (Danfoss: influence
//! min 0 in district heating) and raises nothing.
//!
//! Which limiter wins, and what outranks it, is [`limits`](crate::limits)' business.

use std::time::Duration;

use heatstation_points::Kelvins;
use serde::{Deserialize, Serialize};

use crate::band::Because;
use crate::ledger::Part;
use crate::pi::{Gains, Pi};
use crate::settings::LimiterTuning;
use crate::timer::seconds;

/// The limiters, in the order of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimiterKind {
    /// Primary return temperature.
    Return,
    /// Primary return minus secondary return: the exchanger's approach.
    Approach,
    /// Primary flow.
    Flow,
    /// Heat power.
    Power,
    /// Heat of the day.
    Quota,
}

impl LimiterKind {
    /// All of them.
    pub const ALL: [LimiterKind; 5] =
        [LimiterKind::Return, LimiterKind::Approach, LimiterKind::Flow, LimiterKind::Power, LimiterKind::Quota];

    /// The name in metrics and records; the same as in the ledger.
    pub const fn name(self) -> &'static str {
        self.part().name()
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        self.part().texts()
    }

    /// Where it is booked.
    pub const fn part(self) -> Part {
        match self {
            LimiterKind::Return => Part::ReturnLimit,
            LimiterKind::Approach => Part::ApproachLimit,
            LimiterKind::Flow => Part::FlowLimit,
            LimiterKind::Power => Part::PowerLimit,
            LimiterKind::Quota => Part::QuotaLimit,
        }
    }

    /// How it says that it holds the setpoint.
    pub const fn because(self) -> Because {
        match self {
            LimiterKind::Return => Because::ReturnLimit,
            LimiterKind::Approach => Because::ApproachLimit,
            LimiterKind::Flow => Because::FlowLimit,
            LimiterKind::Power => Because::PowerLimit,
            LimiterKind::Quota => Because::QuotaLimit,
        }
    }

    /// What one unit of the error is: temperatures count in kelvins, meters in percent of their limit, so that one gain
    /// suits small and large stations.
    fn error(self, limit: f64, measured: f64) -> f64 {
        match self {
            LimiterKind::Return | LimiterKind::Approach => limit - measured,
            LimiterKind::Flow | LimiterKind::Power | LimiterKind::Quota => 100.0 * (limit - measured) / limit,
        }
    }
}

/// What a limiter does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimiterState {
    /// The station has no such limit.
    #[default]
    Off,
    /// Not released: nothing is controlled, or heating has only just begun.
    Waiting,
    /// The limit is kept.
    Watching,
    /// It asks for a lower setpoint.
    Limiting,
    /// What it measures is lost: the limit is off.
    SensorLost,
}

impl LimiterState {
    /// All of them.
    pub const ALL: [LimiterState; 5] = [
        LimiterState::Off,
        LimiterState::Waiting,
        LimiterState::Watching,
        LimiterState::Limiting,
        LimiterState::SensorLost,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            LimiterState::Off => "off",
            LimiterState::Waiting => "waiting",
            LimiterState::Watching => "watching",
            LimiterState::Limiting => "limiting",
            LimiterState::SensorLost => "sensor_lost",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            LimiterState::Off => ("未设", "no such limit"),
            LimiterState::Waiting => ("待投入", "not released yet"),
            LimiterState::Watching => ("监视", "kept"),
            LimiterState::Limiting => ("限制中", "limiting"),
            LimiterState::SensorLost => ("测量丢失，已退出", "measurement lost: limit off"),
        }
    }
}

/// What a limiter's measurement comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredBy {
    /// The circuit's own sensor or meter.
    Sensor,
    /// The station's sensor, which all circuits share.
    StationSensor,
    /// The station's heat meter.
    StationMeter,
    /// Computed from flow and temperatures.
    HeatBalance,
    /// Nothing answers.
    #[default]
    Nothing,
}

impl MeasuredBy {
    /// All of them.
    pub const ALL: [MeasuredBy; 5] = [
        MeasuredBy::Sensor,
        MeasuredBy::StationSensor,
        MeasuredBy::StationMeter,
        MeasuredBy::HeatBalance,
        MeasuredBy::Nothing,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            MeasuredBy::Sensor => "sensor",
            MeasuredBy::StationSensor => "station_sensor",
            MeasuredBy::StationMeter => "station_meter",
            MeasuredBy::HeatBalance => "heat_balance",
            MeasuredBy::Nothing => "nothing",
        }
    }
}

/// What a limiter looks at in a step, in the unit of what is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The limit in this weather; above zero.
    pub limit: f64,
    /// What is measured, if it is known.
    pub measured: Option<f64>,
    /// By what.
    pub by: MeasuredBy,
    /// How old a value grows before the next one comes.
    pub refresh: Duration,
}

/// Whether limiters are let loose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing is controlled, or heating has only just begun: a return that is hot from standing says nothing.
    Held,
    /// They may limit.
    Free,
}

/// What a limiter has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LimiterReport {
    /// What it does.
    pub state: LimiterState,
    /// The limit in this weather: °C, K, m³/s or W.
    pub limit: Option<f64>,
    /// What it measures, smoothed, in the same unit.
    pub measured: Option<f64>,
    /// By what.
    pub by: MeasuredBy,
    /// By how much it asks the setpoint to give way; zero or negative.
    pub asks: Kelvins,
    /// For how long it has been limiting without a break.
    pub limiting_for: Duration,
}

/// A value that is missing for less than this is waited for with the correction kept. The supply sensor's first rung
/// (`sensor_hold`) waits as long: a connection that comes back does so within a minute.
const HOLD: Duration = Duration::from_secs(60);
/// Asking for more than the first is limiting; having fallen to the second it is over. The grain of the sensors is 0.1 K.
const LIMITING: (Kelvins, Kelvins) = (Kelvins(-0.1), Kelvins(-0.02));
/// Samson asks for meters that are refreshed within 5 s.
const REFRESH_GOOD: Duration = Duration::from_secs(5);
/// The loop's own delay: half a stroke of the valve.
const OWN_DELAY: Duration = Duration::from_secs(60);

/// What a limiter remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limiter {
    pi: Pi,
    filtered: Option<f64>,
    asks: Kelvins,
    blind_for: Duration,
    state: LimiterState,
    limiting_for: Duration,
}

impl Limiter {
    /// One step: by how much the setpoint is asked to give way. `may_lower` is the most that it may ask for, `given` what
    /// the setpoint really gave way in the last step.
    pub fn advance(
        &mut self,
        kind: LimiterKind,
        tuning: &LimiterTuning,
        look: Option<Look>,
        release: Release,
        (may_lower, given): (Kelvins, Kelvins),
        dt: Duration,
    ) -> Kelvins {
        let Some(look) = look else {
            *self = Limiter::default();
            return self.asks;
        };
        match look.measured {
            Some(measured) => {
                self.smooth(measured, tuning.filter, dt);
                self.blind_for = Duration::ZERO;
            }
            None => self.blind_for = self.blind_for.saturating_add(dt),
        }
        let lost = self.blind_for > HOLD;
        if lost {
            self.filtered = None;
        }
        match (release, self.filtered) {
            (Release::Free, None) if lost => self.let_go(LimiterState::SensorLost),
            // As long as nothing has ever been read, the first minute is waited for.
            (Release::Held, _) | (Release::Free, None) => self.let_go(LimiterState::Waiting),
            // The correction is kept over a gap.
            (Release::Free, Some(_)) if look.measured.is_none() => {}
            (Release::Free, Some(measured)) => {
                let slower = slower_by(look.refresh);
                let gains = Gains {
                    gain: tuning.gain / slower,
                    integral_seconds: seconds(tuning.integral_time) * slower,
                    low: -may_lower.0,
                    high: 0.0,
                };
                // Only what was refused is tracked: that others lower more is no reason to ask for as much.
                let actual = self.asks.max(given);
                let error = kind.error(look.limit, measured);
                self.asks = Kelvins(self.pi.advance(&gains, error, Some(actual.0), seconds(dt)));
                self.judge(dt);
            }
        }
        self.asks
    }

    fn smooth(&mut self, measured: f64, filter: Duration, dt: Duration) {
        let before = self.filtered.unwrap_or(measured);
        let share = 1.0 - (-seconds(dt) / seconds(filter).max(1e-9)).exp();
        self.filtered = Some(before + (measured - before) * share);
    }

    fn judge(&mut self, dt: Duration) {
        let threshold = if self.state == LimiterState::Limiting { LIMITING.1 } else { LIMITING.0 };
        if self.asks < threshold {
            self.state = LimiterState::Limiting;
            self.limiting_for = self.limiting_for.saturating_add(dt);
        } else {
            self.state = LimiterState::Watching;
            self.limiting_for = Duration::ZERO;
        }
    }

    fn let_go(&mut self, state: LimiterState) {
        *self = Limiter { filtered: self.filtered, blind_for: self.blind_for, state, ..Limiter::default() };
    }

    /// What it has to say about this step.
    pub fn report(&self, look: Option<Look>) -> LimiterReport {
        LimiterReport {
            state: self.state,
            limit: look.map(|look| look.limit),
            measured: look.and(self.filtered),
            by: look.map_or(MeasuredBy::Nothing, |look| look.by),
            asks: self.asks,
            limiting_for: self.limiting_for,
        }
    }
}

/// A value that comes seldom is dead time, and gain and speed of a PI fall in proportion to the dead time (Skogestad's
/// SIMC rule).
fn slower_by(refresh: Duration) -> f64 {
    1.0 + seconds(refresh.saturating_sub(REFRESH_GOOD)) / seconds(OWN_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUNING: LimiterTuning =
        LimiterTuning { gain: 0.3, integral_time: Duration::from_secs(900), filter: Duration::from_secs(0) };
    const BOUND: Kelvins = Kelvins(8.0);

    /// A limiter of 50 °C that sees this for so many minutes and gets what it asks for.
    fn see(limiter: &mut Limiter, measured: Option<f64>, minutes: u64) -> f64 {
        let look = Look { limit: 50.0, measured, by: MeasuredBy::Sensor, refresh: Duration::ZERO };
        for _ in 0..minutes * 60 {
            let given = limiter.asks;
            let second = Duration::from_secs(1);
            limiter.advance(LimiterKind::Return, &TUNING, Some(look), Release::Free, (BOUND, given), second);
        }
        limiter.asks.0
    }

    #[test]
    fn it_lowers_by_influence_at_once_and_by_integral_in_time_and_no_further_than_its_bound() {
        let mut limiter = Limiter::default();
        assert!((see(&mut limiter, Some(54.0), 1) + 1.28).abs() < 0.01, "{limiter:?}");
        assert!((see(&mut limiter, Some(54.0), 14) + 2.4).abs() < 0.02, "{limiter:?}");
        assert_eq!(see(&mut limiter, Some(54.0), 24 * 60), -8.0);
        assert_eq!((limiter.state, limiter.limiting_for.as_secs()), (LimiterState::Limiting, 86_400 + 900));
    }

    #[test]
    fn a_cold_return_raises_nothing_and_a_kept_limit_is_forgotten() {
        let mut limiter = Limiter::default();
        assert_eq!(see(&mut limiter, Some(30.0), 600), 0.0);
        let most = see(&mut limiter, Some(55.0), 60);
        assert!(
            most < -7.0 && see(&mut limiter, Some(49.9), 10) > -6.2,
            "the grain is no reason to let go: {limiter:?}"
        );
        assert_eq!(see(&mut limiter, Some(45.0), 60), 0.0);
        assert_eq!((limiter.state, limiter.limiting_for), (LimiterState::Watching, Duration::ZERO));
    }

    #[test]
    fn what_is_refused_does_not_wind_up() {
        let mut limiter = Limiter::default();
        let look = Look { limit: 50.0, measured: Some(58.0), by: MeasuredBy::Sensor, refresh: Duration::ZERO };
        for _ in 0..86_400 {
            let given = (BOUND, Kelvins(-1.0));
            limiter.advance(LimiterKind::Return, &TUNING, Some(look), Release::Free, given, Duration::from_secs(1));
        }
        // What is in force and the influence of the error on top, not the whole bound.
        assert!((limiter.asks.0 + 1.0 + 2.4).abs() < 0.01, "{limiter:?}");
    }

    #[test]
    fn a_gap_of_a_minute_is_bridged_and_a_lost_sensor_turns_the_limit_off() {
        let mut limiter = Limiter::default();
        let before = see(&mut limiter, Some(54.0), 30);
        assert_eq!(see(&mut limiter, None, 1), before);
        assert_eq!(see(&mut limiter, None, 1), 0.0);
        assert_eq!(limiter.state, LimiterState::SensorLost);
        see(&mut limiter, Some(54.0), 1);
        assert_eq!(limiter.state, LimiterState::Limiting);
    }

    #[test]
    fn a_meter_counts_in_percent_of_its_limit_and_a_slow_one_is_followed_slowly() {
        let after = |refresh: u64| {
            let mut limiter = Limiter::default();
            let look = Look {
                limit: 0.02,
                measured: Some(0.022),
                by: MeasuredBy::Sensor,
                refresh: Duration::from_secs(refresh),
            };
            let bound = (BOUND, Kelvins(0.0));
            limiter.advance(LimiterKind::Flow, &TUNING, Some(look), Release::Free, bound, Duration::ZERO).0
        };
        assert!((after(4) + 3.0).abs() < 1e-9, "{}", after(4));
        assert!((after(65) + 1.5).abs() < 1e-9, "{}", after(65));
    }
}
