//! How telemetry becomes bytes: values as whole numbers of their point's resolution, columns compressed with pco.
//!
//! A temperature sensor that resolves 0.1 K says nothing with its 52 bits of mantissa, and noise in the bits below
//! the resolution is what costs space. So the caller names the resolution of each point, and a value is kept as a
//! count of it: exact for what the register delivered, and small. Resolution 0 keeps all bits.

use std::collections::BTreeMap;

use pco::ChunkConfig;
use pco::errors::PcoError;
use pco::standalone::{simple_compress, simple_decompress};

/// Counts beyond this are not exact as floating point numbers.
const QUANTA_MAX: f64 = 9_007_199_254_740_992.0;

/// A value as a count of its resolution. `None` when it is not finite or does not fit: a hole rather than a lie.
pub(super) fn quantise(value: f64, resolution: f64) -> Option<i64> {
    if !value.is_finite() {
        return None;
    }
    if resolution == 0.0 {
        return Some(value.to_bits() as i64);
    }
    let quanta = (value / resolution).round();
    (quanta.abs() < QUANTA_MAX).then_some(quanta as i64)
}

/// The value of a count.
pub(super) fn restore(quanta: i64, resolution: f64) -> f64 {
    if resolution == 0.0 {
        return f64::from_bits(quanta as u64);
    }
    // 583 x 0.1 is 58.300000000000004 and 583 / 10 is 58.3: fractions of one are better divided by.
    let inverse = (1.0 / resolution).round();
    if inverse > 1.0 && ((1.0 / inverse) - resolution).abs() <= f64::EPSILON * resolution {
        quanta as f64 / inverse
    } else {
        quanta as f64 * resolution
    }
}

/// One point's values, one for each row of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    present: Vec<bool>,
    /// Only those that are present.
    quanta: Vec<i64>,
}

impl Column {
    pub fn push(&mut self, quanta: Option<i64>) {
        self.present.push(quanta.is_some());
        self.quanta.extend(quanta);
    }

    fn pad(&mut self, rows: usize) {
        self.present.resize(rows, false);
    }

    pub fn rows(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        let mut quanta = self.quanta.iter();
        self.present.iter().map(move |present| if *present { quanta.next().copied() } else { None })
    }

    pub fn is_empty(&self) -> bool {
        self.quanta.is_empty()
    }
}

/// Rows of telemetry, stored by column. Rows are in the order in which they were recorded; their wall times may jump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub id: i64,
    pub times: Vec<i64>,
    pub columns: BTreeMap<u32, Column>,
}

impl Segment {
    pub fn push(&mut self, wall_milliseconds: i64, values: impl Iterator<Item = (u32, Option<i64>)>) {
        let rows = self.times.len();
        for (point, quanta) in values {
            let column = self.columns.entry(point).or_default();
            // A layout that names a point twice has one value for it: the first.
            if column.present.len() <= rows {
                column.pad(rows);
                column.push(quanta);
            }
        }
        self.times.push(wall_milliseconds);
        for column in self.columns.values_mut() {
            column.pad(rows + 1);
        }
    }

    pub fn append(&mut self, later: &Segment) {
        let mut columns: Vec<_> = later.columns.iter().map(|(point, column)| (*point, column.rows())).collect();
        for time in &later.times {
            let row: Vec<_> =
                columns.iter_mut().map(|(point, values)| (*point, values.next().unwrap_or_default())).collect();
            self.push(*time, row.into_iter());
        }
    }
}

/// Compressed bytes of one column of a sealed segment.
pub(super) fn encode_block(column: &Column, resolution: f64) -> Result<Vec<u8>, PcoError> {
    let mut data = Vec::new();
    if column.present.iter().all(|present| *present) {
        data.push(0);
    } else {
        data.push(1);
        push_bits(&mut data, column.present.iter().copied());
    }
    if resolution == 0.0 {
        let numbers: Vec<f64> = column.quanta.iter().map(|bits| f64::from_bits(*bits as u64)).collect();
        data.extend(simple_compress(&numbers, &ChunkConfig::default())?);
    } else {
        data.extend(simple_compress(&column.quanta, &ChunkConfig::default())?);
    }
    Ok(data)
}

/// The column again; `None` when the bytes are not what [`encode_block`] makes of `rows` rows.
pub(super) fn decode_block(data: &[u8], rows: usize, resolution: f64) -> Option<Column> {
    let (flag, mut rest) = data.split_first()?;
    let present = match flag {
        0 => vec![true; rows],
        1 => take_bits(&mut rest, rows)?,
        _ => return None,
    };
    let quanta = if resolution == 0.0 {
        simple_decompress::<f64>(rest).ok()?.into_iter().map(|number| number.to_bits() as i64).collect()
    } else {
        simple_decompress::<i64>(rest).ok()?
    };
    let whole = quanta.len() == present.iter().filter(|present| **present).count();
    whole.then_some(Column { present, quanta })
}

/// Compressed row times of a sealed segment.
pub(super) fn encode_times(times: &[i64]) -> Result<Vec<u8>, PcoError> {
    simple_compress(times, &ChunkConfig::default())
}

