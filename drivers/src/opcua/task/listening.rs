//! Listening: the subscription, and what it means that it speaks or is silent.

use std::sync::Arc;
use std::time::Duration;

use opcua::client::Session;
use opcua::types::{
    AttributeId, DataChangeFilter, DataChangeTrigger, DeadbandType, ExtensionObject, MonitoredItemCreateRequest,
    MonitoringMode, MonitoringParameters, NodeId, ReadValueId, StatusCode, TimestampsToReturn, VariableId,
};

use super::{End, Subscription, Task, Way};
use crate::opcua::inbox::{Ears, handle_of};
use crate::opcua::settings::{DeadBand, Reading};
use crate::wire::look;

/// So many items in one request.
const ITEMS_MAX: usize = 100;
/// Most changes in one message; the rest comes with the next, which is asked for at once.
const CHANGES_MAX: u32 = 1000;
/// Each publishing interval says something: a keep-alive costs a hundred bytes, and an age that is known to the second is
/// worth more.
const KEEP_ALIVE_COUNT: u32 = 1;
/// How long the server keeps a subscription that nobody asks after: as long as the session.
const LIFETIME: Duration = Duration::from_secs(60);

impl Task {
    /// Makes the subscription; what the server does not want to bring is asked for.
    pub(super) async fn subscribe(&mut self, session: &Session) -> Result<(), End> {
        self.subscription = None;
        self.inbox.clear(self.slots.len());
        if self.settings.reading == Reading::Poll {
            return Ok(());
        }
        let publishing = self.settings.publishing;
        let lifetime = (LIFETIME.as_secs_f64() / publishing.as_secs_f64()).ceil().max(10.0) as u32;
        let ears = Ears { inbox: Arc::clone(&self.inbox), settings: Arc::clone(&self.settings), epoch: self.epoch };
        let asked_at = self.now();
        let outcome =
            session.create_subscription(publishing, lifetime, KEEP_ALIVE_COUNT, CHANGES_MAX, 0, true, ears).await;
        let id = match self.note(asked_at, outcome)? {
            Ok(id) => id,
            Err(status) if is_over(status) => return Err(End::Lost(status)),
            Err(status) => {
                tracing::warn!(wire = self.settings.name, %status, "the server makes no subscription; its values are asked for");
                self.ask_instead(|_| true);
                return Ok(());
            }
        };
        let revised = session.subscription_state().lock().get(id).map_or(publishing, |known| {
            // What the server makes of the two: something is said at least this often.
            known.publishing_interval() * known.max_keep_alive_count().clamp(1, 1000)
        });
        if publishing * 2 < revised {
            tracing::warn!(
                wire = self.settings.name,
                wanted_seconds = publishing.as_secs_f64(),
                seconds = revised.as_secs_f64(),
                "the server speaks less often than wanted; unchanged values will look old"
            );
        }
        let allowed = revised.max(publishing) * self.settings.silent_after + self.settings.timeout;
        self.subscription = Some(Subscription { id, since: self.now(), allowed, has_beat: false });
        self.monitor(session, id).await
    }

    async fn monitor(&mut self, session: &Session, id: u32) -> Result<(), End> {
        let wanted: Vec<usize> = (0..self.slots.len()).filter(|&slot| self.slots[slot].way == Way::Brought).collect();
        let mut again = Vec::new();
        for some in wanted.chunks(ITEMS_MAX) {
            let requests = some.iter().filter_map(|&slot| self.request(slot, self.settings.items[slot].dead_band));
            let statuses = self.create(session, id, requests.collect()).await?;
            for (&slot, status) in some.iter().zip(statuses) {
                if is_about_the_filter(status) && self.settings.items[slot].dead_band != DeadBand::None {
                    again.push(slot);
                } else {
                    self.judge(slot, status);
                }
            }
        }
        if !again.is_empty() {
            let points = self.names(&again);
            tracing::warn!(
                wire = self.settings.name,
                ?points,
                "the server takes no dead band here; every change is sent"
            );
        }
        for some in again.chunks(ITEMS_MAX) {
            let requests = some.iter().filter_map(|&slot| self.request(slot, DeadBand::None)).collect();
            let statuses = self.create(session, id, requests).await?;
            for (&slot, status) in some.iter().zip(statuses) {
                self.judge(slot, status);
            }
        }
        // The server's clock: it shows that values are sampled, and some servers drop a session that subscribes nothing.
        let clock = NodeId::from(VariableId::Server_ServerStatus_CurrentTime);
        let beat = request(clock, handle_of(self.slots.len()), self.settings.publishing, 1, ExtensionObject::null());
        let has_beat = self.create(session, id, vec![beat]).await?.first().is_some_and(StatusCode::is_good);
        let now = self.now();
        if let Some(subscription) = &mut self.subscription {
            subscription.has_beat = has_beat;
            subscription.since = now;
        }
        Ok(())
    }

    async fn create(
        &mut self,
        session: &Session,
        id: u32,
        requests: Vec<MonitoredItemCreateRequest>,
    ) -> Result<Vec<StatusCode>, End> {
        let (asked_at, count) = (self.now(), requests.len());
        let outcome = session.create_monitored_items(id, TimestampsToReturn::Both, requests).await;
        match self.note(asked_at, outcome)? {
            Ok(created) => Ok(created.iter().map(|created| created.result.status_code).collect()),
            Err(status) if is_over(status) => Err(End::Lost(status)),
            Err(status) => Ok(vec![status; count]),
        }
    }

