//! What both clients do alike: opening, waiting, blocking C calls, metadata.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrokafka_core::client::{Client, Kind, Waiting};
use ferrokafka_core::error::{Error, Failure, Result as CoreResult};
use ferrokafka_core::metadata;
use ferrokafka_core::thread::Job;
use ferrokafka_core::wake::Deadline;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{during, forked, kafka_error_or_none, python_object, refused, to_python, OrRaise};
use crate::notices::Callbacks;
use crate::pending::Pending;
use crate::wait::wait;

/// How librdkafka ends a call whose time is over: `_TIMED_OUT`, `_TRANSPORT`, `_ALL_BROKERS_DOWN`, `_WAIT_COORD`.
const OUT_OF_TIME: [i32; 4] = [-185, -195, -187, -180];

/// A timeout in seconds as librdkafka takes it: whole milliseconds, negative is endless.
pub fn milliseconds(seconds: f64) -> i32 {
    if seconds < 0.0 {
        -1
    } else {
        (seconds * 1000.0).min(f64::from(i32::MAX)) as i32
    }
}

/// Makes a client; librdkafka's refusal of a property becomes our explanation of it.
///
/// With `watched`, an event loop will serve it: nothing waits here for the first token.
pub fn open(
    py: Python<'_>,
    kind: Kind,
    properties: &[(String, String)],
    callbacks: &Callbacks,
    watched: bool,
) -> PyResult<Arc<Client>> {
    let wanted = callbacks.wanted();
    let client = py.detach(|| Client::new(kind, properties, wanted, crate::delivery::release));
    let client = client.map_err(|error| match error {
        Error::Config { key, value, message } => {
            let kind = if kind == Kind::Producer { "producer" } else { "consumer" };
            refused(py, kind, &key, &value, &message)
        }
        other => to_python(py, other),
    })?;
    if watched {
        client.watch().or_raise(py)?;
    }
    if let Some(callback) = callbacks.oauth(py) {
        crate::tokens::serve(py, &client, callback)?;
    }
    Ok(client)
}

/// Repeats `step` whenever the client's queue signals, until it gives a value; None when the time is over or
/// the client is closing or was woken up.
pub fn until<T>(
    py: Python<'_>,
    client: &Client,
    deadline: Deadline,
    heartbeat: Option<Duration>,
    mut step: impl FnMut(&Waiting<'_>) -> PyResult<Option<T>>,
) -> PyResult<Option<T>> {
    // Registered before the first look: what comes after the look signals this thread.
    let waiting = client.waiting().or_raise(py)?;
    loop {
        waiting.acknowledge();
        if let Some(value) = step(&waiting)? {
            return Ok(Some(value));
        }
        if client.forked() {
            return Err(forked(py));
        }
        // A call without time-out does not wait: a wakeup is for the next one that does.
        if client.is_closing() || deadline.passed() || waiting.woken() {
            return Ok(None);
        }
        wait(py, &waiting.fds(), deadline.at_most(heartbeat))?;
    }
}

/// A blocking C call on a native thread, its result made into a Python object; `what` starts the text of its failure.
pub fn blocking<T: Send + 'static>(
    py: Python<'_>,
    client: &Arc<Client>,
    timeout: f64,
    what: &'static str,
    call: impl Fn(&Arc<Client>, i32) -> CoreResult<T> + Send + 'static,
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    blocking_raw(py, client, timeout, call, move |py, result| convert(py, result.map_err(during(what)).or_raise(py)?))
}

/// As `blocking`, with the core's own result. The call is made in slices for as long as somebody wants its result,
/// so that an abandoned one ends by itself; each is as long as all before it, for a broker that needs long to answer.
pub fn blocking_raw<T: Send + 'static>(
    py: Python<'_>,
    client: &Arc<Client>,
    timeout: f64,
    call: impl Fn(&Arc<Client>, i32) -> CoreResult<T> + Send + 'static,
    convert: impl FnOnce(Python<'_>, CoreResult<T>) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    const FIRST_SLICE: Duration = Duration::from_secs(5);
    // Negative timeouts are endless for librdkafka too; zero asks what is known without waiting.
    let deadline = Deadline::after(timeout);
    let wanted = Arc::new(AtomicBool::new(true));
    let abandon = Abandon(Arc::clone(&wanted));
    let worker = Arc::clone(client);
    let job = Job::start("kafka-call", move || {
        let started = Instant::now();
        loop {
            let slice = deadline.at_most(Some(started.elapsed().max(FIRST_SLICE))).unwrap_or(FIRST_SLICE);
            let began = Instant::now();
            // Rounded up: the last slice must not end just before the deadline.
            let result = call(&worker, slice.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32);
            match &result {
                Err(Error::Kafka(Failure { code, .. }))
                    if OUT_OF_TIME.contains(code)
                        && began.elapsed() >= slice * 9 / 10 // otherwise it is librdkafka's final word
                        && !deadline.passed()
                        && wanted.load(Ordering::SeqCst) => {}
                _ => return result,
            }
        }
    })
    .map_err(Error::from)
    .or_raise(py)?;
    answer(py, client, job, move |py, result| {
        let _abandon = abandon;
        convert(py, result)
    })
}

