//! Scenarios: what happens to a station, from weather to people, by the clock.
//!
//! A scenario is a file of its own, written for any station: circuits, pumps and points are found in the station's own
//! catalogue, `circuit.*` being the circuit that an entry is about. [`read`] gives plain data or every problem with its
//! place; the simulated plant and the control know nothing of files, and this crate nothing of the simulator.

mod breakage;
mod check;
mod raw;
mod request;

use std::path::{Path, PathBuf};
use std::time::Duration;

use heatstation_core::request::Request;
use heatstation_points::{
    BuildingIndex, Celsius, CircuitIndex, CubicMetersPerSecond, Kelvins, Point, PumpIndex, Ratio,
};

use crate::desk::{Desk, nearest};
use crate::files::{self, Library};
use crate::parse::parse;
use crate::problem::{Kind, Place, Problems};
use crate::station::{BuildingClass, Climate, Station};

pub use raw::RawScenario;

/// A course of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it was asked for by.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What it is called in Chinese.
    pub chinese_title: String,
    /// What it does and shows, in one sentence.
    pub description: String,
    /// When of the season it begins.
    pub begins: Begins,
    /// At which time of day, since midnight.
    pub time_of_day: Duration,
    /// After which it is over, for whoever runs it in virtual time.
    pub lasts: Duration,
    /// The weather.
    pub weather: WeatherPlan,
    /// What the plant is like.
    pub plant: PlantPlan,
    /// What goes wrong on the line, if something is said of it.
    pub wire: Option<WireTrouble>,
    /// What happens, in order of time.
    pub happenings: Vec<Happening>,
}

/// What goes wrong on the line: the simulator's own text, which nobody here can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireTrouble {
    /// Wire faults with commas between them.
    pub faults: String,
    /// The line of the scenario's file in which they stand.
    pub line: usize,
    /// By which they are drawn, if it is said.
    pub seed: Option<u64>,
}

/// A day of the season.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// In the coldest part of it.
    MidSeason,
    /// On its first day.
    SeasonStart,
    /// On the day on which the station begins to heat.
    HeatingStart,
}

/// The weather of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct WeatherPlan {
    /// Where it comes from; the station's own if nothing is said.
    pub source: Option<WeatherFrom>,
    /// The seed of the generator, if one is said.
    pub seed: Option<u64>,
    /// How the outdoor temperature departs from the source.
    pub changes: Vec<WeatherChange>,
}

/// Where weather comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum WeatherFrom {
    /// An EPW file.
    File(PathBuf),
    /// The generator in this climate.
    Climate(Climate),
    /// Dark and still at one temperature.
    Steady(Celsius),
}

/// A change of the outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeatherChange {
    /// Since the scenario began.
    pub at: Duration,
    /// In which it comes, and goes again.
    pub over: Duration,
    /// How long it stays in between; for ever if nothing is said.
    pub lasts: Option<Duration>,
    /// By how much.
    pub by: Kelvins,
}

impl WeatherChange {
    /// What of it there is at this time since the scenario began.
    pub fn at(&self, since: Duration) -> Kelvins {
        let share = |from: Duration| {
            let over = self.over.as_secs_f64().max(1.0);
            (since.saturating_sub(from).as_secs_f64() / over).min(1.0)
        };
        let gone = self.lasts.map_or(0.0, |lasts| share(self.at + self.over + lasts));
        self.by * (share(self.at) - gone)
    }
}

/// What a scenario says of the plant; where it says nothing the plant is as for any other run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlantPlan {
    /// Of everything that is drawn.
    pub seed: Option<u64>,
    /// Whether heating is going on at the start.
    pub circulation: Option<CirculationAtStart>,
    /// The rooms at the start.
    pub room: Option<Celsius>,
    /// Insulation.
    pub building_class: Option<BuildingClass>,
    /// The control valve over its right size.
    pub valve_oversize: Option<f64>,
    /// Its play.
    pub valve_hysteresis: Option<Ratio>,
    /// Its stroke.
    pub valve_stroke: Option<Duration>,
    /// Flow at full speed over the design flow.
    pub flow_ratio: Option<f64>,
    /// Emitters over need.
    pub emitter_oversize: Option<f64>,
    /// Empty flats.
    pub vacant: Option<Ratio>,
    /// Water of the nearest and of the farthest building over their fair share.
    pub near_flow_ratio: Option<f64>,
    /// See `near_flow_ratio`.
    pub far_flow_ratio: Option<f64>,
    /// What seeps away in a day, of the loop's water.
    pub daily_leak: Option<Ratio>,
    /// How often heat meters speak.
    pub meter_telegram: Option<Duration>,
    /// Hot water: litres a day per m².
    pub hot_water_liters_per_m2: Option<f64>,
    /// What a limiter at the connection lets through, of the design flow.
    pub primary_flow_limit: Option<Ratio>,
    /// The warmest that the source can send.
    pub primary_supply_limit: Option<Celsius>,
}

