//! Modbus in all its forms: one discipline over two framings and every way that bytes go.
//!
//! | | MBAP: transaction id | RTU: checksum |
//! |---|---|---|
//! | we dial | Modbus TCP, Modbus/TCP Security | RTU over TCP, through a gateway |
//! | we open a port | | RTU on a serial line |
//! | the device dials in | yes | yes |
//!
//! [`question`] knows the protocol, [`frame`] what is around it, [`way`] how a stream is come by ([`tls`], [`door`]). Here
//! is what keeps law 4, *every accepted sample is a true value of its own register*:
//!
//! * **Time.** Each question has one deadline, and connecting its own.
//! * **One failure, one connection.** After any error but a refusal, after a time-out, and when the caller gives up
//!   half-way, the connection is gone: [`Modbus::exchange`] takes it out of its place first and puts it back only after a
//!   whole answer.
//! * **The answer fits to the byte.** Unit, function, length, byte count, checksum, echo; one byte more or less, before
//!   the question or behind the answer, and the whole is nobody's answer.
//! * **Whose answer, with a transaction id.** The ids go on counting from one connection to the next, so that a gateway
//!   which keeps a late answer for whoever connects next brings an id of long ago.
//! * **Whose answer, without one.** A line of RTU frames is listened to until it has been silent for
//!   `silence_after_failure`, and a unit that left something unanswered is first asked what cannot be mistaken: [`doubt`].
//!
//! What no client can see stands in [`doubt`] and, for MBAP, here: a gateway that gives a late answer of its bus the id of
//! the newest question. Against that helps a time-out longer than the gateway's own.
//!
//! Broadcasts (unit 0 on a serial line) have no answer: reads to it are never sent there.
//!
//! Why not the library's own client, in docs/adr/0011.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::bus::{Bus, BusError, Refusal, Span, Write};
use crate::settings::WireSettings;
use crate::transport::{Framing, Transport};

mod door;
mod doubt;
mod frame;
mod question;
mod tls;
mod way;

use doubt::{Doubt, Leave};
use frame::{FRAME_MAX, Progress};
use question::{Answer, Question};
use way::{Stream, Way};

/// A line that is not silent for once in so many silences is never silent: somebody else talks there, or it is noise.
const SILENCES_WAITED: u32 = 4;
/// So many canaries before one question; each has a look of its own, and more would only wear on the unit.
const CANARIES_MAX: u32 = 3;

/// So long a line without transaction ids is listened to before each question: the least that a timer knows.
const LISTENS: Duration = Duration::from_millis(1);

/// One line with all units behind it.
pub struct Modbus {
    transport: Transport,
    way: Way,
    framing: Framing,
    timeout: Duration,
    silence_after_failure: Duration,
    pause_between_requests: Duration,
    pause_after_connect: Duration,
    connection: Option<Connection>,
    transaction: u16,
    doubt: Doubt,
    /// The question as it is sent, kept for its memory.
    sent: Vec<u8>,
}

struct Connection {
    stream: Box<dyn Stream>,
    quiet_until: Instant,
}

impl Modbus {
    /// The bus of this wire, not yet connected.
    pub fn new(wire: &WireSettings) -> Modbus {
        Modbus {
            transport: wire.transport.clone(),
            way: Way::of(&wire.transport),
            framing: wire.transport.framing(),
            timeout: wire.timeout,
            silence_after_failure: wire.silence_after_failure,
            pause_between_requests: wire.pause_between_requests.max(wire.transport.gap()),
            pause_after_connect: wire.pause_after_connect,
            connection: None,
            transaction: rand::random(),
            doubt: Doubt::about(wire),
            sent: Vec::with_capacity(FRAME_MAX),
        }
    }

    /// Asks, once the line is beyond doubt.
    async fn ask(&mut self, question: Question<'_>) -> Result<Vec<u16>, BusError> {
        if let Some(flaw) = question.flaw() {
            // Our own mistake, and no reason to blame the line.
            tracing::error!(unit = question.unit(), flaw, "not asked");
            return Err(BusError::Refused(Refusal::Value));
        }
        if self.framing == Framing::Rtu {
            self.end_doubt(&question).await?;
        }
        self.exchange(&question).await.and_then(words)
    }

