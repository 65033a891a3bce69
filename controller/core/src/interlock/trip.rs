//! What can take over, and what it then does.

use serde::{Deserialize, Serialize};

/// What took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    /// The emergency stop is pressed.
    EmergencyStop,
    /// The hard-wired safety thermostat or over-temperature switch has acted.
    SafetyThermostat,
    /// The primary valve does not close although it must.
    ValveStuckOpen,
    /// The secondary supply is too hot.
    OverTemperature,
    /// The secondary supply pressure is too high.
    PressureHigh,
    /// The holding-point pressure is too low for circulation.
    PressureLow,
    /// No mains power.
    MainsLost,
    /// Circulation is not proven.
    NoCirculation,
    /// The primary supply pressure is below what keeps its water from boiling, or below the network's order.
    PrimaryPressureLow,
    /// The primary supply is colder than the secondary return: the exchanger would cool.
    ReverseHeat,
    /// Make-up ran too long without reaching its pressure.
    MakeUpTooLong,
    /// Make-up exceeded the day's volume.
    MakeUpVolume,
    /// The network has burst: no more water into the hole.
    Burst,
    /// The network has burst and is isolated.
    BurstIsolated,
    /// The relief valve stands open too long: what is made up runs down the drain.
    ReliefTooLong,
    /// The make-up tank is low.
    TankLow,
    /// The make-up tank is about to overflow.
    TankHigh,
    /// Water stands in the plant room.
    Flooded,
    /// The plant room is too hot for the drives.
    PlantRoomHot,
}

