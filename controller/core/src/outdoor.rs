//! The outdoor temperature: where it comes from, how it is smoothed, and what stands in when it is lost.
//!
//! The ladder: sensor → second sensor → meteorological service with its learnt bias → last good value for some hours, then
//! ageing → a fixed value on the frost side. Each rung is named in the report, and its change is an event.
//!
//! # What each rung may do
//! * **Two sensors that differ**: the colder. **A sensor in the sun** ([`doubt`]): first the colder of sensor and
//!   service, then the service, never further below the sensor than twice the excess: a service that lies cannot
//!   overheat the buildings by more.
//! * **The service** (its observation on the point `outdoor.forecast`, or the hour of the forecast) stands in as it is where
//!   it is colder; where it is warmer it may warm by no more than 3 K an hour, and it expires with its age.
//! * **The last good value** is held, and then ages toward the fixed one: at once where that is colder, by 1 K an hour
//!   where that is warmer. So the loss of all sources never takes heat away in a step.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, StationReadings};
use serde::{Deserialize, Serialize};

use crate::forecast::{Bias, Forecast, Outlook};
use crate::settings::OutdoorSettings;
use crate::timer::seconds;

pub mod doubt;

use doubt::{Agreement, Stillness};

/// Where the outdoor temperature comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutdoorSource {
    /// The station's sensor.
    Sensor,
    /// The second sensor.
    SecondSensor,
    /// Both sensors answer and disagree: the colder one.
    ColderSensor,
    /// The sensor is much warmer than the meteorological service: the service, until the sensor is near it again.
    ColderService,
    /// No sensor is believed: the meteorological service.
    Forecast,
    /// The last good value, held or ageing.
    LastGood,
    /// The configured value.
    #[default]
    Fallback,
}

impl OutdoorSource {
    /// All of them, best first.
    pub const ALL: [OutdoorSource; 7] = [
        OutdoorSource::Sensor,
        OutdoorSource::SecondSensor,
        OutdoorSource::ColderSensor,
        OutdoorSource::ColderService,
        OutdoorSource::Forecast,
        OutdoorSource::LastGood,
        OutdoorSource::Fallback,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            OutdoorSource::Sensor => "sensor",
            OutdoorSource::SecondSensor => "second_sensor",
            OutdoorSource::ColderSensor => "colder_sensor",
            OutdoorSource::ColderService => "colder_service",
            OutdoorSource::Forecast => "forecast",
            OutdoorSource::LastGood => "last_good",
            OutdoorSource::Fallback => "fallback",
        }
    }

    /// Whether it tells of the weather of now, rather than of some hours ago or of a setting.
    pub const fn knows_the_weather(self) -> bool {
        match self {
            OutdoorSource::Sensor
            | OutdoorSource::SecondSensor
            | OutdoorSource::ColderSensor
            | OutdoorSource::ColderService
            | OutdoorSource::Forecast => true,
            OutdoorSource::LastGood | OutdoorSource::Fallback => false,
        }
    }
}

/// Why a sensor that answers is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// It stands in the sun.
    Sunlit,
    /// It does not move.
    Frozen,
    /// It differs from the service, which is either wrong or of another place: the sensor is used.
    ServiceDiffers,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Doubt; 3] = [Doubt::Sunlit, Doubt::Frozen, Doubt::ServiceDiffers];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Doubt::Sunlit => "sunlit",
            Doubt::Frozen => "frozen",
            Doubt::ServiceDiffers => "service_differs",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Doubt::Sunlit => ("传感器受日照", "sun on the sensor"),
            Doubt::Frozen => ("传感器数值不变", "the sensor does not move"),
            Doubt::ServiceDiffers => ("与气象服务不一致", "sensor and weather service differ"),
        }
    }
}

/// What became of the forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastUse {
    /// None was given.
    #[default]
    Absent,
    /// It is used.
    Used,
    /// It is too old, or does not reach to now.
    TooOld,
    /// It is wrong about now, so it is not believed about later.
    Disbelieved,
}

impl ForecastUse {
    /// All of them.
    pub const ALL: [ForecastUse; 4] =
        [ForecastUse::Absent, ForecastUse::Used, ForecastUse::TooOld, ForecastUse::Disbelieved];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            ForecastUse::Absent => "absent",
            ForecastUse::Used => "used",
            ForecastUse::TooOld => "too_old",
            ForecastUse::Disbelieved => "disbelieved",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            ForecastUse::Absent => ("无预报", "no forecast"),
            ForecastUse::Used => ("使用中", "in use"),
            ForecastUse::TooOld => ("预报过期", "too old"),
            ForecastUse::Disbelieved => ("与实测不符", "disagrees with the sensor"),
        }
    }
}

