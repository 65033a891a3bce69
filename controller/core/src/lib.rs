//! The core decides: [`step`](step::step) takes settings, state and inputs and returns the next state and a report.
//!
//! No clock, no input or output, no async, no failure: time is an argument, missing data is a value with kinds, and the
//! same arguments give the same result bit for bit. Read [`step`] first; it is the table of contents of the control.
//!
//! The rooms, in the order in which a decision passes them:
//! [`outdoor`] → [`season`] → [`equivalent_outdoor`] → [`heating_limit`] → [`heating_curve`] → [`room_sensors`] →
//! [`room_tail`] → [`room_trim`] → [`schedule`] → [`limits`] → [`band`] → [`supply_loop`] → [`circulation`] → [`make_up`] →
//! [`leak`] → [`balance`] → [`interlock`] (last word) → [`outage`] → [`alarm`].

pub mod area;
pub mod moment;
pub mod timer;

pub mod event;
pub mod profile;
pub mod report;
pub mod request;
pub mod settings;
pub mod sources;
pub mod state;
pub mod step;

pub mod accident_rate;
pub mod actuator;
pub mod alarm;
pub mod authority;
pub mod auto_tune;
pub mod balance;
pub mod band;
pub mod boost;
pub mod circulation;
pub mod correction;
pub mod creep;
pub mod equivalent_outdoor;
pub mod exchanger;
pub mod feed_forward;
pub mod forecast;
pub mod frost;
pub mod gain_schedule;
pub mod heating_curve;
pub mod heating_limit;
pub mod hunting;
pub mod interlock;
pub mod leak;
pub mod ledger;
pub mod limit_line;
pub mod limiter;
pub mod limits;
pub mod load_shed;
pub mod make_up;
pub mod meter_limit;
mod named;
pub mod optimum;
pub mod outage;
pub mod outage_book;
pub mod outdoor;
pub mod pi;
pub mod play_by_flow;
pub mod quota;
pub mod reason;
pub mod return_limit;
pub mod room_sensors;
pub mod room_tail;
pub mod room_trim;
pub mod schedule;
pub mod season;
pub mod sensor_watch;
pub mod sequence;
pub mod set_back;
pub mod setpoint;
pub mod stiction_test;
pub mod supply_loop;
pub mod supply_source;
pub mod times;
pub mod tuning_rules;
pub mod valve_characteristic;
pub mod valve_exercise;
pub mod valve_health;
pub mod valve_report;
pub mod window;

mod adopt;
mod alarms_of_step;
mod requests;
mod surroundings;

pub use forecast::Forecast;
pub use moment::Moment;
pub use report::Report;
pub use settings::Settings;
pub use state::State;
pub use step::{Inputs, step, step_reusing};
