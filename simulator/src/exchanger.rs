//! The plate heat exchanger: effectiveness and number of transfer units, with flow-dependent transfer and hold-up.
//!
//! The steady heat is that of a counterflow exchanger. Transfer on each side grows with flow to the power 0.8, so a
//! half-open valve does not halve the heat (model: `PlateHeatExchangerEffectivenessNTU` of
//! Modelica Buildings). The water and
//! plates behind each outlet are one stirred volume each; with them the outlet answers in 5 to 20 s, no energy is lost on
//! the way, and a stagnant side takes on the other side's temperature as it does in reality.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;

/// Growth of the transfer coefficient with flow: 0.65 to 0.8 for plates.
const FLOW_EXPONENT: f64 = 0.8;
/// Hold-up of an outlet at design flow: s. Water and plates; the outlet's time constant.
const HOLD_UP_SECONDS: f64 = 10.0;
/// Below this share of the design flow natural convection keeps the water inside moving.
const CONVECTION_SHARE: f64 = 0.03;
/// What the insulated exchanger gives to the plant room: W/K. It matters only while nothing circulates.
const TO_PLANT_ROOM: f64 = 10.0;
const PLANT_ROOM: f64 = 22.0;
/// Flows are taken as unchanged within this relative band; the transfer coefficient is then right within 0.1 %.
const FLOW_TOLERANCE: f64 = 1e-3;

/// Heat that a counterflow exchanger moves for each watt that it could move at most.
///
/// `transfer_units` is UA over the smaller capacity flow, `capacity_ratio` the smaller over the larger (0 to 1).
pub(crate) fn effectiveness(transfer_units: f64, capacity_ratio: f64) -> f64 {
    if capacity_ratio > 0.9999 {
        return transfer_units / (1.0 + transfer_units);
    }
    let decay = (-transfer_units * (1.0 - capacity_ratio)).exp();
    (1.0 - decay) / (1.0 - capacity_ratio * decay)
}

/// UA that moves `heat` between these temperatures in counterflow: W/K.
pub(crate) fn transfer_for(heat: f64, primary: (f64, f64), secondary: (f64, f64)) -> f64 {
    let (hot, cold) = (primary.0 - secondary.0, primary.1 - secondary.1);
    let logarithmic_mean = if (hot - cold).abs() < 1e-6 { hot } else { (hot - cold) / (hot / cold).ln() };
    heat / logarithmic_mean
}

/// One side's design flow and its share of the resistance to heat.
#[derive(Clone, Debug)]
struct Side {
    /// kg/s.
    design_flow: f64,
    /// W/K at design flow.
    design_transfer: f64,
    /// Water behind the outlet, with the plates' heat as water: kg.
    hold_up: f64,
    /// The outlet: °C.
    outlet: f64,
    /// Flow for which `transfer` was worked out.
    known_flow: f64,
    transfer: f64,
}

impl Side {
    fn new(design_flow: f64, design_transfer: f64, outlet: f64) -> Side {
        Side {
            design_flow,
            design_transfer,
            hold_up: design_flow * HOLD_UP_SECONDS,
            outlet,
            known_flow: design_flow,
            transfer: design_transfer,
        }
    }

    /// The flow that takes part in the exchange: never less than natural convection inside the plates.
    fn effective_flow(&self, flow: f64) -> f64 {
        flow.max(self.design_flow * CONVECTION_SHARE)
    }

    fn transfer(&mut self, effective_flow: f64) -> f64 {
        if (effective_flow - self.known_flow).abs() > self.known_flow * FLOW_TOLERANCE {
            self.known_flow = effective_flow;
            self.transfer = self.design_transfer * (effective_flow / self.design_flow).powf(FLOW_EXPONENT);
        }
        self.transfer
    }

    /// What enters the plates: the inlet's water, and what convection brings back from the outlet when little flows.
    fn entering(&self, flow: f64, effective_flow: f64, inlet: f64) -> f64 {
        if flow >= effective_flow { inlet } else { self.outlet + (inlet - self.outlet) * (flow / effective_flow) }
    }

    /// One step of the stirred volume, implicit, so that it neither overshoots nor loses energy.
    fn settle(&mut self, flow: f64, inlet: f64, heat: f64, seconds: f64) {
        let carried = seconds * flow;
        self.outlet = (self.hold_up * self.outlet + carried * inlet + seconds * heat / WATER_HEAT_CAPACITY)
            / (self.hold_up + carried);
    }
}

/// A plate heat exchanger.
#[derive(Clone, Debug)]
pub(crate) struct Exchanger {
    primary: Side,
    secondary: Side,
    /// K/W when new: 1/UA of the clean exchanger, for fouling.
    clean_resistance: f64,
    /// K/W.
    fouling: f64,
    /// Given to the plant room so far: J.
    lost: f64,
}

impl Exchanger {
    /// An exchanger with this UA (W/K) at these design flows (kg/s), both outlets at `temperature`.
    pub fn new(design_transfer: f64, primary_flow: f64, secondary_flow: f64, temperature: f64) -> Exchanger {
        // The side with less flow has the worse coefficient: hA₁ = (1 + r) UA, hA₂ = hA₁ / r.
        let r = (primary_flow / secondary_flow).powf(FLOW_EXPONENT);
        let primary_transfer = (1.0 + r) * design_transfer;
        Exchanger {
            primary: Side::new(primary_flow, primary_transfer, temperature),
            secondary: Side::new(secondary_flow, primary_transfer / r, temperature),
            clean_resistance: 1.0 / design_transfer,
            fouling: 0.0,
            lost: 0.0,
        }
    }

    /// Fouling as a share of the clean resistance, 0 and up.
    pub fn foul(&mut self, share: f64) {
        self.fouling = self.clean_resistance * share;
    }

