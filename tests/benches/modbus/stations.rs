//! A hundred stations in one process: whole programs with control, records on disk and page, against as many simulated
//! cabinets in another process.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use heatstation::clock::Clock;
use heatstation::commands::plant;
use heatstation::program::{Options, Program};
use heatstation::scenario::{self, Asked};
use heatstation::snapshot::Snapshots;
use heatstation_config::{EXAMPLES, Station};
use heatstation_drivers::settings::WireSettings;
use heatstation_simulator::modbus_server::ModbusServer;
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use crate::process::Process;
use crate::{Plan, say};

/// Until every station has connected, has been taken over, and its first records are written.
const WARM_UP: Duration = Duration::from_secs(20);

fn station() -> Station {
    let (name, text) = EXAMPLES[0];
    heatstation_config::check(name, text, None).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// The cabinets: prints their ports, and ends with stdin.
pub fn plants(count: usize) {
    runtime().block_on(async {
        let station = station();
        let scenario = heatstation_config::scenario::find("steady", None, &station).unwrap();
        let begin = scenario::begin(&scenario, &station);
        let mut servers = Vec::new();
        for place in 0..count {
            let asked = Asked { weather: None, seed: Some(place as u64 + 1) };
            let (shared, paced) =
                plant::set_up(&station, &scenario, &asked, begin).unwrap_or_else(|why| panic!("{why}"));
            servers.push(ModbusServer::bind(SocketAddr::from(([127, 0, 0, 1], 0)), shared).await.unwrap());
            tokio::spawn(paced.run(1.0, std::future::pending()));
        }
        let ports: Vec<String> = servers.iter().map(|server| server.address().port().to_string()).collect();
        say(&format!("{}\n", ports.join(",")));
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await.unwrap().unwrap();
    });
}

/// What all stations have done up to now.
#[derive(Clone, Copy, Default)]
struct Sum {
    cycles: u64,
    late: u64,
    heating: u64,
    requests: u64,
    failures: u64,
    journal_late: u64,
}

fn sum(snapshots: &[Snapshots]) -> Sum {
    let mut sum = Sum::default();
    for snapshot in snapshots.iter().filter_map(|snapshots| snapshots.borrow().clone()) {
        sum.cycles += snapshot.cycle.count;
        sum.late += snapshot.cycle.noticeably_late_total;
        let circuit = &snapshot.report.circuits[0];
        sum.heating += u64::from(circuit.commands.as_ref().is_some_and(|commands| commands.valve_position.0 > 0.0));
        sum.requests += snapshot.wires.iter().map(|wire| wire.statistics.requests_total).sum::<u64>();
        let failures = snapshot.wires.iter().map(|wire| wire.statistics.failures_total.by_cause());
        sum.failures += failures.flatten().map(|(_, count)| count).sum::<u64>();
        sum.journal_late += snapshot.store.records_late_total;
    }
    sum
}

/// The programs, with their records in a folder that whoever started this removes: says "ready" when they are warm, then one line of JSON, and ends with stdin.
pub fn programs(seconds: u64, ports: &str, folder: &Path) {
    runtime().block_on(async {
        let (stop, stopped) = watch::channel(false);
        let (mut running, mut snapshots) = (Vec::new(), Vec::new());
        let mut points = 0;
        for (place, port) in ports.split(',').enumerate() {
            let mut station = station();
            for wire in &mut station.wires {
                wire.transport = WireSettings::modbus_tcp("", format!("127.0.0.1:{port}")).transport;
                for register in wire.devices.iter_mut().flat_map(|device| &mut device.registers) {
                    register.period = Duration::from_secs(1);
                }
            }
            points = station.wires.iter().flat_map(|wire| &wire.devices).map(|device| device.registers.len()).sum();
            let scenario = heatstation_config::scenario::find("steady", None, &station).unwrap();
            let options = Options {
                configuration: None,
                data_folder: folder.join(place.to_string()),
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                clock: Clock::paced(station.time_zone.clone(), scenario::begin(&scenario, &station), 1),
                forecasts: None,
                demo: None,
            };
            let program = Program::set_up(station, options).await.unwrap();
            snapshots.push(program.snapshots());
            let mut stopped = stopped.clone();
            running.push(tokio::spawn(program.run(async move {
                let _ = stopped.changed().await;
                "the measurement is over"
            })));
        }
        tokio::time::sleep(WARM_UP).await;
        let before = sum(&snapshots);
        say("ready\n");
        let (mut looks, mut late_reads, mut latest) = (0_u64, 0_u64, Duration::ZERO);
        for _ in 0..seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            for snapshot in snapshots.iter().filter_map(|snapshots| snapshots.borrow().clone()) {
                let backlog = snapshot.wires.iter().map(|wire| wire.statistics.backlog).max().unwrap_or_default();
                looks += 1;
                late_reads += u64::from(backlog > Duration::from_millis(100));
                latest = latest.max(snapshot.cycle.lateness_max);
            }
        }
        let after = sum(&snapshots);
        say(&format!(
            "{}\n",
            json!({
                "points": points,
                "cycles": after.cycles - before.cycles,
                "late": after.late - before.late,
                "latest_seconds": latest.as_secs_f64(),
                "looks": looks,
                "late_reads": late_reads,
                "heating": after.heating,
                "requests": after.requests - before.requests,
                "failures": after.failures - before.failures,
                "journal_late": after.journal_late - before.journal_late,
            })
        ));
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await.unwrap().unwrap();
        stop.send_replace(true);
        for program in running {
            program.await.unwrap().unwrap();
        }
    });
}

