//! The native base of `confluent_kafka.aio.AIOConsumer`: a consumer that an event loop serves.
//!
//! Where the synchronous calls wait, its calls give a `Pending`; `poll` and `consume` are called without time-out.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::calls;
use crate::consumer::Consumer;
use crate::error::OrRaise;

#[pyclass(frozen, subclass, extends = Consumer, module = "confluent_kafka._native")]
pub struct LoopConsumer;

#[pymethods]
impl LoopConsumer {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Consumer::closed()).add_subclass(LoopConsumer)
    }

    fn _open(slf: &Bound<'_, Self>, properties: Vec<(String, String)>, callbacks: &Bound<'_, PyDict>) -> PyResult<()> {
        slf.as_super().get().open(slf.py(), &properties, callbacks, true)
    }

    fn _fileno(slf: &Bound<'_, Self>) -> PyResult<i32> {
        let py = slf.py();
        Ok(slf.as_super().get().inner(py)?.core.client.watch().or_raise(py)?.read_fd())
    }

    fn _acknowledge(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let inner = slf.as_super().get().inner(py)?;
        inner.core.client.watch().or_raise(py)?.drain();
        Ok(inner.core.client.take_wakeup())
    }

    fn _heartbeat(slf: &Bound<'_, Self>) -> PyResult<f64> {
        Ok(slf.as_super().get().inner(slf.py())?.core.heartbeat().as_secs_f64())
    }

    fn _polled(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(slf.as_super().get().inner(slf.py())?.take_polled())
    }

    fn _gather(slf: &Bound<'_, Self>, limit: usize) -> PyResult<bool> {
        slf.as_super().get().inner(slf.py())?.gather(slf.as_super(), limit)
    }

    fn _end_rebalance(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.as_super().get().inner(slf.py())?.end_rebalance(slf.py())
    }

    fn _leave_step(slf: &Bound<'_, Self>) -> PyResult<bool> {
        slf.as_super().get().inner(slf.py())?.leave_step(slf.as_super())
    }

    fn _destroy(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        slf.as_super().get().take(py).map(|last| calls::destroy_later(py, last)).transpose()
    }
}
