//! What may be written and called, as wishes of the core: which node means which wish, in which bounds.
//!
//! Nothing here reaches a device or decides anything. A wish is bounded here so that a client hears at once what is out of
//! range; the core bounds it again and has the last word.

use std::time::Duration;

use heatstation_core::correction::Correction;
use heatstation_core::heating_curve::{Adjustment, SLOPES};
use heatstation_core::load_shed::{ShedBy, Urgency};
use heatstation_core::report::CircuitReport;
use heatstation_core::request::{Mode, Origin, Refusal, Wish};
use heatstation_core::settings::Settings;
use heatstation_points::{Catalogue, CircuitIndex, Kelvins, Ratio};
use opcua::types::{DataTypeId, StatusCode, Variant};

use super::names::alarm_of;

/// The most that the wanted room temperature may be shifted; the core's own bound is the same (Siemens RVL: ±4.5 K).
const ROOM_SHIFT_MAX: f64 = 4.5;
/// Letters of a reason that are kept; the core cuts at 500, and where it came from must still fit.
const REASON_MAX: usize = 200;

/// What of a circuit a written number shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// The supply setpoint, for a time.
    SupplyShift,
    /// The level of the curve.
    CurveLevel,
    /// The slope of the curve.
    CurveSlope,
    /// The wanted room temperature.
    RoomShift,
    /// A share of the heat that is not taken.
    LoadShed,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Aspect; 5] =
        [Aspect::SupplyShift, Aspect::CurveLevel, Aspect::CurveSlope, Aspect::RoomShift, Aspect::LoadShed];

    /// The browse name.
    pub const fn name(self) -> &'static str {
        match self {
            Aspect::SupplyShift => "SupplyShift",
            Aspect::CurveLevel => "CurveLevel",
            Aspect::CurveSlope => "CurveSlope",
            Aspect::RoomShift => "RoomShift",
            Aspect::LoadShed => "LoadShed",
        }
    }

    /// Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Aspect::SupplyShift => ("供水温度平移", "shifts the supply setpoint, for a time"),
            Aspect::CurveLevel => ("曲线平移", "corrects the level of the curve"),
            Aspect::CurveSlope => ("曲线斜率修正", "corrects the slope of the curve"),
            Aspect::RoomShift => ("室温目标平移", "corrects the wanted room temperature"),
            Aspect::LoadShed => ("负荷削减", "takes a share less of heat, for a time"),
        }
    }
}

/// A node that may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setpoint {
    /// Of which circuit.
    pub circuit: CircuitIndex,
    /// What of it.
    pub aspect: Aspect,
}

impl Setpoint {
    /// The lowest and highest that may be written, in the unit of the node.
    pub fn bounds(self, settings: &Settings) -> Option<(f64, f64)> {
        let circuit = settings.circuits.get(self.circuit.0)?;
        let envelope = &circuit.envelope;
        Some(match self.aspect {
            Aspect::SupplyShift | Aspect::CurveLevel => (-envelope.lower_max.0, envelope.raise_max.0),
            Aspect::CurveSlope => (SLOPES.start().0, SLOPES.end().0),
            Aspect::RoomShift => (-ROOM_SHIFT_MAX, ROOM_SHIFT_MAX),
            Aspect::LoadShed => (0.0, circuit.times.load_shed.share_max.0 * 100.0),
        })
    }

    /// The wish that a number means. A correction keeps what is corrected already.
    ///
    /// # Errors
    /// The number is not finite or out of range, or there is no such circuit.
    pub fn wish(self, settings: &Settings, now: Correction, number: f64, lasts: Duration) -> Result<Wish, StatusCode> {
        let (low, high) = self.bounds(settings).ok_or(StatusCode::BadNodeIdUnknown)?;
        if !(low..=high).contains(&number) {
            return Err(StatusCode::BadOutOfRange);
        }
        let Setpoint { circuit, aspect } = self;
        // The settings may have been made shorter-lived than what this server was told.
        let lasts = settings.circuits.get(circuit.0).map_or(lasts, |circuit| lasts.min(circuit.envelope.life_max));
        let corrected = |correction| Wish::CorrectCurve { circuit, correction, lasts: Some(lasts) };
        Ok(match aspect {
            Aspect::SupplyShift => Wish::ShiftSupply { circuit, by: Kelvins(number), lasts },
            Aspect::CurveLevel => {
                corrected(Correction { curve: Adjustment { level: Kelvins(number), ..now.curve }, ..now })
            }
            Aspect::CurveSlope => {
                corrected(Correction { curve: Adjustment { slope: Ratio(number), ..now.curve }, ..now })
            }
            Aspect::RoomShift => corrected(Correction { room: Kelvins(number), ..now }),
            Aspect::LoadShed => {
                let by = ShedBy::Share(Ratio(number / 100.0));
                Wish::ShedLoad { circuit, by, urgency: Urgency::Uncritical, lasts }
            }
        })
    }
}

