//! Named courses of events, to try a controller against: what breaks when, and for how long.

use std::time::Duration;

use heatstation_points::{
    Celsius, CircuitIndex, CircuitSignal, Kelvins, Point, PumpIndex, Ratio, RoomIndex, RoomSignal, StationSignal,
};

use crate::fault::{Fault, PumpKind, PumpPlace};
use crate::plant::Plant;
use crate::settings::{
    BuildingClass, CircuitPlantSettings, Circulation, DesignTemperatures, Emitter, InitialState, Outline,
    StationPlantSettings,
};
use crate::weather::Weather;

/// A course of events that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing happens but weather.
    Steady,
    /// The first circulation pump trips after 10 min and is mended after 2 h.
    PumpTrip,
    /// The network turns cold and loses its pressure after 10 min, for 3 h.
    PrimaryLoss,
    /// The secondary network bursts after 10 min: 20 m³/h, for 1 h.
    Burst,
    /// The weather falls by 12 K within a day and stays there.
    ColdWave,
    /// One sensor after another fails: supply temperature lost, outdoor temperature stuck, return pressure high,
    /// a room sensor 5 K too warm.
    SensorLoss,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Something breaks.
    Break(Fault),
    /// It is mended.
    Mend(Fault),
}

/// Something that happens at its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Since the scenario began.
    pub at: Duration,
    /// What happens.
    pub action: Action,
}

/// How deep the cold wave goes, and in what time.
const COLD_WAVE_KELVINS: f64 = 12.0;
const COLD_WAVE_SECONDS: f64 = 86_400.0;

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 6] = [
        Scenario::Steady,
        Scenario::PumpTrip,
        Scenario::PrimaryLoss,
        Scenario::Burst,
        Scenario::ColdWave,
        Scenario::SensorLoss,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::Steady => "steady",
            Scenario::PumpTrip => "pump-trip",
            Scenario::PrimaryLoss => "primary-loss",
            Scenario::Burst => "burst",
            Scenario::ColdWave => "cold-wave",
            Scenario::SensorLoss => "sensor-loss",
        }
    }

    /// What it does, in one line.
    pub const fn description(self) -> &'static str {
        match self {
            Scenario::Steady => "nothing happens but weather",
            Scenario::PumpTrip => "circulation pump 1 trips after 10 min, for 2 h",
            Scenario::PrimaryLoss => "the primary network turns cold and loses pressure after 10 min, for 3 h",
            Scenario::Burst => "the secondary network loses 20 m³/h after 10 min, for 1 h",
            Scenario::ColdWave => "outdoors falls by 12 K within a day",
            Scenario::SensorLoss => "sensors fail one after another, half an hour each",
        }
    }

    /// The scenario of that name.
    pub fn named(name: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// All names, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Scenario::ALL.into_iter().map(Scenario::name)
    }

    /// What happens, in order of time. All of it concerns the first circuit.
    pub fn events(self) -> Vec<Event> {
        let circuit = CircuitIndex(0);
        let spans: Vec<(u64, u64, Fault)> = match self {
            Scenario::Steady | Scenario::ColdWave => vec![],
            Scenario::PumpTrip => {
                let place = PumpPlace { circuit, kind: PumpKind::Circulation, pump: PumpIndex(0) };
                vec![(10, 130, Fault::PumpTrip(place))]
            }
            Scenario::PrimaryLoss => {
                vec![(10, 190, Fault::PrimaryCold(Celsius(35.0))), (12, 190, Fault::PrimaryPressureLost(Ratio(0.05)))]
            }
            Scenario::Burst => vec![(10, 70, Fault::Leak(circuit, 20.0 / 3600.0))],
            Scenario::SensorLoss => vec![
                (10, 40, Fault::SensorLost(Point::Circuit(circuit, CircuitSignal::SupplyTemperature))),
                (50, 80, Fault::SensorStuck(Point::Station(StationSignal::OutdoorTemperature))),
                (90, 120, Fault::SensorBias(Point::Circuit(circuit, CircuitSignal::ReturnPressure), 60_000.0)),
                (130, 160, Fault::SensorBias(Point::Room(circuit, RoomIndex(0), RoomSignal::Temperature), 5.0)),
            ],
        };
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let mut events: Vec<Event> = (spans.into_iter())
            .flat_map(|(from, to, fault)| {
                [
                    Event { at: minutes(from), action: Action::Break(fault) },
                    Event { at: minutes(to), action: Action::Mend(fault) },
                ]
            })
            .collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// The weather under this scenario, `since` its beginning.
    pub fn weather(self, weather: Weather, since: Duration) -> Weather {
        match self {
            Scenario::ColdWave => {
                let share = (since.as_secs_f64() / COLD_WAVE_SECONDS).min(1.0);
                Weather { outdoor: weather.outdoor + Kelvins(-COLD_WAVE_KELVINS * share), ..weather }
            }
            Scenario::Steady | Scenario::PumpTrip | Scenario::PrimaryLoss | Scenario::Burst | Scenario::SensorLoss => {
                weather
            }
        }
    }
}

/// A scenario on its way.
#[derive(Clone, Debug)]
pub struct Timeline {
    scenario: Scenario,
    events: Vec<Event>,
    next: usize,
    since: Duration,
}

impl Timeline {
    /// A scenario that begins now.
    pub fn new(scenario: Scenario) -> Timeline {
        Timeline { scenario, events: scenario.events(), next: 0, since: Duration::ZERO }
    }

    /// Lets time pass, breaks and mends what is due, and gives the weather of this scenario.
    pub fn advance(&mut self, dt: Duration, plant: &mut Plant, weather: Weather) -> Weather {
        self.since += dt;
        while let Some(event) = self.events.get(self.next).filter(|event| event.at <= self.since) {
            match event.action {
                Action::Break(fault) => plant.inject(fault),
                Action::Mend(fault) => plant.clear(&fault),
            }
            self.next += 1;
        }
        self.scenario.weather(weather, self.since)
    }
}

/// The station of the demonstration: one circuit of 86 000 m² in Shandong, radiators, six buildings of eight flats, 24
/// room sensors, two circulation pumps, one make-up pump; running since days at this outdoor temperature.
pub fn demonstration(outdoor: Celsius, seed: u64) -> StationPlantSettings {
    let design = DesignTemperatures::radiators(Celsius(-9.0));
    let buildings: Vec<String> = (1..=6).map(|n| format!("b{n}")).collect();
    // Sensors go round the buildings: `b1-r1`, `b2-r1`, … as typical() hangs them.
    let rooms: Vec<String> = (0..24).map(|n| format!("b{}-r{}", n % 6 + 1, n / 6 + 1)).collect();
    let circuit = CircuitPlantSettings::typical(
        &Outline {
            name: "low-zone",
            heated_area_m2: 86_000.0,
            emitter: Emitter::Radiator { exponent: 1.3 },
            design,
            building_loss: BuildingClass::Half.loss(design.outdoor),
            buildings: &buildings,
            rooms: &rooms,
            circulation_pumps: 2,
            make_up_pumps: 1,
        },
        seed,
    );
    let mut station = StationPlantSettings::of(vec![circuit]);
    station.initial = InitialState { outdoor, room: Celsius(20.5), circulation: Circulation::Running };
    station
}
