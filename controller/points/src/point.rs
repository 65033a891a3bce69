//! One signal of one place in one station, its stable text name, and the list of all of them.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::quantity::Unit;
use crate::reading::{Fault, Value};
use crate::signal::{
    BuildingOutput, BuildingSignal, CircuitOutput, CircuitSignal, Pace, PumpOutput, PumpSignal, RoomSignal,
    StationSignal,
};

macro_rules! index {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub usize);
    };
}

index!(
    /// Which circuit of the station, counted from 0 in the order of the configuration.
    CircuitIndex
);
index!(
    /// Which pump of a circuit, counted from 0; text names count from 1, as the plates on the pumps do.
    PumpIndex
);
index!(
    /// Which building of a circuit.
    BuildingIndex
);
index!(
    /// Which room sensor of a circuit.
    RoomIndex
);
index!(
    /// Which auxiliary point of the station.
    AuxiliaryIndex
);

/// One named signal of a station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Point {
    /// A signal of the station as a whole.
    Station(StationSignal),
    /// A signal of a circuit.
    Circuit(CircuitIndex, CircuitSignal),
    /// A signal of a circulation pump.
    CirculationPump(CircuitIndex, PumpIndex, PumpSignal),
    /// A signal of a make-up pump.
    MakeUpPump(CircuitIndex, PumpIndex, PumpSignal),
    /// A signal of a building.
    Building(CircuitIndex, BuildingIndex, BuildingSignal),
    /// A signal of a room sensor.
    Room(CircuitIndex, RoomIndex, RoomSignal),
    /// A point of the site's own choice.
    Auxiliary(AuxiliaryIndex),
    /// A command to a circuit.
    CircuitOutput(CircuitIndex, CircuitOutput),
    /// A command to a circulation pump.
    CirculationPumpOutput(CircuitIndex, PumpIndex, PumpOutput),
    /// A command to a make-up pump.
    MakeUpPumpOutput(CircuitIndex, PumpIndex, PumpOutput),
    /// A command to a building's valve.
    BuildingOutput(CircuitIndex, BuildingIndex, BuildingOutput),
}

/// Whether a point is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Read from the field.
    Input,
    /// Written to the field.
    Output,
}

/// What is fixed about a point: its name, unit and range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Definition {
    /// Which point.
    #[serde(skip)]
    pub point: Point,
    /// Its stable text name, as in `circuit.low-zone.secondary_supply.temperature`.
    pub name: String,
    /// What a Chinese operator calls it.
    pub chinese: String,
    /// The unit of its values.
    pub unit: Unit,
    /// The range outside of which a value is not believed.
    pub range: (f64, f64),
    /// Read or written.
    pub direction: Direction,
    /// How often it is worth reading.
    pub pace: Pace,
}

impl Definition {
    /// The one door through which a number from outside becomes a value.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] for NaN and infinities, [`Fault::Implausible`] outside the range.
    pub fn accept(&self, number: f64) -> Result<Value, Fault> {
        let (low, high) = self.range;
        if !number.is_finite() {
            Err(Fault::NotFinite)
        } else if number < low || high < number {
            Err(Fault::Implausible)
        } else {
            Ok(Value::checked(number))
        }
    }
}

/// The names that a circuit brings to the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitNames {
    /// The circuit's own name, as in `low-zone`.
    pub name: String,
    /// How many circulation pumps it has, 1 to 3.
    pub circulation_pumps: usize,
    /// How many make-up pumps it has, 0 to 2.
    pub make_up_pumps: usize,
    /// The names of its buildings.
    pub buildings: Vec<String>,
    /// The names of its room sensors.
    pub rooms: Vec<String>,
}

/// A point of the site's own choice: watched and recorded, never used by control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuxiliaryPoint {
    /// The last part of its name; the text name is `auxiliary.<name>`.
    pub name: String,
    /// The unit of its values.
    pub unit: Unit,
    /// The range outside of which a value is not believed.
    pub range: (f64, f64),
}

/// Two points of one station would have the same text name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateName(
    /// The name that came twice.
    pub String,
);

impl fmt::Display for DuplicateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "two points have the name {}", self.0)
    }
}

impl std::error::Error for DuplicateName {}

