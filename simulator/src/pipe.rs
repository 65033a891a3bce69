//! Plug flow in a pipe: what comes in comes out when the water between has left, cooler by what the ground took.
//!
//! The pipe is a row of equal plugs. Water fills the newest and drains the oldest by the same mass, so nothing is lost and
//! nothing mixes beyond one plug.
//!
//! All pipes of a circuit cool towards the same ground with the same time constant. Then the excess of every drop falls by
//! the same factor, wherever it is and however long it has been there, and one number for the circuit, [`Cooling`], does
//! for all: a plug keeps its excess as it would be without cooling, and the factor is put on when it is looked at. So heat
//! is lost second by second, in standing water too, without touching a plug.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;

/// When the factor has become this small, all plugs take it in and it starts anew.
const SMALLEST_FACTOR: f64 = 1e-6;

/// How far the pipes of a circuit have cooled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cooling {
    /// Around the pipes: °C.
    pub ground: f64,
    /// Time in which an excess falls to 1/e: s.
    time: f64,
    factor: f64,
    /// The inverse of the factor: it is asked for often.
    inverse: f64,
    /// What one step of this many seconds leaves.
    keep: (f64, f64),
}

impl Cooling {
    /// Nothing has cooled yet.
    pub fn new(ground: f64, time: f64) -> Cooling {
        Cooling { ground, time, factor: 1.0, inverse: 1.0, keep: (0.0, 1.0) }
    }

    /// Lets `seconds` pass. Returns what the pipes have lost of an excess of 1 without cooling.
    pub fn step(&mut self, seconds: f64) -> f64 {
        if self.keep.0 != seconds {
            self.keep = (seconds, (-seconds / self.time).exp());
        }
        let before = self.factor;
        self.factor *= self.keep.1;
        self.inverse = self.factor.recip();
        before - self.factor
    }

    /// Whether the plugs have to take the factor in.
    pub fn is_spent(&self) -> bool {
        self.factor < SMALLEST_FACTOR
    }

    /// The factor, which begins anew at 1.
    pub fn begin_anew(&mut self) -> f64 {
        let factor = self.factor;
        (self.factor, self.inverse) = (1.0, 1.0);
        factor
    }
}

/// A pipe full of water. Excesses are over the ground, without cooling.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    /// Each plug's excess: K.
    plugs: Vec<f64>,
    /// The oldest plug, the one that drains.
    oldest: usize,
    /// Mass of one plug: kg.
    plug_mass: f64,
    /// What has flowed into the newest plug: kg, and kg·K.
    filled: f64,
    filled_excess: f64,
    /// Of all water in it: kg·K.
    excess: f64,
}

impl Pipe {
    /// A pipe with `mass` kg of water at the ground's temperature, in `plugs` plugs.
    pub fn new(mass: f64, plugs: usize) -> Pipe {
        Pipe {
            plugs: vec![0.0; plugs],
            oldest: 0,
            plug_mass: mass / plugs as f64,
            filled: 0.0,
            filled_excess: 0.0,
            excess: 0.0,
        }
    }

    /// Fills it with water of one temperature.
    pub fn start_at(&mut self, temperature: f64, cooling: &Cooling) {
        let excess = (temperature - cooling.ground) * cooling.inverse;
        self.plugs.fill(excess);
        self.excess = self.mass() * excess;
        (self.filled, self.filled_excess) = (0.0, 0.0);
    }

    /// Pushes `mass` kg of this temperature in and returns the mean temperature of what comes out.
    pub fn push(&mut self, mass: f64, temperature: f64, cooling: &Cooling) -> f64 {
        let excess = (temperature - cooling.ground) * cooling.inverse;
        if mass < self.plug_mass - self.filled {
            self.filled += mass;
            self.filled_excess += mass * excess;
            self.excess += mass * (excess - self.plugs[self.oldest]);
            return self.outlet(cooling);
        }
        cooling.ground + self.push_plugs(mass, excess) * cooling.factor
    }

