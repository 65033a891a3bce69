//! Ways to reach a device beyond one address: a second address, IPv6, several units behind one socket, a device that
//! dials in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heatstation_drivers::bus::{Bus, BusError};
use heatstation_drivers::modbus::Modbus;
use heatstation_drivers::settings::{Backup, Dial, Framing, Listen, Table, Transport};
use heatstation_drivers::spawn;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::common::{device, wire, word};
use crate::peer::{Kind, Question, TIMEOUT, hostile, patient, signature, span};

/// Answers truthfully until the connection ends, or the script has had enough.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, framing: Framing, most: u64, served: &AtomicU64) {
    while served.load(Ordering::SeqCst) < most
        && let Some(question) = Question::from(framing, &mut stream).await
    {
        served.fetch_add(1, Ordering::SeqCst);
        if stream.write_all(&question.frame(&question.truth(0))).await.is_err() {
            return;
        }
    }
}

/// A truthful Modbus TCP server at this address; how many connections it has had.
fn truthful(listener: TcpListener) -> (tokio::task::JoinHandle<()>, Arc<AtomicU64>) {
    let connections = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            open.spawn(async move { serve(stream, Framing::Mbap, u64::MAX, &AtomicU64::new(0)).await });
        }
    });
    (task, connections)
}

async fn reads_register_7(bus: &mut Modbus) -> bool {
    let asked = span(1, Table::HoldingRegister, 7, 1);
    bus.connect().await.is_ok() && bus.read(asked).await == Ok(vec![signature(1, 3, 7)])
}

