//! What the control says of the station as a whole.

use heatstation_core::accident_rate::AccidentRate;
use heatstation_points::{Quantity, Unit};
use opcua::types::{Array, DataTypeId, LocalizedText, Range, Variant, VariantScalarTypeId as ScalarTypeId};

use super::{Board, Handle, Kind, Row, Said, time_of};
use crate::opcua_server::alarms::{message_of, severity_of};
use crate::opcua_server::names::alarm_id;
use crate::opcua_server::units::CELSIUS;
use crate::opcua_server::wishes::Method;
use crate::snapshot::Snapshot;

type Of = fn(&Snapshot) -> Said;

const OUTDOOR: Range = Range { low: -60.0, high: 60.0 };

pub(super) fn rows(board: &mut Board) {
    let plain = Kind::Plain;
    let mut add = |path: &str, chinese: &str, english: &str, kind: Kind, of: Of| {
        let (under, browse) = match path.rsplit_once('.') {
            Some((folder, last)) => (board.names.of_station(folder), last),
            None => (board.names.station(), path),
        };
        if path.contains('.') && !board.shelves.iter().any(|shelf| shelf.id == under) {
            let folder = path.split('.').next().unwrap_or_default();
            board.shelf(under.clone(), board.names.station(), folder, folder);
        }
        board.rows.push(Row {
            id: board.names.of_station(path),
            under,
            browse: browse.to_owned(),
            chinese: chinese.to_owned(),
            english: english.to_owned(),
            kind,
            setpoint: None,
            source: Box::new(of),
        });
    };
    add("Name", "站名", "what people call the station", plain(DataTypeId::String), |s| {
        Said::good(s.facts.name.as_str())
    });
    add("Configuration", "配置指纹", "SHA-256 of the settings in force", plain(DataTypeId::String), |s| {
        Said::good(s.facts.configuration_hash.as_str())
    });
    add("InSeason", "供热季", "whether heat is due by the calendar", Kind::Switch, |s| {
        Said::good(s.report.in_season)
    });
    add("HeatingTime", "供热期", "why the station heats", plain(DataTypeId::String), |s| {
        Said::good(s.report.heating_time.name())
    });
    add(
        "Outdoor.Used",
        "采用室外温度",
        "the outdoor temperature that is used",
        Kind::Analog(CELSIUS, OUTDOOR),
        |s| Said::good(s.report.outdoor.now.number()),
    );
    add("Outdoor.Smoothed", "滤波室外温度", "what the curve looks at", Kind::Analog(CELSIUS, OUTDOOR), |s| {
        Said::good(s.report.outdoor.filtered.number())
    });
    add("Outdoor.Source", "室外温度来源", "where it comes from", plain(DataTypeId::String), |s| {
        Said::good(s.report.outdoor.source.name())
    });
    add(
        "AccidentRate",
        "运行事故率",
        "the accident rate of the season, a ratio",
        plain(DataTypeId::Double),
        |s| Said::maybe(s.accident_rate.as_ref().map(AccidentRate::ratio)),
    );
    add("Alarms.Count", "报警数", "how many alarms are active", plain(DataTypeId::UInt32), |s| {
        Said::good(u32::try_from(s.report.alarms.len()).unwrap_or(u32::MAX))
    });
    add("Alarms.Unacknowledged", "未确认报警数", "how many nobody has seen", plain(DataTypeId::UInt32), |s| {
        let new = s.report.alarms.iter().filter(|alarm| !alarm.acknowledged).count();
        Said::good(u32::try_from(new).unwrap_or(u32::MAX))
    });
    add("Alarms.Active", "活动报警", "the active alarms, most urgent first", Kind::List(DataTypeId::String), |s| {
        let ids = s.report.alarms.iter().map(|alarm| alarm_id(&s.facts.catalogue, alarm.key));
        Said::good(list(ScalarTypeId::String, ids.map(Variant::from)))
    });
    add(
        "Alarms.Messages",
        "报警内容",
        "what they say, in Chinese and English",
        Kind::List(DataTypeId::LocalizedText),
        |s| {
            let texts = s.report.alarms.iter().map(|alarm| Variant::from(message_of(&s.facts.catalogue, alarm.key)));
            Said::good(list(ScalarTypeId::LocalizedText, texts))
        },
    );
    add("Alarms.Severities", "报警级别", "how urgent they are, 1 to 1000", Kind::List(DataTypeId::UInt16), |s| {
        let numbers = s.report.alarms.iter().map(|alarm| Variant::from(severity_of(alarm.key.alarm.priority())));
        Said::good(list(ScalarTypeId::UInt16, numbers))
    });
    add("Alarms.Since", "报警时间", "since when they are active", Kind::List(DataTypeId::UtcTime), |s| {
        let times = s.report.alarms.iter().map(|alarm| Variant::from(time_of(alarm.since.0)));
        Said::good(list(ScalarTypeId::DateTime, times))
    });
    add(
        "Alarms.Acknowledged",
        "报警已确认",
        "whether a person has seen them",
        Kind::List(DataTypeId::Boolean),
        |s| {
            Said::good(list(
                ScalarTypeId::Boolean,
                s.report.alarms.iter().map(|alarm| Variant::from(alarm.acknowledged)),
            ))
        },
    );
    for method in [Method::AcknowledgeAlarm, Method::StayConnected] {
        let id = board.names.of_station(method.name());
        board.handles.push(Handle { id, under: board.names.station(), method });
    }
}

/// A list of one type; an empty one too says of what.
fn list(of: ScalarTypeId, values: impl Iterator<Item = Variant>) -> Variant {
    Array::new(of, values.collect::<Vec<_>>()).map_or(Variant::Empty, |array| Variant::Array(Box::new(array)))
}

/// The title of a message's language is left out: it is in both.
pub(super) fn text(chinese: &str, english: &str) -> LocalizedText {
    LocalizedText::new("", &format!("{chinese} / {english}"))
}

/// The factor of the unit on the page.
pub(super) fn displayed(unit: Unit, number: f64) -> f64 {
    number * unit.display().1
}
