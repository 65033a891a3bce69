//! `probe`: reads points once, each alone, for commissioning; `--raw` reads words that no point has; `--write` sets one
//! point and reads it back.
//!
//! What is meant by the words a person decides: values of several words are shown under every order of bytes, with the one
//! that the configuration says and with those that would be believed.

mod nodes;

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::path::Path;

use heatstation_config::Station;
use heatstation_drivers::bus::{BusError, Refusal};
use heatstation_drivers::decode::preview;
use heatstation_drivers::probe::{ProbeRow, RawAnswer, UnderOrder, read_raw, read_wanted, write_once};
use heatstation_drivers::problem::SettingsProblem;
use heatstation_drivers::settings::{DeviceSettings, Table, WireSettings};
use heatstation_points::{Definition, Direction};
use serde_json::{Value as Json, json};

use super::{Failure, Outcome, say, say_json};

/// What is asked for; everything if nothing is named.
#[derive(clap::Args, Debug, Default)]
pub struct Wanted {
    /// Only this point; `*` stands for any characters. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub point: Vec<String>,
    /// Only points of this device. May be given several times.
    #[arg(long, value_name = "DEVICE")]
    pub device: Vec<String>,
    /// Words that no point need have, as in `--raw plc holding-register 100 10`.
    #[arg(long, num_args = 4, value_names = ["DEVICE", "TABLE", "ADDRESS", "COUNT"], conflicts_with_all = ["point", "device", "write"])]
    pub raw: Vec<String>,
}

/// Reads once what is asked for.
///
/// # Errors
/// If the configuration is not sound, if it has nothing of that name, or if not one value could be read.
pub async fn read(path: &Path, wanted: &Wanted, json: bool) -> Outcome {
    let station = super::load(path)?;
    if let [device, table, address, count] = wanted.raw.as_slice() {
        return raw(&station, device, table, address, count, json).await;
    }
    wanted.check(&station)?;
    let mut rows = Vec::new();
    for wire in &station.wires {
        let chosen = |device: &DeviceSettings, name: &str| wanted.has(&device.name, name);
        let read = read_wanted(wire, |device, register| chosen(device, register.name())).await;
        rows.extend(read.map_err(|problems| unsound(&problems))?.into_iter().map(|row| (wire, row)));
    }
    let (nodes, refusals) = nodes::read(&station, |server, point| wanted.has(server, point)).await;
    let good_nodes = nodes.iter().filter(|(_, row)| row.sample.value.is_ok()).count();
    let good = rows.iter().filter(|(_, row)| row.value.is_ok()).count() + good_nodes;
    let all = rows.len() + nodes::of(&station).filter(|(server, point)| wanted.has(server, point)).count();
    if json {
        let registers = rows.iter().map(|(wire, row)| as_json(&station, wire, row));
        say_json(&registers.chain(nodes.iter().map(|(server, row)| nodes::as_json(server, row))).collect::<Vec<_>>())?;
    } else {
        let mut told = Vec::new();
        for (wire, row) in &rows {
            say(&line(&station, row))?;
            // The same trouble of the same device is explained once.
            if let Some(error) = &row.error
                && !told.contains(&(&row.device, error))
            {
                told.push((&row.device, error));
                say(&format!("    {}\n", advice(wire, error)))?;
            }
        }
        for (server, row) in &nodes {
            say(&nodes::line(server, row))?;
        }
        for refusal in &refusals {
            say(&format!("{refusal}\n"))?;
        }
        say(&format!("{good} of {all} points answered with a value\n"))?;
    }
    if good == 0 && all > 0 {
        let why = rows.iter().find_map(|(wire, row)| row.error.as_ref().map(|error| (wire, error)));
        let why = match (why, refusals.into_iter().next()) {
            (Some((wire, error)), _) => format!("wire {}: {error}; {}", wire.name, advice(wire, error)),
            (None, Some(refusal)) => refusal,
            (None, None) => "no value was plausible; see the values under each order of bytes".to_owned(),
        };
        return Err(Failure::Running(anyhow::anyhow!("not one point could be read; {why}")));
    }
    Ok(())
}

impl Wanted {
    fn has(&self, device: &str, point: &str) -> bool {
        (self.device.is_empty() || self.device.iter().any(|name| name == device))
            && (self.point.is_empty() || self.point.iter().any(|pattern| fits(pattern, point)))
    }

