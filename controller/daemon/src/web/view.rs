//! The snapshot as JSON: what `/api/v1/snapshot` and `/api/v1/events` send and the page draws.
//!
//! Numbers are in the units of the points (°C, Pa, m³/s, W, J, ratio); times are milliseconds since 1970-01-01 UTC. What is
//! not known is `null`, never a number. States carry their name for programs and their texts for people.

mod guard;
mod hours;
mod pumps;
mod records;
mod valve;
mod water;

use std::collections::BTreeMap;

use axum::body::Bytes;
use heatstation_core::balance::BalanceReport;
use heatstation_core::ledger::Part;
use heatstation_core::limiter::{LimiterKind, LimiterReport};
use heatstation_core::moment::{Moment, Weekday};
use heatstation_core::report::CircuitReport;
use heatstation_core::room_sensors::Verdict;
use heatstation_core::room_trim::RoomTrimReport;
use heatstation_points::{Catalogue, CircuitNames, Definition, Direction, Kelvins, Reading, Value};
use serde::Serialize;

use super::words::{self, Text, Word};
use crate::snapshot::Snapshot;

/// The JSON of a snapshot, on one line.
pub(super) fn json(snapshot: &Snapshot, version: &'static str) -> Bytes {
    let view = View::of(snapshot, version);
    // Only maps with keys that are no strings, or failing implementations, can fail here; there are none.
    Bytes::from(serde_json::to_vec(&view).unwrap_or_else(|error| {
        tracing::error!(%error, "the snapshot cannot be written as JSON");
        b"null".to_vec()
    }))
}

#[derive(Serialize)]
struct View<'a> {
    station: StationView<'a>,
    moment: MomentView,
    cycle: CycleView,
    in_season: bool,
    heating_time: Word,
    overall: Word,
    outdoor: OutdoorView,
    points: BTreeMap<&'a str, PointView<'a>>,
    circuits: Vec<CircuitView<'a>>,
    alarms: Vec<records::AlarmView>,
    outages: Vec<records::OutageView>,
    outages_of_season: usize,
    accident_rate: Option<records::AccidentRateView<'a>>,
    wires: Vec<records::WireView<'a>>,
    store: records::StoreView<'a>,
}

#[derive(Serialize)]
struct StationView<'a> {
    id: &'a str,
    name: &'a str,
    standard: &'a str,
    standard_title: &'a str,
    heated_area_square_meters: f64,
    season_start: i64,
    season_end: i64,
    configuration: &'a str,
    version: &'static str,
}

#[derive(Serialize)]
struct MomentView {
    wall: i64,
    /// How far the station's wall clock is ahead of UTC now.
    utc_offset_minutes: i64,
}

#[derive(Serialize)]
struct CycleView {
    count: u64,
    late_total: u64,
    mean_seconds: Option<f64>,
}

#[derive(Serialize)]
struct OutdoorView {
    now: f64,
    filtered: f64,
    source: Word,
    /// Why a sensor that answers is not believed.
    doubt: Option<Word>,
    /// What became of the forecast, how old it is, and what is added to it.
    forecast: Word,
    forecast_age_seconds: Option<f64>,
    service_bias: f64,
}

/// One point that the station has.
#[derive(Serialize)]
struct PointView<'a> {
    /// `null` when the quality is bad.
    value: Option<f64>,
    unit: &'static str,
    quality: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<f64>,
    /// The last value before it went bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<f64>,
    chinese: &'a str,
}

