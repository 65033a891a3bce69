//! The hours on the physical plant: offices at night, holidays, mornings that are learnt, and heat that dispatch asks back.

use std::f64::consts::TAU;
use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::correction::Correction;
use heatstation_core::event::Event;
use heatstation_core::heating_curve::Adjustment;
use heatstation_core::ledger::Part;
use heatstation_core::load_shed::{ShedBy, ShedEnd, Urgency};
use heatstation_core::moment::{Day, Weekday};
use heatstation_core::optimum::Ahead;
use heatstation_core::report::CircuitReport;
use heatstation_core::request::{Origin, Refusal, Request, Wish};
use heatstation_core::schedule::{Holiday, Period, Programme, RoomWish};
use heatstation_core::set_back::Withheld;
use heatstation_core::settings::{Boost, CircuitSettings, Fall};
use heatstation_points::{Celsius, CircuitIndex, Kelvins, MetersPerSecond, Ratio};
use heatstation_simulator::{CircuitTruth, Weather, WeatherSource};
use heatstation_tests::stations::{self, SEASON_START, Station, ZONE};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// The season's first day, a Sunday: 2026-11-15.
const FIRST: Day = Day(20_772);

/// One day like the other, coldest at seven in the morning, without sun.
struct Days {
    mean: f64,
    swing: f64,
}

impl WeatherSource for Days {
    fn at(&mut self, utc: i64) -> Weather {
        let hour = (utc + 8 * 3600).rem_euclid(86_400) as f64 / 3600.0;
        let outdoor = self.mean + self.swing * (TAU * (hour - 13.0) / 24.0).sin();
        Weather { wind: MetersPerSecond(2.5), ..Weather::still(Celsius(outdoor)) }
    }
}

struct Rig(ClosedLoop);

impl Rig {
    fn of(station: Station, weather: Days, change: impl FnOnce(&mut CircuitSettings)) -> Rig {
        let (mut settings, catalogue, plant) = stations::running(station, Celsius(weather.mean));
        change(&mut settings.circuits[0]);
        Rig(ClosedLoop::new(settings, &catalogue, &plant, Box::new(weather), SEASON_START, ZONE, 3))
    }

    /// Runs that long; what the journal had to take of it.
    fn run(&mut self, seconds: u64) -> Vec<Event> {
        (0..seconds).flat_map(|_| self.0.second(Vec::new()).events.clone()).collect()
    }

    /// Runs to that hour of that day, counted from the season's first midnight.
    fn run_to(&mut self, day: u64, hour: f64) -> Vec<Event> {
        let until = SEASON_START.0 / 1000 + (day * DAY) as i64 + (hour * 3600.0) as i64;
        self.run(u64::try_from(until - self.0.wall().0 / 1000).expect("a later time"))
    }

    fn ask(&mut self, origin: Origin, wish: Wish) -> Vec<Event> {
        let request = Request { origin, author: "dispatch-1".to_owned(), reason: "morning peak".to_owned(), wish };
        self.0.second(vec![request]).events.clone()
    }

    fn circuit(&self) -> &CircuitReport {
        &self.0.view().2.expect("seconds have passed").circuits[0]
    }

    fn truth(&self) -> &CircuitTruth {
        &self.0.view().0.truth().circuits[0]
    }

    fn median(&self) -> f64 {
        self.circuit().rooms.median.expect("rooms are measured").0
    }

    fn part(&self, part: Part) -> f64 {
        self.circuit().setpoint.ledger.of(part).0
    }
}

fn period(from_hour: u16, to_hour: u16, shift: f64) -> Period {
    let room = RoomWish::Shift(Kelvins(shift));
    Period { days: Weekday::ALL.to_vec(), from_minute: from_hour * 60, to_minute: to_hour * 60, room }
}

/// An office that is empty from eight in the evening until eight in the morning. Its engineer lets it be set back on the
/// coldest nights too: the emitters have room for it.
fn office(circuit: &mut CircuitSettings) {
    circuit.schedule.periods = vec![period(20, 8, -4.0)];
    circuit.times.set_back.load_max = Ratio(1.0);
    circuit.times.set_back.fall = Fall::Quick;
    circuit.times.set_back.frost = Celsius(-10.0);
}

fn no_outage(events: &[Event]) -> bool {
    !events.iter().any(|event| matches!(event, Event::OutageOpened { .. }))
}

