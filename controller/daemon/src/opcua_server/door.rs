//! The one way from a client to the station: a wish goes into the same bounded mailbox as everybody's, and the answer is
//! read from the reports.
//!
//! ```text
//!  write, call --[ who? ]--[ in range? ]--[ not too often? ]--> mailbox --> step --> report --> answer
//!                    `------------`---------------`--> refused at the door, on record too
//! ```
//!
//! # Why this shape
//! An [`Operator`] is the only thing that can file a wish, and the only way to one is a session that signs and encrypts
//! and whose user has the role. A reader without encryption is thus kept from writing by the type of what it lacks, not by
//! a list of nodes that somebody may forget to extend.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heatstation_config::{OpcuaRole, OpcuaServerSettings};
use heatstation_core::correction::Correction;
use heatstation_core::event::Event;
use heatstation_core::request::{Origin, Refusal, Request, Wish};
use heatstation_points::CircuitIndex;
use opcua::server::node_manager::RequestContext;
use opcua::types::{MessageSecurityMode, StatusCode};
use tokio::sync::{mpsc, watch};

use super::board::Answers;
use super::counters::Counters;
use super::wishes::{correction_of, name_of_refusal};
use crate::clock::Clock;
use crate::records::Deed;
use crate::snapshot::{Snapshot, Snapshots};
use crate::store::Store;

/// Wishes a minute, as many as the core takes from one origin: what comes faster would be refused there and only keep
/// others from the mailbox.
const WISHES_PER_MINUTE: f64 = 6.0;
/// Records a minute of what was refused at the door: a client that writes without right must not fill the journal.
const REFUSALS_ON_RECORD_PER_MINUTE: f64 = 6.0;
/// Answers that are kept for reading.
const ANSWERS_MAX: usize = 16;

/// A user who may ask, on a channel that signs and encrypts.
#[derive(Clone, Debug)]
pub struct Operator {
    name: String,
    from: String,
}

/// Who calls, as the records say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's name.
    pub name: String,
    /// The program that it calls from, by its certificate.
    pub from: String,
}

/// How far a wish got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for the next cycle.
    Waiting,
    /// The core granted it.
    Granted,
    /// The core refused it.
    Refused(Refusal),
}

/// A wish that was filed.
#[derive(Clone, Debug)]
pub struct Filed {
    /// Its number, since the start.
    pub ticket: u64,
    /// Who asked.
    pub author: String,
    /// The node or method.
    pub what: String,
    /// What was wanted.
    pub wanted: String,
    /// When, on the station's wall clock.
    pub at: i64,
    /// How far it got.
    pub outcome: Outcome,
}

/// A bucket that leaks: so many a minute, and not more at once.
#[derive(Debug)]
pub(super) struct Bucket {
    per_minute: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn new(per_minute: f64) -> Bucket {
        Bucket { per_minute, level: 0.0, at: Instant::now() }
    }

    /// Whether one more fits.
    pub(super) fn takes(&mut self, now: Instant) -> bool {
        let leaked = now.saturating_duration_since(self.at).as_secs_f64() * self.per_minute / 60.0;
        (self.level, self.at) = ((self.level - leaked).max(0.0), now);
        let fits = self.level + 1.0 <= self.per_minute;
        if fits {
            self.level += 1.0;
        }
        fits
    }
}

#[derive(Debug)]
struct Inside {
    wishes: Bucket,
    refusals_on_record: Bucket,
    tickets: u64,
    answers: VecDeque<Filed>,
    /// What was last asked of a curve, and in which cycle: a second number of the same message corrects the first one's
    /// curve, not that of the snapshot, which has heard of neither.
    corrections: HashMap<CircuitIndex, (Correction, u64)>,
}

/// The door.
pub struct Door {
    origin: Origin,
    wish_lasts: Duration,
    roles: HashMap<String, OpcuaRole>,
    snapshots: Snapshots,
    requests: mpsc::Sender<Request>,
    store: Arc<Store>,
    clock: Clock,
    counters: Arc<Counters>,
    inside: Mutex<Inside>,
    answered: watch::Sender<u64>,
}

