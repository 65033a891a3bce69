//! Instruments: what the station's sensors, meters and contacts say of the plant.
//!
//! Temperatures come late through their pockets, everything is a little wrong for ever (its own character), a little
//! different each second (noise), and shown in steps. How good they are is in [`InstrumentSettings`].

use heatstation_points::quantity::WATER_DENSITY;
use heatstation_points::{
    BuildingOutput, BuildingSignal, Celsius, CircuitOutput, CircuitSignal, Point, PumpOutput, PumpSignal, StationSignal,
};

use crate::circuit::{Circuit, STRAINER_SHARE};
use crate::noise::Noise;
use crate::primary::Primary;
use crate::pump::Pump;
use crate::settings::InstrumentSettings;
use crate::weather::Weather;

/// Of the limit of a class, what one instrument in three is off by.
const USUAL_OF_LIMIT: f64 = 1.0 / 3.0;
/// Transmitters are usually a fifth, flow meters two fifths of their limit off.
const TRANSMITTER_USUAL: f64 = 0.2;
const FLOW_USUAL: f64 = 0.4;
/// Heat of lights, cabinet and control: W.
const STATION_BASE_LOAD: f64 = 800.0;
/// The proof-of-flow switch closes above this share of the design flow.
const FLOW_SWITCH: f64 = 0.2;
/// Radiator circuits trip this much over their design supply; floors are guarded at 55 °C.
const OVER_TEMPERATURE_MARGIN: f64 = 12.0;
/// Full scale of the pressure transmitters: Pa.
const PRESSURE_SCALE: f64 = 1_600_000.0;
/// A tripped drive says over-current.
pub(crate) const TRIP_CODE: u16 = 16;
const PHASE_VOLTS: f64 = 230.0;
const POWER_FACTOR: f64 = 0.85;

/// The lagging parts of a circuit's instruments.
#[derive(Clone, Debug)]
struct CircuitInstruments {
    supply: f64,
    supply_second: f64,
    return_: f64,
    primary_return: f64,
    building_supply: Vec<f64>,
    building_return: Vec<f64>,
    meter: Meter,
}

/// A heat meter: what it has counted, and what its last telegram said.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    /// J and m³.
    energy: f64,
    volume: f64,
    told: Telegram,
}

/// W, m³/s, J, m³.
#[derive(Clone, Copy, Debug, Default)]
struct Telegram {
    heat: f64,
    flow: f64,
    energy: f64,
    volume: f64,
}

impl Meter {
    /// Counts a second. It is deaf below a flow, and no heat flows backwards through it.
    fn count(&mut self, seconds: f64, flow: f64, heat: f64, deaf_below: f64) {
        if flow >= deaf_below {
            self.energy += heat.max(0.0) * seconds;
            self.volume += flow * seconds;
        }
    }

    fn tell(&mut self, flow: f64, heat: f64) {
        self.told = Telegram { heat: heat.max(0.0), flow, energy: self.energy, volume: self.volume };
    }
}

/// What belongs to the whole station and is neither plant nor instrument: contacts and selectors.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "contacts are open or closed, each by itself")]
pub(crate) struct Contacts {
    pub mains_failed: bool,
    pub emergency_stop: bool,
    pub local: bool,
    pub flooded: bool,
    /// Kelvins too warm at 1000 W/m².
    pub sun_on_outdoor_sensor: f64,
}

/// All instruments of the station.
#[derive(Clone, Debug)]
pub(crate) struct Instruments {
    settings: InstrumentSettings,
    pub noise: Noise,
    pub contacts: Contacts,
    outdoor: f64,
    outdoor_second: f64,
    global: f64,
    wind: f64,
    primary_supply: f64,
    primary_return: f64,
    circuits: Vec<CircuitInstruments>,
    /// The station's own heat meter; the circuits' may be missing on a real site.
    meter: Meter,
    until_telegram: f64,
    pub electric_power: f64,
    pub electric_energy: f64,
    on_power_for: f64,
}

