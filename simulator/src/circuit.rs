//! One circuit: the exchanger with its valve, the pumps, the network of buildings and the pressure that holds it full.

use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::building::{Building, Outside};
use crate::exchanger::{Exchanger, transfer_for};
use crate::hot_water::HotWater;
use crate::hydraulics::Network;
use crate::pipe::{self, Cooling, Pipe};
use crate::pressure::{Pressure, expansion_coefficient};
use crate::pump::{Pump, PumpCurve, meters_of_water, operating_point};
use crate::rooms::RoomSensors;
use crate::settings::{CircuitPlantSettings, Circulation, InitialState, PrimarySettings};
use crate::valve::{Valve, opening};

/// The ground around the pipes in winter: °C.
const GROUND: f64 = 5.0;
/// Water gathers and loses speed in about this time: s.
const FLOW_LAG: f64 = 2.0;
/// Exchanger to supply sensor: s at design flow.
const TO_SENSOR_SECONDS: f64 = 6.0;
/// Return sensor to pumps, with strainer and header, where make-up water comes in: s at design flow.
const SUCTION_SECONDS: f64 = 8.0;
/// Share of the pipes' water that is inside the buildings.
const RISER_SHARE: f64 = 0.35;
/// A full season: s.
pub(crate) const SEASON_SECONDS: f64 = 121.0 * 86_400.0;
/// Suction pressures between which a pump loses its head to vapour: Pa, gauge.
const CAVITATION: (f64, f64) = (-60_000.0, -20_000.0);
/// A building valve's stroke: s, and its rangeability.
const BUILDING_STROKE: f64 = 120.0;
const BUILDING_RANGEABILITY: f64 = 30.0;
/// Share of the secondary flow's pressure loss in the station that lies before the pumps, in the strainer.
pub(crate) const STRAINER_SHARE: f64 = 0.1;

/// A valve at a building's entrance.
#[derive(Clone, Debug)]
pub(crate) struct BuildingValve {
    pub command: f64,
    pub position: f64,
    pub stuck: bool,
}

/// A circuit.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    pub settings: CircuitPlantSettings,
    pub exchanger: Exchanger,
    pub valve: Valve,
    pub pumps: Vec<Pump>,
    pub network: Network,
    station_resistance: f64,
    pub pressure: Pressure,
    to_sensor: Pipe,
    trunk_supply: Vec<Pipe>,
    trunk_return: Vec<Pipe>,
    pub buildings: Vec<Building>,
    pub building_valves: Vec<BuildingValve>,
    pub rooms: RoomSensors,
    /// Entrance of each building: °C.
    pub entrances: Vec<f64>,
    /// What comes back to the station: °C.
    pub returning: f64,
    /// Before the pumps, with the make-up water in it: kg and °C.
    suction_mass: f64,
    suction: f64,
    /// At the supply sensor: °C.
    pub at_sensor: f64,
    cooling: Cooling,
    /// kg/s, and what it tends to.
    pub flow: f64,
    steady_flow: f64,
    /// Over the pumps: Pa.
    pub head: f64,
    /// Of each pump at the steady point: kg/s.
    pub pump_flows: Vec<f64>,
    point_changed: bool,
    pub primary_flow: f64,
    pub heat: f64,
    pub heat_energy: f64,
    pub secondary_volume: f64,
    pub pump_power: f64,
    pub pump_energy: f64,
    pub pump_heat_energy: f64,
    /// What warmed the make-up water: J.
    pub make_up_heat_energy: f64,
    /// Lost by all pipes: J.
    pipes_lost: f64,
    pub fouling_fault: f64,
    /// What strainer and exchanger take more than clean.
    pub clogging: f64,
    pub hot_water: Option<HotWater>,
    /// Heat of all the loop's water over 0 °C: kg·°C.
    stored: f64,
    /// All water, and that in pipes: kg.
    loop_water: f64,
    pipe_water: f64,
    /// Excess of the water in all pipes, as [`Pipe::excess`] has it: kg·K.
    pipe_excess: f64,
}

/// What a circuit meets in one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub outside: &'a Outside,
    pub primary_supply: f64,
    pub primary_pressure: f64,
}

