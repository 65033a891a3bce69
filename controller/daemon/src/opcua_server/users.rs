//! Who may come in: users with hashed passwords on channels that sign and encrypt; readers without either, where the
//! station file says so.
//!
//! # Why a name is slowed down, and not an address
//! The library hands no address to who judges a login. It does not need one: before a password is looked at, the
//! client's certificate must lie on the trust list, so who guesses is a program that a person let in. Guesses are counted
//! by the name that is tried and by the connection that they come on; connections are counted by address at the gate. One
//! password is checked at a time, because each takes 19 MiB and 30 ms (measured: eight at once took 158 MiB that never came
//! back).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use async_trait::async_trait;
use heatstation_config::{OpcuaServerSettings, Unencrypted};
use opcua::crypto::SecurityPolicy;
use opcua::server::ServerEndpoint;
use opcua::server::address_space::AccessLevel;
use opcua::server::authenticator::{AuthManager, Password, UserToken, user_pass_security_policy_id};
use opcua::types::{Error, NodeId, StatusCode, UAString, UserTokenPolicy, UserTokenType};
use tokio::sync::Semaphore;

use super::counters::Counters;
use super::door::{Bucket, Door};
use heatstation_config::OpcuaRole;

/// Wrong passwords a minute for one name; beyond it none is looked at. NIST SP 800-63B, 5.2.2, allows 100 in all before a
/// person must step in: at this rate a list of 10 000 words takes more than a day.
const GUESSES_PER_MINUTE: f64 = 6.0;
/// Wrong passwords on one connection; after that it must come anew, through the gate.
const GUESSES_ON_A_CONNECTION: u32 = 3;
/// Connections and names whose guesses are remembered. The oldest are forgotten.
const REMEMBERED: usize = 256;
/// Longer is no password.
const PASSWORD_BYTES_MAX: usize = 256;
/// How long a login waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(5);

struct Guesses {
    by_name: HashMap<String, Bucket>,
    by_connection: HashMap<tokio::task::Id, (u32, Instant)>,
}

/// The judge of logins.
pub struct Users {
    hashes: HashMap<String, String>,
    /// What is checked for a name that nobody has: a guess takes as long whether the name is right or not.
    nobody: String,
    unencrypted: Unencrypted,
    door: Arc<Door>,
    counters: Arc<Counters>,
    turn: Arc<Semaphore>,
    guesses: Mutex<Guesses>,
}

impl Users {
    /// The users of these settings.
    pub fn new(settings: &OpcuaServerSettings, door: Arc<Door>, counters: Arc<Counters>) -> Users {
        Users {
            hashes: settings.users.iter().map(|user| (user.name.clone(), user.password_hash.clone())).collect(),
            // The hash of a random password that nobody kept.
            nobody: "$argon2id$v=19$m=19456,t=2,p=1$dUUNaFZzBgBFF6SI1xzxXw$aBf5u6YvxBTw5/J9wLd9LILFUhwhXf1EH4akhAPsESM"
                .to_owned(),
            unencrypted: settings.unencrypted,
            door,
            counters,
            turn: Arc::new(Semaphore::new(1)),
            guesses: Mutex::new(Guesses { by_name: HashMap::new(), by_connection: HashMap::new() }),
        }
    }

    fn refuse(&self, why: &str) -> Error {
        self.counters.note_login_refused();
        tracing::warn!(why, "an OPC UA login was refused");
        // The same words for every reason: a wrong name and a wrong password look alike.
        Error::new(StatusCode::BadUserAccessDenied, "this user and this password do not go together")
    }

