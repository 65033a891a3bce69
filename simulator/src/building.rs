//! Buildings: flats of air and mass, their emitters, sun, people, windows, and the pipes inside the house.
//!
//! A flat is two masses per m² of floor: air with furniture, and the building's mass. Windows and air exchange lead from
//! the air, walls and roof from the mass to the outdoors; flats exchange with the mean of their building. The emitter is
//! three stirred volumes in a row (so that the far end is colder), each giving heat with ΔT^n; a floor adds the screed.
//!
//! Flats move in minutes and hours: they are stepped every [`SLOW_SECONDS`] with the mean flow and inlet temperature of
//! that time, buildings taking turns, so that no second carries all the work.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::pipe::{Cooling, Pipe};
use crate::settings::{CircuitPlantSettings, Emitter};
use crate::weather::{Facing, Weather};

/// Step of the flats: s. The emitters' elements answer in 2 to 8 minutes; 20 s is exact enough and cheap.
pub(crate) const SLOW_SECONDS: f64 = 20.0;

/// Elements of an emitter; Modelica IBPSA takes five, three give the return temperature within 0.3 K of that.
const ELEMENTS: usize = 3;
/// Air with furniture: J/(m² K); 30 to 60 kJ.
const AIR_CAPACITY: f64 = 45_000.0;
/// Mass of a flat: J/(m² K); 200 to 400 kJ (medium: ISO 13790 has 165 kJ for the first 24 h alone).
const MASS_CAPACITY: f64 = 300_000.0;
/// Air to mass: W/(m² K), in line with ISO 13790's 9.1 Am and 3.45 At.
const AIR_TO_MASS: f64 = 9.5;
/// Flat to the mean of its building: W/(m² K); 0.7 to 1.5.
const TO_NEIGHBOURS: f64 = 1.0;
/// Share of the loss that leaves from the air, through windows and with air; the rest goes through walls.
const LIGHT_SHARE: f64 = 0.5;
/// Share of the light path that is air exchange, and how it grows with wind.
const AIR_SHARE: f64 = 0.45;
/// Share of emitter heat that warms the air; the rest is radiation on walls.
const CONVECTIVE: f64 = 0.6;
/// An open window: W/(m² K) on top, 1 to 3 air changes an hour.
const OPEN_WINDOW: f64 = 1.6;
/// Water and steel of a radiator: J/K per W of design output (5.8 l and 26 kg per kW).
const RADIATOR_CAPACITY: f64 = (5.8 * 4182.0 + 26.0 * 500.0) / 1000.0;
const RADIATOR_WATER: f64 = 5.8e-3;
/// Floor pipes: kg of water per m². Screed: J/(m² K), and from screed to room: W/(m² K).
const FLOOR_WATER: f64 = 0.9;
const SCREED_CAPACITY: f64 = 120_000.0;
const SCREED_TO_ROOM: f64 = 9.0;
const FLOOR_EXPONENT: f64 = 1.05;

/// Loss of a flat by its place in the house, with the share of flats there: middle, end, top or bottom, top corner.
const PLACES: [(f64, f64); 4] = [(0.55, 0.82), (0.20, 1.0), (0.17, 1.25), (0.08, 1.5)];

/// ΔT^(n−1) from a table: a power of a real number for every element of every flat would be half of the whole work.
#[derive(Clone, Debug)]
struct ExcessTable {
    values: Vec<f64>,
}

const TABLE_STEPS_PER_KELVIN: f64 = 4.0;
const TABLE_KELVINS: usize = 120;

impl ExcessTable {
    fn new(exponent: f64) -> ExcessTable {
        let steps = TABLE_KELVINS * TABLE_STEPS_PER_KELVIN as usize;
        let values = (0..=steps + 1).map(|i| (i as f64 / TABLE_STEPS_PER_KELVIN).powf(exponent - 1.0)).collect();
        ExcessTable { values }
    }

    fn at(&self, excess: f64) -> f64 {
        let place = (excess.abs() * TABLE_STEPS_PER_KELVIN).min((TABLE_KELVINS as f64) * TABLE_STEPS_PER_KELVIN);
        let below = place as usize;
        self.values[below] + (self.values[below + 1] - self.values[below]) * (place - below as f64)
    }
}

