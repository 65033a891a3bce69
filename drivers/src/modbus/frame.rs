//! The frame around question and answer: MBAP (Modbus Messaging on TCP/IP V1.0b, 3.1.3) or RTU (Modbus over Serial Line
//! V1.02, 2.5.1).
//!
//! A frame is judged while it comes in, against the question: the first byte that cannot belong to the answer ends the
//! wait. So a frame of another unit, a length that does not fit, or noise costs no time-out, and never more memory than
//! the longest frame.

use std::ops::Range;

use super::question::{EXCEPTION, PDU_MAX, Question};
use crate::transport::Framing;

/// Header of MBAP: transaction, protocol, length, unit.
const MBAP: usize = 7;
/// The longest frame, 7 bytes of header and 253 of protocol data; RTU has 256.
pub(super) const FRAME_MAX: usize = MBAP + PDU_MAX;

/// What has come of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Too little to say more.
    More,
    /// The whole frame; where its protocol data are.
    Whole(Range<usize>),
    /// Not the answer.
    Wrong(String),
}

impl Framing {
    /// The whole question as it is sent.
    pub(super) fn pack(self, transaction: u16, question: &Question<'_>, out: &mut Vec<u8>) {
        out.clear();
        match self {
            Framing::Mbap => {
                out.extend(transaction.to_be_bytes());
                out.extend([0; 4]);
                out.push(question.unit());
                question.write_to(out);
                let length = (out.len() - MBAP + 1) as u16;
                out[4..6].copy_from_slice(&length.to_be_bytes());
            }
            Framing::Rtu => {
                out.push(question.unit());
                question.write_to(out);
                out.extend(checksum(out).to_le_bytes());
            }
        }
    }

    /// How long the whole answer is, unless it is an exception.
    pub(super) fn answer_length(self, question: &Question<'_>) -> usize {
        question.answer_length() + self.overhead()
    }

    fn overhead(self) -> usize {
        match self {
            Framing::Mbap => MBAP,
            Framing::Rtu => 3,
        }
    }

    /// Whether what came in since the question was sent is its answer.
    pub(super) fn judge(self, transaction: u16, question: &Question<'_>, came: &[u8]) -> Progress {
        match self {
            Framing::Mbap => judge_mbap(transaction, question, came),
            Framing::Rtu => judge_rtu(question, came),
        }
    }
}

fn judge_mbap(transaction: u16, question: &Question<'_>, came: &[u8]) -> Progress {
    let [t1, t2, p1, p2, l1, l2, unit, ..] = came else { return Progress::More };
    let is = u16::from_be_bytes([*t1, *t2]);
    if is != transaction {
        return Progress::Wrong(format!("transaction {is} instead of {transaction}"));
    }
    if (*p1, *p2) != (0, 0) {
        return Progress::Wrong("another protocol than Modbus".to_owned());
    }
    if *unit != question.unit() {
        return Progress::Wrong(format!("unit {unit} instead of {}", question.unit()));
    }
    let length = usize::from(u16::from_be_bytes([*l1, *l2]));
    let right = [question.answer_length() + 1, EXCEPTION + 1];
    if !right.contains(&length) {
        return Progress::Wrong(format!("a length of {length} instead of {}", right[0]));
    }
    whole(MBAP, length - 1, 0, came)
}

fn judge_rtu(question: &Question<'_>, came: &[u8]) -> Progress {
    let [unit, function, ..] = came else { return Progress::More };
    if *unit != question.unit() {
        return Progress::Wrong(format!("unit {unit} instead of {}", question.unit()));
    }
    let length = if *function == question.function() {
        question.answer_length()
    } else if *function == question.function() | 0x80 {
        EXCEPTION
    } else {
        return Progress::Wrong(format!("function {function} instead of {}", question.function()));
    };
    match whole(1, length, 2, came) {
        Progress::Whole(pdu) if checksum(&came[..pdu.end]).to_le_bytes() != came[pdu.end..] => {
            Progress::Wrong("a checksum that does not fit".to_owned())
        }
        progress => progress,
    }
}

fn whole(head: usize, pdu: usize, tail: usize, came: &[u8]) -> Progress {
    let total = head + pdu + tail;
    match came.len() {
        less if less < total => Progress::More,
        more if more > total => Progress::Wrong(format!("{more} bytes or more instead of {total}")),
        _ => Progress::Whole(head..head + pdu),
    }
}

/// The checksum of RTU (V1.02, 6.2.2): CRC-16, reflected, polynomial 0xA001, begun at 0xFFFF. Two of a frame's 256 bytes
/// at 115 200 baud take 170 µs on the line; bit by bit it costs about 2 µs a frame, so there is no table.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bus::Span;
    use crate::settings::Table;

    const ASKED: Span = Span { unit: 17, table: Table::HoldingRegister, address: 0x6B, count: 3 };

    fn packed(framing: Framing) -> Vec<u8> {
        let mut out = Vec::new();
        framing.pack(0x1501, &Question::Read(ASKED), &mut out);
        out
    }

    fn answer(framing: Framing) -> Vec<u8> {
        let pdu = [3, 6, 0x02, 0x2B, 0, 0, 0, 0x64];
        match framing {
            Framing::Mbap => [&[0x15, 0x01, 0, 0, 0, 9, 17][..], &pdu].concat(),
            Framing::Rtu => {
                let frame = [&[17][..], &pdu].concat();
                [&frame[..], &checksum(&frame).to_le_bytes()].concat()
            }
        }
    }

    #[test]
    fn frames_are_those_of_the_protocols_own_examples() {
        assert_eq!(packed(Framing::Mbap), [0x15, 1, 0, 0, 0, 6, 17, 3, 0, 0x6B, 0, 3]);
        assert_eq!(packed(Framing::Rtu), [17, 3, 0, 0x6B, 0, 3, 0x76, 0x87]);
        // V1.02, 6.2.2: the checksum of 02 07 is 41 12.
        assert_eq!(checksum(&[2, 7]), 0x1241);
    }

    #[test]
    fn an_answer_in_pieces_is_waited_for_and_each_piece_too_much_is_seen() {
        for framing in [Framing::Mbap, Framing::Rtu] {
            let frame = answer(framing);
            for end in 0..frame.len() {
                assert_eq!(framing.judge(0x1501, &Question::Read(ASKED), &frame[..end]), Progress::More);
            }
            let judged = framing.judge(0x1501, &Question::Read(ASKED), &frame);
            assert!(matches!(judged, Progress::Whole(pdu) if frame[pdu.clone()][..2] == [3, 6]));
            let longer = [&frame[..], &[0]].concat();
            assert!(matches!(framing.judge(0x1501, &Question::Read(ASKED), &longer), Progress::Wrong(_)));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_panic_the_reader_of_frames(came in proptest::collection::vec(any::<u8>(), 0..300)) {
            for framing in [Framing::Mbap, Framing::Rtu] {
                if let Progress::Whole(pdu) = framing.judge(0x1501, &Question::Read(ASKED), &came) {
                    let _ = Question::Read(ASKED).read(&came[pdu]);
                }
            }
        }

        #[test]
        fn one_bit_flipped_in_an_rtu_frame_is_always_seen(bit in 0_usize..88) {
            let mut frame = answer(Framing::Rtu);
            frame[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!matches!(Framing::Rtu.judge(0, &Question::Read(ASKED), &frame), Progress::Whole(_)));
        }
    }
}
