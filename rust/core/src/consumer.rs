//! Consuming, offsets and group membership.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use rdkafka_sys::bindings as sys;

use crate::buffer::Buffer;
use crate::client::Client;
use crate::error::{check, check_error, text, Error, Failure, Result};
use crate::leaving::Owed;
use crate::native::{c_string, Fetched, Partition, Partitions, Queue, Topic};
pub use crate::offsets::{Committing, Newest};
use crate::thread::Job;
use crate::wake::{wait, WakeFd};

/// Everything of a consumer besides its handle.
pub struct Consumer {
    pub client: Arc<Client>,
    /// librdkafka counts its own poll calls only: an endless wait must call in at half this interval.
    heartbeat: Duration,
    /// Set by every assign call: tells whether a rebalance callback has done it.
    assigned: AtomicBool,
    pub(crate) close_queue: Mutex<Option<Queue>>,
    pub(crate) owed: Owed,
    /// True once the group is being left. Held for reading by requests to the group, for writing by the start of a
    /// close. librdkafka 2.12 aborts the process when it meets a commit between the end of the group's business and the
    /// end of the group (rd_kafka_cgrp_terminated), and never answers other requests that it meets there.
    pub(crate) leaving: RwLock<bool>,
    /// Held while the assignment is changed.
    assigning: Mutex<()>,
    buffer: Arc<Mutex<Buffer>>,
}

impl Consumer {
    pub fn new(client: Arc<Client>) -> Self {
        let interval = client.property("max.poll.interval.ms").and_then(|value| value.parse().ok()).unwrap_or(300_000);
        Consumer {
            client,
            heartbeat: Duration::from_millis(interval / 2),
            assigned: AtomicBool::new(false),
            close_queue: Mutex::default(),
            owed: Owed::default(),
            leaving: RwLock::default(),
            assigning: Mutex::default(),
            buffer: Arc::default(),
        }
    }

    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    pub(crate) fn rk(&self) -> *mut sys::rd_kafka_t {
        self.client.as_ptr()
    }