/// The parts of the plant that instruments look at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub circuits: &'a [Circuit],
    pub primary: &'a Primary,
}

impl View<'_> {
    /// Primary flow of all circuits, hot water included: kg/s.
    pub fn primary_flow(&self) -> f64 {
        self.circuits.iter().map(Circuit::drawn).sum()
    }

    /// Heat taken from the primary side by all circuits, hot water included: W.
    pub fn primary_heat(&self) -> f64 {
        self.circuits.iter().map(|c| c.heat + c.hot_water_heat()).sum()
    }

    /// Mixed primary return of all circuits: °C.
    pub fn primary_return(&self) -> f64 {
        let flow = self.primary_flow();
        let sum: f64 = self.circuits.iter().map(|c| c.drawn() * c.primary_return()).sum();
        if flow > 0.0 { sum / flow } else { self.circuits[0].exchanger.primary_outlet() }
    }
}

impl Instruments {
    pub fn new(settings: InstrumentSettings, seed: u64, view: View<'_>, outdoor: f64) -> Instruments {
        let circuits = (view.circuits.iter())
            .map(|c| CircuitInstruments {
                supply: c.at_sensor,
                supply_second: c.at_sensor,
                return_: c.returning,
                primary_return: c.exchanger.primary_outlet(),
                building_supply: c.entrances.clone(),
                building_return: (0..c.buildings.len()).map(|b| c.building_outlet(b)).collect(),
                meter: Meter::default(),
            })
            .collect();
        Instruments {
            settings,
            noise: Noise::new(seed),
            contacts: Contacts::default(),
            outdoor,
            outdoor_second: outdoor,
            global: 0.0,
            wind: 0.0,
            primary_supply: view.primary.supply,
            primary_return: view.primary_return(),
            circuits,
            meter: Meter::default(),
            until_telegram: 0.0,
            electric_power: 0.0,
            electric_energy: 0.0,
            on_power_for: 0.0,
        }
    }

    /// Lets pockets follow and meters count.
    pub fn step(&mut self, seconds: f64, view: View<'_>, weather: &Weather) {
        self.noise.tick += 1;
        self.global = weather.global_horizontal().0;
        self.wind = weather.wind.0;
        let housing = share(seconds, self.settings.outdoor_housing.0);
        let sun = self.contacts.sun_on_outdoor_sensor * self.global / 1000.0;
        self.outdoor += (weather.outdoor.0 + sun - self.outdoor) * housing;
        self.outdoor_second += (weather.outdoor.0 - self.outdoor_second) * housing;

        let s = &self.settings;
        let (supply, second) = (share(seconds, s.supply_pocket.0), share(seconds, s.second_supply_pocket.0));
        let (back, strap) = (share(seconds, s.return_pocket.0), share(seconds, s.strap_on.0));
        self.primary_supply += (view.primary.supply - self.primary_supply) * back;
        self.primary_return += (view.primary_return() - self.primary_return) * back;
        let mut power = STATION_BASE_LOAD;
        for (shown, circuit) in self.circuits.iter_mut().zip(view.circuits) {
            shown.supply += (circuit.at_sensor - shown.supply) * supply;
            shown.supply_second += (circuit.at_sensor - shown.supply_second) * second;
            shown.return_ += (circuit.returning - shown.return_) * back;
            shown.primary_return += (circuit.exchanger.primary_outlet() - shown.primary_return) * back;
            for b in 0..circuit.buildings.len() {
                shown.building_supply[b] += (circuit.entrances[b] - shown.building_supply[b]) * strap;
                shown.building_return[b] += (circuit.building_outlet(b) - shown.building_return[b]) * strap;
            }
            power += circuit.pump_power;
        }
        self.electric_power = if self.contacts.mains_failed { 0.0 } else { power };
        self.electric_energy += self.electric_power * seconds;
        self.on_power_for += seconds;
        self.count(seconds, view);
    }

