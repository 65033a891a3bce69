//! A short series of values over time: its slope, and its last value against the others.

use serde::{Deserialize, Serialize};

/// The last `N` values with their times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Series<const N: usize> {
    values: Vec<(f64, f64)>,
}

impl<const N: usize> Default for Series<N> {
    fn default() -> Self {
        Series { values: Vec::with_capacity(N) }
    }
}

impl<const N: usize> Series<N> {
    pub(super) fn push(&mut self, time: f64, value: f64) {
        if self.values.len() >= N {
            self.values.remove(0);
        }
        // A series that was read from a file has no room yet; it asks once.
        self.values.reserve_exact(N - self.values.len());
        self.values.push((time, value));
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn last(&self) -> Option<f64> {
        self.values.last().map(|(_, value)| *value)
    }

    /// Slope of the straight line of least squares and its standard error, from `least` values on; the scatter is not
    /// believed to be smaller than `scatter_min`.
    pub(super) fn slope(&self, least: usize, scatter_min: f64) -> Option<(f64, f64)> {
        let count = self.values.len();
        if count < least.max(3) {
            return None;
        }
        let n = count as f64;
        let sums = self.values.iter().fold((0.0, 0.0), |sum, (time, value)| (sum.0 + time, sum.1 + value));
        let (mean_time, mean) = (sums.0 / n, sums.1 / n);
        let (mut squares, mut products) = (0.0, 0.0);
        for (time, value) in &self.values {
            squares += (time - mean_time).powi(2);
            products += (time - mean_time) * (value - mean);
        }
        if squares <= 0.0 {
            return None;
        }
        let slope = products / squares;
        let rest: f64 =
            self.values.iter().map(|(time, value)| (value - mean - slope * (time - mean_time)).powi(2)).sum();
        let scatter = (rest / (n - 2.0)).sqrt().max(scatter_min);
        Some((slope, scatter / squares.sqrt()))
    }

    /// The last value, and the median of those before it if there are at least `others`.
    pub(super) fn last_and_median(&self, others: usize) -> Option<(f64, f64)> {
        let ((_, last), before) = self.values.split_last()?;
        if before.len() < others.max(1) {
            return None;
        }
        let mut sorted: [f64; 32] = [0.0; 32];
        let count = before.len().min(sorted.len());
        for (place, (_, value)) in sorted.iter_mut().zip(before) {
            *place = *value;
        }
        let sorted = &mut sorted[..count];
        sorted.sort_unstable_by(f64::total_cmp);
        Some((*last, 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2])))
    }

    /// The mean of the last `new` values and that of at least `old` before them.
    pub(super) fn last_against_before(&self, new: usize, old: usize) -> Option<(f64, f64)> {
        let split = self.values.len().checked_sub(new)?;
        if split < old {
            return None;
        }
        let mean = |values: &[(f64, f64)]| values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64;
        Some((mean(&self.values[split..]), mean(&self.values[..split])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_and_its_error_are_those_of_the_textbook() {
        let mut series = Series::<24>::default();
        assert_eq!(series.slope(3, 0.0), None);
        for (time, value) in [(1.0, 2.1), (2.0, 3.9), (3.0, 6.2), (4.0, 7.8), (5.0, 10.1)] {
            series.push(time, value);
        }
        // Worked by hand: Sxx 10, Sxy 19.9, residual sum 0.107.
        let (slope, error) = series.slope(3, 0.0).unwrap();
        assert!((slope - 1.99).abs() < 1e-9, "{slope}");
        assert!((error - (0.107_f64 / 3.0 / 10.0).sqrt()).abs() < 1e-9, "{error}");
    }

    #[test]
    fn old_values_fall_out() {
        let mut series = Series::<4>::default();
        for value in 0..10 {
            series.push(f64::from(value), f64::from(value));
        }
        assert_eq!((series.len(), series.last()), (4, Some(9.0)));
        assert_eq!(series.last_and_median(3), Some((9.0, 7.0)));
        assert_eq!(series.last_against_before(2, 2), Some((8.5, 6.5)));
    }
}
