//! The state machine of one output; its drawing stands at the head of `output.rs`.

use std::time::Duration;

use heatstation_points::{Fault, Point, Value};

use super::{
    BUSY_PAUSE, DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus, Place, Verified, WISH_AGE_MAX,
};
use crate::bus::Refusal;
use crate::device_watchdog::Unfit;
use crate::settings::Memory;

/// How often a write may fail to show in the device before it is repeated at the refresh period only.
const STRIKES_MAX: u8 = 3;
/// Held as written for so long, and the strikes are forgotten.
const STRIKES_FADE: Duration = Duration::from_secs(60);
/// Drives copy a set-point into place in their own cycle: asked again after 250 ms and 500 ms before it counts as a
/// mismatch.
const SETTLING: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(500)];
/// After a refusal that asking again will hardly change.
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

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
    tries: usize,
    next_at: Duration,
}

/// Writes that memory with a life may still take: a month's worth at once, refilled evenly.
#[derive(Clone, Copy, Debug)]
struct WearBudget {
    left: f64,
    per_year: f64,
    counted_at: Duration,
}

impl WearBudget {
    fn at(self, now: Duration) -> WearBudget {
        let years = now.saturating_sub(self.counted_at).as_secs_f64() / YEAR.as_secs_f64();
        let most = (self.per_year / 12.0).max(1.0);
        WearBudget { left: (self.left + years * self.per_year).min(most), counted_at: now, ..self }
    }
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
    obstacle: Option<Obstacle>,
    known: Option<(Duration, Result<Value, Fault>)>,
    /// When the device was first asked on this connection.
    first_known_at: Option<Duration>,
    written: Option<Written>,
    verification: Option<Verification>,
    not_before: Duration,
    strikes: u8,
    struck_at: Duration,
    wear: Option<WearBudget>,
    writes_total: u64,
    disturbances_total: u64,
}

impl<P: Place> Output<P> {
    pub(crate) fn new(place: P) -> Output<P> {
        let wear = match place.rules().memory {
            Memory::Volatile => None,
            Memory::NonVolatile { writes_per_year } => {
                let per_year = f64::from(writes_per_year);
                Some(WearBudget { left: (per_year / 12.0).max(1.0), per_year, counted_at: Duration::ZERO })
            }
        };
        Output {
            place,
            wish: None,
            is_inhibited: false,
            said: None,
            aim: None,
            state: OutputState::Idle,
            obstacle: None,
            known: None,
            first_known_at: None,
            written: None,
            verification: None,
            not_before: Duration::ZERO,
            strikes: 0,
            struck_at: Duration::ZERO,
            wear,
            writes_total: 0,
            disturbances_total: 0,
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
            disturbances_total: self.disturbances_total,
            obstacle: self.obstacle.clone(),
        }
    }

    /// Takes the newest wish; the one before is forgotten.
    pub(crate) fn wish(&mut self, wishes: &DesiredOutputs) {
        let point = self.point();
        let before = self.wish.map(|wish| wish.value);
        self.wish = wishes.outputs.iter().copied().find(|wish| wish.point == point);
        self.is_inhibited = wishes.inhibited.contains(&point);
        if self.wish.map(|wish| wish.value) != before {
            self.say_wish();
        }
        if self.is_inhibited {
            self.state = OutputState::Inhibited;
            self.verification = None;
        } else if self.wish.is_none() {
            self.state = OutputState::Idle;
            self.verification = None;
        } else if matches!(self.state, OutputState::Idle | OutputState::Inhibited | OutputState::Expired) {
            self.settle();
        }
    }

    fn say_wish(&mut self) {
        self.aim = None;
        self.said = None;
        let Some(wish) = self.wish else { return };
        self.obstacle = None;
        match self.place.say(wish.value) {
            Ok((said, aim)) => {
                self.aim = Some(aim);
                self.said = Some(said);
                self.settle();
            }
            Err(why) => {
                self.state = OutputState::Refused;
                self.obstacle = Some(Obstacle::Encoding(why));
            }
        }
    }

    fn settle(&mut self) {
        let holds = matches!((self.known, self.aim), (Some((_, Ok(held))), Some(aim)) if self.is_close(held, aim));
        let is_open = self.verification.is_some();
        self.state = if holds && !is_open { OutputState::Confirmed } else { OutputState::Requested };
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
        let rules = self.place.rules().clone();
        if self.is_inhibited || self.wish.is_none() {
            return Action::Rest;
        }
        if now < self.not_before {
            return Action::Wait(self.not_before);
        }
        // To verify what was sent is harmless, however old the wish is by now.
        if let Some(Verification { next_at, .. }) = self.verification {
            return if next_at <= now { Action::ReadBack } else { Action::Wait(next_at) };
        }
        if self.is_expired(now) {
            self.state = OutputState::Expired;
            return Action::Rest;
        }
        let Some(aim) = self.aim else { return Action::Rest };
        let can_be_read = rules.verified != Verified::Never;
        if can_be_read && self.known.is_none() {
            return Action::ReadBack;
        }

        let is_volatile = self.wear.is_none();
        let last_write = self.written.map(|written| written.at);
        let wish_changed = self.written.is_some_and(|written| written.aim != aim);
        let differs = match self.known {
            Some((_, Ok(held))) => !self.is_close(held, aim),
            Some((_, Err(_))) => true,
            None => self.written.is_none() || wish_changed,
        };
        let soonest = last_write.map_or(Duration::ZERO, |at| at + rules.minimum_interval);
        // Counted from the first look at the device where nothing was written yet: it held the right value then.
        let refreshed = last_write.or(self.first_known_at).unwrap_or(now);
        let refresh = (refreshed + rules.refresh).max(soonest);
        let is_contested = STRIKES_MAX <= self.strikes && !wish_changed;

        let due = match (is_volatile, differs || (is_volatile && wish_changed)) {
            (_, true) if !is_contested => Some(soonest),
            (true, _) => Some(refresh),
            (false, _) => None,
        };
        match due {
            Some(due) if due <= now => self.spend(now),
            _ => self.look_again(now, rules.verified, rules.refresh, due),
        }
    }