    /// Makes a request to the group, which librdkafka answers at once. `Error::Closing` when the group has ended.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(*mut sys::rd_kafka_t) -> T + Send + 'static,
    ) -> Result<T> {
        /// How long an answer that was given before the end may take to be seen.
        const GRACE: Duration = Duration::from_secs(1);
        const LOOK: Duration = Duration::from_millis(10);
        let leaving = self.leaving.read().unwrap_or_else(PoisonError::into_inner);
        if !*leaving {
            return Ok(request(self.rk())); // the request to end the group comes behind it
        }
        drop(leaving);
        if self.closed() {
            return Err(Error::Closing);
        }
        // From now on it may meet the end of the group, and then waits for ever: not on this thread. What it holds is
        // never freed then, the client included.
        let client = Arc::clone(&self.client);
        let job = Job::start("kafka-call", move || request(client.as_ptr()))?;
        loop {
            let ended = self.closed();
            wait(&[job.done.read_fd()], Some(if ended { GRACE } else { LOOK }));
            match job.take() {
                Some(answer) => return Ok(answer),
                None if ended => return Err(Error::Closing),
                None => {}
            }
        }
    }

    pub(crate) fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message, without waiting. `handed_out` must follow.
    #[inline]
    pub fn poll(&self) -> Option<Fetched> {
        self.buffer().next(|taken, most| self.fetch(taken, most))
    }

    /// The application has this message of `poll` now: its offset is stored, at the latest before a commit.
    #[inline]
    pub fn handed_out(&self, message: Fetched) {
        if self.client.stores_offsets() && message.raw().err as i32 == 0 {
            self.buffer().handed_out(message);
        }
    }

    /// The application looks at this message of `poll`, under a key; `settle` or `put_back` must follow.
    pub fn lend(&self, message: Fetched, key: usize) {
        self.buffer().lend(message, key);
    }

    /// The application takes a lent message over; false if it must not, as somebody else may get it (`Buffer::settle`).
    pub fn settle(&self, key: usize) -> bool {
        self.buffer().settle(key, self.client.stores_offsets())
    }

    /// Takes a lent message back, if it is not gone.
    pub fn put_back(&self, key: usize) {
        self.buffer().put_back(key);
        self.client.nudge();
    }

    /// Stores the offsets of everything that was handed out.
    pub fn store_handed(&self) {
        self.buffer().store_handed();
    }

    /// Up to `most` messages in all, without waiting. `Newest::hand_out` or `give_back` must follow.
    pub fn poll_batch(&self, taken: &mut Vec<Fetched>, most: usize) {
        let mut buffer = self.buffer();
        if buffer.is_seeking() {
            return;
        }
        buffer.store_handed();
        buffer.take(taken, most);
        if taken.len() < most {
            self.fetch(taken, most - taken.len());
            if buffer.has_paused() {
                // What was fetched just before the pause.
                let all = std::mem::take(taken);
                buffer.give_back(all);
                buffer.take(taken, most);
            }
        }
    }

    /// Messages that could be taken now, roughly: other events count as well.
    pub fn backlog(&self) -> usize {
        self.buffer().len() + self.client.queue().len()
    }

    /// Takes messages back that the application did not get.
    pub fn give_back(&self, messages: Vec<Fetched>) {
        self.buffer().give_back(messages);
    }

    /// Takes up to `most` messages off librdkafka's queue.
    pub(crate) fn fetch(&self, taken: &mut Vec<Fetched>, most: usize) {
        let mut raw: Vec<*mut sys::rd_kafka_message_t> = Vec::with_capacity(most);
        // SAFETY: the array has room for `most` pointers, of which the call fills in the returned number.
        unsafe {
            let count = sys::rd_kafka_consume_batch_queue(self.client.queue().as_ptr(), 0, raw.as_mut_ptr(), most);
            raw.set_len(usize::try_from(count).unwrap_or(0));
        }
        taken.extend(raw.into_iter().filter_map(Fetched::adopt));
    }

    /// Forgets the messages of partitions that were given up.
    pub fn forget(&self, partitions: &Partitions) {
        self.store_handed();
        self.buffer().drop_partitions(&partitions.entries(), true);
    }

    /// Forgets every message that was not handed out.
    pub fn forget_all(&self) {
        self.store_handed();
        self.buffer().clear();
    }

    pub fn subscribe(&self, topics: &[String]) -> Result<()> {
        let entries: Vec<_> = topics.iter().map(|topic| unassigned(topic)).collect();
        let list = Partitions::new(&entries);
        // SAFETY: the client is alive; the list is copied.
        self.ask(move |rk| check(unsafe { sys::rd_kafka_subscribe(rk, list.as_ptr()) }))?
    }

    pub fn unsubscribe(&self) -> Result<()> {
        // SAFETY: the client is alive.
        self.ask(|rk| check(unsafe { sys::rd_kafka_unsubscribe(rk) }))?
    }

    pub fn subscription(&self) -> Result<Vec<String>> {
        // SAFETY: the client is alive.
        let entries = self.ask(|rk| unsafe { listed(rk, sys::rd_kafka_subscription) })??;
        Ok(entries.into_iter().map(|entry| entry.topic).collect())
    }

    /// Lets one thread change the assignment.
    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        self.assigning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the assignment, once what an earlier change has asked for is done.
    fn change(&self, request: impl FnOnce(*mut sys::rd_kafka_t) -> Result<()> + Send + 'static) -> Result<()> {
        let _turn = self.changing();
        self.ask(move |rk| {
            settle_assignment(rk);
            request(rk)
        })?
    }

    /// Replaces the assignment; `None` empties it.
    pub fn assign(&self, partitions: Option<&[Partition]>) -> Result<()> {
        self.assigned.store(true, Ordering::Relaxed);
        self.forget_all();
        let list = partitions.map(Partitions::new);
        self.change(move |rk| {
            let pointer = list.as_ref().map_or(ptr::null_mut(), Partitions::as_ptr);
            // SAFETY: the client is alive; the list is copied.
            check(unsafe { sys::rd_kafka_assign(rk, pointer) })
        })
    }

    pub fn incremental_assign(&self, partitions: &[Partition]) -> Result<()> {
        self.assigned.store(true, Ordering::Relaxed);
        let list = Partitions::new(partitions);
        // SAFETY: the client is alive; the list is copied.
        self.change(move |rk| check_error(unsafe { sys::rd_kafka_incremental_assign(rk, list.as_ptr()) }))
    }

    pub fn incremental_unassign(&self, partitions: &[Partition]) -> Result<()> {
        self.assigned.store(true, Ordering::Relaxed);
        let list = Partitions::new(partitions);
        self.forget(&list);
        // SAFETY: the client is alive; the list is copied.
        self.change(move |rk| check_error(unsafe { sys::rd_kafka_incremental_unassign(rk, list.as_ptr()) }))
    }

    /// Forgets earlier assign calls; `finish_rebalance` looks at those that come after.
    pub fn begin_rebalance(&self) {
        self.store_handed();
        self.assigned.store(false, Ordering::Relaxed);
    }

    /// Does what the rebalance callback left undone.
    pub fn finish_rebalance(&self, assign: bool, partitions: &Partitions) -> Result<()> {
        if !assign {
            // Not before the callback: it may ask for positions, which must not include these messages.
            self.forget(partitions);
        }
        if self.assigned.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.owes(assign, partitions) {
            return Ok(());
        }
        let list = partitions.duplicate();
        // SAFETY: the client is alive; lists are copied.
        let done = self.change(move |rk| unsafe {
            let protocol = text(sys::rd_kafka_rebalance_protocol(rk));
            match (protocol == "COOPERATIVE", assign) {
                (true, true) => check_error(sys::rd_kafka_incremental_assign(rk, list.as_ptr())),
                (true, false) => check_error(sys::rd_kafka_incremental_unassign(rk, list.as_ptr())),
                (false, true) => check(sys::rd_kafka_assign(rk, list.as_ptr())),
                (false, false) => check(sys::rd_kafka_assign(rk, ptr::null())),
            }
        });
        match done {
            Err(Error::Closing) => Ok(()), // the group has ended: it waits for nothing any more
            done => done,
        }
    }

    pub fn assignment(&self) -> Result<Vec<Partition>> {
        // SAFETY: the client is alive.
        self.ask(|rk| unsafe { listed(rk, sys::rd_kafka_assignment) })?
    }

    pub fn pause(&self, partitions: &Partitions) -> Result<()> {
        self.buffer().pause(&partitions.entries());
        // SAFETY: the client is alive; entries get their own error codes.
        check(unsafe { sys::rd_kafka_pause_partitions(self.rk(), partitions.as_ptr()) })
    }

    pub fn resume(&self, partitions: &Partitions) -> Result<()> {
        // SAFETY: the client is alive; entries get their own error codes.
        check(unsafe { sys::rd_kafka_resume_partitions(self.rk(), partitions.as_ptr()) })?;
        self.buffer().resume(&partitions.entries());
        self.client.nudge();
        Ok(())
    }

    /// The next offset to be handed out, per partition.
    pub fn position(&self, partitions: &Partitions) -> Result<Vec<Partition>> {
        let buffer = self.buffer();
        // SAFETY: the client is alive; the list is filled in.
        check(unsafe { sys::rd_kafka_position(self.rk(), partitions.as_ptr()) })?;
        let mut entries = partitions.entries();
        for entry in &mut entries {
            if let Some(offset) = buffer.first_offset(&entry.topic, entry.partition) {
                entry.offset = offset;
            }
        }
        Ok(entries)
    }

    /// Must come before a seek: nothing is handed out until the returned value is dropped.
    pub fn begin_seek(&self, place: &Partition) -> Seeking {
        self.store_handed();
        self.buffer().begin_seek();
        Seeking { buffer: Arc::clone(&self.buffer), place: place.clone(), client: Arc::clone(&self.client) }
    }

    pub fn store_offsets(&self, partitions: &Partitions) -> Result<()> {
        if self.client.stores_offsets() {
            // librdkafka would refuse it; underneath, storing is ours (Client::new).
            return Err(Failure::from_code(-186).into());
        }
        // SAFETY: the client is alive; entries get their own error codes.
        check(unsafe { sys::rd_kafka_offsets_store(self.rk(), partitions.as_ptr()) })
    }

    /// Lets a commit begin, unless another thread closes: then it would come too late.
    fn may_commit(&self) -> Result<RwLockReadGuard<'_, bool>> {
        let permit = self.leaving.read().unwrap_or_else(PoisonError::into_inner);
        if self.client.is_closing() {
            return Err(Error::Closing);
        }
        Ok(permit)
    }

    /// Starts a commit whose result goes to the commit callback. `None` commits what is stored.
    pub fn commit_async(&self, offsets: Option<&Partitions>) -> Result<()> {
        self.store_handed();
        let _permit = self.may_commit()?;
        let pointer = offsets.map_or(ptr::null_mut(), Partitions::as_ptr);
        // SAFETY: the client is alive; the list is copied.
        check(unsafe { sys::rd_kafka_commit(self.rk(), pointer, 1) })
    }

    /// Starts a commit whose result comes to the returned value.
    pub fn commit(&self, offsets: Option<&Partitions>) -> Result<Committing> {
        self.store_handed();
        // SAFETY: the client is alive; the queue reference is owned by Queue.
        let queue = Queue::adopt(unsafe { sys::rd_kafka_queue_new(self.rk()) })
            .ok_or_else(|| Error::System("librdkafka gave no queue for a commit".into()))?;
        let done = Arc::new(WakeFd::new()?);
        queue.signal_to(&done);
        let pointer = offsets.map_or(ptr::null_mut(), Partitions::as_ptr);
        let _permit = self.may_commit()?;
        // SAFETY: the list is copied; without a callback the result is an event on the queue.
        check(unsafe { sys::rd_kafka_commit_queue(self.rk(), pointer, queue.as_ptr(), None, ptr::null_mut()) })?;
        Ok(Committing::new(queue, done, Arc::clone(&self.client)))
    }

    pub fn cached_watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64)> {
        let topic = c_string(topic);
        let (mut low, mut high) = (0, 0);
        // SAFETY: the client is alive; the out pointers are local.
        check(unsafe {
            sys::rd_kafka_get_watermark_offsets(self.rk(), topic.as_ptr(), partition, &mut low, &mut high)
        })?;
        Ok((low, high))
    }

    pub fn member_id(&self) -> Option<String> {
        // SAFETY: the client is alive; the string is ours and freed by librdkafka's own allocator.
        let asked = self.ask(|rk| unsafe {
            let id = sys::rd_kafka_memberid(rk);
            (!id.is_null()).then(|| {
                let copy = text(id);
                sys::rd_kafka_mem_free(rk, id.cast());
                copy
            })
        });
        asked.ok().flatten().filter(|id| !id.is_empty())
    }

    /// The serialised group metadata that `send_offsets_to_transaction` takes.
    pub fn group_metadata(&self) -> Result<Vec<u8>> {
        // SAFETY: metadata and buffer are ours until destroyed and freed below.
        self.ask(|rk| unsafe {
            let metadata = sys::rd_kafka_consumer_group_metadata(rk);
            if metadata.is_null() {
                return Err(Failure::from_code(-172).into());
            }
            let (mut buffer, mut size) = (ptr::null_mut(), 0);
            let error = sys::rd_kafka_consumer_group_metadata_write(metadata, &mut buffer, &mut size);
            sys::rd_kafka_consumer_group_metadata_destroy(metadata);
            check_error(error)?;
            let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), size).to_vec();
            sys::rd_kafka_mem_free(rk, buffer.cast());
            Ok(bytes)
        })?
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let queue = self.close_queue.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.client.forked() {
            // Not even locked: the thread that held the lock is not there any more.
            std::mem::forget((Arc::clone(&self.buffer), queue));
            return;
        }
        // A seek that nobody waits for any more may still hold the buffer, but not its messages. They and the queue
        // end here, before the client, which is dropped with the other fields.
        drop(std::mem::take(&mut *self.buffer()));
    }
}

