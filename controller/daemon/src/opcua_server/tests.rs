//! The address space of an example station, and what of it stays when the station is written otherwise.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use heatstation_config::EXAMPLES;
use heatstation_core::correction::Correction;
use heatstation_core::request::{Origin, Wish};
use heatstation_points::{Catalogue, CircuitIndex, Kelvins};
use opcua::server::address_space::{AddressSpace, NodeType};
use opcua::types::{DataTypeId, NodeId, StatusCode, Variant};

use super::board::{Answers, Board, Kind};
use super::door::Filed;
use super::names::text_of;
use super::tree::put_up;
use super::wishes::{Aspect, Method, Setpoint};
use crate::program::facts_of;
use crate::snapshot::Facts;

struct NoAnswers;

impl Answers for NoAnswers {
    fn answers(&self) -> Vec<Filed> {
        Vec::new()
    }
}

fn two_zones() -> Facts {
    let (name, text) = EXAMPLES.into_iter().find(|(name, _)| *name == "two-zones").unwrap();
    facts_of(&heatstation_config::check(name, text, None).unwrap())
}

fn turned_round(facts: &Facts) -> Facts {
    let mut settings = facts.settings.clone();
    settings.circuits.reverse();
    let names = facts.catalogue.circuits().iter().rev().cloned().collect();
    let catalogue = Catalogue::new(names, facts.catalogue.auxiliaries().to_vec()).unwrap();
    Facts { name: facts.name.clone(), settings, catalogue, configuration_hash: String::new() }
}

fn board(facts: &Facts) -> Board {
    Board::of(facts, 2, Origin::Dispatch, &Arc::new(NoAnswers))
}

/// Each node with where it hangs and what it is called.
fn nodes(board: &Board) -> BTreeMap<String, (String, String)> {
    let shelves = board.shelves.iter().map(|shelf| (&shelf.id, &shelf.under, shelf.browse.clone()));
    let rows = board.rows.iter().map(|row| (&row.id, &row.under, row.browse.clone()));
    let handles = board.handles.iter().map(|handle| (&handle.id, &handle.under, handle.method.name().to_owned()));
    let all: Vec<_> = shelves.chain(rows).chain(handles).collect();
    let map: BTreeMap<_, _> = all
        .iter()
        .map(|(id, under, browse)| (text_of(id).to_owned(), (text_of(under).to_owned(), browse.clone())))
        .collect();
    assert_eq!(map.len(), all.len(), "an id stands twice");
    map
}

#[test]
fn nodes_keep_their_ids_when_circuits_change_places() {
    let facts = two_zones();
    let (one, other) = (nodes(&board(&facts)), nodes(&board(&turned_round(&facts))));
    assert!(one.len() > 200, "{}", one.len());
    assert_eq!(one, other);
}

#[test]
fn a_written_number_means_the_circuit_that_its_node_names() {
    let facts = two_zones();
    let station = facts.settings.station.clone();
    for facts in [facts, turned_round(&two_zones())] {
        for circuit in facts.catalogue.circuits() {
            let id = NodeId::new(2, format!("{station}/circuit.{}/Wish.SupplyShift", circuit.name));
            let board = board(&facts);
            let setpoint = board.rows.iter().find(|row| row.id == id).and_then(|row| row.setpoint).unwrap();
            assert_eq!(facts.catalogue.circuits()[setpoint.circuit.0].name, circuit.name);
        }
    }
}

#[test]
fn the_tree_has_station_circuit_and_point_and_each_number_its_unit() {
    let facts = two_zones();
    let board = board(&facts);
    let mut space = AddressSpace::new();
    space.add_namespace("http://opcfoundation.org/UA/", 0);
    space.add_namespace(super::NAMESPACE, 2);
    let nodes = put_up(&mut space, &board, &HashSet::new());
    for id in &nodes {
        assert!(space.find(id).is_some(), "{id}");
    }
    for definition in facts.catalogue.definitions() {
        let id = board.names.point(&definition.name);
        let Some(NodeType::Variable(variable)) = space.find(&id) else { panic!("{id}") };
        let row = board.rows.iter().find(|row| row.id == id).unwrap();
        let unit = space.find(&board.names.property(&id, "EngineeringUnits"));
        let range = space.find(&board.names.property(&id, "InstrumentRange"));
        match row.kind {
            Kind::Analog(..) => assert!(unit.is_some() && range.is_some(), "{id}"),
            Kind::Switch => assert_eq!(variable.data_type(), NodeId::from(DataTypeId::Boolean), "{id}"),
            Kind::Plain(_) | Kind::List(_) => assert!(unit.is_none(), "{id}"),
        }
        assert!(!variable.is_writable(), "{id} is no setpoint");
    }
    let writable: Vec<&str> =
        board.rows.iter().filter(|row| row.setpoint.is_some()).map(|row| text_of(&row.id)).collect();
    assert_eq!(writable.len(), 5 * facts.catalogue.circuits().len(), "{writable:?}");
    // Put up again it is the same tree, with nothing left over.
    assert_eq!(put_up(&mut space, &board, &nodes), nodes);
}

