//! Limits: what the limiters look at, and what they leave the valve.

use heatstation_points::Ratio;

use super::see::Seen;
use crate::limiter::LimiterKind;
use crate::limits::LimitSights;
use crate::meter_limit::{look_at_flow, look_at_power};
use crate::quota::{Day, QuotaReport};
use crate::report::SetpointReport;
use crate::return_limit::{self, look_at_approach, look_at_return};
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

pub(super) fn look_at_limits(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    seen: &Seen,
) -> (LimitSights, Option<QuotaReport>) {
    let (limits, outdoor) = (&settings.limits, at.outdoor.filtered);
    let day = Day {
        own: at.own,
        station: at.station,
        outdoor,
        room_target: settings.room_target,
        design_power: settings.design_power,
        local: at.now.local,
    };
    let (quota, quota_look) = memory.quota.advance(limits, &day, at.dt).unzip();
    let look = |kind| match kind {
        LimiterKind::Return => look_at_return(limits, outdoor, at.own, at.station),
        LimiterKind::Approach => look_at_approach(limits, outdoor, at.own, at.station),
        LimiterKind::Flow => look_at_flow(limits, outdoor, at.own, at.station),
        LimiterKind::Power => look_at_power(limits, outdoor, at.own, at.station),
        LimiterKind::Quota => quota_look,
    };
    (LimitSights { looks: LimiterKind::ALL.map(look), tail_excess: seen.rooms.tail.map(|tail| tail.sure()) }, quota)
}

/// How far the valve may open; frost protection gets all of it.
pub(super) fn valve_max(settings: &CircuitSettings, setpoint: &SetpointReport, frost_heat: bool) -> Ratio {
    if frost_heat {
        return settings.valve.position_max;
    }
    return_limit::valve_max(&settings.limits, &settings.valve, setpoint.limiter(LimiterKind::Return).state)
}
