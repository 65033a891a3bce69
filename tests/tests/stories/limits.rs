//! Limits on the physical plant: what they hold, and what they cost.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::alarm::Alarm;
use heatstation_core::ledger::{Ledger, Part};
use heatstation_core::limit_line::LimitLine;
use heatstation_core::limiter::{LimiterKind, LimiterState, MeasuredBy};
use heatstation_core::report::{CircuitReport, Report, ValveReason};
use heatstation_core::settings::{
    CreepSettings, LimitPriority, LimiterSettings, LimiterTuning, QuotaSettings, Settings,
};
use heatstation_points::quantity::WATER_DENSITY;
use heatstation_points::{
    Celsius, CircuitIndex, CircuitSignal, CubicMetersPerSecond, Kelvins, Point, Ratio, StationSignal,
};
use heatstation_simulator::{Fault, Truth, Weather};
use heatstation_tests::laws::{Law, campaign};
use heatstation_tests::{stations, steady};

const MILD: Celsius = Celsius(2.0);
const FROST: Celsius = Celsius(-4.0);
const CIRCUIT: CircuitIndex = CircuitIndex(0);

/// What is looked at once a minute.
struct Minute {
    truth: Truth,
    report: Report,
}

impl Minute {
    fn circuit(&self) -> &CircuitReport {
        &self.report.circuits[0]
    }
}

/// The demonstration's station as it stands after days of that weather, with these settings.
fn station(outdoor: Celsius, set: impl FnOnce(&mut Settings)) -> ClosedLoop {
    let (mut settings, catalogue, plant) = stations::running(stations::demo(), outdoor);
    // The rooms' own correction is another story: here a limit is alone with the curve.
    let trim = &mut settings.circuits[0].room_trim;
    (trim.raise_max, trim.lower_max) = (Kelvins(0.0), Kelvins(0.0));
    set(&mut settings);
    steady::closed_loop((settings, catalogue, plant), Weather::still(outdoor), 1)
}

fn hours(rig: &mut ClosedLoop, hours: usize) -> Vec<Minute> {
    let mut minutes = Vec::with_capacity(hours * 60);
    for _ in 0..hours * 60 {
        for _ in 0..60 {
            rig.second(Vec::new());
        }
        let (plant, _, report) = rig.view();
        minutes.push(Minute { truth: plant.truth().clone(), report: report.expect("a minute has passed").clone() });
    }
    minutes
}

fn limiter(limit: f64, tuning: LimiterTuning) -> LimiterSettings {
    LimiterSettings { line: LimitLine::constant(limit), tuning }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

fn lowest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

fn highest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, f64::max)
}

/// The coldest rooms over their minimum.
fn tail(minute: &Minute) -> f64 {
    minute.circuit().rooms.tail.expect("the rooms are known").sure().0
}

/// A curve that was set by somebody who wanted no complaints.
fn too_high(settings: &mut Settings) {
    settings.circuits[0].room_target = Celsius(23.0);
}

#[test]
fn under_a_curve_that_is_too_high_the_primary_return_is_held_within_a_kelvin_of_its_limit() {
    let mut free = station(MILD, too_high);
    let without = mean(hours(&mut free, 8)[300..].iter().map(|minute| minute.truth.primary_return.0));
    assert!(without > 54.0, "there is something to limit: {without}");

    let mut rig = station(MILD, |settings| {
        too_high(settings);
        settings.circuits[0].limits.primary_return = Some(limiter(50.0, LimiterTuning::TEMPERATURE));
    });
    let minutes = hours(&mut rig, 24);
    let settled = || minutes[8 * 60..].iter();
    let returns = || settled().map(|minute| minute.truth.primary_return.0);
    assert!(lowest(returns()) > 49.0 && highest(returns()) < 51.0, "{} to {}", lowest(returns()), highest(returns()));
    // What it costs: the coldest rooms stay where they were, and somebody can see who took the rest.
    assert!(lowest(settled().map(tail)) > -0.7, "{}", lowest(settled().map(tail)));
    let last = minutes.last().expect("a day").circuit();
    assert!(last.setpoint.ledger.of(Part::ReturnLimit).0 < -4.0, "{:?}", last.setpoint);
    assert_eq!(last.setpoint.limiter(LimiterKind::Return).state, LimiterState::Limiting);
}

