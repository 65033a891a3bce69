//! The heat exchanger as the supply loop reckons with it: how much primary water a wanted supply takes, and how much one
//! part more of it raises the supply.
//!
//! Counterflow, by effectiveness and number of transfer units; transfer grows with the flow on either side to the power
//! 0.8, so that half the flow is not half the heat (Modelica Buildings, `PlateHeatExchangerEffectivenessNTU`):
//!
//! ```text
//! UA  = 1 / (1/hA₁ + 1/hA₂)   hA_i = hA_i,d (m_i/m_i,d)^0.8   hA₁,d = (1+r) UA_d   hA₂,d = hA₁,d / r   r = (m₁d/m₂d)^0.8
//! NTU = UA/C_min    Z = C_min/C_max    ε = (1 − e^(−NTU(1−Z))) / (1 − Z e^(−NTU(1−Z)))    Q = ε C_min (T₁ − T₂r)
//! ```
//!
//! The simulator has an exchanger of its own that shares no line with this one. The area in service is
//! [corrected slowly](Exchanger::observe) by what is measured: plates foul, and design figures are design figures.

use std::time::Duration;

use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

const FLOW_EXPONENT: f64 = 0.8;
/// Primary flows that are believed, of the design flow.
const FLOW: (f64, f64) = (1e-4, 5.0);
/// A flow is found when the next step would move it by less than this part of itself.
const FOUND: f64 = 1e-7;
/// Steps of the search: five or six find it, the bracket halves beyond that.
const STEPS: usize = 40;
/// The heat's logarithm over the flow's: 0.4 to 1 where the supply is made by it, and what a first step takes.
const COMMON_SLOPE: f64 = 0.7;
const SLOPE_MIN: f64 = 1e-3;
/// Above this ratio of capacities the formula is nought over nought, and its limit is taken.
const ALIKE: f64 = 1.0 - 1e-6;
/// The correction of the area follows what is measured in this time, s: fouling takes weeks, a shift's weather hours.
const CORRECTION_SECONDS: f64 = 6.0 * 3600.0;
/// A correction outside of this says that the design figures belong to another exchanger.
const CORRECTION: (f64, f64) = (0.3, 2.0);
/// Differences below this are the sensors' errors as much as the exchanger's: class B in the pocket, 0.2 to 0.4 K each.
const DIFFERENCE_MIN: f64 = 1.5;

/// What an exchanger was designed for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExchangerSettings {
    /// Heat transfer at the design flows, W/K.
    pub transfer: f64,
    /// Primary design flow, kg/s.
    pub primary_flow: f64,
    /// Secondary design flow, kg/s.
    pub secondary_flow: f64,
}

impl ExchangerSettings {
    /// The exchanger that moves `heat` (W) between these temperatures.
    pub fn designed_for(heat: f64, primary: (Celsius, Celsius), secondary: (Celsius, Celsius)) -> ExchangerSettings {
        let (hot, cold) = ((primary.0 - secondary.0).0, (primary.1 - secondary.1).0);
        ExchangerSettings {
            transfer: heat / logarithmic_mean(hot.max(0.1), cold.max(0.1)),
            primary_flow: heat / (WATER_HEAT_CAPACITY * (primary.0 - primary.1).0.max(1.0)),
            secondary_flow: heat / (WATER_HEAT_CAPACITY * (secondary.0 - secondary.1).0.max(1.0)),
        }
    }

    /// hA₁ and hA₂ at their design flows, W/K.
    fn sides(&self) -> (f64, f64) {
        let r = (self.primary_flow / self.secondary_flow).powf(FLOW_EXPONENT);
        ((1.0 + r) * self.transfer, (1.0 + r) / r * self.transfer)
    }

    fn transfer_at(&self, primary_flow: f64, secondary_flow: f64) -> f64 {
        let (primary, secondary) = self.sides();
        let primary = primary * (primary_flow / self.primary_flow).powf(FLOW_EXPONENT);
        let secondary = secondary * (secondary_flow / self.secondary_flow).powf(FLOW_EXPONENT);
        1.0 / (1.0 / primary + 1.0 / secondary)
    }
}

