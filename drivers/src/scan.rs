//! Which Modbus units are behind a wire, and which of their addresses answer: for a cabinet without a manual.
//!
//! # Present or silent
//! One question is enough. Words are an answer, and so is an exception: whoever says "illegal data address" is there. Only
//! exceptions 10 and 11 are not the unit's: a gateway says that nobody behind it answered (Modbus Application Protocol
//! V1.1b3, 7). Silence is silence for as long as the wire's time-out is long enough.
//!
//! # Where a range begins and ends
//! Devices refuse a block of which one address is missing, so a block that is answered is a range, and one that is refused
//! is bisected. From a first address that answers, blocks double until one is refused; halving finds the end. Where the
//! address after the end answers alone, it was the *length* that was refused, and that limit is remembered. Between ranges,
//! steps double up to [`Scan::stride`], and halving finds the beginning: a range shorter than the stride that lies in a
//! gap can be missed, and the stride is told for that reason.
//!
//! # What it does not do
//! It never writes. It asks one question at a time with a pause after each, stays within a number of questions for each
//! table, never touches an address that is forbidden, and can be stopped after any question with all that was found so
//! far. It knows nothing of what the words mean.

use std::ops::{ControlFlow, RangeInclusive};
use std::time::Duration;

use serde::Serialize;

use crate::bus::{Bus, BusError, Refusal, Span};
use crate::modbus::Modbus;
use crate::settings::{BITS_MAX, DeviceSettings, REGISTERS_MAX, Table, WireSettings};

/// So many time-outs in a row, and the rest of a table is not asked for.
const TIMEOUTS_MAX: u32 = 2;
/// So often a busy unit is asked the same again, each time after a longer pause.
const BUSY_MAX: u32 = 3;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The units, in the order in which they are asked.
    pub units: Vec<u8>,
    /// The address spaces, in the order in which they are asked. The first serves the question whether a unit is there.
    pub tables: Vec<Table>,
    /// The addresses.
    pub addresses: RangeInclusive<u16>,
    /// The longest step in a gap.
    pub stride: u16,
    /// Questions for each table of each unit, at most.
    pub requests_max: u32,
    /// Silence after each answer.
    pub pause: Duration,
}

impl Default for Scan {
    /// Units 1 to 16; the 10 000 addresses that five-digit manuals can name (`40001` to `49999`); a stride of 16, the
    /// hole that a read plan reads along; a pause of 100 ms, above the 60 ms that openHAB's binding keeps on TCP lines for
    /// the sake of weak devices; 1 000 questions, enough for an empty table (625) and some twenty ranges.
    fn default() -> Self {
        Scan {
            units: (1..=16).collect(),
            tables: vec![Table::HoldingRegister, Table::InputRegister, Table::Coil, Table::DiscreteInput],
            addresses: 0..=9_999,
            stride: 16,
            requests_max: 1_000,
            pause: Duration::from_millis(100),
        }
    }
}

impl Scan {
    /// How long finding the units takes at most, all of them silent.
    pub fn longest_for_units(&self, timeout: Duration) -> Duration {
        (timeout + self.pause) * self.units.len() as u32
    }

    /// How long the ranges of one unit that answers take at most, at this round trip.
    pub fn longest_for_ranges(&self, round_trip: Duration) -> Duration {
        (round_trip + self.pause) * self.requests_max * self.tables.len() as u32
    }
}

/// How far a scan is, told before each question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The unit that is asked next.
    pub unit: u8,
    /// The table whose ranges are looked for; none while units are looked for.
    pub table: Option<Table>,
    /// Hundredths of a per cent, by addresses rather than by time.
    pub done_per_myriad: u64,
}

/// What a unit answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum Presence {
    /// There, with a value.
    Answers,
    /// There, with an exception of its own.
    Refuses(String),
    /// A gateway says that nobody behind it answered.
    NobodyBehind(String),
    /// No answer in time.
    Silent,
    /// The connection was closed on the question, as some devices do with a unit that is not theirs.
    HangsUp,
    /// Something came that is no answer: two masters, or something else than Modbus.
    Nonsense(String),
}

impl Presence {
    /// Whether somebody is there who speaks Modbus.
    pub const fn is_there(&self) -> bool {
        match self {
            Presence::Answers | Presence::Refuses(_) => true,
            Presence::NobodyBehind(_) | Presence::Silent | Presence::HangsUp | Presence::Nonsense(_) => false,
        }
    }
}

