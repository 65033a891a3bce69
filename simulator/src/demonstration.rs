//! The station that is simulated where nobody names another.

use heatstation_points::Celsius;

use crate::settings::{
    BuildingClass, CircuitPlantSettings, Circulation, DesignTemperatures, Emitter, InitialState, Outline,
    StationPlantSettings,
};

/// The station of the demonstration: one circuit of 86 000 m² in Shandong, radiators, six buildings of eight flats, 24
/// room sensors, two circulation pumps, one make-up pump; running since days at this outdoor temperature.
pub fn demonstration(outdoor: Celsius, seed: u64) -> StationPlantSettings {
    let design = DesignTemperatures::radiators(Celsius(-9.0));
    let buildings: Vec<String> = (1..=6).map(|n| format!("b{n}")).collect();
    // Sensors go round the buildings: `b1-r1`, `b2-r1`, … as typical() hangs them.
    let rooms: Vec<String> = (0..24).map(|n| format!("b{}-r{}", n % 6 + 1, n / 6 + 1)).collect();
    let circuit = CircuitPlantSettings::typical(
        &Outline {
            name: "low-zone",
            heated_area_m2: 86_000.0,
            emitter: Emitter::Radiator { exponent: 1.3 },
            design,
            building_loss: BuildingClass::Half.loss(design.outdoor),
            buildings: &buildings,
            rooms: &rooms,
            circulation_pumps: 2,
            make_up_pumps: 1,
        },
        seed,
    );
    let mut station = StationPlantSettings::of(vec![circuit]);
    station.initial = InitialState { outdoor, room: Celsius(20.5), circulation: Circulation::Running };
    station
}
