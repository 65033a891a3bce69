//! Where the text of a file comes from: the folder of the station's file first, then what the program carries inside.
//!
//! The program is one file and must run without the repository; a site that knows its cabinet better than we do puts a
//! file of the same name beside its station file, in `devices/`, `standards/` or `scenarios/`.

use std::path::{Path, PathBuf};

/// No configuration is longer; a longer file is something else.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../devices/", $name, ".toml")))),*]
    };
}

/// The register maps that the program carries, by name. Each has a file of words and what they mean in `config/tests/golden`,
/// or a test fails.
pub const TEMPLATES: &[(&str, &str)] = templates![
    "generic/exchange-station-plc",
    "generic/tuf-2000-heat-meter",
    "abb/acs580",
    "chint/dtsu666",
    "danfoss/ecl-310",
    "danfoss/fc-102",
    "inovance/md-series",
    "samson/trovis-557x",
    "wilo/control-sc-booster",
];

const STANDARDS: [(&str, &str); 5] = [
    ("hanzhong", include_str!("../standards/hanzhong.toml")),
    ("zibo", include_str!("../standards/zibo.toml")),
    ("xinjiang", include_str!("../standards/xinjiang.toml")),
    ("tangshan", include_str!("../standards/tangshan.toml")),
    ("cdha", include_str!("../standards/cdha.toml")),
];

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../scenarios/", $name, ".toml")))),*]
    };
}

/// In the order in which they are listed: the calm first, then what each part of a station can do.
const SCENARIOS: &[(&str, &str)] = scenarios![
    "steady",
    "cold-wave",
    "warm-spell",
    "season-start",
    "pump-trip",
    "pump-without-flow",
    "all-pumps-lost",
    "strainer-clogged",
    "valve-stuck",
    "valve-stiction",
    "valve-leaks",
    "primary-loss",
    "primary-cold",
    "primary-limited",
    "power-cut",
    "power-flicker",
    "emergency-stop",
    "local-and-back",
    "burst",
    "leak-trend",
    "tap-water-lost",
    "relief-stuck",
    "sensor-loss",
    "sensor-ten-ways",
    "outdoor-sensor-in-sun",
    "supply-sensor-low",
    "pressure-frozen",
    "room-loss-burst",
    "communication-loss",
    "wish-storm",
    "operator-day",
    "hot-water",
];

/// The example stations that the program carries, by name.
pub const EXAMPLES: [(&str, &str); 3] = [
    ("demo", include_str!("../stations/demo.toml")),
    ("two-zones", include_str!("../stations/two-zones.toml")),
    ("minimal", include_str!("../stations/minimal.toml")),
];

/// A kind of file that a station refers to by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Devices,
    Standards,
    Scenarios,
}

impl Library {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Library::Devices => "devices",
            Library::Standards => "standards",
            Library::Scenarios => "scenarios",
        }
    }

    fn carried(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Library::Devices => TEMPLATES,
            Library::Standards => &STANDARDS,
            Library::Scenarios => SCENARIOS,
        }
    }

    /// The names that the program carries.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        self.carried().iter().map(|(name, _)| *name)
    }

    /// The file of that name: what to call it, and its text. None if there is none.
    ///
    /// # Errors
    /// If there is one beside the station's file that cannot be read.
    pub(crate) fn find(self, name: &str, beside: Option<&Path>) -> Result<Option<(String, String)>, String> {
        if !is_plain(name) {
            return Ok(None);
        }
        let relative = format!("{}/{name}.toml", self.folder());
        if let Some(folder) = beside {
            let path = folder.join(&relative);
            if path.is_file() {
                return read(&path).map(|text| Some((path.display().to_string(), text)));
            }
        }
        let carried = self.carried().iter().find(|(known, _)| *known == name);
        Ok(carried.map(|(_, text)| (relative, (*text).to_owned())))
    }
}

/// Whether a name stays inside its folder.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    name.split('/').all(part)
}

/// The path of a file that a station file names, relative to its folder.
pub(crate) fn beside(folder: Option<&Path>, name: &str) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

/// The text of a file.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("cannot be opened: {error}"))?.len();
    if length > BYTES_MAX {
        return Err(format!("is {length} bytes long; {BYTES_MAX} is the most that is read"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        format!("is not UTF-8 text: line {line} has other bytes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leaves_its_folder() {
        for bad in ["../zibo", "/etc/passwd", "a//b", "", "a/../b", "zibo.toml", "c:\\x"] {
            assert!(!is_plain(bad), "{bad}");
        }
        assert!(is_plain("generic/exchange-station-plc"));
    }

    #[test]
    fn a_file_beside_the_station_goes_before_the_one_inside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("standards")).unwrap();
        std::fs::write(folder.path().join("standards/zibo.toml"), "# ours").unwrap();
        let (_, text) = Library::Standards.find("zibo", Some(folder.path())).unwrap().unwrap();
        assert_eq!(text, "# ours");
        let (name, _) = Library::Standards.find("cdha", Some(folder.path())).unwrap().unwrap();
        assert_eq!(name, "standards/cdha.toml");
    }
}