impl Door {
    /// A door for the users of these settings.
    pub fn new(
        settings: &OpcuaServerSettings,
        snapshots: Snapshots,
        requests: mpsc::Sender<Request>,
        (store, clock): (Arc<Store>, Clock),
        counters: Arc<Counters>,
    ) -> Door {
        Door {
            origin: settings.origin,
            wish_lasts: settings.wish_lasts,
            roles: settings.users.iter().map(|user| (user.name.clone(), user.role)).collect(),
            snapshots,
            requests,
            store,
            clock,
            counters,
            inside: Mutex::new(Inside {
                wishes: Bucket::new(WISHES_PER_MINUTE),
                refusals_on_record: Bucket::new(REFUSALS_ON_RECORD_PER_MINUTE),
                tickets: 0,
                answers: VecDeque::new(),
                corrections: HashMap::new(),
            }),
            answered: watch::Sender::new(0),
        }
    }

    /// As whom users are heard.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// How long a written wish lives.
    pub fn wish_lasts(&self) -> Duration {
        self.wish_lasts
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshots.borrow().clone()
    }

    /// Where snapshots are taken from.
    pub fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }

    /// What a user may do; none for one that is not in the settings.
    pub fn role(&self, user: &str) -> Option<OpcuaRole> {
        self.roles.get(user).copied()
    }

    /// Who calls.
    pub fn caller(context: &RequestContext) -> Caller {
        let session = context.session.read();
        let program = session.application_description().application_uri.as_ref();
        // The URI is what the client says of itself; the certificate is what it has proven.
        let proven = session.client_certificate().map(|certificate| certificate.thumbprint().as_hex_string());
        let from = match proven {
            Some(thumbprint) => format!("{} [{}]", shortened(program, 80), &thumbprint[..thumbprint.len().min(16)]),
            None => shortened(program, 80),
        };
        Caller { name: context.token.0.clone(), from }
    }

    /// Whether a caller may ask.
    pub fn operator(&self, context: &RequestContext) -> Option<Operator> {
        let encrypts = context.session.read().message_security_mode() == MessageSecurityMode::SignAndEncrypt;
        let Caller { name, from } = Door::caller(context);
        (encrypts && self.role(&name) == Some(OpcuaRole::Operate)).then_some(Operator { name, from })
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The correction that a written number starts from.
    pub fn correction(&self, snapshot: &Snapshot, circuit: CircuitIndex) -> Correction {
        let asked = self.inside().corrections.get(&circuit).copied();
        match asked {
            Some((correction, cycle)) if snapshot.cycle.count <= cycle + 1 => correction,
            _ => snapshot
                .report
                .circuits
                .get(circuit.0)
                .map_or_else(Correction::default, |report| correction_of(report, self.origin)),
        }
    }

    /// Files a wish. Its ticket, by which the answer is found.
    ///
    /// # Errors
    /// Too many a minute, or the mailbox is full: `BadTooManyOperations`.
    pub fn file(&self, operator: &Operator, wish: &Wish, asked: &Asked) -> Result<u64, StatusCode> {
        let count = self.snapshot().map_or(0, |snapshot| snapshot.cycle.count);
        let ticket = {
            let mut inside = self.inside();
            if !inside.wishes.takes(Instant::now()) {
                return Err(StatusCode::BadTooManyOperations);
            }
            inside.tickets += 1;
            inside.tickets
        };
        // The mark in the reason is how the answer is found again, in the reports and in the journal.
        let reason = format!("{} {}", asked.reason, mark_of(ticket, operator)).trim().to_owned();
        let request = Request { origin: self.origin, author: operator.name.clone(), reason, wish: wish.clone() };
        self.requests.try_send(request).map_err(|_| StatusCode::BadTooManyOperations)?;
        let mut inside = self.inside();
        if let Wish::CorrectCurve { circuit, correction, .. } = wish {
            inside.corrections.insert(*circuit, (*correction, count));
        }
        // A sign of life that is granted is no event.
        let outcome = if *wish == Wish::StayConnected { Outcome::Granted } else { Outcome::Waiting };
        if inside.answers.len() >= ANSWERS_MAX {
            inside.answers.pop_front();
        }
        let at = self.clock.now().wall.0;
        let (author, what, wanted) = (operator.name.clone(), asked.what.clone(), asked.wanted.clone());
        inside.answers.push_back(Filed { ticket, author, what, wanted, at, outcome });
        Ok(ticket)
    }

    /// Notes what a report answers. Tickets that are answered are told to who waits.
    pub fn hear(&self, snapshot: &Snapshot) {
        let answers = snapshot.report.events.iter().filter_map(|event| match event {
            Event::RequestGranted { request } => Some((request, Outcome::Granted)),
            Event::RequestRefused { request, refusal } => Some((request, Outcome::Refused(*refusal))),
            _ => None,
        });
        let mut last = None;
        for (request, outcome) in answers {
            let Some(ticket) = ticket_of(&request.reason) else { continue };
            let mut inside = self.inside();
            // Somebody else may write what looks like a mark: the author must be the same.
            let filed =
                inside.answers.iter_mut().find(|filed| filed.ticket == ticket && filed.author == request.author);
            if let Some(filed) = filed {
                filed.outcome = outcome;
                last = Some(ticket);
            }
            if let Outcome::Refused(_) = outcome {
                self.counters.note_refused();
            }
        }
        if let Some(ticket) = last {
            self.answered.send_replace(ticket);
        }
    }

    /// What became of a wish, or that it still waits when the time is up.
    pub async fn outcome(&self, ticket: u64, within: Duration) -> Outcome {
        let mut answered = self.answered.subscribe();
        let known = || {
            let inside = self.inside();
            let filed = inside.answers.iter().find(|filed| filed.ticket == ticket);
            filed.map_or(Outcome::Waiting, |filed| filed.outcome)
        };
        let wait = async {
            loop {
                let outcome = known();
                if outcome != Outcome::Waiting || answered.changed().await.is_err() {
                    return outcome;
                }
            }
        };
        tokio::time::timeout(within, wait).await.unwrap_or(Outcome::Waiting)
    }

    /// Leaves a record of a write or a call, whatever became of it. Of what is refused only so many a minute are kept; the
    /// counters have all.
    pub fn record(&self, caller: &Caller, asked: &Asked, answer: StatusCode) {
        if answer.is_good() {
            self.counters.note_filed();
        } else {
            self.counters.note_refused();
            if !self.inside().refusals_on_record.takes(Instant::now()) {
                return;
            }
        }
        let deed = Deed::AskedFromOutside {
            through: "opcua".to_owned(),
            author: shortened(&caller.name, 80),
            from: caller.from.clone(),
            what: shortened(&asked.what, 200),
            before: asked.before.clone(),
            wanted: shortened(&asked.wanted, 300),
            answer: answer.to_string(),
        };
        match deed.record(&self.clock.now()) {
            // Whether it is on disk is the store's alarm, not the client's business.
            Ok(record) => drop(self.store.append(vec![record])),
            Err(error) => tracing::error!(%error, "a write through OPC UA could not be recorded"),
        }
        tracing::info!(author = caller.name, from = caller.from, what = asked.what, wanted = asked.wanted, %answer, "OPC UA");
    }
}

