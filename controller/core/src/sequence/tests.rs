use super::*;

const READY: Situation = Situation {
    wanted: true,
    freezing: false,
    pumps_barred: false,
    power_lost: false,
    pressure_ready: true,
    pressure_held: Some(true),
    circulating: true,
    spread: Some(Kelvins(20.0)),
};
const HOT: AtReturn = AtReturn {
    pressure_ready: true,
    missing: Some(Kelvins(4.0)),
    secondary_return: Some(Celsius(42.0)),
    outdoor: Celsius(-5.0),
};

fn after(sequence: &mut Sequence, seen: Situation, seconds: u32) -> Stage {
    for _ in 0..seconds {
        sequence.advance(&SequenceSettings::default(), seen, HOT, Duration::from_secs(1));
    }
    sequence.stage
}

#[test]
fn a_cold_start_waits_for_pressure_then_for_flow_then_for_mixing() {
    let mut sequence = Sequence::default();
    let empty = Situation { pressure_ready: false, circulating: false, ..READY };
    assert_eq!(after(&mut sequence, empty, 600), Stage::Filling);
    assert_eq!(after(&mut sequence, Situation { circulating: false, ..READY }, 10), Stage::StartingPumps);
    assert_eq!(after(&mut sequence, READY, 30), Stage::Settling);
    assert_eq!(after(&mut sequence, READY, 61), Stage::Heating);
}

#[test]
fn a_seasons_start_holds_the_pressure_and_vents_with_pumps_in_turn() {
    let mut sequence = Sequence::default();
    sequence.ask_season_start();
    assert_eq!(after(&mut sequence, READY, 300), Stage::ProvingPressure);
    let slack = Situation { pressure_held: Some(false), ..READY };
    assert_eq!(after(&mut sequence, slack, 10), Stage::ProvingPressure);
    assert_eq!(after(&mut sequence, READY, 599), Stage::ProvingPressure, "the ten minutes begin anew");
    assert_eq!(after(&mut sequence, READY, 1), Stage::Venting);
    let standing = Situation { circulating: false, ..READY };
    let settings = SequenceSettings::default();
    let jogs: Vec<Option<usize>> = (0..300)
        .map(|_| {
            after(&mut sequence, standing, 1);
            sequence.jog(&settings)
        })
        .collect();
    let seconds_of = |jog| jogs.iter().filter(|on| **on == jog).count();
    assert_eq!((seconds_of(Some(0)), seconds_of(Some(1)), seconds_of(None)), (29, 30, 241));
    assert_eq!(sequence.stage, Stage::StartingPumps);
}

#[test]
fn a_leaking_loop_does_not_keep_the_homes_cold_and_freezing_water_waits_for_nothing() {
    let mut sequence = Sequence::default();
    sequence.ask_season_start();
    let leaking = Situation { pressure_held: Some(false), ..READY };
    assert_eq!(after(&mut sequence, leaking, 3600), Stage::ProvingPressure);
    assert_eq!(after(&mut sequence, leaking, 3), Stage::Venting);
    let freezing = Situation { freezing: true, circulating: false, ..READY };
    assert_eq!(after(&mut sequence, freezing, 1), Stage::StartingPumps);
}

#[test]
fn a_week_of_rest_makes_the_next_start_a_seasons_start() {
    let mut sequence = Sequence::default();
    let rest = Situation { wanted: false, ..READY };
    let day = Duration::from_secs(86_400);
    for _ in 0..7 {
        sequence.advance(&SequenceSettings::default(), rest, HOT, day);
    }
    assert_eq!(after(&mut sequence, READY, 2), Stage::ProvingPressure);
}

#[test]
fn a_pump_change_does_not_begin_the_start_anew_and_a_long_loss_does() {
    let mut sequence = Sequence::found_at(Stage::Heating);
    let lost = Situation { circulating: false, ..READY };
    assert_eq!(after(&mut sequence, lost, 20), Stage::Heating);
    assert_eq!(after(&mut sequence, READY, 5), Stage::Heating);
    assert_eq!(after(&mut sequence, lost, 61), Stage::StartingPumps);
}

