//! The task behind a wire: it alone owns the bus, and does one thing at a time.
//!
//! Who is next says [`schedule`](crate::schedule), out of what is due now (`runner/jobs.rs`). Waiting is the only thing that is
//! ever cut short; a request under way always comes to its answer or its time-out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heatstation_points::{Sample, Value};
use tokio::sync::watch;

use crate::breaker::{Breaker, PROBE_SPACING, backoff};
use crate::bus::{Bus, BusError, Refusal};
use crate::device_watchdog::DeviceWatchdog;
use crate::output::{DesiredOutputs, Output, OutputState, OutputStatus, RegisterPlace};
use crate::poller::{Lost, Poller};
use crate::schedule::Schedule;
use crate::settings::WireSettings;
use crate::wire::{DeviceStatistics, Quarantined, Shown, look};

mod jobs;
mod reading;
mod writing;

use jobs::Job;
pub(crate) use writing::{mask_of, read_back_span, write_of};

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
    breakers: Vec<Breaker>,
    watchdogs: Vec<DeviceWatchdog>,
    /// Devices that refused a merged write on this connection and are written singly.
    unmerged: Vec<bool>,
    schedule: Schedule,
    /// After a failed probe no other goes out before this.
    probe_at: Duration,
    /// Place in `shown.samples` of the first register of each device.
    first_slots: Vec<usize>,
    outputs: Vec<Output<RegisterPlace>>,
    /// Failed attempts in a row to get anything out of this wire.
    attempts: u32,
    reconnect_at: Duration,
}

impl<B: Bus> Runner<B> {
    pub(crate) fn new(
        bus: B,
        settings: WireSettings,
        epoch: Instant,
        shown: Arc<Mutex<Shown>>,
        wishes: watch::Receiver<DesiredOutputs>,
    ) -> Runner<B> {
        let link = settings.transport.link();
        let devices = settings.devices.iter().enumerate();
        let pollers = devices.map(|(number, device)| Poller::new(number, device, link)).collect();
        let watchdogs = settings.devices.iter().map(DeviceWatchdog::of).collect();
        let mut first_slots = Vec::new();
        let mut outputs = Vec::new();
        let mut slot = 0;
        for (number, device) in settings.devices.iter().enumerate() {
            first_slots.push(slot);
            let mut segment = 0;
            for register in &device.registers {
                segment += usize::from(register.write.as_ref().is_some_and(|rules| rules.barrier));
                outputs.extend(RegisterPlace::of(number, slot, segment, register).map(Output::new));
                slot += 1;
            }
        }
        let epoch = tokio::time::Instant::from_std(epoch);
        let count = settings.devices.len();
        let mut runner = Runner {
            bus,
            settings,
            epoch,
            shown,
            wishes,
            pollers,
            breakers: vec![Breaker::default(); count],
            watchdogs,
            unmerged: vec![false; count],
            schedule: Schedule::new(count),
            probe_at: Duration::ZERO,
            first_slots,
            outputs,
            attempts: 0,
            reconnect_at: Duration::ZERO,
        };
        // The outputs are seen as idle from the first moment on.
        runner.take_wishes();
        runner.show_devices();
        runner
    }

