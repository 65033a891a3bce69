//! What a wire is: plain data, made by the configuration and read by everything else here.
//!
//! One [`WireSettings`] is one physical line: one TCP connection, one serial port, one modem that dials in; how it is
//! reached says its [`Transport`]. All devices behind it share the line, because many gateways accept only one or two
//! connections and every slave of a bus must wait for its neighbours anyway.
//!
//! Nothing here is checked while it is built, so that the configuration can report *every* problem with the line it
//! stands in. [`WireSettings::problems`] says what is wrong; a wire with problems is never started.

use std::ops::RangeInclusive;
use std::time::Duration;

use heatstation_points::{Definition, Point};
use serde::{Deserialize, Serialize};

pub use crate::encoding::{Encoding, EnumRow, Polarity, WordOrder};
pub use crate::transport::{Backup, Dial, Framing, Listen, Parity, Serial, StopBits, Tls, Transport, Trust};

/// Longest read of 16-bit registers that the protocol allows (Modbus Application Protocol V1.1b3, 6.3 and 6.4).
pub const REGISTERS_MAX: u16 = 125;
/// Longest read of coils or discrete inputs that the protocol allows (Modbus Application Protocol V1.1b3, 6.1 and 6.2).
pub const BITS_MAX: u16 = 2000;

/// One physical line with all devices behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WireSettings {
    /// Its name, used in logs and as the `wire` label of metrics.
    pub name: String,
    /// How it is reached.
    pub transport: Transport,
    /// How long an answer may take, from the request being sent. On a serial line the time that the bytes of question
    /// and answer need to travel comes on top.
    pub timeout: Duration,
    /// How long a line without transaction ids must have been silent after a failure before it is asked again; nothing
    /// to the others.
    pub silence_after_failure: Duration,
    /// First wait after a lost connection; doubles up to [`WireSettings::reconnect_max`].
    pub reconnect_min: Duration,
    /// Longest wait after a lost connection. Kept short against the device's own watchdog: commands are not refreshed
    /// meanwhile.
    pub reconnect_max: Duration,
    /// Silence kept between an answer and the next request; some gateways lose requests without it.
    pub pause_between_requests: Duration,
    /// Silence kept after a connection was made; some devices answer nonsense while they warm up.
    pub pause_after_connect: Duration,
    /// The devices, each with a name of its own.
    pub devices: Vec<DeviceSettings>,
}

impl WireSettings {
    /// A Modbus TCP wire to `address` with the usual times and no devices yet.
    ///
    /// 500 ms time-out, and as much silence after a failure; 1 s to 60 s between connection attempts.
    pub fn modbus_tcp(name: impl Into<String>, address: impl Into<String>) -> WireSettings {
        WireSettings {
            name: name.into(),
            transport: Transport::modbus_tcp(address),
            timeout: Duration::from_millis(500),
            silence_after_failure: Duration::from_millis(500),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            pause_between_requests: Duration::ZERO,
            pause_after_connect: Duration::ZERO,
            devices: Vec::new(),
        }
    }
}

/// One device on a wire: one Modbus unit with its registers and its peculiarities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceSettings {
    /// Its name, used in logs and in `plan` and `probe`.
    pub name: String,
    /// Modbus unit identifier, 0 to 247; 255 is what many TCP devices without a bus behind them want.
    pub modbus_unit: u8,
    /// What one request may ask for.
    pub limits: ReadLimits,
    /// What is read and written there.
    pub registers: Vec<Register>,
    /// Where its watchdog's time stands and what it must be before the device is written; none leaves that unasked.
    pub watchdog: Option<WatchdogRule>,
}

/// What a device's communication watchdog must be before the device is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WatchdogRule {
    /// Which address space its time stands in: registers.
    pub table: Table,
    /// Protocol address, counted from 0, of one word without sign.
    pub address: u16,
    /// Seconds that one count of the word stands for.
    pub seconds_per_count: f64,
    /// The shortest time that is allowed: longer than the refresh of outputs, or it bites in normal running.
    pub least: Duration,
    /// The longest time that is allowed.
    pub most: Duration,
}

/// What one read request to a device may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadLimits {
    /// Registers in one request, 1 to [`REGISTERS_MAX`]. Some heat pumps allow 5.
    pub max_registers: u16,
    /// Coils or discrete inputs in one request, 1 to [`BITS_MAX`].
    pub max_bits: u16,
    /// How many addresses nobody asked for may be read along to save a request; fewer where that is not worth its time on
    /// the line (see [`Link::hole_worth`](crate::Link::hole_worth)).
    pub max_hole: u16,
    /// What is different for one of the address spaces.
    pub tables: Vec<(Table, TableLimits)>,
    /// Addresses that must not be touched by a read, not even inside a hole.
    pub forbidden: Vec<(Table, RangeInclusive<u16>)>,
}

