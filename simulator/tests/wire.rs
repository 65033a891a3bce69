//! The simulated PLC over real TCP, against a client that knows nothing of us.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{C, JANUARY};
use heatstation_points::{Celsius, CircuitOutput, CircuitSignal, Point, PumpIndex, PumpOutput, RoomIndex, RoomSignal};
use heatstation_simulator::demonstration;
use heatstation_simulator::image::{OnSilence, SharedPlant, Watchdog};
use heatstation_simulator::modbus_server::{Link, ModbusServer};
use heatstation_simulator::paced::PacedPlant;
use heatstation_simulator::registers::{Encoding, Table, register_map};
use heatstation_simulator::timetable::{Action, Event, Timetable};
use heatstation_simulator::{Climate, Fault, Plant, StochasticWeather};
use tokio_modbus::ExceptionCode;
use tokio_modbus::client::{Context, Reader, Writer, tcp};
use tokio_modbus::slave::Slave;

struct Station {
    server: ModbusServer,
    paced: PacedPlant,
}

async fn station() -> Station {
    station_with(Watchdog::default()).await
}

async fn station_with(watchdog: Watchdog) -> Station {
    let settings = demonstration(Celsius(0.0), 1);
    let shared = SharedPlant::new(&settings.catalogue().unwrap(), watchdog);
    let weather = Box::new(StochasticWeather::new(1, Climate::SHANDONG));
    let paced = PacedPlant::new(Plant::new(&settings, 1), weather, Timetable::default(), shared.clone(), JANUARY);
    let server = ModbusServer::bind("127.0.0.1:0".parse().unwrap(), shared).await.unwrap();
    Station { server, paced }
}

async fn client(address: SocketAddr) -> Context {
    tcp::connect_slave(address, Slave(1)).await.unwrap()
}

fn float(words: &[u16]) -> f32 {
    f32::from_bits(u32::from(words[0]) << 16 | u32::from(words[1]))
}

#[tokio::test]
async fn what_is_read_is_what_the_instruments_say() {
    let mut station = station().await;
    station.paced.advance(120);
    let mut client = client(station.server.address()).await;
    let circuit = client.read_holding_registers(1000, 60).await.unwrap().unwrap();
    let plant = station.paced.plant();
    let say = |signal| plant.sample(Point::Circuit(C, signal)).unwrap();
    assert!((f64::from(circuit[1] as i16) * 0.1 - say(CircuitSignal::SupplyTemperature)).abs() < 1e-6);
    assert!((f64::from(circuit[5]) * 1e-4 - say(CircuitSignal::ValvePositionFeedback)).abs() < 1e-4);
    assert!((f64::from(float(&circuit[6..8])) * 1e6 - say(CircuitSignal::SupplyPressure)).abs() < 1.0);
    assert!((f64::from(float(&circuit[18..20])) / 3600.0 - say(CircuitSignal::SecondaryFlow)).abs() < 1e-6);
    let energy = u32::from(circuit[26]) << 16 | u32::from(circuit[27]);
    assert_eq!(energy, (say(CircuitSignal::HeatEnergy) / 1e7) as u32);
    assert_eq!(circuit[0] & (1 << 5) != 0, say(CircuitSignal::FlowSwitch) > 0.5);
    assert!(circuit[0] & (1 << 1) != 0, "the valve stands on remote");

    let room = client.read_holding_registers(1600, 2).await.unwrap().unwrap();
    let said = plant.sample(Point::Room(C, RoomIndex(0), RoomSignal::Temperature)).unwrap();
    assert!((f64::from(room[0] as i16) * 0.1 - said).abs() < 1e-6);

    let heartbeat = client.read_holding_registers(44, 1).await.unwrap().unwrap()[0];
    assert_eq!(heartbeat, 120);
    station.server.stop().await;
}

