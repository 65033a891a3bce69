//! How fast the circulation turns: the mode and what belongs to it. A key of another mode is an error, not a comment.

use std::ops::Range;
use std::time::Duration;

use heatstation_core::settings::{
    CirculationMode, FarSettings, FlowLaw, LoadLine, StagedFlow, TemperatureDifference, TrimRespond, WorstPoint,
};
use heatstation_points::{CubicMetersPerSecond, Pascals, Ratio};

use crate::check::Base;
use crate::check::curve::Design;
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or, shown, word};
use crate::raw::{RawCircuit, RawCirculation, RawCirculationMode};
use crate::written::Written;

/// Between which speeds the pumps move.
pub(crate) struct Limits {
    pub min: Field<f64>,
    pub max: Field<f64>,
}

/// The mode, and the least flow that it may ask for.
pub(crate) struct Found {
    pub mode: CirculationMode,
    pub flow_floor: Option<CubicMetersPerSecond>,
}

/// The loop on a pressure.
struct Loop {
    gain_per_pascal: f64,
    integral_time: Duration,
}

/// Whether something is held and may be missed.
pub(crate) fn is_loop(mode: RawCirculationMode) -> bool {
    use RawCirculationMode as M;
    match mode {
        M::FixedSpeed | M::StagedFlow | M::CubeRootFlow => false,
        M::DifferentialPressure
        | M::ProportionalPressure
        | M::QuadraticPressure
        | M::WorstPoint
        | M::TrimAndRespond
        | M::TemperatureDifference
        | M::SupplyPressure => true,
    }
}

/// Whether the mode lowers the flow by itself, where no user's valve does.
fn lowers_flow(mode: RawCirculationMode) -> bool {
    use RawCirculationMode as M;
    match mode {
        M::FixedSpeed
        | M::DifferentialPressure
        | M::ProportionalPressure
        | M::QuadraticPressure
        | M::SupplyPressure => false,
        M::WorstPoint | M::TrimAndRespond | M::TemperatureDifference | M::StagedFlow | M::CubeRootFlow => true,
    }
}

pub(crate) fn check(
    desk: &mut Desk,
    at: &Section,
    raw: &RawCirculation,
    file: &RawCircuit,
    limits: &Limits,
    design: &Design,
    base: &Base,
) -> Found {
    let usual =
        or(RawCirculationMode::FixedSpeed, "the right pressure difference depends on the network: nobody can guess it");
    let word_of = desk.choice(at, "mode", raw.mode.as_ref(), usual, RawCirculationMode::FixedSpeed).value;
    idle_keys(desk, at, raw, word_of);
    let mode = mode(desk, at, raw, word_of, limits, design, base);
    if let CirculationMode::StagedFlow(_) | CirculationMode::TemperatureDifference(_) = mode {
        curve_follows(desk, at, file, design);
    }
    let usual = if lowers_flow(word_of) {
        or(0.4, "40 % of the design flow: below it near buildings take all there is")
    } else {
        or(0.0, "off: the users' valves make the flow, or nothing lowers it")
    };
    let floor = number!(desk, at, raw.flow_floor_ratio, 0.0..=1.0, usual);
    let flow_floor = (floor.value > 0.0).then(|| design.flow * floor.value);
    Found { mode, flow_floor }
}

