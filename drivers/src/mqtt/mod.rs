//! MQTT: subscriptions at a broker, on the way into the same intake as all messages.
//!
//! * [`settings`]: what a subscription is; plain data that the configuration makes.
//! * [`topic`]: topic filters, and the part of a topic that names a sensor.
//! * [`tls`]: trusting one's own broker.
//! * [`session`]: one connection, from its beginning to its end; the loop that makes the next one.
//!
//! # What is trusted
//! A broker keeps messages: the last of a topic (*retained*), and in a persistent session all that came while nobody
//! listened. Such a message is as old as its time field says; without one nobody knows, so it is never fresh.
//!
//! # Version
//! MQTT 5. A broker that speaks 3.1.1 alone refuses the connection and is told so in the log; its publishers may speak
//! whatever they like as long as the broker itself speaks 5 (mosquitto does from 1.6 on).

pub mod session;
pub mod settings;
pub mod tls;
pub mod topic;

use std::sync::Arc;
use std::time::Instant;

pub use settings::{Availability, MqttSettings, QualityOfService, Subscription, TlsFiles};
pub use topic::{Filter, NotAFilter};

use crate::messages::epoch_before;
use crate::messages::forecast::HourlyForecast;
use crate::wire::WireHandle;
use session::Subscriber;

/// Where forecasts go: the name of the source and what it said; or why it was not taken.
pub type ForecastSink = Arc<dyn Fn(&str, HourlyForecast) -> Result<(), String> + Send + Sync>;

/// Starts a subscription. `epoch` is the zero of the field's clock.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// A file that it names cannot be used; what and why, in a sentence.
pub fn spawn(settings: MqttSettings, epoch: Instant, forecasts: Option<ForecastSink>) -> Result<WireHandle, String> {
    let epoch = epoch_before(epoch);
    let credentials = settings.credentials()?;
    let tls = settings.tls.as_ref().map(tls::client).transpose()?;
    let points = settings.source.points().into_iter().map(|(point, _)| point).collect();
    let name = settings.source.name.clone();
    Ok(WireHandle::start(name, epoch, points, |shown, wishes| {
        Subscriber::new(settings, epoch, shown, forecasts, (credentials, tls)).run(wishes)
    }))
}
