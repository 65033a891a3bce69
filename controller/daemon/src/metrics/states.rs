//! All states that a series can stand for, and the names of those that the core tells by their type alone.
//!
//! The names of the core's enums are matched without wildcard, so a new variant does not compile before it has one here;
//! a test holds the lists against them.

use heatstation_core::accident_rate::Status;
use heatstation_core::report::{PumpReason, ValveReason};
use heatstation_core::request::Mode;
use heatstation_core::supply_source::SupplySource;

/// All rungs of the supply ladder.
pub(super) const SUPPLY_SOURCES: [SupplySource; 4] =
    [SupplySource::Sensor, SupplySource::SecondSensor, SupplySource::HeatBalance, SupplySource::Lost];

/// All ways in which a rate can stand to its target.
pub(super) const STATUSES: [Status; 4] = [Status::Met, Status::NotMet, Status::ReportOnly, Status::Pending];

/// How a rate stands to its target.
pub(crate) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Met => "met",
        Status::NotMet => "not_met",
        Status::ReportOnly => "report_only",
        Status::Pending => "pending",
    }
}

/// All names of [`valve_reason_name`].
pub(super) const VALVE_REASONS: [&str; 16] = [
    "no_demand",
    "starting",
    "control",
    "creep_flow",
    "flushing",
    "hold_sensor_lost",
    "safe_position",
    "test",
    "auto_tune",
    "exercise",
    "hand",
    "maintenance",
    "interlock",
    "shutting_down",
    "given_up",
    "local",
];

/// Why the valve is where it is. Which interlock it is, `heatstation_trip` says.
pub(crate) const fn valve_reason_name(reason: ValveReason) -> &'static str {
    match reason {
        ValveReason::NoDemand => "no_demand",
        ValveReason::Starting => "starting",
        ValveReason::Control => "control",
        ValveReason::CreepFlow => "creep_flow",
        ValveReason::Flushing => "flushing",
        ValveReason::HoldSensorLost => "hold_sensor_lost",
        ValveReason::SafePosition => "safe_position",
        ValveReason::Test => "test",
        ValveReason::AutoTune => "auto_tune",
        ValveReason::Exercise => "exercise",
        ValveReason::Hand => "hand",
        ValveReason::Maintenance => "maintenance",
        ValveReason::Interlock(_) => "interlock",
        ValveReason::ShuttingDown => "shutting_down",
        ValveReason::GivenUp => "given_up",
        ValveReason::Local => "local",
    }
}

/// All names of [`pump_reason_name`].
pub(super) const PUMP_REASONS: [&str; 12] = [
    "no_demand",
    "filling",
    "venting",
    "heating",
    "frost",
    "post_run",
    "exercise",
    "hand",
    "interlock",
    "none_available",
    "given_up",
    "local",
];

/// Why the pumps do what they do.
pub(crate) const fn pump_reason_name(reason: PumpReason) -> &'static str {
    match reason {
        PumpReason::NoDemand => "no_demand",
        PumpReason::Filling => "filling",
        PumpReason::Venting => "venting",
        PumpReason::Heating => "heating",
        PumpReason::Frost => "frost",
        PumpReason::PostRun => "post_run",
        PumpReason::Exercise => "exercise",
        PumpReason::Hand => "hand",
        PumpReason::Interlock(_) => "interlock",
        PumpReason::NoneAvailable => "none_available",
        PumpReason::GivenUp => "given_up",
        PumpReason::Local => "local",
    }
}

/// All names of [`mode_name`].
pub(super) const MODES: [&str; 2] = ["automatic", "stopped"];

/// Run or stop, as asked.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Stopped => "stopped",
    }
}
