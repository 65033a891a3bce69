//! `plan`: the exact read requests of each wire, in the order and the rhythm in which they are sent, and what they cost.
//!
//! Nothing is asked of a device: the plan is the one that the wires work by, out of the same function.

mod nodes;

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use heatstation_config::Station;
use heatstation_drivers::plan::{ReadPlan, ReadRequest};
use heatstation_drivers::settings::{DeviceSettings, WireSettings};
use serde_json::{Value as Json, json};

use super::{Outcome, say, say_json};

/// Above this share of its time samples of a wire come late: requests wait for each other, and every lost one for all.
const LOAD_MAX: f64 = 0.8;

/// One wire with its plan.
struct Planned<'a> {
    wire: &'a WireSettings,
    plan: ReadPlan,
}

impl<'a> Planned<'a> {
    fn of(wire: &'a WireSettings) -> Planned<'a> {
        Planned { wire, plan: ReadPlan::of(wire) }
    }

    fn load(&self) -> f64 {
        self.plan.load(&self.wire.transport)
    }

    /// How long all requests take one after the other, as after a new connection.
    fn round(&self) -> Duration {
        self.plan.requests().iter().map(|request| request.cost(&self.wire.transport)).sum()
    }

    fn device(&self, request: &ReadRequest) -> &DeviceSettings {
        &self.wire.devices[request.device]
    }

    /// What is spoken on the wire, as configuration files call it.
    fn protocol(&self) -> String {
        let transport = serde_json::to_value(&self.wire.transport).unwrap_or_default();
        transport["protocol"].as_str().unwrap_or_default().to_owned()
    }

    fn warning(&self) -> Option<String> {
        (self.load() > LOAD_MAX).then(|| {
            format!(
                "wire {}: reading takes {:.0} % of its time, more than {:.0} %; samples will come late. Read slow points less \
                 often, or divide the wire",
                self.wire.name,
                self.load() * 100.0,
                LOAD_MAX * 100.0
            )
        })
    }
}

/// The plan of every wire.
///
/// # Errors
/// If the configuration is not sound.
pub fn run(path: &Path, json: bool) -> Outcome {
    let station = super::load(path)?;
    let wires: Vec<Planned<'_>> = station.wires.iter().map(Planned::of).collect();
    if json {
        return say_json(&wires.iter().map(as_json).collect::<Vec<_>>());
    }
    for planned in &wires {
        say(&table(planned))?;
    }
    for server in &station.opcua {
        say(&nodes::table(server))?;
    }
    say(&heard(&station))?;
    if station.reads_nothing() { say("no wires: this station reads nothing\n") } else { Ok(()) }
}

/// What is not asked for but heard: the topics of brokers, the points of sources that post.
fn heard(station: &Station) -> String {
    let mut text = String::new();
    for broker in &station.mqtt {
        let _ = writeln!(text, "mqtt {}: {}:{}", broker.source.name, broker.host, broker.port);
        for (subscription, feed) in broker.subscriptions.iter().zip(&broker.source.feeds) {
            let _ = writeln!(text, "  hears {} for {} points", subscription.filter.asked(), feed.targets.len());
        }
        for filter in broker.forecast.iter().chain(broker.availability.iter().map(|heard| &heard.topic)) {
            let _ = writeln!(text, "  hears {}", filter.asked());
        }
    }
    for source in &station.push {
        let points: usize = source.source.feeds.iter().map(|feed| feed.targets.len()).sum();
        let _ = writeln!(text, "push {}: /api/v1/samples for {points} points", source.source.name);
    }
    text
}

fn table(planned: &Planned<'_>) -> String {
    let mut text = format!(
        "wire {} ({}): {} requests, busy {:.1} % of the time; all of them in a row take about {:.0} ms\n",
        planned.wire.name,
        planned.protocol(),
        planned.plan.requests().len(),
        planned.load() * 100.0,
        planned.round().as_secs_f64() * 1000.0,
    );
    let _ = writeln!(
        text,
        "{:>4} {:<16} {:>4} {:>8} {:<16} {:>7} {:>5} {:>7} {:>8} {:>9} {:>6}  points",
        "", "device", "unit", "function", "table", "address", "count", "every", "bytes", "about", "load"
    );
    for (place, request) in planned.plan.in_order().into_iter().enumerate() {
        let device = planned.device(request);
        let (question, answer) = request.bytes(planned.wire.transport.framing());
        let cost = request.cost(&planned.wire.transport).as_secs_f64();
        let _ = writeln!(
            text,
            "{:>4} {:<16} {:>4} {:>8} {:<16} {:>7} {:>5} {:>6}s {:>8} {:>7.1}ms {:>5.1}%  {}",
            place + 1,
            device.name,
            request.modbus_unit,
            request.table.read_function(),
            request.table.name(),
            request.address,
            request.count,
            request.period.as_secs_f64(),
            format!("{question}+{answer}"),
            cost * 1000.0,
            cost / request.period.as_secs_f64() * 100.0,
            points(request, device),
        );
    }
    if let Some(warning) = planned.warning() {
        let _ = writeln!(text, "warning: {warning}");
    }
    text.push('\n');
    text
}

/// The first and the last point, and what is read along; `--json` has all names.
fn points(request: &ReadRequest, device: &DeviceSettings) -> String {
    let mut text = match names(request, device).as_slice() {
        [one] => (*one).to_owned(),
        [first, .., last] => format!("{}: {first} … {last}", request.registers.len()),
        [] => String::new(),
    };
    let holes = request.holes(device);
    if !holes.is_empty() {
        let count: usize = holes.iter().map(ExactSizeIterator::len).sum();
        let shown = |hole: &std::ops::RangeInclusive<u16>| match (hole.start(), hole.end()) {
            (one, same) if one == same => one.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let places: Vec<String> = holes.iter().map(shown).collect();
        let _ = write!(text, "; {count} read along: {}", places.join(", "));
    }
    text
}

fn names<'a>(request: &ReadRequest, device: &'a DeviceSettings) -> Vec<&'a str> {
    request.registers.iter().map(|&place| device.registers[place].name()).collect()
}

fn as_json(planned: &Planned<'_>) -> Json {
    let row = |request: &&ReadRequest| {
        let device = planned.device(request);
        let (question, answer) = request.bytes(planned.wire.transport.framing());
        let cost = request.cost(&planned.wire.transport);
        json!({
            "device": device.name,
            "modbus_unit": request.modbus_unit,
            "function": request.table.read_function(),
            "table": request.table.name(),
            "address": request.address,
            "count": request.count,
            "period_seconds": request.period.as_secs_f64(),
            "question_bytes": question,
            "answer_bytes": answer,
            "cost_seconds": cost.as_secs_f64(),
            "load": cost.as_secs_f64() / request.period.as_secs_f64(),
            "points": names(request, device),
            "read_along": request.holes(device).iter().map(|hole| [hole.start(), hole.end()]).collect::<Vec<_>>(),
        })
    };
    json!({
        "wire": planned.wire.name,
        "protocol": planned.protocol(),
        "load": planned.load(),
        "round_seconds": planned.round().as_secs_f64(),
        "warning": planned.warning(),
        "requests": planned.plan.in_order().iter().map(row).collect::<Vec<_>>(),
    })
}
