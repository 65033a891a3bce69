//! Whose plant is it? Before anything is written the plant is watched, then taken over as it is found.
//!
//! At the start, after a restart and after a time in local, the outputs in force are unknown. The circuit is watched until
//! its critical inputs are fresh; then the control starts from where valve and pumps stand, so that nothing jumps.

use std::time::Duration;

use heatstation_points::{CircuitOutput, Point, PumpIndex, PumpOutput, Ratio, Switch};

use crate::actuator::ActuatorSettings;
use crate::event::Event;
use crate::interlock::Trip;
use crate::sequence::Stage;
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

/// The critical inputs must be fresh for at least two reading rounds.
const WATCH_MIN: Duration = Duration::from_secs(2);
/// A plant with a lost sensor is taken over too, after this; the ladders deal with what is missing.
const WATCH_MAX: Duration = Duration::from_secs(15);
/// A valve that stands further open than this is heating.
const OPEN: Ratio = Ratio(0.01);

/// Watches or takes over; whether the circuit is ours in this step.
pub(crate) fn take_over(
    settings: &CircuitSettings,
    memory: &mut CircuitState,
    at: &Surroundings,
    circulating: Option<bool>,
    events: &mut Vec<Event>,
) -> bool {
    let selector = at.station.remote_selected.usable();
    // A selector that cannot be read gives nothing back: somebody may still stand at the cabinet.
    memory.was_local |= selector == Some(Switch::Off);
    if memory.was_local && selector != Some(Switch::On) {
        memory.watching = Some(Duration::ZERO);
        return false;
    }
    if std::mem::take(&mut memory.was_local) {
        // Somebody stood at the cabinet, had the plant in local and gave it back: that is the reset on the spot. What is
        // still wrong stays tripped all the same.
        let _ = memory.interlocks.ask_reset();
        let _ = memory.sequence.try_again();
        memory.given_back = true;
        memory.circulation.forgive(&settings.circulation);
    }
    let Some(watched) = memory.watching else { return true };
    let watched = watched.saturating_add(at.dt);
    memory.watching = Some(watched);
    let all_fresh = critical_inputs_fresh(settings, at);
    // A plant that must be shut does not wait for a lost sensor to come back.
    let urgent = memory.interlocks.closes_valve().is_some_and(|trip| trip != Trip::NoCirculation);
    if !(watched >= WATCH_MIN && (all_fresh || urgent)) && watched < WATCH_MAX {
        return false;
    }

    let feedback = at.own.own.valve_position_feedback.usable();
    memory.watching = None;
    memory.supply_loop.follow(feedback);
    memory.circulation.take_over(&settings.circulation, &at.own.circulation_pumps);
    let was_heating = memory.sequence.stage == Stage::Heating;
    let given_back = std::mem::take(&mut memory.given_back);
    let open = feedback.is_some_and(|position| position > OPEN);
    match circulating {
        Some(true) => {
            let stage = if was_heating || open { Stage::Heating } else { Stage::StartingPumps };
            memory.sequence.found_anew(stage);
            memory.interlocks.found_circulating();
        }
        Some(false) if was_heating && !given_back => {
            // It ran when it was last seen, and nobody was at the cabinet since.
            memory.sequence.power_failed_unseen();
            memory.sequence.found_anew(Stage::Filling);
            if memory.interlocks.assume_power_failed() {
                events.push(Event::Tripped { circuit: at.index, trip: Trip::MainsLost });
            }
        }
        Some(false) | None => memory.sequence.found_anew(Stage::Stopped),
    }
    true
}

fn critical_inputs_fresh(settings: &CircuitSettings, at: &Surroundings) -> bool {
    let own = &at.own.own;
    let pumps_known =
        at.own.circulation_pumps.iter().all(|pump| !pump.running.is_configured() || pump.running.fresh().is_some());
    own.supply_temperature.fresh().is_some()
        && (settings.make_up.is_none() || own.return_pressure.fresh().is_some())
        && (!own.valve_position_feedback.is_configured() || own.valve_position_feedback.fresh().is_some())
        && pumps_known
}

/// Whether a person has the valve: as its selector last said.
pub(crate) fn valve_is_local(at: &Surroundings) -> bool {
    at.own.own.valve_remote.last() == Some(Switch::Off)
}

/// Outputs that are not written because a person has the device.
pub(crate) fn withheld(settings: &CircuitSettings, at: &Surroundings) -> Vec<Point> {
    let mut list = Vec::new();
    if valve_is_local(at) {
        let outputs: &[CircuitOutput] = match settings.valve.actuator {
            ActuatorSettings::Position => &[CircuitOutput::ValvePosition],
            ActuatorSettings::ThreePoint { .. } => &[CircuitOutput::ValveOpening, CircuitOutput::ValveClosing],
        };
        list.extend(outputs.iter().map(|&output| Point::CircuitOutput(at.index, output)));
    }
    let local = |reading: &heatstation_points::PumpReadings| reading.remote.last() == Some(Switch::Off);
    for number in (0..settings.circulation.pumps).filter(|&n| local(&at.own.circulation_pumps[n])) {
        for output in PumpOutput::ALL {
            list.push(Point::CirculationPumpOutput(at.index, PumpIndex(number), *output));
        }
    }
    for (number, _) in at.own.make_up_pumps.iter().enumerate().filter(|(_, reading)| local(reading)) {
        for output in PumpOutput::ALL {
            list.push(Point::MakeUpPumpOutput(at.index, PumpIndex(number), *output));
        }
    }
    list
}
