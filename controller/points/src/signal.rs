//! The closed list of signals: what a station can say and what can be said to it.
//!
//! One table per owner. A row is: variant, field in the readings, quantity, text name, plausible range in the unit of the
//! quantity, rhythm of reading, Chinese name. The enum, the readings struct and the names all come from the row, so that
//! nothing can be forgotten in one of them.
//!
//! The list is the point list of a heat-exchange station with circulation and make-up pumps as Chinese station cabinets
//! and the European heating controllers expose it. What a site wants to watch beyond it is an
//! [auxiliary point](crate::AuxiliaryPoint).

use serde::{Deserialize, Serialize};

use crate::quantity::{Quantity, Unit};

/// How often a point is worth reading.
///
/// Rule of thumb of the field: interlock inputs each second, temperatures for control every 1 to 5 s, meters 5 to 60 s,
/// rooms and buildings in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Interlock inputs and pump states: every second.
    Safety,
    /// Temperatures and flows that loops use: every 2 s.
    Control,
    /// Meters and electrical values: every 10 s.
    Meter,
    /// Rooms, buildings and counters: every 60 s.
    Slow,
}

macro_rules! signals {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($variant:ident $field:ident: $quantity:ident, $text:literal, $low:literal ..= $high:literal, $pace:ident, $chinese:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the text name beside each variant is its documentation")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The last part of the point's text name.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// What a Chinese operator calls it.
            pub const fn chinese(self) -> &'static str {
                match self { $($name::$variant => $chinese,)* }
            }

            /// The unit of its values.
            pub fn unit(self) -> Unit {
                match self { $($name::$variant => <crate::quantity::$quantity as Quantity>::UNIT,)* }
            }

            /// The range outside of which a value is not believed.
            pub const fn range(self) -> (f64, f64) {
                match self { $($name::$variant => ($low, $high),)* }
            }

            /// How often it is worth reading.
            pub const fn pace(self) -> Pace {
                match self { $($name::$variant => Pace::$pace,)* }
            }
        }
    };
}