/// Whether heating is going on at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CirculationAtStart {
    /// Duty pumps on, the valve where the weather wants it.
    Running,
    /// Pumps off, the water as warm as the rooms.
    Stopped,
}

/// Something that happens at its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Since the scenario began.
    pub at: Duration,
    /// What happens.
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Something breaks.
    Break(Breakage),
    /// It is mended.
    Mend(Breakage),
    /// The line between cabinet and control goes dead.
    LineDown,
    /// It answers again.
    LineUp,
    /// Somebody asks something of the control.
    Ask(Request),
}

/// A pump of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PumpAt {
    /// A circulation pump.
    Circulation(CircuitIndex, PumpIndex),
    /// A make-up pump.
    MakeUp(CircuitIndex, PumpIndex),
}

/// What can break at a station. Sensors in ten ways, the rest each in its own.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the comments on the words of `kind` in `raw` say what each is")]
pub enum Breakage {
    SensorOff(Point),
    SensorStuck(Point),
    SensorGarbage(Point),
    SensorOffBy(Point, f64),
    SensorShows(Point, f64),
    SensorSlow(Point, Duration),
    SensorDelayed(Point, Duration),
    SensorIntermittent(Point, Ratio),
    SensorDrift(Point, f64),
    SensorSpike(Point, f64),
    SensorSwap(Point, Point),
    PumpTrip(PumpAt),
    PumpDead(PumpAt),
    PumpWithoutFlow(PumpAt),
    PumpCapped(PumpAt, Ratio),
    PumpLocal(PumpAt),
    PrimaryCold(Celsius),
    PrimaryPressureLost(Ratio),
    PrimaryFlowLimited(Ratio),
    ValveStuck(CircuitIndex),
    ValveStiction(CircuitIndex, Ratio),
    ValveLeaks(CircuitIndex, Ratio),
    ValveLocal(CircuitIndex),
    BuildingValveStuck(CircuitIndex, BuildingIndex),
    Leak(CircuitIndex, CubicMetersPerSecond),
    ReliefStuckOpen(CircuitIndex),
    TapWaterLost(CircuitIndex),
    ExchangerFouled(CircuitIndex, Ratio),
    StrainerClogged(CircuitIndex, Ratio),
    FlatsClosed(CircuitIndex, Ratio),
    MainsFailure,
    EmergencyStop,
    LocalSelected,
    Flooded,
    OutdoorSensorInSun(Kelvins),
}

/// The names of the scenarios that the program carries, in order.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    Library::Scenarios.names()
}

/// A scenario by its name, or by the path of its file, for this station.
///
/// A name is looked for in `scenarios/` in `folder`, then among those that the program carries. What has a slash or ends
/// with `.toml` is a path.
///
/// # Errors
/// There is none of that name, or every problem of its file.
pub fn find(name_or_path: &str, folder: Option<&Path>, station: &Station) -> Result<Scenario, Problems> {
    let is_toml = Path::new(name_or_path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    if is_toml || name_or_path.contains(['/', '\\']) {
        let path = Path::new(name_or_path);
        return match files::read(path) {
            Ok(text) => read(name_or_path, &text, path.parent(), station),
            Err(what) => Err(unusable(name_or_path, &format!("the file {what}"), "give the path of a scenario file")),
        };
    }
    match Library::Scenarios.find(name_or_path, folder) {
        Ok(Some((called, text))) => {
            read(&called, &text, folder.map(|folder| folder.join("scenarios")).as_deref(), station)
                .map(|scenario| Scenario { name: name_or_path.to_owned(), ..scenario })
        }
        Ok(None) => {
            let all = names().collect::<Vec<_>>().join(", ");
            let near = nearest(name_or_path, names());
            let help = near.map_or_else(
                || format!("there are: {all}; or give the path of a file, as in my/scenario.toml"),
                |near| format!("did you mean `{near}`? There are: {all}"),
            );
            Err(unusable(name_or_path, &format!("there is no scenario `{name_or_path}`"), &help))
        }
        Err(what) => Err(unusable(name_or_path, &format!("its file {what}"), "make the file readable")),
    }
}

fn unusable(name: &str, what: &str, help: &str) -> Problems {
    let mut desk = Desk::default();
    let file = desk.add(name, "", Kind::Scenario);
    desk.error(&Place { file, span: 0..0 }, "", what, help);
    desk.close().0
}

/// The text of a scenario's file that goes by that name; weather files are looked for in `folder`.
///
/// # Errors
/// Every problem at once.
pub fn read(name: &str, text: &str, folder: Option<&Path>, station: &Station) -> Result<Scenario, Problems> {
    let mut desk = Desk::default();
    let file = desk.add(name, text, Kind::Scenario);
    let Some(raw) = parse::<RawScenario>(&mut desk, file) else { return Err(desk.close().0) };
    let scenario = check::check(&mut desk, &raw, folder, station);
    let broken = desk.has_errors();
    let problems = desk.close().0;
    if broken { Err(problems) } else { Ok(Scenario { name: name.to_owned(), ..scenario }) }
}
