//! One connection to the broker from its beginning to its end, and the loop that makes the next one.
//!
//! ```text
//!  [ wait ] --> connect --> subscribe --> [ up: messages ] --any failure--> all of it dropped, [ wait ] twice as long
//! ```
//!
//! The client of the library is made anew for each connection, so that nothing of a broken one is left in the next; what
//! has to outlive it, the broker keeps (a persistent session) or the intake (which value is the newest).
//! Only one thing may end the library's poll from outside: the end of the wire. It is not a future to be dropped and
//! polled again, because making a connection is a part of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use rumqttc::{
    AsyncClient, BrokerSessionResumePolicy, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet,
    Publish, QoS, SubAck, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;

use super::ForecastSink;
use super::settings::{MqttSettings, QualityOfService};
use crate::messages::intake::Delivery;
use crate::messages::{Arrival, Intake, forecast, json};
use crate::output::DesiredOutputs;
use crate::wire::{Shown, look};

/// Topic, properties and head of a message beside its payload.
const HEAD_BYTES_MAX: usize = 2048;
/// The longest time for a connection and for the answer to our subscription.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A connection that stood for so long ends the doubling of the waits.
const STEADY_AFTER: Duration = Duration::from_secs(30);

/// User and password, and the trust of an encrypted connection.
pub(super) type Secrets = (Option<(String, String)>, Option<Arc<ClientConfig>>);

/// The task of one broker.
pub(super) struct Subscriber {
    settings: MqttSettings,
    epoch: Instant,
    shown: Arc<Mutex<Shown>>,
    forecasts: Option<ForecastSink>,
    secrets: Secrets,
    intake: Intake,
    /// Whether the sender says that it is there; yes while it says nothing.
    is_available: Availability,
    link: Link,
    trouble: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Availability {
    There,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    /// Connected, and not all subscriptions are granted.
    Connected,
    Up,
}

/// How a connection ended.
enum Ended {
    Stopped,
    Failed(ConnectionError),
    /// The broker did not answer our subscription, or refused it.
    Unsubscribed(String),
}

impl Subscriber {
    pub(super) fn new(
        settings: MqttSettings,
        epoch: Instant,
        shown: Arc<Mutex<Shown>>,
        forecasts: Option<ForecastSink>,
        secrets: Secrets,
    ) -> Subscriber {
        let intake = Intake::new(settings.source.clone());
        let (is_available, link) = (Availability::There, Link::Down);
        Subscriber { settings, epoch, shown, forecasts, secrets, intake, is_available, link, trouble: None }
    }

    /// Connects, listens and connects again until the handle is gone.
    pub(super) async fn run(mut self, mut wishes: watch::Receiver<DesiredOutputs>) {
        let gone = async move { while wishes.changed().await.is_ok() {} };
        let mut gone = std::pin::pin!(gone);
        let mut wait = self.settings.reconnect_min;
        self.show();
        loop {
            let began = tokio::time::Instant::now();
            let ended = self.connection(gone.as_mut()).await;
            let was_up = self.link != Link::Down;
            self.link = Link::Down;
            match ended {
                Ended::Stopped => return,
                Ended::Failed(error) => self.failed(&error, was_up),
                Ended::Unsubscribed(why) => {
                    look(&self.shown).statistics.failures_total.refused += 1;
                    self.tell(why);
                }
            }
            self.show();
            if began.elapsed() >= STEADY_AFTER {
                wait = self.settings.reconnect_min;
            }
            // All stations of a town must not knock at a broker that restarts in the same second.
            let spread = rand::rng().random_range(0.8..1.2);
            tokio::select! {
                () = gone.as_mut() => return,
                () = tokio::time::sleep(wait.mul_f64(spread)) => {}
            }
            wait = (wait * 2).min(self.settings.reconnect_max);
        }
    }

