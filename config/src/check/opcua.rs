//! OPC UA servers: how each is reached and trusted, and which node is which point.

use std::path::Path;
use std::time::Duration;

use heatstation_drivers::opcua::node::NodeAddress;
use heatstation_drivers::opcua::pki::OwnIdentity;
use heatstation_drivers::opcua::settings::{
    DeadBand, Item, Mode, NodeReadBack, NodeWrite, PasswordPlace, Policy, Reading, Security, ServerSettings, User,
};
use heatstation_drivers::settings::Memory;
use heatstation_points::{Catalogue, Definition, Direction, Unit};

use crate::desk::{Desk, Field, Otherwise, Section, count, number, one_of, or};
use crate::files;
use crate::points::{Home, Homes, Spot};
use crate::raw::{RawFile, RawMode, RawNode, RawNodeReadBack, RawOpcua, RawPolicy, RawReading};
use crate::registers::{self, Both, Periods};
use crate::units;
use crate::written::Written;

/// What the servers are checked against.
pub(crate) struct Surroundings<'a> {
    pub catalogue: &'a Catalogue,
    pub folder: Option<&'a Path>,
    pub data_folder: &'a Path,
    pub station: &'a str,
}

pub(crate) fn check(
    desk: &mut Desk,
    file: &RawFile,
    around: &Surroundings<'_>,
    homes: &mut Homes,
    wires: &[String],
) -> Vec<ServerSettings> {
    let mut servers: Vec<ServerSettings> = Vec::new();
    for written in &file.opcua {
        let called = written.value.name.as_ref().map_or("?", |name| name.value.as_str());
        let at = Section::new(format!("opcua.{called}"), 0, &written.span);
        let server = server(desk, &at, &written.value, around, homes);
        if servers.iter().any(|other| other.name == server.name) || wires.contains(&server.name) {
            let help = "give each server and each wire a name of its own: metrics tell them apart by it";
            desk.error(&at.place, at.key("name"), format!("there is a wire or server {} already", server.name), help);
        }
        servers.push(server);
    }
    servers
}

fn server(
    desk: &mut Desk,
    at: &Section,
    raw: &RawOpcua,
    around: &Surroundings<'_>,
    homes: &mut Homes,
) -> ServerSettings {
    let name = desk.name(at, "name", raw.name.as_ref());
    let url = url(desk, at, raw);
    let security = security(desk, at, raw);
    let user = user(desk, at, raw, around.folder, security);
    let timeout = number!(
        desk,
        at,
        raw.timeout_milliseconds,
        100.0..=30_000.0,
        or(
            2000.0,
            "an encrypted answer of a small controller; a supply that is too hot must close the valve within 5 s"
        )
    );
    let reconnect_min = number!(
        desk,
        at,
        raw.reconnect_min_seconds,
        0.1..=600.0,
        or(1.0, "a controller that restarts is back within seconds")
    );
    let reconnect_max =
        number!(desk, at, raw.reconnect_max_seconds, 0.1..=3600.0, or(60.0, "the usual watchdog of a drive is 60 s"));
    desk.not_above(&reconnect_min, &reconnect_max, "the wait doubles from the first to the longest");
    let usual = or(RawReading::Subscribe, "changes come at once and cost nothing while nothing changes");
    let reading = match desk.choice(at, "reading", raw.reading.as_ref(), usual, RawReading::Subscribe).value {
        RawReading::Subscribe => Reading::Subscribe,
        RawReading::Poll => Reading::Poll,
    };
    let publishing = number!(desk, at, raw.publishing_seconds, 0.1..=60.0, or(1.0, "the cycle of the control"));
    let silent_after = count!(
        desk,
        at,
        raw.silent_after_intervals,
        2..=100,
        or(5, "a value is uncertain from three intervals on; a session that is made anew takes a second or two")
    );
    let source_age = raw
        .source_age_max_seconds
        .as_ref()
        .map(|_| number!(desk, at, raw.source_age_max_seconds, 1.0..=86_400.0, Otherwise::Required("60")).duration());
    let period = at.inner("period", raw.period.as_ref());
    let periods = registers::periods(
        desk,
        &Both {
            template: (period.clone(), None),
            station: (period, raw.period.as_ref().map(|written| &written.value)),
        },
    );
    let write = write_rules(desk, at, raw);
    let manners = Manners { server: &name.value, catalogue: around.catalogue, periods: &periods, write: &write };
    let items = raw.point.iter().filter_map(|written| manners.item(desk, at, written, homes)).collect::<Vec<_>>();
    if raw.point.is_empty() {
        let help = "write [[opcua.point]] rows with `point` and `node`; `heatstation browse` lists the nodes";
        desk.warn(&at.place, at.key.as_str(), "has no point", help);
    }
    ServerSettings {
        name: name.value,
        url,
        security,
        user,
        timeout: timeout.duration(),
        reconnect_min: reconnect_min.duration(),
        reconnect_max: reconnect_max.duration(),
        reading,
        publishing: publishing.duration(),
        silent_after: silent_after.value as u32,
        source_age_max: source_age,
        pki: around.data_folder.join("pki"),
        identity: OwnIdentity { station: around.station.to_owned(), addresses: Vec::new() },
        items,
    }
}

