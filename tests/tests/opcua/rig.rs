//! A station whose values are in an asyncua server, and the wire that reads it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heatstation_config::Station;
use heatstation_drivers::opcua::pki::Pki;
use heatstation_drivers::opcua::spawn;
use heatstation_drivers::output::{DesiredOutput, DesiredOutputs, OutputState, Urgency};
use heatstation_drivers::wire::WireHandle;
use heatstation_points::{Fault, Point, Sample};
use heatstation_tests::program::example;
use heatstation_tests::python::Conversation;
use serde_json::{Value as Json, json};

/// Each node of the server that is a point, with what it holds first, in the point's unit.
pub const POINTS: [(&str, &str, f64); 8] = [
    ("primary_supply.temperature", "node = \"nsu=http://plc.example/heating;s=Heating.Tps\"", 90.5),
    ("primary_return.temperature", "node = \"nsu=http://plc.example/heating;s=Heating.Tpr\"", 45.25),
    (
        "circuit.low-zone.secondary_supply.temperature",
        "node = \"nsu=http://plc.example/heating;s=Heating.Tss\", scale = 0.01",
        61.5,
    ),
    ("circuit.low-zone.secondary_return.temperature", "node = \"nsu=http://plc.example/heating;s=Heating.Tsr\"", 42.0),
    ("primary_supply.pressure", "node = \"nsu=http://plc.example/heating;s=Heating.Psr\", unit = \"bar\"", 250_000.0),
    ("outdoor.temperature", "node = \"nsu=http://plc.example/heating;s=Heating.Tout\"", -7.5),
    ("mains.healthy", "node = \"nsu=http://plc.example/heating;s=Heating.Mains\"", 1.0),
    ("plant_room.temperature", "node = \"nsu=http://plc.example/heating;s=Heating.Row\", index = 2", 30.5),
];

/// The outputs and the nodes that they are written to.
pub const OUTPUTS: [(&str, &str); 3] = [
    ("circuit.low-zone.valve.position", "node = \"nsu=http://plc.example/heating;s=Heating.Valve\""),
    (
        "circuit.low-zone.circulation_pump.1.speed",
        "node = \"nsu=http://plc.example/heating;s=Heating.Speed\", unit = \"percent\", scale = 0.1",
    ),
    ("circuit.low-zone.circulation_pump.1.start", "node = \"nsu=http://plc.example/heating;s=Heating.Start\""),
];

/// A server with its folder, and a data folder for the client.
pub struct Rig {
    pub server: Conversation,
    pub port: u16,
    pub certificate: String,
    folder: tempfile::TempDir,
}

impl Rig {
    pub fn start() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let (server, first) = Conversation::start("asyncua_station.py", &[folder.path().to_str().unwrap()]);
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        let certificate = first["certificate"].as_str().unwrap().to_owned();
        Rig { server, port, certificate, folder }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn pki(&self) -> Pki {
        Pki::of_data(&self.data())
    }

    /// Whom the server is to be, as a person would say after comparing fingerprints.
    pub fn trust(&self) {
        self.pki().trust(&self.certificate).unwrap();
    }

