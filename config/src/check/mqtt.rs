//! Brokers and what is heard of them.

use std::collections::BTreeMap;
use std::time::Duration;

use heatstation_drivers::messages::settings::{Bounds, Feed, Id, Rate};
use heatstation_drivers::messages::{Path as FieldPath, SourceSettings};
use heatstation_drivers::mqtt::{Availability, Filter, MqttSettings, QualityOfService, Subscription, TlsFiles};

use crate::check::messages::{
    Around, Claims, circuit_of, field, ids, meaning, optional_field, point, room_period, signal_of, usual_period,
};
use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or};
use crate::files;
use crate::points::Homes;
use crate::raw::{RawFile, RawMqtt, RawMqttPoint, RawMqttRooms, Text};
use crate::written::Written;

pub(crate) fn check(desk: &mut Desk, file: &RawFile, around: &Around<'_>, homes: &mut Homes) -> Vec<MqttSettings> {
    file.mqtt.iter().map(|written| broker(desk, written, around, homes)).collect()
}

fn broker(desk: &mut Desk, written: &Written<RawMqtt>, around: &Around<'_>, homes: &mut Homes) -> MqttSettings {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("mqtt.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let (host, port) = address(desk, &at, raw);
    let tls = raw.tls.as_ref().map(|tls| files_of_tls(desk, &at, tls, around));
    let (user, password_file) = credentials(desk, &at, raw, around, tls.is_some() || is_here(&host));
    let client_id = desk.text(
        &at,
        "client_id",
        raw.client_id.as_ref(),
        derived(format!("heatstation-{}", around.station), "the station's id"),
    );
    let quality = count!(desk, at, raw.quality_of_service, 0..=1, or(1, "what comes twice is known by its time"));
    let expiry = number!(
        desk,
        at,
        raw.session_expiry_seconds,
        0.0..=86_400.0,
        or(0.0, "what has waited at the broker is old when it comes")
    );
    let keep_alive = number!(
        desk,
        at,
        raw.keep_alive_seconds,
        5.0..=600.0,
        or(30.0, "half of what clients of brokers usually have (60 s): a dead line shows within a minute")
    );
    let reconnect_min = number!(
        desk,
        at,
        raw.reconnect_min_seconds,
        0.1..=600.0,
        or(1.0, "a broker that restarts is back within seconds")
    );
    let usual = or(60.0, "a broker of a whole town must not be stormed");
    let reconnect_max = number!(desk, at, raw.reconnect_max_seconds, 0.1..=3600.0, usual);
    desk.not_above(&reconnect_min, &reconnect_max, "the wait doubles from the first to the longest");
    let rate = number!(
        desk,
        at,
        raw.messages_per_second,
        0.1..=10_000.0,
        or(50.0, "three hundred sensors that report every quarter of an hour are one in 3 s")
    );
    let availability = raw.availability.as_ref().map(|written| availability(desk, &at, written));
    let forecast = raw.forecast_topic.as_ref().and_then(|_| {
        let topic = desk.text(&at, "forecast_topic", raw.forecast_topic.as_ref(), or(String::new(), ""));
        filter(desk, &topic)
    });

    let mut heard = Heard { around, homes, source: name.value.as_str(), expiry: &expiry, feeds: Vec::new() };
    for written in &raw.point {
        heard.point(desk, &at, written);
    }
    for (place, written) in raw.rooms.iter().enumerate() {
        heard.rooms(desk, &at, place, written);
    }
    if raw.point.is_empty() && raw.rooms.is_empty() && forecast.is_none() {
        let help = "write [[mqtt.point]], [[mqtt.rooms]] or `forecast_topic`";
        desk.error(&at.place, at.key.as_str(), "says nothing about what is heard", help);
    }
    let (subscriptions, feeds): (Vec<Subscription>, Vec<Feed>) = heard.feeds.into_iter().unzip();
    let points: usize = feeds.iter().map(|feed| feed.targets.len()).sum();
    // After each connection the broker sends what it kept, all at once.
    let burst = (10.0 * rate.value).max(4.0 * points as f64);
    MqttSettings {
        source: SourceSettings {
            name: name.value.clone(),
            feeds,
            bounds: Bounds::default(),
            rate: Rate { per_second: rate.value, burst },
        },
        host,
        port,
        tls,
        user,
        password_file,
        client_id: client_id.value,
        quality_of_service: if quality.value == 0 {
            QualityOfService::AtMostOnce
        } else {
            QualityOfService::AtLeastOnce
        },
        session_expiry: expiry.duration(),
        keep_alive: keep_alive.duration().max(Duration::from_secs(1)),
        reconnect_min: reconnect_min.duration(),
        reconnect_max: reconnect_max.duration(),
        subscriptions,
        forecast,
        availability,
    }
}

