//! Whether the process lives, and whether the station is being controlled.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Shared;
use super::live::Arrived;
use crate::cycle::PERIOD;

/// A cycle that said nothing for so many periods has stopped, as far as anybody outside can tell.
const PERIODS_MAX: u32 = 5;

#[derive(Serialize)]
struct Alive {
    status: &'static str,
    version: &'static str,
    uptime_seconds: u64,
}

/// The process answers; nothing more is claimed.
pub(super) async fn alive(State(shared): State<Shared>) -> Response {
    let uptime_seconds = shared.started.elapsed().as_secs();
    Json(Alive { status: "alive", version: shared.version, uptime_seconds }).into_response()
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<Reason>,
}

/// Something that keeps the station from being controlled or recorded.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Reason {
    what: &'static str,
    detail: String,
}

/// The cycle is alive, its wires are up, its records reach the disk.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    let arrived = shared.live.borrow().clone();
    let reasons = reasons(&arrived);
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}

fn reasons(arrived: &Arrived) -> Vec<Reason> {
    let Some(snapshot) = &arrived.snapshot else {
        return vec![Reason { what: "cycle", detail: "no control cycle has run yet".to_owned() }];
    };
    let mut reasons = Vec::new();
    let mut say = |what, detail| reasons.push(Reason { what, detail });
    if arrived.age() > PERIOD * PERIODS_MAX {
        say("cycle", format!("the last control cycle was {:.1} s ago", arrived.age().as_secs_f64()));
    }
    // What brings values by itself may be silent for hours: a station heats without it, and an alarm names it.
    let asked = snapshot.wires.iter().filter(|wire| wire.statistics.messages.is_none());
    for wire in asked.filter(|wire| !wire.statistics.is_connected) {
        say("wire", format!("wire {} is not connected", wire.name));
    }
    let store = &snapshot.store;
    if store.stopped {
        say("store", "the store has stopped: nothing is recorded".to_owned());
    }
    if let Some(trouble) = store.trouble {
        say("store", format!("records do not reach the disk: {}", super::words::trouble(trouble).en));
    }
    if let Some(damage) = &store.damage {
        say("store", format!("the database is damaged: {damage}"));
    }
    reasons
}
