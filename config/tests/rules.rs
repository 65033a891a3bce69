//! Each rule of the check, told as a slip of the pen: what is changed in a sound file, and which problem comes where.

mod slips;

use slips::{example, slip, told};

fn demo(from: &str, to: &str, key: &str, what: &str) {
    slip("demo", from, to, key, to.lines().last().unwrap_or_default(), what);
}

fn two_zones(from: &str, to: &str, key: &str, what: &str) {
    slip("two-zones", from, to, key, to.lines().last().unwrap_or_default(), what);
}

#[test]
fn an_unknown_key_is_refused_with_its_neighbour() {
    demo(
        "supply_max_celsius",
        "suply_max_celsius",
        "circuit.low-zone.suply_max_celsius",
        "did you mean `supply_max_celsius`",
    );
    demo("[circuit.make_up]", "[circuit.makeup]", "circuit.low-zone.makeup", "did you mean `make_up`");
    demo(
        "heated_area_m2 = 86000 ",
        "heated_aera_m2 = 86000 ",
        "station.heated_aera_m2",
        "did you mean `heated_area_m2`",
    );
}

#[test]
fn a_wrong_type_is_said_in_plain_words() {
    demo(
        "design_supply_celsius = 75",
        "design_supply_celsius = \"75\"",
        "circuit.low-zone.design_supply_celsius",
        "without quotes",
    );
    demo("pumps = 2 ", "pumps = 2.5 ", "circuit.low-zone.circulation.pumps", "whole number");
    demo("first_day = 2026-11-15", "first_day = \"2026-11-15\"", "season.first_day", "without quotes");
    demo("emitter = \"radiator\"", "emitter = \"radiators\"", "circuit.low-zone.emitter", "did you mean `radiator`");
    demo("[[wire]]", "[wire]", "wire", "[[");
}

#[test]
fn a_number_that_is_none_is_refused() {
    for number in ["nan", "inf", "-inf", "1e308", "-5"] {
        let to = format!("supply_max_celsius = {number}");
        demo("supply_max_celsius = 80", &to, "circuit.low-zone.supply_max_celsius", "from 25 to 115 °C");
    }
}

#[test]
fn what_is_required_and_missing_is_asked_for_with_an_example() {
    slip(
        "demo",
        "design_outdoor_celsius = -9 ",
        "# ",
        "station.design_outdoor_celsius",
        "[station]",
        "design_outdoor_celsius = -9",
    );
    slip("demo", "emitter = \"radiator\" ", "# ", "circuit.low-zone.emitter", "[[circuit]]", "emitter = \"radiator\"");
    slip(
        "demo",
        "setpoint_kilopascals = 290 ",
        "# ",
        "circuit.low-zone.make_up.setpoint_kilopascals",
        "[circuit.make_up]",
        "setpoint_kilopascals = 300",
    );
    slip("demo", "last_day", "# last_day", "season.last_day", "[season]", "without quotes");
    slip("demo", "address = ", "# address = ", "wire.plc.address", "[[wire]]", "192.168.1.10:502");
}

#[test]
fn a_syntax_error_is_one_problem_with_its_place() {
    demo("id = \"k12\" ", "id = \"k12 ", "", "is not TOML");
    demo("name = \"low-zone\"", "name = low-zone", "", "is not TOML");
    slip("demo", "pumps = 2 ", "pumps = 2\npumps = 2 ", "", "pumps = 2 ", "stands once");
}

#[test]
fn names_that_nobody_has_get_a_neighbour() {
    demo("standard = \"zibo\"", "standard = \"zbio\"", "station.standard", "did you mean `zibo`");
    demo("wire = \"plc\"", "wire = \"plk\"", "device.plc.wire", "did you mean `plc`");
    demo("\"Asia/Shanghai\"", "\"Asia/Shangai\"", "station.time_zone", "did you mean \"Asia/Shanghai\"");
    demo("station-plc\"", "station-plcs\"", "device.plc.template", "did you mean `generic/exchange-station-plc`");
    two_zones(
        "circuits = [\"low-zone\", \"high-zone\"]",
        "circuits = [\"low-zone\", \"hi-zone\", \"high-zone\"]",
        "device.plc.circuits",
        "did you mean `high-zone`",
    );
    two_zones(
        "\"outdoor.wind_speed\"",
        "\"outdoor.windspeed\"",
        "device.plc.without",
        "did you mean `outdoor.wind_speed`",
    );
    two_zones("unit = \"celsius\"", "unit = \"celcius\"", "auxiliary.valve-pit.unit", "did you mean `celsius`");
    slip(
        "two-zones",
        "point = \"auxiliary.valve-pit\"",
        "point = \"auxiliary.valvepit\"",
        "device.plc.auxiliary.valvepit",
        "[[device.point]]",
        "did you mean `auxiliary.valve-pit`",
    );
    two_zones(
        "name = \"h-3301\"",
        "name = \"h-3301\"\nbuilding = \"tower\"",
        "circuit.high-zone.room.h-3301.building",
        "no building `tower`",
    );
}

