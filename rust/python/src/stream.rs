//! `async for message in consumer`: messages that are there cost no coroutine.
//!
//! The interpreter asks the iterator for an awaitable, that for an iterator, and sends it None. All three are one
//! object here. A message that is there is taken in the second step and handed over in the third; no Python code
//! runs between them, so that nothing can part the message from the task that awaits it. Where none is there, the
//! second step gives the coroutine that waits.

use std::sync::atomic::{AtomicU32, Ordering};

use ferrokafka_core::native::Fetched;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::PyTypeInfo;

use crate::loop_consumer::LoopConsumer;
use crate::message::Message;
use crate::slot::GilCell;

/// Messages handed out before other tasks of the loop get their turn, although more are there.
const FAIR: u32 = 256;

#[pyclass(frozen, module = "confluent_kafka._native")]
pub struct Stream {
    consumer: Py<LoopConsumer>,
    /// Gives the coroutine that waits for the next message.
    wait: Py<PyAny>,
    left: AtomicU32,
    taken: GilCell<Option<Fetched>>,
}

impl Stream {
    fn exchange(&self, py: Python<'_>, message: Option<Fetched>) -> Option<Fetched> {
        // SAFETY: moves only.
        unsafe { self.taken.with(py, |taken| std::mem::replace(taken, message)) }
    }

    fn is_occupied(&self, py: Python<'_>) -> bool {
        // SAFETY: reads only.
        unsafe { self.taken.with(py, |taken| taken.is_some()) }
    }

    /// The message taken by `__await__`, handed out now.
    #[inline]
    fn hand_out(&self, py: Python<'_>) -> PyResult<Py<Message>> {
        let message = self.exchange(py, None);
        let message = message.ok_or_else(|| PyRuntimeError::new_err("cannot reuse already awaited __anext__()"))?;
        self.consumer.bind(py).as_super().get().inner(py)?.convert(py, message)
    }
}

#[pymethods]
impl Stream {
    #[new]
    fn new(consumer: Py<LoopConsumer>, wait: Py<PyAny>) -> Self {
        // The first message is waited for: that binds the consumer to the loop.
        Stream { consumer, wait, left: AtomicU32::new(0), taken: GilCell::new(None) }
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __await__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let left = this.left.load(Ordering::Relaxed);
        if left > 0 && !this.is_occupied(py) {
            let inner = this.consumer.bind(py).as_super().get().inner(py)?;
            if let Some(message) = inner.take_one() {
                this.left.store(left - 1, Ordering::Relaxed);
                drop(this.exchange(py, Some(message)));
                return Ok(slf.clone().into_any().unbind());
            }
        }
        this.left.store(FAIR, Ordering::Relaxed);
        this.wait.call0(py)?.call_method0(py, "__await__")
    }

    /// For whoever drives the awaitable by hand.
    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Err(PyStopIteration::new_err((slf.get().hand_out(slf.py())?,)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A message taken by an await that was never driven goes back to the consumer.
        Python::attach(|py| {
            if let Some(message) = self.exchange(py, None) {
                match self.consumer.bind(py).as_super().get().inner(py) {
                    Ok(inner) => inner.core.give_back(vec![message]),
                    // Closed, or the parent's in a forked child, which must not free it.
                    Err(_) => std::mem::forget(message),
                }
            }
        });
    }
}

/// Lets the interpreter hand over results without raising StopIteration.
pub fn install(py: Python<'_>) {
    let stream = Stream::type_object_raw(py);
    // SAFETY: the GIL is held and the type is complete; it has async methods.
    unsafe { (*(*stream).tp_as_async).am_send = Some(send) };
}

unsafe extern "C" fn send(
    stream: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: the interpreter sends while it is attached, to an object of this type, with a place for the result.
    unsafe {
        let py = Python::assume_attached();
        let stream = Borrowed::from_ptr(py, stream).cast_unchecked::<Stream>();
        match stream.get().hand_out(py) {
            Ok(message) => {
                *result = message.into_ptr();
                ffi::PySendResult::PYGEN_RETURN
            }
            Err(error) => {
                error.restore(py);
                *result = std::ptr::null_mut();
                ffi::PySendResult::PYGEN_ERROR
            }
        }
    }
}