/// What drives all flats of a building in one slow step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    pub outdoor: f64,
    pub wind: f64,
    /// Beam on the four walls, and what sky and ground give to any wall: W/m².
    pub beam: [f64; 4],
    pub diffuse: f64,
    /// Local hour of the day, 0 to 24.
    pub hour: f64,
    /// The plant's own clock: s.
    pub now: f64,
}

impl Outside {
    pub fn new(weather: &Weather, hour: f64, now: f64) -> Outside {
        Outside {
            outdoor: weather.outdoor.0,
            wind: weather.wind.0,
            beam: Facing::ALL.map(|facing| weather.beam_on(facing).0),
            diffuse: weather.diffuse_on_wall().0,
            hour,
            now,
        }
    }

    /// How much people give off at this hour, 1 on the mean of a day: asleep, up, cooking and at home in the evening.
    fn occupancy(&self) -> f64 {
        match self.hour {
            h if h < 6.0 => 0.85,
            h if h < 17.0 => 0.99,
            h if h < 22.0 => 1.25,
            _ => 0.9,
        }
    }
}

/// One flat; everything per m² of its floor.
#[derive(Clone, Debug)]
pub(crate) struct Flat {
    /// m² that it stands for.
    pub area: f64,
    /// Windows and still air; wind adds to the air's part; walls and roof: W/(m² K).
    window: f64,
    air_exchange: f64,
    wall: f64,
    beam_aperture: f64,
    diffuse_aperture: f64,
    facing: Facing,
    gain: f64,
    air_capacity: f64,
    mass_capacity: f64,
    /// One emitter element: W/K^n, W/K at design, J/K.
    element_output: f64,
    element_conductance: f64,
    element_capacity: f64,
    /// Water of the emitter: kg/m².
    water: f64,
    /// Its share of the building's water while its valve is open, per m².
    flow_share: f64,
    /// Nobody lives there and the radiators are shut.
    pub vacant: bool,
    /// Shut by a fault.
    pub closed: bool,

    pub air: f64,
    mass: f64,
    screed: f64,
    elements: [f64; ELEMENTS],
    window_until: f64,
    activity: f64,
}

impl Flat {
    fn is_shut(&self) -> bool {
        self.vacant || self.closed
    }

    fn water_heat(&self) -> f64 {
        self.area * self.water * self.elements.iter().sum::<f64>() / ELEMENTS as f64
    }

    /// Of water and steel over 0 °C: J.
    fn emitter_heat(&self) -> f64 {
        self.area * self.element_capacity * self.elements.iter().sum::<f64>()
    }
}

/// What the flats of a building did in a slow step.
#[derive(Clone, Copy, Debug, Default)]
struct SlowResult {
    /// Flow-weighted return of the flats: °C.
    outlet: f64,
    /// Into the rooms: W.
    heat: f64,
}

/// A building: its pipes and its flats.
#[derive(Clone, Debug)]
pub(crate) struct Building {
    pub area: f64,
    pub flats: Vec<Flat>,
    table: ExcessTable,
    floor: bool,
    shielding: f64,
    /// How lively people are: 1 as everywhere, 0 never opening a window and always alike.
    habits: f64,
    riser_supply: Pipe,
    riser_return: Pipe,
    /// Where the flats' return pipes meet, a stirred volume: it sends back a steady temperature while the flats move in
    /// steps of [`SLOW_SECONDS`], and keeps the heat in between. kg, °C, and kg·K that it has not taken in yet.
    header_mass: f64,
    header: f64,
    header_owed: f64,
    /// Sum of flow shares of the open flats times area.
    open_share: f64,
    /// Water and heat since the last slow step: kg, kg·°C.
    came: f64,
    came_heat: f64,
    until_slow: f64,
    /// Heat of the water in the emitters over 0 °C: kg·°C; of that water, the steel and the screed together: J.
    emitter_water_heat: f64,
    emitter_heat: f64,
    /// Into the rooms, in the last slow step: W.
    pub heat: f64,
    /// Into the rooms so far: J.
    pub heat_energy: f64,
    random: ChaCha8Rng,
}

