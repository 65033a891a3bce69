//! Which of the two text formats a scraper gets.

/// A text format for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4, which every scraper reads.
    Classic,
    /// OpenMetrics 1.0, for those who ask for it.
    OpenMetrics,
}

impl Format {
    /// What the `Accept` header prefers. OpenMetrics only where it is named: a browser's `*/*` gets plain text.
    pub fn wanted(accept: Option<&str>) -> Format {
        let Some(accept) = accept else { return Format::Classic };
        let (mut open, mut plain) = (0.0_f64, 0.0_f64);
        for range in accept.split(',').take(RANGES_MAX).filter_map(Range::parse) {
            match range.media.as_str() {
                "application/openmetrics-text" if range.version.is_none_or(|version| version == "1.0.0") => {
                    open = open.max(range.weight);
                }
                "text/plain" | "text/*" | "*/*" => plain = plain.max(range.weight),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Format::OpenMetrics } else { Format::Classic }
    }

    /// The `Content-Type` to answer with.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// More are not looked at: Prometheus sends five.
const RANGES_MAX: usize = 32;

struct Range<'a> {
    media: String,
    version: Option<&'a str>,
    weight: f64,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Range<'a>> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let (mut version, mut weight) = (None, 1.0);
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "version" => version = Some(value),
                // A weight that cannot be read is no wish at all.
                "q" => weight = value.parse::<f64>().ok().filter(|q| (0.0..=1.0).contains(q))?,
                _ => {}
            }
        }
        Some(Range { media, version, weight })
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{self, Classic, OpenMetrics};

    #[test]
    fn openmetrics_goes_to_those_who_ask_for_it_and_plain_text_to_all_others() {
        // Prometheus 2.53 and 3.x, word for word.
        let prometheus_2 = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let cases = [
            (None, Classic),
            (Some(prometheus_2), OpenMetrics),
            (Some(prometheus_3), OpenMetrics),
            (Some("*/*"), Classic),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Classic),
            (Some("application/openmetrics-text"), OpenMetrics),
            (Some("Application/OpenMetrics-Text; version=\"1.0.0\""), OpenMetrics),
            (Some("application/openmetrics-text; version=0.0.1"), Classic),
            (Some("application/openmetrics-text; version=2.0.0, text/plain"), Classic),
            (Some("application/openmetrics-text;q=0"), Classic),
            (Some("application/openmetrics-text;q=0.2, text/plain;q=0.9"), Classic),
            (Some("application/openmetrics-text;q=nonsense"), Classic),
            (Some(""), Classic),
            (Some(";;;,,,q=1"), Classic),
        ];
        for (accept, format) in cases {
            assert_eq!(Format::wanted(accept), format, "{accept:?}");
        }
    }
}
