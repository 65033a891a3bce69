//! The loop: read, decide, record, command, show. The only place where all of it meets.
//!
//! Control never waits for disk, network, log or a lock held by others: records have 200 ms to become durable before the
//! outputs that they caused leave, and after that control goes on and an alarm says so.

use std::sync::Arc;
use std::time::Duration;

use heatstation_core::accident_rate::accident_rate;
use heatstation_core::actuator::Motor;
use heatstation_core::outage_book::{Outage, OutageBook};
use heatstation_core::request::Request;
use heatstation_core::step::Health;
use heatstation_core::{Inputs, Moment, Report, State, step_reusing};
use heatstation_drivers::output::{DesiredOutput, DesiredOutputs, Urgency};
use heatstation_points::{CircuitOutput, Point, Quantity, Ratio, Reading, Readings, Sample, Switch, Value};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::clock::{Clock, stamp};
use crate::field::Field;
use crate::foresight::Foresight;
use crate::records::record_of;
use crate::snapshot::{CYCLE_BUCKETS, CommandShown, CycleShown, Facts, NOTICEABLY_LATE, Snapshot};
use crate::store::{NewRecord, Store};
use crate::telemetry::Telemetry;
use crate::urgency;

/// The period of the cycle: safety asks for one second.
pub const PERIOD: Duration = Duration::from_secs(1);
/// How long records may take before the outputs leave without them.
const RECORDS_WITHIN: Duration = Duration::from_millis(200);
/// How long the end of the program waits for motors to be told to stand still.
const REST_WITHIN: Duration = Duration::from_secs(2);
/// Requests taken in one cycle; more wait for the next.
const REQUESTS_MAX: usize = 32;
/// How long a state is kept before it is saved again.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// What the loop is told from outside.
#[derive(Debug)]
pub enum Order {
    /// Take another configuration into force, all of it, from the next cycle on.
    Adopt(Box<Adoption>),
    /// A changed configuration was refused.
    Rejected(Vec<NewRecord>),
}

/// A configuration on its way into force.
#[derive(Debug)]
pub struct Adoption {
    /// What is shown of it.
    pub facts: Arc<Facts>,
    /// Its wires, running; none if they are the same as before and simply go on.
    pub field: Option<Field>,
    /// What the history records.
    pub telemetry: Telemetry,
    /// The records of its coming into force.
    pub records: Vec<NewRecord>,
}

/// The loop and all that it holds.
pub struct Cycle {
    /// The two clocks.
    pub clock: Clock,
    /// What does not change from cycle to cycle.
    pub facts: Arc<Facts>,
    /// The wires and the image of what they read.
    pub field: Field,
    /// What the history records.
    pub telemetry: Telemetry,
    /// The records and the state on disk.
    pub store: Arc<Store>,
    /// The outages of the season.
    pub book: OutageBook,
    /// What the control remembers.
    pub state: State,
    /// Wishes from people and dispatch.
    pub requests: mpsc::Receiver<Request>,
    /// What a meteorological service foresees.
    pub foresight: Foresight,
    /// Orders from the program around the loop.
    pub orders: mpsc::Receiver<Order>,
    /// Where the cycle is shown.
    pub shown: watch::Sender<Option<Arc<Snapshot>>>,
    /// Records that are written with the first cycle: the start, gaps of observation.
    pub first_records: Vec<NewRecord>,
}

/// What the loop counts about itself.
#[derive(Default)]
struct Pulse {
    shown: CycleShown,
    late_lately: bool,
    journal_late: bool,
    rejected: bool,
    checkpointed: Option<Duration>,
    outages: Arc<[Outage]>,
}

impl Cycle {
    /// Runs until `stop` says so and gives the wires back. The last outputs stay as they are: the plant is handed over as
    /// it stands.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Field {
        let mut pulse = Pulse { outages: self.outages_of_season(), ..Pulse::default() };
        let mut inputs = self.empty_inputs();
        let mut samples = Vec::new();
        let mut by_slot = Vec::new();
        let mut motors = Vec::new();
        let mut spent = None;
        let period = PERIOD / self.clock.speed();
        let mut ticker = interval(period);
        // Late is late: never a burst of cycles to catch up.
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let due = tokio::select! {
                due = ticker.tick() => due,
                _ = stop.changed() => break,
            };
            let began = Instant::now();
            pulse.note_start(began.saturating_duration_since(due), period);

            let mut records = std::mem::take(&mut self.first_records);
            self.obey(&mut pulse, &mut inputs, &mut records, &motors).await;
            self.look(&mut inputs, &mut samples, &mut by_slot, &pulse);
            // A snapshot that nobody looks at any more gives its memory to the next.
            let (old, mut readings) = match spent.take() {
                Some(Snapshot { report, readings, .. }) => (Some(report), readings),
                None => (None, Vec::new()),
            };
            let state = std::mem::take(&mut self.state);
            let (state, report) = step_reusing(&self.facts.settings, state, &inputs, old);
            self.state = state;

