//! The rules of sources whose values come by themselves, told as files and as slips of the pen in them.

#[allow(dead_code, reason = "a part of it is for the other tests")]
mod slips;

use std::path::Path;

use heatstation_config::{Station, check};
use slips::{example, told};

/// The demonstration's station, whose rooms come from a broker instead of the PLC.
fn by_mqtt(rest: &str) -> String {
    let plc = "template = \"generic/exchange-station-plc\"";
    let text = example("demo").replacen(plc, &format!("{plc}\nwithout = [\"room\", \"outdoor.temperature\"]"), 1);
    assert!(text.contains("without"));
    format!("{text}\n{rest}")
}

const BROKER: &str = r#"
[[mqtt]]
name = "town"
address = "127.0.0.1:1883"

[[mqtt.rooms]]
topic = "rooms/{id}/state"
field = "t"

[[mqtt.point]]
point = "outdoor.temperature"
topic = "weather/roof"
"#;

const SOURCE: &str = r#"
[[push]]
name = "gateway"
token_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

[[push.rooms]]

[[push.point]]
point = "outdoor.temperature"
"#;

fn sound(text: &str) -> Station {
    check("station.toml", text, None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Exactly one problem with that key and these words.
fn wrong(text: &str, key: &str, what: &str) {
    let problems = told(text, None);
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!(problem.key, key, "{problem:#?}");
    assert!(format!("{} {}", problem.what, problem.help).contains(what), "{problem:#?}, expected {what:?}");
}

fn broker(from: &str, to: &str, key: &str, what: &str) {
    assert!(BROKER.contains(from), "{from:?}");
    wrong(&by_mqtt(&BROKER.replacen(from, to, 1)), key, what);
}

fn source(from: &str, to: &str, key: &str, what: &str) {
    assert!(SOURCE.contains(from), "{from:?}");
    wrong(&by_mqtt(&SOURCE.replacen(from, to, 1)), key, what);
}

#[test]
fn hundreds_of_rooms_are_three_lines() {
    let station = sound(&by_mqtt(BROKER));
    assert!(station.warnings.is_empty(), "{}", station.warnings);
    let feed = &station.mqtt[0].source.feeds[1];
    assert_eq!((feed.targets.len(), station.mqtt[0].subscriptions[1].filter.asked().as_str()), (24, "rooms/+/state"));
    let period = feed.targets.values().next().unwrap().period;
    assert_eq!(period.as_secs(), 900, "what the circuit expects of its sensors");
    let homes = station.points();
    let room =
        homes.iter().find(|row| row.name.ends_with("room.b1-101.temperature") || row.name.contains(".room.")).unwrap();
    let home = room.home.as_ref().unwrap();
    assert!(home.device == "town" && home.in_words().contains("rooms/"), "{home:?}");
}

#[test]
fn sensors_with_numbers_are_a_file_beside_the_station() {
    let folder = tempfile::tempdir().unwrap();
    let station = sound(&by_mqtt(BROKER));
    let names: Vec<String> = station.mqtt[0].source.feeds[1].targets.keys().cloned().collect();
    let text = by_mqtt(&BROKER.replace("field = \"t\"", "field = \"t\"\nids_csv = \"sensors.csv\""));
    let told = |csv: &str| {
        std::fs::write(folder.path().join("sensors.csv"), csv).unwrap();
        told(&text, Some(folder.path()))
    };
    let rows: Vec<String> = names.iter().enumerate().map(|(number, name)| format!("00-{number},{name}")).collect();
    let rows = rows.join("\n");
    assert_eq!(told(&format!("\u{feff}# sensor, room\nid,room\n{rows}")), []);
    let problem = |csv: &str| {
        let problems = told(csv);
        let first = problems.iter().find(|problem| problem.file.ends_with("sensors.csv")).unwrap().clone();
        (first.line, format!("{} {}", first.what, first.help))
    };
    let first = &names[0];
    let (line, what) = problem(&format!("id,room\nA1,{first}\nA2,{first}x\n"));
    assert!(line == 3 && what.contains("no room") && what.contains(first.as_str()), "{line} {what}");
    let (line, what) = problem(&format!("id,room\nA1,{first}\nA2,{first}\n"));
    assert!(line == 3 && what.contains("two places"), "{line} {what}");
    let (line, what) = problem(&format!("id,room\nA1,{first}\nA1,{}\n", names[1]));
    assert!(line == 2 && what.contains("is that of"), "{line} {what}");
    let (_, what) = problem("id,chamber\nA1,x\n");
    assert!(what.contains("columns: id, room"), "{what}");
    let (_, what) = problem("id,point\nA1,circuit.low-zone.secondary_supply.temperature\n");
    assert!(what.contains("cannot come by message"), "{what}");
}

#[test]
fn what_interlocks_look_at_never_comes_by_message() {
    for point in
        ["circuit.low-zone.secondary_return.pressure", "primary_supply.temperature", "circuit.low-zone.valve.position"]
    {
        let to = format!("point = \"{point}\"");
        let text = by_mqtt(&BROKER.replacen("point = \"outdoor.temperature\"", &to, 1));
        let problems = told(&text, None);
        let problem = problems.iter().find(|problem| problem.key.starts_with("mqtt.town.point")).unwrap();
        assert!(problem.what.contains("cannot come by message"), "{problem:#?}");
    }
}

#[test]
fn each_slip_in_a_broker_is_named() {
    let name = "mqtt.town";
    broker("address = \"127.0.0.1:1883\"", "address = \"127.0.0.1\"", "mqtt.town.address", "host:port");
    broker("rooms/{id}/state", "rooms/+/state", "mqtt.town.rooms.1.topic", "`{id}`");
    broker("rooms/{id}/state", "rooms/{id}/{id}", "mqtt.town.rooms.1.topic", "twice");
    broker("field = \"t\"", "field = \"a..b\"", "mqtt.town.rooms.1.field", "no path");
    broker("field = \"t\"", "field = \"t\"\nunit = \"bar\"", "mqtt.town.rooms.1.unit", "no unit of a point in");
    broker("field = \"t\"", "field = \"t\"\nscale = 0", "mqtt.town.rooms.1.scale", "one value of all");
    broker("field = \"t\"", "field = \"t\"\ninvalid = [nan]", "mqtt.town.rooms.1.invalid", "finite");
    broker(
        "topic = \"weather/roof\"",
        "topic = \"weather/+\"",
        "mqtt.town.point.outdoor.temperature.topic",
        "one topic",
    );
    broker(
        "point = \"outdoor.temperature\"",
        "point = \"outdoor.temprature\"",
        "mqtt.town.point.outdoor.temprature.point",
        "did you mean",
    );
    broker("name = \"town\"", "name = \"plc\"", "mqtt.plc.name", "already");
    broker("name = \"town\"", "name = \"town\"\npassword_file = \"x\"", "mqtt.town.password_file", "nobody");
    broker(
        "name = \"town\"",
        "name = \"town\"\ntls = { ca_file = \"a\", key_file = \"b\" }",
        &format!("{name}.tls"),
        "belong together",
    );
    broker("name = \"town\"", "name = \"town\"\ntls = {}", "mqtt.town.tls.ca_file", "missing");
    let readable =
        BROKER.replace("127.0.0.1", "10.0.0.7").replace("name = \"town\"", "name = \"town\"\nuser = \"k12\"");
    wrong(&by_mqtt(&readable), "mqtt.town.user", "readable over the network");
}

#[test]
fn what_waits_at_a_broker_must_say_its_time() {
    let waiting = BROKER.replace("name = \"town\"", "name = \"town\"\nsession_expiry_seconds = 600");
    let problems = told(&by_mqtt(&waiting), None);
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.key.ends_with("time_field")), "{problems:#?}");
    let dated = waiting.replace("field = \"t\"", "field = \"t\"\ntime_field = \"at\"");
    let dated = dated.replace("topic = \"weather/roof\"", "topic = \"weather/roof\"\ntime_field = \"at\"");
    assert_eq!(told(&by_mqtt(&dated), None), []);
}

