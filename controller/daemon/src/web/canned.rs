//! A small station for tests and for looking at the page: real settings, the real step, and a plant of a few lines.
//!
//! No physics to trust. Compiled into tests, and by path into `examples/page.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use heatstation_core::accident_rate::accident_rate;
use heatstation_core::area::Area;
use heatstation_core::event::Event;
use heatstation_core::moment::{Day, LocalTime, UtcMillis};
use heatstation_core::outage::Cause;
use heatstation_core::outage_book::OutageBook;
use heatstation_core::profile::{AccidentRateRule, Clause, Fraction, Profile};
use heatstation_core::settings::{
    BuildingSettings, BuildingValve, CircuitSettings, OutdoorSettings, RoomSettings, Season, ShoulderSettings,
};
use heatstation_core::step::Health;
use heatstation_core::{Inputs, Moment, Settings, State, step};
use heatstation_drivers::output::{OutputState, OutputStatus};
use heatstation_drivers::wire::{DeviceStatistics, FailureCounts, WireStatistics};
use heatstation_points::{
    BuildingIndex, Catalogue, Celsius, CircuitNames, Fault, Kelvins, Quantity, Reading, Readings, Value,
};

use crate::snapshot::{CommandShown, CycleShown, Facts, Snapshot, WireShown};
use crate::store::StoreHealth;

/// 21 January 2027, 06:00 in Shanghai: in season, in the cold.
pub const START: UtcMillis = UtcMillis(1_800_482_400_000);
const SEASON: Season = Season {
    heating_from: UtcMillis(1_794_672_000_000 - 3 * 86_400_000),
    start: UtcMillis(1_794_672_000_000),
    end: UtcMillis(1_805_126_400_000),
};
/// Shanghai is eight hours east.
const ZONE: i64 = 8 * 3_600_000;

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// The first circulation pump of the first circuit.
    FirstPump,
    /// The second one too: no circulation, in the end an outage.
    SecondPump,
    /// The supply sensor of the first circuit.
    SupplySensor,
    /// The wire to the cabinet.
    Wire,
}

/// The station and its plant.
pub struct Station {
    pub facts: Arc<Facts>,
    pub broken: BTreeSet<Broken>,
    pub book: OutageBook,
    pub events: Vec<(Moment, Event)>,
    state: State,
    by_slot: Vec<Reading<Value>>,
    plants: Vec<PlantOfOne>,
    elapsed: Duration,
    cycle: CycleShown,
}

#[derive(Clone)]
struct PlantOfOne {
    supply: f64,
    stem: f64,
    energy: f64,
    flows: bool,
    /// The speed of each pump as last told; 0 stands.
    speeds: Vec<f64>,
}

impl Station {
    /// A station of that name with these circuits.
    pub fn new(name: &str, circuits: &[&str]) -> Station {
        let settings = settings(circuits);
        let names = settings.circuits.iter().map(|circuit| CircuitNames {
            name: circuit.name.clone(),
            circulation_pumps: circuit.circulation.pumps,
            make_up_pumps: 2,
            buildings: circuit.buildings.iter().map(|building| building.name.clone()).collect(),
            rooms: circuit.rooms.iter().map(|room| room.name.clone()).collect(),
        });
        let catalogue = Catalogue::new(names.collect(), vec![]).expect("different names");
        // Found heating: the control takes it over as it would after a restart.
        let plant = PlantOfOne { supply: 46.0, stem: 0.3, energy: 3.1e12, flows: true, speeds: vec![0.8, 0.0] };
        let plants = vec![plant; circuits.len()];
        Station {
            state: State::new(&settings),
            by_slot: vec![Reading::default(); catalogue.len()],
            facts: Arc::new(Facts {
                name: name.to_owned(),
                settings,
                catalogue,
                configuration_hash: "5f0c2f8d".repeat(8),
            }),
            broken: BTreeSet::new(),
            book: OutageBook::default(),
            events: Vec::new(),
            plants,
            elapsed: Duration::ZERO,
            cycle: CycleShown::default(),
        }
    }

