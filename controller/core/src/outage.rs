//! Is heat arriving? A state machine per circuit.
//!
//! ```text
//!               cold                  cold for confirm_after
//!  [ Arriving ] -----> [ Suspected ] -----------------------> [ Outage ]
//!       ^  ^_______________| warm again                           |
//!       |_________________________________________________________| warm again
//! ```
//!
//! An outage counts from its first cold moment, not from when we came to believe it: confirmation takes ten minutes, and
//! every outage would lose them. While nobody can tell (`None`) an outage is neither opened nor closed; the time is
//! booked as unobserved, because blindness is not health.
//!
//! The five standards define no threshold. What counts as cold is in [`heat_arrives`].

use std::fmt;
use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, Kelvins, Watts};
use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::event::Event;
use crate::moment::UtcMillis;
use crate::settings::OutageSettings;
use crate::state::OpenOutage;

/// Why no heat arrived: a closed set. Which of them count as the enterprise's accident is the standard's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The enterprise's own plant or operation failed (企业事故).
    EnterpriseAccident,
    /// Heat, power or water did not come from upstream (上游供应).
    UpstreamSupply,
    /// Announced work (计划停热).
    Planned,
    /// The user's own installation (用户自有设施).
    UserFacility,
    /// The building's shared installation (楼内公共设施).
    BuildingPublic,
    /// Within the builder's warranty (保修期).
    BuilderWarranty,
    /// Somebody else's damage (第三方破坏).
    ThirdParty,
    /// Force majeure (不可抗力).
    ForceMajeure,
    /// Nobody has said yet.
    Unknown,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 9] = [
        Cause::EnterpriseAccident,
        Cause::UpstreamSupply,
        Cause::Planned,
        Cause::UserFacility,
        Cause::BuildingPublic,
        Cause::BuilderWarranty,
        Cause::ThirdParty,
        Cause::ForceMajeure,
        Cause::Unknown,
    ];

    /// The name in files, metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::EnterpriseAccident => "enterprise_accident",
            Cause::UpstreamSupply => "upstream_supply",
            Cause::Planned => "planned",
            Cause::UserFacility => "user_facility",
            Cause::BuildingPublic => "building_public",
            Cause::BuilderWarranty => "builder_warranty",
            Cause::ThirdParty => "third_party",
            Cause::ForceMajeure => "force_majeure",
            Cause::Unknown => "unknown",
        }
    }

    /// The cause of that name.
    pub fn from_name(name: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// What a Chinese operator calls it.
    pub const fn chinese(self) -> &'static str {
        match self {
            Cause::EnterpriseAccident => "企业事故",
            Cause::UpstreamSupply => "上游供应中断",
            Cause::Planned => "计划停热",
            Cause::UserFacility => "用户自有设施",
            Cause::BuildingPublic => "楼内公共设施",
            Cause::BuilderWarranty => "保修期内",
            Cause::ThirdParty => "第三方破坏",
            Cause::ForceMajeure => "不可抗力",
            Cause::Unknown => "未确认",
        }
    }
}

/// An outage is named by its circuit and its first cold moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutageId {
    /// Which circuit.
    pub circuit: CircuitIndex,
    /// The first cold moment.
    pub since: UtcMillis,
}

impl fmt::Display for OutageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.circuit.0, self.since.0)
    }
}

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Supply {
    /// Heat arrives, as far as anybody could see.
    #[default]
    Arriving,
    /// No heat arrives, for a short time.
    Suspected {
        /// The first cold moment on the wall clock.
        since: UtcMillis,
        /// How long ago that is, counted.
        lasted: Duration,
        /// How much of it nobody could see.
        unobserved: Duration,
    },
    /// No heat arrives.
    Outage {
        /// The first cold moment on the wall clock.
        since: UtcMillis,
        /// How long ago that is, counted.
        lasted: Duration,
        /// How much of it nobody could see.
        unobserved: Duration,
    },
}

/// What the watch remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Where the circuit stands.
    pub supply: Supply,
    /// The blindness that lasts now, if any: since when, how long.
    pub blind: Option<(UtcMillis, Duration)>,
    /// Every second of the season is in one of the three.
    pub seconds: SeasonTime,
    /// Which season that is, by its first moment.
    #[serde(default)]
    season: Option<UtcMillis>,
}

/// Time of the season, split without rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeasonTime {
    /// Heat arrived.
    pub supplied: Duration,
    /// No heat arrived.
    pub interrupted: Duration,
    /// Nobody could tell.
    pub unobserved: Duration,
}

/// What the watch is told each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Whether heat is due: in season and not a station that was never started.
    pub due: bool,
    /// Whether heat arrives; `None` while nobody can tell.
    pub arrives: Option<bool>,
    /// What the alarms of the moment suggest.
    pub suggested: Cause,
    /// Supply temperature, for evidence.
    pub supply: Option<Celsius>,
}

