//! Which sensors can be believed, and what each quantity is taken from.
//!
//! # The overview
//! Every quantity has a ladder in the room that uses it: supply in [`supply_loop`](crate::supply_loop), outdoor in
//! [`outdoor`](crate::outdoor), holding pressure in [`make_up`](crate::make_up), rooms in
//! [`room_trim`](crate::room_trim). Here stands, in one table, on which rung each of them is.
//!
//! # Detection
//! What is out of range or stale never comes in as a value (points, image). What does come in is held against the plant:
//!
//! | found | rule | why these numbers |
//! |---|---|---|
//! | stuck | the same to the last digit for ten minutes or more, while what moves it has moved | a thermometer of tenths stands still in steady running; not while the valve travels a tenth |
//! | jump | faster than water can warm | a pocket of 10 s shows a step of 60 K as 6 K/s |
//! | order | the supply is colder than the return for ten minutes of heating | an exchanger cannot do that, two mixed-up sensors can |
//!
//! # What follows
//! An alarm. And for the supply temperature: while its sensor is doubted and the second one is not, the second one is
//! used. Nothing is ever given up on suspicion alone: a doubted sensor with no other beside it is used on, because the
//! ladder below it holds the valve blindly.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Kelvins, Reading, StationReadings, Switch};
use serde::{Deserialize, Serialize};

use crate::make_up::PressureSource;
use crate::outdoor::OutdoorSource;
use crate::settings::CircuitSettings;
use crate::supply_source::SupplySource;
use crate::timer::{Held, seconds};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident $text:literal, $chinese:literal, $english:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The name in metrics and records.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $($name::$variant => ($chinese, $english),)* }
            }
        }
    };
}

names! {
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

names! {
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

names! {
    /// A sensor whose value is held against the plant.
    Watched {
        /// Secondary supply temperature.
        Supply "supply_temperature", "二次供水温度", "supply temperature";
        /// The second sensor there.
        SupplySecond "supply_temperature_second", "二次供水温度2", "second supply temperature";
        /// Secondary return temperature.
        SecondaryReturn "return_temperature", "二次回水温度", "return temperature";
        /// Pressure at the holding point.
        HoldingPressure "holding_pressure", "定压点压力", "holding-point pressure";
        /// Pressure difference.
        DifferentialPressure "differential_pressure", "供回水压差", "pressure difference";
        /// Secondary flow.
        Flow "secondary_flow", "二次流量", "secondary flow";
    }
}

names! {
    /// What is wrong with a sensor that still shows something.
    Finding {
        /// It shows the same although the plant has moved.
        Stuck "stuck", "数值不变", "stuck";
        /// It moved faster than the plant can.
        Jump "jump", "突变", "jump";
        /// Two sensors are the wrong way round.
        Order "order", "次序颠倒", "wrong order";
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
            Quantity::HoldingPressure => {
                &[Source::Sensor, Source::Difference, Source::Switch, Source::Lost, Source::NotFitted]
            }
            Quantity::DifferentialPressure => &[Source::Sensor, Source::Difference, Source::Lost, Source::NotFitted],
            Quantity::TankLevel => &[Source::Sensor, Source::Switch, Source::Lost, Source::NotFitted],
            Quantity::Outdoor => &[
                Source::Sensor,
                Source::SecondSensor,
                Source::ColderSensor,
                Source::Forecast,
                Source::LastGood,
                Source::Fallback,
            ],
            Quantity::Rooms => &[Source::Sensor, Source::TooFew, Source::Lost, Source::NotFitted],
        }
    }
}

const WATCHED: usize = Watched::ALL.len();
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

/// The sensors that show something and are doubted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubted([Option<Finding>; WATCHED]);

impl Doubted {
    /// What is wrong with a sensor, if anything is.
    pub fn of(&self, sensor: Watched) -> Option<Finding> {
        self.0[sensor as usize]
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = (Watched, Finding)> + '_ {
        Watched::ALL.iter().filter_map(|&sensor| Some((sensor, self.of(sensor)?)))
    }
}

impl Serialize for Doubted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all().map(|(sensor, finding)| (sensor.name(), finding.name())))
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

