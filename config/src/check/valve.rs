//! The primary valve, the exchanger behind it, and the loop that moves it.

use std::time::Duration;

use heatstation_core::actuator::ActuatorSettings;
use heatstation_core::auto_tune::{Acceptance, AutoTuneSettings};
use heatstation_core::exchanger::ExchangerSettings;
use heatstation_core::feed_forward::{FeedForwardMode, FeedForwardSettings};
use heatstation_core::gain_schedule::GainScheduleSettings;
use heatstation_core::settings::{SupplyLoopSettings, ValveSettings};
use heatstation_core::tuning_rules::{self, Process, TuningRule};
use heatstation_core::valve_characteristic::ValveCharacteristic;
use heatstation_core::valve_exercise::ValveExerciseSettings;
use heatstation_core::valve_health::HuntingGuard;
use heatstation_points::Kelvins;
use serde::Serialize;

use crate::check::curve::Design;
use crate::desk::{Desk, Field, Otherwise, Section, derived, number, or, shown};
use crate::raw::{
    RawAcceptance, RawActuator, RawCircuit, RawFeedForward, RawGainSchedule, RawHuntingGuard, RawSupplyLoop, RawTuning,
    RawTuningRule, RawValve,
};
use crate::written::Written;

/// A key and what was written for it.
type Key<'a> = (&'static str, &'a Option<Written<f64>>);

/// Refuses keys that a choice leaves without an effect.
fn idle<T: Serialize>(desk: &mut Desk, at: &Section, choice: &Field<T>, of: &str, keys: &[Key]) {
    for (key, written) in keys {
        if let Some(written) = written {
            let what = format!("has no meaning with `{of} = \"{}\"`", crate::desk::word(&choice.value));
            desk.error(&at.at(&written.span), at.key(key), what, format!("leave it out, or change `{of}`"));
        }
    }
}

pub(crate) fn check_supply_loop(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    design: &Design,
) -> SupplyLoopSettings {
    let written = file.supply_loop.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("supply_loop", file.supply_loop.as_ref()));
    let usual = SupplyLoopSettings::default();
    let gains = check_tuning(desk, &at, raw);
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
    let by_temperature = number!(
        desk,
        at,
        raw.dead_band_kelvins,
        0.02..=5.0,
        or(usual.dead_band_supply.0, "a grain and a half of the supply sensor")
    );
    SupplyLoopSettings {
        gain_per_kelvin: gains.gain_per_kelvin,
        integral_time: Duration::from_micros((gains.integral_seconds * 1e6).round() as u64),
        sample_time: sample.duration(),
        dead_band: band.ratio(),
        dead_band_supply: by_temperature.kelvins(),
        schedule: check_schedule(desk, &at, raw, gains.nominal),
        feed_forward: check_feed_forward(desk, &at, raw),
        guard: check_guard(desk, &at, raw),
        auto_tune: check_auto_tune(desk, &at, raw),
        exchanger: Some(check_exchanger(desk, circuit, file, design)),
    }
}

/// Gains, and the plant's gain that they belong to.
struct Tuned {
    gain_per_kelvin: f64,
    integral_seconds: f64,
    nominal: Kelvins,
}

