//! When each request of a device is due, and what is learnt from its answers.
//!
//! The earliest deadline goes first, a deadline being the time when a request is due plus its period. So the safety
//! inputs of each second go before the meters, and still nothing starves: the deadline of a slow request comes near too.
//!
//! A device that refuses a request because of one address is asked for half of it, and half of that, until the address
//! stands alone; its neighbours are read in the same pass. The one is left out for a while, then the plan is tried anew
//! as a whole, because a device that was only starting up refuses everything.

use std::time::Duration;

use heatstation_points::Fault;

use crate::bus::Refusal;
use crate::output::BUSY_PAUSE;
use crate::plan::{ReadRequest, plan_device};
use crate::settings::{DeviceSettings, WireSettings};

/// First and last time that a refused register is left out. A device in its start-up is back soon; a wrong register map
/// stays wrong, and costs a handful of requests each time it is tried.
const QUARANTINE_MIN: Duration = Duration::from_secs(30);
const QUARANTINE_MAX: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
struct Block {
    request: ReadRequest,
    due: Duration,
}

impl Block {
    fn deadline(&self) -> Duration {
        self.due + self.request.period
    }
}

/// The requests of one device.
#[derive(Debug)]
pub(crate) struct Poller {
    blocks: Vec<Block>,
    plan: Vec<ReadRequest>,
    quarantine: Duration,
    /// When the plan is tried anew as a whole; none while nothing is left out.
    replan_at: Option<Duration>,
    /// Failures in a row, and until when the device is left alone for them.
    failures: u32,
    quiet_until: Duration,
}

/// Samples that a failure leaves behind.
#[derive(Debug, PartialEq)]
pub(crate) struct Lost {
    /// Registers of the device.
    pub(crate) registers: Vec<usize>,
    /// Why they have no value.
    pub(crate) fault: Fault,
}

impl Poller {
    pub(crate) fn new(number: usize, device: &DeviceSettings) -> Poller {
        let plan = plan_device(number, device);
        let blocks = plan.iter().map(|request| Block { request: request.clone(), due: Duration::ZERO }).collect();
        Poller { blocks, plan, quarantine: QUARANTINE_MIN, replan_at: None, failures: 0, quiet_until: Duration::ZERO }
    }

    /// Whether the device may be asked.
    pub(crate) fn is_available(&self, now: Duration) -> bool {
        self.quiet_until <= now
    }

    pub(crate) fn quiet_until(&self) -> Duration {
        self.quiet_until
    }

    /// The most urgent request that is due, and its deadline.
    pub(crate) fn most_urgent(&self, now: Duration) -> Option<(Duration, usize)> {
        let due = self.blocks.iter().enumerate().filter(|(_, block)| block.due <= now);
        due.map(|(place, block)| (block.deadline(), place)).min()
    }

    pub(crate) fn request(&self, block: usize) -> &ReadRequest {
        &self.blocks[block].request
    }

