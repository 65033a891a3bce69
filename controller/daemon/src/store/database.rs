//! The database file: how it is opened, what must be in it, and whether it is sound.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use super::StoreError;

/// "hstn": tells our databases from anybody else's.
const APPLICATION_ID: i64 = 0x6873_746e;

/// Each entry brings the schema from its index to the next version. The first makes a new database.
const MIGRATIONS: &[&str] = &[SCHEMA_1];

const SCHEMA_1: &str = "
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    boot_id TEXT NOT NULL,
    monotonic_milliseconds INTEGER NOT NULL,
    wall_milliseconds INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX journal_by_kind ON journal (kind);
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'journal records are only added: write a correction');
END;
CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'journal records are only added: none is deleted');
END;
CREATE TRIGGER journal_has_no_gaps BEFORE INSERT ON journal
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM journal) BEGIN
    SELECT RAISE(ABORT, 'journal records are numbered without gaps');
END;
CREATE TABLE journal_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id TEXT NOT NULL,
    monotonic_milliseconds INTEGER NOT NULL,
    wall_milliseconds INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE liveness (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    boot_id TEXT NOT NULL UNIQUE,
    monotonic_milliseconds INTEGER NOT NULL,
    wall_milliseconds INTEGER NOT NULL
) STRICT;
CREATE TABLE history_point (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    resolution REAL NOT NULL,
    UNIQUE (name, resolution)
) STRICT;
CREATE TABLE history_group (
    segment INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (segment, first_row)
) STRICT;
CREATE TABLE history_segment (
    id INTEGER PRIMARY KEY,
    row_count INTEGER NOT NULL,
    wall_first INTEGER NOT NULL,
    wall_last INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    times BLOB NOT NULL
) STRICT;
CREATE TABLE history_block (
    segment INTEGER NOT NULL REFERENCES history_segment (id) ON DELETE CASCADE,
    point INTEGER NOT NULL REFERENCES history_point (id),
    crc INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (segment, point)
) STRICT, WITHOUT ROWID;
";

/// Opens the database to write to it, makes or migrates it where that is due. True when it is new.
pub(super) fn open_for_writing(path: &Path) -> Result<(Connection, bool), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed(path, "cannot open the database"))?;
    let created = match recognise(&connection, path)? {
        Recognised::Ours { version } => {
            configure(&connection, path)?;
            migrate(&mut connection, path, version)?;
            false
        }
        Recognised::Empty => {
            // Only a database without pages takes these, so they come before anything is written.
            pragma(&connection, path, "PRAGMA page_size = 4096")?;
            pragma(&connection, path, "PRAGMA auto_vacuum = INCREMENTAL")?;
            configure(&connection, path)?;
            migrate(&mut connection, path, 0)?;
            true
        }
    };
    check_schema(&connection, path)?;
    Ok((connection, created))
}

/// Opens the database to read it, beside whoever writes.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    recognised(path, connect_read_only(path)?)
}

/// Opens the database to read it as it lies there, without any file beside it, neither reading a log nor leaving one.
/// Only for a file that nobody writes to.
pub(super) fn open_as_it_lies(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        connect_immutable(path).map_err(|error| understood(path, "cannot open the database for reading", error))?;
    recognised(path, connection)
}

fn recognised(path: &Path, connection: Connection) -> Result<Connection, StoreError> {
    match recognise(&connection, path)? {
        Recognised::Empty => {
            return Err(StoreError::Foreign { path: path.to_path_buf(), what: "the file is empty".to_owned() });
        }
        Recognised::Ours { version } if version < known_version() => {
            return Err(StoreError::Foreign {
                path: path.to_path_buf(),
                what: format!("its schema {version} is older than {}; start the daemon once", known_version()),
            });
        }
        Recognised::Ours { .. } => {}
    }
    check_schema(&connection, path)?;
    Ok(connection)
}

