//! Words to values and back: the only place that knows what bits mean.
//!
//! In: words -> pattern in the order of the value -> number -> `raw * scale + offset` -> [`Definition::accept`], which
//! lets nothing in that is not finite or outside the point's range. Out: the same road backwards, and a value that the
//! words cannot hold is refused; it never wraps and is never clipped in silence.
//!
//! A coil or a discrete input is handed around as one word, 0 or 1.

use heatstation_points::{Definition, Fault, Value};

use crate::encoding::{Encoding, EnumRow, Polarity, WordOrder};
use crate::settings::Register;

/// A value cannot be said to the device in this encoding.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// The number lies outside of what the words can hold.
    #[error("{point}: {value} is {raw} on the wire, outside {low}..={high} of {encoding}")]
    TooBig {
        /// Text name of the point.
        point: String,
        /// The value, in the point's unit.
        value: f64,
        /// The number that would have to be sent.
        raw: f64,
        /// Least number that can be sent.
        low: f64,
        /// Greatest number that can be sent.
        high: f64,
        /// Name of the encoding.
        encoding: &'static str,
    },
    /// A bit is on (1) or off (0) and nothing between.
    #[error("{point}: {value} is neither on (1) nor off (0)")]
    NotASwitch {
        /// Text name of the point.
        point: String,
        /// The value.
        value: f64,
    },
    /// None of the codes of the enumeration stands for the value.
    #[error("{point}: no code stands for {value}")]
    NoCode {
        /// Text name of the point.
        point: String,
        /// The value.
        value: f64,
    },
    /// The pattern would be the one that means "broken sensor".
    #[error("{point}: {value} would be sent as {pattern:#x}, which means a broken sensor")]
    MeansBroken {
        /// Text name of the point.
        point: String,
        /// The value.
        value: f64,
        /// The pattern.
        pattern: u64,
    },
}

/// The value in these words, which must be exactly the register's own.
///
/// # Errors
/// [`Fault::SensorBroken`] for a pattern that the device uses to say so, [`Fault::Refused`] if there are too few or too
/// many words, [`Fault::Implausible`] for a code that the enumeration does not know or a number outside the point's
/// range, [`Fault::NotFinite`] for NaN and infinities.
pub fn decode(register: &Register, words: &[u16]) -> Result<Value, Fault> {
    accept(&register.definition, number_of(register, words)?)
}

/// The number in these words in the point's unit, believed or not: for showing it to a person who judges the encoding.
///
/// # Errors
/// As [`decode`], but for numbers that are not finite or out of range.
pub fn number_of(register: &Register, words: &[u16]) -> Result<f64, Fault> {
    if words.len() != usize::from(register.width()) {
        return Err(Fault::Refused);
    }
    let pattern = pattern_of(words, register.encoding.order());
    if register.invalid.contains(&pattern) {
        return Err(Fault::SensorBroken);
    }
    let scaled = |raw: f64| raw * register.scale + register.offset;
    Ok(match &register.encoding {
        Encoding::Bit { bit, polarity } => {
            let is_set = (pattern >> bit.unwrap_or(0)) & 1 == 1;
            f64::from(u8::from(is_set != (*polarity == Polarity::Inverted)))
        }
        Encoding::Enum { rows } => value_of_code(rows, words[0]).ok_or(Fault::Implausible)?,
        Encoding::I16 => scaled(f64::from(words[0].cast_signed())),
        Encoding::U16 => scaled(f64::from(words[0])),
        Encoding::I32 { .. } => scaled(f64::from((pattern as u32).cast_signed())),
        Encoding::U32 { .. } => scaled(f64::from(pattern as u32)),
        Encoding::F32 { .. } => scaled(f64::from(f32::from_bits(pattern as u32))),
        Encoding::I64 { .. } => scaled(pattern.cast_signed() as f64),
        Encoding::U64 { .. } => scaled(pattern as f64),
        Encoding::F64 { .. } => scaled(f64::from_bits(pattern)),
    })
}

/// 1000 steps of 0.0012 make 1.2 and a last digit: a full-scale reading must not be refused for a rounding error of the
/// scale. So a number beyond the range by less than a billionth of it is the end of the range.
fn accept(definition: &Definition, number: f64) -> Result<Value, Fault> {
    let (low, high) = definition.range;
    let slack = (high - low).abs() * 1e-9;
    let is_just_outside = (number < low && low - number <= slack) || (high < number && number - high <= slack);
    definition.accept(if number.is_finite() && is_just_outside { number.clamp(low, high) } else { number })
}

