//! A circuit: its curve and limits, room feedback, loop, frost, outage, and what outside wishes may do.

use heatstation_core::settings::{
    CircuitSettings, EnvelopeSettings, FrostSettings, InterlockSettings, OutageSettings, RoomTrimSettings,
    SupplyLoopSettings, SupplySettings, ValveSettings,
};
use heatstation_points::{BuildingIndex, CircuitNames};

use crate::check::curve::{Design, check_curve, check_design};
use crate::check::week::check_schedule;
use crate::check::{Base, places, pumps};
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or, shown};
use crate::raw::{RawCircuit, RawEmitter, RawFile};
use crate::written::Written;

/// No cabinet serves more.
const CIRCUITS_MAX: usize = 8;

/// Screed and pipes bear 60 °C in operation: °C at which the valve of a floor's circuit closes at the latest.
const FLOOR_TRIP_MAX: f64 = 65.0;

/// A circuit with what later rules ask about it.
pub(crate) struct CheckedCircuit {
    pub section: Section,
    pub names: CircuitNames,
    pub heated_area: Field<f64>,
    pub settings: CircuitSettings,
    pub room_buildings: Vec<Option<BuildingIndex>>,
    pub supply_trip_delay: Field<f64>,
    pub circulation_delay: Field<f64>,
    pub room_count: usize,
}

pub(crate) fn check_all(desk: &mut Desk, file: &RawFile, base: &Base) -> Vec<CheckedCircuit> {
    if file.circuit.is_empty() {
        let place = crate::problem::Place::default();
        desk.missing(&place, "circuit", "write [[circuit]] with name, heated_area_m2 and emitter");
    }
    if let Some(surplus) = file.circuit.get(CIRCUITS_MAX) {
        let at = Section::new("circuit", 0, &surplus.span);
        desk.error(
            &at.place,
            "circuit",
            format!("there are more than {CIRCUITS_MAX} circuits"),
            "make it two stations",
        );
    }
    let mut circuits: Vec<CheckedCircuit> = Vec::new();
    for written in &file.circuit {
        let circuit = check(desk, written, base);
        if circuits.iter().any(|other| other.names.name == circuit.names.name) {
            let what = format!("there is a circuit {} already", circuit.names.name);
            desk.error(
                &circuit.section.place,
                circuit.section.key("name"),
                what,
                "give each circuit a name of its own",
            );
        }
        circuits.push(circuit);
    }
    circuits
}

