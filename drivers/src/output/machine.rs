//! The state machine of one output; its drawing stands at the head of `output.rs`.

use std::time::Duration;

use heatstation_points::{Fault, Point, Value};

use super::{
    BUSY_PAUSE, DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus, Place, Urgency, Verified,
    WISH_AGE_MAX, Wear,
};
use crate::bus::Refusal;
use crate::device_watchdog::Unfit;

/// How often a write may fail to show in the device before it is repeated at the refresh period only.
const STRIKES_MAX: u8 = 3;
/// Seen changed by somebody else so often, and the output is contested: two writes have answered.
const FOREIGN_MAX: u8 = 3;
/// Held as written for so long, and strikes and foreign writes are forgotten.
const FADE: Duration = Duration::from_secs(60);
/// A contested output is written again after this, in case the other one has gone.
const CONTESTED_FOR: Duration = Duration::from_secs(600);
/// What was confirmed is looked at again after this at the latest. With a request under way and a reconnection before it a
/// foreign write is seen within 10 s.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Drives copy a set-point into place in their own cycle: it is asked again after this, then after twice as long each time.
const SETTLING_FIRST: Duration = Duration::from_millis(250);
/// After a refusal that asking again will hardly change.
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);
/// The same for safety, which has 5 s in all (law 1); and what lies between two of its writes at the least.
const SAFETY_PAUSE: Duration = Duration::from_secs(1);

/// What is to be done for an output now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// Nothing, until the wish or the device changes.
    Rest,
    /// Nothing before this time.
    Wait(Duration),
    /// Ask the device what it holds.
    ReadBack,
    /// Send `Output::said`.
    Write,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    at: Duration,
    aim: Value,
}

#[derive(Clone, Copy, Debug)]
struct Verification {
    next_at: Duration,
    pause: Duration,
    until: Duration,
}

#[derive(Debug)]
pub(crate) struct Output<P: Place> {
    pub(crate) place: P,
    wish: Option<DesiredOutput>,
    is_inhibited: bool,
    /// How the wish is said.
    said: Option<P::Said>,
    /// What the device will hold once the wish is done.
    aim: Option<Value>,
    state: OutputState,
    state_since: Duration,
    entered_total: [u64; OutputState::ALL.len()],
    obstacle: Option<Obstacle>,
    known: Option<(Duration, Result<Value, Fault>)>,
    /// What the device held when it was confirmed: anything else is somebody else's.
    expected: Option<Value>,
    /// When the device was last looked at with that in mind.
    watched_at: Option<Duration>,
    /// When it was last looked at right before a write, and whether that is being done.
    checked_at: Option<Duration>,
    is_checking: bool,
    /// When the device was first asked on this connection.
    first_known_at: Option<Duration>,
    written: Option<Written>,
    verification: Option<Verification>,
    not_before: Duration,
    strikes: u8,
    struck_at: Duration,
    /// Foreign writes lately.
    foreign: u8,
    contested_until: Option<Duration>,
    wear: Option<Wear>,
    writes_total: u64,
    disturbances_total: u64,
    disturbed_at: Option<Duration>,
    /// Since when it has something to send.
    waiting_since: Option<Duration>,
}

impl<P: Place> Output<P> {
    pub(crate) fn new(place: P) -> Output<P> {
        let wear = Wear::of(place.rules().memory);
        Output {
            place,
            wish: None,
            is_inhibited: false,
            said: None,
            aim: None,
            state: OutputState::Idle,
            state_since: Duration::ZERO,
            entered_total: [0; OutputState::ALL.len()],
            obstacle: None,
            known: None,
            expected: None,
            watched_at: None,
            checked_at: None,
            is_checking: false,
            first_known_at: None,
            written: None,
            verification: None,
            not_before: Duration::ZERO,
            strikes: 0,
            struck_at: Duration::ZERO,
            foreign: 0,
            contested_until: None,
            wear,
            writes_total: 0,
            disturbances_total: 0,
            disturbed_at: None,
            waiting_since: None,
        }
    }

