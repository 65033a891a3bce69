//! What each quantity is taken from.
//!
//! Every quantity has a ladder in the room that uses it: supply in [`supply_loop`](crate::supply_loop), outdoor in
//! [`outdoor`](crate::outdoor), holding pressure in [`make_up`](crate::make_up), rooms in
//! [`room_trim`](crate::room_trim). Here stands, in one table, on which rung each of them is.

use heatstation_points::{CircuitReadings, Reading, StationReadings};
use serde::{Deserialize, Serialize};

use crate::make_up::PressureSource;
use crate::named::named;
use crate::outdoor::OutdoorSource;
use crate::settings::CircuitSettings;
use crate::supply_source::SupplySource;

named! {
    /// What the control wants to know of a circuit.
    Quantity {
        /// Secondary supply temperature.
        Supply "supply_temperature", "二次供水温度", "supply temperature";
        /// Secondary return temperature.
        SecondaryReturn "return_temperature", "二次回水温度", "return temperature";
        /// Primary supply temperature.
        PrimarySupply "primary_supply_temperature", "一次供水温度", "primary supply temperature";
        /// Primary return temperature.
        PrimaryReturn "primary_return_temperature", "一次回水温度", "primary return temperature";
        /// Pressure at the holding point.
        HoldingPressure "holding_pressure", "定压点压力", "holding-point pressure";
        /// Pressure difference between supply and return.
        DifferentialPressure "differential_pressure", "供回水压差", "pressure difference";
        /// Level of the make-up tank.
        TankLevel "tank_level", "水箱液位", "tank level";
        /// Heat taken from the primary side.
        Heat "heat", "热量", "heat";
        /// Outdoor temperature.
        Outdoor "outdoor_temperature", "室外温度", "outdoor temperature";
        /// Room temperatures.
        Rooms "room_temperature", "室温", "room temperatures";
    }
}

named! {
    /// What a quantity is taken from.
    Source {
        /// Its own sensor.
        Sensor "sensor", "传感器", "sensor";
        /// The second sensor of the same thing.
        SecondSensor "second_sensor", "第二传感器", "second sensor";
        /// The colder of two that disagree.
        ColderSensor "colder_sensor", "两传感器取低", "the colder of two";
        /// The heat meter's own sensor.
        Meter "meter", "热表", "heat meter";
        /// The mean of what the buildings show.
        Buildings "buildings", "楼栋均值", "mean of the buildings";
        /// Return, heat and flow.
        HeatBalance "heat_balance", "热平衡估算", "heat balance";
        /// The difference of two others.
        Difference "difference", "差值计算", "difference of two others";
        /// Supply pressure and what the pumps' speed gives.
        HeadEstimate "head_estimate", "水泵扬程估算", "the pumps' head";
        /// A switch that says low or high.
        Switch "switch", "开关", "switch";
        /// The weather service, for the sensor is much warmer.
        ColderService "colder_service", "气象服务较低", "the colder weather service";
        /// The weather service.
        Forecast "forecast", "天气预报", "forecast";
        /// What was known last.
        LastGood "last_good", "最后有效值", "last good value";
        /// A configured value.
        Fallback "fallback", "替代值", "configured value";
        /// Too few are left: what they had brought about decays.
        TooFew "too_few", "测点不足", "too few are left";
        /// Nothing tells it.
        Lost "lost", "未知", "unknown";
        /// The station has nothing that could tell it.
        NotFitted "not_fitted", "未配置", "not fitted";
    }
}

impl Quantity {
    /// What it can be taken from at all, best first: the closed set of states in which its ladder can be.
    pub const fn rungs(self) -> &'static [Source] {
        match self {
            Quantity::Supply => &[Source::Sensor, Source::SecondSensor, Source::HeatBalance, Source::Lost],
            Quantity::SecondaryReturn => &[Source::Sensor, Source::Buildings, Source::Lost, Source::NotFitted],
            Quantity::PrimarySupply | Quantity::PrimaryReturn | Quantity::Heat => {
                &[Source::Sensor, Source::Meter, Source::Lost, Source::NotFitted]
            }
            Quantity::HoldingPressure => &[
                Source::Sensor,
                Source::Difference,
                Source::HeadEstimate,
                Source::Switch,
                Source::Lost,
                Source::NotFitted,
            ],
            Quantity::DifferentialPressure => &[Source::Sensor, Source::Difference, Source::Lost, Source::NotFitted],
            Quantity::TankLevel => &[Source::Sensor, Source::Switch, Source::Lost, Source::NotFitted],
            Quantity::Outdoor => &[
                Source::Sensor,
                Source::SecondSensor,
                Source::ColderSensor,
                Source::ColderService,
                Source::Forecast,
                Source::LastGood,
                Source::Fallback,
            ],
            Quantity::Rooms => &[Source::Sensor, Source::TooFew, Source::Lost, Source::NotFitted],
        }
    }
}

const QUANTITIES: usize = Quantity::ALL.len();

/// What each quantity is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources([Source; QUANTITIES]);

