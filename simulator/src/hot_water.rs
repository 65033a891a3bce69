//! Domestic hot water: people draw it when they get up and in the evening, and the primary side feels it at once.
//!
//! Draws are events: they come at random with the hour's rate and last some minutes each. A self-acting valve keeps the hot
//! water at its temperature; what it takes is reckoned from the heat, for it is faster than anything else here. In two
//! stages the heating's return warms the cold water first, so that hot water cools the station's return instead of
//! warming it.

use heatstation_points::quantity::WATER_HEAT_CAPACITY;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::settings::{HotWaterSettings, HotWaterStages};

/// A draw: a shower, a bowl of dishes.
const DRAW_LITERS: f64 = 20.0;
const DRAW_SECONDS: f64 = 200.0;
/// Draws begin and end in this rhythm: s.
const RHYTHM: f64 = 5.0;
/// What the first stage takes over of what it could at most.
const FIRST_STAGE: f64 = 0.6;
/// The second stage's primary return over the water that enters it: K.
const APPROACH: f64 = 8.0;
/// The self-acting valve gives up where the primary is no warmer than this over the hot water: K.
const LEAST_DIFFERENCE: f64 = 3.0;

/// Rate of draws by the hour, over the day's mean: night, rising, getting up, day, evening.
fn rate(hour: f64) -> f64 {
    match hour {
        h if h < 5.5 => 0.15,
        h if h < 8.5 => 2.0,
        h if h < 17.5 => 0.7,
        h if h < 22.5 => 2.0,
        _ => 0.55,
    }
}

/// A heater with the people behind it.
#[derive(Clone, Debug)]
pub(crate) struct HotWater {
    settings: HotWaterSettings,
    /// Draws a second on the mean of the day.
    draws_per_second: f64,
    /// Draws that go on now.
    open: f64,
    until_next: f64,
    /// Primary water of the second stage, or of the only one: kg/s and °C where it leaves.
    pub flow: f64,
    second_return: f64,
    /// Taken from the primary side: W, J so far.
    pub heat: f64,
    pub heat_energy: f64,
    /// Of the heating's and this primary water together: °C.
    pub mixed_return: f64,
    random: ChaCha8Rng,
}

impl HotWater {
    /// The heater for this heated area: m².
    pub fn new(settings: HotWaterSettings, area: f64, random: ChaCha8Rng) -> HotWater {
        HotWater {
            settings,
            draws_per_second: settings.liters_per_m2_day * area / DRAW_LITERS / 86_400.0,
            open: 0.0,
            until_next: 0.0,
            flow: 0.0,
            second_return: settings.cold.0 + APPROACH,
            heat: 0.0,
            heat_energy: 0.0,
            mixed_return: 50.0,
            random,
        }
    }

    /// One step beside a heating that lets (kg/s, °C) go, on a primary supply of this temperature.
    pub fn step(&mut self, seconds: f64, hour: f64, heating: (f64, f64), supply: f64) {
        self.until_next -= seconds;
        if self.until_next <= 0.0 {
            self.until_next += RHYTHM;
            let begun = self.count(self.draws_per_second * RHYTHM * rate(hour));
            let ended = self.count(self.open * RHYTHM / DRAW_SECONDS).min(self.open);
            self.open += begun - ended;
        }
        let (heating_flow, heating_return) = heating;
        let (cold, hot) = (self.settings.cold.0, self.settings.hot.0);
        let water = self.open * DRAW_LITERS / DRAW_SECONDS * WATER_HEAT_CAPACITY;

        // What goes through the first stage: the heating's water and what the second stage let go a moment ago.
        let through = (heating_flow + self.flow) * WATER_HEAT_CAPACITY;
        let arriving = if through > 0.0 {
            (heating_flow * heating_return + self.flow * self.second_return) / (heating_flow + self.flow)
        } else {
            heating_return
        };
        let first = match self.settings.stages {
            HotWaterStages::Parallel => 0.0,
            HotWaterStages::Two => {
                (FIRST_STAGE * water.min(through) * (arriving - cold)).clamp(0.0, water * (hot - cold))
            }
        };
        self.mixed_return = if through > 0.0 { arriving - first / through } else { arriving };

        let warmed = if water > 0.0 { cold + first / water } else { cold };
        let wanted = if supply > hot + LEAST_DIFFERENCE { water * (hot - warmed) } else { 0.0 };
        self.second_return = (warmed + APPROACH).min(supply - LEAST_DIFFERENCE);
        self.flow = wanted / (WATER_HEAT_CAPACITY * (supply - self.second_return));
        self.heat = first + self.flow * WATER_HEAT_CAPACITY * (supply - self.second_return);
        self.heat_energy += self.heat * seconds;
    }