#[derive(Serialize)]
struct CircuitView<'a> {
    name: &'a str,
    heated_area_square_meters: f64,
    mode: Word,
    stage: Word,
    /// Why it does what it does, in one word and as the number that dispatch centres know.
    operation: Word,
    operation_code: u8,
    reached: bool,
    restart: Option<Word>,
    frost: Word,
    freezes_in_seconds: Option<f64>,
    /// What the heating limit says.
    eco: Word,
    /// The outdoor temperature that the buildings feel.
    equivalent_outdoor: f64,
    setpoint: SetpointView,
    hours: hours::HoursView,
    supply: Option<f64>,
    supply_source: Word,
    valve_reason: Word,
    valve: valve::ValveView,
    pump_reason: Word,
    circulating: Option<bool>,
    trips: Vec<Word>,
    in_hand_seconds: Option<f64>,
    /// Who has the devices that are not automatic.
    held: Vec<guard::HeldView>,
    /// What each quantity is taken from.
    sources: Vec<guard::SourceView>,
    /// Sensors that show what cannot be.
    doubted: Vec<guard::DoubtView>,
    pressure_setpoint: Option<f64>,
    differential_pressure_setpoint: Option<f64>,
    circulation: pumps::CirculationView,
    make_up: Option<water::MakeUpView>,
    leak: Option<water::LeakView>,
    circulation_pumps: usize,
    make_up_pumps: usize,
    buildings: &'a [String],
    rooms: RoomsView<'a>,
    /// The secondary balance; `null` where the buildings' valves are set by hand.
    balance: Option<BalanceView>,
    outage: Option<records::OpenOutageView>,
    season_time: SeasonTimeView,
    /// What is sent, by the point's name. Empty while nothing may be written.
    outputs: BTreeMap<&'a str, OutputView>,
}

#[derive(Serialize)]
struct SetpointView {
    value: f64,
    base: f64,
    /// What each source adds to the base; base and all parts together are the value.
    parts: Vec<PartView>,
    held_by: Option<Word>,
    flow_ratio: f64,
    /// The limits that the circuit has.
    limits: Vec<LimitView>,
}

/// A limit, in the unit of what is measured.
#[derive(Serialize)]
struct LimitView {
    #[serde(flatten)]
    limiter: Word,
    state: Word,
    limit: f64,
    measured: Option<f64>,
    unit: &'static str,
    /// By how much it asks the setpoint to give way; what it gets is in the parts.
    asks_kelvins: f64,
    limiting_seconds: f64,
}

impl LimitView {
    fn of((kind, limiter): (LimiterKind, &LimiterReport)) -> Option<LimitView> {
        let unit = match kind {
            LimiterKind::Return => "celsius",
            LimiterKind::Approach => "kelvins",
            LimiterKind::Flow => "cubic_meters_per_second",
            LimiterKind::Power | LimiterKind::Quota => "watts",
        };
        Some(LimitView {
            limiter: Word::new(kind.name(), kind.texts()),
            state: Word::new(limiter.state.name(), limiter.state.texts()),
            limit: limiter.limit?,
            measured: limiter.measured,
            unit,
            asks_kelvins: limiter.asks.0,
            limiting_seconds: limiter.limiting_for.as_secs_f64(),
        })
    }
}

#[derive(Serialize)]
struct PartView {
    #[serde(flatten)]
    part: Word,
    kelvins: f64,
}

impl PartView {
    fn of((part, by): (Part, Kelvins)) -> PartView {
        PartView { part: Word::new(part.name(), part.texts()), kelvins: by.0 }
    }
}

/// What the rooms do to the curve.
#[derive(Serialize)]
struct RoomTrimView {
    kelvins: f64,
    learnt: f64,
    frozen: Option<Word>,
    helping: bool,
}

impl RoomTrimView {
    fn of(trim: &RoomTrimReport) -> RoomTrimView {
        let frozen = trim.frozen.map(|frozen| Word::new(frozen.name(), frozen.texts()));
        RoomTrimView { kelvins: trim.shift.0, learnt: trim.learnt.0, frozen, helping: trim.helping }
    }
}

/// How the buildings share the water.
#[derive(Serialize)]
struct BalanceView {
    spread: Option<f64>,
    mean: Option<f64>,
    most_open: Option<f64>,
    standing: Option<Word>,
    astray: usize,
}

