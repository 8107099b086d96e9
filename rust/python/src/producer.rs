//! The native base of `confluent_kafka.Producer`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrokafka_core::client::Kind;
use ferrokafka_core::error::{describe, Error, Failure};
use ferrokafka_core::native::Topic;
use ferrokafka_core::producer::{Flushing, Producer as Core, Record, QUEUE_FULL};
use ferrokafka_core::thread::Job;
use ferrokafka_core::wake::Deadline;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::buffer::{headers, Bytes};
use crate::calls::{self, until};
use crate::delivery::{self, new_future, FutureThread, Recipient};
use crate::error::{closed, exception, forked, python_object, OrRaise};
use crate::names::Names;
use crate::notices::Callbacks;
use crate::slot::{GilCell, Shared};
use crate::transactions::Transactions;

pub struct Inner {
    pub core: Arc<Core>,
    pub callbacks: Callbacks,
    pub names: Names,
    only_errors: bool,
    topics: Mutex<HashMap<Box<str>, Arc<Topic>>>,
    last_topic: GilCell<LastTopic>,
    default_callback: bool,
    futures: Mutex<Option<FutureThread>>,
    /// Flushes that event loops have under way.
    flushing: Mutex<Vec<Flushing>>,
    pub transactions: Transactions,
}

/// The topic of the last message, recognised by identity: programs pass the same str again and again.
type LastTopic = Option<(Py<PyString>, Arc<Topic>)>;

impl Inner {
    pub fn flushing(&self) -> MutexGuard<'_, Vec<Flushing>> {
        self.flushing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn topic(&self, name: &Bound<'_, PyString>) -> PyResult<Arc<Topic>> {
        let py = name.py();
        // SAFETY: compares pointers and counts a reference.
        let last = unsafe {
            self.last_topic.with(py, |last| match last {
                Some((known, topic)) if known.is(name) => Some(Arc::clone(topic)),
                _ => None,
            })
        };
        if let Some(topic) = last {
            return Ok(topic);
        }
        let text = name.to_str()?;
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = match topics.get(text) {
            Some(topic) => Arc::clone(topic),
            None => {
                let topic = Topic::new(&self.core.client, text).map_err(|failure| refused(py, failure))?;
                let topic = Arc::new(topic);
                topics.insert(text.into(), Arc::clone(&topic));
                topic
            }
        };
        drop(topics);
        let entry = Some((name.clone().unbind(), Arc::clone(&topic)));
        // SAFETY: moves only; the former entry is dropped outside.
        let former = unsafe { self.last_topic.with(py, |last| std::mem::replace(last, entry)) };
        drop(former);
        Ok(topic)
    }

    /// produce() without anything unusual; None when something is, and for every refusal.
    #[inline]
    fn quick(
        &self,
        py: Python<'_>,
        topic: &Bound<'_, PyString>,
        record: Record<'_>,
        callback: Option<&Bound<'_, PyAny>>,
    ) -> Option<()> {
        if self.core.client.forked() || (callback.is_none() && self.default_callback) {
            return None;
        }
        // SAFETY: compares pointers, counts references, and calls librdkafka, which calls nobody back.
        unsafe {
            self.last_topic.with(py, |last| {
                let (_, handle) = last.as_ref().filter(|(name, _)| name.is(topic))?;
                let recipient = callback.map(|callback| Recipient::Callback(callback.clone().unbind()));
                let opaque = recipient.map_or(0, Recipient::into_opaque);
                let outcome = self.core.produce(handle, &Record { opaque, ..record });
                if outcome.is_err() {
                    // The caller holds a reference as well: this never destroys the object.
                    delivery::take_back(py, opaque);
                }
                outcome.ok()
            })
        }
    }

