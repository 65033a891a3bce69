//! The program around the cycle: open the store, start the wires, serve the page, obey signals, stop in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use heatstation_config::Station;
use heatstation_core::event::Event;
use heatstation_core::moment::UtcMillis;
use heatstation_core::outage_book::{Outage, OutageBook};
use heatstation_core::request::{Origin, Request, Wish};
use heatstation_core::{Moment, State};
use heatstation_drivers::messages::SourceSettings;
use heatstation_drivers::messages::push::PushDoor;
use heatstation_drivers::opcua::settings::Item;
use heatstation_drivers::settings::Register;
use heatstation_points::{CircuitIndex, Point};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::clock::{Clock, age_of};
use crate::cycle::{Adoption, Cycle, Order};
use crate::demo_door::DemoDoor;
use crate::field::{self, Field};
use crate::forecasts::ForecastDesk;
use crate::foresight::{Foresight, Slot};
use crate::opcua_server::{OpcuaServer, Ways};
use crate::records::{Deed, open_outages, read_book, record_of, station_of};
use crate::snapshot::{Facts, Snapshots};
use crate::store::{self, CheckpointAtStart, NewRecord, Store, StoreError, StoreSettings};
use crate::telemetry::Telemetry;
use crate::{systemd, web};

/// How long the store may take to write what waits when the program stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
/// Wishes that may wait for the next cycle; more are told "busy".
const REQUESTS_MAX: usize = 32;

/// What the program is started with beside the station.
pub struct Options {
    /// The file that is read again on SIGHUP; none in a demonstration.
    pub configuration: Option<PathBuf>,
    /// Where records and history are kept.
    pub data_folder: PathBuf,
    /// Where the page listens.
    pub listen: SocketAddr,
    /// The clock, real or paced. A paced one is set going by the caller when the plant is.
    pub clock: Clock,
    /// Where forecasts are left, if anybody asks a meteorological service.
    pub forecasts: Option<Slot>,
    /// The door to a simulated plant.
    pub demo: Option<DemoDoor>,
}

/// A program that is set up and not yet running: whatever can fail at a start has been tried.
pub struct Program {
    cycle: Cycle,
    listener: TcpListener,
    doors: web::Doors,
    orders: mpsc::Sender<Order>,
    requests: mpsc::Sender<Request>,
    opcua: Option<OpcuaServer>,
    configuration: Option<PathBuf>,
    in_force: Station,
    behind: Behind,
}

/// What is replaced behind the web server when a configuration is loaded, and what the new wires have to know.
struct Behind {
    sources: watch::Sender<Arc<[PushDoor]>>,
    forecasts: Option<Arc<ForecastDesk>>,
}

