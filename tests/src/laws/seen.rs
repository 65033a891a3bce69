//! What a judge sees of one second: the cabinet's outputs, the instruments, the truth and the faults.

use heatstation::simulation::closed_loop::Wire;
use heatstation_core::request::Request;
use heatstation_core::{Report, Settings};
use heatstation_points::{
    CircuitIndex, CircuitOutput, CircuitSignal, Point, PumpIndex, PumpOutput, PumpSignal, StationSignal,
};
use heatstation_simulator::{CircuitTruth, Fault, Plant};

use super::{Law, Violation};

/// Seconds after which a law on outputs is asked for, from a start or from the moment that a selector gives the plant
/// back: 15 s in which the plant may be watched although a sensor is lost, and the 5 s of law 1.
pub const GRACE: u64 = 20;

/// One second of a station.
pub struct Seen<'a> {
    /// Seconds since the trial began; times in which the program was gone are jumped over.
    pub second: u64,
    /// What the station is.
    pub settings: &'a Settings,
    /// The plant after this second.
    pub plant: &'a Plant,
    /// What was shown and recorded.
    pub report: &'a Report,
    /// What was asked.
    pub requests: &'a [Request],
    /// How the program fared.
    pub program: Program,
    /// Each circuit.
    pub circuits: &'a [CircuitSeen],
    /// Emergency stop, as its contact shows it.
    pub emergency_stop: bool,
}

/// How the program fared in this second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// It went on.
    Running,
    /// It was started anew with its saved state, after that many seconds.
    Resumed(u64),
    /// It was started anew and remembers nothing, after that many seconds.
    Forgot(u64),
}

/// What the instruments of a circuit show, refused where out of range as on any display; none when they show nothing, or
/// when no law asks: return, heat and flow stand in for the supply, supply pressure for the holding point, and the tank is
/// looked at while make-up runs.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one contact of the plant")]
pub struct Shown {
    /// Secondary supply, °C.
    pub supply: Option<f64>,
    /// The second sensor there, °C.
    pub supply_second: Option<f64>,
    /// Secondary return, °C.
    pub return_temperature: Option<f64>,
    /// Heat meter, W.
    pub heat_power: Option<f64>,
    /// Secondary flow, m³/s.
    pub flow: Option<f64>,
    /// Pressure difference, Pa.
    pub difference: Option<f64>,
    /// Holding point, Pa.
    pub holding: Option<f64>,
    /// Supply pressure, Pa.
    pub supply_pressure: Option<f64>,
    /// Tank, m.
    pub tank_level: Option<f64>,
    /// Flow switch.
    pub flow_switch: Option<f64>,
    /// Low-pressure switch closed.
    pub low_pressure_switch: bool,
    /// Tank-low switch closed.
    pub tank_low_switch: bool,
    /// Over-temperature switch closed.
    pub over_temperature_switch: bool,
    /// Some circulation pump says that it runs.
    pub any_running: bool,
}

impl Shown {
    /// The hottest of the supply sensors that show anything.
    pub fn hottest(&self) -> Option<f64> {
        [self.supply, self.supply_second].into_iter().flatten().reduce(f64::max)
    }

    /// The pressure at the holding point, or what the two others leave of it.
    pub fn pressure(&self) -> Option<f64> {
        self.holding.or_else(|| Some(self.supply_pressure? - self.difference?))
    }

    /// Whether circulation is proven to an onlooker: a pump says that it runs, and a witness that water moves.
    pub fn circulates(&self, flow_min: f64, difference_min: f64) -> bool {
        self.any_running
            && (self.flow_switch.is_some_and(|closed| closed >= 0.5)
                || self.flow.is_some_and(|flow| flow >= flow_min)
                || self.difference.is_some_and(|difference| difference >= difference_min))
    }

    /// Whether nothing at all tells the supply temperature, not even return, heat and flow together.
    pub fn supply_is_lost(&self) -> bool {
        let balance =
            self.return_temperature.is_some() && self.heat_power.is_some() && self.flow.is_some_and(|flow| flow > 1e-3);
        self.supply.is_none() && self.supply_second.is_none() && !balance
    }
}

/// What stands at the terminals of a pump.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PumpWritten {
    /// The start command.
    pub on: bool,
    /// The speed command.
    pub speed: f64,
    /// Whether it is told to run and its selector lets it obey.
    pub remote: bool,
}

/// What stands at the terminals of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Written {
    /// The primary valve's position command.
    pub valve: f64,
    /// The circulation pumps.
    pub circulation: [PumpWritten; 3],
    /// The make-up pumps.
    pub make_up: [PumpWritten; 2],
}

