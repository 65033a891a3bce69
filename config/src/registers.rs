//! One row of a register map: from what is written to what the driver reads.

use std::time::Duration;

use heatstation_drivers::SettingsProblem;
use heatstation_drivers::settings::{
    DeviceSettings, Encoding, EnumRow, Memory, Polarity, ReadBack, ReadLimits, Register, Table, TableLimits,
    WatchdogRule, WordOrder, WriteFunction, WriteRules,
};
use heatstation_points::{Definition, Direction, Pace};

use crate::desk::{Desk, Section, derived, one_of, or, shown};
use crate::problem::Place;
use crate::raw::{
    RawEncoding, RawInvalid, RawLimits, RawPeriods, RawReadBack, RawRow, RawTable, RawTableLimits, RawWatchdog,
    RawWordOrder, RawWrite, RawWriteFunction,
};
use crate::units;
use crate::written::Written;

/// How often points are read, by their pace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Periods {
    safety: Duration,
    control: Duration,
    meter: Duration,
    slow: Duration,
}

impl Periods {
    /// The period of a pace.
    pub(crate) fn of(&self, pace: Pace) -> Duration {
        match pace {
            Pace::Safety => self.safety,
            Pace::Control => self.control,
            Pace::Meter => self.meter,
            Pace::Slow => self.slow,
        }
    }
}

/// What holds for all rows of a device unless a row says otherwise.
#[derive(Debug)]
pub(crate) struct Manners<'a> {
    pub limits: ReadLimits,
    pub periods: Periods,
    pub write: WriteRules,
    pub watchdog: Option<WatchdogRule>,
    pub order: WordOrder,
    pub invalid: Option<&'a RawInvalid>,
}

/// A table that a template and a station may both have: the station's key goes before the template's.
pub(crate) struct Both<'a, T> {
    pub station: (Section, Option<&'a T>),
    pub template: (Section, Option<&'a T>),
}

impl<T> Both<'_, T> {
    /// A table inside of the table.
    fn inner<V>(&self, key: &str, get: impl Fn(&T) -> Option<&Written<V>>) -> Both<'_, V> {
        let station = self.station.1.and_then(&get);
        let template = self.template.1.and_then(&get);
        Both {
            station: (self.station.0.inner(key, station), station.map(|written| &written.value)),
            template: (self.template.0.inner(key, template), template.map(|written| &written.value)),
        }
    }

    /// A key of the table with the section that it is in.
    fn key<V>(&self, get: impl Fn(&T) -> Option<&V>) -> (&Section, Option<&V>) {
        let station = self.station.1.and_then(&get);
        match (station, self.template.1.and_then(&get)) {
            (None, Some(value)) => (&self.template.0, Some(value)),
            (value, _) => (&self.station.0, value),
        }
    }
}

macro_rules! both {
    ($both:expr, $key:ident) => {
        $both.key(|raw| raw.$key.as_ref())
    };
}

pub(crate) fn periods(desk: &mut Desk, both: &Both<'_, RawPeriods>) -> Periods {
    let mut period = |(at, raw): (&Section, Option<&Written<f64>>), key, seconds, reason| {
        desk.number(at, key, raw, 0.1..=86_400.0, or(seconds, reason)).duration()
    };
    Periods {
        safety: period(both!(both, safety_seconds), "safety_seconds", 1.0, "interlock inputs are read every second"),
        control: period(
            both!(both, control_seconds),
            "control_seconds",
            2.0,
            "temperatures for control are read every 1 to 5 s",
        ),
        meter: period(both!(both, meter_seconds), "meter_seconds", 10.0, "meters are read every 5 to 60 s"),
        slow: period(both!(both, slow_seconds), "slow_seconds", 60.0, "rooms, buildings and counters move in minutes"),
    }
}

type OwnLimits = fn(&RawLimits) -> Option<&Written<RawTableLimits>>;

/// The address spaces that may have limits of their own, and their keys.
const TABLES: [(Table, &str, OwnLimits); 4] = [
    (Table::Coil, "coil", |raw| raw.coil.as_ref()),
    (Table::DiscreteInput, "discrete_input", |raw| raw.discrete_input.as_ref()),
    (Table::InputRegister, "input_register", |raw| raw.input_register.as_ref()),
    (Table::HoldingRegister, "holding_register", |raw| raw.holding_register.as_ref()),
];

