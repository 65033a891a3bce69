//! Nothing comes from nothing and nothing goes to nothing: heat and water of a loop, at each single second.
//!
//! The ledger knows the plant by its truth and its settings alone. What comes into a loop must go out of it or stay in it,
//! to a millionth of what moved in that second, whatever is broken and whichever valve moves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{C, Hold, JANUARY, SECOND, pump, valve};
use heatstation_points::quantity::WATER_HEAT_CAPACITY;
use heatstation_points::{
    BuildingIndex, Celsius, CircuitIndex, CircuitSignal, Direction, Kelvins, Point, PumpIndex, Ratio,
};
use heatstation_simulator::demonstration;
use heatstation_simulator::family::Member;
use heatstation_simulator::{
    CircuitPlantSettings, CircuitTruth, Fault, Plant, PumpKind, PumpPlace, StationPlantSettings, StochasticWeather,
    Truth, Weather, WeatherSource,
};

/// What may be open, of all that moved.
const TOLERANCE: f64 = 1e-6;
/// Below this nothing has moved: 10 GJ of stored heat and some 100 m³ of water are known to sixteen figures.
const JOULES: f64 = 1e-3;
const CUBIC_METERS: f64 = 1e-11;

/// One account: what came, what went and what is kept more than before.
struct Account {
    name: &'static str,
    came: Vec<f64>,
    went: Vec<f64>,
    kept: f64,
    /// The unit's resolution.
    least: f64,
}

impl Account {
    /// What is unaccounted for, of what moved; nothing where nothing moved.
    fn open(&self) -> f64 {
        let came: f64 = self.came.iter().sum();
        let went: f64 = self.went.iter().sum();
        let moved: f64 = self.came.iter().chain(&self.went).map(|part| part.abs()).sum::<f64>() + self.kept.abs();
        let open = (came - went - self.kept).abs();
        if open > self.least { open / moved } else { 0.0 }
    }
}

/// Heat of the secondary loop: J.
fn heat(before: &CircuitTruth, after: &CircuitTruth) -> Account {
    let grown = |of: fn(&CircuitTruth) -> f64| of(after) - of(before);
    Account {
        name: "heat of the loop",
        came: vec![grown(|t| t.heat_energy.0), grown(|t| t.pump_heat_energy.0)],
        went: vec![
            grown(|t| t.room_heat_energy.0),
            grown(|t| t.pipe_loss_energy.0),
            grown(|t| t.make_up_heat_energy.0),
        ],
        kept: grown(|t| t.stored_energy.0),
        least: JOULES,
    }
}

/// Water of the secondary loop: m³. What it keeps more, it keeps under pressure.
fn water(settings: &CircuitPlantSettings, before: &CircuitTruth, after: &CircuitTruth) -> Account {
    let grown = |of: fn(&CircuitTruth) -> f64| of(after) - of(before);
    let pressed = settings.make_up.compliance * grown(|t| t.holding_pressure.0);
    Account {
        name: "water of the loop",
        came: vec![grown(|t| t.make_up_volume.0), grown(|t| t.expansion_volume.0)],
        went: vec![grown(|t| t.leak_volume.0), grown(|t| t.relief_volume.0)],
        kept: pressed - grown(|t| t.void_volume.0),
        least: CUBIC_METERS,
    }
}

/// Water of the make-up tank: m³.
fn tank(settings: &CircuitPlantSettings, before: &CircuitTruth, after: &CircuitTruth) -> Account {
    let grown = |of: fn(&CircuitTruth) -> f64| of(after) - of(before);
    Account {
        name: "water of the tank",
        came: vec![grown(|t| t.tap_volume.0)],
        went: vec![grown(|t| t.make_up_volume.0), grown(|t| t.overflow_volume.0)],
        kept: settings.make_up.tank_area * grown(|t| t.tank_level.0),
        least: CUBIC_METERS,
    }
}

/// Heat of the exchanger's primary side, whose water and plates hold ten seconds of the design flow: J.
fn primary(settings: &CircuitPlantSettings, supply: Celsius, before: &CircuitTruth, after: &CircuitTruth) -> Account {
    let design = &settings.design;
    let hold_up = 10.0 * settings.design_heat() / (design.primary_supply - design.primary_return).0;
    Account {
        name: "heat of the primary side",
        came: vec![after.primary_flow.0 * WATER_HEAT_CAPACITY * (supply - after.primary_return).0],
        went: vec![after.heat_energy.0 - before.heat_energy.0],
        kept: hold_up * (after.primary_return - before.primary_return).0,
        least: JOULES,
    }
}

