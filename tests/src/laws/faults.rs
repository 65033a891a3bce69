//! What breaks, when, and for how long: drawn from a seed.
//!
//! Swarm testing: each seed first draws which families of faults there are at all and how often each strikes, so that
//! some seasons see nothing but restarts and others everything at once. Everything that is drawn follows from seed, days
//! and the station's shape; [`Schedule`] can be printed and cut down by hand.

use std::fmt;
use std::time::Duration;

use heatstation_core::Settings;
use heatstation_core::alarm::{Alarm, AlarmKey, Place};
use heatstation_core::correction::Correction;
use heatstation_core::heating_curve::Adjustment;
use heatstation_core::load_shed::{ShedBy, Urgency};
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage::{Cause, OutageId};
use heatstation_core::request::{Hand, Mode, Origin, Request, Wish};
use heatstation_points::{
    Celsius, CircuitIndex, CircuitSignal, Kelvins, Point, PumpIndex, PumpSignal, Ratio, RoomIndex, RoomSignal, Seconds,
    StationSignal,
};
use heatstation_simulator::{Fault, PumpKind, PumpPlace, SensorFailure};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Faults that have something in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// One instrument fails in one of ten ways.
    Sensor,
    /// All that tells the supply temperature is lost at once, or all pressures.
    Blindness,
    /// Pumps trip, die, run idle or slow, or are put in local.
    Pumps,
    /// The network turns cold, loses its pressure, or lets little through.
    Primary,
    /// The wire is down.
    Wire,
    /// The program ends and begins again.
    Restart,
    /// Water is lost or does not come: a leak, a relief valve that stays open, no tap water.
    Leak,
    /// The primary valve is jammed, plays, leaks, or is put in local.
    Valve,
    /// No mains.
    Mains,
    /// The emergency stop is pressed; later somebody resets it.
    EmergencyStop,
    /// The station is put in local.
    Local,
    /// The tank runs empty: a burst behind a level sensor that stays up.
    Tank,
    /// Single wishes, wild ones among them.
    Wishes,
    /// Floods of them.
    Storm,
    /// Sun on the outdoor sensor, flats that shut their emitters, a fouled exchanger, a clogged strainer.
    Surroundings,
}

impl Family {
    /// All of them.
    pub const ALL: [Family; 15] = [
        Family::Sensor,
        Family::Blindness,
        Family::Pumps,
        Family::Primary,
        Family::Wire,
        Family::Restart,
        Family::Leak,
        Family::Valve,
        Family::Mains,
        Family::EmergencyStop,
        Family::Local,
        Family::Tank,
        Family::Wishes,
        Family::Storm,
        Family::Surroundings,
    ];

    /// How often it strikes where it is on: mean days between two, from and to.
    const fn days_between(self) -> (f64, f64) {
        match self {
            Family::Wishes => (0.05, 0.5),
            Family::Sensor | Family::Restart | Family::Wire => (0.2, 2.0),
            Family::Pumps | Family::Valve | Family::Storm => (0.5, 3.0),
            Family::Blindness
            | Family::Primary
            | Family::Leak
            | Family::Mains
            | Family::Local
            | Family::EmergencyStop
            | Family::Tank
            | Family::Surroundings => (1.0, 6.0),
        }
    }
}

/// What happens to station or program.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something breaks.
    Break(Fault),
    /// It is mended.
    Mend(Fault),
    /// The wire is down.
    WireDown,
    /// It answers again.
    WireUp,
    /// The program ends and begins again after `gone`, with its saved state or without.
    Restart {
        /// How long it is away.
        gone: Duration,
        /// Whether its state is there.
        memory: Memory,
    },
    /// Somebody asks for something.
    Ask(Request),
}

/// Whether a saved state is found at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It is.
    Kept,
    /// It is lost; the records are there.
    Lost,
}

/// Something that happens at its second.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Seconds since the trial began.
    pub at: u64,
    /// What happens.
    pub action: Action,
}

