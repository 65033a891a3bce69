//! Pressure holding by make-up water: pumps, relief valve and tank.
//!
//! Start/stop makes up from the start pressure to the setpoint. Variable speed holds the setpoint, lifts the pressure a
//! little when nothing is asked any more, and sleeps until the start pressure. Relief opens and closes with its own
//! hysteresis. The run time without reaching the pressure and the volume of the day are supervised by the interlocks: what
//! does not come back up is a leak, not a demand, and [`leak`](crate::leak) says how large.
//!
//! The rooms beside this one: [`pressure`] tells the pressure at the holding point by the best source that answers,
//! [`pumps`] which pump works, [`relief`] relief valve and tank inlet, [`water`] how much was made up and whether the tank
//! is seen. Without any pressure make-up stops, but for a low-pressure switch that has acted: water is never pumped blind.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Pascals, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::pi::{Gains, Pi};
use crate::report::PumpCommand;
use crate::settings::{MakeUpMode, MakeUpSettings};
use crate::timer::{Held, seconds};

mod pressure;
mod pumps;
mod relief;
mod water;

pub use pressure::{PressureSource, Turning};
pub use pumps::{MAKE_UP_PUMPS_MAX, MakeUpPumpReport, MakeUpPumpState};
pub use water::TankSource;

use pressure::Ladder;
use pumps::Pumps;
use relief::Relief;
use water::Water;

/// Speed per pascal: the whole range over half a bar.
const GAIN_PER_PASCAL: f64 = 2.0e-5;
const INTEGRAL_SECONDS: f64 = 20.0;
/// The lowest speed of a make-up pump, share of nominal (20 Hz): below it no pump reaches the pressure.
const SPEED_MIN: Ratio = Ratio(0.4);
/// At its lowest speed for this long above the setpoint a make-up pump goes to sleep.
const SLEEP_AFTER: Duration = Duration::from_secs(60);
/// The pressure is lifted before sleep for no longer than this: a leak that eats the lift is no reason to run on.
const LIFT_MAX: Duration = Duration::from_secs(120);
/// On a switch alone the pump runs on this long after it has opened: nobody knows how stiff the network is.
const SWITCH_RUN_ON: Duration = Duration::from_secs(10);

/// Why make-up does what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MakeUpReason {
    /// The pressure is there.
    #[default]
    Rest,
    /// It is being brought back.
    MakingUp,
    /// It is lifted before the pump sleeps.
    Lifting,
    /// The pressure is lost and the low-pressure switch has acted: at a fixed speed until it opens.
    OnSwitch,
    /// An interlock, a person or the cabinet bars it.
    Barred,
    /// Nothing is known of the pressure.
    PressureLost,
    /// The relief valve lets water out: no pump puts more in.
    AboveRelief,
    /// Make-up and relief have fought each other.
    FightsRelief,
    /// Nothing is known of the tank, and the hour's volume is used up.
    TankUnseen,
    /// No pump can.
    NoPump,
}