    /// The demonstration's station, with some of its points in this server.
    pub fn station(&self, port: u16, keys: &str) -> Station {
        let text = station_text(&self.data(), port, keys);
        heatstation_config::check("station.toml", &text, None).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The same as a file, for commands of the program.
    pub fn station_file(&self, keys: &str) -> String {
        let path = self.folder.path().join("station.toml");
        std::fs::write(&path, station_text(&self.data(), self.port, keys)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn tell(&mut self, order: &Json) -> Json {
        self.server.tell(order)
    }

    pub fn set(&mut self, node: &str, value: impl Into<Json>) {
        self.tell(&json!({ "set": { node: value.into() } }));
    }

    pub fn held(&mut self, node: &str) -> f64 {
        let held = self.tell(&json!({ "get": [node] }))[node].clone();
        held.as_f64().or_else(|| held.as_bool().map(|on| f64::from(u8::from(on)))).unwrap()
    }
}

fn station_text(data: &Path, port: u16, keys: &str) -> String {
    let demo = std::fs::read_to_string(example("demo.toml")).unwrap();
    let without: Vec<String> = POINTS
        .iter()
        .map(|(point, ..)| *point)
        .chain(OUTPUTS.iter().map(|(point, _)| *point))
        .map(|point| format!("{point:?}"))
        .collect();
    let template = "template = \"generic/exchange-station-plc\"\n";
    let demo = demo.replacen(template, &format!("{template}without = [{}]\n", without.join(", ")), 1);
    let rows: Vec<String> = POINTS
        .iter()
        .map(|(point, rest, _)| format!("  {{ point = {point:?}, {rest}, sampling_seconds = 0.2 }},"))
        .chain(
            OUTPUTS.iter().map(|(point, rest)| format!("  {{ point = {point:?}, {rest}, sampling_seconds = 0.5 }},")),
        )
        .collect();
    let data = data.display();
    format!(
        "{demo}\n[daemon]\ndata_folder = \"{data}\"\n\n[[opcua]]\nname = \"asyncua\"\nurl = \"opc.tcp://127.0.0.1:{port}/heating/\"\n\
         publishing_seconds = 0.2\nreconnect_min_seconds = 0.2\nreconnect_max_seconds = 1\n{keys}\npoint = [\n{}\n]\n",
        rows.join("\n")
    )
}

/// A wire that runs, with its station.
pub struct Line {
    pub wire: WireHandle,
    pub station: Station,
    wishes: Vec<(Point, f64)>,
    runtime: tokio::runtime::Runtime,
}

impl Line {
    pub fn start(station: Station) -> Line {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let wire = {
            let _inside = runtime.enter();
            spawn(station.opcua[0].clone(), Instant::now())
        };
        Line { wire, station, wishes: Vec::new(), runtime }
    }

    pub fn sample(&self, point: &str) -> Sample {
        let point = self.station.catalogue.find(point).unwrap().point;
        self.wire.samples().into_iter().find(|sample| sample.point == point).unwrap()
    }

    pub fn value(&self, point: &str) -> Result<f64, Fault> {
        self.sample(point).value.map(heatstation_points::Value::number)
    }

    pub fn wish(&mut self, point: &str, number: f64) {
        let point = self.station.catalogue.find(point).unwrap().point;
        self.wishes.retain(|(other, _)| *other != point);
        self.wishes.push((point, number));
    }

    pub fn state(&self, point: &str) -> OutputState {
        let point = self.station.catalogue.find(point).unwrap().point;
        self.wire.output_status(point).unwrap().state
    }

    /// Tries until it holds, with the wishes renewed as the cycle does; how long it took.
    ///
    /// # Panics
    /// If it does not hold in time, with what it saw.
    pub fn until(&mut self, what: &str, most: Duration, mut holds: impl FnMut(&Line) -> bool) -> Duration {
        let since = Instant::now();
        loop {
            self.renew(&[]);
            if holds(self) {
                return since.elapsed();
            }
            assert!(
                since.elapsed() < most,
                "{what}: not within {most:?}\n{:#?}\n{:#?}",
                self.wire.statistics(),
                self.wire.outputs_status()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Says again what outputs shall be.
    pub fn renew(&self, inhibited: &[&str]) {
        let accept = |(point, number): &(Point, f64)| DesiredOutput {
            point: *point,
            value: self.station.catalogue.definition(*point).unwrap().accept(*number).unwrap(),
            decided_at: self.wire.now(),
            urgency: Urgency::Control,
        };
        let inhibited = inhibited.iter().map(|name| self.station.catalogue.find(name).unwrap().point).collect();
        self.wire.desire(DesiredOutputs { outputs: self.wishes.iter().map(accept).collect(), inhibited });
    }

    pub fn all_as_first(&self) -> bool {
        POINTS.iter().all(|(point, _, first)| self.value(point).is_ok_and(|value| (value - first).abs() < 1e-6))
    }

    pub fn stop(self) {
        let Line { wire, runtime, .. } = self;
        runtime.block_on(wire.stop());
    }
}
