//! Whatever is done to a station's file, the check comes back: with a sound station, or with problems that all have a
//! place. It never panics, and what it passes has no number that is not finite.

use heatstation_config::{EXAMPLES, check};
use proptest::prelude::*;

/// What happens to files: slips of fingers, of editors, of copies.
#[derive(Clone, Debug)]
enum Slip {
    DeleteLine(usize),
    DuplicateLine(usize),
    SwapLines(usize, usize),
    Truncate(usize),
    Number(usize, &'static str),
    RenameKey(usize),
    ByteOrderMark,
    WindowsLineEnds,
    Homoglyph(usize),
    Insert(usize, String),
    DeleteBytes(usize, usize),
}

const NUMBERS: [&str; 16] = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e400",
    "-1e400",
    "1e308",
    "-1",
    "0",
    "-0.0",
    "0.001",
    "4294967296",
    "9223372036854775807",
    "99999999999999999999",
    "0x8000",
    "1_000",
];

fn slip() -> impl Strategy<Value = Slip> {
    let any = 0..10_000_usize;
    prop_oneof![
        any.clone().prop_map(Slip::DeleteLine),
        any.clone().prop_map(Slip::DuplicateLine),
        (any.clone(), any.clone()).prop_map(|(a, b)| Slip::SwapLines(a, b)),
        any.clone().prop_map(Slip::Truncate),
        (any.clone(), prop::sample::select(&NUMBERS[..])).prop_map(|(at, number)| Slip::Number(at, number)),
        (any.clone(), prop::sample::select(&NUMBERS[..])).prop_map(|(at, number)| Slip::Number(at, number)),
        any.clone().prop_map(Slip::RenameKey),
        Just(Slip::ByteOrderMark),
        Just(Slip::WindowsLineEnds),
        any.clone().prop_map(Slip::Homoglyph),
        (any.clone(), "[\\PC\n]{0,12}").prop_map(|(at, text)| Slip::Insert(at, text)),
        (any.clone(), any).prop_map(|(at, length)| Slip::DeleteBytes(at, length % 40)),
    ]
}

fn boundary(text: &str, at: usize) -> usize {
    let at = at % (text.len() + 1);
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The places of the numbers of a text.
fn numbers(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let part = c.is_ascii_digit() || (c == '.' && start.is_some());
        match (start, part) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn apply(text: &str, slip: &Slip) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let line = |at: usize| at % lines.len().max(1);
    match slip {
        _ if lines.is_empty() => text.to_owned(),
        Slip::DeleteLine(at) => {
            lines.remove(line(*at));
            lines.join("\n")
        }
        Slip::DuplicateLine(at) => {
            lines.insert(line(*at), lines[line(*at)]);
            lines.join("\n")
        }
        Slip::SwapLines(a, b) => {
            let (a, b) = (line(*a), line(*b));
            lines.swap(a, b);
            lines.join("\n")
        }
        Slip::Truncate(at) => text[..boundary(text, *at)].to_owned(),
        Slip::Number(at, number) => {
            let places = numbers(text);
            match places.get(at % places.len().max(1)) {
                Some(place) => format!("{}{number}{}", &text[..place.start], &text[place.end..]),
                None => text.to_owned(),
            }
        }
        Slip::RenameKey(at) => {
            let keys: Vec<usize> = text.match_indices(" = ").map(|(at, _)| at).collect();
            match keys.get(at % keys.len().max(1)) {
                Some(&key) => format!("{}x{}", &text[..key], &text[key..]),
                None => text.to_owned(),
            }
        }
        Slip::ByteOrderMark => format!("\u{feff}{text}"),
        Slip::WindowsLineEnds => text.replace('\n', "\r\n"),
        Slip::Homoglyph(at) => {
            let places: Vec<usize> = text.match_indices('e').map(|(at, _)| at).collect();
            match places.get(at % places.len().max(1)) {
                // A Cyrillic letter that looks like the Latin one.
                Some(&place) => format!("{}е{}", &text[..place], &text[place + 1..]),
                None => text.to_owned(),
            }
        }
        Slip::Insert(at, inserted) => {
            let at = boundary(text, *at);
            format!("{}{inserted}{}", &text[..at], &text[at..])
        }
        Slip::DeleteBytes(at, length) => {
            let from = boundary(text, *at);
            let to = boundary(&text[from..], (*length).min(text.len() - from)) + from;
            format!("{}{}", &text[..from], &text[to..])
        }
    }
}

fn comes_back(text: &str) {
    let problems = match check("station.toml", text, None) {
        Ok(station) => {
            let settings = format!("{:?}", station.settings);
            for never in ["(inf)", "(-inf)", "(NaN)", ": inf", ": -inf", ": NaN"] {
                assert!(!settings.contains(never), "{settings}");
            }
            for wire in &station.wires {
                assert_eq!(wire.problems(), []);
            }
            station.warnings
        }
        Err(problems) => {
            assert!(problems.errors() > 0);
            problems
        }
    };
    let lines = text.split('\n').count();
    for problem in problems.list() {
        assert!(!problem.file.is_empty() && !problem.what.is_empty() && !problem.help.is_empty(), "{problem:?}");
        assert!(problem.line >= 1 && problem.column >= 1, "{problem:?}");
        assert!(problem.file != "station.toml" || problem.line <= lines, "{problem:?} of {lines} lines");
    }
    let shown = problems.to_string();
    assert_eq!(shown.is_empty(), problems.list().is_empty());
    let _ = (problems.coloured(), problems.to_json());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_example_is_sound_or_has_problems_with_places(
        example in 0..EXAMPLES.len(),
        slips in prop::collection::vec(slip(), 1..5),
    ) {
        let text = slips.iter().fold(EXAMPLES[example].1.to_owned(), |text, slip| apply(&text, slip));
        comes_back(&text);
    }

    #[test]
    fn any_text_at_all_comes_back(text in "(\\PC|\n|\\[|\\]|=|\"){0,200}") {
        comes_back(&text);
    }
}

#[test]
fn a_file_cut_off_anywhere_comes_back() {
    let text = EXAMPLES[1].1;
    for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)).step_by(7) {
        comes_back(&text[..end]);
    }
}

#[test]
fn every_number_replaced_by_every_oddity_comes_back() {
    let text = EXAMPLES[2].1;
    for place in 0..numbers(text).len() {
        for number in NUMBERS {
            comes_back(&apply(text, &Slip::Number(place, number)));
        }
    }
}
