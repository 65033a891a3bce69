//! The ledger of the supply setpoint: what each source adds to the curve, in kelvins of supply temperature.
//!
//! It adds up: the curve's temperature and all parts together are the setpoint in force, and the sum is the *definition*
//! of the parts, not a check afterwards. Metrics, page and API walk over [`Part::ALL`], so that a new part is shown
//! wherever the others are.
//!
//! Two kinds of parts follow each other. *Wishes* say what the buildings need and people ask for; from [`Part::Band`] on
//! come *limits*, which say why they do not get it. What is wished without any limit is [`Ledger::wished`].

use heatstation_points::Kelvins;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::limiter::LimiterKind;

macro_rules! parts {
    ($($variant:ident $name:literal, $chinese:literal, $english:literal;)*) => {
        /// A source that moves the setpoint, in the order in which they are applied.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Part {
            $(#[doc = $english] $variant,)*
        }

        impl Part {
            /// All of them, in order.
            pub const ALL: &'static [Part] = &[$(Part::$variant,)*];

            /// The name in metrics, records and the API.
            pub const fn name(self) -> &'static str {
                match self { $(Part::$variant => $name,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Part::$variant => ($chinese, $english),)* }
            }
        }
    };
}

parts! {
    BuildingMass "building_mass", "建筑蓄热", "Building mass";
    Solar "solar", "日照", "Sun";
    Wind "wind", "风", "Wind";
    Forecast "forecast", "天气预报", "Forecast";
    Slope "slope", "曲线斜率", "Slope of the curve";
    Level "level", "曲线平移", "Level of the curve";
    RoomTrim "room_trim", "室温修正", "Room trim";
    Schedule "schedule", "时段", "Schedule";
    Optimum "optimum", "提前启停", "Ahead of the clock";
    SetBack "set_back", "降温调整", "Set-back, what weather and quick fall make of it";
    Boost "boost", "升温加强", "Boost after set-back";
    Operator "operator", "人工修正", "Operator's correction";
    LoadShed "load_shed", "负荷削减", "Load shed";
    Remote "remote", "远程", "Remote wish";
    Band "band", "上下限", "Highest, lowest, frost";
    ReturnLimit "return_limit", "一次回水温度限制", "Primary return limit";
    ApproachLimit "approach_limit", "端差限制", "Approach limit";
    FlowLimit "flow_limit", "一次流量限制", "Primary flow limit";
    PowerLimit "power_limit", "热功率限制", "Heat power limit";
    QuotaLimit "quota_limit", "日热量配额", "Heat quota of the day";
    Ramp "ramp", "升降温速率", "Rate of change";
}

/// What each source adds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger([Kelvins; Part::ALL.len()]);

impl Ledger {
    /// What one source adds.
    pub fn of(&self, part: Part) -> Kelvins {
        self.0[part as usize]
    }

    /// Books what a source adds, on top of what it has added already.
    pub fn book(&mut self, part: Part, by: Kelvins) {
        self.0[part as usize] += by;
    }

    /// Every source with what it adds, in order.
    pub fn parts(&self) -> impl Iterator<Item = (Part, Kelvins)> + '_ {
        Part::ALL.iter().map(|&part| (part, self.of(part)))
    }

    /// What the wishes of people and programs add: all that law 6 bounds.
    pub fn wishes(&self) -> Kelvins {
        self.of(Part::Operator) + self.of(Part::LoadShed) + self.of(Part::Remote)
    }

    /// The sum of all parts before `end`.
    pub fn before(&self, end: Part) -> Kelvins {
        self.parts().take_while(|(part, _)| *part < end).fold(Kelvins(0.0), |sum, (_, by)| sum + by)
    }

    /// The sum of what is wished, without any limit: all before [`Part::Band`].
    pub fn wished(&self) -> Kelvins {
        self.before(Part::Band)
    }

    /// What the limiters take of that: zero or negative.
    pub fn given_way(&self) -> Kelvins {
        LimiterKind::ALL.iter().fold(Kelvins(0.0), |sum, limiter| sum + self.of(limiter.part()))
    }

    /// The sum of all parts.
    pub fn sum(&self) -> Kelvins {
        self.parts().fold(Kelvins(0.0), |sum, (_, by)| sum + by)
    }
}

impl Serialize for Ledger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Part::ALL.len()))?;
        for (part, by) in self.parts() {
            map.serialize_entry(part.name(), &by)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_booked_one_by_one_and_summed_in_order() {
        let mut ledger = Ledger::default();
        ledger.book(Part::Band, Kelvins(-2.0));
        ledger.book(Part::Ramp, Kelvins(-1.0));
        ledger.book(Part::RoomTrim, Kelvins(1.0));
        ledger.book(Part::RoomTrim, Kelvins(0.5));
        ledger.book(Part::Remote, Kelvins(2.0));
        assert_eq!(ledger.of(Part::RoomTrim), Kelvins(1.5));
        assert_eq!((ledger.before(Part::Remote), ledger.sum()), (Kelvins(1.5), Kelvins(0.5)));
        ledger.book(Part::FlowLimit, Kelvins(-0.5));
        assert_eq!((ledger.wished(), ledger.given_way()), (Kelvins(3.5), Kelvins(-0.5)));
    }
}
