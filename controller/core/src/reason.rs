//! Why a circuit does what it does, in one word: the operation reason.
//!
//! After the idea of the SBC heat-exchanger macro, which publishes one integer: an operator, a dispatch centre and a
//! dashboard look at it first. Its numbers are kept where they mean the same here (1 to 9, 12, 13; 10, legionella, has no
//! meaning for a heating station); from 14 on they are ours. A number is never given to another meaning.
//!
//! Several things can be true at once. The most binding one is said: who may not write, what is dangerous, what stops the
//! plant, what holds it, what it is about to do, and only then that all is well. The single reasons of valve and pumps,
//! the trips and the ledger tell the rest.

use serde::{Deserialize, Serialize};

use crate::band::Because;
use crate::frost::FrostStage;
use crate::interlock::Trip;
use crate::ledger::Part;
use crate::report::{CircuitReport, PumpReason, ValveReason};
use crate::request::Mode;
use crate::sequence::Stage;
use crate::times::Phase;

macro_rules! reasons {
    ($($variant:ident $number:literal $name:literal, $chinese:literal, $english:literal;)*) => {
        /// Why a circuit does what it does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum OperationReason {
            $(#[doc = $english] $variant,)*
        }

        impl OperationReason {
            /// All of them, by number.
            pub const ALL: &'static [OperationReason] = &[$(OperationReason::$variant,)*];

            /// The number by which dispatch centres know it.
            pub const fn number(self) -> u8 {
                match self { $(OperationReason::$variant => $number,)* }
            }

            /// The name in metrics, records and the API.
            pub const fn name(self) -> &'static str {
                match self { $(OperationReason::$variant => $name,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(OperationReason::$variant => ($chinese, $english),)* }
            }
        }
    };
}

reasons! {
    NoDemand 1 "no_demand", "无供热需求", "no heat is wanted";
    Normal 2 "normal", "正常供热", "heating at the setpoint";
    PrimaryLimited 3 "primary_limited", "一次侧供热不足", "the primary side gives no more";
    Limited 4 "limited", "设定值受限", "a limit holds the setpoint";
    Exercise 5 "exercise", "定期活动", "an exercise moves valve or pumps";
    Pressure 6 "pressure", "压力联锁", "a pressure interlock holds";
    Frost 7 "frost", "防冻保护", "frost protection";
    Circulation 8 "circulation", "循环故障", "circulation is not proven, or no pump is available";
    NotReached 9 "not_reached", "未达到设定温度", "the setpoint has not been reached in time";
    OverTemperature 12 "over_temperature", "供水超温", "the supply is too hot";
    Safety 13 "safety", "安全保护动作", "a safety thermostat, or a valve that does not close";
    Starting 14 "starting", "启动中", "starting in order";
    WarmingUp 15 "warming_up", "升温中", "the supply rises to its setpoint";
    ShuttingDown 16 "shutting_down", "停运中", "shutting down in order";
    LyingBy 17 "lying_by", "湿保养", "out of season: filled, pressure held";
    StoppedByRequest 18 "stopped_by_request", "按指令停运", "a person has stopped it";
    Manual 19 "manual", "手动", "a hand is on valve or pumps";
    Maintenance 20 "maintenance", "检修", "somebody works on valve or pumps";
    Local 21 "local", "就地", "local at the cabinet, or not taken over yet";
    EmergencyStop 22 "emergency_stop", "急停", "the emergency stop";
    MainsLost 23 "mains_lost", "市电中断", "power is away, or back for too short a time";
    GivenUp 24 "given_up", "多次重启失败", "restarts have failed: a person is called";
    SensorLost 25 "sensor_lost", "供水温度传感器失效", "the supply temperature is lost";
    PrimaryCold 26 "primary_cold", "一次侧无热", "the primary side is colder than the return";
    PrimaryPressure 27 "primary_pressure", "一次压力过低", "the primary pressure is too low";
    Remote 28 "remote", "远程修正", "a wish from outside shifts the setpoint";
    LoadShed 29 "load_shed", "削减负荷", "less heat because somebody asked for it";
    Reduced 30 "reduced", "按时段降温", "reduced by the programme";
    Recovering 31 "recovering", "按时段回升", "rooms warm up again after a reduced time";
    Testing 32 "testing", "阀门测试或自整定", "an experiment moves the valve: a test of it, or auto-tune";
}

impl OperationReason {
    /// The most binding of what a report says of its circuit.
    pub fn of(report: &CircuitReport, heats: bool) -> OperationReason {
        if let Some(binding) = binding(report) {
            return binding;
        }
        if report.stage == Stage::Heating { heating(report) } else { not_heating(report, heats) }
    }
}

/// What leaves the sequence no choice.
fn binding(report: &CircuitReport) -> Option<OperationReason> {
    use OperationReason as Why;
    let wants_circulation = report.stage.wants_circulation();
    if report.valve_reason == ValveReason::Local && report.pump_reason == PumpReason::Local {
        return Some(Why::Local);
    }
    let by_trip = report.trips.iter().find_map(|trip| by_trip(*trip, report.stage));
    if by_trip.is_some() {
        return by_trip;
    }
    if report.stage == Stage::GivenUp {
        Some(Why::GivenUp)
    } else if wants_circulation && report.pump_reason == PumpReason::NoneAvailable {
        Some(Why::Circulation)
    } else if report.valve_reason == ValveReason::Maintenance {
        Some(Why::Maintenance)
    } else if report.frost.heats() {
        Some(Why::Frost)
    } else if report.valve_reason == ValveReason::Local {
        Some(Why::Local)
    } else if report.valve_reason == ValveReason::Hand || report.pump_reason == PumpReason::Hand {
        Some(Why::Manual)
    } else {
        None
    }
}

