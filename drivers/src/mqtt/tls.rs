//! Trusting one's own broker: the authorities that the file names and no others, with our certificate if it wants one.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::settings::TlsFiles;

/// The client side of an encrypted connection. The provider is named: a process with two of them has no default.
///
/// # Errors
/// A file cannot be read or holds something else; which and why, in a sentence.
pub fn client(files: &TlsFiles) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.authorities)? {
        let shown = files.authorities.display();
        roots.add(certificate).map_err(|error| format!("the authorities {shown}: {error}"))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(roots);
    let config = match &files.client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let shown = key.display();
            let own = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("the key {shown}: {error}"))?;
            builder
                .with_client_auth_cert(certificates(chain)?, own)
                .map_err(|error| format!("the certificate {} with the key {shown}: {error}", chain.display()))?
        }
    };
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let all = CertificateDer::pem_file_iter(path).map_err(|error| format!("the certificates {shown}: {error}"))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| format!("the certificates {shown}: {error}"))?;
    if all.is_empty() { Err(format!("the certificates {shown}: there is none in PEM form")) } else { Ok(all) }
}
