//! What the control says of a circuit: the setpoint with all that went into it, the operation with its reasons, and the
//! wishes that may be written.

use std::time::Duration;

use heatstation_core::ledger::Part;
use heatstation_core::load_shed::ShedBy;
use heatstation_core::report::CircuitReport;
use heatstation_core::request::Origin;
use heatstation_points::{CircuitIndex, Quantity, Unit};
use opcua::types::{DataTypeId, Range, StatusCode};

use super::station::{displayed, text};
use super::{Board, Handle, Kind, Row, Said};
use crate::metrics::{mode_name, pump_reason_name, valve_reason_name};
use crate::opcua_server::units::{CELSIUS, KELVINS, KILOPASCALS, MINUTES, ONE, PERCENT, SECONDS};
use crate::opcua_server::wishes::{Aspect, Method, Setpoint, correction_of};
use crate::snapshot::Facts;

type Of = fn(&CircuitReport) -> Said;

const WATER: Range = Range { low: 0.0, high: 120.0 };
const ROOM: Range = Range { low: 0.0, high: 40.0 };
/// A part of the setpoint is never more than the whole span of it.
const PART: Range = Range { low: -120.0, high: 120.0 };
const PRESSURE: Range = Range { low: 0.0, high: 1600.0 };
/// A season.
const LASTING: Range = Range { low: 0.0, high: 366.0 * 86_400.0 };

pub(super) fn rows(board: &mut Board, facts: &Facts, index: CircuitIndex, name: &str, origin: Origin) {
    for (folder, title) in [("Setpoint", "供水设定"), ("Operation", "运行"), ("Wish", "请求")] {
        board.shelf(board.names.of_circuit(name, folder), board.names.circuit(name), folder, title);
    }
    let contributions = board.names.of_circuit(name, "Setpoint.Contribution");
    board.shelf(contributions, board.names.of_circuit(name, "Setpoint"), "Contribution", "各项修正");

    let mut add = |path: &str, (chinese, english): (&str, &str), kind: Kind, of: Of| {
        board.rows.push(row(board, name, path, (chinese, english), kind, of, index));
    };
    setpoint(&mut add);
    operation(&mut add);
    for &part in Part::ALL {
        let path = format!("Setpoint.Contribution.{}", part.name());
        let of = move |circuit: &CircuitReport| Said::good(circuit.setpoint.ledger.of(part).0);
        board.rows.push(row(board, name, &path, part.texts(), Kind::Analog(KELVINS, PART), of, index));
    }
    wishes(board, facts, index, name, origin);
    let methods = [
        Method::ShiftSupply(index),
        Method::CorrectCurve(index),
        Method::ShedLoad(index),
        Method::SetMode(index),
        Method::ResetTrips(index),
    ];
    for method in methods {
        let id = board.names.of_circuit(name, method.name());
        board.handles.push(Handle { id, under: board.names.circuit(name), method });
    }
}

fn row(
    board: &Board,
    circuit: &str,
    path: &str,
    (chinese, english): (&str, &str),
    kind: Kind,
    of: impl Fn(&CircuitReport) -> Said + Send + Sync + 'static,
    CircuitIndex(index): CircuitIndex,
) -> Row {
    let (folder, browse) = path.rsplit_once('.').unwrap_or(("", path));
    Row {
        id: board.names.of_circuit(circuit, path),
        under: board.names.of_circuit(circuit, folder),
        browse: browse.to_owned(),
        chinese: chinese.to_owned(),
        english: english.to_owned(),
        kind,
        setpoint: None,
        source: Box::new(move |snapshot| {
            snapshot.report.circuits.get(index).map_or_else(|| Said::nothing(StatusCode::BadNoData), &of)
        }),
    }
}

type Add<'a> = &'a mut dyn FnMut(&str, (&str, &str), Kind, Of);

fn setpoint(add: Add) {
    let water = || Kind::Analog(CELSIUS, WATER);
    add("Setpoint.Supply", ("供水温度设定", "the supply setpoint in force"), water(), |c| {
        Said::good(c.setpoint.value.0)
    });
    add("Setpoint.Curve", ("曲线供水温度", "what the curve alone asks for"), water(), |c| {
        Said::good(c.setpoint.base.0)
    });
    add("Setpoint.HeldBy", ("设定受限于", "what holds it away from the wish; empty: nothing"), texts(), |c| {
        Said::good(c.setpoint.held_by.map_or("", |because| because.name()))
    });
    add(
        "Setpoint.RoomTarget",
        ("室温目标", "the room temperature that is aimed at"),
        Kind::Analog(CELSIUS, ROOM),
        |c| Said::good(c.room_target.0),
    );
    let pressure = Kind::Analog(KILOPASCALS, PRESSURE);
    add("Setpoint.Pressure", ("定压设定", "the wanted pressure at the holding point"), pressure, |c| {
        c.pressure_setpoint.map_or_else(
            || Said::nothing(StatusCode::BadNotConnected),
            |pressure| Said::good(displayed(Unit::Pascals, pressure.number())),
        )
    });
}

