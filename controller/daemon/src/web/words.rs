//! What people read: states, reasons and records in Chinese and English.
//!
//! Most texts stand with their enums in the core. Here are those that only a page needs, and sentences for records.

mod advice;
mod journal;
pub(super) mod valve;

use heatstation_core::accident_rate::Status;
use heatstation_core::alarm::Place;
use heatstation_core::authority::Device;
use heatstation_core::interlock::Trip;
use heatstation_core::outage::Cause;
use heatstation_core::outdoor::OutdoorSource;
use heatstation_core::report::{PumpReason, ValveReason};
use heatstation_core::request::{Mode, Origin};
use heatstation_core::supply_source::SupplySource;
use heatstation_drivers::output::OutputState;
use heatstation_points::{Catalogue, CircuitIndex, Doubt, Fault, Quality, RoomIndex};
use serde::Serialize;

pub(super) use advice::advice;
pub(super) use journal::describe;

use crate::metrics::{mode_name, pump_reason_name, status_name, valve_reason_name};
use crate::store::Trouble;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Text {
        Text { zh: zh.into(), en: en.into() }
    }
}

/// A state: its name for programs, its texts for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Word {
    pub name: &'static str,
    #[serde(flatten)]
    pub text: Text,
}

impl Word {
    pub fn new(name: &'static str, (zh, en): (&str, &str)) -> Word {
        Word { name, text: Text::new(zh, en) }
    }
}

pub(super) fn mode(mode: Mode) -> Word {
    let texts = match mode {
        Mode::Automatic => ("自动", "automatic"),
        Mode::Stopped => ("停运", "stopped"),
    };
    Word::new(mode_name(mode), texts)
}

/// The interlock is named in the text; the name stays from the closed set.
pub(super) fn valve_reason(reason: ValveReason) -> Word {
    let name = valve_reason_name(reason);
    match reason {
        ValveReason::NoDemand => Word::new(name, ("无供热需求", "no heat is wanted")),
        ValveReason::Starting => Word::new(name, ("等待循环建立", "waiting for circulation")),
        ValveReason::Control => Word::new(name, ("跟随设定值", "following the setpoint")),
        ValveReason::CreepFlow => Word::new(name, ("小流量, 关阀", "flow too small for the meter: closed")),
        ValveReason::Flushing => Word::new(name, ("定时冲洗测点", "opened for a while: no standing water is measured")),
        ValveReason::HoldSensorLost => Word::new(name, ("传感器失效, 保持开度", "sensor lost: position held")),
        ValveReason::SafePosition => Word::new(name, ("传感器失效, 安全开度", "sensor lost: safe position")),
        ValveReason::Test => Word::new(name, ("阀门卡涩测试", "held still and tested")),
        ValveReason::AutoTune => Word::new(name, ("自整定中", "moved to find the loop's gains")),
        ValveReason::Exercise => Word::new(name, ("停运防卡活动", "moved so that it does not stick")),
        ValveReason::Hand => Word::new(name, ("手动", "in hand")),
        ValveReason::Maintenance => Word::new(name, ("检修, 保持关闭", "worked on: closed")),
        ValveReason::Interlock(trip) => interlocked(name, trip),
        ValveReason::ShuttingDown => Word::new(name, ("正在停运", "shutting down")),
        ValveReason::GivenUp => Word::new(name, ("多次重启失败", "restarts have failed")),
        ValveReason::Local => Word::new(name, ("就地控制, 不写出", "local at the cabinet: nothing is written")),
    }
}