fn mode(
    desk: &mut Desk,
    at: &Section,
    raw: &RawCirculation,
    word: RawCirculationMode,
    limits: &Limits,
    design: &Design,
    base: &Base,
) -> CirculationMode {
    use RawCirculationMode as M;
    match word {
        M::FixedSpeed => CirculationMode::FixedSpeed { speed: speed(desk, at, raw, limits) },
        M::DifferentialPressure => {
            let setpoint =
                number!(desk, at, raw.differential_pressure_kilopascals, 5.0..=500.0, Otherwise::Required("80"));
            let Loop { gain_per_pascal, integral_time } = pressure_loop(desk, at, raw);
            CirculationMode::DifferentialPressure { setpoint: setpoint.kilopascals(), gain_per_pascal, integral_time }
        }
        M::ProportionalPressure => proportional(desk, at, raw, design, 1.0),
        M::QuadraticPressure => proportional(desk, at, raw, design, 2.0),
        M::WorstPoint => CirculationMode::WorstPoint(worst_point(desk, at, raw)),
        M::TrimAndRespond => CirculationMode::TrimRespond(trim_respond(desk, at, raw)),
        M::TemperatureDifference => {
            CirculationMode::TemperatureDifference(temperature_difference(desk, at, raw, design, base))
        }
        M::StagedFlow => {
            let law = stages(desk, at, raw);
            CirculationMode::StagedFlow(staged(desk, at, raw, (limits, design, base), law))
        }
        M::CubeRootFlow => CirculationMode::StagedFlow(staged(
            desk,
            at,
            raw,
            (limits, design, base),
            (FlowLaw::CubeRoot, Duration::ZERO),
        )),
        M::SupplyPressure => {
            let setpoint =
                number!(desk, at, raw.supply_pressure_kilopascals, 30.0..=2500.0, Otherwise::Required("450"));
            let Loop { gain_per_pascal, integral_time } = pressure_loop(desk, at, raw);
            CirculationMode::SupplyPressure { setpoint: setpoint.kilopascals(), gain_per_pascal, integral_time }
        }
    }
}

/// A pressure that the pumps hold and the interlock trips at would stop the plant; one below the holding pressure is none.
pub(crate) fn hold_against(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    mode: &CirculationMode,
    (holding, trip): (Option<Pascals>, Pascals),
) {
    let written = file.circulation.as_ref();
    let at = circuit.inner("circulation", written);
    // What is missing has been said.
    let raw = written.map(|written| &written.value);
    if raw
        .is_none_or(|raw| raw.supply_pressure_kilopascals.is_none() && raw.differential_pressure_kilopascals.is_none())
        && matches!(mode, CirculationMode::SupplyPressure { .. } | CirculationMode::DifferentialPressure { .. })
    {
        return;
    }
    let highest = |difference: Pascals| holding.unwrap_or(Pascals(0.0)) + difference;
    let (key, supply) = match mode {
        CirculationMode::SupplyPressure { setpoint, .. } => ("supply_pressure_kilopascals", *setpoint),
        CirculationMode::DifferentialPressure { setpoint, .. } => {
            ("differential_pressure_kilopascals", highest(*setpoint))
        }
        CirculationMode::ProportionalPressure { design, .. } => ("differential_pressure_kilopascals", highest(*design)),
        CirculationMode::WorstPoint(worst) => ("differential_pressure_high_kilopascals", highest(worst.high)),
        CirculationMode::TrimRespond(trim) => ("differential_pressure_high_kilopascals", highest(trim.high)),
        CirculationMode::FixedSpeed { .. }
        | CirculationMode::TemperatureDifference(_)
        | CirculationMode::StagedFlow(_) => return,
    };
    let key = at.key(key);
    if supply >= trip {
        let what = format!(
            "makes a supply pressure of {} kPa, and the plant trips at {}",
            shown(supply.0 / 1000.0),
            shown(trip.0 / 1000.0)
        );
        desk.error(&at.place, key.as_str(), what, "hold less, or look at `pressure_trip_kilopascals`");
    } else if holding.is_some_and(|holding| supply <= holding) {
        let what = format!("{} kPa is no more than what make-up holds at the return", shown(supply.0 / 1000.0));
        desk.error(&at.place, key.as_str(), what, "the supply stands above the return by what the network takes");
    }
}

/// A key, where it stands if it was written, and the modes that it belongs to.
type Belongs<'a> = (&'a str, Option<Range<usize>>, &'a [RawCirculationMode]);

