//! What a scraper gets, held against a strict reader of each format.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use heatstation_core::limit_line::LimitLine;
use heatstation_core::settings::{LimiterSettings, LimiterTuning};
use heatstation_drivers::output::OutputState;
use heatstation_points::{Fault, Reading};

use super::{About, Format, exposition};
use crate::snapshot::Snapshot;
use crate::web::canned::{Broken, Station};

const ABOUT: About = About { version: "0.1.0", age: Duration::from_millis(250), opcua: None };

fn text(snapshot: &Snapshot, format: Format) -> String {
    exposition(snapshot, ABOUT, format)
}

/// One series as a scraper understands it.
#[derive(Clone, Debug, PartialEq)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads `{a="b",…}` after a name; returns the labels and the rest of the line.
fn labels(line: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = line.strip_prefix('{') else { return (labels, line) };
    loop {
        let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label in {line}"));
        let sound = |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
        assert!(!key.is_empty() && key.char_indices().all(sound), "label name {key:?} in {line}");
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("open quote in {line}")) {
                (at, '"') => break at,
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c @ ('\\' | '"'))) => value.push(c),
                    other => panic!("escape {other:?} in {line}"),
                },
                (_, character) => value.push(character),
            }
        };
        assert_eq!(labels.insert(key.to_owned(), value), None, "label {key} twice in {line}");
        rest = &after[end + 1..];
        match rest.chars().next() {
            Some(',') => rest = &rest[1..],
            Some('}') => return (labels, &rest[1..]),
            other => panic!("{other:?} after a label in {line}"),
        }
    }
}

/// Reads a whole exposition, strictly: every line is a comment of the format or a series of the family announced last.
fn read(text: &str, format: Format) -> (BTreeMap<String, String>, Vec<Series>) {
    let (mut kinds, mut all, mut seen) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let (mut family, mut helped, mut ended) = (String::new(), String::new(), false);
    for line in text.split_terminator('\n') {
        assert!(!ended, "{line:?} after # EOF");
        assert!(!line.is_empty() && line.trim() == line, "{line:?}");
        if line == "# EOF" {
            assert_eq!(format, Format::OpenMetrics);
            ended = true;
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(words.len() > 5, "{line}");
            name.clone_into(&mut helped);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, helped, "help and type belong together");
            assert_eq!(kinds.insert(name.to_owned(), kind.to_owned()), None, "family {name} twice");
            name.clone_into(&mut family);
        } else if let Some(unit) = line.strip_prefix("# UNIT ") {
            assert_eq!(format, Format::OpenMetrics);
            let (name, unit) = unit.split_once(' ').unwrap();
            assert!(name == family && name.ends_with(&format!("_{unit}")), "{line}");
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let name_ends = line.find(['{', ' ']).unwrap();
            let (labels, rest) = labels(&line[name_ends..]);
            let value = rest.strip_prefix(' ').unwrap().parse::<f64>().unwrap();
            let name = line[..name_ends].to_owned();
            assert!(value.is_finite(), "{line}");
            assert!(suffixes(&kinds[&family], format).iter().any(|end| name == format!("{family}{end}")), "{line}");
            assert!(seen.insert((name.clone(), labels.clone())), "series twice: {line}");
            all.push(Series { name, labels, value });
        }
    }
    assert_eq!(ended, format == Format::OpenMetrics);
    (kinds, all)
}