/// Waits until librdkafka has stopped what an earlier change of the assignment took away.
///
/// It aborts the process (rd_kafka_assignment_partition_stopped, in 2.12) when such a partition is assigned and taken
/// away again before. Its request to stop and the confirmation pass through the queue that also carries these
/// requests: the second answer comes behind both.
pub(crate) fn settle_assignment(rk: *mut sys::rd_kafka_t) {
    for _ in 0..2 {
        let mut list = ptr::null_mut();
        // SAFETY: the caller's client is alive; the list is ours after a success.
        if unsafe { sys::rd_kafka_assignment(rk, &mut list) } as i32 == 0 {
            drop(Partitions::adopt(list));
        }
    }
}

type ListOf = unsafe extern "C" fn(
    *mut sys::rd_kafka_t,
    *mut *mut sys::rd_kafka_topic_partition_list_t,
) -> sys::rd_kafka_resp_err_t;

/// # Safety
/// The client must be alive, and `ask` give a list to its caller after a success.
unsafe fn listed(rk: *mut sys::rd_kafka_t, ask: ListOf) -> Result<Vec<Partition>> {
    let mut list = ptr::null_mut();
    // SAFETY: by the caller's word.
    check(unsafe { ask(rk, &mut list) })?;
    Ok(Partitions::adopt(list).map_or_else(Vec::new, |list| list.entries()))
}

