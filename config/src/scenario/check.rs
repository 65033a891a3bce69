//! From the scenario as written to what happens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Ratio};

use super::raw::{
    RawBegins, RawCirculationAtStart, RawHead, RawLine, RawPlant, RawScenario, RawWeather, RawWireTrouble,
};
use super::{
    Begins, CirculationAtStart, Happening, PlantPlan, Scenario, WeatherChange, WeatherFrom, WeatherPlan, What,
    WireTrouble, breakage, request,
};
use crate::check::house::{class_of, climate_of};
use crate::desk::{Desk, Field, Otherwise, Section, number, one_of, or};
use crate::files;
use crate::raw::{Count, Number, RawBuildingClass, RawClimate, Text};
use crate::station::Station;
use crate::written::Written;

/// No scenario has a time after this: a year.
pub(super) const MINUTES_MAX: f64 = 366.0 * 1440.0;
/// Nothing happens more often than this.
const TIMES_MAX: u64 = 10_000;

pub(super) fn check(desk: &mut Desk, raw: &RawScenario, folder: Option<&Path>, station: &Station) -> Scenario {
    let mut scenario = check_head(desk, raw);
    scenario.weather = check_weather(desk, raw, folder);
    scenario.plant = check_plant(desk, raw);
    scenario.wire = raw.wire.as_ref().map(|written| check_wire(desk, written));
    let mut happenings = Vec::new();
    for (number, written) in raw.fault.iter().enumerate() {
        let at = Section::new(format!("fault.{}", number + 1), 0, &written.span);
        breakage::check(desk, &at, &written.value, station, &mut happenings);
    }
    for (number, written) in raw.line.iter().enumerate() {
        let at = Section::new(format!("line.{}", number + 1), 0, &written.span);
        check_line(desk, &at, &written.value, &mut happenings);
    }
    for (number, written) in raw.request.iter().enumerate() {
        let at = Section::new(format!("request.{}", number + 1), 0, &written.span);
        request::check(desk, &at, &written.value, station, &mut happenings);
    }
    // Stable: what is written first happens first.
    happenings.sort_by_key(|happening| happening.at);
    scenario.happenings = happenings;
    scenario
}

fn check_head(desk: &mut Desk, file: &RawScenario) -> Scenario {
    let written = file.scenario.clone().unwrap_or_default();
    let raw: &RawHead = &written.value;
    let at = Section::new("scenario", 0, &written.span);
    let title = desk.text(&at, "title", raw.title.as_ref(), Otherwise::Required("\"Circulation pump 1 trips\""));
    let chinese = Otherwise::Required("\"1号循环泵跳闸\"");
    let chinese_title = desk.text(&at, "chinese_title", raw.chinese_title.as_ref(), chinese);
    let example = Otherwise::Required("\"the first pump trips and the standby takes over\"");
    let description = desk.text(&at, "description", raw.description.as_ref(), example);
    let usual = or(RawBegins::MidSeason, "the coldest part of the season shows most");
    let begins = desk.choice(&at, "begins", raw.begins.as_ref(), usual, RawBegins::MidSeason);
    let hour = number!(desk, at, raw.begins_hour, 0.0..=23.99, or(7.0, "people get up and all is running"));
    let lasts = number!(desk, at, raw.lasts_hours, 0.01..=9000.0, or(6.0, "long enough for most faults to show"));
    Scenario {
        name: String::new(),
        title: title.value,
        chinese_title: chinese_title.value,
        description: description.value,
        begins: match begins.value {
            RawBegins::MidSeason => Begins::MidSeason,
            RawBegins::SeasonStart => Begins::SeasonStart,
            RawBegins::HeatingStart => Begins::HeatingStart,
        },
        time_of_day: Duration::from_secs_f64(hour.value * 3600.0),
        lasts: lasts.duration(),
        weather: WeatherPlan { source: None, seed: None, changes: Vec::new() },
        plant: PlantPlan::default(),
        wire: None,
        happenings: Vec::new(),
    }
}

