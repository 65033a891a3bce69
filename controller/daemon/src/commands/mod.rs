//! The command line: one file a command, and what they share.

pub mod backup;
pub mod bench;
pub mod browse;
pub mod cosim;
pub mod demo;
pub mod figures_table;
pub mod indicators;
pub mod inspect;
pub mod journal;
pub mod pki;
pub mod plan;
pub mod plant;
pub mod probe;
pub mod run;
pub mod scan;
pub mod simulate;
pub mod token;
pub mod user;

use std::io::{self, Write};
use std::path::Path;

use heatstation_config::{Problems, Scenario, Station};

/// Why a command did not do what it was asked. The kind decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Bad usage: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A configuration with problems, each shown with its place: exit code 2.
    #[error("{0}")]
    Configuration(Problems),
    /// It failed while running: exit code 1.
    #[error("{0:#}")]
    Running(#[from] anyhow::Error),
    /// Everything was said already; only the exit code is left.
    #[error("")]
    Silent(u8),
}

impl Failure {
    /// 1 failed while running, 2 bad usage or bad configuration.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Configuration(_) => 2,
            Failure::Running(_) => 1,
            Failure::Silent(code) => *code,
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Failure {
        Failure::Configuration(problems)
    }
}

/// What commands return.
pub type Outcome = Result<(), Failure>;

/// A station, with its warnings shown on stderr.
///
/// # Errors
/// All problems of the configuration.
pub fn load(path: &Path) -> Result<Station, Failure> {
    let station = heatstation_config::load(path)?;
    if !station.warnings.is_empty() {
        let _ = writeln!(io::stderr(), "{}", station.warnings);
    }
    Ok(station)
}

/// A scenario by its name or the path of its file; files beside the station's go before those inside.
///
/// # Errors
/// There is none, or all problems of its file.
pub fn scenario(name: &str, configuration: Option<&Path>, station: &Station) -> Result<Scenario, Failure> {
    let folder = configuration.and_then(Path::parent);
    Ok(heatstation_config::scenario::find(name, folder, station)?)
}

/// The station of the demonstration.
///
/// # Errors
/// Never, as long as its file is sound, which a test sees to.
pub fn demo_station() -> Result<Station, Failure> {
    let (name, text) = heatstation_config::EXAMPLES[0];
    Ok(heatstation_config::check(name, text, None)?)
}

/// Writes text to stdout. A reader that has gone away (`| head`) has read enough: no failure.
///
/// # Errors
/// If stdout takes no more for another reason.
pub fn say(text: &str) -> Outcome {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Running(error.into())),
        _ => Ok(()),
    }
}

/// Pretty JSON on stdout.
///
/// # Errors
/// If stdout takes no more.
pub fn say_json(value: &impl serde::Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    say(&format!("{text}\n"))
}

/// The seconds between two redraws of a progress line are left to the terminal; a redraw each percent is enough.
pub struct Progress {
    shown: Option<u64>,
    visible: bool,
}

impl Progress {
    /// Visible only when stderr is a terminal.
    pub fn new() -> Progress {
        Progress { shown: None, visible: io::IsTerminal::is_terminal(&io::stderr()) }
    }

    /// Shows how far it is.
    pub fn at(&mut self, done: u64, all: u64) {
        let percent = done * 100 / all.max(1);
        if self.visible && self.shown != Some(percent) {
            self.shown = Some(percent);
            let bar = "#".repeat((percent / 4) as usize);
            let _ = write!(io::stderr(), "\r[{bar:<25}] {percent:>3} %");
            let _ = io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub fn done(&self) {
        if self.visible && self.shown.is_some() {
            let _ = write!(io::stderr(), "\r{:40}\r", "");
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}
