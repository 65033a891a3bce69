//! `scan`: which Modbus units are behind a wire and which of their addresses answer, for a cabinet without a manual.
//!
//! It only reads, slowly, and it says beforehand how long that can take. Ctrl-C ends it after the question under way, and
//! what was found is printed all the same.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heatstation_drivers::scan::{Ending, Findings, Presence, Run, Scan, TableFinding, UnitFinding, scan};
use heatstation_drivers::settings::{Table, WireSettings};
use serde_json::json;

use super::{Failure, Outcome, Progress, say, say_json};

/// How long an answer may take where no configuration says: modpoll waits a second as well.
const TIMEOUT: Duration = Duration::from_secs(1);

/// What is scanned, and how.
#[derive(clap::Args, Debug)]
pub struct Order {
    /// The station's file; its wires are scanned, with their time-outs, limits and forbidden addresses.
    #[arg(required_unless_present = "address")]
    pub config: Option<PathBuf>,
    /// Only this wire of the station.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub wire: Vec<String>,
    /// A Modbus TCP server instead of a station.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "config")]
    pub address: Option<String>,
    /// How long an answer of it may take.
    #[arg(long, value_name = "MS", requires = "address", value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub timeout_milliseconds: Option<u64>,
    /// Which units, as in `1-16` or `1,3,10-20,255`.
    #[arg(long, default_value = "1-16", value_parser = units)]
    pub units: Units,
    /// Which addresses, counted from 0.
    #[arg(long, default_value = "0-9999", value_parser = addresses)]
    pub addresses: RangeInclusive<u16>,
    /// Only this table: holding-register, input-register, coil, discrete-input. May be given several times.
    #[arg(long, value_name = "TABLE", value_parser = table)]
    pub table: Vec<Table>,
    /// The longest step where nothing answers: shorter ranges can be missed; 1 misses none and takes long.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub stride: u16,
    /// Questions for each table of each unit, at most.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=70_000))]
    pub requests: u32,
    /// Silence after each answer.
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub pause_milliseconds: u64,
    /// Begins without asking.
    #[arg(long)]
    pub yes: bool,
    /// For programs.
    #[arg(long, conflicts_with = "stub")]
    pub json: bool,
    /// Prints only the beginning of a configuration, `[[device]]` by `[[device]]`.
    #[arg(long)]
    pub stub: bool,
}

/// Units in the order in which they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units(Vec<u8>);

fn units(text: &str) -> Result<Units, String> {
    let mut units = Vec::new();
    for part in text.split(',') {
        let range = numbers(part).filter(|range| *range.end() <= 255);
        let range =
            range.ok_or_else(|| format!("`{part}` is no unit from 0 to 255, nor a range of them as in 1-16"))?;
        units.extend(range.map(|unit| unit as u8));
    }
    units.sort_unstable();
    units.dedup();
    // 248 to 254 are reserved, and 0 speaks to all at once, so that nobody answers (Modbus over Serial Line V1.02, 2.2);
    // on TCP 0 and 255 mean the device itself.
    match units.iter().find(|unit| (248..=254).contains(*unit)) {
        Some(unit) => Err(format!("{unit} is reserved: units are 1 to 247, and 0 or 255 for a TCP device itself")),
        None => Ok(Units(units)),
    }
}

fn addresses(text: &str) -> Result<RangeInclusive<u16>, String> {
    let range = numbers(text).ok_or_else(|| format!("`{text}` is no range of addresses, as in 0-9999"))?;
    Ok(*range.start()..=*range.end())
}

