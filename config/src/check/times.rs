//! Set-back, starting and stopping ahead of the clock, boost, load shed.

use std::time::Duration;

use heatstation_core::heating_curve::{Adjustment, SLOPES};
use heatstation_core::settings::{
    Boost, BoostSettings, Fall, LoadShedSettings, OptimumSettings, SetBackSettings, TimesSettings,
};

use crate::check::Base;
use crate::desk::{Desk, Field, Otherwise, Section, count, number, or, shown};
use crate::explain::From;
use crate::raw::{RawCircuit, RawFall};
use crate::written::Written;

fn hours(duration: Duration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

/// What is corrected on the curve.
pub(crate) fn check_adjustment(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> Adjustment {
    let written = file.curve.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("curve", file.curve.as_ref()));
    let level = number!(desk, at, raw.level_kelvins, -30.0..=30.0, or(0.0, "the curve as it was designed"));
    let (flattest, steepest) = (SLOPES.start().0, SLOPES.end().0);
    let slope = number!(desk, at, raw.slope_ratio, flattest..=steepest, or(1.0, "the curve as it was designed"));
    Adjustment { level: level.kelvins(), slope: slope.ratio() }
}

pub(crate) fn check_times(desk: &mut Desk, circuit: &Section, file: &RawCircuit, base: &Base) -> TimesSettings {
    let (raw, usual) = (file, TimesSettings::default());
    let constant = number!(
        desk,
        circuit,
        raw.building_constant_hours,
        1.0..=100.0,
        or(hours(usual.building_constant), "Siemens RVL481: 20 h from the factory; light 10, medium 25, heavy 50 h")
    );
    TimesSettings {
        building_constant: constant.duration(),
        set_back: check_set_back(desk, circuit, file),
        optimum: check_optimum(desk, circuit, file),
        boost: check_boost(desk, circuit, file, base),
        load_shed: check_load_shed(desk, circuit, file),
    }
}

fn check_set_back(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> SetBackSettings {
    let written = file.set_back.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("set_back", file.set_back.as_ref()));
    let usual = SetBackSettings::default();
    let load_max = number!(
        desk,
        at,
        raw.load_max_ratio,
        0.1..=1.5,
        or(usual.load_max.0, "above 80 % of the design load there is nothing left to come back with")
    );
    let fall = desk.choice(&at, "fall", raw.fall.as_ref(), or(RawFall::Curve, "the gentle way"), RawFall::Curve);
    let sliding = optional(desk, &at, "sliding_to_celsius", raw.sliding_to_celsius.as_ref(), -29.0..=9.0);
    let fall = match fall.value {
        RawFall::Curve => Fall::Curve,
        RawFall::Quick => Fall::Quick,
        RawFall::Stop => Fall::Stop,
    };
    let frost = if fall == Fall::Curve {
        if let Some(frost) = &raw.frost_celsius {
            let help = "write `fall = \"quick\"` or `fall = \"stop\"` too, or leave it out";
            desk.error(&at.at(&frost.span), at.key("frost_celsius"), "has no meaning with this fall", help);
        }
        usual.frost
    } else {
        let reason = or(usual.frost.0, "frost begins at 0 °C");
        number!(desk, at, raw.frost_celsius, -30.0..=10.0, reason).celsius()
    };
    SetBackSettings { load_max: load_max.ratio(), fall, sliding_to: sliding.map(|field| field.celsius()), frost }
}

/// A number that switches something on by being there.
fn optional(
    desk: &mut Desk,
    at: &Section,
    key: &str,
    raw: Option<&Written<f64>>,
    range: std::ops::RangeInclusive<f64>,
) -> Option<Field<f64>> {
    if raw.is_none() {
        desk.explain(&at.key(key), "none", From::Default { reason: "off".into() });
        return None;
    }
    let field = desk.number(at, key, raw, range, Otherwise::Required("0"));
    field.sound.then_some(field)
}

fn check_optimum(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> OptimumSettings {
    let written = file.optimum.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("optimum", file.optimum.as_ref()));
    let usual = OptimumSettings::default();
    let start = number!(desk, at, raw.start_max_hours, 0.0..=42.0, or(hours(usual.start_max), "off"));
    let stop = number!(desk, at, raw.stop_max_hours, 0.0..=6.0, or(hours(usual.stop_max), "off"));
    let within = number!(
        desk,
        at,
        raw.reached_within_kelvins,
        0.1..=2.0,
        or(usual.reached_within.0, "rwchcd: the warm-up ends within 0.5 K of the wish")
    );
    let drop = number!(
        desk,
        at,
        raw.room_drop_kelvins,
        0.1..=2.0,
        or(usual.room_drop.0, "Siemens RVL481: the room may end 0.5 K low")
    );
    let mornings = count!(
        desk,
        at,
        raw.learning_mornings,
        1..=30,
        or(u64::from(usual.learning_mornings), "a working week: forgets one odd morning, follows the weather")
    );
    OptimumSettings {
        start_max: start.duration(),
        stop_max: stop.duration(),
        reached_within: within.kelvins(),
        room_drop: drop.kelvins(),
        learning_mornings: mornings.value as u16,
    }
}

fn check_boost(desk: &mut Desk, circuit: &Section, file: &RawCircuit, base: &Base) -> BoostSettings {
    let written = file.boost.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("boost", file.boost.as_ref()));
    let usual = BoostSettings::default();
    let supply = optional(desk, &at, "supply_kelvins", raw.supply_kelvins.as_ref(), 0.5..=30.0);
    let excess = optional(desk, &at, "excess_ratio", raw.excess_ratio.as_ref(), 0.01..=0.99);
    if let (Some(_), Some(excess)) = (&raw.supply_kelvins, &raw.excess_ratio) {
        let help = "a boost is a number of kelvins or a share, not both";
        desk.error(&at.at(&excess.span), at.key("excess_ratio"), "has no meaning beside supply_kelvins", help);
    }
    let lasts = number!(
        desk,
        at,
        raw.lasts_max_minutes,
        5.0..=240.0,
        or(usual.lasts_max.as_secs_f64() / 60.0, "Regin Corrigo: 60 min at most")
    );
    let stagger = number!(desk, at, raw.stagger_max_minutes, 0.0..=180.0, or(0.0, "off"));
    let share = share_of(&base.id);
    if stagger.written {
        let formula = format!("{} % of the stagger, by the station's id", (share * 100.0).round());
        desk.explain(&at.key("stagger_minutes"), shown((stagger.value * share).round()), From::Derived { formula });
    }
    let by = match (supply, excess) {
        (Some(supply), _) => Some(Boost::Supply(supply.kelvins())),
        (None, excess) => excess.map(|excess| Boost::Excess(excess.ratio())),
    };
    BoostSettings { by, lasts_max: lasts.duration(), stagger: stagger.duration().mul_f64(share) }
}

