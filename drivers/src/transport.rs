//! How a wire is reached: who dials whom, over what, and in which frames.
//!
//! Plain data like the rest of the settings. Two things are told apart that are often mixed up: the *framing* (MBAP with a
//! transaction id, or RTU with a checksum) and the *way* (TCP, TLS, a serial port, a modem that dials in). What the
//! protocol allows of their combinations is a variant here; nothing else can be written down.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::Link;

/// How a wire is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "protocol")]
#[non_exhaustive]
pub enum Transport {
    /// Modbus TCP, one connection for all units behind it.
    ModbusTcp(Dial),
    /// RTU frames through a gateway that passes bytes between TCP and a serial line and understands none of them.
    ModbusRtuOverTcp {
        /// The gateway.
        dial: Dial,
        /// Bits per second of the bus behind it.
        baud: u32,
    },
    /// Modbus/TCP Security: Modbus TCP inside of TLS.
    ModbusTls {
        /// Whither.
        dial: Dial,
        /// Whom to believe, and who we are.
        tls: Tls,
    },
    /// RTU frames on a serial port.
    ModbusRtu(Serial),
    /// The device, or its modem, dials in.
    Listen(Listen),
}

/// The address of a server, and where it is to be found otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// `host:port`; an IPv6 address stands in brackets.
    pub address: String,
    /// Tried when the first cannot be reached.
    pub backup: Option<Backup>,
}

/// A second address of the same devices: another network card, another gateway on the same bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// `host:port`.
    pub address: String,
    /// After this long on the second address the first is tried first again, at the next reconnect.
    pub return_after: Duration,
}

/// Whom to believe at the other end of a TLS connection, and who we are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Our certificate, with those of the authorities between, and its key, as PEM files; read at each connection, so
    /// that a renewed one is used without a restart. None if the server asks for none.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Whom to believe.
    pub trust: Trust,
    /// The name that the server's certificate must be for; the host of the address if none.
    pub server_name: Option<String>,
}

/// By what a server is believed to be the right one. PEM files, read at each connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Its certificate was signed by one of these authorities, is for its name and of this time.
    Authorities(PathBuf),
    /// It shows this very certificate, whatever name and time that says.
    Pinned(PathBuf),
}

/// A serial port. Eight data bits, as RTU has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial {
    /// As in `/dev/ttyUSB0`, or better `/dev/serial/by-id/…`, which stays the same when adapters change places.
    pub port: String,
    /// Bits per second.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// The stop bits.
    pub stop_bits: StopBits,
}

/// The parity bit of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Parity {
    None,
    Even,
    Odd,
}

/// The stop bits of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum StopBits {
    One,
    Two,
}

/// Where a device may dial in, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// Address of our own, `host:port`.
    pub address: String,
    /// What comes inside.
    pub framing: Framing,
    /// Bits per second of the bus behind the modem; of no account with [`Framing::Mbap`].
    pub baud: u32,
    /// Whence it may come; from anywhere if empty.
    pub peers: Vec<IpAddr>,
    /// What it says first, byte for byte; nothing if none. Many modems send their number.
    pub registration: Option<Vec<u8>>,
    /// What it says now and then to keep the connection alive, byte for byte; passed over.
    pub heartbeat: Option<Vec<u8>>,
}

/// How a question and its answer are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// Seven bytes of header with a transaction id: Modbus TCP.
    Mbap,
    /// The unit before and a checksum behind: Modbus RTU.
    Rtu,
}

/// Start bit, eight data bits, parity or a second stop bit, and a stop bit (Modbus over Serial Line V1.02, 2.5.1).
const BITS_PER_CHARACTER: f64 = 11.0;

impl Transport {
    /// Modbus TCP to `host:port`, without a second address.
    pub fn modbus_tcp(address: impl Into<String>) -> Transport {
        Transport::ModbusTcp(Dial::to(address))
    }

    /// How questions and answers are packed.
    pub const fn framing(&self) -> Framing {
        match self {
            Transport::ModbusTcp(_) | Transport::ModbusTls { .. } => Framing::Mbap,
            Transport::ModbusRtuOverTcp { .. } | Transport::ModbusRtu(_) => Framing::Rtu,
            Transport::Listen(listen) => listen.framing,
        }
    }

    /// What a request costs on the way, for planning: an estimate, not a limit.
    pub fn link(&self) -> Link {
        match self {
            Transport::ModbusTcp(_) | Transport::ModbusTls { .. } => Link::ETHERNET,
            Transport::ModbusRtuOverTcp { baud, .. } => Link { bits_per_second: f64::from(*baud), ..Link::SERIAL_9600 },
            Transport::ModbusRtu(serial) => Link {
                bits_per_byte: serial.bits_per_character(),
                bits_per_second: f64::from(serial.baud),
                ..Link::SERIAL_9600
            },
            Transport::Listen(listen) => Link { bits_per_second: f64::from(listen.baud), ..Link::MODEM },
        }
    }

