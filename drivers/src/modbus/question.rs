//! Questions and answers as the protocol has them, without the frame around: Modbus Application Protocol V1.1b3, 6.
//!
//! # Why an answer is read with its question in hand
//! A Modbus answer does not say what it answers: neither table nor address are in it. So nothing here reads an answer by
//! itself; a [`Question`] says how long its answer must be, to the byte, and checks function, byte count, padding and
//! echo. Whatever is left over or missing makes the whole worthless.

use crate::bus::{Level, Refusal, Span, Write};
use crate::settings::{BITS_MAX, REGISTERS_MAX, Table};

/// The longest protocol data: 253 bytes (V1.1b3, 4.1).
pub(super) const PDU_MAX: usize = 253;
/// An exception: the function with its highest bit set, and the code.
pub(super) const EXCEPTION: usize = 2;

/// A question that the answer must fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'a> {
    Read(Span),
    Write(u8, &'a Write),
}

/// What an answer says of its question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The words that were asked for; none after a write.
    Words(Vec<u16>),
    /// The device will not.
    Refused(Refusal),
}

impl Question<'_> {
    pub(super) fn unit(&self) -> u8 {
        match self {
            Question::Read(span) => span.unit,
            Question::Write(unit, _) => *unit,
        }
    }

    pub(super) fn function(&self) -> u8 {
        match self {
            Question::Read(span) => span.table.read_function(),
            Question::Write(_, Write::SingleCoil { .. }) => 5,
            Question::Write(_, Write::SingleRegister { .. }) => 6,
            Question::Write(_, Write::MultipleCoils { .. }) => 15,
            Question::Write(_, Write::MultipleRegisters { .. }) => 16,
            Question::Write(_, Write::MaskRegister { .. }) => 22,
        }
    }

    /// Why it cannot be asked at all; none if it can.
    pub(super) fn flaw(&self) -> Option<String> {
        let limit = |count: usize, most: usize| {
            (count == 0 || most < count).then(|| format!("{count} values in one request; 1 to {most} are possible"))
        };
        match self {
            Question::Read(span) => {
                let most = if span.table.holds_bits() { BITS_MAX } else { REGISTERS_MAX };
                let beyond = 65_536 < u32::from(span.address) + u32::from(span.count);
                let beyond = beyond.then(|| "a run of addresses beyond 65535".to_owned());
                limit(usize::from(span.count), usize::from(most)).or(beyond)
            }
            // V1.1b3, 6.11 and 6.12.
            Question::Write(_, Write::MultipleCoils { on, .. }) => limit(on.len(), 1968),
            Question::Write(_, Write::MultipleRegisters { words, .. }) => limit(words.len(), 123),
            Question::Write(
                _,
                Write::SingleCoil { .. } | Write::SingleRegister { .. } | Write::MaskRegister { .. },
            ) => None,
        }
    }

    /// How long the answer is, unless it is an exception.
    pub(super) fn answer_length(&self) -> usize {
        match self {
            Question::Read(span) => 2 + data_bytes(*span),
            Question::Write(_, Write::MaskRegister { .. }) => 7,
            Question::Write(
                _,
                Write::SingleCoil { .. }
                | Write::SingleRegister { .. }
                | Write::MultipleCoils { .. }
                | Write::MultipleRegisters { .. },
            ) => 5,
        }
    }

    /// The protocol data of the question, behind what stands in `out` already.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Question::Read(span) => {
                out.push(self.function());
                out.extend(span.address.to_be_bytes());
                out.extend(span.count.to_be_bytes());
            }
            Question::Write(_, write) => {
                out.push(self.function());
                write_data(write, out);
            }
        }
    }

    /// What the protocol data of an answer say. They are as long as they must be, or as an exception is, and of the right
    /// function: the frame has seen to it.
    ///
    /// # Errors
    /// Why they are no answer to this question.
    pub(super) fn read(&self, pdu: &[u8]) -> Result<Answer, String> {
        let (function, length) = (self.function(), self.answer_length());
        match pdu {
            [is, code] if *is == function | 0x80 => Ok(Answer::Refused(Refusal::from_code(*code))),
            [is, ..] if *is != function => Err(format!("function {is} instead of {function}")),
            _ if pdu.len() != length => Err(format!("{} bytes instead of {length}", pdu.len())),
            _ => match self {
                Question::Read(span) => read_words(*span, pdu).map(Answer::Words),
                Question::Write(_, write) => {
                    let mut sent = vec![function];
                    write_data(write, &mut sent);
                    // What is echoed: function, address, and the value, or how many there were.
                    let is_echo = sent.get(..length) == Some(pdu);
                    if is_echo { Ok(Answer::Words(Vec::new())) } else { Err("the echo of another write".to_owned()) }
                }
            },
        }
    }
}

