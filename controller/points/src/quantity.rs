//! Quantities as types: inside this program a number without its unit does not exist.
//!
//! All are base units (°C for temperatures, as operators and Prometheus have it; pascals, cubic metres a second, watts,
//! joules, ratios from 0 to 1). Files may say kilopascals or hours in the key; `config` converts once.
//!
//! [`Celsius`] is a point on a scale and [`Kelvins`] a difference: two temperatures subtract to a difference, a
//! difference adds to a temperature, and `supply + return` does not compile.
//!
//! ```compile_fail
//! use heatstation_points::Celsius;
//! let nonsense = Celsius(60.0) + Celsius(40.0);
//! ```

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// The unit in which a point's value is stored, exported and exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Degrees Celsius.
    Celsius,
    /// Pascals, gauge unless the point says otherwise.
    Pascals,
    /// Cubic metres a second.
    CubicMetersPerSecond,
    /// Watts.
    Watts,
    /// Joules.
    Joules,
    /// Cubic metres.
    CubicMeters,
    /// A share from 0 to 1.
    Ratio,
    /// Hertz.
    Hertz,
    /// Amperes.
    Amperes,
    /// Volts.
    Volts,
    /// Metres.
    Meters,
    /// Metres a second.
    MetersPerSecond,
    /// Watts on a square metre.
    WattsPerSquareMeter,
    /// Seconds.
    Seconds,
    /// On (1) or off (0).
    Switch,
    /// A bare number: a code or a count.
    Number,
}

impl Unit {
    /// The unit as metrics, JSON and `heatstation points` spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Celsius => "celsius",
            Unit::Pascals => "pascals",
            Unit::CubicMetersPerSecond => "cubic_meters_per_second",
            Unit::Watts => "watts",
            Unit::Joules => "joules",
            Unit::CubicMeters => "cubic_meters",
            Unit::Ratio => "ratio",
            Unit::Hertz => "hertz",
            Unit::Amperes => "amperes",
            Unit::Volts => "volts",
            Unit::Meters => "meters",
            Unit::MetersPerSecond => "meters_per_second",
            Unit::WattsPerSquareMeter => "watts_per_square_meter",
            Unit::Seconds => "seconds",
            Unit::Switch => "switch",
            Unit::Number => "number",
        }
    }

    /// The unit as an operator reads it, with the factor by which the stored value is multiplied for display.
    pub const fn display(self) -> (&'static str, f64) {
        match self {
            Unit::Celsius => ("°C", 1.0),
            Unit::Pascals => ("kPa", 1e-3),
            Unit::CubicMetersPerSecond => ("m³/h", 3600.0),
            Unit::Watts => ("kW", 1e-3),
            Unit::Joules => ("GJ", 1e-9),
            Unit::CubicMeters => ("m³", 1.0),
            Unit::Ratio => ("%", 100.0),
            Unit::Hertz => ("Hz", 1.0),
            Unit::Amperes => ("A", 1.0),
            Unit::Volts => ("V", 1.0),
            Unit::Meters => ("m", 1.0),
            Unit::MetersPerSecond => ("m/s", 1.0),
            Unit::WattsPerSquareMeter => ("W/m²", 1.0),
            Unit::Seconds => ("s", 1.0),
            Unit::Switch | Unit::Number => ("", 1.0),
        }
    }

    /// All units, for tables and for the text form.
    pub const ALL: [Unit; 16] = [
        Unit::Celsius,
        Unit::Pascals,
        Unit::CubicMetersPerSecond,
        Unit::Watts,
        Unit::Joules,
        Unit::CubicMeters,
        Unit::Ratio,
        Unit::Hertz,
        Unit::Amperes,
        Unit::Volts,
        Unit::Meters,
        Unit::MetersPerSecond,
        Unit::WattsPerSquareMeter,
        Unit::Seconds,
        Unit::Switch,
        Unit::Number,
    ];

    /// The unit of that text name.
    pub fn from_name(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.name() == name)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type that stands for a number in one unit.
pub trait Quantity: Copy {
    /// The unit of the number inside.
    const UNIT: Unit;

    /// The quantity whose stored number is `number`.
    fn from_number(number: f64) -> Self;

    /// The stored number.
    fn number(self) -> f64;
}

macro_rules! quantity {
    ($(#[$meta:meta])* $name:ident, $unit:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl Quantity for $name {
            const UNIT: Unit = Unit::$unit;

            fn from_number(number: f64) -> Self {
                $name(number)
            }

            fn number(self) -> f64 {
                self.0
            }
        }

        impl $name {
            /// The smaller of the two.
            #[must_use]
            pub fn min(self, other: Self) -> Self {
                $name(self.0.min(other.0))
            }

            /// The larger of the two.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                $name(self.0.max(other.0))
            }

            /// The nearest value inside `low..=high`; `low` wins where the two cross.
            #[must_use]
            pub fn clamp(self, low: Self, high: Self) -> Self {
                $name(self.0.min(high.0).max(low.0))
            }
        }
    };
}