    fn count(&mut self, seconds: f64, view: View<'_>) {
        let deaf = self.settings.flow_deaf_below.0;
        self.until_telegram -= seconds;
        let due = self.until_telegram <= 0.0;
        if due {
            self.until_telegram += self.settings.meter_telegram.0.max(1.0);
        }
        let mut design = 0.0;
        for (shown, circuit) in self.circuits.iter_mut().zip(view.circuits) {
            let (flow, own) = (circuit.primary_flow / WATER_DENSITY, circuit.primary_design_flow() / WATER_DENSITY);
            shown.meter.count(seconds, flow, circuit.heat, deaf * own);
            design += own;
            if due {
                shown.meter.tell(flow, circuit.heat);
            }
        }
        let (flow, heat) = (view.primary_flow() / WATER_DENSITY, view.primary_heat());
        self.meter.count(seconds, flow, heat, deaf * design);
        if due {
            self.meter.tell(flow, heat);
        }
    }

    /// What the instrument of a point says; none if the station has no such instrument.
    pub fn measure(&self, point: Point, view: View<'_>) -> Option<f64> {
        let circuit = |c: usize| view.circuits.get(c).map(|circuit| (circuit, &self.circuits[c]));
        match point {
            Point::Station(signal) => self.station(point, signal, view),
            Point::Circuit(c, signal) => circuit(c.0).map(|(c, shown)| self.circuit(point, signal, c, shown)),
            Point::CirculationPump(c, p, s) => Some(self.pump(point, s, view.circuits.get(c.0)?.pumps.get(p.0)?)),
            Point::MakeUpPump(c, p, s) => Some(self.pump(point, s, view.circuits.get(c.0)?.pressure.pumps.get(p.0)?)),
            Point::Building(c, b, s) => {
                let (circuit, shown) = circuit(c.0)?;
                if b.0 < circuit.buildings.len() { self.building(point, s, b.0, circuit, shown) } else { None }
            }
            Point::Room(c, r, signal) => {
                let rooms = &view.circuits.get(c.0)?.rooms;
                match signal {
                    heatstation_points::RoomSignal::Temperature => rooms.temperature(r.0),
                    heatstation_points::RoomSignal::Battery => rooms.battery(r.0).map(|level| display(level, 100.0)),
                }
            }
            Point::Auxiliary(_) => None,
            Point::CircuitOutput(c, output) => view.circuits.get(c.0).map(|c| match output {
                CircuitOutput::ValvePosition => c.valve.command,
                CircuitOutput::ValveOpening => contact(c.valve.contacts.is_some_and(|(opening, _)| opening)),
                CircuitOutput::ValveClosing => contact(c.valve.contacts.is_some_and(|(_, closing)| closing)),
                CircuitOutput::ReliefOpen => f64::from(u8::from(c.pressure.relief_open)),
                CircuitOutput::TankInletOpen => f64::from(u8::from(c.pressure.inlet_open)),
                CircuitOutput::IsolationOpen => contact(c.isolation.open),
            }),
            Point::CirculationPumpOutput(c, p, o) => view.circuits.get(c.0)?.pumps.get(p.0).map(|p| said(p, o)),
            Point::MakeUpPumpOutput(c, p, o) => view.circuits.get(c.0)?.pressure.pumps.get(p.0).map(|p| said(p, o)),
            Point::BuildingOutput(c, b, BuildingOutput::ValvePosition) => {
                view.circuits.get(c.0)?.building_valves.get(b.0).map(|valve| valve.command)
            }
        }
    }

