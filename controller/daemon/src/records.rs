//! What happened, as records of the journal, and back.
//!
//! Events of the control are written as they are. The program adds its own: starts, stops, configurations. Reading them
//! back folds the season's outages into the same book that live events go into, so that a figure is the same whether the
//! program ran through or was killed a hundred times.

use std::path::Path;

use heatstation_core::Moment;
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage_book::OutageBook;
use heatstation_core::state::OpenOutage;
use serde::{Deserialize, Serialize};

use crate::clock::stamp;
use crate::store::{NewRecord, Order, Reader, RecordError, Selection, StoreError};

/// What the program does itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Deed {
    /// The program was started.
    ProgramStarted {
        /// Whose records these are: the station's id.
        #[serde(default)]
        station: String,
        /// Its version.
        version: String,
        /// The configuration's hash.
        configuration: String,
        /// What was found of the run before this one.
        found: String,
    },
    /// The program was stopped in order.
    ProgramStopped {
        /// Why.
        reason: String,
    },
    /// A configuration came into force.
    ConfigurationLoaded {
        /// Its hash.
        configuration: String,
        /// The hash of the one before; none at the start.
        before: Option<String>,
    },
    /// A changed configuration was refused; the old one stays in force.
    ConfigurationRejected {
        /// The hash that stays in force.
        in_force: String,
        /// The problems, one a line.
        problems: String,
    },
    /// Somebody wrote or called something through a protocol that programs speak. What became of it where it was granted
    /// a hearing stands in `request_granted` or `request_refused`.
    AskedFromOutside {
        /// Which protocol.
        through: String,
        /// The user.
        author: String,
        /// The program that the user came with, as far as it has proven who it is.
        from: String,
        /// The node or method.
        what: String,
        /// What stood there before; empty where there is no such thing.
        before: String,
        /// What was wanted.
        wanted: String,
        /// What the protocol answered.
        answer: String,
    },
}

impl Deed {
    /// The kind of record that this is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Deed::ProgramStarted { .. } => "program_started",
            Deed::ProgramStopped { .. } => "program_stopped",
            Deed::ConfigurationLoaded { .. } => "configuration_loaded",
            Deed::ConfigurationRejected { .. } => "configuration_rejected",
            Deed::AskedFromOutside { .. } => "asked_from_outside",
        }
    }

    /// The deed as a record.
    ///
    /// # Errors
    /// If its texts are longer than a record may be.
    pub fn record(&self, moment: &Moment) -> Result<NewRecord, RecordError> {
        NewRecord::new(self.kind(), stamp(moment), self)
    }
}

/// An event as a record.
///
/// # Errors
/// If its texts are longer than a record may be; requests are cut to size before they come here.
pub fn record_of(event: &Event, moment: &Moment) -> Result<NewRecord, RecordError> {
    NewRecord::new(event.kind(), stamp(moment), event)
}

/// The kinds that the outage book is made from.
const OUTAGE_KINDS: [&str; 4] = ["outage_opened", "outage_closed", "outage_cause_confirmed", "unobserved"];

/// A record that is sound and yet cannot be understood: another version of heatstation wrote it.
#[derive(Debug, thiserror::Error)]
#[error("journal record {sequence} ({kind}) cannot be understood: {source}; another version of heatstation wrote it")]
pub struct Foreign {
    sequence: u64,
    kind: String,
    source: serde_json::Error,
}

/// The book of all outages that the journal knows, and the first record that could not be understood, if there is one. A
/// daemon heats with what it understands; a figure is not made of half the records.
///
/// # Errors
/// The store could not be read.
pub fn read_book(reader: &Reader) -> Result<(OutageBook, Option<Foreign>), StoreError> {
    let selection =
        Selection { kinds: OUTAGE_KINDS.iter().map(|kind| (*kind).to_owned()).collect(), ..Selection::default() };
    let (mut book, mut foreign) = (OutageBook::default(), None);
    for record in reader.records(&selection)? {
        match serde_json::from_str(&record.body) {
            Ok(event) => book.note(&event),
            Err(source) if foreign.is_none() => {
                foreign = Some(Foreign { sequence: record.sequence, kind: record.kind.clone(), source });
            }
            Err(_) => {}
        }
    }
    Ok((book, foreign))
}

