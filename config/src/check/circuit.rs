//! A circuit: its curve and limits, room feedback, loop, frost, outage, and what outside wishes may do.

use heatstation_core::heating_curve::{Curve, EmitterCurve, PointCurve};
use heatstation_core::moment::Weekday;
use heatstation_core::schedule::{Period, Schedule};
use heatstation_core::settings::{
    CircuitSettings, EnvelopeSettings, FrostSettings, OutageSettings, RoomTrimSettings, SupplyLoopSettings,
    SupplySettings, ValveSettings,
};
use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{BuildingIndex, Celsius, CircuitNames, CubicMetersPerSecond, Watts};

use crate::check::{Base, places, pumps};
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or, shown, word};
use crate::raw::{RawCircuit, RawCurve, RawDay, RawEmitter, RawFile, RawPeriod};
use crate::written::Written;

/// No cabinet serves more.
const CIRCUITS_MAX: usize = 8;

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

/// The temperatures that a circuit was designed for, and what goes with its emitters.
struct Design {
    emitter: RawEmitter,
    supply: Field<f64>,
    return_: Field<f64>,
    room: Field<f64>,
    power: Watts,
    /// The flow that carries the design power.
    flow: CubicMetersPerSecond,
    /// The flow that the measured one is compared with; none switches the correction off.
    compared: Option<CubicMetersPerSecond>,
}

