//! One crank for plant and control: read, decide, command, let a second pass.

use std::time::Duration;

use heatstation_core::forecast::Forecast;
use heatstation_core::moment::{Day, LocalTime, UtcMillis};
use heatstation_core::request::Request;
use heatstation_core::step::Health;
use heatstation_core::{Inputs, Moment, Report, Settings, State, step_reusing};
use heatstation_points::{Catalogue, Definition, Direction, Fault, Pace, Point, Reading, Readings, RoomSignal};
use heatstation_simulator::weather::Uncertainty;
use heatstation_simulator::{Plant, StationPlantSettings, Weather, WeatherSource};

use super::service::Service;

/// Whether the wire between cabinet and controller answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Everything arrives.
    Up,
    /// Nothing arrives and nothing is written; the cabinet keeps its last commands.
    Down,
}

/// Local time of a station in virtual time: a fixed distance from UTC. China has no daylight saving; elsewhere a season
/// simulated across the change sees its schedules an hour off for the rest.
fn local(wall: UtcMillis, zone: Duration) -> LocalTime {
    let minutes = (wall.0 + zone.as_millis() as i64).div_euclid(60_000);
    LocalTime::on(Day(minutes.div_euclid(1440) as i32), minutes.rem_euclid(1440) as u16)
}

/// The points that the cabinet has and that are read together, each so many seconds.
struct Watched {
    every: u64,
    definitions: Vec<Definition>,
}

/// A station with its control, in virtual time.
pub struct ClosedLoop {
    settings: Settings,
    watched: Vec<Watched>,
    plant: Plant,
    weather: Box<dyn WeatherSource>,
    now_weather: Weather,
    service: Service,
    state: State,
    inputs: Inputs,
    report: Option<Report>,
    zone: Duration,
    seconds: u64,
    start: UtcMillis,
    wire: Wire,
    /// Whether what was decided in the last second has reached the cabinet.
    written: bool,
}

impl ClosedLoop {
    /// A plant and its control, at `start`. `zone` is the local time's distance east of UTC.
    pub fn new(
        settings: Settings,
        catalogue: &Catalogue,
        plant: &StationPlantSettings,
        mut weather: Box<dyn WeatherSource>,
        start: UtcMillis,
        zone: Duration,
        seed: u64,
    ) -> ClosedLoop {
        let plant = Plant::new(plant, seed);
        let now_weather = weather.at(start.0.div_euclid(1000));
        let mut watched: Vec<Watched> = Vec::new();
        for definition in catalogue.definitions() {
            if definition.direction != Direction::Input || !has_instrument(&plant, definition.point) {
                continue;
            }
            let every = period(definition.pace);
            match watched.iter_mut().find(|group| group.every == every) {
                Some(group) => group.definitions.push(definition.clone()),
                None => watched.push(Watched { every, definitions: vec![definition.clone()] }),
            }
        }
        let now = Moment { monotonic: Duration::ZERO, wall: start, local: local(start, zone) };
        let inputs = Inputs {
            now,
            readings: Readings::empty(catalogue),
            forecast: None,
            requests: Vec::new(),
            health: Health::default(),
        };
        let state = State::new(&settings);
        ClosedLoop {
            settings,
            watched,
            plant,
            weather,
            now_weather,
            service: Service::new(seed),
            state,
            inputs,
            report: None,
            zone,
            seconds: 0,
            start,
            wire: Wire::Up,
            written: false,
        }
    }

    /// One second: the plant moves under the last commands, the instruments are read, the control decides.
    pub fn second(&mut self, requests: Vec<Request>) -> &Report {
        self.second_altered(requests, |_| {})
    }

    /// One second in which `see` may change what was read before the control sees it: somebody between the two.
    pub fn second_seen(&mut self, requests: Vec<Request>, see: impl FnOnce(&mut Readings)) -> &Report {
        self.second_between(requests, see, |_| {})
    }

    /// One second in which `alter` may change what was decided before it reaches the plant: how the checkers of the laws
    /// are shown to bite.
    pub fn second_altered(&mut self, requests: Vec<Request>, alter: impl FnOnce(&mut Report)) -> &Report {
        self.second_between(requests, |_| {}, alter)
    }

