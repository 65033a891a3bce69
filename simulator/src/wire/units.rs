//! The devices behind a line: which units answer, and what from.
//!
//! A unit is a mirror of the plant's PLC, or it holds *signatures*: every register holds a number made of its unit, its table
//! and its address, another one for each address. So one value that got into a wrong place is seen at once, whatever way it
//! took. What is written to such a unit stands there until it is written again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::frame::{Ask, Question};
use crate::image::{Refusal, SharedPlant};
use crate::timetable::Link;

/// The register of every signature unit that holds no signature but a clock: hundredths of a second since the units were
/// made, modulo 65 536. By it an old answer is told from a new one to the same question.
pub const CLOCK: u16 = 65_535;

pub(super) const ILLEGAL_FUNCTION: u8 = 1;
pub(super) const ILLEGAL_ADDRESS: u8 = 2;
pub(super) const ILLEGAL_VALUE: u8 = 3;
pub(super) const DEVICE_FAILURE: u8 = 4;
pub(super) const BUSY: u8 = 6;
const NOBODY_THERE: u8 = 11;

/// What the register of that unit, read by that function, holds for ever.
///
/// The multiplier is odd, so it is another number for each address of a table.
pub fn signature(unit: u8, function: u8, address: u16) -> u16 {
    address.wrapping_mul(40_503) ^ u16::from(unit).wrapping_mul(257) ^ u16::from(function) << 13
}

/// What the coil or discrete input of that unit holds for ever, 0 or 1.
pub fn bit_signature(unit: u8, function: u8, address: u16) -> u16 {
    (signature(unit, function, address) >> 7) & 1
}

/// Who answers for a unit that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The gateway, with exception 11.
    Gateway,
    /// Nobody, as on a bus.
    Nobody,
}

/// The devices behind a line.
#[derive(Debug)]
pub struct Units {
    units: BTreeMap<u8, Unit>,
    began: Instant,
}

#[derive(Debug)]
enum Unit {
    Mirror(SharedPlant),
    /// What was written, by the function that reads it and the address.
    Signatures(Mutex<HashMap<(u8, u16), u16>>),
}

impl Units {
    /// Units 1 to `count`, each of them the PLC of this plant.
    pub fn mirrors(shared: &SharedPlant, count: u8) -> Units {
        Units::made(count, |_| Unit::Mirror(shared.clone()))
    }

    /// Units 1 to `count` with a signature in every register.
    pub fn signatures(count: u8) -> Units {
        Units::made(count, |_| Unit::Signatures(Mutex::default()))
    }

    fn made(count: u8, unit: impl Fn(u8) -> Unit) -> Units {
        Units { units: (1..=count).map(|number| (number, unit(number))).collect(), began: Instant::now() }
    }

    /// Of how many devices there are.
    pub fn count(&self) -> usize {
        self.units.len()
    }

    /// What a signature unit was last told to hold there; none if nobody has written it.
    pub fn written(&self, unit: u8, function: u8, address: u16) -> Option<u16> {
        match self.units.get(&unit)? {
            Unit::Signatures(written) => lock(written).get(&(function, address)).copied(),
            Unit::Mirror(_) => None,
        }
    }

    /// Since when [`CLOCK`] counts.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Another unit than this one, if there is one.
    pub(super) fn neighbour(&self, unit: u8) -> Option<u8> {
        let next = self.units.range(unit.saturating_add(1)..).next().or_else(|| self.units.iter().next());
        next.map(|(number, _)| *number).filter(|number| *number != unit)
    }