#[tokio::test]
async fn what_is_written_moves_the_plant_by_register_and_by_coil() {
    let mut station = station().await;
    let mut client = client(station.server.address()).await;
    client.write_single_register(1040, 4200).await.unwrap().unwrap();
    // Pump 2: start and 42 Hz at once.
    client.write_multiple_registers(1130, &[1, 4200]).await.unwrap().unwrap();
    client.write_single_coil(100, true).await.unwrap().unwrap();
    assert_eq!(client.read_holding_registers(1040, 3).await.unwrap().unwrap(), [4200, 1, 0]);
    assert_eq!(client.read_coils(100, 2).await.unwrap().unwrap(), [true, false]);
    // Circulation pump 1 is stopped by its coil, the make-up pump started by its own.
    client.write_multiple_coils(110, &[false]).await.unwrap().unwrap();
    client.write_single_coil(120, true).await.unwrap().unwrap();
    station.paced.advance(60);
    assert_eq!(client.read_holding_registers(1110, 1).await.unwrap().unwrap(), [0]);
    assert_eq!(client.read_holding_registers(1210, 1).await.unwrap().unwrap(), [1]);

    let plant = station.paced.plant();
    let position = plant.sample(Point::CircuitOutput(C, CircuitOutput::ValvePosition)).unwrap();
    assert!((position - 0.42).abs() < 1e-12);
    assert_eq!(plant.sample(Point::CircuitOutput(C, CircuitOutput::ReliefOpen)), Some(1.0));
    let pump = |output| Point::CirculationPumpOutput(C, PumpIndex(1), output);
    assert_eq!(plant.sample(pump(PumpOutput::Start)), Some(1.0));
    assert!((plant.sample(pump(PumpOutput::Speed)).unwrap() - 0.84).abs() < 1e-12);
    let status = client.read_holding_registers(1120, 2).await.unwrap().unwrap();
    assert_eq!(status[0], 0b101, "running and remote");
    assert_eq!(status[1], 4200, "42.00 Hz after the ramp");
    station.server.stop().await;
}

#[tokio::test]
async fn wrong_addresses_values_functions_and_units_are_refused_each_in_its_way() {
    let station = station().await;
    let mut client = client(station.server.address()).await;
    let illegal_address = ExceptionCode::IllegalDataAddress;
    assert_eq!(client.read_holding_registers(60, 1).await.unwrap().unwrap_err(), illegal_address);
    assert_eq!(client.read_holding_registers(55, 10).await.unwrap().unwrap_err(), illegal_address);
    assert_eq!(client.read_holding_registers(65_535, 2).await.unwrap().unwrap_err(), illegal_address);
    assert_eq!(client.write_single_register(1001, 1).await.unwrap().unwrap_err(), illegal_address);
    assert_eq!(client.write_single_coil(105, true).await.unwrap().unwrap_err(), illegal_address);

    let illegal_value = ExceptionCode::IllegalDataValue;
    assert_eq!(client.write_single_register(1040, 10_001).await.unwrap().unwrap_err(), illegal_value);
    assert_eq!(client.write_single_register(1111, 6001).await.unwrap().unwrap_err(), illegal_value);
    assert_eq!(client.write_multiple_registers(1040, &[5000, 2]).await.unwrap().unwrap_err(), illegal_value);
    assert_ne!(client.read_holding_registers(1040, 1).await.unwrap().unwrap(), [5000], "nothing of it was taken");

    assert_eq!(client.read_input_registers(0, 1).await.unwrap().unwrap_err(), ExceptionCode::IllegalFunction);
    tokio_modbus::prelude::SlaveContext::set_slave(&mut client, Slave(2));
    let nobody = client.read_holding_registers(0, 1).await.unwrap().unwrap_err();
    assert_eq!(nobody, ExceptionCode::GatewayTargetDevice);
    station.server.stop().await;
}

#[tokio::test]
async fn a_lost_sensor_reads_as_the_manual_says() {
    let mut station = station().await;
    for signal in [CircuitSignal::SupplyTemperature, CircuitSignal::ReturnPressure, CircuitSignal::HeatEnergy] {
        station.paced.plant().inject(Fault::SensorLost(Point::Circuit(C, signal)));
    }
    station.paced.advance(1);
    let mut client = client(station.server.address()).await;
    let circuit = client.read_holding_registers(1000, 40).await.unwrap().unwrap();
    assert_eq!(circuit[1], 0x8000);
    assert_eq!(circuit[8..10], [0x7FC0, 0x0000]);
    assert!(float(&circuit[8..10]).is_nan());
    assert_eq!(circuit[26..28], [0xFFFF, 0xFFFF]);
    station.server.stop().await;
}

