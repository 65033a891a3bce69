//! Room feedback.

use heatstation_core::settings::RoomTrimSettings;

use crate::check::Base;
use crate::desk::{Desk, Otherwise, Section, count, number, or};
use crate::raw::{RawCircuit, RawEmitter};

pub(crate) fn check_room_trim(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    emitter: RawEmitter,
    base: &Base,
) -> RoomTrimSettings {
    let written = file.room_trim.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("room_trim", file.room_trim.as_ref()));
    let usual = RoomTrimSettings::default();
    let target =
        base.standard.as_ref().and_then(|standard| standard.target.room_pass.as_ref().map(|rule| (&standard.id, rule)));
    let share = match target {
        Some((id, rule)) => {
            let (passing, all) = rule.value.value;
            // A target of all rooms has no tail to look at: one in a thousand is as far as an estimate reaches.
            let rest = (all.saturating_sub(passing) as f64 / all.max(1) as f64).max(0.001);
            Otherwise::Standard(rest, format!("{id} {}: the rest of {passing} of {all} rooms", rule.clause))
        }
        None => or(usual.cold_share.0, "98 % of the rooms shall pass"),
    };
    let share = number!(desk, at, raw.cold_share_ratio, 0.001..=0.5, share);
    let gain =
        number!(desk, at, raw.gain, 0.0..=3.0, or(usual.gain, "0.5 to 1.5; more oscillates with a period of days"));
    let slow = if emitter == RawEmitter::Floor {
        or(72.0, "48 to 96 h for floors")
    } else {
        or(usual.integral_time.as_secs_f64() / 3600.0, "24 to 72 h for radiators")
    };
    let integral = number!(desk, at, raw.integral_time_hours, 6.0..=240.0, slow);
    let lower =
        number!(desk, at, raw.lower_max_kelvins, 0.0..=6.0, or(usual.lower_max.0, "the correction is at most 3 K"));
    let raise =
        number!(desk, at, raw.raise_max_kelvins, 0.0..=6.0, or(usual.raise_max.0, "the correction is at most 3 K"));
    let lower_rate = number!(
        desk,
        at,
        raw.lower_rate_kelvins_per_hour,
        0.01..=2.0,
        or(usual.lower_rate.0, "slower than the rise: a cold flat is worse than a warm one")
    );
    let raise_rate = number!(
        desk,
        at,
        raw.raise_rate_kelvins_per_hour,
        0.01..=2.0,
        or(usual.raise_rate.0, "half a kelvin an hour is what a building can follow")
    );
    let sensors = count!(
        desk,
        at,
        raw.sensors_min,
        1..=500,
        or(usual.sensors_min as u64, "with fewer the estimate of the coldest rooms is a guess")
    );
    RoomTrimSettings {
        cold_share: share.ratio(),
        gain: gain.value,
        integral_time: integral.duration(),
        lower_max: lower.kelvins(),
        raise_max: raise.kelvins(),
        raise_rate: raise_rate.kelvins(),
        lower_rate: lower_rate.kelvins(),
        sensors_min: sensors.value as usize,
    }
}
