//! The lines to register devices: how each is reached, and its times.
//!
//! A wire's protocol and who dials whom decide which keys it has; a key of another kind of wire is told, because whoever
//! wrote it believes that it does something. What is written down in the end is a [`Transport`], which has no room for a
//! key too many.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use heatstation_drivers::problem::is_host_and_port;
use heatstation_drivers::settings::{
    Backup, Dial, Framing, Listen, Parity, Serial, StopBits, Tls, Transport, Trust, WireSettings,
};

use crate::desk::{Desk, Otherwise, Section, count, derived, number, or, shown};
use crate::files;
use crate::raw::{RawParity, RawProtocol, RawWire, Text};
use crate::written::Written;

/// A kind of wire, by the keys that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tcp,
    RtuOverTcp,
    Tls,
    Serial,
    /// The device dials in; what comes inside.
    Listening(Framing),
}

impl Kind {
    fn of(protocol: RawProtocol, raw: &RawWire) -> Kind {
        match (protocol, &raw.listen) {
            (RawProtocol::ModbusTcp, None) => Kind::Tcp,
            (RawProtocol::ModbusTcp, Some(_)) => Kind::Listening(Framing::Mbap),
            (RawProtocol::ModbusRtuOverTcp, None) => Kind::RtuOverTcp,
            (RawProtocol::ModbusRtuOverTcp, Some(_)) => Kind::Listening(Framing::Rtu),
            (RawProtocol::ModbusTls, _) => Kind::Tls,
            (RawProtocol::ModbusRtu, _) => Kind::Serial,
        }
    }

    fn is_dialled(self) -> bool {
        match self {
            Kind::Tcp | Kind::RtuOverTcp | Kind::Tls => true,
            Kind::Serial | Kind::Listening(_) => false,
        }
    }

    fn is_listening(self) -> bool {
        match self {
            Kind::Listening(_) => true,
            Kind::Tcp | Kind::RtuOverTcp | Kind::Tls | Kind::Serial => false,
        }
    }

    fn framing(self) -> Framing {
        match self {
            Kind::Tcp | Kind::Tls => Framing::Mbap,
            Kind::RtuOverTcp | Kind::Serial => Framing::Rtu,
            Kind::Listening(framing) => framing,
        }
    }

    /// How long an answer may take, unless somebody says more, and why.
    fn timeout(self) -> Otherwise<f64> {
        match self {
            Kind::Tcp | Kind::Tls => {
                or(500.0, "several times a local answer; a supply that is too hot must close the valve within 5 s")
            }
            Kind::RtuOverTcp | Kind::Serial => {
                or(1000.0, "1 s is the shortest usual on a serial line (Modbus over Serial Line V1.02, 2.4.1)")
            }
            Kind::Listening(_) => or(2000.0, "a serial line's second and as much for the mobile network before it"),
        }
    }
}