fn suffixes(kind: &str, format: Format) -> &'static [&'static str] {
    match (kind, format) {
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("counter", Format::OpenMetrics) => &["_total"],
        ("info", Format::OpenMetrics) => &["_info"],
        ("unknown", Format::OpenMetrics) | ("counter" | "untyped", Format::Classic) | ("gauge", _) => &[""],
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_formats_tell_the_same_series_with_the_same_values() {
    let mut station = Station::new("康泰园换热站", &["low-zone", "high-zone"]);
    station.broken.insert(Broken::FirstPump);
    let snapshot = station.run(120);
    let (classic_kinds, classic) = read(&text(&snapshot, Format::Classic), Format::Classic);
    let (open_kinds, open) = read(&text(&snapshot, Format::OpenMetrics), Format::OpenMetrics);
    let sorted = |mut all: Vec<Series>| {
        // The bounds are written differently: 1 and 1.0.
        for series in &mut all {
            if let Some(bound) = series.labels.get_mut("le").filter(|bound| *bound != "+Inf") {
                *bound = bound.parse::<f64>().unwrap().to_string();
            }
        }
        all.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        all
    };
    assert_eq!(sorted(classic), sorted(open));
    assert_eq!(classic_kinds.len(), open_kinds.len());
    assert_eq!(classic_kinds["heatstation_cycles_total"], "counter");
    assert_eq!(open_kinds["heatstation_cycles"], "counter");
    assert_eq!(
        (&classic_kinds["heatstation_info"], &open_kinds["heatstation"]),
        (&"gauge".to_owned(), &"info".to_owned())
    );
}

#[test]
fn the_contract_of_names_holds() {
    let mut station = Station::warm();
    station.broken.insert(Broken::FirstPump);
    station.broken.insert(Broken::SecondPump);
    let snapshot = station.run(30);
    let (kinds, series) = read(&text(&snapshot, Format::Classic), Format::Classic);
    let wanted = "heatstation_info
        heatstation_temperature_celsius circuit point
        heatstation_temperature_setpoint_celsius circuit point
        heatstation_curve_setpoint_celsius circuit
        heatstation_setpoint_contribution_kelvins circuit from
        heatstation_setpoint_held by circuit
        heatstation_pressure_pascals point
        heatstation_pressure_setpoint_pascals circuit point
        heatstation_flow_cubic_meters_per_second circuit point
        heatstation_heat_power_watts circuit point
        heatstation_heat_energy_joules_total circuit point
        heatstation_volume_cubic_meters_total circuit point
        heatstation_level_meters circuit point
        heatstation_valve_position_ratio circuit point
        heatstation_pump_running circuit point pump
        heatstation_pump_fault circuit point pump
        heatstation_pump_speed_ratio circuit point pump
        heatstation_switch_on point
        heatstation_room_temperature_celsius circuit quantile
        heatstation_room_pass_ratio circuit
        heatstation_room_sensors circuit state
        heatstation_outage_active circuit
        heatstation_outages_total cause
        heatstation_outage_area_seconds_total cause
        heatstation_heated_area_square_meters
        heatstation_accident_rate_ratio window
        heatstation_accident_rate_status status
        heatstation_accident_area_seconds part
        heatstation_season_time_seconds_total circuit state
        heatstation_alarm_active alarm priority
        heatstation_alarm_since_timestamp_seconds acknowledged alarm circuit priority
        heatstation_point_quality circuit point quality
        heatstation_sample_age_seconds circuit point
        heatstation_outdoor_doubt doubt
        heatstation_service_bias_kelvins
        heatstation_forecast_use use
        heatstation_equivalent_outdoor_temperature_celsius circuit
        heatstation_equivalent_outdoor_term_kelvins circuit term
        heatstation_heating_time time
        heatstation_heating_limit circuit state
        heatstation_heating_limit_temperature_celsius circuit kind
        heatstation_stage circuit stage
        heatstation_valve_reason circuit reason
        heatstation_pump_reason circuit reason
        heatstation_trip circuit trip
        heatstation_operation_reason circuit reason
        heatstation_operation_reason_code circuit
        heatstation_frost_stage circuit stage
        heatstation_device_authority authority circuit device
        heatstation_quantity_source circuit quantity source
        heatstation_sensor_doubted circuit finding sensor
        heatstation_output_state circuit point state
        heatstation_output_command_ratio circuit point
        heatstation_output_transitions_total circuit point state
        heatstation_output_foreign_writes_total circuit point
        heatstation_wire_connected wire
        heatstation_wire_requests_total wire
        heatstation_wire_failures_total cause wire
        heatstation_wire_waiting_seconds class wire
        heatstation_device_breaker device state wire
        heatstation_device_refused_registers device wire
        heatstation_cycle_duration_seconds
        heatstation_cycles_total
        heatstation_cycles_late_total
        heatstation_journal_records_total
        heatstation_journal_lost_records_total
        heatstation_store_failing what
        heatstation_snapshot_age_seconds";
    for line in wanted.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let labels: Vec<&str> = words.collect();
        assert!(kinds.contains_key(name), "{name}");
        let plain = |series: &&Series| series.name == name || series.name == format!("{name}_count");
        let carries = |series: &Series| {
            series.labels.contains_key("station") && labels.iter().all(|label| series.labels.contains_key(*label))
        };
        assert!(series.iter().filter(plain).any(carries), "{name} {labels:?}");
    }
}

fn value(series: &[Series], name: &str, wanted: &[(&str, &str)]) -> Option<f64> {
    let fits = |series: &&Series| {
        series.name == name
            && wanted.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|found| found == value))
    };
    let found: Vec<&Series> = series.iter().filter(fits).collect();
    assert!(found.len() < 2, "{found:?}");
    found.first().map(|series| series.value)
}

