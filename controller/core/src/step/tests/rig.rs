//! A small plant of a few lines, to tell stories of a whole step on.

use std::time::Duration;

use heatstation_points::{
    Catalogue, Celsius, CircuitNames, CircuitReadings, CubicMetersPerSecond, Meters, Pascals, PumpReadings, Ratio,
    Reading, Readings, Switch,
};

use crate::alarm::Alarm;
use crate::area::Area;
use crate::circulation;
use crate::event::Event;
use crate::forecast::Forecast;
use crate::moment::{Day, LocalTime, Moment, UtcMillis};
use crate::outage::Cause;
use crate::profile::{AccidentRateRule, Clause, Profile};
use crate::report::{CircuitCommands, CircuitReport, Report};
use crate::request::{Origin, Request, Wish};
use crate::sequence::Stage;
use crate::settings::{CircuitSettings, OutdoorSettings, RoomSettings, Season, Settings, ShoulderSettings};
use crate::state::State;
use crate::step::{Health, Inputs, step};

/// A radiator circuit of 86 000 m².
pub(crate) fn circuit() -> CircuitSettings {
    CircuitSettings {
        rooms: (0..4).map(|n| RoomSettings { name: format!("r{n}"), minimum: Celsius(18.0), building: None }).collect(),
        circulation: circulation::tests::settings(),
        ..CircuitSettings::ordinary("low-zone")
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        station: "k12".to_owned(),
        heated_area: Area::from_square_meters(86_000),
        design_outdoor: Celsius(-9.0),
        season: Season { heating_from: UtcMillis(0), start: UtcMillis(0), end: UtcMillis(121 * 86_400_000) },
        shoulder: ShoulderSettings::default(),
        profile: Profile {
            id: "zibo".to_owned(),
            title: String::new(),
            dwelling_min: Clause { value: Celsius(18.0), clause: "5.1".to_owned() },
            room_pass_target: None,
            accident_rate: AccidentRateRule { clause: "3.8".to_owned(), counted: vec![Cause::Unknown], target: None },
            notify_users_after: None,
        },
        // The rig's thermometer stands still by construction.
        outdoor: OutdoorSettings { frozen_after: Duration::ZERO, ..OutdoorSettings::default() },
        circuits: vec![circuit()],
    }
}

/// A plant that follows its commands simply: enough to tell stories, no physics to trust.
pub(crate) struct Rig {
    pub settings: Settings,
    pub state: State,
    pub readings: Readings,
    pub forecast: Option<Forecast>,
    pub report: Option<Report>,
    pub events: Vec<(u64, Event)>,
    pub requests: Vec<Request>,
    pub second: u64,
    pub supply: f64,
    pub stem: f64,
    pub pump_broken: [bool; 2],
    pub frozen_readings: bool,
}

impl Rig {
    pub fn cold() -> Rig {
        Rig::with(settings())
    }

    pub fn with(settings: Settings) -> Rig {
        let names = CircuitNames {
            name: "low-zone".to_owned(),
            circulation_pumps: 2,
            make_up_pumps: 2,
            buildings: vec![],
            rooms: (0..4).map(|n| format!("r{n}")).collect(),
        };
        let catalogue = Catalogue::new(vec![names], vec![]).unwrap();
        let mut readings = Readings::empty(&catalogue);
        readings.station.outdoor_temperature = Reading::good(Celsius(-5.0));
        readings.station.primary_supply_temperature = Reading::good(Celsius(95.0));
        readings.station.mains_healthy = Reading::good(Switch::On);
        let state = State::new(&settings);
        let mut rig = Rig {
            settings,
            state,
            readings,
            forecast: None,
            report: None,
            events: Vec::new(),
            requests: Vec::new(),
            second: 0,
            supply: 20.0,
            stem: 0.0,
            pump_broken: [false; 2],
            frozen_readings: false,
        };
        rig.instruments(&[PumpReadings::default(), PumpReadings::default()]);
        rig
    }

