//! Alarms as events: raised, acknowledged, over; each says which alarm, where, how urgent, in Chinese and English.
//!
//! # Why events of our own type, and no conditions
//! Part 9 conditions promise more than a node with a state: `ConditionRefresh`, branches, confirmation, shelving, each of
//! which a client may call. The library has none of it, and half of a condition is worse than none (clients wait for a
//! refresh that never comes). So an alarm is an event of a subtype of `BaseEventType` with the states as plain fields, the
//! list of active alarms is a set of variables (`Alarms.*`) that a client reads when it connects, and acknowledging is a
//! method of the station.

use std::collections::BTreeMap;

use heatstation_core::alarm::{ActiveAlarm, AlarmKey, Place, Priority};
use heatstation_points::{Catalogue, CircuitIndex};
use opcua::nodes::Event;
use opcua::types::event_field::EventField;
use opcua::types::{
    AttributeId, ByteString, DateTime, LocalizedText, NodeId, NumericRange, ObjectTypeId, QualifiedName, Variant,
};

use super::board::time_of;
use super::names::{Names, alarm_id};

/// The fields that an alarm's event has beside those of every event, with their browse names.
pub const FIELDS: [&str; 4] = ["AlarmId", "Active", "Acknowledged", "Priority"];

/// How urgent, on the scale of OPC UA: 801 to 1000 is high, 601 to 800 medium high, and so on (OPC 10000-5, 6.4.2).
pub const fn severity_of(priority: Priority) -> u16 {
    match priority {
        Priority::P1 => 900,
        Priority::P2 => 700,
        Priority::P3 => 400,
        Priority::P4 => 100,
    }
}

/// What an alarm says, in Chinese and English, with its place.
pub fn message_of(catalogue: &Catalogue, key: AlarmKey) -> LocalizedText {
    let (chinese, english) = key.alarm.texts();
    let place = place_of(catalogue, key.place);
    LocalizedText::new("", &format!("{place}{chinese} / {english}"))
}

fn place_of(catalogue: &Catalogue, place: Place) -> String {
    let circuit = |CircuitIndex(index)| catalogue.circuits().get(index).map_or("?", |names| names.name.as_str());
    match place {
        Place::Station => String::new(),
        Place::Circuit(c) => format!("{}: ", circuit(c)),
        Place::CirculationPump(c, pump) => format!("{} {}#循环泵: ", circuit(c), pump.0 + 1),
        Place::MakeUpPump(c, pump) => format!("{} {}#补水泵: ", circuit(c), pump.0 + 1),
    }
}

/// The type of the events.
pub fn event_type(names: &Names) -> NodeId {
    NodeId::new(names.index, "StationAlarmEventType")
}

/// One event.
#[derive(Debug)]
pub struct AlarmEvent {
    event_type: NodeId,
    event_id: ByteString,
    source: NodeId,
    source_name: String,
    time: DateTime,
    received: DateTime,
    message: LocalizedText,
    severity: u16,
    alarm: String,
    active: bool,
    acknowledged: bool,
    priority: Priority,
}

impl AlarmEvent {
    /// The node that it comes from.
    pub fn source(&self) -> &NodeId {
        &self.source
    }
}

impl EventField for AlarmEvent {
    fn get_value(&self, attribute: AttributeId, _: &NumericRange, path: &[QualifiedName]) -> Variant {
        let [field] = path else { return Variant::Empty };
        if attribute != AttributeId::Value {
            return Variant::Empty;
        }
        match field.name.as_ref() {
            "EventId" => self.event_id.clone().into(),
            "EventType" => self.event_type.clone().into(),
            "SourceNode" => self.source.clone().into(),
            "SourceName" => self.source_name.as_str().into(),
            "Time" => self.time.into(),
            "ReceiveTime" => self.received.into(),
            "Message" => self.message.clone().into(),
            "Severity" => self.severity.into(),
            "AlarmId" => self.alarm.as_str().into(),
            "Active" => self.active.into(),
            "Acknowledged" => self.acknowledged.into(),
            "Priority" => self.priority.name().into(),
            _ => Variant::Empty,
        }
    }
}

impl Event for AlarmEvent {
    fn get_field(
        &self,
        type_definition: &NodeId,
        attribute: AttributeId,
        range: &NumericRange,
        path: &[QualifiedName],
    ) -> Variant {
        // Clients ask for fields by the type that declares them, or by the base of all events for everything.
        if *type_definition == self.event_type || *type_definition == ObjectTypeId::BaseEventType {
            self.get_value(attribute, range, path)
        } else {
            Variant::Empty
        }
    }

    fn time(&self) -> &DateTime {
        &self.time
    }

    fn event_type_id(&self) -> &NodeId {
        &self.event_type
    }
}

