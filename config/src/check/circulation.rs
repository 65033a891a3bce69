//! Circulation: which pumps run, and what proves it. How fast is the file beside it.

use heatstation_core::settings::{Assist, ChangeOver, CirculationSettings, Exercise, TimeOfWeek};

use crate::check::Base;
use crate::check::circulation_speed::{self, Limits};
use crate::check::curve::Design;
use crate::check::week;
use crate::desk::{Desk, Field, Section, count, derived, number, or, shown};
use crate::raw::{RawChangeMethod, RawCircuit, RawCirculation, RawDay};

pub(crate) fn check(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    design: &Design,
    base: &Base,
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
    let assist = assist(desk, &at, raw, &pumps, &duty);
    let limits = limits(desk, &at, raw);
    let mode = circulation_speed::check(desk, &at, raw, file, &limits, design, base);
    let fallback = number!(
        desk,
        at,
        raw.speed_fallback_ratio,
        0.2..=1.2,
        or(0.8, "40 Hz of 50 carries the flow of the design day in most networks")
    );
    desk.not_above(&limits.min, &fallback, "no speed is below the lowest");
    desk.not_above(&fallback, &limits.max, "no speed is above the highest");
    let estimate = number!(
        desk,
        at,
        raw.speed_estimate_minutes,
        0.0..=240.0,
        or(30.0, "as long as a substitute stands in for the supply temperature")
    );
    let ramp =
        number!(desk, at, raw.ramp_ratio_per_second, 0.001..=0.2, or(0.01, "0.5 Hz/s of 50 Hz: no water hammer"));
    let proof = number!(desk, at, raw.proof_within_seconds, 2.0..=120.0, or(15.0, "Danfoss ECL: 15 s to the feedback"));
    let retry = number!(desk, at, raw.retry_after_minutes, 1.0..=240.0, or(20.0, "Danfoss ECL: 20 min"));
    let retries = count!(desk, at, raw.retries_max, 1..=100, or(3, "three attempts, then a person looks"));
    let rotate = number!(desk, at, raw.rotate_after_hours, 0.0..=2000.0, or(168.0, "Siemens Synco: a week"));
    let (change_over, rotate_at) = change_over(desk, &at, raw);
    let off = number!(desk, at, raw.off_min_seconds, 0.0..=1800.0, or(60.0, "a motor bears about six starts an hour"));
    let on =
        number!(desk, at, raw.on_min_seconds, 0.0..=1800.0, or(60.0, "as the least time off: a start warms the motor"));
    let least = derived((design.flow.0 * 3600.0 * 0.2).max(0.01), "20 % of the design flow: less is a blocked network");
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
        assist,
        mode: mode.mode,
        speed_min: limits.min.ratio(),
        speed_max: limits.max.ratio(),
        speed_fallback: fallback.ratio(),
        estimate_for: estimate.duration(),
        ramp_per_second: ramp.value,
        flow_floor: mode.flow_floor,
        proof_within: proof.duration(),
        retry_after: retry.duration(),
        retries_max: retries.value as u8,
        rotate_after: rotate.duration(),
        rotate_at,
        change_over,
        off_min: off.duration(),
        on_min: on.duration(),
        exercise: exercise(desk, &at, raw),
        flow_min: flow.m3_per_hour(),
        differential_pressure_min: difference.kilopascals(),
    }
}

fn limits(desk: &mut Desk, at: &Section, raw: &RawCirculation) -> Limits {
    let min = number!(
        desk,
        at,
        raw.speed_min_ratio,
        0.2..=1.0,
        or(0.5, "25 Hz of 50: below it the cooling of the motor and the film of the seal suffer")
    );
    let max = number!(desk, at, raw.speed_max_ratio, 0.3..=1.2, or(1.0, "the nominal speed"));
    desk.below(&min, &max, "the speed needs room to move");
    Limits { min, max }
}