/// Addresses that answer, without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// How the search through a table ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "at")]
pub enum Ending {
    /// All addresses were looked through.
    Whole,
    /// The unit does not know the function that reads this table.
    NoSuchFunction,
    /// The questions were used up before this address.
    OutOfRequests(u16),
    /// It fell silent at this address, though it had answered before.
    Silent(u16),
    /// Stopped from outside at this address.
    Stopped(u16),
    /// The connection could not be made again at this address.
    Unreachable(u16),
}

/// What is known of a table of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableFinding {
    /// Which table.
    pub table: Table,
    /// The addresses that answer, in order.
    pub runs: Vec<Run>,
    /// The longest read that it takes, if that is less than the protocol allows.
    pub longest_read: Option<u16>,
    /// How the search ended.
    pub ending: Ending,
    /// How many questions it took.
    pub requests: u32,
}

/// What is known of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitFinding {
    /// The Modbus unit.
    pub unit: u8,
    /// Whether it is there.
    pub presence: Presence,
    /// Its tables, as far as they were looked through.
    pub tables: Vec<TableFinding>,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// The units that were asked.
    pub units: Vec<UnitFinding>,
    /// Why it ended early; none if it did not.
    pub cut_short: Option<String>,
}

/// Scans a wire. `go_on` is asked before each question.
pub async fn scan(wire: &WireSettings, order: &Scan, go_on: impl FnMut(Step) -> ControlFlow<()>) -> Findings {
    scan_on(Modbus::new(wire), wire, order, go_on).await
}

/// Scans a wire on a bus of one's own. The devices of `wire` say which addresses of their units are forbidden and how
/// long a read may be.
pub async fn scan_on(
    bus: impl Bus,
    wire: &WireSettings,
    order: &Scan,
    go_on: impl FnMut(Step) -> ControlFlow<()>,
) -> Findings {
    let pause = order.pause.max(wire.pause_between_requests);
    let mut asker = Asker { bus, pause, go_on, timeouts: 0 };
    let mut findings = Findings::default();
    let known = |unit: u8| wire.devices.iter().filter(move |device| device.modbus_unit == unit);

    for (place, &unit) in order.units.iter().enumerate() {
        let Some(&table) = order.tables.first() else { break };
        let allowed = segments(table, &order.addresses, known(unit));
        let Some(&(address, _)) = allowed.first() else { continue };
        let step = Step { unit, table: None, done_per_myriad: place as u64 * 1_000 / order.units.len() as u64 };
        match asker.presence(unit, table, address as u16, step).await {
            Ok(presence) => findings.units.push(UnitFinding { unit, presence, tables: Vec::new() }),
            Err(cut) => return Findings { cut_short: cut.in_words(), ..findings },
        }
    }

    let there = findings.units.iter().filter(|finding| finding.presence.is_there()).count();
    let all = (there * order.tables.len()).max(1) as u64;
    let mut searched = 0;
    for place in 0..findings.units.len() {
        if !findings.units[place].presence.is_there() {
            continue;
        }
        let unit = findings.units[place].unit;
        for &table in &order.tables {
            let search = Search {
                unit,
                table,
                order,
                segments: segments(table, &order.addresses, known(unit)),
                begun_at: 1_000 + searched * 9_000 / all,
                share: 9_000 / all,
                longest: longest(table, known(unit)),
                asked: 0,
                at: 0,
            };
            let (finding, cut) = search.run(&mut asker).await;
            findings.units[place].tables.push(finding);
            searched += 1;
            if let Some(why) = cut.and_then(|cut| cut.in_words()) {
                return Findings { cut_short: Some(why), ..findings };
            }
        }
    }
    findings
}

/// The addresses that may be read, as first and last, without those that a device of this unit forbids.
fn segments<'a>(
    table: Table,
    addresses: &RangeInclusive<u16>,
    known: impl Iterator<Item = &'a DeviceSettings>,
) -> Vec<(u32, u32)> {
    let mut allowed = vec![(u32::from(*addresses.start()), u32::from(*addresses.end()))];
    let forbidden = known.flat_map(|device| &device.limits.forbidden).filter(|(of, _)| *of == table);
    for (_, range) in forbidden {
        let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
        let split = |(from, to): (u32, u32)| {
            let before = (from, to.min(first.saturating_sub(1)));
            let after = (from.max(last + 1), to);
            let is_hit = first <= to && from <= last;
            let parts = if is_hit {
                [(from < first).then_some(before), (last < to).then_some(after)]
            } else {
                [Some((from, to)), None]
            };
            parts.into_iter().flatten()
        };
        allowed = allowed.into_iter().flat_map(split).collect();
    }
    allowed.retain(|(from, to)| from <= to);
    allowed
}

