//! The OPC UA client against asyncua, a server that we did not write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cuts;
mod rig;
mod safety;
mod values;
