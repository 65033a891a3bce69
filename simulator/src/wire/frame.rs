//! Frames: questions cut out of a stream of bytes, and answers as bytes, with the header of TCP or the checksum of RTU.

use super::units::{ILLEGAL_FUNCTION, ILLEGAL_VALUE};

/// How protocol data travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Behind a header of 7 bytes (Modbus Messaging on TCP/IP V1.0b, 3.1.3).
    Tcp,
    /// Between a unit number and a checksum (Modbus over Serial Line V1.02, 2.5.1).
    Rtu,
}

/// Most words and bits of one request (Modbus Application Protocol V1.1b3, sections 6.1, 6.3, 6.11, 6.12).
const MOST_WORDS_READ: u16 = 125;
const MOST_BITS_READ: u16 = 2000;
const MOST_WORDS_WRITTEN: u16 = 123;
const MOST_BITS_WRITTEN: u16 = 1968;
/// The longest frame, and the longest that is waited for.
pub(super) const FRAME_MAX: usize = 260;

/// A question as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The transaction number; 0 where there is none.
    pub transaction: [u8; 2],
    pub unit: u8,
    /// Function code and what follows; never empty.
    pub pdu: Vec<u8>,
}

/// What a question asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Words { function: u8, address: u16, count: u16 },
    Bits { function: u8, address: u16, count: u16 },
    WriteWords { address: u16, words: Vec<u16> },
    WriteBits { address: u16, bits: Vec<bool> },
    Mask { address: u16, and: u16, or: u16 },
}

impl Question {
    pub fn function(&self) -> u8 {
        self.pdu[0]
    }

    fn number(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([*self.pdu.get(at)?, *self.pdu.get(at + 1)?]))
    }

    pub fn is_write(&self) -> bool {
        matches!(self.function(), 5 | 6 | 15 | 16 | 22)
    }

    /// Whether it touches this address.
    pub fn touches(&self, address: u16) -> bool {
        let count = if matches!(self.function(), 1..=4 | 15 | 16) { self.number(3).unwrap_or(1) } else { 1 };
        self.number(1).is_some_and(|first| first <= address && u32::from(address) < u32::from(first) + u32::from(count))
    }

    /// What it asks, or the exception that it deserves.
    pub fn ask(&self) -> Result<Ask, u8> {
        let function = self.function();
        let number = |at| self.number(at).ok_or(ILLEGAL_VALUE);
        let count_within = |most: u16| {
            let count = number(3)?;
            if (1..=most).contains(&count) { Ok(count) } else { Err(ILLEGAL_VALUE) }
        };
        let data = |least: usize| {
            let said = self.pdu.get(5).copied().map_or(0, usize::from);
            self.pdu
                .get(6..6 + said)
                .filter(|data| data.len() == least && self.pdu.len() == 6 + said)
                .ok_or(ILLEGAL_VALUE)
        };
        let is_long = |length: usize| if self.pdu.len() == length { Ok(()) } else { Err(ILLEGAL_VALUE) };
        match function {
            1 | 2 => {
                is_long(5)?;
                Ok(Ask::Bits { function, address: number(1)?, count: count_within(MOST_BITS_READ)? })
            }
            3 | 4 => {
                is_long(5)?;
                Ok(Ask::Words { function, address: number(1)?, count: count_within(MOST_WORDS_READ)? })
            }
            5 => {
                is_long(5)?;
                let on = match number(3)? {
                    0 => false,
                    0xFF00 => true,
                    _ => return Err(ILLEGAL_VALUE),
                };
                Ok(Ask::WriteBits { address: number(1)?, bits: vec![on] })
            }
            6 => {
                is_long(5)?;
                Ok(Ask::WriteWords { address: number(1)?, words: vec![number(3)?] })
            }
            15 => {
                let count = count_within(MOST_BITS_WRITTEN)?;
                let data = data(usize::from(count.div_ceil(8)))?;
                let bits = (0..usize::from(count)).map(|bit| data[bit / 8] >> (bit % 8) & 1 == 1).collect();
                Ok(Ask::WriteBits { address: number(1)?, bits })
            }
            16 => {
                let count = count_within(MOST_WORDS_WRITTEN)?;
                let data = data(2 * usize::from(count))?;
                let words = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                Ok(Ask::WriteWords { address: number(1)?, words })
            }
            22 => {
                is_long(7)?;
                Ok(Ask::Mask { address: number(1)?, and: number(3)?, or: number(5)? })
            }
            _ => Err(ILLEGAL_FUNCTION),
        }
    }

    // ---- protocol data of answers ---------------------------------------------------------------------------------

    pub fn words(&self, words: &[u16]) -> Vec<u8> {
        let mut pdu = vec![self.function(), (2 * words.len()) as u8];
        pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        pdu
    }

    pub fn bits(&self, bits: &[bool]) -> Vec<u8> {
        let mut pdu = vec![self.function(), bits.len().div_ceil(8) as u8];
        pdu.extend(bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, &on| byte << 1 | u8::from(on))));
        pdu
    }

    /// The acknowledgement of a write: its beginning.
    pub fn echo(&self) -> Vec<u8> {
        let length = if self.function() == 22 { 7 } else { 5 };
        self.pdu[..self.pdu.len().min(length)].to_vec()
    }

    pub fn refusal(&self, code: u8) -> Vec<u8> {
        vec![self.function() | 0x80, code]
    }
}

