//! The station over HTTP: the page, the API, the metrics, and whether all is well.
//!
//! | address | what |
//! |---|---|
//! | `/` and `/assets/…` | the operator's page |
//! | `/api/v1/snapshot` | all that the page shows, as JSON |
//! | `/api/v1/events` | the same as server-sent events, one a cycle |
//! | `/api/v1/history`, `/api/v1/journal` | what was |
//! | `/api/v1/openapi.json` | the description of these |
//! | `/api/v1/samples`, `/api/v1/forecast` | what sources with a token bring (POST) |
//! | `/api/v1/intake` | what came in, and what was not used |
//! | `/metrics` | for Prometheus |
//! | `/healthz`, `/readyz` | the process; the station |
//! | `/demo/faults` | the demonstration's switches, under `heatstation demo` alone |
//!
//! # Why this shape
//! It reads the snapshots of the cycle and the store, and nothing leads from here to a device. The one way in is that of
//! samples and forecasts, into the same slots and bounds as those of any wire. It is bounded everywhere: connections, header and body sizes, times, points and buckets
//! of a query, reads of the disk at a time. Nothing queues for a slow reader; it sees the newest state or none.
//!
//! axum routes; the connections are served by hyper directly, because a time limit for a header that never ends can only
//! be set there.

#[cfg(test)]
pub(crate) mod canned;
mod demo;
mod guard;
mod health;
mod intake;
mod live;
mod pages;
mod problem;
mod prompt;
mod records;
mod stream;
#[cfg(test)]
mod tests;
mod view;
mod words;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::demo_door::DemoDoor;
use crate::metrics;
use crate::opcua_server::counters::Counters;
use crate::snapshot::Snapshots;
use crate::store::Store;
pub use intake::{IntakeDoors, PushDoors};
use live::Live;
use problem::Problem;
use prompt::Prompt;

/// Open connections, of which each costs some 10 KiB. An operator's browser opens two or three.
const CONNECTIONS_MAX: usize = 128;
/// A header that is not complete after this time is not waited for, nor is the next request of an idle connection.
const HEADER_WITHIN: Duration = Duration::from_secs(15);
/// The longest header, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// A peer that takes nothing of its answer for so long is let go.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// At the end answers under way may be finished for so long.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is served.
#[derive(Debug)]
pub struct Doors {
    /// Where the state of the station is seen.
    pub snapshots: Snapshots,
    /// Where its past is read.
    pub store: Arc<Store>,
    /// What sources may bring.
    pub intake: IntakeDoors,
    /// The simulated plant's switches, under `heatstation demo`.
    pub demo: Option<DemoDoor>,
    /// What the OPC UA server counts, if there is one.
    pub opcua: Option<Arc<Counters>>,
    /// The version of the program.
    pub version: &'static str,
    /// Names by which the station may be called besides `localhost` and any address, as in `k12.heat.example`. A request
    /// that calls another name is refused, or a foreign page could read the station through the operator's browser.
    pub allowed_hosts: Vec<String>,
}

/// What the handlers share.
#[derive(Debug)]
struct Inside {
    live: Live,
    store: Arc<Store>,
    demo: Option<demo::Demo>,
    opcua: Option<Arc<Counters>>,
    version: &'static str,
    allowed_hosts: Vec<String>,
    started: Instant,
    intake: IntakeDoors,
    bodies: Semaphore,
    reads: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

type Shared = Arc<Inside>;

/// Serves until `stop` resolves, then finishes what is under way for two seconds at most.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// The listener's own address cannot be read: it is no listener any more. A connection that fails ends alone.
pub async fn serve(
    listener: TcpListener,
    doors: Doors,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "serving the page, the API and the metrics");
    let service = TowerToHyperService::new(router(doors));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (ending, end) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            // The place comes first: beyond the limit connections wait in the kernel, not here.
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, place)) = accepted else { continue };
        let (service, end) = (service.clone(), end.clone());
        connections.spawn(async move {
            let _place = place;
            converse(stream, service, end).await;
        });
    }
    ending.send_replace(true);
    let all_gone = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all_gone).await.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // No more file descriptors, or a connection that died in the queue. A pause, or the loop would spin.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(200)).await;
            None
        }
    }
}

async fn converse(stream: TcpStream, service: TowerToHyperService<Router>, mut end: watch::Receiver<bool>) {
    // Events are small and must not wait for each other; without it they still arrive.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(Prompt::new(stream, TAKEN_WITHIN)), service);
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = async { drop(end.wait_for(|end| *end).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn router(doors: Doors) -> Router {
    let shared: Shared = Arc::new(Inside {
        live: live::follow(doors.snapshots),
        store: doors.store,
        demo: doors.demo.map(demo::Demo::new),
        opcua: doors.opcua,
        version: doors.version,
        allowed_hosts: doors.allowed_hosts,
        started: Instant::now(),
        intake: doors.intake,
        bodies: Semaphore::new(intake::BODIES_MAX),
        reads: Arc::new(Semaphore::new(records::READS_MAX)),
        streams: Arc::new(Semaphore::new(stream::STREAMS_MAX)),
    });
    Router::new()
        .route("/", get(pages::page))
        .route("/assets/{name}", get(pages::asset))
        .route("/metrics", get(measure))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/v1/snapshot", get(stream::snapshot))
        .route("/api/v1/events", get(stream::events))
        .route("/api/v1/history", get(records::history))
        .route("/api/v1/journal", get(records::journal))
        .route("/api/v1/samples", post(intake::samples))
        .route("/api/v1/forecast", post(intake::take_forecast))
        .route("/api/v1/intake", get(intake::show))
        .route("/api/v1/openapi.json", get(describe_api))
        .route("/demo/faults", get(demo::list))
        .route("/demo/faults/{key}", post(demo::switch))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(guard::BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), guard::guard))
        .with_state(shared)
}

async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address; the page is at /, the API at /api/v1/openapi.json")
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method; see the Allow header")
}

async fn describe_api() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (kind, include_str!("../../assets/openapi.json")).into_response()
}

async fn measure(State(shared): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    let arrived = shared.live.borrow().clone();
    // No cycle, no figures: a failed scrape says so better than an empty one.
    let snapshot = arrived.snapshot.as_ref().ok_or_else(|| Problem::unavailable("no control cycle has run yet"))?;
    let format = metrics::Format::wanted(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    let opcua = shared.opcua.as_ref().map(|counters| counters.read());
    let about = metrics::About { version: shared.version, age: arrived.age(), opcua };
    let fixed = [(header::CONTENT_TYPE, format.content_type()), (header::VARY, "accept")];
    Ok((fixed, metrics::exposition(snapshot, about, format)).into_response())
}
