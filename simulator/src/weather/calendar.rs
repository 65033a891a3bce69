//! Days of the proleptic Gregorian calendar, as far as a typical year needs them.

/// Month (1 to 12) and day of month of a day counted from 1970-01-01, with its year.
///
/// The algorithm of Howard Hinnant's `civil_from_days`: years are counted from March, so that the leap day is the last.
pub(super) fn civil(days: i64) -> (i64, usize, usize) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * from_march + 2) / 5 + 1) as usize;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 } as usize;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Day of a year without leap day, 0 to 364; 29 February is taken as the 28th.
pub(super) fn typical_day(month: usize, day: usize) -> usize {
    const BEFORE: [usize; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let day = if month == 2 { day.min(28) } else { day };
    BEFORE[month - 1] + day - 1
}

/// Days of a month in a year without leap day.
pub(super) const fn days_in_month(month: usize) -> usize {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_known_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_454), (2026, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(typical_day(12, 31), 364);
        assert_eq!(typical_day(2, 29), typical_day(2, 28));
    }
}