impl Watch {
    /// One step. `dt` is the time since the last step; it belongs to what was known then.
    #[allow(
        clippy::too_many_arguments,
        reason = "one observation with its place and time; a struct would only rename it"
    )]
    pub fn observe(
        &mut self,
        settings: &OutageSettings,
        circuit: CircuitIndex,
        area: Area,
        seen: Observation,
        wall: UtcMillis,
        dt: Duration,
        events: &mut Vec<Event>,
    ) {
        use Supply::{Arriving, Outage, Suspected};
        if seen.due || matches!(self.supply, Outage { .. }) {
            self.book(dt);
        }
        if !seen.due {
            self.see_again(circuit, area, events);
            self.close(circuit, area, wall, events);
            return;
        }
        match seen.arrives {
            None if self.blind.is_none() => self.blind = Some((wall, Duration::ZERO)),
            None => {}
            Some(_) => self.see_again(circuit, area, events),
        }
        match (self.supply, seen.arrives) {
            (Suspected { since, lasted, unobserved }, Some(false))
                // Only what was seen confirms: a few cold seconds around an hour of blindness prove nothing.
                if lasted.saturating_sub(unobserved) >= settings.confirm_after =>
            {
                self.supply = Outage { since, lasted, unobserved };
                // What had been booked in good faith was the beginning of the outage.
                self.seconds.supplied = self.seconds.supplied.saturating_sub(lasted.saturating_sub(unobserved));
                self.seconds.unobserved = self.seconds.unobserved.saturating_sub(unobserved);
                self.seconds.interrupted += lasted;
                let (outage, suggested, supply) = (OutageId { circuit, since }, seen.suggested, seen.supply);
                events.push(Event::OutageOpened { outage, area, suggested, lasted, supply });
            }
            (_, None) | (Arriving, Some(true)) | (Suspected { .. } | Outage { .. }, Some(false)) => {}
            (Suspected { since, unobserved, .. }, Some(true)) => {
                self.supply = Arriving;
                // What nobody saw of a suspicion that came to nothing.
                if !unobserved.is_zero() {
                    events.push(Event::Unobserved { circuit, from: since, lasted: unobserved, area });
                }
            }
            (Arriving, Some(false)) => {
                self.supply = Suspected { since: wall, lasted: Duration::ZERO, unobserved: Duration::ZERO };
            }
            (Outage { .. }, Some(true)) => self.close(circuit, area, wall, events),
        }
    }

    /// Books the time since the last step to what was known then.
    fn book(&mut self, dt: Duration) {
        let blind = self.blind.is_some();
        if let Some((_, lasted)) = &mut self.blind {
            *lasted += dt;
        }
        match &mut self.supply {
            Supply::Arriving => {}
            Supply::Suspected { lasted, unobserved, .. } | Supply::Outage { lasted, unobserved, .. } => {
                *lasted += dt;
                if blind {
                    *unobserved += dt;
                }
            }
        }
        let account = match self.supply {
            Supply::Outage { .. } => &mut self.seconds.interrupted,
            Supply::Arriving | Supply::Suspected { .. } if blind => &mut self.seconds.unobserved,
            Supply::Arriving | Supply::Suspected { .. } => &mut self.seconds.supplied,
        };
        *account += dt;
    }

    /// Blindness ends. Inside an outage it is noted with the outage, inside a suspicion with what becomes of it; otherwise
    /// it is a record of its own.
    fn see_again(&mut self, circuit: CircuitIndex, area: Area, events: &mut Vec<Event>) {
        let in_outage = !matches!(self.supply, Supply::Arriving);
        if let Some((from, lasted)) = self.blind.take().filter(|(_, lasted)| !lasted.is_zero() && !in_outage) {
            events.push(Event::Unobserved { circuit, from, lasted, area });
        }
    }

    fn close(&mut self, circuit: CircuitIndex, area: Area, wall: UtcMillis, events: &mut Vec<Event>) {
        if let Supply::Outage { since, lasted, unobserved } = std::mem::take(&mut self.supply) {
            let outage = OutageId { circuit, since };
            events.push(Event::OutageClosed { outage, area, ended: wall, lasted, unobserved });
        }
    }

    /// Goes on after a restart: the records say whether an outage is open; the time without us was seen by nobody. A
    /// blindness that lasted when we went is a record that is still owed.
    pub(crate) fn take_up(
        &mut self,
        circuit: CircuitIndex,
        area: Area,
        open: Option<OpenOutage>,
        gone: Duration,
        events: &mut Vec<Event>,
    ) {
        self.see_again(circuit, area, events);
        self.supply = if let Some(OpenOutage { outage, lasted, unobserved }) = open {
            self.seconds.interrupted += gone;
            Supply::Outage { since: outage.since, lasted, unobserved }
        } else {
            self.seconds.unobserved += gone;
            match self.supply {
                // A suspicion is not dropped because the program was away: a plant without power takes the program along.
                Supply::Suspected { since, lasted, unobserved } => {
                    Supply::Suspected { since, lasted: lasted + gone, unobserved: unobserved + gone }
                }
                Supply::Arriving | Supply::Outage { .. } => Supply::Arriving,
            }
        };
    }

    /// Another season begins its own account.
    pub(crate) fn of_season(&mut self, start: UtcMillis) {
        if self.season.is_some_and(|season| season != start) {
            self.seconds = SeasonTime::default();
        }
        self.season = Some(start);
    }

    /// The outage that lasts now, if any.
    pub fn open(&self, circuit: CircuitIndex) -> Option<(OutageId, Duration)> {
        match self.supply {
            Supply::Outage { since, lasted, .. } => Some((OutageId { circuit, since }, lasted)),
            Supply::Arriving | Supply::Suspected { .. } => None,
        }
    }
}

