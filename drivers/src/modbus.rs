//! Modbus TCP: the transport of `tokio-modbus` inside a discipline of our own.
//!
//! # What the library does and what it is not trusted with
//! `tokio-modbus` 0.17 builds the request, cuts the answer out of the stream and compares transaction id, unit and
//! function. We use only its `Client::call`, whose decoder returns errors for whatever bytes arrive; its convenience
//! calls (`read_holding_registers` and so on) hold `debug_assert!`s on the length and echo of the *answer*, so a hostile
//! server panics a debug build and deceives a release build. What the library leaves to its user is done here:
//!
//! * **Time.** Each call has one deadline, connecting included; the library waits for ever.
//! * **One failure, one connection.** After any error but an exception, after a time-out, and when the caller gives up
//!   half-way, the connection is gone: `ModbusTcp::call` takes it out of its place first and puts it back only after
//!   a whole answer. A late answer arrives at a closed socket (the library keeps the stream and lags by one for ever).
//! * **Length and echo.** The answer must be as long as the question makes it, to the byte, and a write must be echoed
//!   as it was sent. Bytes behind the answer, or before the next question, are nobody's answer: the connection goes.
//! * **Memory.** The length field of a frame goes up to 65 535; the `Guard` stops reading after the 260 bytes that the
//!   protocol allows.
//! * **The socket.** `TCP_NODELAY`, because a request is one small packet, and keep-alive.
//!
//! * **Whose answer.** The library counts transaction ids from 0 on every connection, and a gateway that keeps a late
//!   answer for whoever connects next would meet a request of the same number. The guard changes the ids on the way out
//!   and back by a mask that is another one on each connection. Within a connection they come round after 65 536 requests; none is
//!   outstanding then, because the first request without an answer has ended the connection.
//!
//! What no client can see: a gateway that gives a late answer of the bus the number of the newest question. Against that
//! helps a time-out longer than the gateway's own.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_modbus::client::{Client, Context as ModbusContext, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};
use tokio_modbus::{Error, Request, Response};

use crate::bus::{Bus, BusError, Level, Refusal, Span, Write};
use crate::settings::{Table, Transport, WireSettings};

/// The longest frame on TCP: 7 bytes of header and 253 of protocol data (Modbus Messaging on TCP/IP V1.0b, 4.1).
const FRAME_MAX: usize = 260;
/// Bytes of an answer before its data: header, function code and, in reads, the byte count.
const HEADER: usize = 7;
/// At least this long for a connection: the first lost SYN is sent again after 1 s (RFC 6298, 2.1), so less than 2 s
/// would make one lost packet a lost connection.
const CONNECT_TIMEOUT_MIN: Duration = Duration::from_secs(2);

/// One connection to a Modbus TCP server, with all units behind it.
pub struct ModbusTcp {
    address: String,
    timeout: Duration,
    pause_between_requests: Duration,
    pause_after_connect: Duration,
    connection: Option<Connection>,
    mask: u16,
}

struct Connection {
    context: ModbusContext,
    /// Bytes that have come in since the last request.
    received: Arc<AtomicUsize>,
    quiet_until: Instant,
}

impl ModbusTcp {
    /// The bus of this wire, not yet connected.
    pub fn new(wire: &WireSettings) -> ModbusTcp {
        let Transport::ModbusTcp { address } = &wire.transport;
        ModbusTcp {
            address: address.clone(),
            timeout: wire.timeout,
            pause_between_requests: wire.pause_between_requests,
            pause_after_connect: wire.pause_after_connect,
            connection: None,
            mask: rand::random(),
        }
    }

