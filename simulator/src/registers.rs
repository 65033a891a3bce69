//! The register map of the simulated station PLC: which word means what.
//!
//! The map is the plant's own, drawn after the cabinets that Chinese stations have: nearly everything in holding
//! registers, temperatures as signed tenths, pressures and flows as big-endian floats in `MPa` and m³/h, counters as two
//! words, states packed into status words, and the switches that can be written also as coils. Nothing here is derived
//! from a controller's template: two engineers who read `REGISTERS.md` must come to the same numbers, and a test of the
//! controller may compare its template with [`register_map`].

use heatstation_points::{
    BuildingIndex, BuildingOutput, BuildingSignal, Catalogue, CircuitIndex, CircuitOutput, CircuitSignal, Point,
    PumpIndex, PumpOutput, PumpSignal, RoomIndex, RoomSignal, StationSignal,
};

/// Which of the four Modbus tables. Input registers and discrete inputs are not served: most cabinets have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Holding registers: function codes 03, 06, 16.
    Holding,
    /// Coils: function codes 01, 05, 15.
    Coil,
}

/// How a value stands in the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One word, two's complement; a lost sensor reads `0x8000`.
    I16,
    /// One word; a lost sensor reads `0xFFFF`.
    U16,
    /// Two words, high word first; a lost meter reads `0xFFFF_FFFF`.
    U32,
    /// Two words, IEEE 754 single, byte order ABCD; a lost transmitter reads a quiet NaN (`0x7FC0_0000`).
    F32,
    /// This bit of the word, 0 the lowest. A lost contact reads 0.
    Bit(u8),
    /// A coil.
    Coil,
}

impl Encoding {
    /// How many words (or coils) it takes.
    pub const fn words(self) -> u16 {
        match self {
            Encoding::U32 | Encoding::F32 => 2,
            Encoding::I16 | Encoding::U16 | Encoding::Bit(_) | Encoding::Coil => 1,
        }
    }
}

/// One line of the register map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRow {
    /// Which point.
    pub point: Point,
    /// Its text name.
    pub name: String,
    /// Where it stands.
    pub table: Table,
    /// Its address as it goes over the wire, counted from 0.
    pub address: u16,
    /// How it is written there.
    pub encoding: Encoding,
    /// The point's value in its own (SI) unit is the number in the register times this.
    pub scale: f64,
    /// Whether a client may write it.
    pub writable: bool,
}

/// Where the blocks of a circuit begin, and how long they are.
pub(crate) mod blocks {
    /// Words of the station block at address 0.
    pub const STATION: u16 = 60;
    /// Circuit `c` (from 0) begins at `CIRCUIT * (c + 1)`.
    pub const CIRCUIT: u16 = 1000;
    /// Words of a circuit's own block.
    pub const CIRCUIT_WORDS: u16 = 60;
    /// Offset of the first circulation pump in the circuit.
    pub const CIRCULATION_PUMPS: u16 = 100;
    /// Offset of the first make-up pump in the circuit.
    pub const MAKE_UP_PUMPS: u16 = 200;
    /// Words from one pump to the next.
    pub const PUMP: u16 = 20;
    /// Offset of the first building in the circuit.
    pub const BUILDINGS: u16 = 300;
    /// Words from one building to the next.
    pub const BUILDING: u16 = 20;
    /// Offset of the first room in the circuit.
    pub const ROOMS: u16 = 600;
    /// Words from one room to the next.
    pub const ROOM: u16 = 2;
    /// The PLC's own life sign: counts up once a second.
    pub const HEARTBEAT: u16 = 44;
    /// How often a minute has passed without any request.
    pub const COMMUNICATION_LOSSES: u16 = 45;
    /// After how many seconds of silence the watchdog bites; 0 is off.
    pub const WATCHDOG_SECONDS: u16 = 46;
    /// What it then does: 0 keeps the outputs, 1 closes the control valves.
    pub const WATCHDOG_ACTION: u16 = 47;
    /// Circuit `c` has its coils from `COILS * (c + 1)`.
    pub const COILS: u16 = 100;
    /// Coils of a circuit.
    pub const CIRCUIT_COILS: u16 = 40;
    /// Most buildings that fit.
    pub const MOST_BUILDINGS: usize = 15;
    /// Most rooms that fit.
    pub const MOST_ROOMS: usize = 200;
    /// Most circuits that fit into 65536 addresses.
    pub const MOST_CIRCUITS: usize = 60;
}

