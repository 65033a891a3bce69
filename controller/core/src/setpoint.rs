//! The supply setpoint: curve, room feedback, schedule, wishes from outside, band, limiters and ramp, with a ledger of each.
//!
//! The [ledger](crate::ledger) adds up: nobody has to guess why it is 60 °C.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::band::{Band, Because};
use crate::equivalent_outdoor::Equivalent;
use crate::ledger::{Ledger, Part};
use crate::limits::{Heating, Leave, LimitSights, Limits};
use crate::outdoor::Outdoor;
use crate::report::SetpointReport;
use crate::settings::{CircuitSettings, LimitPriority};
use crate::timer::seconds;

/// The setpoint stays this far below the over-temperature interlock, or the limit would be the trip.
pub const TRIP_MARGIN: Kelvins = Kelvins(3.0);
/// The flow ratio is smoothed: pumps change in seconds, the curve should not.
const FLOW_SMOOTHING_SECONDS: f64 = 600.0;
/// Plausible flow ratios; real stations run at 1.5 to 2.
const FLOW_RATIO: (Ratio, Ratio) = (Ratio(0.4), Ratio(2.5));

/// What the setpoint remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Setpoint {
    /// Where the ramp stands; none before the first step.
    ramp: Option<Celsius>,
    remote: Kelvins,
    flow_ratio: Option<Ratio>,
    /// What the last step gave.
    #[serde(default)]
    in_force: Option<Celsius>,
    #[serde(default)]
    limits: Limits,
}

/// What the setpoint is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wishes {
    /// The outdoor temperature.
    pub outdoor: Outdoor,
    /// What the buildings feel of the weather.
    pub equivalent: Equivalent,
    /// What room feedback adds to the room target.
    pub room_trim: Kelvins,
    /// What the schedule adds to the room target.
    pub schedule: Kelvins,
    /// What is wished from outside, of the supply.
    pub remote: Kelvins,
    /// Whether frost protection demands heat.
    pub frost: bool,
    /// The secondary flow, where it is measured.
    pub flow: Option<CubicMetersPerSecond>,
    /// What the limiters look at.
    pub limits: LimitSights,
    /// While nothing is controlled: the supply temperature from which the ramp will start.
    pub resting_at: Option<Celsius>,
}

impl Setpoint {
    /// One step.
    pub fn advance(&mut self, settings: &CircuitSettings, wishes: &Wishes, dt: Duration) -> SetpointReport {
        let flow_ratio = self.smooth_flow_ratio(settings, wishes.flow, dt);
        let at = |outdoor: Celsius, room_shift: Kelvins| {
            settings.curve.supply_setpoint(outdoor, settings.room_target + room_shift, flow_ratio)
        };
        let base = at(wishes.outdoor.filtered, Kelvins(0.0));
        let mut ledger = Ledger::default();
        // So does what moves the outdoor temperature: term by term.
        let (mut outdoor, mut weathered) = (wishes.outdoor.filtered, base);
        for (part, by) in wishes.equivalent.terms() {
            outdoor = outdoor + by;
            let moved = at(outdoor, Kelvins(0.0));
            ledger.book(part, moved - weathered);
            weathered = moved;
        }
        let supply = |room_shift: Kelvins| at(outdoor, room_shift);
        // What moves the room target moves the supply by way of the curve, one after the other.
        let (mut shift, mut scheduled) = (Kelvins(0.0), weathered);
        for (part, by) in [(Part::RoomTrim, wishes.room_trim), (Part::Schedule, wishes.schedule)] {
            shift += by;
            let moved = supply(shift);
            ledger.book(part, moved - scheduled);
            scheduled = moved;
        }
        let remote = self.follow_remote(settings, wishes, dt);
        ledger.book(Part::Remote, remote);

        let wish = scheduled + remote;
        let unasked = scheduled - lowered_from_outside(wishes, &ledger);
        let (unlimited, held_by) = band(settings, wishes, unasked, None).pick(wish);
        ledger.book(Part::Band, unlimited - wish);
        let by_curve = scheduled - supply(shift - settings.limits.room_loss_max);
        // Frozen pipes are nobody's contract: while frost protection demands heat no limiter is let loose.
        let follows = wishes.resting_at.is_none() && !wishes.frost;
        let heating = if follows { Heating::On } else { Heating::Off };
        let asked = self.limits.advance(&settings.limits, &wishes.limits, Leave { heating, by_curve }, dt);
        let (limited, held_by) = match asked {
            Some((limiter, by)) => {
                let cut = Some((unlimited + by, limiter.because()));
                let (limited, held_by) = band(settings, wishes, unasked, cut).pick(wish);
                ledger.book(limiter.part(), limited - unlimited);
                (limited, held_by)
            }
            None => (unlimited, held_by),
        };
        let (value, held_by) = self.follow_ramp(settings, wishes, limited, held_by, dt);
        ledger.book(Part::Ramp, value - limited);
        self.in_force = Some(value);
        self.limits.give(value - unlimited);
        let limiters = self.limits.reports(&wishes.limits);
        SetpointReport { value, base, ledger, held_by, flow_ratio, limiters }
    }

