//! The secondary balance (二网平衡): each building gets its share of the water.
//!
//! # Why this shape
//! Near the station a building takes what it likes and far from it one gets what is left; the station then heats until the
//! farthest is warm enough, and the near ones open their windows. Buildings of one kind under one supply temperature give
//! back water of one temperature when each has its share. So every two hours each building's valve is moved a small step
//! toward the mean of all returns, weighted by area:
//!
//! ```text
//! d = (return − offset) − mean        step = −k·d, 3 to 5 % of the stroke at most, none within the dead band
//! ```
//!
//! An *offset* is what a building shall be warmer than the mean: the one at the edge, the old one.
//!
//! Where the temperature ahead of the users' lock valves is measured it is taken instead of the one at the entrance: it does
//! not know of the water that passes flats that are shut.
//!
//! Closing is throttling, and throttled head is pumped for nothing. So one valve at least stands at nine tenths: if none
//! does, all are opened by the same step, which with equal-percentage valves changes no share. The opening of the most open
//! valve is published for the pumps, whose pressure can follow it.
//!
//! # When it stands still
//! While the plant starts, while frost protection is on, while the supply moves, and while returns are missing: one that is
//! missing holds its own valve, a third that is missing holds all.
//!
//! # Whose valve
//! A valve that is found elsewhere than it was sent for a quarter of an hour is not ours: somebody turned it by hand or
//! has its actuator in local. It is not written for a day, then taken over from where it stands.

use std::time::Duration;

use heatstation_points::{BuildingReadings, Celsius, Kelvins, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::settings::{BalanceBy, BalanceSettings, BuildingSettings, BuildingValve};
use crate::timer::{Held, seconds};

/// Returns are smoothed before they are compared: people draw and close within the hour.
const SMOOTHING: Duration = Duration::from_secs(3600);
/// The plant has to run undisturbed for this long before its returns mean anything.
const STEADY_FOR: Duration = Duration::from_secs(2 * 3600);
/// The supply stands when it is this close to its own mean of an hour.
const STEADY_WITHIN: Kelvins = Kelvins(3.0);
/// A valve is astray when it is this far from where it was sent, for longer than any actuator runs.
const ASTRAY_BY: Ratio = Ratio(0.1);
const ASTRAY_FOR: Duration = Duration::from_secs(900);
/// For so long it is left to whoever has it.
const LEFT_FOR: Duration = Duration::from_secs(86_400);
/// Without this share of the returns nothing is compared.
const KNOWN_MIN: f64 = 2.0 / 3.0;

/// Why the valves stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No heat is given, or not for long enough.
    Starting,
    /// Frost protection.
    Frost,
    /// The supply temperature moves.
    Unsteady,
    /// Too few returns are known.
    ReturnsMissing,
}

impl Standing {
    /// All of them.
    pub const ALL: [Standing; 4] = [Standing::Starting, Standing::Frost, Standing::Unsteady, Standing::ReturnsMissing];

    /// The name in metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Starting => "starting",
            Standing::Frost => "frost",
            Standing::Unsteady => "unsteady",
            Standing::ReturnsMissing => "returns_missing",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Standing::Starting => ("启动中", "the plant starts"),
            Standing::Frost => ("防冻运行", "frost protection"),
            Standing::Unsteady => ("供水温度波动", "the supply temperature moves"),
            Standing::ReturnsMissing => ("楼栋回水温度缺失", "too few return temperatures"),
        }
    }
}

/// What surrounds the buildings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plant {
    /// Whether the circuit gives heat by its setpoint.
    pub heating: Switch,
    /// Whether frost protection is on.
    pub frost: Switch,
    /// The supply temperature.
    pub supply: Option<Celsius>,
}

/// What the balance says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BalanceReport {
    /// The opening of the most open valve; none while nothing is balanced.
    pub most_open: Option<Ratio>,
    /// From the coldest to the warmest building, offsets taken off; none with fewer than two known.
    pub spread: Option<Kelvins>,
    /// The mean of all.
    pub mean: Option<Celsius>,
    /// Why the valves stand still.
    pub standing: Option<Standing>,
    /// How many valves somebody else has.
    pub astray: usize,
}

