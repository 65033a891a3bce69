//! Who has the line next.
//!
//! # Classes
//! A write for safety goes before one for control, that before what interlocks and loops read, that before meters, and all
//! before a probe of a device that does not answer. The order is strict, with one exception, so that nothing starves: what
//! has been passed over 8 times in a row has its turn. A controller that changes its mind each second cannot blind itself;
//! and two of these turns never follow each other, so a safety write waits for one at the most.
//!
//! # Devices
//! Within a class of reads the devices share the line's time: the one that has used least of it goes first (start-time
//! fair queueing; Goyal, Vin and Cheng, 1996), so a device with forty blocks takes from its own and not from its
//! neighbour's. Within a device the earliest deadline goes first. Writes go in the order of the device's rows.
//!
//! Pure, and nothing is stored but a few numbers for each class and device: the queue is what is due now, looked at anew
//! each time, and never longer than the settings are.

use std::time::Duration;

/// Reads at this period or faster are fast: interlock inputs every second, control every 1 to 5 s.
const FAST_MAX: Duration = Duration::from_secs(5);
/// So many requests in a row of higher classes before one that waits has its turn.
pub(crate) const PASSED_OVER_MAX: u32 = 8;

/// What a request is for, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An output that an interlock has decided, with the question that has to go before it.
    SafetyWrite,
    /// Any other output, and the reading back of all.
    ControlWrite,
    /// What is read every 5 s or oftener.
    FastRead,
    /// What is read less often.
    SlowRead,
    /// Anything of a device that did not answer last time.
    Probe,
}

impl Class {
    /// All of them, the most urgent first.
    pub const ALL: [Class; 5] =
        [Class::SafetyWrite, Class::ControlWrite, Class::FastRead, Class::SlowRead, Class::Probe];

    /// The class as metrics and JSON spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Class::SafetyWrite => "safety_write",
            Class::ControlWrite => "control_write",
            Class::FastRead => "fast_read",
            Class::SlowRead => "slow_read",
            Class::Probe => "probe",
        }
    }

    /// The class of a read of this period.
    pub(crate) fn of_read(period: Duration) -> Class {
        if period <= FAST_MAX { Class::FastRead } else { Class::SlowRead }
    }
}

/// Whose turn it was, and how much of the line each device has used.
#[derive(Debug)]
pub(crate) struct Schedule {
    passed_over: [u32; Class::ALL.len()],
    /// Whether the last turn was out of the order.
    was_exception: bool,
    /// When, in the time that the line was used, the next request of each device may start; and where that time stands.
    starts: Vec<Duration>,
    used: Duration,
}

impl Schedule {
    pub(crate) fn new(devices: usize) -> Schedule {
        Schedule {
            passed_over: [0; Class::ALL.len()],
            was_exception: false,
            starts: vec![Duration::ZERO; devices],
            used: Duration::ZERO,
        }
    }

    /// The class that has the line next, out of those that have something to send.
    pub(crate) fn turn(&mut self, waiting: [bool; Class::ALL.len()]) -> Option<Class> {
        let first = Class::ALL.into_iter().find(|&class| waiting[class as usize])?;
        let starving = |class: &Class| waiting[*class as usize] && PASSED_OVER_MAX <= self.passed_over[*class as usize];
        let chosen = Class::ALL.into_iter().find(starving).filter(|_| !self.was_exception).unwrap_or(first);
        self.was_exception = chosen != first;
        for class in Class::ALL {
            let count = &mut self.passed_over[class as usize];
            *count = if waiting[class as usize] && class != chosen { *count + 1 } else { 0 };
        }
        Some(chosen)
    }

    /// Where a device stands in the fair order: the smaller goes first.
    pub(crate) fn start_of(&self, device: usize) -> Duration {
        self.starts[device].max(self.used)
    }

    /// A request of a device has used the line for so long.
    pub(crate) fn used(&mut self, device: usize, time: Duration) {
        let start = self.start_of(device);
        self.used = start;
        self.starts[device] = start + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter for each request of a line on which these classes always have something to send.
    fn letters(waiting: [bool; 5], requests: usize) -> String {
        let mut schedule = Schedule::new(1);
        let turn = |_| schedule.turn(waiting).map_or('-', |class| ['S', 'c', 'f', 's', 'p'][class as usize]);
        (0..requests).map(turn).collect()
    }

    #[test]
    fn safety_goes_before_control_and_control_before_reading_and_yet_nothing_starves() {
        assert_eq!(letters([true, false, true, false, false], 20), "SSSSSSSSfSSSSSSSSfSS");
        let all = letters([true; 5], 1000);
        for (letter, least) in [('S', 500), ('c', 80), ('f', 80), ('s', 80), ('p', 80)] {
            assert!(least <= all.matches(letter).count(), "{letter}: {all}");
        }
        assert!(all.split('S').all(|between| between.len() <= 1), "safety waited for more than one: {all}");
        assert_eq!(letters([false; 5], 2), "--");
    }

    #[test]
    fn a_device_with_much_to_read_does_not_take_from_one_with_little() {
        let mut schedule = Schedule::new(2);
        let mut turns = [0; 2];
        for _ in 0..100 {
            let device = (0..2).min_by_key(|&device| schedule.start_of(device)).unwrap();
            turns[device] += 1;
            schedule.used(device, Duration::from_millis(if device == 0 { 90 } else { 10 }));
        }
        assert!((9..=11).contains(&turns[0]), "{turns:?}");
    }

    #[test]
    fn a_device_that_was_idle_saves_nothing_up() {
        let mut schedule = Schedule::new(2);
        for _ in 0..100 {
            schedule.used(0, Duration::from_millis(10));
        }
        let mut first = 0;
        while schedule.start_of(1) <= schedule.start_of(0) {
            schedule.used(1, Duration::from_millis(10));
            first += 1;
        }
        assert!(first <= 2, "{first} requests in a row");
    }
}
