//! The data folder: which files lie in it, and who may use it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::database;
use super::journal::Head;

/// The files of one data folder.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub folder: PathBuf,
    pub database: PathBuf,
    pub lock: PathBuf,
    pub reserve: PathBuf,
    pub head: PathBuf,
}

impl Files {
    pub fn in_folder(folder: &Path) -> Files {
        Files {
            folder: folder.to_path_buf(),
            database: folder.join("heatstation.db"),
            lock: folder.join("heatstation.lock"),
            reserve: folder.join("heatstation.reserve"),
            head: folder.join("heatstation.head"),
        }
    }
}

/// The lock of a data folder. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

/// Makes the folder if it is missing and takes its lock.
pub(super) fn lock(files: &Files) -> Result<FolderLock, StoreError> {
    let failed = |path: &Path, what| {
        let path = path.to_path_buf();
        move |source| StoreError::Folder { path, what, source }
    };
    fs::create_dir_all(&files.folder).map_err(failed(&files.folder, "cannot make the data folder"))?;
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&files.lock)
        .map_err(failed(&files.lock, "cannot open the lock file"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let named = file.read_to_string(&mut holder).is_ok() && holder.trim().parse::<u32>().is_ok();
            let holder =
                if named { format!("process {}", holder.trim()) } else { "another heatstation process".to_owned() };
            return Err(StoreError::InUse { folder: files.folder.clone(), holder });
        }
        Err(TryLockError::Error(source)) => {
            return Err(failed(&files.lock, "cannot lock the data folder")(source));
        }
    }
    // The number only helps people; on a full disk it may be missing and the lock still holds.
    let _ = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| {
        let line = format!("{}\n", std::process::id());
        file.write_all(line.as_bytes())
    });
    Ok(FolderLock { _file: file })
}

/// Renames the database and its companions.
pub(super) fn set_aside(files: &Files, suffix: &str) -> Result<PathBuf, StoreError> {
    let renamed = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
    };
    // SQLite finds the log by the database's name, so the log's new name has to follow: "x.db.suffix-wal". The
    // database goes last: while it has its old name, a crash here leaves something that can be set aside again.
    let database = renamed(&files.database);
    let moves = [
        (database::log_of(&files.database), database::log_of(&database)),
        (files.head.clone(), renamed(&files.head)),
        (files.database.clone(), database.clone()),
    ];
    for (from, to) in moves {
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(StoreError::Folder { path: from, what: "cannot set the file aside", source });
            }
        }
    }
    // What is left is the log's index, which SQLite makes anew from the log.
    let mut index = files.database.as_os_str().to_owned();
    index.push("-shm");
    let _ = fs::remove_file(index);
    Ok(database)
}

/// The last head that was acknowledged, in a file of its own.
///
/// The database can lose its tail without knowing: SQLite drops a damaged end of the write-ahead log silently. This
/// file is written after each commit and not synced (it can only be older than the journal, never newer), so it costs
/// next to nothing and a journal shorter than it is a journal that lost records.
#[derive(Debug)]
pub(super) struct HeadFile {
    path: PathBuf,
    file: Option<File>,
}

impl HeadFile {
    pub fn new(path: PathBuf) -> HeadFile {
        HeadFile { path, file: None }
    }

    /// What the file says; `None` when it is missing or not whole.
    pub fn read(path: &Path) -> Option<Head> {
        let mut text = String::new();
        File::open(path).ok()?.take(256).read_to_string(&mut text).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    }

    /// Writes the head in place. A failure is let pass: the file is a second witness, not the record.
    pub fn write(&mut self, head: &Head) {
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => File::options().write(true).create(true).truncate(false).open(&self.path),
        };
        // The sequence has a fixed width so that each line covers the one before it.
        let line = format!("{:020}:{}\n", head.sequence, head.hash_hex());
        let written = file.and_then(|mut file| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(line.as_bytes())?;
            Ok(file)
        });
        self.file = written.ok();
    }
}
