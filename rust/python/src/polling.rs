//! What a consumer does when it is polled: callbacks, rebalances, messages; and how it leaves its group.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrokafka_core::consumer::{Consumer as Core, Newest};
use ferrokafka_core::error::Result as CoreResult;
use ferrokafka_core::inbox::Notice;
use ferrokafka_core::native::{Fetched, MessageView, Partitions};
use ferrokafka_core::wake::Deadline;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::calls::until;
use crate::consumer::Consumer;
use crate::error::{during, OrRaise};
use crate::message::Message;
use crate::names::Names;
use crate::notices::Callbacks;
use crate::partition;

const MOST_MESSAGES: i64 = 1_000_000;
/// How often a closing consumer looks at its group, beside the signals.
const CLOSING_LOOK: Duration = Duration::from_secs(1);

pub struct Inner {
    pub core: Core,
    pub callbacks: Callbacks,
    pub names: Names,
    pub rebalance: Mutex<Rebalance>,
    /// On an event loop: the rebalance whose callback has not ended. Until then nothing is served or handed out.
    unfinished: Mutex<Option<(bool, Partitions)>>,
    rebalancing: AtomicBool,
    /// Set by every poll.
    polled: AtomicBool,
    leaving: AtomicBool,
}

/// What `subscribe` was given.
#[derive(Default)]
pub struct Rebalance {
    pub on_assign: Option<Py<PyAny>>,
    pub on_revoke: Option<Py<PyAny>>,
    pub on_lost: Option<Py<PyAny>>,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub fn new(core: Core, callbacks: Callbacks) -> Self {
        Inner {
            core,
            callbacks,
            names: Names::default(),
            rebalance: Mutex::default(),
            unfinished: Mutex::default(),
            rebalancing: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
        }
    }

    /// Whether there was a poll since the last look.
    pub fn take_polled(&self) -> bool {
        self.polled.swap(false, Ordering::Relaxed)
    }

    #[inline]
    pub fn rebalancing(&self) -> bool {
        self.rebalancing.load(Ordering::Relaxed)
    }

    fn leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    fn start_leaving(&self) -> CoreResult<()> {
        self.leaving.store(true, Ordering::Relaxed);
        self.core.start_close()
    }

    /// Callbacks are due and may run.
    fn has_notices(&self) -> bool {
        self.core.client.has_notices() && !self.rebalancing()
    }

    /// Runs the callbacks that wait. One that raises leaves the others for the next call.
    pub fn serve(&self, slf: &Bound<'_, Consumer>) -> PyResult<()> {
        let (py, client) = (slf.py(), &self.core.client);
        while !self.rebalancing() {
            let Some(notice) = client.next_notice() else { break };
            if let Some(rebalance) = self.callbacks.run(py, client, notice)? {
                self.rebalanced(slf, rebalance)?;
            }
        }
        Ok(())
    }

    fn rebalanced(&self, slf: &Bound<'_, Consumer>, notice: Notice) -> PyResult<()> {
        let Notice::Rebalance { assign, lost, code: _, partitions } = notice else { return Ok(()) };
        let py = slf.py();
        if assign && self.leaving() {
            // It would be taken away again at once.
            self.core.begin_rebalance();
            return self.finish_rebalance(py, assign, &partitions);
        }
        let callback = {
            let table = locked(&self.rebalance);
            let chosen = match (assign, lost) {
                (true, _) => &table.on_assign,
                (false, true) if table.on_lost.is_some() => &table.on_lost,
                (false, _) => &table.on_revoke,
            };
            chosen.as_ref().map(|callback| callback.clone_ref(py))
        };
        self.core.begin_rebalance();
        let called = callback.map_or(Ok(false), |callback| {
            let result = callback.call1(py, (slf, partition::list_to_python(py, &partitions)?))?;
            Ok(self.core.client.is_watched() && !result.is_none(py))
        });
        if matches!(called, Ok(true)) {
            // A coroutine is on its way: the event loop calls `end_rebalance` when it has ended.
            *locked(&self.unfinished) = Some((assign, partitions));
            self.rebalancing.store(true, Ordering::Relaxed);
            return Ok(());
        }
        // Also when the callback raised: the group waits for this answer.
        called.map(drop).and(self.finish_rebalance(py, assign, &partitions))
    }

    fn finish_rebalance(&self, py: Python<'_>, assign: bool, partitions: &Partitions) -> PyResult<()> {
        let finished = py.detach(|| self.core.finish_rebalance(assign, partitions));
        finished.map_err(during("Rebalance failed")).or_raise(py)
    }

