//! Interlocks: what outranks all else. They have the last word on every output, in manual too.
//!
//! Software is the second line. Safety thermostats, safety valves, low-pressure switches and the emergency stop act in
//! hardware without this program; here they are read, obeyed and recorded.

use std::time::Duration;

use heatstation_points::{Celsius, Pascals, Reading, Switch};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::request::Refusal;
use crate::settings::{BurstPolicy, InterlockSettings, MakeUpSettings};
use crate::timer::Held;
use heatstation_points::CircuitIndex;

/// What took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    /// The emergency stop is pressed.
    EmergencyStop,
    /// The hard-wired safety thermostat or over-temperature switch has acted.
    SafetyThermostat,
    /// The secondary supply is too hot.
    OverTemperature,
    /// The secondary supply pressure is too high.
    PressureHigh,
    /// The holding-point pressure is too low for circulation.
    PressureLow,
    /// No mains power.
    MainsLost,
    /// Circulation is not proven.
    NoCirculation,
    /// The primary supply is colder than the secondary return: the exchanger would cool.
    ReverseHeat,
    /// Make-up ran too long without reaching its pressure.
    MakeUpTooLong,
    /// Make-up exceeded the day's volume.
    MakeUpVolume,
    /// The network has burst: no more water into the hole.
    Burst,
    /// The network has burst and is isolated.
    BurstIsolated,
    /// The make-up tank is low.
    TankLow,
}

impl Trip {
    /// All of them, from the most to the least severe.
    pub const ALL: [Trip; 13] = [
        Trip::EmergencyStop,
        Trip::SafetyThermostat,
        Trip::OverTemperature,
        Trip::PressureHigh,
        Trip::PressureLow,
        Trip::MainsLost,
        Trip::NoCirculation,
        Trip::ReverseHeat,
        Trip::MakeUpTooLong,
        Trip::MakeUpVolume,
        Trip::Burst,
        Trip::BurstIsolated,
        Trip::TankLow,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Trip::EmergencyStop => "emergency_stop",
            Trip::SafetyThermostat => "safety_thermostat",
            Trip::OverTemperature => "over_temperature",
            Trip::PressureHigh => "pressure_high",
            Trip::PressureLow => "pressure_low",
            Trip::MainsLost => "mains_lost",
            Trip::NoCirculation => "no_circulation",
            Trip::ReverseHeat => "reverse_heat",
            Trip::MakeUpTooLong => "make_up_too_long",
            Trip::MakeUpVolume => "make_up_volume",
            Trip::Burst => "burst",
            Trip::BurstIsolated => "burst_isolated",
            Trip::TankLow => "tank_low",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Trip::EmergencyStop => ("急停", "emergency stop"),
            Trip::SafetyThermostat => ("安全温控器", "safety thermostat"),
            Trip::OverTemperature => ("供水超温", "supply over-temperature"),
            Trip::PressureHigh => ("压力过高", "pressure too high"),
            Trip::PressureLow => ("压力过低", "pressure too low"),
            Trip::MainsLost => ("市电中断", "mains lost"),
            Trip::NoCirculation => ("循环未证实", "no proven circulation"),
            Trip::ReverseHeat => ("一次水温低于二次回水", "primary colder than secondary return"),
            Trip::MakeUpTooLong => ("补水超时", "make-up ran too long"),
            Trip::MakeUpVolume => ("日补水量超限", "make-up volume of the day"),
            Trip::Burst => ("爆管, 停止补水", "burst: make-up stopped"),
            Trip::BurstIsolated => ("爆管, 已隔离", "burst: isolated"),
            Trip::TankLow => ("水箱液位低", "tank low"),
        }
    }

    /// Whether it closes the primary valve.
    pub const fn closes_valve(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::SafetyThermostat
            | Trip::OverTemperature
            | Trip::PressureHigh
            | Trip::PressureLow
            | Trip::MainsLost
            | Trip::NoCirculation
            | Trip::ReverseHeat
            | Trip::BurstIsolated => true,
            Trip::MakeUpTooLong | Trip::MakeUpVolume | Trip::Burst | Trip::TankLow => false,
        }
    }

    /// Whether it stops the circulation pumps.
    pub const fn stops_circulation(self) -> bool {
        match self {
            Trip::EmergencyStop | Trip::PressureHigh | Trip::PressureLow | Trip::MainsLost | Trip::BurstIsolated => {
                true
            }
            Trip::SafetyThermostat
            | Trip::OverTemperature
            | Trip::NoCirculation
            | Trip::ReverseHeat
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::TankLow => false,
        }
    }

    /// Whether it stops make-up.
    pub const fn stops_make_up(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::PressureHigh
            | Trip::MainsLost
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::TankLow => true,
            Trip::SafetyThermostat
            | Trip::OverTemperature
            | Trip::PressureLow
            | Trip::NoCirculation
            | Trip::ReverseHeat
            | Trip::BurstIsolated => false,
        }
    }

    /// Whether a person has to reset it after its cause is gone.
    const fn stays(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::SafetyThermostat
            | Trip::PressureHigh
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::BurstIsolated => true,
            Trip::OverTemperature
            | Trip::PressureLow
            | Trip::MainsLost
            | Trip::NoCirculation
            | Trip::ReverseHeat
            | Trip::TankLow => false,
        }
    }
}

