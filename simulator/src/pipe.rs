//! Plug flow in a pipe: what comes in comes out when the water between has left, cooler by what the ground took.
//!
//! The pipe is a row of equal plugs. Water fills the newest and drains the oldest by the same mass, so nothing is lost and
//! nothing mixes beyond one plug. A plug's heat loss is reckoned once, over its whole stay, when it comes to the outlet.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;

#[derive(Clone, Copy, Debug)]
struct Plug {
    temperature: f64,
    /// When it was filled, on the plant's own clock: s.
    since: f64,
}

/// A pipe full of water.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    plugs: Vec<Plug>,
    /// The oldest plug, the one that drains.
    oldest: usize,
    /// Temperature of the oldest plug as it leaves.
    outlet: f64,
    /// Mass of one plug: kg.
    plug_mass: f64,
    /// What has flowed into the newest plug: kg, and kg·°C.
    filled: f64,
    filled_heat: f64,
    /// Heat of all water in it over 0 °C, in kg·°C.
    stored: f64,
    /// Heat lost so far: J.
    lost: f64,
    /// Time in which the excess over the surroundings falls to 1/e: s.
    cooling_time: f64,
}

impl Pipe {
    /// A pipe with `mass` kg of water at `temperature`, in `plugs` plugs, that cools with this time constant: s.
    pub fn new(mass: f64, plugs: usize, temperature: f64, cooling_time: f64) -> Pipe {
        Pipe {
            plugs: vec![Plug { temperature, since: 0.0 }; plugs],
            oldest: 0,
            outlet: temperature,
            plug_mass: mass / plugs as f64,
            filled: 0.0,
            filled_heat: 0.0,
            stored: mass * temperature,
            lost: 0.0,
            cooling_time,
        }
    }

    /// Fills it with water of one temperature.
    pub fn start_at(&mut self, temperature: f64) {
        self.plugs.fill(Plug { temperature, since: 0.0 });
        self.stored = self.plug_mass * self.plugs.len() as f64 * temperature;
        (self.outlet, self.filled, self.filled_heat) = (temperature, 0.0, 0.0);
    }

    /// Pushes `mass` kg of this temperature in at `now` and returns the mean temperature of what comes out.
    pub fn push(&mut self, mass: f64, temperature: f64, now: f64, surroundings: f64) -> f64 {
        if mass < self.plug_mass - self.filled {
            self.filled += mass;
            self.filled_heat += mass * temperature;
            self.stored += mass * (temperature - self.outlet);
            return self.outlet;
        }
        self.push_plugs(mass, temperature, now, surroundings)
    }

    /// The rarer case: a plug is drained and a new one complete.
    #[inline(never)]
    fn push_plugs(&mut self, mass: f64, temperature: f64, now: f64, surroundings: f64) -> f64 {
        let mut left = mass;
        let mut out_heat = 0.0;
        while left >= self.plug_mass - self.filled {
            let part = self.plug_mass - self.filled;
            out_heat += part * self.outlet;
            self.stored += part * (temperature - self.outlet);
            left -= part;
            let mixed = (self.filled_heat + part * temperature) / self.plug_mass;
            self.plugs[self.oldest] = Plug { temperature: mixed, since: now };
            (self.filled, self.filled_heat) = (0.0, 0.0);

            self.oldest = if self.oldest + 1 == self.plugs.len() { 0 } else { self.oldest + 1 };
            let plug = self.plugs[self.oldest];
            let kept = (-(now - plug.since) / self.cooling_time).exp();
            self.outlet = surroundings + (plug.temperature - surroundings) * kept;
            let cooled = self.plug_mass * (plug.temperature - self.outlet);
            self.stored -= cooled;
            self.lost += cooled * WATER_HEAT_CAPACITY;
        }
        self.filled = left;
        self.filled_heat = left * temperature;
        self.stored += left * (temperature - self.outlet);
        out_heat += left * self.outlet;
        out_heat / mass
    }

    /// What would come out now: °C.
    pub fn outlet(&self) -> f64 {
        self.outlet
    }

    /// Heat of its water over 0 °C: kg·°C.
    pub fn stored(&self) -> f64 {
        self.stored
    }

    /// Heat lost to the surroundings so far: J.
    pub fn lost(&self) -> f64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_arrives_when_the_water_before_it_has_left() {
        let mut pipe = Pipe::new(600.0, 60, 40.0, 1e12);
        let mut arrival = None;
        for second in 1..200 {
            let out = pipe.push(5.0, 60.0, f64::from(second), 5.0);
            if out > 50.0 && arrival.is_none() {
                arrival = Some(second);
            }
        }
        // 600 kg at 5 kg/s: 120 s, give or take a plug of 10 kg.
        assert!((118..=123).contains(&arrival.unwrap()), "{arrival:?}");
    }

    #[test]
    fn nothing_is_lost_on_the_way_but_what_cooling_takes() {
        let mut pipe = Pipe::new(500.0, 40, 40.0, 20_000.0);
        let start = pipe.stored();
        let (mut came, mut left) = (0.0, 0.0);
        for second in 1..5000 {
            let t = f64::from(second);
            let (mass, warm) = (3.0 + 30.0 * (t / 300.0).sin().powi(8), 50.0 + 10.0 * (t / 90.0).sin());
            came += mass * warm;
            left += mass * pipe.push(mass, warm, t, 5.0);
        }
        let balance = came - left - (pipe.stored() - start) - pipe.lost() / WATER_HEAT_CAPACITY;
        assert!(balance.abs() < 1e-6 * came, "{balance} of {came}");
        assert!(pipe.lost() > 0.0);
    }

    #[test]
    fn standing_water_cools_towards_the_ground() {
        let mut pipe = Pipe::new(100.0, 10, 60.0, 10_000.0);
        pipe.push(10.0, 60.0, 10_000.0, 5.0);
        // One time constant: 5 + 55/e = 25.2 °C.
        assert!((pipe.outlet() - 25.23).abs() < 0.1, "{}", pipe.outlet());
    }
}
