//! A family of plants, to compare strategies of control on: four climates, radiators or floors, four classes of insulation.
//!
//! Each [`Member`] is one station of 240 flats in six to eight buildings. What an engineer knows of a station (climate,
//! emitters, class) names the member; all that he does not know (how uneven the network is, how far the valve was
//! oversized, which flats stand empty, where the room sensors hang and which of them lie) is drawn from its seed. The
//! same member is the same plant for ever, so that strategies meet it in pairs.
//!
//! ```
//! use heatstation_points::Celsius;
//! use heatstation_simulator::family::Member;
//! use heatstation_simulator::{Plant, StochasticWeather, WeatherSource};
//!
//! let member = Member::all(7)[0];
//! let mut weather = StochasticWeather::new(2026, member.weather_climate());
//! let midnight = 1_794_672_000; // 2026-11-15 in China
//! let settings = member.plant(weather.at(midnight).outdoor);
//! let mut plant = Plant::new(&settings, member.seed);
//! plant.step(std::time::Duration::from_secs(1), midnight, &weather.at(midnight));
//! assert_eq!(plant.truth().circuits[0].flats.len(), 240);
//! ```
//!
//! # What it does not do
//!
//! It knows nothing of control. A baseline's own ignorance ([`Member::as_found_level`]) is drawn here only because it
//! belongs to the plant's history.

use heatstation_points::{Celsius, Kelvins, Pascals, Ratio, Seconds};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use crate::settings::{
    BuildingClass, BuildingSettings, CircuitPlantSettings, Circulation, DesignTemperatures, Emitter, InitialState,
    Outline, RoomSensorSettings, StationPlantSettings,
};
use crate::weather::Climate;

/// Flats that are simulated, whatever the area; each stands for its part.
pub const FLATS: usize = 240;
/// Floor area of a flat of the real station: m². A hundredth of these flats has a sensor.
const FLAT_AREA_M2: f64 = 90.0;
/// One of a hundred flats is measured: what Tangshan's standard asks for at least (5.3.2.3 b).
const SENSOR_SHARE: f64 = 0.01;
/// Share of time without reports, and of sensors that lie.
const SENSOR_LOSS: Ratio = Ratio(0.10);
const BAD_SENSORS: f64 = 0.10;

/// Where a member stands, from the coldest to the mildest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "cities")]
pub enum FamilyClimate {
    Harbin,
    Hohhot,
    Beijing,
    Jinan,
}

/// What gives the heat to the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyEmitter {
    /// 75/50 °C.
    Radiator,
    /// 45/35 °C.
    Floor,
}

/// A day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfYear {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// One plant of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Member {
    /// Where it stands.
    pub climate: FamilyClimate,
    /// Radiators or floors.
    pub emitter: FamilyEmitter,
    /// How well its buildings are insulated.
    pub class: BuildingClass,
    /// Of everything that nobody knows of it.
    pub seed: u64,
}

impl FamilyClimate {
    /// All four.
    pub const ALL: [FamilyClimate; 4] =
        [FamilyClimate::Harbin, FamilyClimate::Hohhot, FamilyClimate::Beijing, FamilyClimate::Jinan];

    /// What the weather generator makes of it.
    pub const fn weather(self) -> Climate {
        match self {
            FamilyClimate::Harbin => Climate::HARBIN,
            FamilyClimate::Hohhot => Climate::HOHHOT,
            FamilyClimate::Beijing => Climate::BEIJING,
            FamilyClimate::Jinan => Climate::JINAN,
        }
    }

    /// The outdoor temperature to design heating for: GB 50736-2012, appendix A.
    pub const fn design_outdoor(self) -> Celsius {
        match self {
            FamilyClimate::Harbin => Celsius(-24.2),
            FamilyClimate::Hohhot => Celsius(-17.0),
            FamilyClimate::Beijing => Celsius(-7.6),
            FamilyClimate::Jinan => Celsius(-5.3),
        }
    }

