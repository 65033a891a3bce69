//! Which pumps run: duty, assist, standby, change-over, exercise.
//!
//! Duty goes to pumps that are able: remote, no fault, not out by hand, not recently failed. A pump that was told to run
//! and is not proven within its time is a failed pump and rests for twenty minutes while the next takes over; after three
//! such rests it waits for a person, but in frost it is tried again all the same, because a frozen network is worse than a
//! worn contactor. Starts are counted: motors and drives bear about six an hour.
//!
//! A pump that turns and moves no water (a broken coupling, a closed valve) is exchanged as well, as long as there is
//! another to try: with the last one left a lying flow switch must not stop the water.

use std::time::Duration;

use heatstation_points::{CircuitIndex, CircuitReadings, PumpIndex, PumpReadings, Ratio, Switch};

use super::change::{Change, ChangeReason, Outcome, Pair, Sight};
use super::meter::Runs;
use super::proof::runs;
use super::{Asked, Circulation, Need, PUMPS_MAX, Pump, PumpFailure, Run, STAGGER};
use crate::event::Event;
use crate::settings::{ChangeOver, CirculationSettings};
use crate::timer::{Held, seconds};

/// A motor and its drive bear six starts an hour. As a bucket: three at once and three more over the hour, so that no hour
/// whatever sees more than six.
const STARTS_AT_ONCE: f64 = 3.0;
const STARTS_REGAINED_PER_HOUR: f64 = 3.0;
/// A pump that has run for so long has recovered from its failures.
const RAN_WELL: Duration = Duration::from_secs(600);
/// Between two exercises (Siemens: 30 s), and before an attempt that came to nothing is repeated.
const EXERCISE_PAUSE: Duration = Duration::from_secs(30);
const CHANGE_PAUSE: Duration = Duration::from_secs(3600);
/// A time of the week changes the duty of a pump that has had it this long: once in its minute is enough.
const DUTY_BEFORE_CALL: Duration = Duration::from_secs(3600);

/// What a step of the duty looks at.
pub(super) struct Watch<'a> {
    pub settings: &'a CirculationSettings,
    pub circuit: CircuitIndex,
    pub readings: &'a CircuitReadings,
    pub asked: &'a Asked,
    pub dt: Duration,
    pub events: &'a mut Vec<Event>,
}

type PerPump = [bool; PUMPS_MAX];

impl Pump {
    pub(super) fn age(&mut self, age: Duration) {
        self.rest = self.rest.saturating_sub(age);
        self.idle = self.idle.saturating_add(age);
        self.starts_used = (self.starts_used - STARTS_REGAINED_PER_HOUR * seconds(age) / 3600.0).max(0.0);
    }

    fn pass(&mut self, reading: &PumpReadings, dt: Duration) {
        self.age(dt);
        if self.on {
            self.duty = self.duty.saturating_add(dt);
            self.idle = Duration::ZERO;
            self.count.pass(reading, Runs::Yes, dt);
        } else {
            self.off = self.off.saturating_add(dt);
            self.count.pass(reading, Runs::No, dt);
        }
        if self.on && self.duty >= RAN_WELL {
            self.failures = 0;
        }
    }

    fn bears_a_start(&self) -> bool {
        self.starts_used + 1.0 <= STARTS_AT_ONCE
    }

    fn startable(&self, settings: &CirculationSettings) -> bool {
        !self.on && self.off >= settings.off_min && self.bears_a_start()
    }

    fn fail(&mut self, failure: PumpFailure, settings: &CirculationSettings) {
        self.rest = settings.retry_after;
        self.failure = Some(failure);
        self.failures = self.failures.saturating_add(1);
        (self.unproven, self.dry) = (Held::default(), Held::default());
    }

    pub(super) fn given_up(&self, settings: &CirculationSettings) -> bool {
        self.failures > settings.retries_max
    }
}

