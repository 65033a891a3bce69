//! Room sensors and room feedback.

use heatstation_core::settings::{RoomSensorSettings, RoomTrimSettings};

use crate::check::Base;
use crate::desk::{Desk, Otherwise, Section, count, number, or};
use crate::raw::{RawCircuit, RawEmitter};

pub(crate) fn check_room_sensors(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    base: &Base,
) -> RoomSensorSettings {
    let written = file.room_sensors.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("room_sensors", file.room_sensors.as_ref()));
    let usual = RoomSensorSettings::default();
    let hours = |duration: std::time::Duration| duration.as_secs_f64() / 3600.0;
    let interval = match base.standard.as_ref().map(|standard| (&standard.id, &standard.sensors.report_every_minutes)) {
        Some((id, rule)) => Otherwise::Standard(rule.value.value, format!("{id} {}", rule.clause)),
        None => or(usual.report_interval.as_secs_f64() / 60.0, "sensors report every 15 to 60 min"),
    };
    let interval = number!(desk, at, raw.report_interval_minutes, 1.0..=360.0, interval);
    let low = number!(
        desk,
        at,
        raw.range_min_celsius,
        -10.0..=15.0,
        or(usual.range_min.0, "colder rooms are frozen, or the sensor hangs outside")
    );
    let high = number!(
        desk,
        at,
        raw.range_max_celsius,
        25.0..=50.0,
        or(usual.range_max.0, "warmer rooms are none, or the sensor lies on a radiator")
    );
    let stuck = number!(
        desk,
        at,
        raw.stuck_after_hours,
        2.0..=240.0,
        or(hours(usual.stuck_after), "no room stands within 0.05 K for a day")
    );
    let window = number!(
        desk,
        at,
        raw.window_longest_hours,
        0.0..=24.0,
        or(hours(usual.window_longest), "what is cold for longer is a cold room")
    );
    let closed = number!(
        desk,
        at,
        raw.closed_below_kelvins,
        1.0..=15.0,
        or(usual.closed_below.0, "more than two heated flats in a hundred differ")
    );
    let masked = number!(
        desk,
        at,
        raw.cold_masked_max_ratio,
        0.0..=0.5,
        or(usual.cold_masked_max.0, "empty flats, bad sensors and windows together are a quarter")
    );
    let correction = number!(
        desk,
        at,
        raw.correction_max_kelvins,
        0.0..=3.0,
        or(usual.correction_max.0, "a bad place makes one or two kelvins")
    );
    RoomSensorSettings {
        report_interval: interval.duration(),
        range_min: low.celsius(),
        range_max: high.celsius(),
        stuck_after: stuck.duration(),
        window_longest: window.duration(),
        closed_below: closed.kelvins(),
        cold_masked_max: masked.ratio(),
        correction_max: correction.kelvins(),
    }
}

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
    let confidence =
        number!(desk, at, raw.confidence, 0.0..=3.0, or(usual.confidence, "0.8 to 1.3; more is warmer and surer"));
    let scatter = number!(
        desk,
        at,
        raw.scatter_prior_kelvins,
        0.3..=4.0,
        or(usual.scatter_prior.0, "of many circuits; unbalanced ones have up to 2 K")
    );
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
        or(usual.sensors_min as u64, "one alone says nothing of the others; two say little, and the margin knows it")
    );
    RoomTrimSettings {
        cold_share: share.ratio(),
        confidence: confidence.value,
        scatter_prior: scatter.kelvins(),
        gain: gain.value,
        integral_time: integral.duration(),
        lower_max: lower.kelvins(),
        raise_max: raise.kelvins(),
        raise_rate: raise_rate.kelvins(),
        lower_rate: lower_rate.kelvins(),
        sensors_min: sensors.value as usize,
    }
}