#[test]
fn an_office_is_warm_at_eight_on_a_cold_morning_and_the_start_is_learnt_within_a_week() {
    let weather = || Days { mean: -2.0, swing: 3.0 };
    let mut by_the_clock = Rig::of(stations::demo(), weather(), office);
    by_the_clock.run_to(1, 8.0);
    assert!(by_the_clock.median() < 18.5, "at eight it is still night: {}", by_the_clock.median());

    let mut rig = Rig::of(stations::demo(), weather(), |circuit| {
        office(circuit);
        circuit.times.optimum.start_max = Duration::from_secs(8 * HOUR);
    });
    let mut events = rig.run_to(1, 3.0);
    let unlearnt = rig.circuit().times.start_lead.expect("a higher level comes");
    for day in 1..7 {
        events.extend(rig.run_to(day, 6.25));
        let early = rig.median();
        events.extend(rig.run_to(day, 8.0));
        let (at_eight, times) = (rig.median(), rig.circuit().times);
        assert!(at_eight > 19.3, "day {day}: {at_eight} °C at eight, within 0.5 K of 20 °C and the sensors' tenth");
        assert_eq!(times.ahead, Ahead::Started, "day {day}");
        // Not hours too early either.
        assert!(day < 3 || early < 19.5, "day {day}: {early} °C at a quarter past six");
    }
    let learnt = rig.circuit().times.recovery_per_hour.expect("mornings were seen");
    assert!((0.15..0.35).contains(&learnt.0), "{learnt:?} an hour");
    assert!(Duration::from_secs(5 * HOUR) < unlearnt, "before anything was learnt: {unlearnt:?}");
    assert!(no_outage(&events));
}

#[test]
fn a_boost_warms_the_office_sooner_and_ends_with_its_time_or_with_warm_rooms() {
    let morning = |boost: Option<Boost>| {
        let mut rig = Rig::of(stations::small(), Days { mean: 2.0, swing: 2.0 }, |circuit| {
            office(circuit);
            circuit.times.boost.by = boost;
            circuit.times.boost.lasts_max = Duration::from_secs(90 * 60);
        });
        rig.run_to(1, 8.5);
        let during = rig.part(Part::Boost);
        rig.run_to(1, 11.5);
        let rooms = rig.truth().mean_room().0;
        rig.run_to(1, 12.5);
        (during, rooms, rig.part(Part::Boost))
    };
    let (none, without, _) = morning(None);
    let (during, with, after) = morning(Some(Boost::Excess(Ratio(0.2))));
    assert_eq!(none, 0.0);
    assert!((5.0..10.0).contains(&during), "a fifth of the excess: {during} K");
    assert!(with > without + 0.05, "{with} °C with, {without} °C without");
    assert_eq!(after, 0.0);
}

#[test]
fn a_quick_set_back_takes_the_heat_away_until_the_rooms_are_down_and_no_longer() {
    let mut rig = Rig::of(stations::small(), Days { mean: 4.0, swing: 0.0 }, |circuit| {
        circuit.schedule.periods = vec![period(20, 8, -1.5)];
        circuit.times.set_back.fall = Fall::Quick;
    });
    let mut events = rig.run_to(0, 19.9);
    let (warm, heated) = (rig.median(), rig.truth().heat.0);
    events.extend(rig.run_to(0, 22.0));
    assert!(rig.part(Part::SetBack) < -8.0, "{:?}", rig.circuit().setpoint);
    assert!(rig.truth().heat.0 < 0.02 * heated, "{} W", rig.truth().heat.0);
    let mut hours = 0;
    while rig.circuit().times.hold_down.is_some() && hours < 12 {
        events.extend(rig.run(HOUR / 2));
        hours += 1;
    }
    let down = rig.median();
    assert!((0.8..1.6).contains(&(warm - down)), "from {warm} to {down} °C, 1.5 K less 0.5");
    events.extend(rig.run_to(1, 6.0));
    assert!(rig.truth().heat.0 > 0.3 * heated, "the reduced level is held");
    assert!((rig.median() - down).abs() < 0.6, "{down} then {} °C", rig.median());
    assert_eq!(rig.part(Part::SetBack), 0.0);
    assert!(no_outage(&events));
}

#[test]
fn a_total_stop_is_no_outage_and_its_morning_begins_where_the_water_is() {
    let mut rig = Rig::of(stations::small(), Days { mean: 4.0, swing: 0.0 }, |circuit| {
        circuit.schedule.periods = vec![period(20, 8, -5.0)];
        circuit.times.set_back.fall = Fall::Stop;
    });
    let mut events = rig.run_to(0, 19.9);
    let heated = rig.truth().heat.0;
    events.extend(rig.run_to(1, 7.99));
    let water = rig.truth().supply.0;
    let heat = rig.truth().heat.0;
    assert!(heat < 0.1 * heated && (18.0..24.0).contains(&water), "{heat} W, {water} °C");
    assert_eq!(rig.circuit().circulating, Some(true), "the water goes on moving");
    events.extend(rig.run_to(1, 8.1));
    let setpoint = rig.circuit().setpoint.value.0;
    assert!((water..water + 4.0).contains(&setpoint), "the ramp goes on from {water} °C: {setpoint} °C");
    events.extend(rig.run_to(1, 12.0));
    assert!(rig.truth().supply.0 > 40.0);
    assert!(no_outage(&events), "{events:?}");
}