/// A key that belongs to other modes: nobody would see that it does nothing.
fn idle_keys(desk: &mut Desk, at: &Section, raw: &RawCirculation, mode: RawCirculationMode) {
    use RawCirculationMode as M;
    const PRESSURE: [M; 6] = [
        M::DifferentialPressure,
        M::ProportionalPressure,
        M::QuadraticPressure,
        M::WorstPoint,
        M::TrimAndRespond,
        M::SupplyPressure,
    ];
    let span = |number: &Option<Written<f64>>| number.as_ref().map(|written| written.span.clone());
    let far = [M::TrimAndRespond, M::StagedFlow, M::CubeRootFlow];
    let keys: [Belongs<'_>; 13] = [
        ("speed_ratio", span(&raw.speed_ratio), &[M::FixedSpeed, M::StagedFlow, M::CubeRootFlow]),
        ("differential_pressure_kilopascals", span(&raw.differential_pressure_kilopascals), &PRESSURE[..3]),
        ("differential_pressure_low_kilopascals", span(&raw.differential_pressure_low_kilopascals), &PRESSURE[1..5]),
        ("differential_pressure_high_kilopascals", span(&raw.differential_pressure_high_kilopascals), &PRESSURE[3..5]),
        ("worst_point_kilopascals", span(&raw.worst_point_kilopascals), &PRESSURE[3..5]),
        ("worst_point_reset_minutes", span(&raw.worst_point_reset_minutes), &PRESSURE[3..4]),
        ("supply_pressure_kilopascals", span(&raw.supply_pressure_kilopascals), &PRESSURE[5..]),
        ("gain_per_kilopascal", span(&raw.gain_per_kilopascal), &PRESSURE),
        ("integral_time_seconds", span(&raw.integral_time_seconds), &PRESSURE),
        ("trim", raw.trim.as_ref().map(|table| table.span.clone()), &[M::TrimAndRespond]),
        ("spread", raw.spread.as_ref().map(|table| table.span.clone()), &[M::TemperatureDifference]),
        ("stages", raw.stages.as_ref().map(|table| table.span.clone()), &[M::StagedFlow]),
        ("far", raw.far.as_ref().map(|table| table.span.clone()), &far),
    ];
    for (key, span, modes) in keys {
        if let Some(span) = span.filter(|_| !modes.contains(&mode)) {
            let what = format!("has no meaning in this mode ({})", word(&mode));
            desk.error(&at.at(&span), at.key(key), what, "leave it out, or change `mode`");
        }
    }
}

/// Less flow needs warmer water: only a curve that knows the flow makes it so.
fn curve_follows(desk: &mut Desk, at: &Section, file: &RawCircuit, design: &Design) {
    let through_points = file.curve.as_ref().is_some_and(|curve| curve.value.points_celsius.is_some());
    if through_points {
        let help = "a curve through points does not know the flow, and with less of it the rooms would go cold: use the \
                    emitters' curve, or another mode";
        desk.error(&at.place, at.key("mode"), "lowers the flow beside a curve through points", help);
    } else if design.compared.is_none() {
        let help = "write `design_flow_m3_per_hour` or `design_heat_load_watts_per_m2` in the circuit, so that the curve \
                    makes the water warmer for less flow";
        desk.error(&at.place, at.key("mode"), "lowers the flow and the curve does not know the design flow", help);
    }
}

fn speed(desk: &mut Desk, at: &Section, raw: &RawCirculation, limits: &Limits) -> Ratio {
    let Limits { min, max } = limits;
    let usual = derived(0.9_f64.clamp(min.value, max.value.max(min.value)), "45 Hz of 50, inside the limits");
    let speed = number!(desk, at, raw.speed_ratio, 0.2..=1.2, usual);
    desk.not_above(min, &speed, "no speed is below the lowest");
    desk.not_above(&speed, max, "no speed is above the highest");
    speed.ratio()
}

fn pressure_loop(desk: &mut Desk, at: &Section, raw: &RawCirculation) -> Loop {
    let gain = number!(
        desk,
        at,
        raw.gain_per_kilopascal,
        0.00005..=0.1,
        or(0.002, "half of what a network of 12 m answers to")
    );
    let integral =
        number!(desk, at, raw.integral_time_seconds, 1.0..=600.0, or(20.0, "a few times the ramp of a drive"));
    Loop { gain_per_pascal: gain.value / 1000.0, integral_time: integral.duration() }
}

