//! Consumer groups.

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::cluster::Node;
use super::raw::{self, by_number};
use super::{c_text, c_texts, Asked, Call, Refused, Reply};
use crate::error::{text, Failure};
use crate::native::{partitions_of, Owned, Partition};

/// Groups of the brokers that answered, and errors of those that did not.
#[derive(Debug)]
pub struct Listed {
    pub groups: Vec<Listing>,
    pub errors: Vec<Failure>,
}

#[derive(Debug)]
pub struct Listing {
    pub group: String,
    pub is_simple: bool,
    /// `rd_kafka_consumer_group_state_t`
    pub state: i32,
    /// `rd_kafka_consumer_group_type_t`
    pub kind: i32,
}

#[derive(Debug)]
pub struct Description {
    pub group: String,
    pub error: Option<Failure>,
    pub is_simple: bool,
    pub assignor: String,
    pub state: i32,
    pub kind: i32,
    pub coordinator: Option<Node>,
    pub members: Vec<Member>,
    pub operations: Option<Vec<i32>>,
}

#[derive(Debug)]
pub struct Member {
    pub id: String,
    pub client_id: String,
    pub host: String,
    pub instance_id: Option<String>,
    pub assignment: Vec<Partition>,
    /// What the member is to have; of groups with the consumer protocol only (KIP-848).
    pub target: Option<Vec<Partition>>,
}

/// Source: rd_kafka_ListConsumerGroups.
pub fn list(call: &Call<'_>) -> Asked {
    call.send(Operation::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, |rk, options, queue| {
        // SAFETY: all are alive.
        unsafe { sys::rd_kafka_ListConsumerGroups(rk, options, queue) }
    })
}

/// Source: rd_kafka_DescribeConsumerGroups.
pub fn describe(call: &Call<'_>, groups: &[String]) -> Asked {
    let (_texts, mut pointers) = c_texts("group id", groups)?;
    call.send(Operation::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the names.
        unsafe { sys::rd_kafka_DescribeConsumerGroups(rk, pointers.as_mut_ptr(), pointers.len(), options, queue) }
    })
}

/// Source: rd_kafka_DeleteGroups.
pub fn delete(call: &Call<'_>, groups: &[String]) -> Asked {
    let groups = groups
        .iter()
        .map(|group| {
            let name = c_text("group id", group)?;
            // SAFETY: the name is copied, the object is owned here.
            unsafe { Owned::adopt(sys::rd_kafka_DeleteGroup_new(name.as_ptr())) }
                .ok_or_else(|| Refused(format!("invalid group id {group:?}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_DELETEGROUPS, sys::rd_kafka_DeleteGroups, &groups)
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn listed(result: *const sys::rd_kafka_ListConsumerGroups_result_t) -> Reply {
    // SAFETY: by the caller's word.
    unsafe {
        let errors = raw::list(result, sys::rd_kafka_ListConsumerGroups_result_errors, raw::failure);
        Reply::Groups(Listed {
            groups: raw::list(result, sys::rd_kafka_ListConsumerGroups_result_valid, listing),
            errors: errors.into_iter().flatten().collect(),
        })
    }
}

/// # Safety
/// `group` must be alive.
unsafe fn listing(group: *const sys::rd_kafka_ConsumerGroupListing_t) -> Listing {
    // SAFETY: by the caller's word; the name lives as long.
    unsafe {
        Listing {
            group: text(sys::rd_kafka_ConsumerGroupListing_group_id(group)),
            is_simple: sys::rd_kafka_ConsumerGroupListing_is_simple_consumer_group(group) != 0,
            state: by_number::rd_kafka_ConsumerGroupListing_state(group),
            kind: by_number::rd_kafka_ConsumerGroupListing_type(group),
        }
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeConsumerGroups_result_t) -> Reply {
    // SAFETY: by the caller's word.
    let groups = unsafe { raw::list(result, sys::rd_kafka_DescribeConsumerGroups_result_groups, description) };
    Reply::GroupDescriptions(groups)
}

/// # Safety
/// `group` must be alive.
unsafe fn description(group: *const sys::rd_kafka_ConsumerGroupDescription_t) -> Description {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let coordinator = sys::rd_kafka_ConsumerGroupDescription_coordinator(group);
        let count = sys::rd_kafka_ConsumerGroupDescription_member_count(group);
        Description {
            group: text(sys::rd_kafka_ConsumerGroupDescription_group_id(group)),
            error: raw::failure(sys::rd_kafka_ConsumerGroupDescription_error(group)),
            is_simple: sys::rd_kafka_ConsumerGroupDescription_is_simple_consumer_group(group) != 0,
            assignor: text(sys::rd_kafka_ConsumerGroupDescription_partition_assignor(group)),
            state: by_number::rd_kafka_ConsumerGroupDescription_state(group),
            kind: by_number::rd_kafka_ConsumerGroupDescription_type(group),
            coordinator: (!coordinator.is_null()).then(|| Node::copy_of(coordinator)),
            members: (0..count)
                .map(|index| member(sys::rd_kafka_ConsumerGroupDescription_member(group, index)))
                .collect(),
            operations: raw::operations(group, sys::rd_kafka_ConsumerGroupDescription_authorized_operations),
        }
    }
}

/// # Safety
/// `member` must be alive.
unsafe fn member(member: *const sys::rd_kafka_MemberDescription_t) -> Member {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let partitions = |assignment: *const sys::rd_kafka_MemberAssignment_t| {
            (!assignment.is_null()).then(|| partitions_of(sys::rd_kafka_MemberAssignment_partitions(assignment)))
        };
        Member {
            id: text(sys::rd_kafka_MemberDescription_consumer_id(member)),
            client_id: text(sys::rd_kafka_MemberDescription_client_id(member)),
            host: text(sys::rd_kafka_MemberDescription_host(member)),
            instance_id: raw::optional(sys::rd_kafka_MemberDescription_group_instance_id(member)),
            assignment: partitions(sys::rd_kafka_MemberDescription_assignment(member)).unwrap_or_default(),
            target: partitions(sys::rd_kafka_MemberDescription_target_assignment(member)),
        }
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn deleted(result: *const sys::rd_kafka_DeleteGroups_result_t) -> Reply {
    unsafe fn outcome(result: *const sys::rd_kafka_group_result_t) -> (String, Option<Failure>) {
        // SAFETY: given by a result that is alive.
        unsafe {
            let failure = raw::failure(sys::rd_kafka_group_result_error(result));
            (text(sys::rd_kafka_group_result_name(result)), failure)
        }
    }
    // SAFETY: by the caller's word.
    Reply::Named(unsafe { raw::list(result, sys::rd_kafka_DeleteGroups_result_groups, outcome) })
}