fn longest<'a>(table: Table, known: impl Iterator<Item = &'a DeviceSettings>) -> u16 {
    let of = |device: &DeviceSettings| device.limits.max_length(table);
    let protocol = if table.holds_bits() { BITS_MAX } else { REGISTERS_MAX };
    known.map(of).min().unwrap_or(protocol).clamp(1, protocol)
}

/// Why a search goes no further.
#[derive(Clone, Debug, PartialEq)]
enum Cut {
    Stopped,
    Unreachable(String),
    Silent,
    NoSuchFunction,
    OutOfRequests,
}

impl Cut {
    /// Why the whole scan ends; none if only this table does.
    fn in_words(&self) -> Option<String> {
        match self {
            Cut::Stopped => Some("stopped from outside".to_owned()),
            Cut::Unreachable(why) => Some(why.clone()),
            Cut::Silent | Cut::NoSuchFunction | Cut::OutOfRequests => None,
        }
    }

    fn ending(&self, at: u16) -> Ending {
        match self {
            Cut::Stopped => Ending::Stopped(at),
            Cut::Unreachable(_) => Ending::Unreachable(at),
            Cut::Silent => Ending::Silent(at),
            Cut::NoSuchFunction => Ending::NoSuchFunction,
            Cut::OutOfRequests => Ending::OutOfRequests(at),
        }
    }
}

/// The only way to the bus: one question, then a pause.
struct Asker<B, F> {
    bus: B,
    pause: Duration,
    go_on: F,
    /// In a row.
    timeouts: u32,
}

impl<B: Bus, F: FnMut(Step) -> ControlFlow<()>> Asker<B, F> {
    async fn ask(&mut self, span: Span, step: Step) -> Result<Result<Vec<u16>, BusError>, Cut> {
        if (self.go_on)(step).is_break() {
            return Err(Cut::Stopped);
        }
        self.bus.connect().await.map_err(|error| Cut::Unreachable(error.to_string()))?;
        let outcome = self.bus.read(span).await;
        tokio::time::sleep(self.pause).await;
        Ok(outcome)
    }

    async fn presence(&mut self, unit: u8, table: Table, address: u16, step: Step) -> Result<Presence, Cut> {
        Ok(match self.ask(Span { unit, table, address, count: 1 }, step).await? {
            Ok(_) => Presence::Answers,
            Err(BusError::Refused(nobody @ Refusal::Failure(10 | 11))) => Presence::NobodyBehind(nobody.to_string()),
            Err(BusError::Refused(refusal)) => Presence::Refuses(refusal.to_string()),
            Err(BusError::Silent) => Presence::Silent,
            Err(BusError::Broken(_)) => Presence::HangsUp,
            Err(BusError::Nonsense(what)) => Presence::Nonsense(what),
            Err(error @ BusError::Unreachable { .. }) => return Err(Cut::Unreachable(error.to_string())),
        })
    }

    /// Whether these addresses answer as one block.
    async fn answers(&mut self, span: Span, step: Step) -> Result<bool, Cut> {
        let mut pause = self.pause;
        for _ in 0..BUSY_MAX {
            match self.ask(span, step).await? {
                Ok(_) => {
                    self.timeouts = 0;
                    return Ok(true);
                }
                Err(BusError::Refused(Refusal::Function)) => return Err(Cut::NoSuchFunction),
                Err(BusError::Refused(Refusal::Busy)) => {
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                }
                // 4 is what many devices say of an address that they do not have; 10 and 11 that the unit fell silent.
                Err(
                    BusError::Refused(Refusal::Failure(10 | 11))
                    | BusError::Silent
                    | BusError::Broken(_)
                    | BusError::Nonsense(_),
                ) => {
                    self.timeouts += 1;
                    return if self.timeouts < TIMEOUTS_MAX { Ok(false) } else { Err(Cut::Silent) };
                }
                Err(BusError::Refused(Refusal::Address | Refusal::Value | Refusal::Failure(_))) => {
                    self.timeouts = 0;
                    return Ok(false);
                }
                Err(error @ BusError::Unreachable { .. }) => return Err(Cut::Unreachable(error.to_string())),
            }
        }
        Err(Cut::Silent)
    }
}

