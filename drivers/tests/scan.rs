//! Stories of a scan, in virtual time on a bus that knows no writing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod common;

use std::ops::{ControlFlow, RangeInclusive};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{device, wire};
use heatstation_drivers::bus::{Bus, BusError, Refusal, Span, Write};
use heatstation_drivers::scan::{Ending, Findings, Presence, Run, Scan, UnitFinding, scan_on};
use heatstation_drivers::settings::{Table, WireSettings};
use proptest::prelude::*;

const TIMEOUT: Duration = Duration::from_millis(500);

/// One unit of a cabinet.
#[derive(Clone, Debug, Default)]
struct Unit {
    number: u8,
    holding: Vec<RangeInclusive<u16>>,
    longest: Option<u16>,
    /// What it says of an address that it does not have.
    refusal: Option<Refusal>,
}

/// A gateway with its units. Units that are not there are silent, unless it says what they are.
#[derive(Clone, Default)]
struct Cabinet {
    units: Vec<Unit>,
    nobody: Option<Refusal>,
    asked: Arc<Mutex<Vec<Span>>>,
}

impl Bus for Cabinet {
    async fn connect(&mut self) -> Result<(), BusError> {
        Ok(())
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        self.asked.lock().unwrap().push(span);
        let Some(unit) = self.units.iter().find(|unit| unit.number == span.unit) else {
            if let Some(refusal) = self.nobody {
                return Err(BusError::Refused(refusal));
            }
            tokio::time::sleep(TIMEOUT).await;
            return Err(BusError::Silent);
        };
        if span.table != Table::HoldingRegister {
            return Err(BusError::Refused(Refusal::Function));
        }
        if unit.longest.is_some_and(|longest| longest < span.count) {
            return Err(BusError::Refused(Refusal::Value));
        }
        let (first, last) = (span.address, span.address + (span.count - 1));
        let has = |address: &u16| unit.holding.iter().any(|range| range.contains(address));
        if (first..=last).all(|address| has(&address)) {
            Ok((first..=last).collect())
        } else {
            Err(BusError::Refused(unit.refusal.unwrap_or(Refusal::Address)))
        }
    }

    async fn write(&mut self, unit: u8, write: &Write) -> Result<(), BusError> {
        panic!("a scan has written {write:?} to unit {unit}");
    }

    fn disconnect(&mut self) {}
}

fn order(addresses: RangeInclusive<u16>) -> Scan {
    Scan { addresses, ..Scan::default() }
}

async fn find(cabinet: &Cabinet, wire: &WireSettings, order: &Scan) -> Findings {
    scan_on(cabinet.clone(), wire, order, |_| ControlFlow::Continue(())).await
}

fn empty() -> WireSettings {
    wire("127.0.0.1:502", Vec::new())
}

fn there(findings: &Findings) -> Vec<&UnitFinding> {
    findings.units.iter().filter(|unit| unit.presence.is_there()).collect()
}

