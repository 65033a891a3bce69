//! One output: from a wish to a value that was read back, without ever repeating a write blindly.
//!
//! ```text
//!             wish                 sent            echoed             read back as wished
//!  [ Idle ] ------> [ Requested ] ------> [ Sent ] ------> [ Accepted ] ------> [ Confirmed ]
//!                     ^   ^   |  refused     |                |  still otherwise   |      |
//!                     |   |   |-----------> [ Refused ]       `--> [ Mismatch ]    |      | somebody else wrote it,
//!                     |   |   | too old                                 |          |      | for the third time
//!                     |   |   `-----------> [ Expired ]                 |          |      v
//!                     |   | connection lost, state read first           |          |   [ Contested ]
//!                     |   `---------------------------------------------' written  |      | as wished for a minute;
//!                     |     again, 3 times, then at refresh                        |      | 10 minutes later; after
//!                     `------------------------------------------------------------'------' a local switch
//!  any state -- point inhibited --> [ Inhibited ]
//! ```
//!
//! A wish is a state, not a command: it is replaced whole each cycle, and what counts is the newest. A write goes out
//! when the device is known to hold something else, when the wish changed, or when the refresh is due; never when the
//! wish is older than [`WISH_AGE_MAX`]; and never before the device was asked what it holds, on each new connection and
//! after each write that got no answer.
//!
//! # Somebody else writes
//! What was confirmed is looked at every 5 s at the least, wherever it is verified. If it is found changed, that is told
//! and the wish is written again, twice; the third time the output is contested and left alone: two masters that
//! overwrite each other each second do more harm to a plant than either of them. A wish of [`Urgency::Safety`] is written
//! all the same.
//!
//! # What is urgent
//! A wish of [`Urgency::Safety`] waits neither for the minimum interval between writes, nor for the wear of a memory, nor
//! for a device's watchdog: what these protect from is worth less than a valve that closes.
//!
//! The machine (`output/machine.rs`) is pure: time comes in, an `Action` goes out, what became of it is told back. It knows no
//! register and no node, only a `Place`: how a wish is said there, what will then be held, and by which rules. What is
//! read there is told to it as a value.

use std::time::Duration;

use heatstation_points::{Point, Value};

use crate::bus::Refusal;
use crate::device_watchdog::Unfit;
use crate::settings::Memory;

mod machine;
mod register;
mod wear;

pub(crate) use machine::{Action, Output};
pub(crate) use register::RegisterPlace;
pub use wear::Wear;

/// Older wishes are not written: law 5, no command older than 10 s.
pub const WISH_AGE_MAX: Duration = Duration::from_secs(10);
/// After "busy".
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(250);

/// Everything that is wished of the outputs of a wire, replaced whole each cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DesiredOutputs {
    /// What each output shall be. An output that is not named is left alone.
    pub outputs: Vec<DesiredOutput>,
    /// Outputs that must not be written at all, because the device stands on local or hand.
    pub inhibited: Vec<Point>,
}

/// Why an output shall be what it shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// An interlock has decided it: it goes before everything else.
    Safety,
    /// Anything else.
    #[default]
    Control,
}

/// What one output shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DesiredOutput {
    /// Which output.
    pub point: Point,
    /// Its value, in the unit of the point.
    pub value: Value,
    /// When it was decided, on the clock of the wire. It is not written more than [`WISH_AGE_MAX`] later.
    pub decided_at: Duration,
    /// Why.
    pub urgency: Urgency,
}

/// How far an output has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OutputState {
    /// Nothing is wished.
    #[default]
    Idle,
    /// Wished and not yet sent, or not yet verified on this connection.
    Requested,
    /// Sent, and no answer came: nobody knows whether it was done.
    Sent,
    /// The device took it.
    Accepted,
    /// The device holds it: read back.
    Confirmed,
    /// The device holds something else, although it took it.
    Mismatch,
    /// Somebody else keeps writing it: it is left alone.
    Contested,
    /// It cannot be written; see [`OutputStatus::obstacle`].
    Refused,
    /// The wish is too old to be written.
    Expired,
    /// The device stands on local or hand: no writes.
    Inhibited,
}

