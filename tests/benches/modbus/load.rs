//! Flat out and at equal load.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use crate::peers::{Peer, Peers};
use crate::process::Process;
use crate::{Plan, middle};

/// Words in a question: a usual block, the longest, and the shortest.
const COUNTS: [u64; 3] = [50, 125, 1];

fn number(tally: &Json, key: &str) -> f64 {
    tally[key].as_f64().unwrap_or_else(|| panic!("{key} of {tally}"))
}

fn shown((median, least, greatest): (f64, f64, f64), digits: usize) -> String {
    format!("{median:.digits$} [{least:.digits$} … {greatest:.digits$}]")
}

/// One connection, one question after the other.
pub fn flat_out(plan: &Plan, peers: &Peers) -> String {
    let clients = peers.of(&[Peer::Ours, Peer::Libmodbus, Peer::Pymodbus]);
    let mut text = format!(
        "### Flat out\n\nOne connection, one question after the other, {} passes of {} s, interleaved: median [least … \
         greatest].\n\n| words in a question | client | questions/s | words/s | against libmodbus | processor s per 10⁶ words |\n\
         |---|---|---|---|---|---|\n",
        plan.passes, plan.seconds
    );
    for count in COUNTS {
        let mut rates: Vec<Vec<f64>> = vec![Vec::new(); clients.len()];
        let mut costs = rates.clone();
        let (_server, port) = peers.server();
        for _ in 0..plan.passes {
            for (place, &peer) in clients.iter().enumerate() {
                let mut client = peers.client(peer, "flat", port, &[count, plan.seconds]);
                assert_eq!(client.line(), "ready");
                let before = client.cpu_seconds();
                let tally: Json = serde_json::from_str(&client.line()).unwrap();
                let spent = client.cpu_seconds() - before;
                assert!(
                    number(&tally, "wrong") + number(&tally, "stale") + number(&tally, "failed") == 0.0,
                    "{}: {tally}",
                    peer.name()
                );
                rates[place].push(number(&tally, "requests") / number(&tally, "seconds"));
                costs[place].push(spent / number(&tally, "values") * 1e6);
            }
        }
        let base = clients.iter().position(|&peer| peer == Peer::Libmodbus);
        for (place, peer) in clients.iter().enumerate() {
            let against =
                base.map(|base| rates[place].iter().zip(&rates[base]).map(|(rate, base)| rate / base).collect());
            let against = against.map_or("-".to_owned(), |ratios: Vec<f64>| shown(middle(&ratios), 2));
            let words: Vec<f64> = rates[place].iter().map(|rate| rate * count as f64).collect();
            let _ = writeln!(
                text,
                "| {count} | {} | {} | {:.0} | {against} | {} |",
                peer.name(),
                shown(middle(&rates[place]), 0),
                middle(&words).0,
                shown(middle(&costs[place]), 3)
            );
        }
    }
    text + "\n"
}

/// What one pass of one client came to.
struct Pass {
    cpu_per_million: f64,
    peak: f64,
    questions: f64,
    missed: f64,
    late: f64,
    wrong: f64,
    stale: f64,
}

/// What the server has counted since it was last asked.
struct Counted {
    requests: f64,
    words: f64,
    missed: f64,
    late: f64,
}

fn counted(server: &mut Process, word: &str) -> Counted {
    let answer = server.ask(word);
    let numbers: Vec<f64> = answer.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert!(word == "new" || numbers[1] > 0.0, "the server was asked for nothing");
    Counted { requests: numbers[0], words: numbers[1], missed: numbers[2], late: numbers[3] }
}

/// The same points each second.
pub fn equal(plan: &Plan, peers: &Peers, folder: &Path) -> String {
    let clients = peers.of(&[Peer::Ours, Peer::Libmodbus, Peer::Pymodbus, Peer::Collectd]);
    let mut passes: Vec<Vec<Pass>> = clients.iter().map(|_| Vec::new()).collect();
    let (mut server, port) = peers.server();
    for _ in 0..plan.passes {
        for (place, &peer) in clients.iter().enumerate() {
            passes[place].push(match peer {
                Peer::Collectd => of_collectd(plan, peers, &mut server, port, folder),
                Peer::Ours | Peer::Libmodbus | Peer::Pymodbus => of_client(plan, peers, peer, &mut server, port),
            });
        }
    }
    table(plan, &clients, &passes)
}

fn of_client(plan: &Plan, peers: &Peers, peer: Peer, server: &mut Process, port: u16) -> Pass {
    let _ = counted(server, "new");
    let numbers = [plan.connections as u64, plan.points as u64, plan.seconds];
    let mut client = peers.client(peer, "load", port, &numbers);
    assert_eq!(client.line(), "ready");
    let before = client.cpu_seconds();
    let tally: Json = serde_json::from_str(&client.line()).unwrap();
    let spent = client.cpu_seconds() - before;
    let counted = counted(server, "count");
    assert!(number(&tally, "failed") == 0.0, "{}: {tally}", peer.name());
    Pass {
        cpu_per_million: spent / counted.words * 1e6,
        peak: client.peak_mebibytes(),
        questions: counted.requests / plan.seconds as f64,
        missed: counted.missed / counted.words,
        late: counted.late / counted.words,
        wrong: number(&tally, "wrong"),
        stale: number(&tally, "stale"),
    }
}