/// Which instruments of a circuit tell the truth now.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is one group of instruments, and they fail independently")]
pub struct Honest {
    /// Both supply sensors.
    pub supply: bool,
    /// Pump feedbacks and all witnesses of flow.
    pub circulation: bool,
    /// Holding-point pressure, and what stands in for it.
    pub pressure: bool,
    /// Make-up meter, volume and flow.
    pub make_up_meter: bool,
    /// Not an instrument: the valve does what it is told.
    pub valve_obeys: bool,
}

/// One circuit in one second.
#[derive(Clone, Copy, Debug)]
pub struct CircuitSeen {
    /// Which.
    pub index: CircuitIndex,
    /// The instruments.
    pub shown: Shown,
    /// The outputs.
    pub written: Written,
    /// Who can be trusted.
    pub honest: Honest,
    /// For how long the program has been running with the wire up.
    pub sees_for: u64,
    /// For how long it could also write.
    pub ours_for: u64,
    /// For how long the valve, too, has been in remote.
    pub valve_ours_for: u64,
}

impl CircuitSeen {
    /// A violation here.
    pub fn violation(&self, law: Law, second: u64, what: String) -> Violation {
        Violation { law, circuit: self.index, second, what }
    }
}

impl Seen<'_> {
    /// The truth of a circuit.
    pub fn truth(&self, circuit: &CircuitSeen) -> &CircuitTruth {
        &self.plant.truth().circuits[circuit.index.0]
    }
}

/// Makes a [`CircuitSeen`] of each circuit each second.
#[derive(Debug)]
pub struct Onlooker {
    circuits: Vec<CircuitSeen>,
    trust_is_current: bool,
    pumps: Vec<(usize, usize)>,
    pub(super) emergency_stop: bool,
}

impl Onlooker {
    /// An onlooker of this station.
    pub fn new(settings: &Settings) -> Onlooker {
        let nobody = Honest { supply: true, circulation: true, pressure: true, make_up_meter: true, valve_obeys: true };
        let circuits = (0..settings.circuits.len())
            .map(|c| CircuitSeen {
                index: CircuitIndex(c),
                shown: Shown::default(),
                written: Written::default(),
                honest: nobody,
                sees_for: 0,
                ours_for: 0,
                valve_ours_for: 0,
            })
            .collect();
        let pumps = settings
            .circuits
            .iter()
            .map(|circuit| (circuit.circulation.pumps, circuit.make_up.as_ref().map_or(0, |make_up| make_up.pumps)))
            .collect();
        Onlooker { circuits, trust_is_current: false, pumps, emergency_stop: false }
    }

    /// The faults have changed: trust is judged anew.
    pub fn faults_changed(&mut self) {
        self.trust_is_current = false;
    }

    /// What was seen last.
    pub fn circuits(&self) -> &[CircuitSeen] {
        &self.circuits
    }

    /// Looks at one second.
    pub fn look(&mut self, plant: &Plant, wire: Wire, program: Program) {
        let switch = |point: Point| accepted(plant, point, (0.0, 1.0)).map(|value| value >= 0.5);
        self.emergency_stop = switch(Point::Station(StationSignal::EmergencyStop)) == Some(true);
        let remote = switch(Point::Station(StationSignal::RemoteSelected)) != Some(false);
        let sees = wire == Wire::Up && program == Program::Running;
        for (circuit, pumps) in self.circuits.iter_mut().zip(&self.pumps) {
            let c = circuit.index;
            circuit.written = written(plant, c, *pumps);
            circuit.shown = shown(plant, c, pumps.0, &circuit.written);
            let valve_remote = switch(Point::Circuit(c, CircuitSignal::ValveRemote)) != Some(false);
            let counted = |seconds: u64, holds: bool| if holds { seconds + 1 } else { 0 };
            circuit.sees_for = counted(circuit.sees_for, sees);
            circuit.ours_for = counted(circuit.ours_for, sees && remote);
            circuit.valve_ours_for = counted(circuit.valve_ours_for, sees && remote && valve_remote);
        }
        if !self.trust_is_current {
            self.trust_is_current = true;
            for circuit in &mut self.circuits {
                circuit.honest = honest(plant.faults(), circuit.index);
            }
        }
    }
}

/// What an instrument shows, if it is a number in its range.
fn accepted(plant: &Plant, point: Point, (low, high): (f64, f64)) -> Option<f64> {
    plant.sample(point).filter(|value| low <= *value && *value <= high)
}

