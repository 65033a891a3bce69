//! How much a valve passes at each position, and how steeply that rises.
//!
//! An equal-percentage valve multiplies its open area by the same factor for each part of the stroke, `φ = R^(y−1)`, down
//! to its seat δ: below δ/2 the curve runs straight to the leakage, and between δ/2 and 3δ/2 a cubic leads from the one to
//! the other. There it is five times as steep as anywhere above, and more. What the rest of the branch takes of the pressure
//! bends the whole:
//!
//! ```text
//! m / m_open = 1 / √( N/φ² + 1 − N )         N: authority, the share of the pressure that the open valve takes
//! ```
//!
//! (Modelica IBPSA, `TwoWayEqualPercentage`; R 50, seat 2 % of the stroke.) Everything here is relative to the open valve:
//! the loop asks how far to move for so much more water, and that does not depend on how large the valve is.

use heatstation_points::Ratio;
use serde::{Deserialize, Serialize};

/// Where the curve bends over to its seat, δ.
const SEAT: f64 = 0.02;
const BEND: (f64, f64) = (0.5 * SEAT, 1.5 * SEAT);
/// Halvings that find a position within the bend: to a hundred-millionth of the stroke.
const HALVINGS: usize = 20;
/// What a closed valve passes, of the open area: class IV of IEC 60534-4.
const LEAKAGE: f64 = 1e-4;

/// What a valve is like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveCharacteristic {
    /// Largest over smallest controlled flow, R: 30 to 100.
    pub rangeability: f64,
    /// Share of the branch's pressure that the open valve takes, N.
    pub authority: Ratio,
}

impl Default for ValveCharacteristic {
    fn default() -> Self {
        // R: Modelica IBPSA. N: 0.3 to 0.5 is what a valve is picked for; below 0.2 control suffers.
        ValveCharacteristic { rangeability: 50.0, authority: Ratio(0.4) }
    }
}

impl ValveCharacteristic {
    /// Open area, and its slope along the stroke.
    fn area(&self, position: f64) -> (f64, f64) {
        if position >= BEND.1 {
            let area = self.rangeability.powf(position - 1.0);
            return (area, area * self.rangeability.ln());
        }
        let foot_slope = (self.rangeability.powf(SEAT - 1.0) - LEAKAGE) / SEAT;
        if position <= BEND.0 {
            return (LEAKAGE + foot_slope * position.max(0.0), foot_slope);
        }
        // Hermite's cubic with the values and slopes of its two neighbours.
        let (low, high) = (LEAKAGE + foot_slope * BEND.0, self.rangeability.powf(BEND.1 - 1.0));
        let width = BEND.1 - BEND.0;
        let (low_slope, high_slope) = (foot_slope * width, high * self.rangeability.ln() * width);
        let s = (position - BEND.0) / width;
        let rise = high - low;
        let (square, cube) = (3.0 * rise - 2.0 * low_slope - high_slope, low_slope + high_slope - 2.0 * rise);
        let area = low + s * (low_slope + s * (square + s * cube));
        (area, (low_slope + s * (2.0 * square + s * 3.0 * cube)) / width)
    }

    /// The position at which the area is that large.
    fn position_of(&self, area: f64) -> f64 {
        if area >= self.area(BEND.1).0 {
            return 1.0 + area.ln() / self.rangeability.ln();
        }
        let (bend, foot_slope) = self.area(BEND.0);
        if area <= bend {
            return BEND.0 - (bend - area) / foot_slope;
        }
        let (mut low, mut high) = BEND;
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.area(middle).0 < area {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// Flow at a position, of that of the open valve.
    pub fn flow(&self, position: Ratio) -> f64 {
        let (area, n) = (self.area(position.0).0, self.authority.0);
        1.0 / (n / (area * area) + 1.0 - n).sqrt()
    }

    /// The position at which that much flows; open if even that is not enough.
    pub fn position_for(&self, flow: f64) -> Ratio {
        let n = self.authority.0;
        let bare = 1.0 / (flow * flow).max(1e-12) - (1.0 - n);
        if bare <= n {
            return Ratio::ONE;
        }
        Ratio(self.position_of((n / bare).sqrt()).clamp(0.0, 1.0))
    }

    /// By how much the flow's logarithm rises over the stroke at a position: about ln R in the middle, less where the rest
    /// of the branch takes the pressure, far more near the seat.
    pub fn steepness(&self, position: Ratio) -> f64 {
        let ((area, slope), n) = (self.area(position.0), self.authority.0);
        let valves_part = n / (n + (1.0 - n) * area * area);
        valves_part * slope / area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_stroke_multiplies_the_flow_by_the_tenth_root_of_the_rangeability() {
        // With all the pressure to itself: 50^0.1 = 1.4788.
        let valve = ValveCharacteristic { authority: Ratio(1.0), ..ValveCharacteristic::default() };
        assert!((valve.flow(Ratio(0.6)) / valve.flow(Ratio(0.5)) - 1.4788).abs() < 1e-4);
        assert!((valve.flow(Ratio::ONE) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn position_and_flow_are_each_others_inverse() {
        for authority in [0.1, 0.4, 1.0] {
            let valve = ValveCharacteristic { authority: Ratio(authority), ..ValveCharacteristic::default() };
            for per_mille in [2, 10, 12, 20, 29, 31, 50, 300, 700, 990] {
                let position = Ratio(f64::from(per_mille) / 1000.0);
                let back = valve.position_for(valve.flow(position));
                assert!((back - position).0.abs() < 1e-7, "{back:?} for {position:?} at authority {authority}");
            }
        }
        assert_eq!(ValveCharacteristic::default().position_for(1.5), Ratio::ONE);
        assert_eq!(ValveCharacteristic::default().position_for(0.0), Ratio::ZERO);
    }

    #[test]
    fn steepness_is_the_slope_of_the_flows_logarithm() {
        for authority in [0.1, 0.4, 1.0] {
            let valve = ValveCharacteristic { authority: Ratio(authority), ..ValveCharacteristic::default() };
            for position in [0.005, 0.012, 0.02, 0.028, 0.04, 0.2, 0.6, 0.95] {
                let step = 1e-5;
                let rise = (valve.flow(Ratio(position + step)) / valve.flow(Ratio(position - step))).ln();
                let (slope, said) = (rise / (2.0 * step), valve.steepness(Ratio(position)));
                assert!((said / slope - 1.0).abs() < 1e-3, "{said} for {slope} at {position}, authority {authority}");
            }
        }
    }
}