#[test]
fn a_stop_circulates_until_the_water_has_cooled_and_then_rests() {
    let stop = Situation { wanted: false, ..READY };
    let cooled = Situation { spread: Some(Kelvins(4.0)), ..stop };
    let mut sequence = Sequence::found_at(Stage::Heating);
    assert_eq!(after(&mut sequence, cooled, 180), Stage::ShuttingDown, "three minutes at least");
    assert_eq!(after(&mut sequence, cooled, 2), Stage::Stopped);
    let mut sequence = Sequence::found_at(Stage::Heating);
    assert_eq!(after(&mut sequence, stop, 900), Stage::ShuttingDown);
    assert_eq!(after(&mut sequence, stop, 2), Stage::Stopped, "a quarter of an hour at most");
}

#[test]
fn barred_pumps_send_the_start_back_to_filling() {
    let mut sequence = Sequence::found_at(Stage::Heating);
    assert_eq!(after(&mut sequence, Situation { pumps_barred: true, ..READY }, 1), Stage::Filling);
}

#[test]
fn what_the_water_has_become_decides_how_a_restart_goes_on() {
    let cases = [
        (HOT, 60, Restart::Hot),
        (AtReturn { missing: Some(Kelvins(15.0)), ..HOT }, 60, Restart::Warm),
        (AtReturn { missing: None, ..HOT }, 60, Restart::Warm),
        (AtReturn { secondary_return: Some(Celsius(12.0)), ..HOT }, 60, Restart::Cold),
        (HOT, 2 * 3600 + 60, Restart::Cold),
        (AtReturn { outdoor: Celsius(3.0), ..HOT }, 2 * 3600 + 60, Restart::Hot),
        (AtReturn { pressure_ready: false, ..HOT }, 60, Restart::LowPressure),
    ];
    for (at_return, away, expected) in cases {
        let mut sequence = Sequence::found_at(Stage::Heating);
        let dark = Situation { power_lost: true, pumps_barred: true, ..READY };
        after(&mut sequence, dark, away);
        let settings = SequenceSettings::default();
        let seen = Situation { pressure_ready: at_return.pressure_ready, ..READY };
        let begun = sequence.advance(&settings, seen, at_return, Duration::from_secs(1));
        assert_eq!(begun, Some(expected), "{at_return:?} after {away} s");
    }
}

#[test]
fn three_restarts_that_fail_call_a_person_and_frost_overrules_that() {
    let dark = Situation { power_lost: true, pumps_barred: true, ..READY };
    let mut sequence = Sequence::found_at(Stage::Heating);
    for _ in 0..3 {
        after(&mut sequence, dark, 60);
        assert_eq!(after(&mut sequence, READY, 120), Stage::Heating);
    }
    after(&mut sequence, dark, 60);
    assert_eq!(after(&mut sequence, READY, 120), Stage::GivenUp);
    let freezing = Situation { freezing: true, ..READY };
    assert_eq!(after(&mut sequence, freezing, 120), Stage::Heating);

    let mut sequence = Sequence { stage: Stage::GivenUp, failed_restarts: 3, ..Sequence::default() };
    assert!(sequence.try_again());
    assert_eq!(after(&mut sequence, READY, 120), Stage::Heating);
}

#[test]
fn running_is_declared_after_ten_minutes_near_the_setpoint_and_forgives_failed_restarts() {
    let settings = SequenceSettings::default();
    let mut sequence = Sequence { failed_restarts: 2, ..Sequence::found_at(Stage::Heating) };
    let mut minutes = |missing: f64, closed, count: u32| {
        let minute = Duration::from_secs(60);
        (0..count).any(|_| sequence.judge_reached(&settings, Some(Kelvins(missing)), closed, minute))
    };
    assert!(!minutes(1.5, false, 9) && !minutes(3.0, false, 1));
    assert!(!minutes(-8.0, false, 30), "too hot is not reached");
    assert!(!minutes(-8.0, true, 9) && minutes(-8.0, true, 1), "a closed valve has done what it can");
    assert!(!minutes(1.0, false, 30), "it is said once");
    assert_eq!((sequence.reached(), sequence.failed_restarts), (true, 0));
}
