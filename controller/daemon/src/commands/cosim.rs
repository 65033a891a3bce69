//! `cosim`: the control against anybody's plant, in virtual time. One JSON object a line in, one a line out; no sockets,
//! and no files written outside `--data`.
//!
//! A line may bring what a meteorological service foresees, `{"issued":"2026-12-01T00:00:00+08:00","temperature":[-7.0,-7.4]}`:
//! the first value is for the time of issue, each next one an hour later, at most 48. `solar_irradiance` (W/m², global,
//! horizontal) and `wind_speed` (m/s) may stand beside it. It holds until the next one comes, and ages meanwhile.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use heatstation_config::Station;
use heatstation_core::forecast::{HOURS_MAX, Unusable};
use heatstation_core::moment::UtcMillis;
use heatstation_core::step::Health;
use heatstation_core::{Forecast, Inputs, Moment, Report, State, step};
use heatstation_points::{
    Catalogue, Celsius, Direction, Fault, MetersPerSecond, Readings, Sample, WattsPerSquareMeter,
};
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
    forecast: Option<Foreseen>,
}

/// What a meteorological service foresees, hour by hour from its issue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreseen {
    issued: Timestamp,
    temperature: Vec<Celsius>,
    #[serde(default)]
    solar_irradiance: Vec<WattsPerSquareMeter>,
    #[serde(default)]
    wind_speed: Vec<MetersPerSecond>,
}

impl Foreseen {
    /// The same in the words of the control.
    fn taken(&self) -> Result<Forecast, String> {
        Forecast::new(Duration::ZERO, &self.temperature, &self.solar_irradiance, &self.wind_speed).map_err(|unusable| {
            match unusable {
                Unusable::Empty => "the forecast has no temperature; leave it out instead".to_owned(),
                Unusable::TooLong => format!("the forecast has more than {HOURS_MAX} hours; give the first of them"),
                Unusable::Implausible { hour } => {
                    format!("the forecast's hour {hour} is outside of -60 to 60 °C, 0 to 1500 W/m² or 0 to 75 m/s")
                }
            }
        })
    }
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
    /// When the forecast in force was issued.
    issued: Option<Timestamp>,
}

impl<'a> Coupling<'a> {
    fn new(station: &'a Station, store: Option<&'a Store>) -> Coupling<'a> {
        let catalogue = &station.catalogue;
        let now = Moment {
            monotonic: Duration::ZERO,
            wall: UtcMillis(0),
            local: local_time(UtcMillis(0), &station.time_zone),
        };
        let inputs = Inputs {
            now,
            readings: Readings::empty(catalogue),
            forecast: None,
            requests: Vec::new(),
            health: Health::default(),
        };
        Coupling {
            station,
            store,
            image: Image::new(catalogue, []),
            inputs,
            state: State::new(&station.settings),
            start: None,
            step: Duration::ZERO,
            issued: None,
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
        self.foresee(line)?;
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

    /// Takes a forecast that came, and lets the one in force age.
    fn foresee(&mut self, line: &Line) -> Result<(), String> {
        if let Some(foreseen) = &line.forecast {
            (self.inputs.forecast, self.issued) = (Some(foreseen.taken()?), Some(foreseen.issued));
        }
        if let (Some(forecast), Some(issued)) = (&mut self.inputs.forecast, self.issued) {
            forecast.age = Duration::try_from(line.time.duration_since(issued))
                .map_err(|_| format!("the forecast was issued at {issued}, after the line's own time"))?;
        }
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
        Ok(Sample::plain(definition.point, value, self.inputs.now.monotonic))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The supply setpoint after five hours of lines a minute apart, with this in the first of them.
    fn setpoint(forecast: &str) -> f64 {
        let station = super::super::demo_station().unwrap_or_else(|_| panic!("the demonstration is sound"));
        let mut coupling = Coupling::new(&station, None);
        let mut lines = String::new();
        for minute in 0..300 {
            let (hour, rest) = (minute / 60, minute % 60);
            let more = if minute == 0 { forecast } else { "" };
            let line = format!(
                "{{\"time\":\"2026-12-01T0{hour}:{rest:02}:00+08:00\",\"points\":{{\"outdoor.temperature\":-2.0}}{more}}}\n"
            );
            lines.push_str(&line);
        }
        let mut answers = Vec::new();
        coupling.answer_all(lines.as_bytes(), &mut answers).unwrap_or_else(|_| panic!("the lines are sound"));
        let last: Json =
            serde_json::from_slice(answers.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap()).unwrap();
        last["setpoints"]["circuit.low-zone.secondary_supply.temperature"].as_f64().unwrap()
    }

    #[test]
    fn a_forecast_in_a_line_moves_the_supply_before_the_weather_does() {
        let falls: Vec<String> = (0..12).map(|hour| (-2 - hour).to_string()).collect();
        let told =
            format!(",\"forecast\":{{\"issued\":\"2026-12-01T00:00:00+08:00\",\"temperature\":[{}]}}", falls.join(","));
        // It says colder and colder and the thermometer does not follow: from 5 K on it is not believed any more.
        let (plain, warned) = (setpoint(""), setpoint(&told));
        assert!((1.0..8.0).contains(&(warned - plain)), "{plain} °C without, {warned} °C with the forecast");
        assert!((setpoint(",\"forecast\":null") - plain).abs() < 1e-9);
    }
}
