//! JSON Schemas for editors: completion and remarks while a file is typed.

use schemars::schema_for;
use serde_json::Value;

use crate::raw::{RawFile, RawTemplate};
use crate::scenario::RawScenario;
use crate::standard::Standard;

/// The schema of a station's file.
pub fn station() -> Value {
    schema_for!(RawFile).to_value()
}

/// The schema of a device template.
pub fn template() -> Value {
    schema_for!(RawTemplate).to_value()
}

/// The schema of a service standard.
pub fn standard() -> Value {
    schema_for!(Standard).to_value()
}

/// The schema of a scenario.
pub fn scenario() -> Value {
    schema_for!(RawScenario).to_value()
}
