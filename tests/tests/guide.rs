//! The guide is held to the program: each key and each test that the tables of functions name exists, each range is the one
//! that a file is held to, each key has a row,
//! the tables of alarms, interlocks, stages, reasons and requests are the program's own in both languages, and links lead
//! somewhere.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use heatstation_config::schema;
use heatstation_core::alarm::Alarm;
use heatstation_core::band::Because;
use heatstation_core::frost::FrostStage;
use heatstation_core::interlock::Trip;
use heatstation_core::reason::OperationReason;
use heatstation_core::sequence::Stage;
use serde_json::Value as Json;

/// What a table of functions has in its first and its last columns.
const PARAMETER: &str = "parameter (key)";
const TEST: &str = "shown by test";
/// The page of the simulated plant: its parameters are the plant's and the scenarios', not the station's.
const PLANT: &str = "plant.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// Tables of a page.

/// A row of a table, its cells under their heads.
#[derive(Clone, Debug)]
struct Row {
    page: String,
    line: usize,
    heads: Vec<String>,
    cells: Vec<String>,
}

impl Row {
    fn cell(&self, head: &str) -> Option<&str> {
        let at = self.heads.iter().position(|h| h == head)?;
        self.cells.get(at).map(String::as_str)
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// The cells of a line of a table; a bar inside of backticks parts none.
fn cells(line: &str) -> Vec<String> {
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

fn rows(page: &str, text: &str) -> Vec<Row> {
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
fn quoted(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    parts
        .chunks_exact(2)
        .map(|pair| (pair[0].split_whitespace().next_back().unwrap_or(""), pair[1].trim()))
        .filter(|(_, inside)| !inside.is_empty())
        .collect()
}

/// `…` and `*` stand for anything.
fn fits(pattern: &str, text: &str) -> bool {
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
fn functions() -> Vec<Row> {
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

// What a station's file may say.

/// Every key of a file with the tables around it, as in `circuit.frost.danger_celsius`, and every word that a key may have.
#[derive(Debug, Default)]
struct Keys {
    paths: BTreeSet<String>,
    parts: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Keys {
    fn of(schema: &Json) -> Keys {
        let mut keys = Keys::default();
        keys.walk(schema, schema, "");
        keys
    }

    fn walk(&mut self, schema: &Json, here: &Json, path: &str) {
        for word in [here.get("const"), here.get("enum")].into_iter().flatten() {
            let list = word.as_array().cloned().unwrap_or_else(|| vec![word.clone()]);
            self.words.extend(list.iter().filter_map(Json::as_str).map(str::to_owned));
        }
        if let Some(name) = here.get("$ref").and_then(Json::as_str) {
            self.walk(schema, schema.pointer(name.trim_start_matches('#')).expect("a reference leads somewhere"), path);
        }
        for list in ["anyOf", "oneOf", "allOf"].iter().filter_map(|list| here.get(*list)?.as_array()) {
            for one in list {
                self.walk(schema, one, path);
            }
        }
        if let Some(items) = here.get("items") {
            self.walk(schema, items, path);
        }
        for (name, inside) in here.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let before = self.paths.len();
            self.walk(schema, inside, &path);
            if self.paths.len() == before {
                self.paths.insert(path);
            } else {
                self.parts.insert(path);
            }
        }
    }

    /// Whether a key or a part of the file ends like this.
    fn have(&self, pattern: &str) -> bool {
        self.paths.iter().chain(&self.parts).any(|path| ends_like(path, pattern))
    }
}

fn ends_like(path: &str, pattern: &str) -> bool {
    let starts = std::iter::once(0).chain(path.match_indices('.').map(|(at, _)| at + 1));
    starts.into_iter().any(|at| fits(pattern, &path[at..]))
}

/// What a parameter's cell says of the file: a key as the end of its path, and the word that it is given.
fn key_and_word(token: &str) -> (Option<String>, Option<String>) {
    let word = |text: &str| text.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    if let Some(word) = word(token) {
        return (None, Some(word));
    }
    let (key, value) = token.split_once(" = ").map_or((token, None), |(key, value)| (key, Some(value)));
    let plain = key.replace(['[', ']'], " ");
    let key = plain.split_whitespace().collect::<Vec<_>>().join(".");
    (Some(key.trim_start_matches('.').to_owned()), value.and_then(word))
}

/// The variants of an enum in a source, as they are written in JSON.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let text = read(source);
    let start = text.find(&format!("pub enum {name} {{")).unwrap_or_else(|| panic!("{source} has no enum {name}"));
    let body = &text[start..start + text[start..].find("\n}").unwrap()];
    let indented = body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    indented
        .map(|line| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or(""))
        .filter(|name| name.starts_with(char::is_uppercase))
        .map(|name| {
            name.chars().enumerate().fold(String::new(), |mut snake, (at, c)| {
                if c.is_uppercase() && at > 0 {
                    snake.push('_');
                }
                snake.extend(c.to_lowercase());
                snake
            })
        })
        .collect()
}

/// What people can ask.
fn wishes() -> BTreeSet<String> {
    variants("controller/core/src/request.rs", "Wish")
}

/// What is wrong with the parameters of these rows.
fn judge_parameters(rows: &[Row], keys: &Keys, sources: &Sources) -> Vec<String> {
    let wishes = wishes();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| !row.page.ends_with(PLANT)) {
        for (before, token) in quoted(row.cell(PARAMETER).unwrap()) {
            let known = match before {
                "request" => wishes.contains(token),
                "point" => sources.say("controller/points/src/", &format!("\"{token}\"")),
                "metric" => sources.has_metric(token),
                _ => {
                    let (key, word) = key_and_word(token);
                    key.is_none_or(|key| keys.have(&key)) && word.is_none_or(|word| keys.words.contains(&word))
                }
            };
            if !known {
                wrong.push(format!("{}: `{token}` is no key of a station's file", row.place()));
            }
        }
    }
    wrong
}

/// The same for the simulated plant: keys of scenarios and stations, settings of the simulator, options, types.
fn judge_plant(rows: &[Row], keys: &[Keys], sources: &Sources) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.page.ends_with(PLANT)) {
        for (_, token) in quoted(row.cell(PARAMETER).unwrap()) {
            let (key, _) = key_and_word(token);
            let key = key.unwrap_or_default();
            let field = |pattern: &str| sources.fields.iter().any(|field| fits(pattern, field));
            let last = key.rsplit("::").next().unwrap_or("");
            let known = if let Some(option) = token.strip_prefix("--") {
                sources.say("controller/daemon/src/", &format!("{}:", option.replace('-', "_")))
            } else if last.starts_with(char::is_uppercase) {
                ["struct", "enum"].iter().any(|kind| sources.say("simulator/src/", &format!("pub {kind} {last} ")))
            } else {
                keys.iter().any(|keys| keys.have(&key)) || field(last) || token == "plant"
            };
            if !known {
                wrong.push(format!("{}: `{token}` is no parameter of the simulated plant", row.place()));
            }
        }
    }
    wrong
}

// The sources of the house.

/// What the sources have: their tests, their modules, their text.
#[derive(Debug, Default)]
struct Sources {
    texts: BTreeMap<String, String>,
    /// Each test with the files in which it stands.
    tests: BTreeMap<String, Vec<String>>,
    modules: BTreeSet<String>,
    /// Public fields of the simulator's settings.
    fields: BTreeSet<String>,
}

impl Sources {
    fn read() -> Sources {
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

    fn say(&self, folder: &str, words: &str) -> bool {
        self.texts.iter().any(|(name, text)| name.starts_with(folder) && text.contains(words))
    }

    /// A metric is written as its name and its unit, one after the other.
    fn has_metric(&self, name: &str) -> bool {
        let metrics = self.texts.iter().filter(|(path, _)| path.starts_with("controller/daemon/src/metrics"));
        metrics
            .flat_map(|(_, text)| text.split('"'))
            .any(|word| word.starts_with("heatstation_") && (name == word || name.starts_with(&format!("{word}_"))))
    }

    /// Why that is no test, module or file of the house; none if it is.
    fn doubt(&self, token: &str) -> Option<String> {
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

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
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
fn tests_of(text: &str) -> Vec<String> {
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
fn judge_tests(rows: &[Row], sources: &Sources) -> Vec<String> {
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

/// Keys that say what the station is, not what it does.
const NO_FUNCTION: [&str; 6] = [
    "circuit.name",
    "circuit.heated_area_m2",
    "circuit.rooms",
    "circuit.building.name",
    "circuit.room.name",
    "circuit.building.rooms",
];

/// Keys of a station's control that no row names.
fn without_a_row(rows: &[Row], keys: &Keys) -> Vec<String> {
    let mut patterns = BTreeSet::new();
    for row in rows.iter().filter(|row| !row.page.ends_with(PLANT)) {
        patterns.extend(quoted(row.cell(PARAMETER).unwrap()).iter().filter_map(|(_, token)| key_and_word(token).0));
    }
    let control = |path: &&String| ["circuit.", "outdoor.", "season."].iter().any(|part| path.starts_with(part));
    let named = |path: &&String| {
        NO_FUNCTION.contains(&path.as_str()) || patterns.iter().any(|pattern| ends_like(path, pattern))
    };
    keys.paths.iter().filter(control).filter(|path| !named(path)).cloned().collect()
}

#[test]
fn each_parameter_of_the_functions_is_a_key_of_the_station_file_and_each_test_exists() {
    let (rows, sources) = (functions(), Sources::read());
    assert!(rows.len() > 150 && sources.tests.len() > 500, "{} rows, {} tests", rows.len(), sources.tests.len());
    let station = Keys::of(&schema::station());
    assert!(station.paths.len() > 250, "{station:?}");
    let mut wrong = judge_parameters(&rows, &station, &sources);
    wrong.extend(judge_plant(&rows, &[station, Keys::of(&schema::scenario())], &sources));
    wrong.extend(judge_tests(&rows, &sources));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_key_of_the_control_has_a_row_among_the_functions() {
    let missing = without_a_row(&functions(), &Keys::of(&schema::station()));
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn a_wrong_row_is_seen() {
    let (keys, sources) = (Keys::of(&schema::station()), Sources::read());
    let row = |key: &str, test: &str| {
        let page = format!("| function | {PARAMETER} | {TEST} |\n|---|---|---|\n| it heats | {key} | {test} |\n");
        rows("a page", &page)
    };
    let here = "`a_wrong_row_is_seen`";
    for key in
        ["`lust_kelvins`", "`frost.gain`", "`[circuit.frost] gain`", "`mode = \"by-moonlight\"`", "request `sing`"]
    {
        assert_eq!(judge_parameters(&row(key, here), &keys, &sources).len(), 1, "{key} goes unseen");
    }
    for test in ["`a_test_that_nobody_wrote`", "`guide::nobody_…`", "`tests/tests/nowhere.rs`", "`a_…`", "``", ""] {
        let seen = judge_tests(&row("-", test), &sources).len();
        assert_eq!(seen, usize::from(test != "``"), "{test} goes unseen");
    }
    let right =
        "`[circuit.frost] danger_celsius`, `.danger_celsius`, `mode = \"fixed-speed\"`, `danger_…`, request `set_mode`";
    assert_eq!(judge_parameters(&row(right, here), &keys, &sources), Vec::<String>::new());
    let right = "guide `a_wrong_row_is_seen`, `guide::a_wrong_row_…`, `tests/guide.rs`, core `interlock`";
    assert_eq!(judge_tests(&row("-", right), &sources), Vec::<String>::new());
    let missing = without_a_row(&row("`danger_celsius`", here), &keys);
    assert!(missing.contains(&"circuit.frost.water_celsius".to_owned()));
    assert!(!missing.contains(&"circuit.frost.danger_celsius".to_owned()));
}

#[test]
fn a_bar_in_backticks_parts_no_cells_and_dots_stand_for_anything() {
    assert_eq!(cells("| a | `b|c` | |"), ["a", "`b|c`", ""]);
    assert!(fits("a_…_d", "a_b_c_d") && fits("…", "x") && fits("a*", "ab") && fits("a…b…c", "a1b2c"));
    assert!(!fits("a", "ab") && !fits("a_…_d", "a_b") && !fits("a…b…c", "a2c"));
}

// Ranges.

/// The file that has every key.
const EVERY_KEY: &str = "config/tests/every_key.toml";

/// The ranges of the control's numbers: what a file is told whose numbers are all far too large.
fn ranges() -> BTreeMap<String, Vec<(f64, f64)>> {
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
fn without_names(key: &str) -> String {
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
fn pairs(text: &str) -> Vec<(f64, f64)> {
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
fn judge_ranges(rows: &[Row], ranges: &BTreeMap<String, Vec<(f64, f64)>>) -> Vec<String> {
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

// The guides in both languages.

/// A language of the guide: its page, and how it writes a time.
struct Guide {
    page: &'static str,
    between: &'static str,
}

const GUIDES: [Guide; 2] =
    [Guide { page: "docs/guide/en.md", between: ", " }, Guide { page: "docs/guide/zh.md", between: "／" }];

impl Guide {
    /// The rows of all tables by the name that stands in backticks in that column; a row may name several.
    fn rows_by(&self, column: usize) -> BTreeMap<String, Vec<Vec<String>>> {
        let mut by_name: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for row in rows(self.page, &read(self.page)) {
            for (_, name) in quoted(row.cells.get(column).map_or("", String::as_str)) {
                by_name.entry(name.to_owned()).or_default().push(row.cells.clone());
            }
        }
        by_name
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0 => "0".to_owned(),
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// Raised after and cleared after, as the catalogue has them; they are nobody else's business in the program.
fn delays(alarm: Alarm, catalogue: &str) -> (u64, u64) {
    let (_, row) = catalogue.split_once(&format!("\"{}\" P", alarm.name())).unwrap();
    let words: Vec<&str> = row.split([' ', ',']).collect();
    let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1].parse().unwrap();
    (after("on"), after("off"))
}

#[test]
fn both_guides_have_each_alarm_with_its_priority_words_delays_and_advice() {
    let catalogue = read("controller/core/src/alarm.rs");
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let by_name = guide.rows_by(1);
        for &alarm in Alarm::ALL {
            let (on, off) = delays(alarm, &catalogue);
            let delays = format!("{}{}{}", time(on), guide.between, time(off));
            let (chinese, english) = alarm.texts();
            let is = |row: &Vec<String>| {
                let advice = row.get(5).is_some_and(|advice| guide.page.ends_with("zh.md") || advice == alarm.advice());
                row[0] == alarm.priority().name() && row[2..5] == [chinese, english, delays.as_str()] && advice
            };
            let rows = by_name.get(alarm.name()).map_or(&[][..], Vec::as_slice);
            if !rows.iter().any(is) {
                let advice = alarm.advice();
                wrong.push(format!(
                    "{}: | {} | `{}` | {chinese} | {english} | {delays} | {advice} |",
                    guide.page,
                    alarm.priority().name(),
                    alarm.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Names that the program gives, each with the Chinese word beside it in the table.
fn named() -> Vec<(&'static str, &'static str)> {
    let mut list: Vec<(&str, &str)> = Trip::ALL.iter().map(|trip| (trip.name(), trip.texts().0)).collect();
    list.extend(Stage::ALL.iter().map(|stage| (stage.name(), stage.texts().0)));
    list.extend(Because::ALL.iter().map(|because| (because.name(), because.texts().0)));
    list.extend(FrostStage::ALL.iter().map(|stage| (stage.name(), stage.texts().0)));
    list
}

#[test]
fn both_guides_have_each_interlock_stage_limit_and_stage_of_frost_by_its_name() {
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let by_name = guide.rows_by(0);
        for (name, chinese) in named() {
            let rows = by_name.get(name).map_or(&[][..], Vec::as_slice);
            if !rows.iter().any(|row| row[1].contains(chinese)) {
                wrong.push(format!("{}: `{name}` {chinese} has no row", guide.page));
            }
        }
        for trip in Trip::ALL {
            // A mark under valve, circulation and make-up says that it closes or stops them.
            let does = [trip.closes_valve(), trip.stops_circulation(), trip.stops_make_up()];
            let is = |row: &Vec<String>| row.len() > 6 && does == [4, 5, 6].map(|at| !row[at].is_empty());
            if !by_name.get(trip.name()).is_some_and(|rows| rows.iter().any(is)) {
                wrong.push(format!("{}: `{}` acts otherwise: {does:?}", guide.page, trip.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn both_guides_have_each_operation_reason_by_its_number_and_each_request() {
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let reasons = guide.rows_by(1);
        for reason in OperationReason::ALL {
            let (chinese, english) = reason.texts();
            let is = |row: &Vec<String>| {
                row[0] == reason.number().to_string()
                    && row[2].contains(chinese)
                    && row.iter().any(|cell| cell == english)
            };
            if !reasons.get(reason.name()).is_some_and(|rows| rows.iter().any(is)) {
                wrong.push(format!(
                    "{}: | {} | `{}` | {chinese} | {english} |",
                    guide.page,
                    reason.number(),
                    reason.name()
                ));
            }
        }
        let requests = guide.rows_by(0);
        wrong.extend(
            wishes()
                .iter()
                .filter(|wish| !requests.contains_key(*wish))
                .map(|wish| format!("{}: the request `{wish}` has no row", guide.page)),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn both_guides_name_each_part_of_a_station_file() {
    let parts = Keys::of(&schema::station()).parts;
    assert!(parts.contains("circuit.sequence"), "{parts:?}");
    let mut wrong = Vec::new();
    for guide in &GUIDES {
        let text = read(guide.page);
        // What is inside of a device or a part of a circuit is explained by the schema.
        for part in parts.iter().filter(|part| part.matches('.').count() < 2 && !part.starts_with("device.")) {
            if !text.contains(&format!("[{part}]")) {
                wrong.push(format!("{} does not name [{part}]", guide.page));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

// Links.

/// What a page's headings are called in addresses: small letters, digits and dashes.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let plain = headings.map(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || ['-', '_', ' '].contains(c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    plain.collect()
}

/// The links of a page that lead nowhere.
fn dead_links(page: &Path, text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = links.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace));
    ours.filter(|link| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let to = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
        let known = |anchor: &str| fs::read_to_string(&to).is_ok_and(|text| anchors(&text).contains(anchor));
        !to.exists() || (!anchor.is_empty() && !known(anchor))
    })
    .map(|link| format!("{}: {link}", page.display()))
    .collect()
}

#[test]
fn no_link_of_a_page_is_dead() {
    let pages = files(&root(), "md");
    assert!(pages.len() > 15, "{pages:?}");
    let dead: Vec<String> =
        pages.iter().flat_map(|page| dead_links(page, &fs::read_to_string(page).unwrap())).collect();
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
    let page = root().join("README.md");
    for link in ["nowhere.md", "CHANGELOG.md#nowhere", "#nowhere"] {
        assert_eq!(dead_links(&page, &format!("see [there]({link}).")).len(), 1, "{link} goes unseen");
    }
}
