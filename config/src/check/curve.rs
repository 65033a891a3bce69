//! From outdoor temperature to supply temperature: what the circuit was designed for, and its curve.

use heatstation_core::heating_curve::{Curve, EmitterCurve, PointCurve};
use heatstation_points::quantity::{WATER_DENSITY, WATER_HEAT_CAPACITY};
use heatstation_points::{Celsius, CubicMetersPerSecond, Watts};

use crate::check::Base;
use crate::desk::{Desk, Field, Otherwise, Section, derived, number, or, shown};
use crate::raw::{CurvePoint, RawCircuit, RawCurve, RawEmitter};
use crate::written::Written;

/// The temperatures that a circuit was designed for, and what goes with its emitters.
pub(crate) struct Design {
    pub emitter: RawEmitter,
    pub supply: Field<f64>,
    pub return_: Field<f64>,
    pub room: Field<f64>,
    pub power: Watts,
    /// The flow that carries the design power.
    pub flow: CubicMetersPerSecond,
    /// The flow that the measured one is compared with; none switches the correction off.
    pub compared: Option<CubicMetersPerSecond>,
}

pub(crate) fn check_design(desk: &mut Desk, at: &Section, raw: &RawCircuit, area: &Field<f64>, base: &Base) -> Design {
    let example = Otherwise::Required("\"radiator\"");
    let emitter = desk.choice(at, "emitter", raw.emitter.as_ref(), example, RawEmitter::Radiator).value;
    let (supply, return_, source) = match emitter {
        RawEmitter::Radiator => (75.0, 50.0, "radiators are designed for 75/50 °C (GB 50736-2012, 5.3.1)"),
        RawEmitter::Floor => {
            (45.0, 35.0, "floors are designed for 35 to 45 °C and at most 10 K of spread (GB 50736-2012, 5.4.1)")
        }
        RawEmitter::FanCoil => (60.0, 50.0, "fan coils are usually designed for 60/50 °C"),
    };
    let supply = number!(desk, at, raw.design_supply_celsius, 25.0..=110.0, or(supply, source));
    let return_ = number!(desk, at, raw.design_return_celsius, 20.0..=90.0, or(return_, source));
    let room = number!(
        desk,
        at,
        raw.design_room_celsius,
        5.0..=30.0,
        or(18.0, "the room temperature of JGJ 26 and of the network design codes")
    );
    desk.below(&base.design_outdoor, &room, "heat flows from the room to the outdoors");
    desk.below(&room, &return_, "heat flows from the water to the room");
    desk.below(&return_, &supply, "heat flows from the water to the room");
    if emitter == RawEmitter::Floor && supply.sound && supply.value > 60.0 {
        let help = "water in a floor is at most 60 °C (JGJ 142-2012, 3.1.1), better 35 to 45 °C";
        desk.error(
            &supply.place,
            supply.key.as_str(),
            format!("{} °C is too hot for a floor", shown(supply.value)),
            help,
        );
    }

    let load = number!(
        desk,
        at,
        raw.design_heat_load_watts_per_m2,
        5.0..=150.0,
        or(45.0, "40 to 45 W/m² for insulated dwellings (CJJ 34, network design)")
    );
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

pub(crate) fn check_curve(
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
        let room =
            number!(desk, section, raw.points_room_celsius, 10.0..=28.0, derived(room_target.value, "the room target"));
        let slope = number!(
            desk,
            section,
            raw.points_room_slope,
            0.0..=10.0,
            or(2.5, "Danfoss ECL: 2.5 K of supply per K of room at slope 1")
        );
        let points = check_points(desk, &section, points);
        return Curve::Points(PointCurve { points, room_slope: slope.value, room: room.celsius() });
    }
    for (key, written) in
        [("points_room_celsius", &raw.points_room_celsius), ("points_room_slope", &raw.points_room_slope)]
    {
        if let Some(written) = written {
            desk.error(
                &section.at(&written.span),
                section.key(key),
                "has no meaning without points",
                "write `points_celsius` too, or leave it out",
            );
        }
    }
    let (usual, range, why) = match design.emitter {
        RawEmitter::Radiator => {
            (or(1.3, "radiators 1.24 to 1.35; Chinese cast iron 1.29 to 1.30"), 1.15..=1.5, "radiator")
        }
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

fn check_points(desk: &mut Desk, at: &Section, written: &Written<Vec<CurvePoint>>) -> Vec<(Celsius, Celsius)> {
    let key = at.key("points_celsius");
    let pairs: Vec<String> =
        written.value.iter().map(|point| format!("{}: {}", shown(point.value.0), shown(point.value.1))).collect();
    desk.explain_written(&key, pairs.join(", "), &at.at(&written.span));
    if !(2..=8).contains(&written.value.len()) {
        let what = format!("{} points make no curve", written.value.len());
        desk.error(
            &at.at(&written.span),
            key.as_str(),
            what,
            "write 2 to 8 pairs, as in [[-15, 60], [0, 45], [15, 28]]",
        );
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
                desk.error(
                    &place,
                    key.as_str(),
                    format!("{} °C does not come after {} °C", shown(outdoor), shown(colder.0)),
                    help,
                );
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
