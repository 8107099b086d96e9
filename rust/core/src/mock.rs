// SPDX-License-Identifier: Apache-2.0
//! librdkafka's in-process mock cluster (`rdkafka_mock.h`) behind a safe owner type.
//!
//! [`MockCluster`] owns two C objects: a private `rd_kafka_t` (the mock cluster borrows its threads and
//! timers, and it never connects anywhere) and the `rd_kafka_mock_cluster_t` living on it. The cluster has to
//! go first and the handle second; `Drop` keeps that order.
//!
//! Several C functions end the process with an assertion or a null dereference when given values they do not
//! expect (each check below names its case). Everything is therefore validated here, before the call, and the
//! little state needed for that (live broker ids, partitions without a leader) is kept beside the pointers.

use std::ffi::{c_int, CStr};
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka_sys as sys;
use sys::rd_kafka_resp_err_t as RespErr;

use crate::fork::Birth;
use check::{
    api, check, error_code, leaderless_cap, not_negative, partition_name, text, topic_name, LEADERLESS_CAPS,
    MAX_HOST_LENGTH,
};
pub use check::{Error, Result, APIS, MAX_BROKERS, MAX_PARTITIONS};
use start::{ensure_descriptors, new_handle, SignalsBlocked};
use state::State;

mod check;
mod start;
mod state;
#[cfg(test)]
mod tests;

/// One request as a mock broker received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub broker: i32,
    pub api_key: i16,
    /// Microseconds on librdkafka's monotonic clock (CLOCK_MONOTONIC on Linux).
    pub timestamp_us: i64,
}

/// What a coordinator coordinates; the C side takes the name as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinator {
    Group,
    Transaction,
}

impl Coordinator {
    fn name(self) -> &'static CStr {
        match self {
            Coordinator::Group => c"group",
            Coordinator::Transaction => c"transaction",
        }
    }
}

/// A cluster of mock brokers in this process, listening on 127.0.0.1.
///
/// `Send + Sync`: each C function takes the cluster's lock or posts to the mock thread and waits for it, and the
/// destructor runs only when no reference is left.
pub struct MockCluster {
    cluster: NonNull<sys::rd_kafka_mock_cluster_t>,
    handle: NonNull<sys::rd_kafka_t>,
    bootstraps: String,
    state: Mutex<State>,
    birth: Birth,
}

// SAFETY: the pointers are owned by this value alone; librdkafka's mock functions may be called from any thread.
unsafe impl Send for MockCluster {}
// SAFETY: as above; what must not run twice at a time is serialized by `state`.
unsafe impl Sync for MockCluster {}

impl MockCluster {
    /// Starts `brokers` mock brokers with the ids 1 to `brokers`, each on a free port of 127.0.0.1.
    pub fn new(brokers: usize) -> Result<Self> {
        if brokers == 0 || brokers > MAX_BROKERS {
            return Err(Error::Invalid(format!("brokers must be between 1 and {MAX_BROKERS}, not {brokers}")));
        }
        ensure_descriptors(brokers)?;
        // Both constructors start threads, which inherit the mask. A signal handled on the mock thread would
        // also end its poll() with EINTR, which it takes for a failure: it would leave its loop for good.
        let _masked = SignalsBlocked::new();
        let handle = new_handle()?;
        let count = c_int::try_from(brokers).unwrap_or(c_int::MAX);
        // SAFETY: handle is live and stays so until after the cluster is destroyed (Drop).
        let cluster = unsafe { sys::rd_kafka_mock_cluster_new(handle.as_ptr(), count) };
        let Some(cluster) = NonNull::new(cluster) else {
            // SAFETY: no cluster refers to the handle, and nobody else knows it.
            unsafe { sys::rd_kafka_destroy(handle.as_ptr()) };
            return Err(Error::Create(format!("librdkafka could not start {brokers} broker(s)")));
        };
        // SAFETY: the cluster owns the text, NUL-terminated and unchanged while it lives; copied at once.
        let bootstraps = unsafe { CStr::from_ptr(sys::rd_kafka_mock_cluster_bootstraps(cluster.as_ptr())) };
        let state = State { brokers: (1..=count).collect(), highest_broker: count, ..State::default() };
        Ok(Self {
            cluster,
            handle,
            bootstraps: bootstraps.to_string_lossy().into_owned(),
            state: Mutex::new(state),
            birth: Birth::now(),
        })
    }