    /// Sends canaries until the question may be asked.
    async fn end_doubt(&mut self, question: &Question<'_>) -> Result<(), BusError> {
        for _ in 0..=CANARIES_MAX {
            match self.doubt.leave(question) {
                Leave::Ask => return Ok(()),
                Leave::Wait => break,
                Leave::Canary(canary) => match self.exchange(&Question::Read(canary)).await? {
                    // What is wrong with the canary is not wrong with the question.
                    Answer::Words(_) | Answer::Refused(Refusal::Function | Refusal::Address | Refusal::Value) => {}
                    Answer::Refused(other) => return Err(BusError::Refused(other)),
                },
            }
        }
        // What it still owes cannot be told from what it would answer now.
        self.connection = None;
        Err(BusError::Silent)
    }

    /// One question and its answer.
    async fn exchange(&mut self, question: &Question<'_>) -> Result<Answer, BusError> {
        if self.way.has_newer() {
            self.connection = None;
            return Err(BusError::Broken("the device has dialled in anew".to_owned()));
        }
        // Taken out, so that whoever drops this future half-way drops the connection with it.
        let Some(mut connection) = self.connection.take() else {
            return Err(BusError::Broken("not connected".to_owned()));
        };
        // Asked first, because the timer counts in whole milliseconds: a sleep until a moment just past ends at the next
        // one, and made 900 requests a second out of many thousands.
        if Instant::now() < connection.quiet_until {
            sleep_until(connection.quiet_until).await;
        }
        // What has come meanwhile is known here only when the system was asked, and that happens while this task sleeps.
        let listens = (self.framing == Framing::Rtu).then_some(LISTENS);
        connection.hear_nothing(self.way.heartbeat(), listens).await?;

        self.transaction = self.transaction.wrapping_add(1);
        self.framing.pack(self.transaction, question, &mut self.sent);
        let bytes = self.sent.len() + self.framing.answer_length(question);
        let patience = self.timeout + self.transport.travel(bytes);
        if self.framing == Framing::Rtu {
            // From the first byte on, and before anybody can give up.
            self.doubt.asked(question);
        }
        let listener = Listener {
            framing: self.framing,
            transaction: self.transaction,
            heartbeat: self.way.heartbeat().unwrap_or_default(),
        };
        let answer = timeout(patience, connection.converse(&self.sent, &listener, question))
            .await
            .map_err(|_| BusError::Silent)??;
        match answer {
            Answer::Words(_) => self.doubt.answered(question),
            Answer::Refused(_) => self.doubt.refused(question),
        }
        connection.quiet_until = Instant::now() + self.pause_between_requests;
        self.connection = Some(connection);
        Ok(answer)
    }
}

fn words(answer: Answer) -> Result<Vec<u16>, BusError> {
    match answer {
        Answer::Words(words) => Ok(words),
        Answer::Refused(refusal) => Err(BusError::Refused(refusal)),
    }
}

impl Modbus {
    /// Nobody may answer what everybody hears (Modbus over Serial Line V1.02, 2.2): on a bus unit 0 is not asked.
    fn is_broadcast(&self, unit: u8) -> bool {
        unit == 0 && self.framing == Framing::Rtu
    }
}

impl Bus for Modbus {
    async fn connect(&mut self) -> Result<(), BusError> {
        if self.connection.is_some() && !self.way.has_newer() {
            return Ok(());
        }
        self.connection = None;
        let mut stream = self.way.open(self.timeout).await?;
        if !self.pause_after_connect.is_zero() {
            sleep(self.pause_after_connect).await;
        }
        if self.framing == Framing::Rtu {
            let address = || self.transport.addresses().first().map_or(String::new(), ToString::to_string);
            drain(&mut *stream, self.silence_after_failure)
                .await
                .map_err(|why| BusError::Unreachable { address: address(), why })?;
        }
        self.connection = Some(Connection { stream, quiet_until: Instant::now() });
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        if self.is_broadcast(span.unit) {
            return Err(BusError::Refused(Refusal::Value));
        }
        self.ask(Question::Read(span)).await
    }

