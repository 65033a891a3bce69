//! Commands on their way, wires, and the devices behind them.

use std::borrow::Cow;

use heatstation_drivers::breaker::BreakerState;
use heatstation_drivers::output::OutputState;
use heatstation_drivers::schedule::Class;
use heatstation_points::Unit;

use super::{Labels, Number, Table, count, readings, seconds, states, whole};

impl Table<'_> {
    pub(super) fn outputs(&mut self) {
        let catalogue = &self.snapshot.facts.catalogue;
        let (mut ratios, mut switches, mut progress) = (Vec::new(), Vec::new(), Vec::new());
        let (mut transitions, mut foreign, mut wear) = (Vec::new(), Vec::new(), Vec::new());
        for command in &self.snapshot.commands {
            let Some(definition) = catalogue.definition(command.point) else { continue };
            let labels = self.with(readings::labels_of(catalogue, definition));
            let into = if definition.unit == Unit::Switch { &mut switches } else { &mut ratios };
            into.push((labels.clone(), Number::Real(command.value)));
            let Some(status) = &command.status else { continue };
            for (name, value) in states(OutputState::ALL.map(OutputState::name), status.state.name()) {
                let mut labels = labels.clone();
                labels.push(("state", Cow::Borrowed(name)));
                progress.push((labels, value));
            }
            for (state, entered) in OutputState::ALL.into_iter().zip(status.entered_total) {
                let mut labels = labels.clone();
                labels.push(("state", Cow::Borrowed(state.name())));
                transitions.push((labels, whole(entered)));
            }
            foreign.push((labels.clone(), whole(status.disturbances_total)));
            wear.extend(status.wear.map(|wear| (labels, Number::Real(wear.left))));
        }
        self.gauge(("heatstation_output_command", "ratio"), "What is sent to a position or a speed.", ratios);
        self.gauge(("heatstation_output_command_switch", ""), "What is sent to a switch: 1 on, 0 off.", switches);
        let help = "1 for how far a command got; confirmed means read back from the device.";
        self.gauge(("heatstation_output_state", ""), help, progress);
        let help = "How often a command came to each state: sent, accepted, confirmed, mismatch, refused, expired …";
        self.counter(("heatstation_output_transitions", ""), help, transitions);
        let help = "How often a confirmed command was found changed by somebody else.";
        self.counter(("heatstation_output_foreign_writes", ""), help, foreign);
        let help = "Writes that memory which wears out may still take now; below 0 when safety wrote beyond them.";
        self.gauge(("heatstation_output_writes_left", ""), help, wear);
    }

    pub(super) fn wires(&mut self) {
        let wires = &self.snapshot.wires;
        let each = |value: &dyn Fn(&crate::snapshot::WireShown) -> Option<Number>| -> Vec<(Labels, Number)> {
            let one = |wire| -> Option<(Labels, Number)> {
                let wire: &crate::snapshot::WireShown = wire;
                Some((self.with([("wire", Cow::Owned(wire.name.clone()))]), value(wire)?))
            };
            wires.iter().filter_map(one).collect()
        };
        let connected = each(&|wire| Some(whole(wire.statistics.is_connected)));
        let connections = each(&|wire| Some(whole(wire.statistics.connections_total)));
        let requests = each(&|wire| Some(whole(wire.statistics.requests_total)));
        let writes = each(&|wire| Some(whole(wire.statistics.writes_total)));
        let round_trip = each(&|wire| wire.statistics.last_round_trip.map(seconds));
        let backlog = each(&|wire| Some(seconds(wire.statistics.backlog)));
        let oldest = each(&|wire| wire.oldest_age.map(seconds));
        let mut failures = Vec::new();
        for wire in wires {
            for (cause, number) in wire.statistics.failures_total.by_cause() {
                let labels = [("wire", Cow::Owned(wire.name.clone())), ("cause", Cow::Borrowed(cause))];
                failures.push((self.with(labels), whole(number)));
            }
        }
        self.devices();
        self.gauge(("heatstation_wire_connected", ""), "Whether there is a connection now.", connected);
        self.counter(("heatstation_wire_connections", ""), "How often a connection was made.", connections);
        self.counter(("heatstation_wire_requests", ""), "Requests sent, reads and writes.", requests);
        self.counter(("heatstation_wire_writes", ""), "Requests sent that were writes.", writes);
        let help = "Failures of requests and of connections, by cause.";
        self.counter(("heatstation_wire_failures", ""), help, failures);
        self.gauge(("heatstation_wire_round_trip", "seconds"), "Duration of the last answered request.", round_trip);
        let help = "How late the latest read was; above its period the wire has more to do than it can.";
        self.gauge(("heatstation_wire_backlog", "seconds"), help, backlog);
        self.gauge(("heatstation_wire_oldest_sample_age", "seconds"), "Age of the oldest good sample.", oldest);
        self.messages();
        self.senders();
    }

    /// What waits, by class; and each device behind the wires.
    fn devices(&mut self) {
        let (mut waiting, mut breakers) = (Vec::new(), Vec::new());
        let (mut openings, mut refused) = (Vec::new(), Vec::new());
        for wire in &self.snapshot.wires {
            for (class, time) in Class::ALL.into_iter().zip(wire.statistics.waiting) {
                let labels = [("wire", Cow::Owned(wire.name.clone())), ("class", Cow::Borrowed(class.name()))];
                waiting.push((self.with(labels), seconds(time)));
            }
            for device in &wire.statistics.devices {
                let labels =
                    self.with([("wire", Cow::Owned(wire.name.clone())), ("device", Cow::Owned(device.name.clone()))]);
                for (name, value) in states(BreakerState::ALL.map(BreakerState::name), device.breaker.name()) {
                    let mut labels = labels.clone();
                    labels.push(("state", Cow::Borrowed(name)));
                    breakers.push((labels, value));
                }
                openings.push((labels.clone(), whole(device.openings_total)));
                refused.push((labels, count(device.quarantined.len())));
            }
        }
        let help = "For how long the oldest request of each class has waited for the line.";
        self.gauge(("heatstation_wire_waiting", "seconds"), help, waiting);
        let help =
            "1 for what is thought of a device: closed answers, suspect failed once, open is probed now and then.";
        self.gauge(("heatstation_device_breaker", ""), help, breakers);
        let help = "How often a device stopped answering.";
        self.counter(("heatstation_device_breaker_openings", ""), help, openings);
        let help = "Registers that the device refuses to give and that are left out for now.";
        self.gauge(("heatstation_device_refused_registers", ""), help, refused);
    }

    /// What only connections have whose values come by themselves, and that know certificates.
    fn senders(&mut self) {
        let (mut messages, mut gaps, mut expiries) = (Vec::new(), Vec::new(), Vec::new());
        let mut own: Option<i64> = None;
        for wire in &self.snapshot.wires {
            let labels = || self.with([("wire", Cow::Owned(wire.name.clone()))]);
            messages.push((labels(), whole(wire.statistics.messages_total)));
            gaps.push((labels(), whole(wire.statistics.gaps_total)));
            own = own.or(wire.statistics.certificates.own);
            if let Some(until) = wire.statistics.certificates.partner {
                let of = [("certificate", Cow::Owned(wire.name.clone()))];
                expiries.push((self.with(of), Number::Real(until as f64)));
            }
        }
        if let Some(until) = own {
            expiries.push((self.with([("certificate", Cow::Borrowed("own"))]), Number::Real(until as f64)));
        }
        let help = "Messages that came by themselves, keep-alives among them.";
        self.counter(("heatstation_wire_messages", ""), help, messages);
        let help = "How often values may have changed unseen, until everything was read again.";
        self.counter(("heatstation_wire_gaps", ""), help, gaps);
        let help =
            "When a certificate expires; own is this program's, the others are named as the wires that meet them.";
        self.gauge(("heatstation_certificate_expiry_timestamp", "seconds"), help, expiries);
    }

    /// What came by itself, where anything does.
    fn messages(&mut self) {
        let (mut records, mut strangers) = (Vec::new(), Vec::new());
        for wire in &self.snapshot.wires {
            let Some(messages) = &wire.statistics.messages else { continue };
            for (outcome, number) in messages.counts.by_outcome() {
                let labels = [("wire", Cow::Owned(wire.name.clone())), ("outcome", Cow::Borrowed(outcome))];
                records.push((self.with(labels), whole(number)));
            }
            let labels = self.with([("wire", Cow::Owned(wire.name.clone()))]);
            strangers.push((labels, count(messages.strangers.len())));
        }
        let help = "Records that came by message, by what became of them.";
        self.counter(("heatstation_message_records", ""), help, records);
        let help = "Ids that nobody knows, of a hundred that are listed at most; see /api/v1/intake.";
        self.gauge(("heatstation_message_unknown_ids", ""), help, strangers);
    }
}
