//! The task behind a wire: it alone owns the bus, and does one thing at a time.
//!
//! Outputs go before reads, the earliest deadline before later ones; after a few output requests in a row an overdue
//! read has its turn, so that a controller that changes its mind each second cannot blind itself. Waiting is the only
//! thing that is ever cut short; a request under way always comes to its answer or its time-out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heatstation_points::{Fault, Sample, Value};
use tokio::sync::watch;

use crate::bus::{Bus, BusError, Refusal, Span, Write};
use crate::decode::decode;
use crate::device_watchdog::{DeviceWatchdog, Leave};
use crate::encoding::Encoding;
use crate::output::{Action, DesiredOutputs, Output, RegisterPlace};
use crate::poller::{Lost, Poller, backoff};
use crate::settings::{ReadBack, Register, Table, WireSettings, WriteFunction};
use crate::wire::{Shown, look};

/// So many output requests in a row before a read that is due has its turn.
const OUTPUTS_IN_A_ROW: u32 = 8;
/// The shortest sleep: what is due already is not slept for, so this only keeps an oversight from spinning.
const SLEEP_MIN: Duration = Duration::from_millis(1);
/// The longest sleep: a bound for whatever this module has overlooked.
const SLEEP_MAX: Duration = Duration::from_secs(1);

pub(crate) struct Runner<B> {
    bus: B,
    settings: WireSettings,
    epoch: tokio::time::Instant,
    shown: Arc<Mutex<Shown>>,
    wishes: watch::Receiver<DesiredOutputs>,
    pollers: Vec<Poller>,
    watchdogs: Vec<DeviceWatchdog>,
    /// Place in `shown.samples` of the first register of each device.
    first_slots: Vec<usize>,
    outputs: Vec<Output<RegisterPlace>>,
    outputs_in_a_row: u32,
    /// Failed attempts in a row to get anything out of this wire.
    attempts: u32,
    reconnect_at: Duration,
}

enum Job {
    Write(usize),
    ReadBack(usize),
    AskWatchdog(usize),
    Read { device: usize, block: usize },
    Sleep(Duration),
}

impl<B: Bus> Runner<B> {
    pub(crate) fn new(
        bus: B,
        settings: WireSettings,
        epoch: Instant,
        shown: Arc<Mutex<Shown>>,
        wishes: watch::Receiver<DesiredOutputs>,
    ) -> Runner<B> {
        let pollers = settings.devices.iter().enumerate().map(|(number, device)| Poller::new(number, device)).collect();
        let watchdogs = settings.devices.iter().map(DeviceWatchdog::of).collect();
        let mut first_slots = Vec::new();
        let mut outputs = Vec::new();
        let mut slot = 0;
        for (number, device) in settings.devices.iter().enumerate() {
            first_slots.push(slot);
            for register in &device.registers {
                outputs.extend(RegisterPlace::of(number, slot, register).map(Output::new));
                slot += 1;
            }
        }
        let epoch = tokio::time::Instant::from_std(epoch);
        let mut runner = Runner {
            bus,
            settings,
            epoch,
            shown,
            wishes,
            pollers,
            watchdogs,
            first_slots,
            outputs,
            outputs_in_a_row: 0,
            attempts: 0,
            reconnect_at: Duration::ZERO,
        };
        // The outputs are seen as idle from the first moment on.
        runner.take_wishes();
        runner
    }

    /// Until the handle is gone.
    pub(crate) async fn run(mut self) {
        while let Ok(news) = self.wishes.has_changed() {
            if news {
                self.take_wishes();
            }
            let now = self.now();
            self.mark_silent(now);
            if self.bus.is_connected() {
                match self.next_job(now) {
                    Job::Write(output) => self.write(output).await,
                    Job::ReadBack(output) => self.read_back(output).await,
                    Job::AskWatchdog(device) => self.ask_watchdog(device).await,
                    Job::Read { device, block } => self.read(device, block).await,
                    Job::Sleep(until) => self.sleep(until).await,
                }
            } else if self.reconnect_at <= now {
                self.connect().await;
            } else {
                // Expiry shows even while nothing can be sent.
                let until = self.next_job_time(now).min(self.reconnect_at);
                self.sleep(until).await;
            }
        }
        self.bus.disconnect();
        look(&self.shown).statistics.is_connected = false;
    }

