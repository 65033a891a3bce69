//! The alarm catalogue, and the raising and clearing of alarms with delays.
//!
//! One state per alarm and place, so that simultaneous alarms never hide each other (alarm words with one code at a time
//! lose them). Priorities: P1 call-out now, P2 within the hour, P3 next day.

use std::collections::BTreeMap;
use std::time::Duration;

use heatstation_points::{CircuitIndex, PumpIndex};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::moment::UtcMillis;

/// How soon a person has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// Danger, or loss of heat: at once.
    P1,
    /// Within the hour.
    P2,
    /// The next day.
    P3,
    /// To be read at leisure.
    P4,
}

impl Priority {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Priority::P1 => "P1",
            Priority::P2 => "P2",
            Priority::P3 => "P3",
            Priority::P4 => "P4",
        }
    }
}

macro_rules! alarms {
    ($($variant:ident $name:literal $priority:ident on $on:literal off $off:literal, $chinese:literal, $english:literal, $advice:literal;)*) => {
        /// Everything that can be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Alarm {
            $(#[doc = $english] $variant,)*
        }

        impl Alarm {
            /// All alarms.
            pub const ALL: &'static [Alarm] = &[$(Alarm::$variant,)*];

            /// The name in metrics, records and the API.
            pub const fn name(self) -> &'static str {
                match self { $(Alarm::$variant => $name,)* }
            }

            /// How soon a person has to act.
            pub const fn priority(self) -> Priority {
                match self { $(Alarm::$variant => Priority::$priority,)* }
            }

            /// Seconds that the condition must hold before the alarm is raised, and must be gone before it is cleared.
            const fn delays(self) -> (u64, u64) {
                match self { $(Alarm::$variant => ($on, $off),)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Alarm::$variant => ($chinese, $english),)* }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Alarm::$variant => $advice,)* }
            }
        }
    };
}

