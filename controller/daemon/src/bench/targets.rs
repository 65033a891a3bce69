//! What the station's control is asked to reach, and whether it does: nothing that is missed is left out.
//!
//! The figures are those of the project's design: pass share and heat as the station runs, return and pumps at equal pass
//! share, the supply loop on the demonstration's plant. *Constant speed* is B1, whose pumps turn at the speed at which they
//! were found, on the same plant at the same pass share.

use std::fmt::Write;

use serde::Serialize;

use super::compare::{PlantResult, Trial as PlantTrial};
use super::figures::{PASS_TARGET, Spread};
use super::strategy::Strategy;
use super::tracking::{Case, Trial};

/// Of so many plants
const OF_PLANTS: usize = 24;
/// so many are to reach the pass share.
const PLANTS_PASSING: usize = 22;
/// Heat over B0's, less one.
const HEAT: f64 = -0.08;
/// Pumps over constant speed, less one.
const PUMPS: f64 = -0.25;
/// The supply loop: K, K, full strokes a day.
const RMSE: f64 = 0.3;
const P95: f64 = 0.8;
const STROKES: f64 = 5.0;

/// Whether a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// A strategy that it is compared with was not run.
    NotMeasured,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::NotMeasured => "not measured",
        }
    }

    const fn of(met: bool) -> Verdict {
        if met { Verdict::Met } else { Verdict::Missed }
    }
}

/// One target, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// What is asked.
    pub asked: String,
    /// What came out.
    pub measured: String,
    /// Whether that is it.
    pub verdict: Verdict,
}

impl Target {
    fn new(asked: &str, measured: Option<(String, bool)>) -> Target {
        let (measured, verdict) = match measured {
            Some((measured, met)) => (measured, Verdict::of(met)),
            None => (String::new(), Verdict::NotMeasured),
        };
        Target { asked: asked.to_owned(), measured, verdict }
    }
}

fn trial(result: &PlantResult, strategy: Strategy) -> Option<&PlantTrial> {
    result.trials.iter().find(|trial| trial.strategy == strategy)
}

/// The station's figure against another strategy's, plant by plant; none if one of the two was not run.
fn pairs(results: &[PlantResult], other: Strategy, of: impl Fn(&PlantTrial, &PlantTrial) -> f64) -> Option<Vec<f64>> {
    results.iter().map(|result| Some(of(trial(result, Strategy::Station)?, trial(result, other)?))).collect()
}

fn percent(spread: Spread) -> String {
    // In hundredths: a target may be missed by less than a tenth.
    format!("{:+.2} % [{:+.1} {:+.1}]", spread.mean * 100.0, spread.low * 100.0, spread.high * 100.0)
}

/// What is asked of the station's own control on the family of plants.
pub fn of_plants(results: &[PlantResult]) -> Vec<Target> {
    let stations: Vec<&PlantTrial> = results.iter().filter_map(|result| trial(result, Strategy::Station)).collect();
    let passing = stations.iter().filter(|station| station.as_run.pass >= PASS_TARGET).count();
    // The same share of fewer or more plants, rounded against us.
    let needed = (stations.len() * PLANTS_PASSING).div_ceil(OF_PLANTS);
    let heat = pairs(results, Strategy::AsFound, |own, found| own.as_run.heat / found.as_run.heat - 1.0);
    let back =
        pairs(results, Strategy::Expert, |own, expert| own.at_target.primary_return - expert.at_target.primary_return);
    let pumps = pairs(results, Strategy::Expert, |own, expert| own.at_target.pumps / expert.at_target.pumps - 1.0);
    vec![
        Target::new(
            "98 % of room-hours on 22 of 24 plants, as run",
            (!stations.is_empty())
                .then(|| (format!("{passing} of {} plants, {needed} needed", stations.len()), passing >= needed)),
        ),
        Target::new(
            "mean heat 8 % below B0 or less, as run",
            heat.map(|pairs| Spread::of(&pairs)).map(|spread| (percent(spread), spread.mean <= HEAT)),
        ),
        Target::new(
            "primary return at 98 % no warmer than B1's",
            back.map(|pairs| Spread::of(&pairs)).map(|spread| {
                (format!("{:+.2} K [{:+.2} {:+.2}]", spread.mean, spread.low, spread.high), spread.mean <= 0.0)
            }),
        ),
        Target::new(
            "pumps at 98 % a quarter below constant speed (B1)",
            pumps.map(|pairs| Spread::of(&pairs)).map(|spread| (percent(spread), spread.mean <= PUMPS)),
        ),
    ]
}

