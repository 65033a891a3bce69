//! A story on the plant: what breaks, what is asked, what is seen; and the same story with a rule switched off.
//!
//! A rule is switched off where an engineer could do it: by a setting that is beyond reach, by a contact that nobody
//! wires, or, where neither exists, by altering what was decided before it reaches the plant, as the planted bugs of the
//! laws do. What is judged is the plant's truth and what stands in the cabinet.

use heatstation::simulation::ClosedLoop;
use heatstation_core::alarm::Alarm;
use heatstation_core::event::Event;
use heatstation_core::report::{CircuitReport, Report};
use heatstation_core::request::{Origin, Request, Wish};
use heatstation_core::settings::{CircuitSettings, Settings};
use heatstation_points::{
    Celsius, CircuitIndex, CircuitOutput, CircuitSignal, Point, PumpIndex, PumpOutput, StationSignal,
};
use heatstation_simulator::{CircuitTruth, Fault, Plant, PumpKind, PumpPlace, Weather};

use crate::stations::Station;
use crate::steady;

/// The circuit that stories are told of.
pub const LOW: CircuitIndex = CircuitIndex(0);

/// Changes what was decided before it reaches the plant.
pub type Alteration = fn(&mut CircuitReport);

/// A station in weather that does not move.
pub struct Story {
    closed_loop: ClosedLoop,
    asked: Vec<Request>,
    alteration: Option<Alteration>,
    /// Seconds since it began.
    pub second: u64,
    /// What was recorded, with its second.
    pub events: Vec<(u64, Event)>,
}

impl Story {
    /// The station as it stands, its first circuit's settings changed as the story needs it.
    pub fn of(station: Station, outdoor: f64, change: impl FnOnce(&mut CircuitSettings)) -> Story {
        Story::of_station(station, outdoor, |settings| change(&mut settings.circuits[0]))
    }

    /// The same for stories that are about the station as a whole.
    pub fn of_station(station: Station, outdoor: f64, change: impl FnOnce(&mut Settings)) -> Story {
        let (mut settings, catalogue, plant) = station;
        change(&mut settings);
        let weather = Weather::still(Celsius(outdoor));
        let closed_loop = steady::closed_loop((settings, catalogue, plant), weather, 1);
        Story { closed_loop, asked: Vec::new(), alteration: None, second: 0, events: Vec::new() }
    }

    /// With something altered on the way to the plant from now on.
    pub fn alter(&mut self, alteration: Alteration) {
        self.alteration = Some(alteration);
    }

    /// Lets so many seconds pass.
    pub fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let (asked, alteration) = (std::mem::take(&mut self.asked), self.alteration);
            let second = self.second;
            let report = self.closed_loop.second_altered(asked, |report| {
                if let Some(alter) = alteration {
                    alter(&mut report.circuits[0]);
                }
            });
            self.events.extend(report.events.iter().map(|event| (second, event.clone())));
            self.second += 1;
        }
    }

    /// Runs until something holds; after how many seconds, or none if it has not within `limit`.
    pub fn until(&mut self, limit: u64, mut holds: impl FnMut(&Story) -> bool) -> Option<u64> {
        for passed in 0..limit {
            if self.second > 0 && holds(self) {
                return Some(passed);
            }
            self.run(1);
        }
        None
    }

    /// The extreme of something over so many seconds.
    pub fn most(&mut self, seconds: u64, look: impl Fn(&Story) -> f64) -> f64 {
        let mut most = f64::NEG_INFINITY;
        for _ in 0..seconds {
            self.run(1);
            most = most.max(look(self));
        }
        most
    }

    /// Breaks something.
    pub fn break_down(&mut self, fault: Fault) {
        self.closed_loop.plant().inject(fault);
    }

    /// Mends it.
    pub fn mend(&mut self, fault: &Fault) {
        self.closed_loop.plant().clear(fault);
    }

    /// An instrument of the circuit is lost for good.
    pub fn lose(&mut self, signal: CircuitSignal) {
        self.break_down(Fault::SensorLost(Point::Circuit(LOW, signal)));
    }

    /// An instrument of the station is lost for good.
    pub fn lose_of_station(&mut self, signal: StationSignal) {
        self.break_down(Fault::SensorLost(Point::Station(signal)));
    }

    /// A person at the station asks.
    pub fn ask(&mut self, wish: Wish) {
        self.ask_from(Origin::Operator, wish);
    }

    /// Somebody asks.
    pub fn ask_from(&mut self, origin: Origin, wish: Wish) {
        let (author, reason) = ("li.wei".to_owned(), "story".to_owned());
        self.asked.push(Request { origin, author, reason, wish });
    }

    /// Plant and control.
    pub fn closed_loop(&mut self) -> &mut ClosedLoop {
        &mut self.closed_loop
    }

    /// The plant.
    pub fn plant(&self) -> &Plant {
        self.closed_loop.view().0
    }

    /// What is really so.
    pub fn truth(&self) -> &CircuitTruth {
        &self.plant().truth().circuits[0]
    }

    /// What was decided in the last second.
    pub fn report(&self) -> &Report {
        self.closed_loop.view().2.expect("a second has passed")
    }

    /// What was decided for the circuit.
    pub fn circuit(&self) -> &CircuitReport {
        &self.report().circuits[0]
    }

    /// Whether an alarm is up.
    pub fn alarm(&self, alarm: Alarm) -> bool {
        self.report().alarms.iter().any(|active| active.key.alarm == alarm)
    }

    /// What an output of the circuit holds in the cabinet.
    pub fn written(&self, output: CircuitOutput) -> f64 {
        self.closed_loop.written(Point::CircuitOutput(LOW, output)).unwrap_or(f64::NAN)
    }

    /// Whether a circulation pump is told to run.
    pub fn pump_on(&self, pump: usize) -> bool {
        let point = Point::CirculationPumpOutput(LOW, PumpIndex(pump), PumpOutput::Start);
        self.closed_loop.written(point).is_some_and(|start| start >= 0.5)
    }

    /// Whether any circulation pump is told to run.
    pub fn circulates(&self) -> bool {
        self.pump_on(0) || self.pump_on(1)
    }

    /// Whether a make-up pump is told to run.
    pub fn makes_up(&self) -> bool {
        let point = Point::MakeUpPumpOutput(LOW, PumpIndex(0), PumpOutput::Start);
        self.closed_loop.written(point).is_some_and(|start| start >= 0.5)
    }

    /// How often something was recorded.
    pub fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| is(event)).count()
    }
}

/// A circulation pump.
pub fn circulation_pump(pump: usize) -> PumpPlace {
    PumpPlace { circuit: LOW, kind: PumpKind::Circulation, pump: PumpIndex(pump) }
}

/// An instrument of the circuit shows this, whatever is true.
pub fn shows(signal: CircuitSignal, value: f64) -> Fault {
    Fault::SensorShows(Point::Circuit(LOW, signal), value)
}
