//! The pressure at the holding point by the best source that answers.
//!
//! Sensor → supply pressure − pressure difference → supply pressure − the pumps' head by affinity → the pressure switches
//! alone → nothing. The head is learnt while both pressures are seen, and goes with the square of the speed; standing pumps
//! have none, and what is between standing and running is not believed.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Pascals, Ratio};
use serde::{Deserialize, Serialize};

use crate::timer::seconds;

/// Pumps have settled this long after one was started or stopped: a drive's ramp and the coasting of the water.
const SETTLED: Duration = Duration::from_secs(30);
/// What is learnt of the head is smoothed over this.
const LEARN_SECONDS: f64 = 60.0;
/// Slower pumps have too little head to learn from.
const SPEED_LEARNT: Ratio = Ratio(0.3);

/// Where the pressure comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PressureSource {
    /// The sensor.
    Sensor,
    /// Supply pressure minus pressure difference.
    Difference,
    /// Supply pressure minus the head that the pumps' speed gives.
    HeadEstimate,
    /// Only the low-pressure switch speaks.
    Switch,
    /// Nothing does.
    #[default]
    Lost,
}

impl PressureSource {
    /// All of them, best first.
    pub const ALL: [PressureSource; 5] = [
        PressureSource::Sensor,
        PressureSource::Difference,
        PressureSource::HeadEstimate,
        PressureSource::Switch,
        PressureSource::Lost,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            PressureSource::Sensor => "sensor",
            PressureSource::Difference => "difference",
            PressureSource::HeadEstimate => "head_estimate",
            PressureSource::Switch => "switch",
            PressureSource::Lost => "lost",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            PressureSource::Sensor => ("传感器", "sensor"),
            PressureSource::Difference => ("供水压力减压差", "supply pressure minus difference"),
            PressureSource::HeadEstimate => ("供水压力减水泵扬程估算", "supply pressure minus the pumps' head"),
            PressureSource::Switch => ("仅压力开关", "pressure switch alone"),
            PressureSource::Lost => ("未知", "unknown"),
        }
    }
}

/// What the ladder remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ladder {
    /// A speed and the head that it gave.
    known: Option<(Ratio, Pascals)>,
    /// How many pumps ran, and for how long just so many.
    pumps: usize,
    settled: Duration,
    source: PressureSource,
}

/// How the circulation turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turning {
    /// How many pumps are told to run.
    pub pumps: usize,
    /// Their speed.
    pub speed: Ratio,
}

impl Ladder {
    pub(super) fn source(&self) -> PressureSource {
        self.source
    }

    fn look(&mut self, readings: &CircuitReadings, turning: Turning, dt: Duration) -> Option<Pascals> {
        self.settled = if turning.pumps == self.pumps { self.settled.saturating_add(dt) } else { Duration::ZERO };
        self.pumps = turning.pumps;
        let own = &readings.own;
        let (holding, supply) = (own.return_pressure.fresh(), own.supply_pressure.fresh());
        if let Some(holding) = holding {
            self.source = PressureSource::Sensor;
            self.learn(holding, supply, turning, dt);
            return Some(holding);
        }
        if let Some((supply, difference)) = supply.zip(own.differential_pressure.fresh()) {
            self.source = PressureSource::Difference;
            return Some(supply - difference);
        }
        if let Some((supply, head)) = supply.zip(self.head(turning)) {
            self.source = PressureSource::HeadEstimate;
            return Some(supply - head);
        }
        let switch = own.low_pressure_switch.fresh().is_some();
        self.source = if switch { PressureSource::Switch } else { PressureSource::Lost };
        None
    }

    fn learn(&mut self, holding: Pascals, supply: Option<Pascals>, turning: Turning, dt: Duration) {
        let Some(supply) = supply else { return };
        if turning.pumps == 0 || turning.speed < SPEED_LEARNT || self.settled < SETTLED {
            return;
        }
        let head = supply - holding;
        let share = 1.0 - (-seconds(dt) / LEARN_SECONDS).exp();
        let (speed, known) = self.known.unwrap_or((turning.speed, head));
        self.known = Some((speed + (turning.speed - speed) * share, known + (head - known) * share));
    }

