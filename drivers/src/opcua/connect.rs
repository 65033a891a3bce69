//! From an address to a session: what the server offers, whether it is who we trust, and as whom we come.
//!
//! ```text
//!  ask for endpoints (unprotected: nothing that is said here is believed)
//!    -> the one of our policy and mode, or a message with what there is
//!    -> its certificate: trusted by a person? valid today? of the application that it says?   else rejected/, and no connection
//!    -> secure channel: the server proves that it has the key of that certificate
//!    -> session, user
//! ```
//!
//! # Why the session's own way back is used only once
//! After a cut the library tries to reactivate the session on a new channel. If that works the subscription has lived on;
//! if not, everything is made anew from here, endpoints included: a server that came back may have another certificate.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opcua::client::{
    Client, ClientBuilder, IdentityToken, Password, Session, SessionConnectMode, SessionEventLoop, SessionPollResult,
};
use opcua::crypto::{SecurityPolicy, X509};
use opcua::types::{EndpointDescription, Error, MessageSecurityMode, StatusCode, UAString, UserTokenType};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::pki::{Own, Pki, PkiError, Standing, fingerprint, read_certificate};
use super::settings::{Mode, PasswordPlace, Policy, ServerSettings, User};

/// What a server may send at once. A station's largest honest message is a read of a few hundred values: some ten
/// kilobytes. The library's own bounds (5 000 chunks, 64 MB) are a server room's.
const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
const CHUNKS_MAX: usize = 64;
/// Longest text or byte string. Certificates with their chain have some kilobytes.
const STRING_BYTES_MAX: usize = 64 * 1024;
/// Longest array: a namespace list, the references of a node, the values of one answer.
const ARRAY_LENGTH_MAX: usize = 10_000;
/// How long a server keeps a session without a word: 5 s was too short for some (open62541 issue 2790), 60 s works.
const SESSION_MILLISECONDS: u32 = 60_000;
/// How often the library looks whether the server runs.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// So many of these looks in vain, and the channel is closed.
const KEEP_ALIVES_MISSED_MAX: u64 = 2;
/// How many requests making a connection takes, each with its own time-out: hello, channel, endpoints, close; hello,
/// channel, session, user.
const STEPS: u32 = 8;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum CannotConnect {
    /// Nobody answers there.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// It does not offer what is configured.
    #[error("{url} does not offer {wanted}; it offers {offered}")]
    NotOffered {
        /// Where.
        url: String,
        /// What was wanted.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// Nobody has said that its certificate is to be trusted.
    #[error(
        "the certificate of {url} is not trusted ({subject}, SHA-256 {fingerprint}): compare it with what the server's own \
         page shows, then run `heatstation pki trust {short} --data {data}`"
    )]
    Untrusted {
        /// Where.
        url: String,
        /// Whom it names.
        subject: String,
        /// Its fingerprint.
        fingerprint: String,
        /// As much of it as the command needs.
        short: String,
        /// The data folder.
        data: String,
    },
    /// Its certificate is trusted but cannot be used.
    #[error("the certificate of {url} cannot be used: {what}")]
    Certificate {
        /// Where.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// Our own certificate, or the user's, or the password is not there.
    #[error("{0}")]
    Own(String),
    /// The folder of certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// It refuses us.
    #[error("{url} refuses: {status} ({hint})")]
    Refused {
        /// Where.
        url: String,
        /// With which status.
        status: StatusCode,
        /// What that usually means.
        hint: &'static str,
    },
    /// It did not answer in time.
    #[error("{url} did not answer in time")]
    Silent {
        /// Where.
        url: String,
    },
}

/// What the library's task tells of the connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Link {
    /// Not yet, or for the moment not.
    Down,
    /// A session is there; the how-manieth, and whether the server knew it.
    Up { times: u64, kept: bool },
    /// The library gave up.
    Ended(StatusCode),
}

