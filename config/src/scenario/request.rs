//! What people and programs ask in a scenario.
//!
//! What the control would refuse may be asked of it: that is one of the things to be shown. Only what can be no wish at all
//! is a mistake of the file.

use heatstation_core::authority::Device;
use heatstation_core::auto_tune::TuneOrder;
use heatstation_core::correction::Correction;
use heatstation_core::heating_curve::Adjustment;
use heatstation_core::load_shed::{ShedBy, Urgency};
use heatstation_core::request::{Hand, Mode, Origin, Request, Wish};
use heatstation_points::{CircuitIndex, Kelvins, PumpIndex, Ratio};

use super::check::{MINUTES_MAX, circuit_of, foreign, times};
use super::raw::{RawDevice, RawMode, RawOrigin, RawRequest, RawTuneOrder, RawUrgency, RawWish};
use super::{Happening, What};
use crate::desk::{Desk, Otherwise, Section, count, number, or};
use crate::station::Station;

pub(super) fn check(
    desk: &mut Desk,
    at: &Section,
    raw: &RawRequest,
    station: &Station,
    happenings: &mut Vec<Happening>,
) {
    let times = times(desk, at, &raw.at_minutes, None, &raw.times, ("every_seconds", &raw.every_seconds));
    let author = desk.text(at, "author", raw.author.as_ref(), Otherwise::Required("\"Wang\""));
    let reason = desk.text(at, "reason", raw.reason.as_ref(), Otherwise::Required("\"a cold building\""));
    let usual = or(RawOrigin::Operator, "a person at the station");
    let origin = match desk.choice(at, "origin", raw.origin.as_ref(), usual, RawOrigin::Operator).value {
        RawOrigin::Operator => Origin::Operator,
        RawOrigin::Service => Origin::Service,
        RawOrigin::Dispatch => Origin::Dispatch,
    };
    let circuit = circuit_of(desk, at, &raw.circuit, station);
    let required = Otherwise::Required("\"shift-supply\"");
    let wish = desk.choice(at, "wish", raw.wish.as_ref(), required, RawWish::ReturnToAutomatic);
    let (Some(circuit), true) = (circuit, wish.sound) else { return };
    keys_that_do_not_belong(desk, at, raw, wish.value);
    let wish = wish_of(desk, at, raw, wish.value, circuit);
    let request = Request { origin, author: author.value, reason: reason.value, wish };
    times.note(&What::Ask(request), None, happenings);
}

fn keys_that_do_not_belong(desk: &mut Desk, at: &Section, raw: &RawRequest, wish: RawWish) {
    let belongs: &[&str] = match wish {
        RawWish::SetMode => &["mode"],
        RawWish::ShiftSupply => &["by_kelvins", "lasts_minutes"],
        RawWish::CorrectCurve => &["level_kelvins", "slope_ratio", "room_kelvins", "lasts_minutes"],
        RawWish::ShedLoad => &["share_ratio", "by_kelvins", "urgency", "lasts_minutes"],
        RawWish::TakeValve => &["position_ratio", "lasts_minutes"],
        RawWish::TakeSpeed => &["speed_ratio", "lasts_minutes"],
        RawWish::TakePumpOut => &["pump", "lasts_minutes"],
        RawWish::Maintain => &["device", "pump", "lasts_minutes"],
        RawWish::AutoTune => &["order"],
        RawWish::ReturnToAutomatic | RawWish::ResetTrips | RawWish::StartSeason | RawWish::StayConnected => &[],
    };
    let written = [
        ("mode", raw.mode.as_ref().map(|written| &written.span)),
        ("by_kelvins", raw.by_kelvins.as_ref().map(|written| &written.span)),
        ("level_kelvins", raw.level_kelvins.as_ref().map(|written| &written.span)),
        ("slope_ratio", raw.slope_ratio.as_ref().map(|written| &written.span)),
        ("room_kelvins", raw.room_kelvins.as_ref().map(|written| &written.span)),
        ("share_ratio", raw.share_ratio.as_ref().map(|written| &written.span)),
        ("urgency", raw.urgency.as_ref().map(|written| &written.span)),
        ("lasts_minutes", raw.lasts_minutes.as_ref().map(|written| &written.span)),
        ("position_ratio", raw.position_ratio.as_ref().map(|written| &written.span)),
        ("speed_ratio", raw.speed_ratio.as_ref().map(|written| &written.span)),
        ("pump", raw.pump.as_ref().map(|written| &written.span)),
        ("device", raw.device.as_ref().map(|written| &written.span)),
        ("order", raw.order.as_ref().map(|written| &written.span)),
    ];
    foreign(desk, at, &crate::desk::word(&wish), belongs, &written);
}