impl Building {
    /// Building number `index` of a circuit; `riser_mass` kg of water in its own pipes, both ways together, and
    /// `flow` kg/s through them when all is open.
    pub fn new(
        settings: &CircuitPlantSettings,
        index: usize,
        (riser_mass, flow): (f64, f64),
        mut random: ChaCha8Rng,
    ) -> Building {
        let shares: f64 = settings.buildings.iter().map(|b| b.area_share).sum();
        let own = &settings.buildings[index];
        let area = settings.heated_area_m2 * own.area_share / shares;
        let exponent = match settings.emitter {
            Emitter::Radiator { exponent } => exponent,
            Emitter::Floor => FLOOR_EXPONENT,
        };
        let flats = make_flats(settings, own.flats, area, exponent, &mut random);
        // Room for half as much again as comes in a slow step; what a building gets beyond that comes a step later.
        let header_mass = (1.5 * SLOW_SECONDS * flow).min(0.2 * riser_mass);
        let shielding = 1.0 + settings.flat_spread * random.random_range(-0.3..0.3);
        let mut building = Building {
            area,
            open_share: 0.0,
            emitter_water_heat: 0.0,
            emitter_heat: 0.0,
            flats,
            table: ExcessTable::new(exponent),
            floor: matches!(settings.emitter, Emitter::Floor),
            shielding,
            habits: settings.flat_spread,
            riser_supply: Pipe::new(0.5 * riser_mass, 24),
            riser_return: Pipe::new(0.5 * riser_mass - header_mass, 24),
            header_mass,
            header: 20.0,
            header_owed: 0.0,
            came: 0.0,
            came_heat: 0.0,
            until_slow: 1.0 + SLOW_SECONDS * index as f64 / settings.buildings.len() as f64,
            heat: 0.0,
            heat_energy: 0.0,
            random,
        };
        building.valves_moved();
        building
    }

    /// One fast step: `mass` kg at `temperature` enter. Returns what leaves the building: °C.
    pub fn step(&mut self, seconds: f64, mass: f64, temperature: f64, outside: &Outside, cooling: &Cooling) -> f64 {
        let at_flats = self.riser_supply.push(mass, temperature, cooling);
        self.came += mass;
        self.came_heat += mass * at_flats;
        let leaving = self.riser_return.push(mass, self.header, cooling);
        self.until_slow -= seconds;
        if self.until_slow <= 0.0 {
            self.until_slow += SLOW_SECONDS;
            self.slow_step(outside, cooling);
        }
        leaving
    }

    fn slow_step(&mut self, outside: &Outside, cooling: &Cooling) {
        let came = self.came;
        let inlet = if came > 0.0 { self.came_heat / came } else { self.riser_supply.outlet(cooling) };
        let result = self.move_flats(SLOW_SECONDS, came / SLOW_SECONDS, inlet, outside);
        // The header has given away water at its own temperature while the flats' water was on its way to it.
        let owed = self.header_owed + came * (result.outlet - self.header);
        let taken = owed * (self.header_mass / came.max(self.header_mass));
        self.header += taken / self.header_mass;
        self.header_owed = owed - taken;
        (self.came, self.came_heat) = (0.0, 0.0);

        self.heat = result.heat;
        self.heat_energy += result.heat * SLOW_SECONDS;
        self.live(outside);
    }

