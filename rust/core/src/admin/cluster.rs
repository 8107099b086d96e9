//! The cluster as a whole: its nodes, and who leads its partitions.

use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::raw::{self, by_number};
use super::{partition_list, Asked, Call, Refused, Reply};
use crate::error::{text, Failure};
use crate::native::{partition_of, Owned, Partition, Partitions};

/// A broker; without host for one that the cluster does not know now.
#[derive(Debug)]
pub struct Node {
    pub id: i32,
    pub host: String,
    pub port: u16,
    pub rack: Option<String>,
}

impl Node {
    /// # Safety
    /// `node` must be alive.
    pub(super) unsafe fn copy_of(node: *const sys::rd_kafka_Node_t) -> Self {
        // SAFETY: by the caller's word; the strings live as long.
        unsafe {
            Node {
                id: sys::rd_kafka_Node_id(node),
                host: text(sys::rd_kafka_Node_host(node)),
                port: sys::rd_kafka_Node_port(node),
                rack: raw::optional(sys::rd_kafka_Node_rack(node)),
            }
        }
    }
}

#[derive(Debug)]
pub struct Description {
    pub id: Option<String>,
    pub controller: Option<Node>,
    pub nodes: Vec<Node>,
    pub operations: Option<Vec<i32>>,
}

/// Source: rd_kafka_DescribeCluster.
pub fn describe(call: &Call<'_>) -> Asked {
    call.send(Operation::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, |rk, options, queue| {
        // SAFETY: all are alive.
        unsafe { sys::rd_kafka_DescribeCluster(rk, options, queue) }
    })
}

/// Elects leaders of these partitions, or of all; the type is 0 for preferred, 1 for unclean.
///
/// Source: rd_kafka_ElectLeaders, KIP-460.
pub fn elect_leaders(call: &Call<'_>, election: i32, partitions: Option<&[Partition]>) -> Asked {
    if !(0..=1).contains(&election) {
        return Err(Refused(format!("unknown election type {election}: 0 (preferred) or 1 (unclean) expected")));
    }
    let list = partitions.map(partition_list).transpose()?;
    let pointer = list.as_ref().map_or(ptr::null_mut(), Partitions::as_ptr);
    // SAFETY: the list is copied, the object is owned here.
    let request = unsafe { Owned::adopt(by_number::rd_kafka_ElectLeaders_new(election, pointer)) }
        .ok_or_else(|| Refused::new("invalid partitions"))?;
    call.send(Operation::RD_KAFKA_ADMIN_OP_ELECTLEADERS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the request.
        unsafe { sys::rd_kafka_ElectLeaders(rk, request.as_ptr(), options, queue) }
    })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeCluster_result_t) -> Reply {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let controller = sys::rd_kafka_DescribeCluster_result_controller(result);
        Reply::Cluster(Description {
            id: raw::optional(sys::rd_kafka_DescribeCluster_result_cluster_id(result)),
            controller: (!controller.is_null()).then(|| Node::copy_of(controller)),
            nodes: raw::list(result, sys::rd_kafka_DescribeCluster_result_nodes, Node::copy_of),
            operations: raw::operations(result, sys::rd_kafka_DescribeCluster_result_authorized_operations),
        })
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn elected(result: *const sys::rd_kafka_ElectLeaders_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Elected(unsafe { raw::list(result, sys::rd_kafka_ElectLeaders_result_partitions, election) })
}

/// # Safety
/// `result` must be alive.
unsafe fn election(result: *const sys::rd_kafka_topic_partition_result_t) -> (String, i32, Option<Failure>) {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let partition = partition_of(sys::rd_kafka_topic_partition_result_partition(result));
        let failure = raw::failure(sys::rd_kafka_topic_partition_result_error(result));
        (partition.topic, partition.partition, failure)
    }
}
