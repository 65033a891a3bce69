//! The latest snapshot, when it arrived, and its JSON, made at most once however many look.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::view;
use crate::snapshot::{Snapshot, Snapshots};

/// A snapshot with the time of its arrival. That time is ours: what the cycle says of its own clock proves nothing once
/// it hangs.
#[derive(Debug)]
pub(super) struct Arrived {
    /// The snapshot; none before the first cycle.
    pub snapshot: Option<Arc<Snapshot>>,
    at: Instant,
    json: OnceLock<Bytes>,
}

impl Arrived {
    fn now(snapshot: Option<Arc<Snapshot>>) -> Arc<Arrived> {
        Arc::new(Arrived { snapshot, at: Instant::now(), json: OnceLock::new() })
    }

    /// How long ago it arrived; without a snapshot, how long we have been waiting for one.
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }

    /// The snapshot as the API shows it.
    pub fn json(&self, version: &'static str) -> Option<Bytes> {
        let snapshot = self.snapshot.as_ref()?;
        Some(self.json.get_or_init(|| view::json(snapshot, version)).clone())
    }
}

/// Where the latest snapshot is seen. A watch: whoever is slow sees fewer, never older, and nothing piles up.
pub(super) type Live = watch::Receiver<Arc<Arrived>>;

/// Follows the cycle. The task ends with the cycle or with the last who looks.
pub(super) fn follow(mut snapshots: Snapshots) -> Live {
    let first = snapshots.borrow_and_update().clone();
    let (sender, live) = watch::channel(Arrived::now(first));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = snapshots.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
            let snapshot = snapshots.borrow_and_update().clone();
            sender.send_replace(Arrived::now(snapshot));
        }
    });
    live
}
