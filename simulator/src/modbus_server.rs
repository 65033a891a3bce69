//! The simulated station PLC on Modbus TCP.
//!
//! `REGISTERS.md` beside this crate is its manual. The server answers from the [`SharedPlant`] image and never waits for
//! the plant. Unit id 1; any other unit gets exception 11, as from a gateway with nobody behind it. A wrong address is
//! exception 2, a wrong value exception 3, a function code that the PLC does not know exception 1.

use std::future::{Future, Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use crate::image::{Refusal, SharedPlant};
pub use crate::timetable::Link;

/// The only unit id that answers.
pub const UNIT: u8 = 1;
/// As many clients as a small PLC serves at once; the next is turned away.
pub const MOST_CLIENTS: usize = 8;

/// A running server.
#[derive(Debug)]
pub struct ModbusServer {
    address: SocketAddr,
    shared: SharedPlant,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl ModbusServer {
    /// Listens on `address` (port 0 for any free one) and serves the image.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr, shared: SharedPlant) -> io::Result<ModbusServer> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, shared.clone(), async {
            // A dropped handle stops the server just as well.
            let _ = stopped.await;
        }));
        Ok(ModbusServer { address, shared, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the PLC hang, or answer again.
    pub fn link(&self, link: Link) {
        self.shared.set_link(link);
    }

    /// Closes all connections and the port.
    ///
    /// # Errors
    /// If accepting connections had failed before.
    pub async fn stop(self) -> io::Result<()> {
        // The task may have ended by itself; then there is nobody left to tell.
        let _ = self.stop.send(());
        self.task.await.map_err(io::Error::other)?
    }
}

async fn serve(
    listener: TcpListener,
    shared: SharedPlant,
    stopped: impl Future<Output = ()> + Send + Sync + 'static,
) -> io::Result<()> {
    let seats = Arc::new(Semaphore::new(MOST_CLIENTS));
    let on_connected = |stream: tokio::net::TcpStream, peer: SocketAddr| {
        let client =
            Arc::clone(&seats).try_acquire_owned().ok().map(|seat| Client { shared: shared.clone(), _seat: seat });
        async move {
            let Some(client) = client else {
                tracing::warn!(%peer, "turned away: {MOST_CLIENTS} clients are connected already");
                return Ok(None);
            };
            // Answers are single small packets; waiting to fill them up would only add delay.
            stream.set_nodelay(true)?;
            Ok(Some((client, stream)))
        }
    };
    let on_error = |error: io::Error| tracing::debug!(%error, "a client's connection ended");
    Server::new(listener).serve_until(&on_connected, on_error, stopped).await.map(|_| ())
}

/// One connection.
struct Client {
    shared: SharedPlant,
    _seat: OwnedSemaphorePermit,
}

impl Service for Client {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Self::Response, Self::Exception>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        if self.shared.link() == Link::Silent {
            return ready(Ok(None));
        }
        self.shared.heard();
        if request.slave != UNIT {
            return ready(Err(ExceptionCode::GatewayTargetDevice));
        }
        ready(self.answer(request.request).map(Some))
    }
}

impl Client {
    fn answer(&self, request: Request<'static>) -> Result<Response, ExceptionCode> {
        let plc = &self.shared;
        match request {
            Request::ReadHoldingRegisters(address, count) => {
                plc.read(address, count).map(Response::ReadHoldingRegisters)
            }
            Request::WriteSingleRegister(address, word) => {
                plc.write(address, &[word]).map(|()| Response::WriteSingleRegister(address, word))
            }
            Request::WriteMultipleRegisters(address, words) => {
                plc.write(address, &words).map(|()| Response::WriteMultipleRegisters(address, words.len() as u16))
            }
            Request::ReadCoils(address, count) => plc.read_coils(address, count).map(Response::ReadCoils),
            Request::WriteSingleCoil(address, on) => {
                plc.write_coils(address, &[on]).map(|()| Response::WriteSingleCoil(address, on))
            }
            Request::WriteMultipleCoils(address, coils) => {
                plc.write_coils(address, &coils).map(|()| Response::WriteMultipleCoils(address, coils.len() as u16))
            }
            _ => return Err(ExceptionCode::IllegalFunction),
        }
        .map_err(|refusal| match refusal {
            Refusal::Address => ExceptionCode::IllegalDataAddress,
            Refusal::Value => ExceptionCode::IllegalDataValue,
        })
    }
}
