//! `check`, `explain`, `points`, `schema`, `import-csv`: what a configuration says, without touching a device.

use std::path::Path;

use super::{Failure, Outcome, say, say_json};

/// Every problem at once, or "sound".
///
/// # Errors
/// Exit code 2 if the configuration is not sound.
pub fn check(path: &Path, json: bool) -> Outcome {
    match heatstation_config::load(path) {
        Ok(station) if json => say_json(&serde_json::json!({ "sound": true, "problems": station.warnings.to_json() })),
        Ok(station) => {
            if !station.warnings.is_empty() {
                say(&format!("{}\n", station.warnings))?;
            }
            let points = station.homes.len();
            let circuits = station.settings.circuits.len();
            let word = if circuits == 1 { "circuit" } else { "circuits" };
            say(&format!(
                "{}: sound. {} ({}), {circuits} {word}, {points} points mapped, standard {}.\n",
                path.display(),
                station.name,
                station.settings.station,
                station.settings.profile.id
            ))
        }
        Err(problems) if json => {
            say_json(&serde_json::json!({ "sound": false, "problems": problems.to_json() }))?;
            Err(Failure::Silent(2))
        }
        Err(problems) => Err(Failure::Configuration(problems)),
    }
}

/// What every setting became and from where.
///
/// # Errors
/// If the configuration is not sound.
pub fn explain(path: &Path, json: bool) -> Outcome {
    let station = super::load(path)?;
    if json { say_json(&station.sources) } else { say(&heatstation_config::explain::text(&station.sources)) }
}

/// The station's points.
///
/// # Errors
/// If the configuration is not sound.
pub fn points(path: &Path, json: bool) -> Outcome {
    let station = super::load(path)?;
    let rows = station.points();
    if json { say_json(&rows) } else { say(&heatstation_config::points::text(&rows)) }
}

/// A kind of file that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FileKind {
    /// A station.
    Station,
    /// A scenario for the simulated plant.
    Scenario,
    /// A register map.
    Device,
    /// A service standard.
    Standard,
}

/// The JSON Schema of a kind of file.
///
/// # Errors
/// If stdout takes no more.
pub fn schema(of: FileKind) -> Outcome {
    use heatstation_config::schema;
    say_json(&match of {
        FileKind::Station => schema::station(),
        FileKind::Scenario => schema::scenario(),
        FileKind::Device => schema::template(),
        FileKind::Standard => schema::standard(),
    })
}

/// How a register list counts its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AddressBase {
    /// As on the wire: the first is 0.
    Zero,
    /// Register numbers: the first is 1.
    One,
    /// 40001 is the first holding register, 30001 the first input register, and so on.
    Modicon,
}

/// The draft of a device template from a maker's register list.
///
/// # Errors
/// Every row of the list that cannot be read.
pub fn import_csv(list: &Path, base: AddressBase) -> Outcome {
    use heatstation_config::import;
    let base = match base {
        AddressBase::Zero => import::AddressBase::Zero,
        AddressBase::One => import::AddressBase::One,
        AddressBase::Modicon => import::AddressBase::Modicon,
    };
    let draft = import::load(list, base)?;
    say(&draft.template)
}
