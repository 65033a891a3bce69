//! A server that lies, stalls and stammers, over real sockets: nothing it does may panic the driver or pass one value for
//! another.
//!
//! Every register holds a signature made of its unit, table and address, so a single value that got into the wrong place
//! is seen. The server draws its tricks from a seed; the seed is printed when a law is broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{device, value, valve, wire, word};
use heatstation_drivers::bus::{Bus, BusError, Level, Refusal, Span, Write};
use heatstation_drivers::modbus::ModbusTcp;
use heatstation_drivers::probe::{read_once, write_once};
use heatstation_drivers::settings::{Table, WriteRules};
use heatstation_drivers::spawn;
use heatstation_points::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const TIMEOUT: Duration = Duration::from_millis(25);

/// What register `address` of that unit and function holds, for ever: odd multipliers make it another for each address.
fn signature(unit: u8, function: u8, address: u16) -> u16 {
    address.wrapping_mul(40_503) ^ u16::from(unit).wrapping_mul(257) ^ u16::from(function) << 13
}

fn bit_signature(unit: u8, function: u8, address: u16) -> u16 {
    (signature(unit, function, address) >> 7) & 1
}

struct Question {
    header: [u8; 7],
    pdu: Vec<u8>,
}

impl Question {
    async fn from(stream: &mut TcpStream) -> Option<Question> {
        let mut header = [0; 7];
        stream.read_exact(&mut header).await.ok()?;
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])).checked_sub(1)?];
        stream.read_exact(&mut pdu).await.ok()?;
        Some(Question { header, pdu })
    }

    fn unit(&self) -> u8 {
        self.header[6]
    }

    fn number(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.pdu[at], self.pdu[at + 1]])
    }

    /// The true answer's protocol data, as if `shift` registers further on had been asked for.
    fn truth(&self, shift: u16) -> Vec<u8> {
        let (function, address, count) = (self.pdu[0], self.number(1).wrapping_add(shift), self.number(3));
        match function {
            1 | 2 => {
                let mut data = vec![0_u8; usize::from(count.div_ceil(8))];
                for offset in 0..count {
                    let bit = bit_signature(self.unit(), function, address + offset) as u8;
                    data[usize::from(offset / 8)] |= bit << (offset % 8);
                }
                [vec![function, data.len() as u8], data].concat()
            }
            3 | 4 => {
                let words = (0..count).map(|offset| signature(self.unit(), function, address.wrapping_add(offset)));
                let data: Vec<u8> = words.flat_map(u16::to_be_bytes).collect();
                [vec![function, data.len() as u8], data].concat()
            }
            _ => self.pdu[..self.pdu.len().min(if function == 22 { 7 } else { 5 })].to_vec(),
        }
    }

    fn frame(&self, pdu: &[u8]) -> Vec<u8> {
        let length = (pdu.len() as u16 + 1).to_be_bytes();
        [&self.header[..4], &length, &self.header[6..], pdu].concat()
    }
}

/// Plays one trick; false ends the connection.
async fn play(stream: &mut TcpStream, question: &Question, rng: &mut StdRng, kept: &mut Vec<u8>) -> bool {
    let true_pdu = question.truth(0);
    let mut frame = question.frame(&true_pdu);
    match rng.random_range(0..400_u32) {
        // Late, on the connection that asked.
        0..2 => sleep(TIMEOUT * 2).await,
        // Never here, but on whichever connection comes next.
        2..4 => {
            *kept = frame;
            sleep(TIMEOUT * 2).await;
            return false;
        }
        // Another number, unit, protocol or function.
        4..8 => frame[rng.random_range(0..2)] ^= 1 << rng.random_range(0..8),
        8..10 => frame[6] ^= 1,
        10..12 => frame[rng.random_range(2..4)] ^= 1,
        12..14 => frame = question.frame(&[&[true_pdu[0] ^ 7], &true_pdu[1..]].concat()),
        // A register too few, or too many, well formed.
        14..16 if true_pdu.len() > 4 => {
            let mut short = true_pdu[..true_pdu.len() - 2].to_vec();
            short[1] -= 2;
            frame = question.frame(&short);
        }
        16..18 => {
            let mut long = [&true_pdu[..], &[0, 0]].concat();
            long[1] = long[1].wrapping_add(2);
            frame = question.frame(&long);
        }
        // Byte count and length that do not fit.
        18..20 => frame[8] ^= 2,
        20..22 => frame[5] ^= 1,
        22..23 => frame[4] = 0xFF,
        23..24 => frame[4..6].copy_from_slice(&[0, 0]),
        // Cut off; with something glued to it; twice.
        24..26 => {
            frame.truncate(rng.random_range(0..frame.len()));
            let _ = stream.write_all(&frame).await;
            return false;
        }
        26..28 => frame.extend_from_slice(&[0; 5]),
        28..30 => frame = [&frame[..], &frame[..]].concat(),
        // The true answer to the next question, already now.
        30..32 => {
            let mut next = Question { header: question.header, pdu: question.pdu.clone() };
            next.header[1] = next.header[1].wrapping_add(1);
            frame = [frame, next.frame(&question.truth(1))].concat();
        }
        // Exceptions, good and bad.
        32..36 => frame = question.frame(&[true_pdu[0] | 0x80, rng.random_range(0..=255)]),
        36..37 => frame = question.frame(&[true_pdu[0] | 0x80, 2, 0]),
        37..38 => frame = question.frame(&[]),
        // Noise under a true header, and without.
        38..42 => {
            let noise: Vec<u8> = (0..rng.random_range(1..300)).map(|_| rng.random_range(0..=255)).collect();
            frame = question.frame(&[&[rng.random_range(0..=127) | 0x40], &noise[..]].concat());
        }
        42..44 => frame = (0..rng.random_range(1..2000)).map(|_| rng.random_range(0..=255)).collect(),
        44..46 => return false,
        // Endless.
        46..47 => {
            while stream.write_all(&[0; 512]).await.is_ok() {}
            return false;
        }
        // True, in pieces: the driver must take it.
        47..67 => {
            for byte in frame {
                if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                    return false;
                }
                tokio::task::yield_now().await;
            }
            return true;
        }
        _ => {}
    }
    stream.write_all(&frame).await.is_ok()
}

