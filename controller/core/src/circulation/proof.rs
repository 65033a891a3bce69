//! Does water move? *Proof* needs a running feedback and water: a flow switch, a flow or a pressure difference, whichever
//! is fitted. The command alone proves nothing.

use heatstation_points::{CircuitReadings, PumpReadings, Switch};

use crate::settings::CirculationSettings;

/// Whether circulation is proven: running feedback and water. `None` while nobody can tell.
///
/// `told` is whether a pump is told to run. It proves nothing where anything at all is measured; a plant model that says
/// nothing of pumps and flow is taken at its word. (A real station without any proof is refused by the configuration.)
pub fn proven(settings: &CirculationSettings, readings: &CircuitReadings, told: Switch) -> Option<bool> {
    let own = &readings.own;
    let evidence = [
        (own.flow_switch.is_configured(), own.flow_switch.usable().map(Switch::is_on)),
        (own.secondary_flow.is_configured(), own.secondary_flow.usable().map(|flow| flow >= settings.flow_min)),
        (
            own.differential_pressure.is_configured(),
            own.differential_pressure.usable().map(|p| p >= settings.differential_pressure_min),
        ),
    ];
    let water_is_watched = evidence.iter().any(|(configured, _)| *configured);
    let feedbacks = || readings.circulation_pumps.iter().map(|pump| pump.running).filter(|r| r.is_configured());
    let pumps_are_watched = feedbacks().next().is_some();
    let says = || feedbacks().map(|running| running.usable().map(Switch::is_on));
    let running = if !pumps_are_watched {
        water_is_watched || told.is_on()
    } else if says().any(|says| says == Some(true)) {
        true
    } else if says().all(|says| says == Some(false)) {
        false
    } else {
        return None;
    };
    if !running {
        return Some(false);
    }
    if !water_is_watched {
        return Some(true);
    }
    // One witness for water is enough, all against is standstill; a lost witness says nothing.
    let mut said = evidence.iter().filter_map(|(_, says)| *says).peekable();
    said.peek()?;
    Some(said.any(|moves| moves))
}

/// Whether one pump is seen to run. Its own feedback decides; without one, proof of circulation stands in.
pub(super) fn runs(reading: &PumpReadings, proven: Option<bool>) -> bool {
    if reading.running.is_configured() {
        // Not knowing is not failing: comm loss must not wear the pumps with changeovers.
        reading.running.usable() != Some(Switch::Off)
    } else {
        proven != Some(false)
    }
}

#[cfg(test)]
mod tests {
    use heatstation_points::{CubicMetersPerSecond, Pascals, Reading};

    use super::*;
    use crate::circulation::tests::settings;

    #[test]
    fn running_without_water_is_no_circulation() {
        let mut readings = CircuitReadings::default();
        let pump = PumpReadings { running: Reading::good(Switch::On), ..PumpReadings::default() };
        readings.circulation_pumps = vec![pump];
        assert_eq!(proven(&settings(), &readings, Switch::Off), Some(true));
        readings.own.differential_pressure = Reading::good(Pascals(2_000.0));
        assert_eq!(proven(&settings(), &readings, Switch::Off), Some(false));
        readings.own.secondary_flow = Reading::good(CubicMetersPerSecond(0.03));
        assert_eq!(proven(&settings(), &readings, Switch::Off), Some(true));
    }
}
