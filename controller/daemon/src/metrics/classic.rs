//! The Prometheus text format 0.0.4, after <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! What differs from OpenMetrics: a counter's `# TYPE` names it with `_total`, an info is a gauge with `_info`, "unknown"
//! is called "untyped", there is no `# UNIT` and no `# EOF`, and in help texts a quote needs no escape.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::{Family, Histogram, Kind, Labels, Number};

pub(super) fn write(families: &[Family]) -> String {
    let mut text = String::with_capacity(1 << 16);
    for family in families {
        // Writing to a string cannot fail.
        let _ = write_family(&mut text, family);
    }
    text
}

fn write_family(text: &mut String, family: &Family) -> fmt::Result {
    let (suffix, kind) = match family.kind {
        Kind::Counter => ("_total", "counter"),
        Kind::Gauge => ("", "gauge"),
        Kind::Histogram => ("", "histogram"),
        Kind::Info => ("_info", "gauge"),
        Kind::Unknown => ("", "untyped"),
    };
    let name = family.full_name() + suffix;
    writeln!(text, "# HELP {name} {}", escaped_help(family.help))?;
    writeln!(text, "# TYPE {name} {kind}")?;
    for sample in &family.samples {
        match &sample.value {
            Number::Whole(number) => line(text, &name, "", &sample.labels, None, number)?,
            Number::Real(number) => line(text, &name, "", &sample.labels, None, number)?,
            Number::Histogram(histogram) => write_histogram(text, &name, &sample.labels, histogram)?,
        }
    }
    Ok(())
}

fn write_histogram(text: &mut String, name: &str, labels: &Labels, histogram: &Histogram) -> fmt::Result {
    let mut cumulated = 0;
    for (bound, count) in &histogram.buckets {
        cumulated += count;
        let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
        line(text, name, "_bucket", labels, Some(&bound), &cumulated)?;
    }
    line(text, name, "_sum", labels, None, &histogram.sum)?;
    line(text, name, "_count", labels, None, &histogram.count)
}

fn line(
    text: &mut String,
    name: &str,
    suffix: &str,
    labels: &Labels,
    bound: Option<&str>,
    value: &impl fmt::Display,
) -> fmt::Result {
    write!(text, "{name}{suffix}")?;
    let all = labels.iter().map(|(key, value)| (*key, value.as_ref())).chain(bound.map(|bound| ("le", bound)));
    let mut separator = '{';
    for (key, value) in all {
        write!(text, "{separator}{key}=\"{}\"", escaped_label(value))?;
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    writeln!(text, " {value}")
}

fn escaped_label(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(value)
    }
}

fn escaped_help(help: &str) -> Cow<'_, str> {
    if help.contains(['\\', '\n']) {
        Cow::Owned(help.replace('\\', "\\\\").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(help)
    }
}
