//! Wires, devices and register maps as they are written; a template is a file of its own with the same rows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Number, Text};
use crate::written::Written;

/// A line to devices.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWire {
    /// Its name. Required.
    pub name: Text,
    /// What is spoken on it. `modbus-tcp` unless written.
    pub protocol: Option<Written<RawProtocol>>,
    /// `host:port` of the device or its gateway; an IPv6 address in brackets. Required, unless the device dials in or hangs
    /// on a serial port.
    pub address: Text,
    /// Another `host:port` of the same devices, tried when the first cannot be reached.
    pub backup_address: Text,
    /// After this long on the backup address the first is tried first again, at the next reconnect.
    pub backup_return_minutes: Number,
    /// The device dials in: `host:port` of our own to listen on, instead of `address`.
    pub listen: Text,
    /// Addresses from which the device may dial in. From anywhere unless written.
    pub peers: Option<Written<Vec<Written<String>>>>,
    /// What the device says first when it has dialled in, as text or as `hex:4b3132`. Nothing unless written.
    pub registration: Text,
    /// What the device says now and then to keep the connection alive, as text or as `hex:00ff`. Nothing unless written.
    pub heartbeat: Text,
    /// Serial port, as in `/dev/serial/by-id/...` or `/dev/ttyUSB0`. Required with `modbus-rtu`.
    pub port: Text,
    /// Bits per second on the serial port, or on the bus behind a gateway or modem that passes RTU frames.
    pub baud: Count,
    /// Parity bit on the serial port.
    pub parity: Option<Written<RawParity>>,
    /// Stop bits on the serial port, 1 or 2.
    pub stop_bits: Count,
    /// Our own certificate for TLS, a PEM file with those of the authorities between.
    pub certificate_file: Text,
    /// The key of our own certificate, a PEM file that only the program may read.
    pub key_file: Text,
    /// The authorities that sign the devices' certificates, a PEM file. This or `server_certificate_file` with `modbus-tls`.
    pub trusted_file: Text,
    /// The one certificate that the device must show, a PEM file: for devices that made theirs themselves.
    pub server_certificate_file: Text,
    /// The name that the device's certificate must be for. The host of `address` unless written.
    pub server_name: Text,
    /// How long an answer may take.
    pub timeout_milliseconds: Number,
    /// How long a line of RTU frames must have been silent after a failure before it is asked again.
    pub silence_after_failure_milliseconds: Number,
    /// First wait after a lost connection; it doubles up to the longest.
    pub reconnect_min_seconds: Number,
    /// Longest wait after a lost connection.
    pub reconnect_max_seconds: Number,
    /// Silence between an answer and the next request; some gateways lose requests without it.
    pub pause_between_requests_milliseconds: Number,
    /// Silence after a connection was made; some devices answer nonsense while they warm up.
    pub pause_after_connect_milliseconds: Number,
}

/// What is spoken on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawProtocol {
    /// Modbus TCP.
    ModbusTcp,
    /// Modbus RTU on a serial port of this computer.
    ModbusRtu,
    /// Modbus RTU frames over TCP: a serial server or modem that only passes bytes.
    ModbusRtuOverTcp,
    /// Modbus/TCP Security: Modbus TCP inside of TLS.
    ModbusTls,
}

/// Parity bit of a serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum RawParity {
    None,
    Even,
    Odd,
}

/// A device on a wire.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawDevice {
    /// Its name. Required.
    pub name: Text,
    /// The wire that it is on. The only one unless written.
    pub wire: Text,
    /// Modbus unit, 0 to 247 or 255.
    pub modbus_unit: Count,
    /// The register map of its kind, as in `generic/exchange-station-plc`.
    pub template: Text,
    /// Added to every address of the template.
    pub base_address: Count,
    /// The circuits that it serves, in the order of its addresses. All unless written.
    pub circuits: Option<Written<Vec<Written<String>>>>,
    /// What of these circuits it serves, in the order of its addresses: `station`, `circuit`, `circulation_pump.1`,
    /// `building.b3`, `room.a101`. All that the template has blocks for unless written.
    pub serves: Vec<Written<String>>,
    /// Values for the parameters of its template, as in `ct_ratio = 40`.
    pub parameters: Option<Written<BTreeMap<String, Written<f64>>>>,
    /// What of the template this device does not have: names of blocks or points; `outdoor.*` means all that begin so.
    pub without: Vec<Written<String>>,
    /// Further rows from a CSV file beside this file, with the keys of `[[device.point]]` as its columns.
    pub points_csv: Text,
    /// What one read request may ask for; over the template's.
    pub limits: Option<Written<RawLimits>>,
    /// How often points are read; over the template's.
    pub period: Option<Written<RawPeriods>>,
    /// How outputs are written; over the template's.
    pub write: Option<Written<RawWrite>>,
    /// What its communication watchdog must be before anything is written to it; over the template's.
    pub watchdog: Option<Written<RawWatchdog>>,
    /// Rows of its own; a point of the template that is named here is read here instead.
    pub point: Vec<Written<RawRow>>,
}