/// A hostile server; its address. It ends with the test's runtime.
async fn hostile(seed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let mut is_first = true;
            while let Some(question) = Question::from(&mut stream).await {
                if std::mem::take(&mut is_first) && !kept.is_empty() {
                    let _ = stream.write_all(&std::mem::take(&mut kept)).await;
                }
                if !play(&mut stream, &question, &mut rng, &mut kept).await {
                    break;
                }
            }
        }
    });
    address
}

/// A server that gives one scripted answer to each question, made from question and number of the question.
async fn scripted(script: impl Fn(&Question, u64) -> Vec<u8> + Send + 'static) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let questions = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&questions);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Some(question) = Question::from(&mut stream).await {
                let answer = script(&question, counter.fetch_add(1, Ordering::SeqCst));
                if stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
        }
    });
    (address, questions)
}

fn bus(address: &str) -> ModbusTcp {
    let mut settings = wire(address, Vec::new());
    settings.timeout = TIMEOUT;
    ModbusTcp::new(&settings)
}

fn span(unit: u8, table: Table, address: u16, count: u16) -> Span {
    Span { unit, table, address, count }
}

#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    failed: u64,
}

/// Reads random runs of registers until so many were accepted, and checks every value.
async fn read_many(seed: u64, goal: u64) -> Tally {
    let mut bus = bus(&hostile(seed).await);
    let mut rng = StdRng::seed_from_u64(seed ^ 0xFFFF);
    let mut tally = Tally::default();
    let tables = [Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister];
    while tally.accepted < goal {
        bus.connect().await.unwrap();
        let table = tables[rng.random_range(0..4)];
        let longest = if table.holds_bits() { 200 } else { 40 };
        let asked = span(rng.random_range(1..=3), table, rng.random_range(0..60_000), rng.random_range(1..=longest));
        match bus.read(asked).await {
            Ok(words) => {
                tally.accepted += 1;
                let function = table.read_function();
                let truth = if table.holds_bits() { bit_signature } else { signature };
                let expected = (0..asked.count).map(|offset| truth(asked.unit, function, asked.address + offset));
                assert_eq!(words, expected.collect::<Vec<_>>(), "seed {seed}: {asked:?}");
            }
            Err(BusError::Refused(_)) => {
                tally.refused += 1;
                assert!(bus.is_connected(), "seed {seed}: a refusal keeps the connection");
            }
            Err(_) => {
                tally.failed += 1;
                assert!(!bus.is_connected(), "seed {seed}: a failure drops the connection");
            }
        }
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_thousand_answers_of_a_hostile_server_not_one_is_taken_for_another() {
    let mut readers = tokio::task::JoinSet::new();
    for seed in 0..16 {
        readers.spawn(read_many(seed, 1_300));
    }
    let mut sum = Tally::default();
    while let Some(tally) = readers.join_next().await {
        let tally = tally.expect("a law was broken");
        sum.accepted += tally.accepted;
        sum.refused += tally.refused;
        sum.failed += tally.failed;
    }
    assert!(20_000 <= sum.accepted && 100 <= sum.refused && 1_000 <= sum.failed);
}

#[tokio::test]
async fn no_answer_whatever_panics_the_driver_and_none_has_another_length_than_asked() {
    // A true header before every function code and every kind of body: the decoder is reached each time.
    let bodies = Arc::new(std::sync::Mutex::new(StdRng::seed_from_u64(7)));
    let (address, questions) = scripted(move |question, number| {
        let mut rng = bodies.lock().unwrap();
        let mut pdu: Vec<u8> = (0..rng.random_range(0..24)).map(|_| rng.random_range(0..=255)).collect();
        let header = [number as u8, pdu.len() as u8];
        if rng.random_range(0..4) != 0 {
            pdu.splice(0..0, header);
        }
        pdu.truncate(250);
        question.frame(&pdu)
    })
    .await;
    let mut bus = bus(&address);
    let writes = [
        Write::SingleCoil { address: 1, on: Level::High },
        Write::MultipleCoils { address: 1, on: vec![Level::High; 3] },
        Write::SingleRegister { address: 1, word: 7 },
        Write::MultipleRegisters { address: 1, words: vec![7, 8] },
        Write::MaskRegister { address: 1, and: 7, or: 8 },
    ];
    while questions.load(Ordering::SeqCst) < 3_000 {
        bus.connect().await.unwrap();
        for table in [Table::Coil, Table::DiscreteInput, Table::InputRegister, Table::HoldingRegister] {
            bus.connect().await.unwrap();
            if let Ok(words) = bus.read(span(1, table, 0, 3)).await {
                assert_eq!(words.len(), 3);
            }
        }
        for write in &writes {
            bus.connect().await.unwrap();
            let _ = bus.write(1, write).await;
        }
    }
}

#[tokio::test]
async fn bytes_behind_the_answer_make_the_whole_answer_worthless() {
    let (address, _) = scripted(|question, number| {
        let mut frame = question.frame(&question.truth(0));
        frame.extend(vec![0; usize::from(number > 0)]);
        frame
    })
    .await;
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    let asked = span(1, Table::HoldingRegister, 7, 2);
    assert_eq!(bus.read(asked).await, Ok(vec![signature(1, 3, 7), signature(1, 3, 8)]));
    assert!(matches!(bus.read(asked).await, Err(BusError::Nonsense(_))));
}

#[tokio::test]
async fn an_answer_that_was_there_before_its_question_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let question = Question::from(&mut stream).await.unwrap();
        stream.write_all(&question.frame(&question.truth(0))).await.unwrap();
        sleep(TIMEOUT / 5).await;
        // Numbers count from 0 under the mask, so the next one is known to whoever has seen the first.
        let mut next = question;
        next.header[1] ^= 1;
        let early = next.frame(&next.truth(100));
        stream.write_all(&early).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    });
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    let asked = span(1, Table::HoldingRegister, 7, 1);
    assert_eq!(bus.read(asked).await, Ok(vec![signature(1, 3, 7)]));
    sleep(TIMEOUT).await;
    assert!(matches!(bus.read(asked).await, Err(BusError::Nonsense(_))));
}

