//! What the whole of heatstation is tried with: stations, and the laws that hold whatever breaks.
//!
//! [`stations`] builds stations by hand; [`laws`] watches one from outside while [`laws::campaign`] breaks it at random.
#![allow(clippy::missing_panics_doc, reason = "a helper of tests panics where a test would fail")]

pub mod browser;
pub mod failsafe;
pub mod laws;
pub mod program;
pub mod python;
pub mod stations;
pub mod steady;
pub mod story;
pub mod tracking;
pub mod wires;