fn url(desk: &mut Desk, at: &Section, raw: &RawOpcua) -> String {
    let url = desk.text(at, "url", raw.url.as_ref(), Otherwise::Required("\"opc.tcp://192.168.1.20:4840\""));
    let rest = url.value.strip_prefix("opc.tcp://");
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let port = host.and_then(|host| host.rsplit_once(':')).map(|(_, port)| port.parse::<u16>());
    let is_sound = host.is_some_and(|host| !host.is_empty() && !host.starts_with(':') && !host.contains('@'))
        && !matches!(port, Some(Err(_) | Ok(0)) if !host.unwrap_or_default().ends_with(']'))
        && !url.value.contains(char::is_whitespace);
    if url.sound && !is_sound {
        let help = "write it as the server's manual does: \"opc.tcp://host:port\" or \"opc.tcp://host:port/path\"";
        desk.error(
            &url.place,
            url.key.as_str(),
            format!("{:?} is not the address of an OPC UA server", url.value),
            help,
        );
    }
    url.value
}

fn security(desk: &mut Desk, at: &Section, raw: &RawOpcua) -> Security {
    let usual = or(RawPolicy::Basic256Sha256, "the policy that nearly every server of today has");
    let policy = desk.choice(at, "policy", raw.policy.as_ref(), usual, RawPolicy::Basic256Sha256);
    let usual = or(RawMode::SignAndEncrypt, "what is read and written is nobody else's business");
    let mode = desk.choice(at, "mode", raw.mode.as_ref(), usual, RawMode::SignAndEncrypt);
    if policy.value == RawPolicy::None {
        let help = "whoever is on the network can pretend to be this server, or to be us; write \"basic256-sha256\" unless \
                    the wire between the two is theirs alone";
        desk.warn(&policy.place, policy.key.as_str(), "nothing that is said to this server is protected", help);
        if raw.mode.is_some() {
            desk.error(&mode.place, mode.key.as_str(), "has no meaning without a policy", "leave `mode` out");
        }
    }
    Security {
        policy: match policy.value {
            RawPolicy::None => Policy::None,
            RawPolicy::Basic256Sha256 => Policy::Basic256Sha256,
            RawPolicy::Aes128Sha256RsaOaep => Policy::Aes128Sha256RsaOaep,
            RawPolicy::Aes256Sha256RsaPss => Policy::Aes256Sha256RsaPss,
        },
        mode: match mode.value {
            RawMode::Sign => Mode::Sign,
            RawMode::SignAndEncrypt => Mode::SignAndEncrypt,
        },
    }
}

