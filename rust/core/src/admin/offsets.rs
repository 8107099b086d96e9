//! Offsets of groups and of partitions.

use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::raw;
use super::{c_text, partition_list, Asked, Call, Refused, Reply};
use crate::error::{text, Failure};
use crate::native::{partition_of, partitions_of, Owned, Partition};

/// What requests for a group's offsets are made of.
macro_rules! group_request {
    ($call:ident, $group:ident, $partitions:expr; $new:ident, $send:ident, $operation:ident) => {{
        let name = c_text("group id", $group)?;
        // SAFETY: name and list are copied, the object is owned here.
        let request = unsafe { Owned::adopt(sys::$new(name.as_ptr(), $partitions)) }
            .ok_or_else(|| Refused(format!("invalid group id {:?}", $group)))?;
        $call.send_all(Operation::$operation, sys::$send, &[request])
    }};
}

/// Asks for what a group has committed, for these partitions or for all.
///
/// Source: rd_kafka_ListConsumerGroupOffsets.
pub fn list_group(call: &Call<'_>, group: &str, partitions: Option<&[Partition]>) -> Asked {
    let list = partitions.map(partition_list).transpose()?;
    group_request!(call, group, list.as_ref().map_or(ptr::null(), |list| list.as_ptr().cast_const());
        rd_kafka_ListConsumerGroupOffsets_new, rd_kafka_ListConsumerGroupOffsets,
        RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS)
}

/// Commits in the name of a group without members. Source: rd_kafka_AlterConsumerGroupOffsets.
pub fn alter_group(call: &Call<'_>, group: &str, partitions: &[Partition]) -> Asked {
    let list = partition_list(partitions)?;
    group_request!(call, group, list.as_ptr();
        rd_kafka_AlterConsumerGroupOffsets_new, rd_kafka_AlterConsumerGroupOffsets,
        RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS)
}

/// Source: rd_kafka_DeleteConsumerGroupOffsets.
pub fn delete_group(call: &Call<'_>, group: &str, partitions: &[Partition]) -> Asked {
    let list = partition_list(partitions)?;
    group_request!(call, group, list.as_ptr();
        rd_kafka_DeleteConsumerGroupOffsets_new, rd_kafka_DeleteConsumerGroupOffsets,
        RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS)
}

/// Asks for offsets of partitions; each entry's offset says which (`rd_kafka_OffsetSpec_t`, or a timestamp).
///
/// Source: rd_kafka_ListOffsets.
pub fn list(call: &Call<'_>, partitions: &[Partition]) -> Asked {
    let list = partition_list(partitions)?;
    call.send(Operation::RD_KAFKA_ADMIN_OP_LISTOFFSETS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the list.
        unsafe { sys::rd_kafka_ListOffsets(rk, list.as_ptr(), options, queue) }
    })
}

/// Deletes the records before each entry's offset; -1 is the high watermark. Source: rd_kafka_DeleteRecords.
pub fn delete_records(call: &Call<'_>, partitions: &[Partition]) -> Asked {
    let list = partition_list(partitions)?;
    // SAFETY: the list is copied, the object is owned here.
    let request = unsafe { Owned::adopt(sys::rd_kafka_DeleteRecords_new(list.as_ptr())) }
        .ok_or_else(|| Refused::new("invalid partitions"))?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_DELETERECORDS, sys::rd_kafka_DeleteRecords, &[request])
}

macro_rules! committed {
    ($($name:ident, $result:ident, $getter:ident;)*) => {$(
        /// # Safety
        /// `result` must be alive.
        pub(super) unsafe fn $name(result: *const sys::$result) -> Reply {
            // SAFETY: by the caller's word.
            Reply::Committed(unsafe { raw::list(result, sys::$getter, group) })
        }
    )*};
}

committed! {
    group_listed, rd_kafka_ListConsumerGroupOffsets_result_t, rd_kafka_ListConsumerGroupOffsets_result_groups;
    group_altered, rd_kafka_AlterConsumerGroupOffsets_result_t, rd_kafka_AlterConsumerGroupOffsets_result_groups;
    group_deleted, rd_kafka_DeleteConsumerGroupOffsets_result_t, rd_kafka_DeleteConsumerGroupOffsets_result_groups;
}

/// # Safety
/// `result` must be alive.
unsafe fn group(result: *const sys::rd_kafka_group_result_t) -> (String, Option<Failure>, Vec<Partition>) {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        (
            text(sys::rd_kafka_group_result_name(result)),
            raw::failure(sys::rd_kafka_group_result_error(result)),
            partitions_of(sys::rd_kafka_group_result_partitions(result)),
        )
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn listed(result: *const sys::rd_kafka_ListOffsets_result_t) -> Reply {
    unsafe fn info(info: *const sys::rd_kafka_ListOffsetsResultInfo_t) -> (Partition, i64) {
        // SAFETY: given by a result that is alive.
        unsafe {
            let partition = partition_of(sys::rd_kafka_ListOffsetsResultInfo_topic_partition(info));
            (partition, sys::rd_kafka_ListOffsetsResultInfo_timestamp(info))
        }
    }
    // SAFETY: by the caller's word.
    Reply::Offsets(unsafe { raw::list(result, sys::rd_kafka_ListOffsets_result_infos, info) })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn records_deleted(result: *const sys::rd_kafka_DeleteRecords_result_t) -> Reply {
    // SAFETY: by the caller's word; the list lives as long.
    Reply::Deleted(unsafe { partitions_of(sys::rd_kafka_DeleteRecords_result_offsets(result)) })
}
