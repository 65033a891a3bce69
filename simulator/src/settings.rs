//! What a simulated station is made of.
//!
//! [`CircuitPlantSettings::typical`] sizes everything from a handful of numbers by the rules of the trade; every single
//! number can be changed afterwards. All randomness of a plant (which flat is leaky, which sensor is off) comes from the
//! seed given to [`Plant::new`](crate::Plant::new), not from here, except where the room sensors hang.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;
use heatstation_points::{Catalogue, Celsius, CircuitNames, DuplicateName, Kelvins, Pascals, Ratio, Seconds};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

/// A station: its circuits, and the primary network that they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationPlantSettings {
    /// The circuits (机组), 1 or more.
    pub circuits: Vec<CircuitPlantSettings>,
    /// The network that brings the heat.
    pub primary: PrimarySettings,
    /// Local standard time ahead of UTC: hours. People get up and cook by it.
    pub time_zone_hours: f64,
    /// Where the plant stands when it is switched on.
    pub initial: InitialState,
}

impl StationPlantSettings {
    /// A station of these circuits on a network that suits the first of them, in China, at 0 °C with the pumps off.
    ///
    /// # Panics
    /// If there is no circuit.
    pub fn of(circuits: Vec<CircuitPlantSettings>) -> StationPlantSettings {
        let design = circuits.first().expect("a station has at least one circuit").design;
        StationPlantSettings {
            circuits,
            primary: PrimarySettings::typical(&design),
            time_zone_hours: 8.0,
            initial: InitialState { outdoor: Celsius(0.0), room: Celsius(20.0), circulation: Circulation::Stopped },
        }
    }

    /// The points of this station, as the plant numbers them.
    ///
    /// # Errors
    /// If two circuits, buildings or rooms have the same name.
    pub fn catalogue(&self) -> Result<Catalogue, DuplicateName> {
        let circuits = self
            .circuits
            .iter()
            .map(|circuit| CircuitNames {
                name: circuit.name.clone(),
                circulation_pumps: circuit.circulation.pumps,
                make_up_pumps: circuit.make_up.pumps,
                buildings: circuit.buildings.iter().map(|b| b.name.clone()).collect(),
                rooms: circuit.rooms.iter().map(|r| r.name.clone()).collect(),
            })
            .collect();
        Catalogue::new(circuits, Vec::new())
    }
}

/// Where the plant stands at its first second: everything warm and in balance with this outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialState {
    /// The weather of the days before.
    pub outdoor: Celsius,
    /// The rooms, on average. At most a few kelvins above `outdoor` for a season's first day, about 20 °C within it.
    pub room: Celsius,
    /// Whether the first circulation pump runs and the valve stands where it belongs.
    pub circulation: Circulation,
}

/// Whether heating is going on at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Circulation {
    /// Pumps off, valve closed; the water is at room temperature.
    Stopped,
    /// Duty pumps at 45 Hz, valve open as far as the weather asks.
    Running,
}

/// The temperatures that a circuit was designed for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignTemperatures {
    /// Secondary supply, such as 75 °C for radiators, 45 °C for floors.
    pub supply: Celsius,
    /// Secondary return, such as 50 or 35 °C.
    pub return_: Celsius,
    /// Rooms, 18 °C in China.
    pub room: Celsius,
    /// Outdoors, such as −9 °C in Zibo, −24.2 °C in Harbin.
    pub outdoor: Celsius,
    /// Primary supply, such as 110 °C.
    pub primary_supply: Celsius,
    /// Primary return, such as 60 °C, 45 °C with floors.
    pub primary_return: Celsius,
}

impl DesignTemperatures {
    /// 75/50 °C radiators on a 110/60 °C network.
    pub const fn radiators(outdoor: Celsius) -> DesignTemperatures {
        DesignTemperatures {
            supply: Celsius(75.0),
            return_: Celsius(50.0),
            room: Celsius(18.0),
            outdoor,
            primary_supply: Celsius(110.0),
            primary_return: Celsius(60.0),
        }
    }

