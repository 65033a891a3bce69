//! Which make-up pump works: in turn, with a second to help, and away from one that does not do its work.

use std::time::Duration;

use heatstation_points::{CircuitReadings, Pascals, PumpReadings, Ratio, Switch};
use serde::{Deserialize, Serialize};

use super::{MakeUp, SPEED_MIN};
use crate::circulation::{PumpCount, PumpFailure, Runs};
use crate::settings::{MakeUpMode, MakeUpSettings};
use crate::timer::Held;

/// The most make-up pumps that a circuit has.
pub const MAKE_UP_PUMPS_MAX: usize = 2;
/// A pump that was told to run is seen to within this (Danfoss ECL: 15 s).
const PROOF_WITHIN: Duration = Duration::from_secs(15);
/// A pump that works hard for this long and gives no water runs dry.
const DRY_AFTER: Duration = Duration::from_secs(60);
/// A failed pump is tried again after this (Danfoss ECL: 20 min).
const RETRY_AFTER: Duration = Duration::from_secs(1200);
/// From this speed on a make-up pump must give water against a pressure below its start.
const HARD: Ratio = Ratio(0.95);
/// Less than this is no flow, m³/s (0.02 m³/h): a meter's creep.
const NO_FLOW: f64 = 5.6e-6;
/// A pump that lifts the pressure by this in a minute gives water, whatever a meter says.
const LIFTED: Pascals = Pascals(2_000.0);

/// What one make-up pump is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pump {
    unproven: Held,
    dry: Held,
    rest: Duration,
    failure: Option<PumpFailure>,
    count: PumpCount,
}

/// The make-up pumps of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pumps {
    each: [Pump; MAKE_UP_PUMPS_MAX],
    lead: usize,
    helper: Option<usize>,
    short: Held,
    /// The pressure when the working pumps were last seen to lift it.
    lifted_from: Option<Pascals>,
}

/// How hard the pumps work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effort {
    working: bool,
    hard: bool,
    pressure: Option<Pascals>,
}

/// How a make-up pump stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MakeUpPumpState {
    /// It stands ready.
    #[default]
    Standby,
    /// It makes up.
    Working,
    /// It has failed and is tried again later, or runs on because there is no other.
    Failed(PumpFailure),
}

impl MakeUpPumpState {
    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            MakeUpPumpState::Standby => "standby",
            MakeUpPumpState::Working => "working",
            MakeUpPumpState::Failed(PumpFailure::Fault) => "failed_fault",
            MakeUpPumpState::Failed(PumpFailure::NoFeedback) => "failed_no_feedback",
            MakeUpPumpState::Failed(PumpFailure::NoWater) => "failed_no_water",
        }
    }
}

/// What is said of a make-up pump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MakeUpPumpReport {
    /// How it stands.
    pub state: MakeUpPumpState,
    /// What it has done.
    pub count: PumpCount,
}

impl Pumps {
    /// Whether a pump is one of those that work.
    pub(super) fn works(&self, number: usize) -> bool {
        number == self.lead || Some(number) == self.helper
    }

    /// All stop.
    pub(super) fn rest(&mut self) {
        (self.helper, self.short, self.lifted_from) = (None, Held::default(), None);
        for pump in &mut self.each {
            (pump.unproven, pump.dry) = (Held::default(), Held::default());
        }
    }

    fn able(&self, readings: &CircuitReadings, number: usize) -> bool {
        self.each[number].rest.is_zero() && readings.make_up_pumps.get(number).is_none_or(sound)
    }

    /// The next pump in turn that can.
    fn next_able(&self, settings: &MakeUpSettings, readings: &CircuitReadings) -> Option<usize> {
        let mut turn = (1..=settings.pumps).map(|next| (self.lead + next) % settings.pumps);
        turn.find(|&number| self.able(readings, number))
    }

