//! What people and dispatch may ask, each with an author, a reason and an expiry.
//!
//! A request is a wish. It is bounded where it is used, it ends by itself, and it cannot be made to reach a device other
//! than through the step.

use std::time::Duration;

use heatstation_points::{BuildingIndex, CircuitIndex, Kelvins, PumpIndex, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::alarm::AlarmKey;
use crate::authority::Device;
use crate::auto_tune::TuneOrder;
use crate::correction::Correction;
use crate::load_shed::{ShedBy, Urgency};
use crate::outage::{Cause, OutageId};

/// Where a wish comes from, from the most to the least local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A person at the station's page.
    Operator,
    /// A program with a token.
    Service,
    /// The dispatch centre.
    Dispatch,
}

impl Origin {
    /// All of them, from the most to the least local.
    pub const ALL: [Origin; 3] = [Origin::Operator, Origin::Service, Origin::Dispatch];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Operator => "operator",
            Origin::Service => "service",
            Origin::Dispatch => "dispatch",
        }
    }
}

/// What a circuit is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Heat in season, lie by outside of it.
    #[default]
    Automatic,
    /// Shut down in order and lie by; pressure holding and frost protection go on.
    Stopped,
}

/// An output that a person may take in hand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// The primary valve at a position.
    Valve(Ratio),
    /// All duty pumps at a speed.
    CirculationSpeed(Ratio),
    /// One pump kept out of duty.
    PumpOut(PumpIndex),
    /// Make-up: on tops up to the setpoint now, off keeps it from starting.
    MakeUp(Switch),
    /// One make-up pump kept out of duty.
    MakeUpPumpOut(PumpIndex),
    /// The relief valve.
    ReliefValve(Switch),
    /// The make-up tank's inlet.
    TankInlet(Switch),
    /// A building's valve at a position.
    BuildingValve(BuildingIndex, Ratio),
}

/// A wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Run or stop a circuit. Stands until the next such wish.
    SetMode {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Run or stop.
        mode: Mode,
    },
    /// Shift the supply setpoint for a time, inside the envelope.
    ShiftSupply {
        /// Which circuit.
        circuit: CircuitIndex,
        /// By how much.
        by: Kelvins,
        /// For how long.
        lasts: Duration,
    },
    /// Correct the curve. An operator's may stand; one from elsewhere ends. Correcting nothing takes the last one back.
    CorrectCurve {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Level, slope, wanted room temperature.
        correction: Correction,
        /// For how long; none until it is taken back.
        lasts: Option<Duration>,
    },
    /// Take less heat for a time, under the comfort guard. Nothing, or for no time, withdraws it.
    ShedLoad {
        /// Which circuit.
        circuit: CircuitIndex,
        /// How much.
        by: ShedBy,
        /// How much depends on it.
        urgency: Urgency,
        /// For how long.
        lasts: Duration,
    },
    /// Take an output in hand for a time; interlocks and frost protection still hold.
    TakeInHand {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which output, and what it shall be.
        hand: Hand,
        /// For how long.
        lasts: Duration,
    },
    /// Work on a device for a time: it is not started, by nobody and for nothing. No time at all ends it.
    TakeForMaintenance {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which device.
        device: Device,
        /// For how long.
        lasts: Duration,
    },
    /// Give all outputs of a circuit back to automatic. Only people at the station may: they took them.
    ReturnToAutomatic {
        /// Which circuit.
        circuit: CircuitIndex,
    },
    /// Find the gains of a circuit's supply loop by experiment, or do something about what was found.
    AutoTune {
        /// Which circuit.
        circuit: CircuitIndex,
        /// What to do.
        order: TuneOrder,
    },
    /// Reset latched trips of a circuit.
    ResetTrips {
        /// Which circuit.
        circuit: CircuitIndex,
    },
    /// Let the next start of a circuit prove its pressure and vent, as after a summer: after work on the plant.
    StartSeason {
        /// Which circuit.
        circuit: CircuitIndex,
    },
    /// A sign of life from a dispatch centre or a program: what it asked earlier stands on.
    StayConnected,
    /// Acknowledge an alarm.
    Acknowledge {
        /// Which alarm.
        alarm: AlarmKey,
    },
    /// Confirm the cause of an outage.
    ConfirmCause {
        /// Which outage.
        outage: OutageId,
        /// The cause.
        cause: Cause,
    },
}

/// A wish with its author.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Where it comes from.
    pub origin: Origin,
    /// Who asks.
    pub author: String,
    /// Why.
    pub reason: String,
    /// What is asked.
    pub wish: Wish,
}

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The station has no such circuit, pump, alarm or outage.
    NoSuchThing,
    /// A number is not finite or outside its range.
    OutOfRange,
    /// It would live longer than the envelope allows.
    TooLong,
    /// More than six wishes came from there in one minute.
    TooOften,
    /// The cause of the trip still holds.
    StillTripped,
    /// Only people at the station may ask this.
    NotFromThere,
    /// Somebody works on the device.
    InMaintenance,
    /// The station takes no part in this.
    SwitchedOff,
    /// The coldest rooms are too cold for it.
    RoomsCold,
    /// What may be asked in a day has been used.
    QuotaUsed,
}
