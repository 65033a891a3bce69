//! The server and the peers: what is there, and how each is started.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use heatstation_tests::program::root;
use heatstation_tests::python::python;

use crate::process::Process;

/// Whoever is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// `heatstation_drivers`.
    Ours,
    /// A bare loop in C.
    Libmodbus,
    /// asyncio.
    Pymodbus,
    /// The plugin `modbus`.
    Collectd,
}

impl Peer {
    /// As the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Ours => "heatstation",
            Peer::Libmodbus => "libmodbus, bare C loop",
            Peer::Pymodbus => "pymodbus, asyncio",
            Peer::Collectd => "collectd, plugin modbus",
        }
    }
}

/// Those that are installed, and the server.
pub struct Peers {
    folder: PathBuf,
    versions: Vec<(Peer, Result<String, String>)>,
}

fn source(name: &str) -> PathBuf {
    root().join("tests/benches/modbus").join(name)
}

/// What a command says on its first line; why not otherwise.
fn first_line(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("it failed").to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

fn compile(name: &str, into: &Path, libraries: &[&str]) -> Result<String, String> {
    first_line(Command::new("cc").args(["-O2", "-o"]).arg(into).arg(source(name)).args(libraries))
}

impl Peers {
    /// Looks who is there. The server needs a C compiler, which Rust needs too.
    pub fn found(folder: &Path) -> Peers {
        compile("server.c", &folder.join("server"), &[])
            .unwrap_or_else(|why| panic!("the server does not compile: {why}"));
        let libmodbus = compile("libmodbus.c", &folder.join("libmodbus"), &["-I/usr/include/modbus", "-lmodbus"])
            .and_then(|_| first_line(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "libmodbus-dev"])));
        let pymodbus = first_line(Command::new(python()).args(["-c", "import pymodbus; print(pymodbus.__version__)"]));
        let plugin = Path::new("/usr/lib/collectd/modbus.so");
        let collectd = if plugin.exists() {
            first_line(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "collectd-core"]))
        } else {
            Err(format!("no {}", plugin.display()))
        };
        let ours = Ok(env!("CARGO_PKG_VERSION").to_owned());
        let versions = vec![
            (Peer::Ours, ours),
            (Peer::Libmodbus, libmodbus),
            (Peer::Pymodbus, pymodbus),
            (Peer::Collectd, collectd),
        ];
        Peers { folder: folder.to_path_buf(), versions }
    }

    /// Who takes part in which version, and who does not.
    pub fn described(&self) -> String {
        let mut text = "Compared:".to_owned();
        for (peer, version) in &self.versions {
            let _ = match version {
                Ok(version) => write!(text, " {} {version};", peer.name()),
                Err(why) => write!(text, " **{} is left out: {why} (--install tells what to install)**;", peer.name()),
            };
        }
        text + "\n\n"
    }

    /// Those of `wanted` that are there.
    pub fn of(&self, wanted: &[Peer]) -> Vec<Peer> {
        let is_there = |peer: &Peer| self.versions.iter().any(|(which, version)| which == peer && version.is_ok());
        wanted.iter().copied().filter(is_there).collect()
    }

    /// The server, and its port.
    pub fn server(&self) -> (Process, u16) {
        let mut server = Process::start(&mut Command::new(self.folder.join("server")));
        let port = server.line().parse().unwrap();
        (server, port)
    }

    /// A client that says "ready" and then one line of JSON; `job` is `flat` or `load`.
    pub fn client(&self, peer: Peer, job: &str, port: u16, numbers: &[u64]) -> Process {
        let mut command = match peer {
            Peer::Ours => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg("--role");
                command
            }
            Peer::Libmodbus => Command::new(self.folder.join("libmodbus")),
            Peer::Pymodbus => {
                let mut command = Command::new(python());
                command.arg(source("pymodbus_client.py"));
                command
            }
            Peer::Collectd => panic!("collectd has a file instead"),
        };
        command.arg(job).arg(port.to_string()).args(numbers.iter().map(u64::to_string));
        Process::start(&mut command)
    }

    /// collectd in the foreground, reading all points of all connections each second. With `into` it writes them there.
    pub fn collectd(&self, port: u16, connections: usize, points: usize, into: Option<&Path>) -> Process {
        let mut file = format!(
            "Hostname \"bench\"\nFQDNLookup false\nInterval 1\nBaseDir \"{0}\"\nPIDFile \"{0}/pid\"\nTypesDB \
             \"/usr/share/collectd/types.db\"\nLoadPlugin logfile\n<Plugin logfile>\nLogLevel \"err\"\nFile \
             \"{0}/collectd.log\"\n</Plugin>\nLoadPlugin modbus\n",
            self.folder.display()
        );
        if let Some(into) = into {
            let _ = write!(
                file,
                "LoadPlugin csv\n<Plugin csv>\nDataDir \"{}\"\nStoreRates false\n</Plugin>\n",
                into.display()
            );
        }
        file.push_str("<Plugin modbus>\n");
        for point in 0..points {
            let _ = writeln!(
                file,
                "<Data \"p{point}\">\nInstance \"p{point}\"\nRegisterBase {point}\nRegisterType uint16\nRegisterCmd \
                 ReadHolding\nType gauge\n</Data>"
            );
        }
        for unit in 1..=connections {
            let _ = writeln!(
                file,
                "<Host \"s{unit}\">\nAddress \"127.0.0.1\"\nPort \"{port}\"\nInterval 1\n<Slave {unit}>\nInstance \"u{unit}\""
            );
            for point in 0..points {
                let _ = writeln!(file, "Collect \"p{point}\"");
            }
            file.push_str("</Slave>\n</Host>\n");
        }
        file.push_str("</Plugin>\n");
        let path = self.folder.join("collectd.conf");
        std::fs::write(&path, file).unwrap();
        Process::start(Command::new("/usr/sbin/collectd").arg("-f").arg("-C").arg(path))
    }
}