    /// A name that stands for nothing is a slip of the pen, and silence about it would look like a dead device.
    fn check(&self, station: &Station) -> Result<(), Failure> {
        for device in self.device.iter().filter(|device| station.opcua.iter().all(|server| server.name != **device)) {
            device_of(station, device)?;
        }
        let devices = || station.wires.iter().flat_map(|wire| &wire.devices);
        for pattern in &self.point {
            let is_there = |device: &DeviceSettings| {
                device.registers.iter().any(|r| fits(pattern, r.name()) && self.has(&device.name, r.name()))
            };
            let is_node = |(server, point): (&str, &str)| fits(pattern, point) && self.has(server, point);
            if devices().any(is_there) || nodes::of(station).any(is_node) {
                continue;
            }
            let near = station.catalogue.suggest(pattern).join(", ");
            let near = if near.is_empty() {
                "; `heatstation points` lists all".to_owned()
            } else {
                format!("; did you mean {near}?")
            };
            return Err(Failure::Usage(format!(
                "no register of this station, or of these devices, is called {pattern}{near}"
            )));
        }
        Ok(())
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name
            .strip_prefix(before)
            .is_some_and(|left| (0..=left.len()).any(|cut| left.get(cut..).is_some_and(|tail| fits(rest, tail)))),
    }
}

fn device_of<'a>(station: &'a Station, name: &str) -> Result<(&'a WireSettings, &'a DeviceSettings), Failure> {
    let all = || station.wires.iter().flat_map(|wire| wire.devices.iter().map(move |device| (wire, device)));
    all().find(|(_, device)| device.name == name).ok_or_else(|| {
        let names: Vec<&str> = all().map(|(_, device)| device.name.as_str()).collect();
        Failure::Usage(format!("this station has no device {name}; its devices are: {}", names.join(", ")))
    })
}

