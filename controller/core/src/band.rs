//! Limits narrow, and remember why.
//!
//! Rules run from most to least binding. Each may only narrow what is left, so a wish from outside cannot pass an
//! equipment limit, and the report can say who holds the setpoint. The order of the rules is written down in
//! [`limits`](crate::limits).

use heatstation_points::Celsius;
use serde::{Deserialize, Serialize};

/// Who holds the setpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The highest supply temperature of the circuit.
    SupplyMax,
    /// The lowest supply temperature of the circuit.
    SupplyMin,
    /// The lowest supply temperature in warm weather.
    SupplyMinWarm,
    /// What the emitters bear.
    EmitterMax,
    /// The margin below the over-temperature interlock.
    TripMargin,
    /// Frost protection asks for at least this.
    Frost,
    /// In frost an outside wish may not go lower.
    HeatFloor,
    /// All outside wishes together may go no further.
    Envelope,
    /// The primary return temperature.
    ReturnLimit,
    /// The exchanger's approach.
    ApproachLimit,
    /// The primary flow.
    FlowLimit,
    /// The heat power.
    PowerLimit,
    /// The heat of the day.
    QuotaLimit,
    /// The fastest allowed change of the setpoint.
    Ramp,
}

impl Because {
    /// All of them.
    pub const ALL: [Because; 14] = [
        Because::SupplyMax,
        Because::SupplyMin,
        Because::SupplyMinWarm,
        Because::EmitterMax,
        Because::TripMargin,
        Because::Frost,
        Because::HeatFloor,
        Because::Envelope,
        Because::ReturnLimit,
        Because::ApproachLimit,
        Because::FlowLimit,
        Because::PowerLimit,
        Because::QuotaLimit,
        Because::Ramp,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Because::SupplyMax => "supply_max",
            Because::SupplyMin => "supply_min",
            Because::SupplyMinWarm => "supply_min_warm",
            Because::EmitterMax => "emitter_max",
            Because::TripMargin => "trip_margin",
            Because::Frost => "frost",
            Because::HeatFloor => "heat_floor",
            Because::Envelope => "envelope",
            Because::ReturnLimit => "return_limit",
            Because::ApproachLimit => "approach_limit",
            Because::FlowLimit => "flow_limit",
            Because::PowerLimit => "power_limit",
            Because::QuotaLimit => "quota_limit",
            Because::Ramp => "ramp",
        }
    }

    /// What an operator reads, Chinese and English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Because::SupplyMax => ("供水温度上限", "highest supply temperature"),
            Because::SupplyMin => ("供水温度下限", "lowest supply temperature"),
            Because::SupplyMinWarm => ("暖天供水温度下限", "lowest supply temperature in warm weather"),
            Because::EmitterMax => ("散热设备温度上限", "what the emitters bear"),
            Because::TripMargin => ("超温保护裕量", "margin below the over-temperature interlock"),
            Because::Frost => ("防冻保护", "frost protection"),
            Because::HeatFloor => ("严寒保底", "heat floor in frost"),
            Because::Envelope => ("外部请求限幅", "envelope of outside wishes"),
            Because::ReturnLimit => ("一次回水温度限制", "primary return limit"),
            Because::ApproachLimit => ("端差限制", "approach limit"),
            Because::FlowLimit => ("一次流量限制", "primary flow limit"),
            Because::PowerLimit => ("热功率限制", "heat power limit"),
            Because::QuotaLimit => ("日热量配额", "heat quota of the day"),
            Because::Ramp => ("升降温速率", "rate of change"),
        }
    }
}

/// What is left of the range, and who cut each side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    low: (Celsius, Because),
    high: (Celsius, Because),
}

impl Band {
    /// The widest band: the equipment's.
    pub fn new(low: Celsius, because_low: Because, high: Celsius, because_high: Because) -> Band {
        Band { low: (low, because_low), high: (high, because_high) }
    }

    /// Cuts the top, if that is lower; never below what is left.
    #[must_use]
    pub fn at_most(mut self, limit: Celsius, because: Because) -> Band {
        if limit < self.high.0 {
            self.high = (limit.max(self.low.0), because);
        }
        self
    }

    /// Cuts the bottom, if that is higher; never above what is left.
    #[must_use]
    pub fn at_least(mut self, limit: Celsius, because: Because) -> Band {
        if limit > self.low.0 {
            self.low = (limit.min(self.high.0), because);
        }
        self
    }

    /// The wish, or the nearest that is left and who holds it there.
    pub fn pick(self, wish: Celsius) -> (Celsius, Option<Because>) {
        if wish > self.high.0 {
            (self.high.0, Some(self.high.1))
        } else if wish < self.low.0 {
            (self.low.0, Some(self.low.1))
        } else {
            (wish, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equipment() -> Band {
        Band::new(Celsius(20.0), Because::SupplyMin, Celsius(80.0), Because::SupplyMax)
    }

    #[test]
    fn the_tightest_limit_holds_and_says_so() {
        let band = equipment().at_most(Celsius(75.0), Because::TripMargin);
        assert_eq!(band.pick(Celsius(90.0)), (Celsius(75.0), Some(Because::TripMargin)));
        assert_eq!(band.pick(Celsius(60.0)), (Celsius(60.0), None));
    }

    #[test]
    fn a_later_limit_only_narrows() {
        let band = equipment().at_most(Celsius(60.0), Because::TripMargin).at_most(Celsius(70.0), Because::SupplyMax);
        assert_eq!(band.pick(Celsius(90.0)), (Celsius(60.0), Some(Because::TripMargin)));
        let squeezed = band.at_least(Celsius(65.0), Because::HeatFloor);
        assert_eq!(squeezed.pick(Celsius(30.0)), (Celsius(60.0), Some(Because::HeatFloor)));
    }
}