    /// An item that is not brought is asked for.
    fn judge(&mut self, slot: usize, status: StatusCode) {
        if status.is_good() {
            return;
        }
        self.slots[slot].way = Way::Asked;
        let item = &self.settings.items[slot];
        tracing::warn!(wire = self.settings.name, point = item.definition.name, node = %item.node, %status, "not brought; asked for instead");
    }

    fn request(&self, slot: usize, dead_band: DeadBand) -> Option<MonitoredItemCreateRequest> {
        let item = &self.settings.items[slot];
        let node = self.slots[slot].node.clone()?;
        let mut request = request(node, handle_of(slot), item.sampling, item.queue, filter(dead_band));
        request.item_to_monitor.index_range = self.value_of(slot, NodeId::null()).index_range;
        Some(request)
    }

    fn names(&self, slots: &[usize]) -> Vec<&str> {
        slots.iter().map(|&slot| self.settings.items[slot].definition.name.as_str()).collect()
    }

    fn ask_instead(&mut self, which: impl Fn(&super::Slot) -> bool) {
        for slot in &mut self.slots {
            if slot.way == Way::Brought && which(slot) {
                slot.way = Way::Asked;
            }
        }
    }

    /// Takes what came, renews what stands, and says when silence is too long.
    pub(super) async fn hear(&mut self, session: &Session) -> Result<(), End> {
        let Some(subscription) = self.subscription else { return Ok(()) };
        let news = self.inbox.take();
        if let Some(status) = news.ended {
            return Err(End::Lost(status));
        }
        if let Some(heard_at) = news.heard_at.filter(|_| 0 < news.messages) {
            for (slot, taken) in news.taken {
                self.slots[slot].is_heard = true;
                self.put(slot, taken, heard_at);
            }
            for slot in 0..self.slots.len() {
                let known = &self.slots[slot];
                // The server's last look at it lies up to a sampling interval back.
                let at = heard_at.saturating_sub(self.settings.items[slot].sampling).max(known.at);
                if let Some(last) = known.last.filter(|_| known.way == Way::Brought && known.is_heard) {
                    self.put(slot, last, at);
                }
            }
            look(&self.shown).statistics.messages_total += news.messages;
        }
        if news.is_lost {
            look(&self.shown).statistics.gaps_total += 1;
            tracing::warn!(wire = self.settings.name, "a message is missing; everything is read");
            self.read_all(session).await?;
        }
        self.too_silent(subscription, news.heard_at, news.beat_at)
    }

    fn too_silent(
        &mut self,
        subscription: Subscription,
        heard_at: Option<Duration>,
        beat_at: Option<Duration>,
    ) -> Result<(), End> {
        let now = self.now();
        let since = |at: Option<Duration>| now.saturating_sub(at.unwrap_or_default().max(subscription.since));
        if subscription.allowed < since(heard_at) {
            return Err(End::Useless("no value and no sign of life in time"));
        }
        if subscription.has_beat && subscription.allowed < since(beat_at) {
            return Err(End::Useless("it publishes, but its clock stands: it samples nothing"));
        }
        // Whoever promised to bring a value and has not is asked.
        let is_mute = |slot: &super::Slot| slot.way == Way::Brought && !slot.is_heard;
        if subscription.allowed < now.saturating_sub(subscription.since) && self.slots.iter().any(is_mute) {
            let mute: Vec<usize> = (0..self.slots.len()).filter(|&slot| is_mute(&self.slots[slot])).collect();
            let points = self.names(&mute);
            tracing::warn!(wire = self.settings.name, ?points, "promised, but not brought; asked for instead");
            self.ask_instead(is_mute);
        }
        Ok(())
    }
}

fn request(
    node: NodeId,
    client_handle: u32,
    sampling: Duration,
    queue_size: u32,
    filter: ExtensionObject,
) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId {
            node_id: node,
            attribute_id: AttributeId::Value as u32,
            ..ReadValueId::default()
        },
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            client_handle,
            sampling_interval: sampling.as_secs_f64() * 1000.0,
            filter,
            queue_size,
            discard_oldest: true,
        },
    }
}

fn filter(dead_band: DeadBand) -> ExtensionObject {
    let (kind, value) = match dead_band {
        DeadBand::None => return ExtensionObject::null(),
        DeadBand::Absolute(value) => (DeadbandType::Absolute, value),
        DeadBand::Percent(value) => (DeadbandType::Percent, value),
    };
    ExtensionObject::from_message(DataChangeFilter {
        trigger: DataChangeTrigger::StatusValue,
        deadband_type: kind as u32,
        deadband_value: value,
    })
}

fn is_about_the_filter(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadMonitoredItemFilterUnsupported
            | StatusCode::BadMonitoredItemFilterInvalid
            | StatusCode::BadFilterNotAllowed
            | StatusCode::BadDeadbandFilterInvalid
    )
}

/// Whether this is about the connection and not about what was asked: of a write nobody knows then what became of it.
pub(super) fn is_over(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadTimeout
            | StatusCode::BadRequestTimeout
            | StatusCode::BadConnectionClosed
            | StatusCode::BadNotConnected
            | StatusCode::BadSecureChannelClosed
            | StatusCode::BadSecureChannelIdInvalid
            | StatusCode::BadCommunicationError
    )
}
