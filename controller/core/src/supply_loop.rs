//! From the supply setpoint to the primary valve.
//!
//! The loop is a PI with a sample time of its own; around it stand what a valve needs: a [gain](crate::gain_schedule) that
//! follows the plant's, [feed-forward](crate::feed_forward) of what is measured before it is felt, a dead band, because
//! every small stroke wears; a rate no faster than the stem; limits; and take-over without a bump. What of it reaches the
//! motor, and how, the [actuator](crate::actuator) says.
//!
//! # The dead band
//! Its widest is configured as a share of the stroke. Where the plant is steep it shrinks to what moves the supply by
//! 0.15 K, down to the smallest stroke that the valve still makes.
//!
//! # When the supply temperature is lost
//! [Other sources](crate::supply_source) → hold the last position for a minute → a substitute position for half an hour, the
//! mean of the last hour → the safe position. Each rung is named in the report; no output is held for ever.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::actuator::Actuator;
use crate::exchanger::{Exchanger, Inlets};
use crate::feed_forward::{self, FeedForward};
use crate::gain_schedule::{GainSchedule, GainSource, rise_by_spread};
use crate::pi::{Gains, Pi};
use crate::report::ValveReason;
use crate::settings::{InterlockSettings, SupplyLoopSettings, ValveSettings};
use crate::timer::seconds;

/// Temperatures are read in tenths: an error of one grain says nothing, and an integral fed with it walks the valve through
/// its dead band and back for ever.
pub(crate) const GRAIN: f64 = 0.1;
/// A loop that is further from its setpoint than this is on its way, and shows nothing of the exchanger's steady state.
const SETTLED: Kelvins = Kelvins(1.0);

/// What of an error says anything.
pub(crate) fn beyond_grain(error: Kelvins) -> f64 {
    error.0 - error.0.clamp(-GRAIN, GRAIN)
}

/// What the loop remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SupplyLoop {
    pi: Pi,
    /// What was sent last: the valve's command.
    pub command: Ratio,
    /// What the PI wished last.
    wish: Ratio,
    since_decision: Duration,
    /// How long nothing has been known of the supply.
    lost_for: Duration,
    /// Mean of the command over the last hour of control.
    mean: Option<Ratio>,
    /// The loop was not in charge in the last step: take over without a bump.
    away: bool,
    /// The furthest open that the stem can still stand, by what it was told and the time it takes.
    #[serde(default)]
    reach: Ratio,
    #[serde(default)]
    feed_forward: FeedForward,
    #[serde(default)]
    schedule: GainSchedule,
    #[serde(default)]
    exchanger: Exchanger,
    #[serde(default)]
    care: Care,
    /// What of the command reaches the motor.
    #[serde(default)]
    pub actuator: Actuator,
}

/// What the loop is to be careful about, by the health of its valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Care {
    /// A factor on the gain, 0.25 to 1.
    pub gain: f64,
    /// A wider dead band, and how far it may move the supply.
    pub dead_band: Option<(Ratio, Kelvins)>,
}

impl Default for Care {
    fn default() -> Self {
        Care { gain: 1.0, dead_band: None }
    }
}

/// What is seen around the exchanger, each where it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Around {
    /// Primary supply.
    pub primary_supply: Option<Celsius>,
    /// Primary return of this circuit.
    pub primary_return: Option<Celsius>,
    /// Secondary return.
    pub secondary_return: Option<Celsius>,
    /// Secondary flow.
    pub secondary_flow: Option<CubicMetersPerSecond>,
    /// The pressure difference that drives the primary water.
    pub primary_pressure: Option<Pascals>,
}

impl Around {
    fn inlets(&self) -> Option<Inlets> {
        Some(Inlets {
            primary_supply: self.primary_supply?,
            secondary_return: self.secondary_return?,
            secondary_flow: self.secondary_flow.filter(|flow| flow.0 > 0.0)?,
        })
    }
}

/// What the loop is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// The setpoint.
    pub setpoint: Celsius,
    /// The supply temperature, if anything is known.
    pub supply: Option<Celsius>,
    /// Where the valve says it stands.
    pub feedback: Option<Ratio>,
    /// The outdoor temperature, for the safe position.
    pub outdoor: Celsius,
    /// What is seen around the exchanger.
    pub around: Around,
    /// What to be careful about.
    pub care: Care,
}

