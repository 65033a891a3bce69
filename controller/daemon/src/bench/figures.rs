//! From trials to figures: means, intervals, worst plants.

use std::fmt::Write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::compare::{PlantResult, Trial};
use super::strategy::Strategy;

/// Resamples of the plants for an interval, and its seed: the same figures for the same trials.
const RESAMPLES: usize = 2000;
const SEED: u64 = 0x5EED;
/// The pass share that is asked for.
pub const PASS_TARGET: f64 = 0.98;

/// A mean over plants with its 95 % interval, and how the plants lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Mean over the plants.
    pub mean: f64,
    /// Lower end of the 95 % interval of the mean.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// One plant in ten is below this.
    pub p10: f64,
    /// The middle plant.
    pub p50: f64,
    /// One plant in ten is above this.
    pub p90: f64,
}

impl Spread {
    /// Of one number a plant.
    pub fn of(values: &[f64]) -> Spread {
        if values.is_empty() {
            return Spread::default();
        }
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let count = values.len();
        let mut means: Vec<f64> = (0..RESAMPLES)
            .map(|_| (0..count).map(|_| values[random.random_range(0..count)]).sum::<f64>() / count as f64)
            .collect();
        means.sort_by(f64::total_cmp);
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |list: &[f64], share: f64| list[((list.len() - 1) as f64 * share).round() as usize];
        Spread {
            mean: values.iter().sum::<f64>() / count as f64,
            low: at(&means, 0.025),
            high: at(&means, 0.975),
            p10: at(&sorted, 0.1),
            p50: at(&sorted, 0.5),
            p90: at(&sorted, 0.9),
        }
    }
}

/// What one strategy made of all plants.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its short name.
    pub name: &'static str,
    /// The strategy.
    pub strategy: Strategy,
    /// Heat as run, GJ/m².
    pub heat: f64,
    /// Heat as run over B0's on the same plant, less one; none without B0.
    pub heat_over_as_found: Option<Spread>,
    /// Heat at the target pass share over B1's there, less one; none without B1.
    pub heat_at_target_over_expert: Option<Spread>,
    /// Share of area × time at or above the minimum, as run: mean, and the worst plant's.
    pub pass: f64,
    /// The worst plant's.
    pub pass_worst: f64,
    /// The worst plant.
    pub worst_plant: String,
    /// Plants whose pass share reached the target.
    pub plants_passing: usize,
    /// All plants.
    pub plants: usize,
    /// Kelvin-hours below the minimum a flat, as run.
    pub kelvin_hours: f64,
    /// Mean room temperature, as run, °C.
    pub room_mean: f64,
    /// Peak hour, W/m², as run, and at the target.
    pub peak: f64,
    /// At the target.
    pub peak_at_target: f64,
    /// Primary return, °C, as run, and at the target.
    pub primary_return: f64,
    /// At the target.
    pub primary_return_at_target: f64,
    /// Primary return at the target less B1's there, K; none without B1.
    pub primary_return_at_target_over_expert: Option<Spread>,
    /// Pumps, kWh/m², as run.
    pub pumps: f64,
    /// Pumps at the target over B1's there, less one; none without B1.
    pub pumps_at_target_over_expert: Option<f64>,
    /// Full valve strokes a day: mean and the most of any plant.
    pub strokes: f64,
    /// The most of any plant.
    pub strokes_most: f64,
    /// RMSE of the supply against its setpoint, K: mean and the worst plant's.
    pub supply_rmse: f64,
    /// The worst plant's.
    pub supply_rmse_worst: f64,
    /// Outages over all plants; a strategy must make none.
    pub outages: usize,
}

/// The figures of every strategy.
pub fn summaries(results: &[PlantResult], strategies: &[Strategy]) -> Vec<Summary> {
    strategies.iter().filter_map(|&strategy| summary(results, strategy)).collect()
}

fn trial(result: &PlantResult, strategy: Strategy) -> Option<&Trial> {
    result.trials.iter().find(|trial| trial.strategy == strategy)
}

