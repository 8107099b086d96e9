//! Transaction calls: they block inside librdkafka, so that they run on a native thread, one at a time.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use ferrokafka_core::client::Client;
use ferrokafka_core::error::{Error, Failure, Result as CoreResult};
use ferrokafka_core::native::Partitions;
use ferrokafka_core::thread::Job;
use ferrokafka_core::txn::{self, GroupMetadata};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::calls::{finish_serving, milliseconds};
use crate::error::{exception, OrRaise};
use crate::partition;
use crate::pending::Pending;
use crate::producer::Inner;

const STATE: i32 = -172;

/// The call whose caller may have stopped waiting, and whether a transaction is open.
#[derive(Default)]
pub struct Transactions {
    running: Mutex<Option<Running>>,
    open: AtomicBool,
}

struct Running {
    name: &'static str,
    job: Arc<Job<CoreResult<()>>>,
}

/// Runs one call. The same call again, beside it or after an interrupted one, takes up waiting for its result.
fn run(
    py: Python<'_>,
    inner: &Arc<Inner>,
    name: &'static str,
    closing_ends: bool,
    opens: Option<bool>,
    call: impl FnOnce(&Client) -> CoreResult<()> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    let client = &inner.core.client;
    let mut busy = None;
    let job = {
        let mut running = inner.transactions.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.as_ref() {
            Some(earlier) if earlier.name == name => Arc::clone(&earlier.job),
            Some(earlier) if !earlier.job.has_result() => {
                let text = format!(
                    "{}() was interrupted and is still under way: call it again to wait for its result before {name}()",
                    earlier.name
                );
                busy = Some(text); // raised below: no Python code may run under the lock
                Arc::clone(&earlier.job)
            }
            _ => {
                let worker = Arc::clone(client);
                let job = Job::start("kafka-transaction", move || call(&worker)).map_err(Error::from).or_raise(py)?;
                *running = Some(Running { name, job: Arc::clone(&job) });
                job
            }
        }
    };
    if let Some(text) = busy {
        return Err(exception(py, &Failure { retriable: true, ..Failure::new(STATE, text) }));
    }
    if client.is_watched() {
        // The event loop serves delivery reports meanwhile.
        let inner = Arc::clone(inner);
        return Pending::make(py, job.done.read_fd(), move |py| match job.result() {
            None => Ok(None),
            Some(result) => finished(py, &inner, &job, opens, result).map(Some),
        });
    }
    // librdkafka waits for outstanding delivery reports, which only we can serve. A callback that raises must
    // not end the wait: the transaction's outcome would be unknown.
    let mut raised = None;
    let result = finish_serving(py, client, &job, closing_ends, || {
        while let Err(error) = inner.serve(py) {
            if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
                return Err(error);
            }
            raised.get_or_insert(error);
        }
        Ok(())
    })?;
    let done = finished(py, inner, &job, opens, result)?;
    raised.map_or(Ok(done), Err)
}

/// The call has ended, and with `opens` a transaction is open, or none, after its success.
fn finished(
    py: Python<'_>,
    inner: &Inner,
    job: &Arc<Job<CoreResult<()>>>,
    opens: Option<bool>,
    result: CoreResult<()>,
) -> PyResult<Py<PyAny>> {
    let mut running = inner.transactions.running.lock().unwrap_or_else(PoisonError::into_inner);
    drop(running.take_if(|running| Arc::ptr_eq(&running.job, job)));
    drop(running);
    result.or_raise(py)?;
    if let Some(open) = opens {
        inner.transactions.open.store(open, SeqCst);
    }
    Ok(py.None())
}

/// True when closing has to abort a transaction.
pub fn is_open(inner: &Inner) -> bool {
    inner.transactions.open.load(SeqCst) && inner.core.client.fatal_error().is_none()
}

pub fn init(py: Python<'_>, inner: &Arc<Inner>, timeout: f64) -> PyResult<Py<PyAny>> {
    let timeout_ms = milliseconds(timeout);
    run(py, inner, "init_transactions", true, None, move |client| txn::init(client, timeout_ms))
}

pub fn begin(py: Python<'_>, inner: &Arc<Inner>) -> PyResult<Py<PyAny>> {
    run(py, inner, "begin_transaction", true, Some(true), txn::begin)
}

pub fn commit(py: Python<'_>, inner: &Arc<Inner>, timeout: f64) -> PyResult<Py<PyAny>> {
    let timeout_ms = milliseconds(timeout);
    run(py, inner, "commit_transaction", true, Some(false), move |client| txn::commit(client, timeout_ms))
}

pub fn abort(py: Python<'_>, inner: &Arc<Inner>, timeout: f64) -> PyResult<Py<PyAny>> {
    let timeout_ms = milliseconds(timeout);
    run(py, inner, "abort_transaction", true, Some(false), move |client| txn::abort(client, timeout_ms))
}

/// On close: gives the exception of an abort that failed.
pub fn abort_open(py: Python<'_>, inner: &Arc<Inner>) -> PyResult<Option<Py<PyAny>>> {
    if !is_open(inner) {
        return Ok(None);
    }
    match run(py, inner, "abort_transaction", false, Some(false), |client| txn::abort(client, -1)) {
        Ok(_) => Ok(None),
        Err(error) if !error.is_instance_of::<pyo3::exceptions::PyException>(py) => Err(error),
        Err(error) => Ok(Some(error.into_value(py).into_any())),
    }
}

pub fn send_offsets(
    py: Python<'_>,
    inner: &Arc<Inner>,
    positions: &Bound<'_, PyAny>,
    group_metadata: &Bound<'_, PyAny>,
    timeout: f64,
) -> PyResult<Py<PyAny>> {
    let offsets = Partitions::new(&partition::entries(positions)?);
    let bytes = group_metadata
        .cast::<PyBytes>()
        .map_err(|_| PyTypeError::new_err("group_metadata must be the bytes of Consumer.consumer_group_metadata()"))?;
    let group = GroupMetadata::parse(bytes.as_bytes()).or_raise(py)?;
    let timeout_ms = milliseconds(timeout);
    run(py, inner, "send_offsets_to_transaction", true, None, move |client| {
        txn::send_offsets(client, &offsets, &group, timeout_ms)
    })
}
