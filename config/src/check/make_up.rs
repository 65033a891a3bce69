//! Pressure holding, and the pressures that have to stand in order.

use std::time::Duration;

use heatstation_core::settings::{BurstPolicy, LeakSettings, MakeUpMode, MakeUpSettings};
use heatstation_points::Pascals;

use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or, shown};
use crate::raw::{RawBurstPolicy, RawCircuit, RawIsolation, RawMakeUp, RawMakeUpMode};
use crate::written::Written;

/// The pressures among the interlocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PressureLimits {
    pub protect: Pascals,
    pub restart: Pascals,
    pub trip: Pascals,
    pub delay: Duration,
}

pub(crate) struct Pressure {
    pub make_up: Option<MakeUpSettings>,
    pub interlock: PressureLimits,
}

const ORDER: &str = "pressures stand in the order protect < restart < start < setpoint + sleep_raise < relief_close < relief_open < trip";

/// Pressure holding and the interlocks on pressure: one order.
pub(crate) fn check_pressure(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    heated_area: &Field<f64>,
) -> Pressure {
    let interlock = file.interlock.clone().unwrap_or_default();
    let (raw, at) = (&interlock.value, circuit.inner("interlock", file.interlock.as_ref()));
    let delay = number!(
        desk,
        at,
        raw.pressure_delay_seconds,
        0.0..=60.0,
        or(5.0, "5 to 10 s: a pump that starts pulls the pressure down for a moment")
    )
    .duration();
    let Some(written) = &file.make_up else {
        let protect = number!(
            desk,
            at,
            raw.pressure_protect_kilopascals,
            5.0..=1600.0,
            or(50.0, "Siemens district-heating skid: stop below 0.5 bar")
        );
        let restart = number!(
            desk,
            at,
            raw.pressure_restart_kilopascals,
            10.0..=1600.0,
            derived(protect.value + 50.0, "protect + 50 kPa")
        );
        let trip = number!(
            desk,
            at,
            raw.pressure_trip_kilopascals,
            50.0..=2500.0,
            derived(
                restart.value.max(300.0) * 2.0,
                "twice the restart pressure, at least 600 kPa (Siemens district-heating skid: 6 bar)"
            )
        );
        desk.rising(&[&protect, &restart, &trip], ORDER);
        return Pressure { make_up: None, interlock: limits(&protect, &restart, &trip, delay) };
    };
    let make_up = check_make_up(desk, circuit, written, heated_area, file.isolation.as_ref());
    let set = make_up.setpoint.value;
    let protect = number!(
        desk,
        at,
        raw.pressure_protect_kilopascals,
        5.0..=1600.0,
        derived((set - 90.0).max(set * 0.3), "setpoint − 90 kPa (80 to 100 are usual), at least 30 % of it")
    );
    let restart = number!(
        desk,
        at,
        raw.pressure_restart_kilopascals,
        10.0..=1600.0,
        derived((set - 50.0).max(set * 0.5), "setpoint − 50 kPa, at least half of it")
    );
    let trip = number!(
        desk,
        at,
        raw.pressure_trip_kilopascals,
        50.0..=2500.0,
        derived(
            make_up.relief_open.value + 250.0,
            "relief + 250 kPa: it is the supply's pressure, which has the head of the pumps on top"
        )
    );
    let order =
        [&protect, &restart, &make_up.start, &make_up.setpoint, &make_up.relief_close, &make_up.relief_open, &trip];
    desk.rising(&order, ORDER);
    Pressure { make_up: Some(make_up.settings), interlock: limits(&protect, &restart, &trip, delay) }
}

fn limits(protect: &Field<f64>, restart: &Field<f64>, trip: &Field<f64>, delay: Duration) -> PressureLimits {
    PressureLimits { protect: protect.kilopascals(), restart: restart.kilopascals(), trip: trip.kilopascals(), delay }
}

struct CheckedMakeUp {
    start: Field<f64>,
    setpoint: Field<f64>,
    relief_close: Field<f64>,
    relief_open: Field<f64>,
    settings: MakeUpSettings,
}

