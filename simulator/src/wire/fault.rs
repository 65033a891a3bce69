//! What can go wrong on a line: a closed list, each fault with a word, its arguments and its meaning.
//!
//! The text form is what people type: faults with commas between them, each a word and what it needs in any order:
//! `late 10ms..700ms 5%, silent unit 3, illegal 1007, restart 30s for 2s`. Reading it tells every problem at once, each
//! with what would be right.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A fault of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireFault {
    /// What goes wrong.
    pub kind: Kind,
    /// Of how many answers (of connections, for [`Kind::Refuse`]), 0 to 1. Faults that come by the clock do not look at it.
    pub share: f64,
    /// The only Modbus unit that it is about; all if none is said.
    pub unit: Option<u8>,
}

/// What goes wrong. The words of the text form are in [`WORDS`], in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The answer comes after a time between these two.
    Late {
        /// At least.
        least: Duration,
        /// At most.
        most: Duration,
    },
    /// No answer.
    Silent,
    /// Whatever touches this address is refused with exception 2.
    Illegal {
        /// The protocol address, counted from 0, in every table.
        address: u16,
    },
    /// An exception instead of the answer.
    Exception {
        /// Its code.
        code: u8,
    },
    /// Exception 6 instead of the answer.
    Busy,
    /// Writes are refused with exception 4 and not done.
    DenyWrites,
    /// Writes are acknowledged and not done.
    AckOnly,
    /// Writes are done, and their acknowledgement is lost.
    LostAck,
    /// Another unit's answer, under that unit's number.
    OtherUnit,
    /// The frame that answered the question before, once more, instead of the answer.
    OtherAnswer,
    /// The answer's beginning alone; then the line is closed, or silent.
    Truncate,
    /// Some bits are flipped. On a serial line anywhere, for the checksum to see; elsewhere before the data, because TCP's
    /// own checksum keeps the rest and no reader of Modbus could tell.
    Corrupt,
    /// Bytes that mean nothing come before the answer.
    Noise,
    /// 64 KiB that mean nothing come instead of the answer.
    Flood,
    /// The answer comes twice.
    Duplicate,
    /// The answer comes in one piece with a copy of the one before.
    Glue,
    /// The answer is held back until the next question of the connection, and comes after that one's answer.
    Reorder,
    /// The connection ends before the answer, which then greets whoever asks first on the next one.
    CarryOver,
    /// The answer comes in single bytes.
    Split,
    /// The answer comes in single bytes, slowly.
    SlowLoris {
        /// Bytes of a second.
        bytes_per_second: f64,
    },
    /// Connections are closed as soon as they are made.
    Refuse,
    /// All connections are closed.
    Cut {
        /// From one time to the next.
        every: Duration,
    },
    /// The connections that there are stay open and are never answered again; new ones are, after `lasts`.
    HalfOpen {
        /// From one time to the next.
        every: Duration,
        /// For so long nobody is answered.
        lasts: Duration,
    },
    /// All connections are closed and the port is gone.
    Restart {
        /// From one time to the next, counted from the end of the last.
        every: Duration,
        /// For so long there is no port.
        lasts: Duration,
    },
}

/// A word of the text form.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// As it is written.
    pub example: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// The share of answers when none is written; none for what comes by the clock.
    pub usual_share: Option<f64>,
}

const fn word(name: &'static str, example: &'static str, usual_share: Option<f64>, meaning: &'static str) -> Word {
    Word { name, example, meaning, usual_share }
}

/// Seldom enough that a driver which recovers still gets most of its values, often enough to be met within seconds.
const SELDOM: Option<f64> = Some(0.01);
const ALWAYS: Option<f64> = Some(1.0);

