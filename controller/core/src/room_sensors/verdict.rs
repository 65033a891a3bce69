//! What is thought of a room sensor.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::ROOMS_MAX;

macro_rules! verdicts {
    ($($variant:ident $name:literal, $chinese:literal, $english:literal;)*) => {
        /// What is thought of a room sensor: it counts, or why it does not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Verdict {
            $(#[doc = $english] $variant,)*
        }

        impl Verdict {
            /// All of them, in the order in which they are looked at.
            pub const ALL: &'static [Verdict] = &[$(Verdict::$variant,)*];

            /// The name in metrics, records and the API.
            pub const fn name(self) -> &'static str {
                match self { $(Verdict::$variant => $name,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Verdict::$variant => ($chinese, $english),)* }
            }
        }
    };
}

verdicts! {
    Counted "counted", "有效", "counts";
    Misplaced "misplaced", "位置不当, 已修正", "far from the others in the long run: corrected, counts";
    Recalled "recalled", "偏冷过多, 重新计入", "too many read cold to leave it out: counts";
    Silent "silent", "无数据", "silent";
    OutOfRange "out_of_range", "超出范围", "outside of what rooms can be";
    Stuck "stuck", "数值不变", "stands still while the other rooms move";
    Closed "closed", "疑似空置或阀门关闭", "flat without heat: empty, or its valve closed";
    Window "window", "疑似开窗", "window open";
    Spike "spike", "突变", "jumped away from its last hours";
}

impl Default for Verdict {
    /// Nobody has heard it yet.
    fn default() -> Self {
        Verdict::Silent
    }
}

impl Verdict {
    /// Whether its value is used.
    pub const fn counts(self) -> bool {
        match self {
            Verdict::Counted | Verdict::Misplaced | Verdict::Recalled => true,
            Verdict::Silent
            | Verdict::OutOfRange
            | Verdict::Stuck
            | Verdict::Closed
            | Verdict::Window
            | Verdict::Spike => false,
        }
    }

    /// Whether a room that reads cold may be left out by it.
    pub(super) const fn is_of_cold(self) -> bool {
        match self {
            Verdict::OutOfRange | Verdict::Closed | Verdict::Window | Verdict::Spike => true,
            Verdict::Counted | Verdict::Misplaced | Verdict::Recalled | Verdict::Silent | Verdict::Stuck => false,
        }
    }

    /// Whether the room is soon as it was, and meanwhile where it is known to be.
    pub(super) const fn passes(self) -> bool {
        match self {
            Verdict::Silent | Verdict::Stuck | Verdict::Window | Verdict::Spike => true,
            Verdict::Counted | Verdict::Misplaced | Verdict::Recalled | Verdict::OutOfRange | Verdict::Closed => false,
        }
    }

    /// Whether somebody should go and look at the sensor or the flat.
    pub const fn wants_a_visit(self) -> bool {
        match self {
            Verdict::Misplaced | Verdict::OutOfRange | Verdict::Stuck | Verdict::Closed => true,
            Verdict::Counted | Verdict::Recalled | Verdict::Silent | Verdict::Window | Verdict::Spike => false,
        }
    }
}

/// How many sensors have each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerdictCounts([u16; Verdict::ALL.len()]);

impl VerdictCounts {
    /// Counts them.
    pub fn of(verdicts: impl Iterator<Item = Verdict>) -> VerdictCounts {
        let mut counts = VerdictCounts::default();
        for verdict in verdicts {
            counts.0[verdict as usize] += 1;
        }
        counts
    }

    /// How many have this one.
    pub fn number(&self, verdict: Verdict) -> u16 {
        self.0[verdict as usize]
    }

    /// Every verdict with its number, in order.
    pub fn all(&self) -> impl Iterator<Item = (Verdict, u16)> + '_ {
        Verdict::ALL.iter().map(|&verdict| (verdict, self.number(verdict)))
    }

    /// How many somebody should look at.
    pub fn to_be_visited(&self) -> u16 {
        self.all().filter(|(verdict, _)| verdict.wants_a_visit()).map(|(_, number)| number).sum()
    }
}

/// The verdict of each sensor, in the order of the configuration. A fixed place for each, so that a step allocates nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomVerdicts {
    verdicts: [Verdict; ROOMS_MAX],
    count: usize,
}

impl Default for RoomVerdicts {
    fn default() -> Self {
        RoomVerdicts { verdicts: [Verdict::default(); ROOMS_MAX], count: 0 }
    }
}

impl RoomVerdicts {
    pub(super) fn of(verdicts: impl Iterator<Item = Verdict>) -> RoomVerdicts {
        let mut all = RoomVerdicts::default();
        for verdict in verdicts.take(ROOMS_MAX) {
            all.verdicts[all.count] = verdict;
            all.count += 1;
        }
        all
    }

    /// One after the other.
    pub fn as_slice(&self) -> &[Verdict] {
        &self.verdicts[..self.count]
    }
}

impl Serialize for RoomVerdicts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.count))?;
        for verdict in self.as_slice() {
            list.serialize_element(verdict)?;
        }
        list.end()
    }
}
