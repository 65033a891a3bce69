//! The lines to register devices: how each is reached, and its times.

use heatstation_drivers::SettingsProblem;
use heatstation_drivers::settings::WireSettings;

use crate::desk::{Desk, Otherwise, Section, number, or};
use crate::raw::{RawProtocol, RawWire};
use crate::written::Written;

pub(crate) fn check(desk: &mut Desk, written: &Written<RawWire>) -> (Section, WireSettings) {
    let raw = &written.value;
    let called = raw.name.as_ref().map_or("?", |name| name.value.as_str());
    let at = Section::new(format!("wire.{called}"), 0, &written.span);
    let name = desk.name(&at, "name", raw.name.as_ref());
    let only = or(RawProtocol::ModbusTcp, "the protocol of station cabinets");
    let RawProtocol::ModbusTcp =
        desk.choice(&at, "protocol", raw.protocol.as_ref(), only, RawProtocol::ModbusTcp).value;
    let address = desk.text(&at, "address", raw.address.as_ref(), Otherwise::Required("\"192.168.1.10:502\""));
    let mut wire = WireSettings::modbus_tcp(name.value, address.value.clone());

    let timeout = number!(
        desk,
        at,
        raw.timeout_milliseconds,
        10.0..=5000.0,
        or(500.0, "several times a local answer; a supply that is too hot must close the valve within 5 s")
    );
    let reconnect_min = number!(
        desk,
        at,
        raw.reconnect_min_seconds,
        0.1..=600.0,
        or(wire.reconnect_min.as_secs_f64(), "a device that restarts is back within seconds")
    );
    let reconnect_max = number!(
        desk,
        at,
        raw.reconnect_max_seconds,
        0.1..=3600.0,
        or(wire.reconnect_max.as_secs_f64(), "the usual watchdog of a drive is 60 s")
    );
    let pause = number!(
        desk,
        at,
        raw.pause_between_requests_milliseconds,
        0.0..=5000.0,
        or(0.0, "devices that need a pause say so in their manual")
    );
    let warm_up = number!(
        desk,
        at,
        raw.pause_after_connect_milliseconds,
        0.0..=60_000.0,
        or(0.0, "devices that need a pause say so in their manual")
    );
    desk.not_above(&reconnect_min, &reconnect_max, "the wait doubles from the first to the longest");
    wire.timeout = timeout.duration();
    wire.reconnect_min = reconnect_min.duration();
    wire.reconnect_max = reconnect_max.duration();
    wire.pause_between_requests = pause.duration();
    wire.pause_after_connect = warm_up.duration();

    if address.sound && wire.problems().iter().any(|problem| matches!(problem, SettingsProblem::Address { .. })) {
        let help = "write host:port, as in \"192.168.1.10:502\" or \"[fd00::1]:502\"";
        desk.error(&address.place, address.key.as_str(), format!("{:?} is not host:port", address.value), help);
    }
    (at, wire)
}
