//! One wire at work: a task that owns the bus, and a handle through which the rest of the program sees it.
//!
//! ```text
//!   handle.desire(wishes) --(newest only)--> [ task: outputs, reads, connection ] --> bus
//!   handle.samples(), outputs_status(), statistics() <--(last value wins)--'
//! ```
//!
//! Nothing queues: a slot for each register holds its last sample, a slot holds the newest wishes. Whoever looks holds
//! the lock for one copy; the task for one answer's samples; nobody across an `.await`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heatstation_points::{Fault, Point, Sample};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::breaker::BreakerState;
use crate::bus::{Bus, BusError, Refusal};
use crate::messages::MessageStatistics;
use crate::modbus::Modbus;
use crate::output::{DesiredOutputs, OutputStatus};
use crate::problem::SettingsProblem;
use crate::runner::Runner;
use crate::schedule::Class;
use crate::settings::{Table, WireSettings};

/// What the task shows. Its samples stand in the order of devices and registers of the settings.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) samples: Vec<Sample>,
    pub(crate) outputs: Vec<OutputStatus>,
    pub(crate) statistics: WireStatistics,
    /// Whether what was refused is to be asked again; the task has not taken that yet.
    pub(crate) forgive: bool,
}

/// Counters of one wire since it was started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WireStatistics {
    /// Whether there is a connection now.
    pub is_connected: bool,
    /// How often a connection was made.
    pub connections_total: u64,
    /// Requests that were sent, reads and writes.
    pub requests_total: u64,
    /// Of these, writes.
    pub writes_total: u64,
    /// What failed, by cause.
    pub failures_total: FailureCounts,
    /// From the last answered request being sent to its answer, pauses included.
    pub last_round_trip: Option<Duration>,
    /// How late the latest read was when the task last looked: above its period, the wire has more to do than it can.
    pub backlog: Duration,
    /// Messages that came by themselves, where values do.
    pub messages_total: u64,
    /// How often values may have changed unseen: from a lost connection or message until everything was read again.
    pub gaps_total: u64,
    /// Until when certificates are valid, where there are any.
    pub certificates: Certificates,
    /// What became of the records, where values come by themselves.
    pub messages: Option<MessageStatistics>,
    /// For how long the oldest request of each class has waited, in the order of [`Class::ALL`].
    pub waiting: [Duration; Class::ALL.len()],
    /// Each device.
    pub devices: Vec<DeviceStatistics>,
}

/// Until when the certificates of a connection are valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// This program's own.
    pub own: Option<i64>,
    /// The partner's.
    pub partner: Option<i64>,
}

/// What is known of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceStatistics {
    /// Its name.
    pub name: String,
    /// Whether it is asked at all.
    pub breaker: BreakerState,
    /// How often it stopped answering.
    pub openings_total: u64,
    /// Registers that it refuses to give, in the order of its rows.
    pub quarantined: Vec<Quarantined>,
}

/// A register that is not read because the device refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Whose value is missing.
    pub point: Point,
    /// The address space.
    pub table: Table,
    /// Protocol address, counted from 0.
    pub address: u16,
    /// Since when, on the clock of the wire.
    pub since: Duration,
    /// How the device refused it.
    pub refusal: Refusal,
}

/// Failures of requests and of connections, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureCounts {
    /// No connection could be made.
    pub unreachable: u64,
    /// No answer in time.
    pub silent: u64,
    /// The connection broke during a request.
    pub broken: u64,
    /// What came was not an answer to the question.
    pub nonsense: u64,
    /// The device refused: function, address or value.
    pub refused: u64,
    /// The device was busy.
    pub busy: u64,
    /// The device, or the gateway before it, reported a failure.
    pub device_failure: u64,
}