/// A number from 0 to 1 that follows from a name and spreads names evenly: FNV-1a, and `SplitMix64`'s last step because names
/// that differ at their end alone differ in FNV's low bits alone. Not the standard library's hash: it may change from one
/// compiler to the next, and a station would get up at another time.
pub(crate) fn share_of(name: &str) -> f64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn check_load_shed(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> LoadShedSettings {
    let written = file.load_shed.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("load_shed", file.load_shed.as_ref()));
    let usual = LoadShedSettings::default();
    let share = number!(desk, at, raw.share_max_ratio, 0.0..=0.6, or(usual.share_max.0, "off"));
    let gain = number!(desk, at, raw.gain_ratio, 0.0..=2.0, or(usual.gain.0, "Siemens RVP360: 0 to 200 %"));
    let lasts = number!(
        desk,
        at,
        raw.lasts_max_hours,
        0.25..=12.0,
        or(hours(usual.lasts_max), "15 % for 3 h costs no more than 0.5 K; an hour of reserve")
    );
    let day = number!(
        desk,
        at,
        raw.per_day_max_hours,
        0.25..=24.0,
        or(hours(usual.per_day_max), "a morning and an evening peak")
    );
    desk.not_above(&lasts, &day, "a shed that the day does not hold is never granted");
    let drop = number!(
        desk,
        at,
        raw.room_drop_kelvins,
        0.1..=3.0,
        or(usual.room_drop.0, "0.1 kWh/m² can be shifted without the rooms changing by more than 0.5 K")
    );
    let recovery = number!(
        desk,
        at,
        raw.recovery_kelvins_per_hour,
        0.5..=60.0,
        or(usual.recovery_per_hour.0, "what was saved must not come back as a peak")
    );
    LoadShedSettings {
        share_max: share.ratio(),
        gain: gain.ratio(),
        lasts_max: lasts.duration(),
        per_day_max: day.duration(),
        room_drop: drop.kelvins(),
        recovery_per_hour: recovery.kelvins(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_are_spread_over_the_stagger() {
        let shares: Vec<f64> = (1..=100).map(|number| share_of(&format!("k{number}"))).collect();
        for tenth in 0..10 {
            let low = f64::from(tenth) / 10.0;
            let count = shares.iter().filter(|share| (low..low + 0.1).contains(share)).count();
            assert!((3..=20).contains(&count), "{count} of 100 stations begin in tenth {tenth}");
        }
        assert_eq!(share_of("k12"), share_of("k12"));
    }
}