    pub(crate) fn point(&self) -> Point {
        self.place.point()
    }

    /// What is to be sent; none while nothing is wished, or it cannot be said.
    pub(crate) fn said(&self) -> Option<&P::Said> {
        self.said.as_ref()
    }

    pub(crate) fn status(&self) -> OutputStatus {
        OutputStatus {
            point: self.point(),
            state: self.state,
            desired: self.wish.map(|wish| wish.value),
            read_back: self.known.and_then(|(_, read)| read.ok()),
            written_at: self.written.map(|written| written.at),
            writes_total: self.writes_total,
            entered_total: self.entered_total,
            disturbances_total: self.disturbances_total,
            disturbed_at: self.disturbed_at,
            wear: self.wear,
            obstacle: self.obstacle.clone(),
        }
    }

    /// Why it is wished.
    pub(crate) fn urgency(&self) -> Urgency {
        self.wish.map_or(Urgency::Control, |wish| wish.urgency)
    }

    /// Whether what it wants to read is for verifying rather than for writing.
    pub(crate) fn is_verifying(&self) -> bool {
        self.verification.is_some() || self.expected.is_some()
    }

    /// For how long it has had something to send.
    pub(crate) fn waiting(&self, now: Duration) -> Option<Duration> {
        self.waiting_since.map(|since| now.saturating_sub(since))
    }

    /// Whether it is wished and the device has neither taken nor refused it; and since when.
    pub(crate) fn under_way_since(&self) -> Option<Duration> {
        matches!(self.state, OutputState::Requested | OutputState::Sent).then_some(self.state_since)
    }

    fn enter(&mut self, state: OutputState, now: Duration) {
        if self.state != state {
            self.state = state;
            self.state_since = now;
            self.entered_total[state as usize] += 1;
        }
    }

    /// Takes the newest wish; the one before is forgotten.
    pub(crate) fn wish(&mut self, wishes: &DesiredOutputs, now: Duration) {
        let point = self.point();
        let before = self.wish;
        self.wish = wishes.outputs.iter().copied().find(|wish| wish.point == point);
        self.is_inhibited = wishes.inhibited.contains(&point);
        if self.wish.map(|wish| wish.value) != before.map(|wish| wish.value) {
            self.say_wish(now);
        }
        if self.urgency() == Urgency::Safety && before.is_none_or(|wish| wish.urgency == Urgency::Control) {
            // What held control back does not hold safety back.
            self.not_before = Duration::ZERO;
        }
        if self.is_inhibited {
            // A person has the device; whatever was going on with others begins anew afterwards.
            self.forget_foreign();
            self.verification = None;
            self.expected = None;
            self.enter(OutputState::Inhibited, now);
        } else if self.wish.is_none() {
            self.verification = None;
            self.expected = None;
            self.enter(OutputState::Idle, now);
        } else if matches!(self.state, OutputState::Idle | OutputState::Inhibited | OutputState::Expired) {
            self.settle(now);
        }
    }

    fn say_wish(&mut self, now: Duration) {
        self.aim = None;
        self.said = None;
        let Some(wish) = self.wish else { return };
        self.obstacle = self.contested_until.map(|_| Obstacle::Contested);
        match self.place.say(wish.value) {
            Ok((said, aim)) => {
                self.aim = Some(aim);
                self.said = Some(said);
                self.settle(now);
            }
            Err(why) => {
                self.obstacle = Some(Obstacle::Encoding(why));
                self.enter(OutputState::Refused, now);
            }
        }
    }

    fn settle(&mut self, now: Duration) {
        let state = if self.contested_until.is_some() {
            OutputState::Contested
        } else if self.holds_aim() && self.verification.is_none() {
            OutputState::Confirmed
        } else {
            OutputState::Requested
        };
        self.enter(state, now);
    }

