//! What can take over, and what it then does: the cause-and-effect table of the circuit.

use serde::{Deserialize, Serialize};

/// What a trip does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// The primary valve closes.
    Valve,
    /// The circulation pumps stop.
    Circulation,
    /// Make-up stops.
    MakeUp,
    /// The inlet of the make-up tank closes.
    Inlet,
    /// The isolation valve of the primary side closes. What a flood does there the station's file says.
    Isolation,
    /// It holds until a person resets it.
    Stays,
}

macro_rules! trips {
    ($($(#[$doc:meta])* $variant:ident $name:literal, $chinese:literal, $english:literal: $($effect:ident)*;)*) => {
        /// What took over.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Trip {
            $($(#[$doc])* $variant,)*
        }

        impl Trip {
            /// All of them, from the most to the least severe.
            pub const ALL: [Trip; [$(Trip::$variant),*].len()] = [$(Trip::$variant),*];

            /// The name in metrics and records.
            pub const fn name(self) -> &'static str {
                match self { $(Trip::$variant => $name,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Trip::$variant => ($chinese, $english),)* }
            }

            const fn effects(self) -> &'static [Effect] {
                match self { $(Trip::$variant => &[$(Effect::$effect),*],)* }
            }
        }
    };
}

// From the most to the least severe.
trips! {
    /// The emergency stop is pressed.
    EmergencyStop "emergency_stop", "急停", "emergency stop": Valve Circulation MakeUp Inlet Isolation Stays;
    /// The hard-wired safety thermostat or over-temperature switch has acted.
    SafetyThermostat "safety_thermostat", "安全温控器", "safety thermostat": Valve Isolation Stays;
    /// The primary valve does not close although it must.
    ValveStuckOpen "valve_stuck_open", "电动阀卡在开位", "valve stuck open": Valve Isolation;
    /// The secondary supply is too hot.
    OverTemperature "over_temperature", "供水超温", "supply over-temperature": Valve;
    /// The secondary supply pressure is too high.
    PressureHigh "pressure_high", "压力过高", "pressure too high": Valve Circulation MakeUp Stays;
    /// The holding-point pressure is too low for circulation.
    PressureLow "pressure_low", "压力过低", "pressure too low": Valve Circulation;
    /// No mains power.
    MainsLost "mains_lost", "市电中断", "mains lost": Valve Circulation MakeUp;
    /// Circulation is not proven.
    NoCirculation "no_circulation", "循环未证实", "no proven circulation": Valve;
    /// The primary supply pressure is below what keeps its water from boiling, or below the network's order.
    PrimaryPressureLow "primary_pressure_low", "一次压力过低", "primary pressure too low": Valve;
    /// The primary supply is colder than the secondary return: the exchanger would cool.
    ReverseHeat "reverse_heat", "一次水温低于二次回水", "primary colder than secondary return": Valve;
    /// Make-up ran too long without reaching its pressure.
    MakeUpTooLong "make_up_too_long", "补水超时", "make-up ran too long": MakeUp Stays;
    /// Make-up exceeded the day's volume.
    MakeUpVolume "make_up_volume", "日补水量超限", "make-up volume of the day": MakeUp Stays;
    /// The network has burst: no more water into the hole.
    Burst "burst", "爆管, 停止补水", "burst: make-up stopped": MakeUp Stays;
    /// The network has burst and is isolated.
    BurstIsolated "burst_isolated", "爆管, 已隔离", "burst: isolated": Valve Circulation Isolation Stays;
    /// The relief valve stands open too long: what is made up runs down the drain.
    ReliefTooLong "relief_too_long", "泄压阀长开", "relief valve open too long": MakeUp;
    /// The make-up tank is low.
    TankLow "tank_low", "水箱液位低", "tank low": MakeUp;
    /// The make-up tank is about to overflow.
    TankHigh "tank_high", "水箱液位高", "tank high": Inlet;
    /// Water stands in the plant room.
    Flooded "flooded", "机房积水", "plant room flooded": Inlet Stays;
    /// The plant room is too hot for the drives.
    PlantRoomHot "plant_room_hot", "机房超温", "plant room hot": ;
}

impl Trip {
    fn does(self, effect: Effect) -> bool {
        self.effects().contains(&effect)
    }

    /// Whether it closes the primary valve.
    pub fn closes_valve(self) -> bool {
        self.does(Effect::Valve)
    }

    /// Whether it stops the circulation pumps.
    pub fn stops_circulation(self) -> bool {
        self.does(Effect::Circulation)
    }

    /// Whether it stops make-up.
    pub fn stops_make_up(self) -> bool {
        self.does(Effect::MakeUp)
    }

    /// Whether it closes the make-up tank's inlet.
    pub fn closes_inlet(self) -> bool {
        self.does(Effect::Inlet)
    }

    /// Whether it closes the isolation valve, whatever the station's file says of floods.
    pub(super) fn isolates(self) -> bool {
        self.does(Effect::Isolation)
    }

    /// Whether a person has to reset it after its cause is gone.
    pub(super) fn stays(self) -> bool {
        self.does(Effect::Stays)
    }
}
