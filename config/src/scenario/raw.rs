//! The scenario's file as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::raw::{Count, Number, RawBuildingClass, RawClimate, Text};
use crate::written::Written;

/// A scenario file of heatstation.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "heatstation scenario file")]
pub struct RawScenario {
    /// What it is.
    pub scenario: Option<Written<RawHead>>,
    /// The weather; the station's own unless written.
    pub weather: Option<Written<RawWeather>>,
    /// What the plant is like, where it differs from any other run's.
    pub plant: Option<Written<RawPlant>>,
    /// What breaks.
    pub fault: Vec<Written<RawFault>>,
    /// When the line between cabinet and control is dead.
    pub line: Vec<Written<RawLine>>,
    /// What goes wrong on that line with single answers and connections; `heatstation plant` plays it.
    pub wire: Option<Written<RawWireTrouble>>,
    /// What people and dispatch ask of the control.
    pub request: Vec<Written<RawRequest>>,
}

/// What a scenario is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHead {
    /// What it is called. Required.
    pub title: Text,
    /// What it is called in Chinese. Required.
    pub chinese_title: Text,
    /// What it does and what it shows, in one sentence. Required.
    pub description: Text,
    /// When of the season it begins: `mid-season` unless written.
    pub begins: Option<Written<RawBegins>>,
    /// The hour of the day at which it begins. 7 unless written: people get up and all is running.
    pub begins_hour: Number,
    /// How long it is watched, in virtual time. 6 unless written.
    pub lasts_hours: Number,
}

/// A day of the season.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawBegins {
    /// In the coldest part of the season.
    MidSeason,
    /// On the season's first day.
    SeasonStart,
    /// On the day on which the station begins to heat.
    HeatingStart,
}

/// The weather.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWeather {
    /// An EPW file, its path beginning at the scenario's folder.
    pub file: Text,
    /// The climate of the seeded generator.
    pub climate: Option<Written<RawClimate>>,
    /// Dark, still weather of this temperature.
    pub steady_celsius: Number,
    /// The seed of the generator.
    pub seed: Count,
    /// How the outdoor temperature departs from that.
    pub change: Vec<Written<RawWeatherChange>>,
}

/// A change of the outdoor temperature.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWeatherChange {
    /// When it begins, since the scenario began. Required.
    pub at_minutes: Number,
    /// In which it comes, and goes. 60 unless written.
    pub over_minutes: Number,
    /// How long it stays; for ever unless written.
    pub lasts_minutes: Number,
    /// By how much; a cold wave is negative. Required.
    pub by_kelvins: Number,
}

/// What the plant is like.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPlant {
    /// The seed of everything that is drawn: flats, instruments, where room sensors hang.
    pub seed: Count,
    /// Whether heating is going on at the start.
    pub circulation: Option<Written<RawCirculationAtStart>>,
    /// The rooms at the start.
    pub room_celsius: Number,
    /// By which step of the energy standard the buildings are insulated.
    pub building_class: Option<Written<RawBuildingClass>>,
    /// How far the control valve is too large: 1 to 4.
    pub valve_oversize: Number,
    /// Play between the control valve's motor and stem, of the stroke.
    pub valve_hysteresis_ratio: Number,
    /// The control valve's run from end to end.
    pub valve_stroke_seconds: Number,
    /// Flow at full speed over the design flow.
    pub flow_ratio: Number,
    /// Emitters' output over the buildings' need.
    pub emitter_oversize: Number,
    /// Share of the flats that stand empty.
    pub vacant_ratio: Number,
    /// Water of the nearest building over its fair share.
    pub near_flow_ratio: Number,
    /// Water of the farthest building over its fair share.
    pub far_flow_ratio: Number,
    /// What seeps away in a day, of the loop's water.
    pub daily_leak_ratio: Number,
    /// How often the heat meters send a telegram.
    pub meter_telegram_minutes: Number,
    /// Domestic hot water in two stages: litres a day per m² of heated area.
    pub hot_water_liters_per_m2: Number,
    /// A limiter at the primary connection: what it lets through, of the design flow.
    pub primary_flow_limit_ratio: Number,
    /// The warmest that the heat source can send.
    pub primary_supply_limit_celsius: Number,
}

/// Whether heating is going on at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawCirculationAtStart {
    /// Duty pumps on, the valve where the weather wants it.
    Running,
    /// Pumps off, the water as warm as the rooms.
    Stopped,
}