/// The input tables, handed to whichever macro wants them: the enums here, the readings structs in `readings.rs`.
macro_rules! station_inputs { ($make:ident) => { $make! {
    /// What the station as a whole says: weather, the primary side, power, the plant room.
    StationSignal {
        OutdoorTemperature outdoor_temperature: Celsius, "outdoor.temperature", -60.0 ..= 60.0, Slow, "室外温度";
        OutdoorTemperatureSecond outdoor_temperature_second: Celsius, "outdoor.temperature_second", -60.0 ..= 60.0, Slow, "室外温度2";
        OutdoorForecast outdoor_forecast: Celsius, "outdoor.forecast", -60.0 ..= 60.0, Slow, "预报室外温度";
        SolarIrradiance solar_irradiance: WattsPerSquareMeter, "outdoor.solar_irradiance", 0.0 ..= 1500.0, Slow, "太阳辐照度";
        WindSpeed wind_speed: MetersPerSecond, "outdoor.wind_speed", 0.0 ..= 75.0, Slow, "风速";
        PrimarySupplyTemperature primary_supply_temperature: Celsius, "primary_supply.temperature", 0.0 ..= 180.0, Control, "一次供水温度";
        PrimaryReturnTemperature primary_return_temperature: Celsius, "primary_return.temperature", 0.0 ..= 150.0, Control, "一次回水温度";
        PrimarySupplyPressure primary_supply_pressure: Pascals, "primary_supply.pressure", 0.0 ..= 2_500_000.0, Control, "一次供水压力";
        PrimaryReturnPressure primary_return_pressure: Pascals, "primary_return.pressure", 0.0 ..= 2_500_000.0, Control, "一次回水压力";
        PrimaryStrainerPressure primary_strainer_pressure: Pascals, "primary_strainer.pressure", 0.0 ..= 2_500_000.0, Meter, "一次除污器后压力";
        PrimaryFlow primary_flow: CubicMetersPerSecond, "primary.flow", 0.0 ..= 0.5, Meter, "一次瞬时流量";
        PrimaryHeatPower primary_heat_power: Watts, "primary.heat_power", 0.0 ..= 100_000_000.0, Meter, "瞬时热量";
        PrimaryVolume primary_volume: CubicMeters, "primary.volume", 0.0 ..= 1.0e9, Slow, "一次累计流量";
        PrimaryHeatEnergy primary_heat_energy: Joules, "primary.heat_energy", 0.0 ..= 1.0e18, Slow, "累计热量";
        PrimaryMeterSupplyTemperature primary_meter_supply_temperature: Celsius, "primary_meter.supply_temperature", 0.0 ..= 180.0, Meter, "热表供水温度";
        PrimaryMeterReturnTemperature primary_meter_return_temperature: Celsius, "primary_meter.return_temperature", 0.0 ..= 150.0, Meter, "热表回水温度";
        PrimaryMeterFaultCode primary_meter_fault_code: Number, "primary_meter.fault_code", 0.0 ..= 65535.0, Slow, "热表故障代码";
        PrimaryMeterOperatingTime primary_meter_operating_time: Seconds, "primary_meter.operating_time", 0.0 ..= 4.0e9, Slow, "热表工作时间";
        ElectricityEnergy electricity_energy: Joules, "electricity.energy", 0.0 ..= 1.0e15, Slow, "电量";
        ElectricityPower electricity_power: Watts, "electricity.power", 0.0 ..= 5_000_000.0, Meter, "有功功率";
        VoltageA voltage_a: Volts, "electricity.voltage_a", 0.0 ..= 500.0, Meter, "A相电压";
        VoltageB voltage_b: Volts, "electricity.voltage_b", 0.0 ..= 500.0, Meter, "B相电压";
        VoltageC voltage_c: Volts, "electricity.voltage_c", 0.0 ..= 500.0, Meter, "C相电压";
        CurrentA current_a: Amperes, "electricity.current_a", 0.0 ..= 2000.0, Meter, "A相电流";
        CurrentB current_b: Amperes, "electricity.current_b", 0.0 ..= 2000.0, Meter, "B相电流";
        CurrentC current_c: Amperes, "electricity.current_c", 0.0 ..= 2000.0, Meter, "C相电流";
        MainsHealthy mains_healthy: Switch, "mains.healthy", 0.0 ..= 1.0, Safety, "市电正常";
        UpsOnBattery ups_on_battery: Switch, "ups.on_battery", 0.0 ..= 1.0, Control, "UPS电池供电";
        EmergencyStop emergency_stop: Switch, "emergency_stop.pressed", 0.0 ..= 1.0, Safety, "急停";
        RemoteSelected remote_selected: Switch, "selector.remote", 0.0 ..= 1.0, Safety, "远程/就地";
        PlantRoomTemperature plant_room_temperature: Celsius, "plant_room.temperature", -40.0 ..= 90.0, Slow, "机房温度";
        PlantRoomFlooded plant_room_flooded: Switch, "plant_room.flooded", 0.0 ..= 1.0, Control, "机房积水";
        PlantRoomSmoke plant_room_smoke: Switch, "plant_room.smoke", 0.0 ..= 1.0, Control, "机房烟感";
        PlantRoomDoorOpen plant_room_door_open: Switch, "plant_room.door_open", 0.0 ..= 1.0, Meter, "机房门禁";
        TapWaterVolume tap_water_volume: CubicMeters, "tap_water.volume", 0.0 ..= 1.0e9, Slow, "自来水总补水量";
    }
} } }
macro_rules! circuit_inputs { ($make:ident) => { $make! {
    /// What one circuit (机组) says: its valve and exchanger, its secondary side, its make-up.
    CircuitSignal {
        PrimaryReturnTemperature primary_return_temperature: Celsius, "primary_return.temperature", 0.0 ..= 150.0, Control, "一次回水温度";
        PrimaryFlow primary_flow: CubicMetersPerSecond, "primary.flow", 0.0 ..= 0.5, Meter, "一次瞬时流量";
        HeatPower heat_power: Watts, "heat_meter.power", 0.0 ..= 50_000_000.0, Meter, "瞬时热量";
        HeatEnergy heat_energy: Joules, "heat_meter.energy", 0.0 ..= 1.0e18, Slow, "累计热量";
        ValvePositionFeedback valve_position_feedback: Ratio, "valve.position_feedback", 0.0 ..= 1.0, Safety, "电动阀开度反馈";
        ValveFault valve_fault: Switch, "valve.fault", 0.0 ..= 1.0, Safety, "电动阀故障";
        ValveRemote valve_remote: Switch, "valve.remote", 0.0 ..= 1.0, Safety, "电动阀自动";
        SupplyTemperature supply_temperature: Celsius, "secondary_supply.temperature", 0.0 ..= 120.0, Safety, "二次供水温度";
        SupplyTemperatureSecond supply_temperature_second: Celsius, "secondary_supply.temperature_second", 0.0 ..= 120.0, Control, "二次供水温度2";
        ReturnTemperature return_temperature: Celsius, "secondary_return.temperature", 0.0 ..= 120.0, Control, "二次回水温度";
        SupplyPressure supply_pressure: Pascals, "secondary_supply.pressure", 0.0 ..= 2_500_000.0, Safety, "二次供水压力";
        ReturnPressure return_pressure: Pascals, "secondary_return.pressure", 0.0 ..= 1_600_000.0, Safety, "二次回水压力(定压点)";
        ReturnPressureBeforeStrainer return_pressure_before_strainer: Pascals, "secondary_strainer.pressure", 0.0 ..= 1_600_000.0, Meter, "滤前压力";
        ExchangerInletPressure exchanger_inlet_pressure: Pascals, "exchanger.inlet_pressure", 0.0 ..= 2_500_000.0, Meter, "板换入口压力";
        DifferentialPressure differential_pressure: Pascals, "secondary.differential_pressure", 0.0 ..= 1_000_000.0, Safety, "二次供回水压差";
        WorstDifferentialPressure worst_differential_pressure: Pascals, "secondary.worst_differential_pressure", 0.0 ..= 1_000_000.0, Meter, "最不利压差";
        SecondaryFlow secondary_flow: CubicMetersPerSecond, "secondary.flow", 0.0 ..= 1.0, Control, "二次瞬时流量";
        SecondaryVolume secondary_volume: CubicMeters, "secondary.volume", 0.0 ..= 1.0e9, Slow, "二次累计流量";
        OverTemperatureSwitch over_temperature_switch: Switch, "secondary_supply.over_temperature_switch", 0.0 ..= 1.0, Safety, "超温开关";
        OverPressureSwitch over_pressure_switch: Switch, "secondary_supply.over_pressure_switch", 0.0 ..= 1.0, Safety, "超压开关";
        LowPressureSwitch low_pressure_switch: Switch, "secondary_return.low_pressure_switch", 0.0 ..= 1.0, Safety, "低压开关";
        FlowSwitch flow_switch: Switch, "circulation.flow_switch", 0.0 ..= 1.0, Safety, "循环流量/压差开关";
        MakeUpFlow make_up_flow: CubicMetersPerSecond, "make_up.flow", 0.0 ..= 0.1, Control, "补水瞬时流量";
        MakeUpVolume make_up_volume: CubicMeters, "make_up.volume", 0.0 ..= 1.0e9, Meter, "补水累计流量";
        TankLevel tank_level: Meters, "tank.level", 0.0 ..= 10.0, Control, "水箱液位";
        TankLowSwitch tank_low_switch: Switch, "tank.low_switch", 0.0 ..= 1.0, Control, "水箱低液位";
        TankHighSwitch tank_high_switch: Switch, "tank.high_switch", 0.0 ..= 1.0, Control, "水箱高液位";
        TankInletFeedback tank_inlet_feedback: Switch, "tank_inlet.open_feedback", 0.0 ..= 1.0, Control, "水箱进水阀反馈";
        ReliefFeedback relief_feedback: Switch, "relief_valve.open_feedback", 0.0 ..= 1.0, Safety, "泄压阀反馈";
        SoftenerHealthy softener_healthy: Switch, "softener.healthy", 0.0 ..= 1.0, Slow, "软水器正常";
    }
} } }
macro_rules! pump_inputs {
    ($make:ident) => {
        $make! {
            /// What one pump and its drive say; circulation and make-up pumps alike.
            PumpSignal {
                Running running: Switch, "running", 0.0 ..= 1.0, Safety, "运行";
                Fault fault: Switch, "fault", 0.0 ..= 1.0, Safety, "故障";
                Remote remote: Switch, "remote", 0.0 ..= 1.0, Safety, "远程";
                SpeedFeedback speed_feedback: Ratio, "speed_feedback", 0.0 ..= 1.3, Safety, "频率反馈";
                Current current: Amperes, "current", 0.0 ..= 1000.0, Meter, "电流";
                Power power: Watts, "power", 0.0 ..= 500_000.0, Meter, "功率";
                Temperature temperature: Celsius, "drive_temperature", -40.0 ..= 150.0, Slow, "变频器温度";
                FaultCode fault_code: Number, "fault_code", 0.0 ..= 65535.0, Meter, "变频器故障代码";
                OperatingTime operating_time: Seconds, "operating_time", 0.0 ..= 4.0e9, Slow, "累计运行时间";
            }
        }
    };
}
macro_rules! building_inputs { ($make:ident) => { $make! {
    /// What one building's entrance says.
    BuildingSignal {
        SupplyTemperature supply_temperature: Celsius, "supply_temperature", 0.0 ..= 120.0, Slow, "楼栋供水温度";
        ReturnTemperature return_temperature: Celsius, "return_temperature", 0.0 ..= 120.0, Slow, "楼栋回水温度";
        ReturnTemperatureBeforeLock return_temperature_before_lock: Celsius, "return_temperature_before_lock", 0.0 ..= 120.0, Slow, "用户锁闭阀前回水温度";
        DifferentialPressure differential_pressure: Pascals, "differential_pressure", 0.0 ..= 1_000_000.0, Slow, "楼栋压差";
        Flow flow: CubicMetersPerSecond, "flow", 0.0 ..= 0.2, Slow, "楼栋流量";
        HeatPower heat_power: Watts, "heat_power", 0.0 ..= 10_000_000.0, Slow, "楼栋热量";
        ValvePositionFeedback valve_position_feedback: Ratio, "valve.position_feedback", 0.0 ..= 1.0, Slow, "楼阀开度反馈";
    }
} } }
macro_rules! room_inputs {
    ($make:ident) => {
        $make! {
            /// What one room sensor (测温点) says.
            RoomSignal {
                Temperature temperature: Celsius, "temperature", -10.0 ..= 50.0, Slow, "室温";
                Battery battery: Ratio, "battery", 0.0 ..= 1.0, Slow, "电池";
            }
        }
    };
}
pub(crate) use {building_inputs, circuit_inputs, pump_inputs, room_inputs, station_inputs};

