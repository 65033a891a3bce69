//! Delays that count elapsed time in the state, so that a state means the same after a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a condition has held without a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Held(pub Duration);

impl Held {
    /// Counts on while `condition` holds, starts over when it does not; says whether it has held for `limit`.
    pub fn for_at_least(&mut self, limit: Duration, condition: bool, dt: Duration) -> bool {
        if condition {
            self.0 = self.0.saturating_add(dt);
            self.0 >= limit
        } else {
            self.0 = Duration::ZERO;
            false
        }
    }
}

/// Seconds as a number, for formulas.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
