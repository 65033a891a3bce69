//! Starting and stopping in order.
//!
//! ```text
//!               wanted              pressure           proven             settled
//!  [ Stopped ] -------> [ Filling ] -------> [ Pumps ] ------> [ Settling ] -----> [ Heating ]
//!       ^                    ^                  ^  ^                 |  lost            |
//!       |                    |                  |  |_________________|                  |
//!       |                    |                  |____________ circulation lost for long |
//!       |                    |____________________________ pumps stopped by interlock __|
//!       |
//!       |   post-run over                      not wanted any more
//!       `----------------- [ ShuttingDown ] <------------------------ from any stage
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::timer::Held;

/// Where a circuit's sequence stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Lying by: pressure holding and frost protection go on.
    #[default]
    Stopped,
    /// Waiting for pressure.
    Filling,
    /// Starting the circulation pumps, valve closed.
    StartingPumps,
    /// Circulation is proven; the water mixes before the first temperature is believed.
    Settling,
    /// Heating.
    Heating,
    /// Valve closed, circulation runs on.
    ShuttingDown,
}

impl Stage {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Stopped => "stopped",
            Stage::Filling => "filling",
            Stage::StartingPumps => "starting_pumps",
            Stage::Settling => "settling",
            Stage::Heating => "heating",
            Stage::ShuttingDown => "shutting_down",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Stage::Stopped => ("停运", "stopped"),
            Stage::Filling => ("充水升压", "waiting for pressure"),
            Stage::StartingPumps => ("启泵", "starting pumps"),
            Stage::Settling => ("循环稳定", "settling"),
            Stage::Heating => ("供热", "heating"),
            Stage::ShuttingDown => ("停运中", "shutting down"),
        }
    }

    /// Whether circulation is wanted in this stage.
    pub const fn wants_circulation(self) -> bool {
        matches!(self, Stage::StartingPumps | Stage::Settling | Stage::Heating | Stage::ShuttingDown)
    }
}

/// Water mixes for a minute before the first supply temperature is believed (rwchcd: 60 s).
const SETTLE: Duration = Duration::from_secs(60);
/// Circulation may be away this long (a pump change) before the start begins anew.
const LOST: Duration = Duration::from_secs(60);
/// Circulation after the valve closed (Danfoss ECL: 3 min).
const POST_RUN: Duration = Duration::from_secs(180);

/// What the sequence looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one arrow's condition in the drawing above")]
pub struct Situation {
    /// Whether heat is wanted.
    pub wanted: bool,
    /// Whether an interlock stops the pumps.
    pub pumps_barred: bool,
    /// Whether the pressure suffices for circulation, as far as anybody can tell.
    pub pressure_ready: bool,
    /// Whether circulation is proven.
    pub circulating: bool,
}

/// The sequence of one circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Where it stands.
    pub stage: Stage,
    held: Held,
}

impl Sequence {
    /// A circuit that was found in some stage at the start of the program goes on from there.
    pub fn found_at(stage: Stage) -> Sequence {
        Sequence { stage, held: Held::default() }
    }

    /// One step.
    #[allow(clippy::match_same_arms, reason = "one line an arrow, in the order of the drawing")]
    pub fn advance(&mut self, seen: Situation, dt: Duration) {
        use Stage::{Filling, Heating, Settling, ShuttingDown, StartingPumps, Stopped};
        let Situation { wanted, pumps_barred, pressure_ready, circulating } = seen;
        let next = match self.stage {
            Stopped if wanted => Filling,
            Stopped => Stopped,
            ShuttingDown if wanted => Filling,
            ShuttingDown if pumps_barred || self.held.for_at_least(POST_RUN, true, dt) => Stopped,
            ShuttingDown => ShuttingDown,
            Filling if !wanted => Stopped,
            StartingPumps | Settling | Heating if !wanted => ShuttingDown,
            Filling if !pumps_barred && pressure_ready => StartingPumps,
            Filling => Filling,
            StartingPumps | Settling | Heating if pumps_barred => Filling,
            StartingPumps if circulating => Settling,
            StartingPumps => StartingPumps,
            Settling if !circulating => StartingPumps,
            Settling if self.held.for_at_least(SETTLE, true, dt) => Heating,
            Settling => Settling,
            Heating if self.held.for_at_least(LOST, !circulating, dt) => StartingPumps,
            Heating => Heating,
        };
        if next != self.stage {
            *self = Sequence { stage: next, held: Held::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: Situation = Situation { wanted: true, pumps_barred: false, pressure_ready: true, circulating: true };

    fn after(sequence: &mut Sequence, seen: Situation, seconds: u32) -> Stage {
        for _ in 0..seconds {
            sequence.advance(seen, Duration::from_secs(1));
        }
        sequence.stage
    }

    #[test]
    fn a_cold_start_waits_for_pressure_then_for_flow_then_for_mixing() {
        let mut sequence = Sequence::default();
        let empty = Situation { pressure_ready: false, circulating: false, ..READY };
        assert_eq!(after(&mut sequence, empty, 600), Stage::Filling);
        assert_eq!(after(&mut sequence, Situation { circulating: false, ..READY }, 10), Stage::StartingPumps);
        assert_eq!(after(&mut sequence, READY, 30), Stage::Settling);
        assert_eq!(after(&mut sequence, READY, 61), Stage::Heating);
    }

    #[test]
    fn a_pump_change_does_not_begin_the_start_anew_and_a_long_loss_does() {
        let mut sequence = Sequence::found_at(Stage::Heating);
        let lost = Situation { circulating: false, ..READY };
        assert_eq!(after(&mut sequence, lost, 20), Stage::Heating);
        assert_eq!(after(&mut sequence, READY, 5), Stage::Heating);
        assert_eq!(after(&mut sequence, lost, 61), Stage::StartingPumps);
    }

    #[test]
    fn a_stop_circulates_on_and_then_rests() {
        let mut sequence = Sequence::found_at(Stage::Heating);
        let stop = Situation { wanted: false, ..READY };
        assert_eq!(after(&mut sequence, stop, 100), Stage::ShuttingDown);
        assert_eq!(after(&mut sequence, stop, 100), Stage::Stopped);
    }

    #[test]
    fn barred_pumps_send_the_start_back_to_filling() {
        let mut sequence = Sequence::found_at(Stage::Heating);
        assert_eq!(after(&mut sequence, Situation { pumps_barred: true, ..READY }, 1), Stage::Filling);
    }
}