/// How the plant has moved: what a sensor is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// The valve's command, 0 to 1.
    pub valve: f64,
    /// The speed of the running circulation pumps, 0 when they stand.
    pub speed: f64,
    /// Whether a make-up pump runs.
    pub make_up: Switch,
    /// Whether the circuit heats, with proven circulation and an open valve.
    pub heating: Switch,
}

/// The range in which something has been since a sensor moved last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    fn at(value: f64) -> Span {
        Span { low: value, high: value }
    }

    fn widen(&mut self, value: f64) {
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
    }

    fn width(self) -> f64 {
        self.high - self.low
    }
}

/// What is remembered of one sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    last: Option<f64>,
    same_for: Duration,
    valve: Span,
    speed: Span,
    make_up_for: Duration,
    jumped: Duration,
    /// It was stuck a short while ago: for how long it is doubted still where another sensor shows the same.
    was_stuck: Duration,
}

/// What is remembered of all sensors of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SensorWatch {
    records: [Record; WATCHED],
    reversed: Held,
}

/// A temperature that stands still for so long while its valve has travelled [`VALVE_TRAVEL`] is stuck.
const TEMPERATURE_STILL: Duration = Duration::from_secs(600);
const VALVE_TRAVEL: f64 = 0.1;
/// A pressure or a flow that stands still for so long while the pumps have changed by [`SPEED_TRAVEL`] is stuck.
const FLOW_STILL: Duration = Duration::from_secs(300);
const SPEED_TRAVEL: f64 = 0.1;
/// And the holding point while make-up has run so long.
const MAKE_UP_RUN: Duration = Duration::from_secs(120);
/// The return follows the valve through the whole network, in an hour.
const RETURN_STILL: Duration = Duration::from_secs(3600);
/// Faster than this no water warms at its sensor, K/s.
const JUMP: f64 = 10.0;
/// A sensor that has jumped is doubted for so long.
const JUMP_DOUBTED: Duration = Duration::from_secs(60);
/// One that was stuck is not preferred again for so long: a sticky one moves now and then.
const STUCK_DOUBTED: Duration = Duration::from_secs(1800);
/// The return may be wrong by this against the supply without saying anything of their order.
const ORDER_MARGIN: Kelvins = Kelvins(2.0);
const ORDER_AFTER: Duration = Duration::from_secs(600);

impl SensorWatch {
    /// One step.
    pub fn look(&mut self, readings: &CircuitReadings, movement: Movement, dt: Duration) {
        let own = &readings.own;
        let values = [
            (Watched::Supply, own.supply_temperature.fresh().map(|t| t.0)),
            (Watched::SupplySecond, own.supply_temperature_second.fresh().map(|t| t.0)),
            (Watched::SecondaryReturn, own.return_temperature.fresh().map(|t| t.0)),
            (Watched::HoldingPressure, own.return_pressure.fresh().map(|p| p.0)),
            (Watched::DifferentialPressure, own.differential_pressure.fresh().map(|p| p.0)),
            // A flow meter that shows nothing shows nothing to the last digit.
            (Watched::Flow, own.secondary_flow.fresh().map(|f| f.0).filter(|flow| *flow > 0.0)),
        ];
        for (sensor, value) in values {
            self.records[sensor as usize].look(sensor, value, movement, dt);
        }
        let reversed = own
            .supply_temperature
            .fresh()
            .zip(own.return_temperature.fresh())
            .is_some_and(|(supply, back)| supply - back < -ORDER_MARGIN);
        self.reversed.for_at_least(ORDER_AFTER, reversed && movement.heating.is_on(), dt);
    }

