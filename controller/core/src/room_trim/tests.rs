use heatstation_points::Ratio;

use super::*;
use crate::room_tail::Tail;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Ten rooms, the coldest share so far above its minimum.
fn seen(excess: f64) -> RoomStatistic {
    let tail = Tail {
        excess: Kelvins(excess + 0.4),
        standard_error: Kelvins(0.4),
        margin: Kelvins(0.4),
        scatter: Kelvins(1.2),
    };
    RoomStatistic {
        configured: 10,
        fresh: 10,
        counted: 10,
        expected: 10,
        passing: Some(Ratio(1.0)),
        tail: Some(tail),
        ..RoomStatistic::default()
    }
}

fn around() -> Circumstances {
    Circumstances {
        heating: Switch::On,
        schedule: Kelvins(0.0),
        hours: None,
        stop: Stop::None,
        outdoor: Celsius(-3.0),
        looked: Duration::from_secs(7 * 86_400),
    }
}

/// A trim that stands at this level and has done so for long.
fn standing(at: f64) -> RoomTrim {
    RoomTrim { trim: Kelvins(at), integral: Kelvins(at), ..RoomTrim::default() }
}

fn run(trim: &mut RoomTrim, seen: &RoomStatistic, around: &Circumstances, hours: u32) -> RoomTrimReport {
    let settings = RoomTrimSettings::default();
    (0..hours * 60).map(|_| trim.advance(&settings, seen, around, MINUTE)).last().unwrap_or_default()
}

#[test]
fn cold_rooms_raise_the_target_within_bounds_and_not_faster_than_allowed() {
    let settings = RoomTrimSettings::default();
    let (mut trim, mut last) = (RoomTrim::default(), Kelvins(0.0));
    let settings = RoomTrimSettings { learn_max: Kelvins(0.0), ..settings };
    for _ in 0..24 * 30 {
        let now = trim.advance(&settings, &seen(-3.0), &around(), HOUR).shift;
        assert!((now - last).0 <= settings.raise_rate.0 + 1e-9 && now <= settings.raise_max);
        last = now;
    }
    assert_eq!(last, settings.raise_max);
}

#[test]
fn warm_rooms_lower_it_five_times_slower() {
    let settings = RoomTrimSettings::default();
    let (mut trim, mut last) = (RoomTrim::default(), Kelvins(0.0));
    let settings = RoomTrimSettings { learn_max: Kelvins(0.0), ..settings };
    for _ in 0..24 * 30 {
        let now = trim.advance(&settings, &seen(3.0), &around(), HOUR).shift;
        assert!((last - now).0 <= settings.lower_rate.0 + 1e-9 && now >= -settings.lower_max);
        last = now;
    }
    assert_eq!(last, -settings.lower_max);
    assert!(trim.report(&settings, None).at_end, "somebody should look at the curve");
}

#[test]
fn what_lasts_becomes_the_curves_own_level_without_a_bump() {
    let settings = RoomTrimSettings::default();
    let mut trim = standing(-2.0);
    let mut last = Kelvins(-2.0);
    for _ in 0..10 * 24 * 60 {
        let report = trim.advance(&settings, &seen(0.0), &around(), MINUTE);
        assert!((report.shift - last).0.abs() < 0.002, "{last:?} to {report:?}");
        last = report.shift;
    }
    let report = trim.report(&settings, None);
    assert!((report.learnt.0 + 2.0).abs() < 0.05 && (report.shift.0 + 2.0).abs() < 0.01, "{report:?}");
    // The trim is free again, and no more than allowed is ever learnt.
    let mut trim = standing(0.0);
    let cold = run(&mut trim, &seen(-5.0), &around(), 24 * 40);
    assert!((cold.learnt.0 - 3.0).abs() < 1e-6 && cold.shift <= Kelvins(6.0), "{cold:?}");
    // Blind, it is forgotten as slowly as it was learnt.
    let nobody = RoomStatistic { configured: 10, ..RoomStatistic::default() };
    let blind = run(&mut trim, &nobody, &around(), 48);
    assert!((blind.shift.0 - 2.6).abs() < 1e-6, "{blind:?}");
}

#[test]
fn without_sensors_the_trim_is_gone_within_a_day_and_without_a_bump() {
    let settings = RoomTrimSettings::default();
    let nobody = RoomStatistic { configured: 10, ..RoomStatistic::default() };
    let mut trim = standing(-2.4);
    let mut last = trim.trim;
    for minute in 0..24 * 60 {
        let report = trim.advance(&settings, &nobody, &around(), MINUTE);
        assert!((report.shift - last).0.abs() <= 1.0 / 60.0 + 1e-9, "a bump at minute {minute}");
        assert_eq!(report.frozen, Some(Frozen::Blind));
        last = report.shift;
    }
    assert_eq!(last, Kelvins(0.0));
}

