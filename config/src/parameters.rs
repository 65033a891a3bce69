//! The parameters of a template: the few numbers in which devices of one kind differ from station to station.
//!
//! A template says which numbers it wants, with range and default; a station gives them under `[device.parameters]`; rows
//! count with them by name. They stay numbers all the way: a row names a parameter, it never pastes its text, so that a
//! slip of the pen is told with file and line, and what a row becomes can be read without running anything.

use std::collections::BTreeMap;

use crate::desk::{Desk, Field, Section, one_of, or, shown};
use crate::map::MapRow;
use crate::problem::Place;
use crate::raw::{RawBlock, RawDevice, RawEncoding, RawParameter, RawRow, RawTemplate};
use crate::written::Written;

/// No parameter of a device is larger; a larger one is a slip of the pen.
const MOST: f64 = 1e12;

/// The parameters of a device, checked.
#[derive(Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, f64>);

/// What a row may use a parameter for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Scale,
    Offset,
    Address,
}

/// What holds for the parameters of a template whatever station uses it.
pub(crate) fn check(desk: &mut Desk, file: usize, template: &RawTemplate) {
    let used = used(template);
    for (name, written) in &template.parameters {
        let at = Section::new(format!("parameters.{name}"), file, &written.span);
        let raw = &written.value;
        desk.name_is_plain(&at.place, &at.key, name);
        if raw.description.as_ref().is_none_or(|text| text.value.trim().is_empty()) {
            desk.error(&at.place, at.key("description"), "is missing", "write what it is and where it is read");
        }
        let (Some(min), Some(max)) = (bound(desk, &at, "min", raw), bound(desk, &at, "max", raw)) else { continue };
        desk.not_above(&min, &max, "they are the ends of what is taken");
        if let Some(default) = raw.default.as_ref().filter(|_| min.value <= max.value) {
            let found = desk.number(&at, "default", Some(default), min.value..=max.value, or(min.value, ""));
            if is_whole(raw) && found.sound {
                whole(desk, &found);
            }
        }
        let uses: Vec<Use> = used.iter().filter(|(of, ..)| of == name).map(|(_, how, _)| *how).collect();
        if uses.is_empty() {
            let help = "let a row use it with scale_by, scale_per, offset_by or address_by, or leave it out";
            desk.error(&at.place, at.key.as_str(), "is used by no row and no block", help);
        }
        if uses.contains(&Use::Scale) && min.value <= 0.0 {
            let help = "rows are multiplied or divided by it: write a least value above 0";
            desk.error(&min.place, min.key.as_str(), format!("{} makes a scale of nothing", shown(min.value)), help);
        }
        if uses.contains(&Use::Address) && !is_whole(raw) {
            let help = "addresses are counted by it: write `whole = true`";
            desk.error(&at.place, at.key("whole"), "is not said, and an address is whole", help);
        }
        if uses.contains(&Use::Address) && min.value < 0.0 {
            desk.error(&min.place, min.key.as_str(), "an address cannot be less than 0", "write 0 or more");
        }
    }
    for (name, _, span) in used {
        if !template.parameters.contains_key(name) {
            unknown(desk, &Place { file, span: span.clone() }, "parameters", name, template.parameters.keys());
        }
    }
}

fn bound(desk: &mut Desk, at: &Section, key: &str, raw: &RawParameter) -> Option<Field<f64>> {
    let written = if key == "min" { raw.min.as_ref() } else { raw.max.as_ref() };
    if written.is_none() {
        desk.missing(&at.place, &at.key(key), format!("write it, as in `{key} = 1`"));
        return None;
    }
    Some(desk.number(at, key, written, -MOST..=MOST, or(0.0, "")))
}

fn is_whole(raw: &RawParameter) -> bool {
    raw.whole == Some(true)
}

fn whole(desk: &mut Desk, field: &Field<f64>) -> bool {
    let is_whole = field.value.fract() == 0.0;
    if !is_whole {
        let what = format!("{} is not a whole number", shown(field.value));
        desk.error(&field.place, field.key.as_str(), what, "write it without a fraction");
    }
    is_whole
}

fn unknown<'a>(desk: &mut Desk, place: &Place, key: &str, name: &str, known: impl Iterator<Item = &'a String> + Clone) {
    let help = one_of(name, known.map(String::as_str));
    desk.error(place, key, format!("there is no parameter `{name}`"), help);
}

/// The parameters that a template's rows and blocks name, what for and where.
fn used(template: &RawTemplate) -> Vec<(&str, Use, &std::ops::Range<usize>)> {
    let mut found = Vec::new();
    for written in &template.block {
        let block: &RawBlock = &written.value;
        found.extend(block.first_circuit_by.iter().map(|name| (name.as_str(), Use::Address, &written.span)));
        for row in &block.point {
            found.extend(of_row(&row.value).map(|(name, how)| (name, how, &row.span)));
        }
    }
    found
}