    /// A station that has been heating for two hours.
    pub fn warm() -> Rig {
        let mut rig = Rig::cold();
        rig.run(3 * 3600);
        assert_eq!(rig.circuit().stage, Stage::Heating);
        rig.events.clear();
        rig
    }

    pub fn own(&mut self) -> &mut CircuitReadings {
        &mut self.readings.circuits[0]
    }

    pub fn circuit(&self) -> &CircuitReport {
        &self.report.as_ref().unwrap().circuits[0]
    }

    pub fn valve(&self) -> f64 {
        self.circuit().commands.as_ref().unwrap().valve_position.0
    }

    pub fn ask(&mut self, origin: Origin, wish: Wish) {
        let (author, reason) = ("li.wei".to_owned(), "test".to_owned());
        self.requests.push(Request { origin, author, reason, wish });
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(|(_, event)| event.kind()).collect()
    }

    pub fn alarm(&self, alarm: Alarm) -> bool {
        self.report.as_ref().unwrap().alarms.iter().any(|active| active.key.alarm == alarm)
    }

    pub fn now(&self) -> Moment {
        Moment {
            monotonic: Duration::from_secs(self.second),
            wall: UtcMillis(self.second as i64 * 1000),
            // A Monday without an end.
            local: LocalTime::on(Day(4), (self.second / 60 % 1440) as u16),
        }
    }

    pub fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let inputs = Inputs {
                now: self.now(),
                readings: self.readings.clone(),
                forecast: self.forecast,
                requests: std::mem::take(&mut self.requests),
                health: Health::default(),
            };
            let (state, report) = step(&self.settings, std::mem::take(&mut self.state), &inputs);
            self.state = state;
            self.events.extend(report.events.iter().map(|event| (self.second, event.clone())));
            self.react(report.circuits[0].commands.as_ref());
            self.report = Some(report);
            self.second += 1;
        }
    }

    pub fn react(&mut self, commands: Option<&CircuitCommands>) {
        let Some(commands) = commands else { return };
        let wish = commands.valve_position.0;
        self.stem += (wish - self.stem).clamp(-1.0 / 120.0, 1.0 / 120.0);
        let pumps: Vec<PumpReadings> = commands
            .circulation_pumps
            .iter()
            .zip(self.pump_broken)
            .map(|(command, broken)| {
                let turns = command.start.is_on() && !broken;
                PumpReadings {
                    running: Reading::good(Switch::from(turns)),
                    fault: Reading::good(Switch::from(broken)),
                    speed_feedback: Reading::good(if turns { command.speed } else { Ratio::ZERO }),
                    ..PumpReadings::default()
                }
            })
            .collect();
        self.instruments(&pumps);
    }

    pub fn instruments(&mut self, pumps: &[PumpReadings]) {
        let flows = pumps.iter().any(|pump| pump.running.fresh() == Some(Switch::On));
        if flows {
            self.supply += (45.0 + 50.0 * self.stem - self.supply) / 25.0;
        }
        if self.frozen_readings {
            return;
        }
        let (supply, stem) = (self.supply, self.stem);
        let circuit = self.own();
        circuit.circulation_pumps = pumps.to_vec();
        for pump in &mut circuit.circulation_pumps {
            if !pump.running.is_configured() {
                pump.running = Reading::good(Switch::Off);
            }
        }
        let own = &mut circuit.own;
        own.supply_temperature = Reading::good(Celsius(supply));
        own.return_temperature = Reading::good(Celsius(40.0_f64.min(supply)));
        own.return_pressure = Reading::good(Pascals(300e3));
        own.supply_pressure = Reading::good(Pascals(if flows { 450e3 } else { 300e3 }));
        own.secondary_flow = Reading::good(CubicMetersPerSecond(if flows { 0.032 } else { 0.0 }));
        own.valve_position_feedback = Reading::good(Ratio(stem));
        own.tank_level = Reading::good(Meters(1.5));
        for room in &mut circuit.rooms {
            room.temperature = Reading::good(Celsius(21.0));
        }
    }
}
