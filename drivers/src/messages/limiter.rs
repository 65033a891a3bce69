//! How much a source may send: a bucket that fills steadily and is emptied by each message.

use std::time::Duration;

use super::settings::Rate;

/// A bucket of tokens. Time is an argument.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(rate: Rate) -> Bucket {
        Bucket { rate, tokens: rate.burst, at: Duration::ZERO }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// There is none; how long until there is one.
    pub(crate) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.rate.per_second).min(self.rate.burst);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - self.tokens) / self.rate.per_second.max(1e-6);
        Err(Duration::from_secs_f64(seconds.min(3600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let mut bucket = Bucket::new(Rate { per_second: 2.0, burst: 5.0 });
        let mut passed = |at: u64| (0..20).filter(|_| bucket.take(Duration::from_secs(at)).is_ok()).count();
        assert_eq!([passed(100), passed(100), passed(101), passed(103), passed(200)], [5, 0, 2, 4, 5]);
        assert_eq!(passed(150), 0, "a time that was already gives nothing");
        let wait = bucket.take(Duration::from_secs(200)).unwrap_err();
        assert!(wait <= Duration::from_millis(500), "{wait:?}");
    }
}
