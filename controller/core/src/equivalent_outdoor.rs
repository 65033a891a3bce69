//! The equivalent outdoor temperature (综合气候补偿): what a house feels of the weather, as one temperature for the curve.
//!
//! # Why this shape
//! Windows and draughts feel the weather at once, walls with a lag of a day or two, and both feel sun and wind beside the
//! thermometer. With `w` the share of the light path, 0.4 to 0.6:
//!
//! ```text
//! T_lp(k+1) = T_lp(k) + (1 − e^(−dt/tau_b)) · (T − T_lp(k))                         tau_b = 24 to 72 h
//! T_eq      = w · T_s + (1 − w) · T_lp + ks · LP(I; 3 to 4 h) − kw · (v − v0) · (20 °C − T) / 20
//! T_s       = short filter of the forecast's mean over [now, now + L]         L = lag of emitters and network
//! ```
//!
//! It is told as four terms on top of the smoothed outdoor temperature, so that the ledger can show each of them:
//!
//! ```text
//! mass     (1 − w) · (T_lp − T_smoothed)
//! forecast w · LP(mean ahead − T)                    within ± forecast_max; without a forecast it fades to nothing
//! solar    ks · LP(I)                                within solar_max and what the coldest rooms can bear
//! wind     − kw · max(0, v − v0) · (20 °C − T) / 20  at most 3 K, and never a reason to heat less
//! ```
//!
//! **The sun and the coldest rooms.** Flats on the north side lose what the sun lets the station save. A term of 1 K held
//! for 6 h costs them about 0.15 K of room temperature (2 K of supply; a mean room answers +5 K of supply by 0.34 K in
//! 6 h). So where rooms are measured, the sun may take what the coldest rooms have above their minimum and 0.3 K on credit,
//! by that rate: as much as their estimate keeps back for its own uncertainty. Where none are, no more than `solar_max`.
//!
//! # What this module does not do
//! Whether the thermometer is believed is the [ladder's](crate::outdoor) to say. How a forecast, or sunshine that only the
//! service reports, may lower the supply in frost is for the heat floor of the [setpoint](crate::setpoint): both are
//! word from outside.

use std::time::Duration;

use heatstation_points::{Celsius, Kelvins, MetersPerSecond, StationReadings, WattsPerSquareMeter};
use serde::{Deserialize, Serialize};

use crate::forecast::{Forecast, Outlook};
use crate::ledger::Part;
use crate::outdoor::Outdoor;
use crate::settings::EquivalentOutdoorSettings;
use crate::timer::seconds;

/// The most that wind may lower the equivalent temperature.
const WIND_MAX: Kelvins = Kelvins(3.0);
/// Gusts are smoothed over an hour.
const WIND_FILTER: Duration = Duration::from_secs(3600);
/// The wind's gain is told at this difference between in and out, and this room.
const WIND_ROOM: Celsius = Celsius(20.0);
const WIND_DIFFERENCE: Kelvins = Kelvins(20.0);
/// The short filter behind the forecast is the outdoor filter within these bounds.
const AHEAD_FILTER: (Duration, Duration) = (Duration::from_secs(1800), Duration::from_secs(6 * 3600));
/// What a term of 1 K, held for 6 h, costs a room without sun.
const ROOM_COST: f64 = 0.15;
/// What the coldest rooms may be short of for the sunny hours: a third to a half of the margin that their estimate keeps
/// back (0.35 K with 24 sensors, 0.6 K with 10).
const ROOM_CREDIT: Kelvins = Kelvins(0.3);
/// A single cold room that is read for the first time must not move the supply at once.
const TAIL_FILTER: Duration = Duration::from_secs(3600);

/// Who says what the weather is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// An instrument of the station.
    Station,
    /// The meteorological service.
    Service,
}

/// The weather as a circuit sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky<'a> {
    /// The outdoor temperature.
    pub outdoor: Outdoor,
    /// The time constant of its smoothing.
    pub filter: Duration,
    /// The forecast, where one may be used.
    pub outlook: Option<Outlook<'a>>,
    /// Sunshine on a horizontal surface, and who says so.
    pub solar: Option<(WattsPerSquareMeter, Witness)>,
    /// Wind.
    pub wind: Option<MetersPerSecond>,
}