#[test]
fn a_name_stands_once() {
    demo("name = \"b2\"", "name = \"b1\"", "circuit.low-zone.building.b1.name", "already");
    slip(
        "demo",
        "\"b2-101\"",
        "\"b1-101\"",
        "circuit.low-zone.room.b1-101",
        "rooms = [\"b1-101\", \"b2-201\"",
        "already",
    );
    slip(
        "two-zones",
        "[[device.point]]",
        "[[wire]]\nname = \"plc\"\naddress = \"10.0.0.1:502\"\n[[device.point]]",
        "wire.plc.name",
        "[[wire]]",
        "already",
    );
}

#[test]
fn names_are_fit_for_metrics() {
    demo("id = \"k12\"", "id = \"K 12\"", "station.id", "small letters");
    demo("name = \"b6\"", "name = \"六号楼\"", "circuit.low-zone.building.六号楼.name", "small letters");
}

#[test]
fn pressures_stand_in_order() {
    let order = "protect < restart < start < setpoint + sleep_raise < relief_close < relief_open < trip";
    demo(
        "relief_open_kilopascals = 350",
        "relief_open_kilopascals = 320",
        "circuit.low-zone.make_up.relief_open_kilopascals",
        order,
    );
    demo(
        "pressure_restart_kilopascals = 240",
        "pressure_restart_kilopascals = 280",
        "circuit.low-zone.interlock.pressure_restart_kilopascals",
        order,
    );
    demo(
        "pressure_trip_kilopascals = 600",
        "pressure_trip_kilopascals = 350",
        "circuit.low-zone.interlock.pressure_trip_kilopascals",
        order,
    );
    two_zones(
        "relief_open_kilopascals = 700",
        "relief_open_kilopascals = 650",
        "circuit.high-zone.make_up.relief_open_kilopascals",
        order,
    );
}

#[test]
fn temperatures_run_downhill_from_water_to_weather() {
    let heat = "heat flows from the water to the room";
    demo("design_return_celsius = 50", "design_return_celsius = 75", "circuit.low-zone.design_return_celsius", heat);
    demo(
        "design_return_celsius = 50",
        "design_return_celsius = 20\ndesign_room_celsius = 21",
        "circuit.low-zone.design_room_celsius",
        heat,
    );
    slip(
        "demo",
        "design_supply_celsius = 75",
        "design_supply_celsius = 82",
        "circuit.low-zone.supply_max_celsius",
        "supply_max_celsius = 80",
        "design day",
    );
    demo(
        "supply_trip_celsius = 85",
        "supply_trip_celsius = 80",
        "circuit.low-zone.interlock.supply_trip_celsius",
        "must not trip",
    );
    demo(
        "supply_max_celsius = 80",
        "supply_max_celsius = 80\nsupply_min_celsius = 80",
        "circuit.low-zone.supply_min_celsius",
        "room to move",
    );
    demo(
        "primary_design_return_celsius = 60",
        "primary_design_return_celsius = 110",
        "simulation.primary_design_return_celsius",
        "brings heat",
    );
}

#[test]
fn heat_runs_downhill_from_the_primary() {
    let exchanger = |key: &str, what: &str| {
        let to = format!("[circuit.exchanger]\n{key}\n[circuit.circulation]");
        let full = format!("circuit.low-zone.exchanger.{}", key.split(' ').next().unwrap());
        slip("demo", "[circuit.circulation]", &to, &full, key, what);
    };
    exchanger("primary_return_celsius = 45", "from the primary to the secondary");
    exchanger("primary_supply_celsius = 70", "from the primary to the secondary");
    exchanger("transfer_kilowatts_per_kelvin = 0", "kW/K");
}

