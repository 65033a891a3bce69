//! Weather from a seed: seasons, cold waves, clear and grey days.
//!
//! Outdoor temperature is a yearly sine, a synoptic wander (days), a daily swing that is larger under a clear sky, and a
//! few cold waves a winter; clearness wanders over a day and sets the sun; wind is lognormal. The series of one heating
//! year (July to June) is made at once when its first hour is asked for, so any time can be asked in any order.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{Hour, Interpolation, Weather, WeatherSource, calendar, sun};

const YEAR_HOURS: usize = 366 * 24;

/// What the generator makes its weather like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Climate {
    /// Mean of the coldest days of the year (mid-January): °C.
    pub january_mean: f64,
    /// Mean of the warmest days: °C. Where a climate was fitted to the heating season alone, the top of the sine that fits
    /// it, which may be warmer than any summer.
    pub july_mean: f64,
    /// How long after the turn of the year its coldest days come, and after 1 July its warmest: 9 days in the dry inland,
    /// 20 near the sea.
    pub season_lag_days: f64,
    /// Standard deviation of the synoptic wander, 60 h, without cold waves: 2 to 4 K.
    pub synoptic_deviation: f64,
    /// Half of the daily swing under a clear sky: 4 to 8 K.
    pub daily_swing: f64,
    /// How clear the sky is: 0 as often overcast as clear, 1 mostly clear, −2 mostly overcast.
    pub clearness: f64,
    /// Cold waves a winter: 2 to 4.
    pub cold_waves: usize,
    /// Median wind: m/s.
    pub wind: f64,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Local standard time ahead of UTC: hours.
    pub time_zone_hours: f64,
}

impl Climate {
    /// Zibo and Jinan in Shandong.
    pub const SHANDONG: Climate = Climate {
        january_mean: 1.0,
        july_mean: 27.0,
        season_lag_days: 20.0,
        synoptic_deviation: 2.8,
        daily_swing: 7.0,
        clearness: -0.4,
        cold_waves: 3,
        wind: 2.4,
        latitude: 36.8,
        longitude: 118.0,
        time_zone_hours: 8.0,
    };
    /// Beijing. Fitted, as Harbin and Jinan are, to the months of the heating season in its typical year of the Chinese
    /// Standard Weather Data (CSWD); a test holds the figures against each other.
    pub const BEIJING: Climate = Climate {
        january_mean: -3.0,
        july_mean: 37.1,
        season_lag_days: 14.0,
        synoptic_deviation: 2.6,
        daily_swing: 7.0,
        clearness: 0.6,
        cold_waves: 3,
        wind: 2.3,
        latitude: 39.8,
        longitude: 116.5,
        time_zone_hours: 8.0,
    };
    /// Harbin: long and hard.
    pub const HARBIN: Climate = Climate {
        january_mean: -16.7,
        july_mean: 30.7,
        season_lag_days: 12.0,
        synoptic_deviation: 3.1,
        daily_swing: 8.0,
        clearness: 0.0,
        cold_waves: 4,
        wind: 2.8,
        latitude: 45.75,
        longitude: 126.8,
        time_zone_hours: 8.0,
    };
    /// Hohhot: high, dry, cold and sunny. Fitted to the monthly means of 2008 and 2009 (China Statistical Yearbook).
    pub const HOHHOT: Climate = Climate {
        january_mean: -9.7,
        july_mean: 30.3,
        season_lag_days: 9.0,
        synoptic_deviation: 2.9,
        daily_swing: 8.0,
        clearness: 0.6,
        cold_waves: 4,
        wind: 1.7,
        latitude: 40.8,
        longitude: 111.7,
        time_zone_hours: 8.0,
    };
    /// Jinan: a short winter and a quick spring.
    pub const JINAN: Climate = Climate {
        january_mean: 0.5,
        july_mean: 35.7,
        season_lag_days: 13.0,
        synoptic_deviation: 2.8,
        daily_swing: 7.5,
        clearness: -0.4,
        cold_waves: 3,
        wind: 3.0,
        latitude: 36.6,
        longitude: 117.05,
        time_zone_hours: 8.0,
    };
    /// Hanzhong: mild and grey.
    pub const HANZHONG: Climate = Climate {
        january_mean: 3.2,
        july_mean: 26.0,
        season_lag_days: 20.0,
        synoptic_deviation: 1.8,
        daily_swing: 7.5,
        clearness: -1.6,
        cold_waves: 2,
        wind: 1.1,
        latitude: 33.07,
        longitude: 107.0,
        time_zone_hours: 8.0,
    };
}

/// Weather from a seed.
#[derive(Clone, Debug)]
pub struct StochasticWeather {
    seed: u64,
    climate: Climate,
    /// The heating year that `rows` holds, by the year of its July.
    year: Option<i64>,
    /// UTC hour of the first row.
    first: i64,
    rows: Vec<Hour>,
    interpolation: Interpolation,
}

