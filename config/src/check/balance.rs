//! Balancing the buildings.

use heatstation_core::settings::{BalanceBy, BalanceSettings};

use crate::desk::{Desk, Section, number, or};
use crate::raw::{RawBalanceBy, RawCircuit};

pub(crate) fn check(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> Option<BalanceSettings> {
    let written = file.balance.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("balance", Some(written)));
    let usual = BalanceSettings::default();
    let by = desk.choice(
        &at,
        "by",
        raw.by.as_ref(),
        or(RawBalanceBy::Return, "buildings of one kind give back water of one temperature"),
        RawBalanceBy::Return,
    );
    let every = number!(
        desk,
        at,
        raw.every_hours,
        1.0..=24.0,
        or(usual.every.as_secs_f64() / 3600.0, "1 to 4 h: the farthest return answers within one")
    );
    let step = number!(desk, at, raw.step_max_ratio, 0.005..=0.1, or(usual.step_max.0, "3 to 5 % of the stroke"));
    let per_kelvin = number!(
        desk,
        at,
        raw.step_ratio_per_kelvin,
        0.001..=0.05,
        or(usual.step_per_kelvin.0, "a return moves by 0.5 to 1.5 K per 4 % of the stroke")
    );
    let dead_band = number!(
        desk,
        at,
        raw.dead_band_kelvins,
        0.0..=3.0,
        or(usual.dead_band.0, "two thermometers of one kind agree within it")
    );
    let low = number!(
        desk,
        at,
        raw.position_min_ratio,
        0.05..=0.8,
        or(usual.position_min.0, "a building is throttled, never shut")
    );
    let open = number!(
        desk,
        at,
        raw.most_open_ratio,
        0.5..=1.0,
        or(usual.most_open.0, "what all valves throttle is pumped for nothing")
    );
    desk.below(&low, &open, "one valve at least stands further open than the least that is allowed");
    Some(BalanceSettings {
        by: match by.value {
            RawBalanceBy::Return => BalanceBy::Return,
            RawBalanceBy::Mean => BalanceBy::Mean,
        },
        every: every.duration(),
        step_max: step.ratio(),
        step_per_kelvin: per_kelvin.ratio(),
        dead_band: dead_band.kelvins(),
        position_min: low.ratio(),
        most_open: open.ratio(),
    })
}
