//! Moving the primary valve in standstill, so that it is not stuck when the season begins.
//!
//! ```text
//!            still for so long         circulation proven        30 s              closed, and run on
//!  [ Rest ] ------------------> [ Circulating ] ---------> [ Opening ] ---> [ Closing ] ---> [ RunOn ] ---> Rest
//! ```
//!
//! # Why with circulation, and not without
//! The European controllers kick the valve after the pump, with the pump off. Where the primary is hot all summer that lets
//! 90 °C water into an exchanger whose other side stands, closed in by check valves: it boils there, and no sensor outside
//! sees it. And the first law of this house has no exception: without proven circulation the valve is closed. So the pumps
//! are asked first, the interlock of circulation has to let go, the valve opens as far as its motor comes in the kick and
//! closes again, and the pumps carry away what little heat came in. If the supply rises by more than a few kelvins the kick
//! is over.
//!
//! It is off unless configured: pumps and valve move unasked, and whoever works at a plant in summer has to know. Where a
//! person asked for a stop nothing moves at all.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::settings::ValveSettings;
use crate::timer::{Held, seconds};

/// Circulation is proven for so long before the valve moves.
const PROVEN_FOR: Duration = Duration::from_secs(10);
/// What has not begun to circulate by then is tried again the next day.
const PATIENCE: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_secs(86_400);
/// The pumps run on after the valve closed (Danfoss ECL: 3 min).
const RUN_ON: Duration = Duration::from_secs(180);
/// A rise of the supply that ends the kick: heat is not what it is for.
const RISE_MAX: Kelvins = Kelvins(5.0);

/// When the valve is exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValveExerciseSettings {
    /// After it has stood still for so long.
    pub every: Duration,
    /// How long its motor opens it (Siemens: 30 s).
    pub kick: Duration,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExerciseSight {
    /// The circuit lies by, nobody has asked for that, and there is water in it.
    pub may: bool,
    /// No interlock closes the valve: circulation is proven, too.
    pub free: bool,
    /// The supply temperature.
    pub supply: Option<Celsius>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Rest,
    Circulating {
        proven: Held,
        lasts: Duration,
    },
    Opening {
        lasts: Duration,
        supply: Celsius,
    },
    Closing {
        lasts: Duration,
    },
    RunOn {
        lasts: Duration,
    },
}

/// What is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValveExercise {
    /// How long the valve has stood still.
    still: Duration,
    phase: Phase,
}

impl ValveExercise {
    /// The valve moves by itself: nothing is due.
    pub fn moves(&mut self) {
        *self = ValveExercise::default();
    }

    /// A person has the valve: a kick that was under way is over.
    pub fn stand_by(&mut self) {
        self.phase = Phase::Rest;
    }

    /// One step in which the valve is not wanted to move.
    pub fn advance(&mut self, valve: &ValveSettings, sight: &ExerciseSight, dt: Duration) {
        let Some(settings) = valve.exercise else {
            self.moves();
            return;
        };
        self.still = self.still.saturating_add(dt);
        if !sight.may {
            self.phase = Phase::Rest;
            return;
        }
        self.phase = match self.phase {
            Phase::Rest if self.still >= settings.every => {
                Phase::Circulating { proven: Held::default(), lasts: Duration::ZERO }
            }
            Phase::Rest => Phase::Rest,
            Phase::Circulating { mut proven, lasts } => {
                let lasts = lasts.saturating_add(dt);
                if proven.for_at_least(PROVEN_FOR, sight.free, dt) {
                    Phase::Opening { lasts: Duration::ZERO, supply: sight.supply.unwrap_or(Celsius(0.0)) }
                } else if lasts >= PATIENCE {
                    self.still = settings.every.saturating_sub(AGAIN);
                    Phase::Rest
                } else {
                    Phase::Circulating { proven, lasts }
                }
            }
            // Blind it is not opened, and a trip closes it for good.
            Phase::Opening { lasts, supply } => {
                let lasts = lasts.saturating_add(dt);
                let hot = sight.supply.is_none_or(|now| now - supply > RISE_MAX);
                let over = lasts >= settings.kick || hot || !sight.free;
                if over { Phase::Closing { lasts: Duration::ZERO } } else { Phase::Opening { lasts, supply } }
            }
            Phase::Closing { lasts } => {
                let lasts = lasts.saturating_add(dt);
                if lasts < settings.kick { Phase::Closing { lasts } } else { Phase::RunOn { lasts: Duration::ZERO } }
            }
            Phase::RunOn { lasts } if lasts < RUN_ON => Phase::RunOn { lasts: lasts.saturating_add(dt) },
            Phase::RunOn { .. } => {
                self.still = Duration::ZERO;
                Phase::Rest
            }
        };
    }