    fn holds_aim(&self) -> bool {
        matches!((self.known, self.aim), (Some((_, Ok(held))), Some(aim)) if self.is_close(held, aim))
    }

    fn is_close(&self, held: Value, aim: Value) -> bool {
        let tolerance = self.place.rules().tolerance;
        // A billionth for the last digit of a device that computes in its own way.
        (held.number() - aim.number()).abs() <= tolerance + aim.number().abs() * 1e-9
    }

    /// Whether the wish may no longer be written.
    pub(crate) fn is_expired(&self, now: Duration) -> bool {
        self.wish.is_none_or(|wish| WISH_AGE_MAX < now.saturating_sub(wish.decided_at))
    }

    /// What is to be done now.
    pub(crate) fn next(&mut self, now: Duration) -> Action {
        let action = self.decide(now);
        match action {
            Action::Write | Action::ReadBack => {
                self.waiting_since.get_or_insert(now);
            }
            Action::Rest | Action::Wait(_) => self.waiting_since = None,
        }
        action
    }

    fn decide(&mut self, now: Duration) -> Action {
        if self.is_inhibited || self.wish.is_none() {
            return Action::Rest;
        }
        if now < self.not_before {
            return Action::Wait(self.not_before);
        }
        let has_changed = self.has_changed_since_write();
        // To verify what was sent is harmless, however old the wish is by now. A newer wish does not wait for it.
        if let Some(Verification { next_at, .. }) = self.verification.filter(|_| !has_changed) {
            return if next_at <= now { Action::ReadBack } else { Action::Wait(next_at) };
        }
        if self.is_expired(now) {
            self.enter(OutputState::Expired, now);
            return Action::Rest;
        }
        let Some(aim) = self.aim else { return Action::Rest };
        let can_be_read = self.place.rules().verified != Verified::Never;
        if can_be_read && self.known.is_none() {
            return Action::ReadBack;
        }
        match self.write_due(now, aim, has_changed) {
            Some(due) if due <= now && self.is_to_be_checked(now) => {
                self.is_checking = true;
                Action::ReadBack
            }
            Some(due) if due <= now => self.spend(now),
            due => self.look_again(now, due),
        }
    }

    /// Whether the device is to be looked at right before this write. Any other moment would be blind to somebody who
    /// writes at the wrong one, and a wish that changes each second would hide it.
    fn is_to_be_checked(&self, now: Duration) -> bool {
        let is_unchecked = self.checked_at.is_none_or(|checked| checked + LOOK_EVERY <= now);
        self.expected.is_some() && is_unchecked && self.urgency() == Urgency::Control
    }

    fn has_changed_since_write(&self) -> bool {
        self.written.is_some_and(|written| self.aim.is_some_and(|aim| written.aim != aim))
    }

    /// When the wish is to be written; none while there is no reason to.
    fn write_due(&mut self, now: Duration, aim: Value, has_changed: bool) -> Option<Duration> {
        let rules = self.place.rules();
        let is_safety = self.urgency() == Urgency::Safety;
        let is_volatile = self.wear.is_none();
        let last_write = self.written.map(|written| written.at);
        let differs = match self.known {
            Some((_, Ok(held))) => !self.is_close(held, aim),
            Some((_, Err(_))) => true,
            None => self.written.is_none() || has_changed,
        };
        let interval = if is_safety { rules.minimum_interval.min(SAFETY_PAUSE) } else { rules.minimum_interval };
        let soonest = match last_write {
            None => Duration::ZERO,
            Some(_) if is_safety && has_changed => Duration::ZERO,
            Some(at) => at + interval,
        };
        // Counted from the first look at the device where nothing was written yet: it held the right value then.
        let refreshed = last_write.or(self.first_known_at).unwrap_or(now);
        let refresh = (refreshed + rules.refresh).max(soonest);

        if let Some(until) = self.contested_until {
            return if is_safety { differs.then_some(soonest) } else { Some(until) };
        }
        let is_not_kept = STRIKES_MAX <= self.strikes && !has_changed && !is_safety;
        match (is_volatile, differs || (is_volatile && has_changed)) {
            (_, true) if !is_not_kept => Some(soonest),
            (true, _) => Some(refresh),
            (false, _) => None,
        }
    }