/// Every word there is, in the order of [`Kind`].
pub const WORDS: [Word; 24] = [
    word("late", "late 300ms", ALWAYS, "the answer comes so much later; `late 10ms..700ms` draws the time"),
    word("silent", "silent unit 3", ALWAYS, "no answer"),
    word(
        "illegal",
        "illegal 1007",
        ALWAYS,
        "whatever touches this address (from 0, any table) is refused: exception 2",
    ),
    word("exception", "exception 4 1%", SELDOM, "that exception instead of the answer"),
    word("busy", "busy 5%", SELDOM, "exception 6 instead of the answer"),
    word("deny-writes", "deny-writes", ALWAYS, "writes are refused (exception 4) and not done"),
    word("ack-only", "ack-only 10%", ALWAYS, "writes are acknowledged and not done"),
    word("lost-ack", "lost-ack 10%", ALWAYS, "writes are done, their acknowledgement is lost"),
    word("other-unit", "other-unit 1%", SELDOM, "another unit's answer under that unit's number"),
    word(
        "other-answer",
        "other-answer 1%",
        SELDOM,
        "the frame that answered the question before, once more (RTU: where it looks different)",
    ),
    word("truncate", "truncate 1%", SELDOM, "the answer's beginning alone; then the line is closed, or silent"),
    word("corrupt", "corrupt 1%", SELDOM, "flipped bits: with RTU frames anywhere, else before the data"),
    word("noise", "noise 1%", SELDOM, "bytes that mean nothing come before the answer"),
    word("flood", "flood 1%", SELDOM, "64 KiB that mean nothing instead of the answer"),
    word("duplicate", "duplicate 1%", SELDOM, "the answer comes twice"),
    word("glue", "glue 1%", SELDOM, "the answer comes in one piece with a copy of the one before"),
    word(
        "reorder",
        "reorder 1%",
        SELDOM,
        "the answer is held back and comes after the next one (before it with RTU frames)",
    ),
    word(
        "carry-over",
        "carry-over 1%",
        SELDOM,
        "the connection ends; the answer greets the first question on the next",
    ),
    word("split", "split", ALWAYS, "the answer comes in single bytes"),
    word("slow-loris", "slow-loris 1B/s", ALWAYS, "the answer comes in single bytes at that rate"),
    word("refuse", "refuse 20%", ALWAYS, "connections are closed as soon as they are made"),
    word("cut", "cut 10s", None, "all connections are closed, every so often"),
    word(
        "half-open",
        "half-open 30s for 1s",
        None,
        "connections stay and are never answered again; new ones are, after that",
    ),
    word("restart", "restart 30s for 2s", None, "all connections are closed and the port is gone for that time"),
];

/// How long a restart takes if nothing is said: what small PLCs and serial servers need to listen again.
const RESTART_LASTS: Duration = Duration::from_secs(2);
/// How long a half-open line answers nobody if nothing is said.
const HALF_OPEN_LASTS: Duration = Duration::from_secs(1);
/// The longest time that can be written: a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// More faults than this are a mistake.
const MOST_FAULTS: usize = 64;

impl Kind {
    fn place(self) -> usize {
        match self {
            Kind::Late { .. } => 0,
            Kind::Silent => 1,
            Kind::Illegal { .. } => 2,
            Kind::Exception { .. } => 3,
            Kind::Busy => 4,
            Kind::DenyWrites => 5,
            Kind::AckOnly => 6,
            Kind::LostAck => 7,
            Kind::OtherUnit => 8,
            Kind::OtherAnswer => 9,
            Kind::Truncate => 10,
            Kind::Corrupt => 11,
            Kind::Noise => 12,
            Kind::Flood => 13,
            Kind::Duplicate => 14,
            Kind::Glue => 15,
            Kind::Reorder => 16,
            Kind::CarryOver => 17,
            Kind::Split => 18,
            Kind::SlowLoris { .. } => 19,
            Kind::Refuse => 20,
            Kind::Cut { .. } => 21,
            Kind::HalfOpen { .. } => 22,
            Kind::Restart { .. } => 23,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static Word {
        &WORDS[self.place()]
    }
}

/// The faults of a line, as they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WireFaults(pub Vec<WireFault>);

/// Everything that is wrong with a text of wire faults, a sentence a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BadFaults(pub Vec<String>);

impl FromStr for WireFaults {
    type Err = BadFaults;

    fn from_str(text: &str) -> Result<WireFaults, BadFaults> {
        let mut faults = Vec::new();
        let mut problems = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match read(item) {
                Ok(fault) => faults.push(fault),
                Err(problem) => problems.push(format!("`{item}`: {problem}")),
            }
        }
        if faults.len() > MOST_FAULTS {
            problems.push(format!("{} faults are more than {MOST_FAULTS}", faults.len()));
        }
        if problems.is_empty() { Ok(WireFaults(faults)) } else { Err(BadFaults(problems)) }
    }
}

impl fmt::Display for WireFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for WireFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.kind.word();
        f.write_str(word.name)?;
        match self.kind {
            Kind::Late { least, most } if least == most => write!(f, " {}", Time(least))?,
            Kind::Late { least, most } => write!(f, " {}..{}", Time(least), Time(most))?,
            Kind::Illegal { address } => write!(f, " {address}")?,
            Kind::Exception { code } => write!(f, " {code}")?,
            Kind::SlowLoris { bytes_per_second } => write!(f, " {bytes_per_second}B/s")?,
            Kind::Cut { every } => write!(f, " {}", Time(every))?,
            Kind::HalfOpen { every, lasts } | Kind::Restart { every, lasts } => {
                write!(f, " {} for {}", Time(every), Time(lasts))?;
            }
            Kind::Silent
            | Kind::Busy
            | Kind::DenyWrites
            | Kind::AckOnly
            | Kind::LostAck
            | Kind::OtherUnit
            | Kind::OtherAnswer
            | Kind::Truncate
            | Kind::Corrupt
            | Kind::Noise
            | Kind::Flood
            | Kind::Duplicate
            | Kind::Glue
            | Kind::Reorder
            | Kind::CarryOver
            | Kind::Split
            | Kind::Refuse => {}
        }
        if word.usual_share.is_some_and(|usual| usual != self.share) {
            write!(f, " {}%", self.share * 100.0)?;
        }
        self.unit.map_or(Ok(()), |unit| write!(f, " unit {unit}"))
    }
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{}s", self.0.as_secs())
        } else {
            write!(f, "{}ms", self.0.as_secs_f64() * 1000.0)
        }
    }
}

