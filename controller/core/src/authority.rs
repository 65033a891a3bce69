//! Who has each output: the control, the dispatch centre, a person's hand, a person who works on it, or the cabinet.
//!
//! From the least to the most binding:
//!
//! | authority | what it means | ends |
//! |---|---|---|
//! | automatic | the control decides alone | |
//! | remote | the dispatch centre or a program shifts what the control aims at | with its wish, or when the centre falls silent |
//! | manual | a person says where the output stands | with its lease, by itself |
//! | maintenance | a person works on the device: it is not started, not even against frost | with its lease, by itself |
//! | local | a selector at the plant: nothing is written | at the selector |
//!
//! # What a hand cannot do
//! Interlocks and frost protection outrank it (law 7). Maintenance outranks frost protection too: hands are in the device.
//! The real lock is the padlock on the isolator; this is its shadow in the program, and it has an end so that no device
//! stays out of service because somebody forgot it.
//!
//! A lease is bounded by the envelope's longest life and names origin and author, so that the page can say who has it.

use std::sync::Arc;
use std::time::Duration;

use heatstation_points::{BuildingIndex, PumpIndex, Ratio, Switch};
use serde::{Deserialize, Serialize};

use crate::request::{Hand, Origin};

/// Who has an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The control.
    #[default]
    Automatic,
    /// The dispatch centre or a program, within the envelope.
    Remote,
    /// A person's hand.
    Manual,
    /// A person works on it.
    Maintenance,
    /// A selector at the plant.
    Local,
}

impl Authority {
    /// All of them, from the least to the most binding.
    pub const ALL: [Authority; 5] =
        [Authority::Automatic, Authority::Remote, Authority::Manual, Authority::Maintenance, Authority::Local];

    /// The name in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Authority::Automatic => "automatic",
            Authority::Remote => "remote",
            Authority::Manual => "manual",
            Authority::Maintenance => "maintenance",
            Authority::Local => "local",
        }
    }

    /// What an operator reads: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Authority::Automatic => ("自动", "automatic"),
            Authority::Remote => ("远程", "remote"),
            Authority::Manual => ("手动", "manual"),
            Authority::Maintenance => ("检修", "maintenance"),
            Authority::Local => ("就地", "local"),
        }
    }
}

/// A device of a circuit that takes commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The primary valve.
    Valve,
    /// The speed that all duty pumps share.
    CirculationSpeed,
    /// One circulation pump.
    CirculationPump(PumpIndex),
    /// Make-up as a whole.
    MakeUp,
    /// One make-up pump.
    MakeUpPump(PumpIndex),
    /// The relief valve.
    ReliefValve,
    /// The make-up tank's inlet.
    TankInlet,
    /// A building's valve.
    BuildingValve(BuildingIndex),
}

impl Device {
    /// All devices of a circuit of that size, in the order of its commands.
    pub fn all(circulation_pumps: usize, make_up_pumps: usize, buildings: usize) -> impl Iterator<Item = Device> {
        let circulation = (0..circulation_pumps).map(|n| Device::CirculationPump(PumpIndex(n)));
        let make_up = (0..make_up_pumps).map(|n| Device::MakeUpPump(PumpIndex(n)));
        let tank =
            [Device::MakeUp, Device::ReliefValve, Device::TankInlet].into_iter().filter(move |_| make_up_pumps > 0);
        let buildings = (0..buildings).map(|n| Device::BuildingValve(BuildingIndex(n)));
        [Device::Valve, Device::CirculationSpeed]
            .into_iter()
            .chain(circulation)
            .chain(tank)
            .chain(make_up)
            .chain(buildings)
    }

    /// The kind of device in metrics and records; pumps and buildings have a number beside it.
    pub const fn kind(self) -> &'static str {
        match self {
            Device::Valve => "valve",
            Device::CirculationSpeed => "circulation_speed",
            Device::CirculationPump(_) => "circulation_pump",
            Device::MakeUp => "make_up",
            Device::MakeUpPump(_) => "make_up_pump",
            Device::ReliefValve => "relief_valve",
            Device::TankInlet => "tank_inlet",
            Device::BuildingValve(_) => "building_valve",
        }
    }

    /// Its place among its kind, from 0.
    pub const fn number(self) -> Option<usize> {
        match self {
            Device::CirculationPump(pump) | Device::MakeUpPump(pump) => Some(pump.0),
            Device::BuildingValve(building) => Some(building.0),
            Device::Valve | Device::CirculationSpeed | Device::MakeUp | Device::ReliefValve | Device::TankInlet => None,
        }
    }

    /// What an operator calls its kind: Chinese, English.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Device::Valve => ("电动阀", "primary valve"),
            Device::CirculationSpeed => ("循环泵频率", "circulation speed"),
            Device::CirculationPump(_) => ("循环泵", "circulation pump"),
            Device::MakeUp => ("补水", "make-up"),
            Device::MakeUpPump(_) => ("补水泵", "make-up pump"),
            Device::ReliefValve => ("泄压阀", "relief valve"),
            Device::TankInlet => ("水箱进水阀", "tank inlet"),
            Device::BuildingValve(_) => ("楼阀", "building valve"),
        }
    }
}

