//! Topics and their partitions.

use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::cluster::Node;
use super::raw::{self, by_number};
use super::{c_text, c_texts, Asked, Call, Refused, Reply};
use crate::config::error_text;
use crate::error::{text, Failure};
use crate::native::Owned;

/// Brokers of each partition's replicas, the leader first.
pub type Assignment = Vec<Vec<i32>>;

/// A topic to be created; -1 leaves a number to the broker.
#[derive(Clone, Debug)]
pub struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub replication_factor: i32,
    pub assignment: Option<Assignment>,
    pub config: Vec<(String, Option<String>)>,
}

/// A topic that is to have more partitions; the assignment is that of the new ones.
#[derive(Clone, Debug)]
pub struct NewPartitions {
    pub topic: String,
    pub total: i32,
    pub assignment: Option<Assignment>,
}

#[derive(Debug)]
pub struct Description {
    pub name: String,
    pub error: Option<Failure>,
    /// The upper and the lower half; None when the broker gave no id.
    pub id: Option<(i64, i64)>,
    pub is_internal: bool,
    pub partitions: Vec<Partition>,
    pub operations: Option<Vec<i32>>,
}

#[derive(Debug)]
pub struct Partition {
    pub id: i32,
    pub leader: Option<Node>,
    pub replicas: Vec<Node>,
    pub in_sync: Vec<Node>,
}

/// Source: rd_kafka_CreateTopics.
pub fn create(call: &Call<'_>, topics: &[NewTopic]) -> Asked {
    let topics = topics.iter().map(new_topic).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_CREATETOPICS, sys::rd_kafka_CreateTopics, &topics)
}

fn new_topic(topic: &NewTopic) -> Result<Owned<sys::rd_kafka_NewTopic_t>, Refused> {
    let name = c_text("topic name", &topic.name)?;
    let refused = |reason: String| Refused(format!("topic {:?}: {reason}", topic.name));
    let mut message = error_text();
    // SAFETY: the strings are copied, the error buffer has the size given, the object is owned here.
    unsafe {
        let made = sys::rd_kafka_NewTopic_new(
            name.as_ptr(),
            topic.partitions,
            topic.replication_factor,
            message.as_mut_ptr(),
            message.len(),
        );
        let made = Owned::adopt(made).ok_or_else(|| refused(text(message.as_ptr())))?;
        for (index, brokers) in (0..).zip(topic.assignment.iter().flatten()) {
            let code = sys::rd_kafka_NewTopic_set_replica_assignment(
                made.as_ptr(),
                index,
                brokers.as_ptr().cast_mut(),
                brokers.len(),
                message.as_mut_ptr(),
                message.len(),
            );
            if code as i32 != 0 {
                return Err(refused(text(message.as_ptr())));
            }
        }
        for (key, value) in &topic.config {
            let c_key = c_text("configuration name", key)?;
            let c_value = value.as_deref().map(|value| c_text("configuration value", value)).transpose()?;
            let value = c_value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
            let code = sys::rd_kafka_NewTopic_set_config(made.as_ptr(), c_key.as_ptr(), value);
            if code as i32 != 0 {
                return Err(refused(format!("invalid configuration name {key:?}")));
            }
        }
        Ok(made)
    }
}

