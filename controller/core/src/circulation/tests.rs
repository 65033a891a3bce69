//! Stories of the pumps of one circuit: feedback that follows the command, unless broken.

use heatstation_points::{Pascals, Reading, Watts};

use super::*;
use crate::moment::{Day, Weekday};
use crate::settings::{Assist, ChangeOver, CirculationMode, Exercise, TimeOfWeek};

mod speed;

pub(crate) fn settings() -> CirculationSettings {
    CirculationSettings {
        on_min: Duration::ZERO,
        exercise: Exercise { every: Duration::ZERO, ..Exercise::default() },
        ..CirculationSettings::ordinary()
    }
}

/// Pumps whose feedback follows the command after a second, unless broken; water that flows when one turns.
struct Rig {
    settings: CirculationSettings,
    circulation: Circulation,
    readings: CircuitReadings,
    broken: [bool; PUMPS_MAX],
    fault: [bool; PUMPS_MAX],
    /// Turns without water.
    dry: [bool; PUMPS_MAX],
    need: Need,
    local: LocalTime,
    starts: Vec<(u32, usize)>,
    failures: Vec<(u32, usize, PumpFailure)>,
    changes: Vec<(u32, usize, ChangeReason)>,
    second: u32,
}

impl Rig {
    fn new(settings: &CirculationSettings) -> Rig {
        let mut readings = CircuitReadings::default();
        let pump = PumpReadings {
            running: Reading::good(Switch::Off),
            fault: Reading::good(Switch::Off),
            ..PumpReadings::default()
        };
        readings.circulation_pumps = vec![pump; settings.pumps];
        readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(0.0));
        let mut circulation = Circulation::default();
        circulation.take_over(settings, &readings.circulation_pumps);
        Rig {
            settings: *settings,
            circulation,
            readings,
            broken: [false; PUMPS_MAX],
            fault: [false; PUMPS_MAX],
            dry: [false; PUMPS_MAX],
            need: Need::Heat,
            local: LocalTime::on(Day(4), 0),
            starts: Vec::new(),
            failures: Vec::new(),
            changes: Vec::new(),
            second: 0,
        }
    }

    fn on(&self) -> Vec<usize> {
        let commands = self.circulation.commands(&self.settings).collect::<Vec<_>>();
        (0..commands.len()).filter(|&number| commands[number].start.is_on()).collect()
    }

    fn state(&self, pump: usize) -> PumpState {
        self.circulation.report(&self.settings).pumps[pump].state
    }

    fn proven(&self) -> Option<bool> {
        proven(&self.settings, &self.readings, Switch::Off)
    }

    fn follow(&mut self) {
        let commands = self.circulation.commands(&self.settings).collect::<Vec<_>>();
        let mut flows = false;
        for (number, reading) in self.readings.circulation_pumps.iter_mut().enumerate() {
            let turns = commands[number].start.is_on() && !self.broken[number];
            reading.running = Reading::good(Switch::from(turns));
            reading.fault = Reading::good(Switch::from(self.fault[number]));
            reading.power = Reading::good(Watts(if turns { 10_000.0 } else { 0.0 }));
            flows |= turns && !self.dry[number];
        }
        self.readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(if flows { 0.04 } else { 0.0 }));
    }

    fn run(&mut self, seconds: u32, run: Run) {
        for _ in 0..seconds {
            self.follow();
            let asked = Asked { run, need: self.need, local: self.local, proven: self.proven(), ..calm() };
            let mut events = Vec::new();
            let (circuit, dt) = (CircuitIndex(0), Duration::from_secs(1));
            self.circulation.advance(&self.settings, circuit, &self.readings, &asked, dt, &mut events);
            for event in events {
                match event {
                    Event::PumpStarted { pump, .. } => self.starts.push((self.second, pump.0)),
                    Event::PumpFailed { pump, failure, .. } => {
                        self.failures.push((self.second, pump.0, failure.expect("it says why")));
                    }
                    Event::DutyChanged { to, because, .. } => self.changes.push((self.second, to.0, because)),
                    _ => {}
                }
            }
            self.second += 1;
        }
    }
}

fn calm() -> Asked {
    Asked {
        run: Run::Wanted,
        need: Need::Heat,
        hand_speed: None,
        out: [false; PUMPS_MAX],
        proven: None,
        outdoor: Celsius(0.0),
        rooms: None,
        local: LocalTime::on(Day(4), 0),
    }
}