impl Hand {
    /// The device that it takes.
    pub const fn device(self) -> Device {
        match self {
            Hand::Valve(_) => Device::Valve,
            Hand::CirculationSpeed(_) => Device::CirculationSpeed,
            Hand::PumpOut(pump) => Device::CirculationPump(pump),
            Hand::MakeUp(_) => Device::MakeUp,
            Hand::MakeUpPumpOut(pump) => Device::MakeUpPump(pump),
            Hand::ReliefValve(_) => Device::ReliefValve,
            Hand::TankInlet(_) => Device::TankInlet,
            Hand::BuildingValve(building, _) => Device::BuildingValve(building),
        }
    }
}

/// What a device is held for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// A hand on it.
    Manual(Hand),
    /// Work on it.
    Maintenance,
}

/// One device that is not automatic, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Which device.
    pub device: Device,
    /// What it is held for.
    pub hold: Hold,
    /// Where the wish came from.
    pub origin: Origin,
    /// Who asked.
    pub author: Arc<str>,
    /// The time that is left.
    pub left: Duration,
}

/// What is shown of a device that is not automatic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Which device.
    pub device: Device,
    /// Who has it.
    pub authority: Authority,
    /// Where the wish came from; none for local.
    pub origin: Option<Origin>,
    /// Who asked; none for local and where nobody is known.
    pub author: Option<Arc<str>>,
    /// The time that is left; none for local.
    pub left: Option<Duration>,
}

/// The leases of one circuit: one a device and hold at most, so that its length is bounded by the plant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leases(Vec<Lease>);

impl Leases {
    /// Takes a device, or changes and prolongs what the same hold already has.
    pub fn take(&mut self, lease: Lease) {
        let same =
            |other: &Lease| other.device == lease.device && is_maintenance(other.hold) == is_maintenance(lease.hold);
        self.0.retain(|other| !same(other));
        if !lease.left.is_zero() {
            self.0.push(lease);
        }
    }

    /// Gives back what is in hand.
    pub fn clear_hands(&mut self) {
        self.0.retain(|lease| is_maintenance(lease.hold));
    }

    /// Ends all work.
    pub fn clear_maintenance(&mut self) {
        self.0.retain(|lease| !is_maintenance(lease.hold));
    }

    /// Lets time pass in which no step was made. What has ended by then ends in the next step, which says so.
    pub fn age(&mut self, gone: Duration) {
        for lease in &mut self.0 {
            lease.left = lease.left.saturating_sub(gone);
        }
    }

    /// Lets time pass and hands over what has ended.
    pub fn pass(&mut self, dt: Duration, mut ended: impl FnMut(Device)) {
        self.age(dt);
        self.0.retain(|lease| {
            if lease.left.is_zero() {
                ended(lease.device);
            }
            !lease.left.is_zero()
        });
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Lease> {
        self.0.iter()
    }

    /// The longest time that is left to a hand, if anything is in hand.
    pub fn longest_hand(&self) -> Option<Duration> {
        self.0.iter().filter(|lease| !is_maintenance(lease.hold)).map(|lease| lease.left).max()
    }

    /// Whether somebody works on a device.
    pub fn maintains(&self, device: Device) -> bool {
        self.0.iter().any(|lease| lease.device == device && is_maintenance(lease.hold))
    }

    fn hand<T>(&self, read: impl Fn(Hand) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|lease| match lease.hold {
            Hold::Manual(hand) => read(hand),
            Hold::Maintenance => None,
        })
    }

    /// Where a hand holds the valve.
    pub fn valve(&self) -> Option<Ratio> {
        self.hand(|hand| if let Hand::Valve(position) = hand { Some(position) } else { None })
    }

