//! What to do about an alarm, in Chinese; the English stands in the core's catalogue.

use heatstation_core::alarm::Alarm;

use super::Text;

pub(in crate::web) fn advice(alarm: Alarm) -> Text {
    let chinese = match alarm {
        Alarm::SupplyOverTemperature => "检查阀芯、一次供水温度和供水温度传感器。",
        Alarm::SafetyThermostat => "在现场查明原因, 并在现场手动复位。",
        Alarm::NoCirculation => "检查循环泵、变频器、电源和关断阀。",
        Alarm::PumpFailed => "查看变频器故障代码; 如有备用泵, 已自动投入。",
        Alarm::StandbyPumpMissing => "将备用泵切到远程并清除故障。",
        Alarm::PressureLow => "检查补水泵和水箱, 查找泄漏。",
        Alarm::PressureLowLow => "大量泄漏或无补水: 隔离后重新充水。",
        Alarm::PressureHigh => "检查补水控制和膨胀容积。",
        Alarm::PressureHighHigh => "复位前检查泄压阀和安全阀。",
        Alarm::MakeUpTooLong => "疑似爆管: 找到泄漏点后复位。",
        Alarm::MakeUpVolumeHigh => "查找泄漏或用户放水。",
        Alarm::TankLow => "检查软水器和进水阀。",
        Alarm::TankHigh => "检查进水阀是否关严。",
        Alarm::ValveStuckOpen => "手动关闭一次侧, 检修电动阀。",
        Alarm::IsolationDoesNotFollow => "检查切断阀执行器和反馈触点。",
        Alarm::PrimaryPressureLow => "联系热网调度, 检查一次侧泄漏。",
        Alarm::PlantRoomHot => "检查通风和滤网。",
        Alarm::PressureNotHeld => "启泵前查找泄漏; 一小时后仍会启泵。",
        Alarm::RestartsFailed => "检查供电和跳闸原因, 然后复位。",
        Alarm::SensorImplausible => "与现场温度计或压力表比对。",
        Alarm::HandControlLong => "恢复自动。",
        Alarm::Maintenance => "检修完成后结束检修状态。",
        Alarm::DispatchSilent => "检查与调度中心的通讯。",
        Alarm::WatchdogUnfit => "按日志提示设置设备看门狗。",
        Alarm::SupplyBelowSetpoint | Alarm::SetpointNotReached => "检查一次供水、除污器和电动阀。",
        Alarm::PrimaryCold => "联系热源单位。",
        Alarm::Freezing => "保持循环; 无法保温的管段应泄水。",
        Alarm::NoHeatInFrost => "首先恢复循环。",
        Alarm::ValveDoesNotFollow => "检查执行器、连杆和远程开关。",
        Alarm::SupplySensorLost | Alarm::OutdoorSensorLost => "检查传感器和接线。",
        Alarm::PressureSensorLost => "检查变送器和接线。",
        Alarm::OutdoorSensorsDisagree => "其中一支可能受日照。",
        Alarm::RoomSensorsFew => "检查电池和接收器。",
        Alarm::MainsLost => "来电后自动恢复。",
        Alarm::EmergencyStop => "在柜上释放急停后复位。",
        Alarm::Flooded | Alarm::Smoke => "立即前往现场。",
        Alarm::LocalControl => "作业结束后切回远程。",
        Alarm::HandControl => "到期后自动恢复自动控制。",
        Alarm::OutageOpen => "恢复供热, 并确认原因。",
        Alarm::DeviceSilent => "检查线缆、电源和地址。",
        Alarm::OutputUnconfirmed => "检查寄存器表和设备的远程开关。",
        Alarm::JournalLate => "检查磁盘剩余空间和健康状况。",
        Alarm::RecordStoreFailing => "清理空间或更换磁盘; 记录暂存于内存。",
        Alarm::CyclesLate => "计算机负荷过高。",
        Alarm::ConfigurationRejected => "运行 heatstation check 查看问题。",
    };
    Text::new(chinese, alarm.advice())
}