pub(crate) fn check_all(desk: &mut Desk, file: &RawFile, base: &Base) -> Vec<CheckedCircuit> {
    if file.circuit.is_empty() {
        let place = crate::problem::Place::default();
        desk.error(&place, "circuit", "is missing", "write [[circuit]] with name, heated_area_m2 and emitter");
    }
    if let Some(surplus) = file.circuit.get(CIRCUITS_MAX) {
        let at = Section::new("circuit", 0, &surplus.span);
        desk.error(&at.place, "circuit", format!("there are more than {CIRCUITS_MAX} circuits"), "make it two stations");
    }
    let mut circuits: Vec<CheckedCircuit> = Vec::new();
    for written in &file.circuit {
        let circuit = check(desk, written, base);
        if circuits.iter().any(|other| other.names.name == circuit.names.name) {
            let what = format!("there is a circuit {} already", circuit.names.name);
            desk.error(&circuit.section.place, circuit.section.key("name"), what, "give each circuit a name of its own");
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
        room_trim: check_room_trim(desk, &at, raw, design.emitter),
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

fn check_design(desk: &mut Desk, at: &Section, raw: &RawCircuit, area: &Field<f64>, base: &Base) -> Design {
    let example = Otherwise::Required("\"radiator\"");
    let emitter = desk.choice(at, "emitter", raw.emitter.as_ref(), example, RawEmitter::Radiator).value;
    let (supply, return_, source) = match emitter {
        RawEmitter::Radiator => (75.0, 50.0, "radiators are designed for 75/50 °C (GB 50736-2012, 5.3.1)"),
        RawEmitter::Floor => (45.0, 35.0, "floors are designed for 35 to 45 °C and at most 10 K of spread (GB 50736-2012, 5.4.1)"),
        RawEmitter::FanCoil => (60.0, 50.0, "fan coils are usually designed for 60/50 °C"),
    };
    let supply = number!(desk, at, raw.design_supply_celsius, 25.0..=110.0, or(supply, source));
    let return_ = number!(desk, at, raw.design_return_celsius, 20.0..=90.0, or(return_, source));
    let room = number!(desk, at, raw.design_room_celsius, 5.0..=30.0, or(18.0, "the room temperature of JGJ 26 and of the network design codes"));
    desk.below(&base.design_outdoor, &room, "heat flows from the room to the outdoors");
    desk.below(&room, &return_, "heat flows from the water to the room");
    desk.below(&return_, &supply, "heat flows from the water to the room");
    if emitter == RawEmitter::Floor && supply.sound && supply.value > 60.0 {
        let help = "water in a floor is at most 60 °C (JGJ 142-2012, 3.1.1), better 35 to 45 °C";
        desk.error(&supply.place, supply.key.as_str(), format!("{} °C is too hot for a floor", shown(supply.value)), help);
    }

    let load = number!(desk, at, raw.design_heat_load_watts_per_m2, 5.0..=150.0, or(45.0, "40 to 45 W/m² for insulated dwellings (CJJ 34, network design)"));
    let power = Watts(load.value * area.value);
    let spread = (supply.value - return_.value).max(1.0);
    let flow = CubicMetersPerSecond(power.0 / (WATER_DENSITY * WATER_HEAT_CAPACITY * spread));
    let formula = "area × heat load / (density × heat capacity × (supply − return))";
    let key = at.key("design_flow_m3_per_hour");
    let compared = if raw.design_flow_m3_per_hour.is_some() || load.written {
        let usual = derived(flow.0 * 3600.0, formula);
        let field = number!(desk, at, raw.design_flow_m3_per_hour, 0.1..=5000.0, usual);
        Some(field.m3_per_hour())
    } else {
        // A guessed load would make a guessed flow ratio, and the curve would follow the guess.
        let reason = "off: neither the design flow nor the heat load is written";
        desk.explain(&key, "none", crate::explain::From::Default { reason: reason.into() });
        None
    };
    Design { emitter, supply, return_, room, power, flow: compared.unwrap_or(flow), compared }
}

/// The lowest and the highest setpoint as fields, and the limits.
type Supply = (Field<f64>, Field<f64>, SupplySettings);

fn check_supply(desk: &mut Desk, at: &Section, raw: &RawCircuit, design: &Design) -> Supply {
    let is_floor = design.emitter == RawEmitter::Floor;
    let floor_max = "water in a floor is at most 60 °C (JGJ 142-2012, 3.1.1)";
    let usual_min = if is_floor { or(27.0, "a floor in the mildest weather") } else { or(30.0, "radiators in the mildest weather") };
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
        (or(20.0, "10 to 30 K/h is usual in a cold season start"), or(15.0, "contraction draws make-up water, about 46 L per K and 100 m³"))
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

fn check_curve(
    desk: &mut Desk,
    at: &Section,
    circuit: &RawCircuit,
    design: &Design,
    room_target: &Field<f64>,
    base: &Base,
) -> Curve {
    let default = RawCurve::default();
    let section = at.inner("curve", circuit.curve.as_ref());
    let raw = circuit.curve.as_ref().map_or(&default, |written| &written.value);
    if let Some(points) = &raw.points_celsius {
        if let Some(exponent) = &raw.exponent {
            let help = "a curve has an exponent or points, not both";
            desk.error(&section.at(&exponent.span), section.key("exponent"), "has no meaning beside points", help);
        }
        let room = number!(desk, section, raw.points_room_celsius, 10.0..=28.0, derived(room_target.value, "the room target"));
        let slope = number!(desk, section, raw.points_room_slope, 0.0..=10.0, or(2.5, "Danfoss ECL: 2.5 K of supply per K of room at slope 1"));
        let points = check_points(desk, &section, points);
        return Curve::Points(PointCurve { points, room_slope: slope.value, room: room.celsius() });
    }
    for (key, written) in [("points_room_celsius", &raw.points_room_celsius), ("points_room_slope", &raw.points_room_slope)] {
        if let Some(written) = written {
            desk.error(&section.at(&written.span), section.key(key), "has no meaning without points", "write `points_celsius` too, or leave it out");
        }
    }
    let (usual, range, why) = match design.emitter {
        RawEmitter::Radiator => (or(1.3, "radiators 1.24 to 1.35; Chinese cast iron 1.29 to 1.30"), 1.15..=1.5, "radiator"),
        RawEmitter::Floor => (or(1.05, "floors 1.0 to 1.1"), 1.0..=1.15, "floor"),
        RawEmitter::FanCoil => (or(1.0, "fan coils 1.0"), 0.9..=1.2, "fan coil"),
    };
    let exponent = number!(desk, section, raw.exponent, 0.8..=1.6, usual);
    if exponent.sound && !range.contains(&exponent.value) {
        let help = format!("for a {why} it lies between {} and {}; is the emitter right?", range.start(), range.end());
        desk.warn(&exponent.place, exponent.key.as_str(), format!("{} is unusual", shown(exponent.value)), help);
    }
    Curve::Emitter(EmitterCurve {
        design_supply: design.supply.celsius(),
        design_return: design.return_.celsius(),
        design_room: design.room.celsius(),
        design_outdoor: base.design_outdoor.celsius(),
        exponent: exponent.value,
    })
}

fn check_points(desk: &mut Desk, at: &Section, written: &Written<Vec<Written<(f64, f64)>>>) -> Vec<(Celsius, Celsius)> {
    let key = at.key("points_celsius");
    let pairs: Vec<String> = written.value.iter().map(|point| format!("{}: {}", shown(point.value.0), shown(point.value.1))).collect();
    desk.explain_written(&key, pairs.join(", "), &at.at(&written.span));
    if !(2..=8).contains(&written.value.len()) {
        let what = format!("{} points make no curve", written.value.len());
        desk.error(&at.at(&written.span), key.as_str(), what, "write 2 to 8 pairs, as in [[-15, 60], [0, 45], [15, 28]]");
    }
    let mut points: Vec<(Celsius, Celsius)> = Vec::new();
    for point in &written.value {
        let (place, (outdoor, supply)) = (at.at(&point.span), point.value);
        if !(-60.0..=40.0).contains(&outdoor) || !(10.0..=115.0).contains(&supply) {
            let what = format!("({}, {}) is out of range", shown(outdoor), shown(supply));
            desk.error(&place, key.as_str(), what, "outdoor from -60 to 40 °C, supply from 10 to 115 °C");
            continue;
        }
        if let Some((colder, warmer_supply)) = points.last() {
            if outdoor <= colder.0 {
                let help = "write the points from cold to warm, each outdoor temperature once";
                desk.error(&place, key.as_str(), format!("{} °C does not come after {} °C", shown(outdoor), shown(colder.0)), help);
                continue;
            }
            if supply > warmer_supply.0 {
                let help = "the warmer outdoors, the cooler the supply";
                desk.error(&place, key.as_str(), format!("the supply rises to {} °C", shown(supply)), help);
            }
        }
        points.push((Celsius(outdoor), Celsius(supply)));
    }
    points
}

fn check_room_trim(desk: &mut Desk, circuit: &Section, file: &RawCircuit, emitter: RawEmitter) -> RoomTrimSettings {
    let written = file.room_trim.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("room_trim", file.room_trim.as_ref()));
    let usual = RoomTrimSettings::default();
    let share = number!(desk, at, raw.cold_share_ratio, 0.001..=0.5, or(usual.cold_share.0, "98 % of the rooms shall pass"));
    let gain = number!(desk, at, raw.gain, 0.0..=3.0, or(usual.gain, "0.5 to 1.5; more oscillates with a period of days"));
    let slow = if emitter == RawEmitter::Floor { or(72.0, "48 to 96 h for floors") } else { or(usual.integral_time.as_secs_f64() / 3600.0, "24 to 72 h for radiators") };
    let integral = number!(desk, at, raw.integral_time_hours, 6.0..=240.0, slow);
    let lower = number!(desk, at, raw.lower_max_kelvins, 0.0..=6.0, or(usual.lower_max.0, "the correction is at most 3 K"));
    let raise = number!(desk, at, raw.raise_max_kelvins, 0.0..=6.0, or(usual.raise_max.0, "the correction is at most 3 K"));
    let lower_rate = number!(desk, at, raw.lower_rate_kelvins_per_hour, 0.01..=2.0, or(usual.lower_rate.0, "slower than the rise: a cold flat is worse than a warm one"));
    let raise_rate = number!(desk, at, raw.raise_rate_kelvins_per_hour, 0.01..=2.0, or(usual.raise_rate.0, "half a kelvin an hour is what a building can follow"));
    let sensors = count!(desk, at, raw.sensors_min, 1..=500, or(usual.sensors_min as u64, "with fewer the estimate of the coldest rooms is a guess"));
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

fn check_schedule(desk: &mut Desk, circuit: &Section, written: &[Written<RawPeriod>]) -> Schedule {
    let mut periods = Vec::new();
    for (number, written) in written.iter().enumerate() {
        let raw = &written.value;
        let at = Section { key: circuit.key(&format!("schedule.{}", number + 1)), place: circuit.at(&written.span) };
        let all = [RawDay::Mon, RawDay::Tue, RawDay::Wed, RawDay::Thu, RawDay::Fri, RawDay::Sat, RawDay::Sun];
        let listed = raw.days.as_ref().map_or(all.as_slice(), |days| days.value.as_slice());
        let names: Vec<String> = listed.iter().map(word).collect();
        match &raw.days {
            Some(days) => desk.explain_written(&at.key("days"), names.join(", "), &at.at(&days.span)),
            None => desk.explain(&at.key("days"), names.join(", "), crate::explain::From::Default { reason: "every day".into() }),
        }
        if let (true, Some(days)) = (listed.is_empty(), &raw.days) {
            desk.error(&at.at(&days.span), at.key("days"), "names no day", "write days as in [\"mon\", \"tue\"], or leave it out for every day");
        }
        let from = minute(desk, &at, "from", raw.from.as_ref(), 0..=1439);
        let to = minute(desk, &at, "to", raw.to.as_ref(), 1..=1440);
        let shift = number!(desk, at, raw.room_shift_kelvins, -10.0..=5.0, Otherwise::Required("-1.5"));
        let days = listed.iter().map(|day| weekday(*day)).collect();
        if let (Some(from_minute), Some(to_minute)) = (from, to) {
            periods.push(Period { days, from_minute, to_minute, room_shift: shift.kelvins() });
        }
    }
    Schedule { periods }
}

fn weekday(day: RawDay) -> Weekday {
    match day {
        RawDay::Mon => Weekday::Monday,
        RawDay::Tue => Weekday::Tuesday,
        RawDay::Wed => Weekday::Wednesday,
        RawDay::Thu => Weekday::Thursday,
        RawDay::Fri => Weekday::Friday,
        RawDay::Sat => Weekday::Saturday,
        RawDay::Sun => Weekday::Sunday,
    }
}

/// The minute of the day of a text such as `22:30`; `00:00` as an end is the end of the day.
fn minute(
    desk: &mut Desk,
    at: &Section,
    key: &'static str,
    raw: Option<&Written<String>>,
    range: std::ops::RangeInclusive<u16>,
) -> Option<u16> {
    let field = desk.text(at, key, raw, Otherwise::Required("\"22:30\""));
    if !field.sound {
        return None;
    }
    let digits = |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok())?;
    let parsed = field.value.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (digits(hour)?, digits(minute)?);
        (minute < 60).then_some(hour * 60 + minute)
    });
    let parsed = parsed.map(|minute| if minute == 0 && *range.start() == 1 { 1440 } else { minute });
    if parsed.is_none_or(|minute| !range.contains(&minute)) {
        let help = "write hours and minutes, as in \"05:00\" or \"22:30\"";
        desk.error(&field.place, field.key.as_str(), format!("{:?} is not a time of day", field.value), help);
        return None;
    }
    parsed
}

fn check_supply_loop(desk: &mut Desk, circuit: &Section, file: &RawCircuit) -> SupplyLoopSettings {
    let written = file.supply_loop.clone().unwrap_or_default();
    let (raw, at) = (&written.value, circuit.inner("supply_loop", file.supply_loop.as_ref()));
    let usual = SupplyLoopSettings::default();
    let gain = number!(desk, at, raw.gain_per_kelvin, 0.0005..=0.5, or(usual.gain_per_kelvin, "Danfoss ECL, Xp 80 K: 0.09 to 0.24 K of error at 2.6 to 6.9 strokes a day"));
    let integral = number!(desk, at, raw.integral_time_seconds, 5.0..=3600.0, or(usual.integral_time.as_secs_f64(), "Danfoss ECL, Tn 30 s"));
    let sample = number!(desk, at, raw.sample_time_seconds, 1.0..=60.0, or(usual.sample_time.as_secs_f64(), "1 to 5 s; the sensor's own lag is 12 s"));
    let band = number!(desk, at, raw.dead_band_ratio, 0.0..=0.1, or(usual.dead_band.0, "0.25 to 1 % of the stroke: every small stroke wears"));
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
    let stroke = number!(desk, at, raw.stroke_time_seconds, 1.0..=600.0, or(usual.stroke_time.as_secs_f64(), "35 to 180 s; 120 s is common"));
    let deviation = number!(desk, at, raw.deviation_max_ratio, 0.005..=0.5, or(usual.deviation_max.0, "5 % of the stroke"));
    desk.below(&min, &max, "the valve needs room to move");
    ValveSettings {
        position_min: min.ratio(),
        position_max: max.ratio(),
        stroke_time: stroke.duration(),
        deviation_max: deviation.ratio(),
    }
}

/// Interlocks, and the two delays that a law is about.
type Interlocks = (heatstation_core::settings::InterlockSettings, Field<f64>, Field<f64>);

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
    let trip = number!(desk, at, raw.supply_trip_celsius, 30.0..=120.0, derived(supply.1.value + 5.0, "the highest setpoint + 5 K"));
    desk.below(&supply.1, &trip, "normal operation must not trip");
    if design.emitter == RawEmitter::Floor && trip.sound && trip.value > 65.0 {
        let help = "screed and pipes bear 60 °C in operation; trip at 65 °C at most";
        desk.error(&trip.place, trip.key.as_str(), format!("{} °C is too hot for a floor", shown(trip.value)), help);
    }
    let law = "too hot a supply or no circulation closes the valve within 5 s, reading and writing included";
    let reset = number!(desk, at, raw.supply_reset_kelvins, 1.0..=30.0, or(5.0, "below the limit by 5 K"));
    let trip_delay = number!(desk, at, raw.supply_trip_delay_seconds, 0.0..=3.0, or(2.0, law));
    let circulation_delay = number!(desk, at, raw.circulation_delay_seconds, 0.0..=3.0, or(2.0, law));
    let circulation_reset = number!(desk, at, raw.circulation_reset_seconds, 0.0..=600.0, or(30.0, "circulation has settled"));
    let mains = number!(desk, at, raw.mains_return_seconds, 0.0..=900.0, or(45.0, "30 to 60 s until the voltage is stable"));
    let hold = number!(desk, at, raw.sensor_hold_seconds, 0.0..=600.0, or(60.0, "a connection that comes back does so within a minute"));
    let substitute = number!(desk, at, raw.sensor_substitute_minutes, 0.0..=240.0, or(30.0, "Samson: 30 min on its own after the centre is lost"));
    let safe = number!(desk, at, raw.valve_safe_cold_ratio, 0.0..=1.0, or(0.3, "Samson TROVIS: valve to 30 % when the flow sensor fails"));
    let below = number!(desk, at, raw.valve_safe_below_celsius, -30.0..=20.0, or(5.0, "above 5 °C the buildings bear a closed valve"));
    let trips = count!(desk, at, raw.trips_per_hour_max, 1..=20, or(3, "three automatic resets an hour, then a person looks"));
    let settings = heatstation_core::settings::InterlockSettings {
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
    let outdoor = number!(desk, at, raw.outdoor_celsius, -10.0..=10.0, or(usual.outdoor.0, "Danfoss 2 °C, Samson 3 °C"));
    let water = number!(desk, at, raw.water_celsius, 2.0..=20.0, or(usual.water.0, "Siemens RVD: continuous pump and heat below 5 °C"));
    let restored = number!(desk, at, raw.water_restored_celsius, 3.0..=30.0, or(usual.water_restored.0, "Siemens RVD: a demand of 10 °C"));
    let supply = number!(desk, at, raw.supply_celsius, 10.0..=50.0, or(usual.supply.0, "Samson TROVIS 5476: 20 °C flow under frost protection"));
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
    let confirm = number!(desk, at, raw.confirm_after_minutes, 1.0..=120.0, or(usual.confirm_after.as_secs_f64() / 60.0, "the standards are silent; an outage counts from its first cold moment anyway"));
    let floor = number!(desk, at, raw.supply_floor_celsius, 10.0..=60.0, or(usual.supply_floor.0, "the standards are silent; water of 25 °C heats no room"));
    let undersupply = number!(desk, at, raw.undersupply_kelvins, 2.0..=50.0, or(usual.undersupply.0, "Danfoss and Siemens: under-temperature is more than 10 K"));
    let power = number!(desk, at, raw.power_floor_ratio, 0.0..=0.3, or(usual.power_floor.0, "less is the noise of a heat meter"));
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
    let lower = number!(desk, at, raw.lower_max_kelvins, 0.0..=40.0, or(usual.lower_max.0, "a wish is a wish: what it may take away is bounded"));
    let raise = number!(desk, at, raw.raise_max_kelvins, 0.0..=20.0, or(usual.raise_max.0, "supervised strategies stay within 6 K of the curve"));
    let rate = number!(desk, at, raw.rate_kelvins_per_minute, 0.05..=10.0, or(usual.rate_per_minute.0, "no step in the network's load"));
    let life = number!(desk, at, raw.life_max_hours, 0.1..=168.0, or(usual.life_max.as_secs_f64() / 3600.0, "a wish that nobody renews within a day is forgotten"));
    let frost = number!(desk, at, raw.frost_celsius, -20.0..=10.0, or(usual.frost.0, "frost begins at 0 °C"));
    let frost_lower = number!(desk, at, raw.frost_lower_max_kelvins, 0.0..=20.0, or(usual.frost_lower_max.0, "in frost a wish must not freeze a flat"));
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