    /// Nothing to write yet; but what nobody reads otherwise is looked at from time to time.
    fn look_again(&self, now: Duration, due: Option<Duration>) -> Action {
        let look = match (self.expected, self.watched_at) {
            (Some(_), Some(watched)) => Some(watched + LOOK_EVERY),
            // A contested or unconfirmed value comes right by itself, or not.
            (None, _) => match (self.place.rules().verified, self.known) {
                (Verified::Apart, Some((at, _))) => Some(at + LOOK_EVERY),
                _ => None,
            },
            (Some(_), None) => None,
        };
        match (look, due) {
            (Some(look), _) if look <= now => Action::ReadBack,
            (Some(look), Some(due)) => Action::Wait(look.min(due)),
            (Some(one), None) | (None, Some(one)) => Action::Wait(one),
            (None, None) => Action::Rest,
        }
    }

    fn spend(&mut self, now: Duration) -> Action {
        if self.contested_until.is_some_and(|until| until <= now) {
            // Once more, and the next foreign write is the last.
            self.contested_until = None;
            self.foreign = FOREIGN_MAX - 1;
            self.obstacle = None;
            self.settle(now);
            if self.state == OutputState::Confirmed {
                return Action::Wait(now + LOOK_EVERY);
            }
        }
        let Some(wear) = self.wear.map(|wear| wear.at(now)) else { return Action::Write };
        self.wear = Some(wear);
        if wear.has_one() || self.urgency() == Urgency::Safety {
            return Action::Write;
        }
        self.obstacle = Some(Obstacle::WearBudgetSpent);
        self.enter(OutputState::Refused, now);
        Action::Wait(now + wear.until_one())
    }

    /// It may not be written, because the device would hold it for ever if this computer died.
    pub(crate) fn denied(&mut self, unfit: Unfit, now: Duration) {
        self.obstacle = Some(Obstacle::Watchdog(unfit));
        self.enter(OutputState::Refused, now);
    }

    /// The write is about to go out. From here on the device may hold it.
    pub(crate) fn sending(&mut self, now: Duration) {
        let Some(aim) = self.aim else { return };
        self.written = Some(Written { at: now, aim });
        self.obstacle = self.contested_until.map(|_| Obstacle::Contested);
        self.known = None;
        self.expected = None;
        self.verification = None;
        self.waiting_since = None;
        self.writes_total += 1;
        if let Some(wear) = &mut self.wear {
            wear.spend();
        }
        self.enter(OutputState::Sent, now);
    }

    /// The device echoed the write.
    pub(crate) fn accepted(&mut self, now: Duration) {
        self.enter(OutputState::Accepted, now);
        let rules = self.place.rules();
        let can_be_read = rules.verified != Verified::Never;
        let until = now + rules.settling;
        self.verification = can_be_read.then_some(Verification { next_at: now, pause: SETTLING_FIRST, until });
    }

    /// The device refused the write.
    pub(crate) fn refused(&mut self, now: Duration, refusal: Refusal) {
        if refusal == Refusal::Busy {
            // It may have taken it all the same (exception 5), so it is asked before anything is sent again.
            self.not_before = now + BUSY_PAUSE;
            return;
        }
        self.obstacle = Some(Obstacle::Device(refusal));
        self.strikes = self.strikes.saturating_add(1);
        self.struck_at = now;
        let pause = if self.urgency() == Urgency::Safety { SAFETY_PAUSE } else { REFUSAL_PAUSE };
        self.not_before = now + pause;
        self.enter(OutputState::Refused, now);
    }

