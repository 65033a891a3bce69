//! The sources of the house: their tests, their modules, their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tables::{Row, TEST, fits, quoted, root};

/// What the sources have: their tests, their modules, their text.
#[derive(Debug, Default)]
pub struct Sources {
    pub texts: BTreeMap<String, String>,
    /// Each test with the files in which it stands.
    pub tests: BTreeMap<String, Vec<String>>,
    pub modules: BTreeSet<String>,
    /// Public fields of the simulator's settings.
    pub fields: BTreeSet<String>,
}

impl Sources {
    pub fn read() -> Sources {
        let mut sources = Sources::default();
        let folders = ["controller", "config", "drivers", "simulator", "tests"];
        for path in folders.iter().flat_map(|folder| files(&root().join(folder), "rs")) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            for test in tests_of(&text) {
                sources.tests.entry(test).or_default().push(name.clone());
            }
            sources.modules.extend(name.trim_end_matches(".rs").split('/').map(str::to_owned));
            if name.starts_with("simulator/src") {
                let fields = text.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "));
                sources.fields.extend(fields.map(|(field, _)| field.to_owned()));
            }
            sources.texts.insert(name, text);
        }
        sources
    }

    pub fn say(&self, folder: &str, words: &str) -> bool {
        self.texts.iter().any(|(name, text)| name.starts_with(folder) && text.contains(words))
    }

    /// A metric is written as its name and its unit, one after the other.
    pub fn has_metric(&self, name: &str) -> bool {
        let metrics = self.texts.iter().filter(|(path, _)| path.starts_with("controller/daemon/src/metrics"));
        metrics
            .flat_map(|(_, text)| text.split('"'))
            .any(|word| word.starts_with("heatstation_") && (name == word || name.starts_with(&format!("{word}_"))))
    }

    /// Why that is no test, module or file of the house; none if it is.
    pub fn doubt(&self, token: &str) -> Option<String> {
        if Path::new(token).extension().is_some_and(|ending| ending == "rs") {
            let known = self.texts.keys().any(|name| name == token || name.ends_with(&format!("/{token}")));
            return (!known).then(|| format!("`{token}` is no file"));
        }
        let (path, name) = token.rsplit_once("::").unwrap_or(("", token));
        let inside = |file: &String| {
            let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
            path.split("::").all(|part| part.is_empty() || part == "tests" || parts.contains(&part))
        };
        if self.modules.contains(name) {
            let known = self.texts.keys().any(|file| inside(file) && file.trim_end_matches(".rs").ends_with(name));
            return (!known).then(|| format!("`{token}` is no module"));
        }
        let found: Vec<&String> = self
            .tests
            .iter()
            .filter(|(test, files)| fits(name, test) && files.iter().any(inside))
            .map(|(t, _)| t)
            .collect();
        match found.as_slice() {
            [] => Some(format!("`{token}` is no test")),
            [_] => None,
            several => Some(format!("`{token}` may be any of {several:?}")),
        }
    }
}

pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut list = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with("target") && !name.starts_with('.') {
            list.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            list.push(path);
        }
    }
    list
}

/// The functions of a source that are tests.
pub fn tests_of(text: &str) -> Vec<String> {
    let mut marked = false;
    let mut tests = Vec::new();
    for line in text.lines().map(str::trim) {
        marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        let function = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
        if let Some(function) = function.filter(|_| marked) {
            marked = false;
            tests.push(function.split(['(', '<']).next().unwrap_or("").to_owned());
        }
    }
    tests
}

/// What is wrong with the tests of these rows.
pub fn judge_tests(rows: &[Row], sources: &Sources) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let cell = row.cell(TEST).unwrap();
        if cell.is_empty() {
            wrong.push(format!("{}: nothing shows {}", row.place(), row.cells[0]));
        }
        let doubts = quoted(cell).into_iter().filter_map(|(_, token)| sources.doubt(token));
        wrong.extend(doubts.map(|doubt| format!("{}: {doubt}", row.place())));
    }
    wrong
}
