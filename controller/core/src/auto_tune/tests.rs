use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A first-order plant with dead time behind a motor of 120 s, read in tenths.
struct Plant {
    process: Process,
    motor: f64,
    line: Vec<f64>,
    supply: f64,
    disturbance: f64,
}

impl Plant {
    fn new(gain: f64, lag: f64, dead_time: usize) -> Plant {
        let process = Process { gain: Kelvins(gain), lag, dead_time: dead_time as f64 };
        Plant { process, motor: 0.5, line: vec![0.5; dead_time], supply: 60.0, disturbance: 0.0 }
    }

    fn pass(&mut self, command: Ratio) -> Celsius {
        self.motor += (command.0 - self.motor).clamp(-1.0 / 120.0, 1.0 / 120.0);
        self.line.rotate_left(1);
        let last = self.line.len() - 1;
        self.line[last] = self.motor;
        let settles_at = 60.0 + self.disturbance + self.process.gain.0 * (self.line[0] - 0.5);
        self.supply += (settles_at - self.supply) / self.process.lag;
        Celsius((self.supply * 10.0).round() / 10.0)
    }
}

struct Bench {
    tune: AutoTune,
    settings: SupplyLoopSettings,
    plant: Plant,
    sight: TuneSight,
    steps: Vec<TuneStep>,
    furthest: f64,
}

impl Bench {
    fn new(plant: Plant) -> Bench {
        let sight = TuneSight {
            setpoint: Celsius(60.0),
            supply: Celsius(60.0),
            command: Ratio(0.5),
            gain: Some(Kelvins(25.0)),
            play: Ratio::ZERO,
            load: None,
            primary_supply: Some(Celsius(95.0)),
        };
        let (tune, settings) = (AutoTune::default(), SupplyLoopSettings::default());
        let mut bench = Bench { tune, settings, plant, sight, steps: Vec::new(), furthest: 0.0 };
        assert_eq!(bench.tune.order(TuneOrder::Start), Some(()));
        bench
    }

    fn run(&mut self, seconds: u32) -> Option<TunedPoint> {
        for _ in 0..seconds {
            self.sight.supply = self.plant.pass(self.sight.command);
            let ask = self.tune.advance(&self.settings, &ValveSettings::default(), &self.sight, SECOND);
            self.sight.command = match ask {
                TuneAsk::Loop => Ratio(0.5),
                TuneAsk::Position(position) => position,
            };
            self.furthest = self.furthest.max((self.sight.supply.0 - 60.0).abs());
            let mut events = Vec::new();
            self.tune.tell(CircuitIndex(0), &mut events);
            self.steps.extend(events.into_iter().map(|event| match event {
                Event::LoopTuned { step, .. } => step,
                other => panic!("{other:?}"),
            }));
            if self.tune.run.is_none() {
                break;
            }
        }
        self.tune.proposal
    }

    fn end(&mut self) -> Option<TuneEnd> {
        self.run(4 * 3600);
        self.tune.ended
    }
}

fn near(found: f64, truth: f64, within: f64) -> bool {
    (found / truth - 1.0).abs() <= within
}

#[test]
fn the_relay_finds_the_plant_that_is_there() {
    for (gain, lag, dead_time) in [(25.0, 25.0, 15), (15.0, 30.0, 12), (40.0, 20.0, 18), (25.0, 40.0, 10)] {
        let mut bench = Bench::new(Plant::new(gain, lag, dead_time));
        let found = bench.run(2 * 3600).unwrap_or_else(|| panic!("{:?}", bench.steps)).process;
        let all = near(found.gain.0, gain, 0.35)
            && near(found.lag, lag, 0.5)
            && near(found.dead_time + 0.5 * found.lag, dead_time as f64 + 0.5 * lag, 0.4);
        assert!(all, "{gain} K, {lag} s, {dead_time} s: {found:?}");
        assert!(bench.furthest < 2.0, "{}", bench.furthest);
        assert!(
            matches!(bench.steps.as_slice(), [TuneStep::Waiting, TuneStep::Holding, .., TuneStep::Proposed(_)]),
            "{:?}",
            bench.steps
        );
    }
}

#[test]
fn what_it_finds_makes_a_loop_that_is_stable_on_that_plant() {
    for (gain, lag, dead_time) in [(25.0, 25.0, 15), (40.0, 20.0, 18)] {
        let mut bench = Bench::new(Plant::new(gain, lag, dead_time));
        let point = bench.run(2 * 3600).expect("a proposal");
        let gains = bounded(TuningRule::Simc.gains(&point.process), &point.process, &bench.settings);
        let (mut plant, mut pi) = (Plant::new(gain, lag, dead_time), crate::pi::Pi::default());
        let block = crate::pi::Gains {
            gain: gains.gain_per_kelvin,
            integral_seconds: gains.integral_seconds,
            low: 0.0,
            high: 1.0,
        };
        pi.take_over(&block, 0.0, 0.5);
        plant.disturbance = -3.0;
        let (mut command, mut late) = (Ratio(0.5), 0.0_f64);
        for second in 0..1200 {
            let error = 60.0 - plant.pass(command).0;
            command = Ratio(pi.advance(&block, error, None, 1.0));
            if second > 600 {
                late = late.max(error.abs());
            }
        }
        assert!(late < 0.15, "{gains:?} on {gain} K: {late}");
    }
}

