//! Keeps the nodes up to date: the newest snapshot, whatever was before it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opcua::nodes::Event;
use opcua::server::ServerHandle;
use opcua::types::{DateTime, NodeId, StatusCode};

use super::alarms::Watch;
use super::board::{Board, Said, data_value};
use super::door::Door;
use super::nodes::Nodes;
use super::quality::aged;
use crate::snapshot::Snapshot;

/// Without a new cycle for so long nothing that is shown is known to be so still. Five cycles, as in `/readyz`.
const HANGS_AFTER: Duration = Duration::from_secs(5);
/// A demonstration's cycles come sixty times a second; no client looks so often.
const BETWEEN: Duration = Duration::from_millis(200);

/// Shows one snapshot after the other, for ever.
pub async fn run(nodes: &Nodes, handle: &ServerHandle, door: &Arc<Door>) {
    let mut snapshots = door.snapshots();
    let Some(first) = door.snapshot() else { return };
    let index = nodes.inner().index();
    let mut facts = Arc::clone(&first.facts);
    let mut display = Display::of(Board::of(&facts, index, door.origin(), door));
    let mut alarms = Watch::default();
    let mut last = Instant::now();
    display.show(nodes, handle, &first, Standing::Fresh);
    loop {
        match tokio::time::timeout(HANGS_AFTER, snapshots.changed()).await {
            Ok(Ok(())) => {}
            // The cycle has ended, and the program is about to.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => {
                if let Some(snapshot) = door.snapshot() {
                    display.show(nodes, handle, &snapshot, Standing::Hanging);
                }
                continue;
            }
        }
        let Some(snapshot) = snapshots.borrow_and_update().clone() else { continue };
        door.hear(&snapshot);
        if !Arc::ptr_eq(&facts, &snapshot.facts) {
            facts = Arc::clone(&snapshot.facts);
            let board = Board::of(&facts, index, door.origin(), door);
            nodes.inner().show(&mut nodes.address_space().write(), &board);
            display = Display::of(board);
        } else if last.elapsed() < BETWEEN && snapshot.report.events.is_empty() {
            continue;
        }
        last = Instant::now();
        display.show(nodes, handle, &snapshot, Standing::Fresh);
        tell(&mut alarms, &display.board, handle, &snapshot);
    }
}

/// Whether the cycle that made the snapshot is followed by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Fresh,
    Hanging,
}

struct Display {
    board: Board,
    /// The status of each row, and since when.
    since: Vec<(StatusCode, i64)>,
}

impl Display {
    fn of(board: Board) -> Display {
        Display { board, since: Vec::new() }
    }

    fn show(&mut self, nodes: &Nodes, handle: &ServerHandle, snapshot: &Snapshot, standing: Standing) {
        let (wall, now) = (snapshot.report.moment.wall.0, DateTime::now());
        let before = std::mem::take(&mut self.since);
        let mut values: Vec<(&NodeId, _)> = Vec::with_capacity(self.board.rows.len());
        for (number, row) in self.board.rows.iter().enumerate() {
            let said = (row.source)(snapshot);
            let said = match standing {
                Standing::Fresh => said,
                Standing::Hanging => Said { status: aged(said.status), ..said },
            };
            let since = match before.get(number) {
                Some((status, since)) if *status == said.status => *since,
                _ => wall,
            };
            self.since.push((said.status, since));
            values.push((&row.id, data_value(said, wall, since, now)));
        }
        let values = values.into_iter().map(|(id, value)| (id, None, value));
        if let Err(status) = nodes.set_values(handle.subscriptions(), values) {
            tracing::error!(%status, "values could not be shown over OPC UA");
        }
        let level = match standing {
            // OPC 10000-4, 6.6.2.4.2: 200 to 255 is healthy, 2 to 199 degraded.
            Standing::Fresh => 255,
            Standing::Hanging => 100,
        };
        handle.set_service_level(level);
    }
}

/// Tells who listens to the station, or to the server as a whole, what has changed among the alarms.
fn tell(alarms: &mut Watch, board: &Board, handle: &ServerHandle, snapshot: &Snapshot) {
    let report = &snapshot.report;
    let facts = &snapshot.facts;
    let events = alarms.look(&board.names, &facts.name, &facts.catalogue, &report.alarms, report.moment.wall.0);
    // Who listens to the server as a whole hears it too: the library sees to that.
    let told = events.iter().map(|event| (event as &dyn Event, event.source()));
    handle.subscriptions().notify_events(told);
}
