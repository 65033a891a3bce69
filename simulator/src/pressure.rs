//! The pressure at the holding point: a closed loop that breathes with its temperature, leaks, and is topped up.
//!
//! C dp/dt = make-up − leak − relief + dV/dt of the water's expansion, with C the compliance of network and vessel. A loop
//! that shrinks below vacuum tears: the missing volume is booked and has to be filled before pressure comes back. The
//! holding point is the suction of the circulation pumps; all other pressures follow from it and the pumps.

use heatstation_points::quantity::WATER_DENSITY;

use crate::pump::{Pump, PumpCurve};
use crate::settings::MakeUpSettings;

/// Volume growth of water: 1/K, at 0, 20, 40, 60, 80, 100 °C (steam tables, to two figures).
const EXPANSION: [f64; 6] = [-0.7e-4, 2.1e-4, 3.9e-4, 5.2e-4, 6.4e-4, 7.5e-4];
/// Height of the make-up tank, its switches and its overflow: m.
const TANK_HIGH_SWITCH: f64 = 1.8;
const TANK_LOW_SWITCH: f64 = 0.4;
const TANK_OVERFLOW: f64 = 1.95;
/// Below this the make-up pump draws air.
const TANK_SUCTION: f64 = 0.1;
/// No pressure below vacuum: Pa, gauge.
const VACUUM: f64 = -95_000.0;
/// The relief solenoid passes this at 400 kPa: m³/s. (DN25.)
const RELIEF_FLOW: f64 = 3.0e-3;
/// A safety valve reseats this much below its opening pressure.
const SAFETY_RESEAT: f64 = 0.9;

/// Expansion coefficient at this temperature: 1/K.
pub(crate) fn expansion_coefficient(celsius: f64) -> f64 {
    let place = (celsius / 20.0).clamp(0.0, 4.999);
    let (below, part) = (place as usize, place.fract());
    EXPANSION[below] + (EXPANSION[below + 1] - EXPANSION[below]) * part
}

/// Make-up, relief, leak, tank and the pressure that results.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a valve that stands open or not, and they do so independently"
)]
pub(crate) struct Pressure {
    settings: MakeUpSettings,
    /// Pa, gauge, at the suction of the circulation pumps.
    pub holding: f64,
    pub pumps: Vec<Pump>,
    pub relief_open: bool,
    pub inlet_open: bool,
    pub relief_stuck_open: bool,
    /// No water comes from the mains.
    pub tap_lost: bool,
    safety_open: bool,
    /// m³/(s √Pa): what seeps at any time, and a burst on top.
    seep: f64,
    burst: f64,
    /// m.
    pub level: f64,
    /// m³/s of this step.
    pub make_up_flow: f64,
    pub leak_flow: f64,
    pub relief_flow: f64,
    /// m³ so far.
    pub make_up_volume: f64,
    pub leak_volume: f64,
    pub relief_volume: f64,
    pub tap_volume: f64,
    pub overflow_volume: f64,
    pub expansion_volume: f64,
    /// Where the loop has torn: the room that vapour fills when water shrinks below vacuum. m³.
    pub void_volume: f64,
}

impl Pressure {
    /// A loop with `water` m³ of water.
    pub fn new(settings: MakeUpSettings, water: f64) -> Pressure {
        // The best point lies at the holding pressure and a safety margin, as for a pump picked from a catalogue.
        let flow = settings.flow / 3600.0 * WATER_DENSITY;
        let head = settings.filled_to.0 * 1.1 + 30_000.0;
        let curve = PumpCurve::for_duty(flow, head, 0.5);
        let day = 86_400.0;
        Pressure {
            settings,
            holding: settings.filled_to.0,
            pumps: (0..settings.pumps).map(|_| Pump::new(curve, 5.0)).collect(),
            relief_open: false,
            inlet_open: false,
            relief_stuck_open: false,
            tap_lost: false,
            safety_open: false,
            seep: water * settings.daily_leak.0 / day / settings.filled_to.0.max(1.0).sqrt(),
            burst: 0.0,
            level: 1.5,
            make_up_flow: 0.0,
            leak_flow: 0.0,
            relief_flow: 0.0,
            make_up_volume: 0.0,
            leak_volume: 0.0,
            relief_volume: 0.0,
            tap_volume: 0.0,
            overflow_volume: 0.0,
            expansion_volume: 0.0,
            void_volume: 0.0,
        }
    }

    /// A burst that loses this much at the pressure the loop was filled to: m³/s; 0 for none.
    pub fn burst(&mut self, flow: f64) {
        self.burst = flow / self.settings.filled_to.0.max(1.0).sqrt();
    }

    /// One step, with the growth of the loop's water by its temperature: m³.
    pub fn step(&mut self, seconds: f64, expansion: f64) {
        let pressure = self.holding.max(0.0);
        self.leak_flow = (self.seep + self.burst) * pressure.sqrt();
        self.relief_flow = self.relief(pressure);
        self.make_up_flow = self.make_up(seconds);

        let gain = (self.make_up_flow - self.leak_flow - self.relief_flow) * seconds + expansion;
        let held = (self.holding - VACUUM) * self.settings.compliance - self.void_volume + gain;
        self.holding = VACUUM + held.max(0.0) / self.settings.compliance;
        self.void_volume = (-held).max(0.0);
        self.expansion_volume += expansion;
        self.make_up_volume += self.make_up_flow * seconds;
        self.leak_volume += self.leak_flow * seconds;
        self.relief_volume += self.relief_flow * seconds;
        self.tank(seconds);
    }