/// What is asked of the supply loop.
pub fn of_supply_loop(cases: &[Case]) -> Vec<Target> {
    let season = cases.iter().find(|case| case.trial == Trial::Season);
    let hard: Vec<&Case> = cases.iter().filter(|case| case.trial != Trial::Season).collect();
    let hunting = hard.iter().filter(|case| case.hunts).count();
    let of_season = |measured: fn(&Case) -> (String, bool)| season.map(measured);
    vec![
        Target::new(
            "supply RMSE 0.3 K or less, the demo plant's season",
            of_season(|case| (format!("{:.3} K", case.figures.rmse_kelvins), case.figures.rmse_kelvins <= RMSE)),
        ),
        Target::new(
            "  95 % of the time within 0.8 K",
            of_season(|case| (format!("{:.2} K", case.figures.p95_kelvins), case.figures.p95_kelvins <= P95)),
        ),
        Target::new(
            "  at 5 full strokes a day or fewer",
            of_season(|case| (format!("{:.2}", case.figures.strokes_per_day), case.figures.strokes_per_day <= STROKES)),
        ),
        Target::new(
            "no hunting on a valve ×4 with 0.5 % of play",
            (!hard.is_empty()).then(|| (format!("{hunting} of {} loads hunt", hard.len()), hunting == 0)),
        ),
    ]
}

/// Targets as a table for people.
pub fn table(targets: &[Target]) -> String {
    let mut text = format!("{:<52} {:<28} {}\n", "asked", "measured", "verdict");
    for target in targets {
        let _ = writeln!(text, "{:<52} {:<28} {}", target.asked, target.measured, target.verdict.word());
    }
    text
}

/// The plants on which the station's control misses the pass share, and what it ran into there; empty if there are none.
pub fn missed(results: &[PlantResult]) -> String {
    let mut text = String::new();
    for result in results {
        let Some(own) = trial(result, Strategy::Station).filter(|own| own.as_run.pass < PASS_TARGET) else { continue };
        if text.is_empty() {
            let _ = writeln!(
                text,
                "{:<32} {:>4} {:>7} {:>8} {:>8} {:>7} {:>7} {:>8} {:>8} {:>8}",
                "missed by heatstation",
                "seed",
                "pass %",
                "tail °C",
                "trim K",
                "short %",
                "bound %",
                "at end %",
                "frozen %",
                "trips %"
            );
        }
        let (run, into) = (&own.as_run, own.as_run.ran_into);
        let _ = writeln!(
            text,
            "{:<32} {:>4} {:>7.2} {:>8.2} {:>+8.2} {:>7.1} {:>7.1} {:>8.1} {:>8.1} {:>8.1}",
            result.plant,
            result.seed,
            run.pass * 100.0,
            run.tail,
            run.trim,
            into.short_of_heat * 100.0,
            into.bound * 100.0,
            into.trim_at_end * 100.0,
            into.trim_frozen * 100.0,
            into.tripped * 100.0
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use heatstation_points::Kelvins;

    use super::super::commission::Tuning;
    use super::super::compare::AtTarget;
    use super::super::season::Outcome;
    use super::*;

    fn result(number: usize, pass: f64, heat: f64, pumps: f64) -> PlantResult {
        let trial = |strategy, pass, heat, pumps| PlantTrial {
            strategy,
            as_run: Outcome { heat, pass, ..Outcome::default() },
            moved_by_kelvins: 0.4,
            moved: Outcome::default(),
            at_target: AtTarget { heat, pumps, primary_return: 40.0, ..AtTarget::default() },
        };
        PlantResult {
            plant: format!("plant-{number}"),
            seed: 1,
            days: 42,
            tuning: Tuning { slope: 1.0, level: Kelvins(0.0), as_found: Kelvins(0.0) },
            trials: vec![
                trial(Strategy::AsFound, 1.0, 1.0, 1.0),
                trial(Strategy::Expert, 1.0, 0.95, 1.0),
                trial(Strategy::Station, pass, heat, pumps),
            ],
        }
    }

    fn verdicts(results: &[PlantResult]) -> Vec<Verdict> {
        of_plants(results).iter().map(|target| target.verdict).collect()
    }

    #[test]
    fn what_is_reached_is_met_and_what_is_not_is_said() {
        use Verdict::{Met, Missed, NotMeasured};
        let plants = |cold: usize, heat: f64, pumps: f64| -> Vec<PlantResult> {
            (0..24).map(|number| result(number, if number < cold { 0.97 } else { 0.99 }, heat, pumps)).collect()
        };
        assert_eq!(verdicts(&plants(2, 0.91, 0.7)), [Met, Met, Met, Met]);
        assert_eq!(verdicts(&plants(3, 0.93, 0.8)), [Missed, Missed, Met, Missed]);
        assert!(missed(&plants(0, 0.9, 0.7)).is_empty());
        assert_eq!(missed(&plants(3, 0.9, 0.7)).lines().count(), 4);
        let mut alone = plants(0, 0.9, 0.7);
        for result in &mut alone {
            result.trials.retain(|trial| trial.strategy == Strategy::Station);
        }
        assert_eq!(verdicts(&alone), [Met, NotMeasured, NotMeasured, NotMeasured]);
    }

    #[test]
    fn of_eight_plants_as_large_a_share_is_asked() {
        let eight: Vec<PlantResult> =
            (0..8).map(|number| result(number, if number == 0 { 0.9 } else { 0.99 }, 0.9, 0.7)).collect();
        assert_eq!(of_plants(&eight)[0].measured, "7 of 8 plants, 8 needed");
    }
}
