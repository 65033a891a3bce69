//! The station as an OPC UA server, seen by a client that we did not write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use heatstation_tests::program::{Running, binary, command, eventually, example, metric, metrics, switch, words};
use heatstation_tests::python::Conversation;
use serde_json::Value as Json;

/// What `heatstation user hash` makes of a password on its stdin.
fn hash(password: &str) -> String {
    let mut child = Command::new(binary())
        .args(["user", "hash"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The demonstration's station as a server on a free port.
fn station(folder: &Path) -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = folder.join("station.toml");
    let mut text = std::fs::read_to_string(example("demo.toml")).unwrap();
    write!(text, "\n[opcua_server]\nlisten = \"127.0.0.1:{port}\"\n").unwrap();
    for (name, password, role) in [("scada", "operate-operate", "operate"), ("visitor", "view-view-view", "view")] {
        let user = format!("name = \"{name}\"\npassword_hash = \"{}\"\nrole = \"{role}\"\n", hash(password));
        write!(text, "\n[[opcua_server.user]]\n{user}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The demonstration, ten times as fast: an alarm with a delay comes within a second.
fn start(station: &str, data: &str) -> (Running, String) {
    let arguments = ["demo", "--config", station, "--data", data, "--listen", "127.0.0.1:0", "--speed", "10"];
    let program = Running::start(&arguments, "The page");
    let address = program.address("opcua");
    // The first start makes a certificate, and no certificate is shown before.
    let page = program.address("page ");
    eventually("a certificate", Duration::from_secs(60), || {
        let family = "heatstation_opcua_certificate_expiry_timestamp_seconds";
        metric(&metrics(&page), family, &[]).filter(|until| *until > 0.0)
    });
    (program, address)
}

fn text<'a>(json: &'a Json, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{pointer}: {json}"))
}

fn only_who_is_known_comes_in(seen: &Json) {
    let endpoints = ["Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256Sha256"]
        .map(|policy| format!("{policy} SignAndEncrypt"));
    assert_eq!(seen["unencrypted"]["endpoints"], serde_json::json!(endpoints), "there is no other door");
    assert_ne!(text(seen, "/unencrypted/anonymous"), "Good");
    let refused = &seen["refused"];
    for who in ["unknown_certificate", "other_certificate"] {
        assert_eq!(refused[who], "BadCertificateUntrusted", "{who}: {refused}");
    }
    assert_eq!(refused["moved"], 1, "what was refused waits for a person's word: {refused}");
    for who in ["wrong_password", "wrong_name"] {
        assert_eq!(refused[who], "BadUserAccessDenied", "{who}: {refused}");
    }
    assert_eq!(refused["anonymous_with_certificate"], "BadIdentityTokenInvalid", "{refused}");
    for policy in ["basic256sha256", "aes128", "aes256"] {
        assert_eq!(seen["policies"][policy], "Good", "{policy}: {seen}");
    }
    let view = &seen["view"];
    assert_eq!(view["reads"], "Good", "{view}");
    assert_eq!(
        (&view["writes"], &view["calls"]),
        (&"BadUserAccessDenied".into(), &"BadUserAccessDenied".into()),
        "{view}"
    );
    assert_eq!(view["may"], serde_json::json!(["CurrentRead"]), "{view}");
}

fn the_tree_says_what_the_station_is(browse: &Json) {
    let ids: Vec<&str> = browse["ids"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    for id in [
        "k12/circuit.low-zone.secondary_supply.temperature",
        "k12/circuit.low-zone/Setpoint",
        "k12/circuit.low-zone/SetMode",
    ] {
        assert!(ids.contains(&id), "{id} is not among {ids:?}");
    }
    let supply = &browse["supply"];
    assert_eq!((&supply["type"], &supply["status"]), (&17_570.into(), &"Good".into()), "AnalogUnitRangeType: {supply}");
    let expected =
        serde_json::json!({ "EURange": [0.0, 120.0], "InstrumentRange": [0.0, 120.0], "EngineeringUnits": 4_408_652 });
    assert_eq!(supply["properties"], expected, "degrees Celsius as UN/CEFACT say them");
    assert!((20.0..90.0).contains(&supply["value"].as_f64().unwrap()), "{supply}");
    // The plant's time, not the computer's: it is the demonstration's winter.
    assert!(text(supply, "/source_time") > "2026-11", "{supply}");
    assert!(supply["server_age_seconds"].as_f64().unwrap() < 10.0, "{supply}");
    assert_eq!((&browse["switch"]["type"], &browse["switch"]["value"]), (&2_373.into(), &false.into()), "{browse}");
    assert_eq!(browse["unwired"], "BadNotConnected");
    assert_eq!(browse["mode"], "automatic");
    assert_eq!(browse["command"]["properties"]["EngineeringUnits"], 20_529, "percent: {browse}");
}

fn what_is_asked_is_bounded_granted_and_readable(seen: &Json) {
    let writes = &seen["writes"];
    let expected = [
        ("too_much", "BadOutOfRange"),
        ("not_a_number", "BadOutOfRange"),
        ("a_text", "BadTypeMismatch"),
        ("a_measurement", "BadNotWritable"),
        ("an_output", "BadNotWritable"),
        ("within", "Good"),
        ("outcome", "granted"),
    ];
    for (what, answer) in expected {
        assert_eq!(writes[what], answer, "{what}: {writes}");
    }
    assert_eq!((&writes["in_force"], &writes["range"]), (&(-2.0).into(), &serde_json::json!([-10.0])), "{writes}");
    let calls = &seen["calls"];
    assert_eq!(calls["too_long"], "BadOutOfRange", "{calls}");
    assert_eq!((&calls["shift"], &calls["shift_in_force"]), (&"granted".into(), &1.0.into()), "{calls}");
    // Only people at the station say whether a circuit runs.
    assert_eq!(calls["mode_from_dispatch"], "BadUserAccessDenied", "{calls}");
    assert_eq!(calls["no_such_alarm"], "BadNotFound", "{calls}");
    assert_eq!(calls["acknowledge"], "granted", "{calls}");
    let flood: Vec<&str> = calls["too_many"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    assert!(flood.contains(&"BadTooManyOperations"), "{flood:?}");
}

fn an_alarm_was_told_of(seen: &Json) {
    assert_eq!(seen["alarm_came"], true, "{seen}");
    assert_eq!((&seen["lost"]["status"], &seen["lost"]["value"]), (&"BadSensorFailure".into(), &Json::Null), "{seen}");
    assert!(seen["values"].as_u64().unwrap() >= 2, "{seen}");
    let events = seen["events"].as_array().unwrap();
    let of = |active: bool, acknowledged: bool| {
        let is = |event: &&Json| event["active"] == active && event["acknowledged"] == acknowledged;
        let event = events.iter().find(|event| is(event) && event["alarm"] == "supply_sensor_lost@low-zone");
        event.unwrap_or_else(|| panic!("active {active}, acknowledged {acknowledged}: {events:?}"))
    };
    let raised = of(true, false);
    assert_eq!(raised["severity"], 700, "{raised}");
    let message = text(raised, "/message");
    assert!(
        message.contains("二次供水温度传感器故障") && message.contains("Secondary supply temperature lost"),
        "{message}"
    );
    of(true, true);
}

fn all_of_it_is_on_record(data: &str) {
    let exported = command(&["journal", "export", "--data", data]);
    let text = words(&exported);
    let records: Vec<Json> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let asked: Vec<&Json> =
        records.iter().map(|record| &record["body"]).filter(|body| body["event"] == "asked_from_outside").collect();
    let has = |author: &str, what: &str, wanted: &str, answer: &str| {
        let is = |body: &&&Json| {
            body["author"] == author
                && body["what"].as_str().is_some_and(|name| name.ends_with(what))
                && body["wanted"] == wanted
                && body["answer"] == answer
        };
        let found = asked.iter().find(is);
        found.unwrap_or_else(|| panic!("{author} {what} {wanted} {answer} is not among {asked:#?}"))
    };
    let granted = has("scada", "Wish.SupplyShift", "-2", "Good");
    assert_eq!((&granted["before"], &granted["through"]), (&"0".into(), &"opcua".into()), "{granted}");
    assert!(granted["from"].as_str().unwrap().contains("urn:heatstation-test:scada ["), "{granted}");
    has("visitor", "Wish.SupplyShift", "-1", "BadUserAccessDenied");
    has("scada", "ShiftSupply", "1, 60, cold evening", "Good");
    let by = |kind: &str, part: &str| {
        records.iter().any(|record| record["kind"] == kind && record.to_string().contains(part))
    };
    assert!(by("request_granted", "\"author\":\"scada\"") && by("request_refused", "not_from_there"), "{text}");
    assert!(by("alarm_acknowledged", "\"author\":\"scada\""), "{text}");
}

#[test]
fn a_scada_reads_and_asks_and_finds_the_same_nodes_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (station, data) = (station(folder.path()), data.to_str().unwrap());
    let (program, address) = start(&station, data);
    let page = program.address("page ");

    let (mut client, first) = Conversation::start("opcua_client.py", &[&format!("opc.tcp://{address}"), data, "k12"]);
    assert_eq!(first["subscribed"], true, "{first}");
    switch(&page, "supply-sensor", true);
    let seen = client.hear();
    only_who_is_known_comes_in(&seen);
    the_tree_says_what_the_station_is(&seen["browse"]);
    what_is_asked_is_bounded_granted_and_readable(&seen);
    an_alarm_was_told_of(&seen);
    let figures = metrics(&page);
    let counted = |name: &str| metric(&figures, name, &[]).unwrap_or_else(|| panic!("{name}: {figures}"));
    assert!(counted("heatstation_opcua_requests_filed_total") >= 3.0);
    assert!(counted("heatstation_opcua_requests_refused_total") >= 8.0);
    assert!(counted("heatstation_opcua_logins_refused_total") >= 2.0);

    // Killed as by a power cut; after it the same certificate, the same trust, the same ids.
    program.kill();
    all_of_it_is_on_record(data);
    let (program, again) = start(&station, data);
    assert_eq!(again, address);
    let after = client.ask();
    assert_eq!(
        (&after["id"], &after["status"]),
        (&"k12/circuit.low-zone.valve.position_feedback".into(), &"Good".into()),
        "{after}"
    );
    program.signal("TERM");
    assert_eq!(program.ended(Duration::from_secs(20)), Some(0));
}

#[test]
fn a_password_that_is_too_short_makes_no_hash() {
    let mut child =
        Command::new(binary()).args(["user", "hash"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"short\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("at least 12 letters"), "{}", words(&output));
}
