//! The operation accident rate (运行事故率): outage time × area over season time × area.
//!
//! ```text
//! S = Σ tᵢ·sᵢ / (T·s)        Zibo service rules 3.8 and 10.5.1; the Xinjiang draft 2.0.5, read alike
//! ```
//!
//! Zibo's printed formula has lost its fraction bar and prints "%" over a target in "‰"; definition 3.8 completes it. We
//! keep the plain ratio with an exact numerator and denominator (hundredths of m² × milliseconds) and compare by
//! cross-multiplication; nothing is rounded before it is shown.
//!
//! Overlapping outages of one circuit are united. Several stations add numerators and denominators; rates are never
//! averaged.

use std::collections::BTreeMap;
use std::time::Duration;

use heatstation_points::CircuitIndex;
use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::moment::UtcMillis;
use crate::outage::Cause;
use crate::outage_book::OutageBook;
use crate::profile::{AccidentRateRule, Fraction};
use crate::settings::Season;

/// An exact amount of area × time: hundredths of a square metre × milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaTime(pub u128);

impl AreaTime {
    /// That area for that long.
    pub fn of(area: Area, duration: Duration) -> AreaTime {
        AreaTime(u128::from(area.hundredths()) * duration.as_millis())
    }

    /// In m²·s, for display and metrics.
    pub fn square_meter_seconds(self) -> f64 {
        self.0 as f64 / 100_000.0
    }
}

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The target is met.
    Met,
    /// The target is not met.
    NotMet,
    /// The document sets no target.
    ReportOnly,
    /// The season is not over: the target is judged at its end.
    Pending,
}

/// The operation accident rate with all that it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccidentRate {
    /// Area × time of the outages that count.
    pub counted: AreaTime,
    /// Area × time of every outage of the season, by cause.
    pub by_cause: Vec<(Cause, AreaTime)>,
    /// How many outages of the season count.
    pub outages_counted: usize,
    /// How many outages the season has had.
    pub outages: usize,
    /// Area × time of the whole season: the denominator of "the" rate.
    pub season: AreaTime,
    /// Area × time of the season so far, for the running figure.
    pub to_date: AreaTime,
    /// Time that nobody observed, area × time: the rate's uncertainty.
    pub unobserved: AreaTime,
    /// Against the target.
    pub status: Status,
}

/// Something without which no rate exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRate {
    /// The station heats no area.
    NoArea,
    /// The season has no length.
    NoSeason,
}

impl AccidentRate {
    /// The full-season figure as a plain ratio, for display.
    pub fn ratio(&self) -> f64 {
        self.counted.0 as f64 / self.season.0 as f64
    }

    /// The running figure on the time elapsed so far; none before the season begins.
    pub fn ratio_to_date(&self) -> Option<f64> {
        (self.to_date.0 > 0).then(|| self.counted.0 as f64 / self.to_date.0 as f64)
    }

    /// The full-season figure in per mille with three decimals, rounded half up from the exact fraction.
    pub fn per_mille(&self) -> String {
        let thousandths = (self.counted.0 * 1_000_000 * 2 + self.season.0) / (self.season.0 * 2);
        format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
    }

    /// The rate of several stations: numerators and denominators added.
    #[must_use]
    pub fn and(&self, other: &AccidentRate, target: Option<Fraction>) -> AccidentRate {
        let mut by_cause: BTreeMap<Cause, AreaTime> = self.by_cause.iter().copied().collect();
        for &(cause, amount) in &other.by_cause {
            by_cause.entry(cause).or_default().0 += amount.0;
        }
        let counted = AreaTime(self.counted.0 + other.counted.0);
        let season = AreaTime(self.season.0 + other.season.0);
        let over = self.status != Status::Pending && other.status != Status::Pending;
        AccidentRate {
            counted,
            by_cause: by_cause.into_iter().collect(),
            outages_counted: self.outages_counted + other.outages_counted,
            outages: self.outages + other.outages,
            season,
            to_date: AreaTime(self.to_date.0 + other.to_date.0),
            unobserved: AreaTime(self.unobserved.0 + other.unobserved.0),
            status: judge(counted, season, target, over),
        }
    }
}