    fn second_between(
        &mut self,
        requests: Vec<Request>,
        see: impl FnOnce(&mut Readings),
        alter: impl FnOnce(&mut Report),
    ) -> &Report {
        let utc = self.start.0.div_euclid(1000) + self.seconds as i64;
        self.now_weather = self.weather.at(utc);
        self.plant.step(Duration::from_secs(1), utc, &self.now_weather);
        self.read();
        see(&mut self.inputs.readings);
        self.inputs.forecast = self.service.at(self.weather.as_mut(), utc);

        let wall = UtcMillis(self.start.0 + self.seconds as i64 * 1000);
        self.inputs.now = Moment { monotonic: Duration::from_secs(self.seconds), wall, local: local(wall, self.zone) };
        self.inputs.requests = requests;
        let (state, spent) = (std::mem::take(&mut self.state), self.report.take());
        let (state, mut report) = step_reusing(&self.settings, state, &self.inputs, spent);
        self.state = state;
        alter(&mut report);
        self.command(&report);
        self.seconds += 1;
        self.report.insert(report)
    }

    fn read(&mut self) {
        for group in self.watched.iter().filter(|group| self.seconds.is_multiple_of(group.every)) {
            for definition in &group.definitions {
                let point = definition.point;
                let reading = match self.wire {
                    Wire::Down => Reading::bad(Fault::Silent),
                    Wire::Up => match self.plant.sample(point).map(|number| definition.accept(number)) {
                        Some(Ok(value)) => Reading::good(value),
                        Some(Err(fault)) => Reading::bad(fault),
                        None => Reading::bad(Fault::SensorBroken),
                    },
                };
                self.inputs.readings.put(point, reading);
            }
        }
    }

    /// Writes what has changed; the cabinet keeps the rest.
    fn command(&mut self, report: &Report) {
        let held = std::mem::replace(&mut self.written, self.wire == Wire::Up);
        if self.wire == Wire::Down {
            return;
        }
        for (number, circuit) in report.circuits.iter().enumerate() {
            let Some(commands) = &circuit.commands else { continue };
            let before = self.report.as_ref().and_then(|before| before.circuits.get(number)).filter(|_| held);
            if before.is_some_and(|b| b.commands == circuit.commands && b.withheld == circuit.withheld) {
                continue;
            }
            for (point, value) in commands.points(circuit.circuit) {
                if !circuit.withheld.contains(&point) {
                    self.plant.command(point, value);
                }
            }
        }
    }

    /// From now on the meteorological service tells the control each full hour what it foresees, this wrong; none, and it
    /// falls silent, while what it said last goes on ageing. At the start it is silent.
    pub fn foresee(&mut self, uncertainty: Option<Uncertainty>) {
        self.service.uncertainty = uncertainty;
    }

    /// What the control knows of the weather to come.
    pub fn forecast(&self) -> Option<&Forecast> {
        self.inputs.forecast.as_ref()
    }

    /// Takes the wire down or up.
    pub fn set_wire(&mut self, wire: Wire) {
        self.wire = wire;
    }

    /// Ends the control and starts it anew after `gone`, from its saved state or without one; the plant went on.
    pub fn restart(&mut self, saved: Option<State>, gone: Duration) {
        for _ in 0..gone.as_secs() {
            let utc = self.start.0.div_euclid(1000) + self.seconds as i64;
            self.plant.step(Duration::from_secs(1), utc, &self.weather.at(utc));
            self.seconds += 1;
        }
        self.written = false;
        self.state = saved
            .and_then(|saved| State::resume(saved, &self.settings, gone))
            .unwrap_or_else(|| State::new(&self.settings));
    }

    /// The plant: its truth, and its faults to inject.
    pub fn plant(&mut self) -> &mut Plant {
        &mut self.plant
    }

    /// The plant's truth and the settings side by side, for judges.
    pub fn view(&self) -> (&Plant, &Settings, Option<&Report>) {
        (&self.plant, &self.settings, self.report.as_ref())
    }

    /// What the control saw in the last second.
    pub fn readings(&self) -> &Readings {
        &self.inputs.readings
    }

    /// What the control remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The weather of the last second.
    pub fn weather(&self) -> Weather {
        self.now_weather
    }

    /// The time that the next second begins.
    pub fn wall(&self) -> UtcMillis {
        UtcMillis(self.start.0 + self.seconds as i64 * 1000)
    }

    /// What an output holds in the cabinet.
    pub fn written(&self, point: Point) -> Option<f64> {
        self.plant.sample(point)
    }
}

/// What the cabinet has no instrument for is not configured, as on a real site. A room sensor reports some time after the
/// start; it is there all the same.
fn has_instrument(plant: &Plant, point: Point) -> bool {
    matches!(point, Point::Room(_, _, RoomSignal::Temperature)) || plant.sample(point).is_some()
}

/// Seconds between two readings of a point.
fn period(pace: Pace) -> u64 {
    match pace {
        Pace::Safety => 1,
        Pace::Control => 2,
        Pace::Meter => 10,
        Pace::Slow => 60,
    }
}
