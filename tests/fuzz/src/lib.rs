//! What outsiders' bytes go through, and what must hold whatever they are: one function a target.
//!
//! The fuzzer calls these with bytes of its own (`fuzz_targets/`), the gate with the seeds in `corpus/` (`config/tests/fuzz_corpus.rs`
//! includes this very file), so that a find becomes a file and stays one.

use std::fs;
use std::path::Path;

use heatstation_config::import::{AddressBase, import_csv};
use heatstation_config::{Problems, check};
use heatstation_drivers::decode::{EncodeError, decode, encode, preview};
use heatstation_drivers::settings::{Encoding, EnumRow, Polarity, Register, Table, WordOrder};
use heatstation_points::{AuxiliaryPoint, Catalogue, CircuitNames, Unit};

/// Bytes of the fuzzer taken one by one; 0 when they are used up.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn long(&mut self) -> u64 {
        (0..8).fold(0, |sum, _| sum << 8 | u64::from(self.byte()))
    }
}

/// Words of a device: whatever register they are for and whatever they are, they become a value inside the point's range or a
/// fault; and what a value is sent as means the same value, to within a step.
pub fn registers(data: &[u8]) {
    let mut bytes = Bytes(data.iter());
    let order = WordOrder::ALL[usize::from(bytes.byte() % 4)];
    let encoding = match bytes.byte() % 10 {
        0 => Encoding::Bit { bit: Some(bytes.byte() % 16), polarity: Polarity::Straight },
        1 => Encoding::Bit { bit: Some(bytes.byte() % 16), polarity: Polarity::Inverted },
        2 => Encoding::I16,
        3 => Encoding::U16,
        4 => Encoding::I32 { order },
        5 => Encoding::U32 { order },
        6 => Encoding::F32 { order },
        7 => Encoding::I64 { order },
        8 => Encoding::F64 { order },
        _ => {
            let row = |bytes: &mut Bytes<'_>| EnumRow { raw: bytes.word(), value: f64::from(bytes.byte() % 2) };
            Encoding::Enum { rows: (0..bytes.byte() % 5).map(|_| row(&mut bytes)).collect() }
        }
    };
    let is_switch = matches!(encoding, Encoding::Bit { .. } | Encoding::Enum { .. });
    let unit = if is_switch { Unit::Switch } else { Unit::Number };
    let range = if is_switch { (0.0, 1.0) } else { (-1e30, f64::from(bytes.word()) * 1e20) };
    let auxiliary = AuxiliaryPoint { name: "fuzzed".to_owned(), unit, range };
    let circuit = CircuitNames { name: "z".to_owned(), ..CircuitNames::default() };
    let catalogue = Catalogue::new(vec![circuit], vec![auxiliary]).expect("no name stands twice");
    let definition = catalogue.find("auxiliary.fuzzed").expect("it was made").clone();
    let words = usize::from(encoding.words());
    let mut register = Register::input(definition, Table::HoldingRegister, 0, encoding);
    // As a checked file may have them: finite, the scale not zero.
    let (scale, offset) = (f64::from_bits(bytes.long()), f64::from_bits(bytes.long()));
    register.scale = if scale.is_normal() { scale } else { 1.0 };
    register.offset = if offset.is_finite() { offset } else { 0.0 };
    register.invalid = (0..bytes.byte() % 3).map(|_| bytes.long()).collect();
    let came: Vec<u16> = (0..words + usize::from(bytes.byte() == 255)).map(|_| bytes.word()).collect();

    if let [one, two, ..] = came[..] {
        let _ = preview([one, two]);
    }
    let Ok(value) = decode(&register, &came) else { return };
    let number = value.number();
    assert!(number.is_finite() && range.0 <= number && number <= range.1, "{number} is outside of {range:?}");
    match encode(&register, value) {
        Ok(sent) => {
            assert_eq!(sent.len(), words);
            // Far from 0 the offset swallows the steps: then nothing can be said about the last digits.
            let step = register.scale.abs().max(number.abs() * 1e-6).max(register.offset.abs() * 1e-9);
            if let Ok(again) = decode(&register, &sent) {
                let off = (again.number() - number).abs();
                assert!(off <= step || is_switch, "{number} was sent as {sent:?}, {again:?}");
                assert!(off == 0.0 || !is_switch, "{number} was sent as {sent:?}, {again:?}");
            }
        }
        Err(EncodeError::TooBig { .. } | EncodeError::MeansBroken { .. }) => {}
        Err(other) => panic!("{number} came from words and cannot be words: {other}"),
    }
}

/// The text of a station's file: it is a station, or every problem has a place and says what would be right.
pub fn station_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match check("station.toml", text, None) {
        Ok(station) => well_told(&station.warnings),
        Err(problems) => {
            assert!(0 < problems.errors(), "refused without a reason");
            well_told(&problems);
        }
    }
}

/// The text of a device template beside a station's file.
pub fn template(data: &[u8]) {
    beside("devices/fuzzed.toml", data, "template = \"fuzzed\"\nserves = [\"circulation_pump.1\"]\n");
}

/// The text of a CSV file with register rows beside a station's file.
pub fn points_csv(data: &[u8]) {
    beside("fuzzed.csv", data, "points_csv = \"fuzzed.csv\"\n");
}

/// A maker's register list for `import-csv`: what is made of it is a template, as far as it goes.
pub fn register_list(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let base = [AddressBase::Zero, AddressBase::One, AddressBase::Modicon][usize::from(first % 3)];
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match import_csv("list.csv", text, base) {
        // Its title and source are filled with dots that somebody has to replace, and it is a template all the same.
        Ok(draft) => beside("devices/fuzzed.toml", draft.template.as_bytes(), "template = \"fuzzed\"\n"),
        Err(problems) => well_told(&problems),
    }
}

const STATION: &str = "[station]\nid = \"k1\"\nname = \"n\"\nstandard = \"zibo\"\nheated_area_m2 = 3000\n\
    design_outdoor_celsius = -9\n[season]\nfirst_day = 2026-11-15\nlast_day = 2027-03-15\n[[wire]]\nname = \"plc\"\n\
    address = \"127.0.0.1:5020\"\n[[circuit]]\nname = \"z\"\nheated_area_m2 = 3000\nemitter = \"radiator\"\n\
    [[device]]\nname = \"d\"\n";

/// Checks a station whose device refers to a file with these bytes in its folder.
fn beside(name: &str, data: &[u8], device: &str) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder for the files");
    }
    FOLDER.with(|folder| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        fs::write(&path, data).expect("the file can be written");
        station_in(folder.path(), device);
    });
}

fn station_in(folder: &Path, device: &str) {
    match check("station.toml", &format!("{STATION}{device}"), Some(folder)) {
        Ok(station) => well_told(&station.warnings),
        Err(problems) => well_told(&problems),
    }
}

/// Every problem names a file and a place in it, says what is wrong and what would be right, and can be printed.
fn well_told(problems: &Problems) {
    for problem in problems.list() {
        assert!(!problem.file.is_empty() && problem.file != "?", "{problem:?}");
        assert!(1 <= problem.line && 1 <= problem.column, "{problem:?}");
        assert!(!problem.what.is_empty() && !problem.help.is_empty(), "{problem:?}");
    }
    let _ = (problems.to_string(), problems.coloured(), problems.to_json());
}