    fn now(&self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(self.epoch)
    }

    async fn sleep(&mut self, until: Duration) {
        let now = self.now();
        let until = until.clamp(now + SLEEP_MIN, now + SLEEP_MAX);
        tokio::select! {
            () = tokio::time::sleep_until(self.epoch + until) => {}
            // News or the end of the handle; the loop looks which.
            _ = self.wishes.changed() => self.wishes.mark_changed(),
        }
    }

    fn take_wishes(&mut self) {
        let wishes = self.wishes.borrow_and_update().clone();
        for output in &mut self.outputs {
            output.wish(&wishes);
        }
        self.show_outputs();
    }

    fn show_outputs(&self) {
        let mut shown = look(&self.shown);
        shown.outputs.clear();
        shown.outputs.extend(self.outputs.iter().map(Output::status));
    }

    // ---- what is next -------------------------------------------------------------------------------------------

    fn next_job(&mut self, now: Duration) -> Job {
        let mut wake = Duration::MAX;
        let mut read_back = None;
        let mut write = None;
        let mut ask = None;
        for (place, output) in self.outputs.iter_mut().enumerate() {
            let (poller, watchdog) = (&self.pollers[output.place.device], &self.watchdogs[output.place.device]);
            match output.next(now) {
                Action::Write if poller.is_available(now) => match watchdog.leave(now) {
                    Leave::Given => write = write.or(Some(place)),
                    Leave::Ask => ask = ask.or(Some(output.place.device)),
                    Leave::Denied { until } => {
                        if let Some(unfit) = watchdog.unfit() {
                            output.denied(unfit);
                        }
                        wake = wake.min(until);
                    }
                },
                Action::ReadBack if poller.is_available(now) => read_back = read_back.or(Some(place)),
                Action::Write | Action::ReadBack => wake = wake.min(poller.quiet_until()),
                Action::Wait(until) => wake = wake.min(until),
                Action::Rest => {}
            }
        }
        self.show_outputs();

        let read = self.most_urgent_read(now);
        let is_reads_turn = read.is_some() && OUTPUTS_IN_A_ROW <= self.outputs_in_a_row;
        if let Some(device) = ask.filter(|_| !is_reads_turn) {
            self.outputs_in_a_row += 1;
            return Job::AskWatchdog(device);
        }
        match (write, read_back, read) {
            (Some(output), _, _) if !is_reads_turn => {
                self.outputs_in_a_row += 1;
                Job::Write(output)
            }
            (_, Some(output), _) if !is_reads_turn => {
                self.outputs_in_a_row += 1;
                Job::ReadBack(output)
            }
            (_, _, Some((device, block))) => {
                self.outputs_in_a_row = 0;
                Job::Read { device, block }
            }
            (_, _, None) => Job::Sleep(wake.min(self.next_due())),
        }
    }

    fn next_job_time(&mut self, now: Duration) -> Duration {
        for poller in &mut self.pollers {
            poller.replan(now);
        }
        for output in &mut self.outputs {
            // For its side of the story alone: a wish that has grown too old says so.
            output.next(now);
        }
        self.show_outputs();
        self.next_due()
    }

