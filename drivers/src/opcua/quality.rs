//! What a server says of a value becomes what this program knows of quality.
//!
//! | status | becomes | because |
//! |---|---|---|
//! | Good… | a value | |
//! | Uncertain… | a value in doubt: the device doubts it | it is the best that there is, and says so |
//! | Bad…: no connection, no answer, waiting for data | `Silent`; the value before it ages | the server lost its own device |
//! | Bad…: no such node, not readable, not allowed | `Refused` | somebody has to change a file or a right |
//! | any other Bad… | `SensorBroken`; the value before it is taken back | the device says that it is not to be used |
//!
//! A number that is none (a text where a temperature is due, NaN, nothing at all under a Good status) is `NotFinite`; what
//! lies outside the point's range `Implausible`, by [`Definition::accept`](heatstation_points::Definition::accept) as
//! everywhere.

use std::time::{Duration, SystemTime};

use heatstation_points::{Doubt, Fault, Value};
use opcua::types::{DataValue, DateTime, StatusCode, Variant, VariantScalarTypeId};

use super::settings::Item;

/// What came of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) value: Result<Value, Fault>,
    pub(crate) doubt: Option<Doubt>,
    pub(crate) source_time: Option<SystemTime>,
    /// The node's type, where it showed.
    pub(crate) kind: Option<VariantScalarTypeId>,
}

impl Taken {
    pub(crate) fn fault(fault: Fault) -> Taken {
        Taken { value: Err(fault), doubt: None, source_time: None, kind: None }
    }

    pub(crate) fn of(item: &Item, source_age_max: Option<Duration>, data: &DataValue) -> Taken {
        let status = data.status.unwrap_or(StatusCode::Good);
        let source_time = data.source_timestamp.as_ref().and_then(system_time);
        let kind = data.value.as_ref().and_then(|value| scalar(item, value)).and_then(Variant::scalar_type_id);
        let base = Taken { value: Err(Fault::NotFinite), doubt: None, source_time, kind };
        if let Some(fault) = fault_of(status) {
            return Taken { value: Err(fault), ..base };
        }
        let number = data.value.as_ref().and_then(|value| scalar(item, value)).and_then(number);
        let value = number.map_or(Err(Fault::NotFinite), |number| meant(item, number));
        let is_late = source_age_max.is_some_and(|most| most < age_at_server(data));
        let doubt = match (status.is_uncertain(), is_late) {
            (true, _) => Some(Doubt::DeviceDoubt),
            (false, true) => Some(Doubt::Stale),
            (false, false) => None,
        };
        Taken { value, doubt, ..base }
    }
}

/// The number in the point's unit.
fn meant(item: &Item, number: f64) -> Result<Value, Fault> {
    let number = if item.inverted { f64::from(u8::from(number == 0.0)) } else { number };
    item.definition.accept(number * item.scale + item.offset)
}

/// The one value that is meant. A server gives the one element that it was asked for as an array of one; one that does not
/// know index ranges gives the whole array, whose first element is somebody else's value.
fn scalar<'a>(item: &Item, value: &'a Variant) -> Option<&'a Variant> {
    match (item.index, value) {
        (Some(index), Variant::Array(array)) => match array.values.as_slice() {
            [one] => Some(one),
            all => all.get(index as usize),
        },
        (None, Variant::Array(_)) | (Some(_), _) => None,
        (None, one) => Some(one),
    }
}

fn number(value: &Variant) -> Option<f64> {
    match value {
        Variant::Boolean(on) => Some(f64::from(u8::from(*on))),
        other => other.as_f64(),
    }
}

/// How old a value was when its server sent it. Both times are the server's side's: a wrong clock there, or here, makes
/// nothing fresh or old.
fn age_at_server(data: &DataValue) -> Duration {
    let times = data.source_timestamp.as_ref().zip(data.server_timestamp.as_ref());
    let difference = times.map(|(source, server)| server.as_chrono() - source.as_chrono());
    difference.and_then(|difference| difference.to_std().ok()).unwrap_or(Duration::ZERO)
}

fn system_time(time: &DateTime) -> Option<SystemTime> {
    let milliseconds = u64::try_from(time.as_chrono().timestamp_millis()).ok()?;
    (!time.is_null()).then(|| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds))
}

