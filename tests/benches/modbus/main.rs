//! How the wires compare with others, on loopback, in one run: `cargo bench -p heatstation-tests --bench modbus`.
//!
//! * **Flat out**: one connection, one question after the other; ours, a bare libmodbus loop in C, pymodbus.
//! * **Equal load**: the same points each second; the same three, and collectd's modbus plugin. What each of them costs, and
//!   whether what it reads is its own register's and fresh.
//! * **Many stations**: a hundred whole programs, control, records and page, in one process against a hundred simulated
//!   cabinets in another.
//!
//! Passes are interleaved, so that what the machine does beside meets all of them. Every client is a process of its own, its
//! processor time and greatest memory read from `/proc`; the server is a third party. The tables are Markdown, as
//! `docs/benchmarks.md` has them. A peer that is not installed is left out with a line that says so.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod load;
mod machine;
mod ours;
mod peers;
mod process;
mod stations;

use std::io::Write;

/// What is measured, and how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seconds of each measurement.
    pub seconds: u64,
    /// How often each is repeated.
    pub passes: usize,
    /// Connections of the equal load.
    pub connections: usize,
    /// Points of each connection.
    pub points: usize,
    /// Stations in one process.
    pub stations: usize,
    /// Minutes of these.
    pub minutes: f64,
    /// `flat`, `load`, `stations`; all unless named.
    pub only: Vec<String>,
}

const HELP: &str = "cargo bench -p heatstation-tests --bench modbus -- [options]
  --only flat,load,stations   parts of it
  --seconds N       of each measurement (10)       --passes N      how often each is repeated (3)
  --connections N   of the equal load (10)         --points N      of each connection (150)
  --stations N      in one process (100)           --minutes N     of these (1)
  --install         the Debian packages of the peers, and how to get them
";

const INSTALL: &str = "apt-get install --no-install-recommends gcc libmodbus-dev collectd-core
python3 -m venv target/test-venv && target/test-venv/bin/pip install -r tests/requirements.txt
";

fn main() {
    // `cargo bench` says --bench to whatever it runs.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--role", "flat", rest @ ..] => ours::flat(rest),
        ["--role", "load", rest @ ..] => ours::load(rest),
        ["--role", "plants", count] => stations::plants(count.parse().unwrap()),
        ["--role", "stations", seconds, ports, folder] => {
            stations::programs(seconds.parse().unwrap(), ports, folder.as_ref());
        }
        ["--help"] => say(HELP),
        ["--install"] => say(INSTALL),
        options => measure(&plan(options)),
    }
}

fn plan(options: &[&str]) -> Plan {
    let mut plan =
        Plan { seconds: 10, passes: 3, connections: 10, points: 150, stations: 100, minutes: 1.0, only: Vec::new() };
    let mut options = options.iter();
    while let Some(&option) = options.next() {
        let value = options.next().copied().unwrap_or_default();
        let number = || value.parse().unwrap_or_else(|_| panic!("{option} wants a number; {HELP}"));
        match option {
            "--seconds" => plan.seconds = number() as u64,
            "--passes" => plan.passes = number() as usize,
            "--connections" => plan.connections = number() as usize,
            "--points" => plan.points = number() as usize,
            "--stations" => plan.stations = number() as usize,
            "--minutes" => plan.minutes = number(),
            "--only" => plan.only = value.split(',').map(str::to_owned).collect(),
            _ => panic!("no option {option}; {HELP}"),
        }
    }
    // The server knows 256 addresses of 250 units.
    assert!((1..=250).contains(&plan.points) && (1..=250).contains(&plan.connections) && 0 < plan.passes, "{HELP}");
    plan
}

fn measure(plan: &Plan) {
    let is_wanted = |part: &str| plan.only.is_empty() || plan.only.iter().any(|only| only == part);
    // collectd refuses folders whose names begin with a dot.
    let folder = tempfile::Builder::new().prefix("heatstation-bench-").tempdir().unwrap();
    say(&machine::described());
    if is_wanted("flat") || is_wanted("load") {
        let peers = peers::Peers::found(folder.path());
        say(&peers.described());
        if is_wanted("flat") {
            say(&load::flat_out(plan, &peers));
        }
        if is_wanted("load") {
            say(&load::equal(plan, &peers, folder.path()));
        }
    }
    if is_wanted("stations") {
        say(&stations::compared(plan, folder.path()));
    }
}

/// What goes to stdout.
///
/// # Panics
/// If nobody reads it any more.
pub fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).unwrap();
}

/// The middle of some numbers, and their least and greatest.
pub fn middle(numbers: &[f64]) -> (f64, f64, f64) {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) };
    (median, sorted[0], sorted[sorted.len() - 1])
}
