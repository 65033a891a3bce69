//! A pump with its drive: affinity laws, efficiency, electric power, run-up, trips.
//!
//! One pump is H = ν² H₀ − a G², with ν its speed over 50 Hz (flow goes with ν, head with ν², power with ν³). Pumps beside
//! each other stand behind check valves: the one that cannot reach the common head gives nothing and takes nothing back.

use heatstation_points::quantity::WATER_DENSITY;

const GRAVITY: f64 = 9.81;
/// The drive says "running" this long after the start command.
const RUNNING_AFTER_SECONDS: f64 = 1.5;
/// A stopped pump coasts down in this time from 50 Hz; most of the flow is gone in the first third.
const COAST_SECONDS: f64 = 10.0;
/// Head at no flow over head at the best point, of usual in-line and end-suction pumps.
const SHUT_OFF_RATIO: f64 = 1.25;
/// What a drive draws while it stands: W.
const DRIVE_IDLE_WATTS: f64 = 40.0;
/// Share of full speed above which the motor is reckoned as turning.
const TURNING: f64 = 0.01;

/// Motor efficiency by load, relative to a best of 0.92. The table of the US Department of Energy that Modelica IBPSA
/// carries has 0.46, 0.75 and 0.95 at a tenth, a fifth and two fifths of load for 7.5 kW; circulation motors of 15 to
/// 45 kW are flatter, and these numbers lie where its curves for them do.
const MOTOR_BEST: f64 = 0.92;
const MOTOR_BY_LOAD: [(f64, f64); 6] = [(0.0, 0.05), (0.1, 0.68), (0.2, 0.86), (0.4, 0.97), (0.6, 1.0), (1.2, 1.0)];

/// Head curve and best point, in kg/s and Pa at 50 Hz.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PumpCurve {
    /// Head at no flow: Pa.
    pub shut_off: f64,
    /// Pa/(kg/s)².
    pub slope: f64,
    /// Flow of the best efficiency: kg/s.
    pub best_flow: f64,
    /// Hydraulic over shaft power at the best point.
    pub best_efficiency: f64,
    /// Rated motor power: W.
    pub rated_power: f64,
}

impl PumpCurve {
    /// A pump whose best point is this flow (kg/s) and head (Pa).
    pub fn for_duty(flow: f64, head: f64, best_efficiency: f64) -> PumpCurve {
        let shut_off = head * SHUT_OFF_RATIO;
        PumpCurve {
            shut_off,
            slope: (shut_off - head) / (flow * flow),
            best_flow: flow,
            best_efficiency,
            // Motors come in steps and with a margin of 15 to 25 %.
            rated_power: 1.2 * flow / WATER_DENSITY * head / best_efficiency,
        }
    }

    /// What it delivers at this speed against this head: kg/s. The check valve lets nothing back.
    pub fn flow(&self, speed: f64, head: f64) -> f64 {
        let surplus = speed * speed * self.shut_off - head;
        if surplus <= 0.0 { 0.0 } else { (surplus / self.slope).sqrt() }
    }

    /// Electric power at this speed, flow and head, drive included: W.
    pub fn electric_power(&self, speed: f64, flow: f64, head: f64) -> f64 {
        if speed < TURNING {
            return DRIVE_IDLE_WATTS;
        }
        let off_best = (flow / speed - self.best_flow) / self.best_flow;
        let efficiency = (self.best_efficiency * (1.0 - 0.8 * off_best * off_best)).max(0.15);
        let hydraulic = flow / WATER_DENSITY * head;
        // A pump against a closed valve still churns: about a third of its best-point power at that speed.
        let churning = 0.3 * self.rated_power * speed * speed * speed;
        let shaft = (hydraulic / efficiency).max(churning);
        let load = shaft / self.rated_power;
        let drive = 0.90 + 0.07 * ((speed - 0.3) / 0.7).clamp(0.0, 1.0);
        DRIVE_IDLE_WATTS + shaft / (MOTOR_BEST * motor_by_load(load) * drive)
    }
}

fn motor_by_load(load: f64) -> f64 {
    let mut below = MOTOR_BY_LOAD[0];
    for &above in &MOTOR_BY_LOAD[1..] {
        if load <= above.0 {
            return below.1 + (above.1 - below.1) * (load - below.0) / (above.0 - below.0);
        }
        below = above;
    }
    below.1
}