fn texts() -> Kind {
    Kind::Plain(DataTypeId::String)
}

fn operation(add: Add) {
    add("Operation.Mode", ("运行方式", "automatic or stopped, as asked"), texts(), |c| {
        Said::good(mode_name(c.mode))
    });
    add("Operation.Reason", ("运行原因", "why the circuit does what it does"), texts(), |c| {
        Said::good(c.operation.name())
    });
    let number = Kind::Plain(DataTypeId::Byte);
    add("Operation.ReasonNumber", ("运行原因代码", "the same as a number"), number, |c| {
        Said::good(c.operation.number())
    });
    let words = Kind::Plain(DataTypeId::LocalizedText);
    add("Operation.ReasonText", ("运行原因说明", "the same in words"), words, |c| {
        let (chinese, english) = c.operation.texts();
        Said::good(text(chinese, english))
    });
    add("Operation.Stage", ("运行阶段", "where the sequence stands"), texts(), |c| Said::good(c.stage.name()));
    add("Operation.ValveReason", ("电动阀原因", "what decided the valve's command"), texts(), |c| {
        Said::good(valve_reason_name(c.valve_reason))
    });
    add("Operation.PumpReason", ("循环泵原因", "what decided the pumps' commands"), texts(), |c| {
        Said::good(pump_reason_name(c.pump_reason))
    });
    add("Operation.Circulating", ("循环证实", "whether circulation is proven"), Kind::Switch, |c| {
        Said::maybe(c.circulating)
    });
    add("Operation.Trips", ("动作的联锁", "how many interlocks hold"), Kind::Plain(DataTypeId::UInt32), |c| {
        Said::good(u32::try_from(c.trips.len()).unwrap_or(u32::MAX))
    });
    add("Operation.Outage", ("停热", "whether an outage lasts"), Kind::Switch, |c| Said::good(c.outage.is_some()));
    let lasting = Kind::Analog(SECONDS, LASTING);
    add("Operation.OutageLasts", ("停热时长", "how long it lasts"), lasting, |c| {
        Said::good(c.outage.map_or(0.0, |(_, lasts)| lasts.as_secs_f64()))
    });
    add(
        "Operation.InHand",
        ("手动剩余时间", "how long something is in hand still"),
        Kind::Analog(SECONDS, LASTING),
        |c| Said::good(c.in_hand.unwrap_or(Duration::ZERO).as_secs_f64()),
    );
}

/// The nodes that may be written. Each shows what is in force now of what its users are heard as.
fn wishes(board: &mut Board, facts: &Facts, index: CircuitIndex, name: &str, origin: Origin) {
    for aspect in Aspect::ALL {
        let setpoint = Setpoint { circuit: index, aspect };
        let Some((low, high)) = setpoint.bounds(&facts.settings) else { continue };
        let unit = match aspect {
            Aspect::SupplyShift | Aspect::CurveLevel | Aspect::RoomShift => KELVINS,
            Aspect::CurveSlope => ONE,
            Aspect::LoadShed => PERCENT,
        };
        let of = move |circuit: &CircuitReport| {
            let correction = correction_of(circuit, origin);
            match aspect {
                Aspect::SupplyShift => Said::good(circuit.shift.map_or(0.0, |(by, _)| by.0)),
                Aspect::CurveLevel => Said::good(correction.curve.level.0),
                Aspect::CurveSlope => Said::good(correction.curve.slope.0),
                Aspect::RoomShift => Said::good(correction.room.0),
                Aspect::LoadShed => match circuit.load_shed.by {
                    None => Said::good(0.0),
                    Some(ShedBy::Share(share)) => Said::good(displayed(Unit::Ratio, share.0)),
                    // Kelvins are no share; the contribution of the shed shows them.
                    Some(ShedBy::Supply(_)) => Said::nothing(StatusCode::BadNoData),
                },
            }
        };
        let path = format!("Wish.{}", aspect.name());
        let kind = Kind::Analog(unit, Range { low, high });
        let row = row(board, name, &path, aspect.texts(), kind, of, index);
        board.rows.push(Row { setpoint: Some(setpoint), ..row });
    }
    let left = Kind::Analog(MINUTES, Range { low: 0.0, high: 1440.0 });
    let minutes = |c: &CircuitReport| Said::good(c.shift.map_or(0.0, |(_, left)| left.as_secs_f64() / 60.0));
    let words = ("供水温度平移剩余时间", "how long the shift of the supply lives still");
    board.rows.push(row(board, name, "Wish.SupplyShiftLeft", words, left, minutes, index));
}
