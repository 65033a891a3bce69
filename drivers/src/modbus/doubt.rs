//! Which answers may still come on a line without transaction ids, and how that is found out.
//!
//! # The trouble
//! RTU says of an answer its unit, its function and its length, and nothing else. An answer that comes after its time-out
//! fits the next question of the same *look* as well as its own; a client that then goes on is one behind for ever, and
//! takes the value of one register for that of another (slowtec/tokio-modbus#324, grid-x/modbus#78, NModbus#88).
//!
//! # The rule
//! A unit that left a question unanswered is in doubt, with the look of every question that it may still answer. While it
//! is, it is asked only questions whose look is none of these; the first that is answered in full ends the doubt, because
//! a unit, and the gateway before it, answer in the order in which they were asked: what was still to come has come
//! before, and was seen not to fit. If the question that is wanted does not look different, a *canary* goes first: a read
//! of other registers of the same unit, of another number of them, or by another function, whose answer is thrown away.
//!
//! All refusals of a function look alike, so a refusal may be the one that the oldest question of its function still had
//! to come. It says of that one, and of all before it, that nothing more will come of them.
//!
//! Other units are not in doubt; their answers bear another number.
//!
//! # What stays unknown
//! * When every look that can be had is in doubt, only time helps: after [`Doubt::forgets_after`] without a question the
//!   unit is asked again as if nothing had been. The same holds for what an earlier run of this program left unanswered:
//!   there the silence after connecting is all there is.
//! * More than [`OWED_MAX`] answers are not believed to be on their way.
//! * Nothing helps against a line that changes the order of answers, or repeats one later than the silence between two
//!   questions; neither has been seen. Noise of the right unit, function and length passes the checksum once in 65 536.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::question::Question;
use crate::bus::Span;
use crate::problem::touches_forbidden;
use crate::settings::{DeviceSettings, Table, WireSettings};
use crate::transport::Transport;

/// A slave answers within seconds or never (Modbus over Serial Line V1.02, 2.4.1: "1 s to several s").
const FORGETS_OWN_LINE: Duration = Duration::from_secs(10);
/// A network between may hold bytes back: TCP sends again for minutes, the modem behind it has a queue of its own.
const FORGETS_NETWORK: Duration = Duration::from_secs(60);
/// Each was followed by a time-out and by a silence as long, so this many are 16 s at the usual times.
const OWED_MAX: usize = 16;
/// So many addresses beyond what was wanted a canary may read, if nothing else looks different.
const BEYOND_MAX: u16 = 4;

/// All that RTU tells of an answer besides its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    function: u8,
    length: usize,
}

impl Look {
    pub(super) fn of(question: &Question<'_>) -> Look {
        Look { function: question.function(), length: question.answer_length() }
    }
}

#[derive(Debug)]
struct Unanswered {
    /// In the order of the questions.
    looks: VecDeque<Look>,
    asked_at: Instant,
}

/// The units in doubt.
#[derive(Debug)]
pub(super) struct Doubt {
    units: HashMap<u8, Unanswered>,
    /// What may be read of each unit: what the configuration reads anyway, and the devices' limits for the rest.
    devices: Vec<DeviceSettings>,
    forgets_after: Duration,
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The question itself.
    Ask,
    /// This first.
    Canary(Span),
    /// Nothing yet.
    Wait,
}

impl Doubt {
    pub(super) fn about(wire: &WireSettings) -> Doubt {
        let forgets_after = match &wire.transport {
            Transport::ModbusRtu(_) => FORGETS_OWN_LINE,
            Transport::ModbusTcp(_)
            | Transport::ModbusRtuOverTcp { .. }
            | Transport::ModbusTls { .. }
            | Transport::Listen(_) => FORGETS_NETWORK,
        };
        let forgets_after = forgets_after.max(wire.timeout * 10);
        Doubt { units: HashMap::new(), devices: wire.devices.clone(), forgets_after }
    }

    /// What may be asked in place of this question.
    pub(super) fn leave(&mut self, question: &Question<'_>) -> Leave {
        let unit = question.unit();
        let Some(unanswered) = self.units.get(&unit) else { return Leave::Ask };
        let differs = |question: &Question<'_>| !unanswered.looks.contains(&Look::of(question));
        // A write is not what one tries a doubtful line with.
        if matches!(question, Question::Read(_)) && differs(question) {
            return Leave::Ask;
        }
        if let Some(canary) = self.canaries(question).find(|span| differs(&Question::Read(*span))) {
            return Leave::Canary(canary);
        }
        if self.forgets_after <= unanswered.asked_at.elapsed() {
            self.units.remove(&unit);
            return Leave::Ask;
        }
        Leave::Wait
    }

