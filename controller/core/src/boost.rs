//! More supply while the rooms warm up after a set-back.
//!
//! It adds kelvins to the supply, or a share of the supply's excess over the room, from the moment that the circuit begins
//! to recover until the rooms are warm again, and never longer than its time, which counts from when the ramp lets it
//! through. The setpoint's ramp and limits still hold. So
//! that the stations of a network do not make a morning peak of it together, each begins to recover earlier by a part of
//! the stagger that follows from its id; earlier, not later, because later is cold.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins};

use crate::settings::{Boost, BoostSettings};

impl BoostSettings {
    /// What is added after that much of a boost; none when its time is over.
    pub fn after(&self, boosted_for: Duration) -> Option<Boost> {
        self.by.filter(|_| boosted_for < self.lasts_max)
    }
}

impl Boost {
    /// In kelvins of supply.
    pub fn over(self, supply: Celsius, room: Celsius) -> Kelvins {
        match self {
            Boost::Supply(by) => by,
            Boost::Excess(share) => Kelvins((supply - room).0.max(0.0) * share.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::Ratio;

    #[test]
    fn a_boost_is_a_number_of_kelvins_or_a_share_of_the_excess_and_ends_with_its_time() {
        let hour = Duration::from_secs(3600);
        let settings =
            BoostSettings { by: Some(Boost::Excess(Ratio(0.2))), lasts_max: hour, ..BoostSettings::default() };
        assert_eq!(settings.after(hour), None);
        let boost = settings.after(hour / 2).unwrap();
        assert_eq!(boost.over(Celsius(60.0), Celsius(20.0)), Kelvins(8.0));
        assert_eq!(Boost::Supply(Kelvins(5.0)).over(Celsius(60.0), Celsius(20.0)), Kelvins(5.0));
        assert_eq!(BoostSettings::default().after(Duration::ZERO), None);
    }
}
