//! Where the sun stands: Cooper's declination and Spencer's equation of time, right within half a degree.

use std::f64::consts::{PI, TAU};

/// A place on the globe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    sin_latitude: f64,
    cos_latitude: f64,
    /// Degrees, east positive.
    longitude: f64,
}

impl Site {
    /// From degrees, north and east positive.
    pub fn new(latitude: f64, longitude: f64) -> Site {
        let latitude = latitude.to_radians();
        Site { sin_latitude: latitude.sin(), cos_latitude: latitude.cos(), longitude }
    }

    /// Height over the horizon and direction from north over east, in radians.
    pub fn sun(&self, utc_seconds: i64) -> (f64, f64) {
        let (_, month, day) = super::calendar::civil(utc_seconds.div_euclid(86_400));
        let year_angle = TAU * super::calendar::typical_day(month, day) as f64 / 365.0;
        let declination = 23.45_f64.to_radians() * (year_angle - TAU * 80.0 / 365.0).sin();
        // Minutes that a sundial is ahead of the clock.
        let equation = 229.18
            * (0.000_075 + 0.001_868 * year_angle.cos()
                - 0.032_077 * year_angle.sin()
                - 0.014_615 * (2.0 * year_angle).cos()
                - 0.040_849 * (2.0 * year_angle).sin());
        let solar_minutes = utc_seconds.rem_euclid(86_400) as f64 / 60.0 + 4.0 * self.longitude + equation;
        let hour_angle = (solar_minutes / 4.0 - 180.0).to_radians();

        let (sin_declination, cos_declination) = declination.sin_cos();
        let sin_altitude = self.sin_latitude * sin_declination + self.cos_latitude * cos_declination * hour_angle.cos();
        let altitude = sin_altitude.clamp(-1.0, 1.0).asin();
        let west = hour_angle.sin() * cos_declination;
        let south = hour_angle.cos() * self.sin_latitude * cos_declination - self.cos_latitude * sin_declination;
        (altitude, (PI + west.atan2(south)).rem_euclid(TAU))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_over_beijing_stands_where_the_almanac_says() {
        let beijing = Site::new(39.8, 116.47);
        // 2025-12-21 12:12 local (04:12 UTC), solar noon of the winter solstice: 90 - 39.8 - 23.4 = 26.8°, due south.
        let (altitude, azimuth) = beijing.sun(1_766_290_320);
        assert!((altitude.to_degrees() - 26.8).abs() < 0.5, "{}", altitude.to_degrees());
        assert!((azimuth.to_degrees() - 180.0).abs() < 2.0, "{}", azimuth.to_degrees());
        // In the morning it stands in the south-east, in the evening in the south-west.
        assert!(beijing.sun(1_766_290_320 - 3 * 3600).1 < PI && beijing.sun(1_766_290_320 + 3 * 3600).1 > PI);
        // Midnight is dark.
        assert!(beijing.sun(1_766_290_320 + 12 * 3600).0 < -1.0);
    }
}
