//! A node as the place of an output: how a wish is said in the node's own type.
//!
//! A server refuses a number of another type than the node's, and a `Float` does not give back the digits that a `Double`
//! was sent with. So the node is asked for its type once on each connection, and the wish is rounded as the node will
//! round it, before it is compared with what is read back.

use heatstation_points::{Point, Value};
use opcua::types::{NodeId, StatusCode, Variant, VariantScalarTypeId};

use super::settings::{Item, NodeReadBack, NodeWrite};
use crate::bus::Refusal;
use crate::output::{OutputRules, Place, Verified};
use crate::settings::WriteRules;

/// A node that is written.
#[derive(Debug)]
pub(crate) struct NodePlace {
    /// Where its sample is shown.
    pub(crate) slot: usize,
    pub(crate) item: Item,
    /// The node on this connection.
    pub(crate) node: Option<NodeId>,
    /// Where it is read back on this connection.
    pub(crate) read_back: Option<NodeId>,
    /// The node's type, once it is known.
    pub(crate) kind: Option<VariantScalarTypeId>,
    rules: OutputRules,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// In the node's type.
    Typed(Variant),
    /// The type is not known yet; nothing can be sent.
    Untyped,
}

impl NodePlace {
    /// None for an item that is only read.
    pub(crate) fn of(slot: usize, item: &Item) -> Option<NodePlace> {
        let NodeWrite { minimum_interval, refresh, tolerance, read_back, memory } = item.write.clone()?;
        let verified = match read_back {
            NodeReadBack::SameNode => Verified::WithTheReads,
            NodeReadBack::OtherNode(_) => Verified::Apart,
            NodeReadBack::Impossible => Verified::Never,
        };
        // A server that copies a value into place in its own cycle is given as long as a device with registers.
        let settling = WriteRules::default().settling;
        let rules = OutputRules { minimum_interval, refresh, tolerance, verified, settling, memory };
        Some(NodePlace { slot, item: item.clone(), node: None, read_back: None, kind: None, rules })
    }
}

impl Place for NodePlace {
    type Said = Said;

    fn point(&self) -> Point {
        self.item.point()
    }

    fn rules(&self) -> &OutputRules {
        &self.rules
    }

    fn say(&self, wish: Value) -> Result<(Said, Value), String> {
        let item = &self.item;
        let raw = (wish.number() - item.offset) / item.scale;
        let raw = if item.inverted { f64::from(u8::from(raw == 0.0)) } else { raw };
        let Some(kind) = self.kind else { return Ok((Said::Untyped, wish)) };
        let variant = typed(kind, raw).ok_or_else(|| format!("{raw} cannot be said as {kind:?}"))?;
        let held = match &variant {
            Variant::Boolean(on) => f64::from(u8::from(*on)),
            other => other.as_f64().unwrap_or(f64::NAN),
        };
        let held = if item.inverted { f64::from(u8::from(held == 0.0)) } else { held };
        let aim = item
            .definition
            .accept(held * item.scale + item.offset)
            .map_err(|fault| format!("what the node would hold reads as {fault:?}"))?;
        Ok((Said::Typed(variant), aim))
    }
}

/// A number in a type, rounded; none if the type cannot hold it. Nothing wraps and nothing is clipped.
fn typed(kind: VariantScalarTypeId, raw: f64) -> Option<Variant> {
    let rounded = raw.round();
    let within = |low: f64, high: f64| (low..=high).contains(&rounded);
    Some(match kind {
        VariantScalarTypeId::Boolean if raw == 0.0 || raw == 1.0 => Variant::Boolean(raw == 1.0),
        VariantScalarTypeId::SByte if within(i8::MIN.into(), i8::MAX.into()) => Variant::SByte(rounded as i8),
        VariantScalarTypeId::Byte if within(0.0, u8::MAX.into()) => Variant::Byte(rounded as u8),
        VariantScalarTypeId::Int16 if within(i16::MIN.into(), i16::MAX.into()) => Variant::Int16(rounded as i16),
        VariantScalarTypeId::UInt16 if within(0.0, u16::MAX.into()) => Variant::UInt16(rounded as u16),
        VariantScalarTypeId::Int32 if within(i32::MIN.into(), i32::MAX.into()) => Variant::Int32(rounded as i32),
        VariantScalarTypeId::UInt32 if within(0.0, u32::MAX.into()) => Variant::UInt32(rounded as u32),
        // Up to 2^53, where doubles still count one by one.
        VariantScalarTypeId::Int64 if within(-9e15, 9e15) => Variant::Int64(rounded as i64),
        VariantScalarTypeId::UInt64 if within(0.0, 9e15) => Variant::UInt64(rounded as u64),
        VariantScalarTypeId::Float if raw.abs() <= f32::MAX.into() => Variant::Float(raw as f32),
        VariantScalarTypeId::Double if raw.is_finite() => Variant::Double(raw),
        _ => return None,
    })
}

