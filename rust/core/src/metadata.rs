//! Cluster metadata: brokers, topics and partitions.

use std::os::raw::c_void;
use std::ptr;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::error::{check, text, Failure, Result};
use crate::native::{c_string, Topic};

pub struct Broker {
    pub id: i32,
    pub host: String,
    pub port: i32,
}

pub struct PartitionInfo {
    pub id: i32,
    pub leader: i32,
    pub replicas: Vec<i32>,
    pub isrs: Vec<i32>,
    pub error: i32,
}

pub struct TopicInfo {
    pub name: String,
    pub partitions: Vec<PartitionInfo>,
    pub error: i32,
}

pub struct GroupMember {
    pub id: String,
    pub client_id: String,
    pub client_host: String,
    /// In the format of the group's protocol type, as the next.
    pub metadata: Vec<u8>,
    pub assignment: Vec<u8>,
}

pub struct GroupInfo {
    pub broker: Broker,
    pub name: String,
    pub error: i32,
    pub state: String,
    pub protocol_type: String,
    pub protocol: String,
    pub members: Vec<GroupMember>,
}

pub struct Metadata {
    pub brokers: Vec<Broker>,
    pub topics: Vec<TopicInfo>,
    pub cluster_id: Option<String>,
    pub controller_id: i32,
    pub orig_broker_id: i32,
    pub orig_broker_name: String,
}

/// Asks for one topic or for all. Blocks up to `timeout_ms`: for a native thread.
pub fn list(client: &std::sync::Arc<Client>, topic: Option<&str>, timeout_ms: i32) -> Result<Metadata> {
    let topic = topic.map(|name| Topic::new(client, name)).transpose()?;
    let pointer = topic.as_ref().map_or(ptr::null_mut(), Topic::as_ptr);
    let mut raw: *const sys::rd_kafka_metadata = ptr::null();
    // SAFETY: client and topic are alive; the metadata is ours after a success and destroyed once.
    unsafe {
        check(sys::rd_kafka_metadata(client.as_ptr(), i32::from(topic.is_none()), pointer, &mut raw, timeout_ms))?;
        let metadata = copy(client, &*raw);
        sys::rd_kafka_metadata_destroy(raw);
        Ok(metadata)
    }
}

/// # Safety
/// `raw` must be metadata that librdkafka filled in.
unsafe fn copy(client: &Client, raw: &sys::rd_kafka_metadata) -> Metadata {
    // SAFETY: every array has the length in the field beside it.
    unsafe {
        let id = sys::rd_kafka_clusterid(client.as_ptr(), 0);
        let cluster_id = (!id.is_null()).then(|| {
            let copy = text(id);
            sys::rd_kafka_mem_free(client.as_ptr(), id.cast());
            copy
        });
        Metadata {
            brokers: array(raw.brokers, raw.broker_cnt)
                .iter()
                .map(|broker| Broker { id: broker.id, host: text(broker.host), port: broker.port })
                .collect(),
            topics: array(raw.topics, raw.topic_cnt)
                .iter()
                .map(|topic| TopicInfo {
                    name: text(topic.topic),
                    partitions: array(topic.partitions, topic.partition_cnt)
                        .iter()
                        .map(|partition| PartitionInfo {
                            id: partition.id,
                            leader: partition.leader,
                            replicas: array(partition.replicas, partition.replica_cnt).to_vec(),
                            isrs: array(partition.isrs, partition.isr_cnt).to_vec(),
                            error: partition.err as i32,
                        })
                        .collect(),
                    error: topic.err as i32,
                })
                .collect(),
            cluster_id,
            controller_id: sys::rd_kafka_controllerid(client.as_ptr(), 0),
            orig_broker_id: raw.orig_broker_id,
            orig_broker_name: text(raw.orig_broker_name),
        }
    }
}

/// # Safety
/// `pointer` must be null or point to `count` values that outlive `'a`.
unsafe fn array<'a, T>(pointer: *const T, count: i32) -> &'a [T] {
    if pointer.is_null() || count <= 0 {
        return &[];
    }
    // SAFETY: guaranteed by the caller.
    unsafe { std::slice::from_raw_parts(pointer, count as usize) }
}

/// The cluster's id. Blocks up to `timeout_ms`: for a native thread.
pub fn cluster_id(client: &Client, timeout_ms: i32) -> Result<String> {
    const TIMED_OUT: i32 = -185;
    // SAFETY: the client is alive; the string is ours.
    unsafe {
        let id = sys::rd_kafka_clusterid(client.as_ptr(), timeout_ms);
        if id.is_null() {
            return Err(Failure::from_code(TIMED_OUT).into());
        }
        let copy = text(id);
        sys::rd_kafka_mem_free(client.as_ptr(), id.cast());
        Ok(copy)
    }
}

/// Asks every broker for its groups, or for one. Blocks up to `timeout_ms`: for a native thread.
///
/// When not all brokers answered in time, the groups of those that did.
pub fn list_groups(client: &Client, group: Option<&str>, timeout_ms: i32) -> Result<Vec<GroupInfo>> {
    const PARTIAL: i32 = -158;
    let group = group.map(c_string);
    let name = group.as_ref().map_or(ptr::null(), |name| name.as_ptr());
    let mut raw: *const sys::rd_kafka_group_list = ptr::null();
    // SAFETY: the client is alive; the list is ours after a success, a partial one included, and destroyed once.
    unsafe {
        let code = sys::rd_kafka_list_groups(client.as_ptr(), name, &mut raw, timeout_ms);
        if code as i32 != PARTIAL {
            check(code)?;
        }
        let groups = array((*raw).groups, (*raw).group_cnt).iter().map(|group| copy_group(group)).collect();
        sys::rd_kafka_group_list_destroy(raw);
        Ok(groups)
    }
}

/// # Safety
/// `group` must be one that librdkafka filled in.
unsafe fn copy_group(group: &sys::rd_kafka_group_info) -> GroupInfo {
    // SAFETY: every array has the length in the field beside it; strings live as long as the group.
    unsafe {
        let bytes = |data: *const c_void, size| array(data.cast::<u8>(), size).to_vec();
        GroupInfo {
            broker: Broker { id: group.broker.id, host: text(group.broker.host), port: group.broker.port },
            name: text(group.group),
            error: (&raw const group.err).cast::<i32>().read(),
            state: text(group.state),
            protocol_type: text(group.protocol_type),
            protocol: text(group.protocol),
            members: array(group.members, group.member_cnt)
                .iter()
                .map(|member| GroupMember {
                    id: text(member.member_id),
                    client_id: text(member.client_id),
                    client_host: text(member.client_host),
                    metadata: bytes(member.member_metadata, member.member_metadata_size),
                    assignment: bytes(member.member_assignment, member.member_assignment_size),
                })
                .collect(),
        }
    }
}