impl Circulation {
    /// Who shall run in this step.
    pub(super) fn choose(&mut self, watch: &mut Watch<'_>) -> PerPump {
        self.since_start = self.since_start.saturating_add(watch.dt);
        self.postponed = self.postponed.saturating_sub(watch.dt);
        let able = self.judge(watch);
        let none = [false; PUMPS_MAX];
        match watch.asked.run {
            Run::Barred | Run::Rest => {
                (self.change, self.joined) = (Change::None, 0);
                return none;
            }
            Run::NotWanted => {
                self.joined = 0;
                if self.change.exercised().is_none() {
                    self.change = Change::None;
                }
            }
            Run::Wanted => self.assist(watch, able),
        }
        self.go_on(watch, able);
        if self.change == Change::None && self.postponed.is_zero() {
            self.change =
                self.begin_change(watch, able).or_else(|| self.begin_exercise(watch, able)).unwrap_or_default();
        }
        self.wanted(watch, able)
    }

    /// Lets timers pass and judges which pumps are able.
    fn judge(&mut self, watch: &mut Watch<'_>) -> PerPump {
        let (settings, asked) = (watch.settings, watch.asked);
        let mut able = [false; PUMPS_MAX];
        for (number, reading) in watch.readings.circulation_pumps.iter().enumerate().take(settings.pumps) {
            let exercised = self.change.exercised() == Some(number);
            let pump = &mut self.pumps[number];
            pump.pass(reading, watch.dt);
            let local = reading.remote.last() == Some(Switch::Off);
            if local {
                // Somebody stands at the pump: that is the look that it has waited for.
                pump.failures = 0;
            }
            let faulty = reading.fault.usable() == Some(Switch::On);
            // A pump that is turned at its lowest speed beside others proves itself by its own feedback or not at all.
            let watched = !exercised || reading.running.is_configured();
            let astray = pump.on && watched && !runs(reading, asked.proven);
            let unproven = pump.unproven.for_at_least(settings.proof_within, astray, watch.dt);
            let failure = if faulty && pump.on {
                Some(PumpFailure::Fault)
            } else if unproven {
                Some(PumpFailure::NoFeedback)
            } else {
                None
            };
            if let Some(failure) = failure.filter(|_| pump.rest.is_zero()) {
                pump.fail(failure, settings);
                let pump = PumpIndex(number);
                watch.events.push(Event::PumpFailed { circuit: watch.circuit, pump, failure: Some(failure) });
            }
            let tried = !pump.given_up(settings) || asked.need == Need::Frost;
            able[number] = pump.rest.is_zero() && !faulty && !local && !asked.out[number] && tried;
        }
        self.judge_water(watch, &mut able);
        able
    }

    /// A pump that carries the circulation alone, turns, and moves no water.
    fn judge_water(&mut self, watch: &mut Watch<'_>, able: &mut PerPump) {
        let settings = watch.settings;
        let mut on = (0..settings.pumps).filter(|&number| self.pumps[number].on);
        let (Some(number), None) = (on.next(), on.next()) else { return };
        let turns =
            watch.readings.circulation_pumps.get(number).is_some_and(|p| p.running.usable() == Some(Switch::On));
        let another =
            (0..settings.pumps).any(|other| other != number && able[other] && self.pumps[other].bears_a_start());
        let dry = turns && another && watch.asked.proven == Some(false) && watch.asked.run == Run::Wanted;
        // Twice the proof's time: the water needs some seconds to gather speed.
        if self.pumps[number].dry.for_at_least(settings.proof_within * 2, dry, watch.dt) {
            self.pumps[number].fail(PumpFailure::NoWater, settings);
            able[number] = false;
            let (pump, failure) = (PumpIndex(number), Some(PumpFailure::NoWater));
            watch.events.push(Event::PumpFailed { circuit: watch.circuit, pump, failure });
        }
    }