#[test]
fn a_three_point_motor_needs_its_contacts_and_a_write_each_second() {
    let motor = |more: &str| format!("[circuit.valve]\nactuator = \"three-point\"\n{more}\n[circuit.circulation]");
    let key = "circuit.low-zone.valve.pulse_min_seconds";
    let idle = "[circuit.valve]\npulse_min_seconds = 1\n[circuit.circulation]";
    slip("demo", "[circuit.circulation]", idle, key, "pulse_min_seconds = 1", "has no meaning with");
    let to = motor("pulse_min_seconds = 20");
    slip("demo", "[circuit.circulation]", &to, key, "pulse_min_seconds = 20", "from 0.1 to 10");

    let told = |device: &str| {
        let text = example("demo")
            .replace("modbus_unit = 1", &format!("modbus_unit = 1\n{device}"))
            .replace("[circuit.circulation]", &motor(""));
        format!("{:?}", told(&text, None))
    };
    assert_eq!(told(""), "[]");
    let missing = told("without = [\"circuit.low-zone.valve.closing\"]");
    assert!(missing.contains("valve.closing") && missing.contains("both its contacts"), "{missing}");
    let slow = told("write = { minimum_interval_seconds = 2 }");
    assert!(slow.contains("valve.opening") && slow.contains("every 2 s only"), "{slow}");
    let worn = told("write = { writes_per_year = 5000 }");
    assert!(worn.contains("valve.closing") && worn.contains("wears out"), "{worn}");
}

#[test]
fn a_floor_bears_sixty_degrees() {
    let jgj = "JGJ 142-2012";
    two_zones(
        "design_return_celsius = 35",
        "design_return_celsius = 35\nsupply_max_celsius = 61",
        "circuit.high-zone.supply_max_celsius",
        jgj,
    );
    slip(
        "two-zones",
        "[circuit.envelope]",
        "[circuit.interlock]\nsupply_trip_celsius = 70\n[circuit.envelope]",
        "circuit.high-zone.interlock.supply_trip_celsius",
        "supply_trip_celsius = 70",
        "65 °C at most",
    );
}

#[test]
fn mild_weather_is_not_an_outage() {
    two_zones(
        "confirm_after_minutes = 15",
        "supply_floor_celsius = 28",
        "circuit.high-zone.outage.supply_floor_celsius",
        "mild weather",
    );
}

#[test]
fn a_room_target_below_the_standard_is_refused() {
    two_zones(
        "room_target_celsius = 20.5",
        "room_target_celsius = 17",
        "circuit.low-zone.room_target_celsius",
        "18 °C",
    );
}

#[test]
fn a_contract_below_the_standard_is_a_warning() {
    two_zones(
        "minimum_celsius = 20",
        "minimum_celsius = 16",
        "circuit.high-zone.room.h-2501.minimum_celsius",
        "4.1.1.1",
    );
}

#[test]
fn areas_add_up_to_the_hundredth() {
    slip(
        "demo",
        "heated_area_m2 = 15000",
        "heated_area_m2 = 15000.07",
        "circuit.low-zone.heated_area_m2",
        "heated_area_m2 = 86000",
        "add up to 86000.07 m²",
    );
    let rounded = example("demo").replacen("heated_area_m2 = 15000", "heated_area_m2 = 15000.06", 1);
    assert_eq!(told(&rounded, None), [], "0.01 m² is granted for each of six buildings");
    slip(
        "two-zones",
        "heated_area_m2 = 112500.5",
        "heated_area_m2 = 112500.53",
        "station.heated_area_m2",
        "heated_area_m2 = 112500.53",
        "add up to 112500.5 m²",
    );
    slip(
        "two-zones",
        "heated_area_m2 = 2500",
        "heated_area_m2 = 2500.005",
        "circuit.low-zone.building.kindergarten.heated_area_m2",
        "2500.005",
        "two decimals",
    );
}

#[test]
fn seasons_end_after_they_begin_and_within_a_year() {
    demo("last_day = 2027-03-15", "last_day = 2026-03-15", "season.last_day", "before the first day");
    demo("last_day = 2027-03-15", "last_day = 2028-03-15", "season.last_day", "is a year wrong?");
    demo("last_day = 2027-03-15", "last_day = 2027-03-15T00:00:00", "season.last_day", "day alone");
    demo(
        "last_day = 2027-03-15",
        "last_day = 2027-03-15\nheating_from_day = 2026-11-16",
        "season.heating_from_day",
        "60 days before",
    );
}

#[test]
fn pumps_are_one_to_three_and_duty_is_no_more() {
    demo("pumps = 2 ", "pumps = 4 ", "circuit.low-zone.circulation.pumps", "from 1 to 3");
    two_zones("duty = 2", "duty = 4", "circuit.low-zone.circulation.duty", "from 1 to 3");
    demo(
        "speed_ratio = 0.9",
        "speed_ratio = 0.9\nduty = 3",
        "circuit.low-zone.circulation.duty",
        "no more than there are",
    );
    demo("speed_ratio = 0.9", "speed_ratio = 0.4", "circuit.low-zone.circulation.speed_ratio", "below the lowest");
}

