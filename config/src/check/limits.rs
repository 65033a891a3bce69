//! Limits that the supply setpoint gives way to.

use heatstation_core::limit_line::{LimitLine, POINTS_MAX};
use heatstation_core::settings::{
    CreepSettings, LimitPriority, LimiterSettings, LimiterTuning, LimitsSettings, QuotaSettings,
};
use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, Ratio};

use crate::check::Base;
use crate::check::curve::Design;
use crate::desk::{Desk, Field, Otherwise, Section, derived, number, or, shown};
use crate::raw::{CurvePoint, Number, RawCircuit, RawLimitPriority, RawLimiters, RawReturnLimit};
use crate::written::Written;

/// Below this share of the design load a limit in design weather is a cold flat, not a limit.
const DESIGN_SHARE_MIN: f64 = 0.7;
const GIGAJOULE: f64 = 1e9;
const KILOWATT_HOUR: f64 = 3.6e6;
const DAY_SECONDS: f64 = 86_400.0;

/// What the limits of a circuit are compared with.
pub(crate) struct Around<'a> {
    pub design: &'a Design,
    pub heated_area: &'a Field<f64>,
    pub base: &'a Base,
    pub valve_min: Ratio,
}

/// 110/55 °C, what networks are designed for.
const PRIMARY_SPREAD: f64 = 55.0;

/// What the primary side carries with a flow in m³/h, W. The exchanger's own figures need not be known here: this is
/// enough to see a slip of unit.
fn carried_by(m3_per_hour: f64) -> f64 {
    m3_per_hour / 3600.0 * WATER_DENSITY * WATER_HEAT_CAPACITY * PRIMARY_SPREAD
}