    /// When the next request is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.blocks.iter().map(|block| block.due).chain(self.replan_at).min()
    }

    /// How late the latest request is.
    pub(crate) fn backlog(&self, now: Duration) -> Duration {
        self.blocks.iter().map(|block| now.saturating_sub(block.due)).max().unwrap_or_default()
    }

    /// Puts the whole plan back when the time has come.
    pub(crate) fn replan(&mut self, now: Duration) {
        if self.replan_at.is_some_and(|at| at <= now) {
            self.blocks = self.plan.iter().map(|request| Block { request: request.clone(), due: now }).collect();
            self.replan_at = None;
        }
    }

    /// On a fresh connection the device may be a different one, or the same after its start-up.
    pub(crate) fn reconnected(&mut self, now: Duration) {
        self.quarantine = QUARANTINE_MIN;
        if self.replan_at.is_some() {
            self.replan_at = Some(now);
        }
    }

    /// The device answered.
    pub(crate) fn answered(&mut self) {
        self.failures = 0;
        self.quiet_until = Duration::ZERO;
    }

    /// The request brought its answer. What could not be kept up with is left out, not made up for: half a period
    /// passes from question to question at the least.
    pub(crate) fn done(&mut self, block: usize, asked_at: Duration) {
        let block = &mut self.blocks[block];
        block.due = (block.due + block.request.period).max(asked_at + block.request.period / 2);
    }

    /// The request was refused.
    pub(crate) fn refused(
        &mut self,
        block: usize,
        now: Duration,
        device: &DeviceSettings,
        refusal: Refusal,
    ) -> Option<Lost> {
        match refusal {
            Refusal::Busy => {
                self.blocks[block].due = now + BUSY_PAUSE;
                None
            }
            Refusal::Address | Refusal::Value => {
                if let Some(halves) = self.blocks[block].request.halves(&device.registers) {
                    let due = self.blocks[block].due;
                    self.blocks.splice(block..=block, halves.map(|request| Block { request, due }));
                    // Not for being left out, but so that a hole that the device refuses is not avoided for ever.
                    self.replan_at.get_or_insert(now + QUARANTINE_MAX);
                    return None;
                }
                Some(self.leave_out(block, now))
            }
            Refusal::Function => Some(self.leave_out(block, now)),
            Refusal::Failure(_) => {
                self.done(block, now);
                Some(Lost { registers: self.blocks[block].request.registers.clone(), fault: Fault::Silent })
            }
        }
    }

    fn leave_out(&mut self, block: usize, now: Duration) -> Lost {
        let again = now + self.quarantine;
        if self.replan_at.is_none_or(|at| again < at) {
            self.replan_at = Some(again);
            self.quarantine = (self.quarantine * 2).min(QUARANTINE_MAX);
        }
        Lost { registers: self.blocks.remove(block).request.registers, fault: Fault::Refused }
    }

    /// Whether its last answer was a good one.
    pub(crate) fn is_first_failure(&self) -> bool {
        self.failures == 0
    }

    /// The device failed: it is left alone, longer each time, so that its neighbours on the wire lose one time-out for
    /// each of these waits and no more.
    pub(crate) fn failed(&mut self, now: Duration, wire: &WireSettings) {
        self.failures = self.failures.saturating_add(1);
        self.quiet_until = now + backoff(self.failures, wire);
    }

    /// What has become due while nobody could be asked: it is silent, and due again at `until` at the latest.
    pub(crate) fn silent(&mut self, now: Duration, until: Duration) -> Vec<Lost> {
        let due = self.blocks.iter_mut().filter(|block| block.due <= now);
        due.map(|block| {
            block.due = (block.due + block.request.period).max(now).min(until.max(now + Duration::from_millis(1)));
            Lost { registers: block.request.registers.clone(), fault: Fault::Silent }
        })
        .collect()
    }
}