#[test]
fn a_value_that_went_bad_ends_and_its_quality_says_so() {
    let mut station = Station::warm();
    let at = [("circuit", "low-zone"), ("point", "secondary_supply.temperature")];
    let (_, before) = read(&text(&station.run(1), Format::Classic), Format::Classic);
    assert!(value(&before, "heatstation_temperature_celsius", &at).is_some_and(|supply| supply > 30.0));
    station.broken.insert(Broken::SupplySensor);
    let (_, after) = read(&text(&station.run(10), Format::Classic), Format::Classic);
    assert_eq!(value(&after, "heatstation_temperature_celsius", &at), None);
    assert_eq!(value(&after, "heatstation_sample_age_seconds", &at), None);
    for (quality, number) in [("good", 0.0), ("uncertain", 0.0), ("bad", 1.0)] {
        let at = [at[0], at[1], ("quality", quality)];
        assert_eq!(value(&after, "heatstation_point_quality", &at), Some(number), "{quality}");
    }
    // A point that the station does not have is not of bad quality; it is not there.
    assert_eq!(value(&after, "heatstation_point_quality", &[("point", "outdoor.forecast"), ("quality", "bad")]), None);
}

#[test]
fn exactly_one_state_of_each_circuit_is_on() {
    let (_, series) = read(&text(&Station::warm().run(1), Format::Classic), Format::Classic);
    for name in [
        "heatstation_stage",
        "heatstation_mode",
        "heatstation_valve_reason",
        "heatstation_pump_reason",
        "heatstation_operation_reason",
        "heatstation_frost_stage",
        "heatstation_setpoint_held",
        "heatstation_supply_source",
        "heatstation_outdoor_source",
        "heatstation_outdoor_doubt",
        "heatstation_forecast_use",
        "heatstation_heating_time",
        "heatstation_heating_limit",
        "heatstation_accident_rate_status",
    ] {
        let values: Vec<f64> = series.iter().filter(|series| series.name == name).map(|series| series.value).collect();
        assert!(values.len() > 1 && values.iter().sum::<f64>() == 1.0, "{name}: {values:?}");
    }
}

#[test]
fn the_ledger_in_metrics_adds_up() {
    let (_, series) = read(&text(&Station::warm().run(1), Format::OpenMetrics), Format::OpenMetrics);
    let one = |name: &str| value(&series, name, &[]).unwrap();
    let contributions: f64 =
        series.iter().filter(|s| s.name == "heatstation_setpoint_contribution_kelvins").map(|s| s.value).sum();
    let sum = one("heatstation_curve_setpoint_celsius") + contributions;
    assert!((sum - one("heatstation_temperature_setpoint_celsius")).abs() < 1e-9);
}

