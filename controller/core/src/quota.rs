//! A budget of heat for each day, and the pace at which it may be spent.
//!
//! A quota that is simply cut off when it is used up gives a warm morning and a cold evening. So the day is paced: at each
//! moment what is left of the budget is spread over what is left of the day in proportion to need,
//!
//! ```text
//! allowed = (budget − used) / time left · need(now) / need(mean of the day)        need(T) = room target − T
//! ```
//!
//! and the quota's limiter holds the power to that, as a power limit would. A cold night so gets its larger part while a
//! warm afternoon still follows, an overrun of the morning is made good over the whole rest of the day, and in the last
//! hours nothing leaps: the pace looks two hours ahead, past midnight into the next day's budget, and never falls below
//! half of the budget's mean. What that lets through, and what the comfort guard gives back, is over the quota and is
//! shown, not hidden.
//!
//! # What is counted
//! The meter's energy counter, by its growth: a meter that was replaced does not count as a day's heat. Between two steps
//! of the counter, and where there is none, power over time; a gap in the power is counted with what was before it. A
//! station that starts at noon has half a budget.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitReadings, Joules, StationReadings, Watts};
use serde::{Deserialize, Serialize};

use crate::limiter::Look;
use crate::meter_limit::heat_power;
use crate::moment::{LocalTime, Weekday};
use crate::settings::LimitsSettings;
use crate::timer::seconds;

const DAY_SECONDS: f64 = 86_400.0;
const DAY_MINUTES: f64 = 1440.0;
/// The day's mean outdoor temperature is smoothed over a day.
const MEAN_SECONDS: f64 = DAY_SECONDS;
/// Need swings by this around the day's mean and no more: the outdoor temperature of a day does by ±6 K of 20 to 30.
const NEED: (f64, f64) = (0.7, 1.4);
/// The rate never falls below this share of the budget's mean.
const PACE_MIN: f64 = 0.5;
/// Pacing looks this far ahead and past midnight into the next day's budget: what is left in the last minutes, divided by
/// seconds, would be anything.
const HORIZON_SECONDS: f64 = 2.0 * 3600.0;
/// A counter grows by no more than twice the design load and one step of its display (a tenth of a GJ to one GJ).
const GROWTH_MAX: f64 = 2.0;
const DISPLAY_STEP: f64 = 1.0e9;
/// Unless a counter was looked at this shortly before midnight, its growth is not shared out.
const COUNTER_KEEP: Duration = Duration::from_secs(3600);
/// A day that was counted longer ago than this is another day of that name.
const DAY_KEEP: Duration = Duration::from_secs(86_400);

/// What the day's account remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    day: Option<Weekday>,
    /// The minute of the day at which counting began.
    begun: u16,
    used: Joules,
    counter: Option<Joules>,
    /// Since the counter last grew.
    uncounted: Duration,
    /// Power over that time: what the counter has not shown yet.
    pending: Joules,
    power: Watts,
    mean_outdoor: Option<Celsius>,
}

/// The day's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct QuotaReport {
    /// What the day may use, from when counting began.
    pub budget: Joules,
    /// What it has used.
    pub used: Joules,
    /// What may be drawn now.
    pub allowed: Watts,
}

/// What the account is kept from.
#[derive(Clone, Copy, Debug)]
pub struct Day<'a> {
    /// The circuit's readings.
    pub own: &'a CircuitReadings,
    /// The station's.
    pub station: &'a StationReadings,
    /// The outdoor temperature that the curve looks at.
    pub outdoor: Celsius,
    /// The room temperature that the curve aims at.
    pub room_target: Celsius,
    /// The design heat load.
    pub design_power: Watts,
    /// The time of day.
    pub local: LocalTime,
}

impl Quota {
    /// Lets time pass in which nobody looked. What the counter grew meanwhile is counted when it is read again.
    pub fn age(&mut self, gone: Duration) {
        self.uncounted = self.uncounted.saturating_add(gone);
        if gone >= DAY_KEEP {
            *self = Quota::default();
        }
    }

    /// One step: the account, and what its limiter looks at. None where there is no quota.
    pub fn advance(&mut self, settings: &LimitsSettings, day: &Day, dt: Duration) -> Option<(QuotaReport, Look)> {
        let quota = settings.quota?;
        self.turn_page(day.local);
        let (power, by) = heat_power(settings, day.own, day.station);
        self.count(settings, day, power, dt);

        let mean = self.mean_outdoor(day.outdoor, dt);
        let whole = quota.line.at(mean);
        let budget = whole * (1.0 - f64::from(self.begun) / DAY_MINUTES);
        let rate = whole / DAY_SECONDS;
        let left = (DAY_MINUTES - f64::from(day.local.minute_of_day)) * 60.0;
        let beyond = (HORIZON_SECONDS - left).max(0.0);
        let need = |outdoor: Celsius| (day.room_target - outdoor).0.max(1.0);
        let share = (need(day.outdoor) / need(mean)).clamp(NEED.0, NEED.1);
        let used = self.used + self.pending;
        let pace = (budget - used.0 + rate * beyond) / (left + beyond) * share;
        let allowed = pace.max(PACE_MIN * rate);

        let report = QuotaReport { budget: Joules(budget), used, allowed: Watts(allowed) };
        let look = Look { limit: allowed, measured: power.map(|power| power.0), by, refresh: settings.meter_refresh };
        Some((report, look))
    }

