//! The two clocks, read together once a cycle.
//!
//! Control counts on the monotonic one. The wall clock dates records and turns schedules; it may step, and nothing but
//! the schedules notices.

use std::time::{Duration, Instant};

use heatstation_core::Moment;
use heatstation_core::moment::{Day, LocalTime, UtcMillis};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::store::Stamp;

/// The program's clock.
#[derive(Clone, Debug)]
pub struct Clock {
    epoch: Instant,
    zone: TimeZone,
    /// Virtual time in a demonstration: the wall runs this many times as fast from where it started.
    pace: Option<(UtcMillis, u32)>,
    /// The wall clock as it must have stood at the epoch at the earliest.
    floor: UtcMillis,
}

impl Clock {
    /// A clock that starts now, in the station's time zone.
    pub fn start(zone: TimeZone) -> Clock {
        Clock { epoch: Instant::now(), zone, pace: None, floor: UtcMillis(i64::MIN) }
    }

    /// A clock whose time runs `speed` times as fast from `wall` on: control, records and schedules all follow it.
    pub fn paced(zone: TimeZone, wall: UtcMillis, speed: u32) -> Clock {
        Clock { epoch: Instant::now(), zone, pace: Some((wall, speed)), floor: UtcMillis(i64::MIN) }
    }

    /// From now on the wall clock stands at `known` at the earliest: time that is on record has been. A computer whose
    /// battery is flat wakes up in 1970, and homes would be cold and outages of no length until somebody sets its clock.
    ///
    /// Returns how far the machine's clock is behind, if it is.
    pub fn not_before(&mut self, known: UtcMillis) -> Option<Duration> {
        let behind = known.since(self.now().wall);
        if behind.is_zero() {
            return None;
        }
        self.floor = UtcMillis(known.0 - i64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(0));
        Some(behind)
    }

    /// The start of all monotonic times.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// How many times as fast as real time it runs.
    pub fn speed(&self) -> u32 {
        self.pace.map_or(1, |(_, speed)| speed)
    }

    /// One reading.
    pub fn now(&self) -> Moment {
        let elapsed = self.epoch.elapsed();
        let (monotonic, wall) = match self.pace {
            None => (elapsed, UtcMillis(Timestamp::now().as_millisecond()).max(self.floor.plus(elapsed))),
            Some((start, speed)) => (elapsed * speed, start.plus(elapsed * speed)),
        };
        Moment { monotonic, wall, local: local_time(wall, &self.zone) }
    }
}

/// The time on the station's wall.
pub fn local_time(wall: UtcMillis, zone: &TimeZone) -> LocalTime {
    // Milliseconds that no calendar has come from a broken clock; midnight on a Thursday is as good as any.
    let Ok(timestamp) = Timestamp::from_millisecond(wall.0) else {
        return LocalTime::on(Day(0), 0);
    };
    let local = timestamp.to_zoned(zone.clone());
    let day = Day((local.date() - jiff::civil::date(1970, 1, 1)).get_days());
    LocalTime::on(day, local.hour() as u16 * 60 + local.minute() as u16)
}

/// A moment as the store stamps its records.
pub fn stamp(moment: &Moment) -> Stamp {
    Stamp {
        monotonic_milliseconds: u64::try_from(moment.monotonic.as_millis()).unwrap_or(u64::MAX),
        wall_milliseconds: moment.wall.0,
    }
}

/// How long ago something with that stamp was, by the wall clock; across restarts no other clock can say. A wall clock
/// that went back says zero.
pub fn age_of(wall_milliseconds: i64, now: &Moment) -> Duration {
    now.wall.since(UtcMillis(wall_milliseconds))
}

#[cfg(test)]
mod tests {
    use heatstation_core::moment::Weekday;

    use super::*;

    #[test]
    fn the_wall_of_shanghai_is_eight_hours_ahead() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // 2026-11-14 16:00 UTC is Sunday 00:00 there.
        let local = local_time(UtcMillis(1_794_672_000_000), &zone);
        assert_eq!((local.weekday, local.minute_of_day, local.day), (Weekday::Sunday, 0, Day(20_772)));
    }

    #[test]
    fn a_clock_that_wakes_up_in_the_past_goes_on_from_the_last_record() {
        let mut clock = Clock::start(TimeZone::UTC);
        let real = clock.now().wall;
        assert_eq!(clock.not_before(UtcMillis(real.0 - 1000)), None);
        let known = UtcMillis(real.0 + 86_400_000);
        let behind = clock.not_before(known).unwrap();
        assert!(behind > Duration::from_secs(86_300), "{behind:?}");
        assert!(clock.now().wall >= known && clock.now().wall.since(known) < Duration::from_secs(5));
    }

    #[test]
    fn a_paced_clock_runs_all_its_times_alike() {
        let clock = Clock::paced(TimeZone::UTC, UtcMillis(1_000), 60);
        let (a, b) = (clock.now(), clock.now());
        let by_wall = b.wall.0 - a.wall.0;
        let by_monotonic = b.monotonic.saturating_sub(a.monotonic).as_millis() as i64;
        assert!((by_wall - by_monotonic).abs() <= 1, "{by_wall} {by_monotonic}");
    }
}
