//! The modes that hold a pressure: constant, by the flow, of the worst-placed building, creeping, and the supply's.
//!
//! All end in one loop on one measured pressure; they differ in what it aims at.

use std::time::Duration;

use heatstation_points::{CircuitReadings, CubicMetersPerSecond, Pascals, Ratio};

use super::speed::{HOLD, Speed, SpeedReason, Wish, gains_of};
use super::{Asked, Far};
use crate::settings::{CirculationSettings, TrimRespond, WorstPoint};
use crate::timer::seconds;

/// The flow is smoothed over this before a setpoint follows it: setpoint, speed and flow push each other up otherwise.
const SHARE_SECONDS: f64 = 60.0;
/// Buildings are read in minutes.
const LISTEN_EVERY: Duration = Duration::from_secs(60);

impl Speed {
    /// A constant pressure difference.
    pub(super) fn constant(
        &mut self,
        settings: &CirculationSettings,
        setpoint: Pascals,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Wish {
        let measured = readings.own.differential_pressure.fresh();
        self.hold_pressure(settings, setpoint, measured, SpeedReason::DifferentialPressure, dt)
    }

    /// dp* = low + (design − low) · (G/Gd)ᵃ. It saves where users' valves make the flow; in a network of fixed resistance
    /// the only point where both curves meet is the design flow.
    pub(super) fn proportional(
        &mut self,
        settings: &CirculationSettings,
        (low, design): (Pascals, Pascals),
        design_flow: CubicMetersPerSecond,
        exponent: f64,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Wish {
        // Without a flow the design difference is safe, and the share that stays is the last one's.
        let flow = readings.own.secondary_flow.fresh().or_else(|| self.estimated_flow());
        let target = flow.map_or(Ratio::ONE, |flow| Ratio(flow / design_flow)).clamp(Ratio::ZERO, Ratio::ONE);
        let before = self.share.unwrap_or(target);
        let share = before + (target - before) * (1.0 - (-seconds(dt) / SHARE_SECONDS).exp());
        self.share = Some(share);
        let setpoint = low + (design - low) * share.0.powf(exponent);
        let measured = readings.own.differential_pressure.fresh();
        self.hold_pressure(settings, setpoint, measured, SpeedReason::ProportionalPressure, dt)
    }

    /// The worst-placed building moves the setpoint here; where nothing is measured here, the speed itself.
    pub(super) fn worst_point(
        &mut self,
        settings: &CirculationSettings,
        mode: &WorstPoint,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Wish {
        let worst = worst(readings);
        if !readings.own.differential_pressure.is_configured() {
            return self.hold_pressure(settings, mode.setpoint, worst, SpeedReason::WorstPoint, dt);
        }
        let before = self.setpoint.unwrap_or(mode.high).clamp(mode.low, mode.high);
        let mut reason = SpeedReason::WorstPoint;
        let setpoint = if let Some(worst) = worst {
            self.remote_lost = Duration::ZERO;
            let by = (mode.setpoint - worst) * (seconds(dt) / seconds(mode.reset_time)).min(1.0);
            // At its end the speed has nothing more to give, and the setpoint does not run away from it.
            let stuck =
                (by.0 > 0.0 && self.now >= settings.speed_max) || (by.0 < 0.0 && self.now <= settings.speed_min);
            if stuck { before } else { before + by }
        } else {
            self.remote_lost = self.remote_lost.saturating_add(dt);
            if self.remote_lost > HOLD + settings.estimate_for {
                reason = SpeedReason::WorstPointLost;
                mode.high
            } else {
                before
            }
        };
        let setpoint = setpoint.clamp(mode.low, mode.high);
        self.hold_pressure(settings, setpoint, readings.own.differential_pressure.fresh(), reason, dt)
    }

    /// Down a step at a time; up when more ask than are ignored.
    pub(super) fn trim_respond(
        &mut self,
        settings: &CirculationSettings,
        mode: &TrimRespond,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
    ) -> Wish {
        let mut setpoint = self.setpoint.unwrap_or(mode.high);
        self.round = self.round.saturating_add(dt);
        if self.round >= mode.every {
            self.round = Duration::ZERO;
            self.far = Far::listen(&mode.far, &readings.buildings, asked.rooms);
            let worst = worst(readings);
            let low_point = worst.zip(mode.worst_point).is_some_and(|(worst, least)| worst < least);
            let asking = self.far.beyond(&mode.far).max(usize::from(low_point));
            let nobody = self.far.heard == 0 && asked.rooms.is_none() && worst.is_none();
            setpoint = if nobody {
                // Who hears nobody does not know that nobody asks.
                setpoint + mode.respond
            } else {
                let respond = (mode.respond * asking as f64).min(mode.respond_max);
                setpoint - mode.trim + respond
            };
        }
        let setpoint = setpoint.clamp(mode.low, mode.high);
        let measured = readings.own.differential_pressure.fresh();
        self.hold_pressure(settings, setpoint, measured, SpeedReason::TrimRespond, dt)
    }

    /// A constant supply pressure.
    pub(super) fn supply_pressure(
        &mut self,
        settings: &CirculationSettings,
        setpoint: Pascals,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Wish {
        let measured = readings.own.supply_pressure.fresh();
        self.hold_pressure(settings, setpoint, measured, SpeedReason::SupplyPressure, dt)
    }

    fn hold_pressure(
        &mut self,
        settings: &CirculationSettings,
        setpoint: Pascals,
        measured: Option<Pascals>,
        reason: SpeedReason,
        dt: Duration,
    ) -> Wish {
        self.setpoint = Some(setpoint);
        let (Some(measured), Some(gains)) = (measured, gains_of(settings)) else {
            return self.without(settings, self.speed_for(setpoint), dt);
        };
        self.found();
        self.learn_pressure(measured, dt);
        let speed = self.pi.advance(&gains, (setpoint - measured).0, Some(self.now.0), seconds(dt));
        (Ratio(speed), reason)
    }

    /// Listens to far buildings once a minute.
    pub(super) fn listen(
        &mut self,
        far: &crate::settings::FarSettings,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
    ) -> Far {
        self.far_age = self.far_age.saturating_add(dt);
        if self.far_age >= LISTEN_EVERY {
            self.far_age = Duration::ZERO;
            self.far = Far::listen(far, &readings.buildings, asked.rooms);
        }
        self.far
    }
}

/// The lowest pressure difference that any building shows.
fn worst(readings: &CircuitReadings) -> Option<Pascals> {
    let of_buildings = readings.buildings.iter().filter_map(|building| building.differential_pressure.fresh());
    of_buildings.chain(readings.own.worst_differential_pressure.fresh()).reduce(Pascals::min)
}
