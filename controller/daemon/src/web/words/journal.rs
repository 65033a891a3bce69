//! A record of the journal as a sentence.

use std::time::Duration;

use heatstation_core::alarm::AlarmKey;
use heatstation_core::authority::Device;
use heatstation_core::circulation::{ChangeReason, PumpFailure};
use heatstation_core::event::Event;
use heatstation_core::load_shed::ShedBy;
use heatstation_core::outage::Cause;
use heatstation_core::request::{Origin, Refusal, Request, Wish};
use heatstation_points::{Catalogue, PumpIndex};

use super::{Text, cause, circuit_name, mode, outdoor_source, place, room_name, valve};
use crate::records::Deed;

/// What a record says. One that cannot be understood shows its kind; its body is shown beside it anyway.
pub(in crate::web) fn describe(kind: &str, body: &str, catalogue: Option<&Catalogue>) -> Text {
    if let Ok(event) = serde_json::from_str::<Event>(body) {
        return of_event(&event, catalogue);
    }
    if let Ok(deed) = serde_json::from_str::<Deed>(body) {
        return of_deed(&deed);
    }
    Text::new(kind, kind)
}

fn of_deed(deed: &Deed) -> Text {
    match deed {
        Deed::ProgramStarted { version, .. } => {
            Text::new(format!("程序启动, 版本 {version}"), format!("program started, version {version}"))
        }
        Deed::ProgramStopped { reason } => {
            Text::new(format!("程序停止: {reason}"), format!("program stopped: {reason}"))
        }
        Deed::ConfigurationLoaded { .. } => Text::new("配置生效", "configuration in force"),
        Deed::ConfigurationRejected { .. } => Text::new("配置被拒绝", "changed configuration refused"),
        Deed::AskedFromOutside { author, what, before, wanted, answer, .. } => {
            let change = if before.is_empty() { wanted.clone() } else { format!("{before} → {wanted}") };
            Text::new(
                format!("{author} 远程写入 {what}: {change} ({answer})"),
                format!("{author} asked for {what}: {change} ({answer})"),
            )
        }
    }
}