impl<'a> Sky<'a> {
    /// The station's instruments, and the service where there are none.
    pub fn seen(
        outdoor: Outdoor,
        filter: Duration,
        readings: &StationReadings,
        outlook: Option<Outlook<'a>>,
    ) -> Sky<'a> {
        let foreseen = outlook.map(|outlook| outlook.forecast);
        let own = readings.solar_irradiance.usable().map(|solar| (solar, Witness::Station));
        let told = foreseen.and_then(Forecast::solar).map(|solar| (solar, Witness::Service));
        let wind = readings.wind_speed.usable().or_else(|| foreseen.and_then(Forecast::wind));
        Sky { outdoor, filter, outlook, solar: own.or(told), wind }
    }
}

/// What the equivalent temperature remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EquivalentOutdoor {
    slow: Option<Celsius>,
    slower: Option<Celsius>,
    ahead: Kelvins,
    solar: WattsPerSquareMeter,
    wind: Option<MetersPerSecond>,
    tail: Option<Kelvins>,
    /// Time in which nobody looked; the next look stands for all of it.
    unseen: Duration,
}

/// The equivalent temperature of this step and what it is made of, in kelvins of outdoor temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Equivalent {
    /// The smoothed outdoor temperature and all terms.
    pub temperature: Celsius,
    /// What walls remember.
    pub mass: Kelvins,
    /// What the sun gives.
    pub solar: Kelvins,
    /// What the wind takes; never positive.
    pub wind: Kelvins,
    /// What is coming.
    pub forecast: Kelvins,
    /// Who says that the sun shines, if anybody does.
    pub solar_from: Option<Witness>,
    /// Half the temperature of the moment, half that of walls: for the heating limit.
    pub composite: Celsius,
    /// Smoothed twice: for the heating limit.
    pub attenuated: Celsius,
}

impl Equivalent {
    /// The terms in the order in which they are booked.
    pub fn terms(&self) -> [(Part, Kelvins); 4] {
        [
            (Part::BuildingMass, self.mass),
            (Part::Solar, self.solar),
            (Part::Wind, self.wind),
            (Part::Forecast, self.forecast),
        ]
    }

    /// Whether a term rests on word from outside, which may not push the supply below the heat floor.
    pub fn is_from_outside(&self, part: Part) -> bool {
        part == Part::Forecast || (part == Part::Solar && self.solar_from == Some(Witness::Service))
    }
}

/// A first-order filter, exact for any step length.
fn follow(before: f64, now: f64, filter: Duration, dt: Duration) -> f64 {
    before + (now - before) * (1.0 - (-seconds(dt) / seconds(filter).max(1e-9)).exp())
}

impl EquivalentOutdoor {
    /// Lets time pass in which nobody looked: the filters catch up with the next look, as if it had been so all the time.
    pub fn age(&mut self, gone: Duration) {
        self.unseen = self.unseen.saturating_add(gone);
    }

    /// One step. `tail_excess` is what the coldest rooms have above their minimum, where rooms are measured.
    pub fn advance(
        &mut self,
        settings: &EquivalentOutdoorSettings,
        sky: &Sky,
        tail_excess: Option<Kelvins>,
        dt: Duration,
    ) -> Equivalent {
        let dt = dt.saturating_add(std::mem::take(&mut self.unseen));
        let outdoor = sky.outdoor;
        let slow = self.remember(settings.building, outdoor.now, dt);
        let attenuated = self.slower.unwrap_or(slow);

        let light = settings.light_share;
        let mass = (slow - outdoor.filtered) * (1.0 - light.0);
        let forecast = self.look_ahead(settings, sky, dt) * light.0;
        let solar = self.shine(settings, sky, tail_excess, dt);
        let wind = self.blow(settings, sky, dt);
        Equivalent {
            temperature: outdoor.filtered + mass + solar + wind + forecast,
            mass,
            solar,
            wind,
            forecast,
            solar_from: sky.solar.map(|(_, witness)| witness),
            composite: Celsius(0.5 * (outdoor.now.0 + slow.0)),
            attenuated,
        }
    }

    /// The walls' temperature, and that of the heaviest of them.
    fn remember(&mut self, building: Duration, now: Celsius, dt: Duration) -> Celsius {
        let slow = Celsius(follow(self.slow.unwrap_or(now).0, now.0, building, dt));
        self.slow = Some(slow);
        self.slower = Some(Celsius(follow(self.slower.unwrap_or(slow).0, slow.0, building, dt)));
        slow
    }