#[tokio::test]
async fn a_hung_plc_does_not_answer_and_a_stopped_one_closes() {
    let station = station().await;
    let mut client = client(station.server.address()).await;
    station.server.link(Link::Silent);
    let waited = tokio::time::timeout(Duration::from_millis(150), client.read_holding_registers(0, 1)).await;
    assert!(waited.is_err(), "nobody answers");
    let address = station.server.address();
    station.server.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn when_nobody_speaks_the_watchdog_counts_and_does_what_it_is_set_to() {
    for (then, stays) in [(OnSilence::KeepOutputs, true), (OnSilence::CloseValves, false)] {
        let mut station = station_with(Watchdog { after: Duration::from_millis(60), then }).await;
        let mut client = client(station.server.address()).await;
        client.write_single_register(1040, 5000).await.unwrap().unwrap();
        station.paced.advance(1);
        let commanded = |plant: &Plant| plant.sample(Point::CircuitOutput(C, CircuitOutput::ValvePosition)).unwrap();
        assert!((commanded(station.paced.plant()) - 0.5).abs() < 1e-12);
        tokio::time::sleep(Duration::from_millis(90)).await;
        station.paced.advance(1);
        assert_eq!(commanded(station.paced.plant()) > 0.4, stays, "{then:?}");
        assert_eq!(client.read_holding_registers(45, 1).await.unwrap().unwrap(), [1], "one loss is counted");
        station.server.stop().await;
    }
}

#[tokio::test]
async fn in_paced_time_the_plant_lives_by_itself_and_keeps_what_it_was_told() {
    let Station { server, paced } = station().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(paced.run(600.0, async move { drop(stopped.await) }));
    let mut client = client(server.address()).await;
    client.write_single_register(1040, 3000).await.unwrap().unwrap();
    let mut heard = 0;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        heard = client.read_holding_registers(44, 1).await.unwrap().unwrap()[0];
        if heard > 100 {
            break;
        }
    }
    assert!(heard > 100, "the heartbeat stands at {heard}");
    assert_eq!(client.read_holding_registers(1040, 1).await.unwrap().unwrap(), [3000]);
    stop.send(()).unwrap();
    let mut paced = running.await.unwrap();
    assert!(paced.utc_seconds() > JANUARY + 100);
    let position = paced.plant().sample(Point::CircuitOutput(C, CircuitOutput::ValvePosition)).unwrap();
    assert!((position - 0.3).abs() < 1e-12);
    server.stop().await;
}

#[test]
fn the_manual_has_every_row_of_the_map() {
    let catalogue = demonstration(Celsius(0.0), 1).catalogue().unwrap();
    let manual = include_str!("../REGISTERS.md");
    let mut seen = 0;
    for row in register_map(&catalogue) {
        // The manual names patterns; rows of the first pump, building and room stand for all of their kind.
        let (section, prefix) = match row.point {
            Point::Station(_) => ("## Station", ""),
            _ if row.table == Table::Coil => ("## Coils", ""),
            Point::Circuit(..) | Point::CircuitOutput(..) => ("## Circuit c", "+"),
            Point::CirculationPump(_, PumpIndex(0), _) | Point::CirculationPumpOutput(_, PumpIndex(0), _) => {
                ("## Pumps", "+")
            }
            Point::Building(_, b, _) | Point::BuildingOutput(_, b, _) if b.0 == 0 => ("## Buildings", "+"),
            Point::Room(_, r, _) if r.0 == 0 => ("## Rooms", "+"),
            _ => continue,
        };
        if row.table == Table::Coil {
            continue;
        }
        let base = match section {
            "## Circuit c" => 1000,
            "## Pumps" => 1100,
            "## Buildings" => 1300,
            "## Rooms" => 1600,
            _ => 0,
        };
        let offset = row.address - base;
        let address = match row.encoding {
            Encoding::Bit(bit) => format!("| {prefix}{offset} bit {bit} |"),
            _ => format!("| {prefix}{offset} |"),
        };
        let text = manual.split(section).nth(1).unwrap().split("\n## ").next().unwrap();
        let line =
            text.lines().find(|line| line.starts_with(&address)).unwrap_or_else(|| panic!("{} is missing", row.name));
        let words = match row.encoding {
            Encoding::I16 => "| i16",
            Encoding::U16 => "| u16",
            Encoding::U32 => "| u32",
            Encoding::F32 => "| f32",
            Encoding::Bit(_) => "| bit",
            Encoding::Coil => unreachable!("coils are skipped"),
        };
        let named = line.split('`').nth(1).unwrap();
        assert!(row.name.ends_with(named), "{line} is not {}", row.name);
        assert!(line.contains(words), "{line} is not {:?}", row.encoding);
        assert_eq!(line.ends_with("| RW |"), row.writable, "{line}");
        seen += 1;
    }
    assert!(seen > 80, "{seen} rows were compared");
}

#[tokio::test]
async fn a_line_that_goes_down_by_the_timetable_answers_again_by_it() {
    let settings = demonstration(Celsius(0.0), 1);
    let shared = SharedPlant::new(&settings.catalogue().unwrap(), Watchdog::default());
    let line = |seconds, link| Event { at: Duration::from_secs(seconds), action: Action::Line(link) };
    let timetable = Timetable::new(vec![line(5, Link::Silent), line(9, Link::Up)]);
    let weather = Box::new(StochasticWeather::new(1, Climate::SHANDONG));
    let mut paced = PacedPlant::new(Plant::new(&settings, 1), weather, timetable, shared.clone(), JANUARY);
    let mut links = Vec::new();
    for _ in 0..10 {
        paced.advance(1);
        links.push(shared.link());
    }
    assert_eq!(links.iter().filter(|link| **link == Link::Silent).count(), 4);
    assert_eq!(links[9], Link::Up);
}
