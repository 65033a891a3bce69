//! The supply setpoint: curve, room feedback, hours, wishes from outside, band, limiters and ramp, with a ledger of each.
//!
//! The [ledger](crate::ledger) adds up: nobody has to guess why it is 60 °C.
//!
//! Three kinds of part follow each other. What the station itself wants comes first, as kelvins of room temperature by way
//! of the curve, then as kelvins of supply. Wishes of people and programs come second; each is bounded in size and speed,
//! and they are held together by envelope and heat floor. Band, limiters and ramp have the last word.

use std::time::Duration;

use heatstation_points::{Celsius, CubicMetersPerSecond, Kelvins, Ratio};
use serde::{Deserialize, Serialize};

use crate::band::{Band, Because};
use crate::correction::{Correction, Corrections};
use crate::equivalent_outdoor::Equivalent;
use crate::frost::FrostStage;
use crate::ledger::{Ledger, Part};
use crate::limits::{Heating, Leave, LimitSights, Limits};
use crate::load_shed::ShedBy;
use crate::outdoor::Outdoor;
use crate::report::SetpointReport;
use crate::set_back::HoldDown;
use crate::settings::{CircuitSettings, LimitPriority};
use crate::timer::seconds;
use crate::times::TimesNow;

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
    /// The supply was held down for a set-back in the last step.
    #[serde(default)]
    held_down: bool,
    /// How far the ramp lagged behind what was allowed in the last step.
    #[serde(default)]
    lag: Kelvins,
    #[serde(default)]
    operator: Kelvins,
    #[serde(default)]
    shed: Kelvins,
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
    /// What the hours of the circuit decided.
    pub times: TimesNow,
    /// What people correct on the curve.
    pub corrections: Corrections,
    /// What is shed, if anything is.
    pub shed: Option<ShedBy>,
    /// What is wished from outside, of the supply.
    pub remote: Kelvins,
    /// How far frost protection goes.
    pub frost: FrostStage,
    /// The secondary flow, where it is measured.
    pub flow: Option<CubicMetersPerSecond>,
    /// What the limiters look at.
    pub limits: LimitSights,
    /// The supply temperature, where anything tells it.
    pub supply: Option<Celsius>,
    /// While nothing is controlled: the supply temperature from which the ramp will start.
    pub resting_at: Option<Celsius>,
}

/// The setpoint as it grows, each part booked as it is added.
struct Growing {
    ledger: Ledger,
    value: Celsius,
}

impl Growing {
    fn add(&mut self, part: Part, by: Kelvins) {
        self.move_to(part, self.value + by);
    }

    fn move_to(&mut self, part: Part, to: Celsius) {
        self.ledger.book(part, to - self.value);
        self.value = to;
    }
}