/// A hard-wired contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contact {
    /// It has acted.
    Acted,
    /// It has not, or there is none.
    #[default]
    Quiet,
    /// There is one and it cannot be read: it trips nothing, and it lets nothing go.
    Unknown,
}

impl Contact {
    /// What a reading of a contact says.
    pub fn of(reading: Reading<Switch>) -> Contact {
        match reading.usable() {
            Some(Switch::On) => Contact::Acted,
            None if reading.is_configured() => Contact::Unknown,
            Some(Switch::Off) | None => Contact::Quiet,
        }
    }

    fn acted(self) -> bool {
        self == Contact::Acted
    }

    fn quiet(self) -> bool {
        self == Contact::Quiet
    }
}

/// What the interlocks look at. `None` is "nobody can tell"; each rule says what it makes of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one contact of the plant")]
pub struct Sight {
    /// Emergency stop.
    pub emergency_stop: Contact,
    /// Hard-wired over-temperature.
    pub safety_thermostat: Contact,
    /// Hard-wired over-pressure.
    pub over_pressure_switch: Contact,
    /// Hard-wired low pressure.
    pub low_pressure_switch: Contact,
    /// Mains healthy.
    pub mains: Option<bool>,
    /// Secondary supply temperature: the hottest of what is measured.
    pub supply: Option<Celsius>,
    /// Secondary return temperature.
    pub secondary_return: Option<Celsius>,
    /// Primary supply temperature.
    pub primary_supply: Option<Celsius>,
    /// Secondary supply pressure.
    pub supply_pressure: Option<Pascals>,
    /// Holding-point pressure.
    pub holding_pressure: Option<Pascals>,
    /// Whether circulation is proven; `None` counts as not.
    pub circulating: Option<bool>,
    /// How long make-up has run without a break.
    pub make_up_run: Duration,
    /// Make-up of the day, m³.
    pub make_up_today: f64,
    /// The network has burst.
    pub burst: bool,
    /// Tank level low, by level or switch.
    pub tank_low: bool,
    /// Tank level back above the low mark with some margin.
    pub tank_restored: bool,
}

/// The state of one interlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Latch {
    active: bool,
    held: Held,
    /// A person has asked for a reset since it became active.
    reset_asked: bool,
}

/// The state of a circuit's interlocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interlocks {
    latches: [Latch; Trip::ALL.len()],
    /// Over-temperature trips that wait to be forgotten, one an hour's share: a leaky bucket.
    recent_over_temperatures: f64,
}

impl Interlocks {
    /// The state of a plant of which nothing is known yet: circulation counts as unproven until it is seen.
    pub fn at_start() -> Interlocks {
        let mut interlocks = Interlocks::default();
        interlocks.latches[Trip::NoCirculation as usize].active = true;
        interlocks
    }

    /// The plant was found circulating: the lock of the start is taken back. Other trips stay.
    pub fn found_circulating(&mut self) {
        self.latches[Trip::NoCirculation as usize] = Latch::default();
    }

    /// Judges all interlocks for this step.
    pub fn judge(
        &mut self,
        settings: &InterlockSettings,
        make_up: Option<&MakeUpSettings>,
        circuit: CircuitIndex,
        sight: &Sight,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        let forgotten = f64::from(settings.trips_per_hour_max) * dt.as_secs_f64() / 3600.0;
        self.recent_over_temperatures = (self.recent_over_temperatures - forgotten).max(0.0);
        for trip in Trip::ALL {
            let rule = rule(trip, settings, make_up, sight);
            let often =
                trip == Trip::OverTemperature && self.recent_over_temperatures > f64::from(settings.trips_per_hour_max);
            let latch = &mut self.latches[trip as usize];
            if latch.active {
                let clear = latch.held.for_at_least(rule.clear_after, rule.clear, dt);
                // A reset counts from when the cause is gone: asked while the button is still pressed it would let its
                // release start the plant (ISO 13850: a reset only permits a restart).
                latch.reset_asked &= rule.clear;
                let allowed = !(trip.stays() || often) || latch.reset_asked;
                if clear && allowed {
                    *latch = Latch::default();
                    events.push(Event::TripEnded { circuit, trip });
                }
            } else if latch.held.for_at_least(rule.trip_after, rule.trip, dt) {
                *latch = Latch { active: true, ..Latch::default() };
                if trip == Trip::OverTemperature {
                    self.recent_over_temperatures += 1.0;
                }
                events.push(Event::Tripped { circuit, trip });
            }
        }
    }

