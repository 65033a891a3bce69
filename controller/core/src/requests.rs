//! Requests: granted or refused, with a record of each, and the passing of what was granted.

use std::time::Duration;

use heatstation_points::{CircuitIndex, Kelvins, Ratio};

use crate::event::Event;
use crate::request::{Hand, Mode, Origin, Refusal, Request, Wish};
use crate::settings::Settings;
use crate::state::{CircuitState, HandState, State};

/// Wishes a minute from one origin; more is a fault or an attack.
const WISHES_PER_MINUTE: f64 = 6.0;
/// Texts of a request are cut here: the journal is no place for essays.
const TEXT_MAX: usize = 500;

/// Lets what was granted earlier pass, then grants or refuses what is asked now.
pub(crate) fn grant(
    settings: &Settings,
    state: &mut State,
    requests: &[Request],
    dt: Duration,
    events: &mut Vec<Event>,
) {
    for bucket in &mut state.wishes_of_late {
        *bucket = (*bucket - WISHES_PER_MINUTE * dt.as_secs_f64() / 60.0).max(0.0);
    }
    for (number, circuit) in state.circuits.iter_mut().enumerate() {
        pass(circuit, CircuitIndex(number), dt, events);
    }
    for request in requests {
        let mut request = request.clone();
        cut(&mut request.author);
        cut(&mut request.reason);
        match judge(settings, state, &request, events) {
            Ok(()) => events.push(Event::RequestGranted { request }),
            Err(refusal) => events.push(Event::RequestRefused { request, refusal }),
        }
    }
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
        text.truncate(end);
    }
}

fn pass(memory: &mut CircuitState, circuit: CircuitIndex, dt: Duration, events: &mut Vec<Event>) {
    if memory.hand.pass(dt) {
        events.push(Event::HandExpired { circuit });
    }
    if let Some((_, left)) = &mut memory.shift {
        *left = left.saturating_sub(dt);
        if left.is_zero() {
            memory.shift = None;
        }
    }
}

fn judge(settings: &Settings, state: &mut State, request: &Request, events: &mut Vec<Event>) -> Result<(), Refusal> {
    let bucket = &mut state.wishes_of_late[request.origin as usize];
    if *bucket + 1.0 > WISHES_PER_MINUTE {
        return Err(Refusal::TooOften);
    }
    *bucket += 1.0;

    // What stops heat or touches the plant by hand is for people at the station.
    let from_there = request.origin == Origin::Operator;
    match &request.wish {
        Wish::SetMode { circuit, mode } => {
            if *mode == Mode::Stopped && !from_there {
                return Err(Refusal::NotFromThere);
            }
            circuit_of(state, *circuit)?.mode = *mode;
        }
        Wish::ShiftSupply { circuit, by, lasts } => {
            let envelope = &settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?.envelope;
            if !by.0.is_finite() || *by < -envelope.lower_max || *by > envelope.raise_max {
                return Err(Refusal::OutOfRange);
            }
            if *lasts > envelope.life_max {
                return Err(Refusal::TooLong);
            }
            let shift = (*by != Kelvins(0.0) && !lasts.is_zero()).then_some((*by, *lasts));
            circuit_of(state, *circuit)?.shift = shift;
        }
        Wish::TakeInHand { circuit, hand, lasts } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            let settings = settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?;
            if *lasts > settings.envelope.life_max {
                return Err(Refusal::TooLong);
            }
            take_in_hand(&mut circuit_of(state, *circuit)?.hand, *hand, settings.circulation.pumps, *lasts)?;
        }
        Wish::ReturnToAutomatic { circuit } => circuit_of(state, *circuit)?.hand = HandState::default(),
        Wish::AutoTune { circuit, order } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            circuit_of(state, *circuit)?.auto_tune.order(*order).ok_or(Refusal::NoSuchThing)?;
        }
        Wish::ResetTrips { circuit } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            let pumps = settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?.circulation;
            let memory = circuit_of(state, *circuit)?;
            // Who resets has looked: pumps that had given up are tried again too.
            match (memory.circulation.forgive(&pumps), memory.interlocks.ask_reset()) {
                (true, _) | (false, Ok(())) => {}
                (false, Err(refusal)) => return Err(refusal),
            }
        }
        Wish::Acknowledge { alarm } => {
            if !state.alarms.acknowledge(*alarm) {
                return Err(Refusal::NoSuchThing);
            }
            events.push(Event::AlarmAcknowledged { alarm: *alarm, author: request.author.clone() });
        }
        Wish::ConfirmCause { outage, cause } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            circuit_of(state, outage.circuit)?;
            let (author, reason) = (request.author.clone(), request.reason.clone());
            events.push(Event::OutageCauseConfirmed { outage: *outage, cause: *cause, author, reason });
        }
    }
    Ok(())
}

fn circuit_of(state: &mut State, circuit: CircuitIndex) -> Result<&mut CircuitState, Refusal> {
    state.circuits.get_mut(circuit.0).ok_or(Refusal::NoSuchThing)
}

fn take_in_hand(state: &mut HandState, hand: Hand, pumps: usize, lasts: Duration) -> Result<(), Refusal> {
    let share = |ratio: Ratio| {
        if (0.0..=1.0).contains(&ratio.0) { Ok(ratio) } else { Err(Refusal::OutOfRange) }
    };
    match hand {
        Hand::Valve(position) => state.valve = Some((share(position)?, lasts)),
        Hand::CirculationSpeed(speed) => state.speed = Some((share(speed)?, lasts)),
        Hand::PumpOut(pump) if pump.0 < pumps => state.out[pump.0] = Some(lasts),
        Hand::PumpOut(_) => return Err(Refusal::NoSuchThing),
    }
    Ok(())
}
