//! When each interlock acts, and when its cause is gone.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, Pascals};

use super::{Contact, Sight, Trip};
use crate::settings::{BurstPolicy, FloodPolicy, InterlockSettings, MakeUpSettings};

/// Margin over the vapour pressure that no point of a primary supply may lose, 30 to 50 kPa (CJJ 34, 7.4).
const VAPOUR_MARGIN: Pascals = Pascals(50_000.0);
/// Atmospheric pressure: gauges count from there.
pub(super) const ATMOSPHERE: f64 = 101_325.0;

/// The gauge pressure below which water of that temperature boils (Antoine; within 1 % from 60 to 180 °C).
pub(super) fn vapour_pressure(water: Celsius) -> Pascals {
    // Two sets of coefficients, below and above the boiling point at one atmosphere; mmHg.
    let (a, b, c) = if water.0 < 100.0 { (8.07131, 1730.63, 233.426) } else { (8.14019, 1810.94, 244.485) };
    let absolute = 133.322 * 10.0_f64.powf(a - b / (c + water.0));
    Pascals(absolute - ATMOSPHERE)
}

/// The lowest primary supply pressure: the network's order, and what keeps the water from boiling.
fn primary_pressure_least(order: Pascals, primary_supply: Option<Celsius>) -> Pascals {
    primary_supply.map_or(order, |water| order.max(vapour_pressure(water) + VAPOUR_MARGIN))
}

/// Drives are given their full speed again this far below.
const PLANT_ROOM_RESET: Kelvins = Kelvins(5.0);

/// When an interlock acts and when its cause is gone.
pub(super) struct Rule {
    pub trip: bool,
    pub trip_after: Duration,
    pub clear: bool,
    pub clear_after: Duration,
}