#[tokio::test]
async fn an_answer_kept_for_the_next_connection_is_not_taken_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept: Option<Vec<u8>> = None;
        while let Ok((mut stream, _)) = listener.accept().await {
            let question = Question::from(&mut stream).await.unwrap();
            let late = kept.replace(question.frame(&question.truth(0)));
            if let Some(late) = late {
                let _ = stream.write_all(&late).await;
                sleep(TIMEOUT).await;
            }
        }
    });
    let mut bus = bus(&address);
    for address in 0..40 {
        bus.connect().await.unwrap();
        let outcome = bus.read(span(1, Table::HoldingRegister, address, 1)).await;
        assert!(outcome.is_err(), "register {address} got {outcome:?}");
    }
}

#[tokio::test]
async fn an_echo_of_another_write_is_not_taken_for_ours() {
    let (address, _) = scripted(|question, number| {
        let mut echo = question.truth(0);
        if number > 0 {
            let place = (number as usize - 1) % 4 + 1;
            echo[place] ^= 1;
        }
        question.frame(&echo)
    })
    .await;
    let mut bus = bus(&address);
    let write = Write::SingleRegister { address: 0x0102, word: 0x0304 };
    bus.connect().await.unwrap();
    assert_eq!(bus.write(1, &write).await, Ok(()));
    for _ in 0..4 {
        bus.connect().await.unwrap();
        assert!(matches!(bus.write(1, &write).await, Err(BusError::Nonsense(_))));
        assert!(!bus.is_connected());
    }
}

