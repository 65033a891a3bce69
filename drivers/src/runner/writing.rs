//! What is written, and what is asked for its sake: the value that stands there, and the device's watchdog.

use heatstation_points::Fault;

use super::Runner;
use crate::bus::{Bus, BusError, Refusal, Span, Write};
use crate::decode::decode;
use crate::encoding::Encoding;
use crate::output::{Output, RegisterPlace};
use crate::settings::{ReadBack, Register, Table, WriteFunction};
use crate::wire::look;

impl<B: Bus> Runner<B> {
    pub(super) async fn read_back(&mut self, place: usize) {
        let output = &self.outputs[place];
        let (device, slot) = (output.place.device, output.place.slot);
        let span = read_back_span(&output.place.register, self.settings.devices[device].modbus_unit);
        let asked_at = self.now();
        let outcome = self.bus.read(span).await;
        self.note(device, asked_at, outcome.as_ref().map(|_| ()));
        match outcome {
            Ok(words) => {
                let value = decode(&self.outputs[place].place.register, &words);
                self.take(slot, asked_at, value);
            }
            Err(BusError::Refused(Refusal::Busy | Refusal::Failure(_))) => self.outputs[place].ask_later(asked_at),
            // It cannot say what it holds. It is written all the same, at the pace of the contested.
            Err(BusError::Refused(_)) => self.take(slot, asked_at, Err(Fault::Refused)),
            Err(_) => {}
        }
    }

    /// Reads the time of a device's watchdog before anything is written to it.
    pub(super) async fn ask_watchdog(&mut self, device: usize) {
        let Some(span) = self.watchdogs[device].span() else { return };
        let asked_at = self.now();
        let outcome = self.bus.read(span).await;
        // A device that fails on this one register is well otherwise: its readings are not given up for it.
        let answered = match &outcome {
            Err(BusError::Refused(Refusal::Failure(_))) => Err(&BusError::Refused(Refusal::Address)),
            other => other.as_ref().map(|_| ()),
        };
        self.note(device, asked_at, answered);
        let word = match outcome {
            Ok(words) => words.first().copied(),
            Err(BusError::Refused(Refusal::Function | Refusal::Address | Refusal::Value | Refusal::Failure(_))) => None,
            Err(BusError::Refused(Refusal::Busy)) => return self.watchdogs[device].ask_later(asked_at),
            // Not an answer: it is asked again when the device or the connection is back.
            Err(BusError::Silent | BusError::Broken(_) | BusError::Nonsense(_) | BusError::Unreachable { .. }) => {
                return;
            }
        };
        let now = self.now();
        let news = self.watchdogs[device].says(word, now);
        if news {
            let (wire, name) = (&self.settings.name, &self.settings.devices[device].name);
            if let Some(unfit) = self.watchdogs[device].unfit() {
                tracing::warn!(wire, device = name, %unfit, "nothing is written to this device");
            } else {
                tracing::info!(wire, device = name, "the watchdog of the device is as it must be");
            }
        }
    }

    /// Sends what these outputs shall be: one of them, or several at neighbouring addresses in one request.
    pub(super) async fn write(&mut self, places: &[usize]) {
        let Some(&first) = places.first() else { return };
        let device = self.outputs[first].place.device;
        let unit = self.settings.devices[device].modbus_unit;
        let composed = if places.len() == 1 { self.compose(first).await } else { self.compose_merged(places) };
        let Some(write) = composed else { return };
        let sent_at = self.now();
        // Composing may have taken a request of its own; the wish is still young enough, or nothing is sent.
        if places.iter().any(|&place| self.outputs[place].is_expired(sent_at)) {
            return;
        }
        self.each(places, |output| output.sending(sent_at));
        look(&self.shown).statistics.writes_total += 1;
        self.show_outputs();
        let outcome = self.bus.write(unit, &write).await;
        self.note(device, sent_at, outcome.as_ref().copied());
        let now = self.now();
        match outcome {
            Ok(()) => self.each(places, |output| output.accepted(now)),
            // Which of them the device does not take it does not say: they are asked for and sent one by one.
            Err(BusError::Refused(Refusal::Function | Refusal::Address | Refusal::Value)) if places.len() > 1 => {
                tracing::warn!(
                    wire = self.settings.name,
                    device = self.settings.devices[device].name,
                    "a merged write was refused; from here on they are sent one by one"
                );
                self.unmerged[device] = true;
                self.each(places, |output| output.ask_later(now));
            }
            Err(BusError::Refused(refusal)) => {
                self.each(places, |output| output.refused(now, refusal));
            }
            Err(error) => {
                let names: Vec<&str> = places.iter().map(|&place| self.outputs[place].place.register.name()).collect();
                tracing::warn!(wire = self.settings.name, points = ?names, %error, "write without answer");
            }
        }
        self.show_outputs();
    }