    fn look_ahead(&mut self, settings: &EquivalentOutdoorSettings, sky: &Sky, dt: Duration) -> Kelvins {
        let outlook = sky.outlook.filter(|_| !settings.look_ahead.is_zero());
        let foreseen = outlook.and_then(|outlook| outlook.mean_temperature(settings.look_ahead));
        let coming = foreseen.map_or(Kelvins(0.0), |foreseen| foreseen - sky.outdoor.now);
        let bounded = coming.clamp(-settings.forecast_max, settings.forecast_max);
        let filter = sky.filter.clamp(AHEAD_FILTER.0, AHEAD_FILTER.1);
        self.ahead = Kelvins(follow(self.ahead.0, bounded.0, filter, dt));
        self.ahead
    }

    fn shine(
        &mut self,
        settings: &EquivalentOutdoorSettings,
        sky: &Sky,
        tail_excess: Option<Kelvins>,
        dt: Duration,
    ) -> Kelvins {
        let now = sky.solar.map_or(0.0, |(solar, _)| solar.0);
        self.solar = WattsPerSquareMeter(follow(self.solar.0, now, settings.solar_filter, dt));
        self.tail = tail_excess.map(|now| Kelvins(follow(self.tail.unwrap_or(now).0, now.0, TAIL_FILTER, dt)));
        let bearable = self.tail.map(|excess| (excess + ROOM_CREDIT).max(Kelvins(0.0)) / ROOM_COST);
        let most = bearable.map_or(settings.solar_max, |bearable| bearable.min(settings.solar_max));
        Kelvins(settings.solar_gain * self.solar.0).min(most)
    }

