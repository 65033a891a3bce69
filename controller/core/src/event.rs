//! What happened, for the journal: each is on disk before the outputs that it caused leave.

use std::time::Duration;

use heatstation_points::{Celsius, CircuitIndex, PumpIndex, RoomIndex};
use serde::{Deserialize, Serialize};

use crate::alarm::AlarmKey;
use crate::area::Area;
use crate::authority::Device;
use crate::auto_tune::TuneStep;
use crate::circulation::{ChangeReason, PumpFailure};
use crate::heating_limit::Eco;
use crate::interlock::Trip;
use crate::load_shed::ShedEnd;
use crate::moment::UtcMillis;
use crate::outage::{Cause, OutageId};
use crate::outdoor::OutdoorSource;
use crate::request::{Origin, Refusal, Request};
use crate::room_sensors::Verdict;
use crate::season::HeatingTime;
use crate::sequence::{Restart, Stage};
use crate::stiction_test::Outcome;
use crate::valve_health::Rung;

/// What happened in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// No heat has arrived since `outage.since`; confirmed now.
    OutageOpened {
        /// Which outage; it carries the first cold moment, from which it counts.
        outage: OutageId,
        /// The area without heat.
        area: Area,
        /// What the alarms of the moment suggest; a person confirms.
        suggested: Cause,
        /// How much of it has passed already.
        lasted: Duration,
        /// Supply temperature at the moment, for evidence.
        supply: Option<Celsius>,
    },
    /// Heat arrives again.
    OutageClosed {
        /// Which outage.
        outage: OutageId,
        /// The area that was without heat.
        area: Area,
        /// The end on the wall clock.
        ended: UtcMillis,
        /// The length by the monotonic clock: a step of the wall clock makes no minutes.
        lasted: Duration,
        /// How much of that nobody could see.
        unobserved: Duration,
    },
    /// A person confirmed the cause. The last such record of an outage counts; the earlier ones stay.
    OutageCauseConfirmed {
        /// Which outage.
        outage: OutageId,
        /// The cause.
        cause: Cause,
        /// Who.
        author: String,
        /// Why.
        reason: String,
    },
    /// Nobody could tell whether heat arrived; it ended now.
    Unobserved {
        /// Which circuit.
        circuit: CircuitIndex,
        /// From when.
        from: UtcMillis,
        /// How long.
        lasted: Duration,
        /// The area behind that circuit.
        #[serde(default)]
        area: Area,
    },
    /// An alarm was raised.
    AlarmRaised {
        /// Which.
        alarm: AlarmKey,
    },
    /// An alarm was cleared.
    AlarmCleared {
        /// Which.
        alarm: AlarmKey,
    },
    /// A person has seen an alarm.
    AlarmAcknowledged {
        /// Which.
        alarm: AlarmKey,
        /// Who.
        author: String,
    },
    /// An interlock took over.
    Tripped {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Why.
        trip: Trip,
    },
    /// An interlock let go.
    TripEnded {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which.
        trip: Trip,
    },
    /// The circuit went to another stage of its sequence.
    StageChanged {
        /// Which circuit.
        circuit: CircuitIndex,
        /// From where.
        from: Stage,
        /// To where.
        to: Stage,
    },
    /// A circulation pump was started.
    PumpStarted {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which pump.
        pump: PumpIndex,
    },
    /// A circulation pump failed and is out of duty for a while.
    PumpFailed {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which pump.
        pump: PumpIndex,
        /// What was wrong; older records do not say.
        #[serde(default)]
        failure: Option<PumpFailure>,
    },
    /// The duty went from one circulation pump to another as planned.
    DutyChanged {
        /// Which circuit.
        circuit: CircuitIndex,
        /// The pump that had it.
        from: PumpIndex,
        /// The pump that has it.
        to: PumpIndex,
        /// Why.
        because: ChangeReason,
    },
    /// The supply loop is treated with more care, or with less.
    ValveCareChanged {
        /// Which circuit.
        circuit: CircuitIndex,
        /// From where on the ladder.
        from: Rung,
        /// To where.
        to: Rung,
    },
    /// The primary valve was held still and tested.
    ValveTested {
        /// Which circuit.
        circuit: CircuitIndex,
        /// What came out.
        outcome: Outcome,
    },
    /// The supply loop is being tuned by experiment, or has been.
    LoopTuned {
        /// Which circuit.
        circuit: CircuitIndex,
        /// How far it has come.
        step: TuneStep,
    },
    /// The outdoor temperature comes from somewhere else now.
    OutdoorSourceChanged {
        /// From where.
        from: OutdoorSource,
        /// To where.
        to: OutdoorSource,
    },
    /// What is thought of a room sensor has changed for an hour, and somebody should look at it, or need no longer.
    RoomSensorJudged {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which sensor.
        room: RoomIndex,
        /// What is thought of it.
        verdict: Verdict,
    },

    /// The station heats for another reason now, or no more.
    HeatingTimeChanged {
        /// Why before.
        from: HeatingTime,
        /// Why now.
        to: HeatingTime,
    },
    /// The heating limit pauses the heat of a circuit, or lets it return.
    EcoChanged {
        /// Which circuit.
        circuit: CircuitIndex,
        /// What it says now.
        to: Eco,
    },
    /// A request was granted.
    RequestGranted {
        /// The request.
        request: Request,
    },
    /// A request was refused.
    RequestRefused {
        /// The request.
        request: Request,
        /// Why.
        refusal: Refusal,
    },
    /// What was taken in hand is automatic again because its time was up.
    HandExpired {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Which device.
        #[serde(default)]
        device: Option<Device>,
    },
    /// A dispatch centre or program fell silent: what it had asked has ended.
    RemoteFellSilent {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Who.
        origin: Origin,
    },
    /// Power is back and the circuit starts again.
    Restarting {
        /// Which circuit.
        circuit: CircuitIndex,
        /// How, by what the water has become.
        restart: Restart,
    },
    /// The supply has been near its setpoint for long enough since the valve opened.
    Reached {
        /// Which circuit.
        circuit: CircuitIndex,
    },
    /// Less heat was taken because somebody asked for it; that is over.
    LoadShedEnded {
        /// Which circuit.
        circuit: CircuitIndex,
        /// Why.
        why: ShedEnd,
    },
}

