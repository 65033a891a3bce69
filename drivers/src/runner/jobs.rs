//! What could be sent now, and which of it is.

use std::time::Duration;

use super::Runner;
use crate::breaker::BreakerState;
use crate::bus::Bus;
use crate::device_watchdog::Leave;
use crate::output::{Action, Output, Urgency};
use crate::schedule::Class;
use crate::wire::look;

/// An output waits so long for those in the rows before a barrier, and no longer: one that the device is too busy to take
/// does not keep a pump from starting for ever.
const BARRIER_WAIT: Duration = Duration::from_secs(3);
/// Longest write of registers and of coils (Modbus Application Protocol V1.1b3, 6.12 and 6.11).
const WRITE_REGISTERS_MAX: u16 = 123;
const WRITE_COILS_MAX: u16 = 1968;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Job {
    /// These outputs, in the order of their addresses.
    Write(Vec<usize>),
    ReadBack(usize),
    AskWatchdog(usize),
    Read {
        device: usize,
        block: usize,
    },
}

/// What goes first within a class: a write, or the question before it, goes before the reading back of another; reads by
/// the device's share of the line; then deadline; then the order of rows.
type Rank = (u8, Duration, Duration, usize);

/// What is to be done for one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Write,
    /// Before a write, because nobody knows what stands there.
    Ask,
    /// After one, or to see whether somebody else wrote.
    Verify,
    AskWatchdog,
}

/// The best of each class.
#[derive(Debug, Default)]
struct Best([Option<(Rank, Job)>; Class::ALL.len()]);

impl Best {
    fn offer(&mut self, class: Class, rank: Rank, job: impl FnOnce() -> Job) {
        let best = &mut self.0[class as usize];
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            *best = Some((rank, job()));
        }
    }
}

impl<B: Bus> Runner<B> {
    /// The request that goes next; none while nothing is due.
    pub(super) fn next_job(&mut self, now: Duration) -> Option<Job> {
        for (poller, device) in self.pollers.iter_mut().zip(&self.settings.devices) {
            poller.look_again(now, device);
        }
        let errands = self.errands(now);
        let mut best = Best::default();
        for &(place, errand) in &errands {
            let output = &self.outputs[place];
            let device = output.place.device;
            let class = self.class_of(
                device,
                match (errand, output.urgency()) {
                    (Errand::Write | Errand::Ask | Errand::AskWatchdog, Urgency::Safety) => Class::SafetyWrite,
                    (Errand::Write | Errand::Ask | Errand::AskWatchdog, Urgency::Control) | (Errand::Verify, _) => {
                        Class::ControlWrite
                    }
                },
            );
            if class == Class::Probe && now < self.probe_at {
                continue;
            }
            let rank = (u8::from(errand == Errand::Verify), Duration::ZERO, Duration::ZERO, place);
            best.offer(class, rank, || match errand {
                Errand::Write => Job::Write(vec![place]),
                Errand::Ask | Errand::Verify => Job::ReadBack(place),
                Errand::AskWatchdog => Job::AskWatchdog(device),
            });
        }
        self.offer_reads(now, &mut best);
        self.show_waiting(now);

        let waiting = [0, 1, 2, 3, 4].map(|class: usize| best.0[class].is_some());
        let class = self.schedule.turn(waiting)?;
        let (_, job) = best.0[class as usize].take()?;
        Some(match job {
            Job::Write(places) => Job::Write(self.merged(places[0], &errands)),
            job @ (Job::ReadBack(_) | Job::AskWatchdog(_) | Job::Read { .. }) => job,
        })
    }

    /// Whatever is wanted of a device that did not answer last time comes last; but a write for a device that failed only
    /// once keeps its place.
    fn class_of(&self, device: usize, class: Class) -> Class {
        match (self.breakers[device].state(), class) {
            (BreakerState::Closed, class) => class,
            (BreakerState::Suspect, Class::SafetyWrite | Class::ControlWrite) => class,
            (BreakerState::Suspect, Class::FastRead | Class::SlowRead | Class::Probe) | (BreakerState::Open, _) => {
                Class::Probe
            }
        }
    }

    /// What the outputs want now, of devices that may be asked, in the order of rows.
    fn errands(&mut self, now: Duration) -> Vec<(usize, Errand)> {
        let mut errands = Vec::new();
        for place in 0..self.outputs.len() {
            let device = self.outputs[place].place.device;
            let action = self.outputs[place].next(now);
            if !self.breakers[device].lets_through(now) {
                continue;
            }
            let errand = match action {
                Action::Rest | Action::Wait(_) => continue,
                Action::ReadBack if self.outputs[place].is_verifying() => Errand::Verify,
                Action::ReadBack => Errand::Ask,
                Action::Write if self.is_held_by_barrier(place, now) => continue,
                // A device whose watchdog is off would hold a command for ever. It may hold a safe position so.
                Action::Write if self.outputs[place].urgency() == Urgency::Safety => Errand::Write,
                Action::Write => match self.watchdogs[device].leave(now) {
                    Leave::Given => Errand::Write,
                    Leave::Ask => Errand::AskWatchdog,
                    Leave::Denied { .. } => {
                        if let Some(unfit) = self.watchdogs[device].unfit() {
                            self.outputs[place].denied(unfit, now);
                        }
                        continue;
                    }
                },
            };
            errands.push((place, errand));
        }
        self.show_outputs();
        errands
    }

