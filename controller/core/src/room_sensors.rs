//! Which room sensors are to be believed.
//!
//! # Why this shape
//! A sensor costs less than the flat that it speaks for, and one in ten is bad. A wrong one does more harm here than
//! elsewhere: with five sensors a single flat whose radiators are shut makes the whole station too warm, and one that
//! stands on a radiator makes it too cold. So each reading passes these questions, and the first that it fails names the
//! [`Verdict`]:
//!
//! | verdict | when | source |
//! |---|---|---|
//! | silent | lost for two reporting intervals | practice of receivers |
//! | out of range | outside of 5 to 35 °C | |
//! | stuck | less than 0.05 K in 24 h while the other rooms moved | |
//! | closed | in the long run 3 K below the others *and* less than four fifths of their excess over outdoors | see below |
//! | window | 0.8 K down in half an hour or 1.5 K in an hour, the others steady; until recovered + 1 h, 6 h at most | |
//! | spike | 3 MAD off the median of its last 6 h (Hampel), 0.9 K at least | |
//!
//! All of them compare with the *other rooms*: what all rooms do together is the weather or the plant, never a sensor. A
//! value that repeats between two reports is no sign of anything; a wire is read more often than a sensor reports.
//!
//! # A flat whose valve is closed
//! A flat that does not answer to the water should be told from one that gets too little of it. Under a heating curve water
//! follows the weather, so that the answer cannot be seen by correlation. It shows in the level: without an emitter a flat
//! keeps what its neighbours give it, `k/(k+UA)` of their excess over outdoors, two thirds at the most; the worst heated flat
//! keeps nine tenths.
//!
//! # Places
//! Each sensor's long-run deviation from the others is learnt, at night, when the sun's orientation is no part of it and
//! people sleep. It serves three ends. A sensor that falls silent is held at its place for two days, so that the loss of
//! the coldest room's battery does not look like a warmer station. The scatter of flats is taken from places. And what a
//! place deviates beyond 3 K, more than flats do, is put to the sensor's own account: *misplaced*, corrected by 1.5 K at
//! most.
//!
//! # It cannot talk the station cold
//! Reading cold is what a sensor is there for. So no more than a third of the sensors is left out for it; if more read
//! cold, the mildest of them are *recalled* and count, at most 4 K below the others. If all rooms grow cold, none is left
//! out, because all verdicts are relative. A window counts as open for six hours, then the room is a cold room.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Ratio, RoomIndex, RoomReadings, Switch};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::moment::LocalTime;
use crate::room_tail::{RoomStatistic, Sample, estimate};
use crate::settings::CircuitSettings;
use crate::timer::{Held, seconds};

mod history;
mod sensor;
mod verdict;

use history::{History, TICK, median};
use sensor::{Others, Sensor};
pub use verdict::{RoomVerdicts, Verdict, VerdictCounts};

/// Most rooms that one circuit looks at; more are ignored in the order of the configuration.
pub const ROOMS_MAX: usize = 512;
/// A room that is recalled counts as no colder than this below the others.
const RECALLED_BELOW: Kelvins = Kelvins(4.0);
/// A sensor that is not heard keeps its place for this long.
const HELD_LONGEST: Duration = Duration::from_secs(48 * 3600);
/// And is as good as heard for this long.
const HELD_AS_HEARD: Duration = Duration::from_secs(6 * 3600);
/// With too few sensors the estimate is given up after this.
const SHORT_LONGEST: Duration = Duration::from_secs(6 * 3600);
/// What a person has to look at is told when it has lasted this long.
const TOLD_AFTER: Duration = Duration::from_secs(3600);
/// The night: the sun of the day has left the rooms.
const NIGHT: (u16, u16) = (22 * 60, 7 * 60);

/// What is remembered of a circuit's sensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomSensors {
    sensors: Vec<Sensor>,
    /// Of the sensors' names: another list is another set of sensors.
    list: u64,
    /// What the rooms have in common, of late.
    #[serde(skip)]
    level: History,
    #[serde(skip)]
    since_tick: Duration,
    /// How long there have been too few.
    short: Held,
    /// How long the rooms have been looked at.
    looked: Duration,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The circuit's settings.
    pub settings: &'a CircuitSettings,
    /// Its room sensors.
    pub readings: &'a [RoomReadings],
    /// The outdoor temperature.
    pub outdoor: Celsius,
    /// The time of day.
    pub local: LocalTime,
    /// Whether the circuit gives heat.
    pub heating: Switch,
    /// Since the last look.
    pub dt: Duration,
}