/// The rate of a season, from the records.
///
/// # Errors
/// A station without area or season has no rate: a fault of the configuration, not a zero.
pub fn accident_rate(
    rule: &AccidentRateRule,
    book: &OutageBook,
    area: Area,
    season: Season,
    now: UtcMillis,
) -> Result<AccidentRate, NoRate> {
    if area == Area::default() {
        return Err(NoRate::NoArea);
    }
    if season.length().is_zero() {
        return Err(NoRate::NoSeason);
    }
    let until = now.min(season.end);
    let mut stretches: BTreeMap<CircuitIndex, Vec<Stretch>> = BTreeMap::new();
    for outage in book.outages() {
        let (ended, lasted) = outage.ended.unwrap_or((now, now.since(outage.id.since)));
        let clipped = clip(outage.id.since, ended, lasted, season);
        if clipped.length.is_zero() {
            continue;
        }
        stretches.entry(outage.id.circuit).or_default().push(Stretch {
            cause: outage.cause,
            area: outage.area,
            ..clipped
        });
    }

    let mut by_cause: BTreeMap<Cause, AreaTime> = BTreeMap::new();
    let (mut counted, mut outages_counted) = (AreaTime::default(), 0);
    let outages = stretches.values().map(Vec::len).sum();
    for mut list in stretches.into_values() {
        list.sort_by_key(|stretch| stretch.from);
        for stretch in &list {
            by_cause.entry(stretch.cause).or_default().0 += AreaTime::of(stretch.area, stretch.length).0;
        }
        list.retain(|stretch| rule.counted.contains(&stretch.cause));
        outages_counted += list.len();
        counted.0 += united(&list);
    }

    let mut gaps: BTreeMap<CircuitIndex, Vec<Stretch>> = BTreeMap::new();
    for gap in book.gaps() {
        let clipped = clip(gap.from, gap.from.plus(gap.lasted), gap.lasted, season);
        gaps.entry(gap.circuit).or_default().push(Stretch { area: gap.area, ..clipped });
    }
    let unobserved = gaps.into_values().map(|mut list| {
        list.sort_by_key(|stretch| stretch.from);
        united(&list)
    });
    let whole = AreaTime::of(area, season.length());
    let target = rule.target.as_ref().map(|clause| clause.value);
    Ok(AccidentRate {
        counted,
        by_cause: by_cause.into_iter().collect(),
        outages_counted,
        outages,
        season: whole,
        to_date: AreaTime::of(area, until.since(season.start)),
        unobserved: AreaTime(unobserved.sum()),
        status: judge(counted, whole, target, now >= season.end),
    })
}

#[derive(Clone, Copy)]
struct Stretch {
    from: UtcMillis,
    length: Duration,
    area: Area,
    cause: Cause,
}

/// The part of an outage that lies in the season. Inside it the monotonic length counts, whatever the wall clock did
/// meanwhile; at the season's edge only the wall clock can say where to cut.
fn clip(from: UtcMillis, to: UtcMillis, lasted: Duration, season: Season) -> Stretch {
    let length = if season.start <= from && to <= season.end {
        lasted
    } else {
        to.min(season.end).since(from.max(season.start))
    };
    Stretch { from: from.max(season.start), length, area: Area::default(), cause: Cause::Unknown }
}

/// Area × time of one circuit's stretches, sorted by their start; where two overlap the time counts once, with the
/// larger area.
fn united(stretches: &[Stretch]) -> u128 {
    let mut total = 0;
    let mut covered_until = UtcMillis(i64::MIN);
    let mut covered_area = Area::default();
    for stretch in stretches {
        let end = stretch.from.plus(stretch.length);
        if stretch.from >= covered_until {
            total += AreaTime::of(stretch.area, stretch.length).0;
        } else {
            let shared = covered_until.min(end).since(stretch.from);
            let more = stretch.area.hundredths().saturating_sub(covered_area.hundredths());
            total += AreaTime::of(Area::from_hundredths(more), shared).0;
            total += AreaTime::of(stretch.area, end.since(covered_until)).0;
        }
        if end > covered_until {
            (covered_until, covered_area) = (end, stretch.area);
        }
    }
    total
}

