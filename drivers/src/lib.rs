//! Wires: the values of a station's points out of the registers of its devices, and its commands into them.
//!
//! * [`settings`]: what a wire, a device and a register are; plain data that the configuration makes.
//! * [`encoding`]: how the words of a device are meant.
//! * [`problem`]: everything that can be wrong with settings, told at once.
//! * [`decode`]: words to values and back.
//! * [`plan`]: which requests read all registers.

pub mod decode;
pub mod encoding;
pub mod plan;
pub mod problem;
pub mod settings;
#[cfg(test)]
mod testing;

pub use problem::SettingsProblem;
