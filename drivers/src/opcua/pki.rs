//! Who is who on OPC UA: this program's own certificate, and the list of those that it trusts.
//!
//! ```text
//!  <data>/pki/own/cert.der  private/private.pem  trusted/*.der  rejected/*.der
//!
//!  unknown certificate --> rejected --`heatstation pki trust`--> trusted --`heatstation pki reject`--> rejected
//! ```
//!
//! One folder for the client and the server of this program: to others it is one application with one certificate.
//! The layout is that of the OPC UA library, which looks at the same files; it refuses a certificate that lies in
//! `rejected` even if a copy lies in `trusted`, so certificates are moved here, never copied.
//!
//! # Trust
//! By pinning alone: a certificate is trusted because a person compared its fingerprint. Chains and revocation lists are
//! not looked at (the library cannot), so a certificate signed by a trusted authority is as unknown as any other. Nothing
//! is ever trusted by itself, not even at the first meeting.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use opcua::crypto::{CertificateStore, PrivateKey, X509, X509Data};
use sha2::{Digest, Sha256};

#[cfg(test)]
mod tests;

/// How long the own certificate is valid. The library's default of one year expires in the middle of a season, which is a
/// known production trap (node-opcua issue 1148); five years is what a controller goes between overhauls.
const OWN_VALID_DAYS: u32 = 5 * 365;
/// Bits of the own key: 2048 is the least that all three policies take (OPC 10000-7, 2048 to 4096 each).
const OWN_KEY_BITS: u32 = 2048;
/// Months of warning: a certificate with less than this to go is told of. Whoever renews it has to visit every partner
/// that pinned it, so 60 days, twice the 30 days that web certificates usually get.
pub const EXPIRY_WARNING_DAYS: i64 = 60;
/// So many unknown certificates are kept, the newest: whoever knocks with a new one each time must not fill the disk.
const REJECTED_MAX: usize = 50;
/// The shortest piece of a fingerprint that may stand for all of it: 32 bits, among at most a few hundred files.
const FINGERPRINT_DIGITS_MIN: usize = 8;

/// Why the folder could not be used, or a certificate not be found.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or folder could not be read, written or moved.
    #[error("{path}: {error}", path = .path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not what its name says.
    #[error("{path}: {what}", path = .path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No certificate, or more than one, has this fingerprint.
    #[error(
        "{count} certificates in {places} have a fingerprint that begins with {wanted}; `heatstation pki list` shows all"
    )]
    NotOne {
        /// How many have.
        count: usize,
        /// Where was looked.
        places: &'static str,
        /// What was asked for.
        wanted: String,
    },
    /// Too short, or not hexadecimal.
    #[error(
        "{0:?} is neither a certificate file (.der, .pem) nor at least {FINGERPRINT_DIGITS_MIN} hexadecimal digits of a fingerprint"
    )]
    NotAFingerprint(String),
}

/// Where a certificate lies, and so what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// This program's own.
    Own,
    /// A person has compared its fingerprint.
    Trusted,
    /// Unknown, or no longer trusted.
    Rejected,
}

impl Standing {
    /// As `pki list` shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Own => "own",
            Standing::Trusted => "trusted",
            Standing::Rejected => "rejected",
        }
    }
}

/// One certificate of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it lies.
    pub standing: Standing,
    /// Whom it names.
    pub subject: String,
    /// SHA-256 over its DER, small hexadecimal digits.
    pub sha256: String,
    /// SHA-1 over its DER: what many servers' pages show as "thumbprint".
    pub sha1: String,
    /// From when it is valid, seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, seconds since 1970.
    pub not_after: i64,
    /// Whom it came from, if that was written down.
    pub from: Option<String>,
    /// Its file.
    pub path: PathBuf,
}

/// What this program calls itself in its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The station's id, part of the subject.
    pub station: String,
    /// Further names and addresses under which the server is reached; the computer's own are always in it.
    pub addresses: Vec<String>,
}

impl OwnIdentity {
    /// The application's URI: what certificate and application description must both say, or partners refuse the two.
    pub fn application_uri(&self) -> String {
        let computer = opcua::crypto::hostname().unwrap_or_else(|_| "localhost".to_owned());
        format!("urn:{computer}:heatstation:{}", self.station)
    }

