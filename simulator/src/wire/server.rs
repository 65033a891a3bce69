//! The line itself: how it is reached, who is on it, and what befalls it by the clock.
//!
//! ```text
//!   door (listens, dials, opens a port) --connection--> reads questions --> mischief --> sends what becomes of the answer
//!   clockwork (cut, half-open, restart) --fate--------------^
//! ```
//!
//! A connection does one thing at a time, as a device does: while it thinks about an answer or trickles it out it does not
//! hear. What came meanwhile is kept by TCP, and lost on a serial line, whose transceiver is switched to sending.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use super::fault::{Kind, WireFaults};
use super::frame::{Cut, FRAME_MAX, Framing};
use super::identity::Tls;
use super::mischief::{Memory, Mischief, Played, Step};
use super::units::Units;

/// As many clients as a small PLC serves at once; the next is turned away.
pub const MOST_CLIENTS: usize = 8;
/// Silence after which the beginning of a question on a serial line is none any more: far above 3.5 characters, far below
/// any time-out.
const FRAME_GAP: Duration = Duration::from_millis(50);
/// An answer that is held back goes out after this time at the latest.
const HELD_AT_MOST: Duration = Duration::from_secs(1);
/// Bytes of questions that are kept while a device thinks.
const MOST_KEPT: usize = 4 * FRAME_MAX;
/// Between two attempts to listen or dial.
const RETRY: Duration = Duration::from_millis(100);
/// A client that does not finish its handshake has no seat for longer.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Bits of a byte on a serial line: start, 8 data, parity or a second stop, stop.
const BITS_OF_A_BYTE: f64 = 11.0;

/// How a line is reached.
#[derive(Clone, Debug)]
pub enum Door {
    /// It waits for connections; port 0 is any free one.
    Listen(SocketAddr),
    /// It connects to a controller that listens, as a 4G modem does, and again when the connection is lost.
    Dial {
        /// `host:port` of the controller.
        address: String,
        /// What it says first, as modems say their number.
        greeting: Vec<u8>,
    },
    /// It stands at a serial port.
    Serial {
        /// Its path.
        path: String,
        /// Bits of a second. Answers take as long as they would on such a line, whatever the port is.
        baud: u32,
        /// Its parity.
        parity: Parity,
    },
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even, as the specification asks.
    #[default]
    Even,
    /// Odd.
    Odd,
}

/// A line.
#[derive(Clone, Debug)]
pub struct LineSettings {
    /// How it is reached.
    pub door: Door,
    /// How protocol data travels.
    pub framing: Framing,
    /// Encryption, for a line that listens.
    pub tls: Option<Tls>,
    /// What goes wrong.
    pub faults: WireFaults,
    /// Of everything that is drawn.
    pub seed: u64,
}

impl LineSettings {
    /// A faultless Modbus TCP line that listens here.
    pub fn tcp(listen: SocketAddr) -> LineSettings {
        LineSettings {
            door: Door::Listen(listen),
            framing: Framing::Tcp,
            tls: None,
            faults: WireFaults::default(),
            seed: 1,
        }
    }
}

/// What has befallen the connections by the clock.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    /// Connections older than this number are closed.
    closed_before: u64,
    /// Connections older than this number are open and dead.
    dead_before: u64,
    /// How many faults want nobody to be answered.
    mute: u32,
    /// How many faults want no port.
    gone: u32,
    /// The number of the next connection.
    next: u64,
}

/// What all connections share.
#[derive(Debug)]
struct Line {
    units: Arc<Units>,
    framing: Framing,
    mischief: Arc<Mischief>,
    fate: watch::Sender<Fate>,
    /// What a byte takes.
    byte: Duration,
    is_serial: bool,
}

/// A running line. Dropping it ends it.
#[derive(Debug)]
pub struct LineServer {
    address: Option<SocketAddr>,
    units: Arc<Units>,
    mischief: Arc<Mischief>,
    tasks: Vec<JoinHandle<()>>,
}