    /// One connection.
    async fn connection(&mut self, mut gone: std::pin::Pin<&mut impl Future<Output = ()>>) -> Ended {
        let (client, mut events) = AsyncClient::builder(self.options()).capacity(8).build();
        let mut granted_by = tokio::time::Instant::now() + 2 * CONNECT_WITHIN;
        loop {
            let event = tokio::select! {
                biased;
                () = gone.as_mut() => {
                    say_goodbye(&client, &mut events).await;
                    return Ended::Stopped;
                }
                () = tokio::time::sleep_until(granted_by), if self.link != Link::Up => {
                    return Ended::Unsubscribed("the broker does not answer the subscription".to_owned());
                }
                event = events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    self.link = Link::Connected;
                    granted_by = tokio::time::Instant::now() + CONNECT_WITHIN;
                    look(&self.shown).statistics.connections_total += 1;
                    if let Err(error) = client.try_subscribe_many(self.filters()) {
                        return Ended::Unsubscribed(format!("the subscription cannot be sent: {error}"));
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => match self.refused_topics(&answer) {
                    None => {
                        self.link = Link::Up;
                        self.trouble = None;
                        tracing::info!(mqtt = self.name(), "subscribed");
                    }
                    Some(refused) => return Ended::Unsubscribed(refused),
                },
                Ok(Event::Incoming(Packet::Publish(message))) => self.hear(&message),
                Ok(Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_)) => continue,
                Err(error) => return Ended::Failed(error),
            }
            self.show();
        }
    }