impl Circuit {
    /// Circuit number `index` of a plant.
    pub fn new(settings: &CircuitPlantSettings, primary: &PrimarySettings, index: usize, seed: u64) -> Circuit {
        let stream = |number: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream((index as u64 + 1) << 16 | number);
            random
        };
        let design = &settings.design;
        let (heat, design_flow) = (settings.design_heat(), settings.design_flow());
        let primary_design = heat / (WATER_HEAT_CAPACITY * (design.primary_supply - design.primary_return).0);
        let transfer = transfer_for(
            heat * settings.exchanger_oversize,
            (design.primary_supply.0, design.primary_return.0),
            (design.supply.0, design.return_.0),
        );
        // The controller's valve is picked for what the connection leaves at design flow.
        let pressure_left = primary.differential_pressure.0 - primary.connection_loss.0;

        let c = &settings.circulation;
        let flow = design_flow * c.flow_ratio;
        let shares: f64 = settings.buildings.iter().map(|b| b.area_share * b.flow_ratio).sum();
        let shares: Vec<f64> = settings.buildings.iter().map(|b| b.area_share * b.flow_ratio / shares).collect();
        let network = Network::sized(&shares, flow, meters_of_water(c.network_head), meters_of_water(c.building_head));
        let head = meters_of_water(c.exchanger_head + c.network_head + c.building_head);
        let curve = PumpCurve::for_duty(flow / settings.duty_pumps() as f64, head, c.efficiency);