    /// A station that has been running for an hour.
    pub fn warm() -> Station {
        let mut station = Station::new("康泰园换热站", &["low-zone"]);
        station.run(3600);
        station
    }

    /// So many seconds, and what is to be shown of the last.
    pub fn run(&mut self, seconds: u32) -> Snapshot {
        for _ in 1..seconds.max(1) {
            self.pass(Duration::from_secs(1));
        }
        self.pass(Duration::from_secs(1))
    }

    /// One step of that length.
    pub fn pass(&mut self, dt: Duration) -> Snapshot {
        self.measure(dt);
        let mut readings = Readings::empty(&self.facts.catalogue);
        for (definition, reading) in self.facts.catalogue.definitions().iter().zip(&self.by_slot) {
            readings.put(definition.point, *reading);
        }
        let now = self.now();
        let wire = self.broken.contains(&Broken::Wire);
        let health = Health { device_silent: wire, ..Health::default() };
        let inputs = Inputs { now, readings, forecast: None, requests: Vec::new(), health };
        let (state, report) = step(&self.facts.settings, std::mem::take(&mut self.state), &inputs);
        self.state = state;
        self.elapsed += dt;
        for event in &report.events {
            self.book.note(event);
            self.events.push((now, event.clone()));
        }
        let mut commands = Vec::new();
        for (circuit, plant) in report.circuits.iter().zip(&mut self.plants) {
            let Some(sent) = &circuit.commands else { continue };
            let travel = dt.as_secs_f64() / 120.0;
            plant.stem += (sent.valve_position.0 - plant.stem).clamp(-travel, travel);
            let first = circuit.circuit.0 == 0;
            let dead =
                [first && self.broken.contains(&Broken::FirstPump), first && self.broken.contains(&Broken::SecondPump)];
            plant.speeds = sent.circulation_pumps.iter().map(|pump| pump.start.number() * pump.speed.0).collect();
            plant.flows = sent.circulation_pumps.iter().zip(dead).any(|(pump, dead)| pump.start.is_on() && !dead);
            let state = if wire { OutputState::Requested } else { OutputState::Confirmed };
            commands.extend(sent.points(circuit.circuit).map(|(point, value)| CommandShown {
                point,
                value,
                status: Some(OutputStatus { state, ..OutputStatus::idle(point) }),
            }));
        }
        self.cycle.count += 1;
        self.cycle.duration_total += Duration::from_micros(420);
        self.cycle.duration_buckets[1] += 1;
        let settings = &self.facts.settings;
        let rate = &settings.profile.accident_rate;
        Snapshot {
            facts: Arc::clone(&self.facts),
            accident_rate: accident_rate(rate, &self.book, settings.heated_area, settings.season, now.wall).ok(),
            outages: self.book.outages().cloned().collect(),
            report,
            readings: self.by_slot.clone(),
            commands,
            wires: vec![WireShown {
                name: "plc".to_owned(),
                statistics: WireStatistics {
                    is_connected: !wire,
                    connections_total: 1,
                    requests_total: self.cycle.count * 4,
                    writes_total: self.cycle.count / 3,
                    failures_total: FailureCounts { silent: u64::from(wire), ..FailureCounts::default() },
                    last_round_trip: Some(Duration::from_millis(7)),
                    backlog: Duration::ZERO,
                    waiting: [Duration::ZERO; 5],
                    devices: vec![DeviceStatistics { name: "plc".to_owned(), ..DeviceStatistics::default() }],
                    ..WireStatistics::default()
                },
                now: Duration::from_secs(self.cycle.count),
                oldest_age: Some(Duration::from_secs(41)),
            }],
            store: StoreHealth { records_total: self.events.len() as u64, ..StoreHealth::default() },
            cycle: self.cycle.clone(),
        }
    }