fn assist(
    desk: &mut Desk,
    circulation: &Section,
    file: &RawCirculation,
    pumps: &Field<u64>,
    duty: &Field<u64>,
) -> Option<Assist> {
    let written = file.assist.as_ref()?;
    let (raw, at) = (&written.value, circulation.inner("assist", Some(written)));
    let joining = count!(desk, at, raw.pumps, 1..=2, or(1, "one more than those on duty"));
    if joining.sound && duty.sound && pumps.sound && pumps.value < duty.value + joining.value {
        let what = format!("{} on duty and {} to join of {} pumps", duty.value, joining.value, pumps.value);
        desk.error(&joining.place, joining.key.as_str(), what, "write no more than there are pumps");
    }
    if !file.mode.as_ref().is_some_and(|mode| circulation_speed::is_loop(mode.value)) {
        let help =
            "pumps join where a pressure or a temperature difference is held and not reached: choose such a mode";
        desk.error(&at.place, at.key.as_str(), "has no meaning in this mode", help);
    }
    let after = number!(
        desk,
        at,
        raw.join_after_minutes,
        0.5..=60.0,
        or(5.0, "longer than any change of a valve, shorter than the rooms notice")
    );
    let below = number!(
        desk,
        at,
        raw.leave_below_ratio,
        0.3..=0.95,
        or(0.75, "two pumps give the flow of one at full speed at 92 % of it: well below, or they come and go")
    );
    let leave = number!(desk, at, raw.leave_after_minutes, 0.5..=120.0, or(10.0, "twice the time of joining"));
    Some(Assist {
        pumps: joining.value as usize,
        join_after: after.duration(),
        leave_below: below.ratio(),
        leave_after: leave.duration(),
    })
}

fn change_over(desk: &mut Desk, circulation: &Section, file: &RawCirculation) -> (ChangeOver, Option<TimeOfWeek>) {
    let written = file.change_over.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("change_over", file.change_over.as_ref()));
    let usual = or(RawChangeMethod::Overlap, "circulation stays proven, and the valve open");
    let method = desk.choice(&at, "method", raw.method.as_ref(), usual, RawChangeMethod::Overlap);
    let change_over = match method.value {
        RawChangeMethod::Overlap => {
            if let Some(pause) = &raw.pause_seconds {
                let help = "leave it out, or write `method = \"pause\"`";
                desk.error(&at.at(&pause.span), at.key("pause_seconds"), "has no meaning with an overlap", help);
            }
            ChangeOver::Overlap
        }
        RawChangeMethod::Pause => {
            let wait = number!(desk, at, raw.pause_seconds, 0.0..=99.0, or(5.0, "Danfoss ECL: 0 to 99 s, 5 s"));
            ChangeOver::Pause { wait: wait.duration() }
        }
    };
    let day = raw
        .day
        .as_ref()
        .map(|day| desk.choice(&at, "day", Some(day), or(RawDay::Mon, "it is written"), RawDay::Mon).value);
    let minute = raw.time.as_ref().and_then(|time| week::minute(desk, &at, "time", Some(time), 0..=1439));
    let rotate_at = match (day, raw.time.is_some()) {
        (Some(day), true) => minute.map(|minute| TimeOfWeek { weekday: week::weekday(day), minute_of_day: minute }),
        (None, false) => None,
        (Some(_), false) => {
            desk.missing(&at.place, &at.key("time"), "a day needs a time, as in `time = \"10:00\"`");
            None
        }
        (None, true) => {
            desk.missing(&at.place, &at.key("day"), "a time needs a day, as in `day = \"fri\"`");
            None
        }
    };
    (change_over, rotate_at)
}

fn exercise(desk: &mut Desk, circulation: &Section, file: &RawCirculation) -> Exercise {
    let written = file.exercise.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circulation.inner("exercise", file.exercise.as_ref()));
    let every = number!(
        desk,
        at,
        raw.every_hours,
        0.0..=1000.0,
        or(72.0, "every three days; Siemens RVL and RVD: once a week, Samson TROVIS: once a day")
    );
    let lasts = number!(desk, at, raw.lasts_seconds, 5.0..=600.0, or(30.0, "Siemens RVL and RVD: 30 s"));
    if every.sound && every.value > 0.0 && every.value < 1.0 {
        let what = format!("{} h would use up the motor's starts", shown(every.value));
        desk.error(&every.place, every.key.as_str(), what, "write 0 for never, or at least 1");
    }
    Exercise { every: every.duration(), lasts: lasts.duration() }
}
