//! The pumps in the snapshot.

use heatstation_core::circulation::{CirculationReport, PumpFailure, PumpState};
use serde::Serialize;

use crate::web::words::Word;

/// How the speed is found, and how each pump stands.
#[derive(Serialize)]
pub(super) struct CirculationView {
    speed: f64,
    speed_reason: Word,
    /// The pressure held in the secondary supply, with that mode.
    supply_pressure_setpoint: Option<f64>,
    spread_setpoint: Option<f64>,
    flow_setpoint: Option<f64>,
    load: Option<f64>,
    far_buildings_heard: usize,
    far_buildings_asking: usize,
    pumps: Vec<PumpView>,
}

/// How a pump stands, and what it has done.
#[derive(Serialize)]
struct PumpView {
    state: Word,
    run_seconds: f64,
    starts: u64,
    energy_joules: f64,
}

pub(super) fn circulation(report: &CirculationReport, pumps: usize) -> CirculationView {
    let speed = &report.speed;
    CirculationView {
        speed: speed.now.0,
        speed_reason: Word::new(speed.reason.name(), speed.reason.texts()),
        supply_pressure_setpoint: speed.supply_pressure_setpoint.map(|pressure| pressure.0),
        spread_setpoint: speed.spread_setpoint.map(|spread| spread.0),
        flow_setpoint: speed.flow_setpoint.map(|share| share.0),
        load: speed.load.map(|share| share.0),
        far_buildings_heard: speed.far.heard,
        far_buildings_asking: speed.far.asking,
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

fn pump_state(state: PumpState) -> Word {
    let texts = match state {
        PumpState::Standby => ("备用", "standing by"),
        PumpState::Duty => ("运行", "on duty"),
        PumpState::Exercise => ("防卡死运转", "being turned"),
        PumpState::StartBarred => ("启动次数受限", "waits: too many starts"),
        PumpState::Resting(PumpFailure::Fault) => ("故障停泵", "rests after a fault"),
        PumpState::Resting(PumpFailure::NoFeedback) => ("无反馈停泵", "rests: it was not seen to run"),
        PumpState::Resting(PumpFailure::NoWater) => ("空转停泵", "rests: it moved no water"),
        PumpState::GivenUp => ("闭锁待检修", "waits for a person"),
    };
    Word::new(state.name(), texts)
}