    /// 45/35 °C floors on a 110/45 °C network.
    pub const fn floors(outdoor: Celsius) -> DesignTemperatures {
        DesignTemperatures {
            supply: Celsius(45.0),
            return_: Celsius(35.0),
            room: Celsius(18.0),
            outdoor,
            primary_supply: Celsius(110.0),
            primary_return: Celsius(45.0),
        }
    }
}

/// What gives the heat to the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Emitter {
    /// Radiators, with the exponent of heat over excess temperature: 1.24 to 1.35, cast iron 1.3.
    Radiator {
        /// The exponent n.
        exponent: f64,
    },
    /// Pipes in the screed.
    Floor,
}

/// How well the buildings are insulated, by the step of the Chinese energy standard that they were built to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BuildingClass {
    /// Before 1986.
    Uninsulated,
    /// JGJ 26-95, 50 % saving.
    Half,
    /// JGJ 26-2010, 65 % saving.
    SixtyFive,
    /// JGJ 26-2018, 75 % saving.
    SeventyFive,
}

impl BuildingClass {
    /// All four, the leakiest first.
    pub const ALL: [BuildingClass; 4] =
        [BuildingClass::Uninsulated, BuildingClass::Half, BuildingClass::SixtyFive, BuildingClass::SeventyFive];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            BuildingClass::Uninsulated => "uninsulated",
            BuildingClass::Half => "half",
            BuildingClass::SixtyFive => "sixty-five",
            BuildingClass::SeventyFive => "seventy-five",
        }
    }

    /// Heat loss with air exchange, per floor area and kelvin: W/(m² K).
    ///
    /// From the heat-loss indices of JGJ 26 (UA = (index + 3.8) / (16 − season mean)) for Beijing (design −7.6 °C) and
    /// Harbin (−24.2 °C); colder places build better walls, so places between are interpolated.
    pub fn loss(self, design_outdoor: Celsius) -> f64 {
        let (beijing, harbin) = match self {
            BuildingClass::Uninsulated => (2.0, 1.45),
            BuildingClass::Half => (1.4, 1.0),
            BuildingClass::SixtyFive => (1.05, 0.85),
            BuildingClass::SeventyFive => (0.8, 0.68),
        };
        let share = ((-7.6 - design_outdoor.0) / (24.2 - 7.6)).clamp(0.0, 1.0);
        beijing + (harbin - beijing) * share
    }
}

/// One circuit: exchanger, valve, pumps, make-up, network, buildings, room sensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CircuitPlantSettings {
    /// Its name, as in `low-zone`.
    pub name: String,
    /// Heated floor area: m².
    pub heated_area_m2: f64,
    /// Radiators or floors.
    pub emitter: Emitter,
    /// What it was designed for.
    pub design: DesignTemperatures,
    /// Heat loss of the buildings with air exchange: W/(m² K) of floor.
    pub building_loss: f64,
    /// Heat of people, lights and cooking: W/m² of floor. JGJ 26 reckons with 3.8.
    pub internal_gain: f64,
    /// Emitters' design output over the design heat loss; 1.2 to 1.6 in practice, because the guideline loads of
    /// CJJ 34 (40 to 64 W/m²) lie above the real need.
    pub emitter_oversize: f64,
    /// Share of flats with closed emitters from the start; 0.05 to 0.15 in real stocks. The truth marks them.
    pub vacant_share: Ratio,
    /// The buildings, nearest to the station first.
    pub buildings: Vec<BuildingSettings>,
    /// The room sensors.
    pub rooms: Vec<RoomSensorSettings>,
    /// Circulation pumps and the heads that they work against.
    pub circulation: CirculationSettings,
    /// Make-up pumps, tank, relief.
    pub make_up: MakeUpSettings,
    /// The primary control valve.
    pub valve: ValveSettings,
    /// Exchanger area over need; 1.15 is common.
    pub exchanger_oversize: f64,
    /// Fouling at the end of 121 days, as a share of the clean exchanger's resistance: 0 to 0.25.
    pub exchanger_fouling: Ratio,
    /// Loop water: litres per m² of heated area; 0.8 to 1.3.
    pub water_liters_per_m2: f64,
    /// Share of the design heat that pipes lose: 0.02 to 0.05, old networks to 0.10.
    pub pipe_loss: Ratio,
}

