//! The process image: the latest sample of each point, and the only judge of their age.
//!
//! ```text
//!  age <= 3 periods + 1 s : good        <= 10 periods, at least 10 s : uncertain, stale        beyond : bad, too old
//! ```
//!
//! A failed read does not erase the value before it: the device may have missed one question. It goes on ageing, and when
//! it is too old the reading says why nothing new came.

use std::time::Duration;

use heatstation_points::{Catalogue, Direction, Doubt, Fault, Pace, Point, Reading, Readings, Sample, Value};

/// A value counts as fresh for this many reading periods, and a second for the way.
const FRESH_PERIODS: u32 = 3;
const FRESH_GRACE: Duration = Duration::from_secs(1);
/// A value is held on to for this many periods.
const STALE_PERIODS: u32 = 10;
/// And at least this long: one reconnect of a wire must not blind the control.
const STALE_MIN: Duration = Duration::from_secs(10);

/// The usual reading period of a pace, where the configuration says nothing else.
pub const fn usual_period(pace: Pace) -> Duration {
    match pace {
        Pace::Safety => Duration::from_secs(1),
        Pace::Control => Duration::from_secs(2),
        Pace::Meter => Duration::from_secs(10),
        Pace::Slow => Duration::from_secs(60),
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    period: Duration,
    last: Option<Last>,
    /// What came instead of a value, last.
    fault: Fault,
}

/// The last value that came.
#[derive(Clone, Copy, Debug)]
struct Last {
    value: Value,
    taken_at: Duration,
    /// What its sender says against it.
    doubt: Option<Doubt>,
}

/// The image of one station.
#[derive(Debug)]
pub struct Image {
    slots: Vec<(Point, Option<Slot>)>,
}

impl Image {
    /// An empty image for the points that are read, each with its reading period.
    pub fn new(catalogue: &Catalogue, read: impl IntoIterator<Item = (Point, Duration)>) -> Image {
        let mut slots: Vec<(Point, Option<Slot>)> =
            catalogue.definitions().iter().map(|definition| (definition.point, None)).collect();
        for (point, period) in read {
            let slot =
                catalogue.slot(point).filter(|&slot| catalogue.definitions()[slot].direction == Direction::Input);
            if let Some(slot) = slot {
                slots[slot].1 = Some(Slot { period, last: None, fault: Fault::NeverRead });
            }
        }
        Image { slots }
    }

    /// Adds a point that turned out to be read, or gives it another period.
    pub fn watch(&mut self, catalogue: &Catalogue, point: Point, period: Duration) {
        if let Some(slot) = catalogue.slot(point) {
            let slot = self.slots[slot].1.get_or_insert(Slot { period, last: None, fault: Fault::NeverRead });
            slot.period = period;
        }
    }

    /// Takes what a wire has. `slot_of` is the catalogue's order.
    pub fn take(&mut self, catalogue: &Catalogue, samples: &[Sample]) {
        for sample in samples {
            let slot = catalogue.slot(sample.point).and_then(|slot| self.slots[slot].1.as_mut());
            let Some(slot) = slot else { continue };
            match sample.value {
                Ok(value) => slot.last = Some(Last { value, taken_at: sample.taken_at, doubt: sample.doubt }),
                Err(fault) => {
                    slot.fault = fault;
                    // The device itself says that the sensor is broken, or answered nonsense: the old value is no
                    // longer what it has to say.
                    let retracts =
                        matches!(fault, Fault::SensorBroken | Fault::Implausible | Fault::NotFinite | Fault::Refused);
                    if retracts && sample.taken_at > slot.last.map_or(Duration::ZERO, |last| last.taken_at) {
                        slot.last = None;
                    }
                }
            }
        }
    }

    /// One point as it stands at `now`, on the wires' clock.
    fn judge(slot: &Slot, now: Duration) -> Reading<Value> {
        let Some(Last { value, taken_at, doubt }) = slot.last else { return Reading::bad(slot.fault) };
        let age = now.saturating_sub(taken_at);
        if age <= slot.period * FRESH_PERIODS + FRESH_GRACE {
            doubt.map_or(Reading::Good { value, age }, |doubt| Reading::Uncertain { value, age, doubt })
        } else if age <= (slot.period * STALE_PERIODS).max(STALE_MIN) {
            Reading::Uncertain { value, age, doubt: Doubt::Stale }
        } else {
            let fault = if slot.fault == Fault::NeverRead { Fault::TooOld } else { slot.fault };
            Reading::Bad { last: Some(value), fault }
        }
    }

    /// The snapshot for one cycle, into a `Readings` made for the same catalogue; and by slots, for showing.
    pub fn snapshot(&self, now: Duration, readings: &mut Readings, by_slot: &mut Vec<Reading<Value>>) {
        by_slot.clear();
        for (point, slot) in &self.slots {
            let reading = slot.as_ref().map_or(Reading::bad(Fault::NotConfigured), |slot| Self::judge(slot, now));
            readings.put(*point, reading);
            by_slot.push(reading);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatstation_points::{CircuitIndex, CircuitNames, CircuitSignal, Quality};

    const SUPPLY: Point = Point::Circuit(CircuitIndex(0), CircuitSignal::SupplyTemperature);

    fn catalogue() -> Catalogue {
        let names = CircuitNames { name: "low".to_owned(), circulation_pumps: 1, ..CircuitNames::default() };
        Catalogue::new(vec![names], vec![]).unwrap()
    }

    fn qualities(samples: &[(u64, Result<f64, Fault>)], at: &[u64]) -> Vec<Quality> {
        let catalogue = catalogue();
        let definition = catalogue.definition(SUPPLY).unwrap();
        let mut image = Image::new(&catalogue, [(SUPPLY, Duration::from_secs(1))]);
        for &(second, value) in samples {
            let value = value.map(|number| definition.accept(number).unwrap());
            image.take(&catalogue, &[Sample::plain(SUPPLY, value, Duration::from_secs(second))]);
        }
        let (mut readings, mut by_slot) = (Readings::empty(&catalogue), Vec::new());
        at.iter()
            .map(|&second| {
                image.snapshot(Duration::from_secs(second), &mut readings, &mut by_slot);
                readings.circuits[0].own.supply_temperature.quality()
            })
            .collect()
    }

    #[test]
    fn a_value_is_good_then_stale_then_too_old() {
        let stale = Quality::Uncertain(Doubt::Stale);
        let seen = qualities(&[(0, Ok(60.0))], &[1, 4, 5, 10, 11]);
        assert_eq!(seen, [Quality::Good, Quality::Good, stale, stale, Quality::Bad(Fault::TooOld)]);
    }

    #[test]
    fn one_missed_answer_does_not_erase_the_value() {
        assert_eq!(qualities(&[(0, Ok(60.0)), (1, Err(Fault::Silent))], &[2]), [Quality::Good]);
        assert_eq!(qualities(&[(0, Ok(60.0)), (1, Err(Fault::Silent))], &[20]), [Quality::Bad(Fault::Silent)]);
    }

    #[test]
    fn a_broken_sensor_is_believed_at_once() {
        let seen = qualities(&[(0, Ok(60.0)), (1, Err(Fault::SensorBroken))], &[1]);
        assert_eq!(seen, [Quality::Bad(Fault::SensorBroken)]);
    }

    #[test]
    fn what_its_sender_doubts_is_uncertain_however_fresh_and_too_old_in_the_end() {
        let catalogue = catalogue();
        let value = catalogue.definition(SUPPLY).unwrap().accept(60.0);
        let mut image = Image::new(&catalogue, [(SUPPLY, Duration::from_secs(1))]);
        let sample = Sample::plain(SUPPLY, value, Duration::ZERO);
        image.take(&catalogue, &[Sample { doubt: Some(Doubt::DeviceDoubt), ..sample }]);
        let (mut readings, mut by_slot) = (Readings::empty(&catalogue), Vec::new());
        let seen = [1, 5, 11].map(|second| {
            image.snapshot(Duration::from_secs(second), &mut readings, &mut by_slot);
            readings.circuits[0].own.supply_temperature.quality()
        });
        let uncertain = Quality::Uncertain;
        assert_eq!(seen, [uncertain(Doubt::DeviceDoubt), uncertain(Doubt::Stale), Quality::Bad(Fault::TooOld)]);
    }

    #[test]
    fn what_is_not_read_is_not_configured_and_what_was_never_read_says_so() {
        assert_eq!(qualities(&[], &[5]), [Quality::Bad(Fault::NeverRead)]);
        let catalogue = catalogue();
        let image = Image::new(&catalogue, []);
        let (mut readings, mut by_slot) = (Readings::empty(&catalogue), Vec::new());
        image.snapshot(Duration::ZERO, &mut readings, &mut by_slot);
        assert!(!readings.circuits[0].own.supply_temperature.is_configured());
    }
}