/// Quantities of which differences, sums and multiples are of the same kind.
macro_rules! additive {
    ($($name:ident),*) => {$(
        impl Add for $name { type Output = $name; fn add(self, other: $name) -> $name { $name(self.0 + other.0) } }
        impl Sub for $name { type Output = $name; fn sub(self, other: $name) -> $name { $name(self.0 - other.0) } }
        impl Neg for $name { type Output = $name; fn neg(self) -> $name { $name(-self.0) } }
        impl AddAssign for $name { fn add_assign(&mut self, other: $name) { self.0 += other.0; } }
        impl SubAssign for $name { fn sub_assign(&mut self, other: $name) { self.0 -= other.0; } }
        impl Mul<f64> for $name { type Output = $name; fn mul(self, factor: f64) -> $name { $name(self.0 * factor) } }
        impl Div<f64> for $name { type Output = $name; fn div(self, divisor: f64) -> $name { $name(self.0 / divisor) } }
        impl Div for $name { type Output = f64; fn div(self, other: $name) -> f64 { self.0 / other.0 } }
    )*};
}

quantity!(
    /// A temperature: a point on the scale.
    Celsius, Celsius
);
quantity!(
    /// A temperature difference. It has no unit of its own in the catalogue: no point measures one.
    Kelvins, Number
);
quantity!(
    /// A pressure, gauge.
    Pascals, Pascals
);
quantity!(
    /// A volume flow.
    CubicMetersPerSecond, CubicMetersPerSecond
);
quantity!(
    /// A mass flow.
    KilogramsPerSecond, Number
);
quantity!(
    /// A power.
    Watts, Watts
);
quantity!(
    /// An energy.
    Joules, Joules
);
quantity!(
    /// A volume.
    CubicMeters, CubicMeters
);
quantity!(
    /// A share from 0 to 1. "Percent" exists on the operator's page only.
    Ratio, Ratio
);
quantity!(
    /// A frequency.
    Hertz, Hertz
);
quantity!(
    /// A current.
    Amperes, Amperes
);
quantity!(
    /// A voltage.
    Volts, Volts
);
quantity!(
    /// A height, such as a tank's level.
    Meters, Meters
);
quantity!(
    /// A wind speed.
    MetersPerSecond, MetersPerSecond
);
quantity!(
    /// Solar irradiance.
    WattsPerSquareMeter, WattsPerSquareMeter
);
quantity!(
    /// A time span that a device counts, such as running hours.
    Seconds, Seconds
);
quantity!(
    /// A bare number: a fault code or a count.
    Number, Number
);

additive!(
    Kelvins,
    Pascals,
    CubicMetersPerSecond,
    KilogramsPerSecond,
    Watts,
    Joules,
    CubicMeters,
    Ratio,
    Hertz,
    Meters,
    Seconds
);

impl Sub for Celsius {
    type Output = Kelvins;
    fn sub(self, other: Celsius) -> Kelvins {
        Kelvins(self.0 - other.0)
    }
}

impl Add<Kelvins> for Celsius {
    type Output = Celsius;
    fn add(self, difference: Kelvins) -> Celsius {
        Celsius(self.0 + difference.0)
    }
}

impl Sub<Kelvins> for Celsius {
    type Output = Celsius;
    fn sub(self, difference: Kelvins) -> Celsius {
        Celsius(self.0 - difference.0)
    }
}

impl Ratio {
    /// Nothing at all: a closed valve, a stopped pump.
    pub const ZERO: Ratio = Ratio(0.0);
    /// The whole.
    pub const ONE: Ratio = Ratio(1.0);
}

/// Whether something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Off, open, absent.
    Off,
    /// On, closed, present.
    On,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Switch::On
    }
}

impl From<bool> for Switch {
    fn from(on: bool) -> Switch {
        if on { Switch::On } else { Switch::Off }
    }
}

impl Quantity for Switch {
    const UNIT: Unit = Unit::Switch;

    fn from_number(number: f64) -> Self {
        Switch::from(number >= 0.5)
    }

    fn number(self) -> f64 {
        match self {
            Switch::Off => 0.0,
            Switch::On => 1.0,
        }
    }
}

/// Density of water at 55 °C: kg/m³. Used to turn metered volume flows into mass flows; from 20 to 90 °C the error
/// stays below 2.1 %, less than a meter's own.
pub const WATER_DENSITY: f64 = 985.7;

/// Specific heat of water at 55 °C: J/(kg K).
pub const WATER_HEAT_CAPACITY: f64 = 4182.0;

impl CubicMetersPerSecond {
    /// The mass flow of heating water at this volume flow.
    pub fn mass_flow(self) -> KilogramsPerSecond {
        KilogramsPerSecond(self.0 * WATER_DENSITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_subtract_to_differences() {
        assert_eq!(Celsius(62.0) - Celsius(44.5), Kelvins(17.5));
        assert_eq!(Celsius(20.0) + Kelvins(1.5), Celsius(21.5));
    }

    #[test]
    fn a_clamp_with_crossed_limits_keeps_the_floor() {
        assert_eq!(Celsius(50.0).clamp(Celsius(40.0), Celsius(30.0)), Celsius(40.0));
    }

    #[test]
    fn units_are_found_by_the_name_they_print() {
        for unit in Unit::ALL {
            assert_eq!(Unit::from_name(unit.name()), Some(unit));
        }
        assert_eq!(Unit::from_name("fahrenheit"), None);
    }
}
