//! Stories of records on their way: what is used, and why the others are not. Times are arguments.

use std::collections::BTreeMap;

use super::*;
use crate::messages::json::records;
use crate::messages::quarantine::LISTED_MAX;
use crate::messages::settings::{Bounds, Feed, Id};
use crate::messages::{LOOK_BACK, Path};
use crate::testing::definition;

/// 2026-11-24T06:30:00Z.
const NOON: i64 = 1_795_501_800_000;

fn target(point: &str) -> Target {
    let period = Duration::from_secs(600);
    Target { definition: definition(point), scale: 1.0, offset: 0.0, invalid: vec![-999.0, 85.0], period }
}

fn room(number: usize) -> Target {
    target(&format!("circuit.low-zone.room.r{number}.temperature"))
}

/// A gateway that knows two rooms by the numbers of their sensors.
fn gateway(rate: Rate) -> Intake {
    let path = |text| Path::parse(text).unwrap();
    let feed = Feed {
        records: path(""),
        id: Id::Field(path("id")),
        value: path("t"),
        time: Some(path("at")),
        targets: BTreeMap::from([("A1".to_owned(), room(1)), ("A2".to_owned(), room(2))]),
    };
    let name = "gateway".to_owned();
    Intake::new(SourceSettings { name, feeds: vec![feed], bounds: Bounds::default(), rate })
}

struct Story {
    intake: Intake,
    last: Option<Sample>,
}

impl Story {
    fn begin() -> Story {
        Story { intake: gateway(Rate { per_second: 50.0, burst: 500.0 }), last: None }
    }

    /// Hears a record `second` seconds after noon, by both clocks.
    fn hear(&mut self, second: i64, text: &str) -> Verdict {
        self.hear_as(Delivery::Live, second, second, text)
    }

    fn hear_as(&mut self, delivery: Delivery, monotonic: i64, wall: i64, text: &str) -> Verdict {
        let feed = &self.intake.settings().feeds[0];
        let record = records(text.as_bytes(), feed, "", Bounds::default()).unwrap().remove(0);
        let monotonic = LOOK_BACK.as_secs() as i64 + monotonic;
        let arrival = Arrival {
            monotonic: Duration::from_secs(u64::try_from(monotonic).unwrap()),
            wall_milliseconds: NOON + wall * 1000,
        };
        let (verdict, sample) = self.intake.take(0, &record, delivery, arrival);
        if let Some((_, sample)) = sample {
            self.last = Some(sample);
        }
        verdict
    }

    /// Number and seconds after noon of the last sample.
    fn sample(&self) -> (Result<f64, Fault>, i64) {
        let sample = self.last.unwrap();
        (sample.value.map(Value::number), sample.taken_at.as_secs() as i64 - LOOK_BACK.as_secs() as i64)
    }
}

/// A record of sensor A1 of so many seconds after noon.
fn of(second: i64, celsius: f64) -> String {
    format!("{{\"id\":\"A1\",\"t\":{celsius},\"at\":{}}}", NOON + second * 1000)
}

#[test]
fn a_value_is_as_old_as_its_own_time_and_not_as_its_arrival() {
    let mut story = Story::begin();
    assert_eq!(story.hear(100, &of(40, 21.5)), Verdict::Accepted);
    assert_eq!(story.sample(), (Ok(21.5), 40));
    assert_eq!(story.hear(200, "{\"id\":\"A1\",\"t\":21.6}"), Verdict::Accepted);
    assert_eq!(story.sample(), (Ok(21.6), 200), "without a time the arrival counts");
}

#[test]
fn a_value_may_be_older_than_the_program_and_is_then_called_so() {
    let mut story = Story::begin();
    assert_eq!(story.hear(1, &of(-3600, 20.0)), Verdict::Accepted);
    assert_eq!(story.sample(), (Ok(20.0), -3600));
    assert_eq!(story.hear(2, &of(-86_399, 20.0).replace("A1", "A2")), Verdict::Late, "a day back there is nothing");
}