fn proportional(
    desk: &mut Desk,
    at: &Section,
    raw: &RawCirculation,
    design: &Design,
    exponent: f64,
) -> CirculationMode {
    let full = number!(desk, at, raw.differential_pressure_kilopascals, 5.0..=500.0, Otherwise::Required("80"));
    let usual = derived(full.value * 0.5, "half of the difference at the design flow, as pump makers draw it");
    let low = number!(desk, at, raw.differential_pressure_low_kilopascals, 1.0..=500.0, usual);
    desk.below(&low, &full, "the difference grows with the flow");
    let Loop { gain_per_pascal, integral_time } = pressure_loop(desk, at, raw);
    CirculationMode::ProportionalPressure {
        low: low.kilopascals(),
        design: full.kilopascals(),
        design_flow: design.flow,
        exponent,
        gain_per_pascal,
        integral_time,
    }
}

/// The lowest and the highest difference of a mode that moves it.
fn range(desk: &mut Desk, at: &Section, raw: &RawCirculation) -> (Field<f64>, Field<f64>) {
    let high = number!(desk, at, raw.differential_pressure_high_kilopascals, 5.0..=500.0, Otherwise::Required("100"));
    let usual = derived(high.value * 0.36, "36 % of the highest: three fifths of its flow");
    let low = number!(desk, at, raw.differential_pressure_low_kilopascals, 1.0..=500.0, usual);
    desk.below(&low, &high, "the difference needs room to move");
    (low, high)
}

fn worst_point(desk: &mut Desk, at: &Section, raw: &RawCirculation) -> WorstPoint {
    let (low, high) = range(desk, at, raw);
    let setpoint = number!(
        desk,
        at,
        raw.worst_point_kilopascals,
        1.0..=300.0,
        or(30.0, "3 m, the least that risers and radiators of a building take")
    );
    let reset = number!(
        desk,
        at,
        raw.worst_point_reset_minutes,
        0.5..=120.0,
        or(5.0, "a few telegrams of a remote sensor: slower than its dead time")
    );
    let Loop { gain_per_pascal, integral_time } = pressure_loop(desk, at, raw);
    WorstPoint {
        setpoint: setpoint.kilopascals(),
        reset_time: reset.duration(),
        low: low.kilopascals(),
        high: high.kilopascals(),
        gain_per_pascal,
        integral_time,
    }
}

fn trim_respond(desk: &mut Desk, circulation: &Section, file: &RawCirculation) -> TrimRespond {
    let (low, high) = range(desk, circulation, file);
    let worst = file.worst_point_kilopascals.as_ref().map(|written| {
        let nothing = or(30.0, "it is written");
        desk.number(circulation, "worst_point_kilopascals", Some(written), 1.0..=300.0, nothing).kilopascals()
    });
    let Loop { gain_per_pascal, integral_time } = pressure_loop(desk, circulation, file);
    let written = file.trim.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("trim", file.trim.as_ref()));
    let every = number!(
        desk,
        at,
        raw.every_minutes,
        1.0..=120.0,
        or(10.0, "5 to 10 min are usual; a far building answers in half an hour")
    );
    let trim = number!(desk, at, raw.trim_kilopascals, 0.1..=20.0, or(1.0, "1 to 2 kPa"));
    let respond = number!(desk, at, raw.respond_kilopascals, 0.1..=50.0, or(3.0, "3 to 5 kPa a request"));
    let most = number!(
        desk,
        at,
        raw.respond_max_kilopascals,
        0.1..=100.0,
        derived((respond.value * 2.0).max(respond.value), "two requests' worth")
    );
    desk.below(&trim, &respond, "who asks is answered faster than nobody");
    desk.not_above(&respond, &most, "one request is answered whole");
    TrimRespond {
        low: low.kilopascals(),
        high: high.kilopascals(),
        every: every.duration(),
        trim: trim.kilopascals(),
        respond: respond.kilopascals(),
        respond_max: most.kilopascals(),
        far: far(desk, circulation, file),
        worst_point: worst,
        gain_per_pascal,
        integral_time,
    }
}