/// One building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildingSettings {
    /// Its name.
    pub name: String,
    /// Its share of the circuit's heated area; the shares are normalised.
    pub area_share: f64,
    /// How many flats are simulated in it, 1 or more; each stands for its part of the area.
    pub flats: usize,
    /// Water that it gets, over its fair share, with all valves open: 1.25 near and 0.8 far in a network somebody has
    /// tried to balance, 1.8 and 0.5 in one that nobody has.
    pub flow_ratio: f64,
}

/// Where a room sensor hangs and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomSensorSettings {
    /// Its name, as in `a101`.
    pub name: String,
    /// In which building, counted from 0.
    pub building: usize,
    /// In which of the building's flats, counted from 0.
    pub flat: usize,
    /// How much too high it shows: its own error (± 0.3 to 0.5 K) and a bad place (on the outer wall, above a radiator).
    pub offset: Kelvins,
    /// How much more it shows after 121 days than on the first.
    pub drift: Kelvins,
    /// How often it reports: 900 to 3600 s.
    pub interval: Seconds,
    /// Share of time without reports, in bursts of hours: 0.02 to 0.10.
    pub loss: Ratio,
}

/// Circulation pumps and what they work against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CirculationSettings {
    /// How many pumps, 1 to 3; all but one are meant to run, one is spare (a single pump has no spare).
    pub pumps: usize,
    /// Flow at 50 Hz with the duty pumps over the design flow; real stations run 1.2 to 2.
    pub flow_ratio: f64,
    /// Head lost in exchanger, strainer and station pipes at that flow: 3 to 8 m.
    pub exchanger_head: f64,
    /// Head lost in the trunk to the farthest building and back: 5 to 12 m.
    pub network_head: f64,
    /// Head lost in the farthest building: 3 to 6 m.
    pub building_head: f64,
    /// Best efficiency of the pump itself: 0.70 to 0.80.
    pub efficiency: f64,
    /// How fast the drive changes its frequency: Hz/s.
    pub ramp: f64,
}

/// Make-up, tank and pressure relief.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MakeUpSettings {
    /// How many pumps, 0 to 2.
    pub pumps: usize,
    /// What one pump delivers against the holding pressure at 50 Hz: m³/h.
    pub flow: f64,
    /// Pressure of the water column from the plant room to the highest radiator.
    pub static_head: Pascals,
    /// The pressure at the holding point when the plant is switched on: static head and 3 to 5 m.
    pub filled_to: Pascals,
    /// How much water goes in per pressure: m³/Pa. 2e-7 for 100 m³ of bare network, 1.2e-6 with a 500 l vessel.
    pub compliance: f64,
    /// What seeps away at `filled_to` in a day, as a share of the water: 0.003 to 0.02.
    pub daily_leak: Ratio,
    /// Where the mechanical safety valve opens. It obeys nobody.
    pub safety_valve: Pascals,
    /// Ground area of the make-up tank: m². It is 2 m high.
    pub tank_area: f64,
    /// What the inlet valve lets in: m³/h.
    pub inlet_flow: f64,
}

/// The primary control valve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveSettings {
    /// Its greatest flow over the design flow, at the nominal differential pressure: 1 right-sized, 4 far too large.
    pub oversize: f64,
    /// Share of the differential pressure that the open valve takes: 0.1 to 0.5.
    pub authority: f64,
    /// Rangeability: 30 to 100.
    pub rangeability: f64,
    /// Flow of the closed valve over the open one's: 1e-4 to 1e-3.
    pub leakage: f64,
    /// From end to end: 35 to 180 s.
    pub stroke: Seconds,
    /// Play between motor and stem, of the stroke: 0.002 to 0.03.
    pub hysteresis: Ratio,
    /// What it does without power.
    pub without_power: WithoutPower,
}