impl Answers for Door {
    fn answers(&self) -> Vec<Filed> {
        self.inside().answers.iter().cloned().collect()
    }
}

/// What was asked, as the records say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The node or method.
    pub what: String,
    /// What it was before; empty where there is no such thing.
    pub before: String,
    /// What was wanted.
    pub wanted: String,
    /// Why.
    pub reason: String,
}

impl Outcome {
    /// As a client reads it.
    pub fn words(self) -> String {
        match self {
            Outcome::Waiting => "waiting".to_owned(),
            Outcome::Granted => "granted".to_owned(),
            Outcome::Refused(refusal) => format!("refused: {}", name_of_refusal(refusal)),
        }
    }
}

fn mark_of(ticket: u64, operator: &Operator) -> String {
    format!("(OPC UA #{ticket}, {})", operator.from)
}

/// The ticket in the mark at the end of a reason.
fn ticket_of(reason: &str) -> Option<u64> {
    let (_, mark) = reason.rsplit_once("(OPC UA #")?;
    mark.split_once(',')?.0.parse().ok()
}

fn shortened(text: &str, letters: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_so_many_at_once_and_so_many_a_minute() {
        let mut bucket = Bucket::new(6.0);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let taken = (0..10).filter(|_| bucket.takes(at(0))).count();
        assert_eq!(taken, 6);
        assert!(!bucket.takes(at(9)) && bucket.takes(at(11)) && !bucket.takes(at(12)));
        let in_an_hour = (12..3612).filter(|&second| bucket.takes(at(second))).count();
        assert!((355..=361).contains(&in_an_hour), "{in_an_hour}");
    }

    #[test]
    fn an_answer_is_found_by_the_last_mark_of_a_reason() {
        let operator = Operator { name: "scada".to_owned(), from: "urn:x [ab]".to_owned() };
        let forged = format!("(OPC UA #7, urn:y) {}", mark_of(12, &operator));
        assert_eq!((ticket_of(&forged), ticket_of("no mark"), ticket_of("(OPC UA #x, y)")), (Some(12), None, None));
    }
}
