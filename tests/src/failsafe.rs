//! The failsafe matrix: what the program does about each fault in each mode, tried out and written down.
//!
//! Nobody keeps such a table true by hand. Here each cell is a run of the program on the simulated plant: into the mode,
//! the fault, twenty minutes, and then what is said and sent. The guide's page is this text; a test compares them.

use std::fmt::Write as _;
use std::time::Duration;

use heatstation::simulation::closed_loop::Wire;
use heatstation_core::alarm::{Alarm, Priority};
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::report::{CircuitReport, PumpReason, ValveReason};
use heatstation_core::request::{Hand, Mode, Wish};
use heatstation_points::{Celsius, CircuitSignal, Point, Ratio, StationSignal};
use heatstation_simulator::{Fault, PumpKind, PumpPlace};

use crate::stations;
use crate::story::{LOW, Story, circulation_pump, shows};

/// How the station is run when the fault comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Heating,
    Hand,
    Stopped,
    StoppedInFrost,
    OutOfSeason,
    Local,
}

impl Run {
    const ALL: [Run; 6] = [Run::Heating, Run::Hand, Run::Stopped, Run::StoppedInFrost, Run::OutOfSeason, Run::Local];

    const fn title(self) -> &'static str {
        match self {
            Run::Heating => "Heating automatically, −5 °C outdoors",
            Run::Hand => "Valve and speed in hand, −5 °C outdoors",
            Run::Stopped => "Stopped by a person, 8 °C outdoors",
            Run::StoppedInFrost => "Stopped by a person, −8 °C outdoors",
            Run::OutOfSeason => "Out of season, 18 °C outdoors",
            Run::Local => "Local at the cabinet, −5 °C outdoors",
        }
    }

    const fn outdoor(self) -> f64 {
        match self {
            Run::Heating | Run::Hand | Run::Local => -5.0,
            Run::Stopped => 8.0,
            Run::StoppedInFrost => -8.0,
            Run::OutOfSeason => 18.0,
        }
    }

    fn begin(self) -> Story {
        let outdoor = self.outdoor();
        let station = stations::running(stations::demo(), Celsius(outdoor));
        let mut story = Story::of_station(station, outdoor, |settings| {
            if self == Run::OutOfSeason {
                settings.season.end = UtcMillis(settings.season.start.0 + 1000);
            }
        });
        story.run(120);
        let lasts = Duration::from_secs(12 * 3600);
        match self {
            Run::Heating | Run::OutOfSeason => {}
            Run::Hand => {
                for hand in [Hand::Valve(Ratio(0.4)), Hand::CirculationSpeed(Ratio(0.7))] {
                    story.ask(Wish::TakeInHand { circuit: LOW, hand, lasts });
                }
            }
            Run::Stopped | Run::StoppedInFrost => story.ask(Wish::SetMode { circuit: LOW, mode: Mode::Stopped }),
            Run::Local => story.break_down(Fault::LocalSelected),
        }
        story.run(1080);
        story.events.clear();
        story
    }
}

/// What breaks: a name, and the faults or the wire.
struct Trouble {
    name: &'static str,
    faults: Vec<Fault>,
    wire: Wire,
}

fn troubles() -> Vec<Trouble> {
    use CircuitSignal as C;
    let lost = |signal| Fault::SensorLost(Point::Circuit(LOW, signal));
    let lost_of_station = |signal| Fault::SensorLost(Point::Station(signal));
    let make_up = PumpPlace { kind: PumpKind::MakeUp, ..circulation_pump(0) };
    let outdoor = [StationSignal::OutdoorTemperature, StationSignal::OutdoorTemperatureSecond];
    let list = [
        ("nothing", vec![]),
        ("supply sensor lost", vec![lost(C::SupplyTemperature)]),
        (
            "supply temperature lost altogether",
            vec![lost(C::SupplyTemperature), lost(C::SupplyTemperatureSecond), lost(C::ReturnTemperature)],
        ),
        ("supply sensor shows 95 °C", vec![shows(C::SupplyTemperature, 95.0)]),
        ("supply sensor stuck", vec![Fault::SensorStuck(Point::Circuit(LOW, C::SupplyTemperature))]),
        ("return sensor lost", vec![lost(C::ReturnTemperature)]),
        ("holding-point pressure lost", vec![lost(C::ReturnPressure)]),
        ("all pressures lost", vec![lost(C::ReturnPressure), lost(C::SupplyPressure), lost(C::DifferentialPressure)]),
        ("proof of flow lost", vec![lost(C::FlowSwitch), lost(C::SecondaryFlow), lost(C::DifferentialPressure)]),
        ("outdoor sensors lost", outdoor.map(lost_of_station).to_vec()),
        ("tank level lost", vec![lost(C::TankLevel)]),
        ("valve stuck", vec![Fault::ValveStuck(LOW)]),
        ("valve on local", vec![Fault::ValveLocal(LOW)]),
        ("duty pump's drive trips", vec![Fault::PumpTrip(circulation_pump(0))]),
        ("duty pump does not answer", vec![Fault::PumpDead(circulation_pump(0))]),
        (
            "both circulation pumps fail",
            vec![Fault::PumpTrip(circulation_pump(0)), Fault::PumpTrip(circulation_pump(1))],
        ),
        ("make-up pump fails", vec![Fault::PumpTrip(make_up)]),
        ("primary at 15 °C", vec![Fault::PrimaryCold(Celsius(15.0))]),
        ("primary pressure lost", vec![Fault::PrimaryPressureLost(Ratio(0.05))]),
        ("small leak, 1 m³/h", vec![Fault::Leak(LOW, 1.0 / 3600.0)]),
        ("burst, 40 m³/h", vec![Fault::Leak(LOW, 40.0 / 3600.0)]),
        ("relief valve does not close", vec![Fault::ReliefStuckOpen(LOW)]),
        ("over-pressure switch acts", vec![shows(C::OverPressureSwitch, 1.0)]),
        ("thermostat acts", vec![shows(C::OverTemperatureSwitch, 1.0)]),
        ("tank low switch", vec![shows(C::TankLowSwitch, 1.0)]),
        ("plant room flooded", vec![Fault::Flooded]),
        ("plant room at 52 °C", vec![Fault::SensorShows(Point::Station(StationSignal::PlantRoomTemperature), 52.0)]),
        ("mains failure", vec![Fault::MainsFailure]),
        ("emergency stop", vec![Fault::EmergencyStop]),
    ];
    let mut all: Vec<Trouble> =
        list.into_iter().map(|(name, faults)| Trouble { name, faults, wire: Wire::Up }).collect();
    all.push(Trouble { name: "wire to the cabinet down", faults: Vec::new(), wire: Wire::Down });
    all
}