    /// What is wrong with a sensor, if anything is.
    pub fn finding(&self, sensor: Watched) -> Option<Finding> {
        let record = &self.records[sensor as usize];
        if !record.jumped.is_zero() {
            return Some(Finding::Jump);
        }
        if record.is_stuck(sensor) {
            return Some(Finding::Stuck);
        }
        let ordered = match sensor {
            Watched::Supply | Watched::SecondaryReturn => self.reversed.0 >= ORDER_AFTER,
            Watched::SupplySecond | Watched::HoldingPressure | Watched::DifferentialPressure | Watched::Flow => false,
        };
        ordered.then_some(Finding::Order)
    }

    /// All that is wrong.
    pub fn doubted(&self) -> Doubted {
        let mut doubted = Doubted::default();
        for &sensor in Watched::ALL {
            doubted.0[sensor as usize] = self.finding(sensor);
        }
        doubted
    }

    /// Whether the second supply sensor is the better one: it shows something, is not doubted, and the first one is.
    pub fn prefers_second_supply(&self) -> bool {
        let second = &self.records[Watched::SupplySecond as usize];
        second.last.is_some()
            && self.finding(Watched::SupplySecond).is_none()
            && (matches!(self.finding(Watched::Supply), Some(Finding::Stuck | Finding::Jump))
                || !self.records[Watched::Supply as usize].was_stuck.is_zero())
    }
}

impl Record {
    fn look(&mut self, sensor: Watched, value: Option<f64>, movement: Movement, dt: Duration) {
        self.jumped = self.jumped.saturating_sub(dt);
        self.was_stuck = self.was_stuck.saturating_sub(dt);
        if self.is_stuck(sensor) {
            self.was_stuck = STUCK_DOUBTED;
        }
        let Some(value) = value else {
            // What comes back after a gap may be anything.
            *self = Record { jumped: self.jumped, was_stuck: self.was_stuck, ..Record::default() };
            return;
        };
        let before = self.last.replace(value);
        if before != Some(value) {
            let by = before.map_or(0.0, |before| (value - before).abs());
            // A reading is as old as its pace; standing still for a while is no licence to jump.
            let time = seconds(self.same_for.saturating_add(dt)).clamp(1.0, 10.0);
            if is_temperature(sensor) && by > JUMP * time.min(2.0) {
                self.jumped = JUMP_DOUBTED;
            }
            let (valve, speed) = (Span::at(movement.valve), Span::at(movement.speed));
            let (jumped, was_stuck) = (self.jumped, self.was_stuck);
            *self = Record { last: Some(value), valve, speed, jumped, was_stuck, ..Record::default() };
            return;
        }
        self.same_for = self.same_for.saturating_add(dt);
        // Only what has had time to be seen counts: the range is that of the movement, the wait comes on top of it.
        self.valve.widen(movement.valve);
        self.speed.widen(movement.speed);
        if movement.make_up.is_on() {
            self.make_up_for = self.make_up_for.saturating_add(dt);
        }
    }

    fn is_stuck(&self, sensor: Watched) -> bool {
        match sensor {
            // Standing water follows no valve.
            Watched::Supply | Watched::SupplySecond => {
                self.same_for >= TEMPERATURE_STILL && self.valve.width() >= VALVE_TRAVEL && self.speed.low > 0.0
            }
            Watched::SecondaryReturn => {
                self.same_for >= RETURN_STILL && self.valve.width() >= VALVE_TRAVEL && self.speed.low > 0.0
            }
            Watched::HoldingPressure => self.same_for >= FLOW_STILL && self.make_up_for >= MAKE_UP_RUN,
            Watched::DifferentialPressure | Watched::Flow => {
                self.same_for >= FLOW_STILL && self.speed.width() >= SPEED_TRAVEL
            }
        }
    }
}

