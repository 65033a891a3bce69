//! A read of the plan, and what becomes of its answer.

use std::time::Duration;

use heatstation_points::{Fault, Sample, Value};

use super::Runner;
use crate::bus::{Bus, BusError, Span};
use crate::decode::decode;
use crate::poller::Lost;
use crate::wire::look;

impl<B: Bus> Runner<B> {
    pub(super) async fn read(&mut self, device: usize, block: usize) {
        let request = self.pollers[device].request(block).clone();
        let in_quarantine = self.pollers[device].quarantined().count();
        let asked_at = self.now();
        let span =
            Span { unit: request.modbus_unit, table: request.table, address: request.address, count: request.count };
        let outcome = self.bus.read(span).await;
        self.note(device, asked_at, outcome.as_ref().map(|_| ()));
        let now = self.now();
        match outcome {
            Ok(answer) => {
                self.pollers[device].answered(block, asked_at, &self.settings.devices[device]);
                self.show_quarantine(device, in_quarantine);
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
                    if lost.is_news {
                        let names: Vec<&str> =
                            lost.registers.iter().map(|&place| settings.registers[place].name()).collect();
                        tracing::warn!(wire = self.settings.name, device = settings.name, points = ?names, %refusal, "not readable; left out and tried again later");
                    }
                    self.lose(device, now, &lost);
                }
                self.show_quarantine(device, in_quarantine);
            }
            Err(_) => {
                self.pollers[device].done(block, asked_at);
                self.lose(device, now, &Lost::silent(request.registers));
            }
        }
    }

    fn show_quarantine(&self, device: usize, before: usize) {
        if self.pollers[device].quarantined().count() != before {
            self.show_devices();
        }
    }

    /// One value of one register, whether it was polled or read back.
    pub(super) fn take(&mut self, slot: usize, asked_at: Duration, value: Result<Value, Fault>) {
        {
            let mut shown = look(&self.shown);
            let sample = &mut shown.samples[slot];
            *sample = Sample::plain(sample.point, value, asked_at);
        }
        if let Some(output) = self.outputs.iter_mut().find(|output| output.place.slot == slot) {
            output.holds(asked_at, value);
        }
    }
}
