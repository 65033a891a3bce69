//! The state of the station: once, or once a cycle for as long as somebody listens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

use super::Shared;
use super::problem::Problem;

/// Pages that listen at the same time.
pub(super) const STREAMS_MAX: usize = 32;
/// A browser that lost us comes back after this time.
const COME_BACK: Duration = Duration::from_secs(2);

pub(super) async fn snapshot(State(shared): State<Shared>) -> Result<Response, Problem> {
    let json = shared.live.borrow().json(shared.version);
    let json = json.ok_or_else(|| Problem::unavailable("no control cycle has run yet"))?;
    Ok(([(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response())
}

/// One event a cycle, each with the whole state and the cycle's number as its id. A reader that is too slow misses
/// cycles; what it gets next is complete, so there is nothing to catch up on.
pub(super) async fn events(State(shared): State<Shared>) -> Result<Response, Problem> {
    let place = Arc::clone(&shared.streams).try_acquire_owned();
    let place = place.map_err(|_| Problem::unavailable("as many pages as can be served are listening already"))?;
    let version = shared.version;
    let states = WatchStream::new(shared.live.clone()).filter_map(move |arrived| {
        let _held = &place;
        let number = arrived.snapshot.as_ref()?.cycle.count.to_string();
        let json = arrived.json(version)?;
        // JSON is text by construction.
        let text = std::str::from_utf8(&json).ok()?;
        Some(Ok::<Event, Infallible>(Event::default().event("snapshot").id(number).retry(COME_BACK).data(text)))
    });
    Ok(Sse::new(states).keep_alive(KeepAlive::default()).into_response())
}
