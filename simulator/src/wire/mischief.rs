//! What becomes of one answer: the faults of the line, drawn by seed, put on its bytes, and counted.
//!
//! # What is not played
//! An RTU frame says of its question the unit, the function and the length, and nothing else. A line that has such an answer
//! before the right one, in place of it or later than the next question cannot be found out by anybody, and no bus does it:
//! slaves answer in order, and what is said twice is said in one breath. So there an answer that was held back comes *before*
//! the next, a copy follows without a gap, another unit's answer comes at once, and another question's only where it looks
//! different. With transaction
//! numbers everything is played.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fault::{Kind, WireFault, WireFaults};
use super::frame::{Framing, Question};
use super::units::{Absent, BUSY, DEVICE_FAILURE, ILLEGAL_ADDRESS, Units};

/// The longest burst of flipped bits: the checksum of RTU finds every burst of up to its own length.
const BURST_BITS: usize = 16;
/// Bytes of noise at the most: less than the shortest answer, so that noise is not one by chance.
const NOISE_BYTES: usize = 4;

impl Kind {
    /// The exception that it answers with.
    fn refusal(self) -> Option<u8> {
        if let Kind::Exception { code } = self {
            return Some(code);
        }
        let codes = [
            (matches!(self, Kind::Illegal { .. }), ILLEGAL_ADDRESS),
            (self == Kind::Busy, BUSY),
            (self == Kind::DenyWrites, DEVICE_FAILURE),
        ];
        codes.into_iter().find_map(|(is_it, code)| is_it.then_some(code))
    }

    fn lateness(self) -> Option<(Duration, Duration)> {
        if let Kind::Late { least, most } = self { Some((least, most)) } else { None }
    }

    fn pause_between_bytes(self) -> Option<Duration> {
        let Kind::SlowLoris { bytes_per_second } = self else { return None };
        Some(Duration::from_secs_f64(1.0 / bytes_per_second))
    }
}

/// What a flood is made of: no unit has this number.
const FLOOD_BYTE: u8 = 0xFA;
const FLOOD_BYTES: usize = 65_536;

/// What the line does next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing for so long.
    Wait(Duration),
    /// Sends this in one piece.
    Send(Vec<u8>),
    /// Sends this byte by byte with such a pause after each.
    Trickle(Vec<u8>, Duration),
    /// Closes the connection.
    Close,
}

/// What a connection remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The answer before.
    last: Option<Vec<u8>>,
    /// An answer that is held back until the next has gone out.
    pub held: Option<Vec<u8>>,
}

/// How often what happened on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// Questions that were understood.
    pub questions: u64,
    /// Each fault as it is written, and how often it was played.
    pub faults: Vec<(String, u64)>,
}

/// The faults of a line.
#[derive(Debug)]
pub(super) struct Mischief {
    faults: WireFaults,
    played: Vec<AtomicU64>,
    questions: AtomicU64,
    dice: Mutex<ChaCha8Rng>,
    /// An answer for whoever asks first on the next connection.
    carried: Mutex<Option<Vec<u8>>>,
}

/// The faults that were drawn for one answer.
struct Drawn<'a> {
    mischief: &'a Mischief,
    places: Vec<usize>,
}

impl Drawn<'_> {
    /// The first drawn fault that this picks, counted as played.
    fn play<T>(&self, pick: impl Fn(Kind) -> Option<T>) -> Option<T> {
        self.places.iter().find_map(|&place| {
            let picked = pick(self.mischief.faults.0[place].kind)?;
            self.mischief.count(place);
            Some(picked)
        })
    }

    fn plays(&self, kind: Kind) -> bool {
        self.play(|drawn| (drawn == kind).then_some(())).is_some()
    }
}