    /// The silence that ends a frame, 3.5 characters; above 19 200 baud 1.75 ms (Modbus over Serial Line V1.02,
    /// 2.5.1.1). Nothing where answers bear numbers.
    pub fn gap(&self) -> Duration {
        let Some((baud, bits)) = self.bus() else { return Duration::ZERO };
        if 19_200 < baud { Duration::from_micros(1750) } else { time_of(3.5, baud, bits) }
    }

    /// How long so many bytes travel on a bus of RTU frames, ours or behind a gateway; nothing on others.
    pub fn travel(&self, bytes: usize) -> Duration {
        self.bus().map_or(Duration::ZERO, |(baud, bits)| time_of(bytes as f64, baud, bits))
    }

    /// Bits per second, and bits per character, of the bus on which RTU frames travel. Behind a gateway it keeps its silences
    /// too, and an answer that comes twice is seen before the next question is asked.
    fn bus(&self) -> Option<(u32, f64)> {
        match self {
            Transport::ModbusRtu(serial) => Some((serial.baud, serial.bits_per_character())),
            Transport::ModbusRtuOverTcp { baud, .. } => Some((*baud, BITS_PER_CHARACTER)),
            Transport::Listen(listen) => (listen.framing == Framing::Rtu).then_some((listen.baud, BITS_PER_CHARACTER)),
            Transport::ModbusTcp(_) | Transport::ModbusTls { .. } => None,
        }
    }

    /// Every address that is written in it.
    pub fn addresses(&self) -> Vec<&str> {
        match self {
            Transport::ModbusTcp(dial)
            | Transport::ModbusRtuOverTcp { dial, .. }
            | Transport::ModbusTls { dial, .. } => {
                let backup = dial.backup.iter().map(|backup| backup.address.as_str());
                std::iter::once(dial.address.as_str()).chain(backup).collect()
            }
            Transport::ModbusRtu(_) => Vec::new(),
            Transport::Listen(listen) => vec![&listen.address],
        }
    }
}

impl Dial {
    /// To this address alone.
    pub fn to(address: impl Into<String>) -> Dial {
        Dial { address: address.into(), backup: None }
    }
}

impl Serial {
    /// Start bit, eight data bits, parity and stop bits.
    pub fn bits_per_character(&self) -> f64 {
        let parity = if self.parity == Parity::None { 0.0 } else { 1.0 };
        let stop = if self.stop_bits == StopBits::One { 1.0 } else { 2.0 };
        9.0 + parity + stop
    }
}

fn time_of(characters: f64, baud: u32, bits_per_character: f64) -> Duration {
    Duration::from_secs_f64(characters * bits_per_character / f64::from(baud.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(baud: u32, parity: Parity) -> Transport {
        Transport::ModbusRtu(Serial { port: "/dev/ttyS0".to_owned(), baud, parity, stop_bits: StopBits::One })
    }

    #[test]
    fn the_silence_between_frames_is_three_and_a_half_characters_and_never_less_than_fast_lines_need() {
        // 3.5 x 11 bits at 9 600 baud.
        assert_eq!(serial(9_600, Parity::Even).gap(), Duration::from_nanos(4_010_417));
        assert_eq!(serial(19_200, Parity::None).gap(), Duration::from_nanos(1_822_917));
        assert_eq!(serial(115_200, Parity::None).gap(), Duration::from_micros(1750));
        assert_eq!(Transport::modbus_tcp("plc:502").gap(), Duration::ZERO);
    }

    #[test]
    fn the_bus_behind_a_gateway_is_as_slow_as_it_is_said_to_be() {
        let meters = Transport::ModbusRtuOverTcp { dial: Dial::to("10.0.0.7:4001"), baud: 2_400 };
        assert_eq!(meters.gap(), Duration::from_nanos(16_041_667));
        assert_eq!(meters.travel(240), Duration::from_millis(1100));
        assert_eq!(meters.link().bits_per_second, 2_400.0);
        let mut modem = Listen {
            address: "0.0.0.0:5000".to_owned(),
            framing: Framing::Rtu,
            baud: 2_400,
            peers: Vec::new(),
            registration: None,
            heartbeat: None,
        };
        assert_eq!(Transport::Listen(modem.clone()).travel(240), Duration::from_millis(1100));
        modem.framing = Framing::Mbap;
        assert_eq!(Transport::Listen(modem).gap(), Duration::ZERO);
    }

    #[test]
    fn the_cost_of_a_line_follows_its_speed_and_its_character() {
        let (slow, fast) = (serial(1_200, Parity::Even).link(), serial(115_200, Parity::None).link());
        assert_eq!((slow.bits_per_byte, slow.bits_per_second), (11.0, 1_200.0));
        assert_eq!((fast.bits_per_byte, fast.bits_per_second), (10.0, 115_200.0));
        assert_eq!(serial(1_200, Parity::Even).travel(120), Duration::from_millis(1100));
    }
}