/// One building's valve, as it is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Valve {
    /// Where it was sent; none before it was found.
    command: Option<Ratio>,
    /// The smoothed temperature that is compared.
    measured: Option<Celsius>,
    /// Whether that is of now.
    known: bool,
    astray: Held,
    /// How long it is still left to whoever has it.
    left: Option<Duration>,
}

/// What the balance remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    valves: Vec<Valve>,
    since_move: Duration,
    steady: Held,
    supply: Option<Celsius>,
}

impl Balance {
    /// One step.
    pub fn advance(
        &mut self,
        settings: &BalanceSettings,
        buildings: &[BuildingSettings],
        readings: &[BuildingReadings],
        plant: &Plant,
        dt: Duration,
    ) -> BalanceReport {
        if self.valves.len() != buildings.len() {
            *self = Balance { valves: vec![Valve::default(); buildings.len()], ..Balance::default() };
        }
        for (valve, reading) in self.valves.iter_mut().zip(readings) {
            valve.see(settings.by, reading, dt);
        }
        let standing = self.standing(plant, buildings, dt);
        let mean = self.mean(buildings);
        self.since_move = self.since_move.saturating_add(dt);
        if let (None, Some(mean), true) = (standing, mean, self.since_move >= settings.every) {
            self.since_move = Duration::ZERO;
            self.move_valves(settings, buildings, mean);
        }
        BalanceReport {
            most_open: self.most_open(buildings),
            spread: self.spread(buildings),
            mean,
            standing,
            astray: self.ours(buildings).filter(|(valve, _)| valve.left.is_some()).count(),
        }
    }

    /// Where each valve shall be; none where it is not ours.
    pub fn commands<'a>(&'a self, buildings: &'a [BuildingSettings]) -> impl Iterator<Item = Option<Ratio>> + 'a {
        let valves = self.valves.iter().zip(buildings);
        valves.map(|(valve, building)| match building.valve {
            BuildingValve::Balanced if valve.left.is_none() => valve.command,
            BuildingValve::Balanced | BuildingValve::Fixed => None,
        })
    }

    /// The opening of the most open valve that is balanced.
    pub fn most_open(&self, buildings: &[BuildingSettings]) -> Option<Ratio> {
        self.ours(buildings).filter_map(|(valve, _)| valve.command).reduce(Ratio::max)
    }

