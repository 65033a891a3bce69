//! All that a step has to say: commands for the devices, events for the journal, and why it decided so.
//!
//! Metrics, page, API and uplink read this and only this.

use std::time::Duration;

use heatstation_points::{
    BuildingIndex, BuildingOutput, Celsius, CircuitIndex, CircuitOutput, Kelvins, Pascals, Point, PumpIndex,
    PumpOutput, Quantity, Ratio, Switch,
};
use serde::{Deserialize, Serialize};

use crate::actuator::Motor;
use crate::alarm::ActiveAlarm;
use crate::authority::Held;
use crate::balance::BalanceReport;
use crate::band::Because;
use crate::circulation::CirculationReport;
use crate::correction::Corrections;
use crate::equivalent_outdoor::Equivalent;
use crate::event::Event;
use crate::frost::FrostStage;
use crate::heating_limit::Eco;
use crate::interlock::Trip;
use crate::leak::LeakReport;
use crate::ledger::Ledger;
use crate::limiter::{LimiterKind, LimiterReport};
use crate::limits::PerLimiter;
use crate::load_shed::ShedNow;
use crate::make_up::MakeUpReport;
use crate::moment::Moment;
use crate::outage::{OutageId, SeasonTime};
use crate::outdoor::Outdoor;
use crate::quota::QuotaReport;
use crate::reason::OperationReason;
use crate::request::Mode;
use crate::room_sensors::RoomVerdicts;
use crate::room_tail::RoomStatistic;
use crate::room_trim::RoomTrimReport;
use crate::season::HeatingTime;
use crate::sensor_watch::Doubted;
use crate::sequence::{Restart, Stage};
use crate::sources::Sources;
use crate::supply_source::SupplySource;
use crate::times::TimesNow;
use crate::valve_report::ValveReport;

/// The result of one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// When.
    pub moment: Moment,
    /// Whether heat is due by the calendar.
    pub in_season: bool,
    /// Why the station heats, or that it does not.
    pub heating_time: HeatingTime,
    /// The mean outdoor temperature of the last five days, once there were so many.
    pub days_mean: Option<Celsius>,
    /// The outdoor temperature that was used.
    pub outdoor: Outdoor,
    /// What each circuit decided.
    pub circuits: Vec<CircuitReport>,
    /// The active alarms, most urgent first.
    pub alarms: Vec<ActiveAlarm>,
    /// What happened in this step.
    pub events: Vec<Event>,
}