/// What one read request may ask for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLimits {
    /// Registers in one request, 1 to 125.
    pub max_registers: Count,
    /// Coils or discrete inputs in one request, 1 to 2000.
    pub max_bits: Count,
    /// How many addresses nobody asked for may be read along to save a request.
    pub max_hole: Count,
    /// What is different for coils.
    pub coil: Option<Written<RawTableLimits>>,
    /// What is different for discrete inputs.
    pub discrete_input: Option<Written<RawTableLimits>>,
    /// What is different for input registers.
    pub input_register: Option<Written<RawTableLimits>>,
    /// What is different for holding registers.
    pub holding_register: Option<Written<RawTableLimits>>,
    /// Addresses that no read may touch, not even inside a hole.
    pub forbidden: Vec<Written<RawForbidden>>,
}

/// What one read request may ask of one address space, where that is not what holds for the device.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawTableLimits {
    /// Addresses in one request.
    pub max_length: Count,
    /// How many addresses nobody asked for may be read along to save a request.
    pub max_hole: Count,
}

/// Addresses that no read may touch.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawForbidden {
    /// In which address space.
    pub table: RawTable,
    /// The first of them.
    pub first: u16,
    /// The last of them.
    pub last: u16,
}

/// How often points are read, by what they are for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPeriods {
    /// Interlock inputs and pump states.
    pub safety_seconds: Number,
    /// Temperatures and flows that loops use.
    pub control_seconds: Number,
    /// Meters and electrical values.
    pub meter_seconds: Number,
    /// Rooms, buildings and counters.
    pub slow_seconds: Number,
}

/// How outputs are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWrite {
    /// The function code.
    pub function: Option<Written<RawWriteFunction>>,
    /// At least this long between two writes of changed values.
    pub minimum_interval_seconds: Number,
    /// Written again after this long even if nothing changed.
    pub refresh_seconds: Number,
    /// How far apart wanted and read-back value may be, in the point's unit.
    pub tolerance: Number,
    /// Where it is verified, unless the row gives another address.
    pub read_back: Option<Written<RawReadBack>>,
    /// How long it may take until what was written can be read back.
    pub settling_seconds: Number,
    /// Whether outputs at neighbouring addresses that change at the same moment go out in one request (function 15 or 16).
    pub merge: Option<Written<bool>>,
    /// Whether what stands in the rows before goes first: neither this output nor a later one of the device is sent before
    /// them, nor in one request with them.
    pub barrier: Option<Written<bool>>,
    /// For memory that wears out: how many writes a year may be spent.
    pub writes_per_year: Count,
}

/// A device's communication watchdog: after how much silence it does what was agreed at commissioning.
///
/// Its time is read before the first write on each connection and once a day; as long as it is out of its range nothing
/// is written to the device.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWatchdog {
    /// `false` writes to a device that cannot be asked: then nobody sees whether it would notice that the computer is gone.
    pub asked: Option<Written<bool>>,
    /// Protocol address of its time, counted from 0: one word without sign. Without an address it is not asked for.
    pub address: Count,
    /// In which address space.
    pub table: Option<Written<RawTable>>,
    /// Seconds that one count of the word stands for.
    pub seconds_per_count: Number,
    /// The shortest time that is allowed; longer than the refresh of outputs.
    pub min_seconds: Number,
    /// The longest time that is allowed.
    pub max_seconds: Number,
}

/// Which function code writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawWriteFunction {
    /// 5 for a coil, 6 for one word, 16 for several, 22 for a bit of a word.
    Automatic,
    /// 5.
    SingleCoil,
    /// 15.
    MultipleCoils,
    /// 6.
    SingleRegister,
    /// 16.
    MultipleRegisters,
    /// 22.
    MaskRegister,
    /// 3, then 6.
    ReadModifyWrite,
}

/// Where a written output is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawReadBack {
    /// At its own address.
    SameRegister,
    /// Nowhere.
    Impossible,
}

/// The address spaces of a Modbus device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawTable {
    /// 0x.
    Coil,
    /// 1x.
    DiscreteInput,
    /// 3x.
    InputRegister,
    /// 4x.
    HoldingRegister,
}

/// How words become a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are those of the types")]
pub enum RawEncoding {
    Bit,
    I16,
    U16,
    I32,
    U32,
    F32,
    I64,
    U64,
    F64,
    /// One word that names a state; `codes` says which.
    Enum,
}

/// Order of the bytes of a value of several words, by what arrives on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawWordOrder {
    /// Most significant word first.
    Abcd,
    /// Least significant word first.
    Cdab,
    /// Most significant word first, bytes of each word swapped.
    Badc,
    /// Least significant first.
    Dcba,
}