impl BalanceView {
    fn of(balance: &BalanceReport) -> BalanceView {
        BalanceView {
            spread: balance.spread.map(|spread| spread.0),
            mean: balance.mean.map(|mean| mean.0),
            most_open: balance.most_open.map(|open| open.0),
            standing: balance.standing.map(|standing| Word::new(standing.name(), standing.texts())),
            astray: balance.astray,
        }
    }
}

/// What is thought of each room sensor.
fn sensors<'a>(names: &'a CircuitNames, circuit: &CircuitReport) -> BTreeMap<&'a str, Word> {
    let verdicts = circuit.room_verdicts.as_slice().iter();
    let word = |verdict: &Verdict| Word::new(verdict.name(), verdict.texts());
    names.rooms.iter().map(String::as_str).zip(verdicts.map(word)).collect()
}

#[derive(Serialize)]
struct RoomsView<'a> {
    configured: usize,
    fresh: usize,
    mean: Option<f64>,
    median: Option<f64>,
    coldest: Option<f64>,
    passing: Option<f64>,
    counted: usize,
    tail_excess: Option<f64>,
    tail_standard_error: Option<f64>,
    tail_margin: Option<f64>,
    trim: RoomTrimView,
    /// What is thought of each sensor, by its name.
    sensors: BTreeMap<&'a str, Word>,
    minimum: f64,
    pass_target: Option<f64>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "a number in JSON carries its unit")]
struct SeasonTimeView {
    supplied_seconds: f64,
    interrupted_seconds: f64,
    unobserved_seconds: f64,
}

#[derive(Serialize)]
struct OutputView {
    value: f64,
    unit: &'static str,
    state: Option<Word>,
    /// Why it does not get where it shall be.
    obstacle: Option<String>,
    foreign_writes_total: u64,
    withheld: bool,
}

impl<'a> View<'a> {
    fn of(snapshot: &'a Snapshot, version: &'static str) -> View<'a> {
        let (facts, report) = (&*snapshot.facts, &snapshot.report);
        let settings = &facts.settings;
        View {
            station: StationView {
                id: &settings.station,
                name: &facts.name,
                standard: &settings.profile.id,
                standard_title: &settings.profile.title,
                heated_area_square_meters: settings.heated_area.square_meters(),
                season_start: settings.season.start.0,
                season_end: settings.season.end.0,
                configuration: &facts.configuration_hash,
                version,
            },
            moment: MomentView { wall: report.moment.wall.0, utc_offset_minutes: utc_offset(report.moment) },
            cycle: CycleView {
                count: snapshot.cycle.count,
                late_total: snapshot.cycle.late_total,
                mean_seconds: (snapshot.cycle.count > 0)
                    .then(|| snapshot.cycle.duration_total.as_secs_f64() / snapshot.cycle.count as f64),
            },
            in_season: report.in_season,
            heating_time: Word::new(report.heating_time.name(), report.heating_time.texts()),
            overall: overall(snapshot),
            outdoor: OutdoorView {
                now: report.outdoor.now.0,
                filtered: report.outdoor.filtered.0,
                source: words::outdoor_source(report.outdoor.source),
                doubt: report.outdoor.doubt.map(|doubt| Word::new(doubt.name(), doubt.texts())),
                forecast: Word::new(report.outdoor.forecast.name(), report.outdoor.forecast.texts()),
                forecast_age_seconds: report.outdoor.forecast_age.map(|age| age.as_secs_f64()),
                service_bias: report.outdoor.bias.0,
            },
            points: points(&facts.catalogue, &snapshot.readings),
            circuits: report.circuits.iter().filter_map(|circuit| circuit_view(snapshot, circuit)).collect(),
            alarms: records::alarms(snapshot),
            outages: records::outages(snapshot),
            outages_of_season: snapshot.outages.len(),
            accident_rate: records::accident_rate(snapshot),
            wires: records::wires(snapshot),
            store: records::store(snapshot),
        }
    }
}

