//! Stories of outputs and of failing devices, in virtual time on a bus without a socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

#[path = "../common/mod.rs"]
mod common;
mod failing;
mod foreign;
mod order;
mod quarantine;
mod watchdog;
mod world;
mod writing;

/// What every story needs.
mod prelude {
    pub use std::sync::Arc;
    pub use std::time::{Duration, Instant};

    pub use heatstation_drivers::breaker::BreakerState;
    pub use heatstation_drivers::bus::Refusal;
    pub use heatstation_drivers::device_watchdog::Unfit;
    pub use heatstation_drivers::encoding::{Encoding, Polarity};
    pub use heatstation_drivers::settings::{
        DeviceSettings, Memory, ReadBack, Register, Table, WatchdogRule, WriteFunction, WriteRules,
    };
    pub use heatstation_drivers::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, Urgency, spawn_on};
    pub use heatstation_points::Fault;
    pub use tokio::time::sleep;

    pub use crate::common::{START, VALVE, definition, device, value, valve, wire, word};
    pub use crate::world::{OnWrite, SECOND, Stage, TIMEOUT, WorldBus, gaps};
}
