//! How many writes memory with a life may still take.

use std::time::Duration;

use crate::settings::Memory;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Writes that memory with a life may still take: a month's worth at once, refilled evenly.
///
/// A program that is started anew does not know what the run before has spent. It has a day's worth, and at least one, so
/// that a restart refills next to nothing; and it writes only what the device does not hold already, so that a program
/// that is restarted in a circle with the same wish spends nothing at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wear {
    /// Writes left now; below zero when safety has written beyond the budget.
    pub left: f64,
    per_year: f64,
    counted_at: Duration,
}

impl Wear {
    pub(crate) fn of(memory: Memory) -> Option<Wear> {
        match memory {
            Memory::Volatile => None,
            Memory::NonVolatile { writes_per_year } => {
                let per_year = f64::from(writes_per_year);
                Some(Wear { left: (per_year / 365.0).max(1.0), per_year, counted_at: Duration::ZERO })
            }
        }
    }

    fn most(&self) -> f64 {
        (self.per_year / 12.0).max(1.0)
    }

    pub(crate) fn at(self, now: Duration) -> Wear {
        let years = now.saturating_sub(self.counted_at).as_secs_f64() / YEAR.as_secs_f64();
        Wear { left: (self.left + years * self.per_year).min(self.most()), counted_at: now, ..self }
    }

    pub(crate) fn has_one(&self) -> bool {
        1.0 <= self.left
    }

    pub(crate) fn spend(&mut self) {
        self.left -= 1.0;
    }

    /// How long until there is one again.
    pub(crate) fn until_one(&self) -> Duration {
        YEAR.mul_f64(((1.0 - self.left) / self.per_year).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_start_has_a_days_worth_and_time_refills_up_to_a_months() {
        let wear = Wear::of(Memory::NonVolatile { writes_per_year: 3650 }).unwrap();
        assert!((wear.left - 10.0).abs() < 1e-9);
        assert!((wear.at(DAY).left - 20.0).abs() < 1e-9);
        assert!((wear.at(DAY * 400).left - 3650.0 / 12.0).abs() < 1e-9);
    }

    #[test]
    fn a_budget_that_is_spent_comes_back_with_time() {
        let mut wear = Wear::of(Memory::NonVolatile { writes_per_year: 365 }).unwrap();
        wear.spend();
        assert!(!wear.has_one() && wear.until_one().abs_diff(DAY) < Duration::from_secs(1));
    }
}