#[test]
fn a_plant_that_does_not_rest_is_not_touched() {
    let mut bench = Bench::new(Plant::new(25.0, 25.0, 15));
    bench.plant.disturbance = 1.5;
    assert_eq!(bench.end(), Some(TuneEnd::NeverSteady));
    assert_eq!(bench.steps, [TuneStep::Waiting, TuneStep::Ended(TuneEnd::NeverSteady)]);
}

/// A tuning that has come to its relay.
fn swinging() -> Bench {
    let mut bench = Bench::new(Plant::new(25.0, 25.0, 15));
    bench.run(1000);
    assert_eq!(bench.tune.report().stage, TuneStage::Relay);
    bench
}

#[test]
fn it_ends_at_once_when_anything_is_not_as_it_should_be() {
    let mut far = swinging();
    far.plant.disturbance = 6.0;
    assert_eq!(far.end(), Some(TuneEnd::TooFar));
    let mut drifting = swinging();
    drifting.sight.setpoint = Celsius(62.0);
    assert_eq!(drifting.end(), Some(TuneEnd::Drifted));
    let mut colder = swinging();
    colder.sight.primary_supply = Some(Celsius(90.0));
    assert_eq!(colder.end(), Some(TuneEnd::Drifted));
    let mut dead = swinging();
    dead.plant.process.gain = Kelvins(0.0);
    assert_eq!(dead.end(), Some(TuneEnd::NoAnswer));
    let mut taken = swinging();
    taken.tune.interrupt();
    assert_eq!(taken.tune.ended, Some(TuneEnd::Interrupted));
    let mut stopped = swinging();
    assert_eq!(stopped.tune.order(TuneOrder::Stop), Some(()));
    assert_eq!(stopped.tune.ended, Some(TuneEnd::Stopped));
    assert_eq!(stopped.tune.order(TuneOrder::Stop), None, "there is nothing more to stop");
}

#[test]
fn a_valve_that_resolves_too_little_is_not_tuned() {
    let mut bench = Bench::new(Plant::new(25.0, 25.0, 15));
    bench.sight.gain = Some(Kelvins(300.0));
    assert_eq!(bench.end(), Some(TuneEnd::TooCoarse));
}

#[test]
fn a_plant_ten_times_as_steep_as_believed_is_refused() {
    let mut bench = Bench::new(Plant::new(250.0, 25.0, 15));
    assert!(matches!(bench.end(), Some(TuneEnd::TooFar | TuneEnd::Implausible)), "{:?}", bench.steps);
    assert_eq!(bench.tune.proposal, None);
}

fn point(position: f64, gain: f64) -> TunedPoint {
    TunedPoint {
        process: Process { gain: Kelvins(gain), lag: 25.0, dead_time: 15.0 },
        position: Ratio(position),
        load: None,
        primary_supply: None,
        believed: Some(Kelvins(25.0)),
    }
}

#[test]
fn a_result_is_in_force_when_it_is_accepted_and_not_before() {
    let settings = SupplyLoopSettings::default();
    let mut tune = AutoTune { proposal: Some(point(0.5, 25.0)), ..AutoTune::default() };
    assert_eq!(tune.applied(&settings, Ratio(0.5)), settings);
    assert_eq!(tune.order(TuneOrder::Accept), Some(()));
    let tuned = tune.applied(&settings, Ratio(0.5));
    assert!((tuned.gain_per_kelvin - 0.0222).abs() < 1e-4, "SIMC's example: {tuned:?}");
    assert_eq!(tuned.integral_time, Duration::from_secs(25));
    assert_eq!(tune.order(TuneOrder::Accept), None);
    assert_eq!(tune.order(TuneOrder::Forget), Some(()));
    assert_eq!(tune.applied(&settings, Ratio(0.5)), settings);
}

#[test]
fn results_at_several_positions_correct_the_schedule_between_them() {
    let settings = SupplyLoopSettings::default();
    let mut tune = AutoTune::default();
    for (position, gain) in [(0.3, 40.0), (0.7, 20.0), (0.71, 25.0)] {
        tune.accept(point(position, gain));
    }
    assert_eq!(tune.report().points, 2, "the newer of one place replaces the older");
    let gain = |position: f64| tune.at(Ratio(position)).unwrap().process.gain.0;
    assert_eq!([gain(0.1), gain(0.3), gain(0.9)], [40.0, 40.0, 25.0]);
    assert!((gain(0.505) - 32.5).abs() < 1e-9);
    // Twice as steep as believed: half the gain, wherever the schedule goes from there.
    let (flat, steep) = (tune.applied(&settings, Ratio(0.71)), tune.applied(&settings, Ratio(0.3)));
    assert!((flat.gain_per_kelvin / steep.gain_per_kelvin - 1.6).abs() < 1e-9);
    for position in 0..8 {
        tune.accept(point(0.1 * f64::from(position), 30.0));
    }
    assert_eq!(tune.report().points, POINTS);
}

#[test]
fn gains_stay_within_a_quarter_and_four_times_the_configured_ones() {
    let settings = SupplyLoopSettings { gain_per_kelvin: 0.001, ..SupplyLoopSettings::default() };
    let mut tune = AutoTune::default();
    tune.accept(point(0.5, 25.0));
    assert!((tune.applied(&settings, Ratio(0.5)).gain_per_kelvin - 0.004).abs() < 1e-12);
}
