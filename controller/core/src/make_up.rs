//! Pressure holding by make-up water: pumps, relief valve and tank.
//!
//! Start/stop makes up from the start pressure to the setpoint. Variable speed holds the setpoint and sleeps when nothing
//! is asked. Relief opens and closes with its own hysteresis. The run time without reaching the pressure and the volume of
//! the day are supervised by the interlocks: what does not come back up is a leak, not a demand.
//!
//! The holding-point pressure decides. When it is lost, supply pressure minus pressure difference stands in; when that is
//! lost too, make-up stops: water is never pumped blind.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Pascals, PumpReadings, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::moment::Weekday;
use crate::pi::{Gains, Pi};
use crate::report::PumpCommand;
use crate::settings::{MakeUpMode, MakeUpSettings};
use crate::timer::{Held, seconds};

/// Speed per pascal: the whole range over half a bar.
const GAIN_PER_PASCAL: f64 = 2.0e-5;
const INTEGRAL_SECONDS: f64 = 20.0;
/// The lowest speed of a make-up pump, share of nominal (20 Hz): below it no pump reaches the pressure.
const SPEED_MIN: Ratio = Ratio(0.4);
/// The largest pulse of a make-up meter, m³.
const PULSE_MAX: f64 = 2.0;
/// More than any make-up pump of a station delivers, m³/s (72 m³/h).
const FLOW_MAX: f64 = 0.02;
/// At its lowest speed for this long above the setpoint a make-up pump goes to sleep.
const SLEEP_AFTER: Duration = Duration::from_secs(60);

/// The most make-up pumps that a circuit has.
pub const MAKE_UP_PUMPS_MAX: usize = 2;

/// The pressure at the holding point by the best source that answers.
pub fn holding_pressure(readings: &CircuitReadings) -> Option<Pascals> {
    let own = &readings.own;
    own.return_pressure.fresh().or_else(|| {
        let (supply, difference) = (own.supply_pressure.fresh()?, own.differential_pressure.fresh()?);
        Some(supply - difference)
    })
}

/// What pressure holding remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MakeUp {
    running: bool,
    /// How long the pump has run without a break.
    pub run: Duration,
    lead: usize,
    pi: Pi,
    speed: Ratio,
    asleep: Held,
    /// The relief valve.
    pub relief_open: bool,
    /// The tank's inlet.
    pub inlet_open: bool,
    /// Make-up of the day, m³.
    pub today: f64,
    day: Option<Weekday>,
    counter: Option<f64>,
    /// How long neither volume nor flow has been read.
    #[serde(default)]
    uncounted: Duration,
    /// Pumps that a person keeps out; said anew in each step.
    #[serde(skip)]
    pub(crate) out: [bool; MAKE_UP_PUMPS_MAX],
}

impl MakeUp {
    /// Counts the day's make-up by the meter's volume, else by its flow.
    pub fn count(&mut self, readings: &CircuitReadings, day: Weekday, dt: Duration) {
        if self.day != Some(day) {
            self.day = Some(day);
            self.today = 0.0;
        }
        let own = &readings.own;
        if let Some(volume) = own.make_up_volume.fresh() {
            // A counter that jumps back, or further than any pump here could fill in the time, was replaced or misread:
            // begin anew from there. A pulse may be a whole cubic metre.
            let possible = PULSE_MAX + FLOW_MAX * seconds(self.uncounted.saturating_add(dt));
            let grown = self.counter.map_or(0.0, |before| volume.0 - before);
            if (0.0..=possible).contains(&grown) {
                self.today += grown;
            }
            self.counter = Some(volume.0);
            self.uncounted = Duration::ZERO;
        } else if let Some(flow) = own.make_up_flow.fresh() {
            self.today += flow.0 * seconds(dt);
            self.counter = None;
        } else {
            self.uncounted = self.uncounted.saturating_add(dt);
        }
    }

    /// One step; `barred` when an interlock stops make-up.
    pub fn advance(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Option<Pascals>,
        barred: bool,
        dt: Duration,
    ) {
        self.relief(settings, readings, pressure);
        self.inlet(settings, readings);
        // Where the relief valve lets water out no pump puts more in, not even while it waits for its sleep.
        let Some(pressure) = pressure.filter(|pressure| !barred && *pressure <= settings.relief_open) else {
            self.stop();
            return;
        };
        if self.running {
            self.run = self.run.saturating_add(dt);
            self.hand_over(settings, readings);
        }
        match settings.mode {
            MakeUpMode::StartStop => {
                if pressure < settings.start {
                    self.start(settings, readings);
                } else if pressure >= settings.setpoint {
                    self.stop();
                }
                self.speed = Ratio::ONE;
            }
            MakeUpMode::VariableSpeed => self.vary(settings, readings, pressure, dt),
        }
    }

