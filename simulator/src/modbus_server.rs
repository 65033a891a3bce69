//! The simulated station PLC on Modbus TCP.
//!
//! `REGISTERS.md` beside this crate is its manual. The server answers from the [`SharedPlant`] image and never waits for
//! the plant. Unit id 1; any other unit gets exception 11, as from a gateway with nobody behind it. A wrong address is
//! exception 2, a wrong value exception 3, a function code that the PLC does not know exception 1.
//!
//! It is a [line](crate::wire) on which nothing goes wrong, with one device behind it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::image::SharedPlant;
pub use crate::timetable::Link;
pub use crate::wire::server::MOST_CLIENTS;
use crate::wire::{LineServer, LineSettings, Units};

/// The only unit id that answers.
pub const UNIT: u8 = 1;

/// A running server.
#[derive(Debug)]
pub struct ModbusServer {
    address: SocketAddr,
    shared: SharedPlant,
    line: LineServer,
}

impl ModbusServer {
    /// Listens on `address` (port 0 for any free one) and serves the image.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr, shared: SharedPlant) -> io::Result<ModbusServer> {
        let units = Arc::new(Units::mirrors(&shared, UNIT));
        let line = LineServer::start(LineSettings::tcp(address), units).await?;
        let address = line.address().unwrap_or(address);
        Ok(ModbusServer { address, shared, line })
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
    pub async fn stop(self) {
        self.line.stop().await;
    }
}
