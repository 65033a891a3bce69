//! Circulation: pumps and speeds.

use heatstation_core::settings::{CirculationMode, CirculationSettings};
use heatstation_points::CubicMetersPerSecond;

use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or};
use crate::raw::{RawCircuit, RawCirculation, RawCirculationMode};
use crate::written::Written;

pub(crate) fn check(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    design_flow: CubicMetersPerSecond,
) -> CirculationSettings {
    let written = file.circulation.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("circulation", file.circulation.as_ref()));
    let pumps = count!(desk, at, raw.pumps, 1..=3, or(2, "one on duty, one to stand in (一用一备)"));
    let usual = derived(pumps.value.saturating_sub(1).max(1), "all but one, which stands in");
    let duty = count!(desk, at, raw.duty, 1..=3, usual);
    if duty.sound && pumps.sound && pumps.value < duty.value {
        let what = format!("{} pumps on duty of {}", duty.value, pumps.value);
        desk.error(&duty.place, duty.key.as_str(), what, "write no more than there are pumps");
    }
    let min = number!(
        desk,
        at,
        raw.speed_min_ratio,
        0.2..=1.0,
        or(0.5, "25 Hz of 50: below it the cooling of the motor and the film of the seal suffer")
    );
    let max = number!(desk, at, raw.speed_max_ratio, 0.3..=1.2, or(1.0, "the nominal speed"));
    desk.below(&min, &max, "the speed needs room to move");
    let fallback = number!(
        desk,
        at,
        raw.speed_fallback_ratio,
        0.2..=1.2,
        or(0.8, "40 Hz of 50 carries the flow of the design day in most networks")
    );
    desk.not_above(&min, &fallback, "no speed is below the lowest");
    desk.not_above(&fallback, &max, "no speed is above the highest");
    let mode = mode(desk, &at, raw, &min, &max);
    let ramp =
        number!(desk, at, raw.ramp_ratio_per_second, 0.001..=0.2, or(0.01, "0.5 Hz/s of 50 Hz: no water hammer"));
    let proof = number!(desk, at, raw.proof_within_seconds, 2.0..=120.0, or(15.0, "Danfoss ECL: 15 s to the feedback"));
    let retry = number!(desk, at, raw.retry_after_minutes, 1.0..=240.0, or(20.0, "Danfoss ECL: 20 min"));
    let rotate = number!(desk, at, raw.rotate_after_hours, 0.0..=2000.0, or(168.0, "Siemens Synco: a week"));
    let off = number!(desk, at, raw.off_min_seconds, 0.0..=1800.0, or(60.0, "a motor bears about six starts an hour"));
    let least = derived((design_flow.0 * 3600.0 * 0.2).max(0.01), "20 % of the design flow: less is a blocked network");
    let flow = number!(desk, at, raw.flow_min_m3_per_hour, 0.01..=5000.0, least);
    let difference = number!(
        desk,
        at,
        raw.differential_pressure_min_kilopascals,
        0.5..=200.0,
        or(10.0, "a third of what 25 Hz gives in a network of 12 m")
    );
    CirculationSettings {
        pumps: pumps.value as usize,
        duty: duty.value as usize,
        mode,
        speed_min: min.ratio(),
        speed_max: max.ratio(),
        speed_fallback: fallback.ratio(),
        ramp_per_second: ramp.value,
        proof_within: proof.duration(),
        retry_after: retry.duration(),
        rotate_after: rotate.duration(),
        off_min: off.duration(),
        flow_min: flow.m3_per_hour(),
        differential_pressure_min: difference.kilopascals(),
    }
}

fn mode(desk: &mut Desk, at: &Section, raw: &RawCirculation, min: &Field<f64>, max: &Field<f64>) -> CirculationMode {
    let usual =
        or(RawCirculationMode::FixedSpeed, "the right pressure difference depends on the network: nobody can guess it");
    let mode = desk.choice(at, "mode", raw.mode.as_ref(), usual, RawCirculationMode::FixedSpeed);
    let mut idle = |keys: &[(&str, &Option<Written<f64>>)]| {
        for (key, written) in keys {
            if let Some(written) = written {
                let what = format!("has no meaning in this mode ({})", crate::desk::word(&mode.value));
                desk.error(&at.at(&written.span), at.key(key), what, "leave it out, or change `mode`");
            }
        }
    };
    match mode.value {
        RawCirculationMode::FixedSpeed => {
            idle(&[
                ("differential_pressure_kilopascals", &raw.differential_pressure_kilopascals),
                ("gain_per_kilopascal", &raw.gain_per_kilopascal),
                ("integral_time_seconds", &raw.integral_time_seconds),
            ]);
            let usual = derived(0.9_f64.clamp(min.value, max.value.max(min.value)), "45 Hz of 50, inside the limits");
            let speed = number!(desk, at, raw.speed_ratio, 0.2..=1.2, usual);
            desk.not_above(min, &speed, "no speed is below the lowest");
            desk.not_above(&speed, max, "no speed is above the highest");
            CirculationMode::FixedSpeed { speed: speed.ratio() }
        }
        RawCirculationMode::DifferentialPressure => {
            idle(&[("speed_ratio", &raw.speed_ratio)]);
            let setpoint =
                number!(desk, at, raw.differential_pressure_kilopascals, 5.0..=500.0, Otherwise::Required("80"));
            let gain = number!(
                desk,
                at,
                raw.gain_per_kilopascal,
                0.00005..=0.1,
                or(0.002, "half of what a network of 12 m answers to")
            );
            let integral =
                number!(desk, at, raw.integral_time_seconds, 1.0..=600.0, or(20.0, "a few times the ramp of a drive"));
            CirculationMode::DifferentialPressure {
                setpoint: setpoint.kilopascals(),
                gain_per_pascal: gain.value / 1000.0,
                integral_time: integral.duration(),
            }
        }
    }
}
