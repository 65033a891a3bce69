//! Members of the family under room feedback: how many room-hours pass, at what heat.

use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation_core::moment::UtcMillis;
use heatstation_points::Celsius;
use heatstation_simulator::family::Member;
use heatstation_simulator::{StochasticWeather, WeatherSource};
use heatstation_tests::members;

const SKIP: u64 = 6;

#[derive(Default, Clone)]
struct Run {
    pass: f64,
    mean: f64,
    heat: f64,
    q2: f64,
    trim: f64,
    between: f64,
    note: String,
}

fn run(member: &Member, days: u64, target: f64, trim: bool, sensors: usize, spread: bool) -> Run {
    let start = UtcMillis(1_794_672_000_000 + 20 * 86_400_000);
    let mut weather = StochasticWeather::new(2026, member.weather_climate());
    let outdoor = weather.at(start.0 / 1000).outdoor;
    let (mut settings, catalogue, plant) = members::station(member, outdoor, Celsius(target), start, 365);
    let c = &mut settings.circuits[0];
    if !trim {
        c.room_trim.lower_max.0 = 0.0;
        c.room_trim.raise_max.0 = 0.0;
    }
    if sensors > 0 {
        c.rooms.truncate(sensors);
    }
    let get = |k: &str| std::env::var(k).ok().and_then(|v| v.parse::<f64>().ok());
    if let Some(z) = get("ZCONF") {
        c.room_trim.confidence = z;
    }
    if trim && std::env::var("BALANCE").is_ok() {
        c.balance = Some(heatstation_core::settings::BalanceSettings::default());
    }
    if let Some(z) = get("S0") {
        c.room_trim.scatter_prior.0 = z;
    }
    if let Some(z) = get("KP") {
        c.room_trim.gain = z;
    }
    if let Some(z) = get("TI") {
        c.room_trim.integral_time = Duration::from_secs_f64(z * 3600.0);
    }
    let mut rig = ClosedLoop::new(
        settings,
        &catalogue,
        &plant,
        Box::new(weather),
        start,
        Duration::from_secs(8 * 3600),
        member.seed,
    );
    let (mut all, mut pass, mut mean, mut heat0) = (0.0, 0.0, 0.0, 0.0);
    let mut temps: Vec<f32> = Vec::new();
    let mut per: Vec<(f64, f64)> = Vec::new();
    let mut frozen: std::collections::BTreeMap<String, u64> = Default::default();
    for second in 0..days * 86_400 {
        rig.second(Vec::new());
        if second == SKIP * 86_400 {
            heat0 = rig.view().0.truth().circuits[0].heat_energy.0;
        }
        if second >= SKIP * 86_400 && second % 1800 == 0 {
            let flats = &rig.view().0.truth().circuits[0].flats;
            per.resize(flats.len(), (0.0, 0.0));
            for (i, flat) in flats.iter().enumerate().filter(|(_, f)| !f.shut) {
                all += flat.area_m2;
                if flat.temperature.0 >= 18.0 {
                    pass += flat.area_m2;
                }
                mean += flat.temperature.0 * flat.area_m2;
                temps.push(flat.temperature.0 as f32);
                per[i].0 += 1.0;
                per[i].1 += flat.temperature.0;
            }
        }
        if second % 600 == 0 {
            *frozen.entry(format!("{:?}", rig.view().2.unwrap().circuits[0].room_trim.frozen)).or_default() += 1;
        }
        if spread && second % 86_400 == 43_200 {
            let t = &rig.view().0.truth().circuits[0];
            let r: Vec<String> = t.buildings.iter().map(|b| format!("{:.1}/{:.1}", b.return_.0, b.flow.0)).collect();
            eprintln!(
                "  day {} {:?} trim {:?} tail {:?} verdicts {:?}",
                second / 86_400,
                r.join(" "),
                rig.view().2.unwrap().circuits[0].room_trim,
                rig.view().2.unwrap().circuits[0].rooms.tail,
                rig.view().2.unwrap().circuits[0].rooms.verdicts
            );
        }
    }
    let place = temps.len() / 50;
    let q2 = f64::from(*temps.select_nth_unstable_by(place, f32::total_cmp).1);
    let (p, _, report) = rig.view();
    let circuit = &report.unwrap().circuits[0];
    let flats = &p.truth().circuits[0].flats;
    let area: f64 = flats.iter().map(|f| f.area_m2).sum();
    let ok: Vec<f64> = per.iter().filter(|p| p.0 > 0.0).map(|p| p.1 / p.0).collect();
    let mm = ok.iter().sum::<f64>() / ok.len() as f64;
    let between = (ok.iter().map(|x| (x - mm).powi(2)).sum::<f64>() / ok.len() as f64).sqrt();
    let note = format!(
        "{:?} counted {}/{} tail {:?} at_end {}",
        circuit.room_trim.frozen,
        circuit.rooms.counted,
        circuit.rooms.expected,
        circuit.rooms.tail.map(|t| (
            (t.sure().0 * 100.0).round() / 100.0,
            (t.margin.0 * 100.0).round() / 100.0,
            (t.scatter.0 * 100.0).round() / 100.0
        )),
        circuit.room_trim.at_end
    );
    Run {
        pass: pass / all,
        mean: mean / all,
        heat: (p.truth().circuits[0].heat_energy.0 - heat0) / 1e9 / area,
        q2,
        trim: circuit.room_trim.shift.0,
        between,
        note,
    }
}