impl LineServer {
    /// Opens the line.
    ///
    /// # Errors
    /// If the address cannot be bound, the port cannot be opened or a certificate cannot be used.
    pub async fn start(settings: LineSettings, units: Arc<Units>) -> io::Result<LineServer> {
        let mischief = Arc::new(Mischief::new(settings.faults, settings.seed));
        let byte = match settings.door {
            Door::Serial { baud, .. } => Duration::from_secs_f64(BITS_OF_A_BYTE / f64::from(baud.max(1))),
            Door::Listen(_) | Door::Dial { .. } => Duration::ZERO,
        };
        let line = Arc::new(Line {
            units: Arc::clone(&units),
            framing: settings.framing,
            mischief: Arc::clone(&mischief),
            fate: watch::Sender::new(Fate::default()),
            byte,
            is_serial: matches!(settings.door, Door::Serial { .. }),
        });
        let tls = settings.tls.as_ref().map(Tls::acceptor).transpose()?;
        let mut address = None;
        let door = match settings.door {
            Door::Listen(listen) => {
                let listener = TcpListener::bind(listen).await?;
                let bound = listener.local_addr()?;
                address = Some(bound);
                tokio::spawn(Arc::clone(&line).listen(listener, bound, tls))
            }
            Door::Dial { address, greeting } => tokio::spawn(Arc::clone(&line).dial(address, greeting)),
            Door::Serial { path, baud, parity } => {
                let port = open(&path, baud, parity)?;
                tokio::spawn(Arc::clone(&line).stand_at(port, path, baud, parity))
            }
        };
        let clocks = (0..mischief.faults().len()).map(|place| tokio::spawn(Arc::clone(&line).clockwork(place)));
        let tasks = std::iter::once(door).chain(clocks).collect();
        Ok(LineServer { address, units, mischief, tasks })
    }

    /// Where it listens, if it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The devices behind it.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// How many questions came, and how often each fault was played.
    pub fn played(&self) -> Played {
        self.mischief.played()
    }

    /// Closes all connections and the port.
    pub async fn stop(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // Aborted is how it shall end.
            let _ = task.await;
        }
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Line {
    /// Plays one fault by the clock; ends at once for all others.
    async fn clockwork(self: Arc<Self>, place: usize) {
        let kind = self.mischief.faults()[place].kind;
        loop {
            if let Kind::Cut { every } = kind {
                sleep(every).await;
                self.mischief.count(place);
                self.fate.send_modify(|fate| fate.closed_before = fate.next);
            } else if let Kind::HalfOpen { every, lasts } = kind {
                sleep(every).await;
                self.mischief.count(place);
                self.fate.send_modify(|fate| (fate.dead_before, fate.mute) = (fate.next, fate.mute + 1));
                sleep(lasts).await;
                self.fate.send_modify(|fate| fate.mute -= 1);
            } else if let Kind::Restart { every, lasts } = kind {
                sleep(every).await;
                self.mischief.count(place);
                self.fate.send_modify(|fate| (fate.closed_before, fate.gone) = (fate.next, fate.gone + 1));
                sleep(lasts).await;
                self.fate.send_modify(|fate| fate.gone -= 1);
            } else {
                return;
            }
        }
    }

    /// Until the port is to be there, or until it is to be gone.
    async fn until_gone(&self, is_gone: impl Fn(u32) -> bool) {
        // The sender lives in `self`, so there is always somebody to wait for.
        let _ = self.fate.subscribe().wait_for(|fate| is_gone(fate.gone)).await;
    }

    async fn listen(self: Arc<Self>, listener: TcpListener, bound: SocketAddr, tls: Option<tokio_rustls::TlsAcceptor>) {
        let seats = Arc::new(Semaphore::new(MOST_CLIENTS));
        let mut clients = JoinSet::new();
        let mut listener = Some(listener);
        loop {
            let Some(open) = &listener else {
                self.until_gone(|gone| gone == 0).await;
                listener = TcpListener::bind(bound).await.ok();
                if listener.is_none() {
                    sleep(RETRY).await;
                }
                continue;
            };
            let (stream, peer) = tokio::select! {
                () = self.until_gone(|gone| gone > 0) => {
                    listener = None;
                    continue;
                }
                Some(_) = clients.join_next() => continue,
                accepted = open.accept() => {
                    let Ok(accepted) = accepted else {
                        // Out of descriptors, or gone before it was taken.
                        sleep(RETRY).await;
                        continue;
                    };
                    accepted
                }
            };
            let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
                tracing::warn!(%peer, "turned away: {MOST_CLIENTS} clients are connected already");
                continue;
            };
            if self.mischief.refuses() {
                continue;
            }
            let (line, tls) = (Arc::clone(&self), tls.clone());
            clients.spawn(async move {
                let outcome = line.welcome(stream, tls).await;
                tracing::debug!(%peer, ?outcome, "a client's connection ended");
                drop(seat);
            });
        }
    }