    fn station(&self, point: Point, signal: StationSignal, view: View<'_>) -> Option<f64> {
        let design = || view.circuits.iter().map(Circuit::primary_design_flow).sum::<f64>() / WATER_DENSITY;
        let phase = |share: f64| {
            if self.contacts.mains_failed { 0.0 } else { PHASE_VOLTS * (share + 0.004 * self.noise.jitter(point)) }
        };
        let sum = |f: &dyn Fn(&Circuit) -> f64| view.circuits.iter().map(f).sum::<f64>();
        let meter_error = || 1.0 + 0.01 * self.noise.character(Point::Station(StationSignal::PrimaryHeatEnergy));
        Some(match signal {
            StationSignal::OutdoorTemperature => self.thermometer(point, self.outdoor),
            StationSignal::OutdoorTemperatureSecond => self.thermometer(point, self.outdoor_second),
            StationSignal::SolarIrradiance => (self.global * (1.0 + 0.03 * self.noise.character(point))).max(0.0),
            StationSignal::WindSpeed => display((self.wind + 0.1 * self.noise.jitter(point)).max(0.0), 10.0),
            StationSignal::PrimarySupplyTemperature => self.thermometer(point, self.primary_supply),
            StationSignal::PrimaryReturnTemperature => self.thermometer(point, self.primary_return),
            StationSignal::PrimaryMeterSupplyTemperature => self.meter_thermometer(point, self.primary_supply),
            StationSignal::PrimaryMeterReturnTemperature => self.meter_thermometer(point, self.primary_return),
            StationSignal::PrimarySupplyPressure => self.transmitter(point, view.primary.supply_pressure()),
            StationSignal::PrimaryReturnPressure => self.transmitter(point, view.primary.return_pressure()),
            StationSignal::PrimaryStrainerPressure => {
                let flow = view.primary_flow() / WATER_DENSITY;
                self.transmitter(point, view.primary.supply_pressure() - 15_000.0 * (flow / design()).powi(2))
            }
            StationSignal::PrimaryFlow => self.flow_meter(point, self.meter.told.flow, design()),
            StationSignal::PrimaryHeatPower => self.meter.told.heat * meter_error(),
            StationSignal::PrimaryVolume => self.meter.told.volume * meter_error(),
            StationSignal::PrimaryHeatEnergy => self.meter.told.energy * meter_error(),
            StationSignal::PrimaryMeterOperatingTime => self.on_power_for,
            StationSignal::ElectricityEnergy => self.electric_energy,
            StationSignal::ElectricityPower => self.electric_power,
            StationSignal::VoltageA => phase(1.0),
            StationSignal::VoltageB => phase(0.995),
            StationSignal::VoltageC => phase(1.005),
            StationSignal::CurrentA | StationSignal::CurrentB | StationSignal::CurrentC => {
                self.electric_power / (3.0 * PHASE_VOLTS * POWER_FACTOR)
            }
            StationSignal::MainsHealthy => contact(!self.contacts.mains_failed),
            StationSignal::UpsOnBattery => contact(self.contacts.mains_failed),
            StationSignal::EmergencyStop => contact(self.contacts.emergency_stop),
            StationSignal::RemoteSelected => contact(!self.contacts.local),
            // The exchangers keep the room warm; the wall to the outside takes a quarter of the cold.
            StationSignal::PlantRoomTemperature => self.thermometer(point, 22.0 + 0.25 * self.outdoor_second),
            StationSignal::PlantRoomFlooded => contact(self.contacts.flooded),
            StationSignal::PrimaryMeterFaultCode | StationSignal::PlantRoomSmoke | StationSignal::PlantRoomDoorOpen => {
                0.0
            }
            StationSignal::TapWaterVolume => counted(sum(&|c| c.pressure.tap_volume)),
            StationSignal::OutdoorForecast => return None,
        })
    }