#[test]
fn near_the_design_day_and_in_frost_nothing_is_taken_away() {
    let night = |outdoor: f64| {
        let mut rig = Rig::of(stations::small(), Days { mean: outdoor, swing: 0.0 }, |circuit| {
            circuit.schedule.periods = vec![period(20, 8, -3.0)];
            circuit.times.set_back.fall = Fall::Stop;
        });
        rig.run_to(1, 4.0);
        (rig.circuit().times, rig.circuit().room_target)
    };
    // q = (20 + 6) / (18 + 9) = 0.96: nothing is set back.
    let (times, target) = night(-6.0);
    assert_eq!((times.withheld.map(Withheld::name), target), (Some("load"), Celsius(20.0)));
    // 0.78 at −1 °C: the level is reduced by the curve, the stop is not made.
    let (times, target) = night(-1.0);
    assert_eq!((times.withheld, times.hold_down, target), (None, None, Celsius(17.0)));
}

#[test]
fn a_holiday_lowers_the_rooms_for_its_days_and_they_are_warm_when_it_ends() {
    let mut rig = Rig::of(stations::small(), Days { mean: 3.0, swing: 0.0 }, |circuit| {
        let room = RoomWish::Target(Celsius(16.0));
        circuit.schedule.holidays = vec![Holiday { first: FIRST.plus(1), last: FIRST.plus(2), room }];
        circuit.times.set_back.fall = Fall::Quick;
        circuit.times.optimum.start_max = Duration::from_secs(12 * HOUR);
        circuit.times.boost.by = Some(Boost::Supply(Kelvins(8.0)));
        circuit.times.boost.lasts_max = Duration::from_secs(6 * HOUR);
    });
    rig.run_to(0, 23.9);
    assert_eq!((rig.circuit().times.look.by, rig.part(Part::Schedule)), (Programme::Normal, 0.0));
    rig.run_to(1, 0.1);
    assert_eq!((rig.circuit().times.look.by, rig.circuit().room_target), (Programme::Holiday, Celsius(16.0)));
    rig.run_to(2, 12.0);
    let cool = rig.median();
    assert!(cool < 19.0, "{cool} °C in the holiday");
    rig.run_to(3, 0.0);
    assert_eq!(rig.circuit().times.look.by, Programme::Holiday);
    let warm = rig.median();
    assert!(warm > 19.3, "{warm} °C on the first evening after it");
}

#[test]
fn an_early_stop_lets_the_rooms_end_half_a_kelvin_low_and_no_more() {
    let mut rig = Rig::of(stations::small(), Days { mean: 3.0, swing: 0.0 }, |circuit| {
        circuit.schedule.periods = vec![period(20, 8, -3.0)];
        circuit.times.optimum.stop_max = Duration::from_secs(3 * HOUR);
    });
    rig.run_to(0, 16.9);
    assert_eq!(rig.circuit().times.ahead, Ahead::No);
    rig.run_to(0, 18.0);
    assert_eq!(rig.circuit().times.ahead, Ahead::Stopped);
    assert!(rig.part(Part::Optimum) < -5.0 && rig.part(Part::Schedule) == 0.0);
    rig.run_to(0, 20.0);
    assert!(rig.median() > 19.4, "{} °C when the office closes", rig.median());
}

fn shed(share: f64, hours: u64) -> Wish {
    let (by, lasts) = (ShedBy::Share(Ratio(share)), Duration::from_secs(hours * HOUR));
    Wish::ShedLoad { circuit: CircuitIndex(0), by, urgency: Urgency::Uncritical, lasts }
}

/// Half an hour in which dispatch is heard from twice.
fn half_an_hour(rig: &mut Rig) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..2 {
        events.extend(rig.ask(Origin::Dispatch, Wish::StayConnected));
        events.extend(rig.run(HOUR / 4 - 1));
    }
    events
}

/// Heat of the next half hours, in joules, and the coldest mean of all rooms in between.
fn half_hours(rig: &mut Rig, count: usize) -> (Vec<f64>, f64) {
    let mut coldest = f64::INFINITY;
    let heat = (0..count).map(|_| {
        let before = rig.truth().heat_energy.0;
        half_an_hour(rig);
        coldest = coldest.min(rig.truth().mean_room().0);
        rig.truth().heat_energy.0 - before
    });
    (heat.collect(), coldest)
}