/// What the outdoor ladder remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutdoorState {
    /// The rung it stands on.
    pub source: OutdoorSource,
    /// The last good value and how old it is.
    last_good: Option<(Celsius, Duration)>,
    /// The smoothed value.
    filtered: Option<Celsius>,
    /// The value of the step before.
    #[serde(default)]
    used: Option<Celsius>,
    #[serde(default)]
    stillness: [Stillness; 2],
    #[serde(default)]
    agreement: Agreement,
    #[serde(default)]
    bias: Bias,
}

/// The outdoor temperature of this step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outdoor {
    /// The value of the moment.
    pub now: Celsius,
    /// Smoothed with the configured time constant; what the curve looks at.
    pub filtered: Celsius,
    /// Where it comes from.
    pub source: OutdoorSource,
    /// Why a sensor that answers is not believed, if one is not.
    pub doubt: Option<Doubt>,
    /// What the meteorological service says of now, its bias corrected.
    pub service: Option<Celsius>,
    /// What is added to the service's temperature.
    pub bias: Kelvins,
    /// What became of the forecast.
    pub forecast: ForecastUse,
    /// How long ago the forecast was issued.
    pub forecast_age: Option<Duration>,
}

impl Outdoor {
    /// A temperature of the station's own sensor, with nothing else known: for trials.
    pub const fn sensor(now: Celsius) -> Outdoor {
        Outdoor {
            now,
            filtered: now,
            source: OutdoorSource::Sensor,
            doubt: None,
            service: None,
            bias: Kelvins(0.0),
            forecast: ForecastUse::Absent,
            forecast_age: None,
        }
    }
}

/// A smoothed value older than this is of another day.
const SMOOTHED_KEEP: Duration = Duration::from_secs(6 * 3600);
/// A last good value that is colder than the fixed one goes there this fast: slower than any morning warms.
const AGEING_PER_HOUR: Kelvins = Kelvins(1.0);
/// The fastest that the service may warm on its own word: a sunny morning warms by 2 to 3 K an hour.
const SERVICE_WARMS_PER_HOUR: Kelvins = Kelvins(3.0);
/// From this much sunshine on a sensor is no teacher of the service.
const SUN_SHINES: f64 = 50.0;

/// What is seen of the temperature outdoors, before it is decided.
#[derive(Clone, Copy)]
struct Witnesses {
    /// The believed sensors' temperature and its rung.
    sensor: Option<(Celsius, OutdoorSource)>,
    /// The service's, its bias corrected.
    service: Option<Celsius>,
    frozen: bool,
}

impl OutdoorState {
    /// Lets time pass in which nobody looked.
    pub fn age(&mut self, gone: Duration) {
        if let Some((_, age)) = &mut self.last_good {
            *age = age.saturating_add(gone);
        }
        if gone > SMOOTHED_KEEP {
            (self.filtered, self.used) = (None, None);
        }
        self.stillness.iter_mut().for_each(Stillness::forget);
    }

    /// One step.
    pub fn observe(
        &mut self,
        settings: &OutdoorSettings,
        readings: &StationReadings,
        forecast: Option<&Forecast>,
        dt: Duration,
    ) -> Outdoor {
        let young = forecast.filter(|forecast| forecast.age <= settings.forecast_age_max);
        let foreseen = young.and_then(Forecast::temperature);
        let raw = readings.outdoor_forecast.usable().or(foreseen);
        let seen = self.look(settings, readings, raw, dt);

        let excess = seen.sensor.zip(seen.service).map(|((sensor, _), service)| sensor - service);
        self.agreement.advance(settings, excess, dt);
        let bright = readings.solar_irradiance.usable().or(young.and_then(Forecast::solar));
        let taught = excess.filter(|excess| self.may_teach(settings, *excess, bright.map(|sun| sun.0)));
        if let Some(excess) = taught {
            self.bias.learn(excess + self.bias.value(), settings.bias_per_hour, dt);
        }

        let (now, source) = self.decide(settings, seen, dt);
        (self.source, self.used) = (source, Some(now));

        // A first-order filter, exact for any step length. It starts at the first value, not at zero.
        let before = self.filtered.unwrap_or(now);
        let share = 1.0 - (-seconds(dt) / seconds(settings.filter).max(1e-9)).exp();
        let filtered = before + (now - before) * share;
        self.filtered = Some(filtered);
        let differs = excess.is_some_and(|excess| excess.0.abs() > settings.sun_excess.0);
        Outdoor {
            now,
            filtered,
            source,
            doubt: self.doubt(seen, differs),
            service: seen.service,
            bias: self.bias.value(),
            forecast: match (forecast, foreseen) {
                (None, _) => ForecastUse::Absent,
                (Some(_), None) => ForecastUse::TooOld,
                (Some(_), Some(_)) if differs && !self.is_sunlit() => ForecastUse::Disbelieved,
                (Some(_), Some(_)) => ForecastUse::Used,
            },
            forecast_age: forecast.map(|forecast| forecast.age),
        }
    }

