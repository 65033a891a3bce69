//! How fast the pumps turn: one function a mode, a ladder for what is lost, a floor for the flow, a ramp.
//!
//! # When what a mode needs is lost
//! Hold for a minute → an estimate by affinity (pressure goes with the square of the speed, so the last known pair of both
//! gives the speed of any other pressure) → the fixed fallback speed. Each rung is named in the report.
//!
//! # What this room leaves to others
//! Slower pumps need warmer water. The heating curve looks at the measured flow and makes it so, within ten minutes; where
//! the flow meter is lost, [`Speed::estimated_flow`] stands in by affinity.

use std::time::Duration;

use heatstation_points::{CircuitReadings, CubicMetersPerSecond, Kelvins, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::{Asked, Far};
use crate::pi::{Gains, Pi};
use crate::settings::{CirculationMode, CirculationSettings};
use crate::timer::seconds;

/// What is measured may be lost this long before anything else is taken.
pub(super) const HOLD: Duration = Duration::from_secs(60);
/// Pairs of speed and pressure, and of speed and flow, are smoothed over this.
const KNOWN_SECONDS: f64 = 60.0;
/// The floor of the flow moves the speed over its whole range in this time: far slower than any ramp, or it would swing.
const FLOOR_SECONDS: f64 = 600.0;
/// The floor lets go this far above itself.
const FLOOR_MARGIN: f64 = 1.1;

/// Why the speed is what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeedReason {
    /// No pump runs.
    #[default]
    Standstill,
    /// The configured speed.
    FixedSpeed,
    /// A constant pressure difference is held.
    DifferentialPressure,
    /// A pressure difference that grows with the flow is held.
    ProportionalPressure,
    /// The worst-placed building's pressure difference is held.
    WorstPoint,
    /// Nothing is heard of the worst-placed building: the highest pressure difference is held.
    WorstPointLost,
    /// The pressure difference creeps down until somebody asks.
    TrimRespond,
    /// The temperature difference of supply and return is held.
    TemperatureDifference,
    /// The flow follows the load.
    StagedFlow,
    /// The flow would follow the load further down; somebody far away goes short.
    StagedFlowObjected,
    /// The supply pressure is held.
    SupplyPressure,
    /// The least flow is kept.
    FlowFloor,
    /// In hand.
    Hand,
    /// One pump hands over to the next.
    ChangeOver,
    /// What the mode needs is lost: the speed is held.
    HoldSensorLost,
    /// It is lost for longer: estimated by affinity.
    Estimate,
    /// It is lost for long: the fallback speed.
    Fallback,
}

