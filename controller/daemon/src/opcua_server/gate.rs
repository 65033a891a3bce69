//! The gate before the server: so many connections in all, so many from one address, so many a minute, and none that
//! says nothing.
//!
//! # Why it stands apart
//! The library accepts every connection, keeps it as long as the other side likes, and hands nobody the address that it
//! comes from. So it listens on a port of loopback that the system chooses, and this gate, which knows the addresses,
//! carries the bytes. Who reaches that inner port is on this computer already; it still needs certificate and password.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::counters::Counters;
use super::door::Bucket;

/// Connections in all: sessions and those that are just coming or going, twice the usual number of sessions.
const CONNECTIONS_MAX: usize = 40;
/// Connections from one address. A SCADA with a hot standby behind one address has two, and as many while both reconnect.
const CONNECTIONS_OF_AN_ADDRESS: usize = 10;
/// New connections a minute from one address; a client that reconnects each second for half a minute still comes in.
const CONNECTIONS_PER_MINUTE: f64 = 60.0;
/// Addresses that are remembered; the rest of the world shares one more.
const ADDRESSES_MAX: usize = 256;
/// A connection on which nothing comes for so long is gone: longer than any session that says nothing.
const SILENCE_MAX: Duration = Duration::from_secs(5 * 60);
/// A message or a part of one.
const BUFFER: usize = 16 * 1024;

#[derive(Debug)]
struct Guest {
    open: usize,
    arrivals: Bucket,
}

/// The gate's book.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    guests: Mutex<HashMap<IpAddr, Guest>>,
    counters: Arc<Counters>,
}

/// A place that one connection holds.
struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
    _held: tokio::sync::OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.counters.note_disconnected();
        if let Some(guest) = self.gate.guests().get_mut(&self.address) {
            guest.open -= 1;
        }
    }
}

impl Gate {
    /// An empty gate.
    pub fn new(counters: Arc<Counters>) -> Arc<Gate> {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Arc::new(Gate { places, guests: Mutex::default(), counters })
    }

    fn guests(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from there, or none.
    fn admit(self: &Arc<Gate>, address: IpAddr, now: Instant) -> Option<Place> {
        let mut guests = self.guests();
        if guests.len() >= ADDRESSES_MAX && !guests.contains_key(&address) {
            guests.retain(|_, guest| guest.open > 0);
        }
        // Full of those who are here: a new address is a guest too many.
        if guests.len() >= ADDRESSES_MAX && !guests.contains_key(&address) {
            return None;
        }
        let new = || Guest { open: 0, arrivals: Bucket::new(CONNECTIONS_PER_MINUTE) };
        let guest = guests.entry(address).or_insert_with(new);
        if guest.open >= CONNECTIONS_OF_AN_ADDRESS || !guest.arrivals.takes(now) {
            return None;
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        guest.open += 1;
        self.counters.note_connected();
        Some(Place { gate: Arc::clone(self), address, _held: place })
    }

    /// Lets connections in until it is dropped.
    pub async fn serve(self: Arc<Gate>, outer: &TcpListener, inner: SocketAddr) {
        loop {
            let (stream, peer) = match outer.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // No more files, most likely: others have to leave first.
                    tracing::warn!(%error, "an OPC UA connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            let Some(place) = self.admit(peer.ip(), Instant::now()) else {
                self.counters.note_turned_away();
                tracing::debug!(%peer, "an OPC UA connection was turned away");
                continue;
            };
            tokio::spawn(async move {
                let _place = place;
                let Ok(server) = TcpStream::connect(inner).await else { return };
                let (_, _) = (stream.set_nodelay(true), server.set_nodelay(true));
                carry(stream, server).await;
            });
        }
    }
}

/// Carries bytes both ways until one side ends or both are silent for too long.
async fn carry(client: TcpStream, server: TcpStream) {
    let begun = Instant::now();
    let heard = AtomicU64::new(0);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let watch = async {
        loop {
            tokio::time::sleep(SILENCE_MAX / 10).await;
            let silent = begun.elapsed().saturating_sub(Duration::from_millis(heard.load(Relaxed)));
            if silent >= SILENCE_MAX {
                return;
            }
        }
    };
    tokio::select! {
        () = one_way(from_client, to_server, &heard, begun) => {}
        () = one_way(from_server, to_client, &heard, begun) => {}
        () = watch => {}
    }
}

async fn one_way(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, heard: &AtomicU64, begun: Instant) {
    let mut buffer = vec![0_u8; BUFFER];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        heard.store(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), Relaxed);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_of_the_places_and_no_more() {
        let (gate, now) = (Gate::new(Arc::default()), Instant::now());
        let address = |last| IpAddr::from([10, 0, 0, last]);
        let greedy: Vec<Place> = (0..50).filter_map(|_| gate.admit(address(1), now)).collect();
        assert_eq!(greedy.len(), CONNECTIONS_OF_AN_ADDRESS);
        let all: Vec<Place> = (2..100).filter_map(|last| gate.admit(address(last), now)).collect();
        assert_eq!(greedy.len() + all.len(), CONNECTIONS_MAX);
        drop(all);
        assert!(gate.admit(address(2), now).is_some());
    }

    #[test]
    fn who_comes_and_goes_too_fast_waits() {
        let (gate, now) = (Gate::new(Arc::default()), Instant::now());
        let address = IpAddr::from([10, 0, 0, 1]);
        let admitted = (0..200).filter(|_| gate.admit(address, now).is_some()).count();
        assert_eq!(admitted, CONNECTIONS_PER_MINUTE as usize);
        assert!(gate.admit(address, now + Duration::from_secs(2)).is_some());
    }

    #[test]
    fn addresses_without_end_take_no_memory_without_end() {
        let (gate, now) = (Gate::new(Arc::default()), Instant::now());
        for number in 0..10_000_u32 {
            let _ = gate.admit(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(gate.guests().len() <= ADDRESSES_MAX);
    }
}