/// The station in one word, after its most urgent alarm; an outage comes before all.
fn overall(snapshot: &Snapshot) -> Word {
    use heatstation_core::alarm::Priority::{P1, P2, P3, P4};
    let report = &snapshot.report;
    if report.circuits.iter().any(|circuit| circuit.outage.is_some()) {
        return Word::new("outage", ("停热", "outage"));
    }
    match report.alarms.iter().map(|active| active.key.alarm.priority()).min() {
        Some(P1) => Word::new("alarm", ("紧急报警", "urgent alarm")),
        Some(P2 | P3) => Word::new("attention", ("需要关注", "needs attention")),
        Some(P4) | None if report.in_season => Word::new("good", ("运行正常", "all is well")),
        Some(P4) | None => Word::new("resting", ("非供暖季", "out of season")),
    }
}

/// Minutes in a week.
const WEEK: i64 = 7 * 1440;

/// The report says what the station's wall clock shows; what is ahead of UTC is its time zone.
fn utc_offset(moment: Moment) -> i64 {
    let weekday = Weekday::ALL.iter().position(|day| *day == moment.local.weekday).unwrap_or(0) as i64;
    let local = weekday * 1440 + i64::from(moment.local.minute_of_day);
    // 1970-01-01 was a Thursday.
    let utc = (moment.wall.0.div_euclid(60_000) + 3 * 1440).rem_euclid(WEEK);
    // No zone is more than half a week away.
    (local - utc + WEEK / 2).rem_euclid(WEEK) - WEEK / 2
}

fn points<'a>(catalogue: &'a Catalogue, readings: &[Reading<Value>]) -> BTreeMap<&'a str, PointView<'a>> {
    let pairs = catalogue.definitions().iter().zip(readings);
    let read =
        pairs.filter(|(definition, reading)| definition.direction == Direction::Input && reading.is_configured());
    read.map(|(definition, reading)| (definition.name.as_str(), point_view(definition, *reading))).collect()
}

fn point_view(definition: &Definition, reading: Reading<Value>) -> PointView<'_> {
    let value = reading.usable().map(Value::number);
    PointView {
        value,
        unit: definition.unit.name(),
        quality: reading.quality().name(),
        reason: words::quality_reason(reading.quality()),
        age_seconds: reading.age().map(|age| age.as_secs_f64()),
        last: if value.is_none() { reading.last().map(Value::number) } else { None },
        chinese: &definition.chinese,
    }
}