#[test]
fn a_limit_that_cannot_be_kept_costs_the_coldest_rooms_a_kelvin_and_no_more() {
    let coldest = |room_loss_max: f64| {
        let mut rig = station(MILD, |settings| {
            let limits = &mut settings.circuits[0].limits;
            limits.primary_return = Some(limiter(35.0, LimiterTuning::TEMPERATURE));
            limits.room_loss_max = Kelvins(room_loss_max);
        });
        let minutes = hours(&mut rig, 96);
        (mean(minutes[72 * 60..].iter().map(tail)), minutes.last().expect("days").circuit().setpoint.ledger)
    };
    let (guarded, less) = coldest(1.0);
    assert!(guarded > -1.0, "{guarded}");
    let (unguarded, all) = coldest(50.0);
    let lost = |ledger: Ledger| -ledger.of(Part::ReturnLimit).0;
    assert!(lost(less) < 6.0 && lost(all) > 7.5, "its right shrinks with the rooms: {less:?} {all:?}");
    assert!(unguarded < guarded - 0.3, "without the guard they would be colder: {unguarded} to {guarded}");
}

#[test]
fn the_primary_flow_stays_within_five_percent_of_its_limit() {
    let limit = 13.2;
    let mut rig = station(MILD, |settings| {
        settings.circuits[0].limits.flow = Some(limiter(limit / WATER_DENSITY, LimiterTuning::METER));
    });
    let minutes = hours(&mut rig, 24);
    let flows = || minutes[3 * 60..].iter().map(|minute| minute.truth.primary_flow.0);
    assert!(highest(flows()) < 1.05 * limit, "{}", highest(flows()));
    assert!(mean(flows()) > 0.95 * limit, "and it does not take more than it must: {}", mean(flows()));
}

#[test]
fn in_a_network_that_has_gone_cold_the_valve_does_not_draw_more_than_the_flow_limit() {
    let limit = 13.2;
    let flow = |limit: Option<f64>| {
        let mut rig = station(MILD, |settings| {
            let limits = &mut settings.circuits[0].limits;
            // How far it may go is another story.
            limits.room_loss_max = Kelvins(20.0);
            limits.flow = limit.map(|limit| limiter(limit / WATER_DENSITY, LimiterTuning::METER));
        });
        hours(&mut rig, 4);
        rig.plant().inject(Fault::PrimaryCold(Celsius(77.0)));
        mean(hours(&mut rig, 6)[4 * 60..].iter().map(|minute| minute.truth.primary_flow.0))
    };
    let (free, limited) = (flow(None), flow(Some(limit)));
    assert!(free > 1.2 * limit && limited < 1.05 * limit, "{free} without, {limited} with");
}

#[test]
fn the_heat_power_stays_within_five_percent_of_its_limit() {
    let limit = 2.05e6;
    let mut rig = station(MILD, |settings| {
        // How far it may go is another story.
        settings.circuits[0].limits.room_loss_max = Kelvins(20.0);
        settings.circuits[0].limits.power = Some(limiter(limit, LimiterTuning::METER));
    });
    let minutes = hours(&mut rig, 24);
    let hourly =
        || minutes[6 * 60..].chunks(60).map(|hour| mean(hour.iter().map(|minute| minute.truth.circuits[0].heat.0)));
    assert!(
        highest(hourly()) < 1.05 * limit && lowest(hourly()) > 0.95 * limit,
        "{} to {}",
        lowest(hourly()),
        highest(hourly())
    );
}

#[test]
fn circuits_on_one_meter_keep_the_flow_of_the_station() {
    let limit = 16.0;
    let (mut settings, catalogue, plant) = stations::running(stations::two_zones(), MILD);
    let whole = settings.heated_area.square_meters();
    for circuit in &mut settings.circuits {
        let share = circuit.heated_area.square_meters() / whole;
        circuit.limits.station_share = Ratio(share);
        // How far it may go is another story.
        circuit.limits.room_loss_max = Kelvins(20.0);
        circuit.limits.flow = Some(limiter(share * limit / WATER_DENSITY, LimiterTuning::METER));
    }
    let mut rig = steady::closed_loop((settings, catalogue, plant), Weather::still(MILD), 1);
    for circuit in [CircuitIndex(0), CircuitIndex(1)] {
        rig.plant().inject(Fault::SensorLost(Point::Circuit(circuit, CircuitSignal::PrimaryFlow)));
    }
    let minutes = hours(&mut rig, 12);
    let settled = &minutes[5 * 60..];
    let flows = || settled.iter().map(|minute| minute.truth.primary_flow.0);
    assert!(highest(flows()) < 1.05 * limit, "{}", highest(flows()));
    for circuit in &settled[0].report.circuits {
        let limiter = circuit.setpoint.limiter(LimiterKind::Flow);
        assert_eq!((limiter.by, limiter.state), (MeasuredBy::StationMeter, LimiterState::Limiting), "{circuit:?}");
    }
}

