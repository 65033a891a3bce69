//! The other end of a line, of every kind: what it holds, how it reads a question, how it packs an answer.

use std::io;
use std::time::Duration;

use heatstation_drivers::bus::Span;
use heatstation_drivers::modbus::Modbus;
use heatstation_drivers::settings::{Dial, Framing, Parity, Serial, StopBits, Table, Transport};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_serial::{SerialPort, SerialStream};

use crate::common::wire;
use crate::tls::Papers;
use crate::tricks::play;

pub const TIMEOUT: Duration = Duration::from_millis(25);

/// What register `address` of that unit and function holds, for ever: odd multipliers make it another for each address.
pub fn signature(unit: u8, function: u8, address: u16) -> u16 {
    address.wrapping_mul(40_503) ^ u16::from(unit).wrapping_mul(257) ^ u16::from(function) << 13
}

pub fn bit_signature(unit: u8, function: u8, address: u16) -> u16 {
    (signature(unit, function, address) >> 7) & 1
}

/// Written anew here, from the polynomial as it is printed, so that it is not the driver's that is asked.
pub fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = 0xFFFF_u16;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = sum & 1;
            sum >>= 1;
            if carry == 1 {
                sum ^= 0xA001;
            }
        }
    }
    sum.to_le_bytes()
}

#[derive(Clone)]
pub struct Question {
    pub framing: Framing,
    /// MBAP: all seven bytes. RTU: the unit.
    pub header: Vec<u8>,
    pub pdu: Vec<u8>,
}

impl Question {
    /// The next whole question; none at the end of the connection.
    pub async fn from(framing: Framing, stream: &mut (impl AsyncRead + Unpin)) -> Option<Question> {
        let mut header = vec![0; if framing == Framing::Mbap { 7 } else { 1 }];
        stream.read_exact(&mut header).await.ok()?;
        if framing == Framing::Mbap {
            let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])).checked_sub(1)?];
            stream.read_exact(&mut pdu).await.ok()?;
            return Some(Question { framing, header, pdu });
        }
        let mut frame = header.clone();
        loop {
            let total = match (frame.get(1), frame.get(6)) {
                (Some(15 | 16), Some(bytes)) => 9 + usize::from(*bytes),
                (Some(22), _) => 10,
                _ => 8,
            };
            if total <= frame.len() {
                let (body, sum) = frame.split_at(total - 2);
                assert_eq!(checksum(body), sum, "the driver's own frames are sound: {frame:?}");
                return Some(Question { framing, header, pdu: body[1..].to_vec() });
            }
            let mut byte = [0];
            stream.read_exact(&mut byte).await.ok()?;
            frame.push(byte[0]);
        }
    }

    pub fn unit(&self) -> u8 {
        self.header[self.header.len() - 1]
    }

    pub fn number(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.pdu[at], self.pdu[at + 1]])
    }

    /// The same question as it would be asked next.
    pub fn next(&self) -> Question {
        let mut next = self.clone();
        if self.framing == Framing::Mbap {
            let number = u16::from_be_bytes([self.header[0], self.header[1]]).wrapping_add(1);
            next.header[..2].copy_from_slice(&number.to_be_bytes());
        }
        next
    }

    /// The true answer's protocol data, as if `shift` registers further on had been asked for.
    pub fn truth(&self, shift: u16) -> Vec<u8> {
        let (function, address, count) = (self.pdu[0], self.number(1).wrapping_add(shift), self.number(3));
        match function {
            1 | 2 => {
                let mut data = vec![0_u8; usize::from(count.div_ceil(8))];
                for offset in 0..count {
                    let bit = bit_signature(self.unit(), function, address.wrapping_add(offset)) as u8;
                    data[usize::from(offset / 8)] |= bit << (offset % 8);
                }
                [vec![function, data.len() as u8], data].concat()
            }
            3 | 4 => {
                let words = (0..count).map(|offset| signature(self.unit(), function, address.wrapping_add(offset)));
                let data: Vec<u8> = words.flat_map(u16::to_be_bytes).collect();
                [vec![function, data.len() as u8], data].concat()
            }
            _ => self.pdu[..self.pdu.len().min(if function == 22 { 7 } else { 5 })].to_vec(),
        }
    }

    pub fn frame(&self, pdu: &[u8]) -> Vec<u8> {
        match self.framing {
            Framing::Mbap => {
                let length = (pdu.len() as u16 + 1).to_be_bytes();
                [&self.header[..4], &length, &self.header[6..], pdu].concat()
            }
            Framing::Rtu => {
                let frame = [&self.header[..], pdu].concat();
                [&frame[..], &checksum(&frame)].concat()
            }
        }
    }
}

