//! Sums over the last so-and-so long: twenty-four slots that are emptied one after the other.
//!
//! An exact sliding window would have to remember every event; a leaky sum never quite forgets one. Twenty-four slots are
//! exact to a twenty-fourth of the window and fit into a saved state.

use std::time::Duration;

use serde::{Deserialize, Serialize};

const SLOTS: usize = 24;

/// What was noted during the last twenty-four slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    sums: [f64; SLOTS],
    now: usize,
    /// Time in the present slot.
    into: Duration,
    /// Slots before the present one that have been seen in full.
    seen: usize,
}

impl Window {
    /// Lets time pass; a slot is a twenty-fourth of the window.
    pub fn pass(&mut self, slot: Duration, dt: Duration) {
        self.into = self.into.saturating_add(dt);
        // A step longer than the whole window empties it; more turns would change nothing.
        let mut turns = 0;
        while self.into >= slot && turns < SLOTS {
            self.into = self.into.saturating_sub(slot);
            self.now = (self.now + 1) % SLOTS;
            self.sums[self.now] = 0.0;
            self.seen = (self.seen + 1).min(SLOTS - 1);
            turns += 1;
        }
        self.into = self.into.min(slot);
    }

    /// Notes an amount.
    pub fn note(&mut self, amount: f64) {
        self.sums[self.now] += amount;
    }

    /// The sum of what was noted.
    pub fn total(&self) -> f64 {
        self.sums.iter().sum()
    }

    /// How much time the sum is of.
    pub fn covers(&self, slot: Duration) -> Duration {
        self.into.saturating_add(slot * self.seen as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let (mut window, slot) = (Window::default(), Duration::from_secs(150));
        for second in 0..2 * 3600 {
            window.pass(slot, Duration::from_secs(1));
            if second % 60 == 0 {
                window.note(1.0);
            }
        }
        assert!((57.0..=60.0).contains(&window.total()), "{}", window.total());
        let covered = window.covers(slot).as_secs();
        assert!((3450..=3600).contains(&covered), "{covered}");
        window.pass(slot, Duration::from_secs(86_400));
        assert_eq!(window.total(), 0.0);
    }

    #[test]
    fn a_young_window_says_how_young_it_is() {
        let (mut window, slot) = (Window::default(), Duration::from_secs(150));
        for _ in 0..600 {
            window.pass(slot, Duration::from_secs(1));
            window.note(0.5);
        }
        assert_eq!((window.total(), window.covers(slot)), (300.0, Duration::from_secs(600)));
    }
}