/// A seek under way.
pub struct Seeking {
    buffer: Arc<Mutex<Buffer>>,
    place: Partition,
    client: Arc<Client>,
}

impl Seeking {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the C call. Once it has succeeded, messages from before have no place any more.
    pub fn call(&self, timeout_ms: i32) -> Result<()> {
        blocking::seek(&self.client, &self.place, timeout_ms)?;
        self.buffer().drop_partitions(std::slice::from_ref(&self.place), false);
        Ok(())
    }
}

impl Drop for Seeking {
    fn drop(&mut self) {
        self.buffer().end_seek();
        self.client.nudge();
    }
}

/// Calls that block inside librdkafka: they run on a native thread.
pub mod blocking {
    use super::*;

    pub fn committed(client: &Client, partitions: &Partitions, timeout_ms: i32) -> Result<()> {
        // SAFETY: the client is alive; the list is filled in.
        check(unsafe { sys::rd_kafka_committed(client.as_ptr(), partitions.as_ptr(), timeout_ms) })
    }

    pub fn offsets_for_times(client: &Client, partitions: &Partitions, timeout_ms: i32) -> Result<()> {
        // SAFETY: the client is alive; the list is filled in.
        check(unsafe { sys::rd_kafka_offsets_for_times(client.as_ptr(), partitions.as_ptr(), timeout_ms) })
    }

    pub fn watermarks(client: &Client, topic: &str, partition: i32, timeout_ms: i32) -> Result<(i64, i64)> {
        let topic = c_string(topic);
        let (mut low, mut high) = (0, 0);
        // SAFETY: the client is alive; the out pointers are local.
        check(unsafe {
            sys::rd_kafka_query_watermark_offsets(
                client.as_ptr(),
                topic.as_ptr(),
                partition,
                &mut low,
                &mut high,
                timeout_ms,
            )
        })?;
        Ok((low, high))
    }

    pub fn seek(client: &Arc<Client>, partition: &Partition, timeout_ms: i32) -> Result<()> {
        let topic = Topic::new(client, &partition.topic)?;
        // SAFETY: the topic is alive.
        check(unsafe { sys::rd_kafka_seek(topic.as_ptr(), partition.partition, partition.offset, timeout_ms) })
    }
}

fn unassigned(topic: &str) -> Partition {
    Partition { topic: topic.to_owned(), partition: -1, offset: -1001, metadata: None, leader_epoch: None, error: 0 }
}
