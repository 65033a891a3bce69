//! The energy–pass front as a picture.
//!
//! Each strategy is a line through its two runs, mean over the plants; each plant's run as it is is a small dot. To the lower
//! right is better: more rooms warm enough with less heat.

use std::fmt::Write;

use super::compare::PlantResult;
use super::figures::PASS_TARGET;
use super::strategy::Strategy;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;

/// A point of the picture: pass share, and heat over B1's at the target.
type Place = (f64, f64);

/// Draws it; none if B1 is not among the strategies, for there is nothing to measure heat by.
pub fn front(results: &[PlantResult], strategies: &[Strategy]) -> Option<String> {
    let mut lines: Vec<(Strategy, Vec<Place>, Vec<Place>)> = Vec::new();
    for &strategy in strategies {
        let (mut dots, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for result in results {
            let expert = result.trials.iter().find(|trial| trial.strategy == Strategy::Expert)?.at_target.heat;
            let Some(trial) = result.trials.iter().find(|trial| trial.strategy == strategy) else { continue };
            dots.push((trial.as_run.pass, trial.as_run.heat / expert));
            first.push((trial.as_run.pass, trial.as_run.heat / expert));
            second.push((trial.moved.pass, trial.moved.heat / expert));
        }
        lines.push((strategy, dots, vec![mean(&first), mean(&second)]));
    }
    let all: Vec<Place> = lines.iter().flat_map(|(_, dots, line)| dots.iter().chain(line).copied()).collect();
    let low_pass = all.iter().map(|p| p.0).fold(PASS_TARGET - 0.02, f64::min).max(0.80);
    let (low, high) = all.iter().fold((0.95, 1.05), |(low, high), p| (f64::min(low, p.1), f64::max(high, p.1)));
    let (low, high) = ((low * 20.0).floor() / 20.0, (high * 20.0).ceil() / 20.0);
    let x = |pass: f64| LEFT + (pass.max(low_pass) - low_pass) / (1.0 - low_pass) * (WIDTH - LEFT - RIGHT);
    let y = |heat: f64| TOP + (high - heat) / (high - low) * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">Heat over pass share, {} plants</text>\n",
        results.len()
    );
    grid(&mut svg, (low_pass, 1.0), (low, high), &x, &y);
    for (number, (strategy, dots, line)) in lines.iter().enumerate() {
        let colour = colour(*strategy);
        for dot in dots {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"{colour}\" fill-opacity=\"0.35\"/>",
                x(dot.0),
                y(dot.1)
            );
        }
        let ends: Vec<String> = line.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" stroke=\"{colour}\" stroke-width=\"2\" fill=\"none\"/>",
            ends.join(" ")
        );
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/>\n<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" \
             fill=\"#fff\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            x(line[0].0),
            y(line[0].1),
            x(line[1].0),
            y(line[1].1)
        );
        let at = TOP + 14.0 + 20.0 * number as f64;
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT + 20.0,
            at - 4.0,
            WIDTH - RIGHT + 32.0,
            at,
            strategy.name()
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

fn mean(places: &[Place]) -> Place {
    let count = places.len().max(1) as f64;
    (places.iter().map(|p| p.0).sum::<f64>() / count, places.iter().map(|p| p.1).sum::<f64>() / count)
}

fn grid(svg: &mut String, passes: (f64, f64), heats: (f64, f64), x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut percent = (passes.0 * 100.0).ceil();
    while percent <= 100.0 {
        let at = x(percent / 100.0);
        let strong = (percent / 100.0 - PASS_TARGET).abs() < 1e-9;
        let (stroke, width) = if strong { ("#b00", 1.5) } else { ("#ddd", 1.0) };
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"{stroke}\" \
             stroke-width=\"{width}\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{percent:.0}</text>",
            bottom + 16.0
        );
        percent += if passes.0 < 0.9 { 2.0 } else { 1.0 };
    }
    let mut heat = heats.0;
    while heat <= heats.1 + 1e-9 {
        let at = y(heat);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:+.0}</text>",
            LEFT - 6.0,
            at + 4.0,
            (heat - 1.0) * 100.0
        );
        heat += 0.05;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">room pass share, % of area × time (full: as run, hollow: \
         moved along the front)</text>\n<text x=\"16\" y=\"{:.1}\" transform=\"rotate(-90 16 {:.1})\" \
         text-anchor=\"middle\">heat over B1 at 98 %, %</text>",
        0.5 * (LEFT + right),
        HEIGHT - 16.0,
        0.5 * (TOP + bottom),
        0.5 * (TOP + bottom)
    );
}

fn colour(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::AsFound => "#888888",
        Strategy::Expert => "#1f77b4",
        Strategy::BestOpen => "#2ca02c",
        Strategy::Station => "#d62728",
        Strategy::Oracle => "#9467bd",
    }
}