        let water = settings.water_liters_per_m2 * settings.heated_area_m2 * 1e-3 * WATER_DENSITY;
        let piping = Piping::new(settings, water, &shares);
        let buildings: Vec<Building> = (0..settings.buildings.len())
            .map(|b| Building::new(settings, b, (piping.risers[b], flow * shares[b]), stream(b as u64)))
            .collect();
        let count = buildings.len();
        let mut circuit = Circuit {
            exchanger: Exchanger::new(transfer, primary_design, design_flow, 20.0),
            valve: Valve::new(settings.valve, primary_design, pressure_left),
            pumps: (0..c.pumps).map(|_| Pump::new(curve, c.ramp)).collect(),
            network,
            station_resistance: meters_of_water(c.exchanger_head) / (flow * flow),
            pressure: Pressure::new(settings.make_up, water / WATER_DENSITY),
            to_sensor: Pipe::new(design_flow * TO_SENSOR_SECONDS, 8),
            trunk_supply: piping.trunk.iter().map(|&mass| Pipe::new(0.5 * mass, 40)).collect(),
            trunk_return: piping.trunk.iter().map(|&mass| Pipe::new(0.5 * mass, 40)).collect(),
            buildings,
            building_valves: vec![BuildingValve { command: 1.0, position: 1.0, stuck: false }; count],
            rooms: RoomSensors::new(settings, stream(0xFFFF)),
            entrances: vec![20.0; count],
            returning: 20.0,
            suction_mass: design_flow * SUCTION_SECONDS,
            suction: 20.0,
            at_sensor: 20.0,
            cooling: Cooling::new(GROUND, piping.cooling_time),
            flow: 0.0,
            steady_flow: 0.0,
            head: 0.0,
            pump_flows: vec![0.0; c.pumps],
            point_changed: true,
            primary_flow: 0.0,
            heat: 0.0,
            heat_energy: 0.0,
            secondary_volume: 0.0,
            pump_power: 0.0,
            pump_energy: 0.0,
            pump_heat_energy: 0.0,
            make_up_heat_energy: 0.0,
            pipes_lost: 0.0,
            fouling_fault: 0.0,
            clogging: 0.0,
            hot_water: settings.hot_water.map(|heater| HotWater::new(heater, settings.heated_area_m2, stream(0xFFFE))),
            stored: 0.0,
            loop_water: 0.0,
            pipe_water: 0.0,
            pipe_excess: 0.0,
            settings: settings.clone(),
        };
        circuit.pipe_water = circuit.pipes().map(Pipe::mass).sum();
        circuit.loop_water = circuit.pipe_water + circuit.stirred_water();
        // What seeps away is a share of the water that there is, not of what the outline says.
        circuit.pressure = Pressure::new(settings.make_up, circuit.loop_water / WATER_DENSITY);
        circuit
    }

    /// The design flow of the primary side: kg/s.
    pub fn primary_design_flow(&self) -> f64 {
        let design = &self.settings.design;
        self.settings.design_heat() / (WATER_HEAT_CAPACITY * (design.primary_supply - design.primary_return).0)
    }

    /// Puts everything where it would be after days of this weather.
    pub fn start_at(&mut self, initial: &InitialState, primary_supply: f64) {
        match initial.circulation {
            Circulation::Stopped => self.start_stopped(initial),
            Circulation::Running => self.start_running(initial, primary_supply),
        }
        self.stored = self.count_heat();
    }

    fn start_stopped(&mut self, initial: &InitialState) {
        let room = initial.room.0;
        for building in &mut self.buildings {
            building.start_at((0.0, room), room, initial.outdoor.0, &self.cooling);
        }
        self.fill(room, room);
    }

    fn start_running(&mut self, initial: &InitialState, primary_supply: f64) {
        let duty = self.settings.duty_pumps();
        for pump in self.pumps.iter_mut().take(duty) {
            pump.start_at(0.9);
        }
        self.find_point();
        self.flow = self.steady_flow;

        // Water that gives the rooms what they lose, by the design's own proportion and with free gains of 5 W/m².
        let s = &self.settings;
        let (design, area) = (s.design, s.heated_area_m2);
        let loss = (s.building_loss * (initial.room - initial.outdoor).0 - 5.0).max(2.0) * area;
        let exponent = match s.emitter {
            crate::settings::Emitter::Radiator { exponent } => exponent,
            crate::settings::Emitter::Floor => 1.05,
        };
        let design_excess = 0.5 * ((design.supply - design.room) + (design.return_ - design.room)).0;
        let excess = design_excess * (loss / s.emitter_heat()).powf(1.0 / exponent);
        let spread = loss / (self.flow * WATER_HEAT_CAPACITY);
        let (supply, return_) = (initial.room.0 + excess + 0.5 * spread, initial.room.0 + excess - 0.5 * spread);

        let flow = self.flow;
        for (b, building) in self.buildings.iter_mut().enumerate() {
            let own = flow * self.network.share(b);
            building.start_at((own, supply), initial.room.0, initial.outdoor.0, &self.cooling);
        }
        self.fill(supply, return_);
        let position = self.position_for(loss, primary_supply, return_);
        self.valve.start_at(position);
    }

    /// The valve position that brings this heat: the flow is found by halving, then the valve turned inside out.
    fn position_for(&mut self, heat: f64, primary_supply: f64, return_: f64) -> f64 {
        let (mut low, mut high) = (0.0, 3.0 * self.primary_design_flow());
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.exchanger.heat((middle, primary_supply), (self.flow, return_)) < heat {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.valve.position_for(high)
    }

    fn fill(&mut self, supply: f64, return_: f64) {
        let cooling = &self.cooling;
        self.to_sensor.start_at(supply, cooling);
        self.trunk_supply.iter_mut().for_each(|pipe| pipe.start_at(supply, cooling));
        let mut returning = 0.0;
        for (b, building) in self.buildings.iter().enumerate() {
            returning += self.network.share(b) * building.outlet(cooling);
        }
        let returning = if self.flow > 0.0 { returning } else { return_ };
        self.trunk_return.iter_mut().for_each(|pipe| pipe.start_at(returning, cooling));
        self.entrances.fill(supply);
        (self.returning, self.suction, self.at_sensor) = (returning, returning, supply);
        self.exchanger.start_at(return_ + 5.0, supply);
    }

    /// One step. Returns the primary flow drawn: kg/s.
    pub fn step(&mut self, seconds: f64, around: &Surroundings<'_>) -> f64 {
        self.step_actuators(seconds);
        self.step_flow(seconds);
        self.step_exchanger(seconds, around);
        self.step_network(seconds, around.outside);
        self.step_suction(seconds);
        self.step_pressure(seconds);
        self.rooms.step(seconds, &self.buildings);
        self.primary_flow
    }

    fn step_actuators(&mut self, seconds: f64) {
        for pump in &mut self.pumps {
            self.point_changed |= pump.step(seconds);
        }
        self.valve.step(seconds);
        for b in 0..self.building_valves.len() {
            let valve = &mut self.building_valves[b];
            if valve.command != valve.position && !valve.stuck {
                let step = seconds / BUILDING_STROKE;
                valve.position += (valve.command - valve.position).clamp(-step, step);
                self.water_shared_anew(b);
            }
        }
    }

    /// After a building's valve or flats have moved.
    pub fn water_shared_anew(&mut self, building: usize) {
        let area = opening(self.building_valves[building].position, BUILDING_RANGEABILITY, 1e-3);
        let open_flats = self.buildings[building].valves_moved();
        self.network.set(building, area, open_flats);
        self.network.fold();
        self.point_changed = true;
    }

    fn find_point(&mut self) {
        let resistance = self.station_resistance() + self.network.resistance();
        self.steady_flow = operating_point(&self.pumps, resistance, &mut self.pump_flows).0;
        self.point_changed = false;
    }

    fn step_flow(&mut self, seconds: f64) {
        if self.point_changed {
            self.find_point();
        }
        let (none, all) = CAVITATION;
        let sucking = ((self.pressure.holding - none) / (all - none)).clamp(0.1, 1.0);
        let target = self.steady_flow * sucking;
        self.flow += (target - self.flow) * (seconds / (FLOW_LAG + seconds));
        // However fast valves shut, nothing flows against more than the pumps can press.
        let resistance = self.station_resistance() + self.network.resistance();
        let greatest = self.pumps.iter().map(|p| p.pressing() * p.pressing() * p.curve.shut_off).fold(0.0, f64::max);
        self.flow = self.flow.min((greatest / resistance).sqrt());
        if self.flow < 1e-6 {
            self.flow = 0.0;
        }
        self.head = resistance * self.flow * self.flow;
        self.secondary_volume += self.flow * seconds / WATER_DENSITY;

        self.pump_power = 0.0;
        for (pump, flow) in self.pumps.iter_mut().zip(&self.pump_flows) {
            let power =
                if pump.trouble.unpowered { 0.0 } else { pump.curve.electric_power(pump.speed, *flow, self.head) };
            // A coasting motor draws nothing.
            pump.power = if pump.speed_feedback() > 0.0 || pump.speed == 0.0 { power } else { 0.0 };
            self.pump_power += pump.power;
        }
    }

    fn step_exchanger(&mut self, seconds: f64, around: &Surroundings<'_>) {
        let age = around.outside.now / SEASON_SECONDS;
        self.exchanger.foul(self.settings.exchanger_fouling.0 * age + self.fouling_fault);
        self.primary_flow = self.valve.flow(around.primary_pressure);
        // All of the pumps' head ends as warmth somewhere in the loop; it is put in here.
        let warmth = self.head / (WATER_DENSITY * WATER_HEAT_CAPACITY);
        self.pump_heat_energy += warmth * self.flow * WATER_HEAT_CAPACITY * seconds;
        let secondary = (self.flow, self.suction + warmth);
        self.heat = self.exchanger.step(seconds, (self.primary_flow, around.primary_supply), secondary);
        self.heat_energy += self.heat * seconds;
        if let Some(hot_water) = &mut self.hot_water {
            let heating = (self.primary_flow, self.exchanger.primary_outlet());
            hot_water.step(seconds, around.outside.hour, heating, around.primary_supply);
        }
    }

    fn step_network(&mut self, seconds: f64, outside: &Outside) {
        self.cool_pipes(seconds);
        let mass = self.flow * seconds;
        if mass <= 0.0 {
            // Standing water: the flats still live.
            for (b, building) in self.buildings.iter_mut().enumerate() {
                building.step(seconds, 0.0, self.entrances[b], outside, &self.cooling);
            }
            // What the exchanger heats creeps by convection through the few metres to the sensor.
            self.at_sensor += (self.exchanger.secondary_outlet() - self.at_sensor) * seconds / 60.0;
            return;
        }
        let cooling = &self.cooling;
        self.at_sensor = self.to_sensor.push(mass, self.exchanger.secondary_outlet(), cooling);
        let mut temperature = self.at_sensor;
        for b in 0..self.buildings.len() {
            let passing = self.network.passing(b) * mass;
            temperature = self.trunk_supply[b].push(passing, temperature, cooling);
            self.entrances[b] = temperature;
        }
        // Back from the far end, each building mixing into what comes from beyond it.
        let mut beyond = 0.0;
        for b in (0..self.buildings.len()).rev() {
            let (own, passing) = (self.network.share(b) * mass, self.network.passing(b) * mass);
            let leaving = self.buildings[b].step(seconds, own, self.entrances[b], outside, cooling);
            let mixed = (own * leaving + (passing - own) * beyond) / passing;
            beyond = self.trunk_return[b].push(passing, mixed, cooling);
        }
        self.returning = beyond;
    }

    fn cool_pipes(&mut self, seconds: f64) {
        let share = self.cooling.step(seconds);
        self.pipes_lost += pipe::lost(self.pipe_excess, share);
        if self.cooling.is_spent() {
            let factor = self.cooling.begin_anew();
            let risers = self.buildings.iter_mut().flat_map(Building::pipes_mut);
            let trunk = self.trunk_supply.iter_mut().chain(&mut self.trunk_return);
            trunk.chain(risers).for_each(|pipe| pipe.take_in(factor));
            self.to_sensor.take_in(factor);
            self.pipe_excess *= factor;
        }
    }

    /// What comes back meets the make-up water. As much as comes has left at the old temperature, to the exchanger and, for
    /// the make-up, to where water is lost.
    fn step_suction(&mut self, seconds: f64) {
        let (came, added) = (self.flow * seconds, self.pressure.make_up_flow * WATER_DENSITY * seconds);
        let fresh = self.settings.make_up.temperature.0;
        self.make_up_heat_energy += added * WATER_HEAT_CAPACITY * (self.suction - fresh);
        self.suction += (came * (self.returning - self.suction) + added * (fresh - self.suction)) / self.suction_mass;
    }

    fn step_pressure(&mut self, seconds: f64) {
        let stored = self.count_heat();
        let mean = stored / self.loop_water;
        let expansion = expansion_coefficient(mean) * (stored - self.stored) / WATER_DENSITY;
        self.stored = stored;
        self.pressure.step(seconds, expansion);
        self.pump_power += self.pressure.pumps.iter().map(|pump| pump.power).sum::<f64>();
        self.pump_energy += self.pump_power * seconds;
    }

    fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        let risers = self.buildings.iter().flat_map(Building::pipes);
        self.trunk_supply.iter().chain(&self.trunk_return).chain(risers).chain(std::iter::once(&self.to_sensor))
    }

    /// Water in emitters, headers, exchanger and before the pumps: kg.
    fn stirred_water(&self) -> f64 {
        let buildings = self.buildings.iter().map(Building::stirred_water).sum::<f64>();
        buildings + self.exchanger.secondary_hold_up() + self.suction_mass
    }

    /// Adds up the heat of all the loop's water over 0 °C: kg·°C.
    fn count_heat(&mut self) -> f64 {
        let mut excess = self.to_sensor.excess();
        let mut stirred = self.exchanger.secondary_hold_up() * self.exchanger.secondary_outlet();
        stirred += self.suction_mass * self.suction;
        for (supply, return_) in self.trunk_supply.iter().zip(&self.trunk_return) {
            excess += supply.excess() + return_.excess();
        }
        for building in &self.buildings {
            let [supply, return_] = building.pipes();
            excess += supply.excess() + return_.excess();
            stirred += building.stirred_heat();
        }
        self.pipe_excess = excess;
        pipe::stored(self.pipe_water, excess, &self.cooling) + stirred
    }

    /// Heat of all the loop's water, and of radiators and screeds, over 0 °C: J.
    pub fn stored_energy(&self) -> f64 {
        self.stored * WATER_HEAT_CAPACITY + self.buildings.iter().map(Building::solid_heat).sum::<f64>()
    }

    /// Lost by all pipes and by the exchanger so far: J.
    pub fn pipe_loss(&self) -> f64 {
        self.pipes_lost + self.exchanger.lost()
    }

    /// What a building sends back: °C.
    pub fn building_outlet(&self, building: usize) -> f64 {
        self.buildings[building].outlet(&self.cooling)
    }

    /// Between supply and return where the network begins: Pa.
    pub fn differential_pressure(&self) -> f64 {
        self.network.resistance() * self.flow * self.flow
    }

    /// In the supply behind the exchanger: Pa.
    pub fn supply_pressure(&self) -> f64 {
        self.pressure.holding + self.head - (1.0 - STRAINER_SHARE) * self.station_loss()
    }

    /// Lost in exchanger, strainer and station pipes: Pa.
    pub fn station_loss(&self) -> f64 {
        self.station_resistance() * self.flow * self.flow
    }

    fn station_resistance(&self) -> f64 {
        self.station_resistance * (1.0 + self.clogging)
    }

    /// After faults have come or gone: pumps and strainer may press or take otherwise than before.
    pub fn faults_changed(&mut self) {
        self.point_changed = true;
    }

    /// Drawn from the primary side, hot water included: kg/s.
    pub fn drawn(&self) -> f64 {
        self.primary_flow + self.hot_water.as_ref().map_or(0.0, |hot_water| hot_water.flow)
    }

    /// What goes back to the network, hot water included: °C.
    pub fn primary_return(&self) -> f64 {
        self.hot_water.as_ref().map_or(self.exchanger.primary_outlet(), |hot_water| hot_water.mixed_return)
    }

    /// Taken from the primary side for hot water: W.
    pub fn hot_water_heat(&self) -> f64 {
        self.hot_water.as_ref().map_or(0.0, |hot_water| hot_water.heat)
    }

    /// The smallest differential pressure of all buildings: Pa.
    pub fn worst_differential_pressure(&self) -> f64 {
        (0..self.buildings.len())
            .map(|b| self.network.differential_pressure(b, self.flow))
            .fold(f64::INFINITY, f64::min)
    }

    /// Shuts a share of the flats, evenly over each building, or opens them again.
    pub fn close_flats(&mut self, share: f64) {
        for b in 0..self.buildings.len() {
            let mut due = 0.0;
            for flat in &mut self.buildings[b].flats {
                due += share;
                flat.closed = due >= 1.0;
                if flat.closed {
                    due -= 1.0;
                }
            }
            self.water_shared_anew(b);
        }
    }
}

