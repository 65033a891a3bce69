//! Which requests read all registers of a device, and how often.
//!
//! One request for each value is what makes collectors slow; one request for everything touches addresses that the
//! device does not know. Between them stands a linear greedy plan: sorted by period, table and address, a request grows
//! while the hole before the next value and the whole length stay within the device's limits and no forbidden address
//! comes along. A search for the best plan was tried by others and withdrawn: it took N! steps (Telegraf, pull request
//! 14030), and greedy is at most a few requests behind.
//!
//! A hole is read along only where it is worth its time: its bytes on the line against the round trip of a request of its
//! own. On Ethernet it always is, and the device's limit decides; on a slow serial line it soon is not.
//!
//! A value of several words is never split between two requests, because its halves would be of different times.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::problem::touches_forbidden;
use crate::settings::{DeviceSettings, Register, Table, WireSettings};
use crate::transport::{Framing, Transport};

/// One read request, as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// Which device, by its place in [`WireSettings::devices`].
    pub device: usize,
    /// The Modbus unit asked.
    pub modbus_unit: u8,
    /// The address space, which is also the function code.
    pub table: Table,
    /// First address.
    pub address: u16,
    /// How many addresses.
    pub count: u16,
    /// How often.
    pub period: Duration,
    /// Which registers it reads, by their place in [`DeviceSettings::registers`], in order of address.
    pub registers: Vec<usize>,
}

impl ReadRequest {
    /// Bytes of the question and of the answer: 5, and 2 and the data, and the frame around each: 7 of header on TCP, unit
    /// and checksum in RTU.
    pub fn bytes(&self, framing: Framing) -> (usize, usize) {
        let count = usize::from(self.count);
        let data = if self.table.holds_bits() { count.div_ceil(8) } else { 2 * count };
        let frame = match framing {
            Framing::Mbap => 7,
            Framing::Rtu => 3,
        };
        (frame + 5, frame + 2 + data)
    }

    /// Addresses that are read along though no register of the request stands there, in order.
    pub fn holes(&self, device: &DeviceSettings) -> Vec<RangeInclusive<u16>> {
        let mut holes = Vec::new();
        let mut at = u32::from(self.address);
        for &place in &self.registers {
            let register = &device.registers[place];
            if at < u32::from(register.address) {
                holes.push(at as u16..=register.address - 1);
            }
            at = at.max(end_of(register));
        }
        holes
    }

    /// How long it is expected to take on such a line.
    pub fn cost(&self, transport: &Transport) -> Duration {
        let ((question, answer), link) = (self.bytes(transport.framing()), transport.link());
        link.turnaround
            + Duration::from_secs_f64((question + answer) as f64 * link.bits_per_byte / link.bits_per_second)
    }

    /// The words of one of its registers out of an answer to it; none if the register is not of this request.
    pub fn words_of<'a>(&self, register: &Register, answer: &'a [u16]) -> Option<&'a [u16]> {
        let start = usize::from(register.address.checked_sub(self.address)?);
        answer.get(start..start + usize::from(register.width()))
    }

    /// Two requests for half of the registers each, without the holes at the seam: for finding the one address that made
    /// the device refuse the whole. None if there is only one register left.
    pub(crate) fn halves(&self, registers: &[Register]) -> Option<[ReadRequest; 2]> {
        let (first, second) = self.registers.split_at(self.registers.len() / 2);
        if first.is_empty() {
            return None;
        }
        Some([first, second].map(|members| self.narrowed_to(members, registers)))
    }

    fn narrowed_to(&self, members: &[usize], registers: &[Register]) -> ReadRequest {
        let (start, end) = extent(members, registers);
        ReadRequest {
            address: start,
            count: (end - u32::from(start)) as u16,
            registers: members.to_vec(),
            ..self.clone()
        }
    }
}