#[test]
fn a_source_that_posts_is_known_by_its_token_and_its_ids() {
    let station = sound(&by_mqtt(SOURCE));
    let push = &station.push[0];
    assert_eq!((push.source.feeds[0].targets.len(), push.token_sha256[..2].to_vec()), (25, vec![0x01, 0x23]));
    assert_eq!((push.silent_after.as_secs(), push.brings_forecasts), (2700, false));
    source("0123456789abcdef0", "x123456789abcdef0", "push.gateway.token_sha256", "heatstation token new");
    source("token_sha256", "# token_sha256", "push.gateway.token_sha256", "missing");
    let twice = format!(
        "{SOURCE}\n{}",
        SOURCE.replace("\"gateway\"", "\"other\"").replace("[[push.rooms]]", "forecast = true")
    )
    .replace("[[push.point]]\npoint = \"outdoor.temperature\"\n", "");
    wrong(
        &by_mqtt(&format!("{twice}\n[[push.point]]\npoint = \"outdoor.temperature\"\n")),
        "push.other.token_sha256",
        "that of gateway",
    );
}

#[test]
fn a_path_of_another_folder_is_no_file_of_ours() {
    let missing = BROKER.replace("name = \"town\"", "name = \"town\"\nuser = \"k12\"\npassword_file = \"nowhere\"");
    let problems = told(&by_mqtt(&missing), Some(Path::new("/")));
    assert!(problems.iter().any(|problem| problem.key == "mqtt.town.password_file"), "{problems:#?}");
}