/// The search through one table of one unit.
struct Search<'a> {
    unit: u8,
    table: Table,
    order: &'a Scan,
    segments: Vec<(u32, u32)>,
    /// Where the search stands in the whole, and what share of it it is, in hundredths of a per cent.
    begun_at: u64,
    share: u64,
    longest: u16,
    asked: u32,
    at: u32,
}

impl Search<'_> {
    async fn run<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        mut self,
        asker: &mut Asker<B, F>,
    ) -> (TableFinding, Option<Cut>) {
        asker.timeouts = 0;
        let allowed = self.longest;
        let mut runs = Vec::new();
        let mut cut = None;
        for (from, to) in self.segments.clone() {
            if let Err(why) = self.segment(asker, from, to, &mut runs).await {
                cut = Some(why);
                break;
            }
        }
        let finding = TableFinding {
            table: self.table,
            runs,
            longest_read: (self.longest < allowed).then_some(self.longest),
            ending: cut.as_ref().map_or(Ending::Whole, |cut| cut.ending(self.at as u16)),
            requests: self.asked,
        };
        (finding, cut)
    }

    async fn answers<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        &mut self,
        asker: &mut Asker<B, F>,
        from: u32,
        count: u32,
    ) -> Result<bool, Cut> {
        self.at = from;
        if self.order.requests_max <= self.asked {
            return Err(Cut::OutOfRequests);
        }
        self.asked += 1;
        let (first, last) = (u64::from(*self.order.addresses.start()), u64::from(*self.order.addresses.end()));
        let done = self.share * (u64::from(from) - first) / (last - first + 1);
        let step = Step { unit: self.unit, table: Some(self.table), done_per_myriad: self.begun_at + done };
        let span = Span { unit: self.unit, table: self.table, address: from as u16, count: count as u16 };
        asker.answers(span, step).await
    }

    async fn segment<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        &mut self,
        asker: &mut Asker<B, F>,
        from: u32,
        to: u32,
        runs: &mut Vec<Run>,
    ) -> Result<(), Cut> {
        let mut at = from;
        let mut stride = 1;
        let mut refused = None;
        while at <= to {
            if self.answers(asker, at, 1).await? {
                let first = match refused {
                    Some(refused) => self.beginning(asker, refused, at).await?,
                    None => at,
                };
                runs.push(Run { first: first as u16, last: at as u16 });
                let end = self.grow(asker, at + 1, to, runs).await?;
                // `end` itself was refused, or lies behind the last address.
                (refused, at, stride) = (Some(end), end + 1, 1);
            } else {
                (refused, at) = (Some(at), at + stride);
                stride = (stride * 2).min(u32::from(self.order.stride.max(1)));
            }
        }
        Ok(())
    }

    /// The first address that answers, between one that does not and one that does.
    async fn beginning<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        &mut self,
        asker: &mut Asker<B, F>,
        mut refused: u32,
        mut answers: u32,
    ) -> Result<u32, Cut> {
        while 1 < answers - refused {
            let middle = refused.midpoint(answers);
            if self.answers(asker, middle, 1).await? { answers = middle } else { refused = middle }
        }
        Ok(answers)
    }

    /// Makes the last run as long as it is; the address after it.
    async fn grow<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        &mut self,
        asker: &mut Asker<B, F>,
        mut end: u32,
        to: u32,
        runs: &mut [Run],
    ) -> Result<u32, Cut> {
        let mut block = 2;
        while end <= to {
            let count = block.min(u32::from(self.longest)).min(to + 1 - end);
            let taken = self.taken(asker, end, count).await?;
            end += taken;
            if let Some(run) = runs.last_mut() {
                run.last = (end - 1) as u16;
            }
            if taken == count {
                block = count * 2;
            } else if end <= to && 0 < taken && self.answers(asker, end, 1).await? {
                // The next one is there: it was the length that was refused.
                self.longest = taken as u16;
            } else {
                break;
            }
        }
        Ok(end)
    }

    /// How many of `count` addresses answer as one block from `from` on.
    async fn taken<B: Bus, F: FnMut(Step) -> ControlFlow<()>>(
        &mut self,
        asker: &mut Asker<B, F>,
        from: u32,
        count: u32,
    ) -> Result<u32, Cut> {
        if self.answers(asker, from, count).await? {
            return Ok(count);
        }
        let (mut taken, mut refused) = (0, count);
        while 1 < refused - taken {
            let middle = taken.midpoint(refused);
            if self.answers(asker, from, middle).await? { taken = middle } else { refused = middle }
        }
        Ok(taken)
    }
}