impl Program {
    /// Sets everything up.
    ///
    /// # Errors
    /// The address is in use, the data folder cannot be used, or a wire cannot be started; each says what and where.
    pub async fn set_up(station: Station, options: Options) -> anyhow::Result<Program> {
        let listener = TcpListener::bind(options.listen).await.with_context(|| {
            format!(
                "the page cannot listen on {}; is another heatstation running? choose another with `listen` under [http] or --listen",
                options.listen
            )
        })?;
        let history = store::HistorySettings {
            interval: station.history.interval,
            days_max: (station.history.retention.as_secs() / 86_400) as u32,
            ..store::HistorySettings::default()
        };
        let settings = StoreSettings { history, ..StoreSettings::default() };
        let folder = options.data_folder.clone();
        let mut clock = options.clock;
        let suffix = format!("damaged-{}", clock.now().wall.0 / 1000);
        // SQLite's recovery and check block: off the runtime's threads.
        let (store, set_aside) = tokio::task::spawn_blocking(move || open_store(&folder, &settings, &suffix)).await??;
        let store = Arc::new(store);

        if let Some(behind) = clock.not_before(last_on_record(&store)?) {
            tracing::error!(
                ?behind,
                "the computer's clock is behind the records; going on from the last record until it is set"
            );
        }

        let facts = Arc::new(facts_of(&station));
        // A demonstration has a service of its own; else forecasts are what sources bring.
        let (desk, forecasts) = if options.forecasts.is_some() {
            (None, options.forecasts)
        } else {
            let (desk, slot) = ForecastDesk::new();
            (Some(desk), Some(slot))
        };
        let field = field_of(&station, &clock, desk.as_ref())?;
        let (sources, open) = watch::channel(field.doors());
        let telemetry = telemetry_of(&station);
        let now = clock.now();
        let found = take_up(&store, &station, &now, set_aside)?;
        let opcua = station.opcua_server.as_ref();
        let opcua = opcua
            .map(|settings| OpcuaServer::set_up(settings, &station.settings.station, &options.data_folder))
            .transpose()?;
        let (requests, wishes) = mpsc::channel(REQUESTS_MAX);
        let (orders, obeyed) = mpsc::channel(4);
        let (shown, snapshots) = watch::channel(None);
        let doors = web::Doors {
            snapshots,
            store: Arc::clone(&store),
            intake: web::IntakeDoors { sources: open, forecasts: desk.clone() },
            demo: options.demo,
            opcua: opcua.as_ref().map(OpcuaServer::counters),
            version: env!("CARGO_PKG_VERSION"),
            allowed_hosts: station.http.host.iter().cloned().collect(),
        };
        let cycle = Cycle {
            clock,
            facts,
            field,
            telemetry,
            store,
            book: found.book,
            state: found.state,
            requests: wishes,
            foresight: Foresight::from(forecasts),
            orders: obeyed,
            shown,
            first_records: found.records,
        };
        let configuration = options.configuration;
        let behind = Behind { sources, forecasts: desk };
        Ok(Program { cycle, listener, doors, orders, requests, opcua, configuration, in_force: station, behind })
    }

    /// Where requests are put in, for whoever stands in for people.
    pub fn requests(&self) -> mpsc::Sender<Request> {
        self.requests.clone()
    }

    /// Where each cycle is shown, for whoever looks on from within the process.
    pub fn snapshots(&self) -> Snapshots {
        self.doors.snapshots.clone()
    }

    /// Where the page listens.
    ///
    /// # Errors
    /// If the socket has gone.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where OPC UA clients come in, if the station is a server.
    ///
    /// # Errors
    /// If the socket has gone.
    pub fn opcua_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.opcua.as_ref().map(OpcuaServer::address).transpose()
    }

    /// Runs until `stopped` is done, then stops in order.
    ///
    /// # Errors
    /// A part of the program has failed, or records were still waiting when the time to stop was up.
    pub async fn run(self, stopped: impl Future<Output = &'static str>) -> anyhow::Result<()> {
        let store = Arc::clone(&self.cycle.store);
        let clock = self.cycle.clock.clone();
        let (stop, stopping) = watch::channel(false);
        let mut snapshots = self.doors.snapshots.clone();
        let ways = Ways {
            snapshots: snapshots.clone(),
            requests: self.requests.clone(),
            store: Arc::clone(&store),
            clock: clock.clone(),
        };
        let opcua = self.opcua.map(|server| server.start(ways)).transpose()?;

        let mut cycle = tokio::spawn(self.cycle.run(stopping.clone()));
        let mut until = stopping.clone();
        let page = web::serve(self.listener, self.doors, async move {
            let _ = until.changed().await;
        });
        let page = tokio::spawn(page);
        let circuits = self.in_force.settings.circuits.len();
        let reload = reload_on_signal(self.configuration, self.in_force, self.orders, clock.clone(), self.behind);
        let reload = tokio::spawn(reload);
        let reset = tokio::spawn(reset_on_signal(self.requests, circuits));
        let ready = tokio::spawn(async move {
            if snapshots.wait_for(Option::is_some).await.is_ok() {
                systemd::ready();
            }
        });

        let reason = tokio::select! {
            reason = stopped => Ok(reason),
            // A cycle that ends by itself has panicked: end the process, systemd starts it anew and the devices' own
            // watchdogs hold the plant meanwhile.
            ended = &mut cycle => Err(anyhow!("the control cycle has ended: {ended:?}")),
        };
        systemd::stopping();
        reload.abort();
        reset.abort();
        ready.abort();
        let _ = stop.send(true);
        let reason = reason?;
        let field = cycle.await.context("the control cycle has failed while stopping")?;
        field.stop().await;
        page.await.context("the page's task has failed")?.context("the page has failed")?;
        if let Some(opcua) = opcua {
            opcua.stop().await;
        }
        let record = Deed::ProgramStopped { reason: reason.to_owned() }.record(&clock.now())?;
        let mut ticket = store.append(vec![record]);
        let _ = ticket.within(CLOSE_WITHIN).await;
        tokio::task::spawn_blocking(move || store.close(CLOSE_WITHIN)).await??;
        Ok(())
    }
}