    /// First and last day of heating, as the cities' rules name them.
    pub fn season(self) -> (DayOfYear, DayOfYear) {
        let day = |month, day| DayOfYear { month, day };
        match self {
            FamilyClimate::Harbin => (day(10, 20), day(4, 20)),
            FamilyClimate::Hohhot => (day(10, 15), day(4, 15)),
            FamilyClimate::Beijing | FamilyClimate::Jinan => (day(11, 15), day(3, 15)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            FamilyClimate::Harbin => "harbin",
            FamilyClimate::Hohhot => "hohhot",
            FamilyClimate::Beijing => "beijing",
            FamilyClimate::Jinan => "jinan",
        }
    }
}

impl FamilyEmitter {
    /// Both.
    pub const ALL: [FamilyEmitter; 2] = [FamilyEmitter::Radiator, FamilyEmitter::Floor];

    const fn name(self) -> &'static str {
        match self {
            FamilyEmitter::Radiator => "radiator",
            FamilyEmitter::Floor => "floor",
        }
    }
}

impl Member {
    /// All 32 members of a seed.
    ///
    /// Each eight in a row have every climate with every emitter and every class twice, so that a part of the family is as
    /// mixed as the whole: the first 24 leave out one class of each climate and emitter, never the same for all.
    pub fn all(seed: u64) -> Vec<Member> {
        let mut all = Vec::with_capacity(32);
        for round in 0..4 {
            for (e, emitter) in FamilyEmitter::ALL.into_iter().enumerate() {
                for (c, climate) in FamilyClimate::ALL.into_iter().enumerate() {
                    let class = BuildingClass::ALL[(round + c + 2 * e) % 4];
                    all.push(Member { climate, emitter, class, seed });
                }
            }
        }
        all
    }

    /// What it is called in tables, as `harbin-radiator-half`; the seed is not in it.
    pub fn name(&self) -> String {
        format!("{}-{}-{}", self.climate.name(), self.emitter.name(), self.class.name())
    }

    /// The climate for the weather generator.
    pub const fn weather_climate(&self) -> Climate {
        self.climate.weather()
    }

    /// How much too warm the operators of this station let it be, because somebody once complained: 0.5 to 3 K on the
    /// level of the curve. The strategy "as found" heats by it.
    pub fn as_found_level(&self) -> Kelvins {
        Kelvins(self.random(2).random_range(0.5..3.0))
    }

    /// A random stream of its own for each member and purpose.
    fn random(&self, purpose: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let kind = (self.climate as u64 * 2 + self.emitter as u64) * 4 + self.class as u64;
        random.set_stream(0xFA00_0000 + kind * 16 + purpose);
        random
    }

    /// The plant: running since days at this outdoor temperature. Its one circuit is called `family`.
    ///
    /// Ranges are those of the field: network 1.25/0.8 to 1.8/0.5, valve one to four times too large, flow 1.2 to 2 times
    /// the design's, one flat in twenty to one in seven empty.
    pub fn plant(&self, outdoor: Celsius) -> StationPlantSettings {
        let mut random = self.random(0);
        let buildings = draw_buildings(&mut random);
        let names: Vec<String> = buildings.iter().map(|building| building.name.clone()).collect();
        let design = self.design(&mut random);
        let area = random.random_range(60_000.0..120_000.0);
        let sensors = (area / FLAT_AREA_M2 * SENSOR_SHARE).round() as usize;
        let rooms = sensors_in(&buildings, sensors, &mut self.random(1));
        let room_names: Vec<String> = rooms.iter().map(|room| room.name.clone()).collect();

        let outline = Outline {
            name: "family",
            heated_area_m2: area,
            emitter: match self.emitter {
                FamilyEmitter::Radiator => Emitter::Radiator { exponent: random.random_range(1.24..1.35) },
                FamilyEmitter::Floor => Emitter::Floor,
            },
            design,
            // Air exchange and behaviour add up to a quarter to what the standard's index says.
            building_loss: self.class.loss(design.outdoor) * random.random_range(1.0..1.25),
            buildings: &names,
            rooms: &room_names,
            circulation_pumps: 2,
            make_up_pumps: 2,
        };
        let mut circuit = CircuitPlantSettings::typical(&outline, self.seed);
        (circuit.buildings, circuit.rooms) = (buildings, rooms);
        draw_unknowns(&mut circuit, &mut random);

        let mut station = StationPlantSettings::of(vec![circuit]);
        station.primary.differential_pressure = Pascals(random.random_range(90_000.0..300_000.0));
        station.primary.connection_loss = station.primary.differential_pressure * random.random_range(0.10..0.25);
        station.primary.pressure_noise = Ratio(random.random_range(0.03..0.10));
        station.initial = InitialState { outdoor, room: Celsius(20.0), circulation: Circulation::Running };
        station
    }