/// What an actuator does when the mains fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WithoutPower {
    /// Stands still, as nearly all do.
    Holds,
    /// Spring return: closes within 10 s.
    Closes,
}

/// The primary network as the station feels it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrimarySettings {
    /// Supply temperature at the design outdoor temperature.
    pub supply_cold: Celsius,
    /// Supply temperature at +5 °C outdoors and above.
    pub supply_mild: Celsius,
    /// The outdoor temperature that belongs to `supply_cold`.
    pub design_outdoor: Celsius,
    /// Differential pressure at the station's connection without flow: 50 000 to 300 000 Pa.
    pub differential_pressure: Pascals,
    /// What of it is lost in the shared connection at the station's design flow.
    pub connection_loss: Pascals,
    /// Standard deviation of its noise (10 min), relative: 0.03 to 0.10.
    pub pressure_noise: Ratio,
    /// Half of the daily swing, relative.
    pub pressure_swing: Ratio,
    /// Standard deviation of the supply temperature around its curve.
    pub temperature_noise: Kelvins,
    /// Pressure in the return.
    pub return_pressure: Pascals,
}

impl PrimarySettings {
    /// A network of 80 °C in mild weather to the circuit's design primary temperature, with 180 kPa to spend.
    pub fn typical(design: &DesignTemperatures) -> PrimarySettings {
        PrimarySettings {
            supply_cold: design.primary_supply,
            supply_mild: Celsius(80.0_f64.min(design.primary_supply.0)),
            design_outdoor: design.outdoor,
            differential_pressure: Pascals(180_000.0),
            connection_loss: Pascals(30_000.0),
            pressure_noise: Ratio(0.05),
            pressure_swing: Ratio(0.08),
            temperature_noise: Kelvins(1.0),
            return_pressure: Pascals(450_000.0),
        }
    }
}

/// What [`CircuitPlantSettings::typical`] is sized from.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline<'a> {
    /// The circuit's name.
    pub name: &'a str,
    /// Heated floor area: m².
    pub heated_area_m2: f64,
    /// Radiators or floors.
    pub emitter: Emitter,
    /// What it was designed for.
    pub design: DesignTemperatures,
    /// Heat loss of the buildings: W/(m² K), such as [`BuildingClass::loss`].
    pub building_loss: f64,
    /// The buildings' names, nearest first; at least one.
    pub buildings: &'a [String],
    /// The room sensors' names.
    pub rooms: &'a [String],
    /// 1 to 3.
    pub circulation_pumps: usize,
    /// 0 to 2.
    pub make_up_pumps: usize,
}

