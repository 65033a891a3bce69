//! What breaks when, and for how long: faults and silences by the plant's clock.

use std::time::Duration;

use crate::fault::Fault;
use crate::plant::Plant;

/// Whether the PLC answers its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Up,
    /// It takes requests and never answers: a hung PLC, a broken line. Clients run into their timeouts.
    Silent,
}

/// Something that happens to a plant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Something breaks.
    Break(Fault),
    /// It is mended.
    Mend(Fault),
    /// The line to the PLC goes down or comes up.
    Line(Link),
}

/// Something that happens at its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Since the timetable began.
    pub at: Duration,
    /// What happens.
    pub action: Action,
}

/// Events on their way.
#[derive(Clone, Debug, Default)]
pub struct Timetable {
    events: Vec<Event>,
    next: usize,
    since: Duration,
}

impl Timetable {
    /// A timetable that begins now.
    pub fn new(mut events: Vec<Event>) -> Timetable {
        // Stable: what is written first happens first.
        events.sort_by_key(|event| event.at);
        Timetable { events, next: 0, since: Duration::ZERO }
    }

    /// Lets time pass, breaks and mends what is due, and says what has become of the line if anything has.
    pub fn advance(&mut self, dt: Duration, plant: &mut Plant) -> Option<Link> {
        self.since += dt;
        let mut line = None;
        while let Some(event) = self.events.get(self.next).filter(|event| event.at <= self.since) {
            match event.action {
                Action::Break(fault) => plant.inject(fault),
                Action::Mend(fault) => plant.clear(&fault),
                Action::Line(link) => line = Some(link),
            }
            self.next += 1;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::Celsius;

    use super::*;
    use crate::demonstration::demonstration;

    #[test]
    fn what_is_due_happens_once_and_in_order() {
        let at = |seconds, action| Event { at: Duration::from_secs(seconds), action };
        let flooded = Fault::Flooded;
        let mut timetable = Timetable::new(vec![
            at(20, Action::Line(Link::Up)),
            at(10, Action::Break(flooded)),
            at(15, Action::Line(Link::Silent)),
            at(30, Action::Mend(flooded)),
        ]);
        let mut plant = Plant::new(&demonstration(Celsius(0.0), 1), 1);
        let second = Duration::from_secs(1);
        let mut log = Vec::new();
        for now in 1..=40 {
            let line = timetable.advance(second, &mut plant);
            log.extend(line.map(|line| (now, line)));
            assert_eq!(plant.faults().contains(&flooded), (10..30).contains(&now), "at {now} s");
        }
        assert_eq!(log, [(15, Link::Silent), (20, Link::Up)]);
    }
}
