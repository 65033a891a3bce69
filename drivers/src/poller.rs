//! When each request of a device is due, and what is learnt from its refusals.
//!
//! # A bad register costs itself alone
//! A device that refuses a request because of one address is asked for half of it, and half of that, until the address
//! stands alone; its neighbours are read in the same pass. When the search is over, the plan is made anew around what was
//! found, so that a hundred registers with one bad among them are read by two requests and not by seven:
//!
//! * a register that is refused alone goes into **quarantine**: its quality is bad, with the reason; it is asked again after
//!   30 s, for a device that was only starting up, and each time twice as long later up to 10 minutes, and when the
//!   configuration is loaded, and when the device is back from a failure. Those in quarantine are asked together, so
//!   that this costs one request for a device that has come to its senses;
//! * a request that is refused although both of its halves are answered was refused for what lies between them, or for
//!   its length: there stays a **seam** that no request runs across, until the quarantine is next looked at.
//!
//! Silence is no refusal: nothing is ever halved because an answer was late.
//!
//! # Nothing queues
//! There are never more blocks than registers, whatever the device answers, and a block that could not be asked in time
//! is late, not doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use heatstation_points::Fault;

use crate::bus::Refusal;
use crate::output::BUSY_PAUSE;
use crate::plan::{Avoided, Link, ReadRequest, plan_device, plan_registers};
use crate::schedule::Class;
use crate::settings::{DeviceSettings, Table};

/// First and last time that a refused register is left out. A device in its start-up is back soon; a wrong register map
/// stays wrong, and costs a request each time it is tried.
const QUARANTINE_MIN: Duration = Duration::from_secs(30);
const QUARANTINE_MAX: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
struct Block {
    request: ReadRequest,
    due: Duration,
    /// The refused request that it is a half of.
    half_of: Option<usize>,
}

impl Block {
    fn deadline(&self) -> Duration {
        self.due + self.request.period
    }
}

/// A request that was refused and halved while the search for the reason goes on.
#[derive(Clone, Copy, Debug)]
struct Halved {
    seam: (Table, u16),
    halves_refused: u8,
}

/// Why and since when a register is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quarantine {
    pub(crate) since: Duration,
    pub(crate) refusal: Refusal,
}

/// The requests of one device.
#[derive(Debug)]
pub(crate) struct Poller {
    number: usize,
    link: Link,
    blocks: Vec<Block>,
    /// The refused requests of a search, and how many of their parts have not been answered or given up yet.
    halved: Vec<Halved>,
    unresolved: usize,
    quarantined: BTreeMap<usize, Quarantine>,
    seams: BTreeSet<(Table, u16)>,
    pause: Duration,
    /// When quarantine and seams are looked at again; none while there are none.
    again_at: Option<Duration>,
}

/// Samples that a failure leaves behind.
#[derive(Debug, PartialEq)]
pub(crate) struct Lost {
    /// Registers of the device.
    pub(crate) registers: Vec<usize>,
    /// Why they have no value.
    pub(crate) fault: Fault,
    /// Whether this was not known before.
    pub(crate) is_news: bool,
}

impl Lost {
    pub(crate) fn silent(registers: Vec<usize>) -> Lost {
        Lost { registers, fault: Fault::Silent, is_news: false }
    }
}

impl Poller {
    pub(crate) fn new(number: usize, device: &DeviceSettings, link: Link) -> Poller {
        let block = |request| Block { request, due: Duration::ZERO, half_of: None };
        Poller {
            number,
            link,
            blocks: plan_device(number, device, link).into_iter().map(block).collect(),
            halved: Vec::new(),
            unresolved: 0,
            quarantined: BTreeMap::new(),
            seams: BTreeSet::new(),
            pause: QUARANTINE_MIN,
            again_at: None,
        }
    }

    /// The most urgent request of a class that is due, and its deadline.
    pub(crate) fn most_urgent(&self, now: Duration, class: Class) -> Option<(Duration, usize)> {
        let is_due = |block: &Block| block.due <= now && Class::of_read(block.request.period) == class;
        let due = self.blocks.iter().enumerate().filter(|(_, block)| is_due(block));
        due.map(|(place, block)| (block.deadline(), place)).min()
    }

    pub(crate) fn request(&self, block: usize) -> &ReadRequest {
        &self.blocks[block].request
    }