/// The page.
pub fn matrix() -> String {
    let mut page = HEAD.to_owned();
    for run in Run::ALL {
        write!(page, "\n## {}\n\n{COLUMNS}", run.title()).expect("a string takes everything");
        for trouble in troubles() {
            page.push_str(&row(run, &trouble));
        }
    }
    page
}

fn row(run: Run, trouble: &Trouble) -> String {
    let mut story = run.begin();
    for &fault in &trouble.faults {
        story.break_down(fault);
    }
    story.closed_loop().set_wire(trouble.wire);
    story.run(1200);
    let circuit = story.circuit();
    let trips: Vec<&str> = circuit.trips.iter().map(|trip| trip.name()).collect();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        trouble.name,
        valve(circuit),
        pumps(circuit),
        make_up(circuit),
        circuit.operation.name(),
        listed(&trips),
        alarms(&story),
    )
}

fn valve(circuit: &CircuitReport) -> String {
    let Some(commands) = circuit.commands.as_ref().filter(|_| circuit.valve_reason != ValveReason::Local) else {
        return "not written".to_owned();
    };
    let percent = (commands.valve_position.0 * 100.0).round();
    match circuit.valve_reason {
        ValveReason::Interlock(_) => format!("{percent} %, by interlock"),
        ValveReason::HoldSensorLost => "held".to_owned(),
        ValveReason::SafePosition => "substitute, then safe position".to_owned(),
        ValveReason::Control => "follows the setpoint".to_owned(),
        ValveReason::Hand => format!("{percent} %, by hand"),
        ValveReason::NoDemand
        | ValveReason::Starting
        | ValveReason::CreepFlow
        | ValveReason::Flushing
        | ValveReason::Test
        | ValveReason::AutoTune
        | ValveReason::Exercise
        | ValveReason::Maintenance
        | ValveReason::ShuttingDown
        | ValveReason::GivenUp
        | ValveReason::Local => format!("{percent} %"),
    }
}

fn pumps(circuit: &CircuitReport) -> String {
    let Some(commands) = circuit.commands.as_ref().filter(|_| circuit.pump_reason != PumpReason::Local) else {
        return "not written".to_owned();
    };
    let running: Vec<String> = (commands.circulation_pumps.iter().enumerate())
        .filter(|(_, pump)| pump.start.is_on())
        .map(|(number, _)| (number + 1).to_string())
        .collect();
    if running.is_empty() { "off".to_owned() } else { format!("pump {}", running.join(" and ")) }
}

fn make_up(circuit: &CircuitReport) -> &'static str {
    if circuit.commands.is_none() {
        "not written"
    } else if circuit.trips.iter().any(|trip| trip.stops_make_up()) {
        "barred"
    } else {
        "free"
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

/// Alarms that came with it, most urgent first.
fn alarms(story: &Story) -> String {
    let mut raised: Vec<Alarm> = Vec::new();
    for (_, event) in &story.events {
        if let Event::AlarmRaised { alarm } = event
            && !raised.contains(&alarm.alarm)
        {
            raised.push(alarm.alarm);
        }
    }
    raised.sort_by_key(|alarm| (alarm.priority(), alarm.name()));
    let told: Vec<String> = raised
        .iter()
        .filter(|alarm| alarm.priority() < Priority::P4)
        .map(|alarm| format!("{} {}", alarm.priority().name(), alarm.name()))
        .collect();
    if told.is_empty() { "–".to_owned() } else { told.join(", ") }
}

const HEAD: &str = "\
# Failsafe matrix

What the program does about each fault in each mode, twenty minutes after it came. Every cell is a run of the program on the
simulated plant (the demonstration's station: one circuit, two circulation pumps, one make-up pump); the page is
written by `HEATSTATION_BLESS=1 cargo test -p heatstation-tests --test stories failsafe` and a test fails when it is stale.

- **valve, pumps**: what is sent. *Not written*: local, or the plant is watched before it is taken over.
- **make-up**: *barred* while an interlock stops it; otherwise it holds the pressure.
- **reason**: the operation reason of the moment. **interlocks**: those that hold. **alarms**: those that came with the fault, P1 to P3.
- *Wire down*: what is decided cannot be written; the cabinet keeps its outputs until its own watchdog acts.
";

const COLUMNS: &str = "\
| fault | valve | pumps | make-up | reason | interlocks | alarms |
|---|---|---|---|---|---|---|
";
