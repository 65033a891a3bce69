//! The primary valve and its loop.

use heatstation_core::settings::{SupplyLoopSettings, ValveSettings};

use crate::desk::{Desk, Section, number, or};
use crate::raw::RawCircuit;

pub(crate) fn check_supply_loop(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> SupplyLoopSettings {
    let written = file.supply_loop.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("supply_loop", file.supply_loop.as_ref()));
    let usual = SupplyLoopSettings::default();
    let gain = number!(
        desk,
        at,
        raw.gain_per_kelvin,
        0.0005..=0.5,
        or(usual.gain_per_kelvin, "Danfoss ECL, Xp 80 K: 0.09 to 0.24 K of error at 2.6 to 6.9 strokes a day")
    );
    let integral = number!(
        desk,
        at,
        raw.integral_time_seconds,
        5.0..=3600.0,
        or(usual.integral_time.as_secs_f64(), "Danfoss ECL, Tn 30 s")
    );
    let sample = number!(
        desk,
        at,
        raw.sample_time_seconds,
        1.0..=60.0,
        or(usual.sample_time.as_secs_f64(), "1 to 5 s; the sensor's own lag is 12 s")
    );
    let band = number!(
        desk,
        at,
        raw.dead_band_ratio,
        0.0..=0.1,
        or(usual.dead_band.0, "0.25 to 1 % of the stroke: every small stroke wears")
    );
    SupplyLoopSettings {
        gain_per_kelvin: gain.value,
        integral_time: integral.duration(),
        sample_time: sample.duration(),
        dead_band: band.ratio(),
    }
}

pub(crate) fn check_valve(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> ValveSettings {
    let written = file.valve.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("valve", file.valve.as_ref()));
    let usual = ValveSettings::default();
    let min = number!(desk, at, raw.position_min_ratio, 0.0..=0.9, or(usual.position_min.0, "the valve may close"));
    let max = number!(desk, at, raw.position_max_ratio, 0.1..=1.0, or(usual.position_max.0, "the valve may open"));
    let stroke = number!(
        desk,
        at,
        raw.stroke_time_seconds,
        1.0..=600.0,
        or(usual.stroke_time.as_secs_f64(), "35 to 180 s; 120 s is common")
    );
    let deviation =
        number!(desk, at, raw.deviation_max_ratio, 0.005..=0.5, or(usual.deviation_max.0, "5 % of the stroke"));
    desk.below(&min, &max, "the valve needs room to move");
    ValveSettings {
        position_min: min.ratio(),
        position_max: max.ratio(),
        stroke_time: stroke.duration(),
        deviation_max: deviation.ratio(),
    }
}