impl StochasticWeather {
    /// The weather of this seed in this climate.
    pub fn new(seed: u64, climate: Climate) -> StochasticWeather {
        let site = sun::Site::new(climate.latitude, climate.longitude);
        let interpolation = Interpolation::new(site);
        StochasticWeather { seed, climate, year: None, first: 0, rows: Vec::new(), interpolation }
    }
}

impl WeatherSource for StochasticWeather {
    fn at(&mut self, utc_seconds: i64) -> Weather {
        let hour = utc_seconds.div_euclid(3600);
        let (year, month, _) = calendar::civil(utc_seconds.div_euclid(86_400));
        let heating_year = if month < 7 { year - 1 } else { year };
        if self.year != Some(heating_year) {
            self.first = first_of_july(hour);
            self.rows =
                make_year(self.seed ^ heating_year.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15), self.climate);
            self.year = Some(heating_year);
        }
        let (rows, first) = (&self.rows, self.first);
        self.interpolation.at(utc_seconds, |hour| rows[(hour - first).clamp(0, YEAR_HOURS as i64 - 1) as usize])
    }
}

/// UTC hour of the 1 July on or before this UTC hour.
fn first_of_july(hour: i64) -> i64 {
    let mut day = hour.div_euclid(24);
    loop {
        let (_, month, of_month) = calendar::civil(day);
        if (month, of_month) == (7, 1) {
            return day * 24;
        }
        day -= 1;
    }
}

/// First-order wander with mean 0 and deviation 1.
struct Wander {
    value: f64,
    keep: f64,
    kick: f64,
}

impl Wander {
    fn new(hours: f64, random: &mut ChaCha8Rng) -> Wander {
        let keep = (-1.0 / hours).exp();
        Wander { value: StandardNormal.sample(random), keep, kick: (1.0 - keep * keep).sqrt() }
    }

    fn next(&mut self, random: &mut ChaCha8Rng) -> f64 {
        let noise: f64 = StandardNormal.sample(random);
        self.value = self.keep * self.value + self.kick * noise;
        self.value
    }
}

fn make_year(seed: u64, climate: Climate) -> Vec<Hour> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let waves = cold_waves(&climate, &mut random);
    let mut synoptic = Wander::new(60.0, &mut random);
    let mut cloud = Wander::new(20.0, &mut random);
    let mut gust = Wander::new(8.0, &mut random);
    let (middle, half) =
        (0.5 * (climate.january_mean + climate.july_mean), 0.5 * (climate.july_mean - climate.january_mean));
    let mut swing = 0.6;

    (0..YEAR_HOURS)
        .map(|row| {
            let hour = row as f64;
            // Coldest half a year after it was warmest.
            let season = middle + half * (TAU * (hour / 24.0 - climate.season_lag_days) / 365.0).cos();
            // Clearness 0 (overcast) to 1 (clear).
            let clearness = 1.0 / (1.0 + (-1.6 * cloud.next(&mut random) - climate.clearness).exp());
            swing += (clearness - swing) / 6.0;
            let local = (hour + climate.time_zone_hours).rem_euclid(24.0);
            let daily = climate.daily_swing * swing * (TAU * (local - 15.0) / 24.0).cos();
            // Waves that meet do not add up: the air is as cold as the colder one brings it.
            let wave = waves.iter().map(|wave| wave.at(hour)).fold(0.0, f64::min);
            let cold_air = climate.synoptic_deviation * synoptic.next(&mut random);
            let wind = climate.wind * (0.5 * gust.next(&mut random)).exp();

            Hour {
                outdoor: season + cold_air + daily + wave,
                wind: wind.min(25.0),
                direct_normal: 800.0 * clearness * clearness,
                // Thin cloud is the brightest sky; overcast and blue sky are both darker.
                diffuse_horizontal: 85.0 + 320.0 * clearness * (1.0 - clearness),
            }
        })
        .collect()
}

/// A cold wave: falls within a day, lingers, recovers in days.
struct ColdWave {
    begins: f64,
    depth: f64,
    lasts: f64,
}

impl ColdWave {
    fn at(&self, hour: f64) -> f64 {
        let since = hour - self.begins;
        if since <= 0.0 {
            0.0
        } else if since < 24.0 {
            -self.depth * since / 24.0
        } else if since < 24.0 + self.lasts {
            -self.depth
        } else {
            -self.depth * (-(since - 24.0 - self.lasts) / 48.0).exp()
        }
    }
}

