//! A maker's register list as CSV becomes the first draft of a template.
//!
//! Lists come with Chinese or English headings, addresses as `40001`, types as `FLOAT CDAB`, scales as `×0.1`. What can be read without
//! doubt is read; a name is taken for a point if it is the point's own name, in text or in Chinese; everything else stays in the
//! draft as a remark with its line, so that nothing is lost and nothing is guessed. Somebody reads the draft against the manual before a
//! plant is run by it.

use std::fmt::Write;
use std::path::Path;

use heatstation_points::{
    BuildingOutput, BuildingSignal, CircuitOutput, CircuitSignal, PumpOutput, PumpSignal, RoomSignal, StationSignal,
    Unit,
};

use crate::desk::Desk;
use crate::files;
use crate::problem::{Kind, Place, Problems};
use crate::units;

/// No list has more rows; a longer file is something else.
const ROWS_MAX: usize = 20_000;

/// How a list counts its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressBase {
    /// As on the wire: the first is 0.
    Zero,
    /// Register numbers: the first is 1.
    One,
    /// 40001 is the first holding register, 30001 the first input register, 10001 the first discrete input, 00001 the first coil.
    Modicon,
}

/// A draft and what became of the list.
#[derive(Debug)]
pub struct Draft {
    /// The text of the template.
    pub template: String,
    /// How many rows became rows of it.
    pub taken: usize,
    /// How many stand in it as remarks.
    pub left: usize,
}

