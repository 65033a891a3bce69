//! One server at work: a task that owns the session, behind the same handle as any wire.
//!
//! ```text
//!  connect -> look up namespaces -> learn the types of outputs -> read everything once -> subscribe -> [ listen, ask, write ]
//!     ^                                                                                                   |
//!     |                      cut, session kept or subscription transferred: read everything once <--------|
//!     |                                                                                                   |
//!     '--- anything else: a new session from the beginning <----------------------------------------------'
//! ```
//!
//! # What a value's age means
//! A subscription sends changes; that nothing changed it says in each publishing interval. A value counts as current at
//! the last such message. It is renewed by messages alone, never by this computer's hope: no message, and it ages; a
//! message that was lost, and everything is read; an item that the server looks at once a minute may be a minute older than
//! the message; a server that goes on publishing but no longer sends its own clock has
//! stopped sampling, and the session is made anew.
//!
//! # Outputs
//! are asked for, not subscribed: a notification may be older than the write that it seems to contradict. They go through
//! the same state machine as the registers of a Modbus device ([`output`](crate::output)).

mod asking;
mod listening;
mod writing;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heatstation_points::{Fault, Sample};
use opcua::client::Session;
use opcua::types::{NodeId, StatusCode};
use tokio::sync::watch;

use super::connect::{CannotConnect, Connection, Link, connect, own};
use super::inbox::Inbox;
use super::node::Namespaces;
use super::outputs::NodePlace;
use super::pki::{EXPIRY_WARNING_DAYS, Own};
use super::quality::Taken;
use super::settings::{NodeReadBack, ServerSettings};
use crate::breaker::backoff_between;
use crate::output::{DesiredOutputs, Output};
use crate::wire::{Certificates, Shown, WireHandle, look};

/// The longest sleep: a bound for whatever this module has overlooked, and how often expiry shows.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// What is not there is looked for again after this long: a program that is being loaded into a controller is back within
/// minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// So many answers in a row that did not come in time, and the session is taken for dead.
const TIMEOUTS_MAX: u32 = 2;

/// Starts to read and write a server. `epoch` is the zero of all its times, shared with whoever decides outputs.
///
/// Must be called within a tokio runtime.
pub fn spawn(settings: ServerSettings, epoch: Instant) -> WireHandle {
    let points = settings.items.iter().map(super::settings::Item::point).collect();
    let name = settings.name.clone();
    WireHandle::start(name, epoch, points, |shown, wishes| Task::new(settings, epoch, shown, wishes).run())
}

/// How one item's values come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The server brings them.
    Brought,
    /// They are asked for.
    Asked,
    /// Only its output asks, somewhere else or nowhere.
    ByItsOutput,
    /// The server has no such namespace.
    Nowhere,
}

/// One item on this connection.
#[derive(Debug)]
struct Slot {
    node: Option<NodeId>,
    way: Way,
    last: Option<Taken>,
    /// When it came, or was last said to stand.
    at: Duration,
    /// Whether the subscription has brought a value; what it never brought it cannot keep current.
    is_heard: bool,
    ask_at: Duration,
}

/// Why a session is over.
#[derive(Debug)]
enum End {
    /// Nobody wants it any more.
    Unwanted,
    /// The connection is gone, or the server said so.
    Lost(StatusCode),
    /// It is there, but of no use.
    Useless(&'static str),
}

/// What there is of the subscription.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    id: u32,
    /// Since when somebody may be expected to say something.
    since: Duration,
    /// Silence that is too long.
    allowed: Duration,
    /// Whether the server's clock is among what it brings.
    has_beat: bool,
}

struct Task {
    settings: Arc<ServerSettings>,
    epoch: tokio::time::Instant,
    shown: Arc<Mutex<Shown>>,
    wishes: watch::Receiver<DesiredOutputs>,
    inbox: Arc<Inbox>,
    slots: Vec<Slot>,
    outputs: Vec<Output<NodePlace>>,
    outputs_in_a_row: u32,
    subscription: Option<Subscription>,
    look_again_at: Duration,
    timeouts: u32,
    attempts: u32,
    reconnect_at: Duration,
    own: Option<Own>,
    /// What was said last about not being connected; the same is not said again.
    told: Option<String>,
}