    fn most_urgent_read(&mut self, now: Duration) -> Option<(usize, usize)> {
        let mut backlog = Duration::ZERO;
        let mut best = None;
        for (device, poller) in self.pollers.iter_mut().enumerate() {
            poller.replan(now);
            backlog = backlog.max(poller.backlog(now));
            if let Some((deadline, block)) = poller.most_urgent(now).filter(|_| poller.is_available(now)) {
                best = best.min(Some((deadline, device, block))).or(Some((deadline, device, block)));
            }
        }
        look(&self.shown).statistics.backlog = backlog;
        best.map(|(_, device, block)| (device, block))
    }

    fn next_due(&self) -> Duration {
        self.pollers.iter().filter_map(Poller::next_due).min().unwrap_or(Duration::MAX)
    }

    // ---- connection ---------------------------------------------------------------------------------------------

    async fn connect(&mut self) {
        let outcome = self.bus.connect().await;
        let now = self.now();
        let mut shown = look(&self.shown);
        match outcome {
            Ok(()) => {
                shown.statistics.is_connected = true;
                shown.statistics.connections_total += 1;
                drop(shown);
                for poller in &mut self.pollers {
                    poller.reconnected(now);
                }
                self.watchdogs.iter_mut().for_each(DeviceWatchdog::forget);
                tracing::info!(wire = self.settings.name, "connected");
            }
            Err(error) => {
                shown.statistics.failures_total.count(&error);
                drop(shown);
                if self.attempts == 0 {
                    tracing::warn!(wire = self.settings.name, %error, "no connection; trying on");
                }
                self.attempts = self.attempts.saturating_add(1);
                self.reconnect_at = now + backoff(self.attempts, &self.settings);
            }
        }
    }

    /// Whatever has become due for a device that nobody can ask is silent, at the pace at which it would be read.
    fn mark_silent(&mut self, now: Duration) {
        let is_connected = self.bus.is_connected();
        for device in 0..self.pollers.len() {
            let poller = &mut self.pollers[device];
            let until = match (is_connected, poller.is_available(now)) {
                (true, true) => continue,
                (true, false) => poller.quiet_until(),
                (false, true) if self.reconnect_at <= now => continue,
                (false, _) => poller.quiet_until().max(self.reconnect_at),
            };
            for lost in poller.silent(now, until) {
                self.lose(device, now, &lost);
            }
        }
    }

    fn lose(&self, device: usize, now: Duration, lost: &Lost) {
        let mut shown = look(&self.shown);
        for register in &lost.registers {
            let sample = &mut shown.samples[self.first_slots[device] + register];
            *sample = Sample::plain(sample.point, Err(lost.fault), now);
        }
    }

    /// What every request tells: counters, and after a failure what is to become of device and connection.
    fn note(&mut self, device: usize, asked_at: Duration, outcome: Result<(), &BusError>) {
        let now = self.now();
        let mut shown = look(&self.shown);
        let statistics = &mut shown.statistics;
        statistics.requests_total += 1;
        statistics.is_connected = self.bus.is_connected();
        match outcome {
            Ok(()) | Err(BusError::Refused(_)) => statistics.last_round_trip = Some(now.saturating_sub(asked_at)),
            Err(_) => {}
        }
        if let Err(error) = outcome {
            statistics.failures_total.count(error);
        }
        drop(shown);

        match outcome {
            Ok(()) | Err(BusError::Refused(Refusal::Function | Refusal::Address | Refusal::Value | Refusal::Busy)) => {
                self.pollers[device].answered();
                self.attempts = 0;
            }
            Err(BusError::Refused(Refusal::Failure(_))) => {
                self.attempts = 0;
                self.back_off(device, now, outcome);
            }
            Err(_) => {
                self.back_off(device, now, outcome);
                self.disconnected(now);
            }
        }
    }

    fn back_off(&mut self, device: usize, now: Duration, outcome: Result<(), &BusError>) {
        if let Err(error) = outcome
            && self.pollers[device].is_first_failure()
        {
            let name = &self.settings.devices[device].name;
            tracing::warn!(wire = self.settings.name, device = name, %error, "device failed; waiting before the next request");
        }
        self.pollers[device].failed(now, &self.settings);
    }