impl SupplyLoop {
    /// A loop that takes over a valve that stands there.
    pub fn found_at(position: Ratio) -> SupplyLoop {
        SupplyLoop { command: position, wish: position, reach: position, away: true, ..SupplyLoop::default() }
    }

    /// One step while heat is wanted.
    pub fn advance(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        interlock: &InterlockSettings,
        wanted: Wanted,
        dt: Duration,
    ) -> ValveReason {
        self.let_stem_follow(valve, dt);
        self.care = wanted.care;
        let Some(supply) = wanted.supply else {
            return self.without_supply(valve, interlock, wanted.outdoor, dt);
        };
        self.lost_for = Duration::ZERO;
        self.since_decision += dt;
        if self.away {
            self.take_over(settings, valve, supply, &wanted, dt);
        }
        if self.since_decision >= settings.sample_time {
            self.decide(settings, valve, supply, &wanted);
        }
        // At its ends the valve is to reach them, not to stop half a dead band short.
        let at_end = self.wish <= valve.position_min || self.wish >= valve.position_max;
        if at_end || (self.wish - self.command).0.abs() >= self.dead_band(settings, valve).0 {
            self.approach(self.wish, valve, dt);
        }
        self.remember_mean(dt);
        ValveReason::Control
    }

    fn take_over(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        supply: Celsius,
        wanted: &Wanted,
        dt: Duration,
    ) {
        // The stem may be on its way: start from where it is, not from where it was last told to go. A feedback that
        // says it stands further open than it can is broken, and must not throw the valve open.
        let position = wanted.feedback.unwrap_or(self.command).min(self.reach);
        self.command = position;
        self.wish = position;
        self.feed_forward.rest();
        self.look(settings, valve, supply, wanted, dt);
        self.pi.take_over(&self.gains(settings, valve), beyond_grain(wanted.setpoint - supply), position.0);
        self.since_decision = dt;
        self.away = false;
    }

    fn decide(&mut self, settings: &SupplyLoopSettings, valve: &ValveSettings, supply: Celsius, wanted: &Wanted) {
        let dt = self.since_decision;
        let need = self.look(settings, valve, supply, wanted, dt);
        let curve = &valve.characteristic;
        let ahead = self.feed_forward.advance(&settings.feed_forward, curve, need, self.command, dt);
        self.pi.shift(ahead.0);
        // What the dead band or the rate kept back is no wind-up: only a real difference is tracked.
        let kept_back = (self.wish - self.command).0.abs() <= self.dead_band(settings, valve).0;
        let actual = if kept_back { None } else { Some(self.command.0) };
        let error = beyond_grain(wanted.setpoint - supply);
        self.wish = Ratio(self.pi.advance(&self.gains(settings, valve), error, actual, seconds(dt)));
        self.since_decision = Duration::ZERO;
    }

    /// Looks at the plant: how steep it is here, and how much primary water the setpoint needs.
    fn look(
        &mut self,
        settings: &SupplyLoopSettings,
        valve: &ValveSettings,
        supply: Celsius,
        wanted: &Wanted,
        dt: Duration,
    ) -> Option<f64> {
        let around = &wanted.around;
        let steepness = valve.characteristic.steepness(self.command);
        let Some(spread) = around.secondary_return.map(|back| supply - back) else {
            self.schedule.forget();
            return None;
        };
        let known = settings.exchanger.as_ref().zip(around.inlets());
        let Some((design, inlets)) = known else {
            self.schedule.observe(rise_by_spread(spread) * steepness, GainSource::Spread, dt);
            return None;
        };
        if let Some(back) = around.primary_return.filter(|_| (wanted.setpoint - supply).0.abs() < SETTLED.0) {
            self.exchanger.observe(design, supply, back, &inlets, dt);
        }
        match self.exchanger.primary_flow_for(design, supply, &inlets) {
            Some(flow) => {
                let rise = self.exchanger.supply_rise(design, flow, &inlets);
                self.schedule.observe(rise * steepness, GainSource::Model, dt);
            }
            None => self.schedule.observe(rise_by_spread(spread) * steepness, GainSource::Spread, dt),
        }
        let exchanger = (&self.exchanger, design);
        feed_forward::need(&settings.feed_forward, exchanger, wanted.setpoint, &inlets, around.primary_pressure)
    }

    fn gains(&self, settings: &SupplyLoopSettings, valve: &ValveSettings) -> Gains {
        Gains {
            gain: settings.gain_per_kelvin * self.gain_factor(settings),
            integral_seconds: seconds(settings.integral_time),
            low: valve.position_min.0,
            high: valve.position_max.0,
        }
    }

