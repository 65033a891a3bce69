//! A slip of the pen in a sound example, and the one problem that it must lead to.

use std::path::Path;

use heatstation_config::{EXAMPLES, Problem, check};

pub fn example(name: &str) -> &'static str {
    EXAMPLES.into_iter().find(|(known, _)| *known == name).expect("an example").1
}

pub fn told(text: &str, folder: Option<&Path>) -> Vec<Problem> {
    match check("station.toml", text, folder) {
        Ok(station) => station.warnings.list().to_vec(),
        Err(problems) => problems.list().to_vec(),
    }
}

/// Replaces in a sound example and expects exactly one problem: with that key, in the line that says `line`, and with
/// `what` in its words.
pub fn slip(name: &str, from: &str, to: &str, key: &str, line: &str, what: &str) {
    let text = example(name);
    assert!(text.contains(from), "{name} does not say {from:?}");
    let text = text.replacen(from, to, 1);
    let problems = told(&text, None);
    let [problem] = problems.as_slice() else { panic!("{from:?} to {to:?}: {problems:#?}") };
    assert_eq!(problem.key, key, "{problem:#?}");
    let shown = text.lines().nth(problem.line - 1).unwrap_or_default();
    assert!(shown.contains(line), "{problem:#?} stands in {shown:?}, expected {line:?}");
    assert!(format!("{} {}", problem.what, problem.help).contains(what), "{problem:#?}, expected {what:?}");
}
