//! A simulated line and the way to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heatstation_drivers::modbus::Modbus;
use heatstation_drivers::settings::{
    self, DeviceSettings, Dial, Encoding, Listen, Parity, Serial, StopBits, Table, Tls, Transport, Trust, WireSettings,
    WordOrder,
};
use heatstation_drivers::{WireHandle, spawn, spawn_on};
use heatstation_simulator::wire::identity::Authority;
use heatstation_simulator::wire::units::CLOCK;
use heatstation_simulator::wire::{
    self, Door, Framing, LineServer, LineSettings, Played, Units, WireFaults, bit_signature, identity, signature,
};

use super::{Checked, PtyPair, Tally, bit, device, read, word};

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Modbus TCP.
    Tcp,
    /// Modbus TCP inside of TLS; both sides show a certificate.
    Tls,
    /// RTU frames over TCP.
    RtuOverTcp,
    /// RTU frames on a serial line: two pseudo-terminals with socat between them.
    Serial,
    /// Modbus TCP, and the device dials in.
    DialIn,
    /// RTU frames, and the device dials in, as most 4G modems do.
    DialInRtu,
}

/// What the modem says first.
const GREETING: &[u8] = b"DTU-0001";
/// The fastest that serial adapters do; a slower one only makes tests longer.
const BAUD: u32 = 921_600;

impl Line {
    /// All of them.
    pub const ALL: [Line; 6] = [Line::Tcp, Line::Tls, Line::RtuOverTcp, Line::Serial, Line::DialIn, Line::DialInRtu];

    /// Whether answers bear no number.
    pub fn is_rtu(self) -> bool {
        match self {
            Line::Tcp | Line::Tls | Line::DialIn => false,
            Line::RtuOverTcp | Line::Serial | Line::DialInRtu => true,
        }
    }

    /// What the driver needs after a failure before it asks again, besides the waits of the settings: a handshake, the
    /// device's own wait before it dials in again, the silence that a line without numbers must have kept, and a question
    /// of trial on it.
    pub fn after_failure(self, settings: &WireSettings) -> Duration {
        let way = match self {
            Line::Tcp | Line::RtuOverTcp => Duration::from_millis(20),
            Line::Tls | Line::Serial => Duration::from_millis(100),
            Line::DialIn | Line::DialInRtu => Duration::from_millis(200),
        };
        let silence = if self.is_rtu() { settings.silence_after_failure * 2 } else { Duration::ZERO };
        way + silence
    }

    /// A unit slower than any time-out of the tests. On a serial line, where nobody else is heard while it speaks, it ends
    /// its answer within the silence that is waited for; at 1 B/s it has the line for itself, and no driver can help that.
    pub fn slow(self) -> &'static str {
        if self == Line::Serial { "slow-loris 40B/s unit 2" } else { "slow-loris 1B/s unit 2" }
    }

    /// How many questions one read may take, with those by which a doubtful line is tried.
    pub fn questions_of_a_read(self) -> u32 {
        if self.is_rtu() { 4 } else { 1 }
    }
}

/// A simulated line.
#[derive(Debug)]
pub struct Field {
    /// What stands at the far end.
    pub server: LineServer,
    /// How it is reached.
    pub transport: Transport,
    /// What has to last as long as the line.
    _cable: Option<PtyPair>,
    _papers: Option<tempfile::TempDir>,
}

/// An address of our own where nobody listens yet.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").to_string()
}

/// The certificates of both sides, the controller's as files.
fn papers() -> (tempfile::TempDir, identity::Tls, Tls) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let authority = Authority::new("plant network").expect("keys can be made");
    let identity = |names: &[&str]| authority.identity(names).expect("keys can be made");
    let controller = identity(&["heatstation"]);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path
    };
    let trust = Trust::Authorities(write("authority.pem", &authority.certificate_pem()));
    let own = (write("own.pem", &controller.certificate_pem), write("own.key", &controller.key_pem));
    let server = identity::Tls {
        identity: identity(&["localhost", "127.0.0.1"]),
        clients_pem: Some(authority.certificate_pem()),
    };
    (folder, server, Tls { own: Some(own), trust, server_name: Some("localhost".to_owned()) })
}

impl Field {
    /// A line of this kind with so many units of signatures, on which these faults are played.
    ///
    /// # Panics
    /// If the faults are not understood or the line cannot be opened.
    pub async fn new(line: Line, faults: &str, seed: u64, units: u8) -> Field {
        let faults: WireFaults = faults.parse().expect("the faults are understood");
        let loopback = "127.0.0.1:0".parse().expect("an address");
        let mut settings = LineSettings { faults, seed, ..LineSettings::tcp(loopback) };
        if line.is_rtu() {
            settings.framing = Framing::Rtu;
        }
        let (mut cable, mut folder, mut tls, mut ours) = (None, None, None, String::new());
        match line {
            Line::Tcp | Line::RtuOverTcp => {}
            Line::Tls => {
                let (papers, server, controller) = papers();
                (folder, tls, settings.tls) = (Some(papers), Some(controller), Some(server));
            }
            Line::Serial => {
                let pair = PtyPair::new();
                let path = pair.device().display().to_string();
                settings.door = Door::Serial { path, baud: BAUD, parity: wire::Parity::None };
                cable = Some(pair);
            }
            Line::DialIn | Line::DialInRtu => {
                ours = free_address();
                settings.door = Door::Dial { address: ours.clone(), greeting: GREETING.to_vec() };
            }
        }
        let server =
            LineServer::start(settings, Arc::new(Units::signatures(units))).await.expect("the line can be opened");
        let dial = || Dial::to(server.address().expect("it listens").to_string());
        let transport = match line {
            Line::Tcp => Transport::ModbusTcp(dial()),
            Line::RtuOverTcp => Transport::ModbusRtuOverTcp { dial: dial(), baud: 9_600 },
            Line::Tls => Transport::ModbusTls { dial: dial(), tls: tls.expect("papers were made") },
            Line::Serial => {
                let port = cable.as_ref().map(|pair| pair.controller().display().to_string()).unwrap_or_default();
                Transport::ModbusRtu(Serial { port, baud: BAUD, parity: Parity::None, stop_bits: StopBits::One })
            }
            Line::DialIn | Line::DialInRtu => Transport::Listen(Listen {
                address: ours,
                framing: if line.is_rtu() { settings::Framing::Rtu } else { settings::Framing::Mbap },
                baud: 9_600,
                peers: Vec::new(),
                registration: Some(GREETING.to_vec()),
                heartbeat: None,
            }),
        };
        Field { server, transport, _cable: cable, _papers: folder }
    }