fn check_tuning(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop) -> Tuned {
    let usual = SupplyLoopSettings::default();
    let by_hand = or(RawTuning::Gains, "gains that suit most plants; the schedule makes up for the rest");
    let tuning = desk.choice(at, "tuning", raw.tuning.as_ref(), by_hand, RawTuning::Gains);
    let of_gains: [Key; 3] = [
        ("gain_per_kelvin", &raw.gain_per_kelvin),
        ("integral_time_seconds", &raw.integral_time_seconds),
        ("nominal_gain_kelvins", &raw.nominal_gain_kelvins),
    ];
    let of_rules: [Key; 3] = [
        ("process_gain_kelvins", &raw.process_gain_kelvins),
        ("process_lag_seconds", &raw.process_lag_seconds),
        ("process_dead_time_seconds", &raw.process_dead_time_seconds),
    ];
    let of_simc: [Key; 1] = [("closed_loop_time_seconds", &raw.closed_loop_time_seconds)];
    if tuning.value == RawTuning::Gains {
        idle(desk, at, &tuning, "tuning", &of_rules);
        idle(desk, at, &tuning, "tuning", &of_simc);
        return check_gains(desk, at, raw, &usual);
    }
    idle(desk, at, &tuning, "tuning", &of_gains);
    let gain = number!(desk, at, raw.process_gain_kelvins, 1.0..=2000.0, Otherwise::Required("25"));
    let lag = number!(desk, at, raw.process_lag_seconds, 1.0..=1000.0, Otherwise::Required("25"));
    let dead_time = number!(desk, at, raw.process_dead_time_seconds, 1.0..=600.0, Otherwise::Required("15"));
    let process = Process { gain: gain.kelvins(), lag: lag.value, dead_time: dead_time.value };
    let gains = if tuning.value == RawTuning::Simc {
        let smooth = derived(2.0 * dead_time.value, "twice the dead time: smooth");
        let closed_loop = number!(desk, at, raw.closed_loop_time_seconds, 1.0..=1200.0, smooth);
        tuning_rules::simc(&process, closed_loop.value)
    } else {
        idle(desk, at, &tuning, "tuning", &of_simc);
        tuning_rules::amigo(&process)
    };
    let by_rule = |value: f64| {
        (
            shown(value),
            crate::explain::From::Derived { formula: format!("the rule {}", crate::desk::word(&tuning.value)) },
        )
    };
    for (key, value) in [("gain_per_kelvin", gains.gain_per_kelvin), ("integral_time_seconds", gains.integral_seconds)]
    {
        let (shown, from) = by_rule(value);
        desk.explain(&at.key(key), shown, from);
    }
    Tuned { gain_per_kelvin: gains.gain_per_kelvin, integral_seconds: gains.integral_seconds, nominal: process.gain }
}

fn check_gains(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop, usual: &SupplyLoopSettings) -> Tuned {
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
    let nominal = number!(
        desk,
        at,
        raw.nominal_gain_kelvins,
        1.0..=1000.0,
        or(usual.schedule.nominal.0, "a right-sized valve at half load: 0.25 K for each percent of the stroke")
    );
    Tuned {
        gain_per_kelvin: gain.value,
        integral_seconds: integral.duration().as_secs_f64(),
        nominal: nominal.kelvins(),
    }
}

fn check_schedule(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop, nominal: Kelvins) -> GainScheduleSettings {
    let usual = GainScheduleSettings::default();
    let follows =
        or(RawGainSchedule::Plant, "a valve near its seat is ten times as steep as in the middle of its stroke");
    let schedule = desk.choice(at, "gain_schedule", raw.gain_schedule.as_ref(), follows, RawGainSchedule::Plant);
    if schedule.value == RawGainSchedule::Fixed {
        let keys: [Key; 2] = [("gain_factor_min", &raw.gain_factor_min), ("gain_factor_max", &raw.gain_factor_max)];
        idle(desk, at, &schedule, "gain_schedule", &keys);
        return GainScheduleSettings { nominal, factor_min: 1.0, factor_max: 1.0 };
    }
    let min = number!(
        desk,
        at,
        raw.gain_factor_min,
        0.01..=1.0,
        or(usual.factor_min, "a weaker controller does not follow the weather any more")
    );
    let max = number!(
        desk,
        at,
        raw.gain_factor_max,
        1.0..=5.0,
        or(usual.factor_max, "the plant may be steeper than its model has it")
    );
    GainScheduleSettings { nominal, factor_min: min.value, factor_max: max.value }
}