/// First address, and the one after the last, of these registers.
fn extent(members: &[usize], registers: &[Register]) -> (u16, u32) {
    members.iter().fold((u16::MAX, 0), |(start, end), &member| {
        let register = &registers[member];
        (start.min(register.address), end.max(end_of(register)))
    })
}

fn end_of(register: &Register) -> u32 {
    u32::from(register.address) + u32::from(register.width())
}

/// What a request costs beyond its answer being useful.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// From the last byte of the question to the first of the answer.
    pub turnaround: Duration,
    /// Bits on the line for a byte: 8 on Ethernet, 11 on a serial line with parity.
    pub bits_per_byte: f64,
    /// Speed of the line.
    pub bits_per_second: f64,
}

impl Link {
    /// A PLC on the station's switch: 10 Mbit/s, and 10 ms, one program cycle of a small PLC, until it answers.
    pub const ETHERNET: Link =
        Link { turnaround: Duration::from_millis(10), bits_per_byte: 8.0, bits_per_second: 10_000_000.0 };
    /// A meter behind a gateway at 9 600 baud with parity, the speed that the Modbus serial line guide asks of every
    /// device, and 50 ms until it answers.
    pub const SERIAL_9600: Link =
        Link { turnaround: Duration::from_millis(50), bits_per_byte: 11.0, bits_per_second: 9_600.0 };
    /// The same behind a modem: 300 ms for the way there and back over the mobile network.
    pub const MODEM: Link = Link { turnaround: Duration::from_millis(350), ..Link::SERIAL_9600 };

    /// How many addresses may be read along for nothing before a request of its own would be cheaper: the time of their
    /// bytes against the time of a question, an empty answer and the turnaround.
    pub fn hole_worth(self, table: Table) -> u16 {
        let byte = self.bits_per_byte / self.bits_per_second;
        let bytes_per_address = if table.holds_bits() { 0.125 } else { 2.0 };
        let request = self.turnaround.as_secs_f64() + (QUESTION + ANSWER) as f64 * byte;
        (request / (byte * bytes_per_address)) as u16
    }
}

/// Bytes of a question on TCP: 7 of header and 5.
const QUESTION: usize = 12;
/// Bytes of an answer on TCP without its data: 7 of header and 2.
const ANSWER: usize = 9;

/// What is left out of a plan, because the device has refused it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Avoided {
    /// Registers, by their place; no request touches their addresses.
    pub(crate) registers: BTreeSet<usize>,
    /// Addresses that a request may begin with but not run across: what lies just before them, or the length that came of
    /// crossing them, was refused.
    pub(crate) seams: BTreeSet<(Table, u16)>,
}

/// All read requests of a wire.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPlan {
    requests: Vec<ReadRequest>,
}

impl ReadPlan {
    /// The requests that read every polled register of the wire at its own period.
    pub fn of(wire: &WireSettings) -> ReadPlan {
        let link = wire.transport.link();
        let requests =
            wire.devices.iter().enumerate().flat_map(|(number, device)| plan_device(number, device, link)).collect();
        ReadPlan { requests }
    }

    /// The requests, by device, then period, table and address.
    pub fn requests(&self) -> &[ReadRequest] {
        &self.requests
    }

    /// The requests in the order in which they are sent when all of them are due, as after each new connection: the
    /// earliest deadline first, which is the shortest period, then in the order of devices and addresses. Of two devices
    /// that both wait, the one that has used less of the line's time goes first, whatever stands here.
    pub fn in_order(&self) -> Vec<&ReadRequest> {
        let mut requests: Vec<&ReadRequest> = self.requests.iter().collect();
        // The sort is stable, and the plan is in the order of devices already.
        requests.sort_by_key(|request| request.period);
        requests
    }

    /// Which share of the time the line is busy with reading; above 0.8 samples will come late.
    pub fn load(&self, transport: &Transport) -> f64 {
        self.requests.iter().map(|request| request.cost(transport).as_secs_f64() / request.period.as_secs_f64()).sum()
    }
}

