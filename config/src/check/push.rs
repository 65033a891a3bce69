//! Sources that post over HTTP.

use std::collections::BTreeMap;

use heatstation_drivers::messages::SourceSettings;
use heatstation_drivers::messages::push::PushSettings;
use heatstation_drivers::messages::settings::{Bounds, Feed, Id, Rate};

use crate::check::messages::{
    Around, Claims, circuit_of, field, ids, meaning, point, room_period, signal_of, usual_period,
};
use crate::desk::{Desk, Otherwise, Section, derived, number, or};
use crate::points::Homes;
use crate::raw::{RawFile, RawPush};
use crate::written::Written;

pub(crate) fn check(desk: &mut Desk, file: &RawFile, around: &Around<'_>, homes: &mut Homes) -> Vec<PushSettings> {
    let mut all: Vec<PushSettings> = Vec::new();
    for written in &file.push {
        let source = source(desk, written, around, homes);
        if let Some(other) = all.iter().find(|other| other.token_sha256 == source.token_sha256)
            && source.token_sha256 != [0; 32]
        {
            let at = Section::new(format!("push.{}", source.source.name), 0, &written.span);
            let what = format!("its token is that of {}", other.source.name);
            desk.error(
                &at.place,
                at.key("token_sha256"),
                what,
                "make a token for each source: `heatstation token new`",
            );
        }
        all.push(source);
    }
    all
}

fn source(desk: &mut Desk, written: &Written<RawPush>, around: &Around<'_>, homes: &mut Homes) -> PushSettings {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("push.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let hash = desk.text(
        &at,
        "token_sha256",
        raw.token_sha256.as_ref(),
        Otherwise::Required("\"…64 hexadecimal digits, as `heatstation token new` prints them\""),
    );
    let token_sha256 = digest(&hash.value);
    if token_sha256.is_none() && hash.sound {
        let what = "is not a SHA-256 in hexadecimal";
        desk.error(&hash.place, hash.key.as_str(), what, "`heatstation token new` prints the token and this line");
    }
    let forecast = desk.choice(&at, "forecast", raw.forecast.as_ref(), or(false, "off until somebody wants it"), false);
    let rate = number!(
        desk,
        at,
        raw.requests_per_minute,
        0.1..=6000.0,
        or(60.0, "a gateway of a block of flats posts once a minute")
    );
    let feed = Feed {
        records: field(desk, &at, "records_field", &raw.records_field, None),
        id: Id::Field(field(desk, &at, "id_field", &raw.id_field, Some("id"))),
        value: field(desk, &at, "value_field", &raw.value_field, Some("value")),
        time: Some(field(desk, &at, "time_field", &raw.time_field, Some("time"))),
        targets: targets(desk, &at, raw, around, homes, &name.value),
    };
    if feed.targets.is_empty() && !forecast.value {
        let help = "write [[push.point]], [[push.rooms]] or `forecast = true`";
        desk.error(&at.place, at.key.as_str(), "says nothing about what it brings", help);
    }
    let longest = feed.targets.values().map(|target| target.period.as_secs_f64()).fold(0.0, f64::max);
    let silent = if longest > 0.0 { longest / 20.0 } else { 24.0 * 60.0 };
    let silent_after = number!(
        desk,
        at,
        raw.silent_after_minutes,
        0.1..=2880.0,
        derived(silent.clamp(0.1, 2880.0), "three times the longest period of its points; a day for forecasts alone")
    );
    PushSettings {
        source: SourceSettings {
            name: name.value,
            feeds: vec![feed],
            bounds: Bounds::default(),
            // A gateway that was away may post what it has kept.
            rate: Rate { per_second: rate.value / 60.0, burst: rate.value.clamp(10.0, 600.0) },
        },
        token_sha256: token_sha256.unwrap_or_default(),
        silent_after: silent_after.duration(),
        brings_forecasts: forecast.value,
    }
}

fn targets(
    desk: &mut Desk,
    at: &Section,
    raw: &RawPush,
    around: &Around<'_>,
    homes: &mut Homes,
    source: &str,
) -> BTreeMap<String, heatstation_drivers::messages::Target> {
    let mut claims = Claims { source, homes, targets: BTreeMap::new() };
    for written in &raw.point {
        let raw = &written.value;
        let called = raw.point.as_ref().map_or("?", |point| point.value.as_str());
        let at = Section { key: at.key(&format!("point.{called}")), place: at.at(&written.span) };
        let name = desk.text(&at, "point", raw.point.as_ref(), Otherwise::Required("\"outdoor.temperature\""));
        let id = desk.text(&at, "id", raw.id.as_ref(), derived(name.value.clone(), "the point's name"));
        let read = meaning!(raw).read(desk, &at, usual_period());
        let found = point(desk, around, &name.key, &name.place, &name.value).filter(|_| name.sound && id.sound);
        if let Some(definition) = found {
            let target = read.target(desk, definition);
            claims.take(desk, &at.place, &at.key, &id.value, id.value.clone(), target);
        }
    }
    for (place, written) in raw.rooms.iter().enumerate() {
        let raw = &written.value;
        let at = Section { key: at.key(&format!("rooms.{}", place + 1)), place: at.at(&written.span) };
        let circuit = circuit_of(desk, around, &at, &raw.circuit);
        let signal = signal_of(desk, &at, raw.signal.as_ref());
        let read = meaning!(raw).read(desk, &at, room_period(circuit.map(|(_, circuit)| &circuit.settings)));
        let Some(circuit) = circuit else { continue };
        for (id, definition, place) in ids(desk, around, &at, &raw.ids_csv, circuit, signal) {
            let target = read.target(desk, definition);
            claims.take(desk, &place, &at.key, &id, id.clone(), target);
        }
    }
    claims.targets
}

/// A SHA-256 from hexadecimal.
fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (place, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(digest)
}
