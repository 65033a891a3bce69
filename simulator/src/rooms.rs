//! Room sensors: they report now and then, in tenths, from wherever somebody screwed them on.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::building::Building;
use crate::circuit::SEASON_SECONDS;
use crate::settings::CircuitPlantSettings;

/// Bursts of loss last this long on average: s.
const BURST_SECONDS: f64 = 4.0 * 3600.0;
const NOISE: f64 = 0.05;
const STEPS_PER_KELVIN: f64 = 10.0;
/// A battery that lasts five seasons.
const BATTERY_PER_SECOND: f64 = 1.0 / (5.0 * SEASON_SECONDS);
/// A gateway drops a sensor that has missed this many reports.
const MISSED_REPORTS: f64 = 2.5;

#[derive(Clone, Debug)]
struct RoomSensor {
    building: usize,
    flat: usize,
    offset: f64,
    /// K/s.
    drift: f64,
    interval: f64,
    loss: f64,
    until_report: f64,
    since_report: f64,
    in_burst: bool,
    shown: Option<f64>,
    late: f64,
    /// What the gateway keeps for the next time.
    held_back: Option<f64>,
    battery: f64,
}

/// All room sensors of a circuit.
#[derive(Clone, Debug)]
pub(crate) struct RoomSensors {
    sensors: Vec<RoomSensor>,
    /// The next second that any sensor reports; until then there is nothing to do.
    until_next: f64,
    waited: f64,
    random: ChaCha8Rng,
}

impl RoomSensors {
    /// Sensors that begin to report at different times within their first interval.
    ///
    /// # Panics
    /// If a sensor hangs in a building or flat that does not exist.
    pub fn new(settings: &CircuitPlantSettings, mut random: ChaCha8Rng) -> RoomSensors {
        let sensors = (settings.rooms.iter())
            .map(|room| {
                let building = settings.buildings.get(room.building);
                assert!(
                    building.is_some_and(|building| room.flat < building.flats),
                    "{}: room sensor {} hangs in a flat that does not exist",
                    settings.name,
                    room.name
                );
                let interval = room.interval.0.max(1.0);
                RoomSensor {
                    building: room.building,
                    flat: room.flat,
                    offset: room.offset.0,
                    drift: room.drift.0 / SEASON_SECONDS,
                    interval,
                    loss: room.loss.0.clamp(0.0, 0.9),
                    until_report: random.random_range(0.0..60.0_f64.min(interval)),
                    since_report: 0.0,
                    in_burst: false,
                    shown: None,
                    late: room.late.0.clamp(0.0, 1.0),
                    held_back: None,
                    battery: room.battery.map_or_else(|| random.random_range(0.5..1.0), |left| left.0),
                }
            })
            .collect();
        RoomSensors { sensors, until_next: 0.0, waited: 0.0, random }
    }

    /// Lets time pass; who is due reports.
    pub fn step(&mut self, seconds: f64, buildings: &[Building]) {
        self.waited += seconds;
        self.until_next -= seconds;
        if self.until_next > 0.0 {
            return;
        }
        let passed = self.waited;
        self.waited = 0.0;
        self.until_next = f64::INFINITY;
        for sensor in &mut self.sensors {
            sensor.until_report -= passed;
            sensor.since_report += passed;
            if sensor.until_report <= 0.0 {
                sensor.until_report += sensor.interval;
                report(sensor, buildings, &mut self.random);
            }
            if sensor.since_report > MISSED_REPORTS * sensor.interval {
                sensor.shown = None;
            }
            self.until_next = self.until_next.min(sensor.until_report);
        }
    }

    /// What a sensor last reported: °C; none before its first report and after too many missed ones.
    pub fn temperature(&self, room: usize) -> Option<f64> {
        self.sensors.get(room)?.shown
    }

    /// What is left in its battery, 0 to 1.
    pub fn battery(&self, room: usize) -> Option<f64> {
        self.sensors.get(room).map(|sensor| sensor.battery)
    }
}

fn report(sensor: &mut RoomSensor, buildings: &[Building], random: &mut ChaCha8Rng) {
    // A two-state chain with the wanted share of loss and mean length of a burst.
    let leave = (sensor.interval / BURST_SECONDS).min(1.0);
    let enter = (leave * sensor.loss / (1.0 - sensor.loss)).min(1.0);
    sensor.offset += sensor.drift * sensor.interval;
    sensor.in_burst = random.random_bool(if sensor.in_burst { 1.0 - leave } else { enter });
    let noise: f64 = StandardNormal.sample(random);
    sensor.battery = (sensor.battery - sensor.interval * BATTERY_PER_SECOND).max(0.0);
    if sensor.in_burst || sensor.battery <= 0.0 {
        return;
    }
    let air = buildings[sensor.building].flats[sensor.flat].air;
    let read = ((air + sensor.offset + NOISE * noise) * STEPS_PER_KELVIN).round() / STEPS_PER_KELVIN;
    // Looks fresh and is not: what comes now was read a turn ago.
    let late = sensor.late > 0.0 && random.random_bool(sensor.late) && sensor.shown.is_some();
    sensor.shown = match (late, sensor.held_back.replace(read)) {
        (true, None) => sensor.shown,
        (true, Some(before)) => Some(before),
        (false, _) => {
            sensor.held_back = None;
            Some(read)
        }
    };
    sensor.since_report = 0.0;
}
