//! heatstation: the daemon. It does what `heatstation-core` decides: it keeps the records, serves the operator, and
//! talks to the world.

pub mod clock;
pub mod cycle;
pub mod field;
pub mod forecasts;
pub mod foresight;
pub mod image;
pub mod records;
pub mod systemd;
pub mod telemetry;
pub mod urgency;

pub mod metrics;
pub mod opcua_server;
pub mod snapshot;
pub mod store;
pub mod web;

pub mod bench;
pub mod commands;
pub mod demo_door;
pub mod plant_of;
pub mod program;
pub mod scenario;
pub mod simulation;