/// Looks at what the laws can ask for in this second; a season has ten million of them.
fn shown(plant: &Plant, c: CircuitIndex, pumps: usize, written: &Written) -> Shown {
    let show = |signal: CircuitSignal| accepted(plant, Point::Circuit(c, signal), signal.range());
    let closed = |signal: CircuitSignal| show(signal).is_some_and(|value| value >= 0.5);
    let running = |p: usize| {
        let point = Point::CirculationPump(c, PumpIndex(p), PumpSignal::Running);
        accepted(plant, point, (0.0, 1.0)).is_some_and(|value| value >= 0.5)
    };
    let mut shown = Shown {
        supply: show(CircuitSignal::SupplyTemperature),
        supply_second: show(CircuitSignal::SupplyTemperatureSecond),
        difference: show(CircuitSignal::DifferentialPressure),
        holding: show(CircuitSignal::ReturnPressure),
        flow_switch: show(CircuitSignal::FlowSwitch),
        low_pressure_switch: closed(CircuitSignal::LowPressureSwitch),
        over_temperature_switch: closed(CircuitSignal::OverTemperatureSwitch),
        any_running: (0..pumps).any(running),
        ..Shown::default()
    };
    let supply_is_lost = shown.hottest().is_none();
    if supply_is_lost {
        shown.return_temperature = show(CircuitSignal::ReturnTemperature);
        shown.heat_power = show(CircuitSignal::HeatPower);
    }
    if supply_is_lost || shown.flow_switch.is_none_or(|closed| closed < 0.5) {
        shown.flow = show(CircuitSignal::SecondaryFlow);
    }
    if shown.holding.is_none() {
        shown.supply_pressure = show(CircuitSignal::SupplyPressure);
    }
    if written.make_up.iter().any(|pump| pump.on) {
        shown.tank_level = show(CircuitSignal::TankLevel);
        shown.tank_low_switch = closed(CircuitSignal::TankLowSwitch);
    }
    shown
}

fn written(plant: &Plant, c: CircuitIndex, (circulation, make_up): (usize, usize)) -> Written {
    let output = |point: Point| plant.sample(point).unwrap_or(0.0);
    let mut written =
        Written { valve: output(Point::CircuitOutput(c, CircuitOutput::ValvePosition)), ..Written::default() };
    let remote = |on: bool, point: Point| on && accepted(plant, point, (0.0, 1.0)).is_none_or(|value| value >= 0.5);
    for (number, pump) in written.circulation.iter_mut().enumerate().take(circulation) {
        let p = PumpIndex(number);
        let on = output(Point::CirculationPumpOutput(c, p, PumpOutput::Start)) >= 0.5;
        let speed = if on { output(Point::CirculationPumpOutput(c, p, PumpOutput::Speed)) } else { 0.0 };
        *pump = PumpWritten { on, speed, remote: remote(on, Point::CirculationPump(c, p, PumpSignal::Remote)) };
    }
    for (number, pump) in written.make_up.iter_mut().enumerate().take(make_up) {
        let p = PumpIndex(number);
        let on = output(Point::MakeUpPumpOutput(c, p, PumpOutput::Start)) >= 0.5;
        let speed = if on { output(Point::MakeUpPumpOutput(c, p, PumpOutput::Speed)) } else { 0.0 };
        *pump = PumpWritten { on, speed, remote: remote(on, Point::MakeUpPump(c, p, PumpSignal::Remote)) };
    }
    written
}

fn honest(faults: &[Fault], c: CircuitIndex) -> Honest {
    let lies = |about: &dyn Fn(Point) -> bool| faults.iter().flat_map(Fault::lying).flatten().any(about);
    let one_of = |signals: &'static [CircuitSignal]| {
        lies(&|point| matches!(point, Point::Circuit(of, signal) if of == c && signals.contains(&signal)))
    };
    let pumps = lies(&|point| matches!(point, Point::CirculationPump(of, _, PumpSignal::Running) if of == c));
    let valve_obeys = !faults.iter().any(|fault| match *fault {
        Fault::ValveStuck(of) | Fault::ValveLocal(of) | Fault::ValveLeaks(of, _) => of == c,
        Fault::MainsFailure | Fault::LocalSelected => true,
        _ => false,
    });
    Honest {
        supply: !one_of(&[CircuitSignal::SupplyTemperature, CircuitSignal::SupplyTemperatureSecond]),
        circulation: !pumps
            && !one_of(&[CircuitSignal::FlowSwitch, CircuitSignal::SecondaryFlow, CircuitSignal::DifferentialPressure]),
        pressure: !one_of(&[
            CircuitSignal::ReturnPressure,
            CircuitSignal::SupplyPressure,
            CircuitSignal::DifferentialPressure,
        ]),
        make_up_meter: !one_of(&[CircuitSignal::MakeUpVolume, CircuitSignal::MakeUpFlow]),
        valve_obeys,
    }
}
