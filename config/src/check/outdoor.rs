//! The outdoor temperature: where it comes from, when it is doubted, how it is smoothed.

use heatstation_core::settings::OutdoorSettings;

use crate::check::Base;
use crate::desk::{Desk, Section, number, or};
use crate::raw::RawFile;

fn hours(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

pub(crate) fn check(desk: &mut Desk, file: &RawFile, base: &Base) -> OutdoorSettings {
    let written = file.outdoor.clone().unwrap_or_default();
    let raw = &written.value;
    let at = Section::new("outdoor", 0, &written.span);
    let usual = OutdoorSettings::default();
    let filter = number!(
        desk,
        at,
        raw.filter_hours,
        0.0..=72.0,
        or(
            hours(usual.filter),
            "for the coldest rooms 0 to 6 h was best in three climates; longer filters suit the opaque part of a building alone"
        )
    );
    let hold = number!(
        desk,
        at,
        raw.hold_hours,
        0.1..=48.0,
        or(hours(usual.hold), "the ageing of a filtered value in the European controllers' failure ladders")
    );
    let fallback = number!(
        desk,
        at,
        raw.fallback_celsius,
        -30.0..=15.0,
        or(usual.fallback.0, "Siemens RVL481: 0 °C after loss of the outdoor sensor")
    );
    let disagreement = number!(
        desk,
        at,
        raw.disagreement_kelvins,
        0.5..=30.0,
        or(usual.disagreement.0, "more than 5 K is sun on one of them")
    );
    let sun_excess = number!(
        desk,
        at,
        raw.sun_excess_kelvins,
        2.0..=15.0,
        or(usual.sun_excess.0, "more than 5 K above the weather model is sun on the sensor")
    );
    let sun_after = number!(
        desk,
        at,
        raw.sun_after_hours,
        0.25..=12.0,
        or(hours(usual.sun_after), "for 2 h: then the model and its learnt bias are used")
    );
    let frozen_after = number!(
        desk,
        at,
        raw.frozen_after_hours,
        0.0..=168.0,
        or(hours(usual.frozen_after), "less than 0.05 K in a day is no weather, as for room sensors")
    );
    let bias = number!(
        desk,
        at,
        raw.bias_ratio_per_hour,
        0.01..=1.0,
        or(usual.bias_per_hour.0, "exponential smoothing against the local sensor, 0.1 to 0.3 an hour")
    );
    let age = number!(
        desk,
        at,
        raw.forecast_age_max_hours,
        1.0..=24.0,
        or(hours(usual.forecast_age_max), "a forecast older than 12 h drops the control one level")
    );
    desk.not_above(&base.design_outdoor, &fallback, "colder than the design the buildings were not built for");
    OutdoorSettings {
        filter: filter.duration(),
        hold: hold.duration(),
        fallback: fallback.celsius(),
        disagreement: disagreement.kelvins(),
        sun_excess: sun_excess.kelvins(),
        sun_after: sun_after.duration(),
        frozen_after: frozen_after.duration(),
        bias_per_hour: bias.ratio(),
        forecast_age_max: age.duration(),
    }
}