/// The lines that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tcp,
    Tls,
    RtuOverTcp,
    Serial,
}

/// A server at work; it ends with this.
pub struct Peer {
    pub transport: Transport,
    _tasks: JoinSet<()>,
    _papers: Option<Papers>,
}

pub fn serial(port: &str) -> Transport {
    Transport::ModbusRtu(Serial {
        port: port.to_owned(),
        baud: 115_200,
        parity: Parity::None,
        stop_bits: StopBits::One,
    })
}

/// A hostile server on such a line.
pub async fn hostile(kind: Kind, seed: u64) -> Peer {
    let mut tasks = JoinSet::new();
    let rng = StdRng::seed_from_u64(seed);
    if kind == Kind::Serial {
        let (master, slave) = SerialStream::pair().unwrap();
        let transport = serial(&slave.name().unwrap());
        tasks.spawn(async move {
            // Held open, as a cable is there while nobody has opened the port.
            let _slave = slave;
            let mut talk = Talk { framing: Framing::Rtu, rng, kept: Vec::new() };
            let mut master = master;
            while talk.with(&mut master).await.is_ok() {}
        });
        return Peer { transport, _tasks: tasks, _papers: None };
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dial = Dial::to(listener.local_addr().unwrap().to_string());
    let papers = (kind == Kind::Tls).then(Papers::new);
    let acceptor = papers.as_ref().map(Papers::acceptor);
    let (transport, framing) = match (kind, &papers) {
        (Kind::Tls, Some(papers)) => (Transport::ModbusTls { dial, tls: papers.client() }, Framing::Mbap),
        (Kind::RtuOverTcp, _) => (Transport::ModbusRtuOverTcp { dial, baud: 9_600 }, Framing::Rtu),
        _ => (Transport::ModbusTcp(dial), Framing::Mbap),
    };
    tasks.spawn(async move {
        let mut talk = Talk { framing, rng, kept: Vec::new() };
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            if let Some(acceptor) = &acceptor {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = talk.with(&mut stream).await;
                }
            } else {
                let _ = talk.with(&mut stream).await;
            }
        }
    });
    Peer { transport, _tasks: tasks, _papers: papers }
}

struct Talk {
    framing: Framing,
    rng: StdRng,
    kept: Vec<u8>,
}

impl Talk {
    /// One connection until it ends; an error if there can be no other.
    async fn with(&mut self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
        let mut is_first = true;
        while let Some(question) = Question::from(self.framing, stream).await {
            if std::mem::take(&mut is_first) && !self.kept.is_empty() {
                let _ = stream.write_all(&std::mem::take(&mut self.kept)).await;
            }
            let played = timeout(Duration::from_secs(5), play(stream, &question, &mut self.rng, &mut self.kept)).await;
            if !played.unwrap_or(false) {
                return Ok(());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

pub fn bus(transport: Transport) -> Modbus {
    let mut settings = wire("", Vec::new());
    settings.transport = transport;
    settings.timeout = TIMEOUT;
    settings.silence_after_failure = TIMEOUT;
    Modbus::new(&settings)
}

/// One that a busy machine does not make give up.
pub fn patient(transport: Transport) -> Modbus {
    let mut settings = wire("", Vec::new());
    settings.transport = transport;
    settings.timeout = Duration::from_secs(2);
    settings.silence_after_failure = TIMEOUT;
    Modbus::new(&settings)
}

pub fn span(unit: u8, table: Table, address: u16, count: u16) -> Span {
    Span { unit, table, address, count }
}