fn logarithmic_mean(a: f64, b: f64) -> f64 {
    if (a - b).abs() < 1e-6 { a } else { (a - b) / (a / b).ln() }
}

/// What is seen of the exchanger's inlets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inlets {
    /// Primary supply.
    pub primary_supply: Celsius,
    /// Secondary return.
    pub secondary_return: Celsius,
    /// Secondary flow.
    pub secondary_flow: CubicMetersPerSecond,
}

/// An exchanger between given inlets: what does not depend on the primary flow, worked out once for many flows.
struct Duty {
    /// Primary flow for which it was designed, kg/s, and hA₁ there, W/K.
    primary_flow: f64,
    primary_transfer: f64,
    /// 1/hA₂, K/W.
    secondary_resistance: f64,
    /// Capacity flow of the secondary side, W/K.
    secondary_capacity: f64,
    /// Between the inlets, K.
    difference: f64,
}

impl Duty {
    fn new(settings: &ExchangerSettings, correction: f64, inlets: &Inlets) -> Duty {
        let secondary_flow = (inlets.secondary_flow.0 * WATER_DENSITY).max(1e-3);
        let (primary, secondary) = settings.sides();
        let secondary = secondary * (secondary_flow / settings.secondary_flow).powf(FLOW_EXPONENT);
        Duty {
            primary_flow: settings.primary_flow,
            primary_transfer: correction * primary,
            secondary_resistance: 1.0 / (correction * secondary),
            secondary_capacity: secondary_flow * WATER_HEAT_CAPACITY,
            difference: (inlets.primary_supply - inlets.secondary_return).0,
        }
    }

    /// Heat at e^x times the primary design flow, W: the power of a flow is one exponential of its logarithm.
    fn heat(&self, x: f64) -> f64 {
        let transfer = 1.0 / (1.0 / (self.primary_transfer * (FLOW_EXPONENT * x).exp()) + self.secondary_resistance);
        let (c1, c2) = (self.primary_flow * x.exp() * WATER_HEAT_CAPACITY, self.secondary_capacity);
        let (smaller, larger) = if c1 < c2 { (c1, c2) } else { (c2, c1) };
        let (units, z) = (transfer / smaller, smaller / larger);
        let effectiveness = if z > ALIKE {
            units / (1.0 + units)
        } else {
            let decay = (-units * (1.0 - z)).exp();
            (1.0 - decay) / (1.0 - z * decay)
        };
        effectiveness * smaller * self.difference
    }
}

/// The exchanger, and what its area has turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchanger {
    /// Transfer in service over that of the design figures.
    correction: f64,
}

impl Default for Exchanger {
    fn default() -> Self {
        Exchanger { correction: 1.0 }
    }
}

impl Exchanger {
    /// Transfer in service over that of the design figures: below one the plates are foul, or the figures were kind.
    pub fn correction(&self) -> f64 {
        self.correction
    }

    /// Heat at that primary flow (kg/s), W.
    pub fn heat(&self, settings: &ExchangerSettings, primary_flow: f64, inlets: &Inlets) -> f64 {
        Duty::new(settings, self.correction, inlets).heat((primary_flow / settings.primary_flow).ln())
    }