fn check_feed_forward(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop) -> FeedForwardSettings {
    let usual = FeedForwardSettings::default();
    let heat = or(
        RawFeedForward::Heat,
        "halves the error after a change of circulation; with the pressure it also costs two thirds more strokes",
    );
    let what = desk.choice(at, "feed_forward", raw.feed_forward.as_ref(), heat, RawFeedForward::Heat);
    let mode = match what.value {
        RawFeedForward::Off => {
            let reach: [Key; 1] = [("feed_forward_reach_ratio", &raw.feed_forward_reach_ratio)];
            idle(desk, at, &what, "feed_forward", &reach);
            return FeedForwardSettings { mode: FeedForwardMode::Off, ..usual };
        }
        RawFeedForward::Heat => FeedForwardMode::Heat,
        RawFeedForward::HeatAndPressure => FeedForwardMode::HeatAndPressure,
    };
    let reach = number!(
        desk,
        at,
        raw.feed_forward_reach_ratio,
        0.01..=0.5,
        or(usual.reach.0, "40 % more or less water on an equal-percentage valve; a wrong model can do no more")
    );
    FeedForwardSettings { mode, reach: reach.ratio() }
}

fn check_guard(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop) -> HuntingGuard {
    let acts = or(RawHuntingGuard::Acts, "half the gain harms nobody, and a valve that hunts wears out in a winter");
    match desk.choice(at, "hunting_guard", raw.hunting_guard.as_ref(), acts, RawHuntingGuard::Acts).value {
        RawHuntingGuard::Acts => HuntingGuard::Acts,
        RawHuntingGuard::Watches => HuntingGuard::Watches,
    }
}

fn check_auto_tune(desk: &mut Desk, at: &Section, raw: &RawSupplyLoop) -> AutoTuneSettings {
    let usual = AutoTuneSettings::default();
    let swing = number!(
        desk,
        at,
        raw.auto_tune_swing_kelvins,
        0.5..=1.5,
        or(usual.swing.0, "five times what a wandering pressure does to a held valve; at 2 K it ends")
    );
    let simc = or(RawTuningRule::Simc, "a closed loop of twice the dead time: smooth");
    let rule = match desk.choice(at, "auto_tune_rule", raw.auto_tune_rule.as_ref(), simc, RawTuningRule::Simc).value {
        RawTuningRule::Simc => TuningRule::Simc,
        RawTuningRule::Amigo => TuningRule::Amigo,
    };
    let asked = or(RawAcceptance::ByRequest, "a person looks at it first");
    let acceptance = raw.auto_tune_acceptance.as_ref();
    let acceptance = match desk.choice(at, "auto_tune_acceptance", acceptance, asked, RawAcceptance::ByRequest).value {
        RawAcceptance::ByRequest => Acceptance::ByRequest,
        RawAcceptance::Automatic => Acceptance::Automatic,
    };
    AutoTuneSettings { swing: swing.kelvins(), rule, acceptance }
}

