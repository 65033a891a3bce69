//! The supply setpoint: its limits, the room that it aims at, and what outside wishes may do.

use heatstation_core::settings::{EnvelopeSettings, SupplySettings, WarmMinimum};

use crate::check::Base;
use crate::check::curve::Design;
use crate::desk::{Desk, Field, Otherwise, Section, derived, number, or, shown};
use crate::raw::{RawCircuit, RawEmitter};

/// The lowest and the highest setpoint as fields, and the limits.
pub(crate) type Supply = (Field<f64>, Field<f64>, SupplySettings);

pub(crate) fn check_supply(desk: &mut Desk, at: &Section, raw: &RawCircuit, design: &Design) -> Supply {
    let is_floor = design.emitter == RawEmitter::Floor;
    let floor_max = "water in a floor is at most 60 °C (JGJ 142-2012, 3.1.1)";
    let usual_min = if is_floor {
        or(27.0, "a floor in the mildest weather")
    } else {
        or(30.0, "radiators in the mildest weather")
    };
    let min = number!(desk, at, raw.supply_min_celsius, 15.0..=80.0, usual_min);
    let usual_max = if is_floor {
        derived((design.supply.value + 5.0).min(60.0), "design supply + 5 K, at most 60 °C")
    } else {
        derived(design.supply.value + 5.0, "design supply + 5 K")
    };
    let max = number!(desk, at, raw.supply_max_celsius, 25.0..=115.0, usual_max);
    if is_floor && max.sound && max.value > 60.0 {
        desk.error(&max.place, max.key.as_str(), format!("{} °C is too hot for a floor", shown(max.value)), floor_max);
    }
    desk.below(&min, &max, "the setpoint needs room to move");
    desk.not_above(&design.supply, &max, "the design day needs the design supply temperature");

    let warm = check_warm_minimum(desk, at, raw, &max);
    let emitter_max = if is_floor {
        or(60.0, floor_max)
    } else {
        derived(max.value.max(85.0), "85 °C (GB 50736-2012, 5.3.1), or the highest setpoint where that is higher")
    };
    let emitter_max = number!(desk, at, raw.emitter_max_celsius, 25.0..=115.0, emitter_max);
    if emitter_max.written {
        desk.not_above(&max, &emitter_max, "the emitters bear no more");
    }

    let (rise, fall) = if is_floor {
        (or(4.0, "3 to 5 K/h: screed cracks when heated faster"), or(4.0, "3 to 5 K/h, as for the rise"))
    } else {
        (
            or(20.0, "10 to 30 K/h is usual in a cold season start"),
            or(15.0, "contraction draws make-up water, about 46 L per K and 100 m³"),
        )
    };
    let rise = number!(desk, at, raw.supply_rise_kelvins_per_hour, 0.5..=120.0, rise);
    let fall = number!(desk, at, raw.supply_fall_kelvins_per_hour, 0.5..=120.0, fall);
    let settings = SupplySettings {
        min: min.celsius(),
        warm,
        max: max.celsius(),
        emitter_max: emitter_max.celsius(),
        rise_per_hour: rise.kelvins(),
        fall_per_hour: fall.kelvins(),
    };
    (min, max, settings)
}

fn check_warm_minimum(desk: &mut Desk, at: &Section, raw: &RawCircuit, max: &Field<f64>) -> Option<WarmMinimum> {
    let Some(_) = raw.supply_min_warm_celsius else {
        if let Some(from) = &raw.supply_min_warm_from_celsius {
            let help = "write `supply_min_warm_celsius` too, or leave it out";
            desk.error(&at.at(&from.span), at.key("supply_min_warm_from_celsius"), "has no meaning alone", help);
        }
        return None;
    };
    let min = number!(desk, at, raw.supply_min_warm_celsius, 15.0..=80.0, Otherwise::Required("35"));
    let usual = or(10.0, "the inflection of the Siemens limits: below it is heating weather");
    let from = number!(desk, at, raw.supply_min_warm_from_celsius, -10.0..=25.0, usual);
    desk.below(&min, max, "the setpoint needs room to move");
    Some(WarmMinimum { min: min.celsius(), from: from.celsius() })
}

pub(crate) fn check_room_target(desk: &mut Desk, at: &Section, raw: &RawCircuit, base: &Base) -> Field<f64> {
    let minimum = base.standard.as_ref().map_or(18.0, |standard| standard.room.dwelling_min_celsius.value.value);
    let usual = derived(minimum + 2.0, "the standard's minimum for dwellings + 2 K: flats scatter by 1.0 to 1.6 K");
    let target = number!(desk, at, raw.room_target_celsius, 10.0..=28.0, usual);
    desk.below(&base.design_outdoor, &target, "heat flows from the room to the outdoors");
    if target.written && target.sound && target.value < minimum {
        let what = format!("{} °C is below the standard's minimum of {} °C", shown(target.value), shown(minimum));
        let help = "half of the rooms are colder than the target: aim 2 K above the minimum";
        desk.error(&target.place, target.key.as_str(), what, help);
    }
    target
}

pub(crate) fn check_envelope(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> EnvelopeSettings {
    let written = file.envelope.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("envelope", file.envelope.as_ref()));
    let usual = EnvelopeSettings::default();
    let lower = number!(
        desk,
        at,
        raw.lower_max_kelvins,
        0.0..=40.0,
        or(usual.lower_max.0, "a wish is a wish: what it may take away is bounded")
    );
    let raise = number!(
        desk,
        at,
        raw.raise_max_kelvins,
        0.0..=20.0,
        or(usual.raise_max.0, "supervised strategies stay within 6 K of the curve")
    );
    let rate = number!(
        desk,
        at,
        raw.rate_kelvins_per_minute,
        0.05..=10.0,
        or(usual.rate_per_minute.0, "no step in the network's load")
    );
    let life = number!(
        desk,
        at,
        raw.life_max_hours,
        0.1..=168.0,
        or(usual.life_max.as_secs_f64() / 3600.0, "a wish that nobody renews within a day is forgotten")
    );
    let frost = number!(desk, at, raw.frost_celsius, -20.0..=10.0, or(usual.frost.0, "frost begins at 0 °C"));
    let frost_lower = number!(
        desk,
        at,
        raw.frost_lower_max_kelvins,
        0.0..=20.0,
        or(usual.frost_lower_max.0, "in frost a wish must not freeze a flat")
    );
    desk.not_above(&frost_lower, &lower, "frost takes freedom away, it gives none");
    EnvelopeSettings {
        lower_max: lower.kelvins(),
        raise_max: raise.kelvins(),
        rate_per_minute: rate.kelvins(),
        life_max: life.duration(),
        frost: frost.celsius(),
        frost_lower_max: frost_lower.kelvins(),
    }
}
