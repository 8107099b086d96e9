//! The native bases of `confluent_kafka.admin.AdminClient` and `confluent_kafka.aio.AIOAdminClient`.

mod acls;
mod cluster;
mod configs;
mod groups;
mod kinds;
mod offsets;
mod requests;
mod scram;
mod topics;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrokafka_core::admin::Admin as Core;
use ferrokafka_core::client::Kind;
use ferrokafka_core::wake::Deadline;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::calls::{self, until};
use crate::error::{closed, forked, OrRaise};
use crate::notices::Callbacks;
use crate::slot::Shared;
use requests::{Requests, Server};

struct Inner {
    core: Arc<Core>,
    callbacks: Callbacks,
    requests: Arc<Requests>,
    /// Of a client that no event loop serves, from its first request on.
    server: Mutex<Option<Server>>,
}

impl Inner {
    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the callbacks of everything that is there; gives their number.
    fn serve(&self, py: Python<'_>) -> PyResult<usize> {
        let client = &self.core.client;
        self.core.collect();
        let mut served = 0;
        while let Some(notice) = client.next_notice() {
            served += 1;
            self.callbacks.run(py, client, notice)?;
        }
        Ok(served)
    }

    fn request(
        &self,
        py: Python<'_>,
        kind: &str,
        items: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
        done: Py<PyAny>,
    ) -> PyResult<()> {
        let (ask, options) = (kinds::find(kind)?, kinds::options(options)?);
        let id = self.core.next_id();
        // Before the request: its answer may come before the call returns.
        if !self.requests.add(id, done) {
            return Err(closed(CLOSED));
        }
        let asked = self.start_serving().and_then(|()| ask(&self.core.call(id, &options), items));
        if asked.is_err() {
            drop(self.requests.take(id));
        }
        asked.map_err(|error| kinds::in_range(py, kind, error))
    }

    fn start_serving(&self) -> PyResult<()> {
        if !self.core.client.is_watched() {
            let mut server = self.server();
            if server.is_none() {
                *server = Some(Server::start(&self.requests)?);
            }
        }
        Ok(())
    }
}

impl Drop for Inner {
    /// Whoever waits for an answer is told that none will come: by a native thread, as this may be a collection.
    fn drop(&mut self) {
        if self.core.client.forked() {
            return;
        }
        match self.server.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            Some(server) => drop(server),
            None => Requests::abandon_later(&self.requests),
        }
    }
}

const CLOSED: &str = "AdminClient has been closed";

#[pyclass(frozen, subclass, weakref, module = "confluent_kafka._native", name = "Admin")]
pub struct Admin {
    inner: Shared<Inner>,
}

impl Admin {
    fn inner_or(&self, py: Python<'_>, text: &'static str) -> PyResult<Arc<Inner>> {
        let inner = self.inner.get(py).ok_or_else(|| closed(text))?;
        if inner.core.client.forked() {
            return Err(forked(py));
        }
        Ok(inner)
    }

    fn inner(&self, py: Python<'_>) -> PyResult<Arc<Inner>> {
        self.inner_or(py, CLOSED)
    }

    fn handle(&self, py: Python<'_>) -> PyResult<Arc<Inner>> {
        self.inner_or(py, "Handle has been closed")
    }

    /// Makes the client; with `watched`, for an event loop.
    fn open(
        &self,
        py: Python<'_>,
        properties: &[(String, String)],
        callbacks: &Bound<'_, PyDict>,
        watched: bool,
    ) -> PyResult<()> {
        if self.inner.get(py).is_some() {
            return Err(PyRuntimeError::new_err("AdminClient already __init__:ialized"));
        }
        let callbacks = Callbacks::from_dict(callbacks)?;
        let client = calls::open(py, Kind::Producer, properties, &callbacks, watched)?;
        let core = Arc::new(Core::new(client).or_raise(py)?);
        let requests = Arc::new(Requests::new(Arc::clone(&core)));
        let inner = Inner { core, callbacks, requests, server: Mutex::default() };
        let former = self.inner.replace(py, Some(Arc::new(inner)));
        drop(former);
        Ok(())
    }

    /// What is left of the client; the object behaves as closed from now on, and nobody waits for answers any more.
    fn take(&self, py: Python<'_>) -> Option<Arc<Inner>> {
        let inner = self.inner.replace(py, None)?;
        if !inner.core.client.forked() {
            inner.requests.end(py, "the admin client was closed while this request was on its way");
        }
        Some(inner)
    }
}

#[pymethods]
impl Admin {
    /// Takes any arguments: subclasses have constructors of their own; `_open` makes the client.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Admin { inner: Shared::empty() }
    }

    fn _open(&self, py: Python<'_>, properties: Vec<(String, String)>, callbacks: &Bound<'_, PyDict>) -> PyResult<()> {
        self.open(py, &properties, callbacks, false)
    }

    fn _request(
        &self,
        py: Python<'_>,
        kind: &str,
        items: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
        done: Py<PyAny>,
    ) -> PyResult<()> {
        self.inner(py)?.request(py, kind, items, options, done)
    }

    fn _pending(&self, py: Python<'_>) -> PyResult<usize> {
        match self.inner.get(py) {
            Some(inner) if inner.core.client.forked() => Err(forked(py)),
            Some(inner) => Ok(inner.requests.len()),
            None => Ok(0),
        }
    }

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

    #[pyo3(signature = (topic=None, timeout=-1.0))]
    fn list_topics(&self, py: Python<'_>, topic: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
        calls::list_topics(py, &self.handle(py)?.core.client, topic, timeout)
    }

    #[pyo3(signature = (group=None, timeout=-1.0))]
    fn list_groups(&self, py: Python<'_>, group: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
        groups::list_groups(py, &self.handle(py)?.core.client, group, timeout)
    }

    #[pyo3(signature = (timeout=-1.0))]
    fn cluster_id(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        calls::cluster_id(py, &self.handle(py)?.core.client, timeout)
    }

    fn set_sasl_credentials(&self, py: Python<'_>, username: &str, password: &str) -> PyResult<()> {
        self.handle(py)?.core.client.set_sasl_credentials(username, password).or_raise(py)
    }

    fn _close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(inner) = self.inner.get(py) else { return Ok(()) };
        if inner.core.client.forked() {
            // The parent's client: forgotten, never touched.
            drop(self.take(py));
            return Ok(());
        }
        inner.core.client.begin_close();
        drop(self.take(py));
        let server = inner.server().take();
        if let Some(server) = server {
            server.end(py)?;
        }
        calls::destroy(py, inner)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Not what requests on their way hold: it is released when they are answered, or told that they will not be.
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

#[pyclass(frozen, subclass, extends = Admin, module = "confluent_kafka._native")]
pub struct LoopAdmin;

#[pymethods]
impl LoopAdmin {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Admin { inner: Shared::empty() }).add_subclass(LoopAdmin)
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

    fn _serve(slf: &Bound<'_, Self>) -> PyResult<usize> {
        let py = slf.py();
        let inner = slf.as_super().get().inner(py)?;
        inner.requests.tell(py, inner.core.answers())
    }

    fn _destroy(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let (py, admin) = (slf.py(), slf.as_super().get());
        let forked = admin.inner.get(py).is_some_and(|inner| inner.core.client.forked());
        match admin.take(py) {
            Some(last) if !forked => calls::destroy_later(py, last).map(Some),
            _ => Ok(None),
        }
    }
}
