//! A copy of the database that stands for itself, and the way back.
//!
//! # Why this shape
//! `cp` of an open database copies pages of different moments. [`backup`] has SQLite write the database of one moment into a
//! new file (`VACUUM INTO`, a read transaction: the daemon goes on and waits for nothing), verifies it, brings it to the disk
//! and only then gives it its name: a file of that name is a whole, sound backup, however the computer ended.
//!
//! [`restore`] never writes over records. It fills a folder that has none, from a backup that it has verified; whoever wants
//! to restore in place moves the old folder aside, because what is in it is evidence.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::database::{self, failed};
use super::folder::{self, Files, HeadFile};
use super::journal::Head;
use super::verify::{Verdict, verify};

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Records of the journal.
    pub records: u64,
    /// Where their chain ends. Keep it elsewhere.
    pub head: Option<Head>,
    /// Size of the copy.
    pub bytes: u64,
}

/// Why nothing was copied. Each leaves everything as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing is written over.
    #[error("{0} is there already; nothing is written over: name another one, or move it away")]
    Exists(PathBuf),
    /// The copy, or what was to be restored, is not what was written.
    #[error("{path}: {what}")]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What `verify` says.
        what: String,
    },
    /// The database, the folder or the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the database of a data folder into a new file. The daemon may be running.
///
/// # Errors
/// [`BackupError`]; no file of that name is left.
pub fn backup(folder: &Path, to: &Path) -> Result<Copied, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    let files = Files::in_folder(folder);
    let part = beside(to);
    remove(&part)?;
    let copied = copy_of_one_moment(&files.database, &part).and_then(|()| sound(&part));
    let named = copied.and_then(|copied| put_in_place(&part, to).map(|()| copied));
    named.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

/// Puts a backup into a data folder that has no database yet.
///
/// # Errors
/// [`BackupError`]; the folder is as it was.
pub fn restore(from: &Path, folder: &Path) -> Result<Copied, BackupError> {
    let copied = sound(from)?;
    let files = Files::in_folder(folder);
    let _lock = folder::lock(&files)?;
    for file in [&files.database, &database::log_of(&files.database)] {
        if file.exists() {
            return Err(BackupError::Exists(file.clone()));
        }
    }
    let part = beside(&files.database);
    remove(&part)?;
    let whole = fs::copy(from, &part)
        .map_err(failed_file(&part, "cannot copy the backup"))
        .map_err(BackupError::from)
        .and_then(|_| sound(&part))
        .and_then(|again| put_in_place(&part, &files.database).map(|()| again));
    whole.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })?;
    // The head of a lost database would make the restored one look cut off, which it is; the restored one's own head says from
    // where on records are missing.
    if HeadFile::read(&files.head).is_none()
        && let Some(head) = &copied.head
    {
        HeadFile::new(files.head).write(head);
    }
    Ok(copied)
}

fn copy_of_one_moment(database: &Path, part: &Path) -> Result<(), BackupError> {
    let connection = database::open_for_reading(database)?;
    let failed = failed(database, "cannot copy the database");
    // The connection is opened read-only and stays so; this only lets it write another file.
    connection.pragma_update(None, "query_only", false).map_err(&failed)?;
    connection.execute("VACUUM INTO ?1", [&part.to_string_lossy()]).map_err(&failed)?;
    Ok(())
}

fn sound(file: &Path) -> Result<Copied, BackupError> {
    let unsound = |what| BackupError::Unsound { path: file.to_path_buf(), what };
    match verify(file, None) {
        Verdict::Sound { records, head } => {
            let facts = fs::metadata(file).map_err(failed_file(file, "cannot look at the copy"))?;
            Ok(Copied { records, head, bytes: facts.len() })
        }
        Verdict::Broken { sequence, what } => {
            let place = sequence.map_or(String::new(), |sequence| format!(" at record {sequence}"));
            Err(unsound(format!("the journal in it is broken{place}: {what}")))
        }
        Verdict::Unreadable { what } => Err(unsound(what)),
    }
}

/// The name of what is not whole yet.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn remove(part: &Path) -> Result<(), StoreError> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed_file(part, "cannot remove what an interrupted copy left")(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// To the disk first, then under its name.
fn put_in_place(part: &Path, to: &Path) -> Result<(), BackupError> {
    let synced = File::open(part).and_then(|file| file.sync_all());
    synced.map_err(failed_file(part, "cannot bring the copy to the disk"))?;
    // Not a rename: it would write over what came to stand there meanwhile.
    fs::hard_link(part, to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_path_buf()),
        _ => failed_file(to, "cannot give the copy its name")(error).into(),
    })?;
    let _ = fs::remove_file(part);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Some file systems cannot sync a folder; the name is then safe with their next write.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn failed_file(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |source| StoreError::Folder { path, what, source }
}
