//! The part of the table that comes from the limiters: what each limits, measures and asks for. A limit that a circuit does
//! not have has no series.

use std::borrow::Cow;

use heatstation_core::limiter::{LimiterKind, LimiterReport, LimiterState, MeasuredBy};
use heatstation_core::report::CircuitReport;

use super::super::{Labels, Number};
use super::{Table, seconds, states, whole};

pub(super) fn rows(table: &mut Table) {
    let state =
        by_limiter(table, |limiter| states(LimiterState::ALL.map(LimiterState::name), limiter.state.name()), "state");
    table.gauge(("heatstation_limiter_state", ""), "1 for what a limiter does.", state);
    let source =
        by_limiter(table, |limiter| states(MeasuredBy::ALL.map(MeasuredBy::name), limiter.by.name()), "source");
    table.gauge(("heatstation_limiter_source", ""), "1 for what a limiter's measurement comes from.", source);
    let active = one_each(table, |limiter| whole(limiter.state == LimiterState::Limiting));
    table.gauge(("heatstation_limiter_active", ""), "1 while a limiter asks for a lower setpoint.", active);
    let asks = one_each(table, |limiter| Number::Real(limiter.asks.0));
    let help =
        "By how much a limiter asks the setpoint to give way. The one that asks for most is in the contributions.";
    table.gauge(("heatstation_limiter_asks", "kelvins"), help, asks);
    let lasting = one_each(table, |limiter| seconds(limiter.limiting_for));
    let help = "For how long a limiter has been limiting without a break.";
    table.gauge(("heatstation_limiter_active_lasting", "seconds"), help, lasting);

    for (kind, [limit, measured]) in VALUES {
        let value = |of: fn(&LimiterReport) -> Option<f64>| {
            table.each_circuit(move |circuit| of(circuit.setpoint.limiter(kind)).map(Number::Real))
        };
        let (limits, measurements) = (value(|limiter| limiter.limit), value(|limiter| limiter.measured));
        table.gauge(limit, "A limit in the weather of the moment.", limits);
        table.gauge(measured, "What that limit is compared with, smoothed.", measurements);
    }
    let quota = |of: fn(&heatstation_core::quota::QuotaReport) -> f64| {
        table.each_circuit(move |circuit| circuit.quota.as_ref().map(|quota| Number::Real(of(quota))))
    };
    let (budget, used) = (quota(|quota| quota.budget.0), quota(|quota| quota.used.0));
    table.gauge(("heatstation_heat_quota", "joules"), "Heat that the day may use, from when counting began.", budget);
    table.gauge(("heatstation_heat_quota_used", "joules"), "Heat that the day has used.", used);
}

type Name = (&'static str, &'static str);

/// Name and unit of each limit and of what it is compared with.
const VALUES: [(LimiterKind, [Name; 2]); LimiterKind::ALL.len()] = [
    (LimiterKind::Return, [("heatstation_return_limit", "celsius"), ("heatstation_return_limited", "celsius")]),
    (LimiterKind::Approach, [("heatstation_approach_limit", "kelvins"), ("heatstation_approach_limited", "kelvins")]),
    (
        LimiterKind::Flow,
        [
            ("heatstation_flow_limit", "cubic_meters_per_second"),
            ("heatstation_flow_limited", "cubic_meters_per_second"),
        ],
    ),
    (LimiterKind::Power, [("heatstation_power_limit", "watts"), ("heatstation_power_limited", "watts")]),
    (LimiterKind::Quota, [("heatstation_quota_pace", "watts"), ("heatstation_quota_paced", "watts")]),
];

fn configured(circuit: &CircuitReport) -> impl Iterator<Item = (LimiterKind, &LimiterReport)> {
    let all = LimiterKind::ALL.into_iter().map(|kind| (kind, circuit.setpoint.limiter(kind)));
    all.filter(|(_, limiter)| limiter.limit.is_some())
}

fn one_each(table: &Table, value: impl Fn(&LimiterReport) -> Number) -> Vec<(Labels, Number)> {
    table.each_circuit_by("limiter", |circuit| {
        configured(circuit).map(|(kind, limiter)| (kind.name(), value(limiter))).collect::<Vec<_>>()
    })
}

/// One series for each of a closed set of states of each limiter.
fn by_limiter<I: Iterator<Item = (&'static str, Number)>>(
    table: &Table,
    values: impl Fn(&LimiterReport) -> I,
    label: &'static str,
) -> Vec<(Labels, Number)> {
    let mut samples = Vec::new();
    for circuit in &table.snapshot.report.circuits {
        for (kind, limiter) in configured(circuit) {
            for (name, value) in values(limiter) {
                let mut labels = table.at(circuit.circuit);
                labels.push(("limiter", Cow::Borrowed(kind.name())));
                labels.push((label, Cow::Borrowed(name)));
                samples.push((labels, value));
            }
        }
    }
    samples
}