alarms! {
    SupplyOverTemperature "supply_over_temperature" P1 on 0 off 10, "供水超温", "Secondary supply too hot: valve closed", "Check the valve stem, the primary supply temperature and the supply sensor.";
    SafetyThermostat "safety_thermostat" P1 on 0 off 0, "安全温控器动作", "Hard-wired over-temperature switch", "Find the cause at the plant; reset by hand there.";
    NoCirculation "no_circulation" P1 on 0 off 5, "循环停止", "No proven circulation: valve closed", "Check pumps, drives, power and the isolating valves.";
    PumpFailed "pump_failed" P2 on 0 off 5, "循环泵故障", "Circulation pump failed", "Read the drive's fault code; the standby pump has taken over if there is one.";
    PumpNoFeedback "pump_no_feedback" P2 on 0 off 5, "循环泵无运行反馈", "Circulation pump was started and is not seen to run", "Check contactor, drive and the wire of its running contact.";
    PumpNoWater "pump_no_water" P2 on 0 off 5, "循环泵空转", "Circulation pump turns and no water moves", "Check coupling, isolating valves and air in the pump.";
    PumpGivenUp "pump_given_up" P2 on 0 off 5, "循环泵多次故障闭锁", "Circulation pump failed too often: it is not tried again", "Repair it; switch it to local and back, or reset.";
    PumpStartLimit "pump_start_limit" P2 on 0 off 60, "循环泵启动次数超限", "Circulation pump has used up its starts of the hour", "Find out what stops it again and again.";
    StandbyPumpMissing "standby_pump_missing" P3 on 60 off 60, "备用泵不可用", "No standby circulation pump available", "Set the standby pump to remote and clear its fault.";
    PressureLow "pressure_low" P2 on 5 off 10, "定压点压力低", "Holding-point pressure low", "Check make-up pumps and tank; look for a leak.";
    PressureLowLow "pressure_low_low" P1 on 0 off 10, "定压点压力过低", "Holding-point pressure below protection: circulation stopped", "Large leak or no make-up water; isolate and refill.";
    PressureHigh "pressure_high" P2 on 60 off 60, "压力高", "Pressure high: relief valve open for more than a minute", "Check make-up control, relief valve and expansion volume.";
    ReliefOpenLong "relief_open_long" P2 on 0 off 60, "泄压阀长时间开启", "Relief valve has stood open too long: make-up stopped", "See whether it is open or its contact sticks; check the pressure settings.";
    PressureHighHigh "pressure_high_high" P1 on 0 off 10, "压力过高", "Supply pressure above the trip: plant stopped", "Check relief and safety valves before resetting.";
    MakeUpTooLong "make_up_too_long" P1 on 0 off 0, "补水超时", "Make-up ran too long without reaching its pressure", "Suspected burst: find the leak, then reset.";
    MakeUpVolumeHigh "make_up_volume_high" P2 on 0 off 0, "日补水量超限", "Make-up volume of the day above its limit", "Look for a leak or for water drawn by users.";
    Burst "burst" P1 on 0 off 0, "疑似爆管", "Burst: the pressure falls while make-up runs", "Find the hole and isolate it; drain what may freeze.";
    LeakTrend "leak_trend" P3 on 0 off 0, "失水增大", "The network loses more water than usual", "Look at the leak's figures; search from the building with the coldest return.";
    ReliefFight "relief_fight" P2 on 0 off 60, "补水与泄压反复", "Make-up and relief fight each other: make-up stopped", "Check the pressure settings, the relief valve and the expansion vessel.";
    MakeUpPumpFailed "make_up_pump_failed" P2 on 0 off 5, "补水泵故障", "Make-up pump failed", "Read the drive's fault code; the other pump has taken over if there is one.";
    MakeUpPumpNoFeedback "make_up_pump_no_feedback" P2 on 0 off 5, "补水泵无运行反馈", "Make-up pump was started and is not seen to run", "Check contactor, drive and the wire of its running contact.";
    MakeUpPumpDry "make_up_pump_dry" P2 on 0 off 5, "补水泵空转", "Make-up pump runs and gives no water: stopped", "Check tank, suction valve and air in the pump.";
    TankUnseen "tank_unseen" P2 on 60 off 60, "水箱液位未知", "Nothing is known of the make-up tank: volume of each hour limited", "Check level transmitter and wiring.";
    TankLow "tank_low" P2 on 2 off 10, "水箱液位低", "Make-up tank low: make-up pumps stopped", "Check softener and inlet valve.";
    TankHigh "tank_high" P3 on 0 off 10, "水箱液位高", "Make-up tank about to overflow: inlet closed", "Check the inlet valve; it may not close.";
    ValveStuckOpen "valve_stuck_open" P1 on 0 off 10, "电动阀卡在开位", "Primary valve does not close: isolation valve closed", "Close the primary side by hand; free the valve.";
    IsolationDoesNotFollow "isolation_does_not_follow" P2 on 0 off 30, "切断阀不跟随", "Isolation valve differs from its command", "Check its actuator and its contact.";
    PrimaryPressureLow "primary_pressure_low" P2 on 0 off 10, "一次压力过低", "Primary supply pressure too low: valve closed", "Ask the network's dispatch; look for a leak on the primary side.";
    PlantRoomHot "plant_room_hot" P3 on 0 off 60, "机房超温", "Plant room too hot: drives slowed", "Check ventilation and filters.";
    SetpointNotReached "setpoint_not_reached" P3 on 0 off 60, "未按时达到设定温度", "Setpoint not reached in time after the valve opened", "Check the primary supply, strainer and valve.";
    PressureNotHeld "pressure_not_held" P2 on 1200 off 0, "保压不合格", "Pressure does not hold at the season's start", "Look for a leak before the pumps start; they start after the patience of the file all the same.";
    RestartsFailed "restarts_failed" P1 on 0 off 0, "多次重启失败", "Power failed again during restarts: given up", "Check the supply and what trips it; then reset.";
    SupplyBelowSetpoint "supply_below_setpoint" P2 on 1800 off 60, "供水温度偏低", "Supply more than 10 K below its setpoint for 30 min", "Check the primary supply, strainer and valve.";
    SupplyAboveSetpoint "supply_above_setpoint" P2 on 1800 off 60, "供水温度偏高", "Supply more than 10 K above its setpoint for 30 min", "See whether the valve closes: it may leak, stand in hand, or be too large.";
    PrimaryCold "primary_cold" P2 on 60 off 60, "一次供水温度低", "Primary supply colder than the secondary return", "Ask the heat source.";
    Freezing "freezing" P1 on 10 off 60, "冻结危险", "Freezing danger: water, a building or a room is cold", "Keep circulating; drain what cannot be kept warm.";
    NoHeatInFrost "no_heat_in_frost" P1 on 1800 off 60, "严寒停热", "Frost outside and no heat for 30 min: standing, or cold water that nothing heats", "Restore circulation first.";
    ValveDoesNotFollow "valve_does_not_follow" P2 on 0 off 30, "电动阀不跟随", "Valve feedback differs from its command", "Check actuator, linkage and its remote switch.";
    ValveHunting "valve_hunting" P3 on 0 off 60, "供温回路振荡", "The supply loop hunts: it runs with less gain", "Read the valve test in the journal: a worn or too large valve, or a primary pressure that swings.";
    ValveSticks "valve_sticks" P3 on 0 off 3600, "电动阀卡涩或磨损", "The primary valve sticks or has much play", "Check linkage, gland and actuator; replace worn parts.";
    ValveOversized "valve_oversized" P3 on 0 off 3600, "电动阀选型过大", "The primary valve is too large: its smallest stroke is too much", "Reduce the pressure before it, or fit a smaller valve, or a small one beside it.";
    SupplySensorLost "supply_sensor_lost" P2 on 5 off 60, "二次供水温度传感器故障", "Secondary supply temperature lost", "Check sensor and wiring.";
    PressureSensorLost "pressure_sensor_lost" P2 on 5 off 60, "定压点压力传感器故障", "Holding-point pressure lost", "Check transmitter and wiring.";
    SensorLost "sensor_lost" P3 on 300 off 60, "传感器故障", "A sensor is lost that nothing stops for: a stand-in is in use, or a function rests", "Check sensor and wiring; the overview names what is in use.";
    SensorImplausible "sensor_implausible" P3 on 0 off 60, "传感器数值可疑", "A sensor shows what cannot be: stuck, jumping or out of order", "Compare with a thermometer or gauge on site.";
    OutdoorSensorLost "outdoor_sensor_lost" P3 on 300 off 60, "室外温度传感器故障", "Outdoor temperature lost: substitute in use", "Check sensor and wiring.";
    OutdoorSensorsDisagree "outdoor_sensors_disagree" P3 on 7200 off 600, "室外温度不一致", "Outdoor sensors disagree", "One of them may stand in the sun.";
    OutdoorSensorDoubted "outdoor_sensor_doubted" P3 on 0 off 600, "室外温度传感器不可信", "Outdoor sensor not believed: sun on it, or it does not move", "Move it out of the sun, to the north side; if its value stands still, check the transmitter.";
    RoomSensorsFew "room_sensors_few" P3 on 7200 off 600, "有效室温测点不足", "Too few fresh room sensors: room trim decays", "Check batteries and the receiver.";
    RoomSensorsDoubted "room_sensors_doubted" P4 on 21600 off 3600, "室温测点需检查", "Room sensors that somebody should look at", "See which on the page: stuck, misplaced, out of range, or a flat whose valve is closed.";
    RoomTrimAtEnd "room_trim_at_end" P4 on 86400 off 3600, "室温修正已到限值", "Room trim at the end of what it may do for a day", "The curve is too high or too low: set its room target, or balance the buildings.";
    BuildingValveAstray "building_valve_astray" P4 on 0 off 600, "楼阀不跟随", "A building's valve stands elsewhere than it was sent: it is left alone for a day", "Somebody turned it, or its actuator is in local or stuck.";
    BalanceStuck "balance_stuck" P4 on 86400 off 3600, "二网失调", "Buildings differ by more than 5 K for a day although they are balanced", "Look for closed branch valves and clogged strainers in the coldest building.";
    MainsLost "mains_lost" P1 on 0 off 5, "市电中断", "Mains failure", "Restart follows by itself when power is back.";
    EmergencyStop "emergency_stop" P1 on 0 off 0, "急停", "Emergency stop pressed", "Release at the cabinet, then reset.";
    Flooded "flooded" P1 on 5 off 60, "机房积水", "Plant room flooded", "Go there.";
    Smoke "smoke" P1 on 5 off 60, "机房烟雾", "Smoke in the plant room", "Go there.";
    LocalControl "local_control" P4 on 10 off 10, "就地控制", "Switched to local at the cabinet: nothing is written", "Switch back to remote when the work is done.";
    ReturnLimitLasting "return_limit_lasting" P3 on 0 off 600, "一次回水限制长期作用", "Primary return limit has held the setpoint down for a day", "Lower the curve, balance the buildings, look for a fouled exchanger or a bypass.";
    LimitSensorLost "limit_sensor_lost" P3 on 300 off 60, "限制所用测量丢失", "What a limit measures is lost: that limit is off", "Check the primary return sensor or the heat meter; the network is not protected meanwhile.";
    HandControl "hand_control" P4 on 0 off 0, "手动控制", "An output is in hand", "It returns to automatic by itself.";
    HandControlLong "hand_control_long" P3 on 28800 off 0, "手动超时", "An output has been in hand for eight hours", "Give it back to automatic.";
    Maintenance "maintenance" P4 on 0 off 0, "检修", "A device is worked on: it is not started", "End the maintenance when the work is done.";
    DispatchSilent "dispatch_silent" P3 on 0 off 0, "调度中断", "The dispatch centre has fallen silent: the station is on its own", "Check the link to the centre.";
    OutageOpen "outage_open" P1 on 0 off 0, "停热", "Outage: no heat arrives", "Restore heat; confirm the cause.";
    DeviceSilent "device_silent" P2 on 10 off 5, "设备通讯中断", "A wire or a device does not answer", "Check cable, power and address.";
    WatchdogUnfit "watchdog_unfit" P2 on 10 off 10, "设备看门狗不合格", "A device's watchdog is off or too long: nothing is written to it", "Set the watchdog of the device as the log says.";
    ForeignWrite "foreign_write" P1 on 0 off 60, "外部改写", "Somebody else writes a command of this program into a device", "Find the other master: panel, gateway, intruder. After the third time the output is left to it; interlocks write on.";
    OutputUnconfirmed "output_unconfirmed" P2 on 30 off 10, "输出未确认", "A command was not confirmed by the device", "Check the register map and the device's remote switch.";
    JournalLate "journal_late" P2 on 0 off 60, "记录延迟", "Records reach the disk late: control goes on", "Check free space and the disk's health.";
    RecordStoreFailing "record_store_failing" P1 on 0 off 60, "记录存储故障", "Records do not reach the disk", "Free space or replace the disk; records wait in memory.";
    CyclesLate "cycles_late" P3 on 60 off 60, "控制周期延迟", "Control cycles are late", "The computer is overloaded.";
    ConfigurationRejected "configuration_rejected" P3 on 0 off 0, "配置被拒绝", "A changed configuration was refused; the old one is in force", "Run `heatstation check`.";
}

