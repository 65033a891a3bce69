//! What goes wrong again and again with open pollers, and does not here: one test or more for each of the weaknesses that
//! concern the field side, told on lines of every kind where the kind makes a difference.
//!
//! * A: one unreadable register takes the others down.
//! * B: registers are read one by one, and requests queue without bound.
//! * C: a late reply shifts every later one; nobody reconnects; a write is repeated blindly.
//! * D: each unit of a gateway takes a connection of its own.
//! * E: a refused write is reported as done, and what was acknowledged is believed.
//! * F: stale values look fresh.

use std::time::Duration;

use heatstation::image::Image;
use heatstation_drivers::output::Urgency;
use heatstation_drivers::settings::{Register, WriteRules};
use heatstation_drivers::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus, WireHandle};
use heatstation_points::{Fault, Quality, Readings, Value};
use heatstation_simulator::wire::signature;
use heatstation_tests::wires::{
    Field, Line, VALVE, any_number, catalogue, definition, device, law_four, settings_of, valve, valve_at, word,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

/// The same on lines of every kind, side by side: it is waiting for the most part.
async fn on_every_line<F: Future<Output = ()> + Send + 'static>(told: impl Fn(Line) -> F) {
    let mut lines = JoinSet::new();
    for line in Line::ALL {
        lines.spawn(told(line));
    }
    while let Some(outcome) = lines.join_next().await {
        outcome.expect("it goes wrong here too");
    }
}

/// A register at this address, and a run of registers elsewhere: a line without transaction numbers is tried, after an answer
/// that did not come, by a question that looks different, and a run can be asked for in many lengths.
fn many_looks(address: u16, period: Duration) -> Vec<Register> {
    std::iter::once(address).chain(500..512).map(|address| word(address, period)).collect()
}

fn good(wire: &WireHandle) -> usize {
    wire.samples().iter().filter(|sample| sample.value.is_ok()).count()
}