    /// A person asks to reset what stays.
    ///
    /// # Errors
    /// If nothing has tripped, or the cause of everything that has still holds.
    pub fn ask_reset(&mut self) -> Result<(), Refusal> {
        let mut answer = Err(Refusal::NoSuchThing);
        for latch in self.latches.iter_mut().filter(|latch| latch.active) {
            latch.reset_asked = !latch.held.0.is_zero();
            if latch.reset_asked {
                answer = Ok(());
            } else if answer.is_err() {
                answer = Err(Refusal::StillTripped);
            }
        }
        answer
    }

    /// Whether one holds now.
    pub fn holds(&self, trip: Trip) -> bool {
        self.latches[trip as usize].active
    }

    /// Those that hold now, most severe first.
    pub fn active(&self) -> impl Iterator<Item = Trip> + '_ {
        Trip::ALL.into_iter().filter(|&trip| self.holds(trip))
    }

    /// What closes the valve.
    pub fn closes_valve(&self) -> Option<Trip> {
        self.active().find(|trip| trip.closes_valve())
    }

    /// What stops the circulation pumps.
    pub fn stops_circulation(&self) -> Option<Trip> {
        self.active().find(|trip| trip.stops_circulation())
    }

    /// What stops make-up.
    pub fn stops_make_up(&self) -> Option<Trip> {
        self.active().find(|trip| trip.stops_make_up())
    }
}

/// When an interlock acts and when its cause is gone.
struct Rule {
    trip: bool,
    trip_after: Duration,
    clear: bool,
    clear_after: Duration,
}

