//! The ways that bytes go: each opens into one stream, and the discipline above sees no difference.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use super::door::Door;
use super::tls;
use crate::bus::BusError;
use crate::transport::{Backup, Dial, Listen, Parity, Serial, StopBits, Tls, Transport};

/// At least this long for a connection: the first lost SYN is sent again after 1 s (RFC 6298, 2.1), so less than 2 s
/// would make one lost packet a lost connection.
const CONNECT_TIMEOUT_MIN: Duration = Duration::from_secs(2);

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How a stream is come by, and what has to be remembered between two of them.
pub(super) enum Way {
    Dialled { dialler: Dialler, tls: Option<Tls> },
    Serial(Serial),
    Listening { listen: Listen, door: Option<Door> },
}

impl Way {
    pub(super) fn of(transport: &Transport) -> Way {
        match transport {
            Transport::ModbusTcp(dial) | Transport::ModbusRtuOverTcp { dial, .. } => {
                Way::Dialled { dialler: Dialler::to(dial), tls: None }
            }
            Transport::ModbusTls { dial, tls } => Way::Dialled { dialler: Dialler::to(dial), tls: Some(tls.clone()) },
            Transport::ModbusRtu(serial) => Way::Serial(serial.clone()),
            Transport::Listen(listen) => Way::Listening { listen: listen.clone(), door: None },
        }
    }

    /// A fresh stream.
    pub(super) async fn open(&mut self, patience: Duration) -> Result<Box<dyn Stream>, BusError> {
        match self {
            Way::Dialled { dialler, tls } => {
                let patience = patience.max(CONNECT_TIMEOUT_MIN);
                let (stream, address) = dialler.open(patience).await?;
                let Some(tls) = tls else { return Ok(Box::new(stream)) };
                let secured = timeout(patience, tls::secure(stream, &address, tls)).await;
                let failed = |why: String| BusError::Unreachable { address: address.clone(), why };
                match secured {
                    Ok(Ok(stream)) => Ok(Box::new(stream)),
                    Ok(Err(error)) => Err(failed(error.to_string())),
                    Err(_) => Err(failed("no TLS handshake in time".to_owned())),
                }
            }
            Way::Serial(serial) => {
                let opened = open_port(serial);
                let why = |error: tokio_serial::Error| BusError::Unreachable {
                    address: serial.port.clone(),
                    why: error.to_string(),
                };
                Ok(Box::new(opened.map_err(why)?))
            }
            Way::Listening { listen, door } => {
                if door.is_none() {
                    let opened = Door::open(listen).await;
                    let why = |error: io::Error| BusError::Unreachable {
                        address: listen.address.clone(),
                        why: format!("cannot listen there: {error}"),
                    };
                    *door = Some(opened.map_err(why)?);
                }
                // A device dials in when it likes, and is heard by `called` between two attempts.
                let Some(door) = door else { return Err(nobody(listen)) };
                let stream = timeout(patience, door.next()).await.map_err(|_| nobody(listen))?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Whether a newer stream waits than the last one that was given out.
    pub(super) fn has_newer(&self) -> bool {
        match self {
            Way::Listening { door, .. } => door.as_ref().is_some_and(Door::has_one),
            Way::Dialled { .. } | Way::Serial(_) => false,
        }
    }

    /// Until somebody who dialled in waits to be let in.
    pub(super) async fn called(&self) {
        match self {
            Way::Listening { door: Some(door), .. } => door.somebody().await,
            Way::Listening { door: None, .. } | Way::Dialled { .. } | Way::Serial(_) => pending().await,
        }
    }

    /// What may come unasked for and is passed over.
    pub(super) fn heartbeat(&self) -> Option<&[u8]> {
        match self {
            Way::Listening { listen, .. } => listen.heartbeat.as_deref(),
            Way::Dialled { .. } | Way::Serial(_) => None,
        }
    }
}

fn nobody(listen: &Listen) -> BusError {
    BusError::Unreachable { address: listen.address.clone(), why: "the device has not dialled in".to_owned() }
}

/// Finds the server at its first address or at its second.
///
/// ```text
///            first unreachable, second answers
///  [ First ] ---------------------------------> [ Second since t ]
///      ^                                               |
///      |_______________________________________________| at a reconnect: first answers, and it is asked first
///                                                        from t + return_after on, before that only if the second fails
/// ```
#[derive(Debug)]
pub(super) struct Dialler {
    address: String,
    backup: Option<Backup>,
    second_since: Option<Instant>,
}

impl Dialler {
    pub(super) fn to(dial: &Dial) -> Dialler {
        Dialler { address: dial.address.clone(), backup: dial.backup.clone(), second_since: None }
    }

    async fn open(&mut self, patience: Duration) -> Result<(TcpStream, String), BusError> {
        let Some(backup) = self.backup.clone() else {
            return Ok((dial(&self.address, patience).await?, self.address.clone()));
        };
        let stays = self.second_since.is_some_and(|since| since.elapsed() < backup.return_after);
        let mut order = [(self.address.clone(), None), (backup.address, Some(Instant::now()))];
        if stays {
            order.reverse();
        }
        let [(one, one_is_second), (other, other_is_second)] = order;
        let first_failure = match dial(&one, patience).await {
            Ok(stream) => {
                self.second_since = self.second_since.filter(|_| stays).or(one_is_second);
                return Ok((stream, one));
            }
            Err(error) => error,
        };
        // Its failure is told of both: whoever looks for the cause looks at the first.
        let stream = dial(&other, patience).await.map_err(|_| first_failure)?;
        self.second_since = other_is_second;
        Ok((stream, other))
    }
}

async fn dial(address: &str, patience: Duration) -> Result<TcpStream, BusError> {
    let unreachable = |why: String| BusError::Unreachable { address: address.to_owned(), why };
    timeout(patience, connect(address))
        .await
        .map_err(|_| unreachable("no answer in time".to_owned()))?
        .map_err(|error| unreachable(error.to_string()))
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for candidate in lookup_host(address).await? {
        let socket = match candidate {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A request is one small packet; and a cable that was pulled is noticed some day.
        socket.set_nodelay(true)?;
        socket.set_keepalive(true)?;
        match socket.connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Opened for us alone: a second master on the same port is refused, and a port that another holds is not taken.
fn open_port(serial: &Serial) -> tokio_serial::Result<SerialStream> {
    let parity = match serial.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop_bits = match serial.stop_bits {
        StopBits::One => tokio_serial::StopBits::One,
        StopBits::Two => tokio_serial::StopBits::Two,
    };
    let stream = tokio_serial::new(&serial.port, serial.baud)
        .data_bits(tokio_serial::DataBits::Eight)
        .flow_control(tokio_serial::FlowControl::None)
        .parity(parity)
        .stop_bits(stop_bits)
        .open_native_async()?;
    // What came while nobody looked is nobody's answer.
    stream.clear(tokio_serial::ClearBuffer::All)?;
    Ok(stream)
}
