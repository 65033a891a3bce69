//! Scenario files: those that come along are sound, every key does something, and a wrong one is told with its place.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use common::{keys, written};
use heatstation_config::scenario::{self, Breakage, PumpAt, Scenario, WeatherFrom, What};
use heatstation_config::{EXAMPLES, Problems, Station, check, schema};
use heatstation_core::authority::Device;
use heatstation_core::correction::Correction;
use heatstation_core::heating_curve::Adjustment;
use heatstation_core::load_shed::{ShedBy, Urgency};
use heatstation_core::request::{Hand, Origin, Wish};
use heatstation_points::{CircuitIndex, Kelvins, Point, PumpIndex, Ratio, RoomIndex, RoomSignal};

const EVERY_KEY: &str = include_str!("every_scenario_key.toml");

/// The stations are read once: that takes longer than any scenario.
fn station(name: &str) -> &'static Station {
    static DEMO: LazyLock<Station> = LazyLock::new(|| read_station("demo"));
    static TWO_ZONES: LazyLock<Station> = LazyLock::new(|| read_station("two-zones"));
    if name == "demo" { &DEMO } else { &TWO_ZONES }
}

fn read_station(name: &str) -> Station {
    let (name, text) = EXAMPLES.iter().find(|(known, _)| *known == name).unwrap();
    check(name, text, None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn read(text: &str) -> Result<Scenario, Problems> {
    scenario::read("mine.toml", text, None, station("two-zones"))
}

#[test]
fn every_scenario_that_comes_along_is_sound_for_stations_of_one_circuit_and_of_two() {
    for name in scenario::names() {
        for known in ["demo", "two-zones"] {
            let read = scenario::find(name, None, station(known));
            let scenario = read.unwrap_or_else(|problems| panic!("{name} for {known}:\n{problems}"));
            assert_eq!(scenario.name, name);
            assert!(scenario.happenings.is_sorted_by_key(|happening| happening.at));
            let last = scenario.happenings.last().map_or(Duration::ZERO, |happening| happening.at);
            assert!(last <= scenario.lasts, "{name}: something happens at {last:?}, and it is watched no longer");
            for word in [&scenario.title, &scenario.chinese_title, &scenario.description] {
                assert!(!word.is_empty());
            }
            assert!(!scenario.chinese_title.is_ascii(), "{name}");
        }
    }
    assert!(scenario::names().count() >= 20);
    for old in ["steady", "pump-trip", "primary-loss", "burst", "cold-wave", "sensor-loss"] {
        assert!(scenario::names().any(|name| name == old), "{old} has had its name since the first version");
    }
}

#[test]
fn one_file_has_every_key_and_every_kind_of_fault() {
    let (possible, present) = (keys(&schema::scenario()), written(EVERY_KEY));
    // Weather comes from one place; these two are shown elsewhere.
    let elsewhere = BTreeSet::from(["weather.file".to_owned(), "weather.steady_celsius".to_owned()]);
    assert!(possible.len() > 80, "{possible:?}");
    let missing: Vec<_> = possible.difference(&present).filter(|key| !elsewhere.contains(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn the_guide_lists_every_scenario_and_every_kind_of_fault() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/scenarios.md");
    let guide = std::fs::read_to_string(path).unwrap();
    for name in scenario::names() {
        let scenario = scenario::find(name, None, station("demo")).unwrap();
        let row = format!("| `{name}` | {} | {} |", scenario.title, scenario.chinese_title);
        assert!(guide.contains(&row), "the guide has no row {row}");
    }
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    scenario::read("the guide's", example, None, station("demo")).unwrap_or_else(|problems| panic!("{problems}"));

    let possible = keys(&schema::scenario());
    let kinds: Vec<&str> = possible.iter().filter_map(|key| key.strip_prefix("fault.kind = ")).collect();
    assert_eq!(kinds.len(), 34);
    for kind in kinds {
        assert!(guide.contains(&format!("| `{kind}` |")), "the guide does not explain {kind}");
    }
}

#[test]
fn every_key_of_that_file_does_something() {
    let whole = read(EVERY_KEY).unwrap_or_else(|problems| panic!("{problems}"));
    let lines: Vec<&str> = EVERY_KEY.lines().collect();
    let mut dead = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if line.starts_with('#') || !line.contains(" = ") {
            continue;
        }
        let mut without = lines.clone();
        without.remove(number);
        // Left out, it is missed or something is otherwise.
        if read(&without.join("\n")).is_ok_and(|scenario| scenario == whole) {
            dead.push(format!("{}: {line}", number + 1));
        }
    }
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn what_is_written_happens_at_its_time_as_often_as_it_says() {
    let scenario = read(EVERY_KEY).unwrap();
    let at = |minutes: f64| Duration::from_secs_f64(minutes * 60.0);
    let happens = |minutes: f64| -> Vec<&What> {
        scenario.happenings.iter().filter(|h| h.at == at(minutes)).map(|h| &h.what).collect()
    };
    let outdoor = station("two-zones").catalogue.find("outdoor.temperature").unwrap().point;
    for turn in 0..4 {
        let begin = 2.0 + 10.0 * f64::from(turn);
        assert!(happens(begin).contains(&&What::Break(Breakage::SensorStuck(outdoor))));
        assert!(happens(begin + 3.0).contains(&&What::Mend(Breakage::SensorStuck(outdoor))));
    }
    let room = Point::Room(CircuitIndex(0), RoomIndex(0), RoomSignal::Temperature);
    assert!(happens(3.0).contains(&&What::Break(Breakage::SensorGarbage(room))));
    let pump = |pump| What::Break(Breakage::PumpWithoutFlow(PumpAt::Circulation(CircuitIndex(0), PumpIndex(pump))));
    assert!(
        happens(14.0).contains(&&pump(0)) && happens(14.0).contains(&&pump(1)),
        "without a number it is all of them"
    );
    assert!(happens(60.0).contains(&&What::LineDown) && happens(65.0).contains(&&What::LineUp));

    let asked: Vec<_> = scenario.happenings.iter().filter(|h| matches!(h.what, What::Ask(_))).collect();
    assert_eq!(asked.len(), 3 + 12);
    let What::Ask(request) = &asked[1].what else { panic!() };
    assert_eq!(asked[1].at, at(50.0) + Duration::from_secs(20));
    assert_eq!((request.origin, request.author.as_str()), (Origin::Dispatch, "dispatch"));
    let lasts = Duration::from_secs(3600);
    assert_eq!(request.wish, Wish::ShiftSupply { circuit: CircuitIndex(1), by: Kelvins(-3.0), lasts });
    let What::Ask(request) = &asked[3].what else { panic!() };
    let hand = Hand::Valve(Ratio(0.4));
    assert_eq!(request.wish, Wish::TakeInHand { circuit: CircuitIndex(0), hand, lasts: Duration::from_secs(600) });
    let last: Vec<&Wish> = asked[10..]
        .iter()
        .map(|happening| match &happening.what {
            What::Ask(request) => &request.wish,
            _ => panic!(),
        })
        .collect();
    let circuit = CircuitIndex(0);
    let curve = Adjustment { level: Kelvins(1.5), slope: Ratio(1.05) };
    let device = Device::CirculationPump(PumpIndex(0));
    let shed = ShedBy::Share(Ratio(0.15));
    let expected = [
        Wish::CorrectCurve { circuit, correction: Correction { curve, room: Kelvins(0.5) }, lasts: None },
        Wish::ShedLoad { circuit, by: shed, urgency: Urgency::Critical, lasts: Duration::from_secs(3600) },
        Wish::StayConnected,
        Wish::TakeForMaintenance { circuit, device, lasts: Duration::from_secs(5400) },
        Wish::StartSeason { circuit },
    ];
    assert_eq!(last, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_cold_wave_comes_stays_and_goes() {
    let scenario = read(EVERY_KEY).unwrap();
    let change = scenario.weather.changes[0];
    let there = |minutes: u64| change.at(Duration::from_secs(60 * minutes)).0;
    assert_eq!((there(0), there(60), there(120), there(180), there(700)), (0.0, 0.0, -4.5, -9.0, -9.0));
    assert_eq!((there(840), there(900), there(2000)), (-4.5, 0.0, 0.0));
}

const HEAD: &str = "[scenario]\ntitle = \"t\"\nchinese_title = \"题\"\ndescription = \"d\"\n";

/// A wrong file is refused with this line and these words.
fn wrong(text: &str, line: usize, key: &str, words: &[&str]) {
    let problems = read(&format!("{HEAD}{text}")).expect_err(text);
    let problem = problems.list().iter().find(|problem| problem.key == key).unwrap_or_else(|| panic!("{problems}"));
    assert_eq!(problem.line, line, "{problems}");
    let said = format!("{} {}", problem.what, problem.help);
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
}

#[test]
fn a_wrong_file_is_refused_with_line_key_and_what_would_be_right() {
    wrong("\n[[fault]]\nkind = \"pump-tripp\"\nat_minutes = 1\n", 7, "fault.1.kind", &["pump-tripp", "pump-trip"]);
    wrong("\n[[fault]]\nkind = \"pump-trip\"\nat_minuts = 1\n", 8, "fault.1.at_minuts", &["did you mean `at_minutes`"]);
    wrong("\n[[fault]]\nkind = \"pump-trip\"\n", 6, "fault.1.at_minutes", &["missing"]);
    wrong(
        "\n[[fault]]\nkind = \"pump-trip\"\nat_minutes = 1\npump = 7\n",
        9,
        "fault.1.pump",
        &["has 3 of them, not 7"],
    );
    wrong(
        "\n[[fault]]\nkind = \"valve-stuck\"\nat_minutes = 1\nshare_ratio = 0.5\n",
        9,
        "fault.1.share_ratio",
        &["does not belong to `valve-stuck`", "takes: circuit"],
    );
    wrong("\n[[fault]]\nkind = \"leak\"\nat_minutes = 1\n", 6, "fault.1.flow_m3_per_hour", &["missing", "= 20"]);
    wrong(
        "\n[[fault]]\nkind = \"sensor-off\"\nat_minutes = 1\npoint = \"circuit.*.secondary_suply.temperature\"\n",
        9,
        "fault.1.point",
        &["there is no point", "secondary_supply.temperature"],
    );
    wrong(
        "\n[[fault]]\nkind = \"sensor-off\"\nat_minutes = 1\npoint = \"circuit.*.valve.position\"\n",
        9,
        "fault.1.point",
        &["is written, not read"],
    );
    wrong(
        "\n[[fault]]\nkind = \"sensor-wrong\"\nat_minutes = 1\npoint = \"outdoor.temperature\"\n",
        6,
        "fault.1.by",
        &["missing", "shows = 20"],
    );
    wrong(
        "\n[[fault]]\nkind = \"flooded\"\nat_minutes = 1\ntimes = 3\n",
        9,
        "fault.1.every_minutes",
        &["missing", "every_minutes = 30"],
    );
    wrong(
        "\n[[fault]]\nkind = \"flooded\"\nat_minutes = 1\ntimes = 3\nlasts_minutes = 9\nevery_minutes = 5\n",
        11,
        "fault.1.every_minutes",
        &["is not longer than what it repeats"],
    );
    wrong(
        "\n[[fault]]\nkind = \"valve-stuck\"\nat_minutes = 1\ncircuit = \"hi-zone\"\n",
        9,
        "fault.1.circuit",
        &["there is no circuit", "high-zone"],
    );
    wrong(
        "\n[[request]]\nat_minutes = 1\nauthor = \"x\"\nreason = \"y\"\nwish = \"reset-trips\"\nmode = \"stopped\"\n",
        11,
        "request.1.mode",
        &["does not belong to `reset-trips`"],
    );
    wrong(
        "\n[weather]\nclimate = \"harbin\"\nsteady_celsius = 3\n",
        6,
        "weather",
        &["climate and steady_celsius are written together"],
    );
    wrong("\n[weather]\nfile = \"nowhere.epw\"\n", 7, "weather.file", &["there is no file nowhere.epw"]);
    wrong("\n[plant]\nvalve_oversize = 400\n", 7, "plant.valve_oversize", &["400", "0.5 to 10"]);
}

#[test]
fn all_problems_come_at_once() {
    let problems = read("[scenario]\ntitle = \"t\"\n[[fault]]\nkind = \"leak\"\n[[line]]\n[[request]]\n").unwrap_err();
    assert!(problems.errors() >= 8, "{problems}");
}

#[test]
fn a_name_is_looked_for_beside_the_station_first_and_a_path_is_a_path() {
    let station = station("demo");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scenarios")).unwrap();
    let path = folder.path().join("scenarios/steady.toml");
    std::fs::write(&path, format!("{HEAD}\n[weather]\nsteady_celsius = -3\n")).unwrap();
    let found = scenario::find("steady", Some(folder.path()), station).unwrap();
    assert!(matches!(found.weather.source, Some(WeatherFrom::Steady(_))));
    let found = scenario::find(path.to_str().unwrap(), None, station).unwrap();
    assert_eq!(found.title, "t");

    let error = scenario::find("pump-tripp", None, station).unwrap_err().to_string();
    assert!(
        error.contains("there is no scenario `pump-tripp`") && error.contains("did you mean `pump-trip`"),
        "{error}"
    );
    let error = scenario::find("earthquake", None, station).unwrap_err().to_string();
    assert!(error.contains("there are: steady"), "{error}");
    let error = scenario::find("no/such.toml", None, station).unwrap_err().to_string();
    assert!(error.contains("cannot be opened"), "{error}");
}

#[test]
fn a_file_with_a_line_lost_never_panics() {
    let lines: Vec<&str> = EVERY_KEY.lines().collect();
    for first in 0..lines.len() {
        for count in [1, 2, 5] {
            let mut rest = lines.clone();
            rest.drain(first..(first + count).min(lines.len()));
            match read(&rest.join("\n")) {
                Ok(scenario) => assert!(!scenario.title.is_empty()),
                Err(problems) => assert!(problems.list().iter().all(|problem| problem.line > 0)),
            }
        }
    }
}
