//! Weather compensation: outdoor temperature in, secondary supply setpoint out.
//!
//! # Why this shape
//! Emitters give heat in proportion to (mean water − room)ⁿ, buildings lose it in proportion to (room − outdoor). Setting
//! the two equal gives the curve; `n` bends it, and the flow ratio spreads supply and return around the mean:
//!
//! ```text
//! q  = max(0, (Ti − Te) / (Tid − Ted))
//! Ts = Ti + dm · q^(1/n) + ½ (Tsd − Trd) · q / φ        dm = ½ (Tsd + Trd) − Tid
//! ```
//!
//! the quality regulation (质调节) of the Chinese network code; IBPSA's `SupplyReturnTemperatureReset` has the same form
//! at φ = 1. Real stations run at φ = 1.5 to 2, so the measured ratio matters: 57.4 °C instead of 60.7 °C at 0 °C outdoors.
//!
//! A slope other than 1 multiplies the load ratio q, or the excess of a curve through points over its room: the curve
//! turns about the point where no heat is needed, as the gradient of Samson and the slope of Danfoss and Siemens do, and
//! keeps its bend.
//!
//! # What this module does not do
//! Limits, room feedback and set-back come later and live in their own modules.

use std::ops::RangeInclusive;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

/// Slopes that a curve may be given: beyond them its design figures are wrong (own study of adaptive curves: 0.4 to 1.3).
pub const SLOPES: RangeInclusive<Ratio> = Ratio(0.4)..=Ratio(1.3);

/// A correction of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// What is added to the supply in all weathers.
    pub level: Kelvins,
    /// What the load ratio is multiplied with.
    pub slope: Ratio,
}

impl Default for Adjustment {
    fn default() -> Self {
        Adjustment { level: Kelvins(0.0), slope: Ratio::ONE }
    }
}

/// How a supply temperature follows from an outdoor temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Curve {
    /// From the design figures of the emitters.
    Emitter(EmitterCurve),
    /// Through given points.
    Points(PointCurve),
}

/// The physical curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmitterCurve {
    /// Supply temperature at the design outdoor temperature.
    pub design_supply: Celsius,
    /// Return temperature there.
    pub design_return: Celsius,
    /// Room temperature that the emitters were sized for.
    pub design_room: Celsius,
    /// Outdoor temperature that the emitters were sized for.
    pub design_outdoor: Celsius,
    /// Emitter exponent n: radiators 1.24 to 1.35, floor heating 1.0 to 1.1, fan coils 1.0.
    pub exponent: f64,
}

/// A curve through 2 to 8 points, straight between them, level beyond them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointCurve {
    /// Outdoor and supply temperature, outdoor rising.
    pub points: Vec<(Celsius, Celsius)>,
    /// Supply kelvins per kelvin of wished room temperature.
    pub room_slope: f64,
    /// The room temperature that the points are meant for.
    pub room: Celsius,
}

impl Curve {
    /// The supply temperature for an outdoor temperature, a wished room temperature and a flow ratio.
    pub fn supply_setpoint(&self, outdoor: Celsius, room: Celsius, flow_ratio: Ratio) -> Celsius {
        self.sloped(outdoor, room, flow_ratio, Ratio::ONE)
    }

    /// The same for a share of the heat.
    pub fn sloped(&self, outdoor: Celsius, room: Celsius, flow_ratio: Ratio, slope: Ratio) -> Celsius {
        match self {
            Curve::Emitter(curve) => curve.sloped(outdoor, room, flow_ratio, slope),
            Curve::Points(curve) => curve.sloped(outdoor, room, slope),
        }
    }

    /// The share of the design load, 0 in the mildest weather. A curve through points knows no load: the share of its
    /// largest excess stands in.
    pub fn load_ratio(&self, outdoor: Celsius, room: Celsius) -> Ratio {
        match self {
            Curve::Emitter(curve) => curve.load_ratio(outdoor, room),
            Curve::Points(curve) => {
                let excess = |outdoor: Celsius| (curve.at(outdoor) - curve.room).0.max(0.0);
                let largest = curve.points.first().map_or(0.0, |(coldest, _)| excess(*coldest));
                Ratio(excess(outdoor) / largest.max(1.0))
            }
        }
    }
}

impl EmitterCurve {
    fn load_ratio(&self, outdoor: Celsius, room: Celsius) -> Ratio {
        Ratio(((room - outdoor) / (self.design_room - self.design_outdoor)).max(0.0))
    }

    fn sloped(&self, outdoor: Celsius, room: Celsius, flow_ratio: Ratio, slope: Ratio) -> Celsius {
        let load_ratio = self.load_ratio(outdoor, room).0 * slope.0;
        let spread = self.design_supply - self.design_return;
        let design_mean = self.design_return + spread * 0.5;

        let mean_excess = (design_mean - self.design_room) * load_ratio.powf(1.0 / self.exponent);
        room + mean_excess + spread * (0.5 * load_ratio / flow_ratio.0)
    }
}

impl PointCurve {
    fn sloped(&self, outdoor: Celsius, room: Celsius, slope: Ratio) -> Celsius {
        let shift = Kelvins((room - self.room).0 * self.room_slope);
        let plain = self.at(outdoor);
        let turned = Kelvins((plain - self.room).0.max(0.0) * (slope.0 - 1.0));
        plain + turned + shift
    }

