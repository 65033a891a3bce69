//! Own and strange certificates, on a folder of their own.

use super::*;

fn pki() -> (tempfile::TempDir, Pki) {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::of_data(folder.path());
    (folder, pki)
}

fn identity() -> OwnIdentity {
    OwnIdentity { station: "k12".to_owned(), addresses: vec!["10.0.0.7".to_owned()] }
}

fn stranger() -> X509 {
    let (_folder, other) = pki();
    other.own(&identity()).unwrap().certificate
}

#[test]
fn the_own_certificate_is_made_once_says_who_we_are_and_its_key_is_its_owners_alone() {
    let (_folder, pki) = pki();
    let made = pki.own(&identity()).unwrap();
    let again = pki.own(&identity()).unwrap();
    assert_eq!(fingerprint(&made.certificate), fingerprint(&again.certificate));
    made.certificate.is_application_uri_valid(&identity().application_uri()).unwrap();
    assert_eq!(made.application_uri, identity().application_uri());
    made.certificate.is_hostname_valid("10.0.0.7").unwrap();
    let mode = fs::metadata(pki.folder().join(Pki::own_key())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(pki.folder().join("private")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left of making it: {left:?}");
}

#[test]
fn a_renamed_computer_keeps_the_name_that_its_certificate_says() {
    let (_folder, pki) = pki();
    let made = pki.own(&identity()).unwrap();
    let renamed = OwnIdentity { station: "k13".to_owned(), ..identity() };
    assert_eq!(pki.own(&renamed).unwrap().application_uri, made.application_uri);
}

#[test]
fn half_a_pair_is_told_and_not_replaced() {
    let (_folder, pki) = pki();
    pki.own(&identity()).unwrap();
    fs::remove_file(pki.folder().join(Pki::own_key())).unwrap();
    let told = pki.own(&identity()).unwrap_err().to_string();
    assert!(told.contains("private.pem: is missing") && told.contains("pki renew"), "{told}");

    let (_other_folder, other) = self::pki();
    other.own(&identity()).unwrap();
    fs::copy(other.folder().join(Pki::own_key()), pki.folder().join(Pki::own_key())).unwrap();
    let told = pki.own(&identity()).unwrap_err().to_string();
    assert!(told.contains("is not the key of"), "{told}");
    pki.renew(&identity()).unwrap();
}

#[test]
fn an_unknown_certificate_is_kept_then_trusted_by_fingerprint_then_rejected_again() {
    let (_folder, pki) = pki();
    let stranger = stranger();
    pki.prepare().unwrap();
    assert_eq!(pki.standing(&stranger), None);
    pki.keep_rejected(&stranger, "opc.tcp://10.0.0.9:4840").unwrap();
    assert_eq!(pki.standing(&stranger), Some(Standing::Rejected));
    let listed = pki.list().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].from.as_deref(), Some("opc.tcp://10.0.0.9:4840"));

    let trusted = pki.trust(&listed[0].sha256_pairs()[..23]).unwrap();
    assert_eq!(pki.standing(&stranger), Some(Standing::Trusted));
    assert_eq!(trusted.from.as_deref(), Some("opc.tcp://10.0.0.9:4840"));
    pki.reject(&trusted.sha1).unwrap();
    assert_eq!(pki.standing(&stranger), Some(Standing::Rejected));
    assert!(matches!(pki.reject(&trusted.sha1), Err(PkiError::NotOne { count: 0, .. })));
    assert!(matches!(pki.trust("abc"), Err(PkiError::NotAFingerprint(_))));
}

#[test]
fn a_certificate_file_that_somebody_brought_can_be_trusted() {
    let (_folder, pki) = pki();
    let (_other_folder, other) = self::pki();
    let own = other.own(&identity()).unwrap();
    pki.trust(&other.folder().join(Pki::own_certificate()).display().to_string()).unwrap();
    assert_eq!(pki.standing(&own.certificate), Some(Standing::Trusted));
}

#[test]
fn a_file_of_the_right_name_with_other_bytes_is_not_trusted() {
    let (_folder, pki) = pki();
    let stranger = stranger();
    pki.prepare().unwrap();
    let name = CertificateStore::cert_file_name(&stranger);
    fs::write(pki.folder().join("trusted").join(name), b"something else").unwrap();
    assert_eq!(pki.standing(&stranger), None);
}

#[test]
fn who_knocks_with_a_new_certificate_each_time_does_not_fill_the_disk() {
    let (_folder, pki) = pki();
    pki.prepare().unwrap();
    let der = stranger().to_der().unwrap();
    for number in 0..REJECTED_MAX + 20 {
        fs::write(pki.folder().join(format!("rejected/{number}.der")), &der).unwrap();
    }
    pki.forget_old_rejected().unwrap();
    assert_eq!(fs::read_dir(pki.folder().join("rejected")).unwrap().count(), REJECTED_MAX);
}