    /// Whether a limiter held the setpoint down in the last step.
    pub fn is_limited(&self) -> bool {
        self.limits.hold()
    }

    /// The setpoint that was in force in the last step.
    pub(crate) fn in_force(&self) -> Option<Celsius> {
        self.in_force
    }

    fn smooth_flow_ratio(
        &mut self,
        settings: &CircuitSettings,
        flow: Option<CubicMetersPerSecond>,
        dt: Duration,
    ) -> Ratio {
        // While the water stands the last ratio is kept: standstill says nothing about the flow to come.
        let measured = flow.zip(settings.design_flow).map(|(flow, design)| Ratio(flow / design));
        let measured = measured.filter(|ratio| *ratio >= FLOW_RATIO.0).map(|ratio| ratio.min(FLOW_RATIO.1));
        let before = self.flow_ratio.or(measured).unwrap_or(Ratio::ONE);
        let share = 1.0 - (-seconds(dt) / FLOW_SMOOTHING_SECONDS).exp();
        let now = measured.map_or(before, |measured| before + (measured - before) * share);
        self.flow_ratio = Some(now);
        now
    }

    /// Wishes from outside are bounded in size and in speed, both ways: silence returns to the curve without a bump.
    fn follow_remote(&mut self, settings: &CircuitSettings, wishes: &Wishes, dt: Duration) -> Kelvins {
        let envelope = &settings.envelope;
        let wish = wishes.remote.clamp(-envelope.lower_max, envelope.raise_max);
        let step = envelope.rate_per_minute * (seconds(dt) / 60.0);
        self.remote += (wish - self.remote).clamp(-step, step);
        self.remote
    }

    fn follow_ramp(
        &mut self,
        settings: &CircuitSettings,
        wishes: &Wishes,
        limited: Celsius,
        held_by: Option<Because>,
        dt: Duration,
    ) -> (Celsius, Option<Because>) {
        let hours = seconds(dt) / 3600.0;
        if let Some(supply) = wishes.resting_at {
            self.ramp = Some(supply.min(limited));
            return (limited, held_by);
        }
        let before = self.ramp.unwrap_or(limited);
        let (fall, rise) = (settings.supply.fall_per_hour * hours, settings.supply.rise_per_hour * hours);
        let mut value = limited.clamp(before - fall, before + rise);
        // The ramp is comfort; what must not be passed is not passed by ramping either.
        let ceiling = settings.supply.max.min(settings.supply.emitter_max);
        value = value.min(settings.interlock.supply_trip - TRIP_MARGIN).min(ceiling);
        if wishes.frost {
            value = value.max(settings.frost.supply);
        }
        self.ramp = Some(value);
        if value == limited { (value, held_by) } else { (value, Some(Because::Ramp)) }
    }
}

/// What word from outside about the weather takes from the supply: as little a reason to go below the heat floor as any
/// other wish from outside.
fn lowered_from_outside(wishes: &Wishes, ledger: &Ledger) -> Kelvins {
    let outside = ledger.parts().filter(|(part, _)| wishes.equivalent.is_from_outside(*part));
    outside.fold(Kelvins(0.0), |sum, (_, by)| sum + by.min(Kelvins(0.0)))
}