const MEGAPASCALS: f64 = 1e6;
const KILOPASCALS: f64 = 1e3;
const KILOWATTS: f64 = 1e3;
const CUBIC_METERS_PER_HOUR: f64 = 1.0 / 3600.0;
const CENTI_GIGAJOULES: f64 = 1e7;
const TENTH_KILOWATT_HOURS: f64 = 3.6e5;
const HOURS: f64 = 3600.0;
/// 0.01 Hz of 50 Hz.
const CENTIHERTZ_OF_50: f64 = 0.01 / 50.0;
const CENTI_PERCENT: f64 = 1e-4;

/// Signal, offset in the block, encoding, scale.
type Row<S> = (S, u16, Encoding, f64);

const STATION: &[Row<StationSignal>] = &[
    (StationSignal::MainsHealthy, 0, Encoding::Bit(0), 1.0),
    (StationSignal::UpsOnBattery, 0, Encoding::Bit(1), 1.0),
    (StationSignal::EmergencyStop, 0, Encoding::Bit(2), 1.0),
    (StationSignal::RemoteSelected, 0, Encoding::Bit(3), 1.0),
    (StationSignal::PlantRoomFlooded, 0, Encoding::Bit(4), 1.0),
    (StationSignal::PlantRoomSmoke, 0, Encoding::Bit(5), 1.0),
    (StationSignal::PlantRoomDoorOpen, 0, Encoding::Bit(6), 1.0),
    (StationSignal::OutdoorTemperature, 1, Encoding::I16, 0.1),
    (StationSignal::OutdoorTemperatureSecond, 2, Encoding::I16, 0.1),
    (StationSignal::SolarIrradiance, 3, Encoding::U16, 1.0),
    (StationSignal::WindSpeed, 4, Encoding::U16, 0.1),
    (StationSignal::PrimarySupplyTemperature, 5, Encoding::I16, 0.1),
    (StationSignal::PrimaryReturnTemperature, 6, Encoding::I16, 0.1),
    (StationSignal::PlantRoomTemperature, 7, Encoding::I16, 0.1),
    (StationSignal::PrimarySupplyPressure, 8, Encoding::F32, MEGAPASCALS),
    (StationSignal::PrimaryReturnPressure, 10, Encoding::F32, MEGAPASCALS),
    (StationSignal::PrimaryStrainerPressure, 12, Encoding::F32, MEGAPASCALS),
    (StationSignal::PrimaryFlow, 14, Encoding::F32, CUBIC_METERS_PER_HOUR),
    (StationSignal::PrimaryHeatPower, 16, Encoding::F32, KILOWATTS),
    (StationSignal::PrimaryVolume, 18, Encoding::U32, 1.0),
    (StationSignal::PrimaryHeatEnergy, 20, Encoding::U32, CENTI_GIGAJOULES),
    (StationSignal::PrimaryMeterSupplyTemperature, 22, Encoding::F32, 1.0),
    (StationSignal::PrimaryMeterReturnTemperature, 24, Encoding::F32, 1.0),
    (StationSignal::PrimaryMeterFaultCode, 26, Encoding::U16, 1.0),
    (StationSignal::PrimaryMeterOperatingTime, 28, Encoding::U32, HOURS),
    (StationSignal::VoltageA, 30, Encoding::U16, 0.1),
    (StationSignal::VoltageB, 31, Encoding::U16, 0.1),
    (StationSignal::VoltageC, 32, Encoding::U16, 0.1),
    (StationSignal::CurrentA, 33, Encoding::U16, 0.1),
    (StationSignal::CurrentB, 34, Encoding::U16, 0.1),
    (StationSignal::CurrentC, 35, Encoding::U16, 0.1),
    (StationSignal::ElectricityPower, 36, Encoding::F32, KILOWATTS),
    (StationSignal::ElectricityEnergy, 38, Encoding::U32, TENTH_KILOWATT_HOURS),
    (StationSignal::TapWaterVolume, 40, Encoding::U32, 0.01),
];

