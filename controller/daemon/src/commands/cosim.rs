//! `cosim`: the control against anybody's plant, in virtual time. One JSON object a line in, one a line out; no sockets,
//! and no files written outside `--data`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use heatstation_config::Station;
use heatstation_core::moment::UtcMillis;
use heatstation_core::step::Health;
use heatstation_core::{Inputs, Moment, Report, State, step};
use heatstation_points::{Catalogue, Direction, Fault, Readings, Sample};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Failure, Outcome};
use crate::clock::local_time;
use crate::image::{Image, usual_period};
use crate::records::record_of;
use crate::store::{Store, StoreSettings};

/// Longer lines are no lines: 1 MiB holds ten thousand points.
const LINE_MAX: usize = 1 << 20;

/// What the plant says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    time: Timestamp,
    points: Map<String, Json>,
}

/// What the control answers.
#[derive(Serialize)]
struct Answer {
    time: String,
    commands: Map<String, Json>,
    setpoints: Map<String, Json>,
    alarms: Vec<Json>,
    events: Vec<Json>,
}

/// Answers line by line until the input ends.
///
/// # Errors
/// A bad configuration, or a line that cannot be understood: which line, what is wrong, what would be right.
pub fn run(path: &Path, data: Option<PathBuf>, input: impl BufRead, output: impl Write) -> Outcome {
    let station = super::load(path)?;
    let store = match data {
        Some(folder) => Some(Store::open(&folder, StoreSettings::default()).map_err(anyhow::Error::from)?),
        None => None,
    };
    let outcome = Coupling::new(&station, store.as_ref()).answer_all(input, output);
    if let Some(store) = store {
        store.close(Duration::from_secs(10)).map_err(anyhow::Error::from)?;
    }
    outcome
}

struct Coupling<'a> {
    station: &'a Station,
    store: Option<&'a Store>,
    image: Image,
    inputs: Inputs,
    state: State,
    start: Option<Timestamp>,
    step: Duration,
}

