//! The field as the cycle sees it: all wires and sources, and the image of what they read.
//!
//! A message may bring a value that is older than the program, so the image's clock begins [`LOOK_BACK`] before the
//! wires'. A wire says where the zero of its own clock lies, and what it has is moved from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heatstation_config::Station;
use heatstation_drivers::messages::push::{self, PushDoor};
use heatstation_drivers::messages::{LOOK_BACK, SourceSettings};
use heatstation_drivers::mqtt::{self, ForecastSink};
use heatstation_drivers::opcua::{self, settings::ServerSettings};
use heatstation_drivers::output::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus};
use heatstation_drivers::settings::WireSettings;
use heatstation_drivers::wire::{WireHandle, spawn};
use heatstation_points::{Catalogue, Fault, Point, Reading, Readings, Sample, Value};

use crate::image::Image;
use crate::snapshot::WireShown;

/// A foreign write is news for so long.
const FOREIGN_LATELY: Duration = Duration::from_secs(60);

/// The wires of a station, running.
#[derive(Debug)]
pub struct Field {
    wires: Vec<WireHandle>,
    doors: Arc<[PushDoor]>,
    image: Image,
    epoch: Instant,
    silent: bool,
}

/// A wire could not be started: a fault that the configuration's check should have found.
#[derive(Debug, thiserror::Error)]
#[error("wire {wire} cannot be started: {problems}")]
pub struct CannotStart {
    wire: String,
    problems: String,
}

impl Field {
    /// Starts all wires and sources. `speed` divides every reading period: a paced demonstration reads as often in its own
    /// time. Forecasts that a source brings go to `forecasts`.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If a wire's settings are not sound, or a file that a source names cannot be used.
    pub fn start(
        station: &Station,
        epoch: Instant,
        speed: u32,
        forecasts: Option<&ForecastSink>,
    ) -> Result<Field, CannotStart> {
        let settings: Vec<WireSettings> = station.wires.iter().map(|wire| paced(wire, speed)).collect();
        let registers = settings.iter().flat_map(|wire| &wire.devices).flat_map(|device| &device.registers);
        let servers: Vec<ServerSettings> = station.opcua.iter().map(|server| paced_server(server, speed)).collect();
        // What a subscription brings is renewed at each publication, however seldom it changes.
        let nodes = servers
            .iter()
            .flat_map(|server| server.items.iter().map(|item| (item.point(), item.sampling.max(server.publishing))));
        let read = registers.map(|register| (register.point(), register.period)).chain(nodes);
        let heard = sources(station).flat_map(SourceSettings::points);
        let heard = heard.map(|(point, period)| (point, period / speed));
        let image = Image::new(&station.catalogue, read.chain(heard));
        let mut wires = Vec::with_capacity(settings.len());
        for wire in settings {
            let name = wire.name.clone();
            wires.push(spawn(wire, epoch).map_err(|problems| CannotStart {
                wire: name,
                problems: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            })?);
        }
        wires.extend(servers.into_iter().map(|server| opcua::spawn(server, epoch)));
        for broker in &station.mqtt {
            let started = mqtt::spawn(broker.clone(), epoch, forecasts.cloned());
            wires.push(started.map_err(|problems| CannotStart { wire: broker.source.name.clone(), problems })?);
        }
        let mut doors = Vec::new();
        for source in &station.push {
            let (wire, door) = push::spawn(source.clone(), epoch);
            wires.push(wire);
            doors.push(door);
        }
        Ok(Field { wires, doors: doors.into(), image, epoch, silent: false })
    }

    /// The time on the wires' clock.
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The doors of the sources that post.
    pub fn doors(&self) -> Arc<[PushDoor]> {
        Arc::clone(&self.doors)
    }

    /// One snapshot of all that was read.
    pub fn look(
        &mut self,
        catalogue: &Catalogue,
        samples: &mut Vec<Sample>,
        readings: &mut Readings,
        by_slot: &mut Vec<Reading<Value>>,
    ) {
        self.silent = false;
        for wire in &self.wires {
            wire.samples_into(samples);
            let later = LOOK_BACK.saturating_sub(self.epoch.saturating_duration_since(wire.epoch()));
            for sample in samples.iter_mut() {
                sample.taken_at += later;
            }
            self.image.take(catalogue, samples);
            let down = !wire.is_alive() || !wire.statistics().is_connected;
            self.silent |= down || samples.iter().any(|sample| sample.value == Err(Fault::Silent));
        }
        self.image.snapshot(self.now() + LOOK_BACK, readings, by_slot);
    }