fn of_row(row: &RawRow) -> impl Iterator<Item = (&str, Use)> {
    let scales = row.scale_by.iter().chain(&row.scale_per).map(|name| (name.as_str(), Use::Scale));
    let offset = row.offset_by.iter().map(|name| (name.as_str(), Use::Offset));
    scales.chain(offset).chain(row.address_by.iter().map(|name| (name.as_str(), Use::Address)))
}

impl Parameters {
    /// What a device's parameters are: the station's word, else the template's default.
    pub(crate) fn take(
        desk: &mut Desk,
        at: &Section,
        raw: &RawDevice,
        template: Option<&(usize, RawTemplate)>,
    ) -> Parameters {
        let nothing = BTreeMap::new();
        let (file, wanted) = template.map_or((0, &nothing), |(file, template)| (*file, &template.parameters));
        let section = at.inner("parameters", raw.parameters.as_ref());
        let given = raw.parameters.as_ref().map(|written| &written.value);
        for (name, written) in given.into_iter().flatten().filter(|(name, _)| !wanted.contains_key(*name)) {
            let place = section.at(&written.span);
            let key = section.key(name);
            if template.is_none() {
                let help = "parameters belong to a template: write `template = …`, or leave them out";
                desk.error(&place, key, "the device has no template", help);
            } else {
                unknown(desk, &place, &key, name, wanted.keys());
            }
        }
        let mut values = BTreeMap::new();
        for (name, parameter) in wanted {
            let here = given.and_then(|given| given.get(name));
            values.insert(name.clone(), one(desk, &section, name, here, &(file, parameter)));
        }
        Parameters(values)
    }

    /// The value of a whole parameter; none if there is no such one, which was told with the template.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.0.get(name).map(|value| *value as u64)
    }

    /// A row with its parameters counted in.
    pub(crate) fn apply(&self, desk: &mut Desk, device: &str, row: &mut MapRow) {
        let key = format!("device.{device}.{}", row.name);
        for (name, _) in of_row(&row.raw) {
            // What a template's own row names was told with the template.
            if row.block.is_none() && !self.0.contains_key(name) {
                unknown(desk, &row.place, &key, name, self.0.keys());
            }
        }
        let raw = &row.raw;
        let scaled = !raw.scale_by.is_empty() || !raw.scale_per.is_empty() || raw.offset_by.is_some();
        let bits = raw.bit.is_some() || matches!(raw.encoding, Some(RawEncoding::Bit | RawEncoding::Enum));
        if scaled && bits {
            let help = "bits and codes have no scale: leave scale_by, scale_per and offset_by out";
            desk.error(&row.place, key.as_str(), "a parameter has no meaning for this encoding", help);
        }
        let product = |names: &[String]| names.iter().filter_map(|name| self.0.get(name)).product::<f64>();
        if !raw.scale_by.is_empty() || !raw.scale_per.is_empty() {
            let scale = raw.scale.unwrap_or(1.0) * product(&raw.scale_by) / product(&raw.scale_per);
            row.raw.scale = Some(scale);
        }
        if let Some(more) = row.raw.offset_by.as_ref().and_then(|name| self.0.get(name)) {
            row.raw.offset = Some(row.raw.offset.unwrap_or(0.0) + more);
        }
        if let Some(more) = row.raw.address_by.as_ref().and_then(|name| self.count(name)) {
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            row.address = row.address.map(|address| address.saturating_add(more));
        }
    }
}

fn one(
    desk: &mut Desk,
    section: &Section,
    name: &str,
    here: Option<&Written<f64>>,
    (file, parameter): &(usize, &Written<RawParameter>),
) -> f64 {
    let raw = &parameter.value;
    let bound = |written: Option<&Written<f64>>, otherwise| written.map_or(otherwise, |written| written.value);
    let (min, max) = (bound(raw.min.as_ref(), -MOST), bound(raw.max.as_ref(), MOST));
    let in_template = Section { key: section.key.clone(), place: Place { file: *file, span: parameter.span.clone() } };
    let (at, written) = match (here, &raw.default) {
        (None, Some(default)) => (&in_template, Some(default)),
        (here, _) => (section, here),
    };
    if written.is_none() {
        let description = raw.description.as_ref().map_or("a number", |text| text.value.as_str());
        let help = format!("write it under [device.parameters]: {description}; {} to {}", shown(min), shown(max));
        desk.missing(&section.place, &section.key(name), help);
        return min;
    }
    // A default that cannot be one was told with the template.
    let is_sound = |value: f64| (min..=max).contains(&value) && (!is_whole(raw) || value.fract() == 0.0);
    if here.is_none() && !written.is_some_and(|written| is_sound(written.value)) {
        return min;
    }
    let field = desk.number(at, name, written, min..=max.max(min), or(min, ""));
    if is_whole(raw) && field.sound && !whole(desk, &field) { min } else { field.value }
}
