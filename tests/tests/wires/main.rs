//! The driver on lines that misbehave on purpose, of every kind and with every fault that the simulator knows.
//!
//! * [`identity`]: law 4, *every accepted sample is a true value of its own register*, by signatures in every register.
//! * [`bounds`]: what a fault may cost: whom, and for how long.
//! * [`weaknesses`]: what goes wrong again and again with the open pollers of this world does not go wrong here.
//! * [`plant`]: the same line as anybody has it, from the command line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod bounds;
mod identity;
mod naive;
mod plant;
mod weaknesses;