fn check_make_up(
    desk: &mut Desk,
    circuit: &Section,
    written: &Written<RawMakeUp>,
    area: &Field<f64>,
    isolation: Option<&Written<RawIsolation>>,
) -> CheckedMakeUp {
    let (raw, at) = (&written.value, circuit.inner("make_up", Some(written)));
    let pumps = count!(desk, at, raw.pumps, 1..=2, or(1, "one pump; write 2 where one stands in"));
    let usual = or(RawMakeUpMode::VariableSpeed, "holds the pressure within ± 20 kPa, as the rules for stations ask");
    let mode = desk.choice(&at, "mode", raw.mode.as_ref(), usual, RawMakeUpMode::VariableSpeed).value;
    let setpoint = number!(desk, at, raw.setpoint_kilopascals, 30.0..=1600.0, Otherwise::Required("300"));
    let set = setpoint.value;
    let start = number!(
        desk,
        at,
        raw.start_kilopascals,
        20.0..=1600.0,
        derived(
            (set - 20.0).max(set * 0.8),
            "setpoint − 20 kPa (20 to 30 are usual, ± 20 is the rule for stations), at least 80 % of it"
        )
    );
    let close =
        number!(desk, at, raw.relief_close_kilopascals, 30.0..=2000.0, derived(set + 40.0, "setpoint + 40 kPa"));
    let open = number!(
        desk,
        at,
        raw.relief_open_kilopascals,
        30.0..=2000.0,
        derived(set + 60.0, "setpoint + 60 kPa (50 to 80 are usual)")
    );
    let raise = sleep_raise(desk, &at, raw, mode, (&setpoint, &close));
    let assist = assist(desk, &at, raw, pumps.value);
    let fights = count!(
        desk,
        at,
        raw.relief_fights_max,
        0..=100,
        or(6, "one in ten minutes: what goes in at one end goes out at the other")
    );
    let run = number!(
        desk,
        at,
        raw.run_max_minutes,
        1.0..=240.0,
        or(20.0, "20 to 30 min for variable speed: longer is a leak")
    );
    let usual = derived(
        (area.value * 0.001 * 0.05).max(2.0),
        "5 % of the loop's water at 1 L/m², at least 2 m³: 0.3 to 2 % is normal",
    );
    let volume = number!(desk, at, raw.volume_per_day_max_m3, 0.1..=5000.0, usual);
    let usual = derived(
        (area.value * 0.001 * 0.01).max(0.5),
        "1 % of the loop's water at 1 L/m², at least 0.5 m³: what a cooling of 20 K/h draws",
    );
    let blind = number!(desk, at, raw.blind_volume_per_hour_max_m3, 0.05..=500.0, usual);
    let low = number!(desk, at, raw.tank_low_meters, 0.05..=10.0, or(0.4, "a tank of 2 m: the suction is covered"));
    let refill = number!(desk, at, raw.tank_refill_meters, 0.1..=10.0, or(1.0, "a tank of 2 m: half full"));
    let full = number!(desk, at, raw.tank_full_meters, 0.2..=10.0, or(1.6, "a tank of 2 m: below its overflow"));
    desk.rising(&[&low, &refill, &full], "the tank is refilled before it is empty, and stops before it runs over");
    let settings = MakeUpSettings {
        pumps: pumps.value as usize,
        mode: match mode {
            RawMakeUpMode::StartStop => MakeUpMode::StartStop,
            RawMakeUpMode::VariableSpeed => MakeUpMode::VariableSpeed,
        },
        start: start.kilopascals(),
        setpoint: setpoint.kilopascals(),
        sleep_raise: raise.kilopascals(),
        assist_after: assist,
        relief_close: close.kilopascals(),
        relief_open: open.kilopascals(),
        relief_fights_max: fights.value as u8,
        run_max: run.duration(),
        volume_per_day_max: volume.value,
        blind_volume_per_hour_max: blind.value,
        tank_low: low.meters(),
        tank_refill: refill.meters(),
        tank_full: full.meters(),
        leak: leak(desk, &at, raw, area, isolation),
    };
    CheckedMakeUp { start, setpoint, relief_close: close, relief_open: open, settings }
}