    /// Reads that could go before this question: of single registers that are read anyway, of a part of what is wanted, of
    /// a little more than it, of its first address by another function.
    fn canaries(&self, question: &Question<'_>) -> impl Iterator<Item = Span> {
        let unit = question.unit();
        let devices = move || self.devices.iter().filter(move |device| device.modbus_unit == unit);
        let known = devices().flat_map(move |device| {
            let polled = device.registers.iter().filter(|register| register.is_polled());
            polled.map(move |register| Span {
                unit,
                table: register.table,
                address: register.address,
                count: register.width(),
            })
        });
        let near = match question {
            Question::Read(span) => variations(*span),
            Question::Write(unit, write) => in_every_table(*unit, write.address()),
        };
        let is_allowed = move |span: &Span| {
            devices().all(|device| {
                let limits = &device.limits;
                let most = if span.table.holds_bits() { limits.max_bits } else { limits.max_registers };
                span.count <= most && !touches_forbidden(device, span.table, span.address, span.count)
            })
        };
        known.chain(near.into_iter().filter(is_allowed))
    }

    /// A question goes out; its answer may come at any time from now on.
    pub(super) fn asked(&mut self, question: &Question<'_>) {
        let look = Look::of(question);
        let asked_at = Instant::now();
        let unanswered =
            self.units.entry(question.unit()).or_insert_with(|| Unanswered { looks: VecDeque::new(), asked_at });
        unanswered.asked_at = asked_at;
        if unanswered.looks.len() == OWED_MAX {
            unanswered.looks.pop_front();
        }
        unanswered.looks.push_back(look);
    }

    /// Its answer came in full. It was asked with leave, so nothing else of its look was on its way.
    pub(super) fn answered(&mut self, question: &Question<'_>) {
        self.units.remove(&question.unit());
    }

    /// It was refused, or the oldest of the others of its function was.
    pub(super) fn refused(&mut self, question: &Question<'_>) {
        let Some(unanswered) = self.units.get_mut(&question.unit()) else { return };
        let oldest = unanswered.looks.iter().position(|look| look.function == question.function());
        unanswered.looks.drain(..=oldest.unwrap_or(0));
        if unanswered.looks.is_empty() {
            self.units.remove(&question.unit());
        }
    }
}

/// Parts of a run of addresses, longest first, because what can be read as a whole can be read in part; then a little
/// more than the run; then by the other functions, which a unit may well refuse, and that says as much. Bits come in
/// bytes, so that only every eighth makes another length.
fn variations(span: Span) -> Vec<Span> {
    let step = match span.table {
        Table::Coil | Table::DiscreteInput => 8,
        Table::HoldingRegister | Table::InputRegister => 1,
    };
    let less = (1..).map_while(|times| span.count.checked_sub(times * step)).take_while(|count| 0 < *count);
    let more = (1..=BEYOND_MAX).filter_map(|times| span.count.checked_add(times * step));
    let fits = |span: &Span| Question::Read(*span).flaw().is_none();
    let longer_or_shorter = less.chain(more).map(|count| Span { count, ..span }).filter(fits);
    longer_or_shorter.chain(in_every_table(span.unit, span.address)).collect()
}

