//! What systemd is told: ready, alive, reloading, stopping. Outside of systemd all of it does nothing.

use sd_notify::NotifyState;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The first control decision has been made.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The cycle is alive. Called by the cycle alone: a hung cycle must not look alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// The program is stopping in order.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}