fn write_data(write: &Write, out: &mut Vec<u8>) {
    let mut word = |word: u16| out.extend(word.to_be_bytes());
    match write {
        Write::SingleCoil { address, on } => {
            word(*address);
            word(if *on == Level::High { 0xFF00 } else { 0 });
        }
        Write::SingleRegister { address, word: value } => {
            word(*address);
            word(*value);
        }
        Write::MaskRegister { address, and, or } => {
            word(*address);
            word(*and);
            word(*or);
        }
        Write::MultipleRegisters { address, words } => {
            word(*address);
            word(words.len() as u16);
            out.push((2 * words.len()) as u8);
            out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
        Write::MultipleCoils { address, on } => {
            word(*address);
            word(on.len() as u16);
            out.push(on.len().div_ceil(8) as u8);
            let byte = |eight: &[Level]| {
                eight.iter().enumerate().fold(0, |byte, (bit, on)| byte | u8::from(*on == Level::High) << bit)
            };
            out.extend(on.chunks(8).map(byte));
        }
    }
}

fn data_bytes(span: Span) -> usize {
    let count = usize::from(span.count);
    if span.table.holds_bits() { count.div_ceil(8) } else { 2 * count }
}

fn read_words(span: Span, pdu: &[u8]) -> Result<Vec<u16>, String> {
    let (said, data) = (usize::from(pdu[1]), &pdu[2..]);
    if said != data.len() {
        return Err(format!("a byte count of {said} before {} bytes", data.len()));
    }
    Ok(match span.table {
        Table::HoldingRegister | Table::InputRegister => {
            data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
        }
        // Bits come in whole bytes; the padding says nothing.
        Table::Coil | Table::DiscreteInput => {
            (0..usize::from(span.count)).map(|at| u16::from(data[at / 8] >> (at % 8) & 1)).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: Table, count: u16) -> Question<'static> {
        Question::Read(Span { unit: 17, table, address: 0x6B, count })
    }

    fn bytes(question: &Question<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        question.write_to(&mut out);
        out
    }

    // The examples of the protocol's own text, V1.1b3, 6.1 to 6.16.
    #[test]
    fn questions_and_answers_are_those_of_the_protocols_own_examples() {
        let coils = Question::Read(Span { unit: 1, table: Table::Coil, address: 0x13, count: 0x13 });
        assert_eq!(bytes(&coils), [1, 0, 0x13, 0, 0x13]);
        let answer = coils.read(&[1, 3, 0xCD, 0x6B, 0x05]);
        let bits = [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1];
        assert_eq!(answer, Ok(Answer::Words(bits.to_vec())));

        let registers = read(Table::HoldingRegister, 3);
        assert_eq!(bytes(&registers), [3, 0, 0x6B, 0, 3]);
        let answer = registers.read(&[3, 6, 0x02, 0x2B, 0, 0, 0, 0x64]);
        assert_eq!(answer, Ok(Answer::Words(vec![0x022B, 0, 0x64])));

        let coil = Write::SingleCoil { address: 0xAC, on: Level::High };
        let coil = Question::Write(1, &coil);
        assert_eq!(bytes(&coil), [5, 0, 0xAC, 0xFF, 0]);
        assert_eq!(coil.read(&[5, 0, 0xAC, 0xFF, 0]), Ok(Answer::Words(Vec::new())));

        let on = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map(Level::from).to_vec();
        let coils = Write::MultipleCoils { address: 0x13, on };
        let coils = Question::Write(1, &coils);
        assert_eq!(bytes(&coils), [0x0F, 0, 0x13, 0, 0x0A, 2, 0xCD, 0x01]);
        assert_eq!(coils.read(&[0x0F, 0, 0x13, 0, 0x0A]), Ok(Answer::Words(Vec::new())));

        let registers = Write::MultipleRegisters { address: 1, words: vec![0x0A, 0x0102] };
        let registers = Question::Write(1, &registers);
        assert_eq!(bytes(&registers), [0x10, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2]);
        assert_eq!(registers.read(&[0x10, 0, 1, 0, 2]), Ok(Answer::Words(Vec::new())));

        let mask = Write::MaskRegister { address: 4, and: 0xF2, or: 0x25 };
        let mask = Question::Write(1, &mask);
        assert_eq!(bytes(&mask), [0x16, 0, 4, 0, 0xF2, 0, 0x25]);
        assert_eq!(mask.read(&[0x16, 0, 4, 0, 0xF2, 0, 0x25]), Ok(Answer::Words(Vec::new())));
    }

    #[test]
    fn an_answer_that_does_not_fit_its_question_to_the_byte_says_nothing() {
        let question = read(Table::HoldingRegister, 2);
        assert_eq!(question.read(&[0x83, 2]), Ok(Answer::Refused(Refusal::Address)));
        for wrong in [&[][..], &[3], &[3, 4, 0, 1, 0], &[3, 4, 0, 1, 0, 2, 0], &[3, 2, 0, 1, 0, 2], &[4, 4, 0, 1, 0, 2]]
        {
            assert!(question.read(wrong).is_err(), "{wrong:?}");
        }
        assert!(question.read(&[0x84, 2]).is_err() && question.read(&[0x83, 2, 0]).is_err());
        let write = Write::SingleRegister { address: 1, word: 7 };
        assert!(Question::Write(1, &write).read(&[6, 0, 1, 0, 8]).is_err());
    }

    #[test]
    fn what_the_protocol_has_no_room_for_is_not_asked() {
        assert!(
            read(Table::HoldingRegister, 125).flaw().is_none() && read(Table::HoldingRegister, 126).flaw().is_some()
        );
        assert!(read(Table::Coil, 2000).flaw().is_none() && read(Table::Coil, 2001).flaw().is_some());
        assert!(read(Table::Coil, 0).flaw().is_some());
        let write = Write::MultipleRegisters { address: 1, words: vec![0; 124] };
        assert!(Question::Write(1, &write).flaw().is_some());
    }
}
