//! The weather on the physical plant: sun and forecast, thermometers that fail or lie, warm days around the season.

use std::f64::consts::{PI, TAU};
use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::Settings;
use heatstation_core::event::Event;
use heatstation_core::heating_limit::Eco;
use heatstation_core::moment::UtcMillis;
use heatstation_core::outdoor::{Doubt, OutdoorSource};
use heatstation_core::sequence::Stage;
use heatstation_core::settings::{HeatingLimitScope, HeatingLimitSettings};
use heatstation_points::{Celsius, Kelvins, MetersPerSecond, Point, StationSignal, WattsPerSquareMeter};
use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{Fault, Weather, WeatherSource};
use heatstation_tests::stations::{self, SEASON_START, ZONE};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const FIRST: Point = Point::Station(StationSignal::OutdoorTemperature);
const SECOND: Point = Point::Station(StationSignal::OutdoorTemperatureSecond);

/// One day after the other, coldest at three in the morning; cloudy at first, and from a turn on colder or warmer.
#[derive(Clone, Copy)]
struct Days {
    mean: f64,
    swing: f64,
    /// Beam at noon, W/m².
    sun: f64,
    cloudy_until: i64,
    turn: i64,
    mean_then: f64,
}

const CLEAR: Days = Days { mean: 0.0, swing: 5.0, sun: 750.0, cloudy_until: 0, turn: i64::MAX, mean_then: 0.0 };

const CLOUDY_THEN_CLEAR: Days = Days { cloudy_until: SEASON_START.0 / 1000 + 4 * 86_400, ..CLEAR };

impl WeatherSource for Days {
    fn at(&mut self, utc: i64) -> Weather {
        let hour = (utc + 8 * 3600).rem_euclid(86_400) as f64 / 3600.0;
        let mean = if utc < self.turn { self.mean } else { self.mean_then };
        // A winter's sun: from a quarter past seven until a quarter to five, 30° high at noon.
        let height = (PI * (hour - 7.25) / 9.5).sin().max(0.0) * f64::from(u8::from((7.25..16.75).contains(&hour)));
        Weather {
            outdoor: Celsius(mean + self.swing * (TAU * (hour - 9.0) / 24.0).sin()),
            wind: MetersPerSecond(2.5),
            direct_normal: WattsPerSquareMeter(if utc < self.cloudy_until { 0.0 } else { self.sun * height.sqrt() }),
            diffuse_horizontal: WattsPerSquareMeter(0.12 * self.sun * height),
            sun_altitude: if height > 0.0 { 0.52 * height } else { -0.3 },
            sun_azimuth: PI + (hour - 12.0) * 0.26,
        }
    }
}

/// A station of two buildings under that weather, from some days after the season's first (or before it).
fn rig(weather: Days, day: i64, change: impl FnOnce(&mut Settings)) -> ClosedLoop {
    let (mut settings, catalogue, plant) = stations::running(stations::small(), Celsius(weather.mean));
    let start = UtcMillis(SEASON_START.0 + day * 86_400_000);
    settings.season.heating_from = settings.season.heating_from.min(start);
    change(&mut settings);
    ClosedLoop::new(settings, &catalogue, &plant, Box::new(weather), start, ZONE, 3)
}

fn setpoint(rig: &ClosedLoop) -> f64 {
    rig.view().2.map_or(f64::NAN, |report| report.circuits[0].setpoint.value.0)
}

fn source(rig: &ClosedLoop) -> OutdoorSource {
    rig.view().2.map(|report| report.outdoor.source).expect("seconds have passed")
}

fn run(rig: &mut ClosedLoop, seconds: u64) {
    for _ in 0..seconds {
        rig.second(Vec::new());
    }
}