pub(super) fn rule(trip: Trip, settings: &InterlockSettings, make_up: Option<&MakeUpSettings>, sight: &Sight) -> Rule {
    const NOW: Duration = Duration::ZERO;
    const SETTLED: Duration = Duration::from_secs(10);
    // A switch is quiet again a few kPa higher: pumps that start at once lower the suction by as much and stand again.
    const BY_SWITCH: Duration = Duration::from_secs(60);
    let at_once = |wrong: bool| Rule { trip: wrong, trip_after: NOW, clear: !wrong, clear_after: NOW };
    let contact =
        |contact: Contact| Rule { trip: contact.acted(), trip_after: NOW, clear: contact.quiet(), clear_after: NOW };
    match trip {
        Trip::EmergencyStop => contact(sight.emergency_stop),
        Trip::SafetyThermostat => contact(sight.safety_thermostat),
        Trip::OverTemperature => Rule {
            trip: sight.supply.is_some_and(|supply| supply > settings.supply_trip),
            trip_after: settings.supply_trip_delay,
            // An unknown temperature does not prove that it has cooled.
            clear: sight.supply.is_some_and(|supply| supply < settings.supply_trip - settings.supply_reset),
            clear_after: SETTLED,
        },
        Trip::PressureHigh => Rule {
            trip: sight.over_pressure_switch.acted()
                || sight.supply_pressure.is_some_and(|p| p > settings.pressure_trip),
            trip_after: Duration::from_secs(2),
            clear: sight.over_pressure_switch.quiet()
                && sight.supply_pressure.is_none_or(|p| p < settings.pressure_trip * 0.95),
            clear_after: SETTLED,
        },
        Trip::PressureLow => Rule {
            trip: sight.low_pressure_switch.acted()
                || sight.holding_pressure.is_some_and(|p| p < settings.pressure_protect),
            trip_after: settings.pressure_delay,
            clear: sight.low_pressure_switch.quiet()
                && sight.holding_pressure.is_none_or(|p| p >= settings.pressure_restart),
            clear_after: if sight.holding_pressure.is_some() { SETTLED } else { BY_SWITCH },
        },
        Trip::MainsLost => Rule {
            trip: sight.mains == Some(false),
            trip_after: Duration::from_secs(1),
            clear: sight.mains != Some(false),
            clear_after: settings.mains_return.saturating_add(settings.mains_stagger),
        },
        Trip::NoCirculation => Rule {
            trip: sight.circulating != Some(true),
            trip_after: settings.circulation_delay,
            clear: sight.circulating == Some(true),
            clear_after: settings.circulation_reset,
        },
        Trip::ReverseHeat => reverse_heat(sight),
        Trip::MakeUpTooLong => at_once(make_up.is_some_and(|make_up| sight.make_up_run >= make_up.run_max)),
        Trip::MakeUpVolume => at_once(make_up.is_some_and(|make_up| sight.make_up_today > make_up.volume_per_day_max)),
        Trip::Burst | Trip::BurstIsolated => {
            let acts = match make_up.map_or(BurstPolicy::Alarm, |make_up| make_up.leak.on_burst) {
                BurstPolicy::Alarm => false,
                BurstPolicy::StopMakeUp => trip == Trip::Burst,
                BurstPolicy::Isolate => true,
            };
            Rule { trip: sight.burst && acts, trip_after: NOW, clear: !sight.burst, clear_after: SETTLED }
        }
        Trip::ValveStuckOpen => Rule {
            // Told to close long ago, and the water is still too hot: it does not matter what its feedback says.
            trip: sight.isolation.is_some_and(|isolation| isolation.told_to_close)
                && sight.supply.is_some_and(|supply| supply > settings.supply_trip),
            trip_after: sight.isolation.map_or(NOW, |isolation| isolation.closes_within),
            // The isolation valve cools the water; whether the valve obeys again, its feedback says.
            clear: sight.isolation.is_none_or(|isolation| isolation.closed != Some(false))
                && sight.supply.is_some_and(|supply| supply < settings.supply_trip - settings.supply_reset),
            clear_after: Duration::from_secs(60),
        },
        Trip::PrimaryPressureLow => primary_pressure(settings, sight),
        Trip::ReliefTooLong => Rule {
            trip: make_up.is_some() && sight.relief_open,
            trip_after: settings.relief_open_max,
            clear: !sight.relief_open,
            clear_after: SETTLED,
        },
        Trip::TankHigh => Rule {
            trip: make_up.is_some() && sight.tank_high,
            trip_after: Duration::from_secs(5),
            clear: sight.tank_lowered,
            clear_after: SETTLED,
        },
        Trip::Flooded => Rule {
            trip: settings.flood != FloodPolicy::Alarm && sight.flooded.acted(),
            trip_after: Duration::from_secs(5),
            clear: sight.flooded.quiet(),
            clear_after: SETTLED,
        },
        Trip::PlantRoomHot => Rule {
            trip: sight.plant_room.is_some_and(|room| room > settings.plant_room_max),
            trip_after: Duration::from_secs(60),
            clear: sight.plant_room.is_none_or(|room| room < settings.plant_room_max - PLANT_ROOM_RESET),
            clear_after: Duration::from_secs(60),
        },
        Trip::TankLow => Rule {
            trip: make_up.is_some() && sight.tank_low,
            trip_after: Duration::from_secs(2),
            clear: sight.tank_restored,
            clear_after: SETTLED,
        },
    }
}

fn primary_pressure(settings: &InterlockSettings, sight: &Sight) -> Rule {
    let least = settings.primary_pressure_min.map(|order| primary_pressure_least(order, sight.primary_supply));
    let measured = least.zip(sight.primary_pressure);
    Rule {
        trip: measured.is_some_and(|(least, pressure)| pressure < least),
        trip_after: Duration::from_secs(10),
        clear: measured.is_none_or(|(least, pressure)| pressure > least * 1.05),
        clear_after: Duration::from_secs(60),
    }
}

fn reverse_heat(sight: &Sight) -> Rule {
    let difference =
        sight.primary_supply.zip(sight.secondary_return).map(|(primary, secondary)| (primary - secondary).0);
    Rule {
        trip: difference.is_some_and(|kelvins| kelvins < 0.0),
        trip_after: Duration::from_secs(60),
        clear: difference.is_none_or(|kelvins| kelvins > 3.0),
        clear_after: Duration::from_secs(60),
    }
}