/// What stands behind a word.
#[derive(Default)]
struct Arguments {
    share: Option<f64>,
    unit: Option<u8>,
    time: Option<(Duration, Duration)>,
    lasts: Option<Duration>,
    number: Option<u16>,
    rate: Option<f64>,
}

fn read(item: &str) -> Result<WireFault, String> {
    let mut tokens = item.split_whitespace();
    let name = tokens.next().unwrap_or_default();
    let Some(place) = WORDS.iter().position(|word| word.name == name) else {
        let near = WORDS.iter().map(|word| word.name).min_by_key(|known| distance(known, name));
        let near = near.filter(|known| distance(known, name) <= 2);
        let guess = near.map(|known| format!("did you mean `{known}`? ")).unwrap_or_default();
        let all = WORDS.map(|word| word.name).join(", ");
        return Err(format!("there is no wire fault `{name}`; {guess}There are: {all}"));
    };
    let word = &WORDS[place];
    let arguments = arguments(tokens, word)?;
    let kind = kind_of(word, &arguments)?;
    if arguments.unit.is_some()
        && matches!(kind, Kind::Refuse | Kind::Cut { .. } | Kind::HalfOpen { .. } | Kind::Restart { .. })
    {
        return Err(format!("it is about connections, which all units share; write `{}`", word.example));
    }
    let share = arguments.share.or(word.usual_share).unwrap_or(1.0);
    Ok(WireFault { kind, share, unit: arguments.unit })
}

fn arguments<'a>(mut tokens: impl Iterator<Item = &'a str>, word: &Word) -> Result<Arguments, String> {
    let mut got = Arguments::default();
    while let Some(token) = tokens.next() {
        let is_twice = match token {
            "unit" => {
                let number = tokens.next().and_then(|text| text.parse::<u8>().ok()).filter(|unit| *unit <= 247);
                let number = number.ok_or("`unit` needs a number from 0 to 247, as in `silent unit 3`")?;
                got.unit.replace(number).is_some()
            }
            "for" => {
                let time = tokens.next().and_then(time).ok_or("`for` needs a time, as in `restart 30s for 2s`")?;
                got.lasts.replace(time).is_some()
            }
            _ => plain_argument(&mut got, token, word)?,
        };
        if is_twice {
            return Err(format!("`{token}` says again what was said; write as in `{}`", word.example));
        }
    }
    Ok(got)
}

