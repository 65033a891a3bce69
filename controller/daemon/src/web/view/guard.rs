//! Who has the devices, and which sensors are believed, as JSON.

use heatstation_core::authority::Held;
use heatstation_core::report::CircuitReport;
use serde::Serialize;

use super::pair;
use crate::web::words::{self, Text, Word};

#[derive(Serialize)]
pub(super) struct HeldView {
    device: Word,
    authority: Word,
    /// Where the wish came from; `null` for local.
    origin: Option<Text>,
    /// Who asked; `null` where nobody is known.
    author: Option<String>,
    /// `null` for what has no end by itself.
    left_seconds: Option<f64>,
}

pub(super) fn held(circuit: &CircuitReport) -> Vec<HeldView> {
    let view = |held: &Held| HeldView {
        device: words::device(held.device),
        authority: Word::new(held.authority.name(), held.authority.texts()),
        origin: held.origin.map(|origin| pair(words::origin_texts(origin))),
        author: held.author.as_ref().map(ToString::to_string),
        left_seconds: held.left.map(|left| left.as_secs_f64()),
    };
    circuit.held.iter().map(view).collect()
}

#[derive(Serialize)]
pub(super) struct SourceView {
    quantity: Word,
    source: Word,
}

pub(super) fn sources(circuit: &CircuitReport) -> Vec<SourceView> {
    let view =
        |(quantity, source): (heatstation_core::sources::Quantity, heatstation_core::sources::Source)| SourceView {
            quantity: Word::new(quantity.name(), quantity.texts()),
            source: Word::new(source.name(), source.texts()),
        };
    circuit.sources.all().map(view).collect()
}

#[derive(Serialize)]
pub(super) struct DoubtView {
    sensor: Word,
    finding: Word,
}

pub(super) fn doubted(circuit: &CircuitReport) -> Vec<DoubtView> {
    let all = circuit.doubted.all();
    all.map(|(sensor, finding)| DoubtView {
        sensor: Word::new(sensor.name(), sensor.texts()),
        finding: Word::new(finding.name(), finding.texts()),
    })
    .collect()
}