    /// `host:port` of the brokers made at the start, comma-separated.
    pub fn bootstraps(&self) -> &str {
        &self.bootstraps
    }

    /// True in a child process made by `fork()` after the cluster was started.
    pub fn is_forked(&self) -> bool {
        self.birth.forked()
    }

    /// Ids of the brokers that exist (up or down), ascending.
    pub fn brokers(&self) -> Result<Vec<i32>> {
        Ok(self.state()?.brokers.iter().copied().collect())
    }

    pub fn topic_create(&self, topic: &str, partitions: i32, replication_factor: Option<i32>) -> Result<()> {
        let name = topic_name(topic)?;
        let mut state = self.state()?;
        // A count below one is handed to calloc() unchecked.
        if !(1..=MAX_PARTITIONS).contains(&partitions) {
            return Err(Error::Invalid(format!(
                "topic {topic}: partitions must be between 1 and {MAX_PARTITIONS}, not {partitions}"
            )));
        }
        let brokers = state.brokers.len() as i32;
        let replicas = replication_factor.unwrap_or(brokers.min(3));
        if !(1..=brokers).contains(&replicas) {
            return Err(Error::Invalid(format!(
                "topic {topic}: replication factor must be between 1 and {brokers} (the number of brokers), \
                 not {replicas}"
            )));
        }
        let action = || format!("create topic {topic}");
        self.command(&mut state, action, |cluster| {
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_topic_create(cluster, name.as_ptr(), partitions, replicas) }
        })
    }

    /// `code` 0 clears the error. A topic that does not exist is created with librdkafka's defaults.
    pub fn topic_set_error(&self, topic: &str, code: i32) -> Result<()> {
        let (name, err) = (topic_name(topic)?, error_code(code)?);
        let action = || format!("set the error of topic {topic}");
        self.command(&mut *self.state()?, action, |cluster| {
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_topic_set_error(cluster, name.as_ptr(), err) };
            RespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        })
    }

    /// `None` leaves the partition without a leader.
    pub fn partition_set_leader(&self, topic: &str, partition: i32, broker: Option<i32>) -> Result<()> {
        let name = partition_name(topic, partition)?;
        let state = &mut *self.state()?;
        if let Some(broker) = broker {
            state.known_broker(broker)?;
        } else {
            state.capped = true;
            let capped = LEADERLESS_CAPS.iter().try_for_each(|(key, cap)| self.apply_version(state, *key, Some(*cap)));
            if capped.is_err() {
                self.restore_versions(state)?;
                return capped;
            }
        }
        let id = broker.unwrap_or(-1);
        let action = || format!("set the leader of {topic} [{partition}]");
        let done = self.command(state, action, |cluster| {
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_partition_set_leader(cluster, name.as_ptr(), partition, id) }
        });
        if done.is_ok() {
            let key = (topic.to_owned(), partition);
            match broker {
                None => state.leaderless.insert(key),
                Some(_) => state.leaderless.remove(&key),
            };
        }
        self.restore_versions(state)?;
        done
    }

    /// Queues one leader for the next Metadata or Fetch reply about the partition, whatever the real one is.
    pub fn partition_push_leader_response(&self, topic: &str, partition: i32, leader: i32, epoch: i32) -> Result<()> {
        let name = partition_name(topic, partition)?;
        let action = || format!("push a leader response for {topic} [{partition}]");
        self.command(&mut *self.state()?, action, |cluster| {
            let name = name.as_ptr();
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_partition_push_leader_response(cluster, name, partition, leader, epoch) }
        })
    }

    /// `None` removes the preferred replica; the id need not be that of a live broker.
    pub fn partition_set_follower(&self, topic: &str, partition: i32, broker: Option<i32>) -> Result<()> {
        let name = partition_name(topic, partition)?;
        let id = broker.unwrap_or(-1);
        let action = || format!("set the follower of {topic} [{partition}]");
        self.command(&mut *self.state()?, action, |cluster| {
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_partition_set_follower(cluster, name.as_ptr(), partition, id) }
        })
    }

    /// `None` follows the leader's watermark again.
    pub fn partition_set_follower_wmarks(
        &self,
        topic: &str,
        partition: i32,
        low: Option<i64>,
        high: Option<i64>,
    ) -> Result<()> {
        let name = partition_name(topic, partition)?;
        if low.is_some_and(|lo| lo < 0) || high.is_some_and(|hi| hi < 0) {
            return Err(Error::Invalid(format!("watermarks of {topic} [{partition}] must not be negative")));
        }
        let (lo, hi) = (low.unwrap_or(-1), high.unwrap_or(-1));
        let action = || format!("set the follower watermarks of {topic} [{partition}]");
        self.command(&mut *self.state()?, action, |cluster| {
            // SAFETY: live cluster; the name is copied by the callee.
            unsafe { sys::rd_kafka_mock_partition_set_follower_wmarks(cluster, name.as_ptr(), partition, lo, hi) }
        })
    }

    /// Closes the broker's connections and its listening socket; `None` means all brokers.
    pub fn broker_set_down(&self, broker: Option<i32>) -> Result<()> {
        self.broker_command("take the broker down", broker, |cluster, id| {
            // SAFETY: live cluster.
            unsafe { sys::rd_kafka_mock_broker_set_down(cluster, id) }
        })
    }

    /// Listens again, on the same port; `None` means all brokers.
    pub fn broker_set_up(&self, broker: Option<i32>) -> Result<()> {
        self.broker_command("bring the broker up", broker, |cluster, id| {
            // SAFETY: live cluster.
            unsafe { sys::rd_kafka_mock_broker_set_up(cluster, id) }
        })
    }

    /// Delays every reply by `rtt_ms`; `None` means all brokers.
    pub fn broker_set_rtt(&self, broker: Option<i32>, rtt_ms: i32) -> Result<()> {
        not_negative("round-trip time", rtt_ms)?;
        self.broker_command("set the round-trip time", broker, |cluster, id| {
            // SAFETY: live cluster.
            unsafe { sys::rd_kafka_mock_broker_set_rtt(cluster, id, rtt_ms) }
        })
    }

    /// Rack told in Metadata replies; `None` means all brokers.
    pub fn broker_set_rack(&self, broker: Option<i32>, rack: &str) -> Result<()> {
        let rack = text("rack", rack)?;
        self.broker_command("set the rack", broker, |cluster, id| {
            // SAFETY: live cluster; the rack is copied by the callee.
            unsafe { sys::rd_kafka_mock_broker_set_rack(cluster, id, rack.as_ptr()) }
        })
    }

    /// Changes the address that Metadata and FindCoordinator replies tell; the listening socket stays.
    pub fn broker_set_host_port(&self, broker: i32, host: &str, port: u16) -> Result<()> {
        let name = text("host", host)?;
        if host.is_empty() || host.len() > MAX_HOST_LENGTH {
            return Err(Error::Invalid(format!("host must have 1 to {MAX_HOST_LENGTH} bytes, not {}", host.len())));
        }
        let state = self.state()?;
        state.known_broker(broker)?;
        // SAFETY: live cluster; the host is copied by the callee.
        unsafe {
            sys::rd_kafka_mock_broker_set_host_port(self.cluster.as_ptr(), broker, name.as_ptr(), c_int::from(port));
        }
        Ok(())
    }

    /// Adds a broker, by default with the next unused id, and spreads the partitions anew; returns its id.
    pub fn broker_add(&self, broker: Option<i32>) -> Result<i32> {
        let mut state = self.state()?;
        let id = broker.unwrap_or(state.highest_broker.saturating_add(1));
        if id < 0 {
            return Err(Error::Invalid(format!("broker id must not be negative: {id}")));
        }
        if state.brokers.contains(&id) {
            return Err(Error::Invalid(format!("broker {id} exists already")));
        }
        self.command(
            &mut state,
            || format!("add broker {id}"),
            |cluster| {
                // SAFETY: live cluster.
                unsafe { sys::rd_kafka_mock_broker_add(cluster, id) }
            },
        )?;
        state.brokers.insert(id);
        state.highest_broker = state.highest_broker.max(id);
        self.partitions_reassigned(&mut state)?;
        Ok(id)
    }

    /// Removes a broker for good; its partitions move to the others.
    pub fn broker_decommission(&self, broker: i32) -> Result<()> {
        let mut state = self.state()?;
        state.known_broker(broker)?;
        // With no broker left every partition is leaderless and stays so: replica counts never grow again.
        if state.brokers.len() == 1 {
            return Err(Error::Invalid(format!(
                "broker {broker} is the last one: a cluster keeps at least one broker"
            )));
        }
        self.command(
            &mut state,
            || format!("decommission broker {broker}"),
            |cluster| {
                // SAFETY: live cluster; the id is that of one broker (-1, all, would free brokers while iterating).
                unsafe { sys::rd_kafka_mock_broker_decommission(cluster, broker) }
            },
        )?;
        state.brokers.remove(&broker);
        self.partitions_reassigned(&mut state)
    }

    /// The next requests of this kind, to any broker, fail with these codes, one each (0: let one pass).
    pub fn push_request_errors(&self, api_key: i16, codes: &[i32]) -> Result<()> {
        api(api_key)?;
        let errors = codes.iter().map(|code| error_code(*code)).collect::<Result<Vec<_>>>()?;
        let _state = self.state()?;
        // SAFETY: live cluster; the array is read before the call returns.
        unsafe {
            sys::rd_kafka_mock_push_request_errors_array(self.cluster.as_ptr(), api_key, errors.len(), errors.as_ptr());
        }
        Ok(())
    }

    /// The same for one broker; each entry is (code, milliseconds to delay the reply).
    pub fn broker_push_request_error_rtts(&self, broker: i32, api_key: i16, errors: &[(i32, i32)]) -> Result<()> {
        api(api_key)?;
        for (code, rtt_ms) in errors {
            error_code(*code)?;
            not_negative("round-trip time", *rtt_ms)?;
        }
        let state = self.state()?;
        state.known_broker(broker)?;
        for (code, rtt_ms) in errors {
            // SAFETY: live cluster; one (int, int) pair follows the count, as the C prototype says.
            let err = unsafe {
                sys::rd_kafka_mock_broker_push_request_error_rtts(
                    self.cluster.as_ptr(),
                    broker,
                    api_key,
                    1,
                    *code as c_int,
                    *rtt_ms as c_int,
                )
            };
            check(err, || format!("push errors to broker {broker}"))?;
        }
        Ok(())
    }

    /// Forgets the errors pushed for the whole cluster; those pushed to one broker stay.
    pub fn clear_request_errors(&self, api_key: i16) -> Result<()> {
        api(api_key)?;
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_clear_request_errors(self.cluster.as_ptr(), api_key) };
        Ok(())
    }

    /// How many of the errors pushed to this broker are still to be used.
    pub fn broker_error_stack_count(&self, broker: i32, api_key: i16) -> Result<usize> {
        api(api_key)?;
        let state = self.state()?;
        state.known_broker(broker)?;
        let mut count = 0; // not written by the callee when nothing was ever pushed
                           // SAFETY: live cluster; count outlives the call.
        let err =
            unsafe { sys::rd_kafka_mock_broker_error_stack_cnt(self.cluster.as_ptr(), broker, api_key, &mut count) };
        check(err, || format!("count the errors of broker {broker}")).map(|()| count)
    }

    pub fn coordinator_set(&self, kind: Coordinator, key: &str, broker: i32) -> Result<()> {
        let name = text("coordinator key", key)?;
        let mut state = self.state()?;
        // The header allows any id, but FindCoordinator asserts that the broker exists.
        state.known_broker(broker)?;
        self.command(
            &mut state,
            || format!("set the coordinator of {key}"),
            |cluster| {
                // SAFETY: live cluster; both texts are copied by the callee.
                unsafe { sys::rd_kafka_mock_coordinator_set(cluster, kind.name().as_ptr(), name.as_ptr(), broker) }
            },
        )
    }

    /// Restricts the versions told in ApiVersions replies; `None` switches the request off.
    pub fn set_apiversion(&self, api_key: i16, range: Option<(i16, i16)>) -> Result<()> {
        let (lowest, highest) = api(api_key)?;
        let (min, max) = range.unwrap_or((-1, -1));
        if range.is_some() && !(lowest <= min && min <= max && max <= highest) {
            return Err(Error::Invalid(format!(
                "API {api_key}: versions {min} to {max} are not within those implemented, {lowest} to {highest}"
            )));
        }
        let mut state = self.state()?;
        let cap = if state.leaderless.is_empty() { None } else { leaderless_cap(api_key) };
        let before = state.versions.insert(api_key, (min, max));
        let done = self.apply_version(&mut state, api_key, cap);
        if done.is_err() {
            match before {
                Some(range) => state.versions.insert(api_key, range),
                None => state.versions.remove(&api_key),
            };
        }
        done
    }

    pub fn group_initial_rebalance_delay_ms(&self, delay_ms: i32) -> Result<()> {
        not_negative("rebalance delay", delay_ms)?;
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_group_initial_rebalance_delay_ms(self.cluster.as_ptr(), delay_ms) };
        Ok(())
    }

    /// Session time-out of groups with the `consumer` protocol (KIP-848) made from now on.
    pub fn group_consumer_session_timeout_ms(&self, timeout_ms: i32) -> Result<()> {
        not_negative("session time-out", timeout_ms)?;
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_set_group_consumer_session_timeout_ms(self.cluster.as_ptr(), timeout_ms) };
        Ok(())
    }

    /// Heartbeat interval of groups with the `consumer` protocol (KIP-848) made from now on.
    pub fn group_consumer_heartbeat_interval_ms(&self, interval_ms: i32) -> Result<()> {
        not_negative("heartbeat interval", interval_ms)?;
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(self.cluster.as_ptr(), interval_ms) };
        Ok(())
    }

    /// Starts recording requests; what was recorded before is forgotten.
    pub fn start_request_tracking(&self) -> Result<()> {
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_start_request_tracking(self.cluster.as_ptr()) };
        Ok(())
    }

    /// Stops recording. librdkafka forgets the recorded requests here too, whatever its header says.
    pub fn stop_request_tracking(&self) -> Result<()> {
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_stop_request_tracking(self.cluster.as_ptr()) };
        Ok(())
    }

    /// Requests recorded so far, in the order of arrival.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let _state = self.state()?;
        let mut count = 0;
        // SAFETY: live cluster; the result is an array of `count` copies now owned by us, null when there are none.
        let array = unsafe { sys::rd_kafka_mock_get_requests(self.cluster.as_ptr(), &mut count) };
        if array.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: see above; read only until the array is destroyed below.
        let requests = unsafe { std::slice::from_raw_parts(array, count) }
            .iter()
            // SAFETY: every element is a valid request until the array is destroyed.
            .map(|request| unsafe {
                Request {
                    broker: sys::rd_kafka_mock_request_id(*request),
                    api_key: sys::rd_kafka_mock_request_api_key(*request),
                    timestamp_us: sys::rd_kafka_mock_request_timestamp(*request),
                }
            })
            .collect();
        // SAFETY: frees the elements and the array, once; nothing refers to them any more.
        unsafe { sys::rd_kafka_mock_request_destroy_array(array, count) };
        Ok(requests)
    }

    pub fn clear_requests(&self) -> Result<()> {
        let _state = self.state()?;
        // SAFETY: live cluster.
        unsafe { sys::rd_kafka_mock_clear_requests(self.cluster.as_ptr()) };
        Ok(())
    }

    /// The only way to the C side: refuses after fork, before a lock that the parent may have held is touched.
    fn state(&self) -> Result<MutexGuard<'_, State>> {
        if self.is_forked() {
            return Err(Error::Forked);
        }
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a function that posts to the mock thread and waits for its answer.
    fn command(
        &self,
        state: &mut State,
        action: impl FnOnce() -> String,
        run: impl FnOnce(*mut sys::rd_kafka_mock_cluster_t) -> RespErr,
    ) -> Result<()> {
        state.keep_distance();
        let err = run(self.cluster.as_ptr());
        state.answered = Some(Instant::now());
        check(err, action)
    }

    fn broker_command(
        &self,
        action: &str,
        broker: Option<i32>,
        run: impl FnOnce(*mut sys::rd_kafka_mock_cluster_t, i32) -> RespErr,
    ) -> Result<()> {
        let state = &mut *self.state()?;
        let id = broker.map_or(Ok(-1), |broker| state.known_broker(broker))?;
        self.command(state, || action.to_owned(), |cluster| run(cluster, id))
    }

    /// Makes the mock brokers offer the wanted range of versions, cut at `cap`.
    fn apply_version(&self, state: &mut State, api_key: i16, cap: Option<i16>) -> Result<()> {
        let (min, max) = match state.versions.get(&api_key) {
            Some(range) => *range,
            None => api(api_key)?,
        };
        let max = cap.map_or(max, |cap| max.min(cap));
        if min > max {
            return Err(Error::Invalid(format!(
                "API {api_key}: version {min} cannot be used together with a partition without a leader \
                 (the mock broker supports versions up to {max} then)"
            )));
        }
        self.command(
            state,
            || format!("set the versions of API {api_key}"),
            |cluster| {
                // SAFETY: live cluster; the key has a handler and the range is within the implemented one, or -1.
                unsafe { sys::rd_kafka_mock_set_apiversion(cluster, api_key, min, max) }
            },
        )
    }

    fn restore_versions(&self, state: &mut State) -> Result<()> {
        if state.capped && state.leaderless.is_empty() {
            for (api_key, _) in LEADERLESS_CAPS {
                self.apply_version(state, api_key, None)?;
            }
            state.capped = false;
        }
        Ok(())
    }

    /// Adding or removing a broker gives every partition a leader again.
    fn partitions_reassigned(&self, state: &mut State) -> Result<()> {
        state.leaderless.clear();
        self.restore_versions(state)
    }
}

impl Drop for MockCluster {
    fn drop(&mut self) {
        // In a forked child the threads to be joined do not exist: destroying would wait for ever. The child's
        // copy of the memory and of the listening sockets is given up with the process.
        if self.is_forked() {
            return;
        }
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).keep_distance();
        // SAFETY: both are owned by this value and used by nobody else any more; the handle asserts that its
        // mock clusters are gone, hence the order.
        unsafe {
            sys::rd_kafka_mock_cluster_destroy(self.cluster.as_ptr());
            sys::rd_kafka_destroy(self.handle.as_ptr());
        }
    }
}

impl fmt::Debug for MockCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockCluster").field("bootstraps", &self.bootstraps).finish_non_exhaustive()
    }
}