/// Takes one argument; true if there was one of its sort already.
fn plain_argument(got: &mut Arguments, token: &str, word: &Word) -> Result<bool, String> {
    if let Some(percent) = token.strip_suffix('%') {
        let share = percent.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
        let share = share.ok_or_else(|| format!("`{token}` is no share; write 0% to 100%"))? / 100.0;
        return Ok(got.share.replace(share).is_some());
    }
    if let Some(rate) = token.strip_suffix("B/s") {
        let rate = rate.parse::<f64>().ok().filter(|rate| (0.01..=1e6).contains(rate));
        let rate = rate.ok_or_else(|| format!("`{token}` is no rate; write as in `1B/s`, 0.01 to 1000000"))?;
        return Ok(got.rate.replace(rate).is_some());
    }
    if let Ok(number) = token.parse::<u16>() {
        return Ok(got.number.replace(number).is_some());
    }
    let times = match token.split_once("..") {
        Some((least, most)) => time(least).zip(time(most)),
        None => time(token).map(|time| (time, time)),
    };
    let Some((least, most)) = times else {
        return Err(format!("`{token}` is not understood; write as in `{}`: {}", word.example, word.meaning));
    };
    if most < least {
        return Err(format!("`{token}` ends before it begins; write the shorter time first"));
    }
    Ok(got.time.replace((least, most)).is_some())
}

fn kind_of(word: &Word, arguments: &Arguments) -> Result<Kind, String> {
    let needs = |what: &str| format!("it needs {what}, as in `{}`", word.example);
    let every = || {
        let time = arguments.time.filter(|(least, most)| least == most && !least.is_zero());
        time.map(|(time, _)| time).ok_or_else(|| needs("one time above 0"))
    };
    let (kind, takes): (Kind, &[Sort]) = match word.name {
        "late" => {
            let (least, most) = arguments.time.ok_or_else(|| needs("a time"))?;
            (Kind::Late { least, most }, &[Sort::Time, Sort::Share])
        }
        "silent" => (Kind::Silent, &[Sort::Share]),
        "illegal" => {
            let address = arguments.number.ok_or_else(|| needs("an address from 0 to 65535"))?;
            (Kind::Illegal { address }, &[Sort::Number])
        }
        "exception" => {
            let code = arguments.number.and_then(|code| u8::try_from(code).ok()).filter(|code| *code > 0);
            (Kind::Exception { code: code.ok_or_else(|| needs("a code from 1 to 255"))? }, &[Sort::Number, Sort::Share])
        }
        "busy" => (Kind::Busy, &[Sort::Share]),
        "deny-writes" => (Kind::DenyWrites, &[Sort::Share]),
        "ack-only" => (Kind::AckOnly, &[Sort::Share]),
        "lost-ack" => (Kind::LostAck, &[Sort::Share]),
        "other-unit" => (Kind::OtherUnit, &[Sort::Share]),
        "other-answer" => (Kind::OtherAnswer, &[Sort::Share]),
        "truncate" => (Kind::Truncate, &[Sort::Share]),
        "corrupt" => (Kind::Corrupt, &[Sort::Share]),
        "noise" => (Kind::Noise, &[Sort::Share]),
        "flood" => (Kind::Flood, &[Sort::Share]),
        "duplicate" => (Kind::Duplicate, &[Sort::Share]),
        "glue" => (Kind::Glue, &[Sort::Share]),
        "reorder" => (Kind::Reorder, &[Sort::Share]),
        "carry-over" => (Kind::CarryOver, &[Sort::Share]),
        "split" => (Kind::Split, &[Sort::Share]),
        "slow-loris" => {
            let bytes_per_second = arguments.rate.ok_or_else(|| needs("a rate"))?;
            (Kind::SlowLoris { bytes_per_second }, &[Sort::Rate, Sort::Share])
        }
        "refuse" => (Kind::Refuse, &[Sort::Share]),
        "cut" => (Kind::Cut { every: every()? }, &[Sort::Time]),
        "half-open" => {
            let lasts = arguments.lasts.unwrap_or(HALF_OPEN_LASTS);
            (Kind::HalfOpen { every: every()?, lasts }, &[Sort::Time, Sort::Lasts])
        }
        _ => {
            let lasts = arguments.lasts.unwrap_or(RESTART_LASTS);
            (Kind::Restart { every: every()?, lasts }, &[Sort::Time, Sort::Lasts])
        }
    };
    for sort in arguments.sorts() {
        if !takes.contains(&sort) {
            return Err(format!("{} means nothing to it; write as in `{}`", sort.name(), word.example));
        }
    }
    Ok(kind)
}