#[test]
fn what_is_written_is_bounded_and_keeps_what_was_corrected_before() {
    let facts = two_zones();
    let settings = &facts.settings;
    let circuit = CircuitIndex(0);
    let hour = Duration::from_secs(3600);
    for aspect in Aspect::ALL {
        let setpoint = Setpoint { circuit, aspect };
        let (low, high) = setpoint.bounds(settings).unwrap();
        let ask = |number| setpoint.wish(settings, Correction::default(), number, hour);
        assert!(ask(low).is_ok() && ask(high).is_ok(), "{aspect:?}");
        for wild in [low - 0.01, high + 0.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(ask(wild), Err(StatusCode::BadOutOfRange), "{aspect:?} {wild}");
        }
    }
    let level = Setpoint { circuit, aspect: Aspect::CurveLevel };
    let Ok(Wish::CorrectCurve { correction, .. }) = level.wish(settings, Correction::default(), -2.0, hour) else {
        panic!()
    };
    let room = Setpoint { circuit, aspect: Aspect::RoomShift };
    let Ok(Wish::CorrectCurve { correction, .. }) = room.wish(settings, correction, 0.5, hour) else { panic!() };
    assert_eq!((correction.curve.level, correction.room), (Kelvins(-2.0), Kelvins(0.5)));
    let nowhere = Setpoint { circuit: CircuitIndex(9), aspect: Aspect::CurveLevel };
    assert_eq!(nowhere.wish(settings, Correction::default(), 0.0, hour), Err(StatusCode::BadNodeIdUnknown));
}

#[test]
fn arguments_of_a_call_are_looked_at_one_by_one() {
    let facts = two_zones();
    let call = |method: Method, arguments: &[Variant]| method.wish(arguments, &facts.settings, &facts.catalogue);
    let (number, text) = (Variant::Double, |text: &str| Variant::from(text));
    let shift = Method::ShiftSupply(CircuitIndex(0));
    let right = call(shift, &[number(1.0), number(30.0), text("cold\u{7} evening")]).unwrap();
    let lasts = Duration::from_secs(1800);
    assert_eq!(
        right,
        (Wish::ShiftSupply { circuit: CircuitIndex(0), by: Kelvins(1.0), lasts }, "cold evening".to_owned())
    );
    let wrong = [
        (vec![], StatusCode::BadArgumentsMissing),
        (vec![number(1.0), number(30.0)], StatusCode::BadArgumentsMissing),
        (vec![number(f64::NAN), number(30.0), text("")], StatusCode::BadOutOfRange),
        (vec![number(1.0), number(-1.0), text("")], StatusCode::BadOutOfRange),
        (vec![number(1.0), number(1e300), text("")], StatusCode::BadOutOfRange),
        (vec![number(100.0), number(30.0), text("")], StatusCode::BadOutOfRange),
        (vec![text("1"), number(30.0), text("")], StatusCode::BadTypeMismatch),
    ];
    for (arguments, status) in wrong {
        assert_eq!(call(shift, &arguments), Err(status), "{arguments:?}");
    }
    let mode = Method::SetMode(CircuitIndex(1));
    assert_eq!(call(mode, &[text("on"), text("")]), Err(StatusCode::BadOutOfRange));
    assert!(call(mode, &[text("stopped"), text("work")]).is_ok());
    assert_eq!(call(Method::StayConnected, &[]), Ok((Wish::StayConnected, String::new())));
}
