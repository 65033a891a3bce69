//! How much water the network loses, and whether it has burst.
//!
//! # Why this shape
//! Water that is made up either fills what cooled and shrank, or what pressure asks for, or it is gone:
//!
//! ```text
//! S(t) = made up + V · e(T) − C · p         loss between two times = S₂ − S₁        e(T) = ∫ β dT
//! ```
//!
//! `V` is the loop's water, `T` its mean temperature, `C` how much goes in per pressure, learnt from make-up's own runs. The
//! error of `S` does not grow with time: an hour's difference is vague (100 m³ take 46 l a kelvin), a day's is sharp. So the
//! rate is the slope of a straight line through a day of hourly `S`, told with its standard error, and the share of an
//! unsure `V` in it. A setpoint that falls by 10 K draws half a cubic metre per 100 m³ and is no leak.
//!
//! # What is worth an alarm
//! Four signs, any of them: a CUSUM of the hourly remainder over the usual rate; a night (0 to 5 h, when nobody draws)
//! above the other nights; the last three days above those before; more than a share of the water a day. A *burst* is
//! another thing: for a minute make-up runs, the pressure falls all the same, and both together are too much water.
//!
//! # What is left out of the balance
//! What the relief valve lets off, and the hours in which the water stands: then no sensor tells its temperature. After two
//! days of standstill it is even, and the balance goes on as a pressure decay test.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::moment::LocalTime;
use crate::settings::LeakSettings;
use crate::timer::seconds;

mod burst;
mod series;

use burst::Burst;
use series::Series;

const HOUR: Duration = Duration::from_secs(3600);
/// Of each hour the last ten minutes are averaged: pulses of a meter and noise of a transmitter even out.
const AVERAGED: Duration = Duration::from_secs(600);
/// The water's way around is 20 to 30 min: what a change of the supply means for the mean comes with half of that.
const WATER_SECONDS: f64 = 900.0;
/// Standing water is even after this.
const EVEN_AFTER: Duration = Duration::from_secs(48 * 3600);
/// After circulation has come back the sensors tell the loop's temperature again.
const MIXED_AFTER: Duration = Duration::from_secs(3600);
/// With nothing counted for so long the balance begins anew.
const BLIND_MAX: Duration = Duration::from_secs(600);
/// The relief valve has closed and the pressure has settled.
const RELIEVED_AFTER: Duration = Duration::from_secs(60);
/// How well the mean temperature is known, K: two sensors of class B stand for a network.
const WATER_ERROR: f64 = 0.5;
/// How well the loop's volume is known.
const VOLUME_ERROR: f64 = 0.2;
/// A meter's pulse and a transmitter's noise, m³ and Pa.
const METER_ERROR: f64 = 0.005;
const PRESSURE_ERROR: f64 = 2_000.0;
/// The CUSUM looks for a leak of 1 % of the water a day (normal networks lose 0.3 to 2 %) with half of it as its slack.
const SOUGHT_PER_DAY: f64 = 0.01;
/// And takes four standard errors of the balance for a sign.
const SIGN: f64 = 4.0;
/// The usual rate follows within about ten days, in hours.
const USUAL_HOURS: f64 = 240.0;
/// Nights and days must exceed the others by half a percent of the water a day at least.
const EXCESS_PER_DAY: f64 = 0.005;

/// Volume growth of water against 4 °C: a parabola through the steam tables at 20, 50 and 80 °C.
fn growth(celsius: f64) -> f64 {
    0.00177 + 3.443e-4 * (celsius - 20.0) + 3.645e-6 * (celsius - 20.0) * (celsius - 50.0)
}

/// What the estimator looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one state of the plant")]
pub struct Sight {
    /// Made up in this step, m³; none while nothing counts it.
    pub made_up: Option<f64>,
    /// What the make-up meter says now.
    pub make_up_flow: Option<CubicMetersPerSecond>,
    /// Measured at the holding point; no estimate.
    pub pressure: Option<Pascals>,
    /// Secondary supply and return.
    pub water: Option<(Celsius, Celsius)>,
    /// Water is proven to move.
    pub circulating: bool,
    /// The relief valve is open, told or seen.
    pub relieving: bool,
    /// Make-up runs.
    pub making_up: bool,
    /// Make-up starts below this.
    pub start: Pascals,
    /// And aims at this.
    pub setpoint: Pascals,
    /// The time on the station's wall.
    pub local: LocalTime,
}

/// A sign of a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakSign {
    /// Hour by hour more than usual.
    Remainder,
    /// The last night lost more than the nights before.
    Night,
    /// The last days lost more than the days before.
    Days,
    /// More than the allowed share of the water a day.
    Limit,
}