// ---- A ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_a_one_unreadable_register_does_not_take_its_block_down() {
    on_every_line(|line| async move {
        let field = Field::new(line, "illegal 37", 1, 1).await;
        let mut settings =
            settings_of(&field, vec![device(1, (0..100).map(|address| word(address, 300 * MS)).collect())]);
        settings.timeout = 300 * MS;
        let wire = field.spawn(&settings);
        sleep(1200 * MS).await;
        let before = field.server.played().questions;
        sleep(1500 * MS).await;
        let asked = field.server.played().questions - before;
        for (address, sample) in (0..).zip(wire.samples()) {
            let truth = if address == 37 { Err(Fault::Refused) } else { Ok(f64::from(signature(1, 3, address))) };
            assert_eq!(sample.value.map(Value::number), truth, "{line:?}: register {address}");
        }
        // And the 99 are still read in runs: 5 periods, and as many runs as halving makes, not 99 each.
        assert!(asked <= 6 * 8, "{line:?}: {asked} questions in 5 periods");
        wire.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_a_one_silent_unit_does_not_take_the_values_of_the_others_with_it() {
    on_every_line(|line| async move {
        let field = Field::new(line, "silent unit 2", 1, 3).await;
        let devices = (1..=3).map(|unit| device(unit, many_looks(5, 200 * MS))).collect();
        let mut settings = settings_of(&field, devices);
        settings.reconnect_min = 300 * MS;
        settings.reconnect_max = 1000 * MS;
        let wire = field.spawn(&settings);
        let mut seen = [None; 39];
        for _ in 0..150 {
            sleep(20 * MS).await;
            for (place, sample) in wire.samples().iter().enumerate() {
                seen[place] = sample.value.ok().map(Value::number).or(seen[place]);
            }
        }
        let truth = |unit| Some(f64::from(signature(unit, 3, 5)));
        assert_eq!([seen[0], seen[13], seen[26]], [truth(1), None, truth(3)], "{line:?}");
        // At this moment there may be none: the silent unit's time-out takes the connection with it.
        let age = wire.oldest_age();
        assert!(age.is_none_or(|age| age <= 2000 * MS), "{line:?}: what is shown as good is {age:?} old");
        wire.stop().await;
    })
    .await;
}

// ---- B ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_b_a_hundred_registers_are_one_question() {
    let field = Field::new(Line::Tcp, "", 1, 1).await;
    let wire =
        field.spawn(&settings_of(&field, vec![device(1, (0..100).map(|address| word(address, 500 * MS)).collect())]));
    sleep(2200 * MS).await;
    let asked = field.server.played().questions;
    assert!((3..=6).contains(&asked), "{asked} questions for 100 registers in 2.2 s at a period of 0.5 s");
    assert_eq!(good(&wire), 100);
    wire.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_b_a_line_that_is_too_slow_gets_no_longer_queue() {
    // 20 runs at 100 ms each take 2 s, and are wanted each 50 ms.
    let field = Field::new(Line::Tcp, "late 100ms", 1, 1).await;
    let registers = (0..20).map(|run| word(run * 100, 50 * MS)).collect();
    let mut settings = settings_of(&field, vec![device(1, registers)]);
    settings.timeout = 1000 * MS;
    let wire = field.spawn(&settings);
    sleep(2500 * MS).await;
    let early = wire.statistics().backlog;
    sleep(2500 * MS).await;
    let late = wire.statistics().backlog;
    // One round of all runs is the most that anything waits, early and late alike.
    for backlog in [early, late] {
        assert!(backlog <= 3000 * MS, "the latest read is {backlog:?} late; {early:?}, then {late:?}");
    }
    assert_eq!(good(&wire), 20, "nothing starves");
    wire.stop().await;
}

// ---- C ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_c_a_late_answer_never_shifts_those_behind_it() {
    on_every_line(|line| async move {
        // Half to five times the time-out.
        for faults in ["late 12ms..125ms 20%", "late 12ms..125ms 10%, carry-over 5%, reorder 5%"] {
            let outcome = law_four(line, faults, 5, 300, Duration::from_secs(4)).await;
            assert!(0 < outcome.tally.answered() && 0 < outcome.tally.failed(), "{line:?}, {faults}: {outcome:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_c_after_a_power_cut_of_the_device_the_wire_comes_back_by_itself() {
    on_every_line(|line| async move {
        let field = Field::new(line, "restart 1s for 1500ms", 1, 1).await;
        let wire = field.spawn(&settings_of(&field, vec![device(1, many_looks(5, 100 * MS))]));
        let mut seen = String::new();
        for _ in 0..90 {
            sleep(50 * MS).await;
            let now = wire.now();
            let sample = wire.samples()[0];
            let is_good = sample.value.is_ok() && now.saturating_sub(sample.taken_at) < 500 * MS;
            let letter = if is_good { 'g' } else { '.' };
            if !seen.ends_with(letter) {
                seen.push(letter);
            }
        }
        assert!(seen.contains("g.g"), "{line:?}: {seen}");
        wire.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_c_a_write_whose_answer_is_lost_is_looked_for_and_not_repeated() {
    on_every_line(|line| async move {
        let field = Field::new(line, "lost-ack", 1, 1).await;
        let rules = WriteRules { refresh: Duration::from_secs(60), ..WriteRules::default() };
        let wire =
            field.spawn(&settings_of(&field, vec![device(1, vec![valve(20, 200 * MS, rules), word(300, 200 * MS)])]));
        let status = desire_until(&wire, 0.55, |status| status.state == OutputState::Confirmed).await;
        assert_eq!(status.state, OutputState::Confirmed, "{line:?}: {status:?}");
        assert_eq!(field.server.units().written(1, 3, 20), Some(5500), "{line:?}");
        let lost = field.server.played().faults[0].1;
        assert_eq!((lost, status.writes_total), (1, 1), "{line:?}: written more than once");
        wire.stop().await;
    })
    .await;
}

// ---- D ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_d_ten_units_share_one_connection() {
    on_every_line(|line| async move {
        let field = Field::new(line, "", 1, 10).await;
        let devices = (1..=10).map(|unit| device(unit, vec![word(5, 200 * MS)])).collect();
        let mut settings = settings_of(&field, devices);
        settings.timeout = 1000 * MS;
        let wire = field.spawn(&settings);
        sleep(2000 * MS).await;
        assert_eq!(wire.statistics().connections_total, 1, "{line:?}");
        assert_eq!(good(&wire), 10, "{line:?}");
        wire.stop().await;
    })
    .await;
}

// ---- E ------------------------------------------------------------------------------------------------------------

/// Wishes for the valve each 100 ms, as a control does, until its status is so, or 6 s are over; never `Confirmed` or
/// `Accepted` on the way is for the caller to say.
async fn desire_until(wire: &WireHandle, ratio: f64, is_done: impl Fn(&OutputStatus) -> bool + Send) -> OutputStatus {
    let point = definition(VALVE).point;
    for _ in 0..60 {
        let wish = DesiredOutput { point, value: valve_at(ratio), decided_at: wire.now(), urgency: Urgency::Control };
        wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: Vec::new() });
        for _ in 0..10 {
            sleep(10 * MS).await;
            let status = wire.output_status(point).unwrap();
            if is_done(&status) {
                return status;
            }
        }
    }
    wire.output_status(point).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_e_a_refused_write_is_never_reported_as_done() {
    on_every_line(|line| async move {
        let field = Field::new(line, "deny-writes", 1, 1).await;
        let devices = vec![device(1, vec![valve(20, 200 * MS, WriteRules::default())])];
        let wire = field.spawn(&settings_of(&field, devices));
        let is_done = |status: &OutputStatus| matches!(status.state, OutputState::Accepted | OutputState::Confirmed);
        let status = desire_until(&wire, 0.55, |status| is_done(status) || status.state == OutputState::Refused).await;
        assert_eq!(status.state, OutputState::Refused, "{line:?}: {status:?}");
        assert!(matches!(status.obstacle, Some(Obstacle::Device(_))), "{line:?}: {status:?}");
        // And it stays so.
        for _ in 0..10 {
            let status = desire_until(&wire, 0.55, |_| true).await;
            assert!(!is_done(&status), "{line:?}: {status:?}");
        }
        assert_eq!(field.server.units().written(1, 3, 20), None, "{line:?}");
        wire.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_e_a_write_that_was_only_acknowledged_is_not_believed() {
    on_every_line(|line| async move {
        let field = Field::new(line, "ack-only", 1, 1).await;
        let devices = vec![device(1, vec![valve(20, 200 * MS, WriteRules::default())])];
        let wire = field.spawn(&settings_of(&field, devices));
        // It is told within 10 s that what is wished does not come about, and it is not written for ever.
        let is_not_kept = |status: &OutputStatus| status.obstacle == Some(Obstacle::NotKept);
        let is_believed = |status: &OutputStatus| status.state == OutputState::Confirmed;
        let told = desire_until(&wire, 0.55, |status| is_not_kept(status) || is_believed(status)).await;
        assert!(is_not_kept(&told) && !is_believed(&told), "{line:?}: {told:?}");
        assert!(told.writes_total <= 5, "{line:?}: {told:?}");
        wire.stop().await;
    })
    .await;
}

// ---- F ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_f_a_value_that_comes_no_more_does_not_look_fresh() {
    on_every_line(|line| async move {
        // After 1.5 s nobody is answered any more.
        let field = Field::new(line, "half-open 1500ms for 1h", 1, 1).await;
        let period = 200 * MS;
        let wire = field.spawn(&settings_of(&field, vec![device(1, vec![word(5, period)])]));
        let catalogue = catalogue();
        let mut image = Image::new(&catalogue, [(any_number().point, period)]);
        let (mut readings, mut by_slot) = (Readings::empty(&catalogue), Vec::new());
        let slot = catalogue.slot(any_number().point).unwrap();
        let mut quality = |now: Duration, wire: &WireHandle| {
            image.take(&catalogue, &wire.samples());
            image.snapshot(now, &mut readings, &mut by_slot);
            by_slot[slot].quality()
        };
        sleep(1000 * MS).await;
        assert_eq!(quality(wire.now(), &wire), Quality::Good, "{line:?}");
        sleep(3000 * MS).await;
        // Silent by the wire within a time-out of being due, stale by the image, and at last bad with the reason.
        assert_eq!(wire.samples()[0].value, Err(Fault::Silent), "{line:?}");
        assert!(matches!(quality(wire.now(), &wire), Quality::Uncertain(_)), "{line:?}");
        assert_eq!(quality(wire.now() + 10_000 * MS, &wire), Quality::Bad(Fault::Silent), "{line:?}");
        wire.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weakness_f_an_old_answer_to_the_same_question_does_not_make_a_value_fresh() {
    // One register of the units is a clock, and the checker compares it with the time of the question.
    on_every_line(|line| async move {
        let faults = "other-answer 20%, carry-over 5%, duplicate 20%";
        let outcome = law_four(line, faults, 6, 300, Duration::from_secs(4)).await;
        assert!(0 < outcome.tally.answered() && 0 < outcome.tally.failed(), "{line:?}: {outcome:?}");
    })
    .await;
}