fn circuit_view<'a>(snapshot: &'a Snapshot, circuit: &'a CircuitReport) -> Option<CircuitView<'a>> {
    let facts = &*snapshot.facts;
    let settings = facts.settings.circuits.get(circuit.circuit.0)?;
    let names = facts.catalogue.circuits().get(circuit.circuit.0)?;
    let setpoint = &circuit.setpoint;
    Some(CircuitView {
        name: &names.name,
        heated_area_square_meters: settings.heated_area.square_meters(),
        mode: words::mode(circuit.mode),
        stage: Word::new(circuit.stage.name(), circuit.stage.texts()),
        operation: Word::new(circuit.operation.name(), circuit.operation.texts()),
        operation_code: circuit.operation.number(),
        reached: circuit.reached,
        restart: circuit.restart.map(|restart| Word::new(restart.name(), restart.texts())),
        frost: Word::new(circuit.frost.name(), circuit.frost.texts()),
        freezes_in_seconds: circuit.freezes_in.map(|left| left.as_secs_f64()),
        eco: Word::new(circuit.eco.name(), circuit.eco.texts()),
        equivalent_outdoor: circuit.equivalent.temperature.0,
        setpoint: SetpointView {
            value: setpoint.value.0,
            base: setpoint.base.0,
            parts: setpoint.ledger.parts().map(PartView::of).collect(),
            held_by: setpoint.held_by.map(|by| Word::new(by.name(), by.texts())),
            flow_ratio: setpoint.flow_ratio.0,
            limits: LimiterKind::ALL.into_iter().zip(&setpoint.limiters).filter_map(LimitView::of).collect(),
        },
        hours: hours::hours(circuit, settings.room_target),
        supply: circuit.supply.map(|supply| supply.0),
        supply_source: words::supply_source(circuit.supply_source),
        valve_reason: words::valve_reason(circuit.valve_reason),
        valve: valve::valve(&circuit.valve),
        pump_reason: words::pump_reason(circuit.pump_reason),
        circulating: circuit.circulating,
        trips: circuit.trips.iter().map(|trip| Word::new(trip.name(), trip.texts())).collect(),
        in_hand_seconds: circuit.in_hand.map(|left| left.as_secs_f64()),
        held: guard::held(circuit),
        sources: guard::sources(circuit),
        doubted: guard::doubted(circuit),
        pressure_setpoint: circuit.pressure_setpoint.map(|pressure| pressure.0),
        differential_pressure_setpoint: circuit
            .circulation
            .speed
            .differential_pressure_setpoint
            .map(|pressure| pressure.0),
        make_up: circuit.make_up.as_ref().map(|report| water::make_up(report, names.make_up_pumps)),
        leak: circuit.leak.as_ref().map(water::leak),
        circulation: pumps::circulation(&circuit.circulation, names.circulation_pumps),
        circulation_pumps: names.circulation_pumps,
        make_up_pumps: names.make_up_pumps,
        buildings: &names.buildings,
        rooms: RoomsView {
            configured: circuit.rooms.configured,
            fresh: circuit.rooms.fresh,
            mean: circuit.rooms.mean.map(|t| t.0),
            median: circuit.rooms.median.map(|t| t.0),
            coldest: circuit.rooms.coldest.map(|t| t.0),
            passing: circuit.rooms.passing.map(|share| share.0),
            counted: circuit.rooms.counted,
            tail_excess: circuit.rooms.tail.map(|tail| tail.sure().0),
            tail_standard_error: circuit.rooms.tail.map(|tail| tail.standard_error.0),
            tail_margin: circuit.rooms.tail.map(|tail| tail.margin.0),
            trim: RoomTrimView::of(&circuit.room_trim),
            sensors: sensors(names, circuit),
            minimum: facts.settings.profile.dwelling_min.value.0,
            pass_target: facts
                .settings
                .profile
                .room_pass_target
                .as_ref()
                .map(|target| target.value.numerator as f64 / target.value.denominator as f64),
        },
        balance: circuit.balance.as_ref().map(BalanceView::of),
        outage: circuit.outage.map(records::open_outage),
        season_time: SeasonTimeView {
            supplied_seconds: circuit.season_time.supplied.as_secs_f64(),
            interrupted_seconds: circuit.season_time.interrupted.as_secs_f64(),
            unobserved_seconds: circuit.season_time.unobserved.as_secs_f64(),
        },
        outputs: outputs(snapshot, circuit),
    })
}

/// The outputs that belong to a circuit, told by their names.
fn outputs<'a>(snapshot: &'a Snapshot, circuit: &CircuitReport) -> BTreeMap<&'a str, OutputView> {
    let catalogue = &snapshot.facts.catalogue;
    let own: Vec<_> = circuit.commands.iter().flat_map(|commands| commands.points(circuit.circuit)).collect();
    let commands = snapshot.commands.iter().filter(|command| own.iter().any(|(point, _)| *point == command.point));
    let view = |command: &crate::snapshot::CommandShown| {
        let definition = catalogue.definition(command.point)?;
        let output = OutputView {
            value: command.value,
            unit: definition.unit.name(),
            state: command.state().map(words::output_state),
            obstacle: command.status.as_ref().and_then(|status| status.obstacle.as_ref()).map(ToString::to_string),
            foreign_writes_total: command.status.as_ref().map_or(0, |status| status.disturbances_total),
            withheld: circuit.withheld.contains(&command.point),
        };
        Some((definition.name.as_str(), output))
    };
    commands.filter_map(view).collect()
}

fn pair((zh, en): (&str, &str)) -> Text {
    Text::new(zh, en)
}
