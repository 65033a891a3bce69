//! Whether a device is worth asking: a circuit breaker, so that a dead device costs its neighbours next to nothing.
//!
//! ```text
//!              failure                  failure                     back-off over, asked once
//!  [ Closed ] ---------> [ Suspect ] ---------> [ Open, quiet ] -----------------------------> answer: [ Closed ]
//!      ^                      |                        ^                                     `-> failure: longer
//!      `------- answer -------'                        `---------- a failure reported by the device itself
//! ```
//!
//! A single lost frame makes a device suspect and no more: it is asked again after whatever its neighbours are due. The
//! second failure in a row opens the breaker: the device is left alone, then gets exactly one request, a probe; each
//! failed probe doubles the wait up to the wire's longest. What is not [`BreakerState::Closed`] comes last in the queue,
//! and after a failed probe no other is sent for four time-outs ([`PROBE_SPACING`]) while any device answers. So however many devices of
//! a wire are dead, a living neighbour waits for one time-out at the most, and the dead together take a fifth of the line.

use std::time::Duration;

use crate::settings::WireSettings;

/// Failures in a row that open the breaker. One may be noise on the line; two are a device that does not answer.
const FAILURES_TO_OPEN: u32 = 2;
/// So many time-outs lie between a failed probe of one device and the next probe of any, while others answer.
pub(crate) const PROBE_SPACING: u32 = 4;

/// What is thought of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// It answers, or was never asked.
    #[default]
    Closed,
    /// It failed once and is asked again as soon as no neighbour waits.
    Suspect,
    /// It is left alone but for a probe now and then.
    Open,
}

impl BreakerState {
    /// All states.
    pub const ALL: [BreakerState; 3] = [BreakerState::Closed, BreakerState::Suspect, BreakerState::Open];

    /// The state as metrics and JSON spell it.
    pub const fn name(self) -> &'static str {
        match self {
            BreakerState::Closed => "closed",
            BreakerState::Suspect => "suspect",
            BreakerState::Open => "open",
        }
    }
}

/// The breaker of one device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Breaker {
    /// Failures in a row.
    failures: u32,
    quiet_until: Duration,
    pub(crate) openings_total: u64,
}

impl Breaker {
    pub(crate) fn state(&self) -> BreakerState {
        match self.failures {
            0 => BreakerState::Closed,
            failures if failures < FAILURES_TO_OPEN => BreakerState::Suspect,
            _ => BreakerState::Open,
        }
    }

    /// Whether nothing speaks against it.
    pub(crate) fn is_closed(&self) -> bool {
        self.failures == 0
    }

    /// Whether it may be asked now.
    pub(crate) fn lets_through(&self, now: Duration) -> bool {
        self.quiet_until <= now
    }

    /// When it may be asked again.
    pub(crate) fn quiet_until(&self) -> Duration {
        self.quiet_until
    }

    /// It answered. True if it had not before.
    pub(crate) fn answered(&mut self) -> bool {
        let is_back = self.failures > 0;
        self.failures = 0;
        self.quiet_until = Duration::ZERO;
        is_back
    }

    /// It did not answer, or not with sense. True if that opened the breaker.
    pub(crate) fn failed(&mut self, now: Duration, wire: &WireSettings) -> bool {
        self.count(self.failures.saturating_add(1), now, wire)
    }

    /// It reported that it, or the way to it, is broken: there is nothing to make sure of. True if that opened the breaker.
    pub(crate) fn reported_failure(&mut self, now: Duration, wire: &WireSettings) -> bool {
        self.count(self.failures.saturating_add(1).max(FAILURES_TO_OPEN), now, wire)
    }

    fn count(&mut self, failures: u32, now: Duration, wire: &WireSettings) -> bool {
        let was_open = FAILURES_TO_OPEN <= self.failures;
        self.failures = failures;
        if failures < FAILURES_TO_OPEN {
            return false;
        }
        self.quiet_until = now + backoff(failures - FAILURES_TO_OPEN + 1, wire);
        self.openings_total += u64::from(!was_open);
        !was_open
    }
}

/// The wait after so many failures in a row: doubling from the wire's least to its greatest, and up to a fifth shorter
/// by chance, so that a hundred stations behind one switch do not come back in one instant.
pub(crate) fn backoff(failures: u32, wire: &WireSettings) -> Duration {
    backoff_between(failures, wire.reconnect_min, wire.reconnect_max)
}

/// The same between any two waits.
pub(crate) fn backoff_between(failures: u32, least: Duration, most: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = least.saturating_mul(1 << doublings).min(most);
    whole.mul_f64(rand::random_range(0.8..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::wire_of;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_the_greatest_and_differ_by_chance() {
        let wire = wire_of(Vec::new());
        for failures in 1..80 {
            let whole = Duration::from_secs(1 << (failures - 1).min(6)).min(Duration::from_secs(60));
            let wait = backoff(failures, &wire);
            assert!(whole.mul_f64(0.79) <= wait && wait <= whole, "{failures}: {wait:?}");
        }
    }

    #[test]
    fn one_failure_makes_suspect_and_the_second_in_a_row_opens() {
        let wire = wire_of(Vec::new());
        let mut breaker = Breaker::default();
        assert!(!breaker.failed(SECOND, &wire));
        assert!(breaker.state() == BreakerState::Suspect && breaker.lets_through(SECOND));
        assert!(breaker.answered());
        assert!(!breaker.failed(SECOND, &wire) && breaker.failed(SECOND, &wire));
        assert!(breaker.state() == BreakerState::Open && !breaker.lets_through(SECOND + SECOND / 2));
        assert!(breaker.lets_through(SECOND * 2));
    }

    #[test]
    fn a_device_that_reports_its_own_failure_is_left_alone_at_once() {
        let mut breaker = Breaker::default();
        assert!(breaker.reported_failure(SECOND, &wire_of(Vec::new())));
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}
