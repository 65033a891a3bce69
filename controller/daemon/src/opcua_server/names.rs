//! What nodes are called: by station and text name, never by a place in a list.
//!
//! ```text
//!  k12/circuit.low-zone.secondary_supply.temperature      a point, by its text name
//!  k12/circuit.low-zone/Setpoint.Supply                   what the control says of a circuit
//!  k12/Alarms.Active                                      what it says of the station
//! ```
//!
//! A client that wrote an id into its own files finds the same thing there after any restart, reload or reordering of
//! circuits. The namespace carries the version of this promise: what would break it gets another one.

use heatstation_core::alarm::{Alarm, AlarmKey, Place};
use heatstation_points::{Catalogue, CircuitIndex, PumpIndex};
use opcua::types::{Identifier, NodeId};

/// The namespace of all nodes of a station.
pub const NAMESPACE: &str = "urn:heatstation:station:1";

/// Makes node ids of one station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The index of the namespace on this server.
    pub index: u16,
    /// The station's id.
    pub station: String,
}

impl Names {
    /// The folder of all stations.
    pub fn stations(&self) -> NodeId {
        NodeId::new(self.index, "Stations")
    }

    /// The station.
    pub fn station(&self) -> NodeId {
        NodeId::new(self.index, self.station.clone())
    }

    /// A circuit.
    pub fn circuit(&self, circuit: &str) -> NodeId {
        NodeId::new(self.index, format!("{}/circuit.{circuit}", self.station))
    }

    /// A point, by its text name.
    pub fn point(&self, name: &str) -> NodeId {
        NodeId::new(self.index, format!("{}/{name}", self.station))
    }

    /// Something of the station that is no point.
    pub fn of_station(&self, what: &str) -> NodeId {
        NodeId::new(self.index, format!("{}/{what}", self.station))
    }

    /// Something of a circuit that is no point.
    pub fn of_circuit(&self, circuit: &str, what: &str) -> NodeId {
        NodeId::new(self.index, format!("{}/circuit.{circuit}/{what}", self.station))
    }

    /// A property of a node.
    pub fn property(&self, of: &NodeId, name: &str) -> NodeId {
        NodeId::new(self.index, format!("{}#{name}", text_of(of)))
    }
}

/// The text of a string id; empty for ids of other kinds, which none of ours is.
pub fn text_of(id: &NodeId) -> &str {
    match &id.identifier {
        Identifier::String(text) => text.as_ref(),
        Identifier::Numeric(_) | Identifier::Guid(_) | Identifier::ByteString(_) => "",
    }
}

/// What an alarm is called: its name, and where it is unless that is the station, as in
/// `pump_failed@low-zone.circulation_pump.1`.
pub fn alarm_id(catalogue: &Catalogue, key: AlarmKey) -> String {
    let circuit = |CircuitIndex(index)| catalogue.circuits().get(index).map_or("?", |names| names.name.as_str());
    let name = key.alarm.name();
    match key.place {
        Place::Station => name.to_owned(),
        Place::Circuit(c) => format!("{name}@{}", circuit(c)),
        Place::CirculationPump(c, PumpIndex(pump)) => format!("{name}@{}.circulation_pump.{}", circuit(c), pump + 1),
        Place::MakeUpPump(c, PumpIndex(pump)) => format!("{name}@{}.make_up_pump.{}", circuit(c), pump + 1),
    }
}

/// The alarm of that id, if the station can have it.
pub fn alarm_of(catalogue: &Catalogue, id: &str) -> Option<AlarmKey> {
    let (name, place) = id.split_once('@').map_or((id, None), |(name, place)| (name, Some(place)));
    let alarm = Alarm::from_name(name)?;
    let Some(place) = place else { return Some(AlarmKey { alarm, place: Place::Station }) };
    let (circuit, pump) = place.split_once('.').map_or((place, None), |(circuit, pump)| (circuit, Some(pump)));
    let circuit = CircuitIndex(catalogue.circuits().iter().position(|names| names.name == circuit)?);
    let plate = |text: &str| text.parse::<usize>().ok()?.checked_sub(1).map(PumpIndex);
    let place = match pump.map(|pump| pump.split_once('.')) {
        None => Place::Circuit(circuit),
        Some(Some(("circulation_pump", number))) => Place::CirculationPump(circuit, plate(number)?),
        Some(Some(("make_up_pump", number))) => Place::MakeUpPump(circuit, plate(number)?),
        Some(_) => return None,
    };
    Some(AlarmKey { alarm, place })
}

#[cfg(test)]
mod tests {
    use heatstation_points::CircuitNames;

    use super::*;

    #[test]
    fn an_alarm_is_found_by_what_it_is_called() {
        let circuit =
            |name: &str| CircuitNames { name: name.to_owned(), circulation_pumps: 2, ..CircuitNames::default() };
        let catalogue = Catalogue::new(vec![circuit("low"), circuit("high")], vec![]).unwrap();
        let places = [
            Place::Station,
            Place::Circuit(CircuitIndex(1)),
            Place::CirculationPump(CircuitIndex(0), PumpIndex(1)),
            Place::MakeUpPump(CircuitIndex(1), PumpIndex(0)),
        ];
        for place in places {
            let key = AlarmKey { alarm: Alarm::PumpFailed, place };
            assert_eq!(alarm_of(&catalogue, &alarm_id(&catalogue, key)), Some(key));
        }
        let wrong = [
            "",
            "pump_fails",
            "pump_failed@",
            "pump_failed@middle",
            "pump_failed@low.circulation_pump.0",
            "pump_failed@low.x.1",
        ];
        for id in wrong {
            assert_eq!(alarm_of(&catalogue, id), None, "{id}");
        }
    }
}