/// Why a status is no value; none for Good and Uncertain.
pub(crate) fn fault_of(status: StatusCode) -> Option<Fault> {
    if !status.is_bad() {
        return None;
    }
    // The upper half names the condition, the lower half carries remarks such as an overflow.
    let condition = status.bits() & 0xFFFF_0000;
    let is = |codes: &[StatusCode]| codes.iter().any(|code| code.bits() & 0xFFFF_0000 == condition);
    let silent = [
        StatusCode::BadCommunicationError,
        StatusCode::BadNoCommunication,
        StatusCode::BadNotConnected,
        StatusCode::BadConnectionClosed,
        StatusCode::BadSecureChannelClosed,
        StatusCode::BadServerNotConnected,
        StatusCode::BadServerHalted,
        StatusCode::BadShutdown,
        StatusCode::BadTimeout,
        StatusCode::BadRequestTimeout,
        StatusCode::BadWaitingForInitialData,
        StatusCode::BadWaitingForResponse,
        StatusCode::BadResourceUnavailable,
        StatusCode::BadTooManyOperations,
        StatusCode::BadOutOfMemory,
    ];
    let refused = [
        StatusCode::BadNodeIdUnknown,
        StatusCode::BadNodeIdInvalid,
        StatusCode::BadAttributeIdInvalid,
        StatusCode::BadIndexRangeInvalid,
        StatusCode::BadIndexRangeNoData,
        StatusCode::BadNotReadable,
        StatusCode::BadUserAccessDenied,
        StatusCode::BadSecurityModeInsufficient,
        StatusCode::BadConfigurationError,
        StatusCode::BadNotSupported,
        StatusCode::BadNotImplemented,
        StatusCode::BadServiceUnsupported,
        StatusCode::BadObjectDeleted,
    ];
    Some(match () {
        () if is(&silent) => Fault::Silent,
        () if is(&refused) => Fault::Refused,
        () => Fault::SensorBroken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcua::testing::item;

    fn taken(value: impl Into<Variant>, status: StatusCode) -> Taken {
        let data = DataValue::new_now_status(value.into(), status);
        Taken::of(&item("primary_supply.temperature", "nsu=urn:plc;s=Tps"), None, &data)
    }

    fn number_of(taken: Taken) -> Result<f64, Fault> {
        taken.value.map(Value::number)
    }

    #[test]
    fn every_numeric_type_is_a_number_and_nothing_else_is() {
        let good = StatusCode::Good;
        for value in [
            Variant::from(60_u8),
            Variant::from(60_i8),
            Variant::from(60_i16),
            Variant::from(60_u16),
            Variant::from(60_i32),
            Variant::from(60_u32),
            Variant::from(60_i64),
            Variant::from(60_u64),
            Variant::from(60.0_f32),
            Variant::from(60.0_f64),
        ] {
            assert_eq!(number_of(taken(value, good)), Ok(60.0));
        }
        for value in [
            Variant::from("60"),
            Variant::from(f64::NAN),
            Variant::from(f64::INFINITY),
            Variant::Empty,
            Variant::from(vec![60.0_f64]),
            Variant::Variant(Box::new(Variant::from(60.0))),
            Variant::from(StatusCode::Good),
        ] {
            assert_eq!(number_of(taken(value, good)), Err(Fault::NotFinite));
        }
        assert_eq!(number_of(taken(6000.0, good)), Err(Fault::Implausible));
    }

    #[test]
    fn uncertain_is_a_value_in_doubt_and_bad_is_none_whatever_number_comes_with_it() {
        assert_eq!(taken(60.0, StatusCode::Good).doubt, None);
        let uncertain = taken(60.0, StatusCode::UncertainLastUsableValue);
        assert_eq!((number_of(uncertain), uncertain.doubt), (Ok(60.0), Some(Doubt::DeviceDoubt)));
        for (status, fault) in [
            (StatusCode::BadSensorFailure, Fault::SensorBroken),
            (StatusCode::BadDeviceFailure, Fault::SensorBroken),
            (StatusCode::BadOutOfService, Fault::SensorBroken),
            (StatusCode::Bad, Fault::SensorBroken),
            (StatusCode::BadNoCommunication, Fault::Silent),
            (StatusCode::BadCommunicationError.set_overflow(true), Fault::Silent),
            (StatusCode::BadNodeIdUnknown, Fault::Refused),
            (StatusCode::BadUserAccessDenied, Fault::Refused),
        ] {
            assert_eq!(number_of(taken(60.0, status)), Err(fault), "{status}");
        }
    }

    #[test]
    fn a_wrong_clock_of_the_server_makes_nothing_old_but_its_own_word_that_the_value_is_old_does() {
        let item = item("primary_supply.temperature", "nsu=urn:plc;s=Tps");
        let at = |source: DateTime, server: DateTime| DataValue {
            source_timestamp: Some(source),
            server_timestamp: Some(server),
            ..DataValue::value_only(60.0)
        };
        let most = Some(Duration::from_secs(60));
        let in_1970 = |second| DateTime::ymd_hms(1970, 1, 2, 0, 0, second);
        assert_eq!(Taken::of(&item, most, &at(in_1970(0), in_1970(30))).doubt, None);
        let old = at(DateTime::ymd_hms(2026, 1, 1, 0, 0, 0), DateTime::ymd_hms(2026, 1, 1, 0, 2, 0));
        assert_eq!(Taken::of(&item, most, &old).doubt, Some(Doubt::Stale));
        assert_eq!(Taken::of(&item, None, &old).doubt, None);
        let ahead = at(DateTime::ymd_hms(2099, 1, 1, 0, 0, 0), DateTime::ymd_hms(2026, 1, 1, 0, 0, 0));
        assert_eq!(Taken::of(&item, most, &ahead).doubt, None);
        let undated = DataValue::value_only(60.0);
        assert_eq!(Taken::of(&item, most, &undated).source_time, None);
    }

    #[test]
    fn the_element_of_an_array_is_the_one_that_was_asked_for_whatever_the_server_sends() {
        let element = Item { index: Some(2), ..item("primary_supply.temperature", "nsu=urn:plc;s=T") };
        let of = |value: Variant| Taken::of(&element, None, &DataValue::value_only(value)).value.map(Value::number);
        assert_eq!(of(Variant::from(vec![60.0])), Ok(60.0));
        assert_eq!(of(Variant::from(vec![50.0, 55.0, 60.0])), Ok(60.0));
        assert_eq!(of(Variant::from(vec![50.0, 60.0])), Err(Fault::NotFinite));
        assert_eq!(of(Variant::from(Vec::<f64>::new())), Err(Fault::NotFinite));
        assert_eq!(of(Variant::from(60.0)), Err(Fault::NotFinite));
    }

    #[test]
    fn a_contact_that_opens_when_running_is_turned_round() {
        let contact = Item { inverted: true, ..item("mains.healthy", "nsu=urn:plc;s=M") };
        let of = |value: Variant| Taken::of(&contact, None, &DataValue::value_only(value)).value.map(Value::number);
        assert_eq!((of(Variant::from(false)), of(Variant::from(1_u16))), (Ok(1.0), Ok(0.0)));
    }
}