fn summary(results: &[PlantResult], strategy: Strategy) -> Option<Summary> {
    let trials: Vec<(&PlantResult, &Trial)> =
        results.iter().filter_map(|result| Some((result, trial(result, strategy)?))).collect();
    let count = trials.len() as f64;
    let mean = |of: fn(&Trial) -> f64| trials.iter().map(|(_, trial)| of(trial)).sum::<f64>() / count;
    let most = |of: fn(&Trial) -> f64| trials.iter().map(|(_, trial)| of(trial)).fold(f64::MIN, f64::max);
    let over = |baseline: Strategy, of: fn(&Trial) -> f64| {
        let pairs: Vec<f64> =
            trials.iter().filter_map(|(result, own)| Some(of(own) / of(trial(result, baseline)?) - 1.0)).collect();
        (!pairs.is_empty()).then(|| Spread::of(&pairs))
    };
    let differs = |of: fn(&Trial) -> f64| {
        let pairs: Vec<f64> =
            trials.iter().filter_map(|(result, own)| Some(of(own) - of(trial(result, Strategy::Expert)?))).collect();
        (!pairs.is_empty()).then(|| Spread::of(&pairs))
    };
    let (worst, worst_trial) = trials.iter().min_by(|a, b| a.1.as_run.pass.total_cmp(&b.1.as_run.pass))?;
    Some(Summary {
        name: strategy.name(),
        strategy,
        heat: mean(|t| t.as_run.heat),
        heat_over_as_found: over(Strategy::AsFound, |t| t.as_run.heat),
        heat_at_target_over_expert: over(Strategy::Expert, |t| t.at_target.heat),
        pass: mean(|t| t.as_run.pass),
        pass_worst: worst_trial.as_run.pass,
        worst_plant: worst.plant.clone(),
        plants_passing: trials.iter().filter(|(_, trial)| trial.as_run.pass >= PASS_TARGET).count(),
        plants: trials.len(),
        kelvin_hours: mean(|t| t.as_run.kelvin_hours),
        room_mean: mean(|t| t.as_run.room_mean),
        peak: mean(|t| t.as_run.peak),
        peak_at_target: mean(|t| t.at_target.peak),
        primary_return: mean(|t| t.as_run.primary_return),
        primary_return_at_target: mean(|t| t.at_target.primary_return),
        primary_return_at_target_over_expert: differs(|t| t.at_target.primary_return),
        pumps: mean(|t| t.as_run.pumps),
        pumps_at_target_over_expert: over(Strategy::Expert, |t| t.at_target.pumps).map(|spread| spread.mean),
        strokes: mean(|t| t.as_run.strokes),
        strokes_most: most(|t| t.as_run.strokes),
        supply_rmse: mean(|t| t.as_run.supply_rmse),
        supply_rmse_worst: most(|t| t.as_run.supply_rmse),
        outages: trials.iter().map(|(_, trial)| trial.as_run.outages).sum(),
    })
}

/// The figures as a table for people.
pub fn table(summaries: &[Summary]) -> String {
    let percent = |spread: Option<Spread>| {
        spread.map_or_else(String::new, |s| {
            format!("{:+.1} [{:+.1} {:+.1}]", s.mean * 100.0, s.low * 100.0, s.high * 100.0)
        })
    };
    let tenths = |spread: Option<Spread>| {
        spread
            .map_or_else(String::new, |s| format!("{:+.1} {:+.1} {:+.1}", s.p10 * 100.0, s.p50 * 100.0, s.p90 * 100.0))
    };
    let rows: Vec<(&str, Vec<String>)> = vec![
        ("strategy", summaries.iter().map(|s| s.name.to_owned()).collect()),
        ("heat, GJ/m²", each(summaries, |s| format!("{:.4}", s.heat))),
        ("heat over B0, %", each(summaries, |s| percent(s.heat_over_as_found))),
        ("at 98 % pass: heat over B1, %", each(summaries, |s| percent(s.heat_at_target_over_expert))),
        ("  plants' p10 p50 p90, %", each(summaries, |s| tenths(s.heat_at_target_over_expert))),
        ("pass share, %", each(summaries, |s| format!("{:.2}", s.pass * 100.0))),
        ("  plants at 98 % or more", each(summaries, |s| format!("{} of {}", s.plants_passing, s.plants))),
        ("  worst plant, %", each(summaries, |s| format!("{:.2}", s.pass_worst * 100.0))),
        ("  which", each(summaries, |s| s.worst_plant.clone())),
        ("below minimum, K·h a flat", each(summaries, |s| format!("{:.1}", s.kelvin_hours))),
        ("room mean, °C", each(summaries, |s| format!("{:.2}", s.room_mean))),
        ("peak hour, W/m²", each(summaries, |s| format!("{:.1}", s.peak))),
        ("  at 98 % pass", each(summaries, |s| format!("{:.1}", s.peak_at_target))),
        ("primary return, °C", each(summaries, |s| format!("{:.1}", s.primary_return))),
        ("  at 98 % pass", each(summaries, |s| format!("{:.1}", s.primary_return_at_target))),
        (
            "  at 98 % pass over B1, K",
            each(summaries, |s| {
                s.primary_return_at_target_over_expert
                    .map_or_else(String::new, |d| format!("{:+.2} [{:+.2} {:+.2}]", d.mean, d.low, d.high))
            }),
        ),
        ("pumps, kWh/m²", each(summaries, |s| format!("{:.3}", s.pumps))),
        (
            "  at 98 % pass over B1, %",
            each(summaries, |s| {
                s.pumps_at_target_over_expert.map_or_else(String::new, |p| format!("{:+.1}", p * 100.0))
            }),
        ),
        ("valve strokes a day", each(summaries, |s| format!("{:.2} (most {:.1})", s.strokes, s.strokes_most))),
        ("supply RMSE, K", each(summaries, |s| format!("{:.2} (worst {:.2})", s.supply_rmse, s.supply_rmse_worst))),
        ("outages", each(summaries, |s| s.outages.to_string())),
    ];
    let widths: Vec<usize> = (0..summaries.len())
        .map(|column| rows.iter().map(|(_, cells)| cells[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (title, cells) in &rows {
        let _ = write!(text, "{title:<30}");
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

fn each(summaries: &[Summary], cell: impl Fn(&Summary) -> String) -> Vec<String> {
    summaries.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_brackets_its_mean_and_is_the_same_each_time() {
        let values: Vec<f64> = (0..24).map(|i| f64::from(i) * 0.01 - 0.1).collect();
        let spread = Spread::of(&values);
        assert!(spread.low < spread.mean && spread.mean < spread.high, "{spread:?}");
        assert!(spread.p10 < spread.p50 && spread.p50 < spread.p90);
        assert_eq!(spread, Spread::of(&values));
    }
}