    fn turn_page(&mut self, local: LocalTime) {
        if self.day == Some(local.weekday) {
            return;
        }
        // What a counter grew while nobody looked at midnight belongs to two days, and nobody can tell how much to which.
        let watched = self.uncounted < COUNTER_KEEP;
        *self = Quota {
            day: Some(local.weekday),
            begun: local.minute_of_day,
            counter: if watched { self.counter } else { None },
            power: self.power,
            mean_outdoor: self.mean_outdoor,
            ..Quota::default()
        };
    }

    fn count(&mut self, settings: &LimitsSettings, day: &Day, power: Option<Watts>, dt: Duration) {
        self.power = power.unwrap_or(self.power);
        self.pending += Joules(self.power.0 * seconds(dt));
        self.uncounted = self.uncounted.saturating_add(dt);
        let own = day.own.own.heat_energy;
        let counter = if own.is_configured() {
            own.fresh()
        } else {
            day.station.primary_heat_energy.fresh().map(|energy| energy * settings.station_share.0)
        };
        let Some(counter) = counter else { return };
        let grown = self.counter.map_or(0.0, |before| counter.0 - before.0);
        self.counter = Some(counter);
        if grown == 0.0 {
            return;
        }
        let possible = DISPLAY_STEP + GROWTH_MAX * day.design_power.0 * seconds(self.uncounted);
        // A counter that jumps back or too far was replaced or misread: what power said in that time stands.
        self.used += if (0.0..=possible).contains(&grown) { Joules(grown) } else { self.pending };
        self.pending = Joules(0.0);
        self.uncounted = Duration::ZERO;
    }

    fn mean_outdoor(&mut self, outdoor: Celsius, dt: Duration) -> Celsius {
        let before = self.mean_outdoor.unwrap_or(outdoor);
        let mean = before + (outdoor - before) * (1.0 - (-seconds(dt) / MEAN_SECONDS).exp());
        self.mean_outdoor = Some(mean);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit_line::LimitLine;
    use crate::settings::{LimiterTuning, QuotaSettings};
    use heatstation_points::Reading;

    const GIGAJOULE: f64 = 1e9;

    /// An account of 86.4 GJ a day, which is a megawatt.
    fn settings() -> LimitsSettings {
        let quota = QuotaSettings { line: LimitLine::constant(86.4 * GIGAJOULE), tuning: LimiterTuning::QUOTA };
        LimitsSettings { quota: Some(quota), ..LimitsSettings::default() }
    }

    struct Account {
        quota: Quota,
        own: CircuitReadings,
        station: StationReadings,
        outdoor: f64,
        minute: u32,
    }

    impl Account {
        fn from(minute: u32) -> Account {
            let (own, station) = (CircuitReadings::default(), StationReadings::default());
            Account { quota: Quota::default(), own, station, outdoor: 0.0, minute }
        }

        fn minutes(&mut self, count: u32) -> QuotaReport {
            let mut last = QuotaReport::default();
            for _ in 0..count {
                let day = crate::moment::Day(4 + self.minute as i32 / 1440);
                let local = LocalTime::on(day, (self.minute % 1440) as u16);
                let day = Day {
                    own: &self.own,
                    station: &self.station,
                    outdoor: Celsius(self.outdoor),
                    room_target: Celsius(20.0),
                    design_power: Watts(2e6),
                    local,
                };
                last = self.quota.advance(&settings(), &day, Duration::from_secs(60)).unwrap().0;
                self.minute += 1;
            }
            last
        }

        fn power(&mut self, watts: f64) {
            self.own.own.heat_power = Reading::good(Watts(watts));
        }

        fn counter(&mut self, gigajoules: f64) {
            self.own.own.heat_energy = Reading::good(Joules(gigajoules * GIGAJOULE));
        }
    }

    fn check(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
    }

    #[test]
    fn an_overrun_of_the_morning_is_spread_over_the_rest_of_the_day() {
        let mut account = Account::from(0);
        account.power(1.5e6);
        let noon = account.minutes(720);
        check(noon.used.0, 64.8 * GIGAJOULE, 0.1 * GIGAJOULE);
        check(noon.allowed.0, 0.5e6, 1e3);
        account.power(0.5e6);
        let night = account.minutes(719);
        check(night.used.0, 86.4 * GIGAJOULE, 0.1 * GIGAJOULE);
        check(night.allowed.0, 1e6, 2e4);
        assert!(account.minutes(2).used.0 < 0.1 * GIGAJOULE, "a new day begins with nothing used");
    }

    #[test]
    fn a_used_up_quota_still_leaves_half_of_the_rate() {
        let mut account = Account::from(0);
        account.power(3e6);
        check(account.minutes(1200).allowed.0, 0.5e6, 1.0);
    }

    #[test]
    fn a_colder_hour_gets_more_of_the_day() {
        let mut account = Account::from(0);
        account.minutes(1);
        account.outdoor = -5.0;
        check(account.minutes(1).allowed.0, 1.25e6, 5e3);
    }

    #[test]
    fn a_station_that_starts_at_noon_has_half_a_budget() {
        let report = Account::from(720).minutes(1);
        assert_eq!((report.budget.0, report.used.0), (43.2 * GIGAJOULE, 0.0));
    }

    #[test]
    fn the_counter_outranks_the_power_and_its_replacement_is_not_heat() {
        let mut account = Account::from(0);
        account.power(1e6);
        account.counter(500.0);
        account.minutes(60);
        account.counter(502.0);
        // What the power made of that hour, 3.6 GJ, was too much; the counter says 2.
        check(account.minutes(1).used.0, 2.0 * GIGAJOULE, 1.0);
        account.minutes(60);
        account.counter(0.0);
        check(account.minutes(1).used.0, (2.0 + 3.6) * GIGAJOULE, 0.1 * GIGAJOULE);
    }
}