    /// Until the handle is gone.
    pub(crate) async fn run(mut self) {
        while let Ok(news) = self.wishes.has_changed() {
            if news {
                self.take_wishes();
            }
            let now = self.now();
            self.take_orders(now);
            self.mark_silent(now);
            if self.bus.is_connected() {
                match self.next_job(now) {
                    Some(Job::Write(outputs)) => self.write(&outputs).await,
                    Some(Job::ReadBack(output)) => self.read_back(output).await,
                    Some(Job::AskWatchdog(device)) => self.ask_watchdog(device).await,
                    Some(Job::Read { device, block }) => self.read(device, block).await,
                    None => {
                        let until = self.wake_at(now);
                        self.sleep(until).await;
                    }
                }
            } else if self.reconnect_at <= now {
                self.connect().await;
            } else {
                // Expiry shows even while nothing can be sent.
                let until = self.wake_at(now).min(self.reconnect_at);
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
            // A modem that has dialled in is not kept at the door until the next attempt would have been.
            () = self.bus.called(), if !self.bus.is_connected() => self.reconnect_at = self.now(),
        }
    }

    fn take_wishes(&mut self) {
        let now = self.now();
        let wishes = self.wishes.borrow_and_update().clone();
        for output in &mut self.outputs {
            output.wish(&wishes, now);
        }
        self.show_outputs();
    }

    /// What the rest of the program asks of the wire besides its wishes.
    fn take_orders(&mut self, now: Duration) {
        if std::mem::take(&mut look(&self.shown).forgive) {
            self.pollers.iter_mut().for_each(|poller| poller.forgive(now));
        }
    }

    fn show_outputs(&self) {
        let mut shown = look(&self.shown);
        let before = std::mem::take(&mut shown.outputs);
        shown.outputs.extend(self.outputs.iter().map(Output::status));
        for (place, status) in shown.outputs.iter().enumerate() {
            if before.get(place).is_none_or(|before| before.state != status.state) {
                self.log_output(place, status);
            }
        }
    }

    /// What an operator would want to know is a warning; the ordinary way of a wish is told to who asks for it.
    fn log_output(&self, place: usize, status: &OutputStatus) {
        let (wire, point) = (&self.settings.name, self.outputs[place].place.register.name());
        let state = status.state.name();
        match status.state {
            OutputState::Mismatch | OutputState::Contested | OutputState::Refused | OutputState::Expired => {
                let obstacle = status.obstacle.as_ref().map(ToString::to_string).unwrap_or_default();
                let (desired, held) = (status.desired.map(Value::number), status.read_back.map(Value::number));
                tracing::warn!(wire, point, state, desired, held, obstacle, "output");
            }
            OutputState::Idle
            | OutputState::Requested
            | OutputState::Sent
            | OutputState::Accepted
            | OutputState::Confirmed
            | OutputState::Inhibited => tracing::debug!(wire, point, state, "output"),
        }
    }

    fn show_devices(&self) {
        let devices = self.settings.devices.iter().enumerate().map(|(number, device)| DeviceStatistics {
            name: device.name.clone(),
            breaker: self.breakers[number].state(),
            openings_total: self.breakers[number].openings_total,
            quarantined: self.pollers[number]
                .quarantined()
                .map(|(place, quarantine)| {
                    let register = &device.registers[place];
                    Quarantined {
                        point: register.point(),
                        table: register.table,
                        address: register.address,
                        since: quarantine.since,
                        refusal: quarantine.refusal,
                    }
                })
                .collect(),
        });
        let devices = devices.collect();
        look(&self.shown).statistics.devices = devices;
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
                self.unmerged.fill(false);
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
            let breaker = &self.breakers[device];
            let until = match (is_connected, breaker.lets_through(now)) {
                (true, true) => continue,
                (true, false) => breaker.quiet_until(),
                (false, true) if self.reconnect_at <= now => continue,
                (false, _) => breaker.quiet_until().max(self.reconnect_at),
            };
            for lost in self.pollers[device].silent(now, until) {
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
        self.schedule.used(device, now.saturating_sub(asked_at));
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
                self.attempts = 0;
                if self.breakers[device].answered() {
                    tracing::info!(
                        wire = self.settings.name,
                        device = self.settings.devices[device].name,
                        "device answers again"
                    );
                    // It may be another one by now, or the same after its start-up.
                    self.pollers[device].forgive(now);
                    self.show_devices();
                }
            }
            Err(error @ BusError::Refused(Refusal::Failure(_))) => {
                self.attempts = 0;
                self.failed(device, now, error);
            }
            Err(error) => {
                self.failed(device, now, error);
                self.disconnected(now);
            }
        }
    }

    fn failed(&mut self, device: usize, now: Duration, error: &BusError) {
        let was_probe = !self.breakers[device].is_closed();
        let breaker = &mut self.breakers[device];
        let has_opened = match error {
            BusError::Refused(_) => breaker.reported_failure(now, &self.settings),
            BusError::Silent | BusError::Broken(_) | BusError::Nonsense(_) | BusError::Unreachable { .. } => {
                breaker.failed(now, &self.settings)
            }
        };
        if has_opened {
            let name = &self.settings.devices[device].name;
            tracing::warn!(wire = self.settings.name, device = name, %error, "device failed; it is left alone and probed now and then");
        }
        // With nobody there who could be kept waiting, the probes may follow each other.
        if was_probe && self.breakers.iter().any(Breaker::is_closed) {
            self.probe_at = now + self.settings.timeout * PROBE_SPACING;
        }
        self.show_devices();
    }

    /// A wire on which any device is well is connected again at once, for its sake; one that takes connections and on
    /// which nobody says anything has to wait longer each time.
    fn disconnected(&mut self, now: Duration) {
        self.bus.disconnect();
        look(&self.shown).statistics.is_connected = false;
        for output in &mut self.outputs {
            output.disconnected(now);
        }
        self.watchdogs.iter_mut().for_each(DeviceWatchdog::forget);
        let is_of_use = self.attempts == 0 || self.breakers.iter().any(Breaker::is_closed);
        self.reconnect_at = if is_of_use { now } else { now + backoff(self.attempts, &self.settings) };
        self.attempts = self.attempts.saturating_add(1);
    }
}
