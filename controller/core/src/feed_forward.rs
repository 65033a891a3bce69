//! Feed-forward: what the valve has to do about a disturbance before the supply shows it.
//!
//! The wanted supply, the water that comes back, how much of it, and how hot the primary is say how much primary water is
//! needed; the pressure difference says how much a position passes. When the need changes by a factor, the valve is moved
//! to where it passes that much more or less:
//!
//! ```text
//! Q* = ṁ₂ c (T_s* − T₂r)    ṁ₁*: the exchanger turned inside out    x = ln ṁ₁* − ½ ln Δp
//! Δy = valve⁻¹( valve(y) · e^Δx ) − y
//! ```
//!
//! # Why changes only
//! The size of a valve is rarely known within a factor of two, and an absolute position would be wrong by that. A change
//! from where the valve stands needs its curve alone. What is added goes into the integral of the PI, which stays the
//! judge: a model that is wrong by a half does half or twice of what it should and is corrected like any disturbance.
//!
//! # What bounds it
//! What it has given lately, forgotten over half an hour, stays within its reach: a wrong model cannot throw the valve.
//! While the loop is not in charge, after a jump that no plant makes, and while something is not measured, it gives
//! nothing.

use std::time::Duration;

use heatstation_points::{Celsius, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::exchanger::{Exchanger, ExchangerSettings, Inlets};
use crate::timer::seconds;
use crate::valve_characteristic::ValveCharacteristic;

/// Temperatures come in tenths and flows with noise; smoothed over this, s, they no longer move the valve by themselves.
const SMOOTHING_SECONDS: f64 = 20.0;
/// What it gave is forgotten in this time, s; by then the PI has made up its own mind.
const FORGET_SECONDS: f64 = 1800.0;
/// No plant needs 1.6 times the water from one decision to the next: an instrument has come back, or has gone.
const JUMP: f64 = 0.5;

/// What is fed forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedForwardMode {
    /// Nothing.
    Off,
    /// Setpoint, return, secondary flow and primary temperature.
    #[default]
    Heat,
    /// These, and the primary pressure difference. On a network whose pressure wanders by 5 % within minutes it takes a
    /// third off the error and costs two thirds more strokes.
    HeatAndPressure,
}

/// What feed-forward does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedForwardSettings {
    /// What is fed forward.
    pub mode: FeedForwardMode,
    /// The most that it may have moved the valve lately.
    pub reach: Ratio,
}

impl Default for FeedForwardSettings {
    fn default() -> Self {
        // As much as ± 40 % of the flow of an equal-percentage valve; more comes from no healthy plant at once.
        FeedForwardSettings { mode: FeedForwardMode::default(), reach: Ratio(0.10) }
    }
}

/// How much is needed, as a logarithm; and what that was when it was last looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedForward {
    need: Option<f64>,
    /// What it has moved the valve by, forgotten over time.
    given: Ratio,
}

/// The logarithm of the need for area: primary flow over the root of the pressure that drives it.
pub fn need(
    settings: &FeedForwardSettings,
    (exchanger, design): (&Exchanger, &ExchangerSettings),
    setpoint: Celsius,
    inlets: &Inlets,
    pressure: Option<Pascals>,
) -> Option<f64> {
    let pressure = match settings.mode {
        FeedForwardMode::Off => return None,
        FeedForwardMode::Heat => None,
        FeedForwardMode::HeatAndPressure => pressure,
    };
    let flow = exchanger.primary_flow_for(design, setpoint, inlets)?;
    Some(flow.ln() - pressure.map_or(0.0, |pressure| 0.5 * pressure.0.max(1e3).ln()))
}

impl FeedForward {
    /// How far the valve is to move for what has changed since the last decision.
    pub fn advance(
        &mut self,
        settings: &FeedForwardSettings,
        valve: &ValveCharacteristic,
        need: Option<f64>,
        position: Ratio,
        dt: Duration,
    ) -> Ratio {
        self.given = self.given * (-seconds(dt) / FORGET_SECONDS).exp();
        let (Some(before), Some(now)) = (self.need, need) else {
            self.need = need;
            return Ratio::ZERO;
        };
        if (now - before).abs() > JUMP {
            self.need = need;
            return Ratio::ZERO;
        }
        let change = (now - before) * (1.0 - (-seconds(dt) / SMOOTHING_SECONDS).exp());
        self.need = Some(before + change);
        let moved = valve.position_for(valve.flow(position) * change.exp()) - position;
        let given = (self.given + moved).clamp(-settings.reach, settings.reach);
        let moved = given - self.given;
        self.given = given;
        moved
    }

    /// The loop is not in charge: what changes meanwhile is not made up for afterwards.
    pub fn rest(&mut self) {
        *self = FeedForward::default();
    }

    /// What it has moved the valve by lately.
    pub fn given(&self) -> Ratio {
        self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(needs: impl IntoIterator<Item = Option<f64>>) -> Ratio {
        let (mut forward, valve) = (FeedForward::default(), ValveCharacteristic::default());
        let mut position = Ratio(0.5);
        for need in needs {
            position += forward.advance(&FeedForwardSettings::default(), &valve, need, position, SECOND);
        }
        position - Ratio(0.5)
    }

    fn steady(need: f64, seconds: usize) -> impl Iterator<Item = Option<f64>> {
        std::iter::repeat_n(Some(need), seconds)
    }

    #[test]
    fn a_tenth_more_water_is_a_fortieth_of_the_stroke_on_an_equal_percentage_valve() {
        // ln 1.1 / (steepness at half open: 3.83) = 0.0249.
        let moved = after(steady(1.0, 10).chain(steady(1.0 + 1.1_f64.ln(), 300)));
        assert!((moved.0 - 0.0249).abs() < 5e-4, "{moved:?}");
    }

    #[test]
    fn a_model_that_cries_for_ever_more_does_not_throw_the_valve() {
        let moved = after((0..1000).map(|second| Some(0.01 * f64::from(second))));
        assert!(moved.0 <= 0.10 + 0.06, "reach, and what is forgotten of it in a quarter of an hour: {moved:?}");
        assert!(moved.0 >= 0.10, "{moved:?}");
    }

    #[test]
    fn an_instrument_that_comes_back_elsewhere_moves_nothing() {
        assert_eq!(after(steady(1.0, 10).chain(steady(2.0, 100))), Ratio::ZERO);
        assert_eq!(after(steady(1.0, 10).chain([None]).chain(steady(1.3, 100))), Ratio::ZERO);
    }
}