    /// The answer's protocol data; none if nobody answers.
    pub(super) fn answer(&self, unit: u8, question: &Question, absent: Absent) -> Option<Vec<u8>> {
        if unit == 0 && absent == Absent::Nobody {
            // A broadcast: all do it, and none answers.
            for (number, device) in &self.units {
                let _ = device.answer(*number, question, self.began);
            }
            return None;
        }
        match (self.units.get(&unit), absent) {
            (Some(device), _) => device.answer(unit, question, self.began),
            (None, Absent::Gateway) => {
                // The gateway is there, unless it is the very PLC that hangs.
                let hangs =
                    self.units.values().any(|unit| matches!(unit, Unit::Mirror(plc) if plc.link() == Link::Silent));
                (!hangs).then(|| question.refusal(NOBODY_THERE))
            }
            (None, Absent::Nobody) => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Unit {
    fn answer(&self, unit: u8, question: &Question, began: Instant) -> Option<Vec<u8>> {
        let outcome = match self {
            Unit::Mirror(plc) => {
                if plc.link() == Link::Silent {
                    return None;
                }
                plc.heard();
                mirror(plc, question)
            }
            Unit::Signatures(written) => signatures(&mut lock(written), unit, question, began),
        };
        Some(outcome.unwrap_or_else(|code| question.refusal(code)))
    }
}

fn code_of(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Address => ILLEGAL_ADDRESS,
        Refusal::Value => ILLEGAL_VALUE,
    }
}

/// The PLC of the plant: holding registers and coils, as its manual has it.
fn mirror(plc: &SharedPlant, question: &Question) -> Result<Vec<u8>, u8> {
    match question.ask()? {
        Ask::Words { function: 3, address, count } => {
            plc.read(address, count).map(|words| question.words(&words)).map_err(code_of)
        }
        Ask::Bits { function: 1, address, count } => {
            plc.read_coils(address, count).map(|bits| question.bits(&bits)).map_err(code_of)
        }
        Ask::WriteWords { address, words } => plc.write(address, &words).map(|()| question.echo()).map_err(code_of),
        Ask::WriteBits { address, bits } => plc.write_coils(address, &bits).map(|()| question.echo()).map_err(code_of),
        Ask::Words { .. } | Ask::Bits { .. } | Ask::Mask { .. } => Err(ILLEGAL_FUNCTION),
    }
}

/// A unit of signatures: all four tables, all addresses.
fn signatures(
    written: &mut HashMap<(u8, u16), u16>,
    unit: u8,
    question: &Question,
    began: Instant,
) -> Result<Vec<u8>, u8> {
    let hundredths = (began.elapsed().as_millis() / 10) as u16;
    let held = |written: &HashMap<(u8, u16), u16>, function: u8, address: u16| {
        let holds = if function < 3 { bit_signature } else { signature };
        match written.get(&(function, address)) {
            Some(word) => *word,
            None if address == CLOCK && function >= 3 => hundredths,
            None => holds(unit, function, address),
        }
    };
    match question.ask()? {
        Ask::Words { function, address, count } => {
            let words = run(address, usize::from(count))?.map(|address| held(written, function, address));
            Ok(question.words(&words.collect::<Vec<_>>()))
        }
        Ask::Bits { function, address, count } => {
            let bits = run(address, usize::from(count))?.map(|address| held(written, function, address) != 0);
            Ok(question.bits(&bits.collect::<Vec<_>>()))
        }
        Ask::WriteWords { address, words } => {
            written.extend(run(address, words.len())?.zip(words).map(|(address, word)| ((3, address), word)));
            Ok(question.echo())
        }
        Ask::WriteBits { address, bits } => {
            written.extend(run(address, bits.len())?.zip(bits).map(|(address, on)| ((1, address), u16::from(on))));
            Ok(question.echo())
        }
        Ask::Mask { address, and, or } => {
            let word = held(written, 3, address);
            written.insert((3, address), (word & and) | (or & !and));
            Ok(question.echo())
        }
    }
}

/// These addresses, if they exist.
fn run(address: u16, count: usize) -> Result<std::ops::RangeInclusive<u16>, u8> {
    let last = usize::from(address) + count.max(1) - 1;
    u16::try_from(last).map(|last| address..=last).map_err(|_| ILLEGAL_ADDRESS)
}