    fn vary(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, pressure: Pascals, dt: Duration) {
        let gains = Gains { gain: GAIN_PER_PASCAL, integral_seconds: INTEGRAL_SECONDS, low: SPEED_MIN.0, high: 1.0 };
        let error = (settings.setpoint - pressure).0;
        if !self.running {
            if pressure < settings.start {
                self.start(settings, readings);
                self.pi.take_over(&gains, error, SPEED_MIN.0.max(0.6));
            }
            return;
        }
        self.speed = Ratio(self.pi.advance(&gains, error, None, seconds(dt)));
        if pressure >= settings.setpoint {
            // Reached: the run that is supervised begins anew even if the pump trickles on.
            self.run = Duration::ZERO;
        }
        let idle = self.speed <= SPEED_MIN && pressure >= settings.setpoint;
        if self.asleep.for_at_least(SLEEP_AFTER, idle, dt) {
            self.stop();
        }
    }

    /// A running pump that fails hands over to the next that can; the run goes on counting, or a chattering fault would
    /// outlive its limit.
    fn hand_over(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if self.able(readings, self.lead) {
            return;
        }
        match self.next_able(settings, readings) {
            Some(number) => self.lead = number,
            None => self.stop(),
        }
    }

    /// The next pump in turn that can.
    fn next_able(&self, settings: &MakeUpSettings, readings: &CircuitReadings) -> Option<usize> {
        let mut turn = (1..=settings.pumps).map(|next| (self.lead + next) % settings.pumps);
        turn.find(|&number| self.able(readings, number))
    }

    fn able(&self, readings: &CircuitReadings, number: usize) -> bool {
        !self.out.get(number).is_some_and(|out| *out) && readings.make_up_pumps.get(number).is_none_or(able)
    }

    /// A hand starts make-up before its start pressure; it stops at the setpoint as ever, and begins again half-way.
    pub(crate) fn top_up(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, pressure: Pascals) {
        if pressure < settings.start + (settings.setpoint - settings.start) * 0.5 {
            self.start(settings, readings);
        }
    }

    fn start(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if self.running {
            return;
        }
        if let Some(number) = self.next_able(settings, readings) {
            self.lead = number;
            self.running = true;
            self.run = Duration::ZERO;
            self.asleep = Held::default();
        }
    }

    fn stop(&mut self) {
        self.running = false;
        self.run = Duration::ZERO;
        self.speed = Ratio::ZERO;
    }

    fn relief(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, pressure: Option<Pascals>) {
        // Of the two pressures the one at the holding point has the settings; without it the valve closes, for a relief
        // valve that stays open on a lost sensor empties the plant. The mechanical safety valve remains.
        match pressure {
            Some(pressure) if pressure > settings.relief_open => self.relief_open = true,
            Some(pressure) if pressure > settings.relief_close => {}
            Some(_) | None => self.relief_open = false,
        }
        if readings.own.over_pressure_switch.usable() == Some(Switch::On) {
            self.relief_open = true;
        }
    }

    fn inlet(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if readings.own.tank_high_switch.usable() == Some(Switch::On) {
            self.inlet_open = false;
            return;
        }
        match readings.own.tank_level.fresh() {
            Some(level) if level < settings.tank_refill => self.inlet_open = true,
            Some(level) if level > settings.tank_full => self.inlet_open = false,
            Some(_) => {}
            None => self.inlet_open = readings.own.tank_low_switch.usable() == Some(Switch::On),
        }
    }

    /// The commands to the make-up pumps.
    pub fn commands(&self, settings: &MakeUpSettings) -> Vec<PumpCommand> {
        (0..settings.pumps)
            .map(|number| {
                if self.running && number == self.lead {
                    PumpCommand { start: Switch::On, speed: self.speed.max(SPEED_MIN) }
                } else {
                    PumpCommand::STOP
                }
            })
            .collect()
    }

    /// Whether a make-up pump is told to run.
    pub fn is_running(&self) -> bool {
        self.running
    }
}

