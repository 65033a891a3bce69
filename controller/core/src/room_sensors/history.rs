//! The last six hours of one value, a grain each quarter of an hour.

use std::time::Duration;

/// One grain; sensors report every 15 to 60 min.
pub(super) const TICK: Duration = Duration::from_secs(15 * 60);
/// Six hours.
const GRAINS: usize = 24;

/// Hundredths of a kelvin are finer than any room sensor, and an `i16` of them reaches from −327 to 327 °C.
const PER_KELVIN: f64 = 100.0;

/// A ring of grains; none where nothing was known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct History {
    grains: [Option<i16>; GRAINS],
    newest: usize,
}

impl History {
    pub(super) fn push(&mut self, value: Option<f64>) {
        self.newest = (self.newest + 1) % GRAINS;
        self.grains[self.newest] = value.map(|value| (value * PER_KELVIN).round() as i16);
    }

    /// What it was that many grains ago; 1 is the last one.
    pub(super) fn ago(&self, grains: usize) -> Option<f64> {
        let place = (self.newest + GRAINS + 1 - grains) % GRAINS;
        self.grains[place].map(|grain| f64::from(grain) / PER_KELVIN)
    }

    /// The grains against those of another history, where both are known.
    pub(super) fn against(&self, other: &History) -> Deviations {
        let mut deviations = Deviations { values: [0.0; GRAINS], count: 0 };
        for grains in 1..=GRAINS {
            if let (Some(own), Some(level)) = (self.ago(grains), other.ago(grains)) {
                deviations.values[deviations.count] = own - level;
                deviations.count += 1;
            }
        }
        deviations
    }
}

/// What was between two histories.
pub(super) struct Deviations {
    values: [f64; GRAINS],
    count: usize,
}

impl Deviations {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The median, and the median absolute deviation from it.
    pub(super) fn median_and_mad(mut self) -> Option<(f64, f64)> {
        let values = &mut self.values[..self.count];
        let middle = median(values)?;
        for value in &mut *values {
            *value = (*value - middle).abs();
        }
        Some((middle, median(values)?))
    }
}

/// The median; none of nothing. The order of the values is lost.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let lower = if count % 2 == 1 { upper } else { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
    Some(0.5 * (lower + upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_goes_back_six_hours_and_forgets_what_is_older() {
        let mut history = History::default();
        assert_eq!(history.ago(1), None);
        for hour in 0..30 {
            history.push(Some(f64::from(hour) / 10.0));
        }
        assert_eq!((history.ago(1), history.ago(2), history.ago(24)), (Some(2.9), Some(2.8), Some(0.6)));
        history.push(None);
        assert_eq!((history.ago(1), history.ago(2)), (None, Some(2.9)));
    }

    #[test]
    fn the_median_is_in_the_middle_of_what_there_is() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
