//! What is brought to the station: samples and forecasts, by sources that have a token.
//!
//! | answer | when |
//! |---|---|
//! | 200 | the request was well formed; what became of each record is counted, the first troubles are told |
//! | 400, 422 | it is not JSON; it is JSON of another form: record and field are named, nothing was used |
//! | 401, 403 | no token or one that nobody has; a source that may not bring this |
//! | 413, 415 | too long; not `application/json` |
//! | 429 | too often: `Retry-After` says when |
//!
//! # Why in this order
//! The token first, from the header alone: whoever has none is not read from. The rate next, before a body costs memory.
//! The form of a request is judged whole and its records one by one: a sender that is misunderstood shall notice, and one
//! sensor out of range shall not cost the others their values. A request that is sent again does nothing the second time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heatstation_drivers::messages::forecast;
use heatstation_drivers::messages::json::Malformed;
use heatstation_drivers::messages::push::{PushDoor, Turned};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::Shared;
use super::problem::Problem;
use crate::forecasts::{ForecastDesk, Refused, Taken};

/// The largest body that is read of a source: a day of quarter hours of ten sensors, and as much again.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// Bodies that are read at a time; each takes its bytes and some times as much while it is understood.
pub(super) const BODIES_MAX: usize = 4;
/// The longest header of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 200;

/// The addresses that take such a body.
pub(super) const PATHS: [&str; 2] = ["/api/v1/samples", "/api/v1/forecast"];

/// The doors of the sources that post; another list when a configuration is loaded.
pub type PushDoors = watch::Receiver<Arc<[PushDoor]>>;

/// What sources may reach.
#[derive(Clone, Debug)]
pub struct IntakeDoors {
    /// The sources.
    pub sources: PushDoors,
    /// Where forecasts go; nowhere in a demonstration, which has a service of its own.
    pub forecasts: Option<Arc<ForecastDesk>>,
}

pub(super) async fn samples(State(shared): State<Shared>, request: Request) -> Result<Response, Problem> {
    let door = door_of(&shared, request.headers())?;
    let body = body_of(&shared, &door, request).await?;
    let receipt = door.take(&body).map_err(|turned| turned_away(&turned))?;
    Ok(Json(receipt).into_response())
}

pub(super) async fn take_forecast(State(shared): State<Shared>, request: Request) -> Result<Response, Problem> {
    let door = door_of(&shared, request.headers())?;
    if !door.brings_forecasts() {
        let detail = "this source may bring samples alone; write `forecast = true` under its [[push]]";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let Some(desk) = &shared.intake.forecasts else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "this program takes its forecast from elsewhere"));
    };
    let body = body_of(&shared, &door, request).await?;
    let brought = forecast::read(&body).map_err(|none| match none {
        forecast::NoForecast::NotJson(_) => Problem::bad_request(none.to_string()),
        forecast::NoForecast::TooLong(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, none.to_string()),
        forecast::NoForecast::NoIssue
        | forecast::NoForecast::NoHours
        | forecast::NoForecast::TooManyHours(_)
        | forecast::NoForecast::Hour { .. }
        | forecast::NoForecast::Elsewhere => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, none.to_string()),
    })?;
    let taken = desk.take(door.name(), brought).map_err(|refused| match refused {
        Refused::Older => Problem::new(StatusCode::CONFLICT, refused.to_string()),
        Refused::Future | Refused::Over | Refused::Unusable(_) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string())
        }
    })?;
    door.heard();
    let outcome = match taken {
        Taken::InForce => "in_force",
        Taken::Duplicate => "duplicate",
    };
    Ok(Json(serde_json::json!({ "forecast": outcome })).into_response())
}

/// What came in, and from whom: counts, ids that nobody knows, what is wrong.
pub(super) async fn show(State(shared): State<Shared>) -> Result<Response, Problem> {
    let arrived = shared.live.borrow().clone();
    let snapshot = arrived.snapshot.as_ref().ok_or_else(|| Problem::unavailable("no control cycle has run yet"))?;
    let source = |wire: &crate::snapshot::WireShown| {
        let messages = wire.statistics.messages.as_ref()?;
        let unknown: Vec<_> = messages
            .strangers
            .iter()
            .map(|stranger| {
                serde_json::json!({
                    "id": stranger.id,
                    "times": stranger.times,
                    "first_milliseconds": stranger.first_milliseconds,
                    "last_milliseconds": stranger.last_milliseconds,
                    "example": stranger.example,
                })
            })
            .collect();
        let records: serde_json::Map<String, serde_json::Value> =
            messages.counts.by_outcome().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
        Some(serde_json::json!({
            "name": wire.name,
            "connected": wire.statistics.is_connected,
            "oldest_age_seconds": wire.oldest_age.map(|age| age.as_secs_f64()),
            "records": records,
            "unknown_ids": unknown,
            "trouble": messages.trouble,
            "last_refusal": messages.last_refusal,
        }))
    };
    let sources: Vec<_> = snapshot.wires.iter().filter_map(source).collect();
    let standing = shared.intake.forecasts.as_ref().and_then(|desk| desk.standing());
    Ok(Json(serde_json::json!({ "sources": sources, "forecast": standing })).into_response())
}

/// Whose token that is.
fn door_of(shared: &Shared, headers: &HeaderMap) -> Result<PushDoor, Problem> {
    let sources = shared.intake.sources.borrow().clone();
    if sources.is_empty() {
        return Err(Problem::not_found("nothing posts to this station; write [[push]] for what shall"));
    }
    let refuse = |detail: &str| {
        let scheme = HeaderValue::from_static("Bearer realm=\"heatstation\"");
        Problem::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, scheme)
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
    let token = given.and_then(|given| {
        let (scheme, token) = given.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(token) = token.filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX) else {
        return Err(refuse("send the source's token, as in `Authorization: Bearer …`"));
    };
    let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    // All are compared, so that the time says nothing of which one it was.
    let mut found = None;
    for source in sources.iter() {
        if is_same(source.token_sha256(), &hash) {
            found = Some(source.clone());
        }
    }
    found.ok_or_else(|| refuse("no source has this token; `heatstation token new` makes one and its `token_sha256`"))
}

/// Compared in a time that does not depend on where they differ.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differing = one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other));
    std::hint::black_box(differing) == 0
}

/// The body, after all that can be known without it.
async fn body_of(shared: &Shared, door: &PushDoor, request: Request) -> Result<axum::body::Bytes, Problem> {
    door.admit().map_err(|turned| turned_away(&turned))?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
    }
    let Ok(_place) = shared.bodies.try_acquire() else {
        let soon = HeaderValue::from_static("1");
        return Err(
            Problem::unavailable("others are being read; try again in a second").with(header::RETRY_AFTER, soon)
        );
    };
    axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if too_long {
            let detail = format!("a request has at most {BODY_BYTES_MAX} bytes; send fewer records");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            Problem::bad_request("the body ended early")
        }
    })
}

fn turned_away(turned: &Turned) -> Problem {
    let words = turned.to_string();
    match turned {
        Turned::TooOften(wait) => Problem::new(StatusCode::TOO_MANY_REQUESTS, words)
            .with(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1)),
        Turned::Malformed(malformed) => match malformed {
            Malformed::NotJson(_) => Problem::bad_request(words),
            Malformed::TooLong { .. } | Malformed::TooMany { .. } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words),
            Malformed::NoRecords(_) | Malformed::Record { .. } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, words),
        },
    }
}
