//! The table: which families there are, and where in the snapshot each value comes from.
//!
//! Units are base units and names follow <https://prometheus.io/docs/practices/naming/>: kelvins for differences, degrees
//! Celsius for temperatures, pascals though the page shows kilopascals.

use std::borrow::Cow;

use heatstation_core::accident_rate::AccidentRate;
use heatstation_core::alarm::{Alarm, Place};
use heatstation_core::band::Because;
use heatstation_core::interlock::Trip;
use heatstation_core::ledger::Part;
use heatstation_core::outage::Cause;
use heatstation_core::report::CircuitReport;
use heatstation_core::sequence::Stage;
use heatstation_core::supply_source::SupplySource;
use heatstation_points::CircuitIndex;

use super::states::{
    MODES, PUMP_REASONS, STATUSES, SUPPLY_SOURCES, VALVE_REASONS, mode_name, pump_reason_name, status_name,
    valve_reason_name,
};
use super::{About, Family, Histogram, Kind, Labels, Number, Sample};
use crate::snapshot::{CYCLE_BUCKETS, Snapshot};

mod guard;
mod hours;
mod limits;
mod opcua;
mod pumps;
mod readings;
mod rooms;
mod valve;
mod water;
mod weather;
mod wires;

/// All families of a snapshot. A family without a single series is left out.
pub(super) fn families(snapshot: &Snapshot, about: About) -> Vec<Family> {
    let mut table = Table { snapshot, families: Vec::with_capacity(100) };
    table.station(about);
    weather::rows(&mut table);
    readings::rows(&mut table);
    table.setpoints();
    hours::rows(&mut table);
    limits::rows(&mut table);
    table.states();
    guard::rows(&mut table);
    valve::rows(&mut table);
    pumps::rows(&mut table);
    water::rows(&mut table);
    rooms::rows(&mut table);
    rooms::balance(&mut table);
    table.outages();
    table.alarms();
    table.outputs();
    table.wires();
    table.store();
    opcua::rows(&mut table, about);
    table.cycle(about);
    table.families.retain(|family| !family.samples.is_empty());
    table.families
}

struct Table<'a> {
    snapshot: &'a Snapshot,
    families: Vec<Family>,
}

fn whole(number: impl Into<u64>) -> Number {
    Number::Whole(number.into())
}

fn count(number: usize) -> Number {
    Number::Whole(number as u64)
}

fn seconds(duration: std::time::Duration) -> Number {
    Number::Real(duration.as_secs_f64())
}