/// The correction in force of those who are heard as `origin`.
pub fn correction_of(circuit: &CircuitReport, origin: Origin) -> Correction {
    let corrections = &circuit.corrections;
    match origin {
        Origin::Operator => corrections.operator.map(|(correction, _)| correction),
        Origin::Service | Origin::Dispatch => corrections.remote.map(|remote| remote.correction),
    }
    .unwrap_or_default()
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Acknowledge an alarm.
    AcknowledgeAlarm,
    /// A sign of life: what was asked stands on.
    StayConnected,
    /// Shift the supply for a time.
    ShiftSupply(CircuitIndex),
    /// Correct the curve for a time.
    CorrectCurve(CircuitIndex),
    /// Take less heat for a time.
    ShedLoad(CircuitIndex),
    /// Run or stop a circuit.
    SetMode(CircuitIndex),
    /// Reset latched trips.
    ResetTrips(CircuitIndex),
}

/// An argument: its name, its type, what it is.
pub type Argument = (&'static str, DataTypeId, &'static str);

const REASON: Argument = ("Reason", DataTypeId::String, "why; it stands in the records / 原因");
const LASTS: Argument = ("LastsMinutes", DataTypeId::Double, "for how long / 持续分钟数");

impl Method {
    /// The browse name.
    pub const fn name(self) -> &'static str {
        match self {
            Method::AcknowledgeAlarm => "AcknowledgeAlarm",
            Method::StayConnected => "StayConnected",
            Method::ShiftSupply(_) => "ShiftSupply",
            Method::CorrectCurve(_) => "CorrectCurve",
            Method::ShedLoad(_) => "ShedLoad",
            Method::SetMode(_) => "SetMode",
            Method::ResetTrips(_) => "ResetTrips",
        }
    }

    /// What it takes.
    pub const fn arguments(self) -> &'static [Argument] {
        match self {
            Method::AcknowledgeAlarm => &[("AlarmId", DataTypeId::String, "as in Alarms.Active / 报警标识"), REASON],
            Method::StayConnected => &[],
            Method::ShiftSupply(_) => &[("ByKelvins", DataTypeId::Double, "by how much / 平移量 K"), LASTS, REASON],
            Method::CorrectCurve(_) => &[
                ("LevelKelvins", DataTypeId::Double, "added to the supply / 曲线平移 K"),
                ("Slope", DataTypeId::Double, "1 leaves the curve as it is / 斜率系数"),
                ("RoomKelvins", DataTypeId::Double, "added to the wanted room temperature / 室温平移 K"),
                LASTS,
                REASON,
            ],
            Method::ShedLoad(_) => &[
                ("SharePercent", DataTypeId::Double, "of the heat; 0 withdraws / 削减比例 %"),
                ("Critical", DataTypeId::Boolean, "the network is short of heat: comfort comes second / 紧急"),
                LASTS,
                REASON,
            ],
            Method::SetMode(_) => &[("Mode", DataTypeId::String, "automatic or stopped / 自动或停运"), REASON],
            Method::ResetTrips(_) => &[REASON],
        }
    }

    /// The wish that a call means, and its reason.
    ///
    /// # Errors
    /// An argument is missing, of another type, out of range, or names what the station has not.
    pub fn wish(
        self,
        arguments: &[Variant],
        settings: &Settings,
        catalogue: &Catalogue,
    ) -> Result<(Wish, String), StatusCode> {
        let mut given = Given(arguments.iter());
        let wish = match self {
            Method::AcknowledgeAlarm => {
                let alarm = alarm_of(catalogue, &given.text()?).ok_or(StatusCode::BadNotFound)?;
                Wish::Acknowledge { alarm }
            }
            Method::StayConnected => Wish::StayConnected,
            Method::ShiftSupply(circuit) => {
                let by = given.number()?;
                let setpoint = Setpoint { circuit, aspect: Aspect::SupplyShift };
                setpoint.wish(settings, Correction::default(), by, given.lasting(settings, circuit)?)?
            }
            Method::CorrectCurve(circuit) => {
                let (level, slope, room) = (given.number()?, given.number()?, given.number()?);
                let lasts = given.lasting(settings, circuit)?;
                let mut correction = Correction::default();
                let mut wish = None;
                for (aspect, number) in
                    [(Aspect::CurveLevel, level), (Aspect::CurveSlope, slope), (Aspect::RoomShift, room)]
                {
                    let next = Setpoint { circuit, aspect }.wish(settings, correction, number, lasts)?;
                    if let Wish::CorrectCurve { correction: next, .. } = &next {
                        correction = *next;
                    }
                    wish = Some(next);
                }
                wish.ok_or(StatusCode::BadInternalError)?
            }
            Method::ShedLoad(circuit) => {
                let (share, critical) = (given.number()?, given.yes()?);
                let lasts = given.lasting(settings, circuit)?;
                let setpoint = Setpoint { circuit, aspect: Aspect::LoadShed };
                let wish = setpoint.wish(settings, Correction::default(), share, lasts)?;
                match (wish, critical) {
                    (Wish::ShedLoad { circuit, by, lasts, .. }, true) => {
                        Wish::ShedLoad { circuit, by, urgency: Urgency::Critical, lasts }
                    }
                    (wish, _) => wish,
                }
            }
            Method::SetMode(circuit) => {
                let mode = match given.text()?.as_str() {
                    "automatic" => Mode::Automatic,
                    "stopped" => Mode::Stopped,
                    _ => return Err(StatusCode::BadOutOfRange),
                };
                Wish::SetMode { circuit, mode }
            }
            Method::ResetTrips(circuit) => Wish::ResetTrips { circuit },
        };
        let reason = if self == Method::StayConnected { String::new() } else { given.text()? };
        Ok((wish, reason.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect()))
    }
}