    /// Runs callbacks of everything that is there; gives the number of events served.
    pub fn serve(&self, py: Python<'_>) -> PyResult<usize> {
        let (core, client) = (&self.core, &self.core.client);
        let mut served = 0;
        loop {
            while let Some(notice) = client.next_notice() {
                served += 1;
                self.callbacks.run(py, client, notice)?;
            }
            while let Some(report) = core.next_report() {
                served += delivery::report_all(py, &self.names, self.only_errors, &report)?;
            }
            served += core.collect();
            if !core.has_reports() && !client.has_notices() {
                return Ok(served);
            }
        }
    }

    /// Serves until nothing is in flight; gives what is left when the time is over.
    fn flush(&self, py: Python<'_>, deadline: Deadline, ignore_closing: bool) -> PyResult<usize> {
        let core = &self.core;
        self.serve(py)?;
        if core.is_empty() && core.flush_is_over() {
            return Ok(0);
        }
        let waiting = core.client.waiting().or_raise(py)?;
        // Once nothing was left, what other threads produce is no longer waited for.
        let mut done = false;
        loop {
            waiting.acknowledge();
            self.serve(py)?;
            let left = if done { 0 } else { core.len() };
            done = left == 0;
            if (done && core.flush_is_over()) || deadline.passed() || (core.client.is_closing() && !ignore_closing) {
                return Ok(left);
            }
            if core.client.forked() {
                return Err(forked(py));
            }
            // Each time anew: what another thread produces meanwhile must not linger either.
            let _flushing = if done { None } else { Some(core.flush().or_raise(py)?) };
            let fds = waiting.fds();
            let watched = if ignore_closing { 1 } else { 2 };
            crate::wait::wait(py, &fds[..watched], deadline.remaining())?;
        }
    }

    pub fn recipient(&self, py: Python<'_>, callback: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
        let callback = match callback.filter(|callback| !callback.is_none()) {
            Some(callback) if callback.is_callable() => Some(callback.clone().unbind()),
            Some(other) => {
                let text =
                    format!("on_delivery must be callable as callback(err, msg), not {}", other.get_type().name()?);
                return Err(PyTypeError::new_err(text));
            }
            None => self.callbacks.delivery(py),
        };
        Ok(callback.map_or(0, |callback| Recipient::Callback(callback).into_opaque()))
    }