impl Table<'_> {
    fn add(
        &mut self,
        (name, unit): (&'static str, &'static str),
        kind: Kind,
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, Number)>,
    ) {
        let samples = samples.into_iter().map(|(labels, value)| Sample { labels, value }).collect();
        self.families.push(Family { name, unit, kind, help, samples });
    }

    fn gauge(
        &mut self,
        name: (&'static str, &'static str),
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, Number)>,
    ) {
        self.add(name, Kind::Gauge, help, samples);
    }

    fn counter(
        &mut self,
        name: (&'static str, &'static str),
        help: &'static str,
        samples: impl IntoIterator<Item = (Labels, Number)>,
    ) {
        self.add(name, Kind::Counter, help, samples);
    }

    /// One value of the station as a whole.
    fn alone(&self, value: Number) -> [(Labels, Number); 1] {
        [(self.here(), value)]
    }

    fn here(&self) -> Labels {
        vec![("station", Cow::Owned(self.snapshot.facts.settings.station.clone()))]
    }

    fn with(&self, more: impl IntoIterator<Item = (&'static str, Cow<'static, str>)>) -> Labels {
        let mut labels = self.here();
        labels.extend(more);
        labels
    }

    fn circuit_name(&self, circuit: CircuitIndex) -> Cow<'static, str> {
        let names = self.snapshot.facts.catalogue.circuits().get(circuit.0);
        names.map_or(Cow::Borrowed("?"), |names| Cow::Owned(names.name.clone()))
    }

    fn at(&self, circuit: CircuitIndex) -> Labels {
        self.with([("circuit", self.circuit_name(circuit))])
    }

    /// One value of each circuit that has it.
    fn each_circuit(&self, value: impl Fn(&CircuitReport) -> Option<Number>) -> Vec<(Labels, Number)> {
        let circuits = &self.snapshot.report.circuits;
        circuits.iter().filter_map(|circuit| Some((self.at(circuit.circuit), value(circuit)?))).collect()
    }

    /// Several values of each circuit, told apart by one more label.
    fn each_circuit_by<I: IntoIterator<Item = (&'static str, Number)>>(
        &self,
        label: &'static str,
        values: impl Fn(&CircuitReport) -> I,
    ) -> Vec<(Labels, Number)> {
        let one = |circuit: &CircuitReport| {
            let at = self.at(circuit.circuit);
            let labelled = values(circuit).into_iter().map(move |(name, value)| {
                let mut labels = at.clone();
                labels.push((label, Cow::Borrowed(name)));
                (labels, value)
            });
            labelled.collect::<Vec<_>>()
        };
        self.snapshot.report.circuits.iter().flat_map(one).collect()
    }

    fn station(&mut self, about: About) {
        let facts = &self.snapshot.facts;
        let labels = self.with([
            ("name", Cow::Owned(facts.name.clone())),
            ("version", Cow::Borrowed(about.version)),
            ("standard", Cow::Owned(facts.settings.profile.id.clone())),
            ("configuration", Cow::Owned(facts.configuration_hash.clone())),
        ]);
        self.add(
            ("heatstation", ""),
            Kind::Info,
            "What this station is and which program and settings run it.",
            [(labels, whole(1_u8))],
        );
        let area = facts.settings.heated_area.square_meters();
        let name = ("heatstation_heated_area", "square_meters");
        self.gauge(name, "Heated area of the station.", self.alone(Number::Real(area)));
        let areas =
            facts.settings.circuits.iter().enumerate().map(|(index, circuit)| {
                (self.at(CircuitIndex(index)), Number::Real(circuit.heated_area.square_meters()))
            });
        let areas: Vec<_> = areas.collect();
        self.gauge(("heatstation_circuit_heated_area", "square_meters"), "Heated area of a circuit.", areas);
        let in_season = whole(self.snapshot.report.in_season);
        self.gauge(("heatstation_in_season", ""), "Whether heat is due by the calendar.", self.alone(in_season));
    }

    fn setpoints(&mut self) {
        let by_point = self.each_circuit_by("point", |circuit| {
            [("secondary_supply.temperature", Number::Real(circuit.setpoint.value.0))]
        });
        let help = "The setpoint in force.";
        self.gauge(("heatstation_temperature_setpoint", "celsius"), help, by_point);
        let base = self.each_circuit(|circuit| Some(Number::Real(circuit.setpoint.base.0)));
        let help = "What the heating curve alone asks for: the setpoint before all contributions.";
        self.gauge(("heatstation_curve_setpoint", "celsius"), help, base);
        let contributions = self.each_circuit_by("from", |circuit| {
            let ledger = circuit.setpoint.ledger;
            Part::ALL.iter().map(move |&part| (part.name(), Number::Real(ledger.of(part).0)))
        });
        let help = "What each source adds to the curve's setpoint; curve plus all contributions is the setpoint.";
        self.gauge(("heatstation_setpoint_contribution", "kelvins"), help, contributions);
        let held = self.each_circuit_by("by", |circuit| {
            let held_by = circuit.setpoint.held_by.map_or("nobody", Because::name);
            let all = Because::ALL.into_iter().map(Because::name).chain(["nobody"]);
            states(all, held_by).collect::<Vec<_>>()
        });
        self.gauge(("heatstation_setpoint_held", ""), "1 for what holds the setpoint away from the wish.", held);
        let pressures = self.each_circuit_by("point", |circuit| {
            let holding = circuit.pressure_setpoint.map(|p| ("secondary_return.pressure", Number::Real(p.0)));
            let speed = &circuit.circulation.speed;
            let difference = speed.differential_pressure_setpoint;
            let difference = difference.map(|p| ("secondary.differential_pressure", Number::Real(p.0)));
            let supply = speed.supply_pressure_setpoint.map(|p| ("secondary_supply.pressure", Number::Real(p.0)));
            holding.into_iter().chain(difference).chain(supply)
        });
        self.gauge(("heatstation_pressure_setpoint", "pascals"), "The setpoint in force.", pressures);
    }

    fn states(&mut self) {
        let stage = self.each_circuit_by("stage", |c| states(Stage::ALL.map(Stage::name), c.stage.name()));
        self.gauge(("heatstation_stage", ""), "1 for the stage of the circuit's sequence.", stage);
        let mode = self.each_circuit_by("mode", |c| states(MODES, mode_name(c.mode)));
        self.gauge(("heatstation_mode", ""), "1 for what the circuit is asked to do.", mode);
        let valve = self.each_circuit_by("reason", |c| states(VALVE_REASONS, valve_reason_name(c.valve_reason)));
        self.gauge(("heatstation_valve_reason", ""), "1 for the reason why the valve is where it is.", valve);
        let pump = self.each_circuit_by("reason", |c| states(PUMP_REASONS, pump_reason_name(c.pump_reason)));
        self.gauge(("heatstation_pump_reason", ""), "1 for the reason why the pumps do what they do.", pump);
        let trips = self.each_circuit_by("trip", |circuit| {
            Trip::ALL.map(|trip| (trip.name(), whole(circuit.trips.contains(&trip))))
        });
        self.gauge(("heatstation_trip", ""), "1 while an interlock holds. Several may hold at once.", trips);
        let source = self.each_circuit_by("source", |circuit| {
            states(SUPPLY_SOURCES.map(SupplySource::name), circuit.supply_source.name())
        });
        let help = "1 for the source of the supply temperature that the loop uses.";
        self.gauge(("heatstation_supply_source", ""), help, source);
        let circulating = self.each_circuit(|circuit| circuit.circulating.map(whole));
        let help = "Whether circulation is proven. No series while nobody can tell.";
        self.gauge(("heatstation_circulating", ""), help, circulating);
        let hand = self.each_circuit(|circuit| Some(seconds(circuit.in_hand.unwrap_or_default())));
        let help = "Time until what is in hand returns to automatic; 0 when nothing is in hand.";
        self.gauge(("heatstation_in_hand_left", "seconds"), help, hand);
        let flow = self.each_circuit(|circuit| Some(Number::Real(circuit.setpoint.flow_ratio.0)));
        self.gauge(("heatstation_curve_flow", "ratio"), "Measured over design flow, as the curve uses it.", flow);
    }

    fn outages(&mut self) {
        let active = self.each_circuit(|circuit| Some(whole(circuit.outage.is_some())));
        self.gauge(("heatstation_outage_active", ""), "1 while no heat arrives.", active);
        let lasts = self.each_circuit(|circuit| Some(seconds(circuit.outage.map(|o| o.1).unwrap_or_default())));
        let help = "How long the present outage has lasted, from its first cold moment; 0 without one.";
        self.gauge(("heatstation_outage_lasting", "seconds"), help, lasts);
        let spent = self.each_circuit_by("state", |circuit| {
            let time = circuit.season_time;
            [
                ("supplied", seconds(time.supplied)),
                ("interrupted", seconds(time.interrupted)),
                ("unobserved", seconds(time.unobserved)),
            ]
        });
        let help = "Time of the season by what happened in it; every second is in one of the three.";
        self.counter(("heatstation_season_time", "seconds"), help, spent);

        let outages = &self.snapshot.outages;
        let by_cause: Vec<_> = Cause::ALL
            .iter()
            .map(|cause| {
                let number = outages.iter().filter(|outage| outage.cause == *cause).count();
                (self.with([("cause", Cow::Borrowed(cause.name()))]), count(number))
            })
            .collect();
        let help =
            "Outages of the season by confirmed cause. A confirmation moves an outage from unknown to its cause.";
        self.counter(("heatstation_outages", ""), help, by_cause);
        if let Some(rate) = &self.snapshot.accident_rate {
            self.accident_rate(rate);
        }
    }

    fn accident_rate(&mut self, rate: &AccidentRate) {
        let by_cause: Vec<_> = Cause::ALL
            .iter()
            .map(|cause| {
                let amount = rate.by_cause.iter().find(|(name, _)| name == cause).map(|(_, amount)| *amount);
                let amount = amount.unwrap_or_default().square_meter_seconds();
                (self.with([("cause", Cow::Borrowed(cause.name()))]), Number::Real(amount))
            })
            .collect();
        let help = "Area times duration of the season's outages, in m² s, by confirmed cause.";
        self.counter(("heatstation_outage_area_seconds", ""), help, by_cause);
        let parts = [
            ("counted", rate.counted),
            ("season", rate.season),
            ("to_date", rate.to_date),
            ("unobserved", rate.unobserved),
        ];
        let parts: Vec<_> = parts
            .into_iter()
            .map(|(part, amount)| {
                (self.with([("part", Cow::Borrowed(part))]), Number::Real(amount.square_meter_seconds()))
            })
            .collect();
        let help = "What the accident rate is made of, in m² s. Stations add numerators and denominators.";
        self.gauge(("heatstation_accident_area_seconds", ""), help, parts);
        let windows = [("season", Some(rate.ratio())), ("to_date", rate.ratio_to_date())];
        let windows: Vec<_> = windows
            .into_iter()
            .filter_map(|(window, ratio)| Some((self.with([("window", Cow::Borrowed(window))]), Number::Real(ratio?))))
            .collect();
        let help = "Operation accident rate as a plain ratio. The season's is the standard's figure.";
        self.gauge(("heatstation_accident_rate", "ratio"), help, windows);
        let status: Vec<_> = states(STATUSES.map(status_name), status_name(rate.status))
            .map(|(name, value)| (self.with([("status", Cow::Borrowed(name))]), value))
            .collect();
        self.gauge(("heatstation_accident_rate_status", ""), "1 for how the rate stands to its target.", status);
    }

    fn alarms(&mut self) {
        let alarms = &self.snapshot.report.alarms;
        let active: Vec<_> = Alarm::ALL
            .iter()
            .map(|&alarm| {
                let labels = self.with([
                    ("alarm", Cow::Borrowed(alarm.name())),
                    ("priority", Cow::Borrowed(alarm.priority().name())),
                ]);
                (labels, whole(alarms.iter().any(|active| active.key.alarm == alarm)))
            })
            .collect();
        self.gauge(("heatstation_alarm_active", ""), "1 while the alarm is active at any place.", active);
        let since: Vec<_> = alarms
            .iter()
            .map(|active| {
                let alarm = active.key.alarm;
                let mut labels = self.with([
                    ("alarm", Cow::Borrowed(alarm.name())),
                    ("priority", Cow::Borrowed(alarm.priority().name())),
                ]);
                match active.key.place {
                    Place::Station => {}
                    Place::Circuit(circuit) => labels.push(("circuit", self.circuit_name(circuit))),
                    Place::CirculationPump(circuit, pump) => {
                        labels.push(("circuit", self.circuit_name(circuit)));
                        labels.push(("pump", Cow::Owned(format!("circulation_pump.{}", pump.0 + 1))));
                    }
                    Place::MakeUpPump(circuit, pump) => {
                        labels.push(("circuit", self.circuit_name(circuit)));
                        labels.push(("pump", Cow::Owned(format!("make_up_pump.{}", pump.0 + 1))));
                    }
                }
                labels.push(("acknowledged", Cow::Borrowed(if active.acknowledged { "yes" } else { "no" })));
                (labels, Number::Real(active.since.0 as f64 / 1000.0))
            })
            .collect();
        let help = "When each active alarm began, one series for each place. No series while it is not active.";
        self.gauge(("heatstation_alarm_since_timestamp", "seconds"), help, since);
    }

    fn store(&mut self) {
        let store = &self.snapshot.store;
        let (records, queued) = (whole(store.records_total), count(store.records_queued));
        let oldest = seconds(store.oldest_queued.unwrap_or_default());
        let (late, lost) = (whole(store.records_late_total), whole(store.records_lost_total));
        let (regressed, rows_lost) = (whole(store.regressed.is_some()), whole(store.history_rows_lost_total));
        let commit = store.last_commit.map(seconds);
        let (database, history) = (whole(store.database_bytes), whole(store.history_bytes));
        let free = store.disk_free_bytes.map(Number::Whole);
        let (spent, damaged) = (whole(store.reserve_spent), whole(store.damage.is_some()));
        let stopped = whole(store.stopped);
        let journal = [
            (("heatstation_journal_records", ""), "Records in the journal.", records),
            (("heatstation_journal_late_records", ""), "Records that reached the disk late.", late),
            (("heatstation_journal_lost_records", ""), "Records that never reached the disk.", lost),
            (("heatstation_history_lost_rows", ""), "Rows of telemetry that the disk did not take.", rows_lost),
        ];
        for (name, help, value) in journal {
            self.counter(name, help, self.alone(value));
        }
        let gauges = [
            (("heatstation_journal_queued_records", ""), "Records that wait for the disk.", Some(queued)),
            (("heatstation_journal_oldest_queued", "seconds"), "How long the oldest of them has waited.", Some(oldest)),
            (("heatstation_journal_regressed", ""), "1 if the disk took acknowledged records back.", Some(regressed)),
            (("heatstation_store_last_commit", "seconds"), "Duration of the last commit.", commit),
            (("heatstation_store_database", "bytes"), "Size of the database.", Some(database)),
            (("heatstation_store_history", "bytes"), "Sealed telemetry in the database.", Some(history)),
            (("heatstation_store_disk_free", "bytes"), "Bytes that may still be written.", free),
            (("heatstation_store_reserve_spent", ""), "1 if the disk is full and its reserve is used.", Some(spent)),
            (("heatstation_store_damaged", ""), "1 if the structural check found damage.", Some(damaged)),
            (("heatstation_store_stopped", ""), "1 if nothing is stored any more.", Some(stopped)),
        ];
        for (name, help, value) in gauges {
            let samples: Vec<_> = value.map(|value| (self.here(), value)).into_iter().collect();
            self.gauge(name, help, samples);
        }
        let failing: Vec<_> = [("journal", store.trouble), ("history", store.history_trouble)]
            .into_iter()
            .map(|(what, trouble)| (self.with([("what", Cow::Borrowed(what))]), whole(trouble.is_some())))
            .collect();
        self.gauge(("heatstation_store_failing", ""), "1 while the disk does not take it.", failing);
    }

    fn cycle(&mut self, about: About) {
        let cycle = &self.snapshot.cycle;
        let bounds = CYCLE_BUCKETS.into_iter().chain([f64::INFINITY]);
        let histogram = Histogram {
            sum: cycle.duration_total.as_secs_f64(),
            count: cycle.duration_buckets.iter().sum(),
            buckets: bounds.zip(cycle.duration_buckets).collect(),
        };
        let (cycles, late) = (self.alone(whole(cycle.count)), self.alone(whole(cycle.late_total)));
        let durations = self.alone(Number::Histogram(histogram));
        let name = ("heatstation_cycle_duration", "seconds");
        self.add(name, Kind::Histogram, "How long a control cycle takes.", durations);
        self.counter(("heatstation_cycles", ""), "Control cycles since the start.", cycles);
        self.counter(("heatstation_cycles_late", ""), "Control cycles that began late.", late);
        let help = "How long ago the cycle last said anything; it grows when the cycle hangs.";
        self.gauge(("heatstation_snapshot_age", "seconds"), help, self.alone(seconds(about.age)));
        let wall = self.snapshot.report.moment.wall.0 as f64 / 1000.0;
        let help = "The wall clock of the cycle that is shown.";
        self.gauge(("heatstation_snapshot_timestamp", "seconds"), help, self.alone(Number::Real(wall)));
    }
}

/// Each name with 1 for the one that holds and 0 for the others.
fn states(
    all: impl IntoIterator<Item = &'static str>,
    now: &'static str,
) -> impl Iterator<Item = (&'static str, Number)> {
    all.into_iter().map(move |name| (name, whole(name == now)))
}