/// One address by each of the functions that read.
fn in_every_table(unit: u8, address: u16) -> Vec<Span> {
    let tables = [Table::HoldingRegister, Table::InputRegister, Table::Coil, Table::DiscreteInput];
    tables.map(|table| Span { unit, table, address, count: 1 }).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Write;
    use crate::encoding::Encoding;
    use crate::testing::{device_of, input, wire_of};

    fn words(count: u16) -> Question<'static> {
        Question::Read(Span { unit: 1, table: Table::HoldingRegister, address: 100, count })
    }

    /// A doubt about a wire with one device that has these registers of one word.
    fn doubt(addresses: &[u16]) -> Doubt {
        let register = |address: &u16| input("primary.flow", Table::HoldingRegister, *address, Encoding::U16);
        let mut wire = wire_of(addresses.iter().map(register).collect());
        wire.devices[0].modbus_unit = 1;
        Doubt::about(&wire)
    }

    fn canary(leave: Leave) -> Span {
        match leave {
            Leave::Canary(span) => span,
            Leave::Ask | Leave::Wait => panic!("{leave:?}"),
        }
    }

    #[test]
    fn a_canary_looks_unlike_every_answer_that_may_still_come() {
        let mut doubt = doubt(&[5]);
        doubt.asked(&words(3));
        // A register that is read anyway, then parts of the question, then more than it.
        let mut told = Vec::new();
        while let Leave::Canary(span) = doubt.leave(&words(3)) {
            told.push((span.address, span.count));
            doubt.asked(&Question::Read(span));
        }
        assert_eq!(told[..6], [(5, 1), (100, 2), (100, 4), (100, 5), (100, 6), (100, 7)]);
        // By function 4, 1 and 2; by 3 one word looks like the first of all.
        assert_eq!(told[6..], [(100, 1); 3]);
        assert_eq!(doubt.leave(&words(3)), Leave::Wait);
        assert_eq!(doubt.leave(&words(9)), Leave::Ask, "what looks different is its own canary");
    }

    #[test]
    fn a_full_answer_ends_the_doubt_and_a_refusal_only_that_about_the_oldest_question() {
        let mut doubt = doubt(&[]);
        doubt.asked(&words(1));
        let first = Question::Read(canary(doubt.leave(&words(1))));
        doubt.asked(&first);
        doubt.refused(&first);
        // The refusal may have been that of the first question; then the canary's answer is still to come.
        assert_eq!(doubt.leave(&words(1)), Leave::Ask);
        assert!(matches!(doubt.leave(&first), Leave::Canary(_)));
        doubt.asked(&words(1));
        doubt.answered(&words(1));
        assert_eq!(doubt.leave(&first), Leave::Ask);
    }

    #[test]
    fn a_unit_of_one_register_is_tried_by_another_function_and_its_refusal_says_enough() {
        let mut wire = wire_of(vec![input("primary.flow", Table::HoldingRegister, 100, Encoding::U16)]);
        wire.devices[0].modbus_unit = 1;
        wire.devices[0].limits.max_registers = 1;
        let mut doubt = Doubt::about(&wire);
        doubt.asked(&words(1));
        let other = canary(doubt.leave(&words(1)));
        assert_eq!((other.table, other.address, other.count), (Table::InputRegister, 100, 1));
        let other = Question::Read(other);
        doubt.asked(&other);
        doubt.refused(&other);
        // Nothing else of function 4 was on its way, so the refusal is its own, and the unit answers in order.
        doubt.asked(&words(1));
        doubt.answered(&words(1));
        assert_eq!(doubt.leave(&words(1)), Leave::Ask);
    }

    #[test]
    fn a_unit_that_is_only_written_to_is_read_once_before_it_is_written_to_again() {
        let mut doubt = doubt(&[]);
        let write = Write::SingleRegister { address: 40, word: 7 };
        let question = Question::Write(1, &write);
        doubt.asked(&question);
        assert_eq!(canary(doubt.leave(&question)).address, 40);
    }

    #[test]
    fn neither_forbidden_addresses_nor_more_than_the_device_gives_are_read_for_a_canary() {
        let mut wire = wire_of(Vec::new());
        let mut device = device_of(Vec::new());
        device.modbus_unit = 1;
        device.limits.max_registers = 3;
        device.limits.forbidden = [Table::InputRegister, Table::Coil, Table::DiscreteInput]
            .map(|table| (table, 0..=65_535))
            .into_iter()
            .chain([(Table::HoldingRegister, 102..=102)])
            .collect();
        wire.devices = vec![device];
        let mut doubt = Doubt::about(&wire);
        doubt.asked(&words(1));
        let second = canary(doubt.leave(&words(1)));
        assert_eq!(second.count, 2);
        doubt.asked(&Question::Read(second));
        assert_eq!(doubt.leave(&words(1)), Leave::Wait);
    }

    #[test]
    fn a_write_waits_for_a_canary_whatever_it_looks_like() {
        let mut doubt = doubt(&[5]);
        doubt.asked(&words(3));
        let write = Write::SingleRegister { address: 1, word: 7 };
        assert_eq!(canary(doubt.leave(&Question::Write(1, &write))).address, 5);
        assert_eq!(doubt.leave(&Question::Write(2, &write)), Leave::Ask);
    }
}