fn connect_read_only(path: &Path) -> Result<Connection, StoreError> {
    match connect(path, OpenFlags::empty()) {
        // A copy on a medium that cannot be written: nobody else can write it either, so nothing is missed by reading
        // it as it lies there. With a log beside it the log would be missed, so then this is no way out.
        Err(error) if is_unwritable(&error) && path.exists() && !log_of(path).exists() => connect_immutable(path),
        other => other,
    }
    .map_err(|error| understood(path, "cannot open the database for reading", error))
}

fn connect_immutable(path: &Path) -> rusqlite::Result<Connection> {
    let name = PathBuf::from(format!("file:{}?immutable=1", uri_escaped(path)));
    connect(&name, OpenFlags::SQLITE_OPEN_URI)
}

fn connect(name: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(name, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Damaged pages are then found when they are read, not when something breaks on them.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// The version of the schema that this program writes.
fn known_version() -> i64 {
    MIGRATIONS.len() as i64
}

enum Recognised {
    Empty,
    Ours { version: i64 },
}

/// Looks whose file this is, before anything is written to it.
fn recognise(connection: &Connection, path: &Path) -> Result<Recognised, StoreError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    match read().map_err(|error| understood(path, "cannot read the database's header", error))? {
        (0, 0, 0) => Ok(Recognised::Empty),
        (APPLICATION_ID, version, _) if version > known_version() => {
            Err(StoreError::Newer { path: path.to_path_buf(), found: version, known: known_version() })
        }
        (APPLICATION_ID, version, _) if version > 0 => Ok(Recognised::Ours { version }),
        (APPLICATION_ID, version, _) => Err(StoreError::Damaged {
            path: path.to_path_buf(),
            what: format!("it says of itself that its schema is {version}"),
        }),
        (other, ..) => Err(StoreError::Foreign {
            path: path.to_path_buf(),
            what: format!("an SQLite database of another program, application id {other}"),
        }),
    }
}

fn configure(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    // Whoever else holds the write lock is a person with a tool; the writer comes back by itself.
    connection.busy_timeout(Duration::from_millis(250)).map_err(failed(path, "cannot set the busy timeout"))?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(failed(path, "cannot turn on the write-ahead log"))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Foreign {
            path: path.to_path_buf(),
            what: format!("this disk allows no write-ahead log, only \"{mode}\""),
        });
    }
    // FULL: with NORMAL, 97 of 100 simulated power failures lost records that had been acknowledged.
    pragma(connection, path, "PRAGMA synchronous = FULL")?;
    pragma(connection, path, "PRAGMA foreign_keys = ON")?;
    pragma(connection, path, "PRAGMA cell_size_check = ON")?;
    pragma(connection, path, "PRAGMA trusted_schema = OFF")?;
    // A page cache of 1 MiB: the writer touches few pages, and the daemon has 40 MiB for everything.
    pragma(connection, path, "PRAGMA cache_size = -1024")?;
    // The log is cut back to this after a long reader let it grow.
    pragma(connection, path, "PRAGMA journal_size_limit = 8388608")
}

fn migrate(connection: &mut Connection, path: &Path, from: i64) -> Result<(), StoreError> {
    let wanted = failed(path, "cannot bring the database to the present schema");
    let steps = MIGRATIONS.get(from as usize..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let run = |connection: &mut Connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for step in steps {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known_version())?;
        transaction.commit()
    };
    run(connection).map_err(wanted)
}

/// Every table, index and trigger must be there, word for word: a journal without its triggers could be edited, and
/// a changed definition could read damage as data.
fn check_schema(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let list = |connection: &Connection| -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
        connection
            .prepare("SELECT name, tbl_name, sql FROM sqlite_schema ORDER BY name")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect()
    };
    let expected = || -> rusqlite::Result<_> {
        let model = Connection::open_in_memory()?;
        for step in MIGRATIONS {
            model.execute_batch(step)?;
        }
        list(&model)
    };
    let expected = expected().map_err(failed(path, "cannot work out the schema"))?;
    let found = list(connection).map_err(|error| understood(path, "cannot read the schema", error))?;
    if found == expected {
        return Ok(());
    }
    let odd = expected
        .iter()
        .find(|object| !found.contains(object))
        .or_else(|| found.iter().find(|object| !expected.contains(object)))
        .map_or("order", |object| object.0.as_str());
    Err(StoreError::Damaged {
        path: path.to_path_buf(),
        what: format!("the definition of `{odd}` is not the one that was written"),
    })
}

