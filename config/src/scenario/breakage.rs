//! What breaks, of what is written.

use std::time::Duration;

use heatstation_points::{
    BuildingIndex, Celsius, CircuitIndex, CubicMetersPerSecond, Direction, Kelvins, Point, PumpIndex, Ratio,
};

use super::check::{circuit_of, foreign, optional_duration, place_of, times};
use super::raw::{RawFault, RawFaultKind};
use super::{Breakage, Happening, PumpAt, What};
use crate::desk::{Desk, Otherwise, Section, number, one_of, word};
use crate::raw::Text;
use crate::station::Station;

pub(super) fn check(desk: &mut Desk, at: &Section, raw: &RawFault, station: &Station, happenings: &mut Vec<Happening>) {
    let lasts = optional_duration(desk, at, "lasts_minutes", &raw.lasts_minutes);
    let times = times(desk, at, &raw.at_minutes, lasts, &raw.times, ("every_minutes", &raw.every_minutes));
    let required = Otherwise::Required("\"pump-trip\"");
    let kind = desk.choice(at, "kind", raw.kind.as_ref(), required, RawFaultKind::Flooded);
    if !kind.sound {
        return;
    }
    let written = [
        ("circuit", raw.circuit.as_ref().map(|written| &written.span)),
        ("pump", raw.pump.as_ref().map(|written| &written.span)),
        ("make_up_pump", raw.make_up_pump.as_ref().map(|written| &written.span)),
        ("building", raw.building.as_ref().map(|written| &written.span)),
        ("point", raw.point.as_ref().map(|written| &written.span)),
        ("other_point", raw.other_point.as_ref().map(|written| &written.span)),
        ("shows", raw.shows.as_ref().map(|written| &written.span)),
        ("by", raw.by.as_ref().map(|written| &written.span)),
        ("by_per_day", raw.by_per_day.as_ref().map(|written| &written.span)),
        ("time_seconds", raw.time_seconds.as_ref().map(|written| &written.span)),
        ("share_ratio", raw.share_ratio.as_ref().map(|written| &written.span)),
        ("supply_celsius", raw.supply_celsius.as_ref().map(|written| &written.span)),
        ("flow_m3_per_hour", raw.flow_m3_per_hour.as_ref().map(|written| &written.span)),
        ("warm_kelvins", raw.warm_kelvins.as_ref().map(|written| &written.span)),
    ];
    foreign(desk, at, &word(&kind.value), belongs(kind.value), &written);
    let entry = Entry { at, raw, station };
    for breakage in entry.breakages(desk, kind.value) {
        times.note(&What::Break(breakage), Some(&What::Mend(breakage)), happenings);
    }
}

/// The keys that a kind takes beside its times.
const fn belongs(kind: RawFaultKind) -> &'static [&'static str] {
    match kind {
        RawFaultKind::SensorOff | RawFaultKind::SensorStuck | RawFaultKind::SensorGarbage => &["circuit", "point"],
        RawFaultKind::SensorWrong => &["circuit", "point", "by", "shows"],
        RawFaultKind::SensorSlow | RawFaultKind::SensorDelayed => &["circuit", "point", "time_seconds"],
        RawFaultKind::SensorIntermittent => &["circuit", "point", "share_ratio"],
        RawFaultKind::SensorDrift => &["circuit", "point", "by_per_day"],
        RawFaultKind::SensorSpike => &["circuit", "point", "by"],
        RawFaultKind::SensorSwap => &["circuit", "point", "other_point"],
        RawFaultKind::PumpTrip | RawFaultKind::PumpDead | RawFaultKind::PumpWithoutFlow | RawFaultKind::PumpLocal => {
            &["circuit", "pump", "make_up_pump"]
        }
        RawFaultKind::PumpCapped => &["circuit", "pump", "make_up_pump", "share_ratio"],
        RawFaultKind::PrimaryCold => &["supply_celsius"],
        RawFaultKind::PrimaryPressureLost | RawFaultKind::PrimaryFlowLimited => &["share_ratio"],
        RawFaultKind::ValveStuck
        | RawFaultKind::ValveLocal
        | RawFaultKind::ReliefStuckOpen
        | RawFaultKind::TapWaterLost => &["circuit"],
        RawFaultKind::ValveStiction
        | RawFaultKind::ValveLeaks
        | RawFaultKind::ExchangerFouled
        | RawFaultKind::StrainerClogged
        | RawFaultKind::FlatsClosed => &["circuit", "share_ratio"],
        RawFaultKind::BuildingValveStuck => &["circuit", "building"],
        RawFaultKind::Leak => &["circuit", "flow_m3_per_hour"],
        RawFaultKind::MainsFailure
        | RawFaultKind::EmergencyStop
        | RawFaultKind::LocalSelected
        | RawFaultKind::Flooded => &[],
        RawFaultKind::OutdoorSensorInSun => &["warm_kelvins"],
    }
}