/// Something that breaks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFault {
    /// What breaks. Required.
    pub kind: Option<Written<RawFaultKind>>,
    /// When, since the scenario began. Required.
    pub at_minutes: Number,
    /// After which it is mended; never unless written.
    pub lasts_minutes: Number,
    /// How many times it happens. 1 unless written.
    pub times: Count,
    /// From one time to the next.
    pub every_minutes: Number,
    /// In which circuit: its name, or its number from 1. The first unless written.
    pub circuit: Text,
    /// Which circulation pump, by its number from 1; all of them unless this or `make_up_pump` is written.
    pub pump: Count,
    /// Which make-up pump, by its number from 1.
    pub make_up_pump: Count,
    /// Which building: its name, or its number from 1.
    pub building: Text,
    /// Which instrument: the point's name; `circuit.*` stands for the circuit, a number for a room's or building's name.
    pub point: Text,
    /// The instrument that it is swapped with.
    pub other_point: Text,
    /// What a wrong instrument shows, in the point's unit as `heatstation points` prints it.
    pub shows: Number,
    /// How far an instrument is off, or how high its spikes are, in the point's unit.
    pub by: Number,
    /// How far a drifting instrument goes in a day, in the point's unit.
    pub by_per_day: Number,
    /// Time constant of a slow instrument, delay of a late one.
    pub time_seconds: Number,
    /// How much of it: pressure or speed that is left, flow that is let through, time without signal, stroke, flats.
    pub share_ratio: Number,
    /// Where the primary supply goes.
    pub supply_celsius: Number,
    /// What a leak loses at normal pressure.
    pub flow_m3_per_hour: Number,
    /// How much too warm the sun makes the outdoor sensor at 1000 W/m².
    pub warm_kelvins: Number,
}

/// What can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawFaultKind {
    /// An instrument gives nothing. `point`.
    SensorOff,
    /// It shows for ever what it showed last. `point`.
    SensorStuck,
    /// It shows nonsense, another at each second. `point`.
    SensorGarbage,
    /// It shows something plausible that is not so. `point` and `by` or `shows`.
    SensorWrong,
    /// It follows too slowly. `point`, `time_seconds`.
    SensorSlow,
    /// It shows what was so some time ago. `point`, `time_seconds`.
    SensorDelayed,
    /// It comes and goes. `point`, `share_ratio` of the time without it.
    SensorIntermittent,
    /// It goes wrong little by little. `point`, `by_per_day`.
    SensorDrift,
    /// It jumps for a second about once a minute. `point`, `by`.
    SensorSpike,
    /// Its wires and another's are swapped. `point`, `other_point`.
    SensorSwap,
    /// The drive trips with a fault code. `pump` or `make_up_pump`.
    PumpTrip,
    /// The pump accepts its start command and does not run. `pump` or `make_up_pump`.
    PumpDead,
    /// The drive says that it runs and no water moves. `pump` or `make_up_pump`.
    PumpWithoutFlow,
    /// The drive goes no faster than `share_ratio` of full speed. `pump` or `make_up_pump`.
    PumpCapped,
    /// The pump's selector stands on local. `pump` or `make_up_pump`.
    PumpLocal,
    /// The primary supply goes to `supply_celsius`.
    PrimaryCold,
    /// `share_ratio` of the primary differential pressure is left.
    PrimaryPressureLost,
    /// The network lets no more through than `share_ratio` of the design flow.
    PrimaryFlowLimited,
    /// The control valve's gear is jammed.
    ValveStuck,
    /// The control valve has `share_ratio` of its stroke more play.
    ValveStiction,
    /// The shut control valve passes `share_ratio` of its greatest flow.
    ValveLeaks,
    /// The control valve's selector stands on local.
    ValveLocal,
    /// The valve of a `building` is jammed.
    BuildingValveStuck,
    /// The secondary network loses `flow_m3_per_hour`; 5 to 50 is a burst.
    Leak,
    /// The relief solenoid does not close.
    ReliefStuckOpen,
    /// No tap water comes into the make-up tank.
    TapWaterLost,
    /// The exchanger has `share_ratio` of its clean resistance more.
    ExchangerFouled,
    /// Strainer and exchanger take `share_ratio` of their clean pressure loss more.
    StrainerClogged,
    /// `share_ratio` of the flats shut their emitters.
    FlatsClosed,
    /// No mains: pumps stop, the cabinet lives on its UPS.
    MainsFailure,
    /// The button at the cabinet is pressed.
    EmergencyStop,
    /// The cabinet's selector stands on local.
    LocalSelected,
    /// Water stands on the floor.
    Flooded,
    /// The sun shines on the outdoor sensor. `warm_kelvins`.
    OutdoorSensorInSun,
}