fn of_event(event: &Event, catalogue: Option<&Catalogue>) -> Text {
    let name = |circuit| circuit_name(catalogue, circuit);
    match event {
        Event::OutageOpened { outage, suggested, .. } => outage_opened(&name(outage.circuit), *suggested),
        Event::OutageClosed { outage, lasted, .. } => {
            let at = name(outage.circuit);
            Text::new(
                format!("{at}: 停热结束, 历时 {}", minutes(*lasted).zh),
                format!("{at}: outage ended after {}", minutes(*lasted).en),
            )
        }
        Event::OutageCauseConfirmed { outage, cause, author, .. } => {
            cause_confirmed(&name(outage.circuit), *cause, author)
        }
        Event::Unobserved { circuit, lasted, .. } => {
            let at = name(*circuit);
            Text::new(
                format!("{at}: {} 无法判断是否供热", minutes(*lasted).zh),
                format!("{at}: nobody could tell for {} whether heat arrived", minutes(*lasted).en),
            )
        }
        Event::AlarmRaised { alarm } => alarm_text(*alarm, catalogue, ("报警", "alarm")),
        Event::AlarmCleared { alarm } => alarm_text(*alarm, catalogue, ("报警解除", "alarm over")),
        Event::AlarmAcknowledged { alarm, author } => {
            let text = alarm_text(*alarm, catalogue, ("报警确认", "alarm acknowledged"));
            Text::new(format!("{} ({author})", text.zh), format!("{} ({author})", text.en))
        }
        Event::Tripped { circuit, trip } => {
            let (zh, en) = trip.texts();
            of_circuit(&name(*circuit), (&format!("联锁动作 {zh}"), &format!("interlock took over: {en}")))
        }
        Event::TripEnded { circuit, trip } => {
            let (zh, en) = trip.texts();
            of_circuit(&name(*circuit), (&format!("联锁解除 {zh}"), &format!("interlock let go: {en}")))
        }
        Event::StageChanged { circuit, from, to } => {
            let (at, from, to) = (name(*circuit), from.texts(), to.texts());
            Text::new(format!("{at}: {} → {}", from.0, to.0), format!("{at}: {} → {}", from.1, to.1))
        }
        Event::PumpStarted { circuit, pump } => {
            let (at, plate) = (name(*circuit), pump.0 + 1);
            Text::new(format!("{at}: {plate}#循环泵启动"), format!("{at}: circulation pump {plate} started"))
        }
        Event::PumpFailed { circuit, pump, failure } => {
            let (plate, (zh, en)) = (pump.0 + 1, failure.map_or(("", ""), failure_text));
            let text = (&*format!("{plate}#循环泵故障{zh}"), &*format!("circulation pump {plate} failed{en}"));
            of_circuit(&name(*circuit), text)
        }
        Event::DutyChanged { circuit, from, to, because } => duty_changed(&name(*circuit), (*from, *to), *because),
        Event::OutdoorSourceChanged { from, to } => {
            let (from, to) = (outdoor_source(*from).text, outdoor_source(*to).text);
            Text::new(
                format!("室外温度来源: {} → {}", from.zh, to.zh),
                format!("outdoor temperature: {} → {}", from.en, to.en),
            )
        }
        Event::RoomSensorJudged { circuit, room, verdict } => {
            let (at, (zh, en)) = (name(*circuit), verdict.texts());
            let sensor = room_name(catalogue, *circuit, *room);
            Text::new(format!("{at}: 室温测点 {sensor} {zh}"), format!("{at}: room sensor {sensor}: {en}"))
        }
        Event::HeatingTimeChanged { from, to } => {
            let (from, to) = (from.texts(), to.texts());
            Text::new(format!("供热期: {} → {}", from.0, to.0), format!("season: {} → {}", from.1, to.1))
        }
        Event::ValveCareChanged { circuit, to, .. } => valve::care(&name(*circuit), *to),
        Event::ValveTested { circuit, outcome } => valve::tested(&name(*circuit), *outcome),
        Event::LoopTuned { circuit, step } => valve::tuned(&name(*circuit), step),
        Event::EcoChanged { circuit, to } => eco_changed(&name(*circuit), to.texts()),
        Event::RequestGranted { request } => granted(request, catalogue),
        Event::RequestRefused { request, refusal } => refused(request, *refusal, catalogue),
        Event::HandExpired { circuit, device } => expired(&name(*circuit), *device),
        Event::RemoteFellSilent { circuit, origin } => {
            let (zh, en) = super::origin_texts(*origin);
            of_circuit(
                &name(*circuit),
                (&format!("{zh}通讯中断, 恢复自主运行"), &format!("{en} fell silent, on its own again")),
            )
        }
        Event::Restarting { circuit, restart } => {
            let (zh, en) = restart.texts();
            of_circuit(&name(*circuit), (&format!("来电, {zh}"), &format!("power is back, {en}")))
        }
        Event::Reached { circuit } => {
            of_circuit(&name(*circuit), ("达到设定温度, 正常供热", "setpoint reached, running"))
        }
        Event::LoadShedEnded { circuit, why } => {
            let (zh, en) = why.texts();
            of_circuit(&name(*circuit), (&format!("负荷削减结束, {zh}"), &format!("load shed ended: {en}")))
        }
    }
}

fn duty_changed(at: &str, (from, to): (PumpIndex, PumpIndex), because: ChangeReason) -> Text {
    let (from, to) = (from.0 + 1, to.0 + 1);
    let (zh, en) = match because {
        ChangeReason::Hours => ("按运行时间", "by its hours"),
        ChangeReason::TimeOfWeek => ("按周定时", "by the time of the week"),
    };
    Text::new(
        format!("{at}: {from}#循环泵换为{to}# ({zh})"),
        format!("{at}: duty went from circulation pump {from} to {to} {en}"),
    )
}