    /// Moves all flats by `seconds` with `flow` kg/s at `inlet` through the building.
    fn move_flats(&mut self, seconds: f64, flow: f64, inlet: f64, outside: &Outside) -> SlowResult {
        let mean_air = self.flats.iter().map(|f| f.air * f.area).sum::<f64>() / self.area;
        let wind = 0.75 + 0.1 * outside.wind * self.shielding;
        let occupancy = outside.occupancy();
        let flow_per_share = if self.open_share > 0.0 { flow / self.open_share } else { 0.0 };
        let (mut heat, mut back) = (0.0, 0.0);
        (self.emitter_water_heat, self.emitter_heat) = (0.0, 0.0);
        for flat in &mut self.flats {
            let share = if flat.is_shut() { 0.0 } else { flat.flow_share };
            let capacity_flow = share * flow_per_share * WATER_HEAT_CAPACITY;
            let sink = if self.floor { flat.screed } else { flat.air };
            let (emitted, outlet) = emit(flat, &self.table, seconds, (capacity_flow, inlet), sink);
            let into_room = if self.floor {
                let warms = SCREED_TO_ROOM * (flat.screed - flat.air);
                flat.screed += seconds * (emitted - warms) / SCREED_CAPACITY;
                self.emitter_heat += flat.area * SCREED_CAPACITY * flat.screed;
                warms
            } else {
                emitted
            };
            move_masses(flat, seconds, into_room, mean_air, wind, occupancy, outside);
            heat += into_room * flat.area;
            back += share * flat.area * outlet;
            self.emitter_water_heat += flat.water_heat();
            self.emitter_heat += flat.emitter_heat();
        }
        SlowResult { outlet: if self.open_share > 0.0 { back / self.open_share } else { inlet }, heat }
    }

    /// People: windows are opened and closed, activity changes.
    fn live(&mut self, outside: &Outside) {
        let awake = (6.0..23.0).contains(&outside.hour);
        let per_step = SLOW_SECONDS / 3600.0;
        for flat in &mut self.flats {
            let draw = self.random.next_u32();
            let chance = f64::from(draw & 0xFFFF) / 65_536.0;
            // Opening is a Poisson process whose rate grows when it is too warm (field studies of Beijing and Xi'an).
            let rate = self.habits * (0.01 + 0.05 * (flat.air - 22.0).max(0.0));
            if awake && flat.window_until <= outside.now && !flat.vacant && chance < rate * per_step {
                flat.window_until = outside.now + self.random.random_range(1800.0..7200.0);
            }
            // Somebody cold closes the window again.
            if flat.air < 17.0 {
                flat.window_until = flat.window_until.min(outside.now);
            }
            // What goes on in a flat changes every two hours or so.
            if f64::from(draw >> 16) / 65_536.0 < per_step / 2.0 {
                flat.activity = 1.0 + self.habits * self.random.random_range(-0.7..0.7);
            }
        }
    }

    /// Works out who gets how much water after a flat was shut or opened, and the open share of the branch's area.
    pub fn valves_moved(&mut self) -> f64 {
        let share = |flat: &Flat| flat.flow_share * flat.area;
        let all: f64 = self.flats.iter().map(share).sum();
        self.open_share = self.flats.iter().filter(|flat| !flat.is_shut()).map(share).sum();
        self.open_share / all
    }

    /// Brings the flats into balance with steady water and weather, `mean` °C on average.
    pub fn start_at(&mut self, (flow, inlet): (f64, f64), mean: f64, outdoor: f64, cooling: &Cooling) {
        let outside =
            Outside { outdoor, wind: 2.0, beam: [30.0, 60.0, 120.0, 60.0], diffuse: 30.0, hour: 12.0, now: 0.0 };
        for flat in &mut self.flats {
            let series = AIR_TO_MASS / (AIR_TO_MASS + flat.wall);
            flat.air = mean;
            flat.mass = outdoor + (mean - outdoor) * series + 0.5;
            flat.screed = if flow > 0.0 { 0.4 * inlet + 0.6 * mean } else { mean };
            flat.elements = [if flow > 0.0 { inlet - 5.0 } else { mean }; ELEMENTS];
        }
        let mut outlet = inlet;
        // Two days in steps of 60 s: the flats find their places around the mean, which is then set right.
        for _ in 0..2 * 1440 {
            outlet = self.move_flats(60.0, flow, inlet, &outside).outlet;
        }
        let reached = self.flats.iter().map(|f| f.air * f.area).sum::<f64>() / self.area;
        for flat in &mut self.flats {
            flat.air += mean - reached;
            flat.mass += mean - reached;
        }
        self.header = outlet;
        self.riser_supply.start_at(inlet, cooling);
        self.riser_return.start_at(outlet, cooling);
    }

    /// What the building sends back: °C.
    pub fn outlet(&self, cooling: &Cooling) -> f64 {
        self.riser_return.outlet(cooling)
    }

