use heatstation_points::Reading;

use super::*;
use crate::area::Area;

const MINUTE: Duration = Duration::from_secs(60);

/// Buildings on one supply of 50 °C; each return follows its valve at once: two kelvins a tenth of the stroke.
struct Street {
    buildings: Vec<BuildingSettings>,
    /// The return with an open valve.
    open: Vec<f64>,
    position: Vec<f64>,
    local: Vec<bool>,
    missing: Vec<bool>,
    plant: Plant,
    balance: Balance,
    report: BalanceReport,
}

impl Street {
    fn of(open: &[f64]) -> Street {
        let building = |number| BuildingSettings {
            name: format!("b{number}"),
            heated_area: Area::from_square_meters(10_000),
            valve: BuildingValve::Balanced,
            offset: Kelvins(0.0),
        };
        let count = open.len();
        Street {
            buildings: (0..count).map(building).collect(),
            open: open.to_vec(),
            position: vec![1.0; count],
            local: vec![false; count],
            missing: vec![false; count],
            plant: Plant { heating: Switch::On, frost: Switch::Off, supply: Some(Celsius(50.0)) },
            balance: Balance::default(),
            report: BalanceReport::default(),
        }
    }

    fn hours(&mut self, count: u32) -> BalanceReport {
        for _ in 0..count * 60 {
            let reading = |b: usize| {
                let back = Celsius(self.open[b] - 20.0 * (1.0 - self.position[b]));
                let return_temperature =
                    if self.missing[b] { Reading::bad(heatstation_points::Fault::Silent) } else { Reading::good(back) };
                let valve_position_feedback = Reading::good(Ratio(self.position[b]));
                BuildingReadings { return_temperature, valve_position_feedback, ..BuildingReadings::default() }
            };
            let readings: Vec<BuildingReadings> = (0..self.open.len()).map(reading).collect();
            let settings = BalanceSettings::default();
            self.report = self.balance.advance(&settings, &self.buildings, &readings, &self.plant, MINUTE);
            let commands: Vec<_> = self.balance.commands(&self.buildings).collect();
            for (b, command) in commands.into_iter().enumerate() {
                if let (Some(command), false) = (command, self.local[b]) {
                    self.position[b] = command.0;
                }
            }
        }
        self.report
    }
}

#[test]
fn returns_that_differ_are_brought_together_in_small_steps() {
    let mut street = Street::of(&[44.0, 42.0, 40.0, 38.0]);
    let mut before = street.position.clone();
    for _ in 0..120 {
        street.hours(1);
        for (now, before) in street.position.iter().zip(&before) {
            assert!((now - before).abs() <= 0.04 + 1e-9, "{before} to {now} within an hour");
        }
        before.clone_from(&street.position);
    }
    assert!(street.report.spread.unwrap() < Kelvins(1.2), "{:?}", street.report);
    assert!(street.report.most_open.unwrap() >= Ratio(0.9));
    assert!(street.position[3] >= 0.9 && street.position[0] < 0.8, "{:?}", street.position);
}

#[test]
fn one_valve_is_always_open_and_none_below_the_minimum() {
    let mut street = Street::of(&[80.0, 40.0, 39.0]);
    street.position = vec![0.5, 0.5, 0.5];
    street.hours(24 * 7);
    assert!(street.report.most_open.unwrap() >= Ratio(0.9), "{:?}", street.position);
    assert!(street.position.iter().all(|position| *position >= 0.2), "{:?}", street.position);
}

#[test]
fn a_building_at_the_edge_is_kept_warmer_by_its_offset() {
    let mut street = Street::of(&[42.0, 42.0, 42.0]);
    street.buildings[2].offset = Kelvins(1.5);
    street.hours(24 * 5);
    let back = |b: usize| street.open[b] - 20.0 * (1.0 - street.position[b]);
    assert!((back(2) - back(0) - 1.5).abs() < 0.7, "{:?}", street.position);
}

#[test]
fn nothing_moves_while_the_plant_starts_or_is_in_frost_or_the_supply_moves() {
    for (plant, standing) in [
        (Plant { heating: Switch::Off, frost: Switch::Off, supply: Some(Celsius(50.0)) }, Standing::Starting),
        (Plant { heating: Switch::On, frost: Switch::On, supply: Some(Celsius(50.0)) }, Standing::Frost),
        (Plant { heating: Switch::On, frost: Switch::Off, supply: None }, Standing::Unsteady),
    ] {
        let mut street = Street::of(&[44.0, 40.0, 38.0]);
        street.plant = plant;
        assert_eq!(street.hours(12).standing, Some(standing));
        assert_eq!(street.position, [1.0, 1.0, 1.0]);
    }
    let mut street = Street::of(&[44.0, 40.0, 38.0]);
    for hour in 0..12 {
        // Three kelvins up and down each hour.
        street.plant.supply = Some(Celsius(if hour % 2 == 0 { 46.0 } else { 54.0 }));
        street.hours(1);
    }
    assert_eq!(street.position, [1.0, 1.0, 1.0]);
}

#[test]
fn a_missing_return_holds_its_own_valve_and_a_third_of_them_holds_all() {
    let mut street = Street::of(&[44.0, 40.0, 38.0, 41.0]);
    street.missing[0] = true;
    street.hours(24);
    assert_eq!(street.position[0], 1.0);
    assert!(street.position[3] < 1.0, "{:?}", street.position);
    let mut street = Street::of(&[44.0, 40.0, 38.0, 41.0]);
    (street.missing[0], street.missing[1]) = (true, true);
    assert_eq!(street.hours(24).standing, Some(Standing::ReturnsMissing));
    assert_eq!(street.position, [1.0; 4]);
}

#[test]
fn a_valve_that_somebody_has_turned_is_left_for_a_day_and_then_taken_over_where_it_stands() {
    let mut street = Street::of(&[44.0, 41.0, 38.0]);
    street.hours(12);
    (street.local[0], street.position[0]) = (true, 0.4);
    assert_eq!(street.hours(1).astray, 1);
    let written: Vec<_> = street.balance.commands(&street.buildings).map(|command| command.is_some()).collect();
    assert_eq!(written, [false, true, true]);
    street.hours(23);
    street.local[0] = false;
    street.hours(1);
    assert!((street.position[0] - 0.4).abs() < 0.05, "taken over without a jump: {:?}", street.position);
    assert_eq!(street.report.astray, 0);
}

#[test]
fn a_valve_that_is_not_balanced_is_never_written() {
    let mut street = Street::of(&[44.0, 41.0, 38.0]);
    street.buildings[0].valve = BuildingValve::Fixed;
    street.hours(48);
    assert_eq!(street.balance.commands(&street.buildings).next(), Some(None));
    assert_eq!(street.position[0], 1.0);
}

#[test]
fn the_temperature_ahead_of_the_lock_valve_is_taken_where_it_is_measured() {
    let mut valve = Valve::default();
    let reading = BuildingReadings {
        return_temperature: Reading::good(Celsius(44.0)),
        return_temperature_before_lock: Reading::good(Celsius(38.0)),
        supply_temperature: Reading::good(Celsius(50.0)),
        ..BuildingReadings::default()
    };
    valve.see(BalanceBy::Return, &reading, MINUTE);
    assert_eq!(valve.measured, Some(Celsius(38.0)));
    let mut valve = Valve::default();
    valve.see(BalanceBy::Mean, &reading, MINUTE);
    assert_eq!(valve.measured, Some(Celsius(44.0)));
}
