//! The PLC's memory between plant and wire: registers to read, and the last wish for each output.
//!
//! The plant publishes what its instruments say and takes what was written; the server reads and writes words. Neither
//! waits for the other's work: the lock is held for copying alone. Outputs are desired state, so there is one place per
//! output and no queue: who writes twice before the plant looks has changed their mind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heatstation_points::{Catalogue, CircuitOutput, Point};

use crate::plant::Plant;
use crate::registers::{Encoding, MapRow, Table, blocks, encode, holding_blocks, register_map};
use crate::timetable::Link;

/// The PLC's communication watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// It bites after this time without any request.
    pub after: Duration,
    /// What it does then.
    pub then: OnSilence,
}

impl Default for Watchdog {
    /// A minute, and then nothing but the count: what most station PLCs do.
    fn default() -> Watchdog {
        Watchdog { after: Duration::from_secs(60), then: OnSilence::KeepOutputs }
    }
}

/// What the PLC does with its outputs when nobody has asked or told it anything for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSilence {
    /// Keeps them, as most station PLCs do, and counts the event in register 45.
    KeepOutputs,
    /// Closes the control valves, keeps the pumps, and counts the event.
    CloseValves,
}

/// What is wrong with a request; each is a Modbus exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Exception 2: no such address, or not to be written.
    Address,
    /// Exception 3: such a value, or so many words, cannot be.
    Value,
}

/// Most words or coils of one request (Modbus Application Protocol 1.1b3, sections 6.3, 6.12, 6.1, 6.11).
const MOST_READ: u16 = 125;
const MOST_WRITTEN: usize = 123;
const MOST_COILS_READ: u16 = 2000;
const MOST_COILS_WRITTEN: usize = 1968;
/// A drive of 50 Hz takes up to 60 Hz as a number and limits it itself.
const MOST_CENTIHERTZ: u16 = 6000;

/// An output: its register, perhaps its coil, and what was last written and not yet taken.
#[derive(Debug)]
struct Output {
    point: Point,
    register: u16,
    coil: Option<u16>,
    most: u16,
    scale: f64,
    written: Option<u16>,
}

#[derive(Debug)]
struct Image {
    /// The holding registers up to the last that exists.
    words: Vec<u16>,
    blocks: Vec<(u16, u16)>,
    coil_blocks: Vec<(u16, u16)>,
    outputs: Vec<Output>,
    watchdog: Watchdog,
    last_request: Instant,
    silent: bool,
}

/// The register image of a plant, shared between its runner and its server.
#[derive(Clone, Debug)]
pub struct SharedPlant {
    image: Arc<Mutex<Image>>,
    rows: Arc<[MapRow]>,
    silent: Arc<AtomicBool>,
}

