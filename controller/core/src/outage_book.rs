//! The outages of a season, folded from journal records: the same whether they happen now or are read back.

use std::collections::BTreeMap;
use std::time::Duration;

use heatstation_points::CircuitIndex;
use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::event::Event;
use crate::moment::UtcMillis;
use crate::outage::{Cause, OutageId};

/// One outage as the records tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Its name.
    pub id: OutageId,
    /// The area without heat.
    pub area: Area,
    /// What was suggested when it was found.
    pub suggested: Cause,
    /// What a person confirmed, else unknown.
    pub cause: Cause,
    /// When it ended, and how long it was by the monotonic clock; `None` while it lasts.
    pub ended: Option<(UtcMillis, Duration)>,
}

/// A stretch in which nobody could tell whether heat arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which circuit.
    pub circuit: CircuitIndex,
    /// From when.
    pub from: UtcMillis,
    /// How long.
    pub lasted: Duration,
    /// The area behind that circuit.
    pub area: Area,
}

/// All outages and gaps that the records tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageBook {
    outages: BTreeMap<OutageId, Outage>,
    gaps: Vec<Gap>,
}

impl OutageBook {
    /// Takes note of an event. Events that are not about outages change nothing.
    pub fn note(&mut self, event: &Event) {
        match *event {
            Event::OutageOpened { outage, area, suggested, .. } => {
                let record = Outage { id: outage, area, suggested, cause: Cause::Unknown, ended: None };
                self.outages.entry(outage).or_insert(record);
            }
            Event::OutageClosed { outage, area, ended, lasted, .. } => {
                // A closing without its opening is a damaged log; the outage still happened, so it is kept.
                let record = Outage { id: outage, area, suggested: Cause::Unknown, cause: Cause::Unknown, ended: None };
                self.outages.entry(outage).or_insert(record).ended = Some((ended, lasted));
            }
            Event::OutageCauseConfirmed { outage, cause, .. } => {
                if let Some(record) = self.outages.get_mut(&outage) {
                    record.cause = cause;
                }
            }
            Event::Unobserved { circuit, from, lasted, area } => {
                self.gaps.push(Gap { circuit, from, lasted, area });
            }
            _ => {}
        }
    }

    /// The outages, oldest first within a circuit.
    pub fn outages(&self) -> impl Iterator<Item = &Outage> {
        self.outages.values()
    }

    /// The stretches in which nobody could tell.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// One outage.
    pub fn get(&self, id: OutageId) -> Option<&Outage> {
        self.outages.get(&id)
    }

    /// Those that last now.
    pub fn open(&self) -> impl Iterator<Item = &Outage> {
        self.outages.values().filter(|outage| outage.ended.is_none())
    }
}