fn user(desk: &mut Desk, at: &Section, raw: &RawOpcua, folder: Option<&Path>, security: Security) -> User {
    let mut given = |key: &str, text: &Option<Written<String>>| {
        text.as_ref().map(|written| desk.text(at, key, Some(written), Otherwise::Required("")))
    };
    let name = given("user", &raw.user);
    let file = given("password_file", &raw.password_file);
    let variable = given("password_environment", &raw.password_environment);
    let certificate = given("user_certificate_file", &raw.user_certificate_file);
    let key = given("user_key_file", &raw.user_key_file);
    let path = |field: &Field<String>| files::beside(folder, &field.value);

    let password = match (&file, &variable) {
        (Some(file), None) => Some(PasswordPlace::File(path(file))),
        (None, Some(variable)) => Some(PasswordPlace::Environment(variable.value.clone())),
        (None, None) => None,
        (Some(_), Some(variable)) => {
            let help = "the password is in a file or in the environment, not in both; leave one of the two out";
            desk.error(&variable.place, variable.key.as_str(), "stands beside `password_file`", help);
            None
        }
    };
    let user = match (&name, password, &certificate, &key) {
        (Some(name), Some(password), None, None) => User::Password { name: name.value.clone(), password },
        (None, None, Some(certificate), Some(key)) => {
            User::Certificate { certificate: path(certificate), key: path(key) }
        }
        (None, None, None, None) => User::Anonymous,
        _ => {
            let one = [&name, &file, &variable, &certificate, &key].into_iter().flatten().next();
            if let Some(one) = one.filter(|_| !(file.is_some() && variable.is_some())) {
                let help = "write `user` with `password_file` or `password_environment`, or `user_certificate_file` with \
                            `user_key_file`, or none of them";
                desk.error(&one.place, one.key.as_str(), "is only half of a user", help);
            }
            User::Anonymous
        }
    };
    if let (Policy::None, User::Password { .. }, Some(name)) = (security.policy, &user, &name) {
        let help = "without a policy the password goes to whoever answers; write a `policy`, or come as nobody";
        desk.error(&name.place, name.key.as_str(), "would send its password unprotected", help);
    }
    user
}

fn write_rules(desk: &mut Desk, at: &Section, raw: &RawOpcua) -> NodeWrite {
    let written = raw.write.clone().unwrap_or_default();
    let at = at.inner("write", raw.write.as_ref());
    let raw = &written.value;
    let interval = number!(
        desk,
        at,
        raw.minimum_interval_seconds,
        0.0..=3600.0,
        or(1.0, "the cycle of the control; a valve needs minutes for its stroke")
    );
    let refresh = number!(
        desk,
        at,
        raw.refresh_seconds,
        0.1..=3600.0,
        or(10.0, "feeds a usual watchdog of 60 s six times over (Danfoss FC 102, parameter 8-03)")
    );
    let tolerance = number!(
        desk,
        at,
        raw.tolerance,
        0.0..=1e6,
        or(0.0, "a wish is rounded as the node rounds it before the two are compared")
    );
    let usual = or(RawNodeReadBack::SameNode, "an output is verified where it was written");
    let read_back = desk.choice(&at, "read_back", raw.read_back.as_ref(), usual, RawNodeReadBack::SameNode);
    let writes = count!(desk, at, raw.writes_per_year, 0..=100_000_000, or(0, "0: writing wears nothing out"));
    desk.not_above(&interval, &refresh, "a refresh is a write too");
    NodeWrite {
        minimum_interval: interval.duration(),
        refresh: refresh.duration(),
        tolerance: tolerance.value,
        read_back: match read_back.value {
            RawNodeReadBack::SameNode => NodeReadBack::SameNode,
            RawNodeReadBack::Impossible => NodeReadBack::Impossible,
        },
        memory: match u32::try_from(writes.value) {
            Ok(0) | Err(_) => Memory::Volatile,
            Ok(writes_per_year) => Memory::NonVolatile { writes_per_year },
        },
    }
}

