//! Which points a station cannot do without, and which it will be asked about.

use std::collections::HashMap;

use heatstation_core::actuator::ActuatorSettings;
use heatstation_core::settings::{BuildingSettings, BuildingValve, CirculationMode, MakeUpMode};

use crate::check::circuit::CheckedCircuit;
use crate::check::devices::{period_field, period_text};
use crate::desk::Desk;
use crate::points::Home;
use crate::problem::Place;
use crate::raw::RawFile;

/// Reading, deciding and writing take about this long on top of a point's period: a cycle and a request each way.
const REACTION_SECONDS: f64 = 1.0;
/// Too hot a supply, or no circulation, closes the valve within this.
const LAW_SECONDS: f64 = 5.0;

struct Look<'a> {
    homes: HashMap<&'a str, &'a Home>,
    desk: &'a mut Desk,
}

impl Look<'_> {
    fn has(&self, point: &str) -> bool {
        self.homes.contains_key(point)
    }

    /// Notes a missing point without which the circuit cannot be run.
    fn must(&mut self, place: &Place, point: &str, why: &str) {
        if !self.has(point) {
            self.desk.error(place, point, "no device has this point", format!("{why}; add a row for it to a device"));
        }
    }

    /// Notes a missing point that somebody will miss.
    fn should(&mut self, place: &Place, point: &str, why: &str) {
        if !self.has(point) {
            self.desk.warn(
                place,
                point,
                "no device has this point",
                format!("{why}; add a row for it if there is such an instrument"),
            );
        }
    }
}

pub(crate) fn check(desk: &mut Desk, file: &RawFile, circuits: &[CheckedCircuit], homes: &[Home]) {
    let station = file.station.as_ref().map_or(0..0, |station| station.span.clone());
    let station = Place { file: 0, span: station };
    if file.wire.is_empty() && file.device.is_empty() {
        let help = "write [[wire]] and [[device]]; without them it can be simulated and co-simulated, and not run";
        desk.warn(&station, "wire", "the station has no devices", help);
        return;
    }
    let mut look = Look { homes: homes.iter().map(|home| (home.point.as_str(), home)).collect(), desk };
    let outdoor = ["outdoor.temperature", "outdoor.temperature_second", "outdoor.forecast"];
    if !outdoor.iter().any(|point| look.has(point)) {
        look.must(
            &station,
            outdoor[0],
            "without any outdoor temperature the supply follows `outdoor.fallback_celsius` for ever",
        );
    }
    for circuit in circuits {
        check_circuit(&mut look, circuit);
    }
}

fn check_circuit(look: &mut Look<'_>, circuit: &CheckedCircuit) {
    let (place, settings) = (&circuit.section.place, &circuit.settings);
    let point = |last: &str| format!("circuit.{}.{last}", circuit.names.name);

    let supply = point("secondary_supply.temperature");
    look.must(place, &supply, "it is what is controlled");
    match settings.valve.actuator {
        ActuatorSettings::Position => look.must(place, &point("valve.position"), "it is what controls"),
        ActuatorSettings::ThreePoint { .. } => {
            look.must(place, &point("valve.opening"), "a three-point motor needs both its contacts");
            look.must(place, &point("valve.closing"), "a three-point motor needs both its contacts");
            let why = "without it the position is reckoned from running times and found again at the stops only";
            look.should(place, &point("valve.position_feedback"), why);
        }
    }
    look.should(place, &point("secondary_return.temperature"), "frost protection and the heat balance look at it");

    for plate in 1..=settings.circulation.pumps {
        let pump = |last: &str| point(&format!("circulation_pump.{plate}.{last}"));
        look.must(place, &pump("start"), "the pump cannot be started");
        look.must(place, &pump("running"), "a command alone proves nothing, and unproven circulation closes the valve");
        let varies = match settings.circulation.mode {
            CirculationMode::FixedSpeed { speed } => speed.0 < 1.0,
            CirculationMode::DifferentialPressure { .. }
            | CirculationMode::ProportionalPressure { .. }
            | CirculationMode::WorstPoint(_)
            | CirculationMode::TrimRespond(_)
            | CirculationMode::TemperatureDifference(_)
            | CirculationMode::StagedFlow(_)
            | CirculationMode::SupplyPressure { .. } => true,
        };
        if varies {
            look.must(
                place,
                &pump("speed"),
                "the circulation has a speed; write `speed_ratio = 1.0` for pumps without a drive",
            );
        }
    }
    let water = ["circulation.flow_switch", "secondary.flow", "secondary.differential_pressure"];
    if !water.iter().any(|last| look.has(&point(last))) {
        look.should(
            place,
            &point(water[1]),
            "a running motor does not prove that water moves: a flow, a pressure difference or a flow switch does",
        );
    }
    check_speed(look, circuit);
    check_balance(look, circuit);
    check_pressure(look, circuit);
    check_measured_limits(look, circuit);
    check_timing(look, circuit, &supply, &point("circulation_pump"));

    let unread =
        settings.rooms.iter().filter(|room| !look.has(&point(&format!("room.{}.temperature", room.name)))).count();
    if unread > 0 {
        let what = format!("{unread} of its {} room sensors are read from no device", circuit.room_count);
        let help = "add rows for them, or leave the rooms out";
        look.desk.warn(place, circuit.section.key("rooms"), what, help);
    }
}