pub(super) fn pump_reason(reason: PumpReason) -> Word {
    let name = pump_reason_name(reason);
    match reason {
        PumpReason::NoDemand => Word::new(name, ("无循环需求", "no circulation is wanted")),
        PumpReason::Filling => Word::new(name, ("等待升压", "waiting for pressure")),
        PumpReason::Venting => Word::new(name, ("点动排气", "jogging to vent")),
        PumpReason::Heating => Word::new(name, ("供热运行", "heating")),
        PumpReason::Frost => Word::new(name, ("防冻运行", "frost protection")),
        PumpReason::Exercise => Word::new(name, ("防卡死运转", "turned so that they do not seize")),
        PumpReason::PostRun => Word::new(name, ("延时运行", "running on after the valve closed")),
        PumpReason::Hand => Word::new(name, ("手动", "in hand")),
        PumpReason::Interlock(trip) => interlocked(name, trip),
        PumpReason::NoneAvailable => Word::new(name, ("无可用循环泵", "no pump is available")),
        PumpReason::GivenUp => Word::new(name, ("多次重启失败", "restarts have failed")),
        PumpReason::Local => Word::new(name, ("就地控制, 不写出", "local at the cabinet: nothing is written")),
    }
}

fn interlocked(name: &'static str, trip: Trip) -> Word {
    let (zh, en) = trip.texts();
    Word { name, text: Text::new(format!("联锁: {zh}"), format!("interlock: {en}")) }
}

/// A device with its number, as an operator calls it.
pub(super) fn device(device: Device) -> Word {
    let (zh, en) = device.texts();
    let text = match device.number() {
        None => Text::new(zh, en),
        Some(number) => Text::new(format!("{}#{zh}", number + 1), format!("{en} {}", number + 1)),
    };
    Word { name: device.kind(), text }
}

pub(super) const fn origin_texts(origin: Origin) -> (&'static str, &'static str) {
    match origin {
        Origin::Operator => ("现场", "the station"),
        Origin::Service => ("程序", "a program"),
        Origin::Dispatch => ("调度", "dispatch"),
    }
}

pub(super) fn outdoor_source(source: OutdoorSource) -> Word {
    let texts = match source {
        OutdoorSource::Sensor => ("传感器", "sensor"),
        OutdoorSource::SecondSensor => ("第二传感器", "second sensor"),
        OutdoorSource::ColderSensor => ("两传感器取低", "the colder of two sensors"),
        OutdoorSource::ColderService => ("气象服务(传感器偏高)", "weather service: the sensor reads warm"),
        OutdoorSource::Forecast => ("气象服务", "weather service"),
        OutdoorSource::LastGood => ("最后有效值", "last good value"),
        OutdoorSource::Fallback => ("替代值", "substitute value"),
    };
    Word::new(source.name(), texts)
}

pub(super) fn supply_source(source: SupplySource) -> Word {
    let texts = match source {
        SupplySource::Sensor => ("传感器", "sensor"),
        SupplySource::SecondSensor => ("第二传感器", "second sensor"),
        SupplySource::HeatBalance => ("热平衡估算", "estimated from heat and flow"),
        SupplySource::Lost => ("未知", "unknown"),
    };
    Word::new(source.name(), texts)
}

pub(super) fn output_state(state: OutputState) -> Word {
    let texts = match state {
        OutputState::Idle => ("空闲", "idle"),
        OutputState::Requested => ("待写", "to be written"),
        OutputState::Sent => ("已发送", "sent, no answer yet"),
        OutputState::Accepted => ("已接受", "accepted"),
        OutputState::Confirmed => ("已确认", "confirmed"),
        OutputState::Mismatch => ("回读不符", "the device holds something else"),
        OutputState::Contested => ("外部改写", "somebody else writes it: left alone"),
        OutputState::Refused => ("被拒绝", "refused"),
        OutputState::Expired => ("已过期", "expired"),
        OutputState::Inhibited => ("就地, 不写", "local: not written"),
    };
    Word::new(state.name(), texts)
}

pub(super) fn status(status: Status) -> Word {
    let texts = match status {
        Status::Met => ("达标", "target met"),
        Status::NotMet => ("未达标", "target not met"),
        Status::ReportOnly => ("仅报告", "no target set"),
        Status::Pending => ("季末评定", "judged at the season's end"),
    };
    Word::new(status_name(status), texts)
}