fn check_wire(desk: &mut Desk, written: &Written<RawWireTrouble>) -> WireTrouble {
    let at = Section::new("wire", 0, &written.span);
    let raw = &written.value;
    let faults = desk.text(&at, "faults", raw.faults.as_ref(), Otherwise::Required("\"late 300ms, cut 10s\""));
    let seed = optional_count(desk, &at, "seed", &raw.seed, 0..=u64::MAX);
    let (line, _) = desk.sources.line_and_column(&faults.place);
    WireTrouble { faults: faults.value, line, seed }
}

fn check_weather(desk: &mut Desk, file: &RawScenario, folder: Option<&Path>) -> WeatherPlan {
    let written = file.weather.clone().unwrap_or_default();
    let raw: &RawWeather = &written.value;
    let at = Section::new("weather", 0, &written.span);
    let written_file = optional_text(desk, &at, "file", &raw.file);
    let climate = raw.climate.as_ref().map(|climate| {
        desk.choice(&at, "climate", Some(climate), or(RawClimate::Shandong, ""), RawClimate::Shandong).value
    });
    let steady = optional(desk, &at, "steady_celsius", &raw.steady_celsius, -60.0..=40.0);
    let seed = optional_count(desk, &at, "seed", &raw.seed, 0..=u64::MAX);
    let sources: Vec<&str> = [
        written_file.is_some().then_some("file"),
        climate.is_some().then_some("climate"),
        steady.is_some().then_some("steady_celsius"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if sources.len() > 1 {
        let what = format!("{} are written together", sources.join(" and "));
        desk.error(&at.place, "weather", what, "weather comes from one place: leave one of them");
    }
    let source = match (written_file, climate, steady) {
        (Some(file), ..) => Some(WeatherFrom::File(weather_file(desk, &file, folder))),
        (None, Some(climate), _) => Some(WeatherFrom::Climate(climate_of(climate))),
        (None, None, Some(steady)) => Some(WeatherFrom::Steady(Celsius(steady))),
        (None, None, None) => None,
    };
    let changes = (raw.change.iter().enumerate())
        .map(|(number, written)| {
            let at = Section::new(format!("weather.change.{}", number + 1), 0, &written.span);
            let raw = &written.value;
            let begins = number!(desk, at, raw.at_minutes, 0.0..=MINUTES_MAX, Otherwise::Required("60"));
            let over = number!(desk, at, raw.over_minutes, 0.0..=20_000.0, or(60.0, "no front is sharper"));
            let lasts = optional_duration(desk, &at, "lasts_minutes", &raw.lasts_minutes);
            let by = number!(desk, at, raw.by_kelvins, -40.0..=40.0, Otherwise::Required("-12"));
            WeatherChange { at: begins.duration(), over: over.duration(), lasts, by: Kelvins(by.value) }
        })
        .collect();
    WeatherPlan { source, seed, changes }
}

fn weather_file(desk: &mut Desk, written: &Field<String>, folder: Option<&Path>) -> PathBuf {
    let path = files::beside(folder, &written.value);
    if !path.is_file() {
        let help = "give the path of an EPW file, beginning at the scenario's folder";
        desk.error(&written.place, written.key.as_str(), format!("there is no file {}", path.display()), help);
    }
    path
}

fn check_plant(desk: &mut Desk, file: &RawScenario) -> PlantPlan {
    let written = file.plant.clone().unwrap_or_default();
    let raw: &RawPlant = &written.value;
    let at = Section::new("plant", 0, &written.span);
    let circulation = raw.circulation.as_ref().map(|circulation| {
        let running = RawCirculationAtStart::Running;
        match desk.choice(&at, "circulation", Some(circulation), or(running, ""), running).value {
            RawCirculationAtStart::Running => CirculationAtStart::Running,
            RawCirculationAtStart::Stopped => CirculationAtStart::Stopped,
        }
    });
    let building_class = raw.building_class.as_ref().map(|class| {
        let half = RawBuildingClass::Half;
        class_of(desk.choice(&at, "building_class", Some(class), or(half, ""), half).value)
    });
    let mut take = |key: &'static str, raw: &Number, low: f64, high: f64| optional(desk, &at, key, raw, low..=high);
    PlantPlan {
        circulation,
        building_class,
        room: take("room_celsius", &raw.room_celsius, 0.0, 30.0).map(Celsius),
        valve_oversize: take("valve_oversize", &raw.valve_oversize, 0.5, 10.0),
        valve_hysteresis: take("valve_hysteresis_ratio", &raw.valve_hysteresis_ratio, 0.0, 0.2).map(Ratio),
        valve_stroke: take("valve_stroke_seconds", &raw.valve_stroke_seconds, 5.0, 600.0).map(Duration::from_secs_f64),
        flow_ratio: take("flow_ratio", &raw.flow_ratio, 0.5, 3.0),
        emitter_oversize: take("emitter_oversize", &raw.emitter_oversize, 0.5, 3.0),
        vacant: take("vacant_ratio", &raw.vacant_ratio, 0.0, 0.9).map(Ratio),
        near_flow_ratio: take("near_flow_ratio", &raw.near_flow_ratio, 0.1, 5.0),
        far_flow_ratio: take("far_flow_ratio", &raw.far_flow_ratio, 0.1, 5.0),
        daily_leak: take("daily_leak_ratio", &raw.daily_leak_ratio, 0.0, 1.0).map(Ratio),
        meter_telegram: take("meter_telegram_minutes", &raw.meter_telegram_minutes, 0.1, 1440.0)
            .map(|minutes| Duration::from_secs_f64(minutes * 60.0)),
        hot_water_liters_per_m2: take("hot_water_liters_per_m2", &raw.hot_water_liters_per_m2, 0.0, 10.0),
        primary_flow_limit: take("primary_flow_limit_ratio", &raw.primary_flow_limit_ratio, 0.0, 5.0).map(Ratio),
        primary_supply_limit: take("primary_supply_limit_celsius", &raw.primary_supply_limit_celsius, 20.0, 180.0)
            .map(Celsius),
        seed: optional_count(desk, &at, "seed", &raw.seed, 0..=u64::MAX),
    }
}

/// When something happens, again and again if it is said so, and when it is over each time.
pub(super) struct Times {
    pub starts: Vec<Duration>,
    pub lasts: Option<Duration>,
}

impl Times {
    /// Notes what begins and what ends at these times.
    pub(super) fn note(&self, begins: &What, ends: Option<&What>, happenings: &mut Vec<Happening>) {
        for &at in &self.starts {
            happenings.push(Happening { at, what: begins.clone() });
            if let (Some(lasts), Some(ends)) = (self.lasts, ends) {
                happenings.push(Happening { at: at + lasts, what: ends.clone() });
            }
        }
    }
}

/// Reads when something happens. `every` is the key and value of the time between, of whatever unit.
pub(super) fn times(
    desk: &mut Desk,
    at: &Section,
    begins: &Number,
    lasts: Option<Duration>,
    times: &Count,
    every: (&'static str, &Number),
) -> Times {
    let first = desk.number(at, "at_minutes", begins.as_ref(), 0.0..=MINUTES_MAX, Otherwise::Required("10"));
    let often = desk.count(at, "times", times.as_ref(), 1..=TIMES_MAX, or(1, "once"));
    let (key, raw) = every;
    if often.written && often.value > 1 && raw.is_none() {
        desk.missing(&often.place, &at.key(key), format!("write from one time to the next, as in `{key} = 30`"));
    }
    let every = desk.number(at, key, raw.as_ref(), 0.01..=MINUTES_MAX, or(0.01, "it happens once"));
    if every.written && often.value == 1 {
        let help = "write `times` as well, or leave it out";
        desk.error(&every.place, every.key.as_str(), "says how often what happens once", help);
    }
    let apart = every.duration();
    if let Some(lasts) = lasts
        && often.value > 1
        && lasts >= apart
        && every.written
    {
        let help = "let it end before it begins again: make lasts_minutes shorter";
        desk.error(&every.place, every.key.as_str(), "is not longer than what it repeats", help);
    }
    let starts = (0..often.value.min(TIMES_MAX) as u32).map(|turn| first.duration() + apart * turn).collect();
    Times { starts, lasts }
}

fn check_line(desk: &mut Desk, at: &Section, raw: &RawLine, happenings: &mut Vec<Happening>) {
    let lasts = optional_duration(desk, at, "lasts_minutes", &raw.lasts_minutes);
    let times = times(desk, at, &raw.at_minutes, lasts, &raw.times, ("every_minutes", &raw.every_minutes));
    times.note(&What::LineDown, Some(&What::LineUp), happenings);
}

/// Notes keys that were written and do not belong to a kind of entry.
pub(super) fn foreign(
    desk: &mut Desk,
    at: &Section,
    kind: &str,
    belongs: &[&str],
    written: &[(&'static str, Option<&std::ops::Range<usize>>)],
) {
    for (key, span) in written {
        let Some(span) = span.filter(|_| !belongs.contains(key)) else { continue };
        let help = if belongs.is_empty() {
            format!("`{kind}` needs nothing of the kind: take it out")
        } else {
            format!("`{kind}` takes: {}", belongs.join(", "))
        };
        desk.error(&at.at(span), at.key(key), format!("does not belong to `{kind}`"), help);
    }
}

/// The circuit that an entry is about: by name, by number, or the first.
pub(super) fn circuit_of(desk: &mut Desk, at: &Section, raw: &Text, station: &Station) -> Option<CircuitIndex> {
    let Some(written) = optional_text(desk, at, "circuit", raw) else { return Some(CircuitIndex(0)) };
    let names: Vec<&str> = station.catalogue.circuits().iter().map(|circuit| circuit.name.as_str()).collect();
    let found = place_of(&written.value, &names);
    if found.is_none() {
        let help = one_of(&written.value, names.iter().copied());
        desk.error(
            &written.place,
            written.key.as_str(),
            format!("there is no circuit {:?} at this station", written.value),
            help,
        );
    }
    found.map(CircuitIndex)
}

/// The place of a name in a list; a number stands for the thing of that number, counted from 1, unless it is a name.
pub(super) fn place_of(name: &str, names: &[&str]) -> Option<usize> {
    let by_number = || name.parse::<usize>().ok().filter(|number| (1..=names.len()).contains(number)).map(|n| n - 1);
    names.iter().position(|known| *known == name).or_else(by_number)
}

/// A number that may be left out.
pub(super) fn optional(
    desk: &mut Desk,
    at: &Section,
    key: &'static str,
    raw: &Number,
    range: std::ops::RangeInclusive<f64>,
) -> Option<f64> {
    let nothing = *range.start();
    raw.as_ref().map(|_| desk.number(at, key, raw.as_ref(), range, or(nothing, "")).value)
}

pub(super) fn optional_duration(desk: &mut Desk, at: &Section, key: &'static str, raw: &Number) -> Option<Duration> {
    raw.as_ref().map(|_| desk.number(at, key, raw.as_ref(), 0.0..=MINUTES_MAX, or(0.0, "")).duration())
}

fn optional_count(
    desk: &mut Desk,
    at: &Section,
    key: &'static str,
    raw: &Count,
    range: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    raw.as_ref().map(|_| desk.count(at, key, raw.as_ref(), range, or(0, "")).value)
}

pub(super) fn optional_text(desk: &mut Desk, at: &Section, key: &'static str, raw: &Text) -> Option<Field<String>> {
    raw.as_ref().map(|_| desk.text(at, key, raw.as_ref(), or(String::new(), "")))
}
