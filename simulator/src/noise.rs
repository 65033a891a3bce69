//! Noise of instruments, without state: a hash of who measures and when.
//!
//! A reading must be the same however often, in whatever order and by whomever it is asked for, or two runs of the same
//! plant would part as soon as one of them looks more closely. A random stream would be used up by asking; a hash is not,
//! and costs nothing while nobody asks.

use heatstation_points::Point;

/// Whose noise it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    seed: u64,
    /// Counts with the plant's steps.
    pub tick: u64,
}

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise { seed: mix(seed ^ 0x05E7_5025_0F5E_ED00), tick: 0 }
    }

    /// Changes with every step: about normal, mean 0, deviation 1, never beyond ±3.5.
    pub fn jitter(&self, point: Point) -> f64 {
        bell(mix(self.seed ^ identity(point).wrapping_add(self.tick.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
    }

    /// Evenly between 0 and 1, the same for all who ask about this turn.
    pub fn chance(&self, point: Point, turn: u64) -> f64 {
        let bits = mix(self.seed ^ identity(point).wrapping_add(turn.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ 0x5EED);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Belongs to the instrument for ever: about normal, mean 0, deviation 1.
    pub fn character(&self, point: Point) -> f64 {
        bell(mix(mix(self.seed ^ identity(point))))
    }
}

/// The finaliser of `splitmix64` (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The sum of four uniform numbers is near enough to normal for an instrument.
fn bell(bits: u64) -> f64 {
    let sum = (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum::<u64>() as f64;
    // Four uniforms on 0..65536: mean 131070, deviation 65536 · √(4/12).
    (sum - 131_070.0) / 37_837.2
}

/// A number of its own for every point of a station.
fn identity(point: Point) -> u64 {
    let pack = |kind: u64, circuit: usize, index: usize, signal: u64| {
        kind << 56 | (circuit as u64) << 40 | (index as u64) << 16 | signal
    };
    match point {
        Point::Station(s) => pack(1, 0, 0, s as u64),
        Point::Circuit(c, s) => pack(2, c.0, 0, s as u64),
        Point::CirculationPump(c, p, s) => pack(3, c.0, p.0, s as u64),
        Point::MakeUpPump(c, p, s) => pack(4, c.0, p.0, s as u64),
        Point::Building(c, b, s) => pack(5, c.0, b.0, s as u64),
        Point::Room(c, r, s) => pack(6, c.0, r.0, s as u64),
        Point::Auxiliary(a) => pack(7, 0, a.0, 0),
        Point::CircuitOutput(c, o) => pack(8, c.0, 0, o as u64),
        Point::CirculationPumpOutput(c, p, o) => pack(9, c.0, p.0, o as u64),
        Point::MakeUpPumpOutput(c, p, o) => pack(10, c.0, p.0, o as u64),
        Point::BuildingOutput(c, b, o) => pack(11, c.0, b.0, o as u64),
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::StationSignal;

    use super::*;

    #[test]
    fn jitter_has_mean_zero_and_deviation_one_and_does_not_remember() {
        let mut noise = Noise::new(42);
        let point = Point::Station(StationSignal::OutdoorTemperature);
        let values: Vec<f64> = (0..20_000)
            .map(|tick| {
                noise.tick = tick;
                noise.jitter(point)
            })
            .collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
        let next = values.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (deviation - 1.0).abs() < 0.03 && next.abs() < 0.03);
        assert_eq!(noise.jitter(point), noise.jitter(point));
    }
}