/// A job's result as a Python object: waited for here, or by the event loop that watches the client.
pub fn answer<T: Send + 'static>(
    py: Python<'_>,
    client: &Client,
    job: Arc<Job<T>>,
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    if client.is_watched() {
        return Pending::of_job(py, job, convert);
    }
    let result = finish(py, client, &job)?;
    convert(py, result)
}

struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Waits for a job's result. It leaves the client's queue, and the signals that concern it, to others.
fn finish<T: Send + 'static>(py: Python<'_>, client: &Client, job: &Job<T>) -> PyResult<T> {
    loop {
        if let Some(result) = job.take() {
            return Ok(result);
        }
        if client.is_closing() {
            return Err(crate::error::closed(CLOSED_MEANWHILE));
        }
        wait(py, &[job.done.read_fd(), client.closing_fd()], None)?;
    }
}

/// As `finish`, for a job that needs delivery reports to be served meanwhile.
///
/// With `closing_ends`, a close by another thread ends the wait with an error.
/// Several threads may wait for one job: each gets a copy of its result.
pub fn finish_serving<T: Clone + Send + 'static>(
    py: Python<'_>,
    client: &Client,
    job: &Job<T>,
    closing_ends: bool,
    mut serve: impl FnMut() -> PyResult<()>,
) -> PyResult<T> {
    let waiting = client.waiting().or_raise(py)?;
    let [queue, closing] = waiting.fds();
    loop {
        waiting.acknowledge();
        serve()?;
        if let Some(result) = job.result() {
            return Ok(result);
        }
        if closing_ends && client.is_closing() {
            return Err(crate::error::closed(CLOSED_MEANWHILE));
        }
        let fds = [job.done.read_fd(), queue, closing];
        let watched = if closing_ends { 3 } else { 2 };
        wait(py, &fds[..watched], None)?;
    }
}

const CLOSED_MEANWHILE: &str = "the client was closed by another thread during this call";

pub fn list_topics(py: Python<'_>, client: &Arc<Client>, topic: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
    let ask = move |client: &Arc<Client>, timeout_ms| metadata::list(client, topic.as_deref(), timeout_ms);
    blocking(py, client, timeout, "Failed to get metadata", ask, metadata_to_python)
}

fn metadata_to_python(py: Python<'_>, metadata: metadata::Metadata) -> PyResult<Py<PyAny>> {
    let class = |name: &str| py.import("confluent_kafka.admin")?.getattr(name);
    let (broker_class, topic_class) = (class("BrokerMetadata")?, class("TopicMetadata")?);
    let partition_class = class("PartitionMetadata")?;
    let brokers = PyDict::new(py);
    for broker in &metadata.brokers {
        brokers.set_item(broker.id, broker_class.call1((broker.id, &broker.host, broker.port))?)?;
    }
    let topics = PyDict::new(py);
    for topic in &metadata.topics {
        let partitions = PyDict::new(py);
        for p in &topic.partitions {
            let error = kafka_error_or_none(py, p.error)?;
            let fields = (p.id, p.leader, p.replicas.clone(), p.isrs.clone(), error);
            partitions.set_item(p.id, partition_class.call1(fields)?)?;
        }
        let error = kafka_error_or_none(py, topic.error)?;
        topics.set_item(&topic.name, topic_class.call1((&topic.name, partitions, error))?)?;
    }
    let fields = (
        metadata.cluster_id,
        metadata.controller_id,
        brokers,
        topics,
        metadata.orig_broker_id,
        metadata.orig_broker_name,
    );
    Ok(python_object!(py, "confluent_kafka.admin", "ClusterMetadata")?.call1(fields)?.unbind())
}

pub fn cluster_id(py: Python<'_>, client: &Arc<Client>, timeout: f64) -> PyResult<Py<PyAny>> {
    let ask = |client: &Arc<Client>, timeout_ms| metadata::cluster_id(client, timeout_ms);
    blocking(py, client, timeout, "Failed to retrieve cluster id", ask, |py, id| {
        Ok(id.into_pyobject(py)?.into_any().unbind())
    })
}

fn destroying<T: Send + Sync + 'static>(py: Python<'_>, last: Arc<T>) -> PyResult<Arc<Job<()>>> {
    Job::start("kafka-destroy", move || drop(last)).map_err(Error::from).or_raise(py)
}

/// The end of a closed client, for an event loop to wait for.
pub fn destroy_later<T: Send + Sync + 'static>(py: Python<'_>, last: Arc<T>) -> PyResult<Py<PyAny>> {
    Pending::of_job(py, destroying(py, last)?, |py, ()| Ok(py.None()))
}

/// Waits until the last owner of a closed client has destroyed it, or until Ctrl-C.
pub fn destroy<T: Send + Sync + 'static>(py: Python<'_>, last: Arc<T>) -> PyResult<()> {
    let job = destroying(py, last)?;
    while job.take().is_none() {
        wait(py, &[job.done.read_fd()], None)?;
    }
    Ok(())
}