/// The row times again; `None` when there are not `rows` of them.
pub(super) fn decode_times(data: &[u8], rows: usize) -> Option<Vec<i64>> {
    simple_decompress::<i64>(data).ok().filter(|times| times.len() == rows)
}

/// Some rows of a segment that is not sealed yet, in one piece: what a crash must not take.
pub(super) fn encode_group(segment: &Segment, rows: std::ops::Range<usize>) -> Result<Vec<u8>, PcoError> {
    let config = ChunkConfig::default();
    let points: Vec<u32> = segment.columns.keys().copied().collect();
    let part: Vec<Vec<Option<i64>>> =
        segment.columns.values().map(|column| column.rows().skip(rows.start).take(rows.len()).collect()).collect();
    let quanta: Vec<i64> = part.iter().flatten().flatten().copied().collect();

    let mut data = Vec::new();
    push_piece(&mut data, &simple_compress(&segment.times[rows], &config)?);
    push_piece(&mut data, &simple_compress(&points, &config)?);
    push_piece(&mut data, &simple_compress(&quanta, &config)?);
    push_bits(&mut data, part.iter().flatten().map(Option::is_some));
    Ok(data)
}

/// The rows again, as a segment of their own; `None` when the bytes are not what [`encode_group`] makes.
pub(super) fn decode_group(mut data: &[u8]) -> Option<Segment> {
    let times = simple_decompress::<i64>(take_piece(&mut data)?).ok()?;
    let points = simple_decompress::<u32>(take_piece(&mut data)?).ok()?;
    let quanta = simple_decompress::<i64>(take_piece(&mut data)?).ok()?;
    let present = take_bits(&mut data, times.len().checked_mul(points.len())?)?;

    let mut quanta = quanta.into_iter();
    let mut columns = BTreeMap::new();
    for (index, point) in points.iter().enumerate() {
        let mut column = Column::default();
        for present in &present[index * times.len()..(index + 1) * times.len()] {
            column.push(if *present { Some(quanta.next()?) } else { None });
        }
        columns.insert(*point, column);
    }
    (quanta.next().is_none() && data.is_empty()).then_some(Segment { id: 0, times, columns })
}

/// The checksum of a blob, bound to where it belongs so that no blob passes for another.
pub(super) fn checksum(place: [i64; 2], data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in place {
        hasher.update(&part.to_le_bytes());
    }
    hasher.update(data);
    hasher.finalize()
}

fn push_piece(data: &mut Vec<u8>, piece: &[u8]) {
    data.extend((piece.len() as u32).to_le_bytes());
    data.extend(piece);
}

fn take_piece<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = data.split_first_chunk::<4>()?;
    let (piece, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *data = rest;
    Some(piece)
}

fn push_bits(data: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let start = data.len();
    for (index, bit) in bits.enumerate() {
        if index % 8 == 0 {
            data.push(0);
        }
        data[start + index / 8] |= u8::from(bit) << (index % 8);
    }
}

fn take_bits(data: &mut &[u8], count: usize) -> Option<Vec<bool>> {
    let (bytes, rest) = data.split_at_checked(count.div_ceil(8))?;
    *data = rest;
    Some((0..count).map(|index| bytes[index / 8] >> (index % 8) & 1 == 1).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_comes_back_as_the_register_had_it() {
        for (value, resolution) in [(58.3, 0.1), (-7.4, 0.1), (0.0, 0.1), (431_250.0, 10.0), (0.4137, 1e-4), (3.0, 1.0)]
        {
            let quanta = quantise(value, resolution).unwrap();
            assert_eq!(restore(quanta, resolution), value, "{value} at {resolution}");
        }
        let odd = 0.1 + 0.2;
        assert_eq!(restore(quantise(odd, 0.0).unwrap(), 0.0), odd);
    }

    #[test]
    fn what_cannot_be_kept_is_a_hole() {
        assert_eq!(quantise(f64::NAN, 0.1), None);
        assert_eq!(quantise(f64::INFINITY, 0.0), None);
        assert_eq!(quantise(1e300, 0.1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn blocks_and_groups_come_back_whole(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(-1_000_000_i64..1_000_000), 3), 1..50),
            resolution in prop::sample::select(vec![0.0, 0.1]),
        ) {
            let mut segment = Segment::default();
            for (index, row) in rows.iter().enumerate() {
                segment.push(index as i64 * 10_000, row.iter().copied().enumerate().map(|(point, value)| (point as u32, value)));
            }
            let again = decode_group(&encode_group(&segment, 0..rows.len()).unwrap()).unwrap();
            prop_assert_eq!(&again, &segment);

            let mut joined = decode_group(&encode_group(&segment, 0..1).unwrap()).unwrap();
            if rows.len() > 1 {
                joined.append(&decode_group(&encode_group(&segment, 1..rows.len()).unwrap()).unwrap());
            }
            prop_assert_eq!(&joined, &segment);

            for column in segment.columns.values() {
                let data = encode_block(column, resolution).unwrap();
                let again = decode_block(&data, rows.len(), resolution);
                prop_assert_eq!(again.as_ref(), Some(column));
            }
        }
    }
}
