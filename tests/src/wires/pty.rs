//! Two serial ports with a cable between them: a pair of pseudo-terminals, by socat.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A terminal that is opened does not become the one that controls us (`O_NOCTTY` of Linux).
const NO_CONTROLLING_TERMINAL: i32 = 0o400;

/// Two ends of a serial cable. It is unplugged when this is dropped.
#[derive(Debug)]
pub struct PtyPair {
    socat: Child,
    folder: tempfile::TempDir,
    /// Held open, as a cable stays plugged in while nobody has opened the port; socat ends otherwise.
    ends: Vec<File>,
}

impl PtyPair {
    /// A new cable.
    ///
    /// # Panics
    /// If socat is not installed or the ends do not show within 10 s.
    pub fn new() -> PtyPair {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let end = |name: &str| format!("pty,raw,echo=0,link={}", folder.path().join(name).display());
        let socat = Command::new("socat")
            .args([end("device"), end("controller")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("socat is installed: apt-get install socat");
        let mut pair = PtyPair { socat, folder, ends: Vec::new() };
        let deadline = Instant::now() + Duration::from_secs(10);
        pair.ends = ["device", "controller"]
            .map(|name| {
                let path = pair.folder.path().join(name);
                loop {
                    let open =
                        OpenOptions::new().read(true).write(true).custom_flags(NO_CONTROLLING_TERMINAL).open(&path);
                    match open {
                        Ok(file) => return file,
                        Err(error) => assert!(Instant::now() < deadline, "{}: {error}", path.display()),
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            })
            .into();
        pair
    }

    /// The device's end.
    pub fn device(&self) -> PathBuf {
        self.folder.path().join("device")
    }

    /// The controller's end.
    pub fn controller(&self) -> PathBuf {
        self.folder.path().join("controller")
    }
}

impl Default for PtyPair {
    fn default() -> PtyPair {
        PtyPair::new()
    }
}

impl Drop for PtyPair {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.socat.kill();
        let _ = self.socat.wait();
    }
}