    /// Counts, and finds out which of the working pumps fails to.
    pub(super) fn watch(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        effort: Effort,
        dt: Duration,
    ) {
        let flows = readings.own.make_up_flow.fresh().map(|flow| flow.0 > NO_FLOW);
        let lifted = self.lifts(effort.pressure);
        for number in 0..settings.pumps.min(MAKE_UP_PUMPS_MAX) {
            let Some(reading) = readings.make_up_pumps.get(number) else { continue };
            let works = effort.working && self.works(number);
            let other = (0..settings.pumps).any(|other| other != number && self.able(readings, other));
            let pump = &mut self.each[number];
            pump.rest = pump.rest.saturating_sub(dt);
            pump.count.pass(reading, if works { Runs::Yes } else { Runs::No }, dt);
            let unseen = works && reading.running.usable() == Some(Switch::Off);
            let dry = works && effort.hard && flows == Some(false) && !lifted;
            if pump.unproven.for_at_least(PROOF_WITHIN, unseen, dt) {
                pump.failure = Some(PumpFailure::NoFeedback);
                // The last one runs on: a broken feedback wire must not let the network run empty.
                pump.rest = if other { RETRY_AFTER } else { Duration::ZERO };
            } else if pump.dry.for_at_least(DRY_AFTER, dry, dt) {
                // Dry running ruins its seal: this one stops even if it is the last.
                (pump.failure, pump.rest) = (Some(PumpFailure::NoWater), RETRY_AFTER);
            } else if reading.fault.usable() == Some(Switch::On) {
                pump.failure = Some(PumpFailure::Fault);
            } else if pump.rest.is_zero() && ((works && !unseen) || pump.failure == Some(PumpFailure::Fault)) {
                pump.failure = None;
            }
        }
    }

    /// Whether the pressure has risen worth mentioning since it was last looked at.
    fn lifts(&mut self, pressure: Option<Pascals>) -> bool {
        let Some(pressure) = pressure else { return false };
        let from = self.lifted_from.unwrap_or(pressure);
        let lifted = pressure - from > LIFTED;
        self.lifted_from = Some(if lifted { pressure } else { from.min(pressure) });
        lifted
    }

    pub(super) fn report(&self, running: bool) -> [MakeUpPumpReport; MAKE_UP_PUMPS_MAX] {
        std::array::from_fn(|number| {
            let pump = &self.each[number];
            let state = match pump.failure {
                Some(failure) => MakeUpPumpState::Failed(failure),
                None if running && self.works(number) => MakeUpPumpState::Working,
                None => MakeUpPumpState::Standby,
            };
            MakeUpPumpReport { state, count: pump.count }
        })
    }
}

impl MakeUp {
    pub(super) fn effort(&self, settings: &MakeUpSettings, pressure: Option<Pascals>) -> Effort {
        let below = pressure.is_some_and(|pressure| pressure < settings.start);
        let fast = settings.mode == MakeUpMode::StartStop || self.speed >= HARD;
        Effort { working: self.running, hard: self.running && below && fast, pressure }
    }

    /// A running pump that fails hands over to the next that can; the run goes on counting, or a chattering fault would
    /// outlive its limit.
    pub(super) fn hand_over(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if self.pumps.helper.is_some_and(|helper| !self.pumps.able(readings, helper)) {
            self.pumps.helper = None;
        }
        if self.pumps.able(readings, self.pumps.lead) {
            return;
        }
        match self.pumps.helper.take().or_else(|| self.pumps.next_able(settings, readings)) {
            Some(number) => self.pumps.lead = number,
            None => self.stop(),
        }
    }

    pub(super) fn start(&mut self, settings: &MakeUpSettings, readings: &CircuitReadings) {
        if self.running {
            return;
        }
        if let Some(number) = self.pumps.next_able(settings, readings) {
            self.pumps.lead = number;
            self.pumps.each[number].count.starts += 1;
            self.running = true;
            self.run = Duration::ZERO;
            self.asleep = Held::default();
            self.speed = self.speed.max(SPEED_MIN);
        }
    }

    /// The second pump joins when the first alone does not bring the pressure back, and leaves when it is there.
    pub(super) fn assist(
        &mut self,
        settings: &MakeUpSettings,
        readings: &CircuitReadings,
        pressure: Pascals,
        dt: Duration,
    ) {
        let Some(after) = settings.assist_after.filter(|_| self.running) else { return };
        if pressure >= settings.setpoint {
            self.pumps.helper = None;
        }
        let short = self.effort(settings, Some(pressure)).hard && self.pumps.helper.is_none();
        if self.pumps.short.for_at_least(after, short, dt) {
            let helper = self.pumps.next_able(settings, readings).filter(|&number| number != self.pumps.lead);
            if let Some(number) = helper {
                self.pumps.each[number].count.starts += 1;
            }
            self.pumps.helper = helper;
        }
    }
}

/// Whether a pump can be told to run: no fault, and not in somebody's hands.
fn sound(pump: &PumpReadings) -> bool {
    pump.fault.usable() != Some(Switch::On) && pump.remote.last() != Some(Switch::Off)
}