impl<'a> Coupling<'a> {
    fn new(station: &'a Station, store: Option<&'a Store>) -> Coupling<'a> {
        let catalogue = &station.catalogue;
        let now = Moment {
            monotonic: Duration::ZERO,
            wall: UtcMillis(0),
            local: local_time(UtcMillis(0), &station.time_zone),
        };
        let inputs =
            Inputs { now, readings: Readings::empty(catalogue), requests: Vec::new(), health: Health::default() };
        Coupling {
            station,
            store,
            image: Image::new(catalogue, []),
            inputs,
            state: State::new(&station.settings),
            start: None,
            step: Duration::ZERO,
        }
    }

    fn answer_all(&mut self, mut input: impl BufRead, mut output: impl Write) -> Outcome {
        let mut text = String::new();
        for number in 1_u64.. {
            text.clear();
            let read = std::io::Read::take(&mut input, LINE_MAX as u64 + 1);
            let mut read = read;
            let length = read.read_line(&mut text).with_context(|| format!("input line {number}"))?;
            if length == 0 {
                return Ok(());
            }
            let bad = |what: String| Failure::Usage(format!("input line {number}: {what}"));
            if length > LINE_MAX {
                return Err(bad(format!("longer than {LINE_MAX} bytes")));
            }
            if text.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| {
                bad(format!(
                    "{error}; it should be like {{\"time\":\"2026-12-01T00:00:00+08:00\",\"points\":{{\"outdoor.temperature\":-7.4}}}}"
                ))
            })?;
            let report = self.decide(&line).map_err(bad)?;
            self.record(&report)?;
            let answer = answer_of(&report, self.station, line.time);
            let mut text = serde_json::to_string(&answer).map_err(anyhow::Error::from)?;
            text.push('\n');
            if let Err(error) = output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
                // A partner that has gone away has heard enough.
                let gone = error.kind() == std::io::ErrorKind::BrokenPipe;
                return if gone { Ok(()) } else { Err(Failure::Running(error.into())) };
            }
        }
        Ok(())
    }

    fn decide(&mut self, line: &Line) -> Result<Report, String> {
        self.advance(line.time)?;
        let samples = self.samples(&line.points)?;
        let catalogue = &self.station.catalogue;
        for sample in &samples {
            // What the plant has said once is a point it has; its rhythm is that of the lines, or the usual one.
            let pace = catalogue.definition(sample.point).map(|definition| usual_period(definition.pace));
            self.image.watch(catalogue, sample.point, self.step.max(pace.unwrap_or_default()));
        }
        self.image.take(catalogue, &samples);
        self.image.snapshot(self.inputs.now.monotonic, &mut self.inputs.readings, &mut Vec::new());
        let (state, report) = step(&self.station.settings, std::mem::take(&mut self.state), &self.inputs);
        self.state = state;
        Ok(report)
    }

    fn advance(&mut self, time: Timestamp) -> Result<(), String> {
        let start = *self.start.get_or_insert(time);
        let since = time.duration_since(start);
        let monotonic = Duration::try_from(since)
            .ok()
            .filter(|monotonic| *monotonic >= self.inputs.now.monotonic)
            .ok_or_else(|| format!("time {time} is before the line before it; time goes forward"))?;
        self.step = monotonic.saturating_sub(self.inputs.now.monotonic);
        let wall = UtcMillis(time.as_millisecond());
        self.inputs.now = Moment { monotonic, wall, local: local_time(wall, &self.station.time_zone) };
        Ok(())
    }

    fn samples(&self, points: &Map<String, Json>) -> Result<Vec<Sample>, String> {
        let catalogue = &self.station.catalogue;
        points.iter().map(|(name, value)| self.sample(catalogue, name, value)).collect()
    }

    fn sample(&self, catalogue: &Catalogue, name: &str, value: &Json) -> Result<Sample, String> {
        let definition = catalogue.find(name).ok_or_else(|| {
            let near = catalogue.suggest(name).join(", ");
            let near =
                if near.is_empty() { "see `heatstation points`".to_owned() } else { format!("did you mean {near}?") };
            format!("this station has no point {name}; {near}")
        })?;
        if definition.direction == Direction::Output {
            return Err(format!("{name} is a command: it is answered, not given"));
        }
        let value = match value {
            Json::Null => Err(Fault::SensorBroken),
            Json::Bool(on) => definition.accept(f64::from(u8::from(*on))),
            Json::Number(number) => definition.accept(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(_) | Json::Array(_) | Json::Object(_) => {
                return Err(format!(
                    "{name} is {value}; it should be a number in {}, true, false or null",
                    definition.unit
                ));
            }
        };
        Ok(Sample { point: definition.point, value, taken_at: self.inputs.now.monotonic })
    }

    fn record(&self, report: &Report) -> Outcome {
        let Some(store) = self.store else { return Ok(()) };
        let records: Result<Vec<_>, _> = report.events.iter().map(|event| record_of(event, &report.moment)).collect();
        let records = records.map_err(anyhow::Error::from)?;
        if records.is_empty() {
            return Ok(());
        }
        store.append(records).wait().map_err(anyhow::Error::from)?;
        Ok(())
    }
}

fn answer_of(report: &Report, station: &Station, time: Timestamp) -> Answer {
    let catalogue = &station.catalogue;
    let mut commands = Map::new();
    let mut setpoints = Map::new();
    for (circuit, settings) in report.circuits.iter().zip(&station.settings.circuits) {
        let name = |what: &str| format!("circuit.{}.{what}", settings.name);
        for (point, value) in circuit.commands.iter().flat_map(|commands| commands.points(circuit.circuit)) {
            commands.insert(catalogue.name(point).to_owned(), value.into());
        }
        setpoints.insert(name("secondary_supply.temperature"), circuit.setpoint.value.0.into());
        if let Some(pressure) = circuit.pressure_setpoint {
            setpoints.insert(name("secondary_return.pressure"), pressure.0.into());
        }
        if let Some(difference) = circuit.circulation.speed.differential_pressure_setpoint {
            setpoints.insert(name("secondary.differential_pressure"), difference.0.into());
        }
    }
    let alarms = report.alarms.iter().map(|active| {
        serde_json::json!({
            "alarm": active.key.alarm.name(),
            "place": active.key.place,
            "priority": active.key.alarm.priority().name(),
            "since_utc_milliseconds": active.since.0,
        })
    });
    let time = time.to_zoned(station.time_zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Answer {
        time,
        commands,
        setpoints,
        alarms: alarms.collect(),
        events: report.events.iter().map(|event| serde_json::json!(event)).collect(),
    }
}
