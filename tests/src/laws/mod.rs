//! The laws of the house as checkers that stand outside of the program.
//!
//! They look at what is written in the cabinet, at what the instruments show, at the plant's truth and at the faults that
//! were injected, every second. They call no control code and read no control state. The report is looked at where a law
//! is about what is shown and recorded (6 and 8), and to see what was sent before the cabinet cut it to size (S2).
//!
//! | law | checker | bound |
//! |---|---|---|
//! | 1 over-temperature, no circulation: the valve closes | [`heat_stops`] | 5 s after an instrument shows it |
//! | 2 low pressure stops the pumps; make-up within limits (S6, S7, S8) | [`pressure_guards`] | configured delay + 3 s |
//! | 3 nothing is held for ever on a bad sensor (S9) | [`nothing_held`] | hold + substitute + one stroke |
//! | 6 wishes from outside are bounded, rate-limited and expire (S22, S23) | [`wishes`] | each second; heat floor after 1 h of frost |
//! | 8 every second is booked once, records are only added (D4, D5) | [`booked`] | each second; records to 10 s |
//! | S2 finite and in range, S3 slew | [`outputs`] | each second |
//!
//! # When the control can be held to them
//! A wire that is down carries neither readings nor commands, and after a start the plant is watched for up to 15 s before
//! anything is written ([`seen::GRACE`]). A selector in local forbids writing at all. Laws on outputs are judged outside
//! of these times; what happens within them is the cabinet's own doing, its watchdog's and its hardware's.

use std::fmt;

use heatstation_points::CircuitIndex;

pub mod booked;
pub mod campaign;
pub mod faults;
pub mod heat_stops;
pub mod nothing_held;
pub mod outputs;
pub mod pressure_guards;
pub mod seen;
pub mod trial;
pub mod twins;
pub mod wishes;

pub use campaign::{Failure, Summary, campaign, campaign_hearing};
pub use seen::Seen;

/// A law, by the number that the design gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Law 1.
    HeatStops,
    /// Law 2.
    PressureGuards,
    /// Law 3.
    NothingHeld,
    /// Law 6.
    WishesBounded,
    /// Law 8.
    EverySecondBooked,
    /// S2.
    FiniteAndInRange,
    /// S3.
    Slew,
}

impl Law {
    /// All of them, in the order of [`Judged`].
    pub const ALL: [Law; 7] = [
        Law::HeatStops,
        Law::PressureGuards,
        Law::NothingHeld,
        Law::WishesBounded,
        Law::EverySecondBooked,
        Law::FiniteAndInRange,
        Law::Slew,
    ];

    /// What the design calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Law::HeatStops => "law 1",
            Law::PressureGuards => "law 2",
            Law::NothingHeld => "law 3",
            Law::WishesBounded => "law 6",
            Law::EverySecondBooked => "law 8",
            Law::FiniteAndInRange => "S2",
            Law::Slew => "S3",
        }
    }
}

/// A law that did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which law.
    pub law: Law,
    /// In which circuit.
    pub circuit: CircuitIndex,
    /// In which second since the trial began.
    pub second: u64,
    /// What was seen, with its numbers.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, rest) = (self.second / 86_400, self.second % 86_400);
        write!(
            f,
            "{} in circuit {} at second {} (day {day}, {:02}:{:02}:{:02}): {}",
            self.law.name(),
            self.circuit.0,
            self.second,
            rest / 3600,
            rest / 60 % 60,
            rest % 60,
            self.what
        )
    }
}

impl std::error::Error for Violation {}

/// How many seconds each law actually demanded something, in the order of [`Law::ALL`]: a campaign in which a law never
/// asked for anything has shown nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged(pub [u64; Law::ALL.len()]);

impl Judged {
    /// Takes note that a law demanded something of a circuit in this second.
    pub fn note(&mut self, law: Law) {
        self.0[law as usize] += 1;
    }

    /// In how many circuit-seconds the law demanded something.
    pub fn of(&self, law: Law) -> u64 {
        self.0[law as usize]
    }
}

/// All checkers of one station.
#[derive(Debug)]
pub struct Laws {
    heat_stops: heat_stops::HeatStops,
    pressure_guards: pressure_guards::PressureGuards,
    nothing_held: nothing_held::NothingHeld,
    wishes: wishes::WishesBounded,
    booked: booked::EverySecondBooked,
    outputs: outputs::Outputs,
    judged: Judged,
}

impl Laws {
    /// Checkers for a station with this many circuits.
    pub fn new(circuits: usize) -> Laws {
        Laws {
            heat_stops: heat_stops::HeatStops::new(circuits),
            pressure_guards: pressure_guards::PressureGuards::new(circuits),
            nothing_held: nothing_held::NothingHeld::new(circuits),
            wishes: wishes::WishesBounded::new(circuits),
            booked: booked::EverySecondBooked::new(circuits),
            outputs: outputs::Outputs::new(circuits),
            judged: Judged::default(),
        }
    }

    /// Judges one second.
    ///
    /// # Errors
    /// The first law that does not hold.
    pub fn check(&mut self, seen: &Seen) -> Result<(), Violation> {
        let judged = &mut self.judged;
        self.outputs.check(seen, judged)?;
        self.heat_stops.check(seen, judged)?;
        self.pressure_guards.check(seen, judged)?;
        self.nothing_held.check(seen, judged)?;
        self.wishes.check(seen, judged)?;
        self.booked.check(seen, judged)
    }

    /// What the laws have demanded so far.
    pub fn judged(&self) -> Judged {
        self.judged
    }
}