    async fn call(&mut self, unit: u8, request: Request<'_>) -> Result<Response, BusError> {
        // Taken out, so that whoever drops this future half-way drops the connection with it.
        let Some(mut connection) = self.connection.take() else {
            return Err(BusError::Broken("not connected".to_owned()));
        };
        // Asked first, because the timer counts in whole milliseconds: a sleep until a moment just past ends at the next
        // one, and made 900 requests a second out of many thousands.
        if Instant::now() < connection.quiet_until {
            sleep_until(connection.quiet_until).await;
        }
        let expected = answer_length(&request);
        connection.received.store(0, Ordering::Relaxed);
        connection.context.set_slave(Slave(unit));

        let outcome = timeout(self.timeout, connection.context.call(request)).await.map_err(|_| BusError::Silent)?;
        let received = connection.received.load(Ordering::Relaxed);
        let (answer, expected) = match outcome {
            Ok(Ok(response)) => (Ok(response), expected),
            Ok(Err(exception)) => (Err(BusError::Refused(Refusal::from_code(exception.into()))), HEADER + 2),
            Err(Error::Protocol(error)) => return Err(BusError::Nonsense(error.to_string())),
            Err(Error::Transport(error)) => {
                let is_nonsense = error.kind() == io::ErrorKind::InvalidData;
                return Err(if is_nonsense {
                    BusError::Nonsense(error.to_string())
                } else {
                    BusError::Broken(error.to_string())
                });
            }
        };
        if received != expected {
            return Err(BusError::Nonsense(format!("{received} bytes instead of {expected}")));
        }
        connection.quiet_until = Instant::now() + self.pause_between_requests;
        self.connection = Some(connection);
        answer
    }

    /// An answer that the library let through but that is not about the question: the connection goes.
    fn nonsense(&mut self, what: &str) -> BusError {
        self.disconnect();
        BusError::Nonsense(what.to_owned())
    }
}