#[test]
fn a_pump_that_does_not_run_is_replaced_and_tried_again_later() {
    let mut rig = Rig::new(&settings());
    rig.broken[0] = true;
    rig.run(40, Run::Wanted);
    assert_eq!(rig.starts, [(0, 0), (15, 1)]);
    assert_eq!(rig.failures, [(15, 0, PumpFailure::NoFeedback)]);
    rig.broken[0] = false;
    rig.run(1300, Run::Wanted);
    assert_eq!(rig.starts.len(), 2, "a healthy duty pump is not exchanged for the repaired one");
}

#[test]
fn a_fault_of_the_drive_is_answered_at_once() {
    let mut rig = Rig::new(&settings());
    rig.run(100, Run::Wanted);
    rig.fault[0] = true;
    rig.broken[0] = true;
    rig.run(2, Run::Wanted);
    assert_eq!(rig.starts, [(0, 0), (100, 1)]);
    assert_eq!(rig.failures, [(100, 0, PumpFailure::Fault)]);
}

#[test]
fn a_pump_that_turns_without_water_is_exchanged_as_long_as_there_is_another() {
    let mut rig = Rig::new(&settings());
    rig.run(100, Run::Wanted);
    rig.dry[0] = true;
    rig.run(40, Run::Wanted);
    assert_eq!(rig.failures, [(129, 0, PumpFailure::NoWater)]);
    assert_eq!(rig.on(), [1]);
    // The flow switch lies, or a valve is closed: the last pump turns on.
    rig.dry[1] = true;
    rig.run(1000, Run::Wanted);
    assert_eq!((rig.failures.len(), rig.on()), (1, vec![1]));
}

#[test]
fn after_three_retries_a_pump_waits_for_a_person_and_in_frost_it_is_tried_all_the_same() {
    let mut rig = Rig::new(&CirculationSettings { pumps: 1, ..settings() });
    rig.broken[0] = true;
    rig.run(4 * 3600, Run::Wanted);
    assert_eq!(rig.failures.len(), 4, "{:?}", rig.failures);
    assert_eq!(rig.state(0), PumpState::GivenUp);
    rig.need = Need::Frost;
    rig.run(3600, Run::Wanted);
    let in_frost = rig.failures.len();
    assert!((6..=7).contains(&in_frost), "{:?}", rig.failures);
    rig.need = Need::Heat;
    rig.run(3600, Run::Wanted);
    assert_eq!(rig.failures.len(), in_frost);
    rig.broken[0] = false;
    assert!(rig.circulation.forgive(&rig.settings));
    rig.run(1300, Run::Wanted);
    assert_eq!((rig.on(), rig.state(0)), (vec![0], PumpState::Duty));
}

#[test]
fn somebody_at_the_pump_is_the_look_that_it_has_waited_for() {
    let mut rig = Rig::new(&CirculationSettings { pumps: 1, ..settings() });
    rig.broken[0] = true;
    rig.run(3 * 3600, Run::Wanted);
    assert_eq!(rig.state(0), PumpState::GivenUp);
    rig.readings.circulation_pumps[0].remote = Reading::good(Switch::Off);
    rig.broken[0] = false;
    rig.run(5, Run::Wanted);
    rig.readings.circulation_pumps[0].remote = Reading::good(Switch::On);
    rig.run(5, Run::Wanted);
    assert_eq!(rig.on(), [0]);
}

#[test]
fn duty_changes_over_with_an_overlap() {
    let mut rig = Rig::new(&CirculationSettings { rotate_after: Duration::from_secs(600), ..settings() });
    for _ in 0..1000 {
        rig.run(1, Run::Wanted);
        assert!(rig.second < 3 || rig.proven() == Some(true), "second {}", rig.second);
    }
    assert_eq!(rig.starts, [(0, 0), (600, 1)]);
    assert_eq!(rig.changes, [(601, 1, ChangeReason::Hours)]);
    assert_eq!(rig.on(), [1]);
}

#[test]
fn with_a_pause_the_old_pump_ramps_down_both_stand_five_seconds_and_the_next_is_proven() {
    let change_over = ChangeOver::Pause { wait: Duration::from_secs(5) };
    let mut rig = Rig::new(&CirculationSettings { rotate_after: Duration::from_secs(600), change_over, ..settings() });
    rig.run(601, Run::Wanted);
    let mut story = Vec::new();
    for _ in 0..60 {
        rig.run(1, Run::Wanted);
        if story.last() != Some(&rig.on()) {
            story.push(rig.on());
        }
    }
    assert_eq!(story, [vec![0], vec![], vec![1]]);
    // From 0.8 to 0.5 by 0.01 a second, then the pause.
    let stopped = 601 + 30;
    assert!((stopped + 5..stopped + 9).contains(&rig.starts[1].0), "{:?}", rig.starts);
    assert_eq!(rig.changes.len(), 1);
}

