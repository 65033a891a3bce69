//! One room sensor: what is remembered of it, and what is thought of it.

use std::time::Duration;

use heatstation_points::{Celsius, Reading};
use serde::{Deserialize, Serialize};

use super::history::History;
use super::{HELD_LONGEST, RECALLED_BELOW, Verdict, hours};
use crate::settings::RoomSensorSettings;

/// Less than this is no movement: half of a sensor's tenth.
const GRAIN: f64 = 0.05;
/// The other rooms have moved if they moved by this.
const OTHERS_MOVED: f64 = 0.3;
/// A fall that only an open window makes: grains of a quarter of an hour, kelvins.
const WINDOW_FALLS: [(usize, f64); 2] = [(2, 0.8), (4, 1.5)];
/// Of fewer rooms than this the fall of one is a fall of all.
const COMPANY: usize = 3;
/// A room has recovered when it is back within this.
const RECOVERED_WITHIN: f64 = 0.5;
/// And has been so for this long.
const RECOVERED_FOR: Duration = Duration::from_secs(3600);
/// Hampel's three, times what makes a median absolute deviation a standard deviation.
const SPIKE: f64 = 3.0 * 1.4826;
/// A smaller jump is no spike, however steady the room was.
const SPIKE_LEAST: f64 = 0.9;
/// Grains of history without which no spike is seen.
const SPIKE_GRAINS: usize = 8;
/// The long run of a cold flat, h.
const LONG_RUN: f64 = 48.0;
/// Looked at for this long, a flat may be called closed; h.
const CLOSED_AFTER: f64 = 24.0;
/// And this, if it is twice as far off.
const CLOSED_SOON_AFTER: f64 = 6.0;
/// What a flat without heat keeps of the others' excess over outdoors: to be called closed, to be called so soon, and from
/// which on it is heated again.
const KEPT: (f64, f64, f64) = (0.80, 0.65, 0.85);
/// In milder weather the shares say nothing.
const EXCESS_LEAST: f64 = 8.0;
/// How long a place is remembered: five days of nights, h.
const PLACE_RUN: f64 = 45.0;
/// Looked at for so many hours of night, a place is known.
const PLACE_KNOWN: f64 = 6.0;
/// Flats of one circuit do not differ by more than this from their middle: two and a half times their scatter.
const FLATS_DIFFER: f64 = 3.0;

/// What the other rooms say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    /// The median room.
    pub median: Option<f64>,
    /// What the rooms have in common: their median when each is moved from its place to the middle.
    pub level: Option<f64>,
    /// How many rooms that is taken from.
    pub company: usize,
    /// The middle of all places.
    pub place: Option<f64>,
    pub outdoor: Celsius,
}

/// A fall that looks like a window.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    recovers_at: f64,
    lasted: Duration,
    recovered: Duration,
}

/// Where a value has stood, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Stand {
    low: f64,
    high: f64,
    held: Duration,
    level: Option<f64>,
    stuck: bool,
}

/// The long run of the room's excess over outdoors and of the others'.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Warmth {
    hours: f64,
    own: f64,
    others: f64,
    closed: bool,
}

/// Where the room is beside the others in the long run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Learnt {
    hours: f64,
    deviation: f64,
}

/// What is remembered of a sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Sensor {
    pub verdict: Verdict,
    value: Option<f64>,
    fresh: Option<f64>,
    silent: Duration,
    /// Since it last counted.
    out: Duration,
    history: History,
    window: Option<Window>,
    spike: bool,
    moved: bool,
    stand: Stand,
    warmth: Warmth,
    learnt: Learnt,
    told: Option<Verdict>,
    untold: Duration,
}