#[test]
fn nothing_moves_while_what_is_seen_is_not_what_control_made() {
    for (circumstances, because) in [
        (Circumstances { heating: Switch::Off, ..around() }, Frozen::NotHeating),
        (Circumstances { schedule: Kelvins(-1.5), ..around() }, Frozen::OtherTarget),
        (Circumstances { looked: HOUR, ..around() }, Frozen::Learning),
        (Circumstances { stop: Stop::Both, ..around() }, Frozen::Saturated),
    ] {
        for excess in [-3.0, 3.0] {
            let mut trim = standing(1.0);
            let report = run(&mut trim, &seen(excess), &circumstances, 12);
            assert_eq!((report.shift, report.frozen), (Kelvins(1.0), Some(because)));
        }
    }
}

#[test]
fn a_set_back_is_forgotten_four_hours_after_its_end() {
    let mut trim = standing(1.0);
    run(&mut trim, &seen(-3.0), &Circumstances { schedule: Kelvins(-1.5), ..around() }, 6);
    assert_eq!(run(&mut trim, &seen(-3.0), &around(), 3).frozen, Some(Frozen::OtherTarget));
    assert_eq!(run(&mut trim, &seen(-3.0), &around(), 2).frozen, None);
}

#[test]
fn a_valve_at_its_end_holds_back_the_rise_and_not_the_fall() {
    let all_open = Circumstances { stop: Stop::More, ..around() };
    let mut trim = standing(1.0);
    assert_eq!(run(&mut trim, &seen(-3.0), &all_open, 48).shift, Kelvins(1.0));
    assert!(run(&mut trim, &seen(3.0), &all_open, 48).shift < Kelvins(0.5));
    let all_shut = Circumstances { stop: Stop::Less, ..around() };
    let mut trim = standing(1.0);
    assert_eq!(run(&mut trim, &seen(3.0), &all_shut, 48).shift, Kelvins(1.0));
    assert!(run(&mut trim, &seen(-3.0), &all_shut, 48).shift > Kelvins(1.5));
}

#[test]
fn more_than_three_sensors_in_ten_missing_hold_it() {
    let some = RoomStatistic { counted: 7, ..seen(3.0) };
    let mut trim = standing(0.0);
    assert_eq!(run(&mut trim, &some, &around(), 24).frozen, None);
    let few = RoomStatistic { counted: 6, ..seen(3.0) };
    assert_eq!(run(&mut trim, &few, &around(), 24).frozen, Some(Frozen::SensorsMissing));
    let held = RoomStatistic { counted: 6, held: 2, ..seen(3.0) };
    assert_eq!(run(&mut trim, &held, &around(), 1).frozen, None);
}

#[test]
fn weather_that_falls_by_more_than_six_kelvins_in_six_hours_holds_it_until_the_rooms_have_seen_it() {
    let mut trim = standing(0.0);
    run(&mut trim, &seen(1.0), &around(), 24);
    let fallen = Circumstances { outdoor: Celsius(-10.0), ..around() };
    assert_eq!(run(&mut trim, &seen(1.0), &fallen, 1).frozen, Some(Frozen::OutdoorStep));
    assert_eq!(run(&mut trim, &seen(1.0), &fallen, 7).frozen, None);
}

#[test]
fn rooms_that_are_too_cold_for_two_hours_get_a_kelvin_at_once() {
    let slow = run(&mut standing(0.0), &seen(-0.65), &around(), 6);
    assert!(!slow.helping && slow.shift < Kelvins(0.5), "the best guess is above its minimum: {slow:?}");
    let mut trim = standing(0.0);
    let fast = run(&mut trim, &seen(-0.8), &around(), 6);
    assert!(fast.helping && fast.shift > Kelvins(1.2), "{fast:?}");
    // Warm again, it is taken back at the pace of every fall.
    let warm = run(&mut trim, &seen(0.0), &around(), 8);
    assert!(!warm.helping && warm.shift < fast.shift && warm.shift > Kelvins(0.3), "{warm:?}");
}

#[test]
fn cold_rooms_are_helped_even_while_the_weather_falls() {
    let mut trim = standing(0.0);
    run(&mut trim, &seen(-0.8), &around(), 3);
    let fallen = Circumstances { outdoor: Celsius(-12.0), ..around() };
    let report = run(&mut trim, &seen(-0.8), &fallen, 2);
    assert!(report.frozen.is_none() && report.shift > Kelvins(1.0), "{report:?}");
}

#[test]
fn the_trim_lowers_no_further_when_fewer_rooms_pass_since_it_did() {
    let mut trim = standing(0.0);
    run(&mut trim, &seen(0.0), &around(), 7 * 24);
    let fewer = RoomStatistic { passing: Some(Ratio(0.8)), ..seen(2.0) };
    let before = run(&mut trim, &fewer, &around(), 12);
    let after = run(&mut trim, &fewer, &around(), 12);
    assert_eq!((after.frozen, after.shift), (Some(Frozen::PassFalls), before.shift));
    assert!(after.shift > Kelvins(-1.5), "{after:?}");
    // A rise is never held back by it.
    assert!(
        run(&mut trim, &RoomStatistic { passing: Some(Ratio(0.8)), ..seen(-2.0) }, &around(), 6).shift > after.shift
    );
}
