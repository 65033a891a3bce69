//! Asking: everything once after a connection, and at its own pace what no subscription brings.

use std::collections::HashMap;
use std::time::Duration;

use heatstation_points::Fault;
use opcua::client::Session;
use opcua::types::{
    AttributeId, DataValue, Error, NodeId, NumericRange, ReadValueId, StatusCode, TimestampsToReturn, VariableId,
    Variant,
};

use super::{End, LOOK_AGAIN, Namespaces, TIMEOUTS_MAX, Task, Way};
use crate::opcua::outputs::kind_of;
use crate::opcua::quality::Taken;
use crate::output::DesiredOutputs;
use crate::wire::look;

/// So many values in one request: small servers refuse more (the least that a server profile demands is 100).
const READS_MAX: usize = 100;
/// What is due within this time is asked for along with what is due.
const ALONG: Duration = Duration::from_millis(50);
/// Most namespaces that a server is believed to have.
const NAMESPACES_MAX: usize = 1000;

impl Task {
    /// What every request tells; an answer that cannot be used ends the session only when that means something.
    pub(super) fn note<T>(
        &mut self,
        asked_at: Duration,
        outcome: Result<T, Error>,
    ) -> Result<Result<T, StatusCode>, End> {
        let now = self.now();
        let mut shown = look(&self.shown);
        let statistics = &mut shown.statistics;
        statistics.requests_total += 1;
        match outcome {
            Ok(answer) => {
                statistics.last_round_trip = Some(now.saturating_sub(asked_at));
                self.timeouts = 0;
                Ok(Ok(answer))
            }
            Err(error) => {
                let status = error.status();
                match status {
                    StatusCode::BadTimeout | StatusCode::BadRequestTimeout => {
                        statistics.failures_total.silent += 1;
                        self.timeouts += 1;
                        if TIMEOUTS_MAX <= self.timeouts {
                            return Err(End::Useless("it does not answer"));
                        }
                        Ok(Err(status))
                    }
                    StatusCode::BadConnectionClosed
                    | StatusCode::BadNotConnected
                    | StatusCode::BadSecureChannelClosed
                    | StatusCode::BadSecureChannelIdInvalid
                    | StatusCode::BadCommunicationError => Ok(Err(status)),
                    StatusCode::BadSessionIdInvalid | StatusCode::BadSessionClosed => Err(End::Lost(status)),
                    StatusCode::BadDecodingError
                    | StatusCode::BadEncodingLimitsExceeded
                    | StatusCode::BadUnknownResponse
                    | StatusCode::BadUnexpectedError => {
                        statistics.failures_total.nonsense += 1;
                        Err(End::Lost(status))
                    }
                    _ => {
                        statistics.failures_total.refused += 1;
                        Ok(Err(status))
                    }
                }
            }
        }
    }

    /// The server's namespaces as it numbers them now.
    pub(super) async fn namespaces(&mut self, session: &Session) -> Result<Namespaces, End> {
        let node = NodeId::from(VariableId::Server_NamespaceArray);
        let list = self.read(session, vec![ReadValueId::from(node)]).await?.into_iter().next();
        let Some(Variant::Array(array)) = list.and_then(|data| data.value) else {
            return Err(End::Useless("it does not say which namespaces it has"));
        };
        let uris = array.values.into_iter().take(NAMESPACES_MAX).enumerate();
        let by_uri: HashMap<String, u16> = uris
            .filter_map(|(number, uri)| match uri {
                Variant::String(uri) if !uri.is_null() => Some((uri.to_string(), number as u16)),
                _ => None,
            })
            .collect();
        Ok(Namespaces::new(by_uri))
    }

    /// Reads values; an answer of another length is no answer.
    pub(super) async fn read(&mut self, session: &Session, nodes: Vec<ReadValueId>) -> Result<Vec<DataValue>, End> {
        let asked_at = self.now();
        // Age 0: from the device, not from the server's memory.
        let outcome = session.read(&nodes, TimestampsToReturn::Both, 0.0).await;
        match self.note(asked_at, outcome)? {
            Ok(answer) if answer.len() == nodes.len() => Ok(answer),
            Ok(_) => Err(End::Useless("it answers with another number of values than was asked for")),
            // As if it had answered so for each: the link's own news say whether the session is over.
            Err(status) => {
                Ok(nodes.iter().map(|_| DataValue { status: Some(status), ..DataValue::default() }).collect())
            }
        }
    }

