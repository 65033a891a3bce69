//! What surrounds a circuit in one step: the time, the weather, what the plant says, and how the program fares.

use std::time::Duration;

use heatstation_points::{CircuitIndex, CircuitReadings, StationReadings};

use crate::equivalent_outdoor::Sky;
use crate::heating_limit::Owed;
use crate::moment::{Moment, UtcMillis};
use crate::outdoor::Outdoor;

/// How the program itself fares: conditions that become alarms but never outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one condition of one alarm")]
pub struct Health {
    /// A wire is down or a device does not answer.
    pub device_silent: bool,
    /// A device's watchdog is not as it must be: nothing is written to that device.
    pub watchdog_unfit: bool,
    /// Somebody else writes what this program writes.
    pub foreign_write: bool,
    /// A command is not confirmed.
    pub output_unconfirmed: bool,
    /// Records reach the disk late.
    pub journal_late: bool,
    /// Records do not reach the disk.
    pub store_failing: bool,
    /// Cycles are late.
    pub cycles_late: bool,
    /// A changed configuration was refused.
    pub configuration_rejected: bool,
}

/// All that a circuit looks at.
pub(crate) struct Surroundings<'a> {
    pub(crate) index: CircuitIndex,
    pub(crate) now: Moment,
    pub(crate) outdoor: Outdoor,
    /// The weather beyond the thermometer.
    pub(crate) sky: Sky<'a>,
    /// Whether heat is due by the calendar.
    pub(crate) in_season: bool,
    /// The season's first moment.
    pub(crate) season_start: UtcMillis,
    /// Whether the station heats: the season, and the days around it.
    pub(crate) heats: bool,
    /// Whether heat is owed: a heating limit may close none of that.
    pub(crate) owed: Owed,
    pub(crate) station: &'a StationReadings,
    pub(crate) own: &'a CircuitReadings,
    pub(crate) dt: Duration,
}
