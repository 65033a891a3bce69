//! `pki`: the certificates of OPC UA: who is trusted, who knocked, and this program's own.

use std::path::PathBuf;

use heatstation_config::Station;
use heatstation_drivers::opcua::pki::{EXPIRY_WARNING_DAYS, Listed, OwnIdentity, Pki, Standing};

use super::{Failure, Outcome, say, say_json};

/// Which folder of certificates is meant.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// The data folder.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// The station's file, which names the data folder.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

/// What is to be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// All certificates: own, trusted, rejected, with fingerprints, validity and where each came from.
    #[command(after_help = "Example: heatstation pki list --data /var/lib/heatstation")]
    List {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Trusts a rejected certificate, after its fingerprint was compared with what its owner shows; or one from a file.
    #[command(after_help = "Example: heatstation pki trust 4F00C2A91B77E03D --data /var/lib/heatstation")]
    Trust {
        /// The beginning of the fingerprint, SHA-256 or SHA-1, at least 8 digits; or a certificate file (.der, .pem).
        #[arg(value_name = "FINGERPRINT|FILE")]
        which: String,
    },
    /// Trusts a certificate no longer. Connections that are open stay open until they are next made.
    #[command(after_help = "Example: heatstation pki reject 4F00C2A91B77E03D --data /var/lib/heatstation")]
    Reject {
        /// The beginning of the fingerprint, SHA-256 or SHA-1, at least 8 digits.
        fingerprint: String,
    },
    /// Makes a new certificate and key of our own; each server has to be given the new one.
    #[command(after_help = "Example: heatstation pki renew --config station.toml")]
    Renew,
}

/// Does it.
///
/// # Errors
/// No folder is named, no or more than one certificate is meant, or the disk refuses.
pub fn run(place: Place, action: Action) -> Outcome {
    let station = place.config.as_deref().map(super::load).transpose()?;
    let data = place.data.or_else(|| station.as_ref().map(|station| station.daemon.data_folder.clone()));
    let data = data.ok_or_else(|| {
        Failure::Usage("which certificates? give --data FOLDER, or --config with the station's file".to_owned())
    })?;
    let pki = Pki::of_data(&data);
    let wrong = |error: heatstation_drivers::opcua::pki::PkiError| Failure::Running(error.into());
    match action {
        Action::List { json } => list(&pki.list().map_err(wrong)?, json),
        Action::Trust { which } => {
            let trusted = pki.trust(&which).map_err(wrong)?;
            say(&format!("trusted: {}\n", line(&trusted)))
        }
        Action::Reject { fingerprint } => {
            let rejected = pki.reject(&fingerprint).map_err(wrong)?;
            say(&format!("rejected: {}\n", line(&rejected)))
        }
        Action::Renew => {
            let station: &Station = station.as_ref().ok_or_else(|| {
                Failure::Usage("a certificate names its station: give --config with the station's file".to_owned())
            })?;
            let identity = OwnIdentity { station: station.settings.station.clone(), addresses: Vec::new() };
            let own = pki.renew(&identity).map_err(wrong)?;
            say(&format!(
                "made {} for {}, valid until {}; give it to each server that knows the old one, then restart heatstation\n",
                pki.folder().join(Pki::own_certificate()).display(),
                own.application_uri,
                day(own.not_after)
            ))
        }
    }
}

fn list(all: &[Listed], json: bool) -> Outcome {
    if json {
        let rows: Vec<serde_json::Value> = all.iter().map(as_json).collect();
        return say_json(&rows);
    }
    if all.is_empty() {
        return say("no certificates yet: the own one is made when a server is first reached\n");
    }
    for one in all {
        say(&format!("{}\n", block(one)))?;
    }
    Ok(())
}

fn line(one: &Listed) -> String {
    format!("{}, SHA-256 {}", one.subject, one.sha256_pairs())
}

fn block(one: &Listed) -> String {
    let from = one.from.as_ref().map(|from| format!("\n  from     {from}")).unwrap_or_default();
    let days = (one.not_after - jiff::Timestamp::now().as_second()).div_euclid(86_400);
    let remark = match days {
        ..0 => "  EXPIRED".to_owned(),
        0..EXPIRY_WARNING_DAYS => format!("  expires in {days} days"),
        _ => String::new(),
    };
    format!(
        "{:<8} {}\n  SHA-256  {}\n  SHA-1    {}\n  valid    {} to {}{remark}{from}\n  file     {}",
        one.standing.name(),
        one.subject,
        one.sha256_pairs(),
        one.sha1_pairs(),
        day(one.not_before),
        day(one.not_after),
        one.path.display()
    )
}

fn as_json(one: &Listed) -> serde_json::Value {
    serde_json::json!({
        "standing": one.standing.name(),
        "is_trusted": one.standing == Standing::Trusted,
        "subject": one.subject,
        "sha256": one.sha256,
        "sha1": one.sha1,
        "not_before": one.not_before,
        "not_after": one.not_after,
        "from": one.from,
        "file": one.path.display().to_string(),
    })
}

fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}