fn address(desk: &mut Desk, at: &Section, raw: &RawMqtt) -> (String, u16) {
    let address = desk.text(at, "address", raw.address.as_ref(), Otherwise::Required("\"192.168.1.20:1883\""));
    let parts = address.value.rsplit_once(':').and_then(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.or_else(|| (!host.contains(':')).then_some(host)).filter(|host| !host.is_empty())?;
        Some((host.to_owned(), port.parse().ok().filter(|port| *port > 0)?))
    });
    if parts.is_none() && address.sound {
        let help = "write host:port, as in \"192.168.1.20:1883\" or \"[fd00::1]:8883\"";
        desk.error(&address.place, address.key.as_str(), format!("{:?} is not host:port", address.value), help);
    }
    parts.unwrap_or_else(|| ("localhost".to_owned(), 1883))
}

/// Whether a broker is on this computer.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A file that must be there when the station is run.
fn file(desk: &mut Desk, at: &Section, key: &str, raw: &Text, around: &Around<'_>) -> Option<std::path::PathBuf> {
    let written = raw.as_ref()?;
    let (full, place) = (at.key(key), at.at(&written.span));
    desk.explain_written(&full, written.value.as_str(), &place);
    let path = files::beside(around.folder, &written.value);
    if around.folder.is_some() && !path.is_file() {
        let help = "the path is relative to the station's file; without the file the station does not start";
        desk.warn(&place, full, format!("there is no file {:?}", written.value), help);
    }
    Some(path)
}

fn credentials(
    desk: &mut Desk,
    at: &Section,
    raw: &RawMqtt,
    around: &Around<'_>,
    nobody_listens: bool,
) -> (Option<String>, Option<std::path::PathBuf>) {
    let user = raw.user.as_ref().map(|written| {
        let user = desk.text(at, "user", Some(written), or(String::new(), ""));
        if !nobody_listens {
            let help = "write [mqtt.tls], or let the broker run on this computer";
            desk.warn(&user.place, user.key.as_str(), "its password travels readable over the network", help);
        }
        user.value
    });
    let password = file(desk, at, "password_file", &raw.password_file, around);
    if let (None, Some(written)) = (&user, &raw.password_file) {
        let help = "write `user`, or leave the password out";
        desk.error(&at.at(&written.span), at.key("password_file"), "is a password of nobody", help);
    }
    (user, password)
}

fn files_of_tls(
    desk: &mut Desk,
    at: &Section,
    written: &Written<crate::raw::RawMqttTls>,
    around: &Around<'_>,
) -> TlsFiles {
    let raw = &written.value;
    let at = at.inner("tls", Some(written));
    let authorities = file(desk, &at, "ca_file", &raw.ca_file, around).unwrap_or_else(|| {
        desk.missing(&at.place, &at.key("ca_file"), "write it, as in `ca_file = \"broker-ca.pem\"`");
        std::path::PathBuf::new()
    });
    let certificate = file(desk, &at, "certificate_file", &raw.certificate_file, around);
    let key = file(desk, &at, "key_file", &raw.key_file, around);
    if certificate.is_some() != key.is_some() {
        let help = "write both `certificate_file` and `key_file`, or none";
        desk.error(&at.place, at.key.as_str(), "a certificate and its key belong together", help);
    }
    TlsFiles { authorities, client: certificate.zip(key) }
}

fn availability(desk: &mut Desk, at: &Section, written: &Written<crate::raw::RawAvailability>) -> Availability {
    let raw = &written.value;
    let at = at.inner("availability", Some(written));
    let topic = desk.text(&at, "topic", raw.topic.as_ref(), Otherwise::Required("\"rooms/bridge/state\""));
    let usual = or("offline".to_owned(), "what bridges say by their last will");
    let offline = desk.text(&at, "offline", raw.offline.as_ref(), usual);
    Availability { topic: filter(desk, &topic).unwrap_or_else(nowhere), offline: offline.value }
}

/// A topic filter, or a problem.
fn filter(desk: &mut Desk, topic: &Field<String>) -> Option<Filter> {
    match Filter::parse(&topic.value) {
        Ok(filter) => Some(filter),
        Err(why) => {
            if topic.sound {
                let what = format!("{:?} is no topic: {why}", topic.value);
                desk.error(&topic.place, topic.key.as_str(), what, "as in `rooms/{id}/state` or `weather/roof`");
            }
            None
        }
    }
}

/// Stands in for a filter that was refused.
fn nowhere() -> Filter {
    Filter::parse("nowhere").expect("one word is a filter")
}

