//! How a consumer leaves its group.
//!
//! Rebalances that are ready are the application's to hear of while the group still lives (`surface`). But to answer one
//! that takes partitions away would make the member join again, and its request to leave wait behind that; and librdkafka,
//! told to end, mostly leaves without the answer. So it is owed until it is known to be waited for. (With KIP-848 nobody
//! joins again, and librdkafka waits for every answer: none is owed.)

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka_sys::bindings as sys;

use crate::consumer::{settle_assignment, Consumer};
use crate::error::{check, check_error, text, Error, Result};
use crate::native::{Fetched, Partitions, Queue};

/// The answer to a rebalance that was not given.
#[derive(Default)]
pub(crate) struct Owed {
    /// Set by `surface`.
    soon: AtomicBool,
    /// Since when, and how many partitions the rebalance takes away.
    answer: Mutex<Option<(Instant, usize)>>,
}

impl Consumer {
    /// Lets rebalances that are ready come up as notices, before `start_close`. Messages before them stay in the buffer.
    pub fn surface(&self) {
        self.owed.soon.store(true, Ordering::Relaxed);
        let mut buffer = self.buffer();
        let mut left = self.client.queue().len();
        while left > 0 {
            let most = left.min(256);
            if buffer.extend(most, &mut |taken, most| self.fetch(taken, most)) == 0 {
                return;
            }
            left -= most;
        }
    }

    /// Starts leaving the group; `close_step` must be called until `has_left`.
    pub fn start_close(&self) -> Result<()> {
        let mut slot = locked(&self.close_queue);
        if slot.is_some() {
            return Ok(());
        }
        // SAFETY: the client is alive. The consumer's own queue will be forwarded to this one: it cannot be used.
        let queue = Queue::adopt(unsafe { sys::rd_kafka_queue_new(self.rk()) })
            .ok_or_else(|| Error::System("librdkafka gave no queue for closing".into()))?;
        self.client.attend(&queue);
        let turn = self.changing();
        settle_assignment(self.rk());
        let waits = self.waits_for_answer();
        let mut leaving = self.leaving.write().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the client and the queue are alive.
        check_error(unsafe { sys::rd_kafka_consumer_close_queue(self.rk(), queue.as_ptr()) })?;
        *leaving = true;
        self.client.leaving.store(true, Ordering::SeqCst);
        *slot = Some(queue);
        drop((leaving, turn, slot));
        if waits {
            *locked(&self.owed.answer) = None;
            return self.answer();
        }
        Ok(())
    }

    /// Whether a rebalance is left without answer for now: one that takes partitions away shortly before the close, or
    /// one that gives some when the group is being left already.
    pub(crate) fn owes(&self, assign: bool, partitions: &Partitions) -> bool {
        if self.client.property("group.protocol").as_deref() == Some("consumer") {
            return false;
        }
        let leaving = *self.leaving.read().unwrap_or_else(PoisonError::into_inner);
        let owed = if assign { leaving } else { !leaving && self.owed.soon.load(Ordering::Relaxed) };
        if owed {
            *locked(&self.owed.answer) = Some((Instant::now(), partitions.entries().len()));
        }
        owed
    }

    /// Whether librdkafka, told to end the group, will wait for the answer that is owed. It leaves an eager group without
    /// it; in a cooperative one it revokes next what is left, if anything is.
    fn waits_for_answer(&self) -> bool {
        let Some((_, taken)) = *locked(&self.owed.answer) else { return false };
        let mut list = std::ptr::null_mut();
        // SAFETY: the client is alive, and the group with it; the name is a constant, the list ours after a success.
        let (protocol, code) = unsafe {
            (text(sys::rd_kafka_rebalance_protocol(self.rk())), sys::rd_kafka_assignment(self.rk(), &mut list))
        };
        let list = if code as i32 == 0 { Partitions::adopt(list) } else { None };
        protocol == "COOPERATIVE" && list.is_none_or(|list| list.entries().len() <= taken)
    }

    /// librdkafka takes it for an unassign by now, whatever it says.
    fn answer(&self) -> Result<()> {
        // SAFETY: the client is alive.
        match self.ask(|rk| check(unsafe { sys::rd_kafka_assign(rk, std::ptr::null()) })) {
            Err(Error::Closing) => Ok(()), // the group has ended: it waits for nothing any more
            answered => answered?,
        }
    }

    /// Serves what closing needs of the application. Messages that still come go to the buffer, so that positions stay
    /// right; their offsets are never stored.
    pub fn close_step(&self) {
        let slot = locked(&self.close_queue);
        let Some(queue) = slot.as_ref() else { return };
        let next = |taken: &mut Vec<Fetched>, most: usize| {
            while taken.len() < most {
                // SAFETY: the queue is alive; a returned message is owned by Fetched. C callbacks only enqueue.
                let message = Fetched::adopt(unsafe { sys::rd_kafka_consume_queue(queue.as_ptr(), 0) });
                let Some(message) = message else { return };
                taken.push(message);
            }
        };
        while self.buffer().extend(256, &mut { next }) == 256 {}
    }

    pub(crate) fn closed(&self) -> bool {
        // SAFETY: the client is alive.
        unsafe { sys::rd_kafka_consumer_closed(self.rk()) != 0 }
    }

    /// Whether the group has ended, which librdkafka signals. To be asked once a second at least: an answer that is owed
    /// and waited for all the same is given then.
    pub fn has_left(&self) -> Result<bool> {
        const PATIENCE: Duration = Duration::from_millis(500);
        if self.closed() {
            return Ok(true);
        }
        let mut owed = locked(&self.owed.answer);
        if owed.is_some_and(|(since, _)| since.elapsed() > PATIENCE) {
            *owed = None;
            drop(owed);
            self.answer()?;
        }
        Ok(false)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