/// What is shown of a station.
pub fn facts_of(station: &Station) -> Facts {
    Facts {
        name: station.name.clone(),
        settings: station.settings.clone(),
        catalogue: station.catalogue.clone(),
        configuration_hash: hash_of(station),
    }
}

/// SHA-256 over what every setting became, in hexadecimal: two files that mean the same have the same.
pub fn hash_of(station: &Station) -> String {
    let mut hasher = Sha256::new();
    for row in &station.sources {
        hasher.update(row.key.as_bytes());
        hasher.update([0]);
        hasher.update(row.value.as_bytes());
        hasher.update([0]);
    }
    for row in station.points() {
        hasher.update(serde_json::to_vec(&row).unwrap_or_default());
    }
    hasher
        .finalize()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap_or('?'))
        .collect()
}

fn field_of(station: &Station, clock: &Clock, forecasts: Option<&Arc<ForecastDesk>>) -> anyhow::Result<Field> {
    let sink = forecasts.map(ForecastDesk::sink);
    Ok(Field::start(station, clock.epoch(), clock.speed(), sink.as_ref())?)
}

fn telemetry_of(station: &Station) -> Telemetry {
    let devices = station.wires.iter().flat_map(|wire| &wire.devices);
    let registers = devices.flat_map(|device| device.registers.iter().map(Register::point));
    let nodes = station.opcua.iter().flat_map(|server| server.items.iter().map(Item::point));
    let heard = field::sources(station).flat_map(SourceSettings::points).map(|(point, _)| point);
    let mapped: Vec<Point> = registers.chain(nodes).chain(heard).collect();
    Telemetry::new(&station.settings, &station.catalogue, &mapped, station.history.interval)
}

/// Opens the store. Damaged records must not keep homes cold: they are set aside for examination, and the first record of
/// the new journal says so.
fn open_store(folder: &Path, settings: &StoreSettings, suffix: &str) -> Result<(Store, Option<PathBuf>), StoreError> {
    match Store::open(folder, settings.clone()) {
        Err(StoreError::Damaged { path, what }) => {
            let kept = store::set_aside(folder, suffix)?;
            tracing::error!(path = %path.display(), what, kept = %kept.display(), "the records are damaged and were set aside");
            Ok((Store::open(folder, settings.clone())?, Some(kept)))
        }
        opened => Ok((opened?, None)),
    }
}

/// The latest time that any record or sign of life has: time cannot be earlier than that.
fn last_on_record(store: &Store) -> anyhow::Result<UtcMillis> {
    let record = store.reader()?.last()?.map(|record| record.stamp.wall_milliseconds);
    let alive = store.previous_liveness().map(|liveness| liveness.stamp.wall_milliseconds);
    Ok(UtcMillis(record.max(alive).unwrap_or(i64::MIN)))
}

/// What the run before this one left behind.
struct Found {
    book: OutageBook,
    state: State,
    records: Vec<NewRecord>,
}