const CIRCUIT: &[Row<CircuitSignal>] = &[
    (CircuitSignal::ValveFault, 0, Encoding::Bit(0), 1.0),
    (CircuitSignal::ValveRemote, 0, Encoding::Bit(1), 1.0),
    (CircuitSignal::OverTemperatureSwitch, 0, Encoding::Bit(2), 1.0),
    (CircuitSignal::OverPressureSwitch, 0, Encoding::Bit(3), 1.0),
    (CircuitSignal::LowPressureSwitch, 0, Encoding::Bit(4), 1.0),
    (CircuitSignal::FlowSwitch, 0, Encoding::Bit(5), 1.0),
    (CircuitSignal::TankLowSwitch, 0, Encoding::Bit(6), 1.0),
    (CircuitSignal::TankHighSwitch, 0, Encoding::Bit(7), 1.0),
    (CircuitSignal::TankInletFeedback, 0, Encoding::Bit(8), 1.0),
    (CircuitSignal::ReliefFeedback, 0, Encoding::Bit(9), 1.0),
    (CircuitSignal::SoftenerHealthy, 0, Encoding::Bit(10), 1.0),
    (CircuitSignal::SupplyTemperature, 1, Encoding::I16, 0.1),
    (CircuitSignal::SupplyTemperatureSecond, 2, Encoding::I16, 0.1),
    (CircuitSignal::ReturnTemperature, 3, Encoding::I16, 0.1),
    (CircuitSignal::PrimaryReturnTemperature, 4, Encoding::I16, 0.1),
    (CircuitSignal::ValvePositionFeedback, 5, Encoding::U16, CENTI_PERCENT),
    (CircuitSignal::SupplyPressure, 6, Encoding::F32, MEGAPASCALS),
    (CircuitSignal::ReturnPressure, 8, Encoding::F32, MEGAPASCALS),
    (CircuitSignal::ReturnPressureBeforeStrainer, 10, Encoding::F32, MEGAPASCALS),
    (CircuitSignal::ExchangerInletPressure, 12, Encoding::F32, MEGAPASCALS),
    (CircuitSignal::DifferentialPressure, 14, Encoding::F32, KILOPASCALS),
    (CircuitSignal::WorstDifferentialPressure, 16, Encoding::F32, KILOPASCALS),
    (CircuitSignal::SecondaryFlow, 18, Encoding::F32, CUBIC_METERS_PER_HOUR),
    (CircuitSignal::SecondaryVolume, 20, Encoding::U32, 1.0),
    (CircuitSignal::PrimaryFlow, 22, Encoding::F32, CUBIC_METERS_PER_HOUR),
    (CircuitSignal::HeatPower, 24, Encoding::F32, KILOWATTS),
    (CircuitSignal::HeatEnergy, 26, Encoding::U32, CENTI_GIGAJOULES),
    (CircuitSignal::MakeUpFlow, 28, Encoding::F32, CUBIC_METERS_PER_HOUR),
    (CircuitSignal::MakeUpVolume, 30, Encoding::U32, 0.01),
    (CircuitSignal::TankLevel, 32, Encoding::U16, 0.001),
];

const CIRCUIT_OUTPUTS: &[Row<CircuitOutput>] = &[
    (CircuitOutput::ValvePosition, 40, Encoding::U16, CENTI_PERCENT),
    (CircuitOutput::ReliefOpen, 41, Encoding::U16, 1.0),
    (CircuitOutput::TankInletOpen, 42, Encoding::U16, 1.0),
    (CircuitOutput::ValveOpening, 43, Encoding::U16, 1.0),
    (CircuitOutput::ValveClosing, 44, Encoding::U16, 1.0),
];

const PUMP: &[Row<PumpSignal>] = &[
    (PumpSignal::Running, 0, Encoding::Bit(0), 1.0),
    (PumpSignal::Fault, 0, Encoding::Bit(1), 1.0),
    (PumpSignal::Remote, 0, Encoding::Bit(2), 1.0),
    (PumpSignal::SpeedFeedback, 1, Encoding::U16, CENTIHERTZ_OF_50),
    (PumpSignal::Current, 2, Encoding::U16, 0.1),
    (PumpSignal::Power, 3, Encoding::U16, 100.0),
    (PumpSignal::Temperature, 4, Encoding::I16, 0.1),
    (PumpSignal::FaultCode, 5, Encoding::U16, 1.0),
    (PumpSignal::OperatingTime, 6, Encoding::U32, HOURS),
];

