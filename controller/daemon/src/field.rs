//! The field as the cycle sees it: all wires, and the image of what they read.

use std::time::{Duration, Instant};

use heatstation_config::Station;
use heatstation_drivers::output::{DesiredOutput, DesiredOutputs, Obstacle, OutputState, OutputStatus};
use heatstation_drivers::settings::WireSettings;
use heatstation_drivers::wire::{WireHandle, spawn};
use heatstation_points::{Catalogue, Fault, Point, Reading, Readings, Sample, Value};

use crate::image::Image;
use crate::snapshot::WireShown;

/// The wires of a station, running.
#[derive(Debug)]
pub struct Field {
    wires: Vec<WireHandle>,
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
    /// Starts all wires. `speed` divides every reading period: a paced demonstration reads as often in its own time.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If a wire's settings are not sound.
    pub fn start(station: &Station, epoch: Instant, speed: u32) -> Result<Field, CannotStart> {
        let settings: Vec<WireSettings> = station.wires.iter().map(|wire| paced(wire, speed)).collect();
        let registers = settings.iter().flat_map(|wire| &wire.devices).flat_map(|device| &device.registers);
        let read = registers.map(|register| (register.point(), register.period));
        let image = Image::new(&station.catalogue, read);
        let mut wires = Vec::with_capacity(settings.len());
        for wire in settings {
            let name = wire.name.clone();
            wires.push(spawn(wire, epoch).map_err(|problems| CannotStart {
                wire: name,
                problems: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            })?);
        }
        Ok(Field { wires, image, epoch, silent: false })
    }

    /// The time on the wires' clock.
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
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
            self.image.take(catalogue, samples);
            let down = !wire.is_alive() || !wire.statistics().is_connected;
            self.silent |= down || samples.iter().any(|sample| sample.value == Err(Fault::Silent));
        }
        self.image.snapshot(self.now(), readings, by_slot);
    }

    /// What all outputs shall be.
    pub fn desire(&self, wishes: &DesiredOutputs) {
        for wire in &self.wires {
            wire.desire(wishes.clone());
        }
    }

    /// How far an output got.
    pub fn output_state(&self, point: Point) -> Option<OutputState> {
        self.wires.iter().find_map(|wire| wire.output_status(point)).map(|status| status.state)
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

/// Whether an output's state is one that somebody should look at.
fn is_unconfirmed(state: OutputState) -> bool {
    match state {
        OutputState::Sent | OutputState::Mismatch | OutputState::Refused | OutputState::Expired => true,
        OutputState::Idle
        | OutputState::Requested
        | OutputState::Accepted
        | OutputState::Confirmed
        | OutputState::Inhibited => false,
    }
}