/// What is left for the wish. The order is that of [`limits`](crate::limits), from most to least binding.
fn band(
    settings: &CircuitSettings,
    wishes: &Wishes,
    without_remote: Celsius,
    limiter: Option<(Celsius, Because)>,
) -> Band {
    let (supply, envelope) = (&settings.supply, &settings.envelope);
    let (min, because_min) = supply.min_at(wishes.outdoor.filtered);
    // Frost protection's temperature is the lowest that any limiter can reach.
    let mut band = Band::new(min.min(settings.frost.supply), because_min, supply.max, Because::SupplyMax)
        .at_most(supply.emitter_max, Because::EmitterMax)
        .at_most(settings.interlock.supply_trip - TRIP_MARGIN, Because::TripMargin);
    if wishes.frost {
        band = band.at_least(settings.frost.supply, Because::Frost);
    }
    if wishes.outdoor.now < envelope.frost {
        band = band.at_least(without_remote - envelope.frost_lower_max, Because::HeatFloor);
    }
    let cut = |band: Band| limiter.map_or(band, |(most, because)| band.at_most(most, because));
    match settings.limits.priority {
        LimitPriority::SupplyMin => cut(band.at_least(min, because_min)),
        LimitPriority::Limits => cut(band).at_least(min, because_min),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equivalent_outdoor::Witness;
    use crate::step::tests::circuit;

    fn wishes(outdoor: f64) -> Wishes {
        Wishes {
            outdoor: Outdoor::sensor(Celsius(outdoor)),
            equivalent: Equivalent::default(),
            room_trim: Kelvins(0.0),
            schedule: Kelvins(0.0),
            remote: Kelvins(0.0),
            frost: false,
            flow: None,
            limits: LimitSights::default(),
            resting_at: None,
        }
    }

    fn settled(wishes: &Wishes) -> SetpointReport {
        let mut setpoint = Setpoint::default();
        (0..600).map(|_| setpoint.advance(&circuit(), wishes, Duration::from_secs(60))).last().unwrap()
    }

    #[test]
    fn the_ledger_adds_up_to_the_last_digit() {
        for outdoor in [-20.0, -9.0, 0.0, 4.0, 12.0] {
            for remote in [-30.0, -2.0, 0.0, 5.0] {
                let equivalent = Equivalent {
                    mass: Kelvins(1.1),
                    solar: Kelvins(0.8),
                    wind: Kelvins(-0.4),
                    forecast: Kelvins(-0.6),
                    ..Equivalent::default()
                };
                let wishes = Wishes {
                    equivalent,
                    room_trim: Kelvins(0.7),
                    schedule: Kelvins(-1.0),
                    remote: Kelvins(remote),
                    ..wishes(outdoor)
                };
                let report = settled(&wishes);
                let sum = report.base + report.ledger.sum();
                assert!((sum - report.value).0.abs() < 1e-9, "{report:?}");
            }
        }
    }

    #[test]
    fn a_wish_from_outside_passes_neither_the_ceiling_nor_the_heat_floor() {
        let high = settled(&Wishes { remote: Kelvins(500.0), ..wishes(-9.0) });
        assert!(high.value <= circuit().supply.max, "{high:?}");
        let plain = settled(&wishes(-5.0));
        let low = settled(&Wishes { remote: Kelvins(-500.0), ..wishes(-5.0) });
        assert_eq!(low.held_by, Some(Because::HeatFloor));
        assert!((plain.value - low.value).0 <= circuit().envelope.frost_lower_max.0 + 1e-9);
    }

    #[test]
    fn each_term_of_the_weather_moves_the_supply_along_the_curve_and_is_booked_as_its_own() {
        let plain = settled(&wishes(-2.0));
        let terms = Equivalent { mass: Kelvins(1.0), wind: Kelvins(-2.0), ..Equivalent::default() };
        let felt = settled(&Wishes { equivalent: terms, ..wishes(-2.0) });
        let colder = settled(&wishes(-3.0));
        assert_eq!(felt.base, plain.base);
        assert!((felt.value - colder.value).0.abs() < 1e-9, "-2 °C with +1 K and -2 K is -3 °C: {felt:?}");
        assert!(felt.ledger.of(Part::BuildingMass).0 < 0.0 && felt.ledger.of(Part::Wind).0 > 0.0);
        assert_eq!((felt.ledger.of(Part::Solar), felt.ledger.of(Part::Forecast)), (Kelvins(0.0), Kelvins(0.0)));
    }

    #[test]
    fn in_frost_a_forecast_and_a_wish_together_lower_the_supply_no_further_than_one_of_them_may() {
        let plain = settled(&wishes(-5.0));
        let told = |solar_from: Witness, remote: f64| {
            let sky = Equivalent {
                solar: Kelvins(3.0),
                forecast: Kelvins(3.0),
                solar_from: Some(solar_from),
                ..Equivalent::default()
            };
            settled(&Wishes { equivalent: sky, remote: Kelvins(remote), ..wishes(-5.0) })
        };
        let floor = circuit().envelope.frost_lower_max.0;
        let outside = told(Witness::Service, -500.0);
        assert_eq!(outside.held_by, Some(Because::HeatFloor));
        assert!((plain.value - outside.value).0 <= floor + 1e-9, "{outside:?}");
        // What the station's own instrument sees of the sun is no word from outside.
        let own = told(Witness::Station, 0.0);
        let sun = own.ledger.of(Part::Solar).0;
        assert!(sun < -4.0 && (plain.value - own.value).0 <= floor - sun + 1e-9, "{own:?}");
    }

    #[test]
    fn the_setpoint_starts_at_the_water_and_rises_no_faster_than_allowed() {
        let mut setpoint = Setpoint::default();
        let minute = Duration::from_secs(60);
        setpoint.advance(&circuit(), &Wishes { resting_at: Some(Celsius(22.0)), ..wishes(-5.0) }, minute);
        let first = setpoint.advance(&circuit(), &wishes(-5.0), minute);
        assert!(first.value.0 < 23.0 && first.held_by == Some(Because::Ramp), "{first:?}");
    }

    #[test]
    fn a_station_with_much_flow_needs_cooler_water() {
        let much = settled(&Wishes { flow: Some(CubicMetersPerSecond(0.048)), ..wishes(-5.0) });
        assert!(much.flow_ratio.0 > 1.4 && much.value < settled(&wishes(-5.0)).value, "{much:?}");
    }
}