impl Look<'_> {
    fn is_night(&self) -> bool {
        let minute = self.local.minute_of_day;
        NIGHT.0 <= minute || minute < NIGHT.1
    }
}

/// Temperatures on the stack, to be sorted.
struct Row {
    values: [f64; ROOMS_MAX],
    count: usize,
}

impl Row {
    fn of(values: impl Iterator<Item = f64>) -> Row {
        let mut row = Row { values: [0.0; ROOMS_MAX], count: 0 };
        for value in values.take(ROOMS_MAX) {
            row.values[row.count] = value;
            row.count += 1;
        }
        row
    }

    fn median(&mut self) -> Option<f64> {
        median(&mut self.values[..self.count])
    }

    fn sorted(&mut self) -> &[f64] {
        let values = &mut self.values[..self.count];
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

impl RoomSensors {
    /// Lets time pass in which nobody looked: what is not remembered by then is as it was.
    pub fn age(&mut self, gone: Duration) {
        for sensor in &mut self.sensors {
            sensor.age(gone);
        }
    }

    /// How long the rooms have been looked at.
    pub fn looked(&self) -> Duration {
        self.looked
    }

    /// What is thought of each sensor.
    pub fn verdicts(&self) -> RoomVerdicts {
        RoomVerdicts::of(self.sensors.iter().map(|sensor| sensor.verdict))
    }

    /// One look at all rooms.
    pub fn look(&mut self, look: &Look) -> RoomStatistic {
        self.fit(look.settings);
        let rules = &look.settings.room_sensors;
        for (sensor, reading) in self.sensors.iter_mut().zip(look.readings) {
            sensor.hear(rules, reading.temperature, look.dt);
        }
        let others = self.others(look);
        self.since_tick += look.dt;
        let tick = self.since_tick >= TICK;
        for sensor in &mut self.sensors {
            sensor.judge(rules, &others, &self.level, tick, look.dt);
        }
        self.recall(look.settings.room_sensors.cold_masked_max, others.median);
        if tick {
            self.since_tick = Duration::ZERO;
            self.level.push(others.level);
            for sensor in &mut self.sensors {
                sensor.keep();
            }
        }
        // Without heat the sun and the ground make the places, not the water.
        if self.looked.is_zero() || (look.is_night() && look.heating.is_on()) {
            let level = others.level.or(others.median);
            for sensor in &mut self.sensors {
                sensor.learn(level, look.dt);
            }
        }
        self.looked = self.looked.saturating_add(look.dt);
        self.summary(look, &others)
    }

    /// As many memories as sensors, and those of the same sensors.
    fn fit(&mut self, settings: &CircuitSettings) {
        // FNV-1a, with a byte between names.
        let take = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut list = 0xcbf2_9ce4_8422_2325_u64;
        for room in settings.rooms.iter().take(ROOMS_MAX) {
            list = take(room.name.bytes().fold(list, take), 0);
        }
        if list != self.list {
            let count = settings.rooms.len().min(ROOMS_MAX);
            *self = RoomSensors { sensors: vec![Sensor::default(); count], list, ..RoomSensors::default() };
        }
    }

    fn others(&self, look: &Look) -> Others {
        let counted = || self.sensors.iter().filter(|sensor| sensor.verdict.counts());
        let mut temperatures = Row::of(counted().filter_map(Sensor::heard));
        if temperatures.count == 0 {
            temperatures =
                Row::of(self.sensors.iter().filter_map(|sensor| sensor.plausible(&look.settings.room_sensors)));
        }
        let median = temperatures.median();
        let mut levels = Row::of(counted().filter_map(Sensor::level));
        let mut places = Row::of(counted().filter_map(Sensor::place));
        let company = levels.count;
        Others { median, level: levels.median(), company, place: places.median(), outdoor: look.outdoor }
    }

    /// No more than a share may be left out for reading cold: the mildest of them count again.
    fn recall(&mut self, most: Ratio, median: Option<f64>) {
        let Some(median) = median else { return };
        let most = ((most.0 * self.sensors.len() as f64) as usize).max(1);
        let cold = |sensor: &Sensor| sensor.heard().filter(|&value| sensor.verdict.is_of_cold() && value < median);
        let mut row = Row::of(self.sensors.iter().filter_map(cold));
        if row.count <= most {
            return;
        }
        // What is colder than the first that is recalled stays out.
        let mildest_out = row.sorted()[most - 1];
        let mut left = most;
        for sensor in &mut self.sensors {
            let Some(value) = cold(sensor) else { continue };
            if value <= mildest_out && left > 0 {
                left -= 1;
            } else {
                sensor.verdict = Verdict::Recalled;
            }
        }
    }

    fn summary(&mut self, look: &Look, others: &Others) -> RoomStatistic {
        let settings = look.settings;
        let heard = || {
            let pairs = self.sensors.iter().zip(&settings.rooms);
            pairs.filter(|(sensor, _)| sensor.verdict.counts()).filter_map(|(s, room)| Some((s.heard()?, room)))
        };
        let mut row = Row::of(heard().map(|(value, _)| value));
        let counted = row.count;
        let passing = heard().filter(|(value, room)| *value >= room.minimum.0).count();
        let number = |verdict: Verdict| self.sensors.iter().filter(|sensor| sensor.verdict == verdict).count();
        let held = self.sensors.iter().filter(|sensor| sensor.holds_its_place(HELD_AS_HEARD)).count();
        let plausible = self.sensors.iter().filter(|sensor| sensor.plausible(&settings.room_sensors).is_some());
        let mut seen = RoomStatistic {
            configured: settings.rooms.len(),
            fresh: plausible.count(),
            counted,
            held,
            expected: self.sensors.len() - number(Verdict::Closed),
            verdicts: VerdictCounts::of(self.sensors.iter().map(|sensor| sensor.verdict)),
            ..RoomStatistic::default()
        };
        let short = counted < settings.room_trim.sensors_min;
        let given_up = self.short.for_at_least(SHORT_LONGEST, short, look.dt);
        if counted > 0 {
            let sorted = row.sorted();
            seen.mean = Some(Celsius(sorted.iter().sum::<f64>() / counted as f64));
            seen.coldest = Some(Celsius(sorted[0]));
            seen.median = median(&mut row.values[..counted]).map(Celsius);
            seen.passing = Some(Ratio(passing as f64 / counted as f64));
        }
        seen.tail = if given_up { None } else { self.tail(look, others) };
        seen
    }

    /// The estimate from all that are heard or held.
    fn tail(&self, look: &Look, others: &Others) -> Option<crate::room_tail::Tail> {
        let settings = look.settings;
        let nothing = Sample { excess: Kelvins(0.0), settled: Kelvins(0.0), weight: 0.0 };
        let mut samples = [nothing; ROOMS_MAX];
        let mut count = 0;
        let mut in_building = [0_u16; BUILDINGS_MAX];
        let sampled = || {
            let pairs = self.sensors.iter().zip(&settings.rooms);
            pairs.filter_map(|(sensor, room)| Some((sensor.sample(&settings.room_sensors, others)?, room)))
        };
        for (_, room) in sampled() {
            if let Some(building) = room.building.filter(|building| building.0 < BUILDINGS_MAX) {
                in_building[building.0] += 1;
            }
        }
        let area = settings.heated_area.square_meters() / settings.buildings.len().max(1) as f64;
        for ((now, settled), room) in sampled() {
            let building = room.building.and_then(|b| Some((settings.buildings.get(b.0)?, in_building.get(b.0)?)));
            // A room of no known building stands for a flat of a usual one.
            let weight = building.map_or(area / self.sensors.len() as f64, |(building, sensors)| {
                building.heated_area.square_meters() / f64::from((*sensors).max(1))
            });
            let above = |value: f64| Celsius(value) - room.minimum;
            samples[count] = Sample { excess: above(now), settled: above(settled), weight };
            count += 1;
        }
        if count < settings.room_trim.sensors_min {
            return None;
        }
        estimate(&settings.room_trim, &mut samples[..count])
    }

    /// What a person has to look at, once it has lasted for an hour.
    pub fn tell(&mut self, circuit: CircuitIndex, dt: Duration, events: &mut Vec<Event>) {
        for (number, sensor) in self.sensors.iter_mut().enumerate() {
            if let Some(verdict) = sensor.news(TOLD_AFTER, dt) {
                events.push(Event::RoomSensorJudged { circuit, room: RoomIndex(number), verdict });
            }
        }
    }
}

/// More buildings behind one exchanger there are not.
const BUILDINGS_MAX: usize = 200;

fn hours(duration: Duration) -> f64 {
    seconds(duration) / 3600.0
}

#[cfg(test)]
mod tests;
