//! `backup` and `restore`.

use std::path::Path;

use super::{Failure, Outcome, say};
use crate::store::backup::{self, BackupError, Copied};

/// Copies a data folder's database into a new file, beside a running daemon.
///
/// # Errors
/// See [`BackupError`].
pub fn save(data: &Path, to: &Path) -> Outcome {
    let copied = backup::backup(data, to).map_err(told)?;
    say(&format!("{}: {}\n", to.display(), described(&copied)))
}

/// Fills an empty data folder from a backup.
///
/// # Errors
/// See [`BackupError`].
pub fn bring_back(from: &Path, data: &Path) -> Outcome {
    let copied = backup::restore(from, data).map_err(told)?;
    say(&format!(
        "{}: {}; what was recorded after this is missing, and its time will count as unobserved\n",
        data.display(),
        described(&copied)
    ))
}

fn described(copied: &Copied) -> String {
    let head = copied.head.map_or_else(|| "none".to_owned(), |head| head.to_string());
    format!("sound, {} records, {} bytes, head {head}", copied.records, copied.bytes)
}

fn told(error: BackupError) -> Failure {
    match error {
        BackupError::Exists(_) => Failure::Usage(error.to_string()),
        BackupError::Unsound { .. } | BackupError::Store(_) => Failure::Running(error.into()),
    }
}