    /// Heat of the water in emitters and header, and on its way between them, over 0 °C: kg·°C.
    pub fn stirred_heat(&self) -> f64 {
        let on_the_way = self.came_heat - self.came * self.header + self.header_owed;
        self.emitter_water_heat + self.header_mass * self.header + on_the_way
    }

    /// Heat that steel and screed hold over 0 °C: J.
    pub fn solid_heat(&self) -> f64 {
        self.emitter_heat - self.emitter_water_heat * WATER_HEAT_CAPACITY
    }

    /// Its pipes.
    pub fn pipes(&self) -> [&Pipe; 2] {
        [&self.riser_supply, &self.riser_return]
    }

    /// Its pipes, for a cooling that begins anew.
    pub fn pipes_mut(&mut self) -> [&mut Pipe; 2] {
        [&mut self.riser_supply, &mut self.riser_return]
    }

    /// Water in emitters and header: kg.
    pub fn stirred_water(&self) -> f64 {
        self.header_mass + self.flats.iter().map(|flat| flat.water * flat.area).sum::<f64>()
    }
}

/// Moves the emitter's elements; returns (W/m² given off, °C that leaves).
///
/// How much an emitter gives is rated over the arithmetic mean of inlet and outlet (EN 442), so its conductance is taken
/// there; where along the emitter it is given goes with the water's excess in each element. That lies between what enters
/// and what leaves the element, nearer to the middle the faster it flows: the weight ½ − x/12, x the conductance over the
/// capacity flow, is that of the exact decay along a pipe, written as 1/(2 + x/3). Both fade out in standing water. Implicit
/// in the water, so no flow is too large.
fn emit(flat: &mut Flat, table: &ExcessTable, seconds: f64, water: (f64, f64), sink: f64) -> (f64, f64) {
    let (capacity_flow, inlet) = water;
    let nominal = flat.element_conductance;
    let weight = capacity_flow / (2.0 * capacity_flow + nominal / 3.0);
    let flowing = capacity_flow * capacity_flow / (capacity_flow * capacity_flow + 0.1 * nominal * nominal);

    let [first, second, last] = flat.elements;
    let along = ((1.0 - weight) * (first + second + last) + weight * (inlet + first + second)) / ELEMENTS as f64 - sink;
    let rated = along + flowing * (0.5 * (inlet + last) - sink - along);
    // The same heat, reckoned by one mean or the other; close to no excess the two cannot be told apart.
    let ratio = if along.abs() > 1.0 { (rated / along).clamp(0.8, 1.25) } else { 1.0 };
    let conductance = flat.element_output * table.at(rated) * ratio;

    let entering = capacity_flow - conductance * weight;
    let kept = (flat.element_capacity + seconds * (capacity_flow + conductance * (1.0 - weight))).recip();
    let (mut given, mut temperature) = (0.0, inlet);
    for element in &mut flat.elements {
        *element = (flat.element_capacity * *element + seconds * (entering * temperature + conductance * sink)) * kept;
        given += conductance * (*element + weight * (temperature - *element) - sink);
        temperature = *element;
    }
    (given, temperature)
}

/// Moves air and mass of a flat. Explicit: with 45 kJ/K and 13 W/K the fastest mode takes an hour.
fn move_masses(
    flat: &mut Flat,
    seconds: f64,
    emitted: f64,
    mean_air: f64,
    wind: f64,
    occupancy: f64,
    outside: &Outside,
) {
    let open = if flat.window_until > outside.now { OPEN_WINDOW } else { 0.0 };
    let sun = flat.beam_aperture * outside.beam[flat.facing as usize] + flat.diffuse_aperture * outside.diffuse;
    let people = flat.gain * flat.activity * occupancy;
    let light = flat.window + flat.air_exchange * wind + open;

    let between = AIR_TO_MASS * (flat.mass - flat.air);
    let air = between
        + light * (outside.outdoor - flat.air)
        + TO_NEIGHBOURS * (mean_air - flat.air)
        + CONVECTIVE * (emitted + people)
        + 0.5 * sun;
    let mass =
        -between + flat.wall * (outside.outdoor - flat.mass) + (1.0 - CONVECTIVE) * (emitted + people) + 0.5 * sun;
    flat.air += seconds * air / flat.air_capacity;
    flat.mass += seconds * mass / flat.mass_capacity;
}