/// Mid-November to early March; as deep as the climate is lively, 5 to 11 K, on top of whatever else goes on.
fn cold_waves(climate: &Climate, random: &mut ChaCha8Rng) -> Vec<ColdWave> {
    (0..climate.cold_waves)
        .map(|_| ColdWave {
            begins: random.random_range(136.0 * 24.0..250.0 * 24.0),
            depth: climate.synoptic_deviation * random.random_range(2.0..3.2),
            lasts: random.random_range(12.0..60.0),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-15 00:00 in Beijing.
    const SEASON: i64 = 1_794_672_000;

    fn hourly(seed: u64, climate: Climate) -> Vec<Weather> {
        let mut source = StochasticWeather::new(seed, climate);
        (0..121 * 24).map(|hour| source.at(SEASON + hour * 3600)).collect()
    }

    fn mean(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        (mean, (values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt())
    }

    #[test]
    fn seasons_of_many_seeds_look_like_the_climate() {
        for (climate, low, high) in [(Climate::SHANDONG, 0.5, 4.0), (Climate::HARBIN, -16.0, -11.0)] {
            let means: Vec<f64> =
                (0..12).map(|seed| mean(hourly(seed, climate).iter().map(|w| w.outdoor.0)).0).collect();
            let (overall, between) = mean(means.iter().copied());
            assert!((low..high).contains(&overall), "season mean {overall}");
            assert!((0.1..2.0).contains(&between), "seasons differ by {between}");
        }
        let season = hourly(1, Climate::SHANDONG);
        let (_, deviation) = mean(season.iter().map(|w| w.outdoor.0));
        assert!((3.5..8.5).contains(&deviation), "deviation {deviation}");
        let (wind, _) = mean(season.iter().map(|w| w.wind.0));
        assert!((1.5..4.5).contains(&wind), "wind {wind}");
        let (global, _) = mean(season.iter().map(|w| w.global_horizontal().0));
        assert!((60.0..160.0).contains(&global), "Shandong gets about 110 W/m² on the flat in winter, not {global}");
        assert!(season.iter().all(|w| w.global_horizontal().0 < 1000.0));
    }

    /// Means of October to April; none where a month is not heated or not known.
    fn months(climate: Climate) -> [f64; 7] {
        const SEEDS: u64 = 30;
        let mut sums = [0.0; 7];
        for seed in 0..SEEDS {
            let mut source = StochasticWeather::new(seed, climate);
            let mut hour = SEASON / 3600 - 45 * 24; // 2026-10-01
            for (sum, days) in sums.iter_mut().zip([31, 30, 31, 31, 28, 31, 30]) {
                let count = days * 8;
                *sum += (0..count).map(|n| source.at((hour + n * 3) * 3600).outdoor.0).sum::<f64>() / count as f64;
                hour += days * 24;
            }
        }
        sums.map(|sum| sum / SEEDS as f64)
    }

    #[test]
    fn the_months_of_the_heating_season_are_as_warm_as_in_the_typical_years() {
        // October to April: typical years of CSWD; Hohhot from the yearbooks of 2008 and 2009.
        let typical = [
            ("Harbin", Climate::HARBIN, [5.2, -6.6, -14.8, -18.7, -14.5, -2.6, 7.7]),
            ("Hohhot", Climate::HOHHOT, [8.4, -2.2, -9.5, -11.2, -6.1, 2.4, 11.7]),
            ("Beijing", Climate::BEIJING, [13.0, 5.4, -0.5, -3.8, -1.5, 7.7, 14.4]),
            ("Jinan", Climate::JINAN, [16.5, 8.5, 1.3, -0.4, 3.1, 9.2, 15.8]),
        ];
        for (place, climate, typical) in typical {
            let made = months(climate);
            // November to March carry nearly all of the heat; a month of one year lies up to 2 K off its climate.
            for (month, (made, typical)) in made.iter().zip(typical).enumerate().skip(1).take(5) {
                assert!((made - typical).abs() < 2.0, "{place}, month {month} from October: {made:.1} for {typical}");
            }
            let winter = |months: &[f64]| months[1..6].iter().sum::<f64>() / 5.0;
            let (made, typical) = (winter(&made), winter(&typical));
            assert!((made - typical).abs() < 0.5, "{place}: {made:.2} for {typical:.2} °C from November to March");
        }
    }

    #[test]
    fn a_season_has_cold_days_near_the_design_temperature() {
        let coldest: Vec<f64> = (0..12)
            .map(|seed| hourly(seed, Climate::SHANDONG).iter().map(|w| w.outdoor.0).fold(99.0, f64::min))
            .collect();
        let (overall, _) = mean(coldest.iter().copied());
        assert!((-15.0..-9.0).contains(&overall), "{coldest:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_weather_in_any_order() {
        let mut forwards = StochasticWeather::new(7, Climate::BEIJING);
        let mut backwards = StochasticWeather::new(7, Climate::BEIJING);
        let times: Vec<i64> = (0..500).map(|n| SEASON + n * 7919).collect();
        let first: Vec<Weather> = times.iter().map(|&t| forwards.at(t)).collect();
        let mut second: Vec<Weather> = times.iter().rev().map(|&t| backwards.at(t)).collect();
        second.reverse();
        assert_eq!(first, second);
        assert_ne!(first[0], StochasticWeather::new(8, Climate::BEIJING).at(times[0]));
    }
}