/// One value at one address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRow {
    /// The point: its full name in a station file, the part after its owner in a template. Required.
    pub point: Option<String>,
    /// Protocol address, counted from 0: the 40001 of a manual is holding register 0. In a template, from the base of its
    /// block. Required.
    pub address: Option<u32>,
    /// In which address space.
    pub table: Option<RawTable>,
    /// How words become a number. Required unless `bit` says it.
    pub encoding: Option<RawEncoding>,
    /// Which bit of a word, 0 being the lowest.
    pub bit: Option<u8>,
    /// Whether 0 means on.
    pub inverted: Option<bool>,
    /// Order of the bytes of several words.
    pub order: Option<RawWordOrder>,
    /// Value = number × scale + offset, in `unit`.
    pub scale: Option<f64>,
    /// See `scale`.
    pub offset: Option<f64>,
    /// Parameters of the template that the scale is multiplied by.
    pub scale_by: Vec<String>,
    /// Parameters of the template that the scale is divided by.
    pub scale_per: Vec<String>,
    /// A parameter of the template that is added to the offset.
    pub offset_by: Option<String>,
    /// A whole parameter of the template that is added to the address.
    pub address_by: Option<String>,
    /// The unit that the device means, as in `megapascals`; the point's own unless written.
    pub unit: Option<String>,
    /// Numbers by which the device says that its sensor is broken, as in `0x8000`.
    pub invalid: Option<Vec<u64>>,
    /// With `enum`: pairs of word and value.
    pub codes: Option<Vec<(u16, f64)>>,
    /// How often it is read.
    pub period_seconds: Option<f64>,
    /// How it is written; over the device's.
    pub write: Option<Box<RawWrite>>,
    /// An output that is verified at another address: which.
    pub read_back_address: Option<u16>,
    /// In which address space; the row's own unless written.
    pub read_back_table: Option<RawTable>,
}

/// A register map for all devices of a kind.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "heatstation device template")]
pub struct RawTemplate {
    /// What kind of device this is. Required.
    pub title: Text,
    /// Where the map was taken from: manual, edition, page. Required.
    pub source: Text,
    /// Order of the bytes of several words, where a row does not say.
    pub word_order: Option<Written<RawWordOrder>>,
    /// Modbus unit, where the station does not say.
    pub modbus_unit: Count,
    /// What a station says about its device of this kind, each a number: with a default, or asked for.
    pub parameters: BTreeMap<String, Written<RawParameter>>,
    /// Whether a device of this kind belongs to one thing alone, as a drive to its pump: then the station has to say to
    /// which, with `serves`.
    pub serves_one: Option<bool>,
    /// What one read request may ask for.
    pub limits: Option<Written<RawLimits>>,
    /// How often points are read.
    pub period: Option<Written<RawPeriods>>,
    /// How outputs are written.
    pub write: Option<Written<RawWrite>>,
    /// What its communication watchdog must be before anything is written to it.
    pub watchdog: Option<Written<RawWatchdog>>,
    /// Numbers that mean a broken sensor, by encoding, where a row does not say.
    pub invalid: RawInvalid,
    /// The blocks of addresses.
    pub block: Vec<Written<RawBlock>>,
}

/// A number that the station gives and that rows of the template count with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawParameter {
    /// What it is and where it is read, as in `ratio of the current transformers, on their plate`. Required.
    pub description: Text,
    /// What it is unless the station says otherwise; without one the station has to say it.
    pub default: Number,
    /// The least that is taken. Required.
    pub min: Number,
    /// The most that is taken. Required.
    pub max: Number,
    /// Whether it is a whole number.
    pub whole: Option<bool>,
}

/// Numbers that mean a broken sensor, by encoding.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the names are those of the encodings")]
pub struct RawInvalid {
    pub i16: Vec<u64>,
    pub u16: Vec<u64>,
    pub i32: Vec<u64>,
    pub u32: Vec<u64>,
    pub f32: Vec<u64>,
    pub i64: Vec<u64>,
    pub u64: Vec<u64>,
    pub f64: Vec<u64>,
}

/// A block of addresses that repeats for each owner of its kind.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBlock {
    /// Its name, for `without`. Required.
    pub name: Text,
    /// Whose points they are; the block repeats for each of them. Required.
    pub of: Option<Written<RawOwner>>,
    /// The address that its rows count from, for the first owner. 0 unless written.
    pub base: Count,
    /// From one circuit to the next.
    pub circuit_stride: Count,
    /// A whole parameter of the template: which of the device's own circuits, counted from 1, the first that it serves is.
    pub first_circuit_by: Option<String>,
    /// From one pump, building or room of a circuit to the next.
    pub stride: Count,
    /// How many pumps, buildings or rooms of a circuit the map has room for.
    pub most: Count,
    /// In which address space its rows are, where a row does not say.
    pub table: Option<Written<RawTable>>,
    /// The rows.
    pub point: Vec<Written<RawRow>>,
}

/// Whose points a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawOwner {
    /// The station's.
    Station,
    /// Each circuit's.
    Circuit,
    /// Each circulation pump's.
    CirculationPump,
    /// Each make-up pump's.
    MakeUpPump,
    /// Each pump's of either kind, the circulation pumps first: what a drive alone is for.
    Pump,
    /// Each building's.
    Building,
    /// Each room sensor's.
    Room,
}