/// The type that the `DataType` attribute names; none for what is no plain number.
pub(crate) fn kind_of(data_type: &Variant) -> Option<VariantScalarTypeId> {
    let Variant::NodeId(node) = data_type else { return None };
    let number = node.as_u32().filter(|_| node.namespace == 0)?;
    [
        VariantScalarTypeId::Boolean,
        VariantScalarTypeId::SByte,
        VariantScalarTypeId::Byte,
        VariantScalarTypeId::Int16,
        VariantScalarTypeId::UInt16,
        VariantScalarTypeId::Int32,
        VariantScalarTypeId::UInt32,
        VariantScalarTypeId::Int64,
        VariantScalarTypeId::UInt64,
        VariantScalarTypeId::Float,
        VariantScalarTypeId::Double,
    ]
    .into_iter()
    .find(|kind| *kind as u32 == number)
}

/// What a refused write means to the one who wrote.
pub(crate) fn refusal_of(status: StatusCode) -> Refusal {
    match StatusCode::from(status.bits() & 0xFFFF_0000) {
        StatusCode::BadOutOfRange | StatusCode::BadTypeMismatch => Refusal::Value,
        StatusCode::BadNodeIdUnknown
        | StatusCode::BadNodeIdInvalid
        | StatusCode::BadAttributeIdInvalid
        | StatusCode::BadIndexRangeInvalid => Refusal::Address,
        StatusCode::BadNotWritable
        | StatusCode::BadUserAccessDenied
        | StatusCode::BadWriteNotSupported
        | StatusCode::BadNotSupported
        | StatusCode::BadServiceUnsupported => Refusal::Function,
        StatusCode::BadTooManyOperations | StatusCode::BadResourceUnavailable | StatusCode::BadInvalidState => {
            Refusal::Busy
        }
        // Modbus' word for "the server itself failed".
        _ => Refusal::Failure(4),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::opcua::testing::item;
    use crate::settings::Memory;

    fn place(kind: Option<VariantScalarTypeId>, scale: f64) -> NodePlace {
        let write = NodeWrite {
            minimum_interval: Duration::from_secs(1),
            refresh: Duration::from_secs(10),
            tolerance: 0.0,
            read_back: NodeReadBack::SameNode,
            memory: Memory::Volatile,
        };
        let item = Item { write: Some(write), scale, ..item("circuit.low-zone.valve.position", "i=9") };
        NodePlace { kind, ..NodePlace::of(0, &item).unwrap() }
    }

    fn wish(number: f64) -> Value {
        crate::testing::definition("circuit.low-zone.valve.position").accept(number).unwrap()
    }

    #[test]
    fn a_wish_is_rounded_as_the_node_rounds_it() {
        let (said, aim) = place(Some(VariantScalarTypeId::Float), 1.0).say(wish(0.413)).unwrap();
        assert_eq!(said, Said::Typed(Variant::Float(0.413)));
        assert_eq!(aim.number(), f64::from(0.413_f32));
        let (said, aim) = place(Some(VariantScalarTypeId::Int16), 0.01).say(wish(0.413)).unwrap();
        assert_eq!(said, Said::Typed(Variant::Int16(41)));
        assert!((aim.number() - 0.41).abs() < 1e-12);
    }

    #[test]
    fn what_a_type_cannot_hold_is_refused_not_clipped() {
        assert!(place(Some(VariantScalarTypeId::Byte), 0.001).say(wish(0.413)).is_err());
        assert!(place(Some(VariantScalarTypeId::Boolean), 1.0).say(wish(0.413)).is_err());
        assert!(place(Some(VariantScalarTypeId::String), 1.0).say(wish(0.413)).is_err());
        assert_eq!(place(None, 1.0).say(wish(0.413)).unwrap().0, Said::Untyped);
    }
}
