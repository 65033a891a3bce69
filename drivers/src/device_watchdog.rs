//! The device's own watchdog, looked at before the device is trusted with outputs.
//!
//! When this computer dies, the PLC or drive has to notice and do what was agreed at commissioning: stop, close, or go on
//! by itself. Whether it would is a number in one of its registers, and that number is wrong in every device that was
//! exchanged, reset or never set. So it is read before the first write on each connection, and once a day after that; as
//! long as it is off, out of its range or unreadable nothing is written to that device, and the reason is shown.
//!
//! ```text
//!                   read, in range                 a day later, or connection lost
//!  [ NotAsked ] -------------------> [ Fit ] --------------------------> [ NotAsked ]
//!       |  read, out of range; unreadable                                     ^
//!       `----------------------------> [ Unfit ] ------------ a minute later -'
//! ```
//!
//! What it cannot see is whether the watchdog is fed by writes or by any request; that is tried at commissioning.

use std::time::Duration;

use crate::bus::Span;
use crate::output::BUSY_PAUSE;
use crate::settings::{DeviceSettings, WatchdogRule};

/// Looked at again after this: a device can be exchanged behind a gateway that keeps the connection.
const AGAIN: Duration = Duration::from_secs(24 * 3600);
/// And after this while it is not as it must be: somebody may be setting it right now.
const SOON: Duration = Duration::from_secs(60);

/// What is known of a device's watchdog.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    NotAsked,
    Fit { until: Duration },
    Unfit { until: Duration, found: Option<Duration> },
}

/// What was found in a device whose watchdog is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Its time; none if it could not be read, zero if it is off.
    pub found: Option<Duration>,
    /// The shortest time that is allowed.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.found {
            None => write!(f, "the watchdog of the device cannot be read")?,
            Some(Duration::ZERO) => write!(f, "the watchdog of the device is off")?,
            Some(found) => write!(f, "the watchdog of the device is set to {} s", found.as_secs_f64())?,
        }
        write!(f, "; {} to {} s are allowed", self.least.as_secs_f64(), self.most.as_secs_f64())
    }
}

/// Whether a device may be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Leave {
    /// It may.
    Given,
    /// Its watchdog is to be read first.
    Ask,
    /// It may not, before it is asked again at this time.
    Denied { until: Duration },
}

/// The watchdog of one device.
#[derive(Debug)]
pub(crate) struct DeviceWatchdog {
    rule: Option<WatchdogRule>,
    unit: u8,
    state: State,
    /// It was busy when it was asked.
    not_before: Duration,
}

impl DeviceWatchdog {
    pub(crate) fn of(device: &DeviceSettings) -> DeviceWatchdog {
        DeviceWatchdog {
            rule: device.watchdog,
            unit: device.modbus_unit,
            state: State::NotAsked,
            not_before: Duration::ZERO,
        }
    }

    /// Whether the device may be written now.
    pub(crate) fn leave(&self, now: Duration) -> Leave {
        if self.rule.is_none() {
            return Leave::Given;
        }
        match self.state {
            State::Fit { until } if now < until => Leave::Given,
            State::Unfit { until, .. } if now < until => Leave::Denied { until },
            State::NotAsked | State::Fit { .. } | State::Unfit { .. } if now < self.not_before => {
                Leave::Denied { until: self.not_before }
            }
            State::NotAsked | State::Fit { .. } | State::Unfit { .. } => Leave::Ask,
        }
    }

    /// The device is busy and will say later.
    pub(crate) fn ask_later(&mut self, now: Duration) {
        self.not_before = now + BUSY_PAUSE;
    }

    /// Where it is read.
    pub(crate) fn span(&self) -> Option<Span> {
        let rule = self.rule?;
        Some(Span { unit: self.unit, table: rule.table, address: rule.address, count: 1 })
    }

    /// What was read; none if the device would not say. True if that is news for a log.
    pub(crate) fn says(&mut self, word: Option<u16>, now: Duration) -> bool {
        let Some(rule) = self.rule else { return false };
        let found = word.map(|word| Duration::from_secs_f64(f64::from(word) * rule.seconds_per_count));
        let before = self.unfit();
        let is_fit = found.is_some_and(|found| (rule.least..=rule.most).contains(&found));
        self.state = if is_fit { State::Fit { until: now + AGAIN } } else { State::Unfit { until: now + SOON, found } };
        self.unfit() != before
    }

    /// The connection is gone, and with it what was known.
    pub(crate) fn forget(&mut self) {
        // What was wrong stays wrong until it is read again; it is read at once.
        self.state = match self.state {
            State::Unfit { found, .. } => State::Unfit { until: Duration::ZERO, found },
            State::NotAsked | State::Fit { .. } => State::NotAsked,
        };
    }

    /// What is wrong with it, if anything is known to be.
    pub(crate) fn unfit(&self) -> Option<Unfit> {
        let rule = self.rule?;
        match self.state {
            State::Unfit { found, .. } => Some(Unfit { found, least: rule.least, most: rule.most }),
            State::NotAsked | State::Fit { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Table;
    use crate::testing::device_of;

    const HOUR: Duration = Duration::from_secs(3600);

    fn watchdog() -> DeviceWatchdog {
        let rule = WatchdogRule {
            table: Table::HoldingRegister,
            address: 46,
            seconds_per_count: 0.1,
            least: Duration::from_secs(5),
            most: Duration::from_secs(60),
        };
        DeviceWatchdog::of(&DeviceSettings { watchdog: Some(rule), ..device_of(Vec::new()) })
    }

    #[test]
    fn a_device_is_asked_before_the_first_write_and_daily_after_that() {
        let mut watchdog = watchdog();
        assert_eq!(watchdog.leave(Duration::ZERO), Leave::Ask);
        watchdog.says(Some(300), Duration::ZERO);
        assert_eq!((watchdog.leave(HOUR), watchdog.leave(24 * HOUR)), (Leave::Given, Leave::Ask));
        watchdog.forget();
        assert_eq!(watchdog.leave(HOUR), Leave::Ask);
    }

    #[test]
    fn off_too_short_too_long_and_unreadable_are_told_apart() {
        let text = |word| {
            let mut watchdog = watchdog();
            assert!(watchdog.says(word, Duration::ZERO));
            assert_eq!(watchdog.leave(Duration::ZERO), Leave::Denied { until: SOON });
            watchdog.unfit().unwrap().to_string()
        };
        assert_eq!(text(Some(0)), "the watchdog of the device is off; 5 to 60 s are allowed");
        assert_eq!(text(Some(9)), "the watchdog of the device is set to 0.9 s; 5 to 60 s are allowed");
        assert_eq!(text(Some(6000)), "the watchdog of the device is set to 600 s; 5 to 60 s are allowed");
        assert_eq!(text(None), "the watchdog of the device cannot be read; 5 to 60 s are allowed");
    }

    #[test]
    fn a_device_without_a_rule_is_written_as_ever() {
        assert_eq!(DeviceWatchdog::of(&device_of(Vec::new())).leave(Duration::ZERO), Leave::Given);
    }
}
