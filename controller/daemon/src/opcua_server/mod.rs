//! The station as an OPC UA server: the second face beside the page, for the SCADA in the house and for dispatch.
//!
//! ```text
//!  client --> gate --> library --> nodes --read--> memory <--publish-- newest snapshot
//!            (how many)  (who)       `--write, call--> door --> the mailbox of requests --> step
//! ```
//!
//! Read in this order: `board` is what is shown and where it comes from, `tree` makes nodes of it, `publish` keeps them
//! up to date; `users` says who may come in, `wishes` what may be asked, `door` how it is asked and answered.
//!
//! # Invariants
//! It reads the same snapshot as metrics and page and files the same bounded requests as everybody; it cannot reach a
//! device. It has threads of its own: RSA and Argon2 take milliseconds, and the control's threads must not wait for a
//! stranger's handshake. When it fails it is started again, and the control does not notice.
//!
//! # Security
//! Every endpoint signs and encrypts, a client's certificate has to lie on the trust list (`heatstation pki`), and a
//! user has to log in. The one exception, reading unencrypted, has to be written in the station's file and cannot write by
//! the type of what it is (see [`door::Operator`]).

mod alarms;
mod board;
pub mod counters;
pub mod door;
mod gate;
mod names;
mod nodes;
mod publish;
mod quality;
mod tree;
mod units;
mod users;
mod wishes;

#[cfg(test)]
mod tests;