/// Takes up the state, the outages and the gap of observation. The journal outranks the checkpoint.
fn take_up(store: &Store, station: &Station, now: &Moment, set_aside: Option<PathBuf>) -> anyhow::Result<Found> {
    let settings = &station.settings;
    let reader = store.reader()?;
    if let Some(whose) = station_of(&reader)?.filter(|whose| *whose != settings.station) {
        return Err(anyhow!(
            "this data folder holds the records of station {whose}, not of {}; choose another with --data",
            settings.station
        ));
    }
    let (mut book, foreign) = read_book(&reader)?;
    if let Some(foreign) = foreign {
        tracing::error!(%foreign, "outages of before are incomplete; heating goes on");
    }
    let (saved, found) = match &store.opening().checkpoint {
        CheckpointAtStart::Absent => (None, "no saved state".to_owned()),
        CheckpointAtStart::Damaged { what } => (None, format!("saved state damaged: {what}")),
        CheckpointAtStart::Sound(checkpoint) => {
            let age = age_of(checkpoint.stamp.wall_milliseconds, now);
            let state = serde_json::from_slice(&checkpoint.body).ok();
            match state.and_then(|state| State::resume(state, settings, age)) {
                Some(state) => (Some((state, age)), format!("state of {} s ago", age.as_secs())),
                None => (None, "saved state of another configuration".to_owned()),
            }
        }
    };
    let seen = store.previous_liveness().map(|liveness| UtcMillis(liveness.stamp.wall_milliseconds));
    // Before the first start nobody looked either: the season until now is unobserved, not well.
    let last_seen = seen.unwrap_or(settings.season.start.min(now.wall));
    let (mut state, age) = saved.unwrap_or_else(|| (State::new(settings), now.wall.since(last_seen)));

    let mut records = vec![
        Deed::ProgramStarted {
            station: settings.station.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: hash_of(station),
            found: match (&store.opening().journal_regressed, set_aside) {
                (Some(what), _) => format!("{found}; the journal is not what was acknowledged: {what}"),
                (None, Some(kept)) => format!("the records before this one were damaged and lie in {}", kept.display()),
                (None, None) => found,
            },
        }
        .record(now)?,
    ];
    for event in orphans(station, &book, last_seen).into_iter().chain(gaps(station, &book, last_seen, now)) {
        book.note(&event);
        records.push(record_of(&event, now)?);
    }
    // Of the time without us only the season's part is booked.
    let season = settings.season;
    let left = UtcMillis(now.wall.0 - i64::try_from(age.as_millis()).unwrap_or(0));
    let gone = now.wall.min(season.end).since(left.max(season.start));
    for event in state.take_up_outages(settings, &open_outages(&book, last_seen, now.wall), gone) {
        book.note(&event);
        records.push(record_of(&event, now)?);
    }
    Ok(Found { book, state, records })
}

/// Outages that the records have open for circuits that the configuration no longer has: they ended, as far as anybody
/// can know, when that circuit was last looked at.
fn orphans(station: &Station, book: &OutageBook, last_seen: UtcMillis) -> Vec<Event> {
    let known = station.settings.circuits.len();
    let closed = |outage: &Outage| Event::OutageClosed {
        outage: outage.id,
        area: outage.area,
        ended: last_seen,
        lasted: last_seen.since(outage.id.since),
        unobserved: Duration::ZERO,
    };
    book.open().filter(|outage| outage.id.circuit.0 >= known).map(closed).collect()
}

/// The time without us, in each circuit that was not in an outage: nobody knows whether heat arrived.
fn gaps(station: &Station, book: &OutageBook, last_seen: UtcMillis, now: &Moment) -> Vec<Event> {
    let season = station.settings.season;
    let from = last_seen.max(season.start);
    let lasted = now.wall.min(season.end).since(from);
    let interrupted: Vec<CircuitIndex> = book.open().map(|outage| outage.id.circuit).collect();
    (0..station.settings.circuits.len())
        .map(CircuitIndex)
        .filter(|circuit| !lasted.is_zero() && !interrupted.contains(circuit))
        .map(|circuit| {
            let area = station.settings.circuits[circuit.0].heated_area;
            Event::Unobserved { circuit, from, lasted, area }
        })
        .collect()
}

