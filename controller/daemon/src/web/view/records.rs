//! Alarms, outages, the accident rate, wires and the store as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use heatstation_core::outage::OutageId;
use heatstation_drivers::schedule::Class;
use heatstation_drivers::wire::DeviceStatistics;
use serde::Serialize;

use super::pair;
use crate::snapshot::Snapshot;
use crate::web::words::{self, Text, Word};

/// Outages that are shown, newest first. The journal has all.
const OUTAGES_MAX: usize = 50;

#[derive(Serialize)]
pub(super) struct AlarmView {
    alarm: &'static str,
    priority: &'static str,
    text: Text,
    advice: Text,
    place: Text,
    since: i64,
    acknowledged: bool,
}

pub(super) fn alarms(snapshot: &Snapshot) -> Vec<AlarmView> {
    let view = |active: &heatstation_core::alarm::ActiveAlarm| AlarmView {
        alarm: active.key.alarm.name(),
        priority: active.key.alarm.priority().name(),
        text: pair(active.key.alarm.texts()),
        advice: words::advice(active.key.alarm),
        place: words::place(Some(&snapshot.facts.catalogue), active.key.place),
        since: active.since.0,
        acknowledged: active.acknowledged,
    };
    snapshot.report.alarms.iter().map(view).collect()
}

#[derive(Serialize)]
pub(super) struct OpenOutageView {
    id: String,
    since: i64,
    lasting_seconds: f64,
}

pub(super) fn open_outage((id, lasting): (OutageId, Duration)) -> OpenOutageView {
    OpenOutageView { id: id.to_string(), since: id.since.0, lasting_seconds: lasting.as_secs_f64() }
}

#[derive(Serialize)]
pub(super) struct OutageView {
    id: String,
    circuit: String,
    since: i64,
    /// `null` while it lasts.
    ended: Option<i64>,
    /// By the monotonic clock: a step of the wall clock makes no minutes.
    lasted_seconds: f64,
    area_square_meters: f64,
    cause: Word,
    suggested: Word,
}

pub(super) fn outages(snapshot: &Snapshot) -> Vec<OutageView> {
    let catalogue = &snapshot.facts.catalogue;
    let lasting = |id: OutageId| {
        let open = snapshot.report.circuits.iter().filter_map(|circuit| circuit.outage).find(|open| open.0 == id);
        open.map_or_else(|| snapshot.report.moment.wall.since(id.since), |open| open.1)
    };
    let mut list: Vec<_> = snapshot.outages.iter().collect();
    list.sort_by_key(|outage| std::cmp::Reverse(outage.id.since));
    let view = |outage: &heatstation_core::outage_book::Outage| OutageView {
        id: outage.id.to_string(),
        circuit: words::circuit_name(Some(catalogue), outage.id.circuit),
        since: outage.id.since.0,
        ended: outage.ended.map(|(ended, _)| ended.0),
        lasted_seconds: outage.ended.map_or_else(|| lasting(outage.id), |(_, lasted)| lasted).as_secs_f64(),
        area_square_meters: outage.area.square_meters(),
        cause: words::cause(outage.cause),
        suggested: words::cause(outage.suggested),
    };
    list.into_iter().take(OUTAGES_MAX).map(view).collect()
}

#[derive(Serialize)]
pub(super) struct AccidentRateView<'a> {
    /// The standard's figure, in ‰ with three decimals, from the exact fraction.
    season_per_mille: String,
    /// The running figure on the time elapsed; `null` before the season.
    to_date_per_mille: Option<String>,
    target_per_mille: Option<String>,
    clause: &'a str,
    status: Word,
    outages_counted: usize,
    counted_square_meter_seconds: f64,
    season_square_meter_seconds: f64,
    /// Share of the elapsed season that nobody observed: the figure's uncertainty.
    unobserved_ratio: Option<f64>,
}

pub(super) fn accident_rate(snapshot: &Snapshot) -> Option<AccidentRateView<'_>> {
    let rate = snapshot.accident_rate.as_ref()?;
    let rule = &snapshot.facts.settings.profile.accident_rate;
    Some(AccidentRateView {
        season_per_mille: rate.per_mille(),
        to_date_per_mille: per_mille(rate.counted.0, rate.to_date.0),
        target_per_mille: rule
            .target
            .as_ref()
            .and_then(|target| per_mille(u128::from(target.value.numerator), u128::from(target.value.denominator))),
        clause: &rule.clause,
        status: words::status(rate.status),
        outages_counted: rate.outages_counted,
        counted_square_meter_seconds: rate.counted.square_meter_seconds(),
        season_square_meter_seconds: rate.season.square_meter_seconds(),
        unobserved_ratio: (rate.to_date.0 > 0).then(|| rate.unobserved.0 as f64 / rate.to_date.0 as f64),
    })
}