fn by_trip(trip: Trip, stage: Stage) -> Option<OperationReason> {
    use OperationReason as Why;
    match trip {
        Trip::EmergencyStop => Some(Why::EmergencyStop),
        Trip::SafetyThermostat | Trip::ValveStuckOpen => Some(Why::Safety),
        Trip::OverTemperature => Some(Why::OverTemperature),
        Trip::PressureHigh | Trip::PressureLow | Trip::BurstIsolated => Some(Why::Pressure),
        Trip::MainsLost => Some(Why::MainsLost),
        // While the start waits for circulation the lock is no news.
        Trip::NoCirculation => (stage == Stage::Heating).then_some(Why::Circulation),
        Trip::PrimaryPressureLow => stage.wants_circulation().then_some(Why::PrimaryPressure),
        Trip::ReverseHeat => stage.wants_circulation().then_some(Why::PrimaryCold),
        Trip::MakeUpTooLong
        | Trip::MakeUpVolume
        | Trip::Burst
        | Trip::ReliefTooLong
        | Trip::TankLow
        | Trip::TankHigh
        | Trip::Flooded
        | Trip::PlantRoomHot => None,
    }
}

fn not_heating(report: &CircuitReport, heats: bool) -> OperationReason {
    use OperationReason as Why;
    let exercises = report.pump_reason == PumpReason::Exercise || report.valve_reason == ValveReason::Exercise;
    match report.stage {
        Stage::Filling | Stage::ProvingPressure | Stage::Venting | Stage::StartingPumps | Stage::Settling => {
            Why::Starting
        }
        Stage::ShuttingDown => Why::ShuttingDown,
        Stage::GivenUp => Why::GivenUp,
        Stage::Stopped if exercises => Why::Exercise,
        Stage::Stopped | Stage::Heating => match (report.frost, report.mode) {
            (FrostStage::Circulate | FrostStage::Stir | FrostStage::Heat | FrostStage::Danger, _) => Why::Frost,
            (FrostStage::None, Mode::Stopped) => Why::StoppedByRequest,
            (FrostStage::None, Mode::Automatic) if heats => Why::NoDemand,
            (FrostStage::None, Mode::Automatic) => Why::LyingBy,
        },
    }
}

fn heating(report: &CircuitReport) -> OperationReason {
    use OperationReason as Why;
    match report.valve_reason {
        ValveReason::HoldSensorLost | ValveReason::SafePosition => return Why::SensorLost,
        ValveReason::Test | ValveReason::AutoTune => return Why::Testing,
        ValveReason::NoDemand
        | ValveReason::Exercise
        | ValveReason::Starting
        | ValveReason::Control
        | ValveReason::CreepFlow
        | ValveReason::Flushing
        | ValveReason::Hand
        | ValveReason::Maintenance
        | ValveReason::Interlock(_)
        | ValveReason::ShuttingDown
        | ValveReason::GivenUp
        | ValveReason::Local => {}
    }
    let missing = report.supply.map(|supply| report.setpoint.value - supply);
    if report.valve.open_wide && missing.is_some_and(|missing| missing > NEAR) {
        return Why::PrimaryLimited;
    }
    if report.late {
        return Why::NotReached;
    }
    let limited = report.setpoint.held_by.is_some_and(|by| match by {
        // What the setpoint is on its way through, or rests on, is no limit that an engineer looks for; a wish that goes no
        // further is still a wish.
        Because::Ramp | Because::SupplyMin | Because::SupplyMinWarm | Because::Envelope => false,
        Because::SupplyMax
        | Because::EmitterMax
        | Because::TripMargin
        | Because::Frost
        | Because::HeatFloor
        | Because::ReturnLimit
        | Because::ApproachLimit
        | Because::FlowLimit
        | Because::PowerLimit
        | Because::QuotaLimit => true,
    });
    if limited {
        Why::Limited
    } else if !report.reached {
        Why::WarmingUp
    } else if report.setpoint.ledger.of(Part::LoadShed).0 != 0.0 {
        Why::LoadShed
    } else if report.setpoint.ledger.of(Part::Remote).0 != 0.0 {
        Why::Remote
    } else {
        match report.times.phase {
            Phase::Steady { .. } => Why::Normal,
            Phase::Reduced { .. } => Why::Reduced,
            Phase::Recovering { .. } => Why::Recovering,
        }
    }
}

/// Nearer than this the supply is at its setpoint.
const NEAR: heatstation_points::Kelvins = heatstation_points::Kelvins(2.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_given_once() {
        let numbers: std::collections::BTreeSet<u8> = OperationReason::ALL.iter().map(|why| why.number()).collect();
        let names: std::collections::BTreeSet<&str> = OperationReason::ALL.iter().map(|why| why.name()).collect();
        assert_eq!((numbers.len(), names.len()), (OperationReason::ALL.len(), OperationReason::ALL.len()));
    }
}