impl Bus for ModbusTcp {
    async fn connect(&mut self) -> Result<(), BusError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let unreachable = |why: String| BusError::Unreachable { address: self.address.clone(), why };
        let stream = timeout(self.timeout.max(CONNECT_TIMEOUT_MIN), open(&self.address))
            .await
            .map_err(|_| unreachable("no answer in time".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        let received = Arc::new(AtomicUsize::new(0));
        // Steps of the golden ratio: the masks of neighbouring connections differ in their high bits, so that even the
        // small numbers that every connection starts with do not meet.
        let mask = self.mask.wrapping_add(0x9E37);
        let guard = Guard { stream, received: Arc::clone(&received), sent: 0, mask: mask.to_be_bytes() };
        if !self.pause_after_connect.is_zero() {
            sleep(self.pause_after_connect).await;
        }
        let context = tcp::attach_slave(guard, Slave(0));
        self.mask = mask;
        self.connection = Some(Connection { context, received, quiet_until: Instant::now() });
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        let Span { unit, table, address, count } = span;
        let request = match table {
            Table::Coil => Request::ReadCoils(address, count),
            Table::DiscreteInput => Request::ReadDiscreteInputs(address, count),
            Table::HoldingRegister => Request::ReadHoldingRegisters(address, count),
            Table::InputRegister => Request::ReadInputRegisters(address, count),
        };
        let words = match (table, self.call(unit, request).await?) {
            (Table::Coil, Response::ReadCoils(bits)) | (Table::DiscreteInput, Response::ReadDiscreteInputs(bits)) => {
                // Bits come in whole bytes; the padding says nothing.
                bits.into_iter().take(usize::from(count)).map(u16::from).collect()
            }
            (Table::HoldingRegister, Response::ReadHoldingRegisters(words))
            | (Table::InputRegister, Response::ReadInputRegisters(words)) => words,
            _ => return Err(self.nonsense("an answer of another function")),
        };
        if words.len() == usize::from(count) { Ok(words) } else { Err(self.nonsense("another number of values")) }
    }

    async fn write(&mut self, unit: u8, write: &Write) -> Result<(), BusError> {
        let response = self.call(unit, request_of(write)).await?;
        if is_echo(write, &response) { Ok(()) } else { Err(self.nonsense("the echo of another write")) }
    }

    fn disconnect(&mut self) {
        self.connection = None;
    }
}

async fn open(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for candidate in lookup_host(address).await? {
        let socket = match candidate {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_nodelay(true)?;
        socket.set_keepalive(true)?;
        match socket.connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How long the answer to this request is, in bytes, unless it is an exception.
fn answer_length(request: &Request<'_>) -> usize {
    HEADER
        + match request {
            Request::ReadCoils(_, count) | Request::ReadDiscreteInputs(_, count) => 2 + usize::from(count.div_ceil(8)),
            Request::ReadHoldingRegisters(_, count) | Request::ReadInputRegisters(_, count) => {
                2 + 2 * usize::from(*count)
            }
            Request::MaskWriteRegister(..) => 7,
            _ => 5,
        }
}

fn request_of(write: &Write) -> Request<'_> {
    match write {
        Write::SingleCoil { address, on } => Request::WriteSingleCoil(*address, *on == Level::High),
        Write::MultipleCoils { address, on } => {
            Request::WriteMultipleCoils(*address, on.iter().map(|&on| on == Level::High).collect())
        }
        Write::SingleRegister { address, word } => Request::WriteSingleRegister(*address, *word),
        Write::MultipleRegisters { address, words } => Request::WriteMultipleRegisters(*address, words.into()),
        Write::MaskRegister { address, and, or } => Request::MaskWriteRegister(*address, *and, *or),
    }
}

fn is_echo(write: &Write, response: &Response) -> bool {
    match (write, response) {
        (Write::SingleCoil { address, on }, Response::WriteSingleCoil(at, is)) => {
            address == at && (*on == Level::High) == *is
        }
        (Write::MultipleCoils { address, on }, Response::WriteMultipleCoils(at, count)) => {
            address == at && on.len() == usize::from(*count)
        }
        (Write::SingleRegister { address, word }, Response::WriteSingleRegister(at, is)) => address == at && word == is,
        (Write::MultipleRegisters { address, words }, Response::WriteMultipleRegisters(at, count)) => {
            address == at && words.len() == usize::from(*count)
        }
        (Write::MaskRegister { address, and, or }, Response::MaskWriteRegister(at, and_is, or_is)) => {
            (address, and, or) == (at, and_is, or_is)
        }
        _ => false,
    }
}

/// The socket as the library sees it: it counts what comes in, ends an answer that has no end, and refuses to ask a
/// question while something unasked-for waits to be read.
#[derive(Debug)]
struct Guard {
    stream: TcpStream,
    /// Bytes that have come in since the question was begun; the bus starts the count anew for each.
    received: Arc<AtomicUsize>,
    /// Bytes of the question that have gone out.
    sent: usize,
    mask: [u8; 2],
}

impl Guard {
    /// Changes the transaction id, the first two bytes of a frame, in a piece that starts `so_far` bytes into it.
    fn disguise(&self, so_far: usize, piece: &mut [u8]) {
        for (byte, mask) in piece.iter_mut().zip(self.mask.iter().skip(so_far)) {
            *byte ^= mask;
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let so_far = self.received.load(Ordering::Relaxed);
        // One byte more than allowed is read, so that too long an answer is seen to be too long.
        let allowed = (FRAME_MAX + 1).saturating_sub(so_far).min(buffer.remaining());
        if allowed == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "an answer longer than a frame")));
        }
        let mut window = ReadBuf::new(buffer.initialize_unfilled_to(allowed));
        let outcome = Pin::new(&mut self.stream).poll_read(cx, &mut window);
        self.disguise(so_far, window.filled_mut());
        let arrived = window.filled().len();
        buffer.advance(arrived);
        self.received.store(so_far + arrived, Ordering::Relaxed);
        outcome
    }
}

impl AsyncWrite for Guard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // The library reads only after it has sent the whole question, so whatever waits here was not asked for.
        match self.stream.try_read(&mut [0]) {
            Ok(0) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "closed by the device"))),
            Ok(_) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "bytes nobody asked for"))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        // The library hands over one frame at a time; the rest of one that did not go out whole comes in the next call.
        let mut frame = [0; FRAME_MAX];
        let piece = &mut frame[..bytes.len().min(FRAME_MAX)];
        piece.copy_from_slice(&bytes[..piece.len()]);
        self.disguise(self.sent, piece);
        let outcome = Pin::new(&mut self.stream).poll_write(cx, piece);
        if let Poll::Ready(Ok(gone)) = outcome {
            self.sent = if gone == bytes.len() { 0 } else { self.sent + gone };
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
