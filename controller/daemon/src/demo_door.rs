//! The one thing that a demonstration has beyond a station: faults that a visitor may switch on and off in the simulated
//! plant. It reaches the simulator, never the control, and exists only under `heatstation demo`.

use tokio::sync::mpsc;

/// A fault that a visitor may switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoFault {
    /// Its key in the address, as in `circulation-pump-1`.
    pub key: String,
    /// What it is called: Chinese, English.
    pub texts: (String, String),
}

/// A switch that a visitor has turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoSwitch {
    /// Which fault.
    pub key: String,
    /// On or off.
    pub active: bool,
}

/// The door from the page to the simulated plant.
#[derive(Clone, Debug)]
pub struct DemoDoor {
    /// What can be switched.
    pub faults: Vec<DemoFault>,
    /// Where switches go. Bounded: a full queue is answered with "busy".
    pub switches: mpsc::Sender<DemoSwitch>,
}
