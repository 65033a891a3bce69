//! `simulate`: the closed loop in virtual time, a season in a minute.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use heatstation_config::{Scenario, Station};
use heatstation_core::ledger::Part;
use heatstation_core::moment::UtcMillis;
use heatstation_core::settings::Settings;
use heatstation_points::{Celsius, Kelvins};
use heatstation_simulator::timetable::Link;
use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{Circulation, InitialState, StationPlantSettings, WeatherSource};
use jiff::civil::Date;

use super::figures_table::table;
use super::{Failure, Outcome, Progress, say, say_json};
use crate::plant_of::plant_of;
use crate::scenario::{self, Asked, Requests};
use crate::simulation::figures::Tally;
use crate::simulation::{ClosedLoop, Wire};

/// How the station is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Strategy {
    /// As configured: curve, room feedback, schedule.
    #[default]
    Configured,
    /// The weather curve alone, without room feedback.
    Curve,
}

/// What the station hears of a meteorological service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Service {
    /// Nothing.
    #[default]
    Silent,
    /// Each hour what will be.
    Exact,
    /// Each hour a forecast within 1 K.
    Low,
    /// Within 1.6 K, as a usual one.
    Medium,
    /// Within 2.2 K.
    High,
}

impl Service {
    const fn uncertainty(self) -> Option<Uncertainty> {
        match self {
            Service::Silent => None,
            Service::Exact => Some(Uncertainty::None),
            Service::Low => Some(Uncertainty::Low),
            Service::Medium => Some(Uncertainty::Medium),
            Service::High => Some(Uncertainty::High),
        }
    }
}

/// What a simulation is asked.
#[derive(Debug)]
pub struct Order {
    /// The station.
    pub configuration: PathBuf,
    /// The first day; the day on which the station begins to heat if none is given.
    pub from: Option<Date>,
    /// The last day; the season's last if none is given.
    pub to: Option<Date>,
    /// A weather file; what the scenario says or the generator if none is given.
    pub weather: Option<PathBuf>,
    /// The seed of weather, rooms and noise, before what the scenario says.
    pub seed: Option<u64>,
    /// A scenario by its name, or the path of its file; a whole season in which nothing breaks if none is given.
    pub scenario: Option<String>,
    /// How the station is run.
    pub strategy: Strategy,
    /// What it hears of a meteorological service.
    pub forecast: Service,
    /// JSON instead of a table.
    pub json: bool,
    /// Where a series with one row a minute goes.
    pub series: Option<PathBuf>,
    /// Where the events go, one JSON object a line.
    pub events: Option<PathBuf>,
}

/// Simulates and prints the figures.
///
/// # Errors
/// A bad configuration, weather file or date; a series that cannot be written.
pub fn run(order: &Order) -> Outcome {
    let station = super::load(&order.configuration)?;
    let scenario = order.scenario.as_deref();
    let scenario = scenario.map(|name| super::scenario(name, Some(&order.configuration), &station)).transpose()?;
    let mut settings = station.settings.clone();
    apply(order.strategy, &mut settings);
    let Stage { plant, weather, seed, start, end } = stage(&station, scenario.as_ref(), order)?;
    let mut timetable = scenario.as_ref().map(scenario::timetable).unwrap_or_default();
    let mut requests = scenario.as_ref().map(Requests::of).unwrap_or_default();
    let zone = Duration::from_secs_f64(plant.time_zone_hours.max(0.0) * 3600.0);
    let mut cl = ClosedLoop::new(settings, &station.catalogue, &plant, weather, start, zone, seed);
    cl.foresee(order.forecast.uncertainty());
    let mut series = order.series.as_ref().map(|path| Series::create(path, &station)).transpose()?;

    let began = Instant::now();
    let (mut tally, mut progress) = (Tally::default(), Progress::new());
    let seconds = end.since(start).as_secs();
    // A scenario is looked at from its first second; a season is what is owed.
    let season = station.settings.season;
    let judged = if scenario.is_some() { start..end } else { season.start.max(start)..season.end };
    let mut events = order.events.as_ref().map(|path| Events::create(path)).transpose()?;
    for second in 0..seconds {
        match timetable.advance(SECOND, cl.plant()) {
            Some(Link::Up) => cl.set_wire(Wire::Up),
            Some(Link::Silent) => cl.set_wire(Wire::Down),
            None => {}
        }
        cl.second(requests.take(SECOND * second as u32));
        let (plant, settings, report) = cl.view();
        let Some(report) = report else { continue };
        if judged.contains(&report.moment.wall) {
            tally.note(settings, plant.truth(), report);
        }
        if let Some(events) = &mut events {
            events.note(report)?;
        }
        if second.is_multiple_of(60)
            && let Some(series) = &mut series
        {
            series.row(plant.truth(), report)?;
        }
        if second.is_multiple_of(3600) {
            progress.at(second, seconds);
        }
    }
    progress.done();
    if let Some(series) = series {
        series.finish()?;
    }
    let (plant, settings, _) = cl.view();
    let figures = tally
        .figures(settings, plant.truth(), cl.wall())
        .map_err(|why| Failure::Usage(format!("there is no accident rate: {why:?}")))?;
    let wall = began.elapsed().as_secs_f64();
    if order.json {
        let mut json = serde_json::to_value(&figures).map_err(anyhow::Error::from)?;
        json["wall_seconds"] = wall.into();
        json["simulated_seconds"] = seconds.into();
        say_json(&json)
    } else {
        say(&table(&figures, wall))
    }
}

