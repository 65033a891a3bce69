//! A register as the place of an output.

use heatstation_points::{Point, Value};

use super::{OutputRules, Place, Verified};
use crate::decode::{decode, encode};
use crate::encoding::Encoding;
use crate::settings::{ReadBack, Register, WriteFunction};

/// A register of a device on a register wire.
#[derive(Debug)]
pub(crate) struct RegisterPlace {
    /// Which device of the wire.
    pub(crate) device: usize,
    /// Where its sample is shown.
    pub(crate) slot: usize,
    pub(crate) register: Register,
    /// How many barriers stand in the rows of the device up to this one.
    pub(crate) segment: usize,
    rules: OutputRules,
}

impl RegisterPlace {
    /// None for a register that is only read.
    pub(crate) fn of(device: usize, slot: usize, segment: usize, register: &Register) -> Option<RegisterPlace> {
        let rules = register.write.as_ref()?;
        let verified = match rules.read_back {
            ReadBack::SameRegister => Verified::WithTheReads,
            ReadBack::OtherRegister { .. } => Verified::Apart,
            ReadBack::Impossible => Verified::Never,
        };
        let rules = OutputRules {
            minimum_interval: rules.minimum_interval,
            refresh: rules.refresh,
            tolerance: rules.tolerance,
            verified,
            settling: rules.settling,
            memory: rules.memory,
        };
        Some(RegisterPlace { device, slot, register: register.clone(), segment, rules })
    }
}

impl RegisterPlace {
    /// Whether it may go out in one request with a neighbour: written whole, by a function that writes several.
    pub(crate) fn is_mergeable(&self) -> bool {
        let Some(rules) = self.register.write.as_ref().filter(|rules| rules.merge) else { return false };
        let is_bit_of_word =
            !self.register.table.holds_bits() && matches!(self.register.encoding, Encoding::Bit { .. });
        !is_bit_of_word
            && match rules.function {
                WriteFunction::Automatic | WriteFunction::MultipleCoils | WriteFunction::MultipleRegisters => true,
                WriteFunction::SingleCoil
                | WriteFunction::SingleRegister
                | WriteFunction::MaskRegister
                | WriteFunction::ReadModifyWrite => false,
            }
    }
}

impl Place for RegisterPlace {
    type Said = Vec<u16>;

    fn point(&self) -> Point {
        self.register.point()
    }

    fn rules(&self) -> &OutputRules {
        &self.rules
    }

    fn say(&self, wish: Value) -> Result<(Vec<u16>, Value), String> {
        let words = encode(&self.register, wish).map_err(|refusal| refusal.to_string())?;
        // What is sent is read by the same rules as what comes back, so an unreadable wish is one that nobody could
        // ever confirm.
        let aim = decode(&self.register, &words).map_err(|fault| format!("its own words read as {fault:?}"))?;
        Ok((words, aim))
    }
}