    fn x509_data(&self) -> X509Data {
        // Commas and the like would begin another part of the name; the checked id of a station has none.
        let station: String =
            self.station.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        X509Data {
            key_size: OWN_KEY_BITS,
            common_name: format!("heatstation {station}"),
            organization: "heatstation".to_owned(),
            organizational_unit: String::new(),
            country: String::new(),
            state: String::new(),
            alt_host_names: X509Data::alt_host_names(
                &self.application_uri(),
                Some(self.addresses.clone()),
                true,
                true,
                true,
            ),
            certificate_duration_days: OWN_VALID_DAYS,
        }
    }
}

/// This program's own certificate and key.
#[derive(Debug, Clone)]
pub struct Own {
    /// The certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PrivateKey,
    /// What it says to be; partners compare it with the application description.
    pub application_uri: String,
    /// Until when it is valid, seconds since 1970.
    pub not_after: i64,
}

/// The folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// The folder of a data folder. Nothing is made yet.
    pub fn of_data(data: &Path) -> Pki {
        Pki { folder: data.join("pki") }
    }

    /// A folder of its own place.
    pub fn at(folder: impl Into<PathBuf>) -> Pki {
        Pki { folder: folder.into() }
    }

    /// Where it is: what the OPC UA library calls `pki_dir`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The own certificate, relative to the folder, as the library wants it.
    pub fn own_certificate() -> &'static Path {
        Path::new("own/cert.der")
    }

    /// The own key, relative to the folder, as the library wants it.
    pub fn own_key() -> &'static Path {
        Path::new("private/private.pem")
    }

    /// Makes the folders, readable by their owner alone.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn prepare(&self) -> Result<(), PkiError> {
        for folder in ["own", "private", "trusted", "rejected"] {
            let path = self.folder.join(folder);
            DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(disk(&path))?;
        }
        // The folder may be older than this rule, or somebody else's umask; the key's own bits are set as well.
        let private = self.folder.join("private");
        fs::set_permissions(&private, Permissions::from_mode(0o700)).map_err(disk(&private))
    }

    /// The own certificate and key; made if there is none yet.
    ///
    /// # Errors
    /// If the disk refuses, one of the two is missing, or they do not belong together. A damaged certificate is not
    /// replaced by itself: partners have pinned it, and a person has to know that they must pin another.
    pub fn own(&self, identity: &OwnIdentity) -> Result<Own, PkiError> {
        self.prepare()?;
        let (certificate_path, key_path) =
            (self.folder.join(Self::own_certificate()), self.folder.join(Self::own_key()));
        match (certificate_path.exists(), key_path.exists()) {
            (false, false) => self.make_own(identity)?,
            (true, true) => {}
            (has_certificate, _) => {
                let (missing, other) =
                    if has_certificate { (&key_path, &certificate_path) } else { (&certificate_path, &key_path) };
                let what = format!(
                    "is missing, but {} is there; put it back, or make a new pair with `heatstation pki renew`",
                    other.display()
                );
                return Err(PkiError::Unusable { path: missing.clone(), what });
            }
        }
        fs::set_permissions(&key_path, Permissions::from_mode(0o600)).map_err(disk(&key_path))?;
        let certificate = read_certificate(&certificate_path)?;
        let key = PrivateKey::read_pem_file(&key_path).map_err(|_| PkiError::Unusable {
            path: key_path.clone(),
            what: "is not a private key in PEM; put it back, or make a new pair with `heatstation pki renew`"
                .to_owned(),
        })?;
        let belongs = certificate
            .public_key()
            .ok()
            .zip(key.public_key_to_info().ok())
            .is_some_and(|(public, _)| is_pair(&public, &key));
        if !belongs {
            let what = format!("is not the key of {}", certificate_path.display());
            return Err(PkiError::Unusable { path: key_path, what });
        }
        let not_after = certificate.not_after().map_or(0, |at| at.timestamp());
        // A computer that was renamed keeps the URI that its partners know, as long as the certificate says it.
        let application_uri = application_uri_of(&certificate).unwrap_or_else(|| identity.application_uri());
        Ok(Own { certificate, key, application_uri, not_after })
    }

    /// Makes a new own certificate with a new key. All partners that pinned the old one must be given the new one.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn renew(&self, identity: &OwnIdentity) -> Result<Own, PkiError> {
        self.prepare()?;
        self.make_own(identity)?;
        self.own(identity)
    }

    /// Through a folder that only the owner can enter: the library writes the key with the bits of the umask.
    fn make_own(&self, identity: &OwnIdentity) -> Result<(), PkiError> {
        let workshop = self.folder.join(format!("private/.new-{}", std::process::id()));
        let _ = fs::remove_dir_all(&workshop);
        DirBuilder::new().mode(0o700).create(&workshop).map_err(disk(&workshop))?;
        let (certificate, key) = (workshop.join("cert.der"), workshop.join("private.pem"));
        let made = CertificateStore::create_certificate_and_key(&identity.x509_data(), true, &certificate, &key)
            .map_err(|what| PkiError::Unusable { path: workshop.clone(), what })
            .and_then(|_| fs::set_permissions(&key, Permissions::from_mode(0o600)).map_err(disk(&key)))
            .and_then(|()| move_file(&key, &self.folder.join(Self::own_key())))
            .and_then(|()| move_file(&certificate, &self.folder.join(Self::own_certificate())));
        let _ = fs::remove_dir_all(&workshop);
        made
    }

    /// What a certificate counts here.
    pub fn standing(&self, certificate: &X509) -> Option<Standing> {
        let name = CertificateStore::cert_file_name(certificate);
        let der = certificate.to_der().ok()?;
        // The library knows certificates by their file names; the bytes are compared all the same.
        let lies_in = |folder: &str| fs::read(self.folder.join(folder).join(&name)).is_ok_and(|file| file == der);
        match (lies_in("rejected"), lies_in("trusted")) {
            (true, _) => Some(Standing::Rejected),
            (false, true) => Some(Standing::Trusted),
            (false, false) => None,
        }
    }

    /// Keeps an unknown certificate for a person to look at, with a word on whom it came from.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn keep_rejected(&self, certificate: &X509, from: &str) -> Result<(), PkiError> {
        self.prepare()?;
        let path = self.folder.join("rejected").join(CertificateStore::cert_file_name(certificate));
        let der = certificate
            .to_der()
            .map_err(|_| PkiError::Unusable { path: path.clone(), what: "cannot be written as DER".to_owned() })?;
        fs::write(&path, der).map_err(disk(&path))?;
        let note = note_of(&path);
        fs::write(&note, from).map_err(disk(&note))?;
        self.forget_old_rejected()
    }

    /// Keeps the newest of the rejected alone.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn forget_old_rejected(&self) -> Result<(), PkiError> {
        let folder = self.folder.join("rejected");
        let mut files: Vec<(SystemTime, PathBuf)> = certificate_files(&folder)?
            .into_iter()
            .filter_map(|path| Some((fs::metadata(&path).and_then(|data| data.modified()).ok()?, path)))
            .collect();
        files.sort();
        for (_, path) in files.iter().take(files.len().saturating_sub(REJECTED_MAX)) {
            fs::remove_file(path).map_err(disk(path))?;
            let _ = fs::remove_file(note_of(path));
        }
        Ok(())
    }

    /// All certificates, own first, then trusted, then rejected. Files that are no certificates are passed over.
    ///
    /// # Errors
    /// If the disk refuses. A folder that is not there yet is empty.
    pub fn list(&self) -> Result<Vec<Listed>, PkiError> {
        let mut listed = Vec::new();
        for (standing, folder) in
            [(Standing::Own, "own"), (Standing::Trusted, "trusted"), (Standing::Rejected, "rejected")]
        {
            let files = certificate_files(&self.folder.join(folder))?;
            listed
                .extend(files.iter().filter_map(|path| Some(listed_of(standing, &read_certificate(path).ok()?, path))));
        }
        listed.sort_by(|one, other| (one.standing, &one.subject).cmp(&(other.standing, &other.subject)));
        Ok(listed)
    }

    /// Trusts a rejected certificate, named by (the beginning of) its fingerprint, or a certificate file from elsewhere.
    ///
    /// # Errors
    /// If there is not exactly one, or the disk refuses.
    pub fn trust(&self, fingerprint_or_file: &str) -> Result<Listed, PkiError> {
        self.prepare()?;
        let file = Path::new(fingerprint_or_file);
        let listed = if file.is_file() {
            let certificate = read_certificate(file)?;
            self.keep_rejected(&certificate, &format!("the file {}", file.display()))?;
            let path = self.folder.join("rejected").join(CertificateStore::cert_file_name(&certificate));
            listed_of(Standing::Rejected, &certificate, &path)
        } else {
            self.find(Standing::Rejected, fingerprint_or_file)?
        };
        self.move_to(listed, Standing::Trusted)
    }

    /// Trusts a certificate no longer, named by (the beginning of) its fingerprint.
    ///
    /// # Errors
    /// If there is not exactly one, or the disk refuses.
    pub fn reject(&self, fingerprint: &str) -> Result<Listed, PkiError> {
        self.prepare()?;
        let listed = self.find(Standing::Trusted, fingerprint)?;
        self.move_to(listed, Standing::Rejected)
    }

    fn find(&self, standing: Standing, fingerprint: &str) -> Result<Listed, PkiError> {
        let digits: String =
            fingerprint.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).map(|c| c.to_ascii_lowercase()).collect();
        if digits.len() < FINGERPRINT_DIGITS_MIN || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(PkiError::NotAFingerprint(fingerprint.to_owned()));
        }
        let mut found: Vec<Listed> = self
            .list()?
            .into_iter()
            .filter(|listed| listed.standing == standing)
            .filter(|listed| listed.sha256.starts_with(&digits) || listed.sha1.starts_with(&digits))
            .collect();
        match (found.len(), found.pop()) {
            (1, Some(one)) => Ok(one),
            (count, _) => Err(PkiError::NotOne { count, places: standing.name(), wanted: fingerprint.to_owned() }),
        }
    }

    fn move_to(&self, listed: Listed, standing: Standing) -> Result<Listed, PkiError> {
        let name = listed.path.file_name().unwrap_or_default().to_owned();
        let target = self.folder.join(standing.name()).join(name);
        move_file(&listed.path, &target)?;
        let _ = fs::rename(note_of(&listed.path), note_of(&target));
        Ok(Listed { standing, path: target, ..listed })
    }
}