impl OutputState {
    /// All states, in the order of a wish's life.
    pub const ALL: [OutputState; 10] = [
        OutputState::Idle,
        OutputState::Requested,
        OutputState::Sent,
        OutputState::Accepted,
        OutputState::Confirmed,
        OutputState::Mismatch,
        OutputState::Contested,
        OutputState::Refused,
        OutputState::Expired,
        OutputState::Inhibited,
    ];

    /// The state as metrics and JSON spell it.
    pub const fn name(self) -> &'static str {
        match self {
            OutputState::Idle => "idle",
            OutputState::Requested => "requested",
            OutputState::Sent => "sent",
            OutputState::Accepted => "accepted",
            OutputState::Confirmed => "confirmed",
            OutputState::Mismatch => "mismatch",
            OutputState::Contested => "contested",
            OutputState::Refused => "refused",
            OutputState::Expired => "expired",
            OutputState::Inhibited => "inhibited",
        }
    }
}

/// Why an output does not get where it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The device refuses the write.
    Device(Refusal),
    /// The value cannot be said in the register's encoding.
    Encoding(String),
    /// The register's memory has no more writes to spend.
    WearBudgetSpent,
    /// Something else keeps writing it.
    Contested,
    /// It takes what is written and then holds something else.
    NotKept,
    /// The device's watchdog would not notice if this computer died.
    Watchdog(Unfit),
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Obstacle::Device(refusal) => write!(f, "the device refuses it: {refusal}"),
            Obstacle::Encoding(why) => f.write_str(why),
            Obstacle::WearBudgetSpent => f.write_str("the writes that its memory may take are spent"),
            Obstacle::Contested => f.write_str("somebody else keeps writing it"),
            Obstacle::NotKept => f.write_str("the device takes it and then holds something else"),
            Obstacle::Watchdog(unfit) => unfit.fmt(f),
        }
    }
}

impl OutputStatus {
    /// An output of which nothing is wished and nothing known.
    pub fn idle(point: Point) -> OutputStatus {
        OutputStatus {
            point,
            state: OutputState::Idle,
            desired: None,
            read_back: None,
            written_at: None,
            writes_total: 0,
            entered_total: [0; OutputState::ALL.len()],
            disturbances_total: 0,
            disturbed_at: None,
            wear: None,
            obstacle: None,
        }
    }
}

/// What became of one output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputStatus {
    /// Which output.
    pub point: Point,
    /// How far it has come.
    pub state: OutputState,
    /// What is wished.
    pub desired: Option<Value>,
    /// What the device held when it was last asked on this connection.
    pub read_back: Option<Value>,
    /// When it was last written.
    pub written_at: Option<Duration>,
    /// How often it was written.
    pub writes_total: u64,
    /// How often each state was entered, in the order of [`OutputState::ALL`].
    pub entered_total: [u64; OutputState::ALL.len()],
    /// How often a confirmed value was found changed by somebody else.
    pub disturbances_total: u64,
    /// When that was last found.
    pub disturbed_at: Option<Duration>,
    /// What its memory may still take, if it wears out.
    pub wear: Option<Wear>,
    /// What stands in the way.
    pub obstacle: Option<Obstacle>,
}

/// Where an output is written, as far as the state machine has to know.
///
/// A register is one (`RegisterPlace`); what speaks of nodes or topics brings its own.
pub(crate) trait Place {
    /// What is sent: words, or whatever the line takes.
    type Said: Clone + std::fmt::Debug;

    /// Which output.
    fn point(&self) -> Point;

    /// By which rules.
    fn rules(&self) -> &OutputRules;

    /// How a wish is said, and what will be held once it is done: the wish as what is sent can say it.
    ///
    /// # Errors
    /// Why it cannot be said.
    fn say(&self, wish: Value) -> Result<(Self::Said, Value), String>;
}

/// By which rules an output is written, wherever that is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutputRules {
    /// At least this long between two writes of changed values.
    pub(crate) minimum_interval: Duration,
    /// Written again after this long even if nothing changed.
    pub(crate) refresh: Duration,
    /// How far apart wanted and read value may be.
    pub(crate) tolerance: f64,
    /// How it is verified.
    pub(crate) verified: Verified,
    /// How long what was written may take to show.
    pub(crate) settling: Duration,
    /// What a write wears out.
    pub(crate) memory: Memory,
}

/// How an output is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// Where it is read anyway, at its own pace.
    WithTheReads,
    /// Where nobody looks unless the output asks for it.
    Apart,
    /// Nowhere.
    Never,
}
