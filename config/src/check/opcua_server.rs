//! The station as an OPC UA server: off unless written, and secure unless somebody says otherwise in so many words.

use std::net::SocketAddr;

use heatstation_core::request::Origin;

use crate::desk::{Desk, Field, Otherwise, Section, count, derived, number, or};
use crate::raw::{RawFile, RawOpcuaOrigin, RawOpcuaPolicy, RawOpcuaRole, RawOpcuaServer};
use crate::station::{OpcuaPolicy, OpcuaRole, OpcuaServerSettings, OpcuaUser, Unencrypted};
use crate::written::Written;

/// The port that IANA gave to `opcua-tcp`.
const PORT: u16 = 4840;

pub(crate) fn check(desk: &mut Desk, file: &RawFile) -> Option<OpcuaServerSettings> {
    let written = file.opcua_server.as_ref()?;
    let raw = &written.value;
    let at = Section::new("opcua_server", 0, &written.span);
    let usual = or(format!("127.0.0.1:{PORT}"), "loopback until told otherwise; 4840 is the port of OPC UA (IANA)");
    let listen = desk.text(&at, "listen", raw.listen.as_ref(), usual);
    let address = address_of(desk, &listen);
    let usual = derived(
        if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() },
        "the address of listen",
    );
    let host = desk.text(&at, "host", raw.host.as_ref(), usual);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.sound && !host.value.chars().all(plain) {
        let help = "write the bare name or address, as in \"k12.heat.example\", without opc.tcp:// and port";
        desk.error(&host.place, host.key.as_str(), format!("{:?} is not the name of a host", host.value), help);
    }
    let usual = or(RawOpcuaOrigin::Dispatch, "the least that its people may: their wishes end when they fall silent");
    let origin = desk.choice(&at, "origin", raw.origin.as_ref(), usual, RawOpcuaOrigin::Dispatch);
    let policies = policies(desk, &at, raw);
    let usual = or(false, "who reaches the port has to say who it is");
    let reading = desk.yes_or_no(&at, "allow_unencrypted_reading", raw.allow_unencrypted_reading.as_ref(), usual);
    if reading.value && !address.ip().is_loopback() {
        let help = "anybody on that network reads the station, and nothing tells a client that it speaks with the \
                    station; clients with a certificate need no such opening";
        desk.warn(&reading.place, reading.key.as_str(), "the station can be read unencrypted from outside", help);
    }
    let sessions = count!(
        desk,
        at,
        raw.sessions_max,
        1..=100,
        or(20, "two clients, each with the sessions that it lost in the last minutes")
    );
    let lasts = number!(
        desk,
        at,
        raw.wish_lasts_minutes,
        1.0..=1440.0,
        or(30.0, "Samson TROVIS 557x: 30 min without valid traffic, then the station is on its own")
    );
    let users = users(desk, &at, raw);
    if users.is_empty() && !reading.value {
        let help = "write [[opcua_server.user]] with name and password_hash; `heatstation user hash` makes the hash";
        desk.error(&at.place, "opcua_server", "nobody could log in", help);
    }
    Some(OpcuaServerSettings {
        listen: address,
        host: host.value,
        origin: match origin.value {
            RawOpcuaOrigin::Dispatch => Origin::Dispatch,
            RawOpcuaOrigin::Service => Origin::Service,
            RawOpcuaOrigin::Operator => Origin::Operator,
        },
        policies,
        unencrypted: if reading.value { Unencrypted::MayRead } else { Unencrypted::Refused },
        sessions_max: sessions.value as usize,
        wish_lasts: lasts.duration(),
        users,
    })
}

fn address_of(desk: &mut Desk, listen: &Field<String>) -> SocketAddr {
    let address = listen.value.parse::<SocketAddr>();
    if address.is_err() && listen.sound {
        let help = "write an address and a port, as in \"127.0.0.1:4840\" or \"[::1]:4840\"";
        let what = format!("{:?} is not an address with a port", listen.value);
        desk.error(&listen.place, listen.key.as_str(), what, help);
    }
    address.unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], PORT)))
}

