//! The native base of `confluent_kafka.aio.AIOProducer`: a producer that an event loop serves.

use std::sync::atomic::{AtomicUsize, Ordering};

use ferrokafka_core::producer::{Record, QUEUE_FULL};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::batch;
use crate::buffer::Bytes;
use crate::calls;
use crate::delivery::{self, Recipient, Settle};
use crate::error::OrRaise;
use crate::producer::{refused, Extra, Producer};
use crate::transactions;

#[pyclass(frozen, subclass, extends = Producer, module = "confluent_kafka._native")]
pub struct LoopProducer;

/// Outcomes of a batch, and the future that waits for the last of them.
#[pyclass(frozen, module = "confluent_kafka._native")]
pub struct Batch {
    outcomes: Py<PyList>,
    left: AtomicUsize,
    future: Py<PyAny>,
}

impl Batch {
    /// Stores one outcome, a message or an exception.
    pub fn settle(&self, py: Python<'_>, index: usize, outcome: Py<PyAny>) -> PyResult<()> {
        self._settle(py, index, outcome)
    }

    pub fn future(&self) -> &Py<PyAny> {
        &self.future
    }
}

#[pymethods]
impl Batch {
    #[new]
    fn new(py: Python<'_>, count: usize, future: Py<PyAny>) -> PyResult<Self> {
        let outcomes = PyList::new(py, (0..count).map(|_| py.None()))?;
        Ok(Batch { outcomes: outcomes.unbind(), left: AtomicUsize::new(count), future })
    }

    fn _settle(&self, py: Python<'_>, index: usize, outcome: Py<PyAny>) -> PyResult<()> {
        self.outcomes.bind(py).set_item(index, outcome)?;
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let outcomes = self.outcomes.clone_ref(py).into_any();
            delivery::fulfil(self.future.bind(py), Settle::Result, outcomes)?;
        }
        Ok(())
    }
}

#[pymethods]
impl LoopProducer {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Producer::closed()).add_subclass(LoopProducer)
    }

    fn _open(slf: &Bound<'_, Self>, properties: Vec<(String, String)>, callbacks: &Bound<'_, PyDict>) -> PyResult<()> {
        slf.as_super().get().open(slf.py(), &properties, callbacks, true)
    }

    fn _fileno(slf: &Bound<'_, Self>) -> PyResult<i32> {
        let py = slf.py();
        Ok(slf.as_super().get().inner(py)?.core.client.watch().or_raise(py)?.read_fd())
    }

    fn _acknowledge(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        slf.as_super().get().inner(py)?.core.client.watch().or_raise(py)?.drain();
        Ok(())
    }

    #[pyo3(signature = (future, topic, value, key, partition, timestamp, headers))]
    #[allow(clippy::too_many_arguments)] // those of produce()
    fn _produce(
        slf: &Bound<'_, Self>,
        future: &Bound<'_, PyAny>,
        topic: &Bound<'_, PyString>,
        value: Option<&Bound<'_, PyAny>>,
        key: Option<&Bound<'_, PyAny>>,
        partition: i32,
        timestamp: i64,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let inner = slf.as_super().get().inner(py)?;
        let topic = inner.topic(topic)?;
        let (payload, key) = (Bytes::of(value, &"value")?, Bytes::of(key, &"key")?);
        let opaque = Recipient::Loop(future.clone().unbind()).into_opaque();
        let record = Record { partition, payload: payload.get(), key: key.get(), opaque };
        let extra = Extra { timestamp, headers };
        let mut outcome = inner.attempt(&topic, &record, &extra);
        if matches!(&outcome, Ok(Err(failure)) if failure.code == QUEUE_FULL) {
            inner.core.collect();
            outcome = inner.attempt(&topic, &record, &extra);
        }
        match outcome {
            Ok(Ok(())) => Ok(()),
            failed => {
                delivery::take_back(py, opaque);
                failed?.map_err(|failure| refused(py, failure))
            }
        }
    }

    fn _produce_batch(
        slf: &Bound<'_, Self>,
        batch: &Bound<'_, Batch>,
        topic: &Bound<'_, PyString>,
        messages: &Bound<'_, PyAny>,
        start: usize,
        partition: i32,
    ) -> PyResult<usize> {
        let inner = slf.as_super().get().inner(slf.py())?;
        let list = messages.cast::<PyList>().map_err(|_| PyTypeError::new_err("messages must be a list"))?;
        batch::produce_for_loop(slf.py(), &inner, topic, list, start, partition, batch)
    }

    fn _begin_flush(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let inner = slf.as_super().get().inner(py)?;
        let flushing = inner.core.flush().or_raise(py)?;
        inner.flushing().push(flushing);
        Ok(())
    }

    fn _end_flush(slf: &Bound<'_, Self>) {
        if let Ok(inner) = slf.as_super().get().inner(slf.py()) {
            let ended = inner.flushing().pop();
            drop(ended);
        }
    }

    fn _flush_is_over(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(slf.as_super().get().inner(slf.py())?.core.flush_is_over())
    }

    fn _in_transaction(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(transactions::is_open(&*slf.as_super().get().inner(slf.py())?))
    }

    fn _destroy(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        let Some(last) = slf.as_super().get().take(py) else { return Ok(None) };
        last.flushing().clear();
        calls::destroy_later(py, last).map(Some)
    }
}
