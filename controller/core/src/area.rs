//! Heated area, exact: it is a factor of a legal figure.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// A heated area, kept in hundredths of a square metre so that sums and products are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Area {
    hundredths: u64,
}

impl Area {
    /// An area of that many hundredths of a square metre.
    pub const fn from_hundredths(hundredths: u64) -> Area {
        Area { hundredths }
    }

    /// An area of that many square metres.
    pub const fn from_square_meters(square_meters: u32) -> Area {
        Area { hundredths: square_meters as u64 * 100 }
    }

    /// The exact number.
    pub const fn hundredths(self) -> u64 {
        self.hundredths
    }

    /// For physics and display.
    pub fn square_meters(self) -> f64 {
        self.hundredths as f64 / 100.0
    }
}

impl Add for Area {
    type Output = Area;
    fn add(self, other: Area) -> Area {
        Area { hundredths: self.hundredths + other.hundredths }
    }
}

impl Sum for Area {
    fn sum<I: Iterator<Item = Area>>(areas: I) -> Area {
        areas.fold(Area::default(), Add::add)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} m²", self.square_meters())
    }
}