impl SpeedReason {
    /// All of them.
    pub const ALL: [SpeedReason; 17] = [
        SpeedReason::Standstill,
        SpeedReason::FixedSpeed,
        SpeedReason::DifferentialPressure,
        SpeedReason::ProportionalPressure,
        SpeedReason::WorstPoint,
        SpeedReason::WorstPointLost,
        SpeedReason::TrimRespond,
        SpeedReason::TemperatureDifference,
        SpeedReason::StagedFlow,
        SpeedReason::StagedFlowObjected,
        SpeedReason::SupplyPressure,
        SpeedReason::FlowFloor,
        SpeedReason::Hand,
        SpeedReason::ChangeOver,
        SpeedReason::HoldSensorLost,
        SpeedReason::Estimate,
        SpeedReason::Fallback,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            SpeedReason::Standstill => "standstill",
            SpeedReason::FixedSpeed => "fixed_speed",
            SpeedReason::DifferentialPressure => "differential_pressure",
            SpeedReason::ProportionalPressure => "proportional_pressure",
            SpeedReason::WorstPoint => "worst_point",
            SpeedReason::WorstPointLost => "worst_point_lost",
            SpeedReason::TrimRespond => "trim_respond",
            SpeedReason::TemperatureDifference => "temperature_difference",
            SpeedReason::StagedFlow => "staged_flow",
            SpeedReason::StagedFlowObjected => "staged_flow_objected",
            SpeedReason::SupplyPressure => "supply_pressure",
            SpeedReason::FlowFloor => "flow_floor",
            SpeedReason::Hand => "hand",
            SpeedReason::ChangeOver => "change_over",
            SpeedReason::HoldSensorLost => "hold_sensor_lost",
            SpeedReason::Estimate => "estimate",
            SpeedReason::Fallback => "fallback",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            SpeedReason::Standstill => ("停止", "no pump runs"),
            SpeedReason::FixedSpeed => ("定频", "fixed speed"),
            SpeedReason::DifferentialPressure => ("定压差", "constant pressure difference"),
            SpeedReason::ProportionalPressure => ("比例压差", "pressure difference by the flow"),
            SpeedReason::WorstPoint => ("最不利压差", "pressure difference of the worst point"),
            SpeedReason::WorstPointLost => {
                ("最不利压差失效, 取最高压差", "worst point lost: highest pressure difference")
            }
            SpeedReason::TrimRespond => ("压差寻优", "trim and respond"),
            SpeedReason::TemperatureDifference => ("定温差", "temperature difference"),
            SpeedReason::StagedFlow => ("分阶段变流量", "flow by the load"),
            SpeedReason::StagedFlowObjected => ("末端不热, 加大流量", "more flow: far buildings go short"),
            SpeedReason::SupplyPressure => ("供水定压", "supply pressure"),
            SpeedReason::FlowFloor => ("最小流量", "least flow"),
            SpeedReason::Hand => ("手动", "in hand"),
            SpeedReason::ChangeOver => ("换泵中", "changing over"),
            SpeedReason::HoldSensorLost => ("传感器失效, 保持频率", "sensor lost: speed held"),
            SpeedReason::Estimate => ("传感器失效, 按频率估算", "sensor lost: estimated from the speed"),
            SpeedReason::Fallback => ("传感器失效, 备用频率", "sensor lost: fallback speed"),
        }
    }
}

/// How the speed of the pumps on duty is found, and what that remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Speed {
    /// What is sent to the pumps on duty.
    pub now: Ratio,
    reason: SpeedReason,
    pub(super) pi: Pi,
    /// How long what the mode needs has been lost.
    lost: Duration,
    /// A speed and the pressure that it gave.
    pub(super) known_pressure: Option<(Ratio, Pascals)>,
    /// A speed and the flow that it gave.
    known_flow: Option<(Ratio, CubicMetersPerSecond)>,
    /// The pressure difference to be held here, where one is.
    pub(super) setpoint: Option<Pascals>,
    /// How long nothing has been heard of the worst-placed building.
    pub(super) remote_lost: Duration,
    /// Time since trim and respond last moved.
    pub(super) round: Duration,
    /// The flow as a share of the design flow, smoothed.
    pub(super) share: Option<Ratio>,
    /// Stage of the staged flow, 0 full.
    pub(super) stage: usize,
    pub(super) stage_for: Duration,
    /// How much more flow the smooth law gives because somebody objects.
    pub(super) more: Ratio,
    /// The load, the flow and the spread that are wanted, where the mode has them.
    pub(super) load: Option<Ratio>,
    pub(super) flow: Option<Ratio>,
    pub(super) spread: Option<Kelvins>,
    pub(super) far: Far,
    pub(super) far_age: Duration,
    /// The speed below which the flow falls short.
    floor: Ratio,
    /// The loop is at its highest speed and wants more.
    short: bool,
}

/// What is said of the speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SpeedReport {
    /// What is sent to the pumps on duty.
    pub now: Ratio,
    /// Why.
    pub reason: SpeedReason,
    /// The pressure difference that is held here, where one is.
    pub differential_pressure_setpoint: Option<Pascals>,
    /// The supply pressure that is held, where it is.
    pub supply_pressure_setpoint: Option<Pascals>,
    /// The temperature difference that is held.
    pub spread_setpoint: Option<Kelvins>,
    /// The wanted flow as a share of the full one.
    pub flow_setpoint: Option<Ratio>,
    /// The load by the weather.
    pub load: Option<Ratio>,
    /// What is heard from far away.
    pub far: Far,
}

