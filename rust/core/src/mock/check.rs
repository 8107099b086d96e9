// SPDX-License-Identifier: Apache-2.0
//! What a mock cluster can take: the protocol requests it knows, the errors it reports, and checks of arguments
//! that the C functions would use unseen.

use std::ffi::CString;
use std::fmt;

use rdkafka_sys::rd_kafka_resp_err_t as RespErr;

use crate::error::{describe, Failure};

/// Protocol requests the mock brokers implement: (ApiKey, lowest version, highest version).
///
/// This is `rd_kafka_mock_api_handlers` of the bundled librdkafka; a test compares it with what a mock broker
/// answers to ApiVersions. A key outside this table has no handler in the mock broker.
pub const APIS: [(i16, i16, i16); 21] = [
    (0, 0, 10),
    (1, 0, 16),
    (2, 0, 7),
    (3, 0, 12),
    (8, 0, 9),
    (9, 0, 6),
    (10, 0, 3),
    (11, 0, 6),
    (12, 0, 5),
    (13, 0, 4),
    (14, 0, 4),
    (18, 0, 2),
    (22, 0, 4),
    (23, 2, 2),
    (24, 0, 1),
    (25, 0, 1),
    (26, 0, 1),
    (28, 0, 3),
    (68, 1, 1),
    (71, 0, 0),
    (72, 0, 0),
];

pub(super) const PRODUCE: i16 = 0;
pub(super) const FETCH: i16 = 1;

/// Highest versions whose error replies do not carry the partition's leader (KIP-951). From the next version
/// on, librdkafka's mock broker dereferences the leader of the partition, which is null while there is none.
pub(super) const LEADERLESS_CAPS: [(i16, i16); 2] = [(PRODUCE, 9), (FETCH, 11)];

/// `test.mock.num.brokers` has the same upper limit.
pub const MAX_BROKERS: usize = 10_000;
/// librdkafka's own limit for one topic in one request (RD_KAFKAP_PARTITIONS_MAX).
pub const MAX_PARTITIONS: i32 = 100_000;
pub(super) const MAX_TOPIC_LENGTH: usize = 249;
/// `advertised_listener` in librdkafka is a 128-byte array, terminator included; longer names would be cut.
pub(super) const MAX_HOST_LENGTH: usize = 127;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The private handle or the listening sockets could not be made.
    Create(String),
    /// An argument that the mock cluster cannot take; nothing was changed.
    Invalid(String),
    /// The C function refused; the reason says what was attempted.
    Kafka(Failure),
    /// Used in a child process after `fork()`: the threads of the cluster exist in the parent only.
    Forked,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Create(reason) => write!(f, "cannot start the mock cluster: {reason}"),
            Error::Invalid(reason) => f.write_str(reason),
            Error::Kafka(failure) => f.write_str(failure.reason.as_deref().unwrap_or("refused by librdkafka")),
            Error::Forked => f.write_str(
                "this MockCluster belongs to the parent process: its threads do not exist after fork(); \
                 create a MockCluster in the child, or pass the bootstrap address and connect to the parent's",
            ),
        }
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

pub(super) fn api(api_key: i16) -> Result<(i16, i16)> {
    match APIS.iter().find(|(key, ..)| *key == api_key) {
        Some((_, min, max)) => Ok((*min, *max)),
        None => Err(Error::Invalid(format!(
            "the mock brokers do not implement API key {api_key}; they have {}",
            APIS.map(|(key, ..)| key.to_string()).join(", ")
        ))),
    }
}

pub(super) fn leaderless_cap(api_key: i16) -> Option<i16> {
    LEADERLESS_CAPS.iter().find(|(key, _)| *key == api_key).map(|(_, cap)| *cap)
}

pub(super) fn not_negative(what: &str, value: i32) -> Result<()> {
    if value < 0 {
        return Err(Error::Invalid(format!("{what} must not be negative: {value} ms")));
    }
    Ok(())
}

pub(super) fn text(what: &str, value: &str) -> Result<CString> {
    CString::new(value)
        .map_err(|error| Error::Invalid(format!("{what} has a NUL character at position {}", error.nul_position())))
}

/// The same rule as a real broker's, which the mock brokers do not apply themselves.
pub(super) fn topic_name(topic: &str) -> Result<CString> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if topic.is_empty() || topic.len() > MAX_TOPIC_LENGTH || matches!(topic, "." | "..") || !topic.chars().all(legal) {
        return Err(Error::Invalid(format!(
            "illegal topic name {topic:?}: 1 to {MAX_TOPIC_LENGTH} ASCII letters, digits, '.', '_' or '-'"
        )));
    }
    text("topic", topic)
}

/// A missing topic is created with `partition + 1` partitions, and a negative index is used unchecked.
pub(super) fn partition_name(topic: &str, partition: i32) -> Result<CString> {
    if !(0..MAX_PARTITIONS).contains(&partition) {
        return Err(Error::Invalid(format!(
            "topic {topic}: partition must be between 0 and {}, not {partition}",
            MAX_PARTITIONS - 1
        )));
    }
    topic_name(topic)
}

/// The Rust enum has exactly librdkafka's codes: any other number must not become one.
pub(super) fn error_code(code: i32) -> Result<RespErr> {
    RespErr::try_from(code).map_err(|_| Error::Invalid(format!("librdkafka has no error code {code}")))
}

pub(super) fn check(err: RespErr, action: impl FnOnce() -> String) -> Result<()> {
    match err {
        RespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        err => {
            let code = err as i32;
            Err(Error::Kafka(Failure::new(code, format!("cannot {}: {}", action(), describe(code)))))
        }
    }
}
