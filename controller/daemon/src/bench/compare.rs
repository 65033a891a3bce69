//! All strategies on all plants.
//!
//! Each strategy meets a plant twice: as it is, and moved along its front by what its coldest flats were off the minimum.
//! Between the two its heat is read at the target. The pass share itself saturates (99.9 % says little of 99.99 %); the
//! temperature that 2 % of area × time stay below does not, moves with the level, and stands at the minimum when the pass
//! share stands at 98 %. That is the abscissa on which heat is interpolated. The two are looked at from different days on
//! (the tail from the end of the warm-up, the pass share two days later), so that they meet nearly and not exactly.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use heatstation_points::Kelvins;
use heatstation_simulator::family::Member;
use serde::Serialize;

use super::commission::{Tuning, tune};
use super::plants::{Site, Year};
use super::season::{Outcome, Span, run};
use super::strategy::Strategy;

/// How far the second run of a front is from the first, at least and at most: K.
const MOVED: (f64, f64) = (0.4, 4.0);
/// Seasons of tuning before the comparison.
pub const TUNING_SEASONS: u64 = 3;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Order {
    /// How many plants of the family for each seed, 1 to 32.
    pub plants: usize,
    /// The draws of what nobody knows of a plant.
    pub seeds: Vec<u64>,
    /// At most this many days of each season, around the end of its second third; the whole season if none.
    pub days: Option<u64>,
    /// Typical-year files for the judged season, by city; the generator where there is none.
    pub weather: Option<PathBuf>,
    /// Which strategies.
    pub strategies: Vec<Strategy>,
    /// How many at a time.
    pub threads: usize,
}

/// What one strategy made of one plant.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The strategy.
    pub strategy: Strategy,
    /// As it is.
    pub as_run: Outcome,
    /// Moved along its front by this much.
    pub moved_by_kelvins: f64,
    /// And what came of that.
    pub moved: Outcome,
    /// At the target exactly, between the two.
    pub at_target: AtTarget,
}

/// A strategy's figures at a pass share of 98 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AtTarget {
    /// Heat, GJ/m².
    pub heat: f64,
    /// Primary return, °C.
    pub primary_return: f64,
    /// Peak hour, W/m².
    pub peak: f64,
    /// Kelvin-hours below the minimum.
    pub kelvin_hours: f64,
    /// Pumps, kWh/m².
    pub pumps: f64,
}

/// One plant with all its trials.
#[derive(Clone, Debug, Serialize)]
pub struct PlantResult {
    /// Its name.
    pub plant: String,
    /// Its draw.
    pub seed: u64,
    /// Days judged, warm-up included.
    pub days: u64,
    /// What the expert made of last season.
    pub tuning: Tuning,
    /// What each strategy made of it.
    pub trials: Vec<Trial>,
}

/// How many seasons an order takes.
pub fn seasons(order: &Order) -> u64 {
    (order.plants * order.seeds.len()) as u64 * (TUNING_SEASONS + 2 * order.strategies.len() as u64)
}

/// Runs everything; `progress` is told how many seasons are done.
///
/// # Errors
/// A station file or a weather file with problems, in words.
///
/// # Panics
/// If a trial panics, which is a fault of the program.
pub fn compare(order: &Order, progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<PlantResult>, String> {
    let members: Vec<Member> =
        (order.seeds.iter()).flat_map(|&seed| Member::all(seed).into_iter().take(order.plants)).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let results: Mutex<Vec<(usize, Result<PlantResult, String>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..order.threads.clamp(1, members.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&member) = members.get(number) else { break };
                    let result = plant(order, member, &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1));
                    results.lock().expect("no trial panics while it holds the list").push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no trial panics while it holds the list");
    // The order of the members, whoever was faster.
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn plant(order: &Order, member: Member, season_done: &dyn Fn()) -> Result<PlantResult, String> {
    let site = Site::new(member).map_err(|problems| format!("{}: {problems}", member.name()))?;
    let span = Span::of(site.days(), order.days);
    let tuning = tune(&site, span).map_err(|error| error.to_string())?;
    (0..TUNING_SEASONS).for_each(|_| season_done());
    let mut trials = Vec::with_capacity(order.strategies.len());
    for &strategy in &order.strategies {
        let once = |shift: Kelvins| {
            let settings = strategy.settings(&site.station.settings, &tuning, shift);
            let outcome = run(
                &site,
                settings,
                strategy.pilot(shift),
                strategy.forecast(),
                Year::Judged,
                span,
                order.weather.as_deref(),
            );
            season_done();
            outcome.map(|(outcome, _)| outcome).map_err(|error| error.to_string())
        };
        let as_run = once(Kelvins(0.0))?;
        let off = site.station.settings.profile.dwelling_min.value.0 - as_run.tail;
        let off = off / strategy.front_follows();
        let by = if off.abs() < MOVED.0 { MOVED.0.copysign(off) } else { off.clamp(-MOVED.1, MOVED.1) };
        let moved = once(Kelvins(by))?;
        let minimum = site.station.settings.profile.dwelling_min.value.0;
        let at_target = between(&as_run, &moved, minimum);
        trials.push(Trial { strategy, as_run, moved_by_kelvins: by, moved, at_target });
    }
    Ok(PlantResult { plant: member.name(), seed: member.seed, days: span.days, tuning, trials })
}

/// Reads a front at the minimum.
fn between(a: &Outcome, b: &Outcome, minimum: f64) -> AtTarget {
    let span = b.tail - a.tail;
    // Two runs that came out alike have no slope to follow.
    let share = if span.abs() < 0.02 { 0.0 } else { (minimum - a.tail) / span };
    let at = |of: fn(&Outcome) -> f64| of(a) + share * (of(b) - of(a));
    AtTarget {
        heat: at(|o| o.heat),
        primary_return: at(|o| o.primary_return),
        peak: at(|o| o.peak),
        kelvin_hours: at(|o| o.kelvin_hours),
        pumps: at(|o| o.pumps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_is_read_where_two_percent_stand_at_the_minimum() {
        let warm = Outcome { tail: 19.0, heat: 0.30, ..Outcome::default() };
        let cool = Outcome { tail: 17.8, heat: 0.27, ..Outcome::default() };
        let at = between(&warm, &cool, 18.0);
        assert!((at.heat - 0.275).abs() < 1e-12, "{at:?}");
        assert!((between(&warm, &warm, 18.0).heat - 0.30).abs() < 1e-12);
    }
}