    /// The time of the next step.
    pub fn now(&self) -> Moment {
        let wall = START.plus(self.elapsed);
        let minutes = (wall.0 + ZONE).div_euclid(60_000);
        let local = LocalTime::on(Day(minutes.div_euclid(1440) as i32), minutes.rem_euclid(1440) as u16);
        Moment { monotonic: self.elapsed, wall, local }
    }

    /// Puts a reading into the slot of a point.
    pub fn put(&mut self, name: &str, reading: Reading<Value>) {
        let definition = self.facts.catalogue.find(name).unwrap_or_else(|| panic!("no point {name}"));
        let slot = self.facts.catalogue.slot(definition.point).expect("it has a slot");
        self.by_slot[slot] = reading;
    }

    fn see(&mut self, name: &str, number: f64) {
        let definition = self.facts.catalogue.find(name).unwrap_or_else(|| panic!("no point {name}"));
        let value = definition.accept(number).expect("a plausible number");
        let reading = if self.broken.contains(&Broken::Wire) {
            Reading::Bad { last: Some(value), fault: Fault::Silent }
        } else {
            Reading::Good { value, age: Duration::from_millis(400) }
        };
        self.put(name, reading);
    }

    fn measure(&mut self, dt: Duration) {
        let day = (START.0 as f64 / 1000.0 + self.elapsed.as_secs_f64() + 8.0 * 3600.0) / 86_400.0;
        let wave = |phase: f64| ((day - phase) * std::f64::consts::TAU).sin();
        let outdoor = -4.0 + 5.0 * wave(0.375);
        self.see("outdoor.temperature", (outdoor * 10.0).round() / 10.0);
        self.see("primary_supply.temperature", 96.0 + wave(0.1));
        self.see("primary_return.temperature", 47.5);
        self.see("primary_supply.pressure", 712_000.0);
        self.see("primary_return.pressure", 431_000.0);
        self.see("mains.healthy", 1.0);
        self.see("plant_room.temperature", 24.5);
        for index in 0..self.plants.len() {
            self.measure_circuit(index, dt, wave(0.375), wave(0.8));
        }
    }

