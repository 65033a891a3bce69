//! Who gets how much water: a tree of near and far buildings on one trunk.
//!
//! All resistances are turbulent, Δp = S G². Such a tree scales: the shares of the buildings depend on the valves alone,
//! never on the total flow. So the tree is folded from its far end into one resistance whenever a valve has moved, exactly
//! and without iteration, and in between only the total has to be found.

/// One building's place on the trunk. Resistances in Pa/(kg/s)².
#[derive(Clone, Debug)]
struct Tap {
    /// Trunk from the tap before to this one and back.
    trunk: f64,
    /// The building with its valve and flats open.
    branch: f64,
    /// Resistance of the open building valve, part of `branch`.
    valve: f64,
    /// Relative opening area of the building valve, 1 open.
    opening: f64,
    /// Share of the building's flats that are open, by flow.
    open_flats: f64,
    /// What the tap gets of the total.
    share: f64,
    /// What passes the trunk before the tap, of the total.
    passing: f64,
}

impl Tap {
    fn resistance(&self) -> f64 {
        let flats = (self.branch - self.valve) / (self.open_flats * self.open_flats);
        self.valve / (self.opening * self.opening) + flats
    }
}

/// The tree.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    taps: Vec<Tap>,
    resistance: f64,
}

/// A share of its branch that a wide-open building valve takes.
const BUILDING_VALVE_AUTHORITY: f64 = 0.3;
/// Nothing closes to zero: a closed valve leaks this much.
const TIGHT: f64 = 1e-3;

impl Network {
    /// A network that gives the taps `shares` (normalised) when all is open, with `trunk_head` lost on the way to the
    /// farthest tap and `far_head` in that building, at `flow` kg/s: Pa.
    ///
    /// The trunk has as many equal stretches as taps; a stretch's head goes with the square of what passes it, as a trunk
    /// that keeps its diameter from tap to tap loses it, softened because the diameter does shrink along the way.
    pub fn sized(shares: &[f64], flow: f64, trunk_head: f64, far_head: f64) -> Network {
        let total: f64 = shares.iter().sum();
        let mut passing = total;
        let mut heads = Vec::with_capacity(shares.len());
        let mut passings = Vec::with_capacity(shares.len());
        for share in shares {
            heads.push((passing / total).sqrt());
            passings.push(passing / total);
            passing -= share;
        }
        let scale = trunk_head / heads.iter().sum::<f64>();
        let mut left = trunk_head + far_head;
        let mut taps = Vec::with_capacity(shares.len());
        for ((share, head), passing) in shares.iter().zip(heads).zip(passings) {
            let (share, head) = (share / total, head * scale);
            left -= head;
            let branch = left / (share * flow).powi(2);
            taps.push(Tap {
                trunk: head / (passing * flow).powi(2),
                branch,
                valve: branch * BUILDING_VALVE_AUTHORITY,
                opening: 1.0,
                open_flats: 1.0,
                share,
                passing,
            });
        }
        let mut network = Network { taps, resistance: 0.0 };
        network.fold();
        network
    }

    /// Sets a building's relative valve area and the share of its flats that are open.
    pub fn set(&mut self, tap: usize, opening: f64, open_flats: f64) {
        self.taps[tap].opening = opening.max(TIGHT);
        self.taps[tap].open_flats = open_flats.max(TIGHT);
    }

    /// Works out shares and total resistance after a change.
    pub fn fold(&mut self) {
        // From the far end: conductance 1/√S adds beside, resistance adds in line. `share` holds for a moment what the
        // tap takes of what passes its trunk.
        let mut beyond = 0.0;
        for tap in self.taps.iter_mut().rev() {
            let own = tap.resistance().sqrt().recip();
            let both = own + beyond;
            tap.share = own / both;
            let in_line = tap.trunk + 1.0 / (both * both);
            beyond = in_line.sqrt().recip();
            self.resistance = in_line;
        }
        let mut passing = 1.0;
        for tap in &mut self.taps {
            tap.passing = passing;
            tap.share *= passing;
            passing -= tap.share;
        }
    }

    /// The whole tree as one resistance: Pa/(kg/s)².
    pub fn resistance(&self) -> f64 {
        self.resistance
    }

    /// What a tap gets of the total.
    pub fn share(&self, tap: usize) -> f64 {
        self.taps[tap].share
    }

    /// What passes the trunk before a tap, of the total.
    pub fn passing(&self, tap: usize) -> f64 {
        self.taps[tap].passing
    }

    /// Differential pressure at a tap's entrance at this total flow: Pa.
    pub fn differential_pressure(&self, tap: usize, flow: f64) -> f64 {
        let tap = &self.taps[tap];
        tap.resistance() * (tap.share * flow).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sized_network_gives_the_wanted_shares_and_head() {
        let wanted = [1.2, 1.1, 1.0, 0.95, 0.9, 0.85];
        let network = Network::sized(&wanted, 45.0, 80_000.0, 40_000.0);
        for (tap, share) in wanted.iter().enumerate() {
            assert!((network.share(tap) - share / 6.0).abs() < 1e-9, "tap {tap}: {}", network.share(tap));
        }
        assert!((network.resistance() * 45.0 * 45.0 - 120_000.0).abs() < 1e-6);
        assert!((network.differential_pressure(5, 45.0) - 40_000.0).abs() < 1e-6);
    }

    #[test]
    fn closing_a_near_building_gives_its_water_to_the_others() {
        let mut network = Network::sized(&[1.0, 1.0, 1.0], 30.0, 60_000.0, 40_000.0);
        let (before, resistance) = (network.share(2), network.resistance());
        network.set(0, 0.0, 1.0);
        network.fold();
        assert!(network.share(0) < 0.01 && network.share(2) > 1.3 * before && network.resistance() > resistance);
        let all: f64 = (0..3).map(|tap| network.share(tap)).sum();
        assert!((all - 1.0).abs() < 1e-12);
    }
}
