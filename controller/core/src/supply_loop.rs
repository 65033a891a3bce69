//! From the supply setpoint to the primary valve.
//!
//! The loop is a PI with a sample time of its own; around it stand what a valve needs: a dead band, because every small
//! stroke wears; a rate no faster than the stem; limits; and take-over without a bump.
//!
//! # When the supply temperature is lost
//! Second sensor → estimate from return, heat and flow → hold the last position for a minute → a substitute position for
//! half an hour, the mean of the last hour → the safe position. Each rung is named in the report; no output is held for
//! ever.

use std::time::Duration;

use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, CircuitReadings, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::pi::{Gains, Pi};
use crate::report::ValveReason;
use crate::settings::{InterlockSettings, SupplyLoopSettings, ValveSettings};
use crate::timer::seconds;

/// Where the supply temperature comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplySource {
    /// The sensor.
    Sensor,
    /// The second sensor.
    SecondSensor,
    /// Return temperature + heat / (flow · c).
    HeatBalance,
    /// Nothing is known.
    #[default]
    Lost,
}

impl SupplySource {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            SupplySource::Sensor => "sensor",
            SupplySource::SecondSensor => "second_sensor",
            SupplySource::HeatBalance => "heat_balance",
            SupplySource::Lost => "lost",
        }
    }
}

/// The supply temperature by the best source that answers.
pub fn supply_temperature(readings: &CircuitReadings) -> (Option<Celsius>, SupplySource) {
    let own = &readings.own;
    if let Some(supply) = own.supply_temperature.fresh() {
        return (Some(supply), SupplySource::Sensor);
    }
    if let Some(supply) = own.supply_temperature_second.fresh() {
        return (Some(supply), SupplySource::SecondSensor);
    }
    let balance = own.return_temperature.fresh().zip(own.heat_power.fresh()).zip(own.secondary_flow.fresh());
    if let Some(((return_temperature, power), flow)) = balance {
        // Below a litre a second the quotient says more about the meters than about the water.
        if flow.0 > 1e-3 {
            let rise = Kelvins(power.0 / (flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY));
            return (Some(return_temperature + rise), SupplySource::HeatBalance);
        }
    }
    (None, SupplySource::Lost)
}

/// Temperatures are read in tenths: an error of one grain says nothing, and an integral fed with it walks the valve through
/// its dead band and back for ever.
const GRAIN: f64 = 0.1;

fn beyond_grain(error: Kelvins) -> f64 {
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
        let Some(supply) = wanted.supply else {
            return self.without_supply(valve, interlock, wanted.outdoor, dt);
        };
        self.lost_for = Duration::ZERO;
        let gains = Gains {
            gain: settings.gain_per_kelvin,
            integral_seconds: seconds(settings.integral_time),
            low: valve.position_min.0,
            high: valve.position_max.0,
        };
        let error = beyond_grain(wanted.setpoint - supply);
        if self.away {
            // The stem may be on its way: start from where it is, not from where it was last told to go. A feedback that
            // says it stands further open than it can is broken, and must not throw the valve open.
            let position = wanted.feedback.unwrap_or(self.command).min(self.reach);
            self.pi.take_over(&gains, error, position.0);
            self.command = position;
            self.wish = position;
            self.since_decision = Duration::ZERO;
            self.away = false;
        }
        self.since_decision += dt;
        if self.since_decision >= settings.sample_time {
            // What the dead band or the rate kept back is no wind-up: only a real difference is tracked.
            let kept_back = (self.wish - self.command).0.abs() <= settings.dead_band.0;
            let actual = if kept_back { None } else { Some(self.command.0) };
            self.wish = Ratio(self.pi.advance(&gains, error, actual, seconds(self.since_decision)));
            self.since_decision = Duration::ZERO;
        }
        // At its ends the valve is to reach them, not to stop half a dead band short.
        let at_end = self.wish <= valve.position_min || self.wish >= valve.position_max;
        if at_end || (self.wish - self.command).0.abs() >= settings.dead_band.0 {
            self.approach(self.wish, valve, dt);
        }
        self.remember_mean(dt);
        ValveReason::Control
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
    use crate::interlock::tests::settings as interlock;
    use heatstation_points::{CubicMetersPerSecond, Fault, Reading, Watts};

    const SECOND: Duration = Duration::from_secs(1);

    fn advance(state: &mut SupplyLoop, wanted: Wanted, count: u32) -> ValveReason {
        let (settings, valve) = (SupplyLoopSettings::default(), ValveSettings::default());
        (0..count).map(|_| state.advance(&settings, &valve, &interlock(), wanted, SECOND)).last().unwrap()
    }

    fn wanted(setpoint: f64, supply: Option<f64>) -> Wanted {
        Wanted {
            setpoint: Celsius(setpoint),
            supply: supply.map(Celsius),
            feedback: Some(Ratio(0.4)),
            outdoor: Celsius(-5.0),
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

    #[test]
    fn the_heat_balance_stands_in_for_both_sensors() {
        let mut readings = CircuitReadings::default();
        readings.own.supply_temperature = Reading::bad(Fault::SensorBroken);
        readings.own.return_temperature = Reading::good(Celsius(45.0));
        readings.own.heat_power = Reading::good(Watts(2.0e6));
        readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(0.04));
        let (supply, source) = supply_temperature(&readings);
        assert_eq!(source, SupplySource::HeatBalance);
        assert!((supply.unwrap().0 - 57.1).abs() < 0.1, "{supply:?}");
    }
}
