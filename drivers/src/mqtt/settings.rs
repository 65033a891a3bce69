//! What a subscription at a broker is: plain data that the configuration makes.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::topic::Filter;
use crate::messages::SourceSettings;

/// No password is longer; a longer file is something else.
const PASSWORD_BYTES_MAX: u64 = 1024;

/// A broker, and what is heard of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MqttSettings {
    /// Name and records, one feed a subscription.
    pub source: SourceSettings,
    /// Host or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Trust, if the connection is encrypted.
    pub tls: Option<TlsFiles>,
    /// The user, if the broker wants one.
    pub user: Option<String>,
    /// The file of the user's password.
    pub password_file: Option<PathBuf>,
    /// By which name the broker knows this client. Two clients of one name throw each other out.
    pub client_id: String,
    /// How surely messages are delivered.
    pub quality_of_service: QualityOfService,
    /// How long the broker keeps messages for us while we are away. None are kept if it is nothing.
    pub session_expiry: Duration,
    /// A broker that is not heard for so long and half as much again is gone.
    pub keep_alive: Duration,
    /// The first wait before a new connection. It doubles.
    pub reconnect_min: Duration,
    /// The longest wait.
    pub reconnect_max: Duration,
    /// What is subscribed, in the order of the source's feeds.
    pub subscriptions: Vec<Subscription>,
    /// The topic of hourly forecasts.
    pub forecast: Option<Filter>,
    /// The topic by which the sender says whether it is there.
    pub availability: Option<Availability>,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// Its topics.
    pub filter: Filter,
}

/// A topic on which a sender, or its last will at the broker, says that it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// The topic.
    pub topic: Filter,
    /// The message that says so.
    pub offline: String,
}

/// The files of an encrypted connection, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// The authorities that are trusted, and no others.
    pub authorities: PathBuf,
    /// Our certificate with its chain and its key, if the broker wants one.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// How surely messages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityOfService {
    /// 0: at most once.
    AtMostOnce,
    /// 1: at least once; what comes twice is known by its time.
    #[default]
    AtLeastOnce,
}

impl MqttSettings {
    /// Whether the broker keeps messages for us while we are away.
    pub fn is_persistent(&self) -> bool {
        !self.session_expiry.is_zero()
    }

    /// User and password.
    ///
    /// # Errors
    /// The file of the password cannot be used.
    pub fn credentials(&self) -> Result<Option<(String, String)>, String> {
        let Some(user) = &self.user else { return Ok(None) };
        let Some(path) = &self.password_file else { return Ok(Some((user.clone(), String::new()))) };
        let shown = path.display();
        let length = std::fs::metadata(path).map_err(|error| format!("the password file {shown}: {error}"))?.len();
        if length > PASSWORD_BYTES_MAX {
            return Err(format!("the password file {shown} has {length} bytes; {PASSWORD_BYTES_MAX} is the most"));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("the password file {shown}: {error}"))?;
        Ok(Some((user.clone(), text.trim_end_matches(['\r', '\n']).to_owned())))
    }
}
