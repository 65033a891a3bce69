//! How the words of a device are meant.
//!
//! Byte and word order is a lasting source of wrong values, and even the names of the orders are disputed. Here they are
//! named by what arrives on the wire: a value whose bytes, most significant first, are `A B C D` is sent as written in
//! [`WordOrder`]. For 64 bits the same rule holds over four words.

use serde::{Deserialize, Serialize};

/// How words become a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Encoding {
    /// On or off: a coil, a discrete input, or one bit of a register.
    Bit {
        /// Which bit of a register, 0 being the least significant; none for a coil or a discrete input.
        bit: Option<u8>,
        /// Which way round.
        polarity: Polarity,
    },
    /// Signed 16 bits.
    I16,
    /// Unsigned 16 bits.
    U16,
    /// Signed 32 bits in two words.
    I32 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// Unsigned 32 bits in two words.
    U32 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// IEEE 754 single precision in two words.
    F32 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// Signed 64 bits in four words. Beyond 2^53 the number is rounded to the nearest that a double holds.
    I64 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// Unsigned 64 bits in four words. Beyond 2^53 the number is rounded to the nearest that a double holds.
    U64 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// IEEE 754 double precision in four words.
    F64 {
        /// Order of the bytes.
        order: WordOrder,
    },
    /// One word that names a state, as in a drive's status word: each code has a value, all others are refused.
    Enum {
        /// The codes; the first row of a value is the one that is written for it.
        rows: Vec<EnumRow>,
    },
}

/// One code of an [`Encoding::Enum`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnumRow {
    /// The word on the wire.
    pub raw: u16,
    /// The value of the point.
    pub value: f64,
}

/// Which way round a bit means on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    /// 1 is on.
    #[default]
    Straight,
    /// 0 is on, as with a contact that opens on alarm.
    Inverted,
}

/// The order in which the bytes of a value of several words arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    /// Most significant word first, most significant byte first: big endian, the order of the protocol itself.
    #[default]
    Abcd,
    /// Least significant word first, bytes as usual: "word swap".
    Cdab,
    /// Most significant word first, bytes of each word swapped.
    Badc,
    /// Least significant word first, bytes swapped: little endian.
    Dcba,
}

impl WordOrder {
    /// All four, for showing the same words under each of them.
    pub const ALL: [WordOrder; 4] = [WordOrder::Abcd, WordOrder::Cdab, WordOrder::Badc, WordOrder::Dcba];

    /// The name that configuration files give it.
    pub const fn name(self) -> &'static str {
        match self {
            WordOrder::Abcd => "abcd",
            WordOrder::Cdab => "cdab",
            WordOrder::Badc => "badc",
            WordOrder::Dcba => "dcba",
        }
    }

    pub(crate) const fn swaps_words(self) -> bool {
        matches!(self, WordOrder::Cdab | WordOrder::Dcba)
    }

    pub(crate) const fn swaps_bytes(self) -> bool {
        matches!(self, WordOrder::Badc | WordOrder::Dcba)
    }
}

impl Encoding {
    /// How many 16-bit words a value takes; 1 for a bit.
    pub const fn words(&self) -> u16 {
        match self {
            Encoding::Bit { .. } | Encoding::I16 | Encoding::U16 | Encoding::Enum { .. } => 1,
            Encoding::I32 { .. } | Encoding::U32 { .. } | Encoding::F32 { .. } => 2,
            Encoding::I64 { .. } | Encoding::U64 { .. } | Encoding::F64 { .. } => 4,
        }
    }

    /// The same, meant in another order of its bytes; none where there is only one word.
    #[must_use]
    pub fn in_order(&self, order: WordOrder) -> Option<Encoding> {
        match self {
            Encoding::Bit { .. } | Encoding::I16 | Encoding::U16 | Encoding::Enum { .. } => None,
            Encoding::I32 { .. } => Some(Encoding::I32 { order }),
            Encoding::U32 { .. } => Some(Encoding::U32 { order }),
            Encoding::F32 { .. } => Some(Encoding::F32 { order }),
            Encoding::I64 { .. } => Some(Encoding::I64 { order }),
            Encoding::U64 { .. } => Some(Encoding::U64 { order }),
            Encoding::F64 { .. } => Some(Encoding::F64 { order }),
        }
    }

    /// The order of its words; the order of the protocol where there is only one word.
    pub const fn order(&self) -> WordOrder {
        match self {
            Encoding::Bit { .. } | Encoding::I16 | Encoding::U16 | Encoding::Enum { .. } => WordOrder::Abcd,
            Encoding::I32 { order }
            | Encoding::U32 { order }
            | Encoding::F32 { order }
            | Encoding::I64 { order }
            | Encoding::U64 { order }
            | Encoding::F64 { order } => *order,
        }
    }
}