    fn design(&self, random: &mut ChaCha8Rng) -> DesignTemperatures {
        let outdoor = self.climate.design_outdoor();
        match self.emitter {
            FamilyEmitter::Radiator => {
                let (primary_supply, primary_return) =
                    [(110.0, 60.0), (120.0, 60.0), (130.0, 70.0)][random.random_range(0..3)];
                DesignTemperatures {
                    primary_supply: Celsius(primary_supply),
                    primary_return: Celsius(primary_return),
                    ..DesignTemperatures::radiators(outdoor)
                }
            }
            FamilyEmitter::Floor => DesignTemperatures::floors(outdoor),
        }
    }
}

/// Six to eight buildings, near ones with too much water and far ones with too little.
fn draw_buildings(random: &mut ChaCha8Rng) -> Vec<BuildingSettings> {
    let count = random.random_range(6..=8_usize);
    let uneven: f64 = random.random_range(0.0..1.0);
    let (near, far) = (1.25 + (1.8 - 1.25) * uneven, 0.8 + (0.5 - 0.8) * uneven);
    (0..count)
        .map(|b| {
            let along = b as f64 / (count - 1) as f64;
            let flats = FLATS / count + usize::from(b < FLATS % count);
            BuildingSettings {
                name: format!("b{}", b + 1),
                area_share: flats as f64,
                flats,
                // Near houses take what they can get, so the shares fall faster near the station than far from it.
                flow_ratio: (near + (far - near) * along.sqrt()) * random.random_range(0.95..1.05),
            }
        })
        .collect()
}

/// What nobody knows of a station, within what one finds.
fn draw_unknowns(circuit: &mut CircuitPlantSettings, random: &mut ChaCha8Rng) {
    circuit.emitter_oversize = random.random_range(1.2..1.6);
    circuit.vacant_share = Ratio(random.random_range(0.05..0.15));
    circuit.circulation.flow_ratio = random.random_range(1.2..2.0);
    circuit.circulation.exchanger_head = random.random_range(3.0..8.0);
    circuit.circulation.network_head = random.random_range(5.0..12.0);
    circuit.circulation.building_head = random.random_range(3.0..6.0);
    circuit.circulation.efficiency = random.random_range(0.70..0.80);

    // Once and four times as large are equally far from twice.
    let oversize: f64 = 4.0_f64.powf(random.random_range(0.0..1.0));
    circuit.valve.oversize = oversize;
    // A valve that is too large takes less of the pressure: 0.4 when right-sized, 0.1 at four times.
    circuit.valve.authority = 0.4 / oversize;
    circuit.valve.rangeability = random.random_range(30.0..80.0);
    circuit.valve.leakage = 10.0_f64.powf(random.random_range(-4.0..-3.0));
    circuit.valve.stroke = Seconds(random.random_range(60.0..180.0));
    // Wear beyond half a percent makes a large valve unfit for any controller; that is another trial.
    circuit.valve.hysteresis = Ratio(random.random_range(0.002..0.005));

    circuit.exchanger_oversize = random.random_range(1.05..1.3);
    circuit.exchanger_fouling = Ratio(random.random_range(0.0..0.25));
    circuit.water_liters_per_m2 = random.random_range(0.8..1.3);
    circuit.pipe_loss = Ratio(random.random_range(0.02..0.05));
    circuit.make_up.daily_leak = Ratio(random.random_range(0.003..0.015));
}

/// Sensors in flats of all buildings, never two in one flat; a tenth of them lies.
fn sensors_in(buildings: &[BuildingSettings], count: usize, random: &mut ChaCha8Rng) -> Vec<RoomSensorSettings> {
    let own_error = Normal::new(0.0, 0.25).expect("the deviation is positive");
    let bad = ((count as f64 * BAD_SENSORS).round() as usize).max(1);
    let first_bad = random.random_range(0..count);
    let first_building = random.random_range(0..buildings.len());
    let mut rooms: Vec<RoomSensorSettings> = Vec::with_capacity(count);
    for r in 0..count {
        let building = (first_building + r) % buildings.len();
        let mut flat = random.random_range(0..buildings[building].flats);
        while rooms.iter().any(|room| (room.building, room.flat) == (building, flat)) {
            flat = (flat + 1) % buildings[building].flats;
        }
        let is_bad = (r + count - first_bad) % count < bad;
        let Ill { place, drift, battery } = if is_bad { ill(random) } else { Ill::default() };
        rooms.push(RoomSensorSettings {
            name: format!("r{:02}", r + 1),
            building,
            flat,
            offset: Kelvins(own_error.sample(random) + place),
            drift: Kelvins(drift),
            late: Ratio(0.02),
            battery,
            interval: Seconds(*[900.0, 1800.0, 3600.0].get(random.random_range(0..3)).unwrap_or(&900.0)),
            loss: SENSOR_LOSS,
        });
    }
    rooms
}

