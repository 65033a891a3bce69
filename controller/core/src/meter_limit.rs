//! Primary flow and heat power: what the contract lets a station draw, in most places by the weather.
//!
//! # What measures them
//! The circuit's own meter; where it has none or has lost it, the station's, of which the circuit is taken to draw its
//! share (by heated area, unless configured): circuits that share a meter then see the same excess in percent and give way
//! by the same kelvins. Power can also be had from flow and the two primary temperatures. Without any the limit is off
//! and an alarm says so: a limit that nobody measures is a guess at somebody's cold flat.
//!
//! Samson asks for a meter that is refreshed within 5 s; the house reads meters every 10 s, and a meter on a bus may have
//! a new value once a minute. The limiter is slowed down for that, not switched off ([`limiter`](crate::limiter)).

use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, CircuitReadings, CubicMetersPerSecond, StationReadings, Watts};

use crate::limiter::{Look, MeasuredBy};
use crate::settings::LimitsSettings;

/// Primary flow by the best source that answers.
pub fn primary_flow(
    settings: &LimitsSettings,
    own: &CircuitReadings,
    station: &StationReadings,
) -> (Option<CubicMetersPerSecond>, MeasuredBy) {
    let own = own.own.primary_flow.fresh().map(|flow| (flow, MeasuredBy::Sensor));
    let shared = || {
        let flow = station.primary_flow.fresh()?;
        Some((flow * settings.station_share.0, MeasuredBy::StationMeter))
    };
    own.or_else(shared).map_or((None, MeasuredBy::Nothing), |(flow, by)| (Some(flow), by))
}

/// Heat power by the best source that answers.
pub fn heat_power(
    settings: &LimitsSettings,
    own: &CircuitReadings,
    station: &StationReadings,
) -> (Option<Watts>, MeasuredBy) {
    let metered = own.own.heat_power.fresh().map(|power| (power, MeasuredBy::Sensor));
    let shared = || {
        let power = station.primary_heat_power.fresh()?;
        Some((power * settings.station_share.0, MeasuredBy::StationMeter))
    };
    let balance = || {
        let flow = primary_flow(settings, own, station).0?;
        let supply = station.primary_supply_temperature.fresh()?;
        let back = own.own.primary_return_temperature.fresh().or(station.primary_return_temperature.fresh())?;
        let power = flow.0 * WATER_DENSITY * WATER_HEAT_CAPACITY * (supply - back).0.max(0.0);
        Some((Watts(power), MeasuredBy::HeatBalance))
    };
    let best = metered.or_else(shared).or_else(balance);
    best.map_or((None, MeasuredBy::Nothing), |(power, by)| (Some(power), by))
}

/// What the flow limit looks at.
pub fn look_at_flow(
    settings: &LimitsSettings,
    outdoor: Celsius,
    own: &CircuitReadings,
    station: &StationReadings,
) -> Option<Look> {
    let limiter = settings.flow?;
    let (measured, by) = primary_flow(settings, own, station);
    let measured = measured.map(|flow| flow.0);
    Some(Look { limit: limiter.line.at(outdoor), measured, by, refresh: settings.meter_refresh })
}

/// What the power limit looks at.
pub fn look_at_power(
    settings: &LimitsSettings,
    outdoor: Celsius,
    own: &CircuitReadings,
    station: &StationReadings,
) -> Option<Look> {
    let limiter = settings.power?;
    let (measured, by) = heat_power(settings, own, station);
    let measured = measured.map(|power| power.0);
    Some(Look { limit: limiter.line.at(outdoor), measured, by, refresh: settings.meter_refresh })
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{Ratio, Reading};

    #[test]
    fn circuits_on_one_meter_see_their_share_of_it() {
        let settings = LimitsSettings { station_share: Ratio(0.25), ..LimitsSettings::default() };
        let (mut own, mut station) = (CircuitReadings::default(), StationReadings::default());
        station.primary_flow = Reading::good(CubicMetersPerSecond(0.02));
        let shared = (Some(CubicMetersPerSecond(0.005)), MeasuredBy::StationMeter);
        assert_eq!(primary_flow(&settings, &own, &station), shared);
        own.own.primary_flow = Reading::good(CubicMetersPerSecond(0.007));
        let metered = (Some(CubicMetersPerSecond(0.007)), MeasuredBy::Sensor);
        assert_eq!(primary_flow(&settings, &own, &station), metered);
    }

    #[test]
    fn without_a_meter_of_heat_its_power_follows_from_flow_and_temperatures() {
        let settings = LimitsSettings::default();
        let (mut own, mut station) = (CircuitReadings::default(), StationReadings::default());
        own.own.primary_flow = Reading::good(CubicMetersPerSecond(0.01));
        station.primary_supply_temperature = Reading::good(Celsius(100.0));
        assert_eq!(heat_power(&settings, &own, &station), (None, MeasuredBy::Nothing));
        own.own.primary_return_temperature = Reading::good(Celsius(50.0));
        let (power, by) = heat_power(&settings, &own, &station);
        // 10 L/s · 985.7 kg/m³ · 4.182 kJ/kgK · 50 K.
        assert!((power.unwrap().0 - 2.0611e6).abs() < 1e3 && by == MeasuredBy::HeatBalance, "{power:?}");
    }
}
