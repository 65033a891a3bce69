//! Which alarms the situation of this step asks for. One line per alarm; delays are in the catalogue.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, PumpIndex, Reading, StationReadings, Switch};

use crate::alarm::{Alarm, Alarms, Place};
use crate::authority::Authority;
use crate::circulation::{PumpFailure, PumpState};
use crate::event::Event;
use crate::frost::{self, FrostStage};
use crate::interlock::Trip;
use crate::limiter::{LimiterKind, LimiterReport, LimiterState};
use crate::make_up::{MAKE_UP_PUMPS_MAX, MakeUpPumpState, MakeUpReason, TankSource};
use crate::moment::Moment;
use crate::outdoor::{Doubt, Outdoor, OutdoorSource};
use crate::report::{CircuitReport, PumpReason, ValveReason};
use crate::sequence::Stage;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::supply_source::SupplySource;
use crate::surroundings::{Health, Surroundings};
use crate::timer::seconds;

/// Water colder than this may freeze in the coldest corner.
const FREEZING: Celsius = Celsius(8.0);
/// Supply this far from its setpoint is worth an alarm (Samson: 10 K for 30 min).
const DEVIATION: Kelvins = Kelvins(10.0);

/// A return limit that holds for a day and a night is no weather any more: something is wrong with curve or plant.
const LIMIT_LASTING: Duration = Duration::from_secs(24 * 3600);

/// Buildings that are balanced come within 2 K; this far apart something is in the way, or the balance has only begun.
const UNBALANCED: Kelvins = Kelvins(5.0);

fn on(switch: Reading<Switch>) -> bool {
    switch.usable() == Some(Switch::On)
}

/// A sensor that the station has and that says nothing.
fn lost<T: Copy>(reading: Reading<T>) -> bool {
    reading.is_configured() && reading.fresh().is_none()
}