/// What is wrong with a sensor: K, K over the season, battery.
#[derive(Default)]
struct Ill {
    place: f64,
    drift: f64,
    battery: Option<Ratio>,
}

/// In what way a sensor is bad: hung wrongly (1 to 2 K at once), drifting (1 to 2 K over the season), or with a battery that
/// dies within it.
fn ill(random: &mut ChaCha8Rng) -> Ill {
    let size = random.random_range(1.0..2.0) * if random.random_bool(0.5) { 1.0 } else { -1.0 };
    match random.random_range(0..10) {
        0..6 => Ill { place: size, ..Ill::default() },
        6..9 => Ill { drift: size, ..Ill::default() },
        // A battery lasts five seasons: up to a seventh of it is less than one.
        _ => Ill { battery: Some(Ratio(random.random_range(0.02..0.14))), ..Ill::default() },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::Plant;
    use crate::weather::{StochasticWeather, WeatherSource};

    #[test]
    fn the_family_has_each_kind_once_and_each_eight_of_it_is_mixed() {
        let all = Member::all(1);
        let names: HashSet<String> = all.iter().map(Member::name).collect();
        assert_eq!((all.len(), names.len()), (32, 32));
        for eight in all.chunks(8) {
            let places: HashSet<_> = eight.iter().map(|m| (m.climate, m.emitter)).collect();
            assert_eq!(places.len(), 8);
            for class in BuildingClass::ALL {
                assert_eq!(eight.iter().filter(|m| m.class == class).count(), 2);
            }
        }
    }

    #[test]
    fn every_draw_lies_within_what_one_finds_and_members_differ() {
        let mut areas = HashSet::new();
        for seed in 0..20 {
            for member in Member::all(seed) {
                let settings = member.plant(Celsius(0.0));
                let circuit = &settings.circuits[0];
                assert_eq!(circuit.buildings.iter().map(|b| b.flats).sum::<usize>(), FLATS);
                assert!((6..=8).contains(&circuit.buildings.len()));
                assert!((1.0..=4.0).contains(&circuit.valve.oversize) && circuit.valve.authority >= 0.1);
                assert!((1.2..2.0).contains(&circuit.circulation.flow_ratio));
                assert!((0.05..0.15).contains(&circuit.vacant_share.0));
                let near_to_far = circuit.buildings[0].flow_ratio / circuit.buildings.last().unwrap().flow_ratio;
                assert!((1.4..4.0).contains(&near_to_far), "{near_to_far}");
                assert!((7..=13).contains(&circuit.rooms.len()), "{}", circuit.rooms.len());
                assert!((0.5..3.0).contains(&member.as_found_level().0));
                assert!(settings.catalogue().is_ok());
                areas.insert(circuit.heated_area_m2.to_bits());
            }
        }
        assert_eq!(areas.len(), 20 * 32);
        let member = Member::all(3)[5];
        assert_eq!(member.plant(Celsius(-3.0)), member.plant(Celsius(-3.0)));
    }

    #[test]
    fn every_member_starts_warm_and_in_balance() {
        for member in Member::all(2) {
            let mut weather = StochasticWeather::new(1, member.weather_climate());
            let january = 1_799_510_400; // 2027-01-10
            let outdoor = weather.at(january).outdoor;
            let mut plant = Plant::new(&member.plant(outdoor), member.seed);
            for second in 1..=120 {
                plant.step(Duration::from_secs(1), january + second, &weather.at(january + second));
            }
            let truth = &plant.truth().circuits[0];
            let name = member.name();
            assert!((19.0..21.5).contains(&truth.mean_room().0), "{name}: {}", truth.mean_room().0);
            assert!(truth.supply.0 > 25.0 && truth.heat.0 > 0.0, "{name}: {}", truth.supply.0);
        }
    }
}
