//! The primary control valve: equal percentage, authority, leakage, stroke time, play.

use crate::settings::{ValveSettings, WithoutPower};

/// Below half of this opening the curve runs straight to the leakage, up to one and a half it bends over.
const SEAT: f64 = 0.02;
/// A spring closes the valve in this many seconds.
const SPRING_SECONDS: f64 = 10.0;

/// Flow of the open area, relative: R^(y−1), with a straight foot to the leakage (as Modelica IBPSA's
/// `TwoWayEqualPercentage` does).
pub(crate) fn opening(stem: f64, rangeability: f64, leakage: f64) -> f64 {
    let exponential = |y: f64| rangeability.powf(y - 1.0);
    let foot = |y: f64| leakage + y * (exponential(SEAT) - leakage) / SEAT;
    let (low, high) = (0.5 * SEAT, 1.5 * SEAT);
    if stem >= high {
        exponential(stem)
    } else if stem <= low {
        foot(stem)
    } else {
        // Hermite cubic between the two branches.
        let s = (stem - low) / SEAT;
        let slope_low = (exponential(SEAT) - leakage) / SEAT * SEAT;
        let slope_high = exponential(high) * rangeability.ln() * SEAT;
        let (s2, s3) = (s * s, s * s * s);
        (2.0 * s3 - 3.0 * s2 + 1.0) * foot(low)
            + (s3 - 2.0 * s2 + s) * slope_low
            + (3.0 * s2 - 2.0 * s3) * exponential(high)
            + (s3 - s2) * slope_high
    }
}

/// What is wrong with the valve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ValveTrouble {
    /// The gear does not move.
    pub stuck: bool,
    /// Play beyond the valve's own.
    pub stiction: f64,
    /// What a worn seat lets through, of the open valve's flow.
    pub leak: f64,
    /// The motor has no power.
    pub unpowered: bool,
    /// The selector at the valve says local: it follows no command.
    pub local: bool,
}

/// A motor valve with its flow.
#[derive(Clone, Debug)]
pub(crate) struct Valve {
    settings: ValveSettings,
    /// Flow of the open valve at the nominal differential pressure: kg/s.
    greatest_flow: f64,
    nominal_pressure: f64,
    pub command: f64,
    /// The contacts that open and close the motor without its positioner; none as long as nobody has used them.
    pub contacts: Option<(bool, bool)>,
    /// Where the motor stands; the feedback potentiometer sits here.
    motor: f64,
    /// Where the plug stands: the motor's position but for the play.
    stem: f64,
    opening: f64,
    /// Travel of the stem so far, in strokes.
    travel: f64,
    pub trouble: ValveTrouble,
}

impl Valve {
    /// A closed valve that passes `design_flow` (kg/s) at `nominal_pressure` (Pa), with its oversize on top.
    pub fn new(settings: ValveSettings, design_flow: f64, nominal_pressure: f64) -> Valve {
        let mut valve = Valve {
            settings,
            greatest_flow: design_flow * settings.oversize,
            nominal_pressure,
            command: 0.0,
            contacts: None,
            motor: 0.0,
            stem: 0.0,
            opening: 0.0,
            travel: 0.0,
            trouble: ValveTrouble::default(),
        };
        valve.start_at(0.0);
        valve
    }

    /// Puts motor and stem at a position.
    pub fn start_at(&mut self, position: f64) {
        (self.command, self.motor, self.stem) = (position, position, position);
        self.opening = opening(position, self.settings.rangeability, self.settings.leakage);
    }

    /// Moves towards the command.
    pub fn step(&mut self, seconds: f64) {
        let (target, stroke) = match (self.trouble.unpowered, self.settings.without_power) {
            (true, WithoutPower::Holds) => return,
            (true, WithoutPower::Closes) => (0.0, SPRING_SECONDS),
            (false, _) if self.trouble.local => return,
            (false, _) => (self.told(), self.settings.stroke.0),
        };
        let wish = target - self.motor;
        // The positioner sleeps near its target, but drives home fully at the ends: a closed valve is to be closed.
        let at_an_end = (target <= 0.0 || target >= 1.0) && wish != 0.0;
        if self.trouble.stuck || (wish.abs() <= self.settings.deadband.0 && !at_an_end) {
            return;
        }
        self.motor += wish.clamp(-seconds / stroke, seconds / stroke);
        self.follow();
    }

    /// A positioner goes where it is told; a contact drives to the end of its way, both at once nowhere.
    fn told(&self) -> f64 {
        match self.contacts {
            None => self.command.clamp(0.0, 1.0),
            Some((true, false)) => 1.0,
            Some((false, true)) => 0.0,
            Some((true, true) | (false, false)) => self.motor,
        }
    }

    /// The stem follows the motor as far as the play lets it.
    fn follow(&mut self) {
        let play = 0.5 * (self.settings.hysteresis.0 + self.trouble.stiction);
        // At its ends the motor presses the plug into its seat or the stop: no play is left there.
        let stem = if self.motor <= 0.0 || self.motor >= 1.0 {
            self.motor.clamp(0.0, 1.0)
        } else {
            self.stem.clamp(self.motor - play, self.motor + play).clamp(0.0, 1.0)
        };
        if stem != self.stem {
            self.travel += (stem - self.stem).abs();
            self.stem = stem;
            self.opening = opening(stem, self.settings.rangeability, self.settings.leakage);
        }
    }