            self.record(&report, records, &mut pulse).await;
            let commands = self.command(&report);
            motors = running_motors(&report);
            self.keep(&report, &by_slot, &mut pulse);
            pulse.note_end(began.elapsed());
            readings.clone_from(&by_slot);
            spent = self.show(report, commands, readings, &pulse);
            // From here, so that a stuck cycle is a dead daemon to whoever watches.
            crate::systemd::alive();
        }
        self.keep_state(&self.clock.now());
        self.rest(&motors).await;
        self.field
    }

    /// Tells motors that run by a contact to stand still: what was a pulse would become a stroke to the end. One that
    /// closes its valve for good goes on; it stops at its end.
    async fn rest(&self, motors: &[Point]) {
        let decided_at = self.field.now();
        let off = |&point: &Point| {
            let value = self.facts.catalogue.definition(point)?.accept(Switch::Off.number()).ok()?;
            // The program is about to end: nobody would end the pulse later.
            Some(DesiredOutput { point, value, decided_at, urgency: Urgency::Safety })
        };
        let outputs: Vec<DesiredOutput> = motors.iter().filter_map(off).collect();
        self.field.desire(&DesiredOutputs { outputs: outputs.clone(), inhibited: Vec::new() });
        let until = Instant::now() + REST_WITHIN;
        while !outputs.iter().all(|wish| self.field.has_taken(wish)) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The journal keeps all outages; what is shown is this season's.
    fn outages_of_season(&self) -> Arc<[Outage]> {
        let season = self.facts.settings.season;
        let ended_before = |outage: &Outage| outage.ended.is_some_and(|(ended, _)| ended <= season.start);
        let of_season = |outage: &&Outage| !ended_before(outage) && outage.id.since < season.end;
        self.book.outages().filter(of_season).cloned().collect()
    }

    fn empty_inputs(&self) -> Inputs {
        Inputs {
            now: self.clock.now(),
            readings: Readings::empty(&self.facts.catalogue),
            forecast: None,
            requests: Vec::new(),
            health: Health::default(),
        }
    }

    /// Takes orders from the program around the loop.
    async fn obey(&mut self, pulse: &mut Pulse, inputs: &mut Inputs, records: &mut Vec<NewRecord>, motors: &[Point]) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Rejected(mut noted) => {
                    pulse.rejected = true;
                    records.append(&mut noted);
                }
                Order::Adopt(mut adoption) => {
                    pulse.rejected = false;
                    records.append(&mut adoption.records);
                    if adoption.field.is_some() {
                        // Behind the new wires the plant is watched first, and nobody would end the pulse meanwhile.
                        self.rest(motors).await;
                    }
                    self.adopt(*adoption, inputs);
                }
            }
        }
    }

    /// Other settings for the same circuits: the state goes on. Behind other wires the plant is watched anew.
    fn adopt(&mut self, adoption: Adoption, inputs: &mut Inputs) {
        tracing::info!(configuration = adoption.facts.configuration_hash, "the changed configuration is in force");
        let settings = &adoption.facts.settings;
        let state = std::mem::take(&mut self.state);
        let state = match &adoption.field {
            None => state.under(settings),
            Some(_) => State::resume(state, settings, Duration::ZERO),
        };
        // A reload that adds or removes circuits is refused before it comes here.
        self.state = state.unwrap_or_else(|| State::new(settings));
        self.facts = adoption.facts;
        self.telemetry = adoption.telemetry;
        match adoption.field {
            Some(field) => {
                self.field = field;
                *inputs = self.empty_inputs();
            }
            // What a device refused may have been mended together with the file.
            None => self.field.forgive(),
        }
    }

    /// One snapshot of the field, the time and the wishes.
    fn look(
        &mut self,
        inputs: &mut Inputs,
        samples: &mut Vec<Sample>,
        by_slot: &mut Vec<Reading<Value>>,
        pulse: &Pulse,
    ) {
        self.field.look(&self.facts.catalogue, samples, &mut inputs.readings, by_slot);
        inputs.now = self.clock.now();
        inputs.forecast = self.foresight.look(&inputs.now);
        inputs.requests.clear();
        while inputs.requests.len() < REQUESTS_MAX {
            let Ok(request) = self.requests.try_recv() else { break };
            inputs.requests.push(request);
        }
        let store = self.store.health();
        inputs.health = Health {
            device_silent: self.field.any_silent(),
            watchdog_unfit: self.field.any_watchdog_unfit(),
            foreign_write: self.field.any_foreign_write(),
            output_unconfirmed: self.field.any_unconfirmed(),
            journal_late: pulse.journal_late,
            store_failing: store.trouble.is_some() || store.stopped,
            cycles_late: pulse.late_lately,
            configuration_rejected: pulse.rejected,
        };
    }

    /// Events reach the disk before the outputs that they caused leave, or the time for that is up.
    async fn record(&mut self, report: &Report, mut records: Vec<NewRecord>, pulse: &mut Pulse) {
        for event in &report.events {
            self.book.note(event);
            match record_of(event, &report.moment) {
                Ok(record) => records.push(record),
                Err(error) => tracing::error!(kind = event.kind(), %error, "an event could not be recorded"),
            }
        }
        if !report.events.is_empty() {
            pulse.outages = self.outages_of_season();
            for event in &report.events {
                tracing::info!(kind = event.kind(), event = %serde_json::json!(event), "event");
            }
        }
        if records.is_empty() {
            pulse.journal_late = self.store.health().oldest_queued.is_some_and(|age| age > RECORDS_WITHIN);
            return;
        }
        let mut ticket = self.store.append(records);
        match ticket.within(RECORDS_WITHIN).await {
            Some(Ok(_)) => pulse.journal_late = false,
            Some(Err(error)) => {
                pulse.journal_late = true;
                tracing::error!(%error, "records were not kept");
            }
            None => pulse.journal_late = true,
        }
    }

    /// Desired state to all wires; what is withheld is inhibited there too.
    fn command(&mut self, report: &Report) -> Vec<CommandShown> {
        let decided_at = self.field.now();
        let mut wishes = DesiredOutputs::default();
        let mut shown = Vec::new();
        for circuit in &report.circuits {
            wishes.inhibited.extend(&circuit.withheld);
            let Some(commands) = &circuit.commands else { continue };
            for (point, number) in commands.points(circuit.circuit) {
                let Some(definition) = self.facts.catalogue.definition(point) else { continue };
                // The core's outputs are in range by construction; what is not is a fault and is not written.
                let Ok(value) = definition.accept(number) else {
                    tracing::error!(point = %definition.name, number, "a command outside its range was not written");
                    continue;
                };
                wishes.outputs.push(DesiredOutput { point, value, decided_at, urgency: urgency::of(circuit, point) });
                shown.push(CommandShown { point, value: number, status: self.field.output_status(point) });
            }
        }
        self.field.desire(&wishes);
        shown
    }

    /// History, state and sign of life: handed over, never waited for.
    fn keep(&mut self, report: &Report, by_slot: &[Reading<Value>], pulse: &mut Pulse) {
        self.store.alive(stamp(&report.moment));
        if let Some(row) = self.telemetry.row(report, by_slot) {
            self.store.record(row);
        }
        let now = report.moment.monotonic;
        if pulse.checkpointed.is_none_or(|last| now.saturating_sub(last) >= CHECKPOINT_EVERY) {
            pulse.checkpointed = Some(now);
            self.keep_state(&report.moment);
        }
    }

    fn keep_state(&self, moment: &Moment) {
        match serde_json::to_vec(&self.state) {
            Ok(body) => {
                if let Err(error) = self.store.checkpoint(stamp(moment), body) {
                    tracing::warn!(%error, "the state was not saved");
                }
            }
            Err(error) => tracing::error!(%error, "the state cannot be written as JSON"),
        }
    }

    /// Shows the cycle; the snapshot that was shown before, if nobody holds it.
    fn show(
        &self,
        report: Report,
        commands: Vec<CommandShown>,
        readings: Vec<Reading<Value>>,
        pulse: &Pulse,
    ) -> Option<Snapshot> {
        let settings = &self.facts.settings;
        let rule = &settings.profile.accident_rate;
        let now = report.moment.wall;
        let accident_rate = accident_rate(rule, &self.book, settings.heated_area, settings.season, now).ok();
        let snapshot = Snapshot {
            facts: Arc::clone(&self.facts),
            report,
            readings,
            commands,
            accident_rate,
            outages: Arc::clone(&pulse.outages),
            wires: self.field.wires(),
            store: self.store.health(),
            cycle: pulse.shown.clone(),
        };
        self.shown.send_replace(Some(Arc::new(snapshot))).and_then(Arc::into_inner)
    }
}