/// All points that a station of this shape can have, in a fixed order.
#[derive(Clone, Debug)]
pub struct Catalogue {
    circuits: Vec<CircuitNames>,
    auxiliaries: Vec<AuxiliaryPoint>,
    definitions: Vec<Definition>,
    by_point: HashMap<Point, usize>,
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    /// The points of a station with these circuits and auxiliary points.
    ///
    /// # Errors
    /// If two points would have the same text name.
    pub fn new(circuits: Vec<CircuitNames>, auxiliaries: Vec<AuxiliaryPoint>) -> Result<Catalogue, DuplicateName> {
        let mut list = Vec::new();
        for &signal in StationSignal::ALL {
            list.push(define!(signal, Input, Point::Station(signal), signal.name().to_owned()));
        }
        for (c, names) in circuits.iter().enumerate() {
            define_circuit(&mut list, CircuitIndex(c), names);
        }
        for (index, auxiliary) in auxiliaries.iter().enumerate() {
            list.push(Definition {
                point: Point::Auxiliary(AuxiliaryIndex(index)),
                name: format!("auxiliary.{}", auxiliary.name),
                chinese: auxiliary.name.clone(),
                unit: auxiliary.unit,
                range: auxiliary.range,
                direction: Direction::Input,
                pace: Pace::Meter,
            });
        }

        let mut by_point = HashMap::with_capacity(list.len());
        let mut by_name = HashMap::with_capacity(list.len());
        for (number, definition) in list.iter().enumerate() {
            by_point.insert(definition.point, number);
            if by_name.insert(definition.name.clone(), number).is_some() {
                return Err(DuplicateName(definition.name.clone()));
            }
        }
        Ok(Catalogue { circuits, auxiliaries, definitions: list, by_point, by_name })
    }

    /// The circuits, in order.
    pub fn circuits(&self) -> &[CircuitNames] {
        &self.circuits
    }

    /// The auxiliary points, in order.
    pub fn auxiliaries(&self) -> &[AuxiliaryPoint] {
        &self.auxiliaries
    }

    /// All points, in order.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// Whether there are none; there never are none.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The place of a point in [`Catalogue::definitions`], for arrays with a slot per point.
    pub fn slot(&self, point: Point) -> Option<usize> {
        self.by_point.get(&point).copied()
    }

    /// What is fixed about a point; none if the station has no such point.
    pub fn definition(&self, point: Point) -> Option<&Definition> {
        self.slot(point).map(|slot| &self.definitions[slot])
    }

    /// The point of that text name.
    pub fn find(&self, name: &str) -> Option<&Definition> {
        self.by_name.get(name).map(|&slot| &self.definitions[slot])
    }

    /// The text name of a point, or `?` for a point of another station.
    pub fn name(&self, point: Point) -> &str {
        self.definition(point).map_or("?", |definition| definition.name.as_str())
    }

    /// The names nearest to a misspelt one, best first, for error messages.
    pub fn suggest(&self, name: &str) -> Vec<&str> {
        let mut ranked: Vec<(usize, &str)> =
            self.definitions.iter().map(|d| (edit_distance(name, &d.name), d.name.as_str())).collect();
        ranked.sort_unstable();
        ranked.into_iter().take_while(|(distance, _)| *distance <= 2 + name.len() / 4).map(|(_, n)| n).take(3).collect()
    }
}

macro_rules! define {
    ($signal:expr, $direction:ident, $point:expr, $name:expr) => {
        Definition {
            point: $point,
            name: $name,
            chinese: $signal.chinese().to_owned(),
            unit: $signal.unit(),
            range: $signal.range(),
            direction: Direction::$direction,
            pace: $signal.pace(),
        }
    };
}
use define;

