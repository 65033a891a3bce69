//! `indicators`: service indicators of a season under a named standard, from the records.

use std::path::{Path, PathBuf};

use heatstation_core::accident_rate::{AccidentRate, NoRate, Status, accident_rate};
use heatstation_core::moment::UtcMillis;
use heatstation_core::profile::Profile;
use jiff::Timestamp;
use serde::Serialize;

use super::{Failure, Outcome, say, say_json};
use crate::records::{open_records, read_book};

/// How the indicators are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// One indicator.
#[derive(Clone, Debug, Serialize)]
pub struct Indicator {
    /// Its name.
    pub indicator: &'static str,
    /// The standard.
    pub profile: String,
    /// The clause of the formula.
    pub clause: String,
    /// The exact numerator, m²·h × 360 000 000 (hundredths of m² × milliseconds).
    pub numerator: u128,
    /// The exact denominator in the same unit.
    pub denominator: u128,
    /// The value for display, in ‰ with three decimals, rounded half up.
    pub value_per_mille: String,
    /// The value on the season so far; none before it begins.
    pub to_date_per_mille: Option<String>,
    /// The target in words; none where the document sets none.
    pub target: Option<String>,
    /// Against the target.
    pub status: Status,
    /// Outages that count, and all.
    pub outages_counted: usize,
    /// All outages of the season.
    pub outages: usize,
    /// m²·h by cause.
    pub square_meter_hours_by_cause: Vec<(String, f64)>,
    /// Share of area × time so far that nobody observed.
    pub unobserved_ratio: f64,
}

/// Computes and prints.
///
/// # Errors
/// A bad configuration, an unknown standard, or records that cannot be read.
pub fn run(path: &Path, data: Option<PathBuf>, profile: Option<&str>, format: Format) -> Outcome {
    let station = super::load(path)?;
    let profile = match profile {
        None => station.settings.profile.clone(),
        Some(id) => heatstation_config::standard(id, path.parent())?.profile(),
    };
    let folder = data.unwrap_or_else(|| station.daemon.data_folder.clone());
    let reader = open_records(&folder, Some(&station.settings.station)).map_err(Failure::Usage)?;
    let (book, foreign) = read_book(&reader).map_err(anyhow::Error::from)?;
    if let Some(foreign) = foreign {
        return Err(Failure::Running(foreign.into()));
    }
    let now = UtcMillis(Timestamp::now().as_millisecond());
    // Records of a demonstration lie ahead of the clock: nothing that is recorded may count as not yet been.
    let last = reader.last().map_err(anyhow::Error::from)?.map(|record| UtcMillis(record.stamp.wall_milliseconds));
    let now = last.map_or(now, |last| now.max(last));
    let settings = &station.settings;
    let rate = accident_rate(&profile.accident_rate, &book, settings.heated_area, settings.season, now)
        .map_err(|why| Failure::Usage(no_rate(why)))?;
    let row = indicator(&profile, &rate);
    match format {
        Format::Json => say_json(&vec![row]),
        Format::Csv => csv(&row),
        Format::Table => say(&table(&station.name, &row)),
    }
}

fn no_rate(why: NoRate) -> String {
    match why {
        NoRate::NoArea => "there is no rate without a heated area; set heated_area_m2",
        NoRate::NoSeason => "there is no rate without a season; set first_day and last_day",
    }
    .to_owned()
}

fn indicator(profile: &Profile, rate: &AccidentRate) -> Indicator {
    let hours = |amount: heatstation_core::accident_rate::AreaTime| amount.square_meter_seconds() / 3600.0;
    Indicator {
        indicator: "operation_accident_rate",
        profile: profile.id.clone(),
        clause: profile.accident_rate.clause.clone(),
        numerator: rate.counted.0,
        denominator: rate.season.0,
        value_per_mille: rate.per_mille(),
        to_date_per_mille: rate.ratio_to_date().map(|ratio| format!("{:.3}", ratio * 1000.0)),
        target: profile
            .accident_rate
            .target
            .as_ref()
            .map(|target| format!("<= {}/{} ({})", target.value.numerator, target.value.denominator, target.clause)),
        status: rate.status,
        outages_counted: rate.outages_counted,
        outages: rate.outages,
        square_meter_hours_by_cause: rate.by_cause.iter().map(|(c, a)| (c.name().to_owned(), hours(*a))).collect(),
        unobserved_ratio: rate.unobserved.0 as f64 / rate.to_date.0.max(1) as f64,
    }
}

fn csv(row: &Indicator) -> Outcome {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let status = serde_json::to_value(row.status).map_err(anyhow::Error::from)?;
    let heading = [
        "indicator",
        "profile",
        "clause",
        "numerator",
        "denominator",
        "value_per_mille",
        "to_date_per_mille",
        "target",
        "status",
        "outages_counted",
        "outages",
        "unobserved_ratio",
    ];
    writer.write_record(heading).map_err(anyhow::Error::from)?;
    writer
        .write_record([
            row.indicator,
            &row.profile,
            &row.clause,
            &row.numerator.to_string(),
            &row.denominator.to_string(),
            &row.value_per_mille,
            row.to_date_per_mille.as_deref().unwrap_or(""),
            row.target.as_deref().unwrap_or(""),
            status.as_str().unwrap_or(""),
            &row.outages_counted.to_string(),
            &row.outages.to_string(),
            &row.unobserved_ratio.to_string(),
        ])
        .map_err(anyhow::Error::from)?;
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
    say(&String::from_utf8_lossy(&bytes))
}

fn table(station: &str, row: &Indicator) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let status = match row.status {
        Status::Met => "met",
        Status::NotMet => "not met",
        Status::ReportOnly => "report only: the document sets no target",
        Status::Pending => "pending: judged at the end of the season",
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{station}, standard {}\n", row.profile);
    let _ = writeln!(text, "operation accident rate (运行事故率), clause {}", row.clause);
    let _ = writeln!(text, "  season          {} ‰", row.value_per_mille);
    let _ = writeln!(text, "  to date         {} ‰", row.to_date_per_mille.as_deref().unwrap_or("-"));
    let _ = writeln!(text, "  target          {}", row.target.as_deref().unwrap_or("none"));
    let _ = writeln!(text, "  status          {status}");
    let _ = writeln!(text, "  outages         {} of {} count", row.outages_counted, row.outages);
    for (cause, hours) in &row.square_meter_hours_by_cause {
        let _ = writeln!(text, "    {cause:20} {hours:.1} m²·h");
    }
    let _ = writeln!(text, "  unobserved      {:.3} % of the season so far", row.unobserved_ratio * 100.0);
    text
}