/// A limit that nothing measures is a promise that nobody keeps.
fn check_measured_limits(look: &mut Look<'_>, circuit: &CheckedCircuit) {
    let (place, limits) = (&circuit.section.place, &circuit.settings.limits);
    let point = |last: &str| format!("circuit.{}.{last}", circuit.names.name);
    let mut any = |points: &[String], why: &str| {
        if !points.iter().any(|name| look.has(name)) {
            look.must(place, &points[0], why);
        }
    };
    let back = [
        point("primary_return.temperature"),
        "primary_return.temperature".to_owned(),
        "primary_meter.return_temperature".to_owned(),
    ];
    let flow = [point("primary.flow"), "primary.flow".to_owned()];
    let power = [point("heat_meter.power"), "primary.heat_power".to_owned()];
    if limits.primary_return.is_some() {
        any(&back, "the return limit looks at it");
    }
    if limits.approach.is_some() {
        any(&back, "the approach limit looks at it");
        any(&[point("secondary_return.temperature")], "the approach limit looks at it");
    }
    if limits.flow.is_some() || limits.creep.is_some() {
        let own = usize::from(limits.creep.is_none()) + 1;
        any(&flow[..own], "the flow limit and creep flow look at it");
    }
    if limits.power.is_some() || limits.quota.is_some() {
        any(&power, "the power limit and the heat quota look at it");
    }
}

/// What the mode of the circulation looks at.
fn check_speed(look: &mut Look<'_>, circuit: &CheckedCircuit) {
    let (place, settings) = (&circuit.section.place, &circuit.settings);
    let point = |last: &str| format!("circuit.{}.{last}", circuit.names.name);
    let of_buildings = |last: &str| {
        let name = |building: &String| point(&format!("building.{building}.{last}"));
        circuit.names.buildings.iter().map(name).collect::<Vec<_>>()
    };
    let (difference, flow) = (point("secondary.differential_pressure"), point("secondary.flow"));
    let worst = point("secondary.worst_differential_pressure");
    let far = || {
        let returns = of_buildings("return_temperature");
        returns.into_iter().chain(settings.rooms.iter().map(|room| point(&format!("room.{}.temperature", room.name))))
    };
    match settings.circulation.mode {
        CirculationMode::FixedSpeed { .. } => {}
        CirculationMode::DifferentialPressure { .. } => look.must(place, &difference, "the circulation holds it"),
        CirculationMode::ProportionalPressure { .. } => {
            look.must(place, &difference, "the circulation holds it");
            look.must(place, &flow, "the pressure difference follows it");
        }
        CirculationMode::WorstPoint(_) => {
            look.should(place, &difference, "without it the remote sensor moves the speed itself, and slowly");
            let differences = of_buildings("differential_pressure");
            if !differences.iter().any(|point| look.has(point)) {
                look.must(place, &worst, "the circulation holds it");
            }
        }
        CirculationMode::TrimRespond(_) => {
            look.must(place, &difference, "the circulation holds it");
            if !far().any(|point| look.has(&point)) {
                look.must(place, &worst, "somebody far away must be able to ask: a building's return, a room, or this");
            }
        }
        CirculationMode::TemperatureDifference(_) => {
            look.must(place, &point("secondary_return.temperature"), "the circulation holds the difference to it");
            look.must(place, &flow, "the curve makes the water warmer for less of it");
        }
        CirculationMode::StagedFlow(_) => {
            look.must(place, &flow, "the curve makes the water warmer for less of it");
            if !far().any(|point| look.has(&point)) {
                let help = "add rows for buildings' returns or for rooms: far ones go short first when the flow falls";
                let key = circuit.section.key("circulation.mode");
                look.desk.warn(place, key, "nobody far away can object to less flow", help);
            }
        }
        CirculationMode::SupplyPressure { .. } => {
            look.must(place, &point("secondary_supply.pressure"), "the circulation holds it");
        }
    }
}