    /// Starts both outlets at these temperatures: °C.
    pub fn start_at(&mut self, primary_outlet: f64, secondary_outlet: f64) {
        self.primary.outlet = primary_outlet;
        self.secondary.outlet = secondary_outlet;
    }

    /// UA at these effective flows: W/K.
    fn transfer(&mut self, primary_flow: f64, secondary_flow: f64) -> f64 {
        1.0 / (1.0 / self.primary.transfer(primary_flow) + 1.0 / self.secondary.transfer(secondary_flow) + self.fouling)
    }

    /// Steady heat from primary to secondary: W.
    pub fn heat(&mut self, primary: (f64, f64), secondary: (f64, f64)) -> f64 {
        let ((primary_flow, primary_inlet), (secondary_flow, secondary_inlet)) = (primary, secondary);
        if primary_flow <= 0.0 {
            return 0.0;
        }
        let secondary_effective = self.secondary.effective_flow(secondary_flow);
        let entering = self.secondary.entering(secondary_flow, secondary_effective, secondary_inlet);
        let transfer = self.transfer(self.primary.effective_flow(primary_flow), secondary_effective);
        let (c1, c2) = (primary_flow * WATER_HEAT_CAPACITY, secondary_effective * WATER_HEAT_CAPACITY);
        let (smaller, larger) = if c1 < c2 { (c1, c2) } else { (c2, c1) };
        effectiveness(transfer / smaller, smaller / larger) * smaller * (primary_inlet - entering)
    }

    /// One step: flows in kg/s with inlet temperatures in °C. Returns the heat moved: W.
    pub fn step(&mut self, seconds: f64, primary: (f64, f64), secondary: (f64, f64)) -> f64 {
        let heat = self.heat(primary, secondary);
        self.primary.settle(primary.0, primary.1, -heat, seconds);
        let loss = TO_PLANT_ROOM * (self.secondary.outlet - PLANT_ROOM);
        self.lost += loss * seconds;
        self.secondary.settle(secondary.0, secondary.1, heat - loss, seconds);
        heat
    }

    /// Primary outlet: °C.
    pub fn primary_outlet(&self) -> f64 {
        self.primary.outlet
    }

    /// Secondary outlet: °C.
    pub fn secondary_outlet(&self) -> f64 {
        self.secondary.outlet
    }

    /// Heat given to the plant room so far: J.
    pub fn lost(&self) -> f64 {
        self.lost
    }

    /// Water that the secondary side holds, with the plates' heat as water: kg.
    pub fn secondary_hold_up(&self) -> f64 {
        self.secondary.hold_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not {right} ± {tolerance}");
    }

    #[test]
    fn effectiveness_agrees_with_hand_calculation() {
        // NTU 2, Z 0.5: e^-1 = 0.367879; (1 - 0.367879) / (1 - 0.5 · 0.367879) = 0.632121 / 0.816060 = 0.774601.
        close(effectiveness(2.0, 0.5), 0.774_601, 1e-6);
        // NTU 3, Z 1: 3/4. NTU 1, Z 0: 1 - 1/e.
        close(effectiveness(3.0, 1.0), 0.75, 1e-9);
        close(effectiveness(1.0, 0.0), 0.632_121, 1e-6);
    }

    #[test]
    fn a_four_megawatt_exchanger_needs_231_kilowatts_a_kelvin() {
        // 110/60 to 75/50 °C: differences 35 and 10 K, logarithmic mean 25 / ln 3.5 = 19.956 K; with 15 % to spare.
        let transfer = 1.15 * transfer_for(4.0e6, (110.0, 60.0), (75.0, 50.0));
        close(transfer, 230_508.0, 30.0);
    }

    #[test]
    fn one_for_floors_needs_157_kilowatts_a_kelvin() {
        // 110/45 to 45/35 °C: differences 65 and 10 K, logarithmic mean 55 / ln 6.5 = 29.38 K.
        let transfer = 1.15 * transfer_for(4.0e6, (110.0, 45.0), (45.0, 35.0));
        close(transfer, 156_555.0, 30.0);
    }

    #[test]
    fn at_design_flows_it_gives_the_design_temperatures() {
        let (primary_flow, secondary_flow) = (4.0e6 / (4182.0 * 50.0), 4.0e6 / (4182.0 * 25.0));
        let transfer = transfer_for(4.0e6, (110.0, 60.0), (75.0, 50.0));
        let mut exchanger = Exchanger::new(transfer, primary_flow, secondary_flow, 50.0);
        for _ in 0..600 {
            exchanger.step(1.0, (primary_flow, 110.0), (secondary_flow, 50.0));
        }
        close(exchanger.secondary_outlet(), 75.0, 0.01);
        close(exchanger.primary_outlet(), 60.0, 0.01);
    }

    #[test]
    fn without_circulation_the_outlet_creeps_to_the_primary_temperature() {
        let mut exchanger = Exchanger::new(200_000.0, 17.0, 35.0, 50.0);
        for _ in 0..3600 {
            exchanger.step(1.0, (5.0, 100.0), (0.0, 45.0));
        }
        assert!(exchanger.secondary_outlet() > 90.0, "{}", exchanger.secondary_outlet());
    }

    #[test]
    fn fouling_costs_heat_and_half_the_flow_costs_less_than_half() {
        let mut exchanger = Exchanger::new(200_000.0, 17.0, 35.0, 50.0);
        let clean = exchanger.heat((17.0, 100.0), (35.0, 45.0));
        let throttled = exchanger.heat((8.5, 100.0), (35.0, 45.0));
        exchanger.foul(0.25);
        let fouled = exchanger.heat((17.0, 100.0), (35.0, 45.0));
        assert!(fouled < clean && throttled > 0.5 * clean);
    }
}
