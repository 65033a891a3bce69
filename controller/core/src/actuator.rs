//! From the valve's command to what its motor is told: a position, or a motor that runs one way, the other, or not at all.
//!
//! A 0–10 V or bus positioner takes the command as it is. A three-point motor knows no positions: it is told to open, to
//! close, or neither, and where it stands is reckoned from how long it has run, of the time that it takes from end to end.
//!
//! # What makes up for a motor that does not say where it stands
//! - **End stops.** A valve that is to be closed is driven on past the reckoned end, five running times at most; what the
//!   reckoning had lost by then is found again at the stop. Likewise open. A position feedback, where there is one, is
//!   believed at each step.
//! - **Play.** After a reversal the motor first takes up the gear's play. Where the play is known the target leads the
//!   command by half of it in the direction of the last move. That holds for positioners too: their feedback sits at the motor.
//! - **Shortest pulse.** A stroke that takes less than the motor's shortest pulse, or less than half a step of the control,
//!   waits until it has grown.
//! - **Reversal.** Motors that are switched from one way to the other without a rest break their gear or their capacitor:
//!   one step of rest lies between. The two are never told together.
//!
//! # Pulse lock
//! After five running times in one direction without a pulse in the other the motor is at its stop: it is locked, and gets
//! a pulse of one minute every ten minutes to keep it there (Siemens RVD240). Any pulse the other way, a feedback that says
//! that it has left the stop, or a person who has had the valve ends the lock.

use std::time::Duration;

use heatstation_points::{Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::settings::ValveSettings;
use crate::timer::seconds;

/// Running times in one direction after which the motor is at its stop (Siemens RVD240).
const LOCK_AFTER: f64 = 5.0;
/// A locked motor is pressed against its stop for this long out of each turn (Siemens RVD240: 1 min every 10 min).
const LOCK_PULSE: Duration = Duration::from_secs(60);
const LOCK_TURN: Duration = Duration::from_secs(600);
/// A feedback further than this from the stop says that the valve has left it.
const OFF_THE_STOP: f64 = 0.02;
/// Moves below this are no moves.
const STILL: f64 = 1e-9;

/// What moves the valve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActuatorSettings {
    /// A positioner that takes a position.
    #[default]
    Position,
    /// A motor that is told to open or to close.
    ThreePoint {
        /// The shortest pulse that moves it for sure.
        pulse_min: Duration,
    },
}

/// What a three-point motor is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motor {
    /// To stand still.
    #[default]
    Rest,
    /// To open the valve.
    Opening,
    /// To close it.
    Closing,
}

impl Motor {
    /// The state of the contact that opens.
    pub fn opening(self) -> Switch {
        Switch::from(self == Motor::Opening)
    }

    /// The state of the contact that closes.
    pub fn closing(self) -> Switch {
        Switch::from(self == Motor::Closing)
    }

    const fn sign(self) -> f64 {
        match self {
            Motor::Rest => 0.0,
            Motor::Opening => 1.0,
            Motor::Closing => -1.0,
        }
    }

    const fn against(self, other: Motor) -> bool {
        matches!((self, other), (Motor::Opening, Motor::Closing) | (Motor::Closing, Motor::Opening))
    }
}

/// What the actuator's side of the loop remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Actuator {
    /// The last command.
    command: Ratio,
    /// The way of the command's last move.
    way: Motor,
    /// Where the motor shall stand.
    target: Ratio,
    /// Where a three-point motor stands, by reckoning.
    stands: Ratio,
    /// What it was told last.
    motor: Motor,
    /// How long it has run this way without a pulse the other way.
    one_way: Duration,
    /// Which way that is.
    one_way_is: Motor,
    /// How long it has been locked.
    locked: Duration,
}

impl Actuator {
    /// One step: what the motor is told for a command. `feedback` is where the motor says it stands.
    pub fn drive(&mut self, valve: &ValveSettings, command: Ratio, feedback: Option<Ratio>, dt: Duration) {
        self.lead(valve, command, dt);
        let ActuatorSettings::ThreePoint { pulse_min } = valve.actuator else {
            (self.stands, self.motor) = (self.target, Motor::Rest);
            return;
        };
        let step = seconds(dt) / seconds(valve.stroke_time);
        self.reckon(feedback, step, dt);
        let asked = self.ask(valve, seconds(pulse_min) / seconds(valve.stroke_time), step);
        let asked = if asked.against(self.motor) { Motor::Rest } else { asked };
        self.motor = self.spare(valve, asked, feedback, dt);
    }

    /// One step while others have the valve: the motor is told nothing, and where it stands is not ours to reckon.
    pub fn rest(&mut self, position: Ratio) {
        *self = Actuator { command: position, target: position, stands: position, ..Actuator::default() };
    }

