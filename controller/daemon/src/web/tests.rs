//! What a client gets, over real connections on the loopback.

mod bringing;
mod hostile;
mod reading;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::canned::Station;
use super::{Doors, IntakeDoors, serve};
use crate::demo_door::{DemoDoor, DemoFault, DemoSwitch};
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreSettings};

/// A server with a station behind it.
struct Rig {
    address: SocketAddr,
    shown: watch::Sender<Option<Arc<Snapshot>>>,
    store: Arc<Store>,
    switched: mpsc::Receiver<DemoSwitch>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Rig {
    async fn start(snapshot: impl Into<Option<Snapshot>>) -> Rig {
        Rig::with(snapshot.into(), true).await
    }

    async fn with(snapshot: Option<Snapshot>, demonstration: bool) -> Rig {
        let (_, sources) = watch::channel(Arc::from([]));
        Rig::open(snapshot, demonstration, IntakeDoors { sources, forecasts: None }).await
    }

    async fn open(snapshot: Option<Snapshot>, demonstration: bool, intake: IntakeDoors) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings { reserve_bytes: 0, ..StoreSettings::default() };
        let store = Arc::new(Store::open(folder.path(), settings).unwrap());
        let (shown, snapshots) = watch::channel(snapshot.map(Arc::new));
        let (switches, switched) = mpsc::channel(1);
        let texts = ("1#循环泵故障".to_owned(), "pump 1 fails".to_owned());
        let faults = vec![DemoFault { key: "pump-1".to_owned(), texts }];
        let doors = Doors {
            intake,
            snapshots,
            store: Arc::clone(&store),
            demo: demonstration.then_some(DemoDoor { faults, switches }),
            opcua: None,
            version: "0.1.0",
            allowed_hosts: vec!["k12.heat.example".to_owned()],
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, doors, async { drop(stopped.await) }));
        Rig { address, shown, store, switched, stop, served, _folder: folder }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let mut say = |name: &str, value: &str| text.extend([name, ": ", value, "\r\n"]);
        if !headers.iter().any(|(name, _)| *name == "Host") {
            say("Host", &self.address.to_string());
        }
        for (name, value) in headers {
            say(name, value);
        }
        if !body.is_empty() {
            say("Content-Length", &body.len().to_string());
        }
        self.send(format!("{text}\r\n{body}").as_bytes()).await
    }

    /// Sends bytes as they are and reads to the end of the connection.
    async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may refuse before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the connection ends");
        Answer::read(&answer)
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Answer {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Answer { status: 0, headers: BTreeMap::new(), body: text };
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Answer { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn assert_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.header("content-type").starts_with("application/problem+json"), "{self:?}");
        assert_eq!(self.json()["status"], status);
        assert!(self.json()["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{self:?}");
    }
}

fn warm() -> Snapshot {
    Station::warm().run(1)
}

/// In JavaScript the later of two keys wins without a word.
#[test]
fn every_word_of_the_page_is_defined_once() {
    let words = include_str!("../../assets/words.js");
    let keys: Vec<&str> = words
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": [").map(|(key, _)| key))
        .filter(|key| key.chars().all(|letter| letter.is_ascii_alphanumeric()))
        .collect();
    assert!(keys.len() > 50, "{keys:?}");
    let distinct: std::collections::BTreeSet<&&str> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}
