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
    let mut station = super::load(path)?;
    if station.reads_nothing() {
        return Err(Failure::Usage(format!(
            "{}: a station without [[wire]] and [[device]], or [[opcua]], can be simulated, not run",
            path.display()
        )));
    }
    if let Some(data) = data {
        station.keep_data_in(data);
    }
    let options = Options {
        configuration: Some(path.to_path_buf()),
        data_folder: station.daemon.data_folder.clone(),
        listen: listen.unwrap_or(station.http.listen),
        clock: Clock::start(station.time_zone.clone()),
        forecasts: None,
        demo: None,
    };
    let greeting = format!("{} ({})", station.name, station.settings.station);
    let folder = options.data_folder.display().to_string();
    let program = Program::set_up(station, options).await?;
    let address = program.address().map_err(anyhow::Error::from)?;
    let opcua = opcua_line(&program)?;
    say(&format!(
        "{greeting}\n  page     http://{address}/\n  metrics  http://{address}/metrics\n{opcua}  data     {folder}\n"
    ))?;
    Ok(program.run(stop_signal()).await?)
}

/// The line of a greeting that says where OPC UA clients come in; nothing where the station is no server.
///
/// # Errors
/// If the socket has gone.
pub fn opcua_line(program: &Program) -> Result<String, Failure> {
    let address = program.opcua_address().map_err(anyhow::Error::from)?;
    Ok(address.map_or_else(String::new, |address| format!("  opcua    opc.tcp://{address}/\n")))
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