    fn each(&mut self, places: &[usize], tell: impl Fn(&mut Output<RegisterPlace>)) {
        for &place in places {
            tell(&mut self.outputs[place]);
        }
    }

    /// The one request that writes several outputs, which stand at neighbouring addresses in this order.
    fn compose_merged(&self, places: &[usize]) -> Option<Write> {
        let first = &self.outputs[*places.first()?].place.register;
        let mut words = Vec::new();
        for &place in places {
            words.extend_from_slice(self.outputs[place].said()?);
        }
        let address = first.address;
        Some(if first.table.holds_bits() {
            Write::MultipleCoils { address, on: words.into_iter().map(Into::into).collect() }
        } else {
            Write::MultipleRegisters { address, words }
        })
    }

    /// The request that writes this output; for a bit of a word that can only be written whole, the word is read first.
    async fn compose(&mut self, place: usize) -> Option<Write> {
        let output = &self.outputs[place];
        let (register, words) = (&output.place.register, output.said()?.clone());
        let function = register.write.as_ref()?.function;
        let (address, &word) = (register.address, words.first()?);
        let Some(mask) = mask_of(register) else { return Some(write_of(register.table, function, address, words)) };
        if function != WriteFunction::ReadModifyWrite {
            return Some(Write::MaskRegister { address, and: !mask, or: word });
        }
        let device = output.place.device;
        let unit = self.settings.devices[device].modbus_unit;
        let asked_at = self.now();
        let outcome = self.bus.read(Span { unit, table: Table::HoldingRegister, address, count: 1 }).await;
        self.note(device, asked_at, outcome.as_ref().map(|_| ()));
        match outcome {
            Ok(held) => Some(Write::SingleRegister { address, word: (held.first()? & !mask) | word }),
            Err(BusError::Refused(refusal)) => {
                self.outputs[place].refused(asked_at, refusal);
                None
            }
            Err(_) => None,
        }
    }
}

/// The mask of a bit of a word; none for whatever is written whole.
pub(crate) fn mask_of(register: &Register) -> Option<u16> {
    match register.encoding {
        Encoding::Bit { bit: Some(bit), .. } if !register.table.holds_bits() => Some(1 << bit),
        _ => None,
    }
}

/// The request that writes these words whole.
pub(crate) fn write_of(table: Table, function: WriteFunction, address: u16, words: Vec<u16>) -> Write {
    let is_many = function == WriteFunction::MultipleRegisters || 1 < words.len();
    match (table.holds_bits(), function) {
        (true, WriteFunction::MultipleCoils) => {
            Write::MultipleCoils { address, on: words.into_iter().map(Into::into).collect() }
        }
        (true, _) => Write::SingleCoil { address, on: words[0].into() },
        (false, _) if is_many => Write::MultipleRegisters { address, words },
        (false, _) => Write::SingleRegister { address, word: words[0] },
    }
}

/// Where an output is verified.
pub(crate) fn read_back_span(register: &Register, unit: u8) -> Span {
    let (table, address) = match register.write.as_ref().map(|rules| &rules.read_back) {
        Some(ReadBack::OtherRegister { table, address }) => (*table, *address),
        _ => (register.table, register.address),
    };
    Span { unit, table, address, count: register.width() }
}
