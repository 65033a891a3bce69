//! `bench strategies`: strategies of control compared on a family of simulated plants.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;

use super::{Failure, Outcome, Progress, say, say_json};
use crate::bench::compare::{compare, seasons};
use crate::bench::figures::{summaries, table};
use crate::bench::svg::front;
use crate::bench::{Order, Strategy};

/// What is asked.
#[derive(Debug)]
pub struct Request {
    /// How many plants a seed.
    pub plants: usize,
    /// How many seeds.
    pub seeds: u64,
    /// Which set of plants.
    pub set: Set,
    /// Days of each season; all if none.
    pub days: Option<u64>,
    /// A weather file, or a folder of them.
    pub weather: Option<PathBuf>,
    /// Which strategies; all if none.
    pub strategies: Vec<Strategy>,
    /// How many at a time; as many as there are cores if none.
    pub threads: Option<usize>,
    /// JSON instead of a table.
    pub json: bool,
    /// Where the picture goes.
    pub svg: Option<PathBuf>,
}

/// Plants to develop on, to choose on, and to be judged by once a release.
///
/// A strategy that was tuned on the plants it is judged by has learnt them by heart. Each set has seeds of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Set {
    /// To develop on.
    #[default]
    Development,
    /// To choose between candidates.
    Validation,
    /// To be looked at once a release.
    Sealed,
}

impl Set {
    /// The first seed of the set.
    const fn first_seed(self) -> u64 {
        match self {
            Set::Development => 1,
            Set::Validation => 1_000_001,
            Set::Sealed => 2_000_001,
        }
    }
}

/// Most plants that a seed has.
const PLANTS_MAX: usize = 32;
/// A week is warm-up, and rooms are judged from the third day after it.
const DAYS_MIN: u64 = 14;

/// Compares and prints.
///
/// # Errors
/// Bad numbers, a weather file that cannot be read, a picture that cannot be written.
pub fn strategies(request: Request) -> Outcome {
    if !(1..=PLANTS_MAX).contains(&request.plants) || request.seeds == 0 {
        return Err(Failure::Usage(format!("--plants is 1 to {PLANTS_MAX}, --seeds at least 1")));
    }
    if request.days.is_some_and(|days| days < DAYS_MIN) {
        return Err(Failure::Usage(format!("--days is at least {DAYS_MIN}: the first days are warm-up")));
    }
    let first = request.set.first_seed();
    let chosen = if request.strategies.is_empty() { Strategy::ALL.to_vec() } else { request.strategies };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let order = Order {
        plants: request.plants,
        seeds: (first..first + request.seeds).collect(),
        days: request.days,
        weather: request.weather,
        strategies: chosen.clone(),
        threads: request.threads.unwrap_or(cores),
    };
    let (began, all) = (Instant::now(), seasons(&order));
    let progress = Mutex::new(Progress::new());
    let results = compare(&order, &|done| {
        if let Ok(mut progress) = progress.lock() {
            progress.at(done, all);
        }
    })
    .map_err(Failure::Usage)?;
    if let Ok(progress) = progress.lock() {
        progress.done();
    }
    if let Some(path) = &request.svg {
        let picture = front(&results, &chosen)
            .ok_or_else(|| Failure::Usage("--svg needs the strategy `expert`, by which heat is measured".to_owned()))?;
        std::fs::write(path, picture).with_context(|| format!("{}: the picture cannot be written", path.display()))?;
    }
    let summary = summaries(&results, &chosen);
    let wall = began.elapsed().as_secs_f64();
    if request.json {
        return say_json(&serde_json::json!({ "summary": summary, "plants": results, "wall_seconds": wall }));
    }
    say(&table(&summary))?;
    say(&format!("{all} seasons of {} plants in {wall:.0} s\n", results.len()))
}