impl Listed {
    /// The fingerprint in the pairs that people compare it by.
    pub fn sha256_pairs(&self) -> String {
        pairs(&self.sha256)
    }

    /// The SHA-1 fingerprint in pairs.
    pub fn sha1_pairs(&self) -> String {
        pairs(&self.sha1)
    }
}

/// SHA-256 over the certificate's DER, in small hexadecimal digits.
pub fn fingerprint(certificate: &X509) -> String {
    use std::fmt::Write;
    let der = certificate.to_der().unwrap_or_default();
    Sha256::digest(&der).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn pairs(digits: &str) -> String {
    digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect::<Vec<_>>().join(":")
}

fn listed_of(standing: Standing, certificate: &X509, path: &Path) -> Listed {
    Listed {
        standing,
        subject: certificate.subject_name(),
        sha256: fingerprint(certificate),
        sha1: certificate.thumbprint().as_hex_string().to_lowercase(),
        not_before: certificate.not_before().map_or(0, |at| at.timestamp()),
        not_after: certificate.not_after().map_or(0, |at| at.timestamp()),
        from: fs::read_to_string(note_of(path)).ok().map(|text| text.trim().to_owned()),
        path: path.to_owned(),
    }
}

/// The note on where a certificate came from lies beside it.
fn note_of(certificate: &Path) -> PathBuf {
    certificate.with_extension("from")
}

fn certificate_files(folder: &Path) -> Result<Vec<PathBuf>, PkiError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk(folder)(error)),
    };
    let is_certificate = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "der");
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_certificate).collect())
}