    fn assist(&mut self, watch: &Watch<'_>, able: PerPump) {
        let Some(assist) = watch.settings.assist else {
            self.joined = 0;
            return;
        };
        let idle = (0..watch.settings.pumps).any(|number| able[number] && self.pumps[number].startable(watch.settings));
        let short = self.speed.is_short() && idle && self.joined < assist.pumps && self.change == Change::None;
        if self.short.for_at_least(assist.join_after, short, watch.dt) {
            self.joined += 1;
            self.short = Held::default();
        }
        let low = Ratio(assist.leave_below.0 * watch.settings.speed_max.0);
        let ample = self.joined > 0 && self.speed.now <= low;
        if self.ample.for_at_least(assist.leave_after, ample, watch.dt) {
            self.joined -= 1;
            self.ample = Held::default();
        }
    }

    /// A change-over or an exercise that is under way.
    fn go_on(&mut self, watch: &mut Watch<'_>, able: PerPump) {
        let Some((from, to)) = self.change.pumps() else { return };
        let settings = watch.settings;
        let proven = |number: usize| {
            let reading = watch.readings.circulation_pumps.get(number);
            let own = reading.filter(|reading| reading.running.is_configured());
            own.map_or(watch.asked.proven == Some(true), |reading| reading.running.fresh() == Some(Switch::On))
        };
        let others = (0..settings.pumps).filter(|&number| number != to && able[number]).count();
        let needed = if watch.asked.run == Run::Wanted { settings.duty + self.joined } else { 0 };
        let seen = Sight {
            from_able: able[from],
            from_slow: self.pumps[from].speed <= settings.speed_min + Ratio(1e-6),
            to_able: able[to],
            // After a pause there is no other pump whose water could be taken for its own.
            to_proven: self.pumps[to].on && proven(to) && (!self.change.pauses() || watch.asked.proven == Some(true)),
            others_suffice: others >= needed,
            wait: match settings.change_over {
                ChangeOver::Overlap => Duration::ZERO,
                ChangeOver::Pause { wait } => wait,
            },
            exercise: settings.exercise.lasts,
        };
        let outcome;
        (self.change, outcome) = self.change.next(seen, watch.dt);
        match outcome {
            Outcome::Open => {}
            Outcome::Changed(Pair { from, to, because }) => {
                self.postponed = EXERCISE_PAUSE;
                let (circuit, from, to) = (watch.circuit, PumpIndex(from), PumpIndex(to));
                watch.events.push(Event::DutyChanged { circuit, from, to, because });
            }
            Outcome::Back(pair) => {
                // The old one is needed now, however short its rest was.
                self.pumps[pair.from].off = settings.off_min;
                self.postponed = CHANGE_PAUSE;
            }
            Outcome::Exercised => {
                // Its turn was long enough: only what had the duty has to stay on for its time.
                self.pumps[to].duty = self.pumps[to].duty.max(settings.on_min);
                self.postponed = EXERCISE_PAUSE;
            }
        }
    }

    fn begin_change(&self, watch: &Watch<'_>, able: PerPump) -> Option<Change> {
        let settings = watch.settings;
        if watch.asked.run != Run::Wanted || watch.asked.proven != Some(true) {
            return None;
        }
        let from = self.on_duty(settings).max_by_key(|&number| self.pumps[number].duty)?;
        let duty = self.pumps[from].duty;
        let local = watch.asked.local;
        let called = settings.rotate_at.is_some_and(|at| {
            at.weekday == local.weekday && at.minute_of_day == local.minute_of_day && duty >= DUTY_BEFORE_CALL
        });
        let because = if !settings.rotate_after.is_zero() && duty >= settings.rotate_after {
            ChangeReason::Hours
        } else if called {
            ChangeReason::TimeOfWeek
        } else {
            return None;
        };
        let to = self.next_idle(settings, able)?;
        let pair = Pair { from, to, because };
        Some(match settings.change_over {
            ChangeOver::Overlap => Change::Overlap { pair, since: Duration::ZERO },
            ChangeOver::Pause { .. } => Change::RampDown { pair },
        })
    }

