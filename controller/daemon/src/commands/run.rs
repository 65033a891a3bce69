//! `run`: the daemon.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, say};
use crate::clock::Clock;
use crate::program::{Options, Program};

/// Runs a station until it is told to stop.
///
/// # Errors
/// If the configuration is not sound or something fails at the start or while running.
pub async fn run(path: &Path, data: Option<PathBuf>, listen: Option<SocketAddr>) -> Outcome {
    let station = super::load(path)?;
    if station.wires.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: a station without [[wire]] and [[device]] can be simulated, not run",
            path.display()
        )));
    }
    let options = Options {
        configuration: Some(path.to_path_buf()),
        data_folder: data.unwrap_or_else(|| station.daemon.data_folder.clone()),
        listen: listen.unwrap_or(station.http.listen),
        clock: Clock::start(station.time_zone.clone()),
        forecasts: None,
        demo: None,
    };
    let greeting = format!("{} ({})", station.name, station.settings.station);
    let folder = options.data_folder.display().to_string();
    let program = Program::set_up(station, options).await?;
    let address = program.address().map_err(anyhow::Error::from)?;
    say(&format!(
        "{greeting}\n  page     http://{address}/\n  metrics  http://{address}/metrics\n  data     {folder}\n"
    ))?;
    Ok(program.run(stop_signal()).await?)
}

/// Waits for SIGTERM or SIGINT.
pub async fn stop_signal() -> &'static str {
    // Without handlers the default action ends the process, which is a stop too.
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