pub(crate) fn check_limits(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> LimitsSettings {
    let common = check_common(desk, circuit, file, around);
    let (primary_return, valve_max_blind) = match check_return(desk, circuit, file, around) {
        Some((limiter, blind)) => (Some(limiter), blind),
        None => (None, common.valve_max_blind),
    };
    LimitsSettings {
        primary_return,
        valve_max_blind,
        approach: check_approach(desk, circuit, file),
        flow: check_flow(desk, circuit, file, around),
        power: check_power(desk, circuit, file, around),
        quota: check_quota(desk, circuit, file, around),
        creep: check_creep(desk, circuit, file, around),
        ..common
    }
}

/// What holds for all limits.
fn check_common(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> LimitsSettings {
    let temperature = file.return_limit.is_some() || file.approach_limit.is_some();
    let metered = file.flow_limit.is_some() || file.power_limit.is_some() || file.heat_quota.is_some();
    let any = temperature || metered;
    let default = RawLimiters::default();
    let at = circuit.inner("limits", file.limits.as_ref());
    if let (false, Some(written)) = (any, &file.limits) {
        let help = "write [circuit.return_limit], [circuit.flow_limit] or another, or leave it out";
        desk.warn(&circuit.at(&written.span), at.key.as_str(), "there is no limit that this would be about", help);
    }
    if !any && file.limits.is_none() {
        return LimitsSettings::default();
    }
    let raw = file.limits.as_ref().map_or(&default, |written| &written.value);
    let usual = LimitsSettings::default();
    let priority = desk.choice(
        &at,
        "priority",
        raw.priority.as_ref(),
        or(RawLimitPriority::SupplyMin, "Danfoss ECL 1x085: off"),
        RawLimitPriority::SupplyMin,
    );
    let lower = number!(
        desk,
        at,
        raw.lower_max_kelvins,
        0.5..=30.0,
        or(usual.lower_max.0, "Danfoss bounds the adaptive part of its limiters to 8 K")
    );
    let loss = number!(
        desk,
        at,
        raw.room_loss_max_kelvins,
        0.2..=5.0,
        or(usual.room_loss_max.0, "twice the 0.5 K by which Siemens lets a room end low")
    );
    let released = number!(
        desk,
        at,
        raw.released_after_minutes,
        0.0..=120.0,
        or(usual.released_after.as_secs_f64() / 60.0, "a plant that starts draws hot water through a cold exchanger")
    );
    let area = around.heated_area.value / around.base.heated_area.value.max(1.0);
    let share = derived(area.clamp(0.01, 1.0), "the circuit's heated area over the station's");
    let share = number!(desk, at, raw.station_share_ratio, 0.01..=1.0, share);
    let refresh = number!(
        desk,
        at,
        raw.meter_refresh_seconds,
        1.0..=900.0,
        or(usual.meter_refresh.as_secs_f64(), "meters are read every 10 s; Samson asks for less than 5 s")
    );
    LimitsSettings {
        priority: match priority.value {
            RawLimitPriority::SupplyMin => LimitPriority::SupplyMin,
            RawLimitPriority::Limits => LimitPriority::Limits,
        },
        lower_max: lower.kelvins(),
        room_loss_max: loss.kelvins(),
        released_after: released.duration(),
        station_share: share.ratio(),
        meter_refresh: refresh.duration(),
        ..usual
    }
}

fn check_return(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    around: &Around,
) -> Option<(LimiterSettings, Ratio)> {
    let written = file.return_limit.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("return_limit", Some(written)));
    let line = check_return_line(desk, &at, raw)?;
    let tuning = temperature_tuning(desk, &at, &raw.gain, &raw.integral_time_minutes, &raw.filter_seconds);
    let blind = number!(
        desk,
        at,
        raw.valve_max_blind_ratio,
        0.05..=1.0,
        or(1.0, "comfort first: which opening is harmless is found at commissioning")
    );
    if blind.sound && blind.value < around.valve_min.0 {
        let what = format!("{} is below the valve's smallest opening", shown(blind.value));
        desk.error(&blind.place, blind.key.as_str(), what, "leave the valve room to move");
    }
    let design = &around.design.return_;
    let coldest = line.at(around.base.design_outdoor.celsius());
    if design.sound && coldest < design.value + 2.0 {
        let what =
            format!("in design weather it is {} °C, the secondary return {}", shown(coldest), shown(design.value));
        let help = "an exchanger leaves 2 to 5 K between the returns: this limit holds all winter";
        desk.warn(&at.place, at.key.as_str(), what, help);
    }
    Some((LimiterSettings { line, tuning }, blind.ratio()))
}

fn check_return_line(desk: &mut Desk, at: &Section, raw: &RawReturnLimit) -> Option<LimitLine> {
    let rising = [
        ("inflection_celsius", &raw.inflection_celsius),
        ("inflection_slope", &raw.inflection_slope),
        ("cold_max_celsius", &raw.cold_max_celsius),
    ];
    if raw.points_celsius.is_some() || raw.inflection_celsius.is_none() {
        for (key, number) in rising.iter().filter_map(|(key, number)| number.as_ref().map(|number| (key, number))) {
            let help = "it belongs to `constant_celsius` with `inflection_celsius`";
            desk.error(&at.at(&number.span), at.key(key), "has no meaning here", help);
        }
        let keys = ("constant_celsius", "points_celsius");
        return check_line(desk, at, keys, (&raw.constant_celsius, &raw.points_celsius), (10.0, 150.0));
    }
    let required = Otherwise::Required("50");
    let mild = number!(desk, at, raw.constant_celsius, 10.0..=150.0, required);
    let inflection = number!(desk, at, raw.inflection_celsius, -30.0..=30.0, Otherwise::Required("10"));
    let slope = number!(desk, at, raw.inflection_slope, 0.05..=5.0, or(0.7, "Siemens RVL481: 0.7"));
    let cold = number!(desk, at, raw.cold_max_celsius, 10.0..=150.0, or(70.0, "Siemens RVD240: 70 °C"));
    desk.below(&mild, &cold, "the limit rises as it gets colder");
    let sound = mild.sound && inflection.sound && slope.sound && cold.sound && mild.value < cold.value;
    sound.then(|| LimitLine::rising_below(inflection.celsius(), mild.value, slope.value, cold.value))
}

fn check_approach(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> Option<LimiterSettings> {
    let written = file.approach_limit.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("approach_limit", Some(written)));
    let limit = number!(desk, at, raw.constant_kelvins, 0.5..=50.0, Otherwise::Required("8"));
    let tuning = temperature_tuning(desk, &at, &raw.gain, &raw.integral_time_minutes, &raw.filter_seconds);
    Some(LimiterSettings { line: LimitLine::constant(limit.value), tuning })
}

fn check_flow(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> Option<LimiterSettings> {
    let written = file.flow_limit.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("flow_limit", Some(written)));
    let keys = ("constant_m3_per_hour", "points_m3_per_hour");
    let line = check_line(desk, &at, keys, (&raw.constant_m3_per_hour, &raw.points_m3_per_hour), (0.1, 1800.0))?;
    let tuning = meter_tuning(
        desk,
        &at,
        LimiterTuning::METER,
        &raw.gain_kelvins_per_percent,
        &raw.integral_time_minutes,
        &raw.filter_seconds,
    );
    warn_of_cold(desk, &at, around, carried_by(line.at(around.base.design_outdoor.celsius())));
    Some(LimiterSettings { line: line.times(1.0 / 3600.0), tuning })
}

fn check_power(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> Option<LimiterSettings> {
    let written = file.power_limit.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("power_limit", Some(written)));
    let keys = ("constant_kilowatts", "points_kilowatts");
    let line =
        check_line(desk, &at, keys, (&raw.constant_kilowatts, &raw.points_kilowatts), (1.0, 50_000.0))?.times(1e3);
    let tuning = meter_tuning(
        desk,
        &at,
        LimiterTuning::METER,
        &raw.gain_kelvins_per_percent,
        &raw.integral_time_minutes,
        &raw.filter_seconds,
    );
    warn_of_cold(desk, &at, around, line.at(around.base.design_outdoor.celsius()));
    Some(LimiterSettings { line, tuning })
}

fn check_quota(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> Option<QuotaSettings> {
    let written = file.heat_quota.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("heat_quota", Some(written)));
    let line = match (&raw.constant_kilowatt_hours_per_m2, &raw.points_gigajoules_per_day) {
        (Some(_), None) => {
            let field = number!(desk, at, raw.constant_kilowatt_hours_per_m2, 0.05..=4.0, Otherwise::Required("0.8"));
            LimitLine::constant(field.value * around.heated_area.value * KILOWATT_HOUR)
        }
        (constant, points) => {
            let keys = ("constant_kilowatt_hours_per_m2", "points_gigajoules_per_day");
            check_line(desk, &at, keys, (constant, points), (0.01, 10_000.0))?.times(GIGAJOULE)
        }
    };
    let tuning = meter_tuning(
        desk,
        &at,
        LimiterTuning::QUOTA,
        &raw.gain_kelvins_per_percent,
        &raw.integral_time_minutes,
        &raw.filter_seconds,
    );
    warn_of_cold(desk, &at, around, line.at(around.base.design_outdoor.celsius()) / DAY_SECONDS);
    Some(QuotaSettings { line, tuning })
}

/// A limit of power that leaves the design day cold is said before the day comes.
fn warn_of_cold(desk: &mut Desk, at: &Section, around: &Around, watts: f64) {
    let design = around.design.power.0;
    if watts < DESIGN_SHARE_MIN * design {
        let what = format!("in design weather it leaves {:.0} % of the design heat load", 100.0 * watts / design);
        desk.warn(&at.place, at.key.as_str(), what, "flats will be cold then; is the unit right?");
    }
}

/// Where a meter of the usual range (1 : 100) stops to count is far below this share of the design flow.
const CREEP_SHARE_MAX: f64 = 0.25;

fn check_creep(desk: &mut Desk, circuit: &Section, file: &RawCircuit, around: &Around) -> Option<CreepSettings> {
    let written = file.creep_flow.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("creep_flow", Some(written)));
    let flow = number!(desk, at, raw.flow_min_m3_per_hour, 0.01..=100.0, Otherwise::Required("1.5"));
    let reopen = number!(desk, at, raw.reopen_below_kelvins, 1.0..=20.0, or(5.0, "Samson TROVIS: restart at -5 K"));
    let after = number!(
        desk,
        at,
        raw.flush_after_minutes,
        5.0..=1440.0,
        or(30.0, "SBC opens periodically; an exchanger cools by some kelvins in half an hour")
    );
    let lasts =
        number!(desk, at, raw.flush_for_minutes, 0.5..=30.0, or(2.0, "the water between main and sensor is renewed"));
    if lasts.sound && after.sound && lasts.value >= after.value {
        let help = "between two flushings the valve is to be closed";
        desk.error(&lasts.place, lasts.key.as_str(), "is no shorter than flush_after_minutes", help);
    }
    let design = around.design.power.0 / carried_by(1.0);
    if flow.sound && flow.value > CREEP_SHARE_MAX * design {
        let what = format!("{} m³/h is {:.0} % of the design flow", shown(flow.value), 100.0 * flow.value / design);
        let help =
            format!("creep flow is what the meter does not count, below {:.1} m³/h here", CREEP_SHARE_MAX * design);
        desk.error(&flow.place, flow.key.as_str(), what, help);
    }
    Some(CreepSettings {
        flow_min: flow.m3_per_hour(),
        reopen_below: reopen.kelvins(),
        flush_after: after.duration(),
        flush_for: lasts.duration(),
    })
}

