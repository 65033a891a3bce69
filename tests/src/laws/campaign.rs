//! Campaigns: a seed draws weather, faults and wishes; the laws look on; a failure tells how to see it again.

use std::fmt;

use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{Climate, StochasticWeather};

use super::faults::Schedule;
use super::trial::{Tally, Trial};
use super::{Judged, Law, Violation};
use crate::stations::Station;

/// A campaign without a violation.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// Seconds simulated.
    pub seconds: u64,
    /// What happened.
    pub tally: Tally,
    /// What the laws demanded.
    pub judged: Judged,
    /// What was drawn.
    pub drawn: String,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {} s, {:?}; demanded:", self.seed, self.seconds, self.tally)?;
        for law in Law::ALL {
            write!(f, " {} {},", law.name(), self.judged.of(law))?;
        }
        write!(f, " {}", self.drawn)
    }
}

/// A campaign that ended in a violation, with all that it takes to see it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Its days.
    pub days: u64,
    /// What did not hold.
    pub violation: Violation,
    /// What was drawn.
    pub drawn: String,
    /// The last happenings.
    pub recent: Vec<(u64, String)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} over {} days: {}", self.seed, self.days, self.violation)?;
        writeln!(f, "{}; last happenings:", self.drawn)?;
        for (second, what) in &self.recent {
            writeln!(f, "  {second}: {what}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Runs a station through `days` of what the seed draws.
///
/// # Errors
/// The first violation, with seed and last happenings.
pub fn campaign(station: Station, seed: u64, days: u64) -> Result<Summary, Box<Failure>> {
    campaign_hearing(station, seed, days, None)
}

/// The same where a meteorological service is heard, this wrong.
///
/// # Errors
/// As [`campaign`].
pub fn campaign_hearing(
    station: Station,
    seed: u64,
    days: u64,
    service: Option<Uncertainty>,
) -> Result<Summary, Box<Failure>> {
    let schedule = Schedule::drawn(&station.0, seed, days);
    let drawn = schedule.to_string();
    let weather = Box::new(StochasticWeather::new(seed, Climate::SHANDONG));
    let mut trial = Trial::new(station, weather, seed, schedule).hearing(service);
    let seconds = days * 86_400;
    match trial.run_until(seconds) {
        Ok(()) => Ok(Summary { seed, seconds, tally: trial.tally, judged: trial.judged(), drawn }),
        Err(violation) => {
            let recent = trial.recent().cloned().collect();
            Err(Box::new(Failure { seed, days, violation, drawn, recent }))
        }
    }
}
