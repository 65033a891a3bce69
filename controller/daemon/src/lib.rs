//! heatstation: the daemon. It does what `heatstation-core` decides: it keeps the records, serves the operator, and
//! talks to the world.

pub mod demo_door;
pub mod snapshot;
pub mod store;
