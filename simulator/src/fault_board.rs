//! All active faults, and what they make of the instruments.
//!
//! Some failures need a memory (a slow sensor, a queue), some only the time since they began. The memory moves with the
//! plant's steps, never with looking, so that a reading is the same however often it is asked for.

use std::collections::VecDeque;

use heatstation_points::{Point, Ratio};

use crate::fault::Fault;
use crate::noise::Noise;

/// No queue holds more seconds than these.
const DELAY_MAX: f64 = 3600.0;
/// An intermittent sensor comes or goes for this long: s.
const CONTACT_SECONDS: f64 = 10.0;
/// A spike comes about this often: s.
const SPIKE_SECONDS: f64 = 60.0;
const DAY: f64 = 86_400.0;

/// What a fault does to one instrument.
#[derive(Clone, Debug, PartialEq)]
enum Trouble {
    Lost,
    Shows(Option<f64>),
    Bias(f64),
    Garbage,
    Slow { time_constant: f64, value: Option<f64> },
    Delayed { seconds: f64, queue: VecDeque<(f64, Option<f64>)> },
    Intermittent(Ratio),
    Drift { per_day: f64, since: f64 },
    Spike(f64),
    Shown(Point),
}

/// A fault at one instrument.
#[derive(Clone, Debug)]
struct Sick {
    cause: Fault,
    point: Point,
    trouble: Trouble,
}

/// All active faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBoard {
    active: Vec<Fault>,
    sick: Vec<Sick>,
    /// The plant's own clock: s.
    now: f64,
}

impl FaultBoard {
    pub fn active(&self) -> &[Fault] {
        &self.active
    }

    /// Adds or replaces a fault; `shown` is what the instrument shows now.
    pub fn inject(&mut self, fault: Fault, shown: Option<f64>) {
        self.clear(&fault);
        self.active.push(fault);
        let mut fall_sick = |point, trouble| self.sick.push(Sick { cause: fault, point, trouble });
        match fault {
            Fault::SensorLost(point) => fall_sick(point, Trouble::Lost),
            Fault::SensorStuck(point) => fall_sick(point, Trouble::Shows(shown)),
            Fault::SensorShows(point, value) => fall_sick(point, Trouble::Shows(Some(value))),
            Fault::SensorBias(point, bias) => fall_sick(point, Trouble::Bias(bias)),
            Fault::SensorGarbage(point) => fall_sick(point, Trouble::Garbage),
            Fault::SensorSlow(point, time) => {
                fall_sick(point, Trouble::Slow { time_constant: time.0.max(0.0), value: shown });
            }
            Fault::SensorDelayed(point, time) => {
                let seconds = time.0.clamp(0.0, DELAY_MAX);
                // Room for steps of a second, so that no step has to make any.
                let mut queue = VecDeque::with_capacity(seconds as usize + 2);
                queue.push_back((self.now, shown));
                fall_sick(point, Trouble::Delayed { seconds, queue });
            }
            Fault::SensorIntermittent(point, share) => fall_sick(point, Trouble::Intermittent(share)),
            Fault::SensorDrift(point, per_day) => fall_sick(point, Trouble::Drift { per_day, since: self.now }),
            Fault::SensorSpike(point, height) => fall_sick(point, Trouble::Spike(height)),
            Fault::SensorSwapped(one, other) => {
                fall_sick(one, Trouble::Shown(other));
                fall_sick(other, Trouble::Shown(one));
            }
            _ => {}
        }
    }

    pub fn clear(&mut self, fault: &Fault) {
        self.active.retain(|active| !active.is_same_place(fault));
        self.sick.retain(|sick| !sick.cause.is_same_place(fault));
    }

    /// Lets sick instruments with a memory see what is measured now.
    pub fn step(&mut self, seconds: f64, measure: impl Fn(Point) -> Option<f64>) {
        self.now += seconds;
        for sick in &mut self.sick {
            match &mut sick.trouble {
                Trouble::Slow { time_constant, value } => {
                    *value = match (*value, measure(sick.point)) {
                        (Some(before), Some(now)) => {
                            Some(before + (now - before) * seconds / (*time_constant + seconds))
                        }
                        (_, now) => now,
                    };
                }
                Trouble::Delayed { seconds: delay, queue } => {
                    let due = |queue: &VecDeque<(f64, Option<f64>)>| {
                        queue.get(1).is_some_and(|(at, _)| *at <= self.now - *delay)
                    };
                    while due(queue) || queue.len() == queue.capacity() {
                        queue.pop_front();
                    }
                    queue.push_back((self.now, measure(sick.point)));
                }
                Trouble::Lost
                | Trouble::Shows(_)
                | Trouble::Bias(_)
                | Trouble::Garbage
                | Trouble::Intermittent(_)
                | Trouble::Drift { .. }
                | Trouble::Spike(_)
                | Trouble::Shown(_) => {}
            }
        }
    }

    /// What an instrument shows under its faults; `measure` says what each would show without.
    pub fn shown(&self, point: Point, noise: &Noise, measure: impl Fn(Point) -> Option<f64>) -> Option<f64> {
        let mut value = measure(point);
        for sick in self.sick.iter().filter(|sick| sick.point == point) {
            value = match &sick.trouble {
                Trouble::Lost => return None,
                Trouble::Shows(shown) => *shown,
                Trouble::Bias(bias) => value.map(|value| value + bias),
                Trouble::Garbage => Some(garbage(noise, point)),
                Trouble::Slow { value, .. } => *value,
                Trouble::Delayed { queue, .. } => queue.front().and_then(|(_, value)| *value),
                Trouble::Intermittent(share) => {
                    let turn = (self.now / CONTACT_SECONDS) as u64;
                    value.filter(|_| noise.chance(point, turn) >= share.0)
                }
                Trouble::Drift { per_day, since } => value.map(|value| value + per_day * (self.now - since) / DAY),
                Trouble::Spike(height) => value.map(|value| value + spike(noise, point, self.now) * height),
                Trouble::Shown(other) => measure(*other),
            };
        }
        value
    }
}

/// What a register gives that is not the one: anything, numbers that no instrument has among them.
fn garbage(noise: &Noise, point: Point) -> f64 {
    let draw = noise.chance(point, noise.tick);
    match (draw * 8.0) as u8 {
        0 => f64::NAN,
        1 => -3276.8,
        2 => 6553.5,
        3 => 0.0,
        _ => (draw - 0.5) * 2000.0,
    }
}

/// −1 or 1 in one second of about sixty, else 0.
fn spike(noise: &Noise, point: Point, now: f64) -> f64 {
    match noise.chance(point, now as u64) * SPIKE_SECONDS {
        draw if draw < 0.5 => -1.0,
        draw if draw < 1.0 => 1.0,
        _ => 0.0,
    }
}
