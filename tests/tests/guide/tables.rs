//! The tables of a page.

use std::fs;
use std::path::{Path, PathBuf};

/// What a table of functions has in its first and its last columns.
pub const PARAMETER: &str = "parameter (key)";
pub const TEST: &str = "shown by test";
/// The page of the simulated plant: its parameters are the plant's and the scenarios', not the station's.
pub const PLANT: &str = "plant.md";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// Tables of a page.

/// A row of a table, its cells under their heads.
#[derive(Clone, Debug)]
pub struct Row {
    pub page: String,
    pub line: usize,
    pub heads: Vec<String>,
    pub cells: Vec<String>,
}

impl Row {
    pub fn cell(&self, head: &str) -> Option<&str> {
        let at = self.heads.iter().position(|h| h == head)?;
        self.cells.get(at).map(String::as_str)
    }

    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// The cells of a line of a table; a bar inside of backticks parts none.
pub fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().trim_start_matches('|').chars() {
        quoted ^= c == '`';
        if c == '|' && !quoted {
            cells.push(String::new());
        } else {
            cells.last_mut().unwrap().push(c);
        }
    }
    if cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

pub fn rows(page: &str, text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut heads: Option<Vec<String>> = None;
    for (number, line) in text.lines().enumerate() {
        if !line.trim_start().starts_with('|') {
            heads = None;
        } else if let Some(heads) = &heads {
            let cells = cells(line);
            if !cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c))) {
                rows.push(Row { page: page.to_owned(), line: number + 1, heads: heads.clone(), cells });
            }
        } else {
            heads = Some(cells(line));
        }
    }
    rows
}

/// What stands in backticks, each with the word before it.
pub fn quoted(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    parts
        .chunks_exact(2)
        .map(|pair| (pair[0].split_whitespace().next_back().unwrap_or(""), pair[1].trim()))
        .filter(|(_, inside)| !inside.is_empty())
        .collect()
}

/// `…` and `*` stand for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern = pattern.replace('*', "…");
    let parts: Vec<&str> = pattern.split('…').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    if parts.len() == 1 {
        return first == text;
    }
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    parts[1..parts.len() - 1].iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// The tables of functions.
pub fn functions() -> Vec<Row> {
    let mut pages = vec!["docs/guide/functions.md".to_owned()];
    let mut areas: Vec<String> = fs::read_dir(root().join("docs/guide/functions"))
        .unwrap()
        .map(|entry| format!("docs/guide/functions/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect();
    areas.sort();
    pages.extend(areas);
    let all = pages.iter().flat_map(|page| rows(page, &read(page)));
    all.filter(|row| row.cell(PARAMETER).is_some() && row.cell(TEST).is_some()).collect()
}