    fn at(&self, outdoor: Celsius) -> Celsius {
        let (mut colder, mut supply) = self.points[0];
        if outdoor <= colder {
            return supply;
        }
        for &(warmer, warmer_supply) in &self.points[1..] {
            if outdoor <= warmer {
                let share = (outdoor - colder) / (warmer - colder);
                return supply + (warmer_supply - supply) * share;
            }
            (colder, supply) = (warmer, warmer_supply);
        }
        supply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beijing() -> EmitterCurve {
        EmitterCurve {
            design_supply: Celsius(75.0),
            design_return: Celsius(50.0),
            design_room: Celsius(18.0),
            design_outdoor: Celsius(-7.6),
            exponent: 1.3,
        }
    }

    fn check(curve: EmitterCurve, outdoor: f64, flow_ratio: f64, expected: f64) {
        let supply = curve.sloped(Celsius(outdoor), Celsius(18.0), Ratio(flow_ratio), Ratio::ONE);
        assert!((supply.0 - expected).abs() < 0.06, "{outdoor} °C at φ {flow_ratio}: {supply:?}, expected {expected}");
    }

    #[test]
    fn a_radiator_curve_gives_the_published_check_values() {
        check(beijing(), -7.6, 1.0, 75.0);
        check(beijing(), 0.0, 1.0, 60.7);
        check(beijing(), 0.0, 1.6, 57.4);
        check(beijing(), 0.0, 0.75, 63.7);
        check(beijing(), 5.0, 1.0, 50.8);
    }

    #[test]
    fn a_floor_curve_gives_the_published_check_values() {
        let floor =
            EmitterCurve { design_supply: Celsius(45.0), design_return: Celsius(35.0), exponent: 1.05, ..beijing() };
        check(floor, 0.0, 1.0, 37.2);
        check(floor, 5.0, 1.0, 32.1);
    }

    #[test]
    fn warmer_outside_than_inside_asks_for_no_more_than_the_room() {
        let supply = beijing().sloped(Celsius(25.0), Celsius(18.0), Ratio::ONE, Ratio::ONE);
        assert_eq!(supply, Celsius(18.0));
    }

    #[test]
    fn colder_outside_never_asks_for_less() {
        let floor = PointCurve {
            points: vec![
                (Celsius(-15.0), Celsius(60.0)),
                (Celsius(0.0), Celsius(45.0)),
                (Celsius(15.0), Celsius(28.0)),
            ],
            room_slope: 2.5,
            room: Celsius(20.0),
        };
        for curve in [Curve::Emitter(beijing()), Curve::Points(floor)] {
            let mut last = Celsius(200.0);
            for tenth in -400..300 {
                let supply = curve.supply_setpoint(Celsius(f64::from(tenth) / 10.0), Celsius(20.0), Ratio(1.0));
                assert!(supply <= last, "{curve:?} at {tenth} tenths");
                last = supply;
            }
        }
    }

    #[test]
    fn a_slope_turns_the_curve_about_the_weather_that_needs_no_heat() {
        let points = PointCurve {
            points: vec![(Celsius(-10.0), Celsius(60.0)), (Celsius(20.0), Celsius(20.0))],
            room_slope: 2.5,
            room: Celsius(20.0),
        };
        for curve in [Curve::Emitter(beijing()), Curve::Points(points)] {
            let supply =
                |outdoor: f64, slope: f64| curve.sloped(Celsius(outdoor), Celsius(20.0), Ratio::ONE, Ratio(slope)).0;
            assert_eq!(supply(20.0, 1.3), supply(20.0, 0.4), "{curve:?}");
            let (steep, flat) = (supply(-5.0, 1.2) - supply(-5.0, 1.0), supply(-5.0, 1.0) - supply(-5.0, 0.8));
            assert!(4.0 < steep && 4.0 < flat, "{curve:?}: {steep} {flat}");
            assert!(supply(5.0, 1.2) - supply(5.0, 1.0) < steep, "{curve:?}");
        }
        // 0.85 of the load at -7.6 °C is the load at -3.76 °C: the supply for it is the same.
        let curve = Curve::Emitter(beijing());
        let shed = curve.sloped(Celsius(-7.6), Celsius(18.0), Ratio::ONE, Ratio(0.85));
        let milder = curve.supply_setpoint(Celsius(-3.76), Celsius(18.0), Ratio::ONE);
        assert!((shed - milder).0.abs() < 1e-9, "{shed:?} {milder:?}");
    }

    #[test]
    fn the_load_ratio_is_one_on_the_design_day_and_zero_when_no_heat_is_needed() {
        let curve = Curve::Emitter(beijing());
        assert_eq!(curve.load_ratio(Celsius(-7.6), Celsius(18.0)), Ratio::ONE);
        assert_eq!(curve.load_ratio(Celsius(25.0), Celsius(18.0)), Ratio::ZERO);
    }

    #[test]
    fn a_point_curve_goes_through_its_points_and_stays_level_beyond() {
        let curve = PointCurve {
            points: vec![(Celsius(-10.0), Celsius(60.0)), (Celsius(10.0), Celsius(40.0))],
            room_slope: 2.0,
            room: Celsius(20.0),
        };
        let supply = |outdoor: f64, room: f64| curve.sloped(Celsius(outdoor), Celsius(room), Ratio::ONE).0;
        assert_eq!(supply(-30.0, 20.0), 60.0);
        assert_eq!(supply(0.0, 20.0), 50.0);
        assert_eq!(supply(0.0, 21.0), 52.0);
        assert_eq!(supply(30.0, 20.0), 40.0);
    }
}