    /// The primary flow (kg/s) that brings the secondary water to `supply`; none where no flow does, or no heat is needed.
    ///
    /// Heat is almost a power of the flow, so that the secant of their logarithms finds it in a few steps; the bracket that
    /// it keeps is for where it does not.
    pub fn primary_flow_for(&self, settings: &ExchangerSettings, supply: Celsius, inlets: &Inlets) -> Option<f64> {
        let capacity = inlets.secondary_flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY;
        let wanted = capacity * (supply - inlets.secondary_return).0;
        let duty = Duty::new(settings, self.correction, inlets);
        if wanted <= 0.0 || duty.difference <= 0.0 {
            return None;
        }
        let short_at = |x: f64| (wanted / duty.heat(x)).ln();
        let (least, most) = (FLOW.0.ln(), FLOW.1.ln());
        let (mut low, mut high) = (least, most);
        // No exchanger does with less water than one that cools it down to the secondary return.
        let least_flow = wanted / (WATER_HEAT_CAPACITY * duty.difference);
        let mut x = (least_flow / settings.primary_flow).ln().clamp(least, most);
        let mut short = short_at(x);
        let mut slope = COMMON_SLOPE;
        for _ in 0..STEPS {
            if short > 0.0 {
                low = x;
            } else {
                high = x;
            }
            let toward = x + short / slope;
            let next = if toward > low && toward < high { toward } else { 0.5 * (low + high) };
            if (next - x).abs() < FOUND {
                break;
            }
            let there = short_at(next);
            slope = ((short - there) / (next - x)).max(SLOPE_MIN);
            (x, short) = (next, there);
        }
        let within = x > least + 4.0 * FOUND && x < most - 4.0 * FOUND;
        within.then(|| settings.primary_flow * x.exp())
    }

    /// By how much the supply rises when the primary flow grows by a hundredth, times a hundred: `dT_s / d ln ṁ₁`.
    pub fn supply_rise(&self, settings: &ExchangerSettings, primary_flow: f64, inlets: &Inlets) -> Kelvins {
        const PART: f64 = 0.01;
        let capacity = (inlets.secondary_flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY).max(1.0);
        let duty = Duty::new(settings, self.correction, inlets);
        let x = (primary_flow / settings.primary_flow).ln();
        Kelvins((duty.heat(x + PART) - duty.heat(x - PART)) / capacity / (2.0 * PART))
    }

