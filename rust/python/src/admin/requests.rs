//! Requests on their way, and who is told of their answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrokafka_core::admin::{Admin as Core, Answer};
use ferrokafka_core::error::Failure;
use ferrokafka_core::thread::{self, Job};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::error::kafka_error;
use crate::finalize::attached;
use crate::wait::wait;

use super::kinds;

const THREAD: &str = "kafka-admin";

type Waiting = HashMap<usize, Py<PyAny>>;

/// What is called with the answer to each request; nothing more is taken in once the client is closed.
pub struct Requests {
    waiting: Mutex<Option<Waiting>>,
    core: Arc<Core>,
}

impl Requests {
    pub fn new(core: Arc<Core>) -> Self {
        Requests { waiting: Mutex::new(Some(Waiting::new())), core }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn len(&self) -> usize {
        self.waiting().as_ref().map_or(0, HashMap::len)
    }

    /// False when the client is closed.
    pub fn add(&self, id: usize, done: Py<PyAny>) -> bool {
        // Dropped after the lock: that may run Python code.
        let refused = match &mut *self.waiting() {
            Some(waiting) => waiting.insert(id, done),
            None => Some(done),
        };
        refused.is_none()
    }

    pub fn take(&self, id: usize) -> Option<Py<PyAny>> {
        self.waiting().as_mut()?.remove(&id)
    }

    /// Calls who waits for these answers; gives their number. What a call raises keeps no other from being called:
    /// it is reported, Ctrl-C and the like are raised at the end.
    pub fn tell(&self, py: Python<'_>, answers: Vec<Answer>) -> PyResult<usize> {
        let (mut told, mut raised) = (0, None);
        for Answer { id, outcome } in answers {
            let Some(done) = self.take(id) else { continue };
            told += 1;
            let converted = match outcome {
                Ok(reply) => kinds::to_python(py, reply).map(|result| (py.None(), result)),
                Err(failure) => failed(py, &failure),
            };
            // What cannot be told as it is, is told as a failure: somebody waits.
            let arguments = converted.or_else(|error| {
                const FAIL: i32 = -196;
                failed(py, &Failure::new(FAIL, format!("the result cannot be given to Python: {error}")))
            });
            if let Some(error) = arguments.and_then(|arguments| done.call1(py, arguments)).err() {
                report(py, error, &done, &mut raised);
            }
        }
        raised.map_or(Ok(told), Err)
    }

    /// Calls everybody who still waits with a failure, and takes in no more.
    pub fn end(&self, py: Python<'_>, reason: &str) {
        const DESTROYED: i32 = -197;
        let waiting = self.waiting().take();
        let mut raised = None;
        for done in waiting.into_iter().flat_map(HashMap::into_values) {
            let arguments = failed(py, &Failure::new(DESTROYED, reason));
            if let Some(error) = arguments.and_then(|arguments| done.call1(py, arguments)).err() {
                report(py, error, &done, &mut raised);
            }
        }
        if let Some(error) = raised {
            error.write_unraisable(py, None);
        }
    }

    /// The end of a client that was dropped; on a native thread.
    fn abandon(&self) {
        let reason = "the admin client was dropped without close() while this request was on its way";
        if self.len() > 0 && attached(|py| self.end(py, reason)).is_none() {
            // The interpreter is ending: nobody waits, and nothing can be released.
            std::mem::forget(self.waiting().take());
        }
    }

    /// As `abandon`, on a thread of its own if anybody waits.
    pub fn abandon_later(requests: &Arc<Self>) {
        if requests.len() > 0 {
            let requests = Arc::clone(requests);
            // Without a thread they are not told: Python code must not run where a client is dropped.
            drop(thread::spawn(THREAD, move || requests.abandon()));
        }
    }
}

fn failed(py: Python<'_>, failure: &Failure) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    Ok((kafka_error(py, failure)?.unbind(), py.None()))
}

fn report(py: Python<'_>, error: PyErr, done: &Py<PyAny>, raised: &mut Option<PyErr>) {
    if raised.is_none() && !error.is_instance_of::<PyException>(py) {
        *raised = Some(error);
    } else {
        error.write_unraisable(py, Some(done.bind(py)));
    }
}

/// The native thread that waits for answers, although nobody polls, and calls who waits for them.
pub struct Server {
    stop: Arc<AtomicBool>,
    ended: Arc<Job<()>>,
    core: Arc<Core>,
}

impl Server {
    pub fn start(requests: &Arc<Requests>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (worker, stopped) = (Arc::clone(requests), Arc::clone(&stop));
        let ended = Job::start(THREAD, move || {
            while !stopped.load(Ordering::SeqCst) {
                let answers = worker.core.wait_for_answers();
                if answers.is_empty() {
                    continue;
                }
                let told = attached(|py| {
                    if let Err(error) = worker.tell(py, answers) {
                        error.write_unraisable(py, None);
                    }
                });
                if told.is_none() {
                    break; // the interpreter is ending
                }
            }
            worker.abandon();
        })?;
        Ok(Server { stop, ended, core: Arc::clone(&requests.core) })
    }

    /// Stops the thread and waits until it has ended, or until Ctrl-C.
    pub fn end(self, py: Python<'_>) -> PyResult<()> {
        let ended = Arc::clone(&self.ended);
        drop(self);
        // On a native thread this may be that thread, which closes the client in a callback of a future.
        while !thread::is_native() && ended.take().is_none() {
            wait(py, &[ended.done.read_fd()], None)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if !self.core.client.forked() {
            self.core.interrupt();
        }
    }
}
