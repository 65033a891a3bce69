//! How far to trust a value, in the words of OPC UA: one table from our qualities to status codes (OPC 10000-4, 7.39;
//! OPC 10000-8, 6.3).

use heatstation_drivers::output::OutputState;
use heatstation_points::{Doubt, Fault, Quality};
use opcua::types::StatusCode;

/// The status code of a quality.
pub fn status_of(quality: Quality) -> StatusCode {
    match quality {
        Quality::Good => StatusCode::Good,
        Quality::Uncertain(doubt) => status_of_doubt(doubt),
        Quality::Bad(fault) => status_of_fault(fault),
    }
}

fn status_of_doubt(doubt: Doubt) -> StatusCode {
    match doubt {
        // Part 8: "whatever was writing this value has stopped doing so".
        Doubt::Stale => StatusCode::UncertainLastUsableValue,
        // What a person entered stands in for a measurement as well: what Part 8 calls a good local override is none.
        Doubt::Substituted | Doubt::Manual => StatusCode::UncertainSubstituteValue,
        Doubt::DeviceDoubt => StatusCode::UncertainSensorNotAccurate,
    }
}

fn status_of_fault(fault: Fault) -> StatusCode {
    match fault {
        // Part 8: "should receive its value from another variable, but has never been configured to do so".
        Fault::NotConfigured => StatusCode::BadNotConnected,
        Fault::NeverRead => StatusCode::BadWaitingForInitialData,
        Fault::Silent => StatusCode::BadNoCommunication,
        // The map is wrong: the device has no such register or node.
        Fault::Refused => StatusCode::BadConfigurationError,
        Fault::NotFinite => StatusCode::BadDeviceFailure,
        Fault::Implausible => StatusCode::BadOutOfRange,
        Fault::TooOld => StatusCode::BadCommunicationError,
        Fault::SensorBroken | Fault::Frozen => StatusCode::BadSensorFailure,
    }
}

/// The status code of a command, by how far it got. The value is what shall be; doubt says that the device may hold
/// something else.
pub fn status_of_command(state: Option<OutputState>) -> StatusCode {
    match state {
        Some(OutputState::Accepted | OutputState::Confirmed) => StatusCode::Good,
        Some(OutputState::Idle | OutputState::Requested | OutputState::Sent) => StatusCode::UncertainInitialValue,
        Some(OutputState::Mismatch | OutputState::Contested) => StatusCode::UncertainSubNormal,
        Some(OutputState::Refused) => StatusCode::BadDeviceFailure,
        Some(OutputState::Expired) => StatusCode::BadNoCommunication,
        Some(OutputState::Inhibited) => StatusCode::BadOutOfService,
        // Decided, and no wire has a place for it.
        None => StatusCode::BadNotConnected,
    }
}

/// All that was shown when no cycle comes any more: nothing of it is known to hold still.
pub fn aged(status: StatusCode) -> StatusCode {
    if status.is_good() { StatusCode::UncertainLastUsableValue } else { status }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOUBTS: [Doubt; 4] = [Doubt::Stale, Doubt::Substituted, Doubt::DeviceDoubt, Doubt::Manual];
    const FAULTS: [Fault; 9] = [
        Fault::NotConfigured,
        Fault::NeverRead,
        Fault::Silent,
        Fault::Refused,
        Fault::NotFinite,
        Fault::Implausible,
        Fault::TooOld,
        Fault::SensorBroken,
        Fault::Frozen,
    ];

    #[test]
    fn good_is_good_doubt_is_uncertain_and_a_fault_is_bad() {
        assert_eq!(status_of(Quality::Good), StatusCode::Good);
        for doubt in DOUBTS {
            assert!(status_of(Quality::Uncertain(doubt)).is_uncertain(), "{doubt:?}");
        }
        for fault in FAULTS {
            assert!(status_of(Quality::Bad(fault)).is_bad(), "{fault:?}");
        }
    }

    #[test]
    fn a_client_can_tell_a_dead_device_from_a_broken_sensor_and_from_a_point_that_nobody_wired() {
        let codes = [Fault::Silent, Fault::SensorBroken, Fault::NotConfigured, Fault::NeverRead, Fault::TooOld]
            .map(|fault| status_of(Quality::Bad(fault)));
        let expected = [
            StatusCode::BadNoCommunication,
            StatusCode::BadSensorFailure,
            StatusCode::BadNotConnected,
            StatusCode::BadWaitingForInitialData,
            StatusCode::BadCommunicationError,
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_command_is_good_when_the_device_has_it_and_only_then() {
        use OutputState::{Accepted, Confirmed};
        for state in OutputState::ALL.into_iter().filter(|state| !matches!(state, Accepted | Confirmed)) {
            assert!(!status_of_command(Some(state)).is_good(), "{state:?}");
        }
        for state in [Accepted, Confirmed] {
            assert!(status_of_command(Some(state)).is_good(), "{state:?}");
        }
        assert!(status_of_command(None).is_bad());
    }

    #[test]
    fn nothing_stays_good_when_the_cycle_hangs() {
        assert_eq!(aged(StatusCode::Good), StatusCode::UncertainLastUsableValue);
        assert_eq!(aged(StatusCode::BadSensorFailure), StatusCode::BadSensorFailure);
    }
}
