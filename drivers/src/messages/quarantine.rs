//! Ids that nobody knows: counted and listed so that somebody may enter them, and never used.
//!
//! The list is bounded. When it is full a newcomer is only counted, so that a flood of invented ids does not push out the
//! one sensor that a fitter is looking for; what was not seen for a day makes room.

use std::sync::Arc;

/// The most ids that are listed. A block of flats has a hundred sensors; more unknown ones are another station's.
pub const LISTED_MAX: usize = 100;
/// What was not heard for so long is not listed any more.
const FORGOTTEN_AFTER_MILLISECONDS: i64 = 24 * 3600 * 1000;

/// An id that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The id: a topic, or the id in a record.
    pub id: String,
    /// How often it came.
    pub times: u64,
    /// When it came first, milliseconds since 1970 in UTC.
    pub first_milliseconds: i64,
    /// When it came last.
    pub last_milliseconds: i64,
    /// What it said last.
    pub example: String,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    listed: Vec<Stranger>,
}

impl Quarantine {
    /// Notes an id. `example` is made only when it is listed.
    pub fn note(&mut self, id: &str, example: impl FnOnce() -> String, wall_milliseconds: i64) {
        if let Some(known) = self.listed.iter_mut().find(|stranger| stranger.id == id) {
            known.times += 1;
            known.last_milliseconds = wall_milliseconds;
            known.example = example();
            return;
        }
        if self.listed.len() >= LISTED_MAX {
            let kept = |stranger: &Stranger| {
                wall_milliseconds.saturating_sub(stranger.last_milliseconds) < FORGOTTEN_AFTER_MILLISECONDS
            };
            self.listed.retain(kept);
        }
        if self.listed.len() < LISTED_MAX {
            self.listed.push(Stranger {
                id: id.to_owned(),
                times: 1,
                first_milliseconds: wall_milliseconds,
                last_milliseconds: wall_milliseconds,
                example: example(),
            });
        }
    }

    /// All that are listed, the first that came first.
    pub fn listed(&self) -> Arc<[Stranger]> {
        self.listed.as_slice().into()
    }
}