    /// What the configured gain is multiplied by: the plant's gain, and the health of the valve.
    pub fn gain_factor(&self, settings: &SupplyLoopSettings) -> f64 {
        self.schedule.factor(&settings.schedule) * self.care.gain
    }

    /// Wished travel below which the valve is left alone.
    pub fn dead_band(&self, settings: &SupplyLoopSettings, valve: &ValveSettings) -> Ratio {
        let by_temperature = self.schedule.stroke_for(settings.dead_band_supply).unwrap_or(settings.dead_band);
        let usual = settings.dead_band.min(by_temperature.max(valve.stroke_min));
        let Some((wide, supply)) = self.care.dead_band else { return usual };
        usual.max(wide.min(self.schedule.stroke_for(supply).unwrap_or(wide)))
    }

    /// What is known of the plant's gain.
    pub fn schedule(&self) -> &GainSchedule {
        &self.schedule
    }

    /// What feed-forward has moved the valve by lately.
    pub fn fed_forward(&self) -> Ratio {
        self.feed_forward.given()
    }

    /// The exchanger as it has turned out to be.
    pub fn exchanger(&self) -> &Exchanger {
        &self.exchanger
    }

    /// One step while an interlock has the valve, or it rests: closed at once, for the actuator then runs as fast as it
    /// can.
    pub fn close(&mut self, valve: &ValveSettings, dt: Duration) {
        self.let_stem_follow(valve, dt);
        self.command = Ratio::ZERO;
        self.wish = Ratio::ZERO;
        self.away = true;
        self.lost_for = Duration::ZERO;
    }

    /// One step of a planned stop: towards closed as fast as the stem, so that the water follows without a knock and the
    /// command shows the truth.
    pub fn run_down(&mut self, valve: &ValveSettings, dt: Duration) {
        self.let_stem_follow(valve, dt);
        self.approach(Ratio::ZERO, valve, dt);
        self.wish = self.command;
        self.away = true;
        self.lost_for = Duration::ZERO;
    }

    /// One step while others have the valve: be where it is.
    pub fn follow(&mut self, feedback: Option<Ratio>) {
        self.command = feedback.unwrap_or(self.command);
        self.wish = self.command;
        self.reach = feedback.unwrap_or(Ratio::ONE);
        self.away = true;
        self.actuator.rest(self.command);
    }

    /// One step in hand.
    pub fn hold_at(&mut self, position: Ratio, valve: &ValveSettings, dt: Duration) {
        self.let_stem_follow(valve, dt);
        self.approach(position.clamp(Ratio::ZERO, valve.position_max), valve, dt);
        self.wish = self.command;
        self.away = true;
    }

    fn without_supply(
        &mut self,
        valve: &ValveSettings,
        interlock: &InterlockSettings,
        outdoor: Celsius,
        dt: Duration,
    ) -> ValveReason {
        self.lost_for = self.lost_for.saturating_add(dt);
        self.away = true;
        if self.lost_for <= interlock.sensor_hold {
            return ValveReason::HoldSensorLost;
        }
        let substitute_until = interlock.sensor_hold.saturating_add(interlock.sensor_substitute);
        let position = if self.lost_for <= substitute_until {
            // Never above what held the temperature lately.
            self.mean.unwrap_or(self.command).min(self.command.max(interlock.valve_safe_cold))
        } else if outdoor < interlock.valve_safe_below {
            interlock.valve_safe_cold
        } else {
            Ratio::ZERO
        };
        self.approach(position, valve, dt);
        self.wish = self.command;
        ValveReason::SafePosition
    }

    fn approach(&mut self, position: Ratio, valve: &ValveSettings, dt: Duration) {
        let step = Ratio(seconds(dt) / seconds(valve.stroke_time));
        self.command += (position - self.command).clamp(-step, step);
        self.command = self.command.clamp(Ratio::ZERO, valve.position_max);
    }

    fn let_stem_follow(&mut self, valve: &ValveSettings, dt: Duration) {
        let step = Ratio(seconds(dt) / seconds(valve.stroke_time));
        self.reach = (self.reach - step).max(self.command);
    }

    fn remember_mean(&mut self, dt: Duration) {
        let before = self.mean.unwrap_or(self.command);
        self.mean = Some(before + (self.command - before) * (1.0 - (-seconds(dt) / 3600.0).exp()));
    }