impl MakeUpReason {
    /// All of them.
    pub const ALL: [MakeUpReason; 10] = [
        MakeUpReason::Rest,
        MakeUpReason::MakingUp,
        MakeUpReason::Lifting,
        MakeUpReason::OnSwitch,
        MakeUpReason::Barred,
        MakeUpReason::PressureLost,
        MakeUpReason::AboveRelief,
        MakeUpReason::FightsRelief,
        MakeUpReason::TankUnseen,
        MakeUpReason::NoPump,
    ];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            MakeUpReason::Rest => "rest",
            MakeUpReason::MakingUp => "making_up",
            MakeUpReason::Lifting => "lifting",
            MakeUpReason::OnSwitch => "on_switch",
            MakeUpReason::Barred => "barred",
            MakeUpReason::PressureLost => "pressure_lost",
            MakeUpReason::AboveRelief => "above_relief",
            MakeUpReason::FightsRelief => "fights_relief",
            MakeUpReason::TankUnseen => "tank_unseen",
            MakeUpReason::NoPump => "no_pump",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            MakeUpReason::Rest => ("压力正常, 休眠", "the pressure is there"),
            MakeUpReason::MakingUp => ("补水中", "making up"),
            MakeUpReason::Lifting => ("休眠前升压", "lifting before sleep"),
            MakeUpReason::OnSwitch => ("按低压开关补水", "making up on the low-pressure switch"),
            MakeUpReason::Barred => ("补水被禁止", "barred"),
            MakeUpReason::PressureLost => ("压力未知, 停止补水", "pressure lost: no make-up"),
            MakeUpReason::AboveRelief => ("压力高于泄压值", "above the relief pressure"),
            MakeUpReason::FightsRelief => ("补水与泄压反复", "make-up and relief fight each other"),
            MakeUpReason::TankUnseen => {
                ("水箱液位未知, 本小时补水量已用完", "tank unseen: the hour's volume is used up")
            }
            MakeUpReason::NoPump => ("无可用补水泵", "no make-up pump is available"),
        }
    }
}

/// What pressure holding remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MakeUp {
    running: bool,
    /// How long the pump has run without a break.
    pub run: Duration,
    #[serde(default)]
    pumps: Pumps,
    pi: Pi,
    speed: Ratio,
    asleep: Held,
    /// Since the pressure began to be lifted before sleep.
    #[serde(default)]
    lifting: Option<Duration>,
    /// Since the low-pressure switch opened, while it alone decides.
    #[serde(default)]
    on_switch: Option<Duration>,
    /// The relief valve.
    pub relief_open: bool,
    /// The tank's inlet.
    pub inlet_open: bool,
    #[serde(default)]
    relief: Relief,
    /// Make-up of the day, m³.
    pub today: f64,
    #[serde(default)]
    water: Water,
    #[serde(default)]
    ladder: Ladder,
    #[serde(default)]
    reason: MakeUpReason,
}

impl MakeUp {
    /// One step; `barred` when an interlock stops make-up.
    pub fn advance(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Option<Pascals>,
        barred: bool,
        dt: Duration,
    ) {
        self.move_relief(settings, readings, pressure, dt);
        self.move_inlet(settings, readings);
        self.pumps.watch(settings, readings, self.effort(settings, pressure), dt);
        self.watch_tank(settings, readings, dt);
        self.reason = match self.bar(settings, readings, pressure, barred) {
            Some(reason) => {
                self.stop();
                reason
            }
            None => self.work(settings, readings, pressure, dt),
        };
    }

    /// What forbids it.
    fn bar(
        &self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Option<Pascals>,
        barred: bool,
    ) -> Option<MakeUpReason> {
        let switch = readings.own.low_pressure_switch;
        let by_switch = switch.fresh() == Some(Switch::On) || self.on_switch.is_some();
        match pressure {
            _ if barred => Some(MakeUpReason::Barred),
            None if !by_switch => Some(MakeUpReason::PressureLost),
            // Where the relief valve lets water out no pump puts more in, not even while it waits for its sleep.
            Some(pressure) if pressure > settings.relief_open => Some(MakeUpReason::AboveRelief),
            _ if self.relief.fights(settings) => Some(MakeUpReason::FightsRelief),
            _ if self.water.exhausted() => Some(MakeUpReason::TankUnseen),
            Some(_) | None => None,
        }
    }

    fn work(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Option<Pascals>,
        dt: Duration,
    ) -> MakeUpReason {
        if self.running {
            self.run = self.run.saturating_add(dt);
            self.hand_over(settings, readings);
        }
        let Some(pressure) = pressure else { return self.on_switch(settings, readings, dt) };
        self.on_switch = None;
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
        self.assist(settings, readings, pressure, dt);
        if self.running {
            return if self.lifting.is_some() { MakeUpReason::Lifting } else { MakeUpReason::MakingUp };
        }
        if pressure < settings.start { MakeUpReason::NoPump } else { MakeUpReason::Rest }
    }