/// The alarms of one circuit.
pub(crate) fn of_circuit(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    report: &CircuitReport,
    at: &Surroundings,
    alarms: &mut Alarms,
    events: &mut Vec<Event>,
) {
    let place = Place::Circuit(at.index);
    let own = &at.own.own;
    let stuck = astray(settings, memory, report, at);
    let isolation_stuck = isolation_astray(settings, memory, report, at);
    let trip = |trip: Trip| memory.interlocks.holds(trip);
    let heating = report.stage == Stage::Heating;
    let demanded = heating || report.stage == Stage::StartingPumps;
    let missing = report.supply.map(|supply| report.setpoint.value - supply);
    let below = missing.is_some_and(|missing| missing > DEVIATION);
    // Standing water is as warm as it was: only what is sent to the buildings is too warm for them.
    let above = missing.is_some_and(|missing| -missing > DEVIATION) && report.circulating == Some(true);
    let water = frost::coldest_water(at.own);
    let standing = !memory.circulation.any_on() && memory.supply_loop.command.0 <= 0.0;
    let unable = (0..settings.circulation.pumps).filter(|&number| unable(report, at, number)).count();
    let few_rooms = report.rooms.configured > 0 && report.rooms.counted < settings.room_trim.sensors_min;
    let no_standby =
        settings.circulation.pumps > settings.circulation.duty && unable > 0 && unable < settings.circulation.pumps;

    // Lost while heating, or no pump left to start; and as long as that lasts, whatever the sequence tries meanwhile.
    let known = alarms.is_active(Alarm::NoCirculation, place);
    // While one pump hands over to the next with a pause the valve closes and nobody is called.
    let planned = memory.circulation.is_changing();
    let gone = (heating && trip(Trip::NoCirculation) && !planned) || report.pump_reason == PumpReason::NoneAvailable;
    let no_circulation = demanded && report.circulating != Some(true) && (gone || known);

    let mut judge = |alarm, wrong| alarms.judge(alarm, place, wrong, at.now.wall, at.dt, events);
    judge(Alarm::SupplyOverTemperature, trip(Trip::OverTemperature));
    judge(Alarm::SafetyThermostat, trip(Trip::SafetyThermostat));
    judge(Alarm::NoCirculation, no_circulation);
    judge(Alarm::StandbyPumpMissing, no_standby);
    judge(
        Alarm::PressureLow,
        settings.make_up.as_ref().is_some_and(|m| own.return_pressure.fresh().is_some_and(|p| p < m.start * 0.97)),
    );
    judge(Alarm::PressureLowLow, trip(Trip::PressureLow));
    judge(Alarm::PressureHigh, memory.make_up.relief_open);
    judge(Alarm::ReliefOpenLong, trip(Trip::ReliefTooLong));
    judge(Alarm::PressureHighHigh, trip(Trip::PressureHigh));
    judge(Alarm::MakeUpTooLong, trip(Trip::MakeUpTooLong));
    judge(Alarm::MakeUpVolumeHigh, trip(Trip::MakeUpVolume));
    judge(Alarm::TankLow, trip(Trip::TankLow));
    judge(Alarm::TankHigh, trip(Trip::TankHigh));
    judge(Alarm::ValveStuckOpen, trip(Trip::ValveStuckOpen));
    judge(Alarm::IsolationDoesNotFollow, isolation_stuck);
    judge(Alarm::PrimaryPressureLow, trip(Trip::PrimaryPressureLow));
    judge(Alarm::PlantRoomHot, trip(Trip::PlantRoomHot));
    judge(Alarm::SetpointNotReached, report.late);
    judge(Alarm::PressureNotHeld, report.stage == Stage::ProvingPressure);
    judge(Alarm::RestartsFailed, report.stage == Stage::GivenUp);
    judge(Alarm::SensorLost, any_lost(at));
    judge(Alarm::SensorImplausible, report.doubted.all().next().is_some());
    let make_up = report.make_up;
    judge(Alarm::ReliefFight, make_up.is_some_and(|make_up| make_up.reason == MakeUpReason::FightsRelief));
    judge(Alarm::TankUnseen, make_up.is_some_and(|make_up| make_up.tank_source == TankSource::VolumeLimit));
    judge(Alarm::LeakTrend, report.leak.is_some_and(|leak| leak.signs().next().is_some()));
    judge(Alarm::Burst, report.leak.is_some_and(|leak| leak.burst));
    judge(Alarm::SupplyBelowSetpoint, heating && below);
    judge(Alarm::SupplyAboveSetpoint, heating && above);
    judge(Alarm::PrimaryCold, trip(Trip::ReverseHeat));
    judge(Alarm::Freezing, water.is_some_and(|water| water < FREEZING) || report.frost == FrostStage::Danger);
    // Pumps that run cool the network out where the valve is kept closed.
    let kept_closed = heating && memory.interlocks.closes_valve().is_some();
    let unheated = standing || ((report.frost.heats() || kept_closed) && unheated(memory, report.circulating));
    judge(Alarm::NoHeatInFrost, at.outdoor.now.0 < 0.0 && unheated && memory.watching.is_none());
    judge(Alarm::ValveDoesNotFollow, stuck);
    judge(Alarm::ValveHunting, report.valve.health.hunts);
    judge(Alarm::ValveSticks, report.valve.health.sticks);
    judge(Alarm::ValveOversized, report.valve.health.oversized);
    judge(Alarm::SupplySensorLost, lost(own.supply_temperature) || report.supply_source == SupplySource::Lost);
    judge(Alarm::PressureSensorLost, settings.make_up.is_some() && lost(own.return_pressure));
    judge(Alarm::RoomSensorsFew, few_rooms);
    judge(Alarm::ReturnLimitLasting, report.setpoint.limiter(LimiterKind::Return).limiting_for >= LIMIT_LASTING);
    let blind = |limiter: &LimiterReport| limiter.state == LimiterState::SensorLost;
    judge(Alarm::LimitSensorLost, report.setpoint.limiters.iter().any(blind));
    judge(Alarm::RoomSensorsDoubted, report.rooms.verdicts.to_be_visited() > 0);
    judge(Alarm::RoomTrimAtEnd, report.room_trim.at_end && heating);
    let balance = report.balance.unwrap_or_default();
    judge(Alarm::BuildingValveAstray, balance.astray > 0);
    judge(Alarm::BalanceStuck, heating && balance.spread.is_some_and(|spread| spread > UNBALANCED));
    judge(Alarm::HandControl, report.in_hand.is_some());
    judge(Alarm::HandControlLong, report.in_hand.is_some());
    judge(Alarm::Maintenance, report.held.iter().any(|held| held.authority == Authority::Maintenance));
    judge(Alarm::LocalControl, !report.withheld.is_empty() || at.station.remote_selected.usable() == Some(Switch::Off));
    judge(Alarm::OutageOpen, report.outage.is_some());
    for number in 0..settings.circulation.pumps {
        of_circulation_pump(report, at, number, alarms, events);
    }
    for number in 0..settings.make_up.map_or(0, |make_up| make_up.pumps.min(MAKE_UP_PUMPS_MAX)) {
        of_make_up_pump(report, at, number, alarms, events);
    }
}