fn runs(finding: &UnitFinding) -> Vec<(u16, u16)> {
    finding.tables[0].runs.iter().map(|Run { first, last }| (*first, *last)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_answers_with_an_exception_is_there_and_one_that_says_nothing_is_not() {
    let plain = Unit { number: 3, holding: vec![0..=9], ..Unit::default() };
    let refusing = Unit { number: 7, holding: vec![500..=519], ..Unit::default() };
    let cabinet = Cabinet { units: vec![plain, refusing], ..Cabinet::default() };
    let findings = find(&cabinet, &empty(), &order(0..=999)).await;
    assert_eq!(findings.cut_short, None);
    assert_eq!(findings.units.len(), 16);
    let found: Vec<(u8, &Presence)> = there(&findings).iter().map(|unit| (unit.unit, &unit.presence)).collect();
    assert_eq!(
        found,
        [(3, &Presence::Answers), (7, &Presence::Refuses("illegal data address (exception 2)".to_owned()))]
    );
    assert_eq!(findings.units[0].presence, Presence::Silent);
    assert_eq!(runs(there(&findings)[0]), [(0, 9)]);
    assert_eq!(runs(there(&findings)[1]), [(500, 519)]);
    let endings: Vec<&Ending> = there(&findings)[0].tables.iter().map(|table| &table.ending).collect();
    assert_eq!(endings, [&Ending::Whole, &Ending::NoSuchFunction, &Ending::NoSuchFunction, &Ending::NoSuchFunction]);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_speaks_for_a_unit_does_not_make_it_one() {
    let unit = Unit { number: 2, holding: vec![0..=0], ..Unit::default() };
    let cabinet = Cabinet { units: vec![unit], nobody: Some(Refusal::Failure(11)), ..Cabinet::default() };
    let findings = find(&cabinet, &empty(), &order(0..=99)).await;
    assert_eq!(there(&findings).iter().map(|unit| unit.unit).collect::<Vec<_>>(), [2]);
    assert!(matches!(&findings.units[0].presence, Presence::NobodyBehind(why) if why.contains("exception 11")));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_short_reads_only_has_one_range_and_its_limit_is_named() {
    let unit = Unit { number: 1, holding: vec![20..=219], longest: Some(5), ..Unit::default() };
    let cabinet = Cabinet { units: vec![unit], ..Cabinet::default() };
    let findings = find(&cabinet, &empty(), &order(0..=999)).await;
    let table = &there(&findings)[0].tables[0];
    assert_eq!((runs(there(&findings)[0]), table.longest_read), (vec![(20, 219)], Some(5)));
}

#[tokio::test(start_paused = true)]
async fn a_range_ends_where_the_address_space_ends() {
    let unit = Unit { number: 1, holding: vec![65_400..=65_535], ..Unit::default() };
    let cabinet = Cabinet { units: vec![unit], ..Cabinet::default() };
    let findings = find(&cabinet, &empty(), &order(65_000..=65_535)).await;
    assert_eq!(runs(there(&findings)[0]), [(65_400, 65_535)]);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_address_is_never_touched() {
    let unit = Unit { number: 1, holding: vec![0..=99], ..Unit::default() };
    let cabinet = Cabinet { units: vec![unit], ..Cabinet::default() };
    let mut known = device("plc", 1, Vec::new());
    known.limits.forbidden = vec![(Table::HoldingRegister, 0..=0), (Table::HoldingRegister, 40..=44)];
    known.limits.max_registers = 8;
    let findings = find(&cabinet, &wire("127.0.0.1:502", vec![known]), &order(0..=99)).await;
    assert_eq!(runs(there(&findings)[0]), [(1, 39), (45, 99)]);
    for span in
        cabinet.asked.lock().unwrap().iter().filter(|span| span.unit == 1 && span.table == Table::HoldingRegister)
    {
        let touched = span.address..span.address + span.count;
        assert!(!touched.clone().any(|address| address == 0 || (40..=44).contains(&address)), "{span:?}");
        assert!(span.count <= 8, "{span:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_stopped_leaves_what_it_has_found() {
    let unit = Unit { number: 1, holding: vec![0..=9, 200..=249, 400..=499], ..Unit::default() };
    let cabinet = Cabinet { units: vec![unit], ..Cabinet::default() };
    let mut questions = 0;
    let findings = scan_on(cabinet, &empty(), &order(0..=999), |_| {
        questions += 1;
        if questions > 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
    assert_eq!(findings.cut_short.as_deref(), Some("stopped from outside"));
    assert_eq!(runs(there(&findings)[0]), [(0, 9), (200, 249)]);
    assert!(matches!(there(&findings)[0].tables[0].ending, Ending::Stopped(at) if at >= 250));
}

#[tokio::test(start_paused = true)]
async fn questions_are_counted_and_spaced_and_the_time_that_was_told_is_kept() {
    let scattered = (0..1_000).map(|n| n * 2..=n * 2).collect();
    let cabinet =
        Cabinet { units: vec![Unit { number: 1, holding: scattered, ..Unit::default() }], ..Cabinet::default() };
    let order = Scan { requests_max: 50, ..order(0..=9_999) };
    let begun = tokio::time::Instant::now();
    let findings = find(&cabinet, &empty(), &order).await;
    let lasted = begun.elapsed();
    let asked = cabinet.asked.lock().unwrap().len() as u32;
    let table = &there(&findings)[0].tables[0];
    assert!(matches!(table.ending, Ending::OutOfRequests(_)) && table.requests == 50, "{table:?}");
    assert!(order.pause * asked <= lasted, "{asked} questions in {lasted:?}");
    assert!(
        lasted <= order.longest_for_units(TIMEOUT) + order.longest_for_ranges(Duration::from_millis(1)),
        "{lasted:?}"
    );
}

/// Ranges with gaps between them.
fn any_ranges() -> impl Strategy<Value = Vec<RangeInclusive<u16>>> {
    proptest::collection::vec((1_u16..60, 16_u16..80), 0..8).prop_map(|pairs| {
        let mut at = 0;
        pairs
            .into_iter()
            .map(|(gap, length)| {
                let first = at + gap;
                at = first + length;
                first..=at - 1
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn every_range_as_long_as_the_stride_is_found_to_the_address(
        ranges in any_ranges(), longest in proptest::option::of(1_u16..30), failing in any::<bool>()
    ) {
        // Some devices say "device failure" of an address that they do not have.
        let refusal = failing.then_some(Refusal::Failure(4));
        let unit = Unit { number: 1, holding: ranges.clone(), longest, refusal };
        let cabinet = Cabinet { units: vec![unit], ..Cabinet::default() };
        let order = Scan { units: vec![1], requests_max: 10_000, ..order(0..=1_400) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let findings = runtime.block_on(find(&cabinet, &empty(), &order));
        let expected: Vec<(u16, u16)> = ranges.iter().map(|range| (*range.start(), *range.end())).collect();
        let found: Vec<(u16, u16)> = if expected.is_empty() { Vec::new() } else { runs(&findings.units[0]) };
        prop_assert_eq!(found, expected);
    }
}
