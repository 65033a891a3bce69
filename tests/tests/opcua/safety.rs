//! Who is trusted, as whom we come, and what is protected.

use std::time::Duration;

use heatstation_points::Fault;
use heatstation_tests::program::{command, words};
use serde_json::Value as Json;

use crate::rig::{Line, Rig};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn an_unknown_server_is_refused_until_a_person_trusts_it_and_again_when_they_do_not() {
    let rig = Rig::start();
    let station = rig.station_file("");
    let data = rig.data().display().to_string();
    let refused = words(&command(&["browse", &station]));
    assert!(refused.contains("is not trusted") && refused.contains("heatstation pki trust "), "{refused}");

    // The very command that the message names.
    let asked = refused.split("heatstation pki ").nth(1).unwrap().split('`').next().unwrap();
    let listed = command(&["pki", "list", "--data", &data, "--json"]);
    let listed: Vec<Json> = serde_json::from_slice(&listed.stdout).unwrap_or_else(|_| panic!("{}", words(&listed)));
    let stranger = listed.iter().find(|one| one["standing"] == "rejected").unwrap();
    assert!(stranger["from"].as_str().unwrap().contains("127.0.0.1"), "{stranger}");
    let trusted = words(&command(&[&["pki"], asked.split(' ').collect::<Vec<_>>().as_slice()].concat()));
    assert!(trusted.starts_with("trusted: ") && trusted.contains("asyncua station"), "{trusted}");

    let mut line = Line::start(rig.station(rig.port, ""));
    line.until("values", SOON, Line::all_as_first);
    let certificates = line.wire.statistics().certificates;
    assert_eq!(certificates.partner, stranger["not_after"].as_i64());
    assert!(certificates.own.is_some());
    line.stop();

    let fingerprint = stranger["sha256"].as_str().unwrap();
    let rejected = words(&command(&["pki", "reject", &fingerprint[..16], "--config", &station]));
    assert!(rejected.starts_with("rejected: "), "{rejected}");
    let mut line = Line::start(rig.station(rig.port, ""));
    line.until("refused", SOON, |line| line.wire.statistics().failures_total.refused > 0);
    assert_eq!(line.value("primary_supply.temperature"), Err(Fault::Silent));
    line.stop();
}

#[test]
fn each_policy_carries_values_signed_or_encrypted() {
    let rig = Rig::start();
    rig.trust();
    for keys in [
        "policy = \"basic256-sha256\"\nmode = \"sign\"",
        "policy = \"aes128-sha256-rsa-oaep\"",
        "policy = \"aes256-sha256-rsa-pss\"",
        "policy = \"none\"",
    ] {
        let mut line = Line::start(rig.station(rig.port, keys));
        line.until(keys, SOON, Line::all_as_first);
        line.stop();
    }
}

#[test]
fn a_user_needs_the_right_password_and_a_wrong_one_is_told() {
    let rig = Rig::start();
    rig.trust();
    let right = rig.file("right", "right\n");
    let keys = format!("user = \"heat\"\npassword_file = \"{right}\"");
    let mut line = Line::start(rig.station(rig.port, &keys));
    line.until("values", SOON, Line::all_as_first);
    line.stop();
    let wrong = rig.file("wrong", "wrong\n");
    let station = rig.station_file(&format!("user = \"heat\"\npassword_file = \"{wrong}\""));
    let told = words(&command(&["browse", &station]));
    assert!(told.contains("user or password is wrong"), "{told}");
}