    /// The forecast as the circuits may use it: none unless this step found it fit for use.
    pub fn outlook<'a>(&self, outdoor: &Outdoor, forecast: Option<&'a Forecast>) -> Option<Outlook<'a>> {
        let fit = outdoor.forecast == ForecastUse::Used;
        forecast.filter(|_| fit).map(|forecast| Outlook { forecast, bias: self.bias.value() })
    }

    fn is_sunlit(&self) -> bool {
        matches!(self.agreement, Agreement::Warmer { .. } | Agreement::Sunlit { .. })
    }

    fn look(
        &mut self,
        settings: &OutdoorSettings,
        readings: &StationReadings,
        raw_service: Option<Celsius>,
        dt: Duration,
    ) -> Witnesses {
        // Outdoor temperature moves in hours: a stale value is as good as a fresh one.
        let shown = [readings.outdoor_temperature.usable(), readings.outdoor_temperature_second.usable()];
        let after = settings.frozen_after;
        let frozen = [
            self.stillness[0].frozen(after, shown[0], shown[1].or(raw_service), dt),
            self.stillness[1].frozen(after, shown[1], shown[0].or(raw_service), dt),
        ];
        let believed = |number: usize| shown[number].filter(|_| !frozen[number]);
        let sensor = match (believed(0), believed(1)) {
            (Some(a), Some(b)) if (a - b).0.abs() > settings.disagreement.0 => {
                Some((a.min(b), OutdoorSource::ColderSensor))
            }
            (Some(a), _) => Some((a, OutdoorSource::Sensor)),
            (None, Some(b)) => Some((b, OutdoorSource::SecondSensor)),
            (None, None) => None,
        };
        Witnesses { sensor, service: raw_service.map(|raw| raw + self.bias.value()), frozen: frozen.contains(&true) }
    }

    /// While it may be the sun that a sensor shows, it teaches nothing; were only its colder moments believed by day, the
    /// service would look too warm. What is far off is no bias either.
    fn may_teach(&self, settings: &OutdoorSettings, excess: Kelvins, sunshine: Option<f64>) -> bool {
        let dark = sunshine.is_none_or(|sunshine| sunshine <= SUN_SHINES);
        dark && !self.is_sunlit() && excess.0.abs() <= 2.0 * settings.sun_excess.0
    }

    fn doubt(&self, seen: Witnesses, differs: bool) -> Option<Doubt> {
        match self.agreement {
            Agreement::Sunlit { .. } => Some(Doubt::Sunlit),
            Agreement::Agrees | Agreement::Warmer { .. } | Agreement::ServiceWrong { .. } if seen.frozen => {
                Some(Doubt::Frozen)
            }
            Agreement::ServiceWrong { .. } => Some(Doubt::ServiceDiffers),
            Agreement::Agrees if differs => Some(Doubt::ServiceDiffers),
            Agreement::Agrees | Agreement::Warmer { .. } => None,
        }
    }

    /// The rung, and the value on it.
    fn decide(&mut self, settings: &OutdoorSettings, seen: Witnesses, dt: Duration) -> (Celsius, OutdoorSource) {
        let sunlit = seen.service.filter(|_| self.is_sunlit());
        let known = match (seen.sensor, sunlit, seen.service) {
            (Some((sensor, _)), Some(service), _) => {
                let furthest = sensor - settings.sun_excess * 2.0;
                Some((service.max(furthest).min(sensor), OutdoorSource::ColderService))
            }
            (Some(sensor), None, _) => Some(sensor),
            (None, _, Some(service)) => Some((self.warm_slowly(service, dt), OutdoorSource::Forecast)),
            (None, _, None) => None,
        };
        if let Some((value, _)) = known {
            self.last_good = Some((value, Duration::ZERO));
        } else if let Some((_, age)) = &mut self.last_good {
            *age = age.saturating_add(dt);
        }
        known.unwrap_or_else(|| self.aged(settings))
    }

    fn warm_slowly(&self, service: Celsius, dt: Duration) -> Celsius {
        let most = SERVICE_WARMS_PER_HOUR * (seconds(dt) / 3600.0);
        self.used.map_or(service, |before| service.min(before + most))
    }

    /// The last good value while it is held; after that it ages toward the fixed one.
    fn aged(&self, settings: &OutdoorSettings) -> (Celsius, OutdoorSource) {
        let fixed = (settings.fallback, OutdoorSource::Fallback);
        let Some((value, age)) = self.last_good else { return fixed };
        let over = age.saturating_sub(settings.hold);
        if over.is_zero() {
            return (value, OutdoorSource::LastGood);
        }
        let aged = value + AGEING_PER_HOUR * (seconds(over) / 3600.0);
        if aged < settings.fallback { (aged, OutdoorSource::LastGood) } else { fixed }
    }
}

#[cfg(test)]
mod tests;
