//! What is really so in the plant: for judges and tests, never for control.

use heatstation_points::{
    Celsius, CubicMeters, CubicMetersPerSecond, Joules, KilogramsPerSecond, Meters, Pascals, Ratio, Watts,
};

/// The plant's true state after the last step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Since the plant was switched on: s.
    pub seconds: f64,
    /// Outdoor air in the shade.
    pub outdoor: Celsius,
    /// Primary supply at the station.
    pub primary_supply: Celsius,
    /// Primary return of all circuits, mixed.
    pub primary_return: Celsius,
    /// Primary flow of all circuits.
    pub primary_flow: KilogramsPerSecond,
    /// Differential pressure that the valves have.
    pub primary_differential_pressure: Pascals,
    /// All that the station draws.
    pub electric_power: Watts,
    /// All that it has drawn.
    pub electric_energy: Joules,
    /// The circuits.
    pub circuits: Vec<CircuitTruth>,
}

/// The truth of one circuit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CircuitTruth {
    /// Secondary water behind the exchanger.
    pub supply: Celsius,
    /// Secondary water before the exchanger.
    pub return_: Celsius,
    /// Primary water behind the exchanger.
    pub primary_return: Celsius,
    /// Primary flow.
    pub primary_flow: KilogramsPerSecond,
    /// Secondary flow.
    pub secondary_flow: KilogramsPerSecond,
    /// From primary to secondary.
    pub heat: Watts,
    /// From primary to secondary so far.
    pub heat_energy: Joules,
    /// From primary to domestic hot water.
    pub hot_water_heat: Watts,
    /// From primary to domestic hot water so far.
    pub hot_water_energy: Joules,
    /// Into the rooms from emitters.
    pub room_heat: Watts,
    /// Into the rooms from emitters so far.
    pub room_heat_energy: Joules,
    /// Lost by pipes and exchanger so far.
    pub pipe_loss_energy: Joules,
    /// Brought into the water by the circulation pumps so far.
    pub pump_heat_energy: Joules,
    /// What warmed the make-up water to the loop's temperature so far.
    pub make_up_heat_energy: Joules,
    /// Heat of all the loop's water, of radiators and screeds over 0 °C: with the energies above it closes the balance at
    /// each step.
    pub stored_energy: Joules,
    /// Where the valve's plug stands.
    pub valve_stem: Ratio,
    /// Full strokes that the plug has travelled.
    pub valve_travel: f64,
    /// At the suction of the circulation pumps.
    pub holding_pressure: Pascals,
    /// Behind the exchanger.
    pub supply_pressure: Pascals,
    /// Over the circulation pumps.
    pub pump_head: Pascals,
    /// Electric power of circulation and make-up pumps.
    pub pump_power: Watts,
    /// Electric energy of them so far.
    pub pump_energy: Joules,
    /// Whether each circulation pump gives water.
    pub pumps_delivering: usize,
    /// Make-up flow.
    pub make_up_flow: CubicMetersPerSecond,
    /// Made up so far.
    pub make_up_volume: CubicMeters,
    /// Leaked so far.
    pub leak_volume: CubicMeters,
    /// Let off by relief and safety valve so far.
    pub relief_volume: CubicMeters,
    /// What the water has grown so far by its temperature.
    pub expansion_volume: CubicMeters,
    /// Where the loop is torn because its water shrank below vacuum: nought in any loop that is held under pressure.
    pub void_volume: CubicMeters,
    /// Water in the make-up tank.
    pub tank_level: Meters,
    /// Let into the tank so far.
    pub tap_volume: CubicMeters,
    /// Spilled from the tank so far.
    pub overflow_volume: CubicMeters,
    /// The buildings, nearest first.
    pub buildings: Vec<BuildingTruth>,
    /// All flats, building by building.
    pub flats: Vec<FlatTruth>,
}

/// The truth of one building.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BuildingTruth {
    /// Water at its entrance.
    pub supply: Celsius,
    /// Water that it sends back.
    pub return_: Celsius,
    /// Its flow.
    pub flow: KilogramsPerSecond,
    /// Between supply and return at its entrance.
    pub differential_pressure: Pascals,
}

/// The truth of one flat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FlatTruth {
    /// Which building of the circuit.
    pub building: usize,
    /// m² that it stands for.
    pub area_m2: f64,
    /// Its air.
    pub temperature: Celsius,
    /// Nobody lives there, or its emitters are shut by a fault: not to be counted in comfort.
    pub shut: bool,
}

impl CircuitTruth {
    /// Mean of all flats by area; 0 °C in a circuit without flats.
    pub fn mean_room(&self) -> Celsius {
        let area: f64 = self.flats.iter().map(|f| f.area_m2).sum();
        let sum: f64 = self.flats.iter().map(|f| f.area_m2 * f.temperature.0).sum();
        Celsius(if area > 0.0 { sum / area } else { 0.0 })
    }
}
