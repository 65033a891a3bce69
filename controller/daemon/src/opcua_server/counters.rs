//! What the server counts, for the metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Counters of the server. They count on from one start of the program to its end.
#[derive(Debug, Default)]
pub struct Counters {
    sessions: AtomicU64,
    connections: AtomicU64,
    turned_away: AtomicU64,
    filed: AtomicU64,
    refused: AtomicU64,
    logins_refused: AtomicU64,
    certificate_not_after: AtomicI64,
}

/// The counters as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Sessions that are open.
    pub sessions: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Connections that were closed at once: too many, or too fast.
    pub turned_away: u64,
    /// Writes and calls that were filed as requests.
    pub filed: u64,
    /// Writes and calls that were refused, at the door or by the control.
    pub refused: u64,
    /// Logins that were refused.
    pub logins_refused: u64,
    /// Until when the own certificate is valid, seconds since 1970.
    pub certificate_not_after: i64,
}

impl Counters {
    /// As they stand.
    pub fn read(&self) -> Counted {
        Counted {
            sessions: self.sessions.load(Relaxed),
            connections: self.connections.load(Relaxed),
            turned_away: self.turned_away.load(Relaxed),
            filed: self.filed.load(Relaxed),
            refused: self.refused.load(Relaxed),
            logins_refused: self.logins_refused.load(Relaxed),
            certificate_not_after: self.certificate_not_after.load(Relaxed),
        }
    }

    pub(super) fn show_sessions(&self, sessions: u64) {
        self.sessions.store(sessions, Relaxed);
    }

    pub(super) fn show_certificate(&self, not_after: i64) {
        self.certificate_not_after.store(not_after, Relaxed);
    }

    pub(super) fn note_connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn note_disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    pub(super) fn note_turned_away(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    pub(super) fn note_filed(&self) {
        self.filed.fetch_add(1, Relaxed);
    }

    pub(super) fn note_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn note_login_refused(&self) {
        self.logins_refused.fetch_add(1, Relaxed);
    }
}
