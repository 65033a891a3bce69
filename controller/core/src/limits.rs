//! The limiters of a circuit together: who asks for most, how far they may go, and who outranks them.
//!
//! # Order of precedence
//! From what gives way last to what gives way first:
//!
//! 1. interlocks, which close the valve whatever the setpoint is;
//! 2. the ceilings: margin below the trip, the emitter's, `supply_max`;
//! 3. frost protection's supply temperature, and in frost the heat floor;
//! 4. the comfort guard, below;
//! 5. the lowest supply temperature, unless the limits have priority over it;
//! 6. the limiters. The one that asks for most holds the setpoint, so that two of them that see the same excess do not
//!    lower it twice. It is booked with all that the setpoint gives way, the others with nothing;
//! 7. wishes from outside, schedule, rooms, curve: what is wished.
//!
//! The ramp comes last of all: it delays what the limiters take and what they give back, and never breaks 2 or 3.
//!
//! # The comfort guard
//! Customers distrust return limiters because nobody bounds what they cost (controllers' gap 19). Limiters lower the
//! setpoint by `lower_max` at most, and by less where it would be felt. Where rooms are known, their right shrinks as the
//! coldest share of them (the tail estimate of [`room_trim`](crate::room_trim)) falls below its minimum, and is gone at
//! `room_loss_max` below it. Where they are not, they may take what the curve gives for `room_loss_max` of room.

use std::time::Duration;

use heatstation_points::Kelvins;
use serde::{Deserialize, Serialize};

use crate::limiter::{Limiter, LimiterKind, LimiterReport, Look, Release};
use crate::settings::{LimiterTuning, LimitsSettings};
use crate::timer::seconds;

/// One for each limiter.
pub type PerLimiter<T> = [T; LimiterKind::ALL.len()];

/// What the limiters look at in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitSights {
    /// What each looks at; none where there is no such limit.
    pub looks: PerLimiter<Option<Look>>,
    /// The coldest rooms over their minimum, where rooms are known.
    pub tail_excess: Option<Kelvins>,
}

/// What a step gives the limiters beside what they see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leave {
    /// Whether the setpoint is followed at all.
    pub heating: Heating,
    /// What the curve gives for `room_loss_max`.
    pub by_curve: Kelvins,
}

/// Whether the loop follows the setpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heating {
    /// It does.
    On,
    /// Nothing is controlled.
    Off,
}

/// The rooms' part in the guard moves no faster than rooms do: a sensor that comes and goes is not to move the water.
const GUARD_SMOOTHING: Duration = Duration::from_secs(2 * 3600);

/// What the limiters remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    limiters: PerLimiter<Limiter>,
    /// How long heating has been going on.
    heating_for: Duration,
    /// How far they may go, smoothed.
    may_lower: Option<Kelvins>,
    /// What the setpoint gave way to them in the last step.
    given: Kelvins,
}

impl Limits {
    /// One step: who asks for most, and for how much.
    pub fn advance(
        &mut self,
        settings: &LimitsSettings,
        sights: &LimitSights,
        leave: Leave,
        dt: Duration,
    ) -> Option<(LimiterKind, Kelvins)> {
        let release = self.release(settings, leave.heating, dt);
        let may_lower = self.guard(settings, sights.tail_excess, leave.by_curve, dt);
        let mut most: Option<(LimiterKind, Kelvins)> = None;
        for ((&kind, limiter), &look) in LimiterKind::ALL.iter().zip(&mut self.limiters).zip(&sights.looks) {
            let tuning = tuning(settings, kind);
            let asks = limiter.advance(kind, &tuning, look, release, (may_lower, self.given), dt);
            if asks < most.map_or(Kelvins(0.0), |(_, by)| by) {
                most = Some((kind, asks));
            }
        }
        most
    }

    /// Tells them what the setpoint gave way to them in this step.
    pub fn give(&mut self, given: Kelvins) {
        self.given = given;
    }

    /// Whether any of them holds the setpoint down.
    pub fn hold(&self) -> bool {
        self.given < Kelvins(-0.1)
    }

    /// What each has to say.
    pub fn reports(&self, sights: &LimitSights) -> PerLimiter<LimiterReport> {
        std::array::from_fn(|number| self.limiters[number].report(sights.looks[number]))
    }

    fn release(&mut self, settings: &LimitsSettings, heating: Heating, dt: Duration) -> Release {
        match heating {
            Heating::Off => self.heating_for = Duration::ZERO,
            Heating::On => self.heating_for = self.heating_for.saturating_add(dt),
        }
        if self.heating_for >= settings.released_after && heating == Heating::On {
            Release::Free
        } else {
            Release::Held
        }
    }

