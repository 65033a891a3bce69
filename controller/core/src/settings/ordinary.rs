//! An ordinary circuit, for tests and examples to start from: radiators 75/50 °C, two pumps with drives, two of make-up.
//!
//! No station runs on these: what a station has is in its file, and the defaults of a file with their reasons are in the
//! configuration crate. The figures are those of a low zone of 86 000 m² as the guide's example has it.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Meters, Pascals, Ratio, Watts};

use super::{
    BurstPolicy, ChangeOver, CircuitSettings, CirculationMode, CirculationSettings, EnvelopeSettings,
    EquivalentOutdoorSettings, Exercise, FloodPolicy, FrostSettings, InterlockSettings, LeakSettings, LimitsSettings,
    MakeUpMode, MakeUpSettings, OutageSettings, RoomSensorSettings, RoomTrimSettings, SequenceSettings,
    SupplyLoopSettings, SupplySettings, TimesSettings, ValveSettings,
};
use crate::area::Area;
use crate::heating_curve::{Adjustment, Curve, EmitterCurve};
use crate::schedule::Schedule;

impl CircuitSettings {
    /// A radiator circuit of 86 000 m² without buildings and rooms.
    pub fn ordinary(name: &str) -> CircuitSettings {
        CircuitSettings {
            name: name.to_owned(),
            heated_area: Area::from_square_meters(86_000),
            buildings: Vec::new(),
            rooms: Vec::new(),
            curve: Curve::Emitter(EmitterCurve {
                design_supply: Celsius(75.0),
                design_return: Celsius(50.0),
                design_room: Celsius(20.0),
                design_outdoor: Celsius(-9.0),
                exponent: 1.3,
            }),
            curve_adjustment: Adjustment::default(),
            weather: EquivalentOutdoorSettings::default(),
            heating_limit: None,
            room_target: Celsius(20.0),
            design_flow: Some(CubicMetersPerSecond(0.032)),
            design_power: Watts(3.4e6),
            room_sensors: RoomSensorSettings::default(),
            room_trim: RoomTrimSettings::default(),
            schedule: Schedule::default(),
            times: TimesSettings::default(),
            supply: SupplySettings {
                min: Celsius(25.0),
                warm: None,
                max: Celsius(80.0),
                emitter_max: Celsius(80.0),
                rise_per_hour: Kelvins(20.0),
                fall_per_hour: Kelvins(20.0),
            },
            limits: LimitsSettings::default(),
            supply_loop: SupplyLoopSettings::default(),
            valve: ValveSettings::default(),
            circulation: CirculationSettings::ordinary(),
            balance: None,
            make_up: Some(MakeUpSettings::ordinary()),
            sequence: SequenceSettings::default(),
            interlock: InterlockSettings::ordinary(),
            isolation: None,
            frost: FrostSettings::default(),
            outage: OutageSettings::default(),
            envelope: EnvelopeSettings::default(),
        }
    }
}

impl CirculationSettings {
    /// One of two pumps on duty, at a fixed speed.
    pub fn ordinary() -> CirculationSettings {
        CirculationSettings {
            pumps: 2,
            duty: 1,
            assist: None,
            mode: CirculationMode::FixedSpeed { speed: Ratio(0.8) },
            speed_min: Ratio(0.5),
            speed_max: Ratio(1.0),
            speed_fallback: Ratio(0.8),
            estimate_for: Duration::from_secs(1800),
            ramp_per_second: 0.01,
            flow_floor: None,
            // Danfoss ECL: 15 s of proof, 20 min of rest. Siemens: 168 h of duty.
            proof_within: Duration::from_secs(15),
            retry_after: Duration::from_secs(1200),
            retries_max: 3,
            rotate_after: Duration::from_secs(168 * 3600),
            rotate_at: None,
            change_over: ChangeOver::Overlap,
            off_min: Duration::from_secs(60),
            on_min: Duration::from_secs(60),
            exercise: Exercise::default(),
            flow_min: CubicMetersPerSecond(0.005),
            differential_pressure_min: Pascals(20_000.0),
        }
    }
}

impl MakeUpSettings {
    /// 300 kPa held by two pumps that start and stop, in a loop of 86 m³.
    pub fn ordinary() -> MakeUpSettings {
        MakeUpSettings {
            pumps: 2,
            mode: MakeUpMode::StartStop,
            start: Pascals(280_000.0),
            setpoint: Pascals(300_000.0),
            sleep_raise: Pascals(0.0),
            assist_after: None,
            relief_close: Pascals(340_000.0),
            relief_open: Pascals(360_000.0),
            relief_fights_max: 6,
            run_max: Duration::from_secs(1200),
            volume_per_day_max: 20.0,
            blind_volume_per_hour_max: 1.0,
            tank_low: Meters(0.4),
            tank_refill: Meters(1.0),
            tank_full: Meters(1.6),
            leak: LeakSettings {
                volume: 86.0,
                compliance: 1.0e-6,
                per_day_max: Ratio(0.02),
                burst: CubicMetersPerSecond(4.0 / 3600.0),
                on_burst: BurstPolicy::Alarm,
            },
        }
    }
}

impl InterlockSettings {
    /// Trips at 85 °C, below 150 and above 600 kPa.
    pub fn ordinary() -> InterlockSettings {
        InterlockSettings {
            supply_trip: Celsius(85.0),
            supply_reset: Kelvins(5.0),
            supply_trip_delay: Duration::from_secs(2),
            circulation_delay: Duration::from_secs(2),
            circulation_reset: Duration::from_secs(30),
            pressure_protect: Pascals(150_000.0),
            pressure_restart: Pascals(200_000.0),
            pressure_delay: Duration::from_secs(5),
            mains_return: Duration::from_secs(45),
            mains_stagger: Duration::ZERO,
            pressure_trip: Pascals(600_000.0),
            sensor_hold: Duration::from_secs(60),
            sensor_substitute: Duration::from_secs(1800),
            valve_safe_cold: Ratio(0.3),
            valve_safe_below: Celsius(5.0),
            trips_per_hour_max: 3,
            primary_pressure_min: None,
            relief_open_max: Duration::from_secs(60),
            flood: FloodPolicy::CloseInlet,
            plant_room_max: Celsius(45.0),
        }
    }
}