const COLUMNS: [(Column, &[&str]); 9] = [
    (
        Column::Point,
        &[
            "point",
            "name",
            "signal",
            "tag",
            "parameter",
            "点名",
            "名称",
            "信号",
            "变量",
            "变量名",
            "参数",
            "参数名称",
            "测点",
            "测点名称",
            "描述",
            "description",
        ],
    ),
    (
        Column::Address,
        &["address", "addr", "register", "reg", "地址", "寄存器", "寄存器地址", "modbus地址", "通讯地址", "通信地址"],
    ),
    (Column::Table, &["table", "area", "function", "functioncode", "fc", "功能码", "寄存器类型", "区"]),
    (Column::Kind, &["encoding", "type", "datatype", "format", "数据类型", "类型", "格式"]),
    (Column::Bit, &["bit", "位", "位号"]),
    (Column::Order, &["order", "byteorder", "wordorder", "字节序", "字序"]),
    (Column::Scale, &["scale", "factor", "multiplier", "resolution", "比例", "系数", "倍率", "分辨率"]),
    (Column::Offset, &["offset", "偏移", "偏移量"]),
    (Column::Unit, &["unit", "units", "单位"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Point,
    Address,
    Table,
    Kind,
    Bit,
    Order,
    Scale,
    Offset,
    Unit,
}

/// Whose point a row is, as a template has blocks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Station,
    Circuit,
    CirculationPump(u32),
    MakeUpPump(u32),
    Building,
    Room,
}

struct Row {
    owner: Owner,
    point: &'static str,
    table: &'static str,
    address: u16,
    rest: String,
    line: usize,
}

/// The draft of a template from a list on disk, which is UTF-8 text.
///
/// # Errors
/// See [`import_csv`]; also if the file cannot be read, or has other bytes, as one that a spreadsheet saved as GBK has.
pub fn load(path: &Path, base: AddressBase) -> Result<Draft, Problems> {
    let name = path.display().to_string();
    match files::read(path) {
        Ok(text) => import_csv(&name, &text, base),
        Err(what) => {
            let mut desk = Desk::default();
            let file = desk.add(name, "", Kind::Points);
            let help =
                "give a CSV file in UTF-8; what a spreadsheet saved as GBK becomes so by `iconv -f GBK -t UTF-8`";
            desk.error(&Place { file, span: 0..0 }, "", format!("the file {what}"), help);
            Err(desk.close().0)
        }
    }
}

/// The draft of a template from the text of a list that goes by that name.
///
/// # Errors
/// Every row that cannot be read, with its line, and a first line without the columns that are needed.
pub fn import_csv(name: &str, text: &str, base: AddressBase) -> Result<Draft, Problems> {
    let mut desk = Desk::default();
    let file = desk.add(name, text, Kind::Points);
    let mut rows = Vec::new();
    let mut remarks = Vec::new();
    read(&mut desk, file, base, &mut rows, &mut remarks);
    if rows.is_empty() && !desk.has_errors() {
        let help = "name the points as `heatstation points` does, or in Chinese as its list says";
        desk.error(&Place { file, span: 0..0 }, "", "none of its rows names a point", help);
    }
    if desk.has_errors() {
        return Err(desk.close().0);
    }
    let (taken, left) = (rows.len(), remarks.len());
    Ok(Draft { template: written(name, &rows, &remarks), taken, left })
}

fn read(desk: &mut Desk, file: usize, base: AddressBase, rows: &mut Vec<Row>, remarks: &mut Vec<String>) {
    let text = desk.sources.0[file].text.clone();
    let body = text.trim_start_matches('\u{feff}');
    let delimiter = delimiter(body);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).flexible(true).from_reader(body.as_bytes());
    let top = Place { file, span: 0..text.find('\n').unwrap_or(text.len()) };
    let headings: Vec<String> = match reader.headers() {
        Ok(headings) => headings.iter().map(plain).collect(),
        Err(error) => {
            return desk.error(&top, "", format!("its first line cannot be read: {error}"), "it names the columns");
        }
    };
    let columns: Vec<Option<usize>> = COLUMNS.iter().map(|(_, names)| place_of(&headings, names)).collect();
    for needed in [Column::Point, Column::Address] {
        if columns[needed as usize].is_none() {
            let names = COLUMNS[needed as usize].1.join(", ");
            desk.error(&top, "", "a column is missing", format!("name it one of: {names}"));
        }
    }
    if desk.has_errors() {
        return;
    }
    for (number, record) in reader.records().take(ROWS_MAX).enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                desk.error(&top, "", format!("row {}: {error}", number + 1), "write it as the rows above it");
                continue;
            }
        };
        let line = record.position().map_or(number as u64 + 2, csv::Position::line) as usize;
        let place = line_place(&text, file, line);
        let cell = |column: Column| {
            let text = columns[column as usize].and_then(|at| record.get(at)).unwrap_or_default();
            if text.is_empty() { None } else { Some(text) }
        };
        let Some(called) = cell(Column::Point) else { continue };
        let Some((owner, point, unit)) = point_of(called) else {
            let cells: Vec<&str> = record.iter().collect();
            remarks.push(format!("line {line}: {}", cells.join(" | ")));
            continue;
        };
        let wrong = |what: String, help: &str, desk: &mut Desk| desk.error(&place, called, what, help);
        let written = cell(Column::Address).unwrap_or_default();
        let Some((said, address)) = address(written, base) else {
            let help = "write a number, as 40001, 0x10 or 2006H; see --address-base";
            wrong(format!("{written:?} is no address"), help, desk);
            continue;
        };
        let named = match cell(Column::Table).map(|text| (text, table(text))) {
            Some((text, None)) => {
                wrong(format!("{text:?} is no table"), "write 01 to 04, coil, input, holding, 保持寄存器", desk);
                continue;
            }
            Some((_, Some(named))) => Some(named),
            None => None,
        };
        let kind = cell(Column::Kind).unwrap_or("");
        let order = order(cell(Column::Order).unwrap_or(kind));
        let table = named.or(said).unwrap_or("holding-register");
        match rest(&cell, kind, order, unit, table) {
            Ok(rest) => rows.push(Row { owner, point, table, address, rest, line }),
            Err((what, help)) => wrong(what, help, desk),
        }
    }
}

