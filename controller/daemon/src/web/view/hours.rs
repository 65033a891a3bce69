//! The hours of a circuit in the snapshot: programme, set-back, what is shed, what is corrected.

use std::time::Duration;

use heatstation_core::correction::Correction;
use heatstation_core::load_shed::ShedBy;
use heatstation_core::report::CircuitReport;
use heatstation_points::Celsius;
use serde::Serialize;

use crate::web::words::Word;

/// Where the circuit stands in its day.
#[derive(Serialize)]
pub(super) struct HoursView {
    /// °C, room trim left out.
    room_target: f64,
    programme: Word,
    phase: Word,
    ahead: Word,
    /// Why nothing is set back.
    withheld: Option<Word>,
    next: Option<NextView>,
    start_lead_seconds: Option<f64>,
    recovery_kelvins_per_hour: Option<f64>,
    /// What is shed, and why the last shed ended.
    load_shed: LoadShedView,
    /// The operator's correction of the curve.
    operator: Option<CorrectionView>,
    /// The one from elsewhere.
    remote: Option<CorrectionView>,
}

/// The next change of the programme.
#[derive(Serialize)]
struct NextView {
    room_target: f64,
    after_seconds: f64,
}

#[derive(Serialize)]
struct LoadShedView {
    share: Option<f64>,
    supply_kelvins: Option<f64>,
    left_seconds: f64,
    today_seconds: f64,
    last_end: Option<Word>,
}

#[derive(Serialize)]
struct CorrectionView {
    level_kelvins: f64,
    slope: f64,
    room_kelvins: f64,
    /// `null` stands until it is taken back.
    left_seconds: Option<f64>,
}

impl CorrectionView {
    fn of(correction: &Correction, left: Option<Duration>) -> CorrectionView {
        CorrectionView {
            level_kelvins: correction.curve.level.0,
            slope: correction.curve.slope.0,
            room_kelvins: correction.room.0,
            left_seconds: left.map(|left| left.as_secs_f64()),
        }
    }
}

pub(super) fn hours(circuit: &CircuitReport, room_target: Celsius) -> HoursView {
    let (times, shed) = (&circuit.times, &circuit.load_shed);
    let (share, supply_kelvins) = match shed.by {
        Some(ShedBy::Share(share)) => (Some(share.0), None),
        Some(ShedBy::Supply(by)) => (None, Some(by.0)),
        None => (None, None),
    };
    let next = times
        .look
        .next
        .map(|next| NextView { room_target: (room_target + next.to).0, after_seconds: next.after.as_secs_f64() });
    HoursView {
        room_target: circuit.room_target.0,
        programme: Word::new(times.look.by.name(), times.look.by.texts()),
        phase: Word::new(times.phase.name(), times.phase.texts()),
        ahead: Word::new(times.ahead.name(), times.ahead.texts()),
        withheld: times.withheld.map(|why| Word::new(why.name(), why.texts())),
        next,
        start_lead_seconds: times.start_lead.map(|lead| lead.as_secs_f64()),
        recovery_kelvins_per_hour: times.recovery_per_hour.map(|slope| slope.0),
        load_shed: LoadShedView {
            share,
            supply_kelvins,
            left_seconds: shed.left.as_secs_f64(),
            today_seconds: shed.today.as_secs_f64(),
            last_end: shed.last_end.map(|why| Word::new(why.name(), why.texts())),
        },
        operator: circuit.corrections.operator.map(|(asked, left)| CorrectionView::of(&asked, left)),
        remote: circuit.corrections.remote.map(|asked| CorrectionView::of(&asked.correction, Some(asked.left))),
    }
}
