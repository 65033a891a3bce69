//! Stories of the weather: what a whole step makes of sun, forecast, warm days and lost thermometers.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Ratio, Reading, WattsPerSquareMeter};

use super::{Rig, settings};
use crate::alarm::Alarm;
use crate::event::Event;
use crate::forecast::Forecast;
use crate::heating_limit::Eco;
use crate::ledger::Part;
use crate::moment::UtcMillis;
use crate::outdoor::OutdoorSource;
use crate::season::HeatingTime;
use crate::sequence::Stage;
use crate::settings::{EquivalentOutdoorSettings, HeatingLimitScope, HeatingLimitSettings, Season, Settings};
use crate::state::State;

const HOUR: u64 = 3600;
const DAY: i64 = 86_400_000;

/// A season that begins so many days after the story does; heat is planned from the beginning.
fn season_in(days: i64, scope: HeatingLimitScope) -> Settings {
    let season = Season { heating_from: UtcMillis(0), start: UtcMillis(days * DAY), end: UtcMillis(120 * DAY) };
    let mut settings = Settings { season, ..settings() };
    settings.circuits[0].heating_limit =
        Some(HeatingLimitSettings { limit: Celsius(17.0), hysteresis: Kelvins(1.0), scope });
    settings
}

fn outdoors(rig: &mut Rig, celsius: f64) {
    rig.readings.station.outdoor_temperature = Reading::good(Celsius(celsius));
}

fn eco(rig: &Rig) -> Eco {
    rig.circuit().eco
}

#[test]
fn a_warm_october_pauses_the_heat_and_a_cold_evening_brings_it_back() {
    let mut rig = Rig::with(season_in(9, HeatingLimitScope::OutsideSeason));
    outdoors(&mut rig, 21.0);
    rig.run(2 * HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Paused, Stage::Stopped));
    assert!(rig.kinds().contains(&"eco_changed"));
    outdoors(&mut rig, 12.0);
    rig.run(HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Heating, Stage::Heating));
    // A warm noon after a cold week is no reason to pause: walls remember.
    rig.run(40 * HOUR);
    outdoors(&mut rig, 22.0);
    rig.run(4 * HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Heating, Stage::Heating));
}

#[test]
fn the_first_day_of_the_season_begins_warm_and_no_warm_day_interrupts_it() {
    let mut rig = Rig::with(season_in(2, HeatingLimitScope::OutsideSeason));
    outdoors(&mut rig, 22.0);
    rig.run(20 * HOUR);
    assert_eq!(eco(&rig), Eco::Paused);
    rig.run(6 * HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Unlimited, Stage::Heating), "a day before the first");
    rig.run(46 * HOUR);
    assert_eq!(rig.circuit().stage, Stage::Heating);
    assert_eq!((rig.circuit().outage, rig.circuit().season_time.interrupted), (None, Duration::ZERO));
}

#[test]
fn an_office_that_pauses_in_the_season_has_no_outage_neither_while_it_pauses_nor_when_it_returns() {
    let mut rig = Rig::with(season_in(0, HeatingLimitScope::Always));
    outdoors(&mut rig, 22.0);
    rig.run(6 * HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Paused, Stage::Stopped));
    rig.supply = 18.0;
    outdoors(&mut rig, 8.0);
    rig.run(3 * HOUR);
    assert_eq!((eco(&rig), rig.circuit().stage), (Eco::Heating, Stage::Heating));
    assert!(!rig.kinds().contains(&"outage_opened"), "{:?}", rig.kinds());
    assert_eq!(rig.circuit().season_time.interrupted, Duration::ZERO);
    // A pump that does not start after the pause is an outage all the same.
    outdoors(&mut rig, 22.0);
    rig.run(60 * HOUR);
    assert_eq!(eco(&rig), Eco::Paused);
    rig.pump_broken = [true; 2];
    outdoors(&mut rig, 8.0);
    rig.run(HOUR / 2);
    assert!(rig.kinds().contains(&"outage_opened"), "{:?}", rig.kinds());
}

#[test]
fn a_lost_thermometer_does_not_pause_the_heat() {
    let mut rig = Rig::with(season_in(9, HeatingLimitScope::OutsideSeason));
    outdoors(&mut rig, 21.0);
    rig.run(HOUR);
    assert_eq!(eco(&rig), Eco::Paused);
    rig.readings.station.outdoor_temperature = Reading::default();
    rig.run(HOUR / 6);
    assert_eq!((rig.report.as_ref().unwrap().outdoor.source, eco(&rig)), (OutdoorSource::LastGood, Eco::Heating));
}