    async fn write(&mut self, unit: u8, write: &Write) -> Result<(), BusError> {
        if self.is_broadcast(unit) {
            return Err(BusError::Refused(Refusal::Value));
        }
        self.ask(Question::Write(unit, write)).await.map(|_| ())
    }

    fn disconnect(&mut self) {
        self.connection = None;
    }

    async fn called(&mut self) {
        self.way.called().await;
    }
}

/// By what an answer is known while it comes in.
struct Listener<'a> {
    framing: Framing,
    transaction: u16,
    heartbeat: &'a [u8],
}

impl Connection {
    /// Before a question: whatever waits to be read was not asked for.
    async fn hear_nothing(&mut self, heartbeat: Option<&[u8]>, listens: Option<Duration>) -> Result<(), BusError> {
        let mut came = [0; FRAME_MAX];
        let length = match listens {
            None => poll_once(&mut *self.stream, &mut came).await?.unwrap_or(0),
            Some(listens) => match timeout(listens, self.stream.read(&mut came)).await {
                Err(_) => 0,
                Ok(Ok(0)) => return Err(BusError::Broken("closed by the device".to_owned())),
                Ok(Ok(length)) => length,
                Ok(Err(error)) => return Err(BusError::Broken(error.to_string())),
            },
        };
        let mut heard = &came[..length];
        if let Some(beat) = heartbeat.filter(|beat| !beat.is_empty()) {
            while let Some(rest) = heard.strip_prefix(beat) {
                heard = rest;
            }
        }
        if heard.is_empty() { Ok(()) } else { Err(BusError::Nonsense("bytes nobody asked for".to_owned())) }
    }

    async fn converse(
        &mut self,
        sent: &[u8],
        listener: &Listener<'_>,
        question: &Question<'_>,
    ) -> Result<Answer, BusError> {
        let broken = |error: std::io::Error| BusError::Broken(error.to_string());
        self.stream.write_all(sent).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)?;
        // One byte more than a frame has, so that too long an answer is seen to be too long.
        let mut buffer = [0; FRAME_MAX + 1];
        let mut length = 0;
        loop {
            match self.stream.read(&mut buffer[length..]).await.map_err(broken)? {
                0 => return Err(BusError::Broken("closed by the device".to_owned())),
                came => length += came,
            }
            let beat = listener.heartbeat;
            while !beat.is_empty() && buffer[..length].starts_with(beat) {
                buffer.copy_within(beat.len()..length, 0);
                length -= beat.len();
            }
            if !beat.is_empty() && beat.starts_with(&buffer[..length]) {
                continue;
            }
            match listener.framing.judge(listener.transaction, question, &buffer[..length]) {
                Progress::More => {}
                Progress::Whole(pdu) => return question.read(&buffer[pdu]).map_err(BusError::Nonsense),
                Progress::Wrong(why) => return Err(BusError::Nonsense(why)),
            }
        }
    }
}

/// What is there to be read at this moment; none if nothing is.
async fn poll_once(stream: &mut dyn Stream, into: &mut [u8]) -> Result<Option<usize>, BusError> {
    let mut buffer = ReadBuf::new(into);
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(None),
            Poll::Ready(Err(error)) => Err(BusError::Broken(error.to_string())),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Err(BusError::Broken("closed by the device".to_owned()))
            }
            Poll::Ready(Ok(())) => Ok(Some(buffer.filled().len())),
        })
    })
    .await
}

/// Listens until nothing has come for so long; what comes is nobody's.
async fn drain(stream: &mut dyn Stream, silence: Duration) -> Result<(), String> {
    let end = Instant::now() + silence * SILENCES_WAITED;
    let mut came = [0; FRAME_MAX];
    loop {
        let until = Instant::now() + silence;
        if end < until {
            return Err("the line is never silent: another master on it, or noise".to_owned());
        }
        match timeout_at(until, stream.read(&mut came)).await {
            Err(_) => return Ok(()),
            Ok(Ok(0)) => return Err("closed by the device".to_owned()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
        }
    }
}
