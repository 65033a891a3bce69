//! OPC UA: values that a server brings by itself, and set-points that are written and read back.
//!
//! * [`settings`]: what a server and its items are. [`node`]: how a node is named for good.
//! * [`pki`]: who is who, and who is trusted. `connect`: from an address to a session.
//! * `inbox`: where notifications land, and what shows that one is missing. `quality`: a status becomes a quality.
//! * `outputs`: a node as the place of an output. `task`: one server at work.
//! * [`browse`]: looking round, for commissioning.

pub mod browse;
mod connect;
mod inbox;
pub mod node;
mod outputs;
pub mod pki;
mod quality;
pub mod settings;
mod task;
#[cfg(test)]
mod testing;

pub use connect::CannotConnect;
pub use task::spawn;
