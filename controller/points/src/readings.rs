//! One snapshot of all inputs of a station, by name: what `core` decides on.
//!
//! The structs come from the tables in `signal.rs`. [`Readings::put`] is the one place where a point's number becomes
//! a field with a unit.

use crate::point::{Catalogue, Point};
use crate::reading::{Fault, Reading, Value};
use crate::signal::{building_inputs, circuit_inputs, pump_inputs, room_inputs, station_inputs};

/// Makes the struct of readings that belongs to a signal table; each table sits in a module of its own because the
/// table names its enum, not its struct.
macro_rules! fields {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($variant:ident $field:ident: $quantity:ident, $text:literal, $low:literal ..= $high:literal, $pace:ident, $chinese:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Fields {
            $(
                #[doc = concat!("`", $text, "`, ", $chinese, ".")]
                pub $field: crate::reading::Reading<crate::quantity::$quantity>,
            )*
        }

        impl Fields {
            /// Puts a reading into the field of its signal.
            pub fn put(&mut self, signal: crate::signal::$name, reading: crate::reading::Reading<crate::reading::Value>) {
                match signal {
                    $(crate::signal::$name::$variant => self.$field = reading.typed(),)*
                }
            }
        }
    };
}

mod station {
    super::station_inputs!(fields);
}
mod circuit {
    super::circuit_inputs!(fields);
}
mod pump {
    super::pump_inputs!(fields);
}
mod building {
    super::building_inputs!(fields);
}
mod room {
    super::room_inputs!(fields);
}

pub use building::Fields as BuildingReadings;
pub use pump::Fields as PumpReadings;
pub use room::Fields as RoomReadings;
pub use station::Fields as StationReadings;

/// All that one circuit says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CircuitReadings {
    /// The circuit's own signals.
    pub own: circuit::Fields,
    /// Its circulation pumps.
    pub circulation_pumps: Vec<PumpReadings>,
    /// Its make-up pumps.
    pub make_up_pumps: Vec<PumpReadings>,
    /// Its buildings.
    pub buildings: Vec<BuildingReadings>,
    /// Its room sensors.
    pub rooms: Vec<RoomReadings>,
}

/// One snapshot of all inputs of a station.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// What the station as a whole says.
    pub station: StationReadings,
    /// What each circuit says.
    pub circuits: Vec<CircuitReadings>,
    /// Auxiliary points, which control never uses.
    pub auxiliaries: Vec<Reading<Value>>,
}

impl Readings {
    /// A snapshot with room for every point of the station, nothing read yet, nothing configured.
    pub fn empty(catalogue: &Catalogue) -> Readings {
        let circuits = catalogue.circuits().iter().map(|names| CircuitReadings {
            own: circuit::Fields::default(),
            circulation_pumps: vec![PumpReadings::default(); names.circulation_pumps],
            make_up_pumps: vec![PumpReadings::default(); names.make_up_pumps],
            buildings: vec![BuildingReadings::default(); names.buildings.len()],
            rooms: vec![RoomReadings::default(); names.rooms.len()],
        });
        Readings {
            station: StationReadings::default(),
            circuits: circuits.collect(),
            auxiliaries: vec![Reading::bad(Fault::NeverRead); catalogue.auxiliaries().len()],
        }
    }

    /// Puts a reading into the field of its point. Outputs have no field: what an actuator says of itself is an input
    /// of its own.
    ///
    /// # Panics
    /// If the point is not of the catalogue that this snapshot was made for: a fault of the program.
    pub fn put(&mut self, point: Point, reading: Reading<Value>) {
        match point {
            Point::Station(signal) => self.station.put(signal, reading),
            Point::Circuit(circuit, signal) => self.circuits[circuit.0].own.put(signal, reading),
            Point::CirculationPump(circuit, pump, signal) => {
                self.circuits[circuit.0].circulation_pumps[pump.0].put(signal, reading);
            }
            Point::MakeUpPump(circuit, pump, signal) => {
                self.circuits[circuit.0].make_up_pumps[pump.0].put(signal, reading);
            }
            Point::Building(circuit, building, signal) => {
                self.circuits[circuit.0].buildings[building.0].put(signal, reading);
            }
            Point::Room(circuit, room, signal) => self.circuits[circuit.0].rooms[room.0].put(signal, reading),
            Point::Auxiliary(index) => self.auxiliaries[index.0] = reading,
            Point::CircuitOutput(..)
            | Point::CirculationPumpOutput(..)
            | Point::MakeUpPumpOutput(..)
            | Point::BuildingOutput(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::tests::two_circuits;
    use crate::point::{CircuitIndex, Direction, PumpIndex};
    use crate::quantity::{Celsius, Switch};
    use crate::signal::{CircuitSignal, PumpSignal};

    #[test]
    fn every_input_point_of_the_catalogue_has_a_field() {
        let catalogue = two_circuits();
        let mut readings = Readings::empty(&catalogue);
        for definition in catalogue.definitions() {
            let before = readings.clone();
            let value = definition.accept(definition.range.1).unwrap();
            readings.put(definition.point, Reading::good(value));
            let moved = before != readings;
            assert_eq!(moved, definition.direction == Direction::Input, "{}", definition.name);
        }
    }

    #[test]
    fn a_number_becomes_a_field_with_its_unit() {
        let catalogue = two_circuits();
        let mut readings = Readings::empty(&catalogue);
        let put = |readings: &mut Readings, point, number| {
            readings.put(point, Reading::good(catalogue.definition(point).unwrap().accept(number).unwrap()));
        };
        put(&mut readings, Point::Circuit(CircuitIndex(1), CircuitSignal::SupplyTemperature), 41.5);
        put(&mut readings, Point::CirculationPump(CircuitIndex(0), PumpIndex(1), PumpSignal::Running), 1.0);
        assert_eq!(readings.circuits[1].own.supply_temperature.fresh(), Some(Celsius(41.5)));
        assert_eq!(readings.circuits[0].circulation_pumps[1].running.fresh(), Some(Switch::On));
    }
}