/// What one circuit decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CircuitReport {
    /// Which circuit.
    pub circuit: CircuitIndex,
    /// Run or stop, as asked.
    pub mode: Mode,
    /// Where the sequence stands.
    pub stage: Stage,
    /// Why the circuit does what it does, in one word.
    pub operation: OperationReason,
    /// Whether the setpoint has been reached since the valve opened.
    pub reached: bool,
    /// Whether it should have been.
    pub late: bool,
    /// How the restart that is under way goes on.
    pub restart: Option<Restart>,
    /// How far frost protection goes.
    pub frost: FrostStage,
    /// When the coldest water will stand at 0 °C, as it looks while no heat comes and it is below that outdoors.
    pub freezes_in: Option<Duration>,
    /// What each quantity is taken from.
    pub sources: Sources,
    /// Sensors that show something and are doubted.
    pub doubted: Doubted,
    /// What the heating limit says.
    pub eco: Eco,
    /// The outdoor temperature that its buildings feel.
    pub equivalent: Equivalent,
    /// The setpoint and all that went into it.
    pub setpoint: SetpointReport,
    /// The room temperature that is aimed at now, room trim left out.
    pub room_target: Celsius,
    /// Where the circuit stands in its day.
    pub times: TimesNow,
    /// What is shed.
    pub load_shed: ShedNow,
    /// What people correct on the curve.
    pub corrections: Corrections,
    /// The wish that shifts the supply: by how much, and how long it lives still.
    pub shift: Option<(Kelvins, Duration)>,
    /// The day's account of heat, where there is a quota.
    pub quota: Option<QuotaReport>,
    /// The supply temperature that the loop used, and where it comes from.
    pub supply: Option<Celsius>,
    /// Where it comes from.
    pub supply_source: SupplySource,
    /// What decided the valve's command.
    pub valve_reason: ValveReason,
    /// How the valve and its loop fare.
    pub valve: ValveReport,
    /// What decided the pumps' commands.
    pub pump_reason: PumpReason,
    /// How the circulation's speed is found, and how its pumps stand.
    pub circulation: CirculationReport,
    /// The wanted pressure at the holding point, where it is held.
    pub pressure_setpoint: Option<Pascals>,
    /// The secondary balance; none where the buildings' valves are set by hand.
    pub balance: Option<BalanceReport>,
    /// How the pressure is held, where it is.
    pub make_up: Option<MakeUpReport>,
    /// What the network loses, where make-up is metered.
    pub leak: Option<LeakReport>,
    /// Whether circulation is proven; `None` while nobody can tell.
    pub circulating: Option<bool>,
    /// Interlocks that hold now.
    pub trips: Vec<Trip>,
    /// What is taken in hand: the time that is left.
    pub in_hand: Option<Duration>,
    /// Who has the devices that are not automatic; a device may stand here twice, in hand and worked on.
    pub held: Vec<Held>,
    /// The room estimate.
    pub rooms: RoomStatistic,
    /// What is thought of each room sensor.
    pub room_verdicts: RoomVerdicts,
    /// What the rooms do to the curve, and why not more.
    pub room_trim: RoomTrimReport,
    /// The outage that lasts, and since how long.
    pub outage: Option<(OutageId, Duration)>,
    /// How the season's time was spent.
    pub season_time: SeasonTime,
    /// Outputs that are not written because a person has the device in local.
    pub withheld: Vec<Point>,
    /// What is sent to the devices; `None` while nothing may be written yet.
    pub commands: Option<CircuitCommands>,
}

/// The supply setpoint with the ledger of what went into it.
///
/// `base + ledger.sum() = value`, each part in kelvins of supply temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SetpointReport {
    /// The setpoint in force.
    pub value: Celsius,
    /// What the curve alone asks for.
    pub base: Celsius,
    /// What each source adds to that.
    pub ledger: Ledger,
    /// Who holds it away from the wish.
    pub held_by: Option<Because>,
    /// The measured flow ratio that the curve used.
    pub flow_ratio: Ratio,
    /// The lowest setpoint that is allowed now: below the circuit's own while no heat is wanted.
    pub low: Celsius,
    /// What each limiter has to say.
    pub limiters: PerLimiter<LimiterReport>,
}

impl SetpointReport {
    /// What a limiter has to say.
    pub fn limiter(&self, kind: LimiterKind) -> &LimiterReport {
        &self.limiters[kind as usize]
    }
}

/// Why the valve is where it is. One reason at each moment, after the idea of the SBC heat-exchanger macro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValveReason {
    /// No heat is wanted.
    #[default]
    NoDemand,
    /// Waiting for circulation.
    Starting,
    /// The loop follows the setpoint.
    Control,
    /// Closed because the meter does not count so little flow.
    CreepFlow,
    /// Opened for a while, so that no standing water is measured.
    Flushing,
    /// The supply sensor is lost: the position is held.
    HoldSensorLost,
    /// The supply sensor is lost for long: safe position.
    SafePosition,
    /// Held still and moved in small steps, to find out whether it sticks.
    Test,
    /// A relay moves it, to find the loop's gains.
    AutoTune,
    /// Moved in standstill, so that it does not stick.
    Exercise,
    /// In hand.
    Hand,
    /// Somebody works on it: closed.
    Maintenance,
    /// An interlock closed it.
    Interlock(Trip),
    /// Shutting down.
    ShuttingDown,
    /// Restarts have failed and a person is called.
    GivenUp,
    /// Not ours: local at the cabinet, or not taken over yet.
    Local,
}