/// What a mode wishes, and its name.
pub(super) type Wish = (Ratio, SpeedReason);

impl Speed {
    /// Takes over pumps that turn at this speed.
    pub(super) fn take_over(&mut self, settings: &CirculationSettings, found: Ratio) {
        let Speed { known_pressure, known_flow, stage, stage_for, setpoint, share, more, .. } = *self;
        *self = Speed {
            now: found,
            known_pressure,
            known_flow,
            stage,
            stage_for,
            setpoint,
            share,
            more,
            ..Speed::default()
        };
        if let Some(gains) = gains_of(settings) {
            self.pi.take_over(&gains, 0.0, found.0);
        }
    }

    /// One step; `turning` pumps carry the circulation.
    pub(super) fn advance(
        &mut self,
        settings: &CirculationSettings,
        readings: &CircuitReadings,
        asked: &Asked,
        turning: usize,
        change: Change,
        dt: Duration,
    ) {
        if change.freezes_speed() {
            (self.reason, self.short) = (SpeedReason::ChangeOver, false);
            return;
        }
        if turning == 0 {
            *self = Speed {
                now: settings.speed_min,
                known_pressure: self.known_pressure,
                known_flow: self.known_flow,
                stage: self.stage,
                stage_for: self.stage_for,
                share: self.share,
                ..Speed::default()
            };
            return;
        }
        self.learn_flow(readings, dt);
        let (wish, reason) = if let Some(speed) = asked.hand_speed {
            (speed, SpeedReason::Hand)
        } else {
            let wish = self.wish(settings, readings, asked, dt);
            self.keep_flow(settings, readings, wish, dt)
        };
        self.short = wish >= settings.speed_max && self.lost.is_zero() && gains_of(settings).is_some();
        let step = Ratio(settings.ramp_per_second * seconds(dt));
        self.now += (wish.clamp(settings.speed_min, settings.speed_max) - self.now).clamp(-step, step);
        self.reason = reason;
    }

    fn wish(
        &mut self,
        settings: &CirculationSettings,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
    ) -> Wish {
        match &settings.mode {
            CirculationMode::FixedSpeed { speed } => (*speed, SpeedReason::FixedSpeed),
            CirculationMode::DifferentialPressure { setpoint, .. } => self.constant(settings, *setpoint, readings, dt),
            CirculationMode::ProportionalPressure { low, design, design_flow, exponent, .. } => {
                self.proportional(settings, (*low, *design), *design_flow, *exponent, readings, dt)
            }
            CirculationMode::WorstPoint(mode) => self.worst_point(settings, mode, readings, dt),
            CirculationMode::TrimRespond(mode) => self.trim_respond(settings, mode, readings, asked, dt),
            CirculationMode::TemperatureDifference(mode) => {
                self.temperature_difference(settings, mode, readings, asked, dt)
            }
            CirculationMode::StagedFlow(mode) => self.staged_flow(mode, readings, asked, dt),
            CirculationMode::SupplyPressure { setpoint, .. } => self.supply_pressure(settings, *setpoint, readings, dt),
        }
    }

    /// What was measured is there: nothing is lost.
    pub(super) fn found(&mut self) {
        self.lost = Duration::ZERO;
    }

    /// The ladder of what is lost: hold, estimate, fallback.
    pub(super) fn without(&mut self, settings: &CirculationSettings, estimate: Option<Ratio>, dt: Duration) -> Wish {
        self.lost = self.lost.saturating_add(dt);
        if let Some(gains) = gains_of(settings) {
            self.pi.take_over(&gains, 0.0, self.now.0);
        }
        if self.lost <= HOLD {
            return (self.now, SpeedReason::HoldSensorLost);
        }
        match estimate.filter(|_| self.lost <= HOLD + settings.estimate_for) {
            Some(speed) => (speed, SpeedReason::Estimate),
            None => (settings.speed_fallback, SpeedReason::Fallback),
        }
    }

