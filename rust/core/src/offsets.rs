//! Offsets of what was handed out, and commits under way.

use std::sync::Arc;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::consumer::Consumer;
use crate::error::{Failure, Result};
use crate::native::{Fetched, Partitions, Queue, RawEvent};
use crate::wake::WakeFd;

/// The last message of each partition in a batch: the one whose offset is stored.
#[derive(Default)]
pub struct Newest(Vec<Fetched>);

impl Newest {
    #[inline]
    pub fn keep(&mut self, message: Fetched) {
        let raw = message.raw();
        if raw.err as i32 != 0 {
            return;
        }
        let place = (raw.rkt, raw.partition);
        // Batches are of one or a few partitions, mostly in runs.
        match self.0.iter_mut().rev().find(|kept| (kept.raw().rkt, kept.raw().partition) == place) {
            Some(kept) => *kept = message,
            None => self.0.push(message),
        }
    }

    /// Stores the offsets: the application gets the batch now.
    pub fn hand_out(self, consumer: &Consumer) {
        if consumer.client.stores_offsets() {
            self.0.iter().for_each(Fetched::store_offset);
        }
    }
}

/// A commit under way.
pub struct Committing {
    /// The queue of the answer and its signal; the client takes them over when nobody waits any more.
    parts: Option<(Queue, Arc<WakeFd>)>,
    pub done: Arc<WakeFd>,
    client: Arc<Client>,
}

impl Committing {
    pub(crate) fn new(queue: Queue, done: Arc<WakeFd>, client: Arc<Client>) -> Self {
        Committing { parts: Some((queue, Arc::clone(&done))), done, client }
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            if self.client.forked() {
                return std::mem::forget(parts);
            }
            self.client.keep_until_destroyed(parts);
        }
    }
}

impl Committing {
    /// The committed partitions with their own error codes, once the answer is there.
    pub fn result(&mut self) -> Option<Result<Partitions>> {
        let event: RawEvent = self.parts.as_ref()?.0.poll()?;
        self.parts = None; // answered: nothing will be written any more
        debug_assert!(!self.client.forked());
        // SAFETY: the event is alive; its list is copied.
        unsafe {
            let code = sys::rd_kafka_event_error(event.0.as_ptr()) as i32;
            let list = Partitions::copy_of(sys::rd_kafka_event_topic_partition_list(event.0.as_ptr()));
            // One partition's own error stands beside it; the code is for the request, or when every one failed.
            if code != 0 {
                let reason = format!("Commit failed: {}", crate::error::describe(code));
                return Some(Err(Failure::new(code, reason).into()));
            }
            Some(Ok(list))
        }
    }
}