/// Metres of water as pascals.
pub(crate) fn meters_of_water(meters: f64) -> f64 {
    meters * WATER_DENSITY * GRAVITY
}

/// What is wrong with a pump.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each trouble is there or not, by itself")]
pub(crate) struct PumpTrouble {
    /// The drive has tripped, with this code; 0 is none.
    pub trip_code: u16,
    /// The drive accepts the start but the motor does not turn (a blown fuse, an open contactor).
    pub dead: bool,
    /// The motor turns and the water does not: a broken coupling, a shut valve, air.
    pub without_flow: bool,
    /// The drive stays this far below full speed.
    pub missing_speed: f64,
    /// The selector at the cabinet says local: the pump keeps doing what it does.
    pub local: bool,
    /// No mains, or the emergency stop is pressed.
    pub unpowered: bool,
}

/// A pump, its drive and its counters.
#[derive(Clone, Debug)]
pub(crate) struct Pump {
    pub curve: PumpCurve,
    /// Hz/s over 50 Hz.
    ramp: f64,
    pub start: bool,
    /// Wanted speed over 50 Hz.
    pub speed_command: f64,
    /// Speed over 50 Hz.
    pub speed: f64,
    /// Since the drive began to run: s.
    running_for: f64,
    pub running: bool,
    /// W, written by whoever knows the head.
    pub power: f64,
    /// Counted running time: s.
    pub operating_time: f64,
    pub trouble: PumpTrouble,
    seen_start: bool,
}

impl Pump {
    pub fn new(curve: PumpCurve, ramp_hertz: f64) -> Pump {
        Pump {
            curve,
            ramp: ramp_hertz / 50.0,
            start: false,
            speed_command: 0.0,
            speed: 0.0,
            running_for: 0.0,
            running: false,
            power: 0.0,
            operating_time: 0.0,
            trouble: PumpTrouble::default(),
            seen_start: false,
        }
    }

    /// Puts it in full run.
    pub fn start_at(&mut self, speed: f64) {
        (self.start, self.seen_start, self.speed_command, self.speed, self.running_for, self.running) =
            (true, true, speed, speed, 60.0, true);
    }

    /// Whether the drive itself is in order and under power.
    pub fn healthy(&self) -> bool {
        self.trouble.trip_code == 0 && !self.trouble.unpowered
    }

    /// One step of drive and motor. Returns whether the speed changed.
    pub fn step(&mut self, seconds: f64) -> bool {
        if !self.trouble.local {
            self.seen_start = self.start;
        }
        let driven = self.seen_start && self.healthy();
        let before = self.speed;
        if driven && !self.trouble.dead {
            let step = self.ramp * seconds;
            self.speed +=
                (self.speed_command.clamp(0.0, 1.0 - self.trouble.missing_speed) - self.speed).clamp(-step, step);
            self.running_for += seconds;
            self.operating_time += seconds;
        } else {
            self.speed = (self.speed - seconds / COAST_SECONDS).max(0.0);
            self.running_for = 0.0;
        }
        self.running = driven && !self.trouble.dead && self.running_for >= RUNNING_AFTER_SECONDS;
        self.speed != before
    }

    /// Speed with which it presses on the water, over 50 Hz.
    pub fn pressing(&self) -> f64 {
        if self.trouble.without_flow { 0.0 } else { self.speed }
    }

    /// What the drive shows as its output frequency over 50 Hz; 0 when it gives nothing out.
    pub fn speed_feedback(&self) -> f64 {
        if self.seen_start && self.healthy() { self.speed } else { 0.0 }
    }
}