/// What stands behind the address: encoding, order, scale, offset, unit.
fn rest<'a>(
    cell: &impl Fn(Column) -> Option<&'a str>,
    kind: &str,
    order: Option<&'static str>,
    unit: Unit,
    table: &str,
) -> Result<String, (String, &'static str)> {
    let mut rest = String::new();
    let mut add = |key: &str, value: &str| _ = write!(rest, ", {key} = {value}");
    if let Some(bit) = cell(Column::Bit) {
        let bit = bit.parse::<u8>().ok().filter(|bit| *bit < 16);
        add("bit", &bit.ok_or_else(|| ("its bit is none".to_owned(), "write 0 to 15"))?.to_string());
        return Ok(rest);
    }
    if table == "coil" || table == "discrete-input" {
        return Ok(rest);
    }
    let encoding = encoding(kind).ok_or_else(|| {
        (
            format!("{kind:?} is no type of data"),
            "write int16, uint16, int32, uint32 or float, or the bit in a column of its own",
        )
    })?;
    add("encoding", &format!("{encoding:?}"));
    if let Some(order) = order.filter(|_| encoding.ends_with("32") || encoding.ends_with("64")) {
        add("order", &format!("{order:?}"));
    }
    for (column, key) in [(Column::Scale, "scale"), (Column::Offset, "offset")] {
        let Some(text) = cell(column) else { continue };
        let number =
            number(text).ok_or_else(|| (format!("{text:?} is no {key}"), "write a number, as 0.1, ×0.1 or /10"))?;
        add(key, &format!("{number:?}"));
    }
    if let Some(text) = cell(Column::Unit) {
        let spoken = spoken(text).filter(|spoken| units::factor(spoken, unit).is_some());
        let spoken =
            spoken.ok_or_else(|| (format!("{text:?} is no unit of a point in {unit}"), "see the unit of the point"))?;
        add("unit", &format!("{spoken:?}"));
    }
    Ok(rest)
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |mark: char| first.chars().filter(|c| *c == mark).count();
    match (count(','), count(';'), count('\t')) {
        (commas, semicolons, tabs) if tabs > commas && tabs >= semicolons => b'\t',
        (commas, semicolons, _) if semicolons > commas => b';',
        _ => b',',
    }
}

/// A heading or a name without what people write differently: blanks, case, dashes, what stands in brackets.
fn plain(text: &str) -> String {
    let before = text.split(['(', '（', '[']).next().unwrap_or_default();
    before.chars().filter(|c| !c.is_whitespace() && !"-_.#".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn place_of(headings: &[String], names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| headings.iter().position(|heading| heading == name))
}

fn line_place(text: &str, file: usize, line: usize) -> Place {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
    Place { file, span: start..end }
}

/// The point that a name means, with its unit.
fn point_of(called: &str) -> Option<(Owner, &'static str, Unit)> {
    let name = plain(called);
    for (marks, owner) in [
        (["循环泵", "circulationpump"], Owner::CirculationPump as fn(u32) -> Owner),
        (["补水泵", "makeuppump"], Owner::MakeUpPump as fn(u32) -> Owner),
    ] {
        let Some(mark) = marks.iter().find(|mark| name.contains(**mark)) else { continue };
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let what: String = name.replace(mark, "").chars().filter(|c| !c.is_ascii_digit() && *c != '号').collect();
        let signals = PumpSignal::ALL.iter().map(|signal| (signal.name(), signal.chinese(), signal.unit()));
        let outputs = PumpOutput::ALL.iter().map(|output| (output.name(), output.chinese(), output.unit()));
        let (point, unit) = named(&what, signals.chain(outputs))?;
        return Some((owner(digits.parse().ok().filter(|plate| (1..=9).contains(plate)).unwrap_or(1)), point, unit));
    }
    macro_rules! among {
        ($owner:expr, $($list:ident),+) => {
            let all = std::iter::empty()$(.chain($list::ALL.iter().map(|one| (one.name(), one.chinese(), one.unit()))))+;
            if let Some((point, unit)) = named(&name, all) {
                return Some(($owner, point, unit));
            }
        };
    }
    among!(Owner::Station, StationSignal);
    among!(Owner::Circuit, CircuitSignal, CircuitOutput);
    among!(Owner::Building, BuildingSignal, BuildingOutput);
    among!(Owner::Room, RoomSignal);
    None
}

fn named(
    name: &str,
    mut all: impl Iterator<Item = (&'static str, &'static str, Unit)>,
) -> Option<(&'static str, Unit)> {
    all.find(|(text, chinese, _)| plain(text) == name || plain(chinese) == name).map(|(text, _, unit)| (text, unit))
}

/// The table that an address says by its first digit, if it does, and the address on the wire.
fn address(text: &str, base: AddressBase) -> Option<(Option<&'static str>, u16)> {
    let first = text.split(['-', '~', '–', '至']).next()?.trim();
    let number = if let Some(digits) = first.strip_prefix("0x").or_else(|| first.strip_prefix("0X")) {
        u32::from_str_radix(digits, 16).ok()?
    } else if let Some(digits) = first.strip_suffix(['H', 'h']) {
        u32::from_str_radix(digits, 16).ok()?
    } else {
        let digits = first.replace(['x', 'X'], "");
        if base == AddressBase::Modicon {
            let (lead, rest) = (digits.get(..1)?, digits.get(1..)?);
            let table = match lead {
                "0" => "coil",
                "1" => "discrete-input",
                "3" => "input-register",
                "4" => "holding-register",
                _ => return None,
            };
            let number = rest.parse::<u32>().ok().filter(|_| (4..=5).contains(&rest.len()))?;
            return Some((Some(table), u16::try_from(number.checked_sub(1)?).ok()?));
        }
        digits.parse().ok()?
    };
    let number = if base == AddressBase::One { number.checked_sub(1)? } else { number };
    Some((None, u16::try_from(number).ok()?))
}

fn table(text: &str) -> Option<&'static str> {
    match plain(text).as_str() {
        "1" | "01" | "01h" | "0x" | "coil" | "coils" | "线圈" => Some("coil"),
        "2" | "02" | "02h" | "1x" | "discreteinput" | "discrete" | "离散输入" => Some("discrete-input"),
        "4" | "04" | "04h" | "3x" | "input" | "inputregister" | "ir" | "输入寄存器" => Some("input-register"),
        "3" | "03" | "03h" | "4x" | "holding" | "holdingregister" | "hr" | "保持寄存器" => {
            Some("holding-register")
        }
        _ => None,
    }
}