/// The requests of one device. A register that no request could read (longer than the limit, on a forbidden address) is
/// left out; the check of the settings has refused such a device long before.
pub(crate) fn plan_device(number: usize, device: &DeviceSettings, link: Link) -> Vec<ReadRequest> {
    let all = 0..device.registers.len();
    plan_registers(number, device, link, all, &Avoided::default())
}

/// The requests that read these registers of a device around what is avoided.
pub(crate) fn plan_registers(
    number: usize,
    device: &DeviceSettings,
    link: Link,
    places: impl IntoIterator<Item = usize>,
    avoided: &Avoided,
) -> Vec<ReadRequest> {
    let registers = &device.registers;
    let is_wanted = |place: &usize| is_readable(device, &registers[*place]) && !avoided.registers.contains(place);
    let mut order: Vec<usize> = places.into_iter().filter(is_wanted).collect();
    order.sort_by_key(|&place| {
        let register = &registers[place];
        (register.period, register.table, register.address, register.width(), place)
    });

    let mut requests: Vec<ReadRequest> = Vec::new();
    for place in order {
        let register = &registers[place];
        match requests.last_mut() {
            Some(request) if can_grow(device, link, avoided, request, register) => {
                let end = (u32::from(request.address) + u32::from(request.count)).max(end_of(register));
                request.count = (end - u32::from(request.address)) as u16;
                request.registers.push(place);
            }
            _ => requests.push(ReadRequest {
                device: number,
                modbus_unit: device.modbus_unit,
                table: register.table,
                address: register.address,
                count: register.width(),
                period: register.period,
                registers: vec![place],
            }),
        }
    }
    requests
}

fn is_readable(device: &DeviceSettings, register: &Register) -> bool {
    register.is_polled()
        && register.width() <= device.limits.max_length(register.table)
        && end_of(register) <= 65_536
        && !touches_forbidden(device, register.table, register.address, register.width())
}

fn can_grow(device: &DeviceSettings, link: Link, avoided: &Avoided, request: &ReadRequest, next: &Register) -> bool {
    if (request.period, request.table) != (next.period, next.table) {
        return false;
    }
    let table = next.table;
    let end = u32::from(request.address) + u32::from(request.count);
    let hole = u32::from(next.address).saturating_sub(end);
    let length = end.max(end_of(next)) - u32::from(request.address);
    let hole_max = device.limits.max_hole(table).min(link.hole_worth(table));
    // A seam before what the request holds already would have parted it from its start.
    let crosses_seam = avoided.seams.iter().any(|&(of, at)| of == table && request.address < at && at <= next.address);
    hole <= u32::from(hole_max)
        && length <= u32::from(device.limits.max_length(table))
        && !crosses_seam
        && (hole == 0
            || !touches_forbidden(device, table, end as u16, hole as u16)
                && !touches_avoided(device, avoided, table, end, u32::from(next.address)))
}