fn sleep_raise(
    desk: &mut Desk,
    at: &Section,
    raw: &RawMakeUp,
    mode: RawMakeUpMode,
    (setpoint, close): (&Field<f64>, &Field<f64>),
) -> Field<f64> {
    if let (RawMakeUpMode::StartStop, Some(written)) = (mode, &raw.sleep_raise_kilopascals) {
        let help = "a pump that is only switched does not sleep: leave it out, or write `mode = \"variable-speed\"`";
        let key = at.key("sleep_raise_kilopascals");
        desk.error(&at.at(&written.span), key, "has no meaning with start and stop", help);
    }
    let room = (close.value - setpoint.value).max(0.0) * 0.25;
    let usual = match mode {
        RawMakeUpMode::VariableSpeed => derived(
            room.min(10.0),
            "10 kPa, at most a quarter of the way to the relief pressure: the pump sleeps longer",
        ),
        RawMakeUpMode::StartStop => or(0.0, "start and stop do not sleep"),
    };
    let raise = number!(desk, at, raw.sleep_raise_kilopascals, 0.0..=100.0, usual);
    let lifted = setpoint.value + raise.value;
    if raise.sound && setpoint.sound && close.sound && setpoint.value < close.value && lifted >= close.value {
        let what =
            format!("lifts the pressure to {} kPa, where relief closes at {}", shown(lifted), shown(close.value));
        desk.error(&raise.place, raise.key.as_str(), what, ORDER);
    }
    raise
}

fn assist(desk: &mut Desk, at: &Section, raw: &RawMakeUp, pumps: u64) -> Option<Duration> {
    if let (1, Some(written)) = (pumps, &raw.assist_after_seconds) {
        let what = "has no meaning with one pump";
        desk.error(&at.at(&written.span), at.key("assist_after_seconds"), what, "leave it out, or write `pumps = 2`");
    }
    let usual = if pumps > 1 {
        or(120.0, "the first has had time to show that it does not suffice, and is far from its longest run")
    } else {
        or(0.0, "there is one pump")
    };
    let after = number!(desk, at, raw.assist_after_seconds, 0.0..=3600.0, usual);
    (after.value > 0.0).then(|| after.duration())
}

fn leak(
    desk: &mut Desk,
    make_up: &Section,
    file: &RawMakeUp,
    area: &Field<f64>,
    isolation: Option<&Written<RawIsolation>>,
) -> LeakSettings {
    let written = file.leak.clone().unwrap_or_default();
    let (raw, at) = (&written.value, make_up.inner("leak", file.leak.as_ref()));
    let usual = derived((area.value * 0.001).max(0.1), "1 L per m² of heated area (0.8 to 1.3)");
    let volume = number!(desk, at, raw.loop_volume_m3, 0.1..=20_000.0, usual);
    let usual = derived(volume.value * 0.012, "a vessel of 500 L for 100 m³ takes 1.2 L/kPa; a bare network 0.2 L/kPa");
    let compliance = number!(desk, at, raw.liters_per_kilopascal, 0.0001..=1000.0, usual);
    let share =
        number!(desk, at, raw.per_day_max_ratio, 0.001..=0.5, or(0.02, "0.3 to 2 % of the water a day is usual"));
    let usual = derived(
        (volume.value * 0.04).max(2.0),
        "4 % of the loop's water an hour, what make-up has to manage in an accident (CJJ 34); at least 2 m³/h",
    );
    let burst = number!(desk, at, raw.burst_m3_per_hour, 0.1..=500.0, usual);
    let usual = or(RawBurstPolicy::Alarm, "make-up has its own limits, and who isolates should have looked");
    let policy = desk.choice(&at, "on_burst", raw.on_burst.as_ref(), usual, RawBurstPolicy::Alarm);
    if policy.value == RawBurstPolicy::Isolate && isolation.is_none() {
        let help = "write [circuit.isolation], or `on_burst = \"stop-make-up\"`";
        desk.error(&policy.place, policy.key.as_str(), "there is no isolation valve to close", help);
    }
    LeakSettings {
        volume: volume.value,
        // Litres per kilopascal are millionths of cubic metres per pascal.
        compliance: compliance.value * 1e-6,
        per_day_max: share.ratio(),
        burst: burst.m3_per_hour(),
        on_burst: match policy.value {
            RawBurstPolicy::Alarm => BurstPolicy::Alarm,
            RawBurstPolicy::StopMakeUp => BurstPolicy::StopMakeUp,
            RawBurstPolicy::Isolate => BurstPolicy::Isolate,
        },
    }
}
