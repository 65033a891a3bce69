//! What a day writes to the disk, and the station that is written.

use std::fs;
use std::process::Command;

use super::*;

/// A station of 150 points, with telemetry as devices deliver it.
pub(super) struct Station {
    layout: Layout,
}

#[derive(Clone, Copy)]
enum Kind {
    Temperature,
    Room,
    Pressure,
    Flow,
    Position,
    Counter,
    Switch,
}

impl Kind {
    fn of(point: usize) -> Kind {
        match point {
            0..40 => Kind::Temperature,
            40..100 => Kind::Room,
            100..120 => Kind::Pressure,
            120..126 => Kind::Flow,
            126..134 => Kind::Position,
            134..138 => Kind::Counter,
            _ => Kind::Switch,
        }
    }

    fn resolution(self) -> f64 {
        match self {
            Kind::Temperature | Kind::Room => 0.1,
            Kind::Pressure => 100.0,
            Kind::Flow => 1e-5,
            Kind::Position => 0.001,
            Kind::Counter => 1e6,
            Kind::Switch => 1.0,
        }
    }

    fn value(self, point: usize, index: i64, noise: f64) -> Option<f64> {
        let hours = index as f64 / 360.0;
        let day = (hours / 24.0 * std::f64::consts::TAU + point as f64).sin();
        let loop_wave = (hours * 4.0 * std::f64::consts::TAU + point as f64).sin();
        Some(match self {
            Kind::Temperature => 50.0 + 5.0 * day + 0.8 * loop_wave + 0.12 * noise,
            // One room in ten is silent for hours.
            Kind::Room if point % 10 == 3 && (index / 700) % 3 == 1 => return None,
            Kind::Room => 20.5 + 0.7 * day + 0.05 * noise,
            Kind::Pressure => 431_000.0 + 9_000.0 * day + 900.0 * noise,
            Kind::Flow => 0.0172 + 0.001 * loop_wave + 0.000_12 * noise,
            Kind::Position => 0.42 + 0.1 * loop_wave + 0.002 * noise,
            Kind::Counter => 4.2e12 + index as f64 * 1.9e7 + 2e6 * noise,
            Kind::Switch => f64::from(u8::from((index / 900 + point as i64) % 7 < 5)),
        })
    }
}

impl Station {
    pub fn new() -> Station {
        let points = (0..150).map(|point| HistoryPoint {
            name: format!("circuit.low-zone.some.point.{point}"),
            resolution: Kind::of(point).resolution(),
        });
        Station { layout: Layout::new(points) }
    }

    pub fn points(&self) -> usize {
        self.layout.points().len()
    }

    pub fn row(&self, start: i64, index: i64) -> HistoryRow {
        let values = (0..self.points())
            .map(|point| {
                // The sum of a few hashes is near enough to a bell curve of deviation 1.
                let mut hash = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (point as u64) << 32 | 1;
                let mut noise = -6.0;
                for _ in 0..12 {
                    hash ^= hash << 13;
                    hash ^= hash >> 7;
                    hash ^= hash << 17;
                    noise += (hash >> 11) as f64 / (1_u64 << 53) as f64;
                }
                Kind::of(point).value(point, index, noise)
            })
            .collect();
        HistoryRow { layout: self.layout.clone(), wall_milliseconds: start + index * 10_000, values }
    }
}

const CHILD_FOLDER: &str = "HEATSTATION_BUDGET_FOLDER";
const BUDGET_BYTES: u64 = 200_000_000;

fn written() -> Option<u64> {
    let counters = fs::read_to_string("/proc/self/io").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.trim().parse().ok()
}

/// A process of its own, since the kernel counts by process. One day: a row each 10 s, a checkpoint of 8 KB offered
/// each second, a sign of life each second, and 600 events, each in a batch of its own. Commits are as many as in a
/// real day, because the store counts rows and the caller's time, not its own.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD_FOLDER) else { return };
    let before = written();
    let store = open(Path::new(&folder));
    let station = Station::new();
    for second in 0..86_400_u64 {
        if second % 10 == 0 {
            store.record(station.row(0, second as i64 / 10));
        }
        store.alive(at(second));
        store.checkpoint(at(second), second.to_le_bytes().repeat(1024)).unwrap();
        // The writer has to see each second, or it would skip signs of life that a real day writes.
        if second % 30 == 0 {
            until("the writer has caught up", || store.mailbox.is_taken());
        }
        if second % 144 == 0 {
            store.append(vec![event(second)]).wait().unwrap();
        }
    }
    close(&store);
    drop(store);
    let spent = written().zip(before).map_or(0, |(after, before)| after - before);
    fs::write(Path::new(&folder).join("written"), spent.to_string()).unwrap();
}

#[test]
fn a_day_writes_at_most_200_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::budget::child", "--test-threads=1"])
        .env(CHILD_FOLDER, folder.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let spent: u64 = fs::read_to_string(folder.path().join("written")).unwrap().parse().unwrap();
    let mut out = std::io::stdout();
    std::io::Write::write_fmt(&mut out, format_args!("a day writes {spent} bytes\n")).unwrap();
    assert!(spent <= BUDGET_BYTES, "{spent}");
    // A file system in memory counts nothing; then there is nothing to judge.
    assert!(spent == 0 || spent > 1_000_000, "{spent}: the day was not written");
}