pub(crate) fn limits(desk: &mut Desk, both: &Both<'_, RawLimits>) -> ReadLimits {
    let standard = ReadLimits::default();
    let protocol = "the limit of the protocol (Modbus Application Protocol V1.1b3, 6.1 to 6.4)";
    let (at, raw) = both!(both, max_registers);
    let max_registers = desk.count(at, "max_registers", raw, 1..=125, or(125, protocol)).value as u16;
    let (at, raw) = both!(both, max_bits);
    let max_bits = desk.count(at, "max_bits", raw, 1..=2000, or(2000, protocol)).value as u16;
    let (at, raw) = both!(both, max_hole);
    let hole =
        or(u64::from(standard.max_hole), "32 bytes more cost less than a further request from 9600 baud upwards");
    let max_hole = desk.count(at, "max_hole", raw, 0..=124, hole).value as u16;

    let tables = TABLES.into_iter().filter_map(|(of, key, get)| {
        let own = both.inner(key, get);
        if own.station.1.is_none() && own.template.1.is_none() {
            return None;
        }
        let (most, device) = if of.holds_bits() { (2000, max_bits) } else { (125, max_registers) };
        let (at, raw) = both!(own, max_length);
        let length = derived(u64::from(device), "what holds for the device");
        let length = desk.count(at, "max_length", raw, 1..=most, length);
        // A limit that is told to be wrong refuses no register besides.
        let max_length = if length.sound { length.value as u16 } else { device };
        let (at, raw) = both!(own, max_hole);
        let hole = derived(u64::from(max_hole), "what holds for the device");
        let max_hole = desk.count(at, "max_hole", raw, 0..=1999, hole).value as u16;
        Some((of, TableLimits { max_length: Some(max_length), max_hole: Some(max_hole) }))
    });
    let tables = tables.collect();

    let mut forbidden = Vec::new();
    for (section, raw) in [&both.template, &both.station].map(|(section, raw)| (section, *raw)) {
        for range in raw.map(|raw| raw.forbidden.as_slice()).unwrap_or_default() {
            let place = section.at(&range.span);
            let shown = format!("{} {} to {}", table(range.value.table).name(), range.value.first, range.value.last);
            desk.explain_written(&section.key("forbidden"), shown, &place);
            if range.value.last < range.value.first {
                desk.error(
                    &place,
                    section.key("forbidden"),
                    "ends before it begins",
                    "write first and last the other way round",
                );
            } else {
                forbidden.push((table(range.value.table), range.value.first..=range.value.last));
            }
        }
    }
    ReadLimits { max_registers, max_bits, max_hole, tables, forbidden }
}

/// What the watchdog of a device must be; `base` is added to an address of its template.
pub(crate) fn watchdog(
    desk: &mut Desk,
    both: &Both<'_, RawWatchdog>,
    base: u64,
    refresh: Duration,
) -> Option<WatchdogRule> {
    let (at, raw) = both!(both, address);
    let Some(written) = raw else {
        for (section, raw) in [&both.template, &both.station] {
            if raw.is_some() {
                desk.missing(
                    &section.place,
                    &section.key("address"),
                    "write where its time stands, as in `address = 46`",
                );
            }
        }
        return None;
    };
    let (asked_at, asked) = both!(both, asked);
    if let Some(asked) = asked {
        desk.explain_written(&asked_at.key("asked"), asked.value.to_string(), &asked_at.at(&asked.span));
    }
    if let Some(asked) = asked.filter(|asked| !asked.value) {
        let what = "nobody asks this device whether it would notice that the computer is gone";
        let help = "try it at commissioning, or give its watchdog a register that can be read";
        desk.warn(&asked_at.at(&asked.span), asked_at.key("asked"), what.to_owned(), help);
        return None;
    }
    let from_template = both.station.1.is_none_or(|raw| raw.address.is_none());
    let address =
        desk.count(at, "address", Some(written), 0..=65_535, or(0, "")).value + if from_template { base } else { 0 };
    let (at, raw) = both!(both, table);
    let holding = or(RawTable::HoldingRegister, "where parameters of PLCs and drives stand");
    let table_at = desk.choice(at, "table", raw, holding, RawTable::HoldingRegister);
    let (at, raw) = both!(both, seconds_per_count);
    let count = desk.number(at, "seconds_per_count", raw, 0.001..=3600.0, or(1.0, "most watchdogs count seconds"));
    let (at, raw) = both!(both, min_seconds);
    let twice = derived(2.0 * refresh.as_secs_f64(), "two refreshes of the outputs: one of them may be lost");
    let least = desk.number(at, "min_seconds", raw, 0.1..=3600.0, twice);
    let (at, raw) = both!(both, max_seconds);
    let usual = or(60.0, "PLCs and drives are delivered with 60 s (Danfoss FC 102, parameter 8-03)");
    let most = desk.number(at, "max_seconds", raw, 0.1..=3600.0, usual);
    desk.not_above(&least, &most, "a time has to lie between the two");
    if least.sound && least.value <= refresh.as_secs_f64() {
        let what = format!("{} s is no longer than the refresh of its outputs", shown(least.value));
        let help = "such a watchdog bites in normal running: write a longer one, or a shorter `refresh_seconds`";
        desk.error(&least.place, least.key.as_str(), what, help);
    }
    if address > 65_535 {
        desk.error(&at.place, at.key("address"), format!("{address} is no address"), "addresses end at 65535");
    }
    Some(WatchdogRule {
        table: table(table_at.value),
        address: address.min(65_535) as u16,
        seconds_per_count: count.value,
        least: least.duration(),
        most: most.duration(),
    })
}