pub(crate) fn check(desk: &mut Desk, written: &Written<RawWire>, folder: Option<&Path>) -> (Section, WireSettings) {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("wire.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let only = or(RawProtocol::ModbusTcp, "the protocol of station cabinets");
    let protocol = desk.choice(&at, "protocol", raw.protocol.as_ref(), only, RawProtocol::ModbusTcp).value;
    let kind = Kind::of(protocol, raw);
    strangers(desk, &at, raw, kind);

    let mut wire = WireSettings::modbus_tcp(name.value, "");
    wire.transport = transport(desk, &at, raw, kind, folder);
    times(desk, &at, raw, kind, &mut wire);
    (at, wire)
}

fn transport(desk: &mut Desk, at: &Section, raw: &RawWire, kind: Kind, folder: Option<&Path>) -> Transport {
    match kind {
        Kind::Tcp => Transport::ModbusTcp(dial(desk, at, raw)),
        Kind::RtuOverTcp => Transport::ModbusRtuOverTcp { dial: dial(desk, at, raw), baud: baud_behind(desk, at, raw) },
        Kind::Tls => Transport::ModbusTls { dial: dial(desk, at, raw), tls: tls(desk, at, raw, folder) },
        Kind::Serial => Transport::ModbusRtu(serial(desk, at, raw)),
        Kind::Listening(framing) => Transport::Listen(listen(desk, at, raw, framing)),
    }
}

/// Notes each key that this kind of wire does not have.
fn strangers(desk: &mut Desk, at: &Section, raw: &RawWire, kind: Kind) {
    let dialled = "it belongs to a wire that is dialled, with `address`";
    let serial = "it belongs to `protocol = \"modbus-rtu\"`";
    let tls = "it belongs to `protocol = \"modbus-tls\"`";
    let listening =
        "it belongs to a wire that the device dials in on, with `listen` and `modbus-tcp` or `modbus-rtu-over-tcp`";
    let rtu = "it belongs to wires with RTU frames: `modbus-rtu` and `modbus-rtu-over-tcp`";
    let is_tls = kind == Kind::Tls;
    let is_serial = kind == Kind::Serial;
    let text = |text: &Text| text.as_ref().map(|written| written.span.clone());
    let number = |number: &Option<Written<f64>>| number.as_ref().map(|written| written.span.clone());
    let keys = [
        ("address", text(&raw.address), kind.is_dialled(), dialled),
        ("backup_address", text(&raw.backup_address), kind.is_dialled(), dialled),
        (
            "backup_return_minutes",
            number(&raw.backup_return_minutes),
            raw.backup_address.is_some(),
            "it needs `backup_address`",
        ),
        ("listen", text(&raw.listen), kind.is_listening(), listening),
        ("peers", raw.peers.as_ref().map(|peers| peers.span.clone()), kind.is_listening(), listening),
        ("registration", text(&raw.registration), kind.is_listening(), listening),
        ("heartbeat", text(&raw.heartbeat), kind.is_listening(), listening),
        ("port", text(&raw.port), is_serial, serial),
        ("baud", raw.baud.as_ref().map(|baud| baud.span.clone()), kind.framing() == Framing::Rtu, rtu),
        ("parity", raw.parity.as_ref().map(|parity| parity.span.clone()), is_serial, serial),
        ("stop_bits", raw.stop_bits.as_ref().map(|bits| bits.span.clone()), is_serial, serial),
        ("certificate_file", text(&raw.certificate_file), is_tls, tls),
        ("key_file", text(&raw.key_file), is_tls, tls),
        ("trusted_file", text(&raw.trusted_file), is_tls, tls),
        ("server_certificate_file", text(&raw.server_certificate_file), is_tls, tls),
        ("server_name", text(&raw.server_name), is_tls, tls),
        (
            "silence_after_failure_milliseconds",
            number(&raw.silence_after_failure_milliseconds),
            kind.framing() == Framing::Rtu,
            rtu,
        ),
    ];
    for (key, span, belongs, help) in keys {
        if let Some(span) = span.filter(|_| !belongs) {
            desk.error(&at.at(&span), at.key(key), "does not belong here", help);
        }
    }
}

fn dial(desk: &mut Desk, at: &Section, raw: &RawWire) -> Dial {
    let address = address(desk, at, "address", raw.address.as_ref());
    let backup = raw.backup_address.as_ref().map(|written| {
        let second = self::address(desk, at, "backup_address", Some(written));
        if second == address {
            let help = "write where else the same devices are to be found, or leave it out";
            desk.error(&at.at(&written.span), at.key("backup_address"), "is the first address once more", help);
        }
        let back = number!(
            desk,
            at,
            raw.backup_return_minutes,
            1.0..=1440.0,
            or(10.0, "as long as a refused register waits: a first address that comes and goes shall not be tried at each turn")
        );
        Backup { address: second, return_after: back.duration() }
    });
    Dial { address, backup }
}

fn address(desk: &mut Desk, at: &Section, key: &'static str, raw: Option<&Written<String>>) -> String {
    let field = desk.text(at, key, raw, Otherwise::Required("\"192.168.1.10:502\""));
    if field.sound && !is_host_and_port(&field.value) {
        let help = "write host:port, as in \"192.168.1.10:502\" or \"[fd00::1]:502\"";
        desk.error(&field.place, field.key.as_str(), format!("{:?} is not host:port", field.value), help);
    }
    field.value
}

fn serial(desk: &mut Desk, at: &Section, raw: &RawWire) -> Serial {
    let port = desk.text(at, "port", raw.port.as_ref(), Otherwise::Required("\"/dev/ttyUSB0\""));
    let source = "what every serial device must know (Modbus over Serial Line V1.02, 2.5.1 and 3.2)";
    let baud = count!(desk, at, raw.baud, 300..=921_600, or(19_200, source));
    let parity = desk.choice(at, "parity", raw.parity.as_ref(), or(RawParity::Even, source), RawParity::Even);
    let parity = match parity.value {
        RawParity::None => Parity::None,
        RawParity::Even => Parity::Even,
        RawParity::Odd => Parity::Odd,
    };
    let usual = if parity == Parity::None { 2 } else { 1 };
    let why = "eleven bits a character: a second stop bit where there is no parity bit (V1.02, 2.5.1)";
    let stop_bits = count!(desk, at, raw.stop_bits, 1..=2, derived(usual, why));
    let stop_bits = if stop_bits.value == 2 { StopBits::Two } else { StopBits::One };
    Serial { port: port.value, baud: baud.value as u32, parity, stop_bits }
}

/// Bits per second of a bus behind a gateway, unless somebody says more.
const BAUD_BEHIND: u32 = 9_600;

/// The speed of a bus that hangs on something which passes its bytes.
fn baud_behind(desk: &mut Desk, at: &Section, raw: &RawWire) -> u32 {
    let why = "what heat meters and gateways are delivered with, and what every device must know (Modbus over Serial Line V1.02, 3.2)";
    count!(desk, at, raw.baud, 300..=921_600, or(u64::from(BAUD_BEHIND), why)).value as u32
}

fn tls(desk: &mut Desk, at: &Section, raw: &RawWire, folder: Option<&Path>) -> Tls {
    let mut file = |key: &'static str, raw: &Text| {
        let written = raw.as_ref()?;
        let name = desk.text(at, key, Some(written), Otherwise::Required("\"device.pem\"")).value;
        let path = files::beside(folder, &name);
        if let Err(error) = std::fs::File::open(&path) {
            // Not an error: the key lies on the station's computer, and the file is checked on others too.
            let help =
                "the path is relative to the station's file; the program must be able to read it when it connects";
            desk.warn(&at.at(&written.span), at.key(key), format!("{name:?} cannot be opened: {error}"), help);
        }
        Some(path)
    };
    let certificate = file("certificate_file", &raw.certificate_file);
    let key = file("key_file", &raw.key_file);
    let trusted = file("trusted_file", &raw.trusted_file);
    let pinned = file("server_certificate_file", &raw.server_certificate_file);

    let own = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            desk.missing(&at.place, &at.key("key_file"), "write the key of the certificate, or neither of both");
            None
        }
        (None, Some(_)) => {
            desk.missing(
                &at.place,
                &at.key("certificate_file"),
                "write the certificate of the key, or neither of both",
            );
            None
        }
    };
    let trust = match (trusted, pinned) {
        (Some(trusted), None) => Trust::Authorities(trusted),
        (None, Some(pinned)) => Trust::Pinned(pinned),
        (None, None) => {
            let help = "write `trusted_file` with the authority that signed the device's certificate, or \
                        `server_certificate_file` with that certificate itself; nobody is trusted without";
            desk.missing(&at.place, &at.key("trusted_file"), help);
            Trust::Authorities(PathBuf::new())
        }
        (Some(_), Some(pinned)) => {
            let span = raw.trusted_file.as_ref().map_or(0..0, |written| written.span.clone());
            let help = "one of both: a device is known by its authority or by its own certificate";
            desk.error(&at.at(&span), at.key("trusted_file"), "stands beside server_certificate_file", help);
            Trust::Pinned(pinned)
        }
    };
    let name = raw.server_name.as_ref();
    let name = name.map(|name| desk.text(at, "server_name", Some(name), Otherwise::Required("\"plc\"")).value);
    Tls { own, trust, server_name: name }
}

