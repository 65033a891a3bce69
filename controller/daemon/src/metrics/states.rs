//! Names of states that the core tells by their type alone.

use heatstation_core::report::{PumpReason, ValveReason};
use heatstation_core::request::Mode;

/// All names of [`valve_reason_name`].
pub(super) const VALVE_REASONS: [&str; 9] = [
    "no_demand",
    "starting",
    "control",
    "hold_sensor_lost",
    "safe_position",
    "hand",
    "interlock",
    "shutting_down",
    "local",
];

/// Why the valve is where it is. Which interlock it is, `heatstation_trip` says.
pub(crate) const fn valve_reason_name(reason: ValveReason) -> &'static str {
    match reason {
        ValveReason::NoDemand => "no_demand",
        ValveReason::Starting => "starting",
        ValveReason::Control => "control",
        ValveReason::HoldSensorLost => "hold_sensor_lost",
        ValveReason::SafePosition => "safe_position",
        ValveReason::Hand => "hand",
        ValveReason::Interlock(_) => "interlock",
        ValveReason::ShuttingDown => "shutting_down",
        ValveReason::Local => "local",
    }
}

/// All names of [`pump_reason_name`].
pub(super) const PUMP_REASONS: [&str; 9] =
    ["no_demand", "filling", "heating", "frost", "post_run", "hand", "interlock", "none_available", "local"];

/// Why the pumps do what they do.
pub(crate) const fn pump_reason_name(reason: PumpReason) -> &'static str {
    match reason {
        PumpReason::NoDemand => "no_demand",
        PumpReason::Filling => "filling",
        PumpReason::Heating => "heating",
        PumpReason::Frost => "frost",
        PumpReason::PostRun => "post_run",
        PumpReason::Hand => "hand",
        PumpReason::Interlock(_) => "interlock",
        PumpReason::NoneAvailable => "none_available",
        PumpReason::Local => "local",
    }
}

/// All names of [`mode_name`].
pub(crate) const MODES: [&str; 2] = ["automatic", "stopped"];

/// Run or stop, as asked.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Stopped => "stopped",
    }
}
