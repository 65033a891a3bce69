//! The primary return: its highest temperature, and how far it may stay above the secondary return (approach, DRT).
//!
//! A hot return is heat that the network pumped here for nothing; the contract caps it, in most places by the weather
//! (Danfoss: two points; Siemens: constant, slope and inflection; see [`limit_line`](crate::limit_line)). The approach
//! says the same of the exchanger alone: 2 to 5 K when clean; more, and too much primary water is being pushed through it.
//!
//! # When the sensor is lost
//! The circuit's own sensor → the station's → the heat meter's return temperature. On a station of several circuits the
//! last two show the mix of all, which is what the network sees. Without any the limit is off, an alarm says so, and the
//! valve may be capped ([`valve_max`]), because nobody would notice a valve that stands open.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitReadings, Ratio, Reading, StationReadings};

use crate::limiter::{LimiterState, Look, MeasuredBy};
use crate::settings::{LimitsSettings, ValveSettings};

/// The primary return temperature by the best source that answers.
fn primary_return(own: &CircuitReadings, station: &StationReadings) -> (Option<Celsius>, MeasuredBy) {
    let ladder: [(Reading<Celsius>, MeasuredBy); 3] = [
        (own.own.primary_return_temperature, MeasuredBy::Sensor),
        (station.primary_return_temperature, MeasuredBy::StationSensor),
        (station.primary_meter_return_temperature, MeasuredBy::StationMeter),
    ];
    ladder
        .into_iter()
        .find_map(|(reading, by)| reading.fresh().map(|value| (Some(value), by)))
        .unwrap_or((None, MeasuredBy::Nothing))
}

/// What the return limit looks at.
pub fn look_at_return(
    settings: &LimitsSettings,
    outdoor: Celsius,
    own: &CircuitReadings,
    station: &StationReadings,
) -> Option<Look> {
    let limiter = settings.primary_return?;
    let (measured, by) = primary_return(own, station);
    Some(Look { limit: limiter.line.at(outdoor), measured: measured.map(|value| value.0), by, refresh: Duration::ZERO })
}

/// What the approach limit looks at.
pub fn look_at_approach(
    settings: &LimitsSettings,
    outdoor: Celsius,
    own: &CircuitReadings,
    station: &StationReadings,
) -> Option<Look> {
    let limiter = settings.approach?;
    let (primary, by) = primary_return(own, station);
    let measured = primary.zip(own.own.return_temperature.fresh()).map(|(primary, secondary)| (primary - secondary).0);
    let by = if measured.is_some() { by } else { MeasuredBy::Nothing };
    Some(Look { limit: limiter.line.at(outdoor), measured, by, refresh: Duration::ZERO })
}

/// How far the valve may open: capped while the return limit has lost its sensor.
#[must_use]
pub fn valve_max(settings: &LimitsSettings, valve: &ValveSettings, state: LimiterState) -> Ratio {
    match state {
        LimiterState::SensorLost => valve.position_max.min(settings.valve_max_blind),
        LimiterState::Off | LimiterState::Waiting | LimiterState::Watching | LimiterState::Limiting => {
            valve.position_max
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit_line::LimitLine;
    use crate::settings::{LimiterSettings, LimiterTuning};

    fn settings() -> LimitsSettings {
        let limiter = LimiterSettings { line: LimitLine::constant(50.0), tuning: LimiterTuning::TEMPERATURE };
        LimitsSettings { primary_return: Some(limiter), approach: Some(limiter), ..LimitsSettings::default() }
    }

    #[test]
    fn the_stations_sensor_stands_in_for_the_circuits_and_the_meter_for_both() {
        let (mut own, mut station) = (CircuitReadings::default(), StationReadings::default());
        own.own.primary_return_temperature = Reading::good(Celsius(48.0));
        station.primary_return_temperature = Reading::good(Celsius(49.0));
        station.primary_meter_return_temperature = Reading::good(Celsius(49.5));
        let look = |own: &CircuitReadings, station: &StationReadings| {
            let look = look_at_return(&settings(), Celsius(0.0), own, station).unwrap();
            (look.measured, look.by)
        };
        assert_eq!(look(&own, &station), (Some(48.0), MeasuredBy::Sensor));
        own.own.primary_return_temperature = Reading::default();
        assert_eq!(look(&own, &station), (Some(49.0), MeasuredBy::StationSensor));
        station.primary_return_temperature = Reading::default();
        assert_eq!(look(&own, &station), (Some(49.5), MeasuredBy::StationMeter));
        station.primary_meter_return_temperature = Reading::default();
        assert_eq!(look(&own, &station), (None, MeasuredBy::Nothing));
    }

    #[test]
    fn the_approach_needs_both_returns() {
        let (mut own, station) = (CircuitReadings::default(), StationReadings::default());
        own.own.primary_return_temperature = Reading::good(Celsius(48.0));
        let lonely = look_at_approach(&settings(), Celsius(0.0), &own, &station).unwrap();
        assert_eq!((lonely.measured, lonely.by), (None, MeasuredBy::Nothing));
        own.own.return_temperature = Reading::good(Celsius(41.5));
        let both = look_at_approach(&settings(), Celsius(0.0), &own, &station).unwrap();
        assert_eq!((both.measured, both.by), (Some(6.5), MeasuredBy::Sensor));
    }

    #[test]
    fn the_valve_is_capped_only_while_the_limit_is_blind() {
        let settings = LimitsSettings { valve_max_blind: Ratio(0.6), ..settings() };
        let valve = ValveSettings { position_max: Ratio(0.9), ..ValveSettings::default() };
        assert_eq!(valve_max(&settings, &valve, LimiterState::Limiting), Ratio(0.9));
        assert_eq!(valve_max(&settings, &valve, LimiterState::SensorLost), Ratio(0.6));
    }
}
