//! A scenario on its way: files know words, the plant knows faults, the control knows wishes; here they meet.
//!
//! The same scenario runs in virtual time (`simulate`), at its own pace behind a control (`demo`) and on the wire for
//! anybody's control (`plant`): it is turned into weather that is a function of time, a plant's settings, a timetable of
//! faults for the plant, and requests that are due.

use std::time::Duration;

use heatstation_config::Station;
use heatstation_config::scenario::{
    Begins, Breakage, CirculationAtStart, PlantPlan, PumpAt, Scenario, WeatherChange, WeatherFrom, What,
};
use heatstation_core::moment::UtcMillis;
use heatstation_core::request::Request;
use heatstation_points::{Celsius, Ratio, Seconds};
use heatstation_simulator::timetable::{Action, Event, Link, Timetable};
use heatstation_simulator::{
    Circulation, EpwError, EpwWeather, Fault, HotWaterSettings, PumpKind, PumpPlace, StationPlantSettings,
    StochasticWeather, Weather, WeatherSource,
};

use crate::plant_of::{class_of, climate_of, plant_of};

/// What a run of a scenario is asked for on the command line, which goes before what the file says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// A weather file.
    pub weather: Option<&'a std::path::Path>,
    /// The seed of weather, rooms and noise.
    pub seed: Option<u64>,
}

/// The seed of runs that say nothing of it.
pub const USUAL_SEED: u64 = 1;

/// The seed of the plant: flats, instruments, noise.
pub fn plant_seed(scenario: &Scenario, asked: &Asked<'_>) -> u64 {
    asked.seed.or(scenario.plant.seed).unwrap_or(USUAL_SEED)
}

/// When a scenario begins at this station: UTC.
pub fn begin(scenario: &Scenario, station: &Station) -> UtcMillis {
    let season = station.settings.season;
    // Whole days from the season's first midnight on.
    let days = season.length().as_secs() / 86_400;
    let midnight = match scenario.begins {
        Begins::MidSeason => UtcMillis(season.start.0 + (days / 2 * 86_400_000) as i64),
        Begins::SeasonStart => season.start,
        Begins::HeatingStart => season.heating_from,
    };
    UtcMillis(midnight.0 + scenario.time_of_day.as_millis() as i64)
}

/// Weather that departs from its source as a scenario says.
struct ChangedWeather {
    source: Box<dyn WeatherSource>,
    changes: Vec<WeatherChange>,
    begin: i64,
}

impl WeatherSource for ChangedWeather {
    fn at(&mut self, utc_seconds: i64) -> Weather {
        let mut weather = self.source.at(utc_seconds);
        let since = Duration::from_secs(u64::try_from(utc_seconds - self.begin).unwrap_or(0));
        for change in &self.changes {
            weather.outdoor = weather.outdoor + change.at(since);
        }
        weather
    }
}

/// Dark and still for ever.
struct SteadyWeather(Celsius);

impl WeatherSource for SteadyWeather {
    fn at(&mut self, _utc_seconds: i64) -> Weather {
        Weather::still(self.0)
    }
}

/// The weather of a scenario that begins at this second.
///
/// # Errors
/// A weather file cannot be used.
pub fn weather(
    scenario: &Scenario,
    station: &Station,
    asked: &Asked<'_>,
    begin: UtcMillis,
) -> Result<Box<dyn WeatherSource>, EpwError> {
    let seed = asked.seed.or(scenario.weather.seed).unwrap_or(USUAL_SEED);
    let generator = |climate| Box::new(StochasticWeather::new(seed, climate_of(climate)));
    let source: Box<dyn WeatherSource> = match (asked.weather, &scenario.weather.source) {
        (Some(path), _) => Box::new(EpwWeather::read(path)?),
        (None, Some(WeatherFrom::File(path))) => Box::new(EpwWeather::read(path)?),
        (None, Some(WeatherFrom::Climate(climate))) => generator(*climate),
        (None, Some(WeatherFrom::Steady(outdoor))) => Box::new(SteadyWeather(*outdoor)),
        (None, None) => generator(station.simulation.climate),
    };
    if scenario.weather.changes.is_empty() {
        return Ok(source);
    }
    let changes = scenario.weather.changes.clone();
    Ok(Box::new(ChangedWeather { source, changes, begin: begin.0.div_euclid(1000) }))
}

