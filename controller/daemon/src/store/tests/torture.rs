//! Killed at any moment, the store opens again with every record that it acknowledged.
//!
//! The child is this test binary, called anew with one test and an environment variable. `HEATSTATION_TORTURE_ROUNDS`
//! asks for more rounds, `HEATSTATION_TORTURE_SEED` for others.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const CHILD_FOLDER: &str = "HEATSTATION_TORTURE_FOLDER";

pub(super) fn rounds(default: usize) -> usize {
    std::env::var("HEATSTATION_TORTURE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

/// The child: appends for ever and says what was acknowledged. Without the variable it is no test at all.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD_FOLDER) else { return };
    let store = open(Path::new(&folder));
    let layout = Layout::new((0..20).map(|number| HistoryPoint { name: format!("point.{number}"), resolution: 0.1 }));
    let mut out = std::io::stdout();
    writeln!(out, "open {}", store.opening().head.map_or(0, |head| head.sequence)).unwrap();
    for cycle in 0.. {
        let records: Vec<_> = (0..=cycle % 3).map(event).collect();
        // Telemetry, checkpoints and signs of life go in between, as fast as they can: sealing is under fire as well.
        for _ in 0..40 {
            let values = vec![Some(20.0 + (cycle % 10) as f64); 20];
            store.record(HistoryRow { layout: layout.clone(), wall_milliseconds: at(cycle).wall_milliseconds, values });
        }
        store.checkpoint(at(cycle * 11), cycle.to_le_bytes().repeat(100)).unwrap();
        store.alive(at(cycle * 31));
        let durable = store.append(records).wait().expect("kept");
        // The pipe is the witness: what was written to it was said before the kill.
        writeln!(out, "kept {}", durable.last).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn killed_at_any_moment_it_opens_with_every_acknowledged_record() {
    let seed: u64 = std::env::var("HEATSTATION_TORTURE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let folder = tempfile::tempdir().unwrap();
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut acknowledged: u64 = 0;
    for round in 0..rounds(40) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let wait = Duration::from_millis(1 + dice % 80);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::torture::child", "--nocapture", "--test-threads=1"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(wait);
        child.kill().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        for line in output.lines().map_while(Result::ok) {
            if let Some(last) = line.strip_prefix("kept ") {
                acknowledged = last.parse().unwrap();
            } else if let Some((_, first)) = line.split_once("open ") {
                let first: u64 = first.parse().unwrap();
                assert!(first >= acknowledged, "seed {seed} round {round}: opened at {first}, {acknowledged} was kept");
            }
        }
        child.wait().unwrap();

        let story = format!("seed {seed} round {round} after {wait:?}");
        match verify(folder.path(), None) {
            Verdict::Sound { records, .. } => assert!(records >= acknowledged, "{story}: {records} < {acknowledged}"),
            Verdict::Unreadable { .. } if acknowledged == 0 => {}
            other => panic!("{story}: {other:?}"),
        }
        if round % 8 == 7 {
            let store = open(folder.path());
            assert_eq!(store.opening().journal_regressed, None, "{story}");
            assert_eq!(store.opening().damaged_groups, 0, "{story}");
            assert!(!matches!(store.opening().checkpoint, CheckpointAtStart::Damaged { .. }), "{story}");
            let range = store.reader().unwrap().range(&["point.3"], i64::MIN, i64::MAX, 100).unwrap();
            assert_eq!(range.damaged_blocks, 0, "{story}");
            close(&store);
        }
    }
    assert!(acknowledged > 0, "the child never came to write: nothing was tested");
}
