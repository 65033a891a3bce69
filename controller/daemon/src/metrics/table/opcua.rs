//! Rows of the OPC UA server: who is there, and what is asked.

use super::{About, Number, Table, whole};

pub(super) fn rows(table: &mut Table, about: About) {
    let Some(counted) = about.opcua else { return };
    let gauges = [
        (("heatstation_opcua_sessions", ""), "Sessions of OPC UA clients that are open.", whole(counted.sessions)),
        (("heatstation_opcua_connections", ""), "Connections to the OPC UA server.", whole(counted.connections)),
        (
            ("heatstation_opcua_certificate_expiry_timestamp", "seconds"),
            "Until when the own certificate of OPC UA is valid.",
            Number::Real(counted.certificate_not_after as f64),
        ),
    ];
    for (name, help, value) in gauges {
        let value = table.alone(value);
        table.gauge(name, help, value);
    }
    let counters = [
        (("heatstation_opcua_requests_filed", ""), "Writes and calls that were filed as requests.", counted.filed),
        (
            ("heatstation_opcua_requests_refused", ""),
            "Writes and calls that were refused, at the door or by the control.",
            counted.refused,
        ),
        (("heatstation_opcua_logins_refused", ""), "Logins that were refused.", counted.logins_refused),
        (
            ("heatstation_opcua_connections_turned_away", ""),
            "Connections that were closed at once: too many, or too fast.",
            counted.turned_away,
        ),
    ];
    for (name, help, value) in counters {
        let value = table.alone(whole(value));
        table.counter(name, help, value);
    }
}