#[test]
fn a_day_under_a_quota_ends_at_the_quota_without_a_cold_evening() {
    // A day of this weather takes 193 GJ when nobody limits it.
    let quota = 182e9;
    let mut rig = station(MILD, |settings| {
        let line = LimitLine::constant(quota);
        settings.circuits[0].limits.quota = Some(QuotaSettings { line, tuning: LimiterTuning::QUOTA });
    });
    let minutes = hours(&mut rig, 48);
    let energy = |minute: usize| minutes[minute].truth.circuits[0].heat_energy.0;
    for midnight in [1439, 2879] {
        let day = energy(midnight) - midnight.checked_sub(1440).map_or(0.0, energy);
        assert!((day / quota - 1.0).abs() < 0.03, "{day} J by the truth");
        let account = minutes[midnight - 1].circuit().quota.expect("there is a quota");
        assert!((account.used.0 / quota - 1.0).abs() < 0.01, "{account:?}");
    }
    let day = &minutes[1440..2880];
    let supply =
        |from: usize, to: usize| mean(day[from * 60..to * 60].iter().map(|minute| minute.truth.circuits[0].supply.0));
    assert!((supply(20, 24) - supply(0, 24)).abs() < 0.5, "evening {} day {}", supply(20, 24), supply(0, 24));
    let rise = day.windows(2).map(|pair| (pair[1].circuit().setpoint.value - pair[0].circuit().setpoint.value).0.abs());
    assert!(highest(rise) < 0.2, "nothing leaps, not at midnight either");
}

#[test]
fn a_lost_return_sensor_has_two_stand_ins_and_then_the_limit_is_off_with_a_name() {
    let mut rig = station(MILD, |settings| {
        too_high(settings);
        settings.circuits[0].limits.primary_return = Some(limiter(50.0, LimiterTuning::TEMPERATURE));
        settings.circuits[0].limits.valve_max_blind = Ratio(0.8);
    });
    let held = hours(&mut rig, 8);
    let sensors = [
        Point::Circuit(CIRCUIT, CircuitSignal::PrimaryReturnTemperature),
        Point::Station(StationSignal::PrimaryReturnTemperature),
        Point::Station(StationSignal::PrimaryMeterReturnTemperature),
    ];
    let mut by = vec![held.last().expect("hours").circuit().setpoint.limiter(LimiterKind::Return).by];
    let mut minutes = Vec::new();
    for sensor in sensors {
        rig.plant().inject(Fault::SensorLost(sensor));
        minutes = hours(&mut rig, 1);
        by.push(minutes.last().expect("an hour").circuit().setpoint.limiter(LimiterKind::Return).by);
    }
    let ladder = [MeasuredBy::Sensor, MeasuredBy::StationSensor, MeasuredBy::StationMeter, MeasuredBy::Nothing];
    assert_eq!(by, ladder);
    let last = minutes.last().expect("an hour");
    assert_eq!(last.circuit().setpoint.limiter(LimiterKind::Return).state, LimiterState::SensorLost);
    assert_eq!(last.circuit().setpoint.ledger.of(Part::ReturnLimit), Kelvins(0.0));
    assert!(last.report.alarms.iter().any(|active| active.key.alarm == Alarm::LimitSensorLost));
    let position = last.circuit().commands.as_ref().expect("it is ours").valve_position;
    assert!(position <= Ratio(0.8), "{position:?}");
    // It lets go no faster than the ramp: 20 K/h.
    let rises = minutes.windows(2).map(|pair| (pair[1].circuit().setpoint.value - pair[0].circuit().setpoint.value).0);
    assert!(highest(rises) <= 20.0 / 60.0 + 1e-9);
    rig.plant().clear(&Fault::SensorLost(sensors[2]));
    let back = hours(&mut rig, 1);
    assert!(back.last().expect("an hour").circuit().setpoint.limiter(LimiterKind::Return).asks < Kelvins(-1.0));
}