impl LeakSign {
    /// All of them.
    pub const ALL: [LeakSign; 4] = [LeakSign::Remainder, LeakSign::Night, LeakSign::Days, LeakSign::Limit];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            LeakSign::Remainder => "remainder",
            LeakSign::Night => "night",
            LeakSign::Days => "days",
            LeakSign::Limit => "limit",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            LeakSign::Remainder => ("水量平衡差额增大", "hour by hour more than usual"),
            LeakSign::Night => ("夜间失水增大", "more than in other nights"),
            LeakSign::Days => ("近几日失水增大", "more than on the days before"),
            LeakSign::Limit => ("失水率超限", "more than the allowed share a day"),
        }
    }
}

/// How the loss was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakMethod {
    /// From made-up water, temperature and pressure while the water moves.
    #[default]
    Balance,
    /// The same in standstill: the decay of the pressure.
    PressureDecay,
}

/// What is said of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LeakReport {
    /// The loss, and its standard error; none before six hours are known.
    pub rate: Option<(CubicMetersPerSecond, CubicMetersPerSecond)>,
    /// The same as a share of the loop's water a day.
    pub per_day: Option<(Ratio, Ratio)>,
    /// How it was found.
    pub method: LeakMethod,
    /// The loss of the last night, 0 to 5 h.
    pub night: Option<CubicMetersPerSecond>,
    /// By how much the daily loss grows from day to day, m³ a day and day.
    pub trend: Option<f64>,
    /// How much water goes in per pressure, m³/Pa, as learnt so far.
    pub compliance: f64,
    /// The signs of a leak, one flag each in the order of [`LeakSign::ALL`].
    pub signs: [bool; LeakSign::ALL.len()],
    /// A burst.
    pub burst: bool,
}

impl LeakReport {
    /// The signs that there are.
    pub fn signs(&self) -> impl Iterator<Item = LeakSign> + '_ {
        LeakSign::ALL.into_iter().zip(self.signs).filter(|(_, there)| *there).map(|(sign, _)| sign)
    }
}

/// A run of make-up from which the compliance is learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Fill {
    from: Pascals,
    made: f64,
    lasted: Duration,
}

/// What the estimator remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Made up since the balance began, m³.
    made: f64,
    /// Mean temperature of the loop's water, °C.
    water: Option<f64>,
    /// What has been left out of the balance, m³.
    left_out: f64,
    /// Where the balance stood when something began that is left out, and for how long that has been over.
    suspended: Option<(f64, Duration)>,
    blind: Duration,
    standing: Duration,
    mixed: Duration,
    /// Sums for the compliance: Σ ΔV Δp and Σ Δp².
    learnt: (f64, f64),
    fill: Option<Fill>,
    /// The pressure of the step before.
    pressure: Option<Pascals>,
    /// Into the present hour, and what is averaged of it.
    into_hour: Duration,
    average: (f64, f64),
    hours: u32,
    hourly: Series<24>,
    before: Option<f64>,
    usual: Option<f64>,
    cusum: f64,
    /// The balance at midnight, and the hours that had been seen by then.
    midnight: Option<(f64, f64)>,
    last_hour: Option<u16>,
    nights: Series<8>,
    days: Series<14>,
    signs: [bool; LeakSign::ALL.len()],
    method: LeakMethod,
    burst: Burst,
}

impl Leak {
    /// One step.
    pub fn advance(&mut self, settings: &LeakSettings, seen: &Sight, dt: Duration) {
        let compliance = self.compliance(settings);
        self.burst.advance(settings, compliance, seen, dt);
        self.count(seen, dt);
        self.follow_water(seen, dt);
        self.learn(settings, seen, dt);
        let Some(pressure) = seen.pressure.filter(|_| self.water.is_some()) else { return };
        let balance = self.balance(settings, pressure);
        let Some(balance) = self.leave_out(balance, seen, dt) else { return };
        self.note_hour(settings, balance, dt);
        self.note_day(settings, balance, seen.local);
    }

    /// Whether the network has burst.
    pub fn has_burst(&self) -> bool {
        self.burst.active()
    }