/// What is simulated, and from when to when.
struct Stage {
    plant: StationPlantSettings,
    weather: Box<dyn WeatherSource>,
    seed: u64,
    start: UtcMillis,
    end: UtcMillis,
}

/// A scenario says when it begins and how long it is watched, unless days are asked for; otherwise it is the season.
fn stage(station: &Station, scenario: Option<&Scenario>, order: &Order) -> Result<Stage, Failure> {
    let asked = Asked { weather: order.weather.as_deref(), seed: order.seed };
    let Some(scenario) = scenario else {
        let (start, end) = span(station, order)?;
        let steady = super::scenario("steady", None, station)?;
        let mut weather = super::plant::weather_of(station, &steady, &asked, start)?;
        let seed = order.seed.unwrap_or(scenario::USUAL_SEED);
        let mut plant = plant_of(station, seed);
        let outdoor = weather.at(start.0.div_euclid(1000)).outdoor;
        // Before its first day a house has been heated by nothing but the sun.
        let cold = start <= station.settings.season.heating_from;
        let circulation = if cold { Circulation::Stopped } else { Circulation::Running };
        let room = if cold { Celsius(16.0) } else { Celsius(20.0) };
        plant.initial = InitialState { outdoor, room, circulation };
        return Ok(Stage { plant, weather, seed, start, end });
    };
    let begin = scenario::begin(scenario, station);
    let (start, end) = match (order.from, order.to) {
        (None, None) => (begin, UtcMillis(begin.0 + scenario.lasts.as_millis() as i64)),
        _ => span(station, order)?,
    };
    let mut weather = super::plant::weather_of(station, scenario, &asked, start)?;
    let outdoor = weather.at(start.0.div_euclid(1000)).outdoor;
    let plant = scenario::plant(scenario, station, &asked, outdoor);
    Ok(Stage { plant, weather, seed: scenario::plant_seed(scenario, &asked), start, end })
}

/// One turn of the crank.
const SECOND: Duration = Duration::from_secs(1);

fn apply(strategy: Strategy, settings: &mut Settings) {
    match strategy {
        Strategy::Configured => {}
        Strategy::Curve => {
            for circuit in &mut settings.circuits {
                circuit.room_trim.lower_max = Kelvins(0.0);
                circuit.room_trim.raise_max = Kelvins(0.0);
            }
        }
    }
}