    /// The rebalance callback that had not ended has done so.
    pub fn end_rebalance(&self, py: Python<'_>) -> PyResult<()> {
        let unfinished = locked(&self.unfinished).take();
        let Some((assign, partitions)) = unfinished else { return Ok(()) };
        let finished = self.finish_rebalance(py, assign, &partitions);
        self.rebalancing.store(false, Ordering::Relaxed);
        self.core.client.nudge();
        finished
    }

    /// Whether `limit` messages are there, or some and a callback that is due: the batch should be taken then.
    /// Callbacks run while there is no message.
    pub fn gather(&self, slf: &Bound<'_, Consumer>, limit: usize) -> PyResult<bool> {
        if self.rebalancing() {
            return Ok(false);
        }
        let mut taken = Vec::new();
        let outcome = loop {
            if taken.is_empty() {
                if let Err(error) = self.serve(slf) {
                    break Err(error);
                }
            }
            self.core.poll_batch(&mut taken, limit);
            if taken.len() >= limit || (!taken.is_empty() && self.has_notices()) {
                break Ok(true);
            }
            if !self.has_notices() {
                break Ok(false);
            }
        };
        self.core.give_back(taken);
        outcome
    }

    /// A message that can be handed out at once; `convert` must follow.
    #[inline]
    pub fn take_one(&self) -> Option<Fetched> {
        self.polled.store(true, Ordering::Relaxed);
        if self.rebalancing() || self.core.client.has_notices() {
            return None;
        }
        self.core.poll()
    }

    /// Hands out one message.
    #[inline]
    pub fn convert(&self, py: Python<'_>, message: Fetched) -> PyResult<Py<Message>> {
        let topic = message.topic().map(|name| self.names.get(py, name));
        let converted = Message::consumed(py, &message, topic)?;
        self.core.handed_out(message);
        Ok(converted)
    }

    /// Gives the application a message to look at: `settle` or `put_back` must follow.
    pub fn lend(&self, py: Python<'_>, message: Fetched) -> PyResult<Py<Message>> {
        let topic = message.topic().map(|name| self.names.get(py, name));
        let lent = Message::lent(py, &message, topic)?;
        self.core.lend(message, lent.as_ptr() as usize);
        Ok(lent)
    }

    /// Whether a lent message is handed out now. If not it comes again, here or to another consumer.
    pub fn settle(&self, message: &Bound<'_, Message>) -> bool {
        if self.rebalancing() {
            self.put_back(message); // the callback was told a position before it
            return false;
        }
        self.core.settle(message.as_ptr() as usize)
    }

    pub fn put_back(&self, message: &Bound<'_, Message>) {
        self.core.put_back(message.as_ptr() as usize);
    }

