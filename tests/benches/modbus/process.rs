//! A client as a process of its own, and what it costs.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running client or server. Dropping it ends it.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Process {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, input, lines }
    }

    /// Its next line.
    pub fn line(&mut self) -> String {
        self.lines.next().and_then(Result::ok).unwrap_or_else(|| panic!("it ended early: {:?}", self.child.wait()))
    }

    /// Says something to it; its answer.
    pub fn ask(&mut self, word: &str) -> String {
        let input = self.input.as_mut().unwrap();
        // One write, so that it arrives as one: the server answers each piece.
        input.write_all(format!("{word}\n").as_bytes()).unwrap();
        self.line()
    }

    /// Processor seconds of all its threads so far: to the nanosecond by the scheduler, where the kernel tells; in
    /// hundredths of a second otherwise.
    pub fn cpu_seconds(&self) -> f64 {
        let folder = format!("/proc/{}/task", self.child.id());
        let tasks = fs::read_dir(folder).into_iter().flatten().flatten();
        let of = |text: String| text.split_whitespace().next()?.parse::<f64>().ok();
        // A thread may end while it is looked at.
        let nanoseconds: f64 =
            tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok().and_then(of)).sum();
        if nanoseconds > 0.0 { nanoseconds / 1e9 } else { self.ticks() / 100.0 }
    }

    fn ticks(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name in brackets may hold blanks; utime and stime are the 12th and 13th word behind it.
        let behind = stat.rsplit(')').next().unwrap();
        behind.split_whitespace().skip(11).take(2).map(|word| word.parse::<f64>().unwrap()).sum()
    }

    /// The most memory that it ever had, in MiB.
    pub fn peak_mebibytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
