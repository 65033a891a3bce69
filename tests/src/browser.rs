//! A real browser, by the `WebDriver` protocol of the W3C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

/// A browser with one window. Dropping it closes it.
pub struct Browser {
    driver: Child,
    session: String,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window of that size, headless.
    ///
    /// # Panics
    /// If Chromium or its driver is not installed; `./run-tests` does that.
    pub fn open(width: u32, height: u32) -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by ./run-tests");
        let mut output = BufReader::new(driver.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(output.read_line(&mut line).is_ok_and(|length| length > 0), "chromedriver ended");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || output.read_to_string(&mut String::new()));
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut browser = Browser { driver, session: format!("http://127.0.0.1:{port}"), profile };
        let wish = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } });
        let answer = browser.ask("/session", &wish);
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    fn ask(&self, path: &str, body: &Json) -> Json {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let answer = agent
            .post(format!("{}{path}", self.session))
            .header("Content-Type", "application/json")
            .send(body.to_string())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = answer.into_body().read_to_string().unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// Goes to an address.
    pub fn go(&self, address: &str) {
        self.ask("/url", &json!({ "url": address }));
    }

    /// What a script in the page returns.
    pub fn run(&self, script: &str) -> Json {
        self.ask("/execute/sync", &json!({ "script": script, "args": [] }))["value"].clone()
    }

    /// The text that a reader sees.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// The folder that it writes to.
    pub fn folder(&self) -> &std::path::Path {
        self.profile.path()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
        let _ = agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
