//! Asking once, for commissioning: what does each register hold, and does it take a value?
//!
//! Every register is asked for alone, so that the answer is about it and not about its neighbours.

use std::time::Duration;

use heatstation_points::{Fault, Point, Value};

use crate::bus::{Bus, BusError, Refusal, Span, Write};
use crate::decode::{EncodeError, decode, encode, number_of};
use crate::encoding::WordOrder;
use crate::modbus::Modbus;
use crate::problem::SettingsProblem;
use crate::problem::touches_forbidden;
use crate::runner::{mask_of, read_back_span, write_of};
use crate::settings::{DeviceSettings, ReadBack, Register, Table, WireSettings, WriteFunction, WriteRules};

/// So many time-outs in a row, and the rest of the device is taken for silent too.
const TIMEOUTS_MAX: u32 = 2;
/// How long a written value may take to show.
const SETTLING: Duration = Duration::from_millis(500);

/// What one register answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeRow {
    /// Name of the device.
    pub device: String,
    /// Which point.
    pub point: Point,
    /// Its text name.
    pub name: String,
    /// The address space.
    pub table: Table,
    /// Protocol address, counted from 0.
    pub address: u16,
    /// The words as they came; empty if none did.
    pub words: Vec<u16>,
    /// What they mean.
    pub value: Result<Value, Fault>,
    /// Why none came.
    pub error: Option<BusError>,
    /// What the words are under each order of bytes; empty where there is one word or none.
    pub orders: Vec<UnderOrder>,
}

/// A value of several words under one order of its bytes: which order is meant, a person who knows the plant sees at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnderOrder {
    /// The order.
    pub order: WordOrder,
    /// Whether it is the one that the configuration says.
    pub is_configured: bool,
    /// The number, in the point's unit, finite or not; none for a pattern that means a broken sensor.
    pub number: Option<f64>,
    /// Whether it is a value that would be believed.
    pub is_plausible: bool,
}

/// What these words of a register are under each order of bytes.
pub fn under_each_order(register: &Register, words: &[u16]) -> Vec<UnderOrder> {
    let under = |order| {
        let meant = Register { encoding: register.encoding.in_order(order)?, ..register.clone() };
        Some(UnderOrder {
            order,
            is_configured: order == register.encoding.order(),
            number: number_of(&meant, words).ok(),
            is_plausible: decode(&meant, words).is_ok(),
        })
    };
    if words.is_empty() { Vec::new() } else { WordOrder::ALL.into_iter().filter_map(under).collect() }
}

/// One answer to a question for words that no point need have.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAnswer {
    /// The first address that was asked for.
    pub address: u16,
    /// How many.
    pub count: u16,
    /// The words, or why there are none.
    pub outcome: Result<Vec<u16>, BusError>,
}

/// What a single write came to.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeWrite {
    /// What the register held before.
    pub before: Option<Value>,
    /// The words that were written.
    pub words: Vec<u16>,
    /// What it held afterwards; none if it cannot say.
    pub after: Option<Value>,
}

/// Why a single write did not happen, or why nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The settings are not sound.
    #[error("the wire cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Settings(Vec<SettingsProblem>),
    /// The wire has no such output.
    #[error("no output of this name is written on this wire")]
    NoSuchOutput,
    /// The value cannot be said to the device.
    #[error(transparent)]
    Encoding(#[from] EncodeError),
    /// The device or the way to it.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Reads every register of the wire once, in the order of the settings.
///
/// # Errors
/// All problems of the settings, if there are any. A device that does not answer is told in its rows.
pub async fn read_once(settings: &WireSettings) -> Result<Vec<ProbeRow>, Vec<SettingsProblem>> {
    read_wanted(settings, |_, _| true).await
}

/// Reads those registers of the wire once that are `wanted`, in the order of the settings.
///
/// # Errors
/// As [`read_once`].
pub async fn read_wanted(
    settings: &WireSettings,
    wanted: impl Fn(&DeviceSettings, &Register) -> bool,
) -> Result<Vec<ProbeRow>, Vec<SettingsProblem>> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(read_all(Modbus::new(settings), settings, wanted).await)
}

async fn read_all(
    mut bus: impl Bus,
    settings: &WireSettings,
    wanted: impl Fn(&DeviceSettings, &Register) -> bool,
) -> Vec<ProbeRow> {
    let mut rows = Vec::new();
    // The wire as a whole cannot be reached: every device would wait as long for the same answer.
    let mut unreachable = None;
    for device in &settings.devices {
        let mut timeouts = 0;
        for register in device.registers.iter().filter(|register| wanted(device, register)) {
            let span = read_back_span(register, device.modbus_unit);
            let is_write_only = register.write.as_ref().is_some_and(|rules| rules.read_back == ReadBack::Impossible);
            let outcome = match &unreachable {
                Some(error) => Err(BusError::clone(error)),
                None if is_write_only => Err(BusError::Refused(Refusal::Address)),
                None if TIMEOUTS_MAX <= timeouts => Err(BusError::Silent),
                None => ask(&mut bus, span).await,
            };
            if let Err(error @ BusError::Unreachable { .. }) = &outcome {
                unreachable = Some(error.clone());
            }
            timeouts = if matches!(outcome, Err(BusError::Silent)) { timeouts + 1 } else { 0 };
            rows.push(row(&device.name, register, span, outcome));
        }
    }
    rows
}