fn wish_of(desk: &mut Desk, at: &Section, raw: &RawRequest, wish: RawWish, circuit: CircuitIndex) -> Wish {
    let lasts = |desk: &mut Desk| {
        let needed = Otherwise::Required("60");
        number!(desk, at, raw.lasts_minutes, 0.0..=MINUTES_MAX, needed).duration()
    };
    match wish {
        RawWish::SetMode => {
            let needed = Otherwise::Required("\"stopped\"");
            let mode = match desk.choice(at, "mode", raw.mode.as_ref(), needed, RawMode::Automatic).value {
                RawMode::Automatic => Mode::Automatic,
                RawMode::Stopped => Mode::Stopped,
            };
            Wish::SetMode { circuit, mode }
        }
        RawWish::ShiftSupply => {
            let by = number!(desk, at, raw.by_kelvins, -1000.0..=1000.0, Otherwise::Required("3"));
            Wish::ShiftSupply { circuit, by: Kelvins(by.value), lasts: lasts(desk) }
        }
        RawWish::CorrectCurve => {
            let level = number!(desk, at, raw.level_kelvins, -1000.0..=1000.0, or(0.0, "no other level"));
            let slope = number!(desk, at, raw.slope_ratio, -10.0..=10.0, or(1.0, "no other slope"));
            let room = number!(desk, at, raw.room_kelvins, -1000.0..=1000.0, or(0.0, "no other room temperature"));
            let curve = Adjustment { level: Kelvins(level.value), slope: slope.ratio() };
            let lasts = raw.lasts_minutes.as_ref().map(|_| lasts(desk));
            Wish::CorrectCurve { circuit, correction: Correction { curve, room: Kelvins(room.value) }, lasts }
        }
        RawWish::ShedLoad => shed_load(desk, at, raw, circuit),
        RawWish::TakeValve => {
            let position = number!(desk, at, raw.position_ratio, -10.0..=10.0, Otherwise::Required("0.4"));
            Wish::TakeInHand { circuit, hand: Hand::Valve(position.ratio()), lasts: lasts(desk) }
        }
        RawWish::TakeSpeed => {
            let speed = number!(desk, at, raw.speed_ratio, -10.0..=10.0, Otherwise::Required("0.8"));
            Wish::TakeInHand { circuit, hand: Hand::CirculationSpeed(speed.ratio()), lasts: lasts(desk) }
        }
        RawWish::TakePumpOut => {
            let hand = Hand::PumpOut(pump(desk, at, raw));
            Wish::TakeInHand { circuit, hand, lasts: lasts(desk) }
        }
        RawWish::Maintain => {
            let needed = Otherwise::Required("\"circulation-pump\"");
            let device = match desk.choice(at, "device", raw.device.as_ref(), needed, RawDevice::Valve).value {
                RawDevice::Valve => Device::Valve,
                RawDevice::CirculationPump => Device::CirculationPump(pump(desk, at, raw)),
                RawDevice::MakeUpPump => Device::MakeUpPump(pump(desk, at, raw)),
                RawDevice::MakeUp => Device::MakeUp,
            };
            Wish::TakeForMaintenance { circuit, device, lasts: lasts(desk) }
        }
        RawWish::AutoTune => {
            let needed = Otherwise::Required("\"start\"");
            let order = match desk.choice(at, "order", raw.order.as_ref(), needed, RawTuneOrder::Stop).value {
                RawTuneOrder::Start => TuneOrder::Start,
                RawTuneOrder::Stop => TuneOrder::Stop,
                RawTuneOrder::Accept => TuneOrder::Accept,
                RawTuneOrder::Forget => TuneOrder::Forget,
            };
            Wish::AutoTune { circuit, order }
        }
        RawWish::ReturnToAutomatic => Wish::ReturnToAutomatic { circuit },
        RawWish::ResetTrips => Wish::ResetTrips { circuit },
        RawWish::StartSeason => Wish::StartSeason { circuit },
        RawWish::StayConnected => Wish::StayConnected,
    }
}

fn pump(desk: &mut Desk, at: &Section, raw: &RawRequest) -> PumpIndex {
    let pump = count!(desk, at, raw.pump, 1..=10, Otherwise::Required("1"));
    PumpIndex((pump.value as usize).saturating_sub(1))
}

/// A share of the heat, or kelvins of the supply: one of them.
fn shed_load(desk: &mut Desk, at: &Section, raw: &RawRequest, circuit: CircuitIndex) -> Wish {
    let by = if let Some(written) = &raw.by_kelvins {
        if raw.share_ratio.is_some() {
            let help = "a share of the heat or kelvins of the supply: take one of them out";
            desk.error(&at.at(&written.span), at.key("by_kelvins"), "stands beside share_ratio".to_owned(), help);
        }
        ShedBy::Supply(Kelvins(number!(desk, at, raw.by_kelvins, -1000.0..=1000.0, Otherwise::Required("5")).value))
    } else {
        ShedBy::Share(Ratio(number!(desk, at, raw.share_ratio, -10.0..=10.0, Otherwise::Required("0.15")).value))
    };
    let usual = or(RawUrgency::Uncritical, "comfort comes first");
    let urgency = match desk.choice(at, "urgency", raw.urgency.as_ref(), usual, RawUrgency::Uncritical).value {
        RawUrgency::Uncritical => Urgency::Uncritical,
        RawUrgency::Critical => Urgency::Critical,
    };
    let lasts = number!(desk, at, raw.lasts_minutes, 0.0..=MINUTES_MAX, Otherwise::Required("60")).duration();
    Wish::ShedLoad { circuit, by, urgency, lasts }
}