#[tokio::test]
async fn ten_units_behind_one_socket_share_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_server, connections) = truthful(listener);
    let units = 1..=10_u8;
    let devices =
        units.clone().map(|unit| device(&format!("m{unit}"), unit, vec![word(7, Duration::from_millis(5))])).collect();
    let wire = spawn(wire(&address, devices), Instant::now()).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while wire.statistics().requests_total < 200 {
        assert!(Instant::now() < end, "{:?}", wire.statistics());
        sleep(Duration::from_millis(5)).await;
    }
    for (unit, sample) in units.zip(wire.samples()) {
        assert_eq!(sample.value.unwrap().number(), f64::from(signature(unit, 3, 7)), "unit {unit}");
    }
    wire.stop().await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_wire_on_each_kind_of_line_is_read_at_the_same_time() {
    let mut peers = Vec::new();
    let mut wires = Vec::new();
    for kind in [Kind::Tcp, Kind::Tls, Kind::RtuOverTcp, Kind::Serial] {
        let peer = hostile(kind, 7).await;
        let devices = (1..=2).map(|unit| device(&format!("m{unit}"), unit, vec![word(7, Duration::from_millis(5))]));
        let mut settings = wire("", devices.collect());
        settings.transport = peer.transport.clone();
        (settings.timeout, settings.silence_after_failure) = (TIMEOUT, TIMEOUT);
        (settings.reconnect_min, settings.reconnect_max) = (Duration::from_millis(2), Duration::from_millis(10));
        wires.push((kind, spawn(settings, Instant::now()).unwrap()));
        peers.push(peer);
    }
    let end = Instant::now() + Duration::from_secs(20);
    for (kind, wire) in &wires {
        let mut good = [0; 2];
        while good.contains(&0) {
            assert!(Instant::now() < end, "{kind:?}: {:?}", wire.statistics());
            sleep(Duration::from_millis(2)).await;
            for ((unit, good), sample) in (1..).zip(&mut good).zip(wire.samples()) {
                if let Ok(value) = sample.value {
                    *good += 1;
                    assert_eq!(value.number(), f64::from(signature(unit, 3, 7)), "{kind:?}, unit {unit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_device_is_reached_over_ipv6() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (_server, _) = truthful(listener);
    assert!(reads_register_7(&mut patient(Transport::modbus_tcp(address))).await);
}

#[tokio::test]
async fn the_second_address_serves_while_the_first_is_gone_and_the_first_again_after_the_stated_time() {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let first_address = first.local_addr().unwrap();
    let second = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backup = Backup { address: second.local_addr().unwrap().to_string(), return_after: Duration::from_millis(300) };
    let (_second, at_second) = truthful(second);
    drop(first);
    let dial = Dial { address: first_address.to_string(), backup: Some(backup) };
    let mut bus = patient(Transport::ModbusTcp(dial));
    assert!(reads_register_7(&mut bus).await);
    assert_eq!(at_second.load(Ordering::SeqCst), 1);

    // The first is back. Within the time a reconnect stays with the second, after it it goes back to the first.
    let (_first, at_first) = truthful(TcpListener::bind(first_address).await.unwrap());
    bus.disconnect();
    assert!(reads_register_7(&mut bus).await);
    assert_eq!((at_first.load(Ordering::SeqCst), at_second.load(Ordering::SeqCst)), (0, 2));
    sleep(Duration::from_millis(310)).await;
    // A connection that stands is left alone.
    assert!(reads_register_7(&mut bus).await);
    assert_eq!((at_first.load(Ordering::SeqCst), at_second.load(Ordering::SeqCst)), (0, 2));
    bus.disconnect();
    assert!(reads_register_7(&mut bus).await);
    assert_eq!((at_first.load(Ordering::SeqCst), at_second.load(Ordering::SeqCst)), (1, 2));
}

/// A port that nobody uses, on loopback.
async fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

fn door(address: &str, framing: Framing) -> Listen {
    Listen { address: address.to_owned(), framing, baud: 9_600, peers: Vec::new(), registration: None, heartbeat: None }
}

/// Begins to listen.
async fn open(bus: &mut Modbus) {
    // A connection is made when the device dials in; the door stays open when nobody waits behind it.
    assert!(tokio::time::timeout(TIMEOUT, bus.connect()).await.is_err(), "somebody is there already");
}

/// Dials in as soon as somebody listens.
async fn dials(address: &str) -> TcpStream {
    for _ in 0..500 {
        if let Ok(stream) = TcpStream::connect(address).await {
            return stream;
        }
        sleep(Duration::from_millis(2)).await;
    }
    panic!("nobody listens at {address}");
}

#[tokio::test]
async fn a_device_that_dials_in_is_read_in_either_framing() {
    for framing in [Framing::Mbap, Framing::Rtu] {
        let address = free_port().await;
        let mut bus = patient(Transport::Listen(door(&address, framing)));
        open(&mut bus).await;
        let stream = dials(&address).await;
        tokio::spawn(async move { serve(stream, framing, u64::MAX, &AtomicU64::new(0)).await });
        assert!(reads_register_7(&mut bus).await, "{framing:?}");
    }
}

#[tokio::test]
async fn a_device_that_dials_in_late_is_let_in_at_once_and_not_at_the_next_attempt() {
    let address = free_port().await;
    let mut settings = wire(&address, vec![device("meter", 1, vec![word(7, Duration::from_millis(20))])]);
    settings.transport = Transport::Listen(door(&address, Framing::Mbap));
    settings.timeout = TIMEOUT;
    (settings.reconnect_min, settings.reconnect_max) = (Duration::from_secs(50), Duration::from_secs(60));
    let wire = spawn(settings, Instant::now()).unwrap();
    while wire.statistics().failures_total.unreachable == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let stream = dials(&address).await;
    tokio::spawn(async move { serve(stream, Framing::Mbap, u64::MAX, &AtomicU64::new(0)).await });
    let began = Instant::now();
    while wire.samples()[0].value.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "kept at the door");
        sleep(Duration::from_millis(5)).await;
    }
    wire.stop().await;
}

#[tokio::test]
async fn the_newest_connection_of_a_device_takes_the_place_of_one_that_stands_open_and_dead() {
    let address = free_port().await;
    let mut bus = patient(Transport::Listen(door(&address, Framing::Mbap)));
    open(&mut bus).await;
    let dead = dials(&address).await;
    bus.connect().await.unwrap();
    let alive = dials(&address).await;
    tokio::spawn(async move { serve(alive, Framing::Mbap, u64::MAX, &AtomicU64::new(0)).await });
    sleep(TIMEOUT * 4).await;
    // Not even a time-out is lost on the dead one.
    let asked = span(1, Table::HoldingRegister, 7, 1);
    assert!(matches!(bus.read(asked).await, Err(BusError::Broken(why)) if why.contains("anew")));
    assert!(reads_register_7(&mut bus).await);
    drop(dead);
}

#[tokio::test]
async fn only_who_says_the_right_words_from_the_right_place_is_let_in() {
    let address = free_port().await;
    let listen = Listen { registration: Some(b"K12\r\n".to_vec()), ..door(&address, Framing::Mbap) };
    let mut known = patient(Transport::Listen(listen.clone()));
    open(&mut known).await;
    for (words, is_let_in) in [(&b"K13\r\n"[..], false), (b"K12\r\n", true)] {
        let mut stream = dials(&address).await;
        stream.write_all(words).await.unwrap();
        tokio::spawn(async move { serve(stream, Framing::Mbap, u64::MAX, &AtomicU64::new(0)).await });
        let read = tokio::time::timeout(TIMEOUT * 20, reads_register_7(&mut known)).await.unwrap_or(false);
        assert_eq!(read, is_let_in, "{words:?}");
    }
    let elsewhere = free_port().await;
    let listen = Listen { peers: vec!["192.0.2.1".parse().unwrap()], ..door(&elsewhere, Framing::Mbap) };
    let mut guarded = patient(Transport::Listen(listen));
    open(&mut guarded).await;
    let _stranger = dials(&elsewhere).await;
    assert!(tokio::time::timeout(TIMEOUT * 10, guarded.connect()).await.is_err());
}

#[tokio::test]
async fn a_crowd_at_the_door_neither_grows_without_bound_nor_keeps_the_device_out_for_long() {
    let address = free_port().await;
    let listen = Listen { registration: Some(b"K12".to_vec()), ..door(&address, Framing::Mbap) };
    let mut bus = patient(Transport::Listen(listen));
    open(&mut bus).await;
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(dials(&address).await);
    }
    sleep(TIMEOUT * 8).await;
    // All but eight were sent away at once.
    let mut sent_away = 0;
    for stream in &crowd {
        let is_closed = matches!(stream.try_read(&mut [0]), Ok(0));
        sent_away += i32::from(is_closed);
    }
    assert_eq!(sent_away, 32);
    drop(crowd);
    sleep(TIMEOUT * 4).await;
    let mut stream = dials(&address).await;
    stream.write_all(b"K12").await.unwrap();
    tokio::spawn(async move { serve(stream, Framing::Mbap, u64::MAX, &AtomicU64::new(0)).await });
    assert!(reads_register_7(&mut bus).await);
}

#[tokio::test]
async fn the_heartbeat_of_a_modem_is_passed_over_between_and_before_answers() {
    let address = free_port().await;
    let listen = Listen { heartbeat: Some(b"beat!".to_vec()), ..door(&address, Framing::Rtu) };
    let mut bus = patient(Transport::Listen(listen));
    open(&mut bus).await;
    let mut stream = dials(&address).await;
    tokio::spawn(async move {
        for number in 0_u64.. {
            let question = Question::from(Framing::Rtu, &mut stream).await.unwrap();
            let answer = question.frame(&question.truth(0));
            let (before, after): (&[u8], &[u8]) = if number % 2 == 0 { (b"beat!", b"") } else { (b"", b"beat!beat!") };
            stream.write_all(&[before, &answer].concat()).await.unwrap();
            sleep(TIMEOUT / 5).await;
            stream.write_all(after).await.unwrap();
        }
    });
    bus.connect().await.unwrap();
    for address in 0..10 {
        let asked = span(1, Table::HoldingRegister, address, 1);
        assert_eq!(bus.read(asked).await, Ok(vec![signature(1, 3, address)]));
        sleep(TIMEOUT / 2).await;
    }
}
