//! What was: telemetry and the journal, read from the store in blocking tasks, few at a time and in bounded pieces.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use heatstation_points::{Catalogue, Unit};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Shared;
use super::problem::Problem;
use super::words::{Text, describe};
use crate::store::{Order, Reader, Record, Selection, Store, StoreError};

/// Reads that run at the same time. The journal's writer must not starve for the disk.
pub(super) const READS_MAX: usize = 2;
/// A read that found no place in this time is turned away.
const PLACE_WITHIN: Duration = Duration::from_secs(5);
const POINTS_MAX: usize = 16;
const BUCKETS_MAX: usize = 2000;
const BUCKETS: usize = 720;
const DAY: i64 = 86_400_000;
const DAYS_MAX: i64 = 400;
const RECORDS_MAX: usize = 500;
const RECORDS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Names, separated by commas.
    points: String,
    from: Option<i64>,
    to: Option<i64>,
    buckets: Option<usize>,
}

#[derive(Serialize)]
struct History {
    from: i64,
    to: i64,
    /// `null` when each bucket is one sample.
    bucket_milliseconds: Option<u64>,
    damaged_blocks: usize,
    series: Vec<HistorySeries>,
}

#[derive(Serialize)]
struct HistorySeries {
    point: String,
    unit: Option<&'static str>,
    /// Wall clock in milliseconds, smallest, mean and largest value, number of samples. Where nothing was known there
    /// is no bucket.
    buckets: Vec<(i64, f64, f64, f64, u32)>,
}

pub(super) async fn history(
    State(shared): State<Shared>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let snapshot = shared.live.borrow().snapshot.clone();
    let snapshot = snapshot.ok_or_else(|| Problem::unavailable("no control cycle has run yet"))?;
    let points: Vec<String> = query.points.split(',').map(|name| name.trim().to_owned()).collect();
    if points.len() > POINTS_MAX {
        return Err(Problem::bad_request(format!("at most {POINTS_MAX} points can be asked for at once")));
    }
    let to = query.to.unwrap_or(snapshot.report.moment.wall.0.saturating_add(1));
    let from = query.from.unwrap_or(to.saturating_sub(DAY));
    if from >= to {
        return Err(Problem::bad_request("`from` must lie before `to`; both are milliseconds since 1970-01-01 UTC"));
    }
    if to.saturating_sub(from) > DAYS_MAX * DAY {
        return Err(Problem::bad_request(format!("at most {DAYS_MAX} days can be asked for at once")));
    }
    let buckets = query.buckets.unwrap_or(BUCKETS);
    if !(1..=BUCKETS_MAX).contains(&buckets) {
        return Err(Problem::bad_request(format!("`buckets` must lie between 1 and {BUCKETS_MAX}")));
    }
    let facts = Arc::clone(&snapshot.facts);
    let answer = read(&shared, move |reader| {
        let recorded = reader.history_points().map_err(failed)?;
        for point in &points {
            if unit_of(&facts.catalogue, point).is_none() && !recorded.contains(point) {
                return Err(unknown_point(&facts.catalogue, point));
            }
        }
        let names: Vec<&str> = points.iter().map(String::as_str).collect();
        let range = reader.range(&names, from, to, buckets).map_err(failed)?;
        let series = range.series.into_iter().map(|series| HistorySeries {
            unit: unit_of(&facts.catalogue, &series.point).map(Unit::name),
            point: series.point,
            buckets: series.buckets.iter().map(|b| (b.wall_milliseconds, b.min, b.mean, b.max, b.count)).collect(),
        });
        Ok(History {
            from,
            to,
            bucket_milliseconds: range.bucket_milliseconds,
            damaged_blocks: range.damaged_blocks,
            series: series.collect(),
        })
    });
    Ok(Json(answer.await?).into_response())
}

/// The unit of what is recorded under a name. Setpoints are recorded beside their points.
fn unit_of(catalogue: &Catalogue, name: &str) -> Option<Unit> {
    let point = catalogue.find(name).or_else(|| catalogue.find(name.strip_suffix("_setpoint")?));
    point.map(|definition| definition.unit)
}

fn unknown_point(catalogue: &Catalogue, name: &str) -> Problem {
    let near = catalogue.suggest(name);
    let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    Problem::bad_request(format!("there is no point {name:?}{hint}"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalQuery {
    limit: Option<usize>,
    /// Only records with a smaller sequence.
    before: Option<u64>,
    /// Kinds, separated by commas.
    kind: Option<String>,
}

#[derive(Serialize)]
struct JournalRecord {
    sequence: u64,
    wall_milliseconds: i64,
    kind: String,
    text: Text,
    body: serde_json::Value,
    hash: String,
}

pub(super) async fn journal(
    State(shared): State<Shared>,
    query: Result<Query<JournalQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(RECORDS);
    if !(1..=RECORDS_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` must lie between 1 and {RECORDS_MAX}")));
    }
    let kinds: Vec<String> = query.kind.iter().flat_map(|kinds| kinds.split(',')).map(str::to_owned).collect();
    if kinds.len() > POINTS_MAX {
        return Err(Problem::bad_request(format!("at most {POINTS_MAX} kinds can be asked for at once")));
    }
    let facts = shared.live.borrow().snapshot.as_ref().map(|snapshot| Arc::clone(&snapshot.facts));
    let records = read(&shared, move |reader| {
        // Sequences begin at 1, so nothing comes before the first.
        let to_sequence = query.before.map_or(u64::MAX, |before| before.saturating_sub(1));
        let selection = Selection { to_sequence, kinds, order: Order::NewestFirst, limit, ..Selection::default() };
        let records = reader.records(&selection).map_err(failed)?;
        Ok(records.iter().map(|record| show(record, facts.as_ref().map(|facts| &facts.catalogue))).collect::<Vec<_>>())
    })
    .await?;
    let next_before = records.last().filter(|last| last.sequence > 1).map(|last| last.sequence);
    Ok(Json(serde_json::json!({ "records": records, "next_before": next_before })).into_response())
}

fn show(record: &Record, catalogue: Option<&Catalogue>) -> JournalRecord {
    JournalRecord {
        sequence: record.sequence,
        wall_milliseconds: record.stamp.wall_milliseconds,
        kind: record.kind.clone(),
        text: describe(&record.kind, &record.body, catalogue),
        // A body is JSON by construction; one that is not is shown as the text that it is.
        body: serde_json::from_str(&record.body).unwrap_or_else(|_| record.body.clone().into()),
        hash: record.head().hash_hex(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: StoreError) -> Problem {
    tracing::warn!(%error, "the store could not be read for the page");
    Problem::unavailable(format!("the store cannot be read: {error}"))
}

async fn read<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(Reader) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let places: Arc<Semaphore> = Arc::clone(&shared.reads);
    let busy = || Problem::unavailable("others are reading the history; try again in a moment");
    let Ok(Ok(place)) = tokio::time::timeout(PLACE_WITHIN, places.acquire_owned()).await else { return Err(busy()) };
    let store: Arc<Store> = Arc::clone(&shared.store);
    let task = tokio::task::spawn_blocking(move || {
        // Held by the work, not by the request: who gives up waiting does not make room on the disk.
        let _place = place;
        work(store.reader().map_err(failed)?)
    });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a read of the store panicked");
        Err(Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "the read failed; see the log"))
    })
}
