//! Has it burst? Make-up runs, the pressure falls all the same, and both together are too much water.

use std::time::Duration;

use heatstation_points::Pascals;
use serde::{Deserialize, Serialize};

use super::Sight;
use crate::settings::LeakSettings;
use crate::timer::seconds;

/// Looked at in pieces of this length; two in a row make a burst.
const PIECE: Duration = Duration::from_secs(30);
const PIECES: u8 = 2;
/// Falling means by at least this in a piece.
const FALL: Pascals = Pascals(1_000.0);
/// Without a new sign for this long it is over, or nobody pumps into it any more.
const OVER_AFTER: Duration = Duration::from_secs(600);

/// What is remembered of the last pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Burst {
    /// The pressure at the piece's beginning.
    from: Option<Pascals>,
    lasted: Duration,
    made: f64,
    /// Make-up ran through the whole piece.
    worked: bool,
    pieces: u8,
    active: bool,
    quiet: Duration,
}

impl Burst {
    pub(super) fn active(&self) -> bool {
        self.active
    }

    pub(super) fn advance(&mut self, settings: &LeakSettings, compliance: f64, seen: &Sight, dt: Duration) {
        self.quiet = self.quiet.saturating_add(dt);
        let back = seen.pressure.is_some_and(|pressure| pressure >= seen.setpoint);
        if self.active && (back || self.quiet >= OVER_AFTER) {
            *self = Burst::default();
        }
        let Some(pressure) = seen.pressure else {
            self.from = None;
            return;
        };
        let Some(from) = self.from else {
            self.begin(pressure);
            return;
        };
        // A volume meter's pulses are too coarse for half a minute; without a flow only the falling pressure counts.
        self.made += seen.make_up_flow.map_or(0.0, |flow| flow.0 * seconds(dt));
        self.worked &= seen.making_up;
        self.lasted = self.lasted.saturating_add(dt);
        if self.lasted < PIECE {
            return;
        }
        let fallen = from - pressure;
        let lost = (self.made + compliance * fallen.0) / seconds(self.lasted);
        let sign = self.worked && !seen.relieving && fallen > FALL && pressure < seen.start && lost > settings.burst.0;
        self.pieces = if sign { (self.pieces + 1).min(PIECES) } else { 0 };
        if self.pieces >= PIECES {
            (self.active, self.quiet) = (true, Duration::ZERO);
        }
        self.begin(pressure);
    }

    fn begin(&mut self, pressure: Pascals) {
        (self.from, self.lasted, self.made, self.worked) = (Some(pressure), Duration::ZERO, 0.0, true);
    }
}
