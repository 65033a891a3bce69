//! Who goes short far away: the buildings that would ask for more flow if they could speak.
//!
//! In a network without users' valves all get less together and the far ones too little, so the pumps may slow down until
//! those complain. A building complains by a return that lies below the others' (its water has had to give more), or by a
//! valve that stands open and still does not bring enough; the rooms complain by the estimate of their coldest share.

use heatstation_points::{BuildingReadings, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::settings::FarSettings;

/// Most buildings that are looked at.
const BUILDINGS_MAX: usize = 200;
/// A building's valve that stands further open has nothing left to give (controllers in the field: 90 %).
const VALVE_OPEN: Ratio = Ratio(0.9);
/// Fewer returns have no median worth the name.
const RETURNS_MIN: usize = 3;

/// What is heard from far away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Far {
    /// How many buildings can be heard.
    pub heard: usize,
    /// How many of them ask for more.
    pub asking: usize,
    /// Whether the rooms ask.
    pub rooms_ask: bool,
}

impl Far {
    /// Listens to buildings and rooms.
    pub fn listen(settings: &FarSettings, buildings: &[BuildingReadings], rooms: Option<Kelvins>) -> Far {
        let mut sorted = [0.0; BUILDINGS_MAX];
        let mut count = 0;
        let looked_at = || buildings.iter().take(BUILDINGS_MAX);
        for value in looked_at().filter_map(|building| building.return_temperature.fresh()) {
            sorted[count] = value.0;
            count += 1;
        }
        let sorted = &mut sorted[..count];
        sorted.sort_unstable_by(f64::total_cmp);
        let median = (count >= RETURNS_MIN).then(|| 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]));
        let mut far = Far { rooms_ask: rooms.is_some_and(|excess| excess < -settings.rooms_below), ..Far::default() };
        for building in looked_at() {
            let open = building.valve_position_feedback.fresh().map(|position| position > VALVE_OPEN);
            let below = building.return_temperature.fresh().zip(median).map(|(own, median)| Kelvins(median - own.0));
            let asks = match (below, open) {
                (None, None) => continue,
                (Some(below), open) => {
                    let share = if open == Some(true) { 0.5 } else { 1.0 };
                    below > settings.return_below * share
                }
                (None, Some(open)) => open,
            };
            far.heard += 1;
            far.asking += usize::from(asks);
        }
        far
    }

    /// How many requests there are beyond those that are ignored.
    pub fn beyond(&self, settings: &FarSettings) -> usize {
        // Rooms are what it is all about: they count for one request more than any that could be ignored.
        self.asking.saturating_sub(settings.ignored).max(usize::from(self.rooms_ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{Celsius, Reading};

    fn heard(returns: &[f64], valves: &[f64], rooms: f64) -> (usize, usize) {
        let buildings: Vec<BuildingReadings> = (0..returns.len().max(valves.len()))
            .map(|b| {
                let mut building = BuildingReadings::default();
                if let Some(value) = returns.get(b) {
                    building.return_temperature = Reading::good(Celsius(*value));
                }
                if let Some(position) = valves.get(b) {
                    building.valve_position_feedback = Reading::good(Ratio(*position));
                }
                building
            })
            .collect();
        let settings = FarSettings { ignored: 1, ..FarSettings::default() };
        let far = Far::listen(&settings, &buildings, Some(Kelvins(rooms)));
        (far.asking, far.beyond(&settings))
    }

    #[test]
    fn a_return_below_the_others_asks_and_one_alone_is_ignored() {
        assert_eq!(heard(&[40.0, 40.5, 41.0, 39.0, 40.0], &[], 0.3), (0, 0));
        assert_eq!(heard(&[40.0, 40.5, 41.0, 37.0, 40.0], &[], 0.3), (1, 0));
        assert_eq!(heard(&[40.0, 40.5, 41.0, 37.0, 37.5], &[], 0.3), (2, 1));
    }

    #[test]
    fn an_open_valve_asks_where_its_return_is_low_too() {
        assert_eq!(heard(&[40.0, 40.5, 41.0, 38.7, 40.0], &[0.5, 0.5, 0.5, 0.95, 0.95], 0.3), (1, 0));
        // Without returns the valves alone speak.
        assert_eq!(heard(&[], &[0.5, 0.95, 0.96], 0.3), (2, 1));
    }

    #[test]
    fn cold_rooms_are_never_ignored() {
        assert_eq!(heard(&[40.0, 40.5, 41.0], &[], -0.8), (0, 1));
        assert_eq!(heard(&[], &[], -0.8), (0, 1));
    }

    #[test]
    fn two_returns_have_no_median() {
        assert_eq!(heard(&[40.0, 30.0], &[], 0.3), (0, 0));
    }
}
