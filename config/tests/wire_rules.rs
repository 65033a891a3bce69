//! The rules about how a wire is reached, told as slips of the pen.

mod slips;

use std::time::Duration;

use heatstation_config::check;
use heatstation_config::problem::Severity;
use heatstation_drivers::settings::{Framing, Parity, Serial, StopBits, Transport, Trust};
use slips::{example, slip, told};

const ADDRESS: &str = "address = \"127.0.0.1:5020\"";

/// In place of the demonstration's address and protocol, these lines: exactly one problem, of this key.
fn wire(lines: &str, key: &str, what: &str) {
    let text = example("demo").replacen("protocol = \"modbus-tcp\"\n", "", 1).replacen(ADDRESS, lines, 1);
    let problems = told(&text, None);
    let [problem] = problems.as_slice() else { panic!("{lines}: {problems:#?}") };
    assert_eq!(problem.key, format!("wire.plc.{key}"), "{problem:#?}");
    assert!(format!("{} {}", problem.what, problem.help).contains(what), "{problem:#?}, expected {what:?}");
}

/// What the demonstration's wire becomes with these lines.
fn transport(lines: &str) -> (Transport, Duration, Duration) {
    let text = example("demo").replacen("protocol = \"modbus-tcp\"\n", "", 1).replacen(ADDRESS, lines, 1);
    let station = check("station.toml", &text, None).unwrap_or_else(|problems| panic!("{lines}: {problems}"));
    let wire = &station.wires[0];
    (wire.transport.clone(), wire.timeout, wire.reconnect_max)
}

