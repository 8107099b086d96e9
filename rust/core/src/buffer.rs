//! Messages on their way from librdkafka's queue to the application.
//!
//! Taking a message off the queue one by one costs as much as converting it; taking many at once does not. What
//! the application sees stays exact: a message counts as consumed (`position`, stored offset) when it is handed
//! out, not when it lies here; seek, assign and revoke drop what lies here; pause sets it aside.
//!
//! A slow application gets its messages one by one again, so that callbacks are not kept waiting behind a batch.

use std::collections::VecDeque;
use std::time::Duration;

use crate::native::{Fetched, MessageView, Partition};

/// Most messages that lie here: they hold their fetch buffers in memory.
const MOST: usize = 128;
/// A batch that took longer than this to be handed out was too large.
const SLOW: Duration = Duration::from_millis(20);

#[derive(Default)]
pub struct Buffer {
    messages: VecDeque<Fetched>,
    /// Messages of paused partitions, in order.
    parked: VecDeque<Fetched>,
    paused: Vec<(String, i32)>,
    /// Seeks under way. Until they have ended nothing is taken off the queue or handed out: what lies here is dropped
    /// by a seek that succeeds, and stays if it fails.
    seeking: usize,
    /// The message handed out last, whose offset is not stored yet. Storing costs two locks; of several messages
    /// of one partition in quick succession it is done for the last one only.
    handed: Option<Fetched>,
    /// Messages that the application looks at before it takes them over.
    lent: Vec<Loan>,
    batch: usize,
    refilled: Duration,
    looked: Duration,
    stored: Duration,
}

struct Loan {
    key: usize,
    message: Fetched,
    /// Taken over. It stays here while an earlier message of its partition was not: its offset must not be stored.
    settled: bool,
}

impl Buffer {
    /// The next message. `refill(most)` takes up to so many off the queue.
    pub fn next(&mut self, mut refill: impl FnMut(&mut Vec<Fetched>, usize)) -> Option<Fetched> {
        if self.seeking > 0 {
            return None;
        }
        loop {
            if let Some(message) = self.messages.pop_front() {
                if self.is_paused(&message) {
                    self.parked.push_back(message);
                    continue;
                }
                // librdkafka must see polls (max.poll.interval.ms), and we what waits in its queue: rebalances.
                let now = coarse_clock();
                if now - self.looked > SLOW {
                    self.looked = now;
                    self.extend(1, &mut refill);
                }
                return Some(message);
            }
            self.store_handed();
            let now = coarse_clock();
            let quick = now - self.refilled <= SLOW;
            self.batch = if quick { (self.batch * 2).clamp(1, MOST) } else { 1 };
            (self.refilled, self.looked) = (now, now);
            if self.extend(self.batch, &mut refill) == 0 {
                return None;
            }
        }
    }

    /// Takes the message that the application has now.
    #[inline]
    pub fn handed_out(&mut self, message: Fetched) {
        if let Some(former) = self.handed.replace(message) {
            let same = self.handed.as_ref().is_some_and(|message| place_of(message) == place_of(&former));
            if !same || self.looked - self.stored > SLOW {
                self.stored = self.looked;
                former.store_offset();
            }
        }
    }

    /// Stores what was handed out: before a commit, a rebalance, a wait, or the end.
    pub fn store_handed(&mut self) {
        if let Some(message) = self.handed.take() {
            message.store_offset();
        }
    }

    /// Lends a message out under a key: it counts as not handed out until `settle`.
    pub fn lend(&mut self, message: Fetched, key: usize) {
        self.lent.push(Loan { key, message, settled: false });
    }

    /// The application takes a lent message over, and `stores` its offset. False if it must not: the message was taken
    /// away by a revoke, an assign or a seek, or is put back because of a pause or a seek under way.
    pub fn settle(&mut self, key: usize, stores: bool) -> bool {
        let Some(index) = self.loan(key) else { return false };
        if self.seeking > 0 || self.is_paused(&self.lent[index].message) {
            self.put_back(key);
            return false;
        }
        if !stores || self.lent[index].message.error() != 0 {
            drop(self.lent.swap_remove(index));
            return true;
        }
        self.lent[index].settled = true;
        let place = place_of(&self.lent[index].message);
        let left = |message: &&Fetched| message.error() == 0 && place_of(message) == place;
        let lying = self.parked.iter().chain(&self.messages).find(left); // the first of a partition is its earliest
        let lent = self.lent.iter().filter(|loan| !loan.settled).map(|loan| &loan.message).filter(left);
        let first_left = lent.chain(lying).map(|message| message.raw().offset).min();
        let mut newest: Option<Fetched> = None;
        let mut index = 0;
        while index < self.lent.len() {
            let loan = &self.lent[index];
            let offset = loan.message.raw().offset;
            if loan.settled && place_of(&loan.message) == place && first_left.is_none_or(|first| offset < first) {
                let message = self.lent.swap_remove(index).message;
                if newest.as_ref().is_none_or(|newest| newest.raw().offset < offset) {
                    newest = Some(message);
                }
            } else {
                index += 1;
            }
        }
        if let Some(message) = newest {
            self.handed_out(message);
        }
        true
    }