/// Why the pumps do what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PumpReason {
    /// No circulation is wanted.
    #[default]
    NoDemand,
    /// Waiting for pressure.
    Filling,
    /// Jogging and resting, so that air finds the vents.
    Venting,
    /// Heat is wanted.
    Heating,
    /// Frost protection.
    Frost,
    /// Running on after the valve closed.
    PostRun,
    /// Turned in standstill so that they do not seize.
    Exercise,
    /// In hand.
    Hand,
    /// An interlock stopped them.
    Interlock(Trip),
    /// None is available.
    NoneAvailable,
    /// Restarts have failed and a person is called.
    GivenUp,
    /// Not ours: local at the cabinet, or not taken over yet.
    Local,
}

/// What is said to a pump.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PumpCommand {
    /// Run or stop.
    pub start: Switch,
    /// Share of the nominal speed.
    pub speed: Ratio,
}

impl PumpCommand {
    /// Stopped.
    pub const STOP: PumpCommand = PumpCommand { start: Switch::Off, speed: Ratio::ZERO };
}

/// What is said to a circuit: desired state, never increments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CircuitCommands {
    /// The primary valve.
    pub valve_position: Ratio,
    /// What a three-point motor is told instead; none where a positioner takes the position.
    pub valve_motor: Option<Motor>,
    /// The circulation pumps.
    pub circulation_pumps: Vec<PumpCommand>,
    /// The make-up pumps.
    pub make_up_pumps: Vec<PumpCommand>,
    /// The relief valve, where make-up is ours.
    pub relief_open: Option<Switch>,
    /// The tank's inlet, where make-up is ours.
    pub tank_inlet_open: Option<Switch>,
    /// The buildings' valves, where they are ours.
    pub building_valves: Vec<Option<Ratio>>,
    /// The isolation valve of the primary side, where there is one.
    #[serde(default)]
    pub isolation_open: Option<Switch>,
}

impl CircuitCommands {
    /// The commands as points with their numbers.
    pub fn points(&self, c: CircuitIndex) -> impl Iterator<Item = (Point, f64)> + '_ {
        let position = (Point::CircuitOutput(c, CircuitOutput::ValvePosition), self.valve_position.0);
        let position = self.valve_motor.is_none().then_some(position);
        let motor = self.valve_motor.into_iter().flat_map(move |motor| {
            [
                (Point::CircuitOutput(c, CircuitOutput::ValveOpening), motor.opening().number()),
                (Point::CircuitOutput(c, CircuitOutput::ValveClosing), motor.closing().number()),
            ]
        });
        let relief = self.relief_open.map(|s| (Point::CircuitOutput(c, CircuitOutput::ReliefOpen), s.number()));
        let inlet = self.tank_inlet_open.map(|s| (Point::CircuitOutput(c, CircuitOutput::TankInletOpen), s.number()));
        let isolation =
            self.isolation_open.map(|s| (Point::CircuitOutput(c, CircuitOutput::IsolationOpen), s.number()));
        let circulation = self.circulation_pumps.iter().enumerate().flat_map(move |(p, pump)| {
            let p = PumpIndex(p);
            [
                (Point::CirculationPumpOutput(c, p, PumpOutput::Start), pump.start.number()),
                (Point::CirculationPumpOutput(c, p, PumpOutput::Speed), pump.speed.0),
            ]
        });
        let make_up = self.make_up_pumps.iter().enumerate().flat_map(move |(p, pump)| {
            let p = PumpIndex(p);
            [
                (Point::MakeUpPumpOutput(c, p, PumpOutput::Start), pump.start.number()),
                (Point::MakeUpPumpOutput(c, p, PumpOutput::Speed), pump.speed.0),
            ]
        });
        let buildings = self.building_valves.iter().enumerate().filter_map(move |(b, valve)| {
            valve.map(|v| (Point::BuildingOutput(c, BuildingIndex(b), BuildingOutput::ValvePosition), v.0))
        });
        position
            .into_iter()
            .chain(motor)
            .chain(circulation)
            .chain(make_up)
            .chain(relief)
            .chain(inlet)
            .chain(isolation)
            .chain(buildings)
    }
}
