//! The control against the simulated plant in virtual time: a season in a minute.
//!
//! No sockets and no clock: the plant's instruments are read at each point's own pace, as a wire would, and the commands
//! go back to the plant. [`closed_loop`] turns the crank, [`figures`] and [`tracking`] judge by the plant's truth, never by
//! its sensors.

pub mod closed_loop;
pub mod figures;
pub mod service;
pub mod tracking;

pub use closed_loop::{ClosedLoop, Wire};
pub use figures::Figures;