fn encoding(text: &str) -> Option<&'static str> {
    let kind = plain(text);
    let has = |part: &str| kind.contains(part);
    let unsigned =
        has("uint") || has("word") || has("udint") || has("无符号") || has("ushort") || kind.starts_with('u');
    Some(match () {
        () if has("double") || has("float64") || has("f64") => "f64",
        () if has("float") || has("real") || has("浮点") || has("f32") => "f32",
        () if (has("64") || has("qword")) && unsigned => "u64",
        () if has("64") => "i64",
        () if (has("32") || has("dword") || has("udint") || has("ulong")) && unsigned => "u32",
        () if has("32") || has("dint") || has("long") || has("长整") => "i32",
        () if unsigned => "u16",
        () if has("int") || has("i16") || has("s16") || has("short") || has("有符号") || has("整") => "i16",
        () => return None,
    })
}

fn order(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    ["abcd", "cdab", "badc", "dcba"].into_iter().find(|order| text.replace([' ', '-', '_'], "").contains(order))
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['×', 'x', 'X', '*']).trim();
    let divided = text.strip_prefix(['/', '÷']).map(|by| ("1", by)).or_else(|| text.split_once('/'));
    let value = match divided {
        Some((one, by)) => one.trim().parse::<f64>().ok()? / by.trim().parse::<f64>().ok()?,
        None => text.parse().ok()?,
    };
    value.is_finite().then_some(value)
}

/// What a list calls a unit, and its name here.
fn spoken(text: &str) -> Option<&'static str> {
    Some(match text.trim().to_lowercase().replace('³', "3").as_str() {
        "℃" | "°c" | "c" | "degc" => "celsius",
        "pa" => "pascals",
        "kpa" => "kilopascals",
        "mpa" => "megapascals",
        "bar" => "bar",
        "m3/h" | "t/h" => "cubic_meters_per_hour",
        "l/h" => "liters_per_hour",
        "l/s" => "liters_per_second",
        "w" => "watts",
        "kw" => "kilowatts",
        "mw" => "megawatts",
        "gj/h" => "gigajoules_per_hour",
        "gj" => "gigajoules",
        "kwh" | "kw·h" => "kilowatt_hours",
        "mwh" => "megawatt_hours",
        "m3" | "t" => "cubic_meters",
        "%" => "percent",
        "hz" => "hertz_of_50",
        "a" => "amperes",
        "v" => "volts",
        "m" => "meters",
        "m/s" => "meters_per_second",
        "h" | "小时" => "hours",
        "s" => "seconds",
        _ => return None,
    })
}

