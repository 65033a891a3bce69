use super::*;
use heatstation_points::{Reading, WattsPerSquareMeter};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn sensor(celsius: f64) -> StationReadings {
    StationReadings { outdoor_temperature: Reading::good(Celsius(celsius)), ..StationReadings::default() }
}

fn foresees(celsius: f64) -> Forecast {
    Forecast::new(Duration::ZERO, &[Celsius(celsius); 48], &[], &[]).unwrap()
}

#[test]
fn a_lost_sensor_is_replaced_rung_by_rung() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let mut readings = sensor(-4.0);
    readings.outdoor_temperature_second = Reading::good(Celsius(-3.5));
    let mut see = |readings: &StationReadings, forecast: Option<&Forecast>| {
        let outdoor = state.observe(&settings, readings, forecast, HOUR);
        (outdoor.now.0, outdoor.source)
    };
    assert_eq!(see(&readings, None), (-4.0, OutdoorSource::Sensor));
    readings.outdoor_temperature = Reading::default();
    assert_eq!(see(&readings, None), (-3.5, OutdoorSource::SecondSensor));
    readings.outdoor_temperature_second = Reading::default();
    assert_eq!(see(&readings, Some(&foresees(-5.0))), (-5.0, OutdoorSource::Forecast));
    for _ in 0..6 {
        assert_eq!(see(&readings, None), (-5.0, OutdoorSource::LastGood));
    }
    // Then it ages by 1 K an hour toward the fixed value.
    for hours in 1..5 {
        assert_eq!(see(&readings, None), (-5.0 + f64::from(hours), OutdoorSource::LastGood));
    }
    assert_eq!(see(&readings, None), (0.0, OutdoorSource::Fallback));
    assert_eq!(see(&sensor(-9.0), None), (-9.0, OutdoorSource::Sensor));
}

#[test]
fn a_last_good_value_that_is_warmer_than_the_fixed_one_gives_way_to_it_at_once() {
    let mut state = OutdoorState::default();
    state.observe(&OutdoorSettings::default(), &sensor(8.0), None, HOUR);
    let lost = StationReadings::default();
    let last = (0..7).map(|_| state.observe(&OutdoorSettings::default(), &lost, None, HOUR)).last().unwrap();
    assert_eq!((last.now, last.source), (Celsius(0.0), OutdoorSource::Fallback));
}

#[test]
fn of_two_sensors_that_differ_the_colder_is_taken() {
    let mut state = OutdoorState::default();
    let readings = StationReadings { outdoor_temperature_second: Reading::good(Celsius(-2.0)), ..sensor(14.0) };
    let outdoor = state.observe(&OutdoorSettings::default(), &readings, None, HOUR);
    assert_eq!((outdoor.now, outdoor.source), (Celsius(-2.0), OutdoorSource::ColderSensor));
}

#[test]
fn a_sensor_in_the_sun_gives_way_to_the_service_at_once_and_is_named_after_two_hours() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let forecast = foresees(1.0);
    let mut hour = |shown: f64| {
        let readings = sensor(shown);
        (0..60).map(|_| state.observe(&settings, &readings, Some(&forecast), MINUTE)).last().unwrap()
    };
    assert_eq!(hour(1.0).source, OutdoorSource::Sensor);
    let first = hour(9.0);
    assert_eq!((first.now, first.source, first.doubt), (Celsius(1.0), OutdoorSource::ColderService, None));
    hour(9.0);
    let named = hour(9.0);
    assert_eq!((named.source, named.doubt), (OutdoorSource::ColderService, Some(Doubt::Sunlit)));
    // A forecast that the sun makes look wrong is still in use.
    assert_eq!((named.forecast, named.bias), (ForecastUse::Used, Kelvins(0.0)));
    hour(1.5);
    let after = hour(1.5);
    assert_eq!((after.now, after.source, after.doubt), (Celsius(1.5), OutdoorSource::Sensor, None));
}

#[test]
fn a_service_that_lies_lowers_the_temperature_by_a_bounded_amount_for_a_bounded_time() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let (readings, lie) = (sensor(6.0), foresees(-40.0));
    let mut hours =
        |hours: u32| (0..hours * 60).map(|_| state.observe(&settings, &readings, Some(&lie), MINUTE)).last().unwrap();
    let lied_to = hours(3);
    assert_eq!((lied_to.now, lied_to.source), (Celsius(-4.0), OutdoorSource::ColderService));
    let seen_through = hours(17);
    assert_eq!((seen_through.now, seen_through.source), (Celsius(6.0), OutdoorSource::Sensor));
    assert_eq!(seen_through.doubt, Some(Doubt::ServiceDiffers));
    assert_eq!(seen_through.forecast, ForecastUse::Disbelieved);
}