/// What stands at the beginning of what has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A question; so many bytes of it.
    Question(Question, usize),
    /// Not yet a whole one.
    More,
    /// Nothing that a question begins with: leave out so many bytes and look again.
    Noise(usize),
    /// Nothing that can be understood any more.
    Lost,
}

impl Framing {
    /// Cuts the first question out of these bytes.
    pub(super) fn cut(self, bytes: &[u8]) -> Cut {
        match self {
            Framing::Tcp => cut_tcp(bytes),
            Framing::Rtu => cut_rtu(bytes),
        }
    }

    /// The answer as it goes out, in the name of `unit`.
    pub(super) fn frame(self, question: &Question, unit: u8, pdu: &[u8]) -> Vec<u8> {
        match self {
            Framing::Tcp => {
                let length = (pdu.len() as u16 + 1).to_be_bytes();
                [&question.transaction[..], &[0, 0], &length, &[unit], pdu].concat()
            }
            Framing::Rtu => {
                let mut frame = [&[unit], pdu].concat();
                frame.extend(checksum(&frame).to_le_bytes());
                frame
            }
        }
    }

    /// How many bytes at the beginning of an answer a reader can check without a checksum: header, function and byte count.
    pub(super) fn checkable(self, frame: &[u8]) -> usize {
        match self {
            Framing::Tcp => frame.len().min(9),
            Framing::Rtu => frame.len(),
        }
    }
}

fn cut_tcp(bytes: &[u8]) -> Cut {
    if bytes.len() < 7 {
        return Cut::More;
    }
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    if bytes[2..4] != [0, 0] || !(2..=FRAME_MAX - 6).contains(&length) {
        return Cut::Lost;
    }
    match bytes.get(7..6 + length) {
        Some(pdu) => {
            let question = Question { transaction: [bytes[0], bytes[1]], unit: bytes[6], pdu: pdu.to_vec() };
            Cut::Question(question, 6 + length)
        }
        None => Cut::More,
    }
}

fn cut_rtu(bytes: &[u8]) -> Cut {
    let Some(&function) = bytes.get(1) else { return Cut::More };
    let length = match function {
        1..=6 => 8,
        15 | 16 => match bytes.get(6) {
            Some(&count) => 9 + usize::from(count),
            None => return Cut::More,
        },
        22 => 10,
        // Its length is not known, so neither is where it ends; a real slave waits for silence, and so does the line.
        _ => return Cut::Noise(1),
    };
    let Some(frame) = bytes.get(..length) else { return Cut::More };
    let (body, sum) = frame.split_at(length - 2);
    if checksum(body).to_le_bytes() != sum {
        return Cut::Noise(1);
    }
    Cut::Question(Question { transaction: [0, 0], unit: body[0], pdu: body[1..].to_vec() }, length)
}

/// CRC-16 of Modbus (Modbus over Serial Line V1.02, 6.2.2).
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request of the specification's example for function 3: registers 108 to 110 of unit 17.
    const SPECIFIED: [u8; 8] = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87];

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // Modbus over Serial Line V1.02, 6.2.2: 0x1241 for 02 07, low byte first on the wire.
        assert_eq!(checksum(&[0x02, 0x07]).to_le_bytes(), [0x41, 0x12]);
        assert_eq!(checksum(&SPECIFIED[..6]).to_le_bytes(), SPECIFIED[6..]);
    }

    #[test]
    fn questions_are_found_behind_noise_and_in_pieces() {
        let question = Question { transaction: [0, 0], unit: 0x11, pdu: SPECIFIED[1..6].to_vec() };
        for end in 0..SPECIFIED.len() {
            assert_eq!(Framing::Rtu.cut(&SPECIFIED[..end]), Cut::More);
        }
        let mut bytes = [&[0x00, 0xFF][..], &SPECIFIED].concat();
        while let Cut::Noise(skip) = Framing::Rtu.cut(&bytes) {
            bytes.drain(..skip);
        }
        assert_eq!(Framing::Rtu.cut(&bytes), Cut::Question(question.clone(), 8));

        let tcp = Framing::Tcp.frame(&Question { transaction: [1, 2], ..question.clone() }, 0x11, &question.pdu);
        assert_eq!(tcp[..8], [1, 2, 0, 0, 0, 6, 0x11, 3]);
        assert_eq!(Framing::Tcp.cut(&tcp), Cut::Question(Question { transaction: [1, 2], ..question }, 12));
        assert_eq!(Framing::Tcp.cut(&[0, 0, 0, 1, 0, 6, 1]), Cut::Lost);
        assert_eq!(Framing::Tcp.cut(&[0, 0, 0, 0, 0xFF, 0xFF, 1]), Cut::Lost);
    }

    #[test]
    fn whatever_bytes_come_the_reader_goes_on_or_gives_up() {
        let mut state = 1_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for framing in [Framing::Tcp, Framing::Rtu] {
            for _ in 0..2_000 {
                let bytes: Vec<u8> = (0..usize::from(byte())).map(|_| byte() & 0x1F).collect();
                if let Cut::Question(question, length) = framing.cut(&bytes) {
                    assert!(0 < length && length <= bytes.len());
                    let _ = (question.ask(), question.touches(7));
                }
            }
        }
    }
}