/// Source: rd_kafka_DeleteTopics.
pub fn delete(call: &Call<'_>, topics: &[String]) -> Asked {
    let topics = topics
        .iter()
        .map(|topic| {
            let name = c_text("topic name", topic)?;
            // SAFETY: the name is copied, the object is owned here.
            unsafe { Owned::adopt(sys::rd_kafka_DeleteTopic_new(name.as_ptr())) }
                .ok_or_else(|| Refused(format!("invalid topic name {topic:?}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_DELETETOPICS, sys::rd_kafka_DeleteTopics, &topics)
}

/// Source: rd_kafka_CreatePartitions.
pub fn extend(call: &Call<'_>, topics: &[NewPartitions]) -> Asked {
    let topics = topics.iter().map(new_partitions).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, sys::rd_kafka_CreatePartitions, &topics)
}

fn new_partitions(topic: &NewPartitions) -> Result<Owned<sys::rd_kafka_NewPartitions_t>, Refused> {
    let name = c_text("topic name", &topic.topic)?;
    let refused = |reason: String| Refused(format!("topic {:?}: {reason}", topic.topic));
    // Zero is refused with the range that is allowed.
    let total = usize::try_from(topic.total).unwrap_or(0);
    let mut message = error_text();
    // SAFETY: the name is copied, the error buffer has the size given, the object is owned here.
    unsafe {
        let made = sys::rd_kafka_NewPartitions_new(name.as_ptr(), total, message.as_mut_ptr(), message.len());
        let made = Owned::adopt(made).ok_or_else(|| refused(text(message.as_ptr())))?;
        for (index, brokers) in (0..).zip(topic.assignment.iter().flatten()) {
            let code = sys::rd_kafka_NewPartitions_set_replica_assignment(
                made.as_ptr(),
                index,
                brokers.as_ptr().cast_mut(),
                brokers.len(),
                message.as_mut_ptr(),
                message.len(),
            );
            if code as i32 != 0 {
                return Err(refused(text(message.as_ptr())));
            }
        }
        Ok(made)
    }
}

/// Source: rd_kafka_DescribeTopics.
pub fn describe(call: &Call<'_>, topics: &[String]) -> Asked {
    let (_texts, mut pointers) = c_texts("topic name", topics)?;
    // SAFETY: the names are copied, the object is owned here.
    let topics = unsafe {
        Owned::adopt(sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()))
            .ok_or_else(|| Refused::new("invalid topic names"))?
    };
    call.send(Operation::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the names.
        unsafe { sys::rd_kafka_DescribeTopics(rk, topics.as_ptr(), options, queue) }
    })
}

macro_rules! named {
    ($($name:ident, $result:ident, $getter:ident;)*) => {$(
        /// # Safety
        /// `result` must be alive.
        pub(super) unsafe fn $name(result: *const sys::$result) -> Reply {
            // SAFETY: by the caller's word.
            Reply::Named(unsafe { raw::list(result, sys::$getter, outcome) })
        }
    )*};
}

named! {
    created, rd_kafka_CreateTopics_result_t, rd_kafka_CreateTopics_result_topics;
    deleted, rd_kafka_DeleteTopics_result_t, rd_kafka_DeleteTopics_result_topics;
    extended, rd_kafka_CreatePartitions_result_t, rd_kafka_CreatePartitions_result_topics;
}

/// # Safety
/// `result` must be alive.
unsafe fn outcome(result: *const sys::rd_kafka_topic_result_t) -> (String, Option<Failure>) {
    // SAFETY: by the caller's word; the strings live as long.
    unsafe {
        let code = by_number::rd_kafka_topic_result_error(result);
        let failure = raw::coded(code, sys::rd_kafka_topic_result_error_string(result));
        (text(sys::rd_kafka_topic_result_name(result)), failure)
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeTopics_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Topics(unsafe { raw::list(result, sys::rd_kafka_DescribeTopics_result_topics, description) })
}

/// # Safety
/// `topic` must be alive.
unsafe fn description(topic: *const sys::rd_kafka_TopicDescription_t) -> Description {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        let id = (!id.is_null())
            .then(|| (sys::rd_kafka_Uuid_most_significant_bits(id), sys::rd_kafka_Uuid_least_significant_bits(id)));
        Description {
            name: text(sys::rd_kafka_TopicDescription_name(topic)),
            error: raw::failure(sys::rd_kafka_TopicDescription_error(topic)),
            id: id.filter(|id| *id != (0, 0)),
            is_internal: sys::rd_kafka_TopicDescription_is_internal(topic) != 0,
            partitions: raw::list(topic, sys::rd_kafka_TopicDescription_partitions, partition),
            operations: raw::operations(topic, sys::rd_kafka_TopicDescription_authorized_operations),
        }
    }
}

/// # Safety
/// `info` must be alive.
unsafe fn partition(info: *const sys::rd_kafka_TopicPartitionInfo_t) -> Partition {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let leader = sys::rd_kafka_TopicPartitionInfo_leader(info);
        Partition {
            id: sys::rd_kafka_TopicPartitionInfo_partition(info),
            leader: (!leader.is_null()).then(|| Node::copy_of(leader)),
            replicas: raw::list(info, sys::rd_kafka_TopicPartitionInfo_replicas, Node::copy_of),
            in_sync: raw::list(info, sys::rd_kafka_TopicPartitionInfo_isr, Node::copy_of),
        }
    }
}