    /// Lets time pass in which no step was made: what was lost meanwhile nobody knows.
    pub(crate) fn age(&mut self, age: Duration) {
        if age > BLIND_MAX {
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        let Leak { learnt, hours, usual, nights, days, signs, .. } = std::mem::take(self);
        *self = Leak { learnt, hours, usual, nights, days, signs, ..Leak::default() };
    }

    fn compliance(&self, settings: &LeakSettings) -> f64 {
        // What the file says counts as much as one run through the whole band of 25 kPa.
        const PRIOR: f64 = 25e3 * 25e3;
        (self.learnt.0 + settings.compliance * PRIOR) / (self.learnt.1 + PRIOR)
    }

    fn balance(&self, settings: &LeakSettings, pressure: Pascals) -> f64 {
        let water = self.water.unwrap_or_default();
        self.made + settings.volume * growth(water) - self.compliance(settings) * pressure.0 - self.left_out
    }

    fn count(&mut self, seen: &Sight, dt: Duration) {
        match seen.made_up {
            Some(made_up) => {
                self.made += made_up;
                self.blind = Duration::ZERO;
            }
            None => self.blind = self.blind.saturating_add(dt),
        }
        if self.blind > BLIND_MAX && self.hourly.len() > 0 {
            self.begin_anew();
        }
    }

    fn follow_water(&mut self, seen: &Sight, dt: Duration) {
        self.standing = if seen.circulating { Duration::ZERO } else { self.standing.saturating_add(dt) };
        self.mixed = if seen.circulating { self.mixed.saturating_add(dt) } else { Duration::ZERO };
        // Standing water has no temperature that anybody measures.
        let Some((supply, back)) = seen.water.filter(|_| seen.circulating) else { return };
        let now = 0.5 * (supply.0 + back.0);
        let before = self.water.unwrap_or(now);
        self.water = Some(before + (now - before) * (1.0 - (-seconds(dt) / WATER_SECONDS).exp()));
    }

    /// Learns the compliance from runs of make-up: short, and through enough pressure.
    fn learn(&mut self, settings: &LeakSettings, seen: &Sight, dt: Duration) {
        const LONGEST: Duration = Duration::from_secs(120);
        const RISE: f64 = 8e3;
        let before = std::mem::replace(&mut self.pressure, seen.pressure);
        let Some(pressure) = seen.pressure else {
            self.fill = None;
            return;
        };
        if seen.making_up && !seen.relieving {
            let by_flow = seen.make_up_flow.map(|flow| flow.0 * seconds(dt));
            let from = before.unwrap_or(pressure);
            let fill = self.fill.get_or_insert(Fill { from, ..Fill::default() });
            fill.made += by_flow.or(seen.made_up).unwrap_or_default();
            fill.lasted = fill.lasted.saturating_add(dt);
            return;
        }
        let Some(fill) = self.fill.take() else { return };
        let rise = (pressure - fill.from).0;
        if fill.lasted <= LONGEST && rise >= RISE && fill.made > 0.0 {
            let before = self.compliance(settings);
            self.learnt = (self.learnt.0 * 0.95 + fill.made * rise, self.learnt.1 * 0.95 + rise * rise);
            // The balance does not jump because something was learnt.
            self.left_out -= (self.compliance(settings) - before) * pressure.0;
        }
    }

    /// Relief, and standing water, are left out: the balance is the same after them as before. None while it lasts.
    fn leave_out(&mut self, balance: f64, seen: &Sight, dt: Duration) -> Option<f64> {
        self.method = if seen.circulating { LeakMethod::Balance } else { LeakMethod::PressureDecay };
        // In the first hour of circulation the sensors follow the mixing, not the loop.
        let uneven = if seen.circulating { self.mixed < MIXED_AFTER } else { self.standing < EVEN_AFTER };
        if seen.relieving || uneven {
            let (from, _) = self.suspended.unwrap_or((balance, Duration::ZERO));
            self.suspended = Some((from, Duration::ZERO));
            return None;
        }
        let Some((from, over)) = self.suspended else { return Some(balance) };
        if over < RELIEVED_AFTER {
            self.suspended = Some((from, over.saturating_add(dt)));
            return None;
        }
        self.suspended = None;
        self.left_out += balance - from;
        Some(from)
    }

    /// The standard error of one value of the balance, m³.
    fn error(&self, settings: &LeakSettings) -> f64 {
        let slope = growth(self.water.unwrap_or(50.0) + 0.5) - growth(self.water.unwrap_or(50.0) - 0.5);
        let water = settings.volume * slope * WATER_ERROR;
        let pressure = self.compliance(settings) * PRESSURE_ERROR;
        (water * water + pressure * pressure + METER_ERROR * METER_ERROR).sqrt()
    }

    fn note_hour(&mut self, settings: &LeakSettings, balance: f64, dt: Duration) {
        self.into_hour = self.into_hour.saturating_add(dt);
        if self.into_hour + AVERAGED >= HOUR {
            self.average = (self.average.0 + balance, self.average.1 + 1.0);
        }
        if self.into_hour < HOUR {
            return;
        }
        let mean = self.average.0 / self.average.1.max(1.0);
        (self.into_hour, self.average) = (Duration::ZERO, (0.0, 0.0));
        self.hours += 1;
        self.hourly.push(f64::from(self.hours), mean);
        self.judge_remainder(settings, mean);
        let limit = settings.volume * settings.per_day_max.0 / 86_400.0;
        let sure = self.rate(settings).is_some_and(|(rate, error)| rate - 2.0 * error > limit);
        self.signs[LeakSign::Limit as usize] = sure;
    }

    fn judge_remainder(&mut self, settings: &LeakSettings, mean: f64) {
        let before = self.before.replace(mean);
        let (Some(before), Some((rate, _))) = (before, self.rate(settings)) else { return };
        let hourly = rate * 3600.0;
        // Before a day is known, what is usual is what there is.
        let usual = self.usual.filter(|_| self.hourly.len() >= 24).unwrap_or(hourly);
        let slack = 0.5 * SOUGHT_PER_DAY * settings.volume / 24.0;
        let sign = SIGN * self.error(settings).max(self.unsure_volume(settings));
        self.cusum = (self.cusum + (mean - before) - usual - slack).clamp(0.0, 2.0 * sign);
        let known = &mut self.signs[LeakSign::Remainder as usize];
        *known = if *known { self.cusum > 0.5 * sign } else { self.cusum > sign };
        if !*known {
            // The usual rate follows the season's slow change, and not the leak that is being looked for.
            self.usual = Some(usual + (hourly - usual) / USUAL_HOURS);
        }
    }

    /// What an unsure volume makes of the temperature's change over the last day, m³.
    fn unsure_volume(&self, settings: &LeakSettings) -> f64 {
        let water = self.water.unwrap_or(50.0);
        // The coldest and the warmest that a day's balance can have come from lie about 5 K apart in any weather.
        VOLUME_ERROR * settings.volume * (growth(water + 2.5) - growth(water - 2.5))
    }

    /// The loss and its standard error, m³/s.
    fn rate(&self, settings: &LeakSettings) -> Option<(f64, f64)> {
        let (slope, error) = self.hourly.slope(6, self.error(settings))?;
        Some((slope / 3600.0, error / 3600.0))
    }

    fn note_day(&mut self, settings: &LeakSettings, balance: f64, local: LocalTime) {
        let hour = local.minute_of_day / 60;
        let turned = self.last_hour.replace(hour) != Some(hour);
        if !turned {
            return;
        }
        let now = f64::from(self.hours) + seconds(self.into_hour) / 3600.0;
        // Hours that were left out in between make it another night and another day.
        let midnight = self.midnight;
        let whole = |hours: f64| {
            let from = midnight.filter(|(_, at)| (now - at - hours).abs() < 0.5);
            from.map(|(before, _)| balance - before)
        };
        if hour == 5
            && let Some(lost) = whole(5.0)
        {
            self.nights.push(now / 24.0, lost / 5.0);
            self.judge_night(settings);
        }
        if hour == 0 {
            if let Some(lost) = whole(24.0) {
                self.days.push(now / 24.0, lost);
                self.judge_days(settings);
            }
            self.midnight = Some((balance, now));
        }
    }

    fn judge_night(&mut self, settings: &LeakSettings) {
        let Some((last, others)) = self.nights.last_and_median(3) else { return };
        let error = SIGN * self.error(settings) * std::f64::consts::SQRT_2 / 5.0;
        let excess = error.max(EXCESS_PER_DAY * settings.volume / 24.0);
        self.signs[LeakSign::Night as usize] = last - others > excess;
    }

    fn judge_days(&mut self, settings: &LeakSettings) {
        let Some((last, before)) = self.days.last_against_before(3, 4) else { return };
        let excess = (EXCESS_PER_DAY * settings.volume).max(SIGN * self.error(settings) / 3.0);
        self.signs[LeakSign::Days as usize] = last - before > excess;
    }

    /// What is to be said of the loss.
    pub fn report(&self, settings: &LeakSettings) -> LeakReport {
        let rate = self.rate(settings);
        let day = 86_400.0 / settings.volume;
        LeakReport {
            rate: rate.map(|(rate, error)| (CubicMetersPerSecond(rate), CubicMetersPerSecond(error))),
            per_day: rate.map(|(rate, error)| (Ratio(rate * day), Ratio(error * day))),
            method: self.method,
            night: self.nights.last().map(|hourly| CubicMetersPerSecond(hourly / 3600.0)),
            trend: self.days.slope(4, 0.0).map(|(slope, _)| slope),
            compliance: self.compliance(settings),
            signs: self.signs,
            burst: self.burst.active(),
        }
    }
}

#[cfg(test)]
mod tests;