    /// A wire that has just been of use is connected again at once, for the sake of the other devices on it; one that
    /// only ever takes connections and says nothing has to wait longer each time.
    fn disconnected(&mut self, now: Duration) {
        self.bus.disconnect();
        look(&self.shown).statistics.is_connected = false;
        for output in &mut self.outputs {
            output.disconnected();
        }
        self.watchdogs.iter_mut().for_each(DeviceWatchdog::forget);
        self.reconnect_at = if self.attempts == 0 { now } else { now + backoff(self.attempts, &self.settings) };
        self.attempts = self.attempts.saturating_add(1);
    }

    // ---- reading ------------------------------------------------------------------------------------------------

    async fn read(&mut self, device: usize, block: usize) {
        let request = self.pollers[device].request(block).clone();
        let asked_at = self.now();
        let span =
            Span { unit: request.modbus_unit, table: request.table, address: request.address, count: request.count };
        let outcome = self.bus.read(span).await;
        self.note(device, asked_at, outcome.as_ref().map(|_| ()));
        let now = self.now();
        match outcome {
            Ok(answer) => {
                self.pollers[device].done(block, asked_at);
                for &place in &request.registers {
                    let register = &self.settings.devices[device].registers[place];
                    let value =
                        request.words_of(register, &answer).map_or(Err(Fault::Refused), |w| decode(register, w));
                    self.take(self.first_slots[device] + place, asked_at, value);
                }
            }
            Err(BusError::Refused(refusal)) => {
                let settings = &self.settings.devices[device];
                let lost = self.pollers[device].refused(block, now, settings, refusal);
                if let Some(lost) = lost {
                    let names: Vec<&str> =
                        lost.registers.iter().map(|&place| settings.registers[place].name()).collect();
                    tracing::warn!(wire = self.settings.name, device = settings.name, points = ?names, %refusal, "not readable");
                    self.lose(device, now, &lost);
                }
            }
            Err(_) => {
                self.pollers[device].done(block, asked_at);
                self.lose(device, now, &Lost { registers: request.registers, fault: Fault::Silent });
            }
        }
    }

    /// One value of one register, whether it was polled or read back.
    fn take(&mut self, slot: usize, asked_at: Duration, value: Result<Value, Fault>) {
        {
            let mut shown = look(&self.shown);
            let sample = &mut shown.samples[slot];
            *sample = Sample::plain(sample.point, value, asked_at);
        }
        if let Some(output) = self.outputs.iter_mut().find(|output| output.place.slot == slot) {
            output.holds(asked_at, value);
        }
    }

    // ---- writing ------------------------------------------------------------------------------------------------

    async fn read_back(&mut self, place: usize) {
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
    async fn ask_watchdog(&mut self, device: usize) {
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

    async fn write(&mut self, place: usize) {
        let device = self.outputs[place].place.device;
        let unit = self.settings.devices[device].modbus_unit;
        let Some(write) = self.compose(place).await else { return };
        let sent_at = self.now();
        // Composing may have taken a request of its own; the wish is still young enough, or nothing is sent.
        if self.outputs[place].is_expired(sent_at) {
            return;
        }
        self.outputs[place].sending(sent_at);
        look(&self.shown).statistics.writes_total += 1;
        let outcome = self.bus.write(unit, &write).await;
        self.note(device, sent_at, outcome.as_ref().copied());
        let now = self.now();
        match outcome {
            Ok(()) => self.outputs[place].accepted(now),
            Err(BusError::Refused(refusal)) => {
                tracing::warn!(wire = self.settings.name, point = self.outputs[place].place.register.name(), %refusal, "write refused");
                self.outputs[place].refused(now, refusal);
            }
            Err(error) => {
                tracing::warn!(wire = self.settings.name, point = self.outputs[place].place.register.name(), %error, "write without answer");
            }
        }
        self.show_outputs();
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
