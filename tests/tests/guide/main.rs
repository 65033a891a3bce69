//! The guide is held to the program: each key and each test that the tables of functions name exists, each range is the one
//! that a file is held to, each key has a row, the tables of alarms, interlocks, stages, reasons and requests are the
//! program's own in both languages, and links lead somewhere.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod functions;
mod keys;
mod languages;
mod links;
mod ranges;
mod sources;
mod tables;