impl Task {
    fn new(
        settings: ServerSettings,
        epoch: Instant,
        shown: Arc<Mutex<Shown>>,
        wishes: watch::Receiver<DesiredOutputs>,
    ) -> Task {
        let outputs = settings.items.iter().enumerate().filter_map(|(slot, item)| NodePlace::of(slot, item));
        let outputs = outputs.map(Output::new).collect();
        let slot = |_| Slot {
            node: None,
            way: Way::Nowhere,
            last: None,
            at: Duration::ZERO,
            is_heard: false,
            ask_at: Duration::ZERO,
        };
        let slots = settings.items.iter().map(slot).collect();
        let mut task = Task {
            settings: Arc::new(settings),
            epoch: tokio::time::Instant::from_std(epoch),
            shown,
            wishes,
            inbox: Arc::new(Inbox::default()),
            slots,
            outputs,
            outputs_in_a_row: 0,
            subscription: None,
            look_again_at: Duration::MAX,
            timeouts: 0,
            attempts: 0,
            reconnect_at: Duration::ZERO,
            own: None,
            told: None,
        };
        // The outputs are seen as idle from the first moment on.
        task.take_wishes();
        task
    }

    /// Until the handle is gone.
    async fn run(mut self) {
        while self.wishes.has_changed().is_ok() {
            if self.now() < self.reconnect_at {
                self.sleep(self.reconnect_at).await;
                continue;
            }
            match self.connect().await {
                Some(Ok(connection)) => self.use_up(connection).await,
                Some(Err(why)) => self.cannot_connect(&why),
                None => break,
            }
        }
        look(&self.shown).statistics.is_connected = false;
    }

    fn now(&self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(self.epoch)
    }

    /// Sleeps while nothing can be sent; expiry and news of wishes show all the same.
    async fn sleep(&mut self, until: Duration) {
        let until = until.min(self.now() + SLEEP_MAX);
        let news = tokio::select! {
            () = tokio::time::sleep_until(self.epoch + until) => false,
            news = self.wishes.changed() => news.is_ok(),
        };
        if news {
            self.take_wishes();
        }
        self.show_expiry();
    }

    fn take_wishes(&mut self) {
        let wishes = self.wishes.borrow_and_update().clone();
        let now = self.now();
        for output in &mut self.outputs {
            output.wish(&wishes, now);
        }
        self.show_outputs();
    }

    fn show_expiry(&mut self) {
        let now = self.now();
        for output in &mut self.outputs {
            // For its side of the story alone: a wish that has grown too old says so.
            output.next(now);
        }
        self.show_outputs();
    }

    fn show_outputs(&self) {
        let mut shown = look(&self.shown);
        shown.outputs.clear();
        shown.outputs.extend(self.outputs.iter().map(Output::status));
    }

    // ---- connection ---------------------------------------------------------------------------------------------

    /// None if nobody wants the wire any more.
    async fn connect(&mut self) -> Option<Result<Connection, CannotConnect>> {
        let (settings, known) = (Arc::clone(&self.settings), self.own.clone());
        let attempt = async move {
            let own = match known {
                Some(own) => own,
                None => own(&settings).await?,
            };
            let connection = connect(settings, own.clone()).await?;
            Ok::<_, CannotConnect>((own, connection))
        };
        tokio::pin!(attempt);
        loop {
            let limit = tokio::time::Instant::now() + SLEEP_MAX;
            tokio::select! {
                outcome = &mut attempt => {
                    return Some(outcome.map(|(own, connection)| {
                        self.own = Some(own);
                        connection
                    }));
                }
                news = self.wishes.changed() => match news {
                    Ok(()) => self.take_wishes(),
                    Err(_) => return None,
                },
                () = tokio::time::sleep_until(limit) => self.show_expiry(),
            }
        }
    }

