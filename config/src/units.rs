//! The units that devices speak, and how they become the unit of a point.

use heatstation_points::Unit;

/// What a device may mean: name, the unit that it becomes, the factor.
const SPOKEN: [(&str, Unit, f64); 36] = [
    ("celsius", Unit::Celsius, 1.0),
    ("pascals", Unit::Pascals, 1.0),
    ("kilopascals", Unit::Pascals, 1e3),
    ("megapascals", Unit::Pascals, 1e6),
    ("bar", Unit::Pascals, 1e5),
    ("millibar", Unit::Pascals, 1e2),
    // At 4 °C and standard gravity.
    ("meters_of_water", Unit::Pascals, 9806.65),
    ("cubic_meters_per_second", Unit::CubicMetersPerSecond, 1.0),
    ("cubic_meters_per_hour", Unit::CubicMetersPerSecond, 1.0 / 3600.0),
    ("liters_per_second", Unit::CubicMetersPerSecond, 1e-3),
    ("liters_per_hour", Unit::CubicMetersPerSecond, 1e-3 / 3600.0),
    ("watts", Unit::Watts, 1.0),
    ("kilowatts", Unit::Watts, 1e3),
    ("megawatts", Unit::Watts, 1e6),
    ("gigajoules_per_hour", Unit::Watts, 1e9 / 3600.0),
    ("joules", Unit::Joules, 1.0),
    ("megajoules", Unit::Joules, 1e6),
    ("gigajoules", Unit::Joules, 1e9),
    ("kilowatt_hours", Unit::Joules, 3.6e6),
    ("megawatt_hours", Unit::Joules, 3.6e9),
    ("cubic_meters", Unit::CubicMeters, 1.0),
    ("liters", Unit::CubicMeters, 1e-3),
    ("ratio", Unit::Ratio, 1.0),
    ("percent", Unit::Ratio, 0.01),
    // A drive that speaks of its frequency: 50 Hz is full speed.
    ("hertz_of_50", Unit::Ratio, 1.0 / 50.0),
    ("hertz_of_60", Unit::Ratio, 1.0 / 60.0),
    ("hertz", Unit::Hertz, 1.0),
    ("amperes", Unit::Amperes, 1.0),
    ("volts", Unit::Volts, 1.0),
    ("meters", Unit::Meters, 1.0),
    ("meters_per_second", Unit::MetersPerSecond, 1.0),
    ("watts_per_square_meter", Unit::WattsPerSquareMeter, 1.0),
    ("seconds", Unit::Seconds, 1.0),
    ("hours", Unit::Seconds, 3600.0),
    ("switch", Unit::Switch, 1.0),
    ("number", Unit::Number, 1.0),
];

/// The factor from a spoken unit to a point's unit; none if it is a unit of something else or of nothing.
pub(crate) fn factor(spoken: &str, unit: Unit) -> Option<f64> {
    SPOKEN.iter().find(|(name, of, _)| *name == spoken && *of == unit).map(|(_, _, factor)| *factor)
}

/// The names of the units that become this one.
pub(crate) fn spoken(unit: Unit) -> impl Iterator<Item = &'static str> + Clone {
    SPOKEN.iter().filter(move |(_, of, _)| *of == unit).map(|(name, _, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_a_point_can_be_spoken_by_its_own_name() {
        for unit in Unit::ALL {
            assert_eq!(factor(unit.name(), unit), Some(1.0), "{unit}");
        }
    }

    #[test]
    fn a_unit_of_something_else_is_no_unit() {
        assert_eq!(factor("bar", Unit::Celsius), None);
        assert_eq!(factor("fahrenheit", Unit::Celsius), None);
        assert!(spoken(Unit::Pascals).any(|name| name == "bar"));
    }
}