    /// Puts one message into the queue; with `block`, waits for room (seconds, negative: endless).
    #[inline]
    pub fn enqueue(
        &self,
        py: Python<'_>,
        topic: &Topic,
        record: &Record<'_>,
        extra: &Extra<'_, '_>,
        block: Option<f64>,
    ) -> PyResult<()> {
        let mut failure = match self.attempt(topic, record, extra)? {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if failure.code == QUEUE_FULL {
            // Reports that concern no callback are room that only needs to be collected.
            self.core.collect();
            failure = match self.attempt(topic, record, extra)? {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
        }
        let deadline = Deadline::after(block.unwrap_or(0.0));
        if failure.code == QUEUE_FULL && !deadline.passed() {
            let done = until(py, &self.core.client, deadline, None, |_| {
                self.serve(py)?;
                match self.attempt(topic, record, extra)? {
                    Ok(()) => Ok(Some(Ok(()))),
                    Err(failure) if failure.code == QUEUE_FULL => Ok(None),
                    Err(failure) => Ok(Some(Err(failure))),
                }
            })?;
            match done {
                Some(Ok(())) => return Ok(()),
                Some(Err(other)) => failure = other,
                None => {}
            }
        }
        Err(refused(py, failure))
    }

    /// One try; the outer error is Python's, the inner librdkafka's.
    #[inline]
    pub fn attempt(&self, topic: &Topic, record: &Record<'_>, extra: &Extra<'_, '_>) -> PyResult<Result<(), Failure>> {
        let given = match extra.headers {
            Some(object) => headers(object)?,
            None => None,
        };
        if given.is_none() && extra.timestamp == 0 {
            return Ok(self.core.produce(topic, record).map_err(Failure::from_code));
        }
        Ok(self.core.produce_with(topic, record, extra.timestamp, given).map_err(|(failure, _)| failure))
    }
}

/// What only some messages have.
pub struct Extra<'a, 'py> {
    pub timestamp: i64,
    pub headers: Option<&'a Bound<'py, PyAny>>,
}

/// The exception for a message that was not accepted.
pub fn refused(py: Python<'_>, failure: Failure) -> PyErr {
    if failure.code == QUEUE_FULL {
        let made = crate::error::kafka_error(py, &failure)
            .and_then(|error| python_object!(py, "confluent_kafka.error", "QueueFullError")?.call1((error,)));
        return match made {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        };
    }
    let reason = failure.reason.unwrap_or_else(|| describe(failure.code));
    exception(py, &Failure { reason: Some(format!("Unable to produce message: {reason}")), ..failure })
}

#[pyclass(frozen, subclass, weakref, module = "confluent_kafka._native", name = "Producer")]
pub struct Producer {
    inner: Shared<Inner>,
}

impl Producer {
    #[inline]
    fn inner_or(&self, py: Python<'_>, text: &'static str) -> PyResult<Arc<Inner>> {
        let inner = self.inner.get(py).ok_or_else(|| closed(text))?;
        if inner.core.client.forked() {
            return Err(forked(py));
        }
        Ok(inner)
    }

    #[inline]
    pub fn inner(&self, py: Python<'_>) -> PyResult<Arc<Inner>> {
        self.inner_or(py, "Producer has been closed")
    }

    fn handle(&self, py: Python<'_>) -> PyResult<Arc<Inner>> {
        self.inner_or(py, "Handle has been closed")
    }

    pub const fn closed() -> Self {
        Producer { inner: Shared::empty() }
    }

    /// What is left to be destroyed: the object behaves as closed from now on.
    pub fn take(&self, py: Python<'_>) -> Option<Arc<Inner>> {
        self.inner.replace(py, None)
    }

    /// Makes the client; with `watched`, for an event loop.
    pub fn open(
        &self,
        py: Python<'_>,
        properties: &[(String, String)],
        callbacks: &Bound<'_, PyDict>,
        watched: bool,
    ) -> PyResult<()> {
        if self.inner.get(py).is_some() {
            return Err(PyRuntimeError::new_err("Producer already __init__:ialized"));
        }
        let only_errors = match callbacks.get_item("delivery.report.only.error")? {
            Some(value) => value.is_truthy()?,
            None => false,
        };
        let callbacks = Callbacks::from_dict(callbacks)?;
        let default_callback = callbacks.delivery(py).is_some();
        let client = calls::open(py, Kind::Producer, properties, &callbacks, watched)?;
        let inner = Inner {
            core: Arc::new(Core::new(client)),
            callbacks,
            names: Names::default(),
            only_errors,
            topics: Mutex::default(),
            last_topic: GilCell::new(None),
            default_callback,
            futures: Mutex::default(),
            flushing: Mutex::default(),
            transactions: Transactions::default(),
        };
        let former = self.inner.replace(py, Some(Arc::new(inner)));
        drop(former);
        Ok(())
    }
}

/// The exceptions of a failed abort and of the first callback that raised.
type Trouble = (Option<Py<PyAny>>, Option<Py<PyAny>>);

#[pymethods]
impl Producer {
    /// Takes any arguments: subclasses may have constructors of their own; `_open` makes the client.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Producer::closed()
    }

    fn _open(&self, py: Python<'_>, properties: Vec<(String, String)>, callbacks: &Bound<'_, PyDict>) -> PyResult<()> {
        self.open(py, &properties, callbacks, false)
    }

    #[pyo3(signature = (topic, value=None, key=None, partition=-1, callback=None, on_delivery=None, timestamp=0,
                        headers=None, *, block=None))]
    #[allow(clippy::too_many_arguments)] // the peer's public signature
    fn produce(
        &self,
        py: Python<'_>,
        topic: &Bound<'_, PyString>,
        value: Option<&Bound<'_, PyAny>>,
        key: Option<&Bound<'_, PyAny>>,
        partition: i32,
        callback: Option<&Bound<'_, PyAny>>,
        on_delivery: Option<&Bound<'_, PyAny>>,
        timestamp: i64,
        headers: Option<&Bound<'_, PyAny>>,
        block: Option<f64>,
    ) -> PyResult<()> {
        let (payload, key) = (Bytes::of(value, &"value")?, Bytes::of(key, &"key")?);
        let callback = callback.or(on_delivery);
        if timestamp == 0 && headers.is_none() && callback.is_none_or(|callback| callback.is_callable()) {
            let record = Record { partition, payload: payload.get(), key: key.get(), opaque: 0 };
            // SAFETY: `quick` runs no Python code.
            if let Some(Some(())) = unsafe { self.inner.peek(py, |inner| inner.quick(py, topic, record, callback)) } {
                return Ok(());
            }
        }
        let inner = self.inner(py)?;
        let topic = inner.topic(topic)?;
        let opaque = inner.recipient(py, callback)?;
        let record = Record { partition, payload: payload.get(), key: key.get(), opaque };
        let result = inner.enqueue(py, &topic, &record, &Extra { timestamp, headers }, block);
        if result.is_err() {
            delivery::take_back(py, opaque);
        }
        result
    }

    #[pyo3(signature = (topic, value=None, key=None, partition=-1, timestamp=0, headers=None, *, block=None))]
    #[allow(clippy::too_many_arguments)] // produce() without callbacks
    fn send<'py>(
        &self,
        py: Python<'py>,
        topic: &Bound<'py, PyString>,
        value: Option<&Bound<'py, PyAny>>,
        key: Option<&Bound<'py, PyAny>>,
        partition: i32,
        timestamp: i64,
        headers: Option<&Bound<'py, PyAny>>,
        block: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        {
            let mut futures = inner.futures.lock().unwrap_or_else(PoisonError::into_inner);
            if futures.is_none() {
                *futures = Some(FutureThread::start(&inner)?);
            }
        }
        let topic = inner.topic(topic)?;
        let (payload, key) = (Bytes::of(value, &"value")?, Bytes::of(key, &"key")?);
        let future = new_future(py)?;
        let opaque = Recipient::Future(future.clone().unbind()).into_opaque();
        let record = Record { partition, payload: payload.get(), key: key.get(), opaque };
        let result = inner.enqueue(py, &topic, &record, &Extra { timestamp, headers }, block);
        if result.is_err() {
            delivery::take_back(py, opaque);
        }
        result.map(|()| future)
    }

    #[pyo3(signature = (topic, messages, partition=-1, callback=None, on_delivery=None))]
    fn produce_batch(
        &self,
        py: Python<'_>,
        topic: &Bound<'_, PyString>,
        messages: &Bound<'_, PyAny>,
        partition: i32,
        callback: Option<&Bound<'_, PyAny>>,
        on_delivery: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let list = messages.cast::<PyList>().map_err(|_| PyTypeError::new_err("messages must be a list"))?;
        if list.is_empty() {
            return Ok(0);
        }
        let inner = self.inner(py)?;
        crate::batch::produce(py, &inner, topic, list, partition, callback.or(on_delivery))
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn poll(&self, py: Python<'_>, timeout: f64) -> PyResult<usize> {
        let inner = self.inner(py)?;
        let served = inner.serve(py)?;
        if served > 0 || timeout == 0.0 {
            return Ok(served);
        }
        let served = until(py, &inner.core.client, Deadline::after(timeout), None, |_| {
            let served = inner.serve(py)?;
            Ok((served > 0).then_some(served))
        })?;
        Ok(served.unwrap_or(0))
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn flush(&self, py: Python<'_>, timeout: f64) -> PyResult<usize> {
        self.inner(py)?.flush(py, Deadline::after(timeout), false)
    }

    #[pyo3(signature = (in_queue=true, in_flight=true, blocking=true))]
    fn purge(&self, py: Python<'_>, in_queue: bool, in_flight: bool, blocking: bool) -> PyResult<Py<PyAny>> {
        let inner = self.inner(py)?;
        let core = Arc::clone(&inner.core);
        let purge = move || core.purge(in_queue, in_flight, blocking);
        if !inner.core.client.is_watched() {
            return py.detach(purge).or_raise(py).map(|()| py.None());
        }
        let job = Job::start("kafka-call", purge).map_err(Error::from).or_raise(py)?;
        calls::answer(py, &inner.core.client, job, |py, result| result.or_raise(py).map(|()| py.None()))
    }

    #[pyo3(signature = (topic=None, timeout=-1.0))]
    fn list_topics(&self, py: Python<'_>, topic: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
        calls::list_topics(py, &self.handle(py)?.core.client, topic, timeout)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn cluster_id(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        calls::cluster_id(py, &self.handle(py)?.core.client, timeout)
    }

    fn set_sasl_credentials(&self, py: Python<'_>, username: &str, password: &str) -> PyResult<()> {
        self.handle(py)?.core.client.set_sasl_credentials(username, password).or_raise(py)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn init_transactions(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        crate::transactions::init(py, &self.inner(py)?, timeout)
    }

    fn begin_transaction(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        crate::transactions::begin(py, &self.inner(py)?)
    }

    #[pyo3(signature = (positions, group_metadata, timeout=-1.0))]
    fn send_offsets_to_transaction(
        &self,
        py: Python<'_>,
        positions: &Bound<'_, PyAny>,
        group_metadata: &Bound<'_, PyAny>,
        timeout: f64,
    ) -> PyResult<Py<PyAny>> {
        crate::transactions::send_offsets(py, &self.inner(py)?, positions, group_metadata, timeout)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn commit_transaction(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        crate::transactions::commit(py, &self.inner(py)?, timeout)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn abort_transaction(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        crate::transactions::abort(py, &self.inner(py)?, timeout)
    }

    /// Aborts an open transaction, flushes without limit and destroys. Python code adds the warnings.
    fn _close(&self, py: Python<'_>) -> PyResult<Trouble> {
        let Some(inner) = self.inner.get(py) else { return Ok((None, None)) };
        let client = Arc::clone(&inner.core.client);
        if client.forked() {
            // The parent's client: forgotten, never touched.
            drop(self.take(py));
            return Ok((None, None));
        }
        client.begin_close();
        let result = crate::transactions::abort_open(py, &inner).and_then(|aborted| {
            // A callback that raises must not keep the others from being called, nor messages from being sent.
            let mut raised = None;
            loop {
                match inner.flush(py, Deadline::after(-1.0), true) {
                    Ok(_) => break,
                    Err(error) if is_interrupt(py, &error) => return Err(error),
                    Err(error) => {
                        raised.get_or_insert(error);
                    }
                }
            }
            Ok((aborted, raised.map(|error| error.into_value(py).into_any())))
        });
        if result.is_err() {
            client.cancel_close();
            return result;
        }
        drop(client);
        drop(self.take(py));
        inner.futures.lock().unwrap_or_else(PoisonError::into_inner).take();
        calls::destroy(py, inner)?;
        result
    }

    /// Messages that nobody has been told of; 0 for a closed or inherited producer. Never raises.
    fn _unflushed(&self, py: Python<'_>) -> usize {
        match self.inner.get(py) {
            Some(inner) if !inner.core.client.forked() => {
                inner.core.collect(); // what is not a message counts as well until it is collected
                inner.core.len()
            }
            _ => 0,
        }
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        match self.inner.get(py) {
            Some(inner) if inner.core.client.forked() => Err(forked(py)),
            Some(inner) => Ok(inner.core.len()),
            None => Ok(0),
        }
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: this is the collector's call, and visiting runs no Python code.
        unsafe { self.inner.during_collection(|inner| inner.callbacks.traverse(&visit)) }.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        Python::attach(|py| {
            if let Some(inner) = self.inner.get(py) {
                inner.callbacks.clear();
            }
        });
    }
}

/// Ctrl-C and the like: not to be turned into a warning.
fn is_interrupt(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<pyo3::exceptions::PyException>(py)
}