    /// Reads every item once: the end of a gap.
    pub(super) async fn read_all(&mut self, session: &Session) -> Result<(), End> {
        let slots = (0..self.slots.len()).filter(|&slot| self.slots[slot].way != Way::ByItsOutput).collect();
        self.ask(session, slots).await
    }

    /// When the next item is to be asked for.
    pub(super) fn next_ask(&self) -> Duration {
        let asked = self.slots.iter().filter(|slot| slot.way == Way::Asked);
        asked.map(|slot| slot.ask_at).min().unwrap_or(Duration::MAX)
    }

    pub(super) fn show_backlog(&self, now: Duration, ask_at: Duration) {
        look(&self.shown).statistics.backlog = now.saturating_sub(ask_at);
    }

    /// Asks for what is due.
    pub(super) async fn ask_due(&mut self, session: &Session, now: Duration) -> Result<(), End> {
        let is_due = |slot: &usize| self.slots[*slot].way == Way::Asked && self.slots[*slot].ask_at <= now + ALONG;
        let due = (0..self.slots.len()).filter(is_due).take(READS_MAX).collect();
        self.ask(session, due).await
    }

    async fn ask(&mut self, session: &Session, slots: Vec<usize>) -> Result<(), End> {
        let (there, nowhere): (Vec<usize>, Vec<usize>) =
            slots.into_iter().partition(|&slot| self.slots[slot].node.is_some());
        let now = self.now();
        for slot in nowhere {
            self.put(slot, Taken::fault(Fault::Refused), now);
        }
        for some in there.chunks(READS_MAX) {
            let asked_at = self.now();
            let nodes = some.iter().filter_map(|&slot| Some(self.value_of(slot, self.slots[slot].node.clone()?)));
            let nodes = nodes.collect();
            let answers = self.read(session, nodes).await?;
            for (&slot, data) in some.iter().zip(&answers) {
                let item = &self.settings.items[slot];
                let taken = Taken::of(item, self.settings.source_age_max, data);
                let pause = if taken.value == Err(Fault::Refused) { LOOK_AGAIN } else { Duration::ZERO };
                self.slots[slot].ask_at = asked_at + item.sampling.max(pause);
                self.tell_refused(slot, &taken, data);
                self.put(slot, taken, asked_at);
                self.output_holds(slot, asked_at, &taken);
            }
        }
        Ok(())
    }

    /// A node that is not there is told when it is met, not each time.
    fn tell_refused(&self, slot: usize, taken: &Taken, data: &DataValue) {
        let was = self.slots[slot].last.map(|last| last.value);
        if taken.value == Err(Fault::Refused) && was != Some(Err(Fault::Refused)) {
            let item = &self.settings.items[slot];
            let status = data.status.unwrap_or(StatusCode::Good);
            tracing::warn!(wire = self.settings.name, point = item.definition.name, node = %item.node, %status, "not readable");
        }
    }

    pub(super) fn value_of(&self, slot: usize, node: NodeId) -> ReadValueId {
        let index_range = self.settings.items[slot].index.map_or(NumericRange::None, NumericRange::Index);
        ReadValueId { node_id: node, attribute_id: AttributeId::Value as u32, index_range, ..ReadValueId::default() }
    }

    /// Asks for the types of the nodes that are written.
    pub(super) async fn learn(&mut self, session: &Session) -> Result<(), End> {
        let places: Vec<(usize, NodeId)> = self
            .outputs
            .iter()
            .enumerate()
            .filter_map(|(place, output)| Some((place, output.place.node.clone()?)))
            .collect();
        for some in places.chunks(READS_MAX / 2) {
            let of = |node: &NodeId, attribute: AttributeId| ReadValueId {
                node_id: node.clone(),
                attribute_id: attribute as u32,
                ..ReadValueId::default()
            };
            let nodes = some
                .iter()
                .flat_map(|(_, node)| [of(node, AttributeId::DataType), of(node, AttributeId::Value)])
                .collect();
            let answers = self.read(session, nodes).await?;
            for ((place, _), answer) in some.iter().zip(answers.chunks(2)) {
                let declared = answer[0].value.as_ref().and_then(kind_of);
                // An enumeration or a type of the maker's own declares another node; its values say what they are.
                let kind = declared.or_else(|| answer[1].value.as_ref().and_then(Variant::scalar_type_id));
                let now = self.now();
                let output = &mut self.outputs[*place];
                if output.place.kind != kind {
                    output.place.kind = kind;
                    // The wish is said anew in the type that is now known.
                    output.wish(&DesiredOutputs::default(), now);
                }
            }
        }
        self.take_wishes();
        Ok(())
    }
}