    fn ours<'a>(
        &'a self,
        buildings: &'a [BuildingSettings],
    ) -> impl Iterator<Item = (&'a Valve, &'a BuildingSettings)> {
        self.valves.iter().zip(buildings).filter(|(_, building)| building.valve == BuildingValve::Balanced)
    }

    /// What each known building has beyond its offset.
    fn compared<'a>(&'a self, buildings: &'a [BuildingSettings]) -> impl Iterator<Item = (Celsius, f64)> + 'a {
        let known = self.valves.iter().zip(buildings).filter(|(valve, _)| valve.known);
        known.filter_map(|(valve, building)| {
            Some((valve.measured? - building.offset, building.heated_area.square_meters()))
        })
    }

    fn mean(&self, buildings: &[BuildingSettings]) -> Option<Celsius> {
        let (sum, area) = self
            .compared(buildings)
            .fold((0.0, 0.0), |(sum, area), (temperature, of)| (sum + temperature.0 * of, area + of));
        (area > 0.0).then(|| Celsius(sum / area))
    }

    fn spread(&self, buildings: &[BuildingSettings]) -> Option<Kelvins> {
        let mut known = self.compared(buildings).map(|(temperature, _)| temperature);
        let first = known.next()?;
        let (low, high, more) =
            known.fold((first, first, false), |(low, high, _), now| (low.min(now), high.max(now), true));
        more.then(|| high - low)
    }

    fn standing(&mut self, plant: &Plant, buildings: &[BuildingSettings], dt: Duration) -> Option<Standing> {
        let near = match (plant.supply, self.supply) {
            (Some(now), Some(mean)) => (now - mean).0.abs() <= STEADY_WITHIN.0,
            (Some(_), None) | (None, _) => false,
        };
        if let Some(now) = plant.supply {
            let before = self.supply.unwrap_or(now);
            self.supply = Some(before + (now - before) * (1.0 - (-seconds(dt) / seconds(SMOOTHING)).exp()));
        }
        let heating = plant.heating.is_on() && !plant.frost.is_on();
        let steady = self.steady.for_at_least(STEADY_FOR, heating && near, dt);
        let known = self.valves.iter().filter(|valve| valve.known).count() as f64;
        if plant.frost.is_on() {
            Some(Standing::Frost)
        } else if !heating {
            Some(Standing::Starting)
        } else if known < 2.0 || known < KNOWN_MIN * buildings.len() as f64 {
            Some(Standing::ReturnsMissing)
        } else if !steady {
            Some(if near { Standing::Starting } else { Standing::Unsteady })
        } else {
            None
        }
    }

    fn move_valves(&mut self, settings: &BalanceSettings, buildings: &[BuildingSettings], mean: Celsius) {
        let ours = |valve: &Valve, building: &BuildingSettings| {
            building.valve == BuildingValve::Balanced && valve.left.is_none()
        };
        for (valve, building) in self.valves.iter_mut().zip(buildings) {
            let (Some(command), Some(measured), true) = (valve.command, valve.measured, valve.known) else { continue };
            let difference = measured - building.offset - mean;
            if !ours(valve, building) || difference.0.abs() < settings.dead_band.0 {
                continue;
            }
            let step = Ratio(-difference.0 * settings.step_per_kelvin.0).clamp(-settings.step_max, settings.step_max);
            valve.command = Some((command + step).clamp(settings.position_min, Ratio::ONE));
        }
        // None is open enough: all are opened by the same step, which leaves the shares as they are.
        let most = self.most_open(buildings).unwrap_or(Ratio::ONE);
        let lift = (settings.most_open - most).clamp(Ratio::ZERO, settings.step_max);
        for (valve, building) in self.valves.iter_mut().zip(buildings) {
            if ours(valve, building) && lift > Ratio::ZERO {
                valve.command = valve.command.map(|command| (command + lift).min(Ratio::ONE));
            }
        }
    }
}

impl Valve {
    fn see(&mut self, by: BalanceBy, reading: &BuildingReadings, dt: Duration) {
        let own = reading.return_temperature_before_lock.fresh().or(reading.return_temperature.fresh());
        let now = match by {
            BalanceBy::Return => own,
            BalanceBy::Mean => {
                let supply = reading.supply_temperature.fresh();
                supply.zip(own).map(|(supply, back)| back + (supply - back) * 0.5)
            }
        };
        self.known = now.is_some();
        if let Some(now) = now {
            let before = self.measured.unwrap_or(now);
            self.measured = Some(before + (now - before) * (1.0 - (-seconds(dt) / seconds(SMOOTHING)).exp()));
        }
        self.find(reading.valve_position_feedback.fresh(), dt);
    }

    /// Takes the valve over where it stands, and leaves it to whoever moves it otherwise.
    fn find(&mut self, feedback: Option<Ratio>, dt: Duration) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(dt);
            if !left.is_zero() {
                return;
            }
            (self.left, self.command) = (None, None);
        }
        let Some(command) = self.command else {
            self.command = feedback;
            return;
        };
        let apart = feedback.is_some_and(|position| (position - command).0.abs() > ASTRAY_BY.0);
        if self.astray.for_at_least(ASTRAY_FOR, apart, dt) {
            self.astray = Held::default();
            self.left = Some(LEFT_FOR);
        }
    }
}

#[cfg(test)]
mod tests;
