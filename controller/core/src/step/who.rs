//! Who has the devices that are not automatic.

use heatstation_points::{PumpIndex, PumpReadings, Switch};

use crate::adopt;
use crate::authority::{Authority, Device, Held};
use crate::settings::CircuitSettings;
use crate::state::CircuitState;
use crate::surroundings::Surroundings;

/// Devices that somebody else than the control has; nothing is collected while all are automatic.
pub(super) fn held(settings: &CircuitSettings, memory: &CircuitState, at: &Surroundings) -> Vec<Held> {
    let mut list = Vec::new();
    let local = |device| Held { device, authority: Authority::Local, origin: None, author: None, left: None };
    if at.station.remote_selected.usable() == Some(Switch::Off) || memory.was_local {
        let make_up_pumps = settings.make_up.as_ref().map_or(0, |make_up| make_up.pumps);
        list.extend(Device::all(settings.circulation.pumps, make_up_pumps, settings.buildings.len()).map(local));
    } else {
        if adopt::valve_is_local(at) {
            list.push(local(Device::Valve));
        }
        let is_local = |reading: &PumpReadings| reading.remote.last() == Some(Switch::Off);
        let numbers = |pumps: &[PumpReadings]| {
            pumps.iter().enumerate().filter(|(_, pump)| is_local(pump)).map(|(n, _)| PumpIndex(n)).collect::<Vec<_>>()
        };
        list.extend(numbers(&at.own.circulation_pumps).into_iter().map(|pump| local(Device::CirculationPump(pump))));
        list.extend(numbers(&at.own.make_up_pumps).into_iter().map(|pump| local(Device::MakeUpPump(pump))));
    }
    list.extend(memory.leases.all().map(|lease| Held {
        device: lease.device,
        authority: lease.authority(),
        origin: Some(lease.origin),
        author: Some(lease.author.clone()),
        left: Some(lease.left),
    }));
    if let Some((_, left)) = memory.shift {
        let by = memory.shift_by.as_ref();
        list.push(Held {
            device: Device::Valve,
            authority: Authority::Remote,
            origin: by.map(|(origin, _)| *origin),
            author: by.map(|(_, author)| author.clone()),
            left: Some(left),
        });
    }
    if let Some(remote) = memory.corrections.remote {
        list.push(Held {
            device: Device::Valve,
            authority: Authority::Remote,
            origin: Some(remote.origin),
            author: None,
            left: Some(remote.left),
        });
    }
    list
}