/// The write rules that hold for a device.
pub(crate) fn write_rules(desk: &mut Desk, both: &Both<'_, RawWrite>) -> WriteRules {
    let standard = WriteRules::default();
    let (at, raw) = both!(both, function);
    let automatic = or(RawWriteFunction::Automatic, "the function that fits table and encoding");
    let function = desk.choice(at, "function", raw, automatic, RawWriteFunction::Automatic).value;
    let (at, raw) = both!(both, minimum_interval_seconds);
    let reason = "at most one write a second";
    let interval = desk.number(
        at,
        "minimum_interval_seconds",
        raw,
        0.0..=3600.0,
        or(standard.minimum_interval.as_secs_f64(), reason),
    );
    let (at, raw) = both!(both, refresh_seconds);
    let reason = "feeds a drive's usual watchdog of 60 s six times over (Danfoss FC 102, parameter 8-03)";
    let refresh = desk.number(at, "refresh_seconds", raw, 0.1..=3600.0, or(standard.refresh.as_secs_f64(), reason));
    let (at, raw) = both!(both, tolerance);
    let tolerance = desk.number(at, "tolerance", raw, 0.0..=1e6, or(0.0, "one step of the encoding is granted anyway"));
    let (at, raw) = both!(both, read_back);
    let same = or(RawReadBack::SameRegister, "an output is verified where it was written");
    let read_back = desk.choice(at, "read_back", raw, same, RawReadBack::SameRegister).value;
    let (at, raw) = both!(both, settling_seconds);
    let reason = "drives copy a set-point into place in their own cycle, within some tenths of a second";
    let settling = desk.number(at, "settling_seconds", raw, 0.0..=600.0, or(standard.settling.as_secs_f64(), reason));
    let merge = flag(desk, both!(both, merge), "merge", "not every device knows functions 15 and 16");
    let barrier =
        flag(desk, both!(both, barrier), "barrier", "rows are sent in their order, but none waits for another");
    let (at, raw) = both!(both, writes_per_year);
    let unlimited = or(0, "0: writing wears nothing out");
    let writes = desk.count(at, "writes_per_year", raw, 0..=100_000_000, unlimited).value;

    WriteRules {
        function: write_function(function),
        minimum_interval: interval.duration(),
        refresh: refresh.duration(),
        tolerance: tolerance.value,
        read_back: verified(read_back),
        settling: settling.duration(),
        merge,
        barrier,
        memory: memory(writes),
    }
}

/// A key that is off unless written.
fn flag(desk: &mut Desk, (at, raw): (&Section, Option<&Written<bool>>), key: &str, reason: &'static str) -> bool {
    if let Some(written) = raw {
        desk.explain_written(&at.key(key), written.value.to_string(), &at.at(&written.span));
    } else {
        desk.explain(&at.key(key), "false", crate::explain::From::Default { reason: reason.into() });
    }
    raw.is_some_and(|written| written.value)
}

fn verified(raw: RawReadBack) -> ReadBack {
    match raw {
        RawReadBack::Impossible => ReadBack::Impossible,
        RawReadBack::SameRegister => ReadBack::SameRegister,
    }
}

fn memory(writes: u64) -> Memory {
    match u32::try_from(writes) {
        Ok(0) | Err(_) => Memory::Volatile,
        Ok(writes_per_year) => Memory::NonVolatile { writes_per_year },
    }
}

/// A row, the point that it means and the address that it came to.
pub(crate) struct Placed<'a> {
    pub row: &'a RawRow,
    pub definition: &'a Definition,
    pub address: u32,
    pub table: Option<RawTable>,
    pub place: Place,
}