fn of_make_up_pump(
    report: &CircuitReport,
    at: &Surroundings,
    number: usize,
    alarms: &mut Alarms,
    events: &mut Vec<Event>,
) {
    let place = Place::MakeUpPump(at.index, PumpIndex(number));
    let state = report.make_up.map(|make_up| make_up.pumps[number].state);
    let failed = |failure: PumpFailure| state == Some(MakeUpPumpState::Failed(failure));
    let mut judge = |alarm, wrong| alarms.judge(alarm, place, wrong, at.now.wall, at.dt, events);
    judge(Alarm::MakeUpPumpFailed, failed(PumpFailure::Fault));
    judge(Alarm::MakeUpPumpNoFeedback, failed(PumpFailure::NoFeedback));
    judge(Alarm::MakeUpPumpDry, failed(PumpFailure::NoWater));
}

/// Sensors that have no alarm of their own.
fn any_lost(at: &Surroundings) -> bool {
    let (own, station) = (&at.own.own, at.station);
    lost(own.return_temperature)
        || lost(own.primary_return_temperature)
        || lost(station.primary_supply_temperature)
        || lost(station.primary_return_temperature)
        || lost(own.supply_pressure)
        || lost(own.differential_pressure)
        || lost(own.secondary_flow)
        || lost(own.heat_power)
        || lost(own.tank_level)
}

/// Whether no heat reaches the water.
pub(crate) fn unheated(memory: &CircuitState, circulating: Option<bool>) -> bool {
    let no_heat = memory.interlocks.holds(Trip::ReverseHeat) || memory.interlocks.holds(Trip::PrimaryPressureLow);
    memory.supply_loop.command.0 <= 0.0 || circulating != Some(true) || no_heat
}

/// The isolation valve may take its time and a second look.
fn isolation_astray(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    report: &CircuitReport,
    at: &Surroundings,
) -> bool {
    let told = report.commands.as_ref().and_then(|commands| commands.isolation_open);
    let says = at.own.own.isolation_feedback.fresh();
    let Some(isolation) = settings.isolation else { return false };
    let apart = told.zip(says).is_some_and(|(told, says)| told != says);
    memory.isolation_astray.for_at_least(isolation.close_time * 2, apart, at.dt)
}

/// Whether a pump cannot take over now.
fn unable(report: &CircuitReport, at: &Surroundings, number: usize) -> bool {
    let local = at.own.circulation_pumps[number].remote.usable() == Some(Switch::Off);
    match report.circulation.pumps[number].state {
        PumpState::Resting(_) | PumpState::GivenUp => true,
        PumpState::Standby | PumpState::Duty | PumpState::Exercise | PumpState::StartBarred => local,
    }
}