#[test]
fn a_service_that_is_too_warm_takes_no_heat_away() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let warm = foresees(14.0);
    let outdoor = (0..180).map(|_| state.observe(&settings, &sensor(-6.0), Some(&warm), MINUTE)).last().unwrap();
    assert_eq!((outdoor.now, outdoor.source), (Celsius(-6.0), OutdoorSource::Sensor));
    assert_eq!(outdoor.forecast, ForecastUse::Disbelieved);
    // Alone it may warm by 3 K an hour.
    let lost = StationReadings::default();
    let alone = (0..120).map(|_| state.observe(&settings, &lost, Some(&warm), MINUTE)).last().unwrap();
    assert!((alone.now.0 - 0.0).abs() < 1e-6, "{alone:?}");
}

#[test]
fn the_bias_of_the_service_is_learnt_by_night_and_not_from_the_sun() {
    let settings = OutdoorSettings::default();
    let learn = |shown: f64, sunshine: f64| {
        let mut state = OutdoorState::default();
        let readings =
            StationReadings { solar_irradiance: Reading::good(WattsPerSquareMeter(sunshine)), ..sensor(shown) };
        (0..24 * 60).map(|_| state.observe(&settings, &readings, Some(&foresees(0.0)), MINUTE)).last().unwrap()
    };
    assert!((learn(3.0, 0.0).bias.0 - 3.0).abs() < 0.05);
    assert_eq!(learn(3.0, 300.0).bias, Kelvins(0.0));
    assert!((learn(-3.0, 0.0).bias.0 + 3.0).abs() < 0.05);
}

#[test]
fn a_forecast_is_used_for_half_a_day_and_then_no_more() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let mut forecast = foresees(-1.0);
    let readings = sensor(-1.0);
    let mut at = |age: Duration| {
        forecast.age = age;
        let outdoor = state.observe(&settings, &readings, Some(&forecast), HOUR);
        (outdoor.forecast, outdoor.forecast_age, state.outlook(&outdoor, Some(&forecast)).is_some())
    };
    assert_eq!(at(HOUR * 12), (ForecastUse::Used, Some(HOUR * 12), true));
    assert_eq!(at(HOUR * 13), (ForecastUse::TooOld, Some(HOUR * 13), false));
}

#[test]
fn a_frozen_sensor_is_replaced_by_the_next_rung_and_named() {
    let settings = OutdoorSettings::default();
    let mut state = OutdoorState::default();
    let mut hour = |second: f64| {
        let readings = StationReadings { outdoor_temperature_second: Reading::good(Celsius(second)), ..sensor(-2.0) };
        state.observe(&settings, &readings, None, HOUR)
    };
    let frozen = [-2.0, -3.0, -4.0, -5.0, -5.5].map(&mut hour)[4];
    assert_eq!((frozen.now, frozen.source), (Celsius(-5.5), OutdoorSource::SecondSensor));
    assert_eq!(frozen.doubt, Some(Doubt::Frozen));
}

#[test]
fn the_filter_covers_two_thirds_of_a_step_in_its_time_constant() {
    let settings = OutdoorSettings { filter: HOUR, ..Default::default() };
    let mut state = OutdoorState::default();
    state.observe(&settings, &sensor(0.0), None, Duration::ZERO);
    let warm = sensor(10.0);
    let filtered = (0..60).map(|_| state.observe(&settings, &warm, None, MINUTE).filtered.0).last().unwrap();
    assert!((filtered - 6.32).abs() < 0.01, "{filtered}");
}

#[test]
fn a_state_saved_by_an_older_program_still_loads() {
    let saved = r#"{"source":"sensor","last_good":[-3.0,{"secs":0,"nanos":0}],"filtered":-2.5}"#;
    let mut state: OutdoorState = serde_json::from_str(saved).unwrap();
    let outdoor = state.observe(&OutdoorSettings::default(), &sensor(-3.0), None, Duration::ZERO);
    assert_eq!((outdoor.filtered, outdoor.doubt), (Celsius(-2.5), None));
}