    async fn welcome(&self, stream: TcpStream, tls: Option<tokio_rustls::TlsAcceptor>) -> io::Result<()> {
        // Answers are single small packets; waiting to fill them up would only add delay.
        stream.set_nodelay(true)?;
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                let handshake = timeout(HANDSHAKE, tls.accept(stream)).await;
                self.serve(handshake.map_err(|_| io::ErrorKind::TimedOut)??).await
            }
        }
    }

    async fn dial(self: Arc<Self>, address: String, greeting: Vec<u8>) {
        loop {
            self.until_gone(|gone| gone == 0).await;
            if let Ok(mut stream) = TcpStream::connect(&address).await
                && !self.mischief.refuses()
                && stream.set_nodelay(true).is_ok()
                && stream.write_all(&greeting).await.is_ok()
            {
                let outcome = self.serve(stream).await;
                tracing::debug!(address, ?outcome, "the connection to the controller ended");
            }
            sleep(RETRY).await;
        }
    }

    /// Answers at a serial port, and at whatever stands at its path when it was lost, as an adapter that is plugged in again.
    async fn stand_at(self: Arc<Self>, port: SerialStream, path: String, baud: u32, parity: Parity) {
        let mut port = Some(port);
        loop {
            if let Some(port) = port.take() {
                let outcome = self.serve(port).await;
                tracing::warn!(path, ?outcome, "the serial port is lost; trying on");
            }
            sleep(RETRY).await;
            port = open(&path, baud, parity).ok();
        }
    }

    /// One connection until its end; a serial line has none but its own.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut number = 0;
        let mut fate = self.fate.subscribe();
        self.fate.send_modify(|fate| (number, fate.next) = (fate.next, fate.next + 1));
        let mut memory = Memory::default();
        let mut buffer = Vec::with_capacity(2 * FRAME_MAX);
        loop {
            let is_closed = |fate: &Fate| number < fate.closed_before;
            let outcome = tokio::select! {
                _ = fate.wait_for(is_closed) => Next::Closed,
                outcome = self.one(&mut stream, &mut buffer, &mut memory, number) => outcome?,
            };
            match outcome {
                Next::Again => {}
                Next::Closed if self.is_serial => {
                    // There is nothing to be closed: whatever was under way is lost.
                    buffer.clear();
                    memory = Memory::default();
                    self.fate.send_modify(|fate| (number, fate.next) = (fate.next, fate.next + 1));
                }
                Next::Closed => return Ok(()),
            }
        }
    }

    /// Waits for one question and plays what becomes of it.
    async fn one<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        buffer: &mut Vec<u8>,
        memory: &mut Memory,
        number: u64,
    ) -> io::Result<Next> {
        let question = match self.framing.cut(buffer) {
            Cut::Question(question, length) => {
                buffer.drain(..length);
                question
            }
            Cut::Noise(skip) => {
                buffer.drain(..skip);
                return Ok(Next::Again);
            }
            Cut::Lost => return Ok(Next::Closed),
            Cut::More => return self.more(stream, buffer, memory).await,
        };
        let fate = *self.fate.borrow();
        // A serial line cannot be made anew, so it comes alive again when the time is over.
        let is_dead = !self.is_serial && number < fate.dead_before;
        if is_dead || fate.mute > 0 || fate.gone > 0 {
            return Ok(Next::Again);
        }
        for step in self.mischief.answer(&question, &self.units, self.framing, memory) {
            match step {
                Step::Wait(time) => self.think(stream, buffer, time).await?,
                Step::Send(bytes) => {
                    if !self.byte.is_zero() {
                        sleep(self.byte * bytes.len() as u32).await;
                    }
                    stream.write_all(&bytes).await?;
                    stream.flush().await?;
                }
                Step::Trickle(bytes, pause) => {
                    for byte in bytes {
                        stream.write_all(&[byte]).await?;
                        stream.flush().await?;
                        // Even without a pause the reader gets its turn, so that it sees single bytes.
                        if pause.is_zero() {
                            tokio::task::yield_now().await;
                        } else {
                            self.think(stream, buffer, pause.max(self.byte)).await?;
                        }
                    }
                }
                Step::Close => return Ok(Next::Closed),
            }
        }
        if self.is_serial {
            buffer.clear();
            let mut deaf = [0; FRAME_MAX];
            while timeout(Duration::ZERO, stream.read(&mut deaf)).await.is_ok_and(|read| read.is_ok_and(|n| n > 0)) {}
        }
        Ok(Next::Again)
    }

    /// Lets time pass. Whoever hangs up meanwhile is not answered: a seat that is kept for nobody is one too few.
    async fn think<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        buffer: &mut Vec<u8>,
        time: Duration,
    ) -> io::Result<()> {
        let end = Instant::now() + time;
        let mut piece = [0; FRAME_MAX];
        // No client has this many questions under way; more is left to wait in the socket.
        while buffer.len() < MOST_KEPT {
            match timeout_at(end, stream.read(&mut piece)).await {
                Err(_) => return Ok(()),
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => buffer.extend_from_slice(&piece[..read?]),
            }
        }
        sleep_until(end).await;
        Ok(())
    }

    /// Reads on. An answer that is held back goes out when nothing comes for long.
    async fn more<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        buffer: &mut Vec<u8>,
        memory: &mut Memory,
    ) -> io::Result<Next> {
        let is_begun = !buffer.is_empty() && self.framing == Framing::Rtu;
        let patience = match (is_begun, &memory.held) {
            (true, _) => FRAME_GAP,
            (false, Some(_)) => HELD_AT_MOST,
            (false, None) => Duration::MAX,
        };
        let mut piece = [0; FRAME_MAX];
        let read = if patience == Duration::MAX {
            stream.read(&mut piece).await?
        } else if let Ok(read) = timeout(patience, stream.read(&mut piece)).await {
            read?
        } else {
            if is_begun {
                buffer.clear();
            } else if let Some(held) = memory.held.take() {
                stream.write_all(&held).await?;
                stream.flush().await?;
            }
            return Ok(Next::Again);
        };
        buffer.extend_from_slice(&piece[..read]);
        match read {
            0 if self.is_serial => Err(io::ErrorKind::UnexpectedEof.into()),
            0 => Ok(Next::Closed),
            _ => Ok(Next::Again),
        }
    }
}

fn open(path: &str, baud: u32, parity: Parity) -> io::Result<SerialStream> {
    let parity = match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let port = tokio_serial::new(path, baud).parity(parity).open_native_async();
    port.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error.to_string()))
}

/// How a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again,
    Closed,
}