#[test]
fn in_frost_no_limit_takes_the_supply_below_the_heat_floor() {
    let mut rig = station(FROST, |settings| {
        let limits = &mut settings.circuits[0].limits;
        limits.primary_return = Some(limiter(40.0, LimiterTuning::TEMPERATURE));
        limits.flow = Some(limiter(8.0 / WATER_DENSITY, LimiterTuning::METER));
        limits.power = Some(limiter(1.5e6, LimiterTuning::METER));
        limits.priority = LimitPriority::Limits;
        limits.room_loss_max = Kelvins(5.0);
    });
    for minute in &hours(&mut rig, 12)[2 * 60..] {
        let setpoint = &minute.circuit().setpoint;
        let given_way = setpoint.ledger.given_way();
        assert!(given_way >= Kelvins(-3.0 - 1e-9), "{setpoint:?}");
        assert!(minute.report.alarms.iter().all(|active| active.key.alarm != Alarm::OutageOpen));
    }
}

#[test]
fn a_return_limit_that_holds_for_a_day_and_a_night_is_an_alarm() {
    let mut rig = station(MILD, |settings| {
        too_high(settings);
        settings.circuits[0].limits.primary_return = Some(limiter(50.0, LimiterTuning::TEMPERATURE));
    });
    let minutes = hours(&mut rig, 26);
    let raised = minutes
        .iter()
        .position(|minute| minute.report.alarms.iter().any(|active| active.key.alarm == Alarm::ReturnLimitLasting));
    assert!(raised.is_some_and(|minute| minute > 24 * 60), "{raised:?}");
}

#[test]
fn a_valve_that_creeps_closes_and_is_opened_again_before_the_supply_is_cold() {
    let warm = Celsius(14.0);
    let least = 5.0e-3;
    let mut rig = station(warm, |settings| {
        settings.circuits[0].limits.creep = Some(CreepSettings {
            flow_min: CubicMetersPerSecond(least),
            reopen_below: Kelvins(5.0),
            flush_after: Duration::from_secs(1800),
            flush_for: Duration::from_secs(120),
        });
    });
    let minutes = hours(&mut rig, 12);
    // Here the meter's least is more than the weather asks for: the valve has to come and go.
    let settled = &minutes[2 * 60..];
    let closed = |minute: &Minute| minute.circuit().valve_reason == ValveReason::CreepFlow;
    let closings = settled.windows(2).filter(|pair| !closed(&pair[0]) && closed(&pair[1])).count();
    assert!((6..=60).contains(&closings), "{closings} times in ten hours");
    let missing = settled.iter().map(|minute| (minute.circuit().setpoint.value - minute.truth.circuits[0].supply).0);
    assert!(highest(missing.clone()) < 8.0, "{}", highest(missing));
    let shut = settled.windows(5).filter(|last| last.iter().all(closed)).map(|last| last[4].truth.primary_flow.0);
    assert!(highest(shut) < 0.01, "a closed valve lets no more through than it leaks");
    assert!(
        settled.iter().all(|minute| minute.report.alarms.iter().all(|active| active.key.alarm != Alarm::OutageOpen))
    );
}

#[test]
fn stations_with_tight_limits_break_no_law() {
    for seed in [1, 2] {
        let (mut settings, catalogue, plant) = stations::two_zones();
        for circuit in &mut settings.circuits {
            let limits = &mut circuit.limits;
            limits.primary_return = Some(limiter(35.0, LimiterTuning::TEMPERATURE));
            limits.power = Some(limiter(0.6 * circuit.design_power.0, LimiterTuning::METER));
            let line = LimitLine::constant(0.5 * circuit.design_power.0 * 86_400.0);
            limits.quota = Some(QuotaSettings { line, tuning: LimiterTuning::QUOTA });
            limits.priority = LimitPriority::Limits;
            limits.valve_max_blind = Ratio(0.5);
        }
        let summary = campaign((settings, catalogue, plant), seed, 4).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(summary.judged.of(Law::WishesBounded) > 0 && summary.judged.of(Law::EverySecondBooked) > 0);
    }
}