/// Untrimmed runs are kept beside.
fn plain(member: &Member, days: u64, target: f64) -> Run {
    let key = format!("/tmp/room_cache/{}-{}-{days}-{target:.2}", member.name(), member.seed);
    if let Ok(text) = std::fs::read_to_string(&key) {
        let v: Vec<f64> = text.split_whitespace().map(|x| x.parse().unwrap()).collect();
        return Run { pass: v[0], mean: v[1], heat: v[2], q2: v[3], ..Run::default() };
    }
    let r = run(member, days, target, false, 0, false);
    std::fs::create_dir_all("/tmp/room_cache").unwrap();
    std::fs::write(&key, format!("{} {} {} {}", r.pass, r.mean, r.heat, r.q2)).unwrap();
    r
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let get = |n: usize, d: f64| arguments.get(n).and_then(|a| a.parse().ok()).unwrap_or(d);
    let (first, last, stride, days, sensors) =
        (get(1, 0.0) as usize, get(2, 24.0) as usize, get(3, 1.0) as usize, get(4, 40.0) as u64, get(5, 0.0) as usize);
    let seed = get(6, 7.0) as u64;
    let trace = get(7, 0.0) > 0.5;
    let (mut good, mut n, mut saving, mut passes) = (0, 0, 0.0, 0.0);
    for member in Member::all(seed).into_iter().take(last).skip(first).step_by(stride) {
        let a = plain(&member, days, 16.0);
        let b = plain(&member, days, 19.0);
        // Level at which 98 % pass: temperatures move evenly with the level.
        let gain = (b.q2 - a.q2) / 3.0;
        let tuned = 16.0 + (18.0 - a.q2) / gain;
        let heat = |level: f64| a.heat + (b.heat - a.heat) / 3.0 * (level - 16.0);
        let d = run(&member, days, tuned + 1.5, true, sensors, trace);
        let (h0, h1) = (heat(tuned + 1.5), heat(tuned));
        n += 1;
        good += usize::from(d.pass >= 0.98);
        saving += 1.0 - d.heat / h0;
        passes += d.pass;
        println!(
            "{:30} tuned {tuned:.2} ({:.3}) B0 {h0:.4} tuned {h1:.4} | pass {:.4} heat {:.4} vs B0 {:+.1} % vs tuned {:+.1} % trim {:.2} between {:.2} {}",
            member.name(),
            gain,
            d.pass,
            d.heat,
            100.0 * (d.heat / h0 - 1.0),
            100.0 * (d.heat / h1 - 1.0),
            d.trim,
            d.between,
            d.note
        );
    }
    println!("{good} of {n} pass, mean pass {:.4}, saving {:.1} %", passes / n as f64, 100.0 * saving / n as f64);
}