/// A session with what belongs to it.
pub(crate) struct Connection {
    pub(crate) session: Arc<Session>,
    pub(crate) link: watch::Receiver<Link>,
    /// Until when the server's certificate is valid, seconds since 1970; none without security.
    pub(crate) server_expiry: Option<i64>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Says goodbye, as far as anybody listens.
    pub(crate) async fn close(self) {
        let _ = timeout(FAREWELL, self.session.disconnect()).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Our own certificate; making it takes seconds of computing, so it is done beside the other tasks.
pub(crate) async fn own(settings: &ServerSettings) -> Result<Own, CannotConnect> {
    let (pki, identity) = (Pki::at(&settings.pki), settings.identity.clone());
    tokio::task::spawn_blocking(move || pki.own(&identity))
        .await
        .map_err(|error| CannotConnect::Own(format!("the own certificate could not be made: {error}")))?
        .map_err(Into::into)
}

/// Makes a session.
///
/// # Errors
/// Why there is none.
pub(crate) async fn connect(settings: Arc<ServerSettings>, own: Own) -> Result<Connection, CannotConnect> {
    let url = settings.url.clone();
    let within = settings.timeout * STEPS;
    match timeout(within, connect_without_end(&settings, &own)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(CannotConnect::Silent { url }),
    }
}

async fn connect_without_end(settings: &ServerSettings, own: &Own) -> Result<Connection, CannotConnect> {
    let mut client = client(settings, own)?;
    let found = client.get_server_endpoints_from_url(settings.url.as_str()).await;
    let endpoints = found.map_err(|error| no_answer(settings, &error))?;
    let mut endpoint = choose(settings, &endpoints)?;
    let server_expiry = match settings.security.policy {
        Policy::None => None,
        Policy::Basic256Sha256 | Policy::Aes128Sha256RsaOaep | Policy::Aes256Sha256RsaPss => {
            Some(identify(settings, &endpoint)?)
        }
    };
    let identity = identity_of(settings, &endpoint)?;
    // Where it was found, not where it believes to be.
    endpoint.endpoint_url = UAString::from(settings.url.as_str());
    let (session, events) =
        client.connect_to_endpoint_directly(endpoint, identity).map_err(|error| no_answer(settings, &error))?;
    let (tell, mut link) = watch::channel(Link::Down);
    let driver = tokio::spawn(drive(Arc::clone(&session), events, tell));
    let mut connection = Connection { session, link: link.clone(), server_expiry, driver };
    loop {
        let now = link.borrow_and_update().clone();
        match now {
            Link::Up { .. } => break,
            Link::Ended(status) => return Err(refused(settings, status)),
            Link::Down => {}
        }
        if link.changed().await.is_err() {
            return Err(refused(settings, StatusCode::BadUnexpectedError));
        }
    }
    // What came so far has been seen.
    connection.link.mark_unchanged();
    Ok(connection)
}

/// Runs the library's events. Its own subscriptions stay dead after a reconnect until somebody asks for a message.
async fn drive(
    session: Arc<Session>,
    events: SessionEventLoop<impl opcua::client::transport::Connector + 'static>,
    tell: watch::Sender<Link>,
) {
    let events = events.enter();
    tokio::pin!(events);
    let mut times = 0;
    let ended = loop {
        match events.next().await {
            Some(Ok(SessionPollResult::Reconnected(mode))) => {
                if 0 < times {
                    session.trigger_publish_now();
                }
                times += 1;
                let kept = matches!(mode, SessionConnectMode::ReactivatedSession(_));
                tell.send_replace(Link::Up { times, kept });
            }
            Some(Ok(SessionPollResult::ConnectionLost(_))) => {
                tell.send_replace(Link::Down);
            }
            Some(Ok(_)) => {}
            Some(Err(status)) => break status,
            None => break StatusCode::BadConnectionClosed,
        }
    };
    tell.send_replace(Link::Ended(ended));
}

fn client(settings: &ServerSettings, own: &Own) -> Result<Client, CannotConnect> {
    ClientBuilder::new()
        .application_name("heatstation")
        .application_uri(own.application_uri.clone())
        .product_uri("urn:heatstation")
        .pki_dir(settings.pki.clone())
        .certificate_path(Pki::own_certificate())
        .private_key_path(Pki::own_key())
        .create_sample_keypair(false)
        .trust_server_certs(false)
        // Dates and names are looked at here, with a reason; whether it is trusted, the library looks again.
        .verify_server_certs(false)
        .session_name(format!("heatstation {}", settings.identity.station))
        .session_timeout(SESSION_MILLISECONDS)
        .session_retry_limit(0)
        .session_retry_initial(settings.reconnect_min)
        .session_retry_max(settings.reconnect_max)
        .request_timeout(settings.timeout)
        .publish_timeout(settings.publishing * settings.silent_after + settings.timeout * 2)
        .keep_alive_interval(KEEP_ALIVE)
        .max_failed_keep_alive_count(KEEP_ALIVES_MISSED_MAX)
        .recreate_subscriptions(false)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_chunk_count(CHUNKS_MAX)
        .max_string_length(STRING_BYTES_MAX)
        .max_byte_string_length(STRING_BYTES_MAX)
        .max_array_length(ARRAY_LENGTH_MAX)
        .client()
        .map_err(|problems| CannotConnect::Own(problems.join("; ")))
}

fn policy_of(policy: Policy) -> SecurityPolicy {
    match policy {
        Policy::None => SecurityPolicy::None,
        Policy::Basic256Sha256 => SecurityPolicy::Basic256Sha256,
        Policy::Aes128Sha256RsaOaep => SecurityPolicy::Aes128Sha256RsaOaep,
        Policy::Aes256Sha256RsaPss => SecurityPolicy::Aes256Sha256RsaPss,
    }
}

fn mode_of(settings: &ServerSettings) -> MessageSecurityMode {
    match (settings.security.policy, settings.security.mode) {
        (Policy::None, _) => MessageSecurityMode::None,
        (_, Mode::Sign) => MessageSecurityMode::Sign,
        (_, Mode::SignAndEncrypt) => MessageSecurityMode::SignAndEncrypt,
    }
}

fn choose(settings: &ServerSettings, offered: &[EndpointDescription]) -> Result<EndpointDescription, CannotConnect> {
    let (policy, mode) = (policy_of(settings.security.policy), mode_of(settings));
    let fits = |endpoint: &&EndpointDescription| {
        endpoint.security_mode == mode
            && SecurityPolicy::from_uri(endpoint.security_policy_uri.as_ref()) == policy
            && endpoint.endpoint_url.as_ref().starts_with("opc.tcp://")
    };
    offered.iter().find(fits).cloned().ok_or_else(|| {
        let mut names: Vec<String> = offered
            .iter()
            .map(|e| format!("{} {:?}", SecurityPolicy::from_uri(e.security_policy_uri.as_ref()), e.security_mode))
            .collect();
        names.sort();
        names.dedup();
        names.truncate(20);
        CannotConnect::NotOffered {
            url: settings.url.clone(),
            wanted: format!("{policy} {mode:?}"),
            offered: if names.is_empty() { "nothing".to_owned() } else { names.join(", ") },
        }
    })
}

/// Whether the certificate is one that a person trusts, and fit for use; until when it is valid.
fn identify(settings: &ServerSettings, endpoint: &EndpointDescription) -> Result<i64, CannotConnect> {
    let url = settings.url.clone();
    let unusable = |what: String| CannotConnect::Certificate { url: url.clone(), what };
    let certificate = X509::from_byte_string(&endpoint.server_certificate)
        .map_err(|_| unusable("what it sent is no certificate".to_owned()))?;
    let pki = Pki::at(&settings.pki);
    match pki.standing(&certificate) {
        Some(Standing::Trusted) => {}
        Some(Standing::Rejected | Standing::Own) => return Err(untrusted(settings, &certificate)),
        None => {
            pki.keep_rejected(&certificate, &settings.url)?;
            return Err(untrusted(settings, &certificate));
        }
    }
    let key_bits = certificate.key_length().unwrap_or(0);
    if !policy_of(settings.security.policy).is_valid_keylength(key_bits) {
        return Err(unusable(format!("its key of {key_bits} bits is not allowed under this policy")));
    }
    let not_after = certificate.not_after().map_or(0, |at| at.timestamp());
    let not_before = certificate.not_before().map_or(i64::MAX, |at| at.timestamp());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    if !(not_before..=not_after).contains(&now) {
        let what = if now < not_before { "not valid yet" } else { "expired" };
        return Err(unusable(format!(
            "it is {what} (or this computer's clock is wrong): renew it at the server, then trust the new one"
        )));
    }
    let uri = endpoint.server.application_uri.as_ref();
    if certificate.is_application_uri_valid(uri).is_err() {
        return Err(unusable(format!("it was not made for the application {uri:?}")));
    }
    Ok(not_after)
}

fn untrusted(settings: &ServerSettings, certificate: &X509) -> CannotConnect {
    let all = fingerprint(certificate).to_uppercase();
    let data = settings.pki.parent().unwrap_or(&settings.pki);
    CannotConnect::Untrusted {
        url: settings.url.clone(),
        subject: certificate.subject_name(),
        short: all.chars().take(16).collect(),
        fingerprint: all,
        data: data.display().to_string(),
    }
}

fn identity_of(settings: &ServerSettings, endpoint: &EndpointDescription) -> Result<IdentityToken, CannotConnect> {
    let (kind, token) = match &settings.user {
        User::Anonymous => (UserTokenType::Anonymous, IdentityToken::Anonymous),
        User::Password { name, password } => {
            // Without security nobody has proved to be the server, and the password would go to whoever answers.
            if settings.security.policy == Policy::None {
                return Err(CannotConnect::Own("a password is never sent without security".to_owned()));
            }
            let password = password_from(password)?;
            (UserTokenType::UserName, IdentityToken::UserName(name.clone(), Password::new(password)))
        }
        User::Certificate { certificate, key } => {
            let certificate = read_certificate(certificate)?;
            let key = opcua::crypto::PrivateKey::read_pem_file(key).map_err(|_| {
                CannotConnect::Own(format!("{}: is not a private key in PEM that can be read", key.display()))
            })?;
            (UserTokenType::Certificate, IdentityToken::X509(Box::new(certificate), Box::new(key)))
        }
    };
    if endpoint.find_policy(kind).is_none() {
        return Err(CannotConnect::NotOffered {
            url: settings.url.clone(),
            wanted: format!("users by {kind:?} under this policy"),
            offered: user_kinds(endpoint),
        });
    }
    Ok(token)
}

fn user_kinds(endpoint: &EndpointDescription) -> String {
    let kinds = endpoint.user_identity_tokens.iter().flatten().map(|token| format!("{:?}", token.token_type));
    let kinds: Vec<String> = kinds.take(8).collect();
    if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
}

fn password_from(place: &PasswordPlace) -> Result<String, CannotConnect> {
    match place {
        PasswordPlace::File(path) => {
            let text = fs::read_to_string(path).map_err(|error| {
                CannotConnect::Own(format!("the password file {} cannot be read: {error}", path.display()))
            })?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        }
        PasswordPlace::Environment(name) => std::env::var(name)
            .map_err(|_| CannotConnect::Own(format!("the environment has no {name}, where the password should be"))),
    }
}

fn no_answer(settings: &ServerSettings, error: &Error) -> CannotConnect {
    match error.status() {
        StatusCode::BadTimeout | StatusCode::BadRequestTimeout => CannotConnect::Silent { url: settings.url.clone() },
        _ => CannotConnect::Unreachable { url: settings.url.clone(), why: error.to_string() },
    }
}

fn refused(settings: &ServerSettings, status: StatusCode) -> CannotConnect {
    let hint = match status {
        StatusCode::BadIdentityTokenRejected
        | StatusCode::BadUserAccessDenied
        | StatusCode::BadIdentityTokenInvalid => "user or password is wrong",
        StatusCode::BadSecurityChecksFailed
        | StatusCode::BadCertificateUntrusted
        | StatusCode::BadCertificateInvalid
        | StatusCode::BadConnectionClosed
        | StatusCode::BadCertificateUriInvalid => "does the server trust our certificate, own/cert.der?",
        StatusCode::BadTooManySessions => "too many sessions: an old one lives until its time-out",
        StatusCode::BadCommunicationError | StatusCode::BadNotConnected => "nobody listens there any more",
        StatusCode::BadTimeout => "no answer in time",
        _ => "the server's log may say more",
    };
    CannotConnect::Refused { url: settings.url.clone(), status, hint }
}