impl Sensor {
    /// Takes a reading: the last value holds until it is two reporting intervals old.
    pub fn hear(&mut self, rules: &RoomSensorSettings, reading: Reading<Celsius>, dt: Duration) {
        self.fresh = reading.fresh().map(|value| value.0);
        if let Some(value) = self.fresh {
            self.moved = self.value.is_none_or(|before| (before - value).abs() > 1e-9);
            self.value = Some(value);
            self.silent = Duration::ZERO;
        } else {
            self.moved = false;
            self.silent = self.silent.saturating_add(dt);
            if self.silent > rules.report_interval * 2 {
                self.value = None;
            }
        }
    }

    pub fn age(&mut self, gone: Duration) {
        self.silent = self.silent.saturating_add(gone);
        self.out = self.out.saturating_add(gone);
        self.value = None;
    }

    /// What it says, if it has said anything of late.
    pub fn heard(&self) -> Option<f64> {
        self.value
    }

    /// The same, if it can be a room.
    pub fn plausible(&self, rules: &RoomSensorSettings) -> Option<f64> {
        self.value.filter(|value| (rules.range_min.0..=rules.range_max.0).contains(value))
    }

    /// What it says of what all rooms have in common.
    pub fn level(&self) -> Option<f64> {
        (self.learnt.hours > 0.0).then(|| self.value.map(|value| value - self.learnt.deviation)).flatten()
    }

    /// Where it is beside the others, once that is known.
    pub fn place(&self) -> Option<f64> {
        (self.learnt.hours >= PLACE_KNOWN && !self.warmth.closed).then_some(self.learnt.deviation)
    }

    /// Finds the verdict of this look.
    pub fn judge(&mut self, rules: &RoomSensorSettings, others: &Others, levels: &History, tick: bool, dt: Duration) {
        self.verdict = match self.value {
            None => Verdict::Silent,
            Some(value) => {
                self.watch_stand(rules, value, others, dt);
                self.watch_window(rules, value, others, levels, dt);
                if self.moved || tick {
                    self.spike = self.is_spike(value, others, levels);
                }
                self.watch_warmth(rules, value, others, dt);
                self.name(rules, value, others)
            }
        };
        self.out = if self.verdict.counts() { Duration::ZERO } else { self.out.saturating_add(dt) };
    }

    fn name(&self, rules: &RoomSensorSettings, value: f64, others: &Others) -> Verdict {
        if !(rules.range_min.0..=rules.range_max.0).contains(&value) {
            Verdict::OutOfRange
        } else if self.stand.stuck {
            Verdict::Stuck
        } else if self.warmth.closed {
            Verdict::Closed
        } else if self.window.is_some() {
            Verdict::Window
        } else if self.spike {
            Verdict::Spike
        } else if self.on_own_account(rules, others) != 0.0 {
            Verdict::Misplaced
        } else {
            Verdict::Counted
        }
    }

    fn watch_stand(&mut self, rules: &RoomSensorSettings, value: f64, others: &Others, dt: Duration) {
        let stand = &mut self.stand;
        (stand.low, stand.high) = (stand.low.min(value), stand.high.max(value));
        if stand.high - stand.low >= GRAIN {
            *stand = Stand { low: value, high: value, held: Duration::ZERO, level: others.level, stuck: false };
            return;
        }
        stand.held = stand.held.saturating_add(dt);
        stand.level = stand.level.or(others.level);
        // A sensor with a coarse scale may stand for a day while nothing moves. Alone there is nobody to ask.
        let alone = others.company < COMPANY;
        let moved = stand.level.zip(others.level).is_some_and(|(then, now)| (now - then).abs() >= OTHERS_MOVED);
        stand.stuck |= stand.held >= rules.stuck_after && (alone || moved);
    }