fn value_of_code(rows: &[EnumRow], word: u16) -> Option<f64> {
    rows.iter().find(|row| row.raw == word).map(|row| row.value)
}

/// The words that say this value, in the order in which they are sent.
///
/// For a bit of a register it is the word with this bit alone: 0, or the bit's own mask.
///
/// # Errors
/// If the words cannot hold it.
pub fn encode(register: &Register, value: Value) -> Result<Vec<u16>, EncodeError> {
    let number = value.number();
    let point = || register.name().to_owned();
    let raw = (number - register.offset) / register.scale;
    let too_big =
        |low: f64, high: f64, encoding| EncodeError::TooBig { point: point(), value: number, raw, low, high, encoding };
    let whole = |low: f64, high: f64, encoding| {
        let rounded = raw.round();
        if low <= rounded && rounded <= high { Ok(rounded) } else { Err(too_big(low, high, encoding)) }
    };
    let pattern = match &register.encoding {
        Encoding::Bit { bit, polarity } => {
            if number != 0.0 && number != 1.0 {
                return Err(EncodeError::NotASwitch { point: point(), value: number });
            }
            u64::from((number == 1.0) != (*polarity == Polarity::Inverted)) << bit.unwrap_or(0)
        }
        Encoding::Enum { rows } => rows
            .iter()
            .find(|row| row.value == number)
            .map(|row| u64::from(row.raw))
            .ok_or_else(|| EncodeError::NoCode { point: point(), value: number })?,
        Encoding::I16 => u64::from((whole(-32_768.0, 32_767.0, "i16")? as i16).cast_unsigned()),
        Encoding::U16 => u64::from(whole(0.0, 65_535.0, "u16")? as u16),
        Encoding::I32 { .. } => {
            u64::from((whole(f64::from(i32::MIN), f64::from(i32::MAX), "i32")? as i32).cast_unsigned())
        }
        Encoding::U32 { .. } => u64::from(whole(0.0, f64::from(u32::MAX), "u32")? as u32),
        // The greatest doubles below 2^63 and 2^64: the integers' own maxima are not doubles and would round up to
        // numbers that wrap.
        Encoding::I64 { .. } => {
            (whole(-9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0, "i64")? as i64).cast_unsigned()
        }
        Encoding::U64 { .. } => whole(0.0, 18_446_744_073_709_549_568.0, "u64")? as u64,
        Encoding::F32 { .. } => {
            let single = raw as f32;
            if !single.is_finite() {
                return Err(too_big(f64::from(f32::MIN), f64::from(f32::MAX), "f32"));
            }
            u64::from(single.to_bits())
        }
        Encoding::F64 { .. } => {
            if !raw.is_finite() {
                return Err(too_big(f64::MIN, f64::MAX, "f64"));
            }
            raw.to_bits()
        }
    };
    if register.invalid.contains(&pattern) && !matches!(register.encoding, Encoding::Bit { .. }) {
        return Err(EncodeError::MeansBroken { point: point(), value: number, pattern });
    }
    // A coil is on or off whatever bit it would be of a word; the mask of a bit of a word stays where it is.
    Ok(words_of(pattern, register.encoding.words(), register.encoding.order()))
}

/// One pair of words under each of the four orders: which of them is meant, a person sees at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preview {
    /// The order.
    pub order: WordOrder,
    /// As a signed number.
    pub signed: i32,
    /// As an unsigned number.
    pub unsigned: u32,
    /// As single precision; may be anything, NaN too.
    pub single: f32,
}

/// What two words would be under each order, for commissioning.
pub fn preview(words: [u16; 2]) -> [Preview; 4] {
    WordOrder::ALL.map(|order| {
        let pattern = pattern_of(&words, order) as u32;
        Preview { order, signed: pattern.cast_signed(), unsigned: pattern, single: f32::from_bits(pattern) }
    })
}

fn pattern_of(words: &[u16], order: WordOrder) -> u64 {
    let join = |pattern: u64, word: &u16| {
        let word = if order.swaps_bytes() { word.swap_bytes() } else { *word };
        pattern << 16 | u64::from(word)
    };
    if order.swaps_words() { words.iter().rev().fold(0, join) } else { words.iter().fold(0, join) }
}