    /// The rarer case: a plug is drained and a new one complete. Returns the excess of what comes out.
    #[inline(never)]
    fn push_plugs(&mut self, mass: f64, excess: f64) -> f64 {
        let mut left = mass;
        let mut out = 0.0;
        while left >= self.plug_mass - self.filled {
            let part = self.plug_mass - self.filled;
            out += part * self.plugs[self.oldest];
            left -= part;
            self.plugs[self.oldest] = (self.filled_excess + part * excess) / self.plug_mass;
            (self.filled, self.filled_excess) = (0.0, 0.0);
            self.oldest = if self.oldest + 1 == self.plugs.len() { 0 } else { self.oldest + 1 };
        }
        self.filled = left;
        self.filled_excess = left * excess;
        out += left * self.plugs[self.oldest];
        self.excess += mass * excess - out;
        out / mass
    }

    /// Takes the factor of a spent cooling into the plugs.
    pub fn take_in(&mut self, factor: f64) {
        self.plugs.iter_mut().for_each(|plug| *plug *= factor);
        self.filled_excess *= factor;
        self.excess *= factor;
    }

    /// What would come out now: °C.
    pub fn outlet(&self, cooling: &Cooling) -> f64 {
        cooling.ground + self.plugs[self.oldest] * cooling.factor
    }

    /// Excess of all its water, without cooling: kg·K.
    pub fn excess(&self) -> f64 {
        self.excess
    }

    /// Its water: kg.
    pub fn mass(&self) -> f64 {
        self.plug_mass * self.plugs.len() as f64
    }
}

/// Heat over 0 °C of `mass` kg of water in pipes with this excess: kg·°C.
pub(crate) fn stored(mass: f64, excess: f64, cooling: &Cooling) -> f64 {
    mass * cooling.ground + excess * cooling.factor
}

/// What pipes with this excess have lost in a step: J; `share` is what [`Cooling::step`] gave.
pub(crate) fn lost(excess: f64, share: f64) -> f64 {
    excess * share * WATER_HEAT_CAPACITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_arrives_when_the_water_before_it_has_left() {
        let cooling = Cooling::new(5.0, 1e12);
        let mut pipe = Pipe::new(600.0, 60);
        pipe.start_at(40.0, &cooling);
        let mut arrival = None;
        for second in 1..200 {
            let out = pipe.push(5.0, 60.0, &cooling);
            if out > 50.0 && arrival.is_none() {
                arrival = Some(second);
            }
        }
        // 600 kg at 5 kg/s: 120 s, give or take a plug of 10 kg.
        assert!((118..=123).contains(&arrival.unwrap()), "{arrival:?}");
    }

    #[test]
    fn nothing_is_lost_on_the_way_but_what_cooling_takes() {
        let mut cooling = Cooling::new(5.0, 20_000.0);
        let mut pipe = Pipe::new(500.0, 40);
        pipe.start_at(40.0, &cooling);
        let heat = |pipe: &Pipe, cooling: &Cooling| stored(pipe.mass(), pipe.excess(), cooling);
        let start = heat(&pipe, &cooling);
        let (mut came, mut left, mut gone) = (0.0, 0.0, 0.0);
        // Long enough for the factor to be taken in several times.
        for second in 1..400_000 {
            let t = f64::from(second);
            gone += lost(pipe.excess(), cooling.step(1.0)) / WATER_HEAT_CAPACITY;
            if cooling.is_spent() {
                pipe.take_in(cooling.begin_anew());
            }
            let (mass, warm) = (3.0 + 30.0 * (t / 300.0).sin().powi(8), 50.0 + 10.0 * (t / 90.0).sin());
            came += mass * warm;
            left += mass * pipe.push(mass, warm, &cooling);
        }
        let balance = came - left - (heat(&pipe, &cooling) - start) - gone;
        assert!(balance.abs() < 1e-9 * came, "{balance} of {came}");
        assert!(gone > 0.0);
    }

    #[test]
    fn standing_water_cools_towards_the_ground() {
        let mut cooling = Cooling::new(5.0, 10_000.0);
        let mut pipe = Pipe::new(100.0, 10);
        pipe.start_at(60.0, &cooling);
        for _ in 0..10_000 {
            cooling.step(1.0);
        }
        // One time constant: 5 + 55/e = 25.2 °C.
        assert!((pipe.outlet(&cooling) - 25.23).abs() < 0.01, "{}", pipe.outlet(&cooling));
    }
}