const PUMP_OUTPUTS: &[Row<PumpOutput>] =
    &[(PumpOutput::Start, 10, Encoding::U16, 1.0), (PumpOutput::Speed, 11, Encoding::U16, CENTIHERTZ_OF_50)];

const BUILDING: &[Row<BuildingSignal>] = &[
    (BuildingSignal::SupplyTemperature, 0, Encoding::I16, 0.1),
    (BuildingSignal::ReturnTemperature, 1, Encoding::I16, 0.1),
    (BuildingSignal::DifferentialPressure, 2, Encoding::F32, KILOPASCALS),
    (BuildingSignal::Flow, 4, Encoding::F32, CUBIC_METERS_PER_HOUR),
    (BuildingSignal::HeatPower, 6, Encoding::F32, KILOWATTS),
    (BuildingSignal::ValvePositionFeedback, 8, Encoding::U16, CENTI_PERCENT),
];

const BUILDING_OUTPUTS: &[Row<BuildingOutput>] = &[(BuildingOutput::ValvePosition, 10, Encoding::U16, CENTI_PERCENT)];

const ROOM: &[Row<RoomSignal>] =
    &[(RoomSignal::Temperature, 0, Encoding::I16, 0.1), (RoomSignal::Battery, 1, Encoding::U16, 0.01)];

/// The whole map of a station of this shape, in the order of the addresses of each block.
///
/// Buildings beyond the 15th, rooms beyond the 200th and circuits beyond the 60th have no registers and are left out.
pub fn register_map(catalogue: &Catalogue) -> Vec<MapRow> {
    let mut map = Builder { catalogue, rows: Vec::new() };
    map.inputs(0, STATION, Point::Station);
    for (c, names) in catalogue.circuits().iter().enumerate().take(blocks::MOST_CIRCUITS) {
        let circuit = CircuitIndex(c);
        let base = blocks::CIRCUIT * (c as u16 + 1);
        let coils = blocks::COILS * (c as u16 + 1);

        map.inputs(base, CIRCUIT, |s| Point::Circuit(circuit, s));
        map.outputs(base, CIRCUIT_OUTPUTS, |o| Point::CircuitOutput(circuit, o));
        map.coil(coils, Point::CircuitOutput(circuit, CircuitOutput::ReliefOpen));
        map.coil(coils + 1, Point::CircuitOutput(circuit, CircuitOutput::TankInletOpen));
        map.coil(coils + 2, Point::CircuitOutput(circuit, CircuitOutput::ValveOpening));
        map.coil(coils + 3, Point::CircuitOutput(circuit, CircuitOutput::ValveClosing));
        for p in 0..names.circulation_pumps {
            let (pump, block) = (PumpIndex(p), base + blocks::CIRCULATION_PUMPS + blocks::PUMP * p as u16);
            map.inputs(block, PUMP, |s| Point::CirculationPump(circuit, pump, s));
            map.outputs(block, PUMP_OUTPUTS, |o| Point::CirculationPumpOutput(circuit, pump, o));
            map.coil(coils + 10 + p as u16, Point::CirculationPumpOutput(circuit, pump, PumpOutput::Start));
        }
        for p in 0..names.make_up_pumps {
            let (pump, block) = (PumpIndex(p), base + blocks::MAKE_UP_PUMPS + blocks::PUMP * p as u16);
            map.inputs(block, PUMP, |s| Point::MakeUpPump(circuit, pump, s));
            map.outputs(block, PUMP_OUTPUTS, |o| Point::MakeUpPumpOutput(circuit, pump, o));
            map.coil(coils + 20 + p as u16, Point::MakeUpPumpOutput(circuit, pump, PumpOutput::Start));
        }
        for b in 0..names.buildings.len().min(blocks::MOST_BUILDINGS) {
            let (building, block) = (BuildingIndex(b), base + blocks::BUILDINGS + blocks::BUILDING * b as u16);
            map.inputs(block, BUILDING, |s| Point::Building(circuit, building, s));
            map.outputs(block, BUILDING_OUTPUTS, |o| Point::BuildingOutput(circuit, building, o));
        }
        for r in 0..names.rooms.len().min(blocks::MOST_ROOMS) {
            let block = base + blocks::ROOMS + blocks::ROOM * r as u16;
            map.inputs(block, ROOM, |s| Point::Room(circuit, RoomIndex(r), s));
        }
    }
    map.rows
}

