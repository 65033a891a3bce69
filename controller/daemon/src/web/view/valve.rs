//! The valve and its loop in the snapshot.

use heatstation_core::valve_report::ValveReport;
use serde::Serialize;

use crate::web::words::{Text, Word, valve};

/// How the valve and its loop fare.
#[derive(Serialize)]
pub(super) struct ValveView {
    gain_factor: f64,
    process_gain_kelvins: Option<f64>,
    dead_band: f64,
    fed_forward: f64,
    exchanger_transfer: f64,
    reckoned: Option<f64>,
    care: Word,
    reversals_per_hour: f64,
    strokes_per_day: f64,
    play: Option<f64>,
    tested: Option<Text>,
    tuning: Word,
    tuning_periods: u8,
    tuning_points: usize,
    tuning_proposed: bool,
    tuning_ended: Option<Text>,
}

pub(super) fn valve(report: &ValveReport) -> ValveView {
    let (health, tuning) = (&report.health, &report.tuning);
    ValveView {
        gain_factor: report.gain_factor,
        process_gain_kelvins: report.process_gain.map(|gain| gain.0),
        dead_band: report.dead_band.0,
        fed_forward: report.fed_forward.0,
        exchanger_transfer: report.exchanger_transfer.0,
        reckoned: report.reckoned.map(|position| position.0),
        care: Word::new(health.rung.name(), health.rung.texts()),
        reversals_per_hour: health.reversals,
        strokes_per_day: health.strokes,
        play: health.play.map(|play| play.0),
        tested: health.tested.map(valve::outcome),
        tuning: Word::new(tuning.stage.name(), tuning.stage.texts()),
        tuning_periods: tuning.periods,
        tuning_points: tuning.points,
        tuning_proposed: tuning.proposal.is_some(),
        tuning_ended: tuning.ended.map(|why| {
            let (zh, en) = valve::tune_end(why);
            Text::new(zh, en)
        }),
    }
}
