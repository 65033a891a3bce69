//! What a service standard says: every number with its clause, `default` where the document is silent.
//!
//! Control needs little of it ([`Standard::profile`]); the rest is for reports, deadlines and whoever asks where a number
//! is from. The documents differ in meaning under equal names, so nothing is shared between their files.

use std::time::Duration;

use heatstation_core::outage::Cause;
use heatstation_core::profile::{AccidentRateRule, Clause, Fraction, Profile};
use heatstation_points::Celsius;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desk::{Desk, shown};
use crate::explain::From;
use crate::problem::Place;
use crate::raw::RawBuildingUse;
use crate::written::Written;

/// A value of a standard with the place where it stands in the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ruled<T> {
    /// The value.
    pub value: Written<T>,
    /// The clause; `default` where the document is silent and the value is ours.
    pub clause: String,
    /// What a reader has to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A share that is to be reached or not to be exceeded, exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuledFraction {
    /// Above and below the bar, as in `[2, 1000]`.
    pub value: Written<(u64, u64)>,
    /// The clause; `default` where the document is silent.
    pub clause: String,
    /// What a reader has to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A service standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "heatstation service standard")]
pub struct Standard {
    /// The short id, the name of its file.
    #[serde(skip)]
    pub id: String,
    /// Which document it is.
    pub document: Document,
    /// Room temperatures.
    pub room: RoomRules,
    /// The heating season.
    pub season: SeasonRules,
    /// What is to be done about outages.
    pub outage: OutageRules,
    /// How long repairs may take.
    pub repair: RepairRules,
    /// The operation accident rate (运行事故率).
    pub accident_rate: AccidentRules,
    /// Targets of the other indicators; left out where the document sets none.
    pub target: TargetRules,
    /// Answers to users.
    pub service: ServiceRules,
    /// Measuring by visit.
    pub measuring: MeasuringRules,
    /// Fixed room sensors (室温采集装置).
    pub sensors: SensorRules,
    /// How long records are kept.
    pub records: RecordRules,
}

/// Which document a standard is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its title in English.
    pub title: String,
    /// Its title as printed.
    pub chinese_title: String,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// In force, draft, or what else the copy says.
    pub status: String,
}

/// Room temperatures, by the use of the building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomRules {
    /// Bedrooms and living rooms of dwellings.
    pub dwelling_min_celsius: Ruled<f64>,
    /// Offices.
    pub office_min_celsius: Ruled<f64>,
    /// Kindergartens.
    pub kindergarten_min_celsius: Ruled<f64>,
    /// Homes for the aged.
    pub nursing_home_min_celsius: Ruled<f64>,
    /// Below which outdoor temperature the minimum is not owed: `daily-mean-below-design` or `below-design`.
    pub outdoor_condition: Ruled<String>,
    /// Share of heated flats of a stairwell unit from which the full duty holds.
    pub full_duty_share_ratio: Option<Ruled<f64>>,
    /// Share of heated flats below which supply may be declined.
    pub no_duty_share_ratio: Option<Ruled<f64>>,
}

/// The heating season.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeasonRules {
    /// Month and day on which heat is due at the latest, as in `11-15`.
    pub first_day: Option<Ruled<String>>,
    /// Month and day to which heat is due at least.
    pub last_day: Option<Ruled<String>>,
    /// How long before filling and trial running the users are told.
    pub filling_notice_days: Ruled<f64>,
}

/// What is to be done about outages. Thresholds are on the expected length, and reached by equality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutageRules {
    /// From this length on users are told.
    pub notify_users_after_hours: Option<Ruled<f64>>,
    /// From this length on the authority is told; 0 is always.
    pub notify_authority_after_hours: Ruled<f64>,
    /// A repair that began before it was permitted is reported within this.
    pub report_repair_first_hours: Ruled<f64>,
    /// From this length on pipes are kept from freezing.
    pub antifreeze_after_hours: Ruled<f64>,
    /// From this length on the emergency plan starts; 0 is always.
    pub emergency_plan_after_hours: Ruled<f64>,
    /// Whether an overrun of the announced time is announced again.
    pub notify_overrun: Ruled<bool>,
    /// What the notice says.
    pub notice_content: Ruled<Vec<String>>,
}