    /// When the next request is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let again = self.again_at.filter(|_| self.unresolved == 0);
        self.blocks.iter().map(|block| block.due).chain(again).min()
    }

    /// How late the latest request of a class is.
    pub(crate) fn lateness(&self, now: Duration, class: Class) -> Duration {
        let of_class = self.blocks.iter().filter(|block| Class::of_read(block.request.period) == class);
        of_class.map(|block| now.saturating_sub(block.due)).max().unwrap_or_default()
    }

    /// What is in quarantine, by the place of the register.
    pub(crate) fn quarantined(&self) -> impl Iterator<Item = (usize, Quarantine)> {
        self.quarantined.iter().map(|(&place, &quarantine)| (place, quarantine))
    }

    /// Asks for what is in quarantine, and runs across the seams, when the time for that has come.
    pub(crate) fn look_again(&mut self, now: Duration, device: &DeviceSettings) {
        if self.again_at.is_none_or(|at| now < at) || self.unresolved > 0 {
            return;
        }
        self.again_at = None;
        if !self.seams.is_empty() {
            self.seams.clear();
            self.remake(device, now);
        }
        let places = self.quarantined.keys().copied();
        let trials = plan_registers(self.number, device, self.link, places, &Avoided::default());
        self.unresolved += trials.len();
        self.blocks.extend(trials.into_iter().map(|request| Block { request, due: now, half_of: None }));
    }

    /// The device may be a different one, or the same with other settings: what was refused is asked again.
    pub(crate) fn forgive(&mut self, now: Duration) {
        self.pause = QUARANTINE_MIN;
        if self.again_at.is_some() {
            self.again_at = Some(now);
        }
    }

    /// The request brought its answer, or nothing did. What could not be kept up with is left out, not made up for: half
    /// a period passes from question to question at the least.
    pub(crate) fn done(&mut self, block: usize, asked_at: Duration) {
        let block = &mut self.blocks[block];
        block.due = (block.due + block.request.period).max(asked_at + block.request.period / 2);
    }

    /// The request was answered: what was in quarantine of it is free.
    pub(crate) fn answered(&mut self, block: usize, asked_at: Duration, device: &DeviceSettings) {
        self.done(block, asked_at);
        let Block { request, half_of, .. } = &mut self.blocks[block];
        let was_half = half_of.take().is_some();
        let quarantined = self.quarantined.len();
        for place in &request.registers {
            self.quarantined.remove(place);
        }
        let was_trial = self.quarantined.len() < quarantined;
        if was_half || was_trial {
            self.resolve(device, asked_at);
        }
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
            Refusal::Address | Refusal::Value => match self.blocks[block].request.halves(&device.registers) {
                Some(halves) => {
                    self.halve(block, halves);
                    None
                }
                None => Some(self.leave_out(block, now, device, refusal)),
            },
            Refusal::Function => Some(self.leave_out(block, now, device, refusal)),
            Refusal::Failure(_) => {
                self.done(block, now);
                Some(Lost::silent(self.blocks[block].request.registers.clone()))
            }
        }
    }

    fn halve(&mut self, block: usize, halves: [ReadRequest; 2]) {
        let Block { request, due, half_of } = self.blocks[block].clone();
        if let Some(parent) = half_of {
            self.halved[parent].halves_refused += 1;
        }
        let is_known = half_of.is_some() || self.is_trial(&request);
        self.unresolved += if is_known { 1 } else { 2 };
        let parent = self.halved.len();
        self.halved.push(Halved { seam: (request.table, halves[1].address), halves_refused: 0 });
        self.blocks.splice(block..=block, halves.map(|request| Block { request, due, half_of: Some(parent) }));
    }

    /// Whether it asks for what is in quarantine.
    fn is_trial(&self, request: &ReadRequest) -> bool {
        request.registers.iter().any(|place| self.quarantined.contains_key(place))
    }

    fn leave_out(&mut self, block: usize, now: Duration, device: &DeviceSettings, refusal: Refusal) -> Lost {
        let Block { request, half_of, .. } = self.blocks.remove(block);
        if let Some(parent) = half_of {
            self.halved[parent].halves_refused += 1;
        }
        let was_trial = self.is_trial(&request);
        let mut is_news = false;
        for &place in &request.registers {
            is_news |= !self.quarantined.contains_key(&place);
            self.quarantined.entry(place).or_insert(Quarantine { since: now, refusal }).refusal = refusal;
        }
        self.look_later(now);
        if half_of.is_some() || was_trial {
            self.resolve(device, now);
        } else {
            self.remake(device, now);
        }
        Lost { registers: request.registers, fault: Fault::Refused, is_news }
    }

    fn look_later(&mut self, now: Duration) {
        if self.again_at.is_none() {
            self.again_at = Some(now + self.pause);
            self.pause = (self.pause * 2).min(QUARANTINE_MAX);
        }
    }

    /// One part of the search has its answer. With the last one the plan is made anew around what was found.
    fn resolve(&mut self, device: &DeviceSettings, now: Duration) {
        self.unresolved = self.unresolved.saturating_sub(1);
        if self.unresolved > 0 {
            return;
        }
        // Whose halves were both answered was refused for what lies between them, or for its length.
        let seams = self.halved.drain(..).filter(|halved| halved.halves_refused == 0).map(|halved| halved.seam);
        let before = self.seams.len();
        self.seams.extend(seams);
        if before < self.seams.len() {
            self.again_at.get_or_insert(now + QUARANTINE_MAX);
        }
        self.remake(device, now);
    }

    /// The plan around quarantine and seams. What has just been read is not due again before its time.
    fn remake(&mut self, device: &DeviceSettings, now: Duration) {
        if self.unresolved > 0 {
            return;
        }
        let mut due_of = BTreeMap::new();
        for block in &self.blocks {
            due_of.extend(block.request.registers.iter().map(|&place| (place, block.due)));
        }
        let avoided = Avoided { registers: self.quarantined.keys().copied().collect(), seams: self.seams.clone() };
        let all = 0..device.registers.len();
        let plan = plan_registers(self.number, device, self.link, all, &avoided);
        let block = |request: ReadRequest| {
            let due = request.registers.iter().filter_map(|place| due_of.get(place)).min().copied().unwrap_or(now);
            Block { request, due, half_of: None }
        };
        self.blocks = plan.into_iter().map(block).collect();
    }

    /// What has become due while nobody could be asked: it is silent, and due again at `until` at the latest.
    pub(crate) fn silent(&mut self, now: Duration, until: Duration) -> Vec<Lost> {
        let quarantined = &self.quarantined;
        let due = self.blocks.iter_mut().filter(|block| block.due <= now);
        due.map(|block| {
            block.due = (block.due + block.request.period).max(now).min(until.max(now + Duration::from_millis(1)));
            // What the device refuses it refuses still.
            let registers = block.request.registers.iter().filter(|place| !quarantined.contains_key(place));
            Lost::silent(registers.copied().collect())
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::Encoding;
    use crate::settings::{Register, Table};
    use crate::testing::{device_of, input};

    const SECOND: Duration = Duration::from_secs(1);

    fn words(addresses: impl IntoIterator<Item = u16>, seconds: u64) -> Vec<Register> {
        let register = |address| Register {
            period: Duration::from_secs(seconds),
            ..input("primary.flow", Table::HoldingRegister, address, Encoding::U16)
        };
        addresses.into_iter().map(register).collect()
    }

    fn poller(device: &DeviceSettings) -> Poller {
        Poller::new(0, device, Link::ETHERNET)
    }

    /// Plays a device that refuses every request of more than `longest` addresses or touching `bad`; gives what was read
    /// and how many requests it took.
    fn pass_of(
        poller: &mut Poller,
        device: &DeviceSettings,
        (bad, longest): (&[u16], u16),
        now: Duration,
    ) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut read, mut lost, mut requests) = (Vec::new(), Vec::new(), 0);
        poller.look_again(now, device);
        while let Some((_, block)) = poller.most_urgent(now, Class::FastRead) {
            requests += 1;
            assert!(requests < 1000, "no end");
            let request = poller.request(block).clone();
            let end = request.address + request.count;
            if longest < request.count || bad.iter().any(|address| (request.address..end).contains(address)) {
                lost.extend(poller.refused(block, now, device, Refusal::Address).into_iter().flat_map(|l| l.registers));
            } else {
                read.extend(request.registers);
                poller.answered(block, now, device);
            }
        }
        read.sort_unstable();
        (read, lost, requests)
    }

    fn pass(
        poller: &mut Poller,
        device: &DeviceSettings,
        bad: &[u16],
        now: Duration,
    ) -> (Vec<usize>, Vec<usize>, usize) {
        pass_of(poller, device, (bad, 125), now)
    }

    #[test]
    fn one_bad_address_costs_itself_alone_and_its_neighbours_are_read_in_the_same_pass() {
        let device = device_of(words(0..100, 1));
        let mut poller = poller(&device);
        let (read, lost, requests) = pass(&mut poller, &device, &[37], Duration::ZERO);
        assert_eq!(lost, [37]);
        assert_eq!(read, (0..100).filter(|&place| place != 37).collect::<Vec<_>>());
        assert!(requests <= 2 * 7 + 1, "{requests} requests");
    }

    #[test]
    fn once_a_bad_address_is_found_its_neighbours_are_read_around_it_in_two_requests() {
        let device = device_of(words(0..100, 1));
        let mut poller = poller(&device);
        pass(&mut poller, &device, &[37], Duration::ZERO);
        let (read, lost, requests) = pass(&mut poller, &device, &[37], SECOND * 2);
        assert_eq!((read.len(), lost.len(), requests), (99, 0, 2));
        let found: Vec<usize> = poller.quarantined().map(|(place, _)| place).collect();
        assert_eq!(found, [37]);
    }

    #[test]
    fn a_refused_register_is_tried_again_later_and_ever_less_often_at_one_request_each() {
        let device = device_of(words(0..10, 1));
        let mut poller = poller(&device);
        let mut tries = Vec::new();
        for second in 0..3_600 {
            let (_, lost, requests) = pass(&mut poller, &device, &[4], SECOND * second);
            tries.extend(lost.iter().map(|_| second));
            assert!(second == 0 || requests <= 3, "{requests} requests in second {second}");
        }
        assert_eq!(tries, [0, 30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]);
    }

    #[test]
    fn a_device_that_refused_everything_while_starting_is_whole_again_afterwards() {
        let device = device_of(words(0..20, 1));
        let mut poller = poller(&device);
        let (read, lost, _) = pass(&mut poller, &device, &(0..20).collect::<Vec<_>>(), Duration::ZERO);
        assert_eq!((read.len(), lost.len()), (0, 20));
        let (read, _, requests) = pass(&mut poller, &device, &[], QUARANTINE_MIN);
        assert_eq!((read.len(), requests), (20, 1));
        let (read, _, requests) = pass(&mut poller, &device, &[], QUARANTINE_MIN + SECOND);
        assert_eq!((read.len(), requests, poller.quarantined().count()), (20, 1, 0));
    }

    #[test]
    fn a_hole_that_the_device_refuses_is_no_loss_and_not_run_across_again() {
        let device = device_of(words([0, 10], 1));
        let mut poller = poller(&device);
        assert_eq!(pass(&mut poller, &device, &[5], Duration::ZERO), (vec![0, 1], vec![], 3));
        assert_eq!(pass(&mut poller, &device, &[5], SECOND), (vec![0, 1], vec![], 2));
        assert_eq!(poller.quarantined().count(), 0);
    }

    #[test]
    fn a_device_that_gives_less_at_a_time_than_was_written_is_read_in_pieces_that_it_gives() {
        let device = device_of(words(0..100, 1));
        let mut poller = poller(&device);
        let (read, lost, _) = pass_of(&mut poller, &device, (&[], 30), Duration::ZERO);
        assert_eq!((read.len(), lost.len()), (100, 0));
        // The second search finds the middle, which the first could not tell from its quarters.
        pass_of(&mut poller, &device, (&[], 30), SECOND);
        let (read, _, requests) = pass_of(&mut poller, &device, (&[], 30), SECOND * 2);
        assert_eq!((read.len(), requests), (100, 4));
    }

    #[test]
    fn silence_halves_nothing() {
        let device = device_of(words(0..100, 1));
        let mut poller = poller(&device);
        for second in 0..60 {
            let (_, block) = poller.most_urgent(SECOND * second, Class::FastRead).unwrap();
            assert_eq!(poller.request(block).count, 100);
            poller.done(block, SECOND * second);
        }
    }

    #[test]
    fn what_was_refused_is_asked_again_at_once_when_the_configuration_is_loaded() {
        let device = device_of(words(0..10, 1));
        let mut poller = poller(&device);
        pass(&mut poller, &device, &[4], Duration::ZERO);
        poller.forgive(SECOND);
        let (read, _, _) = pass(&mut poller, &device, &[], SECOND);
        assert_eq!((read.len(), poller.quarantined().count()), (10, 0));
    }

    proptest! {
        /// Whatever a device answers, in whatever order: each register is in one block or in quarantine, never in two, so
        /// nothing grows.
        #[test]
        fn there_are_never_more_requests_than_registers(
            addresses in proptest::collection::btree_set(0_u16..200, 1..60),
            answers in proptest::collection::vec(0_u8..8, 1..400),
        ) {
            let device = device_of(words(addresses, 1));
            let mut poller = poller(&device);
            let mut now = Duration::ZERO;
            for answer in answers {
                poller.look_again(now, &device);
                if let Some((_, block)) = poller.most_urgent(now, Class::FastRead) {
                    let refusal = match answer {
                        0 | 1 => Some(Refusal::Address),
                        2 => Some(Refusal::Value),
                        3 => Some(Refusal::Function),
                        4 => Some(Refusal::Busy),
                        5 => Some(Refusal::Failure(4)),
                        _ => None,
                    };
                    match refusal {
                        Some(refusal) => drop(poller.refused(block, now, &device, refusal)),
                        None if answer == 6 => poller.done(block, now),
                        None => poller.answered(block, now, &device),
                    }
                }
                let mut places: Vec<usize> = poller.blocks.iter().flat_map(|b| b.request.registers.clone()).collect();
                places.sort_unstable();
                prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "read twice: {places:?}");
                for place in 0..device.registers.len() {
                    prop_assert!(places.contains(&place) || poller.quarantined.contains_key(&place), "{place} is lost");
                }
                prop_assert!(poller.halved.len() <= device.registers.len());
                now += Duration::from_millis(170 * u64::from(answer) + 1);
            }
        }
    }
}