/// The register of a row; none if it cannot be one, with all reasons noted.
pub(crate) fn register(
    desk: &mut Desk,
    device: &DeviceSettings,
    manners: &Manners<'_>,
    placed: &Placed<'_>,
) -> Option<Register> {
    let (row, definition, place) = (placed.row, placed.definition, &placed.place);
    let key = format!("device.{}.{}", device.name, definition.name);
    let mut wrong = |what: &str, help: String| desk.error(place, key.as_str(), what, help);

    let Ok(address) = u16::try_from(placed.address) else {
        wrong(
            &format!("address {} is beyond 65535", placed.address),
            "addresses are counted from 0 to 65535".to_owned(),
        );
        return None;
    };
    let Some(raw_table) = row.table.or(placed.table) else {
        wrong(
            "its table is missing",
            "write `table`: coil, discrete-input, input-register or holding-register".to_owned(),
        );
        return None;
    };
    let table = table(raw_table);
    let Some(raw_encoding) = row.encoding.or((row.bit.is_some() || table.holds_bits()).then_some(RawEncoding::Bit))
    else {
        let help = "write `encoding`, as in \"i16\", \"u16\", \"f32\", or `bit` for a bit of a word".to_owned();
        wrong("its encoding is missing", help);
        return None;
    };
    let order = row.order.map_or(manners.order, word_order);
    let encoding = encoding(raw_encoding, row, order);
    for (surplus, name) in [
        (row.bit.is_some() && raw_encoding != RawEncoding::Bit, "bit"),
        (row.inverted.is_some() && raw_encoding != RawEncoding::Bit, "inverted"),
        (row.codes.is_some() && raw_encoding != RawEncoding::Enum, "codes"),
        (row.order.is_some() && encoding.words() == 1, "order"),
    ] {
        if surplus {
            wrong(
                &format!("`{name}` has no meaning for this encoding"),
                format!("leave `{name}` out, or change the encoding"),
            );
        }
    }
    if let Some((_, value)) = row.codes.iter().flatten().find(|(_, value)| definition.accept(*value).is_err()) {
        let help = format!("values of this point are from {} to {}", definition.range.0, definition.range.1);
        wrong(&format!("its codes give {value}, which the point does not believe"), help);
    }
    let factor = match &row.unit {
        None => 1.0,
        Some(unit) => units::factor(unit, definition.unit).unwrap_or_else(|| {
            let help = one_of(unit, units::spoken(definition.unit));
            wrong(&format!("`{unit}` is no unit of a point in {}", definition.unit), help);
            1.0
        }),
    };
    let period = match row.period_seconds {
        None => manners.periods.of(definition.pace),
        Some(seconds) if (0.1..=86_400.0).contains(&seconds) => Duration::from_secs_f64(seconds),
        Some(seconds) => {
            wrong(&format!("a period of {seconds} s is out of range"), "write a number from 0.1 to 86400 s".to_owned());
            manners.periods.of(definition.pace)
        }
    };
    let invalid = row.invalid.clone().unwrap_or_else(|| usual_invalid(manners.invalid, raw_encoding));
    let write =
        (definition.direction == Direction::Output).then(|| row_write_rules(desk, &key, placed, manners, table));
    if (row.write.is_some() || row.read_back_address.is_some()) && write.is_none() {
        desk.error(place, key.as_str(), "is read, never written", "leave `write` and `read_back_address` out");
    }
    if row.read_back_table.is_some() && row.read_back_address.is_none() {
        let help = "write `read_back_address` with it, or leave it out";
        desk.error(place, key.as_str(), "`read_back_table` alone has no meaning", help);
    }
    let register = Register {
        definition: definition.clone(),
        table,
        address,
        encoding,
        scale: row.scale.unwrap_or(1.0) * factor,
        offset: row.offset.unwrap_or(0.0) * factor,
        invalid,
        period,
        write,
    };
    // The driver has the last word on what it can do; asked for this row alone, its answer has a place.
    let alone = DeviceSettings { registers: vec![register.clone()], ..device.clone() };
    let mut sound = true;
    for problem in alone.problems() {
        if let SettingsProblem::Register { what, .. } = problem {
            sound = false;
            desk.error(place, key.as_str(), what, "see the device's manual for table, address and type of this value");
        }
    }
    sound.then_some(register)
}

