//! A benchmark of strategies: the same plants, the same weather, the same noise, and only the control differs.
//!
//! It is the yardstick for every later strategy, so that its honesty matters more than its numbers:
//!
//! - **No truth leaks.** A strategy is settings, and a [pilot](strategy::Pilot) that sees what the control sees. Only the
//!   ORACLE is handed the plant's truth, by a door of its own, and is reported as a bound, not as a candidate. The core
//!   cannot import the simulator at all (a test over the crate graph), and a recorded run of each strategy replays bit for
//!   bit from its inputs alone (a test here).
//! - **Baselines that are hard to beat.** B0 is what one finds, B1 an expert's curve that was tuned on the season before with
//!   the same sensors and then frozen, B2 the same with filter, sun and forecast. A gain over B0 alone is no gain.
//! - **Equal comfort.** Heat is compared at equal pass share: each strategy is run at several levels, and its energy–pass
//!   front is read at the target.
//! - **Pairs.** Every strategy meets the same draw of each plant under the same weather; differences are taken plant by plant,
//!   with an interval by resampling the plants.
//!
//! - **What is asked stands beside what came out.** [`targets`] says met or missed, and which plants missed and what they ran
//!   into.
//!
//! The method follows the studies cited in the guide (baselines B0 to B2, held-out plants, equal-comfort comparison).

pub mod commission;
pub mod compare;
pub mod figures;
pub mod plants;
pub mod season;
pub mod strategy;
pub mod svg;
pub mod targets;
pub mod tracking;

pub use compare::{Order, Trial};
pub use figures::Summary;
pub use season::Outcome;
pub use strategy::Strategy;
