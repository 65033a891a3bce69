//! Where the supply temperature comes from: the sensor, the second sensor, the heat balance, or nowhere.
//!
//! The estimate of last resort is return temperature + heat / (flow · c); what is done when nothing is known at all,
//! [`supply_loop`](crate::supply_loop) says.

use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, CircuitReadings, Kelvins};
use serde::{Deserialize, Serialize};

/// Where the supply temperature comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplySource {
    /// The sensor.
    Sensor,
    /// The second sensor.
    SecondSensor,
    /// Return temperature + heat / (flow · c).
    HeatBalance,
    /// Nothing is known.
    #[default]
    Lost,
}

impl SupplySource {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            SupplySource::Sensor => "sensor",
            SupplySource::SecondSensor => "second_sensor",
            SupplySource::HeatBalance => "heat_balance",
            SupplySource::Lost => "lost",
        }
    }
}

/// The supply temperature by the best source that answers.
pub fn supply_temperature(readings: &CircuitReadings) -> (Option<Celsius>, SupplySource) {
    let own = &readings.own;
    if let Some(supply) = own.supply_temperature.fresh() {
        return (Some(supply), SupplySource::Sensor);
    }
    if let Some(supply) = own.supply_temperature_second.fresh() {
        return (Some(supply), SupplySource::SecondSensor);
    }
    let balance = own.return_temperature.fresh().zip(own.heat_power.fresh()).zip(own.secondary_flow.fresh());
    if let Some(((return_temperature, power), flow)) = balance {
        // Below a litre a second the quotient says more about the meters than about the water.
        if flow.0 > 1e-3 {
            let rise = Kelvins(power.0 / (flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY));
            return (Some(return_temperature + rise), SupplySource::HeatBalance);
        }
    }
    (None, SupplySource::Lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{CubicMetersPerSecond, Fault, Reading, Watts};

    #[test]
    fn the_heat_balance_stands_in_for_both_sensors() {
        let mut readings = CircuitReadings::default();
        readings.own.supply_temperature = Reading::bad(Fault::SensorBroken);
        readings.own.return_temperature = Reading::good(Celsius(45.0));
        readings.own.heat_power = Reading::good(Watts(2.0e6));
        readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(0.04));
        let (supply, source) = supply_temperature(&readings);
        assert_eq!(source, SupplySource::HeatBalance);
        assert!((supply.unwrap().0 - 57.1).abs() < 0.1, "{supply:?}");
    }
}