fn check_exchanger(desk: &mut Desk, circuit: &Section, file: &RawCircuit, design: &Design) -> ExchangerSettings {
    let written = file.exchanger.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("exchanger", file.exchanger.as_ref()));
    let hot =
        derived(110.0_f64.max(design.supply.value + 15.0), "110 °C, and 15 K above the secondary supply at least");
    let supply = number!(desk, at, raw.primary_supply_celsius, 40.0..=200.0, hot);
    let back = derived(design.return_.value + 10.0, "10 K above the secondary return");
    let back = number!(desk, at, raw.primary_return_celsius, 20.0..=150.0, back);
    desk.below(&design.return_, &back, "heat flows from the primary to the secondary");
    desk.below(&design.supply, &supply, "heat flows from the primary to the secondary");
    desk.below(&back, &supply, "the primary gives heat");
    let secondary = (design.supply.celsius(), design.return_.celsius());
    let exchanger = ExchangerSettings::designed_for(design.power.0, (supply.celsius(), back.celsius()), secondary);
    let formula = "design heat load over the logarithmic mean of the design temperatures' differences";
    let transfer = number!(
        desk,
        at,
        raw.transfer_kilowatts_per_kelvin,
        0.01..=20_000.0,
        derived(exchanger.transfer / 1e3, formula)
    );
    ExchangerSettings { transfer: transfer.value * 1e3, ..exchanger }
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
    let stroke_min = number!(
        desk,
        at,
        raw.stroke_min_ratio,
        0.0005..=0.05,
        or(usual.stroke_min.0, "the dead bands of positioners and drives: 0.25 to 1 %")
    );
    let curve = usual.characteristic;
    let rangeability = number!(
        desk,
        at,
        raw.rangeability,
        5.0..=500.0,
        or(curve.rangeability, "30 to 100; Modelica IBPSA reckons with 50")
    );
    let authority = number!(
        desk,
        at,
        raw.authority_ratio,
        0.02..=1.0,
        or(curve.authority.0, "0.3 to 0.5 is what a valve is picked for")
    );
    let play = number!(
        desk,
        at,
        raw.play_ratio,
        0.0..=0.1,
        or(usual.play.0, "unknown play is left alone: making up for more than there is would be a disturbance itself")
    );
    ValveSettings {
        position_min: min.ratio(),
        position_max: max.ratio(),
        stroke_time: stroke.duration(),
        deviation_max: deviation.ratio(),
        stroke_min: stroke_min.ratio(),
        characteristic: ValveCharacteristic { rangeability: rangeability.value, authority: authority.ratio() },
        actuator: check_actuator(desk, &at, raw, &stroke),
        play: play.ratio(),
        exercise: check_exercise(desk, &at, raw),
    }
}

fn check_exercise(desk: &mut Desk, at: &Section, raw: &RawValve) -> Option<ValveExerciseSettings> {
    let off = or(0.0, "off: pumps and valve would move unasked, and whoever works there in summer has to know");
    let every = number!(desk, at, raw.exercise_every_days, 0.0..=120.0, off);
    if every.value <= 0.0 {
        if let Some(kick) = &raw.exercise_seconds {
            let help = "write `exercise_every_days` too, or leave it out";
            desk.error(&at.at(&kick.span), at.key("exercise_seconds"), "has no meaning without an exercise", help);
        }
        return None;
    }
    let kick = number!(desk, at, raw.exercise_seconds, 5.0..=120.0, or(30.0, "Siemens: 30 s"));
    Some(ValveExerciseSettings { every: every.duration(), kick: kick.duration() })
}

/// The smallest move that still is control.
const PULSE_SHARE_MAX: f64 = 0.05;

fn check_actuator(desk: &mut Desk, at: &Section, raw: &RawValve, stroke: &Field<f64>) -> ActuatorSettings {
    let usual = or(RawActuator::Position, "most control valves of stations have a positioner");
    let actuator = desk.choice(at, "actuator", raw.actuator.as_ref(), usual, RawActuator::Position);
    match actuator.value {
        RawActuator::Position => {
            let pulse: [Key; 1] = [("pulse_min_seconds", &raw.pulse_min_seconds)];
            idle(desk, at, &actuator, "actuator", &pulse);
            ActuatorSettings::Position
        }
        RawActuator::ThreePoint => {
            let pulse = number!(
                desk,
                at,
                raw.pulse_min_seconds,
                0.1..=10.0,
                or(1.0, "a cycle of the control; motors ask for 0.04 to 1 s (Danfoss ECL: 2 to 50 times 20 ms)")
            );
            let share = pulse.value / stroke.value;
            if pulse.sound && stroke.sound && share > PULSE_SHARE_MAX {
                let what = format!("moves the valve by {:.0} % of its stroke at least", share * 100.0);
                let help = format!("{} s or less with this stroke_time_seconds", shown(PULSE_SHARE_MAX * stroke.value));
                desk.error(&pulse.place, pulse.key.as_str(), what, help);
            }
            ActuatorSettings::ThreePoint { pulse_min: pulse.duration() }
        }
    }
}
