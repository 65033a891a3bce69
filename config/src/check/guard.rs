//! Interlocks, frost protection, detection of outages.

use std::time::Duration;

use heatstation_core::settings::{FloodPolicy, FrostSettings, InterlockSettings, IsolationSettings, OutageSettings};
use heatstation_points::{Celsius, Pascals};

use crate::check::curve::Design;
use crate::check::make_up;
use crate::check::supply::Supply;
use crate::check::times::share_of;
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or, shown};
use crate::raw::{RawCircuit, RawEmitter, RawFlood, RawInterlock};

/// Screed and pipes bear 60 °C in operation: °C at which the valve of a floor's circuit closes at the latest.
const FLOOR_TRIP_MAX: f64 = 65.0;

/// Interlocks, and the two delays that a law is about.
pub(crate) type Interlocks = (InterlockSettings, Field<f64>, Field<f64>);

pub(crate) fn check_interlock(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    design: &Design,
    supply: &Supply,
    pressure: make_up::PressureLimits,
    station: &str,
) -> Interlocks {
    let written = file.interlock.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("interlock", file.interlock.as_ref()));
    let usual = if design.emitter == RawEmitter::Floor {
        derived((supply.1.value + 5.0).min(FLOOR_TRIP_MAX), "the highest setpoint + 5 K, at most 65 °C")
    } else {
        derived(supply.1.value + 5.0, "the highest setpoint + 5 K")
    };
    let trip = number!(desk, at, raw.supply_trip_celsius, 30.0..=120.0, usual);
    desk.below(&supply.1, &trip, "normal operation must not trip");
    if design.emitter == RawEmitter::Floor && trip.sound && trip.value > FLOOR_TRIP_MAX {
        let help = "screed and pipes bear 60 °C in operation; trip at 65 °C at most";
        desk.error(&trip.place, trip.key.as_str(), format!("{} °C is too hot for a floor", shown(trip.value)), help);
    }
    let law = "too hot a supply or no circulation closes the valve within 5 s, reading and writing included";
    let reset = number!(desk, at, raw.supply_reset_kelvins, 1.0..=30.0, or(5.0, "below the limit by 5 K"));
    let trip_delay = number!(desk, at, raw.supply_trip_delay_seconds, 0.0..=3.0, or(2.0, law));
    let circulation_delay = number!(desk, at, raw.circulation_delay_seconds, 0.0..=3.0, or(2.0, law));
    let circulation_reset =
        number!(desk, at, raw.circulation_reset_seconds, 0.0..=600.0, or(30.0, "circulation has settled"));
    let mains =
        number!(desk, at, raw.mains_return_seconds, 0.0..=900.0, or(45.0, "30 to 60 s until the voltage is stable"));
    let hold = number!(
        desk,
        at,
        raw.sensor_hold_seconds,
        0.0..=600.0,
        or(60.0, "a connection that comes back does so within a minute")
    );
    let substitute = number!(
        desk,
        at,
        raw.sensor_substitute_minutes,
        0.0..=240.0,
        or(30.0, "Samson: 30 min on its own after the centre is lost")
    );
    let safe = number!(
        desk,
        at,
        raw.valve_safe_cold_ratio,
        0.0..=1.0,
        or(0.3, "Samson TROVIS: valve to 30 % when the flow sensor fails")
    );
    let below = number!(
        desk,
        at,
        raw.valve_safe_below_celsius,
        -30.0..=20.0,
        or(5.0, "above 5 °C the buildings bear a closed valve")
    );
    let trips =
        count!(desk, at, raw.trips_per_hour_max, 1..=20, or(3, "three automatic resets an hour, then a person looks"));
    let around = check_around(desk, &at, raw, file, station);
    let settings = InterlockSettings {
        supply_trip: trip.celsius(),
        supply_reset: reset.kelvins(),
        supply_trip_delay: trip_delay.duration(),
        circulation_delay: circulation_delay.duration(),
        circulation_reset: circulation_reset.duration(),
        pressure_protect: pressure.protect,
        pressure_restart: pressure.restart,
        pressure_delay: pressure.delay,
        mains_return: mains.duration(),
        pressure_trip: pressure.trip,
        sensor_hold: hold.duration(),
        sensor_substitute: substitute.duration(),
        valve_safe_cold: safe.ratio(),
        valve_safe_below: below.celsius(),
        trips_per_hour_max: trips.value as u8,
        mains_stagger: around.mains_stagger,
        primary_pressure_min: around.primary_pressure_min,
        relief_open_max: around.relief_open_max,
        flood: around.flood,
        plant_room_max: around.plant_room_max,
    };
    (settings, trip_delay, circulation_delay)
}

/// What interlocks look at around the circuit: power, the primary side, the plant room.
struct Around {
    mains_stagger: Duration,
    primary_pressure_min: Option<Pascals>,
    relief_open_max: Duration,
    flood: FloodPolicy,
    plant_room_max: Celsius,
}