/// How long repairs may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepairRules {
    /// On the primary network.
    pub primary_max_hours: Ruled<f64>,
    /// On the secondary network.
    pub secondary_max_hours: Ruled<f64>,
    /// Until another heat source has taken over.
    pub source_switch_max_hours: Ruled<f64>,
}

/// The operation accident rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccidentRules {
    /// Where the formula stands.
    pub formula: Ruled<String>,
    /// The causes that count, as the records name them.
    pub counted: Ruled<Vec<String>>,
    /// The highest rate that meets the standard; left out where the rate is defined without one.
    pub target: Option<RuledFraction>,
}

/// Lower bounds of the other indicators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetRules {
    /// How the room-temperature pass rate is computed: `passed-of-tested` or `one-minus-complaints`.
    pub room_pass_form: Ruled<String>,
    /// Room-temperature pass rate (室温合格率).
    pub room_pass: Option<RuledFraction>,
    /// Facility repair response rate (供热设施抢修响应率).
    pub facility_repair_response: Option<RuledFraction>,
    /// Complaint handling timeliness (投诉处理及时率).
    pub complaint_timeliness: Option<RuledFraction>,
    /// Complaint or demand settlement (投诉办结率).
    pub complaint_settlement: Option<RuledFraction>,
    /// Repair-report handling timeliness (报修处理及时率).
    pub repair_report_timeliness: Option<RuledFraction>,
    /// Repair-report response rate (报修处理响应率).
    pub repair_report_response: Option<RuledFraction>,
    /// Satisfaction (满意率); by survey or by complaints, as the note says.
    pub satisfaction: Option<RuledFraction>,
}

/// Answers to users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRules {
    /// A complaint is answered within this.
    pub complaint_response_minutes: Ruled<f64>,
    /// A repair report is answered within this.
    pub repair_report_response_minutes: Ruled<f64>,
    /// A repair report is done within this.
    pub repair_report_done_hours: Ruled<f64>,
}

/// Measuring by visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasuringRules {
    /// Doors and windows are closed for this long before.
    pub closed_before_minutes: Ruled<f64>,
    /// The lowest height.
    pub height_min_meters: Ruled<f64>,
    /// The greatest height.
    pub height_max_meters: Ruled<f64>,
}

/// Fixed room sensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorRules {
    /// Least share of the users that has one.
    pub min_share_ratio: Ruled<f64>,
    /// Least number per station or compound.
    pub min_per_station: Ruled<u64>,
    /// Permitted error.
    pub error_max_kelvins: Ruled<f64>,
    /// How often they report.
    pub report_every_minutes: Ruled<f64>,
}

/// How long records are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRules {
    /// Sound and pictures of measuring visits.
    pub visit_media_years: Ruled<f64>,
    /// Outages and measurements, in heating seasons.
    pub outages_seasons: Ruled<u64>,
    /// Calibrations.
    pub calibration_years: Ruled<f64>,
}

impl Standard {
    /// What control has to know of it.
    pub fn profile(&self) -> Profile {
        let fraction = |rule: &RuledFraction| Clause {
            value: Fraction { numerator: rule.value.value.0, denominator: rule.value.value.1 },
            clause: rule.clause.clone(),
        };
        let counted = &self.accident_rate.counted.value.value;
        Profile {
            id: self.id.clone(),
            title: self.document.title.clone(),
            dwelling_min: Clause {
                value: Celsius(self.room.dwelling_min_celsius.value.value),
                clause: self.room.dwelling_min_celsius.clause.clone(),
            },
            room_pass_target: self.target.room_pass.as_ref().map(fraction),
            accident_rate: AccidentRateRule {
                clause: self.accident_rate.formula.clause.clone(),
                counted: Cause::ALL
                    .into_iter()
                    .filter(|cause| counted.iter().any(|name| name == cause.name()))
                    .collect(),
                target: self.accident_rate.target.as_ref().map(fraction),
            },
            notify_users_after: self.outage.notify_users_after_hours.as_ref().map(|rule| Clause {
                value: Duration::from_secs_f64(rule.value.value * 3600.0),
                clause: rule.clause.clone(),
            }),
        }
    }