/// What was seen last of the alarms, so that changes become events. Bounded by the catalogue of alarms times the places.
#[derive(Debug, Default)]
pub struct Watch {
    seen: BTreeMap<AlarmKey, ActiveAlarm>,
    count: u64,
    begun: bool,
}

impl Watch {
    /// What has changed since the last look. The first look tells of what is active already: who subscribed before a
    /// restart of the program hears what stands.
    pub fn look(
        &mut self,
        names: &Names,
        station: &str,
        catalogue: &Catalogue,
        active: &[ActiveAlarm],
        wall_milliseconds: i64,
    ) -> Vec<AlarmEvent> {
        let now: BTreeMap<AlarmKey, ActiveAlarm> = active.iter().map(|alarm| (alarm.key, *alarm)).collect();
        let changed = now.values().filter(|alarm| {
            self.seen
                .get(&alarm.key)
                .is_none_or(|before| (before.acknowledged, before.since) != (alarm.acknowledged, alarm.since))
        });
        let gone = self.seen.values().filter(|alarm| !now.contains_key(&alarm.key));
        let told: Vec<(ActiveAlarm, bool)> =
            changed.map(|alarm| (*alarm, true)).chain(gone.map(|alarm| (*alarm, false))).collect();
        let events = told
            .into_iter()
            .map(|(alarm, is_active)| {
                self.count += 1;
                AlarmEvent {
                    event_type: event_type(names),
                    // Never the same twice, over restarts too: the wall clock never stands before the last record.
                    event_id: ByteString::from(format!("{wall_milliseconds}-{}", self.count).as_bytes()),
                    source: names.station(),
                    source_name: station.to_owned(),
                    time: time_of(if is_active && !alarm.acknowledged { alarm.since.0 } else { wall_milliseconds }),
                    received: time_of(wall_milliseconds),
                    message: message_of(catalogue, alarm.key),
                    severity: severity_of(alarm.key.alarm.priority()),
                    alarm: alarm_id(catalogue, alarm.key),
                    active: is_active,
                    acknowledged: alarm.acknowledged,
                    priority: alarm.key.alarm.priority(),
                }
            })
            .collect();
        (self.seen, self.begun) = (now, true);
        events
    }
}

#[cfg(test)]
mod tests {
    use heatstation_core::alarm::Alarm;
    use heatstation_core::moment::UtcMillis;
    use heatstation_points::CircuitNames;

    use super::*;

    #[test]
    fn an_alarm_is_told_of_when_it_comes_when_somebody_has_seen_it_and_when_it_goes() {
        let names = Names { index: 2, station: "k12".to_owned() };
        let circuit = CircuitNames { name: "low".to_owned(), ..CircuitNames::default() };
        let catalogue = Catalogue::new(vec![circuit], vec![]).unwrap();
        let key = AlarmKey { alarm: Alarm::PressureLowLow, place: Place::Circuit(CircuitIndex(0)) };
        let new = ActiveAlarm { key, since: UtcMillis(1000), acknowledged: false };
        let seen = ActiveAlarm { acknowledged: true, ..new };
        let mut watch = Watch::default();
        let mut told = Vec::new();
        for (wall, active) in [(1000, vec![new]), (2000, vec![new]), (3000, vec![seen]), (4000, vec![]), (5000, vec![])]
        {
            for event in watch.look(&names, "k12", &catalogue, &active, wall) {
                told.push((wall, event.active, event.acknowledged, event.severity, event.alarm.clone()));
            }
        }
        let id = || "pressure_low_low@low".to_owned();
        assert_eq!(
            told,
            [(1000, true, false, 900, id()), (3000, true, true, 900, id()), (4000, false, true, 900, id())]
        );
    }

    #[test]
    fn fields_are_found_by_the_base_type_and_by_their_own() {
        let names = Names { index: 2, station: "k12".to_owned() };
        let catalogue = Catalogue::new(vec![], vec![]).unwrap();
        let key = AlarmKey { alarm: Alarm::DeviceSilent, place: Place::Station };
        let active = [ActiveAlarm { key, since: UtcMillis(0), acknowledged: false }];
        let event = Watch::default().look(&names, "k12", &catalogue, &active, 0).pop().unwrap();
        let field = |of: &NodeId, name: &str| {
            event.get_field(of, AttributeId::Value, &NumericRange::None, &[QualifiedName::new(names.index, name)])
        };
        for name in FIELDS {
            assert_ne!(field(&event_type(&names), name), Variant::Empty, "{name}");
        }
        let base: NodeId = ObjectTypeId::BaseEventType.into();
        assert_eq!(field(&base, "Severity"), Variant::UInt16(700));
        assert_eq!(field(&ObjectTypeId::ConditionType.into(), "Severity"), Variant::Empty);
    }
}