fn check_around(desk: &mut Desk, at: &Section, raw: &RawInterlock, file: &RawCircuit, station: &str) -> Around {
    let own = derived(
        (share_of(station) * STAGGER_MAX).round(),
        "0 to 120 s by the station's id: stations of a district do not start together",
    );
    let stagger = number!(desk, at, raw.mains_stagger_seconds, 0.0..=900.0, own);
    let primary = raw.primary_pressure_min_kilopascals.as_ref().map(|_| {
        let asked = Otherwise::Required("250");
        number!(desk, at, raw.primary_pressure_min_kilopascals, 10.0..=2500.0, asked).kilopascals()
    });
    let relief = number!(
        desk,
        at,
        raw.relief_open_max_seconds,
        5.0..=3600.0,
        or(60.0, "a relief valve that works has done so within a minute")
    );
    let usual = or(RawFlood::CloseInlet, "what runs into a flooded room is shut off");
    let flood = desk.choice(at, "flood", raw.flood.as_ref(), usual, RawFlood::CloseInlet);
    let room = number!(
        desk,
        at,
        raw.plant_room_max_celsius,
        25.0..=70.0,
        or(45.0, "Danfoss FC 102: 45 °C as the mean of a day without derating")
    );
    if flood.value == RawFlood::CloseInletAndIsolate && file.isolation.is_none() {
        let help = "write [circuit.isolation], or `flood = \"close-inlet\"`";
        desk.error(&flood.place, flood.key.as_str(), "there is no isolation valve to close", help);
    }
    Around {
        mains_stagger: stagger.duration(),
        primary_pressure_min: primary,
        relief_open_max: relief.duration(),
        flood: match flood.value {
            RawFlood::Alarm => FloodPolicy::Alarm,
            RawFlood::CloseInlet => FloodPolicy::CloseInlet,
            RawFlood::CloseInletAndIsolate => FloodPolicy::CloseInletAndIsolate,
        },
        plant_room_max: room.celsius(),
    }
}

/// The longest own wait of a station after a return of power, s.
const STAGGER_MAX: f64 = 120.0;

pub(crate) fn check_isolation(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> Option<IsolationSettings> {
    let written = file.isolation.as_ref()?;
    let (raw, at) = (&written.value, circuit.inner("isolation", Some(written)));
    let time = number!(desk, at, raw.close_time_seconds, 1.0..=120.0, or(10.0, "spring-return actuators: 5 to 20 s"));
    Some(IsolationSettings { close_time: time.duration() })
}

pub(crate) fn check_frost(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    supply_max: &Field<f64>,
) -> FrostSettings {
    let written = file.frost.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("frost", file.frost.as_ref()));
    let usual = FrostSettings::default();
    let outdoor =
        number!(desk, at, raw.outdoor_celsius, -10.0..=10.0, or(usual.outdoor.0, "Danfoss 2 °C, Samson 3 °C"));
    let stir_below = number!(
        desk,
        at,
        raw.stir_below_celsius,
        3.0..=30.0,
        or(usual.stir_below.0, "Siemens RVD without an outdoor sensor: flow below 10 °C")
    );
    let stir_for = number!(
        desk,
        at,
        raw.stir_for_minutes,
        1.0..=120.0,
        or(usual.stir_for.as_secs_f64() / 60.0, "Siemens RVD: 10 min")
    );
    let stir_every = number!(
        desk,
        at,
        raw.stir_every_hours,
        1.0..=24.0,
        or(usual.stir_every.as_secs_f64() / 3600.0, "Siemens RVD: every 6 h")
    );
    if stir_for.sound && stir_every.sound && stir_for.duration() >= stir_every.duration() {
        let help = "water that is to be stirred from time to time stands in between";
        desk.error(&stir_for.place, stir_for.key.as_str(), "is no shorter than stir_every_hours", help);
    }
    let danger = number!(
        desk,
        at,
        raw.danger_celsius,
        3.0..=15.0,
        or(usual.danger.0, "Siemens RVD: frost setpoint of a building 8 °C")
    );
    let water = number!(
        desk,
        at,
        raw.water_celsius,
        2.0..=20.0,
        or(usual.water.0, "Siemens RVD: continuous pump and heat below 5 °C")
    );
    let restored = number!(
        desk,
        at,
        raw.water_restored_celsius,
        3.0..=30.0,
        or(usual.water_restored.0, "Siemens RVD: a demand of 10 °C")
    );
    let supply = number!(
        desk,
        at,
        raw.supply_celsius,
        10.0..=50.0,
        or(usual.supply.0, "Samson TROVIS 5476: 20 °C flow under frost protection")
    );
    desk.rising(&[&water, &restored, &supply], "frost protection ends above where it began, and heats above that");
    desk.not_above(&supply, supply_max, "frost protection obeys the ceiling too");
    FrostSettings {
        outdoor: outdoor.celsius(),
        stir_below: stir_below.celsius(),
        stir_for: stir_for.duration(),
        stir_every: stir_every.duration(),
        danger: danger.celsius(),
        water: water.celsius(),
        water_restored: restored.celsius(),
        supply: supply.celsius(),
    }
}

pub(crate) fn check_outage(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    supply_min: &Field<f64>,
) -> OutageSettings {
    let written = file.outage.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("outage", file.outage.as_ref()));
    let usual = OutageSettings::default();
    let confirm = number!(
        desk,
        at,
        raw.confirm_after_minutes,
        1.0..=120.0,
        or(
            usual.confirm_after.as_secs_f64() / 60.0,
            "the standards are silent; an outage counts from its first cold moment anyway"
        )
    );
    let floor = number!(
        desk,
        at,
        raw.supply_floor_celsius,
        10.0..=60.0,
        or(usual.supply_floor.0, "the standards are silent; water of 25 °C heats no room")
    );
    let undersupply = number!(
        desk,
        at,
        raw.undersupply_kelvins,
        2.0..=50.0,
        or(usual.undersupply.0, "Danfoss and Siemens: under-temperature is more than 10 K")
    );
    let power = number!(
        desk,
        at,
        raw.power_floor_ratio,
        0.0..=0.3,
        or(usual.power_floor.0, "less is the noise of a heat meter")
    );
    desk.below(&floor, supply_min, "else mild weather would be booked as an outage");
    OutageSettings {
        confirm_after: confirm.duration(),
        supply_floor: floor.celsius(),
        undersupply: undersupply.kelvins(),
        power_floor: power.ratio(),
    }
}