fn check(desk: &mut Desk, written: &Written<RawCircuit>, base: &Base) -> CheckedCircuit {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("circuit.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let heated_area = number!(desk, at, raw.heated_area_m2, 10.0..=5_000_000.0, Otherwise::Required("86000"));
    places::two_decimals(desk, &heated_area);

    let design = check_design(desk, &at, raw, &heated_area, base);
    let supply = check_supply(desk, &at, raw, &design);
    let room_target = check_room_target(desk, &at, raw, base);
    let curve = check_curve(desk, &at, raw, &design, &room_target, base);
    let rooms = places::check(desk, &at, raw, base, &heated_area);
    let circulation = pumps::circulation(desk, &at, raw, design.flow);
    let pressure = pumps::pressure(desk, &at, raw, &heated_area);
    let interlock = check_interlock(desk, &at, raw, &design, &supply, pressure.interlock);
    let frost = check_frost(desk, &at, raw, &supply.1);
    let outage = check_outage(desk, &at, raw, &supply.0);

    let settings = CircuitSettings {
        name: name.value.clone(),
        heated_area: places::area(&heated_area),
        buildings: rooms.buildings,
        rooms: rooms.rooms,
        curve,
        room_target: room_target.celsius(),
        design_flow: design.compared,
        design_power: design.power,
        room_trim: check_room_trim(desk, &at, raw, design.emitter, base),
        schedule: check_schedule(desk, &at, &raw.schedule),
        supply: supply.2,
        supply_loop: check_supply_loop(desk, &at, raw),
        valve: check_valve(desk, &at, raw),
        circulation,
        make_up: pressure.make_up,
        interlock: interlock.0,
        frost,
        outage,
        envelope: check_envelope(desk, &at, raw),
    };
    CheckedCircuit {
        names: CircuitNames {
            name: name.value,
            circulation_pumps: settings.circulation.pumps,
            make_up_pumps: settings.make_up.map_or(0, |make_up| make_up.pumps),
            buildings: settings.buildings.iter().map(|building| building.name.clone()).collect(),
            rooms: settings.rooms.iter().map(|room| room.name.clone()).collect(),
        },
        room_count: settings.rooms.len(),
        section: at,
        heated_area,
        settings,
        room_buildings: rooms.room_buildings,
        supply_trip_delay: interlock.1,
        circulation_delay: interlock.2,
    }
}

/// The lowest and the highest setpoint as fields, and the limits.
type Supply = (Field<f64>, Field<f64>, SupplySettings);

fn check_supply(desk: &mut Desk, at: &Section, raw: &RawCircuit, design: &Design) -> Supply {
    let is_floor = design.emitter == RawEmitter::Floor;
    let floor_max = "water in a floor is at most 60 °C (JGJ 142-2012, 3.1.1)";
    let usual_min = if is_floor {
        or(27.0, "a floor in the mildest weather")
    } else {
        or(30.0, "radiators in the mildest weather")
    };
    let min = number!(desk, at, raw.supply_min_celsius, 15.0..=80.0, usual_min);
    let usual_max = if is_floor {
        derived((design.supply.value + 5.0).min(60.0), "design supply + 5 K, at most 60 °C")
    } else {
        derived(design.supply.value + 5.0, "design supply + 5 K")
    };
    let max = number!(desk, at, raw.supply_max_celsius, 25.0..=115.0, usual_max);
    if is_floor && max.sound && max.value > 60.0 {
        desk.error(&max.place, max.key.as_str(), format!("{} °C is too hot for a floor", shown(max.value)), floor_max);
    }
    desk.below(&min, &max, "the setpoint needs room to move");
    desk.not_above(&design.supply, &max, "the design day needs the design supply temperature");

    let (rise, fall) = if is_floor {
        (or(4.0, "3 to 5 K/h: screed cracks when heated faster"), or(4.0, "3 to 5 K/h, as for the rise"))
    } else {
        (
            or(20.0, "10 to 30 K/h is usual in a cold season start"),
            or(15.0, "contraction draws make-up water, about 46 L per K and 100 m³"),
        )
    };
    let rise = number!(desk, at, raw.supply_rise_kelvins_per_hour, 0.5..=120.0, rise);
    let fall = number!(desk, at, raw.supply_fall_kelvins_per_hour, 0.5..=120.0, fall);
    let settings = SupplySettings {
        min: min.celsius(),
        max: max.celsius(),
        rise_per_hour: rise.kelvins(),
        fall_per_hour: fall.kelvins(),
    };
    (min, max, settings)
}

fn check_room_target(desk: &mut Desk, at: &Section, raw: &RawCircuit, base: &Base) -> Field<f64> {
    let minimum = base.standard.as_ref().map_or(18.0, |standard| standard.room.dwelling_min_celsius.value.value);
    let usual = derived(minimum + 2.0, "the standard's minimum for dwellings + 2 K: flats scatter by 1.0 to 1.6 K");
    let target = number!(desk, at, raw.room_target_celsius, 10.0..=28.0, usual);
    desk.below(&base.design_outdoor, &target, "heat flows from the room to the outdoors");
    if target.written && target.sound && target.value < minimum {
        let what = format!("{} °C is below the standard's minimum of {} °C", shown(target.value), shown(minimum));
        let help = "half of the rooms are colder than the target: aim 2 K above the minimum";
        desk.error(&target.place, target.key.as_str(), what, help);
    }
    target
}

fn check_room_trim(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    emitter: RawEmitter,
    base: &Base,
) -> RoomTrimSettings {
    let written = file.room_trim.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("room_trim", file.room_trim.as_ref()));
    let usual = RoomTrimSettings::default();
    let target =
        base.standard.as_ref().and_then(|standard| standard.target.room_pass.as_ref().map(|rule| (&standard.id, rule)));
    let share = match target {
        Some((id, rule)) => {
            let (passing, all) = rule.value.value;
            // A target of all rooms has no tail to look at: one in a thousand is as far as an estimate reaches.
            let rest = (all.saturating_sub(passing) as f64 / all.max(1) as f64).max(0.001);
            Otherwise::Standard(rest, format!("{id} {}: the rest of {passing} of {all} rooms", rule.clause))
        }
        None => or(usual.cold_share.0, "98 % of the rooms shall pass"),
    };
    let share = number!(desk, at, raw.cold_share_ratio, 0.001..=0.5, share);
    let gain =
        number!(desk, at, raw.gain, 0.0..=3.0, or(usual.gain, "0.5 to 1.5; more oscillates with a period of days"));
    let slow = if emitter == RawEmitter::Floor {
        or(72.0, "48 to 96 h for floors")
    } else {
        or(usual.integral_time.as_secs_f64() / 3600.0, "24 to 72 h for radiators")
    };
    let integral = number!(desk, at, raw.integral_time_hours, 6.0..=240.0, slow);
    let lower =
        number!(desk, at, raw.lower_max_kelvins, 0.0..=6.0, or(usual.lower_max.0, "the correction is at most 3 K"));
    let raise =
        number!(desk, at, raw.raise_max_kelvins, 0.0..=6.0, or(usual.raise_max.0, "the correction is at most 3 K"));
    let lower_rate = number!(
        desk,
        at,
        raw.lower_rate_kelvins_per_hour,
        0.01..=2.0,
        or(usual.lower_rate.0, "slower than the rise: a cold flat is worse than a warm one")
    );
    let raise_rate = number!(
        desk,
        at,
        raw.raise_rate_kelvins_per_hour,
        0.01..=2.0,
        or(usual.raise_rate.0, "half a kelvin an hour is what a building can follow")
    );
    let sensors = count!(
        desk,
        at,
        raw.sensors_min,
        1..=500,
        or(usual.sensors_min as u64, "with fewer the estimate of the coldest rooms is a guess")
    );
    RoomTrimSettings {
        cold_share: share.ratio(),
        gain: gain.value,
        integral_time: integral.duration(),
        lower_max: lower.kelvins(),
        raise_max: raise.kelvins(),
        raise_rate: raise_rate.kelvins(),
        lower_rate: lower_rate.kelvins(),
        sensors_min: sensors.value as usize,
    }
}

