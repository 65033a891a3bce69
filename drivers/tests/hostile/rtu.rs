//! Lines without transaction ids: what keeps a late answer from being taken for the next.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heatstation_drivers::bus::{Bus, BusError, Refusal, Span, Write};
use heatstation_drivers::settings::{Dial, Framing, Table, Transport};
use heatstation_drivers::spawn;
use heatstation_points::Fault;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_serial::{SerialPort, SerialStream};

use crate::common::{device, wire, word};
use crate::peer::{Question, TIMEOUT, bus, serial, signature, span};

/// A gateway with one slave behind it that answers in order, each answer as late as the script says for its number, on
/// whichever connection stands by then. What it was asked is written down.
async fn slow_gateway(
    late: impl Fn(usize) -> Duration + Send + 'static,
) -> (Transport, Arc<Mutex<Vec<(u8, u16, u16)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport =
        Transport::ModbusRtuOverTcp { dial: Dial::to(listener.local_addr().unwrap().to_string()), baud: 9_600 };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (questions, mut queue) = tokio::sync::mpsc::unbounded_channel::<Question>();
    let newest = Arc::new(tokio::sync::Mutex::new(None::<tokio::net::tcp::OwnedWriteHalf>));
    let to = Arc::clone(&newest);
    tokio::spawn(async move {
        let mut number = 0;
        while let Some(question) = queue.recv().await {
            sleep(late(number)).await;
            number += 1;
            if let Some(stream) = &mut *to.lock().await {
                let _ = stream.write_all(&question.frame(&question.truth(0))).await;
            }
        }
    });
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (mut from, writes) = stream.into_split();
            *newest.lock().await = Some(writes);
            while let Some(question) = Question::from(Framing::Rtu, &mut from).await {
                log.lock().unwrap().push((question.unit(), question.number(1), question.number(3)));
                questions.send(question).unwrap();
            }
        }
    });
    (transport, asked)
}

fn register(unit: u8, address: u16) -> Span {
    span(unit, Table::HoldingRegister, address, 2)
}

#[tokio::test]
async fn a_late_answer_does_not_shift_the_answers_after_it() {
    // The first answer comes when the second question has been asked: after time-out, reconnection and silence.
    let (transport, asked) = slow_gateway(|number| if number == 0 { TIMEOUT * 5 / 2 } else { Duration::ZERO }).await;
    let mut bus = bus(transport);
    bus.connect().await.unwrap();
    assert_eq!(bus.read(register(1, 30)).await, Err(BusError::Silent));
    let mut good = 0;
    for address in [40, 50, 60, 70] {
        if bus.connect().await.is_ok()
            && let Ok(words) = bus.read(register(1, address)).await
        {
            assert_eq!(words, [signature(1, 3, address), signature(1, 3, address + 1)], "of register {address}");
            good += 1;
        }
    }
    assert!(3 <= good, "{good} good reads");
    // What was asked after the silence looks different from what is still to come.
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], (1, 30, 2));
    assert_eq!(asked[1], (1, 40, 1), "no canary: {asked:?}");
}

#[tokio::test]
async fn a_unit_that_owes_an_answer_does_not_keep_its_neighbours_waiting_for_canaries() {
    let (transport, asked) = slow_gateway(|_| Duration::ZERO).await;
    let mut bus = bus(transport);
    bus.connect().await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_micros(1), bus.read(register(1, 30))).await;
    assert!(given_up.is_err() && !bus.is_connected());
    bus.connect().await.unwrap();
    assert_eq!(bus.read(register(2, 40)).await, Ok(vec![signature(2, 3, 40), signature(2, 3, 41)]));
    assert_eq!(bus.read(register(1, 30)).await, Ok(vec![signature(1, 3, 30), signature(1, 3, 31)]));
    let of_two: Vec<_> = asked.lock().unwrap().iter().copied().filter(|(unit, ..)| *unit == 2).collect();
    assert_eq!(of_two, [(2, 40, 2)]);
}

#[tokio::test]
async fn nothing_is_written_to_a_unit_that_owes_an_answer_before_it_has_given_one() {
    let (transport, asked) = slow_gateway(|number| if number == 0 { TIMEOUT * 4 } else { Duration::ZERO }).await;
    let mut bus = bus(transport);
    let write = Write::SingleRegister { address: 5, word: 7 };
    bus.connect().await.unwrap();
    assert_eq!(bus.write(1, &write).await, Err(BusError::Silent));
    bus.connect().await.unwrap();
    // What it is to hold is read first, and the echo that comes instead is seen to be that of the write before.
    assert!(matches!(bus.write(1, &write).await, Err(BusError::Nonsense(why)) if why.contains("function 6")));
    sleep(TIMEOUT * 8).await;
    bus.connect().await.unwrap();
    assert_eq!(bus.write(1, &write).await, Ok(()));
    let asked: Vec<(u16, u16)> = asked.lock().unwrap().iter().map(|(_, address, word)| (*address, *word)).collect();
    // The write, its canary, another canary, the write once more.
    assert_eq!(asked, [(5, 7), (5, 1), (5, 1), (5, 7)]);
}