fn define_circuit(list: &mut Vec<Definition>, c: CircuitIndex, names: &CircuitNames) {
    let prefix = format!("circuit.{}", names.name);
    for &signal in CircuitSignal::ALL {
        list.push(define!(signal, Input, Point::Circuit(c, signal), format!("{prefix}.{}", signal.name())));
    }
    for &output in CircuitOutput::ALL {
        list.push(define!(output, Output, Point::CircuitOutput(c, output), format!("{prefix}.{}", output.name())));
    }
    for number in 0..names.circulation_pumps {
        let (p, plate) = (PumpIndex(number), number + 1);
        for &s in PumpSignal::ALL {
            let name = format!("{prefix}.circulation_pump.{plate}.{}", s.name());
            list.push(define!(s, Input, Point::CirculationPump(c, p, s), name));
        }
        for &o in PumpOutput::ALL {
            let name = format!("{prefix}.circulation_pump.{plate}.{}", o.name());
            list.push(define!(o, Output, Point::CirculationPumpOutput(c, p, o), name));
        }
    }
    for number in 0..names.make_up_pumps {
        let (p, plate) = (PumpIndex(number), number + 1);
        for &s in PumpSignal::ALL {
            let name = format!("{prefix}.make_up_pump.{plate}.{}", s.name());
            list.push(define!(s, Input, Point::MakeUpPump(c, p, s), name));
        }
        for &o in PumpOutput::ALL {
            let name = format!("{prefix}.make_up_pump.{plate}.{}", o.name());
            list.push(define!(o, Output, Point::MakeUpPumpOutput(c, p, o), name));
        }
    }
    for (number, building) in names.buildings.iter().enumerate() {
        let b = BuildingIndex(number);
        for &s in BuildingSignal::ALL {
            let name = format!("{prefix}.building.{building}.{}", s.name());
            list.push(define!(s, Input, Point::Building(c, b, s), name));
        }
        for &o in BuildingOutput::ALL {
            let name = format!("{prefix}.building.{building}.{}", o.name());
            list.push(define!(o, Output, Point::BuildingOutput(c, b, o), name));
        }
    }
    for (number, room) in names.rooms.iter().enumerate() {
        for &s in RoomSignal::ALL {
            let name = format!("{prefix}.room.{room}.{}", s.name());
            list.push(define!(s, Input, Point::Room(c, RoomIndex(number), s), name));
        }
    }
}

/// Levenshtein distance, for "did you mean": names are short, lists are a few hundred.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn two_circuits() -> Catalogue {
        let circuit = |name: &str| CircuitNames {
            name: name.to_owned(),
            circulation_pumps: 2,
            make_up_pumps: 1,
            buildings: vec!["b1".to_owned(), "b2".to_owned()],
            rooms: vec!["a101".to_owned()],
        };
        let valve_pit = AuxiliaryPoint { name: "valve-pit".to_owned(), unit: Unit::Celsius, range: (-40.0, 80.0) };
        Catalogue::new(vec![circuit("low-zone"), circuit("high-zone")], vec![valve_pit]).unwrap()
    }

    #[test]
    fn names_are_stable_and_lead_back_to_their_point() {
        let catalogue = two_circuits();
        for name in [
            "outdoor.temperature",
            "circuit.low-zone.secondary_supply.temperature",
            "circuit.low-zone.room.a101.temperature",
            "circuit.high-zone.valve.position",
            "circuit.low-zone.circulation_pump.1.speed",
            "auxiliary.valve-pit",
        ] {
            assert_eq!(catalogue.name(catalogue.find(name).unwrap().point), name);
        }
        for (slot, definition) in catalogue.definitions().iter().enumerate() {
            assert_eq!(catalogue.slot(definition.point), Some(slot));
        }
    }

    #[test]
    fn no_number_gets_in_that_is_not_finite_or_out_of_range() {
        let catalogue = two_circuits();
        let supply = catalogue.find("circuit.low-zone.secondary_supply.temperature").unwrap();
        assert_eq!(supply.accept(f64::NAN), Err(Fault::NotFinite));
        assert_eq!(supply.accept(f64::INFINITY), Err(Fault::NotFinite));
        assert_eq!(supply.accept(850.0), Err(Fault::Implausible));
        assert_eq!(supply.accept(61.3).map(Value::number), Ok(61.3));
    }

    #[test]
    fn a_misspelt_name_gets_a_neighbour() {
        let catalogue = two_circuits();
        let near = catalogue.suggest("circuit.low-zone.secondary_suply.temperature");
        assert_eq!(near.first(), Some(&"circuit.low-zone.secondary_supply.temperature"));
    }

    #[test]
    fn two_circuits_of_one_name_are_refused() {
        let circuit = || CircuitNames { name: "zone".to_owned(), circulation_pumps: 1, ..CircuitNames::default() };
        assert!(Catalogue::new(vec![circuit(), circuit()], vec![]).is_err());
    }
}
