//! The demonstration's switches: the one thing here that a visitor can change, and only in the simulated plant.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::error::TrySendError;

use super::Shared;
use super::guard::is_same_origin;
use super::problem::Problem;
use super::words::Text;
use crate::demo_door::{DemoDoor, DemoSwitch};

/// The door, and what was last asked of it.
#[derive(Debug)]
pub(super) struct Demo {
    door: DemoDoor,
    asked: Mutex<BTreeMap<String, bool>>,
}

impl Demo {
    pub fn new(door: DemoDoor) -> Demo {
        Demo { door, asked: Mutex::new(BTreeMap::new()) }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    text: Text,
    /// As last asked through this door; off before anybody asked.
    active: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    active: bool,
}

const NO_DEMO: &str = "this is no demonstration: faults can be switched under `heatstation demo` alone";

pub(super) async fn list(State(shared): State<Shared>) -> Response {
    let Some(demo) = &shared.demo else { return Problem::not_found(NO_DEMO).into_response() };
    let asked = demo.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let faults: Vec<Shown> = demo
        .door
        .faults
        .iter()
        .map(|fault| Shown {
            key: &fault.key,
            text: Text::new(&fault.texts.0, &fault.texts.1),
            active: asked.get(&fault.key).copied().unwrap_or(false),
        })
        .collect();
    Json(serde_json::json!({ "faults": faults })).into_response()
}

pub(super) async fn switch(
    State(shared): State<Shared>,
    key: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let demo = shared.demo.as_ref().ok_or_else(|| Problem::not_found(NO_DEMO))?;
    if !is_same_origin(&headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "only the page of this station may switch faults"));
    }
    // A form of another site can send text, but not JSON, without asking first.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json, as {\"active\":true}"));
    }
    let Path(key) = key.map_err(|_| Problem::bad_request("the address cannot be read"))?;
    if !demo.door.faults.iter().any(|fault| fault.key == key) {
        return Err(Problem::not_found("there is no such fault; GET /demo/faults lists them"));
    }
    let body = body.map_err(|rejection| Problem::new(rejection.status(), "the body cannot be read"))?;
    let wish: Wish = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("send {{\"active\":true}} or {{\"active\":false}}: {error}")))?;

    match demo.door.switches.try_send(DemoSwitch { key: key.clone(), active: wish.active }) {
        Ok(()) => {
            demo.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), wish.active);
            let answer = serde_json::json!({ "key": key, "active": wish.active });
            Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
        }
        Err(TrySendError::Full(_)) => Err(Problem::unavailable("the plant is busy; try again in a second")),
        Err(TrySendError::Closed(_)) => Err(Problem::unavailable("the simulated plant has ended")),
    }
}
