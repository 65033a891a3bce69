//! Servers and items for the tests of this room.

use std::path::PathBuf;
use std::time::Duration;

use super::pki::OwnIdentity;
use super::settings::{DeadBand, Item, Mode, Policy, Reading, Security, ServerSettings, User};
use crate::testing::definition;

pub(crate) fn item(point: &str, node: &str) -> Item {
    Item {
        definition: definition(point),
        node: node.parse().unwrap(),
        index: None,
        scale: 1.0,
        offset: 0.0,
        inverted: false,
        sampling: Duration::from_secs(1),
        queue: 1,
        dead_band: DeadBand::None,
        write: None,
    }
}

pub(crate) fn server(items: Vec<Item>) -> ServerSettings {
    ServerSettings {
        name: "plc".to_owned(),
        url: "opc.tcp://127.0.0.1:4840".to_owned(),
        security: Security { policy: Policy::Basic256Sha256, mode: Mode::SignAndEncrypt },
        user: User::Anonymous,
        timeout: Duration::from_secs(1),
        reconnect_min: Duration::from_secs(1),
        reconnect_max: Duration::from_secs(60),
        reading: Reading::Subscribe,
        publishing: Duration::from_secs(1),
        silent_after: 5,
        source_age_max: None,
        pki: PathBuf::from("pki"),
        identity: OwnIdentity { station: "k12".to_owned(), addresses: Vec::new() },
        items,
    }
}