    /// Whether an output in a row before a barrier has still to be taken by the device.
    fn is_held_by_barrier(&self, place: usize, now: Duration) -> bool {
        let output = &self.outputs[place];
        if output.place.segment == 0 || output.urgency() == Urgency::Safety {
            return false;
        }
        let before = self.outputs[..place]
            .iter()
            .filter(|other| other.place.device == output.place.device && other.place.segment < output.place.segment);
        before.filter_map(Output::under_way_since).any(|since| now.saturating_sub(since) < BARRIER_WAIT)
    }

    fn offer_reads(&self, now: Duration, best: &mut Best) {
        for (device, poller) in self.pollers.iter().enumerate() {
            if !self.breakers[device].lets_through(now) {
                continue;
            }
            let start = self.schedule.start_of(device);
            for class in [Class::FastRead, Class::SlowRead] {
                let Some((deadline, block)) = poller.most_urgent(now, class) else { continue };
                let (class, rank) = match self.class_of(device, class) {
                    // The one that has waited longest: probes are not about the line's time.
                    Class::Probe if now < self.probe_at => continue,
                    Class::Probe => (Class::Probe, (1, self.breakers[device].quiet_until(), deadline, device)),
                    class => (class, (1, start, deadline, device)),
                };
                best.offer(class, rank, || Job::Read { device, block });
            }
        }
    }

    /// The output, and those at neighbouring addresses that are to be written at the same moment and may go with it.
    fn merged(&self, first: usize, errands: &[(usize, Errand)]) -> Vec<usize> {
        let one = &self.outputs[first];
        if !one.place.is_mergeable() || self.unmerged[one.place.device] {
            return vec![first];
        }
        let goes_along = |place: usize| {
            let (other, one) = (&self.outputs[place], one);
            other.place.is_mergeable()
                && (other.place.device, other.place.segment) == (one.place.device, one.place.segment)
                && other.place.register.table == one.place.register.table
                && other.urgency() == one.urgency()
        };
        let ready = errands.iter().filter(|(place, errand)| *errand == Errand::Write && goes_along(*place));
        let mut ready: Vec<usize> = ready.map(|&(place, _)| place).collect();
        ready.sort_by_key(|&place| self.outputs[place].place.register.address);
        let end = |place: usize| {
            let register = &self.outputs[place].place.register;
            u32::from(register.address) + u32::from(register.width())
        };
        let start = |place: usize| u32::from(self.outputs[place].place.register.address);
        let most = if one.place.register.table.holds_bits() { WRITE_COILS_MAX } else { WRITE_REGISTERS_MAX };
        let mut run: Vec<usize> = Vec::new();
        for place in ready {
            let fits = run
                .first()
                .zip(run.last())
                .is_some_and(|(&head, &last)| end(last) == start(place) && end(place) - start(head) <= u32::from(most));
            if !fits {
                if run.contains(&first) {
                    break;
                }
                run.clear();
            }
            run.push(place);
        }
        if run.contains(&first) { run } else { vec![first] }
    }

    /// When there may be something to do again.
    pub(super) fn wake_at(&mut self, now: Duration) -> Duration {
        for (poller, device) in self.pollers.iter_mut().zip(&self.settings.devices) {
            poller.look_again(now, device);
        }
        let mut wake = Duration::MAX;
        for place in 0..self.outputs.len() {
            let device = self.outputs[place].place.device;
            let ready = match self.outputs[place].next(now) {
                Action::Rest => continue,
                Action::Wait(until) => until,
                // It waits for the device, for its watchdog, for a barrier or for the other probes.
                Action::Write | Action::ReadBack => {
                    let watchdog = match self.watchdogs[device].leave(now) {
                        Leave::Denied { until } => until,
                        Leave::Given | Leave::Ask => now + WAIT_A_LITTLE,
                    };
                    self.breakers[device].quiet_until().max(self.probe_time_of(device)).max(watchdog)
                }
            };
            wake = wake.min(ready);
        }
        self.show_outputs();
        for (device, poller) in self.pollers.iter().enumerate() {
            let due = poller.next_due().unwrap_or(Duration::MAX);
            wake = wake.min(due.max(self.breakers[device].quiet_until()).max(self.probe_time_of(device)));
        }
        wake
    }

    /// When a device may be probed; at once if it needs no probe.
    fn probe_time_of(&self, device: usize) -> Duration {
        if self.breakers[device].is_closed() { Duration::ZERO } else { self.probe_at }
    }

    /// For how long the oldest of each class has waited.
    fn show_waiting(&self, now: Duration) {
        let mut waiting = [Duration::ZERO; Class::ALL.len()];
        for output in &self.outputs {
            let class = match output.urgency() {
                Urgency::Safety => Class::SafetyWrite,
                Urgency::Control => Class::ControlWrite,
            };
            let class = self.class_of(output.place.device, class);
            waiting[class as usize] = waiting[class as usize].max(output.waiting(now).unwrap_or_default());
        }
        for (device, poller) in self.pollers.iter().enumerate() {
            for read in [Class::FastRead, Class::SlowRead] {
                let class = self.class_of(device, read);
                waiting[class as usize] = waiting[class as usize].max(poller.lateness(now, read));
            }
        }
        let mut shown = look(&self.shown);
        shown.statistics.backlog = waiting[Class::FastRead as usize].max(waiting[Class::SlowRead as usize]);
        shown.statistics.waiting = waiting;
    }
}

/// How soon is looked again at what waits for something that has no time of its own.
const WAIT_A_LITTLE: Duration = Duration::from_millis(20);