    /// What all outputs shall be.
    pub fn desire(&self, wishes: &DesiredOutputs) {
        for wire in &self.wires {
            wire.desire(wishes.clone());
        }
    }

    /// What became of an output.
    pub fn output_status(&self, point: Point) -> Option<OutputStatus> {
        self.wires.iter().find_map(|wire| wire.output_status(point))
    }

    /// Asks again for what devices have refused.
    pub fn forgive(&self) {
        self.wires.iter().for_each(WireHandle::forgive);
    }

    /// Whether a device has taken this wish. A wish that has only just been made is not taken yet.
    pub fn has_taken(&self, wish: &DesiredOutput) -> bool {
        let status = self.wires.iter().find_map(|wire| wire.output_status(wish.point));
        status.is_some_and(|status| {
            status.desired == Some(wish.value) && matches!(status.state, OutputState::Accepted | OutputState::Confirmed)
        })
    }

    /// Whether a wire is down or a device on it says nothing.
    pub fn any_silent(&self) -> bool {
        self.silent
    }

    /// Whether a command does not get through.
    pub fn any_unconfirmed(&self) -> bool {
        self.wires.iter().flat_map(WireHandle::outputs_status).any(|status| is_unconfirmed(status.state))
    }

    /// Whether somebody else has lately written what this program writes.
    pub fn any_foreign_write(&self) -> bool {
        self.wires.iter().any(|wire| {
            let now = wire.now();
            let lately = |at: Duration| now.saturating_sub(at) < FOREIGN_LATELY;
            let foreign = |status: OutputStatus| {
                status.state == OutputState::Contested || status.disturbed_at.is_some_and(lately)
            };
            wire.outputs_status().into_iter().any(foreign)
        })
    }

    /// Whether a device is not written because its own watchdog is not as it must be.
    pub fn any_watchdog_unfit(&self) -> bool {
        let unfit = |status: OutputStatus| matches!(status.obstacle, Some(Obstacle::Watchdog(_)));
        self.wires.iter().flat_map(WireHandle::outputs_status).any(unfit)
    }

    /// The wires, for showing.
    pub fn wires(&self) -> Vec<WireShown> {
        let shown = |wire: &WireHandle| WireShown {
            name: wire.name().to_owned(),
            statistics: wire.statistics(),
            now: wire.now(),
            oldest_age: wire.oldest_age(),
        };
        self.wires.iter().map(shown).collect()
    }

    /// Stops all wires after the requests that are under way.
    pub async fn stop(self) {
        for wire in self.wires {
            wire.stop().await;
        }
    }
}

/// What comes by itself.
pub fn sources(station: &Station) -> impl Iterator<Item = &SourceSettings> {
    let brokers = station.mqtt.iter().map(|broker| &broker.source);
    brokers.chain(station.push.iter().map(|source| &source.source))
}

fn paced(wire: &WireSettings, speed: u32) -> WireSettings {
    let mut wire = wire.clone();
    let registers = wire.devices.iter_mut().flat_map(|device| &mut device.registers);
    for register in registers {
        register.period /= speed;
        if let Some(write) = &mut register.write {
            write.minimum_interval /= speed;
        }
    }
    wire
}

fn paced_server(server: &ServerSettings, speed: u32) -> ServerSettings {
    let mut server = server.clone();
    server.publishing /= speed;
    for item in &mut server.items {
        item.sampling /= speed;
        if let Some(write) = &mut item.write {
            write.minimum_interval /= speed;
        }
    }
    server
}

/// Whether an output's state is one that somebody should look at.
fn is_unconfirmed(state: OutputState) -> bool {
    match state {
        OutputState::Sent
        | OutputState::Mismatch
        | OutputState::Contested
        | OutputState::Refused
        | OutputState::Expired => true,
        OutputState::Idle
        | OutputState::Requested
        | OutputState::Accepted
        | OutputState::Confirmed
        | OutputState::Inhibited => false,
    }
}