    /// How many of many events happen when `mean` are expected: whole numbers when few, normal when many.
    fn count(&mut self, mean: f64) -> f64 {
        if mean > 20.0 {
            let normal: f64 = StandardNormal.sample(&mut self.random);
            return (mean + mean.sqrt() * normal).round().max(0.0);
        }
        // Knuth's product of uniform numbers.
        let (limit, mut product, mut count) = ((-mean).exp(), 1.0, 0.0);
        loop {
            product *= self.random.random::<f64>();
            if product <= limit {
                return count;
            }
            count += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn day(stages: HotWaterStages) -> (f64, f64, Vec<f64>) {
        let settings = HotWaterSettings { stages, ..HotWaterSettings::usual() };
        let mut heater = HotWater::new(settings, 86_000.0, ChaCha8Rng::seed_from_u64(1));
        let (mut returned, mut hours) = (0.0, vec![0.0; 24]);
        for second in 0..86_400_u32 {
            heater.step(1.0, f64::from(second) / 3600.0, (15.0, 50.0), 100.0);
            returned += heater.mixed_return / 86_400.0;
            hours[second as usize / 3600] += heater.heat / 3600.0;
        }
        (heater.heat_energy, returned, hours)
    }

    #[test]
    fn a_day_of_hot_water_is_what_people_draw_and_peaks_morning_and_evening() {
        let (energy, _, hours) = day(HotWaterStages::Two);
        // 1.3 l/m² on 86 000 m² by 45 K.
        let drawn = 1.3 * 86_000.0 * WATER_HEAT_CAPACITY * 45.0;
        assert!((energy / drawn - 1.0).abs() < 0.05, "{energy:e} of {drawn:e}");
        assert!(hours[7] > 1.5 * hours[12] && hours[20] > 1.5 * hours[12] && hours[3] < 0.4 * hours[12], "{hours:?}");
    }

    #[test]
    fn two_stages_send_colder_water_back_than_one() {
        let ((one, warm, _), (two, cool, _)) = (day(HotWaterStages::Parallel), day(HotWaterStages::Two));
        assert!((one / two - 1.0).abs() < 0.05 && cool < warm - 0.5, "{warm} {cool}");
    }

    #[test]
    fn what_the_primary_water_loses_the_hot_water_gets() {
        let mut heater = HotWater::new(HotWaterSettings::usual(), 86_000.0, ChaCha8Rng::seed_from_u64(3));
        let mut flow_before = (heater.flow, heater.second_return);
        for second in 0..7200 {
            heater.step(1.0, 7.0, (15.0, 50.0), 100.0);
            // The first stage meets the second's water of the step before.
            let (flow, second_return) = flow_before;
            let lost = (15.0 * 50.0 + flow * second_return - (15.0 + flow) * heater.mixed_return) * WATER_HEAT_CAPACITY;
            let second_stage = heater.flow * WATER_HEAT_CAPACITY * (100.0 - heater.second_return);
            let open = lost + second_stage - heater.heat;
            assert!(open.abs() < 1e-6 * heater.heat.max(1.0), "at {second} s: {open}");
            flow_before = (heater.flow, heater.second_return);
        }
    }
}