    fn guard(
        &mut self,
        settings: &LimitsSettings,
        tail_excess: Option<Kelvins>,
        by_curve: Kelvins,
        dt: Duration,
    ) -> Kelvins {
        let now = match tail_excess {
            Some(excess) => settings.lower_max * (1.0 + excess / settings.room_loss_max).clamp(0.0, 1.0),
            None => by_curve.min(settings.lower_max),
        };
        let before = self.may_lower.unwrap_or(now);
        let share = 1.0 - (-seconds(dt) / seconds(GUARD_SMOOTHING)).exp();
        let smoothed = before + (now - before) * share;
        self.may_lower = Some(smoothed);
        smoothed
    }
}

/// What is off answers to nothing; which numbers it would have does not matter.
fn tuning(settings: &LimitsSettings, kind: LimiterKind) -> LimiterTuning {
    let limiter = match kind {
        LimiterKind::Return => settings.primary_return.map(|limiter| limiter.tuning),
        LimiterKind::Approach => settings.approach.map(|limiter| limiter.tuning),
        LimiterKind::Flow => settings.flow.map(|limiter| limiter.tuning),
        LimiterKind::Power => settings.power.map(|limiter| limiter.tuning),
        LimiterKind::Quota => settings.quota.map(|quota| quota.tuning),
    };
    limiter.unwrap_or(LimiterTuning::TEMPERATURE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::band::Because;
    use crate::frost::FrostStage;
    use crate::ledger::Part;
    use crate::limit_line::LimitLine;
    use crate::limiter::{LimiterState, MeasuredBy};
    use crate::report::SetpointReport;
    use crate::setpoint::tests::wishes;
    use crate::setpoint::{Setpoint, Wishes};
    use crate::settings::{CircuitSettings, LimitPriority, LimiterSettings, WarmMinimum};
    use crate::step::tests::circuit;
    use heatstation_points::Celsius;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A circuit whose return is limited to 40 °C, and what the sensors of the moment say.
    struct Bench {
        settings: CircuitSettings,
        setpoint: Setpoint,
        wishes: Wishes,
        primary_return: Option<f64>,
    }

    impl Bench {
        fn at(outdoor: f64) -> Bench {
            let limiter = LimiterSettings { line: LimitLine::constant(40.0), tuning: LimiterTuning::TEMPERATURE };
            let mut settings = circuit();
            settings.limits.primary_return = Some(limiter);
            let limits = LimitSights { tail_excess: Some(Kelvins(1.0)), ..LimitSights::default() };
            let wishes = Wishes { limits, ..wishes(outdoor) };
            Bench { settings, setpoint: Setpoint::default(), wishes, primary_return: Some(60.0) }
        }

        fn run(&mut self, minutes: u32) -> SetpointReport {
            let look = |measured| Look { limit: 40.0, measured, by: MeasuredBy::Sensor, refresh: Duration::ZERO };
            self.wishes.limits.looks[LimiterKind::Return as usize] = Some(look(self.primary_return));
            (0..minutes).map(|_| self.setpoint.advance(&self.settings, &self.wishes, MINUTE)).last().unwrap()
        }
    }

    #[test]
    fn a_hot_return_takes_eight_kelvins_and_no_more_and_the_ledger_names_it() {
        let mut bench = Bench::at(2.0);
        let before = bench.run(9);
        assert_eq!((before.limiter(LimiterKind::Return).state, before.held_by), (LimiterState::Waiting, None));
        let after = bench.run(24 * 60);
        assert_eq!(after.held_by, Some(Because::ReturnLimit));
        assert!((before.value - after.value - Kelvins(8.0)).0.abs() < 1e-9, "{before:?} {after:?}");
        assert!((after.ledger.of(Part::ReturnLimit) + Kelvins(8.0)).0.abs() < 1e-9);
        assert!((after.base + after.ledger.sum() - after.value).0.abs() < 1e-9);
    }

    #[test]
    fn when_a_limiter_lets_go_the_setpoint_rises_no_faster_than_the_ramp() {
        let mut bench = Bench::at(2.0);
        let (plain, mut before) = (bench.run(1).value, bench.run(24 * 60).value);
        bench.primary_return = None;
        let mut steps = 0;
        while before < plain - Kelvins(0.01) {
            let now = bench.run(1);
            let rise = now.value - before;
            assert!(rise.0 <= 20.0 / 60.0 + 1e-9, "{rise:?} in a minute");
            (before, steps) = (now.value, steps + 1);
            assert!(steps < 60, "{now:?}");
        }
        assert_eq!(bench.run(1).limiter(LimiterKind::Return).state, LimiterState::SensorLost);
    }

    #[test]
    fn frost_and_the_heat_floor_beat_every_limiter() {
        let mut bench = Bench::at(-3.0);
        let plain = bench.run(1).value;
        let limited = bench.run(24 * 60);
        assert!((plain - limited.value - bench.settings.envelope.frost_lower_max).0.abs() < 1e-9, "{limited:?}");
        // What the floor refuses is not wound up: asked for is the influence of the error on top of what is given.
        assert!(limited.limiter(LimiterKind::Return).asks.0 >= -8.0);

        let mut frost = Bench::at(17.0);
        frost.settings.limits.priority = LimitPriority::Limits;
        frost.settings.limits.lower_max = Kelvins(20.0);
        frost.settings.frost.supply = Celsius(24.0);
        frost.wishes.frost = FrostStage::Heat;
        let demanded = frost.run(24 * 60);
        assert!(demanded.value >= Celsius(24.0) && demanded.ledger.given_way() == Kelvins(0.0), "{demanded:?}");
    }

    #[test]
    fn the_lowest_supply_temperature_holds_unless_the_limits_have_priority() {
        let lowest = |priority| {
            let mut bench = Bench::at(8.0);
            bench.settings.supply.min = Celsius(42.0);
            bench.settings.limits.priority = priority;
            let report = bench.run(24 * 60);
            (report.value, report.held_by, report.base)
        };
        let (value, _, base) = lowest(LimitPriority::SupplyMin);
        assert!(value == Celsius(42.0) && base > value, "{value:?} {base:?}");
        let (value, held_by, base) = lowest(LimitPriority::Limits);
        assert_eq!(held_by, Some(Because::ReturnLimit));
        assert!((base - value - Kelvins(8.0)).0.abs() < 1e-9, "{value:?} {base:?}");
    }

    #[test]
    fn the_guard_takes_a_limiters_right_away_as_the_coldest_rooms_cool_and_bounds_it_where_no_room_is_known() {
        let given_way = |tail: Option<f64>| {
            let mut bench = Bench::at(2.0);
            bench.wishes.limits.tail_excess = tail.map(Kelvins);
            -bench.run(3 * 24 * 60).ledger.of(Part::ReturnLimit).0
        };
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 0.01, "{found} not {expected}");
        close(given_way(Some(0.5)), 8.0);
        close(given_way(Some(-0.25)), 6.0);
        close(given_way(Some(-1.5)), 0.0);
        // One kelvin of room, by the curve.
        let bench = Bench::at(2.0);
        let curve = |room: f64| {
            bench.settings.curve.supply_setpoint(Celsius(2.0), Celsius(room), heatstation_points::Ratio::ONE)
        };
        close(given_way(None), (curve(20.0) - curve(19.0)).0);
    }

    #[test]
    fn the_one_that_asks_for_most_is_booked_and_the_others_with_nothing() {
        let mut bench = Bench::at(2.0);
        bench.settings.limits.flow = Some(LimiterSettings {
            line: LimitLine::constant(0.01),
            tuning: LimiterTuning { gain: 0.4, ..LimiterTuning::METER },
        });
        bench.primary_return = Some(41.0);
        let look = Look { limit: 0.01, measured: Some(0.011), by: MeasuredBy::Sensor, refresh: Duration::ZERO };
        bench.wishes.limits.looks[LimiterKind::Flow as usize] = Some(look);
        let report = bench.run(40);
        assert_eq!(report.held_by, Some(Because::FlowLimit));
        assert!(report.limiter(LimiterKind::Return).asks < Kelvins(-0.3), "{report:?}");
        assert_eq!(report.ledger.of(Part::ReturnLimit), Kelvins(0.0));
        assert_eq!(report.ledger.of(Part::FlowLimit), report.limiter(LimiterKind::Flow).asks);
    }

    #[test]
    fn warm_weather_and_the_emitters_have_bounds_of_their_own() {
        let mut bench = Bench::at(14.0);
        bench.settings.supply.warm = Some(WarmMinimum { min: Celsius(38.0), from: Celsius(12.0) });
        bench.primary_return = Some(30.0);
        let warm = bench.run(60);
        assert_eq!((warm.value, warm.held_by), (Celsius(38.0), Some(Because::SupplyMinWarm)));
        let mut cold = Bench::at(-9.0);
        (cold.settings.supply.emitter_max, cold.primary_return) = (Celsius(60.0), Some(30.0));
        let cold = cold.run(60);
        assert_eq!((cold.value, cold.held_by), (Celsius(60.0), Some(Because::EmitterMax)));
    }
}
