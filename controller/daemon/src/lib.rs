//! heatstation: the daemon. It does what `heatstation-core` decides: it keeps the records, serves the operator, and
//! talks to the world.

pub mod clock;
pub mod image;
pub mod field;
pub mod records;
pub mod telemetry;
pub mod cycle;
pub mod systemd;

pub mod snapshot;
pub mod store;
pub mod metrics;
pub mod web;

pub mod demo_door;
pub mod plant_of;
pub mod program;
pub mod simulation;
pub mod commands;