/// How the loop's water is spread over its pipes.
struct Piping {
    /// kg in each stretch of the trunk, both ways.
    trunk: Vec<f64>,
    /// kg in each building's own pipes, both ways.
    risers: Vec<f64>,
    cooling_time: f64,
}

impl Piping {
    fn new(settings: &CircuitPlantSettings, water: f64, shares: &[f64]) -> Piping {
        let in_emitters = match settings.emitter {
            crate::settings::Emitter::Radiator { .. } => settings.emitter_heat() * 5.8e-3,
            crate::settings::Emitter::Floor => settings.heated_area_m2 * 0.9,
        };
        // A network cannot be without water, whatever the figures for emitters and for the whole say.
        let in_pipes = (water - in_emitters).max(0.25 * water);
        let mut passing = 1.0;
        let mut weights = Vec::with_capacity(shares.len());
        for share in shares {
            weights.push(passing);
            passing -= share;
        }
        let all: f64 = weights.iter().sum();
        let trunk = weights.iter().map(|weight| (1.0 - RISER_SHARE) * in_pipes * weight / all).collect();
        let areas: f64 = settings.buildings.iter().map(|b| b.area_share).sum();
        let risers = settings.buildings.iter().map(|b| RISER_SHARE * in_pipes * b.area_share / areas).collect();
        // The loss at design temperatures gives the time constant.
        let mean_excess = 0.5 * (settings.design.supply.0 + settings.design.return_.0) - GROUND;
        let loss = (settings.pipe_loss.0 * settings.design_heat()).max(1.0);
        Piping { trunk, risers, cooling_time: in_pipes * WATER_HEAT_CAPACITY * mean_excess / loss }
    }
}