fn eco_changed(at: &str, to: (&str, &str)) -> Text {
    Text::new(format!("{at}: 停暖温度: {}", to.0), format!("{at}: heating limit: {}", to.1))
}

fn outage_opened(at: &str, suggested: Cause) -> Text {
    let suggested = cause(suggested).text;
    Text::new(
        format!("{at}: 停热开始, 初判 {}", suggested.zh),
        format!("{at}: outage began, suggested cause: {}", suggested.en),
    )
}

fn cause_confirmed(at: &str, confirmed: Cause, author: &str) -> Text {
    let confirmed = cause(confirmed).text;
    Text::new(
        format!("{at}: {author} 确认停热原因 {}", confirmed.zh),
        format!("{at}: {author} confirmed the cause: {}", confirmed.en),
    )
}

fn granted(request: &Request, catalogue: Option<&Catalogue>) -> Text {
    let (by, what) = (&request.author, wish(request, catalogue));
    Text::new(format!("{by} 请求已接受: {}", what.zh), format!("request of {by} granted: {}", what.en))
}

fn refused(request: &Request, refusal: Refusal, catalogue: Option<&Catalogue>) -> Text {
    let (by, what, why) = (&request.author, wish(request, catalogue), refusal_text(refusal));
    Text::new(
        format!("{by} 请求被拒绝: {} ({})", what.zh, why.0),
        format!("request of {by} refused: {} ({})", what.en, why.1),
    )
}

const fn failure_text(failure: PumpFailure) -> (&'static str, &'static str) {
    match failure {
        PumpFailure::Fault => (" (变频器故障)", ": its drive reports a fault"),
        PumpFailure::NoFeedback => (" (无运行反馈)", ": it is not seen to run"),
        PumpFailure::NoWater => (" (空转)", ": it turns and no water moves"),
    }
}

fn of_circuit(at: &str, (zh, en): (&str, &str)) -> Text {
    Text::new(format!("{at}: {zh}"), format!("{at}: {en}"))
}

fn expired(at: &str, device: Option<Device>) -> Text {
    let of = device.map_or_else(|| Text::new("", ""), |device| super::device(device).text);
    Text::new(
        format!("{at} {}: 手动或检修到期, 恢复自动", of.zh),
        format!("{at}, {}: its time in hand or in maintenance is up, automatic again", of.en),
    )
}

fn alarm_text(key: AlarmKey, catalogue: Option<&Catalogue>, (zh, en): (&str, &str)) -> Text {
    let (at, texts, priority) = (place(catalogue, key.place), key.alarm.texts(), key.alarm.priority().name());
    Text::new(format!("{zh} {priority}: {} ({})", texts.0, at.zh), format!("{en} {priority}: {} ({})", texts.1, at.en))
}