/// A sort of argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Share,
    Time,
    Lasts,
    Number,
    Rate,
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Sort::Share => "a share",
            Sort::Time => "a time",
            Sort::Lasts => "`for`",
            Sort::Number => "a number",
            Sort::Rate => "a rate",
        }
    }
}

impl Arguments {
    fn sorts(&self) -> impl Iterator<Item = Sort> {
        [
            self.share.map(|_| Sort::Share),
            self.time.map(|_| Sort::Time),
            self.lasts.map(|_| Sort::Lasts),
            self.number.map(|_| Sort::Number),
            self.rate.map(|_| Sort::Rate),
        ]
        .into_iter()
        .flatten()
    }
}

/// `300ms`, `1.5s`, `2min`, `1h`.
fn time(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number = text[..split].parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)?;
    let seconds = match &text[split..] {
        "ms" => number / 1000.0,
        "s" => number,
        "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= LONGEST)
}

/// Of Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> WireFaults {
        text.parse().unwrap()
    }

    #[test]
    fn every_word_is_read_as_its_example_and_written_as_it_was_read() {
        for (place, word) in WORDS.iter().enumerate() {
            let faults = parsed(word.example);
            assert_eq!(faults.0[0].kind.place(), place, "{}", word.name);
            assert_eq!(parsed(&faults.to_string()), faults, "{}", word.name);
        }
        let all = WORDS.map(|word| word.example).join(", ");
        assert_eq!(parsed(&all).0.len(), WORDS.len());
    }

    #[test]
    fn arguments_stand_in_any_order_and_what_is_not_said_has_its_usual_value() {
        let late = WireFault {
            kind: Kind::Late { least: Duration::from_millis(10), most: Duration::from_millis(700) },
            share: 0.05,
            unit: Some(3),
        };
        assert_eq!(parsed("late 10ms..0.7s 5% unit 3").0, [late]);
        assert_eq!(parsed("late unit 3 5% 10ms..700ms").0, [late]);
        assert_eq!(late.to_string(), "late 10ms..700ms 5% unit 3");
        assert_eq!(parsed("restart 1min").to_string(), "restart 60s for 2s");
        assert_eq!(parsed("split, glue").0.iter().map(|fault| fault.share).collect::<Vec<_>>(), [1.0, 0.01]);
        assert_eq!(parsed("").0, []);
    }

    #[test]
    fn every_problem_is_told_at_once_with_what_would_be_right() {
        let BadFaults(problems) =
            "latte 300ms, late, cut 5%, cut 10s 5%, silent unit 300, busy 200%, late 2s..1s, slow-loris 1, illegal 99999, \
             restart 3s unit 2, split 1% 2%, exception 0"
                .parse::<WireFaults>()
                .unwrap_err();
        let expected = [
            "`latte 300ms`: there is no wire fault `latte`; did you mean `late`? There are: late, silent, ",
            "`late`: it needs a time, as in `late 300ms`",
            "`cut 5%`: it needs one time above 0, as in `cut 10s`",
            "`cut 10s 5%`: a share means nothing to it; write as in `cut 10s`",
            "`silent unit 300`: `unit` needs a number from 0 to 247",
            "`busy 200%`: `200%` is no share; write 0% to 100%",
            "`late 2s..1s`: `2s..1s` ends before it begins",
            "`slow-loris 1`: it needs a rate, as in `slow-loris 1B/s`",
            "`illegal 99999`: `99999` is not understood; write as in `illegal 1007`",
            "`restart 3s unit 2`: it is about connections, which all units share",
            "`split 1% 2%`: `2%` says again what was said",
            "`exception 0`: it needs a code from 1 to 255",
        ];
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.starts_with(expected), "{problem}\n{expected}");
        }
    }

    #[test]
    fn no_text_panics_the_reader() {
        for text in [
            "late ms",
            "late ..",
            "late 1e400s",
            "late -1s",
            "cut NaNs",
            "unit",
            "for",
            "silent unit",
            "late 5 %",
            "迟到 3s",
            "slow-loris B/s",
            ",,,",
        ] {
            let _ = text.parse::<WireFaults>();
        }
    }
}