fn far(desk: &mut Desk, circulation: &Section, file: &RawCirculation) -> FarSettings {
    let written = file.far.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("far", file.far.as_ref()));
    let usual = FarSettings::default();
    let below = number!(
        desk,
        at,
        raw.return_below_kelvins,
        0.2..=15.0,
        or(usual.return_below.0, "2 K below the median: more than strap-on sensors differ by")
    );
    let ignored =
        count!(desk, at, raw.ignored, 0..=20, or(usual.ignored as u64, "one or two are somebody's closed valve"));
    let rooms = number!(
        desk,
        at,
        raw.rooms_below_kelvins,
        0.0..=3.0,
        or(usual.rooms_below.0, "the standard error of the estimate with ten sensors")
    );
    FarSettings { return_below: below.kelvins(), ignored: ignored.value as usize, rooms_below: rooms.kelvins() }
}

fn load(design: &Design, base: &Base) -> LoadLine {
    LoadLine { room: design.room.celsius(), design_outdoor: base.design_outdoor.celsius() }
}

fn temperature_difference(
    desk: &mut Desk,
    circulation: &Section,
    file: &RawCirculation,
    design: &Design,
    base: &Base,
) -> TemperatureDifference {
    let written = file.spread.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("spread", file.spread.as_ref()));
    let usual = derived((design.supply.value - design.return_.value).max(2.0), "the circuit's design supply − return");
    let spread = number!(desk, at, raw.design_kelvins, 2.0..=60.0, usual);
    let exponent = number!(
        desk,
        at,
        raw.load_exponent,
        0.0..=1.0,
        or(0.667, "two thirds: the flow goes with the cube root of the load (质量-流量调节)")
    );
    let gain = number!(
        desk,
        at,
        raw.gain_per_kelvin,
        0.0005..=0.1,
        or(0.01, "a third of what the difference answers to at half load")
    );
    let integral = number!(
        desk,
        at,
        raw.integral_time_minutes,
        2.0..=240.0,
        or(30.0, "the water's way around: 20 to 30 min at 2 to 3 kg/(h m²)")
    );
    TemperatureDifference {
        spread: spread.kelvins(),
        load_exponent: exponent.value,
        load: load(design, base),
        gain_per_kelvin: gain.value,
        integral_time: integral.duration(),
    }
}

fn staged(
    desk: &mut Desk,
    at: &Section,
    raw: &RawCirculation,
    (limits, design, base): (&Limits, &Design, &Base),
    (law, hold): (FlowLaw, Duration),
) -> StagedFlow {
    let full_speed = speed(desk, at, raw, limits);
    StagedFlow { full_speed, law, load: load(design, base), hold, far: far(desk, at, raw) }
}

fn stages(desk: &mut Desk, circulation: &Section, file: &RawCirculation) -> (FlowLaw, Duration) {
    let written = file.stages.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("stages", file.stages.as_ref()));
    let source = "three stages of 1, 0.8 and 0.6 (分阶段改变流量的质调节)";
    let middle = number!(desk, at, raw.flow_middle_ratio, 0.3..=0.99, or(0.8, source));
    let low = number!(desk, at, raw.flow_low_ratio, 0.2..=0.95, or(0.6, source));
    desk.below(&low, &middle, "each stage gives less");
    let load_middle = number!(desk, at, raw.load_middle_ratio, 0.1..=0.99, or(0.8, source));
    let load_low = number!(desk, at, raw.load_low_ratio, 0.05..=0.95, or(0.6, source));
    desk.below(&load_low, &load_middle, "each stage belongs to less load");
    let hysteresis =
        number!(desk, at, raw.hysteresis_ratio, 0.0..=0.2, or(0.03, "0.8 K outdoors at a design of −9 °C"));
    let hold = number!(
        desk,
        at,
        raw.hold_hours,
        0.0..=240.0,
        or(6.0, "longer than a sunny noon: a stage is for the weather, not for the hour")
    );
    let law = FlowLaw::Stages {
        flows: [Ratio::ONE, middle.ratio(), low.ratio()],
        loads: [load_middle.ratio(), load_low.ratio()],
        hysteresis: hysteresis.ratio(),
    };
    (law, hold.duration())
}
