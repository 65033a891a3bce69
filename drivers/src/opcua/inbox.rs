//! Where notifications land: a slot for each item, the newest wins; and what shows that one was lost.
//!
//! A subscription sends what changed and, when nothing did, that nothing did. So a value that was not heard of for an hour
//! is as current as the last message of the subscription, as long as no message is missing. That is what the sequence
//! numbers are for (OPC 10000-4, 5.14.1): a number that was skipped is a change that never arrived, and then everything is
//! read once, or an old value would be called good for ever.
//!
//! The library calls from its own task; it holds the lock for one message. Whatever a server sends, nothing grows: large
//! or nested values are turned into a number or a fault on the spot.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opcua::client::{MonitoredItemMap, OnSubscriptionNotificationCore};
use opcua::types::{DataChangeNotification, NotificationMessage, StatusChangeNotification, StatusCode};
use tokio::sync::Notify;

use super::quality::Taken;
use super::settings::ServerSettings;

/// The handle of the first item at the server; 0 is the library's sign for "choose one".
const FIRST_HANDLE: u32 = 1;

/// What came since somebody last looked.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    heard: Mutex<Heard>,
    /// Rings when something came.
    pub(crate) bell: Notify,
}

#[derive(Debug, Default)]
struct Heard {
    newest: Vec<Option<Taken>>,
    /// When the subscription last said anything.
    at: Option<Duration>,
    /// When the server's own clock last came: it samples, not only publishes.
    beat_at: Option<Duration>,
    next_number: Option<u32>,
    messages: u64,
    is_lost: bool,
    ended: Option<StatusCode>,
}

/// What came since the last look.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Slot and what came for it.
    pub(crate) taken: Vec<(usize, Taken)>,
    /// When the subscription last said anything.
    pub(crate) heard_at: Option<Duration>,
    /// When the server's clock last came.
    pub(crate) beat_at: Option<Duration>,
    /// Messages since the last look.
    pub(crate) messages: u64,
    /// Whether a message is missing.
    pub(crate) is_lost: bool,
    /// The server ended the subscription.
    pub(crate) ended: Option<StatusCode>,
}

impl Inbox {
    /// Forgets everything, for a new subscription.
    pub(crate) fn clear(&self, items: usize) {
        *self.lock() = Heard { newest: vec![None; items], ..Heard::default() };
    }

