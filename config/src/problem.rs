//! What is wrong with a configuration: all of it at once, each with its place and what would be right.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The station cannot be run so.
    Error,
    /// It can, but somebody will ask why it was left so.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character of the line, counted from 1.
    pub column: usize,
    /// The key, as in `circuit.low-zone.supply_max_celsius`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
    #[serde(skip)]
    place: Place,
}

/// A place in one of the files that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Which file, as [`Sources`] counts them.
    pub file: usize,
    /// From which byte to which.
    pub span: Range<usize>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub name: String,
    pub text: String,
    pub kind: Kind,
}

/// What a file is to the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Station,
    Points,
    Template,
    Standard,
    Scenario,
}

/// All files that were read, the station's own first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources(pub Vec<Source>);

impl Sources {
    /// Line and column of a byte, both counted from 1.
    pub(crate) fn line_and_column(&self, place: &Place) -> (usize, usize) {
        let Some(source) = self.0.get(place.file) else { return (1, 1) };
        let end = whole(&source.text, place.span.start);
        let before = &source.text[..end];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].trim_start_matches('\u{feff}').chars().count() + 1)
    }

    /// The name of a file.
    pub(crate) fn name(&self, file: usize) -> &str {
        self.0.get(file).map_or("?", |source| source.name.as_str())
    }

    /// A problem with its place in words.
    pub(crate) fn problem(&self, severity: Severity, place: Place, key: String, what: String, help: String) -> Problem {
        let (line, column) = self.line_and_column(&place);
        Problem { severity, file: self.name(place.file).to_owned(), line, column, key, what, help, place }
    }
}

/// The nearest character boundary at or below a byte of a text: a span that came from elsewhere must never cut a
/// character in half.
fn whole(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Everything that is wrong, in the order of files and places. Its `Display` is what `heatstation check` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    sources: Sources,
}

impl std::error::Error for Problems {}

impl Problems {
    pub(crate) fn new(mut list: Vec<Problem>, sources: Sources) -> Problems {
        list.sort_by_key(|problem| (problem.place.file, problem.place.span.start));
        Problems { list, sources }
    }

    /// All of them.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of them keep the station from being run.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// As a list of JSON objects with `severity`, `file`, `line`, `column`, `key`, `what` and `help`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.list)
    }

    /// As a compiler would print them, with colours for a terminal.
    pub fn coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let shown: Vec<String> = self.list.iter().map(|problem| renderer.render(&[self.group(problem)])).collect();
        shown.join("\n\n")
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title =
            if problem.key.is_empty() { problem.what.clone() } else { format!("{}: {}", problem.key, problem.what) };
        let group = level.primary_title(title);
        let help = Level::HELP.message(problem.help.as_str());
        let text = self.sources.0.get(problem.place.file).map_or("", |source| source.text.as_str());
        if text.is_empty() {
            // No line to show: a missing or an empty file.
            return group.element(Origin::path(problem.file.as_str())).element(help);
        }
        let snippet = Snippet::source(text)
            .path(problem.file.as_str())
            .annotation(AnnotationKind::Primary.span(shown_span(text, &problem.place.span)));
        group.element(snippet).element(help)
    }
}

/// The part of a span that is marked: inside its first line, at least one character wide where there is one.
fn shown_span(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = whole(text, span.start);
    if start == text.len() {
        // The end of the file stands for "something is missing here": mark the last character that shows.
        start = whole(text, text.trim_end().len().saturating_sub(1));
    }
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |length| start + length);
    let end = whole(text, span.end).clamp(start, line_end);
    if end > start {
        return start..end;
    }
    let next = text[start..line_end].chars().next().map_or(0, char::len_utf8);
    start..start + next
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}