impl Setpoint {
    /// One step.
    pub fn advance(&mut self, settings: &CircuitSettings, wishes: &Wishes, dt: Duration) -> SetpointReport {
        let flow_ratio = self.smooth_flow_ratio(settings, wishes.flow, dt);
        let supply = |outdoor: Celsius, room_shift: Kelvins, slope: Ratio| {
            settings.curve.sloped(outdoor, settings.room_target + room_shift, flow_ratio, slope)
        };
        let base = supply(wishes.outdoor.filtered, Kelvins(0.0), Ratio::ONE);
        let mut growing = Growing { ledger: Ledger::default(), value: base };
        // What moves the outdoor temperature moves the supply by way of the curve, term by term.
        let mut outdoor = wishes.outdoor.filtered;
        for (part, by) in wishes.equivalent.terms() {
            outdoor = outdoor + by;
            growing.move_to(part, supply(outdoor, Kelvins(0.0), Ratio::ONE));
        }
        let curve = |room_shift: Kelvins, slope: Ratio| supply(outdoor, room_shift, slope);
        let (low, because_low) = lowest(settings, wishes);
        own_wishes(settings, wishes, &mut growing, curve, low);
        let own = growing.value;
        self.outside_wishes(settings, wishes, &mut growing, curve, dt);

        let envelope = &settings.envelope;
        let wish = growing.value.clamp(own - envelope.lower_max, own + envelope.raise_max);
        let bounded = (wish != growing.value).then_some(Because::Envelope);
        let unasked = own - lowered_from_outside(wishes, &growing.ledger);
        let narrow = |limiter: Option<(Celsius, Because)>| band(settings, wishes, unasked, (low, because_low), limiter);
        let (unlimited, held_by) = narrow(None).pick(wish);
        growing.move_to(Part::Band, unlimited);

        let (shift, slope) = (wishes.room_trim + wishes.times.room_shift(), settings.curve_adjustment.slope);
        let by_curve = curve(shift, slope) - curve(shift - settings.limits.room_loss_max, slope);
        // Frozen pipes are nobody's contract: while frost protection demands heat no limiter is let loose.
        let follows = wishes.resting_at.is_none() && !wishes.frost.heats();
        let heating = if follows { Heating::On } else { Heating::Off };
        let asked = self.limits.advance(&settings.limits, &wishes.limits, Leave { heating, by_curve }, dt);
        let (limited, held_by) = match asked {
            Some((limiter, by)) => {
                let (limited, held_by) = narrow(Some((unlimited + by, limiter.because()))).pick(wish);
                growing.move_to(limiter.part(), limited);
                (limited, held_by)
            }
            None => (unlimited, held_by),
        };
        let (value, held_by) = self.follow_ramp(settings, wishes, limited, held_by.or(bounded), dt);
        growing.move_to(Part::Ramp, value);
        self.lag = growing.ledger.of(Part::Ramp);
        self.in_force = Some(value);
        self.limits.give(value - unlimited);
        let limiters = self.limits.reports(&wishes.limits);
        SetpointReport { value, base, ledger: growing.ledger, held_by, flow_ratio, low, limiters }
    }

    /// Whether a limiter held the setpoint down in the last step.
    pub fn is_limited(&self) -> bool {
        self.limits.hold()
    }

    /// The setpoint that was in force in the last step.
    pub(crate) fn in_force(&self) -> Option<Celsius> {
        self.in_force
    }

    /// Wishes of people and programs are bounded in size and in speed, both ways: silence returns to the curve without a
    /// bump.
    fn outside_wishes(
        &mut self,
        settings: &CircuitSettings,
        wishes: &Wishes,
        growing: &mut Growing,
        curve: impl Fn(Kelvins, Ratio) -> Celsius,
        dt: Duration,
    ) {
        let envelope = &settings.envelope;
        let rate = envelope.rate_per_minute * (seconds(dt) / 60.0);
        let (shift, slope) = (wishes.room_trim + wishes.times.room_shift(), settings.curve_adjustment.slope);
        let plain = curve(shift, slope);
        let correction =
            |asked: &Correction| curve(shift + asked.room, slope * asked.curve.slope.0) - plain + asked.curve.level;
        let operator = wishes.corrections.operator.as_ref().map_or(Kelvins(0.0), |(asked, _)| correction(asked));
        follow(&mut self.operator, operator.clamp(-envelope.lower_max, envelope.raise_max), rate, rate);
        growing.add(Part::Operator, self.operator);

        let shed = match wishes.shed {
            None => Kelvins(0.0),
            Some(ShedBy::Share(share)) => curve(shift, slope * (Ratio::ONE - share).0) - plain,
            Some(ShedBy::Supply(by)) => -by,
        };
        let back = (settings.times.load_shed.recovery_per_hour * (seconds(dt) / 3600.0)).min(rate);
        follow(&mut self.shed, shed.clamp(-envelope.lower_max, Kelvins(0.0)), rate, back);
        growing.add(Part::LoadShed, self.shed);

        // In danger nobody from afar makes the water colder.
        let lower_max = if wishes.frost == FrostStage::Danger { Kelvins(0.0) } else { envelope.lower_max };
        let remote = wishes.corrections.remote.as_ref().map_or(Kelvins(0.0), |asked| correction(&asked.correction));
        let remote = (wishes.remote + remote).clamp(-lower_max, envelope.raise_max);
        follow(&mut self.remote, remote, rate, rate);
        growing.add(Part::Remote, self.remote);
    }