fn policies(desk: &mut Desk, at: &Section, raw: &RawOpcuaServer) -> Vec<OpcuaPolicy> {
    const ALL: [RawOpcuaPolicy; 3] =
        [RawOpcuaPolicy::Aes256Sha256RsaPss, RawOpcuaPolicy::Aes128Sha256RsaOaep, RawOpcuaPolicy::Basic256Sha256];
    let words = |list: &[RawOpcuaPolicy]| list.iter().map(crate::desk::word).collect::<Vec<_>>().join(", ");
    let written: Vec<RawOpcuaPolicy> = raw.policies.iter().map(|policy| policy.value).collect();
    let key = at.key("policies");
    let list = if let Some(first) = raw.policies.first() {
        desk.explain_written(&key, words(&written), &at.at(&first.span));
        written
    } else {
        let reason = "all that is not broken; clients take the strongest that they know";
        desk.explain_default(&key, words(&ALL), reason);
        ALL.to_vec()
    };
    let mut policies: Vec<OpcuaPolicy> = list
        .into_iter()
        .map(|policy| match policy {
            RawOpcuaPolicy::Basic256Sha256 => OpcuaPolicy::Basic256Sha256,
            RawOpcuaPolicy::Aes128Sha256RsaOaep => OpcuaPolicy::Aes128Sha256RsaOaep,
            RawOpcuaPolicy::Aes256Sha256RsaPss => OpcuaPolicy::Aes256Sha256RsaPss,
        })
        .collect();
    policies.dedup();
    policies
}

fn users(desk: &mut Desk, at: &Section, raw: &RawOpcuaServer) -> Vec<OpcuaUser> {
    let mut users: Vec<OpcuaUser> = Vec::new();
    for written in &raw.user {
        let raw = &written.value;
        let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
        let at = at.inner::<()>(&format!("user.{called}"), None);
        let at = Section { place: at.at(&written.span), ..at };
        let name = desk.name(&at, "name", raw.name.as_ref());
        if users.iter().any(|user| user.name == name.value) {
            let help = "give each user a name of its own: it stands in the records";
            desk.error(&name.place, name.key.as_str(), format!("there is a user {} already", name.value), help);
        }
        let hash = password_hash(desk, &at, raw.password_hash.as_ref());
        let usual = or(RawOpcuaRole::View, "who shall ask for something is named");
        let role = desk.choice(&at, "role", raw.role.as_ref(), usual, RawOpcuaRole::View);
        let role = match role.value {
            RawOpcuaRole::View => OpcuaRole::View,
            RawOpcuaRole::Operate => OpcuaRole::Operate,
        };
        users.push(OpcuaUser { name: name.value, password_hash: hash.value, role });
    }
    users
}

/// Memory that one check of a password may take, KiB: a login must not take the memory that control needs. OWASP's
/// parameters are 19 MiB (Password Storage Cheat Sheet), which is what `heatstation user hash` writes.
const MEMORY_MAX: u64 = 64 * 1024;
const PASSES_MAX: u64 = 10;
const LANES_MAX: u64 = 4;

fn password_hash(desk: &mut Desk, at: &Section, raw: Option<&Written<String>>) -> Field<String> {
    let example = Otherwise::Required("\"$argon2id$v=19$m=19456,t=2,p=1$…\"");
    let mut hash = desk.secret(at, "password_hash", raw, example);
    if hash.written && hash.sound {
        let what = match cost_of(&hash.value) {
            None => "is not an Argon2id hash",
            Some((memory, passes, lanes)) if memory > MEMORY_MAX || passes > PASSES_MAX || lanes > LANES_MAX => {
                "asks for more memory or time than a login may take"
            }
            Some(_) => return hash,
        };
        let help = "write what `heatstation user hash` prints; it reads the password from the terminal";
        desk.error(&hash.place, hash.key.as_str(), what, help);
        hash.sound = false;
    }
    hash
}

/// Memory in KiB, passes and lanes of a hash in the PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
fn cost_of(hash: &str) -> Option<(u64, u64, u64)> {
    let parts: Vec<&str> = hash.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, digest] = parts.as_slice() else { return None };
    let base64 =
        |text: &str| text.len() >= 8 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/');
    let costs: Vec<&str> = costs.split(',').collect();
    let [memory, passes, lanes] = costs.as_slice() else { return None };
    let number = |text: &str, name: &str| text.strip_prefix(name)?.parse().ok();
    let cost = (number(memory, "m=")?, number(passes, "t=")?, number(lanes, "p=")?);
    (base64(salt) && base64(digest)).then_some(cost)
}

#[cfg(test)]
mod tests {
    use super::cost_of;

    #[test]
    fn a_hash_is_known_by_its_form_and_its_cost() {
        let sound = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(cost_of(sound), Some((19_456, 2, 1)));
        for wrong in
            ["", "secret", "$argon2i$v=19$m=1,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1a", "$2b$12$abcdefgh", &sound[..40]]
        {
            assert_eq!(cost_of(wrong), None, "{wrong}");
        }
    }
}