fn temperature_tuning(
    desk: &mut Desk,
    at: &Section,
    gain: &Number,
    integral: &Number,
    filter: &Number,
) -> LimiterTuning {
    let usual = LimiterTuning::TEMPERATURE;
    let gain = desk.number(at, "gain", gain.as_ref(), 0.02..=5.0, or(usual.gain, "Danfoss ECL 2000: -0.3 K/K"));
    tuning(desk, at, &gain, usual, (integral, "Danfoss ECL 2000: 15 min; Siemens RVD240: 30 min"), filter)
}

fn meter_tuning(
    desk: &mut Desk,
    at: &Section,
    usual: LimiterTuning,
    gain: &Number,
    integral: &Number,
    filter: &Number,
) -> LimiterTuning {
    let why = "one percent of heat is 0.25 K of supply at a spread of 25 K: less than half of it at once";
    let gain = desk.number(at, "gain_kelvins_per_percent", gain.as_ref(), 0.005..=2.0, or(usual.gain, why));
    tuning(desk, at, &gain, usual, (integral, "five strokes of the valve and more"), filter)
}

fn tuning(
    desk: &mut Desk,
    at: &Section,
    gain: &Field<f64>,
    usual: LimiterTuning,
    (integral, why): (&Number, &'static str),
    filter: &Number,
) -> LimiterTuning {
    let minutes = or(usual.integral_time.as_secs_f64() / 60.0, why);
    let integral = desk.number(at, "integral_time_minutes", integral.as_ref(), 1.0..=240.0, minutes);
    let seconds = or(usual.filter.as_secs_f64(), "a stroke of the valve, or the noise of the sensor");
    let filter = desk.number(at, "filter_seconds", filter.as_ref(), 0.0..=900.0, seconds);
    LimiterTuning { gain: gain.value, integral_time: integral.duration(), filter: filter.duration() }
}

/// A limit over the outdoor temperature in the unit of its keys: the constant or the points.
fn check_line(
    desk: &mut Desk,
    at: &Section,
    (constant_key, points_key): (&str, &str),
    (constant, points): (&Number, &Option<Written<Vec<CurvePoint>>>),
    (low, high): (f64, f64),
) -> Option<LimitLine> {
    let Some(written) = points else {
        let example = Otherwise::Required("50");
        let field = desk.number(at, constant_key, constant.as_ref(), low..=high, example);
        return field.sound.then(|| LimitLine::constant(field.value));
    };
    if let Some(constant) = constant {
        let help = format!("a limit has `{constant_key}` or `{points_key}`, not both");
        desk.error(&at.at(&constant.span), at.key(constant_key), "has no meaning beside points", help);
    }
    let key = at.key(points_key);
    let pairs: Vec<String> =
        written.value.iter().map(|point| format!("{}: {}", shown(point.value.0), shown(point.value.1))).collect();
    desk.explain_written(&key, pairs.join(", "), &at.at(&written.span));
    let mut line: Vec<(Celsius, f64)> = Vec::new();
    for point in &written.value {
        let (place, (outdoor, limit)) = (at.at(&point.span), point.value);
        if !(-60.0..=40.0).contains(&outdoor) || !(low..=high).contains(&limit) {
            let what = format!("({}, {}) is out of range", shown(outdoor), shown(limit));
            let help = format!("outdoor from -60 to 40 °C, the limit from {} to {}", shown(low), shown(high));
            desk.error(&place, key.as_str(), what, help);
        } else if line.last().is_some_and(|(colder, _)| outdoor <= colder.0) {
            let help = "write the points from cold to warm, each outdoor temperature once";
            desk.error(&place, key.as_str(), format!("{} °C does not come after the one before", shown(outdoor)), help);
        } else {
            line.push((Celsius(outdoor), limit));
        }
    }
    if line.len() < written.value.len() {
        return None;
    }
    let found = LimitLine::through(&line);
    if found.is_none() && !desk.has_errors() {
        let what = format!("{} points make no limit", written.value.len());
        desk.error(&at.at(&written.span), key.as_str(), what, format!("write 1 to {POINTS_MAX} pairs"));
    }
    found
}