fn check_supply_loop(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> SupplyLoopSettings {
    let written = file.supply_loop.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("supply_loop", file.supply_loop.as_ref()));
    let usual = SupplyLoopSettings::default();
    let gain = number!(
        desk,
        at,
        raw.gain_per_kelvin,
        0.0005..=0.5,
        or(usual.gain_per_kelvin, "Danfoss ECL, Xp 80 K: 0.09 to 0.24 K of error at 2.6 to 6.9 strokes a day")
    );
    let integral = number!(
        desk,
        at,
        raw.integral_time_seconds,
        5.0..=3600.0,
        or(usual.integral_time.as_secs_f64(), "Danfoss ECL, Tn 30 s")
    );
    let sample = number!(
        desk,
        at,
        raw.sample_time_seconds,
        1.0..=60.0,
        or(usual.sample_time.as_secs_f64(), "1 to 5 s; the sensor's own lag is 12 s")
    );
    let band = number!(
        desk,
        at,
        raw.dead_band_ratio,
        0.0..=0.1,
        or(usual.dead_band.0, "0.25 to 1 % of the stroke: every small stroke wears")
    );
    SupplyLoopSettings {
        gain_per_kelvin: gain.value,
        integral_time: integral.duration(),
        sample_time: sample.duration(),
        dead_band: band.ratio(),
    }
}

