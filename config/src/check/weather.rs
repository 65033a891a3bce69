//! What the buildings feel of the weather, and where it is too warm to heat.

use heatstation_core::settings::{EquivalentOutdoorSettings, HeatingLimitScope, HeatingLimitSettings};
use heatstation_points::{MetersPerSecond, Ratio};

use crate::desk::{Desk, Field, Section, derived, number, or};
use crate::raw::{RawBuildingUse, RawCircuit, RawEmitter, RawHeatingLimitScope};

fn hours(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

pub(crate) fn check_weather(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    emitter: RawEmitter,
) -> EquivalentOutdoorSettings {
    let written = file.weather.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("weather", file.weather.as_ref()));
    let usual = EquivalentOutdoorSettings::default();
    let light = number!(
        desk,
        at,
        raw.light_share_ratio,
        0.2..=1.0,
        or(
            usual.light_share.0,
            "1: the slow path through walls is off until somebody knows the buildings; 0.4 to 0.6 are usual"
        )
    );
    let building = number!(
        desk,
        at,
        raw.building_hours,
        5.0..=100.0,
        or(hours(usual.building), "Siemens RVL: light 10, medium 25, heavy 50 h")
    );
    let lag = match emitter {
        RawEmitter::Radiator => or(2.0, "the lag of radiators and network, 1 to 3 h"),
        RawEmitter::Floor => or(6.0, "the lag of a floor and its network, 4 to 8 h"),
        RawEmitter::FanCoil => or(1.0, "fan coils have the network's lag alone"),
    };
    let look_ahead = number!(desk, at, raw.look_ahead_hours, 0.0..=12.0, lag);
    let forecast_max = number!(
        desk,
        at,
        raw.forecast_max_kelvins,
        0.0..=6.0,
        or(usual.forecast_max.0, "a cold wave of 15 K a day moves the mean of the next 6 h by 2 K")
    );
    let solar = number!(
        desk,
        at,
        raw.solar_kelvins_per_kilowatt_per_m2,
        0.0..=25.0,
        or(0.0, "off until somebody knows which way the buildings look; 6 to 15 are usual")
    );
    let solar_filter = number!(
        desk,
        at,
        raw.solar_hours,
        0.5..=12.0,
        or(hours(usual.solar_filter), "rooms answer the sun in 3 to 4 h")
    );
    let solar_max = number!(
        desk,
        at,
        raw.solar_max_kelvins,
        0.0..=8.0,
        or(usual.solar_max.0, "rooms on the north side do not see it; as much as the wind may take")
    );
    let wind = number!(
        desk,
        at,
        raw.wind_kelvins_per_meter_per_second,
        0.0..=1.0,
        or(0.0, "off: it is for exposed or leaky buildings, 0.1 to 0.4")
    );
    let calm = number!(
        desk,
        at,
        raw.wind_calm_meters_per_second,
        0.0..=15.0,
        or(usual.wind_calm.0, "a leak of 0.75 + 0.1 v has its usual value at 2.5 m/s")
    );
    EquivalentOutdoorSettings {
        light_share: Ratio(light.value),
        building: building.duration(),
        look_ahead: look_ahead.duration(),
        forecast_max: forecast_max.kelvins(),
        solar_gain: solar.value / 1000.0,
        solar_filter: solar_filter.duration(),
        solar_max: solar_max.kelvins(),
        wind_gain: wind.value,
        wind_calm: MetersPerSecond(calm.value),
    }
}

pub(crate) fn check_heating_limit(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    room_target: &Field<f64>,
) -> Option<HeatingLimitSettings> {
    let written = file.heating_limit.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("heating_limit", Some(written)));
    let usual = derived(room_target.value - 3.0, "the room target - 3 K (Siemens RVS)");
    let limit = number!(desk, at, raw.limit_celsius, 5.0..=25.0, usual);
    let hysteresis = number!(desk, at, raw.hysteresis_kelvins, 0.2..=5.0, or(1.0, "Siemens RVS: 1 K"));
    let scope = desk.choice(
        &at,
        "scope",
        raw.scope.as_ref(),
        or(RawHeatingLimitScope::OutsideSeason, "in the season heat is due whatever the weather is like"),
        RawHeatingLimitScope::OutsideSeason,
    );
    desk.not_above(&limit, room_target, "above the room target no heat is needed anyway");
    if scope.value == RawHeatingLimitScope::Always && may_house_people(file) {
        let help = "all five standards owe dwellings heat on each day of the season: write the `use` of every building of \
                    this circuit, none of them a dwelling, or `scope = \"outside-season\"`";
        let what = "in the season the heat of dwellings may not be closed";
        desk.error(&scope.place, scope.key.as_str(), what, help);
    }
    Some(HeatingLimitSettings {
        limit: limit.celsius(),
        hysteresis: hysteresis.kelvins(),
        scope: match scope.value {
            RawHeatingLimitScope::OutsideSeason => HeatingLimitScope::OutsideSeason,
            RawHeatingLimitScope::Always => HeatingLimitScope::Always,
        },
    })
}

/// Whether somebody may live behind a circuit. Who sleeps in a nursing home lives there.
fn may_house_people(circuit: &RawCircuit) -> bool {
    let houses = |building_use: RawBuildingUse| match building_use {
        RawBuildingUse::Dwelling | RawBuildingUse::NursingHome => true,
        RawBuildingUse::Office | RawBuildingUse::Kindergarten => false,
    };
    let of = |building: &crate::raw::RawBuilding| building.building_use.as_ref().map(|written| written.value);
    circuit.building.is_empty() || circuit.building.iter().any(|building| of(&building.value).is_none_or(houses))
}