    /// Hands out up to `limit` messages that are there. Small portions stay in the processor's cache on their way
    /// through the queue, the conversion and their release.
    fn hand_out(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Py<Message>>> {
        const PORTION: usize = 256;
        let (mut messages, mut newest) = (Vec::with_capacity(limit), Newest::default());
        let mut portion = Vec::with_capacity(PORTION);
        while messages.len() < limit && !self.core.client.has_notices() && !self.rebalancing() {
            self.core.poll_batch(&mut portion, PORTION.min(limit - messages.len()));
            if portion.is_empty() {
                break;
            }
            // The name is known by the topic's handle, which cannot change while a message of the portion lives.
            let mut topic = (std::ptr::null_mut(), None);
            for message in portion.drain(..) {
                if topic.0 != message.raw().rkt || topic.1.is_none() {
                    topic = (message.raw().rkt, message.topic().map(|name| self.names.get(py, name)));
                }
                let name = topic.1.as_ref().map(|name: &Py<PyAny>| name.clone_ref(py));
                messages.push(Message::consumed(py, &message, name)?);
                newest.keep(message);
            }
        }
        newest.hand_out(&self.core);
        Ok(messages)
    }

    /// One message, callbacks before it. `hand` is `convert` or `lend`.
    #[inline]
    pub fn poll(
        &self,
        slf: &Bound<'_, Consumer>,
        timeout: f64,
        hand: impl Fn(&Self, Python<'_>, Fetched) -> PyResult<Py<Message>>,
    ) -> PyResult<Option<Py<Message>>> {
        let (py, client) = (slf.py(), &self.core.client);
        self.polled.store(true, Ordering::Relaxed);
        if self.rebalancing() {
            return Ok(None);
        }
        if !client.has_notices() {
            if let Some(message) = self.core.poll() {
                return hand(self, py, message).map(Some);
            }
        }
        until(py, client, Deadline::after(timeout), Some(self.core.heartbeat()), |_| loop {
            self.serve(slf)?;
            if self.rebalancing() {
                return Ok(None);
            }
            if let Some(message) = self.core.poll() {
                return hand(self, py, message).map(Some);
            }
            if !client.has_notices() {
                return Ok(None);
            }
        })
    }

    /// Up to `limit` messages: all of them or what is there when the time is over; without `full`, what is there first.
    pub fn batch<'py>(
        &self,
        slf: &Bound<'py, Consumer>,
        limit: i64,
        timeout: f64,
        full: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        if !(0..=MOST_MESSAGES).contains(&limit) {
            return Err(PyValueError::new_err("num_messages must be between 0 and 1000000 (1M)"));
        }
        self.polled.store(true, Ordering::Relaxed);
        let limit = limit as usize;
        let client = &self.core.client;
        let heartbeat = Some(self.core.heartbeat());
        // Messages stay librdkafka's while more are waited for: an interrupted wait gives them back.
        let mut taken = Vec::new();
        let outcome = until(py, client, Deadline::after(timeout), heartbeat, |_| loop {
            // Callbacks run only while no message waits to be handed out: one that raises, or takes partitions
            // away, would part the messages from their owner. The batch is returned early instead.
            if taken.is_empty() {
                self.serve(slf)?;
                if limit == 0 || self.rebalancing() {
                    return Ok(Some(Vec::new()));
                }
                if !full || self.core.backlog() >= limit {
                    let messages = self.hand_out(py, limit)?;
                    if !messages.is_empty() {
                        return Ok(Some(messages));
                    }
                }
            }
            if taken.len() < limit {
                self.core.poll_batch(&mut taken, limit);
            }
            if taken.len() >= limit || (!taken.is_empty() && client.has_notices()) {
                return Ok(Some(Vec::new()));
            }
            if !client.has_notices() {
                return Ok(None);
            }
        });
        match outcome {
            Err(error) => {
                self.core.give_back(taken);
                Err(error)
            }
            Ok(Some(messages)) if !messages.is_empty() => PyList::new(py, messages),
            Ok(_) => {
                self.core.give_back(taken);
                PyList::new(py, self.hand_out(py, limit)?)
            }
        }
    }

    /// Goes on leaving the group; true once it is done. Revoke callbacks run here.
    pub fn leave_step(&self, slf: &Bound<'_, Consumer>) -> PyResult<bool> {
        if !self.leaving() {
            // What was given to the application has to be in force before it can be taken back; and rebalances that
            // begin before are the application's to answer: librdkafka would do that itself, in the middle of them.
            loop {
                self.serve(slf)?;
                if self.rebalancing() {
                    return Ok(false);
                }
                self.core.surface();
                if !self.has_notices() {
                    break;
                }
            }
            if self.start_leaving().is_err() {
                return Ok(true); // after a fatal error there is no group to leave
            }
        }
        loop {
            if self.rebalancing() {
                return Ok(false);
            }
            self.core.close_step();
            if !self.core.client.has_notices() {
                return self.core.has_left().or_raise(slf.py());
            }
            self.serve(slf)?;
        }
    }

    /// Leaves the group: revoke callbacks, final commit. The first exception of a callback goes to `raised`.
    pub fn leave(&self, slf: &Bound<'_, Consumer>, raised: &mut Option<PyErr>) -> PyResult<()> {
        let py = slf.py();
        let mut serve = || -> PyResult<()> {
            while let Err(error) = self.serve(slf) {
                if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
                    return Err(error);
                }
                raised.get_or_insert(error);
            }
            Ok(())
        };
        loop {
            serve()?; // as in `leave_step`
            self.core.surface();
            if !self.has_notices() {
                break;
            }
        }
        if self.start_leaving().is_err() {
            return Ok(()); // after a fatal error there is no group to leave
        }
        let waiting = self.core.client.waiting().or_raise(py)?;
        loop {
            waiting.acknowledge();
            self.core.close_step();
            if self.core.client.has_notices() {
                serve()?;
                self.core.client.nudge(); // the queue may hold more behind what was served
                continue;
            }
            if self.core.has_left().or_raise(py)? {
                return Ok(());
            }
            crate::wait::wait(py, &waiting.fds()[..1], Some(CLOSING_LOOK))?;
        }
    }
}
