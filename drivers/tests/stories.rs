//! Stories of outputs and of failing devices, in virtual time on a bus without a socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use common::{START, VALVE, definition, device, value, valve, wire, word};
use heatstation_drivers::bus::{Bus, BusError, Refusal, Span, Write};
use heatstation_drivers::device_watchdog::Unfit;
use heatstation_drivers::encoding::{Encoding, Polarity};
use heatstation_drivers::settings::{
    DeviceSettings, Memory, ReadBack, Register, Table, WatchdogRule, WriteFunction, WriteRules,
};
use heatstation_drivers::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus, WireHandle, spawn_on};
use heatstation_points::{Fault, Sample};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_millis(500);

/// What the device does with a write.
#[derive(Clone, Copy, Default, PartialEq)]
enum OnWrite {
    #[default]
    Take,
    /// Echoes it and forgets it.
    Forget,
    Refuse(Refusal),
    /// Does it, and its echo is lost.
    TakeInSilence,
    /// The question itself is lost.
    Lose,
}

#[derive(Default)]
struct World {
    words: HashMap<(u8, u16), u16>,
    on_write: OnWrite,
    dead: HashSet<u8>,
    bad: HashSet<u16>,
    is_reachable: bool,
    is_connected: bool,
    connections: u32,
    log: Vec<(Duration, String)>,
    latency: Duration,
}

/// A bus into a [`World`].
#[derive(Clone)]
struct WorldBus {
    world: Arc<Mutex<World>>,
    epoch: tokio::time::Instant,
}

impl WorldBus {
    fn look(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn note(&self, what: String) {
        let now = self.epoch.elapsed();
        self.look().log.push((now, what));
    }

    async fn travel(&self, unit: u8) -> Result<(), BusError> {
        let (latency, is_dead, is_connected) = {
            let world = self.look();
            (world.latency, world.dead.contains(&unit), world.is_connected && world.is_reachable)
        };
        if !is_connected {
            self.look().is_connected = false;
            return Err(BusError::Broken("gone".to_owned()));
        }
        if is_dead {
            return Err(self.time_out().await);
        }
        sleep(latency).await;
        Ok(())
    }

    async fn time_out(&self) -> BusError {
        sleep(TIMEOUT).await;
        self.look().is_connected = false;
        BusError::Silent
    }
}

impl Bus for WorldBus {
    async fn connect(&mut self) -> Result<(), BusError> {
        sleep(LATENCY).await;
        let mut world = self.look();
        if !world.is_reachable {
            return Err(BusError::Unreachable { address: "world".to_owned(), why: "unplugged".to_owned() });
        }
        world.is_connected = true;
        world.connections += 1;
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.look().is_connected
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        self.note(format!("read {}:{}+{}", span.unit, span.address, span.count));
        self.travel(span.unit).await?;
        let world = self.look();
        let addresses = span.address..span.address + span.count;
        if addresses.clone().any(|address| world.bad.contains(&address)) {
            return Err(BusError::Refused(Refusal::Address));
        }
        Ok(addresses.map(|address| world.words.get(&(span.unit, address)).copied().unwrap_or(0)).collect())
    }

    async fn write(&mut self, unit: u8, write: &Write) -> Result<(), BusError> {
        self.note(format!("{write:?}"));
        self.travel(unit).await?;
        let on_write = self.look().on_write;
        match on_write {
            OnWrite::Refuse(refusal) => return Err(BusError::Refused(refusal)),
            OnWrite::Lose => return Err(self.time_out().await),
            OnWrite::Forget => return Ok(()),
            OnWrite::Take | OnWrite::TakeInSilence => {}
        }
        {
            let mut world = self.look();
            match *write {
                Write::SingleRegister { address, word } => {
                    world.words.insert((unit, address), word);
                }
                Write::MaskRegister { address, and, or } => {
                    let held = world.words.entry((unit, address)).or_default();
                    *held = (*held & and) | (or & !and);
                }
                ref other => panic!("no story writes {other:?}"),
            }
        }
        if on_write == OnWrite::TakeInSilence { Err(self.time_out().await) } else { Ok(()) }
    }