/// Total flow and head of pumps beside each other on a system that takes H = `resistance` · G².
///
/// Returns (kg/s, Pa). `shares` receives each pump's flow.
pub(crate) fn operating_point(pumps: &[Pump], resistance: f64, shares: &mut [f64]) -> (f64, f64) {
    shares.fill(0.0);
    let greatest = pumps.iter().map(|p| p.pressing() * p.pressing() * p.curve.shut_off).fold(0.0, f64::max);
    if greatest <= 0.0 {
        return (0.0, 0.0);
    }
    let excess = |head: f64| {
        let flow: f64 = pumps.iter().map(|p| p.curve.flow(p.pressing(), head)).sum();
        resistance * flow * flow - head
    };
    // The excess falls steadily with the head: halving, with a secant step inside the bracket (Illinois).
    let (mut low, mut high) = (0.0, greatest);
    let (mut at_low, mut at_high) = (excess(low), excess(high));
    let mut head = high;
    for _ in 0..60 {
        head =
            if at_low - at_high > 0.0 { low + (high - low) * at_low / (at_low - at_high) } else { 0.5 * (low + high) };
        let at_head = excess(head);
        if at_head.abs() < 1e-6 * greatest || high - low < 1e-9 * greatest {
            break;
        }
        if at_head > 0.0 {
            (low, at_low) = (head, at_head);
            at_high *= 0.5;
        } else {
            (high, at_high) = (head, at_head);
            at_low *= 0.5;
        }
    }
    let mut total = 0.0;
    for (share, pump) in shares.iter_mut().zip(pumps) {
        *share = pump.curve.flow(pump.pressing(), head);
        total += *share;
    }
    (total, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pump(speed: f64) -> Pump {
        let mut pump = Pump::new(PumpCurve::for_duty(40.0, 200_000.0, 0.76), 1.0);
        pump.start_at(speed);
        pump
    }

    fn point(pumps: &[Pump], resistance: f64) -> (f64, f64) {
        operating_point(pumps, resistance, &mut [0.0; 3][..pumps.len()])
    }

    /// The system that takes 200 kPa at 40 kg/s.
    const RESISTANCE: f64 = 200_000.0 / 1600.0;

    #[test]
    fn flow_goes_with_speed_head_with_its_square_and_power_with_its_cube() {
        let (full, head) = point(&[pump(1.0)], RESISTANCE);
        assert!((full - 40.0).abs() < 1e-3 && (head - 200_000.0).abs() < 10.0);
        for speed in [0.8, 0.6, 0.5] {
            let (flow, head) = point(&[pump(speed)], RESISTANCE);
            assert!((flow / 40.0 - speed).abs() < 1e-4, "flow {flow} at speed {speed}");
            assert!((head / 200_000.0 - speed * speed).abs() < 1e-4, "head {head} at speed {speed}");
            // The hydraulic power obeys the cube exactly; the electric one loses a little to motor and drive.
            let curve = pump(1.0).curve;
            let electric = curve.electric_power(speed, flow, head) / curve.electric_power(1.0, 40.0, 200_000.0);
            let cube = speed * speed * speed;
            assert!(cube < electric && electric < 1.9 * cube, "{electric} against {cube}");
        }
    }

    #[test]
    fn a_hundred_thousand_square_metres_take_about_27_kilowatts() {
        // 250 t/h and 28 m.
        let (flow, head) = (250.0 / 3.6, meters_of_water(28.0));
        let power = PumpCurve::for_duty(flow, head, 0.78).electric_power(1.0, flow, head);
        assert!((25_000.0..31_000.0).contains(&power), "{power}");
    }

    #[test]
    fn a_second_pump_gives_more_but_not_twice_and_a_slow_one_gives_nothing_back() {
        let (one, _) = point(&[pump(1.0)], RESISTANCE);
        let (two, _) = point(&[pump(1.0), pump(1.0)], RESISTANCE);
        assert!(1.02 * one < two && two < 1.6 * one, "{one} {two}");

        let mut shares = [0.0; 2];
        let (both, head) = operating_point(&[pump(1.0), pump(0.4)], RESISTANCE, &mut shares);
        assert!((both - one).abs() < 1e-3 && shares[1] == 0.0 && head > 0.0);
    }

    #[test]
    fn it_says_running_after_a_moment_and_reaches_its_speed_along_the_ramp() {
        let mut pump = Pump::new(PumpCurve::for_duty(40.0, 200_000.0, 0.76), 1.0);
        (pump.start, pump.speed_command) = (true, 0.8);
        pump.step(1.0);
        assert!(!pump.running);
        pump.step(1.0);
        assert!(pump.running);
        for _ in 0..38 {
            pump.step(1.0);
        }
        assert!((pump.speed - 0.8).abs() < 1e-9);
        pump.trouble.trip_code = 16;
        pump.step(1.0);
        assert!(!pump.running && pump.speed_feedback() == 0.0);
    }
}