#[test]
fn a_key_of_another_mode_is_not_dead_it_is_refused() {
    demo(
        "speed_ratio = 0.9",
        "differential_pressure_kilopascals = 60",
        "circuit.low-zone.circulation.differential_pressure_kilopascals",
        "no meaning in this mode",
    );
    two_zones(
        "differential_pressure_kilopascals = 70",
        "differential_pressure_kilopascals = 70\nspeed_ratio = 0.9",
        "circuit.low-zone.circulation.speed_ratio",
        "no meaning in this mode",
    );
    let supply_loop = "circuit.low-zone.supply_loop";
    let plant = "process_gain_kelvins = 25\nprocess_lag_seconds = 25\nprocess_dead_time_seconds = 15";
    let (simc, amigo) = (format!("tuning = \"simc\"\n{plant}"), format!("tuning = \"amigo\"\n{plant}"));
    for (written, idle) in [
        (simc.as_str(), "gain_per_kelvin = 0.01"),
        (amigo.as_str(), "closed_loop_time_seconds = 30"),
        ("tuning = \"gains\"", "process_lag_seconds = 30"),
        ("gain_schedule = \"fixed\"", "gain_factor_max = 3"),
        ("feed_forward = \"off\"", "feed_forward_reach_ratio = 0.2"),
    ] {
        let key = format!("{supply_loop}.{}", idle.split(' ').next().unwrap());
        let to = format!("[circuit.supply_loop]\n{written}\n{idle}\n[circuit.circulation]");
        slip("demo", "[circuit.circulation]", &to, &key, idle, "has no meaning with");
    }
    two_zones(
        "[circuit.curve] ",
        "[circuit.curve]\nexponent = 1.1 # ",
        "circuit.high-zone.curve.exponent",
        "beside points",
    );
    slip(
        "demo",
        "[circuit.circulation]",
        "[circuit.curve]\npoints_room_slope = 2.0\n[circuit.circulation]",
        "circuit.low-zone.curve.points_room_slope",
        "points_room_slope",
        "without points",
    );
}

#[test]
fn a_curve_through_points_falls_and_rises_in_order() {
    let key = "circuit.high-zone.curve.points_celsius";
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46]]", key, "2 to 8 pairs");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46], [5, 41], [-5, 34]]", key, "from cold to warm");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, 46], [-5, 47]]", key, "the cooler the supply");
    two_zones("[[-15, 46], [-5, 41], [5, 34], [15, 28]]", "[[-15, nan], [-5, 41], [5, 34]]", key, "out of range");
}

#[test]
fn a_slip_in_a_sites_own_standard_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("standards")).unwrap();
    let standard = include_str!("../standards/zibo.toml");
    for (from, to, key) in [
        ("dwelling_min_celsius = { value = 18,", "dwelling_min_celsius = { value = 81,", "room.dwelling_min_celsius"),
        ("\"enterprise_accident\"", "\"enterprise_accidents\"", "accident_rate.counted"),
        ("value = [2, 1000]", "value = [2, 0]", "accident_rate.target"),
        ("target = {", "tarjet = {", "accident_rate.tarjet"),
    ] {
        std::fs::write(folder.path().join("standards/zibo.toml"), standard.replacen(from, to, 1)).unwrap();
        let problems = told(example("demo"), Some(folder.path()));
        assert!(
            problems.iter().any(|problem| problem.key == key && problem.file.ends_with("zibo.toml")),
            "{to}: {problems:#?}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_one_problem_with_help() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.toml");
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list().len() == 1 && problems.list()[0].what.contains("cannot be opened"), "{problems}");
    std::fs::write(&path, b"[station]\nname = \"\xff\"\n").unwrap();
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list()[0].what.contains("line 2"), "{problems}");
    std::fs::write(&path, "").unwrap();
    let problems = heatstation_config::load(&path).unwrap_err();
    assert!(problems.list().iter().any(|problem| problem.key == "station"), "{problems}");
}

#[test]
fn every_problem_is_told_at_once() {
    let text = example("demo")
        .replacen("supply_max_celsius = 80", "supply_max_celsius = nan", 1)
        .replacen("relief_open_kilopascals = 350", "relief_open_kilopascals = 320", 1)
        .replacen("design_return_celsius", "design_return", 1)
        .replacen("timeout_milliseconds = 500", "timeout_milliseconds = true", 1)
        .replacen("last_day = 2027", "last_day = 2025", 1);
    let keys: Vec<String> = told(&text, None).into_iter().map(|problem| problem.key).collect();
    assert_eq!(
        keys,
        [
            "season.last_day",
            "wire.plc.timeout_milliseconds",
            "circuit.low-zone.design_return",
            "circuit.low-zone.supply_max_celsius",
            "circuit.low-zone.make_up.relief_open_kilopascals",
        ]
    );
}