#[test]
fn a_pump_that_is_not_proven_gives_the_duty_back() {
    for change_over in [ChangeOver::Overlap, ChangeOver::Pause { wait: Duration::from_secs(5) }] {
        let mut rig =
            Rig::new(&CirculationSettings { rotate_after: Duration::from_secs(600), change_over, ..settings() });
        rig.run(500, Run::Wanted);
        rig.broken[1] = true;
        rig.run(300, Run::Wanted);
        assert_eq!((rig.on(), rig.changes.len()), (vec![0], 0), "{change_over:?}: {:?}", rig.starts);
        assert_eq!(rig.failures.len(), 1);
        // Nobody tries every minute.
        rig.run(3000, Run::Wanted);
        assert_eq!(rig.failures.len(), 1);
    }
}

#[test]
fn the_duty_changes_at_a_time_of_the_week() {
    let at = TimeOfWeek { weekday: Weekday::Tuesday, minute_of_day: 600 };
    let mut rig = Rig::new(&CirculationSettings { rotate_after: Duration::ZERO, rotate_at: Some(at), ..settings() });
    for minute in 0..3 * 1440 {
        rig.local = LocalTime::on(Day(4 + minute / 1440), (minute % 1440) as u16);
        rig.run(60, Run::Wanted);
    }
    assert_eq!(rig.changes, [((1440 + 600) * 60 + 1, 1, ChangeReason::TimeOfWeek)]);
}

#[test]
fn starts_are_bounded_whatever_is_asked() {
    let mut rig = Rig::new(&settings());
    for minute in 0..60 {
        rig.run(30, if minute % 2 == 0 { Run::Wanted } else { Run::NotWanted });
        rig.run(30, Run::NotWanted);
    }
    let first = rig.starts.iter().filter(|(_, pump)| *pump == 0).count();
    assert!((3..=6).contains(&first), "{first} starts of pump 1 in an hour: {:?}", rig.starts);
}

#[test]
fn a_restart_of_the_program_gives_no_starts_back() {
    let mut rig = Rig::new(&CirculationSettings { pumps: 1, ..settings() });
    for _ in 0..3 {
        rig.run(10, Run::Wanted);
        rig.run(70, Run::Barred);
    }
    let saved = serde_json::to_string(&rig.circulation).unwrap();
    rig.circulation = serde_json::from_str(&saved).unwrap();
    rig.circulation.age(Duration::from_secs(30));
    rig.follow();
    let found = rig.readings.circulation_pumps.clone();
    rig.circulation.take_over(&rig.settings, &found);
    rig.run(300, Run::Wanted);
    assert_eq!((rig.starts.len(), rig.state(0)), (3, PumpState::StartBarred));
    // One of three an hour comes back after twenty minutes.
    rig.run(1200, Run::Wanted);
    assert_eq!(rig.starts.len(), 4);
}

#[test]
fn silence_of_the_device_is_not_a_failed_pump() {
    let mut rig = Rig::new(&settings());
    rig.run(60, Run::Wanted);
    let silent = Reading::bad(heatstation_points::Fault::Silent);
    for pump in &mut rig.readings.circulation_pumps {
        pump.running = silent;
    }
    let mut events = Vec::new();
    for _ in 0..600 {
        let (circuit, dt) = (CircuitIndex(0), Duration::from_secs(1));
        rig.circulation.advance(&rig.settings, circuit, &rig.readings, &calm(), dt, &mut events);
    }
    assert_eq!(events, []);
    assert_eq!(proven(&settings(), &rig.readings, Switch::On), None);
}

const EXERCISE: Exercise = Exercise { every: Duration::from_secs(3 * 86_400), lasts: Duration::from_secs(30) };

#[test]
fn idle_pumps_are_turned_one_after_another_in_summer_too() {
    let mut rig = Rig::new(&CirculationSettings { exercise: EXERCISE, ..settings() });
    rig.run(3 * 86_400 + 120, Run::NotWanted);
    assert_eq!(rig.starts.iter().map(|(_, pump)| *pump).collect::<Vec<_>>(), [0, 1]);
    let (first, second) = (rig.starts[0].0, rig.starts[1].0);
    assert!((60..=65).contains(&(second - first)), "30 s of turning and 30 s of pause: {:?}", rig.starts);
    assert_eq!(rig.on(), Vec::<usize>::new());
    assert_eq!(rig.failures, []);
}

#[test]
fn nothing_turns_where_a_person_asked_for_a_stop_or_an_interlock_holds() {
    for run in [Run::Rest, Run::Barred] {
        let mut rig = Rig::new(&CirculationSettings { exercise: EXERCISE, ..settings() });
        rig.run(4 * 86_400, run);
        assert_eq!(rig.starts, [], "{run:?}");
    }
    // And one that has begun ends with it.
    let mut rig = Rig::new(&CirculationSettings { exercise: EXERCISE, ..settings() });
    rig.run(3 * 86_400 + 5, Run::NotWanted);
    assert_eq!(rig.on(), [0]);
    rig.run(1, Run::Barred);
    assert_eq!(rig.on(), Vec::<usize>::new());
}