#[test]
fn each_protocol_becomes_its_own_transport_with_the_times_of_its_kind() {
    let (serial, timeout, _) = transport("protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"");
    let usual =
        Serial { port: "/dev/ttyUSB0".to_owned(), baud: 19_200, parity: Parity::Even, stop_bits: StopBits::One };
    assert_eq!((serial, timeout), (Transport::ModbusRtu(usual), Duration::from_millis(500)));
    let (serial, ..) = transport("protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"\nparity = \"none\"");
    assert!(matches!(serial, Transport::ModbusRtu(Serial { stop_bits: StopBits::Two, .. })), "{serial:?}");

    let (over, ..) = transport("protocol = \"modbus-rtu-over-tcp\"\naddress = \"[fd00::7]:4001\"");
    assert!(matches!(&over, Transport::ModbusRtuOverTcp { dial, .. } if dial.address == "[fd00::7]:4001"), "{over:?}");
    let (slow, ..) =
        transport("protocol = \"modbus-rtu-over-tcp\"\nlisten = \"[::]:5021\"\npeers = [\"::1\"]\nbaud = 2400");
    assert!(matches!(&slow, Transport::Listen(listen) if listen.baud == 2400), "{slow:?}");

    let (modem, _, reconnect) = transport("listen = \"0.0.0.0:5021\"\nregistration = \"hex:4B3132 0d\"");
    let Transport::Listen(listen) = modem else { panic!("{modem:?}") };
    assert_eq!((listen.framing, listen.registration), (Framing::Mbap, Some(b"K12\r".to_vec())));
    assert_eq!(reconnect, Duration::from_secs(2));
}

#[test]
fn a_key_of_another_kind_of_wire_is_told_with_the_kind_that_it_belongs_to() {
    let tcp = |line: &str, key: &str, help: &str| wire(&format!("{ADDRESS}\n{line}"), key, help);
    tcp("port = \"/dev/ttyUSB0\"", "port", "modbus-rtu");
    tcp("baud = 9600", "baud", "RTU frames");
    tcp("parity = \"odd\"", "parity", "modbus-rtu");
    tcp("stop_bits = 2", "stop_bits", "modbus-rtu");
    tcp("trusted_file = \"a.pem\"", "trusted_file", "modbus-tls");
    tcp("server_name = \"plc\"", "server_name", "modbus-tls");
    tcp("registration = \"K12\"", "registration", "`listen`");
    tcp("silence_after_failure_milliseconds = 100", "silence_after_failure_milliseconds", "RTU frames");
    tcp("backup_return_minutes = 5", "backup_return_minutes", "needs `backup_address`");
    let serial = "protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"\n";
    wire(&format!("{serial}{ADDRESS}"), "address", "does not belong here");
    wire(&format!("{serial}listen = \"[::]:5021\""), "listen", "modbus-rtu-over-tcp");
    wire(&format!("{ADDRESS}\nlisten = \"[::]:5021\"\npeers = [\"10.8.0.12\"]"), "address", "does not belong here");
}

#[test]
fn what_a_kind_of_wire_needs_is_asked_for() {
    wire("protocol = \"modbus-rtu\"", "port", "/dev/ttyUSB0");
    wire("protocol = \"modbus-rtu-over-tcp\"", "address", "192.168.1.10:502");
    wire("protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"\nbaud = 100", "baud", "from 300 to 921600");
    wire("protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"\nstop_bits = 3", "stop_bits", "from 1 to 2");
    wire(&format!("{ADDRESS}\nbackup_address = \"10.0.0.9\""), "backup_address", "not host:port");
    wire(&format!("{ADDRESS}\nbackup_address = \"127.0.0.1:5020\""), "backup_address", "the first address once more");
    wire("listen = \"5021\"\npeers = [\"10.8.0.12\"]", "listen", "not host:port");
    wire("listen = \"[::]:5021\"\npeers = [\"modem\"]", "peers", "not an address");
    wire("listen = \"[::]:5021\"\nregistration = \"hex:4b3\"", "registration", "not a row of bytes");
    wire("listen = \"[::]:5021\"\npeers = [\"::1\"]\nheartbeat = \"hex:01 03\"", "heartbeat", "taken for an answer");
    wire("protocol = \"modbus-tls\"\naddress = \"10.0.0.9:802\"", "trusted_file", "nobody is trusted without");
}

#[test]
fn a_unit_on_a_serial_line_has_a_number_of_its_own() {
    let lines = "protocol = \"modbus-rtu\"\nport = \"/dev/ttyUSB0\"";
    for unit in [0, 255] {
        let text = example("demo").replacen("protocol = \"modbus-tcp\"\n", "", 1).replacen(ADDRESS, lines, 1);
        let text = text.replacen("modbus_unit = 1", &format!("modbus_unit = {unit}"), 1);
        let problems = told(&text, None);
        let [problem] = problems.as_slice() else { panic!("{unit}: {problems:#?}") };
        assert_eq!((problem.key.as_str(), problem.help.contains("1 to 247")), ("device.plc.modbus_unit", true));
    }
}

#[test]
fn files_of_tls_lie_beside_the_stations_file_and_a_missing_one_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "protocol = \"modbus-tls\"\naddress = \"10.0.0.9:802\"\nserver_certificate_file = \"plc.pem\"";
    let text = example("demo").replacen("protocol = \"modbus-tcp\"\n", "", 1).replacen(ADDRESS, lines, 1);
    let problems = told(&text, Some(folder.path()));
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!((problem.severity, problem.key.as_str()), (Severity::Warning, "wire.plc.server_certificate_file"));

    let path = folder.path().join("plc.pem");
    std::fs::write(&path, "-").unwrap();
    let station = check("station.toml", &text, Some(folder.path())).unwrap();
    let Transport::ModbusTls { tls, .. } = &station.wires[0].transport else { panic!("{:?}", station.wires[0]) };
    assert_eq!(tls.trust, Trust::Pinned(path));
    let half = text.replacen("server_certificate_file", "certificate_file = \"plc.pem\"\nserver_certificate_file", 1);
    let problems = told(&half, Some(folder.path()));
    assert!(problems.iter().any(|problem| problem.key == "wire.plc.key_file"), "{problems:#?}");
}

#[test]
fn a_door_without_a_doorkeeper_is_warned_of() {
    let text = example("demo").replacen("protocol = \"modbus-tcp\"\n", "", 1);
    let problems = told(&text.replacen(ADDRESS, "listen = \"0.0.0.0:5021\"", 1), None);
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    assert_eq!((problem.severity, problem.key.as_str()), (Severity::Warning, "wire.plc.listen"));
    slip("demo", ADDRESS, "address = \"plc\"", "wire.plc.address", "address", "not host:port");
}