    fn circuit(&self, point: Point, signal: CircuitSignal, c: &Circuit, shown: &CircuitInstruments) -> f64 {
        let pressure = &c.pressure;
        let design_flow = c.settings.design_flow() / WATER_DENSITY;
        let primary_design = c.primary_design_flow() / WATER_DENSITY;
        let strainer = STRAINER_SHARE * c.station_loss();
        let heat_error = || 1.0 + 0.01 * self.noise.character(point);
        match signal {
            CircuitSignal::PrimaryReturnTemperature => self.thermometer(point, shown.primary_return),
            CircuitSignal::PrimaryFlow => self.flow_meter(point, shown.meter.told.flow, primary_design),
            CircuitSignal::HeatPower => shown.meter.told.heat * heat_error(),
            CircuitSignal::HeatEnergy => shown.meter.told.energy * heat_error(),
            CircuitSignal::ValvePositionFeedback => {
                (c.valve.feedback() + self.settings.valve_feedback_noise.0 * self.noise.jitter(point)).clamp(0.0, 1.0)
            }
            CircuitSignal::ValveFault => contact(c.valve.trouble.stuck),
            CircuitSignal::ValveRemote => contact(!c.valve.trouble.local),
            CircuitSignal::SupplyTemperature => self.thermometer(point, shown.supply),
            CircuitSignal::SupplyTemperatureSecond => self.thermometer(point, shown.supply_second),
            CircuitSignal::ReturnTemperature => self.thermometer(point, shown.return_),
            CircuitSignal::SupplyPressure => self.transmitter(point, c.supply_pressure()),
            CircuitSignal::ReturnPressure => self.transmitter(point, pressure.holding),
            CircuitSignal::ReturnPressureBeforeStrainer => self.transmitter(point, pressure.holding + strainer),
            CircuitSignal::ExchangerInletPressure => self.transmitter(point, pressure.holding + c.head),
            CircuitSignal::DifferentialPressure => self.differential(point, c.differential_pressure()),
            CircuitSignal::WorstDifferentialPressure => self.differential(point, c.worst_differential_pressure()),
            CircuitSignal::SecondaryFlow => self.flow_meter(point, c.flow / WATER_DENSITY, design_flow),
            CircuitSignal::SecondaryVolume => c.secondary_volume,
            CircuitSignal::OverTemperatureSwitch => contact(shown.supply > over_temperature(c)),
            CircuitSignal::OverPressureSwitch => contact(pressure.holding > 0.96 * c.settings.make_up.safety_valve.0),
            CircuitSignal::LowPressureSwitch => contact(pressure.holding < c.settings.make_up.static_head.0 - 50_000.0),
            CircuitSignal::FlowSwitch => contact(c.flow > FLOW_SWITCH * c.settings.design_flow()),
            CircuitSignal::MakeUpFlow => pressure.make_up_flow,
            CircuitSignal::MakeUpVolume => counted(pressure.make_up_volume),
            CircuitSignal::TankLevel => display(pressure.level + 0.003 * self.noise.jitter(point), 1000.0).max(0.0),
            CircuitSignal::TankLowSwitch => contact(pressure.tank_low()),
            CircuitSignal::TankHighSwitch => contact(pressure.tank_high()),
            CircuitSignal::TankInletFeedback => contact(pressure.inlet_open),
            CircuitSignal::ReliefFeedback => contact(pressure.relief_feedback()),
            CircuitSignal::SoftenerHealthy => 1.0,
            CircuitSignal::IsolationFeedback => contact(c.isolation.position > 0.0),
        }
    }

    fn pump(&self, point: Point, signal: PumpSignal, pump: &Pump) -> f64 {
        match signal {
            PumpSignal::Running => contact(pump.running),
            PumpSignal::Fault => contact(pump.trouble.trip_code != 0),
            PumpSignal::Remote => contact(!pump.trouble.local),
            PumpSignal::SpeedFeedback => display(pump.speed_feedback(), 5000.0),
            PumpSignal::Current => display(pump.power / (3.0 * PHASE_VOLTS * POWER_FACTOR), 10.0),
            PumpSignal::Power => display(pump.power, 0.01),
            // Room, and what the drive's own losses add at full load.
            PumpSignal::Temperature => {
                self.thermometer(point, 28.0 + 25.0 * (pump.power / (1.4 * pump.curve.rated_power)).min(1.3))
            }
            PumpSignal::FaultCode => f64::from(pump.trouble.trip_code),
            PumpSignal::OperatingTime => pump.operating_time,
        }
    }