async fn ask(bus: &mut impl Bus, span: Span) -> Result<Vec<u16>, BusError> {
    bus.connect().await?;
    bus.read(span).await
}

/// Reads words that no point need have, in as many questions as the device's limits make of them.
///
/// # Errors
/// All problems of the settings, or the one that an address is forbidden on this device.
pub async fn read_raw(
    settings: &WireSettings,
    device: &DeviceSettings,
    table: Table,
    address: u16,
    count: u16,
) -> Result<Vec<RawAnswer>, Vec<SettingsProblem>> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    if touches_forbidden(device, table, address, count) {
        let what = format!("addresses of the {} table among these are forbidden by its limits", table.name());
        return Err(vec![SettingsProblem::Device { device: device.name.clone(), what }]);
    }
    Ok(read_words(Modbus::new(settings), device, table, address, count).await)
}

async fn read_words(
    mut bus: impl Bus,
    device: &DeviceSettings,
    table: Table,
    address: u16,
    count: u16,
) -> Vec<RawAnswer> {
    let longest = device.limits.max_length(table);
    let mut answers = Vec::new();
    let (mut at, end) = (u32::from(address), (u32::from(address) + u32::from(count)).min(65_536));
    while at < end {
        let count = (end - at).min(u32::from(longest)) as u16;
        let span = Span { unit: device.modbus_unit, table, address: at as u16, count };
        let outcome = ask(&mut bus, span).await;
        at += u32::from(count);
        let is_lost = matches!(outcome, Err(BusError::Unreachable { .. } | BusError::Silent));
        answers.push(RawAnswer { address: span.address, count, outcome });
        if is_lost {
            break;
        }
    }
    answers
}

fn row(device: &str, register: &Register, span: Span, outcome: Result<Vec<u16>, BusError>) -> ProbeRow {
    let (words, value, error) = match outcome {
        Ok(words) => {
            let value = decode(register, &words);
            (words, value, None)
        }
        Err(error @ BusError::Refused(_)) => (Vec::new(), Err(Fault::Refused), Some(error)),
        Err(error) => (Vec::new(), Err(Fault::Silent), Some(error)),
    };
    let orders = under_each_order(register, &words);
    ProbeRow {
        device: device.to_owned(),
        point: register.point(),
        name: register.name().to_owned(),
        table: span.table,
        address: span.address,
        words,
        value,
        error,
        orders,
    }
}

/// Writes one value once, whatever else is wished, and reads it back after half a second.
///
/// # Errors
/// See [`ProbeError`]. After a [`ProbeError::Bus`] that is not a refusal nobody knows whether it was written.
pub async fn write_once(settings: &WireSettings, point: Point, value: Value) -> Result<ProbeWrite, ProbeError> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(ProbeError::Settings(problems));
    }
    let (device, register) = settings
        .devices
        .iter()
        .flat_map(|device| device.registers.iter().map(move |register| (device, register)))
        .find(|(_, register)| register.point() == point && register.write.is_some())
        .ok_or(ProbeError::NoSuchOutput)?;
    let rules = register.write.as_ref().ok_or(ProbeError::NoSuchOutput)?;
    let words = encode(register, value)?;
    write_and_look(Modbus::new(settings), device.modbus_unit, register, rules, words).await
}

async fn write_and_look(
    mut bus: impl Bus,
    unit: u8,
    register: &Register,
    rules: &WriteRules,
    words: Vec<u16>,
) -> Result<ProbeWrite, ProbeError> {
    bus.connect().await?;

    let span = read_back_span(register, unit);
    let can_be_read = rules.read_back != ReadBack::Impossible;
    let before = if can_be_read { decode(register, &bus.read(span).await?).ok() } else { None };
    let write = match mask_of(register) {
        None => write_of(register.table, rules.function, register.address, words.clone()),
        Some(mask) if rules.function == WriteFunction::ReadModifyWrite => {
            let own = Span { table: register.table, address: register.address, count: 1, ..span };
            let held = bus.read(own).await?;
            Write::SingleRegister { address: register.address, word: (held[0] & !mask) | words[0] }
        }
        Some(mask) => Write::MaskRegister { address: register.address, and: !mask, or: words[0] },
    };
    bus.write(unit, &write).await?;
    tokio::time::sleep(SETTLING).await;
    let after = if can_be_read { decode(register, &bus.read(span).await?).ok() } else { None };
    Ok(ProbeWrite { before, words, after })
}