    fn options(&self) -> MqttOptions {
        let settings = &self.settings;
        let mut options = MqttOptions::new(settings.client_id.clone(), (settings.host.as_str(), settings.port));
        options.set_keep_alive(u16::try_from(settings.keep_alive.as_secs()).unwrap_or(u16::MAX));
        options.set_connect_timeout(CONNECT_WITHIN);
        // A broker that is told so does not send more; one that does all the same is disconnected.
        let most = settings.source.bounds.bytes_max + HEAD_BYTES_MAX;
        options.set_max_packet_size(Some(u32::try_from(most).unwrap_or(u32::MAX)));
        options.set_clean_start(!settings.is_persistent());
        if settings.is_persistent() {
            let seconds = u32::try_from(settings.session_expiry.as_secs()).unwrap_or(u32::MAX);
            options.set_session_expiry_interval(Some(seconds));
            options.set_broker_session_resume_policy(BrokerSessionResumePolicy::AllowBrokerOnly);
        }
        if let Some((user, password)) = &self.secrets.0 {
            options.set_credentials(user.clone(), password.clone());
        }
        if let Some(config) = &self.secrets.1 {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(config))));
        }
        options
    }

    /// What is asked for, in the order in which the answer is read.
    fn filters(&self) -> Vec<SubscribeFilter> {
        let quality = match self.settings.quality_of_service {
            QualityOfService::AtMostOnce => QoS::AtMostOnce,
            QualityOfService::AtLeastOnce => QoS::AtLeastOnce,
        };
        self.topics().into_iter().map(|topic| SubscribeFilter::new(topic, quality)).collect()
    }

    /// Each topic once: a topic that feeds two points comes once.
    fn topics(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let subscriptions = self.settings.subscriptions.iter().map(|subscription| &subscription.filter);
        let availability = self.settings.availability.iter().map(|availability| &availability.topic);
        for filter in subscriptions.chain(&self.settings.forecast).chain(availability) {
            let asked = filter.asked();
            if !all.contains(&asked) {
                all.push(asked);
            }
        }
        all
    }

    fn refused_topics(&self, answer: &SubAck) -> Option<String> {
        let topics = self.topics();
        let refused = |(place, code): (usize, &SubscribeReasonCode)| match code {
            SubscribeReasonCode::Success(_) => None,
            other => Some(format!("{} ({other:?})", topics.get(place).map_or("?", String::as_str))),
        };
        let refused: Vec<String> = answer.return_codes.iter().enumerate().filter_map(refused).collect();
        if refused.is_empty() {
            return None;
        }
        Some(format!("the broker refuses {}; let this user read it there", refused.join(", ")))
    }

    /// One message, for every subscription that its topic is of.
    fn hear(&mut self, message: &Publish) {
        let arrival = Arrival::now(self.epoch);
        look(&self.shown).statistics.requests_total += 1;
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        if let Some(availability) = &self.settings.availability
            && availability.topic.id_in(&topic).is_some()
        {
            let is_gone = message.payload.trim_ascii() == availability.offline.as_bytes();
            self.is_available = if is_gone { Availability::Gone } else { Availability::There };
        }
        // One bucket for messages, whatever is in them: what is dropped is not even parsed.
        if self.intake.admit(arrival.monotonic).is_err() {
            return;
        }
        if self.settings.forecast.as_ref().is_some_and(|filter| filter.id_in(&topic).is_some()) {
            self.hear_forecast(&message.payload);
        }
        for feed in 0..self.settings.subscriptions.len() {
            let Some(carrier) = self.settings.subscriptions[feed].filter.id_in(&topic) else { continue };
            self.hear_records(feed, carrier, &topic, message, arrival);
        }
    }

    fn hear_records(&mut self, feed: usize, carrier: &str, topic: &str, message: &Publish, arrival: Arrival) {
        let source = &self.settings.source;
        let records = match json::records(&message.payload, &source.feeds[feed], carrier, source.bounds) {
            Ok(records) => records,
            Err(malformed) => return self.intake.note_malformed(topic, &malformed),
        };
        for record in &records {
            // In a persistent session, too, nobody knows since when an undated message has waited.
            let waited = message.retain || self.settings.is_persistent();
            let delivery = if waited { Delivery::Kept } else { Delivery::Live };
            let (_, sample) = self.intake.take(feed, record, delivery, arrival);
            if let Some((place, sample)) = sample {
                look(&self.shown).samples[place] = sample;
            }
        }
    }

    fn hear_forecast(&mut self, payload: &[u8]) {
        let taken = match forecast::read(payload) {
            Ok(forecast) => match &self.forecasts {
                Some(sink) => sink(self.name(), forecast),
                None => Err("this program takes its forecast from elsewhere".to_owned()),
            },
            Err(none) => Err(none.to_string()),
        };
        if let Err(why) = taken {
            tracing::warn!(mqtt = self.name(), why, "a forecast was not taken");
            self.trouble = Some(format!("the last forecast was not taken: {why}"));
        } else {
            self.trouble = None;
        }
    }

    fn failed(&mut self, error: &ConnectionError, was_up: bool) {
        let words = self.in_words(error);
        {
            let counts = &mut look(&self.shown).statistics.failures_total;
            let counter = match error {
                ConnectionError::ConnectionRefused(_) => &mut counts.refused,
                ConnectionError::Timeout(_) => &mut counts.silent,
                _ if was_up => &mut counts.broken,
                _ => &mut counts.unreachable,
            };
            *counter += 1;
        }
        self.tell(words);
    }

    fn in_words(&self, error: &ConnectionError) -> String {
        let broker = format!("{}:{}", self.settings.host, self.settings.port);
        match error {
            ConnectionError::ConnectionRefused(code) => match code {
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                    format!("the broker {broker} refuses the user or the password; look at `user` and `password_file`")
                }
                ConnectReturnCode::RefusedProtocolVersion | ConnectReturnCode::UnsupportedProtocolVersion => {
                    format!("the broker {broker} does not speak MQTT 5; it needs a newer version of it")
                }
                other => format!("the broker {broker} refuses the connection: {other:?}"),
            },
            ConnectionError::Timeout(_) => format!("the broker {broker} does not answer in time"),
            ConnectionError::Tls(error) => format!("no encrypted connection to the broker {broker}: {error}"),
            other => format!("no connection to the broker {broker}: {other}"),
        }
    }

    /// Says what is wrong, in the log once.
    fn tell(&mut self, trouble: String) {
        if self.trouble.as_deref() != Some(trouble.as_str()) {
            tracing::warn!(mqtt = self.name(), "{trouble}");
        }
        self.trouble = Some(trouble);
    }

    fn name(&self) -> &str {
        &self.settings.source.name
    }

    fn show(&self) {
        let mut messages = self.intake.statistics();
        messages.trouble = match (self.is_available, &self.trouble) {
            (Availability::Gone, None) => Some("the sender says that it is gone".to_owned()),
            (Availability::Gone | Availability::There, trouble) => trouble.clone(),
        };
        let statistics = &mut look(&self.shown).statistics;
        statistics.is_connected = self.link == Link::Up && self.is_available == Availability::There;
        statistics.messages = Some(messages);
    }
}

/// A broker that is told so does not publish a last will and forgets us at once.
async fn say_goodbye(client: &AsyncClient, events: &mut EventLoop) {
    if client.try_disconnect().is_err() {
        return;
    }
    let sent = async { while events.poll().await.is_ok() {} };
    let _ = tokio::time::timeout(Duration::from_millis(500), sent).await;
}