    /// Takes a lent message back: it comes again, in its place among the others of its partition.
    pub fn put_back(&mut self, key: usize) {
        let Some(index) = self.loan(key) else { return };
        let message = self.lent.swap_remove(index).message;
        let (place, offset) = (place_of(&message), message.raw().offset);
        let lying = if self.is_paused(&message) { &mut self.parked } else { &mut self.messages };
        let before = lying.iter().rposition(|other| place_of(other) == place && other.raw().offset < offset);
        lying.insert(before.map_or(0, |index| index + 1), message);
    }

    fn loan(&self, key: usize) -> Option<usize> {
        self.lent.iter().position(|loan| loan.key == key && !loan.settled)
    }

    /// Takes up to `most` messages off the queue; returns how many came.
    pub fn extend(&mut self, most: usize, refill: &mut impl FnMut(&mut Vec<Fetched>, usize)) -> usize {
        let mut taken = Vec::new();
        refill(&mut taken, most);
        let count = taken.len();
        self.messages.extend(taken);
        count
    }

    /// Moves up to `most` messages out.
    pub fn take(&mut self, taken: &mut Vec<Fetched>, most: usize) {
        while taken.len() < most {
            let Some(message) = self.messages.pop_front() else { return };
            if self.is_paused(&message) {
                self.parked.push_back(message);
            } else {
                taken.push(message);
            }
        }
    }

    /// Puts messages back that were taken last.
    pub fn give_back(&mut self, taken: Vec<Fetched>) {
        for message in taken.into_iter().rev() {
            self.messages.push_front(message);
        }
    }

    pub fn is_seeking(&self) -> bool {
        self.seeking > 0
    }

    pub fn begin_seek(&mut self) {
        self.seeking += 1;
    }

    pub fn end_seek(&mut self) {
        self.seeking = self.seeking.saturating_sub(1); // a consumer that was dropped meanwhile has emptied this
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn has_paused(&self) -> bool {
        !self.paused.is_empty()
    }

    fn is_paused(&self, message: &Fetched) -> bool {
        !self.paused.is_empty() && self.paused.iter().any(|(topic, partition)| message.is_of(topic, *partition))
    }

    pub fn pause(&mut self, partitions: &[Partition]) {
        for entry in partitions {
            let place = (entry.topic.clone(), entry.partition);
            if !self.paused.contains(&place) {
                self.paused.push(place);
            }
        }
    }

    pub fn resume(&mut self, partitions: &[Partition]) {
        self.paused.retain(|(topic, partition)| {
            !partitions.iter().any(|entry| entry.topic == *topic && entry.partition == *partition)
        });
        // In front of what came later, in their order.
        let mut resumed = Vec::new();
        for message in std::mem::take(&mut self.parked) {
            if self.is_paused(&message) {
                self.parked.push_back(message);
            } else {
                resumed.push(message);
            }
        }
        self.give_back(resumed);
    }

    /// Drops everything, for a new assignment.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.parked.clear();
        self.lent.clear();
        self.paused.clear();
    }

    /// Drops the messages of some partitions. Those given up are no longer paused.
    pub fn drop_partitions(&mut self, partitions: &[Partition], given_up: bool) {
        let kept = |message: &Fetched| !partitions.iter().any(|entry| message.is_of(&entry.topic, entry.partition));
        self.messages.retain(kept);
        self.parked.retain(kept);
        self.lent.retain(|loan| kept(&loan.message));
        if given_up {
            self.paused.retain(|(topic, partition)| {
                !partitions.iter().any(|entry| entry.topic == *topic && entry.partition == *partition)
            });
        }
    }

    /// The offset of the first message of a partition that lies here or is lent.
    pub fn first_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        let wanted = |message: &&Fetched| message.error() == 0 && message.is_of(topic, partition);
        let lying = self.parked.iter().chain(&self.messages).find(wanted);
        let lent = self.lent.iter().filter(|loan| !loan.settled).map(|loan| &loan.message).filter(wanted);
        lent.chain(lying).map(|message| message.raw().offset).min()
    }
}

fn place_of(message: &Fetched) -> (*mut rdkafka_sys::bindings::rd_kafka_topic_t, i32) {
    (message.raw().rkt, message.raw().partition)
}

/// A clock of a few milliseconds' precision that costs next to nothing.
fn coarse_clock() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is local.
    unsafe { libc::clock_gettime(CLOCK, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &str, partition: i32) -> Partition {
        Partition { topic: topic.into(), partition, offset: -1001, metadata: None, leader_epoch: None, error: 0 }
    }

    #[test]
    fn batches_grow_while_they_are_handed_out_quickly() {
        let mut buffer = Buffer::default();
        let mut asked = Vec::new();
        for _ in 0..12 {
            buffer.next(|_, most| asked.push(most));
        }
        assert_eq!(asked[0], 1);
        assert!(asked.windows(2).all(|pair| pair[1] == 1 || pair[1] == (pair[0] * 2).min(MOST)));
    }

    #[test]
    fn paused_partitions_are_remembered_once() {
        let mut buffer = Buffer::default();
        buffer.pause(&[place("t", 0), place("t", 1), place("t", 0)]);
        assert_eq!(buffer.paused.len(), 2);
        buffer.resume(&[place("t", 0)]);
        assert_eq!(buffer.paused, vec![("t".to_owned(), 1)]);
        buffer.drop_partitions(&[place("t", 1)], false);
        assert_eq!(buffer.paused.len(), 1);
        buffer.drop_partitions(&[place("t", 1)], true);
        assert!(buffer.paused.is_empty());
    }
}
