//! The program as its user has it: a process, its command line, its page.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace").to_path_buf()
}

/// An example station of the house.
pub fn example(name: &str) -> PathBuf {
    root().join("config/stations").join(name)
}

/// The program, built as the tests themselves are. Cargo's own lock keeps tests that run side by side from building twice.
/// `HEATSTATION_BINARY` names one that was built elsewhere, for campaigns that outlast the next build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("HEATSTATION_BINARY") {
            return PathBuf::from(path);
        }
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let build = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "-p",
                "heatstation",
                "--bin",
                "heatstation",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo can be run");
        assert!(build.status.success(), "the program does not build");
        String::from_utf8_lossy(&build.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Json>(line).ok())
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back()
            .expect("cargo names the executable")
    })
}

/// Runs a command of the program to its end.
pub fn command(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).stdin(Stdio::null()).output().expect("the program can be started")
}

/// What a command says, as one text: stdout, then stderr.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A program that runs until it is stopped. Dropping it kills it, so that no test leaves one behind.
pub struct Running {
    child: Child,
    /// The lines of its greeting.
    pub greeting: Vec<String>,
}

impl Running {
    /// Starts a command and waits until its greeting has a line that starts with `last`.
    ///
    /// # Panics
    /// If it ends before that, with what it said.
    pub fn start(arguments: &[&str], last: &str) -> Running {
        Running::start_in(arguments, last, &[])
    }

    /// The same with variables in its environment.
    pub fn start_in(arguments: &[&str], last: &str, environment: &[(&str, &str)]) -> Running {
        let mut child = Command::new(binary())
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let mut greeting = Vec::new();
        loop {
            let Some(Ok(line)) = lines.next() else {
                let mut said = String::new();
                let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                panic!("heatstation {arguments:?} ended with {:?}: {said}", child.wait());
            };
            let done = line.trim_start().starts_with(last);
            greeting.push(line);
            if done {
                break;
            }
        }
        // Whoever does not read a pipe stops the writer in the end.
        let stderr = child.stderr.take().expect("stderr is a pipe");
        std::thread::spawn(move || for _ in lines {});
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln_quiet(&line);
            }
        });
        Running { child, greeting }
    }

    /// The first address of the form `host:port` in a line of the greeting that contains `word`.
    pub fn address(&self, word: &str) -> String {
        let line = self.greeting.iter().find(|line| line.contains(word)).expect("the greeting names it");
        let start = line.find("127.0.0.1:").expect("an address on loopback");
        line[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ':').collect()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end; the exit code.
    pub fn ended(mut self, within: Duration) -> Option<i32> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program logs belongs to the test's output; the runner shows it when the test fails.
#[allow(clippy::print_stderr, reason = "a test's output is for whoever looks at its failure")]
fn eprintln_quiet(line: &str) {
    eprintln!("{line}");
}

/// A page's text, with its status.
///
/// # Panics
/// If the page does not answer at all.
pub fn get(address: &str, path: &str, accept: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let mut answer = agent
        .get(format!("http://{address}{path}"))
        .header("Accept", accept)
        .call()
        .unwrap_or_else(|error| panic!("GET {path}: {error}"));
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap_or_default())
}

/// A page's JSON.
///
/// # Panics
/// If it is none.
pub fn get_json(address: &str, path: &str) -> Json {
    let (status, text) = get(address, path, "application/json");
    assert_eq!(status, 200, "GET {path}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
}

/// Turns a fault of the simulated plant on or off.
///
/// # Panics
/// If the demonstration refuses.
pub fn switch(address: &str, fault: &str, active: bool) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent
        .post(format!("http://{address}/demo/faults/{fault}"))
        .header("Content-Type", "application/json")
        .send(format!("{{\"active\":{active}}}"))
        .unwrap_or_else(|error| panic!("POST {fault}: {error}"));
    assert!(answer.status().is_success(), "POST {fault}: {}", answer.status());
}

/// One sample of a Prometheus text: of this family, with all of these labels.
pub fn metric(text: &str, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let of_family = |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
    let has = |line: &str| labels.iter().all(|(name, value)| line.contains(&format!("{name}=\"{value}\"")));
    let line = text.lines().filter(of_family).find(|line| has(line))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// The metrics of a running program, as Prometheus scrapes them; empty before its first cycle is over.
///
/// # Panics
/// If the page answers with anything else.
pub fn metrics(address: &str) -> String {
    let (status, text) = get(address, "/metrics", "text/plain");
    assert!(status == 200 || status == 503, "{text}");
    if status == 200 { text } else { String::new() }
}

/// Waits until `look` says something, asking every 50 ms.
///
/// # Panics
/// If it says nothing in time.
pub fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "in {within:?} not seen: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