#[tokio::test]
async fn every_exception_is_told_by_what_is_to_be_done_and_keeps_the_connection() {
    let (address, _) = scripted(|question, number| question.frame(&[question.pdu[0] | 0x80, number as u8])).await;
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    for code in 0..=255_u8 {
        let refusal = bus.read(span(1, Table::HoldingRegister, 0, 1)).await;
        assert_eq!(refusal, Err(BusError::Refused(Refusal::from_code(code))));
    }
    assert!(bus.is_connected());
}

#[tokio::test]
async fn a_request_given_up_half_way_takes_its_connection_with_it() {
    let (address, _) = scripted(|_, _| Vec::new()).await;
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    let given_up = tokio::time::timeout(TIMEOUT / 5, bus.read(span(1, Table::HoldingRegister, 0, 1))).await;
    assert!(given_up.is_err());
    assert!(!bus.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_on_a_hostile_server_shows_true_values_or_faults() {
    let registers = (0..60).map(|place| word(place * 7, Duration::from_millis(1))).collect();
    let mut settings = wire(&hostile(99).await, vec![device("plc", 1, registers)]);
    settings.timeout = TIMEOUT;
    settings.reconnect_min = Duration::from_millis(2);
    settings.reconnect_max = Duration::from_millis(10);
    settings.devices[0].limits.max_registers = 20;
    let wire = spawn(settings, Instant::now()).unwrap();
    let mut good = 0_u64;
    for _ in 0..1_000 {
        sleep(Duration::from_millis(2)).await;
        for (place, sample) in wire.samples().into_iter().enumerate() {
            if let Ok(value) = sample.value {
                good += 1;
                assert_eq!(value.number(), f64::from(signature(1, 3, place as u16 * 7)), "register {place}");
            }
        }
    }
    let statistics = wire.statistics();
    wire.stop().await;
    assert!(10_000 < good && 1_000 < statistics.requests_total, "{good} good, {statistics:?}");
    assert!(0 < statistics.failures_total.nonsense && 0 < statistics.failures_total.broken, "{statistics:?}");
}

#[tokio::test]
async fn a_wire_without_pauses_does_not_wait_for_the_timer_between_requests() {
    let (address, _) = scripted(|question, _| question.frame(&question.truth(0))).await;
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    let mut best = Duration::MAX;
    // The best of ten, because the machine may be busy; a timer of whole milliseconds would spoil every one of them.
    for _ in 0..10 {
        let start = Instant::now();
        for address in 0..200 {
            bus.read(span(1, Table::HoldingRegister, address, 1)).await.unwrap();
        }
        best = best.min(start.elapsed());
    }
    assert!(best < Duration::from_millis(180), "{best:?} for 200 requests");
}

#[tokio::test]
async fn probing_tells_words_value_and_reason_of_each_register() {
    let held = Arc::new(std::sync::Mutex::new(4100_u16));
    let (address, _) = scripted(move |question, _| {
        let mut held = held.lock().unwrap();
        match (question.pdu[0], question.number(1)) {
            (3, 20) => question.frame(&[&[3, 2], &held.to_be_bytes()[..]].concat()),
            (3, 5) => question.frame(&question.truth(0)),
            (6, 20) => {
                *held = question.number(3);
                question.frame(&question.truth(0))
            }
            (function, _) => question.frame(&[function | 0x80, 2]),
        }
    })
    .await;
    let second = Duration::from_secs(1);
    let registers = vec![word(5, second), word(6, second), valve(20, WriteRules::default())];
    let settings = wire(&address, vec![device("plc", 1, registers)]);
    let rows = read_once(&settings).await.unwrap();
    assert_eq!(rows[0].words, [signature(1, 3, 5)]);
    assert_eq!((rows[1].value, &rows[1].error), (Err(Fault::Refused), &Some(BusError::Refused(Refusal::Address))));
    assert_eq!((&rows[2].words[..], rows[2].name.as_str()), (&[4100][..], common::VALVE));

    let written = write_once(&settings, rows[2].point, value(common::VALVE, 0.55)).await.unwrap();
    assert_eq!(written.words, [5500]);
    assert_eq!(written.before.map(|value| (value.number() * 100.0).round()), Some(41.0));
    assert_eq!(written.after.map(|value| (value.number() * 100.0).round()), Some(55.0));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert!(matches!(bus(&address).connect().await, Err(BusError::Unreachable { .. })));
    let settings = wire(&address, vec![device("plc", 1, vec![word(5, Duration::from_secs(1))])]);
    assert_eq!(read_once(&settings).await.unwrap()[0].value, Err(Fault::Silent));
}