/// Three decimals, rounded half up from the exact fraction: no document says how to round, so nothing is rounded twice.
fn per_mille(numerator: u128, denominator: u128) -> Option<String> {
    let twice = denominator.checked_mul(2).filter(|twice| *twice > 0)?;
    let thousandths = numerator.checked_mul(2_000_000)?.checked_add(denominator)? / twice;
    Some(format!("{}.{:03}", thousandths / 1000, thousandths % 1000))
}

#[derive(Serialize)]
pub(super) struct WireView<'a> {
    name: &'a str,
    connected: bool,
    requests_total: u64,
    writes_total: u64,
    connections_total: u64,
    failures: BTreeMap<&'static str, u64>,
    round_trip_seconds: Option<f64>,
    backlog_seconds: f64,
    oldest_age_seconds: Option<f64>,
    waiting_seconds: BTreeMap<&'static str, f64>,
    devices: Vec<DeviceView<'a>>,
}

#[derive(Serialize)]
struct DeviceView<'a> {
    name: &'a str,
    breaker: &'static str,
    openings_total: u64,
    refused: Vec<RefusedView<'a>>,
}

/// A register that the device refuses to give.
#[derive(Serialize)]
struct RefusedView<'a> {
    point: &'a str,
    table: &'static str,
    address: u16,
    for_seconds: f64,
    reason: String,
}

fn device<'a>(snapshot: &'a Snapshot, device: &'a DeviceStatistics, now: Duration) -> DeviceView<'a> {
    let refused = device.quarantined.iter().map(|register| RefusedView {
        point: snapshot.facts.catalogue.name(register.point),
        table: register.table.name(),
        address: register.address,
        for_seconds: now.saturating_sub(register.since).as_secs_f64(),
        reason: register.refusal.to_string(),
    });
    DeviceView {
        name: &device.name,
        breaker: device.breaker.name(),
        openings_total: device.openings_total,
        refused: refused.collect(),
    }
}

pub(super) fn wires(snapshot: &Snapshot) -> Vec<WireView<'_>> {
    let view = |wire| {
        let wire: &crate::snapshot::WireShown = wire;
        let statistics = &wire.statistics;
        WireView {
            name: &wire.name,
            connected: statistics.is_connected,
            requests_total: statistics.requests_total,
            writes_total: statistics.writes_total,
            connections_total: statistics.connections_total,
            failures: statistics.failures_total.by_cause().into_iter().collect(),
            round_trip_seconds: statistics.last_round_trip.map(|time| time.as_secs_f64()),
            backlog_seconds: statistics.backlog.as_secs_f64(),
            oldest_age_seconds: wire.oldest_age.map(|age| age.as_secs_f64()),
            waiting_seconds: Class::ALL
                .iter()
                .map(|class| class.name())
                .zip(statistics.waiting.map(|t| t.as_secs_f64()))
                .collect(),
            devices: statistics.devices.iter().map(|one| device(snapshot, one, wire.now)).collect(),
        }
    };
    snapshot.wires.iter().map(view).collect()
}

#[derive(Serialize)]
pub(super) struct StoreView<'a> {
    records_total: u64,
    records_queued: usize,
    records_lost_total: u64,
    database_bytes: u64,
    disk_free_bytes: Option<u64>,
    /// What keeps records from the disk; `null` when all is well.
    trouble: Option<Text>,
    history_trouble: Option<Text>,
    damage: Option<&'a str>,
    regressed: Option<&'a str>,
    stopped: bool,
}

pub(super) fn store(snapshot: &Snapshot) -> StoreView<'_> {
    let store = &snapshot.store;
    StoreView {
        records_total: store.records_total,
        records_queued: store.records_queued,
        records_lost_total: store.records_lost_total,
        database_bytes: store.database_bytes,
        disk_free_bytes: store.disk_free_bytes,
        trouble: store.trouble.map(words::trouble),
        history_trouble: store.history_trouble.map(words::trouble),
        damage: store.damage.as_deref(),
        regressed: store.regressed.as_deref(),
        stopped: store.stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::per_mille;

    #[test]
    fn per_mille_is_rounded_once_and_half_up() {
        assert_eq!(per_mille(272_000, 290_400_000).as_deref(), Some("0.937"));
        assert_eq!(per_mille(272_000, 187_200_000).as_deref(), Some("1.453"));
        assert_eq!(per_mille(2, 1000).as_deref(), Some("2.000"));
        assert_eq!(per_mille(5, 10_000_000).as_deref(), Some("0.001"));
        assert_eq!(per_mille(1, 0), None);
    }
}