/// All that happens in a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Which families were on.
    pub families: Vec<Family>,
    /// What happens, in order of time.
    pub planned: Vec<Planned>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "families {:?}, {} events", self.families, self.planned.len())
    }
}

/// Somebody at the station looks after it this often.
const OPERATOR_EVERY: u64 = 6 * 3600;

impl Schedule {
    /// A schedule of given events.
    pub fn of(events: impl IntoIterator<Item = (u64, Action)>) -> Schedule {
        let mut planned: Vec<Planned> = events.into_iter().map(|(at, action)| Planned { at, action }).collect();
        planned.sort_by_key(|planned| planned.at);
        Schedule { families: Vec::new(), planned }
    }

    /// The schedule of a seed.
    pub fn drawn(settings: &Settings, seed: u64, days: u64) -> Schedule {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let families: Vec<Family> = Family::ALL.into_iter().filter(|_| random.random_bool(0.6)).collect();
        let mut draw = Draw { random, settings, planned: Vec::new() };
        let seconds = days * 86_400;
        for &family in &families {
            let (least, most) = family.days_between();
            let mean = draw.random.random_range(least..most) * 86_400.0;
            let mut at = 0.0;
            loop {
                at += -mean * (1.0 - draw.random.random::<f64>()).ln();
                if at >= seconds as f64 {
                    break;
                }
                draw.strike(family, at as u64);
            }
        }
        for round in (OPERATOR_EVERY..seconds).step_by(OPERATOR_EVERY as usize) {
            draw.operator(round);
        }
        let mut planned = draw.planned;
        planned.sort_by_key(|planned| planned.at);
        Schedule { families, planned }
    }
}

struct Draw<'a> {
    random: ChaCha8Rng,
    settings: &'a Settings,
    planned: Vec<Planned>,
}

