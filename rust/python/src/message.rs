//! `Message`: a consumed or delivered record, or a consumer error.
//!
//! Payload and key of a consumed message are copied when it is handed out: a kept message must not hold its
//! fetch buffer (up to a megabyte) in memory. A message in a delivery callback reads librdkafka's memory on
//! demand instead, and copies only if it survives the callback.

use std::cell::Cell;

use ferrokafka_core::native::{Fetched, Headers, MessageView};
use ferrokafka_core::sys;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBytes, PyTuple};

use crate::buffer;
use crate::error::kafka_error;
use crate::slot::Slot;
use ferrokafka_core::error::Failure;

const NO_LATENCY: i64 = -1;

#[pyclass(frozen, subclass, module = "confluent_kafka.cimpl", name = "Message")]
pub struct Message {
    topic: Slot,
    key: Slot,
    value: Slot,
    headers: Slot,
    error: Slot,
    partition: i32,
    timestamp_type: i32,
    offset: i64,
    timestamp: i64,
    leader_epoch: i32,
    delivery_count: i32,
    source: Source,
}

/// Where what was not read yet still lies.
struct Source {
    /// Headers of a consumed message, not made into Python objects yet.
    headers: Cell<Option<Headers>>,
    /// Microseconds, or negative. Computed late: it costs a look at the clock.
    latency_us: Cell<i64>,
    /// A message in a delivery callback: key and value are librdkafka's until `Message::settle`.
    report: Cell<*const sys::rd_kafka_message_t>,
}

// SAFETY: accessed under the critical section of the message only; the pointer is valid while it is not null.
unsafe impl Sync for Source {}
// SAFETY: as above.
unsafe impl Send for Source {}

impl Source {
    const fn nothing(latency_us: i64) -> Self {
        Source { headers: Cell::new(None), latency_us: Cell::new(latency_us), report: Cell::new(std::ptr::null()) }
    }
}

impl Message {
    /// A consumed message or consumer error.
    #[inline]
    pub fn consumed(py: Python<'_>, message: &Fetched, topic: Option<Py<PyAny>>) -> PyResult<Py<Message>> {
        Message::fetched(py, message, topic, Fetched::detach_headers)
    }

    /// The same of a message that may be handed out once more: it keeps its headers.
    pub fn lent(py: Python<'_>, message: &Fetched, topic: Option<Py<PyAny>>) -> PyResult<Py<Message>> {
        Message::fetched(py, message, topic, Fetched::clone_headers)
    }

    #[inline]
    fn fetched(
        py: Python<'_>,
        message: &Fetched,
        topic: Option<Py<PyAny>>,
        headers: fn(&Fetched) -> Option<Headers>,
    ) -> PyResult<Py<Message>> {
        let raw = message.raw();
        let (timestamp_type, timestamp) = message.timestamp();
        let code = message.error();
        let error = match code {
            0 => None,
            code => Some(kafka_error(py, &Failure::new(code, message.error_text()))?.unbind()),
        };
        let bytes = |bytes: &[u8]| PyBytes::new(py, bytes).into_any().unbind();
        let message = Message {
            topic: Slot::new(topic),
            key: Slot::new(message.key().map(bytes)),
            value: Slot::new(message.payload().map(bytes)),
            headers: Slot::empty(),
            error: Slot::new(error),
            partition: raw.partition,
            timestamp_type,
            offset: raw.offset,
            timestamp: if code == 0 { timestamp } else { -1 },
            leader_epoch: message.leader_epoch(),
            delivery_count: -1,
            source: Source {
                headers: Cell::new(if code == 0 { headers(message) } else { None }),
                latency_us: Cell::new(NO_LATENCY),
                report: Cell::new(std::ptr::null()),
            },
        };
        untracked(py, message)
    }

    /// A message of a delivery report. `settle` must be called before the report ends.
    #[inline]
    pub fn delivered(
        py: Python<'_>,
        message: &sys::rd_kafka_message_t,
        topic: Option<Py<PyAny>>,
        error: Option<Py<PyAny>>,
    ) -> PyResult<Py<Message>> {
        let failed = error.is_some();
        let (timestamp_type, timestamp) = if failed { (0, -1) } else { message.timestamp() };
        let delivered = Message {
            topic: Slot::new(topic),
            key: Slot::empty(),
            value: Slot::empty(),
            headers: Slot::empty(),
            error: Slot::new(error),
            partition: message.partition,
            timestamp_type,
            offset: if failed { -1 } else { message.offset },
            timestamp,
            leader_epoch: -1,
            delivery_count: -1,
            source: Source { report: Cell::new(message), ..Source::nothing(NO_LATENCY) },
        };
        untracked(py, delivered)
    }

    /// Adds a copy of a reported message's headers, which delivery callbacks do not get.
    pub fn keep_headers(&self, message: &sys::rd_kafka_message_t) {
        self.source.headers.set(message.copy_headers());
    }