#[test]
fn a_limit_is_told_with_its_measurement_and_one_state() {
    let mut station = Station::warm();
    let settings = &mut std::sync::Arc::get_mut(&mut station.facts).expect("nobody shares it yet").settings;
    let limiter = LimiterSettings { line: LimitLine::constant(10.0), tuning: LimiterTuning::TEMPERATURE };
    settings.circuits[0].limits.primary_return = Some(limiter);
    let (_, series) = read(&text(&station.run(7200), Format::Classic), Format::Classic);
    let labels = [("circuit", "low-zone"), ("limiter", "return_limit")];
    let one = |name: &str| value(&series, name, &labels).unwrap();
    assert_eq!(one("heatstation_limiter_active"), 1.0);
    assert!(one("heatstation_limiter_asks_kelvins") < 0.0 && one("heatstation_limiter_active_lasting_seconds") > 0.0);
    assert_eq!(value(&series, "heatstation_return_limit_celsius", &[("circuit", "low-zone")]), Some(10.0));
    let states = series.iter().filter(|s| s.name == "heatstation_limiter_state");
    assert_eq!(states.map(|s| s.value).sum::<f64>(), 1.0);
    assert!(series.iter().all(|s| s.labels.get("limiter").is_none_or(|name| name == "return_limit")));
}

#[test]
fn the_histogram_is_cumulated_and_its_last_bucket_is_its_count() {
    let (_, series) = read(&text(&Station::warm().run(1), Format::Classic), Format::Classic);
    let buckets: Vec<f64> =
        series.iter().filter(|s| s.name == "heatstation_cycle_duration_seconds_bucket").map(|s| s.value).collect();
    assert!(buckets.len() == 10 && buckets.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last().copied(), value(&series, "heatstation_cycle_duration_seconds_count", &[]));
    assert_eq!(buckets[9], 3601.0);
}

#[test]
fn names_of_any_kind_arrive_as_they_are() {
    for name in ["康泰园换热站", "a \"quoted\" name", "back\\slash \\n", "two\nlines", "comma,brace}", ""] {
        let mut station = Station::new(name, &["低区"]);
        let snapshot = station.run(5);
        for format in [Format::Classic, Format::OpenMetrics] {
            let (_, series) = read(&text(&snapshot, format), format);
            let info = series.iter().find(|series| series.name == "heatstation_info").unwrap();
            assert_eq!(info.labels["name"], name, "{format:?}");
            assert!(series.iter().any(|series| series.labels.get("circuit").is_some_and(|circuit| circuit == "低区")));
        }
    }
}

#[test]
fn the_number_of_series_does_not_grow_with_time_or_with_rooms() {
    let mut station = Station::warm();
    let count =
        |snapshot: &Snapshot| text(snapshot, Format::Classic).lines().filter(|line| !line.starts_with('#')).count();
    let before = count(&station.run(1));
    let rooms: Vec<String> = station.facts.settings.circuits[0].rooms.iter().map(|room| room.name.clone()).collect();
    for room in rooms {
        station.put(&format!("circuit.low-zone.room.{room}.temperature"), Reading::bad(Fault::Silent));
    }
    assert!(count(&station.run(600)) <= before);
    assert!(before < 1200, "{before}");
}

#[test]
fn lists_of_states_have_every_state_once() {
    use super::states::{PUMP_REASONS, STATUSES, SUPPLY_SOURCES, VALVE_REASONS};
    let distinct = |names: Vec<&str>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    assert!(distinct(VALVE_REASONS.to_vec()) && distinct(PUMP_REASONS.to_vec()));
    assert!(distinct(heatstation_core::sequence::Stage::ALL.map(heatstation_core::sequence::Stage::name).to_vec()));
    assert!(distinct(
        heatstation_core::outdoor::OutdoorSource::ALL.map(heatstation_core::outdoor::OutdoorSource::name).to_vec()
    ));
    assert!(distinct(SUPPLY_SOURCES.map(heatstation_core::supply_source::SupplySource::name).to_vec()));
    assert!(distinct(OutputState::ALL.map(OutputState::name).to_vec()));
    assert!(distinct(STATUSES.map(super::states::status_name).to_vec()));
}
