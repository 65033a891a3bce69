//! Topic filters as they are written in a station's file: those of MQTT, with `{id}` for the one level that names a sensor.

use std::fmt;

use serde::Serialize;

/// MQTT allows 65 535 bytes; what is longer than this is no topic of a sensor.
const BYTES_MAX: usize = 512;

/// A topic filter, as in `rooms/{id}/state`, `weather/#` or `outdoor/roof`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    written: String,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Level {
    Word(String),
    /// `+`
    Any,
    /// `{id}`
    Id,
    /// `#`
    Rest,
}

/// Why a text is no topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFilter {
    /// Empty, too long or with a control character.
    #[error("it is empty, longer than 512 bytes, or has control characters")]
    Text,
    /// A wildcard is only a part of a level.
    #[error("`+`, `#` and `{{id}}` stand for whole levels between slashes, and `#` only at the end")]
    Wildcard,
    /// The id is named more than once.
    #[error("`{{id}}` stands in it twice")]
    TwoIds,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Filter, NotAFilter> {
        if text.is_empty() || text.len() > BYTES_MAX || text.chars().any(char::is_control) {
            return Err(NotAFilter::Text);
        }
        let parts: Vec<&str> = text.split('/').collect();
        let last = parts.len() - 1;
        let level = |(place, part): (usize, &&str)| match *part {
            "+" => Ok(Level::Any),
            "{id}" => Ok(Level::Id),
            "#" if place == last => Ok(Level::Rest),
            part if part.contains(['+', '#', '{', '}']) => Err(NotAFilter::Wildcard),
            part => Ok(Level::Word(part.to_owned())),
        };
        let levels: Vec<Level> = parts.iter().enumerate().map(level).collect::<Result<_, _>>()?;
        if levels.iter().filter(|level| **level == Level::Id).count() > 1 {
            return Err(NotAFilter::TwoIds);
        }
        Ok(Filter { written: text.to_owned(), levels })
    }

    /// As it is written in the file.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// As a broker is asked.
    pub fn asked(&self) -> String {
        let level = |level: &Level| match level {
            Level::Word(word) => word.clone(),
            Level::Any | Level::Id => "+".to_owned(),
            Level::Rest => "#".to_owned(),
        };
        self.levels.iter().map(level).collect::<Vec<_>>().join("/")
    }

    /// Whether a level of it names a sensor.
    pub fn has_id(&self) -> bool {
        self.levels.contains(&Level::Id)
    }

    /// Whether it is one topic and no other.
    pub fn is_one_topic(&self) -> bool {
        self.levels.iter().all(|level| matches!(level, Level::Word(_)))
    }

    /// Whether a topic is one of these, and the level of it that names a sensor; the whole topic if none does.
    pub fn id_in<'a>(&self, topic: &'a str) -> Option<&'a str> {
        // What a broker says of itself is not meant by a wildcard (MQTT 5.0, 4.7.2).
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Word(_))) {
            return None;
        }
        let mut id = topic;
        let mut parts = topic.split('/');
        for level in &self.levels {
            let part = parts.next();
            match level {
                Level::Rest => return Some(id),
                Level::Word(word) => part.filter(|part| part == word).map(drop)?,
                Level::Any => part.map(drop)?,
                Level::Id => id = part?,
            }
        }
        parts.next().is_none().then_some(id)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<'a>(filter: &str, topic: &'a str) -> Option<&'a str> {
        Filter::parse(filter).unwrap().id_in(topic)
    }

    #[test]
    fn the_level_that_names_a_sensor_is_found() {
        assert_eq!(id("rooms/{id}/state", "rooms/A1/state"), Some("A1"));
        assert_eq!(id("{id}/#", "A1/x/y"), Some("A1"));
        assert_eq!(id("+/{id}", "any/A1"), Some("A1"));
        assert_eq!(id("roof", "roof"), Some("roof"));
        assert_eq!(Filter::parse("rooms/{id}/#").unwrap().asked(), "rooms/+/#");
    }

    #[test]
    fn other_topics_are_not_meant() {
        for (filter, topic) in [
            ("rooms/{id}/state", "rooms/A1"),
            ("rooms/{id}/state", "rooms/A1/state/x"),
            ("rooms/{id}/state", "halls/A1/state"),
            ("rooms/+", "rooms"),
            ("#", "$SYS/broker/uptime"),
            ("+/x", "$SYS/x"),
            ("a", "b"),
        ] {
            assert_eq!(id(filter, topic), None, "{filter} {topic}");
        }
        assert_eq!(id("rooms/#", "rooms"), Some("rooms"), "# is also the level above");
    }

    #[test]
    fn what_is_no_filter_is_told_why() {
        for (text, why) in [
            ("", NotAFilter::Text),
            ("a\nb", NotAFilter::Text),
            ("a/#/b", NotAFilter::Wildcard),
            ("a/b+", NotAFilter::Wildcard),
            ("a/{name}", NotAFilter::Wildcard),
            ("a/x{id}", NotAFilter::Wildcard),
            ("{id}/{id}", NotAFilter::TwoIds),
        ] {
            assert_eq!(Filter::parse(text), Err(why), "{text:?}");
        }
    }
}