    /// Ends the borrowing from librdkafka: copies what a holder of the message may still read.
    pub fn settle(this: Py<Message>, py: Python<'_>) {
        let message = this.bind(py);
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the GIL is held: the count cannot change.
        let kept = unsafe { ffi::Py_REFCNT(message.as_ptr()) } > 1;
        // Without the GIL the count can change meanwhile.
        #[cfg(Py_GIL_DISABLED)]
        let kept = true;
        if kept {
            Message::load(message);
        } else {
            message.get().source.report.set(std::ptr::null());
        }
    }

    /// Makes key and value of a reported message into Python objects.
    fn load(slf: &Bound<'_, Self>) {
        let (py, this) = (slf.py(), slf.get());
        // SAFETY: the pointer is only non-null while its report lives: `settle` nulls it.
        let loaded = with_critical_section(slf.as_any(), || unsafe {
            this.source.report.replace(std::ptr::null()).as_ref().map(|message| {
                this.source.latency_us.set(message.latency_us());
                let bytes = |bytes: &[u8]| PyBytes::new(py, bytes).into_any().unbind();
                (message.key().map(bytes), message.payload().map(bytes))
            })
        });
        if let Some((key, value)) = loaded {
            this.key.replace(slf, key);
            this.value.replace(slf, value);
        }
    }

    #[inline]
    fn loaded<'a>(slf: &'a Bound<'_, Self>) -> &'a Self {
        let this = slf.get();
        if !this.source.report.get().is_null() {
            Message::load(slf);
        }
        this
    }

    fn read_headers(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        let source = with_critical_section(slf.as_any(), || this.source.headers.take());
        if let Some(headers) = source {
            let list = buffer::headers_to_python(slf.py(), &headers)?;
            this.headers.replace(slf, Some(list.unbind()));
        }
        Ok(())
    }

    /// Topic, partition and offset, if this is a message and no error.
    pub fn place(slf: &Bound<'_, Self>) -> (Py<PyAny>, i32, i64, i32) {
        let this = slf.get();
        (this.topic.object(slf), this.partition, this.offset, this.leader_epoch)
    }

    pub fn error_object(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        slf.get().error.get(slf)
    }
}

/// A new object that the collector does not look at: it holds bytes, str and numbers, which make no cycles.
/// A batch would otherwise be traversed by several collections while it is built.
#[inline]
fn untracked(py: Python<'_>, message: Message) -> PyResult<Py<Message>> {
    let object = Py::new(py, message)?;
    // SAFETY: the GIL is held and the object is new; deallocation copes with objects that are not tracked.
    unsafe { ffi::PyObject_GC_UnTrack(object.as_ptr().cast()) };
    Ok(object)
}