fn row_write_rules(desk: &mut Desk, key: &str, placed: &Placed<'_>, manners: &Manners<'_>, own: Table) -> WriteRules {
    let (raw, place) = (placed.row, &placed.place);
    let mut rules = manners.write.clone();
    if let Some(row) = raw.write.as_deref() {
        let mut time = |written: &Option<Written<f64>>, name: &str, rule: &mut Duration| {
            if let Some(written) = written {
                if (0.0..=86_400.0).contains(&written.value) {
                    *rule = Duration::from_secs_f64(written.value);
                } else {
                    let what = format!("{name} of {} s is out of range", written.value);
                    desk.error(place, key, what, "write a number from 0 to 86400 s");
                }
            }
        };
        time(&row.minimum_interval_seconds, "minimum_interval_seconds", &mut rules.minimum_interval);
        time(&row.refresh_seconds, "refresh_seconds", &mut rules.refresh);
        time(&row.settling_seconds, "settling_seconds", &mut rules.settling);
        rules.merge = row.merge.as_ref().map_or(rules.merge, |written| written.value);
        rules.barrier = row.barrier.as_ref().map_or(rules.barrier, |written| written.value);
        rules.function = row.function.as_ref().map_or(rules.function, |written| write_function(written.value));
        rules.tolerance = row.tolerance.as_ref().map_or(rules.tolerance, |written| written.value);
        rules.memory = row.writes_per_year.as_ref().map_or(rules.memory, |written| memory(written.value));
        rules.read_back = row.read_back.as_ref().map_or(rules.read_back, |written| verified(written.value));
    }
    if let Some(address) = raw.read_back_address {
        let table = raw.read_back_table.map_or(own, table);
        rules.read_back = ReadBack::OtherRegister { table, address };
    }
    rules
}

fn usual_invalid(invalid: Option<&RawInvalid>, encoding: RawEncoding) -> Vec<u64> {
    let Some(invalid) = invalid else { return Vec::new() };
    match encoding {
        RawEncoding::Bit | RawEncoding::Enum => Vec::new(),
        RawEncoding::I16 => invalid.i16.clone(),
        RawEncoding::U16 => invalid.u16.clone(),
        RawEncoding::I32 => invalid.i32.clone(),
        RawEncoding::U32 => invalid.u32.clone(),
        RawEncoding::F32 => invalid.f32.clone(),
        RawEncoding::I64 => invalid.i64.clone(),
        RawEncoding::U64 => invalid.u64.clone(),
        RawEncoding::F64 => invalid.f64.clone(),
    }
}

fn encoding(raw: RawEncoding, row: &RawRow, order: WordOrder) -> Encoding {
    match raw {
        RawEncoding::Bit => {
            let polarity = if row.inverted == Some(true) { Polarity::Inverted } else { Polarity::Straight };
            Encoding::Bit { bit: row.bit, polarity }
        }
        RawEncoding::I16 => Encoding::I16,
        RawEncoding::U16 => Encoding::U16,
        RawEncoding::I32 => Encoding::I32 { order },
        RawEncoding::U32 => Encoding::U32 { order },
        RawEncoding::F32 => Encoding::F32 { order },
        RawEncoding::I64 => Encoding::I64 { order },
        RawEncoding::U64 => Encoding::U64 { order },
        RawEncoding::F64 => Encoding::F64 { order },
        RawEncoding::Enum => {
            let rows = row.codes.iter().flatten().map(|&(raw, value)| EnumRow { raw, value }).collect();
            Encoding::Enum { rows }
        }
    }
}

pub(crate) fn table(raw: RawTable) -> Table {
    match raw {
        RawTable::Coil => Table::Coil,
        RawTable::DiscreteInput => Table::DiscreteInput,
        RawTable::InputRegister => Table::InputRegister,
        RawTable::HoldingRegister => Table::HoldingRegister,
    }
}

pub(crate) fn word_order(raw: RawWordOrder) -> WordOrder {
    match raw {
        RawWordOrder::Abcd => WordOrder::Abcd,
        RawWordOrder::Cdab => WordOrder::Cdab,
        RawWordOrder::Badc => WordOrder::Badc,
        RawWordOrder::Dcba => WordOrder::Dcba,
    }
}

fn write_function(raw: RawWriteFunction) -> WriteFunction {
    match raw {
        RawWriteFunction::Automatic => WriteFunction::Automatic,
        RawWriteFunction::SingleCoil => WriteFunction::SingleCoil,
        RawWriteFunction::MultipleCoils => WriteFunction::MultipleCoils,
        RawWriteFunction::SingleRegister => WriteFunction::SingleRegister,
        RawWriteFunction::MultipleRegisters => WriteFunction::MultipleRegisters,
        RawWriteFunction::MaskRegister => WriteFunction::MaskRegister,
        RawWriteFunction::ReadModifyWrite => WriteFunction::ReadModifyWrite,
    }
}