    fn begin_exercise(&self, watch: &Watch<'_>, able: PerPump) -> Option<Change> {
        let settings = watch.settings;
        let calm = watch.asked.run == Run::NotWanted || watch.asked.proven == Some(true);
        if settings.exercise.every.is_zero() || !calm {
            return None;
        }
        let due = |number: usize| self.pumps[number].idle >= settings.exercise.every;
        let mut idle = (0..settings.pumps).filter(|&n| able[n] && due(n) && self.pumps[n].startable(settings));
        idle.next().map(|pump| Change::Exercise { pump, since: Duration::ZERO })
    }

    /// The least worked of the idle that can start now.
    fn next_idle(&self, settings: &CirculationSettings, able: PerPump) -> Option<usize> {
        let idle = (0..settings.pumps).filter(|&number| able[number] && self.pumps[number].startable(settings));
        idle.min_by_key(|&number| self.pumps[number].count.run)
    }

    /// The pumps that shall run: those of the change under way, and enough of the others.
    fn wanted(&self, watch: &Watch<'_>, able: PerPump) -> PerPump {
        let settings = watch.settings;
        let mut wanted = [false; PUMPS_MAX];
        let mut candidates = able;
        let mut count = if watch.asked.run == Run::Wanted { settings.duty + self.joined } else { 0 };
        match self.change {
            Change::None => {}
            Change::Overlap { pair, .. } => (wanted[pair.to], candidates[pair.to]) = (true, false),
            Change::RampDown { pair } => candidates[pair.to] = false,
            Change::Wait { pair, .. } => {
                (candidates[pair.from], candidates[pair.to]) = (false, false);
                count = count.saturating_sub(1);
            }
            Change::Prove { pair } => {
                (candidates[pair.from], candidates[pair.to], wanted[pair.to]) = (false, false, true);
                count = count.saturating_sub(1);
            }
            Change::Exercise { pump, .. } => (wanted[pump], candidates[pump]) = (true, false),
        }
        // The running come first, the longest on duty last among them; of the idle the least worked.
        let mut order: [usize; PUMPS_MAX] = std::array::from_fn(|number| number);
        let worked = |pump: &Pump| if pump.on { pump.duty } else { pump.count.run };
        order.sort_by_key(|&number| (!self.pumps[number].on, worked(&self.pumps[number]), number));
        for &number in order.iter().filter(|&&number| number < settings.pumps && candidates[number]).take(count) {
            wanted[number] = true;
        }
        // What is not needed any more has run long enough first.
        for (number, pump) in self.pumps.iter().enumerate().take(settings.pumps) {
            wanted[number] |= pump.on && candidates[number] && pump.duty < settings.on_min;
        }
        wanted
    }

    /// Starts and stops, within what motors bear.
    pub(super) fn switch(&mut self, watch: &mut Watch<'_>, wanted: PerPump) {
        let settings = watch.settings;
        let exercised = self.change.exercised();
        for (number, wanted) in wanted.into_iter().enumerate() {
            let pump = &mut self.pumps[number];
            pump.start_barred = wanted && !pump.on && !pump.bears_a_start();
            if pump.on && !wanted {
                (pump.on, pump.off, pump.duty) = (false, Duration::ZERO, Duration::ZERO);
                (pump.unproven, pump.dry) = (Held::default(), Held::default());
            } else if wanted && pump.startable(settings) && self.since_start >= STAGGER {
                (pump.on, pump.duty) = (true, Duration::ZERO);
                pump.starts_used += 1.0;
                pump.count.starts += 1;
                pump.speed = if exercised == Some(number) { settings.speed_min } else { self.speed.now };
                self.since_start = Duration::ZERO;
                watch.events.push(Event::PumpStarted { circuit: watch.circuit, pump: PumpIndex(number) });
            }
        }
    }
}
