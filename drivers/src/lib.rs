//! Wires: the values of a station's points out of the registers of its devices, and its commands into them.
//!
//! * [`settings`]: what a wire, a device and a register are; plain data that the configuration makes.
//! * [`encoding`]: how the words of a device are meant.
//! * [`problem`]: everything that can be wrong with settings, told at once.
//! * [`decode`]: words to values and back.
//! * [`plan`]: which requests read all registers.
//! * [`transport`]: how a wire is reached, and what its bytes cost.
//! * [`schedule`]: who has the line next. [`breaker`]: whether a device is worth asking.
//! * [`bus`]: what every register wire can do. [`modbus`]: Modbus in all its forms.
//! * [`output`]: from a wish to a value that was read back.
//! * [`device_watchdog`]: what the device does when we die, looked at before it is written.
//! * [`messages`]: values that come by themselves; [`mqtt`]: from a broker.
//! * [`wire`]: one wire at work, and the handle to it.
//! * [`opcua`]: values from OPC UA servers, and who is trusted there.
//! * [`probe`]: asking once, for commissioning. [`scan`]: who is there at all.

pub mod breaker;
pub mod bus;
pub mod decode;
pub mod device_watchdog;
pub mod encoding;
pub mod messages;
pub mod modbus;
pub mod mqtt;
pub mod opcua;
pub mod output;
pub mod plan;
mod poller;
pub mod probe;
pub mod problem;
mod runner;
pub mod scan;
pub mod schedule;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod transport;
pub mod wire;

pub use bus::{Bus, BusError, Refusal};
pub use output::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus, Urgency, WISH_AGE_MAX};
pub use plan::{Link, ReadPlan, ReadRequest};
pub use problem::SettingsProblem;
pub use wire::{FailureCounts, WireHandle, WireStatistics, spawn, spawn_on};
