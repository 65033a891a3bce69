//! Frost protection: what is demanded against freezing, in every mode and in manual too.
//!
//! Outdoors below the frost limit the water circulates. Water that gets cold is heated until it has some margin. A lost
//! outdoor temperature counts as frost, because the ladder's last rung lies on the frost side.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitReadings};
use serde::{Deserialize, Serialize};

use crate::settings::FrostSettings;
use crate::timer::Held;

/// What is demanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Circulation.
    pub circulation: bool,
    /// Heat.
    pub heat: bool,
}

/// What frost protection remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frost {
    heating: bool,
    held: Held,
}

/// Heat is demanded for at least this long (Siemens RVD: 5 min).
const HEAT_MIN: Duration = Duration::from_secs(300);

/// The coldest water that is measured.
pub fn coldest_water(readings: &CircuitReadings) -> Option<Celsius> {
    let colder = |one: Option<Celsius>, other: Option<Celsius>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (known, None) | (None, known) => known,
    };
    let of_circuit = colder(readings.own.supply_temperature.usable(), readings.own.return_temperature.usable());
    let of_buildings = readings.buildings.iter().map(|building| building.return_temperature.usable());
    of_buildings.fold(of_circuit, colder)
}

impl Frost {
    /// One step.
    pub fn advance(
        &mut self,
        settings: &FrostSettings,
        outdoor: Celsius,
        readings: &CircuitReadings,
        dt: Duration,
    ) -> Demand {
        let water = coldest_water(readings);
        let cold = water.is_some_and(|water| water < settings.water);
        let restored = water.is_some_and(|water| water >= settings.water_restored);
        if self.heating {
            if self.held.for_at_least(HEAT_MIN, restored, dt) {
                self.heating = false;
            }
        } else if cold {
            *self = Frost { heating: true, held: Held::default() };
        }
        Demand { circulation: self.heating || outdoor < settings.outdoor, heat: self.heating }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::Reading;

    #[test]
    fn cold_outside_circulates_and_cold_water_heats_until_it_has_a_margin() {
        let settings = FrostSettings::default();
        let mut frost = Frost::default();
        let mut demand = |outdoor: f64, water: f64, minutes: u64| {
            let mut readings = CircuitReadings::default();
            readings.own.return_temperature = Reading::good(Celsius(water));
            (0..minutes).map(|_| frost.advance(&settings, Celsius(outdoor), &readings, Duration::from_secs(60))).last()
        };
        let nothing = Some(Demand::default());
        assert_eq!(demand(8.0, 20.0, 1), nothing);
        assert_eq!(demand(2.0, 20.0, 1), Some(Demand { circulation: true, heat: false }));
        assert_eq!(demand(8.0, 4.0, 1), Some(Demand { circulation: true, heat: true }));
        assert_eq!(demand(8.0, 9.0, 10), Some(Demand { circulation: true, heat: true }));
        assert_eq!(demand(8.0, 11.0, 6), nothing);
    }
}
