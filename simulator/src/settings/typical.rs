//! A circuit sized from a handful of numbers by the rules of the trade.

use heatstation_points::{Celsius, Kelvins, Pascals, Ratio, Seconds};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::{
    BuildingSettings, CircuitPlantSettings, CirculationSettings, DesignTemperatures, Emitter, MakeUpSettings,
    RoomSensorSettings, ValveSettings, WithoutPower,
};

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
            oversize: 1.2,
            // The least that is found: the houses of a demonstration shall fit the curve that is printed for them.
            emitter_oversize: 1.1,
            flat_spread: 1.0,
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
                temperature: Celsius(12.0),
            },
            valve: ValveSettings {
                oversize: 1.15,
                authority: 0.4,
                rangeability: 50.0,
                // A tight seat: class IV of IEC 60534-4.
                leakage: 1e-4,
                stroke: Seconds(120.0),
                hysteresis: Ratio(0.005),
                deadband: Ratio(0.002),
                without_power: WithoutPower::Holds,
            },
            exchanger_oversize: 1.15,
            exchanger_fouling: Ratio(0.08),
            water_liters_per_m2: 1.0,
            pipe_loss: Ratio(0.03),
            hot_water: None,
        }
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
                late: Ratio(0.0),
                battery: None,
                interval: Seconds(900.0),
                loss: Ratio(0.03),
            }
        })
        .collect()
}
