//! What every register wire can do: connect, read a run of addresses, write one thing.
//!
//! # Why a trait
//! The discipline of [`wire`](crate::wire) (who goes first, what is verified, when to give up) does not depend on how
//! bytes travel. [`Modbus`](crate::modbus::Modbus) is one implementation for all its framings and ways; the stories about
//! writes run in virtual time on a bus without a socket. The futures are part of the types (`impl Future`), so nothing is
//! boxed and the trait is not for `dyn`: a wire knows its bus when it is spawned.
//!
//! A source that speaks of nodes rather than of registers, as OPC UA does, does not come in here but one storey
//! higher: it has a task of its own that fills the same samples and statistics as a [`WireHandle`](crate::WireHandle).
//!
//! # The contract that keeps law 4
//! After any failure but a refusal the implementation has dropped its connection, and a call whose future is dropped
//! half-way has dropped it too: the answer to one request can never be taken for the answer to another.

use std::future::Future;

use crate::settings::Table;

/// Reads and writes runs of registers, one request at a time.
pub trait Bus: Send + 'static {
    /// Makes a fresh connection, if there is none.
    ///
    /// # Errors
    /// [`BusError::Unreachable`].
    fn connect(&mut self) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Whether the last connection still stands as far as anybody knows.
    fn is_connected(&self) -> bool;

    /// The words at these addresses, exactly as many as asked for. A bit is a word, 0 or 1.
    ///
    /// # Errors
    /// [`BusError::Refused`] keeps the connection, all others have dropped it.
    fn read(&mut self, span: Span) -> impl Future<Output = Result<Vec<u16>, BusError>> + Send;

    /// Writes, and checks that the answer speaks of this very write. It is sent once, whatever happens.
    ///
    /// # Errors
    /// [`BusError::Refused`]: it was not done. Any other: nobody knows whether it was done.
    fn write(&mut self, unit: u8, write: &Write) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Drops the connection.
    fn disconnect(&mut self);

    /// Until somebody asks to be connected: never, unless devices dial in.
    fn called(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// A run of addresses of one table of one Modbus unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The Modbus unit.
    pub unit: u8,
    /// The table.
    pub table: Table,
    /// First address.
    pub address: u16,
    /// How many addresses, at least 1.
    pub count: u16,
}

/// One write request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Function 5.
    SingleCoil {
        /// Its address.
        address: u16,
        /// On or off.
        on: Level,
    },
    /// Function 15.
    MultipleCoils {
        /// First address.
        address: u16,
        /// On or off, each.
        on: Vec<Level>,
    },
    /// Function 6.
    SingleRegister {
        /// Its address.
        address: u16,
        /// The word.
        word: u16,
    },
    /// Function 16.
    MultipleRegisters {
        /// First address.
        address: u16,
        /// The words.
        words: Vec<u16>,
    },
    /// Function 22: the word becomes `(word & and) | (or & !and)`.
    MaskRegister {
        /// Its address.
        address: u16,
        /// Bits that stay.
        and: u16,
        /// What the others become.
        or: u16,
    },
}

/// The state of a coil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 0.
    Low,
    /// 1.
    High,
}

impl Write {
    /// The first address that it changes.
    pub const fn address(&self) -> u16 {
        match self {
            Write::SingleCoil { address, .. }
            | Write::MultipleCoils { address, .. }
            | Write::SingleRegister { address, .. }
            | Write::MultipleRegisters { address, .. }
            | Write::MaskRegister { address, .. } => *address,
        }
    }
}

impl From<u16> for Level {
    fn from(word: u16) -> Level {
        if word == 0 { Level::Low } else { Level::High }
    }
}

/// Why a request brought nothing. One variant for each response that it deserves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// There is no connection, and none could be made. Wait, then try again.
    #[error("no connection to {address}: {why}")]
    Unreachable {
        /// Whither.
        address: String,
        /// What the system said.
        why: String,
    },
    /// No answer in time. The connection was dropped, because the answer may still come.
    #[error("no answer in time")]
    Silent,
    /// The connection broke. Make a new one.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// What came is not the answer to the question. The connection was dropped, because nothing on it can be trusted.
    #[error("not an answer to the question: {0}")]
    Nonsense(String),
    /// The device answers that it will not. The connection stands.
    #[error("refused: {0}")]
    Refused(Refusal),
}

/// How a device says no, by what is to be done about it (Modbus Application Protocol V1.1b3, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Exception 1: it does not know the function. The register map is wrong.
    #[error("illegal function (exception 1)")]
    Function,
    /// Exception 2: one of the addresses does not exist. The register map is wrong.
    #[error("illegal data address (exception 2)")]
    Address,
    /// Exception 3: the count or the value is not possible. The register map is wrong.
    #[error("illegal data value (exception 3)")]
    Value,
    /// Exceptions 5 and 6: busy. Ask again a little later.
    #[error("busy (exception 5 or 6)")]
    Busy,
    /// Exceptions 4, 10, 11 and any other: the device or the way to it is broken. Leave it alone for a while.
    #[error("device failure (exception {0})")]
    Failure(u8),
}

impl Refusal {
    /// The refusal that an exception code stands for.
    pub const fn from_code(code: u8) -> Refusal {
        match code {
            1 => Refusal::Function,
            2 => Refusal::Address,
            3 => Refusal::Value,
            5 | 6 => Refusal::Busy,
            other => Refusal::Failure(other),
        }
    }
}