#[test]
fn the_standby_is_turned_beside_the_duty_and_finds_out_that_it_is_broken() {
    let mut rig = Rig::new(&CirculationSettings { exercise: EXERCISE, rotate_after: Duration::ZERO, ..settings() });
    rig.broken[1] = true;
    rig.run(3 * 86_400 + 60, Run::Wanted);
    assert_eq!(
        rig.failures.iter().map(|(_, pump, why)| (*pump, *why)).collect::<Vec<_>>(),
        [(1, PumpFailure::NoFeedback)]
    );
    assert_eq!(rig.on(), [0]);
}

#[test]
fn an_exercised_pump_takes_over_when_the_duty_fails_and_its_speed_does_not_jump() {
    let mut rig = Rig::new(&CirculationSettings { exercise: EXERCISE, rotate_after: Duration::ZERO, ..settings() });
    rig.run(3 * 86_400 + 10, Run::Wanted);
    assert_eq!(rig.on(), [0, 1]);
    let mut speed = rig.circulation.commands(&rig.settings).nth(1).unwrap().speed;
    assert_eq!(speed, Ratio(0.5));
    (rig.fault[0], rig.broken[0]) = (true, true);
    for _ in 0..60 {
        rig.run(1, Run::Wanted);
        let now = rig.circulation.commands(&rig.settings).nth(1).unwrap().speed;
        assert!((now - speed).0 <= 0.01 + 1e-9, "{speed:?} to {now:?}");
        speed = now;
    }
    assert_eq!((rig.on(), speed), (vec![1], Ratio(0.8)));
}

#[test]
fn hours_starts_and_electricity_are_counted_for_each_pump() {
    let mut rig = Rig::new(&settings());
    rig.run(3600, Run::Wanted);
    let count = rig.circulation.report(&rig.settings).pumps[0].count;
    assert_eq!((count.starts, count.run), (1, Duration::from_secs(3599)));
    assert!((count.energy.0 - 10_000.0 * 3599.0).abs() < 20_000.0, "{count:?}");
    assert_eq!(rig.circulation.report(&rig.settings).pumps[1].count, PumpCount::default());
}

#[test]
fn a_pump_that_is_not_needed_any_more_has_run_long_enough_first() {
    let on_min = Duration::from_secs(120);
    let mut rig = Rig::new(&CirculationSettings { on_min, ..settings() });
    rig.run(10, Run::Wanted);
    rig.run(105, Run::NotWanted);
    assert_eq!(rig.on(), [0]);
    rig.run(10, Run::NotWanted);
    assert_eq!(rig.on(), Vec::<usize>::new());
    // An interlock waits for nothing.
    rig.run(70, Run::NotWanted);
    rig.run(10, Run::Wanted);
    rig.run(1, Run::Barred);
    assert_eq!(rig.on(), Vec::<usize>::new());
}

#[test]
fn an_assist_pump_joins_after_a_minute_at_full_speed_and_leaves_with_hysteresis() {
    let assist = Assist {
        pumps: 1,
        join_after: Duration::from_secs(60),
        leave_below: Ratio(0.75),
        leave_after: Duration::from_secs(120),
    };
    let mode = CirculationMode::DifferentialPressure {
        setpoint: Pascals(90e3),
        gain_per_pascal: 2e-6,
        integral_time: Duration::from_secs(20),
    };
    let mut rig = Rig::new(&CirculationSettings { assist: Some(assist), mode, ..settings() });
    // One pump cannot: the pressure stays low, its speed goes to its end, and the second joins.
    rig.readings.own.differential_pressure = Reading::good(Pascals(60e3));
    rig.run(60, Run::Wanted);
    assert_eq!(rig.on(), [0]);
    rig.run(180, Run::Wanted);
    assert_eq!(rig.on(), [0, 1]);
    // In balance both stay.
    rig.readings.own.differential_pressure = Reading::good(Pascals(90e3));
    rig.run(3600, Run::Wanted);
    assert_eq!(rig.on(), [0, 1]);
    // With plenty the speed falls, and after its time the longer worked one leaves.
    rig.readings.own.differential_pressure = Reading::good(Pascals(110e3));
    rig.run(120, Run::Wanted);
    assert_eq!(rig.on(), [0, 1]);
    rig.run(200, Run::Wanted);
    assert_eq!(rig.on(), [1]);
}