#[test]
fn a_flood_isolates_only_where_there_is_a_valve_for_that() {
    demo(
        "supply_trip_celsius = 85",
        "supply_trip_celsius = 85\nflood = \"close-inlet-and-isolate\"",
        "circuit.low-zone.interlock.flood",
        "no isolation valve",
    );
}

#[test]
fn the_stages_of_a_start_have_time_enough() {
    let sequence = |line: &str, key: &str, what: &str| {
        let to = format!("[circuit.sequence]\n{line}\n\n[circuit.make_up]");
        let key = format!("circuit.low-zone.sequence.{key}");
        slip("demo", "[circuit.make_up]", &to, &key, line, what);
    };
    sequence("pressure_hold_minutes = 90", "pressure_hold_minutes", "pressure_patience_minutes");
    sequence("post_run_min_minutes = 30", "post_run_min_minutes", "post_run_max_minutes");
    sequence("late_after_minutes = 9", "late_after_minutes", "reached_for_minutes");
}

#[test]
fn a_watchdog_outlasts_the_refresh_of_the_outputs_and_stands_somewhere() {
    let watchdog = |lines: &str, key: &str, line: &str, what: &str| {
        let from = "template = \"generic/exchange-station-plc\"";
        let key = format!("device.plc.watchdog.{key}");
        slip("demo", from, &format!("{from}\n\n[device.watchdog]\n{lines}"), &key, line, what);
    };
    watchdog("min_seconds = 10", "min_seconds", "min_seconds", "refresh");
    watchdog("max_seconds = 15", "max_seconds", "max_seconds", "min_seconds");
    watchdog("seconds_per_count = 0", "seconds_per_count", "seconds_per_count", "0.001");
    watchdog("asked = false", "asked", "asked", "would notice that the computer is gone");
}

#[test]
fn a_pulse_is_a_small_part_of_the_stroke() {
    let valve = "[circuit.valve]\nactuator = \"three-point\"\nstroke_time_seconds = 20\npulse_min_seconds = 5\n\n[circuit.circulation]";
    let key = "circuit.low-zone.valve.pulse_min_seconds";
    slip("demo", "[circuit.circulation]", valve, key, "pulse_min", "25 % of its stroke");
}

/// A sound example with an OPC UA server, and one line of it written otherwise.
fn opcua(from: &str, to: &str) -> Vec<heatstation_config::Problem> {
    let server = "\n[opcua_server]\nlisten = \"127.0.0.1:4840\"\n\n[[opcua_server.user]]\nname = \"scada\"\npassword_hash = \
                  \"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\"\n";
    assert!(server.contains(from), "{from}");
    let text = format!("{}{}", example("demo"), server.replacen(from, to, 1));
    told(&text, None)
}

#[test]
fn an_opcua_server_into_which_nobody_or_anybody_could_come_is_told_of() {
    assert_eq!(opcua("listen", "listen"), []);
    let one = |from: &str, to: &str| match opcua(from, to).as_slice() {
        [problem] => format!("{}: {}", problem.key, problem.what),
        problems => panic!("{from} to {to}: {problems:#?}"),
    };
    let user = "[[opcua_server.user]]\nname = \"scada\"";
    assert_eq!(one("name = \"scada\"\n", ""), "opcua_server.user.?.name: is missing");
    assert!(one("m=19456", "m=4000000").contains("more memory or time"));
    assert!(one("$argon2id$v=19", "secret").contains("is not an Argon2id hash"));
    assert!(one("127.0.0.1:4840", "localhost").contains("is not an address with a port"));
    let outside = "0.0.0.0:4840\"\nallow_unencrypted_reading = true #\"";
    assert!(one("127.0.0.1:4840", outside).contains("read unencrypted from outside"));
    let other = format!(
        "[[opcua_server.user]]\nname = \"scada\"\npassword_hash = \"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1a\"\n{user}"
    );
    assert!(one(user, &other).contains("there is a user scada already"));
    let lonely = format!("{}\n[opcua_server]\n", example("demo"));
    let problems = told(&lonely, None);
    assert!(problems.len() == 1 && problems[0].what == "nobody could log in", "{problems:#?}");
}
