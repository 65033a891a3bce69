//! From what a plant is like to the gains of its PI: two published rules.
//!
//! ```text
//! SIMC    K_p = T / (K (τ_c + L))                       T_I = min(T, 4 (τ_c + L))
//! AMIGO   K_p = 0.15/K + (0.35 − L T/(L+T)²) T/(K L)    T_I = 0.35 L + 13 L T² / (T² + 12 L T + 7 L²)
//! ```
//!
//! SIMC is Skogestad's (2003): `τ_c` is the wanted time constant of the closed loop, `L` for a tight loop, two to three
//! times `L` for a smooth one. AMIGO is Åström's and Hägglund's (2006) and asks for nothing; it is the more cautious where
//! the dead time is long.

use heatstation_points::Kelvins;
use serde::{Deserialize, Serialize};

/// A plant of first order with dead time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// K, kelvins of supply per full stroke.
    pub gain: Kelvins,
    /// T, s.
    pub lag: f64,
    /// L, s.
    pub dead_time: f64,
}

/// What a rule gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PiGains {
    /// Valve travel per kelvin.
    pub gain_per_kelvin: f64,
    /// Integral time, s.
    pub integral_seconds: f64,
}

/// Which rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningRule {
    /// SIMC for a smooth loop: `τ_c` is twice the dead time.
    #[default]
    Simc,
    /// AMIGO.
    Amigo,
}

impl TuningRule {
    /// The gains for a plant.
    pub fn gains(self, process: &Process) -> PiGains {
        match self {
            TuningRule::Simc => simc(process, 2.0 * process.dead_time),
            TuningRule::Amigo => amigo(process),
        }
    }
}

/// SIMC with a wanted time constant of the closed loop, s.
pub fn simc(process: &Process, closed_loop: f64) -> PiGains {
    let (lag, both) = (process.lag, closed_loop + process.dead_time);
    PiGains { gain_per_kelvin: lag / (process.gain.0 * both), integral_seconds: lag.min(4.0 * both) }
}

/// AMIGO.
pub fn amigo(process: &Process) -> PiGains {
    let (k, t, l) = (process.gain.0, process.lag, process.dead_time);
    PiGains {
        gain_per_kelvin: 0.15 / k + (0.35 - l * t / (l + t).powi(2)) * t / (k * l),
        integral_seconds: 0.35 * l + 13.0 * l * t * t / (t * t + 12.0 * l * t + 7.0 * l * l),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Process = Process { gain: Kelvins(25.0), lag: 25.0, dead_time: 15.0 };

    #[test]
    fn simc_gives_the_references_example() {
        // 0.25 K per %, 25 s, 15 s, a closed loop twice the dead time: 2.2 % per kelvin and 25 s.
        let gains = TuningRule::Simc.gains(&USUAL);
        assert!((gains.gain_per_kelvin - 0.0222).abs() < 1e-4, "{gains:?}");
        assert_eq!(gains.integral_seconds, 25.0);
    }

    #[test]
    fn amigo_agrees_with_hand_calculation() {
        // 0.15/25 + (0.35 − 375/1600)·25/375 = 0.006 + 0.115625·0.0666667 = 0.0137083;
        // 5.25 + 13·15·625/(625 + 4500 + 1575) = 5.25 + 18.190 = 23.440.
        let gains = TuningRule::Amigo.gains(&USUAL);
        assert!((gains.gain_per_kelvin - 0.013_708).abs() < 1e-5, "{gains:?}");
        assert!((gains.integral_seconds - 23.440).abs() < 1e-2, "{gains:?}");
    }

    #[test]
    fn a_steeper_plant_gets_a_weaker_controller() {
        let steep = Process { gain: Kelvins(100.0), ..USUAL };
        for rule in [TuningRule::Simc, TuningRule::Amigo] {
            let (usual, weaker) = (rule.gains(&USUAL), rule.gains(&steep));
            assert!((weaker.gain_per_kelvin * 4.0 - usual.gain_per_kelvin).abs() < 1e-12);
            assert_eq!(weaker.integral_seconds, usual.integral_seconds);
        }
    }
}