    fn cannot_connect(&mut self, why: &CannotConnect) {
        {
            let mut shown = look(&self.shown);
            let failures = &mut shown.statistics.failures_total;
            match why {
                CannotConnect::Unreachable { .. } => failures.unreachable += 1,
                CannotConnect::Silent { .. } => failures.silent += 1,
                CannotConnect::NotOffered { .. }
                | CannotConnect::Untrusted { .. }
                | CannotConnect::Certificate { .. }
                | CannotConnect::Own(_)
                | CannotConnect::Pki(_)
                | CannotConnect::Refused { .. } => failures.refused += 1,
            }
        }
        let text = why.to_string();
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(wire = self.settings.name, "no session: {text}");
            self.told = Some(text);
        }
        // A certificate that was renewed by a command is read at the next attempt.
        self.own = None;
        self.all_silent();
        self.wait_longer();
    }

    fn wait_longer(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        let wait = backoff_between(self.attempts, self.settings.reconnect_min, self.settings.reconnect_max);
        self.reconnect_at = self.now() + wait;
    }

    async fn use_up(&mut self, mut connection: Connection) {
        {
            let mut shown = look(&self.shown);
            shown.statistics.connections_total += 1;
            let own = self.own.as_ref().map(|own| own.not_after);
            shown.statistics.certificates = Certificates { own, partner: connection.server_expiry };
        }
        tracing::info!(wire = self.settings.name, "session made");
        self.tell_expiry(connection.server_expiry);
        self.told = None;
        self.timeouts = 0;
        let since = self.now();
        let end = self.serve(&mut connection).await;
        connection.close().await;
        self.over(&end, since);
    }

    /// The session is over: nothing is known any more, until it was read again.
    fn over(&mut self, end: &End, since: Duration) {
        let was_of_use = self.attempts == 0;
        self.gap();
        match end {
            End::Unwanted => return,
            End::Lost(status) => {
                look(&self.shown).statistics.failures_total.broken += 1;
                tracing::warn!(wire = self.settings.name, %status, "session lost");
            }
            End::Useless(why) => {
                look(&self.shown).statistics.failures_total.silent += 1;
                tracing::warn!(wire = self.settings.name, "session given up: {why}");
            }
        }
        // One that was of use is made again at once, though not in a spin: keys are costly. One that only ever takes
        // connections has to wait longer each time.
        if was_of_use {
            self.reconnect_at = since + self.settings.reconnect_min;
            self.attempts = 1;
        } else {
            self.wait_longer();
        }
    }

    fn tell_expiry(&self, server: Option<i64>) {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs() as i64);
        let own = self.own.as_ref().map(|own| own.not_after);
        for (whose, until) in [("own", own), ("the server's", server)] {
            let days = until.map(|until| (until - now) / 86_400);
            if let Some(days) = days.filter(|days| *days < EXPIRY_WARNING_DAYS) {
                tracing::warn!(wire = self.settings.name, days, "{whose} certificate expires soon; renew it");
            }
        }
    }

    /// From here until everything was read, values may change unseen.
    fn gap(&mut self) {
        {
            let mut shown = look(&self.shown);
            if shown.statistics.is_connected {
                shown.statistics.gaps_total += 1;
            }
            shown.statistics.is_connected = false;
        }
        let now = self.now();
        for output in &mut self.outputs {
            output.disconnected(now);
        }
        self.all_silent();
        self.show_outputs();
    }

    fn all_silent(&self) {
        let now = self.now();
        for sample in &mut look(&self.shown).samples {
            *sample = Sample::plain(sample.point, Err(Fault::Silent), now);
        }
    }

    // ---- a session at work --------------------------------------------------------------------------------------

    async fn serve(&mut self, connection: &mut Connection) -> End {
        let session = Arc::clone(&connection.session);
        match self.begin(&session).await {
            Ok(()) => {}
            Err(end) => return end,
        }
        loop {
            if self.wishes.has_changed().is_err() {
                return End::Unwanted;
            }
            let link = connection.link.borrow_and_update().clone();
            let outcome = match link {
                Link::Ended(status) => Err(End::Lost(status)),
                Link::Down => {
                    if look(&self.shown).statistics.is_connected {
                        self.gap();
                    }
                    self.wait(connection, self.now() + SLEEP_MAX).await;
                    Ok(())
                }
                // Whatever happened between two looks, a session that was not there for a moment has a gap.
                Link::Up { kept, .. } if !look(&self.shown).statistics.is_connected => {
                    self.resume(&session, kept).await
                }
                Link::Up { .. } => self.work(connection, &session).await,
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// Everything from names to values.
    async fn begin(&mut self, session: &Session) -> Result<(), End> {
        let namespaces = self.namespaces(session).await?;
        self.resolve(&namespaces);
        self.learn(session).await?;
        self.read_all(session).await?;
        self.attempts = 0;
        self.subscribe(session).await?;
        look(&self.shown).statistics.is_connected = true;
        Ok(())
    }

    /// The session, or the subscription at least, has outlived a cut.
    async fn resume(&mut self, session: &Session, kept: bool) -> Result<(), End> {
        let namespaces = self.namespaces(session).await?;
        let is_same = |(slot, item): (&Slot, &super::settings::Item)| item.node.resolve(&namespaces) == slot.node;
        if !self.slots.iter().zip(&self.settings.items).all(is_same) {
            return Err(End::Useless("its namespaces have changed; the session is made anew"));
        }
        if let (false, Some(subscription)) = (kept, self.subscription) {
            let transferred = session.transfer_subscriptions(&[subscription.id], true).await;
            let is_there = transferred.is_ok_and(|results| results.first().is_some_and(|r| r.status_code.is_good()));
            if !is_there {
                return Err(End::Useless("its subscription is gone; the session is made anew"));
            }
            session.trigger_publish_now();
        }
        self.read_all(session).await?;
        let now = self.now();
        if let Some(subscription) = &mut self.subscription {
            subscription.since = now;
        }
        let mut shown = look(&self.shown);
        shown.statistics.is_connected = true;
        shown.statistics.connections_total += 1;
        drop(shown);
        tracing::info!(wire = self.settings.name, session_kept = kept, "connected again; everything was read");
        Ok(())
    }

    /// One thing at a time: what came, then outputs, then what is to be asked, then rest.
    async fn work(&mut self, connection: &mut Connection, session: &Session) -> Result<(), End> {
        if self.wishes.has_changed().unwrap_or(false) {
            self.take_wishes();
        }
        self.hear(session).await?;
        let now = self.now();
        let (output, wake) = self.next_output(now);
        let ask_at = self.next_ask();
        self.show_backlog(now, ask_at);
        if let Some(action) = output.filter(|_| now < ask_at || !self.is_asks_turn()) {
            self.outputs_in_a_row += 1;
            return self.do_output(session, action).await;
        }
        if ask_at <= now {
            self.outputs_in_a_row = 0;
            return self.ask_due(session, now).await;
        }
        if self.look_again_at <= now {
            return self.look_again(session, now).await;
        }
        let until = wake.min(ask_at).min(self.look_again_at).min(now + SLEEP_MAX);
        self.wait(connection, until).await;
        Ok(())
    }

    /// Until something happens or the time has come.
    async fn wait(&mut self, connection: &mut Connection, until: Duration) {
        tokio::select! {
            () = tokio::time::sleep_until(self.epoch + until) => {}
            () = self.inbox.bell.notified() => {}
            _ = connection.link.changed() => connection.link.mark_changed(),
            // News or the end of the handle; the loop looks which.
            news = self.wishes.changed() => if news.is_ok() { self.wishes.mark_changed() },
        }
    }

    fn resolve(&mut self, namespaces: &Namespaces) {
        let mut missing: Vec<&str> = Vec::new();
        let subscribes = self.settings.reading == super::settings::Reading::Subscribe;
        for (slot, item) in self.slots.iter_mut().zip(&self.settings.items) {
            let node = item.node.resolve(namespaces);
            let way = match (&node, &item.write) {
                (None, _) => Way::Nowhere,
                (Some(_), Some(write)) if write.read_back != NodeReadBack::SameNode => Way::ByItsOutput,
                (Some(_), None) if subscribes => Way::Brought,
                (Some(_), _) => Way::Asked,
            };
            if node.is_none() {
                missing.push(item.node.uri().unwrap_or_default());
            }
            *slot = Slot { node, way, last: None, at: Duration::ZERO, is_heard: false, ask_at: Duration::ZERO };
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            tracing::warn!(wire = self.settings.name, ?missing, "the server has no such namespace; its points are bad");
        }
        self.look_again_at = if missing.is_empty() { Duration::MAX } else { self.now() + LOOK_AGAIN };
        for output in &mut self.outputs {
            let place = &mut output.place;
            place.node.clone_from(&self.slots[place.slot].node);
            place.read_back = match place.item.write.as_ref().map(|write| &write.read_back) {
                Some(NodeReadBack::OtherNode(other)) => other.resolve(namespaces),
                Some(NodeReadBack::SameNode) => place.node.clone(),
                Some(NodeReadBack::Impossible) | None => None,
            };
        }
    }

    /// What is not there may have been loaded meanwhile.
    async fn look_again(&mut self, session: &Session, now: Duration) -> Result<(), End> {
        self.look_again_at = now + LOOK_AGAIN;
        let namespaces = self.namespaces(session).await?;
        let is_back = |(slot, item): (&Slot, &super::settings::Item)| {
            slot.way == Way::Nowhere && item.node.resolve(&namespaces).is_some()
        };
        if self.slots.iter().zip(&self.settings.items).any(is_back) {
            return Err(End::Useless("a missing namespace is there now; the session is made anew"));
        }
        Ok(())
    }

    /// One value for one item, however it came.
    fn put(&mut self, slot: usize, taken: Taken, at: Duration) {
        self.slots[slot].last = Some(taken);
        self.slots[slot].at = at;
        let Taken { value, doubt, source_time, .. } = taken;
        let mut shown = look(&self.shown);
        if let Some(sample) = shown.samples.get_mut(slot) {
            *sample = Sample { point: sample.point, value, taken_at: at, doubt, source_time };
        }
    }
}
