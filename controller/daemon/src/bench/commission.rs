//! What an expert makes of last season: a curve's slope and level, from the sensors that the station has.
//!
//! He looks at the readings as anybody can: the mean of the sensors over outdoor temperature says whether the curve bends
//! right, their lower tail says whether its level is right. He leaves a margin, because few sensors say little about the
//! coldest flats, and because next winter is another one: the level is meant to hold the pass share in nine of ten draws.
//!
//! The level "as found" is history, not tuning: what the truth would have needed, and what somebody added on top of it.

use heatstation_points::{Celsius, Kelvins};
use heatstation_simulator::EpwError;

use super::plants::{Site, Year};
use super::season::{Logbook, Span, run};
use super::strategy::Strategy;

/// Standard normal quantile of the share of rooms that may be cold (2 %), and of nine draws out of ten.
const COLD: f64 = 2.054;
const NINE_OF_TEN: f64 = 1.282;
/// Scatter of flats around their mean as known from the fleet, K, and what it counts in readings; scatter within a flat.
const FLEET_SCATTER: f64 = 1.2;
const FLEET_WEIGHT: f64 = 8.0;
const WITHIN: f64 = 0.63;

/// A curve's tuning for one plant.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Tuning {
    /// Factor on the excess of the water over the room.
    pub slope: f64,
    /// Added to the room target, by the expert.
    pub level: Kelvins,
    /// Added to the room target, as found.
    pub as_found: Kelvins,
}

/// Everybody knows that emitters are larger than they need to be, and begins below the plates.
const FIRST_SLOPE: f64 = 0.8;
/// The bounds that an adaptive curve is given.
const SLOPES: (f64, f64) = (0.4, 1.3);
/// A sensor that is this far from the middle of all speaks of itself: its flat has no heat, or it hangs over a radiator. The
/// expert goes and looks, and leaves it out; if that were more than a third of them, it is the station that is uneven.
const VISITED: f64 = 3.0;
/// By how much the coldest flats move with the level, until two seasons have shown it; and what is believed of that.
const FOLLOWS: f64 = 0.7;
const FOLLOWING: (f64, f64) = (0.4, 1.0);
/// Nobody moves a curve's level further than this in one season: K.
const LEVEL_MAX: f64 = 6.0;
/// Emitters give heat with about this power of their excess.
const EXPONENT: f64 = 1.2;

/// Tunes a plant's curve on the season before: first its slope, then twice its level.
///
/// # Errors
/// A weather file that cannot be read.
pub fn tune(site: &Site, span: Span) -> Result<Tuning, EpwError> {
    let mut tuning = Tuning { slope: FIRST_SLOPE, level: Kelvins(0.0), as_found: Kelvins(0.0) };
    let minimum = site.station.settings.profile.dwelling_min.value;
    let season = |tuning: &Tuning| {
        let settings = Strategy::Expert.settings(&site.station.settings, tuning, Kelvins(0.0));
        run(site, settings, Strategy::Expert.pilot(Kelvins(0.0)), None, Year::Before, span, None)
    };
    let (_, logbook) = season(&tuning)?;
    if let Some(seen) = read(&logbook) {
        // Rooms that follow T = Te + k (Ti − Te) have a slope of 1 − k over Te; k is what the excess gives to its power n.
        let k = (1.0 - seen.per_outdoor_kelvin).clamp(0.5, 2.0);
        tuning.slope = (FIRST_SLOPE * k.powf(-1.0 / EXPONENT)).clamp(SLOPES.0, SLOPES.1);
        tuning.level = bounded((minimum - seen.tail) * (1.0 / FOLLOWS));
    }
    let (_, logbook) = season(&tuning)?;
    let second = read(&logbook);
    let before = tuning.level;
    if let Some(seen) = &second {
        tuning.level = bounded(tuning.level + (minimum - seen.tail) * (1.0 / FOLLOWS));
    }
    let (outcome, logbook) = season(&tuning)?;
    let third = read(&logbook);
    let follows = follows(second.as_ref().zip(third.as_ref()), tuning.level - before);
    tuning.as_found = tuning.level + (minimum - Celsius(outcome.tail)) * (1.0 / follows) + site.member.as_found_level();
    if let Some(seen) = third {
        tuning.level = bounded(tuning.level + (minimum - seen.tail) * (1.0 / follows));
    }
    Ok(tuning)
}

