//! Each kind of Modbus line against servers that we did not write, from the station's file to the value.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use heatstation_tests::program::{command, eventually, example, words};
use heatstation_tests::python::Conversation;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value as Json;

/// The least station, and beside its own wire another of this kind with two units, of which one register each is read.
fn station(folder: &Path, wire: &str) -> String {
    let unit = |unit: u8| {
        format!(
            "[[device]]\nname = \"m{unit}\"\nwire = \"line\"\nmodbus_unit = {unit}\n\
             [[device.point]]\npoint = \"auxiliary.m{unit}\"\ntable = \"holding-register\"\naddress = 7\nencoding = \"u16\"\n\
             [[auxiliary]]\nname = \"m{unit}\"\nunit = \"meters\"\nmin = 0\nmax = 65535\n"
        )
    };
    let least = std::fs::read_to_string(example("minimal.toml")).unwrap();
    let least = least.replacen("[[device]]\n", "[[device]]\nwire = \"plc\"\n", 1);
    let text = format!("{least}\n[[wire]]\nname = \"line\"\n{wire}\n{}{}", unit(1), unit(2));
    let path = folder.join("station.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What the registers of both units read as.
fn read(station: &str) -> Vec<Option<f64>> {
    let probe = command(&["probe", station, "--json"]);
    let rows: Vec<Json> = serde_json::from_slice(&probe.stdout).unwrap_or_else(|_| panic!("{}", words(&probe)));
    let value = |name: &str| rows.iter().find(|row| row["name"] == name).and_then(|row| row["value"].as_f64());
    vec![value("auxiliary.m1"), value("auxiliary.m2")]
}

const TRUTH: [Option<f64>; 2] = [Some(1007.0), Some(2007.0)];

/// A process that is stopped when the test is over.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_units_of_a_pymodbus_slave_on_a_serial_line_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let end = |link: &Path| format!("pty,raw,echo=0,link={}", link.display());
    let socat = Command::new("socat").args([end(&ours), end(&theirs)]).spawn().expect("./run-tests installs socat");
    let _socat = Stopped(socat);
    eventually("both ends of the line", Duration::from_secs(10), || (ours.exists() && theirs.exists()).then_some(()));
    let _slave = Conversation::start("pymodbus_lines.py", &["serial", theirs.to_str().unwrap()]);
    let wire = format!(
        "protocol = \"modbus-rtu\"\nport = \"{}\"\nbaud = 9600\nparity = \"none\"\nstop_bits = 1",
        ours.display()
    );
    assert_eq!(read(&station(folder.path(), &wire)), TRUTH);
}

#[test]
fn two_units_of_a_pymodbus_slave_behind_a_gateway_are_read_in_rtu_frames_over_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let (_slave, first) = Conversation::start("pymodbus_lines.py", &["rtu-over-tcp"]);
    let wire = format!("protocol = \"modbus-rtu-over-tcp\"\naddress = \"127.0.0.1:{}\"", first["port"]);
    assert_eq!(read(&station(folder.path(), &wire)), TRUTH);
}

#[test]
fn a_pymodbus_slave_that_dials_in_through_a_modem_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap().to_string();
    drop(door);
    let _modem = Conversation::start("pymodbus_lines.py", &["dials", &address, "K12"]);
    let wire = |words: &str| {
        format!(
            "protocol = \"modbus-rtu-over-tcp\"\nlisten = \"{address}\"\nregistration = \"{words}\"\npeers = [\"127.0.0.1\"]\n\
             timeout_milliseconds = 3000\nsilence_after_failure_milliseconds = 100"
        )
    };
    assert_eq!(read(&station(folder.path(), &wire("K12"))), TRUTH);
    assert_eq!(read(&station(folder.path(), &wire("K13"))), [None, None]);
}

/// An authority and two that it signed for, as files.
fn papers(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "the plant's authority");
    std::fs::write(folder.join("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let authority = Issuer::new(params, key);
    for (name, host) in [("device", "plc.station.local"), ("controller", "heatstation")] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        // OpenSSL takes a certificate for its own issuer's if both have one name.
        params.distinguished_name.push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &authority).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), signed.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn a_pymodbus_server_over_tls_is_read_with_the_right_certificates_and_with_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let strange = tempfile::tempdir().unwrap();
    papers(folder.path());
    papers(strange.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (device, key, authority) = (file("device.pem"), file("device.key"), file("authority.pem"));
    let (_server, first) = Conversation::start("pymodbus_lines.py", &["tls", &device, &key, &authority]);
    let wire = |own: &Path, trust: &str| {
        format!(
            "protocol = \"modbus-tls\"\naddress = \"127.0.0.1:{}\"\ncertificate_file = \"{1}/controller.pem\"\n\
             key_file = \"{1}/controller.key\"\n{trust}",
            first["port"],
            own.display()
        )
    };
    let named = "trusted_file = \"authority.pem\"\nserver_name = \"plc.station.local\"";
    assert_eq!(read(&station(folder.path(), &wire(folder.path(), named))), TRUTH);
    let pinned = "server_certificate_file = \"device.pem\"";
    assert_eq!(read(&station(folder.path(), &wire(folder.path(), pinned))), TRUTH);
    // Another authority of ours, another name, another certificate of theirs.
    assert_eq!(read(&station(folder.path(), &wire(strange.path(), named))), [None, None]);
    let other = "trusted_file = \"authority.pem\"\nserver_name = \"other.station.local\"";
    assert_eq!(read(&station(folder.path(), &wire(folder.path(), other))), [None, None]);
    let other = format!("server_certificate_file = \"{}/device.pem\"", strange.path().display());
    assert_eq!(read(&station(folder.path(), &wire(folder.path(), &other))), [None, None]);
}
