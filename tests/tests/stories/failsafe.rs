//! The failsafe matrix of the guide is what the program does.

use std::path::Path;

use heatstation_tests::failsafe;

#[test]
fn the_failsafe_matrix_of_the_guide_is_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/failsafe-matrix.md");
    let now = failsafe::matrix();
    if std::env::var_os("HEATSTATION_BLESS").is_some() {
        std::fs::write(&path, &now).expect("the guide can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = now.lines().zip(written.lines()).find(|(now, written)| now != written);
    assert!(
        now == written,
        "docs/guide/failsafe-matrix.md is stale: {changed:?}; HEATSTATION_BLESS=1 writes it anew, then read what changed"
    );
}