fn listen(desk: &mut Desk, at: &Section, raw: &RawWire, framing: Framing) -> Listen {
    let address = address(desk, at, "listen", raw.listen.as_ref());
    let mut peers = Vec::new();
    if let Some(written) = &raw.peers {
        let list: Vec<&str> = written.value.iter().map(|peer| peer.value.as_str()).collect();
        desk.explain_written(&at.key("peers"), list.join(", "), &at.at(&written.span));
        for peer in &written.value {
            if let Ok(address) = peer.value.parse::<IpAddr>() {
                peers.push(address);
            } else {
                let what = format!("{:?} is not an address", peer.value);
                desk.error(
                    &at.at(&peer.span),
                    at.key("peers"),
                    what,
                    "write addresses, as in [\"10.8.0.12\", \"fd00::12\"]",
                );
            }
        }
    }
    let registration = bytes(desk, at, "registration", raw.registration.as_ref());
    let heartbeat = bytes(desk, at, "heartbeat", raw.heartbeat.as_ref());
    if raw.registration.is_none() && raw.peers.is_none() {
        let help =
            "write `registration` with what the modem says first, or `peers` with the addresses that it may have";
        desk.warn(&at.place, at.key("listen"), "whoever dials in is taken for the device", help);
    }
    // A heartbeat must not look like the beginning of an answer: its second byte is where RTU has the function.
    let beat = raw.heartbeat.as_ref().zip(heartbeat.as_ref());
    if let Some((written, _)) =
        beat.filter(|(_, beat)| beat.get(1).is_none_or(|second| matches!(second & 0x7F, 1..=24)))
    {
        let help = "a heartbeat has two bytes or more, the second none that a Modbus function has (1 to 24)";
        desk.error(&at.at(&written.span), at.key("heartbeat"), "could be taken for an answer", help);
    }
    let baud = match framing {
        Framing::Rtu => baud_behind(desk, at, raw),
        Framing::Mbap => BAUD_BEHIND,
    };
    Listen { address, framing, baud, peers, registration, heartbeat }
}

