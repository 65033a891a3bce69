//! A limit as a line over the outdoor temperature: constant, two points (Danfoss ECL), four points (Samson TROVIS), or a
//! constant that rises below an inflection up to a second one (Siemens RVD240, three points).
//!
//! All of them are the same thing, a line through one to four points that is straight between them and level beyond. A
//! limiter asks for the limit at the *smoothed* outdoor temperature: what the curve looks at, the limits look at too, or a
//! gust would move the one and not the other.

use heatstation_points::Celsius;
use serde::{Deserialize, Serialize};

/// Most points of a line: Samson's four.
pub const POINTS_MAX: usize = 4;

/// A limit over the outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitLine {
    /// Outdoor temperature and limit, outdoor rising; what is left over repeats the last point.
    points: [(Celsius, f64); POINTS_MAX],
}

impl LimitLine {
    /// The same limit in every weather.
    pub fn constant(limit: f64) -> LimitLine {
        LimitLine { points: [(Celsius(0.0), limit); POINTS_MAX] }
    }

    /// Through these points, outdoor rising; none if there is no point or more than [`POINTS_MAX`].
    pub fn through(points: &[(Celsius, f64)]) -> Option<LimitLine> {
        let last = *points.last()?;
        if points.len() > POINTS_MAX {
            return None;
        }
        let mut line = LimitLine { points: [last; POINTS_MAX] };
        line.points[..points.len()].copy_from_slice(points);
        Some(line)
    }

    /// Siemens: `mild` down to the inflection, then rising by `slope` per kelvin of colder weather up to `cold`.
    pub fn rising_below(inflection: Celsius, mild: f64, slope: f64, cold: f64) -> LimitLine {
        let full = Celsius(inflection.0 - (cold - mild) / slope);
        LimitLine { points: [(full, cold), (inflection, mild), (inflection, mild), (inflection, mild)] }
    }

    /// The same line with every limit multiplied, as by a circuit's share of a station.
    #[must_use]
    pub fn times(mut self, factor: f64) -> LimitLine {
        for (_, limit) in &mut self.points {
            *limit *= factor;
        }
        self
    }

    /// The limit in that weather.
    pub fn at(&self, outdoor: Celsius) -> f64 {
        let (mut colder, mut limit) = self.points[0];
        if outdoor <= colder {
            return limit;
        }
        for &(warmer, next) in &self.points[1..] {
            if outdoor < warmer {
                return limit + (next - limit) * ((outdoor - colder) / (warmer - colder));
            }
            (colder, limit) = (warmer, next);
        }
        limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: LimitLine, expected: &[(f64, f64)]) {
        for &(outdoor, limit) in expected {
            let found = line.at(Celsius(outdoor));
            assert!((found - limit).abs() < 1e-9, "at {outdoor} °C: {found} instead of {limit}");
        }
    }

    #[test]
    fn two_points_of_danfoss_and_the_inflection_of_siemens_give_their_manuals_lines() {
        let ecl = LimitLine::through(&[(Celsius(-15.0), 60.0), (Celsius(15.0), 50.0)]).unwrap();
        check(ecl, &[(-30.0, 60.0), (-15.0, 60.0), (0.0, 55.0), (15.0, 50.0), (20.0, 50.0)]);
        let rvd = LimitLine::rising_below(Celsius(10.0), 50.0, 0.7, 70.0);
        check(rvd, &[(20.0, 50.0), (10.0, 50.0), (0.0, 57.0), (-10.0, 64.0), (-30.0, 70.0)]);
    }

    #[test]
    fn one_point_is_a_constant_and_a_share_divides_every_point() {
        let line = LimitLine::through(&[(Celsius(0.0), 40.0)]).unwrap();
        check(line, &[(-40.0, 40.0), (0.0, 40.0), (40.0, 40.0)]);
        check(line.times(0.25), &[(-40.0, 10.0), (40.0, 10.0)]);
        let four = [(Celsius(-15.0), 65.0), (Celsius(-5.0), 50.0), (Celsius(5.0), 35.0), (Celsius(15.0), 20.0)];
        check(LimitLine::through(&four).unwrap(), &[(-10.0, 57.5), (0.0, 42.5), (10.0, 27.5), (16.0, 20.0)]);
        assert_eq!(LimitLine::through(&[]), None);
    }
}