/// Holds the accounts of a station from step to step.
struct Ledger {
    settings: StationPlantSettings,
    before: Truth,
    worst: f64,
}

impl Ledger {
    fn new(settings: &StationPlantSettings, plant: &Plant) -> Ledger {
        Ledger { settings: settings.clone(), before: plant.truth().clone(), worst: 0.0 }
    }

    /// Closes the accounts of a step; says which is open and by how much.
    fn close(&mut self, after: &Truth) -> Result<(), String> {
        let circuits = self.settings.circuits.iter().zip(&self.before.circuits).zip(&after.circuits);
        for ((settings, before), now) in circuits {
            let accounts = [
                heat(before, now),
                water(settings, before, now),
                tank(settings, before, now),
                primary(settings, after.primary_supply, before, now),
            ];
            for account in accounts {
                let open = account.open();
                self.worst = self.worst.max(open);
                if open > TOLERANCE {
                    let Account { name, came, went, kept, .. } = account;
                    return Err(format!(
                        "at {} s the {name} is open by {open:.1e}: came {came:?}, went {went:?}, kept {kept}",
                        after.seconds
                    ));
                }
            }
        }
        self.before.clone_from(after);
        Ok(())
    }
}

#[test]
fn heat_and_water_balance_at_each_second_of_two_days_with_a_controller() {
    let settings = demonstration(Celsius(-3.0), 1);
    let mut plant = Plant::new(&settings, 1);
    let mut ledger = Ledger::new(&settings, &plant);
    let mut hold = Hold::new(&plant);
    let mut weather = StochasticWeather::new(3, heatstation_simulator::Climate::SHANDONG);
    for second in 1..=2 * 86_400 {
        let setpoint = if second % 43_200 < 20_000 { 62.0 } else { 48.0 };
        hold.supply(&mut plant, setpoint);
        plant.step(SECOND, JANUARY + second, &weather.at(JANUARY + second));
        ledger.close(plant.truth()).unwrap();
    }
    assert!(plant.truth().circuits[0].heat_energy.0 > 100e9 && plant.truth().circuits[0].make_up_volume.0 > 0.1);
    assert!(ledger.worst < TOLERANCE);
}

#[test]
fn standing_water_cools_and_shrinks_second_by_second() {
    let settings = demonstration(Celsius(-10.0), 1);
    let mut plant = Plant::new(&settings, 1);
    let mut ledger = Ledger::new(&settings, &plant);
    valve(&mut plant, 0.0);
    pump(&mut plant, 0, 0.0, 0.0);
    for second in 1..=4 * 3600 {
        plant.step(SECOND, JANUARY + second, &Weather::still(Celsius(-10.0)));
        ledger.close(plant.truth()).unwrap();
    }
    let truth = &plant.truth().circuits[0];
    // 86 m³ of about 60 °C: the radiators' share cools to the rooms within the hour, the pipes' by a kelvin an hour.
    assert!(truth.expansion_volume.0 < -0.3, "{}", truth.expansion_volume.0);
    assert!(truth.holding_pressure.0 < 200_000.0, "{}", truth.holding_pressure.0);
}

/// Small numbers from a counter: a campaign that needs no generator of its own.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 16) as usize % limit
    }

    fn ratio(&mut self) -> f64 {
        self.below(1001) as f64 / 1000.0
    }

    fn fault(&mut self) -> Fault {
        let circuit = CircuitIndex(0);
        let kind = [PumpKind::Circulation, PumpKind::MakeUp][self.below(2)];
        let place = PumpPlace { circuit, kind, pump: PumpIndex(self.below(2)) };
        let building = BuildingIndex(self.below(6));
        match self.below(25) {
            0 => Fault::PumpTrip(place),
            1 => Fault::PumpDead(place),
            2 => Fault::PumpLocal(place),
            3 => Fault::PrimaryCold(Celsius(5.0 + 60.0 * self.ratio())),
            4 => Fault::PrimaryPressureLost(Ratio(self.ratio())),
            5 => Fault::ValveStuck(circuit),
            6 => Fault::ValveStiction(circuit, Ratio(0.1 * self.ratio())),
            7 => Fault::ValveLocal(circuit),
            8 => Fault::Leak(circuit, self.ratio() * 50.0 / 3600.0),
            9 => Fault::ReliefStuckOpen(circuit),
            10 => Fault::ExchangerFouled(circuit, Ratio(self.ratio())),
            11 => Fault::FlatsClosed(circuit, Ratio(self.ratio())),
            12 => Fault::MainsFailure,
            13 => Fault::EmergencyStop,
            14 => Fault::LocalSelected,
            15 => Fault::OutdoorSensorInSun(Kelvins(10.0)),
            16 => Fault::PumpWithoutFlow(place),
            17 => Fault::PumpCapped(place, Ratio(self.ratio())),
            18 => Fault::PrimaryFlowLimited(Ratio(self.ratio())),
            19 => Fault::ValveLeaks(circuit, Ratio(0.2 * self.ratio())),
            20 => Fault::BuildingValveStuck(circuit, building),
            21 => Fault::TapWaterLost(circuit),
            22 => Fault::StrainerClogged(circuit, Ratio(5.0 * self.ratio())),
            23 => Fault::SensorSwapped(
                Point::Circuit(circuit, CircuitSignal::SupplyTemperature),
                Point::Circuit(circuit, CircuitSignal::ReturnTemperature),
            ),
            _ => Fault::Flooded,
        }
    }
}

