//! `browse`: which nodes an OPC UA server has and what they say, for writing a station's file.

use std::path::{Path, PathBuf};

use heatstation_drivers::opcua::browse::{Reach, Row, browse};
use heatstation_drivers::opcua::node::NodeAddress;

use super::{Failure, Outcome, say, say_json};

/// What is to be looked at.
#[derive(Clone, Debug, clap::Args)]
pub struct Order {
    /// The station's file, which says how the server is reached.
    pub config: PathBuf,
    /// The server's name; the only one unless given.
    #[arg(long)]
    pub server: Option<String>,
    /// Where to begin, as in `nsu=http://plc.example/;s=Heating`; at the Objects folder unless given.
    #[arg(long)]
    pub node: Option<String>,
    /// How many steps down.
    #[arg(long, default_value_t = 4)]
    pub depth: usize,
    /// How many nodes at most, 1 to 10000.
    #[arg(long, default_value_t = 500)]
    pub most: usize,
    /// Where the certificates are, instead of the configured data folder.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

/// Looks round.
///
/// # Errors
/// There is no such server, it lets nobody in, or it does not let itself be looked at.
pub async fn run(order: Order) -> Outcome {
    let mut station = super::load(&order.config)?;
    if let Some(data) = order.data {
        station.keep_data_in(data);
    }
    let server = chosen(&station.opcua, order.server.as_deref(), &order.config)?.clone();
    let node = order.node.map(|node| node.parse::<NodeAddress>()).transpose();
    let node = node.map_err(|error| Failure::Usage(error.to_string()))?;
    let reach = Reach { depth: order.depth.clamp(1, 50), nodes: order.most.clamp(1, 10_000) };
    let survey = browse(server, node, reach).await.map_err(anyhow::Error::from)?;
    if order.json {
        return say_json(&survey.rows.iter().map(as_json).collect::<Vec<_>>());
    }
    for row in &survey.rows {
        say(&line(row))?;
    }
    let cut = if survey.is_cut { "; there are more: begin lower with --node, or raise --most" } else { "" };
    say(&format!("{} nodes{cut}\n", survey.rows.len()))
}

fn chosen<'a>(
    servers: &'a [heatstation_drivers::opcua::settings::ServerSettings],
    name: Option<&str>,
    config: &Path,
) -> Result<&'a heatstation_drivers::opcua::settings::ServerSettings, Failure> {
    let names = || servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(", ");
    match (servers, name) {
        ([], _) => Err(Failure::Usage(format!("{} has no [[opcua]] server", config.display()))),
        ([only], None) => Ok(only),
        (_, None) => Err(Failure::Usage(format!("which server? give --server with one of {}", names()))),
        (_, Some(name)) => servers
            .iter()
            .find(|server| server.name == name)
            .ok_or_else(|| Failure::Usage(format!("there is no server {name}; possible: {}", names()))),
    }
}

fn line(row: &Row) -> String {
    let indent = "  ".repeat(row.depth.saturating_sub(1));
    let value = row.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    let status = row.status.as_ref().map(|status| format!(" {status}")).unwrap_or_default();
    let writable = if row.writable { " writable" } else { "" };
    format!("{indent}{}  {}  {}{value}{status}{writable}\n", row.name, row.node, row.kind)
}

fn as_json(row: &Row) -> serde_json::Value {
    serde_json::json!({
        "depth": row.depth,
        "node": row.node,
        "name": row.name,
        "kind": row.kind,
        "value": row.value,
        "status": row.status,
        "writable": row.writable,
    })
}