pub use names::NAMESPACE;
pub use users::is_right;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use heatstation_config::{OpcuaPolicy, OpcuaServerSettings, Unencrypted};
use heatstation_core::request::Request;
use heatstation_drivers::opcua::pki::{Own, OwnIdentity, Pki};
use opcua::crypto::SecurityPolicy;
use opcua::server::address_space::AddressSpace;
use opcua::server::node_manager::ServerContext;
use opcua::server::node_manager::memory::InMemoryNodeManagerBuilder;
use opcua::server::{ServerBuilder, ServerEndpoint, ServerHandle};
use opcua::types::{MessageSecurityMode, VariableId, Variant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use self::board::Board;
use self::counters::Counters;
use self::door::Door;
use self::gate::Gate;
use self::nodes::{Nodes, StationNodes};
use self::users::Users;
use crate::clock::Clock;
use crate::snapshot::Snapshots;
use crate::store::Store;

/// After a failure the server is started again, not at once.
const RESTART_AFTER: Duration = Duration::from_secs(5);
/// How long sessions may take to end when the program stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often the number of sessions is shown and old rejected certificates are cleared away.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// A session that says nothing is closed; twice the library's default, for slow radio links (open62541 issue 2790: 5 s was
/// too short where 60 s works). Until then a client that lost its connection has its old session beside its new one.
const SESSION_TIMEOUT_MILLISECONDS: u64 = 120_000;
/// Bytes of a message. All values of a large station are some 60 kB.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
const CHUNKS_MAX: usize = 32;
const ARRAY_MAX: usize = 10_000;
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A server that is set up and does not run yet: whatever can fail at a start has been tried.
pub struct OpcuaServer {
    settings: OpcuaServerSettings,
    listener: std::net::TcpListener,
    pki: Pki,
    identity: OwnIdentity,
    counters: Arc<Counters>,
}

/// Where it gets its knowledge and leaves its wishes.
pub struct Ways {
    /// What is shown.
    pub snapshots: Snapshots,
    /// What is asked.
    pub requests: mpsc::Sender<Request>,
    /// The records.
    pub store: Arc<Store>,
    /// The clock that dates them.
    pub clock: Clock,
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl OpcuaServer {
    /// Takes the port, and reads the certificate. If there is none yet it is made when the server runs: that takes seconds
    /// on a small computer, and the control does not wait for them.
    ///
    /// # Errors
    /// The port is taken, or the certificate cannot be read.
    pub fn set_up(settings: &OpcuaServerSettings, station: &str, data: &Path) -> anyhow::Result<OpcuaServer> {
        let listen = settings.listen;
        let listener = std::net::TcpListener::bind(listen).with_context(|| {
            format!("the OPC UA server cannot listen on {listen}; choose another with `listen` under [opcua_server]")
        })?;
        listener.set_nonblocking(true)?;
        let pki = Pki::of_data(data);
        let identity = OwnIdentity { station: station.to_owned(), addresses: vec![settings.host.clone()] };
        if pki.folder().join(Pki::own_certificate()).exists() {
            pki.own(&identity).context("the OPC UA server has no certificate")?;
        }
        Ok(OpcuaServer { settings: settings.clone(), listener, pki, identity, counters: Arc::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the socket has gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Runs it on threads of its own.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(self, ways: Ways) -> anyhow::Result<Running> {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("opcua-server".to_owned()).spawn(move || {
            // One thread for clients, and this one for keeping the nodes up to date whatever clients do.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(2)
                .thread_name("opcua-client")
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => {
                    runtime.block_on(self.serve(ways, stopped));
                    runtime.shutdown_timeout(FAREWELL);
                }
                Err(error) => tracing::error!(%error, "the OPC UA server cannot start"),
            }
        })?;
        Ok(Running { stop, thread })
    }

    async fn serve(self, ways: Ways, stopped: oneshot::Receiver<()>) {
        let mut stopped = std::pin::pin!(stopped);
        let mut snapshots = ways.snapshots.clone();
        let first = tokio::select! {
            first = snapshots.wait_for(Option::is_some) => first.is_ok(),
            _ = &mut stopped => return,
        };
        if !first {
            return;
        }
        let listener = match self.listener.try_clone().and_then(TcpListener::from_std) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the OPC UA server cannot listen"),
        };
        let door = Door::new(
            &self.settings,
            ways.snapshots,
            ways.requests,
            (ways.store, ways.clock),
            Arc::clone(&self.counters),
        );
        let (door, gate) = (Arc::new(door), Gate::new(Arc::clone(&self.counters)));
        loop {
            let ended = tokio::select! {
                ended = self.run_once(&listener, &door, &gate) => ended,
                _ = &mut stopped => return,
            };
            let why = ended.err().map_or_else(|| "it has ended".to_owned(), |error| format!("{error:#}"));
            tracing::error!(why, "the OPC UA server has failed; it is started again");
            tokio::select! {
                () = sleep(RESTART_AFTER) => {}
                _ = &mut stopped => return,
            }
        }
    }

    /// One life of the library's server. Dropping it ends it.
    async fn run_once(&self, outer: &TcpListener, door: &Arc<Door>, gate: &Arc<Gate>) -> anyhow::Result<()> {
        let own = self.pki.own(&self.identity).context("the OPC UA server has no certificate")?;
        self.counters.show_certificate(own.not_after);
        let inner = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let inside = inner.local_addr()?;
        let snapshot = door.snapshot().context("there is no snapshot yet")?;
        let (board_door, origin) = (Arc::clone(door), door.origin());
        let builder = self.endpoints(self.builder(&own)?).with_authenticator(Arc::new(Users::new(
            &self.settings,
            Arc::clone(door),
            Arc::clone(&self.counters),
        )));
        let facts = Arc::clone(&snapshot.facts);
        let nodes = InMemoryNodeManagerBuilder::new(move |context: ServerContext, space: &mut AddressSpace| {
            let make = |index| Board::of(&facts, index, origin, &board_door);
            StationNodes::build(&context, space, Arc::clone(&board_door), make)
        });
        let (server, handle) = builder.with_node_manager(nodes).build().map_err(|why| anyhow!(why))?;
        let nodes = handle.node_managers().get_of_type::<Nodes>().context("the nodes are not there")?;
        let _ending = Ending(handle.clone());
        let server = tokio::spawn(server.run_with(inner));
        self.tell_the_outer_port(&handle).await?;
        tokio::select! {
            ended = server => ended?.map_err(|why| anyhow!(why)),
            () = Arc::clone(gate).serve(outer, inside) => Ok(()),
            () = publish::run(&nodes, &handle, door) => Ok(()),
            () = self.keep_house(&handle) => Ok(()),
        }
    }

    /// The library tells clients the port that it listens on itself; theirs is the gate's.
    async fn tell_the_outer_port(&self, handle: &ServerHandle) -> anyhow::Result<()> {
        let port = &handle.info().port;
        for _ in 0..200 {
            if port.load(Ordering::Relaxed) != 0 {
                port.store(self.address()?.port(), Ordering::Relaxed);
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(anyhow!("the OPC UA server does not come up"))
    }

    async fn keep_house(&self, handle: &ServerHandle) {
        loop {
            sleep(HOUSEKEEPING).await;
            let sessions = VariableId::Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount;
            if let Some(Variant::UInt32(count)) = handle.info().summary().get(sessions).and_then(|count| count.value) {
                self.counters.show_sessions(u64::from(count));
            }
            if let Err(error) = self.pki.forget_old_rejected() {
                tracing::warn!(%error, "old rejected certificates are kept");
            }
        }
    }

    fn builder(&self, own: &Own) -> anyhow::Result<ServerBuilder> {
        let port = self.address()?.port();
        let host = &self.settings.host;
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.clone() };
        let mut builder = ServerBuilder::new()
            .application_name(format!("heatstation {}", self.identity.station))
            .application_uri(own.application_uri.clone())
            .product_uri("urn:heatstation")
            .host(host.clone())
            .port(port)
            .discovery_urls(vec![format!("opc.tcp://{host}:{port}/")])
            .pki_dir(self.pki.folder())
            .certificate_path(Pki::own_certificate())
            .private_key_path(Pki::own_key())
            .create_sample_keypair(false)
            .trust_client_certs(false)
            .check_cert_time(true)
            .diagnostics_enabled(true)
            .max_sessions(self.settings.sessions_max)
            .max_session_timeout_ms(SESSION_TIMEOUT_MILLISECONDS)
            .max_message_size(MESSAGE_BYTES_MAX)
            .max_chunk_count(CHUNKS_MAX)
            .max_array_length(ARRAY_MAX)
            .max_string_length(TEXT_BYTES_MAX)
            .max_byte_string_length(TEXT_BYTES_MAX);
        let limits = builder.limits_mut();
        limits.max_browse_continuation_points = 100;
        limits.subscriptions.max_subscriptions_per_session = 10;
        limits.subscriptions.max_monitored_items_per_sub = 5_000;
        // The control decides each second: nothing changes faster.
        limits.subscriptions.min_publishing_interval_ms = 250.0;
        limits.subscriptions.min_sampling_interval_ms = 250.0;
        limits.operational.max_nodes_per_read = 5_000;
        limits.operational.max_nodes_per_browse = 1_000;
        // More wishes than fit in a minute are no use in one message.
        limits.operational.max_nodes_per_write = 20;
        limits.operational.max_nodes_per_method_call = 4;
        limits.operational.max_monitored_items_per_call = 5_000;
        Ok(builder)
    }

    fn endpoints(&self, builder: ServerBuilder) -> ServerBuilder {
        let mut builder = builder;
        for policy in &self.settings.policies {
            let (name, policy) = match policy {
                OpcuaPolicy::Basic256Sha256 => ("basic256sha256", SecurityPolicy::Basic256Sha256),
                OpcuaPolicy::Aes128Sha256RsaOaep => ("aes128", SecurityPolicy::Aes128Sha256RsaOaep),
                OpcuaPolicy::Aes256Sha256RsaPss => ("aes256", SecurityPolicy::Aes256Sha256RsaPss),
            };
            let endpoint = ServerEndpoint::new("/", policy, MessageSecurityMode::SignAndEncrypt, &[]);
            builder = builder.add_endpoint(name, endpoint);
        }
        match self.settings.unencrypted {
            Unencrypted::Refused => builder,
            Unencrypted::MayRead => builder.add_endpoint("unencrypted", ServerEndpoint::new_none("/", &[])),
        }
    }
}

/// Ends the library's server when it is dropped: its task would go on otherwise.
struct Ending(ServerHandle);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Running {
    /// Stops it; sessions are told.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the OPC UA server has panicked");
        }
    }
}
