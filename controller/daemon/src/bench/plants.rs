//! A plant of the family as the benchmark meets it: what is built, what its engineer would write down, and its weather.
//!
//! The engineer knows what stands on the plates and in the contract: climate, area, emitters, buildings, where sensors hang.
//! He writes a station file; it goes through the same checks and gets the same defaults as anybody's. What the plant's seed
//! drew (imbalance, oversize, which sensors lie) he does not know and it is not in the file.

use std::fmt::Write;
use std::path::Path;

use heatstation_config::{Problems, Station};
use heatstation_core::moment::UtcMillis;
use heatstation_points::Celsius;
use heatstation_simulator::family::{DayOfYear, FamilyClimate, FamilyEmitter, Member};
use heatstation_simulator::{EpwError, EpwWeather, StationPlantSettings, StochasticWeather, WeatherSource};
use jiff::civil::Date;

/// The year in which the judged season begins; the one before is the season of tuning.
const YEAR: i16 = 2026;

/// One plant, ready to be run.
pub struct Site {
    /// Which member of the family.
    pub member: Member,
    /// As its engineer configured it.
    pub station: Station,
    /// As it is.
    pub plant: StationPlantSettings,
}

/// Which season: that of tuning, or the one that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Year {
    /// The season before, on which curves are tuned.
    Before,
    /// The season that is judged.
    Judged,
}

impl Site {
    /// The plant and its station file.
    ///
    /// # Errors
    /// Never, as long as the file that is written here is sound, which a test sees to.
    pub fn new(member: Member) -> Result<Site, Problems> {
        let mut plant = member.plant(Celsius(0.0));
        // Points are numbered in the order of the station file, which lists sensors building by building.
        plant.circuits[0].rooms.sort_by_key(|room| room.building);
        let text = station_file(&member, &plant);
        let station = heatstation_config::check(&member.name(), &text, None)?;
        Ok(Site { member, station, plant })
    }

    /// The first moment of a season, China's time.
    ///
    /// # Panics
    /// If a day of the season is not in the calendar.
    pub fn start(&self, year: Year) -> UtcMillis {
        let (first, _) = self.member.climate.season();
        let date = date_of(first, YEAR - i16::from(year == Year::Before));
        let zoned = date.to_zoned(self.station.time_zone.clone()).expect("a day of the season is in the calendar");
        UtcMillis(zoned.timestamp().as_millisecond())
    }

    /// How many days a season has.
    ///
    /// # Panics
    /// As [`Site::start`].
    pub fn days(&self) -> u64 {
        let (first, last) = self.member.climate.season();
        let span = date_of(last, YEAR).since(date_of(first, YEAR)).expect("a season is shorter than a calendar");
        u64::try_from(span.get_days()).unwrap_or(0) + 1
    }

    /// The weather of a season: another draw each year.
    ///
    /// The judged season takes a typical-year file of the climate's city from `files`, if there is one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn weather(&self, year: Year, files: Option<&Path>) -> Result<Box<dyn WeatherSource>, EpwError> {
        if let Some(file) =
            files.filter(|_| year == Year::Judged).and_then(|folder| file_of(self.member.climate, folder))
        {
            return Ok(Box::new(EpwWeather::read(&file)?));
        }
        let seed = self.member.seed.wrapping_mul(31) + u64::from(year == Year::Judged);
        Ok(Box::new(StochasticWeather::new(seed, self.member.weather_climate())))
    }
}

fn date_of(day: DayOfYear, autumn: i16) -> Date {
    // A season begins in autumn and ends in the spring of the next year.
    let year = if day.month >= 7 { autumn } else { autumn + 1 };
    Date::new(year, i8::try_from(day.month).unwrap_or(1), i8::try_from(day.day).unwrap_or(1))
        .expect("a day of a season")
}

/// The weather file of a climate's city in a folder, by its name; the file itself if it is one.
fn file_of(climate: FamilyClimate, place: &Path) -> Option<std::path::PathBuf> {
    if place.is_file() {
        return Some(place.to_path_buf());
    }
    let city = match climate {
        FamilyClimate::Harbin => "Harbin",
        FamilyClimate::Hohhot => "Hohhot",
        FamilyClimate::Beijing => "Beijing",
        FamilyClimate::Jinan => "Jinan",
    };
    let mut found: Vec<_> = std::fs::read_dir(place)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            path.extension().is_some_and(|end| end.eq_ignore_ascii_case("epw")) && name.contains(city)
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

/// What the station's engineer writes.
fn station_file(member: &Member, plant: &StationPlantSettings) -> String {
    let circuit = &plant.circuits[0];
    let area = circuit.heated_area_m2.round();
    let (first, last) = member.climate.season();
    let (emitter, supply_max) = match member.emitter {
        FamilyEmitter::Radiator => ("radiator", 85.0),
        FamilyEmitter::Floor => ("floor", 52.0),
    };
    let set = circuit.make_up.filled_to.0 / 1000.0;
    let mut text = format!(
        r#"[station]
id = "family"
name = "{name}"
standard = "zibo"
heated_area_m2 = {area}
design_outdoor_celsius = {outdoor}

[season]
first_day = {first}
last_day = {last}

[[wire]]
name = "plc"
address = "127.0.0.1:5020"

[[device]]
name = "plc"
wire = "plc"
template = "generic/exchange-station-plc"

[[circuit]]
name = "{circuit_name}"
heated_area_m2 = {area}
emitter = "{emitter}"
design_supply_celsius = {supply}
design_return_celsius = {back}
design_heat_load_watts_per_m2 = {load:.0}
supply_max_celsius = {supply_max}

[circuit.circulation]
pumps = {pumps}
mode = "fixed-speed"
speed_ratio = 0.9

[circuit.make_up]
pumps = {make_up}
setpoint_kilopascals = {set}
"#,
        name = member.name(),
        circuit_name = circuit.name,
        outdoor = circuit.design.outdoor.0,
        first = date_of(first, YEAR),
        last = date_of(last, YEAR),
        supply = circuit.design.supply.0,
        back = circuit.design.return_.0,
        // By the index of the insulation class, as a designer reckons it: what the seed made of the buildings is not in it.
        load = member.class.loss(circuit.design.outdoor) * (circuit.design.room - circuit.design.outdoor).0,
        pumps = circuit.circulation.pumps,
        make_up = circuit.make_up.pumps,
    );
    let shares: f64 = circuit.buildings.iter().map(|building| building.area_share).sum();
    let mut left = area;
    for (number, building) in circuit.buildings.iter().enumerate() {
        let last = number + 1 == circuit.buildings.len();
        // The areas add up exactly: the last building takes what rounding left.
        let own = if last { left } else { (area * building.area_share / shares).round() };
        left -= own;
        let rooms: Vec<String> = circuit
            .rooms
            .iter()
            .filter(|room| room.building == number)
            .map(|room| format!("{:?}", room.name))
            .collect();
        let _ = write!(
            text,
            "\n[[circuit.building]]\nname = {:?}\nheated_area_m2 = {own}\nrooms = [{}]\n",
            building.name,
            rooms.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_family_has_a_sound_station_file_with_the_points_of_its_plant() {
        for member in Member::all(11) {
            let site = Site::new(member).unwrap_or_else(|problems| panic!("{}: {problems}", member.name()));
            let built = site.plant.catalogue().unwrap();
            let known = &site.station.catalogue;
            assert_eq!(built.circuits()[0].buildings, known.circuits()[0].buildings);
            assert_eq!(built.circuits()[0].rooms, known.circuits()[0].rooms);
            assert!((100..200).contains(&site.days()), "{}", site.days());
        }
    }
}