    /// Remembers which pressure this speed gives.
    pub(super) fn learn_pressure(&mut self, measured: Pascals, dt: Duration) {
        let share = 1.0 - (-seconds(dt) / KNOWN_SECONDS).exp();
        let (speed, pressure) = self.known_pressure.unwrap_or((self.now, measured));
        self.known_pressure = Some((speed + (self.now - speed) * share, pressure + (measured - pressure) * share));
    }

    /// The speed that gives a pressure, by the last known pair.
    pub(super) fn speed_for(&self, pressure: Pascals) -> Option<Ratio> {
        let (speed, known) = self.known_pressure?;
        (known.0 > 0.0).then(|| speed * (pressure / known).max(0.0).sqrt())
    }

    fn learn_flow(&mut self, readings: &CircuitReadings, dt: Duration) {
        let Some(measured) = readings.own.secondary_flow.fresh() else { return };
        let share = 1.0 - (-seconds(dt) / KNOWN_SECONDS).exp();
        let (speed, flow) = self.known_flow.unwrap_or((self.now, measured));
        self.known_flow = Some((speed + (self.now - speed) * share, flow + (measured - flow) * share));
    }

    /// The flow by affinity: it goes with the speed. For who needs it while the meter is lost.
    pub(crate) fn estimated_flow(&self) -> Option<CubicMetersPerSecond> {
        let (speed, flow) = self.known_flow?;
        (self.reason != SpeedReason::Standstill && speed.0 > 0.0).then(|| flow * (self.now / speed))
    }

    /// No mode that lowers the flow by itself lowers it below the floor.
    fn keep_flow(
        &mut self,
        settings: &CirculationSettings,
        readings: &CircuitReadings,
        wish: Wish,
        dt: Duration,
    ) -> Wish {
        let Some((floor, flow)) = settings.flow_floor.zip(readings.own.secondary_flow.fresh()) else {
            return wish;
        };
        let step = Ratio((settings.speed_max - settings.speed_min).0 * seconds(dt) / FLOOR_SECONDS);
        if flow < floor {
            self.floor = (self.floor.max(self.now) + step).min(settings.speed_max);
        } else if flow.0 > floor.0 * FLOOR_MARGIN {
            self.floor = (self.floor - step).max(Ratio::ZERO);
        }
        if wish.0 < self.floor { (self.floor, SpeedReason::FlowFloor) } else { wish }
    }

    /// Whether the loop stands at its highest speed and wants more.
    pub(super) fn is_short(&self) -> bool {
        self.short
    }

    pub(super) fn report(&self, mode: &CirculationMode) -> SpeedReport {
        let of_supply = matches!(mode, CirculationMode::SupplyPressure { .. });
        SpeedReport {
            now: self.now,
            reason: self.reason,
            differential_pressure_setpoint: self.setpoint.filter(|_| !of_supply),
            supply_pressure_setpoint: self.setpoint.filter(|_| of_supply),
            spread_setpoint: self.spread,
            flow_setpoint: self.flow,
            load: self.load,
            far: self.far,
        }
    }
}

/// The loop of a mode, where it has one.
pub(super) fn gains_of(settings: &CirculationSettings) -> Option<Gains> {
    let (gain, integral_time) = match &settings.mode {
        CirculationMode::FixedSpeed { .. } | CirculationMode::StagedFlow(_) => return None,
        CirculationMode::DifferentialPressure { gain_per_pascal, integral_time, .. }
        | CirculationMode::ProportionalPressure { gain_per_pascal, integral_time, .. }
        | CirculationMode::SupplyPressure { gain_per_pascal, integral_time, .. } => (*gain_per_pascal, *integral_time),
        CirculationMode::WorstPoint(mode) => (mode.gain_per_pascal, mode.integral_time),
        CirculationMode::TrimRespond(mode) => (mode.gain_per_pascal, mode.integral_time),
        CirculationMode::TemperatureDifference(mode) => (mode.gain_per_kelvin, mode.integral_time),
    };
    let (low, high) = (settings.speed_min.0, settings.speed_max.0);
    Some(Gains { gain, integral_seconds: seconds(integral_time), low, high })
}
