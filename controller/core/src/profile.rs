//! What a service standard asks of a station: data from `config/standards/*.toml`, every number with its clause.

use std::time::Duration;

use heatstation_points::Celsius;
use serde::{Deserialize, Serialize};

use crate::outage::Cause;

/// A number of a standard with the place where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause<T> {
    /// The number.
    pub value: T,
    /// The clause, as in `10.5.1, Table 1`; `default` where the document is silent.
    pub clause: String,
}

/// A service standard, as far as the station has to know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The short id, as in `zibo`.
    pub id: String,
    /// The document's title.
    pub title: String,
    /// The lowest room temperature of dwellings.
    pub dwelling_min: Clause<Celsius>,
    /// The share of rooms that must reach it, none where the document sets no target.
    pub room_pass_target: Option<Clause<Fraction>>,
    /// The operation accident rate.
    pub accident_rate: AccidentRateRule,
    /// Expected outages from this length on are announced to the users.
    pub notify_users_after: Option<Clause<Duration>>,
}

/// How the operation accident rate is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccidentRateRule {
    /// The clause of the formula.
    pub clause: String,
    /// The causes that count.
    pub counted: Vec<Cause>,
    /// The highest rate that meets the standard, none where the document defines the rate without a target.
    pub target: Option<Clause<Fraction>>,
}

/// An exact fraction, as in 2/1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    /// Above the bar.
    pub numerator: u64,
    /// Below the bar, never zero.
    pub denominator: u64,
}
