// SPDX-License-Identifier: Apache-2.0
//! `_native.MockCluster`: the mock cluster for Python; `confluent_kafka.testing` gives it its public face.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrokafka_core::error::Failure;
use ferrokafka_core::fork::Birth;
use ferrokafka_core::mock::{Coordinator, Error, MockCluster as Cluster, Result, MAX_BROKERS};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{exception, python_object};

const CRIT_SYS_RESOURCE: i32 = -194;

/// A running mock cluster; every method may be called from any thread and releases the GIL.
///
/// Methods raise ValueError for arguments the cluster cannot take, KafkaException for what librdkafka refuses,
/// IllegalStateException after close() and ForkedClientError in a forked child.
#[pyclass(module = "confluent_kafka._native", frozen)]
pub struct MockCluster {
    // A call holds its own reference, so close() in another thread never pulls the cluster away from under it.
    cluster: Mutex<Option<Arc<Cluster>>>,
    bootstraps: String,
    birth: Birth,
}

#[pymethods]
impl MockCluster {
    #[new]
    fn new(py: Python<'_>, brokers: i64) -> PyResult<Self> {
        let count = usize::try_from(brokers).unwrap_or(0);
        if count == 0 {
            let text = format!("brokers must be between 1 and {MAX_BROKERS}, not {brokers}");
            return Err(PyValueError::new_err(text));
        }
        let cluster = py.detach(|| Cluster::new(count)).map_err(|error| raise(py, error))?;
        let bootstraps = cluster.bootstraps().to_owned();
        Ok(Self { cluster: Mutex::new(Some(Arc::new(cluster))), bootstraps, birth: Birth::now() })
    }

    #[getter]
    fn bootstrap_servers(&self, py: Python<'_>) -> PyResult<&str> {
        self.get(py)?;
        Ok(&self.bootstraps)
    }

    #[getter]
    fn closed(&self) -> bool {
        // A forked child never takes the lock: a thread of the parent may have held it.
        self.birth.forked() || self.lock().is_none()
    }

    fn close(&self, py: Python<'_>) {
        if !self.birth.forked() {
            let cluster = self.lock().take();
            py.detach(|| drop(cluster));
        }
    }

    fn brokers(&self, py: Python<'_>) -> PyResult<Vec<i32>> {
        self.call(py, |cluster| cluster.brokers())
    }

    #[pyo3(signature = (topic, partitions, replication_factor=None))]
    fn topic_create(
        &self,
        py: Python<'_>,
        topic: &str,
        partitions: i32,
        replication_factor: Option<i32>,
    ) -> PyResult<()> {
        self.call(py, |cluster| cluster.topic_create(topic, partitions, replication_factor))
    }

    fn topic_set_error(&self, py: Python<'_>, topic: &str, code: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.topic_set_error(topic, code))
    }

    fn partition_set_leader(&self, py: Python<'_>, topic: &str, partition: i32, broker: Option<i32>) -> PyResult<()> {
        self.call(py, |cluster| cluster.partition_set_leader(topic, partition, broker))
    }

    fn partition_push_leader_response(
        &self,
        py: Python<'_>,
        topic: &str,
        partition: i32,
        leader: i32,
        epoch: i32,
    ) -> PyResult<()> {
        self.call(py, |cluster| cluster.partition_push_leader_response(topic, partition, leader, epoch))
    }

    fn partition_set_follower(&self, py: Python<'_>, topic: &str, partition: i32, broker: Option<i32>) -> PyResult<()> {
        self.call(py, |cluster| cluster.partition_set_follower(topic, partition, broker))
    }

    fn partition_set_follower_wmarks(
        &self,
        py: Python<'_>,
        topic: &str,
        partition: i32,
        low: Option<i64>,
        high: Option<i64>,
    ) -> PyResult<()> {
        self.call(py, |cluster| cluster.partition_set_follower_wmarks(topic, partition, low, high))
    }

    fn broker_set_down(&self, py: Python<'_>, broker: Option<i32>) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_set_down(broker))
    }

    fn broker_set_up(&self, py: Python<'_>, broker: Option<i32>) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_set_up(broker))
    }

    fn broker_set_rtt(&self, py: Python<'_>, broker: Option<i32>, rtt_ms: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_set_rtt(broker, rtt_ms))
    }

    fn broker_set_rack(&self, py: Python<'_>, broker: Option<i32>, rack: &str) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_set_rack(broker, rack))
    }

    fn broker_set_host_port(&self, py: Python<'_>, broker: i32, host: &str, port: u16) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_set_host_port(broker, host, port))
    }

    fn broker_add(&self, py: Python<'_>, broker: Option<i32>) -> PyResult<i32> {
        self.call(py, |cluster| cluster.broker_add(broker))
    }