fn words_of(pattern: u64, count: u16, order: WordOrder) -> Vec<u16> {
    let mut words: Vec<u16> = (0..count).rev().map(|place| (pattern >> (16 * place)) as u16).collect();
    if order.swaps_words() {
        words.reverse();
    }
    if order.swaps_bytes() {
        for word in &mut words {
            *word = word.swap_bytes();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Table;
    use crate::testing::{definition, input, unbounded};

    fn wide(encoding: Encoding) -> Register {
        Register::input(unbounded(), Table::HoldingRegister, 0, encoding)
    }

    fn number(register: &Register, words: &[u16]) -> Result<f64, Fault> {
        decode(register, words).map(Value::number)
    }

    #[test]
    fn every_one_of_the_65536_words_is_a_number_or_a_fault_and_comes_back_as_itself() {
        let signed = Register { scale: 0.1, offset: -40.0, invalid: vec![0x8000], ..wide(Encoding::I16) };
        let unsigned = wide(Encoding::U16);
        for word in 0..=u16::MAX {
            assert_eq!(encode(&unsigned, decode(&unsigned, &[word]).unwrap()), Ok(vec![word]));
            let read = decode(&signed, &[word]);
            if word == 0x8000 {
                assert_eq!(read, Err(Fault::SensorBroken));
            } else {
                let expected = f64::from(word.cast_signed()) * 0.1 - 40.0;
                assert_eq!(read.map(Value::number), Ok(expected));
                assert_eq!(encode(&signed, read.unwrap()), Ok(vec![word]), "{word:#06x}");
            }
        }
    }

    #[test]
    fn the_four_orders_are_named_by_what_arrives() {
        // 123456.0 in single precision is 47 F1 20 00.
        let arrivals = [[0x47F1, 0x2000], [0x2000, 0x47F1], [0xF147, 0x0020], [0x0020, 0xF147]];
        for (order, words) in WordOrder::ALL.into_iter().zip(arrivals) {
            assert_eq!(number(&wide(Encoding::F32 { order }), &words), Ok(123_456.0), "{order:?}");
            assert!(preview(words).iter().any(|one| one.order == order && one.single == 123_456.0));
        }
        let doubled = [0x40FE, 0x2400, 0x0000, 0x0000];
        assert_eq!(number(&wide(Encoding::F64 { order: WordOrder::Abcd }), &doubled), Ok(123_456.0));
        let backwards = [0x0000, 0x0000, 0x0024, 0xFE40];
        assert_eq!(number(&wide(Encoding::F64 { order: WordOrder::Dcba }), &backwards), Ok(123_456.0));
    }

    #[test]
    fn no_float_that_is_not_finite_becomes_a_value() {
        let single = wide(Encoding::F32 { order: WordOrder::Abcd });
        for words in [[0x7FC0, 0x0000], [0x7F80, 0x0000], [0xFF80, 0x0000], [0xFFFF, 0xFFFF], [0x7F80, 0x0001]] {
            assert_eq!(number(&single, &words), Err(Fault::NotFinite), "{words:x?}");
        }
        let overflowing = Register { scale: 1e300, ..wide(Encoding::F64 { order: WordOrder::Abcd }) };
        assert_eq!(number(&overflowing, &[0x7F00, 0, 0, 0]), Err(Fault::NotFinite));
    }

    #[test]
    fn a_bit_is_found_in_its_word_and_may_mean_the_opposite() {
        let bit = |bit, polarity, word| {
            let encoding = Encoding::Bit { bit: Some(bit), polarity };
            number(&input("mains.healthy", Table::HoldingRegister, 0, encoding), &[word])
        };
        assert_eq!(bit(3, Polarity::Straight, 0b1000), Ok(1.0));
        assert_eq!(bit(3, Polarity::Straight, 0b0111), Ok(0.0));
        assert_eq!(bit(15, Polarity::Inverted, 0x8000), Ok(0.0));
        assert_eq!(bit(0, Polarity::Inverted, 0xFFFE), Ok(1.0));
    }

    #[test]
    fn an_unknown_code_is_no_value() {
        let rows = vec![EnumRow { raw: 3, value: 1.0 }, EnumRow { raw: 0, value: 0.0 }, EnumRow { raw: 7, value: 1.0 }];
        let register = input("mains.healthy", Table::HoldingRegister, 0, Encoding::Enum { rows });
        assert_eq!(number(&register, &[7]), Ok(1.0));
        assert_eq!(number(&register, &[2]), Err(Fault::Implausible));
        assert_eq!(encode(&register, decode(&register, &[7]).unwrap()), Ok(vec![3]));
    }

    #[test]
    fn what_the_words_cannot_hold_is_refused_and_never_wraps() {
        let accept = |value| unbounded().accept(value).unwrap();
        let cases = [
            (Encoding::U16, -0.6),
            (Encoding::U16, 65_535.5),
            (Encoding::I16, 32_767.5),
            (Encoding::I16, -32_768.6),
            (Encoding::U32 { order: WordOrder::Abcd }, 4_294_967_296.0),
            (Encoding::I64 { order: WordOrder::Abcd }, 9_223_372_036_854_775_808.0),
            (Encoding::U64 { order: WordOrder::Abcd }, 18_446_744_073_709_551_616.0),
            (Encoding::F32 { order: WordOrder::Abcd }, 1e39),
        ];
        for (encoding, value) in cases {
            let refusal = encode(&wide(encoding.clone()), accept(value));
            assert!(matches!(refusal, Err(EncodeError::TooBig { .. })), "{encoding:?} {value}: {refusal:?}");
        }
        let switch = Encoding::Bit { bit: None, polarity: Polarity::Straight };
        assert!(matches!(encode(&wide(switch), accept(0.5)), Err(EncodeError::NotASwitch { .. })));
        let broken = Register { invalid: vec![0xFFFF], ..wide(Encoding::U16) };
        assert!(matches!(encode(&broken, accept(65_535.0)), Err(EncodeError::MeansBroken { .. })));
    }

    #[test]
    fn full_scale_is_not_refused_for_a_rounding_error_of_the_scale() {
        let speed = definition("circuit.low-zone.circulation_pump.1.speed_feedback");
        for steps in 1..=20_000_u16 {
            let register = Register {
                scale: speed.range.1 / f64::from(steps),
                ..Register::input(speed.clone(), Table::InputRegister, 0, Encoding::U16)
            };
            assert!(decode(&register, &[steps]).is_ok(), "{steps} steps");
            assert_eq!(decode(&register, &[steps + steps / 100 + 1]), Err(Fault::Implausible));
        }
    }

    #[test]
    fn too_few_words_are_no_value() {
        assert_eq!(number(&wide(Encoding::I32 { order: WordOrder::Abcd }), &[1]), Err(Fault::Refused));
        assert_eq!(number(&wide(Encoding::I16), &[]), Err(Fault::Refused));
    }

    fn any_order() -> impl Strategy<Value = WordOrder> {
        proptest::sample::select(WordOrder::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn thirty_two_bits_come_back_as_they_were(order in any_order(), words in any::<[u16; 2]>()) {
            for encoding in [Encoding::I32 { order }, Encoding::U32 { order }, Encoding::F32 { order }] {
                let register = wide(encoding);
                match decode(&register, &words) {
                    Ok(value) => {
                        let again = encode(&register, value).unwrap();
                        prop_assert_eq!(decode(&register, &again), Ok(value));
                        // -0.0 and 0.0 are the one pair of patterns with one value.
                        prop_assert!(again == words || value.number() == 0.0);
                    }
                    Err(fault) => prop_assert_eq!(fault, Fault::NotFinite),
                }
            }
        }

        #[test]
        fn sixty_four_bits_come_back_as_the_same_number(order in any_order(), words in any::<[u16; 4]>()) {
            for encoding in [Encoding::I64 { order }, Encoding::U64 { order }, Encoding::F64 { order }] {
                let register = wide(encoding);
                match decode(&register, &words) {
                    Ok(value) => match encode(&register, value) {
                        Ok(again) => prop_assert_eq!(decode(&register, &again), Ok(value)),
                        // The few integers that round up to 2^63 or 2^64.
                        Err(refusal) => {
                            let is_too_big = matches!(refusal, EncodeError::TooBig { .. });
                            prop_assert!(is_too_big && 9.2e18 < value.number());
                        }
                    },
                    Err(fault) => prop_assert_eq!(fault, Fault::NotFinite),
                }
            }
        }

        #[test]
        fn scale_and_offset_are_undone_to_within_half_a_step(
            scale in prop_oneof![1e-6..1e6_f64, -1e6..-1e-6_f64], offset in -1e6..1e6_f64, word in any::<u16>()
        ) {
            let register = Register { scale, offset, ..wide(Encoding::U16) };
            let value = decode(&register, &[word]).unwrap();
            prop_assert_eq!(encode(&register, value), Ok(vec![word]));
        }
    }
}