    /// The speed that a hand gives the duty pumps.
    pub fn speed(&self) -> Option<Ratio> {
        self.hand(|hand| if let Hand::CirculationSpeed(speed) = hand { Some(speed) } else { None })
    }

    /// Whether a hand keeps a circulation pump out.
    pub fn pump_out(&self, pump: PumpIndex) -> bool {
        self.hand(|hand| (hand == Hand::PumpOut(pump)).then_some(())).is_some()
    }

    /// Whether a hand lets make-up run up to its setpoint, or keeps it off.
    pub fn make_up(&self) -> Option<Switch> {
        self.hand(|hand| if let Hand::MakeUp(on) = hand { Some(on) } else { None })
    }

    /// Whether a hand keeps a make-up pump out.
    pub fn make_up_pump_out(&self, pump: PumpIndex) -> bool {
        self.hand(|hand| (hand == Hand::MakeUpPumpOut(pump)).then_some(())).is_some()
    }

    /// Where a hand holds the relief valve.
    pub fn relief_valve(&self) -> Option<Switch> {
        self.hand(|hand| if let Hand::ReliefValve(open) = hand { Some(open) } else { None })
    }

    /// Where a hand holds the tank's inlet.
    pub fn tank_inlet(&self) -> Option<Switch> {
        self.hand(|hand| if let Hand::TankInlet(open) = hand { Some(open) } else { None })
    }

    /// Where a hand holds a building's valve.
    pub fn building_valve(&self, building: BuildingIndex) -> Option<Ratio> {
        self.hand(|hand| match hand {
            Hand::BuildingValve(of, position) if of == building => Some(position),
            Hand::Valve(_)
            | Hand::CirculationSpeed(_)
            | Hand::PumpOut(_)
            | Hand::MakeUp(_)
            | Hand::MakeUpPumpOut(_)
            | Hand::ReliefValve(_)
            | Hand::TankInlet(_)
            | Hand::BuildingValve(..) => None,
        })
    }
}

fn is_maintenance(hold: Hold) -> bool {
    match hold {
        Hold::Manual(_) => false,
        Hold::Maintenance => true,
    }
}

impl Lease {
    /// Who has the device by this lease.
    pub fn authority(&self) -> Authority {
        if is_maintenance(self.hold) { Authority::Maintenance } else { Authority::Manual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(hold: Hold, device: Device, seconds: u64) -> Lease {
        Lease { device, hold, origin: Origin::Operator, author: "li.wei".into(), left: Duration::from_secs(seconds) }
    }

    fn hand(hand: Hand, seconds: u64) -> Lease {
        lease(Hold::Manual(hand), hand.device(), seconds)
    }

    #[test]
    fn the_newest_hand_on_a_device_holds_and_ends_by_itself() {
        let mut leases = Leases::default();
        leases.take(hand(Hand::Valve(Ratio(0.2)), 600));
        leases.take(hand(Hand::Valve(Ratio(0.4)), 60));
        leases.take(hand(Hand::PumpOut(PumpIndex(1)), 120));
        assert_eq!((leases.valve(), leases.all().count()), (Some(Ratio(0.4)), 2));
        let mut ended = Vec::new();
        leases.pass(Duration::from_secs(60), |device| ended.push(device));
        assert_eq!((leases.valve(), ended), (None, vec![Device::Valve]));
        assert!(leases.pump_out(PumpIndex(1)) && !leases.pump_out(PumpIndex(0)));
        assert_eq!(leases.longest_hand(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn work_on_a_device_and_a_hand_on_it_are_two_leases() {
        let mut leases = Leases::default();
        leases.take(lease(Hold::Maintenance, Device::Valve, 600));
        leases.take(hand(Hand::Valve(Ratio(0.4)), 60));
        assert!(leases.maintains(Device::Valve) && leases.valve().is_some());
        leases.pass(Duration::from_secs(61), |_| {});
        assert!(leases.maintains(Device::Valve) && leases.valve().is_none());
        leases.take(lease(Hold::Maintenance, Device::Valve, 0));
        assert_eq!(leases.all().count(), 0, "a lease of no length gives the device back");
    }

    #[test]
    fn a_circuit_without_make_up_of_its_own_has_no_make_up_devices() {
        assert_eq!(Device::all(2, 0, 1).count(), 5);
        assert_eq!(Device::all(2, 1, 1).count(), 9);
    }
}