    fn broker_decommission(&self, py: Python<'_>, broker: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_decommission(broker))
    }

    fn push_request_errors(&self, py: Python<'_>, api_key: i16, codes: Vec<i32>) -> PyResult<()> {
        self.call(py, |cluster| cluster.push_request_errors(api_key, &codes))
    }

    fn broker_push_request_error_rtts(
        &self,
        py: Python<'_>,
        broker: i32,
        api_key: i16,
        errors: Vec<(i32, i32)>,
    ) -> PyResult<()> {
        self.call(py, |cluster| cluster.broker_push_request_error_rtts(broker, api_key, &errors))
    }

    fn clear_request_errors(&self, py: Python<'_>, api_key: i16) -> PyResult<()> {
        self.call(py, |cluster| cluster.clear_request_errors(api_key))
    }

    fn broker_error_stack_count(&self, py: Python<'_>, broker: i32, api_key: i16) -> PyResult<usize> {
        self.call(py, |cluster| cluster.broker_error_stack_count(broker, api_key))
    }

    fn coordinator_set(&self, py: Python<'_>, kind: &str, key: &str, broker: i32) -> PyResult<()> {
        let kind = match kind {
            "group" => Coordinator::Group,
            "transaction" => Coordinator::Transaction,
            other => {
                let text = format!("kind of coordinator must be 'group' or 'transaction', not {other:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        self.call(py, |cluster| cluster.coordinator_set(kind, key, broker))
    }

    fn set_apiversion(&self, py: Python<'_>, api_key: i16, range: Option<(i16, i16)>) -> PyResult<()> {
        self.call(py, |cluster| cluster.set_apiversion(api_key, range))
    }

    fn group_initial_rebalance_delay_ms(&self, py: Python<'_>, delay_ms: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.group_initial_rebalance_delay_ms(delay_ms))
    }

    fn group_consumer_session_timeout_ms(&self, py: Python<'_>, timeout_ms: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.group_consumer_session_timeout_ms(timeout_ms))
    }

    fn group_consumer_heartbeat_interval_ms(&self, py: Python<'_>, interval_ms: i32) -> PyResult<()> {
        self.call(py, |cluster| cluster.group_consumer_heartbeat_interval_ms(interval_ms))
    }

    fn start_request_tracking(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |cluster| cluster.start_request_tracking())
    }

    fn stop_request_tracking(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |cluster| cluster.stop_request_tracking())
    }

    /// (broker id, ApiKey, microseconds on the monotonic clock) of every request tracked, in order of arrival.
    fn requests(&self, py: Python<'_>) -> PyResult<Vec<(i32, i16, i64)>> {
        let requests = self.call(py, |cluster| cluster.requests())?;
        Ok(requests.iter().map(|request| (request.broker, request.api_key, request.timestamp_us)).collect())
    }

    fn clear_requests(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |cluster| cluster.clear_requests())
    }
}

impl MockCluster {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Cluster>>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, py: Python<'_>) -> PyResult<Arc<Cluster>> {
        if self.birth.forked() {
            return Err(raise(py, Error::Forked));
        }
        // The lock is free again before Python code runs: an import may hand the GIL to a thread that wants it.
        let cluster = self.lock().clone();
        cluster.ok_or_else(|| build(python_object!(py, "confluent_kafka.error", "IllegalStateException"), CLOSED))
    }

    fn call<T: Send>(&self, py: Python<'_>, run: impl FnOnce(&Cluster) -> Result<T> + Send) -> PyResult<T> {
        let cluster = self.get(py)?;
        // The reference goes with the closure: should it be the last one, the cluster ends without the GIL too.
        py.detach(move || run(&cluster)).map_err(|error| raise(py, error))
    }
}

impl Drop for MockCluster {
    fn drop(&mut self) {
        let cluster = self.cluster.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // None during interpreter shutdown; the closure, and the cluster in it, is dropped all the same.
        Python::try_attach(move |py| py.detach(move || drop(cluster)));
    }
}

const CLOSED: &str = "this MockCluster is closed: use it inside its `with` block, or make a new one";

fn raise(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Invalid(text) => PyValueError::new_err(text),
        Error::Create(_) => exception(py, &Failure::new(CRIT_SYS_RESOURCE, error.to_string())),
        Error::Kafka(failure) => exception(py, &failure),
        Error::Forked => build(python_object!(py, "confluent_kafka.error", "ForkedClientError"), &error.to_string()),
    }
}

/// The exception of this class, or what went wrong while making it.
fn build(class: PyResult<&Bound<'_, PyAny>>, text: &str) -> PyErr {
    match class.and_then(|class| class.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failure) => failure,
    }
}
