//! Units as OPC UA says them: codes of UN/CEFACT Recommendation 20, in the units that the page shows.
//!
//! Kilopascals and m³/h instead of the base units of the metrics: who looks at a SCADA is the same person who looks at
//! the page, and the code tells a program what it is.

use heatstation_points::{Definition, Unit};
use opcua::types::{EUInformation, LocalizedText, Range};

/// The namespace of units, OPC 10000-8, 5.6.3.
const UNECE: &str = "http://www.opcfoundation.org/UA/units/un/cefact";

/// A unit with its code of three letters at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    letters: &'static str,
    symbol: &'static str,
    name: &'static str,
}

/// Degrees Celsius.
pub const CELSIUS: Code = Code { letters: "CEL", symbol: "°C", name: "degree Celsius" };
/// Kelvins, for differences.
pub const KELVINS: Code = Code { letters: "KEL", symbol: "K", name: "kelvin" };
/// Kilopascals.
pub const KILOPASCALS: Code = Code { letters: "KPA", symbol: "kPa", name: "kilopascal" };
/// Percent.
pub const PERCENT: Code = Code { letters: "P1", symbol: "%", name: "percent" };
/// Seconds.
pub const SECONDS: Code = Code { letters: "SEC", symbol: "s", name: "second [unit of time]" };
/// Minutes.
pub const MINUTES: Code = Code { letters: "MIN", symbol: "min", name: "minute [unit of time]" };
/// No unit.
pub const ONE: Code = Code { letters: "C62", symbol: "", name: "one" };

/// The code of the unit that a quantity is shown in, see [`Unit::display`]; none for switches and bare numbers.
pub fn code_of(unit: Unit) -> Option<Code> {
    let code = |letters, symbol, name| Some(Code { letters, symbol, name });
    match unit {
        Unit::Celsius => Some(CELSIUS),
        Unit::Pascals => Some(KILOPASCALS),
        Unit::CubicMetersPerSecond => code("MQH", "m³/h", "cubic metre per hour"),
        Unit::Watts => code("KWT", "kW", "kilowatt"),
        Unit::Joules => code("GV", "GJ", "gigajoule"),
        Unit::CubicMeters => code("MTQ", "m³", "cubic metre"),
        Unit::Ratio => Some(PERCENT),
        Unit::Hertz => code("HTZ", "Hz", "hertz"),
        Unit::Amperes => code("AMP", "A", "ampere"),
        Unit::Volts => code("VLT", "V", "volt"),
        Unit::Meters => code("MTR", "m", "metre"),
        Unit::MetersPerSecond => code("MTS", "m/s", "metre per second"),
        Unit::WattsPerSquareMeter => code("D54", "W/m²", "watt per square metre"),
        Unit::Seconds => Some(SECONDS),
        Unit::Switch | Unit::Number => None,
    }
}

impl Code {
    /// As OPC UA says it. The number is the code's letters, read as bytes (OPC 10000-8, 5.6.3.3).
    pub fn information(self) -> EUInformation {
        EUInformation {
            namespace_uri: UNECE.into(),
            unit_id: self.letters.bytes().fold(0, |number, letter| (number << 8) | i32::from(letter)),
            display_name: LocalizedText::new("", self.symbol),
            description: LocalizedText::new("en", self.name),
        }
    }
}

/// The range in which a value of the point is believed, in the unit that is shown.
pub fn range_of(definition: &Definition) -> Range {
    let (_, factor) = definition.unit.display();
    Range { low: definition.range.0 * factor, high: definition.range.1 * factor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_the_numbers_of_the_published_table() {
        // From UNECE_to_OPCUA.csv of the OPC Foundation.
        let known =
            [(CELSIUS, 4_408_652), (KILOPASCALS, 4_935_745), (KELVINS, 4_932_940), (PERCENT, 20_529), (ONE, 4_404_786)];
        for (code, number) in known {
            assert_eq!(code.information().unit_id, number, "{code:?}");
        }
    }

    #[test]
    fn the_code_is_that_of_the_unit_on_the_page() {
        for unit in Unit::ALL {
            let (symbol, _) = unit.display();
            assert_eq!(code_of(unit).map_or("", |code| code.symbol), symbol, "{unit}");
        }
    }
}