/// Reads a certificate, DER or PEM by its ending.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read_certificate(path: &Path) -> Result<X509, PkiError> {
    CertificateStore::read_cert(path).map_err(|what| PkiError::Unusable { path: path.to_owned(), what })
}

/// Signs with the one and verifies with the other: whether they belong together.
fn is_pair(public: &opcua::crypto::PublicKey, key: &PrivateKey) -> bool {
    use opcua::crypto::KeySize;
    let mut signature = vec![0; key.size()];
    let data = b"heatstation";
    key.size() == public.size()
        && key.sign_sha256(data, &mut signature).is_ok()
        && public.verify_sha256(data, &signature).unwrap_or(false)
}

/// The URI that stands in a certificate of our own making. The library can only compare, so the text is searched for.
fn application_uri_of(certificate: &X509) -> Option<String> {
    let der = certificate.to_der().ok()?;
    let start = der.windows(4).position(|window| window == b"urn:")?;
    let length = usize::from(*der.get(start.checked_sub(1)?)?);
    let uri = std::str::from_utf8(der.get(start..start + length)?).ok()?.to_owned();
    certificate.is_application_uri_valid(&uri).ok().map(|()| uri)
}

fn move_file(from: &Path, to: &Path) -> Result<(), PkiError> {
    fs::rename(from, to).map_err(disk(from))
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> PkiError {
    let path = path.to_owned();
    move |error| PkiError::Disk { path, error }
}