/// Whether a hole from `start` to before `end` holds an address of a register that is avoided.
fn touches_avoided(device: &DeviceSettings, avoided: &Avoided, table: Table, start: u32, end: u32) -> bool {
    avoided
        .registers
        .iter()
        .map(|&place| &device.registers[place])
        .any(|register| register.table == table && u32::from(register.address) < end && start < end_of(register))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{Encoding, Polarity, WordOrder};
    use crate::settings::{ReadLimits, TableLimits};
    use crate::testing::{definition, device_of, input};

    fn word(address: u16) -> Register {
        input("primary.flow", Table::HoldingRegister, address, Encoding::U16)
    }

    fn spans(device: &DeviceSettings) -> Vec<(u16, u16)> {
        plan_device(0, device, Link::ETHERNET).iter().map(|request| (request.address, request.count)).collect()
    }

    #[test]
    fn small_holes_are_read_along_and_large_ones_part_two_requests() {
        assert_eq!(spans(&device_of(vec![word(0), word(17), word(40)])), [(0, 18), (40, 1)]);
    }

    #[test]
    fn a_hole_is_read_along_only_where_it_is_worth_its_time_on_the_line() {
        let slow = Link { bits_per_second: 1_200.0, ..Link::SERIAL_9600 };
        assert_eq!(
            [Link::ETHERNET, Link::SERIAL_9600, slow].map(|link| link.hole_worth(Table::InputRegister)),
            [6260, 32, 13]
        );
        let device = device_of(vec![word(0), word(15)]);
        assert_eq!(plan_device(0, &device, Link::SERIAL_9600).len(), 1);
        assert_eq!(plan_device(0, &device, slow).len(), 2);
    }

    #[test]
    fn a_table_may_have_limits_of_its_own() {
        let coil = |address| {
            input("mains.healthy", Table::Coil, address, Encoding::Bit { bit: None, polarity: Polarity::Straight })
        };
        let mut device = device_of(vec![word(0), word(10), word(20), coil(0), coil(10)]);
        device.limits.tables.push((Table::HoldingRegister, TableLimits { max_length: Some(12), max_hole: None }));
        device.limits.tables.push((Table::Coil, TableLimits { max_length: None, max_hole: Some(0) }));
        assert_eq!(spans(&device), [(0, 1), (10, 1), (0, 11), (20, 1)]);
    }

    #[test]
    fn what_was_refused_is_planned_around_in_few_requests() {
        let device = device_of((0..100).map(word).collect());
        let avoided =
            Avoided { registers: BTreeSet::from([37]), seams: BTreeSet::from([(Table::HoldingRegister, 60)]) };
        let spans: Vec<(u16, u16)> = plan_registers(0, &device, Link::ETHERNET, 0..100, &avoided)
            .iter()
            .map(|request| (request.address, request.count))
            .collect();
        assert_eq!(spans, [(0, 37), (38, 22), (60, 40)]);
    }

    #[test]
    fn a_forbidden_address_in_a_hole_parts_two_requests() {
        let mut device = device_of(vec![word(0), word(4), word(8)]);
        device.limits.forbidden.push((Table::HoldingRegister, 2..=3));
        device.limits.forbidden.push((Table::InputRegister, 6..=6));
        assert_eq!(spans(&device), [(0, 1), (4, 5)]);
    }

    #[test]
    fn a_value_of_two_words_is_never_split() {
        let long = |address| Register {
            address,
            ..Register::input(
                definition("primary.volume"),
                Table::HoldingRegister,
                0,
                Encoding::U32 { order: WordOrder::Abcd },
            )
        };
        let mut device = device_of(vec![long(0), long(2), long(4)]);
        device.limits.max_registers = 5;
        assert_eq!(spans(&device), [(0, 4), (4, 2)]);
    }

    #[test]
    fn each_period_has_requests_of_its_own() {
        let slow = Register { period: Duration::from_secs(60), ..word(1) };
        assert_eq!(spans(&device_of(vec![word(0), slow, word(2)])), [(0, 3), (1, 1)]);
    }

    #[test]
    fn what_is_read_along_is_told_address_by_address() {
        let long = Register { encoding: Encoding::U32 { order: WordOrder::Abcd }, ..word(3) };
        let device = device_of(vec![word(0), long, word(4), word(9)]);
        let requests = plan_device(0, &device, Link::ETHERNET);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].holes(&device), [1..=2, 5..=8]);
    }

    #[test]
    fn the_frame_around_a_request_counts_by_what_is_spoken_on_the_line() {
        let request = &plan_device(0, &device_of(vec![word(0), word(1)]), Link::ETHERNET)[0];
        assert_eq!((request.bytes(Framing::Mbap), request.bytes(Framing::Rtu)), ((12, 13), (8, 9)));
        // 17 characters of 11 bits at 9600 baud, and 50 ms until the device answers.
        let gateway = Transport::ModbusRtuOverTcp { dial: crate::transport::Dial::to("127.0.0.1:502"), baud: 9_600 };
        let milliseconds = request.cost(&gateway).as_secs_f64() * 1000.0;
        assert!((milliseconds - (50.0 + 17.0 * 11.0 / 9.6)).abs() < 0.01, "{milliseconds}");
    }

    fn any_register() -> impl Strategy<Value = Register> {
        let order = WordOrder::Cdab;
        let kinds = proptest::sample::select(vec![
            (Table::Coil, Encoding::Bit { bit: None, polarity: Polarity::Straight }),
            (Table::DiscreteInput, Encoding::Bit { bit: None, polarity: Polarity::Straight }),
            (Table::HoldingRegister, Encoding::Bit { bit: Some(3), polarity: Polarity::Straight }),
            (Table::HoldingRegister, Encoding::I16),
            (Table::InputRegister, Encoding::F32 { order }),
            (Table::HoldingRegister, Encoding::U64 { order }),
        ]);
        let periods = proptest::sample::select(vec![1_u64, 2, 60]);
        let addresses = prop_oneof![0_u16..300, 65_400_u16..=65_535];
        (kinds, addresses, periods).prop_map(|((table, encoding), address, seconds)| Register {
            period: Duration::from_secs(seconds),
            ..input("mains.healthy", table, address, encoding)
        })
    }

    fn any_limits() -> impl Strategy<Value = ReadLimits> {
        let tables = vec![Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister];
        let range =
            (proptest::sample::select(tables), 0_u16..300, 0_u16..20).prop_map(|(t, at, len)| (t, at..=at + len));
        (1_u16..=125, 1_u16..=2000, 0_u16..50, proptest::collection::vec(range, 0..6)).prop_map(
            |(max_registers, max_bits, max_hole, forbidden)| ReadLimits {
                max_registers,
                max_bits,
                max_hole,
                forbidden,
                tables: vec![(
                    Table::HoldingRegister,
                    TableLimits { max_length: Some(max_registers.div_ceil(2)), max_hole: None },
                )],
            },
        )
    }

    proptest! {
        #[test]
        fn every_register_is_read_once_and_no_request_breaks_a_limit(
            registers in proptest::collection::vec(any_register(), 0..80), limits in any_limits(),
            link in proptest::sample::select(vec![Link::ETHERNET, Link::SERIAL_9600])
        ) {
            let device = DeviceSettings { limits, ..device_of(registers) };
            let requests = plan_device(0, &device, link);
            let mut times_read = vec![0; device.registers.len()];
            for request in &requests {
                let longest = device.limits.max_length(request.table);
                prop_assert!(1 <= request.count && request.count <= longest);
                let end = u32::from(request.address) + u32::from(request.count);
                prop_assert!(end <= 65_536);
                for (table, range) in &device.limits.forbidden {
                    let apart = end <= u32::from(*range.start()) || *range.end() < request.address;
                    prop_assert!(*table != request.table || apart, "{request:?} touches {range:?}");
                }
                let answer: Vec<u16> = (0..request.count).map(|offset| request.address + offset).collect();
                for &place in &request.registers {
                    let register = &device.registers[place];
                    times_read[place] += 1;
                    prop_assert_eq!((register.table, register.period), (request.table, request.period));
                    let words = request.words_of(register, &answer).unwrap();
                    prop_assert_eq!(words.len(), usize::from(register.width()));
                    prop_assert_eq!(words[0], register.address);
                }
                if let Some(halves) = request.halves(&device.registers) {
                    let together: Vec<usize> = halves.iter().flat_map(|half| half.registers.clone()).collect();
                    prop_assert_eq!(&together, &request.registers);
                    for half in halves {
                        prop_assert!(request.address <= half.address);
                        prop_assert!(u32::from(half.address) + u32::from(half.count) <= end);
                    }
                }
            }
            for (place, register) in device.registers.iter().enumerate() {
                prop_assert_eq!(times_read[place], usize::from(is_readable(&device, register)));
            }
        }
    }
}
