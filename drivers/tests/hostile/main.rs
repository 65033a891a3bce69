//! A server that lies, stalls and stammers, over real sockets and serial ports: nothing it does may panic the driver or
//! pass one value for another.
//!
//! Every register holds a signature made of its unit, table and address, so a single value that got into the wrong place
//! is seen. The server draws its tricks from a seed; the seed is printed when a law is broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

#[path = "../common/mod.rs"]
mod common;
mod lines;
mod peer;
mod rtu;
mod tcp;
mod tls;
mod tricks;
mod values;