    fn blow(&mut self, settings: &EquivalentOutdoorSettings, sky: &Sky, dt: Duration) -> Kelvins {
        // While nobody knows the wind it calms down to the wind that the curve was set for.
        let now = sky.wind.unwrap_or(settings.wind_calm);
        let wind = MetersPerSecond(follow(self.wind.unwrap_or(now).0, now.0, WIND_FILTER, dt));
        self.wind = Some(wind);
        let above = (wind.0 - settings.wind_calm.0).max(0.0);
        let share = ((WIND_ROOM - sky.outdoor.filtered) / WIND_DIFFERENCE).max(0.0);
        -Kelvins(settings.wind_gain * above * share).min(WIND_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::Ratio;

    const HOUR: Duration = Duration::from_secs(3600);
    const MINUTE: Duration = Duration::from_secs(60);

    fn house() -> EquivalentOutdoorSettings {
        EquivalentOutdoorSettings {
            light_share: Ratio(0.5),
            building: HOUR * 36,
            solar_gain: 0.01,
            wind_gain: 0.3,
            ..EquivalentOutdoorSettings::default()
        }
    }

    fn sky(outdoor: f64) -> Sky<'static> {
        Sky { outdoor: Outdoor::sensor(Celsius(outdoor)), filter: HOUR * 2, outlook: None, solar: None, wind: None }
    }

    fn hours(state: &mut EquivalentOutdoor, hours: u32, sky: &Sky, tail: Option<Kelvins>) -> Equivalent {
        (0..hours * 60).map(|_| state.advance(&house(), sky, tail, MINUTE)).last().unwrap()
    }

    fn close(a: Kelvins, b: f64) -> bool {
        (a.0 - b).abs() < 0.02
    }

    #[test]
    fn as_it_stands_by_default_it_is_the_smoothed_temperature() {
        let mut state = EquivalentOutdoor::default();
        let bright = Sky {
            solar: Some((WattsPerSquareMeter(600.0), Witness::Station)),
            wind: Some(MetersPerSecond(12.0)),
            ..sky(-3.0)
        };
        for _ in 0..600 {
            let equivalent = state.advance(&EquivalentOutdoorSettings::default(), &bright, None, MINUTE);
            assert_eq!(equivalent.temperature, Celsius(-3.0));
            assert!(equivalent.terms().iter().all(|(_, term)| term.0 == 0.0), "{equivalent:?}");
        }
    }

    #[test]
    fn walls_follow_a_cold_front_with_their_time_constant() {
        let mut state = EquivalentOutdoor::default();
        hours(&mut state, 1, &sky(6.0), None);
        let after = hours(&mut state, 36, &sky(-4.0), None);
        // The slow path has covered 63 % of 10 K; half of the loss goes through it.
        assert!(close(after.mass, 0.5 * 10.0 * (-1.0_f64).exp()), "{after:?}");
        assert!((after.temperature.0 - (-4.0 + after.mass.0)).abs() < 1e-9);
        assert!(after.composite.0 > -4.0 && after.attenuated > after.composite, "{after:?}");
    }

    #[test]
    fn the_sun_counts_after_hours_and_no_more_than_its_bound() {
        let mut state = EquivalentOutdoor::default();
        let bright = Sky { solar: Some((WattsPerSquareMeter(200.0), Witness::Station)), ..sky(0.0) };
        let soon = hours(&mut state, 1, &bright, None);
        assert!((0.3..=0.6).contains(&soon.solar.0), "{soon:?}");
        assert!(close(hours(&mut state, 48, &bright, None).solar, 2.0));
        let blinding = Sky { solar: Some((WattsPerSquareMeter(900.0), Witness::Station)), ..sky(0.0) };
        assert_eq!(hours(&mut state, 24, &blinding, None).solar, Kelvins(3.0));
        assert!(close(hours(&mut state, 24, &sky(0.0), None).solar, 0.0), "it is forgotten in the night");
    }

    #[test]
    fn the_sun_takes_no_more_than_the_coldest_rooms_can_bear() {
        let mut state = EquivalentOutdoor::default();
        let bright = Sky { solar: Some((WattsPerSquareMeter(250.0), Witness::Station)), ..sky(0.0) };
        assert!(close(hours(&mut state, 48, &bright, Some(Kelvins(1.0))).solar, 2.5));
        assert!(close(hours(&mut state, 24, &bright, Some(Kelvins(-0.15))).solar, 1.0));
        assert!(close(hours(&mut state, 24, &bright, Some(Kelvins(-0.5))).solar, 0.0));
    }

    #[test]
    fn wind_asks_for_more_and_never_for_less_and_has_its_cap() {
        let blows = |speed: f64, outdoor: f64| {
            let windy = Sky { wind: Some(MetersPerSecond(speed)), ..sky(outdoor) };
            hours(&mut EquivalentOutdoor::default(), 12, &windy, None).wind
        };
        assert_eq!(blows(0.0, 0.0).0, 0.0);
        assert!(close(blows(7.5, 0.0), -1.5), "{:?}", blows(7.5, 0.0));
        assert!(close(blows(7.5, 10.0), -0.75), "half the difference, half the draught");
        assert_eq!(blows(30.0, -10.0), Kelvins(-3.0));
    }

    fn told<'a>(forecast: &'a Forecast, sky: Sky<'a>) -> Sky<'a> {
        Sky { outlook: Some(Outlook { forecast, bias: Kelvins(0.0) }), ..sky }
    }

    #[test]
    fn a_coming_cold_front_is_met_before_it_arrives_and_within_its_bound() {
        let mut state = EquivalentOutdoor::default();
        let mut falls = [Celsius(0.0); 24];
        for (hour, value) in falls.iter_mut().enumerate() {
            *value = Celsius(-2.0 * hour as f64);
        }
        let front = Forecast::new(Duration::ZERO, &falls, &[], &[]).unwrap();
        let before = hours(&mut state, 12, &told(&front, sky(0.0)), None);
        // Two hours ahead it is 4 K colder, on the mean 2 K, and half of the loss feels it.
        assert!(close(before.forecast, -1.0), "{before:?}");
        let lie = Forecast::new(Duration::ZERO, &[Celsius(-50.0); 24], &[], &[]).unwrap();
        let lied_to = hours(&mut state, 48, &told(&lie, sky(0.0)), None);
        assert!(close(lied_to.forecast, -1.5), "{lied_to:?}");
        let silent = hours(&mut state, 24, &sky(0.0), None);
        assert!(close(silent.forecast, 0.0), "what is silent fades: {silent:?}");
    }

    #[test]
    fn after_a_gap_the_next_look_stands_for_all_of_it() {
        let mut state = EquivalentOutdoor::default();
        hours(&mut state, 1, &sky(6.0), None);
        let mut absent = state;
        hours(&mut state, 7, &sky(-4.0), None);
        absent.age(MINUTE * (7 * 60 - 1));
        let (seen, unseen) = (state.slow.unwrap(), absent.advance(&house(), &sky(-4.0), None, MINUTE));
        assert!((absent.slow.unwrap() - seen).0.abs() < 1e-9, "{unseen:?}");
    }
}