/// Whose records these are, as the last start wrote it; none in a new journal.
///
/// # Errors
/// The store could not be read.
pub fn station_of(reader: &Reader) -> Result<Option<String>, StoreError> {
    let selection = Selection {
        kinds: vec!["program_started".to_owned()],
        order: Order::NewestFirst,
        limit: 1,
        ..Selection::default()
    };
    let last = reader.records(&selection)?.pop();
    let deed = last.and_then(|record| serde_json::from_str(&record.body).ok());
    Ok(match deed {
        Some(Deed::ProgramStarted { station, .. }) => Some(station).filter(|station| !station.is_empty()),
        _ => None,
    })
}

/// Opens the records of a station to read them.
///
/// # Errors
/// There are none in that folder, they cannot be read, or they are another station's: a figure made of them would be false.
pub fn open_records(folder: &Path, station: Option<&str>) -> Result<Reader, String> {
    if !folder.join("heatstation.db").is_file() {
        return Err(format!(
            "{}: there are no records (no heatstation.db); name the data folder with --data",
            folder.display()
        ));
    }
    let reader = Reader::open(folder).map_err(|error| error.to_string())?;
    let whose = station_of(&reader).map_err(|error| error.to_string())?;
    match (whose, station) {
        (Some(whose), Some(station)) if whose != station => {
            Err(format!("{}: these are the records of station {whose}, not of {station}", folder.display()))
        }
        _ => Ok(reader),
    }
}

/// Every kind of record that there is.
pub const KINDS: [&str; 21] = [
    "program_started",
    "program_stopped",
    "configuration_loaded",
    "configuration_rejected",
    "outage_opened",
    "outage_closed",
    "outage_cause_confirmed",
    "unobserved",
    "alarm_raised",
    "alarm_cleared",
    "alarm_acknowledged",
    "tripped",
    "trip_ended",
    "stage_changed",
    "pump_started",
    "pump_failed",
    "outdoor_source_changed",
    "request_granted",
    "request_refused",
    "hand_expired",
    "asked_from_outside",
];

/// The outages that are open at a start, with the time that has passed meanwhile on the wall clock.
pub fn open_outages(book: &OutageBook, last_seen: UtcMillis, now: UtcMillis) -> Vec<OpenOutage> {
    book.open()
        .map(|outage| OpenOutage {
            outage: outage.id,
            lasted: now.since(outage.id.since),
            unobserved: now.since(last_seen.max(outage.id.since)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_core::alarm::{Alarm, AlarmKey, Place};
    use heatstation_core::area::Area;
    use heatstation_core::moment::{Day, LocalTime};
    use heatstation_core::outage::{Cause, OutageId};
    use heatstation_points::{Celsius, CircuitIndex};
    use std::time::Duration;

    #[test]
    fn events_come_back_from_json_as_they_were() {
        let outage = OutageId { circuit: CircuitIndex(1), since: UtcMillis(1_795_000_000_123) };
        let events = [
            Event::OutageOpened {
                outage,
                area: Area::from_hundredths(8_600_012),
                suggested: Cause::EnterpriseAccident,
                lasted: Duration::from_millis(600_001),
                supply: Some(Celsius(21.3)),
            },
            Event::AlarmRaised {
                alarm: AlarmKey { alarm: Alarm::NoCirculation, place: Place::Circuit(CircuitIndex(0)) },
            },
        ];
        let local = LocalTime::on(Day(4), 0);
        let moment = Moment { monotonic: Duration::from_secs(5), wall: UtcMillis(7), local };
        for event in events {
            record_of(&event, &moment).unwrap();
            let body = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&body).unwrap(), event, "{body}");
        }
    }

    #[test]
    fn an_open_outage_goes_on_over_a_restart() {
        let mut book = OutageBook::default();
        let outage = OutageId { circuit: CircuitIndex(0), since: UtcMillis(1_000_000) };
        book.note(&Event::OutageOpened {
            outage,
            area: Area::from_square_meters(10),
            suggested: Cause::Unknown,
            lasted: Duration::ZERO,
            supply: None,
        });
        let open = open_outages(&book, UtcMillis(1_600_000), UtcMillis(1_660_000));
        let (lasted, unobserved) = (Duration::from_secs(660), Duration::from_secs(60));
        assert_eq!(open, [OpenOutage { outage, lasted, unobserved }]);
    }
}