    /// What is verified elsewhere is not polled; looking there from time to time shows foreign writes.
    fn look_again(&self, now: Duration, verified: Verified, every: Duration, due: Option<Duration>) -> Action {
        let look = match (verified, self.known) {
            (Verified::Apart, Some((at, _))) => Some(at + every),
            _ => None,
        };
        match (look, due) {
            (Some(look), _) if look <= now => Action::ReadBack,
            (Some(look), Some(due)) => Action::Wait(look.min(due)),
            (Some(one), None) | (None, Some(one)) => Action::Wait(one),
            (None, None) => Action::Rest,
        }
    }

    fn spend(&mut self, now: Duration) -> Action {
        let Some(budget) = self.wear.map(|budget| budget.at(now)) else { return Action::Write };
        self.wear = Some(budget);
        if 1.0 <= budget.left {
            return Action::Write;
        }
        self.state = OutputState::Refused;
        self.obstacle = Some(Obstacle::WearBudgetSpent);
        Action::Wait(now + YEAR.mul_f64((1.0 - budget.left) / budget.per_year))
    }

    /// It may not be written, because the device would hold it for ever if this computer died.
    pub(crate) fn denied(&mut self, unfit: Unfit) {
        self.state = OutputState::Refused;
        self.obstacle = Some(Obstacle::Watchdog(unfit));
    }

    /// The write is about to go out. From here on the device may hold it.
    pub(crate) fn sending(&mut self, now: Duration) {
        let Some(aim) = self.aim else { return };
        self.written = Some(Written { at: now, aim });
        self.state = OutputState::Sent;
        self.obstacle = None;
        self.known = None;
        self.writes_total += 1;
        if let Some(budget) = &mut self.wear {
            budget.left -= 1.0;
        }
    }

    /// The device echoed the write.
    pub(crate) fn accepted(&mut self, now: Duration) {
        self.state = OutputState::Accepted;
        let can_be_read = self.place.rules().verified != Verified::Never;
        self.verification = can_be_read.then_some(Verification { tries: 0, next_at: now });
    }

    /// The device refused the write.
    pub(crate) fn refused(&mut self, now: Duration, refusal: Refusal) {
        if refusal == Refusal::Busy {
            // It may have taken it all the same (exception 5), so it is asked before anything is sent again.
            self.not_before = now + BUSY_PAUSE;
            return;
        }
        self.state = OutputState::Refused;
        self.obstacle = Some(Obstacle::Device(refusal));
        self.strikes = self.strikes.saturating_add(1);
        self.struck_at = now;
        self.not_before = now + REFUSAL_PAUSE;
    }

    /// The connection is gone: what the device holds is unknown again, and so is whether it took the last write.
    pub(crate) fn disconnected(&mut self) {
        self.known = None;
        self.first_known_at = None;
        self.verification = None;
        if matches!(self.state, OutputState::Accepted | OutputState::Confirmed | OutputState::Mismatch) {
            self.state = OutputState::Requested;
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
        if self.is_inhibited || self.wish.is_none() {
            return;
        }
        let Some(written) = self.written else {
            self.settle_unless_refused();
            return;
        };
        let is_as_written = read.is_ok_and(|held| self.is_close(held, written.aim));
        if is_as_written && STRIKES_FADE <= now.saturating_sub(self.struck_at) {
            self.strikes = 0;
        }
        match self.verification {
            Some(_) if is_as_written => {
                self.verification = None;
                self.settle_unless_refused();
            }
            Some(Verification { tries, .. }) if tries < SETTLING.len() => {
                self.verification = Some(Verification { tries: tries + 1, next_at: now + SETTLING[tries] });
            }
            Some(_) => {
                self.verification = None;
                self.strike(now, read);
            }
            None if self.state == OutputState::Confirmed && !is_as_written => {
                self.disturbances_total += 1;
                self.strike(now, read);
            }
            None => self.settle_unless_refused(),
        }
    }

    fn settle_unless_refused(&mut self) {
        let aim = self.aim;
        let holds = matches!((self.known, aim), (Some((_, Ok(held))), Some(aim)) if self.is_close(held, aim));
        if holds {
            self.state = OutputState::Confirmed;
            self.obstacle = None;
        } else if matches!(self.state, OutputState::Confirmed | OutputState::Accepted) {
            self.state = OutputState::Requested;
        }
    }

    fn strike(&mut self, now: Duration, read: Result<Value, Fault>) {
        self.strikes = self.strikes.saturating_add(1);
        self.struck_at = now;
        if read.is_ok() {
            self.state = OutputState::Mismatch;
        }
        if STRIKES_MAX <= self.strikes {
            self.obstacle = Some(Obstacle::Contested);
        }
    }
}