#[test]
fn fifteen_percent_are_shed_for_three_hours_and_the_rooms_hardly_notice() {
    let rig = || {
        let mut rig = Rig::of(stations::demo(), Days { mean: 2.0, swing: 0.0 }, |circuit| {
            circuit.times.load_shed.share_max = Ratio(0.3);
        });
        rig.run_to(1, 6.0);
        rig
    };
    let (mut with, mut without) = (rig(), rig());
    let granted = with.ask(Origin::Dispatch, shed(0.15, 3));
    assert!(granted.iter().any(|event| matches!(event, Event::RequestGranted { .. })), "{granted:?}");
    without.run(1);
    let trim = with.circuit().room_trim.shift;
    let (heat_with, coldest_with) = half_hours(&mut with, 12);
    let (heat_without, coldest_without) = half_hours(&mut without, 12);
    let share = |from: usize, to: usize| {
        heat_with[from..to].iter().sum::<f64>() / heat_without[from..to].iter().sum::<f64>() - 1.0
    };
    assert!(share(0, 6) < -0.15, "{:.3} over three hours", share(0, 6));
    assert!(coldest_without - coldest_with <= 0.5, "{coldest_without} without, {coldest_with} °C with");
    let rebound = (6..12).map(|half| share(half, half + 1)).fold(f64::NEG_INFINITY, f64::max);
    assert!(rebound < 0.10, "{rebound:.3} more in the worst half hour after it");
    assert_eq!(with.circuit().load_shed.last_end, Some(ShedEnd::Over));
    let worked_against = (with.circuit().room_trim.shift - trim).0;
    assert!(worked_against.abs() < 0.1, "the room trim moved by {worked_against} K");
}

#[test]
fn a_dispatch_wish_that_fights_the_comfort_guard_loses_and_says_why() {
    let mut rig = Rig::of(stations::demo(), Days { mean: -1.0, swing: 0.0 }, |circuit| {
        circuit.times.load_shed.share_max = Ratio(0.3);
        circuit.envelope.frost_lower_max = Kelvins(10.0);
        // Rooms as they are in a station that just keeps its promise.
        circuit.room_target = Celsius(18.2);
        (circuit.room_trim.raise_max, circuit.room_trim.lower_max) = (Kelvins(0.0), Kelvins(0.0));
    });
    rig.run_to(1, 6.0);
    let tail = rig.circuit().rooms.tail.expect("rooms are measured").sure();
    assert!(tail.0 > -0.5, "{tail:?}");
    let granted = rig.ask(Origin::Dispatch, shed(0.3, 4));
    assert!(granted.iter().any(|event| matches!(event, Event::RequestGranted { .. })), "{granted:?}");
    let mut half = 0;
    let why = loop {
        let ended = half_an_hour(&mut rig).into_iter().find_map(|event| match event {
            Event::LoadShedEnded { why, .. } => Some(why),
            _ => None,
        });
        half += 1;
        if let Some(why) = ended {
            break why;
        }
    };
    assert_eq!(why, ShedEnd::RoomsCold, "after {half} half hours");
    assert!(half < 8, "before its four hours were over");
    // While the coldest rooms are cold the next one is not even begun.
    let refused = rig.ask(Origin::Dispatch, shed(0.1, 1)).into_iter().find_map(|event| match event {
        Event::RequestRefused { refusal, .. } => Some(refusal),
        _ => None,
    });
    assert_eq!(refused, Some(Refusal::RoomsCold));
}

#[test]
fn what_dispatch_asked_ends_when_dispatch_is_not_heard_any_more() {
    let mut rig = Rig::of(stations::demo(), Days { mean: 2.0, swing: 0.0 }, |circuit| {
        circuit.times.load_shed.share_max = Ratio(0.3);
    });
    rig.run_to(1, 6.0);
    let curve = Adjustment { level: Kelvins(2.0), slope: Ratio::ONE };
    let correction = Correction { curve, room: Kelvins(0.0) };
    let lasts = Some(Duration::from_secs(8 * HOUR));
    rig.ask(Origin::Dispatch, Wish::CorrectCurve { circuit: CircuitIndex(0), correction, lasts });
    rig.ask(Origin::Dispatch, shed(0.15, 3));
    let heard = half_an_hour(&mut rig);
    assert!(rig.part(Part::LoadShed) < -1.0 && rig.part(Part::Remote) > 1.5, "{:?}", rig.circuit().setpoint.ledger);
    assert!(!heard.iter().any(|event| matches!(event, Event::LoadShedEnded { .. })), "{heard:?}");

    let silent = rig.run(HOUR / 2);
    let ended = |event: &Event| matches!(event, Event::LoadShedEnded { why: ShedEnd::Silence, .. });
    let told = |event: &&Event| matches!(event, Event::RemoteFellSilent { origin: Origin::Dispatch, .. });
    assert!(silent.iter().any(ended), "{silent:?}");
    assert_eq!(silent.iter().filter(told).count(), 1, "{silent:?}");
    rig.run(HOUR);
    assert_eq!(rig.part(Part::Remote), 0.0);
}