fn available(value: i32) -> Option<i32> {
    (value >= 0).then_some(value)
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (topic=None, partition=-1, offset=-1001, key=None, value=None, headers=None, error=None,
                        timestamp=None, latency=-1.0, leader_epoch=-1, delivery_count=-1))]
    #[allow(clippy::too_many_arguments)] // the peer's public signature
    fn new(
        topic: Option<Py<PyAny>>,
        partition: i32,
        offset: i64,
        key: Option<Py<PyAny>>,
        value: Option<Py<PyAny>>,
        headers: Option<Py<PyAny>>,
        error: Option<Py<PyAny>>,
        timestamp: Option<Bound<'_, PyAny>>,
        latency: f64,
        leader_epoch: i32,
        delivery_count: i32,
    ) -> PyResult<Self> {
        let (timestamp_type, timestamp) = match timestamp {
            None => (0, 0),
            Some(object) => object
                .cast::<PyTuple>()
                .map_err(PyErr::from)
                .and_then(|pair| pair.extract::<(i32, i64)>())
                .map_err(|_| PyTypeError::new_err("timestamp must be a tuple of (int, int)"))?,
        };
        Ok(Message {
            topic: Slot::new(topic),
            key: Slot::new(key),
            value: Slot::new(value),
            headers: Slot::new(headers),
            error: Slot::new(error),
            partition,
            timestamp_type,
            offset,
            timestamp,
            leader_epoch,
            delivery_count,
            source: Source::nothing(if latency < 0.0 { NO_LATENCY } else { (latency * 1e6) as i64 }),
        })
    }

    fn topic(slf: &Bound<'_, Self>) -> Py<PyAny> {
        slf.get().topic.object(slf)
    }

    fn partition(&self) -> Option<i32> {
        available(self.partition)
    }

    fn offset(&self) -> Option<i64> {
        (self.offset >= 0).then_some(self.offset)
    }

    fn key(slf: &Bound<'_, Self>) -> Py<PyAny> {
        Message::loaded(slf).key.object(slf)
    }

    fn value(slf: &Bound<'_, Self>) -> Py<PyAny> {
        Message::loaded(slf).value.object(slf)
    }

    fn deserialized_key(slf: &Bound<'_, Self>) -> Py<PyAny> {
        Message::key(slf)
    }

    fn deserialized_value(slf: &Bound<'_, Self>) -> Py<PyAny> {
        Message::value(slf)
    }

    fn headers(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Message::read_headers(slf)?;
        Ok(slf.get().headers.object(slf))
    }

    fn error(slf: &Bound<'_, Self>) -> Py<PyAny> {
        slf.get().error.object(slf)
    }

    fn timestamp(&self) -> (i32, i64) {
        (self.timestamp_type, self.timestamp)
    }

    fn latency(slf: &Bound<'_, Self>) -> Option<f64> {
        let latency_us = Message::loaded(slf).source.latency_us.get();
        (latency_us >= 0).then(|| latency_us as f64 / 1e6)
    }

    fn leader_epoch(&self) -> Option<i32> {
        available(self.leader_epoch)
    }

    fn delivery_count(&self) -> Option<i32> {
        (self.delivery_count > 0).then_some(self.delivery_count)
    }

    fn set_topic(slf: &Bound<'_, Self>, topic: Py<PyAny>) {
        slf.get().topic.replace(slf, Some(topic));
    }

    fn set_key(slf: &Bound<'_, Self>, key: Py<PyAny>) {
        Message::loaded(slf).key.replace(slf, Some(key));
    }

    fn set_value(slf: &Bound<'_, Self>, value: Py<PyAny>) {
        Message::loaded(slf).value.replace(slf, Some(value));
    }

    fn set_headers(slf: &Bound<'_, Self>, headers: Py<PyAny>) {
        drop(with_critical_section(slf.as_any(), || slf.get().source.headers.take()));
        slf.get().headers.replace(slf, Some(headers));
    }

    fn set_error(slf: &Bound<'_, Self>, error: Py<PyAny>) {
        slf.get().error.replace(slf, Some(error));
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        let value = Message::value(slf);
        if value.is_none(slf.py()) {
            return Ok(0);
        }
        value.bind(slf.py()).len()
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let Ok(other) = other.cast::<Message>() else { return Ok(py.NotImplemented()) };
        let equal = match op {
            CompareOp::Eq => Message::equals(slf, other)?,
            CompareOp::Ne => !Message::equals(slf, other)?,
            _ => return Ok(py.NotImplemented()),
        };
        Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    #[classattr]
    const __hash__: Option<Py<PyAny>> = None;

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (py, this) = (slf.py(), slf.get());
        let topic = Message::topic(slf).bind(py).repr()?.to_string();
        let error = this
            .error
            .get(slf)
            .map_or(Ok(String::new()), |error| error.bind(py).repr().map(|error| format!(" error={error}")))?;
        let place = |value: Option<i64>| value.map_or_else(|| "None".to_owned(), |value| value.to_string());
        // Sizes only: a payload may be large, or secret.
        let size = |object: Py<PyAny>| match object.bind(py).len() {
            Ok(n) => n.to_string(),
            Err(_) => "None".to_owned(),
        };
        Ok(format!(
            "<{} topic={topic} partition={} offset={} key_len={} value_len={}{error}>",
            slf.get_type().name()?,
            place(this.partition().map(i64::from)),
            place(this.offset()),
            size(Message::key(slf)),
            size(Message::value(slf)),
        ))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        let arguments = PyTuple::new(
            py,
            [
                Message::topic(slf),
                this.partition.into_pyobject(py)?.into_any().unbind(),
                this.offset.into_pyobject(py)?.into_any().unbind(),
                Message::key(slf),
                Message::value(slf),
                Message::headers(slf)?,
                Message::error(slf),
                this.timestamp().into_pyobject(py)?.into_any().unbind(),
                Message::latency(slf).unwrap_or(-1.0).into_pyobject(py)?.into_any().unbind(),
                this.leader_epoch.into_pyobject(py)?.into_any().unbind(),
                this.delivery_count.into_pyobject(py)?.into_any().unbind(),
            ],
        )?;
        (slf.get_type(), arguments).into_pyobject(py)
    }
}

impl Message {
    fn equals(a: &Bound<'_, Self>, b: &Bound<'_, Self>) -> PyResult<bool> {
        let py = a.py();
        let (x, y) = (a.get(), b.get());
        if (available(x.partition), x.offset(), available(x.leader_epoch), x.timestamp())
            != (available(y.partition), y.offset(), available(y.leader_epoch), y.timestamp())
        {
            return Ok(false);
        }
        let pairs = [
            (Message::topic(a), Message::topic(b)),
            (Message::value(a), Message::value(b)),
            (Message::key(a), Message::key(b)),
            (Message::headers(a)?, Message::headers(b)?),
            (Message::error(a), Message::error(b)),
        ];
        for (mine, theirs) in pairs {
            if !mine.bind(py).eq(theirs)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Calls `callback(error, message)` without building a tuple.
#[inline]
pub fn call_report<'py>(
    callback: &Bound<'py, PyAny>,
    error: Option<&Py<PyAny>>,
    message: &Py<Message>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = callback.py();
    // SAFETY: the GIL is held; two borrowed arguments, with a free slot before them for the callee's self.
    unsafe {
        let none = ffi::Py_None();
        let arguments = [std::ptr::null_mut(), error.map_or(none, |error| error.as_ptr()), message.as_ptr()];
        let count = 2 | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        let result =
            ffi::PyObject_Vectorcall(callback.as_ptr(), arguments.as_ptr().add(1), count, std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, result)
    }
}
