//! The misbehaving line as anybody has it: from the command line.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use heatstation_simulator::wire::fault::WORDS;
use heatstation_simulator::wire::signature;
use heatstation_tests::program::{binary, command, root, words};

/// The program as `plant`, its words in a file, so that what it says at its end can be read.
struct Plant {
    child: Child,
    said: tempfile::NamedTempFile,
}

impl Plant {
    fn start(arguments: &[&str]) -> Plant {
        let said = tempfile::NamedTempFile::new().unwrap();
        let stdout = File::options().append(true).open(said.path()).unwrap();
        let child =
            Command::new(binary()).arg("plant").args(arguments).stdin(Stdio::null()).stdout(stdout).spawn().unwrap();
        let plant = Plant { child, said };
        plant.until("unit");
        plant
    }

    /// What it has said, once this is among it.
    fn until(&self, word: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let said = std::fs::read_to_string(self.said.path()).unwrap();
            if said.contains(word) {
                return said;
            }
            assert!(Instant::now() < deadline, "no `{word}` in: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn connect(&self) -> TcpStream {
        let said = self.until("127.0.0.1:");
        let address: String =
            said[said.find("127.0.0.1:").unwrap()..].chars().take_while(|c| !c.is_whitespace()).collect();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn signal(&self, name: &str) {
        assert!(
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer to a read of one holding register.
fn ask(stream: &mut TcpStream, unit: u8, address: u16) -> Vec<u8> {
    let [high, low] = address.to_be_bytes();
    stream.write_all(&[0, 7, 0, 0, 0, 6, unit, 3, high, low, 0, 1]).unwrap();
    let mut header = [0; 7];
    stream.read_exact(&mut header).unwrap();
    let mut pdu = vec![0; usize::from(header[5]) - 1];
    stream.read_exact(&mut pdu).unwrap();
    assert_eq!(header, [0, 7, 0, 0, 0, header[5], unit]);
    pdu
}

#[test]
fn the_plant_plays_wire_faults_and_tells_how_often() {
    let mut plant = Plant::start(&[
        "steady",
        "--listen",
        "127.0.0.1:0",
        "--units",
        "3",
        "--signatures",
        "--wire-faults",
        "illegal 1007, late 50ms unit 2",
    ]);
    assert!(plant.until("wire faults").contains("units 1 to 3, each register its signature"));
    let mut stream = plant.connect();
    let [high, low] = signature(3, 3, 1000).to_be_bytes();
    assert_eq!(ask(&mut stream, 3, 1000), [3, 2, high, low]);
    assert_eq!(ask(&mut stream, 3, 1007), [0x83, 2]);
    assert_eq!(ask(&mut stream, 4, 1000), [0x83, 11]);
    let began = Instant::now();
    ask(&mut stream, 2, 1000);
    assert!(Duration::from_millis(50) <= began.elapsed());

    plant.signal("USR1");
    let said = plant.until("4 questions");
    assert!(said.contains("1 x illegal 1007\n") && said.contains("1 x late 50ms unit 2\n"), "{said}");
    ask(&mut stream, 1, 1);
    plant.signal("TERM");
    plant.until("5 questions");
    assert!(plant.child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_with_wire_faults_is_told_with_what_is_possible() {
    let output = command(&["plant", "steady", "--wire-faults", "latte 300ms, cut 5%"]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--wire-faults: `latte 300ms`: there is no wire fault `latte`; did you mean `late`?"),
        "{said}"
    );
    assert!(said.contains("--wire-faults: `cut 5%`: it needs one time above 0, as in `cut 10s`"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let head = "[scenario]\ntitle = \"A\"\nchinese_title = \"甲\"\ndescription = \"B\"\n\n[wire]\n";
    std::fs::write(&file, format!("{head}faults = \"late\"\n")).unwrap();
    let output = command(&["plant", file.to_str().unwrap()]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("mine.toml:7: wire.faults: `late`: it needs a time, as in `late 300ms`"), "{said}");
}

#[test]
fn every_wire_fault_is_told_by_the_program_and_by_the_guide() {
    let said = words(&command(&["plant", "steady", "--wire-faults", "help"]));
    let guide = std::fs::read_to_string(root().join("docs/guide/wire-faults.md")).unwrap();
    for word in WORDS {
        assert!(said.contains(word.example) && said.contains(word.meaning), "{}: {said}", word.name);
        let row = format!("| `{}` |", word.example);
        assert!(guide.contains(&row), "docs/guide/wire-faults.md has no row {row}");
    }
}