/// What holds for all nodes of a server.
struct Manners<'a> {
    server: &'a str,
    catalogue: &'a Catalogue,
    periods: &'a Periods,
    write: &'a NodeWrite,
}

impl Manners<'_> {
    fn item(&self, desk: &mut Desk, at: &Section, written: &Written<RawNode>, homes: &mut Homes) -> Option<Item> {
        let raw = &written.value;
        let called = raw.point.as_ref().map_or("point", |point| point.value.as_str());
        // The explanation of a row is its home; only what stands in it is judged here.
        let at = Section { key: at.key(called), place: at.at(&written.span) };
        let definition = self.definition(desk, &at, raw)?;
        let node = node(desk, &at, "node", raw.node.as_ref())?;
        let scale = plain(desk, &at, "scale", raw.scale.as_ref(), 1.0);
        let offset = plain(desk, &at, "offset", raw.offset.as_ref(), 0.0);
        if scale == 0.0 {
            desk.error(&at.place, at.key("scale"), "is zero: every number would mean the same", "write the factor");
            return None;
        }
        let factor = factor(desk, &at, raw, definition.unit)?;
        let usual = self.periods.of(definition.pace);
        let sampling = within(desk, &at, "sampling_seconds", raw.sampling_seconds.as_ref(), 0.05..=86_400.0);
        let queue = raw.queue.as_ref().map_or(1, |queue| queue.value);
        if !(1..=1000).contains(&queue) {
            desk.error(&at.place, at.key("queue"), format!("{queue} is out of range"), "write a number from 1 to 1000");
        }
        let inverted = raw.inverted.as_ref().is_some_and(|written| written.value);
        if inverted && definition.unit != Unit::Switch {
            let help = "only what is on or off can be turned round; leave `inverted` out";
            desk.error(&at.place, at.key("inverted"), "has no meaning for this point", help);
        }
        let item = Item {
            node,
            index: raw.index.as_ref().and_then(|index| u32::try_from(index.value).ok()),
            scale: scale * factor,
            offset: offset * factor,
            inverted,
            sampling: sampling.map_or(usual, Duration::from_secs_f64),
            queue: queue as u32,
            dead_band: dead_band(desk, &at, raw, scale),
            write: self.write(desk, &at, raw, definition),
            definition: definition.clone(),
        };
        let home = home(self.server, &item, &at);
        homes.claim(desk, at.key.clone(), home).then_some(item)
    }

    fn definition(&self, desk: &mut Desk, at: &Section, raw: &RawNode) -> Option<&Definition> {
        let Some(written) = &raw.point else {
            desk.missing(&at.place, &at.key("point"), "write it, as in `point = \"outdoor.temperature\"`");
            return None;
        };
        let found = self.catalogue.find(&written.value);
        if found.is_none() {
            let near = self.catalogue.suggest(&written.value);
            let help = near.first().map_or_else(
                || "`heatstation points` lists all points of the station".to_owned(),
                |near| format!("did you mean `{near}`? `heatstation points` lists all"),
            );
            desk.error(&at.at(&written.span), at.key.as_str(), "the station has no such point", help);
        }
        found
    }

    fn write(&self, desk: &mut Desk, at: &Section, raw: &RawNode, definition: &Definition) -> Option<NodeWrite> {
        if definition.direction == Direction::Input {
            for (surplus, key) in
                [(raw.read_back_node.is_some(), "read_back_node"), (raw.tolerance.is_some(), "tolerance")]
            {
                if surplus {
                    desk.error(&at.place, at.key(key), "is for what is written; this point is read", "leave it out");
                }
            }
            return None;
        }
        if raw.index.is_some() {
            let help = "give the output a node of its own; single elements of arrays are not written";
            desk.error(&at.place, at.key("index"), "cannot be written", help);
        }
        let mut rules = self.write.clone();
        if let Some(tolerance) = within(desk, at, "tolerance", raw.tolerance.as_ref(), 0.0..=1e6) {
            rules.tolerance = tolerance;
        }
        if raw.read_back_node.is_some() {
            rules.read_back = NodeReadBack::OtherNode(node(desk, at, "read_back_node", raw.read_back_node.as_ref())?);
        }
        Some(rules)
    }
}

