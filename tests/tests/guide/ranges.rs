//! The ranges of the tables are those that a file is held to.

use std::collections::BTreeMap;

use crate::keys::{ends_like, key_and_word};
use crate::tables::{PARAMETER, PLANT, Row, TEST, functions, quoted, read, root, rows};

/// The file that has every key.
pub const EVERY_KEY: &str = "config/tests/every_key.toml";

/// The ranges of the control's numbers: what a file is told whose numbers are all far too large.
pub fn ranges() -> BTreeMap<String, Vec<(f64, f64)>> {
    let mut part = String::new();
    let far: Vec<String> = read(EVERY_KEY)
        .lines()
        .map(|line| {
            if line.starts_with('[') {
                line.trim_matches(['[', ']']).clone_into(&mut part);
            }
            let control = ["circuit", "outdoor", "season"].iter().any(|of| part.split('.').next() == Some(of));
            match line.split_once(" = ") {
                Some((key, value)) if control && value.trim().parse::<f64>().is_ok() => format!("{key} = 999999999"),
                _ => line.to_owned(),
            }
        })
        .collect();
    let folder = root().join("config/tests");
    let told = heatstation_config::check(EVERY_KEY, &far.join("\n"), Some(&folder))
        .expect_err("numbers like these are refused");
    let mut ranges: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for problem in told.list() {
        if let Some(range) = pairs(&problem.help).first().filter(|_| problem.what.contains("out of range")) {
            ranges.entry(without_names(&problem.key)).or_default().push(*range);
        }
    }
    ranges
}

/// A key of a problem without the names of circuits, buildings, rooms and the numbers of periods.
pub fn without_names(key: &str) -> String {
    let named = ["circuit", "schedule", "holiday", "special_day", "building", "room"];
    let mut after = "";
    let parts = key.split('.').filter(|part| {
        let keep = !named.contains(&after);
        after = if keep { part } else { "" };
        keep
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Each `low to high` of a text; numbers may have blanks between their thousands.
pub fn pairs(text: &str) -> Vec<(f64, f64)> {
    let mut words: Vec<String> = Vec::new();
    for word in text.replace('−', "-").replace("(off)", "").split_whitespace() {
        let thousands = word.len() >= 3 && word.chars().take(3).all(|c| c.is_ascii_digit());
        match words.last_mut().filter(|last| thousands && last.ends_with(|c: char| c.is_ascii_digit())) {
            Some(last) => last.push_str(word),
            None => words.push(word.to_owned()),
        }
    }
    let number = |word: &String| word.trim_end_matches([',', ';']).parse::<f64>().ok();
    let triples = words.windows(3).filter(|triple| triple[1] == "to");
    triples.filter_map(|triple| Some((number(&triple[0])?, number(&triple[2])?))).collect()
}

/// What is wrong with the ranges of these rows.
pub fn judge_ranges(rows: &[Row], ranges: &BTreeMap<String, Vec<(f64, f64)>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| !row.page.ends_with(PLANT)) {
        let Some(cell) = row.cell("range").filter(|cell| *cell != "as above") else { continue };
        let said = pairs(cell);
        for (_, token) in quoted(row.cell(PARAMETER).unwrap()) {
            let Some(key) = key_and_word(token).0 else { continue };
            let known: Vec<_> = ranges.iter().filter(|(path, _)| ends_like(path, &key)).flat_map(|(_, r)| r).collect();
            if !known.is_empty() && !known.iter().any(|range| said.contains(range)) {
                wrong.push(format!("{}: `{token}` has {known:?}, the row says {cell}", row.place()));
            }
        }
    }
    wrong
}

#[test]
fn each_range_of_the_functions_is_the_one_that_a_file_is_held_to() {
    let ranges = ranges();
    assert!(ranges.len() > 180, "{} ranges", ranges.len());
    let wrong = judge_ranges(&functions(), &ranges);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    let page = format!(
        "| function | {PARAMETER} | range | {TEST} |\n|---|---|---|---|\n| - | `danger_celsius` | 3 to 16 | - |\n"
    );
    assert_eq!(judge_ranges(&rows("a page", &page), &ranges).len(), 1, "a wrong range goes unseen");
    assert_eq!(judge_ranges(&rows("a page", &page.replace("16", "15")), &ranges), Vec::<String>::new());
    assert_eq!(
        pairs("0 (off) to 42, −29 to 9, 0.01 to 20 000, 5 000 to 50 000"),
        [(0.0, 42.0), (-29.0, 9.0), (0.01, 20_000.0), (5000.0, 50_000.0)]
    );
}