/// What one read request may ask of one address space, where that is not what holds for the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLimits {
    /// Addresses in one request.
    pub max_length: Option<u16>,
    /// How many addresses nobody asked for may be read along.
    pub max_hole: Option<u16>,
}

impl ReadLimits {
    /// How many addresses of this table one request may ask for.
    pub fn max_length(&self, table: Table) -> u16 {
        let device = if table.holds_bits() { self.max_bits } else { self.max_registers };
        self.of(table).and_then(|limits| limits.max_length).unwrap_or(device)
    }

    /// How many addresses of this table that nobody asked for may be read along.
    pub fn max_hole(&self, table: Table) -> u16 {
        self.of(table).and_then(|limits| limits.max_hole).unwrap_or(self.max_hole)
    }

    fn of(&self, table: Table) -> Option<&TableLimits> {
        self.tables.iter().find(|(of, _)| *of == table).map(|(_, limits)| limits)
    }
}

impl Default for ReadLimits {
    /// The limits of the protocol and holes of 16: 32 bytes more cost less than a further request on any link from
    /// 9 600 baud upwards, and each hole is a chance to touch an address that the device does not know.
    fn default() -> Self {
        ReadLimits {
            max_registers: REGISTERS_MAX,
            max_bits: BITS_MAX,
            max_hole: 16,
            tables: Vec::new(),
            forbidden: Vec::new(),
        }
    }
}

/// The four address spaces of a Modbus device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// Bits that can be written (0x). Read by function 1.
    Coil,
    /// Bits that can only be read (1x). Read by function 2.
    DiscreteInput,
    /// Words that can only be read (3x). Read by function 4.
    InputRegister,
    /// Words that can be written (4x). Read by function 3.
    HoldingRegister,
}

impl Table {
    /// Whether an address holds a bit rather than a word.
    pub const fn holds_bits(self) -> bool {
        matches!(self, Table::Coil | Table::DiscreteInput)
    }

    /// Whether the protocol has a write function for it.
    pub const fn is_writable(self) -> bool {
        matches!(self, Table::Coil | Table::HoldingRegister)
    }

    /// The function code that reads it.
    pub const fn read_function(self) -> u8 {
        match self {
            Table::Coil => 1,
            Table::DiscreteInput => 2,
            Table::HoldingRegister => 3,
            Table::InputRegister => 4,
        }
    }

    /// All four.
    pub const ALL: [Table; 4] = [Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister];

    /// The table of that name.
    pub fn named(name: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The table as `plan`, `probe` and configuration files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Coil => "coil",
            Table::DiscreteInput => "discrete-input",
            Table::InputRegister => "input-register",
            Table::HoldingRegister => "holding-register",
        }
    }
}

/// One value at one address of a device.
///
/// A register whose point is an output is read as well, at its period, unless [`WriteRules::read_back`] says that it
/// cannot be: so a foreign master that writes it is noticed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Register {
    /// The point whose value it is, with name and range. The driver needs it to let a number in.
    pub definition: Definition,
    /// Which address space.
    pub table: Table,
    /// Protocol address, counted from 0: the `40001` of a manual is `HoldingRegister` 0.
    pub address: u16,
    /// How words become a number.
    pub encoding: Encoding,
    /// `value = raw * scale + offset`, in the point's unit. Not zero. Ignored by [`Encoding::Bit`] and
    /// [`Encoding::Enum`].
    pub scale: f64,
    /// See [`Register::scale`].
    pub offset: f64,
    /// Raw patterns by which the device says that its sensor is broken, as in `0x8000` or `0x7FC0_0000`; compared with
    /// the bits of the value in its own width, after the words were put in order.
    pub invalid: Vec<u64>,
    /// How often it is read.
    pub period: Duration,
    /// How it may be written; none for what is only read.
    pub write: Option<WriteRules>,
}

impl Register {
    /// A register that is only read, in the point's own unit, at the point's usual pace.
    pub fn input(definition: Definition, table: Table, address: u16, encoding: Encoding) -> Register {
        let period = period_of(definition.pace);
        Register {
            definition,
            table,
            address,
            encoding,
            scale: 1.0,
            offset: 0.0,
            invalid: Vec::new(),
            period,
            write: None,
        }
    }