    fn watch_window(
        &mut self,
        rules: &RoomSensorSettings,
        value: f64,
        others: &Others,
        levels: &History,
        dt: Duration,
    ) {
        let Some(window) = &mut self.window else {
            self.window = self.fallen_from(value, others, levels).map(|from| Window {
                recovers_at: from - RECOVERED_WITHIN,
                lasted: Duration::ZERO,
                recovered: Duration::ZERO,
            });
            return;
        };
        window.lasted = window.lasted.saturating_add(dt);
        let back = value >= window.recovers_at;
        window.recovered = if back { window.recovered.saturating_add(dt) } else { Duration::ZERO };
        if window.recovered >= RECOVERED_FOR || window.lasted >= rules.window_longest {
            self.window = None;
            // What it fell from is forgotten with it: the same fall is not seen twice.
            self.history = History::default();
        }
    }

    /// From where it fell faster than walls can, the other rooms' fall taken off.
    fn fallen_from(&self, value: f64, others: &Others, levels: &History) -> Option<f64> {
        WINDOW_FALLS.into_iter().find_map(|(grains, most)| {
            let then = self.history.ago(grains)?;
            let level = others.level.filter(|_| others.company >= COMPANY);
            let others_fell = levels.ago(grains).zip(level).map_or(0.0, |(then, now)| (then - now).max(0.0));
            (then - value - others_fell > most).then_some(then)
        })
    }

    fn is_spike(&self, value: f64, others: &Others, levels: &History) -> bool {
        let Some(level) = others.level else { return false };
        let deviations = self.history.against(levels);
        if deviations.count() < SPIKE_GRAINS {
            return false;
        }
        deviations
            .median_and_mad()
            .is_some_and(|(middle, mad)| (value - level - middle).abs() > (SPIKE * mad).max(SPIKE_LEAST))
    }

    fn watch_warmth(&mut self, rules: &RoomSensorSettings, value: f64, others: &Others, dt: Duration) {
        let Some(median) = others.median else { return };
        if self.window.is_some() || self.stand.stuck {
            return;
        }
        let warmth = &mut self.warmth;
        warmth.hours = (warmth.hours + hours(dt)).min(LONG_RUN);
        let share = if warmth.hours > 0.0 { hours(dt) / warmth.hours } else { 1.0 };
        warmth.own += (value - others.outdoor.0 - warmth.own) * share;
        warmth.others += (median - others.outdoor.0 - warmth.others) * share;
        if warmth.others < EXCESS_LEAST {
            return;
        }
        let (below, kept) = (warmth.others - warmth.own, warmth.own / warmth.others);
        let cold = rules.closed_below.0;
        if warmth.closed {
            warmth.closed = below > cold - 0.5 && kept < KEPT.2;
        } else {
            let soon = warmth.hours >= CLOSED_SOON_AFTER && below > 2.0 * cold && kept < KEPT.1;
            warmth.closed = soon || (warmth.hours >= CLOSED_AFTER && below > cold && kept < KEPT.0);
        }
    }

    /// Keeps what it says now as a grain of its history.
    pub fn keep(&mut self) {
        self.history.push(self.value);
    }

    /// Learns its place, at times when sun and people disturb least.
    pub fn learn(&mut self, level: Option<f64>, dt: Duration) {
        let believed = match self.verdict {
            Verdict::Counted | Verdict::Misplaced => true,
            Verdict::Recalled
            | Verdict::Silent
            | Verdict::OutOfRange
            | Verdict::Stuck
            | Verdict::Closed
            | Verdict::Window
            | Verdict::Spike => false,
        };
        let (Some(value), Some(level), true) = (self.value, level, believed) else { return };
        let learnt = &mut self.learnt;
        let passed = hours(dt).max(1e-3);
        learnt.hours = (learnt.hours + passed).min(PLACE_RUN);
        learnt.deviation += (value - level - learnt.deviation) * (passed / learnt.hours);
    }

    /// What of its place is more than flats differ, and so its own fault.
    fn on_own_account(&self, rules: &RoomSensorSettings, others: &Others) -> f64 {
        let Some(deviation) = self.place().zip(others.place).map(|(own, middle)| own - middle) else { return 0.0 };
        let beyond = (deviation.abs() - FLATS_DIFFER).clamp(0.0, rules.correction_max.0.max(0.0));
        beyond.copysign(deviation)
    }

