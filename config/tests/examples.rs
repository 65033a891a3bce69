//! The files that come along: every example is sound, every template row lands on a point and decodes to what it means,
//! every standard says where its numbers stand.

use heatstation_config::problem::Severity;
use heatstation_config::{EXAMPLES, Station, check, schema};
use heatstation_core::outage::Cause;
use heatstation_drivers::decode::{decode, encode};
use heatstation_drivers::settings::Register;

fn example(name: &str) -> Station {
    let (_, text) = EXAMPLES.into_iter().find(|(known, _)| *known == name).expect("an example");
    check(&format!("{name}.toml"), text, None).unwrap_or_else(|problems| panic!("{name}:\n{problems}"))
}

#[test]
fn every_example_is_sound_and_without_a_warning() {
    for (name, _) in EXAMPLES {
        let station = example(name);
        assert!(station.warnings.is_empty(), "{name}:\n{}", station.warnings);
        for wire in &station.wires {
            assert_eq!(wire.problems(), [], "{name}");
        }
    }
}

#[test]
fn an_example_loads_from_a_file_as_from_the_program() {
    let (_, text) = EXAMPLES[0];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.toml");
    std::fs::write(&path, text).unwrap();
    let loaded = heatstation_config::load(&path).unwrap();
    assert_eq!(loaded.settings, example("demo").settings);
}

#[test]
fn the_demo_is_the_station_that_the_manual_shows() {
    let station = example("demo");
    let circuit = &station.settings.circuits[0];
    assert_eq!((station.settings.station.as_str(), station.name.as_str()), ("k12", "康泰园换热站"));
    assert_eq!((circuit.buildings.len(), circuit.rooms.len()), (6, 24));
    assert_eq!(station.settings.season.length().as_secs(), 121 * 86_400);
    assert!(station.room_buildings[0].iter().all(Option::is_some));
    assert_eq!(station.simulation.primary_design_supply.0, 110.0);
}

#[test]
fn a_season_is_whole_local_days_and_february_may_have_29() {
    let (_, text) = EXAMPLES[0];
    let leap = text.replace("2026-11-15", "2027-11-15").replace("2027-03-15", "2028-03-15");
    let season = check("leap.toml", &leap, None).unwrap().settings.season;
    assert_eq!(season.length().as_secs(), 2_928 * 3600);
    // 2026-11-15 00:00 in Shanghai is 16:00 of the day before in UTC.
    assert_eq!(example("demo").settings.season.start.0, 1_794_672_000_000);
}

#[test]
fn a_season_over_a_change_of_clocks_is_still_whole_days() {
    let (_, text) = EXAMPLES[0];
    let text = text
        .replace("Asia/Shanghai", "Europe/Berlin")
        .replace("first_day = 2026-11-15", "first_day = 2026-10-01")
        .replace("last_day = 2027-03-15", "last_day = 2026-10-31");
    let season = check("berlin.toml", &text, None).unwrap().settings.season;
    // On 2026-10-25 Berlin has 25 hours.
    assert_eq!(season.length().as_secs(), (31 * 24 + 1) * 3600);
}

/// Everything that the file has to say is a point of a station that has everything.
#[test]
fn every_row_of_the_template_lands_on_a_point() {
    let two_zones = example("two-zones");
    let read = |point: &str| two_zones.homes.iter().filter(|home| home.point.starts_with(point)).count();
    let text = include_str!("../devices/generic/exchange-station-plc.toml");
    let rows: Vec<usize> = text.split("[[block]]").skip(1).map(|block| block.matches("{ point = ").count()).collect();
    let [station, circuit, pump, make_up_pump, building, room] = rows[..] else { panic!("{rows:?}") };
    assert_eq!(read("circuit.low-zone.circulation_pump."), 3 * pump);
    assert_eq!(read("circuit.low-zone.make_up_pump."), 2 * make_up_pump);
    assert_eq!(read("circuit.low-zone.building."), 3 * building);
    assert_eq!(read("circuit.low-zone.room."), 7 * room);
    let others = 3 * pump + 2 * make_up_pump + 3 * building + 7 * room;
    assert_eq!(read("circuit.low-zone."), circuit + others);
    // Two are left out and one is added by the example.
    let of_circuits = read("circuit.");
    assert_eq!(two_zones.homes.len() - of_circuits, station - 2 + 1);
}

