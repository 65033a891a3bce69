//! Every answer is looked at on its way from the transport to the driver's discipline.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heatstation_drivers::bus::{Bus, BusError, Span, Write};
use heatstation_simulator::wire::units::CLOCK;
use heatstation_simulator::wire::{bit_signature, signature};

/// So many broken laws are written down; one is too many already.
const SHOWN: usize = 10;

/// What became of all reads.
#[derive(Debug)]
pub struct Tally {
    clock_began: Instant,
    answered: AtomicU64,
    values: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    mixed: AtomicU64,
    told: Mutex<Vec<String>>,
    longest: Mutex<Duration>,
    per_unit: Mutex<HashMap<u8, u64>>,
}

impl Tally {
    /// For units whose clock began then.
    pub fn new(clock_began: Instant) -> Arc<Tally> {
        Arc::new(Tally {
            clock_began,
            answered: AtomicU64::new(0),
            values: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            mixed: AtomicU64::new(0),
            told: Mutex::default(),
            longest: Mutex::default(),
            per_unit: Mutex::default(),
        })
    }

    /// Reads that brought an answer, each of them looked at.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Words and bits in them.
    pub fn values(&self) -> u64 {
        self.values.load(Ordering::Relaxed)
    }

    /// Reads that were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Reads that brought nothing.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Answers with a value that was not so, and the first of them in words.
    pub fn mixed(&self) -> (u64, Vec<String>) {
        (self.mixed.load(Ordering::Relaxed), lock(&self.told).clone())
    }

    /// The longest that one read took, whatever came of it.
    pub fn longest(&self) -> Duration {
        *lock(&self.longest)
    }

    /// Answers of this unit.
    pub fn answers_of(&self, unit: u8) -> u64 {
        lock(&self.per_unit).get(&unit).copied().unwrap_or(0)
    }

    fn hundredths(&self) -> u16 {
        (self.clock_began.elapsed().as_millis() / 10) as u16
    }

    fn look(&self, span: Span, asked: u16, words: &[u16]) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.values.fetch_add(words.len() as u64, Ordering::Relaxed);
        *lock(&self.per_unit).entry(span.unit).or_default() += 1;
        let function = span.table.read_function();
        let wrong = words.iter().enumerate().find_map(|(offset, &word)| {
            let address = span.address.wrapping_add(offset as u16);
            if address == CLOCK && !span.table.holds_bits() {
                // What was so between question and answer, and not before: an old answer to the same question is one too.
                let is_now = word.wrapping_sub(asked) <= self.hundredths().wrapping_sub(asked);
                return (!is_now).then(|| format!("{span:?}: asked at {asked}, the clock says {word}"));
            }
            let holds = if span.table.holds_bits() { bit_signature } else { signature };
            let truth = holds(span.unit, function, address);
            (word != truth).then(|| format!("{span:?}: register {address} holds {truth}, got {word}"))
        });
        let is_short = words.len() != usize::from(span.count);
        if let Some(wrong) = wrong.or_else(|| is_short.then(|| format!("{span:?}: {} values", words.len()))) {
            self.mixed.fetch_add(1, Ordering::Relaxed);
            let mut told = lock(&self.told);
            if told.len() < SHOWN {
                told.push(wrong);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A transport whose every answer is looked at.
#[derive(Debug)]
pub struct Checked<B> {
    bus: B,
    tally: Arc<Tally>,
}

impl<B: Bus> Checked<B> {
    /// Looks at what this transport brings.
    pub fn new(bus: B, tally: Arc<Tally>) -> Checked<B> {
        Checked { bus, tally }
    }
}

impl<B: Bus> Bus for Checked<B> {
    fn connect(&mut self) -> impl Future<Output = Result<(), BusError>> + Send {
        self.bus.connect()
    }

    fn is_connected(&self) -> bool {
        self.bus.is_connected()
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        let (asked, began) = (self.tally.hundredths(), Instant::now());
        let outcome = self.bus.read(span).await;
        let took = began.elapsed();
        let mut longest = lock(&self.tally.longest);
        *longest = took.max(*longest);
        drop(longest);
        match &outcome {
            Ok(words) => self.tally.look(span, asked, words),
            Err(BusError::Refused(_)) => {
                self.tally.refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                self.tally.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        outcome
    }

    fn write(&mut self, unit: u8, write: &Write) -> impl Future<Output = Result<(), BusError>> + Send {
        self.bus.write(unit, write)
    }

    fn disconnect(&mut self) {
        self.bus.disconnect();
    }
}