    fn measure_circuit(&mut self, index: usize, dt: Duration, warmth: f64, drift: f64) {
        let mut plant = self.plants[index].clone();
        let circuit = self.facts.settings.circuits[index].clone();
        let name = format!("circuit.{}", circuit.name);
        let target = if plant.flows { 34.0 + 55.0 * plant.stem } else { 18.0 };
        let share = 1.0 - (-dt.as_secs_f64() / if plant.flows { 40.0 } else { 900.0 }).exp();
        plant.supply += (target - plant.supply) * share;
        let flow = if plant.flows { 0.0315 } else { 0.0 };
        let back = plant.supply - (plant.supply - 21.0).max(0.0) * 0.24;
        let power = flow * 985.7 * 4182.0 * (plant.supply - back);
        plant.energy += power * dt.as_secs_f64();
        self.plants[index] = plant.clone();
        if index == 0 && self.broken.contains(&Broken::SupplySensor) {
            self.put(&format!("{name}.secondary_supply.temperature"), Reading::bad(Fault::SensorBroken));
        } else {
            self.see(&format!("{name}.secondary_supply.temperature"), plant.supply);
        }
        let head = if plant.flows { 152_000.0 } else { 3_000.0 };
        for (signal, number) in [
            ("primary_return.temperature", back + 3.4),
            ("primary.flow", 0.017 * plant.stem),
            ("heat_meter.power", power),
            ("heat_meter.energy", plant.energy),
            ("valve.position_feedback", plant.stem.clamp(0.0, 1.0)),
            ("secondary_return.temperature", back),
            ("secondary_supply.pressure", 298_000.0 + head),
            ("secondary_return.pressure", 298_000.0 + 4_000.0 * drift),
            ("secondary.flow", flow),
            ("make_up.flow", 0.0),
            ("make_up.volume", 812.4),
            ("tank.level", 1.42),
        ] {
            self.see(&format!("{name}.{signal}"), number);
        }
        for pump in 1..=circuit.circulation.pumps {
            let fault = index == 0
                && ((pump == 1 && self.broken.contains(&Broken::FirstPump))
                    || (pump == 2 && self.broken.contains(&Broken::SecondPump)));
            let turns = plant.speeds[pump - 1] > 0.0 && !fault;
            self.see(&format!("{name}.circulation_pump.{pump}.running"), f64::from(u8::from(turns)));
            self.see(&format!("{name}.circulation_pump.{pump}.fault"), f64::from(u8::from(fault)));
            let speed = if turns { plant.speeds[pump - 1] } else { 0.0 };
            self.see(&format!("{name}.circulation_pump.{pump}.speed_feedback"), speed);
        }
        for pump in 1..=2 {
            self.see(&format!("{name}.make_up_pump.{pump}.running"), 0.0);
            self.see(&format!("{name}.make_up_pump.{pump}.fault"), 0.0);
        }
        for (number, building) in circuit.buildings.iter().enumerate() {
            let point = format!("{name}.building.{}", building.name);
            self.see(&format!("{point}.supply_temperature"), plant.supply - 0.6 - 0.2 * number as f64);
            self.see(&format!("{point}.return_temperature"), back - 0.5 + 0.3 * number as f64);
        }
        for (number, room) in circuit.rooms.iter().enumerate() {
            let spread = (number as f64 * 2.399).sin() * 1.5;
            self.see(&format!("{name}.room.{}.temperature", room.name), 20.8 + spread + 0.3 * warmth);
        }
        if let Some(room) = circuit.rooms.first() {
            self.put(&format!("{name}.room.{}.temperature", room.name), Reading::bad(Fault::TooOld));
        }
    }
}

fn settings(circuits: &[&str]) -> Settings {
    let area = 86_000;
    Settings {
        station: "k12".to_owned(),
        heated_area: Area::from_square_meters(area * circuits.len() as u32),
        design_outdoor: Celsius(-9.0),
        season: SEASON,
        shoulder: ShoulderSettings::default(),
        profile: Profile {
            id: "zibo".to_owned(),
            title: "淄博市供热服务规范".to_owned(),
            dwelling_min: Clause { value: Celsius(18.0), clause: "5.1".to_owned() },
            room_pass_target: Some(Clause {
                value: Fraction { numerator: 98, denominator: 100 },
                clause: "10.5.3".to_owned(),
            }),
            accident_rate: AccidentRateRule {
                clause: "3.8, 10.5.1".to_owned(),
                counted: vec![Cause::EnterpriseAccident, Cause::Unknown],
                target: Some(Clause {
                    value: Fraction { numerator: 2, denominator: 1000 },
                    clause: "10.5.1".to_owned(),
                }),
            },
            notify_users_after: None,
        },
        outdoor: OutdoorSettings::default(),
        circuits: circuits.iter().map(|name| circuit(name, area)).collect(),
    }
}

fn circuit(name: &str, area: u32) -> CircuitSettings {
    let building = |number: u32| BuildingSettings {
        name: format!("b{number}"),
        heated_area: Area::from_square_meters(area / 3),
        valve: BuildingValve::Balanced,
        offset: Kelvins(0.0),
    };
    let room = |number: u32| RoomSettings {
        name: format!("a{number}01"),
        minimum: Celsius(18.0),
        building: Some(BuildingIndex((number as usize - 1) % 3)),
    };
    CircuitSettings {
        heated_area: Area::from_square_meters(area),
        buildings: (1..=3).map(building).collect(),
        rooms: (1..=24).map(room).collect(),
        ..CircuitSettings::ordinary(name)
    }
}