#[test]
fn what_comes_twice_counts_once() {
    let mut story = Story::begin();
    let batch = [of(0, 20.0), of(60, 20.1), of(120, 20.2)];
    let mut send = |second| batch.iter().map(|record| story.hear(second, record)).collect::<Vec<_>>();
    assert_eq!(send(120), [Verdict::Accepted; 3]);
    assert_eq!(send(150), [Verdict::Duplicate; 3], "the whole batch again is a batch sent again, not late data");
    let counts = story.intake.statistics().counts;
    assert_eq!((counts.accepted, counts.duplicates, counts.late), (3, 3, 0));
    assert_eq!(story.sample(), (Ok(20.2), 120));
}

#[test]
fn an_older_value_never_replaces_a_younger_one() {
    let mut story = Story::begin();
    assert_eq!(story.hear(600, &of(600, 21.0)), Verdict::Accepted);
    assert_eq!(story.hear(601, &of(540, 15.0)), Verdict::Late);
    assert_eq!(story.sample(), (Ok(21.0), 600));
    assert_eq!(story.hear(602, "{\"id\":\"A1\",\"t\":21.2}"), Verdict::Accepted);
    assert_eq!(story.hear(603, &of(601, 15.0)), Verdict::Late, "older than the arrival of the undated one");
}

#[test]
fn a_clock_that_is_ahead_is_refused_and_seconds_are_forgiven() {
    let mut story = Story::begin();
    assert_eq!(story.hear(100, &of(161, 21.0)), Verdict::Future);
    assert!(story.last.is_none());
    assert_eq!(story.hear(100, &of(160, 21.0)), Verdict::Accepted);
    assert_eq!(story.sample(), (Ok(21.0), 100), "a value is never younger than its arrival");
}

#[test]
fn a_step_of_our_clock_makes_no_undated_value_late_and_no_dated_one_younger() {
    let mut story = Story::begin();
    assert_eq!(story.hear(100, "{\"id\":\"A1\",\"t\":21.0}"), Verdict::Accepted);
    // Our clock goes back by an hour.
    let later = story.hear_as(Delivery::Live, 200, 200 - 3600, "{\"id\":\"A1\",\"t\":21.1}");
    assert_eq!((later, story.sample()), (Verdict::Accepted, (Ok(21.1), 200)));
    assert_eq!(story.hear_as(Delivery::Live, 300, 300 - 3600, &of(290, 21.2)), Verdict::Future);
}

#[test]
fn unknown_ids_are_listed_and_never_used() {
    let mut story = Story::begin();
    for second in 0..3 {
        assert_eq!(story.hear(second, "{\"id\":\"B7\",\"t\":33.5}"), Verdict::Unknown);
    }
    assert!(story.last.is_none());
    let strangers = story.intake.statistics().strangers;
    let seen = (strangers[0].id.as_str(), strangers[0].times, strangers[0].example.as_str());
    assert_eq!((seen, strangers.len()), (("B7", 3, "33.5"), 1));
    assert_eq!((strangers[0].first_milliseconds, strangers[0].last_milliseconds), (NOON, NOON + 2000));
}

#[test]
fn a_flood_of_invented_ids_stays_within_its_list_and_a_day_later_makes_room() {
    let mut story = Story::begin();
    for number in 0..1000 {
        story.hear(0, &format!("{{\"id\":\"x{number}\",\"t\":1}}"));
    }
    let listed = |story: &Story| story.intake.statistics().strangers;
    assert_eq!((listed(&story).len(), story.intake.statistics().counts.unknown), (LISTED_MAX, 1000));
    assert!(listed(&story).iter().any(|stranger| stranger.id == "x0"), "the first are not pushed out");
    story.hear(86_401, "{\"id\":\"new\",\"t\":1}");
    assert_eq!(listed(&story).iter().map(|stranger| stranger.id.as_str()).collect::<Vec<_>>(), ["new"]);
}

#[test]
fn one_sensor_that_floods_is_held_and_the_others_are_heard() {
    let mut story = Story::begin();
    let passed = (0..1000).filter(|second| story.hear(0, &of(second - 1000, 20.0)) == Verdict::Accepted).count();
    assert_eq!(passed, 120);
    assert_eq!(story.hear(1, &of(1, 20.5).replace("A1", "A2")), Verdict::Accepted);
    let statistics = story.intake.statistics();
    assert_eq!(statistics.counts.limited, 880);
    assert_eq!(statistics.last_refusal.unwrap(), "A1: 20 came too often");
    assert_eq!(story.hear(10, &of(10, 20.0)), Verdict::Accepted, "and it is heard again when it calms down");
}