/// What a cloudy and two sunny days came to: the temperature that 2 % of room-hours stay below, kelvin-hours above 22 °C a
/// flat on the sunny ones, heat in GJ.
fn sunny_days(level: f64, solar_gain: f64, service: Option<Uncertainty>) -> (f64, f64, f64) {
    let mut rig = rig(CLOUDY_THEN_CLEAR, 1, |settings| {
        let circuit = &mut settings.circuits[0];
        circuit.room_target = Celsius(20.0 + level);
        (circuit.room_trim.lower_max, circuit.room_trim.raise_max) = (Kelvins(0.0), Kelvins(0.0));
        circuit.weather.solar_gain = solar_gain;
    });
    rig.foresee(service);
    run(&mut rig, 2 * DAY);
    let (mut rooms, mut over) = (Vec::new(), 0.0);
    let before = rig.view().0.truth().circuits[0].heat_energy.0;
    for look in 0..3 * DAY / 600 {
        run(&mut rig, 600);
        let flats = &rig.view().0.truth().circuits[0].flats;
        let heated: Vec<f64> = flats.iter().filter(|flat| !flat.shut).map(|flat| flat.temperature.0).collect();
        let sunny = f64::from(u8::from(look >= DAY / 600));
        over += sunny * heated.iter().map(|room| (room - 22.0).max(0.0)).sum::<f64>() / heated.len() as f64 / 6.0;
        rooms.extend(heated);
    }
    rooms.sort_by(f64::total_cmp);
    (rooms[rooms.len() / 50], over, (rig.view().0.truth().circuits[0].heat_energy.0 - before) / 1e9)
}

#[test]
fn sunny_days_with_sun_and_forecast_overheat_less_than_the_plain_curve_at_equal_minimum() {
    let (plain_cold, plain_over, plain_heat) = sunny_days(0.0, 0.0, None);
    // What the sun takes from the coldest rooms a higher level gives back: to a tenth both have the same minimum.
    let (cold, over, heat) = sunny_days(0.2, 0.012, Some(Uncertainty::Low));
    assert!((cold - plain_cold).abs() < 0.1, "{cold} {plain_cold}");
    assert!(over < 0.95 * plain_over, "{over} of {plain_over} K h");
    assert!(heat < 0.98 * plain_heat, "{heat} of {plain_heat} GJ");
}

#[test]
fn a_failing_thermometer_walks_down_the_ladder_by_name_and_the_setpoint_never_jumps() {
    let mut rig = rig(Days { mean: -6.0, sun: 0.0, ..CLEAR }, 1, |_| {});
    rig.foresee(Some(Uncertainty::Medium));
    run(&mut rig, 3 * HOUR);
    let (mut rungs, mut last) = (vec![source(&rig)], setpoint(&rig));
    let per_second = rig.view().1.circuits[0].supply.rise_per_hour.0 / 3600.0 + 1e-6;
    for second in 0..40 * HOUR {
        match second / HOUR {
            0 => rig.plant().inject(Fault::SensorLost(FIRST)),
            1 => rig.plant().inject(Fault::SensorLost(SECOND)),
            // The service falls silent; what it said is used for twelve hours.
            3 => rig.foresee(None),
            _ => {}
        }
        let events = rig.second(Vec::new()).events.clone();
        rungs.extend(events.iter().filter_map(|event| match event {
            Event::OutdoorSourceChanged { to, .. } => Some(*to),
            _ => None,
        }));
        let now = setpoint(&rig);
        assert!((now - last).abs() <= per_second, "{last} to {now} °C in a second, {rungs:?}");
        last = now;
    }
    let walked = ["sensor", "second_sensor", "forecast", "last_good", "fallback"];
    assert_eq!(rungs.into_iter().map(OutdoorSource::name).collect::<Vec<_>>(), walked);
    rig.plant().clear(&Fault::SensorLost(FIRST));
    run(&mut rig, 120);
    assert_eq!(source(&rig), OutdoorSource::Sensor);
}