const fn is_temperature(sensor: Watched) -> bool {
    match sensor {
        Watched::Supply | Watched::SupplySecond | Watched::SecondaryReturn => true,
        Watched::HoldingPressure | Watched::DifferentialPressure | Watched::Flow => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{Celsius, Fault, Pascals};

    const SECOND: Duration = Duration::from_secs(1);

    fn readings(supply: f64, second: f64, back: f64) -> CircuitReadings {
        let mut readings = CircuitReadings::default();
        readings.own.supply_temperature = Reading::good(Celsius(supply));
        readings.own.supply_temperature_second = Reading::good(Celsius(second));
        readings.own.return_temperature = Reading::good(Celsius(back));
        readings.own.return_pressure = Reading::good(Pascals(300e3));
        readings
    }

    fn moving(valve: f64) -> Movement {
        Movement { valve, speed: 0.8, make_up: Switch::Off, heating: Switch::On }
    }

    #[test]
    fn a_supply_that_stands_still_while_its_valve_travels_is_stuck_and_the_second_sensor_is_used() {
        let mut watch = SensorWatch::default();
        for second in 0..900_u32 {
            let stroke = f64::from(second) / 3000.0;
            watch.look(&readings(55.0, 55.0 + stroke * 20.0, 45.0), moving(0.3 + stroke), SECOND);
        }
        assert_eq!(watch.doubted().all().collect::<Vec<_>>(), [(Watched::Supply, Finding::Stuck)]);
        assert!(watch.prefers_second_supply());
        watch.look(&readings(55.1, 61.0, 45.0), moving(0.6), SECOND);
        assert_eq!(watch.finding(Watched::Supply), None, "it moves");
    }

    #[test]
    fn a_steady_plant_makes_no_sensor_suspicious() {
        let mut watch = SensorWatch::default();
        for _ in 0..4 * 3600 {
            watch.look(&readings(55.0, 55.1, 45.0), moving(0.31), SECOND);
        }
        assert_eq!(watch.doubted().all().count(), 0);
    }

    #[test]
    fn water_does_not_warm_by_thirty_kelvins_in_a_second() {
        let mut watch = SensorWatch::default();
        watch.look(&readings(55.0, 55.0, 45.0), moving(0.3), SECOND);
        watch.look(&readings(85.0, 55.0, 45.0), moving(0.3), SECOND);
        assert_eq!(watch.finding(Watched::Supply), Some(Finding::Jump));
        assert!(watch.prefers_second_supply());
        for second in 0..60 {
            watch.look(&readings(85.0 + f64::from(second % 2) * 0.1, 55.0, 45.0), moving(0.3), SECOND);
        }
        assert_eq!(watch.finding(Watched::Supply), None);
        let mut gone = readings(85.0, 55.0, 45.0);
        gone.own.supply_temperature = Reading::bad(Fault::Silent);
        watch.look(&gone, moving(0.3), SECOND);
        watch.look(&readings(50.0, 55.0, 45.0), moving(0.3), SECOND);
        assert_eq!(watch.finding(Watched::Supply), None, "after a gap it may be anything");
    }

    #[test]
    fn a_supply_below_its_return_while_heating_is_the_wrong_way_round() {
        let mut watch = SensorWatch::default();
        let mut look = |supply: f64, heating: Switch, count: u32| {
            for _ in 0..count {
                watch.look(&readings(supply, supply, 55.0), Movement { heating, ..moving(0.3) }, SECOND);
            }
            watch.finding(Watched::SecondaryReturn)
        };
        assert_eq!(look(45.0, Switch::Off, 1200), None);
        assert_eq!(look(45.0, Switch::On, 599), None);
        assert_eq!(look(45.0, Switch::On, 1), Some(Finding::Order));
        assert_eq!(look(54.0, Switch::On, 1), None);
    }

    #[test]
    fn a_holding_point_that_does_not_feel_the_make_up_is_stuck() {
        let mut watch = SensorWatch::default();
        let topping_up = Movement { make_up: Switch::On, ..moving(0.3) };
        for _ in 0..301 {
            watch.look(&readings(55.0, 55.0, 45.0), topping_up, SECOND);
        }
        assert_eq!(watch.finding(Watched::HoldingPressure), Some(Finding::Stuck));
    }
}