/// Runs both, and tells.
pub fn compared(plan: &Plan, folder: &Path) -> String {
    let me = std::env::current_exe().unwrap();
    let role = |name: &str| {
        let mut command = Command::new(&me);
        command.args(["--role", name]);
        command
    };
    let mut plants = Process::start(role("plants").arg(plan.stations.to_string()));
    let ports = plants.line();
    let seconds = (plan.minutes * 60.0).round().max(1.0) as u64;
    let mut programs = Process::start(role("stations").arg(seconds.to_string()).arg(&ports).arg(folder));
    assert_eq!(programs.line(), "ready");
    let (before, plants_before) = (programs.cpu_seconds(), plants.cpu_seconds());
    let tally: Json = serde_json::from_str(&programs.line()).unwrap();
    let (spent, plants_spent) = (programs.cpu_seconds() - before, plants.cpu_seconds() - plants_before);
    let whole = |key: &str| tally[key].as_u64().unwrap();
    let share = |part: &str, of: &str| whole(part) as f64 / whole(of) as f64 * 100.0;
    let expected = seconds * plan.stations as u64;
    format!(
        "### {stations} stations in one process\n\nWhole programs (control, journal and history on a temporary folder, page), \
         {points} points each, all of them read every second, control every second, {minutes} min after {warm} s of warm-up; the \
         cabinets are simulated plants in another process on the same machine.\n\n| what | figure |\n|---|---|\n\
         | cycles | {cycles} of {expected} |\n\
         | cycles that began more than 100 ms late | {late} ({late_share:.4} %) |\n\
         | the latest, warm-up included | {latest:.1} ms |\n\
         | looks at a wire that found a read more than 100 ms late | {late_reads} of {looks} ({reads_share:.4} %) |\n\
         | questions/s; failed | {rate:.0}; {failures} |\n\
         | stations that heat at the end | {heating} of {stations} |\n\
         | records late on disk | {journal} |\n\
         | processor | {cpu:.1} % of one core; {each:.2} ms a station and second |\n\
         | most memory | {peak:.0} MiB; {peak_each:.2} MiB a station |\n\
         | beside: processor of the cabinets | {plants:.1} % of one core |\n",
        stations = plan.stations,
        points = whole("points"),
        minutes = plan.minutes,
        warm = WARM_UP.as_secs(),
        cycles = whole("cycles"),
        late = whole("late"),
        late_share = share("late", "cycles"),
        latest = tally["latest_seconds"].as_f64().unwrap() * 1000.0,
        late_reads = whole("late_reads"),
        looks = whole("looks"),
        reads_share = share("late_reads", "looks"),
        rate = whole("requests") as f64 / seconds as f64,
        failures = whole("failures"),
        heating = whole("heating"),
        journal = whole("journal_late"),
        cpu = spent / seconds as f64 * 100.0,
        each = spent / expected as f64 * 1000.0,
        peak = programs.peak_mebibytes(),
        peak_each = programs.peak_mebibytes() / plan.stations as f64,
        plants = plants_spent / seconds as f64 * 100.0,
    )
}
