//! What the check says of OPC UA servers and their nodes, told as a slip of the pen in a sound file.

use heatstation_config::{Problems, Station, check};

const SERVER: &str = r#"
[[auxiliary]]
name = "depth"
unit = "meters"
min = 0
max = 90

[[opcua]]
name = "controller"
url = "opc.tcp://10.0.0.8:4840"

[[opcua.point]]
point = "auxiliary.depth"
node = "nsu=http://plc.example/;s=Depth"
"#;

fn read(server: &str) -> Result<Station, Problems> {
    let (_, demo) = heatstation_config::EXAMPLES[0];
    check("station.toml", &format!("{demo}{server}"), None)
}

/// Changes the file and expects one problem with this key, whose words have these.
fn slip(from: &str, to: &str, key: &str, words: &str) {
    assert!(SERVER.contains(from), "{from}");
    let problems = match read(&SERVER.replacen(from, to, 1)) {
        Ok(station) => station.warnings,
        Err(problems) => problems,
    };
    let told = problems.to_string();
    let found = problems.list().iter().find(|problem| problem.key == key);
    let found = found.unwrap_or_else(|| panic!("nothing is said of {key}: {told}"));
    let said = format!("{} {}", found.what, found.help);
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_server_with_an_address_and_a_node_is_sound() {
    let station = read(SERVER).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(station.warnings.is_empty(), "{}", station.warnings);
    assert_eq!(station.opcua[0].items.len(), 1);
    assert!(station.opcua[0].pki.ends_with("pki"));
}

#[test]
fn no_protection_is_warned_of_and_never_with_a_password() {
    let url = "url = \"opc.tcp://10.0.0.8:4840\"";
    let none = format!("{url}\npolicy = \"none\"");
    slip(url, &none, "opcua.controller.policy", "nothing that is said to this server is protected");
    assert!(read(&SERVER.replace(url, &none)).is_ok(), "a warning alone");
    let user = format!("{none}\nuser = \"heat\"\npassword_file = \"secret\"");
    slip(url, &user, "opcua.controller.user", "would send its password unprotected");
    assert!(read(&SERVER.replace(url, &user)).is_err());
    slip(url, &format!("{none}\nmode = \"sign\""), "opcua.controller.mode", "leave `mode` out");
}

#[test]
fn half_a_user_is_none() {
    let url = "url = \"opc.tcp://10.0.0.8:4840\"";
    for (keys, key) in [
        ("user = \"heat\"", "user"),
        ("password_file = \"secret\"", "password_file"),
        ("user_key_file = \"key.pem\"", "user_key_file"),
        ("user = \"heat\"\npassword_file = \"a\"\nuser_key_file = \"key.pem\"", "user"),
    ] {
        slip(url, &format!("{url}\n{keys}"), &format!("opcua.controller.{key}"), "only half of a user");
    }
    let both = "user = \"heat\"\npassword_file = \"a\"\npassword_environment = \"B\"";
    slip(url, &format!("{url}\n{both}"), "opcua.controller.password_environment", "leave one of the two out");
}

#[test]
fn a_password_in_the_file_is_an_unknown_key() {
    let url = "url = \"opc.tcp://10.0.0.8:4840\"";
    let problems = read(&SERVER.replace(url, &format!("{url}\nuser = \"heat\"\npassword = \"secret\""))).unwrap_err();
    assert!(problems.to_string().contains("password"), "{problems}");
}

#[test]
fn addresses_and_nodes_are_held_to_their_form() {
    let place = "opcua.controller.auxiliary.depth";
    for url in ["http://10.0.0.8", "opc.tcp://", "opc.tcp://:4840", "opc.tcp://plc:0", "opc.tcp://a:b@plc:4840"] {
        slip("opc.tcp://10.0.0.8:4840", url, "opcua.controller.url", "is not the address of an OPC UA server");
    }
    slip("nsu=http://plc.example/;s=Depth", "Depth", &format!("{place}.node"), "is not a node");
    slip(
        "nsu=http://plc.example/;s=Depth",
        "ns=3;s=Depth",
        &format!("{place}.node"),
        "names its namespace by a number",
    );
    slip("auxiliary.depth", "auxiliary.deph", "opcua.controller.auxiliary.deph", "did you mean `auxiliary.depth`");
    slip("name = \"controller\"", "name = \"plc\"", "opcua.plc.name", "there is a wire or server plc already");
}

#[test]
fn what_has_no_meaning_for_a_node_is_told() {
    let node = "node = \"nsu=http://plc.example/;s=Depth\"";
    let place = "opcua.controller.auxiliary.depth";
    for (keys, key, words) in [
        ("tolerance = 1", "tolerance", "this point is read"),
        ("inverted = true", "inverted", "only what is on or off"),
        ("unit = \"bar\"", "unit", "no unit of a point in"),
        ("dead_band = 1\ndead_band_percent = 2", "dead_band_percent", "one of the two"),
        ("queue = 0", "queue", "from 1 to 1000"),
        ("sampling_seconds = nan", "sampling_seconds", "out of range"),
        ("scale = 0", "scale", "every number would mean the same"),
    ] {
        slip(node, &format!("{node}\n{keys}"), &format!("{place}.{key}"), words);
    }
}

#[test]
fn a_point_has_one_home_whether_register_or_node() {
    slip("auxiliary.depth", "outdoor.temperature", "opcua.controller.outdoor.temperature", "is read in two places");
}