    /// Where the target of the motor lies: half the play ahead of the command, no faster than the stem, closed at once.
    fn lead(&mut self, valve: &ValveSettings, command: Ratio, dt: Duration) {
        let moved = (command - self.command).0;
        if moved.abs() > STILL {
            self.way = if moved > 0.0 { Motor::Opening } else { Motor::Closing };
        }
        self.command = command;
        let at_an_end = command <= Ratio::ZERO || command >= Ratio::ONE;
        let ahead = if at_an_end { Ratio::ZERO } else { valve.play * (0.5 * self.way.sign()) };
        let wish = (command + ahead).clamp(Ratio::ZERO, valve.position_max.max(command));
        if command <= Ratio::ZERO || valve.play <= Ratio::ZERO {
            self.target = wish;
        } else {
            let step = Ratio(seconds(dt) / seconds(valve.stroke_time));
            self.target += (wish - self.target).clamp(-step, step);
        }
    }

    /// Where the motor stands after what it was told in the last step.
    fn reckon(&mut self, feedback: Option<Ratio>, step: f64, dt: Duration) {
        self.stands =
            feedback.unwrap_or((self.stands + Ratio(self.motor.sign() * step)).clamp(Ratio::ZERO, Ratio::ONE));
        if self.motor == Motor::Rest {
            return;
        }
        if self.motor == self.one_way_is {
            self.one_way = self.one_way.saturating_add(dt);
        } else {
            (self.one_way_is, self.one_way, self.locked) = (self.motor, dt, Duration::ZERO);
        }
    }

    fn ask(&self, valve: &ValveSettings, pulse: f64, step: f64) -> Motor {
        // At the ends the stop is to be reached, not its reckoning.
        if self.target <= Ratio::ZERO {
            return Motor::Closing;
        }
        if self.target >= Ratio::ONE {
            return Motor::Opening;
        }
        let left = (self.target - self.stands).0;
        let way = if left > 0.0 { Motor::Opening } else { Motor::Closing };
        // A motor that runs goes on to the nearest step; one that stands waits for a stroke that is worth a pulse.
        let enough = if self.motor == way { 0.5 * step } else { pulse.max(0.5 * step).max(valve.stroke_min.0) };
        if left.abs() >= enough { way } else { Motor::Rest }
    }

    /// The pulse lock.
    fn spare(&mut self, valve: &ValveSettings, asked: Motor, feedback: Option<Ratio>, dt: Duration) -> Motor {
        let left_the_stop = feedback.is_some_and(|at| match asked {
            Motor::Rest => false,
            Motor::Closing => at.0 > OFF_THE_STOP,
            Motor::Opening => at.0 < 1.0 - OFF_THE_STOP,
        });
        if left_the_stop && !self.locked.is_zero() {
            (self.one_way, self.locked) = (Duration::ZERO, Duration::ZERO);
        }
        let at_the_stop = asked == self.one_way_is && seconds(self.one_way) >= LOCK_AFTER * seconds(valve.stroke_time);
        if !at_the_stop {
            return asked;
        }
        self.locked = self.locked.saturating_add(dt);
        let in_turn = Duration::from_secs(self.locked.as_secs() % LOCK_TURN.as_secs());
        if in_turn < LOCK_TURN.saturating_sub(LOCK_PULSE) { Motor::Rest } else { asked }
    }

    /// The position that a positioner is told.
    pub fn target(&self) -> Ratio {
        self.target
    }

    /// What a three-point motor is told; none for a positioner.
    pub fn motor(&self, valve: &ValveSettings) -> Option<Motor> {
        match valve.actuator {
            ActuatorSettings::Position => None,
            ActuatorSettings::ThreePoint { .. } => Some(self.motor),
        }
    }

    /// Where a three-point motor is reckoned to stand; none for a positioner.
    pub fn reckoned(&self, valve: &ValveSettings) -> Option<Ratio> {
        match valve.actuator {
            ActuatorSettings::Position => None,
            ActuatorSettings::ThreePoint { .. } => Some(self.stands),
        }
    }

