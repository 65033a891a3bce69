//! The points of OPC UA servers, each read once.

use heatstation_config::Station;
use heatstation_drivers::opcua::browse::{ItemRow, read_once};

/// The server and the name of each point that is a node.
pub(super) fn of(station: &Station) -> impl Iterator<Item = (&str, &str)> {
    station
        .opcua
        .iter()
        .flat_map(|server| server.items.iter().map(|item| (server.name.as_str(), item.definition.name.as_str())))
}

/// What each server said of each point that is wanted, and what the servers said that let nobody in.
pub(super) async fn read(
    station: &Station,
    is_wanted: impl Fn(&str, &str) -> bool,
) -> (Vec<(String, ItemRow)>, Vec<String>) {
    let (mut rows, mut refusals) = (Vec::new(), Vec::new());
    for server in &station.opcua {
        let mut server = server.clone();
        let name = server.name.clone();
        server.items.retain(|item| is_wanted(&name, &item.definition.name));
        if server.items.is_empty() {
            continue;
        }
        match read_once(server.clone()).await {
            Ok(read) => rows.extend(read.into_iter().map(|row| (server.name.clone(), row))),
            Err(error) => refusals.push(format!("server {}: {error}", server.name)),
        }
    }
    (rows, refusals)
}

/// One point for people, in the units of their instruments.
pub(super) fn line(server: &str, row: &ItemRow) -> String {
    let definition = &row.item.definition;
    let (unit, factor) = definition.unit.display();
    let place = format!("{server} {}", row.item.node);
    match row.sample.value {
        Ok(value) => {
            let quality = if row.sample.doubt.is_some() { "doubt" } else { "good" };
            let number = value.number() * factor;
            format!("{:60} {quality:5}{number:>12.3} {unit:6} {:12} {place}\n", definition.name, row.raw)
        }
        Err(fault) => {
            format!("{:60} bad  {fault:?} {} {} {place}\n", definition.name, row.raw, row.status)
        }
    }
}

/// One point for programs.
pub(super) fn as_json(server: &str, row: &ItemRow) -> serde_json::Value {
    let definition = &row.item.definition;
    let source = row.sample.source_time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    serde_json::json!({
        "wire": server,
        "device": server,
        "name": definition.name,
        "unit": definition.unit.name(),
        "node": row.item.node.to_string(),
        "raw": row.raw,
        "status": row.status,
        "value": row.sample.value.ok().map(heatstation_points::Value::number),
        "fault": row.sample.value.err(),
        "doubt": row.sample.doubt,
        "source_time": source.map(|time| time.to_string()),
    })
}