/// Whether a reader of RTU frames can tell that the last answer is not this one. In place of a refusal it never can: the
/// answer that was expected is not known here.
fn differs(last: &[u8], this: &[u8]) -> bool {
    this[1] & 0x80 == 0 && (last.len() != this.len() || last[..2] != this[..2])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mischief {
    pub fn new(faults: WireFaults, seed: u64) -> Mischief {
        Mischief {
            played: faults.0.iter().map(|_| AtomicU64::new(0)).collect(),
            questions: AtomicU64::new(0),
            dice: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            carried: Mutex::new(None),
            faults,
        }
    }

    pub fn faults(&self) -> &[WireFault] {
        &self.faults.0
    }

    pub fn count(&self, place: usize) {
        self.played[place].fetch_add(1, Ordering::Relaxed);
    }

    pub fn played(&self) -> Played {
        let counts = self.played.iter().map(|count| count.load(Ordering::Relaxed));
        Played {
            questions: self.questions.load(Ordering::Relaxed),
            faults: self.faults.0.iter().map(ToString::to_string).zip(counts).collect(),
        }
    }

    /// Whether a fresh connection is refused.
    pub fn refuses(&self) -> bool {
        let refusing = self.faults.0.iter().position(|fault| fault.kind == Kind::Refuse && self.falls(fault));
        refusing.inspect(|place| self.count(*place)).is_some()
    }

    fn falls(&self, fault: &WireFault) -> bool {
        fault.share >= 1.0 || (fault.share > 0.0 && lock(&self.dice).random_bool(fault.share))
    }

    fn draw(&self, question: &Question) -> Drawn<'_> {
        let concerns = |fault: &WireFault| {
            let is_ours = fault.unit.is_none_or(|unit| unit == question.unit);
            is_ours
                && match fault.kind {
                    Kind::Illegal { address } => question.touches(address),
                    Kind::DenyWrites | Kind::AckOnly | Kind::LostAck => question.is_write(),
                    // By the clock, or about connections.
                    Kind::Refuse | Kind::Cut { .. } | Kind::HalfOpen { .. } | Kind::Restart { .. } => false,
                    Kind::Late { .. }
                    | Kind::Silent
                    | Kind::Exception { .. }
                    | Kind::Busy
                    | Kind::OtherUnit
                    | Kind::OtherAnswer
                    | Kind::Truncate
                    | Kind::Corrupt
                    | Kind::Noise
                    | Kind::Flood
                    | Kind::Duplicate
                    | Kind::Glue
                    | Kind::Reorder
                    | Kind::CarryOver
                    | Kind::Split
                    | Kind::SlowLoris { .. } => true,
                }
        };
        let places = self.faults.0.iter().enumerate().filter(|(_, fault)| concerns(fault) && self.falls(fault));
        Drawn { mischief: self, places: places.map(|(place, _)| place).collect() }
    }

    /// What the line does about this question.
    pub fn answer(&self, question: &Question, units: &Units, framing: Framing, memory: &mut Memory) -> Vec<Step> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let drawn = self.draw(question);
        // Whoever is thought to be silent has not heard the question either, so nothing is done.
        if drawn.plays(Kind::Silent) {
            return Vec::new();
        }
        let absent = if framing == Framing::Tcp { Absent::Gateway } else { Absent::Nobody };
        let Some(pdu) = Mischief::protocol_data(&drawn, question, units, absent) else { return Vec::new() };
        if drawn.plays(Kind::LostAck) {
            return Vec::new();
        }
        let true_frame = framing.frame(question, question.unit, &pdu);
        let mut frame = true_frame.clone();
        if let Some(neighbour) = units.neighbour(question.unit).filter(|_| !question.is_write())
            && drawn.plays(Kind::OtherUnit)
            && let Some(pdu) = units.answer(neighbour, question, absent)
        {
            frame = framing.frame(question, neighbour, &pdu);
            if framing == Framing::Rtu {
                // At once, or it would be the answer to whatever that unit is asked next.
                memory.last = Some(true_frame);
                return vec![Step::Send(frame)];
            }
        }
        if let Some(last) = &memory.last
            && (framing == Framing::Tcp || differs(last, &frame))
            && drawn.plays(Kind::OtherAnswer)
        {
            frame.clone_from(last);
        }
        let steps = self.deliver(&drawn, frame, framing, memory);
        memory.last = Some(true_frame);
        steps
    }

    /// The answer's protocol data, and whether the question was heeded at all.
    fn protocol_data(drawn: &Drawn<'_>, question: &Question, units: &Units, absent: Absent) -> Option<Vec<u8>> {
        if let Some(code) = drawn.play(Kind::refusal) {
            return Some(question.refusal(code));
        }
        if drawn.plays(Kind::AckOnly) {
            return Some(question.echo());
        }
        units.answer(question.unit, question, absent)
    }

    /// What is done to the bytes of an answer, and in which steps they go out.
    fn deliver(&self, drawn: &Drawn<'_>, mut frame: Vec<u8>, framing: Framing, memory: &mut Memory) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some((least, most)) = drawn.play(Kind::lateness) {
            let share = if least == most { 0.0 } else { lock(&self.dice).random_range(0.0..=1.0) };
            steps.push(Step::Wait(least + most.saturating_sub(least).mul_f64(share)));
        }
        if drawn.plays(Kind::CarryOver) {
            *lock(&self.carried) = Some(frame);
            steps.push(Step::Close);
            return steps;
        }
        if memory.held.is_none() && drawn.plays(Kind::Reorder) {
            memory.held = Some(frame);
            return steps;
        }
        if drawn.plays(Kind::Flood) {
            steps.push(Step::Send(vec![FLOOD_BYTE; FLOOD_BYTES]));
            return steps;
        }
        if drawn.plays(Kind::Corrupt) {
            self.corrupt(&mut frame, framing);
        }
        let is_cut_short = drawn.plays(Kind::Truncate);
        if is_cut_short {
            let length = lock(&self.dice).random_range(1..frame.len());
            frame.truncate(length);
        }
        if drawn.plays(Kind::Noise) {
            frame.splice(0..0, self.noise());
        }
        let is_glued = drawn.plays(Kind::Glue);
        if is_glued {
            let last = memory.last.clone().unwrap_or_else(|| frame.clone());
            let is_first = framing == Framing::Tcp && lock(&self.dice).random_bool(0.5);
            frame = if is_first { [last, frame].concat() } else { [frame, last].concat() };
        }
        let is_twice = drawn.plays(Kind::Duplicate);
        // What is said twice in single bytes would come later than the next question.
        let is_one_breath = framing == Framing::Rtu && (is_twice || is_glued);
        let pause = if is_one_breath { None } else { drawn.play(Kind::pause_between_bytes) };
        let is_split = !is_one_breath && drawn.plays(Kind::Split);
        let send = |frame: Vec<u8>| match pause {
            Some(pause) => Step::Trickle(frame, pause),
            None if is_split => Step::Trickle(frame, Duration::ZERO),
            None => Step::Send(frame),
        };
        steps.extend(lock(&self.carried).take().map(Step::Send));
        let (before, after) = match framing {
            Framing::Tcp => (None, memory.held.take()),
            Framing::Rtu => (memory.held.take(), None),
        };
        steps.extend(before.map(send));
        match (is_twice, framing) {
            (false, _) => steps.push(send(frame)),
            (true, Framing::Tcp) => steps.extend([send(frame.clone()), send(frame)]),
            (true, Framing::Rtu) => steps.push(send([&frame[..], &frame].concat())),
        }
        steps.extend(after.map(send));
        if is_cut_short && lock(&self.dice).random_bool(0.5) {
            steps.push(Step::Close);
        }
        steps
    }

    /// Flips a burst of bits, its first and its last in any case.
    fn corrupt(&self, frame: &mut [u8], framing: Framing) {
        let bits = 8 * framing.checkable(frame);
        let mut dice = lock(&self.dice);
        let first = dice.random_range(0..bits);
        let last = (first + dice.random_range(0..BURST_BITS)).min(bits - 1);
        for bit in first..=last {
            if bit == first || bit == last || dice.random_bool(0.5) {
                frame[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    fn noise(&self) -> Vec<u8> {
        let mut dice = lock(&self.dice);
        (0..dice.random_range(1..=NOISE_BYTES)).map(|_| dice.random_range(0..=255)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::signature;

    fn question(number: u8, unit: u8, address: u16) -> Question {
        let address = address.to_be_bytes();
        Question { transaction: [0, number], unit, pdu: vec![3, address[0], address[1], 0, 1] }
    }

    fn true_frame(number: u8, unit: u8, address: u16) -> Vec<u8> {
        let value = signature(unit, 3, address).to_be_bytes();
        vec![0, number, 0, 0, 0, 5, unit, 3, 2, value[0], value[1]]
    }

    fn answers(faults: &str, seed: u64) -> (Mischief, impl Fn(&Mischief, &Question, &mut Memory) -> Vec<Step>) {
        let units = Units::signatures(3);
        let play = move |mischief: &Mischief, question: &Question, memory: &mut Memory| {
            mischief.answer(question, &units, Framing::Tcp, memory)
        };
        (Mischief::new(faults.parse().unwrap(), seed), play)
    }

    /// The steps of the third of three questions, about registers 10, 20 and 30 of unit 1.
    fn third(faults: &str) -> Vec<Step> {
        let (mischief, play) = answers(faults, 1);
        let mut memory = Memory::default();
        play(&mischief, &question(1, 1, 10), &mut memory);
        play(&mischief, &question(2, 1, 20), &mut memory);
        play(&mischief, &question(3, 1, 30), &mut memory)
    }

    #[test]
    fn each_fault_does_to_the_bytes_what_its_word_says() {
        let frame = true_frame(3, 1, 30);
        let send = |frame: &[u8]| Step::Send(frame.to_vec());
        assert_eq!(third(""), [send(&frame)]);
        assert_eq!(third("late 300ms"), [Step::Wait(Duration::from_millis(300)), send(&frame)]);
        assert_eq!(third("silent"), []);
        assert_eq!(third("silent unit 2"), [send(&frame)]);
        assert_eq!(third("illegal 30"), [send(&[0, 3, 0, 0, 0, 3, 1, 0x83, 2])]);
        assert_eq!(third("illegal 31"), [send(&frame)]);
        assert_eq!(third("exception 4 100%"), [send(&[0, 3, 0, 0, 0, 3, 1, 0x83, 4])]);
        assert_eq!(third("busy 100%"), [send(&[0, 3, 0, 0, 0, 3, 1, 0x83, 6])]);
        assert_eq!(third("other-unit 100%"), [send(&true_frame(3, 2, 30))]);
        assert_eq!(third("other-answer 100%"), [send(&true_frame(2, 1, 20))]);
        assert_eq!(third("duplicate 100%"), [send(&frame), send(&frame)]);
        assert_eq!(third("split"), [Step::Trickle(frame.clone(), Duration::ZERO)]);
        assert_eq!(third("slow-loris 4B/s"), [Step::Trickle(frame.clone(), Duration::from_millis(250))]);
        assert_eq!(third("carry-over 100%"), [Step::Close]);
        // The first is held back, the second brings it along, the third is held back again.
        assert_eq!(third("reorder 100%"), []);
        let glued = [[true_frame(2, 1, 20), frame.clone()].concat(), [frame, true_frame(2, 1, 20)].concat()];
        assert!(glued.map(|glued| vec![Step::Send(glued)]).contains(&third("glue 100%")));
    }

    #[test]
    fn an_answer_that_was_held_back_comes_after_the_next_and_a_carried_one_before_it() {
        let (mischief, play) = answers("reorder 100% unit 1", 1);
        let mut memory = Memory::default();
        assert_eq!(play(&mischief, &question(1, 1, 10), &mut memory), []);
        let both = [Step::Send(true_frame(2, 2, 20)), Step::Send(true_frame(1, 1, 10))];
        assert_eq!(play(&mischief, &question(2, 2, 20), &mut memory), both);

        let (mischief, play) = answers("carry-over 100% unit 1", 1);
        assert_eq!(play(&mischief, &question(1, 1, 10), &mut Memory::default()), [Step::Close]);
        let both = [Step::Send(true_frame(1, 1, 10)), Step::Send(true_frame(2, 2, 20))];
        assert_eq!(play(&mischief, &question(2, 2, 20), &mut Memory::default()), both);
    }

    #[test]
    fn what_is_cut_short_or_flipped_is_never_the_answer_and_flipped_data_is_left_to_checksums() {
        for seed in 0..300 {
            let (mischief, play) = answers("truncate 100%", seed);
            let steps = play(&mischief, &question(3, 1, 30), &mut Memory::default());
            let frame = true_frame(3, 1, 30);
            let Step::Send(sent) = &steps[0] else { panic!("{steps:?}") };
            assert!(!sent.is_empty() && sent.len() < frame.len() && frame.starts_with(sent));

            let (mischief, play) = answers("corrupt 100%", seed);
            let steps = play(&mischief, &question(3, 1, 30), &mut Memory::default());
            let Step::Send(sent) = &steps[0] else { panic!("{steps:?}") };
            assert_ne!(sent[..9], frame[..9]);
            assert_eq!(sent[9..], frame[9..]);
        }
    }

    #[test]
    fn writes_that_are_denied_or_only_acknowledged_are_not_done_and_those_without_acknowledgement_are() {
        let write = Question { transaction: [0, 9], unit: 1, pdu: vec![6, 0, 10, 0x12, 0x34] };
        for (faults, answer, held) in [
            ("", Some(vec![0, 9, 0, 0, 0, 6, 1, 6, 0, 10, 0x12, 0x34]), Some(0x1234)),
            ("deny-writes", Some(vec![0, 9, 0, 0, 0, 3, 1, 0x86, 4]), None),
            ("ack-only", Some(vec![0, 9, 0, 0, 0, 6, 1, 6, 0, 10, 0x12, 0x34]), None),
            ("lost-ack", None, Some(0x1234)),
        ] {
            let (units, mischief) = (Units::signatures(1), Mischief::new(faults.parse().unwrap(), 1));
            let steps = mischief.answer(&write, &units, Framing::Tcp, &mut Memory::default());
            assert_eq!(steps, answer.map(Step::Send).into_iter().collect::<Vec<_>>(), "{faults}");
            assert_eq!(units.written(1, 3, 10), held, "{faults}");
        }
    }

    #[test]
    fn faults_are_drawn_by_seed_at_their_share_and_counted() {
        let run = |seed| {
            let (mischief, play) = answers("truncate 10%, duplicate 1%, silent unit 3", seed);
            let mut memory = Memory::default();
            let steps: Vec<_> = (0..10_000).map(|n| play(&mischief, &question(n as u8, 1, n), &mut memory)).collect();
            (steps, mischief.played())
        };
        let (steps, played) = run(7);
        assert_eq!((&steps, &played), (&run(7).0, &run(7).1));
        assert_ne!(steps, run(8).0);
        assert_eq!(played.questions, 10_000);
        let counts: Vec<u64> = played.faults.iter().map(|(_, count)| *count).collect();
        assert!((900..1_100).contains(&counts[0]) && (60..140).contains(&counts[1]), "{played:?}");
        assert_eq!((played.faults[2].0.as_str(), counts[2]), ("silent unit 3", 0));
    }
}
