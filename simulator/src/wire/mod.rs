//! A simulated line with devices on it, and everything that goes wrong on lines.
//!
//! * [`fault`]: the closed list of wire faults and their text form, as in `late 300ms, cut 10s, silent unit 3`.
//! * [`units`]: the devices behind the line: mirrors of the plant's PLC, or units whose registers hold signatures.
//! * [`server`]: the line itself, over TCP, TLS, a serial port, or dialled out from behind a router.
//! * [`identity`]: self-made certificates.
//!
//! # Why a slave of its own, byte by byte
//! Faults are put on bytes: a frame is cut short, sent twice, sent late to whoever connects next. A library that hides its
//! frames cannot do that. And what is tested against this line shall not share a framing mistake with it, so nothing here
//! is taken from the library or the crate that the controller's drivers are made of.

pub mod fault;
pub mod identity;
pub mod server;
pub mod units;

mod frame;
mod mischief;

pub use fault::{WireFault, WireFaults};
pub use frame::Framing;
pub use mischief::Played;
pub use server::{Door, LineServer, LineSettings, Parity};
pub use units::{Units, bit_signature, signature};