/// Whether a pump can be told to run: no fault, and not in somebody's hands.
fn able(pump: &PumpReadings) -> bool {
    pump.fault.usable() != Some(Switch::On) && pump.remote.last() != Some(Switch::Off)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use heatstation_points::{CubicMeters, Fault, Meters, Reading};

    pub(crate) fn settings(mode: MakeUpMode) -> MakeUpSettings {
        MakeUpSettings {
            pumps: 2,
            mode,
            start: Pascals(280_000.0),
            setpoint: Pascals(300_000.0),
            relief_close: Pascals(340_000.0),
            relief_open: Pascals(360_000.0),
            run_max: Duration::from_secs(1200),
            volume_per_day_max: 20.0,
            tank_low: Meters(0.4),
            tank_refill: Meters(1.0),
            tank_full: Meters(1.6),
        }
    }

    /// A small bare net: a litre is 5 kPa; it leaks slowly.
    fn hold(mode: MakeUpMode, leak_per_second: f64, seconds: u32) -> (f64, f64, u32, MakeUp) {
        let settings = settings(mode);
        let (mut make_up, mut pressure, mut low, mut high, mut starts) = (MakeUp::default(), 300e3, 1e9, 0.0_f64, 0);
        for second in 0..seconds {
            let was = make_up.is_running();
            make_up.advance(
                &settings,
                &CircuitReadings::default(),
                Some(Pascals(pressure)),
                false,
                Duration::from_secs(1),
            );
            starts += u32::from(!was && make_up.is_running());
            let speed: f64 = make_up.commands(&settings).iter().map(|pump| pump.speed.0).sum();
            // A pump of 2 m³/h whose head falls away below 40 % speed.
            let litres = if speed > 0.0 { ((speed - 0.4).max(0.0) / 0.6) * 0.55 } else { 0.0 };
            pressure += (litres - leak_per_second) * 5e3;
            if second > 120 {
                low = f64::min(low, pressure);
                high = high.max(pressure);
            }
        }
        (low, high, starts, make_up)
    }

    #[test]
    fn start_stop_holds_the_pressure_between_its_marks() {
        let (low, high, starts, _) = hold(MakeUpMode::StartStop, 0.01, 7200);
        assert!(low > 275e3 && high < 310e3, "{low} {high}");
        assert!((2..40).contains(&starts), "{starts}");
    }

    #[test]
    fn variable_speed_holds_within_twenty_kilopascals_and_sleeps() {
        let (low, high, starts, make_up) = hold(MakeUpMode::VariableSpeed, 0.002, 7200);
        assert!(low > 278e3 && high < 320e3, "{low} {high}");
        assert!(starts < 20, "{starts}");
        assert!(make_up.run < Duration::from_secs(1200));
    }

    #[test]
    fn a_leak_that_make_up_cannot_follow_is_seen_by_its_run() {
        let (_, _, _, make_up) = hold(MakeUpMode::StartStop, 0.6, 1000);
        assert!(make_up.run > Duration::from_secs(800), "{:?}", make_up.run);
    }

    #[test]
    fn water_is_never_pumped_blind() {
        let (settings, mut make_up) = (settings(MakeUpMode::StartStop), MakeUp::default());
        let nothing = CircuitReadings::default();
        make_up.advance(&settings, &nothing, Some(Pascals(200e3)), false, Duration::from_secs(1));
        assert!(make_up.is_running());
        make_up.advance(&settings, &nothing, None, false, Duration::from_secs(1));
        assert!(!make_up.is_running());
    }

    #[test]
    fn the_pressure_difference_helps_out_for_the_holding_point() {
        let mut readings = CircuitReadings::default();
        readings.own.return_pressure = Reading::bad(Fault::SensorBroken);
        assert_eq!(holding_pressure(&readings), None);
        readings.own.supply_pressure = Reading::good(Pascals(450e3));
        readings.own.differential_pressure = Reading::good(Pascals(150e3));
        assert_eq!(holding_pressure(&readings), Some(Pascals(300e3)));
    }

    #[test]
    fn relief_opens_high_and_closes_lower() {
        let (settings, mut make_up) = (settings(MakeUpMode::StartStop), MakeUp::default());
        let mut open = |pressure: f64| {
            let nothing = CircuitReadings::default();
            make_up.advance(&settings, &nothing, Some(Pascals(pressure)), false, Duration::from_secs(1));
            make_up.relief_open
        };
        assert_eq!([350e3, 361e3, 350e3, 339e3].map(&mut open), [false, true, true, false]);
    }

    #[test]
    fn the_day_counts_the_meter_and_survives_its_replacement() {
        let mut make_up = MakeUp::default();
        let mut readings = CircuitReadings::default();
        let mut count = |volume: f64, day| {
            readings.own.make_up_volume = Reading::good(CubicMeters(volume));
            make_up.count(&readings, day, Duration::from_secs(10));
            make_up.today
        };
        assert_eq!(count(100.0, Weekday::Monday), 0.0);
        assert_eq!(count(100.5, Weekday::Monday), 0.5);
        assert_eq!(count(3.0, Weekday::Monday), 0.5);
        assert_eq!(count(3.25, Weekday::Monday), 0.75);
        assert_eq!(count(3.5, Weekday::Tuesday), 0.25);
        // A meter with pulses of a cubic metre counts too; a leap that no pump could make does not.
        assert_eq!(count(4.5, Weekday::Tuesday), 1.25);
        assert_eq!(count(900.0, Weekday::Tuesday), 1.25);
    }

    #[test]
    fn a_pump_that_fails_while_it_runs_hands_over_and_the_run_goes_on() {
        let (settings, mut make_up) = (settings(MakeUpMode::StartStop), MakeUp::default());
        let mut readings = CircuitReadings { make_up_pumps: vec![PumpReadings::default(); 2], ..Default::default() };
        let mut run = |readings: &CircuitReadings, seconds: u32| {
            for _ in 0..seconds {
                make_up.advance(&settings, readings, Some(Pascals(250e3)), false, Duration::from_secs(1));
            }
            (make_up.commands(&settings).iter().position(|pump| pump.start.is_on()), make_up.run)
        };
        let (first, _) = run(&readings, 60);
        readings.make_up_pumps[first.unwrap()].fault = Reading::good(Switch::On);
        let (second, lasted) = run(&readings, 60);
        assert!(second.is_some() && second != first, "{first:?} then {second:?}");
        assert!(lasted >= Duration::from_secs(115), "{lasted:?}");
        readings.make_up_pumps[second.unwrap()].fault = Reading::good(Switch::On);
        assert_eq!(run(&readings, 1).0, None);
    }
}