    fn disconnect(&mut self) {
        self.look().is_connected = false;
    }
}

struct Stage {
    world: WorldBus,
    wire: WireHandle,
}

impl Stage {
    fn of(devices: Vec<DeviceSettings>) -> Stage {
        let epoch = tokio::time::Instant::now();
        let world = World { is_reachable: true, latency: LATENCY, ..World::default() };
        let world = WorldBus { world: Arc::new(Mutex::new(world)), epoch };
        let settings = wire("127.0.0.1:502", devices);
        let epoch: Instant = epoch.into_std();
        Stage { world: world.clone(), wire: spawn_on(world, settings, epoch).unwrap() }
    }

    fn with_valve(rules: WriteRules) -> Stage {
        Stage::of(vec![device("plc", 1, vec![valve(20, rules)])])
    }

    fn wish(&self, position: f64) {
        let wish = DesiredOutput {
            point: definition(VALVE).point,
            value: value(VALVE, position),
            decided_at: self.wire.now(),
        };
        self.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: Vec::new() });
    }

    /// Renews the wish each second, as the cycle does.
    async fn hold(&self, position: f64, seconds: u32) {
        for _ in 0..seconds {
            self.wish(position);
            sleep(SECOND).await;
        }
    }

    fn status(&self) -> OutputStatus {
        self.wire.output_status(definition(VALVE).point).unwrap()
    }

    fn state(&self) -> OutputState {
        self.status().state
    }

    /// When which words were written to the valve.
    fn writes(&self) -> Vec<(u64, u16)> {
        let log = &self.world.look().log;
        let written = log.iter().filter_map(|(at, what)| {
            let word = what.strip_prefix("SingleRegister { address: 20, word: ")?.strip_suffix(" }")?;
            Some((at.as_millis() as u64, word.parse().unwrap()))
        });
        written.collect()
    }

    fn held(&self) -> u16 {
        self.world.look().words.get(&(1, 20)).copied().unwrap_or(0)
    }

    fn sample(&self, place: usize) -> Sample {
        self.wire.samples()[place]
    }
}