fn register<'a>(station: &'a Station, point: &str) -> &'a Register {
    let all = station.wires.iter().flat_map(|wire| &wire.devices).flat_map(|device| &device.registers);
    all.into_iter().find(|register| register.name() == point).unwrap_or_else(|| panic!("{point} is not mapped"))
}

#[test]
fn the_words_of_the_plc_mean_what_its_manual_says() {
    let station = example("two-zones");
    let decoded =
        |point: &str, words: &[u16]| decode(register(&station, point), words).map(heatstation_points::Value::number);
    let near = |point: &str, words: &[u16], expected: f64| {
        let value = decoded(point, words).unwrap_or_else(|fault| panic!("{point}: {fault:?}"));
        assert!((value - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{point}: {value}, expected {expected}");
    };
    near("outdoor.temperature", &[0xFFB6], -7.4);
    near("primary_supply.pressure", &[0x3F4C, 0xCCCD], 800_000.0);
    near("primary.flow", &[0x4290, 0x0000], 72.0 / 3600.0);
    near("primary.heat_energy", &[0x0001, 0x86A0], 1000.0e9);
    near("electricity.energy", &[0x0000, 0x000A], 3.6e6);
    near("mains.healthy", &[0b0000_0001], 1.0);
    near("selector.remote", &[0b0000_1000], 1.0);
    near("circuit.low-zone.circulation.flow_switch", &[0b0010_0000], 1.0);
    near("circuit.low-zone.valve.position_feedback", &[10_000], 1.0);
    near("circuit.low-zone.circulation_pump.1.speed_feedback", &[4500], 0.9);
    near("circuit.low-zone.circulation_pump.1.operating_time", &[0, 2], 7200.0);
    near("circuit.high-zone.tank.level", &[1234], 1.234);
    near("circuit.high-zone.secondary.differential_pressure", &[0x428C, 0x0000], 70_000.0);
    near("auxiliary.valve-pit", &[125], 12.5);
    for (point, words) in [
        ("outdoor.temperature", &[0x8000][..]),
        ("primary_supply.pressure", &[0x7FC0, 0x0000]),
        ("primary.heat_energy", &[0xFFFF, 0xFFFF]),
        ("circuit.low-zone.valve.position_feedback", &[0xFFFF]),
    ] {
        assert_eq!(decoded(point, words), Err(heatstation_points::Fault::SensorBroken), "{point}");
    }
}

#[test]
fn commands_become_the_words_that_the_plc_takes() {
    let station = example("two-zones");
    let words = |point: &str, number: f64| {
        let register = register(&station, point);
        encode(register, register.definition.accept(number).unwrap()).unwrap()
    };
    assert_eq!(words("circuit.low-zone.valve.position", 1.0), [10_000]);
    assert_eq!(words("circuit.low-zone.valve.position", 0.413), [4130]);
    assert_eq!(words("circuit.low-zone.circulation_pump.2.speed", 0.9), [4500]);
    assert_eq!(words("circuit.low-zone.circulation_pump.2.start", 1.0), [1]);
    let valve = register(&station, "circuit.high-zone.valve.position");
    assert_eq!((valve.address, valve.write.as_ref().unwrap().refresh.as_secs()), (2040, 10));
}

#[test]
fn circuits_pumps_buildings_and_rooms_stand_at_their_strides() {
    let station = example("two-zones");
    let address = |point: &str| register(&station, point).address;
    assert_eq!(address("circuit.low-zone.secondary_supply.temperature"), 1001);
    assert_eq!(address("circuit.high-zone.secondary_supply.temperature"), 2001);
    assert_eq!(address("circuit.low-zone.circulation_pump.3.speed"), 1000 + 100 + 40 + 11);
    assert_eq!(address("circuit.low-zone.make_up_pump.2.start"), 1000 + 200 + 20 + 10);
    assert_eq!(address("circuit.low-zone.building.kindergarten.flow"), 1000 + 300 + 40 + 4);
    assert_eq!(address("circuit.high-zone.room.h-3301.battery"), 2000 + 600 + 2 + 1);
}

#[test]
fn room_minimums_follow_the_use_of_the_building_and_the_contract() {
    let station = example("two-zones");
    let minimum = |circuit: usize, name: &str| {
        let rooms = &station.settings.circuits[circuit].rooms;
        rooms.iter().find(|room| room.name == name).unwrap().minimum.0
    };
    assert_eq!(minimum(0, "l-101"), 18.0);
    assert_eq!(minimum(0, "k-101"), 20.0);
    assert_eq!(minimum(1, "h-2501"), 20.0);
}

#[test]
fn every_standard_is_read_and_keeps_its_own_figures() {
    let profile = |standard: &str| {
        let text = EXAMPLES[2].1.replace("\"zibo\"", &format!("\"{standard}\""));
        let station = check("station.toml", &text, None).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(station.standard.id, standard);
        station.settings.profile
    };
    let zibo = profile("zibo");
    let target = zibo.accident_rate.target.unwrap();
    assert_eq!((target.value.numerator, target.value.denominator), (2, 1000));
    assert_eq!(zibo.accident_rate.counted, [Cause::EnterpriseAccident, Cause::Unknown]);
    assert_eq!(zibo.notify_users_after.unwrap().value.as_secs(), 24 * 3600);
    assert_eq!(zibo.room_pass_target.unwrap().value.numerator, 99);

    let xinjiang = profile("xinjiang");
    assert_eq!(xinjiang.dwelling_min.value.0, 20.0);
    assert!(xinjiang.accident_rate.target.is_none());
    assert_eq!(xinjiang.notify_users_after.unwrap().value.as_secs(), 8 * 3600);

    assert!(profile("cdha").notify_users_after.is_none());
    assert_eq!(profile("tangshan").dwelling_min.clause, "4.1.1.1, 8.2.2");
    assert_eq!(profile("hanzhong").accident_rate.target.unwrap().clause, "default");
}

#[test]
fn a_season_shorter_than_the_standard_owes_is_a_warning() {
    let text = EXAMPLES[2].1.replace("\"zibo\"", "\"tangshan\"").replace("2026-11-15", "2026-11-20");
    let station = check("station.toml", &text, None).unwrap();
    let [warning] = station.warnings.list() else { panic!("{}", station.warnings) };
    assert_eq!((warning.severity, warning.key.as_str()), (Severity::Warning, "season.first_day"));
    assert!(warning.help.contains("4.1.2.1"), "{warning:?}");
}

#[test]
fn the_points_say_where_they_are_read() {
    let station = example("two-zones");
    let rows = station.points();
    assert_eq!(rows.len(), station.catalogue.len());
    let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
    let home = row("circuit.low-zone.secondary_supply.temperature").home.as_ref().unwrap();
    assert_eq!((home.device.as_str(), home.spot.brief().as_str()), ("plc", "holding-register 1001 i16"));
    assert!(home.file.ends_with("exchange-station-plc.toml") && home.line > 1);
    assert!(row("outdoor.forecast").home.is_none());
    let text = heatstation_config::points::text(&rows);
    assert!(text.lines().any(|line| line.starts_with("outdoor.forecast") && line.ends_with("  -")), "{text}");
    let json = serde_json::to_value(&rows).unwrap();
    assert_eq!(json[0]["name"], "outdoor.temperature");
    assert_eq!(json[0]["unit"], "celsius");
}

#[test]
fn schemas_name_every_table_and_refuse_unknown_keys() {
    let station = schema::station();
    for table in ["station", "season", "wire", "device", "circuit", "simulation"] {
        assert!(station["properties"][table].is_object(), "{table}");
    }
    assert_eq!(station["additionalProperties"], false);
    assert_eq!(station["$defs"]["RawCircuit"]["additionalProperties"], false);
    assert!(schema::template()["properties"]["block"].is_object());
    assert!(schema::standard()["properties"]["accident_rate"].is_object());
    // What an editor shows while typing.
    let remark = &station["$defs"]["RawCircuit"]["properties"]["supply_max_celsius"]["description"];
    assert_eq!(remark, "The highest supply setpoint.");
}

#[test]
fn a_reload_shows_what_would_change() {
    let before = example("demo");
    let text = EXAMPLES[0].1.replace("supply_max_celsius = 80", "supply_max_celsius = 78");
    let after = check("demo.toml", &text, None).unwrap();
    let told = before.differences(&after);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].key, "circuit.low-zone.supply_max_celsius");
    assert_eq!((told[0].before.as_deref(), told[0].after.as_deref()), (Some("80"), Some("78")));
    assert_eq!(before.differences(&before), []);
}
