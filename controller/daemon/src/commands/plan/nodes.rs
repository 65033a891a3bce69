//! The plan of an OPC UA server: what it is asked to bring, and what it is asked for.

use heatstation_drivers::opcua::settings::{Item, Reading, ServerSettings};

/// For people.
pub(super) fn table(server: &ServerSettings) -> String {
    let is_brought = |item: &&Item| server.reading == Reading::Subscribe && item.write.is_none();
    let row = |item: &Item| {
        let manner = if is_brought(&item) { "brought" } else { "asked for" };
        let seconds = item.sampling.as_secs_f64();
        format!("  {manner:9}  every {seconds} s  {}  {}\n", item.definition.name, item.node)
    };
    let rows: String = server.items.iter().map(row).collect();
    let brought = server.items.iter().filter(is_brought).count();
    let asked = server.items.len() - brought;
    let seconds = server.publishing.as_secs_f64();
    format!(
        "server {} ({}): {brought} nodes in one subscription, a message every {seconds} s; {asked} asked for, up to 100 in a \
         request\n{rows}\n",
        server.name, server.url
    )
}