/// collectd says nothing of itself. What it costs is measured while it writes nothing; what it reads is judged in a run of
/// its own, in which it writes.
fn of_collectd(plan: &Plan, peers: &Peers, server: &mut Process, port: u16, folder: &Path) -> Pass {
    let _ = counted(server, "new");
    let collectd = peers.collectd(port, plan.connections, plan.points, None);
    std::thread::sleep(Duration::from_secs(3));
    let _ = counted(server, "count");
    let before = collectd.cpu_seconds();
    std::thread::sleep(Duration::from_secs(plan.seconds));
    let counted = counted(server, "count");
    let spent = collectd.cpu_seconds() - before;
    let peak = collectd.peak_mebibytes();
    drop(collectd);

    let into = folder.join("csv");
    let writing = peers.collectd(port, plan.connections, plan.points, Some(&into));
    std::thread::sleep(Duration::from_secs(8));
    drop(writing);
    let (wrong, stale) = judge(&into, plan);
    std::fs::remove_dir_all(&into).unwrap();
    Pass {
        cpu_per_million: spent / counted.words * 1e6,
        peak,
        questions: counted.requests / plan.seconds as f64,
        missed: counted.missed / counted.words,
        late: counted.late / counted.words,
        wrong,
        stale,
    }
}

/// Values that are not their register's, and those that are older than their own time says.
fn judge(folder: &Path, plan: &Plan) -> (f64, f64) {
    let (mut wrong, mut stale, mut values) = (0, 0, 0);
    let by_point: BTreeMap<String, u64> = (0..plan.points as u64).map(|point| (format!("-p{point}-"), point)).collect();
    for unit in 1..=plan.connections as u64 {
        // host/plugin-instance/type-instance-date
        let files = std::fs::read_dir(folder.join(format!("s{unit}/modbus-u{unit}"))).into_iter().flatten().flatten();
        for file in files {
            let name = file.file_name().to_string_lossy().into_owned();
            let point =
                by_point.iter().find(|(part, _)| name.contains(part.as_str())).map(|(_, point)| *point).unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            // The last line may be half written.
            for line in text.lines().skip(1).filter(|line| text.ends_with('\n') || !text.ends_with(line)) {
                let (time, value) = line.split_once(',').unwrap();
                let (time, word) = (time.parse::<f64>().unwrap() as u64, value.parse::<f64>().unwrap() as u64);
                values += 1;
                wrong += u64::from(word >> 8 != (point + 37 * unit) & 0xff);
                stale += u64::from((time.wrapping_sub(word & 0xff).wrapping_add(2) & 0xff) > 4);
            }
        }
    }
    assert!(values > 0, "collectd has written nothing into {}", folder.display());
    (wrong as f64, stale as f64)
}

fn table(plan: &Plan, clients: &[Peer], passes: &[Vec<Pass>]) -> String {
    let mut text = format!(
        "### Equal load\n\n{} connections of {} points each, every point once a second; {} passes of {} s, interleaved: median \
         [least … greatest]. Missed and late (by more than 100 ms) are counted by the server, as shares of all reads of a \
         register; wrong and stale values by their signature.\n\n| client | processor s per 10⁶ points | times ours | most \
         memory, MiB | questions/s | missed | late | wrong | stale |\n|---|---|---|---|---|---|---|---|---|\n",
        plan.connections, plan.points, plan.passes, plan.seconds
    );
    let base = clients.iter().position(|&peer| peer == Peer::Ours).unwrap();
    for (place, peer) in clients.iter().enumerate() {
        let each = |what: fn(&Pass) -> f64| middle(&passes[place].iter().map(what).collect::<Vec<_>>());
        let pairs = passes[place].iter().zip(&passes[base]);
        let ratios: Vec<f64> = pairs.map(|(one, ours)| one.cpu_per_million / ours.cpu_per_million).collect();
        let sum = |what: fn(&Pass) -> f64| passes[place].iter().map(what).sum::<f64>();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.1} | {:.0} | {:.3} % | {:.3} % | {:.0} | {:.0} |",
            peer.name(),
            shown(each(|pass| pass.cpu_per_million), 2),
            shown(middle(&ratios), 1),
            each(|pass| pass.peak).2,
            each(|pass| pass.questions).0,
            each(|pass| pass.missed).0 * 100.0,
            each(|pass| pass.late).0 * 100.0,
            sum(|pass| pass.wrong),
            sum(|pass| pass.stale),
        );
    }
    text + "\n"
}