/// By how much the coldest flats moved with the level, if it moved at all.
fn follows(seen: Option<(&Read, &Read)>, moved: Kelvins) -> f64 {
    match seen {
        Some((before, after)) if moved.0.abs() > 0.5 => {
            ((after.tail - before.tail).0 / moved.0).clamp(FOLLOWING.0, FOLLOWING.1)
        }
        Some(_) | None => FOLLOWS,
    }
}

fn bounded(level: Kelvins) -> Kelvins {
    level.clamp(Kelvins(-LEVEL_MAX), Kelvins(LEVEL_MAX))
}

/// What the sensors said.
struct Read {
    /// Slope of the sensors' mean over outdoor temperature.
    per_outdoor_kelvin: f64,
    /// The estimated temperature of the coldest share, its margin subtracted.
    tail: Celsius,
}

fn read(logbook: &Logbook) -> Option<Read> {
    let sensors = logbook.rows.first()?.1.len();
    let means: Vec<(f64, f64)> = logbook
        .rows
        .iter()
        .filter_map(|(outdoor, said)| {
            let values: Vec<f64> = said.iter().flatten().copied().collect();
            (2 * values.len() >= sensors).then(|| (outdoor.0, median(values)))
        })
        .collect();
    let count = means.len() as f64;
    if count < 48.0 {
        return None;
    }
    let (x, y) = (means.iter().map(|m| m.0).sum::<f64>() / count, means.iter().map(|m| m.1).sum::<f64>() / count);
    let covariance: f64 = means.iter().map(|m| (m.0 - x) * (m.1 - y)).sum();
    let variance: f64 = means.iter().map(|m| (m.0 - x).powi(2)).sum::<f64>().max(1e-9);

    let long_run: Vec<f64> = (0..sensors)
        .filter_map(|sensor| {
            let values: Vec<f64> = logbook.rows.iter().filter_map(|(_, said)| said[sensor]).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        })
        .collect();
    let long_run = without_visited(long_run);
    let m = long_run.len() as f64;
    let centre = median(long_run.clone());
    let squares: f64 = long_run.iter().map(|value| (value - centre).powi(2)).sum();
    let scatter = ((FLEET_WEIGHT * FLEET_SCATTER.powi(2) + squares) / (FLEET_WEIGHT + m - 1.0) + WITHIN.powi(2)).sqrt();
    let margin = NINE_OF_TEN * scatter / m.sqrt();
    Some(Read { per_outdoor_kelvin: covariance / variance, tail: Celsius(centre - COLD * scatter - margin) })
}

fn without_visited(all: Vec<f64>) -> Vec<f64> {
    let centre = median(all.clone());
    let kept: Vec<f64> = all.iter().copied().filter(|value| (value - centre).abs() <= VISITED).collect();
    if 3 * kept.len() < 2 * all.len() { all } else { kept }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(sensors: &[f64]) -> f64 {
        let said: Vec<Option<f64>> = sensors.iter().copied().map(Some).collect();
        let rows = (0..48).map(|hour| (Celsius(f64::from(hour) * 0.1), said.clone())).collect();
        read(&Logbook { rows }).unwrap().tail.0
    }

    #[test]
    fn a_flat_without_heat_makes_the_expert_no_warmer() {
        let heated = [19.5, 20.0, 20.4, 20.8, 21.0, 21.3, 21.6, 22.0, 22.5];
        let with_empty: Vec<f64> = heated.iter().copied().chain([12.5]).collect();
        assert!((tail(&heated) - tail(&with_empty)).abs() < 0.05, "{} {}", tail(&heated), tail(&with_empty));
        // Where a third and more are far off, none of them is an exception.
        assert!(tail(&[16.0, 16.0, 16.5, 20.5, 20.8, 21.0, 21.2, 21.5]) < 16.0);
    }
}
