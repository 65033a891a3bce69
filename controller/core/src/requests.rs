//! Requests: granted or refused, with a record of each, and the passing of what was granted.

use std::time::Duration;

use heatstation_points::{CircuitIndex, Kelvins, PumpIndex, Ratio};

use crate::authority::{Device, Hold, Lease};
use crate::event::Event;
use crate::request::{Hand, Origin, Refusal, Request, Wish};
use crate::settings::{CircuitSettings, Settings};
use crate::state::{CircuitState, State};

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
    for silent_for in state.silent_for.iter_mut().flatten() {
        *silent_for = silent_for.saturating_add(dt);
    }
    for (number, (circuit, settings)) in state.circuits.iter_mut().zip(&settings.circuits).enumerate() {
        pass(circuit, CircuitIndex(number), dt, events);
        hear(circuit, CircuitIndex(number), settings, &state.silent_for, events);
    }
    for request in requests {
        let mut request = request.clone();
        cut(&mut request.author);
        cut(&mut request.reason);
        match judge(settings, state, &request, events) {
            Ok(()) => {
                state.silent_for[request.origin as usize] = Some(Duration::ZERO);
                // A sign of life each minute is no news.
                if request.wish != Wish::StayConnected {
                    events.push(Event::RequestGranted { request });
                }
            }
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
    memory.leases.pass(dt, |device| events.push(Event::HandExpired { circuit, device: Some(device) }));
    memory.corrections.pass(dt);
    if let Some((_, left)) = &mut memory.shift {
        *left = left.saturating_sub(dt);
        if left.is_zero() {
            memory.shift = None;
        }
    }
}

/// The Samson contract: who asks something of the supply from afar has to be heard, or the station is on its own again. A person at
/// the station has been heard for as long as the wish lives.
fn hear(
    memory: &mut CircuitState,
    circuit: CircuitIndex,
    settings: &CircuitSettings,
    silent_for: &[Option<Duration>; 3],
    events: &mut Vec<Event>,
) {
    for origin in [Origin::Service, Origin::Dispatch] {
        if silent_for[origin as usize].is_none_or(|silent| silent < settings.envelope.silence_max) {
            continue;
        }
        let shifts = memory.shift.is_some() && memory.shift_by.as_ref().is_some_and(|(by, _)| *by == origin);
        let corrects = memory.corrections.remote.is_some_and(|remote| remote.origin == origin);
        if shifts {
            memory.shift = None;
        }
        if corrects {
            memory.corrections.remote = None;
        }
        if memory.load_shed.fell_silent(origin) | shifts | corrects {
            events.push(Event::RemoteFellSilent { circuit, origin });
        }
    }
}

/// Whether a dispatch centre that was once there has been silent for too long.
pub(crate) fn dispatch_is_silent(settings: &Settings, state: &State) -> bool {
    let silent_for = state.silent_for[Origin::Dispatch as usize];
    let longest = settings.circuits.iter().map(|circuit| circuit.envelope.silence_max).max();
    silent_for.zip(longest).is_some_and(|(silent_for, longest)| silent_for >= longest)
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
            // Who stopped it may be at work on it.
            if !from_there {
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
            let memory = circuit_of(state, *circuit)?;
            memory.shift = shift;
            memory.shift_by = Some((request.origin, request.author.as_str().into()));
        }
        Wish::CorrectCurve { circuit, correction, lasts } => {
            let envelope = &settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?.envelope;
            circuit_of(state, *circuit)?.corrections.ask(envelope, request.origin, *correction, *lasts)?;
        }
        Wish::ShedLoad { circuit, by, urgency, lasts } => {
            let settings = settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?;
            let (shed, lower_max) = (&settings.times.load_shed, settings.envelope.lower_max);
            circuit_of(state, *circuit)?.load_shed.ask(shed, lower_max, request.origin, (*by, *urgency), *lasts)?;
        }
        Wish::TakeInHand { circuit, hand, lasts } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            take(settings, state, request, *circuit, hand.device(), Hold::Manual(sound(*hand)?), *lasts)?;
        }
        Wish::TakeForMaintenance { circuit, device, lasts } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            take(settings, state, request, *circuit, *device, Hold::Maintenance, *lasts)?;
        }
        Wish::ReturnToAutomatic { circuit } => {
            let leases = &mut circuit_of(state, *circuit)?.leases;
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            leases.clear_hands();
            leases.clear_maintenance();
        }
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
            // Who resets has looked: pumps and restarts that had been given up are tried again too.
            let tried_again = memory.circulation.forgive(&pumps) | memory.sequence.try_again();
            match (tried_again, memory.interlocks.ask_reset()) {
                (true, _) | (false, Ok(())) => {}
                (false, Err(refusal)) => return Err(refusal),
            }
        }
        Wish::StartSeason { circuit } => {
            if !from_there {
                return Err(Refusal::NotFromThere);
            }
            circuit_of(state, *circuit)?.sequence.ask_season_start();
        }
        Wish::StayConnected => {}
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

fn take(
    settings: &Settings,
    state: &mut State,
    request: &Request,
    circuit: CircuitIndex,
    device: Device,
    hold: Hold,
    lasts: Duration,
) -> Result<(), Refusal> {
    let settings = settings.circuits.get(circuit.0).ok_or(Refusal::NoSuchThing)?;
    let memory = circuit_of(state, circuit)?;
    if !has(settings, device) {
        return Err(Refusal::NoSuchThing);
    }
    // A speed is a number: people work on pumps.
    if (hold, device) == (Hold::Maintenance, Device::CirculationSpeed) {
        return Err(Refusal::NoSuchThing);
    }
    if lasts > settings.envelope.life_max {
        return Err(Refusal::TooLong);
    }
    if matches!(hold, Hold::Manual(_)) && memory.leases.maintains(device) {
        return Err(Refusal::InMaintenance);
    }
    let author = request.author.as_str().into();
    memory.leases.take(Lease { device, hold, origin: request.origin, author, left: lasts });
    Ok(())
}

/// Whether the circuit has that device.
fn has(settings: &CircuitSettings, device: Device) -> bool {
    let make_up_pumps = settings.make_up.as_ref().map_or(0, |make_up| make_up.pumps);
    match device {
        Device::Valve | Device::CirculationSpeed => true,
        Device::CirculationPump(PumpIndex(pump)) => pump < settings.circulation.pumps,
        Device::MakeUpPump(PumpIndex(pump)) => pump < make_up_pumps,
        Device::MakeUp | Device::ReliefValve | Device::TankInlet => make_up_pumps > 0,
        Device::BuildingValve(building) => building.0 < settings.buildings.len(),
    }
}

/// A hand with a position that exists.
fn sound(hand: Hand) -> Result<Hand, Refusal> {
    match hand {
        Hand::Valve(Ratio(share)) | Hand::CirculationSpeed(Ratio(share)) | Hand::BuildingValve(_, Ratio(share)) => {
            if (0.0..=1.0).contains(&share) {
                Ok(hand)
            } else {
                Err(Refusal::OutOfRange)
            }
        }
        Hand::PumpOut(_) | Hand::MakeUp(_) | Hand::MakeUpPumpOut(_) | Hand::ReliefValve(_) | Hand::TankInlet(_) => {
            Ok(hand)
        }
    }
}
