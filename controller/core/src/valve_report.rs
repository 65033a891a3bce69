//! All that is said of the primary valve and its loop beside the command and its reason.

use heatstation_points::{Kelvins, Ratio};
use serde::Serialize;

use crate::auto_tune::TuneReport;
use crate::gain_schedule::GainSource;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::valve_health::HealthReport;

/// What is said of the primary valve and its loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ValveReport {
    /// It is told to stand as far open as it may.
    pub open_wide: bool,
    /// What the configured gain is multiplied by: the plant's gain, what tuning has found, and the health of the valve.
    pub gain_factor: f64,
    /// What the supply answers to a full stroke here; none while nobody can tell.
    pub process_gain: Option<Kelvins>,
    /// Where that comes from.
    pub gain_source: GainSource,
    /// Wished travel below which the valve is left alone.
    pub dead_band: Ratio,
    /// What feed-forward has moved the valve by lately.
    pub fed_forward: Ratio,
    /// Transfer of the exchanger in service over that of its design figures.
    pub exchanger_transfer: Ratio,
    /// Where a three-point motor is reckoned to stand; none for a positioner.
    pub reckoned: Option<Ratio>,
    /// Whether the pulse lock keeps a three-point motor at its stop.
    pub motor_locked: bool,
    /// The health of valve and loop.
    pub health: HealthReport,
    /// Tuning by experiment.
    pub tuning: TuneReport,
}

impl ValveReport {
    /// What is said in this step.
    pub(crate) fn of(settings: &CircuitSettings, memory: &CircuitState) -> ValveReport {
        let (valve, supply_loop, settings) = (&settings.valve, &memory.supply_loop, &settings.supply_loop);
        let (health, tuning) = (&memory.valve_health, &memory.auto_tune);
        let schedule = supply_loop.schedule();
        let tuned = tuning.applied(settings, supply_loop.command);
        let tuned_by = tuned.gain_per_kelvin / settings.gain_per_kelvin;
        ValveReport {
            open_wide: supply_loop.open_wide(valve),
            gain_factor: supply_loop.gain_factor(&tuned) * tuned_by,
            process_gain: schedule.gain(),
            gain_source: schedule.source(),
            dead_band: supply_loop.dead_band(settings, valve),
            fed_forward: supply_loop.fed_forward(),
            exchanger_transfer: Ratio(supply_loop.exchanger().correction()),
            reckoned: supply_loop.actuator.reckoned(valve),
            motor_locked: supply_loop.actuator.is_locked(),
            health: health.report(&tuned),
            tuning: tuning.report(),
        }
    }
}