    /// The room minimum of a building's use.
    pub fn room_min(&self, building_use: RawBuildingUse) -> &Ruled<f64> {
        match building_use {
            RawBuildingUse::Dwelling => &self.room.dwelling_min_celsius,
            RawBuildingUse::Office => &self.room.office_min_celsius,
            RawBuildingUse::Kindergarten => &self.room.kindergarten_min_celsius,
            RawBuildingUse::NursingHome => &self.room.nursing_home_min_celsius,
        }
    }

    /// What serde cannot know: ranges, and names of a closed list.
    pub(crate) fn check(&self, desk: &mut Desk, file: usize) {
        let place = |span: &std::ops::Range<usize>| Place { file, span: span.clone() };
        let room = &self.room;
        for (key, rule) in [
            ("dwelling_min_celsius", &room.dwelling_min_celsius),
            ("office_min_celsius", &room.office_min_celsius),
            ("kindergarten_min_celsius", &room.kindergarten_min_celsius),
            ("nursing_home_min_celsius", &room.nursing_home_min_celsius),
        ] {
            if !(10.0..=28.0).contains(&rule.value.value) {
                let what = format!("{} °C is out of range", shown(rule.value.value));
                desk.error(&place(&rule.value.span), format!("room.{key}"), what, "write a number from 10 to 28 °C");
            }
        }
        let hours = self.outage.notify_users_after_hours.as_ref();
        if let Some(rule) = hours.filter(|rule| !(0.0..=720.0).contains(&rule.value.value)) {
            let what = format!("{} h is out of range", shown(rule.value.value));
            let key = "outage.notify_users_after_hours";
            desk.error(&place(&rule.value.span), key, what, "write a number from 0 to 720 h");
        }
        let counted = &self.accident_rate.counted.value;
        for name in &counted.value {
            if !Cause::ALL.iter().any(|cause| cause.name() == name) {
                let help = crate::desk::one_of(name, Cause::ALL.iter().map(|cause| cause.name()));
                desk.error(&place(&counted.span), "accident_rate.counted", format!("unknown cause `{name}`"), help);
            }
        }
        let fractions = [
            ("accident_rate.target", &self.accident_rate.target),
            ("target.room_pass", &self.target.room_pass),
            ("target.facility_repair_response", &self.target.facility_repair_response),
            ("target.complaint_timeliness", &self.target.complaint_timeliness),
            ("target.complaint_settlement", &self.target.complaint_settlement),
            ("target.repair_report_timeliness", &self.target.repair_report_timeliness),
            ("target.repair_report_response", &self.target.repair_report_response),
            ("target.satisfaction", &self.target.satisfaction),
        ];
        for (key, rule) in fractions {
            let Some(rule) = rule else { continue };
            let (numerator, denominator) = rule.value.value;
            if denominator == 0 || denominator < numerator {
                let what = format!("{numerator} of {denominator} is not a share");
                desk.error(&place(&rule.value.span), key, what, "write two whole numbers, as in [2, 1000]");
            }
        }
        for (key, rule) in [("season.first_day", &self.season.first_day), ("season.last_day", &self.season.last_day)] {
            let Some(rule) = rule else { continue };
            if month_and_day(&rule.value.value).is_none() {
                let what = format!("{:?} is not a month and a day", rule.value.value);
                desk.error(&place(&rule.value.span), key, what, "write them as in \"11-15\"");
            }
        }
    }

    /// Adds everything it says to the explanations.
    pub(crate) fn explain(&self, desk: &mut Desk) {
        let Ok(Value::Object(groups)) = serde_json::to_value(self) else { return };
        for (group, rules) in &groups {
            let Value::Object(rules) = rules else { continue };
            for (name, rule) in rules {
                let key = format!("standard.{group}.{name}");
                match (rule.get("value"), rule.get("clause").and_then(Value::as_str)) {
                    (Some(value), Some(clause)) => {
                        let clause = format!("{} {clause}", self.id);
                        desk.explain(&key, plain(value), From::Standard { clause });
                    }
                    _ if rule.is_null() => {}
                    _ => desk.explain(&key, plain(rule), From::Standard { clause: self.id.clone() }),
                }
            }
        }
    }
}

/// A month and a day of a text such as `11-15`.
pub(crate) fn month_and_day(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    jiff::civil::Date::new(2024, month, day).ok().map(|_| (month, day))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), shown),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
