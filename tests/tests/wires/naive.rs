//! A Modbus client as many are: it keeps its connection after a time-out, and takes the next frame for the answer. The
//! faults of the line have to show what is wrong with it, or they would show nothing about ours.

use std::time::Duration;

use heatstation_drivers::bus::{Bus, BusError, Refusal, Span, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub struct Naive {
    pub address: String,
    pub timeout: Duration,
    pub stream: Option<TcpStream>,
}

impl Naive {
    async fn converse(&mut self, span: Span) -> std::io::Result<Vec<u8>> {
        let stream = self.stream.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
        let [address, count] = [span.address, span.count].map(u16::to_be_bytes);
        let function = span.table.read_function();
        stream.write_all(&[0, 1, 0, 0, 0, 6, span.unit, function, address[0], address[1], count[0], count[1]]).await?;
        let mut header = [0; 7];
        stream.read_exact(&mut header).await?;
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])).saturating_sub(1)];
        stream.read_exact(&mut pdu).await?;
        Ok(pdu)
    }
}

impl Bus for Naive {
    async fn connect(&mut self) -> Result<(), BusError> {
        if self.stream.is_none() {
            let why =
                |error: std::io::Error| BusError::Unreachable { address: self.address.clone(), why: error.to_string() };
            self.stream = Some(TcpStream::connect(&self.address).await.map_err(why)?);
        }
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        let pdu = match timeout(self.timeout, self.converse(span)).await {
            Err(_) => return Err(BusError::Silent),
            Ok(Err(error)) => {
                self.stream = None;
                return Err(BusError::Broken(error.to_string()));
            }
            Ok(Ok(pdu)) => pdu,
        };
        match &pdu[..] {
            [function, code] if function & 0x80 != 0 => Err(BusError::Refused(Refusal::from_code(*code))),
            [_, _, data @ ..] if span.table.holds_bits() => Ok((0..usize::from(span.count))
                .map(|bit| u16::from(data.get(bit / 8).unwrap_or(&0) >> (bit % 8) & 1))
                .collect()),
            [_, _, data @ ..] => Ok(data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()),
            _ => Err(BusError::Nonsense("too short".to_owned())),
        }
    }

    async fn write(&mut self, _: u8, _: &Write) -> Result<(), BusError> {
        Err(BusError::Broken("it only reads".to_owned()))
    }

    fn disconnect(&mut self) {
        // This is what is wrong with it.
    }
}