    fn head(&self, turning: Turning) -> Option<Pascals> {
        if self.settled < SETTLED {
            return None;
        }
        if turning.pumps == 0 {
            return Some(Pascals(0.0));
        }
        let (speed, known) = self.known?;
        Some(known * (turning.speed / speed).powi(2))
    }
}

impl super::MakeUp {
    /// The pressure at the holding point by the best source that answers.
    pub fn look(&mut self, readings: &CircuitReadings, turning: Turning, dt: Duration) -> Option<Pascals> {
        self.ladder.look(readings, turning, dt)
    }

    /// That pressure if it is measured, by one sensor or by two; not if it is estimated.
    pub(crate) fn measured(&self, pressure: Option<Pascals>) -> Option<Pascals> {
        match self.ladder.source() {
            PressureSource::Sensor | PressureSource::Difference => pressure,
            PressureSource::HeadEstimate | PressureSource::Switch | PressureSource::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{Fault, Reading, Switch};

    const RUNNING: Turning = Turning { pumps: 1, speed: Ratio(0.9) };
    const SECOND: Duration = Duration::from_secs(1);

    fn learnt() -> (Ladder, CircuitReadings) {
        let (mut ladder, mut readings) = (Ladder::default(), CircuitReadings::default());
        readings.own.return_pressure = Reading::good(Pascals(290e3));
        readings.own.supply_pressure = Reading::good(Pascals(410e3));
        for _ in 0..600 {
            ladder.look(&readings, RUNNING, SECOND);
        }
        readings.own.return_pressure = Reading::bad(Fault::SensorBroken);
        (ladder, readings)
    }

    #[test]
    fn the_pressure_difference_helps_out_for_the_holding_point() {
        let (mut ladder, mut readings) = learnt();
        readings.own.differential_pressure = Reading::good(Pascals(115e3));
        assert_eq!(ladder.look(&readings, RUNNING, SECOND), Some(Pascals(295e3)));
        assert_eq!(ladder.source(), PressureSource::Difference);
    }

    #[test]
    fn without_it_the_head_goes_with_the_square_of_the_speed() {
        let (mut ladder, mut readings) = learnt();
        let pressure = ladder.look(&readings, RUNNING, SECOND).unwrap();
        assert!((pressure.0 - 290e3).abs() < 100.0, "{pressure:?}");
        // Half the speed has a quarter of the head: 30 kPa.
        readings.own.supply_pressure = Reading::good(Pascals(320e3));
        let pressure = ladder.look(&readings, Turning { speed: Ratio(0.45), ..RUNNING }, SECOND).unwrap();
        assert!((pressure.0 - 290e3).abs() < 100.0, "{pressure:?}");
        assert_eq!(ladder.source(), PressureSource::HeadEstimate);
    }

    #[test]
    fn what_is_between_running_and_standing_is_not_believed() {
        let (mut ladder, mut readings) = learnt();
        let standing = Turning { pumps: 0, speed: Ratio::ZERO };
        assert_eq!(ladder.look(&readings, standing, SECOND), None);
        readings.own.supply_pressure = Reading::good(Pascals(290e3));
        let seen: Vec<_> = (0..40).map(|_| ladder.look(&readings, standing, SECOND)).collect();
        assert_eq!((seen[20], seen[39]), (None, Some(Pascals(290e3))));
    }

    #[test]
    fn then_the_switch_alone_and_then_nothing() {
        let (mut ladder, mut readings) = learnt();
        readings.own.supply_pressure = Reading::bad(Fault::SensorBroken);
        readings.own.low_pressure_switch = Reading::good(Switch::Off);
        assert_eq!((ladder.look(&readings, RUNNING, SECOND), ladder.source()), (None, PressureSource::Switch));
        readings.own.low_pressure_switch = Reading::bad(Fault::Silent);
        assert_eq!((ladder.look(&readings, RUNNING, SECOND), ladder.source()), (None, PressureSource::Lost));
    }
}
