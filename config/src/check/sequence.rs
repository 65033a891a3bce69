//! Starting and stopping in order.

use heatstation_core::settings::SequenceSettings;

use crate::desk::{Desk, Section, count, number, or};
use crate::raw::{RawCircuit, RawSequence};

pub(crate) fn check(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> SequenceSettings {
    let written = file.sequence.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("sequence", file.sequence.as_ref()));
    let start = season_start(desk, &at, raw, SequenceSettings::default());
    run_and_stop(desk, &at, raw, start)
}

fn season_start(desk: &mut Desk, at: &Section, raw: &RawSequence, usual: SequenceSettings) -> SequenceSettings {
    let rest = number!(
        desk,
        at,
        raw.season_start_after_days,
        1.0..=365.0,
        or(usual.season_start_after.as_secs_f64() / 86_400.0, "no repair in winter takes a week, every summer does")
    );
    let hold = number!(
        desk,
        at,
        raw.pressure_hold_minutes,
        0.0..=240.0,
        or(usual.pressure_hold.as_secs_f64() / 60.0, "ten minutes inside the band of pressure holding")
    );
    let band = number!(
        desk,
        at,
        raw.pressure_band_kilopascals,
        5.0..=100.0,
        or(usual.pressure_band.0 / 1e3, "Chinese specifications: pressure holding within ±0.02 MPa")
    );
    let patience = number!(
        desk,
        at,
        raw.pressure_patience_minutes,
        5.0..=1440.0,
        or(usual.pressure_patience.as_secs_f64() / 60.0, "cold homes are worse than a leak that is known")
    );
    desk.not_above(&hold, &patience, "the pressure must have time to be held");
    let jogs = count!(
        desk,
        at,
        raw.vent_jogs,
        0..=6,
        or(u64::from(usual.vent_jogs), "two jogs and a start: a motor bears three")
    );
    let on = number!(
        desk,
        at,
        raw.vent_on_seconds,
        5.0..=300.0,
        or(usual.vent_on.as_secs_f64(), "long enough to move the air, short enough to let it rise")
    );
    let off = number!(
        desk,
        at,
        raw.vent_off_seconds,
        5.0..=1800.0,
        or(usual.vent_off.as_secs_f64(), "air rises to the vents in two minutes")
    );
    SequenceSettings {
        season_start_after: rest.duration(),
        pressure_hold: hold.duration(),
        pressure_band: band.kilopascals(),
        pressure_patience: patience.duration(),
        vent_jogs: jogs.value as u8,
        vent_on: on.duration(),
        vent_off: off.duration(),
        ..usual
    }
}

fn run_and_stop(desk: &mut Desk, at: &Section, raw: &RawSequence, usual: SequenceSettings) -> SequenceSettings {
    let least = number!(
        desk,
        at,
        raw.post_run_min_minutes,
        0.0..=60.0,
        or(usual.post_run_min.as_secs_f64() / 60.0, "Danfoss ECL: 3 min")
    );
    let most = number!(
        desk,
        at,
        raw.post_run_max_minutes,
        0.0..=240.0,
        or(
            usual.post_run_max.as_secs_f64() / 60.0,
            "a quarter of an hour moves the water of most loops past the exchanger"
        )
    );
    desk.not_above(&least, &most, "the shortest time cannot be longer than the longest");
    let difference = number!(
        desk,
        at,
        raw.post_run_difference_kelvins,
        0.5..=30.0,
        or(usual.post_run_difference.0, "less carries no heat worth the pump")
    );
    let within = number!(
        desk,
        at,
        raw.reached_within_kelvins,
        0.5..=10.0,
        or(usual.reached_within.0, "the deviation that supply control is judged by")
    );
    let long = number!(
        desk,
        at,
        raw.reached_for_minutes,
        0.0..=240.0,
        or(usual.reached_for.as_secs_f64() / 60.0, "SBC heat-exchanger macro: 600 s")
    );
    let late = number!(
        desk,
        at,
        raw.late_after_minutes,
        5.0..=1440.0,
        or(usual.late_after.as_secs_f64() / 60.0, "Samson TROVIS: 30 min")
    );
    desk.below(&long, &late, "or every start would be late");
    let restarts = count!(
        desk,
        at,
        raw.restarts_max,
        1..=20,
        or(u64::from(usual.restarts_max), "three failed restarts, then a person looks")
    );
    SequenceSettings {
        post_run_min: least.duration(),
        post_run_max: most.duration(),
        post_run_difference: difference.kelvins(),
        reached_within: within.kelvins(),
        reached_for: long.duration(),
        late_after: late.duration(),
        restarts_max: restarts.value as u8,
        ..usual
    }
}