    fn building(
        &self,
        point: Point,
        signal: BuildingSignal,
        b: usize,
        c: &Circuit,
        shown: &CircuitInstruments,
    ) -> Option<f64> {
        let flow = c.network.share(b) * c.flow;
        let fair = c.settings.design_flow() * c.buildings[b].area / c.settings.heated_area_m2;
        let (supply, return_) = (shown.building_supply[b], shown.building_return[b]);
        Some(match signal {
            BuildingSignal::SupplyTemperature => self.thermometer(point, supply),
            BuildingSignal::ReturnTemperature => self.thermometer(point, return_),
            // Few stations have thermometers inside the flats' shafts.
            BuildingSignal::ReturnTemperatureBeforeLock => return None,
            BuildingSignal::DifferentialPressure => {
                self.differential(point, c.network.differential_pressure(b, c.flow))
            }
            BuildingSignal::Flow => self.flow_meter(point, flow / WATER_DENSITY, fair / WATER_DENSITY),
            BuildingSignal::HeatPower => {
                (flow * heatstation_points::quantity::WATER_HEAT_CAPACITY * (supply - return_)).max(0.0)
            }
            BuildingSignal::ValvePositionFeedback => display(c.building_valves[b].position, 1000.0),
        })
    }

    /// A platinum thermometer with its display.
    fn thermometer(&self, point: Point, celsius: f64) -> f64 {
        let s = &self.settings;
        let usual = s.platinum.limit(Celsius(celsius)).0 * USUAL_OF_LIMIT;
        let read = celsius + usual * self.noise.character(point) + s.thermometer_noise.0 * self.noise.jitter(point);
        display(read, 1.0 / s.thermometer_step.0)
    }

    /// The paired sensors of a heat meter.
    fn meter_thermometer(&self, point: Point, celsius: f64) -> f64 {
        display(celsius + 0.03 * self.noise.character(point), 100.0)
    }

    fn transmitter(&self, point: Point, pascals: f64) -> f64 {
        let own = PRESSURE_SCALE
            * (self.transmitter_usual() * self.noise.character(point) + 0.0002 * self.noise.jitter(point));
        display((pascals + own).max(0.0), 0.01)
    }

    fn transmitter_usual(&self) -> f64 {
        self.settings.transmitter_error.0 * TRANSMITTER_USUAL
    }

    /// A differential transmitter is ranged closer than two that are subtracted.
    fn differential(&self, point: Point, pascals: f64) -> f64 {
        let own =
            300_000.0 * (self.transmitter_usual() * self.noise.character(point) + 0.0005 * self.noise.jitter(point));
        display((pascals + own).max(0.0), 0.01)
    }

    fn flow_meter(&self, point: Point, flow: f64, design: f64) -> f64 {
        if flow < self.settings.flow_deaf_below.0 * design {
            return 0.0;
        }
        let usual = self.settings.flow_error.0 * FLOW_USUAL;
        flow * (1.0 + usual * self.noise.character(point) + 0.003 * self.noise.jitter(point))
    }
}

/// Where the hard-wired thermostat trips: °C.
fn over_temperature(circuit: &Circuit) -> f64 {
    match circuit.settings.emitter {
        crate::settings::Emitter::Floor => 55.0,
        crate::settings::Emitter::Radiator { .. } => circuit.settings.design.supply.0 + OVER_TEMPERATURE_MARGIN,
    }
}

fn said(pump: &Pump, output: PumpOutput) -> f64 {
    match output {
        PumpOutput::Start => contact(pump.start),
        PumpOutput::Speed => pump.speed_command,
    }
}

fn contact(closed: bool) -> f64 {
    if closed { 1.0 } else { 0.0 }
}

/// A value as a display with this many steps a unit shows it: 10 for tenths. Dividing keeps decimals short, and adding
/// zero turns −0 into 0.
fn display(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps + 0.0
}

/// A pulse meter of 10 l a pulse has counted what is complete.
fn counted(cubic_meters: f64) -> f64 {
    (cubic_meters * 100.0).floor() / 100.0
}

/// What a first-order lag takes over in one step.
fn share(seconds: f64, time_constant: f64) -> f64 {
    seconds / (time_constant + seconds)
}