fn wish(request: &Request, catalogue: Option<&Catalogue>) -> Text {
    let name = |circuit| circuit_name(catalogue, circuit);
    let from = match request.origin {
        Origin::Operator => ("", ""),
        Origin::Service => ("程序 ", "by a program, "),
        Origin::Dispatch => ("调度 ", "by dispatch, "),
    };
    let what = match &request.wish {
        Wish::SetMode { circuit, mode: wanted } => {
            let wanted = mode(*wanted).text;
            Text::new(format!("{} {}", name(*circuit), wanted.zh), format!("{} {}", name(*circuit), wanted.en))
        }
        Wish::ShiftSupply { circuit, by, .. } => {
            let at = name(*circuit);
            Text::new(format!("{at} 供水偏移 {:+.1} K", by.0), format!("{at} supply shifted by {:+.1} K", by.0))
        }
        Wish::CorrectCurve { circuit, correction, lasts } => {
            let at = name(*circuit);
            let (level, slope, room) = (correction.curve.level.0, correction.curve.slope.0, correction.room.0);
            let stands = if lasts.is_none() { (", 长期", ", until it is taken back") } else { ("", "") };
            Text::new(
                format!("{at} 曲线修正: 平移 {level:+.1} K, 斜率 ×{slope:.2}, 室温 {room:+.1} K{}", stands.0),
                format!("{at} curve corrected: level {level:+.1} K, slope ×{slope:.2}, room {room:+.1} K{}", stands.1),
            )
        }
        Wish::ShedLoad { circuit, by, lasts, .. } => {
            let (at, time) = (name(*circuit), minutes(*lasts));
            let (zh, en) = match by {
                ShedBy::Share(share) => {
                    (format!("{:.0} %", share.0 * 100.0), format!("{:.0} % of the heat", share.0 * 100.0))
                }
                ShedBy::Supply(kelvins) => (format!("{:.1} K", kelvins.0), format!("{:.1} K of supply", kelvins.0)),
            };
            Text::new(format!("{at} 削减负荷 {zh}, {}", time.zh), format!("{at} shed {en} for {}", time.en))
        }
        Wish::TakeInHand { circuit, hand, .. } => {
            let (at, of) = (name(*circuit), super::device(hand.device()).text);
            Text::new(format!("{at} {} 手动", of.zh), format!("{at}: {} in hand", of.en))
        }
        Wish::TakeForMaintenance { circuit, device: of, lasts } => {
            let (at, of) = (name(*circuit), super::device(*of).text);
            if lasts.is_zero() {
                Text::new(format!("{at} {} 检修结束", of.zh), format!("{at}: work on {} ended", of.en))
            } else {
                Text::new(format!("{at} {} 检修", of.zh), format!("{at}: work on {}", of.en))
            }
        }
        Wish::StartSeason { circuit } => Text::new(
            format!("{} 下次启动先保压排气", name(*circuit)),
            format!("{}: prove pressure and vent at the next start", name(*circuit)),
        ),
        Wish::StayConnected => Text::new("保持连接", "sign of life"),
        Wish::ReturnToAutomatic { circuit } => {
            Text::new(format!("{} 恢复自动", name(*circuit)), format!("{} back to automatic", name(*circuit)))
        }
        Wish::AutoTune { circuit, order } => {
            let (at, order) = (name(*circuit), valve::tune_order(*order));
            Text::new(format!("{at} {}", order.0), format!("{at} {}", order.1))
        }
        Wish::ResetTrips { circuit } => {
            Text::new(format!("{} 联锁复位", name(*circuit)), format!("{} interlocks reset", name(*circuit)))
        }
        Wish::Acknowledge { alarm } => alarm_text(*alarm, catalogue, ("确认", "acknowledge")),
        Wish::ConfirmCause { cause: wanted, .. } => {
            let wanted = cause(*wanted).text;
            Text::new(format!("确认原因 {}", wanted.zh), format!("cause: {}", wanted.en))
        }
    };
    Text::new(format!("{}{}", from.0, what.zh), format!("{}{}", from.1, what.en))
}

const fn refusal_text(refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::NoSuchThing => ("没有该对象", "no such thing"),
        Refusal::OutOfRange => ("超出范围", "out of range"),
        Refusal::TooLong => ("时限过长", "too long"),
        Refusal::TooOften => ("过于频繁", "too often"),
        Refusal::StillTripped => ("联锁原因仍在", "its cause still holds"),
        Refusal::NotFromThere => ("仅限现场人员", "only from the station"),
        Refusal::InMaintenance => ("设备检修中", "somebody works on it"),
        Refusal::SwitchedOff => ("本站未启用", "the station takes no part in it"),
        Refusal::RoomsCold => ("室温过低", "the coldest rooms are too cold"),
        Refusal::QuotaUsed => ("当日额度已用完", "what may be asked in a day is used up"),
    }
}

fn minutes(duration: Duration) -> Text {
    let minutes = duration.as_secs() / 60;
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (hours, minutes) {
        (0, 0) => Text::new(format!("{} 秒", duration.as_secs()), format!("{} s", duration.as_secs())),
        (0, _) => Text::new(format!("{minutes} 分钟"), format!("{minutes} min")),
        _ => Text::new(format!("{hours} 小时 {rest} 分钟"), format!("{hours} h {rest} min")),
    }
}