#[test]
fn a_source_that_floods_is_told_when_it_may_come_again() {
    let mut intake = gateway(Rate { per_second: 0.5, burst: 3.0 });
    let mut admitted = |second| (0..10).filter(|_| intake.admit(Duration::from_secs(second)).is_ok()).count();
    assert_eq!([admitted(10), admitted(11), admitted(12)], [3, 0, 1]);
    assert!(intake.admit(Duration::from_secs(12)).unwrap_err() <= Duration::from_secs(2));
    assert_eq!(intake.statistics().counts.limited, 27);
}

#[test]
fn what_is_no_value_says_so_in_the_slot() {
    for (text, fault) in [
        ("-999", Fault::SensorBroken),
        ("85", Fault::SensorBroken),
        ("null", Fault::SensorBroken),
        ("120", Fault::Implausible),
        ("1e300", Fault::Implausible),
        ("\"warm\"", Fault::NotFinite),
        ("true", Fault::NotFinite),
        ("\"NaN\"", Fault::NotFinite),
        ("\"inf\"", Fault::NotFinite),
    ] {
        let mut story = Story::begin();
        assert_eq!(story.hear(5, &format!("{{\"id\":\"A1\",\"t\":{text}}}")), Verdict::Refused(fault), "{text}");
        assert_eq!(story.sample(), (Err(fault), 5), "{text}");
    }
}

#[test]
fn what_the_broker_kept_without_a_time_is_never_fresh_and_never_news() {
    let kept = "{\"id\":\"A1\",\"t\":19.0}";
    let mut story = Story::begin();
    assert_eq!(story.hear_as(Delivery::Kept, 10, 10, kept), Verdict::Accepted);
    // Four periods of 600 s: more than the three for which a value counts as fresh.
    assert_eq!(story.sample(), (Ok(19.0), 10 - 2400));
    assert_eq!(story.hear_as(Delivery::Kept, 5000, 5000, kept), Verdict::Undated, "a reconnect makes it no younger");
    assert_eq!(story.hear(5001, "{\"id\":\"A1\",\"t\":20.0}"), Verdict::Accepted);
    assert_eq!(story.hear_as(Delivery::Kept, 5002, 5002, kept), Verdict::Undated);
    assert_eq!(story.sample(), (Ok(20.0), 5001));
}

#[test]
fn what_the_broker_kept_with_its_time_is_as_old_as_that() {
    let mut story = Story::begin();
    assert_eq!(story.hear_as(Delivery::Kept, 10, 10, &of(-7200, 19.0)), Verdict::Accepted);
    assert_eq!(story.sample(), (Ok(19.0), -7200));
    assert_eq!(story.hear_as(Delivery::Kept, 20, 20, &of(-7200, 19.0)), Verdict::Duplicate);
}

#[test]
fn scale_offset_and_unit_are_those_of_the_point() {
    let path = |text| Path::parse(text).unwrap();
    let battery = Target { scale: 0.01, offset: 0.05, ..target("circuit.low-zone.room.r1.battery") };
    let flooded = target("plant_room.flooded");
    let feed = |id: &str, target| Feed {
        records: path(""),
        id: Id::Carrier,
        value: path("v"),
        time: None,
        targets: BTreeMap::from([(id.to_owned(), target)]),
    };
    let rate = Rate { per_second: 1.0, burst: 1.0 };
    let feeds = vec![feed("a", battery), feed("b", flooded)];
    let mut intake = Intake::new(SourceSettings { name: "x".to_owned(), feeds, bounds: Bounds::default(), rate });
    let arrival = Arrival { monotonic: LOOK_BACK, wall_milliseconds: NOON };
    let mut value = |feed: usize, id: &str, text: &str| {
        let record = records(text.as_bytes(), &intake.settings().feeds[feed], id, Bounds::default()).unwrap().remove(0);
        let (_, sample) = intake.take(feed, &record, Delivery::Live, arrival);
        let (place, sample) = sample.unwrap();
        (place, sample.value.map(Value::number))
    };
    assert_eq!(value(0, "a", "{\"v\":\"80\"}"), (0, Ok(80.0 * 0.01 + 0.05)));
    assert_eq!(value(1, "b", "{\"v\":true}"), (1, Ok(1.0)));
    assert_eq!(value(1, "b", "{\"v\":0}"), (1, Ok(0.0)));
}