    /// The driver at the other end.
    ///
    /// # Panics
    /// If the settings are not sound.
    pub fn spawn(&self, settings: &WireSettings) -> WireHandle {
        spawn(settings.clone(), Instant::now()).expect("the settings are sound")
    }

    /// The driver with each of its answers looked at.
    ///
    /// # Panics
    /// If the settings are not sound.
    pub fn spawn_checked(&self, settings: &WireSettings) -> (WireHandle, Arc<Tally>) {
        let tally = Tally::new(self.server.units().began());
        let bus = Checked::new(Modbus::new(settings), Arc::clone(&tally));
        (spawn_on(bus, settings.clone(), Instant::now()).expect("the settings are sound"), tally)
    }
}

/// Times short enough for a test: a time-out of 100 ms, 50 ms to 200 ms between attempts.
pub fn settings_of(field: &Field, devices: Vec<DeviceSettings>) -> WireSettings {
    let mut settings = WireSettings::modbus_tcp("test", "127.0.0.1:1");
    settings.transport = field.transport.clone();
    settings.timeout = Duration::from_millis(100);
    settings.silence_after_failure = Duration::from_millis(100);
    settings.reconnect_min = Duration::from_millis(50);
    settings.reconnect_max = Duration::from_millis(200);
    settings.devices = devices;
    settings
}

/// Registers of every table, length and order, asked for as fast as the line goes.
fn all_sorts(unit: u8) -> DeviceSettings {
    let now = Duration::from_millis(1);
    let mut registers: Vec<_> = (100..120).chain([300, 301, 302, 400]).map(|address| word(address, now)).collect();
    registers.extend(
        [500, 502].map(|address| read(Table::HoldingRegister, address, Encoding::U32 { order: WordOrder::Abcd }, now)),
    );
    registers.extend((100..131).map(|address| read(Table::InputRegister, address, Encoding::U16, now)));
    registers.extend((0..40).map(|address| bit(Table::Coil, address, now)));
    registers.extend((200..217).map(|address| bit(Table::DiscreteInput, address, now)));
    registers.push(word(CLOCK, now));
    device(unit, registers)
}

/// Looks at the last sample of every register: it is the register's own value, or none.
fn shows_the_truth(settings: &WireSettings, wire: &WireHandle) {
    let registers =
        settings.devices.iter().flat_map(|device| device.registers.iter().map(move |register| (device, register)));
    for ((device, register), sample) in registers.zip(wire.samples()) {
        let (unit, function, address) = (device.modbus_unit, register.table.read_function(), register.address);
        let truth = match register.encoding {
            Encoding::Bit { .. } => f64::from(bit_signature(unit, function, address)),
            Encoding::U32 { .. } => {
                let words = [address, address + 1].map(|address| u32::from(signature(unit, function, address)));
                f64::from(words[0] << 16 | words[1])
            }
            _ if address == CLOCK => continue,
            _ => f64::from(signature(unit, function, address)),
        };
        if let Ok(value) = sample.value {
            assert_eq!(value.number(), truth, "unit {unit}, function {function}, register {address}");
        }
    }
}

/// What a run of [`law_four`] came to.
#[derive(Debug)]
pub struct Outcome {
    /// Of all reads.
    pub tally: Arc<Tally>,
    /// Of the line.
    pub played: Played,
    /// How long it took.
    pub took: Duration,
}

/// Reads from four units until so many reads were answered, or until the time is over; every answer is looked at, and so
/// is what the wire shows.
///
/// # Panics
/// If a value is not that of its own register.
pub async fn law_four(line: Line, faults: &str, seed: u64, goal: u64, at_most: Duration) -> Outcome {
    let field = Field::new(line, faults, seed, 4).await;
    let mut settings = settings_of(&field, (1..=4).map(all_sorts).collect());
    settings.timeout = Duration::from_millis(25);
    settings.silence_after_failure = Duration::from_millis(25);
    settings.reconnect_min = Duration::from_millis(2);
    settings.reconnect_max = Duration::from_millis(10);
    let (wire, tally) = field.spawn_checked(&settings);
    let began = Instant::now();
    while tally.answered() < goal && began.elapsed() < at_most {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(wire.is_alive(), "{line:?}, {faults}, seed {seed}: the wire's task has panicked");
        shows_the_truth(&settings, &wire);
    }
    let took = began.elapsed();
    let played = field.server.played();
    wire.stop().await;
    field.server.stop().await;
    let (mixed, told) = tally.mixed();
    assert_eq!(mixed, 0, "{line:?}, {faults}, seed {seed}: law 4 is broken:\n{}", told.join("\n"));
    Outcome { tally, played, took }
}