/// A valve is moved only where it is known where it stands and what comes back.
fn check_balance(look: &mut Look<'_>, circuit: &CheckedCircuit) {
    if circuit.settings.balance.is_none() {
        return;
    }
    let place = &circuit.section.place;
    let balanced = |building: &&BuildingSettings| building.valve == BuildingValve::Balanced;
    for building in circuit.settings.buildings.iter().filter(balanced) {
        let point = |last: &str| format!("circuit.{}.building.{}.{last}", circuit.names.name, building.name);
        let help = "or write `valve = \"fixed\"` for this building";
        look.must(place, &point("valve.position"), &format!("its valve cannot be moved ({help})"));
        look.must(place, &point("valve.position_feedback"), &format!("a valve is taken over where it stands ({help})"));
        if !look.has(&point("return_temperature_before_lock")) {
            look.must(place, &point("return_temperature"), &format!("it is what is balanced ({help})"));
        }
    }
}

fn check_pressure(look: &mut Look<'_>, circuit: &CheckedCircuit) {
    let place = &circuit.section.place;
    let point = |last: &str| format!("circuit.{}.{last}", circuit.names.name);
    let holding = point("secondary_return.pressure");
    let Some(make_up) = &circuit.settings.make_up else {
        look.should(place, &holding, "low pressure stops the circulation pumps only where it is measured");
        return;
    };
    look.must(place, &holding, "make-up holds it, and water is never pumped blind");
    look.should(
        place,
        &point("secondary_supply.pressure"),
        "too high a pressure stops make-up only where it is measured",
    );
    for plate in 1..=make_up.pumps {
        let pump = |last: &str| point(&format!("make_up_pump.{plate}.{last}"));
        look.must(place, &pump("start"), "the pump cannot be started");
        if make_up.mode == MakeUpMode::VariableSpeed {
            look.must(
                place,
                &pump("speed"),
                "make-up is of variable speed; write `mode = \"start-stop\"` for pumps without a drive",
            );
        }
    }
    look.should(place, &point("relief_valve.open"), "without it the relief pressures have no effect");
    if !["make_up.volume", "make_up.flow"].iter().any(|last| look.has(&point(last))) {
        look.should(place, &point("make_up.volume"), "the volume of the day is limited only where it is metered");
    }
    if !["tank.level", "tank.low_switch"].iter().any(|last| look.has(&point(last))) {
        look.should(place, &point("tank.level"), "an empty tank stops the make-up pumps only where it is seen");
    }
}

/// The law of five seconds: how often the point is read, the delay, and the way to the valve.
fn check_timing(look: &mut Look<'_>, circuit: &CheckedCircuit, supply: &str, pump: &str) {
    let running = format!("{pump}.1.running");
    for (point, delay) in [(supply, &circuit.supply_trip_delay), (running.as_str(), &circuit.circulation_delay)] {
        let Some(home) = look.homes.get(point) else { continue };
        let period = period_field(home);
        if delay.sound && period.value + delay.value + REACTION_SECONDS > LAW_SECONDS {
            let what = format!(
                "read every {} and acted on after {}, the valve closes too late",
                period_text(period.value),
                period_text(delay.value)
            );
            let help = format!(
                "too hot a supply or no circulation closes the valve within 5 s: read `{point}` at least every {} (`period_seconds` \
                 of its row, `safety_seconds` of its device), or shorten {}",
                period_text(LAW_SECONDS - REACTION_SECONDS - delay.value),
                delay.key
            );
            look.desk.error(&period.place, period.key.as_str(), what, help);
        }
    }
}
