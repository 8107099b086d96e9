//! The native base of `confluent_kafka.Consumer`.

use std::sync::Arc;

use ferrokafka_core::client::{Client, Kind};
use ferrokafka_core::consumer::{blocking as core_calls, Consumer as Core};
use ferrokafka_core::error::{describe, Error, Failure, Result as CoreResult};
use ferrokafka_core::native::{Partition, Partitions};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::calls;
use crate::error::{closed, during, exception, forked, OrRaise};
use crate::message::Message;
use crate::notices::Callbacks;
use crate::partition;
use crate::pending::Pending;
use crate::polling::{locked, Inner, Rebalance};
use crate::slot::Shared;

const INVALID_ARG: i32 = -186;

#[pyclass(frozen, subclass, weakref, module = "confluent_kafka._native", name = "Consumer")]
pub struct Consumer {
    inner: Shared<Inner>,
}

impl Consumer {
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
        self.inner_or(py, "Consumer closed")
    }

    fn handle(&self, py: Python<'_>) -> PyResult<Arc<Inner>> {
        self.inner_or(py, "Handle has been closed")
    }

    pub const fn closed() -> Self {
        Consumer { inner: Shared::empty() }
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
            return Err(PyRuntimeError::new_err("Consumer already initialized"));
        }
        let callbacks = Callbacks::from_dict(callbacks)?;
        let client = calls::open(py, Kind::Consumer, properties, &callbacks, watched)?;
        let former = self.inner.replace(py, Some(Arc::new(Inner::new(Core::new(client), callbacks))));
        drop(former);
        Ok(())
    }

    /// A question about partitions whose answers are filled into the list.
    fn look_up(
        &self,
        py: Python<'_>,
        partitions: &Bound<'_, PyAny>,
        timeout: f64,
        what: &'static str,
        ask: fn(&Client, &Partitions, i32) -> CoreResult<()>,
    ) -> PyResult<Py<PyAny>> {
        let inner = self.inner(py)?;
        let list = Partitions::new(&partition::entries(partitions)?);
        let call = move |client: &Arc<Client>, timeout_ms| {
            let list = list.duplicate();
            ask(client, &list, timeout_ms).map(|()| list)
        };
        calls::blocking(py, &inner.core.client, timeout, what, call, |py, list| list_object(py, &list))
    }

    /// Offsets for a commit or store from its `message` or `offsets` argument.
    fn offsets(
        message: Option<&Bound<'_, PyAny>>,
        offsets: Option<&Bound<'_, PyAny>>,
        what: &str,
    ) -> PyResult<Option<Partitions>> {
        let (message, offsets) = (message.filter(|o| !o.is_none()), offsets.filter(|o| !o.is_none()));
        match (message, offsets) {
            (Some(_), Some(_)) => Err(PyValueError::new_err("message and offsets are mutually exclusive")),
            (None, None) => Ok(None),
            (None, Some(offsets)) => Ok(Some(Partitions::new(&partition::entries(offsets)?))),
            (Some(message), None) => {
                let py = message.py();
                let message = message
                    .cast::<Message>()
                    .map_err(|_| PyTypeError::new_err("expected confluent_kafka.cimpl.Message"))?;
                if let Some(error) = Message::error_object(message) {
                    let text = error.bind(py).call_method0("str").map_or_else(|_| error.to_string(), |s| s.to_string());
                    let reason = format!("Cannot {what} offsets for message with error: '{text}'");
                    return Err(exception(py, &Failure::new(INVALID_ARG, reason)));
                }
                let (topic, partition, offset, epoch) = Message::place(message);
                let topic = topic.bind(py).extract::<String>()?;
                let leader_epoch = (epoch >= 0).then_some(epoch);
                let entry = Partition { topic, partition, offset: offset + 1, metadata: None, leader_epoch, error: 0 };
                Ok(Some(Partitions::new(&[entry])))
            }
        }
    }
}

fn callable(value: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Option<Py<PyAny>>> {
    match value {
        None => Ok(None),
        Some(callback) if callback.is_callable() => Ok(Some(callback.clone().unbind())),
        Some(_) => Err(PyTypeError::new_err(format!("{name} expects a callable"))),
    }
}

fn list_object(py: Python<'_>, list: &Partitions) -> PyResult<Py<PyAny>> {
    Ok(partition::list_to_python(py, list)?.into_any().unbind())
}

/// A missing argument, as opposed to None.
struct Optional<'py>(Option<Bound<'py, PyAny>>);

