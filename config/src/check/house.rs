//! What is about the program and not about the plant: addresses, folders, recorded series, the simulated plant.

use std::net::SocketAddr;
use std::path::PathBuf;

use heatstation_points::Celsius;

use crate::desk::{Desk, Section, count, derived, number, or};
use crate::raw::{RawBuildingClass, RawClimate, RawFile};
use crate::station::{BuildingClass, Climate, DaemonSettings, HistorySettings, HttpSettings, SimulationSettings};

pub(crate) fn check(
    desk: &mut Desk,
    file: &RawFile,
) -> (DaemonSettings, HttpSettings, HistorySettings, SimulationSettings) {
    (daemon(desk, file), http(desk, file), history(desk, file), simulation(desk, file))
}

fn daemon(desk: &mut Desk, file: &RawFile) -> DaemonSettings {
    let written = file.daemon.clone().unwrap_or_default();
    let at = Section::new("daemon", 0, &written.span);
    let usual = or(
        "/var/lib/heatstation".to_owned(),
        "the state folder of a system service (Filesystem Hierarchy Standard 3.0, 5.8)",
    );
    let folder = desk.text(&at, "data_folder", written.value.data_folder.as_ref(), usual);
    DaemonSettings { data_folder: PathBuf::from(folder.value) }
}

fn http(desk: &mut Desk, file: &RawFile) -> HttpSettings {
    let written = file.http.clone().unwrap_or_default();
    let at = Section::new("http", 0, &written.span);
    let usual = or("127.0.0.1:8080".to_owned(), "loopback until told otherwise");
    let listen = desk.text(&at, "listen", written.value.listen.as_ref(), usual);
    let address = listen.value.parse::<SocketAddr>();
    if address.is_err() && listen.sound {
        let help = "write an address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"";
        desk.error(
            &listen.place,
            listen.key.as_str(),
            format!("{:?} is not an address with a port", listen.value),
            help,
        );
    }
    let usual =
        or(String::new(), "no name but localhost: a foreign page could read the station through a browser otherwise");
    let host = desk.text(&at, "host", written.value.host.as_ref(), usual);
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if host.sound && !host.value.chars().all(sound) {
        let help = "write the bare name, as in \"k12.heat.example\", without http:// and port";
        desk.error(&host.place, host.key.as_str(), format!("{:?} is not the name of a host", host.value), help);
    }
    HttpSettings {
        listen: address.unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 8080))),
        host: Some(host.value).filter(|host| !host.is_empty()),
    }
}

fn history(desk: &mut Desk, file: &RawFile) -> HistorySettings {
    let written = file.history.clone().unwrap_or_default();
    let raw = &written.value;
    let at = Section::new("history", 0, &written.span);
    let interval = number!(
        desk,
        at,
        raw.interval_seconds,
        1.0..=3600.0,
        or(10.0, "the rhythm of meters; 150 points are then about 3 MB a day")
    );
    let retention = number!(
        desk,
        at,
        raw.retention_days,
        1.0..=3660.0,
        or(400.0, "this season and the one before, to be compared")
    );
    HistorySettings { interval: interval.duration(), retention: retention.duration() }
}

fn simulation(desk: &mut Desk, file: &RawFile) -> SimulationSettings {
    let written = file.simulation.clone().unwrap_or_default();
    let raw = &written.value;
    let at = Section::new("simulation", 0, &written.span);
    let usual = or(RawBuildingClass::Half, "JGJ 26-95: most of the stock of northern cities");
    let class = desk.choice(&at, "building_class", raw.building_class.as_ref(), usual, RawBuildingClass::Half);
    let flats =
        count!(desk, at, raw.flats_per_building, 1..=200, or(12, "a stairwell of six floors with two flats each"));
    let usual = or(RawClimate::Shandong, "Zibo and Jinan");
    let climate = desk.choice(&at, "climate", raw.climate.as_ref(), usual, RawClimate::Shandong);
    let supply = number!(
        desk,
        at,
        raw.primary_design_supply_celsius,
        60.0..=150.0,
        or(110.0, "110/60 °C, the common design of primary networks")
    );
    let floors = file.circuit.iter().all(|circuit| {
        circuit.value.emitter.as_ref().is_some_and(|emitter| emitter.value == crate::raw::RawEmitter::Floor)
    });
    let usual = if floors && !file.circuit.is_empty() {
        derived(45.0, "all circuits heat floors: 110/45 °C")
    } else {
        or(60.0, "110/60 °C, the common design of primary networks")
    };
    let return_ = number!(desk, at, raw.primary_design_return_celsius, 20.0..=120.0, usual);
    desk.below(&return_, &supply, "the network brings heat");
    SimulationSettings {
        building_class: class_of(class.value),
        flats_per_building: flats.value as usize,
        climate: climate_of(climate.value),
        primary_design_supply: Celsius(supply.value),
        primary_design_return: Celsius(return_.value),
    }
}

/// Insulation as meant.
pub(crate) const fn class_of(class: RawBuildingClass) -> BuildingClass {
    match class {
        RawBuildingClass::Uninsulated => BuildingClass::Uninsulated,
        RawBuildingClass::Half => BuildingClass::Half,
        RawBuildingClass::SixtyFive => BuildingClass::SixtyFive,
        RawBuildingClass::SeventyFive => BuildingClass::SeventyFive,
    }
}

/// A climate as meant.
pub(crate) const fn climate_of(climate: RawClimate) -> Climate {
    match climate {
        RawClimate::Shandong => Climate::Shandong,
        RawClimate::Jinan => Climate::Jinan,
        RawClimate::Beijing => Climate::Beijing,
        RawClimate::Hohhot => Climate::Hohhot,
        RawClimate::Harbin => Climate::Harbin,
        RawClimate::Hanzhong => Climate::Hanzhong,
    }
}
