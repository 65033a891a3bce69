//! A member of the simulator's family of plants with the control that its engineer would set up for it.

use heatstation::bench::plants::Site;
use heatstation_core::moment::UtcMillis;
use heatstation_core::settings::Season;
use heatstation_points::Celsius;
use heatstation_simulator::family::Member;

use crate::stations::Station;

/// The member with its control, from `start` for so many days; the curve aims at `room_target`.
pub fn station(member: &Member, outdoor: Celsius, room_target: Celsius, start: UtcMillis, days: u64) -> Station {
    let site = Site::new(*member).expect("the family's station files are sound");
    let (mut settings, mut plant) = (site.station.settings, site.plant);
    let end = UtcMillis(start.0 + days as i64 * 86_400_000);
    settings.season = Season { heating_from: start, start, end };
    settings.circuits[0].room_target = room_target;
    plant.initial.outdoor = outdoor;
    (settings, site.station.catalogue, plant)
}