fn written(name: &str, rows: &[Row], remarks: &[String]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "# A draft from {}. Hold each row against the manual before a plant is run by it.",
        name.replace(char::is_control, " ")
    );
    for remark in remarks {
        let _ = writeln!(out, "# no point of ours, {}", remark.replace(char::is_control, " "));
    }
    let _ = writeln!(out, "\ntitle = \"…\"\nsource = \"…: manual, edition, page\"");
    let mut blocks: Vec<(&str, &str, &str)> = Vec::new();
    for row in rows {
        let block = match row.owner {
            Owner::Station => ("station", "station", row.table),
            Owner::Circuit => ("circuit", "circuit", row.table),
            Owner::CirculationPump(_) => ("circulation-pump", "circulation-pump", row.table),
            Owner::MakeUpPump(_) => ("make-up-pump", "make-up-pump", row.table),
            Owner::Building => ("building", "building", row.table),
            Owner::Room => ("room", "room", row.table),
        };
        if !blocks.contains(&block) {
            blocks.push(block);
        }
    }
    for (called, of, table) in blocks {
        block(&mut out, rows, called, of, table);
    }
    out
}

fn plate(owner: Owner) -> u32 {
    match owner {
        Owner::CirculationPump(plate) | Owner::MakeUpPump(plate) => plate,
        Owner::Station | Owner::Circuit | Owner::Building | Owner::Room => 1,
    }
}

fn block(out: &mut String, rows: &[Row], called: &str, of: &str, table: &str) {
    let is_of = |row: &&Row| {
        let owner = match row.owner {
            Owner::Station => "station",
            Owner::Circuit => "circuit",
            Owner::CirculationPump(_) => "circulation-pump",
            Owner::MakeUpPump(_) => "make-up-pump",
            Owner::Building => "building",
            Owner::Room => "room",
        };
        owner == of && row.table == table
    };
    let mine: Vec<&Row> = rows.iter().filter(is_of).collect();
    let lowest = mine.iter().map(|row| plate(row.owner)).min().unwrap_or(1);
    // How far the second pump's addresses are from the first's, where every row that both have says the same.
    let first = |row: &Row| mine.iter().find(|other| plate(other.owner) == lowest && other.point == row.point);
    let strides: Vec<i64> = mine
        .iter()
        .filter(|row| lowest < plate(row.owner))
        .filter_map(|row| {
            Some((i64::from(row.address) - i64::from(first(row)?.address)) / i64::from(plate(row.owner) - lowest))
        })
        .collect();
    let stride = strides.first().copied().filter(|stride| 0 < *stride && strides.iter().all(|other| other == stride));
    let _ = writeln!(out, "\n[[block]]\nname = \"{called}-{table}\"\nof = \"{of}\"\ntable = \"{table}\"");
    if let Some(stride) = stride {
        let most = mine.iter().map(|row| plate(row.owner)).max().unwrap_or(1);
        let _ = writeln!(out, "stride = {stride}\nmost = {most}");
    } else if of.ends_with("pump") {
        let _ = writeln!(out, "most = 1");
    }
    let _ = writeln!(out, "point = [");
    for row in &mine {
        let of_another = lowest < plate(row.owner) && (stride.is_some() || first(row).is_some());
        let remark = match (of_another, stride) {
            (false, _) => "  ",
            (true, Some(_)) => continue,
            // Unevenly apart: nothing that a block can say.
            (true, None) => "# ",
        };
        let _ = writeln!(
            out,
            "{remark}{{ point = \"{}\", address = {}{} }},   # line {}",
            row.point, row.address, row.rest, row.line
        );
    }
    let _ = writeln!(out, "]");
}
