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
const GUARD_SMOOTHING: Duration = Duration::from_secs(3600);

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