/// What the detector looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Whether circulation is proven; `None` while nobody can tell.
    pub circulating: Option<bool>,
    /// Supply temperature.
    pub supply: Option<Celsius>,
    /// The supply temperature that the weather asks for, before limits and ramps: a cold start is no mild day.
    pub wanted: Celsius,
    /// How much cooler the water comes back.
    pub spread: Option<Kelvins>,
    /// What the limiters leave of that.
    pub limited: Celsius,
    /// Heat taken from the primary side.
    pub power: Option<Watts>,
    /// The design load.
    pub design_power: Watts,
}

/// On a mild day the supply is cool because little is wanted; closer to the wish than this, it is no outage.
const COOL_BY_INTENT: Kelvins = Kelvins(3.0);

/// Water that comes back cooler by this has left heat in the buildings, whatever the heat meter says. A loop that is heated
/// no more is mixed in half an hour and then shows no difference.
const LEAVES_HEAT: Kelvins = Kelvins(2.0);

/// Whether heat arrives in the buildings.
///
/// It does not when circulation stands, when the supply is colder than any heating (the floor) although more is wanted, or
/// when it is far below what is wanted and no heat is taken from the primary side. Supply a little below its setpoint is
/// poor heating, which is another figure (the room pass rate), not an outage; cool water on a mild day is neither. A heat
/// meter that reads nothing while the water comes back cooler is a broken meter, not an outage.
pub fn heat_arrives(settings: &OutageSettings, seen: Evidence) -> Option<bool> {
    if seen.circulating == Some(false) {
        return Some(false);
    }
    let supply = seen.supply?;
    let missing = seen.wanted - supply;
    let leaves_heat = seen.spread.is_some_and(|spread| spread > LEAVES_HEAT);
    let starved = !leaves_heat && seen.power.is_some_and(|power| power < seen.design_power * settings.power_floor.0);
    // What is missing is measured against the wish, or a limiter would hide that no heat comes. But water that stands where
    // a limiter wants it is no outage either: the limiter gives it back by itself.
    let by_intent = seen.limited - supply <= COOL_BY_INTENT;
    if supply < settings.supply_floor && missing > COOL_BY_INTENT && (starved || !by_intent) {
        return Some(false);
    }
    if starved && missing > settings.undersupply && !by_intent {
        return Some(false);
    }
    seen.circulating
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One letter a minute: warm, cold, ? while nobody can tell, - while no heat is due.
    fn run(minutes: &str) -> Vec<String> {
        let settings = OutageSettings { confirm_after: 3 * MINUTE, ..OutageSettings::default() };
        let mut watch = Watch::default();
        let mut seen = Vec::new();
        for (minute, letter) in minutes.chars().enumerate() {
            let observation = Observation {
                due: letter != '-',
                arrives: match letter {
                    'w' => Some(true),
                    'c' => Some(false),
                    _ => None,
                },
                suggested: Cause::Unknown,
                supply: None,
            };
            let wall = UtcMillis(minute as i64 * 60_000);
            let dt = if minute == 0 { Duration::ZERO } else { MINUTE };
            let area = Area::from_square_meters(1000);
            let mut events = Vec::new();
            watch.observe(&settings, CircuitIndex(0), area, observation, wall, dt, &mut events);
            seen.extend(events.into_iter().map(|event| match event {
                Event::OutageOpened { outage, .. } => format!("{minute}: opened {}", outage.since.0 / 60_000),
                Event::OutageClosed { outage, ended, lasted, unobserved, .. } => format!(
                    "{minute}: closed {}..{} of {} min, {} unseen",
                    outage.since.0 / 60_000,
                    ended.0 / 60_000,
                    lasted.as_secs() / 60,
                    unobserved.as_secs() / 60
                ),
                Event::Unobserved { lasted, .. } => format!("{minute}: blind for {} min", lasted.as_secs() / 60),
                other => panic!("{other:?}"),
            }));
        }
        let spent = watch.seconds.supplied + watch.seconds.interrupted + watch.seconds.unobserved;
        let due = minutes.chars().skip(1).filter(|letter| *letter != '-').count() as u32;
        // The step that ends the season still books the minute before it to an outage that lasted.
        assert!(spent == due * MINUTE || spent == (due + 1) * MINUTE, "{minutes}: {spent:?} of {due} min");
        seen
    }

    #[test]
    fn a_short_chill_is_no_outage() {
        assert_eq!(run("wwccwwww"), Vec::<String>::new());
    }

    #[test]
    fn an_outage_counts_from_its_first_cold_minute() {
        assert_eq!(run("wwcccccww"), ["5: opened 2", "7: closed 2..7 of 5 min, 0 unseen"]);
    }

    #[test]
    fn blindness_neither_opens_nor_closes_an_outage() {
        assert_eq!(run("ww????????ww"), ["10: blind for 8 min"]);
        assert_eq!(run("wwcccc??ccww"), ["5: opened 2", "10: closed 2..10 of 8 min, 2 unseen"]);
        assert_eq!(run("wc?cccw"), ["5: opened 1", "6: closed 1..6 of 5 min, 1 unseen"]);
        // Cold seconds around a blindness are no evidence for all of it.
        assert_eq!(run("wc?????cw"), ["8: blind for 5 min"]);
    }

    #[test]
    fn the_end_of_the_season_ends_the_outage() {
        assert_eq!(run("wwccccc--"), ["5: opened 2", "7: closed 2..7 of 5 min, 0 unseen"]);
    }

    #[test]
    fn poor_heating_is_not_an_outage_and_no_heat_at_all_is_one() {
        let seen = Evidence {
            circulating: Some(true),
            supply: Some(Celsius(42.0)),
            wanted: Celsius(55.0),
            spread: None,
            limited: Celsius(55.0),
            power: Some(Watts(800_000.0)),
            design_power: Watts(4.0e6),
        };
        let settings = OutageSettings::default();
        assert_eq!(heat_arrives(&settings, seen), Some(true));
        assert_eq!(heat_arrives(&settings, Evidence { power: Some(Watts(10_000.0)), ..seen }), Some(false));
        // A meter that reads nothing is believed only while the water does not say otherwise.
        let unmetered = |spread| Evidence { power: Some(Watts(0.0)), spread: Some(Kelvins(spread)), ..seen };
        assert_eq!(heat_arrives(&settings, unmetered(9.0)), Some(true));
        assert_eq!(heat_arrives(&settings, unmetered(0.5)), Some(false));
        assert_eq!(heat_arrives(&settings, Evidence { supply: Some(Celsius(20.0)), ..seen }), Some(false));
        let mild = Evidence {
            supply: Some(Celsius(24.0)),
            wanted: Celsius(24.5),
            limited: Celsius(24.5),
            power: Some(Watts(0.0)),
            ..seen
        };
        assert_eq!(heat_arrives(&settings, mild), Some(true));
        assert_eq!(heat_arrives(&settings, Evidence { circulating: Some(false), supply: None, ..seen }), Some(false));
        assert_eq!(heat_arrives(&settings, Evidence { supply: None, ..seen }), None);
        assert_eq!(heat_arrives(&settings, Evidence { circulating: None, ..seen }), None);
    }

    #[test]
    fn a_limiter_neither_makes_an_outage_nor_hides_one() {
        // A limiter has taken 8 K of 55; while the water cools down to 47 the valve is shut.
        let seen = Evidence {
            circulating: Some(true),
            supply: Some(Celsius(44.5)),
            spread: None,
            wanted: Celsius(55.0),
            limited: Celsius(47.0),
            power: Some(Watts(0.0)),
            design_power: Watts(4.0e6),
        };
        let settings = OutageSettings::default();
        assert_eq!(heat_arrives(&settings, seen), Some(true), "it is where the limiter wants it");
        assert_eq!(heat_arrives(&settings, Evidence { limited: Celsius(55.0), ..seen }), Some(false));
        assert_eq!(heat_arrives(&settings, Evidence { supply: Some(Celsius(43.9)), ..seen }), Some(false));
        // A mild day on which the limits outrank the lowest supply temperature.
        let mild = Evidence { supply: Some(Celsius(22.0)), wanted: Celsius(30.0), limited: Celsius(23.0), ..seen };
        assert_eq!(heat_arrives(&settings, mild), Some(false), "no heat is taken");
        assert_eq!(heat_arrives(&settings, Evidence { power: Some(Watts(2.0e5)), ..mild }), Some(true));
    }
}