    /// The point whose value it is.
    pub fn point(&self) -> Point {
        self.definition.point
    }

    /// The point's text name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// How many addresses its value covers.
    pub fn width(&self) -> u16 {
        if self.table.holds_bits() { 1 } else { self.encoding.words() }
    }

    /// Whether it is polled: everything but an output that cannot be read back at its own address.
    pub fn is_polled(&self) -> bool {
        self.write.as_ref().is_none_or(|rules| matches!(rules.read_back, ReadBack::SameRegister))
    }
}

/// How often a point of this pace is read unless the configuration says otherwise.
///
/// The rhythm of the field: interlock inputs each second, temperatures for control every 2 s, meters every 10 s, rooms
/// and counters every minute.
pub const fn period_of(pace: heatstation_points::Pace) -> Duration {
    match pace {
        heatstation_points::Pace::Safety => Duration::from_secs(1),
        heatstation_points::Pace::Control => Duration::from_secs(2),
        heatstation_points::Pace::Meter => Duration::from_secs(10),
        heatstation_points::Pace::Slow => Duration::from_secs(60),
    }
}

/// How an output may be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteRules {
    /// The function code.
    pub function: WriteFunction,
    /// At least this long between two writes of changed values.
    pub minimum_interval: Duration,
    /// Written again after this long even if nothing changed, so that the watchdog of the device stays fed and a
    /// foreign write does not last. Ignored for [`Memory::NonVolatile`], which is written on change only.
    pub refresh: Duration,
    /// How far apart wanted and read-back value may be, in the point's unit, beyond what the encoding rounds. For
    /// [`Memory::NonVolatile`] also how far a wish must have moved to be worth a write.
    pub tolerance: f64,
    /// Where it is verified.
    pub read_back: ReadBack,
    /// How long it may take until what was written shows there: asked at once, after 250 ms, after twice that, and so on;
    /// when this time is over and it still shows something else, that is a mismatch.
    pub settling: Duration,
    /// Whether it may go out in one request (function 15 or 16) with outputs at neighbouring addresses that are to be
    /// written at the same moment.
    pub merge: bool,
    /// Whether what stands in the rows before it goes first: neither this output nor any in a later row of the device is
    /// sent before them, nor in one request with them.
    pub barrier: bool,
    /// What a write wears out.
    pub memory: Memory,
}

impl Default for WriteRules {
    /// At most one write a second, a refresh every 10 s, verified in place.
    ///
    /// 10 s feeds the usual communication watchdog of a drive six times over (Danfoss VLT HVAC Drive FC 102,
    /// parameter 8-03 Control Timeout Time: 60 s as delivered). A shorter watchdog needs a shorter refresh.
    fn default() -> Self {
        WriteRules {
            function: WriteFunction::Automatic,
            minimum_interval: Duration::from_secs(1),
            refresh: Duration::from_secs(10),
            tolerance: 0.0,
            read_back: ReadBack::SameRegister,
            settling: Duration::from_millis(750),
            merge: false,
            barrier: false,
            memory: Memory::Volatile,
        }
    }
}

/// Which function code writes an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteFunction {
    /// 5 for a coil, 6 for one word, 16 for several words, 22 for a bit of a word.
    #[default]
    Automatic,
    /// Function 5.
    SingleCoil,
    /// Function 15, for devices that do not know function 5.
    MultipleCoils,
    /// Function 6.
    SingleRegister,
    /// Function 16, for devices that do not know function 6 and for every value of several words.
    MultipleRegisters,
    /// Function 22, which sets or clears one bit in one step.
    MaskRegister,
    /// Reads the word, changes one bit and writes it with function 6: for devices that do not know function 22. What
    /// the device itself changed in that word between the two is lost.
    ReadModifyWrite,
}

/// Where a written output is verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadBack {
    /// At its own address.
    #[default]
    SameRegister,
    /// At another address of the same device, same encoding and scale.
    OtherRegister {
        /// Which address space.
        table: Table,
        /// Protocol address, counted from 0.
        address: u16,
    },
    /// Nowhere: the device cannot say. The output then stays `accepted` and never becomes `confirmed`.
    Impossible,
}

/// What a write wears out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// Nothing.
    #[default]
    Volatile,
    /// Cells with a life: Toshiba states 10 000 writes for the G3 drive, which a write every 5 s ends within 14 hours.
    NonVolatile {
        /// What may be spent in a year; 1 000 unless the maker says more.
        writes_per_year: u32,
    },
}
