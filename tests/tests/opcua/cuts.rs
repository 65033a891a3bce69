//! Servers that go away and lines that break.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heatstation_drivers::output::OutputState;
use heatstation_points::Fault;
use serde_json::json;

use crate::rig::{Line, Rig};

const SOON: Duration = Duration::from_secs(10);
/// Values are good again this long after a server is back: the longest wait between attempts in these stations (1 s), a
/// session with its keys in a program built for tests, and one read.
const BACK_WITHIN: Duration = Duration::from_secs(6);
/// After a cut alone the way back is tried at once.
const CUT_WITHIN: Duration = Duration::from_secs(6);

/// A line between the two that can be cut. It holds no data: what is under way at a cut is lost.
struct Proxy {
    port: u16,
    live: Arc<Mutex<Vec<TcpStream>>>,
    stopped: Arc<AtomicBool>,
    mute: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
}

impl Proxy {
    fn before(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            live: Arc::default(),
            stopped: Arc::default(),
            mute: Arc::default(),
            made: Arc::default(),
        };
        let (live, stopped) = (Arc::clone(&proxy.live), Arc::clone(&proxy.stopped));
        let (mute, made) = (Arc::clone(&proxy.mute), Arc::clone(&proxy.made));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", target))) else { continue };
                made.fetch_add(1, Ordering::Relaxed);
                let mut all = live.lock().unwrap();
                all.extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                drop(all);
                carry(near.try_clone().unwrap(), far.try_clone().unwrap(), Arc::default());
                carry(far, near, Arc::clone(&mute));
            }
        });
        proxy
    }

    fn cut(&self) {
        for stream in self.live.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.cut();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Carries bytes one way until either end is gone; while it is mute, it swallows them.
fn carry(mut from: TcpStream, mut to: TcpStream, mute: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if !mute.load(Ordering::Relaxed) && to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_server_that_restarts_with_its_namespaces_renumbered_is_read_right_again() {
    let mut rig = Rig::start();
    rig.trust();
    let mut line = Line::start(rig.station(rig.port, ""));
    line.wish("circuit.low-zone.valve.position", 0.413);
    line.until("values", SOON, Line::all_as_first);
    line.until("confirmed", SOON, |line| line.state("circuit.low-zone.valve.position") == OutputState::Confirmed);
    rig.tell(&json!({ "stop": true }));
    line.until("the gap shows", SOON, |line| line.value("primary_supply.temperature") == Err(Fault::Silent));
    assert!(!line.wire.statistics().is_connected);
    // Nodes of the same names stand under the old number now, with other values; the valve was moved meanwhile.
    rig.tell(&json!({ "start": { "shift": true } }));
    rig.set("Valve", 0.1);
    let took = line.until("right again", BACK_WITHIN, Line::all_as_first);
    line.until("the command is back", SOON, |line| {
        line.state("circuit.low-zone.valve.position") == OutputState::Confirmed
    });
    assert!((rig.held("Valve") - 0.413).abs() < 1e-6);
    // The subscription is alive too, not only the first reading.
    rig.set("Tps", 70.5);
    line.until("changes come", SOON, |line| line.value("primary_supply.temperature") == Ok(70.5));
    let statistics = line.wire.statistics();
    assert!(statistics.gaps_total >= 1 && statistics.connections_total >= 2, "{statistics:?}");
    assert!(took < BACK_WITHIN);
    line.stop();
}

#[test]
fn a_line_that_flaps_never_shows_an_old_value_as_good() {
    flap(4, Duration::from_millis(300));
}

/// An hour of flapping, compressed: a cut each 300 to 700 ms.
#[test]
#[ignore = "campaign: cargo test -p heatstation-tests --test opcua -- --ignored an_hour_of_flapping"]
fn an_hour_of_flapping_compressed_never_shows_an_old_value_as_good() {
    flap(60, Duration::from_millis(100));
}

/// Cuts the line so many times; while it is cut the value changes, and after each cut the new one comes.
fn flap(cuts: u32, pause: Duration) {
    let mut rig = Rig::start();
    rig.trust();
    let proxy = Proxy::before(rig.port);
    let mut line = Line::start(rig.station(proxy.port, ""));
    line.until("values", SOON, Line::all_as_first);
    let mut longest = Duration::ZERO;
    for cut in 0..cuts {
        let wanted = 60.0 + f64::from(cut % 40) * 0.5;
        proxy.cut();
        rig.set("Tps", wanted);
        let since = Instant::now();
        let took = line.until("the value of after the cut", CUT_WITHIN, |line| {
            line.value("primary_supply.temperature") == Ok(wanted)
        });
        longest = longest.max(took);
        // And it stays so: no notification of before comes after it.
        std::thread::sleep(pause);
        assert_eq!(line.value("primary_supply.temperature"), Ok(wanted), "{:?} after the cut", since.elapsed());
    }
    rig.set("Tps", 90.5);
    line.until("all as at first", SOON, Line::all_as_first);
    let statistics = line.wire.statistics();
    assert!(statistics.gaps_total >= u64::from(cuts) / 2, "{statistics:?}");
    // Whoever sees this run wants to know how long the longest gap was.
    eprintln_longest(longest, cuts, proxy.made.load(Ordering::Relaxed));
    line.stop();
}

#[allow(clippy::print_stderr, reason = "the figure of a campaign")]
fn eprintln_longest(longest: Duration, cuts: u32, connections: u64) {
    eprintln!("{cuts} cuts, {connections} connections, longest way back {longest:?}");
}

#[test]
fn a_line_that_takes_bytes_and_gives_none_is_given_up_and_values_age_meanwhile() {
    let rig = Rig::start();
    rig.trust();
    let proxy = Proxy::before(rig.port);
    let mut line = Line::start(rig.station(proxy.port, "timeout_milliseconds = 500"));
    line.until("values", SOON, Line::all_as_first);
    proxy.mute.store(true, Ordering::Relaxed);
    line.until("it shows", SOON, |line| line.value("primary_supply.temperature") == Err(Fault::Silent));
    proxy.mute.store(false, Ordering::Relaxed);
    line.until("back", SOON, Line::all_as_first);
    line.stop();
}