/// What is heard of a broker, table by table.
struct Heard<'a, 'b> {
    around: &'a Around<'b>,
    homes: &'a mut Homes,
    source: &'a str,
    expiry: &'a Field<f64>,
    feeds: Vec<(Subscription, Feed)>,
}

impl Heard<'_, '_> {
    fn point(&mut self, desk: &mut Desk, at: &Section, written: &Written<RawMqttPoint>) {
        let raw = &written.value;
        let called = raw.point.as_ref().map_or("?", |point| point.value.as_str());
        let at = Section { key: at.key(&format!("point.{called}")), place: at.at(&written.span) };
        let name = desk.text(&at, "point", raw.point.as_ref(), Otherwise::Required("\"outdoor.temperature\""));
        let topic = desk.text(&at, "topic", raw.topic.as_ref(), Otherwise::Required("\"weather/roof\""));
        let filter = filter(desk, &topic).unwrap_or_else(nowhere);
        if !filter.is_one_topic() {
            let help = "one point has one topic; [[mqtt.rooms]] takes `{id}`";
            desk.error(&topic.place, topic.key.as_str(), "names more than one topic", help);
        }
        let value = field(desk, &at, "field", &raw.field, None);
        let time = optional_field(desk, &at, "time_field", &raw.time_field);
        self.time_is_said(desk, &at, time.as_ref());
        let read = meaning!(raw).read(desk, &at, usual_period());
        let Some(definition) = point(desk, self.around, &name.key, &name.place, &name.value).filter(|_| name.sound)
        else {
            return;
        };
        let target = read.target(desk, definition);
        let mut claims = Claims { source: self.source, homes: self.homes, targets: BTreeMap::new() };
        let whence = whence(filter.written(), &value);
        // Its id is what the carrier says, and that is the whole topic.
        claims.take(desk, &at.place, &at.key, filter.written(), whence, target);
        let feed = Feed { records: FieldPath::default(), id: Id::Carrier, value, time, targets: claims.targets };
        self.feeds.push((Subscription { filter }, feed));
    }

    fn rooms(&mut self, desk: &mut Desk, at: &Section, place: usize, written: &Written<RawMqttRooms>) {
        let raw = &written.value;
        let at = Section { key: at.key(&format!("rooms.{}", place + 1)), place: at.at(&written.span) };
        let topic = desk.text(&at, "topic", raw.topic.as_ref(), Otherwise::Required("\"rooms/{id}/state\""));
        let filter = filter(desk, &topic);
        let id_field = optional_field(desk, &at, "id_field", &raw.id_field);
        if filter.as_ref().is_some_and(|filter| filter.has_id() == id_field.is_some()) {
            let help = "write `{id}` for the level of the topic that names the sensor, or `id_field`, and not both";
            desk.error(&topic.place, topic.key.as_str(), "nobody or two say which sensor it is", help);
        }
        let filter = filter.unwrap_or_else(nowhere);
        let records = field(desk, &at, "records_field", &raw.records_field, None);
        let value = field(desk, &at, "field", &raw.field, None);
        let time = optional_field(desk, &at, "time_field", &raw.time_field);
        self.time_is_said(desk, &at, time.as_ref());
        let circuit = circuit_of(desk, self.around, &at, &raw.circuit);
        let signal = signal_of(desk, &at, raw.signal.as_ref());
        let read = meaning!(raw).read(desk, &at, room_period(circuit.map(|(_, circuit)| &circuit.settings)));
        let Some(circuit) = circuit else { return };
        let mut claims = Claims { source: self.source, homes: self.homes, targets: BTreeMap::new() };
        for (id, definition, place) in ids(desk, self.around, &at, &raw.ids_csv, circuit, signal) {
            let target = read.target(desk, definition);
            let from = if id_field.is_some() {
                format!("{} {id}", filter.written())
            } else {
                filter.written().replace("{id}", &id)
            };
            claims.take(desk, &place, &at.key, &id, whence(&from, &value), target);
        }
        let id = id_field.map_or(Id::Carrier, Id::Field);
        self.feeds.push((Subscription { filter }, Feed { records, id, value, time, targets: claims.targets }));
    }

    /// What waits at a broker must say its time, or nobody knows how long it has waited.
    fn time_is_said(&self, desk: &mut Desk, at: &Section, time: Option<&FieldPath>) {
        if time.is_none() && self.expiry.value > 0.0 {
            let help = "write `time_field`, or leave `session_expiry_seconds` out";
            let what = "messages may wait at the broker, and these do not say their time";
            desk.error(&at.place, at.key("time_field"), what, help);
        }
    }
}

fn whence(topic: &str, value: &FieldPath) -> String {
    let value = value.to_string();
    if value.is_empty() { topic.to_owned() } else { format!("{topic} {value}") }
}