#[test]
fn five_cold_days_begin_the_heat_before_the_planned_day() {
    let mut settings = settings();
    settings.season =
        Season { heating_from: UtcMillis(9 * DAY), start: UtcMillis(12 * DAY), end: UtcMillis(120 * DAY) };
    settings.shoulder.earliest = Some(UtcMillis(4 * DAY));
    let mut rig = Rig::with(settings);
    outdoors(&mut rig, 3.0);
    rig.run(119 * HOUR);
    assert_eq!(rig.circuit().stage, Stage::Stopped);
    rig.run(2 * HOUR);
    assert_eq!(rig.report.as_ref().unwrap().heating_time, HeatingTime::Early);
    assert_eq!(rig.circuit().stage, Stage::Heating);
    assert_eq!(rig.circuit().season_time.supplied, Duration::ZERO, "heat that is not due is not booked");
    let changed = rig.events.iter().find_map(|(_, event)| match event {
        Event::HeatingTimeChanged { from, to } => Some((*from, *to)),
        _ => None,
    });
    assert_eq!(changed, Some((HeatingTime::Off, HeatingTime::Early)));
}

/// Walls, sun and forecast in use.
fn felt() -> Settings {
    let mut settings = settings();
    settings.circuits[0].weather =
        EquivalentOutdoorSettings { light_share: Ratio(0.5), solar_gain: 0.01, ..EquivalentOutdoorSettings::default() };
    // The rig's rooms stand at 21 °C; so the coldest can bear some sun.
    settings.circuits[0].rooms.iter_mut().for_each(|room| room.minimum = Celsius(16.0));
    settings
}

#[test]
fn sun_and_coming_warmth_lower_the_supply_and_say_so() {
    let mut rig = Rig::with(felt());
    rig.run(3 * HOUR);
    let plain = rig.circuit().setpoint;
    rig.readings.station.solar_irradiance = Reading::good(WattsPerSquareMeter(300.0));
    let warms: Vec<Celsius> = (0..48).map(|hour| Celsius(-5.0 + f64::from(hour))).collect();
    rig.forecast = Some(Forecast::new(Duration::ZERO, &warms, &[], &[]).unwrap());
    rig.run(8 * HOUR);
    let sunny = rig.circuit().setpoint;
    let parts = [Part::Solar, Part::Forecast].map(|part| sunny.ledger.of(part).0);
    assert!(parts[0] < -3.0 && parts[1] < -0.4, "{sunny:?}");
    assert!((sunny.base + sunny.ledger.sum() - sunny.value).0.abs() < 1e-9);
    assert!((plain.value - sunny.value).0 > 3.5, "{plain:?} {sunny:?}");
}

#[test]
fn a_thermometer_in_the_sun_does_not_turn_the_heating_down_and_raises_an_alarm() {
    let mut rig = Rig::with(settings());
    rig.forecast = Some(Forecast::new(Duration::ZERO, &[Celsius(-5.0); 48], &[], &[]).unwrap());
    rig.run(3 * HOUR);
    let before = rig.circuit().setpoint.value;
    outdoors(&mut rig, 6.0);
    for _ in 0..3 {
        rig.run(HOUR);
        assert!((rig.circuit().setpoint.value - before).0.abs() < 2.5, "{:?}", rig.circuit().setpoint);
    }
    assert!(rig.alarm(Alarm::OutdoorSensorDoubted) && !rig.alarm(Alarm::OutdoorSensorLost));
    outdoors(&mut rig, -5.0);
    rig.run(2 * HOUR);
    assert!(!rig.alarm(Alarm::OutdoorSensorDoubted));
}

#[test]
fn what_the_walls_remember_survives_a_restart() {
    let mut rig = Rig::with(felt());
    outdoors(&mut rig, 4.0);
    rig.run(12 * HOUR);
    outdoors(&mut rig, -6.0);
    rig.run(6 * HOUR);
    let before = rig.circuit().equivalent.mass;
    let saved = serde_json::to_string(&rig.state).unwrap();
    let saved: State = serde_json::from_str(&saved).unwrap();
    rig.state = State::resume(saved, &rig.settings, Duration::from_secs(600)).unwrap();
    rig.run(1);
    let after = rig.circuit().equivalent.mass;
    assert!(before.0 > 2.0 && (after - before).0.abs() < 0.2, "{before:?} {after:?}");
}