/// Arguments, taken one by one.
struct Given<'a>(std::slice::Iter<'a, Variant>);

impl Given<'_> {
    fn number(&mut self) -> Result<f64, StatusCode> {
        match self.0.next() {
            Some(Variant::Double(number)) if number.is_finite() => Ok(*number),
            Some(Variant::Double(_)) => Err(StatusCode::BadOutOfRange),
            Some(_) => Err(StatusCode::BadTypeMismatch),
            None => Err(StatusCode::BadArgumentsMissing),
        }
    }

    fn text(&mut self) -> Result<String, StatusCode> {
        match self.0.next() {
            Some(Variant::String(text)) => Ok(text.as_ref().to_owned()),
            Some(_) => Err(StatusCode::BadTypeMismatch),
            None => Err(StatusCode::BadArgumentsMissing),
        }
    }

    fn yes(&mut self) -> Result<bool, StatusCode> {
        match self.0.next() {
            Some(Variant::Boolean(yes)) => Ok(*yes),
            Some(_) => Err(StatusCode::BadTypeMismatch),
            None => Err(StatusCode::BadArgumentsMissing),
        }
    }

    /// A time that is no longer than a wish may live.
    fn lasting(&mut self, settings: &Settings, circuit: CircuitIndex) -> Result<Duration, StatusCode> {
        let minutes = self.number()?;
        let longest = settings.circuits.get(circuit.0).ok_or(StatusCode::BadNodeIdUnknown)?.envelope.life_max;
        let lasts = Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| StatusCode::BadOutOfRange)?;
        if lasts > longest { Err(StatusCode::BadOutOfRange) } else { Ok(lasts) }
    }
}

/// A refusal of the core, as a client hears it.
pub const fn status_of_refusal(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::NoSuchThing => StatusCode::BadNotFound,
        Refusal::OutOfRange | Refusal::TooLong => StatusCode::BadOutOfRange,
        Refusal::TooOften => StatusCode::BadTooManyOperations,
        Refusal::NotFromThere => StatusCode::BadUserAccessDenied,
        Refusal::StillTripped | Refusal::InMaintenance | Refusal::RoomsCold | Refusal::QuotaUsed => {
            StatusCode::BadInvalidState
        }
        Refusal::SwitchedOff => StatusCode::BadNotSupported,
    }
}

/// A refusal's name, as records spell it.
pub fn name_of_refusal(refusal: Refusal) -> String {
    serde_json::to_value(refusal).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
