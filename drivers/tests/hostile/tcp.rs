//! One lie at a time over Modbus TCP, and what comes of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heatstation_drivers::bus::{Bus, BusError, Level, Refusal, Write};
use heatstation_drivers::probe::{read_once, write_once};
use heatstation_drivers::settings::{Framing, Table, Transport, WriteRules};
use heatstation_drivers::spawn;
use heatstation_points::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::common::{self, device, value, valve, wire, word};
use crate::peer::{self, Kind, Question, TIMEOUT, hostile, signature, span};

fn bus(address: &str) -> heatstation_drivers::modbus::Modbus {
    peer::bus(Transport::modbus_tcp(address))
}

async fn question_from(stream: &mut TcpStream) -> Option<Question> {
    Question::from(Framing::Mbap, stream).await
}

/// A server that gives one scripted answer to each question, made from question and number of the question.
async fn scripted(script: impl Fn(&Question, u64) -> Vec<u8> + Send + 'static) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let questions = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&questions);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Some(question) = question_from(&mut stream).await {
                let answer = script(&question, counter.fetch_add(1, Ordering::SeqCst));
                if stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
        }
    });
    (address, questions)
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
        let question = question_from(&mut stream).await.unwrap();
        stream.write_all(&question.frame(&question.truth(0))).await.unwrap();
        sleep(TIMEOUT / 5).await;
        // Numbers count on, so the next one is known to whoever has seen the first.
        let next = question.next();
        let early = next.frame(&next.truth(100));
        stream.write_all(&early).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    });
    let mut bus = bus(&address);
    bus.connect().await.unwrap();
    let asked = span(1, Table::HoldingRegister, 7, 1);
    assert_eq!(bus.read(asked).await, Ok(vec![signature(1, 3, 7)]));
    sleep(TIMEOUT * 12).await;
    assert!(matches!(bus.read(asked).await, Err(BusError::Nonsense(_))));
}

#[tokio::test]
async fn an_answer_kept_for_the_next_connection_is_not_taken_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept: Option<Vec<u8>> = None;
        while let Ok((mut stream, _)) = listener.accept().await {
            let question = question_from(&mut stream).await.unwrap();
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
    let peer = hostile(Kind::Tcp, 99).await;
    let mut settings = wire("", vec![device("plc", 1, registers)]);
    settings.transport = peer.transport.clone();
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
    assert!(3_000 < good && 1_000 < statistics.requests_total, "{good} good, {statistics:?}");
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