impl SharedPlant {
    /// The empty image of a station of this shape.
    pub fn new(catalogue: &Catalogue, watchdog: Watchdog) -> SharedPlant {
        let rows = register_map(catalogue);
        let blocks = holding_blocks(catalogue);
        let length = blocks.iter().map(|(first, length)| usize::from(*first) + usize::from(*length)).max().unwrap_or(0);
        let coil_blocks = (0..catalogue.circuits().len().min(blocks::MOST_CIRCUITS) as u16)
            .map(|c| (blocks::COILS * (c + 1), blocks::CIRCUIT_COILS))
            .collect();
        let mut words = vec![0; length];
        words[usize::from(blocks::WATCHDOG_SECONDS)] = watchdog.after.as_secs().min(u64::from(u16::MAX)) as u16;
        words[usize::from(blocks::WATCHDOG_ACTION)] = match watchdog.then {
            OnSilence::KeepOutputs => 0,
            OnSilence::CloseValves => 1,
        };
        let image = Image {
            words,
            blocks,
            coil_blocks,
            outputs: outputs(&rows),
            watchdog,
            last_request: Instant::now(),
            silent: false,
        };
        let readable = rows.iter().filter(|row| row.table == Table::Holding).cloned().collect::<Vec<_>>();
        SharedPlant {
            image: Arc::new(Mutex::new(image)),
            rows: readable.into(),
            silent: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Makes the PLC hang, or answer again.
    pub fn set_link(&self, link: Link) {
        self.silent.store(link == Link::Silent, Ordering::Relaxed);
    }

    /// Whether the PLC answers.
    pub fn link(&self) -> Link {
        if self.silent.load(Ordering::Relaxed) { Link::Silent } else { Link::Up }
    }

    /// A panic under the lock can only have come between two whole words, so the image is as good as ever.
    fn lock(&self) -> MutexGuard<'_, Image> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what the instruments say now into the registers.
    pub fn publish(&self, plant: &Plant) {
        // The plant is asked before the lock is taken.
        let mut words: Vec<(u16, Encoding, [u16; 2])> = Vec::with_capacity(self.rows.len());
        for row in self.rows.iter() {
            words.push((row.address, row.encoding, encode(row.encoding, row.scale, plant.sample(row.point))));
        }
        let mut image = self.lock();
        let Image { words: memory, outputs, .. } = &mut *image;
        for (address, encoding, encoded) in words {
            let at = usize::from(address);
            // A wish that the plant has not seen yet is not overwritten by what it was told before.
            if outputs.iter().any(|output| output.register == address && output.written.is_some()) {
                continue;
            }
            match encoding {
                Encoding::Bit(bit) => memory[at] = (memory[at] & !(1 << bit)) | encoded[0],
                _ => memory[at..][..usize::from(encoding.words())]
                    .copy_from_slice(&encoded[..usize::from(encoding.words())]),
            }
        }
        memory[usize::from(blocks::HEARTBEAT)] = plant.truth().seconds as u64 as u16;
    }

    /// Takes what was written since the last time, as commands for the plant.
    pub fn take_commands(&self) -> Vec<(Point, f64)> {
        let mut image = self.lock();
        let silent = image.watch();
        let close = silent && image.watchdog.then == OnSilence::CloseValves;
        let mut commands = Vec::new();
        for output in &mut image.outputs {
            if let Some(written) = output.written.take() {
                commands.push((output.point, f64::from(written) * output.scale));
            }
            if close && matches!(output.point, Point::CircuitOutput(_, CircuitOutput::ValvePosition)) {
                commands.push((output.point, 0.0));
            }
        }
        commands
    }

    /// Notes that somebody has asked or told something.
    pub(crate) fn heard(&self) {
        let mut image = self.lock();
        image.watch();
        image.last_request = Instant::now();
        image.silent = false;
    }

    /// Reads holding registers.
    pub(crate) fn read(&self, address: u16, count: u16) -> Result<Vec<u16>, Refusal> {
        if !(1..=MOST_READ).contains(&count) {
            return Err(Refusal::Value);
        }
        let image = self.lock();
        within(&image.blocks, address, usize::from(count))?;
        Ok(image.words[usize::from(address)..][..usize::from(count)].to_vec())
    }

    /// Writes holding registers: all of them or none.
    pub(crate) fn write(&self, address: u16, words: &[u16]) -> Result<(), Refusal> {
        if words.is_empty() || words.len() > MOST_WRITTEN {
            return Err(Refusal::Value);
        }
        let mut image = self.lock();
        within(&image.blocks, address, words.len())?;
        let targets = address..=address + (words.len() - 1) as u16;
        let places: Vec<usize> =
            targets.map(|at| image.output(|o| o.register == at).ok_or(Refusal::Address)).collect::<Result<_, _>>()?;
        if places.iter().zip(words).any(|(&place, &word)| word > image.outputs[place].most) {
            return Err(Refusal::Value);
        }
        for (place, &word) in places.into_iter().zip(words) {
            image.put(place, word);
        }
        Ok(())
    }

    /// Reads coils.
    pub(crate) fn read_coils(&self, address: u16, count: u16) -> Result<Vec<bool>, Refusal> {
        if !(1..=MOST_COILS_READ).contains(&count) {
            return Err(Refusal::Value);
        }
        let image = self.lock();
        within(&image.coil_blocks, address, usize::from(count))?;
        let coil = |at: u16| image.outputs.iter().find(|o| o.coil == Some(at));
        let on = |output: &Output| image.words[usize::from(output.register)] != 0;
        Ok((0..count).map(|offset| coil(address + offset).is_some_and(on)).collect())
    }

    /// Writes coils: all of them or none.
    pub(crate) fn write_coils(&self, address: u16, coils: &[bool]) -> Result<(), Refusal> {
        if coils.is_empty() || coils.len() > MOST_COILS_WRITTEN {
            return Err(Refusal::Value);
        }
        let mut image = self.lock();
        within(&image.coil_blocks, address, coils.len())?;
        let targets = address..=address + (coils.len() - 1) as u16;
        let places: Vec<usize> =
            targets.map(|at| image.output(|o| o.coil == Some(at)).ok_or(Refusal::Address)).collect::<Result<_, _>>()?;
        for (place, &on) in places.into_iter().zip(coils) {
            image.put(place, u16::from(on));
        }
        Ok(())
    }
}

impl Image {
    fn output(&self, is_it: impl Fn(&Output) -> bool) -> Option<usize> {
        self.outputs.iter().position(is_it)
    }

    fn put(&mut self, place: usize, word: u16) {
        let output = &mut self.outputs[place];
        output.written = Some(word);
        let register = usize::from(output.register);
        self.words[register] = word;
    }

    /// Runs the watchdog; whether it has bitten and nobody has spoken since.
    fn watch(&mut self) -> bool {
        if !self.silent && self.last_request.elapsed() >= self.watchdog.after {
            self.silent = true;
            let losses = &mut self.words[usize::from(blocks::COMMUNICATION_LOSSES)];
            *losses = losses.wrapping_add(1);
        }
        self.silent
    }
}

/// The outputs of a map, each register with its coil if it has one.
fn outputs(rows: &[MapRow]) -> Vec<Output> {
    rows.iter()
        .filter(|row| row.writable && row.table == Table::Holding)
        .map(|row| Output {
            point: row.point,
            register: row.address,
            coil: rows.iter().find(|other| other.table == Table::Coil && other.point == row.point).map(|c| c.address),
            most: match row.point {
                Point::CirculationPumpOutput(_, _, heatstation_points::PumpOutput::Speed)
                | Point::MakeUpPumpOutput(_, _, heatstation_points::PumpOutput::Speed) => MOST_CENTIHERTZ,
                _ => (1.0 / row.scale).round() as u16,
            },
            scale: row.scale,
            written: None,
        })
        .collect()
}

/// Whether all of these addresses exist.
fn within(blocks: &[(u16, u16)], address: u16, count: usize) -> Result<(), Refusal> {
    let exists = |at: usize| {
        blocks
            .iter()
            .any(|&(first, length)| (usize::from(first)..usize::from(first) + usize::from(length)).contains(&at))
    };
    let first = usize::from(address);
    if (first..first + count).all(exists) { Ok(()) } else { Err(Refusal::Address) }
}
