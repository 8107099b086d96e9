//! Transactions: calls that block inside librdkafka and are run on a native thread.

use std::ptr;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::error::{check_error, Error, Failure, Result};
use crate::native::Partitions;

pub fn init(client: &Client, timeout_ms: i32) -> Result<()> {
    // SAFETY: the client is alive.
    check_error(unsafe { sys::rd_kafka_init_transactions(client.as_ptr(), timeout_ms) })
}

/// Local: changes the state only.
pub fn begin(client: &Client) -> Result<()> {
    // SAFETY: the client is alive.
    check_error(unsafe { sys::rd_kafka_begin_transaction(client.as_ptr()) })
}

/// Delivery reports must be served meanwhile: librdkafka flushes first.
pub fn commit(client: &Client, timeout_ms: i32) -> Result<()> {
    // SAFETY: the client is alive.
    check_error(unsafe { sys::rd_kafka_commit_transaction(client.as_ptr(), timeout_ms) })
}

/// Delivery reports must be served meanwhile: librdkafka purges and waits for them.
pub fn abort(client: &Client, timeout_ms: i32) -> Result<()> {
    // SAFETY: the client is alive.
    check_error(unsafe { sys::rd_kafka_abort_transaction(client.as_ptr(), timeout_ms) })
}

/// A consumer's group metadata, read from its serialised form.
pub struct GroupMetadata(ptr::NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: plain memory with one owner.
unsafe impl Send for GroupMetadata {}

impl GroupMetadata {
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut metadata = ptr::null_mut();
        // SAFETY: the buffer's true size is given; on success the metadata is ours.
        check_error(unsafe {
            sys::rd_kafka_consumer_group_metadata_read(&mut metadata, bytes.as_ptr().cast(), bytes.len())
        })?;
        ptr::NonNull::new(metadata).map(GroupMetadata).ok_or_else(|| Error::Kafka(Failure::from_code(-199)))
    }
}

impl Drop for GroupMetadata {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) }
    }
}

pub fn send_offsets(client: &Client, offsets: &Partitions, group: &GroupMetadata, timeout_ms: i32) -> Result<()> {
    // SAFETY: the client is alive; list and metadata are only read.
    check_error(unsafe {
        sys::rd_kafka_send_offsets_to_transaction(client.as_ptr(), offsets.as_ptr(), group.0.as_ptr(), timeout_ms)
    })
}
