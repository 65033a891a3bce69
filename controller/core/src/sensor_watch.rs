//! Which sensors can be believed.
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

use heatstation_points::{CircuitReadings, Kelvins, Switch};
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::timer::{Held, seconds};

named! {
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

named! {
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

const WATCHED: usize = Watched::ALL.len();

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
    use heatstation_points::{Celsius, Fault, Pascals, Reading};

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