    /// Whether the valve stands as far open as it may.
    pub fn open_wide(&self, valve: &ValveSettings) -> bool {
        self.command >= valve.position_max - Ratio(1e-6)
    }

    /// Whether the valve stands at one of its ends and can give no more, or no less.
    pub fn saturated(&self, valve: &ValveSettings) -> bool {
        self.command >= valve.position_max - Ratio(1e-6) || self.command <= valve.position_min + Ratio(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::InterlockSettings;

    const SECOND: Duration = Duration::from_secs(1);

    fn advance(state: &mut SupplyLoop, wanted: Wanted, count: u32) -> ValveReason {
        let (settings, valve) = (SupplyLoopSettings::default(), ValveSettings::default());
        (0..count)
            .map(|_| state.advance(&settings, &valve, &InterlockSettings::ordinary(), wanted, SECOND))
            .last()
            .unwrap()
    }

    fn wanted(setpoint: f64, supply: Option<f64>) -> Wanted {
        Wanted {
            setpoint: Celsius(setpoint),
            supply: supply.map(Celsius),
            feedback: Some(Ratio(0.4)),
            outdoor: Celsius(-5.0),
            around: Around::default(),
            care: Care::default(),
        }
    }

    #[test]
    fn the_loop_settles_a_simple_exchanger_without_hunting() {
        // A first-order process with dead time: 25 K of supply per full stroke around the working point, 25 s, 15 s.
        let mut state = SupplyLoop::found_at(Ratio(0.3));
        let (mut supply, mut delay, mut reversals, mut direction) = (50.0_f64, [0.3_f64; 15], 0, 0.0_f64);
        for second in 0..3600 {
            let before = state.command;
            advance(&mut state, Wanted { feedback: Some(before), ..wanted(57.0, Some(supply)) }, 1);
            delay.rotate_left(1);
            delay[14] = state.command.0;
            supply += (42.5 + 25.0 * delay[0] - supply) / 25.0;
            let moved = (state.command - before).0;
            if second > 900 && moved * direction < 0.0 {
                reversals += 1;
            }
            if moved != 0.0 {
                direction = moved;
            }
        }
        assert!((supply - 57.0).abs() < 0.2, "{supply}");
        assert!(reversals <= 4, "{reversals} reversals");
    }

    #[test]
    fn the_command_never_moves_faster_than_the_stem() {
        let mut state = SupplyLoop::found_at(Ratio(0.4));
        for _ in 0..100 {
            let before = state.command;
            advance(&mut state, wanted(80.0, Some(30.0)), 1);
            assert!((state.command - before).0 <= 1.0 / 120.0 + 1e-12);
        }
    }

    #[test]
    fn a_lost_sensor_holds_then_substitutes_then_goes_safe() {
        let mut state = SupplyLoop::found_at(Ratio(0.4));
        advance(&mut state, wanted(60.0, Some(60.0)), 60);
        let before = state.command;
        assert_eq!(advance(&mut state, wanted(60.0, None), 60), ValveReason::HoldSensorLost);
        assert_eq!(state.command, before);
        assert_eq!(advance(&mut state, wanted(60.0, None), 1800), ValveReason::SafePosition);
        advance(&mut state, wanted(60.0, None), 600);
        assert_eq!(state.command, Ratio(0.3));
        let mild = Wanted { outdoor: Celsius(8.0), ..wanted(60.0, None) };
        advance(&mut state, mild, 600);
        assert_eq!(state.command, Ratio::ZERO);
    }

    #[test]
    fn the_loop_takes_over_where_the_stem_is() {
        // Closed for 12 s of 120 from half open, the stem stands at four tenths.
        let mut state = SupplyLoop::found_at(Ratio(0.5));
        for _ in 0..12 {
            state.close(&ValveSettings::default(), SECOND);
        }
        advance(&mut state, wanted(60.0, Some(59.9)), 1);
        assert!((state.command.0 - 0.4).abs() < 0.01, "{:?}", state.command);
    }

    #[test]
    fn a_feedback_that_lies_does_not_throw_a_closed_valve_open() {
        let mut state = SupplyLoop::found_at(Ratio(0.5));
        for _ in 0..120 {
            state.close(&ValveSettings::default(), SECOND);
        }
        advance(&mut state, Wanted { feedback: Some(Ratio(0.7)), ..wanted(60.0, Some(50.0)) }, 1);
        assert!(state.command.0 <= 1.0 / 120.0 + 1e-12, "{:?}", state.command);
    }
}
