//! The board as nodes of an address space.

use std::collections::HashSet;

use opcua::nodes::{AccessLevel, EventNotifier, MethodBuilder, ObjectBuilder, ObjectTypeBuilder, VariableBuilder};
use opcua::server::address_space::AddressSpace;
use opcua::types::{
    Argument, DataTypeId, EUInformation, ExtensionObject, LocalizedText, NodeId, ObjectId, ObjectTypeId, QualifiedName,
    Range, ReferenceTypeId, VariableTypeId, Variant,
};

use super::alarms::{FIELDS, event_type};
use super::board::{Board, Handle, Kind, Row, Shelf, Speaks};
use super::units::Code;

/// Puts a board up in place of the nodes that stood there, which are forgotten; the ids of those that stand now. A client
/// that watches a node which both have goes on watching it.
pub fn put_up(space: &mut AddressSpace, board: &Board, before: &HashSet<NodeId>) -> HashSet<NodeId> {
    for id in before {
        space.delete(id, true);
    }
    let mut nodes = HashSet::new();
    for shelf in &board.shelves {
        object(space, board, shelf);
        nodes.insert(shelf.id.clone());
    }
    alarm_type(space, board, &mut nodes);
    for row in &board.rows {
        variable(space, board, row, &mut nodes);
    }
    for handle in &board.handles {
        method(space, board, handle, &mut nodes);
    }
    nodes
}

fn name(board: &Board, browse: &str) -> QualifiedName {
    QualifiedName::new(board.names.index, browse)
}

fn object(space: &mut AddressSpace, board: &Board, shelf: &Shelf) {
    let builder = ObjectBuilder::new(&shelf.id, name(board, &shelf.browse), LocalizedText::new("zh-CN", &shelf.title));
    match shelf.speaks {
        Speaks::Events => {
            builder
                .has_type_definition(ObjectTypeId::BaseObjectType)
                .event_notifier(EventNotifier::SUBSCRIBE_TO_EVENTS)
                .organized_by(shelf.under.clone())
                .insert(space);
            // Who subscribes to the server hears the station as well.
            let server: NodeId = ObjectId::Server.into();
            space.insert_reference(&server, &shelf.id, ReferenceTypeId::HasNotifier);
        }
        Speaks::Nothing if shelf.id == board.names.stations() => {
            builder.is_folder().organized_by(shelf.under.clone()).insert(space);
        }
        Speaks::Nothing => {
            builder.has_type_definition(ObjectTypeId::BaseObjectType).component_of(shelf.under.clone()).insert(space);
        }
    }
}

/// The type of alarms' events, so that clients find its fields.
fn alarm_type(space: &mut AddressSpace, board: &Board, nodes: &mut HashSet<NodeId>) {
    let id = event_type(&board.names);
    ObjectTypeBuilder::new(&id, name(board, "StationAlarmEventType"), "StationAlarmEventType")
        .is_abstract(false)
        .subtype_of(ObjectTypeId::BaseEventType)
        .insert(space);
    for field in FIELDS {
        let data_type = match field {
            "Active" | "Acknowledged" => DataTypeId::Boolean,
            _ => DataTypeId::String,
        };
        let of = board.names.property(&id, field);
        VariableBuilder::new(&of, name(board, field), field)
            .data_type(data_type)
            .has_type_definition(VariableTypeId::PropertyType)
            .has_modelling_rule(ObjectId::ModellingRule_Mandatory)
            .property_of(id.clone())
            .insert(space);
        nodes.insert(of);
    }
    nodes.insert(id);
}

fn variable(space: &mut AddressSpace, board: &Board, row: &Row, nodes: &mut HashSet<NodeId>) {
    let (data_type, type_definition, rank): (NodeId, VariableTypeId, i32) = match &row.kind {
        Kind::Analog(..) => (DataTypeId::Double.into(), VariableTypeId::AnalogUnitRangeType, -1),
        Kind::Switch => (DataTypeId::Boolean.into(), VariableTypeId::TwoStateDiscreteType, -1),
        Kind::Plain(of) => (of.into(), VariableTypeId::BaseDataVariableType, -1),
        Kind::List(of) => (of.into(), VariableTypeId::BaseDataVariableType, 1),
    };
    let access = match row.setpoint {
        Some(_) => AccessLevel::CURRENT_READ | AccessLevel::CURRENT_WRITE,
        None => AccessLevel::CURRENT_READ,
    };
    VariableBuilder::new(&row.id, name(board, &row.browse), LocalizedText::new("zh-CN", &row.chinese))
        .description(LocalizedText::new("en", &row.english))
        .data_type(data_type)
        .value_rank(rank)
        .access_level(access)
        .user_access_level(access)
        .has_type_definition(type_definition)
        .component_of(row.under.clone())
        .insert(space);
    nodes.insert(row.id.clone());
    match &row.kind {
        Kind::Analog(code, range) => analog(space, board, row, (*code, range), nodes),
        Kind::Switch => {
            for (property, chinese) in [("TrueState", "是"), ("FalseState", "否")] {
                let text = Variant::from(LocalizedText::new("zh-CN", chinese));
                add_property(space, board, row, (property, DataTypeId::LocalizedText, text), nodes);
            }
        }
        Kind::Plain(_) | Kind::List(_) => {}
    }
}

fn analog(
    space: &mut AddressSpace,
    board: &Board,
    row: &Row,
    (code, range): (Code, &Range),
    nodes: &mut HashSet<NodeId>,
) {
    let unit: EUInformation = code.information();
    let unit = Variant::from(ExtensionObject::from_message(unit));
    add_property(space, board, row, ("EngineeringUnits", DataTypeId::EUInformation, unit), nodes);
    for property in ["EURange", "InstrumentRange"] {
        let range = Variant::from(ExtensionObject::from_message(range.clone()));
        add_property(space, board, row, (property, DataTypeId::Range, range), nodes);
    }
}

fn add_property(
    space: &mut AddressSpace,
    board: &Board,
    row: &Row,
    (property, data_type, value): (&str, DataTypeId, Variant),
    nodes: &mut HashSet<NodeId>,
) {
    let id = board.names.property(&row.id, property);
    VariableBuilder::new(&id, QualifiedName::new(0, property), property)
        .data_type(data_type)
        .value(value)
        .has_type_definition(VariableTypeId::PropertyType)
        .property_of(row.id.clone())
        .insert(space);
    nodes.insert(id);
}

fn method(space: &mut AddressSpace, board: &Board, handle: &Handle, nodes: &mut HashSet<NodeId>) {
    let argument = |name: &str, data_type: DataTypeId, description: &str| Argument {
        name: name.into(),
        data_type: data_type.into(),
        value_rank: -1,
        array_dimensions: None,
        description: LocalizedText::new("", description),
    };
    let takes: Vec<Argument> =
        handle.method.arguments().iter().map(|(name, of, what)| argument(name, *of, what)).collect();
    let gives = [argument("Outcome", DataTypeId::String, "granted, or that the answer is still awaited / 结果")];
    let inputs = board.names.property(&handle.id, "InputArguments");
    let outputs = board.names.property(&handle.id, "OutputArguments");
    let title = handle.method.name();
    let mut builder = MethodBuilder::new(&handle.id, name(board, title), title)
        .component_of(handle.under.clone())
        .executable(true)
        .user_executable(true);
    if !takes.is_empty() {
        builder = builder.input_args(space, &inputs, &takes);
        nodes.insert(inputs);
    }
    builder.output_args(space, &outputs, &gives).insert(space);
    nodes.insert(outputs);
    nodes.insert(handle.id.clone());
}