    /// Whether the setpoint is still on its way up.
    pub fn climbs(&self) -> bool {
        self.lag < Kelvins(-0.5)
    }

    /// Whether the setpoint is on its way, up or down, by the ramp.
    pub fn travels(&self) -> bool {
        self.lag.0.abs() > 0.5
    }

    /// What is being shed, and what has not come back yet.
    pub fn shed(&self) -> Kelvins {
        self.shed
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

    fn follow_ramp(
        &mut self,
        settings: &CircuitSettings,
        wishes: &Wishes,
        limited: Celsius,
        held_by: Option<Because>,
        dt: Duration,
    ) -> (Celsius, Option<Because>) {
        let hours = seconds(dt) / 3600.0;
        let let_go = std::mem::replace(&mut self.held_down, wishes.times.hold_down.is_some()) && !self.held_down;
        if let Some(supply) = wishes.resting_at {
            self.ramp = Some(supply.min(limited));
            return (limited, held_by);
        }
        let mut before = self.ramp.unwrap_or(limited);
        if let (true, Some(supply)) = (let_go, wishes.supply) {
            // The water has cooled more slowly than the setpoint fell: the way up begins where the water is.
            before = before.max(supply.min(limited));
        }
        let (fall, rise) = (settings.supply.fall_per_hour * hours, settings.supply.rise_per_hour * hours);
        let mut value = limited.clamp(before - fall, before + rise);
        // The ramp is comfort; what must not be passed is not passed by ramping either.
        let ceiling = settings.supply.max.min(settings.supply.emitter_max);
        value = value.min(settings.interlock.supply_trip - TRIP_MARGIN).min(ceiling);
        if wishes.frost.heats() {
            value = value.max(settings.frost.supply);
        }
        self.ramp = Some(value);
        if value == limited { (value, held_by) } else { (value, Some(Because::Ramp)) }
    }
}

/// The lowest setpoint of this weather; without heat in a set-back that of frost protection.
fn lowest(settings: &CircuitSettings, wishes: &Wishes) -> (Celsius, Because) {
    let (min, because) = settings.supply.min_at(wishes.outdoor.filtered);
    match wishes.times.hold_down {
        None | Some(HoldDown::Lowest) => (min, because),
        Some(HoldDown::NoHeat) => (min.min(settings.frost.supply), because),
    }
}

/// What the station itself wants.
fn own_wishes(
    settings: &CircuitSettings,
    wishes: &Wishes,
    growing: &mut Growing,
    curve: impl Fn(Kelvins, Ratio) -> Celsius,
    low: Celsius,
) {
    let (times, adjustment) = (&wishes.times, settings.curve_adjustment);
    growing.move_to(Part::Slope, curve(Kelvins(0.0), adjustment.slope));
    growing.add(Part::Level, adjustment.level);
    // What moves the room target moves the supply by way of the curve, one after the other.
    let room_moves = [
        (Part::RoomTrim, wishes.room_trim),
        (Part::Schedule, times.look.shift),
        (Part::Optimum, times.optimum),
        (Part::SetBack, times.given_back),
    ];
    let mut shift = Kelvins(0.0);
    for (part, by) in room_moves {
        shift += by;
        growing.move_to(part, curve(shift, adjustment.slope) + adjustment.level);
    }
    if times.hold_down.is_some() {
        growing.move_to(Part::SetBack, growing.value.min(low));
    }
    if let Some(boost) = times.boost {
        growing.add(Part::Boost, boost.over(growing.value, settings.room_target + times.room_shift()));
    }
}

/// Moves a wish's effect toward it, away from zero and back each at its own speed.
fn follow(effect: &mut Kelvins, wish: Kelvins, away: Kelvins, back: Kelvins) {
    let (down, up) = if effect.0 > 0.0 { (back, away) } else { (away, back) };
    *effect += (wish - *effect).clamp(-down, up);
}

/// What word from outside about the weather takes from the supply: as little a reason to go below the heat floor as any
/// other wish from outside.
fn lowered_from_outside(wishes: &Wishes, ledger: &Ledger) -> Kelvins {
    let outside = ledger.parts().filter(|(part, _)| wishes.equivalent.is_from_outside(*part));
    outside.fold(Kelvins(0.0), |sum, (_, by)| sum + by.min(Kelvins(0.0)))
}

/// What is left for the wish. The order is that of [`limits`](crate::limits), from most to least binding; `unasked` is what
/// the station wants without any word from outside.
fn band(
    settings: &CircuitSettings,
    wishes: &Wishes,
    unasked: Celsius,
    (min, because_min): (Celsius, Because),
    limiter: Option<(Celsius, Because)>,
) -> Band {
    let (supply, envelope) = (&settings.supply, &settings.envelope);
    // Frost protection's temperature is the lowest that any limiter can reach.
    let mut band = Band::new(min.min(settings.frost.supply), because_min, supply.max, Because::SupplyMax)
        .at_most(supply.emitter_max, Because::EmitterMax)
        .at_most(settings.interlock.supply_trip - TRIP_MARGIN, Because::TripMargin);
    if wishes.frost.heats() {
        band = band.at_least(settings.frost.supply, Because::Frost);
    }
    if wishes.outdoor.now < envelope.frost {
        band = band.at_least(unasked - envelope.frost_lower_max, Because::HeatFloor);
    }
    let cut = |band: Band| limiter.map_or(band, |(most, because)| band.at_most(most, because));
    match settings.limits.priority {
        LimitPriority::SupplyMin => cut(band.at_least(min, because_min)),
        LimitPriority::Limits => cut(band).at_least(min, because_min),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::correction::RemoteCorrection;
    use crate::equivalent_outdoor::Witness;
    use crate::heating_curve::Adjustment;
    use crate::request::Origin;
    use crate::schedule::Look;
    use crate::settings::Boost;
    use crate::step::tests::circuit;

    /// The curve alone in that weather.
    pub(crate) fn wishes(outdoor: f64) -> Wishes {
        Wishes {
            outdoor: Outdoor::sensor(Celsius(outdoor)),
            equivalent: Equivalent::default(),
            room_trim: Kelvins(0.0),
            times: TimesNow::default(),
            corrections: Corrections::default(),
            shed: None,
            remote: Kelvins(0.0),
            frost: FrostStage::None,
            flow: None,
            limits: LimitSights::default(),
            supply: None,
            resting_at: None,
        }
    }

    fn settled(wishes: &Wishes) -> SetpointReport {
        settled_with(&circuit(), wishes)
    }

    fn settled_with(settings: &CircuitSettings, wishes: &Wishes) -> SetpointReport {
        let mut setpoint = Setpoint::default();
        (0..600).map(|_| setpoint.advance(settings, wishes, Duration::from_secs(60))).last().unwrap()
    }

    fn correction(level: f64, slope: f64, room: f64) -> Correction {
        Correction { curve: Adjustment { level: Kelvins(level), slope: Ratio(slope) }, room: Kelvins(room) }
    }

    #[test]
    fn the_ledger_adds_up_to_the_last_digit() {
        let times = TimesNow {
            look: Look { shift: Kelvins(-3.0), ..Look::default() },
            optimum: Kelvins(1.5),
            given_back: Kelvins(0.5),
            boost: Some(Boost::Excess(Ratio(0.15))),
            ..TimesNow::default()
        };
        let held_down = TimesNow { hold_down: Some(HoldDown::NoHeat), boost: None, ..times };
        let asked = Corrections {
            operator: Some((correction(1.0, 1.1, -0.5), None)),
            remote: Some(RemoteCorrection {
                correction: correction(-2.0, 0.9, 0.2),
                left: Duration::from_secs(86_400),
                origin: Origin::Dispatch,
            }),
        };
        let mut settings = circuit();
        settings.curve_adjustment = Adjustment { level: Kelvins(-1.0), slope: Ratio(0.95) };
        let equivalent = Equivalent {
            mass: Kelvins(1.1),
            solar: Kelvins(0.8),
            wind: Kelvins(-0.4),
            forecast: Kelvins(-0.6),
            ..Equivalent::default()
        };
        for outdoor in [-20.0, -9.0, 0.0, 4.0, 12.0] {
            for remote in [-30.0, -2.0, 0.0, 5.0] {
                for (times, shed) in [(times, None), (held_down, Some(ShedBy::Share(Ratio(0.15))))] {
                    let wishes = Wishes {
                        equivalent,
                        room_trim: Kelvins(0.7),
                        times,
                        corrections: asked,
                        shed,
                        remote: Kelvins(remote),
                        ..wishes(outdoor)
                    };
                    let report = settled_with(&settings, &wishes);
                    let sum = report.base + report.ledger.sum();
                    assert!((sum - report.value).0.abs() < 1e-9, "{report:?}");
                    let ledger = report.ledger;
                    let always =
                        [Part::Slope, Part::Level, Part::RoomTrim, Part::Schedule, Part::Optimum, Part::SetBack];
                    assert!(always.iter().all(|part| ledger.of(*part).0 != 0.0), "{report:?}");
                }
            }
        }
    }

    #[test]
    fn a_share_of_the_heat_is_shed_as_the_curve_gives_it_and_comes_back_slowly() {
        let (mut setpoint, minute) = (Setpoint::default(), Duration::from_secs(60));
        let shed = Wishes { shed: Some(ShedBy::Share(Ratio(0.15))), ..wishes(2.0) };
        let mut after = |wishes: &Wishes, minutes: u32| {
            (0..minutes)
                .map(|_| setpoint.advance(&circuit(), wishes, minute).ledger.of(Part::LoadShed).0)
                .last()
                .unwrap()
        };
        let curve = |slope: f64| circuit().curve.sloped(Celsius(2.0), Celsius(20.0), Ratio::ONE, Ratio(slope)).0;
        assert_eq!(after(&shed, 1), -1.0);
        let settled = after(&shed, 30);
        assert!((settled - (curve(0.85) - curve(1.0))).abs() < 1e-9, "{settled}");
        assert!((after(&wishes(2.0), 20) - (settled + 1.0)).abs() < 1e-9, "3 K/h, so that the rebound is no peak");
        assert_eq!(after(&wishes(2.0), 180), 0.0);
    }

    #[test]
    fn all_wishes_together_stay_inside_the_envelope_and_in_frost_above_the_heat_floor() {
        let many = |outdoor: f64| Wishes {
            shed: Some(ShedBy::Share(Ratio(0.3))),
            remote: Kelvins(-10.0),
            corrections: Corrections { operator: Some((correction(-5.0, 0.8, -2.0), None)), remote: None },
            ..wishes(outdoor)
        };
        let (mild, own) = (settled(&many(3.0)), settled(&wishes(3.0)));
        assert_eq!(mild.held_by, Some(Because::Envelope));
        assert!((own.value - mild.value - circuit().envelope.lower_max).0.abs() < 1e-9, "{mild:?}");
        let (frost, own) = (settled(&many(-3.0)), settled(&wishes(-3.0)));
        assert_eq!(frost.held_by, Some(Because::HeatFloor));
        assert!((own.value - frost.value - circuit().envelope.frost_lower_max).0.abs() < 1e-9, "{frost:?}");
    }

    #[test]
    fn after_a_stop_the_way_up_begins_where_the_water_is() {
        let (mut setpoint, minute) = (Setpoint::default(), Duration::from_secs(60));
        let stop = TimesNow { hold_down: Some(HoldDown::NoHeat), ..TimesNow::default() };
        let stopped = Wishes { times: stop, supply: Some(Celsius(31.0)), ..wishes(2.0) };
        let night = (0..600).map(|_| setpoint.advance(&circuit(), &stopped, minute)).last().unwrap();
        assert_eq!((night.value, night.low), (Celsius(20.0), Celsius(20.0)));
        let morning = setpoint.advance(&circuit(), &Wishes { supply: Some(Celsius(31.0)), ..wishes(2.0) }, minute);
        assert!((31.0..31.5).contains(&morning.value.0), "{morning:?}");
        // Water that overshoots later does not pull the ramp along.
        let hot = Wishes { supply: Some(Celsius(45.0)), ..wishes(2.0) };
        assert!(setpoint.advance(&circuit(), &hot, minute).value.0 < 32.0);
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
