//! House rules that a machine can judge: who may import whom, how long a file may be, no path of anybody's machine.

#![allow(clippy::print_stderr, reason = "a warning that a file grows is for whoever looks at the test's output")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

const POINTS: &str = "heatstation-points";
const CORE: &str = "heatstation-core";
const DRIVERS: &str = "heatstation-drivers";
const SIMULATOR: &str = "heatstation-simulator";
const CONFIG: &str = "heatstation-config";
const DAEMON: &str = "heatstation";
const TESTS: &str = "heatstation-tests";

/// Who of ours may import whom of ours.
const MAY_IMPORT: [(&str, &[&str]); 7] = [
    (POINTS, &[]),
    (CORE, &[POINTS]),
    (DRIVERS, &[POINTS]),
    (SIMULATOR, &[POINTS]),
    (CONFIG, &[POINTS, CORE, DRIVERS]),
    (DAEMON, &[POINTS, CORE, DRIVERS, CONFIG, SIMULATOR]),
    (TESTS, &[POINTS, CORE, DRIVERS, CONFIG, SIMULATOR, DAEMON]),
];

/// The rooms that use nothing else of the world; what their own tests use is another matter.
const NOTHING_BUT: [(&str, &[&str]); 2] = [(POINTS, &["serde"]), (CORE, &["serde"])];

/// What only some rooms know. The tests may look at everything.
const ONLY_IN: [(&str, &[&str]); 10] = [
    ("toml", &[CONFIG]),
    ("schemars", &[CONFIG]),
    ("prometheus-client", &[DAEMON]),
    ("axum", &[DAEMON]),
    ("rusqlite", &[DAEMON]),
    ("sd-notify", &[DAEMON]),
    ("clap", &[DAEMON]),
    ("tokio-modbus", &[DRIVERS, SIMULATOR]),
    ("async-opcua", &[DRIVERS, SIMULATOR, DAEMON]),
    ("anyhow", &[DAEMON]),
];

/// One edge of the graph: from, to, and whether only tests use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    use_in: UsedIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum UsedIn {
    Program,
    ItsTests,
}

fn edge(from: &str, to: &str, use_in: UsedIn) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), use_in }
}

/// What is wrong with these edges, one sentence each.
fn judge(edges: &[Edge]) -> Vec<String> {
    let may_import: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let nothing_but: BTreeMap<&str, &[&str]> = NOTHING_BUT.into_iter().collect();
    let only_in: BTreeMap<&str, &[&str]> = ONLY_IN.into_iter().collect();
    let mut wrong = Vec::new();
    for Edge { from, to, use_in } in edges {
        let Some(allowed) = may_import.get(from.as_str()) else {
            wrong.push(format!("{from} is no room of this house: say in the design who may import it"));
            continue;
        };
        if may_import.contains_key(to.as_str()) {
            if !allowed.contains(&to.as_str()) {
                wrong.push(format!("{from} imports {to}, which it may not know"));
            }
            continue;
        }
        let strict = nothing_but.get(from.as_str()).filter(|_| *use_in == UsedIn::Program);
        if strict.is_some_and(|list| !list.contains(&to.as_str())) {
            wrong.push(format!("{from} imports {to}; it decides or names, and uses nothing of the world"));
        }
        if from != TESTS && only_in.get(to.as_str()).is_some_and(|rooms| !rooms.contains(&from.as_str())) {
            wrong.push(format!("{from} imports {to}, which another room is there for"));
        }
    }
    wrong
}

fn edges_of_the_workspace() -> Vec<Edge> {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo tells its metadata");
    let mut edges = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let use_in =
                if dependency.kind == DependencyKind::Development { UsedIn::ItsTests } else { UsedIn::Program };
            edges.push(edge(package.name.as_str(), &dependency.name, use_in));
        }
    }
    edges
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

#[test]
fn nobody_imports_what_he_may_not_know() {
    let edges = edges_of_the_workspace();
    let rooms: BTreeSet<&str> = edges.iter().map(|edge| edge.from.as_str()).collect();
    for (room, _) in MAY_IMPORT {
        assert!(rooms.contains(room), "{room} was not found: {rooms:?}");
    }
    assert_eq!(judge(&edges), Vec::<String>::new());
}