/// From the first moment of the first day to the last of the last.
fn span(station: &Station, order: &Order) -> Result<(UtcMillis, UtcMillis), Failure> {
    let season = station.settings.season;
    let midnight = |date: Date| {
        date.to_zoned(station.time_zone.clone())
            .map(|zoned| UtcMillis(zoned.timestamp().as_millisecond()))
            .map_err(|error| Failure::Usage(format!("{date}: {error}")))
    };
    let start = order.from.map_or(Ok(season.heating_from), midnight)?;
    let end = match order.to {
        None => season.end,
        Some(date) => midnight(date.tomorrow().map_err(|error| Failure::Usage(format!("--to {date}: {error}")))?)?,
    };
    if end <= start {
        return Err(Failure::Usage("--to must not be before --from".to_owned()));
    }
    if end <= season.start || start >= season.end {
        return Err(Failure::Usage(
            "these days lie outside of the season: nothing is due and there is nothing to judge".to_owned(),
        ));
    }
    Ok((start, end))
}

/// What happened, one JSON object a line.
struct Events {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Events {
    fn create(path: &Path) -> Result<Events, Failure> {
        let file = File::create(path).with_context(|| format!("{}: the events cannot be written", path.display()))?;
        Ok(Events { path: path.to_path_buf(), file: BufWriter::new(file) })
    }

    fn note(&mut self, report: &heatstation_core::Report) -> Outcome {
        for event in &report.events {
            let line = serde_json::json!({ "wall_milliseconds": report.moment.wall.0, "event": event });
            writeln!(self.file, "{line}")
                .with_context(|| format!("{}: the events cannot be written", self.path.display()))?;
        }
        Ok(())
    }
}

/// One row a minute: what an engineer plots.
struct Series {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Series {
    fn create(path: &PathBuf, station: &Station) -> Result<Series, Failure> {
        let file = File::create(path).with_context(|| format!("{}: the series cannot be written", path.display()))?;
        let mut writer = csv::Writer::from_writer(BufWriter::new(file));
        let mut heading = vec!["time_utc_seconds".to_owned(), "outdoor_celsius".to_owned()];
        for circuit in station.catalogue.circuits() {
            for column in [
                "setpoint_celsius",
                "supply_celsius",
                "return_celsius",
                "valve_command_ratio",
                "heat_watts",
                "secondary_flow_kilograms_per_second",
                "holding_pressure_pascals",
                "room_trim_kelvins",
                "coldest_room_celsius",
                "mean_room_celsius",
            ] {
                heading.push(format!("{}.{column}", circuit.name));
            }
        }
        writer.write_record(&heading).map_err(anyhow::Error::from)?;
        Ok(Series { path: path.clone(), writer })
    }

    fn row(&mut self, truth: &heatstation_simulator::Truth, report: &heatstation_core::Report) -> Outcome {
        let mut row = vec![(report.moment.wall.0 / 1000).to_string(), format!("{:.2}", truth.outdoor.0)];
        for (circuit, decided) in truth.circuits.iter().zip(&report.circuits) {
            let heated = || circuit.flats.iter().filter(|flat| !flat.shut).map(|flat| flat.temperature.0);
            let count = heated().count().max(1) as f64;
            let valve = decided.commands.as_ref().map_or(String::new(), |c| format!("{:.4}", c.valve_position.0));
            row.push(format!("{:.2}", decided.setpoint.value.0));
            row.push(format!("{:.2}", circuit.supply.0));
            row.push(format!("{:.2}", circuit.return_.0));
            row.push(valve);
            row.push(format!("{:.0}", circuit.heat.0));
            row.push(format!("{:.2}", circuit.secondary_flow.0));
            row.push(format!("{:.0}", circuit.holding_pressure.0));
            row.push(format!("{:.3}", decided.setpoint.ledger.of(Part::RoomTrim).0));
            row.push(format!("{:.2}", heated().fold(f64::INFINITY, f64::min)));
            row.push(format!("{:.2}", heated().sum::<f64>() / count));
        }
        self.writer
            .write_record(&row)
            .with_context(|| format!("{}: the series cannot be written", self.path.display()))?;
        Ok(())
    }

    fn finish(mut self) -> Outcome {
        self.writer.flush().with_context(|| format!("{}: the series cannot be written", self.path.display()))?;
        Ok(())
    }
}