/// A number that scatters around 1 with this logarithmic deviation.
fn scatter(deviation: f64, random: &mut ChaCha8Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(random);
    (deviation * normal).exp()
}

/// Loss of the flat at this place of the row, over the class's mean flat.
fn place_factor(place: f64) -> f64 {
    let mut reached = 0.0;
    for (share, factor) in PLACES {
        reached += share;
        if place < reached {
            return factor;
        }
    }
    PLACES[PLACES.len() - 1].1
}

fn make_flats(
    settings: &CircuitPlantSettings,
    count: usize,
    area: f64,
    exponent: f64,
    random: &mut ChaCha8Rng,
) -> Vec<Flat> {
    let spread = settings.flat_spread;
    let places: Vec<f64> =
        (0..count).map(|i| 1.0 + spread * (place_factor((i as f64 + 0.5) / count as f64) - 1.0)).collect();
    let mean_place = places.iter().sum::<f64>() / count as f64;
    // Who designed the house gave exposed flats larger emitters, but not as much larger as they need, and pipe fitters
    // and owners did the rest.
    let emitters: Vec<f64> =
        places.iter().map(|place| (place / mean_place).powf(0.8) * scatter(0.14 * spread, random)).collect();
    let mean_emitter = emitters.iter().sum::<f64>() / count as f64;
    let design = &settings.design;
    let output = settings.emitter_heat() / settings.heated_area_m2;
    let mean_water = 0.5 * ((design.supply - design.room) + (design.return_ - design.room)).0;

    (places.iter().zip(&emitters))
        .map(|(place, emitter)| {
            let loss = settings.building_loss * place / mean_place;
            let own_output = output * emitter / mean_emitter;
            let (excess, capacity, water) = match settings.emitter {
                Emitter::Radiator { .. } => (mean_water, own_output * RADIATOR_CAPACITY, own_output * RADIATOR_WATER),
                Emitter::Floor => {
                    let screed_over_room = output / SCREED_TO_ROOM;
                    (mean_water - screed_over_room, FLOOR_WATER * WATER_HEAT_CAPACITY, FLOOR_WATER)
                }
            };
            let facing = match random.random_range(0..10) {
                0..5 => Facing::South,
                5..7 => Facing::North,
                7 | 8 => Facing::East,
                _ => Facing::West,
            };
            let south = facing == Facing::South;
            Flat {
                area: area / count as f64,
                window: loss * LIGHT_SHARE * (1.0 - AIR_SHARE),
                air_exchange: loss * LIGHT_SHARE * AIR_SHARE,
                wall: wall_for(loss),
                beam_aperture: if south { random.random_range(0.03..0.05) } else { random.random_range(0.006..0.010) },
                diffuse_aperture: 0.04,
                facing,
                gain: settings.internal_gain * (1.0 + spread * random.random_range(-0.35..0.35)),
                air_capacity: AIR_CAPACITY * scatter(0.1 * spread, random),
                mass_capacity: MASS_CAPACITY * scatter(0.1 * spread, random),
                element_output: own_output / excess.powf(exponent) / ELEMENTS as f64,
                element_conductance: own_output / excess / ELEMENTS as f64,
                element_capacity: capacity / ELEMENTS as f64,
                water,
                flow_share: emitter / mean_emitter * scatter(0.20 * spread, random),
                vacant: random.random_bool(settings.vacant_share.0.clamp(0.0, 1.0)),
                closed: false,
                air: 20.0,
                mass: 20.0,
                screed: 20.0,
                elements: [20.0; ELEMENTS],
                window_until: 0.0,
                activity: 1.0,
            }
        })
        .collect()
}

/// Walls and roof behind the mass of a flat with this loss: W/(m² K).
///
/// With the light path they make up the loss that the class means, heat over the air's excess in the steady state, in which
/// the radiant share of the heat reaches the walls without passing the air.
fn wall_for(loss: f64) -> f64 {
    let behind_mass = (1.0 - LIGHT_SHARE) * loss;
    behind_mass * AIR_TO_MASS / (AIR_TO_MASS + (1.0 - CONVECTIVE) * loss - behind_mass)
}
