//! The points of the catalogue: what is read, and what is commanded.
//!
//! All of them stand in the tree, wired or not, so that one picture of a SCADA fits three hundred stations; what nobody
//! wired says `BadNotConnected`.

use heatstation_points::{Definition, Direction, Point, Reading, Unit};
use opcua::types::{DataTypeId, NodeId, StatusCode, Variant};

use super::{Board, Kind, Row, Said, Source};
use crate::opcua_server::quality::{status_of, status_of_command};
use crate::opcua_server::units::{code_of, range_of};
use crate::snapshot::{Facts, Snapshot};

pub(super) fn rows(board: &mut Board, facts: &Facts) {
    for (slot, definition) in facts.catalogue.definitions().iter().enumerate() {
        let (under, browse) = place_of(board, facts, definition);
        let row = Row {
            id: board.names.point(&definition.name),
            under,
            browse,
            chinese: definition.chinese.clone(),
            english: definition.name.clone(),
            kind: kind_of(definition),
            setpoint: None,
            source: source_of(definition, slot),
        };
        board.rows.push(row);
    }
}

/// Under its circuit a point is called by the rest of its name.
fn place_of(board: &Board, facts: &Facts, definition: &Definition) -> (NodeId, String) {
    let circuit = match definition.point {
        Point::Station(_) | Point::Auxiliary(_) => None,
        Point::Circuit(c, _)
        | Point::CirculationPump(c, _, _)
        | Point::MakeUpPump(c, _, _)
        | Point::Building(c, _, _)
        | Point::Room(c, _, _)
        | Point::CircuitOutput(c, _)
        | Point::CirculationPumpOutput(c, _, _)
        | Point::MakeUpPumpOutput(c, _, _)
        | Point::BuildingOutput(c, _, _) => facts.catalogue.circuits().get(c.0),
    };
    let Some(circuit) = circuit else { return (board.names.station(), definition.name.clone()) };
    let prefix = format!("circuit.{}.", circuit.name);
    let rest = definition.name.strip_prefix(&prefix).unwrap_or(&definition.name);
    (board.names.circuit(&circuit.name), rest.to_owned())
}

fn kind_of(definition: &Definition) -> Kind {
    match (definition.unit, code_of(definition.unit)) {
        (Unit::Switch, _) => Kind::Switch,
        (_, Some(code)) => Kind::Analog(code, range_of(definition)),
        (_, None) => Kind::Plain(DataTypeId::Double),
    }
}

fn shown(unit: Unit, number: f64) -> Variant {
    let (_, factor) = unit.display();
    if unit == Unit::Switch { Variant::Boolean(number != 0.0) } else { Variant::Double(number * factor) }
}

fn source_of(definition: &Definition, slot: usize) -> Source {
    let (point, unit) = (definition.point, definition.unit);
    match definition.direction {
        Direction::Input => Box::new(move |snapshot| said_of(snapshot, slot, unit)),
        Direction::Output => Box::new(move |snapshot| {
            let command = snapshot.commands.iter().find(|command| command.point == point);
            // Nothing is said to it: not taken over yet, or nothing of the kind there.
            command.map_or_else(
                || Said::nothing(StatusCode::BadOutOfService),
                |command| Said {
                    value: shown(unit, command.value),
                    status: status_of_command(command.state()),
                    at: None,
                },
            )
        }),
    }
}

fn said_of(snapshot: &Snapshot, slot: usize, unit: Unit) -> Said {
    let reading = snapshot.readings.get(slot).copied().unwrap_or_default();
    let status = status_of(reading.quality());
    match reading {
        Reading::Good { value, age } | Reading::Uncertain { value, age, .. } => {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            let at = snapshot.report.moment.wall.0.saturating_sub(age);
            Said { value: shown(unit, value.number()), status, at: Some(at) }
        }
        // The last value there was is for showing that it is old, never for use: a client that overlooks the status must
        // not find a number here.
        Reading::Bad { .. } => Said::nothing(status),
    }
}