    /// Looks at all four temperatures of a settled exchanger and corrects its area slowly.
    pub fn observe(
        &mut self,
        settings: &ExchangerSettings,
        supply: Celsius,
        primary_return: Celsius,
        inlets: &Inlets,
        dt: Duration,
    ) {
        let secondary_flow = inlets.secondary_flow.0 * WATER_DENSITY;
        let heat = secondary_flow * WATER_HEAT_CAPACITY * (supply - inlets.secondary_return).0;
        let (hot, cold) = ((inlets.primary_supply - supply).0, (primary_return - inlets.secondary_return).0);
        let cooled = (inlets.primary_supply - primary_return).0;
        if hot < DIFFERENCE_MIN || cold < DIFFERENCE_MIN || cooled < DIFFERENCE_MIN || heat <= 0.0 {
            return;
        }
        let primary_flow = heat / (WATER_HEAT_CAPACITY * cooled);
        let seen = heat / logarithmic_mean(hot, cold) / settings.transfer_at(primary_flow, secondary_flow);
        let share = 1.0 - (-seconds(dt) / CORRECTION_SECONDS).exp();
        self.correction += (seen.clamp(CORRECTION.0, CORRECTION.1) - self.correction) * share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 000 m² at 40 W/m² with 15 % to spare, 110/60 to 75/50 °C: the example of the reference.
    fn four_megawatts() -> ExchangerSettings {
        let (primary, secondary) = ((Celsius(110.0), Celsius(60.0)), (Celsius(75.0), Celsius(50.0)));
        let bare = ExchangerSettings::designed_for(4.0e6, primary, secondary);
        ExchangerSettings { transfer: 1.15 * bare.transfer, ..bare }
    }

    fn inlets(primary: f64, secondary: f64, share: f64) -> Inlets {
        Inlets {
            primary_supply: Celsius(primary),
            secondary_return: Celsius(secondary),
            secondary_flow: CubicMetersPerSecond(share * four_megawatts().secondary_flow / WATER_DENSITY),
        }
    }

    #[test]
    fn a_four_megawatt_exchanger_has_the_textbooks_figures() {
        let exchanger = four_megawatts();
        assert!((exchanger.transfer / 230_508.0 - 1.0).abs() < 1e-3, "{exchanger:?}");
        assert!((exchanger.primary_flow - 19.1).abs() < 0.1 && (exchanger.secondary_flow - 38.2).abs() < 0.1);
    }

    #[test]
    fn at_the_design_point_the_design_flow_gives_the_design_supply() {
        let settings = ExchangerSettings { transfer: four_megawatts().transfer / 1.15, ..four_megawatts() };
        let flow = Exchanger::default().primary_flow_for(&settings, Celsius(75.0), &inlets(110.0, 50.0, 1.0));
        assert!((flow.unwrap() / settings.primary_flow - 1.0).abs() < 1e-3, "{flow:?}");
    }

    #[test]
    fn the_flow_that_is_found_brings_the_heat_that_was_wanted() {
        let (settings, exchanger) = (four_megawatts(), Exchanger::default());
        for (primary, back, supply) in [(110.0, 45.0, 70.0), (80.0, 34.0, 42.0), (130.0, 40.0, 47.0)] {
            let inlets = inlets(primary, back, 1.6);
            let flow = exchanger.primary_flow_for(&settings, Celsius(supply), &inlets).unwrap();
            let rise = exchanger.heat(&settings, flow, &inlets)
                / (inlets.secondary_flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY);
            assert!((back + rise - supply).abs() < 1e-5, "{rise} for {supply} from {back}");
        }
    }

    #[test]
    fn halving_the_whole_range_finds_the_same_flow() {
        let (settings, exchanger) = (four_megawatts(), Exchanger { correction: 0.9 });
        let mut found = 0;
        for primary in [60.0, 85.0, 110.0, 130.0] {
            for (back, share) in [(25.0, 0.3), (35.0, 1.0), (45.0, 1.6), (55.0, 2.5)] {
                for rise in [0.2, 2.0, 10.0, 25.0, 40.0] {
                    let inlets = inlets(primary, back, share);
                    let capacity = inlets.secondary_flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY;
                    let (mut low, mut high) = (settings.primary_flow * FLOW.0, settings.primary_flow * FLOW.1);
                    let heat = |flow: f64| exchanger.heat(&settings, flow, &inlets);
                    let possible = heat(low) < capacity * rise && capacity * rise < heat(high);
                    for _ in 0..100 {
                        let middle = (low * high).sqrt();
                        if heat(middle) < capacity * rise { low = middle } else { high = middle }
                    }
                    let flow = exchanger.primary_flow_for(&settings, Celsius(back + rise), &inlets);
                    assert_eq!(flow.is_some(), possible, "{primary} {back} {share} {rise}");
                    assert!(flow.is_none_or(|flow| (flow / low - 1.0).abs() < 1e-6), "{flow:?}, not {low}");
                    found += usize::from(possible);
                }
            }
        }
        assert!(found > 30, "{found}");
    }

    #[test]
    fn what_no_flow_can_do_has_no_answer() {
        let (settings, exchanger) = (four_megawatts(), Exchanger::default());
        assert_eq!(exchanger.primary_flow_for(&settings, Celsius(75.0), &inlets(70.0, 50.0, 1.0)), None);
        assert_eq!(exchanger.primary_flow_for(&settings, Celsius(45.0), &inlets(110.0, 50.0, 1.0)), None);
    }

    #[test]
    fn a_fouled_exchanger_is_found_out_in_a_day() {
        let settings = four_megawatts();
        let foul = Exchanger { correction: 0.8 };
        let inlets = inlets(105.0, 44.0, 1.3);
        let flow = foul.primary_flow_for(&settings, Celsius(62.0), &inlets).unwrap();
        let heat = foul.heat(&settings, flow, &inlets);
        let primary_return = inlets.primary_supply - Kelvins(heat / (flow * WATER_HEAT_CAPACITY));
        let mut exchanger = Exchanger::default();
        for _ in 0..24 * 3600 {
            exchanger.observe(&settings, Celsius(62.0), primary_return, &inlets, Duration::from_secs(1));
        }
        assert!((exchanger.correction() - 0.8).abs() < 0.01, "{}", exchanger.correction());
    }
}