fn unsound(problems: &[SettingsProblem]) -> Failure {
    Failure::Usage(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// What to do about an error, in words for the person at the cabinet.
fn advice(wire: &WireSettings, error: &BusError) -> String {
    match error {
        BusError::Unreachable { .. } => {
            "nobody takes the connection: is the device on, is the address right, does the network lead there, and has the \
             gateway a connection left?"
                .to_owned()
        }
        BusError::Silent => format!(
            "it takes the connection and says nothing within {} ms: is `modbus_unit` right (`heatstation scan` finds the units), \
             and is the time-out longer than the gateway's own?",
            wire.timeout.as_millis()
        ),
        BusError::Broken(_) => "it closes the connection: it may have too few connections, or not know this unit".to_owned(),
        BusError::Nonsense(_) => {
            "something else answers, or answers something else: is it Modbus, and the only master on its bus?".to_owned()
        }
        BusError::Refused(Refusal::Function) => {
            "the device does not know this function: the point stands in another table, or it cannot be read".to_owned()
        }
        BusError::Refused(Refusal::Address) => {
            "the device has no such address: addresses count from 0 here, so 40001 of a manual is holding-register 0; or it \
             is an output that cannot be read"
                .to_owned()
        }
        BusError::Refused(Refusal::Value) => {
            "the device does not give so many words at this address: does the value begin here, and is its type right?".to_owned()
        }
        BusError::Refused(Refusal::Busy) => "the device is busy: ask again, or less often".to_owned(),
        BusError::Refused(Refusal::Failure(10 | 11)) => {
            "the gateway answers and the device behind it does not: is it on, is `modbus_unit` right, do speed and parity fit?"
                .to_owned()
        }
        BusError::Refused(Refusal::Failure(_)) => "the device says that it is broken: look at its display".to_owned(),
    }
}

fn hex(words: &[u16]) -> String {
    words.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>().join(" ")
}

/// One point for people, in the units of their instruments.
fn line(station: &Station, row: &ProbeRow) -> String {
    let (unit, factor) = station.catalogue.definition(row.point).map_or(("", 1.0), |d| d.unit.display());
    let place = format!("{} {} {}", row.device, row.table.name(), row.address);
    let mut text = match (&row.value, &row.error) {
        (Ok(value), _) => {
            format!("{:60} good {:>12.3} {unit:6} {:12} {place}\n", row.name, value.number() * factor, hex(&row.words))
        }
        (Err(fault), Some(error)) => format!("{:60} bad  {fault:?}: {error} {place}\n", row.name),
        (Err(fault), None) => format!("{:60} bad  {fault:?} {:12} {place}\n", row.name, hex(&row.words)),
    };
    if !row.orders.is_empty() {
        let shown: Vec<String> = row.orders.iter().map(|under| in_order(under, unit, factor)).collect();
        let _ = writeln!(text, "    {}", shown.join("   "));
    }
    text
}

/// One order of bytes: `*` is the configured one, `ok` one whose value would be believed.
fn in_order(under: &UnderOrder, unit: &str, factor: f64) -> String {
    let mark = if under.is_configured { "*" } else { "" };
    let number = match under.number.map(|number| number * factor) {
        None => "broken sensor".to_owned(),
        Some(number) if number != 0.0 && !(1e-3..1e7).contains(&number.abs()) => format!("{number:.3e}"),
        Some(number) => format!("{number:.3} {unit}").trim_end().to_owned(),
    };
    let verdict = if under.is_plausible { " ok" } else { "" };
    format!("{mark}{} {number}{verdict}", under.order.name())
}

fn as_json(station: &Station, wire: &WireSettings, row: &ProbeRow) -> Json {
    let orders = row.orders.iter().map(|under| {
        json!({
            "order": under.order.name(),
            "configured": under.is_configured,
            // JSON has no word for what is not finite.
            "number": under.number.filter(|number| number.is_finite()),
            "plausible": under.is_plausible,
        })
    });
    json!({
        "wire": wire.name,
        "device": row.device,
        "name": row.name,
        "unit": station.catalogue.definition(row.point).map(|definition| definition.unit.name()),
        "table": row.table.name(),
        "address": row.address,
        "words": row.words,
        "hex": row.words.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>(),
        "value": row.value.ok().map(heatstation_points::Value::number),
        "quality": if row.value.is_ok() { "good" } else { "bad" },
        "fault": row.value.err(),
        "error": row.error.as_ref().map(ToString::to_string),
        "advice": row.error.as_ref().map(|error| advice(wire, error)),
        "orders": orders.collect::<Vec<_>>(),
    })
}

// ---- words without a point ------------------------------------------------------------------------------------------

async fn raw(station: &Station, device: &str, table: &str, address: &str, count: &str, json: bool) -> Outcome {
    let (wire, device) = device_of(station, device)?;
    let table = Table::named(table).ok_or_else(|| {
        let names: Vec<&str> = Table::ALL.into_iter().map(Table::name).collect();
        Failure::Usage(format!("`{table}` is no table; the tables are: {}", names.join(", ")))
    })?;
    let address: u16 = address.parse().map_err(|_| {
        Failure::Usage(format!("`{address}` is no address: 0 to 65535, counted from 0 (40001 of a manual is 0)"))
    })?;
    let count = count.parse().ok().filter(|count| (1..=65_536 - u32::from(address)).contains(count));
    let count = count.and_then(|count| u16::try_from(count).ok());
    let count = count.ok_or_else(|| {
        Failure::Usage(format!("there are 1 to {} addresses from {address} on", 65_536 - u32::from(address)))
    })?;
    let answers = read_raw(wire, device, table, address, count).await.map_err(|problems| unsound(&problems))?;
    if json {
        say_json(&answers.iter().map(|answer| raw_json(wire, device, table, answer)).collect::<Vec<_>>())?;
    } else {
        for answer in &answers {
            say(&raw_lines(wire, table, answer))?;
        }
    }
    match answers.iter().find_map(|answer| answer.outcome.as_ref().err()) {
        Some(error) if answers.iter().all(|answer| answer.outcome.is_err()) => Err(Failure::Running(anyhow::anyhow!(
            "wire {}, device {}: {error}; {}",
            wire.name,
            device.name,
            advice(wire, error)
        ))),
        _ => Ok(()),
    }
}

/// One row a word, and what it would be together with the next one.
fn raw_lines(wire: &WireSettings, table: Table, answer: &RawAnswer) -> String {
    let words = match &answer.outcome {
        Ok(words) => words,
        Err(error) => {
            let (first, last) = (answer.address, u32::from(answer.address) + u32::from(answer.count) - 1);
            return format!("{} {first} to {last}: {error}; {}\n", table.name(), advice(wire, error));
        }
    };
    if table.holds_bits() {
        let bits = words.iter().zip(answer.address..).map(|(bit, address)| format!("{address:>5} {bit}\n"));
        return bits.collect();
    }
    let mut text = format!(
        "{:>5} {:>6} {:>6} {:>6}   with the next: {:>14} {:>14} {:>14} {:>14}\n",
        "", "hex", "u16", "i16", "f32 abcd", "f32 cdab", "u32 abcd", "u32 cdab"
    );
    for (place, (&word, address)) in words.iter().zip(answer.address..).enumerate() {
        let _ = write!(text, "{address:>5} {word:>#6x} {word:>6} {:>6}", word.cast_signed());
        if let Some(&next) = words.get(place + 1) {
            let [abcd, cdab, ..] = preview([word, next]);
            let (first, second) = (single(abcd.single), single(cdab.single));
            let _ = write!(text, "{:17} {first:>14} {second:>14} {:>14} {:>14}", "", abcd.unsigned, cdab.unsigned);
        }
        text.push('\n');
    }
    text
}

fn single(number: f32) -> String {
    if number != 0.0 && !(1e-3..1e7).contains(&number.abs()) { format!("{number:.3e}") } else { format!("{number:.3}") }
}

fn raw_json(wire: &WireSettings, device: &DeviceSettings, table: Table, answer: &RawAnswer) -> Json {
    let words = answer.outcome.as_ref().ok();
    let pairs = words.map(|words| {
        let pair = |two: &[u16]| {
            let row = preview([two[0], two[1]]).map(|one| {
                json!({ "order": one.order.name(), "u32": one.unsigned, "i32": one.signed, "f32": Some(one.single).filter(|f| f.is_finite()) })
            });
            Json::from(row.to_vec())
        };
        if table.holds_bits() { Vec::new() } else { words.windows(2).map(pair).collect() }
    });
    json!({
        "wire": wire.name,
        "device": device.name,
        "table": table.name(),
        "address": answer.address,
        "count": answer.count,
        "words": words,
        "hex": words.map(|words| words.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>()),
        "with_the_next": pairs,
        "error": answer.outcome.as_ref().err().map(ToString::to_string),
        "advice": answer.outcome.as_ref().err().map(|error| advice(wire, error)),
    })
}

// ---- writing --------------------------------------------------------------------------------------------------------

/// Writes one point, `name=value` in the point's unit, after a person has said yes.
///
/// # Errors
/// No such output, a value outside its range, nobody said yes, or the device did not take it.
pub async fn write(path: &Path, assignment: &str, yes: bool) -> Outcome {
    let station = super::load(path)?;
    let (definition, number) = assignment_of(&station, assignment)?;
    let value = definition.accept(number).map_err(|_| {
        let (low, high) = definition.range;
        Failure::Usage(format!("{}: {number} is outside {low}..={high} {}", definition.name, definition.unit))
    })?;
    let wire = station
        .wires
        .iter()
        .find(|wire| wire.devices.iter().flat_map(|device| &device.registers).any(|r| r.point() == definition.point));
    let wire = wire.ok_or_else(|| {
        let is_node = station.homes.iter().any(|home| home.point == definition.name);
        let what = if is_node {
            "is written to an OPC UA server, where `probe` only reads; try it from a client that shows what it writes"
        } else {
            "is not mapped to a register; see `heatstation points`"
        };
        Failure::Usage(format!("{} {what}", definition.name))
    })?;
    if !yes && !confirmed(definition, number)? {
        return Err(Failure::Usage("nothing was written".to_owned()));
    }
    let written = write_once(wire, definition.point, value).await.map_err(anyhow::Error::from)?;
    let show = |value: Option<heatstation_points::Value>| value.map_or("?".to_owned(), |v| v.number().to_string());
    say(&format!("{}: {} -> {number}, read back {}\n", definition.name, show(written.before), show(written.after)))?;
    // What a register resolves is well below a hundredth of what the point spans.
    let (low, high) = definition.range;
    let taken = written.after.is_some_and(|after| (after.number() - number).abs() <= (high - low) / 100.0);
    if taken {
        return Ok(());
    }
    Err(Failure::Running(anyhow::anyhow!(
        "{}: the device does not hold what was written; is it on local, or does another master write this register?",
        definition.name
    )))
}

fn assignment_of<'a>(station: &'a Station, assignment: &str) -> Result<(&'a Definition, f64), Failure> {
    let (name, number) = assignment.split_once('=').ok_or_else(|| {
        Failure::Usage(format!("`{assignment}` is not POINT=VALUE, as in circuit.low-zone.valve.position=0.3"))
    })?;
    let definition = station.catalogue.find(name).ok_or_else(|| {
        let near = station.catalogue.suggest(name).join(", ");
        let near = if near.is_empty() { String::new() } else { format!("; did you mean {near}?") };
        Failure::Usage(format!("this station has no point {name}{near}"))
    })?;
    if definition.direction != Direction::Output {
        return Err(Failure::Usage(format!("{name} is read, not written")));
    }
    let number = number.trim().parse().map_err(|_| Failure::Usage(format!("`{number}` is not a number, as in 0.3")))?;
    Ok((definition, number))
}

fn confirmed(definition: &Definition, number: f64) -> Result<bool, Failure> {
    if !io::IsTerminal::is_terminal(&io::stdin()) {
        return Err(Failure::Usage("writing needs a person at the terminal, or --yes".to_owned()));
    }
    let _ =
        write!(io::stderr(), "write {} = {number} {}? This moves the plant. [y/N] ", definition.name, definition.unit);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::from)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, wanted) in [
            ("outdoor.temperature", "outdoor.temperature", true),
            ("outdoor.temperature", "outdoor.temperature_second", false),
            ("outdoor.*", "outdoor.temperature", true),
            ("*.temperature", "circuit.低区.secondary_supply.temperature", true),
            ("circuit.*.pump.*.speed", "circuit.low-zone.pump.2.speed", true),
            ("circuit.*.pump.*.speed", "circuit.low-zone.pump.2.speeds", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