impl Event {
    /// The kind of record that this is, for filters.
    pub const fn kind(&self) -> &'static str {
        match self {
            Event::OutageOpened { .. } => "outage_opened",
            Event::OutageClosed { .. } => "outage_closed",
            Event::OutageCauseConfirmed { .. } => "outage_cause_confirmed",
            Event::Unobserved { .. } => "unobserved",
            Event::AlarmRaised { .. } => "alarm_raised",
            Event::AlarmCleared { .. } => "alarm_cleared",
            Event::AlarmAcknowledged { .. } => "alarm_acknowledged",
            Event::Tripped { .. } => "tripped",
            Event::TripEnded { .. } => "trip_ended",
            Event::StageChanged { .. } => "stage_changed",
            Event::PumpStarted { .. } => "pump_started",
            Event::PumpFailed { .. } => "pump_failed",
            Event::DutyChanged { .. } => "duty_changed",
            Event::ValveCareChanged { .. } => "valve_care_changed",
            Event::ValveTested { .. } => "valve_tested",
            Event::LoopTuned { .. } => "loop_tuned",
            Event::OutdoorSourceChanged { .. } => "outdoor_source_changed",
            Event::RoomSensorJudged { .. } => "room_sensor_judged",
            Event::HeatingTimeChanged { .. } => "heating_time_changed",
            Event::EcoChanged { .. } => "eco_changed",
            Event::RequestGranted { .. } => "request_granted",
            Event::RequestRefused { .. } => "request_refused",
            Event::HandExpired { .. } => "hand_expired",
            Event::RemoteFellSilent { .. } => "remote_fell_silent",
            Event::Restarting { .. } => "restarting",
            Event::Reached { .. } => "reached",
            Event::LoadShedEnded { .. } => "load_shed_ended",
        }
    }
}