    /// Whether the pulse lock keeps the motor at its stop.
    pub fn is_locked(&self) -> bool {
        !self.locked.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn three_point() -> ValveSettings {
        let actuator = ActuatorSettings::ThreePoint { pulse_min: Duration::from_secs(1) };
        ValveSettings { actuator, ..ValveSettings::default() }
    }

    /// A motor of 120 s with play between it and the plug, which no one measures.
    struct Gear {
        actuator: Actuator,
        motor: f64,
        plug: f64,
        play: f64,
        told: Vec<Motor>,
    }

    impl Gear {
        fn at(position: f64, play: f64) -> Gear {
            let mut actuator = Actuator::default();
            actuator.rest(Ratio(position));
            Gear { actuator, motor: position, plug: position, play, told: Vec::new() }
        }

        fn run(&mut self, valve: &ValveSettings, command: f64, count: usize) {
            for _ in 0..count {
                self.actuator.drive(valve, Ratio(command), None, SECOND);
                let told = self.actuator.motor(valve).unwrap();
                self.told.push(told);
                self.motor = (self.motor + told.sign() / 120.0).clamp(0.0, 1.0);
                self.plug = self.plug.clamp(self.motor - 0.5 * self.play, self.motor + 0.5 * self.play);
            }
        }

        fn count(&self, motor: Motor) -> usize {
            self.told.iter().filter(|told| **told == motor).count()
        }
    }

    #[test]
    fn a_positioner_is_told_the_command() {
        let mut actuator = Actuator::default();
        actuator.drive(&ValveSettings::default(), Ratio(0.4), None, SECOND);
        assert_eq!((actuator.target(), actuator.motor(&ValveSettings::default())), (Ratio(0.4), None));
    }

    #[test]
    fn the_motor_runs_as_long_as_the_stroke_takes_and_then_rests() {
        let mut gear = Gear::at(0.2, 0.0);
        gear.run(&three_point(), 0.5, 100);
        assert_eq!((gear.count(Motor::Opening), gear.count(Motor::Closing)), (36, 0));
        assert!((gear.motor - 0.5).abs() < 0.5 / 120.0, "{}", gear.motor);
    }

    #[test]
    fn a_stroke_below_the_shortest_pulse_waits_until_it_has_grown() {
        let actuator = ActuatorSettings::ThreePoint { pulse_min: Duration::from_secs(2) };
        let valve = ValveSettings { actuator, ..ValveSettings::default() };
        let mut gear = Gear::at(0.4, 0.0);
        gear.run(&valve, 0.415, 60);
        assert_eq!(gear.count(Motor::Rest), 60);
        gear.run(&valve, 0.42, 60);
        assert!((gear.motor - 0.42).abs() < 0.5 / 120.0 && gear.count(Motor::Opening) > 0, "{}", gear.motor);
    }

    #[test]
    fn between_one_way_and_the_other_the_motor_rests() {
        let mut gear = Gear::at(0.5, 0.0);
        for turn in 0..40 {
            gear.run(&three_point(), if turn % 2 == 0 { 0.55 } else { 0.45 }, 4);
        }
        let pairs = || gear.told.windows(2);
        assert!(pairs().any(|pair| pair[0] == Motor::Opening && pair[1] == Motor::Rest));
        assert!(pairs().all(|pair| !pair[0].against(pair[1])), "{:?}", gear.told);
    }

    #[test]
    fn what_the_reckoning_has_lost_is_found_again_at_the_stop() {
        let mut gear = Gear::at(0.3, 0.0);
        gear.motor = 0.8;
        gear.run(&three_point(), 0.0, 120);
        assert_eq!(gear.motor, 0.0, "driven on past the reckoned end");
        gear.run(&three_point(), 0.25, 60);
        assert!((gear.motor - 0.25).abs() < 0.5 / 120.0, "{}", gear.motor);
    }

    #[test]
    fn play_that_is_known_is_made_up_for() {
        let valve = ValveSettings { play: Ratio(0.04), ..three_point() };
        let mut gear = Gear::at(0.3, 0.04);
        for command in [0.5, 0.4, 0.45, 0.35] {
            gear.run(&valve, command, 60);
            assert!((gear.plug - command).abs() < 0.5 / 120.0, "{} for {command}", gear.plug);
        }
        let mut unknowing = Gear::at(0.3, 0.04);
        unknowing.run(&three_point(), 0.5, 60);
        assert!((unknowing.plug - 0.48).abs() < 0.5 / 120.0, "{}", unknowing.plug);
    }

    #[test]
    fn the_pulse_lock_spares_a_motor_that_is_at_its_stop() {
        let mut gear = Gear::at(0.1, 0.0);
        gear.run(&three_point(), 0.0, 600);
        assert_eq!(gear.count(Motor::Closing), 600, "five running times");
        gear.told.clear();
        gear.run(&three_point(), 0.0, 6000);
        // One minute in ten, ten times.
        assert!((590..=610).contains(&gear.count(Motor::Closing)), "{}", gear.count(Motor::Closing));
        assert!(gear.actuator.is_locked());
        // Any opening pulse ends it.
        gear.run(&three_point(), 0.1, 60);
        assert!(!gear.actuator.is_locked() && (gear.motor - 0.1).abs() < 0.01);
        gear.told.clear();
        gear.run(&three_point(), 0.0, 500);
        assert_eq!(gear.count(Motor::Opening), 0);
        assert!(gear.count(Motor::Closing) >= 499);
    }

    #[test]
    fn a_locked_valve_that_says_that_it_is_open_is_closed_at_once() {
        let valve = three_point();
        let mut actuator = Actuator::default();
        actuator.rest(Ratio(0.0));
        for _ in 0..1000 {
            actuator.drive(&valve, Ratio::ZERO, Some(Ratio(0.0)), SECOND);
        }
        assert_eq!(actuator.motor(&valve), Some(Motor::Rest));
        actuator.drive(&valve, Ratio::ZERO, Some(Ratio(0.2)), SECOND);
        assert_eq!(actuator.motor(&valve), Some(Motor::Closing));
    }
}