pub(super) fn cause(cause: Cause) -> Word {
    let english = match cause {
        Cause::EnterpriseAccident => "the enterprise's own fault",
        Cause::UpstreamSupply => "no supply from upstream",
        Cause::Planned => "announced work",
        Cause::UserFacility => "the user's installation",
        Cause::BuildingPublic => "the building's installation",
        Cause::BuilderWarranty => "the builder's warranty",
        Cause::ThirdParty => "damage by others",
        Cause::ForceMajeure => "force majeure",
        Cause::Unknown => "not confirmed",
    };
    Word::new(cause.name(), (cause.chinese(), english))
}

/// Why a value is in doubt or missing; none for a good one.
pub(super) fn quality_reason(quality: Quality) -> Option<Word> {
    let (name, texts) = match quality {
        Quality::Good => return None,
        Quality::Uncertain(doubt) => match doubt {
            Doubt::Stale => ("stale", ("数据陈旧", "old value")),
            Doubt::Substituted => ("substituted", ("替代值", "substitute")),
            Doubt::DeviceDoubt => ("device_doubt", ("设备报告不确定", "the device doubts it")),
            Doubt::Manual => ("manual", ("人工输入", "entered by hand")),
        },
        Quality::Bad(fault) => match fault {
            Fault::NotConfigured => ("not_configured", ("未配置", "not configured")),
            Fault::NeverRead => ("never_read", ("尚未读取", "never read")),
            Fault::Silent => ("silent", ("设备无应答", "no answer")),
            Fault::Refused => ("refused", ("设备拒绝", "refused by the device")),
            Fault::NotFinite => ("not_finite", ("非有效数字", "not a number")),
            Fault::Implausible => ("implausible", ("超出量程", "out of range")),
            Fault::TooOld => ("too_old", ("数据过期", "too old")),
            Fault::SensorBroken => ("sensor_broken", ("传感器故障", "sensor broken")),
            Fault::Frozen => ("frozen", ("数值不变", "frozen")),
        },
    };
    Some(Word::new(name, texts))
}

pub(super) fn trouble(trouble: Trouble) -> Text {
    let (zh, en) = match trouble {
        Trouble::DiskFull => ("磁盘已满", "the disk is full"),
        Trouble::Busy => ("数据库被占用", "another program holds the database"),
        Trouble::InputOutput => ("磁盘故障", "the disk fails"),
        Trouble::Damaged => ("数据库损坏", "the database is damaged"),
        Trouble::Other => ("写入失败", "writing fails"),
    };
    Text::new(zh, en)
}

pub(super) fn circuit_name(catalogue: Option<&Catalogue>, circuit: CircuitIndex) -> String {
    let names = catalogue.and_then(|catalogue| catalogue.circuits().get(circuit.0));
    names.map_or_else(|| format!("#{}", circuit.0 + 1), |names| names.name.clone())
}

pub(super) fn room_name(catalogue: Option<&Catalogue>, circuit: CircuitIndex, room: RoomIndex) -> String {
    let names = catalogue.and_then(|catalogue| catalogue.circuits().get(circuit.0));
    names.and_then(|names| names.rooms.get(room.0)).map_or_else(|| format!("#{}", room.0 + 1), String::clone)
}

pub(super) fn place(catalogue: Option<&Catalogue>, place: Place) -> Text {
    match place {
        Place::Station => Text::new("全站", "station"),
        Place::Circuit(circuit) => {
            let name = circuit_name(catalogue, circuit);
            Text::new(name.clone(), name)
        }
        Place::CirculationPump(circuit, pump) => {
            let (name, plate) = (circuit_name(catalogue, circuit), pump.0 + 1);
            Text::new(format!("{name} {plate}#循环泵"), format!("{name}, circulation pump {plate}"))
        }
        Place::MakeUpPump(circuit, pump) => {
            let (name, plate) = (circuit_name(catalogue, circuit), pump.0 + 1);
            Text::new(format!("{name} {plate}#补水泵"), format!("{name}, make-up pump {plate}"))
        }
    }
}