/// 128 random bits in hexadecimal, from SQLite's generator, which the system seeds.
pub(super) fn random_id(connection: &Connection, path: &Path) -> Result<String, StoreError> {
    connection
        .query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))
        .map_err(failed(path, "cannot draw a boot id"))
}

/// What SQLite's structural check says, or `None` if all is sound.
pub(super) fn structural_damage(connection: &Connection, pragma: &str) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row(pragma, [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

/// `PRAGMA quick_check` on a connection and thread of its own, so that a large database on a slow card does not keep
/// a station cold: opening waits for it a little, then goes on without.
pub(super) struct RunningCheck {
    state: Arc<CheckState>,
    interrupt: InterruptHandle,
}

impl fmt::Debug for RunningCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunningCheck").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct CheckState {
    outcome: Mutex<Option<CheckOutcome>>,
    done: Condvar,
}

#[derive(Clone, Debug)]
enum CheckOutcome {
    Sound,
    Damaged(String),
    Unfinished,
}

impl RunningCheck {
    pub fn start(path: &Path) -> Result<RunningCheck, StoreError> {
        let connection = connect_read_only(path)?;
        let interrupt = connection.get_interrupt_handle();
        let state = Arc::new(CheckState::default());
        let shared = Arc::clone(&state);
        let check = move || {
            let outcome = match structural_damage(&connection, "PRAGMA quick_check(1)") {
                Ok(None) => CheckOutcome::Sound,
                Ok(Some(what)) => CheckOutcome::Damaged(what),
                Err(error) if is_damage(&error) => CheckOutcome::Damaged(error.to_string()),
                Err(_) => CheckOutcome::Unfinished,
            };
            if let CheckOutcome::Damaged(what) = &outcome {
                tracing::error!(what, "the database is damaged; restore a backup and check the disk");
            }
            *shared.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            shared.done.notify_all();
        };
        thread::Builder::new().name("heatstation-check".to_owned()).spawn(check).map_err(|source| {
            StoreError::Folder { path: path.to_path_buf(), what: "cannot start the check's thread", source }
        })?;
        Ok(RunningCheck { state, interrupt })
    }

    /// Waits for the check and returns the damage found.
    pub fn wait(&self, limit: Duration) -> Option<String> {
        let until = Instant::now() + limit;
        let mut outcome = self.state.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        while outcome.is_none() {
            let left = until.checked_duration_since(Instant::now())?;
            outcome = self.state.done.wait_timeout(outcome, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(outcome);
        self.damage()
    }

    /// The damage found so far.
    pub fn damage(&self) -> Option<String> {
        match &*self.state.outcome.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(CheckOutcome::Damaged(what)) => Some(what.clone()),
            Some(CheckOutcome::Sound | CheckOutcome::Unfinished) | None => None,
        }
    }

    /// Ends the check early, so that closing does not wait for it.
    pub fn stop(&self) {
        self.interrupt.interrupt();
    }
}

fn pragma(connection: &Connection, path: &Path, sql: &str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(failed(path, "cannot configure the database"))
}

/// An error of SQLite with the path and what was tried.
pub(super) fn failed(path: &Path, what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
    let path = path.to_path_buf();
    move |source| understood(&path, what, source)
}

/// Tells damage and foreign files from other failures, because they ask for something else.
pub(super) fn understood(path: &Path, what: &'static str, error: rusqlite::Error) -> StoreError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            StoreError::Foreign { path, what: "the file is no SQLite database".to_owned() }
        }
        _ if is_damage(&error) => StoreError::Damaged { path, what: error.to_string() },
        _ => StoreError::Database { path, what, source: error },
    }
}

/// Whether the error says that the file's content is wrong, rather than that it cannot be reached.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)
        )
}

fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
}

/// The write-ahead log of a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn uri_escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