fn rule(trip: Trip, settings: &InterlockSettings, make_up: Option<&MakeUpSettings>, sight: &Sight) -> Rule {
    const NOW: Duration = Duration::ZERO;
    const SETTLED: Duration = Duration::from_secs(10);
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
            clear_after: SETTLED,
        },
        Trip::MainsLost => Rule {
            trip: sight.mains == Some(false),
            trip_after: Duration::from_secs(1),
            clear: sight.mains != Some(false),
            clear_after: settings.mains_return,
        },
        Trip::NoCirculation => Rule {
            trip: sight.circulating != Some(true),
            trip_after: settings.circulation_delay,
            clear: sight.circulating == Some(true),
            clear_after: settings.circulation_reset,
        },
        Trip::ReverseHeat => {
            let difference =
                sight.primary_supply.zip(sight.secondary_return).map(|(primary, secondary)| (primary - secondary).0);
            Rule {
                trip: difference.is_some_and(|kelvins| kelvins < 0.0),
                trip_after: Duration::from_secs(60),
                clear: difference.is_none_or(|kelvins| kelvins > 3.0),
                clear_after: Duration::from_secs(60),
            }
        }
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
        Trip::TankLow => Rule {
            trip: make_up.is_some() && sight.tank_low,
            trip_after: Duration::from_secs(2),
            clear: sight.tank_restored,
            clear_after: SETTLED,
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn settings() -> InterlockSettings {
        InterlockSettings {
            supply_trip: Celsius(85.0),
            supply_reset: heatstation_points::Kelvins(5.0),
            supply_trip_delay: Duration::from_secs(2),
            circulation_delay: Duration::from_secs(2),
            circulation_reset: Duration::from_secs(30),
            pressure_protect: Pascals(150_000.0),
            pressure_restart: Pascals(200_000.0),
            pressure_delay: Duration::from_secs(5),
            mains_return: Duration::from_secs(45),
            pressure_trip: Pascals(600_000.0),
            sensor_hold: Duration::from_secs(60),
            sensor_substitute: Duration::from_secs(1800),
            valve_safe_cold: heatstation_points::Ratio(0.3),
            valve_safe_below: Celsius(5.0),
            trips_per_hour_max: 3,
        }
    }

    fn sound() -> Sight {
        Sight {
            mains: Some(true),
            supply: Some(Celsius(60.0)),
            secondary_return: Some(Celsius(45.0)),
            primary_supply: Some(Celsius(95.0)),
            supply_pressure: Some(Pascals(450_000.0)),
            holding_pressure: Some(Pascals(300_000.0)),
            circulating: Some(true),
            tank_restored: true,
            ..Sight::default()
        }
    }

    fn seconds(interlocks: &mut Interlocks, sight: Sight, count: u32) -> Vec<&'static str> {
        let mut events = Vec::new();
        for _ in 0..count {
            interlocks.judge(&settings(), None, CircuitIndex(0), &sight, Duration::from_secs(1), &mut events);
        }
        events.iter().map(Event::kind).collect()
    }

    #[test]
    fn too_hot_a_supply_closes_the_valve_inside_five_seconds_and_lets_go_below() {
        let mut interlocks = Interlocks::default();
        let hot = Sight { supply: Some(Celsius(86.0)), ..sound() };
        assert_eq!(seconds(&mut interlocks, hot, 3), ["tripped"]);
        assert_eq!(interlocks.closes_valve(), Some(Trip::OverTemperature));
        assert_eq!(interlocks.stops_circulation(), None);
        assert_eq!(seconds(&mut interlocks, Sight { supply: Some(Celsius(81.0)), ..sound() }, 60), Vec::<&str>::new());
        assert_eq!(seconds(&mut interlocks, Sight { supply: None, ..sound() }, 60), Vec::<&str>::new());
        assert_eq!(seconds(&mut interlocks, sound(), 10), ["trip_ended"]);
    }

    #[test]
    fn the_fourth_over_temperature_of_an_hour_stays_until_a_person_resets_it() {
        let mut interlocks = Interlocks::default();
        let hot = Sight { supply: Some(Celsius(86.0)), ..sound() };
        for _ in 0..3 {
            seconds(&mut interlocks, hot, 3);
            assert_eq!(seconds(&mut interlocks, sound(), 20), ["trip_ended"]);
        }
        seconds(&mut interlocks, hot, 3);
        assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
        interlocks.ask_reset().unwrap();
        assert_eq!(seconds(&mut interlocks, sound(), 60), ["trip_ended"]);
    }

    #[test]
    fn low_pressure_stops_pumps_and_heat_until_the_restart_pressure() {
        let mut interlocks = Interlocks::default();
        let low = Sight { holding_pressure: Some(Pascals(140_000.0)), ..sound() };
        seconds(&mut interlocks, low, 6);
        assert_eq!(interlocks.stops_circulation(), Some(Trip::PressureLow));
        assert_eq!(interlocks.stops_make_up(), None);
        seconds(&mut interlocks, Sight { holding_pressure: Some(Pascals(180_000.0)), ..sound() }, 60);
        assert!(interlocks.holds(Trip::PressureLow));
        seconds(&mut interlocks, sound(), 10);
        assert!(!interlocks.holds(Trip::PressureLow));
    }

    #[test]
    fn unknown_circulation_counts_as_none() {
        let mut interlocks = Interlocks::default();
        seconds(&mut interlocks, Sight { circulating: None, ..sound() }, 3);
        assert_eq!(interlocks.closes_valve(), Some(Trip::NoCirculation));
        assert_eq!(interlocks.stops_circulation(), None);
    }

    #[test]
    fn an_emergency_stop_stays_after_its_release() {
        let mut interlocks = Interlocks::default();
        seconds(&mut interlocks, Sight { emergency_stop: Contact::Acted, ..sound() }, 1);
        assert!(interlocks.stops_circulation().is_some() && interlocks.stops_make_up().is_some());
        assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
        interlocks.ask_reset().unwrap();
        assert_eq!(seconds(&mut interlocks, sound(), 1), ["trip_ended"]);
    }

    #[test]
    fn a_reset_while_the_button_is_pressed_does_not_let_its_release_start_the_plant() {
        let mut interlocks = Interlocks::default();
        assert_eq!(interlocks.ask_reset(), Err(Refusal::NoSuchThing));
        let pressed = Sight { emergency_stop: Contact::Acted, ..sound() };
        seconds(&mut interlocks, pressed, 5);
        assert_eq!(interlocks.ask_reset(), Err(Refusal::StillTripped));
        assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
        // Pressed again in the second of the reset: the reset is void.
        assert_eq!(interlocks.ask_reset(), Ok(()));
        seconds(&mut interlocks, pressed, 5);
        assert_eq!(seconds(&mut interlocks, sound(), 60), Vec::<&str>::new());
        assert!(interlocks.holds(Trip::EmergencyStop));
    }
}
