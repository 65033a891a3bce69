//! Weather as the plant meets it: outdoor temperature, wind and sun, at any second of any season.
//!
//! Two sources: a typical-year file ([`EpwWeather`]) and a seeded generator ([`StochasticWeather`]). Both are functions of
//! the time alone, so a run can be repeated, cut short or begun in the middle.

mod calendar;
mod epw;
mod forecast;
mod stochastic;
mod sun;

use heatstation_points::{Celsius, MetersPerSecond, WattsPerSquareMeter};
use serde::{Deserialize, Serialize};

pub use epw::{EpwError, EpwWeather};
pub use forecast::{ForecastHour, Uncertainty, forecast};
pub use stochastic::{Climate, StochasticWeather};

/// The weather of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weather {
    /// Air temperature in the shade.
    pub outdoor: Celsius,
    /// Wind at roof height.
    pub wind: MetersPerSecond,
    /// Beam of the sun on a surface that faces it.
    pub direct_normal: WattsPerSquareMeter,
    /// Light of the sky on a horizontal surface.
    pub diffuse_horizontal: WattsPerSquareMeter,
    /// Height of the sun over the horizon: radians, negative at night.
    pub sun_altitude: f64,
    /// Where the sun stands: radians from north over east.
    pub sun_azimuth: f64,
}

/// Reflection of the ground, without much snow.
const GROUND_REFLECTION: f64 = 0.2;

impl Weather {
    /// Steady, still and dark: for trials and tests.
    pub const fn still(outdoor: Celsius) -> Weather {
        Weather {
            outdoor,
            wind: MetersPerSecond(2.0),
            direct_normal: WattsPerSquareMeter(0.0),
            diffuse_horizontal: WattsPerSquareMeter(0.0),
            sun_altitude: -0.5,
            sun_azimuth: 0.0,
        }
    }

    /// What a pyranometer on the roof sees.
    pub fn global_horizontal(&self) -> WattsPerSquareMeter {
        let beam = self.direct_normal.0 * self.sun_altitude.sin().max(0.0);
        WattsPerSquareMeter(beam + self.diffuse_horizontal.0)
    }

    /// Beam on a wall that faces this way.
    pub fn beam_on(&self, facing: Facing) -> WattsPerSquareMeter {
        if self.sun_altitude <= 0.0 {
            return WattsPerSquareMeter(0.0);
        }
        let incidence = self.sun_altitude.cos() * (self.sun_azimuth - facing.azimuth()).cos();
        WattsPerSquareMeter(self.direct_normal.0 * incidence.max(0.0))
    }

    /// Light of sky and ground on any wall: half of the sky is above it, half of what lies below is ground.
    pub fn diffuse_on_wall(&self) -> WattsPerSquareMeter {
        let ground = GROUND_REFLECTION * self.global_horizontal().0;
        WattsPerSquareMeter(0.5 * (self.diffuse_horizontal.0 + ground))
    }
}

/// Which way a wall looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the four winds")]
pub enum Facing {
    North,
    East,
    South,
    West,
}

impl Facing {
    /// All four, in the order of the compass.
    pub const ALL: [Facing; 4] = [Facing::North, Facing::East, Facing::South, Facing::West];

    /// Radians from north over east.
    pub const fn azimuth(self) -> f64 {
        std::f64::consts::FRAC_PI_2 * (self as usize as f64)
    }
}

/// Where weather comes from.
pub trait WeatherSource: Send {
    /// The weather at this second. Calls in any order give the same answers; calls in order are cheap.
    fn at(&mut self, utc_seconds: i64) -> Weather;
}

/// One hour of a weather table: temperature and wind at the full hour, sun as the mean over the hour that begins then.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Hour {
    outdoor: f64,
    wind: f64,
    direct_normal: f64,
    diffuse_horizontal: f64,
}

/// Turns hourly rows into the weather of any second between; the sun's place is refreshed once a minute, in which it
/// moves a quarter of a degree.
#[derive(Clone, Debug)]
struct Interpolation {
    site: sun::Site,
    minute: i64,
    altitude: f64,
    azimuth: f64,
    direct_normal: f64,
    diffuse_horizontal: f64,
    hour: i64,
    this: Hour,
    next: Hour,
}

impl Interpolation {
    fn new(site: sun::Site) -> Interpolation {
        let none = Hour::default();
        Interpolation {
            site,
            minute: i64::MIN,
            altitude: 0.0,
            azimuth: 0.0,
            direct_normal: 0.0,
            diffuse_horizontal: 0.0,
            hour: i64::MIN,
            this: none,
            next: none,
        }
    }

    /// The weather at `utc_seconds`; `hour` gives the row of a UTC hour (hours since 1970).
    fn at(&mut self, utc_seconds: i64, mut hour: impl FnMut(i64) -> Hour) -> Weather {
        let this_hour = utc_seconds.div_euclid(3600);
        if this_hour != self.hour {
            self.hour = this_hour;
            (self.this, self.next) = (hour(this_hour), hour(this_hour + 1));
            self.minute = i64::MIN;
        }
        let minute = utc_seconds.div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.shine(minute, &mut hour);
        }
        let part = utc_seconds.rem_euclid(3600) as f64 / 3600.0;
        Weather {
            outdoor: Celsius(self.this.outdoor + (self.next.outdoor - self.this.outdoor) * part),
            wind: MetersPerSecond(self.this.wind + (self.next.wind - self.this.wind) * part),
            direct_normal: WattsPerSquareMeter(self.direct_normal),
            diffuse_horizontal: WattsPerSquareMeter(self.diffuse_horizontal),
            sun_altitude: self.altitude,
            sun_azimuth: self.azimuth,
        }
    }

    /// Means of an hour belong to its middle: between middles the sun is interpolated, and below the horizon it is dark.
    fn shine(&mut self, minute: i64, hour: &mut impl FnMut(i64) -> Hour) {
        (self.altitude, self.azimuth) = self.site.sun(minute * 60 + 30);
        (self.direct_normal, self.diffuse_horizontal) = (0.0, 0.0);
        if self.altitude <= 0.0 {
            return;
        }
        let part = (minute.rem_euclid(60) as f64 + 0.5) / 60.0;
        let (first, second, weight) =
            if part < 0.5 { (hour(self.hour - 1), self.this, part + 0.5) } else { (self.this, self.next, part - 0.5) };
        self.direct_normal = first.direct_normal + (second.direct_normal - first.direct_normal) * weight;
        self.diffuse_horizontal =
            first.diffuse_horizontal + (second.diffuse_horizontal - first.diffuse_horizontal) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_south_wall_sees_the_low_noon_sun_and_a_north_wall_does_not() {
        let noon = Weather {
            direct_normal: WattsPerSquareMeter(700.0),
            diffuse_horizontal: WattsPerSquareMeter(80.0),
            sun_altitude: 30.0_f64.to_radians(),
            sun_azimuth: std::f64::consts::PI,
            ..Weather::still(Celsius(0.0))
        };
        assert!((noon.beam_on(Facing::South).0 - 700.0 * 0.866).abs() < 0.1);
        assert_eq!(noon.beam_on(Facing::North).0, 0.0);
        assert!((noon.global_horizontal().0 - 430.0).abs() < 1e-9);
    }
}