impl Alarm {
    /// The alarm of that name.
    pub fn from_name(name: &str) -> Option<Alarm> {
        Alarm::ALL.iter().copied().find(|alarm| alarm.name() == name)
    }
}

/// Where an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The station as a whole.
    Station,
    /// A circuit.
    Circuit(CircuitIndex),
    /// A circulation pump of a circuit.
    CirculationPump(CircuitIndex, PumpIndex),
    /// A make-up pump of a circuit.
    MakeUpPump(CircuitIndex, PumpIndex),
}

/// Which alarm, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmKey {
    /// Which alarm.
    pub alarm: Alarm,
    /// Where.
    pub place: Place,
}

/// An alarm that is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveAlarm {
    /// Which alarm, where.
    pub key: AlarmKey,
    /// Since when.
    pub since: UtcMillis,
    /// Whether a person has seen it.
    pub acknowledged: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Condition {
    /// How long it has held (while normal) or been gone (while active).
    held: Duration,
    active: Option<(UtcMillis, bool)>,
}

/// The state of all alarms that have a reason or had one until lately. Bounded by the catalogue times the places, and empty
/// while all is well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Alarms {
    #[serde(with = "as_list")]
    conditions: BTreeMap<AlarmKey, Condition>,
}

/// JSON keys are strings; an alarm's key is a structure.
mod as_list {
    use super::{AlarmKey, BTreeMap, Condition};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(map: &BTreeMap<AlarmKey, Condition>, serializer: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<BTreeMap<AlarmKey, Condition>, D::Error> {
        Ok(Vec::<(AlarmKey, Condition)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Alarms {
    /// Judges one alarm this step: raises it after its delay, clears it after its delay.
    ///
    /// There are sixty of them a circuit, and in nearly every second all is well with all.
    #[inline]
    pub fn judge(
        &mut self,
        alarm: Alarm,
        place: Place,
        wrong: bool,
        wall: UtcMillis,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        if wrong || !self.conditions.is_empty() {
            self.judge_closely(AlarmKey { alarm, place }, wrong, wall, dt, events);
        }
    }

    fn judge_closely(&mut self, key: AlarmKey, wrong: bool, wall: UtcMillis, dt: Duration, events: &mut Vec<Event>) {
        if !wrong && self.is_at_rest(&key) {
            return;
        }
        let condition = self.conditions.entry(key).or_default();
        let (on, off) = key.alarm.delays();
        let limit = Duration::from_secs(if condition.active.is_some() { off } else { on });
        if wrong == condition.active.is_some() {
            condition.held = Duration::ZERO;
            return;
        }
        condition.held = condition.held.saturating_add(dt);
        if condition.held < limit {
            return;
        }
        condition.held = Duration::ZERO;
        if wrong {
            condition.active = Some((wall, false));
            events.push(Event::AlarmRaised { alarm: key });
        } else {
            condition.active = None;
            events.push(Event::AlarmCleared { alarm: key });
        }
    }

    /// Whether an alarm is neither active nor on its way; what there was of it is forgotten then.
    fn is_at_rest(&mut self, key: &AlarmKey) -> bool {
        match self.conditions.get(key) {
            Some(condition) if condition.active.is_some() => false,
            Some(_) => self.conditions.remove(key).is_some(),
            None => true,
        }
    }

    /// Notes that a person has seen an alarm; whether it was active and new.
    pub fn acknowledge(&mut self, key: AlarmKey) -> bool {
        match self.conditions.get_mut(&key).and_then(|condition| condition.active.as_mut()) {
            Some((_, acknowledged)) if !*acknowledged => {
                *acknowledged = true;
                true
            }
            _ => false,
        }
    }

    /// Whether an alarm is active.
    pub fn is_active(&self, alarm: Alarm, place: Place) -> bool {
        self.conditions.get(&AlarmKey { alarm, place }).is_some_and(|condition| condition.active.is_some())
    }

    /// The active alarms, most urgent first, then oldest first.
    pub fn active(&self) -> Vec<ActiveAlarm> {
        let mut list = Vec::new();
        self.list_active(&mut list);
        list
    }

    /// The same, in place of what the list held.
    pub fn list_active(&self, list: &mut Vec<ActiveAlarm>) {
        list.clear();
        list.extend(self.conditions.iter().filter_map(|(&key, condition)| {
            condition.active.map(|(since, acknowledged)| ActiveAlarm { key, since, acknowledged })
        }));
        // The key decides between equals, for a stable sort of a long list asks for memory.
        list.sort_unstable_by_key(|active| (active.key.alarm.priority(), active.since, active.key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(alarm: Alarm, seconds: &[(bool, u64)]) -> Vec<&'static str> {
        let (mut alarms, mut events) = (Alarms::default(), Vec::new());
        for &(wrong, lasts) in seconds {
            for _ in 0..lasts {
                alarms.judge(alarm, Place::Station, wrong, UtcMillis(0), Duration::from_secs(1), &mut events);
            }
        }
        events.iter().map(Event::kind).collect()
    }

    #[test]
    fn an_alarm_waits_for_its_delay_and_clears_after_its_own() {
        assert_eq!(run(Alarm::PressureLow, &[(true, 4), (false, 20)]), Vec::<&str>::new());
        assert_eq!(run(Alarm::PressureLow, &[(true, 5), (false, 9), (true, 1)]), ["alarm_raised"]);
        assert_eq!(run(Alarm::PressureLow, &[(true, 5), (false, 10)]), ["alarm_raised", "alarm_cleared"]);
    }

    #[test]
    fn an_urgent_alarm_is_raised_in_the_step_that_sees_it() {
        assert_eq!(run(Alarm::NoCirculation, &[(true, 1)]), ["alarm_raised"]);
    }

    #[test]
    fn names_lead_back_to_their_alarm() {
        for &alarm in Alarm::ALL {
            assert_eq!(Alarm::from_name(alarm.name()), Some(alarm));
        }
    }
}
