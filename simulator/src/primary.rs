//! The primary network as the station feels it: its temperature follows the weather late, its pressure follows others.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::settings::PrimarySettings;

/// The heat source sees the weather through hours of pipe and of dispatch: s.
const FOLLOWS_OUTDOOR_IN: f64 = 6.0 * 3600.0;
/// Temperature in the long pipes changes no faster than in: s.
const TEMPERATURE_LAG: f64 = 600.0;
/// Noise of pressure and of temperature keeps for: s.
const PRESSURE_NOISE_TIME: f64 = 600.0;
const TEMPERATURE_NOISE_TIME: f64 = 2.0 * 3600.0;
/// Noise of temperature is drawn this often: s.
const TEMPERATURE_NOISE_STEP: f64 = 60.0;
const MILD_OUTDOOR: f64 = 5.0;

/// What is wrong in the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PrimaryTrouble {
    /// The supply is at this temperature instead of its own: °C.
    pub supply: Option<f64>,
    /// What is left of the differential pressure, 1 all.
    pub pressure_left: f64,
    /// No more flow than this share of the design's.
    pub flow_limit: f64,
}

impl PrimaryTrouble {
    /// All is well.
    pub const NONE: PrimaryTrouble = PrimaryTrouble { supply: None, pressure_left: 1.0, flow_limit: f64::INFINITY };
}

/// The primary network.
#[derive(Clone, Debug)]
pub(crate) struct Primary {
    settings: PrimarySettings,
    /// Design flow of all circuits together: kg/s.
    design_flow: f64,
    outdoor: f64,
    /// What arrives: °C.
    pub supply: f64,
    /// At the station's connection, behind what the connection loses: Pa.
    pub differential_pressure: f64,
    pressure_noise: f64,
    temperature_noise: f64,
    until_draw: f64,
    pub trouble: PrimaryTrouble,
    random: ChaCha8Rng,
}

impl Primary {
    pub fn new(settings: PrimarySettings, design_flow: f64, outdoor: f64, random: ChaCha8Rng) -> Primary {
        let mut primary = Primary {
            settings,
            design_flow,
            outdoor,
            supply: 0.0,
            differential_pressure: settings.differential_pressure.0,
            pressure_noise: 0.0,
            temperature_noise: 0.0,
            until_draw: 0.0,
            trouble: PrimaryTrouble::NONE,
            random,
        };
        primary.supply = primary.curve();
        primary
    }

    /// What the heat source sends out for the weather it has seen.
    fn curve(&self) -> f64 {
        let (cold, mild) = (self.settings.supply_cold.0, self.settings.supply_mild.0);
        let share = (MILD_OUTDOOR - self.outdoor) / (MILD_OUTDOOR - self.settings.design_outdoor.0);
        (mild + (cold - mild) * share.clamp(0.0, 1.0)).min(self.settings.supply_limit.0)
    }

    /// One step; the valves of the station pass `conductance` kg/s together at 1 Pa, and `besides` kg/s are drawn whatever
    /// the pressure.
    ///
    /// Pressure and flow are solved at once: Δp = Δp₀ − k (C √Δp + g)² is a quadratic equation for √Δp. Taking the flow of
    /// the step before instead makes a large valve see all of the pressure in one second and none in the next.
    pub fn step(&mut self, seconds: f64, outdoor: f64, hour: f64, (conductance, besides): (f64, f64)) {
        self.outdoor += (outdoor - self.outdoor) * seconds / FOLLOWS_OUTDOOR_IN;
        self.until_draw -= seconds;
        if self.until_draw <= 0.0 {
            self.until_draw += TEMPERATURE_NOISE_STEP;
            let keep = 1.0 - TEMPERATURE_NOISE_STEP / TEMPERATURE_NOISE_TIME;
            self.temperature_noise = keep * self.temperature_noise + self.kick(keep);
        }
        let wish = match self.trouble.supply {
            Some(cold) => cold,
            None => self.curve() + self.settings.temperature_noise.0 * self.temperature_noise,
        };
        self.supply += (wish - self.supply) * seconds / TEMPERATURE_LAG;

        let keep = 1.0 - seconds / PRESSURE_NOISE_TIME;
        self.pressure_noise = keep * self.pressure_noise + self.kick(keep);
        // Others draw most in the morning and evening and least at night.
        let swing = self.settings.pressure_swing.0 * wave((hour - 14.0) / 24.0);
        let relative = (1.0 + swing + self.settings.pressure_noise.0 * self.pressure_noise).max(0.05);
        let available = self.settings.differential_pressure.0 * relative * self.trouble.pressure_left;
        let loss = self.settings.connection_loss.0 / (self.design_flow * self.design_flow);
        let (square, half) = (1.0 + loss * conductance * conductance, loss * conductance * besides);
        let left = available - loss * besides * besides;
        let root = if left > 0.0 { ((half * half + square * left).sqrt() - half) / square } else { 0.0 };
        self.differential_pressure = root * root;
    }

    /// Takes the pressure that a limiter at the connection takes so that the valves do not get more than it lets through.
    /// Flow goes with the root of the pressure.
    pub fn limit(&mut self, conductance: f64) {
        let wish = conductance * self.differential_pressure.sqrt();
        let limit = self.trouble.flow_limit.min(self.settings.flow_limit.map_or(f64::INFINITY, |limit| limit.0));
        let most = limit * self.design_flow;
        if wish > most {
            let left = most.max(0.0) / wish;
            self.differential_pressure *= left * left;
        }
    }

    /// The random part of a wander of deviation 1 that keeps this share.
    fn kick(&mut self, keep: f64) -> f64 {
        let noise: f64 = StandardNormal.sample(&mut self.random);
        (1.0 - keep * keep).sqrt() * noise
    }

    /// Pressure in the supply: Pa.
    pub fn supply_pressure(&self) -> f64 {
        self.settings.return_pressure.0 + self.differential_pressure
    }

    /// Pressure in the return: Pa.
    pub fn return_pressure(&self) -> f64 {
        self.settings.return_pressure.0
    }
}

/// A smooth wave of period 1 and height 1, without the cost of a sine each second.
fn wave(turns: f64) -> f64 {
    let turn = turns.rem_euclid(1.0);
    let x = if turn < 0.5 { 4.0 * turn - 1.0 } else { 3.0 - 4.0 * turn };
    x * (1.5 - 0.5 * x * x)
}