/// The address ranges that exist, as (first, length): reading outside of them is an illegal address.
pub(crate) fn holding_blocks(catalogue: &Catalogue) -> Vec<(u16, u16)> {
    let mut list = vec![(0, blocks::STATION)];
    for (c, names) in catalogue.circuits().iter().enumerate().take(blocks::MOST_CIRCUITS) {
        let base = blocks::CIRCUIT * (c as u16 + 1);
        let run = |first: u16, each: u16, count: usize| (base + first, each * count as u16);
        list.extend([
            (base, blocks::CIRCUIT_WORDS),
            run(blocks::CIRCULATION_PUMPS, blocks::PUMP, names.circulation_pumps),
            run(blocks::MAKE_UP_PUMPS, blocks::PUMP, names.make_up_pumps),
            run(blocks::BUILDINGS, blocks::BUILDING, names.buildings.len().min(blocks::MOST_BUILDINGS)),
            run(blocks::ROOMS, blocks::ROOM, names.rooms.len().min(blocks::MOST_ROOMS)),
        ]);
    }
    list.retain(|(_, length)| *length > 0);
    list
}

struct Builder<'a> {
    catalogue: &'a Catalogue,
    rows: Vec<MapRow>,
}

impl Builder<'_> {
    fn inputs<S: Copy>(&mut self, base: u16, table: &[Row<S>], point: impl Fn(S) -> Point) {
        for &(signal, offset, encoding, scale) in table {
            self.row(point(signal), Table::Holding, base + offset, encoding, scale);
        }
    }

    fn outputs<S: Copy>(&mut self, base: u16, table: &[Row<S>], point: impl Fn(S) -> Point) {
        self.inputs(base, table, point);
        let from = self.rows.len() - table.len();
        for row in &mut self.rows[from..] {
            row.writable = true;
        }
    }

    fn coil(&mut self, address: u16, point: Point) {
        self.row(point, Table::Coil, address, Encoding::Coil, 1.0);
        if let Some(row) = self.rows.last_mut() {
            row.writable = true;
        }
    }

    fn row(&mut self, point: Point, table: Table, address: u16, encoding: Encoding, scale: f64) {
        let name = self.catalogue.name(point).to_owned();
        self.rows.push(MapRow { point, name, table, address, encoding, scale, writable: false });
    }
}

/// The words of a value; `None` is what a lost sensor reads. A value too large for its words stands at their end.
pub(crate) fn encode(encoding: Encoding, scale: f64, value: Option<f64>) -> [u16; 2] {
    // What is no number cannot stand in most registers; a converter that has none says so.
    let number = value.filter(|value| value.is_finite()).map(|value| value / scale);
    match encoding {
        Encoding::I16 => [number.map_or(0x8000, |n| n.round().clamp(-32767.0, 32767.0) as i16 as u16), 0],
        Encoding::U16 => [number.map_or(0xFFFF, |n| n.round().clamp(0.0, 65534.0) as u16), 0],
        Encoding::U32 => {
            // A counter counts what is complete: it never shows more than has passed. The thousandth keeps a value
            // that is a whole number of steps from falling below it by rounding.
            let raw = number.map_or(u32::MAX, |n| (n + 1e-3).floor().clamp(0.0, 4_294_967_294.0) as u32);
            [(raw >> 16) as u16, raw as u16]
        }
        Encoding::F32 => {
            let raw = number.map_or(0x7FC0_0000, |n| (n as f32).to_bits());
            [(raw >> 16) as u16, raw as u16]
        }
        Encoding::Bit(bit) => [u16::from(number.is_some_and(|n| n >= 0.5)) << bit, 0],
        Encoding::Coil => [u16::from(number.is_some_and(|n| n >= 0.5)), 0],
    }
}
