//! One circuit: what it was designed for, its buildings, pumps, make-up and valve, and how it is sized.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;
use heatstation_points::{Celsius, Kelvins, Pascals, Ratio, Seconds};
use serde::{Deserialize, Serialize};

use super::HotWaterSettings;

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
    /// What exchanger, valve, pumps and pipes are sized for, over the design heat loss: the guideline loads of CJJ 34 (40 to
    /// 64 W/m²) lie above the real need.
    pub oversize: f64,
    /// Emitters' output at the design temperatures over the design heat loss; 1.2 to 1.6 in practice.
    pub emitter_oversize: f64,
    /// How far flats differ in loss, emitters, water, sun, gains and habits: 1 as in real stocks, 0 all alike with windows
    /// shut, for comparisons with a textbook.
    pub flat_spread: f64,
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
    /// A hot-water heater beside the heating; few stations have one.
    pub hot_water: Option<HotWaterSettings>,
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
    /// Share of reports in which the gateway sends the last one again and keeps the new one for the next time.
    pub late: Ratio,
    /// What is left of its battery when the plant is switched on, of five seasons; none for any good one. An empty one is
    /// silent.
    pub battery: Option<Ratio>,
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
    /// Of the softened water in the tank: between the mains' 5 to 10 °C and the plant room's 20.
    pub temperature: Celsius,
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
    /// The positioner does not move for less than this: 0.0025 to 0.01, 0.002 with a good one.
    pub deadband: Ratio,
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

impl CircuitPlantSettings {
    /// What the buildings lose at design temperatures: W.
    fn design_loss(&self) -> f64 {
        self.building_loss * (self.design.room - self.design.outdoor).0 * self.heated_area_m2
    }

    /// The heat that exchanger, valve and pumps are sized for: W.
    pub fn design_heat(&self) -> f64 {
        self.design_loss() * self.oversize
    }

    /// The emitters' output at design temperatures: W.
    pub fn emitter_heat(&self) -> f64 {
        self.design_loss() * self.emitter_oversize
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