fn gaps(writes: &[(u64, u16)]) -> Vec<u64> {
    writes.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_written_once_the_device_was_asked_and_confirmed_by_reading_it_back() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    assert_eq!(stage.state(), OutputState::Idle);
    stage.hold(0.41, 1).await;
    assert_eq!((stage.held(), stage.state()), (4100, OutputState::Confirmed));
    assert!((stage.status().read_back.unwrap().number() - 0.41).abs() < 1e-12);
    assert_eq!(stage.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_device_holds_already_is_not_written_again_before_the_refresh_is_due() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.world.look().words.insert((1, 20), 4100);
    stage.hold(0.41, 9).await;
    assert_eq!((stage.writes().len(), stage.state()), (0, OutputState::Confirmed));
    stage.hold(0.41, 23).await;
    let writes = stage.writes();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert!(gaps(&writes).iter().all(|gap| (10_000..=10_050).contains(gap)), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_changes_all_the_time_is_written_no_oftener_than_the_minimum_interval() {
    let rules = WriteRules { minimum_interval: SECOND * 3, ..WriteRules::default() };
    let stage = Stage::with_valve(rules);
    for step in 0..300 {
        stage.wish(f64::from(step) / 1000.0);
        sleep(Duration::from_millis(100)).await;
    }
    let writes = stage.writes();
    assert!((9..=11).contains(&writes.len()), "{writes:?}");
    assert!(gaps(&writes).iter().all(|&gap| 3000 <= gap), "{writes:?}");
    sleep(SECOND * 4).await;
    assert_eq!(stage.held(), 2990);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_nobody_renews_expires_and_is_never_written_again() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.3, 1).await;
    sleep(SECOND * 60).await;
    let writes = stage.writes();
    assert_eq!(stage.state(), OutputState::Expired);
    assert!(writes.iter().all(|&(at, _)| at <= 10_000), "{writes:?}");
    stage.hold(0.3, 2).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_from_before_a_break_of_the_connection_that_has_grown_old() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().is_reachable = false;
    sleep(SECOND).await;
    stage.wish(0.9);
    sleep(SECOND * 30).await;
    assert_eq!(stage.state(), OutputState::Expired);
    stage.world.look().is_reachable = true;
    sleep(SECOND * 120).await;
    assert_eq!(stage.writes(), []);
    stage.hold(0.2, 2).await;
    assert_eq!((stage.held(), stage.writes().len()), (2000, 1));
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_write_that_was_done_is_found_by_reading_and_not_repeated() {
    let stage = Stage::with_valve(WriteRules { refresh: SECOND * 600, ..WriteRules::default() });
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::TakeInSilence;
    stage.hold(0.5, 1).await;
    assert_eq!(stage.writes().len(), 1);
    stage.hold(0.5, 20).await;
    assert_eq!((stage.writes().len(), stage.state()), (1, OutputState::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn after_an_unanswered_write_the_device_is_asked_and_then_the_newest_wish_is_written() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::Lose;
    stage.hold(0.5, 1).await;
    stage.world.look().on_write = OnWrite::Take;
    stage.hold(0.6, 5).await;
    let words: Vec<u16> = stage.writes().iter().map(|&(_, word)| word).collect();
    assert_eq!((words, stage.state()), (vec![5000, 6000], OutputState::Confirmed));
    let log = stage.world.look().log.clone();
    let place = |needle: &str| log.iter().position(|(_, what)| what.contains(needle)).unwrap();
    let between = &log[place("word: 5000")..place("word: 6000")];
    assert!(between.iter().any(|(_, what)| what == "read 1:20+1"), "{between:?}");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_device_does_not_keep_is_tried_three_times_and_then_at_the_refresh_only() {
    let stage = Stage::with_valve(WriteRules::default());
    sleep(SECOND).await;
    stage.world.look().on_write = OnWrite::Forget;
    stage.hold(0.5, 65).await;
    assert_eq!((stage.state(), stage.status().obstacle), (OutputState::Mismatch, Some(Obstacle::Contested)));
    let writes = stage.writes();
    let gaps = gaps(&writes);
    assert!(gaps[..2].iter().all(|&gap| gap < 3000) && gaps[2..].iter().all(|&gap| 10_000 <= gap), "{writes:?}");
    stage.world.look().on_write = OnWrite::Take;
    stage.hold(0.51, 3).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_with_its_reason_and_not_hammered() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.world.look().on_write = OnWrite::Refuse(Refusal::Value);
    stage.hold(0.5, 30).await;
    assert_eq!(stage.state(), OutputState::Refused);
    assert_eq!(stage.status().obstacle, Some(Obstacle::Device(Refusal::Value)));
    assert!((2..=4).contains(&stage.writes().len()), "{:?}", stage.writes());
}

#[tokio::test(start_paused = true)]
async fn a_device_on_local_is_not_written_and_is_asked_before_it_is_written_again() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 2).await;
    let point = definition(VALVE).point;
    for _ in 0..30 {
        let wish = DesiredOutput { point, value: value(VALVE, 0.7), decided_at: stage.wire.now() };
        stage.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: vec![point] });
        sleep(SECOND).await;
    }
    assert_eq!((stage.held(), stage.state()), (5000, OutputState::Inhibited));
    stage.hold(0.7, 2).await;
    assert_eq!((stage.held(), stage.state()), (7000, OutputState::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_master_is_noticed_and_answered_and_a_fight_is_told() {
    let stage = Stage::with_valve(WriteRules::default());
    stage.hold(0.5, 2).await;
    stage.world.look().words.insert((1, 20), 9900);
    stage.hold(0.5, 3).await;
    assert_eq!((stage.held(), stage.status().disturbances_total), (5000, 1));
    for _ in 0..5 {
        stage.world.look().words.insert((1, 20), 9900);
        stage.hold(0.5, 3).await;
    }
    assert_eq!(stage.status().obstacle, Some(Obstacle::Contested));
}

#[tokio::test(start_paused = true)]
async fn memory_with_a_life_is_written_on_change_only_and_within_its_budget() {
    let memory = Memory::NonVolatile { writes_per_year: 120 };
    let stage = Stage::with_valve(WriteRules { memory, tolerance: 0.005, ..WriteRules::default() });
    stage.hold(0.5, 300).await;
    stage.hold(0.504, 30).await;
    assert_eq!(stage.writes().len(), 1);
    for step in 0..30 {
        stage.hold(f64::from(step) / 30.0, 3).await;
    }
    assert_eq!(stage.writes().len(), 10);
    assert_eq!(stage.status().obstacle, Some(Obstacle::WearBudgetSpent));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_cannot_be_read_stays_accepted() {
    let stage = Stage::with_valve(WriteRules { read_back: ReadBack::Impossible, ..WriteRules::default() });
    stage.hold(0.5, 25).await;
    assert_eq!((stage.state(), stage.writes().len()), (OutputState::Accepted, 3));
    assert!(!stage.world.look().log.iter().any(|(_, what)| what.starts_with("read")));
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_before_the_reads_that_wait() {
    let mut registers = vec![valve(20, WriteRules::default())];
    registers.extend((0..40).map(|place| word(100 + place * 50, SECOND)));
    let stage = Stage::of(vec![device("plc", 1, registers)]);
    stage.world.look().latency = Duration::from_millis(100);
    sleep(SECOND * 5).await;
    let asked_at = stage.wire.now();
    stage.wish(0.5);
    sleep(SECOND).await;
    let (written_at, _) = stage.writes()[0];
    // One read under way, one to ask what the valve holds, then the write.
    assert!(written_at - asked_at.as_millis() as u64 <= 300, "{written_at} after {asked_at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bit_of_a_word_is_changed_alone_in_either_way() {
    for (function, expected) in [
        (WriteFunction::Automatic, "MaskRegister { address: 7, and: 65531, or: 4 }"),
        (WriteFunction::ReadModifyWrite, "SingleRegister { address: 7, word: 61445 }"),
    ] {
        let start = Register {
            write: Some(WriteRules { function, ..WriteRules::default() }),
            ..Register::input(
                definition(START),
                Table::HoldingRegister,
                7,
                Encoding::Bit { bit: Some(2), polarity: Polarity::Straight },
            )
        };
        let stage = Stage::of(vec![device("drive", 1, vec![start])]);
        stage.world.look().words.insert((1, 7), 0xF001);
        let point = definition(START).point;
        let wish = DesiredOutput { point, value: value(START, 1.0), decided_at: stage.wire.now() };
        stage.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: Vec::new() });
        sleep(SECOND).await;
        assert_eq!(stage.world.look().words[&(1, 7)], 0xF005);
        assert_eq!(stage.wire.output_status(point).unwrap().state, OutputState::Confirmed);
        assert!(stage.world.look().log.iter().any(|(_, what)| what == expected), "{:?}", stage.world.look().log);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_device_costs_its_neighbours_a_time_out_now_and_then_and_no_more() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND)]), device("meter", 2, vec![word(0, SECOND)])]);
    stage.world.look().dead.insert(2);
    let mut oldest = Duration::ZERO;
    for _ in 0..3000 {
        sleep(Duration::from_millis(100)).await;
        let sample = stage.sample(0);
        assert!(sample.value.is_ok() || stage.wire.now() < SECOND);
        oldest = oldest.max(stage.wire.now().saturating_sub(sample.taken_at));
    }
    assert!(oldest <= Duration::from_millis(1600), "{oldest:?}");
    assert_eq!(stage.sample(1).value, Err(Fault::Silent));
    let failures = stage.wire.statistics().failures_total.silent;
    // 1 + 2 + 4 .. 32 s, then every minute or a little less.
    assert!((8..=14).contains(&failures), "{failures}");

    stage.world.look().dead.clear();
    sleep(SECOND * 61).await;
    assert!(stage.sample(1).value.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_unreadable_register_does_not_take_the_others_down() {
    let registers = (0..30).map(|address| word(address, SECOND)).collect();
    let stage = Stage::of(vec![device("plc", 1, registers)]);
    stage.world.look().bad.insert(17);
    sleep(SECOND / 2).await;
    for (place, sample) in stage.wire.samples().iter().enumerate() {
        assert_eq!(sample.value.err(), (place == 17).then_some(Fault::Refused), "{place}");
    }
    stage.world.look().bad.clear();
    sleep(SECOND * 31).await;
    assert!(stage.sample(17).value.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_wire_is_silent_at_once_and_tried_ever_less_often() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND)])]);
    sleep(SECOND * 3).await;
    assert!(stage.sample(0).value.is_ok() && stage.wire.statistics().is_connected);
    stage.world.look().is_reachable = false;
    sleep(SECOND * 3).await;
    assert_eq!(stage.sample(0).value, Err(Fault::Silent));
    assert!(!stage.wire.statistics().is_connected);
    sleep(SECOND * 597).await;
    let tries = stage.wire.statistics().failures_total.unreachable;
    assert!((14..=20).contains(&tries), "{tries}");
    stage.world.look().is_reachable = true;
    sleep(SECOND * 62).await;
    assert!(stage.sample(0).value.is_ok());
    stage.wire.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_falls_due_while_the_wire_is_unplugged_waits_for_the_wire() {
    let stage = Stage::of(vec![device("plc", 1, vec![word(0, SECOND), word(1, SECOND)])]);
    stage.world.look().bad.insert(1);
    sleep(SECOND * 3).await;
    stage.world.look().is_reachable = false;
    sleep(SECOND * 700).await;
    stage.world.look().bad.clear();
    stage.world.look().is_reachable = true;
    sleep(SECOND * 62).await;
    assert!(stage.wire.samples().iter().all(|sample| sample.value.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn unsound_settings_start_no_wire() {
    let devices = vec![device("plc", 250, vec![word(0, Duration::ZERO)])];
    let world = WorldBus { world: Arc::default(), epoch: tokio::time::Instant::now() };
    let problems = spawn_on(world, wire("127.0.0.1:502", devices), Instant::now()).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// The valve on a device whose watchdog stands in seconds at address 46 and must be 30 to 60 s.
fn watched_valve() -> Stage {
    let rule = WatchdogRule {
        table: Table::HoldingRegister,
        address: 46,
        seconds_per_count: 1.0,
        least: SECOND * 30,
        most: SECOND * 60,
    };
    let plc = device("plc", 1, vec![valve(20, WriteRules::default())]);
    Stage::of(vec![DeviceSettings { watchdog: Some(rule), ..plc }])
}

#[tokio::test(start_paused = true)]
async fn a_device_whose_watchdog_is_off_or_too_long_is_not_written_before_it_is_set() {
    let stage = watched_valve();
    for (word, found) in [(0, Duration::ZERO), (600, SECOND * 600)] {
        stage.world.look().words.insert((1, 46), word);
        stage.hold(0.5, 90).await;
        let unfit = Unfit { found: Some(found), least: SECOND * 30, most: SECOND * 60 };
        assert_eq!((stage.state(), stage.status().obstacle), (OutputState::Refused, Some(Obstacle::Watchdog(unfit))));
    }
    assert_eq!(stage.writes(), []);
    stage.world.look().words.insert((1, 46), 60);
    stage.hold(0.5, 62).await;
    assert_eq!((stage.held(), stage.state(), stage.status().obstacle), (5000, OutputState::Confirmed, None));
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_that_cannot_be_read_is_none_and_asked_for_once_a_minute() {
    let stage = watched_valve();
    stage.world.look().bad.insert(46);
    stage.hold(0.5, 180).await;
    assert_eq!(stage.writes(), []);
    let asked = stage.world.look().log.iter().filter(|(_, what)| what == "read 1:46+1").count();
    assert!((3..=4).contains(&asked), "{asked} times in three minutes");
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_is_looked_at_anew_on_each_connection_before_anything_is_written() {
    let stage = watched_valve();
    stage.world.look().words.insert((1, 46), 60);
    stage.hold(0.5, 5).await;
    assert_eq!(stage.state(), OutputState::Confirmed);
    // The PLC is exchanged for one out of the box.
    stage.world.look().is_connected = false;
    stage.world.look().words.insert((1, 46), 0);
    let before = stage.writes().len();
    stage.hold(0.7, 60).await;
    assert_eq!((stage.writes().len(), stage.state()), (before, OutputState::Refused));
}