/// Reads the configuration again on SIGHUP: all of it comes into force, or nothing of it.
async fn reload_on_signal(
    path: Option<PathBuf>,
    mut in_force: Station,
    orders: mpsc::Sender<Order>,
    clock: Clock,
    behind: Behind,
) -> anyhow::Result<()> {
    let Some(path) = path else { return std::future::pending().await };
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    while hangups.recv().await.is_some() {
        let next = heatstation_config::load(&path).map_err(|problems| problems.to_string());
        // The data folder is where this process began, whatever the file says now: certificates stay with it.
        let next = next.map(|mut next| {
            next.keep_pki_of(&in_force);
            next
        });
        let mut doors = None;
        let order = match next.and_then(|next| prepare(&in_force, next, &clock, behind.forecasts.as_ref())) {
            Ok((next, adoption)) => {
                in_force = next;
                doors = adoption.field.as_ref().map(Field::doors);
                Order::Adopt(Box::new(adoption))
            }
            Err(mut problems) => {
                tracing::error!("the changed configuration was refused, the old one is in force:\n{problems}");
                if let Some((end, _)) = problems.char_indices().nth(PROBLEMS_MAX) {
                    problems.truncate(end);
                }
                let in_force = hash_of(&in_force);
                Order::Rejected(vec![Deed::ConfigurationRejected { in_force, problems }.record(&clock.now())?])
            }
        };
        orders.send(order).await.ok().context("the control cycle has ended")?;
        if let Some(doors) = doors {
            behind.sources.send_replace(doors);
        }
    }
    Ok(())
}

/// Characters of a refusal that go into its record.
const PROBLEMS_MAX: usize = 20_000;

/// A changed configuration, ready to come into force; or why it cannot without a restart.
fn prepare(
    in_force: &Station,
    next: Station,
    clock: &Clock,
    forecasts: Option<&Arc<ForecastDesk>>,
) -> Result<(Station, Adoption), String> {
    // State and records know circuits by their place.
    let names = |station: &Station| station.settings.circuits.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    if names(in_force) != names(&next) {
        return Err("circuits were added, removed, renamed or reordered: that needs a restart".to_owned());
    }
    for change in in_force.differences(&next) {
        tracing::info!(key = change.key, before = ?change.before, after = ?change.after, "changed");
    }
    if next.http != in_force.http || next.daemon != in_force.daemon {
        tracing::warn!("the page's address and the data folder change at the next start only");
    }
    if next.opcua_server != in_force.opcua_server {
        tracing::warn!("where OPC UA listens and who may log in change at the next start only");
    }
    // The same wires to the same points go on without a break.
    let same = next.wires == in_force.wires
        && next.opcua == in_force.opcua
        && next.mqtt == in_force.mqtt
        && next.push == in_force.push
        && next.catalogue.definitions() == in_force.catalogue.definitions();
    let field =
        if same { None } else { Some(field_of(&next, clock, forecasts).map_err(|error| format!("{error:#}"))?) };
    let deed = Deed::ConfigurationLoaded { configuration: hash_of(&next), before: Some(hash_of(in_force)) };
    let records = vec![deed.record(&clock.now()).map_err(|error| error.to_string())?];
    let adoption = Adoption { facts: Arc::new(facts_of(&next)), field, telemetry: telemetry_of(&next), records };
    Ok((next, adoption))
}

/// SIGUSR1 is the reset of latched trips by whoever may send this process a signal: a person on this computer. What is
/// still wrong stays tripped, and the journal has the request and its answer.
async fn reset_on_signal(requests: mpsc::Sender<Request>, circuits: usize) -> anyhow::Result<()> {
    let mut signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::user_defined1())?;
    while signals.recv().await.is_some() {
        for circuit in (0..circuits).map(CircuitIndex) {
            let request = Request {
                origin: Origin::Operator,
                author: "SIGUSR1".to_owned(),
                reason: "reset on this computer".to_owned(),
                wish: Wish::ResetTrips { circuit },
            };
            if requests.try_send(request).is_err() {
                tracing::warn!("too many requests wait already: the reset was not taken");
            }
        }
    }
    Ok(())
}