fn numbers(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn table(text: &str) -> Result<Table, String> {
    Table::named(text).ok_or_else(|| {
        let names: Vec<&str> = Table::ALL.into_iter().map(Table::name).collect();
        format!("the tables are {}", names.join(", "))
    })
}

/// Scans.
///
/// # Errors
/// If the configuration is not sound or has no such wire, nobody said yes, nobody answered, or it was cut short.
pub async fn run(order: Order) -> Outcome {
    let wires = wires(&order)?;
    let wanted = Scan {
        units: order.units.0.clone(),
        tables: if order.table.is_empty() { Scan::default().tables } else { order.table.clone() },
        addresses: order.addresses.clone(),
        stride: order.stride,
        requests_max: order.requests,
        pause: Duration::from_millis(order.pause_milliseconds),
    };
    agree(&order, &wires, &wanted)?;

    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    let listener = tokio::spawn(async move {
        super::run::stop_signal().await;
        flag.store(true, Ordering::Relaxed);
    });
    let mut found = Vec::new();
    for wire in &wires {
        let mut progress = Progress::new();
        let findings = scan(wire, &wanted, |step| {
            progress.at(step.done_per_myriad, 10_000);
            if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await;
        progress.done();
        found.push((wire, findings));
        if stopped.load(Ordering::Relaxed) {
            break;
        }
    }
    listener.abort();
    tell(&order, &found)?;
    verdict(&found)
}

fn wires(order: &Order) -> Result<Vec<WireSettings>, Failure> {
    let wires = match (&order.config, &order.address) {
        (Some(path), _) => {
            let mut wires = super::load(path)?.wires;
            let names: Vec<String> = wires.iter().map(|wire| wire.name.clone()).collect();
            if let Some(unknown) = order.wire.iter().find(|name| !names.contains(name)) {
                return Err(Failure::Usage(format!(
                    "no wire is called {unknown}; the wires are: {}",
                    names.join(", ")
                )));
            }
            wires.retain(|wire| order.wire.is_empty() || order.wire.contains(&wire.name));
            wires
        }
        (None, Some(address)) => {
            let timeout = order.timeout_milliseconds.map_or(TIMEOUT, Duration::from_millis);
            vec![WireSettings { timeout, ..WireSettings::modbus_tcp("scanned", address) }]
        }
        (None, None) => Vec::new(),
    };
    let problems: Vec<String> =
        wires.iter().flat_map(WireSettings::problems).map(|problem| problem.to_string()).collect();
    match (wires.is_empty(), problems.is_empty()) {
        (true, _) => Err(Failure::Usage("there is no wire with registers to scan".to_owned())),
        (false, false) => Err(Failure::Usage(problems.join("; "))),
        (false, true) => Ok(wires),
    }
}

/// Says how long it takes and what it does to the line, and asks whether that is wanted.
fn agree(order: &Order, wires: &[WireSettings], wanted: &Scan) -> Outcome {
    let units: Duration = wires.iter().map(|wire| wanted.longest_for_units(wire.timeout)).sum();
    // The slowest of the wires: how long it waits for the first byte of an answer.
    let turnaround = wires.iter().map(|wire| wire.transport.link().turnaround).max().unwrap_or_default();
    let ranges = wanted.longest_for_ranges(turnaround);
    let text = format!(
        "scan of {}: {} units, one question each: up to {}. Each unit that is there is then asked for its ranges: up to \
         {} a unit. Nothing is written. A running controller shares the line: its samples come later meanwhile.\n",
        wires.iter().map(|wire| wire.name.as_str()).collect::<Vec<_>>().join(", "),
        wanted.units.len(),
        spoken(units),
        spoken(ranges),
    );
    let mut stderr = io::stderr();
    let _ = stderr.write_all(text.as_bytes());
    if order.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("scanning needs a person at the terminal, or --yes".to_owned()));
    }
    let _ = stderr.write_all(b"begin? [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::from)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Usage("nothing was asked".to_owned()))
    }
}

fn spoken(time: Duration) -> String {
    match time.as_secs_f64().ceil() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

fn tell(order: &Order, found: &[(&WireSettings, Findings)]) -> Outcome {
    if order.json {
        let wires = found.iter().map(|(wire, findings)| {
            json!({
                "wire": wire.name,
                "units": findings.units,
                "cut_short": findings.cut_short,
                "stub": stub(wire, findings),
            })
        });
        return say_json(&wires.collect::<Vec<_>>());
    }
    for (wire, findings) in found {
        if !order.stub {
            say(&text(wire, findings, order.stride))?;
        }
        say(&stub(wire, findings))?;
    }
    Ok(())
}

/// Exit code 0 only for a whole answer.
fn verdict(found: &[(&WireSettings, Findings)]) -> Outcome {
    if let Some((wire, why)) = found.iter().find_map(|(wire, f)| f.cut_short.as_ref().map(|why| (wire, why))) {
        return Err(Failure::Running(anyhow::anyhow!("wire {}: the scan was cut short: {why}", wire.name)));
    }
    if found.iter().flat_map(|(_, findings)| &findings.units).any(|unit| unit.presence.is_there()) {
        return Ok(());
    }
    Err(Failure::Running(anyhow::anyhow!(
        "not one unit answered; is the time-out long enough, are these the right units?"
    )))
}

fn text(wire: &WireSettings, findings: &Findings, stride: u16) -> String {
    let mut text = format!("wire {}\n", wire.name);
    for unit in &findings.units {
        let word = match &unit.presence {
            Presence::Answers => "there".to_owned(),
            Presence::Refuses(why) => format!("there; {why}"),
            Presence::NobodyBehind(why) => format!("nobody behind the gateway: {why}"),
            Presence::Silent => "silent".to_owned(),
            Presence::HangsUp => "closes the connection".to_owned(),
            Presence::Nonsense(what) => format!("no Modbus: {what}"),
        };
        let _ = writeln!(text, "  unit {:>3}  {word}", unit.unit);
        for table in &unit.tables {
            let _ = writeln!(text, "            {:<16} {}", table.table.name(), in_words(table));
        }
    }
    if let Some(why) = &findings.cut_short {
        let _ = writeln!(text, "  cut short: {why}");
    }
    if 1 < stride && findings.units.iter().any(|unit| !unit.tables.is_empty()) {
        let _ = writeln!(
            text,
            "  a range of fewer than {stride} addresses in a gap can have been missed; --stride 1 misses none"
        );
    }
    text.push('\n');
    text
}

fn in_words(table: &TableFinding) -> String {
    let ranges = ranges(&table.runs);
    let mut text = if ranges.is_empty() { "nothing answers".to_owned() } else { ranges };
    if let Some(longest) = table.longest_read {
        let _ = write!(text, "; at most {longest} in one read");
    }
    let _ = match table.ending {
        Ending::Whole => Ok(()),
        Ending::NoSuchFunction => return "the device does not know it".to_owned(),
        Ending::OutOfRequests(at) => {
            write!(text, "; not looked at from {at} on: the questions are used up (--requests)")
        }
        Ending::Silent(at) => write!(text, "; silent from {at} on"),
        Ending::Stopped(at) => write!(text, "; stopped at {at}"),
        Ending::Unreachable(at) => write!(text, "; connection lost at {at}"),
    };
    let _ = write!(text, " ({} questions)", table.requests);
    text
}

fn ranges(runs: &[Run]) -> String {
    let shown =
        |run: &Run| if run.first == run.last { run.first.to_string() } else { format!("{}-{}", run.first, run.last) };
    runs.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The beginning of a configuration: the devices that are there, their limits, and for each range a point to be named.
fn stub(wire: &WireSettings, findings: &Findings) -> String {
    let mut text = String::new();
    for unit in findings.units.iter().filter(|unit| unit.presence.is_there()) {
        device_stub(&mut text, wire, unit);
    }
    text
}

fn device_stub(text: &mut String, wire: &WireSettings, unit: &UnitFinding) {
    let name = wire.devices.iter().find(|device| device.modbus_unit == unit.unit);
    let name = name.map_or_else(|| format!("unit-{}", unit.unit), |device| device.name.clone());
    let _ = writeln!(text, "[[device]]\nname = \"{name}\"\nwire = \"{}\"\nmodbus_unit = {}", wire.name, unit.unit);
    let limit =
        |bits: bool| unit.tables.iter().filter(|t| t.table.holds_bits() == bits).filter_map(|t| t.longest_read).min();
    if limit(true).is_some() || limit(false).is_some() {
        text.push_str("\n[device.limits]\n");
        for (key, limit) in [("max_registers", limit(false)), ("max_bits", limit(true))] {
            if let Some(limit) = limit {
                let _ = writeln!(text, "{key} = {limit}");
            }
        }
    }
    let mut points = Vec::new();
    for table in unit.tables.iter().filter(|table| !table.runs.is_empty()) {
        let _ = writeln!(
            text,
            "\n# {} {}: one row for each point; its name is one of `heatstation points`.",
            table.table.name(),
            ranges(&table.runs)
        );
        for run in &table.runs {
            let point = format!("{name}-{}-{}", table.table.name(), run.first);
            let encoding = if table.table.holds_bits() { "" } else { "encoding = \"u16\"\n" };
            let _ = writeln!(
                text,
                "[[device.point]]\npoint = \"auxiliary.{point}\"\ntable = \"{}\"\naddress = {}\n{encoding}",
                table.table.name(),
                run.first
            );
            points.push((point, table.table.holds_bits()));
        }
    }
    for (point, is_bit) in points {
        let unit = if is_bit { "switch" } else { "number" };
        let most = if is_bit { 1 } else { 65_535 };
        let _ = writeln!(text, "[[auxiliary]]\nname = \"{point}\"\nunit = \"{unit}\"\nmin = 0\nmax = {most}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_numbers_and_ranges_each_once_and_reserved_ones_are_refused() {
        assert_eq!(units("3,1-4,255"), Ok(Units(vec![1, 2, 3, 4, 255])));
        for wrong in ["", "1-", "256", "4-1", "1-250", "one"] {
            assert!(units(wrong).is_err(), "{wrong}");
        }
    }
}