impl CircuitPlantSettings {
    /// A circuit as one finds them, sized by the rules of the trade.
    ///
    /// `seed` says in which flats the room sensors hang and how far each is off.
    ///
    /// # Panics
    /// If there are no buildings, no area, or no circulation pump.
    pub fn typical(outline: &Outline<'_>, seed: u64) -> CircuitPlantSettings {
        let count = outline.buildings.len();
        assert!(0 < count, "{}: a circuit has at least one building", outline.name);
        assert!(outline.heated_area_m2 > 0.0, "{}: a circuit heats some area", outline.name);
        assert!(0 < outline.circulation_pumps, "{}: a circuit has a circulation pump", outline.name);

        let flats = outline.rooms.len().div_ceil(count).max(8);
        let along = |b: usize| if count == 1 { 0.5 } else { b as f64 / (count - 1) as f64 };
        let buildings = (outline.buildings.iter().enumerate())
            .map(|(b, name)| BuildingSettings {
                name: name.clone(),
                area_share: 1.0,
                flats,
                flow_ratio: 1.2 + (0.85 - 1.2) * along(b),
            })
            .collect();
        let static_head = 250_000.0;
        let cubic_meters = outline.heated_area_m2 * 1e-3;
        CircuitPlantSettings {
            name: outline.name.to_owned(),
            heated_area_m2: outline.heated_area_m2,
            emitter: outline.emitter,
            design: outline.design,
            building_loss: outline.building_loss,
            internal_gain: 3.8,
            emitter_oversize: 1.2,
            vacant_share: Ratio(0.0),
            buildings,
            rooms: typical_rooms(outline, flats, seed),
            circulation: CirculationSettings {
                pumps: outline.circulation_pumps,
                flow_ratio: 1.3,
                exchanger_head: 6.0,
                network_head: 8.0,
                building_head: 4.0,
                efficiency: 0.76,
                ramp: 1.0,
            },
            make_up: MakeUpSettings {
                pumps: outline.make_up_pumps,
                // 4 % of the water an hour: CJJ 34 asks the make-up to manage that much in an accident.
                flow: (cubic_meters * 0.04).max(1.0),
                static_head: Pascals(static_head),
                filled_to: Pascals(static_head + 40_000.0),
                compliance: cubic_meters * 1.2e-8,
                daily_leak: Ratio(0.008),
                safety_valve: Pascals(static_head + 250_000.0),
                tank_area: (cubic_meters * 0.04).max(1.5),
                inlet_flow: (cubic_meters * 0.08).max(2.0),
            },
            valve: ValveSettings {
                oversize: 1.15,
                authority: 0.4,
                rangeability: 50.0,
                // A tight seat: class IV of IEC 60534-4.
                leakage: 1e-4,
                stroke: Seconds(120.0),
                hysteresis: Ratio(0.005),
                without_power: WithoutPower::Holds,
            },
            exchanger_oversize: 1.15,
            exchanger_fouling: Ratio(0.08),
            water_liters_per_m2: 1.0,
            pipe_loss: Ratio(0.03),
        }
    }

    /// The emitters' design output: W. It also sizes exchanger, valve and pumps.
    pub fn design_heat(&self) -> f64 {
        let loss = self.building_loss * (self.design.room - self.design.outdoor).0;
        loss * self.emitter_oversize * self.heated_area_m2
    }

    /// The secondary flow that carries the design heat at the design temperatures: kg/s.
    pub fn design_flow(&self) -> f64 {
        self.design_heat() / (WATER_HEAT_CAPACITY * (self.design.supply - self.design.return_).0)
    }

    /// How many circulation pumps are meant to run at the same time.
    pub fn duty_pumps(&self) -> usize {
        (self.circulation.pumps - 1).max(1)
    }
}

/// Sensors spread evenly over buildings and flats, one in fourteen in a bad place.
fn typical_rooms(outline: &Outline<'_>, flats: usize, seed: u64) -> Vec<RoomSensorSettings> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let own_error = Normal::new(0.0, 0.25).expect("the deviation is positive");
    let misplaced = Normal::new(0.0, 1.5).expect("the deviation is positive");
    let buildings = outline.buildings.len();
    let first: Vec<usize> = (0..buildings).map(|_| random.random_range(0..flats)).collect();
    (outline.rooms.iter().enumerate())
        .map(|(r, name)| {
            let (building, turn) = (r % buildings, r / buildings);
            // A stride of 3 meets all positions of a building before it comes round; see the flats' order there.
            let stride = if flats.is_multiple_of(3) { 1 } else { 3 };
            let place: f64 = if random.random_bool(0.07) { misplaced.sample(&mut random) } else { 0.0 };
            RoomSensorSettings {
                name: name.clone(),
                building,
                flat: (first[building] + turn * stride) % flats,
                offset: Kelvins(own_error.sample(&mut random) + place),
                drift: Kelvins(0.0),
                interval: Seconds(900.0),
                loss: Ratio(0.03),
            }
        })
        .collect()
}