    /// Whether the pumps are asked to run.
    pub fn asks_for_circulation(&self) -> bool {
        self.phase != Phase::Rest
    }

    /// Where the valve is to stand; none while the exercise has nothing to say.
    pub fn position(&self, valve: &ValveSettings) -> Option<Ratio> {
        match self.phase {
            Phase::Rest | Phase::Circulating { .. } | Phase::RunOn { .. } => None,
            Phase::Opening { lasts, .. } => Some(Ratio((seconds(lasts) / seconds(valve.stroke_time)).min(1.0))),
            Phase::Closing { .. } => Some(Ratio::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn valve() -> ValveSettings {
        let exercise = ValveExerciseSettings { every: Duration::from_secs(7 * 86_400), kick: Duration::from_secs(30) };
        ValveSettings { exercise: Some(exercise), ..ValveSettings::default() }
    }

    const SIGHT: ExerciseSight = ExerciseSight { may: true, free: true, supply: Some(Celsius(25.0)) };

    /// A valve that has stood still for a week, and pumps that circulate ten seconds after they were asked.
    fn due() -> ValveExercise {
        ValveExercise { still: Duration::from_secs(7 * 86_400), ..ValveExercise::default() }
    }

    /// How far it opened, for how many seconds pumps and valve were asked to move.
    fn run(exercise: &mut ValveExercise, sight: impl Fn(u32) -> ExerciseSight, count: u32) -> (f64, u32, u32) {
        let (mut furthest, mut circulated, mut open) = (0.0_f64, 0, 0);
        for second in 0..count {
            exercise.advance(&valve(), &sight(second), SECOND);
            circulated += u32::from(exercise.asks_for_circulation());
            let position = exercise.position(&valve()).unwrap_or(Ratio::ZERO);
            open += u32::from(position > Ratio::ZERO);
            furthest = furthest.max(position.0);
        }
        (furthest, circulated, open)
    }

    #[test]
    fn once_a_week_it_opens_for_half_a_minute_with_the_pumps_running() {
        let mut exercise = due();
        let (furthest, circulated, open) = run(&mut exercise, |_| SIGHT, 3600);
        assert!((furthest - 0.25).abs() < 0.01, "30 s of 120: {furthest}");
        assert!((240..=260).contains(&circulated) && open <= 30, "{circulated} s of pumps, {open} s open");
        assert_eq!(run(&mut exercise, |_| SIGHT, 6 * 86_400), (0.0, 0, 0), "and not again for a week");
    }

    #[test]
    fn without_proven_circulation_it_stays_closed_and_tries_again_the_next_day() {
        let mut exercise = due();
        let standing = ExerciseSight { free: false, ..SIGHT };
        let (furthest, circulated, _) = run(&mut exercise, |_| standing, 3600);
        assert_eq!((furthest, circulated), (0.0, 300));
        assert_eq!(run(&mut exercise, |_| standing, 82_000).1, 0);
        assert!(run(&mut exercise, |_| SIGHT, 3600).0 > 0.2);
    }

    #[test]
    fn heat_that_comes_in_or_an_interlock_ends_it() {
        let hotter =
            |second: u32| ExerciseSight { supply: Some(Celsius(if second < 20 { 25.0 } else { 31.0 })), ..SIGHT };
        assert!(run(&mut due(), hotter, 600).0 < 0.1);
        let blind = |second: u32| ExerciseSight { supply: (second < 20).then_some(Celsius(25.0)), ..SIGHT };
        assert!(run(&mut due(), blind, 600).0 < 0.1);
        let tripped = |second: u32| ExerciseSight { free: second < 20, ..SIGHT };
        assert!(run(&mut due(), tripped, 600).0 < 0.1);
    }

    #[test]
    fn where_a_person_asked_for_a_stop_nothing_moves() {
        let stopped = ExerciseSight { may: false, ..SIGHT };
        assert_eq!(run(&mut due(), |_| stopped, 3600), (0.0, 0, 0));
        let in_the_midst = |second: u32| ExerciseSight { may: second < 20, ..SIGHT };
        let (furthest, circulated, _) = run(&mut due(), in_the_midst, 600);
        assert!(furthest < 0.1 && circulated == 20, "{furthest}, {circulated} s");
    }
}