impl Trip {
    /// All of them, from the most to the least severe.
    pub const ALL: [Trip; 19] = [
        Trip::EmergencyStop,
        Trip::SafetyThermostat,
        Trip::ValveStuckOpen,
        Trip::OverTemperature,
        Trip::PressureHigh,
        Trip::PressureLow,
        Trip::MainsLost,
        Trip::NoCirculation,
        Trip::PrimaryPressureLow,
        Trip::ReverseHeat,
        Trip::MakeUpTooLong,
        Trip::MakeUpVolume,
        Trip::Burst,
        Trip::BurstIsolated,
        Trip::ReliefTooLong,
        Trip::TankLow,
        Trip::TankHigh,
        Trip::Flooded,
        Trip::PlantRoomHot,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Trip::EmergencyStop => "emergency_stop",
            Trip::SafetyThermostat => "safety_thermostat",
            Trip::ValveStuckOpen => "valve_stuck_open",
            Trip::OverTemperature => "over_temperature",
            Trip::PressureHigh => "pressure_high",
            Trip::PressureLow => "pressure_low",
            Trip::MainsLost => "mains_lost",
            Trip::NoCirculation => "no_circulation",
            Trip::PrimaryPressureLow => "primary_pressure_low",
            Trip::ReverseHeat => "reverse_heat",
            Trip::MakeUpTooLong => "make_up_too_long",
            Trip::MakeUpVolume => "make_up_volume",
            Trip::Burst => "burst",
            Trip::BurstIsolated => "burst_isolated",
            Trip::ReliefTooLong => "relief_too_long",
            Trip::TankLow => "tank_low",
            Trip::TankHigh => "tank_high",
            Trip::Flooded => "flooded",
            Trip::PlantRoomHot => "plant_room_hot",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Trip::EmergencyStop => ("急停", "emergency stop"),
            Trip::SafetyThermostat => ("安全温控器", "safety thermostat"),
            Trip::ValveStuckOpen => ("电动阀卡在开位", "valve stuck open"),
            Trip::OverTemperature => ("供水超温", "supply over-temperature"),
            Trip::PressureHigh => ("压力过高", "pressure too high"),
            Trip::PressureLow => ("压力过低", "pressure too low"),
            Trip::MainsLost => ("市电中断", "mains lost"),
            Trip::NoCirculation => ("循环未证实", "no proven circulation"),
            Trip::PrimaryPressureLow => ("一次压力过低", "primary pressure too low"),
            Trip::ReverseHeat => ("一次水温低于二次回水", "primary colder than secondary return"),
            Trip::MakeUpTooLong => ("补水超时", "make-up ran too long"),
            Trip::MakeUpVolume => ("日补水量超限", "make-up volume of the day"),
            Trip::Burst => ("爆管, 停止补水", "burst: make-up stopped"),
            Trip::BurstIsolated => ("爆管, 已隔离", "burst: isolated"),
            Trip::ReliefTooLong => ("泄压阀长开", "relief valve open too long"),
            Trip::TankLow => ("水箱液位低", "tank low"),
            Trip::TankHigh => ("水箱液位高", "tank high"),
            Trip::Flooded => ("机房积水", "plant room flooded"),
            Trip::PlantRoomHot => ("机房超温", "plant room hot"),
        }
    }

    /// Whether it closes the primary valve.
    pub const fn closes_valve(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::SafetyThermostat
            | Trip::ValveStuckOpen
            | Trip::OverTemperature
            | Trip::PressureHigh
            | Trip::PressureLow
            | Trip::MainsLost
            | Trip::NoCirculation
            | Trip::PrimaryPressureLow
            | Trip::ReverseHeat
            | Trip::BurstIsolated => true,
            Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::ReliefTooLong
            | Trip::TankLow
            | Trip::TankHigh
            | Trip::Flooded
            | Trip::PlantRoomHot => false,
        }
    }

    /// Whether it stops the circulation pumps.
    pub const fn stops_circulation(self) -> bool {
        match self {
            Trip::EmergencyStop | Trip::PressureHigh | Trip::PressureLow | Trip::MainsLost | Trip::BurstIsolated => {
                true
            }
            Trip::SafetyThermostat
            | Trip::ValveStuckOpen
            | Trip::OverTemperature
            | Trip::NoCirculation
            | Trip::PrimaryPressureLow
            | Trip::ReverseHeat
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::ReliefTooLong
            | Trip::TankLow
            | Trip::TankHigh
            | Trip::Flooded
            | Trip::PlantRoomHot => false,
        }
    }

    /// Whether it stops make-up.
    pub const fn stops_make_up(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::PressureHigh
            | Trip::MainsLost
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::ReliefTooLong
            | Trip::TankLow => true,
            Trip::SafetyThermostat
            | Trip::ValveStuckOpen
            | Trip::OverTemperature
            | Trip::PressureLow
            | Trip::NoCirculation
            | Trip::PrimaryPressureLow
            | Trip::ReverseHeat
            | Trip::BurstIsolated
            | Trip::TankHigh
            | Trip::Flooded
            | Trip::PlantRoomHot => false,
        }
    }

    /// Whether it closes the make-up tank's inlet.
    pub const fn closes_inlet(self) -> bool {
        match self {
            Trip::EmergencyStop | Trip::TankHigh | Trip::Flooded => true,
            Trip::SafetyThermostat
            | Trip::ValveStuckOpen
            | Trip::OverTemperature
            | Trip::PressureHigh
            | Trip::PressureLow
            | Trip::MainsLost
            | Trip::NoCirculation
            | Trip::PrimaryPressureLow
            | Trip::ReverseHeat
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::BurstIsolated
            | Trip::ReliefTooLong
            | Trip::TankLow
            | Trip::PlantRoomHot => false,
        }
    }

    /// Whether a person has to reset it after its cause is gone.
    pub(super) const fn stays(self) -> bool {
        match self {
            Trip::EmergencyStop
            | Trip::SafetyThermostat
            | Trip::PressureHigh
            | Trip::MakeUpTooLong
            | Trip::MakeUpVolume
            | Trip::Burst
            | Trip::BurstIsolated
            | Trip::Flooded => true,
            Trip::ValveStuckOpen
            | Trip::OverTemperature
            | Trip::PressureLow
            | Trip::MainsLost
            | Trip::NoCirculation
            | Trip::PrimaryPressureLow
            | Trip::ReverseHeat
            | Trip::ReliefTooLong
            | Trip::TankLow
            | Trip::TankHigh
            | Trip::PlantRoomHot => false,
        }
    }
}