station_inputs!(signals);
circuit_inputs!(signals);
pump_inputs!(signals);
building_inputs!(signals);
room_inputs!(signals);

signals! {
    /// What can be said to a circuit.
    CircuitOutput {
        ValvePosition valve_position: Ratio, "valve.position", 0.0 ..= 1.0, Safety, "电动阀开度给定";
        ValveOpening valve_opening: Switch, "valve.opening", 0.0 ..= 1.0, Safety, "电动阀开阀";
        ValveClosing valve_closing: Switch, "valve.closing", 0.0 ..= 1.0, Safety, "电动阀关阀";
        ReliefOpen relief_open: Switch, "relief_valve.open", 0.0 ..= 1.0, Safety, "泄压阀";
        TankInletOpen tank_inlet_open: Switch, "tank_inlet.open", 0.0 ..= 1.0, Control, "水箱进水阀";
    }
}
signals! {
    /// What can be said to a pump.
    PumpOutput {
        Start start: Switch, "start", 0.0 ..= 1.0, Safety, "启停";
        Speed speed: Ratio, "speed", 0.0 ..= 1.2, Safety, "频率给定";
    }
}
signals! {
    /// What can be said to a building's valve.
    BuildingOutput {
        ValvePosition valve_position: Ratio, "valve.position", 0.0 ..= 1.0, Slow, "楼阀开度给定";
    }
}
