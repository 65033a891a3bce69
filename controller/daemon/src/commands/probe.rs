//! `probe`: reads each point once, for commissioning; `--write` sets one point and reads it back.

use std::io::{self, BufRead, Write};
use std::path::Path;

use heatstation_config::Station;
use heatstation_drivers::probe::{ProbeRow, read_once, write_once};
use heatstation_points::{Definition, Direction, Fault};

use super::{Failure, Outcome, say, say_json};

/// Reads all points of all wires once.
///
/// # Errors
/// If the configuration is not sound, or no point at all could be read.
pub async fn read(path: &Path, json: bool) -> Outcome {
    let station = super::load(path)?;
    let mut rows = Vec::new();
    for wire in &station.wires {
        let read = read_once(wire).await.map_err(|problems| Failure::Usage(format!("{problems:?}")))?;
        rows.extend(read.into_iter().map(|row| (wire.name.clone(), row)));
    }
    let good = rows.iter().filter(|(_, row)| row.value.is_ok()).count();
    if json {
        say_json(&rows.iter().map(|(wire, row)| as_json(&station, wire, row)).collect::<Vec<_>>())?;
    } else {
        for (_, row) in &rows {
            say(&line(&station, row))?;
        }
        say(&format!("{good} of {} points answered with a value\n", rows.len()))?;
    }
    if good == 0 && !rows.is_empty() {
        let why = rows.iter().find_map(|(wire, row)| row.error.as_ref().map(|error| format!("wire {wire}: {error}")));
        let why = why.unwrap_or_else(|| "no value was plausible".to_owned());
        return Err(Failure::Running(anyhow::anyhow!("not one point could be read; {why}")));
    }
    Ok(())
}

fn words(row: &ProbeRow) -> String {
    row.words.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>().join(" ")
}

/// One point for people, in the units of their instruments.
fn line(station: &Station, row: &ProbeRow) -> String {
    let (unit, factor) = station.catalogue.definition(row.point).map_or(("", 1.0), |d| d.unit.display());
    let place = format!("{} {} {}", row.device, row.table.name(), row.address);
    match (&row.value, &row.error) {
        (Ok(value), _) => {
            format!("{:60} good {:>12.3} {unit:6} {:12} {place}\n", row.name, value.number() * factor, words(row))
        }
        // The same silence need not be explained at every point; the last line says it once.
        (Err(Fault::Silent), _) => format!("{:60} bad  Silent {place}\n", row.name),
        (Err(fault), Some(error)) => format!("{:60} bad  {fault:?}: {error} {place}\n", row.name),
        (Err(fault), None) => format!("{:60} bad  {fault:?} {:12} {place}\n", row.name, words(row)),
    }
}

fn as_json(station: &Station, wire: &str, row: &ProbeRow) -> serde_json::Value {
    serde_json::json!({
        "wire": wire,
        "device": row.device,
        "name": row.name,
        "unit": station.catalogue.definition(row.point).map(|definition| definition.unit.name()),
        "table": row.table.name(),
        "address": row.address,
        "words": row.words,
        "value": row.value.ok().map(heatstation_points::Value::number),
        "fault": row.value.err(),
        "error": row.error.as_ref().map(ToString::to_string),
    })
}

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
        Failure::Usage(format!("{} is not mapped to a register; see `heatstation points`", definition.name))
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