/// Bytes as text or as `hex:` with two digits each.
fn bytes(desk: &mut Desk, at: &Section, key: &'static str, raw: Option<&Written<String>>) -> Option<Vec<u8>> {
    let field = desk.text(at, key, Some(raw?), Otherwise::Required("\"K12\""));
    let Some(digits) = field.value.strip_prefix("hex:") else { return Some(field.value.into_bytes()) };
    let pairs: Vec<&str> = digits.split_whitespace().flat_map(pairs).collect();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        return Some(bytes);
    }
    desk.error(
        &field.place,
        field.key.as_str(),
        "is not a row of bytes",
        "write two digits each, as in \"hex:4b 31 32\"",
    );
    None
}

fn pairs(digits: &str) -> impl Iterator<Item = &str> {
    (0..digits.len()).step_by(2).map(move |at| digits.get(at..at + 2).unwrap_or("odd"))
}

fn times(desk: &mut Desk, at: &Section, raw: &RawWire, kind: Kind, wire: &mut WireSettings) {
    let timeout = number!(desk, at, raw.timeout_milliseconds, 10.0..=5000.0, kind.timeout());
    wire.timeout = timeout.duration();
    wire.silence_after_failure = wire.timeout;
    if kind.framing() == Framing::Rtu {
        let formula = format!(
            "the time-out, {} ms: an answer that is late by less than once more is heard and passed over",
            shown(timeout.value)
        );
        let silence =
            number!(desk, at, raw.silence_after_failure_milliseconds, 10.0..=10_000.0, derived(timeout.value, formula));
        wire.silence_after_failure = silence.duration();
    }
    let reconnect_min = number!(
        desk,
        at,
        raw.reconnect_min_seconds,
        0.1..=600.0,
        or(wire.reconnect_min.as_secs_f64(), "a device that restarts is back within seconds")
    );
    let longest = if kind.is_listening() {
        or(2.0_f64.max(reconnect_min.value), "looking whether the device has dialled in costs nothing")
    } else {
        or(wire.reconnect_max.as_secs_f64(), "the usual watchdog of a drive is 60 s")
    };
    let reconnect_max = number!(desk, at, raw.reconnect_max_seconds, 0.1..=3600.0, longest);
    let pause = number!(
        desk,
        at,
        raw.pause_between_requests_milliseconds,
        0.0..=5000.0,
        or(0.0, "devices that need a pause say so in their manual")
    );
    let warm_up = number!(
        desk,
        at,
        raw.pause_after_connect_milliseconds,
        0.0..=60_000.0,
        or(0.0, "devices that need a pause say so in their manual")
    );
    desk.not_above(&reconnect_min, &reconnect_max, "the wait doubles from the first to the longest");
    wire.reconnect_min = reconnect_min.duration();
    wire.reconnect_max = reconnect_max.duration();
    wire.pause_between_requests = pause.duration();
    wire.pause_after_connect = warm_up.duration();
}
