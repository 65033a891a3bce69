//! Interlocks: what outranks all else. They have the last word on every output, in manual too.
//!
//! Software is the second line. Safety thermostats, safety valves, low-pressure switches and the emergency stop act in
//! hardware without this program; here they are read, obeyed and recorded.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Pascals, Reading, Switch};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::request::Refusal;
use crate::settings::{FloodPolicy, InterlockSettings, MakeUpSettings};
use crate::timer::Held;

mod rule;
mod trip;

use rule::rule;
pub use trip::Trip;

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
    /// Tank level above the mark at which its inlet should have closed, by level or switch.
    pub tank_high: bool,
    /// Tank level back below that mark.
    pub tank_lowered: bool,
    /// Primary supply pressure.
    pub primary_pressure: Option<Pascals>,
    /// What can close the primary side beside the valve; none where nothing can.
    pub isolation: Option<Isolation>,
    /// The relief valve stands open, as its contact says or else as it was told.
    pub relief_open: bool,
    /// Water stands in the plant room.
    pub flooded: Contact,
    /// Temperature of the plant room.
    pub plant_room: Option<Celsius>,
}

/// How the isolation valve's interlock judges the primary valve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Isolation {
    /// An interlock has told the valve to close.
    pub told_to_close: bool,
    /// The time in which it closes and its water cools.
    pub closes_within: Duration,
    /// Whether it says that it is closed; none where it has no feedback.
    pub closed: Option<bool>,
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
    #[serde(with = "by_trip")]
    latches: [Latch; Trip::ALL.len()],
    /// Over-temperature trips that wait to be forgotten, one an hour's share: a leaky bucket.
    recent_over_temperatures: f64,
}

/// A saved state names each trip, so that it means the same to a program with more of them.
mod by_trip {
    use super::{Latch, Trip};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    const COUNT: usize = Trip::ALL.len();

    /// The trips of the first edition, whose states stand in this order without their names.
    const UNNAMED: [Trip; 11] = [
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
        Trip::TankLow,
    ];

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        Named(Vec<(Trip, Latch)>),
        Unnamed(Vec<Latch>),
    }

    pub fn serialize<S: Serializer>(latches: &[Latch; COUNT], serializer: S) -> Result<S::Ok, S::Error> {
        Trip::ALL.into_iter().zip(latches).collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<[Latch; COUNT], D::Error> {
        let named = match Saved::deserialize(deserializer)? {
            Saved::Named(named) => named,
            Saved::Unnamed(latches) => UNNAMED.into_iter().zip(latches).collect(),
        };
        let mut latches = [Latch::default(); COUNT];
        for (trip, latch) in named {
            latches[trip as usize] = latch;
        }
        Ok(latches)
    }
}

impl Interlocks {
    /// The state of a plant of which nothing is known yet: circulation counts as unproven until it is seen.
    pub fn at_start() -> Interlocks {
        let mut interlocks = Interlocks::default();
        interlocks.latches[Trip::NoCirculation as usize].active = true;
        interlocks
    }

    /// The plant stands although it ran before nobody looked: most likely power was away. It waits as after any return of
    /// power, so that the stations of a district do not start together.
    /// Whether that is news.
    pub(crate) fn assume_power_failed(&mut self) -> bool {
        let latch = &mut self.latches[Trip::MainsLost as usize];
        let news = !latch.active;
        *latch = Latch { active: true, ..Latch::default() };
        news
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

    /// What closes the make-up tank's inlet.
    pub fn closes_inlet(&self) -> Option<Trip> {
        self.active().find(|trip| trip.closes_inlet())
    }

    /// What closes the isolation valve of the primary side.
    pub fn isolates(&self, settings: &InterlockSettings) -> Option<Trip> {
        let by_flood = settings.flood == FloodPolicy::CloseInletAndIsolate;
        self.active().find(|&trip| trip.isolates() || (trip == Trip::Flooded && by_flood))
    }

    /// Whether the drives are spared until the plant room has cooled.
    pub fn slows_drives(&self) -> bool {
        self.holds(Trip::PlantRoomHot)
    }
}

#[cfg(test)]
mod tests;
