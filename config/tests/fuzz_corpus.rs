//! The seeds of the fuzz targets, and what was found with them, go through the same functions at every gate.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../tests/fuzz/src/lib.rs"]
mod targets;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every file below these folders of the repository, whole and cut off in the middle.
fn all(folders: &[&str], target: fn(&[u8])) {
    let mut found = Vec::new();
    for folder in folders {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut found);
    }
    assert!(found.len() >= 3, "{folders:?}: {} seeds", found.len());
    for path in found {
        let bytes = fs::read(&path).unwrap();
        target(&bytes);
        target(&bytes[..bytes.len() / 2]);
    }
}

#[test]
fn words_of_devices() {
    all(&["tests/fuzz/corpus/registers"], targets::registers);
}

#[test]
fn station_files() {
    all(&["config/stations", "config/tests/golden"], targets::station_file);
}

#[test]
fn templates() {
    all(&["config/devices", "config/tests/devices"], targets::template);
}

#[test]
fn register_rows_as_csv() {
    all(&["tests/fuzz/corpus/points_csv"], targets::points_csv);
}

#[test]
fn register_lists_of_makers() {
    all(&["tests/fuzz/corpus/register_list"], targets::register_list);
}