#[tokio::test]
async fn nobody_is_asked_by_broadcast() {
    let (transport, asked) = slow_gateway(|_| Duration::ZERO).await;
    let mut bus = bus(transport);
    bus.connect().await.unwrap();
    assert_eq!(bus.read(register(0, 30)).await, Err(BusError::Refused(Refusal::Value)));
    let write = Write::SingleRegister { address: 5, word: 7 };
    assert_eq!(bus.write(0, &write).await, Err(BusError::Refused(Refusal::Value)));
    assert!(asked.lock().unwrap().is_empty());
}

/// A truthful slave on a port of its own, until it is stopped; the path of the port.
fn slave() -> (String, tokio::task::JoinHandle<()>) {
    let (mut master, line) = SerialStream::pair().unwrap();
    let path = line.name().unwrap();
    let task = tokio::spawn(async move {
        let _line = line;
        while let Some(question) = Question::from(Framing::Rtu, &mut master).await {
            master.write_all(&question.frame(&question.truth(0))).await.unwrap();
        }
    });
    (path, task)
}

#[tokio::test]
async fn a_serial_adapter_that_is_pulled_out_and_put_in_again_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("ttyUSB0");
    let (path, first) = slave();
    std::os::unix::fs::symlink(path, &link).unwrap();
    let mut settings = wire("", vec![device("meter", 1, vec![word(7, Duration::from_millis(5))])]);
    settings.transport = serial(link.to_str().unwrap());
    settings.timeout = TIMEOUT;
    settings.silence_after_failure = TIMEOUT;
    settings.reconnect_min = Duration::from_millis(20);
    settings.reconnect_max = Duration::from_millis(50);
    let wire = spawn(settings, Instant::now()).unwrap();
    let reads = |wire: &heatstation_drivers::WireHandle, good: bool| {
        let sample = wire.samples()[0];
        match sample.value {
            Ok(value) => good && value.number() == f64::from(signature(1, 3, 7)),
            Err(fault) => !good && fault == Fault::Silent,
        }
    };
    let until = async |what: &str, good: bool| {
        let end = Instant::now() + Duration::from_secs(10);
        while !reads(&wire, good) {
            assert!(Instant::now() < end, "{what}: {:?} {:?}", wire.samples(), wire.statistics());
            sleep(Duration::from_millis(5)).await;
        }
    };
    until("the first adapter", true).await;
    // Pulled out: the port is gone, and with it its name.
    std::fs::remove_file(&link).unwrap();
    first.abort();
    until("no adapter", false).await;
    let (path, _second) = slave();
    std::os::unix::fs::symlink(path, &link).unwrap();
    until("the second adapter", true).await;
    let statistics = wire.statistics();
    wire.stop().await;
    assert!(2 <= statistics.connections_total && 1 <= statistics.failures_total.unreachable, "{statistics:?}");
    assert!(1 <= statistics.failures_total.broken + statistics.failures_total.silent, "{statistics:?}");
}

#[tokio::test]
async fn noise_of_a_wrong_baud_rate_is_a_silent_device_with_counts_and_never_a_value() {
    let (mut master, line) = SerialStream::pair().unwrap();
    let mut settings = wire("", vec![device("meter", 1, vec![word(7, Duration::from_millis(5))])]);
    settings.transport = serial(&line.name().unwrap());
    settings.timeout = TIMEOUT;
    settings.silence_after_failure = Duration::from_millis(5);
    settings.reconnect_min = Duration::from_millis(2);
    settings.reconnect_max = Duration::from_millis(5);
    tokio::spawn(async move {
        let _line = line;
        // Every bit of the true answer read at half the speed: each comes twice, cut into characters anew.
        while let Some(question) = Question::from(Framing::Rtu, &mut master).await {
            let frame = question.frame(&question.truth(0));
            let doubled =
                |byte: u8| (0..8).fold(0_u16, |wide, bit| wide | (u16::from((byte >> bit) & 1) * 3) << (2 * bit));
            let noise: Vec<u8> = frame.into_iter().flat_map(|byte| doubled(byte).to_le_bytes()).collect();
            master.write_all(&noise).await.unwrap();
        }
    });
    let wire = spawn(settings, Instant::now()).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while wire.statistics().failures_total.nonsense < 5 {
        assert!(wire.samples()[0].value.is_err());
        assert!(Instant::now() < end, "{:?}", wire.statistics());
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(wire.samples()[0].value, Err(Fault::Silent));
    wire.stop().await;
}

#[tokio::test]
async fn a_line_that_is_never_silent_is_not_trusted_with_a_question() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport =
        Transport::ModbusRtuOverTcp { dial: Dial::to(listener.local_addr().unwrap().to_string()), baud: 9_600 };
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.write_all(&[0x55]).await.is_ok() {
            sleep(TIMEOUT / 5).await;
        }
    });
    let mut bus = bus(transport);
    let outcome = bus.connect().await;
    assert!(matches!(&outcome, Err(BusError::Unreachable { why, .. }) if why.contains("never silent")), "{outcome:?}");
}