fn check_valve(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> ValveSettings {
    let written = file.valve.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("valve", file.valve.as_ref()));
    let usual = ValveSettings::default();
    let min = number!(desk, at, raw.position_min_ratio, 0.0..=0.9, or(usual.position_min.0, "the valve may close"));
    let max = number!(desk, at, raw.position_max_ratio, 0.1..=1.0, or(usual.position_max.0, "the valve may open"));
    let stroke = number!(
        desk,
        at,
        raw.stroke_time_seconds,
        1.0..=600.0,
        or(usual.stroke_time.as_secs_f64(), "35 to 180 s; 120 s is common")
    );
    let deviation =
        number!(desk, at, raw.deviation_max_ratio, 0.005..=0.5, or(usual.deviation_max.0, "5 % of the stroke"));
    desk.below(&min, &max, "the valve needs room to move");
    ValveSettings {
        position_min: min.ratio(),
        position_max: max.ratio(),
        stroke_time: stroke.duration(),
        deviation_max: deviation.ratio(),
    }
}

/// Interlocks, and the two delays that a law is about.
type Interlocks = (InterlockSettings, Field<f64>, Field<f64>);

fn check_interlock(
    desk: &mut Desk,
    circuit: &Section,
    file: &RawCircuit,
    design: &Design,
    supply: &Supply,
    pressure: pumps::PressureLimits,
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
    };
    (settings, trip_delay, circulation_delay)
}

fn check_frost(desk: &mut Desk, circuit: &Section, file: &RawCircuit, supply_max: &Field<f64>) -> FrostSettings {
    let written = file.frost.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("frost", file.frost.as_ref()));
    let usual = FrostSettings::default();
    let outdoor =
        number!(desk, at, raw.outdoor_celsius, -10.0..=10.0, or(usual.outdoor.0, "Danfoss 2 °C, Samson 3 °C"));
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
        water: water.celsius(),
        water_restored: restored.celsius(),
        supply: supply.celsius(),
    }
}

fn check_outage(desk: &mut Desk, circuit: &Section, file: &RawCircuit, supply_min: &Field<f64>) -> OutageSettings {
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

fn check_envelope(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> EnvelopeSettings {
    let written = file.envelope.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("envelope", file.envelope.as_ref()));
    let usual = EnvelopeSettings::default();
    let lower = number!(
        desk,
        at,
        raw.lower_max_kelvins,
        0.0..=40.0,
        or(usual.lower_max.0, "a wish is a wish: what it may take away is bounded")
    );
    let raise = number!(
        desk,
        at,
        raw.raise_max_kelvins,
        0.0..=20.0,
        or(usual.raise_max.0, "supervised strategies stay within 6 K of the curve")
    );
    let rate = number!(
        desk,
        at,
        raw.rate_kelvins_per_minute,
        0.05..=10.0,
        or(usual.rate_per_minute.0, "no step in the network's load")
    );
    let life = number!(
        desk,
        at,
        raw.life_max_hours,
        0.1..=168.0,
        or(usual.life_max.as_secs_f64() / 3600.0, "a wish that nobody renews within a day is forgotten")
    );
    let frost = number!(desk, at, raw.frost_celsius, -20.0..=10.0, or(usual.frost.0, "frost begins at 0 °C"));
    let frost_lower = number!(
        desk,
        at,
        raw.frost_lower_max_kelvins,
        0.0..=20.0,
        or(usual.frost_lower_max.0, "in frost a wish must not freeze a flat")
    );
    desk.not_above(&frost_lower, &lower, "frost takes freedom away, it gives none");
    EnvelopeSettings {
        lower_max: lower.kelvins(),
        raise_max: raise.kelvins(),
        rate_per_minute: rate.kelvins(),
        life_max: life.duration(),
        frost: frost.celsius(),
        frost_lower_max: frost_lower.kelvins(),
    }
}
