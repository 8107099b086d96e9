// SPDX-License-Identifier: Apache-2.0
//! What a mock cluster remembers beside the C object, which offers no way to ask.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::check::{Error, Result};

/// The mock thread answers a command and only then empties its wake-up pipe. A command posted in between is
/// not seen before its poll() times out, after a second: so commands keep this distance.
const COMMAND_DISTANCE: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct State {
    pub(super) brokers: BTreeSet<i32>,
    /// Ids once used. Clients remember a broker id, so a decommissioned one may be added again, but a new one
    /// picked for the caller must never repeat.
    pub(super) highest_broker: i32,
    pub(super) leaderless: HashSet<(String, i32)>,
    /// Whether LEADERLESS_CAPS are in force.
    pub(super) capped: bool,
    /// Version ranges the user asked for; absent means the mock broker's own range.
    pub(super) versions: HashMap<i16, (i16, i16)>,
    /// When the last command was answered.
    pub(super) answered: Option<Instant>,
}

impl State {
    /// Waits until the mock thread has certainly emptied its wake-up pipe after the last command.
    pub(super) fn keep_distance(&self) {
        let since = self.answered.map_or(COMMAND_DISTANCE, |at| at.elapsed());
        if let Some(rest) = COMMAND_DISTANCE.checked_sub(since) {
            std::thread::sleep(rest);
        }
    }

    /// The id, if there is such a broker.
    pub(super) fn known_broker(&self, broker: i32) -> Result<i32> {
        if self.brokers.contains(&broker) {
            return Ok(broker);
        }
        let known: Vec<_> = self.brokers.iter().map(i32::to_string).collect();
        Err(Error::Invalid(format!("there is no broker {broker}; the brokers are {}", known.join(", "))))
    }
}
