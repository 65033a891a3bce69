//! Where a device dials in: a modem behind a mobile network has no address that we could dial.
//!
//! One door, one device. Whoever knocks is looked at by itself (whence, and what it says first), at most [`KNOCKING_MAX`]
//! at a time, each for [`PATIENCE`]; who passes takes the place of whoever stood there. The newest wins, because a modem
//! that was switched off and on leaves its old connection standing, open and dead, for hours.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::transport::Listen;

/// So many at once may be looked at; the next is sent away at once. A modem that redials while its old connection is
/// being looked at needs two.
const KNOCKING_MAX: usize = 8;
/// So long somebody may take to say who it is. Modems send their number with the first packet; a slow mobile network
/// takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failed `accept` (no file handles left), before the next.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Place {
    newest: Mutex<Option<TcpStream>>,
    news: Notify,
}

impl Place {
    fn take(&self) -> Option<TcpStream> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A listening socket. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Door {
    place: Arc<Place>,
    /// Aborts the task when it is dropped.
    _porter: JoinSet<()>,
}

impl Door {
    pub(super) async fn open(listen: &Listen) -> io::Result<Door> {
        let mut addresses = lookup_host(&listen.address).await?;
        let address = addresses.next().ok_or(io::Error::new(io::ErrorKind::NotFound, "the name has no address"))?;
        let listener = TcpListener::bind(address).await?;
        let place = Arc::new(Place::default());
        let mut porter = JoinSet::new();
        porter.spawn(keep(listener, listen.clone(), Arc::clone(&place)));
        Ok(Door { place, _porter: porter })
    }

    /// Whether somebody stands there.
    pub(super) fn has_one(&self) -> bool {
        self.place.newest.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Until somebody stands there.
    pub(super) async fn somebody(&self) {
        loop {
            let news = self.place.news.notified();
            if self.has_one() {
                return;
            }
            news.await;
        }
    }

    /// The newest, as soon as there is one.
    pub(super) async fn next(&self) -> TcpStream {
        loop {
            let news = self.place.news.notified();
            if let Some(stream) = self.place.take() {
                return stream;
            }
            news.await;
        }
    }
}

async fn keep(listener: TcpListener, listen: Listen, place: Arc<Place>) {
    let mut knocking = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = knocking.join_next() => continue,
        };
        match accepted {
            Err(error) => {
                tracing::warn!(address = listen.address, %error, "nobody can dial in; trying on");
                sleep(PAUSE).await;
            }
            Ok((_, peer)) if !is_welcome(&listen, peer.ip()) => {
                tracing::warn!(address = listen.address, %peer, "dialled in from where nobody is expected");
            }
            Ok((_, peer)) if KNOCKING_MAX <= knocking.len() => {
                tracing::warn!(address = listen.address, %peer, "too many dial in at once");
            }
            Ok((stream, peer)) => {
                let (place, registration) = (Arc::clone(&place), listen.registration.clone());
                let address = listen.address.clone();
                knocking.spawn(async move {
                    match timeout(PATIENCE, identified(stream, registration.as_deref())).await {
                        Ok(Ok(stream)) => {
                            tracing::info!(address, %peer, "dialled in");
                            *place.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
                            place.news.notify_one();
                        }
                        Ok(Err(error)) => tracing::warn!(address, %peer, %error, "dialled in and was sent away"),
                        Err(_) => tracing::warn!(address, %peer, "dialled in and did not say who it is"),
                    }
                });
            }
        }
    }
}

fn is_welcome(listen: &Listen, peer: IpAddr) -> bool {
    listen.peers.is_empty() || listen.peers.iter().any(|welcome| welcome.to_canonical() == peer.to_canonical())
}

async fn identified(mut stream: TcpStream, registration: Option<&[u8]>) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let Some(expected) = registration else { return Ok(stream) };
    let mut said = vec![0; expected.len()];
    stream.read_exact(&mut said).await?;
    if said == expected { Ok(stream) } else { Err(io::Error::other("another registration packet than expected")) }
}
