//! The stage: devices that exist in memory only, on a bus without a socket, in virtual time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use heatstation_drivers::bus::{Bus, BusError, Level, Refusal, Span, Write};
use heatstation_drivers::settings::{DeviceSettings, WriteRules};
use heatstation_drivers::{DesiredOutput, DesiredOutputs, OutputState, OutputStatus, Urgency, WireHandle, spawn_on};
use heatstation_points::{Point, Sample};
use tokio::time::sleep;

use crate::common::{VALVE, definition, device, value, valve, wire};

pub const SECOND: Duration = Duration::from_secs(1);
pub const LATENCY: Duration = Duration::from_millis(5);
pub const TIMEOUT: Duration = Duration::from_millis(500);

/// What the device does with a write.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum OnWrite {
    #[default]
    Take,
    /// Echoes it and forgets it.
    Forget,
    Refuse(Refusal),
    /// Does it, and its echo is lost.
    TakeInSilence,
    /// The question itself is lost.
    Lose,
}

#[derive(Default)]
pub struct World {
    pub words: HashMap<(u8, u16), u16>,
    pub on_write: OnWrite,
    pub dead: HashSet<u8>,
    pub bad: HashSet<u16>,
    /// Longer reads are refused.
    pub longest: Option<u16>,
    /// Speed of a serial line, whose bytes take their time besides the latency.
    pub baud: Option<u32>,
    /// Merged writes are refused.
    pub takes_single_only: bool,
    /// The next requests to this unit are lost.
    pub losses: HashMap<u8, u32>,
    /// Writes to these addresses are answered with busy.
    pub busy: HashSet<u16>,
    pub is_reachable: bool,
    pub is_connected: bool,
    pub connections: u32,
    pub log: Vec<(Duration, String)>,
    pub latency: Duration,
}

/// A bus into a [`World`].
#[derive(Clone)]
pub struct WorldBus {
    pub world: Arc<Mutex<World>>,
    pub epoch: tokio::time::Instant,
}

impl WorldBus {
    pub fn look(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn note(&self, what: String) {
        let now = self.epoch.elapsed();
        self.look().log.push((now, what));
    }

    async fn travel(&self, unit: u8, bytes: u32) -> Result<(), BusError> {
        let (latency, is_dead, is_connected) = {
            let mut world = self.look();
            // Eleven bits for a byte with parity.
            let on_the_line = world.baud.map_or(Duration::ZERO, |baud| Duration::from_secs(1) * (11 * bytes) / baud);
            let is_lost = world.losses.get_mut(&unit).is_some_and(|left| {
                *left = left.saturating_sub(1);
                *left > 0
            });
            let is_dead = is_lost || world.dead.contains(&unit);
            (world.latency + on_the_line, is_dead, world.is_connected && world.is_reachable)
        };
        if !is_connected {
            self.look().is_connected = false;
            return Err(BusError::Broken("gone".to_owned()));
        }
        if is_dead {
            return Err(self.time_out().await);
        }
        sleep(latency).await;
        Ok(())
    }

    async fn time_out(&self) -> BusError {
        sleep(TIMEOUT).await;
        self.look().is_connected = false;
        BusError::Silent
    }
}

impl Bus for WorldBus {
    async fn connect(&mut self) -> Result<(), BusError> {
        sleep(LATENCY).await;
        let mut world = self.look();
        if !world.is_reachable {
            return Err(BusError::Unreachable { address: "world".to_owned(), why: "unplugged".to_owned() });
        }
        world.is_connected = true;
        world.connections += 1;
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.look().is_connected
    }

    async fn read(&mut self, span: Span) -> Result<Vec<u16>, BusError> {
        self.note(format!("read {}:{}+{}", span.unit, span.address, span.count));
        self.travel(span.unit, 13 + 2 * u32::from(span.count)).await?;
        let world = self.look();
        if world.longest.is_some_and(|longest| longest < span.count) {
            return Err(BusError::Refused(Refusal::Value));
        }
        let addresses = span.address..span.address + span.count;
        if addresses.clone().any(|address| world.bad.contains(&address)) {
            return Err(BusError::Refused(Refusal::Address));
        }
        Ok(addresses.map(|address| world.words.get(&(span.unit, address)).copied().unwrap_or(0)).collect())
    }