    fn vary(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, pressure: Pascals, dt: Duration) {
        let gains = Gains { gain: GAIN_PER_PASCAL, integral_seconds: INTEGRAL_SECONDS, low: SPEED_MIN.0, high: 1.0 };
        let target = if self.lifting.is_some() { settings.setpoint + settings.sleep_raise } else { settings.setpoint };
        let error = (target - pressure).0;
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
        if let Some(lifted) = self.lifting {
            self.lifting = Some(lifted.saturating_add(dt));
            if pressure >= target || lifted >= LIFT_MAX {
                self.stop();
            }
            return;
        }
        let idle = self.speed <= SPEED_MIN && pressure >= settings.setpoint;
        if self.asleep.for_at_least(SLEEP_AFTER, idle, dt) {
            if settings.sleep_raise.0 > 0.0 {
                self.lifting = Some(Duration::ZERO);
            } else {
                self.stop();
            }
        }
    }

    /// The last rung of the ladder: the switch starts and stops, at a fixed speed, a little at a time.
    fn on_switch(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, dt: Duration) -> MakeUpReason {
        let acted = readings.own.low_pressure_switch.fresh() == Some(Switch::On);
        if acted {
            self.start(settings, readings);
            self.on_switch = Some(Duration::ZERO);
        } else {
            let since = self.on_switch.unwrap_or_default().saturating_add(dt);
            self.on_switch = (since < SWITCH_RUN_ON).then_some(since);
        }
        if self.on_switch.is_none() {
            self.stop();
            return MakeUpReason::PressureLost;
        }
        self.speed = match settings.mode {
            MakeUpMode::StartStop => Ratio::ONE,
            MakeUpMode::VariableSpeed => SWITCH_SPEED,
        };
        if self.running { MakeUpReason::OnSwitch } else { MakeUpReason::NoPump }
    }

    /// Pumps that a person keeps out; said anew in each step.
    pub(crate) fn keep_out(&mut self, pumps: [bool; MAKE_UP_PUMPS_MAX]) {
        self.pumps.out = pumps;
    }

    /// A hand starts make-up before its start pressure; it stops at the setpoint as ever, and begins again half-way.
    pub(crate) fn top_up(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings, pressure: Pascals) {
        if pressure < settings.start + (settings.setpoint - settings.start) * 0.5 {
            self.start(settings, readings);
        }
    }

    fn stop(&mut self) {
        self.running = false;
        self.run = Duration::ZERO;
        self.speed = Ratio::ZERO;
        self.lifting = None;
        self.on_switch = None;
        self.pumps.rest();
    }

    /// The commands to the make-up pumps.
    pub fn commands(&self, settings: &MakeUpSettings) -> impl Iterator<Item = PumpCommand> {
        (0..settings.pumps).map(|number| {
            if self.running && self.pumps.works(number) {
                PumpCommand { start: Switch::On, speed: self.speed.max(SPEED_MIN) }
            } else {
                PumpCommand::STOP
            }
        })
    }

    /// Whether a make-up pump is told to run.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// What is to be said of it.
    pub fn report(&self) -> MakeUpReport {
        MakeUpReport {
            reason: self.reason,
            pressure_source: self.ladder.source(),
            tank_source: self.water.tank(),
            today: self.today,
            pumps: self.pumps.report(self.running),
        }
    }
}

/// At this speed a make-up pump fills without a pressure to hold (40 Hz of 50).
const SWITCH_SPEED: Ratio = Ratio(0.8);

/// What is said of pressure holding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MakeUpReport {
    /// Why make-up does what it does.
    pub reason: MakeUpReason,
    /// Where the holding-point pressure comes from.
    pub pressure_source: PressureSource,
    /// What is known of the tank by.
    pub tank_source: TankSource,
    /// Make-up of the day, m³.
    pub today: f64,
    /// The pumps.
    pub pumps: [MakeUpPumpReport; MAKE_UP_PUMPS_MAX],
}

#[cfg(test)]
pub(crate) mod tests;