    fn relief(&mut self, pressure: f64) -> f64 {
        let opens_at = self.settings.safety_valve.0;
        self.safety_open = pressure > opens_at || (self.safety_open && pressure > opens_at * SAFETY_RESEAT);
        let solenoid = if self.relief_open || self.relief_stuck_open { RELIEF_FLOW } else { 0.0 };
        let safety = if self.safety_open { 2.0 * RELIEF_FLOW } else { 0.0 };
        (solenoid + safety) * (pressure / 400_000.0).sqrt()
    }

    fn make_up(&mut self, seconds: f64) -> f64 {
        let mut flow = 0.0;
        let (holding, level) = (self.holding, self.level);
        for pump in &mut self.pumps {
            pump.step(seconds);
            let delivered = if level > TANK_SUCTION { pump.curve.flow(pump.pressing(), holding) } else { 0.0 };
            pump.power = pump.curve.electric_power(pump.speed, delivered, holding.max(0.0));
            flow += delivered / WATER_DENSITY;
        }
        // A stiff network would swing through its whole pressure within one step of a strong pump; the pumps can raise
        // it no further than to where they deliver nothing.
        let ceiling = self.pumps.iter().map(|p| p.pressing() * p.pressing() * p.curve.shut_off).fold(holding, f64::max);
        flow.min((ceiling - holding) * self.settings.compliance / seconds)
    }

    fn tank(&mut self, seconds: f64) {
        let flows = self.inlet_open && !self.tap_lost && self.level < TANK_OVERFLOW;
        let inlet = if flows { self.settings.inlet_flow / 3600.0 } else { 0.0 };
        self.tap_volume += inlet * seconds;
        self.level += (inlet - self.make_up_flow) * seconds / self.settings.tank_area;
        let spilled = (self.level - TANK_OVERFLOW).max(0.0);
        self.overflow_volume += spilled * self.settings.tank_area;
        self.level -= spilled;
    }

    /// The tank's low-level switch.
    pub fn tank_low(&self) -> bool {
        self.level < TANK_LOW_SWITCH
    }

    /// The tank's high-level switch.
    pub fn tank_high(&self) -> bool {
        self.level > TANK_HIGH_SWITCH
    }

    /// Whether the relief solenoid stands open, commanded or stuck.
    pub fn relief_feedback(&self) -> bool {
        self.relief_open || self.relief_stuck_open
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::{Celsius, Pascals, Ratio};

    use super::*;

    fn pressure() -> Pressure {
        let settings = MakeUpSettings {
            pumps: 1,
            flow: 4.0,
            static_head: Pascals(250_000.0),
            filled_to: Pascals(290_000.0),
            compliance: 1.2e-6,
            daily_leak: Ratio(0.01),
            safety_valve: Pascals(500_000.0),
            tank_area: 4.0,
            inlet_flow: 8.0,
            temperature: Celsius(12.0),
        };
        Pressure::new(settings, 100.0)
    }

    #[test]
    fn a_hundred_cubic_metres_grow_46_litres_a_kelvin_at_50_degrees() {
        assert!((expansion_coefficient(50.0) * 100.0 - 0.0455).abs() < 0.001);
        let mut loop_ = pressure();
        loop_.step(1.0, 0.0455);
        // 45.5 l into 1.2e-6 m³/Pa: 37.9 kPa.
        assert!((loop_.holding - 290_000.0 - 37_900.0).abs() < 200.0, "{}", loop_.holding);
    }

    #[test]
    fn it_sinks_with_the_leak_and_make_up_lifts_it_again() {
        let mut loop_ = pressure();
        for _ in 0..3600 {
            loop_.step(1.0, 0.0);
        }
        // 1 % of 100 m³ a day is 41.7 l an hour.
        assert!((loop_.leak_volume - 0.0417).abs() < 0.004, "{}", loop_.leak_volume);
        assert!((loop_.holding - 255_600.0).abs() < 3000.0, "{}", loop_.holding);
        (loop_.pumps[0].start, loop_.pumps[0].speed_command) = (true, 1.0);
        for _ in 0..60 {
            loop_.step(1.0, 0.0);
        }
        assert!(loop_.holding > 285_000.0 && loop_.make_up_volume > 0.03, "{}", loop_.holding);
    }

    #[test]
    fn the_safety_valve_opens_by_itself_and_an_empty_tank_stops_the_make_up() {
        let mut loop_ = pressure();
        loop_.step(1.0, 0.3);
        loop_.step(1.0, 0.0);
        assert!(loop_.relief_flow > 0.005);

        let mut loop_ = pressure();
        loop_.level = 0.05;
        (loop_.pumps[0].start, loop_.pumps[0].speed_command) = (true, 1.0);
        for _ in 0..30 {
            loop_.step(1.0, 0.0);
        }
        assert!(loop_.make_up_volume == 0.0 && loop_.tank_low());
    }
}