    /// Whether one more guess may be made; noted as made.
    fn may_guess(&self, name: &str) -> bool {
        let now = Instant::now();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let too_many = tokio::task::try_id()
            .and_then(|id| guesses.by_connection.get(&id))
            .is_some_and(|(count, _)| *count >= GUESSES_ON_A_CONNECTION);
        if too_many {
            return false;
        }
        if guesses.by_name.len() >= REMEMBERED && !guesses.by_name.contains_key(name) {
            // Names that exist are few and stay; what is made up makes room.
            guesses.by_name.retain(|name, _| self.hashes.contains_key(name));
        }
        let bucket = guesses.by_name.entry(name.to_owned()).or_insert_with(|| Bucket::new(GUESSES_PER_MINUTE));
        bucket.takes(now)
    }

    fn note(&self, name: &str, right: bool) {
        let now = Instant::now();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if right {
            // Who knows the password is not slowed down by who does not, nor by its own restarts.
            guesses.by_name.remove(name);
            return;
        }
        let Some(id) = tokio::task::try_id() else { return };
        if guesses.by_connection.len() >= REMEMBERED {
            let oldest = guesses.by_connection.iter().min_by_key(|(_, (_, at))| *at).map(|(id, _)| *id);
            oldest.and_then(|id| guesses.by_connection.remove(&id));
        }
        let (count, at) = guesses.by_connection.entry(id).or_insert((0, now));
        (*count, *at) = (*count + 1, now);
    }
}

/// Whether a password belongs to a hash.
pub fn is_right(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[async_trait]
impl AuthManager for Users {
    async fn authenticate_anonymous_token(&self, endpoint: &ServerEndpoint) -> Result<(), Error> {
        let open = self.unencrypted == Unencrypted::MayRead && endpoint.security_policy() == SecurityPolicy::None;
        if open { Ok(()) } else { Err(self.refuse("nobody in particular")) }
    }

    async fn authenticate_username_identity_token(
        &self,
        endpoint: &ServerEndpoint,
        username: &str,
        password: &Password,
    ) -> Result<UserToken, Error> {
        if endpoint.security_policy() == SecurityPolicy::None {
            return Err(self.refuse("a password on a channel that does not encrypt"));
        }
        if username.len() > 64 || password.get().len() > PASSWORD_BYTES_MAX {
            return Err(self.refuse("longer than a name or a password is"));
        }
        if !self.may_guess(username) {
            return Err(self.refuse("too many wrong passwords"));
        }
        let turn = tokio::time::timeout(TURN_WITHIN, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(self.refuse("too many logins at once")) };
        let known = self.hashes.get(username);
        let (hash, password) = (known.unwrap_or(&self.nobody).clone(), password.get().to_owned());
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            is_right(&password, &hash)
        });
        let right = checked.await.unwrap_or(false) && known.is_some();
        self.note(username, right);
        if right {
            tracing::info!(user = username, "an OPC UA user has logged in");
            Ok(UserToken(username.to_owned()))
        } else {
            Err(self.refuse("a wrong name or password"))
        }
    }

    fn effective_user_access_level(&self, token: &UserToken, level: AccessLevel, _: &NodeId) -> AccessLevel {
        match self.door.role(&token.0) {
            Some(OpcuaRole::Operate) => level,
            Some(OpcuaRole::View) | None => level & AccessLevel::CURRENT_READ,
        }
    }

    fn is_user_executable(&self, _: &UserToken, _: &NodeId) -> bool {
        // Who may not is refused by the door, which leaves a record; the library would refuse without one.
        true
    }

    fn user_token_policies(&self, endpoint: &ServerEndpoint) -> Vec<UserTokenPolicy> {
        let policy = |id: UAString, token_type| UserTokenPolicy {
            policy_id: id,
            token_type,
            issued_token_type: UAString::null(),
            issuer_endpoint_url: UAString::null(),
            security_policy_uri: UAString::null(),
        };
        match (endpoint.security_policy(), self.unencrypted) {
            (SecurityPolicy::None, Unencrypted::MayRead) => vec![policy("anonymous".into(), UserTokenType::Anonymous)],
            (SecurityPolicy::None, Unencrypted::Refused) => Vec::new(),
            _ => vec![policy(user_pass_security_policy_id(endpoint), UserTokenType::UserName)],
        }
    }
}