/// The contacts of motors that would run on if nobody were there to end the pulse.
fn running_motors(report: &Report) -> Vec<Point> {
    let mut list = Vec::new();
    for circuit in &report.circuits {
        let Some(commands) = &circuit.commands else { continue };
        let contact = match commands.valve_motor {
            Some(Motor::Opening) => CircuitOutput::ValveOpening,
            Some(Motor::Closing) if commands.valve_position > Ratio::ZERO => CircuitOutput::ValveClosing,
            Some(Motor::Closing | Motor::Rest) | None => continue,
        };
        list.push(Point::CircuitOutput(circuit.circuit, contact));
    }
    list
}

impl Pulse {
    fn note_start(&mut self, lateness: Duration, period: Duration) {
        self.late_lately = lateness > period / 2;
        self.shown.late_total += u64::from(self.late_lately);
        self.shown.noticeably_late_total += u64::from(lateness > NOTICEABLY_LATE);
        self.shown.lateness_max = self.shown.lateness_max.max(lateness);
    }

    fn note_end(&mut self, took: Duration) {
        self.shown.count += 1;
        self.shown.duration_total += took;
        let seconds = took.as_secs_f64();
        let bucket = CYCLE_BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(CYCLE_BUCKETS.len());
        self.shown.duration_buckets[bucket] += 1;
    }
}
