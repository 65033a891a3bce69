//! Stories of control and plant together, in virtual time: the commissioning protocol as a program.
//!
//! One binary, one module an area, because each integration test of its own links the whole program anew.

mod authority;
mod balance;
mod failsafe;
mod hours;
mod interlocks;
mod limits;
mod loops;
mod memory;
mod motors;
mod pressure;
mod pumps;
mod rooms;
mod scenarios;
mod sensors;
mod sequences;
mod valve_care;
mod weather;