impl FailureCounts {
    /// Each cause by the name that metrics give it.
    pub fn by_cause(&self) -> [(&'static str, u64); 7] {
        [
            ("unreachable", self.unreachable),
            ("silent", self.silent),
            ("broken", self.broken),
            ("nonsense", self.nonsense),
            ("refused", self.refused),
            ("busy", self.busy),
            ("device_failure", self.device_failure),
        ]
    }

    pub(crate) fn count(&mut self, error: &BusError) {
        let counter = match error {
            BusError::Unreachable { .. } => &mut self.unreachable,
            BusError::Silent => &mut self.silent,
            BusError::Broken(_) => &mut self.broken,
            BusError::Nonsense(_) => &mut self.nonsense,
            BusError::Refused(Refusal::Function | Refusal::Address | Refusal::Value) => &mut self.refused,
            BusError::Refused(Refusal::Busy) => &mut self.busy,
            BusError::Refused(Refusal::Failure(_)) => &mut self.device_failure,
        };
        *counter += 1;
    }
}

/// A wire that is running. Dropping it stops the wire after the request that is under way.
#[derive(Debug)]
pub struct WireHandle {
    name: String,
    epoch: Instant,
    shown: Arc<Mutex<Shown>>,
    desired: watch::Sender<DesiredOutputs>,
    task: JoinHandle<()>,
}

/// Starts a wire. `epoch` is the zero of all its times, shared with whoever decides outputs.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// All problems of the settings, if there are any.
pub fn spawn(settings: WireSettings, epoch: Instant) -> Result<WireHandle, Vec<SettingsProblem>> {
    spawn_on(Modbus::new(&settings), settings, epoch)
}

/// Starts a wire on a bus of one's own, as tests do and other transports will.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// All problems of the settings, if there are any.
pub fn spawn_on(bus: impl Bus, settings: WireSettings, epoch: Instant) -> Result<WireHandle, Vec<SettingsProblem>> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let points = settings
        .devices
        .iter()
        .flat_map(|device| device.registers.iter().map(crate::settings::Register::point))
        .collect::<Vec<_>>();
    let name = settings.name.clone();
    Ok(WireHandle::start(name, epoch, points, |shown, wishes| Runner::new(bus, settings, epoch, shown, wishes).run()))
}

impl WireHandle {
    /// Sets up what a wire of any kind shows, and starts the task that fills it. Samples stand in the order of `points`.
    /// The task ends when the sender of its wishes is gone.
    pub(crate) fn start<T: Future<Output = ()> + Send + 'static>(
        name: String,
        epoch: Instant,
        points: Vec<Point>,
        task: impl FnOnce(Arc<Mutex<Shown>>, watch::Receiver<DesiredOutputs>) -> T,
    ) -> WireHandle {
        let never = |point| Sample::plain(point, Err(Fault::NeverRead), Duration::ZERO);
        let shown = Arc::new(Mutex::new(Shown {
            samples: points.into_iter().map(never).collect(),
            outputs: Vec::new(),
            statistics: WireStatistics::default(),
            forgive: false,
        }));
        let (desired, wishes) = watch::channel(DesiredOutputs::default());
        let task = tokio::spawn(task(Arc::clone(&shown), wishes));
        WireHandle { name, epoch, shown, desired, task }
    }

    /// The wire's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time on the wire's clock: since the epoch it was started with.
    pub fn now(&self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(tokio::time::Instant::from_std(self.epoch))
    }

    /// The zero of its clock. It lies before that of the others where values may be older than the program.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// The last sample of each register.
    pub fn samples(&self) -> Vec<Sample> {
        self.look().samples.clone()
    }

    /// The last sample of each register into a vector that is used again, for a cycle that allocates nothing.
    pub fn samples_into(&self, samples: &mut Vec<Sample>) {
        samples.clear();
        samples.extend_from_slice(&self.look().samples);
    }

    /// What all outputs of this wire shall be, from now on and until the next call. Call it each cycle, also when
    /// nothing changed: a wish that is not renewed is not written after ten seconds.
    ///
    /// Wishes for points of other wires are passed over, so that every wire may be given the whole list.
    pub fn desire(&self, wishes: DesiredOutputs) {
        self.desired.send_replace(wishes);
    }

    /// Asks again for what was refused, as after a configuration was loaded.
    pub fn forgive(&self) {
        self.look().forgive = true;
    }

    /// What became of each output.
    pub fn outputs_status(&self) -> Vec<OutputStatus> {
        self.look().outputs.clone()
    }

    /// What became of one output; none if this wire does not write it.
    pub fn output_status(&self, point: Point) -> Option<OutputStatus> {
        self.look().outputs.iter().find(|status| status.point == point).cloned()
    }

    /// The counters.
    pub fn statistics(&self) -> WireStatistics {
        self.look().statistics.clone()
    }

    /// Age of the oldest good sample, for watching; none while nothing was read.
    pub fn oldest_age(&self) -> Option<Duration> {
        let oldest = self.look().samples.iter().filter(|sample| sample.value.is_ok()).map(|s| s.taken_at).min()?;
        Some(self.now().saturating_sub(oldest))
    }

    /// Whether the task is running; false means that it panicked, which is a bug and worth an alarm.
    pub fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }

    /// Ends the wire after the request that is under way, at the latest after its time-out. Nothing is written on the
    /// way out: what the plant shall do without us is decided before, as a wish.
    pub async fn stop(self) {
        let WireHandle { name, desired, task, .. } = self;
        drop(desired);
        if let Err(error) = task.await {
            tracing::error!(wire = name, %error, "the wire's task had failed");
        }
    }

    fn look(&self) -> MutexGuard<'_, Shown> {
        look(&self.shown)
    }
}

/// The task writes whole samples into slots and cannot leave half of one, so a poisoned lock holds sound data.
pub(crate) fn look(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