fn judge(counted: AreaTime, season: AreaTime, target: Option<Fraction>, over: bool) -> Status {
    match target {
        None => Status::ReportOnly,
        Some(_) if !over => Status::Pending,
        // counted / season <= n / d, without dividing.
        Some(target) if counted.0 * u128::from(target.denominator) <= season.0 * u128::from(target.numerator) => {
            Status::Met
        }
        Some(_) => Status::NotMet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::outage::OutageId;
    use crate::profile::Clause;

    const HOUR: i64 = 3_600_000;
    /// 15 Nov 2026 00:00 to 15 Mar 2027 24:00 in Shanghai: 121 d = 2 904 h.
    const SEASON: Season = Season {
        heating_from: UtcMillis(0),
        start: UtcMillis(1_794_672_000_000),
        end: UtcMillis(1_794_672_000_000 + 2904 * HOUR),
    };
    const AFTER: UtcMillis = UtcMillis(SEASON.end.0 + HOUR);

    fn rule() -> AccidentRateRule {
        AccidentRateRule {
            clause: "3.8, 10.5.1".to_owned(),
            counted: vec![Cause::EnterpriseAccident, Cause::Unknown],
            target: Some(Clause { value: Fraction { numerator: 2, denominator: 1000 }, clause: "Table 1".to_owned() }),
        }
    }

    /// An outage of a circuit of its own unless said otherwise: hours from the season's start, hours long, m².
    fn book(outages: &[(usize, i64, i64, u32, Cause)]) -> OutageBook {
        let mut book = OutageBook::default();
        for &(circuit, from, hours, area, cause) in outages {
            let outage = OutageId {
                circuit: CircuitIndex(circuit),
                since: SEASON.start.plus(Duration::from_secs(from as u64 * 3600)),
            };
            let (area, lasted) = (Area::from_square_meters(area), Duration::from_secs(hours as u64 * 3600));
            book.note(&Event::OutageOpened {
                outage,
                area,
                suggested: Cause::Unknown,
                lasted: Duration::ZERO,
                supply: None,
            });
            book.note(&Event::OutageClosed {
                outage,
                area,
                ended: outage.since.plus(lasted),
                lasted,
                unobserved: Duration::ZERO,
            });
            let (author, reason) = ("op".to_owned(), "seen".to_owned());
            book.note(&Event::OutageCauseConfirmed { outage, cause, author, reason });
        }
        book
    }

    fn season_a() -> OutageBook {
        use Cause::{EnterpriseAccident, UserFacility};
        book(&[
            (0, 100, 6, 12_000, EnterpriseAccident),
            (1, 300, 10, 20_000, EnterpriseAccident),
            (2, 500, 5, 3_000, UserFacility),
        ])
    }

    fn rate(book: &OutageBook, area: u32, now: UtcMillis) -> AccidentRate {
        accident_rate(&rule(), book, Area::from_square_meters(area), SEASON, now).unwrap()
    }

    #[test]
    fn tv_01a_two_enterprise_accidents_count_and_a_users_pipe_does_not() {
        let rate = rate(&season_a(), 100_000, AFTER);
        assert_eq!(rate.counted.0, 272_000 * 100 * HOUR as u128);
        assert_eq!(rate.season.0, 290_400_000 * 100 * HOUR as u128);
        assert_eq!((rate.per_mille().as_str(), rate.status, rate.outages_counted), ("0.937", Status::Met, 2));
        assert_eq!(rate.by_cause.len(), 2);
    }

    #[test]
    fn tv_01b_exactly_two_per_mille_is_met_and_one_square_metre_hour_more_is_not() {
        let exact = book(&[(0, 0, 1, 580_800, Cause::EnterpriseAccident)]);
        assert_eq!(
            (rate(&exact, 100_000, AFTER).per_mille().as_str(), rate(&exact, 100_000, AFTER).status),
            ("2.000", Status::Met)
        );
        let over = book(&[(0, 0, 1, 580_801, Cause::EnterpriseAccident)]);
        assert_eq!(rate(&over, 100_000, AFTER).status, Status::NotMet);
    }

    #[test]
    fn tv_01c_overlapping_accidents_of_one_place_count_once() {
        let overlap = book(&[(0, 8, 4, 5_000, Cause::EnterpriseAccident), (0, 10, 4, 5_000, Cause::Unknown)]);
        assert_eq!(rate(&overlap, 100_000, AFTER).counted.0, 30_000 * 100 * HOUR as u128);
    }

    #[test]
    fn tv_01d_only_the_part_inside_the_season_counts() {
        let late = book(&[(0, 2904 - 28, 34, 1_000, Cause::Unknown)]);
        assert_eq!(rate(&late, 100_000, AFTER).counted.0, 28_000 * 100 * HOUR as u128);
    }

    #[test]
    fn tv_01e_stations_add_numerators_and_denominators() {
        let (a, b) = (rate(&season_a(), 100_000, AFTER), rate(&OutageBook::default(), 50_000, AFTER));
        let both = a.and(&b, Some(Fraction { numerator: 2, denominator: 1000 }));
        assert_eq!((both.per_mille().as_str(), both.status), ("0.624", Status::Met));
    }

    #[test]
    fn tv_01f_the_running_figure_uses_the_elapsed_season() {
        let rate = rate(&season_a(), 100_000, SEASON.start.plus(Duration::from_secs(1872 * 3600)));
        assert_eq!(format!("{:.3}", rate.ratio_to_date().unwrap() * 1000.0), "1.453");
        assert_eq!((rate.per_mille().as_str(), rate.status), ("0.937", Status::Pending));
    }

    #[test]
    fn tv_01g_no_area_is_no_rate() {
        let none = accident_rate(&rule(), &OutageBook::default(), Area::default(), SEASON, AFTER);
        assert_eq!(none, Err(NoRate::NoArea));
    }

    #[test]
    fn a_step_of_the_wall_clock_makes_no_minutes() {
        let outage = OutageId { circuit: CircuitIndex(0), since: SEASON.start.plus(Duration::from_secs(3600)) };
        let area = Area::from_square_meters(1_000);
        let mut book = OutageBook::default();
        book.note(&Event::OutageClosed {
            outage,
            area,
            ended: outage.since.plus(Duration::from_secs(7200)),
            lasted: Duration::from_secs(3600),
            unobserved: Duration::ZERO,
        });
        assert_eq!(rate(&book, 100_000, AFTER).counted, AreaTime::of(area, Duration::from_secs(3600)));
    }
}
