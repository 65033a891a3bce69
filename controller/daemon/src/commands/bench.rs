//! `bench strategies`: strategies of control compared on a family of simulated plants. `bench tracking`: the supply loop on
//! one station, and on a valve that would hunt.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;

use super::{Failure, Outcome, Progress, say, say_json};
use crate::bench::compare::{compare, seasons};
use crate::bench::figures::{summaries, table};
use crate::bench::svg::front;
use crate::bench::{Order, Strategy, targets, tracking};
use crate::plant_of::plant_of;
use crate::scenario::Asked;
use crate::simulation::tracking::HUNTING;

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
    let (summary, asked) = (summaries(&results, &chosen), targets::of_plants(&results));
    let wall = began.elapsed().as_secs_f64();
    if request.json {
        let all = serde_json::json!({ "summary": summary, "targets": asked, "plants": results, "wall_seconds": wall });
        return say_json(&all);
    }
    say(&table(&summary))?;
    say(&format!("{all} seasons of {} plants in {wall:.0} s\n\n", results.len()))?;
    say(&targets::table(&asked))?;
    say(&targets::missed(&results))
}

/// What is asked of the supply loop's bench.
#[derive(Debug)]
pub struct TrackingRequest {
    /// Another station than that of the demonstration.
    pub configuration: Option<PathBuf>,
    /// Days of its season; all if none.
    pub days: Option<u64>,
    /// A weather file; the generator if none.
    pub weather: Option<PathBuf>,
    /// The seed of weather, rooms and noise.
    pub seed: u64,
    /// JSON instead of a table.
    pub json: bool,
}

/// Runs the supply loop and prints how it followed.
///
/// # Errors
/// A bad configuration or number, a weather file that cannot be read.
pub fn supply_loop(request: &TrackingRequest) -> Outcome {
    if request.days == Some(0) {
        return Err(Failure::Usage("--days is at least 1".to_owned()));
    }
    let station = match &request.configuration {
        Some(path) => super::load(path)?,
        None => super::demo_station()?,
    };
    let steady = super::scenario("steady", request.configuration.as_deref(), &station)?;
    let asked = Asked { weather: request.weather.as_deref(), seed: Some(request.seed) };
    let weather = super::plant::weather_of(&station, &steady, &asked, station.settings.season.start)?;
    let plant = plant_of(&station, request.seed);
    let order = tracking::Order { station: &station, plant, weather, days: request.days, seed: request.seed };
    let (began, all) = (Instant::now(), tracking::hours(&order));
    let (mut progress, mut done) = (Progress::new(), 0);
    let cases = tracking::run(order, &mut || {
        done += 1;
        progress.at(done, all);
    });
    progress.done();
    let (asked, wall) = (targets::of_supply_loop(&cases), began.elapsed().as_secs_f64());
    if request.json {
        let all = serde_json::json!({ "cases": cases, "hunting": HUNTING, "targets": asked, "wall_seconds": wall });
        return say_json(&all);
    }
    say(&tracking::table(&cases))?;
    say(&format!("{HUNTING}\n\n"))?;
    say(&targets::table(&asked))
}