impl Sources {
    /// What a quantity is taken from.
    pub fn of(&self, quantity: Quantity) -> Source {
        self.0[quantity as usize]
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = (Quantity, Source)> + '_ {
        Quantity::ALL.iter().map(|&quantity| (quantity, self.of(quantity)))
    }
}

impl Serialize for Sources {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all().map(|(quantity, source)| (quantity.name(), source.name())))
    }
}

/// What the rooms of the single ladders say, and what else decides the overview.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rungs {
    /// Where the supply temperature comes from.
    pub supply: SupplySource,
    /// Where the outdoor temperature comes from.
    pub outdoor: OutdoorSource,
    /// Where the pressure at the holding point comes from.
    pub pressure: PressureSource,
    /// Fresh room sensors.
    pub rooms_fresh: usize,
    /// Room sensors that there are.
    pub rooms_configured: usize,
}

/// What each quantity of a circuit is taken from in this step.
pub fn sources(
    settings: &CircuitSettings,
    station: &StationReadings,
    readings: &CircuitReadings,
    rungs: Rungs,
) -> Sources {
    let own = &readings.own;
    let mut sources = Sources([Source::NotFitted; QUANTITIES]);
    let mut set = |quantity: Quantity, source| sources.0[quantity as usize] = source;
    set(Quantity::Supply, supply(rungs.supply));
    let buildings = readings.buildings.iter().any(|building| building.return_temperature.usable().is_some());
    let buildings = buildings.then_some(Source::Buildings);
    set(Quantity::SecondaryReturn, one(own.return_temperature, buildings));
    let meter = station.primary_meter_supply_temperature.usable().map(|_| Source::Meter);
    set(Quantity::PrimarySupply, one(station.primary_supply_temperature, meter));
    let circuits_own = own.primary_return_temperature.is_configured();
    let primary = if circuits_own { own.primary_return_temperature } else { station.primary_return_temperature };
    let meter = station.primary_meter_return_temperature.usable().map(|_| Source::Meter);
    set(Quantity::PrimaryReturn, one(primary, meter));
    set(Quantity::HoldingPressure, one(own.return_pressure, pressure(rungs.pressure)));
    let subtracted = own.supply_pressure.fresh().and(own.return_pressure.fresh()).map(|_| Source::Difference);
    set(Quantity::DifferentialPressure, one(own.differential_pressure, subtracted));
    if settings.make_up.is_some() {
        let switch = own.tank_low_switch.usable().or(own.tank_high_switch.usable()).map(|_| Source::Switch);
        set(Quantity::TankLevel, one(own.tank_level, switch));
    }
    set(Quantity::Heat, one(own.heat_power, station.primary_heat_power.usable().map(|_| Source::Meter)));
    set(Quantity::Outdoor, outdoor(rungs.outdoor));
    set(Quantity::Rooms, rooms(settings, rungs));
    sources
}

/// A sensor of its own, and what stands in for it.
fn one<T: Copy>(reading: Reading<T>, stand_in: Option<Source>) -> Source {
    if reading.fresh().is_some() {
        return Source::Sensor;
    }
    stand_in.unwrap_or(if reading.is_configured() { Source::Lost } else { Source::NotFitted })
}

const fn supply(source: SupplySource) -> Source {
    match source {
        SupplySource::Sensor => Source::Sensor,
        SupplySource::SecondSensor => Source::SecondSensor,
        SupplySource::HeatBalance => Source::HeatBalance,
        SupplySource::Lost => Source::Lost,
    }
}

/// What stands in for the sensor at the holding point.
const fn pressure(source: PressureSource) -> Option<Source> {
    match source {
        PressureSource::Sensor => Some(Source::Sensor),
        PressureSource::Difference => Some(Source::Difference),
        PressureSource::HeadEstimate => Some(Source::HeadEstimate),
        PressureSource::Switch => Some(Source::Switch),
        PressureSource::Lost => None,
    }
}

const fn outdoor(source: OutdoorSource) -> Source {
    match source {
        OutdoorSource::Sensor => Source::Sensor,
        OutdoorSource::SecondSensor => Source::SecondSensor,
        OutdoorSource::ColderSensor => Source::ColderSensor,
        OutdoorSource::ColderService => Source::ColderService,
        OutdoorSource::Forecast => Source::Forecast,
        OutdoorSource::LastGood => Source::LastGood,
        OutdoorSource::Fallback => Source::Fallback,
    }
}

fn rooms(settings: &CircuitSettings, rungs: Rungs) -> Source {
    if rungs.rooms_configured == 0 {
        Source::NotFitted
    } else if rungs.rooms_fresh == 0 {
        Source::Lost
    } else if rungs.rooms_fresh < settings.room_trim.sensors_min {
        Source::TooFew
    } else {
        Source::Sensor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ladder_of_a_room_is_named_in_the_overview() {
        for source in PressureSource::ALL {
            let rung = pressure(source).unwrap_or(Source::Sensor);
            assert!(Quantity::HoldingPressure.rungs().contains(&rung), "{source:?}");
        }
        for source in OutdoorSource::ALL {
            assert!(Quantity::Outdoor.rungs().contains(&outdoor(source)), "{source:?}");
        }
    }
}
