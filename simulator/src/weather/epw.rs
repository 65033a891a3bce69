//! EnergyPlus weather files: typical years, hour by hour.
//!
//! A file is a year of no particular date; each hour is found by month, day and hour of local standard time, so a season
//! runs over New Year without a seam. Temperatures stand at the end of their hour, radiation is the mean of the hour
//! before the stamp (EnergyPlus Auxiliary Programs, "EPW CSV format").

use std::fs;
use std::path::Path;

use super::{Hour, Interpolation, Weather, WeatherSource, calendar, sun};

const HEADER_LINES: usize = 8;
const HOURS: usize = 8760;
const COLUMNS: usize = 35;

/// Why a weather file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EpwError {
    /// It cannot be read at all.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A field is not what it should be. Lines and columns are counted from 1.
    #[error("line {line}, column {column} ({field}): {what}")]
    Field {
        /// The line.
        line: usize,
        /// The comma-separated column.
        column: usize,
        /// What belongs there.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A line is not what it should be. Lines are counted from 1.
    #[error("line {line}: {what}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// A field that we read: its column from 1, its name, and the range that the format allows.
struct Field {
    column: usize,
    name: &'static str,
    range: (f64, f64),
    /// What the format writes for "missing".
    missing: f64,
}

const MONTH: Field = Field { column: 2, name: "month", range: (1.0, 12.0), missing: f64::INFINITY };
const DAY: Field = Field { column: 3, name: "day", range: (1.0, 31.0), missing: f64::INFINITY };
const HOUR: Field = Field { column: 4, name: "hour", range: (1.0, 24.0), missing: f64::INFINITY };
const DRY_BULB: Field = Field { column: 7, name: "dry bulb temperature", range: (-70.0, 70.0), missing: 99.9 };
const DIRECT: Field = Field { column: 15, name: "direct normal radiation", range: (0.0, 1500.0), missing: 9999.0 };
const DIFFUSE: Field =
    Field { column: 16, name: "diffuse horizontal radiation", range: (0.0, 1500.0), missing: 9999.0 };
const WIND: Field = Field { column: 22, name: "wind speed", range: (0.0, 60.0), missing: 999.0 };
const LATITUDE: Field = Field { column: 7, name: "latitude", range: (-90.0, 90.0), missing: f64::INFINITY };
const LONGITUDE: Field = Field { column: 8, name: "longitude", range: (-180.0, 180.0), missing: f64::INFINITY };
const TIME_ZONE: Field = Field { column: 9, name: "time zone", range: (-12.0, 14.0), missing: f64::INFINITY };

/// A typical year from an EPW file.
#[derive(Clone, Debug)]
pub struct EpwWeather {
    place: String,
    time_zone_hours: f64,
    /// By hour of the year in local standard time: row `h` holds what stands at the beginning of hour `h`.
    rows: Vec<Hour>,
    interpolation: Interpolation,
}

impl EpwWeather {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is cut short, or a field that we need is missing or out of range.
    pub fn read(path: &Path) -> Result<EpwWeather, EpwError> {
        let bytes =
            fs::read(path).map_err(|source| EpwError::Unreadable { path: path.display().to_string(), source })?;
        // Names of places come in many code pages; the numbers are ASCII in all of them.
        EpwWeather::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is cut short, or a field that we need is missing or out of range.
    pub fn parse(text: &str) -> Result<EpwWeather, EpwError> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let (number, first) = lines.next().ok_or(EpwError::Line { line: 1, what: "the file is empty".to_owned() })?;
        let header: Vec<&str> = first.split(',').collect();
        if header[0] != "LOCATION" {
            let what = format!("an EPW file begins with LOCATION, not with {:?}", shortened(header[0]));
            return Err(EpwError::Line { line: number, what });
        }
        let site = sun::Site::new(LATITUDE.read(number, &header)?, LONGITUDE.read(number, &header)?);
        let time_zone_hours = TIME_ZONE.read(number, &header)?;

        let mut rows = vec![Hour::default(); HOURS];
        let mut count = 0;
        for (line, text) in lines.skip(HEADER_LINES - 1).filter(|(_, text)| !text.trim().is_empty()) {
            let columns: Vec<&str> = text.split(',').collect();
            let (month, day) = (MONTH.read(line, &columns)? as usize, DAY.read(line, &columns)? as usize);
            if (month, day) == (2, 29) {
                continue;
            }
            read_hour(line, &columns, (month, day), count, &mut rows)?;
            count += 1;
        }
        if count != HOURS {
            let what = format!("the year has {count} hours instead of {HOURS}; the file ends too early");
            return Err(EpwError::Line { line: HEADER_LINES + count, what });
        }
        let place = header.get(1).copied().unwrap_or_default().to_owned();
        Ok(EpwWeather { place, time_zone_hours, rows, interpolation: Interpolation::new(site) })
    }

    /// The place as the file names it.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Local standard time ahead of UTC: hours.
    pub fn time_zone_hours(&self) -> f64 {
        self.time_zone_hours
    }
}

/// Reads one data line into the rows; `count` hours have come before it.
fn read_hour(
    line: usize,
    columns: &[&str],
    (month, day): (usize, usize),
    count: usize,
    rows: &mut [Hour],
) -> Result<(), EpwError> {
    if columns.len() < WIND.column {
        let what = format!("{} columns instead of {COLUMNS}", columns.len());
        return Err(EpwError::Line { line, what });
    }
    if day > calendar::days_in_month(month) {
        return Err(DAY.wrong(line, format!("month {month} has no day {day}")));
    }
    let stamp = HOUR.read(line, columns)? as usize;
    let place = calendar::typical_day(month, day) * 24 + stamp - 1;
    if place != count {
        let what = format!("month {month}, day {day}, hour {stamp} does not follow the line before it");
        return Err(HOUR.wrong(line, what));
    }
    // Hour 1 ends at 01:00: its temperature is what stands there, its radiation fell from 00:00 on.
    let next = (place + 1) % rows.len();
    rows[next].outdoor = DRY_BULB.read(line, columns)?;
    rows[next].wind = WIND.read(line, columns)?;
    rows[place].direct_normal = DIRECT.read(line, columns)?;
    rows[place].diffuse_horizontal = DIFFUSE.read(line, columns)?;
    Ok(())
}

impl Field {
    fn read(&self, line: usize, columns: &[&str]) -> Result<f64, EpwError> {
        let text = columns
            .get(self.column - 1)
            .ok_or_else(|| EpwError::Line {
                line,
                what: format!("{} columns, too few for {}", columns.len(), self.name),
            })?
            .trim();
        let number: f64 =
            text.parse().map_err(|_| self.wrong(line, format!("{:?} is not a number", shortened(text))))?;
        let (low, high) = self.range;
        // From the missing mark upwards: writers disagree about the number of nines.
        if number >= self.missing {
            Err(self.wrong(line, format!("{text} marks a missing value")))
        } else if !(low..=high).contains(&number) {
            Err(self.wrong(line, format!("{text} is outside {low} to {high}")))
        } else {
            Ok(number)
        }
    }

    fn wrong(&self, line: usize, what: String) -> EpwError {
        EpwError::Field { line, column: self.column, field: self.name, what }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(20).collect()
}

impl WeatherSource for EpwWeather {
    fn at(&mut self, utc_seconds: i64) -> Weather {
        let (rows, zone) = (&self.rows, (self.time_zone_hours * 3600.0) as i64);
        self.interpolation.at(utc_seconds, |hour| {
            // A zone of half hours shifts the rows by half an hour at most; the sun itself is exact.
            let local = (hour * 3600 + zone).div_euclid(3600);
            let (_, month, day) = calendar::civil(local.div_euclid(24));
            rows[calendar::typical_day(month, day) * 24 + local.rem_euclid(24) as usize]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A year in which the temperature is the day of the year over ten, the sun shines at noon and wind is 2.5 m/s.
    fn year() -> Vec<String> {
        let mut lines = vec!["LOCATION,Testhausen,-,CHN,Own,0,39.80,116.47,8.0,31.3".to_owned()];
        lines.extend((1..HEADER_LINES).map(|n| format!("HEADER {n}")));
        for month in 1..=12 {
            for day in 1..=calendar::days_in_month(month) {
                for hour in 1..=24 {
                    let warm = calendar::typical_day(month, day) as f64 / 10.0;
                    let sun = if (11..=14).contains(&hour) { 500 } else { 0 };
                    lines.push(format!(
                        "2005,{month},{day},{hour},0,flags,{warm:.1},0,50,101325,0,0,0,0,{sun},50,0,0,0,0,180,2.5,\
                         0,0,0,0,0,0,0,0,0,0,0,0,0"
                    ));
                }
            }
        }
        lines
    }

    fn error(lines: &[String]) -> String {
        EpwWeather::parse(&lines.join("\n")).unwrap_err().to_string()
    }

    #[test]
    fn a_season_runs_over_new_year_by_month_and_day() {
        let mut weather = EpwWeather::parse(&year().join("\r\n")).unwrap();
        assert_eq!((weather.place(), weather.time_zone_hours()), ("Testhausen", 8.0));
        // 2025-12-31 12:00 in Beijing is 04:00 UTC; the next day is the year's first.
        let noon = 1_767_153_600;
        assert!((weather.at(noon).outdoor.0 - 36.4).abs() < 1e-9);
        assert!((weather.at(noon + 86_400).outdoor.0 - 0.0).abs() < 1e-9);
        assert!((weather.at(noon).direct_normal.0 - 500.0).abs() < 1e-9);
        assert!((weather.at(noon).wind.0 - 2.5).abs() < 1e-9);
        assert_eq!(weather.at(noon + 12 * 3600).diffuse_horizontal.0, 0.0);
    }

    #[test]
    fn between_the_hours_it_is_interpolated() {
        let mut lines = year();
        // 2 January, hours 12 and 13: stamped 12:00 and 13:00.
        lines[HEADER_LINES + 24 + 11] = lines[HEADER_LINES + 24 + 11].replacen("flags,0.1", "flags,4.0", 1);
        lines[HEADER_LINES + 24 + 12] = lines[HEADER_LINES + 24 + 12].replacen("flags,0.1", "flags,6.0", 1);
        let mut weather = EpwWeather::parse(&lines.join("\n")).unwrap();
        let noon = 1_767_326_400; // 2026-01-02 12:00 in Beijing
        assert!((weather.at(noon).outdoor.0 - 4.0).abs() < 1e-9);
        assert!((weather.at(noon + 1800).outdoor.0 - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_bad_file_is_refused_with_the_line_and_the_field() {
        let good = year();

        let mut bad = good.clone();
        bad[99] = bad[99].replacen("flags,0.3", "flags,warm", 1);
        assert_eq!(error(&bad), "line 100, column 7 (dry bulb temperature): \"warm\" is not a number");

        let mut bad = good.clone();
        bad[99] = bad[99].replacen("flags,0.3", "flags,99.9", 1);
        assert_eq!(error(&bad), "line 100, column 7 (dry bulb temperature): 99.9 marks a missing value");

        let mut bad = good.clone();
        bad[99] = bad[99].replacen(",2.5,", ",-3,", 1);
        assert_eq!(error(&bad), "line 100, column 22 (wind speed): -3 is outside 0 to 60");

        assert_eq!(error(&good[..5000]), "line 5000: the year has 4992 hours instead of 8760; the file ends too early");

        let mut bad = good.clone();
        bad[99].truncate(30);
        assert_eq!(error(&bad), "line 100: 10 columns instead of 35");

        let mut bad = good.clone();
        bad.remove(500);
        assert_eq!(
            error(&bad),
            "line 501, column 4 (hour): month 1, day 21, hour 14 does not follow the line before it"
        );

        assert_eq!(error(&["a,b".to_owned()]), "line 1: an EPW file begins with LOCATION, not with \"a\"");
        assert_eq!(error(&[]), "line 1: the file is empty");
        assert_eq!(
            error(&["LOCATION,X,-,CHN,Own,0,95.0,116.47,8.0,31.3".to_owned()]),
            "line 1, column 7 (latitude): 95.0 is outside -90 to 90"
        );
    }
}