    /// The connection is gone: what the device holds is unknown again, and so is whether it took the last write.
    pub(crate) fn disconnected(&mut self, now: Duration) {
        self.known = None;
        self.expected = None;
        self.first_known_at = None;
        self.verification = None;
        if matches!(self.state, OutputState::Accepted | OutputState::Confirmed | OutputState::Mismatch) {
            self.enter(OutputState::Requested, now);
        }
    }

    /// The device is busy and will say later what it holds.
    pub(crate) fn ask_later(&mut self, now: Duration) {
        self.not_before = now + BUSY_PAUSE;
    }

    /// What the device holds, asked for or met while polling.
    pub(crate) fn holds(&mut self, now: Duration, read: Result<Value, Fault>) {
        self.known = Some((now, read));
        self.first_known_at.get_or_insert(now);
        self.waiting_since = None;
        if std::mem::take(&mut self.is_checking) {
            self.checked_at = Some(now);
        }
        if self.is_inhibited || self.wish.is_none() {
            return;
        }
        if let (Some(expected), Ok(held)) = (self.expected, read) {
            self.watched_at = Some(now);
            if !self.is_close(held, expected) {
                self.disturbed(now);
                return;
            }
        }
        let is_as_written = |written: Written| read.is_ok_and(|held| self.is_close(held, written.aim));
        match (self.verification, self.written) {
            (Some(_), Some(written)) if is_as_written(written) => {
                self.verification = None;
                self.settle_unless_refused(now);
            }
            (Some(open), Some(_)) if now < open.until => {
                let next_at = (now + open.pause).min(open.until);
                self.verification = Some(Verification { next_at, pause: open.pause * 2, ..open });
            }
            (Some(_), _) => {
                self.verification = None;
                self.strike(now, read);
            }
            (None, _) => self.settle_unless_refused(now),
        }
        self.fade(now);
    }

    fn settle_unless_refused(&mut self, now: Duration) {
        if self.holds_aim() {
            self.expected = self.aim;
            self.watched_at.get_or_insert(now);
            if self.contested_until.is_none() {
                self.obstacle = None;
                self.enter(OutputState::Confirmed, now);
            } else {
                self.enter(OutputState::Contested, now);
            }
        } else if matches!(self.state, OutputState::Confirmed | OutputState::Accepted) {
            self.enter(OutputState::Requested, now);
        }
    }

    /// Strikes and foreign writes are forgotten once the device has held for a while what it shall.
    fn fade(&mut self, now: Duration) {
        if self.expected.is_none() {
            return;
        }
        if FADE <= now.saturating_sub(self.struck_at) {
            self.strikes = 0;
        }
        if self.disturbed_at.is_none_or(|at| FADE <= now.saturating_sub(at)) && self.foreign > 0 {
            self.forget_foreign();
            self.settle_unless_refused(now);
        }
    }

    fn forget_foreign(&mut self) {
        self.foreign = 0;
        self.contested_until = None;
        if self.obstacle == Some(Obstacle::Contested) {
            self.obstacle = None;
        }
    }

    /// It held what it shall, and now it does not: somebody else wrote it.
    fn disturbed(&mut self, now: Duration) {
        self.expected = None;
        self.verification = None;
        self.disturbances_total += 1;
        self.disturbed_at = Some(now);
        self.foreign = self.foreign.saturating_add(1);
        if FOREIGN_MAX <= self.foreign {
            self.contested_until = Some(now + CONTESTED_FOR);
            self.obstacle = Some(Obstacle::Contested);
            self.enter(OutputState::Contested, now);
        } else {
            self.enter(OutputState::Mismatch, now);
        }
    }

    fn strike(&mut self, now: Duration, read: Result<Value, Fault>) {
        self.strikes = self.strikes.saturating_add(1);
        self.struck_at = now;
        if self.contested_until.is_some() {
            self.enter(OutputState::Contested, now);
        } else if read.is_ok() {
            self.enter(OutputState::Mismatch, now);
        }
        if STRIKES_MAX <= self.strikes && self.contested_until.is_none() {
            self.obstacle = Some(Obstacle::NotKept);
        }
    }
}