/// The wait after so many failures in a row: doubling from the wire's least to its greatest, and up to a fifth shorter
/// by chance, so that a hundred stations behind one switch do not come back in one instant.
pub(crate) fn backoff(failures: u32, wire: &WireSettings) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = wire.reconnect_min.saturating_mul(1 << doublings).min(wire.reconnect_max);
    whole.mul_f64(rand::random_range(0.8..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Encoding;
    use crate::settings::{Register, Table};
    use crate::testing::{device_of, input, wire_of};

    const SECOND: Duration = Duration::from_secs(1);

    fn words(addresses: impl IntoIterator<Item = u16>, seconds: u64) -> Vec<Register> {
        let register = |address| Register {
            period: Duration::from_secs(seconds),
            ..input("primary.flow", Table::HoldingRegister, address, Encoding::U16)
        };
        addresses.into_iter().map(register).collect()
    }

    /// Plays a device that refuses every request touching `bad`; gives what was read and how many requests it took.
    fn pass(
        poller: &mut Poller,
        device: &DeviceSettings,
        bad: &[u16],
        now: Duration,
    ) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut read, mut lost, mut requests) = (Vec::new(), Vec::new(), 0);
        poller.replan(now);
        while let Some((_, block)) = poller.most_urgent(now) {
            requests += 1;
            assert!(requests < 1000, "no end");
            let request = poller.request(block).clone();
            let end = request.address + request.count;
            if bad.iter().any(|address| (request.address..end).contains(address)) {
                lost.extend(poller.refused(block, now, device, Refusal::Address).into_iter().flat_map(|l| l.registers));
            } else {
                read.extend(request.registers);
                poller.done(block, now);
            }
        }
        read.sort_unstable();
        (read, lost, requests)
    }

    #[test]
    fn one_bad_address_costs_itself_alone_and_its_neighbours_are_read_in_the_same_pass() {
        let device = device_of(words(0..100, 1));
        let mut poller = Poller::new(0, &device);
        let (read, lost, requests) = pass(&mut poller, &device, &[37], Duration::ZERO);
        assert_eq!(lost, [37]);
        assert_eq!(read, (0..100).filter(|&place| place != 37).collect::<Vec<_>>());
        assert!(requests <= 2 * 7 + 1, "{requests} requests");
        let (read, lost, later) = pass(&mut poller, &device, &[37], SECOND * 2);
        assert_eq!((read.len(), lost.len()), (99, 0));
        assert!(later <= 7, "{later} requests");
    }

    #[test]
    fn a_refused_register_is_tried_again_later_and_ever_less_often() {
        let device = device_of(words(0..10, 1));
        let mut poller = Poller::new(0, &device);
        let mut tries = Vec::new();
        for second in 0..3_600 {
            let (_, lost, _) = pass(&mut poller, &device, &[4], SECOND * second);
            tries.extend(lost.iter().map(|_| second));
        }
        assert_eq!(tries, [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]);
    }

    #[test]
    fn a_device_that_refused_everything_while_starting_is_whole_again_afterwards() {
        let device = device_of(words(0..20, 1));
        let mut poller = Poller::new(0, &device);
        let (read, lost, _) = pass(&mut poller, &device, &(0..20).collect::<Vec<_>>(), Duration::ZERO);
        assert_eq!((read.len(), lost.len()), (0, 20));
        let (read, _, requests) = pass(&mut poller, &device, &[], QUARANTINE_MIN);
        assert_eq!((read.len(), requests), (20, 1));
    }

    #[test]
    fn a_hole_that_the_device_refuses_is_no_loss() {
        let device = device_of(words([0, 10], 1));
        let mut poller = Poller::new(0, &device);
        assert_eq!(pass(&mut poller, &device, &[5], Duration::ZERO), (vec![0, 1], vec![], 3));
    }

    #[test]
    fn safety_goes_before_meters_and_yet_meters_do_not_starve() {
        let mut registers = words([0], 1);
        registers.extend(words([100], 10));
        let device = device_of(registers);
        let mut poller = Poller::new(0, &device);
        let mut order = String::new();
        // A wire so slow that each request takes a whole second.
        for second in 0..60 {
            let now = SECOND * second;
            let (_, block) = poller.most_urgent(now).expect("something is always due on an overloaded wire");
            order.push(if poller.request(block).address == 0 { 's' } else { 'm' });
            poller.done(block, now);
        }
        assert!(order.starts_with("ss"), "{order}");
        let meters = order.matches('m').count();
        assert!((4..=6).contains(&meters), "{order}");
    }

    #[test]
    fn waits_double_up_to_the_greatest_and_differ_by_chance() {
        let wire = wire_of(Vec::new());
        for failures in 1..80 {
            let whole = Duration::from_secs(1 << (failures - 1).min(6)).min(Duration::from_secs(60));
            let wait = backoff(failures, &wire);
            assert!(whole.mul_f64(0.79) <= wait && wait <= whole, "{failures}: {wait:?}");
        }
    }
}
