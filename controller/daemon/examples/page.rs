//! Serves the page with a small station that evolves, to look at it: `cargo run --example page -- [PORT] [CIRCUITS]`.
//!
//! Its faults can be switched on the page. Beyond the real step nothing here is of a station; see `heatstation demo` for
//! one with a plant.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a tool for a developer's eyes")]

use std::sync::Arc;
use std::time::Duration;

use heatstation::demo_door::{DemoDoor, DemoFault, DemoSwitch};
use heatstation::store::{HistoryPoint, HistoryRow, Layout, Store, StoreSettings};
use heatstation::web::{Doors, IntakeDoors, serve};
use heatstation::{records, snapshot, store};
use tokio::sync::{mpsc, watch};

#[path = "../src/web/canned.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod canned;

use canned::{Broken, Station};

const FAULTS: [(&str, &str, &str, Broken); 4] = [
    ("pump-1", "1#循环泵故障", "Circulation pump 1 fails", Broken::FirstPump),
    ("pump-2", "2#循环泵故障", "Circulation pump 2 fails", Broken::SecondPump),
    ("supply-sensor", "供水温度传感器故障", "Supply sensor breaks", Broken::SupplySensor),
    ("wire", "通讯中断", "The wire is cut", Broken::Wire),
];

fn layout(station: &Station) -> Layout {
    let mut names = vec!["outdoor.temperature".to_owned()];
    for circuit in station.facts.catalogue.circuits() {
        for signal in ["supply.temperature", "return.temperature", "supply.temperature_setpoint"] {
            names.push(format!("circuit.{}.secondary_{signal}", circuit.name));
        }
    }
    Layout::new(names.into_iter().map(|name| HistoryPoint { name, resolution: 0.01 }))
}

fn remember(store: &Store, layout: &Layout, shown: &snapshot::Snapshot, station: &mut Station) {
    let value = |name: &str| {
        let catalogue = &shown.facts.catalogue;
        if let Some(definition) = catalogue.find(name) {
            return shown.readings[catalogue.slot(definition.point)?].usable().map(heatstation_points::Value::number);
        }
        let circuit = catalogue.circuits().iter().position(|circuit| name.contains(&circuit.name))?;
        Some(shown.report.circuits[circuit].setpoint.value.0)
    };
    let values = layout.points().iter().map(|point| value(&point.name)).collect();
    store.record(HistoryRow { layout: layout.clone(), wall_milliseconds: shown.report.moment.wall.0, values });
    let new: Vec<_> =
        station.events.drain(..).filter_map(|(moment, event)| records::record_of(&event, &moment).ok()).collect();
    if !new.is_empty() {
        drop(store.append(new));
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(0, |port| port.parse().unwrap());
    let circuits: Vec<String> = arguments.collect();
    let circuits: Vec<&str> =
        if circuits.is_empty() { vec!["low-zone"] } else { circuits.iter().map(String::as_str).collect() };

    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path(), StoreSettings::default()).unwrap());
    let mut station = Station::new("康泰园换热站", &circuits);
    let layout = layout(&station);
    // A day in steps of ten seconds, with an hour of broken wire and an outage of three quarters of an hour in it.
    for second in (0..86_400).step_by(10) {
        let hour = second / 3600;
        for (broken, on) in [
            (Broken::Wire, hour == 9),
            (Broken::FirstPump, (61_200..63_900).contains(&second)),
            (Broken::SecondPump, (61_200..63_900).contains(&second)),
        ] {
            if on {
                station.broken.insert(broken)
            } else {
                station.broken.remove(&broken)
            };
        }
        let shown = station.pass(Duration::from_secs(10));
        if second % 60 == 0 {
            remember(&store, &layout, &shown, &mut station);
            if second % 3600 == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    let (switches, mut turned) = mpsc::channel::<DemoSwitch>(8);
    let texts = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    let faults = FAULTS.iter().map(|(key, zh, en, _)| DemoFault { key: (*key).to_owned(), texts: texts(zh, en) });
    let demo = DemoDoor { faults: faults.collect(), switches };
    let (shown, snapshots) = watch::channel(None);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("http://{}/", listener.local_addr().unwrap());
    let kept = Arc::clone(&store);
    tokio::spawn(async move {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        for second in 0_u64.. {
            seconds.tick().await;
            while let Ok(switch) = turned.try_recv() {
                let broken = FAULTS.iter().find(|(key, ..)| *key == switch.key).unwrap().3;
                if switch.active {
                    station.broken.insert(broken)
                } else {
                    station.broken.remove(&broken)
                };
            }
            let mut now = station.run(1);
            now.store = kept.health();
            if second % 10 == 0 {
                remember(&kept, &layout, &now, &mut station);
            }
            shown.send_replace(Some(Arc::new(now)));
        }
    });
    let (_, sources) = watch::channel(Arc::from([]));
    let intake = IntakeDoors { sources, forecasts: None };
    let doors =
        Doors { snapshots, store, intake, demo: Some(demo), opcua: None, version: "0.1.0", allowed_hosts: Vec::new() };
    serve(listener, doors, std::future::pending()).await.unwrap();
}