/// The station's plant as a scenario wants it, in balance with this outdoor temperature.
pub fn plant(scenario: &Scenario, station: &Station, asked: &Asked<'_>, outdoor: Celsius) -> StationPlantSettings {
    let plan = &scenario.plant;
    let mut plant = plant_of(station, plant_seed(scenario, asked));
    plant.initial.outdoor = outdoor;
    plant.initial.circulation = match plan.circulation {
        None | Some(CirculationAtStart::Running) => Circulation::Running,
        Some(CirculationAtStart::Stopped) => Circulation::Stopped,
    };
    plant.initial.room = plan.room.unwrap_or(Celsius(20.0));
    change_plant(&mut plant, plan, station);
    plant
}

fn change_plant(plant: &mut StationPlantSettings, plan: &PlantPlan, station: &Station) {
    if let Some(telegram) = plan.meter_telegram {
        plant.instruments.meter_telegram = Seconds(telegram.as_secs_f64());
    }
    if plan.primary_flow_limit.is_some() {
        plant.primary.flow_limit = plan.primary_flow_limit;
    }
    set(&mut plant.primary.supply_limit, plan.primary_supply_limit);
    for circuit in &mut plant.circuits {
        let loss = plan.building_class.map(|class| class_of(class).loss(station.settings.design_outdoor));
        set(&mut circuit.building_loss, loss);
        set(&mut circuit.valve.oversize, plan.valve_oversize);
        if let Some(oversize) = plan.valve_oversize {
            // A valve that is too large takes less of the pressure.
            circuit.valve.authority = (0.4 / oversize).clamp(0.05, 0.5);
        }
        set(&mut circuit.valve.hysteresis, plan.valve_hysteresis);
        set(&mut circuit.valve.stroke, plan.valve_stroke.map(|stroke| Seconds(stroke.as_secs_f64())));
        set(&mut circuit.circulation.flow_ratio, plan.flow_ratio);
        set(&mut circuit.emitter_oversize, plan.emitter_oversize);
        set(&mut circuit.vacant_share, plan.vacant);
        set(&mut circuit.make_up.daily_leak, plan.daily_leak);
        if let Some(liters) = plan.hot_water_liters_per_m2 {
            circuit.hot_water = Some(HotWaterSettings { liters_per_m2_day: liters, ..HotWaterSettings::usual() });
        }
        let last = circuit.buildings.len().saturating_sub(1).max(1) as f64;
        let (near, far) = match (circuit.buildings.first(), circuit.buildings.last()) {
            (Some(first), Some(end)) => (first.flow_ratio, end.flow_ratio),
            _ => continue,
        };
        let (near, far) = (plan.near_flow_ratio.unwrap_or(near), plan.far_flow_ratio.unwrap_or(far));
        if plan.near_flow_ratio.is_some() || plan.far_flow_ratio.is_some() {
            for (b, building) in circuit.buildings.iter_mut().enumerate() {
                building.flow_ratio = near + (far - near) * b as f64 / last;
            }
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// What breaks and when, for the plant.
pub fn timetable(scenario: &Scenario) -> Timetable {
    let events = scenario.happenings.iter().filter_map(|happening| {
        let action = match &happening.what {
            What::Break(breakage) => Action::Break(fault_of(breakage)),
            What::Mend(breakage) => Action::Mend(fault_of(breakage)),
            What::LineDown => Action::Line(Link::Silent),
            What::LineUp => Action::Line(Link::Up),
            What::Ask(_) => return None,
        };
        Some(Event { at: happening.at, action })
    });
    Timetable::new(events.collect())
}

/// What people ask, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    due: Vec<(Duration, Request)>,
    next: usize,
}

impl Requests {
    /// Those of a scenario.
    pub fn of(scenario: &Scenario) -> Requests {
        let asked = scenario.happenings.iter().filter_map(|happening| match &happening.what {
            What::Ask(request) => Some((happening.at, request.clone())),
            What::Break(_) | What::Mend(_) | What::LineDown | What::LineUp => None,
        });
        Requests { due: asked.collect(), next: 0 }
    }

    /// What has become due by this time since the scenario began.
    pub fn take(&mut self, since: Duration) -> Vec<Request> {
        let waiting = &self.due[self.next..];
        let count = waiting.iter().take_while(|(at, _)| *at <= since).count();
        self.next += count;
        waiting[..count].iter().map(|(_, request)| request.clone()).collect()
    }

    /// How many there are in all.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether nobody asks for anything.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

fn place_of(pump: PumpAt) -> PumpPlace {
    match pump {
        PumpAt::Circulation(circuit, pump) => PumpPlace { circuit, kind: PumpKind::Circulation, pump },
        PumpAt::MakeUp(circuit, pump) => PumpPlace { circuit, kind: PumpKind::MakeUp, pump },
    }
}

/// The plant's word for what breaks.
pub fn fault_of(breakage: &Breakage) -> Fault {
    let seconds = |time: Duration| Seconds(time.as_secs_f64());
    match *breakage {
        Breakage::SensorOff(point) => Fault::SensorLost(point),
        Breakage::SensorStuck(point) => Fault::SensorStuck(point),
        Breakage::SensorGarbage(point) => Fault::SensorGarbage(point),
        Breakage::SensorOffBy(point, by) => Fault::SensorBias(point, by),
        Breakage::SensorShows(point, value) => Fault::SensorShows(point, value),
        Breakage::SensorSlow(point, time) => Fault::SensorSlow(point, seconds(time)),
        Breakage::SensorDelayed(point, time) => Fault::SensorDelayed(point, seconds(time)),
        Breakage::SensorIntermittent(point, share) => Fault::SensorIntermittent(point, share),
        Breakage::SensorDrift(point, per_day) => Fault::SensorDrift(point, per_day),
        Breakage::SensorSpike(point, by) => Fault::SensorSpike(point, by),
        Breakage::SensorSwap(one, other) => Fault::SensorSwapped(one, other),
        Breakage::PumpTrip(pump) => Fault::PumpTrip(place_of(pump)),
        Breakage::PumpDead(pump) => Fault::PumpDead(place_of(pump)),
        Breakage::PumpWithoutFlow(pump) => Fault::PumpWithoutFlow(place_of(pump)),
        Breakage::PumpCapped(pump, share) => Fault::PumpCapped(place_of(pump), share),
        Breakage::PumpLocal(pump) => Fault::PumpLocal(place_of(pump)),
        Breakage::PrimaryCold(supply) => Fault::PrimaryCold(supply),
        Breakage::PrimaryPressureLost(left) => Fault::PrimaryPressureLost(left),
        Breakage::PrimaryFlowLimited(share) => Fault::PrimaryFlowLimited(share),
        Breakage::ValveStuck(circuit) => Fault::ValveStuck(circuit),
        Breakage::ValveStiction(circuit, play) => Fault::ValveStiction(circuit, play),
        Breakage::ValveLeaks(circuit, share) => Fault::ValveLeaks(circuit, share),
        Breakage::ValveLocal(circuit) => Fault::ValveLocal(circuit),
        Breakage::BuildingValveStuck(circuit, building) => Fault::BuildingValveStuck(circuit, building),
        Breakage::Leak(circuit, flow) => Fault::Leak(circuit, flow.0),
        Breakage::ReliefStuckOpen(circuit) => Fault::ReliefStuckOpen(circuit),
        Breakage::TapWaterLost(circuit) => Fault::TapWaterLost(circuit),
        Breakage::ExchangerFouled(circuit, share) => Fault::ExchangerFouled(circuit, share),
        Breakage::StrainerClogged(circuit, share) => Fault::StrainerClogged(circuit, share),
        Breakage::FlatsClosed(circuit, share) => Fault::FlatsClosed(circuit, Ratio(share.0)),
        Breakage::MainsFailure => Fault::MainsFailure,
        Breakage::EmergencyStop => Fault::EmergencyStop,
        Breakage::LocalSelected => Fault::LocalSelected,
        Breakage::Flooded => Fault::Flooded,
        Breakage::OutdoorSensorInSun(warm) => Fault::OutdoorSensorInSun(warm),
    }
}