/// Lets a member run for some rounds of random commands and faults.
fn campaign(member: Member, rounds: i64) -> Result<f64, String> {
    let mut dice = Dice(member.seed.wrapping_mul(64) + member.class as u64);
    let mut weather = StochasticWeather::new(member.seed, member.weather_climate());
    let settings = member.plant(weather.at(JANUARY).outdoor);
    let catalogue = settings.catalogue().unwrap();
    let outputs: Vec<Point> =
        catalogue.definitions().iter().filter(|d| d.direction == Direction::Output).map(|d| d.point).collect();
    let mut plant = Plant::new(&settings, member.seed);
    let mut ledger = Ledger::new(&settings, &plant);
    for round in 0..rounds {
        for _ in 0..3 {
            let value = [0.0, 1.0, dice.ratio()][dice.below(3)];
            plant.command(outputs[dice.below(outputs.len())], value);
        }
        let fault = dice.fault();
        if dice.below(3) == 0 {
            plant.inject(fault);
        } else {
            plant.clear(&fault);
        }
        for second in 1..=200 {
            let now = JANUARY + round * 200 + second;
            plant.step(SECOND, now, &weather.at(now));
            ledger.close(plant.truth()).map_err(|open| {
                format!("{}, seed {}: {open}, under {:?}", member.name(), member.seed, plant.faults())
            })?;
        }
    }
    Ok(ledger.worst)
}

#[test]
fn heat_and_water_balance_whatever_breaks_and_whoever_commands() {
    for seed in 0..2 {
        for member in Member::all(seed) {
            campaign(member, 40).unwrap();
        }
    }
}

/// `HEATSTATION_SEEDS=200 cargo test --release -p heatstation-simulator --test balances -- --ignored`
#[test]
#[ignore = "minutes; run before a release"]
fn heat_and_water_balance_over_many_seeds() {
    let seeds: u64 = std::env::var("HEATSTATION_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    for seed in 100..100 + seeds {
        for member in Member::all(seed) {
            campaign(member, 200).unwrap();
        }
    }
}

#[test]
fn what_the_buildings_get_is_what_the_pumps_give() {
    let settings = demonstration(Celsius(-3.0), 1);
    let mut plant = Plant::new(&settings, 1);
    let mut dice = Dice(5);
    for second in 1..=3600 {
        if second % 100 == 0 {
            let b = BuildingIndex(dice.below(6));
            let output = heatstation_points::BuildingOutput::ValvePosition;
            plant.command(Point::BuildingOutput(C, b, output), dice.ratio());
        }
        plant.step(SECOND, JANUARY + second, &Weather::still(Celsius(-3.0)));
        // The buildings' truth is refreshed every 20 s.
        if second % 20 == 0 {
            let truth = &plant.truth().circuits[0];
            let sum: f64 = truth.buildings.iter().map(|building| building.flow.0).sum();
            assert!((sum / truth.secondary_flow.0 - 1.0).abs() < 1e-9, "{sum} of {}", truth.secondary_flow.0);
        }
    }
}

#[test]
fn a_ledger_that_misses_a_light_bulb_is_open() {
    let settings = demonstration(Celsius(-3.0), 1);
    let mut plant = Plant::new(&settings, 1);
    let mut ledger = Ledger::new(&settings, &plant);
    plant.step(SECOND, JANUARY, &Weather::still(Celsius(-3.0)));
    let mut wrong = plant.truth().clone();
    wrong.circuits[0].heat_energy.0 += 60.0;
    assert!(ledger.close(&wrong).unwrap_err().contains("heat of the loop"));
    let mut wrong = plant.truth().clone();
    wrong.circuits[0].holding_pressure.0 += 1.0;
    assert!(ledger.close(&wrong).unwrap_err().contains("water of the loop"));
    ledger.close(plant.truth()).unwrap();
}