fn of_circulation_pump(
    report: &CircuitReport,
    at: &Surroundings,
    number: usize,
    alarms: &mut Alarms,
    events: &mut Vec<Event>,
) {
    let place = Place::CirculationPump(at.index, PumpIndex(number));
    let state = report.circulation.pumps[number].state;
    let resting = |failure: PumpFailure| state == PumpState::Resting(failure);
    let mut judge = |alarm, wrong| alarms.judge(alarm, place, wrong, at.now.wall, at.dt, events);
    judge(Alarm::PumpFailed, resting(PumpFailure::Fault) || on(at.own.circulation_pumps[number].fault));
    judge(Alarm::PumpNoFeedback, resting(PumpFailure::NoFeedback));
    judge(Alarm::PumpNoWater, resting(PumpFailure::NoWater));
    judge(Alarm::PumpGivenUp, state == PumpState::GivenUp);
    judge(Alarm::PumpStartLimit, state == PumpState::StartBarred);
}

/// The stem may lag by as long as it moves; after two strokes of difference it is stuck.
fn astray(settings: &CircuitSettings, memory: &mut CircuitState, report: &CircuitReport, at: &Surroundings) -> bool {
    let Some(feedback) = at.own.own.valve_position_feedback.fresh() else { return false };
    let ours = report.valve_reason != ValveReason::Local;
    let apart = (feedback - memory.supply_loop.command).0.abs() > settings.valve.deviation_max.0;
    let patience = Duration::from_secs_f64(2.0 * seconds(settings.valve.stroke_time));
    memory.valve_astray.for_at_least(patience, ours && apart, at.dt)
}

/// What the station's alarms look at beside its points.
pub(crate) struct StationFacts {
    pub(crate) outdoor: Outdoor,
    pub(crate) health: Health,
    /// A dispatch centre that was there has fallen silent.
    pub(crate) dispatch_silent: bool,
    pub(crate) now: Moment,
    pub(crate) dt: Duration,
}

/// The alarms of the station as a whole.
pub(crate) fn of_station(
    readings: &StationReadings,
    facts: &StationFacts,
    alarms: &mut Alarms,
    events: &mut Vec<Event>,
) {
    let mut judge = |alarm, wrong| alarms.judge(alarm, Place::Station, wrong, facts.now.wall, facts.dt, events);
    let (source, doubt) = (facts.outdoor.source, facts.outdoor.doubt);
    let by_sensor = match source {
        OutdoorSource::Sensor | OutdoorSource::ColderSensor | OutdoorSource::ColderService => true,
        OutdoorSource::SecondSensor | OutdoorSource::Forecast | OutdoorSource::LastGood | OutdoorSource::Fallback => {
            false
        }
    };
    // A sensor that answers and is not believed has an alarm of its own.
    let frozen = doubt == Some(Doubt::Frozen) && readings.outdoor_temperature.usable().is_some();
    judge(Alarm::OutdoorSensorLost, !by_sensor && !frozen);
    let differs = doubt == Some(Doubt::ServiceDiffers);
    judge(Alarm::OutdoorSensorsDisagree, source == OutdoorSource::ColderSensor || differs);
    judge(Alarm::OutdoorSensorDoubted, matches!(doubt, Some(Doubt::Sunlit | Doubt::Frozen)));
    judge(Alarm::MainsLost, readings.mains_healthy.usable() == Some(Switch::Off));
    judge(Alarm::EmergencyStop, on(readings.emergency_stop));
    judge(Alarm::Flooded, on(readings.plant_room_flooded));
    judge(Alarm::Smoke, on(readings.plant_room_smoke));
    judge(Alarm::DeviceSilent, facts.health.device_silent);
    judge(Alarm::WatchdogUnfit, facts.health.watchdog_unfit);
    judge(Alarm::DispatchSilent, facts.dispatch_silent);
    judge(Alarm::ForeignWrite, facts.health.foreign_write);
    judge(Alarm::OutputUnconfirmed, facts.health.output_unconfirmed);
    judge(Alarm::JournalLate, facts.health.journal_late);
    judge(Alarm::RecordStoreFailing, facts.health.store_failing);
    judge(Alarm::CyclesLate, facts.health.cycles_late);
    judge(Alarm::ConfigurationRejected, facts.health.configuration_rejected);
}
