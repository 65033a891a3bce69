//! The plant: everything physical of a station, stepped second by second.

use std::time::Duration;

use heatstation_points::{
    BuildingOutput, Celsius, CircuitOutput, CubicMeters, CubicMetersPerSecond, Joules, KilogramsPerSecond, Meters,
    Pascals, Point, PumpIndex, PumpOutput, Ratio, Watts,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::building::Outside;
use crate::circuit::{Circuit, Surroundings};
use crate::fault::{Fault, PumpKind, PumpPlace};
use crate::fault_board::FaultBoard;
use crate::instruments::{Instruments, TRIP_CODE, View};
use crate::primary::{Primary, PrimaryTrouble};
use crate::pump::Pump;
use crate::settings::StationPlantSettings;
use crate::truth::{BuildingTruth, CircuitTruth, FlatTruth, Truth};
use crate::weather::Weather;

/// Steps are cut into pieces no longer than this: s. The exchanger's hold-up and the flow settle in a few seconds.
const LONGEST_STEP: f64 = 1.0;
/// The slow parts of the truth (flats, buildings) are refreshed this often: s.
const TRUTH_SECONDS: f64 = 20.0;

/// A simulated station.
///
/// Same settings, seed, weather, commands and faults give the same values bit for bit.
#[derive(Clone, Debug)]
pub struct Plant {
    time_zone_hours: f64,
    circuits: Vec<Circuit>,
    primary: Primary,
    instruments: Instruments,
    faults: FaultBoard,
    truth: Truth,
    /// Since it was switched on: s.
    now: f64,
    /// The walls' sun is worked out once a minute.
    outside: Option<Outside>,
    until_sun: f64,
    until_truth: f64,
}

impl Plant {
    /// A plant in balance with the settings' initial state.
    ///
    /// # Panics
    /// If there is no circuit, or a room sensor hangs in a flat that does not exist.
    pub fn new(settings: &StationPlantSettings, seed: u64) -> Plant {
        assert!(!settings.circuits.is_empty(), "a station has at least one circuit");
        let mut circuits: Vec<Circuit> = (settings.circuits.iter().enumerate())
            .map(|(index, circuit)| Circuit::new(circuit, &settings.primary, index, seed))
            .collect();
        let design_flow = circuits.iter().map(Circuit::primary_design_flow).sum();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(0);
        let primary = Primary::new(settings.primary, design_flow, settings.initial.outdoor.0, random);
        for circuit in &mut circuits {
            circuit.start_at(&settings.initial, primary.supply);
        }
        let view = View { circuits: &circuits, primary: &primary };
        let instruments = Instruments::new(settings.instruments, seed, view, settings.initial.outdoor.0);
        let truth = Truth { circuits: circuits.iter().map(empty_truth).collect(), ..Truth::default() };
        let mut plant = Plant {
            time_zone_hours: settings.time_zone_hours,
            circuits,
            primary,
            instruments,
            faults: FaultBoard::default(),
            truth,
            now: 0.0,
            outside: None,
            until_sun: 0.0,
            until_truth: 0.0,
        };
        plant.write_truth(settings.initial.outdoor);
        plant.write_slow_truth();
        plant
    }

    /// Takes a command as it stands on the wire: positions and speeds as ratios, switches on from 0.5.
    ///
    /// Numbers beyond the end of a scale go to its end. What is no output of this station, or no number, is ignored, as
    /// a terminal without a wire would.
    pub fn command(&mut self, point: Point, value: f64) {
        if !value.is_finite() {
            return;
        }
        let on = value >= 0.5;
        match point {
            Point::CircuitOutput(c, output) => {
                let Some(circuit) = self.circuits.get_mut(c.0) else { return };
                match output {
                    // The cabinet has both: whoever uses the contacts has taken the motor off its positioner.
                    CircuitOutput::ValvePosition => {
                        (circuit.valve.command, circuit.valve.contacts) = (value.clamp(0.0, 1.0), None);
                    }
                    CircuitOutput::ValveOpening => circuit.valve.contacts.get_or_insert_default().0 = on,
                    CircuitOutput::ValveClosing => circuit.valve.contacts.get_or_insert_default().1 = on,
                    CircuitOutput::ReliefOpen => circuit.pressure.relief_open = on,
                    CircuitOutput::TankInletOpen => circuit.pressure.inlet_open = on,
                }
            }
            Point::CirculationPumpOutput(c, PumpIndex(p), output) => {
                if let Some(pump) = self.circuits.get_mut(c.0).and_then(|c| c.pumps.get_mut(p)) {
                    tell(pump, output, value);
                }
            }
            Point::MakeUpPumpOutput(c, PumpIndex(p), output) => {
                if let Some(pump) = self.circuits.get_mut(c.0).and_then(|c| c.pressure.pumps.get_mut(p)) {
                    tell(pump, output, value);
                }
            }
            Point::BuildingOutput(c, b, BuildingOutput::ValvePosition) => {
                if let Some(valve) = self.circuits.get_mut(c.0).and_then(|c| c.building_valves.get_mut(b.0)) {
                    valve.command = value.clamp(0.0, 1.0);
                }
            }
            Point::Station(_)
            | Point::Circuit(..)
            | Point::CirculationPump(..)
            | Point::MakeUpPump(..)
            | Point::Building(..)
            | Point::Room(..)
            | Point::Auxiliary(_) => {}
        }
    }

    /// Lets `dt` pass, which ends at `now_utc_seconds`, under this weather. Longer steps are cut into seconds.
    pub fn step(&mut self, dt: Duration, now_utc_seconds: i64, weather: &Weather) {
        let all = dt.as_secs_f64();
        let pieces = (all / LONGEST_STEP).ceil().max(1.0);
        let seconds = all / pieces;
        let hour = (now_utc_seconds as f64 / 3600.0 + self.time_zone_hours).rem_euclid(24.0);
        for _ in 0..pieces as usize {
            self.small_step(seconds, hour, weather);
        }
    }

    fn small_step(&mut self, seconds: f64, hour: f64, weather: &Weather) {
        self.now += seconds;
        self.until_sun -= seconds;
        let outside = match self.outside {
            Some(mut outside) if self.until_sun > 0.0 => {
                (outside.outdoor, outside.wind, outside.hour, outside.now) =
                    (weather.outdoor.0, weather.wind.0, hour, self.now);
                outside
            }
            _ => {
                self.until_sun = 60.0;
                Outside::new(weather, hour, self.now)
            }
        };
        self.outside = Some(outside);

        let conductance: f64 = self.circuits.iter().map(|c| c.valve.flow(1.0)).sum();
        let besides = self.circuits.iter().map(|c| c.drawn() - c.primary_flow).sum();
        self.primary.step(seconds, weather.outdoor.0, hour, (conductance, besides));
        self.primary.limit(conductance);
        let around = Surroundings {
            outside: &outside,
            primary_supply: self.primary.supply,
            primary_pressure: self.primary.differential_pressure,
        };
        for circuit in &mut self.circuits {
            circuit.step(seconds, &around);
        }
        let view = View { circuits: &self.circuits, primary: &self.primary };
        self.instruments.step(seconds, view, weather);
        self.faults.step(seconds, |point| self.instruments.measure(point, view));

        self.write_truth(weather.outdoor);
        self.until_truth -= seconds;
        if self.until_truth <= 0.0 {
            self.until_truth += TRUTH_SECONDS;
            self.write_slow_truth();
        }
    }

    /// What the instrument of a point says now, in the point's unit; what was last written, for an output.
    ///
    /// `None` if the station has no such instrument, or it has failed.
    pub fn sample(&self, point: Point) -> Option<f64> {
        let view = View { circuits: &self.circuits, primary: &self.primary };
        self.faults.shown(point, &self.instruments.noise, |point| self.instruments.measure(point, view))
    }

    /// What is really so. Control must not look here.
    ///
    /// Flats and buildings are as of the last multiple of 20 s, all else of the last step.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Breaks something. A fault of the same kind at the same place is replaced.
    pub fn inject(&mut self, fault: Fault) {
        let shown = fault.lying()[0].and_then(|point| self.sample(point));
        self.faults.inject(fault, shown);
        self.apply_faults();
    }

    /// Mends it; the numbers in `fault` do not matter, only its kind and place.
    pub fn clear(&mut self, fault: &Fault) {
        self.faults.clear(fault);
        self.apply_faults();
    }

    /// What is broken now.
    pub fn faults(&self) -> &[Fault] {
        self.faults.active()
    }

    /// Sets every part's trouble anew from the list of active faults, so that faults can overlap and go in any order.
    fn apply_faults(&mut self) {
        self.instruments.contacts = crate::instruments::Contacts::default();
        self.primary.trouble = PrimaryTrouble::NONE;
        let mut closed_flats = vec![0.0; self.circuits.len()];
        for circuit in &mut self.circuits {
            circuit.valve.trouble = crate::valve::ValveTrouble::default();
            circuit.pressure.relief_stuck_open = false;
            circuit.pressure.tap_lost = false;
            circuit.pressure.burst(0.0);
            (circuit.fouling_fault, circuit.clogging) = (0.0, 0.0);
            circuit.building_valves.iter_mut().for_each(|valve| valve.stuck = false);
            for pump in circuit.pumps.iter_mut().chain(&mut circuit.pressure.pumps) {
                pump.trouble = crate::pump::PumpTrouble::default();
            }
        }
        let active = self.faults.active().to_vec();
        for fault in active {
            if let Fault::FlatsClosed(c, share) = fault
                && let Some(closed) = closed_flats.get_mut(c.0)
            {
                *closed = share.0.clamp(0.0, 1.0);
            }
            self.apply(fault);
        }
        for (circuit, share) in self.circuits.iter_mut().zip(closed_flats) {
            circuit.close_flats(share);
            circuit.faults_changed();
        }
    }

    fn apply(&mut self, fault: Fault) {
        match fault {
            Fault::PumpTrip(place) => self.with_pump(place, |pump| pump.trouble.trip_code = TRIP_CODE),
            Fault::PumpDead(place) => self.with_pump(place, |pump| pump.trouble.dead = true),
            Fault::PumpWithoutFlow(place) => self.with_pump(place, |pump| pump.trouble.without_flow = true),
            Fault::PumpCapped(place, most) => {
                self.with_pump(place, |pump| pump.trouble.missing_speed = 1.0 - most.0.clamp(0.0, 1.0));
            }
            Fault::PumpLocal(place) => self.with_pump(place, |pump| pump.trouble.local = true),
            Fault::PrimaryCold(supply) => self.primary.trouble.supply = Some(supply.0),
            Fault::PrimaryPressureLost(left) => self.primary.trouble.pressure_left = left.0.clamp(0.0, 1.0),
            Fault::PrimaryFlowLimited(share) => self.primary.trouble.flow_limit = share.0.max(0.0),
            Fault::ValveStuck(c) => self.with_circuit(c.0, |c| c.valve.trouble.stuck = true),
            Fault::ValveLocal(c) => self.with_circuit(c.0, |c| c.valve.trouble.local = true),
            Fault::ValveStiction(c, play) => self.with_circuit(c.0, |c| c.valve.trouble.stiction = play.0.max(0.0)),
            Fault::ValveLeaks(c, share) => {
                self.with_circuit(c.0, |c| c.valve.trouble.leak = share.0.clamp(0.0, 1.0));
            }
            Fault::BuildingValveStuck(c, b) => self.with_circuit(c.0, |c| {
                if let Some(valve) = c.building_valves.get_mut(b.0) {
                    valve.stuck = true;
                }
            }),
            Fault::TapWaterLost(c) => self.with_circuit(c.0, |c| c.pressure.tap_lost = true),
            Fault::StrainerClogged(c, share) => self.with_circuit(c.0, |c| c.clogging = share.0.max(0.0)),
            Fault::Leak(c, flow) => self.with_circuit(c.0, |c| c.pressure.burst(flow.max(0.0))),
            Fault::ReliefStuckOpen(c) => self.with_circuit(c.0, |c| c.pressure.relief_stuck_open = true),
            Fault::ExchangerFouled(c, share) => self.with_circuit(c.0, |c| c.fouling_fault = share.0.max(0.0)),
            Fault::MainsFailure => {
                self.instruments.contacts.mains_failed = true;
                self.without_power();
                self.circuits.iter_mut().for_each(|c| c.valve.trouble.unpowered = true);
            }
            Fault::EmergencyStop => {
                self.instruments.contacts.emergency_stop = true;
                self.without_power();
            }
            Fault::LocalSelected => {
                self.instruments.contacts.local = true;
                for circuit in &mut self.circuits {
                    circuit.valve.trouble.local = true;
                    for pump in circuit.pumps.iter_mut().chain(&mut circuit.pressure.pumps) {
                        pump.trouble.local = true;
                    }
                }
            }
            Fault::Flooded => self.instruments.contacts.flooded = true,
            Fault::OutdoorSensorInSun(warm) => self.instruments.contacts.sun_on_outdoor_sensor = warm.0,
            // Instruments are looked up when they are read; flats are shut once, after all faults are known.
            Fault::SensorLost(_)
            | Fault::SensorStuck(_)
            | Fault::SensorGarbage(_)
            | Fault::SensorBias(..)
            | Fault::SensorShows(..)
            | Fault::SensorSlow(..)
            | Fault::SensorDelayed(..)
            | Fault::SensorIntermittent(..)
            | Fault::SensorDrift(..)
            | Fault::SensorSpike(..)
            | Fault::SensorSwapped(..)
            | Fault::FlatsClosed(..) => {}
        }
    }

    fn without_power(&mut self) {
        for circuit in &mut self.circuits {
            for pump in circuit.pumps.iter_mut().chain(&mut circuit.pressure.pumps) {
                pump.trouble.unpowered = true;
            }
        }
    }

    fn with_circuit(&mut self, circuit: usize, change: impl FnOnce(&mut Circuit)) {
        if let Some(circuit) = self.circuits.get_mut(circuit) {
            change(circuit);
        }
    }

    fn with_pump(&mut self, place: PumpPlace, change: impl FnOnce(&mut Pump)) {
        self.with_circuit(place.circuit.0, |circuit| {
            let pumps = match place.kind {
                PumpKind::Circulation => &mut circuit.pumps,
                PumpKind::MakeUp => &mut circuit.pressure.pumps,
            };
            if let Some(pump) = pumps.get_mut(place.pump.0) {
                change(pump);
            }
        });
    }

    fn write_truth(&mut self, outdoor: Celsius) {
        let view = View { circuits: &self.circuits, primary: &self.primary };
        let truth = &mut self.truth;
        truth.seconds = self.now;
        truth.outdoor = outdoor;
        truth.primary_supply = Celsius(self.primary.supply);
        truth.primary_return = Celsius(view.primary_return());
        truth.primary_flow = KilogramsPerSecond(view.primary_flow());
        truth.primary_differential_pressure = Pascals(self.primary.differential_pressure);
        truth.electric_power = Watts(self.instruments.electric_power);
        truth.electric_energy = Joules(self.instruments.electric_energy);
        for (truth, circuit) in truth.circuits.iter_mut().zip(&self.circuits) {
            write_circuit(truth, circuit);
        }
    }

    fn write_slow_truth(&mut self) {
        for (truth, circuit) in self.truth.circuits.iter_mut().zip(&self.circuits) {
            let flats = circuit.buildings.iter().flat_map(|building| &building.flats);
            for (truth, flat) in truth.flats.iter_mut().zip(flats) {
                truth.temperature = Celsius(flat.air);
                truth.shut = flat.vacant || flat.closed;
            }
            for (b, truth) in truth.buildings.iter_mut().enumerate() {
                *truth = BuildingTruth {
                    supply: Celsius(circuit.entrances[b]),
                    return_: Celsius(circuit.building_outlet(b)),
                    flow: KilogramsPerSecond(circuit.network.share(b) * circuit.flow),
                    differential_pressure: Pascals(circuit.network.differential_pressure(b, circuit.flow)),
                };
            }
        }
    }
}

fn tell(pump: &mut Pump, output: PumpOutput, value: f64) {
    match output {
        PumpOutput::Start => pump.start = value >= 0.5,
        PumpOutput::Speed => pump.speed_command = value.clamp(0.0, 1.2),
    }
}

fn empty_truth(circuit: &Circuit) -> CircuitTruth {
    let flats = (circuit.buildings.iter().enumerate())
        .flat_map(|(building, b)| {
            b.flats.iter().map(move |flat| FlatTruth { building, area_m2: flat.area, ..FlatTruth::default() })
        })
        .collect();
    CircuitTruth {
        flats,
        buildings: vec![BuildingTruth::default(); circuit.buildings.len()],
        ..CircuitTruth::default()
    }
}

fn write_circuit(truth: &mut CircuitTruth, circuit: &Circuit) {
    let pressure = &circuit.pressure;
    truth.supply = Celsius(circuit.exchanger.secondary_outlet());
    truth.return_ = Celsius(circuit.returning);
    truth.primary_return = Celsius(circuit.exchanger.primary_outlet());
    truth.primary_flow = KilogramsPerSecond(circuit.primary_flow);
    truth.secondary_flow = KilogramsPerSecond(circuit.flow);
    truth.heat = Watts(circuit.heat);
    truth.heat_energy = Joules(circuit.heat_energy);
    truth.hot_water_heat = Watts(circuit.hot_water_heat());
    truth.hot_water_energy = Joules(circuit.hot_water.as_ref().map_or(0.0, |hot_water| hot_water.heat_energy));
    truth.pump_heat_energy = Joules(circuit.pump_heat_energy);
    truth.make_up_heat_energy = Joules(circuit.make_up_heat_energy);
    truth.room_heat = Watts(circuit.buildings.iter().map(|b| b.heat).sum());
    truth.room_heat_energy = Joules(circuit.buildings.iter().map(|b| b.heat_energy).sum());
    truth.pipe_loss_energy = Joules(circuit.pipe_loss());
    truth.stored_energy = Joules(circuit.stored_energy());
    truth.valve_stem = Ratio(circuit.valve.stem());
    truth.valve_travel = circuit.valve.travel();
    truth.holding_pressure = Pascals(pressure.holding);
    truth.supply_pressure = Pascals(circuit.supply_pressure());
    truth.pump_head = Pascals(circuit.head);
    truth.pump_power = Watts(circuit.pump_power);
    truth.pump_energy = Joules(circuit.pump_energy);
    truth.pumps_delivering = circuit.pump_flows.iter().filter(|flow| **flow > 0.0).count();
    truth.make_up_flow = CubicMetersPerSecond(pressure.make_up_flow);
    truth.make_up_volume = CubicMeters(pressure.make_up_volume);
    truth.leak_volume = CubicMeters(pressure.leak_volume);
    truth.relief_volume = CubicMeters(pressure.relief_volume);
    truth.expansion_volume = CubicMeters(pressure.expansion_volume);
    truth.void_volume = CubicMeters(pressure.void_volume);
    truth.tank_level = Meters(pressure.level);
    truth.tap_volume = CubicMeters(pressure.tap_volume);
    truth.overflow_volume = CubicMeters(pressure.overflow_volume);
}
