//! Python helpers of the tests: programs that we did not write, or that an outside engineer would write.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value as Json;

use crate::program::root;

/// The Python of the tests, as `./run-tests` sets it up; the machine's own otherwise.
pub fn python() -> PathBuf {
    std::env::var_os("HEATSTATION_TEST_PYTHON").map_or_else(
        || {
            let beside = root().join("target/test-venv/bin/python");
            if beside.exists() { beside } else { PathBuf::from("python3") }
        },
        PathBuf::from,
    )
}

/// A script of `tests/python`.
pub fn script(name: &str) -> PathBuf {
    root().join("tests/python").join(name)
}

/// A script that answers one line of JSON to each line. Dropping it kills it.
pub struct Conversation {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    /// Starts a script; its first line.
    ///
    /// # Panics
    /// If it cannot be started or says nothing; the machine may lack what `./run-tests` installs.
    pub fn start(name: &str, arguments: &[&str]) -> (Conversation, Json) {
        let mut child = Command::new(python())
            .arg(script(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python can be started");
        let input = child.stdin.take().expect("stdin is a pipe");
        let output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut conversation = Conversation { child, input, output };
        let first = conversation.line();
        (conversation, first)
    }

    /// Asks; the answer.
    ///
    /// # Panics
    /// If it has ended.
    pub fn ask(&mut self) -> Json {
        self.say("")
    }

    /// Tells it something; the answer.
    ///
    /// # Panics
    /// If it has ended.
    pub fn tell(&mut self, order: &Json) -> Json {
        self.say(&order.to_string())
    }

    fn say(&mut self, line: &str) -> Json {
        self.input.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.input.flush()).expect("it listens");
        self.line()
    }

    /// What it says next without being asked.
    ///
    /// # Panics
    /// If it has ended.
    pub fn hear(&mut self) -> Json {
        self.line()
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the script answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: `{line}`; are pymodbus and asyncua installed? ./run-tests does"))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