    /// Flow at this differential pressure over valve, exchanger and pipes: kg/s.
    pub fn flow(&self, pressure: f64) -> f64 {
        let n = self.settings.authority;
        let opening = self.opening.max(self.trouble.leak);
        let shape = (n / (opening * opening) + 1.0 - n).sqrt();
        self.greatest_flow * (pressure.max(0.0) / self.nominal_pressure).sqrt() / shape
    }

    /// The position at which `flow` (kg/s) passes at the nominal pressure: to start from.
    pub fn position_for(&self, flow: f64) -> f64 {
        let n = self.settings.authority;
        let shape = (self.greatest_flow / flow.max(1e-9)).powi(2) - (1.0 - n);
        if shape <= n {
            return 1.0;
        }
        let opening = (n / shape).sqrt();
        (1.0 + opening.ln() / self.settings.rangeability.ln()).clamp(0.0, 1.0)
    }

    /// What the potentiometer at the motor shows.
    pub fn feedback(&self) -> f64 {
        self.motor
    }

    /// Where the plug really stands.
    pub fn stem(&self) -> f64 {
        self.stem
    }

    /// Travel of the plug so far, in full strokes.
    pub fn travel(&self) -> f64 {
        self.travel
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::{Ratio, Seconds};

    use super::*;

    fn valve(hysteresis: f64) -> Valve {
        let settings = ValveSettings {
            oversize: 1.0,
            authority: 0.4,
            rangeability: 50.0,
            leakage: 5e-4,
            stroke: Seconds(120.0),
            hysteresis: Ratio(hysteresis),
            deadband: Ratio(0.002),
            without_power: WithoutPower::Holds,
        };
        Valve::new(settings, 20.0, 150_000.0)
    }

    fn run(valve: &mut Valve, command: f64, seconds: usize) {
        valve.command = command;
        for _ in 0..seconds {
            valve.step(1.0);
        }
    }

    #[test]
    fn the_curve_is_monotone_and_meets_its_ends() {
        let mut last = 0.0;
        for step in 0..=1000 {
            let now = opening(f64::from(step) / 1000.0, 50.0, 5e-4);
            assert!(now > last, "at {step} per mille: {now} after {last}");
            last = now;
        }
        assert_eq!(opening(0.0, 50.0, 5e-4), 5e-4);
        assert_eq!(opening(1.0, 50.0, 5e-4), 1.0);
        // Equal percentage: each tenth of the stroke multiplies by 50^0.1 = 1.4788.
        assert!((opening(0.6, 50.0, 5e-4) / opening(0.5, 50.0, 5e-4) - 1.4788).abs() < 1e-4);
    }

    #[test]
    fn open_it_passes_its_design_flow_and_four_times_the_pressure_doubles_it() {
        let mut valve = valve(0.0);
        run(&mut valve, 1.0, 130);
        assert!((valve.flow(150_000.0) - 20.0).abs() < 1e-9);
        assert!((valve.flow(600_000.0) - 40.0).abs() < 1e-9);
    }

    #[test]
    fn it_takes_its_stroke_time_and_the_stem_lags_by_half_the_play() {
        let mut valve = valve(0.02);
        run(&mut valve, 0.5, 30);
        assert!((valve.feedback() - 0.25).abs() < 1e-9);
        run(&mut valve, 0.5, 60);
        assert!((valve.stem() - 0.49).abs() < 1e-3, "opening, the stem is behind: {}", valve.stem());
        run(&mut valve, 0.4, 60);
        assert!((valve.stem() - 0.41).abs() < 1e-3, "closing, the stem is ahead: {}", valve.stem());
        run(&mut valve, 0.0, 120);
        assert_eq!(valve.stem(), 0.0);
    }

    #[test]
    fn a_contact_drives_the_motor_as_long_as_it_is_closed() {
        let mut valve = valve(0.0);
        for (contacts, seconds, stands) in
            [((true, false), 30, 0.25), ((false, false), 30, 0.25), ((false, true), 6, 0.2), ((true, true), 30, 0.2)]
        {
            valve.contacts = Some(contacts);
            run(&mut valve, 0.9, seconds);
            assert!((valve.stem() - stands).abs() < 1e-9, "{contacts:?}: {}", valve.stem());
        }
        valve.contacts = None;
        run(&mut valve, 0.9, 120);
        assert!((valve.stem() - 0.9).abs() < 1e-9);
    }

    #[test]
    fn the_starting_position_passes_the_wanted_flow() {
        let mut valve = valve(0.0);
        for flow in [2.0, 5.0, 12.0, 20.0] {
            let position = valve.position_for(flow);
            valve.start_at(position);
            assert!((valve.flow(150_000.0) - flow).abs() < 0.02 * flow, "{flow} at {position}");
        }
    }
}