    async fn write(&mut self, unit: u8, write: &Write) -> Result<(), BusError> {
        self.note(format!("{write:?}"));
        self.travel(unit, 16).await?;
        let is_merged = matches!(write, Write::MultipleRegisters { words, .. } if words.len() > 1)
            || matches!(write, Write::MultipleCoils { on, .. } if on.len() > 1);
        if is_merged && self.look().takes_single_only {
            return Err(BusError::Refused(Refusal::Function));
        }
        if let Write::SingleRegister { address, .. } = write
            && self.look().busy.contains(address)
        {
            return Err(BusError::Refused(Refusal::Busy));
        }
        let on_write = self.look().on_write;
        match on_write {
            OnWrite::Refuse(refusal) => return Err(BusError::Refused(refusal)),
            OnWrite::Lose => return Err(self.time_out().await),
            OnWrite::Forget => return Ok(()),
            OnWrite::Take | OnWrite::TakeInSilence => {}
        }
        {
            let mut world = self.look();
            match *write {
                Write::SingleRegister { address, word } => {
                    world.words.insert((unit, address), word);
                }
                Write::MaskRegister { address, and, or } => {
                    let held = world.words.entry((unit, address)).or_default();
                    *held = (*held & and) | (or & !and);
                }
                Write::MultipleRegisters { address, ref words } => {
                    for (address, &word) in (address..).zip(words) {
                        world.words.insert((unit, address), word);
                    }
                }
                Write::SingleCoil { address, on } => {
                    world.words.insert((unit, address), u16::from(on == Level::High));
                }
                Write::MultipleCoils { address, ref on } => {
                    for (address, &on) in (address..).zip(on) {
                        world.words.insert((unit, address), u16::from(on == Level::High));
                    }
                }
            }
        }
        if on_write == OnWrite::TakeInSilence { Err(self.time_out().await) } else { Ok(()) }
    }

    fn disconnect(&mut self) {
        self.look().is_connected = false;
    }
}

pub struct Stage {
    pub world: WorldBus,
    pub wire: WireHandle,
}

impl Stage {
    pub fn of(devices: Vec<DeviceSettings>) -> Stage {
        let epoch = tokio::time::Instant::now();
        let world = World { is_reachable: true, latency: LATENCY, ..World::default() };
        let world = WorldBus { world: Arc::new(Mutex::new(world)), epoch };
        let settings = wire("127.0.0.1:502", devices);
        let epoch: Instant = epoch.into_std();
        Stage { world: world.clone(), wire: spawn_on(world, settings, epoch).unwrap() }
    }

    pub fn with_valve(rules: WriteRules) -> Stage {
        Stage::of(vec![device("plc", 1, vec![valve(20, rules)])])
    }

    pub fn wish(&self, position: f64) {
        let wish = DesiredOutput {
            point: definition(VALVE).point,
            value: value(VALVE, position),
            decided_at: self.wire.now(),
            urgency: Urgency::Control,
        };
        self.wire.desire(DesiredOutputs { outputs: vec![wish], inhibited: Vec::new() });
    }

    /// Wishes of several outputs at once.
    pub fn wish_all(&self, wishes: &[(&str, f64)], urgency: Urgency) {
        let wish = |&(name, number): &(&str, f64)| DesiredOutput {
            point: definition(name).point,
            value: value(name, number),
            decided_at: self.wire.now(),
            urgency,
        };
        self.wire.desire(DesiredOutputs { outputs: wishes.iter().map(wish).collect(), inhibited: Vec::new() });
    }

    /// What went over the line that is a write, with its time in milliseconds.
    pub fn written(&self) -> Vec<(u64, String)> {
        let log = self.world.look().log.clone();
        log.into_iter()
            .filter(|(_, what)| !what.starts_with("read"))
            .map(|(at, what)| (at.as_millis() as u64, what))
            .collect()
    }

    pub fn status_of(&self, name: &str) -> OutputStatus {
        self.wire.output_status(definition(name).point).unwrap()
    }

    /// How long ago that was.
    pub fn since(&self, at: Duration) -> Duration {
        self.wire.now().saturating_sub(at)
    }

    pub fn point() -> Point {
        definition(VALVE).point
    }

    /// Renews the wish each second, as the cycle does.
    pub async fn hold(&self, position: f64, seconds: u32) {
        for _ in 0..seconds {
            self.wish(position);
            sleep(SECOND).await;
        }
    }

    pub fn status(&self) -> OutputStatus {
        self.wire.output_status(definition(VALVE).point).unwrap()
    }

    pub fn state(&self) -> OutputState {
        self.status().state
    }

    /// When which words were written to the valve.
    pub fn writes(&self) -> Vec<(u64, u16)> {
        let log = &self.world.look().log;
        let written = log.iter().filter_map(|(at, what)| {
            let word = what.strip_prefix("SingleRegister { address: 20, word: ")?.strip_suffix(" }")?;
            Some((at.as_millis() as u64, word.parse().unwrap()))
        });
        written.collect()
    }

    pub fn held(&self) -> u16 {
        self.world.look().words.get(&(1, 20)).copied().unwrap_or(0)
    }

    pub fn sample(&self, place: usize) -> Sample {
        self.wire.samples()[place]
    }
}

pub fn gaps(writes: &[(u64, u16)]) -> Vec<u64> {
    writes.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}