/// The lowest that the setpoint falls below that of a station whose thermometer hangs in the shade, over a sunny day.
fn turned_down_by_the_sun(service: Option<Uncertainty>) -> (f64, bool) {
    let day = |in_the_sun: bool| {
        let mut rig = rig(CLEAR, 1, |_| {});
        rig.foresee(service);
        rig.plant().inject(Fault::SensorLost(SECOND));
        if in_the_sun {
            rig.plant().inject(Fault::OutdoorSensorInSun(Kelvins(25.0)));
        }
        let (mut setpoints, mut named) = (Vec::new(), false);
        for _ in 0..DAY / 60 {
            run(&mut rig, 60);
            setpoints.push(setpoint(&rig));
            named |= rig.view().2.is_some_and(|report| report.outdoor.doubt == Some(Doubt::Sunlit));
        }
        (setpoints, named)
    };
    let ((shade, _), (sun, named)) = (day(false), day(true));
    (shade.iter().zip(&sun).map(|(shade, sun)| shade - sun).fold(0.0, f64::max), named)
}

#[test]
fn sun_on_the_thermometer_does_not_turn_the_heating_down_where_a_service_is_heard() {
    let (alone, _) = turned_down_by_the_sun(None);
    let (with_service, named) = turned_down_by_the_sun(Some(Uncertainty::Medium));
    assert!(alone > 12.0, "alone it is fooled by {alone} K");
    assert!(with_service < 5.0 && named, "{with_service} K, named: {named}");
}

/// October, ten days before the season: three warm days, whose heat is told, then it turns.
fn october(limit: Option<HeatingLimitSettings>) -> (f64, [(Eco, Stage); 4], f64) {
    let start = SEASON_START.0 / 1000 - 10 * DAY as i64;
    let turns =
        Days { cloudy_until: 0, mean: 20.0, swing: 3.0, sun: 0.0, turn: start + 3 * DAY as i64, mean_then: 4.0 };
    let mut rig = rig(turns, -10, |settings| settings.circuits[0].heating_limit = limit);
    let mut heat = 0.0;
    let days = [0, 1, 2, 3].map(|day| {
        run(&mut rig, DAY);
        let (plant, _, report) = rig.view();
        if day == 2 {
            heat = plant.truth().circuits[0].heat_energy.0 / 1e9;
        }
        let circuit = &report.expect("seconds have passed").circuits[0];
        (circuit.eco, circuit.stage)
    });
    (heat, days, rig.view().0.truth().circuits[0].mean_room().0)
}

#[test]
fn a_warm_october_needs_no_heat_and_a_cold_one_gets_it() {
    let limit = HeatingLimitSettings {
        limit: Celsius(17.0),
        hysteresis: Kelvins(1.0),
        scope: HeatingLimitScope::OutsideSeason,
    };
    let (plain, _, _) = october(None);
    let (heat, days, room) = october(Some(limit));
    let paused = (Eco::Paused, Stage::Stopped);
    assert_eq!(days, [paused, paused, paused, (Eco::Heating, Stage::Heating)]);
    assert!(heat < 0.1 * plain && room > 19.0, "{heat} of {plain} GJ, {room} °C");
}

#[test]
fn the_same_warm_days_inside_the_season_interrupt_nothing() {
    let limit = HeatingLimitSettings {
        limit: Celsius(17.0),
        hysteresis: Kelvins(1.0),
        scope: HeatingLimitScope::OutsideSeason,
    };
    let warm = Days { mean: 20.0, swing: 3.0, sun: 0.0, ..CLEAR };
    let mut rig = rig(warm, 1, |settings| settings.circuits[0].heating_limit = Some(limit));
    run(&mut rig, DAY);
    let circuit = &rig.view().2.expect("seconds have passed").circuits[0];
    assert_eq!((circuit.eco, circuit.stage), (Eco::Unlimited, Stage::Heating));
    assert_eq!((circuit.outage, circuit.season_time.interrupted), (None, Duration::ZERO));
}
