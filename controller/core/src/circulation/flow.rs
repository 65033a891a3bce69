//! The modes that let the flow follow the load: by the temperature difference that comes of it, in stages, or smoothly.
//!
//! They are for networks without users' valves, where the same resistance stands all winter and the power of the pumps
//! goes with the cube of the flow: 0.51 at four fifths, 0.22 at three fifths. What less flow costs is the far buildings'
//! comfort, so those have a veto.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Kelvins, Ratio};

use super::Asked;
use super::speed::{Speed, SpeedReason, Wish, gains_of};
use crate::settings::{CirculationSettings, FlowLaw, StagedFlow, TemperatureDifference};
use crate::timer::seconds;

/// A difference of less than this share of the design's says nothing: the sensors differ by as much.
const SPREAD_LOAD_MIN: f64 = 0.2;
/// While somebody objects, the smooth law gives this much more an hour, and takes half of it back after.
const MORE_PER_HOUR: f64 = 0.05;
/// And in stages one stage more after each hour: a far building answers in half of one.
const OBJECTION: Duration = Duration::from_secs(3600);

impl Speed {
    /// Supply − return is held at the design's difference, or at its share by the load.
    pub(super) fn temperature_difference(
        &mut self,
        settings: &CirculationSettings,
        mode: &TemperatureDifference,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
    ) -> Wish {
        let load = mode.load.share(asked.outdoor);
        let wanted = mode.spread * load.0.max(SPREAD_LOAD_MIN).powf(mode.load_exponent);
        (self.load, self.spread) = (Some(load), Some(wanted));
        let own = &readings.own;
        let measured = own.supply_temperature.fresh().zip(own.return_temperature.fresh()).map(|(s, r)| s - r);
        let (Some(measured), Some(gains)) = (measured, gains_of(settings)) else {
            // There is no affinity between speed and temperatures: the last speed stands in.
            return self.without(settings, Some(self.now), dt);
        };
        self.found();
        let error: Kelvins = measured - wanted;
        let speed = self.pi.advance(&gains, error.0, Some(self.now.0), seconds(dt));
        (Ratio(speed), SpeedReason::TemperatureDifference)
    }

    /// The flow follows the load by the weather: φ in stages with hysteresis, or φ = q^(1/3).
    pub(super) fn staged_flow(
        &mut self,
        mode: &StagedFlow,
        readings: &CircuitReadings,
        asked: &Asked,
        dt: Duration,
    ) -> Wish {
        let load = mode.load.share(asked.outdoor);
        let objected = self.listen(&mode.far, readings, asked, dt).beyond(&mode.far) > 0;
        self.stage_for = self.stage_for.saturating_add(dt);
        let flow = match mode.law {
            FlowLaw::Stages { flows, loads, hysteresis } => {
                self.stage = self.next_stage(mode, loads, hysteresis, load, objected);
                flows[self.stage]
            }
            FlowLaw::CubeRoot => {
                let by = MORE_PER_HOUR * seconds(dt) / 3600.0 * if objected { 1.0 } else { -0.5 };
                self.more = (self.more + Ratio(by)).clamp(Ratio::ZERO, Ratio::ONE);
                (Ratio(load.0.cbrt()) + self.more).min(Ratio::ONE)
            }
        };
        (self.load, self.flow) = (Some(load), Some(flow));
        let reason = if objected { SpeedReason::StagedFlowObjected } else { SpeedReason::StagedFlow };
        (mode.full_speed * flow.0, reason)
    }

    /// More flow at once when the load asks, and an hour after somebody objects; less only after the present stage has
    /// stood for its time and while nobody does.
    fn next_stage(
        &mut self,
        mode: &StagedFlow,
        loads: [Ratio; 2],
        hysteresis: Ratio,
        load: Ratio,
        objected: bool,
    ) -> usize {
        let stage = self.stage.min(loads.len());
        let colder = stage > 0 && load > loads[stage - 1] + hysteresis;
        let objection = stage > 0 && objected && self.stage_for >= OBJECTION;
        let milder =
            stage < loads.len() && load < loads[stage] - hysteresis && self.stage_for >= mode.hold && !objected;
        let next = if colder || objection {
            stage - 1
        } else if milder {
            stage + 1
        } else {
            stage
        };
        if next != stage {
            self.stage_for = Duration::ZERO;
        }
        next
    }
}