    /// Whether it is not heard for now, but is known to be at its place.
    pub fn holds_its_place(&self, longest: Duration) -> bool {
        self.verdict.passes() && self.learnt.hours >= PLACE_KNOWN && self.out < longest
    }

    /// Its temperature now and in the long run, for the estimate.
    pub fn sample(&self, rules: &RoomSensorSettings, others: &Others) -> Option<(f64, f64)> {
        let own = self.on_own_account(rules, others);
        let settled =
            others.level.filter(|_| self.learnt.hours >= PLACE_KNOWN).map(|l| l + self.learnt.deviation - own);
        if self.verdict.counts() {
            let now = self.value? - own;
            if self.verdict == Verdict::Recalled {
                let least = others.median.map_or(now, |median| median - RECALLED_BELOW.0);
                return Some((now.max(least), now.max(least)));
            }
            return Some((now, settled.unwrap_or(now)));
        }
        let held = settled.filter(|_| self.holds_its_place(HELD_LONGEST))?;
        Some((held, held))
    }

    /// The verdict, if it has lasted and somebody has to be told of it, or of its end.
    pub fn news(&mut self, after: Duration, dt: Duration) -> Option<Verdict> {
        let now = self.verdict.wants_a_visit().then_some(self.verdict);
        // A sensor that is silent for a while is no better than before.
        let unknown = !self.verdict.counts() && now.is_none();
        if now == self.told || unknown {
            self.untold = Duration::ZERO;
            return None;
        }
        self.untold = self.untold.saturating_add(dt);
        if self.untold < after {
            return None;
        }
        self.told = now;
        self.untold = Duration::ZERO;
        Some(self.verdict)
    }
}

/// A sensor as it is saved: a short list, because there are hundreds of them and a checkpoint every ten seconds. The last
/// six hours are not in it; they come again in six hours.
#[derive(Serialize, Deserialize)]
struct Saved(
    Verdict,
    Option<Verdict>,
    u64,
    Option<(f32, u64, u64)>,
    (f32, u64, Option<f32>, bool),
    (f32, f32, f32, bool),
    (f32, f32),
);

fn short(value: f64) -> f32 {
    ((value * 100.0).round() / 100.0) as f32
}

impl From<Sensor> for Saved {
    fn from(sensor: Sensor) -> Saved {
        let Sensor { stand, warmth, learnt, .. } = sensor;
        let window = sensor.window;
        Saved(
            sensor.verdict,
            sensor.told,
            sensor.out.as_secs(),
            window.map(|window| (short(window.recovers_at), window.lasted.as_secs(), window.recovered.as_secs())),
            (short(stand.low), stand.held.as_secs(), stand.level.map(short), stand.stuck),
            (short(warmth.hours), short(warmth.own), short(warmth.others), warmth.closed),
            (short(learnt.hours), short(learnt.deviation)),
        )
    }
}

impl From<Saved> for Sensor {
    fn from(Saved(verdict, told, out, window, stand, warmth, learnt): Saved) -> Sensor {
        let secs = Duration::from_secs;
        let at = f64::from(stand.0);
        Sensor {
            verdict,
            told,
            out: secs(out),
            window: window.map(|(at, lasted, recovered)| Window {
                recovers_at: f64::from(at),
                lasted: secs(lasted),
                recovered: secs(recovered),
            }),
            stand: Stand { low: at, high: at, held: secs(stand.1), level: stand.2.map(f64::from), stuck: stand.3 },
            warmth: Warmth {
                hours: f64::from(warmth.0),
                own: f64::from(warmth.1),
                others: f64::from(warmth.2),
                closed: warmth.3,
            },
            learnt: Learnt { hours: f64::from(learnt.0), deviation: f64::from(learnt.1) },
            ..Sensor::default()
        }
    }
}