impl Draw<'_> {
    fn put(&mut self, at: u64, action: Action) {
        self.planned.push(Planned { at, action });
    }

    fn fault(&mut self, at: u64, lasts: u64, fault: Fault) {
        self.put(at, Action::Break(fault));
        self.put(at + lasts, Action::Mend(fault));
    }

    /// From some seconds to some hours, each order of magnitude as likely as the other.
    fn length(&mut self, least: f64, most: f64) -> u64 {
        (least.ln() + (most.ln() - least.ln()) * self.random.random::<f64>()).exp() as u64
    }

    fn circuit(&mut self) -> CircuitIndex {
        CircuitIndex(self.random.random_range(0..self.settings.circuits.len()))
    }

    fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.random.random_range(0..list.len())]
    }

    fn strike(&mut self, family: Family, at: u64) {
        let c = self.circuit();
        match family {
            Family::Sensor => {
                let (point, lasts) = (self.instrument(c), self.length(5.0, 43_200.0));
                let fault = self.trouble(point);
                self.fault(at, lasts, fault);
            }
            Family::Blindness => self.blindness(at, c),
            Family::Pumps => self.pump(at, c),
            Family::Primary => {
                let cold = Celsius(self.random.random_range(15.0..70.0));
                let left = Ratio(self.random.random_range(0.0..0.5));
                let fault = self.one(&[
                    Fault::PrimaryCold(cold),
                    Fault::PrimaryPressureLost(left),
                    Fault::PrimaryFlowLimited(left),
                ]);
                let lasts = self.length(600.0, 43_200.0);
                self.fault(at, lasts, fault);
            }
            Family::Wire => {
                let lasts = self.length(1.0, 7200.0);
                self.put(at, Action::WireDown);
                self.put(at + lasts, Action::WireUp);
            }
            Family::Restart => {
                let gone = Duration::from_secs(self.length(1.0, 7200.0));
                let memory = self.one(&[Memory::Kept, Memory::Kept, Memory::Lost]);
                self.put(at, Action::Restart { gone, memory });
            }
            Family::Leak => {
                let lasts = self.length(60.0, 21_600.0);
                let flow = self.length(1.0, 40.0) as f64 / 3600.0;
                let fault = self.one(&[
                    Fault::Leak(c, flow),
                    Fault::Leak(c, flow),
                    Fault::ReliefStuckOpen(c),
                    Fault::TapWaterLost(c),
                ]);
                self.fault(at, lasts, fault);
            }
            Family::Valve => {
                let play = Ratio(self.random.random_range(0.01..0.1));
                let fault = self.one(&[
                    Fault::ValveStuck(c),
                    Fault::ValveStiction(c, play),
                    Fault::ValveLocal(c),
                    Fault::ValveLeaks(c, play),
                ]);
                let lasts = self.length(30.0, 21_600.0);
                self.fault(at, lasts, fault);
            }
            Family::Mains => {
                let lasts = self.length(1.0, 7200.0);
                self.fault(at, lasts, Fault::MainsFailure);
            }
            Family::EmergencyStop => {
                let lasts = self.length(5.0, 3600.0);
                self.fault(at, lasts, Fault::EmergencyStop);
                let wait = self.length(10.0, 3600.0);
                self.ask(at + lasts + wait, Origin::Operator, Wish::ResetTrips { circuit: c });
            }
            Family::Local => {
                let lasts = self.length(5.0, 14_400.0);
                self.fault(at, lasts, Fault::LocalSelected);
            }
            Family::Tank => {
                let lasts = self.length(600.0, 10_800.0);
                self.fault(at, lasts, Fault::Leak(c, 20.0 / 3600.0));
                self.fault(at, lasts, Fault::SensorShows(Point::Circuit(c, CircuitSignal::TankLevel), 1.5));
            }
            Family::Wishes => {
                let (origin, wish) = (self.origin(), self.wish(c));
                self.ask(at, origin, wish);
            }
            Family::Storm => {
                let origin = self.origin();
                for second in 0..self.length(1.0, 20.0) {
                    for _ in 0..20 {
                        let wish = self.wish(c);
                        self.ask(at + second, origin, wish);
                    }
                }
            }
            Family::Surroundings => {
                let lasts = self.length(3600.0, 86_400.0);
                let share = Ratio(self.random.random_range(0.05..0.6));
                let fault = self.one(&[
                    Fault::OutdoorSensorInSun(Kelvins(8.0)),
                    Fault::FlatsClosed(c, share),
                    Fault::ExchangerFouled(c, share),
                    Fault::StrainerClogged(c, Ratio(5.0 * share.0)),
                    Fault::Flooded,
                ]);
                self.fault(at, lasts, fault);
            }
        }
    }

    fn pump(&mut self, at: u64, c: CircuitIndex) {
        let kind = if self.random.random_bool(0.8) { PumpKind::Circulation } else { PumpKind::MakeUp };
        let place = PumpPlace { circuit: c, kind, pump: PumpIndex(self.random.random_range(0..2)) };
        let slow = Ratio(self.random.random_range(0.4..0.9));
        let fault = self.one(&[
            Fault::PumpTrip(place),
            Fault::PumpDead(place),
            Fault::PumpLocal(place),
            Fault::PumpWithoutFlow(place),
            Fault::PumpCapped(place, slow),
        ]);
        let lasts = self.length(10.0, 21_600.0);
        self.fault(at, lasts, fault);
    }

    fn blindness(&mut self, at: u64, c: CircuitIndex) {
        const SUPPLY: [CircuitSignal; 3] = [
            CircuitSignal::SupplyTemperature,
            CircuitSignal::SupplyTemperatureSecond,
            CircuitSignal::ReturnTemperature,
        ];
        const PRESSURE: [CircuitSignal; 2] = [CircuitSignal::ReturnPressure, CircuitSignal::SupplyPressure];
        const DIFFERENCE: [CircuitSignal; 1] = [CircuitSignal::DifferentialPressure];
        let lasts = self.length(60.0, 14_400.0);
        let signals = self.one(&[SUPPLY.as_slice(), SUPPLY.as_slice(), PRESSURE.as_slice(), DIFFERENCE.as_slice()]);
        for &signal in signals {
            self.fault(at, lasts, Fault::SensorLost(Point::Circuit(c, signal)));
        }
    }

    /// Any instrument, those that decide more often than the others.
    fn instrument(&mut self, c: CircuitIndex) -> Point {
        let pump = PumpIndex(self.random.random_range(0..2));
        let deciding = [
            Point::Circuit(c, CircuitSignal::SupplyTemperature),
            Point::Circuit(c, CircuitSignal::ReturnPressure),
            Point::Circuit(c, CircuitSignal::ValvePositionFeedback),
            Point::Circuit(c, CircuitSignal::SecondaryFlow),
            Point::Circuit(c, CircuitSignal::MakeUpVolume),
            Point::Circuit(c, CircuitSignal::TankLevel),
            Point::CirculationPump(c, pump, PumpSignal::Running),
            Point::Station(StationSignal::OutdoorTemperature),
            Point::Station(StationSignal::PrimarySupplyTemperature),
        ];
        match self.random.random_range(0..10) {
            0..5 => self.one(&deciding),
            5..7 => Point::Circuit(c, self.one(CircuitSignal::ALL)),
            7 => Point::Station(self.one(StationSignal::ALL)),
            8 => Point::CirculationPump(c, pump, self.one(PumpSignal::ALL)),
            _ => {
                let rooms = self.settings.circuits[c.0].rooms.len();
                Point::Room(c, RoomIndex(self.random.random_range(0..rooms)), RoomSignal::Temperature)
            }
        }
    }

    fn trouble(&mut self, point: Point) -> Fault {
        let (low, high) = range(point);
        let inside = low + (high - low) * self.random.random::<f64>();
        let width = high - low;
        let part = self.random.random::<f64>();
        match SensorFailure::ALL[self.random.random_range(0..SensorFailure::ALL.len())] {
            SensorFailure::Off => Fault::SensorLost(point),
            SensorFailure::Stuck => Fault::SensorStuck(point),
            SensorFailure::Garbage => Fault::SensorGarbage(point),
            SensorFailure::Wrong => match self.random.random_range(0..4) {
                0 => Fault::SensorBias(point, width * 0.1 * (part - 0.5)),
                1 => Fault::SensorShows(point, inside),
                2 => Fault::SensorShows(point, high + width),
                _ => Fault::SensorShows(point, f64::NAN),
            },
            SensorFailure::Slow => Fault::SensorSlow(point, Seconds(1200.0 * part)),
            SensorFailure::Delayed => Fault::SensorDelayed(point, Seconds(600.0 * part)),
            SensorFailure::Intermittent => Fault::SensorIntermittent(point, Ratio(part)),
            SensorFailure::Drift => Fault::SensorDrift(point, width * (part - 0.5)),
            SensorFailure::Spike => Fault::SensorSpike(point, width * part),
            SensorFailure::Swap => {
                let other = [CircuitSignal::SupplyTemperature, CircuitSignal::ReturnTemperature];
                Fault::SensorSwapped(point, Point::Circuit(CircuitIndex(0), self.one(&other)))
            }
        }
    }

    fn origin(&mut self) -> Origin {
        self.one(&[Origin::Operator, Origin::Service, Origin::Dispatch])
    }

    /// Anything that can be asked, sensible or not.
    fn wish(&mut self, c: CircuitIndex) -> Wish {
        let nowhere = CircuitIndex(usize::MAX);
        let circuit = if self.random.random_bool(0.1) { nowhere } else { c };
        let lasts =
            if self.random.random_bool(0.1) { Duration::MAX } else { Duration::from_secs(self.length(1.0, 200_000.0)) };
        match self.random.random_range(0..14) {
            0 => Wish::SetMode { circuit, mode: Mode::Stopped },
            1 => Wish::SetMode { circuit, mode: Mode::Automatic },
            2..7 => Wish::ShiftSupply { circuit, by: Kelvins(self.number(12.0)), lasts },
            7 => Wish::TakeInHand { circuit, hand: Hand::Valve(Ratio(self.number(1.2).abs())), lasts },
            8 => {
                let speed = Hand::CirculationSpeed(Ratio(self.number(1.2).abs()));
                Wish::TakeInHand { circuit, hand: speed, lasts }
            }
            9 => {
                let pump = PumpIndex(self.one(&[0, 1, 2, 3, usize::MAX]));
                Wish::TakeInHand { circuit, hand: Hand::PumpOut(pump), lasts }
            }
            10 => Wish::ResetTrips { circuit },
            11 => {
                let (level, slope) = (Kelvins(self.number(12.0)), Ratio(1.0 + self.number(0.5)));
                let correction = Correction { curve: Adjustment { level, slope }, room: Kelvins(self.number(6.0)) };
                Wish::CorrectCurve { circuit, correction, lasts: self.one(&[Some(lasts), Some(lasts), None]) }
            }
            12 => {
                let of_heat = self.random.random_bool(0.5);
                let by = if of_heat {
                    ShedBy::Share(Ratio(self.number(0.5).abs()))
                } else {
                    ShedBy::Supply(Kelvins(self.number(12.0).abs()))
                };
                let urgency = self.one(&[Urgency::Uncritical, Urgency::Critical]);
                let lasts = lasts.min(Duration::from_secs(5 * 3600));
                Wish::ShedLoad { circuit, by, urgency, lasts }
            }
            _ => self.office(circuit),
        }
    }

    /// What concerns the books.
    fn office(&mut self, circuit: CircuitIndex) -> Wish {
        if self.random.random_bool(0.3) {
            return Wish::ReturnToAutomatic { circuit };
        }
        if self.random.random_bool(0.5) {
            return Wish::Acknowledge {
                alarm: AlarmKey { alarm: Alarm::NoCirculation, place: Place::Circuit(circuit) },
            };
        }
        let outage = OutageId { circuit, since: UtcMillis(self.random.next_u64() as i64) };
        Wish::ConfirmCause { outage, cause: Cause::ForceMajeure }
    }

    /// A number of about this size; one in four is none, or one without bounds.
    fn number(&mut self, size: f64) -> f64 {
        let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, -0.0, f64::MIN_POSITIVE];
        if self.random.random_bool(0.25) { self.one(&wild) } else { size * (2.0 * self.random.random::<f64>() - 1.0) }
    }

    fn ask(&mut self, at: u64, origin: Origin, wish: Wish) {
        let (author, reason) = (format!("{origin:?}"), "trial".to_owned());
        self.put(at, Action::Ask(Request { origin, author, reason, wish }));
    }

    /// Somebody walks through the station: resets what has latched, gives back what is in hand, switches it on.
    fn operator(&mut self, at: u64) {
        for c in (0..self.settings.circuits.len()).map(CircuitIndex) {
            self.ask(at, Origin::Operator, Wish::ResetTrips { circuit: c });
            self.ask(at, Origin::Operator, Wish::ReturnToAutomatic { circuit: c });
            self.ask(at, Origin::Operator, Wish::SetMode { circuit: c, mode: Mode::Automatic });
        }
    }
}

fn range(point: Point) -> (f64, f64) {
    match point {
        Point::Station(signal) => signal.range(),
        Point::Circuit(_, signal) => signal.range(),
        Point::CirculationPump(_, _, signal) | Point::MakeUpPump(_, _, signal) => signal.range(),
        Point::Room(_, _, signal) => signal.range(),
        Point::Building(_, _, signal) => signal.range(),
        Point::Auxiliary(_)
        | Point::CircuitOutput(..)
        | Point::CirculationPumpOutput(..)
        | Point::MakeUpPumpOutput(..)
        | Point::BuildingOutput(..) => (0.0, 1.0),
    }
}
