//! Writing: what the state machine of an output asks for, done on nodes.

use std::time::Duration;

use heatstation_points::Fault;
use opcua::client::Session;
use opcua::types::{AttributeId, DataValue, NumericRange, WriteValue};

use super::listening::is_over;
use super::{End, Task};
use crate::bus::Refusal;
use crate::opcua::outputs::{Said, refusal_of};
use crate::opcua::quality::Taken;
use crate::output::Action;
use crate::wire::look;

/// So many output requests in a row before what is due to be asked has its turn.
const OUTPUTS_IN_A_ROW: u32 = 8;

/// What is to be done for which output.
#[derive(Clone, Copy, Debug)]
pub(super) enum OutputJob {
    Write(usize),
    ReadBack(usize),
}

impl Task {
    pub(super) fn is_asks_turn(&self) -> bool {
        OUTPUTS_IN_A_ROW <= self.outputs_in_a_row
    }

    /// What is to be done first, writes before looks; and when something is next.
    pub(super) fn next_output(&mut self, now: Duration) -> (Option<OutputJob>, Duration) {
        let (mut write, mut look_back, mut wake) = (None, None, Duration::MAX);
        for (place, output) in self.outputs.iter_mut().enumerate() {
            match output.next(now) {
                Action::Write => write = write.or(Some(OutputJob::Write(place))),
                Action::ReadBack => look_back = look_back.or(Some(OutputJob::ReadBack(place))),
                Action::Wait(until) => wake = wake.min(until),
                Action::Rest => {}
            }
        }
        self.show_outputs();
        (write.or(look_back), wake)
    }

    pub(super) async fn do_output(&mut self, session: &Session, job: OutputJob) -> Result<(), End> {
        match job {
            OutputJob::Write(place) => self.write(session, place).await?,
            OutputJob::ReadBack(place) => self.read_back(session, place).await?,
        }
        self.show_outputs();
        Ok(())
    }

    /// What was read for an item is told to its output, if it is verified there.
    pub(super) fn output_holds(&mut self, slot: usize, asked_at: Duration, taken: &Taken) {
        let output = self.outputs.iter_mut().find(|output| output.place.slot == slot);
        // An answer that did not come says nothing about what is held.
        if let Some(output) = output.filter(|_| taken.value != Err(Fault::Silent)) {
            output.holds(asked_at, taken.value);
        }
    }

    async fn read_back(&mut self, session: &Session, place: usize) -> Result<(), End> {
        let output = &self.outputs[place];
        let slot = output.place.slot;
        let asked_at = self.now();
        let Some(node) = output.place.read_back.clone() else {
            self.outputs[place].holds(asked_at, Err(Fault::Refused));
            return Ok(());
        };
        let nodes = vec![self.value_of(slot, node)];
        let answers = self.read(session, nodes).await?;
        let taken = answers
            .first()
            .map_or(Taken::fault(Fault::Silent), |data| Taken::of(&self.settings.items[slot], None, data));
        if taken.value == Err(Fault::Silent) {
            self.outputs[place].ask_later(asked_at);
            return Ok(());
        }
        self.put(slot, taken, asked_at);
        self.outputs[place].holds(asked_at, taken.value);
        Ok(())
    }

    async fn write(&mut self, session: &Session, place: usize) -> Result<(), End> {
        let sent_at = self.now();
        let output = &mut self.outputs[place];
        let (Some(node), Some(Said::Typed(variant))) = (output.place.node.clone(), output.said().cloned()) else {
            // The node, or its type, is not known: nothing can be sent, and asking is all that helps.
            output.refused(sent_at, Refusal::Address);
            return Ok(());
        };
        if output.is_expired(sent_at) {
            return Ok(());
        }
        output.sending(sent_at);
        look(&self.shown).statistics.writes_total += 1;
        let request = WriteValue {
            node_id: node,
            attribute_id: AttributeId::Value as u32,
            index_range: NumericRange::None,
            // Value alone: many servers refuse to be told status or time (Bad_WriteNotSupported).
            value: DataValue { value: Some(variant), ..DataValue::default() },
        };
        let outcome = session.write(&[request]).await;
        let now = self.now();
        let answer = self.note(sent_at, outcome)?;
        let name = self.outputs[place].place.item.definition.name.clone();
        let output = &mut self.outputs[place];
        match answer.map(|statuses| statuses.first().copied()) {
            Ok(Some(status)) if !status.is_bad() => output.accepted(now),
            Ok(Some(status)) | Err(status) if !is_over(status) => {
                tracing::warn!(wire = self.settings.name, point = name, %status, "write refused");
                output.refused(now, refusal_of(status));
            }
            Ok(_) | Err(_) => {
                tracing::warn!(wire = self.settings.name, point = name, "write without answer");
            }
        }
        Ok(())
    }
}
