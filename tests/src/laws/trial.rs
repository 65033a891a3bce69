//! A trial: a station under a schedule, second by second, with the laws looking on.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use heatstation::simulation::ClosedLoop;
use heatstation::simulation::closed_loop::Wire;
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage::OutageId;
use heatstation_core::request::Request;
use heatstation_core::state::OpenOutage;
use heatstation_core::{Report, Settings, State};
use heatstation_simulator::WeatherSource;
use heatstation_simulator::weather::Uncertainty;

use super::faults::{Action, Memory, Schedule};
use super::seen::{Onlooker, Program, Seen};
use super::{Judged, Laws, Violation};
use crate::stations::{Station, ZONE};

/// How many of the last happenings are kept for the story of a failure.
const RECENT: usize = 40;

/// A planted bug: changes what was decided in a second before it reaches the plant.
pub type Mutant = fn(u64, &mut Report);

/// A station on trial.
pub struct Trial {
    settings: Settings,
    closed_loop: ClosedLoop,
    laws: Laws,
    onlooker: Onlooker,
    schedule: Schedule,
    next: usize,
    wire: Wire,
    program: Program,
    second: u64,
    /// The outages that the records say are open, as a journal would.
    open: BTreeSet<OutageId>,
    last_seen: UtcMillis,
    recent: VecDeque<(u64, String)>,
    requests: Vec<Request>,
    mutant: Option<Mutant>,
    /// Happenings so far.
    pub tally: Tally,
}

/// What a trial has been through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Faults injected.
    pub faults: u64,
    /// Starts of the program.
    pub restarts: u64,
    /// Wishes asked.
    pub wishes: u64,
    /// Events recorded.
    pub events: u64,
    /// Outages recorded.
    pub outages: u64,
    /// Trips recorded.
    pub trips: u64,
}

impl Trial {
    /// A station with this weather and schedule.
    pub fn new(station: Station, weather: Box<dyn WeatherSource>, seed: u64, schedule: Schedule) -> Trial {
        let (settings, catalogue, plant) = station;
        let start = settings.season.start;
        let closed_loop = ClosedLoop::new(settings.clone(), &catalogue, &plant, weather, start, ZONE, seed);
        Trial {
            laws: Laws::new(settings.circuits.len()),
            onlooker: Onlooker::new(&settings),
            settings,
            closed_loop,
            schedule,
            next: 0,
            wire: Wire::Up,
            program: Program::Running,
            second: 0,
            open: BTreeSet::new(),
            last_seen: start,
            recent: VecDeque::with_capacity(RECENT),
            requests: Vec::new(),
            mutant: None,
            tally: Tally::default(),
        }
    }

    /// With a planted bug.
    #[must_use]
    pub fn with(mut self, mutant: Mutant) -> Trial {
        self.mutant = Some(mutant);
        self
    }

    /// With a meteorological service that is heard, this wrong.
    #[must_use]
    pub fn hearing(mut self, service: Option<Uncertainty>) -> Trial {
        self.closed_loop.foresee(service);
        self
    }

    /// Runs until this second.
    ///
    /// # Errors
    /// The first law that does not hold.
    pub fn run_until(&mut self, second: u64) -> Result<(), Violation> {
        while self.second < second {
            self.second()?;
        }
        Ok(())
    }

    fn second(&mut self) -> Result<(), Violation> {
        self.requests.clear();
        self.program = Program::Running;
        while let Some(planned) = self.schedule.planned.get(self.next).filter(|planned| planned.at <= self.second) {
            let action = planned.action.clone();
            self.next += 1;
            self.act(action);
        }
        let (requests, mutant, second) = (self.requests.clone(), self.mutant, self.second);
        if let Some(mutant) = mutant {
            self.closed_loop.second_altered(requests, |report| mutant(second, report));
        } else {
            self.closed_loop.second(requests);
        }
        let (plant, _, report) = self.closed_loop.view();
        let Some(report) = report else { return Ok(()) };
        for event in &report.events {
            note(event, second, &mut self.tally, &mut self.recent, &mut self.open);
        }
        self.last_seen = report.moment.wall;
        self.onlooker.look(plant, self.wire, self.program);
        let seen = Seen {
            second,
            settings: &self.settings,
            plant,
            report,
            requests: &self.requests,
            program: self.program,
            circuits: self.onlooker.circuits(),
            emergency_stop: self.onlooker.emergency_stop,
        };
        self.laws.check(&seen)?;
        self.second += 1;
        Ok(())
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask(request) => {
                self.tally.wishes += 1;
                self.requests.push(request);
                return;
            }
            Action::Break(fault) => {
                self.tally.faults += 1;
                self.closed_loop.plant().inject(fault);
                self.onlooker.faults_changed();
            }
            Action::Mend(fault) => {
                self.closed_loop.plant().clear(&fault);
                self.onlooker.faults_changed();
            }
            Action::WireDown => self.set_wire(Wire::Down),
            Action::WireUp => self.set_wire(Wire::Up),
            // What was to end the program while it was gone finds nothing to end.
            Action::Restart { .. } if self.program != Program::Running => return,
            Action::Restart { gone, memory } => self.restart(gone, memory),
        }
        remember(&mut self.recent, self.second, format!("{action:?}"));
    }

    fn set_wire(&mut self, wire: Wire) {
        self.wire = wire;
        self.closed_loop.set_wire(wire);
    }

    /// As the daemon starts: the saved state if there is one, and what the records say about outages on top of it.
    fn restart(&mut self, gone: Duration, memory: Memory) {
        self.tally.restarts += 1;
        let now = self.closed_loop.wall().plus(gone);
        let away = now.since(self.last_seen);
        let mut state = match memory {
            Memory::Kept => self.closed_loop.state().clone(),
            Memory::Lost => State::new(&self.settings),
        };
        let open: Vec<OpenOutage> = self
            .open
            .iter()
            .map(|&outage| OpenOutage { outage, lasted: now.since(outage.since), unobserved: away })
            .collect();
        let _ = state.take_up_outages(&self.settings, &open, away);
        self.closed_loop.restart(Some(state), gone);
        self.second += gone.as_secs();
        self.program = match memory {
            Memory::Kept => Program::Resumed(away.as_secs()),
            Memory::Lost => Program::Forgot(away.as_secs()),
        };
    }

    /// In how many circuit-seconds each law demanded something.
    pub fn judged(&self) -> Judged {
        self.laws.judged()
    }

    /// The last happenings, oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &(u64, String)> {
        self.recent.iter()
    }

    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The plant's and the control's side, for stories.
    pub fn closed_loop(&self) -> &ClosedLoop {
        &self.closed_loop
    }
}

fn note(
    event: &Event,
    second: u64,
    tally: &mut Tally,
    recent: &mut VecDeque<(u64, String)>,
    open: &mut BTreeSet<OutageId>,
) {
    tally.events += 1;
    match event {
        // A storm would push everything else out.
        Event::RequestRefused { .. } => return,
        Event::OutageOpened { outage, .. } => {
            tally.outages += 1;
            open.insert(*outage);
        }
        Event::OutageClosed { outage, .. } => {
            open.remove(outage);
        }
        Event::Tripped { .. } => tally.trips += 1,
        _ => {}
    }
    remember(recent, second, format!("{event:?}"));
}

fn remember(recent: &mut VecDeque<(u64, String)>, second: u64, what: String) {
    if recent.len() == RECENT {
        recent.pop_front();
    }
    recent.push_back((second, what));
}