#[test]
fn a_wrong_edge_is_seen() {
    let wrong = [
        edge(SIMULATOR, CORE, UsedIn::Program),
        edge(SIMULATOR, CORE, UsedIn::ItsTests),
        edge(CORE, DRIVERS, UsedIn::Program),
        edge(POINTS, CORE, UsedIn::Program),
        edge(CONFIG, SIMULATOR, UsedIn::Program),
        edge(DRIVERS, CONFIG, UsedIn::Program),
        edge(CORE, "tokio", UsedIn::Program),
        edge(CORE, "serde_json", UsedIn::Program),
        edge(CORE, "tracing", UsedIn::Program),
        edge(POINTS, "rusqlite", UsedIn::Program),
        edge(DAEMON, "toml", UsedIn::Program),
        edge(CONFIG, "rusqlite", UsedIn::Program),
        edge(SIMULATOR, "axum", UsedIn::Program),
        edge(DAEMON, "tokio-modbus", UsedIn::Program),
        edge("heatstation-attic", POINTS, UsedIn::Program),
    ];
    for edge in wrong {
        assert!(!judge(std::slice::from_ref(&edge)).is_empty(), "{edge:?} goes unseen");
    }
    let right = [
        edge(CORE, "serde_json", UsedIn::ItsTests),
        edge(CONFIG, "toml", UsedIn::Program),
        edge(DAEMON, SIMULATOR, UsedIn::Program),
        edge(TESTS, DAEMON, UsedIn::Program),
    ];
    assert_eq!(judge(&right), Vec::<String>::new());
}

/// House rule: about 600 lines of code without its tests; beyond 700 a file is to be cut, or listed here with the reason.
const LINES_WARN: usize = 600;
const LINES_MAX: usize = 700;
const LONGER_FOR_A_REASON: [(&str, &str); 0] = [];

/// Lines before the tests of the module.
fn lines_of_code(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        let opens = pair[1].trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        pair[0] == "#[cfg(test)]" && opens.starts_with("mod ") && opens.ends_with('{')
    });
    tests.unwrap_or(lines.len())
}

fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    let of_the_tests_crate = inside.starts_with("tests/src");
    !of_the_tests_crate && inside.components().any(|part| ["tests", "tests.rs"].iter().any(|&t| part.as_os_str() == t))
}

#[test]
fn a_file_fits_in_a_head() {
    let mut long = Vec::new();
    let sources: Vec<PathBuf> = files(&root()).into_iter().filter(|path| has_ending(path, &["rs"])).collect();
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    for path in sources.iter().filter(|path| !is_test(path)) {
        let lines = lines_of_code(&fs::read_to_string(path).unwrap());
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if lines > LINES_WARN {
            eprintln!("{name} has {lines} lines of code: think of cutting it");
        }
        if lines > LINES_MAX && !LONGER_FOR_A_REASON.iter().any(|(known, _)| *known == name) {
            long.push((name, lines));
        }
    }
    assert_eq!(long, Vec::new(), "longer than {LINES_MAX} lines without a reason on the list");
}

#[test]
fn tests_do_not_count_as_code() {
    assert_eq!(lines_of_code("a\nb\n#[cfg(test)]\nmod tests {\n c\n}\n"), 2);
    assert_eq!(lines_of_code("a\n#[cfg(test)]\npub(crate) mod tests;\nb\n"), 4);
    assert!(is_test(&root().join("controller/core/src/step/tests.rs")));
    assert!(!is_test(&root().join("tests/src/laws/seen.rs")));
}

/// Roots of somebody's machine; written apart, so that this file does not find itself.
const OF_A_MACHINE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:\\", "Users"),
];

/// The machine's path in this line, if there is one. A path inside of an address, as in `https://host/home/`, is none.
fn machine_path(line: &str) -> Option<&'static str> {
    OF_A_MACHINE.into_iter().find(|root| {
        line.match_indices(root).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || ['.', '_', '-', '}', '*'].contains(&c))
        })
    })
}

#[test]
fn no_source_and_no_page_knows_anybodys_machine() {
    let endings = ["rs", "toml", "md", "yml", "yaml", "json", "sh", "service", "html", "css", "js", "py", "csv", "txt"];
    let found: Vec<String> = files(&root())
        .into_iter()
        .filter(|path| has_ending(path, &endings))
        .filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)))
        .flat_map(|(text, path)| {
            let at = |(number, line): (usize, &str)| {
                machine_path(line).map(|_| format!("{}:{}: {line}", path.display(), number + 1))
            };
            text.lines().enumerate().filter_map(at).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, Vec::<String>::new());
    assert!(machine_path(concat!("see /wo", "rk/main/x")).is_some());
    assert!(machine_path(concat!("path = \"/ho", "me/li/x\"")).is_some());
    assert!(machine_path(concat!("https://example.org/ho", "me/page")).is_none());
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|ending| endings.iter().any(|e| ending == *e))
}

/// All files of the house: not what tools have built or fetched, and nothing hidden.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut list = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("a folder that opens can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let built =
            name.starts_with('.') || name.starts_with("target") || name == "node_modules" || name == "__pycache__";
        if built {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            list.extend(files(&path));
        } else {
            list.push(path);
        }
    }
    list.sort();
    list
}