/// The line is dead.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLine {
    /// From when, since the scenario began. Required.
    pub at_minutes: Number,
    /// For how long; for ever unless written.
    pub lasts_minutes: Number,
    /// How many times it happens. 1 unless written.
    pub times: Count,
    /// From one time to the next.
    pub every_minutes: Number,
}

/// What goes wrong on the line.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWireTrouble {
    /// Wire faults with commas between them, as in `late 300ms, cut 10s, silent unit 3`. Required.
    pub faults: Text,
    /// The seed by which they are drawn; that of the command line unless written, or 1.
    pub seed: Count,
}

/// Somebody asks something of the control.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawRequest {
    /// When, since the scenario began. Required.
    pub at_minutes: Number,
    /// How many times. 1 unless written.
    pub times: Count,
    /// From one time to the next.
    pub every_seconds: Number,
    /// Who asks. Required.
    pub author: Text,
    /// Why. Required.
    pub reason: Text,
    /// Where it comes from: `operator` unless written.
    pub origin: Option<Written<RawOrigin>>,
    /// What is asked. Required.
    pub wish: Option<Written<RawWish>>,
    /// Of which circuit: its name, or its number from 1. The first unless written.
    pub circuit: Text,
    /// For how long it shall hold. A correction of the curve without it stands until it is taken back.
    pub lasts_minutes: Number,
    /// The mode of `set-mode`.
    pub mode: Option<Written<RawMode>>,
    /// The shift of `shift-supply`; what `shed-load` takes off the supply.
    pub by_kelvins: Number,
    /// The position of `take-valve`.
    pub position_ratio: Number,
    /// The speed of `take-speed`.
    pub speed_ratio: Number,
    /// What `correct-curve` adds to the level. 0 unless written.
    pub level_kelvins: Number,
    /// What `correct-curve` multiplies the slope with. 1 unless written.
    pub slope_ratio: Number,
    /// What `correct-curve` adds to the wanted room temperature. 0 unless written.
    pub room_kelvins: Number,
    /// The share of the heat that `shed-load` takes off.
    pub share_ratio: Number,
    /// How much depends on `shed-load`: `uncritical` unless written.
    pub urgency: Option<Written<RawUrgency>>,
    /// What `maintain` is about.
    pub device: Option<Written<RawDevice>>,
    /// The pump of `take-pump-out` and `maintain`, by its number from 1.
    pub pump: Count,
    /// What `auto-tune` shall do.
    pub order: Option<Written<RawTuneOrder>>,
}

/// How much depends on a load shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawUrgency {
    /// It ends when rooms get cold.
    Uncritical,
    /// The network is short of heat: it ends for frost alone.
    Critical,
}

/// What somebody works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawDevice {
    /// The primary valve.
    Valve,
    /// A circulation pump. `pump`.
    CirculationPump,
    /// A make-up pump. `pump`.
    MakeUpPump,
    /// Make-up as a whole.
    MakeUp,
}

/// What is asked of tuning by experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawTuneOrder {
    /// Begin.
    Start,
    /// End it.
    Stop,
    /// Take the result into force.
    Accept,
    /// Forget all results.
    Forget,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawOrigin {
    /// A person at the station.
    Operator,
    /// A program with a token.
    Service,
    /// The dispatch centre.
    Dispatch,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawWish {
    /// Run or stop a circuit. `mode`.
    SetMode,
    /// Shift the supply temperature. `by_kelvins`, `lasts_minutes`.
    ShiftSupply,
    /// Correct the curve. `level_kelvins`, `slope_ratio`, `room_kelvins`, `lasts_minutes`.
    CorrectCurve,
    /// Take less heat. `share_ratio` or `by_kelvins`, `urgency`, `lasts_minutes`.
    ShedLoad,
    /// Take the control valve in hand. `position_ratio`, `lasts_minutes`.
    TakeValve,
    /// Take the speed of the circulation pumps in hand. `speed_ratio`, `lasts_minutes`.
    TakeSpeed,
    /// Keep a pump out of duty. `pump`, `lasts_minutes`.
    TakePumpOut,
    /// Work on a device: nobody starts it. `device`, `pump`, `lasts_minutes`.
    Maintain,
    /// Give everything back.
    ReturnToAutomatic,
    /// Tune the supply loop by experiment, or do something about what was found. `order`.
    AutoTune,
    /// Reset latched trips.
    ResetTrips,
    /// Hold the pressure and vent at the next start, as after a summer.
    StartSeason,
    /// A sign of life from afar.
    StayConnected,
}

/// What a circuit shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawMode {
    /// Heat in season.
    Automatic,
    /// Lie by.
    Stopped,
}
