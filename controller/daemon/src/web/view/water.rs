//! Pressure holding in the snapshot.

use heatstation_core::circulation::PumpFailure;
use heatstation_core::leak::{LeakMethod, LeakReport};
use heatstation_core::make_up::{MakeUpPumpState, MakeUpReport};
use serde::Serialize;

use crate::web::words::Word;

/// How the pressure is held.
#[derive(Serialize)]
pub(super) struct MakeUpView {
    reason: Word,
    pressure_source: Word,
    tank_source: Word,
    today_cubic_meters: f64,
    pumps: Vec<PumpView>,
}

/// How a make-up pump stands, and what it has done.
#[derive(Serialize)]
struct PumpView {
    state: Word,
    run_seconds: f64,
    starts: u64,
    energy_joules: f64,
}

/// What the network loses. Flows in m³/s.
#[derive(Serialize)]
pub(super) struct LeakView {
    rate: Option<f64>,
    error: Option<f64>,
    per_day: Option<f64>,
    per_day_error: Option<f64>,
    night: Option<f64>,
    trend_cubic_meters: Option<f64>,
    method: Word,
    signs: Vec<Word>,
    burst: bool,
}

pub(super) fn make_up(report: &MakeUpReport, pumps: usize) -> MakeUpView {
    MakeUpView {
        reason: Word::new(report.reason.name(), report.reason.texts()),
        pressure_source: Word::new(report.pressure_source.name(), report.pressure_source.texts()),
        tank_source: Word::new(report.tank_source.name(), report.tank_source.texts()),
        today_cubic_meters: report.today,
        pumps: report
            .pumps
            .iter()
            .take(pumps)
            .map(|pump| PumpView {
                state: pump_state(pump.state),
                run_seconds: pump.count.run.as_secs_f64(),
                starts: pump.count.starts,
                energy_joules: pump.count.energy.0,
            })
            .collect(),
    }
}

pub(super) fn leak(report: &LeakReport) -> LeakView {
    LeakView {
        rate: report.rate.map(|(rate, _)| rate.0),
        error: report.rate.map(|(_, error)| error.0),
        per_day: report.per_day.map(|(share, _)| share.0),
        per_day_error: report.per_day.map(|(_, error)| error.0),
        night: report.night.map(|night| night.0),
        trend_cubic_meters: report.trend,
        method: match report.method {
            LeakMethod::Balance => Word::new("balance", ("水量平衡", "balance of the water")),
            LeakMethod::PressureDecay => {
                Word::new("pressure_decay", ("停运压降", "decay of the pressure in standstill"))
            }
        },
        signs: report.signs().map(|sign| Word::new(sign.name(), sign.texts())).collect(),
        burst: report.burst,
    }
}

fn pump_state(state: MakeUpPumpState) -> Word {
    let texts = match state {
        MakeUpPumpState::Standby => ("备用", "standing by"),
        MakeUpPumpState::Working => ("补水", "making up"),
        MakeUpPumpState::Failed(PumpFailure::Fault) => ("故障", "reports a fault"),
        MakeUpPumpState::Failed(PumpFailure::NoFeedback) => ("无反馈", "is not seen to run"),
        MakeUpPumpState::Failed(PumpFailure::NoWater) => ("空转", "gave no water"),
    };
    Word::new(state.name(), texts)
}