    /// Takes what came.
    pub(crate) fn take(&self) -> News {
        let mut heard = self.lock();
        let taken = heard.newest.iter_mut().enumerate().filter_map(|(slot, new)| Some((slot, new.take()?))).collect();
        News {
            taken,
            heard_at: heard.at,
            beat_at: heard.beat_at,
            messages: std::mem::take(&mut heard.messages),
            is_lost: std::mem::take(&mut heard.is_lost),
            ended: heard.ended.take(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Whole slots are replaced, so a poisoned lock holds sound data.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle by which the server calls an item.
pub(crate) fn handle_of(slot: usize) -> u32 {
    FIRST_HANDLE + slot as u32
}

/// What listens to one subscription.
pub(crate) struct Ears {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) settings: Arc<ServerSettings>,
    pub(crate) epoch: tokio::time::Instant,
}

impl OnSubscriptionNotificationCore for Ears {
    fn on_subscription_notification(&mut self, notification: NotificationMessage, _: MonitoredItemMap<'_>) {
        let now = tokio::time::Instant::now().saturating_duration_since(self.epoch);
        self.take(now, notification);
        self.inbox.bell.notify_one();
    }
}

impl Ears {
    fn take(&self, now: Duration, message: NotificationMessage) {
        let items = &self.settings.items;
        let mut heard = self.inbox.lock();
        heard.at = Some(now);
        heard.messages += 1;
        let parts = message.notification_data.unwrap_or_default();
        let is_news = heard.count(message.sequence_number, !parts.is_empty());
        for part in parts {
            if let Some(change) = part.inner_as::<StatusChangeNotification>() {
                heard.ended = Some(change.status);
            }
            let Some(changes) = part.inner_as::<DataChangeNotification>() else { continue };
            for change in changes.monitored_items.iter().flatten() {
                let Some(slot) = change.client_handle.checked_sub(FIRST_HANDLE).map(|slot| slot as usize) else {
                    continue;
                };
                if slot == items.len() {
                    heard.beat_at = Some(now);
                }
                let Some(item) = items.get(slot).filter(|_| is_news) else { continue };
                // The server had more samples than its queue took: the newest is among those that came, the rest is lost
                // to history alone.
                let taken = Taken::of(item, self.settings.source_age_max, &change.value);
                if let Some(place) = heard.newest.get_mut(slot) {
                    *place = Some(taken);
                }
            }
        }
    }
}

impl Heard {
    /// Counts a message; whether it is newer than all before it. A message without data carries the number that the next
    /// one with data will have.
    fn count(&mut self, number: u32, has_data: bool) -> bool {
        let expected = self.next_number.unwrap_or(number);
        let ahead = number.wrapping_sub(expected);
        // Half of the numbers lie ahead, half behind; those behind were overtaken on their way through the library.
        if ahead > u32::MAX / 2 {
            return false;
        }
        self.is_lost |= ahead != 0;
        // After the greatest comes 1: 0 is not used (OPC 10000-4, 5.14.1.2).
        let next = if has_data { number.checked_add(1).unwrap_or(1) } else { number };
        self.next_number = Some(next);
        true
    }
}

#[cfg(test)]
mod tests {
    use opcua::types::{DataValue, ExtensionObject, MonitoredItemNotification};

    use super::*;
    use crate::opcua::testing::{item, server};

    fn ears() -> Ears {
        let items = vec![item("primary_supply.temperature", "i=1"), item("primary_return.temperature", "i=2")];
        let inbox = Arc::new(Inbox::default());
        inbox.clear(items.len());
        Ears { inbox, settings: Arc::new(server(items)), epoch: tokio::time::Instant::now() }
    }

    fn message(number: u32, values: &[(u32, f64)]) -> NotificationMessage {
        let changes = values
            .iter()
            .map(|&(client_handle, value)| MonitoredItemNotification {
                client_handle,
                value: DataValue::value_only(value),
            })
            .collect();
        let data = DataChangeNotification { monitored_items: Some(changes), diagnostic_infos: None };
        NotificationMessage {
            sequence_number: number,
            notification_data: (!values.is_empty()).then(|| vec![ExtensionObject::from_message(data)]),
            ..NotificationMessage::default()
        }
    }

    fn hear(ears: &Ears, second: u64, number: u32, values: &[(u32, f64)]) {
        ears.take(Duration::from_secs(second), message(number, values));
    }

    #[tokio::test]
    async fn the_newest_value_wins_and_silence_with_a_word_keeps_it_current() {
        let ears = ears();
        hear(&ears, 1, 1, &[(1, 60.0), (2, 40.0)]);
        hear(&ears, 2, 2, &[(1, 61.0)]);
        hear(&ears, 5, 3, &[]);
        let news = ears.inbox.take();
        let values: Vec<f64> = news.taken.iter().map(|(_, taken)| taken.value.unwrap().number()).collect();
        assert_eq!((values, news.heard_at, news.is_lost), (vec![61.0, 40.0], Some(Duration::from_secs(5)), false));
        assert!(ears.inbox.take().taken.is_empty());
    }

    #[tokio::test]
    async fn a_skipped_number_is_a_lost_change_with_or_without_data() {
        let with_data = ears();
        hear(&with_data, 1, 1, &[(1, 60.0)]);
        hear(&with_data, 2, 3, &[(1, 62.0)]);
        assert!(with_data.inbox.take().is_lost);
        let without = ears();
        hear(&without, 1, 1, &[(1, 60.0)]);
        hear(&without, 2, 3, &[]);
        assert!(without.inbox.take().is_lost);
        hear(&without, 3, 3, &[(1, 60.0)]);
        assert!(!without.inbox.take().is_lost, "it is told once");
    }

    #[tokio::test]
    async fn an_overtaken_message_does_not_bring_back_the_old_value() {
        let ears = ears();
        hear(&ears, 1, 1, &[(1, 60.0)]);
        hear(&ears, 2, 3, &[(1, 62.0)]);
        hear(&ears, 2, 2, &[(1, 61.0)]);
        let news = ears.inbox.take();
        assert_eq!(news.taken[0].1.value.unwrap().number(), 62.0);
        assert!(news.is_lost);
    }

    #[tokio::test]
    async fn numbers_begin_again_at_one() {
        let ears = ears();
        hear(&ears, 1, u32::MAX, &[(1, 60.0)]);
        hear(&ears, 2, 1, &[(1, 61.0)]);
        let news = ears.inbox.take();
        assert_eq!((news.taken[0].1.value.unwrap().number(), news.is_lost), (61.0, false));
    }

    #[tokio::test]
    async fn a_value_for_an_item_that_nobody_asked_for_is_passed_over() {
        let ears = ears();
        hear(&ears, 1, 1, &[(0, 60.0), (4, 60.0), (u32::MAX, 60.0)]);
        assert!(ears.inbox.take().taken.is_empty());
    }
}