fn node(desk: &mut Desk, at: &Section, key: &str, raw: Option<&Written<String>>) -> Option<NodeAddress> {
    let Some(written) = raw else {
        let help =
            "write it, as in `node = \"nsu=http://plc.example/;s=Heating.Tout\"`; `heatstation browse` lists nodes";
        desk.missing(&at.place, &at.key(key), help);
        return None;
    };
    let place = at.at(&written.span);
    match written.value.parse::<NodeAddress>() {
        Ok(node) => {
            if node.is_by_number() {
                let help = "write its URI, as in \"nsu=http://plc.example/;s=…\": `heatstation browse` shows nodes so";
                desk.warn(
                    &place,
                    at.key(key),
                    "names its namespace by a number, which the server may give to another",
                    help,
                );
            }
            Some(node)
        }
        Err(error) => {
            desk.error(&place, at.key(key), error.to_string(), "`heatstation browse` lists the nodes of a server");
            None
        }
    }
}

fn factor(desk: &mut Desk, at: &Section, raw: &RawNode, unit: Unit) -> Option<f64> {
    let Some(written) = &raw.unit else { return Some(1.0) };
    let factor = units::factor(&written.value, unit);
    if factor.is_none() {
        let help = one_of(&written.value, units::spoken(unit));
        let what = format!("`{}` is no unit of a point in {unit}", written.value);
        desk.error(&at.at(&written.span), at.key("unit"), what, help);
    }
    factor
}

fn dead_band(desk: &mut Desk, at: &Section, raw: &RawNode, scale: f64) -> DeadBand {
    let absolute = within(desk, at, "dead_band", raw.dead_band.as_ref(), 0.0..=1e9);
    let percent = within(desk, at, "dead_band_percent", raw.dead_band_percent.as_ref(), 0.0..=100.0);
    match (absolute, percent) {
        (None | Some(0.0), None | Some(0.0)) => DeadBand::None,
        (Some(absolute), None | Some(0.0)) => DeadBand::Absolute(absolute / scale.abs()),
        (None | Some(0.0), Some(percent)) => DeadBand::Percent(percent),
        (Some(_), Some(_)) => {
            let help = "one of the two can be said to a server; leave the other out";
            desk.error(&at.place, at.key("dead_band_percent"), "stands beside `dead_band`", help);
            DeadBand::None
        }
    }
}

fn plain(desk: &mut Desk, at: &Section, key: &str, raw: Option<&Written<f64>>, usual: f64) -> f64 {
    within(desk, at, key, raw, -1e12..=1e12).unwrap_or(usual)
}

/// A number of a row, if it was written; rows are explained by their homes, not key by key.
fn within(
    desk: &mut Desk,
    at: &Section,
    key: &str,
    raw: Option<&Written<f64>>,
    range: std::ops::RangeInclusive<f64>,
) -> Option<f64> {
    let written = raw?;
    if range.contains(&written.value) {
        return Some(written.value);
    }
    let help = format!("write a number from {} to {}", range.start(), range.end());
    desk.error(&at.at(&written.span), at.key(key), format!("{} is out of range", written.value), help);
    None
}

fn home(server: &str, item: &Item, at: &Section) -> Home {
    let spot = Spot::Node {
        node: item.node.to_string(),
        index: item.index,
        scale: item.scale,
        offset: item.offset,
        manner: format!("{:?} {} {:?} {:?}", item.inverted, item.queue, item.dead_band, item.write),
    };
    Home {
        point: item.definition.name.clone(),
        device: server.to_owned(),
        spot,
        period_seconds: item.sampling.as_secs_f64(),
        file: String::new(),
        line: 0,
        place: at.place.clone(),
    }
}