/// Where an entry is read from.
struct Entry<'a> {
    at: &'a Section,
    raw: &'a RawFault,
    station: &'a Station,
}

impl Entry<'_> {
    fn circuit(&self, desk: &mut Desk) -> Option<CircuitIndex> {
        circuit_of(desk, self.at, &self.raw.circuit, self.station)
    }

    /// What breaks; several things only where all pumps do.
    fn breakages(&self, desk: &mut Desk, kind: RawFaultKind) -> Vec<Breakage> {
        let (at, raw) = (self.at, self.raw);
        let single = match kind {
            RawFaultKind::SensorOff => self.point(desk).map(Breakage::SensorOff),
            RawFaultKind::SensorStuck => self.point(desk).map(Breakage::SensorStuck),
            RawFaultKind::SensorGarbage => self.point(desk).map(Breakage::SensorGarbage),
            RawFaultKind::SensorWrong => self.wrong(desk),
            RawFaultKind::SensorSlow => {
                let time = self.time(desk);
                self.point(desk).map(|point| Breakage::SensorSlow(point, time))
            }
            RawFaultKind::SensorDelayed => {
                let time = self.time(desk);
                self.point(desk).map(|point| Breakage::SensorDelayed(point, time))
            }
            RawFaultKind::SensorIntermittent => {
                let share = self.share(desk, 1.0);
                self.point(desk).map(|point| Breakage::SensorIntermittent(point, share))
            }
            RawFaultKind::SensorDrift => {
                let by = number!(desk, at, raw.by_per_day, -1e9..=1e9, Otherwise::Required("0.5"));
                self.point(desk).map(|point| Breakage::SensorDrift(point, by.value))
            }
            RawFaultKind::SensorSpike => {
                let by = number!(desk, at, raw.by, -1e9..=1e9, Otherwise::Required("40"));
                self.point(desk).map(|point| Breakage::SensorSpike(point, by.value))
            }
            RawFaultKind::SensorSwap => {
                let other = self.named(desk, "other_point", &raw.other_point);
                self.point(desk).zip(other).map(|(one, other)| Breakage::SensorSwap(one, other))
            }
            RawFaultKind::PrimaryCold => {
                let supply = number!(desk, at, raw.supply_celsius, 0.0..=150.0, Otherwise::Required("35"));
                Some(Breakage::PrimaryCold(Celsius(supply.value)))
            }
            RawFaultKind::PrimaryPressureLost => Some(Breakage::PrimaryPressureLost(self.share(desk, 1.0))),
            RawFaultKind::PrimaryFlowLimited => Some(Breakage::PrimaryFlowLimited(self.share(desk, 5.0))),
            RawFaultKind::ValveStuck => self.circuit(desk).map(Breakage::ValveStuck),
            RawFaultKind::ValveLocal => self.circuit(desk).map(Breakage::ValveLocal),
            RawFaultKind::ReliefStuckOpen => self.circuit(desk).map(Breakage::ReliefStuckOpen),
            RawFaultKind::TapWaterLost => self.circuit(desk).map(Breakage::TapWaterLost),
            RawFaultKind::ValveStiction => self.with_share(desk, 1.0, Breakage::ValveStiction),
            RawFaultKind::ValveLeaks => self.with_share(desk, 1.0, Breakage::ValveLeaks),
            RawFaultKind::FlatsClosed => self.with_share(desk, 1.0, Breakage::FlatsClosed),
            RawFaultKind::ExchangerFouled => self.with_share(desk, 10.0, Breakage::ExchangerFouled),
            RawFaultKind::StrainerClogged => self.with_share(desk, 100.0, Breakage::StrainerClogged),
            RawFaultKind::Leak => {
                let flow = number!(desk, at, raw.flow_m3_per_hour, 0.0..=500.0, Otherwise::Required("20"));
                let flow = CubicMetersPerSecond(flow.value / 3600.0);
                self.circuit(desk).map(|circuit| Breakage::Leak(circuit, flow))
            }
            RawFaultKind::BuildingValveStuck => {
                let circuit = self.circuit(desk);
                let building = circuit.and_then(|circuit| self.building(desk, circuit));
                circuit.zip(building).map(|(circuit, building)| Breakage::BuildingValveStuck(circuit, building))
            }
            RawFaultKind::MainsFailure => Some(Breakage::MainsFailure),
            RawFaultKind::EmergencyStop => Some(Breakage::EmergencyStop),
            RawFaultKind::LocalSelected => Some(Breakage::LocalSelected),
            RawFaultKind::Flooded => Some(Breakage::Flooded),
            RawFaultKind::OutdoorSensorInSun => {
                let warm = number!(desk, at, raw.warm_kelvins, 0.0..=40.0, Otherwise::Required("10"));
                Some(Breakage::OutdoorSensorInSun(Kelvins(warm.value)))
            }
            RawFaultKind::PumpTrip => return self.pumps(desk, Breakage::PumpTrip),
            RawFaultKind::PumpDead => return self.pumps(desk, Breakage::PumpDead),
            RawFaultKind::PumpWithoutFlow => return self.pumps(desk, Breakage::PumpWithoutFlow),
            RawFaultKind::PumpLocal => return self.pumps(desk, Breakage::PumpLocal),
            RawFaultKind::PumpCapped => {
                let share = self.share(desk, 1.0);
                return self.pumps(desk, |pump| Breakage::PumpCapped(pump, share));
            }
        };
        single.into_iter().collect()
    }

    /// What takes a circuit and a share.
    fn with_share(&self, desk: &mut Desk, most: f64, make: fn(CircuitIndex, Ratio) -> Breakage) -> Option<Breakage> {
        // The share is read even if the circuit is not known: all problems at once.
        let share = self.share(desk, most);
        self.circuit(desk).map(|circuit| make(circuit, share))
    }

    fn time(&self, desk: &mut Desk) -> Duration {
        let (at, raw) = (self.at, self.raw);
        number!(desk, at, raw.time_seconds, 0.0..=3600.0, Otherwise::Required("300")).duration()
    }

    fn share(&self, desk: &mut Desk, most: f64) -> Ratio {
        let (at, raw) = (self.at, self.raw);
        number!(desk, at, raw.share_ratio, 0.0..=most, Otherwise::Required("0.3")).ratio()
    }

    fn wrong(&self, desk: &mut Desk) -> Option<Breakage> {
        let (at, raw) = (self.at, self.raw);
        let point = self.point(desk);
        match (&self.raw.by, &self.raw.shows) {
            (Some(_), None) => {
                let by = number!(desk, at, raw.by, -1e9..=1e9, Otherwise::Required("-5")).value;
                point.map(|point| Breakage::SensorOffBy(point, by))
            }
            (None, Some(_)) => {
                let shows = number!(desk, at, raw.shows, -1e9..=1e9, Otherwise::Required("20")).value;
                point.map(|point| Breakage::SensorShows(point, shows))
            }
            (None, None) => {
                let help =
                    "write `by = -5` for an instrument that is off, or `shows = 20` for one that shows one thing";
                desk.missing(&self.at.place, &self.at.key("by"), help);
                None
            }
            (Some(by), Some(_)) => {
                let help = "leave one of them";
                desk.error(&self.at.at(&by.span), self.at.key("by"), "stands beside `shows`", help);
                None
            }
        }
    }

    /// The pump that is named, or all circulation pumps of the circuit.
    fn pumps(&self, desk: &mut Desk, make: impl Fn(PumpAt) -> Breakage) -> Vec<Breakage> {
        let Some(circuit) = self.circuit(desk) else { return Vec::new() };
        let names = &self.station.catalogue.circuits()[circuit.0];
        let (raw, key, there) = match (&self.raw.pump, &self.raw.make_up_pump) {
            (Some(raw), None) => (raw, "pump", names.circulation_pumps),
            (None, Some(raw)) => (raw, "make_up_pump", names.make_up_pumps),
            (None, None) => {
                let all = (0..names.circulation_pumps).map(|pump| PumpAt::Circulation(circuit, PumpIndex(pump)));
                return all.map(make).collect();
            }
            (Some(raw), Some(_)) => {
                let help = "leave one of them; another pump is another [[fault]]";
                desk.error(&self.at.at(&raw.span), self.at.key("pump"), "stands beside `make_up_pump`", help);
                return Vec::new();
            }
        };
        if !(1..=there as u64).contains(&raw.value) {
            let what = format!("{} has {there} of them, not {}", names.name, raw.value);
            desk.error(&self.at.at(&raw.span), self.at.key(key), what, "pumps are counted from 1");
            return Vec::new();
        }
        let pump = PumpIndex(raw.value as usize - 1);
        let place = if key == "pump" { PumpAt::Circulation(circuit, pump) } else { PumpAt::MakeUp(circuit, pump) };
        vec![make(place)]
    }

    fn building(&self, desk: &mut Desk, circuit: CircuitIndex) -> Option<BuildingIndex> {
        let names = &self.station.catalogue.circuits()[circuit.0].buildings;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let written = desk.text(self.at, "building", self.raw.building.as_ref(), Otherwise::Required("\"1\""));
        let found = place_of(&written.value, &names);
        if found.is_none() && written.sound {
            let help = one_of(&written.value, names.iter().copied());
            desk.error(
                &written.place,
                written.key.as_str(),
                format!("there is no building {:?} in this circuit", written.value),
                help,
            );
        }
        found.map(BuildingIndex)
    }

    fn point(&self, desk: &mut Desk) -> Option<Point> {
        self.named(desk, "point", &self.raw.point)
    }

    /// The instrument that a text names; `circuit.*` is the entry's circuit, and rooms and buildings may go by number.
    fn named(&self, desk: &mut Desk, key: &'static str, raw: &Text) -> Option<Point> {
        let example = Otherwise::Required("\"circuit.*.secondary_supply.temperature\"");
        let written = desk.text(self.at, key, raw.as_ref(), example);
        let circuit = self.circuit(desk)?;
        if !written.sound {
            return None;
        }
        let catalogue = &self.station.catalogue;
        let name = self.in_full(&written.value, circuit);
        match catalogue.find(&name) {
            Some(definition) if definition.direction == Direction::Input => Some(definition.point),
            Some(_) => {
                let help = "only what is read can show something else than is so";
                desk.error(&written.place, written.key.as_str(), format!("{name} is written, not read"), help);
                None
            }
            None => {
                let near = catalogue.suggest(&name);
                let help = near.first().map_or_else(
                    || "`heatstation points` lists the points of a station".to_owned(),
                    |near| format!("did you mean `{near}`? `heatstation points` lists all"),
                );
                desk.error(&written.place, written.key.as_str(), format!("there is no point {name}"), help);
                None
            }
        }
    }

    fn in_full(&self, name: &str, circuit: CircuitIndex) -> String {
        let mut parts: Vec<&str> = name.split('.').collect();
        let circuits = self.station.catalogue.circuits();
        if let ["circuit", star @ "*", ..] = parts.as_mut_slice() {
            *star = &circuits[circuit.0].name;
        }
        if let ["circuit", of, kind @ ("room" | "building"), which, ..] = parts.as_mut_slice()
            && let Some(names) = circuits.iter().find(|names| names.name == **of)
        {
            let list = if *kind == "room" { &names.rooms } else { &names.buildings };
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            if let Some(place) = place_of(which, &list) {
                *which = list[place];
            }
            return parts.join(".");
        }
        parts.join(".")
    }
}