impl<'a, 'py> FromPyObject<'a, 'py> for Optional<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Optional(Some(object.to_owned())))
    }
}

#[pymethods]
impl Consumer {
    /// Takes any arguments: subclasses may have constructors of their own; `_open` makes the client.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Consumer::closed()
    }

    fn _open(&self, py: Python<'_>, properties: Vec<(String, String)>, callbacks: &Bound<'_, PyDict>) -> PyResult<()> {
        self.open(py, &properties, callbacks, false)
    }

    #[pyo3(signature = (topics, on_assign=Optional(None), on_revoke=Optional(None), on_lost=Optional(None)))]
    fn subscribe(
        &self,
        py: Python<'_>,
        topics: &Bound<'_, PyAny>,
        on_assign: Optional<'_>,
        on_revoke: Optional<'_>,
        on_lost: Optional<'_>,
    ) -> PyResult<()> {
        let inner = self.inner(py)?;
        let list =
            topics.cast::<PyList>().map_err(|_| PyTypeError::new_err("expected list of topic unicode strings"))?;
        let topics = list.iter().map(|topic| Ok(topic.str()?.to_string())).collect::<PyResult<Vec<_>>>()?;
        let table = Rebalance {
            on_assign: callable(on_assign.0.as_ref(), "on_assign")?,
            on_revoke: callable(on_revoke.0.as_ref(), "on_revoke")?,
            on_lost: callable(on_lost.0.as_ref(), "on_lost")?,
        };
        let former = std::mem::replace(&mut *locked(&inner.rebalance), table);
        let result = py.detach(|| inner.core.subscribe(&topics));
        if result.is_err() {
            let refused = std::mem::replace(&mut *locked(&inner.rebalance), former);
            drop(refused); // outside the lock: a destructor may run Python code
        }
        result.map_err(during("Failed to set subscription")).or_raise(py)
    }

    fn unsubscribe(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.inner(py)?;
        py.detach(|| inner.core.unsubscribe()).map_err(during("Failed to remove subscription")).or_raise(py)
    }

    fn subscription(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let inner = self.inner(py)?;
        py.detach(|| inner.core.subscription()).map_err(during("Failed to get subscription")).or_raise(py)
    }

    fn assign(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let entries = partition::entries(partitions)?;
        py.detach(|| inner.core.assign(Some(&entries))).map_err(during("Failed to set assignment")).or_raise(py)
    }

    fn unassign(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.inner(py)?;
        py.detach(|| inner.core.assign(None)).map_err(during("Failed to remove assignment")).or_raise(py)
    }

    fn incremental_assign(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let entries = partition::entries(partitions)?;
        py.detach(|| inner.core.incremental_assign(&entries)).or_raise(py)
    }

    fn incremental_unassign(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let entries = partition::entries(partitions)?;
        py.detach(|| inner.core.incremental_unassign(&entries)).or_raise(py)
    }

    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let inner = self.inner(py)?;
        let entries = py.detach(|| inner.core.assignment());
        partition::to_python(py, &entries.map_err(during("Failed to get assignment")).or_raise(py)?)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn poll(slf: &Bound<'_, Self>, timeout: f64) -> PyResult<Option<Py<Message>>> {
        slf.get().inner(slf.py())?.poll(slf, timeout, Inner::convert)
    }

    /// As poll, but the message counts as consumed only when `_settle` says so; `_settle` or `_put_back` must follow.
    #[pyo3(signature = (timeout=-1.0))]
    fn _lend(slf: &Bound<'_, Self>, timeout: f64) -> PyResult<Option<Py<Message>>> {
        slf.get().inner(slf.py())?.poll(slf, timeout, Inner::lend)
    }

    fn _settle(&self, message: &Bound<'_, Message>) -> PyResult<bool> {
        let inner = self.inner(message.py())?;
        if inner.core.client.is_closing() {
            return Err(closed("the consumer was closed by another thread meanwhile"));
        }
        Ok(inner.settle(message))
    }

    /// Does nothing for a message that is gone, or once the consumer is closed.
    fn _put_back(&self, message: &Bound<'_, Message>) {
        if let Some(inner) = self.inner.get(message.py()) {
            if !inner.core.client.forked() {
                inner.put_back(message);
            }
        }
    }

    #[pyo3(signature = (num_messages=1, timeout=-1.0))]
    fn consume<'py>(slf: &Bound<'py, Self>, num_messages: i64, timeout: f64) -> PyResult<Bound<'py, PyList>> {
        slf.get().inner(slf.py())?.batch(slf, num_messages, timeout, true)
    }

    /// As consume, but returns as soon as there is at least one message.
    #[pyo3(signature = (num_messages, timeout=-1.0))]
    fn _consume_some<'py>(slf: &Bound<'py, Self>, num_messages: i64, timeout: f64) -> PyResult<Bound<'py, PyList>> {
        slf.get().inner(slf.py())?.batch(slf, num_messages, timeout, false)
    }

    #[pyo3(signature = (message=None, offsets=None, asynchronous=true, **kwargs))]
    fn commit(
        slf: &Bound<'_, Self>,
        message: Option<&Bound<'_, PyAny>>,
        offsets: Option<&Bound<'_, PyAny>>,
        asynchronous: bool,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        let inner = slf.get().inner(py)?;
        let mut asynchronous = asynchronous;
        for (name, value) in kwargs.into_iter().flat_map(|kwargs| kwargs.iter()) {
            match name.extract::<String>()?.as_str() {
                // The older name, a reserved word since Python 3.7.
                "async" => asynchronous = value.is_truthy()?,
                other => {
                    let text = format!("commit() got an unexpected keyword argument '{other}'");
                    return Err(PyTypeError::new_err(text));
                }
            }
        }
        let offsets = Consumer::offsets(message, offsets, "commit")?;
        if asynchronous {
            py.detach(|| inner.core.commit_async(offsets.as_ref())).map_err(during("Commit failed")).or_raise(py)?;
            return Ok(None);
        }
        let committing = py.detach(|| inner.core.commit(offsets.as_ref()));
        let mut committing = committing.map_err(during("Commit failed")).or_raise(py)?;
        let client = &inner.core.client;
        if client.is_watched() {
            let (fd, client) = (committing.done.read_fd(), Arc::clone(client));
            return Pending::make(py, fd, move |py| {
                let _alive = &client;
                committing.result().map(|result| list_object(py, &result.or_raise(py)?)).transpose()
            })
            .map(Some);
        }
        loop {
            committing.done.drain();
            if let Some(result) = committing.result() {
                return list_object(py, &result.or_raise(py)?).map(Some);
            }
            if client.is_closing() {
                return Err(closed("the consumer was closed by another thread during commit()"));
            }
            crate::wait::wait(py, &[committing.done.read_fd(), client.closing_fd()], None)?;
        }
    }

    #[pyo3(signature = (message=None, offsets=None))]
    fn store_offsets(
        &self,
        py: Python<'_>,
        message: Option<&Bound<'_, PyAny>>,
        offsets: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let inner = self.inner(py)?;
        let offsets = Consumer::offsets(message, offsets, "store")?
            .ok_or_else(|| PyValueError::new_err("expected either message or offsets"))?;
        inner.core.store_offsets(&offsets).map_err(during("StoreOffsets failed")).or_raise(py)
    }

    #[pyo3(signature = (partitions, timeout=-1.0))]
    fn committed(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>, timeout: f64) -> PyResult<Py<PyAny>> {
        self.look_up(py, partitions, timeout, "Failed to get committed offsets", core_calls::committed)
    }

    fn position<'py>(&self, py: Python<'py>, partitions: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let inner = self.inner(py)?;
        let list = Partitions::new(&partition::entries(partitions)?);
        let entries = inner.core.position(&list).map_err(during("Failed to get position")).or_raise(py)?;
        partition::to_python(py, &entries)
    }

    fn seek(&self, py: Python<'_>, partition: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let inner = self.inner(py)?;
        let entry = partition::one(partition)?;
        let (seeking, offset) = (inner.core.begin_seek(&entry), entry.offset);
        let call = move |_: &Arc<Client>, timeout_ms| seeking.call(timeout_ms);
        calls::blocking_raw(py, &inner.core.client, -1.0, call, move |py, sought| {
            let sought = sought.map_err(|error| match error {
                Error::Kafka(failure) => {
                    let reason = failure.reason.unwrap_or_else(|| describe(failure.code));
                    let reason = format!("Failed to seek to offset {offset}: {reason}");
                    Error::Kafka(Failure { reason: Some(reason), ..failure })
                }
                other => other,
            });
            sought.or_raise(py).map(|()| py.None())
        })
    }

    fn pause(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let list = Partitions::new(&partition::entries(partitions)?);
        py.detach(|| inner.core.pause(&list)).map_err(during("Failed to pause partitions")).or_raise(py)
    }

    fn resume(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let list = Partitions::new(&partition::entries(partitions)?);
        py.detach(|| inner.core.resume(&list)).map_err(during("Failed to resume partitions")).or_raise(py)
    }

    #[pyo3(signature = (partition, timeout=-1.0, cached=false))]
    fn get_watermark_offsets(
        &self,
        py: Python<'_>,
        partition: &Bound<'_, PyAny>,
        timeout: f64,
        cached: bool,
    ) -> PyResult<Py<PyAny>> {
        let inner = self.inner(py)?;
        let entry = partition::one(partition)?;
        let what = "Failed to get watermark offsets";
        let convert = |py: Python<'_>, pair: (i64, i64)| Ok(pair.into_pyobject(py)?.into_any().unbind());
        if cached {
            let pair = inner.core.cached_watermarks(&entry.topic, entry.partition);
            return convert(py, pair.map_err(during(what)).or_raise(py)?);
        }
        let call = move |client: &Arc<Client>, timeout_ms| {
            core_calls::watermarks(client, &entry.topic, entry.partition, timeout_ms)
        };
        calls::blocking(py, &inner.core.client, timeout, what, call, convert)
    }

    #[pyo3(signature = (partitions, timeout=-1.0))]
    fn offsets_for_times(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>, timeout: f64) -> PyResult<Py<PyAny>> {
        self.look_up(py, partitions, timeout, "Failed to get offsets", core_calls::offsets_for_times)
    }

    fn memberid(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let inner = self.inner(py)?;
        Ok(py.detach(|| inner.core.member_id()))
    }

    fn consumer_group_metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let inner = self.inner(py)?;
        let bytes = py.detach(|| inner.core.group_metadata());
        Ok(PyBytes::new(py, &bytes.map_err(during("Failed to get the group metadata")).or_raise(py)?))
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

    fn wakeup(&self, py: Python<'_>) -> PyResult<()> {
        self.inner(py)?.core.client.wakeup();
        Ok(())
    }

    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some(inner) = this.inner.get(py) else { return Ok(()) };
        if inner.core.client.forked() {
            // The parent's client: forgotten, never touched.
            drop(this.take(py));
            return Ok(());
        }
        inner.core.client.begin_close();
        let mut raised = None;
        let left = inner.leave(slf, &mut raised);
        if let Err(error) = left {
            inner.core.client.cancel_close();
            return Err(error);
        }
        drop(this.take(py));
        calls::destroy(py, inner)?;
        raised.map_or(Ok(()), Err)
    }

    /// True for a consumer that works; False when closed, never opened or inherited by fork.
    fn _is_open(&self, py: Python<'_>) -> bool {
        self.inner.get(py).is_some_and(|inner| !inner.core.client.close_began())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let visit_all = |inner: &Inner| {
            inner.callbacks.traverse(&visit)?;
            if let Ok(table) = inner.rebalance.try_lock() {
                for callback in [&table.on_assign, &table.on_revoke, &table.on_lost].into_iter().flatten() {
                    visit.call(callback)?;
                }
            }
            Ok(())
        };
        // SAFETY: this is the collector's call, and visiting runs no Python code.
        unsafe { self.inner.during_collection(visit_all) }.unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        Python::attach(|py| {
            if let Some(inner) = self.inner.get(py) {
                inner.callbacks.clear();
                let table = std::mem::take(&mut *locked(&inner.rebalance));
                drop(table);
            }
        });
    }
}
