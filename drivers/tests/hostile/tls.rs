//! Certificates of a plant network, made for each test, and what TLS lets in.

use std::path::PathBuf;
use std::sync::Arc;

use heatstation_drivers::bus::{Bus, BusError};
use heatstation_drivers::settings::{Dial, Table, Tls, Transport, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::peer::{Question, patient, signature, span};

/// An authority, a device and a controller that it signed for, as files.
pub struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    pub fn new() -> Papers {
        let papers = Papers { folder: tempfile::tempdir().unwrap() };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::write(papers.file("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        for (name, host) in [("device", "plc.station.local"), ("controller", "heatstation")] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
            let signed = params.signed_by(&key, &authority).unwrap();
            std::fs::write(papers.file(&format!("{name}.pem")), signed.pem()).unwrap();
            std::fs::write(papers.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        papers
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The device's side: it asks for a certificate of its authority.
    pub fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("authority.pem")).unwrap()).unwrap();
        let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let certificate = CertificateDer::from_pem_file(self.file("device.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.file("device.key")).unwrap();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_client_cert_verifier(asks).with_single_cert(vec![certificate], key).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The controller's side.
    pub fn client(&self) -> Tls {
        Tls {
            own: Some((self.file("controller.pem"), self.file("controller.key"))),
            trust: Trust::Authorities(self.file("authority.pem")),
            server_name: Some("plc.station.local".to_owned()),
        }
    }
}

/// A truthful device of these papers; its address.
async fn device_of(papers: &Papers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = papers.acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            while let Some(question) = Question::from(heatstation_drivers::settings::Framing::Mbap, &mut stream).await {
                stream.write_all(&question.frame(&question.truth(0))).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    });
    address
}

/// What one read comes to with these papers in hand.
async fn reads(address: &str, tls: Tls) -> Result<Vec<u16>, BusError> {
    let mut bus = patient(Transport::ModbusTls { dial: Dial::to(address), tls });
    bus.connect().await?;
    bus.read(span(1, Table::HoldingRegister, 7, 1)).await
}

#[tokio::test]
async fn a_device_is_read_over_tls_by_name_and_authority_or_by_its_own_certificate() {
    let papers = Papers::new();
    let address = device_of(&papers).await;
    let truth = Ok(vec![signature(1, 3, 7)]);
    assert_eq!(reads(&address, papers.client()).await, truth);
    // A pinned certificate is known by itself, whatever name it is asked for.
    let pinned = Tls { trust: Trust::Pinned(papers.file("device.pem")), server_name: None, ..papers.client() };
    assert_eq!(reads(&address, pinned).await, truth);
}

#[tokio::test]
async fn neither_a_strange_device_nor_a_strange_controller_gets_a_word_over_tls() {
    let (papers, strange) = (Papers::new(), Papers::new());
    let address = device_of(&papers).await;
    let ours = papers.client();
    let strangers = [
        ("another authority", Tls { trust: Trust::Authorities(strange.file("authority.pem")), ..ours.clone() }),
        (
            "another certificate than the pinned",
            Tls { trust: Trust::Pinned(strange.file("device.pem")), ..ours.clone() },
        ),
        ("another name", Tls { server_name: Some("other.station.local".to_owned()), ..ours.clone() }),
        ("the address as its name", Tls { server_name: None, ..ours.clone() }),
        ("no file", Tls { trust: Trust::Authorities(papers.file("nothing.pem")), ..ours.clone() }),
    ];
    for (what, tls) in strangers {
        let outcome = reads(&address, tls).await;
        assert!(matches!(outcome, Err(BusError::Unreachable { .. })), "{what}: {outcome:?}");
    }
    // In TLS 1.3 a device says after the handshake that it does not know us.
    let own = Some((strange.file("controller.pem"), strange.file("controller.key")));
    for own in [own, None] {
        let outcome = reads(&address, Tls { own, ..ours.clone() }).await;
        assert!(outcome.is_err(), "a stranger was let in: {outcome:?}");
    }
}
