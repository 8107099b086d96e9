//! The outcome of a call that an event loop waits for, in place of a thread.

use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, PoisonError};

use ferrokafka_core::thread::Job;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

type Outcome = Box<dyn FnMut(Python<'_>) -> PyResult<Option<Py<PyAny>>> + Send>;

#[pyclass(frozen, module = "confluent_kafka._native")]
pub struct Pending {
    fd: RawFd,
    /// Gives the outcome once it is there; owns the descriptor.
    outcome: Mutex<Option<Outcome>>,
}

impl Pending {
    pub fn make(
        py: Python<'_>,
        fd: RawFd,
        outcome: impl FnMut(Python<'_>) -> PyResult<Option<Py<PyAny>>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, Pending { fd, outcome: Mutex::new(Some(Box::new(outcome))) })?.into_any())
    }

    /// The outcome of a job, made into a Python object by `convert`.
    pub fn of_job<T: Send + 'static>(
        py: Python<'_>,
        job: Arc<Job<T>>,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        let mut convert = Some(convert);
        Pending::make(py, job.done.read_fd(), move |py| match job.take() {
            None => Ok(None),
            Some(result) => convert.take().map(|convert| convert(py, result)).transpose(),
        })
    }
}

#[pymethods]
impl Pending {
    /// Readable once the outcome is there.
    fn fileno(&self) -> RawFd {
        self.fd
    }

    /// The outcome in a tuple, once; None before it is there.
    fn poll(&self, py: Python<'_>) -> PyResult<Option<(Py<PyAny>,)>> {
        let lock = || self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = lock().take();
        let Some(mut outcome) = taken else {
            return Err(PyRuntimeError::new_err("the outcome was taken already"));
        };
        let found = outcome(py)?;
        if found.is_none() {
            *lock() = Some(outcome);
        }
        Ok(found.map(|value| (value,)))
    }
}
